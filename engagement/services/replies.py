"""Answering: a reply or direct message on its way out, tried again, or taken back.

The guard. Whoever answers says up to which message they have seen the conversation. The conversation is
locked; if something newer is there, theirs or a colleague's, nothing is sent and the newer messages are
told (``NewerMessages``). What slips in between that moment and the sending is caught by ``objection``,
which the outbox asks right before it sends.
"""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q

from accounts.models import SocialAccount, User
from audience.models import Identity, Purpose
from audience.selectors.people import has_consented
from campaigns.models import Campaign, TrackedLink
from campaigns.services.links import short_url, tag_text
from connectors.base import Capability, Json, MessageTarget, PostPart, PostPayload, ReplyTarget
from connectors.text import Problem, addressed, check_payload
from core.bigrams import folded, grams
from core.ids import uuid7
from engagement.models import (
    Assignment,
    Conversation,
    ConversationKind,
    ConversationState,
    Direction,
    Message,
)
from engagement.services.intake import path_of, preview_of
from outbox.errors import StopReason
from outbox.models import Delivery, DeliveryKind, DeliveryState
from outbox.payloads import freeze_message, freeze_reply
from outbox.services import cancel_delivery, retry_delivery
from outbox.services.scheduling import schedule_delivery


class NewerMessages(Exception):
    """There is something in the conversation that its author had not seen; nothing was changed."""

    def __init__(self, messages: Sequence[Message]) -> None:
        super().__init__(f"{len(messages)} newer messages")
        self.messages = list(messages)


class Obstacle(enum.StrEnum):
    """Why a conversation cannot be answered."""

    NOTHING_LEFT = "nothing_left"  # what could be answered is gone from the network, or was erased
    NOT_SUPPORTED = "not_supported"  # the network has no answers of this kind, or not with our permission
    RECONNECT = "reconnect"  # the account must be reconnected first


class CannotAnswer(Exception):
    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(obstacle)
        self.obstacle = obstacle


