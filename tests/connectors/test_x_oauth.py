"""Signing in at X with OAuth 2, on canned answers shaped after docs.x.com."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses

from connectors.base import AppCredentials, Capability, ConnectMethod, Tokens
from connectors.errors import ConnectorError, NeedsReconnect, OutcomeUnknown, RateLimited, Temporary
from connectors.x import XConnector
from connectors.x_info import INFO, POSTS, SIGNED_IN, WITH_KEYS
from connectors.x_oauth import NO_PROFILE, WRONG_APP, WRONG_CODE
from tests.connectors.conftest import NOW, image, payload

API = "https://api.x.com"
TOKEN_URL = f"{API}/2/oauth2/token"
BACK = "https://smm.example.com/back"
APP = AppCredentials(client_id="M1M5R3BMVy13:1:ci", client_secret="s3cr3t-of-the-app")
ME = {"data": {"id": "2244994945", "username": "harbour", "name": "Harbour Coffee"}}
GRANTED = "tweet.read users.read tweet.write media.write offline.access"
GIVEN = {
    "token_type": "bearer",
    "expires_in": 7200,
    "access_token": "access-1",
    "refresh_token": "refresh-1",
    "scope": GRANTED,
}
OPTIONS = {"user_id": "2244994945", "username": "harbour", "scopes": GRANTED.split(), "features": []}


@pytest.fixture
def network() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def come_back() -> Any:
    return XConnector.exchange_code(
        app=APP, code="the-code-4711", code_verifier="the-verifier", redirect_uri=BACK
    )


def renewed() -> Tokens:
    stale = Tokens(access_token="access-1", refresh_token="refresh-1")
    return XConnector.refresh(tokens=stale, options=OPTIONS, app=APP)


def test_the_way_there_asks_for_what_was_chosen_and_proves_who_comes_back() -> None:
    asked = XConnector.authorize_url(
        app=APP, redirect_uri=BACK, state="the-state", scopes=INFO.features[0].scopes
    )
    parts = urlsplit(asked.url)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "x.com", "/i/oauth2/authorize")
    query = dict(parse_qsl(parts.query))
    digest = hashlib.sha256(asked.code_verifier.encode()).digest()
    assert query == {
        "response_type": "code",
        "client_id": APP.client_id,
        "redirect_uri": BACK,
        "scope": "tweet.read users.read tweet.write media.write offline.access",
        "state": "the-state",
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    assert 43 <= len(asked.code_verifier) <= 128
    assert asked.code_verifier not in asked.url


def test_without_a_choice_everything_is_asked_for() -> None:
    asked = XConnector.authorize_url(app=APP, redirect_uri=BACK, state="s")
    assert dict(parse_qsl(urlsplit(asked.url).query))["scope"].split() == list(INFO.scopes)


def test_the_code_becomes_an_account(network: responses.RequestsMock) -> None:
    network.post(TOKEN_URL, json=GIVEN)
    network.get(f"{API}/2/users/me", json=ME)
    connected = come_back()
    exchange, look = (call.request for call in network.calls)
    basic = base64.b64encode(f"{APP.client_id}:{APP.client_secret}".encode()).decode()
    assert exchange.headers["Authorization"] == f"Basic {basic}"
    assert dict(parse_qsl(str(exchange.body))) == {
        "grant_type": "authorization_code",
        "code": "the-code-4711",
        "redirect_uri": BACK,
        "code_verifier": "the-verifier",
    }
    assert look.headers["Authorization"] == "Bearer access-1"
    assert connected.profile.remote_id == "2244994945"
    assert connected.options == {
        "user_id": "2244994945",
        "username": "harbour",
        "scopes": GRANTED.split(),
    }
    tokens = connected.tokens
    assert (tokens.access_token, tokens.refresh_token) == ("access-1", "refresh-1")
    assert tokens.expires_at is not None
    assert dt.timedelta(minutes=119) < tokens.expires_at - dt.datetime.now(dt.UTC) <= dt.timedelta(hours=2)


@pytest.mark.parametrize(
    ("answer", "error", "advice"),
    [
        (
            {
                "status": 400,
                "json": {
                    "error": "invalid_request",
                    "error_description": "Value passed for the authorization code was invalid.",
                },
            },
            NeedsReconnect,
            WRONG_CODE,
        ),
        ({"status": 401, "json": {"error": "unauthorized_client"}}, NeedsReconnect, WRONG_APP),
        ({"status": 400, "json": {"error": "invalid_client"}}, NeedsReconnect, WRONG_APP),
        ({"status": 429, "json": {"title": "Too Many Requests"}}, RateLimited, None),
        ({"status": 503, "body": "oops"}, Temporary, None),
        ({"status": 403, "body": "<html>Just a moment</html>"}, Temporary, None),
        ({"status": 200, "body": "<html>"}, Temporary, None),
        ({"status": 200, "json": {}}, Temporary, None),
        ({"status": 200, "json": {**GIVEN, "access_token": None}}, Temporary, None),
        ({"body": requests.ReadTimeout()}, Temporary, None),
    ],
    ids=str,
)
@pytest.mark.parametrize("way", ["code", "refresh"])
def test_what_is_not_given_says_why(
    network: responses.RequestsMock,
    answer: dict[str, Any],
    error: type[ConnectorError],
    advice: str | None,
    way: str,
) -> None:
    network.post(TOKEN_URL, **answer)
    with pytest.raises(error) as refused:
        come_back() if way == "code" else renewed()
    assert getattr(refused.value, "advice", None) == advice
    assert len(network.calls) == 1  # a code and a refresh token are good for one use


def test_no_secret_is_in_what_is_told_of_a_refusal(network: responses.RequestsMock) -> None:
    def quote(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        said = f"{request.headers['Authorization']} {request.body!r} {APP.client_secret}"
        return 400, {}, json.dumps({"error": "invalid_request", "error_description": said})

    network.add_callback("POST", TOKEN_URL, callback=quote)
    with pytest.raises(NeedsReconnect) as refused:
        come_back()
    basic = base64.b64encode(f"{APP.client_id}:{APP.client_secret}".encode()).decode()
    for secret in (APP.client_secret, "the-code-4711", "the-verifier", basic):
        assert secret not in refused.value.detail


@pytest.mark.parametrize("status", [401, 402, 403])
def test_an_app_that_may_not_use_the_api_is_told_what_to_do(
    network: responses.RequestsMock, status: int
) -> None:
    network.post(TOKEN_URL, json=GIVEN)
    network.get(f"{API}/2/users/me", status=status, json={"reason": "client-not-enrolled"})
    with pytest.raises(NeedsReconnect) as refused:
        come_back()
    assert refused.value.advice == NO_PROFILE


@pytest.mark.parametrize("lifetime", [None, "soon", -1, 0, 10**12, True])
def test_a_lifetime_that_makes_no_sense_is_none(network: responses.RequestsMock, lifetime: object) -> None:
    network.post(TOKEN_URL, json={**GIVEN, "expires_in": lifetime, "scope": ["x"], "refresh_token": 7})
    network.get(f"{API}/2/users/me", json=ME)
    connected = come_back()
    assert (connected.tokens.expires_at, connected.tokens.refresh_token) == (None, "")
    assert connected.scopes == ()


def test_a_refresh_token_is_replaced_by_the_new_one(network: responses.RequestsMock) -> None:
    network.post(TOKEN_URL, json={**GIVEN, "access_token": "access-2", "refresh_token": "refresh-2"})
    fresh = renewed()
    assert (fresh.access_token, fresh.refresh_token) == ("access-2", "refresh-2")
    assert dict(parse_qsl(str(network.calls[0].request.body))) == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-1",
    }


@pytest.mark.parametrize("app", [APP, None])
def test_what_cannot_be_renewed_needs_a_person(network: responses.RequestsMock, app: Any) -> None:
    tokens = Tokens(access_token="a", refresh_token="" if app else "r")
    with pytest.raises(NeedsReconnect):
        XConnector.refresh(tokens=tokens, options=OPTIONS, app=app)
    assert not network.calls


# --- a token that dies in the middle ------------------------------------------------------------


class Renewals:
    """What ``renew`` was given, and what it gives."""

    def __init__(self) -> None:
        self.stale: list[str] = []

    def __call__(self, stale: Tokens) -> Tokens:
        self.stale.append(stale.access_token)
        return Tokens(access_token="access-2", refresh_token="refresh-2")


def only_the_new_token(status: int, answer: Any) -> Any:
    def reply(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        if request.headers["Authorization"] != "Bearer access-2":
            return 401, {}, json.dumps({"title": "Unauthorized", "status": 401})
        return status, {}, json.dumps(answer)

    return reply


@pytest.fixture
def renewals() -> Renewals:
    return Renewals()


@pytest.fixture
def account(renewals: Renewals) -> XConnector:
    tokens = Tokens(access_token="access-1", refresh_token="refresh-1")
    return XConnector(tokens=tokens, options=OPTIONS, renew=renewals, app=APP)


def test_a_post_goes_out_with_a_fresh_token(
    network: responses.RequestsMock, account: XConnector, renewals: Renewals
) -> None:
    network.add_callback("POST", f"{API}/2/tweets", only_the_new_token(201, {"data": {"id": "9"}}))
    sent = payload("Hello")
    step = account.plan(sent)[-1]
    result = account.send_step(step, sent, account.prepare_step(step, sent, {}, key="k", now=NOW))
    assert result.remote_id == "9"
    assert renewals.stale == ["access-1"]
    assert [json.loads(call.request.body or "") for call in network.calls] == [{"text": "Hello"}] * 2


def test_an_upload_goes_on_with_a_fresh_token(
    network: responses.RequestsMock, account: XConnector, renewals: Renewals
) -> None:
    """The token ends between two pieces; the piece is sent again whole."""
    network.post(f"{API}/2/media/upload/initialize", json={"data": {"id": "5"}})
    network.add_callback("POST", f"{API}/2/media/upload/5/append", only_the_new_token(200, {}))
    network.add_callback(
        "POST", f"{API}/2/media/upload/5/finalize", only_the_new_token(200, {"data": {"id": "5"}})
    )
    network.post(f"{API}/2/media/metadata", json={"data": {"id": "5"}})
    sent = payload("Look", media=(image(),))
    step = account.plan(sent)[0]
    result = account.send_step(step, sent, account.prepare_step(step, sent, {}, key="k", now=NOW))
    assert result.remote_id == "5"
    assert renewals.stale == ["access-1"]
    pieces: list[Any] = [call.request.body for call in network.calls if "append" in str(call.request.url)]
    assert [b"\x89PNG" in piece for piece in pieces] == [True, True]


def test_a_token_that_stays_dead_needs_a_person_and_is_renewed_once(
    network: responses.RequestsMock, account: XConnector, renewals: Renewals
) -> None:
    network.post(f"{API}/2/tweets", status=401, json={"title": "Unauthorized"})
    sent = payload("Hello")
    step = account.plan(sent)[-1]
    with pytest.raises(NeedsReconnect):
        account.send_step(step, sent, account.prepare_step(step, sent, {}, key="k", now=NOW))
    assert len(renewals.stale) == 1
    assert len(network.calls) == 2


def test_what_is_unknown_is_not_sent_again_with_another_token(
    network: responses.RequestsMock, account: XConnector, renewals: Renewals
) -> None:
    network.post(f"{API}/2/tweets", status=500, body="oops")
    sent = payload("Hello")
    step = account.plan(sent)[-1]
    with pytest.raises(OutcomeUnknown):
        account.send_step(step, sent, account.prepare_step(step, sent, {}, key="k", now=NOW))
    assert (len(network.calls), renewals.stale) == (1, [])


# --- two ways -----------------------------------------------------------------------------------


def test_an_account_with_keys_goes_on_as_it_was() -> None:
    info = XConnector.info_for({"user_id": "2244994945", "username": "harbour"})
    assert info == WITH_KEYS
    assert (info.connect_method, info.capabilities) == (ConnectMethod.FORM, POSTS)
    assert [one.name for one in info.connect_fields] == [
        "consumer_key",
        "consumer_secret",
        "access_token",
        "token_secret",
    ]
    assert (info.app, info.features, info.by_form) == (None, (), ())


def test_keys_are_never_renewed(network: responses.RequestsMock, renewals: Renewals) -> None:
    network.get(f"{API}/2/users/me", status=401, json={"title": "Unauthorized"})
    keys = {"consumer_key": "c", "consumer_secret": "s", "token_secret": "t"}
    client = XConnector(tokens=Tokens(access_token="a", extra=keys), options={}, renew=renewals)
    with pytest.raises(NeedsReconnect):
        client.fetch_profile()
    assert renewals.stale == []


def test_nothing_that_costs_is_read_unless_it_was_chosen() -> None:
    everything = {"user_id": "1", "scopes": list(INFO.scopes)}
    for features in (None, [], ["publish"]):
        assert XConnector.info_for({**everything, "features": features}).capabilities == SIGNED_IN
    assert XConnector.info_for(everything).capabilities == SIGNED_IN
    assert not any(one.is_default for one in INFO.features if not one.is_required)
    assert not XConnector.info_for({**everything, "features": ["publish"]}).can(Capability.POST_METRICS)
