"""API v1: accounts, media, posts, containers, metrics. What people write to an account stands in inbox.py."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from sandbox import content
from sandbox.calls import Answer, Call, Refused, TooMany, endpoint, read_form, read_json
from sandbox.clock import from_iso, to_iso
from sandbox.store import Row, marks

PAGE_MAX = 100


def page_size(call: Call) -> int:
    try:
        return max(1, min(PAGE_MAX, int(call.request.query_params.get("limit", 50))))
    except ValueError:
        raise Refused(422, "invalid", "limit is a number.") from None


def path_id(call: Call) -> int:
    return content.number(call.request.path_params["id"], "id")


def instant(call: Call, name: str) -> int | None:
    text = call.request.query_params.get(name)
    if not text:
        return None
    try:
        return from_iso(text.replace(" ", "+"))  # an unescaped + of a zone arrives as a space
    except ValueError:
        raise Refused(422, "invalid", f"{name} is not an ISO 8601 instant.") from None


# --- accounts ---------------------------------------------------------------------------------


@endpoint("profile", scope="read")
def own_profile(call: Call) -> Answer:
    return Answer(content.account_json(call.store, call.owner, call.base_url, call.now_ms, is_own=True))


@endpoint("account", is_public=True)
def account(call: Call) -> Answer:
    row = content.account_by_handle(call.store, call.request.path_params["handle"])
    return Answer(content.account_json(call.store, row, call.base_url, call.now_ms, is_own=False))


@endpoint("posts", scope="read")
def own_posts(call: Call) -> Answer:
    """Newest first. ``since``: created at or after; ``cursor``: from the page before."""
    limit = page_size(call)
    since_ms = instant(call, "since") or 0
    query = (
        content.POSTS + "WHERE p.account_id = ? AND p.created_at >= ? AND p.deleted_at IS NULL"
        " AND p.visible_at <= ?"
    )
    values: list[Any] = [call.owner["id"], since_ms, call.now_ms]
    if cursor := call.request.query_params.get("cursor"):
        moment, _, last_id = cursor.partition("-")
        query += " AND (p.created_at, p.id) < (?, ?)"
        values += [content.number(moment, "cursor"), content.number(last_id, "cursor")]
    rows = call.store.all(query + " ORDER BY p.created_at DESC, p.id DESC LIMIT ?", *values, limit + 1)
    page = rows[:limit]
    following = f"{page[-1]['created_at']}-{page[-1]['id']}" if len(rows) > limit else None
    shown = content.posts_json(call.store, page, call.base_url, call.now_ms, with_counts=False)
    return Answer({"posts": shown, "cursor": following})


# --- media ------------------------------------------------------------------------------------


async def _inspect_media(body: dict[str, Any]) -> None:
    """Decide what the upload is, away from the event loop: leaves mime, width, height in ``body``."""
    file = body.get("file")
    if not isinstance(file, dict):
        raise Refused(422, "invalid", "The upload needs a part named file.")
    size = len(file["content"])
    largest = content.VIDEO_BYTES_MAX if content.is_video(file["content"]) else content.IMAGE_BYTES_MAX
    if size > largest:
        raise Refused(413, "media_too_large", "The file is too large.", limit=largest, actual=size)
    if not size:
        raise Refused(422, "media_broken", "The file is empty.")
    alt_text = str(body.get("alt_text") or "")
    if len(alt_text) > content.ALT_TEXT_MAX:
        raise Refused(
            422,
            "alt_text_too_long",
            "The alt text is too long.",
            limit=content.ALT_TEXT_MAX,
            actual=len(alt_text),
        )
    body["mime"], body["width"], body["height"] = await run_in_threadpool(content.media_of, file["content"])


def _media_json(row: Row, base_url: str, now_ms: int) -> dict[str, Any]:
    state = "ready" if row["ready_at"] <= now_ms else "processing"
    if row["is_broken"] and state == "ready":
        state = "error"
    return {
        "id": str(row["id"]),
        "state": state,
        "url": f"{base_url}/media/{row['id']}" if state == "ready" else None,
        "mime_type": row["mime"],
        "width": row["width"],
        "height": row["height"],
        "alt_text": row["alt_text"],
    }


_MEDIA = "SELECT id, mime, width, height, alt_text, ready_at, is_broken FROM media WHERE id = ?"


@endpoint("media", scope="write", read=read_form, inspect=_inspect_media)
def upload_media(call: Call) -> Answer:
    body = call.body
    slow_s = call.rule_number("slow_media", "processing_s", 5)
    broken_s = call.rule_number("broken_media", "processing_s", 0)
    wait_s = slow_s if slow_s is not None else broken_s
    if wait_s is None:
        wait_s = call.owner["media_processing_s"]
    media_id = call.store.insert(
        "media",
        id=call.store.new_id(),
        account_id=call.owner["id"],
        mime=body["mime"],
        size=len(body["file"]["content"]),
        width=body["width"],
        height=body["height"],
        alt_text=str(body.get("alt_text") or ""),
        created_at=call.now_ms,
        ready_at=call.now_ms + int(wait_s * 1000),
        is_broken=broken_s is not None,
        content=sqlite3.Binary(body["file"]["content"]),
    )
    row = call.store.the(_MEDIA, media_id)
    shown = _media_json(row, call.base_url, call.now_ms)
    return Answer(shown, 202 if shown["state"] == "processing" else 201)


@endpoint("media_status", scope="write")
def media_status(call: Call) -> Answer:
    row = call.store.one(_MEDIA + " AND account_id = ?", path_id(call), call.owner["id"])
    if row is None:
        raise Refused(404, "not_found", "There is no such media.")
    return Answer(_media_json(row, call.base_url, call.now_ms))


# --- posts ------------------------------------------------------------------------------------


def _check_quota(call: Call) -> None:
    """Publications of the last window against the account's quota. Raises TooMany."""
    owner = call.owner
    if not owner["quota_limit"]:
        return
    window_ms = owner["quota_window_s"] * 1000
    times = call.store.all(
        "SELECT created_at FROM posts WHERE account_id = ? AND created_at > ?"
        " ORDER BY created_at DESC LIMIT ?",
        owner["id"],
        call.now_ms - window_ms,
        owner["quota_limit"],
    )
    if len(times) >= owner["quota_limit"]:
        wait_ms = times[-1][0] + window_ms - call.now_ms
        raise TooMany("The quota of this window is used up.", wait_s=wait_ms / 1000)


