"""API v1: comments, mentions, likes, shares, hiding, deleting, direct messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.routing import Route

from sandbox import content
from sandbox.api import (
    instant,
    may_moderate,
    page_size,
    remember,
    repeated,
    request_hash,
    visible_post,
)
from sandbox.calls import Answer, Call, Refused, endpoint, read_json
from sandbox.clock import to_iso
from sandbox.store import Row, marks, text_hash

# --- comments and mentions --------------------------------------------------------------------


def _comment_pages(call: Call, where: str, *values: Any, is_inbox: bool = False) -> Answer:
    """Oldest first, after ``cursor`` (the id of the last one seen) and not before ``since``."""
    limit = page_size(call)
    after = content.number(call.request.query_params.get("cursor") or 0, "cursor")
    query = (
        f"{content.POSTS} WHERE {where} AND p.id > ? AND p.created_at >= ? AND p.deleted_at IS NULL"
        " AND p.visible_at <= ? ORDER BY p.id LIMIT ?"
    )
    rows = call.store.all(query, *values, after, instant(call, "since") or 0, call.now_ms, limit)
    shown = content.posts_json(call.store, rows, call.base_url, call.now_ms)
    for comment, row in zip(shown, rows, strict=True):
        comment["post_id"] = None if row["anchor_id"] is None else str(row["anchor_id"])
    if is_inbox:
        _add_what_the_owner_sees(call, shown, rows)
    return Answer(
        {"comments": shown, "cursor": shown[-1]["id"] if shown else (str(after) if after else None)}
    )


def _add_what_the_owner_sees(call: Call, shown: Sequence[dict[str, Any]], rows: Sequence[Row]) -> None:
    """Whether the account wrote, likes or is named in each, and what each answers, up to the first post."""
    own = call.owner["id"]
    ids = [row["id"] for row in rows]
    if not ids:
        return
    liked = f"SELECT post_id FROM likes WHERE account_id = ? AND post_id IN ({marks(len(ids))})"
    likes = {row[0] for row in call.store.run(liked, (own, *ids))}
    ancestors: dict[int, list[dict[str, Any]]] = {}
    named: set[int] = set()
    for row in call.store.run(
        "WITH RECURSIVE up (item, id, depth) AS ("
        f" SELECT id, id, 0 FROM posts WHERE id IN ({marks(len(ids))})"
        " UNION ALL SELECT up.item, p.reply_to, up.depth + 1 FROM up JOIN posts p ON p.id = up.id"
        " WHERE p.reply_to IS NOT NULL AND up.depth < 100)"
        " SELECT up.item, up.depth, p.*, a.handle, EXISTS"
        " (SELECT 1 FROM mentions m WHERE m.account_id = ? AND m.post_id = p.id) AS names_you"
        " FROM up JOIN posts p ON p.id = up.id JOIN accounts a ON a.id = p.account_id"
        " ORDER BY up.item, up.depth",
        (*ids, own),
    ):
        if row["depth"] == 0:
            named |= {row["item"]} if row["names_you"] else set()
            continue
        is_gone = row["deleted_at"] is not None
        ancestors.setdefault(row["item"], []).append(
            {
                "id": str(row["id"]),
                "url": f"{call.base_url}/@{row['handle']}/{row['id']}",
                "handle": row["handle"],
                "reply_to": None if row["reply_to"] is None else str(row["reply_to"]),
                "text": "" if is_gone else row["text"],
                "created_at": to_iso(row["created_at"]),
                "media_count": 0 if is_gone else row["media_count"],
                "is_own": row["account_id"] == own,
                "names_you": bool(row["names_you"]),
                "is_deleted": is_gone,
            }
        )
    for comment, row in zip(shown, rows, strict=True):
        comment["is_own"] = row["account_id"] == own
        comment["is_liked"] = row["id"] in likes
        comment["names_you"] = row["id"] in named
        comment["ancestors"] = ancestors.get(row["id"], [])


@endpoint("comments", is_public=True)
def comments_of_post(call: Call) -> Answer:
    """Hidden ones only for the owner of the post."""
    post = visible_post(call)
    is_owner = call.account is not None and call.account["id"] == post["account_id"]
    where = "p.anchor_id = ?" if is_owner else "p.anchor_id = ? AND p.hidden_at IS NULL"
    return _comment_pages(call, where, post["id"])


@endpoint("comments", scope="inbox")
def comments_received(call: Call) -> Answer:
    """Comments below all own posts, the account's own answers among them."""
    where = "p.anchor_id IN (SELECT id FROM posts WHERE account_id = ? AND anchor_id IS NULL)"
    return _comment_pages(call, where, call.owner["id"], is_inbox=True)


