"""What Meta refuses to tell of a publication says nothing of it: nothing is called unpublished for that."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from connectors.base import (
    Connector,
    MessageTarget,
    PostPart,
    PostPayload,
    ReplyTarget,
    Step,
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
)
from connectors.facebook import FacebookConnector
from connectors.instagram import InstagramConnector
from connectors.threads import ThreadsConnector
from tests.connectors.conftest import NOW
from tests.connectors.facebook_stage import film, upright
from tests.connectors.facebook_stage import photo as facebook_photo
from tests.connectors.instagram_stage import photo as instagram_photo

IG, PAGE = "17841400000000001", "1001"
UUID = "0192c1b0-0000-7000-8000-000000000001"
TOKENS = Tokens(access_token="a-token-of-meta")


def instagram() -> InstagramConnector:
    return InstagramConnector(tokens=TOKENS, options={"login": "instagram", "ig_id": IG, "username": "h"})


def facebook() -> FacebookConnector:
    return FacebookConnector(tokens=TOKENS, options={"page_id": PAGE, "name": "Harbour"})


def threads() -> ThreadsConnector:
    return ThreadsConnector(tokens=TOKENS, options={"user_id": "7", "username": "harbour"})


REFUSALS = [
    pytest.param({"status": 403, "json": {"error": {"code": 77}}}, id="403"),
    pytest.param({"status": 404, "json": {}}, id="404"),
    pytest.param({"status": 400, "json": {"error": {"code": 10}}}, id="10"),
    pytest.param({"status": 400, "json": {"error": {"code": 100}}}, id="100"),
    pytest.param({"status": 400, "json": {"error": {"code": 100, "error_subcode": 33}}}, id="33"),
    pytest.param({"status": 400, "json": {"error": {"code": 200}}}, id="200"),
]
GET_ANY = re.compile(r"https://graph\.\w+\.(com|net)/.*")


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


Published = tuple[Connector, PostPayload, Step, dict[str, Any]]


def publication(client: Connector, sent: PostPayload) -> Published:
    done = {
        "part0.container": StepResult(remote_id=f"{PAGE}_180"),
        "part0.media0": StepResult(remote_id="180"),
    }
    step = next(one for one in client.plan(sent) if one.key == "part0.publish")
    return client, sent, step, client.prepare_step(step, sent, done, key=UUID, now=NOW)


def post(*media: Any, **settings: Any) -> PostPayload:
    return PostPayload((PostPart("Hello", media),), settings=settings)


KINDS = {
    "instagram post": lambda: publication(instagram(), post(instagram_photo())),
    "instagram story": lambda: publication(instagram(), post(instagram_photo(), placement="story")),
    "threads post": lambda: publication(threads(), post()),
    "facebook post": lambda: publication(facebook(), post()),
    "facebook video": lambda: publication(facebook(), post(film())),
    "facebook reel": lambda: publication(facebook(), post(upright())),
    "facebook photo story": lambda: publication(facebook(), post(facebook_photo(), placement="story")),
    "facebook video story": lambda: publication(facebook(), post(upright(), placement="story")),
}
ASKED = [name for name in KINDS if name not in ("facebook post", "facebook video")]
# Of a photo of a story there is no state that a repetition could ask for: it is looked for (``check``).
REPEATED = [name for name in KINDS if name != "facebook photo story"]


@pytest.mark.parametrize("kind", ASKED)
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_to_tell_is_not_taken_for_unpublished(
    network: responses.RequestsMock, kind: str, refusal: dict[str, Any]
) -> None:
    client, _sent, step, intent = KINDS[kind]()
    network.get(GET_ANY, **refusal)
    for before in (None, StepResult(StepState.PROCESSING, "180")):
        with pytest.raises(ConnectorError) as raised:
            client.check(step, intent, before)
        assert not isinstance(raised.value, Rejected)
        assert not getattr(raised.value, "starts_over", False)


@pytest.mark.parametrize("kind", ["instagram post", "instagram story", "threads post"])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_published_container_whose_post_may_not_be_read_is_in_doubt(
    network: responses.RequestsMock, kind: str, refusal: dict[str, Any]
) -> None:
    client, _sent, step, intent = KINDS[kind]()
    network.get(re.compile(r".*/1001_180(\?.*)?$"), json={"status_code": "PUBLISHED", "status": "PUBLISHED"})
    network.get(GET_ANY, **refusal)
    with pytest.raises(OutcomeUnknown):
        client.check(step, intent, None)


@pytest.mark.parametrize("kind", ASKED)
def test_a_dead_token_and_a_limit_are_told_as_what_they_are(
    network: responses.RequestsMock, kind: str
) -> None:
    client, _sent, step, intent = KINDS[kind]()
    network.get(GET_ANY, status=400, json={"error": {"code": 190}})
    with pytest.raises(NeedsReconnect):
        client.check(step, intent, None)
    network.replace("GET", GET_ANY, status=400, json={"error": {"code": 4}})
    with pytest.raises(RateLimited):
        client.check(step, intent, None)


@pytest.mark.parametrize("kind", REPEATED)
@pytest.mark.parametrize(
    "unread", [*REFUSALS, {"status": 503}, {"status": 400, "json": {"error": {"code": 190}}}, {"json": {}}]
)
def test_a_refused_repetition_whose_state_cannot_be_read_is_in_doubt(
    network: responses.RequestsMock, kind: str, unread: dict[str, Any]
) -> None:
    client, sent, step, intent = KINDS[kind]()
    network.post(GET_ANY, status=400, json={"error": {"code": 100, "message": "no"}})
    network.get(GET_ANY, **unread)
    with pytest.raises(OutcomeUnknown):
        client.send_step(step, sent, intent)


@pytest.mark.parametrize("kind", ["instagram post", "threads post", "facebook post"])
def test_what_is_forbidden_from_the_start_is_not_in_doubt(
    network: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    client, sent, step, intent = KINDS[kind]()
    network.post(GET_ANY, status=403, json={"error": {"code": 10}})
    network.get(GET_ANY, status=403, json={"error": {"code": 10}})
    monkeypatch.setattr("connectors.meta.clock_now", lambda: NOW + dt.timedelta(seconds=3))
    with pytest.raises(Rejected) as refused:
        client.send_step(step, sent, intent)
    assert refused.value.reason is RejectReason.FORBIDDEN
    if kind == "facebook post":  # the outbox knows that this says nothing of an earlier try
        return
    monkeypatch.setattr("connectors.meta.clock_now", lambda: NOW + dt.timedelta(seconds=31))
    with pytest.raises(OutcomeUnknown):
        client.send_step(step, sent, intent)


@pytest.mark.parametrize("kind", ["instagram post", "threads post"])
def test_a_refused_repetition_whose_list_cannot_be_read_is_in_doubt(
    network: responses.RequestsMock, kind: str
) -> None:
    client, sent, step, intent = KINDS[kind]()
    network.post(GET_ANY, status=400, json={"error": {"code": 100, "message": "no"}})
    network.get(re.compile(r".*/1001_180(\?.*)?$"), json={"status_code": "FINISHED", "status": "FINISHED"})
    network.get(GET_ANY, status=403, json={"error": {"code": 10}})
    with pytest.raises(OutcomeUnknown):
        client.send_step(step, sent, intent)


@pytest.mark.parametrize("make", [instagram, facebook, threads])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_list_of_posts_that_may_not_be_read_says_nothing_of_a_post(
    network: responses.RequestsMock, make: Any, refusal: dict[str, Any]
) -> None:
    client = make()
    network.get(GET_ANY, **refusal)
    comment = dataclasses.replace(post(), parts=(PostPart("Hello"), PostPart("first", is_comment=True)))
    answers = [
        PostPayload((PostPart("Yes"),), reply_to=ReplyTarget("1781", "1790", {"comment": "1781"})),
        PostPayload((PostPart("Yes"),), reply_to=ReplyTarget("1795", "", {"media_id": "1795"})),
    ]
    messages = (
        [PostPayload((PostPart("Yes"),), message_to=MessageTarget("900"))] if make is not threads else []
    )
    for sent in (comment, *answers, *messages):
        with pytest.raises(OutcomeUnknown):
            client.find_sent(sent, since=NOW)
