"""What a network tells, and an outbox that says what a test wants it to."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from accounts.models import SocialAccount, User
from connectors.base import InboxItem, InboxKind, InboxPage, Profile, RemotePost
from connectors.errors import ConnectorError
from engagement.models import Conversation, Message
from engagement.services import collection
from engagement.services.intake import take_page
from engagement.services.replies import send_reply
from outbox.models import Delivery, DeliveryState
from tests.sandbox.fixtures import sandbox, sandbox_server

__all__ = ["sandbox", "sandbox_server"]

# A Tuesday, 13:00 in Berlin: within the hours of the cast's brand.
NOON = dt.datetime(2026, 3, 10, 12, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)

YUKI = Profile("u-yuki", "yuki", "Yuki Tanaka", profile_url="https://network.example/yuki")
BEN = Profile("u-ben", "ben", "Ben")
US = Profile("id-harbour", "harbour", "Harbour")

_numbers = itertools.count(1)


def comment(text: str = "Is it open on Sunday?", **given: Any) -> InboxItem:
    """A comment of Yuki's, the first below a post; ``by`` somebody else, ``at`` another time, ``thread``."""
    remote_id = given.pop("remote_id", "") or f"c{next(_numbers)}"
    author = given.pop("by", YUKI)
    values: dict[str, Any] = {
        "kind": InboxKind.COMMENT,
        "remote_id": remote_id,
        "thread_id": given.pop("thread", remote_id),
        "author": author,
        "text": text,
        "created_at": given.pop("at", NOON),
        "is_own": author is US,
        "root_id": "p1",
        "permalink": f"https://network.example/{remote_id}",
        "detail": {"id": remote_id},
    }
    return InboxItem(**values | given)


def message(text: str = "Hello", **given: Any) -> InboxItem:
    """A direct message of Yuki's, or with ``by=US`` to her."""
    author = given.pop("by", YUKI)
    other = given.pop("other", YUKI)
    values: dict[str, Any] = {
        "kind": InboxKind.DM,
        "remote_id": given.pop("remote_id", "") or f"m{next(_numbers)}",
        "thread_id": other.remote_id,
        "author": author,
        "text": text,
        "created_at": given.pop("at", NOON),
        "is_own": author is US,
        "counterpart": other,
        "detail": {"to": other.handle},
    }
    return InboxItem(**values | given)


def root(text: str = "New beans are here", remote_id: str = "p1") -> RemotePost:
    return RemotePost(remote_id, text, NOON - DAY, permalink=f"https://network.example/{remote_id}")


@pytest.fixture(autouse=True)
def _connected_before(request: pytest.FixtureRequest) -> None:
    """The cast's account was connected before the moments of these tests."""
    if "sandbox_account" in request.fixturenames:
        request.getfixturevalue("sandbox_account")
        SocialAccount.objects.update(connected_at=NOON - 60 * DAY)


@pytest.fixture
def take(sandbox_account: SocialAccount) -> Callable[..., int]:
    """`take(item, item, now=...)` takes a page in; the inbox was first read a month ago."""

    def page(
        *items: InboxItem,
        now: dt.datetime = NOON + MINUTE,
        began_at: dt.datetime = NOON - 30 * DAY,
        account: SocialAccount | None = None,
    ) -> int:
        return take_page(account=account or sandbox_account, items=items, began_at=began_at, now=now)

    return page


@pytest.fixture
def open_one(take: Callable[..., int]) -> Conversation:
    """A conversation in which Yuki has waited since noon."""
    take(comment(remote_id="c-open"))
    return Conversation.objects.select_related("account", "brand").get()


@pytest.fixture
def answer(responder: User) -> Callable[..., Message]:
    """`answer(conversation, "text")` puts an answer on its way, in sight of everything."""

    def send(conversation: Conversation, text: str = "Yes, from ten", **given: Any) -> Message:
        conversation.refresh_from_db()
        received = Message.objects.filter(conversation=conversation).answerable()
        values: dict[str, Any] = {
            "answered": received.select_related("identity").order_by("-number").first(),
            "seen_number": conversation.last_number,
            "form_key": uuid.uuid4(),
            "actor": responder,
            "now": NOON + 10 * MINUTE,
        }
        return send_reply(conversation=conversation, text=text, **values | given)

    return send


def ended(sent: Message, state: DeliveryState = DeliveryState.SENT, **values: Any) -> Delivery:
    """The outbox has come to an end with this message's delivery."""
    assert sent.delivery_id is not None
    if state == DeliveryState.SENT:
        values = {
            "sent_at": NOON + 11 * MINUTE,
            "remote_id": f"r{sent.number}",
            "permalink": f"https://network.example/r{sent.number}",
        } | values
    Delivery.objects.filter(pk=sent.delivery_id).update(state=state, **values)
    return Delivery.objects.get(pk=sent.delivery_id)


@dataclass
class FakeNetwork:
    """Stands where a connector stands: hands out its pages one after the other, or its error."""

    pages: list[InboxPage] = field(default_factory=lambda: [InboxPage(())])
    error: ConnectorError | None = None
    calls: list[tuple[dt.datetime, str]] = field(default_factory=list)

    def fetch_inbox(self, *, since: dt.datetime, cursor: str = "") -> InboxPage:
        self.calls.append((since, cursor))
        if self.error is not None:
            raise self.error
        return self.pages[int(cursor or 0)]

    def tells(self, *pages: Sequence[InboxItem]) -> None:
        """These pages, from now on."""
        last = len(pages) - 1
        self.pages = [
            InboxPage(items, "" if index == last else str(index + 1)) for index, items in enumerate(pages)
        ]


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    fake = FakeNetwork()
    monkeypatch.setattr(collection, "connector_for", lambda _account: fake)
    return fake
