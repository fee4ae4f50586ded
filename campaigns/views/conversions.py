"""Conversions: the lists, one of them with its refunds, and adding them by hand."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import MemberRequest, current_brand, load, requires
from accounts.models import Brand
from accounts.permissions import Action, is_allowed
from accounts.selectors import zone_of
from campaigns.forms.conversions import ConversionFilterForm, ConversionForm, RefundForm
from campaigns.models import Campaign, Conversion, ConversionKind, Source
from campaigns.reports import ERASED, Refused
from campaigns.selectors import conversions as found
from campaigns.selectors.conversion_imports import imports_of
from campaigns.selectors.returns import MODELS, shares_of
from campaigns.services.conversions import Origin, report_conversion
from campaigns.services.refunds import report_refund
from campaigns.views.shown import loaded, may_manage, tab_context
from core.csv_writing import csv_response
from core.htmx import render_page
from core.money import rounded
from core.paging import page_of


@requires(Action.VIEW_CAMPAIGNS)
@require_safe
def conversion_list(request: MemberRequest) -> HttpResponse:
    """Of the brand that is chosen, or of all of them."""
    brand = brand_shown(request)
    context = {
        "brand": brand,
        "zone": brand.timezone if brand else zone_of(request.membership),
        "may_manage": may_manage(request),
        "may_make_keys": is_allowed(request.membership.role, Action.MANAGE_API_KEYS),
        "imports": list(imports_of(request.membership, brand)),
        "list_url": reverse("campaigns:conversion_list"),
        "import_url": reverse("campaigns:conversion_import"),
    }
    return render_page(
        request, "campaigns/conversions_all.html", context | _rows(request, brand, None), partial="rows"
    )


@requires(Action.VIEW_CAMPAIGNS)
@require_safe
def conversions(request: MemberRequest, campaign_id: uuid.UUID) -> HttpResponse:
    """Of one campaign."""
    campaign = loaded(request, Action.VIEW_CAMPAIGNS, campaign_id)
    context = tab_context(request, campaign, "conversions", timezone.now()) | {
        "may_make_keys": is_allowed(request.membership.role, Action.MANAGE_API_KEYS),
        "list_url": reverse("campaigns:conversions", args=[campaign.pk]),
        "import_url": f"{reverse('campaigns:conversion_import')}?campaign={campaign.pk}",
    }
    return render_page(
        request,
        "campaigns/conversions.html",
        context | _rows(request, campaign.brand, campaign),
        partial="rows",
    )


def _rows(request: MemberRequest, brand: Brand | None, campaign: Campaign | None) -> dict[str, Any]:
    form = ConversionFilterForm(request.GET)
    wanted = form.wanted()
    rows = found.conversions_of(request.membership, brand=brand, campaign=campaign, wanted=wanted)
    page = page_of(request, rows)
    return {
        "form": form,
        "wanted": wanted,
        "page": page,
        "conversions": found.rows_of(list(page.object_list)),
    }


def brand_shown(request: MemberRequest) -> Brand | None:
    """The brand of the switcher; the only one where there is one only."""
    brands = list(Brand.objects.for_member(request.membership)[:2])
    return brands[0] if len(brands) == 1 else current_brand(request)


@requires(Action.VIEW_CAMPAIGNS)
@require_safe
def conversion_export(request: MemberRequest) -> HttpResponseBase:
    """What the list shows, as CSV; ``campaign`` in the address narrows it."""
    campaign = campaign_asked_for(request)
    rows = found.conversions_of(
        request.membership,
        brand=campaign.brand if campaign else brand_shown(request),
        campaign=campaign,
        wanted=ConversionFilterForm(request.GET).wanted(),
    )
    return csv_response("conversions", _HEADER, (_cells(row) for row in found.every_row(rows)))


_HEADER = (
    "id",
    "kind",
    "date",
    "value",
    "refunded",
    "currency",
    "campaign",
    "person",
    "notice",
    "source",
    "reported",
)


def _cells(row: found.ConversionRow) -> list[Any]:
    one = row.conversion
    return [
        "" if one.external_id.startswith(ERASED) else one.external_id,
        one.kind,
        one.happened_at,
        rounded(one.value, one.currency),
        rounded(one.refunded, one.currency),
        one.currency,
        one.campaign.code if one.campaign else "",
        row.person.name if row.person else "",
        one.notice,
        one.source,
        one.received_at,
    ]


def brand_asked_for(request: MemberRequest) -> Brand | None:
    """The brand that the address names, else the one that is shown."""
    chosen = request.GET.get("brand", "")
    brands = Brand.objects.for_member(request.membership)
    return next((one for one in brands if str(one.pk) == chosen), None) or brand_shown(request)


def choose_brand(request: MemberRequest, then: str) -> HttpResponse:
    """Where several are shown and one is needed; ``then`` is the name of the address that takes it."""
    brands = Brand.objects.for_member(request.membership).order_by("name")
    return render(request, "campaigns/conversion_brand.html", {"brands": list(brands), "next": reverse(then)})


def campaign_asked_for(request: MemberRequest) -> Campaign | None:
    """The campaign that the address names, None for none (or something that is no id)."""
    try:
        pk = uuid.UUID(request.GET.get("campaign", ""))
    except ValueError:
        return None
    return loaded(request, Action.VIEW_CAMPAIGNS, pk)


# --- one --------------------------------------------------------------------------------------


@requires(Action.VIEW_CAMPAIGNS)
@require_safe
def conversion(request: MemberRequest, conversion_id: uuid.UUID) -> HttpResponse:
    one: Conversion = load(
        request, Action.VIEW_CAMPAIGNS, Conversion.objects.select_related("brand"), conversion_id
    )
    return _page(request, one, RefundForm(conversion=one, now=timezone.now()))


@requires(Action.MANAGE_CAMPAIGNS)
@require_POST
def conversion_refund(request: MemberRequest, conversion_id: uuid.UUID) -> HttpResponse:
    """Its form stands on the page of the conversion. A form that is sent twice makes one refund."""
    one: Conversion = load(
        request, Action.MANAGE_CAMPAIGNS, Conversion.objects.select_related("brand"), conversion_id
    )
    now = timezone.now()
    form = RefundForm(request.POST, conversion=one, now=now)
    if form.is_valid():
        try:
            report_refund(
                brand=one.brand,
                kind=one.kind,
                number=one.external_id,
                refund=form.report(),
                origin=Origin(Source.MANUAL, actor=request.user),
                now=now,
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("The refund is recorded."))
            return redirect("campaigns:conversion", conversion_id=one.pk)
    return _page(request, one, form, status=422)


def _page(request: MemberRequest, one: Conversion, form: RefundForm, status: int = 200) -> HttpResponse:
    detail = found.detail_of(one)
    conversion = detail.row.conversion
    context = {
        "detail": detail,
        "conversion": conversion,
        "shares": shares_of(conversion),
        "models": MODELS,
        "form": form,
        "may_refund": (may_manage(request) and conversion.kind == ConversionKind.SALE and conversion.net > 0),
        "zone": conversion.brand.timezone,
    }
    return render(request, "campaigns/conversion.html", context, status=status)


@requires(Action.MANAGE_CAMPAIGNS)
@require_http_methods(["GET", "HEAD", "POST"])
def conversion_add(request: MemberRequest) -> HttpResponse:
    """By hand, for the campaign or the brand that the address names."""
    campaign = campaign_asked_for(request)
    brand = campaign.brand if campaign else brand_asked_for(request)
    if brand is None:  # currency and zone are the brand's
        return choose_brand(request, "campaigns:conversion_add")
    now = timezone.now()
    form = ConversionForm(request.POST or None, brand=brand, campaign=campaign, now=now)
    if request.method == "POST" and form.is_valid():
        try:
            made, _is_new = report_conversion(
                brand=brand,
                report=form.report(),
                origin=Origin(Source.MANUAL, actor=request.user),
                now=now,
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("The conversion is recorded."))
            return redirect("campaigns:conversion", conversion_id=made.pk)
    context = {"form": form, "brand": brand, "campaign": campaign}
    status = 422 if form.is_bound else 200
    return render(request, "campaigns/conversion_form.html", context, status=status)
