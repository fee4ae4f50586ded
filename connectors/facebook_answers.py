"""What Facebook tells of a Page and of its posts: names and counts (connectors/facebook.py asks for them)."""

from __future__ import annotations

from connectors import meta
from connectors.base import AccountMetrics, Json, PostMetrics, Profile


def profile_of(page: Json) -> Profile:
    remote_id = meta.word_of(page)
    name = str(page.get("name") or "")
    return Profile(
        remote_id=remote_id,
        handle=str(page.get("username") or name or remote_id),
        display_name=name,
        avatar_url=meta.web_url(meta.nested(page, "picture", "data", "url")),
        profile_url=meta.web_url(page.get("link")) or f"https://www.facebook.com/{remote_id}",
    )


def counts_of(page: Json) -> AccountMetrics:
    followers = meta.count(page, "followers_count")
    return AccountMetrics(followers=meta.count(page, "fan_count") if followers is None else followers)


def post_metrics_of(answer: Json) -> PostMetrics:
    told = meta.insights(answer["insights"]) if isinstance(answer.get("insights"), dict) else {}
    return PostMetrics(
        likes=_total(answer, "reactions"),
        comments=_total(answer, "comments"),
        # A post that nobody shared says nothing of shares.
        shares=meta.count(answer["shares"], "count") if isinstance(answer.get("shares"), dict) else 0,
        impressions=told.get("post_media_view"),
        reach=told.get("post_total_media_view_unique"),
        clicks=told.get("post_clicks"),
    )


def _total(answer: Json, name: str) -> int | None:
    summary = meta.nested(answer, name, "summary")
    return meta.count(summary, "total_count") if isinstance(summary, dict) else None
