"""Tracked links with their clicks."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts.selectors import known_networks
from campaigns import addresses
from campaigns.models import Campaign, Click, TrackedLink
from connectors.base import PlatformInfo
from outbox.models import DeliveryState


@dataclass(frozen=True, slots=True)
class Clicks:
    """``visitors`` are people told apart by day: who comes back on another day counts again."""

    people: int = 0
    bots: int = 0
    visitors: int = 0


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One link as a list shows it. ``network`` is None where it is used at none."""

    link: TrackedLink
    short: str
    network: PlatformInfo | None
    clicks: Clicks


def links_of(campaign: Campaign) -> QuerySet[TrackedLink]:
    """The links of a campaign, the latest first; without those that were made for a delivery which was taken
    back before anybody saw them."""
    clicked = Exists(Click.objects.filter(link=OuterRef("pk")))
    return (
        TrackedLink.objects.filter(campaign=campaign)
        .exclude(Q(delivery__state=DeliveryState.CANCELLED) & ~Q(clicked))
        .select_related("account", "created_by")
        .order_by("-created_at", "-pk")
    )


def links_of_delivery(delivery_id: uuid.UUID) -> QuerySet[TrackedLink]:
    return (
        TrackedLink.objects.filter(delivery_id=delivery_id)
        .select_related("account", "campaign")
        .order_by("created_at", "pk")
    )


def rows_of(links: Sequence[TrackedLink]) -> list[LinkRow]:
    """The links with their clicks: one query for all of them."""
    clicks = clicks_of(link.pk for link in links)
    networks = known_networks()
    return [
        LinkRow(
            link=link,
            short=addresses.short_url(link.code),
            network=link.account.info if link.account else networks.get(link.platform),
            clicks=clicks.get(link.pk, Clicks()),
        )
        for link in links
    ]


def clicks_of(links: Iterable[uuid.UUID]) -> dict[uuid.UUID, Clicks]:
    """By link; those that nobody opened are not in it."""
    of_people = Q(is_bot=False)
    return {
        row["link"]: Clicks(row["people"], row["bots"], row["visitors"])
        for row in Click.objects.filter(link__in=list(links))
        .order_by()
        .values("link")
        .annotate(
            people=Count("pk", filter=of_people),
            bots=Count("pk", filter=Q(is_bot=True)),
            visitors=Count("visitor", filter=of_people & ~Q(visitor=""), distinct=True),
        )
    }


def clicks_of_campaign(campaign: Campaign) -> Clicks:
    """All links of a campaign together, also those that the list leaves out."""
    of_people = Q(is_bot=False)
    found = Click.objects.filter(link__campaign=campaign).aggregate(
        people=Count("pk", filter=of_people),
        bots=Count("pk", filter=Q(is_bot=True)),
        visitors=Count("visitor", filter=of_people & ~Q(visitor=""), distinct=True),
    )
    return Clicks(**found)
