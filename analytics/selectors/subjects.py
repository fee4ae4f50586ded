"""What a number is about, and of what time."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Brand, Membership, SocialAccount
from campaigns.models import Campaign
from connectors.base import PlatformInfo
from core.time import DayRange, day_range, to_local
from metrics.registry import Scope
from outbox.models import Delivery

PERIODS = (7, 28, 90)
DEFAULT_PERIOD = 28


@dataclass(frozen=True, slots=True)
class Period:
    """Dates, both included, in the zone of whatever they are asked of."""

    first: dt.date
    last: dt.date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def eve(self) -> dt.date:
        """The day before: where a level stood when the period began."""
        return self.first - dt.timedelta(days=1)

    def before(self) -> Period:
        """The period of the same length right before this one."""
        return Period(self.first - dt.timedelta(days=self.days), self.eve)

    def instants(self, zone: str) -> DayRange:
        return day_range(self.first, zone, self.days)

    def dates(self) -> list[dt.date]:
        return [self.first + dt.timedelta(days=n) for n in range(self.days)]


def period_until_today(days: int, *, zone: str, now: dt.datetime) -> Period:
    """The last ``days`` dates of ``zone``, today included."""
    today = to_local(now, zone).date()
    return Period(today - dt.timedelta(days=days - 1), today)


@dataclass(frozen=True, slots=True)
class Subject:
    """One or several brands, narrowed to at most one account, network, campaign or delivery.

    Of several brands, ``zone`` is that of the first: their days do not begin at the same moment, and one
    of them has to be named.
    """

    brands: tuple[Brand, ...]
    account: SocialAccount | None = None
    platform: str = ""
    campaign: Campaign | None = None
    delivery: Delivery | None = None

    @property
    def zone(self) -> str:
        return self.brands[0].timezone if self.brands else "UTC"

    @property
    def currency(self) -> str:
        """The one that all amounts are in, "" where there are several."""
        if self.campaign is not None:
            return self.campaign.currency
        found = {brand.currency for brand in self.brands}
        return found.pop() if len(found) == 1 else ""

    @property
    def scope(self) -> Scope:
        if self.delivery is not None:
            return Scope.POST
        if self.account is not None:
            return Scope.ACCOUNT
        if self.campaign is not None:
            return Scope.CAMPAIGN
        return Scope.PLATFORM if self.platform else Scope.BRAND

    @property
    def label(self) -> str:
        """What it is called on a page."""
        if self.delivery is not None:
            return _("A post on %(account)s") % {"account": self.delivery.account}
        if self.account is not None:
            return f"{self.account} · {self.account.info.name}"
        if self.campaign is not None:
            return self.campaign.name
        brand = self.brands[0].name if len(self.brands) == 1 else _("All brands")
        return f"{brand} · {label_of_network(self.platform)}" if self.platform else brand

    def accounts(self) -> QuerySet[SocialAccount]:
        """The accounts that its numbers come from, also those that are no longer connected."""
        rows = SocialAccount.objects.filter(brand__in=self.brands)
        if self.account is not None:
            rows = rows.filter(pk=self.account.pk)
        return rows.filter(platform=self.platform) if self.platform else rows

    def account_ids(self) -> list[uuid.UUID]:
        return list(self.accounts().values_list("pk", flat=True))


def brands_seen(membership: Membership, brand: Brand | None) -> tuple[Brand, ...]:
    """The brand of the switcher, else all that the member may see, by name."""
    if brand is not None:
        return (brand,)
    return tuple(Brand.objects.for_member(membership).order_by("name"))


def network_of(platform: str) -> PlatformInfo | None:
    """What is known of a network by its key; None for one that we have no connector for, which money can be
    spent on all the same."""
    try:
        return SocialAccount(platform=platform).info
    except LookupError:
        return None


def label_of_network(platform: str) -> str:
    known = network_of(platform)
    return (known.name if known else platform) or _("No network")


def one_currency(brands: Sequence[Brand]) -> str:
    """The currency that all ``brands`` share, "" if there is none."""
    return Subject(tuple(brands)).currency
