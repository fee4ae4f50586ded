"""Files of posts: what their rows may name, the verdict on each row, and the lists of files and rows."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Brand, Membership, SocialAccount
from campaigns.selectors.campaigns import choosable
from content_calendar.content import asset_ids
from content_calendar.import_details import PREFIX, detail_fields
from content_calendar.import_rows import Directory, Note, PlannedRow
from content_calendar.models import (
    ApprovalRule,
    ImportBatch,
    ImportImage,
    ImportRow,
    ImportState,
    Label,
    MediaAsset,
    RowVerdict,
    Variant,
)
from content_calendar.selectors.approval import rule_of
from content_calendar.selectors.checks import check_accounts
from core.csv_reading import FileProblem, FileRefused, Layout, Row, layout_of, rows_of
from core.kept_files import FileGone, kept_file
from core.xlsx_reading import MOST_COLUMNS, TableKind, rows_of_workbook
from outbox.models import DeliveryState, QuietPeriod

MOST_BYTES = 20 * 1024 * 1024
MOST_ROWS = 50_000
# Within it, everybody who may change the posts may take a whole file back.
UNDO_FOR = dt.timedelta(days=7)
WORKING = (ImportState.CHECKING, ImportState.IMPORTING, ImportState.UNDOING)
SAMPLE = 3  # rows that the page for naming the columns shows


# --- reading the file -------------------------------------------------------------------------


@contextmanager
def table_of(
    file: BinaryIO, kind: str, *, encoding: str = "", delimiter: str = ""
) -> Iterator[tuple[Layout, Iterator[Row]]]:
    """How a file is written, and its rows, the header first. Raises FileRefused, also between rows."""
    if kind == TableKind.XLSX:
        layout, rows = Layout("", ""), rows_of_workbook(file, most=MOST_ROWS)
    else:
        layout = layout_of(file, encoding=encoding, delimiter=delimiter, takes_controls=True)
        rows = rows_of(file, layout, most=MOST_ROWS, keeps_broken=True)
    with closing(rows):  # before its file is
        yield layout, rows


@contextmanager
def table_of_batch(batch: ImportBatch) -> Iterator[tuple[Layout, Iterator[Row]]]:
    """The kept file, read as was found or chosen. Raises FileGone, FileRefused."""
    with (
        kept_file(batch) as file,
        table_of(file, batch.kind, encoding=batch.encoding, delimiter=batch.delimiter) as table,
    ):
        yield table


def header_of(rows: Iterator[Row]) -> Row:
    """The first row. Raises FileRefused."""
    header = next(rows, None)
    if header is None:
        raise FileRefused(FileProblem.EMPTY)
    if header.is_broken:
        raise FileRefused(FileProblem.BROKEN, str(header.number))
    if len(header.cells) > MOST_COLUMNS:
        raise FileRefused(FileProblem.TOO_MANY_COLUMNS)
    return header


def sample_of(batch: ImportBatch) -> list[tuple[str, ...]]:
    """The first rows below the header. Empty when the file is gone."""
    try:
        with table_of_batch(batch) as (_layout, rows):
            header_of(rows)
            return [row.cells for row, _number in zip(rows, range(SAMPLE), strict=False)]
    except (FileGone, FileRefused):
        return []


# --- what rows may name -----------------------------------------------------------------------


def directory_of(batch: ImportBatch, now: dt.datetime) -> Directory:
    """Five queries."""
    brand: Brand = batch.brand
    accounts = list(SocialAccount.objects.for_brand(brand).connected().order_by("platform", "handle"))
    for account in accounts:
        account.brand = brand
    campaigns: dict[str, set[uuid.UUID]] = defaultdict(set)
    codes: dict[str, tuple[uuid.UUID, ...]] = {}
    for pk, name, code in choosable(brand).values_list("pk", "name", "code"):
        campaigns[name.strip().lower()].add(pk)
        codes[code.strip().lower()] = (pk,)
    quiet = QuietPeriod.objects.for_brand(brand).filter(ends_at__gt=now)
    return Directory(
        brand=brand,
        accounts=tuple(accounts),
        campaigns={name: tuple(pks) for name, pks in campaigns.items()} | codes,
        labels={name.lower(): pk for pk, name in Label.objects.for_brand(brand).values_list("pk", "name")},
        quiet=tuple(quiet.values_list("starts_at", "ends_at")),
        schedules=batch.schedules,
        may_schedule=batch.may_schedule,
        asks_approval=rule_of(brand.pk) is not ApprovalRule.NONE,
    )


def details_asked(brands: Collection[Brand]) -> list[str]:
    """The columns for what the networks of the brands' accounts ask besides words and media."""
    accounts = SocialAccount.objects.filter(brand__in=brands).connected()
    networks = set(accounts.values_list("platform", flat=True))
    return [key for key, (info, _field) in detail_fields().items() if info.key in networks]


