"""The calendar by mouse, finger and keyboard; the composer when the connection or a colleague interferes."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from dataclasses import dataclass

import pytest
from playwright.sync_api import CDPSession, Locator, Page, Route, expect

from tests.browser.conftest import NewWindow
from tests.browser.pages import settle
from tests.browser.stage import Installation
from tests.browser.steps import Composer, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.integration]

BRAND = "Nordlicht Outdoor"
ZONE = zoneinfo.ZoneInfo("Europe/Berlin")
CREATOR = "sofia@example.com"


def choose_brand(page: Page) -> None:
    page.get_by_role("button", name="Switch brand").click()
    page.get_by_role("button", name=BRAND).click()
    expect(page.get_by_role("button", name=f"Switch brand: {BRAND}")).to_be_visible()


@pytest.fixture(scope="module")
def page(installation: Installation, window: NewWindow) -> Page:
    """The demo's owner, with the brand in Berlin chosen."""
    opened = window().new_page()
    sign_in(opened, installation.demo.owner, installation.demo.password)
    choose_brand(opened)
    return opened


def month_after_next() -> dt.date:
    """A month in which the demo has planned nothing, always in the future."""
    first = dt.datetime.now(ZONE).date().replace(day=1)
    return (first + dt.timedelta(days=62)).replace(day=1)


def planned(page: Page, text: str, day: dt.date, *, schedule: bool) -> str:
    """A post of its own for one test; its address."""
    composer = Composer.for_new_post(page)
    composer.write(text)
    composer.set_wall_time(day.isoformat(), "10:30")
    address = composer.wait_until_saved()
    if schedule:
        composer.schedule()
        expect(page.get_by_role("heading", name=text)).to_be_visible()
    return address


def open_month(page: Page, day: dt.date, view: str = "month") -> None:
    page.goto(f"/calendar/?view={view}&date={day.isoformat()}")
    expect(page.locator("[data-calendar][aria-busy=false]")).to_be_attached()


def event(page: Page, text: str) -> Locator:
    return page.locator(".cal-event", has_text=text)


def day_of(page: Page, day: dt.date) -> Locator:
    return page.locator(f'[data-calendar] [data-date="{day.isoformat()}"]').first


def drag(page: Page, what: Locator, to: Locator) -> None:
    to.scroll_into_view_if_needed()
    start, end = what.bounding_box(), to.bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 20, start["y"] + 6)
    page.mouse.down()
    page.mouse.move(start["x"] + 40, start["y"] + 30, steps=5)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=15)
    page.mouse.up()


@dataclass(frozen=True, slots=True)
class Finger:
    """One finger on a touch screen, as Chromium's own events of it."""

    page: Page
    session: CDPSession

    @classmethod
    def on(cls, page: Page) -> Finger:
        return cls(page, page.context.new_cdp_session(page))

    def _send(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y} for x, y in points]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def drag(self, start: tuple[float, float], end: tuple[float, float], *, rest_ms: int) -> None:
        """Put it down, let it rest for so long, move it, and lift it."""
        self._send("touchStart", start)
        self.page.wait_for_timeout(rest_ms)
        steps = 12
        for step in range(1, steps + 1):
            x, y = ((a + (b - a) * step / steps) for a, b in zip(start, end, strict=True))
            self._send("touchMove", (x, y))
            self.page.wait_for_timeout(25)
        self.page.wait_for_timeout(200)
        self._send("touchEnd")


def middle(what: Locator) -> tuple[float, float]:
    box = what.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def due_at(installation: Installation, text: str) -> dt.datetime:
    rows = installation.rows(
        "SELECT planned_at FROM content_calendar_post WHERE parts->0->>'text' = %s", [text]
    )
    return rows[0]["planned_at"].astimezone(ZONE)


def test_dragging_a_post_to_another_day_moves_it_and_keeps_its_hour(
    page: Page, installation: Installation
) -> None:
    first = month_after_next()
    planned(page, "Dragged by mouse", first.replace(day=4), schedule=True)
    open_month(page, first)
    drag(page, event(page, "Dragged by mouse"), day_of(page, first.replace(day=12)))
    expect(page.locator("#toasts")).to_contain_text("Moved to")
    assert due_at(installation, "Dragged by mouse") == dt.datetime(
        first.year, first.month, 12, 10, 30, tzinfo=ZONE
    )
    page.reload()
    expect(day_of(page, first.replace(day=12)).locator(".cal-event")).to_contain_text("10:30")


