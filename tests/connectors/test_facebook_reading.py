"""What is read from Facebook: posts, own ones that are looked for, counts."""

from __future__ import annotations

import datetime as dt

import pytest
import responses

from connectors.base import PostMetrics
from connectors.errors import Rejected, Temporary
from connectors.facebook import FacebookConnector
from tests.connectors.conftest import NOW
from tests.connectors.facebook_stage import (
    API,
    GONE,
    PAGE,
    comment,
    hold_against_specs,
    network,
    page,
    post,
    shown,
    stamp,
)

__all__ = ["network", "page"]


# --- reading back -----------------------------------------------------------------------------


def test_a_post_is_read_or_gone_or_not_public(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    several = {"data": [{"media_type": "album", "subattachments": {"data": [{}, {}]}}]}
    link = "https://www.facebook.com/harbour/posts/1"
    public = shown("1001_2002", "Hello", NOW, attachments=several, permalink_url=link, is_published=True)
    network.get(f"{API}/1001_2002", json=public)
    read = page.fetch_post("1001_2002")
    assert read is not None
    assert (read.text, read.media_count, read.permalink, read.created_at) == ("Hello", 2, link, NOW)
    network.upsert("GET", f"{API}/1001_2002", json={**public, "is_published": False})
    assert page.fetch_post("1001_2002") is None
    network.upsert("GET", f"{API}/1001_2002", status=400, json=GONE)
    assert page.fetch_post("1001_2002") is None
    network.get(f"{API}/77", json={"id": "77", "description": "Hi", "created_time": stamp(NOW)})
    video = page.fetch_post("77")
    assert video is not None
    assert (video.remote_id, video.text) == ("77", "Hi")
    hold_against_specs(network)


def test_a_story_is_read_from_the_list(network: responses.RequestsMock, page: FacebookConnector) -> None:
    network.get(f"{API}/4004", status=400, json={"error": {"code": 100, "message": "nonexisting field"}})
    story = {"post_id": "4004", "media_id": "31", "creation_time": 1795348800}
    network.get(f"{API}/{PAGE}/stories", json={"data": [story]})
    read = page.fetch_post("4004")
    assert read is not None
    assert (read.remote_id, read.created_at) == ("4004", NOW)
    network.get(f"{API}/4009", status=400, json=GONE)
    assert page.fetch_post("4009") is None


def test_own_posts_and_comments_are_found(network: responses.RequestsMock, page: FacebookConnector) -> None:
    below = [
        comment("2002_1", "first", NOW + dt.timedelta(minutes=1), author=PAGE),
        comment("2002_2", "first", NOW + dt.timedelta(minutes=1)),
    ]
    rows = [shown("1001_2002", "Hello", NOW, comments={"data": below})]
    network.get(f"{API}/{PAGE}/published_posts", json={"data": rows})
    found = page.find_recent(since=NOW)
    assert [(one.remote_id, one.in_reply_to) for one in found] == [("2002_1", "1001_2002"), ("1001_2002", "")]
    with_comment = post(comment="first")
    found = page.find_sent(with_comment, since=NOW)
    assert [(one.remote_id, one.in_reply_to) for one in found] == [("1001_2002", ""), ("2002_1", "")]
    with pytest.raises(Temporary):  # while the post is not listed, a comment that is not seen may be there
        page.find_sent(post(text="Other", comment="first"), since=NOW)
    hold_against_specs(network)


# --- counts and others ------------------------------------------------------------------------


def test_counts_of_posts_with_and_without_insights(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    plain = {
        "id": "1001_2002",
        "reactions": {"data": [], "summary": {"total_count": 5}},
        "comments": {"data": [], "summary": {"total_count": 2}},
        "shares": {"count": 3},
    }
    told = [
        {"name": "post_media_view", "values": [{"value": 900}]},
        {"name": "post_total_media_view_unique", "values": [{"value": 700}]},
        {"name": "post_clicks", "values": [{"value": 11}]},
    ]
    network.get(f"{API}/1001_2002", json={**plain, "insights": {"data": told}})
    refused = {"error": {"code": 100, "message": "(#100) must be a valid insights metric"}}
    network.get(f"{API}/1001_2003", status=400, json=refused)
    network.get(f"{API}/1001_2003", json={"id": "1001_2003", "reactions": {"summary": {"total_count": 1}}})
    network.get(f"{API}/1001_2004", status=400, json=GONE)
    found = page.fetch_post_metrics(["1001_2002", "1001_2003", "1001_2004"])
    assert list(found) == ["1001_2002", "1001_2003"]
    one, two = found["1001_2002"], found["1001_2003"]
    assert (one.likes, one.comments, one.shares, one.impressions, one.reach, one.clicks) == (
        5,
        2,
        3,
        900,
        700,
        11,
    )
    assert (two.likes, two.comments, two.shares, two.impressions) == (1, None, 0, None)
    hold_against_specs(network)


def test_counts_of_this_page_and_of_others(network: responses.RequestsMock, page: FacebookConnector) -> None:
    network.get(f"{API}/{PAGE}", json={"followers_count": 900, "fan_count": 800})
    assert page.fetch_account_metrics().followers == 900
    rival = {"id": "3", "name": "Rival", "username": "rival", "fan_count": 7}
    network.get(f"{API}/rival", json=rival)
    other = page.fetch_public_account("@rival")
    assert other is not None
    assert (other.profile.handle, other.counts.followers) == ("rival", 7)
    network.upsert("GET", f"{API}/rival", status=404, json={"error": {"code": 803, "message": "no alias"}})
    assert page.fetch_public_account("rival") is None
    network.upsert("GET", f"{API}/rival", status=400, json={"error": {"code": 10, "message": "feature"}})
    with pytest.raises(Rejected):
        page.fetch_public_account("rival")
    asked = len(network.calls)
    assert page.fetch_public_account("../me") is None
    assert page.fetch_public_account("Me") is None  # that would be our own Page
    assert len(network.calls) == asked
    hold_against_specs(network)


def test_a_story_or_a_video_that_is_no_post_yet_is_not_called_gone(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    """What is absent from the counts counts as deleted at the network."""
    network.get(f"{API}/4004", status=400, json={"error": {"code": 100, "message": "nonexisting field"}})
    network.get(f"{API}/77", json={"id": "77"})
    network.get(f"{API}/78", json={"id": "78", "post_id": "2005"})
    network.get(f"{API}/1001_2005", json={"id": "1001_2005", "reactions": {"summary": {"total_count": 4}}})
    found = page.fetch_post_metrics(["4004", "77", "78"])
    assert (found["4004"], found["77"]) == (PostMetrics(), PostMetrics())
    assert found["78"].likes == 4
    network.replace(responses.GET, f"{API}/1001_2005", status=400, json=GONE)
    assert page.fetch_post_metrics(["78"]) == {}
