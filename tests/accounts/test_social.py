from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.connecting import OAUTH_LIFETIME, open_tokens
from accounts.management.commands.network_words import document
from accounts.models import (
    AccountStatus,
    AppRegistration,
    AuditEntry,
    Brand,
    Credential,
    Notification,
    NotificationKind,
    SocialAccount,
    User,
)
from accounts.services import social
from connectors.base import Profile
from connectors.errors import NeedsReconnect, RateLimited, Rejected, RejectReason, Temporary
from connectors.registry import CONNECTORS
from tests.accounts.conftest import NOW, FakeNetwork

FORM = {"handle": "harbour@fake.test", "password": "right password"}


def connect_url(platform: str = "fake") -> str:
    return reverse("accounts:connect_network", args=[platform])


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("at", "pk").values_list("action", flat=True))


# --- by form ----------------------------------------------------------------------------------


def test_an_account_is_connected_by_a_form(
    sign_in: Any, admin: User, brand: Brand, network: FakeNetwork
) -> None:
    answer = sign_in(admin).post(connect_url(), {**FORM, "brand": brand.pk})
    account = SocialAccount.objects.get()
    assert answer["Location"] == reverse("accounts:account_detail", args=[account.pk])
    assert (account.brand, account.remote_id, account.status) == (brand, "fake-1", AccountStatus.ACTIVE)
    assert open_tokens(account.credential.secret).access_token == "access-1"
    assert "access-1" not in account.credential.secret
    assert actions() == ["account.connected"]


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (NeedsReconnect("Invalid password"), "password"),
        (Rejected(RejectReason.HOST_UNKNOWN), "handle"),
        (Rejected(RejectReason.HOST_REFUSED), "handle"),
        (Rejected(RejectReason.INVALID), "handle"),
        (Temporary("502"), "__all__"),
        (RateLimited(NOW), "__all__"),
    ],
)
def test_what_goes_wrong_is_said_at_its_field_and_nothing_is_lost(
    sign_in: Any, admin: User, brand: Brand, network: FakeNetwork, error: Exception, field: str
) -> None:
    network.error = error
    answer = sign_in(admin).post(connect_url(), {**FORM, "brand": brand.pk})
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    page = answer.content.decode()
    assert 'value="harbour@fake.test"' in page
    assert "right password" not in page
    assert not SocialAccount.objects.exists()
    assert actions() == []


def test_problems_are_told_in_the_persons_language(
    sign_in: Any, admin: User, brand: Brand, network: FakeNetwork
) -> None:
    from django.utils import translation

    from accounts.wording import connect_problem
    from tests.accounts.conftest import FakeConnector

    reasons = [Rejected(reason) for reason in RejectReason]
    for error in (NeedsReconnect(), Temporary(), RateLimited(NOW), *reasons):
        with translation.override("en"):
            assert connect_problem(error, FakeConnector.INFO)


def test_what_networks_ask_can_be_translated() -> None:
    kept = Path(__file__).parents[2] / "accounts" / "network_words.py"
    assert kept.read_text(encoding="utf-8") == document(), "run manage.py network_words"


def test_the_same_account_again_is_a_reconnection_of_its_row(
    sign_in: Any, admin: User, account: SocialAccount, network: FakeNetwork
) -> None:
    SocialAccount.objects.update(status=AccountStatus.DISCONNECTED)
    Credential.objects.all().delete()
    network.access_token = "access-9"
    sign_in(admin).post(connect_url(), {**FORM, "brand": account.brand_id})
    again = SocialAccount.objects.get()
    assert (again.pk, again.status) == (account.pk, AccountStatus.ACTIVE)
    assert open_tokens(again.credential.secret).access_token == "access-9"
    assert actions() == ["account.reconnected"]


def test_a_reconnection_as_somebody_else_is_refused(
    sign_in: Any, admin: User, account: SocialAccount, network: FakeNetwork
) -> None:
    network.profile = Profile("fake-2", "other@fake.test")
    answer = sign_in(admin).post(reverse("accounts:account_reconnect", args=[account.pk]), FORM)
    (problem,) = answer.context["form"].non_field_errors()
    assert "@other@fake.test" in problem
    assert "@harbour@fake.test" in problem
    assert SocialAccount.objects.get().remote_id == "fake-1"
    assert open_tokens(Credential.objects.get().secret).access_token == "access-1"


