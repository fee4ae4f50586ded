"""Accounts with a past: back-dated posts, comments, messages and follower history, for demonstrations."""

from __future__ import annotations

import base64
import sqlite3
from typing import Any

from sandbox import content, pages
from sandbox.calls import Network, Refused
from sandbox.clock import from_iso
from sandbox.store import Row

# What the control API may set on an account, by type.
ACCOUNT_SETTINGS: dict[str, type] = {
    "name": str,
    "bio": str,
    "color": str,
    "mode": str,
    "following": int,
    "daily_growth": float,
    "text_max": int,
    "images_max": int,
    "quota_limit": int,
    "quota_window_s": int,
    "media_processing_s": float,
    "container_processing_s": float,
    "read_lag_s": float,
    "consistency_window_s": int,
    "access_ttl_s": int,
    "refresh_ttl_s": int,
    "topics": str,
}


def account_settings(spec: dict[str, Any]) -> dict[str, Any]:
    """The settings in ``spec`` as columns. Raises Refused when one has the wrong type or range."""
    columns: dict[str, Any] = {}
    for name, kind in ACCOUNT_SETTINGS.items():
        if name in spec:
            try:
                columns[name] = kind(spec[name])
            except (TypeError, ValueError):
                raise Refused(422, "invalid", f"{name} is not a {kind.__name__}.") from None
            if kind is not str and name != "daily_growth" and columns[name] < 0:
                raise Refused(422, "invalid", f"{name} is negative.")
    if columns.get("mode", content.MODES[0]) not in content.MODES:
        raise Refused(422, "invalid_mode", f"mode is one of {', '.join(content.MODES)}.")
    return columns


def instant(value: Any, default_ms: int) -> int:
    """Raises Refused."""
    if not value:
        return default_ms
    try:
        return from_iso(str(value))
    except ValueError:
        raise Refused(422, "invalid", f"{value} is not an ISO 8601 instant.") from None


def seed_account(network: Network, spec: dict[str, Any]) -> tuple[Row, list[int]]:
    """Make one account with its past; returns it and the ids of its posts (thread parts included).

    ``followers``: a number, or [[instant, number], ...]; ``posts``: [{text, at, media, card, quality, thread,
    likes, comments}]; ``messages``: [{by, text, at}]. Runs in the caller's transaction. Raises Refused.
    """
    store, now_ms = network.store, network.clock.now_ms()
    columns = account_settings(spec)
    followers = spec.get("followers")
    if isinstance(followers, int):
        columns["base_followers"] = followers
    if "seed" in spec:
        columns["seed"] = int(spec["seed"])
    created_ms = instant(spec.get("created_at"), now_ms)
    account_id = content.create_account(
        store, handle=str(spec.get("handle", "")), now_ms=created_ms, **columns
    )
    if isinstance(followers, list):
        for at, count in followers:
            store.run(
                "INSERT OR REPLACE INTO follower_history VALUES (?, ?, ?)",
                (account_id, instant(at, now_ms), int(count)),
            )
    account = store.the("SELECT * FROM accounts WHERE id = ?", account_id)
    ids: list[int] = []
    for post in spec.get("posts", ()):
        ids += seed_post(network, account, post)
    for message in spec.get("messages", ()):
        pages.send_as_customer(
            network,
            name=str(message.get("by", "")),
            account_id=account_id,
            text=str(message.get("text", "")),
            at_ms=instant(message.get("at"), now_ms),
        )
    return account, ids


def seed_post(network: Network, account: Row, spec: dict[str, Any]) -> list[int]:
    """One post with its past, and the further parts of its ``thread``; returns their ids."""
    store, now_ms = network.store, network.clock.now_ms()
    at_ms = instant(spec.get("at"), now_ms)
    ids: list[int] = []
    parts = [spec, *spec.get("thread", ())]
    for index, part in enumerate(parts):
        media_ids = [_seed_media(network, account, item, at_ms) for item in part.get("media", ())]
        body = {"text": part.get("text", ""), "media_ids": media_ids, "card": part.get("card")}
        body["topic"] = part.get("topic")
        if ids:
            body["reply_to"] = ids[-1]
        draft = content.read_draft(store, account, body)
        post = content.store_post(
            store,
            account,
            draft,
            now_ms=at_ms + index * 1000,
            client_ref=str(part.get("client_ref", "")),
            quality=max(0.01, float(spec.get("quality", 1.0))),
        )
        ids.append(post["id"])
    for name in spec.get("likes", ()):
        pages.act(network, "like", name=str(name), post_id=ids[0], at_ms=at_ms)
    for comment in spec.get("comments", ()):
        pages.act(
            network,
            "comment",
            name=str(comment.get("by", "")),
            post_id=ids[0],
            text=str(comment.get("text", "")),
            at_ms=instant(comment.get("at"), at_ms + 30 * 60_000),
        )
    return ids


def seed_answer(network: Network, account: Row, spec: dict[str, Any]) -> int:
    """What the account itself wrote in answer: ``text`` below ``post`` or as a message ``to`` a customer's
    name, ``at``, ``client_ref``; or ``hide``, a comment that it hid. Returns the id."""
    store, at_ms = network.store, instant(spec.get("at"), network.clock.now_ms())
    if spec.get("hide"):
        comment = content.number(spec["hide"], "hide")
        store.run("UPDATE posts SET hidden_at = ? WHERE id = ? AND anchor_id IS NOT NULL", (at_ms, comment))
        return comment
    text, client_ref = str(spec.get("text", "")), str(spec.get("client_ref", ""))
    if "to" in spec:
        return store.insert(
            "messages",
            id=store.new_id(),
            sender_id=account["id"],
            recipient_id=content.person(store, str(spec["to"]), at_ms)["id"],
            text=text,
            created_at=at_ms,
            client_ref=client_ref,
        )
    draft = content.read_draft(store, account, {"text": text, "reply_to": spec.get("post")})
    answer: int = content.store_post(store, account, draft, now_ms=at_ms, client_ref=client_ref)["id"]
    return answer


def _seed_media(network: Network, account: Row, item: dict[str, Any], at_ms: int) -> int:
    """``item``: {content (base64), alt_text}."""
    try:
        raw = base64.b64decode(str(item.get("content", "")), validate=True)
    except ValueError:
        raise Refused(422, "invalid", "media content is not base64.") from None
    mime, width, height = content.media_of(raw)
    return network.store.insert(
        "media",
        id=network.store.new_id(),
        account_id=account["id"],
        mime=mime,
        size=len(raw),
        width=width,
        height=height,
        alt_text=str(item.get("alt_text", ""))[: content.ALT_TEXT_MAX],
        created_at=at_ms,
        ready_at=at_ms,
        content=sqlite3.Binary(raw),
    )
