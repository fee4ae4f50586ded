"""What a campaign has cost: entries by hand and their list."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.permissions import Action
from accounts.selectors import known_networks
from campaigns.forms.spend import SpendForm
from campaigns.models import Campaign, CostKind, CsvImport, Source, SpendEntry
from campaigns.selectors.ads import doubled_days
from campaigns.selectors.campaigns import today_of
from campaigns.selectors.spend import by_kind, entries_of, imports_of
from campaigns.services import spend as service
from campaigns.views.shown import loaded, tab_context
from core.csv_writing import csv_response
from core.money import rounded
from core.paging import page_of


@requires(Action.VIEW_CAMPAIGNS)
@require_safe
def spend(request: MemberRequest, campaign_id: uuid.UUID) -> HttpResponse:
    """``?kind=`` narrows the list."""
    campaign = loaded(request, Action.VIEW_CAMPAIGNS, campaign_id)
    today = today_of(campaign.brand, timezone.now())
    form = SpendForm(campaign=campaign, initial={"date": today})
    return render(request, "campaigns/spend.html", _context(request, campaign, form))


def _context(request: MemberRequest, campaign: Campaign, form: SpendForm) -> dict[str, Any]:
    kind = request.GET.get("kind", "")
    kind = kind if kind in CostKind.values else ""
    page = page_of(request, entries_of(campaign, kind=kind))
    return tab_context(request, campaign, "spend", timezone.now()) | {
        "page": page,
        "entries": page.object_list,
        "networks": known_networks(),
        "kinds": by_kind(campaign),
        "kind": kind,
        "imports": list(imports_of(campaign, CsvImport.Kind.SPEND)),
        "form": form,
        "doubled": doubled_days(campaign),
    }


@requires(Action.MANAGE_CAMPAIGNS)
@require_POST
def spend_add(request: MemberRequest, campaign_id: uuid.UUID) -> HttpResponse:
    """A form that is sent twice makes one entry."""
    campaign = loaded(request, Action.MANAGE_CAMPAIGNS, campaign_id)
    form = SpendForm(request.POST, campaign=campaign)
    if not form.is_valid():
        return render(request, "campaigns/spend.html", _context(request, campaign, form), status=422)
    _entry, is_new = service.add_spend(
        campaign=campaign,
        facts=form.facts(),
        external_id=str(form.cleaned_data["external_id"]),
        actor=request.user,
        now=timezone.now(),
    )
    if is_new:
        messages.success(request, _("Entered."))
    else:
        messages.info(request, _("This was entered already, so nothing was added."))
    return redirect("campaigns:spend", campaign_id=campaign.pk)


@requires(Action.MANAGE_CAMPAIGNS)
@require_http_methods(["GET", "HEAD", "POST"])
def spend_edit(request: MemberRequest, entry_id: uuid.UUID) -> HttpResponse:
    entry = _entry_of(request, entry_id)
    given = request.POST if request.method == "POST" else None
    form = SpendForm(given, campaign=entry.campaign, initial=SpendForm.initial_of(entry))
    if given is not None and form.is_valid():
        service.change_spend(entry=entry, facts=form.facts(), actor=request.user, now=timezone.now())
        messages.success(request, _("Changes saved."))
        return redirect("campaigns:spend", campaign_id=entry.campaign_id)
    context = tab_context(request, entry.campaign, "spend", timezone.now()) | {
        "entry": entry,
        "form": form,
        "networks": known_networks(),
    }
    return render(request, "campaigns/spend_form.html", context, status=422 if form.errors else 200)


@requires(Action.MANAGE_CAMPAIGNS)
@require_POST
def spend_delete(request: MemberRequest, entry_id: uuid.UUID) -> HttpResponse:
    entry = _entry_of(request, entry_id)
    service.delete_spend(entry=entry, actor=request.user, now=timezone.now())
    messages.success(request, _("Deleted."))
    return redirect("campaigns:spend", campaign_id=entry.campaign_id)


def _entry_of(request: MemberRequest, entry_id: uuid.UUID) -> SpendEntry:
    # What an ad account's import brought is changed by its import alone.
    rows = SpendEntry.objects.select_related("campaign__brand__organization").exclude(source=Source.ADS)
    entry: SpendEntry = load(request, Action.MANAGE_CAMPAIGNS, rows, entry_id)
    return entry


@requires(Action.VIEW_CAMPAIGNS)
@require_safe
def spend_export(request: MemberRequest, campaign_id: uuid.UUID) -> HttpResponseBase:
    """Every entry, with the columns that an import reads."""
    campaign = loaded(request, Action.VIEW_CAMPAIGNS, campaign_id)
    header = ("date", "amount", "currency", "kind", "network", "note", "line", "hours", "rate", "source")
    return csv_response(f"spend-{campaign.code}", header, _cells(campaign))


def _cells(campaign: Campaign) -> Iterator[tuple[object, ...]]:
    for entry in entries_of(campaign).iterator(chunk_size=2_000):
        yield (
            entry.date.isoformat(),
            rounded(entry.amount, campaign.currency),
            campaign.currency,
            entry.kind,
            entry.platform,
            entry.note,
            str(entry.line) if entry.line else "",
            entry.hours,
            entry.hourly_rate,
            entry.source,
        )
