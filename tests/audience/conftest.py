from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from accounts.models import Brand
from audience.models import Contact, Identity
from audience.services.people import Met, meet

NOW = dt.datetime(2026, 3, 29, 0, 30, tzinfo=dt.UTC)  # half an hour before the clocks are put forward
LATER = NOW + dt.timedelta(days=1)

Meeting = Callable[..., Identity]


@pytest.fixture
def met(brand: Brand) -> Meeting:
    """`met("hanako", "Hanako Mori")` is the identity of somebody who wrote on the sandbox network."""

    def make(
        handle: str = "hanako",
        display_name: str = "",
        *,
        brand: Brand = brand,
        platform: str = "sandbox",
        now: dt.datetime = NOW,
    ) -> Identity:
        one = Met(platform, f"id-{handle}", handle=handle, display_name=display_name or handle.title())
        return meet(brand=brand, met=one, now=now)

    return make


@pytest.fixture
def hanako(met: Meeting) -> Contact:
    return met("hanako", "Hanako Mori").contact


@pytest.fixture
def taro(met: Meeting) -> Contact:
    return met("taro", "山田 太郎", platform="bluesky").contact
