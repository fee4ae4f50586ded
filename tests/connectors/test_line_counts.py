"""LINE's connector on canned answers: friends, and how a message was seen."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses

from connectors.base import AccountMetrics, PostMetrics
from connectors.line import LineConnector
from tests.connectors import line_stage
from tests.connectors.line_stage import API, EVENT, Check

network = line_stage.network
account = line_stage.account
described = line_stage.described


def test_friends_of_the_last_day_that_is_counted(
    network: responses.RequestsMock, account: LineConnector, described: Check
) -> None:
    network.get(f"{API}/v2/bot/insight/followers", json={"status": "unready"})
    network.get(
        f"{API}/v2/bot/insight/followers",
        json={"status": "ready", "followers": 7620, "targetedReaches": 5848, "blocks": 237},
    )
    assert account.fetch_account_metrics() == AccountMetrics(followers=7620)
    dates = [dict(parse_qsl(urlsplit(str(call.request.url)).query))["date"] for call in network.calls]
    days = [dt.datetime.strptime(date, "%Y%m%d").replace(tzinfo=dt.UTC) for date in dates]
    assert days[0] - days[1] == dt.timedelta(days=1)
    assert [fault for call in network.calls for fault in described(call.request)] == []


def test_friends_that_are_not_counted_are_not_told(
    network: responses.RequestsMock, account: LineConnector
) -> None:
    network.get(f"{API}/v2/bot/insight/followers", json={"status": "out_of_service"})
    assert account.fetch_account_metrics() == AccountMetrics()


def test_how_a_message_was_seen(
    network: responses.RequestsMock, account: LineConnector, described: Check
) -> None:
    network.get(f"{API}/v2/bot/insight/message/event", json=EVENT)
    assert account.fetch_post_metrics(["f70dd685"]) == {
        "f70dd685": PostMetrics(impressions=136, reach=82, clicks=100)
    }
    assert described(network.calls[0].request) == []


@pytest.mark.parametrize(
    "event",
    [
        {"overview": {"uniqueImpression": None}, "messages": [{"impression": None}], "clicks": []},
        {"overview": None, "messages": None, "clicks": None},
        {"messages": [None, "x"], "clicks": [{"click": True}]},
    ],
)
def test_too_few_receivers_are_no_count(
    network: responses.RequestsMock, account: LineConnector, event: dict[str, Any]
) -> None:
    network.get(f"{API}/v2/bot/insight/message/event", json=event)
    assert account.fetch_post_metrics(["1"]) == {"1": PostMetrics()}
