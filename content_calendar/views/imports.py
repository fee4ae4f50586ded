"""Files of posts: upload, how they are read, every row's verdict, the yes, the result, and the way back."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.permissions import Action
from campaigns.wording import ENCODINGS
from content_calendar import tasks
from content_calendar.import_forms import ReadingForm, UploadForm
from content_calendar.import_rows import column_words
from content_calendar.import_wording import problem_of_file, refusal_of_file, sample_rows
from content_calendar.models import ImportBatch, ImportRow, ImportState, RowOutcome, RowVerdict
from content_calendar.selectors.imports import (
    UNDO_FOR,
    WORKING,
    batches,
    details_asked,
    rows_page_of,
    sample_of,
)
from content_calendar.services import imports as service
from content_calendar.views.shown import may, shown
from core.csv_reading import FileRefused
from core.csv_writing import csv_response
from core.htmx import render_page
from core.kept_files import FileGone
from core.paging import page_of
from core.xlsx_reading import TableKind
from core.xlsx_writing import xlsx_response

State = ImportState
_RESULTS = (State.DONE, State.UNDOING, State.UNDONE, State.STOPPED)


@dataclass(frozen=True, slots=True)
class Line:
    """One row as the page shows it."""

    row: ImportRow
    at: dt.datetime | None
    notes: tuple[tuple[bool, str, str], ...]  # is an error, column, sentence


@requires(Action.DRAFT_POSTS)
@require_safe
def import_list(request: MemberRequest) -> HttpResponse:
    about = shown(request)
    page = page_of(request, batches(request.membership, about.brand))
    return render(request, "content_calendar/imports.html", {"shown": about, "page": page})


@requires(Action.DRAFT_POSTS)
@require_http_methods(["GET", "HEAD", "POST"])
def import_new(request: MemberRequest) -> HttpResponse:
    """Which file. It is read by a worker; what no worker needs to look at is refused at once."""
    about = shown(request)
    if not about.brands:
        return render(request, "content_calendar/compose_nothing.html", {"shown": about})
    may_publish = may(request)["may_publish"]
    form = UploadForm(
        request.POST if request.method == "POST" else None,
        request.FILES or None,
        brands=(about.brand,) if about.brand else about.brands,
        may_schedule=may_publish,
    )
    if form.is_bound and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            batch = service.receive(
                brand=form.cleaned_data["brand"],
                upload=file,
                name=file.name or "",
                schedules=form.cleaned_data.get("schedules") == "schedule",
                may_schedule=may_publish,
                language=get_language() or "en",
                actor=request.user,
                now=timezone.now(),
            )
        except FileRefused as refused:
            form.add_error("file", refusal_of_file(refused))
        else:
            if batch.state == State.NAMING:
                return redirect("content_calendar:import_reading", import_id=batch.pk)
            return _worked_on(batch)
    context = {"shown": about, "form": form, "details": details_asked(about.shown_brands)}
    return render(request, "content_calendar/import_new.html", context, status=422 if form.errors else 200)


@requires(Action.DRAFT_POSTS)
@require_safe
def import_sample(request: MemberRequest) -> HttpResponseBase:
    """A file to begin with, in the reader's language: ``?format=xlsx``, else CSV."""
    details = details_asked(shown(request).shown_brands)
    header, rows = sample_rows(get_language() or "en", timezone.now().date(), details)
    respond = xlsx_response if request.GET.get("format") == TableKind.XLSX else csv_response
    return respond("posts-sample", header, rows)


