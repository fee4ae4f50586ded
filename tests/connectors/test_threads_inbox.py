"""Threads' inbox: what is read, answers, moderation, webhooks."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import hmac
import json
from typing import Any

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import (
    Capability,
    InboxItem,
    InboxKind,
    Moderation,
    ModerationAction,
    PostPart,
    PostPayload,
    ReplyTarget,
    StepResult,
    Tokens,
    WebhookKind,
)
from connectors.errors import Rejected, RejectReason, Temporary
from connectors.threads import ThreadsConnector
from connectors.threads_info import INFO
from tests.connectors.conftest import NOW
from tests.connectors.threads_stage import (
    API,
    OPTIONS,
    SECRET,
    TOKEN,
    Check,
    account,
    client,
    collection,
    form_of,
    graph_error,
    network,
    own,
    query_of,
    send,
)

__all__ = ["account", "collection", "network"]


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
