"""What people do in the browser, told once: signing in and up, writing a post."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from dataclasses import dataclass

from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.bluesky_network.harness import TestAccount
from tests.browser.stage import Installation

PASSWORD = "seven lamps over the harbour"


def sign_in(page: Page, email: str, password: str) -> None:
    """In any language."""
    page.goto("/user/login/")
    page.locator("input[name=login]").fill(email)
    page.locator("input[name=password]").fill(password)
    page.locator("main button[type=submit]").click()
    expect(page.locator("#sidebar")).to_be_attached()


def sign_up(
    page: Page, *, email: str, name: str, organization: str, brand: str, zone: str, currency: str = "JPY"
) -> None:
    """From the first page to the end of the wizard's first step, where networks are offered."""
    page.goto("/user/signup/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password (again)").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Set up your organization")).to_be_visible()
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Organization").fill(organization)
    page.get_by_label("Brand").fill(brand)
    page.get_by_label("Time zone").fill(zone)
    page.get_by_label("Currency").select_option(currency)
    page.get_by_role("button", name="Next: connect an account").click()
    expect(page.get_by_role("heading", name="Connect an account")).to_be_visible()


def pick_network(page: Page, name: str) -> None:
    page.goto("/accounts/connect/")
    page.locator("main").get_by_role("link", name=re.compile(f"^{name}")).click()


def connect_bluesky(page: Page, stage: Installation, account: TestAccount, brand: str) -> None:
    assert stage.bluesky is not None
    pick_network(page, "Bluesky")
    page.get_by_label("Handle or e-mail address").fill(account.handle)
    page.get_by_label("App password").fill(account.app_password)
    page.get_by_label("Server").fill(stage.bluesky.pds_url)
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text(f"is connected with {brand}")


def connect_sandbox(page: Page, stage: Installation, handle: str, brand: str) -> None:
    pick_network(page, "Sandbox")
    page.get_by_role("button", name="Go to Sandbox").click()
    page.wait_for_url(f"{stage.sandbox.base_url}/oauth/authorize**")
    page.get_by_label("Handle").fill(handle)
    page.get_by_role("button", name="Authorize").click()
    expect(page.locator("#toasts")).to_contain_text(f"is connected with {brand}")


def connect_mastodon(page: Page, stage: Installation, brand: str) -> None:
    pick_network(page, "Mastodon")
    page.get_by_label("Server").fill(stage.mastodon.url)
    page.get_by_role("button", name=re.compile("^Go to")).click()
    page.wait_for_url(f"{stage.mastodon.url}/oauth/authorize**")
    page.get_by_role("button", name="Authorize").click()
    expect(page.locator("#toasts")).to_contain_text(f"is connected with {brand}")


def variant(page: Page, network: str) -> Locator:
    return page.get_by_role("region", name=re.compile(f"· {network}$"))


@dataclass(frozen=True, slots=True)
class Composer:
    """The page on which a post is written."""

    page: Page

    @classmethod
    def for_new_post(cls, page: Page) -> Composer:
        page.goto("/calendar/posts/new/")
        expect(page.locator("form[data-composer-ready]")).to_be_attached()
        return cls(page)

    @property
    def panel(self) -> Locator:
        """What stands under the tab that is open."""
        return self.page.locator("[data-composer-panel]:not([hidden])")

    @property
    def fits(self) -> Locator:
        return self.page.locator("#checked .fits")

    def text(self, part: int = 0) -> Locator:
        return self.panel.locator("textarea.part-text").nth(part)

    def write(self, text: str, part: int = 0) -> None:
        self.text(part).fill(text)

    def add_part(self) -> None:
        count = self.panel.locator("textarea.part-text").count()
        self.page.get_by_role("button", name="Add a post to the thread").locator("visible=true").click()
        expect(self.panel.locator("textarea.part-text")).to_have_count(count + 1)

    def add_image(self, name: str, content: bytes, mime_type: str, part: int = 0) -> None:
        given: FilePayload = {"name": name, "mimeType": mime_type, "buffer": content}
        self.panel.locator("input[type=file]").nth(part).set_input_files([given])

    @property
    def tiles(self) -> Locator:
        return self.panel.locator("[data-media-id]")

    @property
    def saved(self) -> Locator:
        return self.page.locator("[data-autosave-status]")

    def wait_until_saved(self) -> str:
        """The address of the post, once the draft has reached the server."""
        # The form learns of what is swapped in when htmx has settled it: until then the old one is saved.
        expect(self.page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
        expect(self.saved).to_have_text(re.compile("^Draft saved at"))
        return re.sub(r"edit/.*$", "", self.page.url)

    def open_tab(self, account: str) -> None:
        self.page.get_by_role("tab", name=re.compile(re.escape(account))).click()

    def write_own_version(self, account: str, text: str) -> None:
        self.open_tab(account)
        self.panel.get_by_role("button", name=re.compile("^Write a version for")).click()
        expect(self.panel.locator("textarea.part-text")).to_be_visible()
        self.write(text)

    def set_time(self, at: dt.datetime, zone: str) -> None:
        """``at``: an instant; the fields get the wall time of the brand's zone, with its seconds."""
        wall = at.astimezone(zoneinfo.ZoneInfo(zone))
        self.set_wall_time(wall.strftime("%Y-%m-%d"), wall.strftime("%H:%M:%S"))

    def set_wall_time(self, date: str, time: str) -> None:
        self.page.get_by_label("Date").fill(date)
        self.page.get_by_label("Time", exact=True).fill(time)

    def schedule(self) -> None:
        self.page.get_by_role("button", name="Schedule", exact=True).click()

    def publish(self) -> None:
        self.page.get_by_role("button", name="Publish now").click()
        self.page.locator("#confirm-dialog").get_by_role("button", name="Publish now").click()
