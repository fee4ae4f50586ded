"""What a campaign brought back: credits under five models side by side, and return on investment."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, requires
from accounts.permissions import Action
from accounts.selectors import known_networks
from campaigns import tasks
from campaigns.forms.conversions import RunForm
from campaigns.models import AttributionModel, Campaign
from campaigns.selectors.returns import (
    MODELS,
    Runs,
    currencies_of,
    returns_of,
    runs_of,
    shared_by_link,
    shared_by_network,
)
from campaigns.services.attribution import HORIZON, Parameters, parameters_of
from campaigns.views.shown import loaded, may_manage, tab_context
from core.htmx import render_page
from core.paging import page_of

# What the table of credits can show.
MEASURES = ("conversions", "leads", "sales", "customers", "revenue")
# A calculation that was asked for is looked for so long; then its worker is busy with something else.
LOOKED_FOR = dt.timedelta(minutes=3)


@requires(Action.VIEW_CAMPAIGNS)
@require_safe
def attribution(request: MemberRequest, campaign_id: uuid.UUID) -> HttpResponse:
    """``?show=`` names one of MEASURES."""
    campaign = loaded(request, Action.VIEW_CAMPAIGNS, campaign_id)
    context = _context(request, campaign, "attribution")
    runs: Runs | None = context["runs"]
    measure = next((one for one in MEASURES if one == request.GET.get("show")), MEASURES[0])
    networks = shared_by_network(campaign, runs) if runs else []
    page = page_of(request, shared_by_link(campaign, runs) if runs else [])
    earned_in = currencies_of(credited for one in networks for credited in one.of.values())
    known = known_networks()
    context |= {
        "measure": measure,
        # "" where there are several, which nobody can add up.
        "currency": min(earned_in, default=campaign.brand.currency) if len(earned_in) < 2 else "",
        "measures": MEASURES,
        "models": MODELS,
        "networks": [(one, known.get(one.platform), one.by(measure)) for one in networks],
        "page": page,
        "links": [(one, known.get(one.platform), one.by(measure)) for one in page],
        "totals": [sum(values) for values in zip(*(one.by(measure) for one in networks), strict=True)],
    }
    return render_page(request, "campaigns/attribution.html", context, partial="tab")


@requires(Action.VIEW_CAMPAIGNS)
@require_safe
def roi(request: MemberRequest, campaign_id: uuid.UUID) -> HttpResponse:
    """``?model=`` is the one that the points stand for."""
    campaign = loaded(request, Action.VIEW_CAMPAIGNS, campaign_id)
    context = _context(request, campaign, "roi")
    runs: Runs | None = context["runs"]
    chosen = next((model for model in MODELS if model == request.GET.get("model")), AttributionModel.LAST)
    context |= {
        "chosen": chosen,
        "models": MODELS,
        "returns": returns_of(campaign, runs, chosen=chosen) if runs else None,
    }
    return render_page(request, "campaigns/returns.html", context, partial="tab")


def _context(request: MemberRequest, campaign: Campaign, tab: str) -> dict[str, Any]:
    now = timezone.now()
    runs = runs_of(campaign.brand)
    how = parameters_of(campaign.brand)
    return tab_context(request, campaign, tab, now) | {
        "runs": runs,
        "form": RunForm(
            initial={"lookback_days": how.lookback_days, "half_life_days": how.half_life_days.normalize()}
        ),
        "horizon_days": HORIZON.days,
        "is_awaited": _is_awaited(request, runs, now),
        "may_manage": may_manage(request),
    }


def _is_awaited(request: MemberRequest, runs: Runs | None, now: dt.datetime) -> bool:
    """Whether the address names a moment since when a calculation is asked for and not there yet."""
    try:
        asked_at = parse_datetime(request.GET.get("asked", ""))
    except ValueError:
        return False
    if asked_at is None or asked_at.tzinfo is None or not now - LOOKED_FOR < asked_at <= now:
        return False
    return runs is None or runs.any.created_at < asked_at


@requires(Action.MANAGE_CAMPAIGNS)
@require_POST
def attribution_run(request: MemberRequest, campaign_id: uuid.UUID) -> HttpResponse:
    """Calculate all of the brand anew; the page that it leads to waits for the result."""
    campaign = loaded(request, Action.MANAGE_CAMPAIGNS, campaign_id)
    tab = "campaigns:roi" if request.POST.get("tab") == "roi" else "campaigns:attribution"
    address = reverse(tab, args=[campaign.pk])
    form = RunForm(request.POST)
    if not form.is_valid():
        messages.error(
            request, _("Touches count for 1 to 365 days, and a half-life is half a day to 365 days.")
        )
        return redirect(address)
    chosen = Parameters(form.cleaned_data["lookback_days"], form.cleaned_data["half_life_days"])
    asked_at = timezone.now()
    tasks.run_attribution.delay_on_commit(
        brand_id=str(campaign.brand_id),
        lookback_days=chosen.lookback_days,
        half_life_days=str(chosen.half_life_days),
    )
    return redirect(f"{address}?asked={asked_at:%Y-%m-%dT%H:%M:%S.%fZ}")
