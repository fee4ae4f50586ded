"""Links with which somebody without a login renews one account's connection."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import tasks
from accounts.connecting import open_tokens, seal_tokens
from accounts.models import (
    AccountStatus,
    AppRegistration,
    AuditEntry,
    Brand,
    Credential,
    Organization,
    ReconnectLink,
    SocialAccount,
    User,
)
from accounts.services import apps
from accounts.services.reconnect_links import KEPT_FOR, VALID_FOR, make_link
from accounts.services.social import disconnect
from connectors.base import Profile
from connectors.errors import NeedsReconnect
from tests.accounts.conftest import NOW, FakeNetwork

FORM = {"handle": "harbour@fake.test", "password": "right password"}


def opened(token: str) -> str:
    return reverse("accounts:reconnect_by_link", args=[token])


@pytest.fixture
def token(account: SocialAccount, admin: User) -> str:
    """Of a link to an account that the network no longer lets in."""
    SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT)
    return make_link(account=account, actor=admin, now=timezone.now())[1]


def test_a_link_is_shown_once_to_who_made_it(sign_in: Any, admin: User, account: SocialAccount) -> None:
    client = sign_in(admin)
    page = client.post(reverse("accounts:reconnect_link_make", args=[account.pk]), follow=True)
    (url,) = set(re.findall(r"http://[^\"]*/reconnect/[^\"]+", page.content.decode()))
    assert url not in client.get(reverse("accounts:account_detail", args=[account.pk])).content.decode()
    link = ReconnectLink.objects.get()
    assert url.rstrip("/").rpartition("/")[2] not in link.token_hash
    assert link.expires_at - link.created_at == VALID_FOR
    assert Client().get(urlsplit(url).path).status_code == 200
    assert AuditEntry.objects.filter(action="account.link_made").exists()


def test_somebody_without_a_login_reconnects_by_form(
    account: SocialAccount, admin: User, network: FakeNetwork, token: str
) -> None:
    network.access_token, network.refresh_token = "access-7", "refresh-7"
    visitor = Client()
    page = visitor.get(opened(token)).content.decode()
    assert "Reconnect @harbour@fake.test" in page
    assert str(admin) in page
    done = visitor.post(opened(token), FORM)
    assert "is connected again" in done.content.decode()
    account.refresh_from_db()
    assert account.status == AccountStatus.ACTIVE
    assert account.connected_by == admin
    assert open_tokens(account.credential.secret).access_token == "access-7"
    entry = AuditEntry.objects.get(action="account.reconnected")
    assert (entry.actor, entry.detail["how"]) == (None, "link")
    # It serves once.
    again = visitor.post(opened(token), FORM)
    assert again.status_code == 410
    assert "This link was used" in again.content.decode()


def test_a_wrong_password_uses_up_nothing(network: FakeNetwork, token: str) -> None:
    visitor = Client()
    refused = visitor.post(opened(token), FORM | {"password": "wrong"})
    assert list(refused.context["form"].errors) == ["password"]
    assert "is connected again" in visitor.post(opened(token), FORM).content.decode()


def test_another_account_is_refused_and_the_link_stays(network: FakeNetwork, token: str) -> None:
    ours = network.profile
    network.profile = Profile("fake-9", "somebody@fake.test")
    refused = Client().post(opened(token), FORM)
    assert "You signed in as @somebody@fake.test" in str(refused.context["form"].errors)
    network.profile = ours
    assert "is connected again" in Client().post(opened(token), FORM).content.decode()


@pytest.mark.parametrize("end", ["expired", "revoked", "unknown", "archived"])
def test_a_link_that_is_over_says_so_and_changes_nothing(
    sign_in: Any, admin: User, account: SocialAccount, network: FakeNetwork, token: str, end: str
) -> None:
    if end == "expired":
        ReconnectLink.objects.update(expires_at=NOW - dt.timedelta(days=9))
    elif end == "revoked":
        revoke = reverse("accounts:reconnect_link_revoke", args=[ReconnectLink.objects.get().pk])
        sign_in(admin).post(revoke)
        assert AuditEntry.objects.filter(action="account.link_revoked").exists()
    elif end == "archived":
        Brand.every.update(is_archived=True)
    else:
        token = "x" * 43
    network.calls.clear()
    for answer in (Client().get(opened(token)), Client().post(opened(token), FORM)):
        assert answer.status_code == (404 if end == "unknown" else 410)
        assert ("expired" if end == "archived" else end) in answer.content.decode() or end == "unknown"
        assert ("harbour" in answer.content.decode()) is False
    assert network.calls == []
    account.refresh_from_db()
    assert account.status == AccountStatus.NEEDS_RECONNECT


def test_a_new_link_ends_the_one_before(account: SocialAccount, admin: User, token: str) -> None:
    newer = make_link(account=account, actor=admin, now=timezone.now())[1]
    assert Client().get(opened(token)).status_code == 410
    assert Client().get(opened(newer)).status_code == 200


def test_disconnecting_ends_the_links(account: SocialAccount, admin: User, token: str) -> None:
    disconnect(account=account, actor=admin, now=timezone.now())
    answer = Client().post(opened(token), FORM)
    assert answer.status_code == 410
    assert "revoked" in answer.content.decode()
    assert not Credential.objects.exists()


def test_disconnecting_ends_the_links_of_an_archived_brand(
    account: SocialAccount, admin: User, token: str
) -> None:
    Brand.every.update(is_archived=True)
    disconnect(account=account, actor=None, now=timezone.now())
    Brand.every.update(is_archived=False)
    assert Client().get(opened(token)).status_code == 410


def test_secrets_are_not_guessed_without_end(db: None) -> None:
    visitor = Client()
    with time_machine.travel(NOW, tick=False):
        statuses = [visitor.get(opened(f"guess-{n}")).status_code for n in range(25)]
    assert statuses[0] == 404
    assert statuses[-1] == 429


def test_the_address_of_a_link_stays_private(token: str) -> None:
    answer = Client().get(opened(token))
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "noindex" in answer["X-Robots-Tag"]


def test_those_who_may_not_connect_make_no_links(
    sign_in: Any, manager: User, stranger: User, account: SocialAccount
) -> None:
    make = reverse("accounts:reconnect_link_make", args=[account.pk])
    assert sign_in(manager).post(make).status_code == 403
    other = Client()
    other.force_login(stranger, backend="django.contrib.auth.backends.ModelBackend")
    assert other.post(make).status_code == 404
    assert not ReconnectLink.objects.exists()


def test_old_links_are_forgotten(account: SocialAccount, token: str) -> None:
    tasks.clean_connecting()
    assert ReconnectLink.objects.count() == 1
    ReconnectLink.objects.update(expires_at=timezone.now() - KEPT_FOR - dt.timedelta(days=1))
    tasks.clean_connecting()
    assert not ReconnectLink.objects.exists()


# --- by OAuth, with the app of before -----------------------------------------------------------


@pytest.fixture
def app(organization: Organization, admin: User, network: FakeNetwork) -> AppRegistration:
    made = [
        apps.add_app(
            organization=organization,
            platform="fake_app",
            facts=apps.AppFacts(name, name, "secret", {"login": "page"}),
            redirect_uri="http://testserver/accounts/callback/",
            actor=admin,
            now=NOW,
        )
        for name in ("A first app", "The app of before")
    ]
    return made[1]


@pytest.fixture
def page_account(account: SocialAccount, app: AppRegistration, network: FakeNetwork) -> SocialAccount:
    SocialAccount.objects.update(
        platform="fake_app", scopes=["post", "numbers"], status=AccountStatus.NEEDS_RECONNECT
    )
    Credential.objects.update(app=app, secret=seal_tokens(network.tokens()))
    account.refresh_from_db()
    return account


def there(client: Client, token: str) -> str:
    """The state under which the browser was sent to the network."""
    form = client.get(opened(token)).context["form"]
    given = {name: form[name].value() for name in ("app", "features")}
    answer = client.post(opened(token), given)
    assert answer.status_code == 302, answer.context["form"].errors
    return parse_qs(urlsplit(answer["Location"]).query)["state"][0]


def back(client: Client, state: str, **query: str) -> Any:
    return client.get(reverse("accounts:oauth_callback"), {"state": state, "code": "good-code", **query})


def test_somebody_without_a_login_reconnects_by_oauth(
    page_account: SocialAccount, admin: User, network: FakeNetwork
) -> None:
    token = make_link(account=page_account, actor=admin, now=timezone.now())[1]
    visitor = Client()
    shown = visitor.get(opened(token)).content.decode()
    assert "A first app" not in shown  # how the organization calls its apps is nobody else's business
    state = there(visitor, token)
    # The app and the permissions of before.
    assert network.calls[-1] == "authorize The app of before page post numbers"
    assert "is connected again" in back(visitor, state).content.decode()
    page_account.refresh_from_db()
    assert page_account.is_active
    # The way back serves once, and leads to nobody's account.
    assert back(visitor, state).status_code == 302
    assert AuditEntry.objects.filter(action="account.reconnected").count() == 1


def test_who_has_a_link_decides_nothing_about_apps_and_permissions(
    page_account: SocialAccount, app: AppRegistration, admin: User, network: FakeNetwork
) -> None:
    token = make_link(account=page_account, actor=admin, now=timezone.now())[1]
    other = AppRegistration.objects.exclude(pk=app.pk).get()
    for features in ([], ["numbers", "inbox"]):
        answer = Client().post(opened(token), {"app": other.pk, "features": features})
        assert answer.status_code == 302, answer.context["form"].errors
        assert network.calls[-1] == "authorize The app of before page post numbers"


def test_a_sign_in_as_somebody_else_by_a_link_connects_nothing(
    page_account: SocialAccount, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.accounts.conftest import FakeAppConnector

    monkeypatch.setattr(FakeAppConnector, "pages", ("fake-8", "fake-9"))
    token = make_link(account=page_account, actor=admin, now=timezone.now())[1]
    visitor = Client()
    answer = back(visitor, there(visitor, token))
    assert "You signed in as @fake-8@fake.test" in answer.content.decode()
    assert not SocialAccount.objects.get().is_active
    assert visitor.get(opened(token)).status_code == 200


def test_a_link_that_was_revoked_while_somebody_was_at_the_network_connects_nothing(
    page_account: SocialAccount, admin: User
) -> None:
    token = make_link(account=page_account, actor=admin, now=timezone.now())[1]
    visitor = Client()
    state = there(visitor, token)
    ReconnectLink.objects.update(revoked_at=timezone.now())
    assert back(visitor, state).status_code == 410
    assert not SocialAccount.objects.get().is_active


def test_a_refusal_at_the_network_by_a_link_can_be_tried_again(
    page_account: SocialAccount, admin: User
) -> None:
    token = make_link(account=page_account, actor=admin, now=timezone.now())[1]
    visitor = Client()
    declined = back(visitor, there(visitor, token), error="access_denied")
    assert "declined" in declined.content.decode()
    assert visitor.get(opened(token)).status_code == 200


def test_the_way_back_without_a_link_wants_a_login(db: None) -> None:
    answer = Client().get(reverse("accounts:oauth_callback"), {"state": "guessed", "code": "x"})
    assert answer.status_code == 302
    assert "login" in answer["Location"]


def test_a_first_look_that_fails_after_a_link_is_said(
    account: SocialAccount, network: FakeNetwork, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.accounts.conftest import FakeConnector

    def refuses(_self: FakeConnector) -> Profile:
        raise NeedsReconnect("no")

    monkeypatch.setattr(FakeConnector, "fetch_profile", refuses)
    assert "a first look did not work" in Client().post(opened(token), FORM).content.decode()
