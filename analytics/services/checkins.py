"""Check-ins: where every goal stands, once a night for good and every few minutes for today.

A date's check-in is written when the date is over in the brand's zone, and never again, except for a
note: what was answered or refunded later belongs to later days. Dates that were missed are made up for. A
goal that turns off track overnight is told to its owner, once for each turn.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, Max, OuterRef
from django.urls import reverse

from accounts.models import Brand, NotificationKind, User
from accounts.permissions import Action
from accounts.selectors import people_allowed
from accounts.services.notifications import notify
from analytics.models import Checkin, Goal, GoalStatus
from analytics.selectors.goals import elapsed_days, measure_goal, plan_of
from core.time import to_local
from metrics import goals as mathematics
from metrics.registry import DifferentDefinitions

_VALUES = (
    "value",
    "numerator",
    "denominator",
    "progress",
    "expected",
    "pace",
    "forecast",
    "status",
    "is_final",
    "taken_at",
)
_PLACES = Decimal(1).scaleb(-8)  # as the columns keep it
_LARGEST = Decimal(10) ** 15


def check_in(*, brand: Brand, now: dt.datetime) -> int:
    """Check in every current goal of ``brand`` that is not done with. Returns how many rows it wrote."""
    today = to_local(now, brand.timezone).date()
    last = Checkin.objects.filter(goal=OuterRef("pk"), date=OuterRef("ends_on"), is_final=True)
    goals = (
        Goal.objects.current()
        .for_brand(brand)
        .filter(~Exists(last), starts_on__lte=today)
        .select_related("brand", "account", "campaign", "owner")
    )
    return sum(check_in_goal(goal=goal, now=now) for goal in goals)


def check_in_goal(*, goal: Goal, now: dt.datetime) -> int:
    """Make up for the dates that are over and have no final check-in, and write how today stands so far."""
    today = to_local(now, goal.brand.timezone).date()
    done = goal.checkins.filter(is_final=True).aggregate(at=Max("date"))["at"]
    first = goal.starts_on if done is None else done + dt.timedelta(days=1)
    last = min(goal.ends_on, today)
    try:
        rows = [
            _checkin(goal, first + dt.timedelta(days=n), today, now) for n in range((last - first).days + 1)
        ]
    except DifferentDefinitions:
        return 0  # the page of the goal says so
    with transaction.atomic():
        # One worker after the other; what one of them has made final meanwhile stays.
        Goal.objects.select_for_update(no_key=True).get(pk=goal.pk)
        final = set(goal.checkins.filter(is_final=True, date__gte=first).values_list("date", flat=True))
        rows = [row for row in rows if row.date not in final]
        Checkin.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["goal", "date"],
            update_fields=_VALUES,
        )
        _tell_turn(goal, [row for row in rows if row.is_final], now)
    return len(rows)


def _checkin(goal: Goal, date: dt.date, today: dt.date, now: dt.datetime) -> Checkin:
    is_final = date < today
    measured = measure_goal(goal, until=date, now=now)
    days = Decimal((date - goal.starts_on).days + 1) if is_final else elapsed_days(goal, now)
    stands = mathematics.standing(plan_of(goal), actual=measured.value, elapsed_days=days)
    return Checkin(
        goal=goal,
        date=date,
        value=_kept(measured.value),
        numerator=_kept(measured.sides.numerator),
        denominator=_kept(measured.sides.denominator),
        progress=_kept(stands.progress),
        expected=_kept(stands.expected),
        pace=_kept(stands.pace),
        forecast=_kept(stands.forecast),
        status=stands.status,
        is_final=is_final,
        taken_at=now,
    )


def _kept(value: Decimal | None) -> Decimal | None:
    """As the column can hold it; a forecast from the first minutes of a goal may be absurdly large."""
    if value is None or abs(value) >= _LARGEST:
        return None
    return value.quantize(_PLACES)


def _tell_turn(goal: Goal, rows: list[Checkin], now: dt.datetime) -> None:
    """Tell the owner, if it has one, when the last date that is over is the first one off track."""
    if not rows or rows[-1].status != GoalStatus.OFF_TRACK:
        return
    last = rows[-1]
    before = goal.checkins.filter(is_final=True, date__lt=last.date).order_by("-date").first()
    if before is not None and before.status == GoalStatus.OFF_TRACK:
        return
    needed = Action.VIEW_CAMPAIGNS if goal.definition.shows_money else Action.VIEW
    may_see = people_allowed(brand=goal.brand, action=needed)
    notify(
        organization=goal.brand.organization,
        users=may_see.filter(pk=goal.owner_id) if goal.owner_id else may_see.none(),
        kind=NotificationKind.GOAL_OFF_TRACK,
        context={"goal": goal.name},
        url=reverse("analytics:goal", args=[goal.pk]),
        about=goal.brand,
        dedupe_key=f"goal-off-track:{goal.pk}:{last.date}",
        now=now,
    )


def note_checkin(*, checkin: Checkin, note: str, actor: User, now: dt.datetime) -> None:
    """What a person says about a date; an empty note takes it away."""
    Checkin.objects.filter(pk=checkin.pk).update(note=note.strip(), noted_by=actor, noted_at=now)
