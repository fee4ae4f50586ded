"""Clicks of the demo's tracked links: of people in the days after a post, of bots at once."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from campaigns.models import Campaign, Click, TrackedLink
from core.time import day_range, to_local
from outbox.models import DeliveryKind, DeliveryState
from smmapp.demo.marketing import WORDS
from smmapp.demo.world import World

# How soon after a post half of its clicks have come is about 0.7 times this.
FADING = dt.timedelta(hours=34)
MARGIN = dt.timedelta(minutes=20)
REFERRERS = {"bluesky": "bsky.app", "mastodon": "mastodon.social"}


@dataclass(frozen=True, slots=True)
class Carrier:
    """A link and how it is used. ``since``: when it was first to be seen; ``fades``: most of its clicks come
    soon after that; else as long as it stands there."""

    link: TrackedLink
    weight: float
    since: dt.datetime
    fades: bool


def add_clicks(world: World) -> list[Click]:
    """All clicks of the past, oldest first, with their links."""
    words = WORDS[world.plan.key]
    clicks: list[Click] = []
    for plan in words.CAMPAIGNS:
        if plan.results is not None:
            campaign = world.campaigns[plan.key]
            end = min(day_range(campaign.ends_on, world.zone).end, world.now)
            weights = {one.content: one.weight for one in plan.links}
            clicks += _Visitors(world, end, seed=plan.key).of(
                _carriers(world, campaign, weights), plan.results.clicks
            )
    weights = {one.content: one.weight for one in words.LINKS}
    alone = _carriers(world, None, weights)
    clicks += _Visitors(world, world.now, seed=f"{world.plan.key} alone").of(alone, words.LONE_CLICKS)
    clicks.sort(key=lambda click: click.at)
    return Click.objects.bulk_create(clicks, batch_size=2000)


def _carriers(world: World, campaign: Campaign | None, weights: dict[str, float]) -> list[Carrier]:
    """Links of what has been sent, and those made by hand."""
    sent = {one.delivery.pk: one for one in world.sent}
    carriers = []
    rows = TrackedLink.objects.filter(brand=world.row, campaign=campaign)
    for link in rows.select_related("delivery").order_by("created_at", "pk"):
        if link.delivery is None:
            carriers.append(Carrier(link, weights[link.content], link.created_at, fades=False))
        elif link.delivery.state != DeliveryState.SENT or link.delivery.sent_at is None:
            continue
        elif link.delivery.kind == DeliveryKind.POST:
            post = sent[link.delivery.pk]
            reach = 1.0 if post.account is world.accounts[0] else 0.6
            carriers.append(Carrier(link, post.plan.quality * reach, link.delivery.sent_at, fades=True))
        else:
            # Written to one person, who opens it once or twice.
            carriers.append(Carrier(link, 0.015, link.delivery.sent_at, fades=True))
    return carriers


class _Visitors:
    """Draws clicks until before ``end``."""

    def __init__(self, world: World, end: dt.datetime, *, seed: str) -> None:
        self._zone, self._end = world.zone, end - MARGIN
        self._chance = random.Random(seed)

    def of(self, carriers: Sequence[Carrier], people: int) -> list[Click]:
        """``people`` clicks of people, and those of bots beside them."""
        weights = [one.weight for one in carriers]
        drawn = self._chance.choices(carriers, weights, k=people)
        clicks = [self._click(one.link, self._at(one), is_bot=False) for one in drawn]
        self._some_come_again(clicks)
        return clicks + [self._click(link, at, is_bot=True) for link, at in self._bots(carriers)]

    def _click(self, link: TrackedLink, at: dt.datetime, *, is_bot: bool) -> Click:
        return Click(
            link=link,
            at=at,
            is_bot=is_bot,
            visitor=f"{self._chance.getrandbits(128):032x}",
            referrer_host="" if is_bot else REFERRERS.get(link.platform, ""),
            is_to_be_told=link.identity_id is not None and not is_bot,
        )

    def _some_come_again(self, clicks: Iterable[Click]) -> None:
        """Some open the same link twice on one day, and are one visitor."""
        seen: dict[tuple[uuid.UUID, dt.date], str] = {}
        for click in clicks:
            place = (click.link_id, to_local(click.at, self._zone).date())
            if place in seen and self._chance.random() < 0.14:
                click.visitor = seen[place]
            seen[place] = click.visitor

    def _at(self, one: Carrier) -> dt.datetime:
        """An instant by day: nights are quiet, and nothing lies beyond the end."""
        while True:
            if one.fades:
                at = one.since + self._chance.expovariate(1.0) * FADING + dt.timedelta(seconds=40)
            else:
                at = one.since + self._chance.random() * (self._end - one.since)
            is_night = to_local(at, self._zone).hour in range(1, 7)
            if at < self._end and not (is_night and self._chance.random() < 0.85):
                return at
            if one.since + FADING / 4 > self._end:  # it was just sent
                return one.since + self._chance.random() * (max(self._end, one.since) - one.since)

    def _bots(self, carriers: Iterable[Carrier]) -> Iterable[tuple[TrackedLink, dt.datetime]]:
        """Previews within moments of a post, and crawlers that come by from time to time."""
        for one in carriers:
            if one.fades:
                for _preview in range(self._chance.randint(1, 4)):
                    yield one.link, one.since + dt.timedelta(seconds=self._chance.uniform(0.8, 45))
            days = (self._end - one.since) / dt.timedelta(days=1)
            for _visit in range(int(self._chance.uniform(0.05, 0.25) * max(days, 0))):
                yield one.link, one.since + self._chance.random() * (self._end - one.since)
