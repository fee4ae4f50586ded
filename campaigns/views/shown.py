"""What every page of a campaign shows around its own part: header, results, tabs."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import MemberRequest, load
from accounts.permissions import Action, is_allowed
from campaigns.models import Campaign
from campaigns.selectors.campaigns import results_of, row_of, today_of

# Key, words and address of each tab, in their order; templates/campaigns/_tabs.html draws them.
_TABS: tuple[tuple[str, Promise, str], ...] = (
    ("plan", _("Plan"), "campaigns:campaign"),
    ("posts", _("Posts"), "campaigns:posts"),
    ("links", _("Links"), "campaigns:links"),
    ("spend", _("Spend"), "campaigns:spend"),
    ("conversions", _("Conversions"), "campaigns:conversions"),
    ("attribution", pgettext_lazy("tab", "Attribution"), "campaigns:attribution"),
    ("roi", pgettext_lazy("tab", "ROI"), "campaigns:roi"),
)


@dataclass(frozen=True, slots=True)
class Tab:
    key: str
    label: Promise
    url: str
    is_current: bool


def loaded(request: MemberRequest, action: Action, campaign_id: uuid.UUID) -> Campaign:
    """The campaign of the address, with its brand; 404 and 403 as everywhere."""
    campaign: Campaign = load(
        request, action, Campaign.objects.select_related("brand__organization"), campaign_id
    )
    return campaign


def tab_context(request: MemberRequest, campaign: Campaign, tab: str, now: dt.datetime) -> dict[str, Any]:
    """For a page that extends campaigns/_tabs.html; ``tab`` is the key of the current one."""
    return {
        "campaign": campaign,
        "brand": campaign.brand,
        "zone": campaign.brand.timezone,
        "today": today_of(campaign.brand, now),
        "row": row_of(campaign, now),
        "results": results_of(campaign, now),
        "tab": tab,
        "tabs": _tabs(campaign, tab),
        "may_manage": may_manage(request),
    }


def may_manage(request: MemberRequest) -> bool:
    return is_allowed(request.membership.role, Action.MANAGE_CAMPAIGNS)


def _tabs(campaign: Campaign, current: str) -> list[Tab]:
    """A tab whose page this installation does not have is left out."""
    found = []
    for key, label, name in _TABS:
        try:
            url = reverse(name, args=[campaign.pk])
        except NoReverseMatch:
            continue
        found.append(Tab(key, label, url, key == current))
    return found
