"""X's ads: signatures, the sign-in, days of a zone as a row of numbers, placements, limits."""

from __future__ import annotations

import datetime as dt
import re
import types
import zoneinfo
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st
from oauthlib.oauth1.rfc5849 import signature

from connectors.ads import x
from connectors.ads.base import AdDay
from connectors.ads.x import INFO, XAds
from connectors.base import AppCredentials, Tokens
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from tests.connectors.ads.x_server import ACCOUNT, API, KEY, OAUTH, SECRET, Hour, XServer, refusal

APP = AppCredentials(KEY, SECRET)
BACK = "https://smm.example.com/campaigns/ads/callback/"
TOKEN, TOKEN_SECRET = "6253282-token", "tokensecrettokensecret"
FIRST = dt.date(2026, 11, 1)
STATS = f"{API}/stats/accounts/{ACCOUNT}"


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def client(app: AppCredentials | None = APP) -> XAds:
    return XAds(tokens=Tokens(TOKEN, extra={"token_secret": TOKEN_SECRET}), app=app)


def server(network: responses.RequestsMock, *hours: Hour, **changes: Any) -> XServer:
    made = XServer(hours=list(hours), tokens={TOKEN: TOKEN_SECRET}, **changes)
    made.listen(network)
    return made


def at(date: dt.date, hour: int = 12, zone: str = "Asia/Tokyo") -> dt.datetime:
    local = dt.datetime.combine(date, dt.time(hour), zoneinfo.ZoneInfo(zone))
    return local.astimezone(dt.UTC)


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def days(last: dt.date = FIRST, *, window: str = "") -> list[AdDay]:
    return list(client().fetch_days(ACCOUNT, FIRST, last, window=window))


# An answer as the documents have it, by hand where the server would never tell such a thing.


def metrics(**changes: Any) -> dict[str, Any]:
    told = {"billed_charge_local_micro": [1_500_000], "impressions": [10], "clicks": [1], "follows": None}
    return {**told, **changes}


def answer(*told: tuple[str, Any], length: Any = 1, start: str = "2026-10-31T15:00:00Z") -> dict[str, Any]:
    return {
        "data_type": "stats",
        "time_series_length": length,
        "data": [{"id": one, "id_data": [{"segment": None, "metrics": given}]} for one, given in told],
        "request": {"params": {"start_time": start}},
    }


def tell(network: responses.RequestsMock, costs: Any, web: Any = None, **account: Any) -> None:
    """One campaign, "8wku2", that was active at one placement."""
    facts = {"id": ACCOUNT, "name": "Shop", "timezone": "Asia/Tokyo", "timezone_switch_at": None, **account}
    network.get(f"{API}/accounts/{ACCOUNT}", json={"data": facts})
    active = [{"entity_id": "8wku2", "placements": ["ALL_ON_TWITTER"]}]
    network.get(re.compile(f"{STATS}/active_entities\\?.*"), json={"data": active})
    listed = [{"id": "8wku2", "name": "Spring", "currency": "JPY"}]
    network.get(
        re.compile(f"{API}/accounts/{ACCOUNT}/campaigns\\?.*"), json={"data": listed, "next_cursor": None}
    )
    matched = responses.matchers.query_param_matcher
    is_web = matched({"metric_groups": "WEB_CONVERSION"}, strict_match=False)
    told = web if web is not None else answer(("8wku2", {"conversion_purchases": None}))
    network.get(STATS, match=[is_web], **(told if "status" in told else {"json": told}))
    is_cost = matched({"metric_groups": "BILLING,ENGAGEMENT"}, strict_match=False)
    network.get(STATS, match=[is_cost], json=costs)


# --- signing ----------------------------------------------------------------------------------


