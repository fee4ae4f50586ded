"""The product's main job, by hand in a browser, against servers that remember what they received."""

from __future__ import annotations

import datetime as dt
import io
import re
import zoneinfo
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewWindow
from tests.browser.stage import Installation
from tests.browser.steps import (
    Composer,
    connect_bluesky,
    connect_mastodon,
    connect_sandbox,
    sign_up,
    variant,
)
from tests.processes import wait_for
from tests.support import unavailable

pytestmark = [pytest.mark.browser, pytest.mark.integration]

ZONE = "Asia/Tokyo"
BRAND = "Kaede Coffee"
TEXT = "The first roast of the week is ready. https://shop.invalid/roast #coffee"
# Characters of two, three and four bytes stand before what facets point at.
SKEET = "Röstfrisch für @bob.test 👩‍🍳 heute ☕ https://shop.invalid/röstung #kaffee"
ALT = "Beans in a wooden scoop"
THREAD = ("Three things we learnt this year.", "The first: patience pays.")
LATEST_S = 10.0  # how late a post may be on a machine that does other things, too
PUBLISH_TIMEOUT_MS = 120_000


def picture() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((640, 480)).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def wait_until_seen(page: Page) -> None:
    """The page follows by itself what the worker does."""
    for network in ("Bluesky", "Sandbox", "Mastodon"):
        receipt = variant(page, network).locator(".steps-line")
        expect(receipt).to_contain_text("Seen live", timeout=PUBLISH_TIMEOUT_MS)


def receipt_times(page: Page, network: str) -> dict[str, dt.datetime]:
    """The lines of a receipt and their instants, to the second."""
    found = {}
    for line in variant(page, network).locator(".steps-line li").all():
        label = line.locator("span").nth(1).inner_text()
        at = line.locator("time").last.get_attribute("datetime")
        assert at
        found[label.split(" · ")[0]] = dt.datetime.fromisoformat(at)
    return found


