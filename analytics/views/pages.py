"""The three pages: Operations, Marketing, and both together."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone

from accounts.access import MemberRequest, current_brand, requires
from accounts.metric_wording import metric_short
from accounts.permissions import Action, is_allowed
from analytics.selectors import together as together_read
from analytics.selectors.accounts import accounts_of
from analytics.selectors.marketing import CAMPAIGN_COLUMNS, NETWORK_COLUMNS, marketing
from analytics.selectors.operations import COLUMNS, operations
from analytics.selectors.subjects import PERIODS
from analytics.views.shared import days_of, period_of, subject_of, tabs
from core.csv_writing import csv_response
from core.htmx import render_page
from core.paging import page_of


@requires(Action.VIEW)
def operations_page(request: MemberRequest) -> HttpResponse:
    subject = subject_of(request)
    period = period_of(request, subject)
    page = page_of(request, accounts_of(request.membership, current_brand(request)))
    context = {
        "numbers": operations(subject, period, accounts=list(page.object_list), now=timezone.now()),
        "page": page,
        "columns": [metric_short(key) for key in COLUMNS],
        "subject": subject,
        "period": period,
        "periods": PERIODS,
        "days": days_of(request),
        "tabs": tabs(request, "analytics:operations"),
    }
    return render_page(request, "analytics/operations.html", context)


@requires(Action.VIEW)
def operations_csv(request: MemberRequest) -> HttpResponseBase:
    """The table of accounts, all of them."""
    subject = subject_of(request)
    period = period_of(request, subject)
    accounts = list(accounts_of(request.membership, current_brand(request)))
    numbers = operations(subject, period, accounts=accounts, now=timezone.now())
    header = ["brand", "network", "account", "from", "to", *COLUMNS]
    rows = (
        [
            line.account.brand.name,
            line.info.name,
            line.account.handle,
            period.first,
            period.last,
            *(value.value for value in line.values),
        ]
        for line in numbers.lines
    )
    return csv_response(f"operations-{period.first}-{period.last}", header, rows)


@requires(Action.VIEW_CAMPAIGNS)
def marketing_page(request: MemberRequest) -> HttpResponse:
    subject = subject_of(request)
    period = period_of(request, subject)
    context = {
        "numbers": marketing(subject, period, now=timezone.now()),
        "campaign_columns": [metric_short(key) for key in CAMPAIGN_COLUMNS],
        "network_columns": [metric_short(key) for key in NETWORK_COLUMNS],
        "subject": subject,
        "period": period,
        "periods": PERIODS,
        "days": days_of(request),
        "tabs": tabs(request, "analytics:marketing"),
    }
    return render_page(request, "analytics/marketing.html", context)


@requires(Action.VIEW_CAMPAIGNS)
def marketing_csv(request: MemberRequest) -> HttpResponseBase:
    """The table of campaigns, or with ``?by=network`` that of networks."""
    subject = subject_of(request)
    period = period_of(request, subject)
    numbers = marketing(subject, period, now=timezone.now())
    if request.GET.get("by") == "network":
        header = ["network", "currency", "from", "to", *NETWORK_COLUMNS]
        rows = [
            [line.label, line.currency, period.first, period.last, *(value.value for value in line.values)]
            for line in numbers.networks
        ]
        return csv_response(f"networks-{period.first}-{period.last}", header, rows)
    header = ["campaign", "currency", "from", "to", *CAMPAIGN_COLUMNS, "pacing"]
    rows = [
        [
            line.campaign.name if line.campaign else "",
            line.currency,
            period.first,
            period.last,
            *(value.value for value in line.values),
            line.pace.ratio.value if line.pace else None,
        ]
        for line in numbers.campaigns
    ]
    return csv_response(f"campaigns-{period.first}-{period.last}", header, rows)


@requires(Action.VIEW)
def together_page(request: MemberRequest) -> HttpResponse:
    context = {
        "together": together_read.together(request.membership, current_brand(request), now=timezone.now()),
        "may_manage": is_allowed(request.membership.role, Action.MANAGE_GOALS),
        "tabs": tabs(request, "analytics:together"),
    }
    return render_page(request, "analytics/together.html", context)


@requires(Action.VIEW)
def goals_csv(request: MemberRequest) -> HttpResponseBase:
    """Every current goal with its newest check-in."""
    found = together_read.together(request.membership, current_brand(request), now=timezone.now())
    header = [
        "goal",
        "brand",
        "side",
        "metric",
        "of",
        "kind",
        "from",
        "to",
        "currency",
        "baseline",
        "target",
        "value",
        "progress",
        "expected",
        "pace",
        "forecast",
        "status",
        "taken_at",
    ]
    rows = (
        [
            card.goal.name,
            card.goal.brand.name,
            card.goal.layer,
            card.goal.metric,
            card.subject.label,
            card.goal.kind,
            card.goal.starts_on,
            card.goal.ends_on,
            card.goal.currency,
            card.goal.baseline,
            card.goal.target,
            card.standing.actual,
            card.standing.progress,
            card.standing.expected,
            card.standing.pace,
            card.standing.forecast,
            card.standing.status,
            card.taken_at,
        ]
        for card in found.cards
    )
    return csv_response("goals", header, rows)
