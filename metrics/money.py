"""What money buys and brings back. Amounts are Decimal in one currency; a mixed sum is the caller's mistake.

Definitions: docs/metrics.md. Every answer is a Ratio, which keeps both of its sides and has no value when
the denominator is 0 or a side is unknown (None).
"""

from __future__ import annotations

from decimal import Decimal

from metrics.formulas import Ratio, ratio

MILLE = 1000


def cost_per(cost: Decimal | None, count: Decimal | int | None) -> Ratio:
    """What one cost: CPC over clicks, CPL over leads, CPA over conversions, CAC over new customers."""
    return ratio(cost, count)


def cpm(cost: Decimal | None, impressions: int | None) -> Ratio:
    """What a thousand impressions cost."""
    return ratio(None if cost is None else MILLE * cost, impressions)


def roas(revenue: Decimal | None, ad_spend: Decimal | None) -> Ratio:
    """Return on ad spend, a multiple: revenue ÷ what was paid for media."""
    return ratio(revenue, ad_spend)


def roi(returned: Decimal | None, costs: Decimal | None) -> Ratio:
    """Return on investment, a share: (returned - costs) ÷ costs. ``returned`` is revenue or gross margin,
    which give two different numbers: name the one that was used."""
    return ratio(None if returned is None or costs is None else returned - costs, costs)


def pacing(actual: Decimal | None, expected: Decimal | None) -> Ratio:
    """Spent ÷ what should have been spent by now; 1 is on pace."""
    return ratio(actual, expected)
