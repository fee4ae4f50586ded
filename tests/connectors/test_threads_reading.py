"""What is read from Threads: own posts, what is left of a day, counts."""

from __future__ import annotations

import pytest
import requests
import responses

from connectors.base import AccountMetrics, PostMetrics
from connectors.errors import Rejected
from connectors.threads import ThreadsConnector
from tests.connectors.conftest import NOW, SPECS
from tests.connectors.threads_stage import (
    API,
    Check,
    account,
    client,
    collection,
    graph_error,
    network,
    own,
    query_of,
)

__all__ = ["account", "collection", "network"]


def test_calls_are_held_against_the_collection(network: responses.RequestsMock, collection: Check) -> None:
    if not (SPECS / "threads").is_dir():
        pytest.skip("NETWORK_SPECS has no threads: calls are not held against the collection")
    network.get(f"{API}/me", json={})
    requests.get(f"{API}/me", params={"colour": "red"}, timeout=1)
    assert collection(network.calls[0]) == ["('GET', 'me'): colour"]


# --- reading back -----------------------------------------------------------------------------


def test_own_posts_and_replies_are_read_together(
    network: responses.RequestsMock, account: ThreadsConnector, collection: Check
) -> None:
    children = {"data": [{"id": "1"}, {"id": "2"}]}
    carousel = own("Look", id="1", media_type="CAROUSEL_ALBUM", children=children)
    later = own("Thanks", id="2", timestamp="2026-11-22T12:09:00+0000", replied_to={"id": "55"})
    network.get(f"{API}/me/threads", json={"data": [carousel]})
    network.get(f"{API}/me/replies", json={"data": [later, carousel]})
    found = account.find_recent(since=NOW)
    assert [(post.remote_id, post.in_reply_to, post.media_count) for post in found] == [
        ("2", "55", 0),
        ("1", "", 2),
    ]
    assert query_of(network.calls[0])["since"] == str(int(NOW.timestamp()))
    assert [fault for call in network.calls for fault in collection(call)] == []


def test_who_may_not_read_replies_asks_for_none(network: responses.RequestsMock) -> None:
    network.get(f"{API}/me/threads", json={"data": []})
    assert client("threads_basic", "threads_content_publish").find_recent(since=NOW) == []
    assert "replied_to" not in query_of(network.calls[0])["fields"]
    assert len(network.calls) == 1


def test_a_post_is_read_by_its_id(
    network: responses.RequestsMock, account: ThreadsConnector, collection: Check
) -> None:
    network.get(f"{API}/900", json=own())
    post = account.fetch_post("900")
    assert post is not None
    assert (post.text, post.permalink) == ("Hello Coffee", "https://www.threads.net/@harbour/post/Pp")
    assert collection(network.calls[0]) == []
    network.upsert("GET", f"{API}/900", status=400, json=graph_error(100, error_subcode=33))
    assert account.fetch_post("900") is None


def test_what_is_used_of_a_day(
    network: responses.RequestsMock, account: ThreadsConnector, collection: Check
) -> None:
    used = {
        "quota_usage": 1,
        "config": {"quota_total": 250, "quota_duration": 86400},
        "reply_quota_usage": 0,
        "reply_config": {"quota_total": 1000, "quota_duration": 86400},
    }
    network.get(f"{API}/me/threads_publishing_limit", json={"data": [used]})
    told = [(q.name, q.used, q.limit, q.window_s) for q in account.fetch_quotas()]
    assert told == [("Posts", 1, 250, 86400), ("Replies", 0, 1000, 86400)]
    assert [one.name for one in client("threads_basic", "threads_content_publish").fetch_quotas()] == [
        "Posts"
    ]
    assert "reply" not in query_of(network.calls[1])["fields"]
    assert collection(network.calls[0]) == []


# --- counts -----------------------------------------------------------------------------------


def test_counts_of_the_account_and_its_posts(
    network: responses.RequestsMock, account: ThreadsConnector, collection: Check
) -> None:
    network.get(
        f"{API}/me/threads_insights",
        json={"data": [{"name": "followers_count", "period": "day", "total_value": {"value": 4321}}]},
    )
    numbers = {"views": 90, "likes": 8, "replies": 3, "reposts": 2, "quotes": 1, "shares": 5}
    rows = [{"name": name, "values": [{"value": value}]} for name, value in numbers.items()]
    network.get(f"{API}/900/insights", json={"data": rows})
    network.get(f"{API}/901/insights", status=400, json=graph_error(100, error_subcode=33))
    assert account.fetch_account_metrics() == AccountMetrics(followers=4321)
    assert account.fetch_post_metrics(["900", "901"]) == {
        "900": PostMetrics(likes=8, comments=3, shares=2, impressions=90, quotes=1)
    }
    assert [fault for call in network.calls for fault in collection(call)] == []


def test_somebody_elses_account_is_looked_up(
    network: responses.RequestsMock, account: ThreadsConnector
) -> None:
    network.get(
        f"{API}/profile_lookup",
        json={"username": "meta", "name": "Meta", "follower_count": 9, "profile_picture_url": "x"},
    )
    other = account.fetch_public_account(" @Meta ")
    assert other is not None
    assert (other.profile.remote_id, other.counts.followers) == ("meta", 9)
    assert other.profile.avatar_url == ""
    assert query_of(network.calls[0])["username"] == "meta"
    for missing in (
        graph_error(100, error_subcode=33),
        {"error": {"code": 100, "message": "User does not exist"}},
        {"error": {"code": 100, "message": "The requested profile is private"}},
    ):
        network.upsert("GET", f"{API}/profile_lookup", status=400, json=missing)
        assert account.fetch_public_account("nobody") is None
    network.upsert("GET", f"{API}/profile_lookup", status=400, json=graph_error(10))
    with pytest.raises(Rejected):
        account.fetch_public_account("nobody")
