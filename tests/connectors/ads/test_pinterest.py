"""Pinterest's ads: requests and answers held against its description, money in millionths, tokens."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from connectors.ads import pinterest
from connectors.ads.pinterest import COLUMNS, INFO, STATUSES, PinterestAds
from connectors.base import AppCredentials, Tokens
from connectors.errors import NeedsReconnect, Rejected, RejectReason, Temporary

API = "https://api.pinterest.com/v5"
APP = AppCredentials("4711", "app-secret-app-secret")
FIRST, LAST = dt.date(2026, 11, 1), dt.date(2026, 11, 8)


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def client() -> PinterestAds:
    return PinterestAds(tokens=Tokens("pina_tokentoken"), app=APP)


def row(**values: Any) -> dict[str, Any]:
    return {"CAMPAIGN_ID": "77", "DATE": "2026-11-01", "SPEND_IN_MICRO_DOLLAR": 1_500_000, **values}


def tell(network: responses.RequestsMock, *rows: dict[str, Any], count: int = 1) -> None:
    network.get(re.compile(f"{API}/ad_accounts/1/campaigns/analytics.*"), json=list(rows))
    items = [{"id": str(77 + n), "name": f"Campaign {n}"} for n in range(count)]
    network.get(re.compile(f"{API}/ad_accounts/1/campaigns\\?.*"), json={"items": items, "bookmark": None})


def query_of(call: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(str(call.request.url)).query)


def held_against(description: dict[str, Any], path: str, query: dict[str, list[str]]) -> None:
    """Names, values and numbers of what was sent are among what the description allows."""
    parameters = description["components"]["parameters"]
    known = {}
    for one in description["paths"][path]["get"]["parameters"]:
        found = parameters[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        known[found["name"]] = found
    for name, found in known.items():
        assert not found.get("required") or found["in"] == "path" or name in query, name
    for name, values in query.items():
        schema = known[name]["schema"]
        sent = values if known[name].get("explode", True) else values[0].split(",")
        if "$ref" in schema:
            schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        if schema["type"] == "array":
            assert len(sent) <= schema.get("maxItems", 1000), name
            schema = schema["items"]
        else:
            assert len(sent) == 1, name
        for value in sent:
            assert value in map(str, schema.get("enum", [value])), (name, value)
            if schema["type"] == "integer":
                assert int(value) <= schema.get("maximum", 10**9)
            assert re.search(schema.get("pattern", ""), value)


@pytest.mark.parametrize("window", [one.key for one in INFO.windows])
def test_what_is_asked_is_in_pinterests_description(
    network: responses.RequestsMock, pinterest_description: dict[str, Any], window: str
) -> None:
    tell(network, row())
    list(client().fetch_days("1", FIRST, LAST, window=window))
    campaigns, report = network.calls
    held_against(pinterest_description, "/ad_accounts/{ad_account_id}/campaigns", query_of(campaigns))
    held_against(pinterest_description, "/ad_accounts/{ad_account_id}/campaigns/analytics", query_of(report))
    assert query_of(campaigns)["entity_statuses"] == list(STATUSES)
    assert query_of(report)["columns"] == [",".join(COLUMNS)]
    click, engagement, view = window.split("/")
    assert query_of(report)["click_window_days"] == [click]
    assert query_of(report)["engagement_window_days"] == [engagement]
    assert query_of(report)["view_window_days"] == [view]


def test_the_list_of_ad_accounts_is_in_pinterests_description(
    network: responses.RequestsMock, pinterest_description: dict[str, Any]
) -> None:
    schemas = pinterest_description["components"]["schemas"]
    told = {"id": "549755885175", "name": "Shop", "currency": "JPY", "country": "JP"}
    assert set(told) <= set(schemas["AdAccount"]["properties"])
    assert told["currency"] in schemas["Currency"]["enum"]
    network.get(re.compile(f"{API}/ad_accounts\\?.*"), json={"items": [told, {"id": "1", "currency": "UNK"}]})
    first, second = client().fetch_ad_accounts()
    held_against(pinterest_description, "/ad_accounts", query_of(network.calls[0]))
    assert (first.currency, first.time_zone) == ("JPY", "UTC")
    assert (second.name, second.currency) == ("1", "")


def test_addresses_and_scopes_are_pinterests(pinterest_description: dict[str, Any]) -> None:
    flow = pinterest_description["components"]["securitySchemes"]["pinterest_oauth2"]["flows"]
    code = flow["authorizationCode"]
    url = PinterestAds.authorize_url(app=APP, redirect_uri="https://x.example/", state="s").url
    assert url.startswith(code["authorizationUrl"])
    assert code["tokenUrl"] == f"{pinterest._api()}/oauth/token"
    assert set(INFO.scopes) <= set(code["scopes"])
    wanted = pinterest_description["paths"]["/ad_accounts/{ad_account_id}/campaigns/analytics"]["get"]
    assert {"pinterest_oauth2": list(INFO.scopes)} in wanted["security"]


def test_millionths_are_of_the_accounts_currency(network: responses.RequestsMock) -> None:
    tell(network, row(SPEND_IN_MICRO_DOLLAR=1), row(DATE="2026-11-02", SPEND_IN_MICRO_DOLLAR=1_234_000_000))
    found = list(client().fetch_days("1", FIRST, LAST))
    assert [day.spend for day in found] == [Decimal("0.000001"), Decimal(1234)]


def test_columns_without_a_value_are_left_out_by_pinterest(network: responses.RequestsMock) -> None:
    tell(network, row())
    (day,) = client().fetch_days("1", FIRST, LAST)
    assert (day.impressions, day.clicks, day.conversions) == (0, 0, 0)


def test_many_campaigns_are_asked_for_in_addresses_of_a_bearable_length(
    network: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(network, count=250)
    assert list(client().fetch_days("1", FIRST, LAST)) == []
    asked = [len(query_of(call)["campaign_ids"]) for call in network.calls[1:]]
    assert asked == [100, 100, 50]
    assert all(len(str(call.request.url)) < 4000 for call in network.calls)


def test_an_account_without_campaigns_has_no_report(network: responses.RequestsMock) -> None:
    tell(network, count=0)
    assert list(client().fetch_days("1", FIRST, LAST)) == []
    assert len(network.calls) == 1


def test_a_row_of_a_campaign_that_was_not_asked_for_is_refused(network: responses.RequestsMock) -> None:
    tell(network, row(CAMPAIGN_ID="99"))
    with pytest.raises(Temporary):
        list(client().fetch_days("1", FIRST, LAST))


def test_tokens_are_renewed_with_a_new_refresh_token(network: responses.RequestsMock) -> None:
    told = {
        "access_token": "pina_1",
        "refresh_token": "pinr_1",
        "response_type": "authorization_code",
        "token_type": "bearer",
        "expires_in": 2_592_000,
        "refresh_token_expires_in": 5_184_000,
        "scope": "ads:read",
    }
    network.post(f"{API}/oauth/token", json=told)
    grant = PinterestAds.exchange_code(app=APP, code="c", code_verifier="", redirect_uri="https://x.example/")
    assert grant.scopes == ("ads:read",)
    assert network.calls[0].request.headers["Authorization"].startswith("Basic ")
    network.replace("POST", f"{API}/oauth/token", json=told | {"access_token": "p2", "refresh_token": "r2"})
    renewed = PinterestAds.refresh(tokens=grant.tokens, app=APP)
    assert (renewed.access_token, renewed.refresh_token) == ("p2", "r2")
    network.replace("POST", f"{API}/oauth/token", status=401, json={"code": 2, "message": "no"})
    with pytest.raises(NeedsReconnect):
        PinterestAds.refresh(tokens=grant.tokens, app=APP)
    network.replace("POST", f"{API}/oauth/token", status=503)
    with pytest.raises(Temporary):
        PinterestAds.refresh(tokens=grant.tokens, app=APP)


def test_a_sign_in_without_the_permission_is_refused(network: responses.RequestsMock) -> None:
    network.post(f"{API}/oauth/token", json={"access_token": "p", "expires_in": 9, "scope": "pins:read"})
    with pytest.raises(Rejected) as refused:
        PinterestAds.exchange_code(app=APP, code="c", code_verifier="", redirect_uri="https://x.example/")
    assert refused.value.reason is RejectReason.FORBIDDEN
