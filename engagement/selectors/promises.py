"""What a brand promises to whom writes: within how much business time it answers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.dates import WEEKDAYS

from accounts.models import Brand
from engagement.models import SlaPolicy
from metrics.business_time import BusinessHours

DEFAULT_MINUTES: int = SlaPolicy._meta.get_field("answer_within_minutes").default


@dataclass(frozen=True, slots=True)
class Promise:
    hours: BusinessHours
    minutes: int

    def due(self, start: dt.datetime) -> dt.datetime:
        return self.hours.due(start, self.minutes)


def promise_of(brand: Brand) -> Promise:
    """One query, or none where the policy was read with the brand."""
    policy = getattr(brand, "sla_policy", None)
    minutes = policy.answer_within_minutes if policy else DEFAULT_MINUTES
    return Promise(BusinessHours.parse(brand.business_hours, brand.timezone), minutes)


Day = tuple[str, list[tuple[str, str]]]  # its name, and from when to when


def hours_in_words(brand: Brand) -> list[Day]:
    """The week of a brand in the active language; empty for one that is open around the clock."""
    hours = BusinessHours.parse(brand.business_hours, brand.timezone)
    if hours.is_always:
        return []
    return [
        (str(name), [(_clock(opens), _clock(closes)) for opens, closes in stretches])
        for name, stretches in zip(WEEKDAYS.values(), hours.days, strict=True)
    ]


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
