"""YouTube's connector on canned answers, shaped after developers.google.com/youtube/v3; its requests beside
those that Google's own client makes of the same discovery document."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import googleapiclient.discovery
import googleapiclient.http
import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st

from connectors import youtube, youtube_calls
from connectors.base import (
    AppCredentials,
    Capability,
    MediaItem,
    Moderation,
    ModerationAction,
    NotAllListed,
    PostPart,
    PostPayload,
    ReplyTarget,
    RetrySafety,
    StepKind,
    StepResult,
    StepState,
    Tokens,
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
from connectors.youtube import CHUNK_BYTES, YouTubeConnector
from connectors.youtube_info import INFO
from tests.connectors.conftest import NOW, SPECS, image

API = "https://www.googleapis.com"
SESSION = f"{API}/upload/youtube/v3/videos?uploadType=resumable&upload_id=AbCdEf0123456789"
APP = AppCredentials("client-id", "client-secret")
CHANNEL = "UCabcdefghijklmnopqrstuv"
VIDEO = "dQw4w9WgXcQ"
UUID = "0192c1b0-0000-7000-8000-000000000001"
SIZE = 100


def refusal(reason: str, code: int = 403) -> dict[str, Any]:
    one = {"message": "Google's own words", "domain": "youtube", "reason": reason}
    return {"error": {"code": code, "message": "Google's own words", "errors": [one]}}


def listed(*items: Any, **more: Any) -> dict[str, Any]:
    return {"kind": "youtube#listResponse", "items": list(items), **more}


@pytest.fixture
def network() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def account() -> YouTubeConnector:
    return YouTubeConnector(
        tokens=Tokens(access_token="ya29.token", refresh_token="1//refresh"),
        options={"channel_id": CHANNEL},
        app=APP,
    )


def film(size: int = SIZE, **values: Any) -> MediaItem:
    item = MediaItem("clip", "video/mp4", size, 1080, 1920, "", lambda: io.BytesIO(b"v" * size), 30.0, 30.0)
    return dataclasses.replace(item, **values)


def post(*parts: PostPart, **settings: Any) -> PostPayload:
    return PostPayload(
        parts or (PostPart("How we roast", media=(film(),)),),
        settings={"title": "Roasting", "made_for_kids": "no", **settings},
    )


def publish(client: YouTubeConnector, sent: PostPayload | None = None, session: str = SESSION) -> StepResult:
    sent = sent or post()
    step = client.plan(sent)[1]
    return client.send_step(step, sent, intent_of(client, sent, session))


def intent_of(
    client: YouTubeConnector, sent: PostPayload | None = None, session: str = SESSION
) -> dict[str, Any]:
    sent = sent or post()
    done = {"part0.container": StepResult(detail={"session": session})}
    return client.prepare_step(client.plan(sent)[1], sent, done, key=UUID, now=NOW)


def begin(client: YouTubeConnector, sent: PostPayload) -> StepResult:
    step = client.plan(sent)[0]
    return client.send_step(step, sent, client.prepare_step(step, sent, {}, key=UUID, now=NOW))


def check(client: YouTubeConnector, result: StepResult | None = None) -> StepResult | None:
    return client.check(client.plan(post())[1], intent_of(client), result)


def body_of(call: Any) -> Any:
    return json.loads(call.request.body)


def made(state: str = "uploaded", **status: Any) -> dict[str, Any]:
    return {"kind": "youtube#video", "id": VIDEO, "status": {"uploadStatus": state, **status}}


# --- the second opinion -------------------------------------------------------------------------


class Absent:
    """Stands where Google's own client would, if there is no description to build it from."""

    def __getattr__(self, _name: str) -> Absent:
        return self

    def __call__(self, *_: Any, **__: Any) -> Absent:
        return self


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    path = SPECS / "google" / "youtube.v3.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


@pytest.fixture(scope="module")
def google(document: dict[str, Any]) -> Any:
    """Google's own client; without it the tests go on with what they know themselves."""
    if not document:
        return Absent()
    mocked = googleapiclient.http.HttpMock(headers={"status": "200"})
    return googleapiclient.discovery.build_from_document(document, http=mocked)


def test_requests_are_held_against_the_official_description(document: dict[str, Any]) -> None:
    if not document:
        pytest.skip("NETWORK_SPECS has no google/youtube.v3.json: requests are not held against it")
    assert document["rootUrl"] == "https://youtube.googleapis.com/"


def assert_same(ours: requests.PreparedRequest, theirs: Any) -> None:
    """The same call: method, path, query (theirs says ``alt=json`` besides) and body."""
    if isinstance(theirs, Absent):
        return
    mine, other = urlsplit(str(ours.url)), urlsplit(theirs.uri)
    assert (ours.method, mine.path) == (theirs.method, other.path)
    assert dict(parse_qsl(mine.query)) == {k: v for k, v in parse_qsl(other.query) if k != "alt"}
    if isinstance(theirs.body, str):
        assert json.loads(ours.body or "") == json.loads(theirs.body)


def faults(value: object, name: str, document: dict[str, Any]) -> list[str]:
    """Members that the description does not have, of another type or beyond its enumeration."""
    return list(_faults(value, {"$ref": name}, document["schemas"], name)) if document else []


TYPES = {"string": str, "boolean": bool, "integer": int, "array": list, "object": dict, "number": float}


def _faults(value: object, schema: dict[str, Any], schemas: dict[str, Any], where: str) -> Iterator[str]:
    schema = schemas[schema["$ref"]] if "$ref" in schema else schema
    if not isinstance(value, TYPES[schema["type"]]):
        yield f"{where}: not {schema['type']}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r}"
    elif isinstance(value, list):
        for n, one in enumerate(value):
            yield from _faults(one, schema["items"], schemas, f"{where}[{n}]")
    elif isinstance(value, dict):
        known = schema.get("properties", {})
        for name in value:
            if name in known:
                yield from _faults(value[name], known[name], schemas, f"{where}.{name}")
            else:
                yield f"{where}.{name}: unknown"


