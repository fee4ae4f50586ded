"""Posts as the rows of a table, in the columns that an import understands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Brand, Membership
from campaigns.models import Campaign
from connectors.base import PlatformInfo, PostField
from content_calendar.content import Part, parts_from_json
from content_calendar.import_columns import KEYS, MOST_PARTS, STATES, YES_WORDS, Wanted, header_word, parted
from content_calendar.import_details import answer_for_file, detail_fields
from content_calendar.models import Post, PostExport, Variant
from content_calendar.selectors.imports import asset_address
from content_calendar.selectors.posts import PostFilter, matching, next_time, row_of, with_variants
from content_calendar.selectors.states import UNSCHEDULED_STATES, PostState
from core.time import to_local

MOST_POSTS = 50_000
_CHUNK = 500


class TooMany(Exception):
    """More than MOST_POSTS match."""


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` are read from the database while they are taken, in whatever language is active then; their
    words were chosen before."""

    header: tuple[str, ...]
    rows: Iterator[tuple[str, ...]]
    count: int  # of the rows, when they were counted
    brands: tuple[Brand, ...]


def posts_table(membership: Membership, brand: Brand | None, wanted: PostFilter, *, language: str) -> Table:
    """The posts that the filter leaves, by brand and then by time. Beside the columns of the import it has
    some that are only to be read. Raises TooMany."""
    found = _found(membership, brand, wanted)
    count = _count(found)
    details = _details(found)
    keys = (*_keys(found), *details)
    told = (_("Brand"), _("Author"), _("Shown as"), _("Own words for"))
    header = (*(header_word(key, language) for key in keys), *told)
    brands = tuple(one for one, _posts in found)
    return Table(header, _rows(found, keys, details, _Words.in_language(language)), count, brands)


def posts_count(membership: Membership, brand: Brand | None, wanted: PostFilter) -> int:
    """How many rows ``posts_table`` would have. Raises TooMany."""
    return _count(_found(membership, brand, wanted))


def member_exports(membership: Membership) -> QuerySet[PostExport]:
    """The files that a member asked for, the latest first."""
    rows = PostExport.objects.for_member(membership).select_related("brand")
    return rows.order_by("-created_at", "-pk")


_Found = Sequence[tuple[Brand, QuerySet[Post]]]


def _found(membership: Membership, brand: Brand | None, wanted: PostFilter) -> _Found:
    brands = [brand] if brand else list(Brand.objects.for_member(membership).order_by("name"))
    return [(one, matching(one.pk, wanted)) for one in brands]


def _count(found: _Found) -> int:
    count = sum(rows.order_by()[: MOST_POSTS + 1].count() for _brand, rows in found)
    if count > MOST_POSTS:
        raise TooMany
    return count


@dataclass(frozen=True, slots=True)
class _Words:
    states: Mapping[PostState, str]
    wanted: Mapping[Wanted, str]

    @classmethod
    def in_language(cls, language: str) -> _Words:
        is_japanese = language.startswith("ja")
        wanted = {
            one: next(
                word for word, meant in STATES.items() if meant is one and word.isascii() != is_japanese
            )
            for one in Wanted
        }
        return cls({state: str(state.label) for state in PostState}, wanted)


# Columns that a table has in any case, whatever its posts say.
_ALWAYS = frozenset(key for key in KEYS if parted(key)[1] == 1) - {
    "comment",
    "card_image",
    "warning",
    "sensitive",
}


def _keys(found: _Found) -> tuple[str, ...]:
    """The columns that these posts need, those of single accounts last."""
    needed, own = set(_ALWAYS), dict[str, set[str]]()
    for _brand, rows in found:
        posts = rows.order_by()
        for parts in posts.values_list("parts", flat=True).iterator(chunk_size=_CHUNK):
            needed |= _said(parts).keys()
        variants = Variant.objects.filter(post__in=posts, parts__isnull=False).order_by()
        said = variants.values_list("account__platform", "account__handle", "parts")
        for platform, handle, parts in said.iterator(chunk_size=_CHUNK):
            own.setdefault(f"{platform}:{handle}", set()).update(_said(parts))
    keys = [key for key in KEYS if key in needed]
    return (*keys, *(f"{key}@{name}" for name in sorted(own) for key in KEYS if key in own[name]))


_Details = Mapping[str, tuple[PlatformInfo, PostField]]


