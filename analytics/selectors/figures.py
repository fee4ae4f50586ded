"""A number as a page shows it: with its name, its meaning, and the reason where there is none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from analytics import labels
from connectors.base import PlatformInfo
from metrics.registry import Metric, Unit, metric

Chart = dict[str, Any]  # {"labels": [...], "series": [{"name", "values"}]} as components/_chart.html takes it

# How old a post may be for its curve to show every count, and then every hour; later it shows dates.
EVERY_COUNT_UP_TO = dt.timedelta(hours=3)
HOURLY_UP_TO = dt.timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Figure:
    metric: Metric
    value: int | Decimal | None
    why: str = ""  # why there is no value

    @property
    def label(self) -> str:
        return labels.label(self.metric)

    @property
    def description(self) -> str:
        return labels.description(self.metric)

    @property
    def is_percent(self) -> bool:
        return self.metric.unit is Unit.PERCENT

    @property
    def is_rate(self) -> bool:
        return self.metric.unit is Unit.PER_WEEK


def figure(key: str, value: int | Decimal | None, why: str = "") -> Figure:
    return Figure(metric(key), value, why if value is None else "")


def why_untold(info: PlatformInfo, name: str, told: Iterable[str]) -> str:
    """Why a count of a network is missing: it never tells it, or has not been asked yet."""
    if name in told:
        return _("Not counted yet.")
    return _("%(network)s does not tell this number.") % {"network": info.name}


def series(values: Mapping[str, list[int | None]]) -> list[dict[str, Any]]:
    """The lines of a chart by metric key; a line without any value is left out."""
    return [
        {"name": labels.label(metric(key)), "values": line}
        for key, line in values.items()
        if any(value is not None for value in line)
    ]
