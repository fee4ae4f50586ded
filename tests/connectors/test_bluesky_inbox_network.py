"""Bluesky's inbox on the real network: another account answers and names us, we answer, like and hide."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
import requests

from connectors import http
from connectors.base import (
    InboxItem,
    InboxKind,
    Moderation,
    ModerationAction,
    PostPart,
    PostPayload,
    ReplyTarget,
    StepResult,
)
from connectors.bluesky import BlueskyConnector
from connectors.errors import Rejected, RejectReason
from tests.bluesky_network.harness import BlueskyNetwork, TestAccount, running_with_appview

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def started() -> Iterator[BlueskyNetwork]:
    with running_with_appview() as network:
        yield network


@pytest.fixture
def network(started: BlueskyNetwork, monkeypatch: pytest.MonkeyPatch) -> BlueskyNetwork:
    monkeypatch.setattr(http, "_config", http._Config())
    http.configure(allowed_private_hosts=started.allowed_private_hosts, base_urls=started.base_urls)
    return started


def sign_in(account: TestAccount, *, password: str = "") -> BlueskyConnector:
    connected = BlueskyConnector.connect(
        {"identifier": account.handle, "app_password": password or account.app_password}
    )
    return BlueskyConnector(tokens=connected.tokens, options=connected.options)


@pytest.fixture
def alice(network: BlueskyNetwork) -> BlueskyConnector:
    return sign_in(network.alice)


def run(client: BlueskyConnector, payload: PostPayload) -> StepResult:
    done: dict[str, StepResult] = {}
    for step in client.plan(payload):
        now = dt.datetime.now(dt.UTC)
        intent = client.prepare_step(step, payload, done, key=str(uuid.uuid4()), now=now)
        done[step.key] = client.send_step(step, payload, intent)
    return done[step.key]


def publish(client: BlueskyConnector, text: str) -> dict[str, str]:
    return dict(run(client, PostPayload(parts=(PostPart(text),))).detail)


def inbox(client: BlueskyConnector) -> dict[str, InboxItem]:
    """What was written in the last minutes, by its words."""
    since = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=10)
    found: dict[str, InboxItem] = {}
    cursor = ""
    while True:
        page = client.fetch_inbox(since=since, cursor=cursor)
        found |= {item.text: item for item in page.items}
        cursor = page.cursor
        if not cursor:
            return found


def told(client: BlueskyConnector, text: str) -> InboxItem:
    """The AppView takes a moment to hear of something."""
    wait_until(lambda: text in inbox(client))
    return inbox(client)[text]


def wait_until(is_so: Callable[[], bool], *, timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, "the AppView did not catch up"
        time.sleep(0.1)


def answer(item: InboxItem, text: str) -> PostPayload:
    target = ReplyTarget(item.remote_id, item.root_id, item.detail)
    return PostPayload(parts=(PostPart(text),), reply_to=target)


def moderate(client: BlueskyConnector, item: InboxItem, action: ModerationAction) -> StepResult:
    return run(client, PostPayload(parts=(), moderation=Moderation(action, item.remote_id, item.detail)))


def test_a_comment_is_told_and_the_answer_hangs_below_it(
    network: BlueskyNetwork, alice: BlueskyConnector
) -> None:
    post = publish(alice, "Which tea today?")
    comment = network.post(network.bob, "Sencha, please", reply_to=post)
    asked = told(alice, "Sencha, please")
    assert (asked.kind, asked.thread_id, asked.root_id) == (
        InboxKind.COMMENT,
        comment["uri"],
        post["uri"],
    )
    assert (asked.author.remote_id, asked.author.handle) == (network.bob.did, "bob.test")
    assert asked.root is not None
    assert asked.root.text == "Which tea today?"

    result = run(alice, answer(asked, "Coming @bob.test"))
    (kept,) = [record for record in network.posts(network.alice) if record["uri"] == result.remote_id]
    assert kept["value"]["reply"] == {"root": post, "parent": comment}
    own = told(alice, "Coming @bob.test")
    assert (own.is_own, own.thread_id, own.remote_id) == (True, comment["uri"], result.remote_id)

    # Bob's server shows it to him where it belongs, and his next words come to the same conversation.
    wait_until(lambda: "Coming @bob.test" in inbox(sign_in(network.bob)))
    network.post(network.bob, "Thanks!", reply_to=result.detail, root=post)
    assert told(alice, "Thanks!").thread_id == comment["uri"]


def test_an_answer_that_was_written_elsewhere_is_known(
    network: BlueskyNetwork, alice: BlueskyConnector
) -> None:
    post = publish(alice, "Open until six")
    comment = network.post(network.bob, "On Sunday too?", reply_to=post)
    told(alice, "On Sunday too?")
    network.post(network.alice, "Sundays as well", reply_to=comment, root=post)
    own = told(alice, "Sundays as well")
    assert (own.is_own, own.thread_id, own.root_id) == (True, comment["uri"], post["uri"])


def test_a_mention_is_told_and_answered(network: BlueskyNetwork, alice: BlueskyConnector) -> None:
    mention = network.post(network.bob, "makes the best tea", names=network.alice)
    item = told(alice, "@alice.test makes the best tea")
    assert (item.kind, item.thread_id, item.root_id) == (InboxKind.MENTION, mention["uri"], "")
    result = run(alice, answer(item, "Too kind"))
    own = told(alice, "Too kind")
    assert (own.kind, own.thread_id, own.is_own) == (InboxKind.MENTION, mention["uri"], True)
    (kept,) = [record for record in network.posts(network.alice) if record["uri"] == result.remote_id]
    assert kept["value"]["reply"]["root"] == mention


def test_a_quote_is_told_as_a_mention(network: BlueskyNetwork, alice: BlueskyConnector) -> None:
    post = publish(alice, "Quote me")
    quote = {"$type": "app.bsky.embed.record", "record": post}
    network.post(network.bob, "Hear, hear", embed=quote)
    assert told(alice, "Hear, hear").kind is InboxKind.MENTION


def test_liking_twice_leaves_one_record_and_can_be_taken_back(
    network: BlueskyNetwork, alice: BlueskyConnector
) -> None:
    network.post(network.bob, "Like me", reply_to=publish(alice, "A post to like below"))
    item = told(alice, "Like me")
    before = len(network.records(network.alice, "app.bsky.feed.like"))
    for _ in range(2):
        moderate(alice, item, ModerationAction.LIKE)
    likes = network.records(network.alice, "app.bsky.feed.like")
    assert len(likes) == before + 1
    assert item.remote_id in [like["value"]["subject"]["uri"] for like in likes]
    wait_until(lambda: inbox(alice)["Like me"].is_liked is True)
    for _ in range(2):
        moderate(alice, item, ModerationAction.UNLIKE)
    assert len(network.records(network.alice, "app.bsky.feed.like")) == before
    wait_until(lambda: not inbox(alice)["Like me"].is_liked)


def test_a_like_made_in_another_app_is_found_and_taken_back(
    network: BlueskyNetwork, alice: BlueskyConnector
) -> None:
    network.post(network.bob, "Liked elsewhere", reply_to=publish(alice, "A post to like elsewhere"))
    item = told(alice, "Liked elsewhere")
    before = len(network.records(network.alice, "app.bsky.feed.like"))
    subject = {"uri": item.detail["uri"], "cid": item.detail["cid"]}
    like = network.write(network.alice, "app.bsky.feed.like", subject=subject)
    wait_until(lambda: inbox(alice)["Liked elsewhere"].is_liked is True)
    assert moderate(alice, item, ModerationAction.LIKE).remote_id == like["uri"]
    assert len(network.records(network.alice, "app.bsky.feed.like")) == before + 1
    moderate(alice, item, ModerationAction.UNLIKE)
    assert len(network.records(network.alice, "app.bsky.feed.like")) == before


def test_hiding_keeps_who_may_reply_and_can_be_taken_back(
    network: BlueskyNetwork, alice: BlueskyConnector
) -> None:
    post = publish(alice, "A post with rude replies")
    rkey = post["uri"].rpartition("/")[2]
    rules = [
        {"$type": "app.bsky.feed.threadgate#followingRule"},
        {"$type": "app.bsky.feed.threadgate#mentionRule"},
    ]
    requests.post(
        f"{network.pds_url}/xrpc/com.atproto.repo.putRecord",
        headers={"Authorization": f"Bearer {alice.tokens.access_token}"},
        json={
            "repo": network.alice.did,
            "collection": "app.bsky.feed.threadgate",
            "rkey": rkey,
            "record": {
                "$type": "app.bsky.feed.threadgate",
                "post": post["uri"],
                "allow": rules,
                "createdAt": "2026-11-22T09:00:00Z",
            },
        },
        timeout=10,
    ).raise_for_status()
    comment = network.post(network.bob, "Rude", reply_to=post)
    detail = {**comment, "root": post}

    def gate() -> dict[str, object]:
        (found,) = [
            record["value"]
            for record in network.records(network.alice, "app.bsky.feed.threadgate")
            if record["uri"].endswith(rkey)
        ]
        return dict(found)

    item = InboxItem(
        kind=InboxKind.COMMENT,
        remote_id=comment["uri"],
        thread_id=comment["uri"],
        author=alice.fetch_profile(),
        text="Rude",
        created_at=dt.datetime.now(dt.UTC),
        detail=detail,
    )
    for _ in range(2):
        moderate(alice, item, ModerationAction.HIDE)
    assert (gate()["hiddenReplies"], gate()["allow"]) == ([comment["uri"]], rules)
    moderate(alice, item, ModerationAction.UNHIDE)
    assert (gate()["hiddenReplies"], gate()["allow"]) == ([], rules)


def test_a_hidden_comment_leaves_the_thread_that_others_see(
    network: BlueskyNetwork, alice: BlueskyConnector
) -> None:
    post = publish(alice, "Say something nice")
    network.post(network.bob, "Something rude", reply_to=post)
    item = told(alice, "Something rude")
    moderate(alice, item, ModerationAction.HIDE)
    # The network itself no longer tells of it either.
    wait_until(lambda: "Something rude" not in inbox(alice))


def test_an_answer_to_a_deleted_comment_is_not_found_and_nothing_is_written(
    network: BlueskyNetwork, alice: BlueskyConnector
) -> None:
    post = publish(alice, "Ask me")
    comment = network.post(network.bob, "Never mind", reply_to=post)
    item = told(alice, "Never mind")
    network.delete(network.bob, comment["uri"])
    before = len(network.posts(network.alice))
    with pytest.raises(Rejected) as refused:
        run(alice, answer(item, "Too late"))
    assert refused.value.reason is RejectReason.NOT_FOUND
    assert len(network.posts(network.alice)) == before
    wait_until(lambda: "Never mind" not in inbox(alice))
    with pytest.raises(Rejected) as refused:
        moderate(alice, item, ModerationAction.LIKE)
    assert refused.value.reason is RejectReason.NOT_FOUND


def test_an_answer_may_be_repeated_and_is_there_once(
    network: BlueskyNetwork, alice: BlueskyConnector
) -> None:
    post = publish(alice, "Once only")
    network.post(network.bob, "Once?", reply_to=post)
    payload = answer(told(alice, "Once?"), "Once.")
    (step,) = alice.plan(payload)
    intent = alice.prepare_step(step, payload, {}, key=str(uuid.uuid4()), now=dt.datetime.now(dt.UTC))
    results = [alice.send_step(step, payload, intent) for _ in range(3)]
    assert results[0] == results[1] == results[2]
    texts = [record["value"]["text"] for record in network.posts(network.alice)]
    assert texts.count("Once.") == 1


def test_a_server_without_a_chat_service_has_no_messages_and_the_rest_is_read(
    network: BlueskyNetwork, alice: BlueskyConnector
) -> None:
    network.post(network.bob, "Still told", reply_to=publish(alice, "A post of the privileged"))
    # The main password is privileged for messages; there is nobody behind this server to ask for them.
    client = sign_in(network.alice, password=network.alice.password)
    assert client.options["opens_messages"] is True
    assert told(client, "Still told").kind is InboxKind.COMMENT
