from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from celery import shared_task
from django.utils import timezone

from accounts.models import Brand
from analytics.services import checkins, collection, partitions, rollup

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


@shared_task
def sum_up(**kwargs: Any) -> None:
    """Beat: the daily rows and the check-ins of every brand, each in a task of its own."""
    brands = Brand.objects.order_by("pk").values_list("pk", flat=True)
    for brand_id in brands.filter(is_archived=False):
        sum_up_brand.delay(brand_id=str(brand_id))


@shared_task
def sum_up_brand(*, brand_id: str, **kwargs: Any) -> None:
    """Daily rows first: the check-ins are made from them."""
    brand = Brand.objects.select_related("organization").filter(pk=brand_id).first()
    if brand is None:
        return
    now = timezone.now()
    rollup.roll_up(brand=brand, now=now)
    checkins.check_in(brand=brand, now=now)
