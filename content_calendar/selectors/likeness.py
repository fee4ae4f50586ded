"""Whether an account had the same words lately, or has them planned (outbox.wording)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.models import SocialAccount
from content_calendar.content import Parts, thread_of
from outbox.models import Delivery, DeliveryState
from outbox.wording import MOST_BITS, NEARLY, Mark, is_near, likeness, mark, text_of

# People have seen, and remember, what stood there within so long.
LATELY = dt.timedelta(days=90)
# The words went out, or will unless somebody says otherwise.
_COUNTED = [
    state.value
    for state in DeliveryState
    if state not in (DeliveryState.CANCELLED, DeliveryState.FAILED, DeliveryState.MISSED)
]
# Candidates whose texts are read and compared, for all accounts of a post together.
_MOST = 60
# What a check of planned posts looks back at, and how many texts it compares with each of them.
_MOST_LATELY = 20_000
_MOST_COMPARED = 5

# The window of one account's rows is read from the index ``delivery_words`` alone (OFFSET 0 keeps the planner
# from mixing the two steps); the rows themselves are looked at only where the words are the same or the
# sketch is near. `#` is exclusive or: bit_count counts the bits that differ.
_SQL = """
    SELECT found.id, asked.account_id, found.words_hash = asked.words_hash
    FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[]) AS asked (account_id, words_hash, words_sketch)
    CROSS JOIN LATERAL (
        SELECT known.* FROM (
            SELECT id, due_at, words_hash,
                   bit_count((words_sketch # asked.words_sketch)::bit(64)) AS differing
            FROM outbox_delivery
            WHERE account_id = asked.account_id AND words_hash IS NOT NULL AND due_at >= %s
              AND (words_hash = asked.words_hash
                   OR asked.words_sketch <> 0 AND words_sketch <> 0
                      AND bit_count((words_sketch # asked.words_sketch)::bit(64)) <= %s)
            OFFSET 0
        ) AS known
        JOIN outbox_delivery AS delivery ON delivery.id = known.id
        WHERE delivery.state = ANY(%s) AND delivery.kind = 'post'
        ORDER BY known.words_hash = asked.words_hash DESC, known.differing, known.due_at DESC
        LIMIT %s
    ) AS found
    ORDER BY 3 DESC, found.due_at DESC
    LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Alike:
    """A post of the same account with the same words, or (``is_same`` False) nearly the same ones."""

    account: SocialAccount
    delivery: Delivery  # with its variant
    is_same: bool

    @property
    def at(self) -> dt.datetime:
        return self.delivery.sent_at or self.delivery.due_at

    @property
    def is_sent(self) -> bool:
        return self.delivery.sent_at is not None


def alike(
    contents: Iterable[tuple[SocialAccount, Parts]], *, now: dt.datetime, besides: UUID | None = None
) -> list[Alike]:
    """Of each account the most recent post that is the same, else one that is nearly so; sent since
    ``LATELY``, or planned. ``besides``: the post that is being written. Two queries, whatever the number of
    posts (docs/performance.md)."""
    marked: dict[UUID, tuple[SocialAccount, str, Mark]] = {}
    marks: dict[str, Mark | None] = {}
    for account, parts in contents:
        words = "\n".join(part.text for part in thread_of(parts))
        if words not in marks:  # most accounts get the same words
            marks[words] = mark(words)
        if made := marks[words]:
            marked[account.pk] = (account, words, made)
    if not marked:
        return []
    rows = _candidates(marked, since=now - LATELY)
    ids = [pk for pk, _account, _same in rows]
    deliveries = Delivery.objects.select_related("variant__post").in_bulk(ids)
    found: dict[UUID, Alike] = {}
    for pk, account_id, is_same in rows:
        delivery = deliveries.get(pk)
        if delivery is None or account_id in found or _is_of(delivery, besides):
            continue
        account, words, _mark = marked[account_id]
        if is_same or likeness(words, text_of(delivery.payload)) >= NEARLY:
            found[account_id] = Alike(account, delivery, is_same)
    return list(found.values())


def _candidates(
    marked: Mapping[UUID, tuple[SocialAccount, str, Mark]], *, since: dt.datetime
) -> Sequence[tuple[UUID, UUID, bool]]:
    marks = [made for _account, _words, made in marked.values()]
    parameters: list[Any] = [
        list(marked),
        [made.hash for made in marks],
        [made.sketch for made in marks],
        since,
        MOST_BITS,
        _COUNTED,
        8,
        _MOST,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_SQL, parameters)
        rows: list[tuple[UUID, UUID, bool]] = cursor.fetchall()
    return rows


def _is_of(delivery: Delivery, post: UUID | None) -> bool:
    """Whether the delivery is of this post, or of one that was deleted."""
    variant = getattr(delivery, "variant", None)
    if variant is None:
        return False
    return variant.post_id == post or variant.post.deleted_at is not None


@dataclass(frozen=True, slots=True)
class Before:
    """When the words of a planned post stand there already."""

    at: dt.datetime
    is_same: bool


def had_before(deliveries: Sequence[Delivery], *, now: dt.datetime) -> dict[UUID, Before]:
    """Of planned posts those whose words their account had since ``LATELY``, or has planned before them; by
    the delivery's id. Two queries for all of them."""
    wanted = {one.pk: one for one in deliveries if one.words_hash is not None}
    if not wanted:
        return {}
    last = max(one.due_at for one in wanted.values())
    rows = (
        Delivery.objects.posts()
        .filter(
            account__in={one.account_id for one in wanted.values()},
            words_hash__isnull=False,
            due_at__gte=now - LATELY,
            due_at__lte=last,
            state__in=_COUNTED,
        )
        .order_by("due_at", "pk")
        .values_list("pk", "account_id", "due_at", "words_hash", "words_sketch")[:_MOST_LATELY]
    )
    found: dict[UUID, Before] = {}
    near: dict[UUID, list[tuple[UUID, dt.datetime]]] = {}
    seen: dict[UUID, list[tuple[UUID, dt.datetime, Mark]]] = {}
    for pk, account_id, due_at, hash_, sketch in rows:
        if hash_ is None:
            continue
        own, earlier = Mark(hash_, sketch or 0), seen.setdefault(account_id, [])
        if pk in wanted:
            same = [at for _pk, at, one in earlier if one.hash == own.hash]
            if same:
                found[pk] = Before(same[-1], is_same=True)
            elif alikes := [(other, at) for other, at, one in earlier if is_near(own, one)]:
                near[pk] = alikes[-_MOST_COMPARED:]
        earlier.append((pk, due_at, own))
    others = {other for alikes in near.values() for other, _at in alikes}
    texts = dict(Delivery.objects.filter(pk__in=others).values_list("pk", "payload"))
    for pk, alikes in near.items():
        words = text_of(wanted[pk].payload)
        for other, at in reversed(alikes):
            if other in texts and likeness(words, text_of(texts[other])) >= NEARLY:
                found[pk] = Before(at, is_same=False)
                break
    return found
