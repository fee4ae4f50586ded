"""Arguments for the URLs of outbox, for the walk over every URL (tests/walk.py)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from outbox.models import Pause, QuietPeriod
from outbox.payloads import PartContent, freeze_post
from outbox.public_media import PROBE, address_of
from outbox.services.scheduling import schedule_delivery
from tests.cast import World, make_account


def samples(world: World) -> dict[str, dict[str, Any]]:
    account = make_account(world.brand, handle="paused")
    pause = Pause.objects.create(
        organization=world.organization,
        account=account,
        started_at=world.now,
    )
    quiet = QuietPeriod.objects.create(
        brand=world.brand,
        starts_at=world.now + dt.timedelta(days=1),
        ends_at=world.now + dt.timedelta(days=2),
        created_at=world.now,
    )
    delivery = schedule_delivery(
        account=account,
        payload=freeze_post([PartContent("walked")]),
        due_at=world.now + dt.timedelta(days=3),
        actor=world.user,
        now=world.now,
    )
    return {
        "outbox:account_pause": {"account_id": account.pk},
        "outbox:pause_account": {"account_id": account.pk},
        "outbox:pause_brand": {"brand_id": world.brand.pk},
        "outbox:delivery": {"delivery_id": delivery.pk},
        "outbox:brand_sending": {"brand_id": world.brand.pk},
        "outbox:late_rule": {"brand_id": world.brand.pk},
        "outbox:quiet_add": {"brand_id": world.brand.pk},
        "outbox:quiet_change": {"period_id": quiet.pk},
        "outbox:quiet_remove": {"period_id": quiet.pk},
        "outbox:resume": {"pause_id": pause.pk},
        "outbox:public_media": {"signed": address_of("walked", PROBE).rpartition("/")[2]},
    }
