"""Every page: what axe finds, whether it fits a phone, and whether the browser complains."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Page, Request, Response, ViewportSize, expect

from tests.browser.conftest import NewWindow
from tests.browser.pages import NO_PAGES, LookedAt, of_nobody, of_owner, settle
from tests.browser.stage import Installation
from tests.browser.steps import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.integration]

WIDE: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
SERIOUS = ("serious", "critical")
EVERYTHING = {"resultTypes": ["violations"], "selectors": False, "preload": False}
# A theme changes colours and nothing else, a width where things stand: two looks show both of each.
LOOKS: tuple[tuple[ViewportSize, Literal["light", "dark"]], ...] = ((WIDE, "light"), (PHONE, "dark"))
# Pages that say that something is not there, with the status that says so.
MISSING = ("404", "accounts:invitation", "accounts:unsubscribe", "content_calendar:review")
# What sticks out, of elements that no scrolling box around them holds.
WIDER_THAN_THE_WINDOW = """
() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const isHeld = (one) => {
    let { position } = getComputedStyle(one);
    for (let box = one.parentElement; box; box = box.parentElement) {
      const style = getComputedStyle(box);
      if (position === "absolute" && style.position === "static") continue;
      if (style.overflowX !== "visible") return true;
      position = style.position;
    }
    return false;
  };
  return [...document.body.querySelectorAll("*")]
    .filter((one) => one.getBoundingClientRect().right > width + 1 && !isHeld(one))
    .map((one) => one.outerHTML.slice(0, 120)).slice(0, 3).concat("wider than the window");
}
"""


class Complaints:
    """What the browser says while pages are open."""

    def __init__(self, page: Page) -> None:
        self.heard: list[str] = []
        self.expected_status = 200
        page.on(
            "console", lambda message: self.heard.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: self.heard.append(str(error)))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def _failed(self, request: Request) -> None:
        # A page that is left takes its requests along.
        if "ERR_ABORTED" not in (request.failure or ""):
            self.heard.append(f"{request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.heard.append(f"{response.status} {response.url}")


# The walk over all pages is most of the time of these tests, and is divided between processes.
PARTS = 4


def found_by_axe(page: Page, options: dict[str, Any]) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{violation['id']}: {node['html'][:160]}"
        for violation in found["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"][:3]
    ]


def in_theme(page: Page, theme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=theme)
    expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
    settle(page)


def sticking_out(page: Page) -> list[str]:
    """Elements that make the page scroll sideways, once charts have taken their new size."""
    for _try in range(20):
        found: list[str] = page.evaluate(WIDER_THAN_THE_WINDOW)
        if not found:
            break
        page.wait_for_timeout(100)
    return found


def look(page: Page, complaints: Complaints, looked_at: LookedAt) -> list[str]:
    """Everything that is wrong with a page, wide and light, narrow and dark."""
    wrong = []
    complaints.heard.clear()
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_viewport_size(WIDE)
    page.goto(looked_at.path)
    for size, theme in LOOKS:
        page.set_viewport_size(size)
        in_theme(page, theme)
        as_seen = f"{size['width']} {theme}"
        wrong += [f"{as_seen}: {text}" for text in (*sticking_out(page), *found_by_axe(page, EVERYTHING))]
    said = list(complaints.heard)
    if looked_at.name in MISSING:
        said = [text for text in said if "404" not in text]
    return wrong + said


def nothing_wrong(found: Mapping[str, list[str]]) -> None:
    wrong = {name: texts for name, texts in found.items() if texts}
    if wrong:
        # Not an assertion, which would cut the list.
        lines = (f"{name}\n    " + "\n    ".join(texts) for name, texts in wrong.items())
        pytest.fail("\n".join(lines), pytrace=False)


@pytest.fixture(scope="module")
def signed_in(installation: Installation, window: NewWindow) -> Page:
    page = window().new_page()
    sign_in(page, installation.demo.owner, installation.demo.password)
    return page


def names(patterns: list[Any], namespace: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names(
                pattern.url_patterns, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            )
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}"


def test_every_page_of_the_application_is_looked_at(installation: Installation) -> None:
    looked_at = {page.name.split()[0] for page in (*of_nobody(), *of_owner(installation))}
    missing = set(names(get_resolver().url_patterns)) - looked_at - NO_PAGES
    assert missing == set(), "add them to tests/browser/pages.py"


def test_pages_before_the_sign_in_are_accessible_and_fit(
    window: NewWindow, installation: Installation
) -> None:
    page = window().new_page()
    complaints = Complaints(page)
    nothing_wrong({one.name: look(page, complaints, one) for one in of_nobody()})


@pytest.mark.parametrize("part", range(PARTS))
def test_pages_of_the_application_are_accessible_and_fit(
    signed_in: Page, installation: Installation, part: int
) -> None:
    complaints = Complaints(signed_in)
    pages = of_owner(installation)[part::PARTS]
    nothing_wrong({one.name: look(signed_in, complaints, one) for one in pages})


OPENED: dict[str, Callable[[Page], None]] = {
    "the confirmation dialog": lambda page: page.get_by_role("button", name="Publish now").click(),
    "the menu of a person": lambda page: page.get_by_role("button", name="Your account").click(),
    "the switch of brands": lambda page: page.get_by_role("button", name="Switch brand").click(),
}


@pytest.mark.parametrize("what", list(OPENED))
def test_what_opens_on_a_page_is_accessible(signed_in: Page, what: str) -> None:
    signed_in.set_viewport_size(WIDE)
    for scheme in ("light", "dark"):
        signed_in.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        signed_in.goto("/calendar/posts/new/")
        expect(signed_in.locator("form[data-composer-ready]")).to_be_attached()
        OPENED[what](signed_in)
        settle(signed_in)
        assert found_by_axe(signed_in, EVERYTHING) == [], scheme
