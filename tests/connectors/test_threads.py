"""Threads' connector on canned answers, held against Meta's Postman collection of the Threads API."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import hmac
import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st

from connectors import meta
from connectors.base import (
    AccountMetrics,
    AppCredentials,
    Capability,
    InboxItem,
    InboxKind,
    LinkCard,
    MediaItem,
    Moderation,
    ModerationAction,
    PostMetrics,
    PostPart,
    PostPayload,
    ReplyTarget,
    StepKind,
    StepResult,
    StepState,
    Tokens,
    WebhookKind,
)
from connectors.errors import (
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.meta_container import LIFETIME
from connectors.text import check_payload, count
from connectors.threads import ThreadsConnector
from connectors.threads_info import INFO
from tests.connectors.conftest import NOW, SPECS, image, payload

ROOT = "https://graph.threads.net"
API = f"{ROOT}/v1.0"
TOKEN, SECRET = "THAAtokentokentoken", "threads-app-secret"
APP = AppCredentials(client_id="123456", client_secret=SECRET)
UUID = "0192c1b0-0000-7000-8000-000000000001"
OPTIONS = {"user_id": "78901", "username": "harbour", "scopes": list(INFO.scopes)}
ME = {
    "id": "78901",
    "username": "harbour",
    "name": "Harbour Coffee",
    "threads_profile_picture_url": "https://scontent.example.com/p.jpg",
}
AT_OURS = "https://smm.example.com/media/public/"


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def client(*scopes: str) -> ThreadsConnector:
    options = OPTIONS | ({"scopes": list(scopes)} if scopes else {})
    return ThreadsConnector(tokens=Tokens(access_token=TOKEN), options=options, app=APP)


@pytest.fixture
def account() -> ThreadsConnector:
    return client()


def query_of(call: Any) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(str(call.request.url)).query))


def form_of(call: Any) -> dict[str, str]:
    return dict(parse_qsl(str(call.request.body or "")))


@pytest.fixture(scope="session")
def collection() -> Callable[[Any], list[str]]:
    """What is wrong with a call by Meta's collection: its method, path and the names of its parameters."""
    path = SPECS / "threads" / "threads-api.postman_collection.json"
    if not path.exists():
        return lambda _call: []
    known: dict[tuple[str, str], set[str]] = {}

    def walk(items: list[dict[str, Any]]) -> None:
        for item in items:
            if "item" in item:
                walk(item["item"])
                continue
            asked = item["request"]
            where = "/".join(asked["url"]["path"]).rstrip("/")
            names = {one["key"] for one in asked["url"].get("query", ())}
            known.setdefault((asked["method"], re.sub(r"{{\w+}}", "ID", where)), set()).update(names)

    walk(json.loads(path.read_text(encoding="utf-8"))["item"])

    def check(call: Any) -> list[str]:
        where = urlsplit(str(call.request.url)).path.removeprefix("/v1.0/").removeprefix("/")
        key = (str(call.request.method), re.sub(r"\b\d+\b", "ID", where))
        if key not in known:
            return [f"{key} is not in the collection"]
        given = (query_of(call) | form_of(call)).keys()
        return [f"{key}: {name}" for name in given - known[key] - {"access_token", "limit"}]

    return check


Check = Callable[[Any], list[str]]


def step_of(one: ThreadsConnector, sent: PostPayload, key: str) -> Any:
    return next(step for step in one.plan(sent) if step.key == key)


def send(one: ThreadsConnector, sent: PostPayload, key: str, done: dict[str, StepResult]) -> StepResult:
    step = step_of(one, sent, key)
    return one.send_step(step, sent, one.prepare_step(step, sent, done, key=UUID, now=NOW))


def publish(one: ThreadsConnector, sent: PostPayload, container: str = "77") -> StepResult:
    return send(one, sent, "part0.publish", {"part0.container": StepResult(remote_id=container)})


def photo(name: str = "a.jpg", alt_text: str = "A cat") -> MediaItem:
    return dataclasses.replace(image(alt_text, mime_type="image/jpeg"), public_url=lambda: f"{AT_OURS}{name}")


def film(alt_text: str = "") -> MediaItem:
    made = MediaItem("clip", "video/mp4", 9, 640, 360, alt_text, lambda: io.BytesIO(b"v"), 3.0, 30.0)
    return dataclasses.replace(made, public_url=lambda: f"{AT_OURS}clip.mp4")


def graph_error(code: int, **more: Any) -> dict[str, Any]:
    return {"error": {"message": "no", "type": "THApiException", "code": code, **more}}


