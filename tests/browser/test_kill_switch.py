"""Everything is stopped, something falls due, and whoever resumes says what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewWindow
from tests.browser.stage import Installation
from tests.browser.steps import Composer, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.integration]

TEXT = "Written while everything stands still"


@pytest.fixture
def page(installation: Installation, window: NewWindow) -> Iterator[Page]:
    """The demo's owner. Whatever happens, the installation sends again afterwards: others use it, too."""
    opened = window().new_page()
    sign_in(opened, installation.demo.owner, installation.demo.password)
    yield opened
    opened.goto("/settings/sending/")
    if opened.get_by_role("link", name="Resume sending").count():
        opened.get_by_role("link", name="Resume sending").click()
        opened.get_by_role("button", name="Resume sending").click()


def test_pause_everything_resume_and_decide(page: Page) -> None:
    page.goto("/settings/sending/")
    page.get_by_label("Reason").fill("A fire in the warehouse")
    page.get_by_role("button", name="Pause everything").click()
    page.locator("#confirm-dialog").get_by_role("button", name="Pause everything").click()
    expect(page.get_by_text("All sending of the organization is paused.")).to_be_visible()

    composer = Composer.for_new_post(page)
    composer.write(TEXT)
    composer.wait_until_saved()
    composer.publish()
    expect(page.get_by_role("heading", name=TEXT)).to_be_visible()
    post = page.url
    expect(page.locator(".post-variants").get_by_text("Sending is paused").first).to_be_visible()

    page.goto("/")
    page.locator("li", has_text="Sending is paused for").get_by_role("link", name="Resume").click()
    expect(page.get_by_text("A fire in the warehouse")).to_be_visible()
    expect(page.get_by_text(TEXT).first).to_be_visible()
    page.get_by_role("button", name="Resume sending").click()

    expect(page.get_by_role("heading", name="Overdue posts")).to_be_visible()
    rows = page.locator(".overdue-row", has_text=TEXT)
    expect(rows).to_have_count(2)  # one for each account
    page.get_by_role("button", name="Show the times").click()
    expect(page.get_by_role("button", name="Use these times")).to_be_visible()
    expect(rows.first.locator(".overdue-new time")).to_be_visible()

    rows.first.get_by_role("button", name="Skip").click()
    expect(rows).to_have_count(1)
    rows.first.get_by_role("button", name="Send now").click()
    expect(rows).to_have_count(0)

    page.goto(post)
    states = page.locator(".post-variants .card-header .state")
    expect(states.filter(has_text=re.compile("^Sent$"))).to_have_count(1)
    expect(states.filter(has_text=re.compile("^Missed$"))).to_have_count(1)
