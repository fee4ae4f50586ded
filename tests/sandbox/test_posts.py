"""What accounts can publish, and the three promises against double posts."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.store import Store
from tests.sandbox.fixtures import Api, SandboxControl, error_code, png

pytestmark = pytest.mark.integration

Account = Callable[..., Api]


def test_a_post_is_stored_and_everybody_can_read_it(account: Account, sandbox: SandboxControl) -> None:
    made = account().publish("New season, new tea 🍵 #green", language="en")
    assert made.status_code == 201
    read = Api(sandbox).get(f"/api/v1/posts/{made.json()['id']}").json()
    assert (read["text"], read["language"], read["account"]["handle"]) == (
        "New season, new tea 🍵 #green",
        "en",
        "nori",
    )
    assert read["url"] == f"{sandbox.base_url}/@nori/{read['id']}"


def test_publishing_needs_a_token_that_is_known_and_may_write(sandbox: SandboxControl) -> None:
    reader = sandbox.accounts([{"handle": "reader"}], scopes="read")[0]
    assert Api(sandbox).publish("x").status_code == 401
    assert Api(sandbox, "wrong").publish("x").status_code == 401
    refused = Api(sandbox, reader.access_token).publish("x")
    assert (refused.status_code, error_code(refused)) == (403, "insufficient_scope")
    assert sandbox.summary()["posts"] == 0


def test_the_text_limit_counts_code_points(account: Account) -> None:
    api = account()
    assert api.publish("あ" * 500).status_code == 201
    refused = api.publish("あ" * 501)
    assert error_code(refused) == "text_too_long"
    assert (refused.json()["error"]["limit"], refused.json()["error"]["actual"]) == (500, 501)


def test_the_text_limit_is_a_setting_of_the_account(account: Account) -> None:
    assert account(text_max=5).publish("123456").status_code == 422


@pytest.mark.parametrize(
    ("post", "code"),
    [
        ({"text": " \n "}, "text_empty"),
        ({"text": "x", "media_ids": ["1", "2", "3", "4", "5"]}, "too_many_media"),
        ({"text": "x", "media_ids": ["99"]}, "media_not_found"),
        ({"text": "x", "media_ids": ["x"]}, "invalid"),
        ({"text": "x", "reply_to": "99"}, "reply_to_missing"),
        ({"text": "x", "card": {"url": "javascript:alert(1)"}}, "invalid"),
        ({"text": 3}, "invalid"),
    ],
)
def test_what_cannot_be_posted_is_refused_with_a_code(account: Account, post: dict, code: str) -> None:
    refused = account().post("/api/v1/posts", post)
    assert refused.status_code == 422
    assert error_code(refused) == code


def test_a_body_that_is_no_json_object_is_refused(account: Account) -> None:
    api = account()
    for body in (b"{", b"[1]", b"\xff"):
        assert error_code(api.call("POST", "/api/v1/posts", data=body)) == "invalid_json"


def test_images_are_shown_with_their_alt_text(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    media = api.upload(png(30, 20), alt_text="A teal field")
    assert (media.status_code, media.json()["state"]) == (201, "ready")
    post = api.publish("", media_ids=[media.json()["id"]]).json()
    shown = post["media"][0]
    assert (shown["alt_text"], shown["width"], shown["height"]) == ("A teal field", 30, 20)
    file = Api(sandbox).session.get(shown["url"], timeout=10)
    assert (file.headers["Content-Type"], file.content) == ("image/png", png(30, 20))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_the_four_kinds_of_images_are_taken(account: Account, kind: str) -> None:
    assert account().upload(png(kind=kind)).status_code == 201


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"hello", 415, "media_type"),
        (png(kind="BMP"), 415, "media_type"),
        (b"", 422, "media_broken"),
        (png(40, 40)[:60], 422, "media_broken"),
        (b"\x89PNG" + b"0" * (5 * 1024 * 1024), 413, "media_too_large"),
    ],
    ids=["text", "bmp", "empty", "cut off", "large"],
)
def test_other_files_are_refused(account: Account, content: bytes, status: int, code: str) -> None:
    refused = account().upload(content)
    assert (refused.status_code, error_code(refused)) == (status, code)


def test_a_long_alt_text_is_refused(account: Account) -> None:
    assert error_code(account().upload(png(), alt_text="x" * 1001)) == "alt_text_too_long"


def test_slow_media_are_polled_until_ready(account: Account, sandbox: SandboxControl) -> None:
    api = account(media_processing_s=60)
    media = api.upload(png())
    assert (media.status_code, media.json()["state"]) == (202, "processing")
    media_id = media.json()["id"]
    assert error_code(api.publish("x", media_ids=[media_id])) == "media_not_ready"
    sandbox.advance(61)
    assert api.get(f"/api/v1/media/{media_id}").json()["state"] == "ready"
    assert api.publish("x", media_ids=[media_id]).status_code == 201


def test_media_belong_to_the_account_that_uploaded_them(account: Account) -> None:
    media_id = account().upload(png()).json()["id"]
    other = account("other")
    assert other.get(f"/api/v1/media/{media_id}").status_code == 404
    assert error_code(other.publish("x", media_ids=[media_id])) == "media_not_found"


# --- the three promises -----------------------------------------------------------------------


def test_an_idempotency_key_answers_the_first_post(account: Account, sandbox: SandboxControl) -> None:
    api = account(mode="idempotency_key")
    first = api.publish("once", key="k1")
    again = api.publish("once", key="k1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert api.publish("once", key="k2").json()["id"] != first.json()["id"]
    assert sandbox.summary()["posts"] == 2


def test_an_idempotency_key_for_something_else_is_a_conflict(account: Account) -> None:
    api = account(mode="idempotency_key")
    api.publish("once", key="k1")
    assert api.publish("twice", key="k1").status_code == 409


def test_an_idempotency_key_is_forgotten_after_a_day(account: Account, sandbox: SandboxControl) -> None:
    api = account(mode="idempotency_key", access_ttl_s=10 * 86_400)
    first = api.publish("once", key="k1").json()["id"]
    sandbox.advance(23 * 3600)
    assert api.publish("once", key="k1").json()["id"] == first
    sandbox.advance(2 * 3600)
    assert api.publish("once", key="k1").json()["id"] != first


def test_keys_of_two_accounts_are_apart(account: Account) -> None:
    first, second = account(), account("other")
    assert first.publish("a", key="k").json()["id"] != second.publish("b", key="k").json()["id"]


def test_without_a_promise_the_key_means_nothing(account: Account, sandbox: SandboxControl) -> None:
    api = account(mode="neither")
    assert api.publish("once", key="k1").json()["id"] != api.publish("once", key="k1").json()["id"]
    assert sandbox.summary()["duplicates"] == 1


def test_a_container_makes_one_post_and_no_more(account: Account, sandbox: SandboxControl) -> None:
    api = account(mode="two_phase")
    container = api.post("/api/v1/containers", {"text": "once"}, headers={"X-Client-Ref": "d1"})
    assert (container.status_code, container.json()["state"]) == (201, "FINISHED")
    path = f"/api/v1/containers/{container.json()['id']}"
    post = api.post(f"{path}/publish")
    assert post.status_code == 201
    again = api.post(f"{path}/publish")
    assert (again.status_code, error_code(again)) == (409, "already_published")
    assert again.json()["error"]["post_id"] == post.json()["id"]
    state = api.get(path).json()
    assert (state["state"], state["post_id"]) == ("PUBLISHED", post.json()["id"])
    assert [row["client_ref"] for row in sandbox.posts()] == ["d1"]


def test_a_container_waits_for_its_media(account: Account, sandbox: SandboxControl) -> None:
    api = account(mode="two_phase", media_processing_s=30)
    media_id = api.upload(png()).json()["id"]
    container = api.post("/api/v1/containers", {"text": "x", "media_ids": [media_id]})
    assert (container.status_code, container.json()["state"]) == (202, "IN_PROGRESS")
    path = f"/api/v1/containers/{container.json()['id']}"
    assert error_code(api.post(f"{path}/publish")) == "media_not_ready"
    sandbox.advance(31)
    assert api.get(path).json()["state"] == "FINISHED"
    assert api.post(f"{path}/publish").json()["media"][0]["id"] == media_id


def test_an_unpublished_container_expires(account: Account, sandbox: SandboxControl) -> None:
    api = account(mode="two_phase", access_ttl_s=10 * 86_400)
    path = f"/api/v1/containers/{api.post('/api/v1/containers', {'text': 'x'}).json()['id']}"
    sandbox.advance(25 * 3600)
    assert api.get(path).json()["error"] == "expired"
    assert error_code(api.post(f"{path}/publish")) == "container_expired"


def test_each_mode_has_its_own_way_to_publish(account: Account) -> None:
    assert error_code(account("two", mode="two_phase").publish("x")) == "container_required"
    for mode in ("idempotency_key", "neither"):
        refused = account(f"a_{mode}", mode=mode).post("/api/v1/containers", {"text": "x"})
        assert error_code(refused) == "container_not_offered"


def test_an_account_is_told_its_mode_and_limits(account: Account) -> None:
    own = (
        account(mode="neither", text_max=280, quota_limit=5, quota_window_s=60)
        .get("/api/v1/accounts/me")
        .json()
    )
    assert own["retry_safety"] == "neither"
    assert own["limits"]["text_max"] == 280
    assert own["limits"]["quota"] == {"limit": 5, "window_s": 60}


# --- reading ----------------------------------------------------------------------------------


def test_own_posts_come_newest_first_in_pages(account: Account) -> None:
    api = account()
    made = [api.publish(f"post {n}").json()["id"] for n in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = api.get("/api/v1/accounts/me/posts", limit=2, cursor=cursor).json()
        seen += [post["id"] for post in page["posts"]]
        if not (cursor := page["cursor"]):
            break
    assert seen == made[::-1]


def test_own_posts_begin_at_since(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    api.publish("old")
    sandbox.advance(60)
    new = api.publish("new").json()
    found = api.get("/api/v1/accounts/me/posts", since=new["created_at"]).json()["posts"]
    assert [post["text"] for post in found] == ["new"]
    assert api.get("/api/v1/accounts/me/posts", since="yesterday").status_code == 422


def test_with_read_lag_a_post_appears_later(account: Account, sandbox: SandboxControl) -> None:
    api = account(read_lag_s=10)
    post_id = api.publish("late").json()["id"]
    assert api.get("/api/v1/accounts/me/posts").json()["posts"] == []
    assert api.get(f"/api/v1/posts/{post_id}").status_code == 404
    sandbox.advance(11)
    assert len(api.get("/api/v1/accounts/me/posts").json()["posts"]) == 1
    assert api.get(f"/api/v1/posts/{post_id}").status_code == 200


def test_only_the_author_deletes_a_post(account: Account) -> None:
    api, other = account(), account("other")
    post_id = api.publish("x").json()["id"]
    assert other.call("DELETE", f"/api/v1/posts/{post_id}").status_code == 403
    assert api.get(f"/api/v1/posts/{post_id}").status_code == 200
    assert api.call("DELETE", f"/api/v1/posts/{post_id}").status_code == 200
    assert api.get(f"/api/v1/posts/{post_id}").status_code == 404


def test_a_quota_refuses_until_its_window_has_passed(account: Account, sandbox: SandboxControl) -> None:
    api = account(quota_limit=2, quota_window_s=3)
    assert [api.publish(f"n{n}").status_code for n in range(3)] == [201, 201, 429]
    refused = api.publish("n4")
    assert 1 <= int(refused.headers["Retry-After"]) <= 3
    time.sleep(3.1)
    assert api.publish("n5").status_code == 201
    assert sandbox.summary()["posts"] == 3


# --- threads, comments, reactions, messages ---------------------------------------------------


def test_replies_to_oneself_are_a_thread_and_those_of_others_are_comments(
    account: Account, sandbox: SandboxControl
) -> None:
    api = account()
    root = api.publish("one").json()["id"]
    part = api.publish("two", reply_to=root).json()
    assert part["is_comment"] is False
    comment = sandbox.act("comment", by="Hana", post=part["id"], text="Lovely")
    answer = api.publish("Thank you", reply_to=comment).json()
    assert answer["is_comment"] is True
    found = api.get(f"/api/v1/posts/{part['id']}/comments").json()["comments"]
    assert [one["text"] for one in found] == ["Lovely", "Thank you"]
    assert api.get(f"/api/v1/posts/{root}/comments").json()["comments"] == []
    received = api.get("/api/v1/comments").json()["comments"]
    assert [(one["text"], one["post_id"]) for one in received] == [
        ("Lovely", part["id"]),
        ("Thank you", part["id"]),
    ]


def test_a_thread_ends_after_25_parts(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    last = api.publish("part 1").json()["id"]
    for number in range(2, 26):
        last = api.publish(f"part {number}", reply_to=last).json()["id"]
    assert error_code(api.publish("part 26", reply_to=last)) == "thread_too_long"
    assert sandbox.summary()["posts"] == 25


def test_a_hidden_comment_is_seen_by_the_owner_of_the_page_only(
    account: Account, sandbox: SandboxControl
) -> None:
    api, other = account(), account("other")
    post_id = api.publish("x").json()["id"]
    comment = sandbox.act("comment", by="Rude person", post=post_id, text="Boo")
    assert other.post(f"/api/v1/comments/{comment}/hide").status_code == 403
    assert api.post(f"/api/v1/comments/{comment}/hide").json()["is_hidden"] is True
    path = f"/api/v1/posts/{post_id}/comments"
    assert other.get(path).json()["comments"] == []
    assert api.get(path).json()["comments"][0]["is_hidden"] is True
    assert api.get(f"/api/v1/posts/{post_id}").json()["counts"]["comments"] == 0
    api.call("DELETE", f"/api/v1/comments/{comment}/hide")
    assert len(other.get(path).json()["comments"]) == 1
    assert api.call("DELETE", f"/api/v1/posts/{comment}").status_code == 200


def test_a_comment_is_deleted_by_the_owner_of_the_page_and_a_post_is_no_comment(
    account: Account, sandbox: SandboxControl
) -> None:
    api, other = account(), account("other")
    post_id = api.publish("x").json()["id"]
    comment = sandbox.act("comment", by="Rude person", post=post_id, text="Boo")
    assert other.call("DELETE", f"/api/v1/comments/{comment}").status_code == 403
    assert api.call("DELETE", f"/api/v1/comments/{post_id}").status_code == 403
    assert api.call("DELETE", f"/api/v1/comments/{comment}").json() == {"id": comment, "deleted": True}
    assert api.get(f"/api/v1/posts/{post_id}/comments").json()["comments"] == []
    assert error_code(api.call("DELETE", f"/api/v1/comments/{comment}")) == "not_found"


def test_likes_and_shares_count_once_a_person(account: Account) -> None:
    api, other = account(followers=0), account("other")
    path = f"/api/v1/posts/{api.publish('x').json()['id']}"
    for _ in range(2):
        other.post(f"{path}/like")
        other.post(f"{path}/share")
    counts = api.get(path).json()["counts"]
    assert (counts["likes"], counts["shares"]) == (1, 1)
    other.call("DELETE", f"{path}/like")
    other.call("DELETE", f"{path}/share")
    counts = api.get(path).json()["counts"]
    assert (counts["likes"], counts["shares"]) == (0, 0)


def test_messages_go_both_ways(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    sandbox.act("message", by="Kenji", to="nori", text="Are you open today?")
    received = api.get("/api/v1/messages").json()
    assert [one["text"] for one in received["messages"]] == ["Are you open today?"]
    customer = received["messages"][0]["from"]["handle"]
    body = {"to": customer, "text": "Until six."}
    first = api.post("/api/v1/messages", body, headers={"Idempotency-Key": "m1"})
    again = api.post("/api/v1/messages", body, headers={"Idempotency-Key": "m1"})
    assert (first.status_code, again.status_code) == (201, 200)
    later = api.get("/api/v1/messages", cursor=received["cursor"]).json()["messages"]
    assert [one["text"] for one in later] == ["Until six."]
    assert error_code(api.post("/api/v1/messages", {"to": customer, "text": ""})) == "text_empty"
    assert api.post("/api/v1/messages", {"to": "nobody", "text": "x"}).status_code == 404


# --- metrics ----------------------------------------------------------------------------------


def test_counts_grow_with_time_and_never_shrink(account: Account, sandbox: SandboxControl) -> None:
    api = account(followers=5000, access_ttl_s=100 * 86_400)
    ids = [api.publish(f"post {n}").json()["id"] for n in range(3)]
    before = api.get("/api/v1/metrics/posts", ids=",".join(ids)).json()["posts"]
    assert set(before) == set(ids)
    followers = api.get("/api/v1/metrics/account").json()
    assert abs(followers["followers"] - 5000) <= 5
    assert followers["posts"] == 3
    for _ in range(4):
        sandbox.advance(12 * 3600)
        after = api.get("/api/v1/metrics/posts", ids=",".join(ids)).json()["posts"]
        for post_id in ids:
            for name, count in before[post_id].items():
                assert after[post_id][name] >= count
        before = after
    assert all(counts["impressions"] > 100 and counts["likes"] > 0 for counts in after.values())


def test_several_posts_are_read_at_once_without_what_is_gone(account: Account) -> None:
    api, other = account(), account("other")
    own, gone = api.publish("a").json()["id"], api.publish("b").json()["id"]
    foreign = other.publish("c").json()["id"]
    api.call("DELETE", f"/api/v1/posts/{gone}")
    found = api.get("/api/v1/posts", ids=f"{own},{gone},{foreign}").json()["posts"]
    assert {post["id"]: post["text"] for post in found} == {own: "a", foreign: "c"}
    assert api.get("/api/v1/posts", ids=",".join(["1"] * 101)).status_code == 422


def test_metrics_are_of_own_posts_and_skip_what_is_gone(account: Account) -> None:
    api, other = account(), account("other")
    own, gone, foreign = (
        api.publish("a").json()["id"],
        api.publish("b").json()["id"],
        other.publish("c").json()["id"],
    )
    api.call("DELETE", f"/api/v1/posts/{gone}")
    found = api.get("/api/v1/metrics/posts", ids=f"{own},{gone},{foreign}").json()["posts"]
    assert list(found) == [own]
    too_many = ",".join(["1"] * 101)
    assert api.get("/api/v1/metrics/posts", ids=too_many).status_code == 422


def test_a_post_is_filed_under_a_topic_of_its_account(account: Account, sandbox: SandboxControl) -> None:
    api = account(topics="News, Behind the scenes")
    assert api.get("/api/v1/accounts/me").json()["topics"] == ["News", "Behind the scenes"]
    made = api.publish("Hello", topic="News")
    assert made.json()["topic"] == "News"
    page = Api(sandbox).get(f"/@nori/{made.json()['id']}").text
    assert '<p class="topic">News</p>' in page
    refused = api.publish("Hello", topic="Gossip")
    assert (refused.status_code, error_code(refused)) == (422, "topic_unknown")
    assert api.publish("Without one").json()["topic"] == ""


def test_in_two_phases_the_topic_comes_with_the_container(account: Account) -> None:
    api = account(mode="two_phase", topics="News")
    container = api.post("/api/v1/containers", {"text": "Hello", "topic": "News"}).json()
    made = api.post(f"/api/v1/containers/{container['id']}/publish")
    assert made.json()["topic"] == "News"


def test_files_of_before_there_were_topics_are_opened(tmp_path: Path) -> None:
    path = str(tmp_path / "network.sqlite3")
    old = Store(path)
    old.run("ALTER TABLE accounts DROP COLUMN topics")
    old.run("ALTER TABLE posts DROP COLUMN topic")
    old.close()
    new = Store(path)
    assert new.all("SELECT topics FROM accounts") == new.all("SELECT topic FROM posts") == []
    new.close()
