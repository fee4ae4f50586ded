"""Files of spend: upload, the dry run row by row, the yes, the progress."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.permissions import Action
from accounts.selectors import known_networks
from campaigns import tasks
from campaigns.forms.spend import FileForm
from campaigns.models import CsvImport
from campaigns.services import imports
from campaigns.services.imports import AT_ONCE, NotWaiting
from campaigns.services.spend import undo_import
from campaigns.views.dry_run import DryRun, dry_run, kept_fault_line
from campaigns.views.shown import loaded, tab_context
from campaigns.wording import ENCODINGS, file_refusal, refusal_of_file
from core.csv_reading import FileRefused
from core.htmx import render_page
from core.kept_files import FileGone

State = CsvImport.State


@requires(Action.MANAGE_CAMPAIGNS)
@require_http_methods(["GET", "HEAD", "POST"])
def spend_import(request: MemberRequest, campaign_id: uuid.UUID) -> HttpResponse:
    """Which file. A small one is read at once, a large one by a worker."""
    campaign = loaded(request, Action.MANAGE_CAMPAIGNS, campaign_id)
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    if form.is_bound and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            batch = imports.receive(
                campaign=campaign,
                upload=file,
                name=file.name or "",
                actor=request.user,
                now=timezone.now(),
            )
        except FileRefused as refused:
            form.add_error("file", refusal_of_file(refused))
        else:
            if batch.rows > AT_ONCE:
                tasks.check_import.delay_on_commit(import_id=str(batch.pk))
            else:
                imports.check(batch=batch)
            return redirect("campaigns:spend_import_page", import_id=batch.pk)
    context = tab_context(request, campaign, "spend", timezone.now()) | {"form": form}
    return render(request, "campaigns/spend_import.html", context, status=422 if form.errors else 200)


@requires(Action.MANAGE_CAMPAIGNS)
@require_safe
def spend_import_page(request: MemberRequest, import_id: uuid.UUID) -> HttpResponse:
    """Where a file stands: being read, every row's verdict, being imported, done. It looks again by itself
    while something is under way."""
    batch = _batch(request, import_id)
    assert batch.campaign is not None  # noqa: S101 - every file of spend belongs to a campaign
    context = tab_context(request, batch.campaign, "spend", timezone.now()) | {
        "batch": batch,
        "run": _dry_run(request, batch),
        "is_working": batch.state in (State.CHECKING, State.RUNNING),
        "rows_done": tasks.rows_done(batch),
        "networks": known_networks(),
        "encoding": ENCODINGS.get(batch.encoding, batch.encoding),
        "problem": file_refusal(batch.problem) if batch.problem else "",
        "kept_faults": [(kept["row"], kept_fault_line(kept)) for kept in batch.refused],
    }
    return render_page(request, "campaigns/spend_import_page.html", context, partial="standing")


def _dry_run(request: MemberRequest, batch: CsvImport) -> DryRun | None:
    if batch.state != State.READY:
        return None
    try:
        return dry_run(request, batch)
    except (FileGone, FileRefused):
        return None


@requires(Action.MANAGE_CAMPAIGNS)
@require_POST
def spend_import_confirm(request: MemberRequest, import_id: uuid.UUID) -> HttpResponse:
    batch = _batch(request, import_id)
    now = timezone.now()
    try:
        batch = imports.start(batch=batch, now=now)
        if batch.rows > AT_ONCE:
            tasks.carry_out_import.delay_on_commit(import_id=str(batch.pk), actor_id=request.user.pk)
        else:
            batch = imports.carry_out(batch=batch, actor=request.user, now=now)
    except NotWaiting:
        messages.info(request, _("Nothing was done twice: this file is not waiting any more."))
    return redirect("campaigns:spend_import_page", import_id=batch.pk)


@requires(Action.MANAGE_CAMPAIGNS)
@require_POST
def spend_import_discard(request: MemberRequest, import_id: uuid.UUID) -> HttpResponse:
    batch = _batch(request, import_id)
    try:
        imports.discard(batch=batch)
    except NotWaiting:
        messages.info(request, _("This file is being imported, or was dealt with already."))
        return redirect("campaigns:spend_import_page", import_id=batch.pk)
    messages.success(request, _("Nothing of the file was imported."))
    return redirect("campaigns:spend", campaign_id=batch.campaign_id)


@requires(Action.MANAGE_CAMPAIGNS)
@require_POST
def spend_import_undo(request: MemberRequest, import_id: uuid.UUID) -> HttpResponse:
    batch = _batch(request, import_id)
    gone = undo_import(batch=batch, actor=request.user, now=timezone.now())
    messages.success(
        request,
        ngettext("%(count)s entry taken out again.", "%(count)s entries taken out again.", gone)
        % {"count": gone},
    )
    return redirect("campaigns:spend", campaign_id=batch.campaign_id)


class _SpendImports:
    """The files of spend, for ``load``: those of other kinds have pages of their own."""

    @staticmethod
    def for_member(membership: Any) -> Any:
        rows = CsvImport.objects.for_member(membership).filter(
            kind=CsvImport.Kind.SPEND, campaign__isnull=False
        )
        return rows.select_related("campaign__brand__organization", "brand__organization", "created_by")


def _batch(request: MemberRequest, import_id: uuid.UUID) -> CsvImport:
    batch: CsvImport = load(request, Action.MANAGE_CAMPAIGNS, _SpendImports, import_id)
    return batch
