"""Many posts at once in the browser: moved by a day with a preview and back, words replaced, a note."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewWindow
from tests.browser.stage import Installation
from tests.browser.steps import sign_in
from tests.browser.test_calendar import (
    choose_brand,
    day_of,
    drag,
    due_at,
    event,
    month_after_next,
    open_month,
    planned,
)

pytestmark = [pytest.mark.browser, pytest.mark.integration]

FIRST, SECOND = "First of many", "Second of many"


@pytest.fixture(scope="module")
def page(installation: Installation, window: NewWindow) -> Iterator[Page]:
    """The demo's owner, with two posts of a month in which nothing else is planned."""
    opened = window().new_page()
    sign_in(opened, installation.demo.owner, installation.demo.password)
    choose_brand(opened)
    for number, text in enumerate((FIRST, SECOND)):
        planned(opened, text, month_after_next().replace(day=16 + number), schedule=number == 0)
    yield opened
    # Whoever comes back to this module later starts from nothing.
    installation.rows(
        "UPDATE content_calendar_post SET deleted_at = now() WHERE parts->0->>'text' = ANY(%s)",
        [[FIRST, SECOND]],
    )
    installation.rows("DELETE FROM content_calendar_calendarnote WHERE text = 'Trade fair in the halls'")


def days(installation: Installation) -> list[int]:
    return [due_at(installation, text).day for text in (FIRST, SECOND)]


def pick_both(page: Page) -> None:
    open_month(page, month_after_next())
    page.get_by_role("button", name="Select").click()
    event(page, FIRST).click()
    other = event(page, SECOND)
    other.locator("xpath=ancestor-or-self::a[1]").focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-bulk-count]")).to_have_text("2 chosen")


def test_chosen_on_the_calendar_moved_by_a_day_and_back(page: Page, installation: Installation) -> None:
    pick_both(page)
    page.locator("[data-bulk-bar]").get_by_role("button", name="Move").click()
    page.get_by_label("Days later").fill("1")
    page.get_by_role("button", name="Show what changes").click()
    expect(page.locator(".bulk-rows > li")).to_have_count(2)
    assert days(installation) == [16, 17]
    page.get_by_role("button", name="Move 2 posts").click()
    expect(page.get_by_role("status").filter(has_text="2 posts were moved")).to_be_visible()
    expect(page).to_have_url(re.compile("view=month"))
    assert days(installation) == [17, 18]
    expect(
        day_of(page, month_after_next().replace(day=17)).locator(".cal-event:not(.cal-slot)")
    ).to_contain_text("10:30")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("Taken back")
    assert days(installation) == [16, 17]


def test_words_are_found_and_replaced_from_the_list(page: Page, installation: Installation) -> None:
    page.goto("/calendar/posts/?q=of+many")
    boxes = page.locator("[data-bulk-check]")
    expect(boxes).to_have_count(2)
    boxes.first.check()
    boxes.last.click(modifiers=["Shift"])
    page.locator("[data-bulk-bar]").get_by_role("button", name="Find and replace").click()
    page.get_by_label("Find", exact=True).fill("OF MANY")
    page.get_by_label("Replace with").fill("of few")
    page.get_by_role("button", name="Show what changes").click()
    expect(page.locator("del")).to_have_text(["of many", "of many"])
    page.get_by_role("button", name="Replace words in 2 posts").click()
    expect(page.get_by_role("status").filter(has_text="Words were replaced in 2 posts")).to_be_visible()
    sent = installation.rows(
        "SELECT d.payload->'parts'->0->>'text' AS text FROM outbox_delivery d WHERE d.state = 'scheduled'"
        " AND d.payload->'parts'->0->>'text' LIKE 'First of%%'"
    )
    assert {row["text"] for row in sent} == {"First of few"}
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("Taken back")
    assert days(installation) == [16, 17]


def test_a_drag_is_undone_from_its_news(page: Page, installation: Installation) -> None:
    first = month_after_next()
    open_month(page, first)
    drag(page, event(page, FIRST), day_of(page, first.replace(day=23)))
    news = page.locator("#toasts [data-toast]").filter(has_text="Moved to")
    expect(news).to_be_visible()
    assert due_at(installation, FIRST).day == 23
    news.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("Taken back")
    expect(day_of(page, first.replace(day=16)).locator(".cal-event", has_text=FIRST)).to_be_visible()
    assert due_at(installation, FIRST).day == 16


def test_a_note_is_put_on_the_calendar_changed_and_taken_off(page: Page) -> None:
    first = month_after_next()
    open_month(page, first)
    page.get_by_role("link", name="Add note").click()
    dialog = page.get_by_role("dialog", name="New note")
    dialog.get_by_label("Note", exact=True).fill("Trade fair")
    dialog.get_by_label("First day").fill(first.replace(day=10).isoformat())
    dialog.get_by_label("Last day").fill(first.replace(day=12).isoformat())
    dialog.get_by_role("button", name="Put on the calendar").click()
    expect(page).to_have_url(re.compile(f"date={first.isoformat()}"))
    page.get_by_role("link", name="Trade fair").first.click()
    dialog = page.get_by_role("dialog", name="Change note")
    expect(dialog.get_by_label("First day")).to_have_value(first.replace(day=10).isoformat())
    dialog.get_by_label("Note", exact=True).fill("Trade fair in the halls")
    dialog.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Trade fair in the halls").first.click()
    page.get_by_role("dialog", name="Change note").get_by_role("button", name="Delete").click()
    expect(page.locator("#toasts")).to_contain_text("The note is gone")
    expect(page.get_by_role("link", name="Trade fair in the halls")).to_have_count(0)
