"""What a post says, as values: parts of a thread with their images and link card.

Posts and variants store them as JSON (``parts_to_json``); everything between the form and the database
works on these.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from campaigns.addresses import refusal, replaced, trackable
from connectors.base import LinkCard

# Characters of one part, of the words for an image, and of a content warning; no network takes more.
MOST_TEXT = 30_000
MOST_ALT = 5_000
MOST_WARNING = 300


@dataclass(frozen=True, slots=True)
class MediaUse:
    """One image in one part, with the words for people who cannot see it."""

    asset: uuid.UUID
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One post of a thread; or, as the last part, the first comment below it (``is_comment``).

    ``warning`` is the line that stands before the text, which is shown only when somebody asks for it;
    ``is_sensitive``: images and videos are covered until then. Both are the same in all parts of a thread
    (``alike_guarded``).
    """

    text: str = ""
    media: tuple[MediaUse, ...] = ()
    link_card: LinkCard | None = None
    is_comment: bool = False
    warning: str = ""
    is_sensitive: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.text.strip() and not self.media and self.link_card is None


Parts = tuple[Part, ...]


def parts_to_json(parts: Sequence[Part]) -> list[dict[str, Any]]:
    return [_part_json(part) for part in parts]


def _part_json(part: Part) -> dict[str, Any]:
    """What most parts do not have is left out."""
    card = part.link_card
    value: dict[str, Any] = {
        "text": part.text,
        "media": [{"asset": str(use.asset), "alt": use.alt} for use in part.media],
        "link_card": card and {"url": card.url, "title": card.title, "description": card.description},
    }
    if card is not None and card.image_url:
        value["link_card"]["image_url"] = card.image_url
    if part.is_comment:
        value["is_comment"] = True
    if part.warning:
        value["warning"] = part.warning
    if part.is_sensitive:
        value["is_sensitive"] = True
    return value


def parts_from_json(value: Iterable[dict[str, Any]]) -> Parts:
    parts = []
    for part in value:
        card = part.get("link_card")
        parts.append(
            Part(
                text=part.get("text", ""),
                media=tuple(
                    MediaUse(asset=uuid.UUID(use["asset"]), alt=use.get("alt", ""))
                    for use in part.get("media", ())
                ),
                link_card=LinkCard(
                    card["url"],
                    card.get("title", ""),
                    card.get("description", ""),
                    card.get("image_url", ""),
                )
                if card
                else None,
                is_comment=bool(part.get("is_comment")),
                warning=part.get("warning", ""),
                is_sensitive=bool(part.get("is_sensitive")),
            )
        )
    return tuple(parts)


def thread_of(parts: Sequence[Part]) -> Parts:
    """The parts without the first comment."""
    return tuple(part for part in parts if not part.is_comment)


def alike_guarded(parts: Sequence[Part]) -> Parts:
    """The parts with the warning that one of them has, and all of them sensitive if one is: a thread is read
    as a whole, whatever parts were added or moved since it was said."""
    warning = next((part.warning for part in parts if part.warning), "")
    is_sensitive = any(part.is_sensitive for part in parts)
    return tuple(replace(part, warning=warning, is_sensitive=is_sensitive) for part in parts)


def addresses_in(parts: Sequence[Part]) -> list[str]:
    """The addresses that become tracked links when the post belongs to a campaign: of words and cards, each
    once, in their order."""
    found: dict[str, None] = {}
    for part in parts:
        found |= dict.fromkeys(span.value for span in trackable(part.text))
        if part.link_card is not None and refusal(part.link_card.url) is None:
            found[part.link_card.url] = None
    return list(found)


def with_addresses(parts: Sequence[Part], addresses: Mapping[str, str]) -> Parts:
    """The parts with other addresses in the place of those that ``addresses`` names."""
    return tuple(
        replace(
            part,
            text=replaced(part.text, lambda url: addresses.get(url, url)),
            link_card=replace(part.link_card, url=addresses.get(part.link_card.url, part.link_card.url))
            if part.link_card is not None
            else None,
        )
        for part in parts
    )


def asset_ids(*contents: Sequence[Part]) -> set[uuid.UUID]:
    """The images that any of these use."""
    return {use.asset for parts in contents for part in parts for use in part.media}