@requires(Action.DRAFT_POSTS)
@require_http_methods(["GET", "HEAD", "POST"])
def import_reading(request: MemberRequest, import_id: uuid.UUID) -> HttpResponse:
    """How the file is read: its encoding and separator, and what its columns mean."""
    batch = _batch(request, import_id)
    if batch.state not in (State.NAMING, State.READY):
        return redirect("content_calendar:import_page", import_id=batch.pk)
    form = ReadingForm(request.POST if request.method == "POST" else None, batch=batch)
    if form.is_bound and form.is_valid():
        try:
            batch = service.read_again(batch=batch, reading=form.reading())
        except FileRefused as refused:
            form.add_error(None, refusal_of_file(refused))
        except (service.NotWaiting, FileGone):
            messages.info(request, _("This file is being imported, or was dealt with already."))
            return redirect("content_calendar:import_page", import_id=batch.pk)
        else:
            if batch.state == State.CHECKING:
                return _worked_on(batch)
            messages.info(request, _("The columns changed. Look at them once more."))
            return redirect("content_calendar:import_reading", import_id=batch.pk)
    sample = sample_of(batch)
    columns = [
        (form[f"column_{index}"], [cells[index] if index < len(cells) else "" for cells in sample])
        for index in range(len(batch.header))
    ]
    context = {"batch": batch, "brand": batch.brand, "form": form, "columns": columns}
    return render(
        request, "content_calendar/import_reading.html", context, status=422 if form.errors else 200
    )


@requires(Action.DRAFT_POSTS)
@require_safe
def import_page(request: MemberRequest, import_id: uuid.UUID) -> HttpResponse:
    """Where a file stands: being checked, every row's verdict, being imported, what came of it. It looks
    again by itself while something is under way. ``?show=`` a verdict or an outcome."""
    batch = _batch(request, import_id)
    if batch.state == State.NAMING:
        return redirect("content_calendar:import_reading", import_id=batch.pk)
    show = request.GET.get("show", "")
    is_shown = batch.state in (State.READY, State.DONE, State.UNDONE, State.STOPPED)
    page = page_of(request, rows_page_of(batch, **_asked(show))) if is_shown else None
    now = timezone.now()
    context = {
        "batch": batch,
        "brand": batch.brand,
        "is_working": batch.state in WORKING,
        "has_result": batch.state in _RESULTS,
        "is_undoable": service.is_undoable(batch, now),
        "undo_until": batch.started_at + UNDO_FOR if batch.started_at else None,
        "may_go_on": may(request)["may_publish"] or not batch.may_schedule,
        "may_undo": may(request)["may_publish"] or not batch.scheduled,
        "posts": batch.drafted + batch.scheduled,
        "left_out": batch.rows - batch.drafted - batch.scheduled,
        "filters": _filters(batch),
        "is_past_whole": batch.refused or batch.ok > service.MOST_AT_ONCE,
        "encoding": ENCODINGS.get(batch.encoding, batch.encoding),
        "problem": problem_of_file(batch.problem, batch.problem_detail) if batch.problem else "",
        "show": show,
        "page": page,
        "lines": [_line(row) for row in page] if page is not None else (),
        **may(request),
    }
    return render_page(request, "content_calendar/import_page.html", context, partial="standing")


def _filters(batch: ImportBatch) -> list[tuple[str, str, int | None]]:
    """Value, words and number of each part of the rows that can be looked at alone."""
    found: list[tuple[str, str, int | None]] = [("", _("All rows"), batch.rows)]
    if batch.state == State.READY:
        found.append((RowVerdict.OK, _("Good"), batch.ok - batch.warned))
        found.append((RowVerdict.WARNING, _("Worth a look"), batch.warned))
    else:
        outcomes = (RowOutcome.UNDONE, RowOutcome.KEPT) if batch.state == State.UNDONE else service.MADE
        found += [(one, str(one.label), None) for one in outcomes]
    found.append((RowVerdict.ERROR, _("Refused"), batch.refused))
    return found


def _asked(show: str) -> dict[str, str]:
    return {"outcome": show} if show in RowOutcome.values else {"verdict": show}


def _line(row: ImportRow) -> Line:
    at = row.gist.get("at")
    notes = [(note["level"] == "error", column_words(note), note["text"]) for note in row.notes]
    # Why it is refused comes before what is only said.
    notes.sort(key=lambda note: not note[0])
    return Line(row, dt.datetime.fromisoformat(at) if at else None, tuple(notes))


