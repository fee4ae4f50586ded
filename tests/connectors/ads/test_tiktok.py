"""TikTok's ads: codes inside HTTP 200, pages by number, ad accounts with and without the app's secret."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from connectors.ads.tiktok import METRICS, TikTokAds
from connectors.base import AppCredentials, Tokens
from connectors.errors import NeedsReconnect, RateLimited, Rejected, RejectReason, Temporary

API = "https://business-api.tiktok.com/open_api/v1.3"
APP = AppCredentials("4711", "app-secret-app-secret")
TOKEN = "tiktok-token-token"
FIRST, LAST = dt.date(2026, 11, 1), dt.date(2026, 11, 30)


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def client(app: AppCredentials | None = APP, **extra: Any) -> TikTokAds:
    return TikTokAds(tokens=Tokens(TOKEN, extra=extra), app=app)


def row(**metrics: Any) -> dict[str, Any]:
    told = {
        "campaign_name": "Spring",
        "spend": "12.34",
        "impressions": "40",
        "clicks": "3",
        "conversion": "1",
    }
    return {
        "dimensions": {"campaign_id": "1700", "stat_time_day": "2026-11-01 00:00:00"},
        "metrics": {**told, **metrics},
    }


def tell(network: responses.RequestsMock, *rows: dict[str, Any], pages: Any = 1) -> None:
    data = {"list": list(rows), "page_info": {"page": 1, "page_size": 1000, "total_page": pages}}
    network.get(f"{API}/report/integrated/get/", json={"code": 0, "message": "OK", "data": data})


def query_of(call: Any) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(str(call.request.url)).query).items()}


def test_the_report_is_asked_for_as_documented(network: responses.RequestsMock) -> None:
    tell(network, row())
    (day,) = client().fetch_days("7", FIRST, LAST)
    query = query_of(network.calls[0])
    assert query == {
        "advertiser_id": "7",
        "report_type": "BASIC",
        "data_level": "AUCTION_CAMPAIGN",
        "dimensions": '["campaign_id", "stat_time_day"]',
        "metrics": json.dumps(METRICS),
        "start_date": "2026-11-01",
        "end_date": "2026-11-30",
        "page": "1",
        "page_size": "1000",
    }
    assert network.calls[0].request.headers["Access-Token"] == TOKEN
    assert (day.date, day.spend, day.conversions) == (FIRST, Decimal("12.34"), 1)


def test_an_empty_report_has_no_page_at_all(network: responses.RequestsMock) -> None:
    tell(network, pages=0)
    assert list(client().fetch_days("7", FIRST, LAST)) == []


@pytest.mark.parametrize("pages", [None, "many", -1])
def test_a_page_that_does_not_say_how_many_there_are_is_refused(
    network: responses.RequestsMock, pages: Any
) -> None:
    tell(network, row(), pages=pages)
    with pytest.raises(Temporary):
        list(client().fetch_days("7", FIRST, LAST))


def test_a_report_that_lost_a_row_between_its_pages_is_none(network: responses.RequestsMock) -> None:
    data = {"list": [row()], "page_info": {"page": 1, "total_page": 1, "total_number": 2}}
    network.get(f"{API}/report/integrated/get/", json={"code": 0, "data": data})
    with pytest.raises(Temporary):
        list(client().fetch_days("7", FIRST, LAST))


@pytest.mark.parametrize("missing", ["-", "", None])
def test_counts_that_tiktok_does_not_tell_are_not_known(
    network: responses.RequestsMock, missing: Any
) -> None:
    tell(network, row(conversion=missing, clicks=missing))
    (day,) = client().fetch_days("7", FIRST, LAST)
    assert (day.conversions, day.clicks) == (None, None)


def test_more_than_thirty_days_are_several_calls(network: responses.RequestsMock) -> None:
    tell(network)
    list(client().fetch_days("7", dt.date(2026, 10, 1), LAST))
    spans = [(query_of(call)["start_date"], query_of(call)["end_date"]) for call in network.calls]
    assert spans == [
        ("2026-10-01", "2026-10-30"),
        ("2026-10-31", "2026-11-29"),
        ("2026-11-30", "2026-11-30"),
    ]


def test_ad_accounts_without_the_apps_secret_are_those_of_the_sign_in(
    network: responses.RequestsMock,
) -> None:
    told = [{"advertiser_id": "7", "name": "Shop", "currency": "JPY", "timezone": "Etc/GMT-9"}]
    network.get(f"{API}/advertiser/info/", json={"code": 0, "data": {"list": told}})
    (found,) = client(None, advertiser_ids=["7"]).fetch_ad_accounts()
    assert (found.id, found.currency, found.time_zone) == ("7", "JPY", "Etc/GMT-9")
    assert json.loads(query_of(network.calls[0])["advertiser_ids"]) == ["7"]
    assert client(None).fetch_ad_accounts() == ()


def test_ids_of_ad_accounts_are_texts_however_they_come(network: responses.RequestsMock) -> None:
    """They are above what a float can tell apart."""
    body = '{"code": 0, "data": {"access_token": "t0ken", "advertiser_ids": [7244443234628403202, "8"]}}'
    network.post(f"{API}/oauth2/access_token/", body=body)
    grant = TikTokAds.exchange_code(app=APP, code="c", code_verifier="", redirect_uri="https://x.example/")
    assert grant.tokens.extra["advertiser_ids"] == ["7244443234628403202", "8"]
    sent = json.loads(network.calls[0].request.body or b"")
    assert sent == {"app_id": "4711", "secret": APP.client_secret, "auth_code": "c"}
    assert grant.tokens.expires_at is None


@pytest.mark.parametrize(
    ("code", "expected", "reason"),
    [
        (40100, RateLimited, None),
        (40133, RateLimited, None),
        (40102, NeedsReconnect, None),
        (40105, NeedsReconnect, None),
        (40001, Rejected, RejectReason.FORBIDDEN),
        (40007, Rejected, RejectReason.NOT_FOUND),
        (40002, Rejected, RejectReason.INVALID),
        (50000, Temporary, None),
        (51305, Temporary, None),
        ("40105", Temporary, None),
        (None, Temporary, None),
        (True, Temporary, None),
    ],
)
def test_the_code_decides(
    network: responses.RequestsMock, code: Any, expected: type[Exception], reason: RejectReason | None
) -> None:
    network.get(f"{API}/report/integrated/get/", json={"code": code, "message": f"no {TOKEN}", "data": {}})
    with pytest.raises(expected) as failed:
        list(client().fetch_days("7", FIRST, LAST))
    assert reason is None or failed.value.reason is reason  # type: ignore[attr-defined]
    assert TOKEN not in str(failed.value)


def test_a_success_without_data_is_none(network: responses.RequestsMock) -> None:
    network.get(re.compile(".*"), json={"code": 0, "message": "OK", "data": None})
    with pytest.raises(Temporary):
        list(client().fetch_days("7", FIRST, LAST))