def _post_answer(call: Call, post: content.Post, *, is_new: bool) -> Answer:
    shown = content.posts_json(call.store, [post], call.base_url, call.now_ms, with_counts=False)[0]
    status = 201 if is_new else 200
    return Answer(shown, status, post_id=post["id"], is_new=is_new, text_hash=post["text_hash"])


def request_hash(body: dict[str, Any]) -> bytes:
    return hashlib.blake2b(json.dumps(body, sort_keys=True).encode(), digest_size=16).digest()


def repeated(call: Call, digest: bytes) -> int | None:
    """What this Idempotency-Key made the first time. Raises Refused when it made something else."""
    row = call.store.one(
        "SELECT request_hash, remote_id, created_at FROM idempotency WHERE account_id = ? AND key = ?",
        call.owner["id"],
        call.key,
    )
    if row is None or row["created_at"] < call.now_ms - content.IDEMPOTENCY_LIFE_MS:
        return None
    if row["request_hash"] != digest:
        raise Refused(409, "idempotency_conflict", "This Idempotency-Key was used for another request.")
    found: int = row["remote_id"]
    return found


def remember(call: Call, digest: bytes, remote_id: int) -> None:
    call.store.run(
        "INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?)",
        (call.owner["id"], call.key, call.now_ms, digest, remote_id),
    )


@endpoint("publish", scope="write", read=read_json)
def publish(call: Call) -> Answer:
    owner = call.owner
    if owner["mode"] == "two_phase":
        raise Refused(422, "container_required", "This account publishes through containers.")
    digest = b""
    if call.key and owner["mode"] == "idempotency_key":
        digest = request_hash(call.body)
        first = repeated(call, digest)
        if first is not None:
            return _post_answer(call, call.store.the(content.POSTS + "WHERE p.id = ?", first), is_new=False)
    draft = content.read_draft(call.store, owner, call.body)
    if content.media_ready_at(call.store, owner["id"], draft.media_ids) > call.now_ms:
        raise Refused(422, "media_not_ready", "A file is still being processed.")
    _check_quota(call)
    post = content.store_post(
        call.store, owner, draft, now_ms=call.now_ms, client_ref=call.client_ref or call.key
    )
    if digest:
        remember(call, digest, post["id"])
    return _post_answer(call, post, is_new=True)