# --- connecting -------------------------------------------------------------------------------


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
CHANNEL_ANSWER = {
    "kind": "youtube#channel",
    "id": CHANNEL,
    "snippet": {
        "title": "Harbour Coffee",
        "customUrl": "@harbour",
        "thumbnails": {"default": {"url": "https://yt3.example/a.jpg"}},
    },
    "contentDetails": {"relatedPlaylists": {"uploads": "UUabcdefghijklmnopqrstuv"}},
    "statistics": {
        "subscriberCount": "12",
        "videoCount": "3",
        "viewCount": "99",
        "hiddenSubscriberCount": False,
    },
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


# --- limits -----------------------------------------------------------------------------------


def problems(sent: PostPayload) -> list[tuple[RejectReason, str]]:
    return [(problem.reason, problem.name) for problem in check_payload(sent, INFO)]


def test_a_description_counts_in_bytes_and_a_video_is_needed() -> None:
    assert problems(post(PostPart("あ" * 1666 + "xx", media=(film(),)))) == []
    assert problems(post(PostPart("あ" * 1667, media=(film(),)))) == [(RejectReason.TEXT_TOO_LONG, "")]
    assert problems(post(PostPart("words"))) == [(RejectReason.MEDIA_MISSING, "")]
    assert problems(post(PostPart("", media=(image(),)))) == [(RejectReason.NOT_SUPPORTED, "")]
    assert problems(post(PostPart("", media=(film(),)), PostPart("link", is_comment=True))) == []


def test_a_comment_may_be_longer_than_a_description() -> None:
    video = PostPart("", media=(film(),))
    assert problems(post(video, PostPart("あ" * 10_000, is_comment=True))) == []
    assert problems(post(video, PostPart("あ" * 10_001, is_comment=True))) == [
        (RejectReason.TEXT_TOO_LONG, "")
    ]
    assert problems(dataclasses.replace(REPLY, parts=(PostPart("a" * 10_001),))) == [
        (RejectReason.TEXT_TOO_LONG, "")
    ]


def test_a_title_and_whether_it_is_for_children_must_be_said() -> None:
    assert problems(post(title="")) == [(RejectReason.SETTING_MISSING, "title")]
    assert problems(post(title="t" * 100)) == []
    assert problems(post(title="t" * 101)) == [(RejectReason.SETTING_INVALID, "title")]
    assert problems(post(made_for_kids="")) == [(RejectReason.SETTING_MISSING, "made_for_kids")]
    assert problems(post(made_for_kids="perhaps")) == [(RejectReason.SETTING_INVALID, "made_for_kids")]
    assert problems(post(category="30")) == [(RejectReason.SETTING_INVALID, "category")]
    assert problems(post(privacy="friends")) == [(RejectReason.SETTING_INVALID, "privacy")]


def test_tags_are_counted_together_as_youtube_counts_them() -> None:
    many = ",".join(f"{'a' * 48}{n:02}" for n in range(9))  # 450 and 8 commas
    assert problems(post(tags=f"{many},{'b' * 41}")) == []
    assert problems(post(tags=f"{many},{'b' * 42}")) == [(RejectReason.SETTING_INVALID, "tags")]
    # A tag with a space is put in quotation marks; one that stands twice is one, and blanks are none.
    assert problems(post(tags=f"{many}, #{'b' * 19} {'b' * 19}")) == []
    assert problems(post(tags=f"{many}, {'b' * 20} {'b' * 19}")) == [(RejectReason.SETTING_INVALID, "tags")]
    assert problems(post(tags=f"{many},{many}、 ，{' ' * 400},\n{'b' * 41}")) == []


@pytest.mark.parametrize("sign", ["<", ">"])
def test_signs_that_youtube_does_not_take_are_told_before(sign: str) -> None:
    assert problems(post(title=f"a {sign} b")) == [(RejectReason.SETTING_INVALID, "title")]
    assert problems(post(tags=f"a,{sign}b")) == [(RejectReason.SETTING_INVALID, "tags")]
    video = PostPart(f"a {sign} b", media=(film(),))
    assert problems(post(video)) == [(RejectReason.INVALID, "")]
    assert problems(post(PostPart("", media=(film(),)), PostPart(f"a {sign} b", is_comment=True))) == []


# --- the upload -------------------------------------------------------------------------------


def test_a_session_is_begun_as_google_s_own_client_begins_it(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any, document: dict[str, Any]
) -> None:
    network.post(f"{API}/upload/youtube/v3/videos", headers={"Location": SESSION}, body="")
    sent = dataclasses.replace(
        post(tags=" tea, #roast,tea,、ほうじ茶 ,", made_for_kids="yes", synthetic=True, privacy="unlisted"),
        language="ja",
    )
    result = begin(account, sent)
    assert result.detail == {"session": SESSION}
    request = network.calls[0].request
    assert body_of(network.calls[0]) == {
        "snippet": {
            "title": "Roasting",
            "description": "How we roast",
            "tags": ["tea", "roast", "ほうじ茶"],
            "categoryId": "22",
            "defaultLanguage": "ja",
        },
        "status": {
            "privacyStatus": "unlisted",
            "selfDeclaredMadeForKids": True,
            "containsSyntheticMedia": True,
        },
    }
    assert faults(body_of(network.calls[0]), "Video", document) == []
    clients = googleapiclient.http
    if isinstance(google, Absent):
        return
    media = clients.MediaInMemoryUpload(b"v" * SIZE, mimetype="video/mp4", resumable=True)
    theirs = google.videos().insert(part="snippet,status", body=body_of(network.calls[0]), media_body=media)
    assert_same(request, theirs)
    sequence = clients.HttpMockSequence(
        [({"status": "200", "location": SESSION}, ""), ({"status": "200"}, json.dumps(made()))]
    )
    assert theirs.next_chunk(http=sequence)[1]["id"] == VIDEO
    for name in ("X-Upload-Content-Length", "X-Upload-Content-Type"):
        assert request.headers[name] == sequence.request_sequence[0][3][name]
    network.put(SESSION, json=made())
    assert publish(account).remote_id == VIDEO
    uri, method, _, headers = sequence.request_sequence[1]
    ours = network.calls[1].request
    assert (ours.url, ours.method) == (uri, method)
    assert (ours.headers["Content-Range"], ours.headers["Content-Length"]) == (
        headers["Content-Range"],
        headers["Content-Length"],
    )


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/relative",
        "http://www.googleapis.com/x",
        "https://evil.example/x",
        "javascript:x",
        "https://www.googleapis.com.evil.example/x",
        "https://evilgoogleapis.com/",
    ],
)
def test_our_token_goes_nowhere_but_to_google(
    network: responses.RequestsMock, account: YouTubeConnector, address: str
) -> None:
    network.post(f"{API}/upload/youtube/v3/videos", headers={"Location": address}, body="")
    with pytest.raises(Temporary):
        begin(account, post())


