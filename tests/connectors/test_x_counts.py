"""Counts of X on canned answers, shaped after docs.x.com."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses

from connectors.base import AccountMetrics, Capability, PostMetrics, Tokens
from connectors.errors import NeedsReconnect, RateLimited, Rejected, Temporary
from connectors.x import XConnector
from connectors.x_counts import PRIVATE, PUBLIC, is_private_told
from connectors.x_info import FEATURES, INFO, SIGNED_IN

API = "https://api.x.com"
TWEETS = f"{API}/2/tweets"
COUNTS = {
    "retweet_count": 50,
    "reply_count": 12,
    "like_count": 234,
    "quote_count": 5,
    "bookmark_count": 8,
    "impression_count": 5432,
}
CLICKS = {"impression_count": 5432, "url_link_clicks": 89, "user_profile_clicks": 156, "engagements": 345}
NOT_THERE = {
    "errors": [{"title": "Not Found Error", "type": "https://api.twitter.com/2/problems/resource-not-found"}]
}


def post_id(age: dt.timedelta) -> str:
    """As X would have given it to a post of this age."""
    at_ms = int((dt.datetime.now(dt.UTC) - age).timestamp() * 1000)
    return str((at_ms - 1_288_834_974_657) << 22)


YOUNG, OLD = post_id(dt.timedelta(days=3)), post_id(dt.timedelta(days=40))


@pytest.fixture
def network() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def account() -> XConnector:
    options = {
        "user_id": "1",
        "username": "harbour",
        "scopes": FEATURES[0].scopes,
        "features": ["counts"],
    }
    return XConnector(tokens=Tokens(access_token="access-1"), options=options)


def queries(network: responses.RequestsMock) -> list[dict[str, str]]:
    return [dict(parse_qsl(urlsplit(str(call.request.url)).query)) for call in network.calls]


def test_counts_are_read_where_they_were_chosen(account: XConnector) -> None:
    counts = {Capability.ACCOUNT_METRICS, Capability.POST_METRICS}
    assert account.info.capabilities == SIGNED_IN | counts
    assert account.info.post_metrics == INFO.post_metrics
    without = XConnector.info_for({**account.options, "features": []})
    assert (without.capabilities, without.post_metrics, without.account_metrics) == (SIGNED_IN, (), ())
    assert INFO.counts_every_s == 6 * 3600


def test_followers_are_counted(network: responses.RequestsMock, account: XConnector) -> None:
    counts = {"followers_count": 1200, "following_count": 34, "tweet_count": 567, "listed_count": 8}
    network.get(f"{API}/2/users/me", json={"data": {"id": "1", "public_metrics": counts}})
    assert account.fetch_account_metrics() == AccountMetrics(followers=1200, following=34, posts=567)


@pytest.mark.parametrize("counts", [None, [], {}, {"followers_count": "many"}, {"followers_count": -1}])
def test_counts_that_make_no_sense_are_not_told(
    network: responses.RequestsMock, account: XConnector, counts: object
) -> None:
    network.get(f"{API}/2/users/me", json={"data": {"id": "1", "public_metrics": counts}})
    assert account.fetch_account_metrics() == AccountMetrics()


def test_clicks_are_asked_for_while_x_tells_them(
    network: responses.RequestsMock, account: XConnector
) -> None:
    young = {"data": [{"id": YOUNG, "public_metrics": COUNTS, "non_public_metrics": CLICKS}]}
    network.get(TWEETS, json=young)
    network.get(TWEETS, json={"data": [{"id": OLD, "public_metrics": COUNTS}]})
    found = account.fetch_post_metrics([OLD, YOUNG])
    told = PostMetrics(likes=234, comments=12, shares=50, impressions=5432, quotes=5, bookmarks=8)
    assert found[OLD] == told
    assert found[YOUNG].clicks == 89
    assert found[YOUNG].impressions == 5432
    assert queries(network) == [
        {"ids": YOUNG, "tweet.fields": PRIVATE},
        {"ids": OLD, "tweet.fields": PUBLIC},
    ]


def test_what_x_does_not_tell_more_of_is_asked_for_without(
    network: responses.RequestsMock, account: XConnector
) -> None:
    refused = {"errors": [{"title": "Field Authorization Error", "field": "non_public_metrics"}]}
    network.get(TWEETS, json=refused)
    network.get(TWEETS, json={"data": [{"id": YOUNG, "public_metrics": COUNTS}]})
    assert account.fetch_post_metrics([YOUNG])[YOUNG].likes == 234
    network.reset()
    network.get(TWEETS, status=403, json={"detail": "You are not permitted to use these fields."})
    network.get(TWEETS, json={"data": [{"id": YOUNG, "public_metrics": COUNTS}]})
    assert account.fetch_post_metrics([YOUNG])[YOUNG].clicks is None


def test_a_post_that_is_gone_is_absent(network: responses.RequestsMock, account: XConnector) -> None:
    network.get(TWEETS, json=NOT_THERE)
    assert account.fetch_post_metrics([YOUNG, OLD]) == {}


@pytest.mark.parametrize("answer", [{}, {"data": None}, {"data": {}}, {"meta": {}}])
def test_an_answer_that_says_nothing_makes_no_post_vanish(
    network: responses.RequestsMock, account: XConnector, answer: dict[str, Any]
) -> None:
    network.get(TWEETS, json=answer)
    with pytest.raises(Temporary):
        account.fetch_post_metrics([OLD])


@pytest.mark.parametrize(
    ("status", "error"), [(401, NeedsReconnect), (402, RateLimited), (403, Rejected), (429, RateLimited)]
)
def test_a_refusal_of_plain_counts_is_told(
    network: responses.RequestsMock, account: XConnector, status: int, error: type[Exception]
) -> None:
    network.get(TWEETS, status=status, json={"title": "No"})
    with pytest.raises(error):
        account.fetch_post_metrics([YOUNG, OLD])


def test_many_posts_are_asked_for_together(network: responses.RequestsMock, account: XConnector) -> None:
    network.get(TWEETS, json=NOT_THERE)
    ids = [str(int(OLD) + n) for n in range(130)]
    account.fetch_post_metrics(ids)
    assert [len(one["ids"].split(",")) for one in queries(network)] == [100, 30]
    asked = itertools.chain.from_iterable(one["ids"].split(",") for one in queries(network))
    assert list(asked) == ids


@pytest.mark.parametrize("remote_id", ["", "abc", "-1", "1" * 30, "١٢٣"])
def test_an_id_of_another_form_is_of_an_old_post(remote_id: str) -> None:
    assert not is_private_told(remote_id, dt.datetime.now(dt.UTC))
