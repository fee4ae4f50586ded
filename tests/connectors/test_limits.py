"""What networks tell of their limits on any answer: the headers as their documents have them."""

from __future__ import annotations

import datetime as dt
import io
import json

import pytest
import responses
from requests.structures import CaseInsensitiveDict

from connectors import http
from connectors.base import MediaItem, PostPart, PostPayload, ReplyTarget
from connectors.limits import Allowance, Answer, Covers, moment
from connectors.registry import CONNECTORS, connector_class

NOW = dt.datetime(2026, 11, 30, 9, 0, tzinfo=dt.UTC)
SOON = NOW + dt.timedelta(minutes=5)
STAMP = str(int(SOON.timestamp()))


def told(
    network: str, headers: dict[str, str], *, method: str = "GET", path: str = "/any"
) -> list[tuple[float, dt.timedelta, str, bool]]:
    """(share, free in, covers, of the app) of each allowance."""
    answer = Answer(method, path, 200, CaseInsensitiveDict(headers))
    found = connector_class(network).allowances_told(answer, now=NOW)
    return [(round(one.used, 3), one.free_at - NOW, str(one.covers), one.of_app) for one in found]


MINUTES = [dt.timedelta(minutes=n) for n in range(20)]


# --- Meta ---------------------------------------------------------------------------------------

BUSINESS = {
    "1001": [
        {"type": "pages", "call_count": 28, "total_cputime": 15, "total_time": 80},
        {"type": "ads_insights", "call_count": 100, "estimated_time_to_regain_access": 10},
    ]
}


@pytest.mark.parametrize("network", ["facebook", "instagram", "threads"])
def test_meta_tells_shares_of_the_app_and_of_the_page(network: str) -> None:
    app = json.dumps({"call_count": 96, "total_time": 3, "total_cputime": 2})
    headers = {"x-app-usage": app, "x-business-use-case-usage": json.dumps(BUSINESS)}
    assert told(network, headers) == [(0.96, MINUTES[5], "all", True), (0.8, MINUTES[5], "all", False)]


def test_meta_tells_when_a_page_is_free_again() -> None:
    uses = {"1001": [{"type": "messenger", "call_count": 40, "estimated_time_to_regain_access": 12}]}
    found = told("facebook", {"X-Business-Use-Case-Usage": json.dumps(uses)})
    assert found == [(1.0, MINUTES[12], "all", False)]


def test_shares_of_meta_are_full_a_little_before_they_are_used_up() -> None:
    def is_full(share: int) -> bool:
        headers = CaseInsensitiveDict({"X-App-Usage": json.dumps({"call_count": share})})
        one = connector_class("facebook").allowances_told(Answer("GET", "/", 200, headers), now=NOW)[0]
        return one.is_full

    assert [is_full(94), is_full(95)] == [False, True]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "null",
        "[]",
        "{",
        "7",
        '{"1": 5}',
        '{"1": [5, null]}',
        '{"call_count": "many", "total_time": true, "1": [{"estimated_time_to_regain_access": "soon"}]}',
        '{"1": [{"estimated_time_to_regain_access": 1e999, "call_count": null}]}',
    ],
)
def test_usage_that_makes_no_sense_says_nothing(value: str) -> None:
    assert told("facebook", {"X-App-Usage": value, "X-Business-Use-Case-Usage": value}) == []


# --- counts that are left -------------------------------------------------------------------------