def test_too_many_tags_are_refused_before_anything_is_sent(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.post(f"{API}/upload/youtube/v3/videos", headers={"Location": SESSION}, body="")
    begin(account, post(tags=",".join(["a" * 48 + f"{n:02}" for n in range(9)] + ["b c" + "d" * 36])))
    with pytest.raises(Rejected) as refused:
        begin(account, post(tags=",".join(["a" * 48 + f"{n:02}" for n in range(9)] + ["b c" + "d" * 37])))
    assert refused.value.reason is RejectReason.SETTING_INVALID
    assert len(network.calls) == 1


def ranges(network: responses.RequestsMock) -> list[str]:
    return [str(c.request.headers["Content-Range"]) for c in network.calls if c.request.method == "PUT"]


BIG = 2 * CHUNK_BYTES + 7


def test_a_large_file_goes_in_pieces_after_what_the_session_has(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    sent = post(PostPart("", media=(film(BIG),)))
    network.put(SESSION, status=308)
    network.put(SESSION, status=308, headers={"Range": f"bytes=0-{CHUNK_BYTES - 1}"})
    # It kept less than it was sent: what it says counts.
    network.put(SESSION, status=308, headers={"Range": f"bytes=0-{CHUNK_BYTES + 262143}"})
    network.put(SESSION, status=308, headers={"Range": f"bytes=0-{2 * CHUNK_BYTES + 262143 - 262144}"})
    network.put(SESSION, status=201, json=made())
    result = publish(account, sent)
    assert (result.state, result.remote_id) == (StepState.PROCESSING, VIDEO)
    assert ranges(network) == [
        f"bytes */{BIG}",
        f"bytes 0-{CHUNK_BYTES - 1}/{BIG}",
        f"bytes {CHUNK_BYTES}-{2 * CHUNK_BYTES - 1}/{BIG}",
        f"bytes {CHUNK_BYTES + 262144}-{BIG - 1}/{BIG}",
        f"bytes {2 * CHUNK_BYTES}-{BIG - 1}/{BIG}",
    ]


def test_a_small_file_that_was_sent_in_part_goes_on_where_it_stopped(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.put(SESSION, status=400, body="Invalid range")
    network.put(SESSION, status=308, headers={"Range": "bytes=0-59"})
    network.put(SESSION, json=made())
    assert publish(account).remote_id == VIDEO
    assert ranges(network) == ["bytes 0-99/100", "bytes */100", "bytes 60-99/100"]
    network.replace("PUT", SESSION, status=400, json=refusal("invalidVideoMetadata", 400))
    with pytest.raises(Rejected):
        publish(account)


def test_a_session_that_has_its_video_is_sent_nothing(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.put(SESSION, json=made())
    assert publish(account, post(PostPart("", media=(film(BIG),)))).remote_id == VIDEO
    assert ranges(network) == [f"bytes */{BIG}"]


def test_a_session_that_keeps_nothing_is_not_asked_for_ever(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.put(SESSION, status=308)
    with pytest.raises(Temporary):
        publish(account)
    network.replace("PUT", SESSION, status=308, headers={"Range": f"bytes=0-{SIZE - 1}"})
    with pytest.raises(OutcomeUnknown):
        publish(account)


@pytest.mark.parametrize(
    "failure",
    [
        {"status": 503},
        {"body": requests.ReadTimeout()},
        {"body": requests.ConnectionError(ConnectionResetError())},
    ],
    ids=str,
)
def test_only_the_last_piece_leaves_a_doubt(
    network: responses.RequestsMock, account: YouTubeConnector, failure: dict[str, Any]
) -> None:
    sent = post(PostPart("", media=(film(BIG),)))
    network.put(SESSION, **failure)
    with pytest.raises(Temporary):  # nothing was sent, only asked
        publish(account, sent)
    network.reset()
    network.put(SESSION, status=308)
    network.put(SESSION, **failure)
    with pytest.raises(Temporary):
        publish(account, sent)
    network.reset()
    network.put(SESSION, status=308, headers={"Range": f"bytes=0-{2 * CHUNK_BYTES - 1}"})
    network.put(SESSION, **failure)
    with pytest.raises(OutcomeUnknown):
        publish(account, sent)


@pytest.mark.parametrize("status", [404, 410])
def test_a_session_that_is_gone_is_begun_anew_only_where_nothing_can_have_been_made(
    network: responses.RequestsMock, account: YouTubeConnector, status: int
) -> None:
    network.put(SESSION, status=status, body=f"no {SESSION} AbCdEf0123456789")
    with pytest.raises(Temporary) as gone:
        publish(account)
    assert gone.value.starts_over
    assert "AbCdEf0123456789" not in gone.value.detail
    with pytest.raises(OutcomeUnknown):  # after a lost answer it tells nothing
        check(account)


def test_after_a_lost_answer_the_session_is_asked(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    assert account.safety_of(intent_of(account), NOW) is RetrySafety.TWO_PHASE
    network.put(SESSION, status=308, headers={"Range": "bytes=0-49"})
    assert check(account) is None
    assert ranges(network) == [f"bytes */{SIZE}"]
    assert network.calls[0].request.headers["Content-Length"] == "0"
    network.replace("PUT", SESSION, json=made())
    result = check(account)
    assert result is not None
    assert result.remote_id == VIDEO
    for body in ("", "{}", "[]", "<html>", '{"id": null}', '{"id": true}'):
        network.replace("PUT", SESSION, body=body)
        with pytest.raises(OutcomeUnknown):  # there is a video: it says so, and not which
            check(account)
    network.replace("PUT", SESSION, status=500)
    with pytest.raises(Temporary):
        check(account)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "badRequest"),
        (403, "forbidden"),
        (403, "uploadLimitExceeded"),
        (404, "videoNotFound"),
        (410, ""),
        (416, ""),
        (422, "invalidTitle"),
    ],
)
def test_a_question_that_is_refused_says_nothing_of_the_video(
    network: responses.RequestsMock, account: YouTubeConnector, status: int, reason: str
) -> None:
    network.put(SESSION, status=status, json=refusal(reason, status))
    with pytest.raises(OutcomeUnknown) as unknown:
        check(account)
    assert "AbCdEf0123456789" not in unknown.value.detail
    network.get(f"{API}/youtube/v3/videos", status=status, json=refusal(reason, status))
    with pytest.raises(OutcomeUnknown):
        check(account, StepResult(state=StepState.PROCESSING, remote_id=VIDEO))


def test_a_question_that_must_wait_waits(network: responses.RequestsMock, account: YouTubeConnector) -> None:
    network.put(SESSION, status=403, json=refusal("quotaExceeded"))
    with pytest.raises(RateLimited):
        check(account)
    network.replace("PUT", SESSION, status=401, json=refusal("authError", 401))
    with pytest.raises(NeedsReconnect):
        check(account)


def test_a_video_that_is_not_listed_may_be_there(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.get(f"{API}/youtube/v3/videos", json=listed())
    with pytest.raises(OutcomeUnknown):
        check(account, StepResult(state=StepState.PROCESSING, remote_id=VIDEO))


def test_a_session_that_has_all_of_the_file_is_not_said_to_have_made_nothing(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    """Else the file would be sent again, and to another session if this one is gone by then."""
    network.put(SESSION, status=308, headers={"Range": f"bytes=0-{SIZE - 1}"})
    with pytest.raises(OutcomeUnknown):
        check(account)


@pytest.mark.parametrize("first", [400, 416, 308])
def test_a_session_that_goes_away_after_it_was_sent_everything_leaves_a_doubt(
    network: responses.RequestsMock, account: YouTubeConnector, first: int
) -> None:
    network.put(SESSION, status=first, headers={"Range": "bytes=0-59"} if first == 308 else {})
    network.put(SESSION, status=404)
    with pytest.raises(OutcomeUnknown):
        publish(account)


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"id": null}'])
def test_a_session_that_says_that_it_is_done_is_never_begun_anew(
    network: responses.RequestsMock, account: YouTubeConnector, body: str
) -> None:
    network.put(SESSION, body=body)
    with pytest.raises(OutcomeUnknown):  # a question, of a large file
        publish(account, post(PostPart("", media=(film(BIG),))))


def test_a_file_that_became_shorter_is_not_sent(account: YouTubeConnector) -> None:
    short = film(open=lambda: io.BytesIO(b"v"))
    with pytest.raises(Rejected) as refused:
        publish(account, post(PostPart("", media=(short,))))
    assert refused.value.reason is RejectReason.MEDIA_BROKEN


def test_a_video_is_waited_for_until_youtube_has_worked_on_it_or_for_ten_minutes(
    network: responses.RequestsMock, account: YouTubeConnector, monkeypatch: pytest.MonkeyPatch, google: Any
) -> None:
    now = dt.datetime.now(dt.UTC)
    monkeypatch.setattr(youtube, "_now", lambda: now)
    network.put(SESSION, json=made())
    sent = publish(account)
    assert sent.permalink == f"https://www.youtube.com/watch?v={VIDEO}"
    network.get(f"{API}/youtube/v3/videos", json=listed(made()))
    assert check(account, sent) == sent
    assert_same(network.calls[-1].request, google.videos().list(part="status", id=VIDEO))
    network.replace("GET", f"{API}/youtube/v3/videos", json=listed(made("processed")))
    done = StepResult(remote_id=VIDEO, permalink=f"https://www.youtube.com/watch?v={VIDEO}")
    assert check(account, sent) == done
    network.replace("GET", f"{API}/youtube/v3/videos", json=listed(made()))
    now += dt.timedelta(minutes=10)
    assert check(account, sent) == done


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"uploadStatus": "failed", "failureReason": "codec"}, RejectReason.MEDIA_TYPE),
        ({"uploadStatus": "failed", "failureReason": "invalidFile"}, RejectReason.MEDIA_BROKEN),
        ({"uploadStatus": "failed"}, RejectReason.MEDIA_BROKEN),
        ({"uploadStatus": "rejected", "rejectionReason": "length"}, RejectReason.VIDEO_TOO_LONG),
        ({"uploadStatus": "rejected", "rejectionReason": "duplicate"}, RejectReason.FORBIDDEN),
        ({"uploadStatus": "rejected", "rejectionReason": "copyright"}, RejectReason.FORBIDDEN),
        ({"uploadStatus": "deleted"}, RejectReason.FORBIDDEN),
    ],
    ids=str,
)
def test_a_video_that_youtube_did_not_keep_says_why(
    network: responses.RequestsMock, account: YouTubeConnector, status: Any, reason: RejectReason
) -> None:
    network.get(f"{API}/youtube/v3/videos", json=listed({"id": VIDEO, "status": status}))
    with pytest.raises(Rejected) as refused:
        check(account, StepResult(state=StepState.PROCESSING, remote_id=VIDEO))
    assert refused.value.reason is reason


