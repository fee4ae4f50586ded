"""A preview shows what the network will, by what stands in its PlatformInfo."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Brand, SocialAccount
from accounts.selectors import known_networks
from connectors.base import LinkCard, MentionForm
from connectors.text import is_name
from content_calendar.content import Part
from content_calendar.selectors.previews import folded, preview, segments
from tests.cast import make_account

pytestmark = pytest.mark.django_db

NETWORKS = known_networks()
LINK = "https://www.example.com/a/very/long/path/to/the/page"


def shown(key: str, text: str) -> list[str]:
    return [segment.text for segment in segments(text, NETWORKS[key]) if segment.is_link]


def test_each_network_writes_links_and_names_its_own_way() -> None:
    text = f"Hi @hanako@example.social and @taro.example.com, see {LINK} #朝 or example.org"
    assert shown("bluesky", text) == ["@taro.example.com", LINK, "#朝", "example.org"]
    assert shown("mastodon", text) == ["@hanako", "example.com/a/very/long/path/t…", "#朝"]
    assert shown("sandbox", text) == [LINK, "#朝"]


@pytest.mark.parametrize(
    ("handle", "forms"),
    [
        ("hanako", {MentionForm.USER, MentionForm.USER_HOST}),
        ("hanako.example.com", {MentionForm.DOMAIN}),
        ("hanako@example.com", {MentionForm.USER_HOST}),
    ],
)
def test_a_name_is_one_on_the_networks_that_write_it_so(handle: str, forms: set[MentionForm]) -> None:
    assert {form for form in MentionForm if is_name(handle, form)} == forms


@given(st.text(max_size=400), st.integers(0, 5))
def test_folding_loses_nothing(text: str, lines: int) -> None:
    head, rest = folded(text, lines)
    assert head + rest == text
    if not lines:
        assert rest == ""


def test_long_posts_are_cut_where_the_network_cuts_them(brand: Brand) -> None:
    account = make_account(brand, platform="bluesky", handle="harbour.example.com")
    (part,) = preview(account, (Part("\n".join(map(str, range(30)))),), {}).parts
    assert "".join(s.text for s in part.segments).strip().endswith("24")
    assert "".join(s.text for s in part.rest).strip().startswith("25")
    sandbox = make_account(brand)
    assert preview(sandbox, (Part("\n".join(map(str, range(30)))),), {}).parts[0].rest == ()


def test_cards_are_shown_as_the_network_makes_them(brand: Brand, sandbox_account: SocialAccount) -> None:
    bluesky = make_account(brand, platform="bluesky", handle="harbour.example.com")
    mastodon = make_account(brand, platform="mastodon", handle="harbour@example.social")
    card = LinkCard("https://www.example.com/x", "Title", "Words", "https://example.com/p.jpg")
    part = Part(f"See {LINK}", link_card=card)

    def card_of(account: SocialAccount, content: Part) -> object:
        return preview(account, (content,), {}).parts[0].card

    ours = card_of(bluesky, part)
    assert ours is not None
    assert (ours.host, ours.title, ours.image_url, ours.is_ours) == (  # type: ignore[attr-defined]
        "example.com",
        "Title",
        "https://example.com/p.jpg",
        True,
    )
    for account in (mastodon, bluesky):
        theirs = card_of(account, replace(part, link_card=None))
        assert theirs is not None
        assert not theirs.is_ours  # type: ignore[attr-defined]
    assert not card_of(mastodon, part).is_ours  # type: ignore[attr-defined]
    plain = card_of(sandbox_account, part)
    assert plain.image_url == ""  # type: ignore[attr-defined]
    assert card_of(sandbox_account, replace(part, link_card=None)) is None


def test_nothing_outside_of_connectors_asks_which_network_it_is() -> None:
    root = Path(__file__).parents[2]
    asks = re.compile(r"""(?:platform|\.key)\s*(?:==|!=|in)\s*[("'\[]""")
    names = re.compile(r"""["'](?:bluesky|mastodon)["']""")
    for folder in ("content_calendar", "templates/content_calendar", "outbox"):
        for file in (root / folder).rglob("*.*"):
            if file.suffix in (".py", ".html"):
                text = file.read_text(encoding="utf-8")
                assert not names.search(text), file
                assert not (asks.search(text) and "platform ==" in text), file
