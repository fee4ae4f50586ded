"""What beat and workers do for planned posts."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from celery import shared_task
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone, translation

from accounts.models import Brand
from content_calendar.forms import post_filter
from content_calendar.models import EvergreenPool, ImportState, Series
from content_calendar.services import (
    bulk,
    exports,
    import_checks,
    import_runs,
    imports,
    preflight,
    reminders,
    review_links,
    uploads,
    videos,
)
from content_calendar.services.evergreen import fill_pool
from content_calendar.services.series import fill_series
from content_calendar.views.refusals import REFUSALS, refusal_sentence


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


# --- files of posts ---------------------------------------------------------------------------


@shared_task(ignore_result=True)
def work_on_imports(**kwargs: Any) -> None:
    """Beat: files that nobody works on, because their task got lost or their worker died."""
    for batch_id in imports.waiting_for_work(now=timezone.now()):
        work_on_import.delay(batch_id=str(batch_id))


@shared_task(ignore_result=True)
def work_on_import(*, batch_id: str, **kwargs: Any) -> None:
    """One file to the end of what it is in: its dry run, its import, or its undoing."""
    lease = imports.claim(batch_id=uuid.UUID(batch_id), now=timezone.now())
    if lease is None:
        return
    with translation.override(lease.batch.language), contextlib.suppress(imports.LeaseLost):
        _WORK[lease.batch.state](lease)


def _check(lease: imports.Lease) -> None:
    for _rows in import_checks.check(lease=lease, now=timezone.now()):
        imports.renew(lease=lease, now=timezone.now())


def _import(lease: imports.Lease) -> None:
    while import_runs.import_step(lease=lease, refusals=_REFUSALS, now=timezone.now()):
        imports.renew(lease=lease, now=timezone.now())


def _undo(lease: imports.Lease) -> None:
    while import_runs.undo_step(lease=lease, refusals=_REFUSALS, now=timezone.now()):
        imports.renew(lease=lease, now=timezone.now())


_WORK: dict[str, Callable[[imports.Lease], None]] = {
    ImportState.CHECKING: _check,
    ImportState.IMPORTING: _import,
    ImportState.UNDOING: _undo,
}
_REFUSALS = imports.Refusals(REFUSALS, refusal_sentence)


@shared_task(ignore_result=True)
def clean_imports(**kwargs: Any) -> None:
    """Beat: uploaded files that nobody decided about."""
    imports.clean(now=timezone.now())


@shared_task(ignore_result=True)
def work_on_exports(**kwargs: Any) -> None:
    """Beat: files to be made that nobody works on."""
    for export_id in exports.waiting_for_work(now=timezone.now()):
        work_on_export.delay(export_id=str(export_id))


@shared_task(ignore_result=True)
def work_on_export(*, export_id: str, **kwargs: Any) -> None:
    """One file of posts to its end."""
    lease = exports.claim(export_id=uuid.UUID(export_id), now=timezone.now())
    if lease is None:
        return
    wanted = post_filter(QueryDict(lease.export.query))
    with translation.override(lease.export.language), contextlib.suppress(exports.LeaseLost):
        exports.make(lease=lease, wanted=wanted, clock=timezone.now)


@shared_task(ignore_result=True)
def clean_exports(**kwargs: Any) -> None:
    """Beat: files that were kept for long enough."""
    exports.clean(now=timezone.now())


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
