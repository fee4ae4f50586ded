"""Removing what was sent to somebody who wants to be forgotten: the words and ids, not the fact."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from outbox.models import Attempt, Delivery, DeliveryState, ReceiptEvent, ReceiptKind
from outbox.services.transitions import move, note

_WAITING = (
    DeliveryState.SCHEDULED,
    DeliveryState.HELD,
    DeliveryState.MISSED,
    DeliveryState.FAILED,
    DeliveryState.UNCERTAIN,
)
_OVER = (DeliveryState.SENT, DeliveryState.CANCELLED)


def erase_contents(*, deliveries: Iterable[UUID], now: dt.datetime) -> int:
    """Blank these deliveries with their attempts and receipts; what still waits is cancelled first. Returns
    how many were blanked.

    One that is being sent at this moment keeps its content: the caller comes again when it is over.
    """
    with transaction.atomic():
        rows = list(Delivery.objects.select_for_update().filter(pk__in=list(deliveries)).order_by("pk"))
        for row in rows:
            if row.state in _WAITING:
                move(row, DeliveryState.CANCELLED, events=[note(row.pk, ReceiptKind.CANCELLED, at=now)])
        over = [row.pk for row in rows if row.state in _OVER]
        Delivery.objects.filter(pk__in=over).update(
            payload={"parts": [], "language": ""}, remote_id="", permalink="", error_detail=""
        )
        Attempt.objects.filter(delivery__in=over).update(intent={}, result={}, error_detail="")
        ReceiptEvent.objects.filter(delivery__in=over).update(detail={})
    return len(over)
