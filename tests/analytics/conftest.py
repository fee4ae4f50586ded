"""A network that answers what a test tells it to, and sent deliveries to ask it about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest
import time_machine
from django.db import connection

from accounts.models import SocialAccount
from analytics.services import collection
from connectors.base import AccountMetrics, PostMetrics
from connectors.errors import ConnectorError
from outbox.models import Delivery, DeliveryState
from tests.sandbox.fixtures import sandbox, sandbox_server

__all__ = ["sandbox", "sandbox_server"]

NOON = dt.datetime(2026, 3, 10, 12, 0, tzinfo=dt.UTC)


@dataclass
class FakeNetwork:
    """Stands where a connector stands; remembers what it was asked for."""

    account: AccountMetrics = field(
        default_factory=lambda: AccountMetrics(followers=1000, following=50, posts=7)
    )
    posts: dict[str, PostMetrics] = field(default_factory=dict)
    everything: PostMetrics | None = field(
        default_factory=lambda: PostMetrics(likes=10, comments=2, shares=3, impressions=500)
    )
    account_error: ConnectorError | None = None
    post_error: Callable[[Sequence[str]], ConnectorError | None] | None = None
    account_calls: int = 0
    post_calls: list[list[str]] = field(default_factory=list)
    in_transaction: bool = False
    untold: str = ""

    def fetch_account_metrics(self) -> AccountMetrics:
        self.account_calls += 1
        if self.account_error:
            raise self.account_error
        return self.account

    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        self.post_calls.append(list(remote_ids))
        if self.post_error and (error := self.post_error(remote_ids)):
            raise error
        known = {pk: self.posts.get(pk, self.everything) for pk in remote_ids}
        return {pk: counts for pk, counts in known.items() if counts is not None}


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    fake = FakeNetwork()
    monkeypatch.setattr(collection, "connector_for", lambda _account: fake)
    return fake


@pytest.fixture
def sent(sandbox_account: SocialAccount) -> Callable[..., Delivery]:
    """`sent(at=..., remote_id=...)` makes a delivery that went out then."""

    def make(
        at: dt.datetime = NOON,
        remote_id: str = "",
        account: SocialAccount = sandbox_account,
        **fields: object,
    ) -> Delivery:
        number = Delivery.objects.count() + 1
        values: dict[str, object] = {
            "state": DeliveryState.SENT,
            "payload": {"parts": [{"text": f"Post {number}", "media": []}], "language": "en"},
            "due_at": at,
            "next_attempt_at": at,
            "sent_at": at,
            "remote_id": remote_id or f"r{number}",
            "permalink": f"https://network.example/{number}",
            **fields,
        }
        return Delivery.objects.create(brand=account.brand, account=account, **values)

    return make


@pytest.fixture
def _noon() -> Iterator[None]:
    """10 March 2026, noon UTC: 13:00 in Berlin. Rows that a test makes are made then."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def _empty_snapshots(transactional_db: None) -> Iterator[None]:
    """Django does not empty a table that it does not manage."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE analytics_postsnapshot")
