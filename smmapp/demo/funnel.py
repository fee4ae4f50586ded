"""From click to lead to customer: what the demo's campaigns brought, reported as a shop's files report it."""

from __future__ import annotations

import bisect
import datetime as dt
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from audience.models import Identity
from campaigns.models import Click, ConversionKind, CsvImport, Source, Touchpoint
from campaigns.reports import Person, RefundReport, Report
from campaigns.services.attribution import run_attribution
from campaigns.services.clicks import tell_clicks
from campaigns.services.conversions import Origin, report_conversions
from campaigns.services.refunds import report_refund
from core.money import rounded
from core.time import day_range, to_local
from smmapp.demo.clicks import add_clicks
from smmapp.demo.marketing import MARKETER, WORDS
from smmapp.demo.names import invented
from smmapp.demo.people import add_newsletter_readers
from smmapp.demo.plan import DemoCampaign
from smmapp.demo.world import World

MARGIN = dt.timedelta(hours=1)
# A touch counts in attribution for so long (campaigns.services.attribution.LOOKBACK_DAYS), and a bit less.
REMEMBERED = dt.timedelta(days=26)
FILES = {"ja": "コンバージョン_{date}.csv", "en": "conversions-{date}.csv"}


@dataclass(slots=True)
class Happening:
    """A lead or sale. ``click``: the one that it came from, None for some later sales to leads."""

    kind: ConversionKind
    plan: DemoCampaign
    at: dt.datetime
    person: Person
    click: Click | None = None
    value: Decimal | None = None
    number: str = ""
    refund: Decimal | None = None  # what share of it was given back


def add_results(world: World) -> None:
    clicks = add_clicks(world)
    free = _Clicks(clicks)
    happenings: list[Happening] = []
    for plan in WORDS[world.plan.key].CAMPAIGNS:
        if plan.results is not None:
            happenings += _Campaign(world, plan, free).happenings()
    happenings.sort(key=lambda one: one.at)
    people = _report(world, happenings)
    add_newsletter_readers(
        world, [(people[one.number], one.at) for one in happenings if one.kind == ConversionKind.LEAD]
    )
    _remember_earlier(world, happenings, people, free)
    while tell_clicks():
        pass
    _give_back(world, happenings)
    run_attribution(brand=world.row, now=world.now)


class _Clicks:
    """Clicks of people that nobody is known for yet, by time."""

    def __init__(self, clicks: Iterable[Click]) -> None:
        of_people = [one for one in clicks if not one.is_bot and not one.is_to_be_told]
        self._free = [one for one in of_people if one.link.campaign_id is not None]
        self._of_none = [one for one in of_people if one.link.campaign_id is None]

    def of(self, campaign_id: object, *, until: dt.datetime) -> list[Click]:
        return [one for one in self._free if one.link.campaign_id == campaign_id and one.at < until]

    def take(self, clicks: Iterable[Click]) -> None:
        taken = {one.pk for one in clicks}
        self._free = [one for one in self._free if one.pk not in taken]

    def before(self, at: dt.datetime, chance: random.Random) -> list[Click]:
        """A few clicks that somebody who acts at ``at`` may have made, theirs from now on. About half of the
        people had first met the brand over a link of no campaign."""
        found = _drawn(self._free, at, chance, chance.choice((1, 1, 1, 2, 2, 3)))
        if chance.random() < 0.5:
            first = min([at, *(one.at for one in found)])
            found += _drawn(self._of_none, first, chance, 1)
        return found


def _drawn(clicks: list[Click], at: dt.datetime, chance: random.Random, most: int) -> list[Click]:
    """Up to ``most`` of the clicks before ``at``, taken out of the list."""
    first = bisect.bisect_left(clicks, at - REMEMBERED, key=lambda one: one.at)
    last = bisect.bisect_left(clicks, at, key=lambda one: one.at)
    places = chance.sample(range(first, last), min(most, last - first))
    return [clicks.pop(place) for place in sorted(places, reverse=True)]


