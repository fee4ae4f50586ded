"""The list of conversations with its filters."""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.models import Brand, Membership, SocialAccount
from connectors.base import PlatformInfo
from core.bigrams import folded, wanted_grams
from core.time import to_local
from engagement.models import Conversation, ConversationKind, ConversationState, Message
from engagement.selectors.needs import SOON
from engagement.selectors.ratings import Rating, ratings_of
from outbox.models import DeliveryState

PAGE_SIZE = 50
# A search looks at the newest messages that fit, so that a common word costs no more than a rare one.
MOST_FOUND = 1000
STUCK = (DeliveryState.FAILED, DeliveryState.UNCERTAIN, DeliveryState.MISSED, DeliveryState.HELD)


class Whose(enum.StrEnum):
    ANYBODY = ""
    MINE = "mine"
    NOBODY = "nobody"


class Order(enum.StrEnum):
    NEWEST = "newest"
    DUE = "due"  # those who wait, the most urgent first


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """What the address asks for. ``state`` None: all of them."""

    state: ConversationState | None = ConversationState.OPEN
    whose: Whose = Whose.ANYBODY
    platform: str = ""
    account: uuid.UUID | None = None
    kind: ConversationKind | None = None
    text: str = ""
    order: Order = Order.NEWEST

    @property
    def is_plain(self) -> bool:
        """Whether it leaves everything of its state."""
        return not (self.whose or self.platform or self.account or self.kind or self.text)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ends: the time by which it is sorted, and the id."""

    at: dt.datetime
    id: uuid.UUID

    def __str__(self) -> str:
        return f"{self.at.isoformat()}_{self.id}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """None for what is none."""
        at, _, pk = text.partition("_")
        try:
            instant = dt.datetime.fromisoformat(at)
            return cls(instant, uuid.UUID(pk)) if instant.tzinfo else None
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """One line of the list; ``stuck`` is the state of an own message that a person has to look at. Times of
    today (in the brand's zone) need no date."""

    conversation: Conversation
    network: PlatformInfo
    is_overdue: bool
    is_soon: bool
    is_today: bool
    is_due_today: bool
    stuck: str
    rating: Rating | None = None  # of a review


@dataclass(frozen=True, slots=True)
class InboxPageOf:
    """A page of the list. ``older`` leads to the next one; ``tag`` changes whenever something on it does."""

    rows: tuple[ConversationRow, ...]
    older: Cursor | None
    is_first: bool
    tag: str
    is_cut: bool = False  # a search found more messages than are looked through


@dataclass(frozen=True, slots=True)
class Outline:
    """The ids of a page with what tells whether it changed: one query, or two for a search."""

    ids: tuple[uuid.UUID, ...]
    older: Cursor | None
    is_first: bool
    tag: str
    is_cut: bool = False


def outline(
    membership: Membership,
    brand: Brand | None,
    wanted: InboxFilter,
    *,
    before: Cursor | None = None,
    now: dt.datetime,
    size: int = PAGE_SIZE,
) -> Outline:
    """Which conversations stand on the page after ``before``, and the tag of what it shows."""
    brands = [brand.pk] if brand else list(Brand.objects.for_member(membership).values_list("pk", flat=True))
    found, is_cut = _search(membership, brands, wanted.text)
    parts = _parts(membership.user_id, brands, wanted, found)
    rows = _merged(parts, wanted, before, size + 1)
    shown = rows[:size]
    older = Cursor(shown[-1][1], shown[-1][0]) if len(rows) > size else None
    marks = [f"{pk}.{version}.{due_at is not None and due_at <= now}" for pk, _at, version, due_at in shown]
    tag = hashlib.sha256("|".join([*marks, str(older), str(is_cut)]).encode()).hexdigest()[:20]
    return Outline(tuple(pk for pk, *_rest in shown), older, before is None, tag, is_cut)


Line = tuple[uuid.UUID, dt.datetime, int, dt.datetime | None]  # id, sorted by, version, due_at


def _merged(
    parts: Sequence[QuerySet[Conversation]], wanted: InboxFilter, before: Cursor | None, most: int
) -> list[Line]:
    """The first lines after ``before``. Each part comes in the order of its own index: sorting all
    conversations of all brands would read every one."""
    is_due = wanted.order is Order.DUE
    column, direction = ("due_at", "") if is_due else ("last_message_at", "-")
    order = (f"{direction}{column}", f"{direction}pk")
    after = _after(before, column, direction)
    sorted_parts = [
        part.filter(after).order_by(*order).values_list("pk", column, "version", "due_at")[:most]
        for part in parts
    ]
    if not sorted_parts:
        return []
    if len(sorted_parts) == 1:
        return list(sorted_parts[0])
    return list(sorted_parts[0].union(*sorted_parts[1:], all=True).order_by(*order)[:most])


def _after(before: Cursor | None, column: str, direction: str) -> Q:
    if before is None:
        return Q()
    side = "lt" if direction else "gt"
    return Q(**{f"{column}__{side}": before.at}) | Q(**{column: before.at, f"pk__{side}": before.id})


def _parts(
    user_id: int,
    brands: Sequence[uuid.UUID],
    wanted: InboxFilter,
    found: Collection[uuid.UUID] | None,
) -> list[QuerySet[Conversation]]:
    """What the filter leaves, by brand or account and state: each an index of its own."""
    # Nobody but the account itself has written in those without an identity: parts of own threads, say.
    rows = Conversation.objects.filter(identity__isnull=False)
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.whose is Whose.NOBODY:
        rows = rows.filter(assignee__isnull=True)
    if wanted.order is Order.DUE:
        rows = rows.filter(due_at__isnull=False)
    if found is not None:
        rows = rows.filter(pk__in=found)
    states = [wanted.state] if wanted.state else list(ConversationState)
    accounts = _accounts(brands, wanted)
    if wanted.whose is Whose.MINE:
        rows = rows.filter(assignee=user_id, brand_id__in=brands)
        rows = rows if accounts is None else rows.filter(account_id__in=accounts)
        return [rows.filter(state=state) for state in states]
    if accounts is not None:
        return [rows.filter(account_id=pk, state=state) for pk in accounts for state in states]
    return [rows.filter(brand_id=pk, state=state) for pk in brands for state in states]


def _accounts(brands: Sequence[uuid.UUID], wanted: InboxFilter) -> list[uuid.UUID] | None:
    """The accounts that the filter leaves, None when it says nothing about them."""
    if not wanted.account and not wanted.platform:
        return None
    rows = SocialAccount.objects.filter(brand_id__in=brands)
    if wanted.account:
        rows = rows.filter(pk=wanted.account)
    if wanted.platform:
        rows = rows.filter(platform=wanted.platform)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _search(
    membership: Membership, brands: Sequence[uuid.UUID], text: str
) -> tuple[set[uuid.UUID] | None, bool]:
    """Conversations with a message that has all of these words, in its text or its author's name; None
    without words. And whether there were more than are looked through."""
    words = folded(text).split()
    if not words:
        return None, False
    accounts = SocialAccount.objects.for_member(membership).filter(brand_id__in=brands)
    rows = Message.objects.filter(
        account_id__in=list(accounts.values_list("pk", flat=True)), search_grams__contains=wanted_grams(words)
    )
    for word in words:
        rows = rows.filter(search_text__contains=word)
    ids = list(rows.order_by("-written_at").values_list("conversation_id", flat=True)[: MOST_FOUND + 1])
    return set(ids[:MOST_FOUND]), len(ids) > MOST_FOUND


def page_of_outline(outlined: Outline, *, now: dt.datetime) -> InboxPageOf:
    """The rows themselves: two queries, and one where there are reviews."""
    rows = Conversation.objects.filter(pk__in=outlined.ids).select_related(
        "identity", "account", "brand", "assignee"
    )
    found = {row.pk: row for row in rows}
    stuck = dict(
        Message.objects.unsettled()
        .filter(conversation__in=outlined.ids, delivery__state__in=STUCK)
        .values_list("conversation_id", "delivery__state")
    )
    ratings = ratings_of(found.values())
    return InboxPageOf(
        rows=tuple(
            _row(found[pk], stuck.get(pk, ""), ratings.get(pk), now) for pk in outlined.ids if pk in found
        ),
        older=outlined.older,
        is_first=outlined.is_first,
        tag=outlined.tag,
        is_cut=outlined.is_cut,
    )


def _row(row: Conversation, stuck: str, rating: Rating | None, now: dt.datetime) -> ConversationRow:
    zone = row.brand.timezone
    today = to_local(now, zone).date()
    return ConversationRow(
        conversation=row,
        network=row.account.info,
        is_overdue=row.due_at is not None and row.due_at <= now,
        is_soon=row.due_at is not None and row.due_at <= now + SOON,
        is_today=to_local(row.last_message_at, zone).date() == today,
        is_due_today=row.due_at is not None and to_local(row.due_at, zone).date() == today,
        stuck=stuck,
        rating=rating,
    )


def count_open(membership: Membership, brand: Brand | None) -> int:
    """How many conversations are open."""
    rows = Conversation.objects.for_brand(brand) if brand else Conversation.objects.for_member(membership)
    return rows.open().filter(identity__isnull=False).count()
