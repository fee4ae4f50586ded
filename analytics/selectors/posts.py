"""The numbers of single posts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounts.models import SocialAccount
from analytics.models import PostMetrics, PostSnapshot
from analytics.selectors.figures import (
    EVERY_COUNT_UP_TO,
    HOURLY_UP_TO,
    Chart,
    Figure,
    figure,
    series,
    told_counts,
    why_untold,
)
from analytics.selectors.subjects import Subject
from connectors.base import Capability, PlatformInfo
from content_calendar.models import Post
from core.templatetags.ui import format_time
from core.time import to_local
from metrics import formulas
from metrics.formulas import Ratio
from outbox.models import Delivery, DeliveryKind, DeliveryState

COUNTS = (
    "likes",
    "comments",
    "shares",
    "quotes",
    "bookmarks",
    "impressions",
    "reach",
    "network_clicks",
    "watch_time",
)
# Shown even where a network does not tell them, so that its silence is seen.
ALWAYS = ("likes", "comments", "shares", "impressions")
# A page that is open while counts are due soon asks again by itself.
LIVE_WITHIN = dt.timedelta(minutes=20)

Sort = Literal[
    "sent",
    "likes",
    "comments",
    "shares",
    "impressions",
    "reach",
    "network_clicks",
    "watch_time",
    "engagements",
]
SORTS: tuple[Sort, ...] = (
    "sent",
    "likes",
    "comments",
    "shares",
    "impressions",
    "reach",
    "network_clicks",
    "watch_time",
    "engagements",
)
# Few networks tell these: where one does not, they are no columns of its lists.
ONLY_TOLD = ("reach", "network_clicks", "watch_time")


@dataclass(frozen=True, slots=True)
class DeliveryNumbers:
    """What one sent delivery has done so far."""

    delivery: Delivery
    info: PlatformInfo
    figures: tuple[Figure, ...]
    taken_at: dt.datetime | None
    next_pull_at: dt.datetime | None
    is_gone: bool
    chart: Chart | None

    @property
    def account(self) -> SocialAccount:
        return self.delivery.account

    @property
    def is_told(self) -> bool:
        """Whether anything will ever be counted of it while its account is connected as it is now."""
        return self.info.can(Capability.POST_METRICS)

    @property
    def subject(self) -> Subject:
        return Subject((self.delivery.brand,), delivery=self.delivery)


@dataclass(frozen=True, slots=True)
class PostRow:
    """One line of the list of an account's posts."""

    delivery: Delivery
    metrics: PostMetrics  # without counts while nothing was taken
    excerpt: str
    post_id: object | None
    engagements: int | None
    rate_by_followers: Ratio
    rate_by_reach: Ratio
    rate_by_impressions: Ratio


def numbers_of_post(post: Post) -> list[DeliveryNumbers]:
    """The numbers of every delivery of ``post`` that is out, in the order of its page."""
    deliveries = (
        Delivery.objects.filter(variant__post=post, state=DeliveryState.SENT)
        .select_related("account", "brand", "metrics")
        .order_by("account__platform", "account__handle")
    )
    return [_numbers(delivery, post.brand.timezone) for delivery in deliveries]


def is_live(numbers: Iterable[DeliveryNumbers], now: dt.datetime) -> bool:
    """Whether new counts will come while somebody looks."""
    return any(
        n.next_pull_at - now < LIVE_WITHIN if n.next_pull_at else n.taken_at is None and _is_new(n, now)
        for n in numbers
    )


def _is_new(numbers: DeliveryNumbers, now: dt.datetime) -> bool:
    sent_at = numbers.delivery.sent_at
    return sent_at is not None and now - sent_at < LIVE_WITHIN


def metrics_of(delivery: Delivery) -> PostMetrics | None:
    """The latest counts; None while the delivery has not been looked at."""
    found: PostMetrics | None = getattr(delivery, "metrics", None)
    return found


def _numbers(delivery: Delivery, zone: str) -> DeliveryNumbers:
    info = delivery.account.info
    metrics = metrics_of(delivery)
    return DeliveryNumbers(
        delivery=delivery,
        info=info,
        figures=tuple(_figures(metrics, info)),
        taken_at=metrics.taken_at if metrics else None,
        next_pull_at=metrics.next_pull_at if metrics else None,
        is_gone=metrics.is_gone if metrics else False,
        chart=curve(delivery, zone),
    )