def test_a_brand_of_another_organization_cannot_be_chosen(
    sign_in: Any, admin: User, brand: Brand, other_organization: Any, network: FakeNetwork
) -> None:
    foreign = Brand.objects.create(organization=other_organization, name="Foreign")
    answer = sign_in(admin).post(connect_url(), {**FORM, "brand": foreign.pk})
    assert "brand" in answer.context["form"].errors
    assert network.calls == []


def test_a_network_is_offered_only_where_there_is_one(
    sign_in: Any, admin: User, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sign_in(admin)
    for is_there in (False, True):
        monkeypatch.setattr(CONNECTORS["sandbox"], "is_offered", lambda is_there=is_there: is_there)
        assert client.get(connect_url("sandbox")).status_code == (200 if is_there else 404)
        assert (b"Sandbox" in client.get(reverse("accounts:connect")).content) is is_there


def test_a_network_that_is_not_known_is_not_found(sign_in: Any, admin: User) -> None:
    assert sign_in(admin).get(connect_url("nowhere")).status_code == 404


# --- by OAuth ---------------------------------------------------------------------------------


def begin(client: Client, brand: Brand, host: str = "https://one.test") -> str:
    """The state under which the browser was sent to the network."""
    answer = client.post(connect_url("fake_oauth"), {"brand": brand.pk, "host": host})
    assert answer.status_code == 302, answer.context["form"].errors
    return parse_qs(urlsplit(answer["Location"]).query)["state"][0]


def come_back(client: Client, **query: str) -> Any:
    return client.get(reverse("accounts:oauth_callback"), query)


def test_an_account_is_connected_by_oauth(
    sign_in: Any, admin: User, brand: Brand, network: FakeNetwork
) -> None:
    client = sign_in(admin)
    answer = come_back(client, state=begin(client, brand), code="good-code")
    account = SocialAccount.objects.get()
    assert answer["Location"] == reverse("accounts:account_detail", args=[account.pk])
    assert account.credential.app == AppRegistration.objects.get()
    assert account.connected_by == admin


def test_a_state_serves_once(sign_in: Any, admin: User, brand: Brand, network: FakeNetwork) -> None:
    client = sign_in(admin)
    state = begin(client, brand)
    come_back(client, state=state, code="good-code")
    network.code = "good-code"
    again = come_back(client, state=state, code="good-code")
    assert "problem" in again.context
    assert actions() == ["account.connected"]


def test_a_state_of_another_browser_is_refused(
    sign_in: Any, admin: User, brand: Brand, network: FakeNetwork
) -> None:
    state = begin(sign_in(admin), brand)
    other = Client()
    other.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    for given in (state, "guessed", ""):
        assert "problem" in come_back(other, state=given, code="good-code").context
    assert not SocialAccount.objects.exists()


def test_an_answer_that_took_too_long_is_refused(
    sign_in: Any, admin: User, brand: Brand, network: FakeNetwork
) -> None:
    client = sign_in(admin)
    with time_machine.travel(NOW, tick=False):
        state = begin(client, brand)
    with time_machine.travel(NOW + OAUTH_LIFETIME + dt.timedelta(seconds=1), tick=False):
        answer = come_back(client, state=state, code="good-code")
    assert "took too long" in answer.context["problem"]
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"error": "access_denied"}, "declined"),
        ({"error": "server_error", "error_description": "<script>"}, "did not complete"),
        ({}, "did not complete"),
    ],
)
def test_a_network_that_says_no_connects_nothing(
    sign_in: Any, admin: User, brand: Brand, network: FakeNetwork, query: dict[str, str], words: str
) -> None:
    client = sign_in(admin)
    answer = come_back(client, state=begin(client, brand), **query)
    assert words in answer.context["problem"]
    assert "<script>" not in answer.content.decode().split("<main")[1]
    assert answer.context["again_url"] == connect_url("fake_oauth")
    assert not SocialAccount.objects.exists()


