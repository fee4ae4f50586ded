"""What became of what we sent: pulled from the outbox, a few seconds after it happened.

Nothing below tells us. Own messages whose delivery is in another state than when it was last looked at are
found, and so are likes, hides and deletions that have ended.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from accounts.models import Brand
from audience.models import ActivityKind
from audience.services.activities import Happened, tell
from connectors.base import ModerationAction
from connectors.errors import RejectReason
from engagement.models import Conversation, ConversationState, Message, ModerationRequest
from engagement.remote import MOST_OF_ID, key_of, web_address
from engagement.selectors.moderation import mark
from engagement.selectors.promises import promise_of
from engagement.services.episodes import moment_of, replay
from engagement.services.intake import path_of
from outbox.errors import StopReason
from outbox.models import Delivery, DeliveryState
from outbox.services.erasing import erase_contents

BATCH = 500
# A person has to look at an answer in one of these, also when the conversation was done already.
_NEED_A_PERSON = (DeliveryState.FAILED, DeliveryState.UNCERTAIN, DeliveryState.MISSED)
_GONE = (RejectReason.NOT_FOUND, StopReason.GONE_AT_NETWORK)
_MODERATED = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.MISSED, DeliveryState.CANCELLED)


def settle(*, now: dt.datetime) -> int:
    """Write down everything that ended or was stopped. Returns how many messages and moderations changed."""
    moved = (
        Message.objects.unsettled()
        .exclude(delivery__state=F("delivery_state"))
        .select_related("delivery", "conversation__brand__sla_policy", "conversation__account")
        .defer("search_text", "search_grams")
        .order_by("conversation_id", "number")
    )
    by_brand: dict[UUID, list[Message]] = defaultdict(list)
    for message in moved[:BATCH]:
        by_brand[message.conversation.brand_id].append(message)
    for messages in by_brand.values():
        _settle_messages(messages, now)
    return sum(map(len, by_brand.values())) + _settle_moderations(now)


def _settle_messages(found: Sequence[Message], now: dt.datetime) -> None:
    """Own messages of one brand."""
    brand = found[0].conversation.brand
    with transaction.atomic():
        _tell(brand, found)
        rows = _locked({message.conversation_id for message in found})
        # As they are now that nobody else may change them: an echo may have named one meanwhile.
        messages = [
            (message, message.delivery)
            for message in Message.objects.filter(pk__in=[message.pk for message in found])
            .select_related("delivery")
            .defer("search_text", "search_grams")
            if message.delivery is not None
        ]
        since = dict.fromkeys(rows, now)
        for twin in _drop_twins(messages, rows):
            since[twin.conversation_id] = min(since[twin.conversation_id], moment_of(twin))
        gone: list[tuple[UUID, str]] = []
        for message, delivery in messages:
            row = rows[message.conversation_id]
            message.delivery_state = delivery.state
            row.version += 1
            if delivery.state == DeliveryState.SENT:
                _write_sent(message, delivery, row, now)
                since[row.pk] = min(since[row.pk], moment_of(message))
            elif delivery.state == DeliveryState.CANCELLED:
                message.settled_at = now
            elif delivery.state in _NEED_A_PERSON and row.state == ConversationState.DONE:
                row.state = ConversationState.OPEN
            if _is_gone(delivery) and message.parent_key:
                gone.append((row.pk, message.parent_key))
        Message.objects.bulk_update(
            [message for message, _delivery in messages],
            ["delivery_state", "settled_at", "sent_at", "remote_id", "remote_key", "permalink"],
        )
        for received in _mark_deleted(gone, now):
            since[received.conversation_id] = min(since[received.conversation_id], moment_of(received))
        _save(rows.values(), since, brand)
        # Being sent while its receiver was erased.
        erased = [delivery.pk for message, delivery in messages if message.erased_at is not None]
        erase_contents(deliveries=erased, now=now)


def _write_sent(message: Message, delivery: Delivery, row: Conversation, now: dt.datetime) -> None:
    message.settled_at, message.sent_at = now, delivery.sent_at
    if delivery.remote_id and len(delivery.remote_id) <= MOST_OF_ID:
        message.remote_key = key_of(row.kind, delivery.remote_id)
        message.remote_id = delivery.remote_id if message.erased_at is None else ""
    if message.erased_at is None:
        message.permalink = web_address(delivery.permalink) or message.permalink


def _drop_twins(
    messages: Iterable[tuple[Message, Delivery]], rows: Mapping[UUID, Conversation]
) -> list[Message]:
    """An echo that came first and read differently was taken for something written elsewhere: it is the
    message that we sent, and that one stays. Returns what was dropped."""
    wanted = Q()
    for message, delivery in messages:
        if delivery.state == DeliveryState.SENT and delivery.remote_id:
            key = key_of(rows[message.conversation_id].kind, delivery.remote_id)
            wanted |= Q(account=message.account_id, remote_key=key)
    if not wanted:
        return []
    twins = list(
        Message.objects.filter(wanted, delivery__isnull=True, conversation__in=rows).defer("search_grams")
    )
    Message.objects.filter(pk__in=[twin.pk for twin in twins]).delete()
    return twins


def _is_gone(delivery: Delivery) -> bool:
    """Whether the network no longer has what it was about."""
    return delivery.state == DeliveryState.FAILED and delivery.error in _GONE


def _mark_deleted(answered: Sequence[tuple[UUID, str]], now: dt.datetime) -> list[Message]:
    """Received messages, by conversation and key, that the network no longer has."""
    if not answered:
        return []
    found = list(
        Message.objects.answerable().filter(
            conversation__in={pk for pk, _key in answered}, remote_key__in={key for _pk, key in answered}
        )
    )
    Message.objects.filter(pk__in=[message.pk for message in found]).update(deleted_at=now)
    return found


def _locked(ids: Iterable[UUID]) -> dict[UUID, Conversation]:
    rows = Conversation.objects.select_for_update().filter(pk__in=set(ids)).order_by("pk")
    return {row.pk: row for row in rows}


def _save(rows: Iterable[Conversation], since: dict[UUID, dt.datetime], brand: Brand) -> None:
    rows = list(rows)
    replay(rows, since, promise_of(brand))
    Conversation.objects.bulk_update(rows, ["state", "waiting_since", "due_at", "version"])


def _tell(brand: Brand, messages: Iterable[Message]) -> None:
    """The timelines of those who were answered. Before any conversation is locked: see services.intake."""
    sent = [
        (message, message.delivery.sent_at)
        for message in messages
        if message.delivery and message.delivery.state == DeliveryState.SENT and message.delivery.sent_at
    ]
    authors = _authors({(message.account_id, message.parent_key) for message, _at in sent})
    happened = [
        Happened(
            identity_id=identity_id,
            kind=ActivityKind.ANSWERED,
            at=at,
            dedupe_key=f"answered:{message.pk}",
            summary=message.text,
            detail={"platform": message.conversation.account.platform},
            path=path_of(message.conversation_id),
        )
        for message, at in sent
        if (
            identity_id := authors.get((message.account_id, message.parent_key))
            or message.conversation.identity_id
        )
    ]
    tell(brand=brand, happened=happened)


def _authors(answered: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], UUID]:
    """Who wrote what was answered, by account and key; somebody else may have begun the conversation."""
    rows = Message.objects.filter(
        account__in={account for account, _key in answered},
        remote_key__in={key for _account, key in answered if key},
        identity__isnull=False,
    )
    return {
        (account, key): identity
        for account, key, identity in rows.values_list("account_id", "remote_key", "identity_id")
        if identity is not None
    }


# --- likes, hides and deletions ---------------------------------------------------------------------


def _settle_moderations(now: dt.datetime) -> int:
    ended = list(
        ModerationRequest.objects.filter(settled_at__isnull=True, delivery__state__in=_MODERATED)
        .select_related("delivery", "message__conversation__brand__sla_policy")
        .order_by("requested_at")[:BATCH]
    )
    by_brand: dict[UUID, list[ModerationRequest]] = defaultdict(list)
    for request in ended:
        by_brand[request.message.conversation.brand_id].append(request)
    for requests in by_brand.values():
        with transaction.atomic():
            _settle_requests(requests, now)
    return len(ended)


def _settle_requests(requests: Sequence[ModerationRequest], now: dt.datetime) -> None:
    rows = _locked({request.message.conversation_id for request in requests})
    since = dict.fromkeys(rows, now)
    messages = Message.objects.in_bulk({request.message_id for request in requests})
    gone: list[tuple[UUID, str]] = []
    for request in requests:  # in the order in which they were asked for: the last one counts
        message = messages[request.message_id]
        request.settled_at, request.error = now, request.delivery.error
        rows[message.conversation_id].version += 1
        is_done = request.delivery.state == DeliveryState.SENT
        if _is_gone(request.delivery) or (is_done and request.action == ModerationAction.DELETE):
            gone.append((message.conversation_id, message.remote_key))
        elif is_done:
            mark(message, ModerationAction(request.action), now)
    ModerationRequest.objects.bulk_update(requests, ["settled_at", "error"])
    Message.objects.bulk_update(messages.values(), ["is_liked", "is_hidden"])
    for received in _mark_deleted(gone, now):
        since[received.conversation_id] = min(since[received.conversation_id], moment_of(received))
    _save(rows.values(), since, requests[0].message.conversation.brand)
    erased = [r.delivery_id for r in requests if messages[r.message_id].erased_at is not None]
    erase_contents(deliveries=erased, now=now)
