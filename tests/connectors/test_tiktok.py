"""TikTok's connector on canned answers, shaped after developers.tiktok.com."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import hmac
import io
import json
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
import responses
from hypothesis import example, given
from hypothesis import strategies as st

from connectors import tiktok
from connectors.base import (
    AppCredentials,
    Capability,
    MediaItem,
    PostPart,
    PostPayload,
    RetrySafety,
    StepResult,
    StepState,
    Tokens,
    WebhookKind,
)
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.text import check_payload
from connectors.tiktok import CHUNK_BYTES, TikTokConnector, pieces_of
from connectors.tiktok_info import INFO
from tests.connectors.conftest import NOW, image

API = "https://open.tiktokapis.com"
UPLOAD = "https://open-upload.tiktokapis.com/video/?upload_id=67890&upload_token=Xza123secret"
APP = AppCredentials("client-key", "client-secret")
OK = {"code": "ok", "message": "", "log_id": "202210112248442CB9319E1FB30C1073F3"}
POST_ID = "7300000000000000001"
PUBLISH_ID = "v_pub_file~v2-1.123456789"
UUID = "0192c1b0-0000-7000-8000-000000000001"
MB = 1024 * 1024


def ok(**data: Any) -> dict[str, Any]:
    return {"data": data, "error": OK}


def refusal(code: str) -> dict[str, Any]:
    return {"data": {}, "error": {"code": code, "message": "TikTok's own words", "log_id": "1"}}


@pytest.fixture
def network() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def account() -> TikTokConnector:
    return TikTokConnector(
        tokens=Tokens(access_token="act.token", refresh_token="rft.token"),
        options={"open_id": "open-id", "username": "harbour"},
        app=APP,
    )


def film(size: int = 100, **values: Any) -> MediaItem:
    item = MediaItem("clip", "video/mp4", size, 1080, 1920, "", lambda: io.BytesIO(b"v" * size), 10.0, 30.0)
    return dataclasses.replace(item, **values)


def photo(name: str) -> MediaItem:
    return dataclasses.replace(
        image(name, mime_type="image/jpeg"), public_url=lambda: f"https://smm.example.com/m/{name}"
    )


def post(*media: MediaItem, text: str = "Look #tea", **settings: Any) -> PostPayload:
    return PostPayload((PostPart(text, media=media),), settings={"privacy": "PUBLIC_TO_EVERYONE", **settings})


def container(until: dt.datetime | None = None) -> StepResult:
    good_until = until or dt.datetime.now(dt.UTC) + dt.timedelta(minutes=50)
    return StepResult(
        remote_id=PUBLISH_ID, detail={"upload_url": UPLOAD, "good_until": good_until.isoformat()}
    )


def intent_of(client: TikTokConnector, sent: PostPayload, made: StepResult | None = None) -> dict[str, Any]:
    step = client.plan(sent)[-1]
    return client.prepare_step(step, sent, {"part0.container": made or container()}, key=UUID, now=NOW)


def publish(client: TikTokConnector, sent: PostPayload, made: StepResult | None = None) -> StepResult:
    return client.send_step(client.plan(sent)[-1], sent, intent_of(client, sent, made))


def begin(client: TikTokConnector, sent: PostPayload) -> StepResult:
    step = client.plan(sent)[0]
    return client.send_step(step, sent, client.prepare_step(step, sent, {}, key=UUID, now=NOW))


def check(client: TikTokConnector, sent: PostPayload, result: StepResult | None = None) -> StepResult | None:
    return client.check(client.plan(sent)[-1], intent_of(client, sent), result)


def body_of(call: Any) -> Any:
    return json.loads(call.request.body)


# --- connecting -------------------------------------------------------------------------------


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


# --- limits -----------------------------------------------------------------------------------


def problems(sent: PostPayload) -> list[RejectReason]:
    return [problem.reason for problem in check_payload(sent, INFO)]


def test_a_text_counts_in_utf16_and_a_post_needs_something_to_see() -> None:
    assert problems(post(film(), text="a" * 2198 + "🙂")) == []
    assert problems(post(film(), text="a" * 2199 + "🙂")) == [RejectReason.TEXT_TOO_LONG]
    assert problems(post(text="words")) == [RejectReason.MEDIA_MISSING]
    assert problems(post(*[photo("a")] * 35)) == []
    assert problems(post(*[photo("a")] * 36)) == [RejectReason.TOO_MANY_MEDIA]
    assert problems(post(image(mime_type="image/png"))) == [RejectReason.MEDIA_TYPE]
    assert problems(post(film(duration_s=2.9))) == [RejectReason.VIDEO_TOO_SHORT]
    assert problems(post(film(), photo("a"))) == [RejectReason.MEDIA_MIXED]


def test_the_title_of_photos_counts_in_utf16_before_it_is_sent() -> None:
    assert problems(post(photo("a"), title="🙂" * 45)) == []
    assert problems(post(photo("a"), title="🙂" * 45 + "a")) == [RejectReason.SETTING_INVALID]


def test_who_may_see_it_must_be_chosen_and_has_no_default() -> None:
    assert problems(post(film(), privacy="")) == [RejectReason.SETTING_MISSING]
    (field,) = (one for one in INFO.post_fields if one.is_required)
    assert (field.name, field.default, field.is_of_account) == ("privacy", "", True)
    assert not [one for one in INFO.post_fields if one.kind == "flag" and one.default]


LARGEST = INFO.videos.max_bytes if INFO.videos else 0


@given(st.integers(1, LARGEST))
@example(1)
@example(5 * 10**6 - 1)
@example(5 * MB)
@example(CHUNK_BYTES)
@example(2 * CHUNK_BYTES - 1)
@example(2 * CHUNK_BYTES)
@example(64 * 10**6)
@example(64 * MB + 1)
@example(LARGEST)
def test_pieces_keep_to_the_rules_of_the_media_transfer_guide(size: int) -> None:
    """Whether a MB is 1,000,000 bytes there or 1,048,576, the document does not say."""
    chunk, count = pieces_of(size)
    last = size - chunk * (count - 1)
    assert count == size // chunk
    assert 1 <= count <= 1000
    assert chunk <= last <= 128 * 10**6
    if count > 1:
        assert 5 * MB <= chunk <= 64 * 10**6
    else:
        assert chunk == size <= 64 * 10**6
    if size < 5 * 10**6:
        assert (chunk, count) == (size, 1)


# --- videos -----------------------------------------------------------------------------------


def test_an_upload_is_begun_with_everything_that_the_post_says(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    network.post(f"{API}/v2/post/publish/video/init/", json=ok(publish_id=PUBLISH_ID, upload_url=UPLOAD))
    before = dt.datetime.now(dt.UTC)
    made = begin(
        account, post(film(2 * CHUNK_BYTES + 7), allow_comment=True, brand_organic=True, is_aigc=True)
    )
    assert body_of(network.calls[0]) == {
        "post_info": {
            "title": "Look #tea",
            "privacy_level": "PUBLIC_TO_EVERYONE",
            "disable_comment": False,
            "disable_duet": True,
            "disable_stitch": True,
            "brand_content_toggle": False,
            "brand_organic_toggle": True,
            "is_aigc": True,
        },
        "source_info": {
            "source": "FILE_UPLOAD",
            "video_size": 2 * CHUNK_BYTES + 7,
            "chunk_size": CHUNK_BYTES,
            "total_chunk_count": 2,
        },
    }
    assert made.remote_id == PUBLISH_ID
    until = dt.datetime.fromisoformat(made.detail["good_until"])
    assert dt.timedelta(minutes=50) < until - before < dt.timedelta(hours=1)


@pytest.mark.parametrize(
    "answer",
    [ok(publish_id=PUBLISH_ID), ok(upload_url=UPLOAD), ok(publish_id="x", upload_url=7), ok(), {"error": OK}],
    ids=str,
)
def test_an_upload_that_cannot_be_used_is_begun_again(
    network: responses.RequestsMock, account: TikTokConnector, answer: dict[str, Any]
) -> None:
    network.post(f"{API}/v2/post/publish/video/init/", json=answer)
    with pytest.raises(Temporary):
        begin(account, post(film()))


def test_a_small_video_goes_in_one_piece_and_is_then_worked_on(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    network.put(UPLOAD, status=201)
    result = publish(account, post(film(100)))
    assert (result.state, result.remote_id) == (StepState.PROCESSING, PUBLISH_ID)
    (call,) = network.calls
    assert call.request.headers["Content-Range"] == "bytes 0-99/100"
    assert call.request.headers["Content-Length"] == "100"
    assert call.request.headers["Content-Type"] == "video/mp4"
    assert "Authorization" not in call.request.headers
    assert call.request.url == UPLOAD


def serve_status(network: responses.RequestsMock, **data: Any) -> None:
    network.upsert("POST", f"{API}/v2/post/publish/status/fetch/", json=ok(**data))


BIG = 2 * CHUNK_BYTES + 7


def ranges(network: responses.RequestsMock) -> list[str]:
    sent = [call.request for call in network.calls if call.request.method == "PUT"]
    return [str(request.headers["Content-Range"]) for request in sent]


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (None, [f"bytes 0-{CHUNK_BYTES - 1}/{BIG}", f"bytes {CHUNK_BYTES}-{BIG - 1}/{BIG}"]),
        (0, [f"bytes 0-{CHUNK_BYTES - 1}/{BIG}", f"bytes {CHUNK_BYTES}-{BIG - 1}/{BIG}"]),
        (CHUNK_BYTES - 1, [f"bytes 0-{CHUNK_BYTES - 1}/{BIG}", f"bytes {CHUNK_BYTES}-{BIG - 1}/{BIG}"]),
        (CHUNK_BYTES, [f"bytes {CHUNK_BYTES}-{BIG - 1}/{BIG}"]),
        (str(CHUNK_BYTES), [f"bytes {CHUNK_BYTES}-{BIG - 1}/{BIG}"]),
        (2 * CHUNK_BYTES, [f"bytes {CHUNK_BYTES}-{BIG - 1}/{BIG}"]),
    ],
)
def test_a_large_video_goes_on_where_it_stopped(
    network: responses.RequestsMock, account: TikTokConnector, there: Any, expected: list[str]
) -> None:
    serve_status(network, status="PROCESSING_UPLOAD", **({} if there is None else {"uploaded_bytes": there}))
    for _ in expected[:-1]:
        network.put(UPLOAD, status=206)
    network.put(UPLOAD, status=201)
    assert publish(account, post(film(BIG))).state is StepState.PROCESSING
    assert ranges(network) == expected


def test_what_is_complete_already_is_not_sent_again(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=BIG)
    assert publish(account, post(film(BIG))).state is StepState.PROCESSING
    serve_status(network, status="PUBLISH_COMPLETE", publicaly_available_post_id=[int(POST_ID)])
    assert publish(account, post(film(BIG))).remote_id == POST_ID
    assert ranges(network) == []


FAILURES: list[dict[str, Any]] = [
    {"status": 500},
    {"status": 503, "body": "<html>"},
    {"body": requests.ReadTimeout()},
    {"body": requests.ConnectionError(ConnectionResetError())},
]


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_only_the_last_piece_leaves_a_doubt(
    network: responses.RequestsMock, account: TikTokConnector, failure: dict[str, Any]
) -> None:
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=0)
    network.put(UPLOAD, **failure)
    with pytest.raises(Temporary):
        publish(account, post(film(BIG)))
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=CHUNK_BYTES)
    with pytest.raises(OutcomeUnknown):
        publish(account, post(film(BIG)))
    with pytest.raises(OutcomeUnknown):
        publish(account, post(film(100)))


@pytest.mark.parametrize("status", [200, 206, 302])
def test_an_answer_to_the_last_piece_that_is_not_the_documented_one_is_a_doubt(
    network: responses.RequestsMock, account: TikTokConnector, status: int
) -> None:
    network.put(UPLOAD, status=status)
    with pytest.raises(OutcomeUnknown):
        publish(account, post(film(100)))


@pytest.mark.parametrize(
    ("status", "reason"), [(413, RejectReason.MEDIA_TOO_LARGE), (400, RejectReason.MEDIA_BROKEN)]
)
def test_a_piece_that_is_refused_for_good(
    network: responses.RequestsMock, account: TikTokConnector, status: int, reason: RejectReason
) -> None:
    """One before the last publishes nothing."""
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=0)
    network.put(UPLOAD, status=status, body=f"bad token upload_token=Xza123secret at {UPLOAD}")
    with pytest.raises(Rejected) as refused:
        publish(account, post(film(BIG)))
    assert refused.value.reason is reason
    assert "Xza123secret" not in refused.value.detail


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 416, 422])
def test_a_last_piece_that_is_refused_may_have_been_taken(
    network: responses.RequestsMock, account: TikTokConnector, status: int
) -> None:
    """It may be a repetition: what TikTok says of the publication decides."""
    network.put(UPLOAD, status=status, body=f"bad token upload_token=Xza123secret at {UPLOAD}")
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=100)
    assert publish(account, post(film(100))).state is StepState.PROCESSING
    serve_status(network, status="PUBLISH_COMPLETE", publicaly_available_post_id=[POST_ID])
    assert publish(account, post(film(100))).remote_id == POST_ID
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=0)
    with pytest.raises(Rejected if status == 413 else (Temporary, OutcomeUnknown)) as doubtful:
        publish(account, post(film(100)))
    assert "Xza123secret" not in doubtful.value.detail
    assert not getattr(doubtful.value, "starts_over", False)
    serve_status(network, status="FAILED", fail_reason="internal")
    with pytest.raises(Temporary):
        publish(account, post(film(100)))


@pytest.mark.parametrize("code", ["invalid_publish_id", "spam_risk_user_banned_from_posting"])
def test_after_the_last_piece_nothing_is_begun_anew_because_tiktok_does_not_tell(
    network: responses.RequestsMock,
    account: TikTokConnector,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
) -> None:
    """The hour ends while the piece is under way."""
    now = dt.datetime.now(dt.UTC)

    def late(_request: Any) -> tuple[int, dict[str, str], str]:
        monkeypatch.setattr(tiktok, "_now", lambda: now + dt.timedelta(hours=2))
        return 403, {}, "expired"

    network.add_callback("PUT", UPLOAD, late)
    network.post(f"{API}/v2/post/publish/status/fetch/", status=400, json=refusal(code))
    with pytest.raises((OutcomeUnknown, Temporary)) as doubtful:
        publish(account, post(film(100)))
    assert not getattr(doubtful.value, "starts_over", False)


@pytest.mark.parametrize("stated", [None, "²", -1, 1.5, [], "many"])
def test_an_upload_of_which_nobody_says_how_much_is_there_is_not_begun_anew(
    network: responses.RequestsMock, account: TikTokConnector, stated: Any
) -> None:
    over = container(dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1))
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=stated)
    with pytest.raises(Temporary) as ended:
        publish(account, post(film(100)), over)
    assert not ended.value.starts_over


def test_a_refusal_of_the_question_begins_nothing_anew(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    over = container(dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1))
    banned = refusal("spam_risk_user_banned_from_posting")
    network.post(f"{API}/v2/post/publish/status/fetch/", status=403, json=banned)
    with pytest.raises(Temporary) as refused:
        publish(account, post(film(100)), over)
    assert not refused.value.starts_over


def test_a_piece_too_many_waits(network: responses.RequestsMock, account: TikTokConnector) -> None:
    network.put(UPLOAD, status=429, headers={"Retry-After": "30"})
    with pytest.raises(RateLimited):
        publish(account, post(film(100)))


@pytest.mark.parametrize("status", [401, 403, 404, 410, 416])
def test_an_address_that_takes_nothing_is_asked_about_before_anything_is_begun_anew(
    network: responses.RequestsMock, account: TikTokConnector, status: int
) -> None:
    network.put(UPLOAD, status=status, body="upload_token=Xza123secret expired")
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=0)
    with pytest.raises(Temporary) as later:
        publish(account, post(film(100)))
    assert not later.value.starts_over  # its hour is not over: what was sent may still be on its way
    assert "Xza123secret" not in later.value.detail
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=100)
    assert publish(account, post(film(100))).state is StepState.PROCESSING
    serve_status(network, status="FAILED", fail_reason="internal")
    with pytest.raises(Temporary) as failed:
        publish(account, post(film(100)))
    assert failed.value.starts_over


def test_an_upload_whose_hour_is_over_is_begun_anew_unless_it_got_everything(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    over = container(dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1))
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=99)
    with pytest.raises(Temporary) as ended:
        publish(account, post(film(100)), over)
    assert ended.value.starts_over
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=100)
    assert publish(account, post(film(100)), over).state is StepState.PROCESSING
    assert ranges(network) == []


def test_a_file_that_became_shorter_is_not_sent(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    with pytest.raises(Rejected) as refused:
        publish(account, post(film(100, open=lambda: io.BytesIO(b"v" * 99))))
    assert refused.value.reason is RejectReason.MEDIA_BROKEN
    assert len(network.calls) == 0


# --- what became of it ------------------------------------------------------------------------

SENT = StepResult(state=StepState.PROCESSING, remote_id=PUBLISH_ID)


def test_a_video_is_done_when_it_has_its_public_id(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=10)
    working = check(account, post(film()), SENT)
    assert working is not None
    assert (working.state, working.remote_id) == (StepState.PROCESSING, PUBLISH_ID)
    serve_status(network, status="PUBLISH_COMPLETE", publicaly_available_post_id=[int(POST_ID)])
    result = check(account, post(film()), SENT)
    assert result == StepResult(
        remote_id=POST_ID, permalink=f"https://www.tiktok.com/@harbour/video/{POST_ID}"
    )


def test_the_public_id_may_come_late_and_is_not_waited_for_for_ever(
    network: responses.RequestsMock, account: TikTokConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = dt.datetime.now(dt.UTC)
    monkeypatch.setattr(tiktok, "_now", lambda: now)
    serve_status(network, status="PUBLISH_COMPLETE", publicaly_available_post_id=[])
    first = check(account, post(film()), SENT)
    assert first is not None
    assert first.state is StepState.PROCESSING
    now += dt.timedelta(minutes=4)
    second = check(account, post(film()), first)
    assert second == first
    now += dt.timedelta(minutes=1)
    assert check(account, post(film()), second) == StepResult(remote_id=PUBLISH_ID)
    # Who posts for themselves alone never gets one.
    assert check(account, post(film(), privacy="SELF_ONLY"), SENT) == StepResult(remote_id=PUBLISH_ID)


def test_after_a_lost_answer_the_state_of_the_upload_decides(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=99)
    assert check(account, post(film(100))) is None
    serve_status(network, status="PROCESSING_UPLOAD")
    assert check(account, post(film(100))) is None
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=100)
    assert check(account, post(film(100))) == dataclasses.replace(SENT, retry_after_s=tiktok.POLL_S)
    serve_status(network, status="PUBLISH_COMPLETE", publicaly_available_post_id=[POST_ID])
    result = check(account, post(film(100)))
    assert result is not None
    assert result.remote_id == POST_ID
    assert account.safety_of(intent_of(account, post(film())), NOW) is RetrySafety.TWO_PHASE


@pytest.mark.parametrize(
    ("fail_reason", "reason"),
    [
        ("file_format_check_failed", RejectReason.MEDIA_TYPE),
        ("duration_check_failed", RejectReason.VIDEO_TOO_LONG),
        ("frame_rate_check_failed", RejectReason.VIDEO_TOO_FAST),
        ("picture_size_check_failed", RejectReason.MEDIA_SHAPE),
        ("spam_risk_too_many_posts", RejectReason.QUOTA_FULL),
        ("spam_risk_user_banned_from_posting", RejectReason.FORBIDDEN),
        ("spam_risk_text", RejectReason.FORBIDDEN),
        ("spam_risk", RejectReason.FORBIDDEN),
        ("something_new", RejectReason.INVALID),
        (None, RejectReason.INVALID),
    ],
)
def test_each_reason_of_a_failure_is_told(
    network: responses.RequestsMock, account: TikTokConnector, fail_reason: str | None, reason: RejectReason
) -> None:
    serve_status(network, status="FAILED", fail_reason=fail_reason)
    with pytest.raises(Rejected) as failed:
        check(account, post(film()), SENT)
    assert failed.value.reason is reason
    assert failed.value.detail


@pytest.mark.parametrize(
    "fail_reason", ["internal", "video_pull_failed", "photo_pull_failed", "publish_cancelled"]
)
def test_what_is_worth_another_try_is_begun_anew(
    network: responses.RequestsMock, account: TikTokConnector, fail_reason: str
) -> None:
    serve_status(network, status="FAILED", fail_reason=fail_reason)
    with pytest.raises(Temporary) as failed:
        check(account, post(film()), SENT)
    assert failed.value.starts_over


def test_a_permission_taken_back_in_the_middle_holds_the_account(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    serve_status(network, status="FAILED", fail_reason="auth_removed")
    with pytest.raises(NeedsReconnect):
        check(account, post(film()), SENT)


def test_that_tiktok_does_not_know_a_publication_says_nothing_of_the_post(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    network.post(f"{API}/v2/post/publish/status/fetch/", status=400, json=refusal("invalid_publish_id"))
    with pytest.raises(OutcomeUnknown):
        check(account, post(film()))


@pytest.mark.parametrize("is_over", [False, True])
def test_an_upload_that_tiktok_forgot_is_begun_anew_when_its_hour_is_over(
    network: responses.RequestsMock, account: TikTokConnector, is_over: bool
) -> None:
    """It is sent anew only where nothing of it can have been published."""
    network.post(f"{API}/v2/post/publish/status/fetch/", status=400, json=refusal("invalid_publish_id"))
    until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=-1 if is_over else 60)
    with pytest.raises(Temporary) as forgotten:
        publish(account, post(film(BIG)), container(until))
    assert forgotten.value.starts_over is is_over


@pytest.mark.parametrize("data", [{}, {"status": None}, {"status": "NEW_STATE"}, {"status": ["x"]}], ids=str)
def test_a_state_that_nobody_knows_is_asked_for_again(
    network: responses.RequestsMock, account: TikTokConnector, data: dict[str, Any]
) -> None:
    serve_status(network, **data)
    with pytest.raises(Temporary):
        check(account, post(film()))


# --- photos -----------------------------------------------------------------------------------


def test_photos_are_fetched_from_addresses_that_are_in_no_intent(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    network.post(f"{API}/v2/post/publish/content/init/", json=ok(publish_id="p_pub_url~v2.1"))
    sent = post(photo("a"), photo("b"), title="Our tea", allow_comment=True, add_music=True)
    (step,) = account.plan(sent)
    intent = account.prepare_step(step, sent, {}, key=UUID, now=NOW)
    assert "smm.example.com" not in json.dumps(intent)
    result = account.send_step(step, sent, intent)
    assert body_of(network.calls[0]) == {
        "media_type": "PHOTO",
        "post_mode": "DIRECT_POST",
        "post_info": {
            "title": "Our tea",
            "description": "Look #tea",
            "privacy_level": "PUBLIC_TO_EVERYONE",
            "disable_comment": False,
            "auto_add_music": True,
            "brand_content_toggle": False,
            "brand_organic_toggle": False,
        },
        "source_info": {
            "source": "PULL_FROM_URL",
            "photo_cover_index": 0,
            "photo_images": ["https://smm.example.com/m/a", "https://smm.example.com/m/b"],
        },
    }
    assert (result.state, result.remote_id) == (StepState.PROCESSING, "p_pub_url~v2.1")
    serve_status(network, status="PROCESSING_DOWNLOAD", downloaded_bytes=10)
    working = account.check(step, intent, result)
    assert working is not None
    assert working.state is StepState.PROCESSING
    serve_status(network, status="PUBLISH_COMPLETE", publicaly_available_post_id=[POST_ID])
    done = account.check(step, intent, result)
    assert done is not None
    assert done.permalink == f"https://www.tiktok.com/@harbour/photo/{POST_ID}"


def test_photos_that_tiktok_cannot_reach_are_refused_before_it_is_asked(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    with pytest.raises(Rejected) as refused:
        publish(account, post(image(mime_type="image/jpeg")))
    assert refused.value.reason is RejectReason.MEDIA_NOT_PUBLIC
    assert len(network.calls) == 0


def test_a_lost_answer_to_photos_is_looked_for_and_else_a_person_is_asked(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    sent = post(photo("a"))
    assert account.safety_of(intent_of(account, sent), NOW) is RetrySafety.NEITHER
    video = {"id": POST_ID, "create_time": 1_790_000_000, "video_description": "Look #tea"}
    network.post(f"{API}/v2/video/list/", json=ok(videos=[video], has_more=False))
    since = dt.datetime.fromtimestamp(1_790_000_000, dt.UTC)
    (found,) = account.find_sent(sent, since=since)
    assert found.remote_id == POST_ID
    network.replace("POST", f"{API}/v2/video/list/", json=ok(videos=[], has_more=False))
    with pytest.raises(Rejected):
        account.find_sent(sent, since=since)


def test_photos_without_words_are_not_known_again_among_others(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    other = {"id": POST_ID, "create_time": int(NOW.timestamp()) + 60, "title": "", "video_description": ""}
    network.post(f"{API}/v2/video/list/", json=ok(videos=[other], has_more=False))
    with pytest.raises(Rejected):  # a person is asked
        account.find_sent(post(photo("a"), text=""), since=NOW)


@pytest.mark.parametrize("is_video", [True, False])
def test_a_paid_partnership_is_not_for_oneself_alone(
    network: responses.RequestsMock, account: TikTokConnector, is_video: bool
) -> None:
    sent = post(film() if is_video else photo("a"), privacy="SELF_ONLY", brand_content=True)
    with pytest.raises(Rejected) as refused:
        begin(account, sent)
    assert refused.value.reason is RejectReason.SETTING_INVALID
    assert len(network.calls) == 0


def test_a_title_counts_in_utf16(network: responses.RequestsMock, account: TikTokConnector) -> None:
    network.post(f"{API}/v2/post/publish/content/init/", json=ok(publish_id="p"))
    assert begin(account, post(photo("a"), title="🙂" * 45)).remote_id == "p"
    with pytest.raises(Rejected) as refused:
        begin(account, post(photo("a"), title="🙂" * 45 + "a"))
    assert refused.value.reason is RejectReason.SETTING_INVALID


# --- errors -----------------------------------------------------------------------------------

TABLE: list[tuple[int, str, type[ConnectorError], RejectReason | None]] = [
    (401, "access_token_invalid", NeedsReconnect, None),
    (401, "scope_not_authorized", NeedsReconnect, None),
    (403, "scope_permission_missed", NeedsReconnect, None),
    (429, "rate_limit_exceeded", RateLimited, None),
    (200, "rate_limit_exceeded", RateLimited, None),
    (403, "spam_risk_too_many_posts", Rejected, RejectReason.QUOTA_FULL),
    (403, "spam_risk_user_banned_from_posting", Rejected, RejectReason.FORBIDDEN),
    (403, "reached_active_user_cap", Rejected, RejectReason.QUOTA_FULL),
    (403, "unaudited_client_can_only_post_to_private_accounts", Rejected, RejectReason.FORBIDDEN),
    (403, "url_ownership_unverified", Rejected, RejectReason.MEDIA_NOT_PUBLIC),
    (403, "privacy_level_option_mismatch", Rejected, RejectReason.SETTING_INVALID),
    (400, "invalid_params", Rejected, RejectReason.INVALID),
    (200, "invalid_params", Rejected, RejectReason.INVALID),
    (403, "something_new", Rejected, RejectReason.FORBIDDEN),
]


@pytest.mark.parametrize(("status", "code", "kind", "reason"), TABLE)
def test_each_line_of_the_error_table(
    network: responses.RequestsMock,
    account: TikTokConnector,
    status: int,
    code: str,
    kind: type[ConnectorError],
    reason: RejectReason | None,
) -> None:
    network.post(f"{API}/v2/post/publish/video/init/", status=status, json=refusal(code))
    network.post(f"{API}/v2/post/publish/content/init/", status=status, json=refusal(code))
    for sent in (post(film()), post(photo("a"))):
        with pytest.raises(kind) as refused:
            begin(account, sent)
        assert getattr(refused.value, "reason", None) is reason
        assert code in refused.value.detail
        assert "TikTok's own words" in refused.value.detail


@pytest.mark.parametrize("status", [200, 500])
def test_an_error_inside_tiktok_is_a_doubt_only_for_what_publishes(
    network: responses.RequestsMock, account: TikTokConnector, status: int
) -> None:
    network.post(f"{API}/v2/post/publish/video/init/", status=status, json=refusal("internal_error"))
    network.post(f"{API}/v2/post/publish/content/init/", status=status, json=refusal("internal_error"))
    with pytest.raises(Temporary):
        begin(account, post(film()))
    with pytest.raises(OutcomeUnknown):
        begin(account, post(photo("a")))


def test_an_app_that_is_not_audited_is_told_what_to_do(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    code = "unaudited_client_can_only_post_to_private_accounts"
    network.post(f"{API}/v2/post/publish/video/init/", status=403, json=refusal(code))
    with pytest.raises(Rejected, match="TikTok has not audited this developer app yet"):
        begin(account, post(film()))


# --- reading back and counts --------------------------------------------------------------------


def test_own_videos_are_listed_newest_first_as_far_back_as_is_asked(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    at = 1_790_000_000
    video = {"share_url": "https://www.tiktok.com/@harbour/video/1", "title": "t", "video_description": "d"}
    first = [{**video, "id": "3", "create_time": at + 20}, {**video, "id": "2", "create_time": at + 10}, None]
    second = [{"id": "1", "create_time": at - 1, "title": "only a title"}]
    network.post(f"{API}/v2/video/list/", json=ok(videos=first, cursor=5, has_more=True))
    network.post(f"{API}/v2/video/list/", json=ok(videos=second, cursor=6, has_more=True))
    found = account.find_recent(since=dt.datetime.fromtimestamp(at, dt.UTC))
    assert [one.remote_id for one in found] == ["3", "2"]
    assert (found[0].text, found[0].permalink) == ("d", "https://www.tiktok.com/@harbour/video/1")
    assert body_of(network.calls[1]) == {"max_count": 20, "cursor": 5}
    assert "fields=id,create_time,share_url" in str(network.calls[0].request.url)


@pytest.mark.parametrize("videos", ["x", None, {}, [{"id": "1", "create_time": "x"}], [{"id": "1"}]], ids=str)
def test_garbage_in_a_list_is_a_fault_of_the_network(
    network: responses.RequestsMock, account: TikTokConnector, videos: Any
) -> None:
    network.post(f"{API}/v2/video/list/", json=ok(videos=videos, has_more=False))
    with pytest.raises(Temporary):
        account.find_recent(since=NOW)


def test_a_post_that_was_known_by_its_publication_is_found_once_it_is_public(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    video = {"id": POST_ID, "create_time": 1_790_000_000, "title": "t"}
    network.post(f"{API}/v2/video/query/", json=ok(videos=[video, {"id": "of somebody"}]))
    serve_status(network, status="PUBLISH_COMPLETE", publicaly_available_post_id=[int(POST_ID)])
    found = account.fetch_post(PUBLISH_ID)
    assert found is not None
    assert found.remote_id == PUBLISH_ID
    assert found.permalink == f"https://www.tiktok.com/@harbour/video/{POST_ID}"
    assert body_of(network.calls[1]) == {"filters": {"video_ids": [POST_ID]}}
    serve_status(network, status="PUBLISH_COMPLETE", publicaly_available_post_id=[])
    assert account.fetch_post(PUBLISH_ID) is None
    network.upsert(
        "POST", f"{API}/v2/post/publish/status/fetch/", status=400, json=refusal("invalid_publish_id")
    )
    assert account.fetch_post(PUBLISH_ID) is None


def test_counts_of_the_account_and_of_its_posts(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    counts = {"follower_count": 5, "following_count": True, "video_count": -1}
    network.get(f"{API}/v2/user/info/", json=ok(user=counts))
    told = account.fetch_account_metrics()
    assert (told.followers, told.following, told.posts) == (5, None, None)
    video = {"id": POST_ID, "like_count": 1, "comment_count": 2, "share_count": 3, "view_count": 4}
    network.post(f"{API}/v2/video/query/", json=ok(videos=[video]))
    ids = [POST_ID, *[str(n) for n in range(25)]]
    (one,) = account.fetch_post_metrics(ids).values()
    assert (one.likes, one.comments, one.shares, one.impressions) == (1, 2, 3, 4)
    asked = [body_of(call)["filters"]["video_ids"] for call in network.calls if call.request.method == "POST"]
    assert [len(ids) for ids in asked] == [20, 6]


# --- webhooks ---------------------------------------------------------------------------------

BODY = json.dumps(
    {
        "client_key": "client-key",
        "event": "post.publish.publicly_available",
        "create_time": 1_615_338_610,
        "user_openid": "open-id",
        "content": json.dumps({"publish_id": PUBLISH_ID, "post_id": POST_ID, "publish_type": "DIRECT_POST"}),
    }
).encode()


def signature(body: bytes = BODY, *, key: str = "client-secret", age_s: float = 0) -> str:
    at = int(dt.datetime.now(dt.UTC).timestamp() - age_s)
    signed = hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},s={signed}"


def is_genuine(header: str, body: bytes = BODY, key: str = "client-secret") -> bool:
    return TikTokConnector.is_genuine(body, {"tiktok-signature": header}, secret=key)


def test_a_call_is_genuine_with_the_app_s_secret_and_only_lately() -> None:
    assert is_genuine(signature())
    assert is_genuine(signature(age_s=290))
    assert not is_genuine(signature(age_s=310))
    assert not is_genuine(signature(age_s=-310))
    assert not is_genuine(signature(key="other"))
    assert not is_genuine(signature(), BODY + b" ")
    assert not is_genuine(signature(key=""), key="")
    moved = signature().replace("t=", "t=1")
    assert not is_genuine(moved)


@pytest.mark.parametrize(
    "header", ["", "t=,s=", "t=1", "s=abc", "t=x,s=y", "t=1,s=é", "t=99999999999999999999,s=0", "t=１,s=0"]
)
def test_a_header_that_is_none_is_not_genuine(header: str) -> None:
    assert not is_genuine(header)


def told(event: str, **content: Any) -> Any:
    body = {"event": event, "user_openid": "open-id", "create_time": 1, "content": json.dumps(content)}
    (one,) = TikTokConnector.webhook_events(json.dumps(body).encode())
    return one


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("post.publish.failed", WebhookKind.PUBLICATION),
        ("post.publish.complete", WebhookKind.PUBLICATION),
        ("post.publish.publicly_available", WebhookKind.PUBLICATION),
        ("post.publish.no_longer_publicaly_available", WebhookKind.OTHER),
        ("authorization.removed", WebhookKind.REVOKED),
        ("video.publish.completed", WebhookKind.OTHER),
        ("something.new", WebhookKind.OTHER),
    ],
)
def test_each_event_is_told_as_what_it_is(event: str, kind: WebhookKind) -> None:
    one = told(event, publish_id=PUBLISH_ID, reason=1)
    assert (one.kind, one.account_id) == (kind, "open-id")
    assert one.remote_id == (PUBLISH_ID if kind is WebhookKind.PUBLICATION else "")


def test_an_event_told_again_is_the_same_event() -> None:
    (first,), (again,) = (TikTokConnector.webhook_events(BODY) for _ in range(2))
    assert first == again
    assert len(first.event_id) <= 200
    assert first.event_id != told("post.publish.complete", publish_id=PUBLISH_ID).event_id


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"[]",
        b"null",
        b'"x"',
        b'{"content": "x"}',
        b'{"content": "[]"}',
        b'{"content": 7}',
        b"\xff",
        b"[" * 100000,
    ],
)
def test_what_tiktok_does_not_send_is_refused(body: bytes) -> None:
    with pytest.raises(Rejected):
        TikTokConnector.webhook_events(body)