def test_a_code_that_is_refused_connects_nothing(
    sign_in: Any, admin: User, brand: Brand, network: FakeNetwork
) -> None:
    client = sign_in(admin)
    answer = come_back(client, state=begin(client, brand), code="wrong")
    assert "could not be completed" in answer.context["problem"]
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("host", ["unknown.test", "127.0.0.1"])
def test_a_host_that_is_unknown_or_private_is_refused_at_the_field(
    sign_in: Any, admin: User, brand: Brand, network: FakeNetwork, host: str
) -> None:
    answer = sign_in(admin).post(connect_url("fake_oauth"), {"brand": brand.pk, "host": host})
    assert list(answer.context["form"].errors) == ["host"]
    assert f'value="{host}"' in answer.content.decode()


def test_a_sign_in_that_never_came_back_registers_the_app_anew(
    sign_in: Any, admin: User, brand: Brand, network: FakeNetwork
) -> None:
    client = sign_in(admin)
    first = begin(client, brand)
    second = begin(client, brand)
    assert network.calls == ["register https://one.test"] * 2
    assert "problem" in come_back(client, state=first, code="good-code").context
    assert come_back(client, state=second, code="good-code").status_code == 302


def test_somebody_whose_role_was_lowered_meanwhile_connects_nothing(
    sign_in: Any, admin: User, brand: Brand, network: FakeNetwork
) -> None:
    client = sign_in(admin)
    state = begin(client, brand)
    admin.memberships.update(role="viewer")
    assert come_back(client, state=state, code="good-code").status_code == 403
    assert not SocialAccount.objects.exists()


# --- keeping it alive ---------------------------------------------------------------------------


def test_a_lost_account_is_marked_once_and_told_to_those_who_can_reconnect(
    account: SocialAccount, owner: User, admin: User, manager: User
) -> None:
    assert social.mark_needs_reconnect(account=account, detail="revoked", now=NOW)
    assert not social.mark_needs_reconnect(account=account, detail="revoked", now=NOW)
    account.refresh_from_db()
    assert (account.status, account.status_detail) == (AccountStatus.NEEDS_RECONNECT, "revoked")
    assert {n.user for n in Notification.objects.all()} == {owner, admin}
    assert actions() == ["account.lost"]


def test_a_late_answer_to_an_old_token_does_not_undo_a_reconnection(
    account: SocialAccount, admin: User, network: FakeNetwork
) -> None:
    as_the_worker_read_it = SocialAccount.objects.get()
    social.save_connection(
        brand=account.brand,
        platform="fake",
        connected=network.connected(),
        actor=admin,
        now=NOW + dt.timedelta(minutes=1),
    )
    assert not social.mark_needs_reconnect(account=as_the_worker_read_it, detail="old", now=NOW)
    assert SocialAccount.objects.get().status == AccountStatus.ACTIVE


def test_tokens_are_refreshed_before_they_end(account: SocialAccount, network: FakeNetwork) -> None:
    long_before = NOW + dt.timedelta(minutes=30)
    assert social.refresh_due_credentials(now=long_before) == 0
    shortly_before = NOW + dt.timedelta(minutes=100)
    assert social.refresh_due_credentials(now=shortly_before) == 1
    assert open_tokens(Credential.objects.get().secret).access_token == "access-2"


def test_a_token_of_weeks_is_refreshed_days_before_it_ends(
    account: SocialAccount, admin: User, network: FakeNetwork
) -> None:
    """Some networks renew a token only while it lives; an installation may be off for a day."""
    network.lifetime = dt.timedelta(days=60)
    social.save_connection(
        brand=account.brand, platform="fake", connected=network.connected(), actor=admin, now=NOW
    )
    assert social.refresh_due_credentials(now=NOW + dt.timedelta(days=52)) == 0
    assert social.refresh_due_credentials(now=NOW + dt.timedelta(days=54)) == 1


