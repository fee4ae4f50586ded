"""Counts and sums over a period."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from accounts.models import Brand
from audience.models import Identity
from campaigns.models import Campaign, CostKind, Source, SpendEntry
from campaigns.selectors.numbers import Totals, by_day, totals
from core.time import day_range
from tests.campaigns.conftest import NOW, make_campaign
from tests.campaigns.reporting import DAY, HOUR, by, click, give_back, lead, sale, take

START, END = NOW - 10 * DAY, NOW + DAY
NONE = Decimal(0)
NOTHING = Totals(
    spend=NONE,
    media_spend=NONE,
    clicks=0,
    bot_clicks=0,
    leads=0,
    customers=0,
    conversions=0,
    sales=0,
    revenue=NONE,
    refunded=NONE,
    margin=None,
    revenue_without_margin=NONE,
    currency="USD",
)


def spend(campaign: Campaign, amount: Any, on: dt.date, kind: str = CostKind.MEDIA) -> SpendEntry:
    return SpendEntry.objects.create(
        campaign=campaign,
        kind=kind,
        date=on,
        amount=Decimal(amount),
        source=Source.MANUAL,
        external_id=f"{kind}{on}{amount}",
        created_at=NOW,
    )


def of(brand: Brand, **given: Any) -> Totals:
    return totals(brands=[brand], **{"start": START, "end": END, **given})


def test_everything_of_a_campaign_adds_up(brand: Brand) -> None:
    campaign = make_campaign(brand, margin_rate=Decimal("0.5"))
    spend(campaign, "100", dt.date(2026, 11, 20))
    spend(campaign, "50.5", dt.date(2026, 11, 20), CostKind.LABOUR)
    made = click(brand, campaign)
    click(brand, campaign)
    click(brand, campaign, is_bot=True)
    take(brand, lead(click=str(made.key), person=by("a@example.com"), value=Decimal(500)))
    sold = take(brand, sale(value="300", click=str(made.key), person=by("a@example.com")))
    give_back(sold, "100")
    assert of(brand, campaign=campaign) == Totals(
        spend=Decimal("150.5"),
        media_spend=Decimal(100),
        clicks=2,
        bot_clicks=1,
        leads=1,
        customers=1,
        conversions=2,
        sales=1,
        revenue=Decimal(200),
        refunded=Decimal(100),
        margin=Decimal(100),
        revenue_without_margin=Decimal(0),
        currency="USD",
    )


def test_nothing_is_zero_and_its_margin_unknown(brand: Brand, campaign: Campaign) -> None:
    assert of(brand) == NOTHING
    assert of(brand, campaign=campaign).margin is None


def test_a_period_begins_with_its_start_and_ends_before_its_end(brand: Brand) -> None:
    take(brand, sale("1", happened_at=START - dt.timedelta(microseconds=1)))
    take(brand, sale("2", happened_at=START))
    take(brand, sale("3", happened_at=NOW))
    assert of(brand, end=NOW).sales == 1
    assert of(brand, end=NOW + dt.timedelta(microseconds=1)).sales == 2


def test_spend_counts_on_the_days_of_the_brands_zone(brand: Brand, campaign: Campaign) -> None:
    """Berlin is an hour ahead of UTC in November."""
    day = day_range(dt.date(2026, 11, 20), brand.timezone)
    spend(campaign, "1", dt.date(2026, 11, 19))
    spend(campaign, "10", dt.date(2026, 11, 20))
    spend(campaign, "100", dt.date(2026, 11, 21))
    assert of(brand, start=day.start, end=day.end).spend == 10
    assert of(brand, start=day.start + HOUR, end=day.end).spend == 0
    assert of(brand, start=day.start, end=day.end + HOUR).spend == 110


def test_a_refund_counts_with_its_sale_whenever_it_came(brand: Brand) -> None:
    sold = take(brand, sale(value="100", happened_at=NOW - 5 * DAY))
    give_back(sold, "100", at=NOW)
    before = of(brand, end=NOW - 4 * DAY)
    assert (before.revenue, before.refunded, before.sales) == (0, 100, 1)
    after = of(brand, start=NOW - 4 * DAY)
    assert (after.revenue, after.refunded, after.sales) == (0, 0, 0)


def test_margin_is_of_the_part_of_revenue_whose_campaign_says_it(brand: Brand, campaign: Campaign) -> None:
    said = make_campaign(brand, "Said", margin_rate=Decimal("0.25"))
    take(brand, sale("1", value="100", campaign=said.code))
    take(brand, sale("2", value="40", campaign=campaign.code))
    take(brand, sale("3", value="2"))
    found = of(brand)
    assert (found.revenue, found.margin, found.revenue_without_margin) == (142, 25, 42)


def test_amounts_of_several_currencies_are_not_added(
    brand: Brand, other_brand: Brand, campaign: Campaign
) -> None:
    spend(campaign, "10", dt.date(2026, 11, 20))
    take(brand, sale("1", value="100"))
    take(other_brand, sale("2", value="100"))
    found = totals(brands=[brand, other_brand], start=START, end=END)
    assert (found.spend, found.revenue, found.margin, found.currency) == (None, None, None, "")
    assert found.sales == 2


def test_two_brands_of_one_currency_are_added(brand: Brand, other_brand: Brand) -> None:
    Brand.objects.filter(pk=other_brand.pk).update(currency="USD")
    other_brand.refresh_from_db()
    take(brand, sale("1", value="100"))
    take(other_brand, sale("2", value="100"))
    found = totals(brands=[brand, other_brand], start=START, end=END)
    assert (found.revenue, found.currency) == (200, "USD")


def test_two_customers_who_turn_out_to_be_one_are_counted_once(brand: Brand) -> None:
    first = take(brand, sale("1", person=by("a@example.com"), happened_at=NOW - 3 * DAY)).identity
    second = take(brand, sale("2", person=by("b@example.com"), happened_at=NOW - DAY)).identity
    assert of(brand).customers == 2
    assert first is not None
    assert second is not None
    Identity.objects.filter(pk=second.pk).update(contact=first.contact)  # as a merge does
    assert of(brand).customers == 1
    assert of(brand, start=NOW - 2 * DAY).customers == 0


def test_another_brand_is_left_out(brand: Brand, other_brand: Brand) -> None:
    take(other_brand, sale())
    click(other_brand)
    assert of(brand) == NOTHING


def test_days_are_those_of_the_brand_and_all_of_them_are_there(brand: Brand, campaign: Campaign) -> None:
    """22:30 UTC is the next day in Berlin."""
    late = dt.datetime(2026, 11, 20, 23, 30, tzinfo=dt.UTC)
    take(brand, sale("1", happened_at=late, person=by("a@example.com")))
    click(brand, campaign, at=late)
    spend(campaign, "10", dt.date(2026, 11, 21))
    first, last = dt.date(2026, 11, 19), dt.date(2026, 11, 22)
    days = by_day(
        brand=brand,
        start=day_range(first, brand.timezone).start,
        end=day_range(last, brand.timezone).end,
    )
    assert list(days) == [first + n * DAY for n in range(4)]
    of_day = days[dt.date(2026, 11, 21)]
    assert (of_day.sales, of_day.customers, of_day.clicks, of_day.spend) == (1, 1, 1, 10)
    assert all(days[day] == NOTHING for day in days if day != dt.date(2026, 11, 21))


def test_the_days_of_a_period_add_up_to_the_period(brand: Brand, campaign: Campaign) -> None:
    for number in range(12):
        when = NOW - number * dt.timedelta(hours=17)
        take(brand, sale(str(number), value="10.10", happened_at=when, campaign=campaign.code))
    start, end = NOW - 8 * DAY, NOW + HOUR
    days = by_day(brand=brand, start=start, end=end).values()
    whole = of(brand, start=start, end=end)
    assert sum(day.sales for day in days) == whole.sales
    assert sum(day.revenue or 0 for day in days) == whole.revenue


def test_a_period_of_nothing_has_no_days(brand: Brand) -> None:
    assert by_day(brand=brand, start=NOW, end=NOW) == {}
