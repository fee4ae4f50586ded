from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test import override_settings

from accounts import connecting
from accounts.connecting import connector_for, open_tokens, refresh_tokens, seal_tokens
from accounts.models import AppRegistration, Credential, SocialAccount
from connectors.base import Profile, Tokens
from connectors.errors import NeedsReconnect, Temporary
from tests.accounts.conftest import NOW, FakeConnector, FakeNetwork

CALLBACK = "http://testserver/accounts/callback"


# --- tokens at rest ---------------------------------------------------------------------------


def test_tokens_are_stored_encrypted_and_come_back_whole() -> None:
    tokens = Tokens("secret access", "secret refresh", NOW, {"did": "did:plc:x"})
    sealed = seal_tokens(tokens)
    assert "secret" not in sealed
    assert open_tokens(sealed) == tokens


@pytest.mark.django_db
def test_a_credential_that_no_key_opens_needs_a_reconnection(account: SocialAccount) -> None:
    from cryptography.fernet import Fernet

    with override_settings(FIELD_KEYS=[Fernet.generate_key().decode()]), pytest.raises(NeedsReconnect):
        connector_for(account)


@pytest.mark.django_db
def test_a_disconnected_account_has_no_connector(account: SocialAccount) -> None:
    Credential.objects.all().delete()
    with pytest.raises(NeedsReconnect):
        connector_for(account)


# --- refreshing -------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_refused_token_is_refreshed_stored_and_used(account: SocialAccount, network: FakeNetwork) -> None:
    connector = connector_for(account)
    network.access_token = "something newer"
    assert connector.fetch_profile() == network.profile
    stored = open_tokens(Credential.objects.get(pk=account.pk).secret)
    assert (stored.access_token, stored.refresh_token) == ("access-2", "refresh-2")
    account.refresh_from_db()
    assert account.token_expires_at == NOW + dt.timedelta(hours=2)
    assert Credential.objects.get(pk=account.pk).refreshing_until is None


@pytest.mark.django_db
def test_stale_tokens_that_another_process_replaced_are_not_refreshed_again(
    account: SocialAccount, network: FakeNetwork
) -> None:
    stale = network.tokens()
    first = refresh_tokens(account, stale)
    assert refresh_tokens(account, stale) == first
    assert network.calls == ["refresh refresh-1"]


@pytest.mark.django_db(transaction=True)
def test_a_refresh_token_is_used_once_however_many_workers_want_it(
    account: SocialAccount, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = network.tokens()
    inside = threading.Event()
    refresh = FakeConnector.refresh

    def slow_refresh(**given: object) -> Tokens:
        inside.wait(0.5)  # long enough for the others to arrive
        return refresh(**given)  # type: ignore[arg-type]

    monkeypatch.setattr(FakeConnector, "refresh", slow_refresh)
    results: list[Tokens | Exception] = []

    def work() -> None:
        try:
            results.append(refresh_tokens(account, stale))
        except Exception as error:  # noqa: BLE001 - reported by the assertion below
            results.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [getattr(result, "access_token", result) for result in results] == ["access-2"] * 6
    assert network.calls == ["refresh refresh-1"]


@pytest.mark.django_db(transaction=True)
def test_tokens_are_not_refreshed_inside_a_transaction(account: SocialAccount, network: FakeNetwork) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        refresh_tokens(account, network.tokens())
    assert network.calls == []


@pytest.mark.django_db
def test_the_lease_of_a_dead_process_runs_out(account: SocialAccount, network: FakeNetwork) -> None:
    from django.utils import timezone

    Credential.objects.update(refreshing_until=timezone.now() - dt.timedelta(seconds=1))
    assert refresh_tokens(account).access_token == "access-2"


@pytest.mark.django_db
def test_whoever_waits_too_long_for_the_lease_tries_later(
    account: SocialAccount, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.utils import timezone

    monkeypatch.setattr(connecting, "REFRESH_WAIT_S", 0.0)
    Credential.objects.update(refreshing_until=timezone.now() + dt.timedelta(minutes=1))
    with pytest.raises(Temporary):
        refresh_tokens(account)
    assert network.calls == []


@pytest.mark.django_db
def test_a_failed_refresh_keeps_the_stored_tokens_and_frees_the_lease(
    account: SocialAccount, network: FakeNetwork
) -> None:
    network.error = Temporary("502")
    with pytest.raises(Temporary):
        refresh_tokens(account)
    credential = Credential.objects.get(pk=account.pk)
    assert open_tokens(credential.secret).refresh_token == "refresh-1"
    assert credential.refreshing_until is None


# --- OAuth ------------------------------------------------------------------------------------


@pytest.fixture
def begin(network: FakeNetwork, db: None) -> Callable[..., connecting.OAuthStart]:
    def begin(host: str = "https://one.test") -> connecting.OAuthStart:
        app = connecting.app_registration(
            platform="fake_oauth", host=host, redirect_uri=CALLBACK, website="http://testserver"
        )
        return connecting.begin_oauth(app=app, redirect_uri=CALLBACK, now=NOW)

    return begin


def test_an_app_is_registered_once_per_host(
    begin: Callable[..., connecting.OAuthStart], network: FakeNetwork
) -> None:
    begin()
    begin()
    begin("https://two.test")
    assert network.calls == ["register https://one.test", "register https://two.test"]
    assert all("client secret" not in app.secret for app in AppRegistration.objects.all())


def test_a_code_becomes_a_connection_with_the_apps_secret_and_the_verifier(
    begin: Callable[..., connecting.OAuthStart], network: FakeNetwork
) -> None:
    start = begin()
    assert start.state in start.url
    assert "verifier" not in start.pending["verifier"]
    (connected,), app = connecting.finish_oauth(pending=start.pending, code="good-code", now=NOW)
    assert connected.profile == Profile("fake-1", "harbour@fake.test", "Harbour")
    assert network.calls[-1] == "exchange client secret verifier"
    assert app.host == "https://one.test"


def test_an_answer_after_fifteen_minutes_is_refused(begin: Callable[..., connecting.OAuthStart]) -> None:
    start = begin()
    late = NOW + connecting.OAUTH_LIFETIME + dt.timedelta(seconds=1)
    with pytest.raises(connecting.OAuthExpired):
        connecting.finish_oauth(pending=start.pending, code="good-code", now=late)


def test_an_answer_for_an_app_that_is_gone_is_refused(
    begin: Callable[..., connecting.OAuthStart], network: FakeNetwork
) -> None:
    start = begin()
    connecting.forget_unused_app(start.pending["app"])
    with pytest.raises(connecting.OAuthExpired):
        connecting.finish_oauth(pending=start.pending, code="good-code", now=NOW)
    assert not any(call.startswith("exchange") for call in network.calls)


def test_an_app_that_accounts_use_is_not_forgotten(
    begin: Callable[..., connecting.OAuthStart], account: SocialAccount
) -> None:
    start = begin()
    Credential.objects.filter(pk=account.pk).update(app=AppRegistration.objects.get())
    connecting.forget_unused_app(start.pending["app"])
    assert AppRegistration.objects.exists()


def test_tokens_never_show_in_a_repr(network: FakeNetwork) -> None:
    shown = repr(dataclasses.replace(network.connected()))
    assert "access-1" not in shown
    assert "refresh-1" not in shown
