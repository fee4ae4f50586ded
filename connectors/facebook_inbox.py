"""Posts of a Facebook Page, and what people write to it, as items of an inbox.

Documents: docs/graph-api/reference (page/published_posts, object/comments, page/tagged, page/visitor_posts,
page/ratings) and docs/graph-api/webhooks/reference/page, as of July 2026.

A comment hangs below a post, answers below a comment; whatever answers an answer is shown below the same
comment. All levels are read at once (``filter=stream``), newest first, of the posts of the last month;
webhooks tell of older ones. Who wrote a comment is told only where the permission for it was given.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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
from connectors.errors import Rejected, RejectReason
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
from connectors.meta_inbox import Sought, person

KEY = "facebook"
PER_CALL = 25
MOST_PAGES = 5  # of the comments of one post
REACH = dt.timedelta(days=30)
WORDS = "id,message,created_time,from,parent{id},permalink_url,is_hidden,user_likes,attachment"
COMMENTS = f"comments.filter(stream).order(reverse_chronological).limit(50){{{WORDS}}}"
FURTHER_COMMENTS = {"filter": "stream", "order": "reverse_chronological", "limit": 50, "fields": WORDS}
POST = "id,message,created_time,permalink_url,attachments{media_type,subattachments}"
NEWS = frozenset({"post", "status", "photo", "video", "share", "link", "album", "note"})


RATINGS = {"positive": "recommends", "negative": "does not recommend"}


@dataclass(frozen=True, slots=True)
class Reader:
    graph: Graph
    page_id: str
    account: Profile

    def comments(self, position: str, since: dt.datetime) -> InboxPage:
        """Comments at or after ``since``, its own too, post by post, the latest post first."""
        params = {"fields": f"{POST},{COMMENTS}", "limit": PER_CALL}
        answer = self.graph.get(f"{self.page_id}/published_posts", paged(params, position))
        posts = [one for one in objects(answer) if one.get("id") and one.get("created_time")]
        items = [item for post in posts for item in self._below(post, since)]
        is_over = any(instant(post["created_time"]) < since - REACH for post in posts)
        return InboxPage(items, "" if is_over else following(answer))

    def named(self, edge: str, position: str, since: dt.datetime) -> InboxPage:
        """Posts of others that name the Page (``tagged``) or stand on it (``visitor_posts``)."""
        fields = "id,message,story,created_time,permalink_url,from,attachments{media_type,subattachments}"
        answer = self.graph.get(
            f"{self.page_id}/{edge}", paged({"fields": fields, "limit": PER_CALL}, position)
        )
        posts = [one for one in objects(answer) if one.get("id") and one.get("created_time")]
        recent = [one for one in posts if instant(one["created_time"]) >= since]
        items = [self._mention(one) for one in recent if not self._is_own(one)]
        return InboxPage(items, following(answer) if posts and len(recent) == len(posts) else "")

    def reviews(self, position: str, since: dt.datetime) -> InboxPage:
        """Recommendations. A Page that takes none has no list of them."""
        fields = "created_time,reviewer,review_text,recommendation_type,open_graph_story{id}"
        params = paged({"fields": fields, "limit": PER_CALL}, position)
        try:
            answer = self.graph.get(f"{self.page_id}/ratings", params)
        except Rejected as error:
            if error.reason in (RejectReason.INVALID, RejectReason.NOT_FOUND):
                return InboxPage(())
            raise
        told = [one for one in objects(answer) if one.get("created_time")]
        recent = [one for one in told if instant(one["created_time"]) >= since]
        items = [self._review(one) for one in recent]
        return InboxPage(items, following(answer) if told and len(recent) == len(told) else "")

    def _below(self, post: Json, since: dt.datetime) -> Iterator[InboxItem]:
        root = remote_post(post)
        for comment in self._all_comments(post, since):
            if not comment.get("id") or not comment.get("created_time"):
                continue
            item = self._comment(comment, root)
            if item.created_at >= since:
                yield item

    def _all_comments(self, post: Json, since: dt.datetime) -> Iterator[Json]:
        listed: Any = post.get("comments")
        for _page in range(MOST_PAGES):
            page = rows(listed)
            yield from page
            position = following(listed)
            times = [instant(one["created_time"]) for one in page if one.get("created_time")]
            if not position or not times or min(times) < since:
                return
            listed = self.graph.get(f"{path_id(post['id'])}/comments", paged(FURTHER_COMMENTS, position))

    def _comment(self, comment: Json, root: RemotePost) -> InboxItem:
        remote_id = str(comment["id"])
        top_id = str(nested(comment, "parent", "id") or remote_id)
        is_own = self._is_own(comment)
        return InboxItem(
            kind=InboxKind.COMMENT,
            remote_id=remote_id,
            thread_id=top_id,
            author=self.account if is_own else author(comment),
            text=str(comment.get("message") or ""),
            created_at=instant(comment["created_time"]),
            is_own=is_own,
            parent_id=top_id if top_id != remote_id else root.remote_id,
            root=root,
            root_id=root.remote_id,
            permalink=web_url(comment.get("permalink_url")),
            media_count=1 if comment.get("attachment") else 0,
            is_hidden=comment.get("is_hidden") is True,
            is_liked=comment.get("user_likes") is True,
            detail={"id": remote_id, "comment": top_id},
        )

    def _mention(self, post: Json) -> InboxItem:
        remote_id = str(post["id"])
        return InboxItem(
            kind=InboxKind.MENTION,
            remote_id=remote_id,
            thread_id=remote_id,
            author=author(post),
            text=str(post.get("message") or post.get("story") or ""),
            created_at=instant(post.get("created_time")),
            permalink=web_url(post.get("permalink_url")),
            media_count=_media_count(post),
            detail={"id": remote_id, "comment": remote_id},
        )

    def _review(self, review: Json) -> InboxItem:
        """Without a story of its own it can be read, but not answered."""
        story = str(nested(review, "open_graph_story", "id") or "")
        who = author({"id": story, "from": review.get("reviewer")})
        remote_id = story or f"review:{who.remote_id}:{review['created_time']}"
        return InboxItem(
            kind=InboxKind.REVIEW,
            remote_id=remote_id,
            thread_id=remote_id,
            author=who,
            text=str(review.get("review_text") or ""),
            created_at=instant(review["created_time"]),
            detail={
                "id": remote_id,
                "comment": story,
                "rating": RATINGS.get(str(review.get("recommendation_type") or ""), ""),
            },
        )

    def _is_own(self, entity: Json) -> bool:
        return str(nested(entity, "from", "id") or "") == self.page_id


def author(entity: Json) -> Profile:
    """Whoever wrote something. Facebook hides those who did not allow the app to know them: then each thing
    has an author of its own."""
    stated = entity.get("from")
    if isinstance(stated, dict) and stated.get("id"):
        return person(stated)
    return Profile(remote_id=f"author:{entity.get('id')}", handle="Facebook")


def remote_post(post: Json) -> RemotePost:
    return RemotePost(
        remote_id=word_of(post),
        text=str(post.get("message") or ""),
        created_at=instant(post.get("created_time")),
        permalink=address(post.get("permalink_url")),
        media_count=_media_count(post),
    )


def own_comments(post: Json, page_id: str, sought: Sought | None = None) -> list[RemotePost]:
    """What the Page wrote below a post or comment, as far as it came with it. Raises Temporary where what is
    ``sought`` may be a comment whose author is not told."""
    found, unread = [], []
    for one in rows(post.get("comments")):
        author_id = str(nested(one, "from", "id") or "")
        if author_id == page_id and one.get("id") and one.get("created_time"):
            found.append(
                RemotePost(
                    remote_id=str(one["id"]),
                    text=str(one.get("message") or ""),
                    created_at=instant(one["created_time"]),
                    in_reply_to=str(post.get("id") or ""),
                )
            )
        elif author_id in ("", page_id):
            unread.append((one.get("message") or "", one.get("created_time")))
    if sought is not None:
        sought.check(found, unread)
    return found


def address(stated: object) -> str:
    """Of videos only the path is told."""
    if isinstance(stated, str) and stated.startswith("/") and not stated.startswith("//"):
        return f"https://www.facebook.com{stated}"
    return web_url(stated)


def _media_count(post: Json) -> int:
    shown = rows(post.get("attachments"))
    if not shown or shown[0].get("media_type") not in ("photo", "video", "album"):
        return 0
    return len(rows(shown[0].get("subattachments"))) or 1


# --- webhooks ---------------------------------------------------------------------------------


def event(change: Change) -> WebhookEvent:
    """A comment is told whole; of the rest it is told that there is something."""
    value, kind = change.value, WebhookKind.OTHER
    items: tuple[InboxItem, ...] = ()
    item, verb = str(value.get("item")), value.get("verb")
    is_own = str(nested(value, "from", "id") or "") == change.account_id
    if change.field == "feed" and item == "comment" and verb in ("add", "edited"):
        kind = WebhookKind.INBOX
        items = _commented(change, is_own=is_own) if verb == "add" else ()
    elif change.field == "feed":
        kind = WebhookKind.INBOX if item in NEWS and verb == "add" and not is_own else WebhookKind.OTHER
    elif change.field in ("mention", "ratings") or _is_message(change):
        kind = WebhookKind.INBOX
    return WebhookEvent(change.event_id, kind, change.account_id, items)


def _is_message(change: Change) -> bool:
    return change.field == "messaging" and isinstance(change.value.get("message"), dict)


def _commented(change: Change, *, is_own: bool) -> tuple[InboxItem, ...]:
    value = change.value
    remote_id, post_id = value.get("comment_id"), value.get("post_id")
    stated = value.get("created_time")
    at = instant_or(stated, change.at)
    if not (remote_id and post_id and at and nested(value, "from", "id")):
        return ()
    parent_id = str(value.get("parent_id") or post_id)
    top_id = str(remote_id) if parent_id == str(post_id) else parent_id
    return (
        InboxItem(
            kind=InboxKind.COMMENT,
            remote_id=str(remote_id),
            thread_id=top_id,
            author=author(value),
            text=str(value.get("message") or ""),
            created_at=at,
            is_own=is_own,
            parent_id=parent_id,
            root_id=str(post_id),
            permalink=address(nested(value, "post", "permalink_url")),
            media_count=1 if value.get("photo") or value.get("video") else 0,
            detail={"id": str(remote_id), "comment": top_id},
        ),
    )