def address_key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


_PLACEHOLDER = uuid.UUID(int=0)


def asset_address(asset: uuid.UUID) -> str:
    """How the export names an image of the brand; the import knows it again without fetching it."""
    path = reverse("content_calendar:media_file", args=[asset])
    return f"{settings.BASE_URL}{path}"


def own_assets(brand: Brand, urls: Collection[str]) -> dict[str, MediaAsset | None]:
    """Those of the addresses that are of this installation, with the brand's image behind each, None where it
    has none. At most one query."""
    before, after = asset_address(_PLACEHOLDER).split(str(_PLACEHOLDER))
    pattern = re.compile(re.escape(before) + "([0-9a-f-]{36})" + re.escape(after))
    named = {url: match[1] for url in urls if (match := pattern.fullmatch(url))}
    ids = {url: uuid.UUID(pk) for url, pk in named.items() if _is_uuid(pk)}
    found = MediaAsset.objects.filter(brand=brand).in_bulk(set(ids.values())) if ids else {}
    return {url: found.get(ids[url]) if url in ids else None for url in named}


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Images:
    """What is known of the addresses that rows name. ``assets`` has stand-ins for those of ``not_fetched``
    that were looked at; ``unknown`` were not."""

    assets: Mapping[str, MediaAsset]
    problems: Mapping[str, str]
    not_fetched: frozenset[str] = frozenset()

    @property
    def unknown(self) -> frozenset[str]:
        return self.not_fetched - self.assets.keys()


def images_of(batch: ImportBatch, urls: Collection[str]) -> Images:
    """Two queries at most. An image that was looked at and not fetched stands for itself: its measures are
    what the networks' limits need."""
    if not urls:
        return Images({}, {})
    own = own_assets(batch.brand, urls)
    assets = {url: asset for url, asset in own.items() if asset is not None}
    gone = _("This image is not among those of %(brand)s.") % {"brand": batch.brand}
    problems = {url: gone for url, asset in own.items() if asset is None}
    keys = {address_key(url): url for url in urls if url not in own}
    looked = ImportImage.objects.filter(batch=batch, key__in=keys).select_related("asset") if keys else ()
    missing = set(keys.values())
    for image in looked:
        url = keys[image.key]
        if image.problem:
            problems[url] = image.problem
            missing.discard(url)
        elif image.asset is not None:
            assets[url] = image.asset
            missing.discard(url)
        elif image.mime_type:
            assets[url] = MediaAsset(
                pk=image.pk,
                brand=batch.brand,
                mime_type=image.mime_type,
                size=image.size,
                width=image.width,
                height=image.height,
            )
    return Images(assets, problems, frozenset(missing))


# --- the verdict ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Judged:
    row: PlannedRow
    notes: tuple[Note, ...]

    @property
    def verdict(self) -> RowVerdict:
        if any(note.is_error for note in self.notes):
            return RowVerdict.ERROR
        return RowVerdict.WARNING if self.notes else RowVerdict.OK


@dataclass(slots=True)
class Judge:
    """The verdicts on the rows of one file in their order: what the composer would say, and what only a table
    can have, the same twice. ``now``: what is before it is over."""

    directory: Directory
    now: dt.datetime
    _contents: dict[int, int] = field(default_factory=dict)  # a hash of what a row says -> its number
    _moments: dict[tuple[dt.datetime, uuid.UUID], int] = field(default_factory=dict)

    def judged(self, rows: Sequence[PlannedRow], images: Images) -> list[Judged]:
        """One query."""
        taken = _taken(self.directory.brand, rows)
        return [
            Judged(row, tuple(dict.fromkeys((*row.notes, *self._notes(row, images, taken))))) for row in rows
        ]

    @staticmethod
    def _alike(row: PlannedRow) -> list[SocialAccount]:
        """One account of each network with the same limits, and each that must be reconnected or has words or
        answers of its own: the others would be told the same."""
        own = {one.account.pk for one in row.own} | row.settings.keys()
        alike: dict[object, SocialAccount] = {}
        for account in row.accounts:
            is_like_others = account.is_active and account.pk not in own
            limits = (account.platform, repr(account.options)) if is_like_others else account.pk
            alike.setdefault(limits, account)
        return list(alike.values())

    def _notes(self, row: PlannedRow, images: Images, taken: Collection[_Place]) -> Iterator[Note]:
        yield from _image_notes(row, images)
        yield from _content_notes(row, images, self._alike(row))
        if row.schedules and self.directory.asks_approval:
            yield Note(False, "state", _("It is a draft until it is approved, as this brand asks for."))
        if row.at is None:
            return
        if row.at < self.now:
            yield Note(row.schedules, "date", _("This time is over. Choose a later one."))
        elif row.schedules and any(start <= row.at < end for start, end in self.directory.quiet):
            said = _("It lies in a quiet period: the post is held until that is over.")
            yield Note(False, "date", said)
        own = tuple((one.account.pk, one.parts) for one in row.own)
        answers = repr(sorted((str(pk), sorted(said.items())) for pk, said in row.settings.items()))
        content = hash((row.at, row.parts, own, answers, tuple(account.pk for account in row.accounts)))
        before = self._contents.setdefault(content, row.number)
        if before != row.number:
            said = _("Row %(row)s says the same at the same time.") % {"row": before}
            yield Note(True, "", said)
            return
        for account in row.accounts:
            if (row.at, account.pk) in taken:
                said = _("Another post is planned on %(account)s at this minute.") % {"account": account}
                yield Note(False, "date", said)
            other = self._moments.setdefault((row.at, account.pk), row.number)
            if other != row.number:
                words = {"row": other, "account": account}
                said = _("Row %(row)s is planned on %(account)s at this minute, too.") % words
                yield Note(False, "date", said)


