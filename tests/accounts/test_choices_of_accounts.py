"""What can be chosen of an account (its boards) is asked of the network and kept with it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from accounts.models import AccountStatus, Brand, SocialAccount, User
from accounts.services.social import check_account, connect_by_form, prove, reload_choices, save_connection
from connectors.base import PostField
from connectors.errors import NeedsReconnect, Temporary
from tests.accounts.conftest import NOW, FakeConnector, FakeNetwork

pytestmark = pytest.mark.django_db
BOARD = PostField("board", "Board", kind="choice", is_of_account=True)
KEPT = {"board": [["b1", "Recipes"]]}


@pytest.fixture
def boards(network: FakeNetwork, monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    """The network in memory asks for a board, and knows one."""
    info = dataclasses.replace(FakeConnector.INFO, post_fields=(BOARD,))

    def fetch_choices(self: FakeConnector) -> dict[str, list[tuple[str, str]]]:
        self.network.asked("choices")
        return {"board": [("b1", "Recipes")]}

    monkeypatch.setattr(FakeConnector, "INFO", info)
    monkeypatch.setattr(FakeConnector, "fetch_choices", fetch_choices)
    return network


def connect(brand: Brand, actor: User) -> SocialAccount:
    fields = {"handle": "harbour@fake.test", "password": "right password"}
    account = connect_by_form(brand=brand, platform="fake", fields=fields, actor=actor, now=NOW)
    assert prove(account=account, now=NOW) is None
    return account


def test_they_are_read_when_an_account_is_connected(boards: FakeNetwork, brand: Brand, admin: User) -> None:
    account = connect(brand, admin)
    assert account.options["choices"] == KEPT
    account.refresh_from_db()
    assert account.options["choices"] == KEPT


def test_a_network_that_does_not_tell_them_is_connected_all_the_same(
    boards: FakeNetwork, brand: Brand, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_self: FakeConnector) -> Any:
        raise Temporary("down")

    monkeypatch.setattr(FakeConnector, "fetch_choices", fails)
    account = connect(brand, admin)
    assert account.status == AccountStatus.ACTIVE
    assert "choices" not in account.options


def test_they_stay_over_a_reconnection_that_reads_none(
    boards: FakeNetwork, brand: Brand, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = connect(brand, admin)

    def fails(_self: FakeConnector) -> Any:
        raise Temporary("down")

    monkeypatch.setattr(FakeConnector, "fetch_choices", fails)
    again = save_connection(
        brand=brand, platform="fake", connected=boards.connected(), actor=admin, now=NOW, account=account
    )
    prove(account=again, now=NOW)
    assert again.options["choices"] == KEPT


def test_a_check_reads_them_anew(boards: FakeNetwork, account: SocialAccount) -> None:
    check_account(account=account, now=NOW)
    account.refresh_from_db()
    assert account.options == {"host": "https://fake.test", "choices": KEPT}


def test_networks_without_any_are_not_asked(network: FakeNetwork, account: SocialAccount) -> None:
    check_account(account=account, now=NOW)
    assert "choices" not in network.calls


def test_what_else_is_known_of_the_account_meanwhile_stays(
    boards: FakeNetwork, account: SocialAccount
) -> None:
    SocialAccount.objects.update(options={"host": "https://fake.test", "limit": 7})
    reload_choices(account=account, now=NOW)
    account.refresh_from_db()
    assert account.options == {"host": "https://fake.test", "limit": 7, "choices": KEPT}


def test_a_lost_connection_is_noted_and_raised(boards: FakeNetwork, account: SocialAccount) -> None:
    boards.error = NeedsReconnect("revoked")
    with pytest.raises(NeedsReconnect):
        reload_choices(account=account, now=NOW)
    account.refresh_from_db()
    assert account.status == AccountStatus.NEEDS_RECONNECT
