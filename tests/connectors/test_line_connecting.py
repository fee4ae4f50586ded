"""LINE's connector on canned answers: token and secret become an account."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import linebot.v3.insight as insight_models
import linebot.v3.messaging as models
import pytest
import responses

from connectors import http
from connectors.base import Tokens
from connectors.errors import NeedsReconnect, Temporary
from connectors.line import KEYS_DIFFER, UNKNOWN_KEY, LineConnector
from tests.connectors import line_stage
from tests.connectors.line_stage import API, BOT_ID, EVENT, SECRET, TOKEN, Check

network = line_stage.network
account = line_stage.account
described = line_stage.described

BOT = {
    "userId": BOT_ID,
    "basicId": "@216ru",
    "displayName": "Harbour Coffee",
    "pictureUrl": "https://obs.line-apps.com/x",
    "chatMode": "bot",
    "markAsReadMode": "auto",
}


def answer_connecting(network: responses.RequestsMock) -> None:
    network.get(f"{API}/v2/bot/info", json=BOT)
    network.post(f"{API}/v2/oauth/verify", json={"client_id": "1350031035", "expires_in": 3138007490})
    network.post(
        f"{API}/oauth2/v3/token", json={"token_type": "Bearer", "access_token": "x", "expires_in": 899}
    )


def connect() -> Any:
    return LineConnector.connect({"access_token": f" {TOKEN}\n", "channel_secret": f"{SECRET} "})


def test_token_and_secret_become_an_account(network: responses.RequestsMock, described: Check) -> None:
    answer_connecting(network)
    connected = connect()
    assert connected.tokens == Tokens(access_token=TOKEN, extra={"channel_secret": SECRET})
    assert (connected.profile.remote_id, connected.profile.handle) == (BOT_ID, "216ru")
    assert connected.profile.profile_url == "https://line.me/R/ti/p/%40216ru"
    assert connected.options == {"user_id": BOT_ID, "basic_id": "@216ru", "channel_id": "1350031035"}
    asked = [call.request for call in network.calls]
    assert [fault for request in asked for fault in described(request)] == []
    assert asked[0].headers["Authorization"] == f"Bearer {TOKEN}"
    # The secret is tried with the channel of the token; the token itself is not sent along.
    assert dict(parse_qsl(str(asked[2].body)))["client_secret"] == SECRET
    assert "Authorization" not in asked[2].headers


def test_the_canned_answers_are_what_the_library_reads() -> None:
    assert models.BotInfoResponse.from_dict(BOT).basic_id == "@216ru"
    assert insight_models.GetMessageEventResponse.from_dict(EVENT).overview.unique_impression == 82


def test_a_token_that_line_does_not_know_is_refused(network: responses.RequestsMock) -> None:
    network.get(f"{API}/v2/bot/info", status=401, json={"message": f"Authentication failed {TOKEN}"})
    with pytest.raises(NeedsReconnect) as refused:
        connect()
    assert refused.value.advice == UNKNOWN_KEY
    assert TOKEN not in refused.value.detail


def test_a_secret_of_another_channel_is_refused_and_not_repeated(network: responses.RequestsMock) -> None:
    answer_connecting(network)
    said = {"error": "invalid_client", "error_description": f"invalid client_secret {SECRET}"}
    network.upsert("POST", f"{API}/oauth2/v3/token", status=400, json=said)
    with pytest.raises(NeedsReconnect) as refused:
        connect()
    assert refused.value.advice == KEYS_DIFFER
    assert SECRET not in refused.value.detail


def test_a_token_that_cannot_be_asked_about_connects_all_the_same(network: responses.RequestsMock) -> None:
    answer_connecting(network)
    network.upsert("POST", f"{API}/v2/oauth/verify", status=400, json={"error": "invalid_request"})
    assert "channel_id" not in connect().options


def test_a_doubtful_check_of_the_secret_connects_nothing(network: responses.RequestsMock) -> None:
    answer_connecting(network)
    network.upsert("POST", f"{API}/oauth2/v3/token", status=503)
    with pytest.raises(Temporary):
        connect()


def test_another_address_of_the_api_is_taken(network: responses.RequestsMock, account: LineConnector) -> None:
    http.configure(base_urls={"line": "https://line.example.com/"})
    network.get("https://line.example.com/v2/bot/info", json=BOT)
    assert account.fetch_profile().display_name == "Harbour Coffee"
