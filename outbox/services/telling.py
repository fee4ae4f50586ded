"""News of a delivery that a person must hear."""

from __future__ import annotations

import datetime as dt

from accounts.models import NotificationKind
from accounts.services.notifications import notify
from outbox.handlers import page_of
from outbox.models import Delivery, DeliveryState
from outbox.payloads import words_of
from outbox.selectors import only_comment_left, people_to_tell

_KIND_OF_STATE = {
    DeliveryState.FAILED: NotificationKind.DELIVERY_FAILED,
    DeliveryState.UNCERTAIN: NotificationKind.DELIVERY_UNCERTAIN,
    DeliveryState.MISSED: NotificationKind.DELIVERY_MISSED,
}


def tell_people(*, delivery: Delivery, now: dt.datetime) -> None:
    """Notify whoever scheduled it, or those who may send it for its brand, once per stop."""
    notify(
        organization=delivery.brand.organization,
        users=people_to_tell(delivery),
        kind=_KIND_OF_STATE[DeliveryState(delivery.state)],
        context={
            "account": str(delivery.account),
            "platform": delivery.account.platform,
            # The post is out: not to say so would have somebody publish it again.
            "kind": "comment" if only_comment_left(delivery) else delivery.kind,
            "excerpt": words_of(delivery.payload)[:120],
            "error": delivery.error,
        },
        url=page_of(delivery),
        about=delivery.account,
        dedupe_key=f"{delivery.state}:{delivery.pk}:{delivery.fence}",
        now=now,
    )