# --- the picture before it ----------------------------------------------------------------------


def with_cover(cover: Any) -> PostPayload:
    return post(PostPart("", media=(film(cover=cover),)))


def set_thumbnail(client: YouTubeConnector, sent: PostPayload) -> StepResult:
    step = client.plan(sent)[2]
    assert (step.kind, step.is_repeatable) == (StepKind.MEDIA, True)
    intent = client.prepare_step(
        step, sent, {"part0.publish": StepResult(remote_id=VIDEO)}, key=UUID, now=NOW
    )
    return client.send_step(step, sent, intent)


def test_the_picture_is_set_after_the_video(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any
) -> None:
    network.post(f"{API}/upload/youtube/v3/thumbnails/set", json={"kind": "youtube#thumbnailSetResponse"})
    assert set_thumbnail(account, with_cover(lambda: io.BytesIO(b"jpeg"))).remote_id == VIDEO
    request = network.calls[0].request
    assert request.body == b"jpeg"
    media = googleapiclient.http.MediaInMemoryUpload(b"jpeg", mimetype="image/jpeg")
    theirs = google.thumbnails().set(videoId=VIDEO, media_body=media)
    assert_same(request, theirs)
    assert request.headers["Content-Type"] == "image/jpeg"


def missing() -> Any:
    raise FileNotFoundError


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 403, "json": refusal("forbidden")},
        {"status": 403, "json": refusal("quotaExceeded")},
        {"status": 401, "json": refusal("authError", 401)},
        {"status": 500},
        {"body": requests.ReadTimeout()},
    ],
    ids=str,
)
def test_whatever_becomes_of_the_picture_the_video_stays_published(
    network: responses.RequestsMock, account: YouTubeConnector, answer: dict[str, Any]
) -> None:
    network.post(f"{API}/upload/youtube/v3/thumbnails/set", **answer)
    result = set_thumbnail(account, with_cover(lambda: io.BytesIO(b"jpeg")))
    assert result.state is StepState.DONE
    assert result.detail["thumbnail"]
    assert set_thumbnail(account, with_cover(missing)).detail["thumbnail"]


