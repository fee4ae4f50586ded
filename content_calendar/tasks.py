"""What beat and workers do for planned posts."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from celery import shared_task
from django.utils import timezone

from accounts.models import Brand
from content_calendar.models import EvergreenPool, Series
from content_calendar.services import preflight
from content_calendar.services.evergreen import fill_pool
from content_calendar.services.series import fill_series


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


@shared_task(ignore_result=True)
def fill_ahead(**kwargs: Any) -> None:
    """Every few minutes: hand out the series and evergreen pools that run. Any number of these may do so."""
    yesterday = timezone.now().date() - dt.timedelta(days=1)
    running = Series.objects.running().filter(last_date__gte=yesterday)
    for pk in running.values_list("pk", flat=True).iterator():
        fill_one_series.delay(series_id=str(pk))
    for pk in EvergreenPool.objects.running().values_list("pk", flat=True).iterator():
        fill_one_pool.delay(pool_id=str(pk))


@shared_task(ignore_result=True)
def fill_one_series(*, series_id: str, **kwargs: Any) -> None:
    """The coming dates of one series."""
    series = Series.objects.running().filter(pk=uuid.UUID(series_id)).first()
    if series is not None:
        fill_series(series=series, now=timezone.now())


@shared_task(ignore_result=True)
def fill_one_pool(*, pool_id: str, **kwargs: Any) -> None:
    """The coming times of one evergreen pool."""
    pool = EvergreenPool.objects.running().filter(pk=uuid.UUID(pool_id)).first()
    if pool is not None:
        fill_pool(pool=pool, now=timezone.now())