def test_each_kind_of_call_of_x_has_its_own_limit() -> None:
    headers = {"x-rate-limit-limit": "100", "x-rate-limit-remaining": "0", "x-rate-limit-reset": STAMP}
    day = {"x-app-limit-24hour-limit": "10000", "x-app-limit-24hour-remaining": "0"}
    day["x-app-limit-24hour-reset"] = STAMP
    assert told("x", headers) == [(1.0, MINUTES[5], "reading", False)]
    assert told("x", headers, method="POST", path="/2/tweets") == [(1.0, MINUTES[5], "sending", False)]
    assert told("x", day, method="POST", path="/2/tweets") == [(1.0, MINUTES[5], "sending", True)]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/2/users/1/likes"),
        ("DELETE", "/2/users/1/likes/2"),
        ("PUT", "/2/tweets/2/hidden"),
        ("POST", "/2/dm_conversations/with/2/messages"),
        ("POST", "/2/media/upload/initialize"),
        ("POST", "/2/oauth2/token"),
    ],
)
def test_what_else_is_used_up_at_x_keeps_no_post_waiting(method: str, path: str) -> None:
    headers = {"x-rate-limit-limit": "100", "x-rate-limit-remaining": "0", "x-rate-limit-reset": STAMP}
    headers |= {"x-app-limit-24hour-remaining": "0", "x-app-limit-24hour-reset": STAMP}
    headers |= {"x-user-limit-24hour-remaining": "0", "x-user-limit-24hour-reset": STAMP}
    assert told("x", headers, method=method, path=path) == []


def test_calls_of_mastodon_share_one_limit_and_what_writes_has_another() -> None:
    headers = {
        "X-RateLimit-Limit": "300",
        "X-RateLimit-Remaining": "60",
        "X-RateLimit-Reset": "2026-11-30T09:05:00.123456Z",
    }
    [(used, _, covers, _)] = told("mastodon", headers)
    assert (used, covers) == (0.8, "all")
    assert told("mastodon", headers, method="POST")[0][2] == "sending"


def test_sessions_of_bluesky_say_nothing_of_its_other_limits() -> None:
    headers = {"ratelimit-limit": "3000", "ratelimit-remaining": "0", "ratelimit-reset": STAMP}
    assert told("bluesky", headers) == [(1.0, MINUTES[5], "all", False)]
    assert (
        told("bluesky", headers, method="POST", path="/xrpc/com.atproto.repo.createRecord")[0][2] == "sending"
    )
    assert told("bluesky", headers, method="POST", path="/xrpc/com.atproto.server.createSession") == []


def test_pinterest_tells_seconds_from_now_and_its_policies_behind_the_limit() -> None:
    headers = {
        "X-RateLimit-Limit": '100, 100;w=1, 1000;w=60;name="org_read"',
        "X-RateLimit-Remaining": "10",
        "X-RateLimit-Reset": "60",
    }
    assert told("pinterest", headers) == [(0.9, MINUTES[1], "reading", False)]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-ratelimit-remaining": "0"},
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "tomorrow"},
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-11-30T08:59:00Z"},
        {"x-ratelimit-remaining": "-1", "x-ratelimit-reset": "60"},
        {"x-ratelimit-remaining": "5", "x-ratelimit-limit": "0", "x-ratelimit-reset": "60"},
        {"x-ratelimit-remaining": "5", "x-ratelimit-reset": "9" * 400},
    ],
)
def test_counts_that_make_no_sense_say_nothing(headers: dict[str, str]) -> None:
    assert told("mastodon", headers) == []


@pytest.mark.parametrize("network", sorted(CONNECTORS))
def test_an_answer_without_headers_says_nothing(network: str) -> None:
    assert told(network, {}) == []


@pytest.mark.parametrize(
    ("stated", "after_s"),
    [
        ("60", 60),
        ("0.5", 0.5),
        (STAMP, 300),
        (STAMP + "000", 300),
        ("2026-11-30T09:05:00Z", 300),
        ("2026-11-30T18:05:00+09:00", 300),
        ("2026-11-30T09:05:00", 300),
        ("4102444800", 7 * 86_400),
    ],
)
def test_a_moment_is_read_as_networks_write_it(stated: str, after_s: float) -> None:
    at = moment(stated, now=NOW)
    assert at is not None
    assert (at - NOW).total_seconds() == after_s


def test_an_allowance_is_full_at_its_end_unless_it_lags() -> None:
    assert [Allowance(used, SOON).is_full for used in (0.99, 1.0)] == [False, True]
    assert Allowance(0.0, SOON).covers is Covers.ALL