@endpoint("mentions", scope="inbox")
def mentions(call: Call) -> Answer:
    """Elsewhere than below own posts: what names the account, what it wrote, and the answers to that."""
    own = call.owner["id"]
    where = (
        "p.id IN (SELECT post_id FROM mentions WHERE account_id = ?"
        " UNION SELECT id FROM posts WHERE account_id = ? AND anchor_id IS NOT NULL"
        " UNION SELECT answer.id FROM posts mine JOIN posts answer ON answer.reply_to = mine.id"
        " WHERE mine.account_id = ? AND mine.anchor_id IS NOT NULL)"
        " AND NOT EXISTS (SELECT 1 FROM posts r WHERE r.id = COALESCE(p.root_id, p.id) AND r.account_id = ?)"
    )
    return _comment_pages(call, where, own, own, own, own, is_inbox=True)


@endpoint("moderate", scope="inbox")
def hide_comment(call: Call) -> Answer:
    return _set_hidden(call, call.now_ms)


@endpoint("moderate", scope="inbox")
def unhide_comment(call: Call) -> Answer:
    return _set_hidden(call, None)


def _set_hidden(call: Call, hidden_at: int | None) -> Answer:
    post = visible_post(call)
    if post["anchor_id"] is None or not may_moderate(call, post):
        raise Refused(403, "forbidden", "Only the owner of a page hides its comments.")
    call.store.run("UPDATE posts SET hidden_at = ? WHERE id = ?", (hidden_at, post["id"]))
    return Answer({"id": str(post["id"]), "is_hidden": hidden_at is not None}, post_id=post["id"])


@endpoint("moderate", scope="inbox")
def delete_comment(call: Call) -> Answer:
    post = visible_post(call)
    if post["anchor_id"] is None or not may_moderate(call, post):
        raise Refused(403, "forbidden", "Only the owner of a page deletes its comments.")
    call.store.run("UPDATE posts SET deleted_at = ? WHERE id = ?", (call.now_ms, post["id"]))
    return Answer({"id": str(post["id"]), "deleted": True}, post_id=post["id"])


def _react(call: Call, table: str, *, is_on: bool) -> Answer:
    post = visible_post(call)
    if is_on:
        call.store.run(f"INSERT OR IGNORE INTO {table} VALUES (?, ?)", (post["id"], call.owner["id"]))
    else:
        call.store.run(
            f"DELETE FROM {table} WHERE post_id = ? AND account_id = ?", (post["id"], call.owner["id"])
        )
    counts = content.post_counts(call.store, [post], call.now_ms)[post["id"]]
    return Answer({"id": str(post["id"]), "counts": counts}, post_id=post["id"])


@endpoint("react", scope="inbox")
def like(call: Call) -> Answer:
    return _react(call, "likes", is_on=True)


@endpoint("react", scope="inbox")
def unlike(call: Call) -> Answer:
    return _react(call, "likes", is_on=False)


@endpoint("react", scope="inbox")
def share(call: Call) -> Answer:
    return _react(call, "shares", is_on=True)


@endpoint("react", scope="inbox")
def unshare(call: Call) -> Answer:
    return _react(call, "shares", is_on=False)


# --- direct messages --------------------------------------------------------------------------

_MESSAGES = """
    SELECT m.*, s.handle AS from_handle, s.name AS from_name, r.handle AS to_handle, r.name AS to_name
    FROM messages m JOIN accounts s ON s.id = m.sender_id JOIN accounts r ON r.id = m.recipient_id
"""


