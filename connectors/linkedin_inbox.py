"""What people write below the posts of a LinkedIn page, or about it, as items of an inbox; and webhooks.

Documents: learn.microsoft.com, community-management/organizations/organization-social-action-notifications
and shares/comments-api, checked 2026-11-30.

LinkedIn tells a page what happened since a moment, for 60 days; a comment is told without what it answers. So
the notices say which posts to look at, and the comments are read from there: those of a post, and the answers
below each. The names of people can be asked for, and are left out where LinkedIn refuses them.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from requests import Response

from connectors import http
from connectors.answers import count, inner, is_digits, number_or_text, quoted, text
from connectors.base import InboxItem, InboxKind, InboxPage, Json, Profile, WebhookEvent, WebhookKind
from connectors.errors import RateLimited, Rejected, RejectReason, Temporary
from connectors.inbox import storable
from connectors.linkedin_calls import ORGANIZATION, checked, encoded, instant, objects

NOTICES_PER_CALL = 50
COMMENTS_PER_CALL = 100
MAX_PAGES = 5  # of the comments of one post
MAX_START = 1000  # notices of one look
MAX_BRANCHES = 100  # first comments of one post whose answers are read
CALLS_PER_LOOK = 60  # of the page's allowance of a day; what is left is read by the next look
REMEMBERED = dt.timedelta(days=59)  # LinkedIn keeps notices for 60 days
MOST_OF_ID = 200
EVENT_TYPE = "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS"
COMMENTED = frozenset({"COMMENT", "ADMIN_COMMENT", "COMMENT_EDIT"})
MENTIONED = "SHARE_MENTION"

_COMMENT = re.compile(r"urn:li:comment:\(((?:urn:li:)?\w+:\d+),(\d+)\)")


def comment_parts(urn: str) -> tuple[str, str] | None:
    """What a comment hangs below and its number; None for what is no URN of a comment."""
    match = _COMMENT.fullmatch(urn)
    if match is None:
        return None
    return match[1] if match[1].startswith("urn:li:") else f"urn:li:{match[1]}", match[2]


def comment_urn(comment: object, *, below: str, number: str = "") -> str:
    """Its URN, stated or made of what is stated; "" if its number is not known."""
    for stated in (inner(comment, "commentUrn"), inner(comment, "$URN"), number):
        if (parts := comment_parts(text(stated))) is not None:
            return f"urn:li:comment:({parts[0]},{parts[1]})"
    own = number_or_text(inner(comment, "id"))
    number = own if is_digits(own) else number
    thread = text(inner(comment, "object")) or below
    nested = comment_parts(thread)
    if not is_digits(number):
        return ""
    return f"urn:li:comment:({nested[0] if nested else thread},{number})"


def post_link(urn: str) -> str:
    return f"https://www.linkedin.com/feed/update/{quoted(urn, safe=':')}/"


def comment_link(post_urn: str, urn: str) -> str:
    return f"{post_link(post_urn)}?commentUrn={encoded(urn)}"


@dataclass(slots=True)
class Reader:
    """``get`` asks LinkedIn for a path with its query."""

    page: str  # URN of the organization
    account: Profile
    get: Callable[[str], Response]
    names: dict[str, Profile] = field(default_factory=dict)
    calls: int = 0

    def told(self, position: str, since: dt.datetime) -> InboxPage:
        """What the notices at ``position`` lead to: comments below own posts, posts that name the page.

        A position is the number of the first notice, of the posts of these notices that were read, and of the
        first comments of the next post whose answers were: a look ends when it has made its calls."""
        start, posts_done, firsts_done = _position(position)
        now = dt.datetime.now(dt.UTC)
        since_then = max(since, now - REMEMBERED)
        actions = ",".join(sorted({*COMMENTED, MENTIONED}))
        path = (
            f"/rest/organizationalEntityNotifications?q=criteria&actions=List({actions})"
            f"&organizationalEntity={encoded(self.page)}"
            f"&timeRange=(start:{since_then.timestamp() * 1000:.0f},end:{now.timestamp() * 1000:.0f})"
            f"&start={start}&count={NOTICES_PER_CALL}"
        )
        notices = objects(http.json_object(checked(self._ask(path))))
        items: list[InboxItem] = []
        posts: dict[str, None] = {}
        for notice in notices:
            action = text(inner(notice, "action"))
            if action == MENTIONED:
                items += self._mention(notice) if (posts_done, firsts_done) == (0, 0) else ()
            elif action in COMMENTED:
                entity = text(inner(notice, "decoratedSourcePost", "entity"))
                posts[entity or text(inner(notice, "sourcePost"))] = None
        for number, post_urn in enumerate(filter(None, posts)):
            if number < posts_done:
                continue
            if self.calls >= CALLS_PER_LOOK:
                return InboxPage(self._named(items), f"{start}.{number}.0")
            found, left_at = self._comments(post_urn, since, firsts_done)
            items += found
            if left_at:
                return InboxPage(self._named(items), f"{start}.{number}.{left_at}")
            firsts_done = 0
        following = start + NOTICES_PER_CALL
        is_more = len(notices) >= NOTICES_PER_CALL and following < MAX_START
        return InboxPage(self._named(items), str(following) if is_more else "")

    def comments(self, urn: str, *, whole: bool = False) -> Iterator[Json]:
        """Below a post or a comment; none where it is gone. ``whole``: raises Temporary in the end where more
        are there than are read, and where LinkedIn does not know what they hang below (yet)."""
        for page in range(MAX_PAGES):
            start = page * COMMENTS_PER_CALL
            path = f"/rest/socialActions/{encoded(urn)}/comments?start={start}&count={COMMENTS_PER_CALL}"
            response = self._ask(path)
            if response.status_code in {404, 410}:
                if whole:
                    raise Temporary(http.excerpt(response))
                return
            found = objects(http.json_object(checked(response)))
            yield from found
            if len(found) < COMMENTS_PER_CALL:
                return
        if whole:
            raise Temporary("more comments than can be looked through")

    def _ask(self, path: str) -> Response:
        self.calls += 1
        return self.get(path)

    def _comments(
        self, post_urn: str, since: dt.datetime, firsts_done: int
    ) -> tuple[list[InboxItem], int | None]:
        """What is below a post, from its first comment number ``firsts_done`` on; and the number of the one
        at which the calls of this look ended."""
        found: list[InboxItem] = []
        branches = 0
        firsts = list(self.comments(post_urn))
        for number, first in enumerate(firsts):
            has_branch = _has_answers(first) and branches < MAX_BRANCHES
            branches += has_branch
            urn = comment_urn(first, below=post_urn)
            if not urn or number < firsts_done:
                continue
            below: list[InboxItem] = []
            if has_branch:
                # One branch at least, or the next look would end here, too.
                if self.calls >= CALLS_PER_LOOK and number > firsts_done:
                    return found, number
                answers = [self._item(a, post_urn, thread=urn, parent=urn) for a in self.comments(urn)]
                below = [item for item in answers if item is not None]
            item = self._item(first, post_urn, thread=urn, parent=post_urn)
            # A first comment of one's own is a part of the post, until somebody answers it.
            if item is not None and not (item.is_own and all(one.is_own for one in below)):
                below.insert(0, item)
            elif item is not None and item.is_own:
                continue
            found += [one for one in below if one.created_at >= since]
        return found, None

    def _item(self, comment: Json, post_urn: str, *, thread: str, parent: str) -> InboxItem | None:
        """None for what lacks what an item needs."""
        urn = comment_urn(comment, below=post_urn)
        actor = text(inner(comment, "actor"))
        created = instant(inner(comment, "created", "time"))
        if not urn or not actor or created is None:
            return None
        content = inner(comment, "content")
        return InboxItem(
            kind=InboxKind.COMMENT,
            remote_id=urn,
            thread_id=thread,
            author=self._author(actor),
            text=text(inner(comment, "message", "text")),
            created_at=created,
            is_own=actor == self.page,
            parent_id=parent,
            root_id=post_urn,
            permalink=comment_link(post_urn, urn),
            media_count=len(content) if isinstance(content, list) else 0,
            detail={"parent": thread},
        )

    def _mention(self, notice: Json) -> Iterator[InboxItem]:
        share = inner(notice, "decoratedGeneratedActivity", "share")
        urn, owner = text(inner(share, "entity")), text(inner(share, "owner"))
        at = instant(inner(notice, "lastModifiedAt"))
        if urn and owner and at is not None:
            yield InboxItem(
                kind=InboxKind.MENTION,
                remote_id=urn,
                thread_id=urn,
                author=self._author(owner),
                text=text(inner(share, "text")),
                created_at=at,
                is_own=owner == self.page,
                permalink=post_link(urn),
            )

    def _author(self, urn: str) -> Profile:
        return self.account if urn == self.page else Profile(remote_id=urn, handle=urn.rpartition(":")[2])

    # --- names --------------------------------------------------------------------------------

    def _named(self, items: Sequence[InboxItem]) -> list[InboxItem]:
        wanted = {item.author.remote_id for item in items} - self.names.keys() - {self.page}
        # Without names the words can be answered all the same.
        with contextlib.suppress(Rejected, Temporary, RateLimited):
            self.names |= self._people(sorted(u for u in wanted if u.startswith("urn:li:person:")))
            self.names |= self._pages(sorted(u for u in wanted if u.startswith(ORGANIZATION)))
        return [replace(item, author=self.names.get(item.author.remote_id, item.author)) for item in items]

    def _people(self, urns: Sequence[str]) -> dict[str, Profile]:
        found = {}
        for start in range(0, len(urns), 50):
            ids = ",".join(f"(id:{encoded(u.rpartition(':')[2])})" for u in urns[start : start + 50])
            results = inner(http.json_object(checked(self._ask(f"/rest/people?ids=List({ids})"))), "results")
            for key, person in (results if isinstance(results, dict) else {}).items():
                number = text(inner(person, "id")) or str(key).removeprefix("(id:").removesuffix(")")
                found[f"urn:li:person:{number}"] = person_profile(number, person)
        return found

    def _pages(self, urns: Sequence[str]) -> dict[str, Profile]:
        if not urns:
            return {}
        ids = ",".join(u.rpartition(":")[2] for u in urns)
        results = inner(
            http.json_object(checked(self._ask(f"/rest/organizationsLookup?ids=List({ids})"))), "results"
        )
        return {
            f"{ORGANIZATION}{key}": page_profile(str(key), page)
            for key, page in (results if isinstance(results, dict) else {}).items()
        }


def _position(position: str) -> tuple[int, int, int]:
    """A position that nobody gave out is the beginning."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6}){0,2}", position):
        return 0, 0, 0
    start, posts_done, firsts_done, *_ = (*map(int, position.split(".")), 0, 0)
    return start, posts_done, firsts_done


