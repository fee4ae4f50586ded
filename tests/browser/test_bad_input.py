"""What people type and upload by mistake gets a clear message where it happened, and nothing is lost."""

from __future__ import annotations

import datetime as dt
import io
import re
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewWindow
from tests.browser.stage import Installation
from tests.browser.steps import Composer, pick_network, sign_in, sign_up
from tests.support import unavailable

pytestmark = [pytest.mark.browser, pytest.mark.integration]

BRAND = "Nordlicht Outdoor"  # in a zone with summer time
NO_POST = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def page(installation: Installation, window: NewWindow) -> Page:
    """The demo's owner, whose current brand is the one in Berlin."""
    opened = window().new_page()
    sign_in(opened, installation.demo.owner, installation.demo.password)
    opened.get_by_role("button", name="Switch brand").click()
    opened.get_by_role("button", name=BRAND).click()
    expect(opened.get_by_role("button", name=f"Switch brand: {BRAND}")).to_be_visible()
    return opened


@pytest.fixture
def composer(page: Page) -> Composer:
    """A post begun on the sandbox accounts of the brand."""
    return Composer.for_new_post(page)


def png(number: int = 0, *, size: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (number * 40 % 256, 90, 120)).save(out, "PNG")
    return out.getvalue()


def bomb() -> bytes:
    """A PNG of 200 kilobytes that would unpack to 30,000 by 30,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((30_000 // 8 + 1) * 30_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def is_kept(composer: Composer, text: str) -> None:
    """The draft is on the server: another visit finds it."""
    composer.wait_until_saved()
    composer.page.reload()
    expect(composer.text()).to_have_value(text)


def test_a_text_that_is_too_long_is_told_at_the_text_and_kept(composer: Composer) -> None:
    text = "Where the trail ends. " * 24
    composer.write(text)
    said = "Too long for Sandbox by 28 characters (500 are allowed)."
    expect(composer.panel.locator(".part")).to_contain_text(said)
    expect(composer.fits.first).to_contain_text(said)
    composer.wait_until_saved()
    composer.set_time(dt.datetime.now(dt.UTC) + dt.timedelta(days=1), "Europe/Berlin")
    composer.schedule()
    expect(composer.page.get_by_text("This did not work yet")).to_be_visible()
    expect(composer.page.locator(".callout", has_text="This did not work yet")).to_contain_text(said)
    expect(composer.text()).to_have_value(text)
    found = re.search(r"posts/([0-9a-f-]{36})/", composer.page.url)
    assert found
    composer.page.goto(f"/calendar/posts/{found[1]}/")
    expect(composer.page.locator(".page-head")).to_contain_text("Draft")


def test_more_images_than_the_network_takes_are_told_at_the_images(composer: Composer) -> None:
    composer.write("Five views of one lake")
    for number in range(5):
        composer.add_image(f"lake-{number}.png", png(number), "image/png")
        expect(composer.tiles).to_have_count(number + 1)
    expect(composer.panel.locator(".part")).to_contain_text(
        "Sandbox takes 4 images in one post; there are 5."
    )
    is_kept(composer, "Five views of one lake")
    expect(composer.tiles).to_have_count(5)


@pytest.mark.parametrize(
    ("name", "content", "mime_type", "said"),
    [
        ("notes.txt", b"not a picture", "text/plain", "“notes.txt” cannot be posted. Use JPEG, PNG or WebP"),
        ("page.png", b"<svg onload=alert(1)>", "image/png", "“page.png” is not an image, whatever its name"),
        ("half.png", png(size=(300, 300))[:400], "image/png", "“half.png” is damaged and cannot be read."),
        ("bomb.png", bomb(), "image/png", "“bomb.png” has more than 50 megapixels."),
        ("empty.png", b"", "image/png", "“empty.png” is empty."),
    ],
    ids=["wrong type", "wrong content", "broken", "decompression bomb", "empty"],
)
def test_a_file_that_cannot_be_posted_is_refused_by_name_at_the_field(
    composer: Composer, name: str, content: bytes, mime_type: str, said: str
) -> None:
    composer.write(f"With {name}")
    composer.add_image(name, content, mime_type)
    expect(composer.panel.locator(".part-tools [role=alert]")).to_contain_text(said)
    expect(composer.tiles).to_have_count(0)
    expect(composer.panel.locator(".upload-row")).to_have_count(0)
    is_kept(composer, f"With {name}")
    # The next file that is fine takes the message away.
    composer.add_image("fine.png", png(3), "image/png")
    expect(composer.tiles).to_have_count(1)
    expect(composer.panel.locator(".part-tools [role=alert]")).to_have_count(0)


def test_a_time_that_is_over_is_told_at_the_time(composer: Composer) -> None:
    composer.write("Yesterday's news")
    composer.set_time(dt.datetime.now(dt.UTC) - dt.timedelta(days=1), "Europe/Berlin")
    note = composer.page.locator("#time-note")
    expect(note).to_have_text("This time is over. Choose a later one.")
    composer.schedule()
    expect(note).to_have_text("This time is over. Choose a later one.")
    expect(composer.page.get_by_role("button", name="Schedule", exact=True)).to_be_visible()
    expect(composer.text()).to_have_value("Yesterday's news")


def test_a_time_that_the_clocks_skip_is_told_with_the_next_one(composer: Composer) -> None:
    composer.write("In the night when the clocks change")
    year = dt.datetime.now(dt.UTC).year + 1
    last_of_march = dt.date(year, 3, 31)
    skipped = last_of_march - dt.timedelta(days=(last_of_march.weekday() + 1) % 7)
    composer.set_wall_time(skipped.isoformat(), "02:30")
    said = "so 02:30 does not exist on that day in Europe/Berlin. The next possible time is 03:00."
    note = composer.page.locator("#time-note")
    expect(note).to_contain_text(said)
    composer.schedule()
    expect(note).to_contain_text(said)
    expect(composer.page.get_by_label("Time", exact=True)).to_have_value("02:30")
    expect(composer.text()).to_have_value("In the night when the clocks change")
    is_kept_as_draft = composer.page.get_by_role("button", name="Save draft")
    expect(is_kept_as_draft).to_be_visible()


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("no-such-server.invalid", "No server answers under this name. Check the spelling."),
        ("10.1.2.3", "This server has a private address"),
        ("http://127.0.0.1:9", "This server has a private address"),
        ("localhost", "Check what you entered."),
    ],
)
def test_a_host_that_cannot_be_called_is_told_at_the_field(page: Page, host: str, said: str) -> None:
    pick_network(page, "Mastodon")
    page.get_by_label("Server").fill(host)
    page.get_by_role("button", name=re.compile("^Go to")).click()
    field = page.get_by_label("Server")
    expect(field).to_have_attribute("aria-invalid", "true")
    described = field.get_attribute("aria-describedby") or ""
    texts = [page.locator(f"#{one}").inner_text() for one in described.split()]
    assert any(said in text for text in texts), texts
    expect(field).to_have_value(host)


def test_a_wrong_app_password_is_told_at_the_field(page: Page, installation: Installation) -> None:
    bluesky = installation.bluesky
    if bluesky is None:
        unavailable(f"no Bluesky network: {installation.bluesky_missing}")
    pick_network(page, "Bluesky")
    page.get_by_label("Handle or e-mail address").fill(bluesky.alice.handle)
    page.get_by_label("App password").fill("abcd-efgh-ijkl-mnop")
    page.get_by_label("Server").fill(bluesky.pds_url)
    page.get_by_role("button", name="Connect", exact=True).click()
    field = page.get_by_label("App password")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("main")).to_contain_text("Bluesky does not accept this handle and password.")
    expect(page.get_by_label("Handle or e-mail address")).to_have_value(bluesky.alice.handle)
    expect(field).to_have_value("")  # a password is not sent back


def test_another_organizations_pages_do_not_exist(installation: Installation, window: NewWindow) -> None:
    """A stranger with every right at home, in a browser, by address and by form."""
    stage = installation
    theirs = stage.rows(
        "SELECT b.id AS brand, a.id AS account, p.id AS post, m.id AS asset, d.id AS delivery "
        "FROM accounts_brand b JOIN accounts_socialaccount a ON a.brand_id = b.id "
        "JOIN content_calendar_post p ON p.brand_id = b.id "
        "JOIN content_calendar_mediaasset m ON m.brand_id = b.id "
        "JOIN outbox_delivery d ON d.account_id = a.id WHERE b.name = %s LIMIT 1",
        [BRAND],
    )[0]
    stranger = window().new_page()
    sign_up(
        stranger,
        email="stranger@example.com",
        name="Sam Stranger",
        organization="Elsewhere",
        brand="Elsewhere Tea",
        zone="Europe/London",
    )
    addresses = [
        reverse("content_calendar:post", args=[theirs["post"]]),
        reverse("content_calendar:edit", args=[theirs["post"]]),
        reverse("content_calendar:move", args=[theirs["post"]]),
        f"{reverse('content_calendar:compose')}?brand={theirs['brand']}",
        reverse("content_calendar:media_file", args=[theirs["asset"]]),
        reverse("accounts:account_detail", args=[theirs["account"]]),
        reverse("accounts:account_disconnect", args=[theirs["account"]]),
        reverse("accounts:brand_edit", args=[theirs["brand"]]),
        reverse("analytics:account", args=[theirs["account"]]),
        reverse("analytics:post_numbers", args=[theirs["post"]]),
    ]
    for address in addresses:
        answer = stranger.goto(address)
        assert answer
        assert answer.status == 404, address
        expect(stranger.get_by_role("heading", level=1)).to_be_visible()
        expect(stranger.locator("body")).not_to_contain_text("Nordlicht")
    stranger.goto("/accounts/")
    before = stage.rows("SELECT count(*) AS n, max(updated_at) AS at FROM content_calendar_post")
    for address, fields in (
        (reverse("content_calendar:publish", args=[theirs["post"]]), {}),
        (reverse("content_calendar:delete", args=[theirs["post"]]), {}),
        (reverse("content_calendar:cancel", args=[theirs["delivery"]]), {}),
        (reverse("outbox:pause_brand", args=[theirs["brand"]]), {"reason": "mine now"}),
        (
            reverse("content_calendar:save", args=[NO_POST]),
            {"brand": str(theirs["brand"]), "base.part": "0", "base.0.text": "not mine", "action": "draft"},
        ),
    ):
        status = stranger.evaluate(
            """async ([address, fields]) => {
                const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
                const body = new URLSearchParams({ ...fields, csrfmiddlewaretoken: token });
                return (await fetch(address, { method: "POST", body })).status;
            }""",
            [address, fields],
        )
        assert status == 404, address
    assert stage.rows("SELECT count(*) AS n, max(updated_at) AS at FROM content_calendar_post") == before


# --- in Japanese --------------------------------------------------------------------------------

CATALOGUE = Path(settings.BASE_DIR) / "locale" / "ja" / "LC_MESSAGES" / "django.po"
# Names, addresses and abbreviations that are the same in Japanese.
NOT_ENGLISH = re.compile(
    r"@\w+|\S+@example\.com|https?://\S*|[A-Za-z]+/[A-Za-z_]+|smmapp|Sandbox|Bluesky|Mastodon|GoToSocial|takahe"
    r"|Komorebi Studio|Nordlicht Outdoor|Hana Mori|Sofia Brandt|Marco Ricci|Anna Keller|Kaede\w*|aozora_\w+"
    r"|UTC|JPEG|PNG|WebP|GIF|ALT|URL|CSV|SNS|ID|MB|KB|SMM_\w+|English|App password|Excel"
    r"|Only drafts|Written for a client who looks at everything first"
)
TEXTS_OF_PAGE = """
() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (parent.closest("script, style, template, noscript, [lang]:not(html), svg")) continue;
    found.push(walker.currentNode.data);
  }
  const named = ["aria-label", "title", "placeholder", "alt"];
  for (const element of document.body.querySelectorAll(named.map((name) => `[${name}]`).join())) {
    if (element.closest("template, noscript, [lang]:not(html)")) continue;
    for (const name of named) found.push(element.getAttribute(name) ?? "");
  }
  return [...found, document.title].map((text) => text.trim()).filter(Boolean);
}
"""


def missing_translations() -> int:
    """How many texts have no Japanese yet; -1 without a catalogue."""
    if not CATALOGUE.exists():
        return -1
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file)
    messages = [message for message in catalogue if message.id]
    return sum(message.fuzzy or not all(_texts(message.string)) for message in messages)


def _texts(string: str | Sequence[str] | None) -> Sequence[str]:
    return (string or "",) if string is None or isinstance(string, str) else string


def test_japanese_pages_have_no_english_words(installation: Installation, window: NewWindow) -> None:
    missing = missing_translations()
    if missing:
        pytest.skip(f"locale/ja is not complete ({missing} texts without Japanese)")
    page = window(locale="ja-JP").new_page()
    page.goto("/user/login/")
    found = {"/user/login/": english_of(page)}
    sign_in(page, "kenji@example.com", installation.demo.password)
    page.get_by_role("button", name="ブランド").first.click()
    page.get_by_role("button", name="あおぞら珈琲").last.click()
    page.wait_for_load_state()
    (post,) = installation.rows(
        "SELECT p.id FROM content_calendar_post p JOIN accounts_brand b ON b.id = p.brand_id "
        "JOIN content_calendar_variant v ON v.post_id = p.id JOIN outbox_delivery d ON d.id = v.delivery_id "
        "WHERE b.name = 'あおぞら珈琲' AND d.state = 'sent' LIMIT 1"
    )
    for address in (
        reverse("shell:today"),
        reverse("content_calendar:calendar"),
        reverse("content_calendar:posts"),
        reverse("content_calendar:compose"),
        reverse("content_calendar:post", args=[post["id"]]),
        reverse("accounts:account_list"),
        reverse("analytics:accounts"),
        reverse("shell:notifications"),
        reverse("accounts:profile"),
    ):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        expect(page.locator("html")).to_have_attribute("lang", "ja")
        found[address] = english_of(page)
    assert {address: texts for address, texts in found.items() if texts} == {}


def english_of(page: Page) -> list[str]:
    """Texts of the page that have English words in them."""
    texts: list[str] = page.evaluate(TEXTS_OF_PAGE)
    return sorted({text for text in texts if re.search(r"[A-Za-z]{3,}", NOT_ENGLISH.sub("", text))})
