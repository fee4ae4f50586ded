"""Ad accounts in the product: signing in, assigning campaigns, importing costs again and again."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.connecting import open_tokens, seal_tokens
from accounts.models import (
    AccountStatus,
    AppRegistration,
    AuditEntry,
    Brand,
    Membership,
    Notification,
    Organization,
    User,
)
from accounts.services.apps import AppFacts, InUse, add_app
from accounts.services.keys import rotate_secrets
from campaigns import tasks
from campaigns.ad_wording import AD_WORDS, ad_problem
from campaigns.models import AdAccount, AdCampaign, AdCredential, Campaign, CostKind, Source, SpendEntry
from campaigns.services import ad_accounts, ad_imports
from campaigns.services.ad_accounts import OtherBrand, OtherCurrency
from campaigns.services.budgets import Cost
from campaigns.services.spend import SpendFacts, add_spend
from connectors.ads.base import (
    AdAccount as RemoteAccount,
)
from connectors.ads.base import (
    AdConnector,
    AdDay,
    AdGrant,
    AttributionWindow,
)
from connectors.ads.registry import AD_CONNECTORS
from connectors.ads.tiktok import INFO as TIKTOK
from connectors.base import AuthorizeRequest, Tokens
from connectors.errors import NeedsReconnect, RateLimited, Rejected, RejectReason, Temporary
from core.paging import PAGE_SIZE
from tests.campaigns.conftest import NOW, make_campaign

SignIn = Callable[[User], Client]
TODAY = NOW.date()
KEY = "fake_ads"


class FakeAds(AdConnector):
    """An advertising platform that tells what a test wants."""

    INFO = dataclasses.replace(
        TIKTOK,
        key=KEY,
        name="Fake Ads",
        windows=(
            AttributionWindow("7d", "7 days after a click"),
            AttributionWindow("1d", "1 day after a click"),
        ),
    )
    accounts: ClassVar[list[RemoteAccount]] = []
    days: ClassVar[list[AdDay]] = []
    failure: ClassVar[Exception | None] = None
    stale: ClassVar[set[str]] = set()  # tokens that are no longer taken
    refreshes: ClassVar[list[str]] = []
    asked: ClassVar[list[tuple[str, dt.date, dt.date, str]]] = []
    meanwhile: ClassVar[Callable[[], object] | None] = None

    @classmethod
    def authorize_url(cls, *, app: Any, redirect_uri: str, state: str) -> AuthorizeRequest:
        return AuthorizeRequest(f"https://ads.example/?state={state}&to={redirect_uri}", code_verifier="v")

    @classmethod
    def exchange_code(cls, *, app: Any, code: str, code_verifier: str, redirect_uri: str) -> AdGrant:
        assert (code_verifier, app.client_secret) == ("v", "s3cr3t")
        if code != "good":
            raise NeedsReconnect("no such code")
        return AdGrant(Tokens("t0", "r0"))

    @classmethod
    def refresh(cls, *, tokens: Tokens, app: Any) -> Tokens:
        if not tokens.refresh_token:
            raise NeedsReconnect("nothing to refresh with")
        cls.refreshes.append(tokens.refresh_token)
        number = len(cls.refreshes)
        return Tokens(f"t{number}", f"r{number}")

    def fetch_ad_accounts(self) -> tuple[RemoteAccount, ...]:
        return tuple(self.accounts)

    def fetch_days(
        self, account_id: str, first: dt.date, last: dt.date, *, window: str = ""
    ) -> Iterator[AdDay]:
        type(self).asked.append((account_id, first, last, window))
        if self.tokens.access_token in self.stale:
            raise NeedsReconnect("token is stale")
        for day in self.days:
            if first <= day.date <= last:
                yield dataclasses.replace(day, attribution_window=window)
        if (meanwhile := type(self).meanwhile) is not None:
            meanwhile()
        if self.failure is not None:
            raise self.failure


@pytest.fixture(autouse=True)
def platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(AD_CONNECTORS, KEY, FakeAds)
    values: dict[str, Any] = {
        "accounts": [
            RemoteAccount("11", "Shop", "EUR", "Asia/Tokyo"),
            RemoteAccount("12", "Other", "JPY", ""),
        ],
        "days": [],
        "failure": None,
        "stale": set(),
        "refreshes": [],
        "asked": [],
        "meanwhile": None,
    }
    for name, value in values.items():
        monkeypatch.setattr(FakeAds, name, value)


def day(date: dt.date | int, spend: str, campaign: str = "c1", **changes: Any) -> AdDay:
    """``date``: of November 2026."""
    on = dt.date(2026, 11, date) if isinstance(date, int) else date
    values = {"campaign_name": f"Ad {campaign}", "impressions": 10, "clicks": 2, "conversions": Decimal(1)}
    return AdDay(
        date=on,
        campaign_id=campaign,
        spend=Decimal(spend),
        attribution_window="",
        **{**values, **changes},
    )


def make_app(organization: Organization, actor: User) -> AppRegistration:
    facts = AppFacts(name="Our app", client_id="1", client_secret="s3cr3t")
    return add_app(
        organization=organization,
        platform=KEY,
        facts=facts,
        redirect_uri="https://x.example/",
        actor=actor,
        now=NOW,
    )


def make_account(brand: Brand, tokens: Tokens | None = None, **changes: Any) -> AdAccount:
    credential = AdCredential.objects.create(
        organization=brand.organization,
        platform=KEY,
        secret=seal_tokens(tokens or Tokens("t0", "r0")),
        refreshed_at=NOW,
        created_at=NOW,
    )
    values: dict[str, Any] = {
        "credential": credential,
        "platform": KEY,
        "remote_id": "11",
        "name": "Shop",
        "currency": brand.currency,
        "time_zone": "Europe/Berlin",
        "window": "7d",
        "import_at": NOW,
        "connected_at": NOW,
    }
    return AdAccount.objects.create(brand=brand, **{**values, **changes})


@pytest.fixture
def account(brand: Brand) -> AdAccount:
    return make_account(brand)


def run(account: AdAccount, now: dt.datetime = NOW) -> AdAccount:
    """Whatever is due of its sign-in."""
    AdAccount.objects.filter(pk=account.pk, status=AccountStatus.ACTIVE).update(import_at=now)
    with time_machine.travel(now, tick=False):
        tasks.import_ad_accounts(credential_id=str(account.credential_id))
    account.refresh_from_db()
    return account


def assign(
    account: AdAccount, campaign: Campaign | None, remote_id: str = "c1", *, ignored: bool = False
) -> None:
    row, _is_new = AdCampaign.objects.get_or_create(account=account, remote_id=remote_id)
    ad_accounts.choose_campaigns(
        account=account, choices=[(row, campaign, ignored)], actor=owner_of(account), now=NOW
    )


def owner_of(account: AdAccount) -> User:
    return User.objects.get_or_create(email="chooser@example.com", defaults={"name": "Chooser"})[0]


def spent(campaign: Campaign) -> dict[int, Decimal]:
    rows = SpendEntry.objects.filter(campaign=campaign, source=Source.ADS)
    return {row.date.day: row.amount for row in rows}


def hand(campaign: Campaign, actor: User, date: int, platform: str = "tiktok", **changes: Any) -> SpendEntry:
    facts = SpendFacts(
        **{
            "date": dt.date(2026, 11, date),
            "cost": Cost(CostKind.MEDIA, amount=Decimal(9)),
            "platform": platform,
            **changes,
        }
    )
    entry, _is_new = add_spend(
        campaign=campaign, facts=facts, external_id=f"{date}{platform}{changes}", actor=actor, now=NOW
    )
    return entry


# --- importing --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_costs_of_an_assigned_campaign_become_entries(account: AdAccount, campaign: Campaign) -> None:
    FakeAds.days = [day(20, "10.50"), day(21, "0"), day(22, "3"), day(20, "99", "c2")]
    assign(account, campaign)
    run(account)
    assert spent(campaign) == {20: Decimal("10.5"), 22: 3}
    entry = SpendEntry.objects.get(date="2026-11-20")
    assert (entry.kind, entry.platform, entry.note, entry.source) == ("media", "tiktok", "Ad c1", "ads")
    assert entry.external_id == "fake_ads:11:c1:2026-11-20:7d"
    assert entry.is_imported
    assert FakeAds.asked == [("11", TODAY - dt.timedelta(days=29), TODAY, "7d")]
    assert account.result == {
        "first": "2026-10-24",
        "last": "2026-11-22",
        "days": 4,
        "added": 2,
        "changed": 0,
        "removed": 0,
        "left_out": 0,
    }
    assert (account.imported_at, account.problem, account.importing_until) == (NOW, "", None)
    assert account.import_at == dt.datetime(2026, 11, 23, 4, tzinfo=dt.UTC)  # five o'clock in Berlin
    seen = AdCampaign.objects.get(account=account, remote_id="c1")
    assert (seen.spend_seen, seen.impressions, seen.clicks, seen.conversions) == (Decimal("13.5"), 30, 6, 3)
    assert seen.last_day == TODAY
    assert AdCredential.objects.get().refreshing_until is None


@pytest.mark.django_db
def test_a_repetition_changes_nothing_and_a_correction_only_what_it_says(
    account: AdAccount, campaign: Campaign
) -> None:
    FakeAds.days = [day(20, "10"), day(21, "20"), day(22, "30")]
    assign(account, campaign)
    run(account)
    before = list(SpendEntry.objects.order_by("pk").values())
    run(account)
    assert list(SpendEntry.objects.order_by("pk").values()) == before
    FakeAds.days = [day(19, "5"), day(20, "11"), day(22, "30")]
    run(account)
    assert spent(campaign) == {19: 5, 20: 11, 22: 30}
    assert {name: account.result[name] for name in ("added", "changed", "removed")} == {
        "added": 1,
        "changed": 1,
        "removed": 1,
    }
    unchanged = SpendEntry.objects.get(date="2026-11-22")
    assert unchanged.pk in {row["id"] for row in before}


@pytest.mark.django_db
def test_days_before_the_span_and_campaigns_that_are_told_no_more_stay(
    account: AdAccount, campaign: Campaign
) -> None:
    FakeAds.days = [day(dt.date(2026, 10, 30), "7"), day(2, "8"), day(2, "9", "c2")]
    assign(account, campaign)
    assign(account, campaign, "c2")
    run(account)
    FakeAds.days = [day(dt.date(2026, 12, 20), "1")]
    run(account, dt.datetime(2026, 12, 25, 9, tzinfo=dt.UTC))
    assert SpendEntry.objects.count() == 4
    FakeAds.days = []
    run(account, dt.datetime(2026, 12, 26, 9, tzinfo=dt.UTC))
    assert SpendEntry.objects.count() == 4
    assert AdCampaign.objects.get(remote_id="c1").spend_seen == 0


@pytest.mark.django_db
def test_another_window_takes_the_place_of_the_first(account: AdAccount, campaign: Campaign) -> None:
    FakeAds.days = [day(20, "10")]
    assign(account, campaign)
    run(account)
    assert ad_accounts.set_window(account=account, window="1d", now=NOW)
    assert not ad_accounts.set_window(account=account, window="1d", now=NOW)
    run(account)
    assert spent(campaign) == {20: 10}
    assert SpendEntry.objects.get().external_id.endswith(":1d")
    with pytest.raises(Rejected):
        ad_accounts.set_window(account=account, window="forever", now=NOW)


@pytest.mark.django_db
def test_costs_are_rounded_to_the_currency_day_by_day(other_brand: Brand) -> None:
    account = make_account(other_brand)
    campaign = make_campaign(other_brand, "Tea")
    FakeAds.days = [day(20, "1200.5000001"), day(21, "0.4"), day(22, "99.5")]
    assign(account, campaign)
    run(account)
    assert spent(campaign) == {20: 1201, 22: 100}


@pytest.mark.django_db
@pytest.mark.parametrize("word", ["tiktok", "fake ads", "TikTok広告"])
def test_what_was_entered_by_hand_is_not_counted_twice(
    account: AdAccount, campaign: Campaign, marketer: User, word: str
) -> None:
    entry = hand(campaign, marketer, 20, word)
    FakeAds.days = [day(20, "10"), day(21, "20")]
    assign(account, campaign)
    run(account)
    assert spent(campaign) == {21: 20}
    assert account.result["left_out"] == 1
    assert AdCampaign.objects.get(remote_id="c1").left_out == 1
    entry.delete()
    run(account)
    assert spent(campaign) == {20: 10, 21: 20}
    assert AdCampaign.objects.get(remote_id="c1").left_out == 0


@pytest.mark.django_db
def test_what_is_entered_afterwards_takes_the_place_of_the_ad_accounts(
    account: AdAccount, campaign: Campaign, marketer: User, sign_in: SignIn
) -> None:
    FakeAds.days = [day(20, "10")]
    assign(account, campaign)
    run(account)
    hand(campaign, marketer, 20)
    page = sign_in(marketer).get(reverse("campaigns:spend", args=[campaign.pk])).content.decode()
    assert "The next import leaves out those of the ad account" in page
    run(account)
    assert spent(campaign) == {}
    page = sign_in(marketer).get(reverse("campaigns:spend", args=[campaign.pk])).content.decode()
    assert "The next import leaves out" not in page


@pytest.mark.django_db
def test_other_costs_of_the_day_stay_beside_it(
    account: AdAccount, campaign: Campaign, marketer: User
) -> None:
    hand(campaign, marketer, 20, "mastodon")
    hand(campaign, marketer, 20, "")
    hand(campaign, marketer, 20, cost=Cost(CostKind.AGENCY, amount=Decimal(9)))
    FakeAds.days = [day(20, "10")]
    assign(account, campaign)
    run(account)
    assert spent(campaign) == {20: 10}


@pytest.mark.django_db
def test_an_import_that_fails_leaves_everything_as_it_was(account: AdAccount, campaign: Campaign) -> None:
    FakeAds.days = [day(20, "10"), day(21, "20")]
    assign(account, campaign)
    run(account)
    FakeAds.days = [day(20, "11")]  # what came before the failure
    FakeAds.failure = Temporary("busy t0")
    run(account)
    assert spent(campaign) == {20: 10, 21: 20}
    assert (account.problem, account.problem_detail) == ("temporary", "busy t0")
    assert account.import_at == NOW + dt.timedelta(hours=1)
    assert account.status == AccountStatus.ACTIVE
    assert (account.importing_until, AdCredential.objects.get().refreshing_until) == (None, None)
    FakeAds.failure = None
    run(account)
    assert (account.problem, spent(campaign)) == ("", {20: 11})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("failure", "problem", "again"),
    [
        (RateLimited(NOW + dt.timedelta(minutes=20)), "limited", NOW + dt.timedelta(minutes=20)),
        (RateLimited(NOW - dt.timedelta(days=1)), "limited", NOW + dt.timedelta(minutes=1)),
        (Rejected(RejectReason.FORBIDDEN), "forbidden", dt.datetime(2026, 11, 23, 4, tzinfo=dt.UTC)),
        (Rejected(RejectReason.INVALID), "invalid", dt.datetime(2026, 11, 23, 4, tzinfo=dt.UTC)),
    ],
)
def test_when_it_is_tried_again(
    account: AdAccount, failure: Exception, problem: str, again: dt.datetime
) -> None:
    FakeAds.failure = failure
    run(account)
    assert (account.problem, account.import_at) == (problem, again)
    assert "Fake Ads" in ad_problem(problem, FakeAds.INFO)


@pytest.mark.django_db
def test_a_bug_gives_the_account_free_and_stops_no_other(
    account: AdAccount, caplog: pytest.LogCaptureFixture
) -> None:
    other = make_account(account.brand, credential=account.credential, remote_id="12")
    FakeAds.failure = ZeroDivisionError()
    run(account)
    credential = AdCredential.objects.get(accounts=other)
    assert (account.importing_until, credential.refreshing_until) == (None, None)
    assert account.problem == "program_error"
    assert "an operator finds the cause" in ad_problem(account.problem, FakeAds.INFO)
    assert account.import_at is not None
    assert account.import_at > NOW + dt.timedelta(hours=1)
    assert [asked[0] for asked in FakeAds.asked] == ["11", "12"]
    assert "ZeroDivisionError" in caplog.text
    other.refresh_from_db()
    assert other.problem == "program_error"


@pytest.mark.django_db
def test_what_failed_before_somebody_signed_in_again_says_nothing_of_the_new_access(
    account: AdAccount,
) -> None:
    def signs_in_again() -> None:
        AdAccount.objects.update(
            connected_at=NOW + dt.timedelta(minutes=1), problem="", import_at=NOW + dt.timedelta(minutes=1)
        )

    FakeAds.meanwhile, FakeAds.failure = signs_in_again, Rejected(RejectReason.FORBIDDEN, "no access")
    run(account)
    assert account.problem == ""


@pytest.mark.django_db
def test_another_currency_than_before_imports_nothing(account: AdAccount, campaign: Campaign) -> None:
    FakeAds.days = [day(20, "10", currency="JPY")]
    assign(account, campaign)
    run(account)
    assert (account.problem, spent(campaign)) == ("other_currency", {})


@pytest.mark.django_db
def test_two_things_said_of_one_day_import_nothing(account: AdAccount, campaign: Campaign) -> None:
    FakeAds.days = [day(20, "10"), day(20, "11")]
    assign(account, campaign)
    run(account)
    assert (account.problem, spent(campaign)) == ("temporary", {})


# --- tokens, claims ---------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_token_that_is_not_taken_is_renewed_once_and_kept(account: AdAccount, campaign: Campaign) -> None:
    FakeAds.days, FakeAds.stale = [day(20, "10")], {"t0"}
    assign(account, campaign)
    run(account)
    assert spent(campaign) == {20: 10}
    assert FakeAds.refreshes == ["r0"]
    assert open_tokens(AdCredential.objects.get().secret).refresh_token == "r1"


@pytest.mark.django_db
def test_a_token_that_ends_soon_is_renewed_before(brand: Brand) -> None:
    account = make_account(brand, Tokens("t0", "r0", expires_at=NOW + dt.timedelta(minutes=5)))
    run(account)
    assert FakeAds.refreshes == ["r0"]
    FakeAds.stale = {"t1", "t2"}  # fresh ones are not taken either
    run(account)
    assert account.status == AccountStatus.NEEDS_RECONNECT


@pytest.mark.django_db
def test_lost_access_is_told_to_those_who_can_renew_it(
    account: AdAccount, admin: User, marketer: User
) -> None:
    FakeAds.stale = {"t0", "t1"}
    run(account)
    assert (account.status, account.problem, account.import_at) == ("needs_reconnect", "reconnect", None)
    told = Notification.objects.get()
    assert told.user == admin
    assert told.url == reverse("campaigns:ad_account", args=[account.pk])
    assert AuditEntry.objects.filter(action="spend.ad_account_lost").count() == 1
    run(account)
    assert len(FakeAds.asked) == 2  # nothing is tried any more
    assert not ad_accounts.ask_for_import(account=account, now=NOW)


@pytest.mark.django_db
def test_a_key_that_is_lost_asks_for_a_sign_in(account: AdAccount) -> None:
    AdCredential.objects.update(secret="nonsense")
    run(account)
    assert account.status == AccountStatus.NEEDS_RECONNECT


@pytest.mark.django_db
def test_one_process_at_a_time_works_with_a_sign_in(account: AdAccount, other_brand: Brand) -> None:
    assert account.credential_id is not None
    second = make_account(other_brand, credential=account.credential)
    first = ad_imports.claim(credential_id=account.credential_id, now=NOW)
    assert first is not None
    assert ad_imports.claim(credential_id=account.credential_id, now=NOW) is None
    ad_imports.carry_out(claim=first, clock=lambda: NOW)
    other = ad_imports.claim(credential_id=account.credential_id, now=NOW)
    assert other is not None
    assert {first.account, other.account} == {account, second}


@pytest.mark.django_db
def test_an_import_that_was_given_up_stores_nothing_any_more(account: AdAccount, campaign: Campaign) -> None:
    FakeAds.days = [day(20, "10")]
    assign(account, campaign)
    assert account.credential_id is not None
    slow = ad_imports.claim(credential_id=account.credential_id, now=NOW)
    later = NOW + ad_imports.LEASE + dt.timedelta(minutes=1)
    fast = ad_imports.claim(credential_id=account.credential_id, now=later)
    assert slow is not None
    assert fast is not None
    ad_imports.carry_out(claim=slow, clock=lambda: later)
    assert spent(campaign) == {}
    account.refresh_from_db()
    assert account.importing_until is not None  # of the other one
    ad_imports.carry_out(claim=fast, clock=lambda: later)
    assert spent(campaign) == {20: 10}


@pytest.mark.django_db
def test_what_is_asked_for_during_an_import_comes_right_after(account: AdAccount, campaign: Campaign) -> None:
    FakeAds.days = [day(20, "10")]
    later = NOW + dt.timedelta(seconds=1)

    def choose() -> None:
        if len(FakeAds.asked) == 1:
            row = AdCampaign.objects.create(account=account, remote_id="c9")
            ad_accounts.choose_campaigns(
                account=account, choices=[(row, campaign, False)], actor=owner_of(account), now=later
            )

    FakeAds.meanwhile = choose
    run(account)
    assert len(FakeAds.asked) == 2
    assert account.import_at == dt.datetime(2026, 11, 23, 4, tzinfo=dt.UTC)


@pytest.mark.django_db
def test_an_account_that_was_disconnected_meanwhile_gets_nothing(
    account: AdAccount, campaign: Campaign, owner: User
) -> None:
    FakeAds.days = [day(20, "10")]
    assign(account, campaign)
    FakeAds.meanwhile = lambda: ad_accounts.disconnect(account=account, actor=owner, now=NOW)
    run(account)
    assert (account.status, spent(campaign)) == ("disconnected", {})
    assert not AdCredential.objects.exists()


@pytest.mark.django_db
def test_brands_that_are_put_away_cost_no_calls(account: AdAccount) -> None:
    Brand.every.filter(pk=account.brand_id).update(is_archived=True)
    run(account)
    assert FakeAds.asked == []


@pytest.mark.django_db
def test_beat_starts_one_task_for_each_sign_in(
    account: AdAccount, other_brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_account(other_brand, credential=account.credential)
    make_account(other_brand, remote_id="13", import_at=NOW + dt.timedelta(hours=1))
    started: list[str] = []
    monkeypatch.setattr(
        tasks.import_ad_accounts, "delay", lambda **given: started.append(given["credential_id"])
    )
    with time_machine.travel(NOW, tick=False):
        tasks.import_ad_spend()
    assert started == [str(account.credential_id)]


@pytest.mark.django_db
def test_secrets_move_to_the_newest_key(account: AdAccount) -> None:
    before = AdCredential.objects.get().secret
    rotate_secrets(progress=lambda _so_far: None)
    after = AdCredential.objects.get().secret
    assert after != before
    assert open_tokens(after) == open_tokens(before)
    assert "t0" not in after


@pytest.mark.parametrize(
    ("zone", "now", "night"),
    [
        (
            "America/New_York",
            "2026-11-01T05:30:00+00:00",
            "2026-11-01T10:00:00+00:00",
        ),  # the clock is put back
        ("Europe/Berlin", "2026-03-29T00:30:00+00:00", "2026-03-29T03:00:00+00:00"),  # and forward
        ("", "2026-12-31T23:00:00+00:00", "2027-01-01T05:00:00+00:00"),
    ],
)
def test_the_night_is_that_of_the_ad_account(zone: str, now: str, night: str) -> None:
    account = AdAccount(time_zone=zone)
    assert ad_imports._next_night(account, dt.datetime.fromisoformat(now)) == dt.datetime.fromisoformat(night)


class TestWhateverIsReported(TestCase):
    """After any sequence of reports, entries are what the last one says."""

    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(
            st.dictionaries(st.integers(1, 22), st.decimals(0, 1000, places=6), max_size=6),
            min_size=1,
            max_size=4,
        )
    )
    def test_entries_are_those_of_the_last_report(self, reports: list[dict[int, Decimal]]) -> None:
        organization = Organization.objects.create(name="Any")
        brand = Brand.objects.create(organization=organization, name="Any", timezone="UTC")
        account, campaign = make_account(brand), make_campaign(brand)
        row = AdCampaign.objects.create(account=account, remote_id="c1", campaign=campaign)
        assert account.credential_id is not None
        claim = ad_imports.Claim(account, account.credential_id, account.import_fence)
        for report in reports:
            days = [day(n, str(amount)) for n, amount in report.items()]
            days.append(day(22, "1", "c2"))
            known = {(one.campaign_id, one.date): one for one in days}
            ad_imports._store(claim, known, TODAY - dt.timedelta(days=29), TODAY, NOW)
        last = next((report for report in reversed(reports) if report), {})
        cents = {n: amount.quantize(Decimal("0.01")) for n, amount in last.items()}
        assert spent(campaign) == {n: amount for n, amount in cents.items() if amount}
        row.refresh_from_db()


# --- choosing ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_costs_move_with_the_choice_and_go_with_it(account: AdAccount, campaign: Campaign) -> None:
    FakeAds.days = [day(20, "10")]
    assign(account, campaign)
    run(account)
    summer = make_campaign(campaign.brand, "Summer")
    assign(account, summer)
    assert (spent(campaign), spent(summer)) == ({}, {20: 10})
    run(account)
    assert (spent(campaign), spent(summer)) == ({}, {20: 10})
    assign(account, None, ignored=True)
    assert SpendEntry.objects.count() == 0
    run(account)
    assert SpendEntry.objects.count() == 0


@pytest.mark.django_db
def test_only_campaigns_of_the_brand_in_its_currency_can_be_chosen(
    account: AdAccount, campaign: Campaign, other_brand: Brand, brand: Brand
) -> None:
    with pytest.raises(OtherBrand):
        assign(account, make_campaign(other_brand, "Tea"))
    with pytest.raises(OtherCurrency):
        assign(account, make_campaign(brand, "Yen", currency="JPY"))
    AdAccount.objects.filter(pk=account.pk).update(currency="")
    with pytest.raises(OtherCurrency):
        assign(account, campaign)
    assert not AdCampaign.objects.filter(campaign__isnull=False).exists()


@pytest.mark.django_db
def test_a_campaign_whose_currency_was_changed_gets_nothing(account: AdAccount, campaign: Campaign) -> None:
    FakeAds.days = [day(20, "10")]
    assign(account, campaign)
    Campaign.objects.filter(pk=campaign.pk).update(currency="JPY")
    run(account)
    assert not SpendEntry.objects.exists()


@pytest.mark.django_db
def test_a_campaign_whose_currency_was_changed_does_not_stand_in_the_way_of_others(
    sign_in: SignIn, marketer: User, account: AdAccount, campaign: Campaign
) -> None:
    assign(account, campaign)
    Campaign.objects.filter(pk=campaign.pk).update(currency="JPY")
    summer = make_campaign(campaign.brand, "Summer")
    first = AdCampaign.objects.get()
    second = AdCampaign.objects.create(account=account, remote_id="c2", name="Ad c2")
    client = sign_in(marketer)
    page = client.get(reverse("campaigns:ad_account", args=[account.pk]))
    given = {name: field.value() or "" for name, field in fields_of(page)} | {
        f"campaign_{second.pk}": str(summer.pk)
    }
    assert given[f"campaign_{first.pk}"] == str(campaign.pk)
    answer = client.post(reverse("campaigns:ad_assign", args=[account.pk]), given)
    assert answer.status_code == 302
    assert [row.campaign for row in AdCampaign.objects.order_by("remote_id")] == [campaign, summer]


def fields_of(page: Any) -> list[tuple[str, Any]]:
    form = page.context["form"]
    return [(name, form[name]) for name in form.fields]


# --- pages ------------------------------------------------------------------------------------


def sent_to_platform(client: Client, app: AppRegistration) -> str:
    answer = client.post(f"{reverse('campaigns:ad_connect')}?platform={KEY}", {"app": app.pk})
    assert answer.status_code == 302
    return parse_qs(urlsplit(answer["Location"]).query)["state"][0]


@pytest.mark.django_db(transaction=True)
def test_from_the_app_to_the_costs(
    sign_in: SignIn, admin: User, marketer: User, brand: Brand, celery_eager: None
) -> None:
    """An admin types the app in and signs in, a marketer says which campaigns are which."""
    client = sign_in(admin)
    connect = f"{reverse('campaigns:ad_connect')}?platform={KEY}"
    page = client.get(connect).content.decode()
    assert "/campaigns/ads/callback/" in page
    assert "Go to Fake Ads" not in page
    new = f"{reverse('campaigns:ad_app_create')}?platform={KEY}"
    client.post(new, {"name": "Our app", "client_id": "1", "client_secret": "s3cr3t"})
    app = AppRegistration.objects.get()
    page = client.get(connect).content.decode()
    assert "Go to Fake Ads" in page
    assert "s3cr3t" not in page
    state = sent_to_platform(client, app)
    callback = reverse("campaigns:ad_callback")
    answer = client.get(callback, {"state": state, "auth_code": "good"})
    choose = answer["Location"]
    page = client.get(choose).content.decode()
    assert "Shop (11, EUR)" in page
    assert "Other (12, JPY)" in page
    assert client.post(choose, {"brand": brand.pk}).status_code == 422
    Brand.objects.filter(pk=brand.pk).update(currency="EUR")
    campaign = make_campaign(Brand.objects.get(pk=brand.pk))
    date = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=3)
    FakeAds.days = [day(date, "10")]
    answer = client.post(choose, {"brand": brand.pk, "account": ["11"]}, follow=True)
    account = AdAccount.objects.get()
    assert (account.currency, account.time_zone, account.window) == ("EUR", "Asia/Tokyo", "7d")
    assert answer.redirect_chain[-1][0] == reverse("campaigns:ad_account", args=[account.pk])
    assert "Ad c1" in answer.content.decode()
    assert client.get(choose).status_code == 200  # it serves once
    assert "took too long, was used before" in client.get(choose).content.decode()
    assert "took too long" in client.get(callback, {"state": state, "code": "good"}).content.decode()

    client = sign_in(marketer)
    row = AdCampaign.objects.get()
    given = {f"campaign_{row.pk}": str(campaign.pk), "window": "1d"}
    assign_url = reverse("campaigns:ad_assign", args=[account.pk])
    answer = client.post(assign_url, given, follow=True)
    assert "The costs are imported now" in answer.content.decode()
    entry = SpendEntry.objects.get()
    assert (entry.date, entry.amount, entry.campaign) == (date, 10, campaign)
    assert entry.external_id.endswith(":1d")
    assert "Nothing was changed" in client.post(assign_url, given, follow=True).content.decode()
    assert client.get(reverse("campaigns:spend_edit", args=[entry.pk])).status_code == 404
    assert client.post(reverse("campaigns:spend_delete", args=[entry.pk])).status_code == 404
    page = client.get(reverse("campaigns:spend", args=[campaign.pk])).content.decode()
    assert reverse("campaigns:spend_edit", args=[entry.pk]) not in page
    assert client.post(reverse("campaigns:ad_disconnect", args=[account.pk])).status_code == 403
    export = b"".join(client.get(reverse("campaigns:spend_export", args=[campaign.pk]))).decode()
    assert ",ads" in export


@pytest.mark.django_db
def test_signing_in_again_gives_an_account_the_new_tokens(
    sign_in: SignIn, admin: User, account: AdAccount, organization: Organization
) -> None:
    FakeAds.stale = {"t0", "t1"}
    run(account)
    FakeAds.stale = set()
    client = sign_in(admin)
    state = sent_to_platform(client, make_app(organization, admin))
    choose = client.get(reverse("campaigns:ad_callback"), {"state": state, "code": "good"})["Location"]
    client.post(choose, {"brand": account.brand_id, "account": ["11"]})
    account.refresh_from_db()
    assert (account.status, account.problem) == ("active", "")
    assert AdAccount.objects.count() == 1
    tasks.clean_ad_sign_ins()
    assert list(AdCredential.objects.all()) == [account.credential]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"code": "bad"}, "did not accept this sign-in"),
        ({"error": "access_denied"}, "was not given"),
        ({}, "was not given"),
        ({"state": "forged", "code": "good"}, "took too long"),
    ],
)
def test_a_sign_in_that_fails_says_why(
    sign_in: SignIn, admin: User, organization: Organization, query: dict[str, str], words: str
) -> None:
    client = sign_in(admin)
    state = sent_to_platform(client, make_app(organization, admin))
    page = client.get(reverse("campaigns:ad_callback"), {"state": state, **query}).content.decode()
    assert words in page
    assert not AdCredential.objects.exists()


@pytest.mark.django_db
def test_a_sign_in_without_any_ad_account_is_none(
    sign_in: SignIn, admin: User, organization: Organization
) -> None:
    FakeAds.accounts = []
    client = sign_in(admin)
    state = sent_to_platform(client, make_app(organization, admin))
    page = client.get(reverse("campaigns:ad_callback"), {"state": state, "code": "good"}).content.decode()
    assert "There is no ad account" in page


@pytest.mark.django_db
def test_an_offer_is_the_persons_own_and_ends(
    sign_in: SignIn, admin: User, owner: User, organization: Organization, brand: Brand
) -> None:
    client = sign_in(admin)
    state = sent_to_platform(client, make_app(organization, admin))
    choose = client.get(reverse("campaigns:ad_callback"), {"state": state, "code": "good"})["Location"]
    assert sign_in(owner).get(choose).status_code == 404
    AdCredential.objects.update(created_at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=2))
    page = sign_in(admin).post(choose, {"brand": brand.pk, "account": ["11"]}).content.decode()
    assert "took too long" in page
    tasks.clean_ad_sign_ins()
    assert not AdCredential.objects.exists()


@pytest.mark.django_db
def test_an_app_in_use_is_not_deleted(
    sign_in: SignIn, admin: User, account: AdAccount, organization: Organization
) -> None:
    app = make_app(organization, admin)
    AdCredential.objects.update(app=app)
    with pytest.raises(InUse):
        ad_accounts.delete_app(app=app, actor=admin, now=NOW)
    client = sign_in(admin)
    answer = client.post(reverse("campaigns:ad_app_delete", args=[app.pk]), follow=True)
    assert "Disconnect it first" in answer.content.decode()
    client.post(reverse("campaigns:ad_disconnect", args=[account.pk]))
    client.post(reverse("campaigns:ad_app_delete", args=[app.pk]))
    assert not AppRegistration.objects.exists()


@pytest.mark.django_db
def test_an_app_is_changed_without_its_secret(
    sign_in: SignIn, admin: User, organization: Organization
) -> None:
    app = make_app(organization, admin)
    client = sign_in(admin)
    edit = reverse("campaigns:ad_app_edit", args=[app.pk])
    assert "s3cr3t" not in client.get(edit).content.decode()
    client.post(edit, {"name": "Renamed", "client_id": "2", "client_secret": ""})
    app.refresh_from_db()
    assert app.name == "Renamed"


@pytest.mark.django_db
def test_where_the_role_was_lost_somebody_else_can_sign_in(
    sign_in: SignIn, admin: User, marketer: User, account: AdAccount
) -> None:
    page = reverse("campaigns:ad_account", args=[account.pk])
    assert "Sign in again" not in sign_in(admin).get(page).content.decode()
    AdAccount.objects.update(problem="forbidden", import_at=None)
    text = sign_in(admin).get(page).content.decode()
    assert f'href="{reverse("campaigns:ad_connect")}?platform={KEY}"' in text
    assert "Sign in again" in text
    # Who may not connect accounts is not led there.
    assert "Sign in again" not in sign_in(marketer).get(page).content.decode()


@pytest.mark.django_db
def test_the_page_tells_how_an_import_stands(sign_in: SignIn, marketer: User, account: AdAccount) -> None:
    client = sign_in(marketer)
    page = reverse("campaigns:ad_account", args=[account.pk])
    assert "Waits for its turn" in client.get(page).content.decode()
    now = dt.datetime.now(dt.UTC)
    AdAccount.objects.update(importing_until=now + dt.timedelta(minutes=5), import_fence=3)
    account.refresh_from_db()
    tasks._ads_teller(account)(150)
    part = client.get(page, headers={"HX-Request": "true"}).content.decode()
    assert "The costs are being read" in part
    assert "150 rows so far" in part
    assert "<html" not in part
    AdAccount.objects.update(
        importing_until=None,
        import_at=now + dt.timedelta(hours=3),
        problem="forbidden",
        problem_detail="no <b>",
    )
    text = client.get(page).content.decode()
    assert "Whoever signed in may no longer read this ad account at Fake Ads" in text
    assert "no &lt;b&gt;" in text
    assert "every 2s" not in text
    AdAccount.objects.update(result=json.loads("{}"), imported_at=now, problem="", currency="", time_zone="")
    assert "does not say in which currency" in client.get(page).content.decode()


@pytest.mark.django_db
def test_a_forged_choice_is_refused(
    sign_in: SignIn, marketer: User, account: AdAccount, other_brand: Brand
) -> None:
    row = AdCampaign.objects.create(account=account, remote_id="c1", name="Ad c1")
    foreign = make_campaign(other_brand, "Tea")
    url = reverse("campaigns:ad_assign", args=[account.pk])
    answer = sign_in(marketer).post(url, {f"campaign_{row.pk}": str(foreign.pk), "window": "7d"})
    assert answer.status_code == 422
    row.refresh_from_db()
    assert row.campaign is None


@pytest.mark.django_db
def test_an_old_page_does_not_take_back_what_was_chosen_since(
    sign_in: SignIn, marketer: User, account: AdAccount, campaign: Campaign
) -> None:
    rows = [AdCampaign.objects.create(account=account, remote_id=f"c{n}", name=f"Ad c{n}") for n in range(2)]
    client = sign_in(marketer)
    page = client.get(reverse("campaigns:ad_account", args=[account.pk]))
    old = {name: field.value() or "" for name, field in fields_of(page)}
    assert f'name="was_{rows[0].pk}"' in page.content.decode()
    assign(account, campaign, "c0")
    client.post(
        reverse("campaigns:ad_assign", args=[account.pk]),
        old | {f"campaign_{rows[1].pk}": str(campaign.pk)},
    )
    assert [row.campaign for row in AdCampaign.objects.order_by("remote_id")] == [campaign, campaign]


@pytest.mark.django_db
def test_many_campaigns_are_paged_and_those_of_other_pages_stay(
    sign_in: SignIn, marketer: User, account: AdAccount, campaign: Campaign
) -> None:
    AdCampaign.objects.bulk_create(
        AdCampaign(account=account, remote_id=f"c{n}", name=f"Ad {n:03}", campaign=campaign)
        for n in range(PAGE_SIZE + 3)
    )
    client = sign_in(marketer)
    page = client.get(reverse("campaigns:ad_account", args=[account.pk]), {"page": 2})
    assert len(page.context["form"].rows) == 3
    given = {name: field.value() or "" for name, field in fields_of(page)}
    gone = page.context["form"].rows[0]
    answer = client.post(
        reverse("campaigns:ad_assign", args=[account.pk]), given | {f"campaign_{gone.pk}": ""}
    )
    assert answer.status_code == 302
    assert list(AdCampaign.objects.filter(campaign=None)) == [gone]


@pytest.mark.django_db
def test_what_a_platform_does_not_say_this_time_is_as_it_was(
    sign_in: SignIn, admin: User, account: AdAccount, organization: Organization
) -> None:
    FakeAds.accounts = [RemoteAccount("11", "Shop", "", "")]
    client = sign_in(admin)
    state = sent_to_platform(client, make_app(organization, admin))
    choose = client.get(reverse("campaigns:ad_callback"), {"state": state, "code": "good"})["Location"]
    client.post(choose, {"brand": account.brand_id, "account": ["11"]})
    before = (account.currency, account.time_zone)
    account.refresh_from_db()
    assert (account.currency, account.time_zone) == before


@pytest.mark.django_db
def test_members_see_the_ad_accounts_of_their_brands(
    sign_in: SignIn, marketer: User, account: AdAccount, other_brand: Brand
) -> None:
    make_account(other_brand, name="Tea ads")
    page = reverse("campaigns:ad_accounts")
    assert "Tea ads" in sign_in(marketer).get(page).content.decode()
    member = Membership.objects.get(user=marketer)
    member.has_all_brands = False
    member.save()
    member.brands.set([account.brand])
    text = sign_in(marketer).get(page).content.decode()
    assert "Shop" in text
    assert "Tea ads" not in text


def test_every_word_of_a_platform_can_be_translated() -> None:
    said = set()
    for key, connector in AD_CONNECTORS.items():
        info = connector.INFO
        if key == KEY:
            continue
        said |= {*info.app.steps, info.app.id_label, info.app.secret_label, info.conversions}
        said |= {one.label for one in info.windows} | ({info.app.review} - {""})
    assert set(AD_WORDS) == said