def visible_post(call: Call) -> Row:
    rows = call.store.all(
        content.POSTS + "WHERE p.id = ? AND p.deleted_at IS NULL AND p.visible_at <= ?",
        path_id(call),
        call.now_ms,
    )
    if not rows or (rows[0]["hidden_at"] is not None and not may_moderate(call, rows[0])):
        raise Refused(404, "not_found", "There is no such post.")
    return rows[0]


def may_moderate(call: Call, post: Row) -> bool:
    """The author, or the owner of the page that the comment stands on."""
    if call.account is None:
        return False
    if post["account_id"] == call.account["id"]:
        return True
    if post["anchor_id"] is None:
        return False
    host = call.store.value("SELECT account_id FROM posts WHERE id = ?", post["anchor_id"])
    return bool(host == call.account["id"])


@endpoint("post", is_public=True)
def read_post(call: Call) -> Answer:
    return Answer(content.posts_json(call.store, [visible_post(call)], call.base_url, call.now_ms)[0])


@endpoint("posts", is_public=True)
def read_posts(call: Call) -> Answer:
    """Several of anybody; ``ids`` separated by commas, at most 100. Unseen ones are absent."""
    ids = asked_ids(call)
    rows = []
    if ids:
        rows = call.store.all(
            f"{content.POSTS} WHERE p.id IN ({marks(len(ids))}) AND p.deleted_at IS NULL"
            " AND p.hidden_at IS NULL AND p.visible_at <= ?",
            *ids,
            call.now_ms,
        )
    return Answer({"posts": content.posts_json(call.store, rows, call.base_url, call.now_ms)})


def asked_ids(call: Call) -> list[int]:
    """The ids of the address. Raises Refused when there are too many."""
    ids = [content.number(one, "ids") for one in call.request.query_params.get("ids", "").split(",") if one]
    if len(ids) > PAGE_MAX:
        raise Refused(422, "invalid", f"At most {PAGE_MAX} ids.")
    return ids


@endpoint("delete", scope="write")
def delete_post(call: Call) -> Answer:
    post = visible_post(call)
    if not may_moderate(call, post):
        raise Refused(403, "forbidden", "This post belongs to somebody else.")
    call.store.run("UPDATE posts SET deleted_at = ? WHERE id = ?", (call.now_ms, post["id"]))
    return Answer({"id": str(post["id"]), "deleted": True}, post_id=post["id"])


# --- containers: publishing in two phases -----------------------------------------------------


def _container_json(call: Call, row: Row) -> dict[str, Any]:
    shown = {"id": str(row["id"]), "state": "FINISHED", "post_id": None, "post_url": None, "error": None}
    if row["post_id"] is not None:
        handle = call.owner["handle"]
        shown["state"], shown["post_id"] = "PUBLISHED", str(row["post_id"])
        shown["post_url"] = f"{call.base_url}/@{handle}/{row['post_id']}"
    elif row["ready_at"] > call.now_ms:
        shown["state"] = "IN_PROGRESS"
    elif row["error"]:
        shown["state"], shown["error"] = "ERROR", row["error"]
    elif row["created_at"] < call.now_ms - content.CONTAINER_LIFE_MS:
        shown["state"], shown["error"] = "ERROR", "expired"
    return shown


def _container(call: Call) -> Row:
    row = call.store.one(
        "SELECT * FROM containers WHERE id = ? AND account_id = ?", path_id(call), call.owner["id"]
    )
    if row is None:
        raise Refused(404, "not_found", "There is no such container.")
    return row


@endpoint("container", scope="write", read=read_json)
def create_container(call: Call) -> Answer:
    owner = call.owner
    if owner["mode"] != "two_phase":
        raise Refused(422, "container_not_offered", "This account publishes without containers.")
    draft = content.read_draft(call.store, owner, call.body)
    wait_s = call.rule_number("slow_media", "processing_s", 5)
    broken_s = call.rule_number("broken_media", "processing_s", 0)
    if wait_s is None:
        wait_s = broken_s if broken_s is not None else owner["container_processing_s"]
    ready_at = max(
        content.media_ready_at(call.store, owner["id"], draft.media_ids), call.now_ms + int(wait_s * 1000)
    )
    container_id = call.store.insert(
        "containers",
        id=call.store.new_id(),
        account_id=owner["id"],
        draft=json.dumps(call.body),
        client_ref=call.client_ref or call.key,
        created_at=call.now_ms,
        ready_at=ready_at,
        error="media_broken" if broken_s is not None else "",
    )
    row = call.store.the("SELECT * FROM containers WHERE id = ?", container_id)
    shown = _container_json(call, row)
    return Answer(shown, 202 if shown["state"] == "IN_PROGRESS" else 201)


