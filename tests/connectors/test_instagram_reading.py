"""What is read from Instagram: own posts, counts, what is left of a day, other accounts."""

from __future__ import annotations

import datetime as dt

import responses

from connectors.instagram import InstagramConnector
from tests.connectors.conftest import NOW
from tests.connectors.instagram_stage import (
    AT_FACEBOOK,
    AT_INSTAGRAM,
    IG,
    ROUTES,
    account,
    comment,
    hold_against_specs,
    linked,
    media,
    network,
)

__all__ = ["account", "linked", "network"]


# --- reading back -----------------------------------------------------------------------------


def test_own_posts_and_comments_are_found(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    comments = [
        comment("1780", "ours", NOW + dt.timedelta(minutes=1), name="harbour", author=IG),
        comment("1781", "theirs", NOW + dt.timedelta(minutes=1)),
    ]
    rows = [
        media("1791", "Hello", NOW, children={"data": [{"id": "1"}, {"id": "2"}]}),
        media("1790", "Old", NOW - dt.timedelta(days=2), comments={"data": comments}),
    ]
    network.get(f"{AT_INSTAGRAM}/{IG}/media", json={"data": rows})
    found = account.find_recent(since=NOW)
    assert [(one.text, one.in_reply_to, one.media_count) for one in found] == [
        ("ours", "1790", 0),
        ("Hello", "", 2),
    ]
    hold_against_specs(network, ROUTES)


def test_a_post_is_read_or_gone(network: responses.RequestsMock, account: InstagramConnector) -> None:
    network.get(f"{AT_INSTAGRAM}/1791", json=media("1791", "Hello", NOW))
    read = account.fetch_post("1791")
    assert read is not None
    assert (read.text, read.media_count, read.created_at) == ("Hello", 1, NOW)
    gone = {"error": {"code": 100, "error_subcode": 33, "message": "does not exist"}}
    network.upsert("GET", f"{AT_INSTAGRAM}/1791", status=400, json=gone)
    assert account.fetch_post("1791") is None
    hold_against_specs(network, ROUTES)


# --- counts, quotas, others -------------------------------------------------------------------


def test_counts_of_posts_with_and_without_insights(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    counts = {"id": "1791", "like_count": 3, "comments_count": 2, "media_product_type": "FEED"}
    network.get(f"{AT_INSTAGRAM}/1791", json=counts)
    told = [
        {"name": "views", "values": [{"value": 90}]},
        {"name": "reach", "values": [{"value": 70}]},
        {"name": "saved", "values": [{"value": 5}]},
        {"name": "shares", "total_value": {"value": 1}},
    ]
    network.get(f"{AT_INSTAGRAM}/1791/insights", json={"data": told})
    story = {"id": "1792", "media_product_type": "STORY"}
    network.get(f"{AT_INSTAGRAM}/1792", json=story)
    too_few = {"error": {"code": 10, "message": "Not enough viewers for the media to show insights"}}
    network.get(f"{AT_INSTAGRAM}/1792/insights", status=400, json=too_few)
    gone = {"error": {"code": 100, "error_subcode": 33}}
    network.get(f"{AT_INSTAGRAM}/1793", status=400, json=gone)
    found = account.fetch_post_metrics(["1791", "1792", "1793"])
    assert list(found) == ["1791", "1792"]
    one = found["1791"]
    assert (one.likes, one.comments, one.impressions, one.reach, one.bookmarks, one.shares) == (
        3,
        2,
        90,
        70,
        5,
        1,
    )
    assert found["1792"].likes is None
    hold_against_specs(network, ROUTES)


def test_counts_of_the_account_and_what_is_left_of_the_day(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    counts = {"followers_count": 900, "follows_count": 20, "media_count": 31}
    network.get(f"{AT_INSTAGRAM}/{IG}", json=counts)
    metrics = account.fetch_account_metrics()
    assert (metrics.followers, metrics.following, metrics.posts) == (900, 20, 31)
    used = {"quota_usage": 2, "config": {"quota_total": 100, "quota_duration": 86400}}
    network.get(f"{AT_INSTAGRAM}/{IG}/content_publishing_limit", json={"data": [used, {"config": None}]})
    (quota,) = account.fetch_quotas()
    assert (quota.used, quota.limit, quota.window_s) == (2, 100, 86400)
    hold_against_specs(network, ROUTES)


def test_another_account_is_looked_up_by_its_name(
    network: responses.RequestsMock, linked: InstagramConnector
) -> None:
    found = {"id": "3", "username": "rival", "followers_count": 7, "media_count": 1}
    network.get(f"{AT_FACEBOOK}/{IG}", json={"business_discovery": found, "id": IG})
    other = linked.fetch_public_account("@rival")
    assert other is not None
    assert (other.profile.handle, other.counts.followers) == ("rival", 7)
    hold_against_specs(network, {rf"/{IG}": "IGUser"})
    none = {"error": {"code": 110, "error_subcode": 2207013, "message": "Invalid user id"}}
    network.upsert("GET", f"{AT_FACEBOOK}/{IG}", status=400, json=none)
    assert linked.fetch_public_account("nobody") is None
    asked = len(network.calls)
    assert linked.fetch_public_account("x){access_token}") is None  # no name: nothing is asked
    assert len(network.calls) == asked
