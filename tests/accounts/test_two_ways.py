"""A network that is connected by a sign-in, or by keys that a person types; and what is asked for unasked."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.connecting import open_tokens
from accounts.models import AppRegistration, Brand, SocialAccount, User
from accounts.views.connecting import reconnect_form
from connectors.base import ConnectMethod
from connectors.x_info import FEATURES, INFO, SIGNED_IN
from tests.cast import make_account

pytestmark = pytest.mark.django_db

API = "https://api.x.com"
ME = {"data": {"id": "2244994945", "username": "harbour", "name": "Harbour Coffee"}}
KEYS = {"consumer_key": "ck", "consumer_secret": "cs", "access_token": "at", "token_secret": "ts"}
CONNECT = reverse("accounts:connect_network", args=["x"])
PAGE = reverse("accounts:network", args=["x"])
GIVEN = {
    "expires_in": 7200,
    "access_token": "access-1",
    "refresh_token": "refresh-1",
    "scope": " ".join(INFO.scopes),
}


@pytest.fixture
def client(admin: User) -> Client:
    browser = Client()
    browser.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    return browser


@pytest.fixture
def answers() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{API}/2/users/me", json=ME, headers={"x-access-level": "read-write"})
        mock.post(f"{API}/2/oauth2/token", json=GIVEN)
        yield mock


@pytest.fixture
def app(client: Client) -> AppRegistration:
    typed = {"name": "Our app", "client_id": "4711", "client_secret": "s3cr3t"}
    answer = client.post(reverse("accounts:app_create", args=["x"]), typed)
    assert answer.status_code == 302, answer.context["form"].errors
    return AppRegistration.objects.get()


def with_keys(brand: Brand) -> SocialAccount:
    return make_account(
        brand,
        platform="x",
        credential={"access_token": "at", "extra": {**KEYS}},
        options={"user_id": "2244994945", "username": "harbour"},
    )


def sign_in(client: Client, url: str, **given: Any) -> Any:
    """There and back; the answer to coming back, and the scopes that were asked for."""
    answer = client.post(url, given)
    assert answer.status_code == 302, answer.context["form"].errors
    query = parse_qs(urlsplit(answer["Location"]).query)
    back = client.get(reverse("accounts:oauth_callback"), {"state": query["state"][0], "code": "c"})
    assert back.status_code == 302, back.content.decode()
    return query["scope"][0].split()


def test_both_ways_are_offered(client: Client) -> None:
    shown = client.get(PAGE).content.decode()
    assert f"{CONNECT}?by=form" in shown
    assert "API key secret" in shown
    assert "?by=form" in client.get(CONNECT).content.decode()
    shown = client.get(f"{CONNECT}?by=form").content.decode()
    assert "?by=oauth" in shown
    assert 'name="token_secret"' in shown
    assert "wants a developer app first" not in shown
    # A network with one way has no other.
    assert "?by=" not in client.get(reverse("accounts:connect_network", args=["bluesky"])).content.decode()
    bluesky = client.get(reverse("accounts:connect_network", args=["bluesky"]) + "?by=form")
    assert 'name="app_password"' in bluesky.content.decode()


def test_keys_connect_an_account_without_an_app(client: Client, brand: Brand, answers: Any) -> None:
    answer = client.post(f"{CONNECT}?by=form", {"brand": brand.pk, **KEYS})
    account = SocialAccount.objects.get()
    assert answer["Location"] == reverse("accounts:account_detail", args=[account.pk])
    assert account.info.connect_method is ConnectMethod.FORM
    assert open_tokens(account.credential.secret).extra["token_secret"] == "ts"
    assert account.credential.app is None


def test_nothing_that_costs_money_is_ticked(client: Client, app: AppRegistration) -> None:
    form = client.get(CONNECT).context["form"]
    optional = [one for one in FEATURES if not one.is_required]
    assert [key for key, _label in form.fields["features"].choices] == [one.key for one in optional]
    assert form.fields["features"].initial == []


def test_a_sign_in_asks_for_publishing_alone_unless_more_is_chosen(
    client: Client, brand: Brand, app: AppRegistration, answers: Any
) -> None:
    scopes = sign_in(client, CONNECT, brand=brand.pk, app=app.pk)
    assert set(scopes) == set(FEATURES[0].scopes)
    account = SocialAccount.objects.get()
    assert account.info.connect_method is ConnectMethod.OAUTH
    assert account.info.capabilities == SIGNED_IN
    assert open_tokens(account.credential.secret).refresh_token == "refresh-1"
    assert account.credential.app == app


def test_an_account_with_keys_is_connected_again_by_either_way(
    client: Client, brand: Brand, app: AppRegistration, answers: Any
) -> None:
    account = with_keys(brand)
    SocialAccount.objects.update(remote_id="2244994945")
    again = reverse("accounts:account_reconnect", args=[account.pk])
    shown = client.get(again).content.decode()
    assert 'name="token_secret"' in shown
    assert "harbour" not in str(client.get(again).context["form"]["consumer_key"])  # a key is no handle
    client.post(again, KEYS)
    assert SocialAccount.objects.get().info.connect_method is ConnectMethod.FORM
    sign_in(client, f"{again}?by=oauth", app=app.pk)
    assert SocialAccount.objects.get().info.connect_method is ConnectMethod.OAUTH
    # From now on a sign-in is what is asked for.
    assert 'name="token_secret"' not in client.get(again).content.decode()


@pytest.mark.parametrize("way", ["oauth", "form", ""])
def test_who_was_sent_a_link_cannot_choose_another_way(brand: Brand, way: str) -> None:
    """The link asks for what the account was connected with."""
    request = RequestFactory().get("/", {"by": way} if way else {})
    account = with_keys(brand)
    assert reconnect_form(request, account, is_outside=True).info.connect_method is ConnectMethod.FORM
    account.options["scopes"] = list(INFO.scopes)
    assert reconnect_form(request, account, is_outside=True).info.connect_method is ConnectMethod.OAUTH


@pytest.mark.parametrize("chosen", [[], ["numbers"]])
def test_what_was_chosen_is_kept_and_chosen_again(
    client: Client, brand: Brand, network: Any, chosen: list[str]
) -> None:
    typed = {"name": "Our app", "client_id": "4711", "client_secret": "s", "extra_login": "person"}
    client.post(reverse("accounts:app_create", args=["fake_app"]), typed)
    url = reverse("accounts:connect_network", args=["fake_app"])
    app = AppRegistration.objects.get()
    answer = client.post(url, {"brand": brand.pk, "app": app.pk, "features": chosen})
    state = parse_qs(urlsplit(answer["Location"]).query)["state"][0]
    client.get(reverse("accounts:oauth_callback"), {"state": state, "code": "good-code"})
    account = SocialAccount.objects.get()
    assert account.options["features"] == chosen
    form = client.get(reverse("accounts:account_reconnect", args=[account.pk])).context["form"]
    assert form.initial["features"] == chosen
