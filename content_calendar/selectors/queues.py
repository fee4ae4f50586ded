"""What stands in the slots of accounts, and which of them are free."""

from __future__ import annotations

import datetime as dt
import uuid
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from django.db.models import Count, Exists, OuterRef, QuerySet

from accounts.models import Brand, Membership, SocialAccount
from connectors.base import PlatformInfo
from content_calendar.models import Queue, Slot, Variant
from content_calendar.selectors.states import LIVE_STATES
from content_calendar.weekly import EXTENT, Shift, WeekTime, moments, shifts
from outbox.models import Delivery, DeliveryKind, DeliveryState

# How far ahead a free slot is looked for, and in what steps.
HORIZON = dt.timedelta(weeks=26)
_STEP = dt.timedelta(weeks=4)
MOST_FREE = 300  # free slots that one answer of the calendar tells


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A moment at which a brand's accounts have a slot that is free."""

    at: dt.datetime
    brand_id: uuid.UUID
    accounts: tuple[uuid.UUID, ...]


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One account's queue in the list; ``next_free`` is None without a free slot in the coming half year."""

    account: SocialAccount
    info: PlatformInfo
    slot_count: int
    is_paused: bool
    next_free: dt.datetime | None


def occupied(
    brand_id: uuid.UUID,
    accounts: Collection[uuid.UUID],
    start: dt.datetime,
    end: dt.datetime,
    *,
    but: uuid.UUID | None = None,
) -> Mapping[uuid.UUID, list[dt.datetime]]:
    """When posts of these accounts stand in [start, end), by account and in order: what is or was in the
    schedule, and drafts with a time. ``but``: a post that does not count. Two queries."""
    rows = Delivery.objects.filter(
        brand_id=brand_id,
        account_id__in=accounts,
        kind=DeliveryKind.POST,
        due_at__gte=start,
        due_at__lt=end,
    ).exclude(state=DeliveryState.CANCELLED)
    live = Variant.objects.filter(post=OuterRef("post"), delivery__state__in=LIVE_STATES)
    drafts = Variant.objects.filter(
        ~Exists(live),
        account_id__in=accounts,
        post__brand_id=brand_id,
        post__planned_at__gte=start,
        post__planned_at__lt=end,
        post__deleted_at__isnull=True,
        post__is_template=False,
    )
    if but is not None:
        rows = rows.exclude(variant__post_id=but)
        drafts = drafts.exclude(post_id=but)
    found: dict[uuid.UUID, list[dt.datetime]] = defaultdict(list)
    for account, at in rows.values_list("account_id", "due_at"):
        found[account].append(at)
    for account, planned_at in drafts.values_list("account_id", "post__planned_at"):
        if planned_at is not None:
            found[account].append(planned_at)
    return {account: sorted(times) for account, times in found.items()}


def _is_free(times: list[dt.datetime], start: dt.datetime, end: dt.datetime) -> bool:
    index = bisect_left(times, start)
    return index == len(times) or times[index] >= end


def offered_times(accounts: Collection[uuid.UUID]) -> Mapping[uuid.UUID, list[WeekTime]]:
    """The slots of those of these accounts that are connected and whose queue is not paused."""
    found: dict[uuid.UUID, list[WeekTime]] = defaultdict(list)
    for slot in Slot.objects.offered().filter(account_id__in=accounts):
        found[slot.account_id].append(slot.week_time)
    return found


def next_free(
    brand: Brand,
    accounts: Collection[uuid.UUID],
    after: dt.datetime,
    *,
    but: uuid.UUID | None = None,
) -> dt.datetime | None:
    """The earliest slot after ``after`` of any of the accounts at which none of them has a post, within
    HORIZON. None when there is none, or no account has slots."""
    times = offered_times(accounts)
    start, last = after, after + HORIZON
    while times and start < last:
        end = min(start + _STEP, last)
        taken = occupied(brand.pk, accounts, start, end + EXTENT, but=but)
        # A little more than the step: where its last slot ends, another one may begin.
        own = {pk: list(moments(each, brand.timezone, start, end + EXTENT)) for pk, each in times.items()}
        for at in sorted(set(chain.from_iterable(own.values()))):
            if after < at < end and all(
                _is_free(taken.get(pk, []), at, _end_of(at, own.get(pk, []))) for pk in accounts
            ):
                return at
        start = end
    return None


