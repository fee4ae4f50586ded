"""YouTube's connector on canned answers: own videos and comments read back, and counts."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses

from connectors.errors import NeedsReconnect
from connectors.youtube import YouTubeConnector
from tests.connectors import youtube_stage
from tests.connectors.conftest import NOW
from tests.connectors.youtube_stage import (
    API,
    CHANNEL,
    CHANNEL_ANSWER,
    VIDEO,
    assert_same,
    comment,
    listed,
    refusal,
)

network = youtube_stage.network
account = youtube_stage.account
document = youtube_stage.document
google = youtube_stage.google


def shown(video_id: str, at: str, state: str = "processed") -> Any:
    return {
        "id": video_id,
        "snippet": {"publishedAt": at, "title": "Roasting", "description": "How we roast"},
        "status": {"uploadStatus": state},
    }


def test_own_videos_come_from_the_list_of_uploads(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any
) -> None:
    network.get(f"{API}/youtube/v3/channels", json=listed(CHANNEL_ANSWER))
    ids = ["aaaaaaaaaaa", "bbbbbbbbbbb", "ccccccccccc"]
    network.get(
        f"{API}/youtube/v3/playlistItems",
        json=listed(
            *[{"contentDetails": {"videoId": one}} for one in ids], {"contentDetails": {}}, nextPageToken="2"
        ),
    )
    videos = [
        shown(ids[0], "2026-11-22T13:00:00Z"),
        shown(ids[1], "2026-11-22T14:00:00Z", "rejected"),
        shown(ids[2], "2026-11-22T11:00:00Z"),
    ]
    network.get(f"{API}/youtube/v3/videos", json=listed(*videos))
    (found,) = account.find_recent(since=NOW)
    assert (found.remote_id, found.text, found.media_count) == (ids[0], "How we roast", 1)
    assert found.permalink == "https://www.youtube.com/watch?v=aaaaaaaaaaa"
    playlist = "UUabcdefghijklmnopqrstuv"
    assert_same(
        network.calls[1].request,
        google.playlistItems().list(part="contentDetails", playlistId=playlist, maxResults=50),
    )
    network.replace(
        "GET", f"{API}/youtube/v3/playlistItems", status=404, json=refusal("playlistNotFound", 404)
    )
    assert list(account.find_recent(since=NOW)) == []


def test_videos_and_comments_are_read_back_together(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.get(f"{API}/youtube/v3/videos", json=listed(shown(VIDEO, "2026-11-22T13:00:00Z")))
    network.get(
        f"{API}/youtube/v3/comments", json=listed(comment("UgxTop.1", videoId=VIDEO, parentId="UgxTop"))
    )
    video, answer = account.fetch_posts([VIDEO, "UgxTop.1"])
    assert (video.remote_id, answer.remote_id, answer.in_reply_to) == (VIDEO, "UgxTop.1", "UgxTop")
    network.replace("GET", f"{API}/youtube/v3/videos", json={"kind": "youtube#videoListResponse"})
    assert account.fetch_post(VIDEO) is None


def test_counts_are_text_and_may_be_hidden(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any
) -> None:
    statistics = {"viewCount": "1000", "likeCount": "7", "favoriteCount": "0"}
    network.get(f"{API}/youtube/v3/videos", json=listed({"id": VIDEO, "statistics": statistics}))
    (one,) = account.fetch_post_metrics([VIDEO, "UgxTop.1"]).values()
    assert (one.impressions, one.likes, one.comments) == (1000, 7, None)
    assert_same(network.calls[0].request, google.videos().list(part="statistics", id=VIDEO))
    network.get(f"{API}/youtube/v3/channels", json=listed(CHANNEL_ANSWER))
    told = account.fetch_account_metrics()
    assert (told.followers, told.following, told.posts) == (12, None, 3)
    hidden = {**CHANNEL_ANSWER, "statistics": {"hiddenSubscriberCount": True, "subscriberCount": "0"}}
    network.replace("GET", f"{API}/youtube/v3/channels", json=listed(hidden))
    assert account.fetch_account_metrics().followers is None


def test_videos_are_counted_fifty_at_a_time(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.get(f"{API}/youtube/v3/videos", json=listed())
    assert account.fetch_post_metrics([f"{n:011}" for n in range(51)]) == {}
    asked = [dict(parse_qsl(urlsplit(str(call.request.url)).query))["id"] for call in network.calls]
    assert [len(ids.split(",")) for ids in asked] == [50, 1]


@pytest.mark.parametrize(
    ("handle", "query"),
    [
        ("@harbour", {"forHandle": "@harbour"}),
        ("harbour", {"forHandle": "harbour"}),
        ("https://www.youtube.com/@harbour/", {"forHandle": "@harbour"}),
        (CHANNEL, {"id": CHANNEL}),
        (f"https://www.youtube.com/channel/{CHANNEL}", {"id": CHANNEL}),
    ],
)
def test_another_channel_is_found_by_its_handle_or_id(
    network: responses.RequestsMock,
    account: YouTubeConnector,
    google: Any,
    handle: str,
    query: dict[str, str],
) -> None:
    network.get(f"{API}/youtube/v3/channels", json=listed(CHANNEL_ANSWER))
    found = account.fetch_public_account(handle)
    assert found is not None
    assert (found.profile.handle, found.counts.followers) == ("harbour", 12)
    theirs = google.channels().list(part="snippet,statistics", **query)
    assert_same(network.calls[0].request, theirs)
    network.replace("GET", f"{API}/youtube/v3/channels", json={"kind": "x", "pageInfo": {"totalResults": 0}})
    assert account.fetch_public_account(handle) is None
    asked = len(network.calls)
    assert account.fetch_public_account(" / ") is None
    assert len(network.calls) == asked  # each look takes from what the whole project may ask


def test_a_channel_that_is_gone_is_no_longer_ours(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.get(f"{API}/youtube/v3/channels", json=listed())
    with pytest.raises(NeedsReconnect):
        account.fetch_profile()
