"""Files of many posts, made in the background: asked for, written by a worker, kept for a while.

One file is written by one worker at a time; who finds its lease over begins anew, because half a file is of
use to nobody. Where the file will be is written down before it is stored, so none is left without a row.
"""

from __future__ import annotations

import datetime as dt
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q

from accounts.models import Brand, Membership
from content_calendar.models import ExportState, PostExport
from content_calendar.selectors.exports import Table, TooMany, posts_table
from content_calendar.selectors.posts import PostFilter
from core.csv_writing import write_csv
from core.xlsx_reading import TableKind
from core.xlsx_writing import write_xlsx

LEASE = dt.timedelta(seconds=120)
MOST_ATTEMPTS = 3  # a file that takes its worker along each time is given up
KEPT_FOR = dt.timedelta(days=7)
MOST_UNDER_WAY = 3  # of one member
_TOLD_EVERY = 500  # rows
_IN_MEMORY = 4 * 1024 * 1024

Clock = Callable[[], dt.datetime]


class TooManyUnderWay(Exception):
    """MOST_UNDER_WAY files of this member are being made already."""


class BrandGone(Exception):
    """The member may no longer see the brand that the file is of."""


class LeaseLost(Exception):
    """Another worker makes the file, or nobody wants it any more."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one worker to make one file."""

    export: PostExport
    key: uuid.UUID


def ask(
    *,
    membership: Membership,
    brand: Brand | None,
    query: str,
    rows: int,
    kind: TableKind,
    language: str,
    now: dt.datetime,
) -> PostExport:
    """A file of the posts that ``query`` (as forms.filter_query writes it) leaves, ``rows`` of them at the
    moment. Raises TooManyUnderWay."""
    with transaction.atomic():
        Membership.objects.select_for_update(no_key=True).get(pk=membership.pk)
        under_way = PostExport.objects.filter(membership=membership, state=ExportState.MAKING)
        if under_way.count() >= MOST_UNDER_WAY:
            raise TooManyUnderWay
        return PostExport.objects.create(
            membership=membership,
            brand=brand,
            query=query,
            rows=rows,
            kind=kind,
            language=language,
            created_at=now,
        )


def discard(*, export: PostExport) -> None:
    """Nobody wants the file any more. A worker that is at it finds its lease gone."""
    with transaction.atomic():
        row = PostExport.objects.select_for_update().filter(pk=export.pk).first()
        if row is None:
            return
        row.delete()
    _drop(row.storage_key)


def clean(*, now: dt.datetime) -> int:
    """Files are kept for KEPT_FOR."""
    old = list(PostExport.objects.filter(created_at__lt=now - KEPT_FOR))
    for export in old:
        discard(export=export)
    return len(old)


def _drop(storage_key: str) -> None:
    if storage_key:
        default_storage.delete(storage_key)


# --- who makes it -----------------------------------------------------------------------------


def waiting_for_work(*, now: dt.datetime) -> list[uuid.UUID]:
    rows = PostExport.objects.filter(_free(now), state=ExportState.MAKING).order_by("created_at")
    return list(rows.values_list("pk", flat=True)[:100])


def claim(*, export_id: uuid.UUID, now: dt.datetime) -> Lease | None:
    """Take it up, unless somebody has it. One that was taken up too often has failed."""
    key = uuid.uuid4()
    rows = PostExport.objects.filter(_free(now), pk=export_id, state=ExportState.MAKING)
    if not rows.update(lease_key=key, lease_until=now + LEASE, attempts=F("attempts") + 1, done=0):
        return None
    export = PostExport.objects.select_related("membership", "brand").get(pk=export_id)
    lease = Lease(export, key)
    if export.attempts > MOST_ATTEMPTS:
        _finish(lease, state=ExportState.FAILED, finished_at=now)
        return None
    return lease


def _free(now: dt.datetime) -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=now)


def make(*, lease: Lease, wanted: PostFilter, clock: Clock) -> None:
    """Write the file in the active language. Raises LeaseLost; nothing is left behind then."""
    export = lease.export
    _drop(export.storage_key)  # what a worker that was killed has left
    brand = export.brand
    may_see = Brand.objects.for_member(export.membership)
    try:
        if brand is not None and not may_see.filter(pk=brand.pk).exists():
            raise BrandGone
        table = posts_table(export.membership, brand, wanted, language=export.language)
    except (BrandGone, TooMany):
        _finish(lease, state=ExportState.FAILED, finished_at=clock())
        return
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        write = write_xlsx if export.kind == TableKind.XLSX else write_csv
        write(file, table.header, _told(lease, table, clock))
        size = file.tell()
        file.seek(0)
        key = f"exports/{lease.key}.{export.kind}"
        _update(lease, storage_key=key)
        default_storage.save(key, File(file))
    try:
        _finish(
            lease,
            state=ExportState.DONE,
            size=size,
            rows=table.count,
            done=table.count,
            brands=[str(one.pk) for one in table.brands],
            finished_at=clock(),
        )
    except BaseException:
        _drop(key)
        raise


def _told(lease: Lease, table: Table, clock: Clock) -> Iterator[tuple[str, ...]]:
    """The rows; how many there were is told on the way. Raises LeaseLost."""
    for number, row in enumerate(table.rows):
        if number % _TOLD_EVERY == 0:
            _update(lease, done=number, rows=table.count, lease_until=clock() + LEASE)
        yield row


def _update(lease: Lease, **values: object) -> None:
    rows = PostExport.objects.filter(pk=lease.export.pk, lease_key=lease.key, state=ExportState.MAKING)
    if not rows.update(**values):
        raise LeaseLost


def _finish(lease: Lease, **values: object) -> None:
    _update(lease, lease_key=None, lease_until=None, **values)