def test_a_token_that_cannot_be_renewed_serves_until_its_end(
    account: SocialAccount, admin: User, network: FakeNetwork
) -> None:
    network.lifetime = dt.timedelta(days=60)
    social.save_connection(
        brand=account.brand, platform="fake", connected=network.connected(), actor=admin, now=NOW
    )
    network.error = NeedsReconnect("revoked")
    early = NOW + dt.timedelta(days=54)
    assert social.refresh_due_credentials(now=early) == 0
    account.refresh_from_db()
    assert (account.status, account.connection_expires_at) == (AccountStatus.ACTIVE, account.token_expires_at)
    assert social.warn_of_expiring(now=early) == 1
    assert social.refresh_due_credentials(now=early) == 0
    assert network.calls[-1] == "refresh refresh-1"
    assert social.mark_ended_connections(now=NOW + dt.timedelta(days=61)) == 1


def test_a_connection_ends_with_its_refresh_token(
    account: SocialAccount, admin: User, network: FakeNetwork
) -> None:
    network.ends_at = NOW + dt.timedelta(days=5)
    social.save_connection(
        brand=account.brand, platform="fake", connected=network.connected(), actor=admin, now=NOW
    )
    account.refresh_from_db()
    assert account.connection_expires_at == network.ends_at
    assert social.warn_of_expiring(now=NOW) == 1
    # Until then it is renewed all the same, and each renewal may tell another end.
    network.ends_at = NOW + dt.timedelta(days=4)
    assert social.refresh_due_credentials(now=NOW + dt.timedelta(minutes=100)) == 1
    account.refresh_from_db()
    assert account.connection_expires_at == network.ends_at
    assert open_tokens(Credential.objects.get().secret).ends_at == network.ends_at
    network.ends_at = None  # not told again
    SocialAccount.objects.update(token_expires_at=NOW)
    assert social.refresh_due_credentials(now=NOW) == 1
    account.refresh_from_db()
    assert account.connection_expires_at == NOW + dt.timedelta(days=4)


def test_a_token_that_lives_as_long_as_its_connection_is_not_refreshed(
    account: SocialAccount, admin: User, network: FakeNetwork
) -> None:
    network.ends_at = NOW + dt.timedelta(hours=2)
    social.save_connection(
        brand=account.brand, platform="fake", connected=network.connected(), actor=admin, now=NOW
    )
    assert social.refresh_due_credentials(now=NOW + dt.timedelta(minutes=100)) == 0


def test_one_accounts_failed_refresh_does_not_keep_the_others_from_theirs(
    account: SocialAccount, network: FakeNetwork, brand: Brand, owner: User
) -> None:
    second = SocialAccount.objects.create(
        brand=brand,
        platform="fake",
        remote_id="fake-2",
        handle="second",
        connected_at=NOW,
        token_expires_at=NOW + dt.timedelta(minutes=5),
    )
    tokens = dataclasses.replace(network.tokens(), refresh_token="spent-0", access_token="old")
    from accounts.connecting import seal_tokens

    Credential.objects.create(account=second, secret=seal_tokens(tokens), refreshed_at=NOW)
    assert social.refresh_due_credentials(now=NOW + dt.timedelta(hours=2)) == 1
    second.refresh_from_db()
    assert second.status == AccountStatus.NEEDS_RECONNECT
    assert Notification.objects.get().kind == NotificationKind.ACCOUNT_LOST


def test_the_end_of_a_connection_is_told_at_seven_three_and_one_days(
    account: SocialAccount, owner: User
) -> None:
    ends_at = NOW + dt.timedelta(days=10)
    SocialAccount.objects.update(connection_expires_at=ends_at)
    told = []
    for hours in range(0, 11 * 24, 6):
        now = NOW + dt.timedelta(hours=hours)
        social.mark_ended_connections(now=now)
        if social.warn_of_expiring(now=now):
            told.append((ends_at - now).days)
    assert told == [7, 3, 1]
    account.refresh_from_db()
    assert account.status == AccountStatus.NEEDS_RECONNECT