def test_calls_are_held_against_the_collection(network: responses.RequestsMock, collection: Check) -> None:
    if not (SPECS / "threads").is_dir():
        pytest.skip("NETWORK_SPECS has no threads: calls are not held against the collection")
    network.get(f"{API}/me", json={})
    requests.get(f"{API}/me", params={"colour": "red"}, timeout=1)
    assert collection(network.calls[0]) == ["('GET', 'me'): colour"]


# --- connecting -------------------------------------------------------------------------------


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
    assert connected.tokens.expires_at is not None
    days = (connected.tokens.expires_at - dt.datetime.now(dt.UTC)).total_seconds() / 86_400
    assert 59.9 < days < 60.1
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


def test_a_living_token_renews_itself(network: responses.RequestsMock, collection: Check) -> None:
    network.get(
        f"{ROOT}/refresh_access_token",
        json={"access_token": "THAAfresh", "token_type": "bearer", "expires_in": 5184000},
    )
    fresh = ThreadsConnector.refresh(tokens=Tokens(access_token=TOKEN), options=OPTIONS, app=None)
    assert fresh.access_token == "THAAfresh"
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


# --- publishing -------------------------------------------------------------------------------


def test_words_are_a_container_and_its_publication(
    network: responses.RequestsMock, account: ThreadsConnector, collection: Check
) -> None:
    network.post(f"{API}/me/threads", json={"id": "77"})
    network.post(f"{API}/me/threads_publish", json={"id": "900"})
    sent = dataclasses.replace(
        payload("Hello"), settings={"topic": " #Coffee ", "reply_control": "followers_only"}
    )
    assert [step.kind for step in account.plan(sent)] == [StepKind.CONTAINER, StepKind.PUBLISH]
    made = send(account, sent, "part0.container", {})
    assert (made.state, made.remote_id) == (StepState.DONE, "77")
    assert made.ends_at is not None
    assert abs(made.ends_at - dt.datetime.now(dt.UTC) - LIFETIME) < dt.timedelta(minutes=1)
    assert publish(account, sent).remote_id == "900"
    assert form_of(network.calls[0]) == {
        "media_type": "TEXT",
        "text": "Hello",
        "topic_tag": "Coffee",
        "reply_control": "followers_only",
    }
    assert form_of(network.calls[1]) == {"creation_id": "77"}
    assert [fault for call in network.calls for fault in collection(call)] == []
    for call in network.calls:
        assert call.request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in str(call.request.url)


def test_several_files_are_a_carousel_of_their_containers(
    network: responses.RequestsMock, account: ThreadsConnector, collection: Check
) -> None:
    network.post(f"{API}/me/threads", json={"id": "5"})
    part = PostPart("Look", media=(photo(), film("A wave")), is_sensitive=True)
    sent = PostPayload((part,))
    keys = ["part0.media0", "part0.media1", "part0.container", "part0.publish"]
    assert [step.key for step in account.plan(sent)] == keys
    done: dict[str, StepResult] = {}
    for key in keys[:3]:
        done[key] = send(account, sent, key, done)
        assert done[key].state is StepState.PROCESSING
        done[key] = dataclasses.replace(done[key], remote_id=f"{len(done)}")
    forms = [form_of(call) for call in network.calls]
    assert forms == [
        {
            "media_type": "IMAGE",
            "alt_text": "A cat",
            "is_carousel_item": "true",
            "image_url": f"{AT_OURS}a.jpg",
        },
        {
            "media_type": "VIDEO",
            "alt_text": "A wave",
            "is_carousel_item": "true",
            "video_url": f"{AT_OURS}clip.mp4",
        },
        {"media_type": "CAROUSEL", "children": "1,2", "text": "Look", "is_spoiler_media": "true"},
    ]
    assert [fault for call in network.calls for fault in collection(call)] == []


def test_one_file_needs_no_carousel_and_its_address_is_not_kept(
    network: responses.RequestsMock, account: ThreadsConnector
) -> None:
    network.post(f"{API}/me/threads", json={"id": "5"})
    sent = payload("", media=(film(),))
    send(account, sent, "part0.container", {})
    assert form_of(network.calls[0]) == {"media_type": "VIDEO", "video_url": f"{AT_OURS}clip.mp4"}
    step = step_of(account, sent, "part0.container")
    assert AT_OURS not in json.dumps(account.prepare_step(step, sent, {}, key=UUID, now=NOW))


def test_a_file_that_threads_cannot_fetch_is_refused(account: ThreadsConnector) -> None:
    with pytest.raises(Rejected) as refused:
        send(account, payload("Hi", media=(image(),)), "part0.container", {})
    assert refused.value.reason is RejectReason.MEDIA_NOT_PUBLIC


