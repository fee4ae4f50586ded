"""The media library: a picture is kept, found, cut and used; a video is uploaded, judged, published, seen."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import NewWindow
from tests.browser.stage import Installation
from tests.browser.steps import Composer, sign_in
from tests.clips import clip

pytestmark = [pytest.mark.browser, pytest.mark.integration]

# A worker looks at the video within a tick and its own start.
MADE_READY_MS = 60_000
PUBLISHED_MS = 60_000


@pytest.fixture
def page(installation: Installation, window: NewWindow) -> Page:
    opened = window().new_page()
    sign_in(opened, installation.demo.owner, installation.demo.password)
    return opened


def picture() -> FilePayload:
    out = io.BytesIO()
    Image.new("RGB", (640, 360), "#8a3324").save(out, "PNG")
    return {"name": "red-barn.png", "mimeType": "image/png", "buffer": out.getvalue()}


def test_a_picture_is_kept_tagged_cut_and_used(page: Page) -> None:
    page.goto("/library/")
    page.locator("#library-files").set_input_files([picture()])
    card = page.locator(".library-card", has_text="red-barn.png")
    expect(card).to_be_visible()

    card.get_by_role("checkbox").check()
    page.locator("summary", has_text="Tag").click()
    page.get_by_label("Tags, with commas between").fill("barn, autumn")
    page.locator(".library-act-body").get_by_role("button", name="Tag", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("1 file was tagged")

    page.get_by_role("searchbox", name=re.compile("^Search by name, tag")).fill("barn autumn")
    expect(page.locator("#rows .library-card")).to_have_count(1)
    page.locator("#rows .library-link").click()
    page.get_by_label("Alternative text").fill("A red barn")
    page.locator("[data-focal-stage] img").click(position={"x": 20, "y": 20})
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("Saved")
    assert int(page.get_by_label("Focal point, from the left").input_value()) < 20

    page.get_by_role("link", name="Crop", exact=True).click()
    page.get_by_role("radio", name="9:16").check()
    frame = page.get_by_role("group", name="The part that is kept")
    frame.press("ArrowRight")
    assert int(page.get_by_label("From the left").input_value()) > 0
    page.get_by_role("button", name="Crop", exact=True).click()
    expect(page.get_by_text(re.compile(r"^202 × 360|^203 × 360"))).to_be_visible()

    composer = Composer.for_new_post(page)
    composer.write("The barn in autumn")
    page.get_by_role("link", name="From the library").locator("visible=true").click()
    dialog = page.get_by_role("dialog", name="Media library")
    dialog.get_by_role("searchbox").fill("red-barn")
    expect(dialog.locator(".library-card")).to_have_count(2)
    dialog.locator(".library-link").last.click()
    dialog.get_by_role("button", name="Use in the post").click()
    expect(composer.tiles).to_have_count(1)
    expect(composer.tiles.get_by_role("textbox", name="Alternative text")).to_have_value("A red barn")

    whole = composer.tiles.get_attribute("data-media-id")
    composer.tiles.get_by_role("link", name="Crop").click()
    page.locator("#media-dialog").get_by_role("button", name="Crop", exact=True).click()
    expect(page.locator(f'[data-media-id="{whole}"]')).to_have_count(0)
    expect(composer.tiles).to_have_count(1)
    composer.wait_until_saved()

    page.goto("/library/?q=red-barn")
    page.locator("#rows .library-card", has_text="360 × 360").get_by_role("link").click()
    expect(page.get_by_role("link", name=re.compile("^The barn in autumn"))).to_be_visible()
    expect(page.get_by_text("It cannot be deleted")).to_be_visible()


def test_a_video_is_uploaded_judged_published_and_seen(page: Page) -> None:
    composer = Composer.for_new_post(page)
    composer.write("Ten frames of the sea")
    content = clip(seconds=2, size=(180, 320))
    composer.add_image("sea.mp4", content, "video/mp4")
    expect(composer.tiles).to_have_count(1)
    expect(composer.fits).to_contain_text("the video is sent as it is", timeout=MADE_READY_MS)
    expect(composer.tiles.locator("img")).to_be_visible()
    composer.wait_until_saved()
    composer.publish()
    expect(page.get_by_role("heading", name="Ten frames of the sea")).to_be_visible()
    states = page.locator(".post-variants .card-header .state")
    expect(states.filter(has_text=re.compile("^Sent$"))).to_have_count(
        page.locator(".post-variants .card-header").count(), timeout=PUBLISHED_MS
    )
    page.goto(str(page.locator('.post-variants a[href*="/@"]').first.get_attribute("href")))
    film = page.locator("video")
    expect(film).to_be_visible()
    assert film.evaluate(
        "film => new Promise(done => { film.onloadedmetadata = () => done(true); film.load() })"
    )
    assert film.evaluate("film => [film.videoWidth, film.videoHeight]") == [180, 320]


def test_what_is_no_video_is_refused_and_nothing_stays(page: Page) -> None:
    composer = Composer.for_new_post(page)
    composer.add_image("lies.mp4", b"<html><script>alert(1)</script>" + bytes(2000), "video/mp4")
    refusal = composer.panel.locator("[data-upload-refused]")
    expect(refusal).to_contain_text("“lies.mp4” is not a video, whatever its name says.")
    expect(composer.tiles).to_have_count(0)
    sound = clip(with_pictures=False)
    composer.add_image("sound.mp4", sound, "video/mp4")
    expect(composer.tiles).to_contain_text("There are no moving pictures in it.", timeout=MADE_READY_MS)