def _end_of(at: dt.datetime, slots: list[dt.datetime]) -> dt.datetime:
    """Until when a post at ``at`` takes an account's slot: EXTENT later, or where the next one begins."""
    index = bisect_right(slots, at)
    return min(at + EXTENT, slots[index]) if index < len(slots) else at + EXTENT


def free_slots(
    brands: Iterable[Brand],
    start: dt.datetime,
    end: dt.datetime,
    *,
    accounts: Collection[uuid.UUID] | None = None,
) -> list[FreeSlot]:
    """The free slots in [start, end) of these brands' accounts (of ``accounts`` only, if given), by time; at
    most MOST_FREE. One query, and two for each brand that has slots."""
    by_brand = {brand.pk: brand for brand in brands}
    rows = Slot.objects.offered().filter(account__brand_id__in=by_brand).select_related("account")
    if accounts is not None:
        rows = rows.filter(account_id__in=accounts)
    slots: dict[uuid.UUID, dict[uuid.UUID, list[WeekTime]]] = defaultdict(lambda: defaultdict(list))
    for slot in rows.order_by("account__platform", "account__handle"):
        slots[slot.account.brand_id][slot.account_id].append(slot.week_time)
    free: dict[tuple[dt.datetime, uuid.UUID], list[uuid.UUID]] = defaultdict(list)
    for brand_id, by_account in slots.items():
        zone = by_brand[brand_id].timezone
        taken = occupied(brand_id, by_account, start, end + EXTENT)
        for account, times in by_account.items():
            own = list(moments(times, zone, start, end + EXTENT))
            for at in own:
                if at < end and _is_free(taken.get(account, []), at, _end_of(at, own)):
                    free[at, brand_id].append(account)
    found = [FreeSlot(at, brand_id, tuple(own)) for (at, brand_id), own in sorted(free.items())]
    return found[:MOST_FREE]


def queue_accounts(membership: Membership, brand: Brand | None) -> QuerySet[SocialAccount]:
    """Connected accounts with ``slot_count``, for ``queue_row``."""
    rows = SocialAccount.objects.for_member(membership).connected()
    if brand is not None:
        rows = rows.for_brand(brand)
    return (
        rows.select_related("brand", "queue")
        .annotate(slot_count=Count("slots"))
        .order_by("brand__name", "platform", "handle")
    )


def queue_row(account: SocialAccount, now: dt.datetime) -> QueueRow:
    """Of an account from ``queue_accounts``."""
    queue = getattr(account, "queue", None)
    count: int = account.slot_count  # type: ignore[attr-defined]
    is_paused = queue is not None and queue.paused_at is not None
    return QueueRow(
        account=account,
        info=account.info,
        slot_count=count,
        is_paused=is_paused,
        next_free=next_free(account.brand, [account.pk], now) if count and not is_paused else None,
    )


def paused_since(account: SocialAccount) -> dt.datetime | None:
    row = Queue.objects.filter(account=account).first()
    return row.paused_at if row is not None else None


def week_of(account: SocialAccount) -> list[list[Slot]]:
    """The slots of each weekday, from Monday on, by time."""
    week: list[list[Slot]] = [[] for _day in range(7)]
    for slot in Slot.objects.filter(account=account).order_by("wall_time"):
        week[slot.weekday].append(slot)
    return week


def coming_shifts(account: SocialAccount, today: dt.date) -> list[Shift]:
    """The days of the coming year on which a change of the clocks touches a slot."""
    times = [slot.week_time for slot in Slot.objects.filter(account=account)]
    return shifts(times, account.brand.timezone, today, 366)
