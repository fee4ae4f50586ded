"""What beat and workers do for planned posts."""

from __future__ import annotations

import uuid
from typing import Any

from celery import shared_task
from django.utils import timezone

from accounts.models import Brand
from content_calendar.services import preflight, reminders, review_links


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
def remind_of_approvals(**kwargs: Any) -> None:
    """Every few minutes: answers that are missing are asked for again. Any number of these may run."""
    reminders.remind(now=timezone.now())


@shared_task(ignore_result=True)
def send_review_mails(**kwargs: Any) -> None:
    """Every few seconds: claim the links that are to be mailed, then enqueue one task for each."""
    for request_id in review_links.claim_mails(now=timezone.now()):
        send_review_mail.delay(request_id=str(request_id))


@shared_task(ignore_result=True)
def send_review_mail(*, request_id: str, **kwargs: Any) -> None:
    """One mail to a client. A failure leaves it queued for a later claim, with growing distances."""
    review_links.send_mail(request_id=uuid.UUID(request_id), now=timezone.now())
