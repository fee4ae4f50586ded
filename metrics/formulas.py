"""The formulas. Counts come in as whole numbers or None ("the network does not tell"); ratios stay
exact (Decimal) and remember what they were made of."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from metrics.registry import metric

ENGAGEMENT_PARTS = metric("engagements", 1).parts


class PostCounts(Protocol):
    """What a network counts of one post; None = it does not tell."""

    @property
    def likes(self) -> int | None: ...
    @property
    def comments(self) -> int | None: ...
    @property
    def shares(self) -> int | None: ...
    @property
    def quotes(self) -> int | None: ...
    @property
    def bookmarks(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Ratio:
    """A fraction that keeps both of its sides; ``value`` is None where it has none."""

    numerator: Decimal | None
    denominator: Decimal | None

    @property
    def is_known(self) -> bool:
        return self.numerator is not None and self.denominator is not None

    @property
    def value(self) -> Decimal | None:
        """Numerator ÷ denominator; None when a side is unknown or the denominator is 0."""
        if self.numerator is None or not self.denominator:
            return None
        return self.numerator / self.denominator


def ratio(numerator: Decimal | int | None, denominator: Decimal | int | None) -> Ratio:
    return Ratio(
        None if numerator is None else Decimal(numerator),
        None if denominator is None else Decimal(denominator),
    )


def pooled(ratios: Iterable[Ratio]) -> Ratio:
    """The ratio of sums. A ratio of which one side is unknown counts on neither side."""
    known = [r for r in ratios if r.is_known]
    if not known:
        return Ratio(None, None)
    return Ratio(
        sum((r.numerator for r in known if r.numerator is not None), Decimal(0)),
        sum((r.denominator for r in known if r.denominator is not None), Decimal(0)),
    )


def median(ratios: Iterable[Ratio]) -> Decimal | None:
    """The middle of the single values: what a usual post does, whatever one lucky post did."""
    values = [value for r in ratios if (value := r.value) is not None]
    return statistics.median(values) if values else None


def engagements(counts: PostCounts) -> int | None:
    """The sum of the parts that the network tells; None when it tells none."""
    told = [value for part in ENGAGEMENT_PARTS if (value := getattr(counts, part)) is not None]
    return sum(told) if told else None


def engagement_rate_by_followers(counts: PostCounts, *, followers_at_post: int | None) -> Ratio:
    return ratio(engagements(counts), followers_at_post)


def engagement_rate_by_reach(counts: PostCounts, *, reach: int | None) -> Ratio:
    """Of one post. In a rate of several the reach of each is its weight: the sum is no number of people."""
    return ratio(engagements(counts), reach)


def engagement_rate_by_impressions(counts: PostCounts, *, impressions: int | None) -> Ratio:
    return ratio(engagements(counts), impressions)


def posting_frequency(*, published: int, days: int) -> Ratio:
    """Posts per week over a period of ``days`` calendar days; replies are not among ``published``."""
    return Ratio(Decimal(published), Decimal(days) / 7)


def follower_growth_rate(*, start: int | None, end: int | None) -> Ratio:
    """Net new followers ÷ followers at the start of the period."""
    if start is None or end is None:
        return Ratio(None, None)
    return ratio(end - start, start)


def percentile(values: Sequence[int], percent: int) -> Decimal | None:
    """The value below which ``percent`` of 100 values lie; between two neighbours in proportion, so that
    the 50th is the median. None without values. (Hyndman and Fan, type 7.)"""
    if not values:
        return None
    ordered = sorted(values)
    place = Decimal(len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def virality_rate(*, shares: int | None, impressions: int | None) -> Ratio:
    """Shares ÷ impressions: how often somebody who saw it passed it on."""
    return ratio(shares, impressions)


def response_rate(*, answered: int, actionable: int) -> Ratio:
    """Answered ÷ all that needed an answer and began in the period; those still young are in neither."""
    return ratio(answered, actionable)
