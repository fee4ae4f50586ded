"""What tests of ad accounts share: an advertising platform that tells what a test wants, an account at it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, ClassVar

import pytest
import time_machine
from django.test import Client

from accounts.connecting import seal_tokens
from accounts.models import AccountStatus, AppRegistration, Brand, Organization, User
from accounts.services.apps import AppFacts, add_app
from campaigns import tasks
from campaigns.models import AdAccount, AdCampaign, AdCredential, Campaign, CostKind, Source, SpendEntry
from campaigns.services import ad_accounts
from campaigns.services.budgets import Cost
from campaigns.services.spend import SpendFacts, add_spend
from connectors.ads.base import AdAccount as RemoteAccount
from connectors.ads.base import AdConnector, AdDay, AdGrant, AttributionWindow
from connectors.ads.registry import AD_CONNECTORS
from connectors.ads.tiktok import INFO as TIKTOK
from connectors.base import AuthorizeRequest, Tokens
from connectors.errors import NeedsReconnect
from tests.campaigns.conftest import NOW

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
