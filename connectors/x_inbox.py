"""What people write to an account of X, as items of an inbox.

Documents: docs.x.com x-api/posts/timelines, x-api/direct-messages (lookup, manage), read 2026-11-30.

* Whoever answers a post names its author, so comments come with the mentions. Lists are newest first. What a
  post answers comes with it, what that answers is asked for: up to the first post, as its place in the inbox
  depends on that.
* A direct message belongs to one other person, whose id is half of that of the conversation. Talks of several
  people are left out, and so is what was written in X's encrypted chat, which this API does not tell.
* X does not say whether the account has hidden or liked something.
* What was read before on the same day costs nothing. The last messages come again with each look, as their
  list cannot be asked for from a time on; so the first page of it is short.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from connectors.answers import inner, instant, number_or_text, rows
from connectors.base import InboxItem, InboxKind, InboxPage, Json, Profile, RemotePost
from connectors.errors import Rejected, RejectReason, Temporary
from connectors.inbox import Node, Place, chain_of, climb, place

logger = logging.getLogger("connectors.x")

PER_CALL = 100
MESSAGES_FIRST = 10  # they are read, and paid for, again each day
MESSAGES_PER_CALL = 50
MAX_PAGES = 3  # of what was written to one person
POST_FIELDS = "author_id,created_at,entities,attachments,referenced_tweets,note_tweet,in_reply_to_user_id"
USER_FIELDS = "name,username,profile_image_url"
_POSTS = {
    "tweet.fields": POST_FIELDS,
    "user.fields": USER_FIELDS,
    "expansions": "author_id,referenced_tweets.id,referenced_tweets.id.author_id",
}
_MESSAGES = {
    "event_types": "MessageCreate",
    "dm_event.fields": "id,event_type,text,created_at,sender_id,dm_conversation_id,attachments,entities",
    "user.fields": USER_FIELDS,
    "expansions": "sender_id,participant_ids",
}


@dataclass(slots=True)
class Reader:
    """``get`` asks X for a path with a query. ``post``, ``person`` and ``words`` read what X shows of a post,
    of somebody, and of a text."""

    account: Profile
    get: Callable[[str, Mapping[str, str]], Json]
    post: Callable[[Json], RemotePost]
    person: Callable[[Json], Profile]
    words: Callable[[Json], str]
    posts: dict[str, Json] = field(default_factory=dict)
    people: dict[str, Profile] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # of what was answered: the id of its author

    def mentions(self, position: str, since: dt.datetime) -> InboxPage:
        """Comments and mentions."""
        return self._timeline("mentions", position, since)

    def own(self, position: str, since: dt.datetime) -> InboxPage:
        """What the account itself answered, here or elsewhere."""
        return self._timeline("tweets", position, since)

    def messages(self, position: str, since: dt.datetime) -> InboxPage:
        """Both sides of private talks. An account or app that may not read them has none."""
        most = MESSAGES_PER_CALL if position else MESSAGES_FIRST
        try:
            answer = self.get("/2/dm_events", _paged({**_MESSAGES, "max_results": str(most)}, position))
        except Rejected as error:
            if error.reason is not RejectReason.FORBIDDEN:
                raise
            logger.warning("direct messages are not read: %s", error.detail)
            return InboxPage(())
        events = self._events(answer)
        recent = [one for one in events if _is_since(one, since)]
        is_more = bool(events) and len(recent) == len(events)
        return InboxPage(self._messages(recent), following(answer) if is_more else "")

    def sent_to(self, person_id: str, since: dt.datetime) -> tuple[list[RemotePost], bool]:
        """What the account wrote to this person, newest first, and whether that is all of it."""
        path = f"/2/dm_conversations/with/{quote(person_id, safe='')}/dm_events"
        found: list[RemotePost] = []
        position = ""
        for _page in range(MAX_PAGES):
            answer = self.get(path, _paged({**_MESSAGES, "max_results": str(MESSAGES_PER_CALL)}, position))
            events = self._events(answer)
            if len(events) < len(all_rows(answer.get("data"))):
                raise Temporary("a message that cannot be read")  # it may be what is looked for
            recent = [one for one in events if _is_since(one, since)]
            found += [
                RemotePost(str(one["id"]), self.words(one), _instant(one), media_count=media_count(one))
                for one in recent
                if str(one.get("sender_id")) == self.account.remote_id
            ]
            position = following(answer)
            if not position or len(recent) < len(events):
                return sorted(found, key=lambda post: post.created_at, reverse=True), True
        return found, False

    # --- posts --------------------------------------------------------------------------------

    def _timeline(self, name: str, position: str, since: dt.datetime) -> InboxPage:
        query = {**_POSTS, "max_results": str(PER_CALL), "start_time": stated(since)}
        answer = self.get(
            f"/2/users/{quote(self.account.remote_id, safe='')}/{name}", _paged(query, position)
        )
        told = {str(one["id"]): one for one in self._learn(answer) if not _referenced(one, "retweeted")}
        nodes = {post_id: self._node(post_id) for post_id in told}
        climb(nodes, self._nodes)
        places = ((post_id, place(chain_of(post_id, nodes))) for post_id in told)
        items = [self._item(told[post_id], where) for post_id, where in places if where is not None]
        return InboxPage([one for one in items if one.created_at >= since], following(answer))

    def _learn(self, answer: Json) -> list[Json]:
        """The posts of an answer, kept together with what came beside them."""
        if "data" not in answer and "meta" not in answer and not answer.get("errors"):
            raise Temporary("an answer without posts and without their number")
        posts = [one for one in rows(answer.get("data")) if one.get("id") and _at(one)]
        beside = answer.get("includes")
        beside = beside if isinstance(beside, dict) else {}
        self._meet(rows(beside.get("users")))
        self.posts |= {str(one["id"]): one for one in [*rows(beside.get("tweets")), *posts] if one.get("id")}
        return posts

    def _meet(self, users: Iterable[Json]) -> None:
        self.people |= {
            str(one["id"]): self.person(one) for one in users if one.get("id") and one.get("username")
        }

    def _nodes(self, ids: Sequence[str]) -> list[Node]:
        missing = [post_id for post_id in ids if post_id not in self.posts]
        for start in range(0, len(missing), PER_CALL):
            query = {**_POSTS, "ids": ",".join(missing[start : start + PER_CALL])}
            self._learn(self.get("/2/tweets", query))
        return [self._node(post_id) for post_id in ids]

    def _node(self, post_id: str) -> Node:
        post = self.posts.get(post_id)
        if post is None:  # gone; whoever answered it still says whose it was
            return Node(post_id, "", is_own=self.owners.get(post_id) == self.account.remote_id)
        parent = _referenced(post, "replied_to")
        self.owners.setdefault(parent, str(post.get("in_reply_to_user_id") or ""))
        return Node(post_id, parent, is_own=self._is_own(post), addresses_us=self._addresses_us(post))

    def _is_own(self, post: Json) -> bool:
        return str(post.get("author_id")) == self.account.remote_id

    def _addresses_us(self, post: Json) -> bool:
        entities = post.get("entities")
        named = rows(entities.get("mentions")) if isinstance(entities, dict) else []
        quoted = self.posts.get(_referenced(post, "quoted"))
        return any(
            str(one.get("id")) == self.account.remote_id
            or str(one.get("username", "")).lower() == self.account.handle.lower()
            for one in named
        ) or (quoted is not None and self._is_own(quoted))

    def _item(self, post: Json, where: Place) -> InboxItem:
        is_own = self._is_own(post)
        shown = self.post(post)
        author = self.account if is_own else self._known(str(post.get("author_id") or ""))
        root = self.posts.get(where.root_id)
        return InboxItem(
            kind=where.kind,
            remote_id=shown.remote_id,
            thread_id=where.thread_id,
            author=author,
            text=shown.text,
            created_at=shown.created_at,
            is_own=is_own,
            parent_id=shown.in_reply_to,
            root=self.post(root) if root is not None and _at(root) else None,
            root_id=where.root_id,
            permalink=f"https://x.com/{quote(author.handle, safe='')}/status/{shown.remote_id}",
            media_count=shown.media_count,
            is_hidden=None,
            is_liked=None,
            detail={"id": shown.remote_id},
        )

    def _known(self, person_id: str) -> Profile:
        return self.people.get(person_id) or Profile(remote_id=person_id, handle=person_id or "i")

    # --- messages -----------------------------------------------------------------------------

    def _events(self, answer: Json) -> list[Json]:
        """Messages of talks with one other person."""
        if not is_whole(answer):
            raise Temporary("an answer without messages and without their number")
        beside = answer.get("includes")
        self._meet(rows(beside.get("users")) if isinstance(beside, dict) else ())
        return [
            one
            for one in rows(answer.get("data"))
            if one.get("id") and _at(one) and one.get("event_type", "MessageCreate") == "MessageCreate"
        ]

    def _messages(self, events: Sequence[Json]) -> list[InboxItem]:
        others = {str(one["id"]): self._other(one) for one in events}
        strangers = {one for one in others.values() if one} - self.people.keys()
        if strangers:  # of what the account wrote, X tells its author alone
            query = {"ids": ",".join(sorted(strangers)[:PER_CALL]), "user.fields": USER_FIELDS}
            with contextlib.suppress(Rejected):
                self._meet(rows(self.get("/2/users", query).get("data")))
        return [self._message(one, other) for one in events if (other := others[str(one["id"])])]

    def _other(self, event: Json) -> str:
        """Whom the account talks to, "" where it is nobody else, or more than one."""
        ids = str(event.get("dm_conversation_id") or "").split("-")
        others = [one for one in ids if one and one != self.account.remote_id]
        return others[0] if len(ids) == 2 and len(others) == 1 else ""

    def _message(self, event: Json, other: str) -> InboxItem:
        is_own = str(event.get("sender_id")) == self.account.remote_id
        counterpart = self._known(other)
        return InboxItem(
            kind=InboxKind.DM,
            remote_id=str(event["id"]),
            thread_id=other,
            author=self.account if is_own else counterpart,
            text=self.words(event),
            created_at=_instant(event),
            is_own=is_own,
            counterpart=counterpart,
            media_count=media_count(event),
            is_hidden=None,
            is_liked=None,
            detail={"id": str(event["id"])},
        )


def is_whole(answer: Json) -> bool:
    """Whether a list that has nothing in it is really an empty one."""
    if "data" in answer:
        return True
    meta = answer.get("meta")
    return isinstance(meta, dict) and not meta.get("result_count") and not answer.get("errors")


def all_rows(listed: object) -> list[Json]:
    """As ``rows``, where nothing may be left out. Raises Temporary."""
    found = rows(listed)
    if listed is not None and (not isinstance(listed, list) or len(found) < len(listed)):
        raise Temporary("a list that cannot be read")
    return found


def stated(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _referenced(post: Json, kind: str) -> str:
    """The id of what a post answers, quotes or shares, "" for nothing."""
    found = [one for one in rows(post.get("referenced_tweets")) if one.get("type") == kind]
    return number_or_text(found[0].get("id")) if found else ""


def _paged(query: Mapping[str, str], position: str) -> dict[str, str]:
    return {**query, "pagination_token": position} if position else dict(query)


def following(answer: Json) -> str:
    """Where the list goes on, "" at its end."""
    meta = answer.get("meta")
    position = meta.get("next_token") if isinstance(meta, dict) else None
    return position if isinstance(position, str) else ""


def _at(entity: Json) -> dt.datetime | None:
    """When it was written; what does not say so is left out."""
    return instant(entity.get("created_at"))


def _instant(entity: Json) -> dt.datetime:
    if (at := _at(entity)) is None:
        raise Temporary("something without a date")
    return at


def _is_since(entity: Json, since: dt.datetime) -> bool:
    return _instant(entity) >= since


def media_count(event: Json) -> int:
    keys = inner(event, "attachments", "media_keys")
    return len(keys) if isinstance(keys, list) else 0
