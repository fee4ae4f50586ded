"""The network's own record: what a benchmark or a chaos run compares with ours."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox.store import normalised
from tests.sandbox.fixtures import Api, SandboxControl

pytestmark = pytest.mark.integration

Account = Callable[..., Api]


def test_every_request_is_recorded_with_its_outcome(account: Account, sandbox: SandboxControl) -> None:
    api = account(mode="idempotency_key")
    made = api.publish("once", key="k1", ref="d1").json()
    api.publish("once", key="k1", ref="d1")
    api.publish("", ref="d2")
    api.get("/api/v1/accounts/me")
    rows = sandbox.ledger(account="nori")
    assert [(row["endpoint"], row["status"], row["is_new"]) for row in rows] == [
        ("publish", 201, True),
        ("publish", 200, False),
        ("publish", 422, False),
        ("profile", 200, False),
    ]
    assert {row["post_id"] for row in rows[:2]} == {made["id"]}
    assert [row["idempotency_key"] for row in rows] == ["k1", "k1", "", ""]
    assert [row["client_ref"] for row in rows] == ["d1", "d1", "d2", ""]
    assert rows[0]["text_hash"] == rows[1]["text_hash"]
    assert sandbox.ledger(endpoint="profile") == rows[3:]


def test_requests_without_an_account_are_recorded_too(sandbox: SandboxControl) -> None:
    Api(sandbox, "wrong").publish("x")
    row = sandbox.ledger()[-1]
    assert (row["account"], row["endpoint"], row["status"]) == (None, "publish", 401)


def test_a_duplicate_has_the_same_account_text_and_reference(
    account: Account, sandbox: SandboxControl
) -> None:
    api, other = account(mode="neither"), account("other", mode="neither")
    api.publish("Sale today", ref="d1")
    api.publish("  Sale   today ", ref="d1")  # the same words
    api.publish("Sale today", ref="d2")  # another delivery that says the same
    other.publish("Sale today", ref="d1")  # another account
    summary = sandbox.summary()
    assert (summary["posts"], summary["duplicates"], summary["same_text"]) == (4, 1, 2)
    assert summary["by_account"] == {"nori": 3, "other": 1}
    assert summary["refs_stored"] == 2
    group = summary["duplicate_groups"][0]
    assert (group["account"], group["client_ref"], group["count"]) == ("nori", "d1", 2)
    assert len(group["post_ids"]) == 2
    assert sandbox.summary("other")["duplicates"] == 0


def test_a_deleted_duplicate_still_counts_as_one(account: Account, sandbox: SandboxControl) -> None:
    api = account(mode="neither")
    api.publish("x", ref="d1")
    api.call("DELETE", f"/api/v1/posts/{api.publish('x', ref='d1').json()['id']}")
    summary = sandbox.summary()
    assert (summary["posts"], summary["duplicates"]) == (1, 1)


def test_what_customers_write_is_not_counted(account: Account, sandbox: SandboxControl) -> None:
    post = account().publish("x").json()["id"]
    for _ in range(2):
        sandbox.act("comment", by="Hana", post=post, text="Same words")
    summary = sandbox.summary()
    assert (summary["posts"], summary["duplicates"], summary["same_text"]) == (1, 0, 0)


def test_all_posts_can_be_read_back_for_comparison(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    for number in range(3):
        api.publish(f"post {number}", ref=f"d{number}")
    assert [(post["text"], post["client_ref"]) for post in sandbox.posts(account="nori")] == [
        ("post 0", "d0"),
        ("post 1", "d1"),
        ("post 2", "d2"),
    ]


def test_a_reset_can_keep_accounts_and_their_tokens(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    api.publish("x")
    sandbox.reset(keep_accounts=True)
    assert sandbox.summary()["requests"] == 0
    assert api.publish("y").status_code == 201
    sandbox.reset()
    assert api.publish("z").status_code == 401


def test_ids_are_never_given_again(account: Account, sandbox: SandboxControl) -> None:
    first = account().publish("x").json()["id"]
    sandbox.reset()
    assert int(account().publish("x").json()["id"]) > int(first)


@pytest.mark.parametrize(
    ("text", "same"),
    [("a  b\n", "a b"), ("か\u3099", "が"), ("a\u200bb", "ab"), ("全角　空白", "全角 空白")],
)
def test_texts_are_compared_without_what_nobody_sees(text: str, same: str) -> None:
    assert normalised(text) == normalised(same)