@requires(Action.DRAFT_POSTS)
@require_safe
def import_verdicts(request: MemberRequest, import_id: uuid.UUID) -> HttpResponseBase:
    """The file again, with the verdict on every row; ``?show=error`` those that are to be corrected."""
    batch = _batch(request, import_id)
    header = [*batch.header, _("Row"), _("Verdict"), _("What was said")]
    labels = {str(verdict): str(verdict.label) for verdict in RowVerdict}
    labels |= {str(outcome): str(outcome.label) for outcome in RowOutcome}
    rows = rows_page_of(batch, **_asked(request.GET.get("show", "")))
    name = f"import-{timezone.localdate():%Y%m%d}"
    return csv_response(name, header, _verdict_rows(rows, len(batch.header), labels))


def _verdict_rows(rows: Any, width: int, labels: dict[str, str]) -> Iterator[list[Any]]:
    for row in rows.iterator(chunk_size=1_000):
        cells = [*row.cells[:width], *[""] * (width - len(row.cells))]
        said = " ".join(note["text"] for note in row.notes)
        yield [*cells, row.number, labels[row.outcome or row.verdict], said]


@requires(Action.DRAFT_POSTS)
@require_POST
def import_confirm(request: MemberRequest, import_id: uuid.UUID) -> HttpResponse:
    batch = _batch(request, import_id)
    return _tried(
        request,
        batch,
        lambda: service.start(
            batch=batch,
            is_all_or_nothing=request.POST.get("how") == "whole",
            may_schedule=may(request)["may_publish"],
            actor=request.user,
            now=timezone.now(),
        ),
    )


@requires(Action.DRAFT_POSTS)
@require_POST
def import_undo(request: MemberRequest, import_id: uuid.UUID) -> HttpResponse:
    batch = _batch(request, import_id)
    if batch.scheduled and not may(request)["may_publish"]:
        raise PermissionDenied
    return _tried(request, batch, lambda: service.undo(batch=batch, actor=request.user, now=timezone.now()))


@requires(Action.DRAFT_POSTS)
@require_POST
def import_go_on(request: MemberRequest, import_id: uuid.UUID) -> HttpResponse:
    batch = _batch(request, import_id)
    if batch.may_schedule and not may(request)["may_publish"]:  # it goes on in the name of who said yes
        raise PermissionDenied
    return _tried(request, batch, lambda: service.go_on(batch=batch))


@requires(Action.DRAFT_POSTS)
@require_POST
def import_discard(request: MemberRequest, import_id: uuid.UUID) -> HttpResponse:
    batch = _batch(request, import_id)
    try:
        service.discard(batch=batch)
    except service.NotWaiting:
        messages.info(request, _("This file is being imported, or was dealt with already."))
        return redirect("content_calendar:import_page", import_id=batch.pk)
    messages.success(request, _("Nothing of the file was imported."))
    return redirect("content_calendar:imports")


def _batch(request: MemberRequest, import_id: uuid.UUID) -> ImportBatch:
    rows = ImportBatch.objects.select_related("brand__organization", "created_by", "started_by")
    batch: ImportBatch = load(request, Action.DRAFT_POSTS, rows, import_id)
    return batch


def _worked_on(batch: ImportBatch) -> HttpResponse:
    """A worker takes it up; the page shows how far it is."""
    tasks.work_on_import.delay_on_commit(batch_id=str(batch.pk))
    return redirect("content_calendar:import_page", import_id=batch.pk)


def _tried(request: MemberRequest, batch: ImportBatch, act: Callable[[], ImportBatch]) -> HttpResponse:
    try:
        act()
    except service.NotWaiting:
        messages.info(request, _("Nothing was done twice: this file is not waiting any more."))
    except service.NotWhole:
        messages.error(request, _("A row of this file is refused, so it cannot be imported as a whole."))
    else:
        return _worked_on(batch)
    return redirect("content_calendar:import_page", import_id=batch.pk)
