"""LinkedIn's connector on canned answers: the dialogue, persons and pages, and tokens that are renewed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import responses

from connectors.base import Capability, Tokens
from connectors.errors import NeedsReconnect, Rejected, RejectReason, Temporary
from connectors.linkedin import LinkedInConnector
from connectors.linkedin_info import INFO
from tests.connectors import linkedin_stage
from tests.connectors.conftest import payload
from tests.connectors.linkedin_stage import API, APP, PAGE, PERSON, POST, account, created, publish

network = linkedin_stage.network
page = linkedin_stage.page
person = linkedin_stage.person

TOKEN_URL = "https://www.linkedin.com/oauth/v2/accessToken"


def test_a_person_is_asked_for_the_chosen_scopes() -> None:
    asked = LinkedInConnector.authorize_url(
        app=APP, redirect_uri="https://smm.example.com/back", state="st", scopes=("openid", "profile")
    )
    parts = urlsplit(asked.url)
    assert f"{parts.netloc}{parts.path}" == "www.linkedin.com/oauth/v2/authorization"
    assert parse_qs(parts.query) == {
        "response_type": ["code"],
        "client_id": ["78abc"],
        "redirect_uri": ["https://smm.example.com/back"],
        "state": ["st"],
        "scope": ["openid profile"],
    }


def exchange() -> tuple[Any, ...]:
    return LinkedInConnector.exchange_accounts(
        app=APP, code="c0de_long", code_verifier="", redirect_uri="https://smm.example.com/back"
    )


def test_a_sign_in_of_a_person_becomes_one_account(network: responses.RequestsMock) -> None:
    answer = {"access_token": "AQX", "expires_in": 5_184_000, "scope": "openid,profile,w_member_social"}
    network.post(TOKEN_URL, json=answer)
    who = {"sub": "A8xe03Qt10", "name": "Ann Harbour", "picture": "https://media.licdn.com/1.jpg"}
    network.get(f"{API}/v2/userinfo", json=who)
    (connected,) = exchange()
    assert (connected.profile.remote_id, connected.profile.handle) == (PERSON, "Ann Harbour")
    assert connected.scopes == ("openid", "profile", "w_member_social")
    # Without a refresh token the application tells when the connection ends.
    assert connected.tokens.refresh_token == ""
    assert abs((connected.tokens.expires_at - dt.datetime.now(dt.UTC)).days - 60) <= 1
    assert "AQX" not in json.dumps(connected.options)
    sent = dict(parse_qsl(str(network.calls[0].request.body)))
    assert (sent["grant_type"], sent["client_secret"]) == ("authorization_code", "app-s3cret")


def test_a_sign_in_speaks_for_the_pages_on_which_one_may_post(network: responses.RequestsMock) -> None:
    scopes = (
        "r_basicprofile,r_organization_social,rw_organization_admin,w_member_social,w_organization_social"
    )
    answer = {"access_token": "AQX", "expires_in": 5_184_000, "refresh_token": "AQR", "scope": scopes}
    answer |= {"refresh_token_expires_in": 31_536_000}
    network.post(TOKEN_URL, json=answer)
    names = {"localizedFirstName": "Ann", "localizedLastName": "Harbour", "vanityName": "ann-h"}
    network.get(f"{API}/v2/me", json={"id": "A8xe03Qt10", **names})
    roles = [
        {"organization": PAGE, "role": "ADMINISTRATOR", "state": "APPROVED"},
        {"organization": PAGE, "role": "CONTENT_ADMIN", "state": "APPROVED"},
        {"organization": "urn:li:organization:2", "role": "ANALYST", "state": "APPROVED"},
        {"organization": "urn:li:organization:3", "role": "ADMINISTRATOR", "state": "APPROVED"},
        None,
    ]
    network.get(f"{API}/rest/organizationAcls", json={"elements": roles})
    about = {"id": 5515715, "localizedName": "Harbour Coffee", "vanityName": "harbour"}
    network.get(f"{API}/rest/organizations/5515715", json=about)
    network.get(f"{API}/rest/organizations/3", status=403, json={"status": 403, "message": "closed"})
    ann, harbour = exchange()
    assert (ann.profile.handle, ann.profile.profile_url) == ("ann-h", "https://www.linkedin.com/in/ann-h/")
    assert (harbour.profile.remote_id, harbour.profile.handle) == (PAGE, "harbour")
    assert harbour.options["person"] == PERSON
    assert harbour.tokens.refresh_token == "AQR"
    # It is not prolonged by being used: after a year somebody has to sign in again.
    assert harbour.tokens.ends_at is not None
    assert abs((harbour.tokens.ends_at - dt.datetime.now(dt.UTC)).days - 365) <= 1


def test_who_signed_in_must_be_told(network: responses.RequestsMock) -> None:
    network.post(TOKEN_URL, json={"access_token": "AQX", "expires_in": 9, "scope": "w_member_social"})
    with pytest.raises(Rejected) as refused:
        exchange()
    assert refused.value.reason is RejectReason.INVALID


def test_a_sign_in_that_may_post_as_nobody_is_said(network: responses.RequestsMock) -> None:
    network.post(TOKEN_URL, json={"access_token": "AQX", "expires_in": 9, "scope": "openid,profile"})
    network.get(f"{API}/v2/userinfo", json={"sub": "A8xe03Qt10"})
    with pytest.raises(Rejected) as refused:
        exchange()
    assert refused.value.reason is RejectReason.NOT_FOUND


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 400, "json": {"error": "invalid_request", "error_description": "c0de_long"}}, Rejected),
        ({"status": 401, "json": {"error": "invalid_client", "error_description": "app-s3cret"}}, Rejected),
        ({"status": 500, "body": ""}, Temporary),
        ({"json": {}}, Temporary),
    ],
    ids=str,
)
def test_a_code_that_is_refused_leaves_no_secret(
    network: responses.RequestsMock, answer: dict[str, Any], error: type[Exception]
) -> None:
    network.post(TOKEN_URL, **answer)
    with pytest.raises(error) as refused:
        exchange()
    assert "c0de_long" not in str(refused.value)
    assert "app-s3cret" not in str(refused.value)


def test_tokens_are_refreshed_only_where_there_is_a_refresh_token(network: responses.RequestsMock) -> None:
    network.post(TOKEN_URL, json={"access_token": "AQ2", "expires_in": 5_184_000})
    fresh = LinkedInConnector.refresh(tokens=Tokens("AQ1", "AQR-1"), options={}, app=APP)
    assert (fresh.access_token, fresh.refresh_token) == ("AQ2", "AQR-1")
    network.upsert("POST", TOKEN_URL, json={"access_token": "AQ3", "refresh_token": "AQR-2"})
    fresh = LinkedInConnector.refresh(tokens=Tokens("AQ1", "AQR-1"), options={}, app=APP)
    assert (fresh.refresh_token, fresh.expires_at) == ("AQR-2", None)
    network.upsert("POST", TOKEN_URL, status=400, json={"error": "invalid_request"})
    for tokens, app in ((Tokens("AQ1", "AQR-1"), APP), (Tokens("AQ1"), APP), (Tokens("AQ1", "AQR-1"), None)):
        with pytest.raises(NeedsReconnect):
            LinkedInConnector.refresh(tokens=tokens, options={}, app=app)


def test_a_token_that_ends_in_the_middle_is_renewed_once(network: responses.RequestsMock) -> None:
    network.post(f"{API}/rest/posts", status=401, json={"status": 401, "code": "EXPIRED_ACCESS_TOKEN"})
    network.post(f"{API}/rest/posts", **created())
    client = account(renew=lambda stale: dataclasses.replace(stale, access_token="AQ2"))
    client.tokens = Tokens("AQ1", "AQR")
    assert publish(client, payload("Hi")).remote_id == POST
    sent = [call.request.headers["Authorization"] for call in network.calls]
    assert sent == ["Bearer AQ1", "Bearer AQ2"]


def test_what_an_account_can_do_is_what_was_granted() -> None:
    info = account(PERSON, ["openid", "profile", "w_member_social"]).info
    assert not info.reads_back
    assert not info.capabilities & {Capability.FIRST_COMMENT, Capability.INBOX_COMMENTS, Capability.REPLY}
    assert info.post_fields
    info = account(PERSON, ["w_member_social", "w_member_social_feed", "r_member_social"]).info
    assert info.reads_back
    assert info.can(Capability.FIRST_COMMENT)
    info = account(PAGE, ["rw_organization_admin", "r_organization_social", "w_organization_social"]).info
    assert info.reads_back
    assert info.can(Capability.POST_METRICS)
    assert not info.capabilities & {Capability.FIRST_COMMENT, Capability.REPLY, Capability.WEBHOOKS}
    assert account().info.capabilities == INFO.capabilities
    assert account().info.post_fields == ()


def test_the_account_is_read(
    network: responses.RequestsMock, page: LinkedInConnector, person: LinkedInConnector
) -> None:
    about = {"id": 5515715, "localizedName": "Harbour Coffee", "vanityName": "harbour"}
    network.get(f"{API}/rest/organizations/5515715", json=about)
    network.get(f"{API}/v2/userinfo", json={"sub": "A8xe03Qt10", "name": "Ann Harbour"})
    assert page.fetch_profile().profile_url == "https://www.linkedin.com/company/harbour/"
    assert person.fetch_profile().remote_id == PERSON
