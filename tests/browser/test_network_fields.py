"""What a network asks besides the words: chosen in the composer, read anew, kept, and seen on the network."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewWindow
from tests.browser.stage import Installation
from tests.browser.steps import Composer, connect_sandbox, sign_up

pytestmark = [pytest.mark.browser, pytest.mark.integration]

HANDLE = "filed_shop"
BRAND = "Filed Shop"
WORDS = "We mended forty zips this week."


@pytest.fixture
def page(installation: Installation, window: NewWindow) -> Page:
    installation.sandbox.account(HANDLE, name=BRAND, topics="News,Tips")
    opened = window().new_page()
    sign_up(
        opened,
        email="filed@example.com",
        name="Filed",
        organization=BRAND,
        brand=BRAND,
        zone="Europe/Berlin",
        currency="EUR",
    )
    connect_sandbox(opened, installation, HANDLE, BRAND)
    return opened


def test_a_topic_goes_from_the_page_to_the_network(page: Page, installation: Installation) -> None:
    composer = Composer.for_new_post(page)
    asked = page.get_by_role("group", name=re.compile("Details for Sandbox"))
    topic = asked.get_by_label("Topic")
    expect(topic).to_have_value("")
    expect(topic.locator("option")).to_have_text(["Choose…", "News", "Tips"])
    composer.write(WORDS)
    topic.select_option("Tips")
    # The preview says it as soon as it is chosen.
    expect(page.locator("#checked .preview-said")).to_contain_text("Tips")
    composer.wait_until_saved()
    page.reload()
    expect(topic).to_have_value("Tips")

    # The account got another topic meanwhile, and lost the one that was chosen.
    installation.sandbox.configure(HANDLE, topics="News,Events")
    asked.get_by_role("button", name="Reload").click()
    expect(topic.locator("option")).to_have_text(["Choose…", "News", "Events", "Tips (no longer there)"])
    expect(composer.text()).to_have_value(WORDS)
    expect(composer.fits).to_contain_text("what was chosen as “Topic” is no longer there")
    expect(asked.locator(".field-error")).to_contain_text("no longer there")
    topic.select_option("Events")
    expect(asked.locator(".field-error")).to_have_count(0)

    # Taken off and put back on, the account has its answer still.
    account = page.get_by_role("checkbox", name=re.compile(HANDLE))
    account.uncheck()
    expect(asked).to_be_hidden()
    account.check()
    expect(topic).to_have_value("Events")
    composer.wait_until_saved()
    composer.publish()

    expect(page.locator(".preview-said")).to_contain_text("Events")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open", exact=True).first.click(timeout=30_000)
    expect(opened.value.locator(".topic").first).to_have_text("Events")