def test_without_a_picture_there_is_no_step_for_it(account: YouTubeConnector) -> None:
    assert [step.key for step in account.plan(post())] == ["part0.container", "part0.publish"]


# --- comments ---------------------------------------------------------------------------------

WITH_COMMENT = post(PostPart("", media=(film(),)), PostPart("The link", is_comment=True))


def send_last(client: YouTubeConnector, sent: PostPayload) -> StepResult:
    step = client.plan(sent)[-1]
    done = {"part0.publish": StepResult(remote_id=VIDEO)}
    intent = client.prepare_step(step, sent, done, key=UUID, now=NOW)
    assert client.safety_of(intent, NOW) is (
        RetrySafety.NEITHER if "session" not in intent else RetrySafety.TWO_PHASE
    )
    return client.send_step(step, sent, intent)


def test_the_first_comment_hangs_below_the_video(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any, document: dict[str, Any]
) -> None:
    network.post(f"{API}/youtube/v3/commentThreads", json={"id": "UgxTop", "snippet": {}})
    result = send_last(account, WITH_COMMENT)
    assert (result.remote_id, result.permalink) == (
        "UgxTop",
        f"https://www.youtube.com/watch?v={VIDEO}&lc=UgxTop",
    )
    body = {"snippet": {"videoId": VIDEO, "topLevelComment": {"snippet": {"textOriginal": "The link"}}}}
    assert_same(network.calls[0].request, google.commentThreads().insert(part="snippet", body=body))
    assert faults(body, "CommentThread", document) == []


REPLY = PostPayload(
    (PostPart("Thank you"),),
    reply_to=ReplyTarget("UgxTop.9abc", VIDEO, {"id": "UgxTop.9abc", "thread": "UgxTop", "video": VIDEO}),
)


def test_an_answer_hangs_below_its_thread(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any, document: dict[str, Any]
) -> None:
    network.post(f"{API}/youtube/v3/comments", json={"id": "UgxTop.9new"})
    result = send_last(account, REPLY)
    assert result.permalink == f"https://www.youtube.com/watch?v={VIDEO}&lc=UgxTop.9new"
    body = {"snippet": {"parentId": "UgxTop", "textOriginal": "Thank you"}}
    assert_same(network.calls[0].request, google.comments().insert(part="snippet", body=body))
    assert faults(body, "Comment", document) == []
    bare = dataclasses.replace(REPLY, reply_to=ReplyTarget("UgxTop.9abc"))
    send_last(account, bare)
    assert body_of(network.calls[1])["snippet"]["parentId"] == "UgxTop"


