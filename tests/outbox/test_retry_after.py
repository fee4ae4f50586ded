"""A network's Retry-After holds for every worker, whatever breaks while it is noted down."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from django.db import OperationalError

from accounts.models import AppRegistration, Credential, SocialAccount
from connectors.base import Rate
from connectors.errors import RateLimited
from outbox.models import Bucket, Delivery, DeliveryState
from outbox.services.claiming import claim_due
from outbox.services.rates import account_key, block_until, take
from outbox.services.sending import send_deliveries
from tests.cast import make_account
from tests.outbox.conftest import tick
from tests.outbox.network import MemoryConnector, Refused

pytestmark = pytest.mark.django_db


def state(delivery: Delivery) -> str:
    delivery.refresh_from_db()
    return delivery.state


class _Neighbour(MemoryConnector):
    """While this worker's first call is out, another worker is told to wait by the same account's network."""

    until: dt.datetime

    def send_step(self, step, payload, intent):
        result = super().send_step(step, payload, intent)
        if len(self.network.calls) == 1:
            account = SocialAccount.objects.get(handle="harbour")
            block_until(account=account, until=self.until)
        return result


def _send_beside_a_neighbour(network, clock, *deliveries):
    until = clock() + dt.timedelta(seconds=90)

    def connect(_account):
        connector = _Neighbour(network)
        connector.until = until
        return connector

    claims = {claim.delivery_id: claim.fence for claim in claim_due(now=clock())}
    send_deliveries(claimed={row.pk: claims[row.pk] for row in deliveries}, clock=clock, connect=connect)
    return until


def test_a_retry_after_that_another_worker_was_given_stops_this_one_at_once(schedule, network, clock):
    first, second = schedule("a"), schedule("b")
    until = _send_beside_a_neighbour(network, clock, first, second)
    assert network.texts() == ["a"]
    assert state(second) == DeliveryState.SCHEDULED
    assert second.next_attempt_at == until
    clock.now = until
    tick(network)
    assert network.texts() == ["a", "b"]


def test_a_thread_waits_between_its_parts_when_another_worker_was_given_a_retry_after(
    schedule, network, clock
):
    thread = schedule("one", "two")
    until = _send_beside_a_neighbour(network, clock, thread)
    assert network.texts() == ["one"]
    assert state(thread) == DeliveryState.SCHEDULED
    clock.now = until
    tick(network)
    assert network.texts() == ["one", "two"]
    assert state(thread) == DeliveryState.SENT


@pytest.mark.django_db(transaction=True)
def test_a_retry_after_is_kept_when_the_database_connection_breaks_while_it_is_written(
    schedule, network, clock, monkeypatch
):
    until = clock() + dt.timedelta(seconds=90)
    network.behaviour = [Refused(then=RateLimited(until, "slow down"))]
    limited = schedule("a")
    breaks = [OperationalError("server closed the connection unexpectedly")]

    def breaking(**given):
        if breaks:
            raise breaks.pop()
        block_until(**given)

    monkeypatch.setattr("outbox.services.outcomes.block_until", breaking)
    tick(network)
    assert state(limited) == DeliveryState.SCHEDULED
    assert limited.next_attempt_at == until
    assert Bucket.objects.get().blocked_until == until


# --- of one developer app -------------------------------------------------------------------------


def _app(name: str) -> AppRegistration:
    return AppRegistration.objects.create(
        name=name, platform="memory", redirect_uri="https://x.test/", secret=""
    )


def _with_app(account: SocialAccount, app: AppRegistration | None) -> SocialAccount:
    Credential.objects.update_or_create(
        account=account, defaults={"secret": "", "refreshed_at": account.connected_at, "app": app}
    )
    return account


def test_a_limit_of_the_app_stops_all_its_accounts_and_no_others(
    schedule, network, clock, brand, sandbox_account
):
    until = clock() + dt.timedelta(minutes=10)
    ours, theirs = (
        _app("ours"),
        AppRegistration.objects.create(
            name="theirs", platform="memory", host="https://y.test", redirect_uri="https://x.test/", secret=""
        ),
    )
    _with_app(sandbox_account, ours)
    beside = _with_app(make_account(brand, handle="beside"), ours)
    other = _with_app(make_account(brand, handle="other"), theirs)
    without = _with_app(make_account(brand, handle="without"), None)
    limited = schedule("a")
    network.behaviour = [Refused(then=RateLimited(until, "quota of the project", of_app=True))]
    tick(network)
    assert state(limited) == DeliveryState.SCHEDULED
    waiting = schedule("b", account=beside)
    free = [schedule("c", account=other), schedule("d", account=without)]
    tick(network)
    assert sorted(network.texts()) == ["c", "d"]
    assert [state(row) for row in free] == [DeliveryState.SENT] * 2
    assert state(waiting) == DeliveryState.SCHEDULED
    clock.now = until
    tick(network)
    assert sorted(network.texts()) == ["a", "b", "c", "d"]


def test_a_limit_without_the_app_stops_its_account_alone(brand, clock, sandbox_account):
    ours = _app("ours")
    _with_app(sandbox_account, ours)
    _with_app(make_account(brand, handle="beside"), ours)
    block_until(account=sandbox_account, until=clock())
    assert Bucket.objects.get().key == account_key(sandbox_account)


def test_a_quota_of_the_app_is_counted_over_its_accounts(brand, clock, sandbox_account):
    ours = _app("ours")
    _with_app(sandbox_account, ours)
    beside = _with_app(make_account(brand, handle="beside"), ours)
    alone = make_account(brand, handle="alone")
    info = dataclasses.replace(sandbox_account.info, rates=(Rate("posts", 2, 3600, of_app=True),))

    def sends(account: SocialAccount) -> bool:
        return take(account=account, info=info, amounts={"posts": 1}, now=clock()) is None

    assert [sends(one) for one in (sandbox_account, beside, sandbox_account, beside)] == [
        True,
        True,
        False,
        False,
    ]
    assert [sends(alone), sends(alone), sends(alone)] == [True, True, False]
