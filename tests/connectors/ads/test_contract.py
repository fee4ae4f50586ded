"""What every ad connector promises, asked of all that the registry knows. A new one adds a ``Setup``."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st

from connectors import http
from connectors.ads import linkedin, meta, pinterest, reading, tiktok, x
from connectors.ads.base import AdAccount, AdConnector, AdDay, AdGrant, AdPlatformInfo, known_days
from connectors.ads.registry import AD_CONNECTORS, UnknownAdPlatform, ad_connector_class, ad_info_for
from connectors.base import AppCredentials, Tokens
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.registry import CONNECTORS

ROOT = Path(__file__).parents[3]
TOKEN = "T0kenT0kenT0ken"
SECRET = "S3CRETS3CRET"
APP = AppCredentials(client_id="4711", client_secret=SECRET)
BACK = "https://smm.example.com/campaigns/ads/callback/"
FIRST, LAST = dt.date(2026, 11, 1), dt.date(2026, 11, 30)


@dataclass(frozen=True)
class Told:
    """One row of a report, as a test wants a platform to tell it. ``spend`` is how the platform writes it."""

    date: dt.date
    campaign: str
    spend: str
    impressions: int = 10
    clicks: int = 1
    conversions: int = 0


# Tells the rows in pages of so many; "follow" says which page a request asks for.
Report = Callable[[responses.RequestsMock, list[list[Told]]], None]


@dataclass(frozen=True)
class Setup:
    """How a platform tells days and says what others say too."""

    report: Report
    accounts: Report
    has_pages: bool = True
    unauthorized: Mapping[str, Any] = field(default_factory=lambda: {"message": "no", "code": 2})
    limited: Mapping[str, Any] = field(default_factory=lambda: {"message": "slow down", "code": 8})
    rate_headers: tuple[str, ...] = ("Retry-After",)
    ok: Mapping[str, Any] = field(default_factory=dict)  # what surrounds an answer that is a success
    is_micro: bool = False
    token_answer: Mapping[str, Any] | str = field(default_factory=lambda: {"access_token": TOKEN})
    is_oauth1: bool = False  # a token is asked for before anybody is sent there


def asked(request: requests.PreparedRequest) -> dict[str, list[str]]:
    return parse_qs(urlsplit(str(request.url)).query)


def within(told: Told, since: str, until: str) -> bool:
    return since <= told.date.isoformat() <= until


def answered(network: responses.RequestsMock, pattern: str, answer: Callable[[Any], Any]) -> None:
    def respond(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        return 200, {}, json.dumps(answer(request)).replace('"@', "").replace('@"', "")

    network.add_callback("GET", re.compile(pattern), callback=respond)


# --- how each platform tells it ---------------------------------------------------------------


def meta_report(network: responses.RequestsMock, pages: list[list[Told]]) -> None:
    def answer(request: requests.PreparedRequest) -> Any:
        query = asked(request)
        span = json.loads(query["time_range"][0])
        page = int(query.get("after", ["0"])[0])
        rows = [
            {
                "account_currency": "EUR",
                "campaign_id": one.campaign,
                "campaign_name": f"Campaign {one.campaign}",
                "date_start": one.date.isoformat(),
                "date_stop": one.date.isoformat(),
                "spend": one.spend,
                "impressions": str(one.impressions),
                "clicks": str(one.clicks),
            }
            | (
                {"actions": [{"action_type": "lead", "value": "9", "7d_click": str(one.conversions)}]}
                if one.conversions
                else {}
            )
            for one in pages[page]
            if within(one, span["since"], span["until"])
        ]
        more = {"next": f"https://elsewhere.example/x?access_token={TOKEN}&after={page + 1}"}
        return {"data": rows, "paging": more if page + 1 < len(pages) else {}}

    answered(network, r"https://graph\.facebook\.com/v25\.0/act_1/insights", answer)


def meta_accounts(network: responses.RequestsMock, pages: list[list[Told]]) -> None:
    row = {"account_id": "1", "id": "act_1", "name": "Shop", "currency": "EUR", "timezone_name": "Asia/Tokyo"}
    answered(network, r"https://graph\.facebook\.com/v25\.0/me/adaccounts", lambda _r: {"data": [row]})


def linkedin_report(network: responses.RequestsMock, pages: list[list[Told]]) -> None:
    def answer(request: requests.PreparedRequest) -> Any:
        numbers = [int(n) for n in re.findall(r"(?:year|month|day):(\d+)", str(request.url))]
        since, until = dt.date(*numbers[:3]).isoformat(), dt.date(*numbers[3:6]).isoformat()
        return {
            "paging": {"start": 0, "count": 10, "links": []},
            "elements": [
                {
                    "pivotValues": [f"urn:li:sponsoredCampaign:{one.campaign}"],
                    "dateRange": {name: _point(one.date) for name in ("start", "end")},
                    "costInLocalCurrency": one.spend,
                    "impressions": one.impressions,
                    "clicks": one.clicks,
                    "externalWebsiteConversions": one.conversions,
                }
                for page in pages
                for one in page
                if within(one, since, until)
            ],
        }

    def names(request: requests.PreparedRequest) -> Any:
        ids = re.findall(r"sponsoredCampaign(?::|%3A)(\d+)", str(request.url))
        return {"elements": [{"id": int(one), "name": f"Campaign {one}"} for one in ids], "metadata": {}}

    answered(network, r"https://api\.linkedin\.com/rest/adAnalytics", answer)
    answered(network, r"https://api\.linkedin\.com/rest/adAccounts/1/adCampaigns", names)
    answered(network, r"https://api\.linkedin\.com/rest/adAccounts/1$", lambda _r: LINKEDIN_ACCOUNT)


LINKEDIN_ACCOUNT = {"id": 1, "name": "Shop", "currency": "EUR", "status": "ACTIVE", "type": "BUSINESS"}


def _point(date: dt.date) -> dict[str, int]:
    return {"year": date.year, "month": date.month, "day": date.day}


def linkedin_accounts(network: responses.RequestsMock, pages: list[list[Told]]) -> None:
    answered(
        network, r"https://api\.linkedin\.com/rest/adAccounts\?", lambda _r: {"elements": [LINKEDIN_ACCOUNT]}
    )


def pinterest_report(network: responses.RequestsMock, pages: list[list[Told]]) -> None:
    """Its report has no pages; the list of campaigns before it has."""

    def campaigns(request: requests.PreparedRequest) -> Any:
        page = int(asked(request).get("bookmark", ["0"])[0])
        ids = sorted({one.campaign for one in pages[page]})
        more: dict[str, str | None] = {"bookmark": str(page + 1) if page + 1 < len(pages) else None}
        return {
            "items": [{"id": one, "name": f"Campaign {one}", "ad_account_id": "1"} for one in ids],
            **more,
        }

    def answer(request: requests.PreparedRequest) -> Any:
        query = asked(request)
        return [
            {
                "CAMPAIGN_ID": one.campaign,
                "DATE": one.date.isoformat(),
                "SPEND_IN_MICRO_DOLLAR": f"@{one.spend}@",
                "IMPRESSION_1": one.impressions,
                "CLICKTHROUGH_1": one.clicks,
                "TOTAL_CONVERSIONS": one.conversions,
            }
            for page in pages
            for one in page
            if one.campaign in query["campaign_ids"]
            and within(one, query["start_date"][0], query["end_date"][0])
        ]

    base = r"https://api\.pinterest\.com/v5/ad_accounts/1/campaigns"
    answered(network, base + r"/analytics", answer)
    answered(network, base + r"\?", campaigns)


def pinterest_accounts(network: responses.RequestsMock, pages: list[list[Told]]) -> None:
    row = {"id": "1", "name": "Shop", "currency": "EUR", "country": "DE"}
    answered(network, r"https://api\.pinterest\.com/v5/ad_accounts\?", lambda _r: {"items": [row]})


def tiktok_report(network: responses.RequestsMock, pages: list[list[Told]]) -> None:
    def answer(request: requests.PreparedRequest) -> Any:
        query = asked(request)
        page, span = int(query["page"][0]), (query["start_date"][0], query["end_date"][0])
        rows = [
            {
                "dimensions": {"campaign_id": one.campaign, "stat_time_day": f"{one.date} 00:00:00"},
                "metrics": {
                    "campaign_name": f"Campaign {one.campaign}",
                    "spend": one.spend,
                    "impressions": str(one.impressions),
                    "clicks": str(one.clicks),
                    "conversion": str(one.conversions),
                },
            }
            for one in (pages[page - 1] if page <= len(pages) else [])
            if within(one, *span)
        ]
        total = sum(within(one, *span) for some in pages for one in some)
        info = {"page": page, "page_size": 1000, "total_number": total, "total_page": len(pages)}
        return {"code": 0, "message": "OK", "data": {"list": rows, "page_info": info}}

    answered(network, r"https://business-api\.tiktok\.com/open_api/v1\.3/report/integrated/get/", answer)


def tiktok_accounts(network: responses.RequestsMock, pages: list[list[Told]]) -> None:
    base = r"https://business-api\.tiktok\.com/open_api/v1\.3/"
    listed = {"list": [{"advertiser_id": "1", "advertiser_name": "Shop"}]}
    row = {
        "advertiser_id": "1",
        "name": "Shop",
        "currency": "EUR",
        "timezone": "Etc/GMT-9",
        "display_timezone": "Asia/Tokyo",
    }
    answered(network, base + "oauth2/advertiser/get/", lambda _r: {"code": 0, "data": listed})
    answered(network, base + "advertiser/info/", lambda _r: {"code": 0, "data": {"list": [row]}})


X_API = r"https://ads-api\.x\.com/12/"
X_ACCOUNT = {
    "id": "1",
    "name": "Shop",
    "timezone": "Asia/Tokyo",
    "timezone_switch_at": "2016-07-21T15:00:00Z",
}


def x_report(network: responses.RequestsMock, pages: list[list[Told]]) -> None:
    """Its report has no pages, and its days no dates: they follow one another. The list of campaigns has
    pages. Of one of the two placements there is nothing to tell."""
    rows = [one for page in pages for one in page]

    def active(request: requests.PreparedRequest) -> Any:
        query = asked(request)
        ids = sorted({one.campaign for one in rows if one.date.isoformat() < query["end_time"][0]})
        times = {"activity_start_time": "2026-11-01T00:10:00Z", "activity_end_time": "2026-11-30T00:10:00Z"}
        return {
            "data": [{"entity_id": one, "placements": ["ALL_ON_TWITTER", "TREND"], **times} for one in ids]
        }

    def campaigns(request: requests.PreparedRequest) -> Any:
        page = int(asked(request).get("cursor", ["c0"])[0].removeprefix("c"))
        ids = sorted({one.campaign for one in (pages[page] if pages else [])})
        told = [{"id": one, "name": f"Campaign {one}", "currency": "EUR", "deleted": False} for one in ids]
        return {"data": told, "next_cursor": f"c{page + 1}" if page + 1 < len(pages) else None}

    def answer(request: requests.PreparedRequest) -> Any:
        query = {name: values[0] for name, values in asked(request).items()}
        since, until = (dt.date.fromisoformat(query[name]) for name in ("start_time", "end_time"))
        until -= dt.timedelta(days=1)
        found = [one for one in rows if within(one, since.isoformat(), until.isoformat())]
        since = min([since, *(one.date for one in found)])
        length = (until - since).days + 1

        def metric(campaign: str, name: str) -> list[Any] | None:
            days: list[Any] = [0] * length
            for one in found:
                if one.campaign == campaign and query["placement"] == "ALL_ON_TWITTER":
                    days[(one.date - since).days] = (
                        f"@{one.spend}@" if name == "spend" else getattr(one, name)
                    )
            return days if any(days) else None

        costs = {"billed_charge_local_micro": "spend", "impressions": "impressions", "clicks": "clicks"}
        data = []
        for campaign in query["entity_ids"].split(","):
            if query["metric_groups"] == "WEB_CONVERSION":
                told = metric(campaign, "conversions")
                metrics: dict[str, Any] = {
                    "conversion_purchases": {"metric": told, "post_view": told, "assisted": None},
                    "conversion_custom": None,
                }
            else:
                metrics = {key: metric(campaign, name) for key, name in costs.items()} | {"follows": None}
            data.append({"id": campaign, "id_data": [{"segment": None, "metrics": metrics}]})
        begins = dt.datetime.combine(since, dt.time(), dt.timezone(dt.timedelta(hours=9)))
        stated = {"start_time": f"{begins.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"}
        return {"data": data, "time_series_length": length, "request": {"params": stated}}

    answered(network, X_API + r"accounts/1$", lambda _r: {"data": X_ACCOUNT})
    answered(network, X_API + r"stats/accounts/1/active_entities\?", active)
    answered(network, X_API + r"accounts/1/campaigns\?", campaigns)
    answered(network, X_API + r"stats/accounts/1\?", answer)


def x_accounts(network: responses.RequestsMock, pages: list[list[Told]]) -> None:
    answered(network, X_API + r"accounts\?", lambda _r: {"data": [X_ACCOUNT], "next_cursor": None})
    answered(network, X_API + r"accounts/1/funding_instruments\?", lambda _r: {"data": [{"currency": "EUR"}]})


SETUPS = {
    "linkedin_ads": Setup(
        report=linkedin_report,
        accounts=linkedin_accounts,
        has_pages=False,
        unauthorized={"status": 401, "message": "Invalid access token", "serviceErrorCode": 65600},
        limited={"status": 429, "message": "Resource level throttle limit"},
    ),
    "meta_ads": Setup(
        report=meta_report,
        accounts=meta_accounts,
        unauthorized={"error": {"code": 190, "error_subcode": 463, "message": "Session has expired"}},
        limited={"error": {"code": 80_000, "message": "There have been too many calls"}},
        rate_headers=("Retry-After", "X-Business-Use-Case-Usage"),
    ),
    "pinterest_ads": Setup(
        report=pinterest_report,
        accounts=pinterest_accounts,
        rate_headers=("Retry-After", "X-RateLimit-Reset"),
        is_micro=True,
    ),
    "tiktok_ads": Setup(
        report=tiktok_report,
        accounts=tiktok_accounts,
        unauthorized={"code": 40105, "message": "Access token is incorrect or has been revoked."},
        limited={"code": 40100, "message": "Too many requests"},
        token_answer={"code": 0, "data": {"access_token": TOKEN, "advertiser_ids": [1, "2"]}},
    ),
    "x_ads": Setup(
        report=x_report,
        accounts=x_accounts,
        unauthorized={
            "errors": [{"code": "UNAUTHORIZED_ACCESS", "message": "This request is not authorized"}]
        },
        limited={"errors": [{"code": "TOO_MANY_REQUESTS", "message": "Exceeded limit"}]},
        rate_headers=("Retry-After", "x-rate-limit-reset", "x-account-rate-limit-reset"),
        is_micro=True,
        token_answer=f"oauth_token={TOKEN}&oauth_token_secret=t0kens3cret&user_id=6253282&screen_name=xapi",
        is_oauth1=True,
    ),
}
PLATFORMS = sorted(AD_CONNECTORS)


def account(platform: str) -> AdConnector:
    return AD_CONNECTORS[platform](tokens=Tokens(access_token=TOKEN), app=APP)


def days_of(platform: str, first: dt.date = FIRST, last: dt.date = LAST) -> list[AdDay]:
    return list(account(platform).fetch_days("1", first, last))


READS: dict[str, Callable[[str], object]] = {
    "fetch_ad_accounts": lambda platform: account(platform).fetch_ad_accounts(),
    "fetch_days": days_of,
}


def exchange(platform: str) -> AdGrant:
    return AD_CONNECTORS[platform].exchange_code(
        app=APP, code="c0dec0de", code_verifier="requ3st:requ3sts3cret", redirect_uri=BACK
    )


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def answer_everything(network: responses.RequestsMock, **answer: Any) -> None:
    for method in ("GET", "POST"):
        network.add(method, re.compile(".*"), **answer)


each_platform = pytest.mark.parametrize("platform", PLATFORMS)
each_read = pytest.mark.parametrize("read", sorted(READS))


# --- data -------------------------------------------------------------------------------------


def test_registry_names_each_platform_by_its_own_key() -> None:
    assert {key: one.INFO.key for key, one in AD_CONNECTORS.items()} == {k: k for k in AD_CONNECTORS}
    assert sorted(SETUPS) == PLATFORMS
    with pytest.raises(UnknownAdPlatform):
        ad_connector_class("myspace_ads")


@each_platform
def test_info_is_whole_and_agrees_with_itself(platform: str) -> None:
    info = ad_info_for(platform)
    assert re.fullmatch(r"#[0-9a-f]{6}", info.color)
    assert re.fullmatch(r"[a-z0-9-]+", info.icon)
    assert info.name
    assert info.conversions.endswith(".")
    assert info.key not in CONNECTORS  # apps of both families are told apart by their keys
    assert len(info.key) <= 24
    assert len(info.network) <= 24
    assert info.windows
    assert len({one.key for one in info.windows}) == len(info.windows)
    assert all(one.label and len(one.key) <= 40 for one in info.windows)
    assert info.window() == info.windows[0]
    assert info.window(info.windows[-1].key) == info.windows[-1]
    with pytest.raises(Rejected):
        info.window("forever")
    # 30 days or more, or what the platform's documents say: X 14, Meta and TikTok 28.
    assert 30 <= info.restated_days <= info.back_days or info.restated_days in {14, 28}
    assert info.zone in {"", "UTC"}
    assert info.app.console_url.startswith("https://")
    assert info.app.steps
    assert all(rate.limit > 0 and rate.window_s > 0 for rate in info.rates)
    assert not info.seen_live


def test_contract_is_frozen_data_without_secrets_in_its_repr() -> None:
    for kind in (AdPlatformInfo, AdAccount, AdDay, AdGrant):
        assert kind.__dataclass_params__.frozen  # type: ignore[union-attr]
    assert TOKEN not in repr(AdGrant(Tokens(access_token=TOKEN, refresh_token=TOKEN)))


# --- signing in -------------------------------------------------------------------------------


@each_platform
def test_a_person_is_sent_there_with_the_state_and_comes_back_to_us(
    network: responses.RequestsMock, platform: str
) -> None:
    """With OAuth 1.0a the platform is told who asks and where to come back, and the state is its own."""
    network.post(
        "https://api.x.com/oauth/request_token",
        body="oauth_token=st4te&oauth_token_secret=requ3sts3cret&oauth_callback_confirmed=true",
    )
    request = AD_CONNECTORS[platform].authorize_url(app=APP, redirect_uri=BACK, state="st4te")
    headers = [str(call.request.headers["Authorization"]) for call in network.calls]
    assert len(headers) == SETUPS[platform].is_oauth1
    said = " ".join([request.url, *headers])
    assert request.url.startswith("https://")
    assert "st4te" in request.url
    assert request.state == ("st4te" if SETUPS[platform].is_oauth1 else "")
    assert "4711" in said
    assert "https%3A%2F%2Fsmm.example.com%2Fcampaigns%2Fads%2Fcallback%2F" in said
    assert SECRET not in said
    assert "requ3sts3cret" not in said
    assert all(
        scope.replace(":", "%3A") in request.url or scope in request.url
        for scope in ad_info_for(platform).scopes
    )


@each_platform
def test_a_code_becomes_a_token(network: responses.RequestsMock, platform: str) -> None:
    permissions = {"data": [{"permission": "ads_read", "status": "granted"}]}
    network.get(re.compile(r".*/me/permissions.*"), json=permissions)
    told = SETUPS[platform].token_answer
    answer_everything(network, body=told if isinstance(told, str) else json.dumps(told))
    grant = exchange(platform)
    assert grant.tokens.access_token == TOKEN
    assert set(ad_info_for(platform).scopes) <= set(grant.scopes)


@each_platform
def test_a_code_that_is_refused_asks_for_another_sign_in(
    network: responses.RequestsMock, platform: str, caplog: pytest.LogCaptureFixture
) -> None:
    told = {
        "error": {"code": 100, "message": "This authorization code has been used: c0dec0de"},
        "code": 40110,
        "message": f"c0dec0de of {SECRET} is invalid",
        "error_description": f"c0dec0de of {SECRET} is invalid",
    }
    answer_everything(network, status=400, json=told)
    with caplog.at_level(logging.DEBUG), pytest.raises(NeedsReconnect) as refused:
        exchange(platform)
    assert_honest(refused.value)
    assert "c0dec0de" not in refused.value.detail
    assert SECRET not in caplog.text
    assert "c0dec0de" not in caplog.text


@each_platform
@pytest.mark.parametrize(
    "failure",
    [
        {"status": 500, "body": "oops"},
        {"status": 200, "json": {}},
        {"status": 200, "json": {"code": 0, "data": {}}},
        {"status": 200, "json": {"access_token": None, "code": 0, "data": {"access_token": ""}}},
        {"status": 200, "body": "<html>A login page</html>"},
        {"body": requests.ReadTimeout()},
    ],
    ids=str,
)
def test_what_is_no_answer_to_a_code_is_tried_again_later(
    network: responses.RequestsMock, platform: str, failure: Mapping[str, Any]
) -> None:
    answer_everything(network, **failure)
    with pytest.raises(Temporary):
        exchange(platform)


@each_platform
def test_tokens_that_nobody_can_renew_ask_for_a_person(platform: str) -> None:
    with pytest.raises(NeedsReconnect):
        AD_CONNECTORS[platform].refresh(tokens=Tokens(access_token=TOKEN), app=APP)
    with pytest.raises(NeedsReconnect):
        AD_CONNECTORS[platform].refresh(tokens=Tokens(TOKEN, "r3fresh"), app=None)


# --- reading ----------------------------------------------------------------------------------


def micro(platform: str, amount: str) -> str:
    return str(int(Decimal(amount) * 1_000_000)) if SETUPS[platform].is_micro else amount


@each_platform
def test_ad_accounts_come_with_currency_and_zone(network: responses.RequestsMock, platform: str) -> None:
    SETUPS[platform].accounts(network, [])
    (found,) = account(platform).fetch_ad_accounts()
    assert (found.id, found.name, found.currency) == ("1", "Shop", "EUR")
    assert found.time_zone == (ad_info_for(platform).zone or "Asia/Tokyo")


@each_platform
def test_days_are_exact_and_bear_their_window(network: responses.RequestsMock, platform: str) -> None:
    """0.1 and 12345678.123456 are no binary fractions."""
    told = [
        Told(dt.date(2026, 11, 1), "77", micro(platform, "0.1"), 1000, 20, 3),
        Told(dt.date(2026, 11, 30), "77", micro(platform, "12345678.123456"), 5, 0, 0),
        Told(dt.date(2026, 11, 30), "78", micro(platform, "0.000001")),
    ]
    SETUPS[platform].report(network, [told])
    found = known_days(days_of(platform))
    first = found["77", dt.date(2026, 11, 1)]
    assert (first.spend, first.impressions, first.clicks, first.conversions) == (Decimal("0.1"), 1000, 20, 3)
    assert first.campaign_name == "Campaign 77"
    assert first.attribution_window == ad_info_for(platform).window().key
    assert first.currency in {"", "EUR"}
    assert found["77", dt.date(2026, 11, 30)].spend == Decimal("12345678.123456")
    assert found["78", dt.date(2026, 11, 30)].spend == Decimal("0.000001")
    assert all(isinstance(day.spend, Decimal) for day in found.values())
    assert len(found) == 3


@each_platform
@given(st.decimals(min_value=0, max_value=Decimal(10) ** 9, places=6, allow_nan=False))
def test_no_amount_changes_on_its_way(platform: str, amount: Decimal) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
        SETUPS[platform].report(network, [[Told(FIRST, "77", micro(platform, f"{amount:f}"))]])
        (day,) = days_of(platform, FIRST, FIRST)
    assert day.spend == amount


@each_platform
def test_a_report_without_rows_is_no_days(network: responses.RequestsMock, platform: str) -> None:
    SETUPS[platform].report(network, [[]])
    assert days_of(platform) == []


@each_platform
def test_days_on_which_nothing_happened_are_absent(network: responses.RequestsMock, platform: str) -> None:
    idle = Told(FIRST, "77", "0", 0, 0, 0)
    shown = Told(dt.date(2026, 11, 2), "77", "0", 3, 0, 0)
    brought = Told(dt.date(2026, 11, 3), "77", "0", 0, 0, 2)
    SETUPS[platform].report(network, [[idle, shown, brought]])
    assert [day.date.day for day in days_of(platform)] == [2, 3]


@each_platform
def test_every_page_is_followed(network: responses.RequestsMock, platform: str) -> None:
    pages = [[Told(FIRST, str(100 + page), micro(platform, "1.50"))] for page in range(5)]
    SETUPS[platform].report(network, pages)
    found = days_of(platform, FIRST, FIRST)
    assert sorted(day.campaign_id for day in found) == ["100", "101", "102", "103", "104"]
    hosts = {str(call.request.url).split("/")[2] for call in network.calls}
    assert "elsewhere.example" not in hosts  # no answer decides whom the token is sent to


@each_platform
def test_a_list_that_does_not_end_is_an_error_and_not_a_part_of_it(
    network: responses.RequestsMock, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not SETUPS[platform].has_pages:
        return  # LinkedIn: see its own tests
    modules = {"meta_ads": meta, "pinterest_ads": pinterest, "tiktok_ads": tiktok, "x_ads": x}
    monkeypatch.setattr(modules[platform], "MOST_PAGES", 3)
    SETUPS[platform].report(network, [[Told(FIRST, str(100 + n), "1")] for n in range(5)])
    with pytest.raises(Rejected):
        days_of(platform, FIRST, FIRST)


@each_platform
def test_a_long_span_is_asked_for_in_pieces_that_neither_overlap_nor_miss_a_day(
    network: responses.RequestsMock, platform: str
) -> None:
    first, last = dt.date(2024, 2, 1), dt.date(2024, 4, 30)  # with a leap day
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    SETUPS[platform].report(network, [[Told(day, "77", micro(platform, "2")) for day in days]])
    found = days_of(platform, first, last)
    assert sorted(day.date for day in found) == days


@each_platform
def test_a_row_of_another_day_than_asked_for_is_refused(
    network: responses.RequestsMock, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever replaces a span of days must not be given what lies outside of it."""
    monkeypatch.setitem(globals(), "within", lambda *_args: True)
    SETUPS[platform].report(network, [[Told(dt.date(2025, 1, 1), "77", "1")]])
    with pytest.raises(Temporary):
        days_of(platform)


