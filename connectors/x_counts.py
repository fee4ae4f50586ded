"""Counts of posts and accounts at X.

Documents: docs.x.com x-api/fundamentals/metrics and getting-started/pricing, read 2026-11-30.

* Each post that is read costs $0.005, the account $0.010; what was read before on the same day (UTC) is free,
  which X calls a soft guarantee. So nothing is read of an account that did not ask for it.
* Clicks are told to the author alone, for 30 days. A post that X does not tell them of is asked for again
  without. How old a post is, its id says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from connectors.answers import count
from connectors.base import AccountMetrics, Json, PostMetrics
from connectors.errors import Rejected, Temporary

PER_CALL = 100  # posts
PUBLIC = "public_metrics"
PRIVATE = "public_metrics,non_public_metrics"
# A day less than X says: a call that is refused tells nothing of the other posts in it.
PRIVATE_FOR = dt.timedelta(days=29)
_EPOCH_MS = 1_288_834_974_657  # of the ids


def is_private_told(remote_id: str, now: dt.datetime) -> bool:
    """Whether the post is so young that X tells its author more."""
    if not remote_id.isascii() or not remote_id.isdigit() or len(remote_id) > 19:
        return False
    made_at_ms = (int(remote_id) >> 22) + _EPOCH_MS
    return now.timestamp() * 1000 - made_at_ms < PRIVATE_FOR.total_seconds() * 1000


def post_counts(
    get: Callable[[Mapping[str, str]], Json], remote_ids: Sequence[str], now: dt.datetime
) -> dict[str, PostMetrics]:
    """By id; those that are not there are absent. ``get`` asks for posts with a query."""
    young = [one for one in remote_ids if is_private_told(one, now)]
    found = _read(get, young, PRIVATE)
    return found | _read(get, [one for one in remote_ids if one not in found], PUBLIC)


def _read(
    get: Callable[[Mapping[str, str]], Json], remote_ids: Sequence[str], wanted: str
) -> dict[str, PostMetrics]:
    found: dict[str, PostMetrics] = {}
    for start in range(0, len(remote_ids), PER_CALL):
        query = {"ids": ",".join(remote_ids[start : start + PER_CALL]), "tweet.fields": wanted}
        try:
            answer = get(query)
        except Rejected:
            if wanted == PUBLIC:
                raise
            continue  # asked again without
        posts = answer.get("data")
        if not isinstance(posts, list):
            if not answer.get("errors"):
                raise Temporary("an answer without posts and without a word about them")
            posts = []
        for post in posts:
            if isinstance(post, dict) and post.get("id"):
                found[str(post["id"])] = _metrics(post)
    return found


def _metrics(post: Json) -> PostMetrics:
    public, private = post.get("public_metrics"), post.get("non_public_metrics")
    seen = count(public, "impression_count")
    return PostMetrics(
        likes=count(public, "like_count"),
        comments=count(public, "reply_count"),
        shares=count(public, "retweet_count"),
        impressions=count(private, "impression_count") if seen is None else seen,
        quotes=count(public, "quote_count"),
        bookmarks=count(public, "bookmark_count"),
        clicks=count(private, "url_link_clicks"),
    )


def account_counts(user: Json) -> AccountMetrics:
    counts = user.get("public_metrics")
    return AccountMetrics(
        followers=count(counts, "followers_count"),
        following=count(counts, "following_count"),
        posts=count(counts, "tweet_count"),
    )