def test_what_is_sent_is_signed_as_oauthlib_itself_finds_right(network: responses.RequestsMock) -> None:
    """Also with the commas of a query. The server of these tests works each signature out by itself."""
    server(network, Hour("a1", at(FIRST), 5), Hour("b2", at(FIRST), 5))
    assert len(days()) == 2
    for call in network.calls:
        uri, headers = str(call.request.url), {"Authorization": call.request.headers["Authorization"]}
        given = dict(
            signature.collect_parameters(headers=headers, uri_query="", exclude_oauth_signature=False)
        )
        signed: Any = types.SimpleNamespace(
            http_method="GET",
            uri=uri.partition("?")[0],
            params=signature.collect_parameters(headers=headers, uri_query=urlsplit(uri).query),
            signature=given["oauth_signature"],
        )
        assert given["oauth_signature_method"] == "HMAC-SHA1"
        assert signature.verify_hmac_sha1(signed, SECRET, TOKEN_SECRET)
        assert not signature.verify_hmac_sha1(signed, SECRET, "anothersecret")
        said = f"{uri} {headers}"
        assert SECRET not in said
        assert TOKEN_SECRET not in said


def test_a_token_without_its_secret_or_an_app_without_its_own_is_refused(
    network: responses.RequestsMock,
) -> None:
    made = server(network)
    for wrong in (
        XAds(tokens=Tokens(TOKEN), app=APP),
        XAds(tokens=Tokens(TOKEN, extra={"token_secret": "x"}), app=APP),
        XAds(tokens=Tokens(TOKEN, extra={"token_secret": TOKEN_SECRET}), app=AppCredentials(KEY, "x")),
    ):
        with pytest.raises(NeedsReconnect):
            wrong.fetch_ad_accounts()
    assert made.calls
    made.calls.clear()
    with pytest.raises(NeedsReconnect):
        client(None).fetch_ad_accounts()
    assert made.calls == []  # nothing can be signed


# --- signing in -------------------------------------------------------------------------------


def test_a_person_comes_back_with_a_verifier_that_becomes_a_token(network: responses.RequestsMock) -> None:
    made = server(network)
    start = XAds.authorize_url(app=APP, redirect_uri=BACK, state="ours")
    back = made.allow(start.url)
    assert start.state == back["oauth_token"]
    assert "secretofrequest" not in start.url
    grant = XAds.exchange_code(
        app=APP, code=back["oauth_verifier"], code_verifier=start.code_verifier, redirect_uri=BACK
    )
    (found,) = XAds(tokens=grant.tokens, app=APP).fetch_ad_accounts()
    assert (found.id, found.name, found.currency) == (ACCOUNT, "API McTestface", "EUR")
    assert found.time_zone == "Asia/Tokyo"
    assert grant.tokens.expires_at is None
    assert "oauth" not in "".join(urlsplit(str(call.request.url)).query for call in network.calls)
    with pytest.raises(NeedsReconnect):  # it serves once
        XAds.exchange_code(
            app=APP, code=back["oauth_verifier"], code_verifier=start.code_verifier, redirect_uri=BACK
        )
    with pytest.raises(NeedsReconnect):
        XAds.refresh(tokens=grant.tokens, app=APP)


def test_a_verifier_of_another_sign_in_is_refused(network: responses.RequestsMock) -> None:
    made = server(network)
    mine, other = (XAds.authorize_url(app=APP, redirect_uri=BACK, state="") for _n in range(2))
    made.allow(mine.url)
    code = made.allow(other.url)["oauth_verifier"]
    for verifier in (mine.code_verifier, "", "nothing"):
        with pytest.raises(NeedsReconnect):
            XAds.exchange_code(app=APP, code=code, code_verifier=verifier, redirect_uri=BACK)


def test_a_redirect_address_that_x_does_not_know_is_told_apart_from_wrong_keys(
    network: responses.RequestsMock,
) -> None:
    server(network)
    with pytest.raises(Rejected) as refused:
        XAds.authorize_url(app=APP, redirect_uri="https://elsewhere.example/", state="")
    assert refused.value.reason is RejectReason.INVALID
    assert "415 Callback URL not approved" in refused.value.detail
    with pytest.raises(NeedsReconnect):
        XAds.authorize_url(app=AppCredentials(KEY, "wrong"), redirect_uri=BACK, state="")


