"""Meta's networks answer anything at all: what leaves a connector is one of the five errors at most, and what
it says of a publication is never made up."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
import os
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import (
    AppCredentials,
    Connector,
    MediaItem,
    MessageTarget,
    Moderation,
    ModerationAction,
    PostPart,
    PostPayload,
    ReplyTarget,
    RetrySafety,
    StepKind,
    StepResult,
    StepState,
    Tokens,
    WebhookEvent,
)
from connectors.errors import ConnectorError, Rejected
from connectors.facebook import FacebookConnector
from connectors.instagram import InstagramConnector
from connectors.threads import ThreadsConnector
from tests.connectors.conftest import NOW
from tests.connectors.facebook_stage import film, upright
from tests.connectors.instagram_stage import film as public_film
from tests.connectors.instagram_stage import photo
from tests.connectors.odd_answers import ODD, with_odd

IG, PAGE = "17841400000000001", "1001"
UUID = "0192c1b0-0000-7000-8000-000000000001"
STAMP = "2026-11-22T12:00:00+0000"
TOKENS = Tokens(access_token="a-token-of-meta", refresh_token="a-token-of-meta")
APP = AppCredentials("123", "app-secret-app-secret", extra={"login": "instagram"})
FACEBOOK_APP = dataclasses.replace(APP, extra={"login": "facebook"})
DEEP = '{"error":' * 30_000 + "1" + "}" * 30_000
NASTY = st.one_of(
    ODD,
    st.sampled_from(
        [
            "0001-01-01T00:00:00+1400",
            "9999-12-31T23:59:59-1400",
            "²",
            "٣",
            "9" * 5000,
            "https://[bad",
            "https://graph.facebook.com/x?after=\ud83d",
            "\ud83d",
            "",
            "..",
            "a b\nc",
            1e300,
            10**400,
            -1,
            True,
            None,
            [],
            {},
            [[]],
            [1],
            {"data": 1},
            {"data": [1]},
        ]
    ),
)

EXAMPLES = int(os.environ.get("ODD_EXAMPLES", "12"))


def instagram() -> InstagramConnector:
    options = {"login": "instagram", "ig_id": IG, "person_id": "26", "username": "harbour"}
    return InstagramConnector(tokens=TOKENS, options=options, app=APP)


def linked() -> InstagramConnector:
    options = {"login": "facebook", "ig_id": IG, "page_id": PAGE, "username": "harbour"}
    return InstagramConnector(tokens=TOKENS, options=options, app=FACEBOOK_APP)


def facebook() -> FacebookConnector:
    return FacebookConnector(tokens=TOKENS, options={"page_id": PAGE, "name": "Harbour"}, app=APP)


def threads() -> ThreadsConnector:
    return ThreadsConnector(tokens=TOKENS, options={"user_id": "7", "username": "harbour"}, app=APP)


# --- what is answered, if nothing is odd ------------------------------------------------------

SOMEBODY = {"id": "55", "username": "ann", "name": "Ann"}
OURS = {"id": IG, "username": "harbour", "name": "Harbour"}
PAGING = {
    "next": "https://graph.facebook.com/v25.0/x?after=two&access_token=secret",
    "cursors": {"after": "t"},
}
COMMENT = {
    "id": "1781",
    "text": "Nice",
    "message": "Nice",
    "timestamp": STAMP,
    "created_time": STAMP,
    "from": SOMEBODY,
    "parent": {"id": "1780"},
    "permalink_url": "/x",
    "attachment": {},
    "replies": {"data": [{"id": "1782", "text": "Yes", "timestamp": STAMP, "from": OURS}]},
}
POST = {
    "id": "1001_2002",
    "caption": "Hello",
    "text": "Hello",
    "message": "Hello",
    "timestamp": STAMP,
    "created_time": STAMP,
    "permalink": "https://www.instagram.com/p/1/",
    "permalink_url": "https://www.facebook.com/1",
    "media_type": "CAROUSEL",
    "children": {"data": [{"id": "1"}]},
    "attachments": {"data": [{"media_type": "album", "subattachments": {"data": [{}, {}]}}]},
    "comments": {"data": [COMMENT], "paging": PAGING},
    "username": "harbour",
    "from": SOMEBODY,
    "is_published": True,
    "published": True,
    "is_reply": True,
    "root_post": {"id": "900", "owner_id": "7", "username": "harbour"},
    "replied_to": {"id": "900"},
    "has_replies": True,
    "media_id": "180",
    "post_id": "2002",
    "creation_time": "1795348800",
    "url": "https://www.facebook.com/s",
    "like_count": 3,
    "comments_count": 2,
    "reactions": {"summary": {"total_count": 3}},
    "shares": {"count": 1},
    "insights": {"data": [{"name": "post_clicks", "values": [{"value": 3}]}]},
    "reviewer": SOMEBODY,
    "review_text": "Good",
    "recommendation_type": "positive",
    "open_graph_story": {"id": "77"},
}
TALK = {
    "id": "t1",
    "updated_time": STAMP,
    "participants": {"data": [OURS, SOMEBODY]},
    "messages": {
        "data": [
            {"id": "m1", "message": "Hi", "created_time": STAMP, "from": SOMEBODY, "to": {"data": [OURS]}},
            {"id": "m2", "message": "Hi", "created_time": STAMP, "from": OURS, "to": {"data": [SOMEBODY]}},
        ]
    },
}
ACCOUNT = {
    "id": IG,
    "user_id": IG,
    "username": "harbour",
    "name": "Harbour",
    "access_token": "of-the-page",
    "picture": {"data": {"url": "https://x.example.com/1.jpg"}},
    "profile_picture_url": "https://x.example.com/1.jpg",
    "threads_profile_picture_url": "https://x.example.com/1.jpg",
    "link": "https://www.facebook.com/1001",
    "followers_count": 3,
    "follows_count": 3,
    "fan_count": 3,
    "media_count": 3,
    "follower_count": 3,
}
TOKEN = {"access_token": "fresh", "user_id": 26, "permissions": ["a", "b"], "expires_in": 5_184_000}
QUOTA = {"quota_total": 100, "quota_duration": 86400}
QUOTAS = {"quota_usage": 2, "config": QUOTA, "reply_quota_usage": 2, "reply_config": QUOTA}
INSIGHTS = [
    {"name": "views", "values": [{"value": 90}]},
    {"name": "likes", "total_value": {"value": {"a": 1, "b": 2}}},
]
STATUS = {"video_status": "ready", "publishing_phase": {"status": "error", "errors": [{"message": "no"}]}}
BEGUN = {
    "video_id": "77",
    "upload_session_id": "5",
    "upload_url": "https://rupload.facebook.com/video-upload/v25.0/77",
    "start_offset": "0",
    "end_offset": "10",
    "success": True,
    "post_id": "4004",
    "id": "1790",
    "message_id": "m9",
}
# The first that fits the method and the address.
USUAL: list[tuple[str, Any]] = [
    (r"GET .*me/permissions", {"data": [{"permission": "pages_show_list", "status": "granted"}]}),
    (r"GET .*debug_token", {"data": {"is_valid": True, "scopes": ["threads_basic"]}}),
    (r"(GET|POST) .*access_token(\?|$)", TOKEN),
    (r"GET .*me/accounts", {"data": [{**ACCOUNT, "instagram_business_account": ACCOUNT}], "paging": PAGING}),
    (r"GET .*publishing_limit", {"data": [QUOTAS]}),
    (r"GET .*business_discovery", {"business_discovery": ACCOUNT}),
    (r"GET .*profile_lookup", ACCOUNT),
    (r"GET .*/(threads_)?insights", {"data": INSIGHTS}),
    (r"GET .*fields=status(%2C|&|$)", {"status": STATUS, "status_code": "PUBLISHED"}),
    (r"GET .*fields=id%2Cstatus%2Cerror", {"status": "PUBLISHED", "error_message": "x"}),
    (r"GET .*fields=status_code", {"status_code": "PUBLISHED", "status": "Error: 2207026"}),
    (r"GET .*/conversations", {"data": [TALK], "paging": PAGING}),
    (r"GET .*/(media|tags|stories|published_posts|tagged|visitor_posts|ratings)\b", {"data": [POST]}),
    (r"GET .*/(comments|replies|conversation)\b", {"data": [COMMENT, POST], "paging": PAGING}),
    (r"GET .*me/(threads|mentions)\b", {"data": [POST], "paging": PAGING}),
    (r"GET .*(followers_count|username)", ACCOUNT),
    (r"GET ", {**POST, "status": STATUS}),
    (r"POST .*/videos", BEGUN),
    (r"(POST|DELETE) ", BEGUN),
]


def usual(request: requests.PreparedRequest) -> Any:
    asked = f"{request.method} {request.url}"
    return next(answer for pattern, answer in USUAL if re.match(pattern, asked))


# --- what is done -----------------------------------------------------------------------------


def publish(client: Connector, sent: PostPayload) -> None:
    """Every step, whatever became of the one before; each is asked about where the outbox would ask."""
    done: dict[str, StepResult] = {}
    for step in client.plan(sent):
        intent, left = None, StepResult(remote_id="180")
        with contextlib.suppress(ConnectorError):
            intent = client.prepare_step(step, sent, done, key=UUID, now=NOW)
            left = client.send_step(step, sent, intent)
            json.dumps(dataclasses.asdict(left), default=str)
        done[step.key] = dataclasses.replace(left, remote_id=left.remote_id or "180")
        if step.kind is StepKind.PUBLISH and intent is not None:
            is_asked = client.safety_of(intent, NOW) is RetrySafety.TWO_PHASE
        else:
            is_asked = step.kind is not StepKind.MODERATE and left.state is StepState.PROCESSING
        if intent is None or not is_asked:
            continue
        for before in (None, done[step.key]):
            with contextlib.suppress(ConnectorError):
                client.check(step, intent, before)


def post(*media: MediaItem, comment: str = "", **said: Any) -> PostPayload:
    parts = (PostPart("Hello", media), *((PostPart(comment, is_comment=True),) if comment else ()))
    return PostPayload(parts, settings=said)


REPLY = PostPayload((PostPart("Yes"),), reply_to=ReplyTarget("1781", "1790", {"comment": "1781"}))
TAG_REPLY = PostPayload((PostPart("Yes"),), reply_to=ReplyTarget("1795", "", {"media_id": "1795"}))
MESSAGE = PostPayload((PostPart("Yes"),), message_to=MessageTarget("900", "900", {"received_at": STAMP}))


def connect(client: Connector, app: AppCredentials) -> None:
    made = type(client).exchange_accounts(
        app=app, code="c", code_verifier="", redirect_uri="https://x.example.com"
    )
    for one in made:
        json.dumps(one.options)
        type(client).info_for(one.options)
        one.tokens.access_token.encode("latin-1")  # it goes into a header


def inbox(client: Connector) -> None:
    cursor = ""
    for _page in range(6):
        page = client.fetch_inbox(since=NOW - dt.timedelta(days=1), cursor=cursor)
        for item in page.items:
            json.dumps(item.detail).encode()
            item.text.encode()
        cursor = page.cursor
        if not cursor:
            return


def moderate(client: Connector) -> None:
    actions = (ModerationAction.HIDE, ModerationAction.UNHIDE)
    for action in actions:
        publish(client, PostPayload((), moderation=Moderation(action, "1781")))


COMMON: dict[str, Callable[[Any], object]] = {
    "profile": lambda c: c.fetch_profile(),
    "quotas": lambda c: c.fetch_quotas(),
    "recent": lambda c: c.find_recent(since=NOW),
    "sent post": lambda c: c.find_sent(post(comment="first"), since=NOW),
    "sent reply": lambda c: c.find_sent(REPLY, since=NOW),
    "posts": lambda c: [*c.fetch_posts(["1001_2002", "77"])],
    "inbox": inbox,
    "moderate": moderate,
    "subscribe": lambda c: c.subscribe(),
    "other": lambda c: c.fetch_public_account("rival"),
    "account counts": lambda c: c.fetch_account_metrics(),
    "post counts": lambda c: c.fetch_post_metrics(["1001_2002", "77"]),
    "reply": lambda c: publish(c, REPLY),
}
MESSAGES: dict[str, Callable[[Any], object]] = {
    "sent message": lambda c: c.find_sent(MESSAGE, since=NOW),
    "message": lambda c: publish(c, MESSAGE),
}
ACTS: dict[str, tuple[Callable[[], Connector], Callable[[Any], object]]] = {}
for _name, _make, _acts in (
    (
        "instagram",
        instagram,
        COMMON
        | MESSAGES
        | {
            "connect": lambda c: connect(c, APP),
            "refresh": lambda c: c.refresh(tokens=TOKENS, options={}, app=None),
            "post": lambda c: publish(c, post(photo(), comment="first")),
            "carousel": lambda c: publish(c, post(photo(), public_film())),
            "story": lambda c: publish(c, post(photo(), placement="story")),
            "tag": lambda c: publish(c, TAG_REPLY),
        },
    ),
    (
        "linked",
        linked,
        {"connect": lambda c: connect(c, FACEBOOK_APP), "other": COMMON["other"], **MESSAGES},
    ),
    (
        "facebook",
        facebook,
        COMMON
        | MESSAGES
        | {
            "connect": lambda c: connect(c, APP),
            "post": lambda c: publish(c, post(photo(), comment="first")),
            "video": lambda c: publish(c, post(film())),
            "reel": lambda c: publish(c, post(upright())),
            "story": lambda c: publish(c, post(photo(), placement="story")),
            "film story": lambda c: publish(c, post(upright(), placement="story")),
        },
    ),
    (
        "threads",
        threads,
        COMMON
        | {
            "connect": lambda c: connect(c, APP),
            "refresh": lambda c: c.refresh(tokens=TOKENS, options={}, app=None),
            "post": lambda c: publish(c, post(comment="first")),
            "carousel": lambda c: publish(c, post(photo(), public_film())),
        },
    ),
):
    ACTS |= {f"{_name}: {act}": (_make, do) for act, do in _acts.items()}


def run(act: str, answer: Callable[[requests.PreparedRequest], tuple[int, dict[str, str], str]]) -> None:
    make, do = ACTS[act]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
        for method in ("GET", "POST", "DELETE"):
            network.add_callback(method, re.compile(".*"), callback=answer)
        with contextlib.suppress(ConnectorError):
            do(make())


@pytest.mark.parametrize("act", ACTS)
def test_what_is_usual_is_read(act: str) -> None:
    """So that the odd answers come to where they are read."""
    run(act, lambda request: (200, {}, json.dumps(usual(request))))


@pytest.mark.parametrize("act", ACTS)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(odd=NASTY, chance=st.randoms(use_true_random=False))
def test_an_answer_of_any_shape_is_one_of_the_five_errors_at_most(
    act: str, odd: Any, chance: random.Random
) -> None:
    run(act, lambda request: (200, {}, json.dumps(with_odd(usual(request), odd, chance))))


@pytest.mark.parametrize("act", ACTS)
@settings(max_examples=EXAMPLES // 2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    odd=NASTY,
    chance=st.randoms(use_true_random=False),
    status=st.sampled_from([200, 301, 400, 404, 408, 409, 429, 500]),
)
def test_an_error_of_any_shape_is_one_of_the_five_errors_at_most(
    act: str, odd: Any, chance: random.Random, status: int
) -> None:
    said = {"error": {"code": 100, "error_subcode": 33, "message": "no", "error_user_msg": "no"}}
    usage = {"1": [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 19}]}

    def answer(_request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        told = {"X-Business-Use-Case-Usage": with_odd(usage, odd, chance), "X-App-Usage": odd}
        headers = {name: json.dumps(value) for name, value in told.items()}
        return status, headers, json.dumps(with_odd(said, odd, chance))

    run(act, answer)


@pytest.mark.parametrize("act", ["instagram: inbox", "facebook: reel", "threads: post", "linked: connect"])
@pytest.mark.parametrize("status", [200, 400, 503])
@pytest.mark.parametrize("body", ["", "<html>", "[]", "3", "null", "[" * 20_000, DEEP, '{"data": NaN}', "\0"])
def test_a_body_of_any_shape_is_one_of_the_five_errors_at_most(act: str, status: int, body: str) -> None:
    run(act, lambda _request: (status, {}, body))


@pytest.mark.parametrize("connector", [InstagramConnector, FacebookConnector, ThreadsConnector])
@settings(max_examples=30, deadline=None)
@given(odd=NASTY)
def test_options_of_any_shape_have_their_limits(connector: type[Connector], odd: Any) -> None:
    for options in ({"scopes": odd}, {"scopes": [odd]}, {"login": odd}):
        assert connector.info_for(options).key == connector.INFO.key


# --- calls of theirs --------------------------------------------------------------------------

VALUE = {
    "item": "comment",
    "verb": "add",
    "comment_id": "1",
    "post_id": "2",
    "parent_id": "2",
    "created_time": 1795348800,
    "message": {"mid": "m1"},
    "from": SOMEBODY,
    "id": "1783",
    "media": {"id": "1791"},
    "text": "Nice",
    "username": "ann",
    "timestamp": STAMP,
    "root_post": {"id": "900", "owner_id": "7", "username": "harbour"},
    "replied_to": {"id": "900"},
    "permalink": "https://www.threads.net/x",
}
FIELDS = ["feed", "comments", "mention", "mentions", "ratings", "replies", "messages"]
CALLS: list[Any] = [
    {
        "object": "page",
        "entry": [
            {
                "id": PAGE,
                "time": 1795348800,
                "changes": [{"field": field, "value": VALUE} for field in FIELDS],
                "messaging": [{"sender": {"id": "5"}, "message": {"mid": "m_1", "text": "hi"}}],
            }
        ],
    },
    *({"target_id": "7", "time": 1, "values": {"field": field, "value": VALUE}} for field in FIELDS),
]


@pytest.mark.parametrize("connector", [InstagramConnector, FacebookConnector, ThreadsConnector])
@settings(max_examples=150, deadline=None)
@given(call=st.sampled_from(CALLS), odd=NASTY, chance=st.randoms(use_true_random=False))
def test_a_call_of_any_shape_is_read_or_refused(
    connector: type[Connector], call: Any, odd: Any, chance: random.Random
) -> None:
    body = json.dumps(with_odd(call, odd, chance)).encode()
    told: tuple[WebhookEvent, ...] = ()
    with contextlib.suppress(Rejected):
        told = connector.webhook_events(body)
    for event in told:
        assert len(event.event_id) <= 200
        for item in event.items:
            assert item.remote_id


@pytest.mark.parametrize("connector", [InstagramConnector, FacebookConnector, ThreadsConnector])
@pytest.mark.parametrize(
    "body",
    [
        DEEP.encode(),
        json.dumps({"entry": [{"id": "1", "changes": [{"field": "feed", "value": {"x": 1}}]}]})
        .replace('"x": 1', '"x": ' + "[" * 5000 + "]" * 5000)
        .encode(),
        b"signed_request=" + b"A" * 10_000,
        b"signed_request=%ff",
        b"signed_request=\xff",
        "signed_request=²".encode(),
    ],
    ids=["deep", "deep value", "long", "not UTF-8", "not ASCII", "odd digit"],
)
def test_a_call_that_cannot_be_read_is_refused(connector: type[Connector], body: bytes) -> None:
    for read in (connector.webhook_events, connector.deletion_events):
        with pytest.raises(Rejected):
            read(body)
    assert not connector.is_genuine(body, {"x-hub-signature-256": "sha256=²"}, secret="s")
