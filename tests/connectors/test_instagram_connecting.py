"""Accounts are connected to Instagram, by its own login and by Facebook's: tokens, what was allowed."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from connectors.base import AppCredentials, Capability, Tokens
from connectors.errors import NeedsReconnect, Rejected, RejectReason
from connectors.instagram import InstagramConnector
from connectors.instagram_info import INFO
from tests.connectors.instagram_stage import (
    APP,
    AT_FACEBOOK,
    AT_INSTAGRAM,
    FACEBOOK_APP,
    IG,
    PAGE,
    REDIRECT,
    SECRET,
    account,
    form_of,
    linked,
    network,
    query_of,
)

__all__ = ["account", "linked", "network"]


def test_the_sign_in_asks_for_what_was_chosen_by_the_names_of_its_login() -> None:
    asked = InstagramConnector.authorize_url(app=APP, redirect_uri=REDIRECT, state="s")
    query = parse_qs(urlsplit(asked.url).query)
    assert asked.url.startswith("https://www.instagram.com/oauth/authorize?")
    assert query["scope"] == [",".join(INFO.scopes)]
    assert query["state"] == ["s"]
    chosen = ("instagram_business_basic", "instagram_business_manage_comments")
    asked = InstagramConnector.authorize_url(
        app=FACEBOOK_APP, redirect_uri=REDIRECT, state="s", scopes=chosen
    )
    query = parse_qs(urlsplit(asked.url).query)
    assert asked.url.startswith("https://www.facebook.com/v25.0/dialog/oauth?")
    assert query["scope"] == [
        "instagram_basic,pages_show_list,pages_read_engagement,instagram_manage_comments,pages_manage_metadata"
    ]
    configured = AppCredentials("1", "s", extra={"login": "facebook", "config_id": "77"})
    asked = InstagramConnector.authorize_url(app=configured, redirect_uri=REDIRECT, state="s")
    query = parse_qs(urlsplit(asked.url).query)
    assert query["config_id"] == ["77"]
    assert "scope" not in query


@pytest.mark.parametrize("is_list", [False, True], ids=["object", "list"])
def test_instagram_login_ends_with_a_token_of_sixty_days(
    network: responses.RequestsMock, is_list: bool
) -> None:
    def shaped(one: dict[str, Any]) -> dict[str, Any]:
        return {"data": [one]} if is_list else one

    short = {"access_token": "short", "user_id": 26, "permissions": "instagram_business_basic,other"}
    network.post("https://api.instagram.com/oauth/access_token", json=shaped(short))
    fresh = {"access_token": "long-long", "token_type": "bearer", "expires_in": 5_183_944}
    network.get("https://graph.instagram.com/access_token", json=fresh)
    me = {"user_id": IG, "id": "26", "username": "harbour", "name": "Harbour Coffee"}
    network.get(f"{AT_INSTAGRAM}/me", json=shaped(me))
    (connected,) = InstagramConnector.exchange_accounts(
        app=APP, code="the-code#_", code_verifier="", redirect_uri=REDIRECT
    )
    assert form_of(network.calls[0])["code"] == "the-code"
    assert connected.profile.remote_id == IG
    assert connected.profile.handle == "harbour"
    assert connected.tokens.access_token == connected.tokens.refresh_token == "long-long"
    assert connected.tokens.expires_at is not None
    assert abs((connected.tokens.expires_at - dt.datetime.now(dt.UTC)).days - 59) <= 1
    assert connected.options == {
        "login": "instagram",
        "person_id": "26",
        "scopes": ["instagram_business_basic", "other"],
        "ig_id": IG,
        "username": "harbour",
    }


def test_a_code_that_is_refused_tells_no_secret(network: responses.RequestsMock) -> None:
    said = {"error_type": "OAuthException", "code": 400, "error_message": "Invalid"}
    network.post("https://api.instagram.com/oauth/access_token", status=400, json=said)
    with pytest.raises(Rejected) as refused:
        InstagramConnector.exchange_accounts(app=APP, code="c0de", code_verifier="", redirect_uri=REDIRECT)
    assert refused.value.reason is RejectReason.INVALID
    secret = {"error": {"code": 100, "message": f"bad {SECRET} c0de"}}
    network.upsert("POST", "https://api.instagram.com/oauth/access_token", status=400, json=secret)
    with pytest.raises(Rejected) as refused:
        InstagramConnector.exchange_accounts(app=APP, code="c0de", code_verifier="", redirect_uri=REDIRECT)
    assert SECRET not in refused.value.detail
    assert "c0de" not in refused.value.detail


def sign_in_with_pages(network: responses.RequestsMock, *pages: dict[str, Any]) -> None:
    network.get(f"{AT_FACEBOOK}/oauth/access_token", json={"access_token": "short"})
    network.get(f"{AT_FACEBOOK}/me", json={"id": "7"})
    given = ("instagram_basic", "pages_show_list", "pages_read_engagement", "instagram_content_publish")
    rows = [{"permission": name, "status": "granted"} for name in given]
    rows.append({"permission": "instagram_manage_comments", "status": "declined"})
    network.get(f"{AT_FACEBOOK}/me/permissions", json={"data": rows})
    network.get(f"{AT_FACEBOOK}/me/accounts", json={"data": list(pages)})


def test_facebook_login_brings_every_account_that_hangs_on_a_page(network: responses.RequestsMock) -> None:
    linked = {"id": IG, "username": "harbour", "profile_picture_url": "javascript:alert(1)"}
    sign_in_with_pages(
        network,
        {"id": PAGE, "access_token": "of-the-page", "instagram_business_account": linked},
        {"id": "1002", "access_token": "of-another"},
        {"id": "1003", "instagram_business_account": {"id": "5", "username": "no-token"}},
    )
    (connected,) = InstagramConnector.exchange_accounts(
        app=FACEBOOK_APP, code="c", code_verifier="", redirect_uri=REDIRECT
    )
    assert connected.profile.remote_id == IG
    assert connected.profile.avatar_url == ""
    assert connected.tokens == Tokens(access_token="of-the-page")
    assert connected.options == {
        "login": "facebook",
        "person_id": "7",
        "scopes": ["instagram_business_basic", "instagram_business_content_publish"],
        "ig_id": IG,
        "page_id": PAGE,
        "username": "harbour",
    }
    info = InstagramConnector.info_for(connected.options)
    assert not info.can(Capability.REPLY)
    assert not info.can(Capability.SEND_MESSAGE)
    assert info.can(Capability.COMPETITORS)
    assert info.post_metrics == ("likes", "comments")


def test_a_person_without_such_a_page_is_told_so(network: responses.RequestsMock) -> None:
    sign_in_with_pages(network, {"id": PAGE, "access_token": "of-the-page"})
    with pytest.raises(Rejected) as refused:
        InstagramConnector.exchange_accounts(
            app=FACEBOOK_APP, code="c", code_verifier="", redirect_uri=REDIRECT
        )
    assert refused.value.reason is RejectReason.NOT_FOUND


def test_a_token_renews_itself_and_a_dead_one_asks_for_a_person(network: responses.RequestsMock) -> None:
    address = "https://graph.instagram.com/refresh_access_token"
    network.get(address, json={"access_token": "fresher", "expires_in": 5_184_000})
    tokens = Tokens(access_token="IGtokentoken", refresh_token="IGtokentoken")
    fresh = InstagramConnector.refresh(tokens=tokens, options={"login": "instagram"}, app=None)
    assert fresh.access_token == fresh.refresh_token == "fresher"
    assert query_of(network.calls[0])["grant_type"] == "ig_refresh_token"
    network.upsert("GET", address, status=400, json={"error": {"code": 190, "error_subcode": 463}})
    with pytest.raises(NeedsReconnect):
        InstagramConnector.refresh(tokens=tokens, options={"login": "instagram"}, app=APP)
    with pytest.raises(NeedsReconnect):
        InstagramConnector.refresh(tokens=tokens, options={"login": "facebook"}, app=APP)


def test_only_facebook_login_looks_at_others(account: InstagramConnector, linked: InstagramConnector) -> None:
    assert not account.info.can(Capability.COMPETITORS)
    assert linked.info.can(Capability.COMPETITORS)