def _has_answers(comment: Json) -> bool:
    summary = inner(comment, "commentsSummary")
    return any((count(summary, n) or 0) > 0 for n in ("totalFirstLevelComments", "aggregatedTotalComments"))


def person_profile(number: str, person: object) -> Profile:
    names = [text(inner(person, name)) for name in ("localizedFirstName", "localizedLastName")]
    name = " ".join(filter(None, names))
    vanity = text(inner(person, "vanityName"))
    return Profile(
        remote_id=f"urn:li:person:{number}",
        handle=vanity or name or number,
        display_name=name,
        profile_url=f"https://www.linkedin.com/in/{quoted(vanity)}/" if vanity else "",
    )


def page_profile(number: str, page: object) -> Profile:
    name, vanity = text(inner(page, "localizedName")), text(inner(page, "vanityName"))
    return Profile(
        remote_id=f"{ORGANIZATION}{number}",
        handle=vanity or name or number,
        display_name=name,
        profile_url=f"https://www.linkedin.com/company/{quoted(vanity or number)}/",
    )


# --- webhooks ---------------------------------------------------------------------------------


def challenge(query: Mapping[str, str], *, secret: str) -> str | None:
    """LinkedIn asks every two hours, and wants JSON in three seconds."""
    code = query.get("challengeCode", "")
    if not secret or not re.fullmatch(r"[\w-]{1,100}", code):
        return None
    return json.dumps({"challengeCode": code, "challengeResponse": _signed(code.encode(), secret)})