@endpoint("container_status", scope="write")
def container_status(call: Call) -> Answer:
    return Answer(_container_json(call, _container(call)))


@endpoint("publish", scope="write", read=read_json)
def publish_container(call: Call) -> Answer:
    """Make a container's post visible; a container makes one post and no more."""
    row = _container(call)
    shown = _container_json(call, row)
    if row["post_id"] is not None:
        raise Refused(
            409,
            "already_published",
            "This container was published before.",
            post_id=str(row["post_id"]),
            post_url=shown["post_url"],
        )
    if shown["state"] == "IN_PROGRESS":
        raise Refused(422, "media_not_ready", "The container is still being processed.")
    if shown["state"] == "ERROR":
        code = "container_expired" if shown["error"] == "expired" else "media_broken"
        raise Refused(422, code, "The container cannot be published.")
    _check_quota(call)
    draft = content.read_draft(call.store, call.owner, json.loads(row["draft"]))
    content.media_ready_at(call.store, call.owner["id"], draft.media_ids)
    post = content.store_post(call.store, call.owner, draft, now_ms=call.now_ms, client_ref=row["client_ref"])
    call.store.run("UPDATE containers SET post_id = ? WHERE id = ?", (post["id"], row["id"]))
    return _post_answer(call, post, is_new=True)


# --- metrics ----------------------------------------------------------------------------------


@endpoint("account_metrics", scope="metrics")
def account_metrics(call: Call) -> Answer:
    counts = content.account_counts(call.store, call.owner, call.now_ms)
    return Answer(counts | {"at": to_iso(call.now_ms)})


@endpoint("post_metrics", scope="metrics")
def post_metrics(call: Call) -> Answer:
    """Of own posts; ``ids`` separated by commas, at most 100. Posts that are gone are absent."""
    ids = asked_ids(call)
    rows = []
    if ids:
        rows = call.store.all(
            f"{content.POSTS} WHERE p.id IN ({marks(len(ids))}) AND p.account_id = ?"
            " AND p.deleted_at IS NULL",
            *ids,
            call.owner["id"],
        )
    counts = content.post_counts(call.store, rows, call.now_ms)
    found = {str(post_id): count for post_id, count in counts.items()}
    return Answer({"posts": found, "at": to_iso(call.now_ms)})


@endpoint("timeline", is_public=True)
def timeline(call: Call) -> Answer:
    rows = call.store.all(
        content.POSTS + "WHERE p.reply_to IS NULL AND p.deleted_at IS NULL AND p.visible_at <= ?"
        " AND p.created_at <= ? ORDER BY p.created_at DESC LIMIT ?",
        call.now_ms,
        call.now_ms,
        page_size(call),
    )
    return Answer({"posts": content.posts_json(call.store, rows, call.base_url, call.now_ms)})


# The busiest first: routes are tried in order.
ROUTES = [
    Route("/api/v1/posts", publish, methods=["POST"]),
    Route("/api/v1/containers", create_container, methods=["POST"]),
    Route("/api/v1/containers/{id}/publish", publish_container, methods=["POST"]),
    Route("/api/v1/containers/{id}", container_status, methods=["GET"]),
    Route("/api/v1/posts/{id}", read_post, methods=["GET"]),
    Route("/api/v1/posts", read_posts, methods=["GET"]),
    Route("/api/v1/posts/{id}", delete_post, methods=["DELETE"]),
    Route("/api/v1/media", upload_media, methods=["POST"]),
    Route("/api/v1/media/{id}", media_status, methods=["GET"]),
    Route("/api/v1/accounts/me", own_profile, methods=["GET"]),
    Route("/api/v1/accounts/me/posts", own_posts, methods=["GET"]),
    Route("/api/v1/accounts/{handle}", account, methods=["GET"]),
    Route("/api/v1/metrics/account", account_metrics, methods=["GET"]),
    Route("/api/v1/metrics/posts", post_metrics, methods=["GET"]),
    Route("/api/v1/timeline", timeline, methods=["GET"]),
]
