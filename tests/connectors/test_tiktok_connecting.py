"""TikTok's connector on canned answers: the dialogue, an account and what it may, renewed tokens."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import responses

from connectors.base import AppCredentials, Capability, Tokens
from connectors.errors import NeedsReconnect, Rejected, RejectReason, Temporary
from connectors.tiktok import TikTokConnector
from connectors.tiktok_info import INFO
from tests.connectors import tiktok_stage
from tests.connectors.tiktok_stage import API, APP, PUBLISH_ID, UPLOAD, begin, film, ok, post, refusal

network = tiktok_stage.network
account = tiktok_stage.account


def test_the_dialogue_names_the_client_key_and_the_chosen_scopes() -> None:
    asked = TikTokConnector.authorize_url(
        app=APP,
        redirect_uri="https://smm.example.com/back",
        state="s",
        scopes=("user.info.basic", "video.list"),
    )
    assert asked.url.startswith("https://www.tiktok.com/v2/auth/authorize/?")
    assert dict(parse_qsl(urlsplit(asked.url).query)) == {
        "client_key": "client-key",
        "response_type": "code",
        "scope": "user.info.basic,video.list",
        "redirect_uri": "https://smm.example.com/back",
        "state": "s",
    }
    whole = TikTokConnector.authorize_url(app=APP, redirect_uri="https://smm.example.com/back", state="s")
    assert dict(parse_qsl(urlsplit(whole.url).query))["scope"] == ",".join(INFO.scopes)


TOKEN = {
    "open_id": "open-id",
    "scope": ",".join(INFO.scopes),
    "access_token": "act.new",
    "expires_in": 7200,
    "refresh_token": "rft.new",
    "refresh_expires_in": 15_552_000,
    "token_type": "Bearer",
}
USER = {
    "open_id": "open-id",
    "username": "harbour",
    "display_name": "Harbour Coffee",
    "avatar_url": "https://p.example/a.jpg",
}
CREATOR = {
    "creator_username": "harbour",
    "privacy_level_options": ["PUBLIC_TO_EVERYONE", "SELF_ONLY", "SOMETHING_NEW"],
    "comment_disabled": False,
    "max_video_post_duration_sec": 300,
}


def exchange() -> Any:
    return TikTokConnector.exchange_code(
        app=APP, code="c0de", code_verifier="", redirect_uri="https://smm.example.com/back"
    )


def serve_connection(network: responses.RequestsMock, token: dict[str, Any], creator: Any = None) -> None:
    network.post(f"{API}/v2/oauth/token/", json=token)
    network.get(f"{API}/v2/user/info/", json=ok(user=USER))
    network.post(f"{API}/v2/post/publish/creator_info/query/", json=creator or ok(**CREATOR))


def test_a_code_becomes_an_account_with_its_own_longest_video(network: responses.RequestsMock) -> None:
    serve_connection(network, TOKEN)
    connected = exchange()
    assert (connected.profile.remote_id, connected.profile.handle) == ("open-id", "harbour")
    assert connected.profile.profile_url == "https://www.tiktok.com/@harbour"
    assert connected.tokens.refresh_token == "rft.new"
    lasts = connected.tokens.expires_at - dt.datetime.now(dt.UTC)
    assert 7100 < lasts.total_seconds() <= 7200
    assert connected.tokens.extra["refresh_expires_at"].startswith("20")
    assert set(connected.options) == {"open_id", "username", "scopes", "max_seconds"}
    info = TikTokConnector.info_for(connected.options)
    assert info.videos is not None
    assert info.videos.max_seconds == 300
    form = parse_qs(str(network.calls[0].request.body))
    assert form["client_key"] == ["client-key"]
    assert network.calls[1].request.headers["Authorization"] == "Bearer act.new"


def test_an_account_is_connected_even_when_its_limits_cannot_be_read(network: responses.RequestsMock) -> None:
    serve_connection(network, TOKEN, refusal("spam_risk_too_many_posts"))
    assert "max_seconds" not in exchange().options


def test_without_the_numbers_of_the_account_these_are_not_offered(network: responses.RequestsMock) -> None:
    serve_connection(
        network, {**TOKEN, "scope": "user.info.basic,user.info.profile,video.publish,video.list"}
    )
    info = TikTokConnector.info_for(exchange().options)
    assert not info.can(Capability.ACCOUNT_METRICS)
    assert info.account_metrics == ()
    assert info.can(Capability.POST_VIDEO)


def test_without_leave_to_publish_there_is_no_account(network: responses.RequestsMock) -> None:
    serve_connection(network, {**TOKEN, "scope": "user.info.basic"})
    with pytest.raises(Rejected) as refused:
        exchange()
    assert refused.value.reason is RejectReason.FORBIDDEN


@pytest.mark.parametrize("status", [200, 400])
def test_a_code_or_refresh_token_that_is_not_taken(network: responses.RequestsMock, status: int) -> None:
    network.post(
        f"{API}/v2/oauth/token/",
        status=status,
        json={"error": "invalid_grant", "error_description": "Authorization code is expired.", "log_id": "1"},
    )
    with pytest.raises(Rejected) as refused:
        exchange()
    assert refused.value.reason is RejectReason.INVALID
    with pytest.raises(NeedsReconnect):
        refresh()


def refresh(app: AppCredentials | None = APP, **tokens: Any) -> Tokens:
    stale = Tokens(access_token="act.old", **{"refresh_token": "rft.old", **tokens})
    return TikTokConnector.refresh(tokens=stale, options={}, app=app)


def test_a_refresh_token_is_replaced_by_the_new_one(network: responses.RequestsMock) -> None:
    network.post(f"{API}/v2/oauth/token/", json=TOKEN)
    fresh = refresh()
    assert (fresh.access_token, fresh.refresh_token) == ("act.new", "rft.new")
    assert parse_qs(str(network.calls[0].request.body))["refresh_token"] == ["rft.old"]
    network.replace("POST", f"{API}/v2/oauth/token/", json={**TOKEN, "refresh_token": "", "expires_in": "?"})
    assert (refresh().refresh_token, refresh().expires_at) == ("rft.old", None)


@pytest.mark.parametrize(
    "answer",
    [
        {"json": {"error": "server_error", "error_description": "later"}},
        {"status": 503, "body": "oops"},
        {"json": {}},
        {"json": []},
        {"body": "<html>"},
    ],
    ids=str,
)
def test_a_token_is_not_lost_by_an_answer_that_says_nothing(
    network: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    network.post(f"{API}/v2/oauth/token/", **answer)
    with pytest.raises(Temporary):
        refresh()


def test_without_an_app_or_a_refresh_token_a_person_is_asked() -> None:
    with pytest.raises(NeedsReconnect):
        refresh(app=None)
    with pytest.raises(NeedsReconnect):
        refresh(refresh_token="")


def test_a_token_that_ends_in_the_middle_is_renewed_once(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    dead = refusal("access_token_invalid")
    network.post(f"{API}/v2/post/publish/video/init/", status=401, json=dead)
    network.post(f"{API}/v2/post/publish/video/init/", json=ok(publish_id=PUBLISH_ID, upload_url=UPLOAD))
    stale = []
    account.renew = lambda tokens: stale.append(tokens.access_token) or Tokens(access_token="act.fresh")  # type: ignore[func-returns-value]
    assert begin(account, post(film())).remote_id == PUBLISH_ID
    assert stale == ["act.token"]
    assert network.calls[1].request.headers["Authorization"] == "Bearer act.fresh"
    network.replace("POST", f"{API}/v2/post/publish/video/init/", status=401, json=dead)
    with pytest.raises(NeedsReconnect):
        begin(account, post(film()))


def test_who_may_see_a_post_is_what_the_account_allows_now(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    network.post(f"{API}/v2/post/publish/creator_info/query/", json=ok(**CREATOR))
    assert account.fetch_choices() == {
        "privacy": [
            ("PUBLIC_TO_EVERYONE", "Everyone"),
            ("SELF_ONLY", "Only me"),
            ("SOMETHING_NEW", "SOMETHING_NEW"),
        ]
    }
    network.replace("POST", f"{API}/v2/post/publish/creator_info/query/", json=ok(privacy_level_options="x"))
    assert account.fetch_choices() == {"privacy": []}
