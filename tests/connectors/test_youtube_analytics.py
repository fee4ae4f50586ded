"""YouTube's connector on canned reports: shares, and everything that may keep them away."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses

from connectors.base import AppCredentials, PostMetrics, Tokens
from connectors.errors import NeedsReconnect, RateLimited
from connectors.youtube import YouTubeConnector
from connectors.youtube_analytics import NOT_ALLOWED, NOT_SWITCHED_ON, PER_REPORT, SCOPE, read
from connectors.youtube_calls import IN_PLAIN_WORDS
from connectors.youtube_info import COMMENTING, INFO, PUBLISHING, REPORTING
from tests.connectors import youtube_stage
from tests.connectors.conftest import NOW
from tests.connectors.youtube_stage import (
    API,
    CHANNEL,
    assert_same,
    client_of,
    described,
    faults,
    listed,
    refusal,
)

network = youtube_stage.network
REPORTS = "https://youtubeanalytics.googleapis.com/v2/reports"
SEEN, NEW, OTHER = "aaaaaaaaaaa", "bbbbbbbbbbb", "ccccccccccc"
COLUMNS = ["video", "views", "shares", "estimatedMinutesWatched"]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return described("youtubeAnalytics.v2")


@pytest.fixture(scope="module")
def google(document: dict[str, Any]) -> Any:
    return client_of(document)


@pytest.fixture
def account() -> YouTubeConnector:
    return YouTubeConnector(
        tokens=Tokens(access_token="ya29.token", refresh_token="1//refresh"),
        options={"channel_id": CHANNEL, "scopes": list(INFO.scopes)},
        app=AppCredentials("client-id", "client-secret"),
    )


def report(*rows: Any, columns: Any = COLUMNS) -> dict[str, Any]:
    kinds = {"video": ("DIMENSION", "STRING")}
    headers = [
        dict(
            zip(
                ("name", "columnType", "dataType"), (one, *kinds.get(one, ("METRIC", "INTEGER"))), strict=True
            )
        )
        for one in columns
    ]
    # Google leaves "rows" out where there are none.
    return {
        "kind": "youtubeAnalytics#resultTable",
        "columnHeaders": headers,
        **({"rows": list(rows)} if rows else {}),
    }


def serve(network: responses.RequestsMock, *videos: str) -> None:
    found = [{"id": one, "statistics": {"viewCount": "9", "likeCount": "2"}} for one in videos]
    network.get(f"{API}/youtube/v3/videos", json=listed(*found))


PLAIN = PostMetrics(likes=2, impressions=9)


def asked(network: responses.RequestsMock) -> list[requests.PreparedRequest]:
    return [call.request for call in network.calls if str(call.request.url).startswith(REPORTS)]


def test_shares_come_from_one_report_of_many_videos(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any, document: dict[str, Any]
) -> None:
    serve(network, SEEN, NEW, OTHER)
    answer = report([SEEN, 12, 3, 90], [OTHER, 7, 0, 0], ["zzzzzzzzzzz", 5, 5, 5])
    assert faults(answer, "QueryResponse", document) == []
    network.get(REPORTS, json=answer)
    found = account.fetch_post_metrics([SEEN, NEW, OTHER, "UgxTop.1"])
    # A video that is too new for a report has no row in it.
    assert {one: (counts.shares, counts.watch_time_s) for one, counts in found.items()} == {
        SEEN: (3, 5400),
        NEW: (None, None),
        OTHER: (0, 0),
    }
    assert (found[SEEN].likes, found[SEEN].comments, found[SEEN].impressions) == (2, None, 9)
    assert account.untold == ""
    (request,) = asked(network)
    assert request.headers["Authorization"] == "Bearer ya29.token"
    query = dict(parse_qsl(urlsplit(str(request.url)).query))
    theirs = google.reports().query(
        ids="channel==MINE",
        startDate="2005-01-01",
        endDate=query["endDate"],
        dimensions="video",
        metrics="views,shares,estimatedMinutesWatched",
        filters=f"video=={SEEN},{NEW},{OTHER}",
        sort="-views",
        maxResults=200,
    )
    assert_same(request, theirs)


def test_the_scopes_are_those_of_the_description(document: dict[str, Any]) -> None:
    if not document:
        pytest.skip("NETWORK_SPECS has no google/youtubeAnalytics.v2.json: scopes are not held against it")
    told = document["resources"]["reports"]["methods"]["query"]["scopes"]
    assert document["rootUrl"] + document["resources"]["reports"]["methods"]["query"]["path"] == REPORTS
    assert REPORTING.scopes == (SCOPE,)
    assert {SCOPE, PUBLISHING.scopes[1]} <= set(told)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (dt.datetime(2026, 11, 22, 7, 59, tzinfo=dt.UTC), "2026-11-21"),
        (dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC), "2026-11-22"),
        (dt.datetime(2026, 7, 1, 7, 0, tzinfo=dt.UTC), "2026-07-01"),
    ],
)
def test_a_report_ends_today_in_california(now: dt.datetime, day: str) -> None:
    queries: list[Any] = []

    def get(query: Any) -> requests.Response:
        queries.append(query)
        return answered(200, json.dumps(report()))

    read(get, [SEEN], now=now)
    assert queries[0]["endDate"] == day


def answered(status: int, body: str) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response._content = body.encode()
    response.request = requests.Request("GET", REPORTS).prepare()
    return response


def test_more_videos_than_a_report_has_are_asked_for_in_several() -> None:
    queries: list[Any] = []

    def get(query: Any) -> requests.Response:
        queries.append(query)
        videos = query["filters"].removeprefix("video==").split(",")
        return answered(200, json.dumps(report(*[[one, 1, n] for n, one in enumerate(videos)])))

    videos = [f"{n:011}" for n in range(PER_REPORT + 5)]
    shares = {one: told.shares for one, told in read(get, videos, now=NOW).videos.items()}
    assert [len(one["filters"].split(",")) for one in queries] == [PER_REPORT, 5]
    assert (len(shares), shares[videos[0]], shares[videos[-1]]) == (PER_REPORT + 5, 0, 4)


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        (["video", "shares", "views"], [SEEN, 3, 12]),
        (["shares", "views", "video"], [3, 12, SEEN]),
        (["video", "views", "likes", "shares"], [SEEN, 12, 8, 3]),
        (["video", "views", "shares"], [SEEN, 12, "3"]),
    ],
)
def test_columns_are_found_by_their_names(
    network: responses.RequestsMock, account: YouTubeConnector, columns: list[str], row: list[Any]
) -> None:
    serve(network, SEEN)
    network.get(REPORTS, json=report(row, columns=columns))
    assert account.fetch_post_metrics([SEEN])[SEEN].shares == 3


ODD = {
    "no rows": report(),
    "rows that are none": report("aaaaaaaaaaa", None, 7, [], [SEEN], [SEEN, 12]),
    "no such column": report([SEEN, 12], columns=["video", "views"]),
    "minutes that are none": report([SEEN, 12, None, -1], [SEEN, 12, None, 2**63 - 1], [SEEN, 12, None, 1.5]),
    "no video": report([12, 3], columns=["views", "shares"]),
    "a number that is none": report([SEEN, 12, -3], [SEEN, 12, True], [SEEN, 12, "many"], [SEEN, 12, None]),
    "another video": report([[SEEN], 12, 3], [{"id": SEEN}, 12, 3]),
    "no columns": {"rows": [[SEEN, 12, 3]]},
    "columns without names": {"columnHeaders": [None, {}, {"name": []}], "rows": [[SEEN, 12, 3]]},
    "rows in an object": {**report(), "rows": {SEEN: 3}},
    "a failure": {**report([SEEN, 12, 3]), "errors": {"code": "BAD_REQUEST"}},
    "a list": [],
    "nothing": {},
}


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD)
def test_a_report_of_any_shape_costs_no_other_count(
    network: responses.RequestsMock, account: YouTubeConnector, answer: Any
) -> None:
    serve(network, SEEN)
    network.get(REPORTS, json=answer)
    assert account.fetch_post_metrics([SEEN]) == {SEEN: PLAIN}
    assert account.untold == ""


def newer(reason: str, code: int = 403, **metadata: str) -> dict[str, Any]:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "metadata": metadata}
    return {"error": {"code": code, "message": "Google's own words", "details": [{"x": 1}, info]}}


SWITCHED_OFF = {
    "error": {
        **refusal("accessNotConfigured")["error"],
        "status": "PERMISSION_DENIED",
        "details": newer("SERVICE_DISABLED", service="youtubeanalytics.googleapis.com")["error"]["details"],
    }
}
USED_UP = IN_PLAIN_WORDS["quotaExceeded"]
REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("not switched on", {"status": 403, "json": SWITCHED_OFF}, NOT_SWITCHED_ON),
    ("disabled", {"status": 403, "json": newer("SERVICE_DISABLED")}, NOT_SWITCHED_ON),
    ("forbidden", {"status": 403, "json": refusal("forbidden")}, NOT_ALLOWED),
    ("scope", {"status": 403, "json": refusal("insufficientPermissions")}, NOT_ALLOWED),
    ("scope, newer", {"status": 403, "json": newer("ACCESS_TOKEN_SCOPE_INSUFFICIENT")}, NOT_ALLOWED),
    ("quota", {"status": 403, "json": refusal("quotaExceeded")}, USED_UP),
    ("day", {"status": 403, "json": refusal("dailyLimitExceeded")}, USED_UP),
    (
        "day, newer",
        {"status": 429, "json": newer("RATE_LIMIT_EXCEEDED", 429, quota_unit="1/d/{project}")},
        USED_UP,
    ),
    ("query", {"status": 400, "json": refusal("badRequest", 400)}, ""),
    ("not found", {"status": 404, "json": refusal("notFound", 404)}, ""),
    ("no channel", {"status": 401, "json": refusal("youtubeSignupRequired", 401)}, ""),
    ("server", {"status": 500, "json": refusal("internalError", 500)}, ""),
    ("gateway", {"status": 503, "body": "<html>Try again</html>"}, ""),
    ("moved", {"status": 302, "body": ""}, ""),
    ("page", {"status": 200, "body": "<!doctype html><title>Sorry</title>"}, ""),
    ("empty", {"status": 200, "body": ""}, ""),
    ("cut off", {"status": 200, "body": '{"columnHeaders": ['}, ""),
    ("deep", {"status": 200, "body": "[" * 100_000}, ""),
    ("dropped", {"body": requests.ConnectionError()}, ""),
    ("slow", {"body": requests.ReadTimeout()}, ""),
]


@pytest.mark.parametrize(("answer", "words"), [one[1:] for one in REFUSALS], ids=[one[0] for one in REFUSALS])
def test_whatever_keeps_shares_away_the_other_counts_come(
    network: responses.RequestsMock, account: YouTubeConnector, answer: dict[str, Any], words: str
) -> None:
    serve(network, SEEN)
    account.renew = lambda tokens: tokens
    network.get(REPORTS, **answer)
    assert account.fetch_post_metrics([SEEN]) == {SEEN: PLAIN}
    assert account.untold == words
    network.replace("GET", REPORTS, json=report([SEEN, 12, 3]))
    assert account.fetch_post_metrics([SEEN])[SEEN].shares == 3
    assert account.untold == ""


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 429, "body": "<html>", "headers": {"Retry-After": "90"}},
        {"status": 429, "json": newer("RATE_LIMIT_EXCEEDED", 429, quota_unit="1/min/{project}/{user}")},
        {"status": 403, "json": refusal("userRateLimitExceeded")},
    ],
)
def test_a_word_to_wait_is_heeded(
    network: responses.RequestsMock, account: YouTubeConnector, answer: dict[str, Any]
) -> None:
    serve(network, SEEN)
    network.get(REPORTS, **answer)
    with pytest.raises(RateLimited) as limited:
        account.fetch_post_metrics([SEEN])
    assert not limited.value.of_app
    wait = limited.value.retry_at - dt.datetime.now(dt.UTC)
    assert dt.timedelta(seconds=50) < wait <= dt.timedelta(seconds=90)


def test_a_token_that_ends_before_the_report_is_renewed(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    serve(network, SEEN)
    network.get(REPORTS, status=401, json=refusal("authError", 401))
    network.get(REPORTS, json=report([SEEN, 12, 3]))
    account.renew = lambda _: Tokens(access_token="ya29.fresh", refresh_token="1//r")
    assert account.fetch_post_metrics([SEEN])[SEEN].shares == 3
    assert [one.headers["Authorization"] for one in asked(network)] == [
        "Bearer ya29.token",
        "Bearer ya29.fresh",
    ]


def test_a_token_that_cannot_be_renewed_ends_the_connection(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    def lost(_: Tokens) -> Tokens:
        raise NeedsReconnect("invalid_grant")

    serve(network, SEEN)
    network.get(REPORTS, status=401, json=refusal("authError", 401))
    account.renew = lost
    with pytest.raises(NeedsReconnect):
        account.fetch_post_metrics([SEEN])


@pytest.mark.parametrize("scopes", [PUBLISHING.scopes, (*PUBLISHING.scopes, *COMMENTING.scopes), None, ()])
def test_without_the_feature_no_report_is_asked_for(
    network: responses.RequestsMock, scopes: tuple[str, ...] | None
) -> None:
    account = YouTubeConnector(
        tokens=Tokens(access_token="ya29.token"), options={"channel_id": CHANNEL, "scopes": scopes}
    )
    assert account.info.post_metrics == ("likes", "comments", "impressions")
    serve(network, SEEN)
    assert account.fetch_post_metrics([SEEN]) == {SEEN: PLAIN}
    assert asked(network) == []


def test_no_report_is_asked_for_without_a_video(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    serve(network)
    assert account.fetch_post_metrics([SEEN, "UgxTop.1"]) == {}
    assert asked(network) == []


def test_reports_are_allowed_apart_and_nobody_is_asked_unasked() -> None:
    assert not REPORTING.is_default
    assert not REPORTING.is_required
    assert SCOPE in INFO.scopes
    assert "shares" in INFO.post_metrics
    allowed = YouTubeConnector.info_for({"scopes": [*PUBLISHING.scopes, SCOPE]})
    assert allowed.post_metrics == INFO.post_metrics
    assert INFO.app is not None
    said = " ".join(INFO.app.steps)
    assert "YouTube Analytics API" in said
    assert "yt-analytics.readonly" in said


def test_a_report_costs_no_unit_of_the_other_quota() -> None:
    assert INFO.cost_of_call("GET", urlsplit(REPORTS).path) is None
