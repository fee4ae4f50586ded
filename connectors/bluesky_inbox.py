"""What people write to an account at Bluesky, and what it answers, as items of an inbox.

Lexicons app.bsky.notification.listNotifications, app.bsky.feed.getPosts, com.atproto.repo.listRecords,
chat.bsky.convo.listConvos and getMessages, checked 2026-11-22. The AppView tells of answers up to five levels
below a post of ours; what hangs deeper it does not tell.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors import answers as read
from connectors.answers import all_items, id_of, ident, items, rows, text
from connectors.base import InboxItem, InboxKind, InboxPage, Json, Profile, RemotePost
from connectors.bluesky_record import COLLECTION, instant
from connectors.errors import NeedsReconnect, Rejected, Temporary
from connectors.inbox import Node, Place, chain_of, climb, place

logger = logging.getLogger("connectors.bluesky")

Ask = Callable[[str, Sequence[tuple[str, str]]], Mapping[str, Any]]
View = Mapping[str, Any]  # app.bsky.feed.defs#postView

REASONS = ("reply", "mention", "quote")
NOTICES_PER_CALL = 50
RECORDS_PER_CALL = 100
POSTS_PER_CALL = 25
CONVOS_PER_CALL = 20
MESSAGES_PER_CALL = 100
MOST_MESSAGE_PAGES = 10
# So far back messages are looked at beyond what is asked for: the chat service may have been out of order.
MESSAGES_AGAIN = dt.timedelta(days=1)


@dataclass(slots=True)
class Reader:
    """``ask`` queries the account's server (and the AppView behind it), ``chat`` the chat service."""

    did: str
    handle: str
    ask: Ask
    chat: Ask
    views: dict[str, View] = field(default_factory=dict)  # posts by address
    roots: dict[str, str] = field(default_factory=dict)  # of what was answered: the top of its thread

    # --- comments and mentions ----------------------------------------------------------------

    def notices(self, position: str, since: dt.datetime) -> InboxPage:
        """What others wrote, newest first."""
        query = [("reasons", reason) for reason in REASONS]
        query += [("limit", str(NOTICES_PER_CALL)), *([("cursor", position)] if position else [])]
        page = self.ask("app.bsky.notification.listNotifications", query)
        notices = [n for n in items(page, "notifications") if instant(n.get("indexedAt")) >= since]
        # One post may name us and answer us at once.
        uris = dict.fromkeys(uri for notice in notices if (uri := _address(notice)))
        return InboxPage(self._items(list(uris)), text(page.get("cursor")) if notices else "")

    def answers(self, position: str, since: dt.datetime) -> InboxPage:
        """What the account itself answered, here or elsewhere. Its own list has the order of record keys,
        which programs may choose freely: it is read until a whole page is older."""
        query = [("repo", self.did), ("collection", COLLECTION), ("limit", str(RECORDS_PER_CALL))]
        page = self.ask(
            "com.atproto.repo.listRecords", [*query, *([("cursor", position)] if position else [])]
        )
        own = {"did": self.did, "handle": self.handle}
        # As the AppView would show them, which it does a moment later.
        views = [
            {**record, "author": own, "record": record.get("value")} for record in items(page, "records")
        ]
        recent = [view for view in views if _is_view(view) and _written_at(view) >= since]
        self.views |= {view["uri"]: view for view in recent}
        answered = self._items([view["uri"] for view in recent if _record(view).get("reply")])
        return InboxPage(answered, text(page.get("cursor")) if recent else "")

    def _items(self, uris: Sequence[str]) -> list[InboxItem]:
        self._read(uri for uri in uris if uri not in self.views)
        nodes = {uri: self._node(uri) for uri in uris if uri in self.views}
        climb(nodes, self._nodes)
        found = ((uri, place(chain_of(uri, nodes))) for uri in uris if uri in self.views)
        return [self._item(self.views[uri], where) for uri, where in found if where is not None]

    def _read(self, uris: Iterable[str]) -> None:
        """Posts as the AppView shows them to us; without those that are gone or whose author blocks us."""
        wanted = list(uris)
        for start in range(0, len(wanted), POSTS_PER_CALL):
            some = [("uris", uri) for uri in wanted[start : start + POSTS_PER_CALL]]
            found = items(self.ask("app.bsky.feed.getPosts", some), "posts")
            self.views |= {view["uri"]: view for view in found if _is_view(view)}

    def _nodes(self, uris: Sequence[str]) -> list[Node]:
        self._read(uri for uri in uris if uri not in self.views)
        return [self._node(uri) for uri in uris]

    def _node(self, uri: str) -> Node:
        view = self.views.get(uri)
        if view is None:
            # Gone: the address still says whose it was, and whoever answered it where it stood.
            above = self.roots.get(uri, uri)
            return Node(uri, above if above != uri else "", is_own=_author_of(uri) == self.did)
        record = _record(view)
        parent, root = _answered(record)
        if parent:
            self.roots[parent] = root.get("uri", "")
        return Node(
            id=uri,
            parent_id=parent,
            is_own=view["author"]["did"] == self.did,
            addresses_us=_names(record, self.did) or _author_of(_quoted(record)) == self.did,
        )

    def _item(self, view: View, where: Place) -> InboxItem:
        record, uri = _record(view), view["uri"]
        reference: Json = {"uri": uri, "cid": view["cid"]}
        parent, top = _answered(record)
        top = top or reference
        gate = _object(_object(self.views.get(top["uri"], {}).get("threadgate")).get("record"))
        root = self.views.get(where.root_id)
        return InboxItem(
            kind=where.kind,
            remote_id=uri,
            thread_id=where.thread_id,
            author=profile_of(view["author"]),
            text=text(record.get("text")),
            created_at=_written_at(view),
            is_own=view["author"]["did"] == self.did,
            parent_id=parent,
            root=_remote_post(root) if root is not None else None,
            root_id=where.root_id,
            permalink=_permalink(view),
            media_count=_media_count(record),
            is_hidden=uri in (hidden if isinstance(hidden := gate.get("hiddenReplies"), list) else ()),
            is_liked=bool(_object(view.get("viewer")).get("like")),
            detail={**reference, "root": top},
        )

    # --- direct messages ------------------------------------------------------------------------

    def messages(self, position: str, since: dt.datetime) -> InboxPage:
        """Private talks with one person, the latest first.

        Nothing here keeps the rest of the inbox from being read: without a chat service, without the right
        to it, or while it is out of order there are no messages. What was missed is made up for: of each talk
        of the last day its latest message is told again, and of each with something new a whole day.
        """
        try:
            return self._talks(position, since)
        except (Temporary, Rejected, NeedsReconnect) as error:
            logger.info("no direct messages: %s", error.detail)
            return InboxPage(())

    def _talks(self, position: str, since: dt.datetime) -> InboxPage:
        query = [("limit", str(CONVOS_PER_CALL)), *([("cursor", position)] if position else [])]
        page = self.chat("chat.bsky.convo.listConvos", query)
        again, found, is_older = since - MESSAGES_AGAIN, list[InboxItem](), False
        for convo in items(page, "convos"):
            last, convo_id = _object(convo.get("lastMessage")), id_of(convo.get("id"))
            others = [one for one in rows(convo.get("members")) if one.get("did") != self.did]
            at = read.instant(last.get("sentAt"))
            if len(others) != 1 or not _did(others[0]) or not convo_id or at is None:
                continue  # a group, or a talk in which nothing was said yet
            is_older = at < again
            told = self._messages_of(convo_id, again) if at >= since else [last]
            found += [
                _message_item(message, convo_id, profile_of(others[0]), self._self)
                for message in told
                if not is_older and _is_message(message)
            ]
        return InboxPage(found, "" if is_older else text(page.get("cursor")))

    def _messages_of(
        self, convo_id: str, since: dt.datetime, *, is_exact: bool = False
    ) -> Iterator[Mapping[str, Any]]:
        """Newest first, as far back as ``since``. What cannot be read is left out, or raises Temporary with
        ``is_exact``: it may be what is looked for."""
        cursor = ""
        for _ in range(MOST_MESSAGE_PAGES):
            query = [("convoId", convo_id), ("limit", str(MESSAGES_PER_CALL))]
            page = self.chat(
                "chat.bsky.convo.getMessages", [*query, *([("cursor", cursor)] if cursor else [])]
            )
            for message in (all_items if is_exact else items)(page, "messages"):
                at = read.instant(message.get("sentAt"))
                if at is not None and at < since:
                    return
                if at is not None and (_is_message(message) or not _has_words(message)):
                    yield message
                elif is_exact:
                    raise Temporary("a message that cannot be read")
            cursor = text(page.get("cursor"))
            if not cursor:
                return

    def sent_messages(self, convo_id: str, since: dt.datetime) -> list[RemotePost]:
        """What we wrote in one talk, newest first."""
        return [
            RemotePost(
                remote_id=message_id(convo_id, message),
                text=message["text"],
                created_at=instant(message["sentAt"]),
            )
            for message in self._messages_of(convo_id, since, is_exact=True)
            if _is_message(message) and message["sender"]["did"] == self.did
        ]

    @property
    def _self(self) -> Profile:
        return Profile(remote_id=self.did, handle=self.handle, profile_url=_profile_url(self.did))


