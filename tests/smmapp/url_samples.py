"""Arguments for the URLs of the shell, for the walk over every URL (tests/walk.py)."""

from __future__ import annotations

from typing import Any

from accounts.models import Notification, NotificationKind
from tests.cast import World


def samples(world: World) -> dict[str, dict[str, Any]]:
    notification = Notification.objects.create(
        user=world.user,
        organization=world.organization,
        kind=NotificationKind.ACCOUNT_LOST,
        context={"account": "@walked", "network": "Bluesky"},
        dedupe_key="walked",
    )
    return {"shell:notification_open": {"pk": notification.pk}}
