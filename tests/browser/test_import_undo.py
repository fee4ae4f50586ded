"""A plan in a spreadsheet becomes posts in the calendar, and is taken back as a whole."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewWindow
from tests.browser.stage import Installation
from tests.browser.steps import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.integration]

FIRST, SECOND, BROKEN = (
    "冬の新しいブレンド、はじめました",
    "年末年始の営業時間のお知らせ",
    "時刻を書きまちがえた行",
)


@pytest.fixture
def page(installation: Installation, window: NewWindow) -> Page:
    opened = window().new_page()
    sign_in(opened, installation.demo.owner, installation.demo.password)
    return opened


@pytest.fixture
def day() -> dt.date:
    """A day of next month, which is looked at alone: no other test plans anything there."""
    return (dt.datetime.now(dt.UTC).date().replace(day=1) + dt.timedelta(days=62)).replace(day=15)


@pytest.fixture
def plan(tmp_path: Path, day: dt.date) -> Path:
    """As a Japanese Excel writes it."""
    lines = [
        "日付,時刻,本文,アカウント,状態",
        f"{day:%Y/%m/%d},9:30,{FIRST},すべて,予約",
        f"{day:%Y/%m/%d},25:99,{BROKEN},すべて,予約",
        f"{day:%Y/%m/%d},午後3時,{SECOND},すべて,予約",
    ]
    file = tmp_path / "投稿計画.csv"
    file.write_bytes("\r\n".join(lines).encode("cp932"))
    return file


def test_import_from_shift_jis_and_undo(page: Page, plan: Path, day: dt.date) -> None:
    page.goto("/calendar/posts/")
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_role("link", name="Import posts").click()
    page.get_by_label("Brand", exact=True).select_option(label="Nordlicht Outdoor")
    page.get_by_label("CSV or Excel file").set_input_files(plan)
    page.get_by_role("button", name="Check the file").click()

    # Every row's verdict, and nothing is made.
    expect(page.get_by_text("Read as Shift JIS.")).to_be_visible()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text(FIRST)
    expect(rows.nth(0)).to_contain_text("To be scheduled")
    expect(rows.nth(1)).to_contain_text("Refused")
    expect(rows.nth(1)).to_contain_text("This is not a time of the day. Write it as 15:30.")
    page.get_by_role("link", name=re.compile("^Refused")).click()
    expect(rows).to_have_count(1)
    batch = page.url.partition("?")[0]
    page.goto(f"/calendar/posts/?q={FIRST}")
    expect(page.get_by_text("No post matches")).to_be_visible()

    page.goto(batch)
    page.get_by_role("button", name="Import 2 rows, leave out the refused ones").click()
    expect(page.get_by_role("button", name="Undo the import")).to_be_visible()
    expect(page.locator(".numbers")).to_contain_text(re.compile(r"Scheduled\s*2"))
    page.goto(f"/calendar/?view=list&date={day}")
    expect(page.locator("[data-calendar]").get_by_text(FIRST)).to_be_visible()
    expect(page.locator("[data-calendar]").get_by_text(SECOND)).to_be_visible()

    page.goto(batch)
    page.get_by_role("button", name="Undo the import").click()
    page.locator("#confirm-dialog").get_by_role("button", name="Undo the import").click()
    expect(rows.first).to_contain_text("Taken back")
    page.goto(f"/calendar/?view=list&date={day}")
    expect(page.locator("[data-calendar]")).to_have_attribute("aria-busy", "false")
    expect(page.locator("[data-calendar]").get_by_text(FIRST)).to_have_count(0)
    page.goto(f"/calendar/posts/?q={SECOND}")
    expect(page.get_by_text("No post matches")).to_be_visible()
