"""Putting news into the queues of the webhooks that listen.

A message is a row, written in the transaction of the event: committed with it or not at all, and there
whatever happens to Redis and to workers. services/webhook_sending.py takes it from there.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from accounts.models import (
    Brand,
    NotificationKind,
    Organization,
    SocialAccount,
    WebhookEndpoint,
    WebhookMessage,
    WebhookState,
)
from accounts.news import summary
from core.ids import uuid7

TEST = "test"  # the event of a message that somebody sent to try the webhook


def queue_news(
    *,
    organization: Organization,
    kind: NotificationKind,
    context: Mapping[str, Any],
    url: str,
    dedupe_key: str,
    about: SocialAccount | Brand | None,
    now: dt.datetime,
) -> int:
    """One message for each webhook that wants this kind of this brand; the same ``dedupe_key`` once.

    Returns how many webhooks want it.
    """
    brand = about.brand if isinstance(about, SocialAccount) else about
    endpoints = WebhookEndpoint.objects.for_news(organization, brand, kind)
    messages = [
        _message(
            endpoint,
            kind=kind,
            dedupe_key=dedupe_key,
            facts={
                "organization": organization,
                "brand": brand,
                "account": about if isinstance(about, SocialAccount) else None,
                "url": settings.BASE_URL + url if url else "",
                "summary": summary(kind, context),
            },
            now=now,
        )
        for endpoint in endpoints
    ]
    WebhookMessage.objects.bulk_create(messages, ignore_conflicts=True)
    return len(messages)


def queue_test(*, endpoint: WebhookEndpoint, url: str, now: dt.datetime) -> WebhookMessage:
    """A message that says nothing but that it is a test; ``url`` is the path of the webhook's page."""
    message = _message(
        endpoint,
        kind=TEST,
        dedupe_key=f"test:{uuid7()}",
        facts={
            "organization": endpoint.organization,
            "brand": endpoint.brand,
            "account": None,
            "url": settings.BASE_URL + url,
            "summary": f"A test of the webhook “{endpoint.name}”.",
        },
        now=now,
    )
    message.save(force_insert=True)
    return message


def _message(
    endpoint: WebhookEndpoint, *, kind: str, dedupe_key: str, facts: Mapping[str, Any], now: dt.datetime
) -> WebhookMessage:
    message = WebhookMessage(
        endpoint=endpoint,
        kind=kind,
        dedupe_key=dedupe_key,
        created_at=now,
        state=WebhookState.WAITING,
        next_at=now,
    )
    organization, brand, account = facts["organization"], facts["brand"], facts["account"]
    payload = {
        "event": kind,
        "id": str(message.pk),
        "occurred_at": now.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "organization": {"id": str(organization.pk), "name": organization.name},
        "brand": {"id": str(brand.pk), "name": brand.name} if brand else None,
        "account": (
            {"id": str(account.pk), "handle": account.handle, "network": account.platform}
            if account
            else None
        ),
        "url": facts["url"],
        "summary": facts["summary"],
    }
    message.body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return message
