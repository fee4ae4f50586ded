"""A post from a template, with what helps to write it, out with its first comment, and known again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewWindow
from tests.browser.stage import Installation
from tests.browser.steps import Composer, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.integration]

TITLE = "How long does a zip last?"
SENTENCE = "Longer than you think, if you wash it and keep the sand out of it. "
COMMENT = "Bring yours on Saturday, we look at it together."


@pytest.fixture
def page(installation: Installation, window: NewWindow) -> Page:
    opened = window().new_page()
    sign_in(opened, installation.demo.owner, installation.demo.password)
    return opened


def test_template_hashtags_split_emoji_comment_and_the_same_again(page: Page) -> None:
    composer = Composer.for_new_post(page)
    page.get_by_text("Start from a template").click()
    page.get_by_role("link", name=re.compile("^Workshop question of the week")).click()
    expect(page.locator("form[data-composer-ready]")).to_be_attached()
    expect(composer.text()).to_have_value(re.compile("^This week's question"))
    comment = composer.panel.get_by_label("Text of the first comment")
    expect(comment).to_have_value(re.compile("^Got another one"))

    composer.write(f"{TITLE} {SENTENCE * 9}".strip())
    expect(composer.panel.locator(".count.is-over")).to_be_visible()
    composer.panel.get_by_role("button", name="Split into a thread").click()
    thread = composer.panel.locator(".part.is-thread")
    expect(thread).to_have_count(2)
    expect(composer.panel.locator(".count.is-over")).to_have_count(0)
    expect(composer.text(0)).to_have_value(re.compile(r"out of it\.$"))

    last = composer.text(1)
    last.click()
    last.press("Control+End")
    thread.nth(1).get_by_text("Hashtags").click()
    thread.nth(1).get_by_role("button", name=re.compile("^Repair")).click()
    expect(last).to_have_value(re.compile(r" #repair #visiblemending #madetolast$"))
    expect(last).to_be_focused()

    composer.text(0).click()
    composer.text(0).press("Control+End")
    thread.nth(0).get_by_role("button", name="Emoji").click()
    search = page.locator("emoji-picker input[role=combobox]")
    expect(search).to_be_focused()
    search.fill("rocket")
    rocket = page.locator("emoji-picker #search-results [role=option]").filter(has_text="🚀").first
    expect(rocket).to_be_visible()
    emoji = str(page.locator("emoji-picker #search-results [role=option]").first.text_content())
    search.press("ArrowDown")
    expect(search).to_have_attribute("aria-activedescendant", re.compile("^emo-"))
    search.press("Enter")
    expect(composer.text(0)).to_have_value(re.compile(re.escape(emoji) + "$"))
    expect(page.locator(".emoji-popup")).to_be_hidden()

    comment.fill(COMMENT)
    expect(page.locator("#checked .preview").first).to_contain_text(COMMENT)
    words = f"{composer.text(0).input_value()} {composer.text(1).input_value()}"
    composer.wait_until_saved()
    composer.publish()

    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
    receipt = page.locator(".variant-receipt").first
    expect(receipt).to_contain_text("Part 2 of 2 accepted by the network", timeout=30_000)
    expect(receipt).to_contain_text("First comment accepted by the network")
    page.goto(str(page.get_by_role("link", name="Open", exact=True).first.get_attribute("href")))
    expect(page.get_by_text(COMMENT)).to_be_visible()

    composer = Composer.for_new_post(page)
    composer.write(f"{words.upper()} https://example.com/?utm_source=again")
    known = page.get_by_role("region", name="These words are known there")
    expect(known).to_contain_text("The same text went out on")
    expect(known.get_by_role("link", name="Show it")).to_be_visible()


def test_a_name_is_offered_and_taken_with_the_keyboard(page: Page) -> None:
    composer = Composer.for_new_post(page)
    composer.text().click()
    page.keyboard.type("With thanks to @nord")
    options = page.get_by_role("listbox", name="People to mention").get_by_role("option")
    expect(options.first).to_be_visible()
    chosen = str(options.nth(1).locator("strong").text_content())
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(composer.text()).to_have_value(f"With thanks to {chosen} ")
    page.keyboard.type("and @zzzz")
    page.wait_for_timeout(400)
    expect(page.locator("#mention-list")).to_be_hidden()
