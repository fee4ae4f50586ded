"""Liking, hiding and deleting what others wrote, and taking back what can be; sent through the outbox like
an answer."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.models import User
from accounts.services.audit import record
from connectors.base import Moderation, ModerationAction
from engagement.models import Message, ModerationRequest
from engagement.selectors.moderation import FIELDS, can_moderate, mark
from engagement.services.replies import lock
from outbox.errors import StopReason
from outbox.models import Delivery, DeliveryKind
from outbox.payloads import freeze_moderation
from outbox.services.scheduling import schedule_delivery

# A like is no matter for the audit log.
_AUDITED = {
    ModerationAction.HIDE: "message.hidden",
    ModerationAction.UNHIDE: "message.shown_again",
    ModerationAction.DELETE: "message.deleted",
}


class NotPossibleHere(Exception):
    """The network has no such thing, or this message is not one that it could be done to."""


def moderate(
    *, message: Message, action: ModerationAction, actor: User, now: dt.datetime
) -> ModerationRequest:
    """Ask the network to do it. The same thing asked for while it is on its way is one request; nothing else
    is asked for of what is on its way to be deleted.

    Raises NotPossibleHere.
    """
    with transaction.atomic():
        row = lock(message.conversation)
        message = row.messages.get(pk=message.pk)
        pending: dict[str, ModerationRequest] = {}
        for request in message.moderations.filter(settled_at__isnull=True).order_by("requested_at", "pk"):
            pending[FIELDS[request.action]] = request
            mark(message, ModerationAction(request.action), now)  # as it will be, not stored
        asked = pending.get(FIELDS[action])
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
        if action in _AUDITED:
            record(
                organization=row.brand.organization,
                actor=actor,
                action=_AUDITED[action],
                subject=message,
                detail={"account": str(row.account), "network": row.account.platform},
                now=now,
            )
        return ModerationRequest.objects.create(
            message=message, action=action, delivery=delivery, requested_by=actor, requested_at=now
        )


def objection(delivery: Delivery, _now: dt.datetime) -> str:
    """Nothing that happens meanwhile speaks against any of these (outbox.handlers), unless the message was
    erased."""
    is_erased = ModerationRequest.objects.filter(delivery=delivery, message__erased_at__isnull=False).exists()
    return StopReason.GONE_AT_NETWORK if is_erased else ""