def test_a_thread_and_its_first_comment_answer_what_they_belong_to(account: ThreadsConnector) -> None:
    sent = PostPayload(
        (PostPart("one"), PostPart("two"), PostPart("link", is_comment=True)), settings={"topic": "Coffee"}
    )
    done = {"part0.publish": StepResult(remote_id="7"), "part1.publish": StepResult(remote_id="8")}
    forms = [
        account.prepare_step(step, sent, done, key=UUID, now=NOW)["form"]
        for step in account.plan(sent)
        if step.kind is StepKind.CONTAINER
    ]
    assert forms == [
        {"media_type": "TEXT", "text": "one", "topic_tag": "Coffee"},
        {"media_type": "TEXT", "text": "two", "reply_to_id": "7"},
        {"media_type": "TEXT", "text": "link", "reply_to_id": "7"},
    ]


def test_a_link_card_is_attached_to_words_alone(account: ThreadsConnector) -> None:
    card = LinkCard("https://example.com/a", "A")

    def form(**more: Any) -> Any:
        sent = PostPayload((PostPart("Hi", link_card=card, **more),))
        return account.prepare_step(step_of(account, sent, "part0.container"), sent, {}, key=UUID, now=NOW)[
            "form"
        ]

    assert form()["link_attachment"] == "https://example.com/a"
    assert "link_attachment" not in form(media=(photo(),))


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (payload("Hi", media=(photo(),) * 11 + (film(),) * 10), RejectReason.TOO_MANY_MEDIA),
        (dataclasses.replace(payload("Hi"), settings={"topic": "a.b"}), RejectReason.SETTING_INVALID),
        (dataclasses.replace(payload("Hi"), settings={"topic": "R&D"}), RejectReason.SETTING_INVALID),
    ],
    ids=["media", "dot", "ampersand"],
)
def test_what_threads_would_refuse_is_not_sent(
    network: responses.RequestsMock, account: ThreadsConnector, sent: PostPayload, reason: RejectReason
) -> None:
    done = {f"part0.media{m}": StepResult(remote_id=str(m)) for m in range(21)}
    with pytest.raises(Rejected) as refused:
        send(account, sent, "part0.container", done)
    assert refused.value.reason is reason
    assert not network.calls


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("a" * 500, 500),
        ("珈琲" * 250, 500),
        ("👋" * 125, 500),  # four bytes each
        ("👍🏽" * 62, 496),
        ("👨‍👩‍👧‍👦" * 20, 500),  # twenty-five
        ("🇯🇵" * 62, 496),
        ("1️⃣" * 71, 497),
        ("12#*" * 125, 500),  # digits alone are no emoji
    ],
)
def test_an_emoji_counts_its_bytes(text: str, units: int) -> None:
    assert count(text, INFO.text) == units
    assert check_payload(payload(text), INFO) == []
    too_long = f"{text}{'a' * (501 - units)}"
    assert [one.reason for one in check_payload(payload(too_long), INFO)] == [RejectReason.TEXT_TOO_LONG]


# --- states of containers ---------------------------------------------------------------------


def checked(
    network: responses.RequestsMock, one: ThreadsConnector, key: str, sent: StepResult | None, **answer: Any
) -> StepResult | None:
    network.upsert("GET", f"{API}/77", **answer)
    wanted = payload("Hello #Coffee")
    done = {"part0.container": StepResult(remote_id="77")}
    step = step_of(one, wanted, key)
    return one.check(step, one.prepare_step(step, wanted, done, key=UUID, now=NOW), sent)


def test_a_container_is_asked_about_until_it_is_done(
    network: responses.RequestsMock, account: ThreadsConnector, collection: Check
) -> None:
    ends_at = NOW + dt.timedelta(hours=23)
    sent = StepResult(StepState.PROCESSING, "77", retry_after_s=5.0, ends_at=ends_at)
    waiting = checked(network, account, "part0.container", sent, json={"id": "77", "status": "IN_PROGRESS"})
    assert waiting == sent
    made = checked(network, account, "part0.container", waiting, json={"id": "77", "status": "FINISHED"})
    assert made == StepResult(remote_id="77", ends_at=ends_at)
    assert checked(network, account, "part0.container", sent, json={"status": "EXPIRED"}) is None
    gone = graph_error(100, error_subcode=33)
    assert checked(network, account, "part0.container", sent, status=400, json=gone) is None
    assert checked(network, account, "part0.container", None, json={}) is None
    assert [fault for call in network.calls for fault in collection(call)] == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("FAILED_DOWNLOADING_VIDEO", RejectReason.MEDIA_NOT_PUBLIC),
        ("FAILED_PROCESSING_AUDIO", RejectReason.MEDIA_BROKEN),
        ("INVALID_ASPEC_RATIO", RejectReason.MEDIA_SHAPE),
        ("INVALID_DURATION", RejectReason.VIDEO_TOO_LONG),
        ("INVALID_FRAME_RATE", RejectReason.VIDEO_TOO_FAST),
        ("UNKNOWN", RejectReason.MEDIA_BROKEN),
        (None, RejectReason.MEDIA_BROKEN),
    ],
)
@pytest.mark.parametrize("key", ["part0.container", "part0.publish"])
def test_what_threads_could_not_work_on_is_refused(
    network: responses.RequestsMock,
    account: ThreadsConnector,
    key: str,
    words: str | None,
    reason: RejectReason,
) -> None:
    answer = {"id": "77", "status": "ERROR", "error_message": words}
    with pytest.raises(Rejected) as refused:
        checked(network, account, key, StepResult(StepState.PROCESSING, "77"), json=answer)
    assert refused.value.reason is reason


