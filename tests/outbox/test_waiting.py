"""A delivery waits for what an app above still prepares, as long as its rule for being late allows."""

from __future__ import annotations

import pytest

from outbox import handlers
from outbox.errors import StopReason
from outbox.models import Attempt, DeliveryKind, DeliveryState
from outbox.services.sending import ASK_AGAIN
from tests.outbox.conftest import tick

pytestmark = pytest.mark.django_db


@pytest.fixture
def objections(monkeypatch):
    """What the app above says; it may be changed on the way."""
    said = [StopReason.MEDIA_PREPARING]
    monkeypatch.setattr(handlers, "_checks", {DeliveryKind.POST: lambda _delivery, _now: said[0]})
    return said


def test_it_is_asked_again_and_sent_when_nothing_is_said_any_more(schedule, network, clock, objections):
    delivery = schedule("A film")
    for _turn in range(4):
        tick(network)
        delivery.refresh_from_db()
        assert (delivery.state, delivery.error) == (DeliveryState.SCHEDULED, StopReason.MEDIA_PREPARING)
        assert tick(network) == 0
        clock.advance(ASK_AGAIN.total_seconds())
    assert not Attempt.objects.exists()
    objections[0] = ""
    tick(network)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == (DeliveryState.SENT, "")
    assert network.texts() == ["A film"]


def test_it_does_not_wait_longer_than_its_rule_allows(schedule, network, clock, objections):
    delivery = schedule("A film")
    tick(network)
    clock.advance(delivery.missed_after_s + 1)
    tick(network)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == (DeliveryState.MISSED, StopReason.TOO_LATE)
    assert network.texts() == []


def test_what_can_never_be_ready_fails(schedule, network, objections):
    objections[0] = StopReason.MEDIA_FAILED
    delivery = schedule("A film")
    tick(network)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == (DeliveryState.FAILED, StopReason.MEDIA_FAILED)
