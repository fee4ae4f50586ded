"""The queue: posting slots of accounts, and posts that take the next one that is free."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import SocialAccount, User
from accounts.services.audit import record
from content_calendar.models import Post, Queue, Slot
from content_calendar.selectors.queues import next_free, offered_times
from content_calendar.services.scheduling import NoAccountChosen, move_post, schedule_post

MOST_SLOTS = 200  # of one account


class NoSlots(Exception):
    """None of the accounts has a slot that is offered: there are none, or their queues are paused."""


class NoFreeSlot(Exception):
    """Every slot of the coming half year is taken."""


class TooManySlots(Exception):
    """An account would have more slots than MOST_SLOTS."""


class OtherBrand(Exception):
    """Slots are copied between accounts of one brand: another one may live in another zone."""


def add_slots(
    *, account: SocialAccount, weekdays: Collection[int], time: dt.time, actor: User, now: dt.datetime
) -> int:
    """A slot at ``time`` on each of these weekdays (0 is Monday); those that are there stay. Returns how many
    are new. Raises TooManySlots."""
    with transaction.atomic():
        lock_queues([account.pk])
        added = _add(account, [(day, time) for day in weekdays])
        if added:
            _audit(account, "queue.slots_added", actor, now, count=added)
    return added


def remove_slot(*, slot: Slot, actor: User, now: dt.datetime) -> None:
    """Offered no longer; what stands in it keeps its time."""
    with transaction.atomic():
        lock_queues([slot.account_id])
        if Slot.objects.filter(pk=slot.pk).delete()[0]:
            _audit(
                slot.account, "queue.slot_removed", actor, now, time=f"{slot.weekday} {slot.wall_time:%H:%M}"
            )


def copy_slots(*, source: SocialAccount, target: SocialAccount, actor: User, now: dt.datetime) -> int:
    """The slots of one account for another one, too. Returns how many are new. Raises OtherBrand,
    TooManySlots."""
    if source.brand_id != target.brand_id:
        raise OtherBrand
    with transaction.atomic():
        lock_queues([source.pk, target.pk])
        slots = Slot.objects.filter(account=source).values_list("weekday", "wall_time")
        added = _add(target, list(slots))
        if added:
            _audit(target, "queue.slots_added", actor, now, count=added, source=str(source))
    return added


def pause_queue(*, account: SocialAccount, actor: User, now: dt.datetime) -> None:
    """No slot is offered until ``resume_queue``. What is scheduled already goes out."""
    with transaction.atomic():
        (queue,) = lock_queues([account.pk])
        if queue.paused_at is None:
            queue.paused_at = now
            queue.save(update_fields=["paused_at"])
            _audit(account, "queue.paused", actor, now)


def resume_queue(*, account: SocialAccount, actor: User, now: dt.datetime) -> None:
    with transaction.atomic():
        (queue,) = lock_queues([account.pk])
        if queue.paused_at is not None:
            queue.paused_at = None
            queue.save(update_fields=["paused_at"])
            _audit(account, "queue.resumed", actor, now)


def take_slot(
    *,
    post: Post,
    actor: User,
    now: dt.datetime,
    after: dt.datetime | None = None,
    schedules: bool = True,
) -> dt.datetime:
    """The next free slot (after ``after``, if that is still to come) for this post on all its accounts: one
    moment that is a slot of any of them, and at which none has another post. With ``schedules`` the post goes
    into the schedule, else it stays a draft with that time. Two who ask at once get two slots.

    Returns the moment. Raises NoAccountChosen, NoSlots, NoFreeSlot, and as ``schedule_post`` or
    ``move_post``.
    """
    with transaction.atomic():
        accounts = list(post.variants.values_list("account_id", flat=True))
        if not accounts:
            raise NoAccountChosen
        lock_queues(accounts)
        at = next_free(post.brand, accounts, max(now, after or now), but=post.pk)
        if at is None:
            raise NoFreeSlot if offered_times(accounts) else NoSlots
        if schedules:
            schedule_post(post=post, at=at, actor=actor, now=now)
        else:
            move_post(post=post, at=at, actor=actor, now=now)
    return at


def lock_queues(accounts: Collection[UUID]) -> list[Queue]:
    """The queues of these accounts, this transaction's until it ends. Always in one order: two who want the
    same ones wait for each other and do not block each other."""
    Queue.objects.bulk_create([Queue(account_id=pk) for pk in sorted(accounts)], ignore_conflicts=True)
    return list(Queue.objects.select_for_update().filter(pk__in=accounts).order_by("pk"))


def _add(account: SocialAccount, wanted: Collection[tuple[int, dt.time]]) -> int:
    present = set(Slot.objects.filter(account=account).values_list("weekday", "wall_time"))
    fresh = set(wanted) - present
    if len(present) + len(fresh) > MOST_SLOTS:
        raise TooManySlots
    Slot.objects.bulk_create(
        [Slot(account=account, weekday=day, wall_time=time) for day, time in sorted(fresh)]
    )
    return len(fresh)


def _audit(account: SocialAccount, action: str, actor: User, now: dt.datetime, **detail: Any) -> None:
    record(
        organization=account.brand.organization,
        actor=actor,
        action=action,
        subject=account,
        detail=detail,
        now=now,
    )
