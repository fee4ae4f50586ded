"""Posts as the rows of a table, in the columns that an import understands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Func, IntegerField, Max, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Brand, Membership
from campaigns.models import Campaign
from content_calendar.content import Part, parts_from_json
from content_calendar.import_columns import KEYS, MOST_PARTS, STATES, Wanted, header_word, parted
from content_calendar.models import Post
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


def posts_table(membership: Membership, brand: Brand | None, wanted: PostFilter, *, language: str) -> Table:
    """The posts that the filter leaves, by brand and then by time. Beside the columns of the import it has
    some that are only to be read. Raises TooMany."""
    brands = [brand] if brand else list(Brand.objects.for_member(membership).order_by("name"))
    found = [(one, matching(one.pk, wanted)) for one in brands]
    if sum(rows.order_by()[: MOST_POSTS + 1].count() for _brand, rows in found) > MOST_POSTS:
        raise TooMany
    most = max([_most_parts(rows) for _brand, rows in found], default=1)
    keys = tuple(key for key in KEYS if parted(key)[1] <= min(most, MOST_PARTS))
    told = (_("Brand"), _("Author"), _("Shown as"), _("Own words for"))
    header = (*(header_word(key, language) for key in keys), *told)
    return Table(header, _rows(found, keys, _Words.in_language(language)))


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


def _most_parts(rows: QuerySet[Post]) -> int:
    length = Func("parts", function="jsonb_array_length", output_field=IntegerField())
    return rows.order_by().aggregate(most=Max(length))["most"] or 1


def _rows(
    found: Sequence[tuple[Brand, QuerySet[Post]]], keys: Sequence[str], words: _Words
) -> Iterator[tuple[str, ...]]:
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
            values = _values(post, brand.timezone, twice, words)
            told = (brand.name, str(post.author or ""), words.states[row_of(post).state], _own(post))
            yield (*(values.get(key, "") for key in keys), *told)


def _values(post: Post, zone: str, ambiguous: set[str], words: _Words) -> dict[str, str]:
    state = row_of(post).state
    values = dict.fromkeys(("date", "time"), "") | _moment(next_time(post), zone)
    for number, part in enumerate(parts_from_json(post.parts), start=1):
        ending = "" if number == 1 else f"_{number}"
        values |= {
            f"text{ending}": part.text,
            f"media{ending}": "\n".join(asset_address(use.asset) for use in part.media),
            f"alt{ending}": "\n".join(" ".join(use.alt.split()) for use in part.media),
        }
        values |= _card(part) if number == 1 else {}
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
    return {"card_url": card.url, "card_title": card.title, "card_description": card.description}


def _own(post: Post) -> str:
    """The accounts with words of their own, which a table has no room for."""
    own: list[Any] = [variant.account for variant in post.variants.all() if variant.parts is not None]
    return "; ".join(str(account) for account in own)
