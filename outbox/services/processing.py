"""What a network still works on: asked about as soon as the network says that it is done."""

from __future__ import annotations

import datetime as dt

from accounts.models import SocialAccount
from outbox.models import Attempt, AttemptState, Delivery, DeliveryState


def ask_now(*, account: SocialAccount, remote_id: str, now: dt.datetime) -> int:
    """The network told by itself that the state of ``remote_id`` changed: whatever waits for it asks at once
    instead of later. Returns how many deliveries that were."""
    waiting = Attempt.objects.filter(
        delivery__account=account,
        delivery__state=DeliveryState.PROCESSING,
        state=AttemptState.PROCESSING,
        result__remote_id=remote_id,
    )
    rows = Delivery.objects.filter(
        pk__in=waiting.values("delivery"), state=DeliveryState.PROCESSING, next_attempt_at__gt=now
    )
    return rows.update(next_attempt_at=now)