def test_a_move_that_is_refused_snaps_back_and_says_why(
    page: Page, installation: Installation, window: NewWindow
) -> None:
    """The creator saw a draft that could be dragged; meanwhile it was scheduled."""
    first = month_after_next()
    text = "Scheduled while somebody looked"
    address = planned(page, text, first.replace(day=5), schedule=False)
    theirs = window().new_page()
    sign_in(theirs, CREATOR, installation.demo.password)
    open_month(theirs, first)
    expect(event(theirs, text)).to_be_visible()
    page.goto(address)
    page.get_by_role("button", name="Schedule", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("Scheduled for")

    drag(theirs, event(theirs, text), day_of(theirs, first.replace(day=13)))
    expect(theirs.locator("#toasts")).to_contain_text("Only managers can move what is scheduled")
    expect(day_of(theirs, first.replace(day=5)).locator(".cal-event")).to_contain_text("10:30")
    assert due_at(installation, text).day == 5


RESTS_MS = 900  # longer than the calendar's longPressDelay


@pytest.fixture(scope="module")
def tablet(installation: Installation, window: NewWindow) -> Page:
    """The owner with a touch screen, wide enough for the grids."""
    opened = window(viewport={"width": 1024, "height": 1200}, has_touch=True, is_mobile=True).new_page()
    sign_in(opened, installation.demo.owner, installation.demo.password)
    choose_brand(opened)
    return opened


def test_finger_that_rests_on_a_post_drags_it_to_another_day(
    page: Page, tablet: Page, installation: Installation
) -> None:
    first = month_after_next()
    planned(page, "Dragged by finger", first.replace(day=14), schedule=True)
    open_month(tablet, first)
    what, to = event(tablet, "Dragged by finger"), day_of(tablet, first.replace(day=16))
    to.scroll_into_view_if_needed()
    Finger.on(tablet).drag(middle(what), middle(to), rest_ms=RESTS_MS)
    expect(tablet.locator("#toasts")).to_contain_text("Moved to")
    assert due_at(installation, "Dragged by finger") == dt.datetime(
        first.year, first.month, 16, 10, 30, tzinfo=ZONE
    )
    tablet.reload()
    moved = day_of(tablet, first.replace(day=16)).locator(".cal-event", has_text="Dragged by finger")
    expect(moved).to_contain_text("10:30")


def test_finger_drags_a_post_of_the_week_to_another_day_and_hour(
    page: Page, tablet: Page, installation: Installation
) -> None:
    monday = month_after_next() + dt.timedelta(days=(7 - month_after_next().weekday()) % 7)
    planned(page, "Dragged in the week", monday, schedule=True)
    open_month(tablet, monday, view="week")
    what = event(tablet, "Dragged in the week")
    what.scroll_into_view_if_needed()
    column, next_day = day_of(tablet, monday), day_of(tablet, monday + dt.timedelta(days=1))
    x, y = middle(what)
    later = tablet.locator('[data-calendar] [data-time="12:30:00"]').first
    earlier = tablet.locator('[data-calendar] [data-time="10:30:00"]').first
    down = middle(later)[1] - middle(earlier)[1]
    end = (x + middle(next_day)[0] - middle(column)[0], y + down)
    Finger.on(tablet).drag((x, y), end, rest_ms=RESTS_MS)
    expect(tablet.locator("#toasts")).to_contain_text("Moved to")
    moved = due_at(installation, "Dragged in the week")
    assert moved.date() == monday + dt.timedelta(days=1)
    # As far as the finger went, pixels of the grid aside: it did not scroll the grid meanwhile.
    aimed = dt.datetime(moved.year, moved.month, moved.day, 12, 30, tzinfo=ZONE)
    assert abs(moved - aimed) <= dt.timedelta(minutes=10)


def test_finger_that_does_not_rest_scrolls_and_moves_nothing(
    page: Page, tablet: Page, installation: Installation
) -> None:
    first = month_after_next()
    planned(page, "Only scrolled past", first.replace(day=22), schedule=True)
    open_month(tablet, first)
    requests: list[str] = []
    tablet.on("request", lambda request: requests.append(request.method))
    what, to = event(tablet, "Only scrolled past"), day_of(tablet, first.replace(day=8))
    Finger.on(tablet).drag(middle(what), middle(to), rest_ms=50)
    tablet.wait_for_timeout(500)
    assert "POST" not in requests
    stayed = day_of(tablet, first.replace(day=22)).locator(".cal-event", has_text="Only scrolled past")
    expect(stayed).to_contain_text("10:30")
    assert due_at(installation, "Only scrolled past").day == 22


def test_list_moves_by_finger(page: Page, tablet: Page, installation: Installation) -> None:
    first = month_after_next()
    planned(page, "Moved by finger", first.replace(day=23), schedule=True)
    open_month(tablet, first, view="list")
    tablet.get_by_role("button", name="Move “Moved by finger” to another time").tap()
    dialog = tablet.get_by_role("dialog", name="Move to another time")
    dialog.get_by_label("New time").fill(f"{first.replace(day=24).isoformat()}T18:15")
    dialog.get_by_role("button", name="Move", exact=True).tap()
    expect(dialog).to_be_hidden()
    moved = due_at(installation, "Moved by finger")
    assert (moved.day, moved.hour, moved.minute) == (24, 18, 15)


def test_list_moves_by_keyboard_and_explains_what_cannot_be(page: Page, installation: Installation) -> None:
    first = month_after_next()
    planned(page, "Moved by keyboard", first.replace(day=6), schedule=True)
    open_month(page, first, view="list")
    page.get_by_role("button", name="Move “Moved by keyboard” to another time").press("Enter")
    dialog = page.get_by_role("dialog", name="Move to another time")
    field = dialog.get_by_label("New time")
    expect(field).to_have_value(f"{first.replace(day=6).isoformat()}T10:30")
    field.fill("2020-01-01T10:00")
    dialog.get_by_role("button", name="Move", exact=True).press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("This time is over")
    field.fill(f"{first.replace(day=8).isoformat()}T18:15")
    dialog.get_by_role("button", name="Move", exact=True).press("Enter")
    expect(dialog).to_be_hidden()
    moved = due_at(installation, "Moved by keyboard")
    assert (moved.day, moved.hour, moved.minute) == (8, 18, 15)


def test_calendar_without_scripts_offers_the_list_and_its_move(
    installation: Installation, page: Page, window: NewWindow
) -> None:
    first = month_after_next()
    planned(page, "Moved without scripts", first.replace(day=7), schedule=True)
    plain = window(java_script_enabled=False).new_page()
    plain.goto("/user/login/")
    plain.get_by_label("Email").fill(installation.demo.owner)
    plain.get_by_label("Password", exact=True).fill(installation.demo.password)
    plain.locator("main").get_by_role("button", name="Sign in").click()
    plain.goto("/calendar/")
    plain.get_by_role("link", name="Show the scheduled posts as a list").click()
    plain.get_by_role("searchbox").fill("Moved without scripts")
    plain.get_by_role("button", name="Show").click()
    plain.get_by_role("link", name=re.compile("^Move *:")).click()
    plain.get_by_label("New time").fill(f"{first.replace(day=9).isoformat()}T08:00")
    plain.get_by_role("button", name="Move").click()
    expect(plain.get_by_role("heading", name="Moved without scripts")).to_be_visible()
    assert due_at(installation, "Moved without scripts").day == 9


def test_filters_stand_in_the_address(page: Page) -> None:
    open_month(page, month_after_next())
    page.locator("select[name=state]").select_option("draft")
    expect(page).to_have_url(re.compile("state=draft"))
    page.reload()
    expect(page.locator("select[name=state]")).to_have_value("draft")


def test_phone_begins_with_the_list(installation: Installation, window: NewWindow) -> None:
    phone = window(viewport={"width": 390, "height": 844}).new_page()
    sign_in(phone, installation.demo.owner, installation.demo.password)
    phone.goto("/calendar/")
    expect(phone.locator('[data-calendar-view="list"]')).to_have_attribute("aria-pressed", "true")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


# --- nothing that was written is lost ---------------------------------------------------------


def test_words_written_without_a_connection_are_kept_and_saved_when_it_is_back(
    page: Page, installation: Installation
) -> None:
    composer = Composer.for_new_post(page)
    page.context.set_offline(True)
    composer.write("Written in a tunnel")
    expect(composer.saved).to_contain_text("Not saved")
    page.context.set_offline(False)
    composer.wait_until_saved()
    assert installation.rows(
        "SELECT 1 FROM content_calendar_post WHERE parts->0->>'text' = 'Written in a tunnel'"
    )


def test_what_was_changed_and_changed_back_is_not_called_unsaved(page: Page) -> None:
    composer = Composer.for_new_post(page)
    composer.write("There and back")
    composer.wait_until_saved()
    # Within the pause before a draft is sent: there is nothing to send afterwards.
    composer.write("There and back again")
    expect(composer.saved).to_have_text(re.compile("^Not saved yet"))
    composer.write("There and back")
    composer.wait_until_saved()
    page.goto("/calendar/posts/")  # and nothing asks whether to leave
    expect(page.locator("main")).to_contain_text("There and back")


def test_what_is_written_while_a_draft_is_on_its_way_is_not_called_saved(page: Page) -> None:
    composer = Composer.for_new_post(page)
    composer.saved.evaluate(
        """(status) => {
          window.told = [];
          const note = () => window.told.push(status.dataset.state);
          new MutationObserver(note).observe(status, {attributes: true});
        }"""
    )
    held: list[Route] = []
    page.route("**/save/", lambda route: route.continue_() if held else held.append(route))
    composer.write("First words")
    expect(composer.saved).to_have_text("Saving …")
    composer.write("First words and more")
    held[0].continue_()
    composer.wait_until_saved()
    assert page.evaluate("window.told.filter((state) => state === 'saved').length") == 1
    page.reload()
    expect(composer.text()).to_have_value("First words and more")


def test_thread_that_never_reached_the_server_is_offered_on_the_next_new_page(page: Page) -> None:
    page.route("**/save/", lambda route: route.abort())
    composer = Composer.for_new_post(page)
    composer.write("First words")
    composer.add_part()
    composer.write("Lost in the crash", part=1)
    expect(composer.saved).to_contain_text("Not saved")
    page.once("dialog", lambda dialog: dialog.accept())  # "leave without saving?"
    again = Composer.for_new_post(page)
    page.unroute("**/save/")
    page.get_by_role("button", name="Bring it back").click()
    expect(again.text(1)).to_have_value("Lost in the crash")
    expect(again.text(0)).to_have_value("First words")
    again.wait_until_saved()
    Composer.for_new_post(page)
    expect(page.locator("[data-autosave-offer]")).to_be_hidden()


def test_two_people_on_one_draft_lose_nothing(
    page: Page, installation: Installation, window: NewWindow
) -> None:
    composer = Composer.for_new_post(page)
    composer.write("Begun by the owner")
    address = composer.wait_until_saved()

    theirs = window().new_page()
    sign_in(theirs, CREATOR, installation.demo.password)
    theirs.goto(f"{address}edit/")
    other = Composer(theirs)
    other.write("Finished by the creator")
    other.wait_until_saved()

    composer.write("Finished by the owner")
    expect(page.get_by_text("This page can no longer save")).to_be_visible()
    page.get_by_role("button", name="Keep mine as a copy").locator("visible=true").click()
    expect(page.locator("#toasts")).to_contain_text("Your version is kept")
    expect(composer.text()).to_have_value("Finished by the owner")
    saved = installation.rows(
        "SELECT parts->0->>'text' AS text FROM content_calendar_post"
        " WHERE parts->0->>'text' LIKE 'Finished by%%'"
    )
    assert {row["text"] for row in saved} == {"Finished by the creator", "Finished by the owner"}


def test_scheduled_post_changes_only_by_its_button(page: Page, installation: Installation) -> None:
    first = month_after_next()
    address = planned(page, "As it was", first.replace(day=20), schedule=True)
    page.goto(f"{address}edit/")
    composer = Composer(page)
    composer.write("As it should be")
    expect(composer.saved).to_contain_text("the schedule still has the old version")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("heading", name="As it should be")).to_be_visible()
    expect(page.locator("#toasts")).to_contain_text("Scheduled for")


def test_parts_and_versions_keep_their_words_through_every_change(page: Page) -> None:
    composer = Composer.for_new_post(page)
    composer.write("one")
    composer.add_part()
    composer.write("two", part=1)
    page.get_by_role("button", name="Move part 2 up").locator("visible=true").click()
    expect(composer.text(0)).to_have_value("two")
    expect(composer.text(1)).to_have_value("one")
    page.get_by_role("button", name="Remove part 1").locator("visible=true").click()
    page.locator("#confirm-dialog").get_by_role("button", name="Remove").click()
    expect(composer.panel.locator("textarea.part-text")).to_have_count(1)
    expect(composer.text()).to_have_value("one")
    composer.wait_until_saved()
    page.reload()
    expect(composer.text()).to_have_value("one")


def test_account_that_is_ticked_by_keyboard_keeps_the_focus(page: Page) -> None:
    composer = Composer.for_new_post(page)
    composer.write("Words for everybody")
    box = page.locator("input[name=account]").first
    box.focus()
    with page.expect_response("**/change/"):
        page.keyboard.press("Space")
    settle(page)
    page.wait_for_timeout(200)  # htmx gives the focus away only after its settling time
    expect(box).to_be_focused()
