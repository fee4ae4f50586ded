"""The demo's campaigns with their budgets, what was spent, and links that were made by hand."""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
import uuid
from collections.abc import Mapping
from decimal import Decimal
from types import ModuleType

from accounts.models import User
from campaigns.models import BudgetLine, Campaign, CostKind
from campaigns.services import imports
from campaigns.services.budgets import Cost, add_line
from campaigns.services.campaigns import CampaignFacts, create_campaign
from campaigns.services.links import make_link
from campaigns.services.spend import SpendFacts, add_spend
from core.money import rounded
from smmapp.demo import campaigns_en, campaigns_ja
from smmapp.demo.plan import DemoCampaign, DemoLink, MediaCost, PlannedCost, SpentCost
from smmapp.demo.world import World

MARKETER = "marco@example.com"
# The report of media costs comes once a month.
REPORTED_DAYS = 30
WORDS: Mapping[str, ModuleType] = {"aozora": campaigns_ja, "nordlicht": campaigns_en}
HEADERS = {"ja": ("日付", "費目", "媒体", "広告費"), "en": ("date", "kind", "network", "amount")}
MEDIA_WORDS = {"ja": "広告費", "en": "media"}


def add_campaigns(world: World) -> None:
    words, actor = WORDS[world.plan.key], world.people[MARKETER]
    for plan in words.CAMPAIGNS:
        made_at = min(world.instant(plan.first - 5, "10:40"), world.now - dt.timedelta(days=2))
        campaign = create_campaign(brand=world.row, facts=_facts(world, plan), actor=actor, now=made_at)
        world.campaigns[plan.key] = campaign
        lines = {
            one.label: add_line(
                campaign=campaign, cost=_planned(one), label=one.label, actor=actor, now=made_at
            )
            for one in plan.budget
        }
        for one in plan.spent:
            _spend(world, plan, campaign, lines[one.label], one, actor=actor)
        if plan.media is not None:
            _spend_on_media(world, plan, campaign, plan.media, actor)
        for link in plan.links:
            _link(world, link, campaign, actor, now=world.instant(plan.first, "00:10"))
    for link in words.LINKS:
        _link(world, link, None, actor, now=world.began_at)


def _facts(world: World, plan: DemoCampaign) -> CampaignFacts:
    return CampaignFacts(
        name=plan.name,
        objective=plan.objective,
        starts_on=world.date(plan.first),
        ends_on=world.date(plan.first + plan.days - 1),
        currency=world.row.currency,
        code=plan.code,
        margin_rate=Decimal(plan.margin),
        notes=plan.notes,
        targets={metric: Decimal(value) for metric, value in plan.targets.items()},
    )


def _planned(one: PlannedCost) -> Cost:
    if one.kind is CostKind.LABOUR:
        return Cost(one.kind, hours=Decimal(one.hours), hourly_rate=Decimal(one.rate))
    return Cost(one.kind, Decimal(one.amount))


def _spend(
    world: World, plan: DemoCampaign, campaign: Campaign, line: BudgetLine, one: SpentCost, *, actor: User
) -> None:
    """One cost entered by hand, if its day is over."""
    entered_at = world.instant(plan.first + one.day, "17:40")
    if entered_at > world.now:
        return
    cost = (
        Cost(line.kind, hours=Decimal(one.hours), hourly_rate=line.hourly_rate)
        if one.hours
        else Cost(line.kind, Decimal(one.amount))
    )
    facts = SpendFacts(
        date=world.date(plan.first + one.day), cost=cost, line=line, platform=one.platform, note=one.note
    )
    add_spend(campaign=campaign, facts=facts, external_id=str(uuid.uuid4()), actor=actor, now=entered_at)


def _spend_on_media(
    world: World, plan: DemoCampaign, campaign: Campaign, media: MediaCost, actor: User
) -> None:
    """What media cost, by day, up to yesterday: files of a month each, imported as a person would."""
    days = [day for day in range(plan.first, plan.first + plan.days) if day < 0]
    costs = _daily(media, len(days), world.row.currency, seed=plan.key)
    for first in range(0, len(days), REPORTED_DAYS):
        part = days[first : first + REPORTED_DAYS]
        table = io.StringIO()
        writer = csv.writer(table)
        writer.writerow(HEADERS[world.row.locale])
        for day, cost in zip(part, costs[first:], strict=False):
            writer.writerow((world.date(day).isoformat(), MEDIA_WORDS[world.row.locale], "Sandbox", cost))
        imported_at = min(world.instant(part[-1] + 1, "09:30"), world.now)
        batch = imports.receive(
            campaign=campaign,
            upload=io.BytesIO(table.getvalue().encode(media.encoding)),
            name=media.file_name.format(month=f"{world.date(part[-1]):%Y-%m}"),
            actor=actor,
            now=imported_at,
        )
        imports.check(batch=batch)
        imports.start(batch=batch, now=imported_at)
        imports.carry_out(batch=batch, actor=actor, now=imported_at)


def _daily(media: MediaCost, days: int, currency: str, *, seed: str) -> list[Decimal]:
    """Costs that differ from day to day and are ``media.daily`` on average."""
    chance = random.Random(seed)
    weights = [Decimal(chance.randint(70, 130)) for _day in range(days)]
    whole = sum(weights, Decimal(0))
    return [rounded(Decimal(media.daily) * days * weight / whole, currency) for weight in weights]


def _link(world: World, one: DemoLink, campaign: Campaign | None, actor: User, *, now: dt.datetime) -> None:
    if now > world.now:
        return
    make_link(
        brand=world.row,
        campaign=campaign,
        url=one.url,
        account=None if one.on is None else world.accounts[one.on].row,
        platform=one.platform,
        content=one.content,
        actor=actor,
        now=now,
    )
