"""Talks with a past: what customers and accounts said at other times than now, for demonstrations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from sandbox.control import SandboxFailed
from tests.sandbox.fixtures import Api, SandboxControl

pytestmark = pytest.mark.integration

Account = Callable[..., Api]
ASKED, ANSWERED = "2026-03-02T09:15:00.000Z", "2026-03-02T10:40:00.000Z"


def test_an_answer_of_the_past_stands_below_what_it_answers(
    account: Account, sandbox: SandboxControl
) -> None:
    api = account()
    post = api.publish("Open").json()["id"]
    comment = sandbox.act("comment", by="Mila", post=post, text="Until when?", at=ASKED)
    (answer,) = sandbox.answer("nori", [{"post": comment, "text": "Six", "at": ANSWERED, "client_ref": "d1"}])
    shown = {one["id"]: one for one in api.get("/api/v1/comments").json()["comments"]}
    assert (shown[answer]["reply_to"], shown[answer]["is_own"]) == (comment, True)
    assert (shown[comment]["created_at"], shown[answer]["created_at"]) == (ASKED, ANSWERED)
    assert sandbox.summary()["refs_stored"] == 1
    assert sandbox.summary()["replies"] == 1


def test_a_private_answer_of_the_past_goes_to_that_customer(
    account: Account, sandbox: SandboxControl
) -> None:
    api = account()
    asked, _other = sandbox.act_all(
        [
            {"kind": "message", "by": "Mila", "to": "nori", "text": "Hello?", "at": ASKED},
            {"kind": "message", "by": "Tom", "to": "nori", "text": "Hi", "at": ASKED},
        ]
    )
    (answer,) = sandbox.answer("nori", [{"to": "Mila", "text": "Hello!", "at": ANSWERED}])
    sent = {one["id"]: one for one in api.get("/api/v1/messages").json()["messages"]}
    assert sent[answer]["is_own"]
    assert sent[answer]["to"]["handle"] == sent[asked]["from"]["handle"]
    assert sent[answer]["created_at"] == ANSWERED


def test_a_hidden_comment_is_seen_by_the_account_alone(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    post = api.publish("Open").json()["id"]
    comment = sandbox.act("comment", by="Spam", post=post, text="Buy this", at=ASKED)
    sandbox.answer("nori", [{"hide": comment, "at": ANSWERED}])
    assert [one["is_hidden"] for one in api.get("/api/v1/comments").json()["comments"]] == [True]
    assert Api(sandbox).get(f"/api/v1/posts/{comment}").status_code == 404


def test_a_customers_own_post_may_name_an_account(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    post = sandbox.act("post", by="Mila", text="At @nori again", at=ASKED)
    (mention,) = api.get("/api/v1/mentions").json()["comments"]
    assert (mention["id"], mention["names_you"], mention["created_at"]) == (post, True, ASKED)
    assert dt.datetime.fromisoformat(mention["created_at"]) < dt.datetime.now(dt.UTC)
    assert sandbox.summary()["posts"] == 0  # it is no brand's


def test_nothing_can_be_answered_that_is_not_there(account: Account, sandbox: SandboxControl) -> None:
    account()
    with pytest.raises(SandboxFailed, match="reply_to_missing"):
        sandbox.answer("nori", [{"post": "123456", "text": "?"}])
