"""OAuth 2 of the network: what a client must do right, and when a grant ends."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.sandbox.fixtures import Api, SandboxControl

pytestmark = pytest.mark.integration

REDIRECT = "http://127.0.0.1:8000/connected"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass
class App:
    api: Api
    client_id: str
    client_secret: str

    def asked(self, **changes: str) -> dict[str, str]:
        return {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT,
            "scope": "read write",
            "state": "s1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | changes

    def authorize(self, **form: str) -> dict[str, str]:
        """Press the button; the parameters that come back."""
        answer = self.api.call(
            "POST",
            "/oauth/authorize",
            data=self.asked() | {"decision": "authorize", "handle_new": "nori"} | form,
        )
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith(f"{REDIRECT}?")
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    def token(self, **form: str):
        return self.api.call(
            "POST",
            "/oauth/token",
            data={"client_id": self.client_id, "client_secret": self.client_secret} | form,
        )

    def exchange(self, code: str, **changes: str):
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER,
        }
        return self.token(**form | changes)

    def refresh(self, refresh_token: str):
        return self.token(grant_type="refresh_token", refresh_token=refresh_token)


@pytest.fixture
def app(sandbox: SandboxControl) -> App:
    api = Api(sandbox)
    made = api.post("/api/v1/apps", {"name": "Harbour desk", "redirect_uris": [REDIRECT]}).json()
    return App(api, made["client_id"], made["client_secret"])


def speaks(app: App, access_token: str) -> int:
    headers = {"Authorization": f"Bearer {access_token}"}
    return app.api.call("GET", "/api/v1/accounts/me", headers=headers).status_code


def test_the_whole_way_ends_with_tokens_for_the_account(app: App) -> None:
    back = app.authorize()
    assert back["state"] == "s1"
    answer = app.exchange(back["code"]).json()
    assert answer["scope"] == "read write"
    assert (answer["expires_in"], answer["refresh_expires_in"]) == (7200, 60 * 86_400)
    assert speaks(app, answer["access_token"]) == 200


def test_the_page_names_the_app_and_what_it_asks_for(app: App, sandbox: SandboxControl) -> None:
    sandbox.account("mori", name="Mori Tea")
    shown = html.unescape(app.api.get("/oauth/authorize", **app.asked()).text)
    assert "Harbour desk" in shown
    assert "Publish and delete posts for you" in shown
    assert "Mori Tea" in shown
    assert dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown))["state"] == "s1"


def test_the_page_speaks_japanese_to_who_prefers_it(app: App) -> None:
    answer = app.api.call(
        "GET", "/oauth/authorize", params=app.asked(), headers={"Accept-Language": "ja,en;q=0.5"}
    )
    assert "許可する" in answer.text
    assert '<html lang="ja">' in answer.text


def test_a_new_handle_makes_an_account_with_the_chosen_mode(app: App) -> None:
    tokens = app.exchange(app.authorize(handle_new="Two_Phase", mode="two_phase")["code"]).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    own = app.api.call("GET", "/api/v1/accounts/me", headers=headers).json()
    assert (own["handle"], own["retry_safety"]) == ("two_phase", "two_phase")


def test_a_handle_that_cannot_be_is_told_on_the_page(app: App, sandbox: SandboxControl) -> None:
    answer = app.api.call(
        "POST", "/oauth/authorize", data=app.asked() | {"decision": "authorize", "handle_new": "A B!"}
    )
    assert answer.status_code == 422
    assert "2 to 30 letters" in answer.text
    assert sandbox.call("GET", "/control/accounts")["accounts"] == []


def test_saying_no_goes_back_with_an_error(app: App) -> None:
    assert app.authorize(decision="cancel") == {"error": "access_denied", "state": "s1"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_a_wrong_request_goes_back_with_its_error(app: App, changes: dict[str, str], error: str) -> None:
    answer = app.api.get("/oauth/authorize", **app.asked(**changes))
    assert dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["error"] == error


@pytest.mark.parametrize("changes", [{"client_id": "x"}, {"redirect_uri": "http://evil.example/"}])
def test_a_wrong_app_or_address_is_never_redirected_to(app: App, changes: dict[str, str]) -> None:
    answer = app.api.get("/oauth/authorize", **app.asked(**changes))
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_the_verifier_must_fit(app: App) -> None:
    code = app.authorize()["code"]
    refused = app.exchange(code, code_verifier="w" * 64)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert app.exchange(code).status_code == 200


def test_the_redirect_address_must_be_the_same(app: App) -> None:
    assert app.exchange(app.authorize()["code"], redirect_uri=f"{REDIRECT}/2").status_code == 400


def test_a_wrong_secret_is_refused(app: App) -> None:
    code = app.authorize()["code"]
    refused = app.exchange(code, client_secret="guess")
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def test_a_code_is_good_for_ten_minutes(app: App, sandbox: SandboxControl) -> None:
    code = app.authorize()["code"]
    sandbox.advance(601)
    assert app.exchange(code).status_code == 400


def test_a_code_that_comes_twice_ends_the_grant(app: App) -> None:
    code = app.authorize()["code"]
    tokens = app.exchange(code).json()
    assert app.exchange(code).status_code == 400
    assert speaks(app, tokens["access_token"]) == 401


def test_refreshing_gives_a_new_pair_and_ends_the_old(app: App) -> None:
    old = app.exchange(app.authorize()["code"]).json()
    new = app.refresh(old["refresh_token"]).json()
    assert speaks(app, new["access_token"]) == 200
    assert speaks(app, old["access_token"]) == 401
    assert app.refresh(new["refresh_token"]).status_code == 200


def test_a_refresh_token_that_comes_twice_ends_the_grant(app: App) -> None:
    old = app.exchange(app.authorize()["code"]).json()
    new = app.refresh(old["refresh_token"]).json()
    refused = app.refresh(old["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert speaks(app, new["access_token"]) == 401
    assert app.refresh(new["refresh_token"]).status_code == 400


def test_another_app_cannot_use_a_refresh_token(app: App) -> None:
    tokens = app.exchange(app.authorize()["code"]).json()
    made = app.api.post("/api/v1/apps", {"redirect_uris": [REDIRECT]}).json()
    other = App(app.api, made["client_id"], made["client_secret"])
    assert other.refresh(tokens["refresh_token"]).status_code == 400
    assert speaks(app, tokens["access_token"]) == 200


def test_tokens_live_as_long_as_the_account_says(app: App, sandbox: SandboxControl) -> None:
    sandbox.account("nori", access_ttl_s=60, refresh_ttl_s=600)
    tokens = app.exchange(app.authorize()["code"]).json()
    assert tokens["expires_in"] == 60
    sandbox.advance(61)
    assert speaks(app, tokens["access_token"]) == 401
    fresh = app.refresh(tokens["refresh_token"]).json()
    sandbox.advance(601)
    assert app.refresh(fresh["refresh_token"]).status_code == 400


def test_revoking_either_token_ends_the_grant(app: App) -> None:
    tokens = app.exchange(app.authorize()["code"]).json()
    form = {"client_id": app.client_id, "client_secret": app.client_secret, "token": tokens["refresh_token"]}
    assert app.api.call("POST", "/oauth/revoke", data=form).status_code == 200
    assert speaks(app, tokens["access_token"]) == 401


@pytest.mark.parametrize("uris", [[], ["javascript:alert(1)"], "http://x/", ["http://x/#part"]])
def test_an_app_needs_addresses_to_return_to(app: App, uris: object) -> None:
    assert app.api.post("/api/v1/apps", {"redirect_uris": uris}).status_code == 422
