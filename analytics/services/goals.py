"""Setting goals, changing them, and saying what drives them."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import Brand, SocialAccount, User
from accounts.permissions import Action
from accounts.selectors import people_allowed
from accounts.services.audit import record
from analytics.models import DriverLink, Evidence, Goal
from analytics.selectors import goals as goals_read
from analytics.selectors.measures import measure
from analytics.selectors.subjects import Period, Subject
from analytics.services import checkins
from campaigns.models import Campaign
from core.time import to_local
from metrics import goals as mathematics
from metrics.goals import GoalKind, Reason
from metrics.registry import Kind, Metric, Unit, metric

LONGEST = 3 * 366  # days
_PLACES = Decimal(1).scaleb(-8)  # as the columns keep it


class Refusal(enum.StrEnum):
    """Why a goal cannot be like this."""

    ENDS_BEFORE_START = "ends_before_start"
    TOO_LONG = "too_long"
    KIND_DOES_NOT_FIT = "kind_does_not_fit"
    SCOPE_DOES_NOT_FIT = "scope_does_not_fit"
    NO_BASELINE = "no_baseline"  # nothing was counted then
    ZERO_BASELINE = "zero_baseline"  # no percentage of nothing
    BASELINE_WITHOUT_REASON = "baseline_without_reason"
    NO_WAY = "no_way"  # the target is where it starts
    AMOUNT_TOO_LARGE = "amount_too_large"
    OWNER_SEES_NOTHING = "owner_sees_nothing"


class GoalRefused(Exception):
    """The goal cannot be made or changed like this. Nothing was written."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class LinkRefusal(enum.StrEnum):
    """Why two goals cannot be connected."""

    SAME_GOAL = "same_goal"
    OTHER_BRAND = "other_brand"
    CIRCLE = "circle"  # the effect already moves the cause
    EXISTS = "exists"
    NO_EVIDENCE = "no_evidence"  # an experiment says what was tried


