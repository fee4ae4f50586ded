"""Comments below the videos of a channel, and what the channel answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from requests import Response

from connectors import http
from connectors.answers import count, instant, number_or_text, rows, text
from connectors.base import InboxItem, InboxKind, InboxPage, Json, NotAllListed, Profile, RemotePost
from connectors.errors import Rejected, RejectReason
from connectors.youtube_calls import checked, items_of, part_of, reason_of

THREADS_PER_CALL = 100
REPLIES_PER_CALL = 100
MAX_PAGES = 5
HIDDEN = frozenset({"heldForReview", "likelySpam", "rejected"})

Get = Callable[[str, Mapping[str, str]], Response]


class Reader:
    """Reads the threads of one channel by ``get`` (path, query)."""

    def __init__(self, channel_id: str, get: Get) -> None:
        self.channel_id = channel_id
        self.get = get

    def threads(
        self, position: str, since: dt.datetime, *, held: bool = False, is_inbox: bool = True
    ) -> InboxPage:
        """Threads, the latest first. ``held``: those that wait for somebody to look at them. An inbox of a
        channel without comments is empty; to whoever looks for one (``is_inbox`` False), it is a refusal.

        YouTube sorts by the time of the first comment, so the page after the first thread that is too old is
        not read. New answers below older threads are found as long as their thread is on a page that is.
        """
        query = {
            "part": "snippet,replies",
            "allThreadsRelatedToChannelId": self.channel_id,
            "order": "time",
            "textFormat": "plainText",
            "maxResults": str(THREADS_PER_CALL),
            **({"moderationStatus": "heldForReview"} if held else {}),
            **({"pageToken": position} if position else {}),
        }
        response = self.get("/youtube/v3/commentThreads", query)
        if is_inbox and reason_of(response) == "commentsDisabled":
            return InboxPage(())
        try:
            answer = http.json_object(checked(response))
        except Rejected:
            if not held:
                raise
            return InboxPage(())  # not every channel may read what waits
        found: list[InboxItem] = []
        is_recent = True
        for thread in items_of(answer):
            items = list(self._items(thread, held=held))
            if not items:
                continue
            is_recent = items[0].created_at >= since
            found += [item for item in items if item.created_at >= since]
        following = text(answer.get("nextPageToken"))
        return InboxPage(found, following if is_recent and following != position else "")

    def own(self, since: dt.datetime, thread_id: str = "") -> list[RemotePost]:
        """What the channel itself wrote lately below its videos, or in one thread.

        Raises NotAllListed where there is more, Rejected where the list is refused."""
        if thread_id:
            replies, is_whole = self._replies(thread_id)
            told = (self._item(one, thread_id, "", held=False) for one in replies)
            items = [item for item in told if item is not None and item.created_at >= since]
        else:
            items, is_whole = self._latest(since)
        found = [
            RemotePost(
                remote_id=item.remote_id,
                text=item.text,
                created_at=item.created_at,
                permalink=item.permalink,
                # What an answer hangs below is the thread, whichever comment in it was answered.
                in_reply_to="" if item.parent_id else item.root_id,
            )
            for item in items
            if item.is_own
        ]
        if not is_whole:
            raise NotAllListed("more comments than can be looked through", found)
        return found

    def _latest(self, since: dt.datetime) -> tuple[list[InboxItem], bool]:
        """The latest, and whether there are no more of them."""
        position = ""
        found: list[InboxItem] = []
        for _ in range(MAX_PAGES):
            page = self.threads(position, since, is_inbox=False)
            found += page.items
            if not (position := page.cursor):
                return found, True
        return found, False

    def replies(self, thread_id: str) -> list[Json]:
        """The answers of one thread; none where it was deleted meanwhile."""
        try:
            return self._replies(thread_id)[0]
        except Rejected as error:
            if error.reason is not RejectReason.NOT_FOUND:
                raise
            return []

    def _replies(self, thread_id: str) -> tuple[list[Json], bool]:
        """The answers of one thread, and whether these are all."""
        found: list[Json] = []
        query = {
            "part": "snippet",
            "parentId": thread_id,
            "textFormat": "plainText",
            "maxResults": str(REPLIES_PER_CALL),
        }
        for _ in range(MAX_PAGES):
            answer = http.json_object(checked(self.get("/youtube/v3/comments", query)))
            found += items_of(answer)
            if not answer.get("nextPageToken"):
                return found, True
            query["pageToken"] = str(answer["nextPageToken"])
        return found, False

    def _items(self, thread: Json, *, held: bool) -> Iterator[InboxItem]:
        snippet = part_of(thread, "snippet")
        top = part_of(snippet, "topLevelComment")
        thread_id, video = number_or_text(thread.get("id")), text(snippet.get("videoId"))
        if not thread_id or not video:
            return  # of a channel's former discussion page: there is nothing it hangs below
        replies = rows(part_of(thread, "replies").get("comments"))
        total = count(snippet, "totalReplyCount")
        if total is not None and total > len(replies):
            replies = self.replies(thread_id)
        for comment in (top, *replies):
            if (item := self._item(comment, thread_id, video, held=held)) is not None:
                yield item

    def _item(self, comment: Json, thread_id: str, video: str, *, held: bool) -> InboxItem | None:
        snippet, comment_id = part_of(comment, "snippet"), number_or_text(comment.get("id"))
        at = instant(snippet.get("publishedAt"))
        if not comment_id or at is None:
            return None
        author = author_of(snippet)
        is_top = comment_id == thread_id
        return InboxItem(
            kind=InboxKind.COMMENT,
            remote_id=comment_id,
            thread_id=thread_id,
            author=author,
            text=words_of(snippet),
            created_at=at,
            is_own=author.remote_id == self.channel_id,
            parent_id="" if is_top else thread_id,
            root_id=video,
            permalink=permalink(video, comment_id),
            is_hidden=held or text(snippet.get("moderationStatus")) in HIDDEN,
            detail={"id": comment_id, "thread": thread_id, "video": video},
        )


def author_of(snippet: Json) -> Profile:
    name = text(snippet.get("authorDisplayName"))
    return Profile(
        remote_id=text(part_of(snippet, "authorChannelId").get("value")),
        handle=name.removeprefix("@"),
        display_name=name,
        avatar_url=web_url(snippet.get("authorProfileImageUrl")),
        profile_url=web_url(snippet.get("authorChannelUrl")),
    )


def words_of(snippet: Json) -> str:
    """As it was written where YouTube tells that (the author alone may know), else as it is shown."""
    return text(snippet.get("textOriginal")) or text(snippet.get("textDisplay"))


def web_url(value: object) -> str:
    """An address that may stand in a page."""
    if not isinstance(value, str):
        return ""
    address = f"https:{value}" if value.startswith("//") else value
    return address.replace("http://www.youtube.com/", "https://www.youtube.com/") if is_web(address) else ""


def is_web(address: str) -> bool:
    return address.startswith(("https://", "http://"))


def permalink(video: str, comment_id: str) -> str:
    return f"https://www.youtube.com/watch?v={video}&lc={comment_id}" if video else ""


# --- what is written and done ---------------------------------------------------------------------


def comment_below(video: str, text: str) -> Json:
    return {"snippet": {"videoId": video, "topLevelComment": {"snippet": {"textOriginal": text}}}}


def answer_to(thread_id: str, text: str) -> Json:
    return {"snippet": {"parentId": thread_id, "textOriginal": text}}


def thread_of(remote_id: str, detail: Mapping[str, Any]) -> str:
    """The thread that an answer belongs below: YouTube has one level of answers, whose ids begin with it."""
    return str(detail.get("thread") or remote_id.partition(".")[0])