def message_json(row: Row, own: int, base_url: str) -> dict[str, Any]:
    """A message as the account ``own`` is shown it."""

    def brief(person: str, account_id: int) -> dict[str, Any]:
        handle = row[f"{person}_handle"]
        return {
            "id": str(account_id),
            "handle": handle,
            "name": row[f"{person}_name"],
            "url": f"{base_url}/@{handle}",
            "avatar_url": f"{base_url}/@{handle}/avatar.svg",
        }

    return {
        "id": str(row["id"]),
        "from": brief("from", row["sender_id"]),
        "to": brief("to", row["recipient_id"]),
        "text": row["text"],
        "created_at": to_iso(row["created_at"]),
        "is_own": row["sender_id"] == own,
    }


@endpoint("messages", scope="inbox")
def messages(call: Call) -> Answer:
    """Sent and received, oldest first, after ``cursor`` and not before ``since``; ``with``: only with this
    handle."""
    limit = page_size(call)
    own = call.owner["id"]
    after = content.number(call.request.query_params.get("cursor") or 0, "cursor")
    query = (
        f"{_MESSAGES} WHERE m.id IN (SELECT id FROM messages WHERE sender_id = ? AND id > ?"
        " UNION SELECT id FROM messages WHERE recipient_id = ? AND id > ?) AND m.created_at >= ?"
    )
    values: list[Any] = [own, after, own, after, instant(call, "since") or 0]
    if other := call.request.query_params.get("with"):
        other_id = content.account_by_handle(call.store, other)["id"]
        query += " AND (m.sender_id = ? OR m.recipient_id = ?)"
        values += [other_id, other_id]
    rows = call.store.all(query + " ORDER BY m.id LIMIT ?", *values, limit)
    last = str(rows[-1]["id"]) if rows else (str(after) if after else None)
    shown = [message_json(row, own, call.base_url) for row in rows]
    return Answer({"messages": shown, "cursor": last})


@endpoint("send_message", scope="inbox", read=read_json)
def send_message(call: Call) -> Answer:
    """Idempotency-Key works as for posts, for accounts of that mode; messages have no containers."""
    text = str(call.body.get("text") or "").strip()
    if not text:
        raise Refused(422, "text_empty", "A message needs a text.")
    if len(text) > content.MESSAGE_TEXT_MAX:
        raise Refused(
            422,
            "text_too_long",
            "The message is too long.",
            limit=content.MESSAGE_TEXT_MAX,
            actual=len(text),
        )
    recipient = content.account_by_handle(call.store, str(call.body.get("to") or ""))
    digest, message_id = b"", None
    if call.key and call.owner["mode"] == "idempotency_key":
        digest = request_hash({"message": call.body})
        message_id = repeated(call, digest)
    is_new = message_id is None
    if message_id is None:
        message_id = call.store.insert(
            "messages",
            id=call.store.new_id(),
            sender_id=call.owner["id"],
            recipient_id=recipient["id"],
            text=text,
            created_at=call.now_ms,
            client_ref=call.client_ref or call.key,
        )
        if digest:
            remember(call, digest, message_id)
    row = call.store.the(_MESSAGES + " WHERE m.id = ?", message_id)
    return Answer(
        message_json(row, call.owner["id"], call.base_url),
        201 if is_new else 200,
        post_id=message_id,
        is_new=is_new,
        text_hash=text_hash(text),
    )


ROUTES = [
    Route("/api/v1/comments", comments_received, methods=["GET"]),
    Route("/api/v1/comments/{id}", delete_comment, methods=["DELETE"]),
    Route("/api/v1/comments/{id}/hide", hide_comment, methods=["POST"]),
    Route("/api/v1/comments/{id}/hide", unhide_comment, methods=["DELETE"]),
    Route("/api/v1/mentions", mentions, methods=["GET"]),
    Route("/api/v1/messages", messages, methods=["GET"]),
    Route("/api/v1/messages", send_message, methods=["POST"]),
    Route("/api/v1/posts/{id}/comments", comments_of_post, methods=["GET"]),
    Route("/api/v1/posts/{id}/like", like, methods=["POST"]),
    Route("/api/v1/posts/{id}/like", unlike, methods=["DELETE"]),
    Route("/api/v1/posts/{id}/share", share, methods=["POST"]),
    Route("/api/v1/posts/{id}/share", unshare, methods=["DELETE"]),
]
