"""Liking and hiding what others wrote, and taking that back; sent through the outbox like an answer."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.models import User
from accounts.services.audit import record
from connectors.base import Moderation, ModerationAction
from engagement.models import Message, ModerationRequest
from engagement.selectors.moderation import FLAGS, can_moderate
from engagement.services.replies import lock
from outbox.errors import StopReason
from outbox.models import Delivery, DeliveryKind
from outbox.payloads import freeze_moderation
from outbox.services.scheduling import schedule_delivery


class NotPossibleHere(Exception):
    """The network has no such thing, or this message is not one that it could be done to."""


def moderate(
    *, message: Message, action: ModerationAction, actor: User, now: dt.datetime
) -> ModerationRequest:
    """Ask the network to do it. The same thing asked for while it is on its way is one request.

    Raises NotPossibleHere.
    """
    with transaction.atomic():
        row = lock(message.conversation)
        message = row.messages.get(pk=message.pk)
        pending: dict[str, ModerationRequest] = {}
        for request in message.moderations.filter(settled_at__isnull=True).order_by("requested_at", "pk"):
            flag, value = FLAGS[request.action]
            pending[flag] = request
            setattr(message, flag, value)  # as it will be, not stored
        asked = pending.get(FLAGS[action][0])
        if asked is not None and asked.action == action:
            return asked
        if not can_moderate(message, action, row):
            raise NotPossibleHere
        delivery = schedule_delivery(
            account=row.account,
            payload=freeze_moderation(Moderation(action, message.remote_id, message.detail)),
            due_at=now,
            actor=actor,
            now=now,
            kind=DeliveryKind.MODERATION,
        )
        row.version += 1
        row.save(update_fields=["version"])
        if action in (ModerationAction.HIDE, ModerationAction.UNHIDE):
            record(
                organization=row.brand.organization,
                actor=actor,
                action="message.hidden" if action is ModerationAction.HIDE else "message.shown_again",
                subject=message,
                detail={"account": str(row.account), "network": row.account.platform},
                now=now,
            )
        return ModerationRequest.objects.create(
            message=message, action=action, delivery=delivery, requested_by=actor, requested_at=now
        )


def objection(delivery: Delivery, _now: dt.datetime) -> str:
    """Nothing that happens meanwhile speaks against a like or a hide (outbox.handlers), unless its message
    was erased."""
    is_erased = ModerationRequest.objects.filter(delivery=delivery, message__erased_at__isnull=False).exists()
    return StopReason.GONE_AT_NETWORK if is_erased else ""
