"""The list of campaigns, the form of one, its page and its posts."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import MemberRequest, current_brand, requires
from accounts.models import Brand
from accounts.permissions import Action
from campaigns.forms.campaigns import CampaignForm, campaign_filter
from campaigns.forms.spend import LineForm
from campaigns.models import Campaign
from campaigns.selectors.campaigns import CampaignState, campaigns_of, rows_of, today_of
from campaigns.selectors.spend import by_kind, lines_of
from campaigns.services import campaigns as service
from campaigns.services.campaigns import CodeTaken, CurrencyInUse
from campaigns.views.shown import loaded, may_manage, tab_context
from core.htmx import render_page
from core.paging import page_of


@requires(Action.VIEW_CAMPAIGNS)
@require_safe
def campaigns(request: MemberRequest) -> HttpResponse:
    now = timezone.now()
    brand = _brand(request)
    wanted = campaign_filter(request.GET)
    page = page_of(request, campaigns_of(request.membership, brand, wanted, now))
    context = {
        "brand": brand,
        "wanted": wanted,
        "states": list(CampaignState),
        "page": page,
        "rows": rows_of(list(page.object_list), now),
        "may_manage": may_manage(request),
    }
    return render_page(request, "campaigns/campaigns.html", context, partial="rows")


def _brand(request: MemberRequest) -> Brand | None:
    """The brand of the switcher; the only one where there is one only."""
    brands = list(Brand.objects.for_member(request.membership)[:2])
    return brands[0] if len(brands) == 1 else current_brand(request)


@requires(Action.MANAGE_CAMPAIGNS)
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: MemberRequest) -> HttpResponse:
    """``?brand=`` where there are several."""
    brands = list(Brand.objects.for_member(request.membership).order_by("name"))
    if not brands:
        return redirect("campaigns:campaigns")
    brand = _brand(request) or brands[0]
    if wanted := request.GET.get("brand"):
        named = [one for one in brands if str(one.pk) == wanted]
        if not named:
            raise Http404
        brand = named[0]
    if request.method == "POST":
        form = CampaignForm(request.POST, brand=brand)
        if form.is_valid():
            try:
                made = service.create_campaign(
                    brand=brand, facts=form.facts(), actor=request.user, now=timezone.now()
                )
            except CodeTaken:
                form.add_error("code", _code_taken())
            else:
                messages.success(request, _("The campaign is there. Next, plan what it is to cost."))
                return redirect("campaigns:campaign", campaign_id=made.pk)
    else:
        today = today_of(brand, timezone.now())
        form = CampaignForm(brand=brand, initial={"starts_on": today})
    context = {"form": form, "brand": brand, "brands": brands}
    return render(request, "campaigns/campaign_form.html", context, status=_status(form))


@requires(Action.MANAGE_CAMPAIGNS)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: MemberRequest, campaign_id: uuid.UUID) -> HttpResponse:
    campaign = loaded(request, Action.MANAGE_CAMPAIGNS, campaign_id)
    form = CampaignForm(
        request.POST if request.method == "POST" else None,
        brand=campaign.brand,
        is_currency_fixed=service.has_amounts(campaign),
        initial=CampaignForm.initial_of(campaign),
    )
    if request.method == "POST" and form.is_valid():
        try:
            service.change_campaign(
                campaign=campaign, facts=form.facts(), actor=request.user, now=timezone.now()
            )
        except CodeTaken:
            form.add_error("code", _code_taken())
        except CurrencyInUse:
            form.add_error("currency", _("Amounts were entered meanwhile, so the currency stays."))
        else:
            messages.success(request, _("Changes saved."))
            return redirect("campaigns:campaign", campaign_id=campaign.pk)
    context = {"form": form, "brand": campaign.brand, "campaign": campaign}
    return render(request, "campaigns/campaign_form.html", context, status=_status(form))


def _code_taken() -> str:
    return _("Another campaign of this brand has this code.")


def _status(form: CampaignForm) -> int:
    return 422 if form.is_bound and form.errors else 200


@requires(Action.VIEW_CAMPAIGNS)
@require_safe
def campaign(request: MemberRequest, campaign_id: uuid.UUID) -> HttpResponse:
    """The page of a campaign begins with its plan."""
    row = loaded(request, Action.VIEW_CAMPAIGNS, campaign_id)
    return render(request, "campaigns/plan.html", plan_context(request, row, LineForm(campaign=row)))


def plan_context(request: MemberRequest, row: Campaign, form: LineForm) -> dict[str, Any]:
    lines = list(lines_of(row))
    kinds = by_kind(row)
    return tab_context(request, row, "plan", timezone.now()) | {
        "lines": lines,
        "kinds": kinds,
        "form": form,
    }


@requires(Action.VIEW_CAMPAIGNS)
@require_safe
def posts(request: MemberRequest, campaign_id: uuid.UUID) -> HttpResponse:
    """Its posts come from the app that writes them, where it is installed."""
    row = loaded(request, Action.VIEW_CAMPAIGNS, campaign_id)
    try:
        posts_url = reverse("content_calendar:campaign_posts", args=[row.pk])
    except NoReverseMatch:
        posts_url = ""
    context = tab_context(request, row, "posts", timezone.now()) | {"posts_url": posts_url}
    return render(request, "campaigns/posts.html", context)


@requires(Action.MANAGE_CAMPAIGNS)
@require_POST
def archive(request: MemberRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row = loaded(request, Action.MANAGE_CAMPAIGNS, campaign_id)
    service.archive_campaign(campaign=row, actor=request.user, now=timezone.now())
    messages.success(request, _("Archived. Its links work on, and it can be brought back at any time."))
    return redirect("campaigns:campaign", campaign_id=row.pk)


@requires(Action.MANAGE_CAMPAIGNS)
@require_POST
def restore(request: MemberRequest, campaign_id: uuid.UUID) -> HttpResponse:
    row = loaded(request, Action.MANAGE_CAMPAIGNS, campaign_id)
    service.restore_campaign(campaign=row, actor=request.user, now=timezone.now())
    messages.success(request, _("The campaign is back."))
    return redirect("campaigns:campaign", campaign_id=row.pk)