def _figures(metrics: PostMetrics | None, info: PlatformInfo) -> list[Figure]:
    counts = metrics or PostMetrics()
    told = told_counts(info)
    shown = [name for name in COUNTS if name in ALWAYS or name in told]
    figures = [figure(name, getattr(counts, name), why_untold(info, name, told)) for name in shown]
    if "reach" in told:
        by_reach = formulas.engagement_rate_by_reach(counts, reach=counts.reach)
        why = _("Nobody has seen it yet.") if counts.reach == 0 else why_untold(info, "reach", told)
        figures.append(figure("engagement_rate_by_reach", by_reach.value, why))
    by_impressions = formulas.engagement_rate_by_impressions(counts, impressions=counts.impressions)
    by_followers = formulas.engagement_rate_by_followers(counts, followers_at_post=counts.followers_at_post)
    if by_impressions.value is None and counts.impressions == 0:
        why = _("Nobody has seen it yet.")
    else:
        why = why_untold(info, "impressions", told)
    figures.append(figure("engagement_rate_by_impressions", by_impressions.value, why))
    why = (
        _("Not counted yet.")
        if counts.taken_at is None
        else _("It is not known how many followers the account had then.")
    )
    figures.append(figure("engagement_rate_by_followers", by_followers.value, why))
    return figures


def curve(delivery: Delivery, zone: str) -> Chart | None:
    """Likes, comments and shares over time, in wall time of ``zone``: every count of the first hours, then
    the last one of each hour, after two days of each date. None while there are fewer than two points.
    """
    if delivery.sent_at is None:
        return None
    last: dict[str, PostSnapshot] = {}
    snapshots = list(PostSnapshot.objects.filter(delivery_id=delivery.pk).order_by("taken_at"))
    age = snapshots[-1].taken_at - delivery.sent_at if snapshots else dt.timedelta()
    for snapshot in snapshots:
        local = to_local(snapshot.taken_at, zone)
        if age > HOURLY_UP_TO:
            name = local.date().isoformat()
        else:
            name = format_time(local if age <= EVERY_COUNT_UP_TO else local.replace(minute=0), zone, "short")
        last[name] = snapshot
    if len(last) < 2:
        return None
    lines = series(
        {name: [getattr(s, name) for s in last.values()] for name in ("likes", "comments", "shares")}
    )
    return {"labels": list(last), "series": lines} if lines else None


# --- lists --------------------------------------------------------------------------------------


def sorts_of(info: PlatformInfo) -> list[Sort]:
    """What the posts on a network can be sorted by."""
    told = told_counts(info)
    return [sort for sort in SORTS if sort not in ONLY_TOLD or sort in told]


def posts_of_account(
    account: SocialAccount, *, since: dt.datetime, sort: Sort = "sent"
) -> QuerySet[Delivery]:
    """What was sent on ``account`` at or after ``since``: the latest or the highest first, unknown last."""
    rows = Delivery.objects.filter(
        account=account, state=DeliveryState.SENT, kind=DeliveryKind.POST, sent_at__gte=since
    ).select_related("metrics", "variant")
    if sort == "sent":
        return rows.order_by("-sent_at")
    if sort == "engagements":
        parts = [Coalesce(F(f"metrics__{part}"), 0) for part in formulas.ENGAGEMENT_PARTS]
        total: Any = parts[0]
        for part in parts[1:]:
            total += part
        return rows.order_by(total.desc(), "-sent_at")
    return rows.order_by(F(f"metrics__{sort}").desc(nulls_last=True), "-sent_at")


def row_of(delivery: Delivery) -> PostRow:
    counts = metrics_of(delivery) or PostMetrics()
    variant = getattr(delivery, "variant", None)
    return PostRow(
        delivery=delivery,
        metrics=counts,
        excerpt=_excerpt(delivery),
        post_id=variant.post_id if variant else None,
        engagements=formulas.engagements(counts),
        rate_by_followers=formulas.engagement_rate_by_followers(
            counts, followers_at_post=counts.followers_at_post
        ),
        rate_by_reach=formulas.engagement_rate_by_reach(counts, reach=counts.reach),
        rate_by_impressions=formulas.engagement_rate_by_impressions(counts, impressions=counts.impressions),
    )


def _excerpt(delivery: Delivery) -> str:
    """The first line of what was sent, at most 90 characters."""
    parts = delivery.payload.get("parts") or [{}]
    line: str = str(parts[0].get("text", "")).strip().split("\n", 1)[0]
    return line if len(line) <= 90 else line[:89].rstrip() + "…"