class DoesNotFit(Exception):
    """The network does not take this text; ``problems`` as of connectors.text."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(", ".join(problem.reason for problem in problems))
        self.problems = list(problems)


class NotWaiting(Exception):
    """The message is not one that was stopped: it was sent, or is being sent."""


Target = ReplyTarget | MessageTarget


# --- what can be answered -------------------------------------------------------------------------


def obstacle_of(conversation: Conversation, answered: Message | None) -> Obstacle | None:
    """What stands in the way of an answer, None if nothing does."""
    is_private = conversation.kind == ConversationKind.DM
    account = conversation.account
    if not account.is_active:
        return Obstacle.RECONNECT
    if not account.info.can(Capability.SEND_MESSAGE if is_private else Capability.REPLY):
        return Obstacle.NOT_SUPPORTED
    if answered is None or (is_private and not (answered.identity and answered.identity.remote_id)):
        return Obstacle.NOTHING_LEFT
    return None


def target_of(conversation: Conversation, answered: Message) -> Target:
    """Where an answer to this message goes."""
    if conversation.kind == ConversationKind.DM:
        recipient = answered.identity.remote_id if answered.identity else ""
        return MessageTarget(recipient, conversation.thread_id, answered.detail)
    root_id = conversation.delivery.remote_id if conversation.delivery else ""
    return ReplyTarget(
        answered.remote_id, root_id or conversation.post_snapshot.get("remote_id", ""), answered.detail
    )


def with_address(text: str, target: Target) -> str:
    """The text as it must be for its receiver to see it."""
    return addressed(text, str(target.detail.get("mention", "")))


def problems_of(text: str, target: Target, account: SocialAccount) -> list[Problem]:
    """What the network has against this text, addressed and with its links as they will be."""
    parts = (PostPart(text),)
    payload = (
        PostPayload(parts, message_to=target)
        if isinstance(target, MessageTarget)
        else PostPayload(parts, reply_to=target)
    )
    return check_payload(payload, account.info)


# --- sending --------------------------------------------------------------------------------------


def send_reply(
    *,
    conversation: Conversation,
    text: str,
    answered: Message | None,
    seen_number: int,
    form_key: uuid.UUID,
    actor: User,
    now: dt.datetime,
    campaign: Campaign | None = None,
    is_done_after: bool = False,
) -> Message:
    """Put an answer to ``answered`` on its way; its links become tracked ones of ``campaign``.

    The same ``form_key`` again gives the message that it made the first time. Whoever answers what nobody
    is responsible for is responsible from then on. Raises NewerMessages, CannotAnswer, DoesNotFit.
    """
    with transaction.atomic():
        row = lock(conversation)
        if (sent := row.messages.filter(form_key=form_key, author=actor).first()) is not None:
            return sent
        check_seen(row, seen_number)
        answered = _as_it_is(row, answered)
        obstacle = obstacle_of(row, answered)
        if obstacle is not None or answered is None:
            raise CannotAnswer(obstacle or Obstacle.NOTHING_LEFT)
        target = target_of(row, answered)
        kind = DeliveryKind.DM if isinstance(target, MessageTarget) else DeliveryKind.REPLY
        planned = Delivery(id=uuid7(), brand_id=row.brand_id, account=row.account, kind=kind)
        words = _tagged(
            text,
            target,
            delivery=planned,
            campaign=campaign,
            identity=answered.identity,
            actor=actor,
            now=now,
        )
        if problems := problems_of(words, target, row.account):
            raise DoesNotFit(problems)
        delivery = schedule_delivery(
            account=row.account,
            payload=_payload(words, target, row),
            due_at=now,
            actor=actor,
            now=now,
            kind=kind,
            delivery_id=planned.pk,
        )
        row.last_number += 1
        search_text = folded(words)
        message = Message.objects.create(
            conversation=row,
            account=row.account,
            number=row.last_number,
            direction=Direction.OUT,
            parent_key=answered.remote_key,
            text=words,
            written_at=now,
            arrived_at=now,
            search_text=search_text,
            search_grams=grams(search_text),
            delivery=delivery,
            delivery_state=delivery.state,
            author=actor,
            seen_number=row.last_number - 1,
            form_key=form_key,
        )
        if row.assignee_id is None:
            row.assignee = actor
            Assignment.objects.create(conversation=row, assignee=actor, assigned_by=actor, at=now)
        _show(row, message, is_done=is_done_after)
    return message


def lock(conversation: Conversation) -> Conversation:
    """The conversation as it is now, locked until the caller's transaction ends."""
    return (
        Conversation.objects.select_for_update(of=("self",))
        .select_related("brand", "account__brand__organization", "delivery")
        .get(pk=conversation.pk)
    )


def _as_it_is(row: Conversation, answered: Message | None) -> Message | None:
    """The message in the locked conversation; None once it is gone from the network, or erased."""
    if answered is None:
        return None
    rows = Message.objects.filter(conversation=row).answerable().select_related("identity")
    return rows.filter(pk=answered.pk).first()


def check_seen(row: Conversation, seen_number: int) -> None:
    """Raises NewerMessages if there is something after ``seen_number`` in the locked conversation."""
    if row.last_number > seen_number:
        newer = Message.objects.filter(conversation=row, number__gt=seen_number)
        if found := list(newer.select_related("identity", "author", "delivery").order_by("number")):
            raise NewerMessages(found)


def _tagged(
    text: str,
    target: Target,
    *,
    delivery: Delivery,
    campaign: Campaign | None,
    identity: Identity | None,
    actor: User,
    now: dt.datetime,
) -> str:
    """The words as they go out. A click is a person's only where they agreed to that."""
    words = with_address(text.strip(), target)
    if campaign is None:
        return words
    knows = identity is not None and has_consented(identity, Purpose.PERSONAL_LINKS)
    return tag_text(
        text=words,
        campaign=campaign,
        account=delivery.account,
        delivery=delivery,
        actor=actor,
        now=now,
        identity=identity if knows else None,
    )


