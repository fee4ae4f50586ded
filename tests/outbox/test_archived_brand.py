from __future__ import annotations

from accounts.services.organizations import archive_brand, restore_brand
from outbox.models import Delivery, DeliveryState
from tests.outbox.conftest import tick


def test_nothing_is_sent_for_an_archived_brand_until_it_is_back(schedule, network, clock, brand, manager):
    delivery = schedule()
    archive_brand(brand=brand, actor=manager, now=clock())
    tick(network)
    assert network.calls == []
    assert Delivery.objects.get(pk=delivery.pk).state == DeliveryState.HELD
    restore_brand(brand=brand, actor=manager, now=clock())
    tick(network)
    assert Delivery.objects.get(pk=delivery.pk).state == DeliveryState.SENT
