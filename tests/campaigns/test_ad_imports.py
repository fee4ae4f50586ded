"""Costs of ad accounts are imported again and again: what is stored, left out, corrected, tried again."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import AccountStatus, Brand, Organization, User
from campaigns.ad_wording import ad_problem
from campaigns.models import AdAccount, AdCampaign, AdCredential, Campaign, CostKind, SpendEntry
from campaigns.services import ad_accounts, ad_imports
from campaigns.services.budgets import Cost
from connectors.errors import RateLimited, Rejected, RejectReason, Temporary
from tests.campaigns.ad_stage import (
    TODAY,
    FakeAds,
    SignIn,
    account,
    assign,
    day,
    hand,
    make_account,
    platform,
    run,
    spent,
)
from tests.campaigns.conftest import NOW, make_campaign

__all__ = ["account", "platform"]


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
