"""docs/metrics.md, made from the registry: ``python -m metrics > docs/metrics.md``."""

from __future__ import annotations

from metrics.registry import METRICS, Kind, Metric, Unit

_UNITS = {Unit.COUNT: "count", Unit.PERCENT: "%", Unit.PER_WEEK: "per week"}

_HEAD = """\
# Metrics

Made from `metrics/registry.py` by `python -m metrics > docs/metrics.md`; a test fails when it is stale.

- A definition is never changed in place: a new meaning is a new version, and old numbers keep theirs.
- A ratio keeps its numerator and its denominator. Over several posts or accounts it is a ratio of sums,
  and the median of the single values stands beside it, because one lucky post can double the first.
- A ratio has no value when its denominator is 0, and none when a network does not tell one side.
- "–" means that the network does not tell a number; it is never shown or counted as 0.
- Counts are taken 1, 5, 15 and 60 minutes after a post went out, then hourly for two days, every six hours
  up to two weeks and daily up to 90 days; every page says when.

| metric | key, version | unit | kind | adds up | definition |
| --- | --- | --- | --- | --- | --- |
"""


def formula(m: Metric) -> str:
    """The definition in symbols, "" for what a network counts itself."""
    if m.kind is Kind.RATIO:
        return f"{m.numerator} ÷ {m.denominator}"
    return " + ".join(m.parts)


def markdown() -> str:
    return _HEAD + "".join(_row(m) for m in METRICS)


def _row(m: Metric) -> str:
    symbols = formula(m)
    definition = f"{m.description} `{symbols}`" if symbols else m.description
    adds_up = "yes" if m.is_additive else "no"
    return (
        f"| {m.label} | `{m.key}` v{m.version} | {_UNITS[m.unit]} | {m.kind} | {adds_up} | {definition} |\n"
    )
