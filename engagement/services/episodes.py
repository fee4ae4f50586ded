"""Keeping the episodes of waiting in step with the messages.

Whatever changes, the episodes of a conversation are played again (engagement.waiting) from the last moment
before the change at which nobody waited. So it does not matter in which order a network tells things.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db.models import Q

from engagement.models import Conversation, Direction, EpisodeEnd, Message, SentBy, WaitEpisode
from engagement.selectors.promises import Promise
from engagement.waiting import Answered, Asked, Dismissed, Episode, episodes

_EPISODE_FIELDS = (
    "started_at",
    "due_at",
    "ended_at",
    "ended_how",
    "ended_by_id",
    "answered_by_id",
    "decided_number",
    "calendar_s",
    "business_s",
)


def replay(
    conversations: Sequence[Conversation],
    since: Mapping[UUID, dt.datetime],
    promise: Promise,
    *,
    dismissed: Mapping[UUID, Dismissed] | None = None,
) -> None:
    """Bring the episodes of locked conversations of one brand up to date.

    ``since`` has, by conversation, the time of the earliest message that is new or changed; ``dismissed``
    what a person has just decided. Sets ``waiting_since`` and ``due_at`` on the conversations and leaves
    saving them to the caller. Six queries at most, whatever the number.
    """
    kept: dict[UUID, list[WaitEpisode]] = defaultdict(list)
    for row in WaitEpisode.objects.filter(conversation__in=conversations).order_by("started_at"):
        kept[row.conversation_id].append(row)
    floors = {c.pk: _floor(kept[c.pk], since[c.pk]) for c in conversations}
    messages: dict[UUID, list[Message]] = defaultdict(list)
    for message in _messages_after(floors):
        messages[message.conversation_id].append(message)
    stale: list[WaitEpisode] = []
    changed: list[WaitEpisode] = []
    fresh: list[WaitEpisode] = []
    for conversation in conversations:
        floor = floors[conversation.pk]
        rows: dict[UUID, WaitEpisode] = {
            row.opened_by_id: row for row in kept[conversation.pk] if _is_after(row, floor)
        }
        by_id = {message.pk: message for message in messages[conversation.pk]}
        events = list(_events(by_id.values(), floor))
        events += [
            Dismissed(row.ended_at, row.decided_number)
            for row in rows.values()
            if row.ended_at is not None and row.decided_number is not None
        ]
        if dismissed and conversation.pk in dismissed:
            events.append(dismissed[conversation.pk])
        conversation.waiting_since = conversation.due_at = None
        for played in episodes(events):
            is_known = played.opened_by in rows
            row = rows.pop(played.opened_by) if is_known else _opened(conversation, played.opened_by)
            if _write(row, played, by_id, promise):
                (changed if is_known else fresh).append(row)
            if row.ended_at is None:
                conversation.waiting_since, conversation.due_at = row.started_at, row.due_at
        stale += rows.values()
    # Gone and ended ones first: of a conversation only one may be open.
    if stale:
        WaitEpisode.objects.filter(pk__in=[row.pk for row in stale]).delete()
    for is_open in (False, True):
        rows_of_kind = [row for row in changed if (row.ended_at is None) is is_open]
        WaitEpisode.objects.bulk_update(rows_of_kind, _EPISODE_FIELDS)
    WaitEpisode.objects.bulk_create(fresh)


def _opened(conversation: Conversation, message_id: UUID) -> WaitEpisode:
    return WaitEpisode(
        brand_id=conversation.brand_id,
        account_id=conversation.account_id,
        conversation=conversation,
        opened_by_id=message_id,
    )


def _floor(rows: Sequence[WaitEpisode], before: dt.datetime) -> dt.datetime | None:
    """The last end of an episode before ``before`` at which nobody waited; None = from the beginning."""
    ends = sorted((row.ended_at for row in rows if row.ended_at and row.ended_at < before), reverse=True)
    for end in ends:
        if not any(row.started_at <= end and (row.ended_at is None or row.ended_at > end) for row in rows):
            return end
    return None


def _is_after(row: WaitEpisode, floor: dt.datetime | None) -> bool:
    return floor is None or row.ended_at is None or row.ended_at > floor


def _messages_after(floors: Mapping[UUID, dt.datetime | None]) -> Iterable[Message]:
    wanted = Q(conversation__in=[pk for pk, floor in floors.items() if floor is None])
    for pk, floor in floors.items():
        if floor is not None:
            wanted |= Q(conversation=pk) & (Q(written_at__gt=floor) | Q(sent_at__gt=floor))
    return Message.objects.filter(wanted).only(
        "conversation_id",
        "number",
        "direction",
        "sent_by",
        "written_at",
        "arrived_at",
        "waits_from",
        "deleted_at",
        "sent_at",
        "seen_number",
        "author_id",
    )


def moment_of(message: Message) -> dt.datetime:
    """When it happened, for the order of things. A network's clock may be ahead of ours, but nothing is
    written after we have read it."""
    if message.direction == Direction.OUT:
        return message.sent_at or message.written_at
    return min(message.written_at, message.arrived_at)


def _events(messages: Iterable[Message], floor: dt.datetime | None) -> Iterable[Asked | Answered | Dismissed]:
    for message in messages:
        at = moment_of(message)
        if floor is not None and at <= floor:
            continue
        if message.direction == Direction.IN:
            if message.waits_from is not None:
                yield Asked(message.pk, message.number, at, message.waits_from, message.deleted_at)
        elif message.sent_at is not None and message.sent_by == SentBy.HUMAN:
            # Whoever wrote elsewhere saw the network; what we send was written in sight of what we had.
            yield Answered(message.pk, at, message.number - 1 if message.seen_number is not None else None)


def _write(row: WaitEpisode, played: Episode, messages: Mapping[UUID, Message], promise: Promise) -> bool:
    """Whether the row is another than before."""
    before = [getattr(row, name) for name in _EPISODE_FIELDS]
    if row.started_at != played.started_at:
        row.started_at, row.due_at = played.started_at, promise.due(played.started_at)
    row.ended_at = played.ended_at
    row.ended_how = played.ended_how or ""
    row.decided_number = played.covers
    answer = messages[played.ended_by] if played.ended_by else None
    row.ended_by_id = played.ended_by
    row.answered_by_id = answer.author_id if answer else None
    row.calendar_s = row.business_s = None
    if played.ended_how is EpisodeEnd.ANSWERED and played.ended_at is not None:
        row.calendar_s = int((played.ended_at - played.started_at).total_seconds())
        row.business_s = promise.hours.seconds_between(played.started_at, played.ended_at)
    return before != [getattr(row, name) for name in _EPISODE_FIELDS]