def _details(found: _Found) -> _Details:
    """The columns for what these posts say besides words and media: one of its network, or of each account
    where posts go to several of the network. In the order of the networks."""
    handles, said = dict[str, set[str]](), dict[tuple[str, str], set[str]]()
    for _brand, rows in found:
        variants = Variant.objects.filter(post__in=rows.order_by()).order_by()
        places = variants.values_list("account__platform", "account__handle")
        for platform, handle in places.distinct():
            handles.setdefault(platform, set()).add(handle)
        answered = variants.exclude(settings={}).values_list(
            "account__platform", "account__handle", "settings"
        )
        for platform, handle, answers in answered.iterator(chunk_size=_CHUNK):
            said.setdefault((platform, handle), set()).update(answers)
    needed: dict[str, tuple[PlatformInfo, PostField]] = {}
    for key, (info, field) in detail_fields().items():
        own = [
            handle
            for handle in sorted(handles.get(info.key, ()))
            if field.name in said.get((info.key, handle), ())
        ]
        if own and len(handles[info.key]) == 1:
            needed[key] = (info, field)
        else:
            needed |= {f"{key}@{info.key}:{handle}": (info, field) for handle in own}
    return needed


def _said(value: Any) -> dict[str, str]:
    """What parts say, by their columns: words and images of each, and of cards and comments what there is."""
    values: dict[str, str] = {}
    for number, part in enumerate(parts_from_json(value), start=1):
        if part.warning:
            values["warning"] = part.warning
        if part.is_sensitive:
            values["sensitive"] = YES_WORDS[0]
        if part.is_comment:
            values["comment"] = part.text
            continue
        if number > MOST_PARTS:
            break
        ending = "" if number == 1 else f"_{number}"
        values |= {
            f"text{ending}": part.text,
            f"media{ending}": "\n".join(asset_address(use.asset) for use in part.media),
            f"alt{ending}": "\n".join(" ".join(use.alt.split()) for use in part.media),
        }
        values |= {f"{key}{ending}": text for key, text in _card(part).items() if text}
    return values


def _rows(found: _Found, keys: Sequence[str], details: _Details, words: _Words) -> Iterator[tuple[str, ...]]:
    for brand, posts in found:
        twice = set(
            Campaign.objects.filter(brand=brand)
            .values("name")
            .annotate(n=Count("pk"))
            .filter(n__gt=1)
            .values_list("name", flat=True)
        )
        rows = with_variants(posts).prefetch_related("labels").order_by("planned_at", "pk")
        for post in rows.iterator(chunk_size=_CHUNK):
            values = _values(post, brand.timezone, twice, words) | _answers(post, details)
            told = (brand.name, str(post.author or ""), words.states[row_of(post).state], _own(post))
            yield (*(values.get(key, "") for key in keys), *told)


def _values(post: Post, zone: str, ambiguous: set[str], words: _Words) -> dict[str, str]:
    state = row_of(post).state
    values = dict.fromkeys(("date", "time"), "") | _moment(next_time(post), zone)
    values |= _said(post.parts)
    for variant in post.variants.all():
        name = f"{variant.account.platform}:{variant.account.handle}"
        values |= {f"{key}@{name}": text for key, text in _said(variant.parts or ()).items()}
    accounts = [variant.account for variant in post.variants.all()]
    campaign = post.campaign
    values |= {
        "accounts": "; ".join(f"{account.platform}:{account.handle}" for account in accounts),
        "campaign": ""
        if campaign is None
        else campaign.code
        if campaign.name in ambiguous
        else campaign.name,
        "labels": "; ".join(sorted(label.name for label in post.labels.all())),
        "state": words.wanted[Wanted.DRAFT if state in UNSCHEDULED_STATES else Wanted.SCHEDULE],
        "late": post.missed_rule.key if post.missed_rule else "",
    }
    return values


def _answers(post: Post, details: _Details) -> dict[str, str]:
    """What a post says besides words and media, by its columns."""
    values = {}
    for variant in post.variants.all():
        account = variant.account
        name = f"@{account.platform}:{account.handle}"
        for key, (info, field) in details.items():
            is_meant = info.key == account.platform and ("@" not in key or key.endswith(name))
            if is_meant and field.name in variant.settings:
                values[key] = answer_for_file(field, account.options, variant.settings[field.name])
    return values


def _moment(at: dt.datetime | None, zone: str) -> dict[str, str]:
    """Date and time in the zone; an hour that the clocks have twice says which of both it is."""
    if at is None:
        return {}
    local = to_local(at, zone)
    if local.fold:
        return {"date": local.isoformat(timespec="seconds")}
    return {"date": f"{local:%Y-%m-%d}", "time": f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"}


def _card(part: Part) -> dict[str, str]:
    card = part.link_card
    if card is None:
        return {}
    return {
        "card_url": card.url,
        "card_title": card.title,
        "card_description": card.description,
        "card_image": card.image_url,
    }


def _own(post: Post) -> str:
    """The accounts with words of their own."""
    own: list[Any] = [variant.account for variant in post.variants.all() if variant.parts is not None]
    return "; ".join(str(account) for account in own)
