"""Statuses of a server that speaks Mastodon's API, and what people write to an account as items of an inbox.

Documents: docs.joinmastodon.org methods/notifications, statuses (context), accounts (statuses) and
conversations, entities/Notification, checked 2026-11-30. A server tells an account only of what names it, and
Mastodon 4.5 of what quotes it: an answer further below that names somebody else is not told.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from requests import Response

from connectors import answers, http
from connectors.base import InboxItem, InboxKind, InboxPage, Json, Profile, RemotePost
from connectors.errors import Temporary
from connectors.inbox import Node, Place, chain_of, climb, place
from connectors.mastodon_calls import checked
from connectors.mastodon_server import version_of
from connectors.status_html import plain_text

PER_CALL = 40
CONVERSATIONS_PER_CALL = 20
DIRECT = "direct"


@dataclass(slots=True)
class Reader:
    """``get`` asks the account's server for a path with a query; ``read`` gives the statuses of these ids,
    those that are gone left out."""

    options: Mapping[str, Any]
    get: Callable[[str, Mapping[str, Any]], Response]
    read: Callable[[Sequence[str]], Iterable[Json]]
    statuses: dict[str, Json] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # of what was answered: the id of its account
    quoting: set[str] = field(default_factory=set)  # ids of what quotes the account

    def mentions(self, position: str, since: dt.datetime) -> InboxPage:
        """What names or quotes the account, newest first: comments, mentions and direct messages."""
        types = ["mention", "quote"] if self._tells_quotes else ["mention"]
        query = {"types[]": types, "limit": str(PER_CALL)}
        page = http.json_objects(checked(self.get("/api/v1/notifications", _after(query, position))))
        recent = [notice for notice in page if instant(notice["created_at"]) >= since]
        # Not every server knows how to leave the other kinds out.
        told = [n["status"] for n in recent if n.get("type") in types and n.get("status")]
        self.quoting |= {
            str(n["status"]["id"]) for n in recent if n.get("type") == "quote" and n.get("status")
        }
        return InboxPage(self._items(told), _following(recent, position))

    def own(self, position: str, since: dt.datetime) -> InboxPage:
        """What the account itself answered, here or elsewhere."""
        path = f"/api/v1/accounts/{quote(self._account_id, safe='')}/statuses"
        query = {"exclude_reblogs": "true", "limit": str(PER_CALL)}
        page = http.json_objects(checked(self.get(path, _after(query, position))))
        recent = [status for status in page if instant(status["created_at"]) >= since]
        answers = [s for s in recent if s.get("in_reply_to_id") or s.get("visibility") == DIRECT]
        return InboxPage(self._items(answers), _following(recent, position))

    def talks(self, position: str, since: dt.datetime) -> InboxPage:
        """Both sides of private talks in which something was written, the latest first."""
        response = self.get("/api/v1/conversations", _after({"limit": str(CONVERSATIONS_PER_CALL)}, position))
        if response.status_code in {404, 405, 501}:
            return InboxPage(())  # a server without them tells of direct messages as mentions
        page = http.json_objects(checked(response))
        latest = [talk["last_status"] for talk in page if talk.get("last_status")]
        recent = [status for status in latest if instant(status["created_at"]) >= since]
        said: dict[str, Json] = {}
        for last in recent:
            for status in [last, *self._around(str(last["id"]))]:
                if status.get("visibility") == DIRECT and instant(status["created_at"]) >= since:
                    said[str(status["id"])] = status
        following = _next_of(response)
        is_more = recent and len(recent) == len(latest) and following != position
        return InboxPage(self._items(said.values()), following if is_more else "")

    def _around(self, status_id: str) -> list[Json]:
        response = self.get(f"/api/v1/statuses/{quote(status_id, safe='')}/context", {})
        if response.status_code in {404, 410}:
            return []
        context = http.json_object(checked(response))
        return [*(context.get("ancestors") or ()), *(context.get("descendants") or ())]

    # --- items --------------------------------------------------------------------------------

    def _items(self, statuses: Iterable[Json]) -> list[InboxItem]:
        told = {str(status["id"]): status for status in statuses}
        self.statuses |= told
        public = [i for i, status in told.items() if status.get("visibility") != DIRECT]
        nodes = {status_id: self._node(status_id) for status_id in public}
        climb(nodes, self._nodes)
        places = ((status_id, place(chain_of(status_id, nodes))) for status_id in public)
        items = [self._item(told[status_id], where) for status_id, where in places if where is not None]
        direct = (self._message(status) for status in told.values() if status.get("visibility") == DIRECT)
        return items + [message for message in direct if message is not None]

    def _nodes(self, ids: Sequence[str]) -> list[Node]:
        missing = [status_id for status_id in ids if status_id not in self.statuses]
        self.statuses |= {str(status["id"]): status for status in self.read(missing)}
        return [self._node(status_id) for status_id in ids]

    def _node(self, status_id: str) -> Node:
        status = self.statuses.get(status_id)
        if status is None:  # gone; whoever answered it still says whose it was
            return Node(status_id, "", is_own=self.owners.get(status_id) == self._account_id)
        parent = str(status.get("in_reply_to_id") or "")
        self.owners[parent] = str(status.get("in_reply_to_account_id") or "")
        return Node(
            id=status_id,
            parent_id=parent,
            is_own=self._is_own(status),
            addresses_us=status_id in self.quoting
            or any(str(m["id"]) == self._account_id for m in _mentions(status)),
        )

    def _item(self, status: Json, where: Place) -> InboxItem:
        root = self.statuses.get(where.root_id)
        is_own = self._is_own(status)
        acct = str(status["account"].get("acct") or "")
        return InboxItem(
            kind=where.kind,
            remote_id=str(status["id"]),
            thread_id=where.thread_id,
            author=author(status["account"], self.options),
            text=words_of(status),
            created_at=instant(status["created_at"]),
            is_own=is_own,
            parent_id=str(status.get("in_reply_to_id") or ""),
            root=remote_post(root) if root is not None else None,
            root_id=where.root_id,
            permalink=permalink(status),
            media_count=len(status.get("media_attachments") or ()),
            is_liked=bool(status.get("favourited")),
            detail={
                "id": str(status["id"]),
                "visibility": str(status.get("visibility") or ""),
                "mention": f"@{acct}" if acct and not is_own else "",
            },
        )

    def _message(self, status: Json) -> InboxItem | None:
        """None for a note to oneself."""
        is_own = self._is_own(status)
        other = self._receiver(status) if is_own else status["account"]
        if other is None:
            return None
        counterpart = author(other, self.options)
        return InboxItem(
            kind=InboxKind.DM,
            remote_id=str(status["id"]),
            thread_id=counterpart.remote_id,
            author=author(status["account"], self.options),
            text=words_of(status),
            created_at=instant(status["created_at"]),
            is_own=is_own,
            counterpart=counterpart,
            parent_id=str(status.get("in_reply_to_id") or ""),
            permalink=permalink(status),
            media_count=len(status.get("media_attachments") or ()),
            is_liked=bool(status.get("favourited")),
            detail={"id": str(status["id"]), "visibility": DIRECT, "mention": f"@{other.get('acct') or ''}"},
        )

    def _receiver(self, status: Json) -> Json | None:
        """Of an own direct message: whom it answers, else whom it names first."""
        named = [person for person in _mentions(status) if str(person["id"]) != self._account_id]
        answered = str(status.get("in_reply_to_account_id") or "")
        return next((p for p in named if str(p["id"]) == answered), named[0] if named else None)

    @property
    def _tells_quotes(self) -> bool:
        """Other software has no such notices, and takahe fails at a kind that it does not know."""
        is_mastodon = self.options.get("software") in {"mastodon", "glitch"}
        return is_mastodon and version_of(self.options) >= (4, 5)

    def _is_own(self, status: Json) -> bool:
        return str(status["account"]["id"]) == self._account_id

    @property
    def _account_id(self) -> str:
        return str(self.options["account_id"])


def _after(query: Mapping[str, Any], position: str) -> dict[str, Any]:
    return {**query, "max_id": position} if position else dict(query)


def _following(recent: Sequence[Json], position: str) -> str:
    """Lists are newest first and go on below the last id; a server that ignores where we are ends them."""
    last = str(recent[-1]["id"]) if recent else ""
    return "" if last == position else last


def _next_of(response: Response) -> str:
    """``max_id`` of the page that the Link header names next; it is the id of a status, not of a talk."""
    address = response.links.get("next", {}).get("url", "")
    return (parse_qs(urlsplit(address).query).get("max_id") or [""])[0]


def _mentions(status: Json) -> list[Json]:
    return status.get("mentions") or []


# --- entities -----------------------------------------------------------------------------------


def profile(account: Json, options: Mapping[str, Any]) -> Profile:
    """The account's own. Ids count from one on every server, so ours carries the host."""
    server = urlsplit(str(options["host"])).netloc
    username = str(account.get("username") or account.get("acct") or "").partition("@")[0]
    return Profile(
        remote_id=f"{account['id']}@{server}",
        handle=f"{username}@{options.get('domain') or server}",
        display_name=str(account.get("display_name") or ""),
        avatar_url=web_url(account.get("avatar")),
        profile_url=web_url(account.get("url")),
    )