def own(text: str = "Hello Coffee", **more: Any) -> dict[str, Any]:
    at = NOW + dt.timedelta(seconds=3)
    post = {"id": "900", "text": text, "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}+0000", "media_type": "TEXT_POST"}
    return post | {"permalink": "https://www.threads.net/@harbour/post/Pp"} | more


def test_a_publication_without_an_answer_is_asked_for(
    network: responses.RequestsMock, account: ThreadsConnector
) -> None:
    key = "part0.publish"
    assert checked(network, account, key, None, json={"status": "FINISHED"}) is None
    with pytest.raises(Temporary) as ended:
        checked(network, account, key, None, json={"status": "EXPIRED"})
    assert ended.value.starts_over
    answers: list[dict[str, Any]] = [
        {"json": {"status": "IN_PROGRESS"}},
        {"json": {}},
        {"status": 404, "json": {}},
    ]
    for unclear in answers:
        with pytest.raises(Temporary):
            checked(network, account, key, None, **unclear)
    network.get(f"{API}/me/threads", json={"data": [own("Something else"), own()]})
    network.get(f"{API}/me/replies", json={"data": []})
    found = checked(network, account, key, None, json={"status": "PUBLISHED"})
    assert found == StepResult(remote_id="900", permalink="https://www.threads.net/@harbour/post/Pp")


def test_a_state_that_may_be_late_is_not_believed_at_once(
    network: responses.RequestsMock, account: ThreadsConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meta, "clock_now", lambda: NOW + dt.timedelta(seconds=5))
    with pytest.raises(Temporary):
        checked(network, account, "part0.publish", None, json={"status": "FINISHED"})
    monkeypatch.setattr(meta, "clock_now", lambda: NOW + dt.timedelta(seconds=31))
    assert checked(network, account, "part0.publish", None, json={"status": "FINISHED"}) is None


@pytest.mark.parametrize(
    "other",
    [
        own(media_type="IMAGE"),
        own(replied_to={"id": "1"}),
        own(timestamp="2026-11-22T11:00:00+0000"),
        own(media_type="REPOST_FACADE"),
        {"id": "1"},
    ],
)
def test_no_other_post_is_taken_for_it(
    network: responses.RequestsMock, account: ThreadsConnector, other: dict[str, Any]
) -> None:
    network.get(f"{API}/me/threads", json={"data": [other]})
    network.get(f"{API}/me/replies", json={"data": []})
    with pytest.raises(Temporary, match="not listed"):
        checked(network, account, "part0.publish", None, json={"status": "PUBLISHED"})


def test_a_publication_that_was_carried_out_before_is_not_refused(
    network: responses.RequestsMock, account: ThreadsConnector
) -> None:
    network.post(f"{API}/me/threads_publish", status=400, json=graph_error(100))
    network.get(f"{API}/77", json={"status": "PUBLISHED"})
    network.get(f"{API}/me/threads", json={"data": []})
    network.get(f"{API}/me/replies", json={"data": []})
    with pytest.raises(OutcomeUnknown):
        publish(account, payload("Hello"))
    # What is listed may be another's with the same words: that is found out where all of them are known.
    network.upsert("GET", f"{API}/me/threads", json={"data": [own("Hello")]})
    for state in ("FINISHED", "PUBLISHED"):
        network.upsert("GET", f"{API}/77", json={"status": state})
        with pytest.raises(OutcomeUnknown):
            publish(account, payload("Hello"))
    network.upsert("GET", f"{API}/me/threads", json={"data": []})
    for state in ("FINISHED", "ERROR"):
        network.upsert("GET", f"{API}/77", json={"status": state})
        with pytest.raises(Rejected):
            publish(account, payload("Hello"))
    network.upsert("GET", f"{API}/77", json={"status": "EXPIRED"})
    with pytest.raises(Temporary) as ended:
        publish(account, payload("Hello"))
    assert ended.value.starts_over


