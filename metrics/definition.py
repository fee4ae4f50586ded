"""What one metric is made of: the shape of the entries in operations.py and marketing.py."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Unit(enum.StrEnum):
    COUNT = "count"
    PERCENT = "percent"  # the value is a fraction, 0.034 is shown as 3.4 %
    PER_WEEK = "per_week"
    MONEY = "money"  # in the currency of the campaign or the brand, which stands beside the number
    DURATION = "duration"  # seconds
    MULTIPLE = "multiple"  # 1.6 is shown as 1.60×


class Kind(enum.StrEnum):
    STOCK = "stock"  # a level at one instant
    FLOW = "flow"  # what happened: of a post so far, of anything else within a period
    RATIO = "ratio"  # a ratio of sums: numerator and denominator are kept
    DURATION = "duration"  # a point of a distribution of waits: a median, a percentile


class Side(enum.StrEnum):
    OPERATIONS = "ops"
    MARKETING = "marketing"


class Scope(enum.StrEnum):
    """What a metric can be asked about."""

    POST = "post"
    ACCOUNT = "account"
    PLATFORM = "platform"  # all accounts of a brand at one network
    CAMPAIGN = "campaign"
    BRAND = "brand"


@dataclass(frozen=True, slots=True)
class Metric:
    """One definition. Texts are English source strings; the interface translates them
    (accounts/metric_wording.py).

    ``numerator`` and ``denominator`` name other metrics of the registry, or say in words what is
    counted where no other metric stands for it; both are empty for what a network counts itself.
    ``factor`` multiplies their quotient (1000 for what a thousand cost).
    ``parts`` are the metrics that a sum consists of. ``is_additive``: may be summed over posts, days
    and accounts.
    ``shows_money``: the value lets its reader conclude what was spent or earned, so it is only for
    people who may see campaigns and budgets.
    ``left_out`` says what the number does not hold. ``short`` is the name above a column, "" where the
    label is short enough.
    """

    key: str
    version: int
    label: str
    description: str
    unit: Unit
    kind: Kind
    side: Side
    scopes: frozenset[Scope]
    is_additive: bool
    is_higher_better: bool | None = True  # None: neither direction is better by itself
    numerator: str = ""
    denominator: str = ""
    factor: int = 1
    parts: tuple[str, ...] = ()
    shows_money: bool = False
    left_out: str = ""
    short: str = ""


class UnknownMetric(LookupError):
    """The registry has no metric of this key (and version)."""


class DifferentDefinitions(ValueError):
    """Two numbers were made by different definitions, so one says nothing about the other."""
