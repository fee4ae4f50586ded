"""Whose it is, until when it rests, and that it is done."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.models import User
from accounts.permissions import Action
from accounts.selectors import people_allowed
from engagement.models import (
    Assignment,
    Conversation,
    ConversationState,
    EpisodeEnd,
    Note,
)
from engagement.selectors.promises import promise_of
from engagement.services.episodes import replay
from engagement.services.replies import check_seen, lock
from engagement.waiting import Dismissed
from outbox.models import DeliveryState

# An answer in one of these is on its way: whoever waits is being answered.
_UNDER_WAY = (
    DeliveryState.SCHEDULED,
    DeliveryState.CLAIMED,
    DeliveryState.SENDING,
    DeliveryState.PROCESSING,
    DeliveryState.HELD,
)


class StillWaiting(Exception):
    """Somebody waits for an answer, and none is on its way."""


class NotAColleague(Exception):
    """This person may not answer for the brand."""


class NotInFuture(Exception):
    """Nobody can be woken in the past."""


def assign(
    *, conversation: Conversation, assignee: User | None, actor: User, now: dt.datetime
) -> Conversation:
    """Make somebody responsible, or nobody. Raises NotAColleague."""
    with transaction.atomic():
        row = lock(conversation)
        if assignee is not None:
            colleagues = people_allowed(brand=row.brand, action=Action.ANSWER)
            if not colleagues.filter(pk=assignee.pk).exists():
                raise NotAColleague
        if row.assignee_id != (assignee.pk if assignee else None):
            row.assignee = assignee
            row.version += 1
            row.save(update_fields=["assignee", "version"])
            Assignment.objects.create(conversation=row, assignee=assignee, assigned_by=actor, at=now)
    return row


def mark_done(
    *, conversation: Conversation, seen_number: int, without_answer: bool, now: dt.datetime
) -> Conversation:
    """Nothing is left to do, until somebody writes again.

    ``without_answer``: whoever waits needs no answer, and their waiting counts nowhere. Raises NewerMessages
    when something is there that nobody has looked at, and StillWaiting.
    """
    with transaction.atomic():
        row = lock(conversation)
        check_seen(row, seen_number)
        if row.waiting_since is not None and not _is_being_answered(row):
            if not without_answer:
                raise StillWaiting
            replay(
                [row],
                {row.pk: now},
                promise_of(row.brand),
                dismissed={row.pk: Dismissed(now, covers=row.last_number)},
            )
        row.state, row.snoozed_until = ConversationState.DONE, None
        row.version += 1
        row.save()
    return row


def _is_being_answered(row: Conversation) -> bool:
    return row.messages.unsettled().filter(delivery__state__in=_UNDER_WAY).exists()


def reopen(*, conversation: Conversation) -> Conversation:
    """Something is to be done after all. Whoever was said to need no answer waits again, since they wrote."""
    with transaction.atomic():
        row = lock(conversation)
        if row.state == ConversationState.OPEN:
            return row
        last = row.episodes.order_by("-started_at").first()
        is_dismissed = last is not None and last.ended_how == EpisodeEnd.NO_ANSWER_NEEDED
        if last is not None and is_dismissed and row.state == ConversationState.DONE:
            last.ended_at, last.ended_how, last.decided_number = None, "", None
            last.save(update_fields=["ended_at", "ended_how", "decided_number"])
            replay([row], {row.pk: last.started_at}, promise_of(row.brand))
        row.state, row.snoozed_until = ConversationState.OPEN, None
        row.version += 1
        row.save()
    return row


def snooze(
    *, conversation: Conversation, until: dt.datetime, seen_number: int, now: dt.datetime
) -> Conversation:
    """Out of sight until then, or until somebody writes. Whoever waits goes on waiting.

    Raises NotInFuture and NewerMessages.
    """
    if until <= now:
        raise NotInFuture
    with transaction.atomic():
        row = lock(conversation)
        check_seen(row, seen_number)
        row.state, row.snoozed_until = ConversationState.SNOOZED, until
        row.version += 1
        row.save(update_fields=["state", "snoozed_until", "version"])
    return row


def wake_snoozed(*, now: dt.datetime) -> int:
    """Open what has rested long enough. Returns how many."""
    with transaction.atomic():
        rows = list(Conversation.objects.waking(now).order_by("pk").select_for_update(skip_locked=True)[:500])
        for row in rows:
            row.state, row.snoozed_until = ConversationState.OPEN, None
            row.version += 1
        Conversation.objects.bulk_update(rows, ["state", "snoozed_until", "version"])
    return len(rows)


def add_note(*, conversation: Conversation, text: str, actor: User, now: dt.datetime) -> Note:
    """A remark between colleagues; it never leaves the house."""
    with transaction.atomic():
        row = lock(conversation)
        row.version += 1
        row.save(update_fields=["version"])
        return Note.objects.create(conversation=row, author=actor, text=text, created_at=now)
