"""The sandbox network's comments, mentions and messages as items of an inbox. Pure (docs/sandbox.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from connectors.base import InboxItem, InboxKind, Json, Profile, RemotePost
from connectors.inbox import Node, place


def comment_item(comment: Mapping[str, Any]) -> InboxItem | None:
    """A comment or mention; None for what is no part of a conversation with the account."""
    above = comment["ancestors"]  # the nearest first
    found = place([_node(comment), *(_node(one) for one in above)])
    if found is None:
        return None
    root = next((one for one in above if str(one["id"]) == found.root_id), None)
    return InboxItem(
        kind=found.kind,
        remote_id=str(comment["id"]),
        thread_id=found.thread_id,
        author=profile(comment["account"]),
        text=str(comment["text"]),
        created_at=instant(comment["created_at"]),
        is_own=bool(comment["is_own"]),
        parent_id=str(comment["reply_to"] or ""),
        root=_root(root) if root is not None and not root["is_deleted"] else None,
        root_id=found.root_id,
        permalink=str(comment["url"]),
        media_count=len(comment["media"]),
        is_hidden=bool(comment["is_hidden"]),
        is_liked=bool(comment["is_liked"]),
        detail={"id": str(comment["id"])},
    )


def _node(post: Mapping[str, Any]) -> Node:
    return Node(
        id=str(post["id"]),
        parent_id=str(post["reply_to"] or ""),
        is_own=bool(post["is_own"]),
        addresses_us=bool(post["names_you"]),
    )


def _root(post: Mapping[str, Any]) -> RemotePost:
    return RemotePost(
        remote_id=str(post["id"]),
        text=str(post["text"]),
        created_at=instant(post["created_at"]),
        permalink=str(post["url"]),
        media_count=int(post["media_count"]),
    )


def message_item(message: Mapping[str, Any]) -> InboxItem:
    sender, recipient = profile(message["from"]), profile(message["to"])
    is_own = bool(message["is_own"])
    counterpart = recipient if is_own else sender
    detail: Json = {"to": counterpart.handle}
    return InboxItem(
        kind=InboxKind.DM,
        remote_id=str(message["id"]),
        thread_id=counterpart.remote_id,
        author=sender,
        text=str(message["text"]),
        created_at=instant(message["created_at"]),
        is_own=is_own,
        counterpart=counterpart,
        detail=detail,
    )


def profile(account: Mapping[str, Any]) -> Profile:
    """The handle is the id: it never changes, and says more than a number when a network was emptied."""
    return Profile(
        remote_id=str(account["handle"]),
        handle=str(account["handle"]),
        display_name=str(account.get("name") or ""),
        avatar_url=str(account.get("avatar_url") or ""),
        profile_url=str(account.get("url") or ""),
    )


def instant(stated: object) -> dt.datetime:
    return dt.datetime.fromisoformat(str(stated))