@pytest.mark.parametrize(
    "body",
    [
        "oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=false",
        "oauth_token=t&oauth_token_secret=s",
        "oauth_token=t&oauth_callback_confirmed=true",
        "oauth_token=&oauth_token_secret=s&oauth_callback_confirmed=true",
        "<html>Log in</html>",
        "",
    ],
)
def test_a_request_token_that_is_none_sends_nobody_anywhere(
    network: responses.RequestsMock, body: str
) -> None:
    network.post(f"{OAUTH}/request_token", body=body)
    with pytest.raises(Temporary):
        XAds.authorize_url(app=APP, redirect_uri=BACK, state="")


@pytest.mark.parametrize(("status", "expected"), [(429, RateLimited), (503, Temporary), (200, Temporary)])
def test_what_is_no_answer_to_a_sign_in_is_tried_again(
    network: responses.RequestsMock, status: int, expected: type[ConnectorError]
) -> None:
    network.post(re.compile(f"{OAUTH}/.*"), status=status, body="busy")
    with pytest.raises(expected):
        XAds.authorize_url(app=APP, redirect_uri=BACK, state="")
    with pytest.raises(expected):
        XAds.exchange_code(app=APP, code="c", code_verifier="t:s", redirect_uri=BACK)


# --- ad accounts ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("funding", "expected"),
    [
        ({"json": {"data": [{"currency": "EUR"}, {"currency": "EUR"}]}}, "EUR"),
        ({"json": {"data": [{"currency": "EUR"}, {"currency": "USD"}]}}, ""),
        ({"json": {"data": []}}, ""),
        ({"status": 403, "json": {"errors": [{"code": "ACTION_NOT_ALLOWED", "message": "no"}]}}, ""),
    ],
)
def test_the_currency_is_that_of_what_pays(
    network: responses.RequestsMock, funding: dict[str, Any], expected: str
) -> None:
    row = {"id": ACCOUNT, "name": None, "timezone": "Mars/Olympus"}
    network.get(re.compile(f"{API}/accounts\\?.*"), json={"data": [row], "next_cursor": None})
    network.get(re.compile(f"{API}/accounts/{ACCOUNT}/funding_instruments.*"), **funding)
    (found,) = client().fetch_ad_accounts()
    assert (found.name, found.currency, found.time_zone) == (ACCOUNT, expected, "")