# --- posts as the AppView shows them ------------------------------------------------------------


def _is_view(view: View) -> bool:
    """Whether all that is read of a post without looking is there."""
    return (
        bool(_address(view) and _did(view.get("author")))
        and isinstance(view.get("cid"), str)
        and isinstance(view.get("record"), Mapping)
    )


def _address(value: Mapping[str, Any]) -> str:
    """Of a post; "" for what is none: asked for one such, the AppView tells of no other either."""
    uri = text(value.get("uri"))
    return uri if uri.startswith("at://") and uri.isascii() and uri.isprintable() else ""


def _did(person: object) -> str:
    """Whose it is; "" for nobody's."""
    did = text(_object(person).get("did"))
    return did if did.startswith("did:") else ""


def _record(view: View) -> Mapping[str, Any]:
    return _object(view["record"])


def _object(value: object) -> Mapping[str, Any]:
    """What others wrote may have parts of any shape that no lexicon describes."""
    return value if isinstance(value, Mapping) else {}


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [_object(item) for item in value] if isinstance(value, list) else []


def _answered(record: Mapping[str, Any]) -> tuple[str, Json]:
    """The address of what a post answers ("" for nothing), and the reference of the top of its thread."""
    reply = _object(record.get("reply"))
    root = _object(reply.get("root"))
    is_whole = _address(root) and isinstance(root.get("cid"), str)
    top: Json = {"uri": root["uri"], "cid": root["cid"]} if is_whole else {}
    return _address(_object(reply.get("parent"))), top


