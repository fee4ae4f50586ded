"""TikTok's connector on canned answers: own videos read back, and counts."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import responses

from connectors.base import PostMetrics
from connectors.errors import Temporary
from connectors.tiktok import TikTokConnector
from tests.connectors import tiktok_stage
from tests.connectors.conftest import NOW
from tests.connectors.tiktok_stage import API, POST_ID, PUBLISH_ID, body_of, ok, refusal, serve_status

network = tiktok_stage.network
account = tiktok_stage.account


def test_own_videos_are_listed_newest_first_as_far_back_as_is_asked(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    at = 1_790_000_000
    video = {"share_url": "https://www.tiktok.com/@harbour/video/1", "title": "t", "video_description": "d"}
    first = [{**video, "id": "3", "create_time": at + 20}, {**video, "id": "2", "create_time": at + 10}, None]
    second = [{"id": "1", "create_time": at - 1, "title": "only a title"}]
    network.post(f"{API}/v2/video/list/", json=ok(videos=first, cursor=5, has_more=True))
    network.post(f"{API}/v2/video/list/", json=ok(videos=second, cursor=6, has_more=True))
    found = account.find_recent(since=dt.datetime.fromtimestamp(at, dt.UTC))
    assert [one.remote_id for one in found] == ["3", "2"]
    assert (found[0].text, found[0].permalink) == ("d", "https://www.tiktok.com/@harbour/video/1")
    assert body_of(network.calls[1]) == {"max_count": 20, "cursor": 5}
    assert "fields=id,create_time,share_url" in str(network.calls[0].request.url)


@pytest.mark.parametrize("videos", ["x", None, {}, [{"id": "1", "create_time": "x"}], [{"id": "1"}]], ids=str)
def test_garbage_in_a_list_is_a_fault_of_the_network(
    network: responses.RequestsMock, account: TikTokConnector, videos: Any
) -> None:
    network.post(f"{API}/v2/video/list/", json=ok(videos=videos, has_more=False))
    with pytest.raises(Temporary):
        account.find_recent(since=NOW)


def test_a_post_that_was_known_by_its_publication_is_found_once_it_is_public(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    video = {"id": POST_ID, "create_time": 1_790_000_000, "title": "t"}
    network.post(f"{API}/v2/video/query/", json=ok(videos=[video, {"id": "of somebody"}]))
    serve_status(network, status="PUBLISH_COMPLETE", publicaly_available_post_id=[int(POST_ID)])
    found = account.fetch_post(PUBLISH_ID)
    assert found is not None
    assert found.remote_id == PUBLISH_ID
    assert found.permalink == f"https://www.tiktok.com/@harbour/video/{POST_ID}"
    assert body_of(network.calls[1]) == {"filters": {"video_ids": [POST_ID]}}
    serve_status(network, status="PUBLISH_COMPLETE", publicaly_available_post_id=[])
    assert account.fetch_post(PUBLISH_ID) is None
    network.upsert(
        "POST", f"{API}/v2/post/publish/status/fetch/", status=400, json=refusal("invalid_publish_id")
    )
    assert account.fetch_post(PUBLISH_ID) is None


def test_counts_of_the_account_and_of_its_posts(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    counts = {"follower_count": 5, "following_count": True, "video_count": -1}
    network.get(f"{API}/v2/user/info/", json=ok(user=counts))
    told = account.fetch_account_metrics()
    assert (told.followers, told.following, told.posts) == (5, None, None)
    video = {"id": POST_ID, "like_count": 1, "comment_count": 2, "share_count": 3, "view_count": 4}
    network.post(f"{API}/v2/video/query/", json=ok(videos=[video]))
    ids = [POST_ID, *[str(n) for n in range(25)]]
    (one,) = account.fetch_post_metrics(ids).values()
    assert (one.likes, one.comments, one.shares, one.impressions) == (1, 2, 3, 4)
    asked = [body_of(call)["filters"]["video_ids"] for call in network.calls if call.request.method == "POST"]
    assert [len(ids) for ids in asked] == [20, 6]


def test_a_post_that_only_its_author_sees_is_not_called_gone(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    """An app that was not audited makes no others, and TikTok never tells their ids. What is absent from the
    counts counts as deleted at the network."""
    network.post(f"{API}/v2/post/publish/status/fetch/", json=ok(status="PUBLISH_COMPLETE"))
    network.post(f"{API}/v2/video/query/", json=ok(videos=[]))
    assert account.fetch_post_metrics(["v_pub_file~v2.1", POST_ID]) == {"v_pub_file~v2.1": PostMetrics()}
    public = ok(status="PUBLISH_COMPLETE", publicaly_available_post_id=[int(POST_ID)])
    network.replace(responses.POST, f"{API}/v2/post/publish/status/fetch/", json=public)
    assert account.fetch_post_metrics(["v_pub_file~v2.1"]) == {}  # it was public, and is not there any more
