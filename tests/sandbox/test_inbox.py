"""What an account is told of what people write to it, and what it answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.fixtures import Api, SandboxControl, error_code

pytestmark = pytest.mark.integration

Account = Callable[..., Api]


def told(api: Api, path: str, **params: Any) -> list[str]:
    answer = api.get(f"/api/v1/{path}", **params).json()
    return [one["text"] for one in answer.get("comments", answer.get("messages"))]


# --- comments and mentions --------------------------------------------------------------------


def test_own_answers_are_told_with_the_comments_and_marked(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    post = api.publish("Open today").json()["id"]
    comment = sandbox.act("comment", by="Hana", post=post, text="Until when?")
    answer = api.publish("Until six", reply_to=comment).json()["id"]
    sandbox.act("comment", by="Hana", post=answer, text="Thanks")
    sandbox.act("like", by="Kenji", post=comment)
    api.post(f"/api/v1/posts/{comment}/like")
    received = api.get("/api/v1/comments").json()["comments"]
    assert [(c["text"], c["is_own"], c["is_liked"]) for c in received] == [
        ("Until when?", False, True),
        ("Until six", True, False),
        ("Thanks", False, False),
    ]
    above = [(a["text"], a["is_own"]) for a in received[2]["ancestors"]]
    assert above == [("Until six", True), ("Until when?", False), ("Open today", True)]


def test_comments_can_be_read_from_a_moment_on_and_page_by_page(
    account: Account, sandbox: SandboxControl
) -> None:
    api = account()
    post = api.publish("x").json()["id"]
    for hour in range(5):
        at = f"2026-11-22T0{hour}:00:00Z"
        sandbox.act("comment", by="Hana", post=post, text=f"at {hour}", at=at)
    assert told(api, "comments", since="2026-11-22T03:00:00Z") == ["at 3", "at 4"]
    first = api.get("/api/v1/comments", limit=2, since="2026-11-22T01:00:00+00:00").json()
    assert [c["text"] for c in first["comments"]] == ["at 1", "at 2"]
    assert told(api, "comments", limit=2, cursor=first["cursor"]) == ["at 3", "at 4"]


def test_a_mention_is_what_names_the_account_elsewhere(account: Account, sandbox: SandboxControl) -> None:
    api, other = account("nori"), account("tea_house")
    theirs = other.publish("Ramen with @Nori today, see nori@example.com and @nori_too").json()["id"]
    sandbox.act("comment", by="Hana", post=theirs, text="I love @nori!")
    sandbox.act("comment", by="Hana", post=theirs, text="no handle here")
    own = api.publish("Thank you @tea_house", reply_to=theirs).json()["id"]
    sandbox.act("comment", by="Kenji", post=own, text="Nice to see")
    other.publish("@nori_too only")
    below_own = api.publish("our own post").json()["id"]
    sandbox.act("comment", by="Hana", post=below_own, text="@nori a comment, no mention")
    found = api.get("/api/v1/mentions").json()["comments"]
    assert [(c["text"].split()[0], c["is_own"], c["names_you"]) for c in found] == [
        ("Ramen", False, True),
        ("I", False, True),
        ("Thank", True, False),
        ("Nice", False, False),
    ]
    assert [a["names_you"] for a in found[1]["ancestors"]] == [True]
    assert told(other, "mentions") == []
    assert told(other, "comments")[-1] == "Nice to see"


def test_a_deleted_answer_still_says_where_the_next_one_hangs(
    account: Account, sandbox: SandboxControl
) -> None:
    api = account()
    post = api.publish("x").json()["id"]
    first = sandbox.act("comment", by="Hana", post=post, text="one")
    sandbox.act("comment", by="Kenji", post=first, text="two")
    sandbox.act("delete", by="Hana", post=first)
    (second,) = api.get("/api/v1/comments").json()["comments"]
    assert [(a["id"], a["text"], a["is_deleted"]) for a in second["ancestors"]] == [
        (first, "", True),
        (post, "x", False),
    ]


def test_a_customer_deletes_only_what_they_wrote(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    post = api.publish("x").json()["id"]
    comment = sandbox.act("comment", by="Hana", post=post, text="Mine")
    with pytest.raises(RuntimeError, match="forbidden"):
        sandbox.act("delete", by="Kenji", post=comment)
    assert told(api, "comments") == ["Mine"]
    sandbox.act("delete", by="Hana", post=comment)
    assert told(api, "comments") == []
    assert error_code(api.publish("Too late", reply_to=comment)) == "reply_to_missing"


def test_an_answer_below_a_deleted_post_is_refused(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    post = api.publish("x").json()["id"]
    comment = sandbox.act("comment", by="Hana", post=post, text="Hello?")
    api.call("DELETE", f"/api/v1/posts/{post}")
    assert error_code(api.publish("Too late", reply_to=comment)) == "reply_to_missing"


def test_an_answer_goes_through_a_container_where_posts_do(account: Account, sandbox: SandboxControl) -> None:
    api = account(mode="two_phase")
    container = api.post("/api/v1/containers", {"text": "x"}).json()["id"]
    post = api.post(f"/api/v1/containers/{container}/publish").json()["id"]
    comment = sandbox.act("comment", by="Hana", post=post, text="Hello")
    container = api.post("/api/v1/containers", {"text": "Welcome", "reply_to": comment}).json()["id"]
    sandbox.act("delete", by="Hana", post=comment)
    refused = api.post(f"/api/v1/containers/{container}/publish")
    assert error_code(refused) == "reply_to_missing"
    assert (
        error_code(api.post("/api/v1/containers", {"text": "x", "reply_to": comment})) == "reply_to_missing"
    )


# --- messages ---------------------------------------------------------------------------------


def test_messages_can_be_read_from_a_moment_on(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    for hour in range(3):
        sandbox.act("message", by="Kenji", to="nori", text=f"at {hour}", at=f"2026-11-22T0{hour}:00:00Z")
    received = api.get("/api/v1/messages", since="2026-11-22T01:00:00Z").json()["messages"]
    assert [(m["text"], m["is_own"]) for m in received] == [("at 1", False), ("at 2", False)]
    api.post("/api/v1/messages", {"to": received[0]["from"]["handle"], "text": "Hello"})
    assert [m["is_own"] for m in api.get("/api/v1/messages").json()["messages"]] == [False] * 3 + [True]


@pytest.mark.parametrize(("mode", "stored"), [("idempotency_key", 1), ("two_phase", 2), ("neither", 2)])
def test_only_an_account_of_that_mode_has_its_messages_kept_from_doubling(
    account: Account, sandbox: SandboxControl, mode: str, stored: int
) -> None:
    api = account(mode=mode)
    sandbox.act("message", by="Kenji", to="nori", text="Hi")
    to = api.get("/api/v1/messages").json()["messages"][0]["from"]["handle"]
    headers = {"Idempotency-Key": "k", "X-Client-Ref": "d1"}
    for _ in range(2):
        api.post("/api/v1/messages", {"to": to, "text": "Hello"}, headers=headers)
    summary = sandbox.summary("nori")
    assert (summary["messages"], summary["duplicates"]) == (stored, stored - 1)
    assert summary["refs_stored"] == 1


# --- the ledger -------------------------------------------------------------------------------


def test_replies_and_messages_are_counted_apart_from_posts(account: Account, sandbox: SandboxControl) -> None:
    api = account(mode="neither")
    post = api.publish("Sale", ref="p").json()["id"]
    comments = [sandbox.act("comment", by=name, post=post, text="Nice") for name in ("Hana", "Kenji")]
    for comment in comments:
        api.publish("Thanks!", reply_to=comment, ref=f"r-{comment}")  # the same words to two people
    api.publish("Thanks!", reply_to=comments[0], ref=f"r-{comments[0]}")  # once too often
    summary = sandbox.summary()
    assert (summary["posts"], summary["replies"], summary["messages"]) == (1, 3, 0)
    assert (summary["duplicates"], summary["same_text"]) == (1, 1)
    assert summary["duplicate_groups"][0]["kind"] == "reply"
    assert (summary["refs_stored"], summary["by_account"]) == (3, {"nori": 1})


def test_a_message_is_in_the_ledger_with_its_reference(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    sandbox.act("message", by="Kenji", to="nori", text="Hi")
    to = api.get("/api/v1/messages").json()["messages"][0]["from"]["handle"]
    made = api.post("/api/v1/messages", {"to": to, "text": "Hello"}, headers={"X-Client-Ref": "d1"}).json()
    (row,) = sandbox.ledger(endpoint="send_message")
    assert (row["client_ref"], row["post_id"], row["is_new"]) == ("d1", made["id"], True)
    assert row["text_hash"]


@pytest.mark.parametrize("endpoint", ["send_message", "publish"])
def test_an_answer_that_is_dropped_was_carried_out(
    account: Account, sandbox: SandboxControl, endpoint: str
) -> None:
    api = account(mode="neither")
    sandbox.act("message", by="Kenji", to="nori", text="Hi")
    to = api.get("/api/v1/messages").json()["messages"][0]["from"]["handle"]
    post = api.publish("x").json()["id"]
    comment = sandbox.act("comment", by="Hana", post=post, text="Hello")
    sandbox.fault("drop_after_accept", endpoint=endpoint, times=1)
    path, body = {
        "publish": ("/api/v1/posts", {"text": "Welcome", "reply_to": comment}),
        "send_message": ("/api/v1/messages", {"to": to, "text": "Hello"}),
    }[endpoint]
    with pytest.raises(OSError, match="onnection"):
        api.post(path, body)
    summary = sandbox.summary()
    assert summary["replies"] + summary["messages"] == 1


def test_a_mention_told_later_is_found_by_the_time_of_its_writing(
    account: Account, sandbox: SandboxControl
) -> None:
    api, other = account("nori"), account("slow", read_lag_s=60)
    other.publish("@nori hello")
    since = (dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)).isoformat()
    assert told(api, "mentions", since=since) == []
    sandbox.advance(61)
    assert told(api, "mentions", since=since) == ["@nori hello"]
