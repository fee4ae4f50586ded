"""What a post said before, and what was changed since."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diff_match_patch import diff_match_patch
from django.utils.translation import gettext as _

from accounts.models import SocialAccount
from connectors.base import LinkCard, PostField
from content_calendar.answers import Answer, answer_in_words, default_of
from content_calendar.content import MediaUse, Part, Parts, parts_from_json
from content_calendar.models import MediaAsset, Post, PostVersion
from content_calendar.selectors.approval import Content, content_of, fingerprint

_EASTERN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f々"
# Words of languages that write spaces between them; single characters of those that do not.
_TOKEN = re.compile(rf"[{_EASTERN}]|(?:(?![{_EASTERN}])\w)+|\s+|.", re.DOTALL)
# A comparison that takes longer is given up for a coarser one.
_TIMEOUT_S = 0.5
MOST_VERSIONS = 100  # that are listed

SAME, GONE, NEW = "same", "gone", "new"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text: SAME, GONE (only before) or NEW (only after)."""

    kind: str
    text: str


def text_diff(before: str, after: str) -> tuple[Piece, ...]:
    """Both texts as one: words are compared as wholes, Japanese and Chinese by characters. Without the new
    pieces it is ``before``, without the gone ones ``after``."""
    signs: dict[str, str] = {}

    def coded(text: str) -> str:
        found = []
        for token in _TOKEN.findall(text):
            if token not in signs:
                place = len(signs) + 1
                signs[token] = chr(place if place < 0xD800 else place + 0x800)
            found.append(signs[token])
        return "".join(found)

    engine = diff_match_patch()
    engine.Diff_Timeout = _TIMEOUT_S
    one, other = coded(before), coded(after)
    changes = engine.diff_main(one, other, False)
    engine.diff_cleanupSemantic(changes)
    words = {sign: token for token, sign in signs.items()}
    kinds = {0: SAME, -1: GONE, 1: NEW}
    return tuple(Piece(kinds[kind], "".join(words[sign] for sign in text)) for kind, text in changes)


@dataclass(frozen=True, slots=True)
class ImageDiff:
    """An image of either side. ``was``: its description before, None where that is as it was."""

    kind: str
    asset: MediaAsset | None  # None: it is no longer there
    alt: str
    was: str | None = None


@dataclass(frozen=True, slots=True)
class PartDiff:
    kind: str
    pieces: tuple[Piece, ...]
    images: tuple[ImageDiff, ...]
    card_before: LinkCard | None
    card_after: LinkCard | None
    guard_before: tuple[str, bool] = ("", False)  # the warning, and whether media are covered
    guard_after: tuple[str, bool] = ("", False)

    @property
    def is_card_changed(self) -> bool:
        return self.card_before != self.card_after

    @property
    def is_guard_changed(self) -> bool:
        return self.guard_before != self.guard_after

    @property
    def is_changed(self) -> bool:
        return (
            self.kind != SAME
            or self.is_card_changed
            or self.is_guard_changed
            or any(piece.kind != SAME for piece in self.pieces)
            or any(image.kind != SAME or image.was is not None for image in self.images)
        )


@dataclass(frozen=True, slots=True)
class ScopeDiff:
    """The common text ("" as name), or what one account gets instead."""

    name: str
    platform: str
    kind: str  # NEW or GONE: only one side has words of its own for this account
    parts: tuple[PartDiff, ...]

    @property
    def is_changed(self) -> bool:
        return any(part.is_changed for part in self.parts)


@dataclass(frozen=True, slots=True)
class SettingDiff:
    """What is said of the post on one account besides, in words, "" where nothing is."""

    account: str
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ContentDiff:
    scopes: tuple[ScopeDiff, ...]
    accounts_gone: tuple[str, ...]
    accounts_new: tuple[str, ...]
    settings: tuple[SettingDiff, ...] = ()

    @property
    def is_changed(self) -> bool:
        return bool(self.accounts_gone or self.accounts_new or self.settings) or any(
            one.is_changed for one in self.scopes
        )


