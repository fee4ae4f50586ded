from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from accounts.models import Brand
from campaigns.models import Campaign, Objective

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)


def make_campaign(brand: Brand, name: str = "Spring", **fields: Any) -> Campaign:
    """A campaign that runs from the 1st to the 30th of November 2026."""
    values: dict[str, Any] = {
        "code": name.lower(),
        "objective": Objective.LEADS,
        "starts_on": dt.date(2026, 11, 1),
        "ends_on": dt.date(2026, 11, 30),
        "currency": brand.currency,
        "created_at": NOW - dt.timedelta(days=30),
        **fields,
    }
    return Campaign.objects.create(brand=brand, name=name, **values)


@pytest.fixture
def campaign(brand: Brand) -> Campaign:
    return make_campaign(brand)
