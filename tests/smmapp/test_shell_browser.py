"""The shell in a real browser: both themes, both widths, both languages, keyboard, and what axe finds."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize, expect

from accounts.models import AccountStatus, Brand, Notification, NotificationKind, User
from tests.cast import PASSWORD, make_account
from tests.support import unavailable

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE: ViewportSize = {"width": 390, "height": 844}
WIDE = {"width": 1440, "height": 900}
# Keeps the theme that stands when the body appears, which is before anything can be painted.
FIRST_THEME = """
new MutationObserver(() => {
  if (document.body && !window.first) window.first = document.documentElement.dataset.bsTheme;
}).observe(document, {childList: true, subtree: true});
"""
ENTRANCES = ["/user/login/", "/user/signup/", "/user/password/reset/"]


@pytest.fixture(autouse=True)
def _front_end_is_built(settings: Any) -> None:
    if not (settings.BASE_DIR / "static" / "dist" / "app.js").exists():
        unavailable("the front end is not built: `make frontend`")


def serious(page: Page) -> list[str]:
    """What axe holds for serious or worse, as "rule: element"."""
    found = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:120]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def sign_in(page: Page, server: Any, user: User) -> None:
    page.goto(f"{server.url}/user/login/")
    page.fill("input[name=login]", user.email)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    expect(page.locator("#sidebar")).to_be_attached()


@pytest.fixture
def busy(brand: Brand, owner: User) -> User:
    """An owner with something to do and something to read."""
    make_account(brand, handle="lost", status=AccountStatus.NEEDS_RECONNECT)
    Notification.objects.create(
        user=owner,
        organization=brand.organization,
        kind=NotificationKind.ACCOUNT_LOST,
        context={"account": "@lost", "network": "Sandbox"},
        dedupe_key="lost",
        mailed_at=timezone.now(),
    )
    return owner


@pytest.mark.parametrize(
    ("size", "scheme", "language"),
    # Every pair of width, theme and language once.
    [(WIDE, "light", "en"), (WIDE, "dark", "ja"), (PHONE, "light", "ja"), (PHONE, "dark", "en")],
    ids=["wide-light-en", "wide-dark-ja", "phone-light-ja", "phone-dark-en"],
)
def test_every_page_fits_and_axe_finds_nothing_serious(
    page: Page, live_server: Any, busy: User, size: Any, scheme: Any, language: str
) -> None:
    User.objects.filter(pk=busy.pk).update(language=language)
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))

    def look(path: str) -> None:
        page.goto(f"{live_server.url}{path}")
        assert page.locator("html").get_attribute("lang") == language
        assert page.locator("html").get_attribute("data-bs-theme") == scheme
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
        assert serious(page) == [], path

    for path in ENTRANCES:
        look(path)
    sign_in(page, live_server, busy)
    for path in ("/", "/notifications/", "/user/email/", "/user/password/change/", "/user/2fa/"):
        look(path)
    assert trouble == []


def test_the_theme_that_was_chosen_is_there_before_the_first_paint(
    page: Page, live_server: Any, busy: User
) -> None:
    page.emulate_media(color_scheme="light")
    sign_in(page, live_server, busy)
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.add_init_script(FIRST_THEME)
    page.reload()
    assert page.evaluate("window.first") == "dark"
    page.get_by_role("button", name="Your account").click()
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")


def test_the_menu_of_a_phone_opens_and_closes_by_keyboard(page: Page, live_server: Any, busy: User) -> None:
    page.set_viewport_size(PHONE)
    sign_in(page, live_server, busy)
    calendar = page.locator("#sidebar a", has_text="Calendar")
    expect(calendar).not_to_be_visible()
    page.get_by_role("button", name="Open menu").press("Enter")
    expect(page.locator("#sidebar")).to_be_focused()
    expect(calendar).to_be_visible()
    page.keyboard.press("Escape")
    expect(calendar).not_to_be_visible()


def test_the_first_tab_stop_leads_past_the_navigation(page: Page, live_server: Any, busy: User) -> None:
    sign_in(page, live_server, busy)
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_the_language_is_changed_in_one_click(page: Page, live_server: Any, db: None) -> None:
    page.goto(f"{live_server.url}/user/login/")
    page.get_by_role("button", name="日本語").click()
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    assert page.url == f"{live_server.url}/user/login/"


def test_a_brand_is_switched_and_the_page_stays(
    page: Page, live_server: Any, busy: User, other_brand: Brand
) -> None:
    sign_in(page, live_server, busy)
    page.goto(f"{live_server.url}/notifications/")
    page.get_by_role("button", name="Switch brand").click()
    page.get_by_role("button", name="Harbour Tea").click()
    expect(page.get_by_role("button", name="Switch brand: Harbour Tea")).to_be_visible()
    assert page.url == f"{live_server.url}/notifications/"


def test_what_cannot_be_undone_is_asked_first(page: Page, live_server: Any, busy: User) -> None:
    from allauth.account.models import EmailAddress

    EmailAddress.objects.create(user=busy, email=busy.email, verified=True, primary=True)
    EmailAddress.objects.create(user=busy, email="second@example.com", verified=True)
    sign_in(page, live_server, busy)
    page.goto(f"{live_server.url}/user/email/")
    page.get_by_role("button", name="Remove", exact=True).click()
    dialog = page.locator("#confirm-dialog")
    expect(dialog).to_contain_text("You can no longer sign in with second@example.com.")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    assert serious(page) == []
    page.keyboard.press("Escape")
    assert EmailAddress.objects.filter(email="second@example.com").exists()
    page.get_by_role("button", name="Remove", exact=True).click()
    dialog.get_by_role("button", name="Remove address").click()
    expect(page.locator("main")).not_to_contain_text("second@example.com")
    assert not EmailAddress.objects.filter(email="second@example.com").exists()


def test_a_password_can_be_looked_at(page: Page, live_server: Any, db: None) -> None:
    page.goto(f"{live_server.url}/user/login/")
    page.fill("input[name=password]", "something")
    button = page.get_by_role("button", name="Show password")
    button.click()
    expect(page.locator("input[name=password]")).to_have_attribute("type", "text")
    expect(button).to_have_attribute("aria-pressed", "true")
