"""The sandbox network's connector on canned answers."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from connectors import http
from connectors.base import (
    AppCredentials,
    Capability,
    LinkCard,
    PostMetrics,
    PostPart,
    PostPayload,
    Rate,
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
from connectors.sandbox import INFO, SandboxConnector, account_options
from tests.connectors.conftest import NOW, image, payload

HOST = "http://sandbox.example"
KEY = "0192c1b0-0000-7000-8000-000000000001"
POST: dict[str, Any] = {
    "id": "42",
    "url": f"{HOST}/@nori/42",
    "text": "Hello",
    "created_at": "2026-11-22T12:00:01.901Z",
    "reply_to": None,
    "media": [],
}
TOKEN_ANSWER = {"access_token": "a2", "refresh_token": "r2", "expires_in": 60, "scope": "read write"}
LIMITS = {
    "text_max": 280,
    "images_max": 2,
    "image_bytes_max": 1000,
    "image_pixels_max": 5000,
    "image_mime_types": ["image/png"],
    "alt_text_max": 100,
    "thread_max": 3,
    "consistency_window_s": 9,
    "quota": {"limit": 10, "window_s": 60},
}
PROFILE = {
    "handle": "nori",
    "name": "Nori Ramen",
    "url": f"{HOST}/@nori",
    "avatar_url": f"{HOST}/@nori/avatar.svg",
    "retry_safety": "two_phase",
    "limits": LIMITS,
}


@pytest.fixture(autouse=True)
def canned() -> Iterator[responses.RequestsMock]:
    http.configure(base_urls={"sandbox": HOST})
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def connector(mode: str = "idempotency_key", **arguments: Any) -> SandboxConnector:
    tokens = Tokens(access_token="tok-S3CRET", refresh_token="r1")
    return SandboxConnector(tokens=tokens, options={"host": HOST, "retry_safety": mode}, **arguments)


def sent_body(canned: responses.RequestsMock, number: int = -1) -> Any:
    return json.loads(canned.calls[number].request.body or "")


def publish(client: SandboxConnector, sent: PostPayload | None = None) -> StepResult:
    """The last step of a payload, after steps that all went well."""
    sent = sent or payload("Hello")
    *before, step = client.plan(sent)
    done = {one.key: StepResult(remote_id=f"id-{one.key}") for one in before}
    return client.send_step(step, sent, client.prepare_step(step, sent, done, key=KEY, now=NOW))


# --- limits and promises ----------------------------------------------------------------------


def test_limits_and_promise_are_those_of_the_account() -> None:
    info = SandboxConnector.info_for({"retry_safety": "two_phase", "limits": LIMITS})
    assert info.retry_safety is RetrySafety.TWO_PHASE
    assert (info.text.max_units, info.thread_max, info.consistency_window_s) == (280, 3, 9)
    assert (info.images.max_count, info.images.max_bytes, info.images.mime_types) == (2, 1000, ("image/png",))
    assert info.rates == (Rate("posts", 10, 60),)
    assert SandboxConnector.info_for({}) == INFO


@pytest.mark.parametrize(
    ("mode", "safety"),
    [
        ("idempotency_key", RetrySafety.IDEMPOTENT),
        ("two_phase", RetrySafety.TWO_PHASE),
        ("neither", RetrySafety.NEITHER),
    ],
)
def test_each_mode_has_its_safety(mode: str, safety: RetrySafety) -> None:
    assert connector(mode).safety_of({}, NOW) is safety


def test_the_promise_of_a_key_ends_before_the_network_forgets_it() -> None:
    client, sent = connector(), payload("Hello")
    intent = client.prepare_step(client.plan(sent)[0], sent, {}, key=KEY, now=NOW)
    assert client.safety_of(intent, NOW + dt.timedelta(hours=22)) is RetrySafety.IDEMPOTENT
    assert client.safety_of(intent, NOW + dt.timedelta(hours=23)) is RetrySafety.NEITHER


# --- publishing -------------------------------------------------------------------------------


def test_the_plan_has_a_container_only_in_two_phases() -> None:
    sent = payload("one", "two", media=(image(),))
    assert [step.key for step in connector("neither").plan(sent)] == [
        "part0.media0",
        "part0.publish",
        "part1.publish",
    ]
    assert [step.kind for step in connector("two_phase").plan(sent)] == [
        StepKind.MEDIA,
        StepKind.CONTAINER,
        StepKind.PUBLISH,
        StepKind.CONTAINER,
        StepKind.PUBLISH,
    ]


def test_a_post_carries_everything_and_its_key(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v1/posts", json=POST, status=201)
    part = PostPart("two", media=(image(),), link_card=LinkCard("https://a.example/", "A", "B"))
    result = publish(connector(), PostPayload((PostPart("one"), part), language="ja"))
    assert (result.remote_id, result.permalink) == ("42", f"{HOST}/@nori/42")
    assert sent_body(canned) == {
        "text": "two",
        "media_ids": ["id-part1.media0"],
        "reply_to": "id-part0.publish",
        "language": "ja",
        "card": {"url": "https://a.example/", "title": "A", "description": "B"},
    }
    headers = canned.calls[0].request.headers
    assert (headers["Idempotency-Key"], headers["X-Client-Ref"]) == (KEY, KEY)
    assert headers["Authorization"] == "Bearer tok-S3CRET"


def test_without_the_promise_no_key_is_sent(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v1/posts", json=POST, status=201)
    publish(connector("neither"))
    assert "Idempotency-Key" not in canned.calls[0].request.headers
    assert canned.calls[0].request.headers["X-Client-Ref"] == KEY


def test_the_intent_is_plain_json_and_always_the_same() -> None:
    sent = payload("Hello", media=(image(),))
    for mode in ("idempotency_key", "two_phase", "neither"):
        client = connector(mode)
        done = {step.key: StepResult(remote_id="1") for step in client.plan(sent)}
        for step in client.plan(sent):
            intent = client.prepare_step(step, sent, done, key=KEY, now=NOW)
            assert json.loads(json.dumps(intent)) == intent
            assert client.prepare_step(step, sent, done, key=KEY, now=NOW) == intent


def test_an_image_goes_out_with_its_alt_text(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v1/media", json={"id": "7", "state": "ready"}, status=201)
    client, sent = connector(), payload("Hello", media=(image("A cat"),))
    step = client.plan(sent)[0]
    result = client.send_step(step, sent, client.prepare_step(step, sent, {}, key=KEY, now=NOW))
    assert (result.state, result.remote_id) == (StepState.DONE, "7")
    body = canned.calls[0].request.body
    assert isinstance(body, bytes)
    assert b"A cat" in body
    assert b"\x89PNG" in body


@pytest.mark.parametrize(
    ("state", "expected"), [("processing", StepState.PROCESSING), ("ready", StepState.DONE)]
)
def test_slow_media_are_asked_for(canned: responses.RequestsMock, state: str, expected: StepState) -> None:
    canned.get(f"{HOST}/api/v1/media/7", json={"id": "7", "state": state})
    client, sent = connector(), payload("Hello", media=(image(),))
    result = client.check(client.plan(sent)[0], {}, StepResult(StepState.PROCESSING, remote_id="7"))
    assert result is not None
    assert (result.state, result.remote_id) == (expected, "7")


def test_media_that_the_network_cannot_process_are_rejected(canned: responses.RequestsMock) -> None:
    canned.get(f"{HOST}/api/v1/media/7", json={"id": "7", "state": "error"})
    client, sent = connector(), payload("Hello", media=(image(),))
    with pytest.raises(Rejected) as caught:
        client.check(client.plan(sent)[0], {}, StepResult(StepState.PROCESSING, remote_id="7"))
    assert caught.value.reason is RejectReason.MEDIA_BROKEN


@pytest.mark.parametrize(
    ("state", "expected"), [("IN_PROGRESS", StepState.PROCESSING), ("FINISHED", StepState.DONE)]
)
def test_a_container_says_how_far_it_is(
    canned: responses.RequestsMock, state: str, expected: StepState
) -> None:
    canned.post(f"{HOST}/api/v1/containers", json={"id": "9", "state": state}, status=201)
    canned.get(f"{HOST}/api/v1/containers/9", json={"id": "9", "state": state})
    client, sent = connector("two_phase"), payload("Hello")
    step = client.plan(sent)[0]
    made = client.send_step(step, sent, client.prepare_step(step, sent, {}, key=KEY, now=NOW))
    assert (made.state, made.remote_id) == (expected, "9")
    checked = client.check(step, {}, made)
    assert checked is not None
    assert checked.state is expected


@pytest.mark.parametrize("state", ["IN_PROGRESS", "FINISHED"])
def test_a_container_that_is_not_published_was_not_carried_out(
    canned: responses.RequestsMock, state: str
) -> None:
    canned.get(f"{HOST}/api/v1/containers/9", json={"id": "9", "state": state})
    client = connector("two_phase")
    assert client.check(client.plan(payload("x"))[-1], {"container_id": "9"}, None) is None


def test_a_published_container_names_its_post(canned: responses.RequestsMock) -> None:
    body = {"id": "9", "state": "PUBLISHED", "post_id": "42", "post_url": POST["url"]}
    canned.get(f"{HOST}/api/v1/containers/9", json=body)
    client = connector("two_phase")
    found = client.check(client.plan(payload("x"))[-1], {"container_id": "9"}, None)
    assert found == StepResult(remote_id="42", permalink=POST["url"])


def test_publishing_a_container_again_adopts_its_post(canned: responses.RequestsMock) -> None:
    error = {"code": "already_published", "message": "", "post_id": "42", "post_url": POST["url"]}
    canned.post(f"{HOST}/api/v1/containers/id-part0.container/publish", json={"error": error}, status=409)
    assert publish(connector("two_phase")).remote_id == "42"


# --- errors -----------------------------------------------------------------------------------


def refused(code: str, **facts: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": "No.", **facts}}


@pytest.mark.parametrize(
    ("status", "body", "error", "reason"),
    [
        (401, refused("token_expired"), NeedsReconnect, None),
        (403, refused("insufficient_scope"), NeedsReconnect, None),
        (403, refused("forbidden"), Rejected, RejectReason.FORBIDDEN),
        (422, refused("text_empty"), Rejected, RejectReason.TEXT_EMPTY),
        (422, refused("text_too_long"), Rejected, RejectReason.TEXT_TOO_LONG),
        (422, refused("too_many_media"), Rejected, RejectReason.TOO_MANY_MEDIA),
        (422, refused("media_broken"), Rejected, RejectReason.MEDIA_BROKEN),
        (415, refused("media_type"), Rejected, RejectReason.MEDIA_TYPE),
        (413, refused("media_too_large"), Rejected, RejectReason.MEDIA_TOO_LARGE),
        (422, refused("reply_to_missing"), Rejected, RejectReason.NOT_FOUND),
        (422, refused("thread_too_long"), Rejected, RejectReason.THREAD_TOO_LONG),
        (422, refused("container_required"), Rejected, RejectReason.NOT_SUPPORTED),
        (409, refused("idempotency_conflict"), Rejected, RejectReason.INVALID),
        (422, refused("media_not_ready"), Temporary, None),
        (500, refused("internal"), OutcomeUnknown, None),
        (502, "<h1>Bad gateway</h1>", OutcomeUnknown, None),
        (200, "<h1>Hello</h1>", OutcomeUnknown, None),
        (201, {}, OutcomeUnknown, None),
    ],
)
def test_what_an_answer_to_a_publication_means(
    canned: responses.RequestsMock,
    status: int,
    body: Any,
    error: type[ConnectorError],
    reason: RejectReason | None,
) -> None:
    content = body if isinstance(body, str) else json.dumps(body)
    canned.post(f"{HOST}/api/v1/posts", body=content, status=status)
    with pytest.raises(error) as caught:
        publish(connector())
    assert type(caught.value) is error
    assert reason is None or caught.value.reason is reason  # type: ignore[attr-defined]


def test_an_error_of_the_server_on_what_may_be_repeated_is_temporary(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v1/containers", json=refused("internal"), status=500)
    canned.post(f"{HOST}/api/v1/media", json=refused("internal"), status=500)
    client, sent = connector("two_phase"), payload("Hello", media=(image(),))
    done = {"part0.media0": StepResult(remote_id="7")}
    for step in client.plan(sent)[:2]:
        with pytest.raises(Temporary):
            client.send_step(step, sent, client.prepare_step(step, sent, done, key=KEY, now=NOW))


def test_a_dropped_connection_leaves_a_publication_unknown(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v1/posts", body=requests.ConnectionError("reset"))
    with pytest.raises(OutcomeUnknown):
        publish(connector())


@pytest.mark.parametrize("value", ["30", "Sun, 22 Nov 2037 12:00:00 GMT"])
def test_a_rate_limit_says_until_when(canned: responses.RequestsMock, value: str) -> None:
    canned.post(
        f"{HOST}/api/v1/posts", json=refused("rate_limited"), status=429, headers={"Retry-After": value}
    )
    asked_at = dt.datetime.now(dt.UTC)
    with pytest.raises(RateLimited) as caught:
        publish(connector())
    assert caught.value.retry_at >= asked_at + dt.timedelta(seconds=30)


def test_tokens_never_stand_in_an_error(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v1/posts", body="no, tok-S3CRET is wrong", status=400)
    with pytest.raises(Rejected) as caught:
        publish(connector())
    assert "S3CRET" not in caught.value.detail


# --- tokens and connecting --------------------------------------------------------------------


def test_a_stale_token_is_renewed_once_and_the_call_repeated(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v1/posts", json=refused("token_expired"), status=401)
    canned.post(f"{HOST}/api/v1/posts", json=POST, status=201)
    seen: list[str] = []

    def renew(stale: Tokens) -> Tokens:
        seen.append(stale.access_token)
        return Tokens(access_token="fresh")

    assert publish(connector(renew=renew)).remote_id == "42"
    assert seen == ["tok-S3CRET"]
    assert canned.calls[1].request.headers["Authorization"] == "Bearer fresh"


def test_a_token_that_stays_refused_needs_a_person(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v1/posts", json=refused("token_revoked"), status=401)
    with pytest.raises(NeedsReconnect):
        publish(connector(renew=lambda stale: stale))
    assert len(canned.calls) == 2


def test_refreshing_sends_the_app_and_keeps_the_new_pair(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/oauth/token", json=TOKEN_ANSWER)
    tokens = SandboxConnector.refresh(
        tokens=Tokens(refresh_token="r1"),
        options={"host": HOST},
        app=AppCredentials(client_id="c", client_secret="s"),
    )
    assert (tokens.access_token, tokens.refresh_token) == ("a2", "r2")
    assert tokens.expires_at is not None
    form = parse_qs(str(canned.calls[0].request.body))
    assert form == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["r1"],
        "client_id": ["c"],
        "client_secret": ["s"],
    }


@pytest.mark.parametrize("status", [400, 401])
def test_a_dead_refresh_token_needs_a_person(canned: responses.RequestsMock, status: int) -> None:
    canned.post(f"{HOST}/oauth/token", json={"error": "invalid_grant"}, status=status)
    with pytest.raises(NeedsReconnect):
        SandboxConnector.refresh(tokens=Tokens(refresh_token="r1"), options={}, app=None)


def test_connecting_ends_with_the_account_and_what_it_promises(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/api/v1/apps", json={"client_id": "c", "client_secret": "s"}, status=201)
    canned.post(f"{HOST}/oauth/token", json=TOKEN_ANSWER)
    canned.get(f"{HOST}/api/v1/accounts/me", json=PROFILE)
    back = "https://app.example/back"
    app = SandboxConnector.register_app(host="", redirect_uri=back, app_name="smmapp", website="")
    assert (app.client_id, app.host) == ("c", "")
    asked = SandboxConnector.authorize_url(app=app, redirect_uri=back, state="s1")
    query = parse_qs(urlsplit(asked.url).query)
    assert asked.url.startswith(f"{HOST}/oauth/authorize?")
    assert (query["code_challenge_method"], query["state"]) == (["S256"], ["s1"])
    assert asked.code_verifier not in asked.url
    connected = SandboxConnector.exchange_code(
        app=app, code="code", code_verifier=asked.code_verifier, redirect_uri=back
    )
    assert (connected.profile.handle, connected.profile.display_name) == ("nori", "Nori Ramen")
    assert connected.scopes == ("read", "write")
    assert connected.options == {
        "host": HOST,
        "scopes": ["read", "write"],
        "retry_safety": "two_phase",
        "limits": LIMITS,
    }
    # This grant leaves the inbox out.
    assert not SandboxConnector.info_for(connected.options).can(Capability.INBOX_COMMENTS)


def test_a_code_that_is_not_known_is_rejected(canned: responses.RequestsMock) -> None:
    canned.post(f"{HOST}/oauth/token", json={"error": "invalid_grant"}, status=400)
    with pytest.raises(Rejected) as caught:
        SandboxConnector.exchange_code(
            app=AppCredentials("c", "s"), code="x", code_verifier="v", redirect_uri="https://a.example/"
        )
    assert caught.value.reason is RejectReason.INVALID


def test_without_a_configured_network_there_is_none() -> None:
    http.configure()
    with pytest.raises(Rejected) as caught:
        SandboxConnector.register_app(host="", redirect_uri="x", app_name="x", website="")
    assert caught.value.reason is RejectReason.HOST_UNKNOWN


def test_a_host_that_is_not_the_configured_one_may_not_be_private() -> None:
    http.configure()
    with pytest.raises(Rejected) as caught:
        SandboxConnector.register_app(host="http://127.0.0.1:9", redirect_uri="x", app_name="x", website="")
    assert caught.value.reason is RejectReason.HOST_REFUSED


# --- reading ----------------------------------------------------------------------------------


def test_recent_posts_are_read_page_by_page(canned: responses.RequestsMock) -> None:
    path = f"{HOST}/api/v1/accounts/me/posts"
    canned.get(path, json={"posts": [POST], "cursor": "1-42"})
    canned.get(path, json={"posts": [POST | {"id": "41", "reply_to": "40"}], "cursor": None})
    found = connector().find_recent(since=NOW)
    assert [(post.remote_id, post.in_reply_to) for post in found] == [("42", ""), ("41", "40")]
    assert found[0].created_at == dt.datetime(2026, 11, 22, 12, 0, 1, 901_000, tzinfo=dt.UTC)
    assert "cursor=1-42" in str(canned.calls[1].request.url)


def test_a_post_is_read_back_as_the_public_sees_it(canned: responses.RequestsMock) -> None:
    canned.get(f"{HOST}/api/v1/posts/42", json=POST)
    found = connector().fetch_post("42")
    assert found is not None
    assert found.text == "Hello"
    assert "Authorization" not in canned.calls[0].request.headers


def test_a_post_that_is_gone_is_none(canned: responses.RequestsMock) -> None:
    canned.get(f"{HOST}/api/v1/posts/42", json=refused("not_found"), status=404)
    assert connector().fetch_post("42") is None


def test_posts_are_read_back_in_hundreds_and_gone_ones_are_absent(canned: responses.RequestsMock) -> None:
    canned.get(f"{HOST}/api/v1/posts", json={"posts": [POST]})
    found = list(connector().fetch_posts([str(number) for number in range(150)]))
    assert [post.remote_id for post in found] == ["42", "42"]
    assert len(canned.calls) == 2
    assert "Authorization" not in canned.calls[0].request.headers


def test_counts_are_taken_in_hundreds_and_gone_posts_are_absent(canned: responses.RequestsMock) -> None:
    counts = {"likes": 3, "comments": 1, "shares": 2, "impressions": 90, "reach": 70, "clicks": 4}
    canned.get(f"{HOST}/api/v1/metrics/posts", json={"posts": {"1": counts}})
    found = connector().fetch_post_metrics([str(number) for number in range(150)])
    assert found == {"1": PostMetrics(likes=3, comments=1, shares=2, impressions=90, reach=70, clicks=4)}
    assert len(canned.calls) == 2


def test_account_counts(canned: responses.RequestsMock) -> None:
    canned.get(f"{HOST}/api/v1/metrics/account", json={"followers": 9, "following": 2, "posts": 5, "at": "x"})
    found = connector().fetch_account_metrics()
    assert (found.followers, found.following, found.posts) == (9, 2, 5)


# --- topics -----------------------------------------------------------------------------------


def test_accounts_with_topics_ask_for_one() -> None:
    assert SandboxConnector.info_for({}).post_fields == ()
    assert account_options(PROFILE | {"topics": []}) == account_options(PROFILE)
    options = account_options(PROFILE | {"topics": ["News"]})
    (field,) = SandboxConnector.info_for(options).post_fields
    assert (field.name, field.is_required, field.is_of_account) == ("topic", False, True)


def test_topics_are_read_and_the_first_part_carries_one(canned: responses.RequestsMock) -> None:
    canned.get(f"{HOST}/api/v1/accounts/me", json=PROFILE | {"topics": ["News", "Tips"]})
    assert connector().fetch_choices() == {"topic": [("News", "News"), ("Tips", "Tips")]}
    sent = dataclasses.replace(payload("one", "two"), settings={"topic": "News"})
    client = connector()
    first, second = client.plan(sent)
    assert client.prepare_step(first, sent, {}, key=KEY, now=NOW)["post"]["topic"] == "News"
    done = {"part0.publish": StepResult(remote_id="42")}
    assert "topic" not in client.prepare_step(second, sent, done, key=KEY, now=NOW)["post"]
