"""Direct messages of a Page and of an Instagram account: the same lists and the same way to answer.

Documents: documentation/business-messaging/messenger-platform (conversations, send messages, policy) and
instagram-platform/instagram-api-with-instagram-login/messaging-api, as of June 2026.

* A conversation tells its last 20 messages whole. It belongs to one other person, whose id for this account
  names the conversation here: webhooks know it, too.
* An answer is free for 24 hours after the person's last message, with the tag HUMAN_AGENT for seven days if
  Meta has granted that feature to the app. Later, Meta refuses it.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.base import InboxItem, InboxKind, InboxPage, Json, MessageTarget, Profile, RemotePost
from connectors.errors import Rejected, RejectReason, Temporary
from connectors.meta import Graph, following, instant, instant_or, nested, objects, paged, rows
from connectors.text import normalise

logger = logging.getLogger("connectors.meta")

PER_CALL = 25
TOLD = 20  # messages of one conversation
MESSAGES = f"messages.limit({TOLD}){{id,message,created_time,from,to,attachments}}"
FREE_FOR = dt.timedelta(hours=24)


def unless_forbidden(read: Callable[[], InboxPage]) -> InboxPage:
    """A list besides the comments: where Meta does not let this account or app have it (a switch in the
    account's settings, a permission that was not reviewed), the rest is read all the same."""
    try:
        return read()
    except Rejected as error:
        if error.reason is not RejectReason.FORBIDDEN:
            raise
        logger.warning("not read: %s", error.detail)
        return InboxPage(())


Unread = tuple[object, object]  # the words of something, and when it was written, as they are told


@dataclass(frozen=True, slots=True)
class Sought:
    """Something that we may have written at or after ``since``, looked for among what is told."""

    text: str
    since: dt.datetime

    def is_in(self, found: Iterable[RemotePost]) -> bool:
        return any(self._is_it(one.text) and one.created_at >= self.since for one in found)

    def check(self, found: Iterable[RemotePost], unread: Iterable[Unread]) -> None:
        """``unread``: what is neither told to be ours nor to be somebody else's. Raises Temporary where that
        may be it, and it is not among what was ``found``: it must not be called absent."""
        if self.is_in(found):
            return
        for words, stated in unread:
            at = instant_or(stated, None)
            is_from_before = at is not None and at < self.since
            if not is_from_before and (not isinstance(words, str) or self._is_it(words)):
                raise Temporary("it is not told who wrote the same words")

    def _is_it(self, words: str) -> bool:
        return normalise(words) == normalise(self.text)


def _is_cut(listed: Json, since: dt.datetime) -> bool:
    """Whether there may be more messages since then than are told."""
    told = listed["data"]
    times = [instant_or(nested(message, "created_time"), None) for message in told]
    is_full = len(told) >= TOLD or bool(following(listed))
    return is_full and not any(at is not None and at < since for at in times)


@dataclass(frozen=True, slots=True)
class Talks:
    """``owner`` has the list (a Page, or an Instagram account), ``own`` are the ids and names that the
    account itself goes by in it. ``platform`` is "messenger" or "instagram"."""

    graph: Graph
    owner: str
    own: Collection[str]
    platform: str
    account: Profile

    def page(self, position: str, since: dt.datetime) -> InboxPage:
        """Both sides of what was written at or after ``since``, the conversations with the latest first."""
        params = {
            "platform": self.platform,
            "fields": f"id,updated_time,participants,{MESSAGES}",
            "limit": PER_CALL,
        }
        answer = self.graph.get(f"{self.owner}/conversations", paged(params, position))
        talks = objects(answer)
        items = [item for talk in talks for item in self._items(talk) if item.created_at >= since]
        times = [instant(talk["updated_time"]) for talk in talks if talk.get("updated_time")]
        is_over = bool(times) and min(times) < since
        return InboxPage(items, "" if is_over else following(answer))

    def sent_to(self, person_id: str, text: str, since: dt.datetime) -> list[RemotePost]:
        """What the account wrote to this person at or after ``since``, newest first.

        Raises Temporary where ``text`` is not among it, and may stand before the messages that are told, or
        be one that cannot be read.
        """
        params = {"platform": self.platform, "user_id": person_id, "fields": f"id,participants,{MESSAGES}"}
        answer = self.graph.get(f"{self.owner}/conversations", params)
        talks = nested(answer, "data")
        if not isinstance(talks, list) or not talks:  # we answer who wrote to us, so there is one
            raise Temporary("an answer without a conversation")
        sought = Sought(text, since)
        own: list[RemotePost] = []
        unread: list[Unread] = []
        is_whole = True
        for talk in talks:
            told = nested(talk, "messages", "data")
            is_whole = is_whole and isinstance(told, list) and not _is_cut(talk["messages"], since)
            for message in told if isinstance(told, list) else ():
                if (found := self._own_message(message)) is not None:
                    own.append(found)
                elif str(nested(message, "from", "id")) != person_id:
                    unread.append((nested(message, "message"), nested(message, "created_time")))
        sought.check(own, unread)
        if not is_whole and not sought.is_in(own):
            raise Temporary("a conversation with more messages than are told")
        recent = (post for post in own if post.created_at >= since)
        return sorted(recent, key=lambda post: post.created_at, reverse=True)

    def _own_message(self, message: object) -> RemotePost | None:
        """What the account wrote itself, to whomever; None for the rest, and for what cannot be read."""
        author, words = nested(message, "from"), nested(message, "message") or ""
        at = instant_or(nested(message, "created_time"), None)
        remote_id = str(nested(message, "id") or "")
        if not isinstance(author, dict) or not self._is_own(author) or not isinstance(words, str):
            return None
        return RemotePost(remote_id, words, at) if remote_id and at else None

    def _items(self, talk: Json) -> list[InboxItem]:
        people = [one for one in rows(talk.get("participants")) if not self._is_own(one)]
        found = []
        for message in rows(talk.get("messages")):
            author = message.get("from")
            if not message.get("id") or not message.get("created_time") or not isinstance(author, dict):
                continue  # deleted, or of somebody who is no longer there
            is_own = self._is_own(author)
            receivers = [one for one in rows(message.get("to")) if not self._is_own(one)]
            others = ([] if is_own else [author]) + people + receivers
            if not others or not others[0].get("id"):
                continue
            found.append(self._item(message, others[0], is_own=is_own))
        return found

    def _is_own(self, someone: Json) -> bool:
        return str(someone.get("id")) in self.own or str(someone.get("username")) in self.own

    def _item(self, message: Json, other: Json, *, is_own: bool) -> InboxItem:
        counterpart = person(other)
        at = instant(message["created_time"])
        detail: Json = {"id": str(message["id"])}
        if not is_own:
            detail["received_at"] = at.isoformat()
        return InboxItem(
            kind=InboxKind.DM,
            remote_id=str(message["id"]),
            thread_id=counterpart.remote_id,
            author=self.account if is_own else counterpart,
            text=str(message.get("message") or ""),
            created_at=at,
            is_own=is_own,
            counterpart=counterpart,
            media_count=len(rows(message.get("attachments"))),
            detail=detail,
        )


def person(stated: Mapping[str, Any]) -> Profile:
    """Somebody as an answer names them: people of Facebook have a name, those of Instagram a handle."""
    remote_id = str(stated.get("id") or "")
    name = str(stated.get("name") or "")
    handle = str(stated.get("username") or name or remote_id)
    return Profile(remote_id=remote_id, handle=handle, display_name=name or handle)


def message_form(target: MessageTarget, text: str, now: dt.datetime) -> Json:
    """What is sent to answer somebody; with the tag for later answers where the last message is older."""
    form: Json = {
        "recipient": {"id": target.recipient_id},
        "message": {"text": text},
        "messaging_type": "RESPONSE",
    }
    received = target.detail.get("received_at")
    if isinstance(received, str) and now - instant(received) > FREE_FOR:
        form |= {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    return form