def facets(record: dict[str, Any]) -> dict[str, str]:
    """What each facet of a record points at, cut out of the text by the bytes that it names."""
    raw = record["text"].encode()
    return {
        raw[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode(): next(
            str(feature.get("uri") or feature.get("tag") or feature.get("did"))
            for feature in facet["features"]
        )
        for facet in record["facets"]
    }


def on_timeline(stage: Installation, post_id: str) -> dict[str, Any]:
    """A post of the sandbox as everybody sees it."""
    found: dict[str, Any] = stage.sandbox.call("GET", f"/api/v1/posts/{post_id}")
    return found


def number(page: Page, label: str) -> int:
    """The figure under ``label`` in the numbers that are shown."""
    cell = page.locator("dl.numbers > div", has=page.locator("dt", has_text=re.compile(f"^{label}$"))).first
    return int(re.sub(r"\D", "", cell.locator("dd").inner_text().splitlines()[0]))


def test_a_post_is_planned_published_once_and_on_time_and_counted(
    installation: Installation, window: NewWindow, tmp_path: Path
) -> None:
    stage = installation
    if stage.bluesky is None:
        unavailable(f"no Bluesky network: {stage.bluesky_missing}")
    page = window().new_page()
    handle = "kaede_coffee"
    try:
        tell_the_story(page, stage, handle)
    except Exception as error:
        page.screenshot(path=tmp_path / "where-it-stood.png", full_page=True)
        error.add_note(f"{page.url}, see {tmp_path / 'where-it-stood.png'}\n{stage.running.logs()[-4000:]}")
        raise


def tell_the_story(page: Page, stage: Installation, handle: str) -> None:
    bluesky, sandbox, mastodon = stage.bluesky, stage.sandbox, stage.mastodon
    assert bluesky is not None

    # An organization, a brand, three accounts.
    sign_up(
        page,
        email="kaede@example.com",
        name="Kaede Aoki",
        organization="Kaede Foods",
        brand=BRAND,
        zone=ZONE,
    )
    connect_bluesky(page, stage, bluesky.alice, BRAND)
    connect_sandbox(page, stage, handle, BRAND)
    connect_mastodon(page, stage, BRAND)

    # A thread, published at once on all of them.
    composer = Composer.for_new_post(page)
    composer.write(THREAD[0])
    composer.add_part()
    composer.write(THREAD[1], part=1)
    composer.wait_until_saved()
    composer.publish()
    expect(page.locator("#toasts")).to_contain_text("On its way to the networks.")
    thread_url = page.url

    # A post with words of its own for Bluesky, and a picture, a few seconds ahead in the brand's zone.
    composer = Composer.for_new_post(page)
    composer.write(TEXT)
    composer.add_image("beans.jpg", picture(), "image/jpeg")
    composer.tiles.get_by_label("Alternative text").fill(ALT)
    composer.write_own_version(bluesky.alice.handle, SKEET)
    expect(composer.tiles.get_by_label("Alternative text")).to_have_value(ALT)
    expect(composer.fits.get_by_label("Fits")).to_have_count(3)
    composer.wait_until_saved()
    due = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=8)
    composer.set_time(due, ZONE)
    composer.schedule()
    expect(page.locator("#toasts")).to_contain_text("Scheduled for")
    post_url = page.url
    wait_until_seen(page)

    # The receipt says when it was due and when it happened; the link leads to the post.
    for network in ("Bluesky", "Sandbox", "Mastodon"):
        times = receipt_times(page, network)
        assert times["Due"] == due
        late_s = (times["Published"] - due).total_seconds()
        assert 0 <= late_s <= LATEST_S, f"{network}: {late_s} s late"
        assert times["Sending started"] <= times["Published"] <= times["Seen live"]
    link = variant(page, "Sandbox").get_by_role("link", name="Open", exact=True).get_attribute("href")
    assert link
    with page.context.expect_page() as opened:
        variant(page, "Sandbox").get_by_role("link", name="Open", exact=True).click()
    expect(opened.value.locator("body")).to_contain_text("The first roast of the week is ready.")
    expect(opened.value.get_by_alt_text(ALT)).to_be_visible()
    opened.value.close()
    page.goto(thread_url)
    wait_until_seen(page)

    # The servers have each post once, as it was written.
    records = [record["value"] for record in reversed(bluesky.posts(bluesky.alice))]
    assert [record["text"] for record in records] == [*THREAD, SKEET]
    uris = [record["uri"] for record in reversed(bluesky.posts(bluesky.alice))]
    assert records[1]["reply"]["root"]["uri"] == records[1]["reply"]["parent"]["uri"] == uris[0]
    assert facets(records[2]) == {
        "@bob.test": bluesky.bob.did,
        "https://shop.invalid/röstung": "https://shop.invalid/röstung",
        "#kaffee": "kaffee",
    }
    (image,) = records[2]["embed"]["images"]
    assert image["alt"] == ALT
    assert image["aspectRatio"] == {"width": 640, "height": 480}

    stored = sandbox.posts(account=handle)
    assert [one["text"] for one in stored] == [*THREAD, TEXT]
    assert [one["alt_text"] for one in on_timeline(stage, stored[2]["id"])["media"]] == [ALT]
    assert sandbox.summary(account=handle)["same_text"] == 0

    statuses = [status["sent"]["status"] for status in mastodon.statuses]
    assert statuses == [*THREAD, TEXT]
    assert mastodon.statuses[1]["in_reply_to_id"] == mastodon.statuses[0]["id"]
    assert [one["description"] for one in mastodon.statuses[2]["media_attachments"]] == [ALT]
    assert len(set(mastodon.keys_seen())) == 3

    # The calendar shows it on its day of the brand's zone, and leads to it.
    page.goto(f"/calendar/?view=list&date={due.astimezone(zoneinfo.ZoneInfo(ZONE)).date()}")
    event = page.locator("[data-calendar]").get_by_role("link", name=re.compile("The first roast"))
    expect(event.first).to_be_visible()
    event.first.click()
    page.wait_for_url(f"**{urlsplit(post_url).path}")

    # Customers react; the next count shows it, with the time it was taken.
    post_id = str(stored[2]["id"])
    for name in ("Mio", "Ren", "Sora"):
        sandbox.act("like", by=name, post=post_id)
    sandbox.act("comment", by="Mio", post=post_id, text="Good morning!")
    account = page.url
    collect_now(stage)
    page.goto(account)
    numbers = page.locator("#post-numbers article", has_text=handle)
    expect(numbers).to_contain_text(re.compile("Taken .*[0-9]"))
    shown = {
        cell.locator("dt").inner_text(): cell.locator("dd").inner_text()
        for cell in numbers.locator("dl.numbers > div").all()
    }
    counted = sandbox.post_history(post_id, [dt.datetime.now(dt.UTC)])[0]
    assert 3 <= int(re.sub(r"\D", "", shown["Likes"])) <= counted["likes"]
    assert 1 <= int(re.sub(r"\D", "", shown["Comments"])) <= counted["comments"]

    # The page of the account shows its followers.
    page.goto("/accounts/")
    page.get_by_role("link", name=handle).first.click()
    expect(page.locator("#account-numbers")).to_contain_text("Followers")
    history = [day["followers"] for day in sandbox.account_history(handle, days=1)]
    assert history[0] <= number(page, "Followers") <= history[-1]


UNCOUNTED = """
    SELECT d.id FROM outbox_delivery d JOIN accounts_socialaccount a ON a.id = d.account_id
    JOIN accounts_brand b ON b.id = a.brand_id LEFT JOIN analytics_postmetrics m ON m.delivery_id = d.id
    WHERE b.name = 'Kaede Coffee' AND a.platform = 'sandbox' AND m.taken_at IS NULL
"""
FOLLOWED = f"{UNCOUNTED} AND m.delivery_id IS NOT NULL"


def collect_now(stage: Installation) -> None:
    """A first count a minute after sending is a minute too long to wait: make it due, and call the task."""
    wait_for("beat found the posts", lambda: len(stage.rows(FOLLOWED)) == 2, timeout_s=60)
    stage.rows("UPDATE analytics_postmetrics SET next_pull_at = now() WHERE taken_at IS NULL")
    stage.rows("UPDATE analytics_accountpull SET next_at = now()")
    stage.call_task("analytics.tasks.collect")
    wait_for("every post is counted", lambda: stage.rows(UNCOUNTED) == [], timeout_s=60)