class _Campaign:
    """What one campaign brought, in the order of time."""

    def __init__(self, world: World, plan: DemoCampaign, free: _Clicks) -> None:
        assert plan.results is not None  # noqa: S101 - the caller chose those that have some
        self._world, self._plan, self._results, self._free = world, plan, plan.results, free
        campaign = world.campaigns[plan.key]
        self._end = min(day_range(campaign.ends_on, world.zone).end, world.now - MARGIN)
        self._chance = random.Random(f"funnel {plan.key}")
        self._campaign_id = campaign.pk
        count = self._results.leads + self._results.sales - self._results.from_leads
        strangers = invented(world.row.locale, count, seed=plan.key)
        self._later_clicks: list[Click] = []  # by which nobody became a lead
        self._strangers = [Person(email=one.email, name=one.name) for one in strangers]

    def happenings(self) -> list[Happening]:
        direct = self._results.sales - self._results.from_leads
        clicks = self._free.of(self._campaign_id, until=self._end - MARGIN)
        chosen = self._chance.sample(clicks, self._results.leads + direct)
        self._free.take(chosen)
        self._later_clicks = self._free.of(self._campaign_id, until=self._end)
        leads = [self._after(click, ConversionKind.LEAD) for click in chosen[direct:]]
        leads.sort(key=lambda one: one.at)
        self._name_some(leads)
        bought = [self._after(click, ConversionKind.SALE) for click in chosen[:direct]]
        bought += self._later_sales(leads)
        bought.sort(key=lambda one: one.at)
        prices = [Decimal(price) for price, count in self._results.prices for _sale in range(count)]
        self._chance.shuffle(prices)
        for number, (sale, price) in enumerate(zip(bought, prices, strict=True)):
            sale.value, sale.number = price, f"{self._results.numbers}-{20411 + 7 * number}"
        for at_price, share in self._results.refunds:
            sold = [sale for sale in bought if sale.value == Decimal(at_price) and sale.refund is None]
            sold[len(sold) // 2].refund = Decimal(share)
        for number, lead in enumerate(leads):
            lead.number = f"{self._results.numbers}F-{3107 + 3 * number}"
        return leads + bought

    def _after(self, click: Click, kind: ConversionKind) -> Happening:
        minutes = (
            self._chance.uniform(1.5, 25) if self._chance.random() < 0.8 else self._chance.uniform(25, 55)
        )
        at = click.at + dt.timedelta(minutes=minutes)
        return Happening(kind, self._plan, at, self._strangers.pop(), click)

    def _name_some(self, leads: Sequence[Happening]) -> None:
        """Some of them are people who write in the inbox, too."""
        known = WORDS[self._world.plan.key].KNOWN_LEADS.get(self._plan.key, ())
        handles = _handles(self._world)
        for lead, (name, email) in zip(
            leads[7 :: max(1, len(leads) // (len(known) + 1))], known, strict=False
        ):
            lead.person = Person(email=email, network="sandbox", remote_id=handles[name], name=name)

    def _later_sales(self, leads: Sequence[Happening]) -> list[Happening]:
        """Leads that became customers, some days later."""
        old_enough = [one for one in leads if one.at < self._end - dt.timedelta(days=2)]
        buyers = self._chance.sample(old_enough, self._results.from_leads)
        sales = []
        for lead in buyers:
            days = min(self._chance.uniform(1, 13), (self._end - lead.at) / dt.timedelta(days=1) - 0.2)
            at = lead.at + dt.timedelta(days=days)
            click = self._return_before(at, lead.at) if self._chance.random() < 0.6 else None
            if click is not None:
                at = click.at + dt.timedelta(minutes=self._chance.uniform(3, 40))
            sales.append(Happening(ConversionKind.SALE, self._plan, at, lead.person, click))
        return sales

    def _return_before(self, at: dt.datetime, lead_at: dt.datetime) -> Click | None:
        """The last click by which a lead may have come back; it is theirs from now on."""
        latest = at - dt.timedelta(minutes=40)
        place = bisect.bisect_left(self._later_clicks, latest, key=lambda one: one.at) - 1
        if place < 0 or self._later_clicks[place].at < lead_at + dt.timedelta(hours=5):
            return None
        click = self._later_clicks.pop(place)
        self._free.take([click])
        return click


def _handles(world: World) -> dict[str, str]:
    """How the people of the inbox are known at the network, by the name that they go by."""
    rows = Identity.objects.for_brand(world.row).filter(platform="sandbox")
    return {row.display_name: row.remote_id for row in rows}


# --- reported -----------------------------------------------------------------------------------


def _report(world: World, happenings: Sequence[Happening]) -> dict[str, Identity]:
    """Once a week as a file, and what came since this morning; the identity of each conversion's person by
    the conversion's number."""
    identities: dict[str, Identity] = {}
    for imported_at, part in _weeks(world, happenings):
        batch = CsvImport.objects.create(
            brand=world.row,
            kind=CsvImport.Kind.CONVERSIONS,
            state=CsvImport.State.DONE,
            file_name=FILES[world.row.locale].format(date=to_local(imported_at, world.zone).date()),
            encoding="utf-8",
            rows=len(part),
            added=len(part),
            created_by=world.people[MARKETER],
            created_at=imported_at,
        )
        outcomes = report_conversions(
            brand=world.row,
            reports=[_as_report(world, one) for one in part],
            origin=Origin(Source.CSV, csv_import=batch),
            now=imported_at,
        )
        for one, outcome in zip(part, outcomes, strict=True):
            assert outcome.is_new  # noqa: S101 - a refused one is a mistake of these data
            assert outcome.conversion is not None  # noqa: S101
            assert outcome.conversion.identity is not None  # noqa: S101
            identities[one.number] = outcome.conversion.identity
    return identities


def _weeks(
    world: World, happenings: Sequence[Happening]
) -> Iterable[tuple[dt.datetime, Sequence[Happening]]]:
    """Files of Monday mornings with what happened before."""
    rest = list(happenings)
    while rest:
        date = to_local(rest[0].at, world.zone).date()
        monday = date + dt.timedelta(days=7 - date.weekday())
        imported_at = min(day_range(monday, world.zone).start + dt.timedelta(hours=9, minutes=20), world.now)
        part = [one for one in rest if one.at <= imported_at]
        yield imported_at, part
        rest = rest[len(part) :]


def _as_report(world: World, one: Happening) -> Report:
    return Report(
        kind=one.kind,
        external_id=one.number,
        happened_at=one.at,
        value=one.value,
        campaign=world.campaigns[one.plan.key].code,
        click=str(one.click.key) if one.click else "",
        person=one.person,
    )


def _remember_earlier(
    world: World, happenings: Sequence[Happening], people: dict[str, Identity], free: _Clicks
) -> None:
    """Most of those who acted had come before, over other links: their touches, too."""
    chance = random.Random(f"touches {world.plan.key}")
    touches = []
    for one in happenings:
        if chance.random() < 0.6:
            earlier = free.before(one.at, chance)
            touches += [_touch(world, click, people[one.number]) for click in earlier]
    Touchpoint.objects.bulk_create(touches)


def _touch(world: World, click: Click, identity: Identity) -> Touchpoint:
    return Touchpoint(
        brand=world.row,
        identity=identity,
        campaign_id=click.link.campaign_id,
        link=click.link,
        platform=click.link.platform,
        click=click,
        at=click.at,
    )


def _give_back(world: World, happenings: Iterable[Happening]) -> None:
    for one in happenings:
        if one.refund is None or one.value is None:
            continue
        at = min(one.at + dt.timedelta(days=5, hours=3), world.now - MARGIN / 2)
        report_refund(
            brand=world.row,
            kind=ConversionKind.SALE,
            number=one.number,
            refund=RefundReport(f"{one.number}-R", rounded(one.value * one.refund, world.row.currency), at),
            origin=Origin(Source.MANUAL, actor=world.people[MARKETER]),
            now=at,
        )
