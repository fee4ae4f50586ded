"""What beat and workers do for planned posts."""

from __future__ import annotations

import uuid
from typing import Any

from celery import shared_task
from django.utils import timezone

from accounts.models import Brand
from content_calendar.services import bulk, preflight


@shared_task(ignore_result=True)
def clean_changes(**kwargs: Any) -> None:
    """Forget changes of many posts that are old."""
    bulk.clean(now=timezone.now())


@shared_task(ignore_result=True)
def preflight_evenings(**kwargs: Any) -> None:
    """Every few minutes: hand out the brands whose evening has come. Any number of these may run."""
    for brand in preflight.brands_without_evening(now=timezone.now()):
        preflight_evening.delay(brand_id=str(brand.pk))


@shared_task(ignore_result=True)
def preflight_evening(*, brand_id: str, **kwargs: Any) -> None:
    """The check of one brand, once an evening."""
    brand = Brand.objects.select_related("organization").filter(pk=uuid.UUID(brand_id)).first()
    if brand is not None:
        preflight.check_evening(brand=brand, now=timezone.now())
