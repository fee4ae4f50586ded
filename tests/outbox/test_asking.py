"""What may be concluded from an answer to "what became of it?", and what may not."""

from __future__ import annotations

import datetime as dt

import pytest

from connectors.base import RetrySafety
from connectors.errors import OutcomeUnknown, Rejected, RejectReason
from outbox.errors import StopReason
from outbox.models import DeliveryState
from tests.outbox.conftest import run_until_quiet, tick
from tests.outbox.network import Accepted, Processing

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_phase(network):
    network.safety = RetrySafety.TWO_PHASE


def state(delivery):
    delivery.refresh_from_db()
    return delivery.state


@pytest.mark.parametrize(
    "reason", [RejectReason.FORBIDDEN, RejectReason.NOT_FOUND, RejectReason.INVALID, RejectReason.QUOTA_FULL]
)
def test_a_network_that_does_not_let_us_look_has_not_said_that_nothing_was_made(
    schedule, network, clock, two_phase, reason
):
    network.behaviour = [Accepted(then=OutcomeUnknown("?"))]
    network.on_read = [Rejected(reason, "403")]
    delivery = schedule("Once")
    tick(network)
    clock.advance(60)
    tick(network)
    assert state(delivery) == DeliveryState.UNCERTAIN
    assert network.texts() == ["Once"]


def test_a_failure_that_the_network_states_is_believed(schedule, network, clock, two_phase):
    network.behaviour = [Accepted(then=OutcomeUnknown("?"))]
    network.on_read = [Rejected(RejectReason.MEDIA_BROKEN, "the file cannot be read")]
    delivery = schedule("Once")
    tick(network)
    clock.advance(60)
    tick(network)
    assert state(delivery) == DeliveryState.FAILED


def test_of_equal_posts_none_is_taken_for_two(schedule, network, clock, two_phase):
    """The network names the first one for both."""
    first = schedule("Good morning")
    run_until_quiet(network)
    assert state(first) == DeliveryState.SENT
    network.behaviour = [Accepted(then=OutcomeUnknown("?"))]
    second = schedule("Good morning")
    tick(network)
    (of_second,) = [post for post in network.posts if post.remote_id != first.remote_id]
    right = {name: post for name, post in network.containers.items() if post is of_second}
    network.containers.update(dict.fromkeys(right, network.posts[0]))
    clock.advance(60)
    tick(network)
    assert state(second) == DeliveryState.SCHEDULED
    assert second.remote_id == ""
    network.containers.update(right)
    clock.advance(3600)
    run_until_quiet(network)
    assert state(second) == DeliveryState.SENT
    assert second.remote_id == of_second.remote_id
    assert len(network.posts) == 2


def test_an_upload_that_takes_long_is_not_counted_as_the_networks_work(schedule, network, clock):
    network.on_send = lambda: clock.advance(40 * 60)
    network.behaviour = [Processing(polls=3)]
    delivery = schedule("A long film")
    tick(network)
    assert state(delivery) == DeliveryState.PROCESSING
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT


def test_a_network_that_never_finishes_is_given_up(schedule, network, clock):
    network.behaviour = [Processing(polls=10_000)]
    delivery = schedule("For ever")
    began = clock()
    for _turn in range(400):
        tick(network)
        if state(delivery) != DeliveryState.PROCESSING:
            break
        clock.now = max(delivery.next_attempt_at, clock())
    assert delivery.state == DeliveryState.UNCERTAIN
    assert delivery.error == StopReason.PROCESSING_TOO_LONG
    assert dt.timedelta(minutes=30) <= clock() - began <= dt.timedelta(minutes=32)
