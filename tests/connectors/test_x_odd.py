"""Whatever shape an answer of X has, a connector raises one of the five errors at most."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import (
    AppCredentials,
    MessageTarget,
    Moderation,
    ModerationAction,
    PostPart,
    PostPayload,
    ReplyTarget,
    Tokens,
)
from connectors.errors import ConnectorError, OutcomeUnknown, RateLimited, Rejected
from connectors.inbox import storable
from connectors.x import XConnector
from connectors.x_info import INFO
from tests.connectors.conftest import NOW, image, payload
from tests.connectors.odd_answers import ODD, with_odd

ME, ANN = "2244994945", "111"
AT = "2026-11-22T11:00:00.000Z"
APP = AppCredentials(client_id="id", client_secret="s3cr3t-of-the-app")
USERS = [{"id": ME, "username": "harbour", "name": "Harbour"}, {"id": ANN, "username": "ann", "name": "Ann"}]
COUNTS = {"like_count": 1, "reply_count": 2, "followers_count": 3, "following_count": 4, "tweet_count": 5}
POST: dict[str, Any] = {
    "id": "1460323737035677698",
    "author_id": ANN,
    "text": "@harbour Hi https://t.co/a",
    "created_at": AT,
    "in_reply_to_user_id": ME,
    "referenced_tweets": [{"type": "replied_to", "id": "1"}, {"type": "quoted", "id": "2"}],
    "attachments": {"media_keys": ["3_1"]},
    "entities": {
        "mentions": [{"id": ME, "username": "harbour"}],
        "urls": [{"url": "https://t.co/a", "expanded_url": "https://example.com/"}],
    },
    "public_metrics": COUNTS,
    "non_public_metrics": {"url_link_clicks": 6},
}
EVENT = {
    "id": "21",
    "event_type": "MessageCreate",
    "text": "Open?",
    "sender_id": ANN,
    "dm_conversation_id": f"{ANN}-{ME}",
    "created_at": AT,
    "attachments": {"media_keys": ["3_1"]},
}
LISTED = {"includes": {"users": USERS, "tweets": [{**POST, "id": "1", "author_id": ME}]}, "meta": {}}
ERRORS = {"errors": [{"title": "Not Found Error", "detail": "no"}]}
USUAL: Mapping[str, Any] = {
    "/mentions": {"data": [POST], **LISTED},
    f"/users/{ME}/tweets": {"data": [{**POST, "author_id": ME}], **LISTED, "meta": {"next_token": "n"}},
    "/dm_events": {"data": [EVENT], **LISTED, "meta": {"next_token": "n"}},
    "/messages": {"data": {"dm_event_id": "23"}},
    "/users/me": {"data": {**USERS[0], "public_metrics": COUNTS}},
    "/users/by/": {"data": {**USERS[1], "public_metrics": COUNTS}},
    "/users": {"data": USERS},
    "/oauth2/token": {"access_token": "a", "refresh_token": "r", "expires_in": 7200, "scope": "tweet.read"},
    "/media/upload": {"data": {"id": "77", "processing_info": {"state": "pending", "check_after_secs": 3}}},
    "/tweets/": {"data": POST},
    "/tweets": {"data": [POST], **LISTED},
}
WORDS = (PostPart("Hi"),)


def send(client: XConnector, sent: PostPayload) -> object:
    step = client.plan(sent)[0]
    return client.send_step(step, sent, client.prepare_step(step, sent, {}, key="k", now=NOW))


def upload(client: XConnector) -> object:
    sent = payload("Look", media=(image(),))
    step = client.plan(sent)[0]
    intent = client.prepare_step(step, sent, {}, key="k", now=NOW)
    return client.check(step, intent, client.send_step(step, sent, intent))


def inbox(client: XConnector) -> None:
    cursor = ""
    for _ in range(4):
        page = client.fetch_inbox(since=NOW - dt.timedelta(days=7), cursor=cursor)
        for item in page.items:
            assert item.remote_id
            assert item.thread_id
            assert item.created_at.tzinfo is not None
            storable(dataclasses.asdict(item))
        cursor = page.cursor
        if not cursor:
            return


SINCE = NOW - dt.timedelta(days=1)
REPLY = PostPayload(WORDS, reply_to=ReplyTarget("2", "1", {}))
MESSAGE = PostPayload(WORDS, message_to=MessageTarget(ANN, ANN, {}))
READS: Mapping[str, Callable[[XConnector], object]] = {
    "profile": lambda c: c.fetch_profile(),
    "post": lambda c: c.fetch_post("7"),
    "posts": lambda c: list(c.fetch_posts(["7", "8"])),
    "recent": lambda c: c.find_recent(since=SINCE),
    "reply looked for": lambda c: c.find_sent(REPLY, since=SINCE),
    "message looked for": lambda c: c.find_sent(MESSAGE, since=SINCE),
    "inbox": inbox,
    "account counts": lambda c: c.fetch_account_metrics(),
    "post counts": lambda c: c.fetch_post_metrics(["7", POST["id"]]),
    "another": lambda c: c.fetch_public_account("ann"),
    "sign-in": lambda _c: XConnector.exchange_code(
        app=APP, code="c", code_verifier="v", redirect_uri="https://x"
    ),
    "refresh": lambda c: XConnector.refresh(tokens=c.tokens, options=c.options, app=APP),
    "like": lambda c: send(c, PostPayload((), moderation=Moderation(ModerationAction.LIKE, "2", {}))),
    "upload": upload,
}
CHANGES: Mapping[str, Callable[[XConnector], object]] = {
    "post": lambda c: send(c, PostPayload(WORDS)),
    "reply": lambda c: send(c, REPLY),
    "message": lambda c: send(c, MESSAGE),
}


@pytest.fixture
def account() -> XConnector:
    features = [one.key for one in INFO.features]
    options = {"user_id": ME, "username": "harbour", "scopes": list(INFO.scopes), "features": features}
    return XConnector(tokens=Tokens(access_token="a", refresh_token="r"), options=options)


def usual_of(request: requests.PreparedRequest) -> Any:
    path = urlsplit(str(request.url)).path
    if request.method == "POST" and path == "/2/tweets":
        return {"data": {"id": "9", "text": "Hi"}}
    return next((value for name, value in USUAL.items() if name in path), {})


def answer_oddly(network: responses.RequestsMock, odd: Any, chance: Any, status: int = 200) -> None:
    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        usual = usual_of(request) if status == 200 and chance.random() < 0.9 else ERRORS
        return status, {}, json.dumps(with_odd(usual, odd, chance))

    for method in ("GET", "POST", "PUT", "DELETE"):
        network.add_callback(method, re.compile(".*"), callback=answer)


@pytest.mark.parametrize("act", READS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(odd=ODD, chance=st.randoms(use_true_random=False))
def test_whatever_is_read_is_one_of_the_five_errors_at_most(
    account: XConnector, act: str, odd: Any, chance: Any
) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
        answer_oddly(network, odd, chance)
        try:
            READS[act](account)
        except ConnectorError as error:
            assert not isinstance(error, OutcomeUnknown)  # noqa: PT017 - a read is never in doubt


@pytest.mark.parametrize("act", CHANGES)
@pytest.mark.parametrize("status", [200, 201, 204, 302, 408, 409, 500, 503, 599])
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(odd=ODD, chance=st.randoms(use_true_random=False))
def test_what_was_sent_and_not_refused_is_done_or_unknown(
    account: XConnector, act: str, status: int, odd: Any, chance: Any
) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
        answer_oddly(network, odd, chance, status)
        with contextlib.suppress(OutcomeUnknown):
            CHANGES[act](account)
        assert len(network.calls) == 1


@pytest.mark.parametrize("act", CHANGES)
@pytest.mark.parametrize("status", [400, 402, 403, 404, 413, 422, 429, 451])
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(odd=ODD, chance=st.randoms(use_true_random=False))
def test_a_refusal_of_any_shape_is_one(
    account: XConnector, act: str, status: int, odd: Any, chance: Any
) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
        answer_oddly(network, odd, chance, status)
        with pytest.raises((Rejected, RateLimited)):
            CHANGES[act](account)