def _written_at(view: View) -> dt.datetime:
    """As the author says, but not later than it came to be known."""
    stated = instant(_record(view).get("createdAt"))
    return min(stated, instant(view["indexedAt"])) if view.get("indexedAt") else stated


def _names(record: Mapping[str, Any], did: str) -> bool:
    features = (f for facet in _objects(record.get("facets")) for f in _objects(facet.get("features")))
    return any(feature.get("did") == did for feature in features)


def _quoted(record: Mapping[str, Any]) -> str:
    """The address of a post that is quoted, by itself or beside images; "" without one."""
    quoted = _object(_object(record.get("embed")).get("record"))
    # Beside media the reference stands one level deeper.
    return text(quoted.get("uri")) or text(_object(quoted.get("record")).get("uri"))


def _media_count(record: Mapping[str, Any]) -> int:
    embed = _object(record.get("embed"))
    media = _object(embed.get("media")) or embed
    return len(_objects(media.get("images"))) + bool(media.get("video"))


def _author_of(uri: str) -> str:
    return uri.removeprefix("at://").partition("/")[0]


def _remote_post(view: View) -> RemotePost:
    record = _record(view)
    return RemotePost(
        remote_id=view["uri"],
        text=text(record.get("text")),
        created_at=_written_at(view),
        permalink=_permalink(view),
        in_reply_to=_answered(record)[0],
        media_count=_media_count(record),
    )


def _permalink(view: View) -> str:
    return f"{_profile_url(view['author']['did'])}/post/{view['uri'].rpartition('/')[2]}"


def _profile_url(did: str) -> str:
    return f"https://bsky.app/profile/{did}"


def profile_of(author: Mapping[str, Any]) -> Profile:
    return Profile(
        remote_id=ident(author, "did"),
        handle=text(author.get("handle")),
        display_name=text(author.get("displayName")),
        avatar_url=text(author.get("avatar")),
        profile_url=_profile_url(ident(author, "did")),
    )


# --- messages -----------------------------------------------------------------------------------


def message_id(convo_id: str, message: Mapping[str, Any]) -> str:
    return f"{convo_id}/{ident(message, 'id')}"


def _is_message(message: Mapping[str, Any]) -> bool:
    """Not a deleted one, not one of the service, and none that cannot be read."""
    return (
        isinstance(message.get("text"), str)
        and bool(_did(message.get("sender")) and id_of(message.get("id")))
        and read.instant(message.get("sentAt")) is not None
    )


def _has_words(message: Mapping[str, Any]) -> bool:
    """Not a deleted one and not one of the service, whether it can be read or not."""
    return "text" in message


def _message_item(message: Mapping[str, Any], convo_id: str, counterpart: Profile, own: Profile) -> InboxItem:
    is_own = message["sender"]["did"] == own.remote_id
    return InboxItem(
        kind=InboxKind.DM,
        remote_id=message_id(convo_id, message),
        thread_id=convo_id,
        author=own if is_own else counterpart,
        text=message["text"],
        created_at=instant(message["sentAt"]),
        is_own=is_own,
        counterpart=counterpart,
        media_count=1 if message.get("embed") else 0,
        detail={"convo_id": convo_id},
    )