@pytest.mark.parametrize(
    ("status", "said", "error", "reason"),
    [
        (400, graph_error(190), NeedsReconnect, None),
        (401, graph_error(190, error_subcode=463), NeedsReconnect, None),
        (400, graph_error(10), Rejected, RejectReason.FORBIDDEN),
        (400, graph_error(200), Rejected, RejectReason.FORBIDDEN),
        (400, graph_error(24), Rejected, RejectReason.NOT_FOUND),
        (400, graph_error(100, error_subcode=33), Rejected, RejectReason.NOT_FOUND),
        (400, graph_error(100), Rejected, RejectReason.INVALID),
        (400, graph_error(4), RateLimited, None),
        (400, graph_error(32), RateLimited, None),
        (400, graph_error(9, error_subcode=2207042), RateLimited, None),
        (400, graph_error(2207027, error_subcode=2207027), OutcomeUnknown, None),
        (500, graph_error(1, is_transient=True), OutcomeUnknown, None),
        (503, {}, OutcomeUnknown, None),
    ],
)
def test_what_threads_says_decides_what_comes_next(
    network: responses.RequestsMock,
    account: ThreadsConnector,
    status: int,
    said: dict[str, Any],
    error: type[Exception],
    reason: RejectReason | None,
) -> None:
    network.post(f"{API}/me/threads_publish", status=status, json=said)
    network.get(f"{API}/77", json={"status": "FINISHED"})
    network.get(f"{API}/me/threads", json={"data": []})
    network.get(f"{API}/me/replies", json={"data": []})
    with pytest.raises(error) as raised:
        publish(account, payload("Hello"))
    assert getattr(raised.value, "reason", None) == reason


# --- answering --------------------------------------------------------------------------------


def test_a_reply_is_a_container_below_what_it_answers(
    network: responses.RequestsMock, account: ThreadsConnector, collection: Check
) -> None:
    network.post(f"{API}/me/threads", json={"id": "77"})
    sent = PostPayload((PostPart("Thanks"),), reply_to=ReplyTarget("8901234", "123456"))
    sent = dataclasses.replace(sent, settings={"topic": "Coffee", "reply_control": "mentioned_only"})
    send(account, sent, "part0.container", {})
    assert form_of(network.calls[0]) == {"media_type": "TEXT", "text": "Thanks", "reply_to_id": "8901234"}
    assert collection(network.calls[0]) == []
    network.upsert("POST", f"{API}/me/threads", status=400, json=graph_error(100, error_subcode=33))
    with pytest.raises(Rejected) as refused:
        send(account, sent, "part0.container", {})
    assert refused.value.reason is RejectReason.NOT_FOUND


@pytest.mark.parametrize(
    ("action", "hide"), [(ModerationAction.HIDE, "true"), (ModerationAction.UNHIDE, "false")]
)
def test_a_reply_is_hidden_and_shown(
    network: responses.RequestsMock,
    account: ThreadsConnector,
    collection: Check,
    action: ModerationAction,
    hide: str,
) -> None:
    network.post(f"{API}/8901234/manage_reply", json={"success": True})
    sent = PostPayload((), moderation=Moderation(action, "8901234"))
    assert send(account, sent, "moderate", {}) == StepResult()
    assert form_of(network.calls[0]) == {"hide": hide}
    assert collection(network.calls[0]) == []
    network.upsert("POST", f"{API}/8901234/manage_reply", json={"success": False})
    with pytest.raises(Temporary):
        send(account, sent, "moderate", {})


@pytest.mark.parametrize("remote_id", ["", ".", "..", "/", "  "])
def test_no_id_never_becomes_another_call(
    network: responses.RequestsMock, account: ThreadsConnector, remote_id: str
) -> None:
    with pytest.raises(Rejected):
        send(
            account, PostPayload((), moderation=Moderation(ModerationAction.HIDE, remote_id)), "moderate", {}
        )
    with pytest.raises(Rejected):
        account.fetch_post(remote_id)
    assert not network.calls


# --- reading back -----------------------------------------------------------------------------


def test_own_posts_and_replies_are_read_together(
    network: responses.RequestsMock, account: ThreadsConnector, collection: Check
) -> None:
    children = {"data": [{"id": "1"}, {"id": "2"}]}
    carousel = own("Look", id="1", media_type="CAROUSEL_ALBUM", children=children)
    later = own("Thanks", id="2", timestamp="2026-11-22T12:09:00+0000", replied_to={"id": "55"})
    network.get(f"{API}/me/threads", json={"data": [carousel]})
    network.get(f"{API}/me/replies", json={"data": [later, carousel]})
    found = account.find_recent(since=NOW)
    assert [(post.remote_id, post.in_reply_to, post.media_count) for post in found] == [
        ("2", "55", 0),
        ("1", "", 2),
    ]
    assert query_of(network.calls[0])["since"] == str(int(NOW.timestamp()))
    assert [fault for call in network.calls for fault in collection(call)] == []


