"""Our own answers as the network tells them back: recognised, so that none is there twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from uuid import UUID

from django.db.models import Q

from accounts.models import SocialAccount
from connectors.base import InboxItem
from connectors.text import normalise
from engagement.models import Direction, Message
from engagement.remote import key_of, web_address
from outbox.models import DeliveryState
from outbox.services import answer_uncertain
from outbox.services.scheduling import has_begun

# Something of a delivery in these states is at the network, or may be.
_OUT_THERE = (
    DeliveryState.SENDING,
    DeliveryState.PROCESSING,
    DeliveryState.UNCERTAIN,
    DeliveryState.SENT,
)
# In these it may be, if it has been tried before.
_PERHAPS = (DeliveryState.SCHEDULED, DeliveryState.CLAIMED, DeliveryState.HELD)


def adopt_echoes(
    *, account: SocialAccount, echoes: Mapping[str, InboxItem], now: dt.datetime
) -> dict[str, Message]:
    """Which of these items, by key, are messages that we sent; the caller has locked the conversations.

    A message whose id at the network is known is found by it. One whose delivery has not told it yet is
    found by its words within the same conversation, the oldest first; it has its id from here on.
    """
    if not echoes:
        return {}
    threads = {key_of(item.kind, item.thread_id) for item in echoes.values()}
    ours = (
        Message.objects.filter(account=account, direction=Direction.OUT, delivery__isnull=False)
        .filter(
            Q(remote_key__in=list(echoes))
            | Q(remote_key="", conversation__thread_key__in=threads)
            | Q(remote_key="", delivery__remote_id__in=[item.remote_id for item in echoes.values()])
        )
        .select_related("conversation", "delivery", "author")
        .order_by("number")
    )
    candidates = list(ours)
    found: dict[str, Message] = {message.remote_key: message for message in candidates if message.remote_key}
    nameless = {message.pk: message for message in candidates if not message.remote_key}
    adopted: list[Message] = []
    for key, item in sorted(echoes.items(), key=lambda pair: pair[1].created_at):
        if key in found or (message := _match(nameless, item)) is None:
            continue
        del nameless[message.pk]
        message.remote_id, message.remote_key = item.remote_id, key
        message.permalink = message.permalink or web_address(item.permalink)
        message.sent_at = message.sent_at or min(item.created_at, now)
        message.parent_key = message.parent_key or key_of(item.kind, item.parent_id)
        found[key] = message
        adopted.append(message)
    Message.objects.bulk_update(adopted, ["remote_id", "remote_key", "permalink", "sent_at", "parent_key"])
    for message in adopted:
        if message.delivery is not None and message.delivery.state == DeliveryState.UNCERTAIN:
            # What a person would look for has been seen.
            answer_uncertain(
                delivery=message.delivery, did_appear=True, permalink=message.permalink, actor=None, now=now
            )
    return found


def _match(nameless: Mapping[UUID, Message], item: InboxItem) -> Message | None:
    for message in nameless.values():
        if message.delivery is not None and message.delivery.remote_id == item.remote_id:
            return message
    thread, words = key_of(item.kind, item.thread_id), normalise(item.text)
    for message in nameless.values():
        if message.conversation.thread_key == thread and _words(message) == words and _is_out(message):
            return message
    return None


def _words(message: Message) -> str:
    """As they went out: links in them may be others than those that were typed."""
    parts = message.delivery.payload.get("parts") if message.delivery else None
    return normalise(parts[0]["text"] if parts else message.text)


def _is_out(message: Message) -> bool:
    delivery = message.delivery
    if delivery is None:
        return False
    return delivery.state in _OUT_THERE or (delivery.state in _PERHAPS and has_begun(delivery))
