"""Meta's ads: what is asked, conversions within their windows, reports that are too much, the sign-in."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses

from connectors import meta as graph_calls
from connectors.ads.meta import CONVERSIONS, FIELDS, INFO, STATES, MetaAds
from connectors.base import AppCredentials, Tokens
from connectors.errors import NeedsReconnect, RateLimited, Rejected, RejectReason, Temporary

GRAPH = "https://graph.facebook.com/v25.0"
APP = AppCredentials("4711", "app-secret-app-secret")
TOKEN = "EAAtokentokentoken"
FIRST, LAST = dt.date(2026, 11, 1), dt.date(2026, 11, 8)


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def client(app: AppCredentials | None = APP) -> MetaAds:
    return MetaAds(tokens=Tokens(TOKEN), app=app)


def query_of(call: Any) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(str(call.request.url)).query))


def row(**values: Any) -> dict[str, Any]:
    return {
        "account_currency": "JPY",
        "campaign_id": "23842",
        "campaign_name": "Spring",
        "date_start": "2026-11-01",
        "date_stop": "2026-11-01",
        "spend": "1200",
        "impressions": "40",
        "clicks": "3",
        **values,
    }


def days(network: responses.RequestsMock, *rows: dict[str, Any], window: str = "") -> list[Any]:
    network.get(f"{GRAPH}/act_1/insights", json={"data": list(rows)})
    return list(client().fetch_days("1", FIRST, LAST, window=window))


def test_what_is_asked_is_in_metas_description(network: responses.RequestsMock, meta_node: Any) -> None:
    days(network, row())
    query = query_of(network.calls[0])
    assert query.pop("appsecret_proof") == graph_calls.appsecret_proof(TOKEN, APP.client_secret)
    (edge,) = [
        one
        for one in meta_node("AdAccount")["apis"]
        if one.get("endpoint") == "insights" and one["method"] == "GET"
    ]
    assert set(query) <= {one["name"] for one in edge["params"]}
    assert edge["return"] == "AdsInsights"
    fields = {one["name"] for one in meta_node("AdsInsights")["fields"]}
    assert set(query["fields"].split(",")) == set(FIELDS) <= fields
    enums = {one["name"]: one["values"] for one in meta_node("enum_types")}
    windows = {one for offered in INFO.windows for one in offered.key.split(",")}
    assert windows <= set(enums["adaccountinsights_action_attribution_windows_enum_param"])
    assert query["level"] in enums["adaccountinsights_level_enum_param"]
    assert set(STATES) == set(enums["Campaign_effective_status"])
    assert json.loads(query["time_range"]) == {"since": "2026-11-01", "until": "2026-11-08"}
    assert query["time_increment"] == "1"


def test_ad_accounts_are_asked_for_in_metas_words(network: responses.RequestsMock, meta_node: Any) -> None:
    told = {"account_id": "1", "id": "act_1", "name": "", "currency": "JPY", "timezone_name": "Asia/Tokyo"}
    network.get(f"{GRAPH}/me/adaccounts", json={"data": [told]})
    (found,) = client().fetch_ad_accounts()
    assert (found.id, found.name, found.currency, found.time_zone) == ("1", "1", "JPY", "Asia/Tokyo")
    known = {one["name"] for one in meta_node("AdAccount")["fields"]}
    assert set(query_of(network.calls[0])["fields"].split(",")) <= known
    edges = {one.get("endpoint"): one for one in meta_node("User")["apis"]}
    assert edges["adaccounts"]["return"] == "AdAccount"


def test_without_the_apps_secret_there_is_no_proof(network: responses.RequestsMock) -> None:
    network.get(f"{GRAPH}/me/adaccounts", json={"data": []})
    assert client(None).fetch_ad_accounts() == ()
    assert "appsecret_proof" not in query_of(network.calls[0])


@pytest.mark.parametrize(
    ("window", "expected"), [("7d_click,1d_view", 5), ("7d_click", 4), ("28d_click,1d_view", 1)]
)
def test_conversions_are_those_within_the_window(
    network: responses.RequestsMock, window: str, expected: int
) -> None:
    action = {"action_type": "omni_purchase", "value": "99", "7d_click": "4", "1d_view": "1"}
    (day,) = days(network, row(actions=[action]), window=window)
    assert day.conversions == expected
    assert day.attribution_window == window
    assert json.loads(query_of(network.calls[0])["action_attribution_windows"]) == window.split(",")


def test_a_conversion_that_is_told_without_windows_counts_as_it_is_told(
    network: responses.RequestsMock,
) -> None:
    (day,) = days(network, row(actions=[{"action_type": "lead", "value": "2"}]))
    assert day.conversions == 2


def test_parts_of_a_sum_are_not_counted_beside_it(network: responses.RequestsMock) -> None:
    told = [
        {"action_type": "purchase", "value": "3", "7d_click": "3"},
        {"action_type": "omni_purchase", "value": "3", "7d_click": "3"},
        {"action_type": "offsite_conversion.fb_pixel_purchase", "value": "3", "7d_click": "3"},
        {"action_type": "lead", "value": "2", "7d_click": "2"},
        {"action_type": "link_click", "value": "50", "7d_click": "50"},
    ]
    (day,) = days(network, row(actions=told))
    assert day.conversions == 5
    assert len({name for names in CONVERSIONS for name in names}) == 5


def test_the_currency_and_spend_are_those_of_the_row(network: responses.RequestsMock) -> None:
    (day,) = days(network, row(spend="1200.50"))
    assert (day.spend, day.currency) == (Decimal("1200.50"), "JPY")


def test_a_row_of_several_days_is_refused(network: responses.RequestsMock) -> None:
    with pytest.raises(Temporary):
        days(network, row(date_stop="2026-11-08"))


def test_a_number_that_went_through_a_float_is_refused(network: responses.RequestsMock) -> None:
    with pytest.raises(Temporary):
        days(network, row(spend=12.3))


def test_what_is_too_much_at_once_is_asked_for_in_halves(network: responses.RequestsMock) -> None:
    spans: list[tuple[str, str]] = []

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        query = dict(parse_qsl(urlsplit(str(request.url)).query))
        span = json.loads(query["time_range"])
        spans.append((span["since"][-2:], span["until"][-2:]))
        if span["since"] == span["until"] or int(span["until"][-2:]) - int(span["since"][-2:]) < 2:
            told = row(date_start=span["since"], date_stop=span["since"])
            return 200, {}, json.dumps({"data": [told]})
        words = "Please reduce the amount of data you're asking for, then retry your request"
        return 500, {}, json.dumps({"error": {"code": 1, "message": words}})

    network.add_callback("GET", f"{GRAPH}/act_1/insights", callback=answer)
    found = list(client().fetch_days("1", FIRST, LAST))
    assert [day.date.day for day in found] == [1, 3, 5, 7]
    assert spans == [
        ("01", "08"),
        ("01", "04"),
        ("01", "02"),
        ("03", "04"),
        ("05", "08"),
        ("05", "06"),
        ("07", "08"),
    ]


def test_one_day_that_is_too_much_is_an_error(network: responses.RequestsMock) -> None:
    words = "Please reduce the amount of data you're asking for, then retry your request"
    told = {"error": {"code": 100, "error_subcode": 1487534, "message": words}}
    network.get(f"{GRAPH}/act_1/insights", status=400, json=told)
    with pytest.raises(Rejected):
        list(client().fetch_days("1", FIRST, FIRST))
    assert len(network.calls) == 1


def test_pages_that_lead_back_to_themselves_end(network: responses.RequestsMock) -> None:
    more = {"next": f"{GRAPH}/act_1/insights?after=abc&access_token={TOKEN}"}
    network.get(re.compile(f"{GRAPH}/act_1/insights.*"), json={"data": [], "paging": more})
    with pytest.raises(Temporary):
        list(client().fetch_days("1", FIRST, LAST))
    assert len(network.calls) == 2


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (400, {"code": 17, "error_subcode": 2446079, "message": "User request limit reached"}, RateLimited),
        (400, {"code": 80_004, "message": "There have been too many calls"}, RateLimited),
        (400, {"code": 4, "error_subcode": 1504022, "message": "Application request limit"}, RateLimited),
        (400, {"code": 190, "message": "Error validating access token"}, NeedsReconnect),
        (400, {"code": 200, "message": "Ad account owner has NOT grant ads_read"}, Rejected),
        (400, {"code": 100, "error_subcode": 33, "message": "does not exist"}, Rejected),
        (500, {"code": 2, "is_transient": True, "message": "Service temporarily unavailable"}, Temporary),
    ],
)
def test_errors_of_insights(
    network: responses.RequestsMock, status: int, error: dict[str, Any], expected: type[Exception]
) -> None:
    network.get(f"{GRAPH}/act_1/insights", status=status, json={"error": error})
    with pytest.raises(expected):
        list(client().fetch_days("1", FIRST, LAST))


def test_a_code_becomes_a_token_of_sixty_days(network: responses.RequestsMock) -> None:
    network.get(f"{GRAPH}/oauth/access_token", json={"access_token": "short", "expires_in": 3600})
    network.get(f"{GRAPH}/oauth/access_token", json={"access_token": "long", "expires_in": 5_184_000})
    granted = [{"permission": "ads_read", "status": "granted"}, {"permission": "email", "status": "declined"}]
    network.get(f"{GRAPH}/me/permissions", json={"data": granted})
    grant = MetaAds.exchange_code(app=APP, code="c0de", code_verifier="", redirect_uri="https://x.example/")
    assert grant.tokens.access_token == "long"
    assert grant.tokens.expires_at is not None
    left = grant.tokens.expires_at - dt.datetime.now(dt.UTC)
    assert dt.timedelta(days=59) < left < dt.timedelta(days=61)
    assert grant.scopes == ("ads_read",)
    assert query_of(network.calls[0])["code"] == "c0de"
    assert query_of(network.calls[1])["fb_exchange_token"] == "short"


def test_without_the_permission_nothing_is_connected(network: responses.RequestsMock) -> None:
    network.get(f"{GRAPH}/oauth/access_token", json={"access_token": "t0ken", "expires_in": 3600})
    declined = [{"permission": "ads_read", "status": "declined"}]
    network.get(f"{GRAPH}/me/permissions", json={"data": declined})
    with pytest.raises(Rejected) as refused:
        MetaAds.exchange_code(app=APP, code="c0de", code_verifier="", redirect_uri="https://x.example/")
    assert refused.value.reason is RejectReason.FORBIDDEN


def test_the_scopes_may_stand_in_a_configuration_of_the_app() -> None:
    app = AppCredentials("4711", "s", extra={"config_id": "99"})
    url = MetaAds.authorize_url(app=app, redirect_uri="https://x.example/", state="s").url
    assert "config_id=99" in url
    assert "scope=" not in url
