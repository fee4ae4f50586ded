"""Codes of goals in words."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.models import GoalKind
from analytics.services.goals import LinkRefusal, Refusal
from metrics.goals import Reason
from metrics.registry import Kind, Metric, Unit

R = Refusal

# The field that a refusal belongs to, and its sentence.
REFUSALS: Mapping[Refusal, tuple[str, Promise]] = {
    R.ENDS_BEFORE_START: ("ends_on", _("The last day lies before the first one.")),
    R.TOO_LONG: ("ends_on", _("A goal may last three years at most.")),
    R.KIND_DOES_NOT_FIT: ("kind", _("This kind of goal says nothing of this metric. Choose another kind.")),
    R.SCOPE_DOES_NOT_FIT: ("of", _("This metric is not counted for that. Choose the whole brand.")),
    R.NO_BASELINE: (
        "amount",
        _(
            "Nothing was counted before the first day, so there is nothing to start from. Enter a baseline "
            "by hand and say where it is from."
        ),
    ),
    R.ZERO_BASELINE: (
        "amount",
        _(
            "The baseline is 0, and no percentage of nothing can be aimed at. Set the number that you want "
            "to reach in sum instead."
        ),
    ),
    R.BASELINE_WITHOUT_REASON: ("baseline_reason", _("Say where this baseline is from.")),
    R.NO_WAY: ("amount", _("With this amount the goal is reached before it begins.")),
    R.AMOUNT_TOO_LARGE: ("amount", _("This amount is too large.")),
    R.OWNER_SEES_NOTHING: ("owner", _("This person may not see the numbers of this goal.")),
}

L = LinkRefusal
LINK_REFUSALS: Mapping[LinkRefusal, tuple[str, Promise]] = {
    L.SAME_GOAL: ("cause", _("A goal does not drive itself.")),
    L.OTHER_BRAND: ("cause", _("Both goals must be of one brand.")),
    L.CIRCLE: (
        "cause",
        _("This would be a circle: that goal is driven by this one already, directly or over others."),
    ),
    L.EXISTS: ("cause", _("These two goals are connected already.")),
    L.NO_EVIDENCE: ("note", _("Say what was tried, when, and what came of it.")),
}

REASONS: Mapping[Reason, Promise] = {
    Reason.NOTHING_COUNTED: _("There is no value yet."),
    Reason.NOT_STARTED: _("The goal has not begun."),
    Reason.NO_BASELINE: _("There is no baseline."),
    Reason.ZERO_BASELINE: _("The baseline is 0."),
    Reason.NO_WAY: _("The target is where the goal starts, so there is no pace."),
}

# What kinds of goals mean, beside their names.
KINDS: Mapping[GoalKind, Promise] = {
    GoalKind.DELTA: _("From where it stands now: +1,000 followers."),
    GoalKind.CUMULATIVE: _("Everything from the first to the last day: 1,000 leads."),
    GoalKind.PERCENT_CHANGE: _("Against the time right before: 15 % more conversions."),
    GoalKind.RATIO: _("At least so much over the whole time: a tenth of the leads become customers."),
    GoalKind.AT_MOST: _("Not more than this: ¥3,000 a lead, four hours until an answer."),
}


def kind_of_number(definition: Metric) -> Promise:
    """What sort of number a metric is, so that "15 % more" of a count is not taken for that of a rate."""
    if definition.unit is Unit.PERCENT or definition.unit is Unit.PER_WEEK:
        return _("rate")
    if definition.unit is Unit.DURATION:
        return _("time")
    if definition.unit is Unit.MONEY:
        return _("cost per unit") if definition.kind is Kind.RATIO else _("money")
    return _("multiple") if definition.unit is Unit.MULTIPLE else _("count")
