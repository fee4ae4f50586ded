"""YouTube's connector on canned answers: the dialogue, the channel that was chosen, renewed tokens."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import responses

from connectors.base import AppCredentials, Capability, Tokens
from connectors.errors import NeedsReconnect, Rejected, RejectReason, Temporary
from connectors.youtube import YouTubeConnector
from connectors.youtube_info import INFO
from tests.connectors import youtube_stage
from tests.connectors.youtube_stage import (
    API,
    APP,
    CHANNEL,
    CHANNEL_ANSWER,
    SESSION,
    VIDEO,
    assert_same,
    listed,
    made,
    publish,
    refusal,
)

network = youtube_stage.network
account = youtube_stage.account
document = youtube_stage.document
google = youtube_stage.google


def test_the_dialogue_asks_for_a_lasting_connection_with_pkce() -> None:
    asked = YouTubeConnector.authorize_url(app=APP, redirect_uri="https://smm.example.com/back", state="s")
    assert asked.url.startswith("https://accounts.google.com/o/oauth2/v2/auth?")
    query = dict(parse_qsl(urlsplit(asked.url).query))
    digest = hashlib.sha256(asked.code_verifier.encode()).digest()
    assert query.pop("code_challenge") == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert query == {
        "client_id": "client-id",
        "redirect_uri": "https://smm.example.com/back",
        "response_type": "code",
        "scope": " ".join(INFO.scopes),
        "access_type": "offline",
        "prompt": "consent",
        "state": "s",
        "code_challenge_method": "S256",
    }
    fewer = YouTubeConnector.authorize_url(
        app=APP, redirect_uri="https://smm.example.com/back", state="s", scopes=INFO.features[0].scopes
    )
    assert "force-ssl" not in fewer.url


TOKEN = {
    "access_token": "ya29.new",
    "expires_in": 3599,
    "refresh_token": "1//new",
    "scope": " ".join(INFO.scopes),
    "token_type": "Bearer",
}


def exchange() -> Any:
    (one,) = YouTubeConnector.exchange_accounts(
        app=APP, code="c0de", code_verifier="v" * 43, redirect_uri="https://smm.example.com/back"
    )
    return one


def serve_connection(network: responses.RequestsMock, **token: Any) -> None:
    network.post("https://oauth2.googleapis.com/token", json={**TOKEN, **token})
    network.get(f"{API}/youtube/v3/channels", json=listed(CHANNEL_ANSWER))


def test_a_code_becomes_the_channel_that_was_chosen(network: responses.RequestsMock, google: Any) -> None:
    serve_connection(network)
    connected = exchange()
    assert (connected.profile.remote_id, connected.profile.handle) == (CHANNEL, "harbour")
    assert connected.profile.profile_url == "https://www.youtube.com/@harbour"
    assert connected.options == {"channel_id": CHANNEL, "scopes": list(INFO.scopes)}
    assert connected.tokens.refresh_token == "1//new"
    form = parse_qs(str(network.calls[0].request.body))
    assert form["code_verifier"] == ["v" * 43]
    assert_same(network.calls[1].request, google.channels().list(part="snippet", mine=True))


def test_the_end_of_a_refresh_token_is_known_where_google_says_it(network: responses.RequestsMock) -> None:
    """As of an app whose consent screen is in "Testing": seven days, however often it is renewed."""
    serve_connection(network, refresh_token_expires_in=604_799)
    ends_at = exchange().tokens.ends_at
    assert ends_at is not None
    assert abs(ends_at - dt.datetime.now(dt.UTC) - dt.timedelta(days=7)) < dt.timedelta(minutes=1)
    network.replace("POST", "https://oauth2.googleapis.com/token", json=TOKEN)
    assert exchange().tokens.ends_at is None


def test_of_several_channels_only_the_one_that_uploads_go_to_is_taken(
    network: responses.RequestsMock,
) -> None:
    network.post("https://oauth2.googleapis.com/token", json=TOKEN)
    other = {**CHANNEL_ANSWER, "id": "UCother"}
    network.get(f"{API}/youtube/v3/channels", json=listed(CHANNEL_ANSWER, other))
    assert exchange().profile.remote_id == CHANNEL


def test_without_the_scope_for_comments_nothing_of_them_is_offered(network: responses.RequestsMock) -> None:
    serve_connection(network, scope=" ".join(INFO.features[0].scopes))
    info = YouTubeConnector.info_for(exchange().options)
    assert info.can(Capability.POST_VIDEO)
    assert not info.capabilities & {Capability.FIRST_COMMENT, Capability.REPLY, Capability.INBOX_COMMENTS}


@pytest.mark.parametrize(
    ("channels", "scope", "reason"),
    [
        ({"json": {"kind": "x", "pageInfo": {"totalResults": 0}}}, TOKEN["scope"], RejectReason.NOT_FOUND),
        (
            {"status": 401, "json": refusal("youtubeSignupRequired", 401)},
            TOKEN["scope"],
            RejectReason.NOT_FOUND,
        ),
        ({"json": listed(CHANNEL_ANSWER)}, "https://x/youtube.readonly", RejectReason.FORBIDDEN),
    ],
    ids=["none", "no channel", "not allowed"],
)
def test_who_has_no_channel_or_does_not_allow_uploads_is_not_connected(
    network: responses.RequestsMock, channels: dict[str, Any], scope: str, reason: RejectReason
) -> None:
    network.post("https://oauth2.googleapis.com/token", json={**TOKEN, "scope": scope})
    network.get(f"{API}/youtube/v3/channels", **channels)
    with pytest.raises(Rejected) as refused:
        exchange()
    assert refused.value.reason is reason


def refresh(app: AppCredentials | None = APP) -> Tokens:
    stale = Tokens(access_token="ya29.old", refresh_token="1//old")
    return YouTubeConnector.refresh(tokens=stale, options={}, app=app)


def test_a_refresh_token_stays_unless_google_gives_another(network: responses.RequestsMock) -> None:
    network.post("https://oauth2.googleapis.com/token", json={"access_token": "ya29.new", "expires_in": 3599})
    fresh = refresh()
    assert (fresh.access_token, fresh.refresh_token) == ("ya29.new", "1//old")
    network.replace("POST", "https://oauth2.googleapis.com/token", json=TOKEN)
    assert refresh().refresh_token == "1//new"


def test_a_refresh_token_that_is_dead_asks_for_a_person(network: responses.RequestsMock) -> None:
    dead = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
    network.post("https://oauth2.googleapis.com/token", status=400, json=dead)
    with pytest.raises(NeedsReconnect, match="invalid_grant"):
        refresh()
    with pytest.raises(NeedsReconnect):
        refresh(app=None)
    with pytest.raises(Rejected) as refused:
        exchange()
    assert refused.value.reason is RejectReason.INVALID
    network.replace("POST", "https://oauth2.googleapis.com/token", status=503, body="oops")
    with pytest.raises(Temporary):
        refresh()


def test_a_token_that_ends_during_an_upload_is_renewed(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.put(SESSION, status=401, json=refusal("authError", 401))
    network.put(SESSION, json=made())
    account.renew = lambda _: Tokens(access_token="ya29.fresh", refresh_token="1//r")
    assert publish(account).remote_id == VIDEO
    sent = [call.request.headers["Authorization"] for call in network.calls]
    assert sent == ["Bearer ya29.token", "Bearer ya29.fresh"]