def test_missed_runs_are_made_up_for_once(account: SocialAccount, owner: User) -> None:
    SocialAccount.objects.update(connection_expires_at=NOW + dt.timedelta(days=2))
    assert social.warn_of_expiring(now=NOW) == 1
    assert social.warn_of_expiring(now=NOW) == 0


def test_a_test_read_shows_who_answers(
    sign_in: Any, admin: User, account: SocialAccount, network: FakeNetwork
) -> None:
    network.profile = Profile("fake-1", "renamed@fake.test", "Renamed")
    answer = sign_in(admin).post(reverse("accounts:account_check", args=[account.pk]), follow=True)
    assert "renamed@fake.test" in answer.content.decode()
    account.refresh_from_db()
    assert (account.handle, account.display_name) == ("renamed@fake.test", "Renamed")
    assert account.checked_at is not None


def test_a_test_read_that_fails_marks_the_account(
    sign_in: Any, admin: User, account: SocialAccount, network: FakeNetwork
) -> None:
    network.error = NeedsReconnect("revoked by the person")
    answer = sign_in(admin).post(reverse("accounts:account_check", args=[account.pk]), follow=True)
    assert "Reconnect" in answer.content.decode()
    account.refresh_from_db()
    assert account.status == AccountStatus.NEEDS_RECONNECT


def test_a_lost_account_that_answers_again_is_active_again(
    account: SocialAccount, network: FakeNetwork
) -> None:
    SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT, status_detail="x")
    account.refresh_from_db()
    social.check_account(account=account, now=NOW)
    account.refresh_from_db()
    assert (account.status, account.status_detail) == (AccountStatus.ACTIVE, "")


# --- ending it --------------------------------------------------------------------------------


def test_disconnecting_asks_first_forgets_the_secret_and_keeps_the_row(
    sign_in: Any, admin: User, account: SocialAccount
) -> None:
    client = sign_in(admin)
    path = reverse("accounts:account_disconnect", args=[account.pk])
    assert client.get(path).status_code == 200
    assert Credential.objects.exists()
    # Who signed in: without access a later request of theirs that we forget them would not find it.
    SocialAccount.objects.update(options={"person_id": "26", "host": "https://fake.test"})
    client.post(path)
    account.refresh_from_db()
    assert account.status == AccountStatus.DISCONNECTED
    assert account.options == {"host": "https://fake.test"}
    assert not account.is_active
    assert not Credential.objects.exists()
    assert actions() == ["account.disconnected"]


def test_the_page_of_an_account_shows_its_end_and_limits(
    sign_in: Any, viewer: User, account: SocialAccount
) -> None:
    SocialAccount.objects.update(
        connection_expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(days=3, hours=1)
    )
    page = sign_in(viewer).get(reverse("accounts:account_detail", args=[account.pk])).content.decode()
    assert "The connection ends in 3 days" in page
    assert "300 characters" in page
    assert "Disconnect" not in page


def test_only_access_that_ends_is_said_to_be_renewed(
    sign_in: Any, viewer: User, account: SocialAccount
) -> None:
    page = reverse("accounts:account_detail", args=[account.pk])
    assert "access is renewed by itself" in sign_in(viewer).get(page).content.decode()
    SocialAccount.objects.update(token_expires_at=None)
    text = sign_in(viewer).get(page).content.decode()
    assert "renewed by itself" not in text
    assert "No end is known." in text


# --- keys -------------------------------------------------------------------------------------


def test_rotation_moves_every_secret_to_the_new_key(
    account: SocialAccount, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from cryptography.fernet import Fernet

    old, new = settings.FIELD_KEYS, [Fernet.generate_key().decode()]
    settings.FIELD_KEYS = [*new, *old]
    call_command("rotate_credentials")
    assert "1 of 1" in capsys.readouterr().out
    settings.FIELD_KEYS = new
    assert open_tokens(Credential.objects.get().secret).access_token == "access-1"


def test_rotation_leaves_what_no_key_opens_and_says_so(account: SocialAccount, settings: Any) -> None:
    from cryptography.fernet import Fernet

    before = Credential.objects.get().secret
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match="1 could not be opened"):
        call_command("rotate_credentials")
    assert Credential.objects.get().secret == before