def test_who_may_not_read_replies_asks_for_none(network: responses.RequestsMock) -> None:
    network.get(f"{API}/me/threads", json={"data": []})
    assert client("threads_basic", "threads_content_publish").find_recent(since=NOW) == []
    assert "replied_to" not in query_of(network.calls[0])["fields"]
    assert len(network.calls) == 1


def test_a_post_is_read_by_its_id(
    network: responses.RequestsMock, account: ThreadsConnector, collection: Check
) -> None:
    network.get(f"{API}/900", json=own())
    post = account.fetch_post("900")
    assert post is not None
    assert (post.text, post.permalink) == ("Hello Coffee", "https://www.threads.net/@harbour/post/Pp")
    assert collection(network.calls[0]) == []
    network.upsert("GET", f"{API}/900", status=400, json=graph_error(100, error_subcode=33))
    assert account.fetch_post("900") is None


def test_what_is_used_of_a_day(
    network: responses.RequestsMock, account: ThreadsConnector, collection: Check
) -> None:
    used = {
        "quota_usage": 1,
        "config": {"quota_total": 250, "quota_duration": 86400},
        "reply_quota_usage": 0,
        "reply_config": {"quota_total": 1000, "quota_duration": 86400},
    }
    network.get(f"{API}/me/threads_publishing_limit", json={"data": [used]})
    told = [(q.name, q.used, q.limit, q.window_s) for q in account.fetch_quotas()]
    assert told == [("Posts", 1, 250, 86400), ("Replies", 0, 1000, 86400)]
    assert [one.name for one in client("threads_basic", "threads_content_publish").fetch_quotas()] == [
        "Posts"
    ]
    assert "reply" not in query_of(network.calls[1])["fields"]
    assert collection(network.calls[0]) == []


# --- counts -----------------------------------------------------------------------------------


def test_counts_of_the_account_and_its_posts(
    network: responses.RequestsMock, account: ThreadsConnector, collection: Check
) -> None:
    network.get(
        f"{API}/me/threads_insights",
        json={"data": [{"name": "followers_count", "period": "day", "total_value": {"value": 4321}}]},
    )
    numbers = {"views": 90, "likes": 8, "replies": 3, "reposts": 2, "quotes": 1, "shares": 5}
    rows = [{"name": name, "values": [{"value": value}]} for name, value in numbers.items()]
    network.get(f"{API}/900/insights", json={"data": rows})
    network.get(f"{API}/901/insights", status=400, json=graph_error(100, error_subcode=33))
    assert account.fetch_account_metrics() == AccountMetrics(followers=4321)
    assert account.fetch_post_metrics(["900", "901"]) == {
        "900": PostMetrics(likes=8, comments=3, shares=2, impressions=90, quotes=1)
    }
    assert [fault for call in network.calls for fault in collection(call)] == []


def test_somebody_elses_account_is_looked_up(
    network: responses.RequestsMock, account: ThreadsConnector
) -> None:
    network.get(
        f"{API}/profile_lookup",
        json={"username": "meta", "name": "Meta", "follower_count": 9, "profile_picture_url": "x"},
    )
    other = account.fetch_public_account(" @Meta ")
    assert other is not None
    assert (other.profile.remote_id, other.counts.followers) == ("meta", 9)
    assert other.profile.avatar_url == ""
    assert query_of(network.calls[0])["username"] == "meta"
    for missing in (
        graph_error(100, error_subcode=33),
        {"error": {"code": 100, "message": "User does not exist"}},
        {"error": {"code": 100, "message": "The requested profile is private"}},
    ):
        network.upsert("GET", f"{API}/profile_lookup", status=400, json=missing)
        assert account.fetch_public_account("nobody") is None
    network.upsert("GET", f"{API}/profile_lookup", status=400, json=graph_error(10))
    with pytest.raises(Rejected):
        account.fetch_public_account("nobody")


# --- inbox ------------------------------------------------------------------------------------


def reply(reply_id: str, text: str, to: str, *, by: str = "anna", **more: Any) -> dict[str, Any]:
    return {
        "id": reply_id,
        "text": text,
        "timestamp": "2026-11-22T12:05:00+0000",
        "media_type": "TEXT_POST",
        "username": by,
        "permalink": f"https://www.threads.net/@{by}/post/{reply_id}",
        "is_reply": True,
        "is_reply_owned_by_me": by == "harbour",
        "root_post": {"id": "900"},
        "replied_to": {"id": to},
        "hide_status": "NOT_HUSHED",
        **more,
    }


