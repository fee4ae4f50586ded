"""docs/metrics.md, made from the registry: ``python -m metrics > docs/metrics.md``."""

from __future__ import annotations

from metrics.registry import METRICS, Kind, Metric, Side, Unit

_UNITS = {
    Unit.COUNT: "count",
    Unit.PERCENT: "%",
    Unit.PER_WEEK: "per week",
    Unit.MONEY: "money",
    Unit.DURATION: "duration",
    Unit.MULTIPLE: "multiple",
}
_SIDES = {Side.OPERATIONS: "Operations", Side.MARKETING: "Marketing"}

_HEAD = """\
# Metrics

Made from `metrics/registry.py` by `python -m metrics > docs/metrics.md`; a test fails when it is stale.

- A definition is never changed in place: a new meaning is a new version, and old numbers keep theirs.
  Numbers of two definitions are not compared.
- A ratio keeps its numerator and its denominator. Over several posts or accounts it is a ratio of sums,
  and the median of the single values stands beside it, because one lucky post can double the first.
- A ratio has no value when its denominator is 0, and none when a network does not tell one side.
- "–" means that the network does not tell a number; it is never shown or counted as 0.
- Counts are taken 1, 5, 15 and 60 minutes after a post went out, then hourly for two days, every six hours
  up to two weeks and daily up to 90 days; every page says when.
- Counts of posts (likes to watch time) are of a post so far. Over a period they are what was
  gained in it, whenever the posts went out. Rates over a period are of the posts that went out in it, with
  what they gained so far.
- What shows money is only for people who may see campaigns and budgets.
- Reach (unique people) is of one post on one network and is never summed over posts, days or networks. In
  the engagement rate by reach of several posts the reach of each is its weight.
- Clicks at the network are what a network counts of clicks on a post; clicks are those on tracked links,
  which are counted here. Neither is part of the other, and only the second is followed to leads and sales.
"""

_TABLE = """
## {side}

| metric | key, version | unit | kind | adds up | shows money | definition | not in it |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""


def formula(m: Metric) -> str:
    """The definition in symbols, "" for what a network counts itself."""
    if m.kind is Kind.RATIO:
        numerator = f"({m.numerator})" if " less " in m.numerator else m.numerator
        times = f"{m.factor} × " if m.factor != 1 else ""
        return f"{times}{numerator} ÷ {m.denominator}"
    return " + ".join(m.parts)


def markdown() -> str:
    return _HEAD + "".join(
        _TABLE.format(side=name) + "".join(_row(m) for m in METRICS if m.side is side)
        for side, name in _SIDES.items()
    )


def _row(m: Metric) -> str:
    symbols = formula(m)
    definition = f"{m.description} `{symbols}`" if symbols else m.description
    cells = (
        m.label,
        f"`{m.key}` v{m.version}",
        _UNITS[m.unit],
        m.kind,
        _yes_or_no(m.is_additive),
        _yes_or_no(m.shows_money),
        definition,
        m.left_out or "–",
    )
    return f"| {' | '.join(cells)} |\n"


def _yes_or_no(fact: bool) -> str:
    return "yes" if fact else "no"
