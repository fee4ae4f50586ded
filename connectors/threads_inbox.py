"""Posts of Threads, replies below them and mentions elsewhere, as items of an inbox.

Documents: docs/threads/reply-management, threads-mentions and webhooks, July 2026.

``/conversation`` of a post has everything below it, whatever answers what. Its authors go by their names
alone. A webhook for a reply to a reply does not say which first reply that hangs below, so it only says
where to look.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from urllib.parse import quote

from connectors.base import (
    InboxItem,
    InboxKind,
    InboxPage,
    Json,
    Profile,
    RemotePost,
    WebhookEvent,
    WebhookKind,
)
from connectors.inbox import Node, chain_of, place, storable
from connectors.meta import (
    Graph,
    following,
    instant,
    instant_or,
    nested,
    objects,
    paged,
    path_id,
    web_url,
    word_of,
)
from connectors.meta_hooks import Change

KEY = "threads"
POSTS_LOOKED_AT = 25
REACH = dt.timedelta(days=7)
MOST_PAGES = 5  # of one conversation
PER_CALL = 100

_POST = "id,text,timestamp,permalink,media_type,username,children"
_REPLY = "is_reply,root_post,replied_to,is_reply_owned_by_me"
_REPLIES = f"{_POST},{_REPLY},hide_status,profile_picture_url"


def post_fields(*, reads_replies: bool) -> str:
    """What is asked of a post; who may not read replies may not ask what a post answers."""
    return f"{_POST},is_reply,replied_to,root_post" if reads_replies else _POST


def profile_url(username: str) -> str:
    return f"https://www.threads.net/@{quote(username, safe='', errors='replace')}" if username else ""


def media_count(post: Json) -> int:
    kind = str(post.get("media_type") or "")
    if kind.startswith("CAROUSEL"):
        children = nested(post, "children", "data")
        return len(children) if isinstance(children, list) else 0
    return 1 if kind in {"IMAGE", "VIDEO"} else 0


def remote_post(post: Json) -> RemotePost | None:
    """None for what has no id or no date, and for somebody else's post that was reposted."""
    if not post.get("id") or not post.get("timestamp") or post.get("media_type") == "REPOST_FACADE":
        return None
    return RemotePost(
        remote_id=word_of(post),
        text=str(post.get("text") or ""),
        created_at=instant(post["timestamp"]),
        permalink=web_url(post.get("permalink")),
        in_reply_to=str(nested(post, "replied_to", "id") or ""),
        media_count=media_count(post),
    )


