"""Files of conversions: upload, the dry run row by row, the yes, the progress."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.permissions import Action
from campaigns import tasks
from campaigns.conversion_rows import Fault, RowProblem
from campaigns.conversion_wording import problem_words
from campaigns.forms.spend import FileForm
from campaigns.models import CsvImport
from campaigns.reports import Problem
from campaigns.services import conversion_imports as service
from campaigns.services.conversion_imports import Verdict
from campaigns.services.imports import AT_ONCE, NotWaiting, discard, start
from campaigns.views.conversions import brand_asked_for, campaign_asked_for, choose_brand
from campaigns.wording import ENCODINGS, UNREADABLE, file_refusal, refusal_of_file
from core.csv_reading import FileRefused
from core.entering import Unreadable
from core.htmx import render_page
from core.kept_files import FileGone
from core.paging import PAGE_SIZE

State = CsvImport.State

_UNREADABLE = frozenset(str(code) for code in Unreadable)
_PROBLEMS: Mapping[str, Promise] = {
    RowProblem.UNKNOWN_KIND: gettext_lazy("This kind is not known. Write lead, sale or refund."),
    RowProblem.REFUND_OF_MISSING: gettext_lazy("A refund names the order that it is of."),
    Unreadable.OTHER_CURRENCY: gettext_lazy("This is in another currency than the brand counts in."),
    Unreadable.NOT_A_DATE: gettext_lazy("This is not a time. Write it as 2026-01-31 15:30."),
    Unreadable.AMBIGUOUS_DATE: gettext_lazy(
        "Day and month of this date cannot be told apart. Write it as 2026-01-31 15:30."
    ),
}
COLUMN_NAMES: Mapping[str, Promise] = {
    "id": gettext_lazy("Number"),
    "kind": gettext_lazy("Kind"),
    "date": pgettext_lazy("conversion", "When"),
    "value": pgettext_lazy("conversion", "Value"),
    "currency": gettext_lazy("Currency"),
    "email": gettext_lazy("E-mail address"),
    "customer": gettext_lazy("Customer number"),
    "name": gettext_lazy("Name"),
    "campaign": gettext_lazy("Campaign"),
    "click": gettext_lazy("Click"),
    "refund_of": gettext_lazy("Refunded order"),
}


@dataclass(frozen=True, slots=True)
class FaultLine:
    column: str
    value: str
    words: str


@dataclass(frozen=True, slots=True)
class DryRun:
    """One page of the verdicts, with the faults in words."""

    page: Page[int]
    lines: tuple[tuple[Verdict, tuple[FaultLine, ...]], ...]


@requires(Action.MANAGE_CAMPAIGNS)
@require_http_methods(["GET", "HEAD", "POST"])
def conversion_import(request: MemberRequest) -> HttpResponse:
    """Which file; for the campaign or the brand that the address names. A small one is read at once, a large
    one by a worker."""
    campaign = campaign_asked_for(request)
    brand = campaign.brand if campaign else brand_asked_for(request)
    if brand is None:  # currency and zone are the brand's
        return choose_brand(request, "campaigns:conversion_import")
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    if form.is_bound and form.is_valid():
        file, now = form.cleaned_data["file"], timezone.now()
        try:
            batch = service.receive(
                brand=brand,
                campaign=campaign,
                upload=file,
                name=file.name or "",
                actor=request.user,
                now=now,
            )
        except FileRefused as refused:
            form.add_error("file", refusal_of_file(refused))
        else:
            if batch.rows > AT_ONCE:
                tasks.check_conversions.delay_on_commit(import_id=str(batch.pk))
            else:
                service.check(batch=batch, now=now)
            return redirect("campaigns:conversion_import_page", import_id=batch.pk)
    context = {"form": form, "brand": brand, "campaign": campaign}
    return render(request, "campaigns/conversion_import.html", context, status=422 if form.errors else 200)


@requires(Action.MANAGE_CAMPAIGNS)
@require_safe
def conversion_import_page(request: MemberRequest, import_id: uuid.UUID) -> HttpResponse:
    """Where a file stands: being read, every row's verdict, being imported, done. It looks again by itself
    while something is under way."""
    batch = _batch(request, import_id)
    context = {
        "batch": batch,
        "campaign": batch.campaign,
        "brand": batch.brand,
        "zone": batch.brand.timezone,
        "run": _dry_run(request, batch) if batch.state == State.READY else None,
        "is_working": batch.state in (State.CHECKING, State.RUNNING),
        "rows_done": tasks.rows_done(batch),
        "encoding": ENCODINGS.get(batch.encoding, batch.encoding),
        "problem": file_refusal(batch.problem) if batch.problem else "",
        "kept_faults": [(kept["row"], _kept_line(kept)) for kept in batch.refused],
    }
    return render_page(request, "campaigns/conversion_import_page.html", context, partial="standing")


@requires(Action.MANAGE_CAMPAIGNS)
@require_POST
def conversion_import_confirm(request: MemberRequest, import_id: uuid.UUID) -> HttpResponse:
    batch = _batch(request, import_id)
    now = timezone.now()
    try:
        batch = start(batch=batch, now=now)
        if batch.rows > AT_ONCE:
            tasks.carry_out_conversions.delay_on_commit(import_id=str(batch.pk), actor_id=request.user.pk)
        else:
            service.carry_out(batch=batch, actor=request.user, now=now)
    except NotWaiting:
        messages.info(request, _("Nothing was done twice: this file is not waiting any more."))
    return redirect("campaigns:conversion_import_page", import_id=batch.pk)


@requires(Action.MANAGE_CAMPAIGNS)
@require_POST
def conversion_import_discard(request: MemberRequest, import_id: uuid.UUID) -> HttpResponse:
    batch = _batch(request, import_id)
    try:
        discard(batch=batch)
    except NotWaiting:
        messages.info(request, _("This file is being imported, or was dealt with already."))
        return redirect("campaigns:conversion_import_page", import_id=batch.pk)
    messages.success(request, _("Nothing of the file was imported."))
    if batch.campaign_id:
        return redirect("campaigns:conversions", campaign_id=batch.campaign_id)
    return redirect("campaigns:conversion_list")


class _ConversionImports:
    """The files of conversions, for ``load``."""

    @staticmethod
    def for_member(membership: Any) -> Any:
        rows = CsvImport.objects.for_member(membership).filter(kind=CsvImport.Kind.CONVERSIONS)
        return rows.select_related("campaign", "brand__organization", "created_by")


def _batch(request: MemberRequest, import_id: uuid.UUID) -> CsvImport:
    batch: CsvImport = load(request, Action.MANAGE_CAMPAIGNS, _ConversionImports, import_id)
    return batch


def _dry_run(request: HttpRequest, batch: CsvImport) -> DryRun | None:
    # Only the numbers of the pages come from this; the rows are read from the file.
    page = Paginator(range(batch.rows), PAGE_SIZE).get_page(request.GET.get("page"))
    first = (page.number - 1) * PAGE_SIZE
    try:
        found = service.verdicts(batch, now=timezone.now(), first=first, last=first + PAGE_SIZE)
        return DryRun(page, tuple((one, tuple(_line(fault) for fault in one.faults)) for one in found))
    except (FileGone, FileRefused):
        return None


def _line(fault: Fault) -> FaultLine:
    return FaultLine(str(COLUMN_NAMES.get(fault.column, "")), fault.value, _words(fault))


def _words(fault: Fault) -> str:
    if fault.code in _PROBLEMS:
        return str(_PROBLEMS[fault.code])
    # Some codes are in both; those of a report that need words of their own bring them along.
    if fault.facts or fault.code not in _UNREADABLE:
        return problem_words(Problem(fault.code), fault.facts)
    return str(UNREADABLE[Unreadable(fault.code)])


def _kept_line(kept: dict[str, Any]) -> FaultLine:
    """One of CsvImport.refused."""
    return _line(Fault(kept["field"], kept["code"], kept["value"], kept.get("facts", {})))
