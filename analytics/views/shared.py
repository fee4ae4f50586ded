"""What the pages of numbers have in common: whose numbers, of what time, and the tabs above them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import MemberRequest, current_brand
from accounts.permissions import Action, is_allowed
from analytics.selectors.subjects import (
    DEFAULT_PERIOD,
    PERIODS,
    Period,
    Subject,
    brands_seen,
    period_until_today,
)


def subject_of(request: MemberRequest) -> Subject:
    """What the brand switcher shows."""
    return Subject(brands_seen(request.membership, current_brand(request)))


def days_of(request: HttpRequest) -> int:
    """The length of the period that the address names."""
    return next((days for days in PERIODS if str(days) == request.GET.get("days")), DEFAULT_PERIOD)


def period_of(request: HttpRequest, subject: Subject) -> Period:
    return period_until_today(days_of(request), zone=subject.zone, now=timezone.now())


def tabs(request: MemberRequest, current: str) -> list[dict[str, Any]]:
    found = [
        ("analytics:operations", _("Operations"), Action.VIEW),
        ("analytics:marketing", _("Marketing"), Action.VIEW_CAMPAIGNS),
        ("analytics:together", _("Together"), Action.VIEW),
        ("analytics:accounts", _("Accounts"), Action.VIEW),
        ("analytics:others", _("Other accounts"), Action.MANAGE_GOALS),
    ]
    return [
        {"url_name": name, "label": label, "is_current": name == current}
        for name, label, action in found
        if is_allowed(request.membership.role, action)
    ]
