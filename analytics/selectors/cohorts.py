"""Rates of the posts that went out in a period, with what they have gained so far.

One statement reads several periods at once, for all accounts together and for each of them: ratios of
sums, and the median of the single posts beside them.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from core.time import DayRange
from metrics.formulas import Ratio, ratio


@dataclass(frozen=True, slots=True)
class Rates:
    """Of one group of posts. A post of which one side is not known counts on neither side."""

    posts: int
    by_followers: Ratio
    by_followers_median: Decimal | None
    by_reach: Ratio
    by_reach_median: Decimal | None
    by_impressions: Ratio
    by_impressions_median: Decimal | None
    virality: Ratio
    virality_median: Decimal | None


UNKNOWN = Ratio(None, None)
NO_POSTS = Rates(0, UNKNOWN, None, UNKNOWN, None, UNKNOWN, None, UNKNOWN, None)


@dataclass(frozen=True, slots=True)
class Cohort:
    """The posts of one period: all of them, and by account."""

    total: Rates
    of_account: dict[uuid.UUID, Rates]


# The middle one of an odd number, half the sum of the middle two of an even one, without binary fractions.
_MEDIAN = """(percentile_disc(0.5) WITHIN GROUP (ORDER BY {rate})
            + percentile_disc(0.5) WITHIN GROUP (ORDER BY {rate} DESC)) / 2"""
_SIDES = """sum({above}) FILTER (WHERE {below} IS NOT NULL), sum({below}) FILTER (WHERE {above} IS NOT NULL),
    {median}"""
_PAIRS = (
    ("engagements", "followers_at_post"),
    ("engagements", "reach"),
    ("engagements", "impressions"),
    ("shares", "impressions"),
)
_RATES = """
WITH posts AS (
    SELECT p.n, m.account_id, m.shares, m.impressions, m.reach, m.followers_at_post,
        CASE WHEN coalesce(m.likes, m.comments, m.shares, m.quotes, m.bookmarks) IS NOT NULL
        THEN coalesce(m.likes, 0) + coalesce(m.comments, 0) + coalesce(m.shares, 0)
            + coalesce(m.quotes, 0) + coalesce(m.bookmarks, 0) END AS engagements
    FROM unnest(%s::timestamptz[], %s::timestamptz[]) WITH ORDINALITY AS p(first, after, n)
    JOIN analytics_postmetrics m
        ON m.account_id = ANY(%s) AND m.sent_at >= p.first AND m.sent_at < p.after
)
SELECT n, account_id, count(*), {rates}
FROM posts GROUP BY GROUPING SETS ((n), (n, account_id))
""".format(  # noqa: S608 - the names are those above
    rates=", ".join(
        _SIDES.format(
            above=above,
            below=below,
            median=_MEDIAN.format(rate=f"({above}::numeric / nullif({below}, 0))"),
        )
        for above, below in _PAIRS
    )
)


def cohorts(account_ids: Sequence[uuid.UUID], periods: Sequence[DayRange]) -> list[Cohort]:
    """The posts of each of ``periods``, in their order."""
    totals = [NO_POSTS] * len(periods)
    of_account: list[dict[uuid.UUID, Rates]] = [{} for _ in periods]
    with connection.cursor() as cursor:
        cursor.execute(
            _RATES, [[one.start for one in periods], [one.end for one in periods], list(account_ids)]
        )
        for number, account_id, posts, *sides in cursor.fetchall():
            rates = _rates(posts, sides)
            if account_id is None:
                totals[number - 1] = rates
            else:
                of_account[number - 1][account_id] = rates
    return [Cohort(total, found) for total, found in zip(totals, of_account, strict=True)]


def _rates(posts: int, sides: Sequence[Decimal | int | None]) -> Rates:
    pairs = [(ratio(sides[n], sides[n + 1]), _decimal(sides[n + 2])) for n in range(0, len(sides), 3)]
    (followers, followers_median), (reach, reach_median), *others = pairs
    (impressions, impressions_median), (virality, virality_median) = others
    return Rates(
        posts=posts,
        by_followers=followers,
        by_followers_median=followers_median,
        by_reach=reach,
        by_reach_median=reach_median,
        by_impressions=impressions,
        by_impressions_median=impressions_median,
        virality=virality,
        virality_median=virality_median,
    )


def _decimal(value: Decimal | int | None) -> Decimal | None:
    return None if value is None else Decimal(value)
