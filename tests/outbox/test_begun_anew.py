"""What an earlier step left at the network can be gone: that part of the post is begun anew, and only it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.base import RetrySafety
from connectors.errors import OutcomeUnknown, Temporary
from outbox.models import Attempt, AttemptState, Delivery, DeliveryState
from tests.outbox.conftest import run_until_quiet
from tests.outbox.network import Accepted, Network, Refused

pytestmark = pytest.mark.django_db

GONE = Temporary("the container is gone", starts_over=True)


@pytest.fixture
def network(network: Network) -> Network:
    network.safety = RetrySafety.TWO_PHASE
    return network


def test_a_container_that_is_gone_is_made_again(schedule: Callable[..., Delivery], network: Network) -> None:
    network.behaviour = [Refused(GONE)]
    delivery = schedule("one")
    run_until_quiet(network)
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.SENT
    assert network.texts() == ["one"]
    assert network.calls == ["part0.container", "part0.publish"] * 2
    first, second = Attempt.objects.filter(delivery=delivery, step="part0.publish").order_by("pk")
    assert first.key != second.key
    assert first.intent["container"] != second.intent["container"]


def test_only_the_part_that_it_belonged_to_is_begun_anew(
    schedule: Callable[..., Delivery], network: Network
) -> None:
    network.behaviour = [Accepted(), Refused(GONE)]
    schedule("one", "two")
    run_until_quiet(network)
    assert network.texts() == ["one", "two"]
    assert network.calls == ["part0.container", "part0.publish"] + ["part1.container", "part1.publish"] * 2


def test_a_network_that_is_asked_may_say_so_too(schedule: Callable[..., Delivery], network: Network) -> None:
    """After a lost answer, and even after several tries: what says so, says it of all of them."""
    network.behaviour = [Refused(OutcomeUnknown("lost"))]
    network.on_read = [GONE]
    delivery = schedule("one")
    run_until_quiet(network)
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.SENT
    assert network.texts() == ["one"]
    assert network.calls == ["part0.container", "part0.publish"] * 2


def test_a_mere_temporary_refusal_keeps_the_container(
    schedule: Callable[..., Delivery], network: Network
) -> None:
    network.behaviour = [Refused(Temporary("later"))]
    delivery = schedule("one")
    run_until_quiet(network)
    assert network.calls == ["part0.container", "part0.publish", "part0.publish"]
    states = Attempt.objects.filter(delivery=delivery).order_by("pk").values_list("state", flat=True)
    assert list(states) == [AttemptState.DONE, AttemptState.REFUSED, AttemptState.DONE]