def test_an_answer_to_what_is_gone_is_told_as_such(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.post(f"{API}/youtube/v3/comments", status=404, json=refusal("parentCommentNotFound", 404))
    with pytest.raises(Rejected) as refused:
        send_last(account, REPLY)
    assert refused.value.reason is RejectReason.NOT_FOUND


def moderate(client: YouTubeConnector, action: ModerationAction) -> StepResult:
    return send_last(client, PostPayload((), moderation=Moderation(action, "UgxTop")))


@pytest.mark.parametrize(
    ("action", "status"),
    [(ModerationAction.HIDE, "heldForReview"), (ModerationAction.UNHIDE, "published")],
)
def test_a_comment_is_hidden_and_shown_again(
    network: responses.RequestsMock,
    account: YouTubeConnector,
    google: Any,
    action: ModerationAction,
    status: str,
) -> None:
    network.post(f"{API}/youtube/v3/comments/setModerationStatus", status=204)
    moderate(account, action)
    theirs = google.comments().setModerationStatus(id="UgxTop", moderationStatus=status)
    assert_same(network.calls[0].request, theirs)
    network.replace(
        "POST",
        f"{API}/youtube/v3/comments/setModerationStatus",
        status=404,
        json=refusal("commentNotFound", 404),
    )
    with pytest.raises(Rejected) as refused:
        moderate(account, action)
    assert refused.value.reason is RejectReason.NOT_FOUND


def test_an_own_comment_is_deleted_and_somebody_else_s_is_rejected(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any
) -> None:
    network.delete(f"{API}/youtube/v3/comments", status=204)
    network.post(f"{API}/youtube/v3/comments/setModerationStatus", status=204)
    moderate(account, ModerationAction.DELETE)
    assert_same(network.calls[0].request, google.comments().delete(id="UgxTop"))
    assert len(network.calls) == 1
    network.replace("DELETE", f"{API}/youtube/v3/comments", status=403, json=refusal("forbidden"))
    moderate(account, ModerationAction.DELETE)
    assert "moderationStatus=rejected" in str(network.calls[2].request.url)


def test_what_is_gone_is_deleted(network: responses.RequestsMock, account: YouTubeConnector) -> None:
    network.delete(f"{API}/youtube/v3/comments", status=404, json=refusal("commentNotFound", 404))
    assert moderate(account, ModerationAction.DELETE).remote_id == "UgxTop"
    network.replace("DELETE", f"{API}/youtube/v3/comments", status=403, json=refusal("forbidden"))
    network.post(
        f"{API}/youtube/v3/comments/setModerationStatus", status=404, json=refusal("commentNotFound", 404)
    )
    assert moderate(account, ModerationAction.DELETE).remote_id == "UgxTop"


@pytest.mark.parametrize("reason", ["quotaExceeded", "authError", "insufficientPermissions"])
def test_a_delete_that_may_not_be_made_now_is_not_made_otherwise(
    network: responses.RequestsMock, account: YouTubeConnector, reason: str
) -> None:
    network.delete(f"{API}/youtube/v3/comments", status=403, json=refusal(reason))
    with pytest.raises((RateLimited, NeedsReconnect)):
        moderate(account, ModerationAction.DELETE)
    assert len(network.calls) == 1


def test_nobody_likes_comments_here(account: YouTubeConnector) -> None:
    with pytest.raises(Rejected) as refused:
        moderate(account, ModerationAction.LIKE)
    assert refused.value.reason is RejectReason.NOT_SUPPORTED


# --- the inbox --------------------------------------------------------------------------------


def comment(comment_id: str, author: str = "UCguest", at: str = "2026-11-22T12:30:00Z", **more: Any) -> Any:
    return {
        "id": comment_id,
        "snippet": {
            "authorDisplayName": "@guest",
            "authorProfileImageUrl": "https://yt3.example/g.jpg",
            "authorChannelUrl": "http://www.youtube.com/@guest",
            "authorChannelId": {"value": author},
            "textDisplay": "How good & warm",
            "publishedAt": at,
            **more,
        },
    }


def thread(top: Any, *replies: Any, total: int | None = None) -> Any:
    found: dict[str, Any] = {
        "id": top["id"],
        "snippet": {
            "videoId": VIDEO,
            "topLevelComment": top,
            "totalReplyCount": len(replies) if total is None else total,
        },
    }
    return found | ({"replies": {"comments": list(replies)}} if replies else {})


def test_comments_and_answers_are_told_with_what_they_hang_below(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any
) -> None:
    own = comment("UgxTop.1", CHANNEL, textOriginal="Thanks!", parentId="UgxTop")
    network.get(f"{API}/youtube/v3/commentThreads", json=listed(thread(comment("UgxTop"), own)))
    page = account.fetch_inbox(since=NOW)
    first, answer = page.items
    assert (first.remote_id, first.thread_id, first.root_id, first.parent_id) == (
        "UgxTop",
        "UgxTop",
        VIDEO,
        "",
    )
    assert (first.text, first.is_own, first.is_hidden) == ("How good & warm", False, False)
    assert (first.author.handle, first.author.profile_url) == ("guest", "https://www.youtube.com/@guest")
    assert first.detail == {"id": "UgxTop", "thread": "UgxTop", "video": VIDEO}
    assert first.permalink == f"https://www.youtube.com/watch?v={VIDEO}&lc=UgxTop"
    assert (answer.text, answer.is_own, answer.parent_id, answer.thread_id) == (
        "Thanks!",
        True,
        "UgxTop",
        "UgxTop",
    )
    theirs = google.commentThreads().list(
        part="snippet,replies",
        allThreadsRelatedToChannelId=CHANNEL,
        order="time",
        textFormat="plainText",
        maxResults=100,
    )
    assert_same(network.calls[0].request, theirs)
    held = account.fetch_inbox(since=NOW, cursor=page.cursor)
    assert [item.is_hidden for item in held.items] == [True, True]
    assert held.cursor == ""


def test_answers_that_a_list_leaves_out_are_read(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any
) -> None:
    network.get(
        f"{API}/youtube/v3/commentThreads",
        json=listed(thread(comment("UgxTop"), comment("UgxTop.1"), total=3)),
    )
    network.get(f"{API}/youtube/v3/comments", json=listed(comment("UgxTop.1"), nextPageToken="two"))
    network.get(f"{API}/youtube/v3/comments", json=listed(comment("UgxTop.2"), comment("UgxTop.3")))
    items = account.fetch_inbox(since=NOW).items
    assert [item.remote_id for item in items] == ["UgxTop", "UgxTop.1", "UgxTop.2", "UgxTop.3"]
    theirs = google.comments().list(part="snippet", parentId="UgxTop", textFormat="plainText", maxResults=100)
    assert_same(network.calls[1].request, theirs)
    assert "pageToken=two" in str(network.calls[2].request.url)


def test_old_threads_end_the_list_and_old_comments_are_left_out(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    old = "2026-11-22T11:59:59Z"
    network.get(
        f"{API}/youtube/v3/commentThreads", json=listed(thread(comment("UgxNew")), nextPageToken="two")
    )
    network.get(
        f"{API}/youtube/v3/commentThreads",
        json=listed(thread(comment("UgxOld", at=old), comment("UgxOld.1")), nextPageToken="three"),
    )
    page = account.fetch_inbox(since=NOW)
    assert [item.remote_id for item in page.items] == ["UgxNew"]
    page = account.fetch_inbox(since=NOW, cursor=page.cursor)
    assert [item.remote_id for item in page.items] == ["UgxOld.1"]  # a new answer below an old comment
    assert json.loads(page.cursor) == ["held", ""]


@pytest.mark.parametrize(
    "odd",
    [
        None,
        {},
        {"id": "x"},
        {"id": "x", "snippet": None},
        {"id": "x", "snippet": {"videoId": VIDEO, "topLevelComment": "x"}},
        {"id": "x", "snippet": {"videoId": VIDEO, "topLevelComment": {"id": "x"}}, "replies": 7},
        {"id": "x", "snippet": {"topLevelComment": comment("x")}},
    ],
    ids=str,
)
def test_nothing_that_others_write_keeps_the_rest_from_being_read(
    network: responses.RequestsMock, account: YouTubeConnector, odd: Any
) -> None:
    network.get(f"{API}/youtube/v3/commentThreads", json=listed(odd, thread(comment("UgxTop"))))
    assert [item.remote_id for item in account.fetch_inbox(since=NOW).items] == ["UgxTop"]


def test_a_channel_without_comments_has_an_empty_inbox(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.get(f"{API}/youtube/v3/commentThreads", status=403, json=refusal("commentsDisabled"))
    page = account.fetch_inbox(since=NOW)
    assert list(page.items) == []
    assert list(account.fetch_inbox(since=NOW, cursor=page.cursor).items) == []
    network.replace("GET", f"{API}/youtube/v3/commentThreads", status=403, json=refusal("forbidden"))
    with pytest.raises(Rejected):
        account.fetch_inbox(since=NOW)
    assert list(account.fetch_inbox(since=NOW, cursor=page.cursor).items) == []  # of those that wait
    network.replace("GET", f"{API}/youtube/v3/commentThreads", status=403, json=refusal("quotaExceeded"))
    with pytest.raises(RateLimited):
        account.fetch_inbox(since=NOW, cursor=page.cursor)


def test_own_comments_are_found_after_a_lost_answer(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    top = comment("UgxOwn", CHANNEL, textOriginal="The link")
    answered = thread(comment("UgxTop"), comment("UgxTop.1", CHANNEL, textOriginal="Thank you"))
    network.get(f"{API}/youtube/v3/commentThreads", json=listed(thread(top), answered))
    first, second = account.find_sent(WITH_COMMENT, since=NOW)
    assert (first.remote_id, first.text, first.in_reply_to) == ("UgxOwn", "The link", VIDEO)
    assert (second.remote_id, second.text, second.in_reply_to) == ("UgxTop.1", "Thank you", "")


def test_an_answer_is_found_in_its_own_thread_however_old_that_is(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    ours = comment("UgxTop.2", CHANNEL, textOriginal="Thank you")
    before = comment("UgxTop.1", CHANNEL, at="2026-11-22T11:00:00Z", textOriginal="Thank you")
    network.get(f"{API}/youtube/v3/comments", json=listed(before, comment("UgxTop.3"), ours))
    (found,) = account.find_sent(REPLY, since=NOW)
    assert (found.remote_id, found.text, found.in_reply_to) == ("UgxTop.2", "Thank you", "")
    assert "parentId=UgxTop&" in str(network.calls[0].request.url)


def test_comments_that_were_read_in_part_are_no_proof(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    crowd = [thread(comment(f"Ugx{n}", textOriginal="Hi")) for n in range(3)]
    ours = thread(comment("UgxOwn", CHANNEL, textOriginal="Something else"))
    network.get(f"{API}/youtube/v3/commentThreads", json=listed(*crowd, ours, nextPageToken="more"))
    for n in range(9):
        page = listed(*crowd, ours, nextPageToken=f"more{n}")
        network.get(f"{API}/youtube/v3/commentThreads", json=page)
    with pytest.raises(NotAllListed) as partly:
        account.find_sent(WITH_COMMENT, since=NOW)
    assert {post.text for post in partly.value.posts} == {"Something else"}
    network.get(
        f"{API}/youtube/v3/comments", json=listed(comment("UgxTop.1", textOriginal="Hi"), nextPageToken="n")
    )
    with pytest.raises(NotAllListed):
        account.find_sent(REPLY, since=NOW)
    found = comment("UgxTop.2", CHANNEL, textOriginal="Thank you")
    network.replace("GET", f"{API}/youtube/v3/comments", json=listed(found, nextPageToken="n"))
    with pytest.raises(NotAllListed) as partly:
        account.find_sent(REPLY, since=NOW)
    assert "UgxTop.2" in {one.remote_id for one in partly.value.posts}


def test_the_same_first_comment_below_another_video_is_no_proof(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    """The outbox knows below which video ours is."""
    other = thread(comment("UgxOther", CHANNEL, textOriginal="The link", videoId="another"))
    for n in range(10):
        network.get(f"{API}/youtube/v3/commentThreads", json=listed(other, nextPageToken=f"more{n}"))
    with pytest.raises(NotAllListed):
        account.find_sent(WITH_COMMENT, since=NOW)


@pytest.mark.parametrize(("status", "reason"), [(403, "commentsDisabled"), (404, "commentNotFound")])
def test_a_list_that_is_refused_is_no_proof(
    network: responses.RequestsMock, account: YouTubeConnector, status: int, reason: str
) -> None:
    for name in ("comments", "commentThreads"):
        network.get(f"{API}/youtube/v3/{name}", status=status, json=refusal(reason, status))
    for sent in (WITH_COMMENT, REPLY):
        with pytest.raises(Rejected):
            account.find_sent(sent, since=NOW)


# --- reading back and counts ----------------------------------------------------------------------


def shown(video_id: str, at: str, state: str = "processed") -> Any:
    return {
        "id": video_id,
        "snippet": {"publishedAt": at, "title": "Roasting", "description": "How we roast"},
        "status": {"uploadStatus": state},
    }


def test_own_videos_come_from_the_list_of_uploads(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any
) -> None:
    network.get(f"{API}/youtube/v3/channels", json=listed(CHANNEL_ANSWER))
    ids = ["aaaaaaaaaaa", "bbbbbbbbbbb", "ccccccccccc"]
    network.get(
        f"{API}/youtube/v3/playlistItems",
        json=listed(
            *[{"contentDetails": {"videoId": one}} for one in ids], {"contentDetails": {}}, nextPageToken="2"
        ),
    )
    videos = [
        shown(ids[0], "2026-11-22T13:00:00Z"),
        shown(ids[1], "2026-11-22T14:00:00Z", "rejected"),
        shown(ids[2], "2026-11-22T11:00:00Z"),
    ]
    network.get(f"{API}/youtube/v3/videos", json=listed(*videos))
    (found,) = account.find_recent(since=NOW)
    assert (found.remote_id, found.text, found.media_count) == (ids[0], "How we roast", 1)
    assert found.permalink == "https://www.youtube.com/watch?v=aaaaaaaaaaa"
    playlist = "UUabcdefghijklmnopqrstuv"
    assert_same(
        network.calls[1].request,
        google.playlistItems().list(part="contentDetails", playlistId=playlist, maxResults=50),
    )
    network.replace(
        "GET", f"{API}/youtube/v3/playlistItems", status=404, json=refusal("playlistNotFound", 404)
    )
    assert list(account.find_recent(since=NOW)) == []


def test_videos_and_comments_are_read_back_together(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.get(f"{API}/youtube/v3/videos", json=listed(shown(VIDEO, "2026-11-22T13:00:00Z")))
    network.get(
        f"{API}/youtube/v3/comments", json=listed(comment("UgxTop.1", videoId=VIDEO, parentId="UgxTop"))
    )
    video, answer = account.fetch_posts([VIDEO, "UgxTop.1"])
    assert (video.remote_id, answer.remote_id, answer.in_reply_to) == (VIDEO, "UgxTop.1", "UgxTop")
    network.replace("GET", f"{API}/youtube/v3/videos", json={"kind": "youtube#videoListResponse"})
    assert account.fetch_post(VIDEO) is None


def test_counts_are_text_and_may_be_hidden(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any
) -> None:
    statistics = {"viewCount": "1000", "likeCount": "7", "favoriteCount": "0"}
    network.get(f"{API}/youtube/v3/videos", json=listed({"id": VIDEO, "statistics": statistics}))
    (one,) = account.fetch_post_metrics([VIDEO, "UgxTop.1"]).values()
    assert (one.impressions, one.likes, one.comments) == (1000, 7, None)
    assert_same(network.calls[0].request, google.videos().list(part="statistics", id=VIDEO))
    network.get(f"{API}/youtube/v3/channels", json=listed(CHANNEL_ANSWER))
    told = account.fetch_account_metrics()
    assert (told.followers, told.following, told.posts) == (12, None, 3)
    hidden = {**CHANNEL_ANSWER, "statistics": {"hiddenSubscriberCount": True, "subscriberCount": "0"}}
    network.replace("GET", f"{API}/youtube/v3/channels", json=listed(hidden))
    assert account.fetch_account_metrics().followers is None


def test_videos_are_counted_fifty_at_a_time(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.get(f"{API}/youtube/v3/videos", json=listed())
    assert account.fetch_post_metrics([f"{n:011}" for n in range(51)]) == {}
    asked = [dict(parse_qsl(urlsplit(str(call.request.url)).query))["id"] for call in network.calls]
    assert [len(ids.split(",")) for ids in asked] == [50, 1]


@pytest.mark.parametrize(
    ("handle", "query"),
    [
        ("@harbour", {"forHandle": "@harbour"}),
        ("harbour", {"forHandle": "harbour"}),
        ("https://www.youtube.com/@harbour/", {"forHandle": "@harbour"}),
        (CHANNEL, {"id": CHANNEL}),
        (f"https://www.youtube.com/channel/{CHANNEL}", {"id": CHANNEL}),
    ],
)
def test_another_channel_is_found_by_its_handle_or_id(
    network: responses.RequestsMock,
    account: YouTubeConnector,
    google: Any,
    handle: str,
    query: dict[str, str],
) -> None:
    network.get(f"{API}/youtube/v3/channels", json=listed(CHANNEL_ANSWER))
    found = account.fetch_public_account(handle)
    assert found is not None
    assert (found.profile.handle, found.counts.followers) == ("harbour", 12)
    theirs = google.channels().list(part="snippet,statistics", **query)
    assert_same(network.calls[0].request, theirs)
    network.replace("GET", f"{API}/youtube/v3/channels", json={"kind": "x", "pageInfo": {"totalResults": 0}})
    assert account.fetch_public_account(handle) is None


def test_a_channel_that_is_gone_is_no_longer_ours(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.get(f"{API}/youtube/v3/channels", json=listed())
    with pytest.raises(NeedsReconnect):
        account.fetch_profile()


# --- errors -----------------------------------------------------------------------------------

TABLE: list[tuple[int, str, type[ConnectorError], RejectReason | None]] = [
    (401, "authError", NeedsReconnect, None),
    (401, "required", NeedsReconnect, None),
    (401, "youtubeSignupRequired", NeedsReconnect, None),
    (403, "insufficientPermissions", NeedsReconnect, None),
    (403, "authenticatedUserAccountSuspended", NeedsReconnect, None),
    (403, "quotaExceeded", RateLimited, None),
    (403, "dailyLimitExceeded", RateLimited, None),
    (403, "rateLimitExceeded", RateLimited, None),
    (403, "userRateLimitExceeded", RateLimited, None),
    (429, "", RateLimited, None),
    (400, "uploadLimitExceeded", Rejected, RejectReason.QUOTA_FULL),
    (403, "uploadLimitExceeded", Rejected, RejectReason.QUOTA_FULL),
    (400, "invalidTitle", Rejected, RejectReason.SETTING_INVALID),
    (400, "invalidTags", Rejected, RejectReason.SETTING_INVALID),
    (400, "invalidCategoryId", Rejected, RejectReason.SETTING_INVALID),
    (400, "invalidDescription", Rejected, RejectReason.INVALID),
    (400, "mediaBodyRequired", Rejected, RejectReason.MEDIA_BROKEN),
    (400, "commentTextTooLong", Rejected, RejectReason.TEXT_TOO_LONG),
    (400, "processingFailure", Rejected, RejectReason.INVALID),
    (403, "forbidden", Rejected, RejectReason.FORBIDDEN),
    (403, "commentsDisabled", Rejected, RejectReason.FORBIDDEN),
    (403, "accessNotConfigured", Rejected, RejectReason.FORBIDDEN),
    (404, "videoNotFound", Rejected, RejectReason.NOT_FOUND),
    (400, "videoNotFound", Rejected, RejectReason.NOT_FOUND),
    (503, "backendError", OutcomeUnknown, None),
    (409, "", OutcomeUnknown, None),
]


@pytest.mark.parametrize(("status", "reason", "kind", "why"), TABLE)
def test_each_line_of_the_error_table(
    network: responses.RequestsMock,
    account: YouTubeConnector,
    status: int,
    reason: str,
    kind: type[ConnectorError],
    why: RejectReason | None,
) -> None:
    network.post(f"{API}/youtube/v3/commentThreads", status=status, json=refusal(reason, status))
    with pytest.raises(kind) as refused:
        send_last(account, WITH_COMMENT)
    assert getattr(refused.value, "reason", None) is why
    assert reason in refused.value.detail
    if kind is OutcomeUnknown:
        network.post(f"{API}/upload/youtube/v3/videos", status=status, json=refusal(reason, status))
        with pytest.raises(Temporary):
            begin(account, post())


def test_a_quota_of_the_project_is_everybody_s_and_ends_at_midnight_in_california(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.put(SESSION, status=403, json=refusal("quotaExceeded"))
    with pytest.raises(RateLimited) as limited:
        publish(account)
    assert limited.value.of_app
    network.replace("PUT", SESSION, status=403, json=refusal("rateLimitExceeded"))
    with pytest.raises(RateLimited) as fast:
        publish(account)
    assert not fast.value.of_app


@pytest.mark.parametrize(
    ("now", "midnight"),
    [
        ("2026-11-22T12:00:00+00:00", "2026-11-23T08:00:00+00:00"),
        ("2026-11-23T07:59:59+00:00", "2026-11-23T08:00:00+00:00"),
        ("2026-11-23T08:00:00+00:00", "2026-11-24T08:00:00+00:00"),
        ("2026-07-01T12:00:00+00:00", "2026-07-02T07:00:00+00:00"),
        ("2026-03-08T09:00:00+00:00", "2026-03-09T07:00:00+00:00"),  # the day on which summer time begins
        ("2026-11-01T08:00:00+00:00", "2026-11-02T08:00:00+00:00"),  # and the one on which it ends
    ],
)
def test_midnight_in_california_on_awkward_days(now: str, midnight: str) -> None:
    assert youtube_calls.quota_returns_at(dt.datetime.fromisoformat(now)) == dt.datetime.fromisoformat(
        midnight
    )


@given(st.integers(1_577_836_800, 2_208_988_800))
def test_a_quota_returns_within_a_day(epoch: int) -> None:
    now = dt.datetime.fromtimestamp(epoch, dt.UTC)
    left = youtube_calls.quota_returns_at(now) - now
    assert dt.timedelta(0) < left <= dt.timedelta(hours=25)


@pytest.mark.parametrize(
    "body", ["", "x", "[]", '{"error": []}', '{"error": {"errors": ["x"]}}', "[" * 100_000]
)
def test_a_refusal_of_any_shape_is_one_of_the_five(
    network: responses.RequestsMock, account: YouTubeConnector, body: str
) -> None:
    network.post(f"{API}/youtube/v3/commentThreads", status=400, body=body)
    with pytest.raises(Rejected):
        send_last(account, WITH_COMMENT)
