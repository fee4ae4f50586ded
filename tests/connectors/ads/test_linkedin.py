"""LinkedIn's ads: the query as it is written, reports that are cut off, names, tokens."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from connectors.ads import linkedin
from connectors.ads.linkedin import LinkedInAds
from connectors.base import AppCredentials, Tokens
from connectors.errors import NeedsReconnect, RateLimited, Rejected, RejectReason, Temporary

API = "https://api.linkedin.com/rest"
APP = AppCredentials("4711", "app-secret-app-secret")
TOKEN = "AQtokentokentoken"
FIRST, LAST = dt.date(2026, 11, 1), dt.date(2026, 11, 8)
SHOP = {"id": 507, "name": "Shop", "currency": "JPY", "status": "ACTIVE", "type": "BUSINESS", "test": False}


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{API}/adAccounts/507", json=SHOP)
        yield mock


def client(app: AppCredentials | None = APP) -> LinkedInAds:
    return LinkedInAds(tokens=Tokens(TOKEN), app=app)


def point(day: int) -> dict[str, int]:
    return {"year": 2026, "month": 11, "day": day}


def element(day: int = 1, campaign: str = "77", **values: Any) -> dict[str, Any]:
    return {
        "pivotValues": [f"urn:li:sponsoredCampaign:{campaign}"],
        "dateRange": {"start": point(day), "end": point(day)},
        "costInLocalCurrency": "1200.123456789",
        "impressions": 40,
        "clicks": 3,
        "externalWebsiteConversions": 1,
        **values,
    }


def tell(network: responses.RequestsMock, *elements: dict[str, Any], names: Any = None) -> None:
    network.get(re.compile(f"{API}/adAnalytics.*"), json={"paging": {}, "elements": list(elements)})
    told = {"elements": [{"id": 77, "name": "Spring"}]} if names is None else names
    network.get(re.compile(f"{API}/adAccounts/507/adCampaigns.*"), json=told)


def test_the_report_is_asked_for_in_linkedins_own_notation(
    network: responses.RequestsMock, linkedin_reporting: dict[str, Any]
) -> None:
    tell(network, element())
    (day,) = client().fetch_days("507", FIRST, LAST)
    (call,) = [one for one in network.calls if "adAnalytics" in str(one.request.url)]
    sent = dict(part.split("=", 1) for part in str(call.request.url).partition("?")[2].split("&"))
    assert sent == {
        "q": "analytics",
        "pivot": "CAMPAIGN",
        "timeGranularity": "DAILY",
        "dateRange": "(start:(year:2026,month:11,day:1),end:(year:2026,month:11,day:8))",
        "accounts": "List(urn%3Ali%3AsponsoredAccount%3A507)",
        "fields": linkedin.FIELDS,
    }
    described = linkedin_reporting["paths"]["/adAnalytics"]["get"]["parameters"]
    assert set(sent) <= {one["name"] for one in described if one["in"] == "query"}
    assert {one["name"] for one in described if one["in"] == "header"} <= set(call.request.headers)
    (example,) = {one["example"] for one in described if one["name"] == "accounts"}
    assert re.sub(r"\{\{.*?\}\}", "507", example) == sent["accounts"]
    assert day.campaign_name == "Spring"
    assert str(day.spend) == "1200.123456789"
    assert day.currency == "JPY"


def test_ad_accounts_and_campaigns_are_as_linkedin_describes_them(
    network: responses.RequestsMock, linkedin_campaigns: dict[str, Any]
) -> None:
    paths = linkedin_campaigns["paths"]
    assert "get" in paths["/adAccounts"]
    assert "get" in paths["/adAccounts/{AdAccountsId}/adCampaigns"]
    properties = linkedin_campaigns["components"]["schemas"]["AdAccount"]["properties"]
    assert set(SHOP) <= set(properties)
    network.get(re.compile(f"{API}/adAccounts\\?.*"), json={"elements": [SHOP]})
    (found,) = client().fetch_ad_accounts()
    assert (found.id, found.currency, found.time_zone) == ("507", "JPY", "UTC")


def test_a_list_of_ad_accounts_goes_on_with_its_token(network: responses.RequestsMock) -> None:
    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        found = re.search(r"pageToken=(\w+)", str(request.url))
        page = int(found.group(1)) if found else 0
        metadata = {"nextPageToken": str(page + 1)} if page < 2 else {}
        return 200, {}, json.dumps({"elements": [SHOP | {"id": 507 + page}], "metadata": metadata})

    network.add_callback("GET", re.compile(f"{API}/adAccounts\\?.*"), callback=answer)
    assert [one.id for one in client().fetch_ad_accounts()] == ["507", "508", "509"]


def test_a_report_that_is_cut_off_is_asked_for_in_halves(
    network: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linkedin, "MOST_ROWS", 3)

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        first, last = (int(n) for n in re.findall(r"day:(\d+)", str(request.url)))
        rows = [element(day) for day in range(first, last + 1)][:3]
        return 200, {}, json.dumps({"elements": rows})

    network.add_callback("GET", re.compile(f"{API}/adAnalytics.*"), callback=answer)
    network.get(re.compile(f"{API}/adAccounts/507/adCampaigns.*"), json={"elements": []})
    assert [day.date.day for day in client().fetch_days("507", FIRST, LAST)] == list(range(1, 9))


def test_one_day_that_is_cut_off_is_an_error(
    network: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linkedin, "MOST_ROWS", 1)
    tell(network, element())
    with pytest.raises(Rejected):
        list(client().fetch_days("507", FIRST, FIRST))


@pytest.mark.parametrize("status", [400, 403, 404])
def test_campaigns_whose_names_are_not_told_go_by_their_ids(
    network: responses.RequestsMock, status: int
) -> None:
    network.get(re.compile(f"{API}/adAnalytics.*"), json={"elements": [element()]})
    network.get(re.compile(f"{API}/adAccounts/507/adCampaigns.*"), status=status, json={"message": "no"})
    (day,) = client().fetch_days("507", FIRST, LAST)
    assert day.campaign_name == "77"


def test_an_ad_account_that_may_not_be_seen_is_no_empty_report(network: responses.RequestsMock) -> None:
    """LinkedIn gives an empty report to whoever has no access."""
    network.replace("GET", f"{API}/adAccounts/507", status=403, json={"message": "no"})
    tell(network)
    with pytest.raises(Rejected) as refused:
        list(client().fetch_days("507", FIRST, LAST))
    assert refused.value.reason is RejectReason.FORBIDDEN


@pytest.mark.parametrize(
    "wrong",
    [
        {"pivotValues": []},
        {"pivotValues": ["urn:li:sponsoredCreative:1"]},
        {"pivotValues": None},
        {"dateRange": {"start": {"year": 2026, "month": 13, "day": 1}, "end": {}}},
        {"dateRange": None},
        {"costInLocalCurrency": None},
        {"dateRange": {"start": point(1), "end": point(2)}},
    ],
    ids=str,
)
def test_a_row_that_cannot_be_read_stops_the_report(
    network: responses.RequestsMock, wrong: dict[str, Any]
) -> None:
    tell(network, element(**wrong))
    with pytest.raises(Temporary):
        list(client().fetch_days("507", FIRST, LAST))


@pytest.mark.parametrize(
    ("status", "expected"), [(426, Rejected), (401, NeedsReconnect), (429, RateLimited), (500, Temporary)]
)
def test_errors(network: responses.RequestsMock, status: int, expected: type[Exception]) -> None:
    network.get(re.compile(f"{API}/adAccounts\\?.*"), status=status, json={"status": status, "message": "no"})
    with pytest.raises(expected) as failed:
        client().fetch_ad_accounts()
    if status == 426:
        assert linkedin.API_VERSION in str(failed.value)


def test_the_version_can_be_set_with_the_app(network: responses.RequestsMock) -> None:
    network.get(re.compile(f"{API}/adAccounts\\?.*"), json={"elements": []})
    client(AppCredentials("1", "s", extra={"version": "202712"})).fetch_ad_accounts()
    client(AppCredentials("1", "s", extra={"version": "latest"})).fetch_ad_accounts()
    sent = [call.request.headers["LinkedIn-Version"] for call in network.calls]
    assert sent == ["202712", linkedin.API_VERSION]


def test_a_refresh_token_is_kept_and_replaced(network: responses.RequestsMock) -> None:
    url = "https://www.linkedin.com/oauth/v2/accessToken"
    told = {
        "access_token": "t1",
        "expires_in": 5_184_000,
        "refresh_token": "r1",
        "refresh_token_expires_in": 31_536_000,
        "scope": "r_ads,r_ads_reporting",
    }
    network.post(url, json=told)
    grant = LinkedInAds.exchange_code(app=APP, code="c", code_verifier="", redirect_uri="https://x.example/")
    assert grant.scopes == ("r_ads", "r_ads_reporting")
    network.replace("POST", url, json={"access_token": "t2", "expires_in": 5_184_000})
    renewed = LinkedInAds.refresh(tokens=grant.tokens, app=APP)
    assert (renewed.access_token, renewed.refresh_token) == ("t2", "r1")
    assert renewed.ends_at == grant.tokens.ends_at  # a year after the sign-in
    assert renewed.ends_at is not None
    assert "refresh_token=r1" in str(network.calls[-1].request.body)
    network.replace(
        "POST", url, status=400, json={"error": "invalid_grant", "error_description": "r1 revoked"}
    )
    with pytest.raises(NeedsReconnect):
        LinkedInAds.refresh(tokens=grant.tokens, app=APP)


def test_half_of_the_permissions_is_not_enough(network: responses.RequestsMock) -> None:
    url = "https://www.linkedin.com/oauth/v2/accessToken"
    network.post(url, json={"access_token": "t1", "expires_in": 1000, "scope": "r_ads"})
    with pytest.raises(Rejected) as refused:
        LinkedInAds.exchange_code(app=APP, code="c", code_verifier="", redirect_uri="https://x.example/")
    assert refused.value.reason is RejectReason.FORBIDDEN
