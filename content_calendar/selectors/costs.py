"""What networks charge for posts before they go out."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from accounts.connecting import cost_of, has_prices
from accounts.models import Brand, SocialAccount
from connectors.base import Cost, PostPayload
from content_calendar.selectors.preflight import MOST, planned
from core.money import formatted_price
from outbox.payloads import thaw


@dataclass(frozen=True, slots=True)
class Charge:
    """What one network charges for so many posts, in one currency."""

    network: str
    posts: int
    amount: Decimal
    currency: str

    @property
    def price(self) -> str:
        """In the active language: $0.015."""
        return formatted_price(self.amount, self.currency, get_language() or "en")

    @property
    def of_this_post(self) -> str:
        return _("%(network)s charges about %(price)s for this post.") % {
            "network": self.network,
            "price": self.price,
        }

    @property
    def of_what_is_planned(self) -> str:
        return ngettext(
            "%(network)s charges about %(price)s for %(posts)s planned post.",
            "%(network)s charges about %(price)s for %(posts)s planned posts.",
            self.posts,
        ) % {"network": self.network, "price": self.price, "posts": self.posts}


def charges_of(contents: Iterable[tuple[SocialAccount, PostPayload]]) -> list[Charge]:
    """What it costs to send each of these; empty where nothing is charged. No queries."""
    found: dict[tuple[str, str], list[Cost]] = defaultdict(list)
    for account, payload in contents:
        if has_prices(account.platform) and (cost := cost_of(account, payload)) is not None:
            found[account.info.name, cost.currency].append(cost)
    return [
        Charge(network, len(costs), sum((cost.amount for cost in costs), Decimal(0)), currency)
        for (network, currency), costs in sorted(found.items())
    ]


def planned_charges(until: Mapping[Brand, dt.datetime], now: dt.datetime) -> list[Charge]:
    """What is charged for everything that goes out before a moment of each brand (aware). One query, and one
    for each brand that has an account where posts cost anything."""
    priced: dict[UUID, list[UUID]] = defaultdict(list)
    accounts = SocialAccount.objects.filter(brand__in=until).connected()
    for pk, brand_id, platform in accounts.values_list("pk", "brand_id", "platform"):
        if has_prices(platform):
            priced[brand_id].append(pk)
    contents = []
    for brand, end in until.items():
        if brand.pk in priced:
            rows = planned(brand, now, end).filter(account__in=priced[brand.pk])[:MOST]
            contents += [(row.account, thaw(row.payload)) for row in rows]
    return charges_of(contents)