def is_genuine(body: bytes, headers: Mapping[str, str], *, secret: str) -> bool:
    given = headers.get("x-li-signature", "")
    if not secret or not given.isascii():
        return False
    return hmac.compare_digest(given.lower(), _signed(b"hmacsha256=" + body, secret))


def _signed(message: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def events(body: bytes) -> tuple[WebhookEvent, ...]:
    """Comments are told without what they answer: the inbox looks. Raises Rejected(INVALID)."""
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Rejected(RejectReason.INVALID, "not JSON") from error
    notices = inner(told, "notifications")
    if inner(told, "type") != EVENT_TYPE or not isinstance(notices, list):
        raise Rejected(RejectReason.INVALID, "not a notification of what happened on a page")
    found = []
    for notice in notices:
        number = storable(number_or_text(inner(notice, "notificationId")))[:MOST_OF_ID]
        whole = json.dumps(notice, sort_keys=True).encode()
        is_written = text(inner(notice, "action")) in {*COMMENTED, MENTIONED}
        found.append(
            WebhookEvent(
                event_id=number or hashlib.sha256(whole).hexdigest(),
                kind=WebhookKind.INBOX if is_written else WebhookKind.OTHER,
                account_id=storable(text(inner(notice, "organizationalEntity"))),
            )
        )
    return tuple(found)
