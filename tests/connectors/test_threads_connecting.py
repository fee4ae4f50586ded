"""Accounts are connected to Threads: the sign-in, tokens, what was allowed."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses

from connectors.base import Capability, Tokens
from connectors.errors import NeedsReconnect, Rejected, RejectReason, Temporary
from connectors.threads import ThreadsConnector
from connectors.threads_info import INFO
from tests.connectors.threads_stage import (
    API,
    APP,
    ME,
    OPTIONS,
    ROOT,
    SECRET,
    TOKEN,
    Check,
    collection,
    form_of,
    graph_error,
    network,
    query_of,
)

__all__ = ["collection", "network"]


def answer_connecting(network: responses.RequestsMock) -> None:
    network.post(f"{ROOT}/oauth/access_token", json={"access_token": "short-token", "user_id": 78901})
    network.get(
        f"{ROOT}/access_token", json={"access_token": TOKEN, "token_type": "bearer", "expires_in": 5184000}
    )
    scopes = ["threads_basic", "threads_content_publish"]
    network.get(f"{API}/debug_token", json={"data": {"is_valid": True, "scopes": scopes}})
    network.get(f"{API}/me", json=ME)


def exchange() -> Any:
    return ThreadsConnector.exchange_code(
        app=APP, code="AQB-code#_", code_verifier="", redirect_uri="https://smm.example.com/back"
    )


def test_a_person_is_sent_to_threads_with_what_they_chose() -> None:
    asked = ThreadsConnector.authorize_url(
        app=APP, redirect_uri="https://smm.example.com/back", state="s1", scopes=["threads_basic", "b"]
    )
    parts = urlsplit(asked.url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://www.threads.net/oauth/authorize"
    assert dict(parse_qsl(parts.query)) == {
        "client_id": "123456",
        "redirect_uri": "https://smm.example.com/back",
        "response_type": "code",
        "scope": "threads_basic,b",
        "state": "s1",
    }


def test_a_code_becomes_an_account_with_a_token_of_sixty_days(
    network: responses.RequestsMock, collection: Check
) -> None:
    answer_connecting(network)
    connected = exchange()
    assert (connected.profile.remote_id, connected.profile.handle) == ("78901", "harbour")
    assert connected.profile.profile_url == "https://www.threads.net/@harbour"
    assert connected.tokens.access_token == TOKEN
    assert connected.tokens.refresh_token == TOKEN  # so it is renewed without a person
    assert connected.tokens.expires_at is not None
    days = (connected.tokens.expires_at - dt.datetime.now(dt.UTC)).total_seconds() / 86_400
    assert 59.9 < days < 60.1
    assert connected.tokens.refresh_token == TOKEN  # what has one is renewed before it ends
    assert connected.scopes == ("threads_basic", "threads_content_publish")
    assert TOKEN not in json.dumps(connected.options)
    assert form_of(network.calls[0])["code"] == "AQB-code"
    assert [fault for call in network.calls for fault in collection(call)] == []
    left = ThreadsConnector.info_for(connected.options)
    assert not left.can(Capability.REPLY)
    assert (left.can(Capability.POST_THREAD), left.thread_max) == (False, 1)


def test_what_was_allowed_may_remain_unsaid(network: responses.RequestsMock) -> None:
    answer_connecting(network)
    network.upsert("GET", f"{API}/debug_token", status=400, json=graph_error(100))
    connected = exchange()
    assert connected.scopes == ()
    assert ThreadsConnector.info_for(connected.options) == INFO


def test_a_refused_code_is_told_without_our_secrets(network: responses.RequestsMock) -> None:
    said = graph_error(100) | {"error": {"message": f"bad AQB-code for {SECRET}", "code": 100}}
    network.post(f"{ROOT}/oauth/access_token", status=400, json=said)
    with pytest.raises(Rejected) as refused:
        exchange()
    assert "AQB-code" not in str(refused.value)
    assert SECRET not in refused.value.detail


def test_a_wrong_app_secret_is_no_failure_that_passes(network: responses.RequestsMock) -> None:
    said = graph_error(1) | {"error": {"message": "Error validating client secret.", "code": 1}}
    network.post(f"{ROOT}/oauth/access_token", status=400, json=said)
    with pytest.raises(Rejected) as refused:
        exchange()
    assert refused.value.reason is RejectReason.INVALID


def test_a_living_token_renews_itself(network: responses.RequestsMock, collection: Check) -> None:
    network.get(
        f"{ROOT}/refresh_access_token",
        json={"access_token": "THAAfresh", "token_type": "bearer", "expires_in": 5184000},
    )
    fresh = ThreadsConnector.refresh(tokens=Tokens(access_token=TOKEN), options=OPTIONS, app=None)
    assert (fresh.access_token, fresh.refresh_token) == ("THAAfresh", "THAAfresh")
    assert fresh.expires_at is not None
    assert query_of(network.calls[0])["grant_type"] == "th_refresh_token"
    assert collection(network.calls[0]) == []


@pytest.mark.parametrize(("code", "error"), [(190, NeedsReconnect), (100, Temporary), (10, Temporary)])
def test_only_a_dead_token_asks_for_a_person(
    network: responses.RequestsMock, code: int, error: type[Exception]
) -> None:
    network.get(f"{ROOT}/refresh_access_token", status=400, json=graph_error(code))
    with pytest.raises(error):
        ThreadsConnector.refresh(tokens=Tokens(access_token=TOKEN), options=OPTIONS, app=APP)


def test_without_a_token_there_is_nothing_to_renew() -> None:
    with pytest.raises(NeedsReconnect):
        ThreadsConnector.refresh(tokens=Tokens(), options=OPTIONS, app=APP)