@dataclass(frozen=True, slots=True)
class Reader:
    graph: Graph
    account: Profile
    reads_replies: bool

    def replies(self, since: dt.datetime) -> InboxPage:
        """What was written below the latest own posts at or after ``since``, the own answers too."""
        params = {
            "fields": f"{post_fields(reads_replies=True)},has_replies",
            "limit": POSTS_LOOKED_AT,
            "since": int((since - REACH).timestamp()),
        }
        items: list[InboxItem] = []
        for post in objects(self.graph.get("me/threads", params)):
            root = remote_post(post)
            if root is not None and post.get("has_replies") is not False:
                items += self._below(root, since)
        return InboxPage(items)

    def _below(self, root: RemotePost, since: dt.datetime) -> list[InboxItem]:
        path = f"{path_id(root.remote_id)}/conversation"
        params = {"fields": _REPLIES, "limit": PER_CALL, "reverse": "true"}
        # All of it, also what is older: it says what the new hangs below.
        listed = self.graph.lists(path, params, most_pages=MOST_PAGES)
        found = {str(one["id"]): one for one in listed if one.get("id") and one.get("timestamp")}
        nodes = {root.remote_id: Node(root.remote_id, "", is_own=True)}
        for reply_id, reply in found.items():
            parent = str(nested(reply, "replied_to", "id") or root.remote_id)
            nodes[reply_id] = Node(reply_id, parent, is_own=self._is_own(reply))
        placed = (self._item(reply, root, nodes) for reply in found.values())
        return [item for item in placed if item is not None and item.created_at >= since]

    def _item(self, reply: Json, root: RemotePost, nodes: dict[str, Node]) -> InboxItem | None:
        node = nodes[str(reply["id"])]
        chain = chain_of(node.id, nodes)
        if chain[-1].id != root.remote_id:  # what it answers is gone, or too far back to be read
            chain = [*chain, nodes[root.remote_id]]
        where = place(chain)
        if where is None:  # a further part of the own thread, or its first comment
            return None
        return InboxItem(
            kind=InboxKind.COMMENT,
            remote_id=node.id,
            thread_id=where.thread_id,
            author=self.account if node.is_own else author(reply),
            text=str(reply.get("text") or ""),
            created_at=instant(reply["timestamp"]),
            is_own=node.is_own,
            parent_id=node.parent_id,
            root=root,
            root_id=root.remote_id,
            permalink=web_url(reply.get("permalink")),
            media_count=media_count(reply),
            is_hidden=reply.get("hide_status") == "HIDDEN",
            detail={"id": node.id},
        )

    def mentions(self, position: str, since: dt.datetime) -> InboxPage:
        """Posts of others that name the account, and its own answers right below them. Those below own posts
        are told as replies."""
        fields = f"{_POST},profile_picture_url" + (
            ",is_reply,replied_to,root_post" if self.reads_replies else ""
        )
        params = {"fields": fields, "limit": PER_CALL, "since": int(since.timestamp())}
        answer = self.graph.get("me/mentions", paged(params, position))
        told = {str(one["id"]): one for one in objects(answer) if one.get("id") and one.get("timestamp")}
        own: set[str] = set()
        if any(nested(one, "root_post", "id") for one in told.values()):
            listed = self.graph.lists("me/threads", {"fields": "id", "limit": PER_CALL}, most_pages=1)
            own = {str(one.get("id")) for one in listed}
        items = [
            self._mention(one, mention_id)
            for mention_id, one in told.items()
            if str(nested(one, "root_post", "id") or "") not in own and not self._is_own(one)
        ]
        items = [item for item in items if item.created_at >= since]
        return InboxPage([*items, *self._answers(items, since)], following(answer) if items else "")

    def _mention(self, post: Json, thread_id: str, *, is_own: bool = False) -> InboxItem:
        return InboxItem(
            kind=InboxKind.MENTION,
            remote_id=str(post["id"]),
            thread_id=thread_id,
            author=self.account if is_own else author(post),
            text=str(post.get("text") or ""),
            created_at=instant(post["timestamp"]),
            is_own=is_own,
            parent_id=str(nested(post, "replied_to", "id") or ""),
            permalink=web_url(post.get("permalink")),
            media_count=media_count(post),
            detail={"id": str(post["id"])},
        )

    def _answers(self, mentions: list[InboxItem], since: dt.datetime) -> list[InboxItem]:
        if not mentions or not self.reads_replies:
            return []
        asked = {item.remote_id for item in mentions}
        params = {
            "fields": post_fields(reads_replies=True),
            "limit": PER_CALL,
            "since": int(since.timestamp()),
        }
        return [
            self._mention(one, str(nested(one, "replied_to", "id")), is_own=True)
            for one in self.graph.lists("me/replies", params, most_pages=1)
            if one.get("id") and one.get("timestamp") and str(nested(one, "replied_to", "id") or "") in asked
        ]

    def _is_own(self, post: Json) -> bool:
        name = str(post.get("username") or "").lower()
        return post.get("is_reply_owned_by_me") is True or (
            bool(name) and name == self.account.handle.lower()
        )


def author(post: Json) -> Profile:
    name = str(post.get("username") or "")
    return Profile(
        remote_id=name.lower(),
        handle=name,
        avatar_url=web_url(post.get("profile_picture_url")),
        profile_url=profile_url(name),
    )


def event(change: Change) -> WebhookEvent:
    """``target_id`` of a reply is a post: whose, its root says. Of a mention it is who was named."""
    if change.field == "replies":
        owner = str(nested(change.value, "root_post", "owner_id") or "")
        item = _first_reply(change.value)
        return WebhookEvent(change.event_id, WebhookKind.INBOX, owner, (item,) if item is not None else ())
    if change.field == "mentions":
        return WebhookEvent(change.event_id, WebhookKind.INBOX, change.account_id)
    return WebhookEvent(change.event_id, WebhookKind.OTHER, change.account_id)


def _first_reply(value: Json) -> InboxItem | None:
    """A reply right below an own post, written by somebody else; None for what else there is."""
    root, root_id = value.get("root_post"), str(nested(value, "root_post", "id") or "")
    name = str(value.get("username") or "")
    if not root_id or str(nested(value, "replied_to", "id") or "") != root_id or not value.get("id"):
        return None
    if not name or name.lower() == str(nested(root, "username") or "").lower():
        return None
    if (at := instant_or(value.get("timestamp"), None)) is None:
        return None
    return storable(
        InboxItem(
            kind=InboxKind.COMMENT,
            remote_id=str(value["id"]),
            thread_id=str(value["id"]),
            author=author(value),
            text=str(value.get("text") or ""),
            created_at=at,
            parent_id=root_id,
            root_id=root_id,
            permalink=web_url(value.get("permalink")),
            media_count=media_count(value),
            detail={"id": str(value["id"])},
        )
    )
