"""Mastodon's connector on canned answers, shaped after those of the servers that differ."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses
from responses import matchers

from connectors.base import (
    AccountMetrics,
    AppCredentials,
    MediaItem,
    MessageTarget,
    PostMetrics,
    PostPart,
    PostPayload,
    RetrySafety,
    StepKind,
    StepResult,
    StepState,
    TextUnit,
    Tokens,
)
from connectors.errors import (
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.mastodon import INFO, MastodonConnector
from connectors.status_html import plain_text
from connectors.text import check_payload, normalise
from tests.connectors.conftest import NOW, image, payload

HOST = "https://mastodon.example"
KEY = "0192c1b0-0000-7000-8000-000000000001"
STATUS: dict[str, Any] = {
    "id": "103270115826048975",
    "created_at": "2026-11-22T12:00:01.901Z",
    "account": {"id": "1"},
    "content": "<p>Hello</p>",
    "visibility": "public",
    "uri": f"{HOST}/users/alice/statuses/103270115826048975",
    "url": f"{HOST}/@alice/103270115826048975",
    "in_reply_to_id": None,
    "mentions": [],
    "media_attachments": [],
    "replies_count": 7,
    "reblogs_count": 6,
    "favourites_count": 11,
}


@pytest.fixture(autouse=True)
def canned() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def connector(software: str = "mastodon", **options: Any) -> MastodonConnector:
    base = {"host": HOST, "domain": "mastodon.example", "software": software, "account_id": "1"}
    return MastodonConnector(tokens=Tokens(access_token="tok-S3CRET"), options={**base, **options})


def publish(client: MastodonConnector, *texts: str, **arguments: Any) -> StepResult:
    sent = payload(*(texts or ("Hello",)), **arguments)
    step = client.plan(sent)[-1]
    done = {s.key: StepResult(remote_id=f"id-{s.key}") for s in client.plan(sent)[:-1]}
    return client.send_step(step, sent, client.prepare_step(step, sent, done, key=KEY, now=NOW))


def body_of(call: Any) -> Any:
    return json.loads(call.request.body)


# --- limits and promises of a server ----------------------------------------------------------


def test_unknown_server_has_mastodons_limits_and_no_promise() -> None:
    assert MastodonConnector.info_for({}) == INFO
    assert INFO.retry_safety is RetrySafety.NEITHER


@pytest.mark.parametrize(
    ("software", "safety", "unit", "url_units"),
    [
        ("mastodon", RetrySafety.IDEMPOTENT, TextUnit.GRAPHEMES, 23),
        ("glitch", RetrySafety.IDEMPOTENT, TextUnit.GRAPHEMES, 23),
        ("hollo", RetrySafety.IDEMPOTENT, TextUnit.CODEPOINTS, 0),
        ("gotosocial", RetrySafety.NEITHER, TextUnit.CODEPOINTS, 0),
        ("takahe", RetrySafety.NEITHER, TextUnit.CODEPOINTS, 0),
        ("pleroma", RetrySafety.NEITHER, TextUnit.CODEPOINTS, 0),
    ],
)
def test_software_decides_promise_and_counting(
    software: str, safety: RetrySafety, unit: TextUnit, url_units: int
) -> None:
    info = MastodonConnector.info_for({"software": software, "characters_reserved_per_url": 23})
    assert (info.retry_safety, info.text.unit, info.text.url_units) == (safety, unit, url_units)


def test_limits_are_those_of_the_server() -> None:
    info = MastodonConnector.info_for(
        {
            "software": "mastodon",
            "max_characters": 1000,
            "characters_reserved_per_url": 30,
            "max_media_attachments": 2,
            "mime_types": ["image/png", "video/mp4", "image/heic"],
            "image_size_limit": 100,
            "image_matrix_limit": 50,
            "description_limit": 5,
        }
    )
    assert (info.text.max_units, info.text.url_units) == (1000, 30)
    assert info.images.mime_types == ("image/png", "image/heic")
    problems = {
        p.reason for p in check_payload(payload("x", media=(image("long words", size=101),) * 3), info)
    }
    assert problems == {
        RejectReason.TOO_MANY_MEDIA,
        RejectReason.MEDIA_TOO_LARGE,
        RejectReason.ALT_TEXT_TOO_LONG,
    }


@pytest.mark.parametrize("nonsense", [0, -1, "500", None, True, [], {}])
def test_nonsense_for_a_limit_leaves_the_default(nonsense: object) -> None:
    info = MastodonConnector.info_for({"max_characters": nonsense, "mime_types": nonsense})
    assert (info.text.max_units, info.images.mime_types) == (500, INFO.images.mime_types)


def test_promise_ends_before_the_server_forgets_the_key() -> None:
    client, sent = connector(), payload("Hello")
    intent = client.prepare_step(client.plan(sent)[0], sent, {}, key=KEY, now=NOW)
    assert client.safety_of(intent, NOW + dt.timedelta(minutes=54)) is RetrySafety.IDEMPOTENT
    assert client.safety_of(intent, NOW + dt.timedelta(minutes=55)) is RetrySafety.NEITHER
    assert connector("takahe").safety_of(intent, NOW) is RetrySafety.NEITHER


# --- what is sent -----------------------------------------------------------------------------


def test_thread_is_planned_with_images_before_their_post() -> None:
    steps = connector().plan(payload("one", "two", media=(image(), image())))
    assert [s.key for s in steps] == ["part0.media0", "part0.media1", "part0.publish", "part1.publish"]
    assert [s.kind for s in steps] == [StepKind.MEDIA, StepKind.MEDIA, StepKind.PUBLISH, StepKind.PUBLISH]


def test_intent_is_the_whole_request_and_plain_json() -> None:
    client, sent = connector(visibility="unlisted"), payload("one", "two", media=(image(),), language="ja")
    done = {"part0.media0": StepResult(remote_id="m1"), "part0.publish": StepResult(remote_id="s1")}
    first, second = (
        client.prepare_step(s, sent, done, key=KEY, now=NOW)
        for s in client.plan(sent)
        if s.kind is StepKind.PUBLISH
    )
    assert json.loads(json.dumps(first)) == first
    assert first["status"] == {
        "status": "one",
        "media_ids": ["m1"],
        "visibility": "unlisted",
        "language": "ja",
    }
    assert second["status"]["in_reply_to_id"] == "s1"
    assert second["status"]["media_ids"] == []


def test_key_and_token_travel_in_headers(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v1/statuses", json=STATUS)
    result = publish(connector())
    assert (result.remote_id, result.permalink) == (STATUS["id"], STATUS["url"])
    headers = canned.calls[0].request.headers
    assert (headers["Idempotency-Key"], headers["Authorization"]) == (KEY, "Bearer tok-S3CRET")


@pytest.mark.parametrize(("software", "expected"), [("gotosocial", "text/plain"), ("mastodon", None)])
def test_plain_text_is_asked_for_where_a_person_may_prefer_markdown(
    canned: responses.RequestsMock, software: str, expected: str | None
) -> None:
    canned.post(f"{HOST}/api/v1/statuses", json=STATUS)
    publish(connector(software))
    assert body_of(canned.calls[0]).get("content_type") == expected


def test_image_goes_up_with_its_description(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v2/media", json={"id": "m1", "type": "image", "url": f"{HOST}/m1"})
    client, sent = connector(), payload("x", media=(image("A grey cat"),))
    step = client.plan(sent)[0]
    result = client.send_step(step, sent, client.prepare_step(step, sent, {}, key=KEY, now=NOW))
    assert result == StepResult(state=StepState.DONE, remote_id="m1")
    body = canned.calls[0].request.body
    assert isinstance(body, bytes)
    assert b'name="description"' in body
    assert b"A grey cat" in body
    assert b'name="file"; filename="image.png"' in body
    assert b"Content-Type: image/png" in body


def film_with(cover: bytes | None) -> MediaItem:
    def opened() -> io.BytesIO:
        if cover is None:
            raise FileNotFoundError
        return io.BytesIO(cover)

    return dataclasses.replace(film(), cover=opened)


def test_the_chosen_picture_of_a_video_goes_along(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v2/media", json={"id": "m1", "type": "video", "url": None})
    client, sent = connector(), payload("x", media=(film_with(b"the chosen picture"),))
    client.send_step(client.plan(sent)[0], sent, {"description": ""})
    body = canned.calls[0].request.body
    assert isinstance(body, bytes)
    assert b'name="thumbnail"; filename="cover.jpg"' in body
    assert b"the chosen picture" in body


def test_a_video_whose_picture_is_gone_is_sent_without_it(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v2/media", json={"id": "m1", "type": "video", "url": None})
    client, sent = connector(), payload("x", media=(film_with(None),))
    assert client.send_step(client.plan(sent)[0], sent, {"description": ""}).remote_id == "m1"
    body = canned.calls[0].request.body
    assert isinstance(body, bytes)
    assert b"thumbnail" not in body


@pytest.mark.parametrize(
    ("software", "takes"), [("mastodon", True), ("gotosocial", False), ("takahe", False)]
)
def test_which_servers_take_a_picture_for_a_video(software: str, takes: bool) -> None:
    videos = connector(software).info.videos
    assert videos is not None
    assert videos.takes_cover is takes


def test_old_upload_address_is_tried_where_the_new_one_is_missing(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v2/media", status=404, json={"error": "Not Found"})
    canned.post(f"{HOST}/api/v1/media", json={"id": "m1", "type": "image", "url": None})
    client, sent = connector("pixelfed"), payload("x", media=(image(),))
    assert client.send_step(client.plan(sent)[0], sent, {"description": ""}).remote_id == "m1"


def test_image_in_processing_is_asked_for_until_it_is_done(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v2/media", status=202, json={"id": "m1", "type": "image", "url": None})
    client, sent = connector(), payload("x", media=(image(),))
    step, intent = client.plan(sent)[0], {"description": ""}
    result = client.send_step(step, sent, intent)
    assert result.state is StepState.PROCESSING
    for status, expected in ((206, StepState.PROCESSING), (200, StepState.DONE)):
        canned.upsert("GET", f"{HOST}/api/v1/media/m1", status=status, json={"id": "m1", "url": None})
        checked = client.check(step, intent, result)
        assert checked is not None
        assert (checked.state, checked.remote_id) == (expected, "m1")
    canned.upsert("GET", f"{HOST}/api/v1/media/m1", status=404, json={"error": "Record not found"})
    assert client.check(step, intent, result) is None
    canned.upsert("GET", f"{HOST}/api/v1/media/m1", status=422, json={"error": "Error processing thumbnail"})
    with pytest.raises(Rejected) as rejected:
        client.check(step, intent, result)
    assert rejected.value.reason is RejectReason.MEDIA_BROKEN


def test_upload_without_answer_was_surely_not_made_visible() -> None:
    sent = payload("x", media=(image(),))
    assert connector().check(connector().plan(sent)[0], {}, None) is None


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("software", "status", "answer", "expected"),
    [
        (
            "mastodon",
            422,
            {"error": "Validation failed: Text character limit of 500 exceeded"},
            "text_too_long",
        ),
        (
            "gotosocial",
            400,
            {"error": "Bad Request: status too long, 5001 characters provided"},
            "text_too_long",
        ),
        ("takahe", 400, {"error": "Status is too long"}, "text_too_long"),
        ("pleroma", 422, {"error": "The status is over the character limit"}, "text_too_long"),
        ("mastodon", 422, {"error": "Validation failed: Text can't be blank"}, "text_empty"),
        ("gotosocial", 400, {"error": "no status, media, or poll provided"}, "text_empty"),
        ("mastodon", 422, {"error": "Cannot attach more than 4 files"}, "too_many_media"),
        (
            "gotosocial",
            400,
            {"error": "too many media files attached to status, 7 attached"},
            "too_many_media",
        ),
        ("mastodon", 422, {"error": "Validation failed: Language is invalid"}, "invalid"),
        (
            "mastodon",
            404,
            {"error": "The post you are trying to reply to does not appear to exist."},
            "not_found",
        ),
        ("mastodon", 403, {"error": "This action is not allowed"}, "forbidden"),
        ("mastodon", 410, "", "not_found"),
        ("mastodon", 301, "", "host_unknown"),
    ],
)
def test_refusal_says_why(
    canned: responses.RequestsMock, software: str, status: int, answer: Any, expected: str
) -> None:
    canned.post(f"{HOST}/api/v1/statuses", status=status, json=answer)
    with pytest.raises(Rejected) as rejected:
        publish(connector(software))
    assert rejected.value.reason == expected


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (401, {"error": "The access token was revoked"}),
        (401, {"error": "identity_token_required"}),
        (400, "Invalid Bearer token"),
        (403, {"error": "This action is outside the authorized scopes"}),
        (403, {"error": "out_of_scope_for_token"}),
        (403, {"error": "Your login is currently disabled"}),
    ],
)
def test_lost_credential_asks_for_a_new_connection(
    canned: responses.RequestsMock, status: int, answer: Any
) -> None:
    canned.post(f"{HOST}/api/v1/statuses", status=status, json=answer)
    with pytest.raises(NeedsReconnect):
        publish(connector())


@pytest.mark.parametrize(
    "failure",
    [
        {"status": 500, "body": "<h1>We're sorry</h1>"},
        {"status": 502, "body": "<html>Bad gateway</html>"},
        {"status": 504, "body": ""},
        {"status": 409, "json": {"error": "request already under way"}},
        {"status": 200, "json": {"status": "request already handled"}},
        {"status": 200, "body": "<html>surprise</html>"},
        {"status": 200, "body": "{"},
        {"body": requests.ReadTimeout()},
        {"body": requests.ConnectionError(ConnectionResetError())},
    ],
)
def test_status_that_may_have_been_taken_is_unknown(
    canned: responses.RequestsMock, failure: Mapping[str, Any]
) -> None:
    canned.post(f"{HOST}/api/v1/statuses", **failure)
    with pytest.raises(OutcomeUnknown):
        publish(connector("gotosocial"))
    assert len(canned.calls) == 1


@pytest.mark.parametrize(
    "failure",
    [
        {"status": 503, "json": {"error": "Service Unavailable"}},
        {
            "status": 422,
            "json": {"error": "Cannot attach files that have not finished processing. Try again"},
        },
        {"body": requests.ConnectTimeout()},
    ],
)
def test_status_that_was_surely_not_taken_is_temporary(
    canned: responses.RequestsMock, failure: Mapping[str, Any]
) -> None:
    canned.post(f"{HOST}/api/v1/statuses", **failure)
    with pytest.raises(Temporary):
        publish(connector())


@pytest.mark.parametrize(
    ("status", "headers", "wait_s"),
    [
        (429, {"X-RateLimit-Reset": "{iso}"}, 120),
        (429, {"X-RateLimit-Reset": "{epoch}"}, 120),
        (429, {"X-RateLimit-Reset": "{epoch_ms}"}, 120),
        (429, {"Retry-After": "60", "X-RateLimit-Reset": "{iso}"}, 60),
        (429, {"X-RateLimit-Reset": "soon"}, 300),
        (429, {"X-RateLimit-Reset": "2001-01-01T00:00:00Z"}, 1),
        (429, {}, 300),
        (503, {"Retry-After": "30"}, 30),
    ],
)
def test_rate_limit_says_when_in_each_form(
    canned: responses.RequestsMock, status: int, headers: Mapping[str, str], wait_s: int
) -> None:
    now = dt.datetime.now(dt.UTC)
    reset = now + dt.timedelta(seconds=120)
    forms = {
        "iso": reset.isoformat().replace("+00:00", "Z"),
        "epoch": f"{reset.timestamp():.0f}",
        "epoch_ms": f"{reset.timestamp() * 1000:.0f}",
    }
    sent = {name: value.format(**forms) for name, value in headers.items()}
    canned.post(f"{HOST}/api/v1/statuses", status=status, headers=sent, json={"error": "Too many requests"})
    with pytest.raises(RateLimited) as limited:
        publish(connector())
    assert abs((limited.value.retry_at - now).total_seconds() - wait_s) < 5


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        (422, "Validation failed: File content type is invalid", "media_type"),
        (422, "Validation failed: File file size must be less than 16 MB", "media_too_large"),
        (400, "could not decode the image", "media_broken"),
        (413, "Request Entity Too Large", "media_too_large"),
        (415, "Unsupported", "media_type"),
    ],
)
def test_refused_image_says_why(
    canned: responses.RequestsMock, status: int, words: str, expected: str
) -> None:
    canned.post(f"{HOST}/api/v2/media", status=status, json={"error": words})
    client, sent = connector(), payload("x", media=(image(),))
    with pytest.raises(Rejected) as rejected:
        client.send_step(client.plan(sent)[0], sent, {"description": ""})
    assert rejected.value.reason == expected


def test_lost_upload_is_temporary_because_nobody_can_see_it(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v2/media", body=requests.ReadTimeout())
    client, sent = connector(), payload("x", media=(image(),))
    with pytest.raises(Temporary):
        client.send_step(client.plan(sent)[0], sent, {"description": ""})


def test_error_detail_has_no_token(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v1/statuses", status=401, json={"error": "token tok-S3CRET was revoked"})
    with pytest.raises(NeedsReconnect) as lost:
        publish(connector())
    assert lost.value.detail == "HTTP 401 token *** was revoked"


# --- reading ----------------------------------------------------------------------------------

CUT = '<a href="https://example.com/a/very/long/path">example.com/a/very…</a>'
HIDDEN = (
    '<a href="https://example.com/a/very/long/path?x=1&amp;y=2" target="_blank" rel="nofollow noopener">'
    '<span class="invisible">https://</span><span class="ellipsis">example.com/a/very/long</span>'
    '<span class="invisible">/path?x=1&amp;y=2</span></a>'
)
MENTION = (
    '<span class="h-card"><a href="https://r.example/@bob" class="u-url mention">@<span>bob</span></a></span>'
)
TAG = '<a href="https://m.example/tags/cats" class="mention hashtag" rel="tag">#<span>cats</span></a>'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("<p>One<br>two<br/>three</p><p>four</p>", "One\ntwo\nthree\n\nfour"),
        ("<p>a &amp; b &lt;c&gt; &quot;d&quot; &#39;e&#39;</p>", "a & b <c> \"d\" 'e'"),
        (f"<p>see {HIDDEN}</p>", "see https://example.com/a/very/long/path?x=1&y=2"),
        (f"<p>see {CUT}.</p>", "see https://example.com/a/very/long/path."),
        ('<a href="https://example.com/">https://example.com/</a>', "https://example.com/"),
        (f"<p>{MENTION} hi</p>", "@bob@r.example hi"),
        (f"<p>{TAG} ＃犬</p>", "#cats ＃犬"),
        ("no tags at all", "no tags at all"),
        ("", ""),
        ("<p>broken <a href='x'>html", "broken html"),
    ],
)
def test_plain_text_is_what_was_typed(content: str, expected: str) -> None:
    mentions = [{"url": "https://r.example/@bob", "acct": "bob@r.example", "username": "bob", "id": "2"}]
    assert plain_text(content, mentions=mentions) == expected


def test_recent_posts_are_read_page_by_page_until_the_time_asked_for(canned: responses.RequestsMock) -> None:
    address = re.compile(rf"{HOST}/api/v1/accounts/1/statuses")
    newest, older, oldest = (
        [STATUS | {"id": str(n), "created_at": (NOW - dt.timedelta(hours=n)).isoformat()}] for n in range(3)
    )
    for page in (newest, older, oldest):
        canned.get(address, json=page)
    found = connector().find_recent(since=NOW - dt.timedelta(minutes=90))
    assert [post.remote_id for post in found] == ["0", "1"]
    queries = [parse_qs(urlsplit(str(call.request.url)).query) for call in canned.calls]
    assert [q.get("max_id") for q in queries] == [None, ["0"], ["1"]]


def test_what_only_looks_like_a_declaration_is_text() -> None:
    assert plain_text("<p>See <![odd[ here</p>") == "See <![odd[ here"


BOBS = {"id": "2", "acct": "bob@remote.example"}
COMMENT = STATUS | {"id": "7", "account": BOBS, "in_reply_to_id": "6", "in_reply_to_account_id": "1"}
ODD_STATUSES: list[Any] = [
    None,
    "odd",
    COMMENT | {"id": None},
    COMMENT | {"account": None},
    COMMENT | {"account": [1]},
    COMMENT | {"account": {"id": {}}},
    COMMENT | {"created_at": 5},
]


@pytest.mark.parametrize("odd", ODD_STATUSES, ids=str)
def test_an_odd_status_does_not_keep_the_rest_of_the_inbox_from_being_read(
    canned: responses.RequestsMock, odd: Any
) -> None:
    notices = [
        {"id": str(9 - n), "type": "mention", "created_at": STATUS["created_at"], "status": status}
        for n, status in enumerate((odd, COMMENT))
    ]
    canned.get(f"{HOST}/api/v1/notifications", json=notices)
    canned.get(f"{HOST}/api/v1/statuses/6", json=STATUS | {"id": "6"})
    page = connector().fetch_inbox(since=NOW - dt.timedelta(hours=1))
    assert [(item.remote_id, item.root_id) for item in page.items] == [("7", "6")]


@pytest.mark.parametrize("name", ["mentions", "media_attachments", "spoiler_text", "in_reply_to_account_id"])
@pytest.mark.parametrize("odd", [None, "odd", 5, [None], {"a": 1}], ids=str)
def test_a_comment_with_something_odd_is_still_a_comment(
    canned: responses.RequestsMock, name: str, odd: Any
) -> None:
    notice = {
        "id": "9",
        "type": "mention",
        "created_at": STATUS["created_at"],
        "status": COMMENT | {name: odd},
    }
    canned.get(f"{HOST}/api/v1/notifications", json=[notice])
    canned.get(f"{HOST}/api/v1/statuses/6", json=STATUS | {"id": "6"})
    (item,) = connector().fetch_inbox(since=NOW - dt.timedelta(hours=1)).items
    assert (item.remote_id, item.text[-5:]) == ("7", "Hello")


SENT: dict[str, Any] = STATUS | {"id": "8", "visibility": "direct", "mentions": [BOBS]}


@pytest.mark.parametrize(
    "odd",
    [*ODD_STATUSES, *(SENT | {name: None} for name in ("content", "mentions", "visibility"))],
    ids=str,
)
@pytest.mark.parametrize("place", ["own", "talks", "above", "below"])
def test_where_something_sent_may_be_what_cannot_be_read_nothing_is_proved(
    canned: responses.RequestsMock, odd: Any, place: str
) -> None:
    """Or a message that is there would be sent again."""
    if odd is None and place == "talks":
        return  # a talk in which nothing is left
    canned.get(f"{HOST}/api/v1/accounts/1/statuses", json=[odd] if place == "own" else [])
    canned.get(f"{HOST}/api/v1/conversations", json=[{"last_status": odd if place == "talks" else SENT}])
    around = {
        "ancestors": [odd] if place == "above" else [],
        "descendants": [odd] if place == "below" else [],
    }
    canned.get(f"{HOST}/api/v1/statuses/8/context", json=around)
    to_bob = PostPayload((PostPart("Hi"),), message_to=MessageTarget("2@mastodon.example"))
    with pytest.raises(Temporary):
        connector().find_sent(to_bob, since=NOW - dt.timedelta(hours=1))


def test_what_was_written_in_a_talk_is_found(canned: responses.RequestsMock) -> None:
    canned.get(f"{HOST}/api/v1/accounts/1/statuses", json=[])
    canned.get(f"{HOST}/api/v1/conversations", json=[{"last_status": None}, {"last_status": SENT}])
    theirs = SENT | {"id": "9", "account": BOBS}
    canned.get(f"{HOST}/api/v1/statuses/8/context", json={"ancestors": [], "descendants": [theirs]})
    to_bob = PostPayload((PostPart("Hi"),), message_to=MessageTarget("2@mastodon.example"))
    (found,) = connector().find_sent(to_bob, since=NOW - dt.timedelta(hours=1))
    assert (found.remote_id, found.text) == ("8", "Hello")


@pytest.mark.parametrize("answer", [[None], [STATUS | {"content": None}], [STATUS | {"account": 5}]], ids=str)
def test_a_post_that_cannot_be_read_is_not_taken_for_gone(
    canned: responses.RequestsMock, answer: list[Any]
) -> None:
    canned.get(f"{HOST}/api/v1/statuses", json=answer)
    with pytest.raises(Temporary):
        list(connector(version="4.5.0").fetch_posts([STATUS["id"]]))


def test_post_is_read_back_or_gone(canned: responses.RequestsMock) -> None:
    canned.get(f"{HOST}/api/v1/statuses/1", json=STATUS | {"in_reply_to_id": "9", "media_attachments": [{}]})
    canned.get(f"{HOST}/api/v1/statuses/2", status=404, json={"error": "Record not found"})
    post = connector().fetch_post("1")
    assert post is not None
    assert (post.text, post.in_reply_to, post.media_count) == ("Hello", "9", 1)
    assert post.created_at == dt.datetime(2026, 11, 22, 12, 0, 1, 901_000, tzinfo=dt.UTC)
    assert connector().fetch_post("2") is None


def test_posts_are_read_back_together(canned: responses.RequestsMock) -> None:
    canned.get(f"{HOST}/api/v1/statuses", json=[STATUS])
    found = list(connector(software="mastodon", version="4.3.0").fetch_posts(["1", "2"]))
    assert [post.remote_id for post in found] == [STATUS["id"]]
    assert parse_qs(urlsplit(str(canned.calls[0].request.url)).query) == {"id[]": ["1", "2"]}


def test_ids_cannot_lead_to_another_address(canned: responses.RequestsMock) -> None:
    canned.get(re.compile(".*"), status=404)
    connector().fetch_post("../../oauth/token?x=1")
    assert canned.calls[0].request.url == f"{HOST}/api/v1/statuses/..%2F..%2Foauth%2Ftoken%3Fx%3D1"


def test_many_posts_are_measured_in_few_calls_where_the_server_can(canned: responses.RequestsMock) -> None:
    canned.get(f"{HOST}/api/v1/statuses", json=[STATUS | {"id": "0", "quotes_count": 2}])
    found = connector(version="4.5.2").fetch_post_metrics([str(n) for n in range(45)])
    assert len(canned.calls) == 3
    assert found == {"0": PostMetrics(likes=11, comments=7, shares=6, quotes=2)}


def test_posts_are_measured_one_by_one_elsewhere_and_gone_ones_are_absent(
    canned: responses.RequestsMock,
) -> None:
    canned.get(f"{HOST}/api/v1/statuses/1", json=STATUS | {"id": "1"})
    canned.get(f"{HOST}/api/v1/statuses/2", status=404)
    assert connector("gotosocial").fetch_post_metrics(["1", "2"]) == {
        "1": PostMetrics(likes=11, comments=7, shares=6)
    }


# --- connecting -------------------------------------------------------------------------------


def describe(
    mock: responses.RequestsMock, *, name: str = "", version: str, source_url: str = "", host: str = HOST
) -> None:
    instance = {"domain": urlsplit(host).netloc, "version": version, "source_url": source_url}
    mock.get(f"{host}/api/v2/instance", json=instance)
    if name:
        links = {"links": [{"rel": "x", "href": f"{host}/nodeinfo/2.1"}]}
        mock.get(f"{host}/.well-known/nodeinfo", json=links)
        mock.get(f"{host}/nodeinfo/2.1", json={"software": {"name": name, "version": version}})
    else:
        mock.get(f"{host}/.well-known/nodeinfo", status=404)
    mock.post(f"{host}/api/v1/apps", json={"client_id": "cid", "client_secret": "sec-S3CRET"})


def register(host: str = "@me@mastodon.example") -> AppCredentials:
    return MastodonConnector.register_app(
        host=host, redirect_uri="https://app.example/back", app_name="App", website="https://app.example"
    )


@pytest.mark.parametrize(
    ("name", "version", "source_url", "software"),
    [
        ("mastodon", "4.5.2", "", "mastodon"),
        ("mastodon", "4.5.2+glitch", "", "glitch"),
        ("GoToSocial", "0.20.1+git-4c6e9d8", "", "gotosocial"),
        ("", "takahe/0.11.0", "", "takahe"),
        ("", "2.7.2 (compatible; Akkoma 3.15.2)", "", "akkoma"),
        ("", "2.7.2 (compatible; Pleroma 2.9.0)", "", "pleroma"),
        ("", "3.5.3 (compatible; Pixelfed 0.12.4)", "", "pixelfed"),
        ("", "0.20.1", "https://codeberg.org/superseriousbusiness/gotosocial", "gotosocial"),
        ("", "4.5.2", "https://github.com/mastodon/mastodon", "mastodon"),
        ("", "0.17.0", "", ""),
        ("", "4.5.2", "", ""),
    ],
)
def test_software_is_recognized(
    canned: responses.RequestsMock, name: str, version: str, source_url: str, software: str
) -> None:
    describe(canned, name=name, version=version, source_url=source_url)
    app = register()
    assert (app.host, app.extra["software"]) == (HOST, software)


def test_takahe_is_asked_for_plain_scopes_and_others_for_few(canned: responses.RequestsMock) -> None:
    describe(canned, version="takahe/0.11.0")
    url = MastodonConnector.authorize_url(
        app=register(), redirect_uri="https://app.example/back", state="s"
    ).url
    assert parse_qs(urlsplit(url).query)["scope"] == ["read write"]
    plain = AppCredentials(client_id="cid", host=HOST)
    url = MastodonConnector.authorize_url(app=plain, redirect_uri="https://app.example/back", state="s").url
    assert parse_qs(urlsplit(url).query)["scope"] == [
        "read:accounts read:statuses write:statuses write:media read:notifications write:favourites"
    ]


def test_accounts_domain_leads_to_the_server_behind_it(canned: responses.RequestsMock) -> None:
    web = "https://social.example.com"
    describe(canned, name="mastodon", version="4.5.2", host=web)
    for path in ("/api/v2/instance", "/api/v1/instance"):
        canned.get(f"https://example.com{path}", status=404, body="<h1>A company page</h1>")
    canned.get(
        "https://example.com/.well-known/webfinger",
        status=301,
        headers={"Location": f"{web}/.well-known/webfinger"},
    )
    canned.get(f"{web}/.well-known/webfinger", status=404)
    assert register("@me@example.com").host == web


def test_host_that_speaks_something_else_is_unknown(canned: responses.RequestsMock) -> None:
    canned.get(re.compile(HOST + ".*"), body="<h1>Hello</h1>")
    with pytest.raises(Rejected) as rejected:
        register()
    assert rejected.value.reason is RejectReason.HOST_UNKNOWN


def test_host_without_an_address_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    from connectors import http

    def nowhere(*_: Any, **__: Any) -> None:
        raise http.HostNotFound("nowhere.example: no such host")

    monkeypatch.setattr(http, "request", nowhere)
    with pytest.raises(Rejected) as rejected:
        register("nowhere.example")
    assert rejected.value.reason is RejectReason.HOST_UNKNOWN


@pytest.mark.parametrize("status", [400, 401])
def test_code_that_the_server_does_not_know_is_invalid(canned: responses.RequestsMock, status: int) -> None:
    canned.post(f"{HOST}/oauth/token", status=status, json={"error": "invalid_grant"})
    with pytest.raises(Rejected) as rejected:
        MastodonConnector.exchange_code(
            app=AppCredentials(client_id="cid", client_secret="sec", host=HOST),
            code="c",
            code_verifier="v",
            redirect_uri="https://app.example/back",
        )
    assert rejected.value.reason is RejectReason.INVALID


def test_refresh_token_of_kin_is_used_and_a_dead_one_asks_for_a_new_connection(
    canned: responses.RequestsMock,
) -> None:
    app = AppCredentials(client_id="cid", client_secret="sec", host=HOST)
    old = Tokens(access_token="old", refresh_token="r1")
    canned.post(f"{HOST}/oauth/token", json={"access_token": "new", "refresh_token": "r2", "expires_in": 600})
    fresh = MastodonConnector.refresh(tokens=old, options={"host": HOST}, app=app)
    assert (fresh.access_token, fresh.refresh_token) == ("new", "r2")
    assert fresh.expires_at is not None
    canned.upsert("POST", f"{HOST}/oauth/token", status=400, json={"error": "invalid_grant"})
    with pytest.raises(NeedsReconnect):
        MastodonConnector.refresh(tokens=old, options={"host": HOST}, app=app)
    with pytest.raises(NeedsReconnect):
        MastodonConnector.refresh(tokens=Tokens(access_token="a"), options={"host": HOST}, app=app)


def test_our_text_is_found_again_in_what_mastodon_makes_of_it() -> None:
    ours = "＃cats https://example.com/a/very/long/path?x=1&y=2\n\n@bob@r.example  &  you"
    content = f"<p>{TAG} {HIDDEN}</p><p>{MENTION}  &amp;  you</p>"
    mentions = [{"url": "https://r.example/@bob", "acct": "bob@r.example"}]
    assert normalise(plain_text(content, mentions=mentions)) == normalise(ours)


# --- videos and focal points --------------------------------------------------------------------


def film() -> MediaItem:
    return MediaItem(
        "m", "video/mp4", 4, 640, 360, "A film", lambda: io.BytesIO(b"film"), duration_s=3, frame_rate=25
    )


def test_a_video_goes_up_and_is_waited_for(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v2/media", status=202, json={"id": "v1", "type": "video", "url": None})
    client, sent = connector(), payload("x", media=(film(),))
    step = client.plan(sent)[0]
    intent = client.prepare_step(step, sent, {}, key="k", now=NOW)
    assert intent == {"description": "A film"}
    result = client.send_step(step, sent, intent)
    assert (result.state, result.remote_id) == (StepState.PROCESSING, "v1")
    body = canned.calls[0].request.body
    assert isinstance(body, bytes)
    assert b'filename="video.mp4"' in body
    assert b"Content-Type: video/mp4" in body
    canned.get(f"{HOST}/api/v1/media/v1", status=200, json={"id": "v1", "url": f"{HOST}/v1.mp4"})
    checked = client.check(step, intent, result)
    assert checked is not None
    assert checked.state is StepState.DONE


def test_the_focal_point_of_an_image_is_told(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v2/media", json={"id": "m1"})
    item = dataclasses.replace(image(), focus=(0.75, 1.0))
    client, sent = connector(), payload("x", media=(item,))
    step = client.plan(sent)[0]
    client.send_step(step, sent, client.prepare_step(step, sent, {}, key="k", now=NOW))
    assert "0.50,-1.00" in str(canned.calls[0].request.body)


def test_what_a_server_says_of_videos_is_kept_to() -> None:
    stated = {"video_size_limit": 40_000_000, "video_matrix_limit": 2_304_000, "video_frame_rate_limit": 60}
    videos = MastodonConnector.info_for({**stated, "description_limit": 420}).videos
    assert videos is not None
    assert (videos.max_bytes, videos.max_pixels, videos.max_frame_rate) == (40_000_000, 2_304_000, 60)
    assert videos.alt_text_max == 420
    assert MastodonConnector.info_for({"mime_types": ["image/png"]}).videos is None
    nonsense = MastodonConnector.info_for({"video_size_limit": -1, "mime_types": ["video/mp4"]}).videos
    assert nonsense == MastodonConnector.INFO.videos


# --- content warnings -------------------------------------------------------------------------


def guarded(text: str, warning: str, *, media: tuple[MediaItem, ...] = (), sensitive: bool = False) -> Any:
    part = dataclasses.replace(payload(text, media=media).parts[0], warning=warning, is_sensitive=sensitive)
    return PostPayload(parts=(part,))


def status_of(sent: PostPayload) -> Mapping[str, Any]:
    client = connector()
    done = {step.key: StepResult(remote_id="m1") for step in client.plan(sent)}
    status: Mapping[str, Any] = client.prepare_step(client.plan(sent)[-1], sent, done, key=KEY, now=NOW)[
        "status"
    ]
    return status


def test_a_content_warning_and_covered_media_go_along() -> None:
    status = status_of(guarded("The end", "Spoilers", media=(image(),), sensitive=True))
    assert (status["spoiler_text"], status["sensitive"]) == ("Spoilers", True)


def test_without_a_warning_the_server_decides_as_before() -> None:
    status = status_of(guarded("The end", "", sensitive=True))
    assert "spoiler_text" not in status
    assert "sensitive" not in status  # there is nothing to cover


@pytest.mark.parametrize(
    ("text", "warning", "fits"),
    [
        ("x" * 490, "y" * 10, True),
        ("x" * 490, "y" * 11, False),
        # A link counts 23 in the text, and as it is written in the warning.
        (f"{'x' * 467} https://example.com/{'z' * 80}", "y" * 9, True),
        ("x" * 470, "https://example.com/zzzzzzzzzzzz", False),
    ],
)
def test_the_warning_counts_with_the_text(text: str, warning: str, fits: bool) -> None:
    problems = check_payload(guarded(text, warning), INFO)
    assert (problems == []) is fits
    if problems:
        assert problems[0].reason is RejectReason.TEXT_TOO_LONG
        assert problems[0].limit == 500
        assert problems[0].actual - problems[0].limit in (1, 2)


def test_accounts_of_others_are_told_as_the_server_knows_them(canned: Any) -> None:
    lookup = f"{HOST}/api/v1/accounts/lookup"
    told = {
        "id": "9",
        "username": "mila",
        "acct": "mila@elsewhere.example",
        "display_name": "Mila",
        "url": "https://elsewhere.example/@mila",
        "followers_count": 12,
        "following_count": 3,
        "statuses_count": 40,
    }
    canned.get(lookup, json=told, match=[matchers.query_param_matcher({"acct": "mila@elsewhere.example"})])
    found = connector().fetch_public_account(" @mila@elsewhere.example ")
    assert found is not None
    assert (found.profile.handle, found.profile.display_name) == ("mila@elsewhere.example", "Mila")
    assert found.counts == AccountMetrics(followers=12, following=3, posts=40)
    canned.get(lookup, status=404, match=[matchers.query_param_matcher({"acct": "nobody"})])
    assert connector().fetch_public_account("nobody") is None
    assert connector().fetch_public_account("@") is None
