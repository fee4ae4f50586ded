"""Both sides joined, by hand in a browser: what a campaign posts is answered, people buy, a goal moves.

The networks are real servers that remember what they received. What a shop would do is done by a program.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import NewWindow
from tests.browser.stage import LINK_BASE_URL, Installation
from tests.browser.steps import Composer, connect_bluesky, connect_sandbox, sign_up, variant
from tests.processes import wait_for
from tests.support import unavailable

pytestmark = [pytest.mark.browser, pytest.mark.integration]

ZONE = "Asia/Tokyo"
BRAND = "Momiji Tea"
CAMPAIGN = "Autumn matcha"
SHOP = "https://shop.invalid/matcha"
QUESTION = "Is the matcha stone-ground?"
ANSWER = f"It is, every week anew. {SHOP}?from=answer"
SKEET_QUESTION = "Do you send to Kyoto, too?"
SKEET_ANSWER = "We do, in two days."
GOAL = "Revenue of autumn"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SEEN_TIMEOUT_MS = 120_000


def today() -> dt.date:
    return dt.datetime.now(zoneinfo.ZoneInfo(ZONE)).date()


def told(story: Callable[[], None], page: Page, stage: Installation, folder: Path) -> None:
    """Runs it; where it breaks off, says where it stood."""
    try:
        story()
    except Exception as error:
        page.screenshot(path=folder / "where-it-stood.png", full_page=True)
        error.add_note(f"{page.url}, see {folder / 'where-it-stood.png'}\n{stage.running.logs()[-4000:]}")
        raise


def take_in(stage: Installation) -> None:
    """The next question to a network may be half a minute away: make it due, and call the task."""
    stage.rows("UPDATE engagement_inboxpull SET next_at = now(), blocked_until = NULL")
    stage.call_task("engagement.tasks.collect")


def open_conversation(page: Page, stage: Installation, words: str) -> None:
    """The list follows by itself what comes in."""
    page.goto("/inbox/")
    row = page.locator("#rows .inbox-row", has_text=words)
    give_up = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=90)
    while not row.count() and dt.datetime.now(dt.UTC) < give_up:
        take_in(stage)
        page.wait_for_timeout(3_000)
        page.reload()
    row.click()
    expect(page.locator("#talk")).to_contain_text(words)


def answer(page: Page, text: str, *, campaign: str = "") -> None:
    page.get_by_label("Your reply").fill(text)
    if campaign:
        page.get_by_label("Links count for a campaign").select_option(campaign)
    page.get_by_role("button", name="Send", exact=True).click()
    sent = page.locator("#talk article", has_text=text.split(" https://", 1)[0]).locator(".inbox-state")
    expect(sent).to_contain_text("Sent", timeout=SEEN_TIMEOUT_MS)


def comments_of(stage: Installation, post_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stage.sandbox.call("GET", f"/api/v1/posts/{post_id}/comments")["comments"]
    return found


def short_link(text: str) -> str:
    found = re.search(re.escape(f"{LINK_BASE_URL}/l/") + r"\w+", text)
    assert found, text
    return found[0]


def figure(page: Page, label: str) -> Locator:
    heading = page.get_by_role("heading", name=label, exact=True)
    return page.locator("article.return-figure", has=heading).locator(".return-value")


def shown_number(page: Page) -> Locator:
    return page.locator("article.goal-card", has_text=GOAL).locator("a.number-link")


def test_a_campaign_is_answered_bought_from_and_counted(
    installation: Installation, window: NewWindow, tmp_path: Path
) -> None:
    if installation.bluesky is None:
        unavailable(f"no Bluesky network: {installation.bluesky_missing}")
    page = window().new_page()
    told(lambda: tell_the_story(page, installation), page, installation, tmp_path)


def tell_the_story(page: Page, stage: Installation) -> None:
    bluesky, sandbox = stage.bluesky, stage.sandbox
    assert bluesky is not None
    sign_up(
        page, email="ren@example.com", name="Ren Hara", organization="Momiji Foods", brand=BRAND, zone=ZONE
    )
    connect_bluesky(page, stage, bluesky.carol, BRAND)
    connect_sandbox(page, stage, "momiji_tea", BRAND)

    campaign_url = create_campaign(page)
    create_goal(page)
    post_url = publish(page)

    # Both networks have the post once, each with a short address of its own.
    (stored,) = sandbox.posts(account="momiji_tea")
    (record,) = bluesky.posts(bluesky.carol)
    links = [short_link(text) for text in (stored["text"], record["value"]["text"])]
    assert len(set(links)) == 2
    (facet,) = record["value"]["facets"]
    assert facet["features"][0]["uri"] == links[1]

    # Somebody else answers there, a customer comments here; both are answered in the inbox.
    reply = bluesky.post(bluesky.bob, SKEET_QUESTION, reply_to={"uri": record["uri"], "cid": record["cid"]})
    sandbox.act("comment", by="Mio", post=stored["id"], text=QUESTION)
    open_conversation(page, stage, QUESTION)
    expect(page.locator("#talk")).to_contain_text("Stone-ground matcha")  # the post it belongs to
    answer(page, ANSWER, campaign=CAMPAIGN)
    open_conversation(page, stage, SKEET_QUESTION)
    answer(page, SKEET_ANSWER)

    # Seen once on both servers, below what was asked, and once in the inbox when the networks tell it back.
    for _round in range(2):
        take_in(stage)
        page.wait_for_timeout(2_000)
    (said,) = [one["text"] for one in comments_of(stage, stored["id"]) if "every week anew" in one["text"]]
    links.append(short_link(said))
    (skeet,) = [one["value"] for one in bluesky.posts(bluesky.carol) if one["value"]["text"] == SKEET_ANSWER]
    assert (skeet["reply"]["parent"]["uri"], skeet["reply"]["root"]["uri"]) == (reply["uri"], record["uri"])
    for words in (SKEET_ANSWER, "every week anew"):
        open_conversation(page, stage, words)
        expect(page.locator("#talk article", has_text=words)).to_have_count(1)
    assert sandbox.summary(account="momiji_tea")["duplicates"] == 0

    # People click; one of them asks for a sample and then buys, and sends a part back.
    clicks = [click(link, stage) for link in links]
    page.goto(f"{campaign_url}links/")
    expect(number_of(page, "Clicks")).to_have_text("3")
    shop = Shop(stage, api_key(page))
    shop.report("lead", "sample-1", click=clicks[0], person={"email": "aoi@example.com", "name": "Aoi Mori"})
    sold: dict[str, Any] = {"value": "7000", "person": {"email": "aoi@example.com"}, "click": clicks[2]}
    shop.report("sale", "order-1", **sold)
    assert shop.report("sale", "order-1", again=True, **sold)["external_id"] == "order-1"  # counts once

    # ¥2,000 brought ¥7,000: a return of 250 %, at a margin of 50 % three quarters of it.
    calculate(page, campaign_url)
    expect(figure(page, "ROI on revenue")).to_have_text("250%")
    expect(figure(page, "ROI on margin")).to_have_text("75%")
    expect(figure(page, "Return on ad spend (ROAS)")).to_have_text("3.50×")
    expect(figure(page, "Cost per lead (CPL)")).to_have_text("¥2,000")
    look_at_goals(page, stage, "¥7,000")
    shop.refund("order-1", "refund-1", "1000")
    calculate(page, campaign_url)
    expect(figure(page, "ROI on revenue")).to_have_text("200%")
    expect(figure(page, "ROI on margin")).to_have_text("50%")

    # The goal has moved, and says how its number was made.
    look_at_goals(page, stage, "¥6,000")
    shown_number(page).click()
    passport = page.locator("#passport-dialog")
    expect(passport).to_be_visible()
    for words in ("¥6,000", "Revenue", BRAND, ZONE, "version 1"):
        expect(passport).to_contain_text(words)
    expect(passport.get_by_role("link", name="CSV").first).to_be_visible()
    page.keyboard.press("Escape")

    # The person is known with all that they did; the post with the clicks that it brought.
    page.goto("/audience/?q=Aoi")
    page.get_by_role("link", name="Aoi Mori").first.click()
    for words in ("Customer", "aoi@example.com", "¥7,000"):
        expect(page.locator("main")).to_contain_text(words)
    page.goto(post_url)
    expect(page.locator("main")).to_contain_text(CAMPAIGN)


def create_campaign(page: Page) -> str:
    """Its address. It has cost ¥2,000, and half of its revenue is margin."""
    page.goto("/campaigns/new/")
    page.get_by_label("Name").fill(CAMPAIGN)
    page.get_by_label("Objective").select_option("Sales")
    page.get_by_label("First day", exact=True).fill((today() - dt.timedelta(days=9)).isoformat())
    page.get_by_label("Last day", exact=True).fill((today() + dt.timedelta(days=20)).isoformat())
    page.get_by_label("Margin in %").fill("50")
    page.get_by_role("button", name="Create campaign").click()
    expect(page.get_by_role("heading", name=CAMPAIGN)).to_be_visible()
    address = page.url
    page.goto(f"{address}spend/")
    page.get_by_label("Date").fill(today().isoformat())
    page.get_by_label("Kind", exact=True).select_option("media")
    page.get_by_label("Amount in JPY").fill("2000")
    page.get_by_role("button", name="Enter", exact=True).click()
    expect(page.locator("main")).to_contain_text("¥2,000")
    return address


def create_goal(page: Page) -> None:
    page.goto("/analytics/goals/new/")
    page.get_by_label("Name").fill(GOAL)
    page.get_by_label("What is counted").select_option("revenue")
    page.get_by_label("How much").fill("60000")
    page.locator("input[name=kind][value=cumulative]").check()
    page.get_by_label("First day", exact=True).fill((today() - dt.timedelta(days=9)).isoformat())
    page.get_by_label("Last day", exact=True).fill((today() + dt.timedelta(days=20)).isoformat())
    page.get_by_role("button", name="Set the goal").click()
    expect(page.get_by_role("heading", name=GOAL)).to_be_visible()
    page.goto("/analytics/together/")
    expect(shown_number(page)).to_have_text("¥0")


def publish(page: Page) -> str:
    composer = Composer.for_new_post(page)
    composer.write(f"Stone-ground matcha is back. {SHOP}")
    page.locator("#post-campaign").select_option(label=CAMPAIGN)
    composer.wait_until_saved()
    composer.publish()
    expect(page.locator("#toasts")).to_contain_text("On its way to the networks.")
    for network in ("Bluesky", "Sandbox"):
        receipt = variant(page, network).locator(".steps-line")
        expect(receipt).to_contain_text("Seen live", timeout=SEEN_TIMEOUT_MS)
    return page.url


def click(link: str, stage: Installation) -> str:
    """A person opens it; returns what the shop is handed over of the click."""
    parts = urlsplit(link)
    headers = {"User-Agent": BROWSER, "Host": parts.netloc}
    found = requests.get(f"{stage.url}{parts.path}", headers=headers, allow_redirects=False, timeout=10)
    assert found.status_code == 302
    target = urlsplit(found.headers["Location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == SHOP
    query = parse_qs(target.query)
    assert query["utm_campaign"] == ["autumn-matcha"]
    return query["smm_click"][0]


def number_of(page: Page, label: str) -> Locator:
    cell = page.locator("dl.numbers > div", has=page.locator("dt", has_text=re.compile(f"^{label}$")))
    return cell.first.locator("dd")


def api_key(page: Page) -> str:
    page.goto("/settings/api-keys/new/")
    page.get_by_label("Name").fill("Web shop")
    page.get_by_role("button", name="Create key").click()
    secret = page.get_by_label("Secret of the key")
    expect(secret).to_have_value(re.compile("^smm_"))
    return secret.input_value()


class Shop:
    """A program with an API key."""

    def __init__(self, stage: Installation, secret: str) -> None:
        self._url = f"{stage.url}/api/v1/conversions"
        self._headers = {"Authorization": f"Bearer {secret}"}

    def report(self, kind: str, number: str, *, again: bool = False, **given: Any) -> dict[str, Any]:
        self.now = getattr(self, "now", None) or dt.datetime.now(dt.UTC)
        body = {"kind": kind, "external_id": number, "happened_at": self.now.isoformat(), **given}
        return self._post("", body, 200 if again else 201)

    def refund(self, sale: str, number: str, amount: str) -> dict[str, Any]:
        body = {"external_id": number, "amount": amount, "happened_at": dt.datetime.now(dt.UTC).isoformat()}
        return self._post(f"/sale/{sale}/refunds", body, 201)

    def _post(self, path: str, body: dict[str, Any], status: int) -> dict[str, Any]:
        found = requests.post(f"{self._url}{path}", json=body, headers=self._headers, timeout=10)
        assert found.status_code == status, found.text
        answered: dict[str, Any] = found.json()
        return answered


def calculate(page: Page, campaign_url: str) -> None:
    """Attribution anew, from the page that shows it."""
    page.goto(f"{campaign_url}roi/")
    again = page.get_by_text("Calculate anew")
    if again.count():
        again.click()
    page.get_by_role("button", name="Calculate now").click()
    expect(page.locator("main")).to_contain_text(re.compile("Calculated .* over [0-9]"))
    expect(page.get_by_text("Being calculated")).to_have_count(0)


def look_at_goals(page: Page, stage: Installation, value: str) -> None:
    """Goals are looked at every few minutes, which is too long to wait."""
    stage.call_task("analytics.tasks.sum_up")
    page.goto("/analytics/together/")
    for _second in range(60):
        if shown_number(page).inner_text() == value:
            break
        page.wait_for_timeout(1_000)
        page.reload()
    expect(shown_number(page)).to_have_text(value)


# --- two browsers, one conversation ------------------------------------------------------------------


def test_of_two_who_answer_at_once_the_second_is_asked(
    installation: Installation, window: NewWindow, tmp_path: Path
) -> None:
    page = window().new_page()
    told(lambda: answer_at_once(page, installation, window), page, installation, tmp_path)


def answer_at_once(page: Page, stage: Installation, window: NewWindow) -> None:
    sandbox = stage.sandbox
    sign_up(page, email="sora@example.com", name="Sora Ito", organization="Hinoki", brand="Hinoki", zone=ZONE)
    connect_sandbox(page, stage, "hinoki_bath", "Hinoki")
    composer = Composer.for_new_post(page)
    composer.write("Stools of hinoki wood are in stock.")
    composer.wait_until_saved()
    composer.publish()
    expect(variant(page, "Sandbox").locator(".steps-line")).to_contain_text(
        "Seen live", timeout=SEEN_TIMEOUT_MS
    )
    (stored,) = sandbox.posts(account="hinoki_bath")
    sandbox.act("comment", by="Ren", post=stored["id"], text="How wide are they?")
    open_conversation(page, stage, "How wide are they?")

    # The same person in another browser opens the same conversation, and both write.
    other = window(storage_state=page.context.storage_state()).new_page()
    other.goto(page.url)
    other.get_by_label("Your reply").fill("30 cm.")
    page.get_by_label("Your reply").fill("Thirty centimetres!")
    other.get_by_role("button", name="Send", exact=True).click()
    expect(other.locator("#talk article", has_text="30 cm.")).to_have_count(1)
    page.get_by_role("button", name="Send", exact=True).click()

    # The second is told what came meanwhile; nothing was sent, and the words are still there.
    newer = page.get_by_role("alert").filter(has_text="since you opened this")
    expect(newer).to_contain_text("30 cm.")
    expect(page.get_by_label("Your reply")).to_have_value("Thirty centimetres!")
    expect(other.locator("#talk article", has_text="30 cm.").locator(".inbox-state")).to_contain_text(
        "Sent", timeout=SEEN_TIMEOUT_MS
    )
    answers = [one["text"] for one in comments_of(stage, stored["id"]) if one["text"] != "How wide are they?"]
    assert answers == ["30 cm."]

    # Only on purpose does it go out, too, and once, however often the button is pressed.
    page.get_by_label("Your reply").fill("Thirty centimetres, and 28 cm high.")
    page.get_by_role("button", name="Send anyway").dblclick()
    mine = page.locator("#talk article", has_text="28 cm high")
    expect(mine.locator(".inbox-state")).to_contain_text("Sent", timeout=SEEN_TIMEOUT_MS)
    expect(mine).to_have_count(1)
    wait_for("both are there", lambda: len(comments_of(stage, stored["id"])) == 3, timeout_s=30)
    assert sandbox.summary(account="hinoki_bath")["duplicates"] == 0
