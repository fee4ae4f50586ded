"""Links of a campaign, and those of one delivery for the pages of others."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.permissions import Action
from campaigns.forms.links import LinkForm
from campaigns.models import Campaign
from campaigns.selectors import links as selector
from campaigns.services.links import LinkRefused, make_link
from campaigns.views.shown import loaded, tab_context
from campaigns.wording import link_refusal
from core.htmx import render_page
from core.paging import page_of
from outbox.models import Delivery


@requires(Action.VIEW_CAMPAIGNS)
@require_safe
def links(request: MemberRequest, campaign_id: uuid.UUID) -> HttpResponse:
    campaign = loaded(request, Action.VIEW_CAMPAIGNS, campaign_id)
    return render(request, "campaigns/links.html", _context(request, campaign, LinkForm()))


def _context(request: MemberRequest, campaign: Campaign, form: LinkForm) -> dict[str, Any]:
    page = page_of(request, selector.links_of(campaign))
    return tab_context(request, campaign, "links", timezone.now()) | {
        "page": page,
        "rows": selector.rows_of(list(page.object_list)),
        "clicks": selector.clicks_of_campaign(campaign),
        "form": form,
    }


@requires(Action.MANAGE_CAMPAIGNS)
@require_POST
def link_create(request: MemberRequest, campaign_id: uuid.UUID) -> HttpResponse:
    campaign = loaded(request, Action.MANAGE_CAMPAIGNS, campaign_id)
    form = LinkForm(request.POST)
    if form.is_valid():
        try:
            make_link(
                brand=campaign.brand,
                campaign=campaign,
                url=form.cleaned_data["url"],
                platform=form.cleaned_data["platform"],
                content=form.cleaned_data["content"],
                actor=request.user,
                now=timezone.now(),
            )
        except LinkRefused as refused:
            form.add_error("url", link_refusal(refused.reason))
        else:
            messages.success(request, _("The link is ready to be copied."))
            return redirect("campaigns:links", campaign_id=campaign.pk)
    return render(request, "campaigns/links.html", _context(request, campaign, form), status=422)


@requires(Action.VIEW_CAMPAIGNS)
@require_safe
def delivery_links(request: MemberRequest, delivery_id: uuid.UUID) -> HttpResponse:
    """A slot: the links that one delivery carries, with their clicks."""
    delivery: Delivery = load(
        request, Action.VIEW_CAMPAIGNS, Delivery.objects.select_related("brand", "account"), delivery_id
    )
    rows = selector.rows_of(list(selector.links_of_delivery(delivery.pk)))
    context = {"delivery": delivery, "rows": rows, "zone": delivery.brand.timezone}
    return render_page(request, "campaigns/delivery_links.html", context, partial="links")
