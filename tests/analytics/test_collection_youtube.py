"""Counts of videos as they are collected: two APIs of one network, each with a quota of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import responses

from accounts.models import AccountStatus, Brand, SocialAccount
from analytics.models import AccountPull, PostMetrics
from analytics.services import collection
from connectors.youtube_analytics import NOT_SWITCHED_ON
from connectors.youtube_info import INFO
from outbox.models import Delivery
from outbox.services.rates import Lane, blocked_until, counted
from tests.cast import make_account

pytestmark = pytest.mark.django_db

API = "https://www.googleapis.com/youtube/v3"
REPORTS = "https://youtubeanalytics.googleapis.com/v2/reports"
VIDEO = "dQw4w9WgXcQ"
MINUTE = dt.timedelta(minutes=1)

Sent = Callable[..., Delivery]


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        channel = {"id": "UC1", "statistics": {"subscriberCount": "12", "videoCount": "3"}}
        mock.get(f"{API}/channels", json={"kind": "x", "items": [channel]})
        video = {"id": VIDEO, "statistics": {"viewCount": "9", "likeCount": "2", "commentCount": "1"}}
        mock.get(f"{API}/videos", json={"kind": "x", "items": [video]})
        yield mock


@pytest.fixture
def channel(brand: Brand) -> SocialAccount:
    options = {"channel_id": "UC1", "scopes": list(INFO.scopes)}
    return make_account(brand, platform="youtube", options=options)


@pytest.fixture
def now(sent: Sent, channel: SocialAccount) -> dt.datetime:
    """A minute after a video went out, which is followed."""
    at = dt.datetime.now(dt.UTC)
    sent(at=at - MINUTE, remote_id=VIDEO, account=channel)
    collection.discover_accounts(now=at)
    collection.discover_posts(now=at, since=at - dt.timedelta(days=1))
    return at


def report(shares: int) -> dict[str, Any]:
    headers = [{"name": name} for name in ("video", "views", "shares", "estimatedMinutesWatched")]
    return {"columnHeaders": headers, "rows": [[VIDEO, 9, shares, 90]]}


def collect(channel: SocialAccount, now: dt.datetime) -> AccountPull:
    collection.collect_account(account_id=channel.pk, now=now)
    return AccountPull.objects.get(account=channel)


def test_shares_come_beside_the_other_counts_and_cost_no_unit(
    network: responses.RequestsMock, channel: SocialAccount, now: dt.datetime
) -> None:
    network.get(REPORTS, json=report(3))
    pull = collect(channel, now)
    row = PostMetrics.objects.get()
    assert (row.likes, row.comments, row.shares, row.impressions, row.watch_time) == (2, 1, 3, 9, 5400)
    assert (pull.error, pull.error_detail) == ("", "")
    used = {quota.name: quota.used for quota in counted(account=channel, now=now)}
    assert used["units"] == 2  # the channel and the videos


def test_an_api_that_is_not_switched_on_is_said_and_stops_nothing(
    network: responses.RequestsMock, channel: SocialAccount, now: dt.datetime
) -> None:
    error = {"code": 403, "errors": [{"reason": "accessNotConfigured"}]}
    network.get(REPORTS, status=403, json={"error": error})
    pull = collect(channel, now)
    row = PostMetrics.objects.get()
    assert (row.likes, row.shares) == (2, None)
    assert (pull.error, pull.error_detail, pull.failures) == ("", NOT_SWITCHED_ON, 0)
    assert blocked_until(account=channel, now=now, lane=Lane.READING) is None
    channel.refresh_from_db()
    assert channel.status == AccountStatus.ACTIVE


def test_the_used_up_quota_of_reports_stops_neither_reading_nor_sending(
    network: responses.RequestsMock, channel: SocialAccount, now: dt.datetime
) -> None:
    error = {"code": 403, "errors": [{"reason": "quotaExceeded"}]}
    network.get(REPORTS, status=403, json={"error": error})
    assert collect(channel, now).error == ""
    assert PostMetrics.objects.get().likes == 2
    for lane in Lane:
        assert blocked_until(account=channel, now=now, lane=lane) is None


def test_a_word_to_wait_stops_reading_alone(
    network: responses.RequestsMock, channel: SocialAccount, now: dt.datetime
) -> None:
    network.get(REPORTS, status=429, headers={"Retry-After": "300"}, body="slow down")
    pull = collect(channel, now)
    assert pull.error == "rate_limited"
    assert PostMetrics.objects.get().likes is None
    assert blocked_until(account=channel, now=now, lane=Lane.SENDING) is None
    until = blocked_until(account=channel, now=now, lane=Lane.READING)
    assert until is not None
    network.replace("GET", REPORTS, json=report(3))
    calls = len(network.calls)
    collect(channel, until - MINUTE)
    assert len(network.calls) == calls  # the lane is asked before the network is
    collect(channel, until + MINUTE)
    assert PostMetrics.objects.get().shares == 3