_Place = tuple[dt.datetime, uuid.UUID]  # a moment, and an account


def _taken(brand: Brand, rows: Sequence[PlannedRow]) -> set[_Place]:
    """Of the moments of these rows, those at which an account has a post already."""
    moments = {row.at for row in rows if row.at is not None and row.accounts}
    if not moments:
        return set()
    found = Variant.objects.filter(
        post__brand=brand, post__planned_at__in=moments, post__deleted_at__isnull=True
    ).exclude(delivery__state=DeliveryState.CANCELLED)
    return {(at, account) for at, account in found.values_list("post__planned_at", "account_id") if at}


def _image_notes(row: PlannedRow, images: Images) -> Iterator[Note]:
    for url in row.urls:
        if url in images.problems:
            yield Note(True, "media", f"{_short(url)}: {images.problems[url]}")
        elif url in images.unknown:
            yield Note(False, "media", f"{_short(url)}: {_('It is looked at only when it is imported.')}")


def _content_notes(row: PlannedRow, images: Images, accounts: Sequence[SocialAccount]) -> Iterator[Note]:
    """What the networks say. What a draft may still be corrected in is no error."""
    if not accounts or not (row.parts or row.own):
        return
    content, own = row.content(images.assets), row.own_content(images.assets)
    words = {one.account.pk: f"@{one.words}" for one in row.own}
    by_id = {asset.pk: asset for asset in images.assets.values()}
    used = {pk: by_id[pk] for pk in asset_ids(content, *own.values())}
    # A text may be missing only because the image beside it is not known yet.
    is_unknown = any(url in images.unknown or url in images.problems for url in row.urls)
    is_tracked = row.campaign is not None
    checks = check_accounts(accounts, content, own, used, is_tracked=is_tracked, settings=row.settings)
    for check in checks:
        parts, owner = own.get(check.account.pk, content), words.get(check.account.pk, "")
        for issue in check.issues:
            if not (issue.is_missing and is_unknown):
                column = "text" if issue.part == 0 else f"text_{issue.part + 1}"
                if issue.part < len(parts) and parts[issue.part].is_comment:
                    column = "comment"
                column += owner
                if issue.name:
                    column = f"{PREFIX}{check.account.platform}.{issue.name}"
                    if any(note.is_error and note.column.startswith(column) for note in row.notes):
                        continue  # an answer that could not be read is not one that is missing
                yield Note(issue.is_blocking and row.schedules, column, issue.message)


def _short(url: str) -> str:
    return url if len(url) <= 80 else f"{url[:50]}…{url[-25:]}"


# --- lists ------------------------------------------------------------------------------------


def batches(membership: Membership, brand: Brand | None) -> QuerySet[ImportBatch]:
    """The files that came to anything, the latest first."""
    rows = ImportBatch.objects.for_member(membership).exclude(state=ImportState.DISCARDED)
    if brand is not None:
        rows = rows.filter(brand=brand)
    return rows.select_related("brand", "created_by").order_by("-created_at", "-pk")


def rows_page_of(batch: ImportBatch, *, verdict: str = "", outcome: str = "") -> QuerySet[ImportRow]:
    """The rows of a file by number, or those with one verdict or outcome."""
    rows = ImportRow.objects.filter(batch=batch)
    if verdict in RowVerdict.values:
        rows = rows.filter(verdict=verdict)
    if outcome:
        rows = rows.filter(outcome=outcome)
    return rows.order_by("number")