def _payload(words: str, target: Target, row: Conversation) -> Json:
    if isinstance(target, MessageTarget):
        return freeze_message(words, target)
    return freeze_reply(words, target, language=row.brand.locale)


def _show(row: Conversation, message: Message, *, is_done: bool) -> None:
    """The conversation with its own newest message."""
    row.preview, row.is_last_own = preview_of(message.text), True
    row.last_message_at = max(row.last_message_at, message.written_at)
    row.state = ConversationState.DONE if is_done else ConversationState.OPEN
    row.snoozed_until = None
    row.version += 1
    row.save()


# --- what was stopped -----------------------------------------------------------------------------

STOPPED = (DeliveryState.FAILED, DeliveryState.MISSED)


def resend(*, message: Message, seen_number: int, actor: User, now: dt.datetime) -> Message:
    """Send a stopped answer after all, as it is. Raises NewerMessages, CannotAnswer, NotWaiting.

    It becomes the newest of the conversation: whoever sends it again has seen the rest.
    """
    with transaction.atomic():
        row = lock(message.conversation)
        stored = _stopped(message)
        check_seen(row, seen_number)
        if not row.account.is_active:
            raise CannotAnswer(Obstacle.RECONNECT)
        row.last_number += 1
        stored.number, stored.seen_number = row.last_number, row.last_number - 1
        stored.written_at = stored.arrived_at = now
        stored.author, stored.delivery_state = actor, DeliveryState.SCHEDULED
        if stored.delivery is not None:
            stored.delivery = retry_delivery(delivery=stored.delivery, actor=actor, now=now)
        stored.save(
            update_fields=["number", "seen_number", "written_at", "arrived_at", "author", "delivery_state"]
        )
        _show(row, stored, is_done=False)
    return stored


def take_back(*, message: Message, actor: User, now: dt.datetime) -> str:
    """Drop a stopped answer and return its text as it was typed, to be written anew. Raises NotWaiting."""
    with transaction.atomic():
        row = lock(message.conversation)
        stored = _stopped(message)
        text = stored.text
        if stored.delivery is not None:
            for link in TrackedLink.objects.filter(delivery=stored.delivery):
                text = text.replace(short_url(link), link.original_url)
            cancel_delivery(delivery=stored.delivery, actor=actor, now=now)
        stored.delete()
        newest = Message.objects.filter(conversation=row).order_by("-written_at", "-number").first()
        if newest is not None:
            row.preview, row.is_last_own = preview_of(newest.text), newest.direction == Direction.OUT
            row.last_message_at = newest.written_at
        row.version += 1
        row.save()
    return text


def _stopped(message: Message) -> Message:
    stored = Message.objects.select_related("delivery").filter(pk=message.pk).first()
    if stored is None or stored.delivery is None or stored.delivery.state not in STOPPED:
        raise NotWaiting
    return stored


# --- asked by the outbox --------------------------------------------------------------------------


def objection(delivery: Delivery, _now: dt.datetime) -> str:
    """Why this answer must not go out now, "" if nothing speaks against it (outbox.handlers).

    A colleague's answer that was written in sight of this one is no news; anything received is, and what
    was written elsewhere. Whoever was erased gets nothing more.
    """
    rows = Message.objects.filter(delivery=delivery).only("conversation_id", "number", "erased_at")
    message = rows.first()
    if message is None:
        return ""
    if message.erased_at is not None:
        return StopReason.GONE_AT_NETWORK
    newer = Message.objects.filter(conversation=message.conversation_id, number__gt=message.number)
    news = newer.filter(Q(direction=Direction.IN) | Q(delivery__isnull=True))
    return StopReason.NEWER_MESSAGE if news.exists() else ""


def page(delivery: Delivery) -> str:
    """The path of the conversation that a reply, a message or a moderation belongs to."""
    of_message = Message.objects.filter(delivery=delivery).values_list("conversation_id", flat=True)
    of_moderation = Message.objects.filter(moderations__delivery=delivery).values_list(
        "conversation_id", flat=True
    )
    found = of_message.first() or of_moderation.first()
    return path_of(found) if found else ""