def content_diff(before: Content, after: Content, assets: Mapping[uuid.UUID, MediaAsset]) -> ContentDiff:
    """``assets``: the images of both sides that are still there. An account that gets words of its own on one
    side only is compared with the common text of the other, which it got there."""
    earlier = {account["id"]: account for account in before["accounts"]}
    later = {account["id"]: account for account in after["accounts"]}
    scopes = [ScopeDiff("", "", SAME, _parts_diff(_parts(before["parts"]), _parts(after["parts"]), assets))]
    for pk in sorted({*before["own"], *after["own"]}):
        account = later.get(pk) or earlier.get(pk)
        if account is None:
            continue
        one = before["own"].get(pk, before["parts"])
        other = after["own"].get(pk, after["parts"])
        kind = NEW if pk not in before["own"] else GONE if pk not in after["own"] else SAME
        parts = _parts_diff(_parts(one), _parts(other), assets)
        scopes.append(ScopeDiff(account["name"], account["platform"], kind, parts))
    return ContentDiff(
        scopes=tuple(scopes),
        accounts_gone=tuple(one["name"] for pk, one in earlier.items() if pk not in later),
        accounts_new=tuple(one["name"] for pk, one in later.items() if pk not in earlier),
        settings=tuple(_setting_diffs(before, after)),
    )


def _setting_diffs(before: Content, after: Content) -> Iterator[SettingDiff]:
    """Of accounts on both sides. One query where anything differs."""
    both = {one["id"] for one in before["accounts"]} & {one["id"] for one in after["accounts"]}
    earlier, later = before.get("settings", {}), after.get("settings", {})
    differing = [pk for pk in sorted(both) if earlier.get(pk, {}) != later.get(pk, {})]
    accounts = SocialAccount.objects.in_bulk(differing) if differing else {}
    for pk in differing:
        account = accounts.get(uuid.UUID(pk))
        if account is None:
            continue
        for field in account.info.post_fields:
            one, other = (side.get(pk, {}).get(field.name) for side in (earlier, later))
            if one != other:
                was, now = (_said(field, account, answer) for answer in (one, other))
                yield SettingDiff(account.handle, _(field.label), was, now)


def _said(field: PostField, account: SocialAccount, answer: Answer | None) -> str:
    return answer_in_words(field, account.options, default_of(field) if answer is None else answer)


def _parts(value: Any) -> Parts:
    return parts_from_json(value)


def _parts_diff(before: Parts, after: Parts, assets: Mapping[uuid.UUID, MediaAsset]) -> tuple[PartDiff, ...]:
    return tuple(_part_diffs(before, after, assets))


def _part_diffs(
    before: Sequence[Part], after: Sequence[Part], assets: Mapping[uuid.UUID, MediaAsset]
) -> Iterator[PartDiff]:
    nothing = Part()
    for index in range(max(len(before), len(after))):
        one = before[index] if index < len(before) else nothing
        other = after[index] if index < len(after) else nothing
        kind = NEW if index >= len(before) else GONE if index >= len(after) else SAME
        yield PartDiff(
            kind=kind,
            pieces=text_diff(one.text, other.text),
            images=tuple(_image_diffs(one.media, other.media, assets)),
            card_before=one.link_card,
            card_after=other.link_card,
            guard_before=(one.warning, one.is_sensitive),
            guard_after=(other.warning, other.is_sensitive),
        )


def _image_diffs(
    before: Sequence[MediaUse], after: Sequence[MediaUse], assets: Mapping[uuid.UUID, MediaAsset]
) -> Iterator[ImageDiff]:
    earlier = {use.asset: use for use in before}
    later = {use.asset for use in after}
    for use in after:
        was = earlier.get(use.asset)
        kind = SAME if was else NEW
        yield ImageDiff(kind, assets.get(use.asset), use.alt, was.alt if was and was.alt != use.alt else None)
    for use in before:
        if use.asset not in later:
            yield ImageDiff(GONE, assets.get(use.asset), use.alt)


@dataclass(frozen=True, slots=True)
class Standing:
    """One of the contents that can be compared: a kept version, or (``version`` None) the post now."""

    key: str  # its number, or "now"
    content: Content
    at: dt.datetime
    version: PostVersion | None


def standings(post: Post) -> tuple[Standing, ...]:
    """What can be compared, the latest first; the post as it is now where no version says the same. Three
    queries."""
    versions = list(
        PostVersion.objects.filter(post=post).select_related("saved_by").order_by("-number")[:MOST_VERSIONS]
    )
    found = [Standing(str(row.number), row.content, row.created_at, row) for row in versions]
    now = content_of(post)
    if not versions or versions[0].fingerprint != fingerprint(now):
        found.insert(0, Standing("now", now, post.updated_at, None))
    return tuple(found)


def assets_of(post: Post, *contents: Content) -> dict[uuid.UUID, MediaAsset]:
    """The images that these contents use, as far as they are still there. One query."""
    used = {
        use.asset
        for content in contents
        for parts in (content["parts"], *content["own"].values())
        for part in parts_from_json(parts)
        for use in part.media
    }
    return MediaAsset.objects.filter(brand=post.brand_id).in_bulk(list(used)) if used else {}
