"""A number as a page shows it: with its name, its meaning, how it was before, and why there is none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from accounts.metric_wording import metric_description, metric_label, metric_short
from accounts.selectors import known_networks
from analytics.models import TOLD_AS
from analytics.selectors.measures import Measured
from connectors.base import PlatformInfo
from metrics.registry import Metric, Unit, comparable, metric

Chart = dict[str, Any]  # {"labels": [...], "series": [{"name", "values"}]} as components/_chart.html takes it

# How old a post may be for its curve to show every count, and then every hour; later it shows dates.
EVERY_COUNT_UP_TO = dt.timedelta(hours=3)
HOURLY_UP_TO = dt.timedelta(days=2)
SEEN = Decimal("0.0005")  # what is smaller is shown as no change


@dataclass(frozen=True, slots=True)
class Figure:
    """``currency`` is that of amounts. ``before``: the value of the period before, of the same definition."""

    metric: Metric
    value: int | Decimal | None
    why: str = ""  # why there is no value
    currency: str = ""
    before: Decimal | None = None
    median: Decimal | None = None  # of single posts, beside a ratio of sums

    @property
    def label(self) -> str:
        return metric_label(self.metric)

    @property
    def short(self) -> str:
        """Its name above a column."""
        return metric_short(self.metric)

    @property
    def description(self) -> str:
        return metric_description(self.metric)

    @property
    def is_share(self) -> bool:
        """Its change is told in percentage points: "20 % more" of a rate could be either."""
        return self.metric.unit is Unit.PERCENT

    @property
    def change(self) -> Decimal | None:
        """Against the period before: the difference of two shares, of anything else how much more or less by
        what it was (0.1 is 10 % more). None without a value then, or when it was 0."""
        if self.value is None or self.before is None:
            return None
        difference = Decimal(self.value) - self.before
        if self.is_share:
            return difference
        return difference / abs(self.before) if self.before else None

    @property
    def has_changed(self) -> bool:
        """By enough to be seen: a tenth of a percentage point, or of a per cent."""
        return self.change is not None and abs(self.change) >= SEEN

    @property
    def is_better(self) -> bool | None:
        """Whether the change is a good one; None: neither, or nothing has changed."""
        if self.change is None or not self.has_changed or self.metric.is_higher_better is None:
            return None
        return (self.change > 0) == self.metric.is_higher_better


def figure(key: str, value: int | Decimal | None, why: str = "") -> Figure:
    return Figure(metric(key), value, why if value is None else "")


def compared(now: Measured, before: Measured | None, *, currency: str = "", why: str = "") -> Figure:
    """A number and what it was. Raises DifferentDefinitions: only numbers of one definition are compared."""
    return Figure(
        metric=comparable(now.metric, before.metric) if before else now.metric,
        value=now.value,
        why=why if now.value is None else "",
        currency=currency if now.metric.unit is Unit.MONEY else "",
        before=before.value if before else None,
        median=now.median,
    )


def told_counts(info: PlatformInfo) -> frozenset[str]:
    """Which counts of a post the network tells, by our names."""
    return frozenset(name for name, told in TOLD_AS.items() if told in info.post_metrics)


def why_untold(info: PlatformInfo, name: str, told: Iterable[str]) -> str:
    """Why a count of a network is missing: it never tells it, does not tell us of this account, or has not
    been asked yet. ``info`` is the account's."""
    if name in told:
        return _("Not counted yet.")
    of_others = known_networks().get(info.key)
    if of_others is not None and name in {*told_counts(of_others), *of_others.account_metrics}:
        return _(
            "It was not allowed when the account was connected, or %(network)s does not tell it of accounts "
            "of this kind."
        ) % {"network": info.name}
    return _("%(network)s does not tell this number.") % {"network": info.name}


def series(values: Mapping[str, Sequence[int | Decimal | None]]) -> list[dict[str, Any]]:
    """The lines of a chart by metric key; a line without any value is left out."""
    return [
        {"name": metric_label(key), "values": [_plain(value) for value in line]}
        for key, line in values.items()
        if any(value is not None for value in line)
    ]


def _plain(value: int | Decimal | None) -> int | float | None:
    """For a chart, which a script draws: what is computed with stays Decimal."""
    return float(value) if isinstance(value, Decimal) else value


def daily_chart(
    dates: Sequence[dt.date], values: Mapping[str, Sequence[int | Decimal | None]]
) -> Chart | None:
    """One line per metric over ``dates``; None where nothing is known."""
    lines = series(values)
    return {"labels": [date.isoformat() for date in dates], "series": lines} if lines else None