def author(account: Json, options: Mapping[str, Any]) -> Profile:
    """Anybody's, as our server knows them: people of other servers have an id of their own there."""
    own = profile(account, options)
    acct = str(account.get("acct") or "")
    return (
        Profile(own.remote_id, acct, own.display_name, own.avatar_url, own.profile_url)
        if "@" in acct
        else own
    )


def web_url(value: object) -> str:
    """An address that may stand in a page; anything else (``javascript:``, null) is dropped."""
    return value if isinstance(value, str) and re.match(r"(?i)https?://", value) else ""


def permalink(status: Json) -> str:
    return web_url(status.get("url")) or web_url(status.get("uri"))


def instant(stated: object) -> dt.datetime:
    at = answers.instant(stated)
    if at is None:
        raise Temporary("a status without a date")
    return at


def words_of(status: Json) -> str:
    """Its text, below the warning that stands before it."""
    warning = str(status.get("spoiler_text") or "").strip()
    text = plain_text(str(status.get("content") or ""), mentions=_mentions(status))
    return f"{warning}\n\n{text}" if warning else text


def remote_post(status: Json) -> RemotePost:
    return RemotePost(
        remote_id=str(status["id"]),
        text=plain_text(str(status.get("content") or ""), mentions=_mentions(status)),
        created_at=instant(status["created_at"]),
        permalink=permalink(status),
        in_reply_to=str(status.get("in_reply_to_id") or ""),
        media_count=len(status.get("media_attachments") or []),
    )
