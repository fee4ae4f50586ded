"""A post as a network would show it, near enough to judge it by. What differs between networks stands in
``PlatformInfo.look``."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from accounts.models import SocialAccount
from connectors.base import Capability, LinkCard, PlatformInfo, PostLook
from connectors.text import find_hashtags, find_links, find_mentions, is_name
from content_calendar.answers import Answers, kept_answers, said_in_words
from content_calendar.content import MediaUse, Part, Parts
from content_calendar.models import MediaAsset

# How many letters a line of a network's page has room for; a full-width one takes two.
_LINE = 64


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text as it is shown; ``is_link``: the network shows a link, a mention or a hashtag."""

    text: str
    is_link: bool = False


@dataclass(frozen=True, slots=True)
class PreviewImage:
    asset: MediaAsset
    alt: str


@dataclass(frozen=True, slots=True)
class PreviewCard:
    """``is_ours``: its words are those that we send; otherwise the network reads the page itself."""

    host: str
    title: str = ""
    description: str = ""
    image_url: str = ""
    is_ours: bool = True


@dataclass(frozen=True, slots=True)
class PreviewPart:
    """``rest`` is what stands behind the network's "show more"."""

    segments: tuple[Segment, ...]
    images: tuple[PreviewImage, ...]
    card: PreviewCard | None
    rest: tuple[Segment, ...] = ()
    is_comment: bool = False
    warning: str = ""  # stands before all the rest, which is shown when somebody asks for it
    is_sensitive: bool = False

    @property
    def hidden_images(self) -> int:
        """How many a network shows behind the fourth."""
        return max(0, len(self.images) - 4)


@dataclass(frozen=True, slots=True)
class Preview:
    account: SocialAccount
    info: PlatformInfo
    parts: tuple[PreviewPart, ...]
    said: tuple[tuple[str, str], ...] = ()  # what is said besides: label and answer

    @property
    def look(self) -> PostLook:
        return self.info.look


def preview(
    account: SocialAccount,
    parts: Parts,
    assets: Mapping[uuid.UUID, MediaAsset],
    settings: Answers | None = None,
) -> Preview:
    """``assets`` holds the images that the parts use; what is missing is left out. ``settings``: what is said
    besides."""
    info = account.info

    def is_shown(use: MediaUse) -> bool:
        return use.asset in assets and bool(assets[use.asset].thumbnail_key)

    shown = []
    for part in parts:
        images = tuple(PreviewImage(assets[use.asset], use.alt) for use in part.media if is_shown(use))
        head, rest = folded(part.text, info.look.fold_lines)
        shown.append(
            PreviewPart(
                segments=segments(head, info),
                rest=segments(rest, info),
                images=images,
                card=None if images else _card(part, info),
                is_comment=part.is_comment,
                warning=part.warning if info.can(Capability.CONTENT_WARNING) else "",
                is_sensitive=(part.is_sensitive or bool(part.warning))
                and info.can(Capability.SENSITIVE_MEDIA),
            )
        )
    said = said_in_words(info, account.options, kept_answers(info, settings or {}))
    return Preview(account=account, info=info, parts=tuple(shown), said=said)


def plain(parts: Parts) -> tuple[PreviewPart, ...]:
    """The words alone, where no account is left to show them on."""
    return tuple(
        PreviewPart(
            segments=(Segment(part.text),),
            images=(),
            card=_plain_card(part.link_card) if part.link_card is not None else None,
            is_comment=part.is_comment,
        )
        for part in parts
    )


def _plain_card(card: LinkCard) -> PreviewCard:
    return PreviewCard(_host(card.url), card.title, card.description)


def _card(part: Part, info: PlatformInfo) -> PreviewCard | None:
    card = part.link_card
    if card is not None and info.can(Capability.LINK_CARD):
        return _own_card(card, info)
    links = find_links(part.text, bare=info.look.links_bare)
    if not info.look.makes_card or not links:
        return None
    return PreviewCard(host=_host(links[0].url), is_ours=False)


def _own_card(card: LinkCard, info: PlatformInfo) -> PreviewCard:
    if not card.title and info.look.makes_card:
        return PreviewCard(host=_host(card.url), is_ours=False)
    # A browser may load it only where it is encrypted (core/security.py).
    image = card.image_url if info.look.card != "plain" and card.image_url.startswith("https://") else ""
    return PreviewCard(_host(card.url), card.title, card.description, image)


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or url).removeprefix("www.")
    except ValueError:
        return url


def folded(text: str, lines: int) -> tuple[str, str]:
    """The text up to so many lines as a page breaks it, and the rest; 0 lines = never cut."""
    if not lines:
        return text, ""
    left, width = lines, 0
    for index, character in enumerate(text):
        if character == "\n":
            left, width = left - 1, 0
        else:
            width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
            if width > _LINE:
                left, width = left - 1, 1
        if left <= 0:
            # Not within a word: the last space that is near, else here.
            space = max(text.rfind(" ", 0, index), text.rfind("\n", 0, index + 1))
            cut = space if space > index - 40 and space > 0 else index
            return text[:cut], text[cut:]
    return text, ""


def segments(text: str, info: PlatformInfo) -> tuple[Segment, ...]:
    """The text cut at its links, mentions and hashtags, each as the network writes it."""
    look = info.look
    found = [(span.start, span.end, "link") for span in find_links(text, bare=look.links_bare)]
    found += [(s.start, s.end, "mention") for s in find_mentions(text) if is_name(s.value, info.mentions)]
    found += [(span.start, span.end, "hashtag") for span in find_hashtags(text)]
    cut: list[Segment] = []
    position = 0
    for start, end, kind in sorted(found):
        if start < position:
            continue
        if start > position:
            cut.append(Segment(text[position:start]))
        cut.append(Segment(_written(text[start:end], kind, look), is_link=True))
        position = end
    if position < len(text):
        cut.append(Segment(text[position:]))
    return tuple(cut)


def _written(words: str, kind: str, look: PostLook) -> str:
    if kind == "mention" and not look.mention_shows_host:
        return "@" + words[1:].partition("@")[0]
    if kind == "link" and look.link_shows:
        bare = words.partition("://")[2] or words
        bare = bare.removeprefix("www.")
        return bare if len(bare) <= look.link_shows else bare[: look.link_shows] + "…"
    return words