class LinkRefused(Exception):
    """The goals cannot be connected like this. Nothing was written."""

    def __init__(self, refusal: LinkRefusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class NewGoal:
    """What a person says of a new goal.

    ``amount``: of a delta so much more, of a percent change so many per cent (15 is +15 %), else the value
    to reach or to keep. Rates are fractions, durations seconds. ``baseline`` is given where nothing was
    counted, or where somebody knows better, and then with a reason.
    """

    name: str
    kind: GoalKind
    metric: str
    starts_on: dt.date
    ends_on: dt.date
    amount: Decimal
    account: SocialAccount | None = None
    platform: str = ""
    campaign: Campaign | None = None
    baseline: Decimal | None = None
    baseline_reason: str = ""
    owner: User | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was there before; ``first`` and ``last`` are None where a person typed it."""

    value: Decimal | None
    first: dt.date | None = None
    last: dt.date | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a goal would start from and lead to."""

    definition: Metric
    baseline: Baseline
    target: Decimal
    currency: str
    days: int


def preview_goal(*, brand: Brand, new: NewGoal, now: dt.datetime) -> Preview:
    """As ``create_goal`` would make it; nothing is written. Raises GoalRefused."""
    definition = metric(new.metric)
    subject = Subject((brand,), new.account, new.platform, new.campaign)
    _check(new, definition, subject)
    baseline = baseline_of(new, brand=brand, now=now)
    return Preview(
        definition=definition,
        baseline=baseline,
        target=_target(new.kind, baseline.value, new.amount),
        currency=subject.currency if definition.unit is Unit.MONEY else "",
        days=(new.ends_on - new.starts_on).days + 1,
    )


def create_goal(*, brand: Brand, new: NewGoal, actor: User, now: dt.datetime) -> Goal:
    """A goal with its baseline locked, and its check-ins so far. Raises GoalRefused."""
    planned = preview_goal(brand=brand, new=new, now=now)
    definition, baseline, target = planned.definition, planned.baseline, planned.target
    _check_owner(brand, definition, new.owner)
    with transaction.atomic():
        goal = Goal.objects.create(
            brand=brand,
            layer=definition.side,
            name=new.name,
            kind=new.kind,
            metric=definition.key,
            metric_version=definition.version,
            account=new.account,
            platform=new.platform,
            campaign=new.campaign,
            starts_on=new.starts_on,
            ends_on=new.ends_on,
            baseline=None if baseline.value is None else baseline.value.quantize(_PLACES),
            baseline_from=baseline.first,
            baseline_to=baseline.last,
            baseline_reason=baseline.reason,
            baseline_locked_at=now,
            amount=new.amount,
            target=target,
            currency=planned.currency,
            owner=new.owner,
            created_by=actor,
            created_at=now,
        )
        record(
            organization=brand.organization,
            actor=actor,
            action="goal.created",
            subject=goal,
            detail={"brand": brand.name, "metric": definition.key, "target": f"{target.normalize():f}"},
            now=now,
        )
        checkins.check_in_goal(goal=goal, now=now)
    return goal


def baseline_of(new: NewGoal, *, brand: Brand, now: dt.datetime) -> Baseline:
    """Where the goal starts: typed, or what was counted before its first day.

    A level is taken on the day before (today, if the goal begins later). What happened, and a rate, is of
    the period of the same length right before; of a goal that begins later, of the days up to yesterday.
    """
    if new.baseline is not None:
        return Baseline(new.baseline, reason=new.baseline_reason)
    today = to_local(now, brand.timezone).date()
    definition = metric(new.metric)
    if definition.kind is Kind.STOCK:
        last = first = min(new.starts_on - dt.timedelta(days=1), today)
    else:
        last = min(new.starts_on, today) - dt.timedelta(days=1)
        first = last - (new.ends_on - new.starts_on)
    subject = Subject((brand,), new.account, new.platform, new.campaign)
    found = measure([definition.key], subject, Period(first, last), now=now)[definition.key]
    return Baseline(found.value, first, last) if found.value is not None else Baseline(None)


def _check(new: NewGoal, definition: Metric, subject: Subject) -> None:
    if new.ends_on < new.starts_on:
        raise GoalRefused(Refusal.ENDS_BEFORE_START)
    if (new.ends_on - new.starts_on).days >= LONGEST:
        raise GoalRefused(Refusal.TOO_LONG)
    if subject.scope not in definition.scopes:
        raise GoalRefused(Refusal.SCOPE_DOES_NOT_FIT)
    if not mathematics.fits(new.kind, definition):
        raise GoalRefused(Refusal.KIND_DOES_NOT_FIT)
    if new.baseline is not None and not new.baseline_reason.strip():
        raise GoalRefused(Refusal.BASELINE_WITHOUT_REASON)


_REFUSALS = {
    Reason.NO_BASELINE: Refusal.NO_BASELINE,
    Reason.ZERO_BASELINE: Refusal.ZERO_BASELINE,
    Reason.NO_WAY: Refusal.NO_WAY,
}


def _target(kind: GoalKind, baseline: Decimal | None, amount: Decimal) -> Decimal:
    """The value to reach. Raises GoalRefused."""
    reason: Reason | None = None
    target: Decimal | None = amount
    if kind is GoalKind.DELTA:
        target, reason = mathematics.target_of_delta(baseline, amount)
    elif kind is GoalKind.PERCENT_CHANGE:
        target, reason = mathematics.target_of_percent(baseline, amount)
    elif not amount and kind is not GoalKind.AT_MOST:
        reason = Reason.NO_WAY
    if target is None or reason is not None:
        raise GoalRefused(_REFUSALS[reason or Reason.NO_BASELINE])
    if abs(target) >= Decimal(10) ** 15:
        raise GoalRefused(Refusal.AMOUNT_TOO_LARGE)
    return target.quantize(_PLACES)


def _check_owner(brand: Brand, definition: Metric, owner: User | None) -> None:
    needed = Action.VIEW_CAMPAIGNS if definition.shows_money else Action.VIEW
    if owner is not None and not people_allowed(brand=brand, action=needed).filter(pk=owner.pk).exists():
        raise GoalRefused(Refusal.OWNER_SEES_NOTHING)


def change_goal(
    *,
    goal: Goal,
    name: str,
    ends_on: dt.date,
    amount: Decimal,
    owner: User | None,
    actor: User,
    now: dt.datetime,
) -> Goal:
    """Another name, owner, last day or amount; what it was stays in the audit log. The baseline stays.
    Check-ins that are there keep what was expected then. Raises GoalRefused."""
    if ends_on < goal.starts_on:
        raise GoalRefused(Refusal.ENDS_BEFORE_START)
    if (ends_on - goal.starts_on).days >= LONGEST:
        raise GoalRefused(Refusal.TOO_LONG)
    if owner != goal.owner:
        _check_owner(goal.brand, goal.definition, owner)
    target = _target(GoalKind(goal.kind), goal.baseline, amount)
    with transaction.atomic():
        row = Goal.objects.select_for_update(of=("self",)).select_related("brand").get(pk=goal.pk)
        before = _facts(row)
        row.name, row.ends_on, row.amount, row.target, row.owner = name, ends_on, amount, target, owner
        row.save(update_fields=["name", "ends_on", "amount", "target", "owner"])
        after = _facts(row)
        changed = [key for key in before if before[key] != after[key]]
        if changed:
            record(
                organization=row.brand.organization,
                actor=actor,
                action="goal.changed",
                subject=row,
                detail={
                    "before": {key: before[key] for key in changed},
                    "after": {key: after[key] for key in changed},
                },
                now=now,
            )
            checkins.check_in_goal(goal=row, now=now)
    return row


def _facts(goal: Goal) -> dict[str, Any]:
    return {
        "name": goal.name,
        "last_day": goal.ends_on.isoformat(),
        "target": f"{goal.target.normalize():f}",
        "owner": str(goal.owner) if goal.owner else "",
    }


def archive_goal(*, goal: Goal, actor: User, now: dt.datetime) -> None:
    """Put away: no more check-ins, in no list. Its links stay, and count again when it is brought back."""
    _set_archived(goal, now, "goal.archived", actor, now)


def restore_goal(*, goal: Goal, actor: User, now: dt.datetime) -> None:
    _set_archived(goal, None, "goal.restored", actor, now)


def _set_archived(
    goal: Goal, archived_at: dt.datetime | None, action: str, actor: User, now: dt.datetime
) -> None:
    with transaction.atomic():
        changed = Goal.objects.filter(pk=goal.pk, archived_at__isnull=archived_at is not None)
        if changed.update(archived_at=archived_at):
            record(organization=goal.brand.organization, actor=actor, action=action, subject=goal, now=now)


# --- what drives what -------------------------------------------------------------------------


def connect_goals(
    *,
    cause: Goal,
    effect: Goal,
    assumed_rate: Decimal | None,
    evidence: Evidence,
    note: str,
    actor: User,
    now: dt.datetime,
) -> DriverLink:
    """Say that ``cause`` moves ``effect``. Raises LinkRefused."""
    _check_evidence(evidence, note)
    if cause.pk == effect.pk:
        raise LinkRefused(LinkRefusal.SAME_GOAL)
    if cause.brand_id != effect.brand_id:
        raise LinkRefused(LinkRefusal.OTHER_BRAND)
    with transaction.atomic():
        # One at a time for a brand: two links that are made at once could close a circle together.
        Brand.objects.select_for_update().get(pk=cause.brand_id)
        if goals_read.leads_to(effect.pk, cause.pk):
            raise LinkRefused(LinkRefusal.CIRCLE)
        try:
            with transaction.atomic():
                link = DriverLink.objects.create(
                    cause=cause,
                    effect=effect,
                    assumed_rate=assumed_rate,
                    evidence=evidence,
                    note=note,
                    created_by=actor,
                    created_at=now,
                )
        except IntegrityError as error:
            raise LinkRefused(LinkRefusal.EXISTS) from error
        record(
            organization=cause.brand.organization,
            actor=actor,
            action="goal.connected",
            subject=cause,
            detail={"effect": effect.name},
            now=now,
        )
    return link


def _check_evidence(evidence: Evidence, note: str) -> None:
    if evidence == Evidence.EXPERIMENT and not note.strip():
        raise LinkRefused(LinkRefusal.NO_EVIDENCE)


def change_link(
    *,
    link: DriverLink,
    assumed_rate: Decimal | None,
    evidence: Evidence,
    note: str,
    actor: User,
    now: dt.datetime,
) -> DriverLink:
    """Another rate, label or note. Raises LinkRefused."""
    _check_evidence(evidence, note)
    with transaction.atomic():
        link.assumed_rate, link.evidence, link.note = assumed_rate, evidence, note
        link.save(update_fields=["assumed_rate", "evidence", "note"])
        record(
            organization=link.cause.brand.organization,
            actor=actor,
            action="goal.connection_changed",
            subject=link.cause,
            detail={"effect": link.effect.name},
            now=now,
        )
    return link


def disconnect_goals(*, link: DriverLink, actor: User, now: dt.datetime) -> None:
    with transaction.atomic():
        deleted, _ = DriverLink.objects.filter(pk=link.pk).delete()
        if deleted:
            record(
                organization=link.cause.brand.organization,
                actor=actor,
                action="goal.disconnected",
                subject=link.cause,
                detail={"effect": link.effect.name},
                now=now,
            )
