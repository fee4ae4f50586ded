"""The sandbox network's inbox and what is answered there, against the running network, in every mode."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from connectors.base import (
    Capability,
    InboxItem,
    InboxKind,
    MessageTarget,
    Moderation,
    ModerationAction,
    PostPart,
    PostPayload,
    ReplyTarget,
    RetrySafety,
    StepResult,
)
from connectors.errors import NeedsReconnect, OutcomeUnknown, Rejected, RejectReason
from connectors.sandbox import SandboxConnector
from connectors.text import check_payload
from sandbox.control import SandboxControl
from tests.connectors.test_sandbox_network import MODES, connected
from tests.sandbox.fixtures import Api, sandbox, sandbox_server

__all__ = ["sandbox", "sandbox_server"]

pytestmark = pytest.mark.integration

LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def run(client: SandboxConnector, payload: PostPayload) -> dict[str, StepResult]:
    """Carry out all steps, each under a key of its own."""
    done: dict[str, StepResult] = {}
    for step in client.plan(payload):
        now = dt.datetime.now(dt.UTC)
        intent = client.prepare_step(step, payload, done, key=str(uuid.uuid4()), now=now)
        done[step.key] = client.send_step(step, payload, intent)
    return done


def inbox(client: SandboxConnector, since: dt.datetime = LONG_AGO) -> list[InboxItem]:
    items: list[InboxItem] = []
    cursor = ""
    while True:
        page = client.fetch_inbox(since=since, cursor=cursor)
        items += page.items
        cursor = page.cursor
        if not cursor:
            return items


def reply(item: InboxItem, text: str) -> PostPayload:
    target = ReplyTarget(item.remote_id, item.root_id, item.detail)
    return PostPayload(parts=(PostPart(text),), reply_to=target)


def message(item: InboxItem, text: str) -> PostPayload:
    assert item.counterpart is not None
    target = MessageTarget(item.counterpart.remote_id, item.thread_id, item.detail)
    return PostPayload(parts=(PostPart(text),), message_to=target)


def moderation(item: InboxItem, action: ModerationAction) -> PostPayload:
    return PostPayload(parts=(), moderation=Moderation(action, item.remote_id, item.detail))


def posted(client: SandboxConnector, *texts: str) -> str:
    return run(client, PostPayload(parts=tuple(map(PostPart, texts))))["part0.publish"].remote_id


@pytest.mark.parametrize("mode", MODES)
def test_a_comment_is_answered_below_it_and_the_answer_is_told_back(
    sandbox: SandboxControl, mode: str
) -> None:
    client = connected(sandbox, mode)
    post = posted(client, "Open today")
    comment = sandbox.act("comment", by="Hana", post=post, text="Until when?")
    (asked,) = inbox(client)
    assert (asked.kind, asked.text, asked.is_own) == (InboxKind.COMMENT, "Until when?", False)
    assert (asked.thread_id, asked.root_id, asked.parent_id) == (comment, post, post)
    assert asked.author.display_name == "Hana"
    assert asked.author.profile_url.startswith(sandbox.base_url)
    assert asked.root is not None
    assert (asked.root.remote_id, asked.root.text) == (post, "Open today")
    result = run(client, reply(asked, "Until six"))["part0.publish"]
    sandbox.act("comment", by="Hana", post=result.remote_id, text="Thanks")
    told = inbox(client)
    assert [(one.text, one.is_own, one.thread_id) for one in told] == [
        ("Until when?", False, comment),
        ("Until six", True, comment),
        ("Thanks", False, comment),
    ]
    own = told[1]
    assert (own.remote_id, own.parent_id) == (result.remote_id, comment)
    assert (own.author.remote_id, own.permalink) == (client.fetch_profile().remote_id, result.permalink)


def test_a_comment_below_a_later_part_belongs_to_the_post_that_begins_the_thread(
    sandbox: SandboxControl,
) -> None:
    client = connected(sandbox)
    done = run(client, PostPayload(parts=(PostPart("one"), PostPart("two"))))
    sandbox.act("comment", by="Hana", post=done["part1.publish"].remote_id, text="Lovely")
    (comment,) = inbox(client)
    assert comment.root_id == done["part0.publish"].remote_id
    assert comment.parent_id == done["part1.publish"].remote_id


def test_a_mention_and_the_answer_to_it_are_one_conversation(sandbox: SandboxControl) -> None:
    client = connected(sandbox)
    other = Api(sandbox, sandbox.account("tea_house").access_token)
    theirs = other.publish("Ramen at @a_idempotency_key").json()["id"]
    (mention,) = inbox(client)
    assert (mention.kind, mention.thread_id, mention.root_id) == (InboxKind.MENTION, theirs, "")
    run(client, reply(mention, "Come back soon"))
    assert [(one.kind, one.thread_id, one.is_own) for one in inbox(client)] == [
        (InboxKind.MENTION, theirs, False),
        (InboxKind.MENTION, theirs, True),
    ]


@pytest.mark.parametrize("mode", MODES)
def test_a_message_is_answered_in_its_conversation(sandbox: SandboxControl, mode: str) -> None:
    client = connected(sandbox, mode)
    sandbox.act("message", by="Kenji", to=f"a_{mode}", text="Do you deliver?")
    (asked,) = inbox(client)
    assert asked.kind is InboxKind.DM
    assert asked.counterpart == asked.author
    since = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)
    sent = message(asked, "We do")
    result = run(client, sent)["part0.publish"]
    told = inbox(client)
    assert [(one.text, one.is_own, one.thread_id) for one in told] == [
        ("Do you deliver?", False, asked.thread_id),
        ("We do", True, asked.thread_id),
    ]
    assert told[1].remote_id == result.remote_id
    assert told[1].counterpart is not None
    assert told[1].counterpart.remote_id == asked.author.remote_id
    assert [(one.remote_id, one.text) for one in client.find_sent(sent, since=since)] == [
        (result.remote_id, "We do")
    ]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["reply", "message"])
def test_an_answer_that_was_lost_on_the_way_back_is_never_there_twice(
    sandbox: SandboxControl, mode: str, kind: str
) -> None:
    client = connected(sandbox, mode)
    post = posted(client, "x")
    sandbox.act("comment", by="Hana", post=post, text="Hello")
    sandbox.act("message", by="Hana", to=f"a_{mode}", text="Hello")
    asked = next(i for i in inbox(client) if (i.kind is InboxKind.DM) == (kind == "message"))
    payload = message(asked, "Welcome") if kind == "message" else reply(asked, "Welcome")
    endpoint = "send_message" if kind == "message" else "publish"
    *before, step = client.plan(payload)
    done: dict[str, StepResult] = {}
    since = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)
    for one in before:
        intent = client.prepare_step(one, payload, done, key="c", now=since)
        done[one.key] = client.send_step(one, payload, intent)
    intent = client.prepare_step(step, payload, done, key="k", now=dt.datetime.now(dt.UTC))
    sandbox.fault("drop_after_accept", endpoint=endpoint, times=1)
    with pytest.raises(OutcomeUnknown):
        client.send_step(step, payload, intent)
    match client.safety_of(intent, dt.datetime.now(dt.UTC)):
        case RetrySafety.IDEMPOTENT:
            found = client.send_step(step, payload, intent).remote_id
        case RetrySafety.TWO_PHASE:
            assert kind == "reply", "a message has no container"
            checked = client.check(step, intent, None)
            assert checked is not None
            found = checked.remote_id
        case RetrySafety.NEITHER:
            (sent,) = [p for p in client.find_sent(payload, since=since) if p.text == "Welcome"]
            found = sent.remote_id
    assert found in {item.remote_id for item in inbox(client) if item.is_own}
    summary = sandbox.summary()
    assert (summary["replies"] + summary["messages"], summary["duplicates"]) == (1, 0)


@pytest.mark.parametrize("mode", MODES)
def test_a_comment_deleted_while_it_is_answered_is_not_found(sandbox: SandboxControl, mode: str) -> None:
    client = connected(sandbox, mode)
    sandbox.act("comment", by="Hana", post=posted(client, "x"), text="Hello")
    (asked,) = inbox(client)
    sandbox.act("delete", by="Hana", post=asked.remote_id)
    with pytest.raises(Rejected) as refused:
        run(client, reply(asked, "Welcome"))
    assert refused.value.reason is RejectReason.NOT_FOUND
    with pytest.raises(Rejected) as refused:
        run(client, moderation(asked, ModerationAction.LIKE))
    assert refused.value.reason is RejectReason.NOT_FOUND
    assert sandbox.summary()["replies"] == 0


def test_liking_and_hiding_twice_is_once_and_can_be_taken_back(sandbox: SandboxControl) -> None:
    client = connected(sandbox, followers=0)
    sandbox.act("comment", by="Hana", post=posted(client, "x"), text="Hello")
    (comment,) = inbox(client)
    for action in ("like", "like", "hide", "hide"):
        run(client, moderation(comment, ModerationAction(action)))
    (seen,) = inbox(client)
    assert (seen.is_liked, seen.is_hidden) == (True, True)
    shown = Api(sandbox).get(f"/api/v1/posts/{comment.remote_id}")
    assert shown.status_code == 404  # the public no longer sees it
    for action in ("unlike", "unlike", "unhide"):
        run(client, moderation(comment, ModerationAction(action)))
    (seen,) = inbox(client)
    assert (seen.is_liked, seen.is_hidden) == (False, False)


def test_deleting_twice_is_once_and_for_everybody(sandbox: SandboxControl) -> None:
    client = connected(sandbox, followers=0)
    sandbox.act("comment", by="Hana", post=posted(client, "x"), text="Hello")
    (comment,) = inbox(client)
    for _ in range(2):
        run(client, moderation(comment, ModerationAction.DELETE))
    assert inbox(client) == []
    assert Api(sandbox).get(f"/api/v1/posts/{comment.remote_id}").status_code == 404


def test_what_stands_below_somebody_elses_post_is_not_ours_to_delete(sandbox: SandboxControl) -> None:
    client, other = connected(sandbox, followers=0), connected(sandbox, MODES[1], followers=0)
    sandbox.act("comment", by="Hana", post=posted(other, "x"), text="Hello")
    (comment,) = inbox(other)
    with pytest.raises(Rejected) as refused:
        run(client, moderation(comment, ModerationAction.DELETE))
    assert refused.value.reason is RejectReason.FORBIDDEN
    assert len(inbox(other)) == 1


def test_long_lists_are_read_page_by_page_and_only_from_a_moment_on(sandbox: SandboxControl) -> None:
    client = connected(sandbox)
    post = posted(client, "x")
    for number in range(130):
        sandbox.act("comment", by="Hana", post=post, text=f"old {number}", at="2026-11-01T00:00:00Z")
    sandbox.act("comment", by="Hana", post=post, text="new")
    sandbox.act("message", by="Hana", to="a_idempotency_key", text="old", at="2026-11-01T00:00:00Z")
    sandbox.act("message", by="Hana", to="a_idempotency_key", text="new")
    assert len(inbox(client)) == 133
    recent = inbox(client, dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5))
    assert [(one.kind, one.text) for one in recent] == [(InboxKind.COMMENT, "new"), (InboxKind.DM, "new")]


def test_what_the_network_allows_is_known_beforehand(sandbox: SandboxControl) -> None:
    client = connected(sandbox)
    sandbox.act("message", by="Kenji", to="a_idempotency_key", text="Hi")
    (asked,) = inbox(client)
    assert check_payload(message(asked, "x" * 2000), client.info) == []
    (problem,) = check_payload(message(asked, "x" * 2001), client.info)
    assert (problem.reason, problem.limit) == (RejectReason.TEXT_TOO_LONG, 2000)
    with pytest.raises(Rejected) as refused:
        run(client, message(asked, "x" * 2001))
    assert refused.value.reason is RejectReason.TEXT_TOO_LONG


def test_without_the_scope_there_is_no_inbox_and_no_answer(sandbox: SandboxControl) -> None:
    client = connected(sandbox)
    narrow = SandboxConnector.info_for({**client.options, "scopes": ["read", "write", "metrics"]})
    for capability in (Capability.INBOX_COMMENTS, Capability.REPLY, Capability.HIDE, Capability.POST_TEXT):
        assert narrow.can(capability) == (capability is Capability.POST_TEXT)
    sandbox.kill_tokens("a_idempotency_key")
    with pytest.raises(NeedsReconnect):
        client.fetch_inbox(since=LONG_AGO)
