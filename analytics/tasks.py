from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from celery import shared_task
from django.utils import timezone

from analytics.services import collection, partitions

# The tick looks back this far for sent posts; the hourly sweep over everything that is followed finds what a
# longer standstill left out.
RECENT = dt.timedelta(hours=2)


@shared_task
def collect(**kwargs: Any) -> None:
    """Beat: follow what is new and hand each account with something due to a worker."""
    now = timezone.now()
    collection.discover_accounts(now=now)
    collection.discover_posts(now=now, since=now - RECENT)
    for account_id in collection.claim_accounts(now=now):
        collect_account.delay(account_id=str(account_id))


@shared_task
def collect_account(*, account_id: str, **kwargs: Any) -> None:
    collection.collect_account(account_id=uuid.UUID(account_id), now=timezone.now())


@shared_task
def sweep(**kwargs: Any) -> None:
    """Beat: follow sent posts that the tick did not see."""
    now = timezone.now()
    collection.discover_posts(now=now, since=now - collection.FOLLOWED_FOR)


@shared_task
def create_partitions(**kwargs: Any) -> None:
    """Beat: the snapshot partitions of the coming months."""
    partitions.create_partitions(now=timezone.now())
