"""A brand of the demo while it is being filled."""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from accounts.models import Brand, SocialAccount, User
from campaigns.models import Campaign
from content_calendar.models import MediaAsset
from core.time import to_local, to_utc
from outbox.models import Delivery
from sandbox.control import SandboxControl
from smmapp.demo.plan import DemoAccount, DemoBrand, DemoPost

HISTORY_DAYS = 185
BEGAN_BEFORE = dt.timedelta(days=HISTORY_DAYS + 5)


@dataclass(slots=True)
class Account:
    """A demo account. ``history``: (instant, followers) at the end of each day, and now."""

    plan: DemoAccount
    handle: str  # on the network; differs from the plan's where that was taken
    history: list[tuple[dt.datetime, int]]
    row: SocialAccount
    published: list[dt.datetime] = field(default_factory=list)  # of every post and thread part

    def followers_at(self, at: dt.datetime) -> int:
        place = bisect.bisect_right([instant for instant, _ in self.history], at)
        return self.history[max(place - 1, 0)][1]


@dataclass(slots=True)
class Sent:
    """A delivery of the past and the post behind it."""

    delivery: Delivery
    plan: DemoPost
    account: Account
    at: dt.datetime
    is_first: bool  # comments stand under the first account's post only


@dataclass(slots=True)
class World:
    """``assets``: pictures by the painter's name; ``campaigns`` by key; ``sent``: what is at the network."""

    plan: DemoBrand
    row: Brand
    people: Mapping[str, User]  # by e-mail address
    control: SandboxControl
    now: dt.datetime
    accounts: list[Account] = field(default_factory=list)
    assets: dict[str, MediaAsset] = field(default_factory=dict)
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)

    @property
    def zone(self) -> str:
        return self.row.timezone

    @property
    def today(self) -> dt.date:
        return to_local(self.now, self.zone).date()

    @property
    def began_at(self) -> dt.datetime:
        return self.now - BEGAN_BEFORE

    def date(self, day: int) -> dt.date:
        """The date ``day`` days from today."""
        return self.today + dt.timedelta(days=day)

    def instant(self, day: int, time: str) -> dt.datetime:
        """A wall time of the brand's zone, ``day`` days from today."""
        return to_utc(dt.datetime.combine(self.date(day), dt.time.fromisoformat(time)), self.zone)
