"""From the queues of webhooks to the servers that listen, at least once.

1. ``claim_endpoints`` locks webhooks with due messages (``FOR UPDATE SKIP LOCKED``, so any number of ticks
   may run), writes a lease and a new fencing token, and commits; the caller enqueues the ids. A webhook is
   claimed as a whole: whoever holds the lease is the only one who calls it.
2. ``send_due`` takes one message after the other. The next attempt is written on it *before* the call, so a
   worker that dies leaves a message that is tried again. The call runs outside any transaction.
3. A server that does not answer is left alone for a while (``blocked_until``), so that its backlog costs one
   call now and then; and only so many webhooks are called at a time, so that slow ones do not keep the
   workers from other work.
4. Each message is tried for a day. A webhook that took nothing for a day is switched off, and the people
   who manage it are told.

The signature is that of the Standard Webhooks specification 1.0 (github.com/standard-webhooks, checked
2026-11): HMAC-SHA256 over "id.timestamp.body", base64, marked "v1,".
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse

from accounts import selectors
from accounts.models import NotificationKind, WebhookEndpoint, WebhookMessage, WebhookState
from accounts.services.audit import record
from accounts.services.notifications import notify
from accounts.services.webhook_queue import TEST
from connectors import http
from connectors.errors import ConnectorError
from connectors.redaction import redact
from core.crypto import decrypt_json

logger = logging.getLogger(__name__)

SECRET_MARK = "whsec_"  # noqa: S105 - how a secret begins, by the specification
# After each failed attempt; the last one comes a little more than a day after the first.
RETRY_AFTER = (
    dt.timedelta(seconds=5),
    dt.timedelta(minutes=1),
    dt.timedelta(minutes=5),
    dt.timedelta(minutes=15),
    dt.timedelta(hours=1),
    dt.timedelta(hours=2),
    dt.timedelta(hours=4),
    dt.timedelta(hours=8),
    dt.timedelta(hours=8, minutes=45),
)
SWITCH_OFF_AFTER = dt.timedelta(days=1)
# Longer than one call can take, with time-outs and an answer that trickles.
LEASE = dt.timedelta(minutes=2)
CALL_TIMEOUT_S = 10.0
AT_A_TIME = 4  # webhooks in hand at once, over all workers
BATCH = 20  # messages of one webhook before another has its turn
_FIRST_BLOCK = dt.timedelta(seconds=5)
_LONGEST_BLOCK = dt.timedelta(minutes=5)
_LONGEST_WAIT = dt.timedelta(days=1)  # that a server's own Retry-After is followed
_GONE = 410  # by the specification: the receiver wants no more
EXCERPT_LENGTH = 300


class Claim(NamedTuple):
    endpoint_id: uuid.UUID
    fence: int


@dataclass(frozen=True, slots=True)
class Answer:
    """How one call went; ``status`` None: no answer came, and ``excerpt`` says why."""

    status: int | None
    excerpt: str
    duration_ms: int
    retry_at: dt.datetime | None = None  # when the server wants to be called again

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def claim_endpoints(*, now: dt.datetime) -> list[Claim]:
    """Webhooks with due messages that nobody is calling, those that waited longest first."""
    with transaction.atomic():
        in_hand = WebhookEndpoint.objects.filter(lease_until__gt=now).count()
        due = WebhookMessage.objects.due(now).filter(endpoint=OuterRef("pk"))
        is_free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
        is_open = Q(blocked_until__isnull=True) | Q(blocked_until__lte=now)
        endpoints = list(
            WebhookEndpoint.objects.active()
            .filter(is_free, is_open, Exists(due))
            .select_for_update(skip_locked=True, no_key=True)
            .order_by(F("called_at").asc(nulls_first=True), "pk")[: max(AT_A_TIME - in_hand, 0)]
        )
        for endpoint in endpoints:
            endpoint.lease_until = now + LEASE
            endpoint.fence += 1
        WebhookEndpoint.objects.bulk_update(endpoints, ["lease_until", "fence"])
    return [Claim(endpoint.pk, endpoint.fence) for endpoint in endpoints]


def send_due(*, endpoint_id: uuid.UUID, fence: int, clock: Callable[[], dt.datetime]) -> int:
    """Send the due messages of a claimed webhook until one fails; returns how many attempts were made.

    Does nothing for an old token, or a lease that ran out while the id waited in the queue.
    """
    for attempts in range(BATCH):
        taken = _take(endpoint_id, fence, clock())
        if taken is None:
            return attempts
        endpoint, message = taken
        answer = _call(endpoint, message, clock())
        _keep(message, fence, answer, clock())
        if not answer.is_taken:
            break
    WebhookEndpoint.objects.filter(pk=endpoint_id, fence=fence).update(lease_until=None)
    return attempts + 1


def _take(
    endpoint_id: uuid.UUID, fence: int, now: dt.datetime
) -> tuple[WebhookEndpoint, WebhookMessage] | None:
    """The next due message, with its next attempt written down; None ends the lease: there is nothing to do
    or somebody else does it."""
    with transaction.atomic():
        endpoint = (
            WebhookEndpoint.objects.active()
            .filter(pk=endpoint_id, fence=fence, lease_until__gt=now)
            .select_for_update(no_key=True)
            .first()
        )
        if endpoint is None:
            return None
        message = WebhookMessage.objects.due(now).filter(endpoint=endpoint).order_by("next_at", "pk").first()
        if message is None:
            endpoint.lease_until = None
        else:
            endpoint.lease_until = now + LEASE
            endpoint.called_at = now
            message.tries += 1
            message.tried_at = now
            message.next_at = now + RETRY_AFTER[min(message.tries, len(RETRY_AFTER)) - 1]
            message.save(update_fields=["tries", "tried_at", "next_at"])
        endpoint.save(update_fields=["lease_until", "called_at"])
    return (endpoint, message) if message is not None else None


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """``v1,`` and the base64 of HMAC-SHA256, as the header ``webhook-signature`` has it."""
    key = base64.b64decode(secret.removeprefix(SECRET_MARK))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def secrets_of(endpoint: WebhookEndpoint, now: dt.datetime) -> list[str]:
    """The secrets that sign at ``now``: the newest, and for a while after a change the one before."""
    newest, *before = decrypt_json(endpoint.secret)["secrets"]
    is_overlap = endpoint.overlaps_until is not None and now < endpoint.overlaps_until
    return [newest, *before] if is_overlap else [newest]


def _call(endpoint: WebhookEndpoint, message: WebhookMessage, now: dt.datetime) -> Answer:
    body, timestamp = message.body.encode(), int(now.timestamp())
    signatures = [signature(secret, str(message.pk), timestamp, body) for secret in secrets_of(endpoint, now)]
    started = time.monotonic()
    try:
        response = http.request(
            "POST",
            endpoint.url,
            platform="webhook",
            headers={
                "Content-Type": "application/json",
                "webhook-id": str(message.pk),
                "webhook-timestamp": str(timestamp),
                "webhook-signature": " ".join(signatures),
            },
            body=body,
            timeout_s=CALL_TIMEOUT_S,
            changes=True,  # what is not followed or repeated for those is not for us
            guard=True,
        )
    except ConnectorError as error:
        return Answer(None, _plain(error.detail or type(error).__name__), _ms_since(started))
    asks_to_wait = response.status_code in (429, 503) and "Retry-After" in response.headers
    return Answer(
        response.status_code,
        _plain(http.without_tags(response.content[:20_000].decode(errors="replace"))),
        _ms_since(started),
        retry_at=http.retry_after(response, now=now, default_s=0) if asks_to_wait else None,
    )


def _ms_since(started: float) -> int:
    return int((time.monotonic() - started) * 1000)


def _plain(text: str) -> str:
    """As a column can hold it and a line of the page shows it."""
    return redact(" ".join(text.replace("\x00", " ").split()))[:EXCERPT_LENGTH]


def _keep(message: WebhookMessage, fence: int, answer: Answer, now: dt.datetime) -> None:
    """Write down how an attempt went, on the message and on its webhook."""
    with transaction.atomic():
        endpoint = (
            WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=message.endpoint_id).first()
        )
        if endpoint is None:
            return  # deleted meanwhile
        row = WebhookMessage.objects.filter(pk=message.pk)
        result = {
            "status_code": answer.status,
            "duration_ms": answer.duration_ms,
            "excerpt": answer.excerpt,
        }
        if answer.is_taken:
            # True whoever holds the lease by now.
            row.update(state=WebhookState.DELIVERED, delivered_at=now, next_at=None, **result)
            endpoint.failing_since = endpoint.blocked_until = None
            endpoint.failures = 0
            endpoint.save(update_fields=["failing_since", "blocked_until", "failures"])
            return
        if endpoint.fence != fence:
            return  # somebody else holds the lease and knows better
        is_test = message.kind == TEST  # somebody is looking: it is not tried again, and proves no outage
        is_last = is_test or message.tries > len(RETRY_AFTER) or answer.status == _GONE
        waits_until = min(answer.retry_at, now + _LONGEST_WAIT) if answer.retry_at else None
        if is_last:
            row.waiting().update(state=WebhookState.GIVEN_UP, next_at=None, **result)
        else:
            next_at = max(message.next_at, waits_until) if waits_until and message.next_at else F("next_at")
            row.waiting().update(next_at=next_at, **result)
        if is_test:
            return
        endpoint.failures += 1
        endpoint.failing_since = endpoint.failing_since or now
        block = min(_FIRST_BLOCK * 2 ** min(endpoint.failures - 1, 10), _LONGEST_BLOCK)
        endpoint.blocked_until = max(now + block, waits_until or now)
        endpoint.save(update_fields=["failures", "failing_since", "blocked_until"])
        is_dead = answer.status == _GONE or now - endpoint.failing_since >= SWITCH_OFF_AFTER
        if is_dead and endpoint.is_active:
            _switch_off(endpoint, now)


def _switch_off(endpoint: WebhookEndpoint, now: dt.datetime) -> None:
    logger.warning("webhook %s switched off after %s failures", endpoint.pk, endpoint.failures)
    endpoint.disabled_at = now
    endpoint.is_off_for_failing = True
    endpoint.save(update_fields=["disabled_at", "is_off_for_failing"])
    WebhookMessage.objects.filter(endpoint=endpoint).waiting().update(
        state=WebhookState.GIVEN_UP, next_at=None
    )
    record(
        organization=endpoint.organization,
        actor=None,
        action="webhook.failed",
        subject=endpoint,
        detail={"host": endpoint.host},
        now=now,
    )
    notify(
        organization=endpoint.organization,
        users=selectors.people_behind(endpoint),
        kind=NotificationKind.WEBHOOK_DISABLED,
        context={"webhook": endpoint.name, "host": endpoint.host},
        url=reverse("accounts:webhook", args=[endpoint.pk]),
        dedupe_key=f"webhook_disabled:{endpoint.pk}:{now:%Y%m%d%H%M%S}",
        about=endpoint.brand,
        now=now,
    )
