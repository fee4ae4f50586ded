"""Webhooks as people manage them: making, changing, new secrets, switching on and off, trying them."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.urls import reverse

from accounts.models import (
    Brand,
    Membership,
    NotificationKind,
    Organization,
    User,
    WebhookEndpoint,
    WebhookMessage,
    WebhookState,
)
from accounts.services.audit import record
from accounts.services.webhook_queue import queue_test
from accounts.services.webhook_sending import SECRET_MARK
from core.crypto import decrypt_json, encrypt_json

# After a change both secrets sign for so long, so that the receiver can change over without a gap.
OVERLAP = dt.timedelta(days=1)
KEPT = dt.timedelta(days=30)
MOST = 20  # of one organization: each piece of news is written once for each of them


class NotAllowed(Exception):
    """The brand is none that the person may see, or all brands were asked by somebody who sees some."""


class TooMany(Exception):
    """The organization has MOST webhooks."""


class SwitchedOff(Exception):
    """Nothing is sent through a webhook that is switched off."""


@dataclass(frozen=True, slots=True)
class WebhookFacts:
    """What a person says of a webhook; ``brand`` None: of all brands."""

    name: str
    url: str
    kinds: Collection[NotificationKind]
    brand: Brand | None


def new_secret() -> str:
    """32 random bytes as the Standard Webhooks specification writes them."""
    return SECRET_MARK + base64.b64encode(secrets.token_bytes(32)).decode()


@transaction.atomic
def create_webhook(
    *, creator: Membership, facts: WebhookFacts, now: dt.datetime
) -> tuple[WebhookEndpoint, str]:
    """A webhook, and its secret, which is told this once. Raises NotAllowed, TooMany."""
    _check_reach(creator, facts.brand)
    # Two who make the last one at once wait for each other.
    Organization.objects.select_for_update(no_key=True).get(pk=creator.organization_id)
    if WebhookEndpoint.objects.filter(organization_id=creator.organization_id).count() >= MOST:
        raise TooMany
    secret = new_secret()
    endpoint = WebhookEndpoint.objects.create(
        organization_id=creator.organization_id,
        brand=facts.brand,
        name=facts.name,
        url=facts.url,
        kinds=sorted(facts.kinds),
        secret=encrypt_json({"secrets": [secret]}),
        created_by=creator.user,
        created_at=now,
    )
    _audit(endpoint, creator.user, "webhook.created", now, **_described(endpoint))
    return endpoint, secret


@transaction.atomic
def change_webhook(
    *, endpoint: WebhookEndpoint, actor: Membership, facts: WebhookFacts, now: dt.datetime
) -> None:
    """Another name, address, brand or other kinds. What waits goes to the new address. Raises NotAllowed."""
    _check_reach(actor, facts.brand)
    endpoint = _lock(endpoint)
    before, old_url = _described(endpoint), endpoint.url
    endpoint.name, endpoint.url = facts.name, facts.url
    endpoint.kinds, endpoint.brand = sorted(facts.kinds), facts.brand
    if endpoint.url != old_url:
        # What the old address did is no fault of the new one.
        endpoint.failing_since = endpoint.blocked_until = None
        endpoint.failures = 0
    endpoint.save(
        update_fields=["name", "url", "kinds", "brand", "failing_since", "blocked_until", "failures"]
    )
    after = _described(endpoint)
    if after != before or endpoint.url != old_url:
        _audit(endpoint, actor.user, "webhook.changed", now, before=before, after=after)


@transaction.atomic
def change_secret(*, endpoint: WebhookEndpoint, actor: User, now: dt.datetime) -> str:
    """A new secret, which is told this once; the one before goes on signing, too, for OVERLAP."""
    endpoint = _lock(endpoint)
    secret = new_secret()
    newest = decrypt_json(endpoint.secret)["secrets"][0]
    endpoint.secret = encrypt_json({"secrets": [secret, newest]})
    endpoint.overlaps_until = now + OVERLAP
    endpoint.save(update_fields=["secret", "overlaps_until"])
    _audit(endpoint, actor, "webhook.secret_changed", now)
    return secret


@transaction.atomic
def switch_off(*, endpoint: WebhookEndpoint, actor: User, now: dt.datetime) -> bool:
    """Nothing more is sent; what waited is given up. False if it was off before."""
    endpoint = _lock(endpoint)
    if not endpoint.is_active:
        return False
    endpoint.disabled_at, endpoint.disabled_by, endpoint.is_off_for_failing = now, actor, False
    endpoint.save(update_fields=["disabled_at", "disabled_by", "is_off_for_failing"])
    endpoint.messages.filter(state=WebhookState.WAITING).update(state=WebhookState.GIVEN_UP, next_at=None)
    _audit(endpoint, actor, "webhook.switched_off", now)
    return True


@transaction.atomic
def switch_on(*, endpoint: WebhookEndpoint, actor: User, now: dt.datetime) -> bool:
    """News from now on is sent again. False if it was on before."""
    endpoint = _lock(endpoint)
    if endpoint.is_active:
        return False
    endpoint.disabled_at = endpoint.disabled_by = None
    endpoint.is_off_for_failing = False
    endpoint.failing_since = endpoint.blocked_until = None
    endpoint.failures = 0
    endpoint.save(
        update_fields=[
            "disabled_at",
            "disabled_by",
            "is_off_for_failing",
            "failing_since",
            "blocked_until",
            "failures",
        ]
    )
    _audit(endpoint, actor, "webhook.switched_on", now)
    return True


@transaction.atomic
def delete_webhook(*, endpoint: WebhookEndpoint, actor: User, now: dt.datetime) -> None:
    """With everything that it was told."""
    _audit(endpoint, actor, "webhook.deleted", now, **_described(endpoint))
    endpoint.delete()


@transaction.atomic
def send_test(*, endpoint: WebhookEndpoint, now: dt.datetime) -> WebhookMessage:
    """A message that says it is a test, tried once and at once. Raises SwitchedOff."""
    endpoint = _lock(endpoint)
    if not endpoint.is_active:
        raise SwitchedOff
    endpoint.blocked_until = None
    endpoint.save(update_fields=["blocked_until"])
    return queue_test(endpoint=endpoint, url=reverse("accounts:webhook", args=[endpoint.pk]), now=now)


@transaction.atomic
def send_again(*, message: WebhookMessage, now: dt.datetime) -> None:
    """The same message with the same id, at once, and for a day again if that fails. Raises SwitchedOff."""
    endpoint = _lock(message.endpoint)
    if not endpoint.is_active:
        raise SwitchedOff
    endpoint.blocked_until = None
    endpoint.save(update_fields=["blocked_until"])
    WebhookMessage.objects.filter(pk=message.pk).update(state=WebhookState.WAITING, next_at=now, tries=0)


def forget_old_messages(*, now: dt.datetime) -> int:
    """The log goes back KEPT; what still waits stays. Returns how many rows went."""
    old = WebhookMessage.objects.filter(created_at__lt=now - KEPT).exclude(state=WebhookState.WAITING)
    return old.delete()[0]


def _lock(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """As it is now, so that a worker's and a person's change do not undo each other."""
    return WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)


def _check_reach(member: Membership, brand: Brand | None) -> None:
    if brand is None:
        if not member.has_all_brands:
            raise NotAllowed
    elif not Brand.objects.for_member(member).filter(pk=brand.pk).exists():
        raise NotAllowed


def _described(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """For the audit log: the host alone, because an address may hold a secret of its own."""
    return {
        "name": endpoint.name,
        "host": endpoint.host,
        "brand": endpoint.brand.name if endpoint.brand else "all",
        "events": list(endpoint.kinds),
    }


def _audit(endpoint: WebhookEndpoint, actor: User, action: str, now: dt.datetime, **detail: Any) -> None:
    record(
        organization=endpoint.organization,
        actor=actor,
        action=action,
        subject=endpoint,
        detail=detail,
        now=now,
    )
