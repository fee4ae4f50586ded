"""What the page of one goal shows: its curve, its check-ins, what drives it and what it drives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.metric_wording import metric_label
from accounts.models import Membership
from analytics.models import Checkin, Goal
from analytics.selectors.figures import Chart
from analytics.selectors.goals import Driver, GoalNow, by_checkin, drivers, links_of, live
from metrics.registry import DifferentDefinitions, Metric, Unit

MOST_POINTS = 400  # of a chart: a longer goal shows its last days


@dataclass(frozen=True, slots=True)
class GoalPage:
    """``is_redefined``: the metric means something else today, so the goal is no longer measured."""

    now: GoalNow
    chart: Chart | None
    driven_by: tuple[Driver, ...]
    drives: tuple[Driver, ...]
    is_redefined: bool


def goal_page(goal: Goal, membership: Membership, *, now: dt.datetime) -> GoalPage:
    is_redefined = False
    try:
        standing = live(goal, now=now)
    except DifferentDefinitions:
        is_redefined = True
        standing = by_checkin(goal, goal.checkins.order_by("date").last(), now=now)
    found = drivers(list(links_of(membership, goal.brand)))
    rows = list(goal.checkins.order_by("-date").values_list("date", "value")[:MOST_POINTS])
    return GoalPage(
        now=standing,
        chart=goal_chart(standing, dict(rows)),
        driven_by=tuple(driver for driver in found if driver.link.effect_id == goal.pk),
        drives=tuple(driver for driver in found if driver.link.cause_id == goal.pk),
        is_redefined=is_redefined,
    )


def checkins_of(goal: Goal) -> QuerySet[Checkin]:
    """The newest first."""
    return goal.checkins.select_related("noted_by").order_by("-date")


def goal_chart(now: GoalNow, values: dict[dt.date, Decimal | None]) -> Chart | None:
    """Actual values, the expected line and the forecast, by date up to the last day; in the units that people
    read. None before anything was counted."""
    goal = now.goal
    known = {date: value for date, value in values.items() if value is not None}
    if not known:
        return None
    first = max(goal.starts_on, goal.ends_on - dt.timedelta(days=MOST_POINTS - 1))
    dates = [first + dt.timedelta(days=n) for n in range((goal.ends_on - first).days + 1)]
    if now.standing.actual is not None and not now.is_over:
        known[now.today] = now.standing.actual
    lines: list[tuple[str, list[Decimal | None], bool]] = [
        (_("Actual"), [known.get(date) for date in dates], False),
        (_("Expected"), [_expected(now, date) for date in dates], True),
    ]
    forecast = _forecast(now, dates, known)
    if forecast is not None:
        lines.append((_("Forecast"), forecast, True))
    factor, unit = _reading(goal.definition)
    return {
        "labels": [date.isoformat() for date in dates],
        "series": [_series(f"{name}{unit}", line, factor, is_dashed) for name, line, is_dashed in lines],
    }


def _expected(now: GoalNow, date: dt.date) -> Decimal:
    plan = now.plan
    if not plan.grows:
        return plan.target
    days = (date - now.goal.starts_on).days + 1
    return plan.start + (plan.target - plan.start) * days / plan.days


def _forecast(
    now: GoalNow, dates: Sequence[dt.date], known: dict[dt.date, Decimal]
) -> list[Decimal | None] | None:
    """A straight line from the last actual value to the forecast; None when the goal is over."""
    target, last = now.standing.forecast, max(known)
    if target is None or now.is_over or last >= dates[-1]:
        return None
    span = (dates[-1] - last).days
    line: list[Decimal | None] = []
    for date in dates:
        gone = (date - last).days
        line.append(known[last] + (target - known[last]) * gone / span if gone >= 0 else None)
    return line


def _reading(definition: Metric) -> tuple[Decimal, str]:
    """What to multiply a value with for a chart, and the unit that follows the name."""
    if definition.unit is Unit.PERCENT:
        return Decimal(100), " (%)"
    if definition.unit is Unit.DURATION:
        return Decimal(1) / 3600, _(" (hours)")
    return Decimal(1), ""


def _series(name: str, line: Sequence[Decimal | None], factor: Decimal, is_dashed: bool) -> dict[str, Any]:
    values = [None if value is None else round(float(value * factor), 4) for value in line]
    return {"name": name, "values": values, "dashed": is_dashed}


def title_of_chart(goal: Goal) -> str:
    return _("%(metric)s from %(first)s to %(last)s") % {
        "metric": metric_label(goal.definition),
        "first": goal.starts_on.isoformat(),
        "last": goal.ends_on.isoformat(),
    }
