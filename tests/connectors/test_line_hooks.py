"""LINE's webhooks: signed calls, what people write, and the names of those who wrote."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from typing import Any

import linebot.v3.webhooks as webhook_models
import pytest
import requests
import responses
import yaml
from hypothesis import given
from hypothesis import strategies as st
from linebot.v3 import SignatureValidator, WebhookParser
from linebot.v3.exceptions import InvalidSignatureError

from connectors.base import InboxItem, InboxKind, WebhookKind
from connectors.errors import Rejected, RejectReason
from connectors.line import LineConnector
from connectors.line_inbox import UNSENT
from tests.connectors import line_stage
from tests.connectors.conftest import SPECS, faults
from tests.connectors.line_stage import ANNA, API, BOT_ID, SECRET, Check

network = line_stage.network
account = line_stage.account
described = line_stage.described


# --- webhooks ---------------------------------------------------------------------------------


def signed(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "mode": "active",
        "timestamp": 1763812800123,
        "source": {"type": "user", "userId": ANNA},
        "webhookEventId": f"01FZ74A0TDDPYRVKNK77XKC3{kind[:2]}",
        "deliveryContext": {"isRedelivery": False},
        **more,
    }


def message_event(message: dict[str, Any], **more: Any) -> dict[str, Any]:
    return event("message", replyToken="r" * 32, message=message, **more)


def body_of(*events: Any) -> bytes:
    return json.dumps({"destination": BOT_ID, "events": list(events)}).encode()


def items_of(*events: Any) -> list[InboxItem]:
    return [item for one in LineConnector.webhook_events(body_of(*events)) for item in one.items]


CONTENT = {"type": "line"}
MESSAGES: list[tuple[dict[str, Any], str, int]] = [
    ({"type": "text", "id": "1", "text": "珈琲 (hello)", "quoteToken": "q"}, "珈琲 (hello)", 0),
    ({"type": "image", "id": "1", "quoteToken": "q", "contentProvider": CONTENT}, "[Image]", 1),
    (
        {"type": "video", "id": "1", "quoteToken": "q", "duration": 60000, "contentProvider": CONTENT},
        "[Video]",
        1,
    ),
    ({"type": "audio", "id": "1", "duration": 60000, "contentProvider": CONTENT}, "[Audio]", 1),
    ({"type": "file", "id": "1", "fileName": "menu.pdf", "fileSize": 2138}, "[File: menu.pdf]", 1),
    (
        {
            "type": "location",
            "id": "1",
            "title": "Harbour",
            "address": "Kobe",
            "latitude": 34.68,
            "longitude": 135.19,
        },
        "[Location: Harbour Kobe 34.68, 135.19]",
        0,
    ),
    (
        {
            "type": "sticker",
            "id": "1",
            "quoteToken": "q",
            "packageId": "446",
            "stickerId": "1988",
            "stickerResourceType": "ANIMATION",
            "keywords": ["cony", "sally", "Staring", "hi"],
        },
        "[Sticker: cony, sally, Staring]",
        0,
    ),
]


@pytest.mark.parametrize(("message", "words", "files"), MESSAGES, ids=[m[0]["type"] for m in MESSAGES])
def test_what_people_write_becomes_items(message: dict[str, Any], words: str, files: int) -> None:
    body = body_of(message_event(message))
    (read,) = WebhookParser(SECRET).parse(body.decode(), signed(body))
    assert read.message.type == message["type"]  # the library takes it for what it is
    (told,) = LineConnector.webhook_events(body)
    assert (told.kind, told.account_id) == (WebhookKind.INBOX, BOT_ID)
    assert told.event_id == read.webhook_event_id
    (item,) = told.items
    assert (item.kind, item.remote_id, item.thread_id) == (InboxKind.DM, "1", ANNA)
    assert (item.text, item.media_count, item.is_own) == (words, files, False)
    assert item.author == item.counterpart
    assert item.created_at == dt.datetime.fromtimestamp(1763812800.123, dt.UTC)
    assert item.detail == {"to": ANNA, "source": "user"}


def test_the_descriptions_have_what_is_told_here() -> None:
    path = SPECS / "line" / "webhook.yml"
    if not path.exists():
        pytest.skip("NETWORK_SPECS has no line/webhook.yml: events are not held against the description")
    schemas = yaml.safe_load(path.read_text(encoding="utf-8"))["components"]["schemas"]
    body = json.loads(body_of(*(message_event(message) for message, _words, _files in MESSAGES)))
    assert faults(body, schemas["CallbackRequest"], schemas, "call") == []
    mapping = schemas["MessageContent"]["discriminator"]["mapping"]
    for message, _words, _files in MESSAGES:
        name = mapping[message["type"]].rpartition("/")[2]
        assert faults(message, schemas[name], schemas, name) == []
    assert {message["type"] for message, _words, _files in MESSAGES} == set(mapping)


def test_a_group_is_one_conversation_of_several_people() -> None:
    source = {"type": "group", "groupId": "C1", "userId": ANNA}
    message = {"type": "text", "id": "5", "text": "Hi", "quoteToken": "q", "quotedMessageId": "4"}
    (item,) = items_of(message_event(message, source=source))
    assert (item.thread_id, item.author.remote_id, item.parent_id) == ("C1", ANNA, "4")
    assert item.counterpart is not None
    assert item.counterpart.remote_id == "C1"
    assert item.detail == {"to": "C1", "source": "group"}  # the answer goes to the group


def test_unsent_words_are_replaced_and_the_rest_of_a_chat_is_told() -> None:
    told = items_of(
        event("unsend", unsend={"messageId": "1"}),
        event("postback", postback={"data": "action=book&day=3"}, replyToken="r"),
        event("follow", follow={"isUnblocked": False}, replyToken="r"),
    )
    assert [(item.remote_id, item.text) for item in told] == [
        ("1", UNSENT),
        ("01FZ74A0TDDPYRVKNK77XKC3po", "[Tapped: action=book&day=3]"),
        ("01FZ74A0TDDPYRVKNK77XKC3fo", "[Became a friend]"),
    ]


@pytest.mark.parametrize("kind", ["unfollow", "join", "leave", "beacon", "accountLink", "somethingNew"])
def test_what_is_no_message_is_let_be(kind: str) -> None:
    (told,) = LineConnector.webhook_events(body_of(event(kind)))
    assert (told.kind, told.items) == (WebhookKind.OTHER, ())


def test_the_call_that_tries_the_address_tells_nothing() -> None:
    assert LineConnector.webhook_events(body_of()) == ()


def test_what_is_told_again_is_known_by_its_id() -> None:
    once = message_event(MESSAGES[0][0])
    again = {**once, "deliveryContext": {"isRedelivery": True}}
    (first,), (second,) = (LineConnector.webhook_events(body_of(one)) for one in (once, again))
    assert first.event_id == second.event_id
    nameless = [{name: v for name, v in one.items() if name != "webhookEventId"} for one in (once, again)]
    (first,), (second,) = (LineConnector.webhook_events(body_of(one)) for one in nameless)
    assert first.event_id == second.event_id
    assert 0 < len(first.event_id) <= 200


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{}", b'{"destination": 1, "events": []}', b"\xff", b"[" * 9999]
)
def test_a_call_that_is_none_of_lines_is_refused(body: bytes) -> None:
    with pytest.raises(Rejected) as refused:
        LineConnector.webhook_events(body)
    assert refused.value.reason is RejectReason.INVALID


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    broken=st.dictionaries(
        st.sampled_from(["type", "timestamp", "source", "message", "webhookEventId", "unsend", "postback"]),
        JSON,
    ),
    inner=st.dictionaries(st.sampled_from(["type", "id", "text", "keywords", "fileName", "title"]), JSON),
)
def test_one_event_of_any_shape_keeps_no_other_from_being_read(
    broken: dict[str, Any], inner: dict[str, Any]
) -> None:
    odd = message_event({**MESSAGES[0][0], **inner}) | broken
    told = LineConnector.webhook_events(body_of(odd, 7, message_event(MESSAGES[1][0])))
    assert told[-1].items[0].text == "[Image]"
    for one in told:
        json.dumps([one.event_id, [item.detail for item in one.items]])
        for item in one.items:
            assert "\0" not in item.text
            item.text.encode()


def test_only_what_the_channel_signed_is_genuine() -> None:
    body = body_of(message_event(MESSAGES[0][0]))
    right = signed(body)

    def is_taken(given: str, told: bytes = body, secret: str = SECRET) -> bool:
        taken = LineConnector.is_genuine(told, {"x-line-signature": given}, secret=secret)
        library = (
            bool(secret) and given.isascii() and SignatureValidator(secret).validate(told.decode(), given)
        )
        assert taken == library or not given
        return taken

    assert is_taken(right)
    assert not is_taken(right, body + b" ")
    assert not is_taken(signed(body, "another"))
    assert not is_taken(signed(body, ""), secret="")  # nobody signs with a secret that is not there
    assert not is_taken(right[:-1])
    assert not is_taken(f" {right}")
    assert not is_taken("ß" * 44)
    assert not is_taken("")
    assert not LineConnector.is_genuine(body, {}, secret=SECRET)
    with pytest.raises(InvalidSignatureError):
        WebhookParser(SECRET).parse(body.decode(), signed(body, "another"))
    assert webhook_models.CallbackRequest.from_dict(json.loads(body)).destination == BOT_ID


# --- names ------------------------------------------------------------------------------------


def test_people_are_asked_for_by_name_once(
    network: responses.RequestsMock, account: LineConnector, described: Check
) -> None:
    network.get(
        f"{API}/v2/bot/profile/{ANNA}",
        json={"userId": ANNA, "displayName": "Anna", "pictureUrl": "https://obs.line-apps.com/a"},
    )
    network.get(f"{API}/v2/bot/group/C1/member/{ANNA}", json={"userId": ANNA, "displayName": "Anna"})
    message = MESSAGES[0][0]
    group = {"type": "group", "groupId": "C1", "userId": ANNA}
    items = items_of(message_event(message), message_event(message), message_event(message, source=group))
    done = account.complete(items)
    assert [item.author.display_name for item in done] == ["Anna", "Anna", "Anna"]
    assert done[0].counterpart == done[0].author
    assert done[2].counterpart is not None
    assert done[2].counterpart.remote_id == "C1"
    assert len(network.calls) == 2
    assert [fault for call in network.calls for fault in described(call.request)] == []


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404, "json": {"message": "Not found"}},
        {"status": 401, "json": {"message": "no"}},
        {"status": 429, "json": {}},
        {"body": requests.ConnectionError()},
        {"body": "<html>"},
    ],
    ids=str,
)
def test_no_message_is_lost_over_a_name(
    network: responses.RequestsMock, account: LineConnector, answer: dict[str, Any]
) -> None:
    network.get(f"{API}/v2/bot/profile/{ANNA}", **answer)
    items = items_of(message_event(MESSAGES[0][0]))
    assert account.complete(items) == items
