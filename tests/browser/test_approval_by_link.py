"""A creator submits, a link goes to the client, who approves without an account: the post is scheduled."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewWindow
from tests.browser.stage import Installation
from tests.browser.steps import Composer, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.integration]

BRAND, ZONE = "Nordlicht Outdoor", "Europe/Berlin"
CREATOR = "sofia@example.com"
TEXT = "Written for a client who looks at everything first"
CLIENT = "Ms Lindqvist"


def set_rule(page: Page, rule: str) -> None:
    page.goto("/calendar/approval/rules/")
    page.get_by_role("link", name=BRAND, exact=True).click()
    page.get_by_role("radio", name=re.compile(f"^{rule}")).check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("Saved.")


@pytest.fixture
def owner(installation: Installation, window: NewWindow) -> Iterator[Page]:
    """The demo's owner, whose brand asks its client. Afterwards it asks nobody again: others use it, too."""
    opened = window().new_page()
    sign_in(opened, installation.demo.owner, installation.demo.password)
    set_rule(opened, "Client")
    yield opened
    set_rule(opened, "None")


def test_a_client_approves_by_a_link_that_is_revoked_afterwards(
    owner: Page, installation: Installation, window: NewWindow
) -> None:
    writer = window().new_page()
    sign_in(writer, CREATOR, installation.demo.password)
    composer = Composer.for_new_post(writer)
    composer.write(TEXT)
    composer.set_time(dt.datetime.now(dt.UTC) + dt.timedelta(days=3), ZONE)
    composer.wait_until_saved()
    expect(writer.get_by_role("button", name="Schedule", exact=True)).to_have_count(0)
    writer.get_by_role("button", name="Submit for review").click()
    expect(writer.get_by_role("heading", name=TEXT)).to_be_visible()
    expect(writer.locator("#approval")).to_contain_text("Waits for the client")

    owner.goto("/")
    waits = owner.locator("li", has_text=f"A post waits for the client: {TEXT}")
    waits.get_by_role("link", name="Open").click()
    owner.get_by_role("link", name="Send to the client").click()
    owner.get_by_label("Client", exact=True).fill(CLIENT)
    owner.get_by_role("button", name="Make the link").click()
    link = owner.get_by_label("Link for the client").input_value()
    link_page = owner.url

    client = window().new_page()  # no cookie of ours
    client.goto(link)
    post = client.get_by_role("article", name=TEXT)
    expect(post.get_by_text("Waits for you")).to_be_visible()
    expect(post.get_by_text("@nordlicht_outdoor")).to_be_visible()
    post.get_by_label("Your name").fill(CLIENT)
    post.get_by_label("Comment").fill("Please go on like this.")
    post.get_by_role("button", name="Approve").click()
    expect(client.locator("#toasts")).to_contain_text("Thank you. The post is approved.")
    expect(post.get_by_text(f"{CLIENT} approved it.")).to_be_visible()
    expect(post.get_by_role("button", name="Approve")).to_have_count(0)

    writer.reload()
    expect(writer.locator(".page-head .state")).to_have_text("Scheduled")
    expect(writer.locator("#approval")).to_contain_text(CLIENT)
    expect(writer.locator("#comments")).to_contain_text("Please go on like this.")

    owner.goto(link_page)
    owner.get_by_role("button", name="Revoke").click()
    owner.locator("#confirm-dialog").get_by_role("button", name="Revoke").click()
    expect(owner.get_by_text("Revoked", exact=True)).to_be_visible()
    client.reload()
    expect(client.get_by_role("heading", name="This link was revoked")).to_be_visible()
    expect(client.get_by_text("ask Hana Mori for a new link")).to_be_visible()
    client.goto(f"{link[:-6]}guess/")
    expect(client.get_by_role("heading", name="There is no such link")).to_be_visible()
