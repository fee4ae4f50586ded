"""What may be concluded from an answer to "what became of it?", and what may not."""

from __future__ import annotations

import datetime as dt

import pytest

from connectors.base import RetrySafety
from connectors.errors import OutcomeUnknown, RateLimited, Rejected, RejectReason
from outbox.errors import StopReason
from outbox.models import DeliveryState
from outbox.services.rates import Lane, blocked_until
from tests.outbox.conftest import run_until_quiet, tick
from tests.outbox.network import Accepted, Processing, Refused

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


def test_of_equal_posts_the_free_one_is_taken_where_the_network_names_them_all(
    schedule, network, clock, two_phase
):
    first = schedule("Good morning")
    run_until_quiet(network)
    assert state(first) == DeliveryState.SENT
    network.behaviour = [Accepted(then=OutcomeUnknown("?"))]
    second = schedule("Good morning")
    tick(network)
    (of_second,) = [post for post in network.posts if post.remote_id != first.remote_id]
    network.containers.update(
        {name: network.posts[0] for name, post in network.containers.items() if post is of_second}
    )
    network.names_all = True
    clock.advance(60)
    tick(network)
    assert (state(second), second.remote_id) == (DeliveryState.SENT, of_second.remote_id)


def test_a_part_of_a_thread_is_not_taken_for_another_part(schedule, network, clock, two_phase):
    """The same words twice, and a network that names the first for both."""
    network.behaviour = [Accepted(), Accepted(then=OutcomeUnknown("?"))]
    thread = schedule("Again", "Again")
    tick(network)
    first, second = network.posts
    network.containers.update({name: first for name, post in network.containers.items() if post is second})
    for _look in range(3):
        clock.advance(3600)
        tick(network)
        attempts = thread.attempts.filter(state="done", step__endswith=".publish")
        assert [attempt.result["remote_id"] for attempt in attempts] == [first.remote_id]
    assert state(thread) != DeliveryState.SENT


def test_what_another_delivery_has_does_not_mean_that_ours_is_absent(schedule, network, clock):
    """A network that lists one of two equal posts may list the other later: it is not sent again blindly."""
    network.safety = RetrySafety.NEITHER
    first = schedule("Good morning")
    run_until_quiet(network)
    network.behaviour = [Refused(then=OutcomeUnknown("?"))]
    second = schedule("Good morning")
    tick(network)
    for _look in range(5):
        clock.advance(600)
        tick(network)
    assert (state(first), state(second)) == (DeliveryState.SENT, DeliveryState.UNCERTAIN)
    assert len(network.posts) == 1


def test_a_question_that_comes_too_often_stops_reading_and_not_what_others_send(
    schedule, network, clock, two_phase, sandbox_account
):
    network.behaviour = [Accepted(then=OutcomeUnknown("?"))]
    network.on_read = [RateLimited(clock() + dt.timedelta(hours=1), "429")]
    asked = schedule("Once")
    tick(network)
    clock.advance(60)
    tick(network)
    assert blocked_until(account=sandbox_account, now=clock(), lane=Lane.READING) is not None
    assert blocked_until(account=sandbox_account, now=clock()) is None
    assert state(asked) == DeliveryState.SCHEDULED
    other = schedule("Meanwhile")
    tick(network)
    assert state(other) == DeliveryState.SENT
    clock.advance(3600)
    run_until_quiet(network)
    assert state(asked) == DeliveryState.SENT
    assert network.texts().count("Once") == 1
