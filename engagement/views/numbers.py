"""How many got an answer, and how soon."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, current_brand, requires
from accounts.metric_wording import metric_description, metric_label
from accounts.models import Brand
from accounts.permissions import Action, is_allowed
from core.htmx import render_page
from engagement.selectors.numbers import AnswerNumbers, answers_of_brands
from metrics.registry import metric

PERIODS = (7, 28, 90)  # days
EXPLAINED = (
    "response_rate",
    "actionable_waits",
    "answered_waits",
    "response_time_median",
    "response_time_p90",
    "response_time_median_calendar",
)


@requires(Action.READ_INBOX)
@require_safe
def numbers(request: MemberRequest) -> HttpResponse:
    days = next((period for period in PERIODS if str(period) == request.GET.get("days")), PERIODS[1])
    brand = current_brand(request)
    rows = Brand.objects.for_member(request.membership).select_related("sla_policy").order_by("name")
    brands = list(rows.filter(pk=brand.pk) if brand else rows)
    found = answers_of_brands(brands, days=days, now=timezone.now())
    context: dict[str, Any] = {
        "days": days,
        "periods": PERIODS,
        "brands": found,
        "total": sum((one.numbers for one in found), AnswerNumbers()),
        "explained": [
            {"label": metric_label(metric(key)), "description": metric_description(metric(key))}
            for key in EXPLAINED
        ],
        "may_promise": is_allowed(request.membership.role, Action.MANAGE_BRANDS),
    }
    return render_page(request, "engagement/numbers.html", context)