def inbox(one: ThreadsConnector) -> list[InboxItem]:
    items: list[InboxItem] = []
    cursor = ""
    for _page in range(9):
        page = one.fetch_inbox(since=NOW, cursor=cursor)
        items += page.items
        cursor = page.cursor
        if not cursor:
            return items
    raise AssertionError("the inbox does not end")


def test_replies_are_told_with_own_answers_in_their_conversations(
    network: responses.RequestsMock, collection: Check
) -> None:
    network.get(f"{API}/me/threads", json={"data": [own(has_replies=True), own(id="901", has_replies=False)]})
    told = [
        reply("14", "And you?", "13", by="harbour"),
        reply("13", "Thanks!", "12", by="Anna"),
        reply("12", "Glad you like it", "11", by="harbour"),
        reply("11", "Nice", "900", by="Anna", hide_status="HIDDEN"),
        reply("21", "Second part", "900", by="harbour"),
        reply("22", "Below the second part", "21", by="ben"),
        reply("31", "Old", "900", by="carl", timestamp="2026-11-20T12:05:00+0000"),
        reply("32", "To one that is gone", "99", by="dora"),
        {"id": "40"},
        {"text": "nameless"},
    ]
    network.get(f"{API}/900/conversation", json={"data": told})
    reader = client(
        "threads_basic", "threads_content_publish", "threads_read_replies", "threads_manage_replies"
    )
    items = {item.remote_id: item for item in inbox(reader)}
    assert {key: (i.thread_id, i.is_own) for key, i in items.items()} == {
        "11": ("11", False),
        "12": ("11", True),
        "13": ("11", False),
        "14": ("11", True),
        "22": ("22", False),
        "32": ("32", False),
    }
    first = items["11"]
    assert (first.kind, first.root_id, first.parent_id, first.is_hidden) == (
        InboxKind.COMMENT,
        "900",
        "900",
        True,
    )
    assert (first.author.remote_id, first.author.handle) == ("anna", "Anna")
    assert first.root is not None
    assert items["12"].author.remote_id == "78901"
    assert not items["13"].is_hidden
    assert [fault for call in network.calls for fault in collection(call)] == []


def test_mentions_are_told_with_own_answers_below_them(
    network: responses.RequestsMock, collection: Check
) -> None:
    mention = reply("50", "@harbour open?", "1", by="emil", root_post=None, replied_to=None, is_reply=False)
    below_us = reply("51", "@harbour hi", "900")
    elsewhere = reply("52", "ask @harbour", "60", by="fay", root_post={"id": "60"})
    ours = reply("53", "@harbour myself", "60", by="harbour", root_post={"id": "60"})
    network.get(f"{API}/me/mentions", json={"data": [mention, below_us, elsewhere, ours]})
    network.get(f"{API}/me/threads", json={"data": [{"id": "900"}]})
    answers = [reply("70", "Until six", "50", by="harbour"), reply("71", "Elsewhere", "88", by="harbour")]
    network.get(f"{API}/me/replies", json={"data": answers})
    scopes = [scope for scope in INFO.scopes if scope != "threads_manage_replies"]
    reader = ThreadsConnector(tokens=Tokens(access_token=TOKEN), options=OPTIONS | {"scopes": scopes})
    assert not reader.info.can(Capability.INBOX_COMMENTS)
    assert [item.remote_id for item in inbox(reader)] == ["50", "52"]
    assert "root_post" not in query_of(network.calls[0])["fields"]
    network.get(f"{API}/900/conversation", json={"data": []})
    items = {item.remote_id: item for item in inbox(client())}
    assert {key: (i.thread_id, i.is_own, i.kind) for key, i in items.items()} == {
        "50": ("50", False, InboxKind.MENTION),
        "52": ("52", False, InboxKind.MENTION),
        "70": ("50", True, InboxKind.MENTION),
    }
    assert [fault for call in network.calls for fault in collection(call)] == []


def test_without_scopes_for_it_there_is_no_inbox(network: responses.RequestsMock) -> None:
    assert inbox(client("threads_basic", "threads_content_publish")) == []
    assert not network.calls


# --- webhooks ---------------------------------------------------------------------------------


def call_of(field: str, value: dict[str, Any], **more: Any) -> bytes:
    told = {
        "app_id": "123456",
        "topic": "moderate",
        "target_id": "78901",
        "time": 1723226877,
        "subscription_id": "234567",
        "has_uid_field": False,
        "values": {"value": value, "field": field},
        **more,
    }
    return json.dumps(told).encode()


