"""The passport of a number: what it means, what it was made of, how fresh that is, and what it leaves out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from accounts.metric_wording import metric_description, metric_label, metric_left_out, metric_side_words
from analytics.selectors.measures import Measured, measure
from analytics.selectors.sources import Provenance, Question, provenance, sources_of
from metrics.registry import Kind, Metric, Scope, Unit, UnknownMetric, metric

# The units of sides that are no metric themselves; the others are counts.
_OF_WORDS: Mapping[str, Unit] = {
    "expected spend": Unit.MONEY,
    "revenue less spend": Unit.MONEY,
    "gross margin less spend": Unit.MONEY,
}


@dataclass(frozen=True, slots=True)
class Side:
    """The numerator or the denominator of a ratio."""

    label: str
    unit: Unit
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Passport:
    asked: Question
    measured: Measured
    numerator: Side | None
    denominator: Side | None
    sources: tuple[Provenance, ...]
    now: dt.datetime

    @property
    def definition(self) -> Metric:
        return self.asked.definition

    @property
    def label(self) -> str:
        return metric_label(self.definition)

    @property
    def description(self) -> str:
        return metric_description(self.definition)

    @property
    def left_out(self) -> str:
        return metric_left_out(self.definition)

    @property
    def newest_at(self) -> dt.datetime | None:
        """The oldest of what its sources have newest: so fresh is the number as a whole."""
        known = [source.newest_at for source in self.sources]
        return min((at for at in known if at is not None), default=None)

    @property
    def is_so_far(self) -> bool:
        """Whether it is about one post, whatever the period."""
        return self.asked.subject.scope is Scope.POST

    @property
    def period_words(self) -> str:
        """What the period means for a number of this kind."""
        definition = self.definition
        if self.is_so_far:
            return _("Everything so far, up to the newest count.")
        if definition.kind is Kind.STOCK:
            return _("As it stood on the last day, or up to three days before if it was not counted then.")
        if definition.key == "pacing":
            return _("From the first day of the flight to the last day of the period.")
        if self.sources and self.sources[0].source in ("posts", "linked_posts"):
            return _("Posts that went out in the period, with everything they have gained so far.")
        if definition.kind is Kind.FLOW and definition.scopes >= {Scope.POST}:
            return _("What was gained in the period, whenever the posts went out.")
        if self.sources and self.sources[0].source == "waits":
            return _("Waits that began in the period, whenever they were answered.")
        return _("What happened in the period.")


def passport(asked: Question, *, now: dt.datetime, counted_since: dt.date | None = None) -> Passport:
    """``counted_since``: as ``measure`` has it, for the followers of a goal."""
    key = asked.definition.key
    measured = measure([key], asked.subject, asked.period, now=now, counted_since=counted_since)[key]
    definition = asked.definition
    numerator = measured.sides.numerator
    if numerator is not None:
        numerator /= definition.factor
    is_ratio = definition.kind is Kind.RATIO
    return Passport(
        asked=asked,
        measured=measured,
        numerator=_side(definition.numerator, numerator) if is_ratio else None,
        denominator=_side(definition.denominator, measured.sides.denominator) if is_ratio else None,
        sources=tuple(provenance(source, asked) for source in sources_of(definition, asked.subject)),
        now=now,
    )


def _side(name: str, value: Decimal | None) -> Side:
    try:
        unit = metric(name).unit
    except UnknownMetric:
        unit = _OF_WORDS.get(name, Unit.COUNT)
    return Side(metric_side_words(name), unit, value)
