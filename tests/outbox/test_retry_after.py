"""A network's Retry-After holds for every worker, whatever breaks while it is noted down."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import OperationalError

from accounts.models import SocialAccount
from connectors.errors import RateLimited
from outbox.models import Bucket, Delivery, DeliveryState
from outbox.services.claiming import claim_due
from outbox.services.rates import block_until
from outbox.services.sending import send_deliveries
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