REPLY = {
    "id": "8901234",
    "username": "anna",
    "text": "Reply",
    "media_type": "TEXT_POST",
    "permalink": "https://www.threads.net/@anna/post/Pp",
    "replied_to": {"id": "900"},
    "root_post": {"id": "900", "owner_id": "78901", "username": "harbour"},
    "shortcode": "Pp",
    "timestamp": "2026-08-04T10:33:16+0000",
}


def test_a_reply_below_an_own_post_is_told_whole() -> None:
    (told,) = ThreadsConnector.webhook_events(call_of("replies", REPLY, target_id="8901234"))
    assert (told.kind, told.account_id) == (WebhookKind.INBOX, "78901")
    (item,) = told.items
    assert (item.remote_id, item.thread_id, item.root_id, item.text) == ("8901234", "8901234", "900", "Reply")
    assert (item.author.remote_id, item.is_own) == ("anna", False)
    (again,) = ThreadsConnector.webhook_events(call_of("replies", REPLY, time=1, target_id="8901234"))
    assert again.event_id == told.event_id


@pytest.mark.parametrize(
    "change",
    [{"replied_to": {"id": "567890"}}, {"username": "Harbour"}, {"timestamp": "never"}, {"username": None}],
    ids=["below a reply", "own", "without a date", "of nobody"],
)
def test_a_reply_that_cannot_be_placed_says_where_to_look(change: dict[str, Any]) -> None:
    (told,) = ThreadsConnector.webhook_events(call_of("replies", REPLY | change))
    assert (told.kind, told.account_id, told.items) == (WebhookKind.INBOX, "78901", ())


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("mentions", WebhookKind.INBOX),
        ("publish", WebhookKind.OTHER),
        ("delete", WebhookKind.OTHER),
        ("something", WebhookKind.OTHER),
    ],
)
def test_other_calls_name_the_account(field: str, kind: WebhookKind) -> None:
    (told,) = ThreadsConnector.webhook_events(call_of(field, {"id": "1"}))
    assert (told.kind, told.account_id, told.items) == (kind, "78901", ())


def signed_request(secret: str = SECRET) -> bytes:
    at = dt.datetime.now(dt.UTC).timestamp()
    claims = {"algorithm": "HMAC-SHA256", "user_id": "78901", "issued_at": int(at)}
    told = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    mark = base64.urlsafe_b64encode(hmac.new(secret.encode(), told, hashlib.sha256).digest()).rstrip(b"=")
    return b"signed_request=" + mark + b"." + told


def test_only_what_was_signed_for_this_app_is_genuine() -> None:
    body = call_of("replies", REPLY)
    mark = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()

    def is_taken(header: str, told: bytes = body) -> bool:
        return ThreadsConnector.is_genuine(told, {"x-hub-signature-256": header}, secret=SECRET)

    assert is_taken(f"sha256={mark}")
    assert not is_taken(f"sha256={mark}", body + b" ")
    assert not is_taken(f"sha1={mark}")
    assert not is_taken(mark)
    assert not is_taken("")
    assert not ThreadsConnector.is_genuine(body, {"x-hub-signature-256": f"sha256={mark}"}, secret="")
    assert ThreadsConnector.is_genuine(signed_request(), {}, secret=SECRET)
    assert not ThreadsConnector.is_genuine(signed_request("another"), {}, secret=SECRET)


def test_permissions_taken_back_and_requests_of_deletion_name_the_person() -> None:
    (revoked,) = ThreadsConnector.webhook_events(signed_request())
    (forget,) = ThreadsConnector.deletion_events(signed_request())
    assert (revoked.kind, revoked.account_id) == (WebhookKind.REVOKED, "78901")
    assert (forget.kind, forget.account_id) == (WebhookKind.FORGET, "78901")


def test_the_address_is_proved_to_whoever_knows_our_word() -> None:
    asked = {"hub.mode": "subscribe", "hub.verify_token": "ours", "hub.challenge": "1158201444"}
    assert ThreadsConnector.webhook_challenge(asked, secret=SECRET, verify_token="ours") == "1158201444"
    assert ThreadsConnector.webhook_challenge(asked, secret=SECRET, verify_token="other") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    field=st.sampled_from(["replies", "mentions", "publish"]),
    odd=st.dictionaries(st.sampled_from([*REPLY]), JSON),
)
def test_calls_of_any_shape_are_read_or_refused(field: str, odd: dict[str, Any]) -> None:
    for told in ThreadsConnector.webhook_events(call_of(field, REPLY | odd)):
        json.dumps([told.event_id, told.account_id])
        for item in told.items:
            assert "\0" not in item.text
            item.text.encode()
