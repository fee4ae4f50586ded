"""Costs at X, from a sign-in with OAuth 1.0a to entries, with a stand-in for X that fails in every place."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses
from django.test import Client
from django.urls import reverse

from accounts.connecting import open_tokens, seal_tokens
from accounts.models import AppRegistration, Brand, Organization, User
from accounts.services.apps import AppFacts, add_app
from campaigns.models import AdAccount, AdCampaign, AdCredential, Campaign, SpendEntry
from campaigns.views.ads import redirect_uri
from connectors.base import Tokens
from tests.campaigns.ad_stage import SignIn, assign, hand, make_account, run, spent
from tests.campaigns.conftest import NOW, make_campaign
from tests.connectors.ads.x_server import (
    ACCOUNT,
    KEY,
    SECRET,
    Answer,
    Fault,
    Hour,
    XServer,
    no_fault,
    refusal,
)


@pytest.fixture
def server() -> Iterator[XServer]:
    made = XServer(zone="Europe/Berlin", tokens={"mytoken": "mytokensecret"}, callbacks=(redirect_uri(),))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
        made.listen(network)
        yield made


def make_app(organization: Organization, actor: User) -> AppRegistration:
    return add_app(
        organization=organization,
        platform="x_ads",
        facts=AppFacts(name="Our app", client_id=KEY, client_secret=SECRET),
        redirect_uri=redirect_uri(),
        actor=actor,
        now=NOW,
    )


@pytest.fixture
def account(brand: Brand, organization: Organization, admin: User, server: XServer) -> AdAccount:
    """Of an ad account whose days are those of Berlin."""
    server.currency = brand.currency
    made = make_account(brand, platform="x_ads", remote_id=ACCOUNT, window="as_set")
    AdCredential.objects.update(
        platform="x_ads",
        app=make_app(organization, admin),
        secret=seal_tokens(Tokens("mytoken", extra={"token_secret": "mytokensecret"})),
    )
    return made


def hour(
    day: int, amount: str, campaign: str = "c1", at: int = 12, placement: str = "ALL_ON_TWITTER"
) -> Hour:
    """Of November 2026, ``at`` of UTC."""
    moment = dt.datetime(2026, 11, day, at, tzinfo=dt.UTC)
    micro = int(Decimal(amount).scaleb(6))
    return Hour(campaign, moment, micro, impressions=10, clicks=2, engaged=1, placement=placement)


def sent_to_x(client: Client, app: AppRegistration) -> str:
    answer = client.post(f"{reverse('campaigns:ad_connect')}?platform=x_ads", {"app": app.pk})
    assert answer.status_code == 302
    return str(answer["Location"])


# --- signing in -------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_from_the_keys_of_the_app_to_the_costs(
    sign_in: SignIn, admin: User, brand: Brand, server: XServer, celery_eager: None
) -> None:
    client = sign_in(admin)
    connect = f"{reverse('campaigns:ad_connect')}?platform=x_ads"
    assert f'href="{connect}"' in client.get(reverse("campaigns:ad_accounts")).content.decode()
    page = client.get(connect).content.decode()
    assert "X&#x27;s form for it" in page
    assert redirect_uri() in page
    new = f"{reverse('campaigns:ad_app_create')}?platform=x_ads"
    assert "API key secret" in client.get(new).content.decode()
    client.post(new, {"name": "Our app", "client_id": KEY, "client_secret": SECRET})

    there = sent_to_x(client, AppRegistration.objects.get())
    back = server.allow(there)
    kept = json.dumps(dict(client.session.items()))
    assert "secretofrequest" not in kept + there  # it is kept encrypted, and goes nowhere
    Brand.objects.filter(pk=brand.pk).update(currency="EUR")
    campaign = make_campaign(Brand.objects.get(pk=brand.pk))
    noon = dt.datetime.now(dt.UTC).replace(hour=12, minute=0, second=0, microsecond=0) - dt.timedelta(days=3)
    server.hours = [Hour("c1", noon, 12_345_678, 10, 2, 1)]
    choose = client.get(reverse("campaigns:ad_callback"), back)["Location"]
    assert f"API McTestface ({ACCOUNT}, EUR)" in client.get(choose).content.decode()
    answer = client.post(choose, {"brand": brand.pk, "account": [ACCOUNT]}, follow=True)
    account = AdAccount.objects.get()
    assert (account.currency, account.time_zone, account.window) == ("EUR", "Europe/Berlin", "as_set")
    page = answer.content.decode()
    assert "Ad c1" in page
    assert "As each event is set at X, after an engagement alone" in page
    assert "Purchases, sign-ups, downloads, site visits and custom events" in page

    given = {f"campaign_{AdCampaign.objects.get().pk}": str(campaign.pk), "window": "as_set_engagement"}
    client.post(reverse("campaigns:ad_assign", args=[account.pk]), given)
    entry = SpendEntry.objects.get()
    assert (entry.date, entry.amount, entry.platform) == (noon.date(), Decimal("12.35"), "x")
    assert entry.external_id == f"x_ads:{ACCOUNT}:c1:{noon.date()}:as_set_engagement"
    secret = AdCredential.objects.get().secret
    tokens = open_tokens(secret)
    assert server.tokens[tokens.access_token] == tokens.extra["token_secret"]
    assert tokens.extra["token_secret"] not in secret
    # It serves once, and for nobody else.
    again = client.get(reverse("campaigns:ad_callback"), back).content.decode()
    assert "took too long, was used before" in again
    assert AdCredential.objects.count() == 1


@pytest.mark.django_db
def test_an_answer_of_x_serves_the_browser_that_was_sent_there(
    sign_in: SignIn, admin: User, owner: User, organization: Organization, server: XServer
) -> None:
    app = make_app(organization, admin)
    client = sign_in(admin)
    back = server.allow(sent_to_x(client, app))
    callback = reverse("campaigns:ad_callback")
    another = Client()
    another.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    for other, query in (
        (another, back),
        (client, {**back, "oauth_token": "request9token"}),
        (client, {"oauth_verifier": back["oauth_verifier"]}),
    ):
        assert "took too long" in other.get(callback, query).content.decode()
    assert not AdCredential.objects.exists()
    # A verifier of another sign-in of the same person is refused by X.
    second = server.allow(sent_to_x(client, app))
    mixed = {**back, "oauth_verifier": second["oauth_verifier"]}
    assert "did not accept this sign-in" in client.get(callback, mixed).content.decode()
    assert not AdCredential.objects.exists()
    assert client.get(callback, second)["Location"].startswith("/campaigns/ads/")


@pytest.mark.django_db
def test_a_person_who_says_no_at_x_is_told_so(
    sign_in: SignIn, admin: User, organization: Organization, server: XServer
) -> None:
    client = sign_in(admin)
    token = parse_qs(urlsplit(sent_to_x(client, make_app(organization, admin))).query)["oauth_token"][0]
    callback = reverse("campaigns:ad_callback")
    assert "was not given" in client.get(callback, {"denied": token}).content.decode()
    # That ends it.
    server.allowed[token] = "verifier"
    page = client.get(callback, {"oauth_token": token, "oauth_verifier": "verifier"}).content.decode()
    assert "took too long" in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"callbacks": ()}, "Check the app and its redirect address there"),
        ({"fault": lambda _r: refusal(401, 32, "Could not authenticate you.")}, "Check the keys of the app"),
        ({"fault": lambda _r: requests.ConnectionError()}, "could not be reached"),
        ({"fault": lambda _r: (429, {}, "{}")}, "asks to wait"),
    ],
)
def test_a_sign_in_that_cannot_begin_says_why_and_keeps_nothing(
    sign_in: SignIn,
    admin: User,
    organization: Organization,
    server: XServer,
    change: dict[str, object],
    words: str,
) -> None:
    client = sign_in(admin)
    app = make_app(organization, admin)
    for name, value in change.items():
        setattr(server, name, value)
    answer = client.post(f"{reverse('campaigns:ad_connect')}?platform=x_ads", {"app": app.pk})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert words in page
    assert SECRET not in page
    assert not client.session.get("ads_oauth")


@pytest.mark.django_db
def test_an_app_that_x_has_not_approved_is_told_when_the_person_is_back(
    sign_in: SignIn, admin: User, organization: Organization, server: XServer
) -> None:
    client = sign_in(admin)
    back = server.allow(sent_to_x(client, make_app(organization, admin)))

    def not_approved(request: requests.PreparedRequest) -> Answer | None:
        is_ads = "ads-api" in str(request.url)
        return refusal(403, "UNAUTHORIZED_CLIENT_APPLICATION", "no access") if is_ads else None

    server.fault = not_approved
    page = client.get(reverse("campaigns:ad_callback"), back).content.decode()
    assert "Not everything was allowed at X Ads" in page
    assert not AdCredential.objects.exists()


# --- importing --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_costs_come_by_days_of_the_ad_account_and_are_corrected(
    account: AdAccount, campaign: Campaign, server: XServer
) -> None:
    """X takes back what it counted too much, for two weeks."""
    server.hours = [
        hour(9, "1.50"),
        hour(9, "2.25", at=23),  # the 10th in Berlin
        hour(20, "10"),
        hour(20, "0.007", placement="TREND"),
        hour(21, "7", "c2"),
    ]
    assign(account, campaign)
    run(account)
    assert account.problem == ""
    assert spent(campaign) == {9: Decimal("1.5"), 10: Decimal("2.25"), 20: Decimal("10.01")}
    assert (account.result["days"], account.result["added"]) == (4, 3)
    seen = AdCampaign.objects.get(remote_id="c1")
    assert (seen.name, seen.impressions, seen.clicks, seen.conversions) == ("Ad c1", 40, 8, 4)
    before = list(SpendEntry.objects.order_by("pk").values())
    run(account)
    assert list(SpendEntry.objects.order_by("pk").values()) == before
    server.hours = [hour(9, "0"), hour(9, "2.20", at=23), hour(20, "10")]
    run(account)
    assert spent(campaign) == {10: Decimal("2.2"), 20: 10}
    assert (account.result["changed"], account.result["removed"]) == (2, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["Twitter", "x", "X Ads"])
def test_costs_entered_under_any_name_of_x_are_not_counted_twice(
    account: AdAccount, campaign: Campaign, server: XServer, admin: User, name: str
) -> None:
    server.hours = [hour(20, "10"), hour(21, "11")]
    assign(account, campaign)
    hand(campaign, admin, 20, name)
    run(account)
    assert spent(campaign) == {21: 11}
    assert account.result["left_out"] == 1


@pytest.mark.django_db
def test_costs_in_another_currency_are_not_taken(
    account: AdAccount, campaign: Campaign, server: XServer
) -> None:
    server.hours = [hour(20, "10")]
    assign(account, campaign)
    server.currency = "KWD"
    run(account)
    assert (account.problem, spent(campaign)) == ("other_currency", {})


def cut_off(told: Answer) -> Answer:
    """One campaign less than was asked for, or half an answer."""
    status, headers, body = told
    answer = json.loads(body)
    if "time_series_length" in answer:
        answer["data"] = answer["data"][:-1]
        return status, headers, json.dumps(answer)
    return status, headers, body[: len(body) // 2]


FAULTS: dict[str, tuple[object, str]] = {
    "dropped": (requests.ConnectionError(ConnectionResetError()), "temporary"),
    "too slow": (requests.ReadTimeout(), "temporary"),
    "down": ((503, {}, "<h1>Over capacity</h1>"), "temporary"),
    "a page": ((200, {}, "<html>Log in</html>"), "temporary"),
    "another answer": ((200, {}, '{"data": [], "request": {}}'), "temporary"),
    "cut off": (cut_off, "temporary"),
    "limited": (
        (429, {"x-rate-limit-reset": f"{(NOW + dt.timedelta(minutes=10)).timestamp():.0f}"}, "{}"),
        "limited",
    ),
    "locked": (refusal(423, "LOCK_ACQUISITION_TIMEOUT", "try again"), "temporary"),
}


def broken_at(server: XServer, number: int, fault: object) -> Fault:
    """The call of this number goes wrong."""
    begun = len(server.calls)

    def met(request: requests.PreparedRequest) -> Answer | Exception | None:
        if len(server.calls) - begun != number:
            return None
        if callable(fault):
            return fault(server._told(request))
        return fault  # type: ignore[return-value]

    return met


@pytest.mark.django_db
@pytest.mark.parametrize("kind", FAULTS)
def test_whatever_breaks_in_whatever_call_nothing_is_changed_until_all_is_read(
    account: AdAccount, campaign: Campaign, server: XServer, kind: str
) -> None:
    fault, problem = FAULTS[kind]
    server.hours = [hour(day, f"{day}") for day in (9, 20, 21)]
    assign(account, campaign)
    server.calls.clear()
    run(account)
    calls = len(server.calls)
    assert calls == 3 + 5 * 2
    before = list(SpendEntry.objects.order_by("pk").values())
    corrected = [hour(day, f"{day + 1}") for day in (8, 20)]
    for number in (1, 2, 3, 4, 5, calls):  # account, active campaigns, names, costs, conversions, the last
        if kind == "another answer" and number in {2, 3}:
            continue  # an empty list is an answer to these
        server.hours = corrected
        server.fault = broken_at(server, number, fault)
        run(account)
        assert account.problem == problem, number
        assert list(SpendEntry.objects.order_by("pk").values()) == before, number
        assert account.status == "active"
        wait = dt.timedelta(minutes=10) if problem == "limited" else dt.timedelta(hours=1)
        assert account.import_at == NOW + wait
    server.fault = no_fault
    run(account)
    assert account.problem == ""
    assert spent(campaign) == {8: 9, 20: 21}


@pytest.mark.django_db
def test_access_that_was_taken_back_is_lost_until_somebody_signs_in(
    sign_in: SignIn,
    admin: User,
    account: AdAccount,
    campaign: Campaign,
    server: XServer,
) -> None:
    """Also in the middle of a report."""
    server.hours = [hour(20, "10")]
    assign(account, campaign)
    run(account)
    server.hours = [hour(20, "11")]
    gone = refusal(401, "UNAUTHORIZED_ACCESS", "This request is not properly authenticated")
    server.fault = broken_at(server, 7, gone)
    run(account)
    assert (account.status, account.problem) == ("needs_reconnect", "reconnect")
    assert spent(campaign) == {20: 10}
    page = sign_in(admin).get(reverse("campaigns:ad_account", args=[account.pk])).content.decode()
    assert "X Ads no longer accepts our access" in page
    server.fault = no_fault
    server.tokens.clear()
    client = sign_in(admin)
    back = server.allow(sent_to_x(client, AppRegistration.objects.get()))
    choose = client.get(reverse("campaigns:ad_callback"), back)["Location"]
    client.post(choose, {"brand": account.brand_id, "account": [ACCOUNT]})
    account.refresh_from_db()
    run(account)
    assert (account.status, account.problem) == ("active", "")
    assert spent(campaign) == {20: 11}


@pytest.mark.django_db
def test_a_campaign_that_x_tells_no_more_of_keeps_what_it_cost(
    account: AdAccount, campaign: Campaign, server: XServer
) -> None:
    server.hours = [hour(20, "10"), hour(20, "3", "c2")]
    assign(account, campaign)
    run(account)
    server.hours = [dataclasses.replace(one, campaign="c2") for one in server.hours]
    run(account)
    assert spent(campaign) == {20: 10}
