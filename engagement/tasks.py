from __future__ import annotations

import uuid
from typing import Any

from celery import shared_task
from django.utils import timezone

from engagement.services import collection, hooks
from engagement.services.settling import settle as settle_ended
from engagement.services.triage import wake_snoozed


@shared_task
def collect(**kwargs: Any) -> None:
    """Beat: find new inboxes and hand each that is due to a worker."""
    now = timezone.now()
    collection.discover_accounts(now=now)
    for account_id in collection.claim_accounts(now=now):
        collect_account.delay(account_id=str(account_id))


@shared_task
def collect_account(*, account_id: str, **kwargs: Any) -> None:
    collection.collect_account(account_id=uuid.UUID(account_id), now=timezone.now())


@shared_task
def work_through(*, call_id: str, **kwargs: Any) -> None:
    """What a network told by itself; where it only says that there is something new, that is read now."""
    if hooks.work_through(call_id=uuid.UUID(call_id), now=timezone.now()):
        collect.delay()


@shared_task
def work_through_due(**kwargs: Any) -> None:
    """Beat: calls of networks whose worker died, or that did not work out."""
    for call_id in hooks.due_calls(now=timezone.now()):
        work_through.delay(call_id=str(call_id))


@shared_task
def clean_hooks(**kwargs: Any) -> None:
    """Every hour: what networks told is kept for some days, that they told it for a month."""
    hooks.forget_old(now=timezone.now())


@shared_task
def settle(**kwargs: Any) -> None:
    """Beat: what became of what we sent, and snoozed conversations whose time has come."""
    now = timezone.now()
    settle_ended(now=now)
    wake_snoozed(now=now)
