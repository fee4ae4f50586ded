"""Imports of ad accounts: tokens that are renewed or lost, and whose turn it is."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.urls import reverse

from accounts.connecting import open_tokens, seal_tokens
from accounts.models import AccountStatus, AuditEntry, Brand, Notification, User
from accounts.services.keys import rotate_secrets
from campaigns import tasks
from campaigns.models import AdAccount, AdCampaign, AdCredential, Campaign
from campaigns.services import ad_accounts, ad_imports
from connectors.base import Tokens
from tests.campaigns.ad_stage import (
    FakeAds,
    account,
    assign,
    day,
    make_account,
    owner_of,
    platform,
    run,
    spent,
)
from tests.campaigns.conftest import NOW

__all__ = ["account", "platform"]


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
    # With signs that no encrypted text has: shorter ones turn up in it by chance.
    AdCredential.objects.update(secret=seal_tokens(Tokens("token.in.clear", "r0")))
    before = AdCredential.objects.get().secret
    rotate_secrets(progress=lambda _so_far: None)
    after = AdCredential.objects.get().secret
    assert after != before
    assert open_tokens(after) == open_tokens(before)
    assert "token.in" not in after
