"""Pages are connected to Facebook: the sign-in, tokens, what was allowed."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from connectors.base import Capability, Tokens
from connectors.errors import NeedsReconnect, Rejected, RejectReason, Temporary
from connectors.facebook import FacebookConnector
from connectors.facebook_info import INFO
from tests.connectors.facebook_stage import API, APP, PAGE, REDIRECT, SECRET, network, query_of

__all__ = ["network"]


def test_the_sign_in_asks_for_what_was_chosen() -> None:
    asked = FacebookConnector.authorize_url(
        app=APP, redirect_uri=REDIRECT, state="s", scopes=("pages_show_list", "pages_manage_posts")
    )
    query = parse_qs(urlsplit(asked.url).query)
    assert asked.url.startswith("https://www.facebook.com/v25.0/dialog/oauth?")
    assert query == {
        "client_id": ["123"],
        "redirect_uri": [REDIRECT],
        "state": ["s"],
        "response_type": ["code"],
        "scope": ["pages_show_list,pages_manage_posts"],
    }


def test_every_page_of_a_person_is_an_account_with_a_token_of_its_own(
    network: responses.RequestsMock,
) -> None:
    network.get(f"{API}/oauth/access_token", json={"access_token": "short"})
    network.get(f"{API}/oauth/access_token", json={"access_token": "long-of-the-person"})
    network.get(f"{API}/me", json={"id": "7"})
    rows = [
        {"permission": "pages_show_list", "status": "granted"},
        {"permission": "email", "status": "granted"},
    ]
    network.get(f"{API}/me/permissions", json={"data": rows})
    following = {"next": f"{API}/me/accounts?access_token=long-of-the-person&after=two"}
    first = {"id": PAGE, "name": "Harbour Coffee", "username": "harbour", "access_token": "of-one"}
    network.get(f"{API}/me/accounts", json={"data": [first], "paging": following})
    network.get(f"{API}/me/accounts", json={"data": [{"id": "1002", "access_token": "of-two"}, {"id": "3"}]})
    one, two = FacebookConnector.exchange_accounts(app=APP, code="c", code_verifier="", redirect_uri=REDIRECT)
    assert (one.profile.remote_id, one.profile.handle, one.tokens.access_token) == (PAGE, "harbour", "of-one")
    assert (two.profile.remote_id, two.tokens.access_token) == ("1002", "of-two")
    assert one.options == {
        "page_id": PAGE,
        "person_id": "7",
        "name": "Harbour Coffee",
        "scopes": ["pages_show_list"],
    }
    assert one.tokens.expires_at is None
    assert query_of(network.calls[1])["fb_exchange_token"] == "short"
    proof = hmac.new(SECRET.encode(), b"long-of-the-person", hashlib.sha256).hexdigest()
    assert query_of(network.calls[2])["appsecret_proof"] == proof
    assert not FacebookConnector.info_for(one.options).can(Capability.REPLY)


def test_nobody_without_a_page_is_connected(network: responses.RequestsMock) -> None:
    network.get(f"{API}/oauth/access_token", json={"access_token": "short"})
    network.get(f"{API}/me", json={"id": "7"})
    network.get(f"{API}/me/permissions", json={"data": []})
    network.get(f"{API}/me/accounts", json={"data": []})
    with pytest.raises(Rejected) as refused:
        FacebookConnector.exchange_accounts(app=APP, code="c", code_verifier="", redirect_uri=REDIRECT)
    assert refused.value.reason is RejectReason.NOT_FOUND


def test_a_code_that_is_refused_tells_no_secret(network: responses.RequestsMock) -> None:
    said = {"error": {"code": 100, "message": f"This code c0de-c0de has been used, {SECRET}"}}
    network.get(f"{API}/oauth/access_token", status=400, json=said)
    with pytest.raises(Rejected) as refused:
        FacebookConnector.exchange_accounts(
            app=APP, code="c0de-c0de", code_verifier="", redirect_uri=REDIRECT
        )
    assert refused.value.reason is RejectReason.INVALID
    assert "c0de-c0de" not in refused.value.detail
    assert SECRET not in refused.value.detail
    with pytest.raises(NeedsReconnect):
        FacebookConnector.refresh(tokens=Tokens(access_token="x"), options={}, app=APP)


@pytest.mark.parametrize(
    "words", ["Error validating client secret.", "Error validating application. Invalid application ID."]
)
def test_a_wrong_app_is_no_failure_that_passes(network: responses.RequestsMock, words: str) -> None:
    """Meta says so with the code of an unknown error."""
    said = {"error": {"code": 1, "type": "OAuthException", "message": words}}
    network.get(f"{API}/oauth/access_token", status=400, json=said)
    with pytest.raises(Rejected) as refused:
        FacebookConnector.exchange_accounts(app=APP, code="c0de", code_verifier="", redirect_uri=REDIRECT)
    assert refused.value.reason is RejectReason.INVALID
    network.upsert("GET", f"{API}/oauth/access_token", status=500, json=said)
    with pytest.raises(Temporary):
        FacebookConnector.exchange_accounts(app=APP, code="c0de", code_verifier="", redirect_uri=REDIRECT)


def test_what_was_not_allowed_cannot_be_done() -> None:
    info = FacebookConnector.info_for({"scopes": ["pages_show_list", "pages_messaging"]})
    assert info.can(Capability.SEND_MESSAGE)
    assert not info.can(Capability.INBOX_COMMENTS)
    assert not info.can(Capability.FIRST_COMMENT)
    assert info.post_metrics == ("likes", "comments", "shares")
    assert FacebookConnector.info_for({}).post_metrics == INFO.post_metrics
