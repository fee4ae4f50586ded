"""What beat and workers do for planned posts."""

from __future__ import annotations

import uuid
from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from accounts.models import Brand
from content_calendar.services import preflight, uploads, videos


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
def prepare_media(**kwargs: Any) -> None:
    """Every few seconds: hand out the videos that were uploaded and the copies to be made of them. Any number
    of these may run."""
    found, copies = videos.claim_work(now=timezone.now(), most=settings.VIDEO_JOBS)
    for work in found:
        prepare_video.delay(asset_id=work.pk, fence=work.fence)
    for work in copies:
        make_rendition.delay(rendition_id=work.pk, fence=work.fence)


@shared_task(ignore_result=True)
def prepare_video(*, asset_id: str, fence: int, **kwargs: Any) -> None:
    videos.prepare_video(asset_id=uuid.UUID(asset_id), fence=fence, clock=timezone.now)


@shared_task(ignore_result=True)
def make_rendition(*, rendition_id: str, fence: int, **kwargs: Any) -> None:
    videos.make_rendition(rendition_id=int(rendition_id), fence=fence, clock=timezone.now)


@shared_task(ignore_result=True)
def clean_uploads(**kwargs: Any) -> None:
    """Hourly: what nobody went on with."""
    uploads.clean_uploads(now=timezone.now())
