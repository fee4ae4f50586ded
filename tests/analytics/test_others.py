"""Looking at accounts of others: through one's own, asked once for each look, and nothing kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.models import AccountStatus, Brand, Membership, SocialAccount, User
from analytics.services import others
from connectors.base import AccountMetrics, Profile, PublicAccount
from connectors.errors import ConnectorError, NeedsReconnect, RateLimited, Temporary
from outbox.services.rates import Lane, blocked_until
from tests.analytics.conftest import NOON
from tests.cast import make_account

SignIn = Callable[[User], Client]
URL = reverse("analytics:others")
HARBOUR = PublicAccount(
    Profile("h-1", "harbour", "Mila’s Kiosk", profile_url="https://network.test/@harbour"),
    AccountMetrics(followers=12_345, following=None, posts=67),
)


@dataclass
class Network:
    known: dict[str, PublicAccount] = field(default_factory=lambda: {"harbour": HARBOUR})
    problem: ConnectorError | None = None
    asked: list[str] = field(default_factory=list)

    def fetch_public_account(self, handle: str) -> PublicAccount | None:
        self.asked.append(handle)
        if self.problem:
            raise self.problem
        return self.known.get(handle)


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    fake = Network()
    monkeypatch.setattr(others, "connector_for", lambda _account: fake)
    return fake


@pytest.fixture(autouse=True)
def _clock() -> object:
    with time_machine.travel(NOON, tick=False):
        yield


def ask(client: Client, account: SocialAccount, handle: str = "harbour") -> str:
    return client.post(URL, {"account": str(account.pk), "handle": handle}).content.decode()


def test_what_the_network_tells_is_shown_and_what_it_does_not_is_a_dash(
    sign_in: SignIn, marketer: User, sandbox_account: SocialAccount, network: Network
) -> None:
    client = sign_in(marketer)
    assert "Mila’s Kiosk" not in client.get(URL, {"handle": "harbour"}).content.decode()
    assert network.asked == []  # a page that is opened costs nothing
    page = ask(client, sandbox_account)
    assert "Mila’s Kiosk" in page
    assert "12,345" in page
    assert "https://network.test/@harbour" in page
    assert "–" in page
    assert network.asked == ["harbour"]


def test_a_name_that_is_not_there_says_so_and_stays_in_the_field(
    sign_in: SignIn, marketer: User, sandbox_account: SocialAccount, network: Network
) -> None:
    page = ask(sign_in(marketer), sandbox_account, "nobody")
    assert "Sandbox shows no account of this name." in page
    assert 'value="nobody"' in page
    page = ask(sign_in(marketer), sandbox_account, " @ ")
    assert "Enter the name of an account." in page
    assert network.asked == ["nobody"]


def test_only_connected_accounts_of_ones_brands_are_asked_through(
    sign_in: SignIn,
    marketer: User,
    sandbox_account: SocialAccount,
    other_brand: Brand,
    network: Network,
) -> None:
    theirs = make_account(other_brand, handle="theirs")
    lost = make_account(sandbox_account.brand, handle="lost", status=AccountStatus.NEEDS_RECONNECT)
    line = make_account(sandbox_account.brand, platform="line", handle="untold")
    member = Membership.objects.get(user=marketer)
    member.has_all_brands = False
    member.save()
    member.brands.set([sandbox_account.brand])
    client = sign_in(marketer)
    shown = client.get(URL).content.decode()
    for account in (theirs, lost, line):
        assert str(account.pk) not in shown
        assert client.post(URL, {"account": str(account.pk), "handle": "harbour"}).status_code == 422
    assert network.asked == []
    member.brands.set([other_brand])
    SocialAccount.objects.filter(pk=theirs.pk).update(status=AccountStatus.DISCONNECTED)
    assert "No account can look at others" in client.get(URL).content.decode()


def test_strangers_and_those_who_set_no_goals_ask_nothing(
    sign_in: SignIn, stranger: User, viewer: User, sandbox_account: SocialAccount, network: Network
) -> None:
    given = {"account": str(sandbox_account.pk), "handle": "harbour"}
    assert sign_in(viewer).post(URL, given).status_code == 403
    assert sign_in(stranger).post(URL, given).status_code == 422
    assert network.asked == []


def test_what_goes_wrong_is_said(
    sign_in: SignIn, marketer: User, sandbox_account: SocialAccount, network: Network
) -> None:
    client = sign_in(marketer)
    network.problem = Temporary("down")
    assert "Sandbox could not be reached" in ask(client, sandbox_account)
    network.problem = NeedsReconnect("revoked")
    assert "no longer accepts our access" in ask(client, sandbox_account)
    sandbox_account.refresh_from_db()
    assert sandbox_account.status == AccountStatus.NEEDS_RECONNECT


def test_while_reading_has_to_wait_nothing_is_asked(
    sign_in: SignIn, marketer: User, sandbox_account: SocialAccount, network: Network
) -> None:
    client = sign_in(marketer)
    network.problem = RateLimited(NOON + dt.timedelta(hours=1), "429")
    ask(client, sandbox_account)
    assert blocked_until(account=sandbox_account, now=NOON, lane=Lane.READING) is not None
    assert blocked_until(account=sandbox_account, now=NOON) is None  # what is sent goes on
    ask(client, sandbox_account)
    assert network.asked == ["harbour"]


def test_nobody_asks_without_end(
    sign_in: SignIn, marketer: User, sandbox_account: SocialAccount, network: Network
) -> None:
    client = sign_in(marketer)
    pages = [ask(client, sandbox_account) for _ in range(22)]
    assert len(network.asked) == 20
    assert "Wait a minute" in pages[-1]
