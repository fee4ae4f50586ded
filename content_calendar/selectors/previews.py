"""A post as a network would show it, near enough to judge it by: text with its links, images, a card."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from accounts.models import SocialAccount
from connectors.base import Capability, LinkCard, PlatformInfo
from connectors.text import find_hashtags, find_links, find_mentions
from content_calendar.content import MediaUse, Parts
from content_calendar.models import MediaAsset


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text; ``is_link`` where the network shows a link, a mention or a hashtag."""

    text: str
    is_link: bool = False


@dataclass(frozen=True, slots=True)
class PreviewImage:
    asset: MediaAsset
    alt: str


@dataclass(frozen=True, slots=True)
class PreviewPart:
    segments: tuple[Segment, ...]
    images: tuple[PreviewImage, ...]
    card: LinkCard | None


@dataclass(frozen=True, slots=True)
class Preview:
    account: SocialAccount
    info: PlatformInfo
    parts: tuple[PreviewPart, ...]


def preview(account: SocialAccount, parts: Parts, assets: Mapping[uuid.UUID, MediaAsset]) -> Preview:
    """``assets`` holds the images that the parts use; what is missing is left out."""
    info = account.info

    def is_shown(use: MediaUse) -> bool:
        return use.asset in assets and bool(assets[use.asset].thumbnail_key)

    shown = []
    for part in parts:
        images = tuple(PreviewImage(assets[use.asset], use.alt) for use in part.media if is_shown(use))
        card = part.link_card if info.can(Capability.LINK_CARD) and not images else None
        shown.append(PreviewPart(segments(part.text), images, card))
    return Preview(account=account, info=info, parts=tuple(shown))


def segments(text: str) -> tuple[Segment, ...]:
    """The text cut at its links, mentions and hashtags; joined again it is the text."""
    spans = sorted(
        (*find_links(text), *find_mentions(text), *find_hashtags(text)), key=lambda span: span.start
    )
    cut: list[Segment] = []
    position = 0
    for span in spans:
        if span.start < position:
            continue
        if span.start > position:
            cut.append(Segment(text[position : span.start]))
        cut.append(Segment(text[span.start : span.end], is_link=True))
        position = span.end
    if position < len(text):
        cut.append(Segment(text[position:]))
    return tuple(cut)
