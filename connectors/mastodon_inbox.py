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
from connectors.answers import rows, text
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
    read: Callable[[Sequence[str]], Iterable[object]]
    statuses: dict[str, Json] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # of what was answered: the id of its account
    quoting: set[str] = field(default_factory=set)  # ids of what quotes the account

    def mentions(self, position: str, since: dt.datetime) -> InboxPage:
        """What names or quotes the account, newest first: comments, mentions and direct messages."""
        types = ["mention", "quote"] if self._tells_quotes else ["mention"]
        query = {"types[]": types, "limit": str(PER_CALL)}
        page = listed(self.get("/api/v1/notifications", _after(query, position)))
        dated = [notice for notice in rows(page) if answers.instant(notice.get("created_at")) is not None]
        recent = [notice for notice in _some_of(page, dated) if _is_since(notice, since)]
        # Not every server knows how to leave the other kinds out.
        told = [(n["type"], usable(n.get("status"))) for n in recent if n.get("type") in types]
        self.quoting |= {status["id"] for kind, status in told if status and kind == "quote"}
        return InboxPage(
            self._items(status for _, status in told if status is not None), _following(recent, position)
        )

    def own(self, position: str, since: dt.datetime) -> InboxPage:
        """What the account itself answered, here or elsewhere."""
        path = f"/api/v1/accounts/{quote(self._account_id, safe='')}/statuses"
        query = {"exclude_reblogs": "true", "limit": str(PER_CALL)}
        page = listed(self.get(path, _after(query, position)))
        recent = [status for status in _some_of(page, usable_of(page)) if _is_since(status, since)]
        answers = [s for s in recent if s["in_reply_to_id"] or s["visibility"] == DIRECT]
        return InboxPage(self._items(answers), _following(recent, position))

    def talks(self, position: str, since: dt.datetime) -> InboxPage:
        """Both sides of private talks in which something was written, the latest first."""
        said, following = self._said(position, since)
        return InboxPage(self._items(said), following)

    def sent(self, position: str, since: dt.datetime) -> tuple[list[RemotePost], str]:
        """What the account itself wrote there, and where the list goes on. Raises Temporary where something
        cannot be read: it may be what is looked for."""
        said, following = self._said(position, since, is_exact=True)
        own = [status for status in said if self._is_own(status)]
        return [RemotePost(one["id"], words_of(one), instant(one["created_at"])) for one in own], following

    def _said(self, position: str, since: dt.datetime, *, is_exact: bool = False) -> tuple[list[Json], str]:
        response = self.get("/api/v1/conversations", _after({"limit": str(CONVERSATIONS_PER_CALL)}, position))
        if response.status_code in {404, 405, 501}:
            return [], ""  # a server without them tells of direct messages as mentions
        page = http.json_objects(checked(response)) if is_exact else rows(listed(response))
        told = [last for talk in page if (last := talk.get("last_status")) is not None]
        latest = _some_of(told, usable_of(told, is_exact=is_exact))
        recent = [status for status in latest if _is_since(status, since)]
        said: dict[str, Json] = {}
        for last in recent:
            for status in [last, *usable_of(self._around(last["id"], is_exact), is_exact=is_exact)]:
                if status["visibility"] == DIRECT and _is_since(status, since):
                    said[status["id"]] = status
        following = _next_of(response)
        is_more = recent and len(recent) == len(latest) and following != position
        return list(said.values()), following if is_more else ""

    def _around(self, status_id: str, is_exact: bool) -> list[Any]:
        response = self.get(f"/api/v1/statuses/{quote(status_id, safe='')}/context", {})
        if response.status_code in {404, 410}:
            return []
        context = http.json_object(checked(response))
        read = answers.all_items if is_exact else _rows
        return [*read(context, "ancestors"), *read(context, "descendants")]

    # --- items --------------------------------------------------------------------------------

    def _items(self, statuses: Iterable[Json]) -> list[InboxItem]:
        told = {status["id"]: status for status in statuses}
        self.statuses |= told
        public = [i for i, status in told.items() if status["visibility"] != DIRECT]
        nodes = {status_id: self._node(status_id) for status_id in public}
        climb(nodes, self._nodes)
        places = ((status_id, place(chain_of(status_id, nodes))) for status_id in public)
        items = [self._item(told[status_id], where) for status_id, where in places if where is not None]
        direct = (self._message(status) for status in told.values() if status["visibility"] == DIRECT)
        return items + [message for message in direct if message is not None]

    def _nodes(self, ids: Sequence[str]) -> list[Node]:
        missing = [status_id for status_id in ids if status_id not in self.statuses]
        self.statuses |= {status["id"]: status for status in usable_of(self.read(missing))}
        return [self._node(status_id) for status_id in ids]

    def _node(self, status_id: str) -> Node:
        status = self.statuses.get(status_id)
        if status is None:  # gone; whoever answered it still says whose it was
            return Node(status_id, "", is_own=self.owners.get(status_id) == self._account_id)
        parent = status["in_reply_to_id"]
        self.owners[parent] = status["in_reply_to_account_id"]
        return Node(
            id=status_id,
            parent_id=parent,
            is_own=self._is_own(status),
            addresses_us=status_id in self.quoting
            or any(person["id"] == self._account_id for person in status["mentions"]),
        )

    def _item(self, status: Json, where: Place) -> InboxItem:
        root = self.statuses.get(where.root_id)
        is_own = self._is_own(status)
        acct = text(status["account"].get("acct"))
        return InboxItem(
            kind=where.kind,
            remote_id=status["id"],
            thread_id=where.thread_id,
            author=author(status["account"], self.options),
            text=words_of(status),
            created_at=instant(status["created_at"]),
            is_own=is_own,
            parent_id=status["in_reply_to_id"],
            root=post_of(root) if root is not None else None,
            root_id=where.root_id,
            permalink=permalink(status),
            media_count=len(status["media_attachments"]),
            is_liked=bool(status.get("favourited")),
            detail={
                "id": status["id"],
                "visibility": status["visibility"],
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
            remote_id=status["id"],
            thread_id=counterpart.remote_id,
            author=author(status["account"], self.options),
            text=words_of(status),
            created_at=instant(status["created_at"]),
            is_own=is_own,
            counterpart=counterpart,
            parent_id=status["in_reply_to_id"],
            permalink=permalink(status),
            media_count=len(status["media_attachments"]),
            is_liked=bool(status.get("favourited")),
            detail={"id": status["id"], "visibility": DIRECT, "mention": f"@{text(other.get('acct'))}"},
        )

    def _receiver(self, status: Json) -> Json | None:
        """Of an own direct message: whom it answers, else whom it names first."""
        named = [person for person in status["mentions"] if person["id"] != self._account_id]
        answered = status["in_reply_to_account_id"]
        return next((p for p in named if p["id"] == answered), named[0] if named else None)

    @property
    def _tells_quotes(self) -> bool:
        """Other software has no such notices, and takahe fails at a kind that it does not know."""
        is_mastodon = self.options.get("software") in {"mastodon", "glitch"}
        return is_mastodon and version_of(self.options) >= (4, 5)

    def _is_own(self, status: Json) -> bool:
        return bool(status["account"]["id"] == self._account_id)

    @property
    def _account_id(self) -> str:
        return str(self.options["account_id"])


def _after(query: Mapping[str, Any], position: str) -> dict[str, Any]:
    return {**query, "max_id": position} if position else dict(query)


def _following(recent: Sequence[Json], position: str) -> str:
    """Lists are newest first and go on below the last id; a server that ignores where we are ends them."""
    last = next((known for one in reversed(recent) if (known := answers.id_of(one.get("id")))), "")
    return "" if last == position else last


def _next_of(response: Response) -> str:
    """``max_id`` of the page that the Link header names next; it is the id of a status, not of a talk."""
    address = response.links.get("next", {}).get("url", "")
    return (parse_qs(answers.split(address).query).get("max_id") or [""])[0]


def listed(response: Response) -> list[Any]:
    """A list, whatever is in it."""
    content = http.json_body(checked(response))
    if not isinstance(content, list):
        raise Temporary("an answer that is not a list")
    return content


def _some_of(told: Sequence[object], found: list[Json]) -> list[Json]:
    """What can be read of a list. Where that is nothing it is the server's fault, not that of one odd item,
    and what was written would be passed over: Temporary."""
    if told and not found:
        raise Temporary("a list of which nothing can be read")
    return found


def _rows(answer: Json, name: str) -> list[Json]:
    return rows(answer.get(name))


def _is_since(entity: Json, since: dt.datetime) -> bool:
    at = answers.instant(entity.get("created_at"))
    return at is not None and at >= since


# --- statuses -----------------------------------------------------------------------------------


def usable(status: object, *, is_exact: bool = False) -> Json | None:
    """A status of which all that is read here is of its kind: ids are text, lists are lists. None for what
    has no id, no author or no date; with ``is_exact`` too where its words, whom they name, or who may read
    them are not told."""
    author = _person(answers.inner(status, "account"))
    if not isinstance(status, dict) or author is None or answers.instant(status.get("created_at")) is None:
        return None
    named, media = status.get("mentions"), status.get("media_attachments")
    people = [person for one in rows(named) if (person := _person(one)) is not None]
    read = {
        "id": answers.id_of(status.get("id")),
        "account": author,
        "mentions": people,
        "media_attachments": media if isinstance(media, list) else [],
        **{name: answers.id_of(status.get(name)) for name in ("in_reply_to_id", "in_reply_to_account_id")},
        **{name: text(status.get(name)) for name in ("content", "spoiler_text", "visibility")},
    }
    is_whole = (
        isinstance(named, list)
        and len(people) == len(named)
        and all(isinstance(status.get(name), str) for name in ("content", "visibility"))
    )
    return {**status, **read} if read["id"] and (is_whole or not is_exact) else None


def usable_of(statuses: Iterable[object], *, is_exact: bool = False) -> list[Json]:
    """Those that can be read. With ``is_exact`` all can, or Temporary is raised."""
    found = [usable(one, is_exact=is_exact) for one in statuses]
    if is_exact and None in found:
        raise Temporary("a status that cannot be read")
    return [one for one in found if one is not None]


def _person(account: object) -> Json | None:
    found = answers.id_of(answers.inner(account, "id"))
    return {**account, "id": found} if found and isinstance(account, dict) else None


# --- entities -----------------------------------------------------------------------------------


def profile(account: Json, options: Mapping[str, Any]) -> Profile:
    """The account's own. Ids count from one on every server, so ours carries the host."""
    server = urlsplit(str(options["host"])).netloc
    username = (text(account.get("username")) or text(account.get("acct"))).partition("@")[0]
    return Profile(
        remote_id=f"{answers.ident(account, 'id')}@{server}",
        handle=f"{username}@{options.get('domain') or server}",
        display_name=text(account.get("display_name")),
        avatar_url=web_url(account.get("avatar")),
        profile_url=web_url(account.get("url")),
    )


def author(account: Json, options: Mapping[str, Any]) -> Profile:
    """Anybody's, as our server knows them: people of other servers have an id of their own there."""
    own = profile(account, options)
    acct = text(account.get("acct"))
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
    warning = status["spoiler_text"].strip()
    words = plain_text(status["content"], mentions=status["mentions"])
    return f"{warning}\n\n{words}" if warning else words


def remote_post(status: object) -> RemotePost:
    """Raises Temporary for a status that cannot be read: whoever looks for a post would take it for gone."""
    [read] = usable_of([status], is_exact=True)
    return post_of(read)


def post_of(status: Json) -> RemotePost:
    return RemotePost(
        remote_id=status["id"],
        text=plain_text(status["content"], mentions=status["mentions"]),
        created_at=instant(status["created_at"]),
        permalink=permalink(status),
        in_reply_to=status["in_reply_to_id"],
        media_count=len(status["media_attachments"]),
    )