@each_platform
@pytest.mark.parametrize(
    "spend", ['"NaN"', '"-1"', '"1,50"', '"a lot"', "true", "-5", "[]", '"1e999"', "NaN"]
)
def test_an_amount_that_cannot_be_read_stops_the_report(
    network: responses.RequestsMock, platform: str, spend: str
) -> None:
    def respond(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        with responses.RequestsMock(assert_all_requests_are_fired=False) as inner:
            SETUPS[platform].report(inner, [[Told(FIRST, "77", "424242")]])
            body = requests.get(str(request.url), timeout=5).text
        return 200, {}, re.sub(r'"?424242"?', spend, body)

    network.add_callback("GET", re.compile(".*"), callback=respond)
    with pytest.raises(Temporary):
        days_of(platform, FIRST, FIRST)


@each_platform
def test_an_id_that_is_none_never_gets_into_an_address(platform: str) -> None:
    for wrong in ("", "1/../2", "act_1", "1?x=1", "１"):
        with pytest.raises(Rejected):
            list(account(platform).fetch_days(wrong, FIRST, LAST))


@each_platform
def test_a_span_that_ends_before_it_begins_is_a_mistake_of_ours(
    network: responses.RequestsMock, platform: str
) -> None:
    SETUPS[platform].report(network, [[]])
    with pytest.raises(ValueError, match="before"):
        days_of(platform, LAST, FIRST)


def test_a_report_that_says_two_things_of_one_day_is_refused() -> None:
    day = AdDay(FIRST, "77", "A", Decimal(1), 1, 1, None, "as_set")
    assert known_days([day, day]) == {("77", FIRST): day}
    with pytest.raises(Temporary):
        known_days([day, dataclasses.replace(day, spend=Decimal(2))])


# --- errors -----------------------------------------------------------------------------------


def assert_honest(error: ConnectorError) -> None:
    assert TOKEN not in error.detail
    assert SECRET not in error.detail
    assert len(error.detail) <= 1000


@each_platform
@each_read
@pytest.mark.parametrize(
    "failure",
    [
        {"status": 500, "body": "<h1>Internal Server Error</h1>"},
        {"status": 502, "body": "<html>Bad gateway</html>"},
        {"status": 503, "json": {"error": "maintenance"}},
        {"status": 418, "json": {"error": "teapot"}},
        {"status": 200, "body": "<html>A login page</html>"},
        {"status": 200, "body": "{"},
        {"status": 200, "body": ""},
        {"status": 200, "body": "[" * 100_000},
        {"status": 200, "json": {}},
        {"status": 200, "json": [{}]},
        {"status": 200, "json": [None]},
        {"status": 200, "json": {"data": None, "elements": None, "items": None, "code": 0}},
        {"status": 200, "json": {"data": [None], "elements": [None], "items": [None], "code": 0}},
        {"status": 200, "json": {"data": [{}], "elements": [{}], "items": [{}], "code": 0}},
        {"status": 200, "json": {"data": {"list": "x"}, "elements": "x", "items": "x", "code": 0}},
        {"body": requests.ConnectTimeout()},
        {"body": requests.ReadTimeout()},
        {"body": requests.ConnectionError(ConnectionResetError())},
    ],
    ids=lambda failure: str(failure)[:60],
)
def test_a_failed_read_is_an_error_and_never_an_empty_report(
    network: responses.RequestsMock, platform: str, read: str, failure: Mapping[str, Any]
) -> None:
    answer_everything(network, **failure)
    with pytest.raises(ConnectorError) as failed:
        READS[read](platform)
    assert not isinstance(failed.value, (OutcomeUnknown, RateLimited))
    assert_honest(failed.value)


@each_platform
@each_read
def test_a_server_that_is_down_is_asked_again_later(
    network: responses.RequestsMock, platform: str, read: str
) -> None:
    answer_everything(network, status=503, body="busy")
    with pytest.raises(Temporary):
        READS[read](platform)


@each_platform
@each_read
@pytest.mark.parametrize("status", [401, 0])
def test_a_dead_token_asks_for_a_person(
    network: responses.RequestsMock, platform: str, read: str, status: int
) -> None:
    """Also where it is said with another status: by Meta 400, by TikTok 200."""
    usual = {"meta_ads": 400, "tiktok_ads": 200}.get(platform, 401)
    answer_everything(network, status=status or usual, json=SETUPS[platform].unauthorized)
    with pytest.raises(NeedsReconnect) as lost:
        READS[read](platform)
    assert_honest(lost.value)


@each_platform
@each_read
def test_what_may_not_be_read_is_said_to_be_forbidden(
    network: responses.RequestsMock, platform: str, read: str
) -> None:
    answer_everything(network, status=403, json={"message": "no"})
    with pytest.raises(Rejected) as refused:
        READS[read](platform)
    assert refused.value.reason is RejectReason.FORBIDDEN


def header_values(name: str, at: dt.datetime) -> list[str]:
    epoch = f"{at.timestamp():.0f}"
    usage = [{"type": "ads_insights", "call_count": 100, "estimated_time_to_regain_access": 2}]
    return {
        "Retry-After": ["120", at.strftime("%a, %d %b %Y %H:%M:%S GMT")],
        "X-RateLimit-Reset": ["120", epoch],
        "x-rate-limit-reset": [epoch],
        "x-account-rate-limit-reset": [epoch],
        "X-Business-Use-Case-Usage": [json.dumps({"1": usage})],
    }[name]


@pytest.mark.parametrize(("platform", "name"), [(p, n) for p in PLATFORMS for n in SETUPS[p].rate_headers])
@each_read
def test_a_limit_says_when_in_each_form_of_its_header(platform: str, name: str, read: str) -> None:
    now = dt.datetime.now(dt.UTC)
    usual = {"meta_ads": 400, "tiktok_ads": 200}.get(platform, 429)
    for status in {429, usual}:
        for value in header_values(name, now + dt.timedelta(seconds=120)):
            with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
                answer_everything(
                    network, status=status, headers={name: value}, json=SETUPS[platform].limited
                )
                with pytest.raises(RateLimited) as limited:
                    READS[read](platform)
            assert abs((limited.value.retry_at - now).total_seconds() - 120) < 5


@each_platform
def test_a_limit_without_a_header_is_a_wait_all_the_same(
    network: responses.RequestsMock, platform: str
) -> None:
    answer_everything(network, status=429, json={})
    with pytest.raises(RateLimited) as limited:
        days_of(platform)
    assert limited.value.retry_at > dt.datetime.now(dt.UTC)


@each_platform
def test_a_failure_in_the_middle_is_not_the_end_of_the_report(
    network: responses.RequestsMock, platform: str
) -> None:
    """What came before it may have been given already; the error says that it is not all."""
    SETUPS[platform].report(network, [[Told(FIRST, "77", "1")]])
    count = 0

    def respond(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        nonlocal count
        count += 1
        if count > 3:
            return 500, {}, "oops"
        with responses.RequestsMock(assert_all_requests_are_fired=False) as inner:
            SETUPS[platform].report(inner, [[Told(FIRST, "77", "1")]])
            return 200, {}, requests.get(str(request.url), timeout=5).text

    network.reset()
    network.add_callback("GET", re.compile(".*"), callback=respond)
    with pytest.raises(Temporary):
        days_of(platform, dt.date(2026, 6, 1), LAST)


# --- secrets and borders ----------------------------------------------------------------------


@each_platform
@each_read
def test_no_secret_comes_into_a_log_line_or_an_error(
    network: responses.RequestsMock, platform: str, read: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even where a server quotes what it was sent."""

    def quote(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        sent = f"{dict(request.headers)} {request.url} {TOKEN} {SECRET}"
        return 400, {}, json.dumps({"error": {"message": sent}, "message": sent, "code": 40002})

    network.add_callback("GET", re.compile(".*"), callback=quote)
    with caplog.at_level(logging.DEBUG), pytest.raises(ConnectorError) as failed:
        READS[read](platform)
    assert_honest(failed.value)
    assert "connectors.http" in {record.name for record in caplog.records}
    assert TOKEN not in caplog.text
    assert SECRET not in caplog.text


@each_platform
def test_the_token_is_in_a_header_and_in_no_address(network: responses.RequestsMock, platform: str) -> None:
    SETUPS[platform].report(network, [[Told(FIRST, "77", "1")]])
    days_of(platform)
    assert network.calls
    for call in network.calls:
        assert TOKEN not in str(call.request.url)
        assert TOKEN in " ".join(map(str, call.request.headers.values()))


def test_a_token_of_tiktok_does_not_follow_a_redirect_to_another_host(
    network: responses.RequestsMock,
) -> None:
    away = "https://93.184.216.34/away"
    network.add("GET", re.compile("https://business-api.*"), status=302, headers={"Location": away}, body="")
    network.add("GET", re.compile(re.escape(away)), status=500)
    with pytest.raises(Temporary):
        days_of("tiktok_ads")
    assert all(
        "Access-Token" not in call.request.headers
        for call in network.calls
        if "93.184" in str(call.request.url)
    )


def test_files_of_the_family_are_reached_through_the_registry_alone() -> None:
    named = re.compile(
        r"connectors\.ads\.(?:linkedin|meta|pinterest|tiktok|x)\b|connectors\.ads import (?!base)"
    )
    apps = ("accounts", "analytics", "audience", "campaigns", "content_calendar", "engagement", "outbox")
    found = [
        str(path.relative_to(ROOT))
        for place in (*apps, "core", "metrics", "smmapp")
        for path in (ROOT / place).rglob("*.py")
        if named.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


# --- small print ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [("12.340", "12.34"), (0, "0"), (7, "7"), (Decimal("0.1"), "0.1"), ("1e3", "1000"), (" 5 ", "5")],
)
def test_amounts_are_read_as_they_are_written(value: object, expected: str) -> None:
    assert reading.amount(value) == Decimal(expected)
    assert reading.micro_amount(1_234_567) == Decimal("1.234567")


@pytest.mark.parametrize(
    "value",
    [0.1, "", None, "-", "0x1", "1_000", "∞", True, "9" * 30, 10**16, Decimal("Infinity"), Decimal("-0.01")],
)
def test_what_is_no_amount_is_refused(value: object) -> None:
    with pytest.raises(Temporary):
        reading.amount(value)


def test_numbers_of_json_stay_what_they_were() -> None:
    response = requests.Response()
    response._content, response.status_code = b'{"a": 0.1, "b": [1.50], "c": 3}', 200
    response.request = requests.PreparedRequest()
    assert http.json_object(response, exact=True) == {"a": Decimal("0.1"), "b": [Decimal("1.50")], "c": 3}
    assert http.json_object(response)["a"] == 0.1


def test_zones_and_currencies_that_are_none_are_not_known() -> None:
    assert reading.zone("Mars/Olympus", None, "Etc/GMT-9") == "Etc/GMT-9"
    assert reading.zone("../../etc/passwd", 9) == ""
    assert [reading.currency(one) for one in ("JPY", "UNK", "yen", None, "EURO")] == ["JPY", "", "", "", ""]


def test_a_campaign_without_a_name_goes_by_its_id() -> None:
    assert reading.name("  Spring\n\0sale ", "77") == "Spring sale"
    assert reading.name("", "77") == reading.name(None, "77") == "77"
    assert reading.name("\ud800", "77") == "?"


def test_linkedin_is_asked_in_few_enough_days() -> None:
    assert linkedin.SPAN_DAYS * 1_000 < linkedin.MOST_ROWS