def test_currencies_of_very_many_accounts_are_not_waited_for(
    network: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(x, "MOST_CURRENCIES", 2)
    rows = [{"id": f"a{n}", "name": "Shop", "timezone": "UTC"} for n in range(5)]
    pages = [{"data": rows[:3], "next_cursor": "c-1"}, {"data": rows[3:], "next_cursor": None}]
    for page in pages:
        network.get(re.compile(f"{API}/accounts\\?.*"), json=page)
    network.get(re.compile(f"{API}/accounts/a\\d/.*"), json={"data": [{"currency": "EUR"}]})
    assert [one.currency for one in client().fetch_ad_accounts()] == ["EUR", "EUR", "", "", ""]
    listed = [query_of(str(call.request.url)) for call in network.calls[:2]]
    assert listed == [{"count": "1000"}, {"count": "1000", "cursor": "c-1"}]


# --- days -------------------------------------------------------------------------------------


def test_the_report_is_asked_for_as_documented(network: responses.RequestsMock) -> None:
    made = server(network, Hour("8wku2", at(FIRST), 1_230_000, 40, 3, 1, 2), names={"8wku2": "Spring"})
    (day,) = days(dt.date(2026, 11, 8))
    assert made.calls[0] == f"{API}/accounts/{ACCOUNT}"
    active, campaigns, *reports = (query_of(url) for url in made.calls[1:])
    assert active == {"entity": "CAMPAIGN", "start_time": "2026-11-01", "end_time": "2026-11-10"}
    assert campaigns == {"campaign_ids": "8wku2", "with_deleted": "true", "count": "1000"}
    spans = [(one["start_time"], one["end_time"], one["metric_groups"]) for one in reports]
    assert spans == [
        ("2026-11-01", "2026-11-07", "BILLING,ENGAGEMENT"),
        ("2026-11-01", "2026-11-07", "WEB_CONVERSION"),
        ("2026-11-07", "2026-11-09", "BILLING,ENGAGEMENT"),
        ("2026-11-07", "2026-11-09", "WEB_CONVERSION"),
    ]
    assert {(one["entity"], one["granularity"], one["placement"]) for one in reports} == {
        ("CAMPAIGN", "DAY", "ALL_ON_TWITTER")
    }
    assert (day.date, day.campaign_name, day.currency) == (FIRST, "Spring", "EUR")
    assert (day.spend, day.impressions, day.clicks, day.conversions) == (Decimal("1.23"), 40, 3, 3)


def test_placements_of_a_campaign_add_up(network: responses.RequestsMock) -> None:
    server(
        network,
        Hour("a", at(FIRST), 1, 10, 1, 1),
        Hour("a", at(FIRST), 2, 20, 2, 0, 1, "TREND"),
        Hour("a", at(FIRST), 4, 40, 4, 0, 0, "SPOTLIGHT"),
        Hour("b", at(FIRST), 8, 80, 8, 0, 0, "SPOTLIGHT"),
    )
    found = {day.campaign_id: day for day in days()}
    one = found["a"]
    assert (one.spend, one.impressions, one.clicks, one.conversions) == (Decimal("0.000007"), 70, 7, 2)
    assert found["b"].spend == Decimal("0.000008")
    assert len(found) == 2


def test_only_what_was_active_is_asked_for_twenty_at_a_time(network: responses.RequestsMock) -> None:
    hours = [Hour(f"c{n:02}", at(FIRST), n + 1) for n in range(45)]
    made = server(network, *hours, Hour("old", at(dt.date(2026, 9, 1)), 99))
    assert len(days()) == 45
    asked = [query_of(url)["entity_ids"].split(",") for url in made.calls if "entity_ids" in url]
    assert [len(ids) for ids in asked] == [20, 20, 20, 20, 5, 5]
    assert "old" not in {one for ids in asked for one in ids}


def test_an_account_without_active_campaigns_has_no_report(network: responses.RequestsMock) -> None:
    made = server(network)
    assert days(dt.date(2026, 11, 30)) == []
    assert len(made.calls) == 2


def test_more_campaigns_than_the_limit_lets_us_read_are_an_error(
    network: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    server(network, *(Hour(f"c{n}", at(FIRST), 1) for n in range(4)))
    monkeypatch.setattr(x, "MOST_CAMPAIGNS", 3)
    with pytest.raises(Rejected):
        days()
    assert x.MOST_CAMPAIGNS == 3
    calls = -(-500 // x.IDS_PER_CALL) * -(-30 // x.SPAN_DAYS) * 2
    assert calls <= INFO.rates[0].limit


def test_null_is_nothing_and_a_campaign_that_is_not_listed_goes_by_its_id(
    network: responses.RequestsMock,
) -> None:
    tell(network, answer(("8wku2", metrics(impressions=None, clicks=[None]))))
    network.replace(
        "GET", re.compile(f"{API}/accounts/{ACCOUNT}/campaigns\\?.*"), json={"data": [], "next_cursor": None}
    )
    (day,) = days()
    assert (day.spend, day.impressions, day.clicks, day.conversions) == (Decimal("1.5"), 0, 0, 0)
    assert (day.campaign_name, day.currency) == ("8wku2", "")


def test_a_campaign_that_says_nothing_of_a_day_has_none(network: responses.RequestsMock) -> None:
    nothing = dict.fromkeys(("billed_charge_local_micro", "impressions", "clicks"))
    tell(network, answer(("8wku2", nothing)))
    assert days() == []


# As the Ads API team has shown it (twittercommunity.com/t/78370), with sale amounts in millionths.
ANNOUNCED = {
    "conversion_purchases": {
        "order_quantity_engagement": [5_000_000],
        "sale_amount_engagement": [100_000_000],
        "sale_amount_view": [177_990_000],
        "post_view": [2],
        "order_quantity": [15_000_000],
        "assisted": None,
        "post_engagement": [1],
        "sale_amount": [277_990_000],
        "metric": [3],
        "order_quantity_view": [10_000_000],
    },
    "conversion_sign_ups": {"post_view": None, "post_engagement": [4], "metric": [4], "sale_amount": None},
    "conversion_add_to_carts": {"post_view": [50], "post_engagement": [50], "metric": [100]},
    "conversion_custom": None,
}


@pytest.mark.parametrize(("window", "expected"), [("", 7), ("as_set", 7), ("as_set_engagement", 5)])
def test_conversions_are_those_that_x_adds_up_itself(
    network: responses.RequestsMock, window: str, expected: int
) -> None:
    tell(network, answer(("8wku2", metrics())), answer(("8wku2", ANNOUNCED)))
    (day,) = days(window=window)
    assert day.conversions == expected
    assert day.attribution_window == (window or "as_set")


def test_costs_do_not_wait_for_conversions_that_are_refused(network: responses.RequestsMock) -> None:
    refused = {"status": 403, "json": {"errors": [{"code": "FEATURE_NOT_AVAILABLE", "message": "no"}]}}
    tell(network, answer(("8wku2", metrics())), refused)
    (day,) = days()
    assert (day.spend, day.conversions) == (Decimal("1.5"), None)


def test_conversions_that_cannot_be_read_now_stop_the_report(network: responses.RequestsMock) -> None:
    tell(network, answer(("8wku2", metrics())), {"status": 503, "body": "busy"})
    with pytest.raises(Temporary):
        days()


@pytest.mark.parametrize(
    "told",
    [
        answer(),
        answer(("other", metrics())),
        answer(("8wku2", metrics()), ("other", metrics())),
        answer(("8wku2", metrics()), ("8wku2", metrics())),
        answer(("8wku2", metrics(billed_charge_local_micro=[1, 2]))),
        answer(("8wku2", metrics(billed_charge_local_micro=[]))),
        answer(("8wku2", metrics(billed_charge_local_micro=1))),
        answer(("8wku2", metrics(clicks="5"))),
        answer(("8wku2", {"impressions": [1]})),
        answer(("8wku2", None)),
        answer(("8wku2", metrics()), length=0),
        answer(("8wku2", metrics()), length=None),
        answer(("8wku2", metrics()), length=10**9),
        {**answer(("8wku2", metrics())), "data": [{"id": "8wku2", "id_data": []}]},
        {**answer(("8wku2", metrics())), "data": [{"id": "8wku2", "id_data": [{}, {}]}]},
        answer(("8wku2", metrics()), start="yesterday"),
    ],
)
def test_a_report_that_does_not_add_up_is_none(network: responses.RequestsMock, told: Any) -> None:
    tell(network, told)
    with pytest.raises(Temporary):
        days()


@pytest.mark.parametrize("web", [{"conversion_purchases": {"post_view": [1]}}, {"conversion_custom": [1]}])
def test_conversions_of_another_shape_stop_the_report(network: responses.RequestsMock, web: Any) -> None:
    tell(network, answer(("8wku2", metrics())), answer(("8wku2", web)))
    with pytest.raises(Temporary):
        days()


@pytest.mark.parametrize(
    ("start", "switched", "is_taken"),
    [
        ("2026-10-31T15:00:00Z", None, True),  # midnight in Tokyo
        ("2026-10-31T14:00:00Z", None, True),  # by the clock of another season
        ("2026-11-01T00:00:00Z", None, False),  # dates were taken for those of UTC
        ("2026-10-30T15:00:00Z", None, False),
        ("2026-11-01T07:00:00Z", None, False),  # midnight in Los Angeles
        ("2026-11-01T07:00:00Z", "2026-11-20T15:00:00Z", True),  # where the account was until then
        ("2026-11-01T07:00:00Z", "2026-10-20T15:00:00Z", False),
    ],
)
def test_days_that_begin_elsewhere_are_refused(
    network: responses.RequestsMock, start: str, switched: str | None, is_taken: bool
) -> None:
    told = answer(("8wku2", metrics()), start=start)
    tell(network, told, answer(("8wku2", {}), start=start), timezone_switch_at=switched)
    if is_taken:
        assert len(days()) == 1
        return
    with pytest.raises(Temporary):
        days()


# --- days where the clocks change -------------------------------------------------------------

ZONES = ("Europe/Berlin", "America/Los_Angeles", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago")


def local_days(hours: list[Hour], zone: str) -> dict[tuple[str, dt.date], int]:
    found: dict[tuple[str, dt.date], int] = {}
    for one in hours:
        key = (one.campaign, one.at.astimezone(zoneinfo.ZoneInfo(zone)).date())
        found[key] = found.get(key, 0) + one.micro
    return found


@given(st.data())
def test_what_was_spent_in_an_hour_is_on_the_day_of_that_hour(data: st.DataObject) -> None:
    """In every zone and season. No call is about more than seven times 24 hours, which the server checks."""
    zone = data.draw(st.sampled_from(ZONES))
    first = data.draw(st.dates(dt.date(2025, 1, 1), dt.date(2026, 12, 1)))
    last = first + dt.timedelta(days=29)
    begins = dt.datetime.combine(first, dt.time(), zoneinfo.ZoneInfo(zone)).astimezone(dt.UTC)
    offsets = st.integers(0, 29 * 24 - 2)
    drawn = data.draw(
        st.lists(st.tuples(st.sampled_from("ab"), offsets, st.integers(1, 10**12)), min_size=1, max_size=8)
    )
    hours = [Hour(name, begins + dt.timedelta(hours=offset), micro) for name, offset, micro in drawn]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
        server(network, *hours, zone=zone)
        found = {(day.campaign_id, day.date): day.spend for day in client().fetch_days(ACCOUNT, first, last)}
    assert found == {key: Decimal(micro).scaleb(-6) for key, micro in local_days(hours, zone).items()}


@pytest.mark.parametrize(
    ("zone", "first"),
    [("Europe/Berlin", dt.date(2026, 10, 23)), ("America/Los_Angeles", dt.date(2026, 10, 29))],
)
def test_days_of_24_hours_are_taken_apart_where_one_has_25(
    network: responses.RequestsMock, zone: str, first: dt.date
) -> None:
    """Where X would count so, six days are told as seven; each by itself is right."""
    last = first + dt.timedelta(days=5)
    begins = dt.datetime.combine(first, dt.time(), zoneinfo.ZoneInfo(zone)).astimezone(dt.UTC)
    hours = [Hour("a", begins + dt.timedelta(hours=n), n + 1, 1) for n in range(6 * 24 + 1)]
    made = server(network, *hours, zone=zone, days_are="24 hours")
    found = {("a", day.date): day for day in client().fetch_days(ACCOUNT, first, last)}
    assert {key: day.spend for key, day in found.items()} == {
        key: Decimal(micro).scaleb(-6) for key, micro in local_days(hours, zone).items()
    }
    assert sorted(day.impressions or 0 for day in found.values()) == [24, 24, 24, 24, 24, 25]
    assert len(made.calls) < 20


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "expected", "reason"),
    [
        (401, "UNAUTHORIZED_ACCESS", NeedsReconnect, None),
        (403, "UNAUTHORIZED_CLIENT_APPLICATION", Rejected, RejectReason.FORBIDDEN),
        (403, "ACCOUNT_NOT_FOUND", Rejected, RejectReason.FORBIDDEN),
        (404, "NOT_FOUND", Rejected, RejectReason.NOT_FOUND),
        (400, "INVALID_PARAMETER", Rejected, RejectReason.INVALID),
        (408, "CANCELLED_REQUEST", Temporary, None),
        (423, "LOCK_ACQUISITION_TIMEOUT", Temporary, None),
        (429, "TOO_MANY_REQUESTS", RateLimited, None),
        (500, "INTERNAL_ERROR", Temporary, None),
        (503, "OVER_CAPACITY", Temporary, None),
    ],
)
def test_refusals_say_what_to_do_next_and_in_xs_words(
    network: responses.RequestsMock,
    status: int,
    code: str,
    expected: type[ConnectorError],
    reason: RejectReason | None,
) -> None:
    made = server(network)
    made.fault = lambda _request: refusal(status, code, f"not with {TOKEN} of {TOKEN_SECRET} and {SECRET}")
    with pytest.raises(expected) as failed:
        days()
    assert getattr(failed.value, "reason", None) is reason
    assert failed.value.detail.startswith(f"HTTP {status} {code} not with")
    assert not any(one in failed.value.detail for one in (TOKEN, TOKEN_SECRET, SECRET))


@pytest.mark.parametrize("errors", ["no", 5, [None], [], [{"message": "no"}], {"a": 1}, None])
def test_a_refusal_of_any_shape_is_one(network: responses.RequestsMock, errors: Any) -> None:
    network.get(f"{API}/accounts/{ACCOUNT}", status=403, json={"errors": errors})
    with pytest.raises(Rejected):
        days()


def test_the_limit_that_is_used_up_says_when(network: responses.RequestsMock) -> None:
    """An answer may tell of that of the person, too, with plenty left."""
    now = dt.datetime.now(dt.UTC)
    later, never = now + dt.timedelta(seconds=300), now + dt.timedelta(days=400)
    headers = {
        "x-rate-limit-reset": f"{(now + dt.timedelta(hours=5)).timestamp():.0f}",
        "x-rate-limit-remaining": "19999",
        "x-account-rate-limit-reset": f"{later.timestamp():.0f}",
        "x-account-rate-limit-remaining": "0",
    }
    network.get(f"{API}/accounts/{ACCOUNT}", status=429, headers=headers, json={})
    with pytest.raises(RateLimited) as limited:
        days()
    assert abs((limited.value.retry_at - later).total_seconds()) < 2
    headers["x-account-rate-limit-reset"] = f"{never.timestamp():.0f}"
    network.replace("GET", f"{API}/accounts/{ACCOUNT}", status=429, headers=headers, json={})
    with pytest.raises(RateLimited) as limited:
        days()
    assert limited.value.retry_at < now + dt.timedelta(days=8)


def test_a_server_that_says_when_to_come_back_is_left_alone_until_then(
    network: responses.RequestsMock,
) -> None:
    network.get(f"{API}/accounts/{ACCOUNT}", status=503, headers={"Retry-After": "120"}, body="busy")
    with pytest.raises(RateLimited) as limited:
        days()
    assert 115 < (limited.value.retry_at - dt.datetime.now(dt.UTC)).total_seconds() < 125


def test_costs_that_were_entered_otherwise_are_recognized_by_the_old_name_too() -> None:
    assert all(INFO.is_filed_under(word) for word in ("x", "X", "Twitter", "X Ads", "twitter ads", "X広告"))
    assert not INFO.is_filed_under("Xing")


def test_oauth_parameters_are_no_part_of_any_address(network: responses.RequestsMock) -> None:
    made = server(network, Hour("a", at(FIRST), 5))
    days()
    names = {name for url in made.calls for name, _value in parse_qsl(urlsplit(url).query)}
    assert not {one for one in names if one.startswith("oauth")}