# --- the door -------------------------------------------------------------------------------------


@responses.activate
def test_each_answer_is_heard_with_its_status_and_no_query() -> None:
    responses.get("https://n.example.com/a", status=429, headers={"X-Left": "0"})
    heard: list[Answer] = []
    with http.heard_by(heard.append):
        http.request("GET", "https://n.example.com/a?token=secret", platform="x")
    http.request("GET", "https://n.example.com/a", platform="x")
    assert [(one.method, one.path, one.status, one.headers["x-left"]) for one in heard] == [
        ("GET", "/a", 429, "0")
    ]


@responses.activate
def test_what_goes_wrong_while_it_is_heard_does_not_put_a_call_in_doubt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    responses.post("https://n.example.com/a", json={"id": 1})

    def broken(_answer: Answer) -> None:
        raise KeyError("limit")

    with http.heard_by(broken):
        answer = http.request("POST", "https://n.example.com/a", platform="x", changes=True)
    assert answer.json() == {"id": 1}
    assert "limits was lost" in caplog.text


# --- what is sent, and what it takes ---------------------------------------------------------------


def film(width: int, height: int, seconds: float) -> MediaItem:
    return MediaItem("a", "video/mp4", 10, width, height, "", open=io.BytesIO, duration_s=seconds)


def test_only_upright_short_videos_are_reels_of_facebook() -> None:
    def reels(item: MediaItem, **settings: str) -> int:
        payload = PostPayload((PostPart("a", (item,)), PostPart("b", is_comment=True)), settings=settings)
        return connector_class("facebook").amounts_of(payload)["reels"]

    assert reels(film(1080, 1920, 20)) == 1
    assert reels(film(1920, 1080, 20)) == 0
    assert reels(film(1080, 1920, 20), placement="story") == 0


def test_posts_and_answers_are_counted_apart() -> None:
    network = connector_class("threads")
    thread = PostPayload((PostPart("a"), PostPart("b"), PostPart("c")))
    amounts = network.amounts_of(thread)
    assert (amounts["posts"], amounts["publications"], amounts["replies"]) == (3, 1, 2)
    answer = network.amounts_of(PostPayload((PostPart("a"),), reply_to=ReplyTarget("1")))
    assert (answer["posts"], answer["publications"], answer["replies"]) == (1, 0, 1)


@pytest.mark.parametrize(
    ("network", "name", "limit"),
    [
        ("facebook", "reels", 30),
        ("instagram", "publications", 100),
        ("threads", "publications", 250),
        ("threads", "replies", 1000),
        ("youtube", "units", 10_000),
        ("x", "posts", 10_000),
    ],
)
def test_what_networks_allow_in_a_day_is_known(network: str, name: str, limit: int) -> None:
    rates = [one for one in CONNECTORS[network].INFO.rates if one.name == name]
    assert (rates[-1].limit, rates[-1].window_s) == (limit, 86_400)


@pytest.mark.parametrize("network", sorted(CONNECTORS))
def test_each_cost_is_of_a_rate(network: str) -> None:
    info = CONNECTORS[network].INFO
    assert {one.rate for one in info.costs} <= {one.name for one in info.rates}


def test_calls_of_youtube_cost_units() -> None:
    info = CONNECTORS["youtube"].INFO

    def units(method: str, path: str) -> int:
        cost = info.cost_of_call(method, path)
        return cost.amount if cost else 0

    assert units("GET", "/youtube/v3/commentThreads") == 1
    assert units("POST", "/youtube/v3/commentThreads") == 50
    assert units("DELETE", "/youtube/v3/comments") == 50
    assert units("POST", "/youtube/v3/comments/setModerationStatus") == 50
    assert units("POST", "/upload/youtube/v3/thumbnails/set") == 50
    assert units("POST", "/upload/youtube/v3/videos") == 0
    assert units("GET", "/v2/reports") == 0  # another API with a quota of its own
    assert units("POST", "/token") == 0
