"""Every number that the product shows, as data: its name, unit, parts and version.

A definition is never changed in place. A change of meaning is a new entry with the next version, and
numbers computed under the old one keep it, so two reports can say whether they may be compared.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Unit(enum.StrEnum):
    COUNT = "count"
    PERCENT = "percent"  # the value is a fraction, 0.034 is shown as 3.4 %
    PER_WEEK = "per_week"


class Kind(enum.StrEnum):
    STOCK = "stock"  # a level at one instant
    FLOW = "flow"  # what happened since some instant
    RATIO = "ratio"  # a ratio of sums: numerator and denominator are kept


class Scope(enum.StrEnum):
    ACCOUNT = "account"
    POST = "post"


@dataclass(frozen=True, slots=True)
class Metric:
    """One definition. Texts are English source strings; the interface translates them.

    ``numerator`` and ``denominator`` name other metrics of the registry, or say in words what is
    counted where no other metric stands for it; both are empty for what a network counts itself.
    ``parts`` are the metrics that a sum consists of. ``is_additive``: may be summed over posts.
    """

    key: str
    version: int
    label: str
    description: str
    unit: Unit
    kind: Kind
    scopes: frozenset[Scope]
    is_additive: bool
    is_higher_better: bool | None = True  # None: neither direction is better by itself
    numerator: str = ""
    denominator: str = ""
    parts: tuple[str, ...] = ()


class UnknownMetric(LookupError):
    """The registry has no metric of this key (and version)."""


_ACCOUNT = frozenset({Scope.ACCOUNT})
_POST = frozenset({Scope.POST})
_BOTH = _ACCOUNT | _POST

METRICS: tuple[Metric, ...] = (
    Metric(
        key="followers",
        version=1,
        label="Followers",
        description="People who follow the account, as the network states it at that moment.",
        unit=Unit.COUNT,
        kind=Kind.STOCK,
        scopes=_ACCOUNT,
        is_additive=False,
    ),
    Metric(
        key="following",
        version=1,
        label="Following",
        description="Accounts that the account follows, as the network states it at that moment.",
        unit=Unit.COUNT,
        kind=Kind.STOCK,
        scopes=_ACCOUNT,
        is_additive=False,
        is_higher_better=None,
    ),
    Metric(
        key="posts",
        version=1,
        label="Posts",
        description="Posts on the account, as the network states it at that moment, whoever made them.",
        unit=Unit.COUNT,
        kind=Kind.STOCK,
        scopes=_ACCOUNT,
        is_additive=False,
        is_higher_better=None,
    ),
    Metric(
        key="likes",
        version=1,
        label="Likes",
        description="Likes or favourites of the post so far.",
        unit=Unit.COUNT,
        kind=Kind.FLOW,
        scopes=_BOTH,
        is_additive=True,
    ),
    Metric(
        key="comments",
        version=1,
        label="Comments",
        description="Replies to the post so far.",
        unit=Unit.COUNT,
        kind=Kind.FLOW,
        scopes=_BOTH,
        is_additive=True,
    ),
    Metric(
        key="shares",
        version=1,
        label="Shares",
        description="Reposts or boosts of the post so far, without quotes.",
        unit=Unit.COUNT,
        kind=Kind.FLOW,
        scopes=_BOTH,
        is_additive=True,
    ),
    Metric(
        key="quotes",
        version=1,
        label="Quotes",
        description="Posts of others that quote the post so far.",
        unit=Unit.COUNT,
        kind=Kind.FLOW,
        scopes=_BOTH,
        is_additive=True,
    ),
    Metric(
        key="bookmarks",
        version=1,
        label="Saves",
        description="How often the post was saved or bookmarked so far.",
        unit=Unit.COUNT,
        kind=Kind.FLOW,
        scopes=_BOTH,
        is_additive=True,
    ),
    Metric(
        key="impressions",
        version=1,
        label="Impressions",
        description="How often the post was displayed so far. One person may be counted several times.",
        unit=Unit.COUNT,
        kind=Kind.FLOW,
        scopes=_BOTH,
        is_additive=True,
    ),
    Metric(
        key="engagements",
        version=1,
        label="Engagements",
        description="Likes, comments, shares, quotes and saves together; what a network does not tell is "
        "left out, so compare only posts of one network.",
        unit=Unit.COUNT,
        kind=Kind.FLOW,
        scopes=_BOTH,
        is_additive=True,
        parts=("likes", "comments", "shares", "quotes", "bookmarks"),
    ),
    Metric(
        key="engagement_rate_by_followers",
        version=1,
        label="Engagement rate by followers",
        description="Engagements per post, divided by the followers that the account had when it was posted.",
        unit=Unit.PERCENT,
        kind=Kind.RATIO,
        scopes=_BOTH,
        is_additive=False,
        numerator="engagements",
        denominator="followers at post time",
    ),
    Metric(
        key="engagement_rate_by_impressions",
        version=1,
        label="Engagement rate by impressions",
        description="Engagements divided by impressions.",
        unit=Unit.PERCENT,
        kind=Kind.RATIO,
        scopes=_BOTH,
        is_additive=False,
        numerator="engagements",
        denominator="impressions",
    ),
    Metric(
        key="posting_frequency",
        version=1,
        label="Posts per week",
        description="Posts published in the period, replies left out, divided by its length in weeks.",
        unit=Unit.PER_WEEK,
        kind=Kind.RATIO,
        scopes=_ACCOUNT,
        is_additive=False,
        is_higher_better=None,
        numerator="published posts",
        denominator="weeks",
    ),
    Metric(
        key="follower_growth_rate",
        version=1,
        label="Follower growth rate",
        description="Followers won less followers lost in the period, divided by the followers at its start.",
        unit=Unit.PERCENT,
        kind=Kind.RATIO,
        scopes=_ACCOUNT,
        is_additive=False,
        numerator="net new followers",
        denominator="followers at the start",
    ),
)

_BY_KEY = {(m.key, m.version): m for m in METRICS}
_LATEST = {m.key: m for m in sorted(METRICS, key=lambda m: m.version)}


def metric(key: str, version: int | None = None) -> Metric:
    """The definition of ``key``: the newest, or the named version. Raises UnknownMetric."""
    try:
        return _LATEST[key] if version is None else _BY_KEY[key, version]
    except KeyError:
        raise UnknownMetric(key if version is None else f"{key} v{version}") from None


def latest() -> tuple[Metric, ...]:
    """The newest version of every metric, in the order of the registry."""
    return tuple(m for m in METRICS if _LATEST[m.key] is m)
