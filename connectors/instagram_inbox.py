"""Posts of Instagram, and what people write below them, as items of an inbox.

Documents: documentation/instagram-platform/reference (instagram-media/comments, instagram-user/tags, comment)
and webhooks, 30 June 2026.

A comment hangs below a post, an answer below a comment: there is no third level, so an answer to an answer
goes below the same comment and names whom it is for. Comments come newest first; those below posts of the
last month are read, webhooks tell of older ones. Their authors go by a name, and mostly an id. Who names the
account in a caption or a comment of others is told by webhooks alone, and what was written only with Facebook
Login (instagram-user/mentioned_comment and mentioned_media, which say no author of a comment).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from connectors.answers import is_digits, number_or_text
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
from connectors.errors import Rejected, Temporary
from connectors.meta import (
    Graph,
    following,
    instant,
    instant_or,
    nested,
    objects,
    paged,
    path_id,
    rows,
    web_url,
    word_of,
)
from connectors.meta_hooks import Change
from connectors.meta_inbox import Sought

KEY = "instagram"
PER_CALL = 25
MOST_PAGES = 5  # of the comments of one post
REACH = dt.timedelta(days=30)
_WORDS = "id,text,timestamp,username,from,hidden,parent_id"
COMMENTS = f"comments.limit(50){{{_WORDS},replies.limit(50){{{_WORDS}}}}}"
MEDIA = "id,caption,timestamp,permalink,media_type,children{id}"
# In place of words that cannot be read.
NAMED_IN_COMMENT, NAMED_IN_CAPTION = "[Named this account in a comment]", "[Named this account in a caption]"


@dataclass(frozen=True, slots=True)
class Reader:
    """``own``: the ids and the name that the account goes by."""

    graph: Graph
    account_id: str
    own: Collection[str]
    account: Profile

    def comments(self, position: str, since: dt.datetime) -> InboxPage:
        """Comments at or after ``since`` with the answers to them, post by post, the latest post first."""
        params = {"fields": f"{MEDIA},{COMMENTS}", "limit": PER_CALL}
        answer = self.graph.get(f"{self.account_id}/media", paged(params, position))
        media = objects(answer)
        items = [item for one in media for item in self._below(one, since)]
        times = [instant(one["timestamp"]) for one in media if one.get("timestamp")]
        is_over = bool(times) and min(times) < since - REACH
        return InboxPage(items, "" if is_over else following(answer))

    def tags(self, position: str, since: dt.datetime) -> InboxPage:
        """Posts of others in which the account is tagged. They say no more of their author than the name."""
        params = {"fields": "id,caption,timestamp,permalink,username", "limit": PER_CALL}
        answer = self.graph.get(f"{self.account_id}/tags", paged(params, position))
        media = [one for one in objects(answer) if one.get("id") and one.get("timestamp")]
        items = [self._tag(one) for one in media if instant(one["timestamp"]) >= since]
        return InboxPage(items, following(answer) if len(items) == len(media) and media else "")

    def _tag(self, media: Json) -> InboxItem:
        return InboxItem(
            kind=InboxKind.MENTION,
            remote_id=str(media["id"]),
            thread_id=str(media["id"]),
            author=_author({"username": media.get("username")}),
            text=str(media.get("caption") or ""),
            created_at=instant(media.get("timestamp")),
            permalink=web_url(media.get("permalink")),
            media_count=1,
            detail={"id": str(media["id"]), "media_id": str(media["id"])},
        )

    def mentioned(self, item: InboxItem) -> InboxItem:
        """What a webhook told of a mention, with its words; as it is where they cannot be read now."""
        media_id, comment_id = (str(item.detail.get(name) or "") for name in ("media_id", "comment_id"))
        asked = f"mentioned_media.media_id({media_id}){{id,caption,timestamp,username}}"
        if comment_id:
            asked = f"mentioned_comment.comment_id({comment_id}){{id,text,timestamp}}"
        if not is_digits(comment_id or media_id):
            return item
        try:
            answer = self.graph.get(self.account_id, {"fields": asked})
        except (Rejected, Temporary):
            return item
        told = nested(answer, "mentioned_comment" if comment_id else "mentioned_media")
        if not isinstance(told, dict):
            return item
        return dataclasses.replace(
            item,
            text=str(told.get("text" if comment_id else "caption") or ""),
            author=_author(told) if told.get("username") else item.author,
            created_at=instant_or(told.get("timestamp"), None) or item.created_at,
        )

    def _below(self, media: Json, since: dt.datetime) -> Iterator[InboxItem]:
        root = remote_post(media)
        for comment in self._all_comments(media, since):
            for one in (comment, *rows(comment.get("replies"))):
                item = self._item(one, root, str(comment.get("id")))
                if item is not None and item.created_at >= since:
                    yield item

    def _all_comments(self, media: Json, since: dt.datetime) -> Iterator[Json]:
        listed: Any = media.get("comments")
        for _page in range(MOST_PAGES):
            page = rows(listed)
            yield from page
            position = following(listed)
            # An answer may be new where its comment is not; that is what webhooks are for.
            if not position or min(map(_time, page), default=since) < since:
                return
            params = {"fields": f"{_WORDS},replies.limit(50){{{_WORDS}}}", "limit": 50}
            listed = self.graph.get(f"{path_id(media['id'])}/comments", paged(params, position))

    def _item(self, comment: Json, root: RemotePost, top_id: str) -> InboxItem | None:
        if not comment.get("id") or not comment.get("timestamp"):
            return None
        is_own = _is_own(comment, self.own)
        remote_id = str(comment["id"])
        author = self.account if is_own else _author(comment)
        is_answer = remote_id != top_id
        return InboxItem(
            kind=InboxKind.COMMENT,
            remote_id=remote_id,
            thread_id=top_id,
            author=author,
            text=str(comment.get("text") or ""),
            created_at=instant(comment["timestamp"]),
            is_own=is_own,
            parent_id=top_id if is_answer else root.remote_id,
            root=root,
            root_id=root.remote_id,
            permalink=root.permalink,
            is_hidden=comment.get("hidden") is True,
            detail=_detail(remote_id, top_id, author, is_own=is_own),
        )


def _detail(remote_id: str, top_id: str, author: Profile, *, is_own: bool) -> Json:
    named = remote_id != top_id and not is_own and author.handle
    return {"id": remote_id, "comment": top_id} | ({"mention": f"@{author.handle}"} if named else {})


def remote_post(media: Json) -> RemotePost:
    return RemotePost(
        remote_id=word_of(media),
        text=str(media.get("caption") or ""),
        created_at=instant(media.get("timestamp")),
        permalink=web_url(media.get("permalink")),
        media_count=len(rows(media.get("children"))) or 1,
    )


def own_comments(media: Json, own: Collection[str], sought: Sought | None = None) -> list[RemotePost]:
    """What the account wrote below a post, as far as it came with it. Raises Temporary where what is
    ``sought`` may be a comment whose author is not told."""
    found, unread = [], []
    below = [one for row in rows(media.get("comments")) for one in (row, *rows(row.get("replies")))]
    for one in below:
        is_own = _is_own(one, own)
        if is_own and one.get("id") and one.get("timestamp"):
            found.append(
                RemotePost(
                    remote_id=str(one["id"]),
                    text=str(one.get("text") or ""),
                    created_at=instant(one["timestamp"]),
                    in_reply_to=str(media.get("id") or ""),
                )
            )
        elif is_own or not _names(one):
            unread.append((one.get("text") or "", one.get("timestamp")))
    if sought is not None:
        sought.check(found, unread)
    return found


def _is_own(comment: Json, own: Collection[str]) -> bool:
    return bool(_names(comment) & set(own))


def _names(comment: Json) -> set[str]:
    """What the author of a comment goes by."""
    author = comment.get("from")
    told = (author.get("id"), author.get("username")) if isinstance(author, dict) else ()
    return {str(name) for name in (*told, comment.get("username")) if name}


def _author(entity: Json) -> Profile:
    stated = entity.get("from")
    stated = stated if isinstance(stated, dict) else {}
    handle = str(stated.get("username") or entity.get("username") or "")
    remote_id = str(stated.get("id") or handle)
    return Profile(
        remote_id=remote_id,
        handle=handle or remote_id,
        display_name=handle,
        profile_url=f"https://www.instagram.com/{handle}/" if handle else "",
    )


def _time(comment: Json) -> dt.datetime:
    return instant(comment.get("timestamp"))


# --- webhooks ---------------------------------------------------------------------------------


def event(change: Change) -> WebhookEvent:
    """A comment is told whole; of a mention where it is, of messages that there are some."""
    kind = WebhookKind.OTHER
    items: tuple[InboxItem, ...] = ()
    if change.field in ("comments", "live_comments"):
        kind, items = WebhookKind.INBOX, _commented(change)
    elif change.field == "mentions":
        kind, items = WebhookKind.INBOX, _named(change)
    elif _is_message(change):
        kind = WebhookKind.INBOX
    return WebhookEvent(change.event_id, kind, change.account_id, items)


def _is_message(change: Change) -> bool:
    return change.field in ("messaging", "messages") and isinstance(change.value.get("message"), dict)


def _commented(change: Change) -> tuple[InboxItem, ...]:
    value = change.value
    media_id, remote_id = nested(value, "media", "id"), value.get("id")
    if not (media_id and remote_id and change.at and nested(value, "from", "id")):
        return ()
    top_id = str(value.get("parent_id") or remote_id)
    is_own = str(value["from"]["id"]) == change.account_id
    author = _author(value)
    return (
        InboxItem(
            kind=InboxKind.COMMENT,
            remote_id=str(remote_id),
            thread_id=top_id,
            author=author,
            text=str(value.get("text") or ""),
            created_at=change.at,
            is_own=is_own,
            parent_id=str(media_id) if top_id == str(remote_id) else top_id,
            root_id=str(media_id),
            detail=_detail(str(remote_id), top_id, author, is_own=is_own),
        ),
    )


def _named(change: Change) -> tuple[InboxItem, ...]:
    """Of whom it is, and what they wrote, ``Reader.mentioned`` reads."""
    media_id, comment_id = (number_or_text(change.value.get(name)) for name in ("media_id", "comment_id"))
    if not media_id or change.at is None:
        return ()
    remote_id = comment_id or media_id
    detail: Json = {"id": remote_id, "media_id": media_id}
    return (
        InboxItem(
            kind=InboxKind.MENTION,
            remote_id=remote_id,
            thread_id=remote_id,
            author=Profile(remote_id=f"author:{remote_id}", handle="Instagram"),
            text=NAMED_IN_COMMENT if comment_id else NAMED_IN_CAPTION,
            created_at=change.at,
            media_count=0 if comment_id else 1,
            detail=detail | ({"comment_id": comment_id} if comment_id else {}),
        ),
    )
