"""Slots and an evergreen pool are set up; what goes out stands in the calendar, never two alike in a row."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewWindow
from tests.browser.stage import Installation
from tests.browser.steps import Composer, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.integration]

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FIRST = ("Wax the zips of your jacket once a year.", "A little wax keeps zips running for a year.")
SECOND = "Store the tent dry and loosely packed."
ACCOUNT = "nordlicht_workshop"


@pytest.fixture
def page(installation: Installation, window: NewWindow) -> Iterator[Page]:
    opened = window().new_page()
    sign_in(opened, installation.demo.owner, installation.demo.password)
    yield opened
    # Free slots would stand in the calendars of other tests.
    installation.rows("DELETE FROM content_calendar_slot WHERE wall_time = '21:40'")


def test_slots_and_a_pool_fill_the_calendar(page: Page) -> None:
    # --- slots of the week, and a draft that takes the next free one ---
    page.goto("/calendar/queues/")
    page.get_by_role("link", name=re.compile(f"Set up slots.*{ACCOUNT}")).click()
    for day in DAYS:
        page.get_by_label(day, exact=True).check()
    page.get_by_label("Time").fill("21:40")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".week-slot")).to_have_count(7)
    expect(page.locator(".moments li")).to_have_count(8)

    page.locator(".moments a").first.click()
    composer = Composer(page)
    composer.write("Straight from a free slot")
    composer.wait_until_saved()
    wanted = page.get_by_label("Date").input_value()
    page.get_by_role("button", name="Next free slot").click()
    expect(page.get_by_text("The next free slot:").first).to_be_visible()
    # It went on from the slot that was chosen first, to that of the day after.
    expect(page.get_by_label("Date")).not_to_have_value(wanted)
    expect(page.get_by_label("Time", exact=True)).to_have_value("21:40")

    # --- a pool that posts each day ---
    page.goto("/calendar/evergreen/new/")
    page.get_by_label("Name").fill("Care of gear")
    page.get_by_label(f"@{ACCOUNT}").check()
    for day in DAYS:
        page.get_by_label(day, exact=True).fill("06:10")
    page.get_by_label("Cool-down in days").fill("2")
    page.get_by_role("button", name="Set up pool").click()
    expect(page.get_by_text("The pool has no entries yet.").first).to_be_visible()

    page.get_by_role("link", name="Add entry").click()
    page.get_by_label("Text", exact=True).fill(FIRST[0])
    page.get_by_label(re.compile("^Variation 2")).fill(FIRST[1])
    page.get_by_role("button", name="Add entry").click()
    expect(page.get_by_text("A pool needs at least two entries.").first).to_be_visible()
    page.get_by_role("link", name="Add entry").click()
    page.get_by_label("Text", exact=True).fill(SECOND)
    page.get_by_role("button", name="Add entry").click()

    coming = page.get_by_role("region", name="The coming 14 days")
    rows = coming.locator("li", has=page.locator(".state", has_text="Scheduled"))
    expect(rows).to_have_count(14)
    said = [row.locator(".row-text a").inner_text() for row in rows.all()]
    assert said == [FIRST[0], SECOND, FIRST[1], SECOND] * 3 + [FIRST[0], SECOND]
    for one, other in itertools.pairwise(said):
        assert one != other

    # --- filling again makes nothing more ---
    page.get_by_role("button", name="Fill now").click()
    expect(page.get_by_text("There was nothing to fill.").first).to_be_visible()
    expect(rows).to_have_count(14)
    pool = page.url

    # --- the calendar ---
    page.goto("/calendar/?view=list")
    page.locator("select[name=brand]").select_option(label="Nordlicht Outdoor")  # slots are of one brand
    events = page.locator(".cal-row", has_text=SECOND)
    expect(events).to_have_count(7)
    free = page.locator(".cal-slot", has_text="21:40")
    expect(free.first).to_be_visible()
    page.get_by_label("Hide free slots").check()
    expect(page.locator(".cal-slot")).to_have_count(0)

    # --- and back: a pause takes along what nobody touched ---
    page.goto(pool)
    page.get_by_role("button", name="Pause pool").click()
    page.locator("#confirm-dialog").get_by_role("button", name="Pause pool").click()
    expect(page.get_by_text("14 coming posts were put away").first).to_be_visible()
    page.goto("/calendar/?view=list")
    expect(page.locator(".cal-row").first).to_be_visible()
    expect(page.locator(".cal-row", has_text=SECOND)).to_have_count(0)
