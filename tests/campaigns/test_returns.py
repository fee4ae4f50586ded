"""What a campaign brought back, and the pages that show it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Brand, User
from audience.services.people import Met, meet
from campaigns.models import (
    AttributionModel,
    AttributionRun,
    Campaign,
    CostKind,
    Source,
    SpendEntry,
    Touchpoint,
    TrackedLink,
)
from campaigns.selectors.returns import (
    MODELS,
    Figure,
    Returns,
    returns_of,
    runs_of,
    shared_by_link,
    shared_by_network,
    shares_of,
)
from campaigns.services.attribution import Parameters, run_attribution
from campaigns.templatetags.returns import band, in_unit, shares_words
from tests.campaigns.conftest import NOW, make_campaign
from tests.campaigns.reporting import DAY, HOUR, by, click, give_back, lead, sale, take

D = Decimal


def cost(campaign: Campaign, amount: Any, kind: str = CostKind.MEDIA) -> None:
    SpendEntry.objects.create(
        campaign=campaign,
        kind=kind,
        date=dt.date(2026, 11, 20),
        amount=D(amount),
        source=Source.MANUAL,
        external_id=f"{kind}{amount}",
        created_at=NOW,
    )


def returns(campaign: Campaign, chosen: AttributionModel = AttributionModel.LAST) -> Returns:
    run_attribution(brand=campaign.brand, now=NOW)
    runs = runs_of(campaign.brand)
    assert runs is not None
    return returns_of(campaign, runs, chosen=chosen)


def figure(found: Returns, key: str) -> Figure:
    return next(one for one in found.all_figures if one.metric.key == key)


def value(found: Returns, key: str) -> Decimal | None:
    return figure(found, key).value


# --- numbers ----------------------------------------------------------------------------------


def test_the_worked_numbers_of_a_campaign(brand: Brand) -> None:
    """Cost 2,000, of it 1,600 for media; revenue 7,000 at a margin of a half; 10 leads, 4 customers."""
    campaign = make_campaign(brand, margin_rate=D("0.5"))
    cost(campaign, 1600)
    cost(campaign, 400, CostKind.LABOUR)
    for number in range(10):
        take(brand, lead(f"L{number}", campaign=campaign.code, person=by(f"p{number}@example.com")))
    for number in range(4):
        person = by(f"p{number}@example.com")
        take(brand, sale(f"S{number}", value="1750", campaign=campaign.code, person=person))
    found = returns(campaign)
    assert (found.spend, found.media_spend, found.spend_rows) == (2000, 1600, 2)
    assert [(one.kind, one.amount) for one in found.costs] == [("media", 1600), ("labour", 400)]
    assert value(found, "roi_revenue") == D("2.5")
    assert value(found, "roi_margin") == D("0.75")
    assert value(found, "roas") == D("4.375")
    assert value(found, "cpl") == 200
    assert value(found, "cpa") == 2000 / D(14)
    assert value(found, "cac") == 500
    assert (value(found, "leads"), value(found, "customers")) == (10, 4)
    assert (value(found, "revenue"), value(found, "gross_margin")) == (7000, 3500)
    assert figure(found, "cpl").rows_chosen == 10
    assert figure(found, "cpa").rows_chosen == 14


def test_a_band_spans_the_models(brand: Brand, campaign: Campaign) -> None:
    """One sale of 1,000 after a touch of this campaign and a later one of another."""
    other = make_campaign(brand, "Autumn")
    cost(campaign, 100)
    person = meet(brand=brand, met=Met("email", "a@example.com"), now=NOW - 40 * DAY)
    for one, age in ((campaign, 8), (other, 1)):
        Touchpoint.objects.create(brand=brand, identity=person, campaign=one, at=NOW - age * DAY)
    take(brand, sale(value="1000", happened_at=NOW, person=by("a@example.com")))
    revenue = figure(returns(campaign), "revenue")
    of = {str(model): ratio.value for model, ratio in revenue.ratios.items()}
    assert (of["first"], of["last"], of["linear"], of["position"]) == (1000, 0, 500, 500)
    assert of["time_decay"] is not None
    assert abs(of["time_decay"] - D(1000) / 3) < D("0.001")  # half-life 7 days: a week weighs half
    assert (revenue.low, revenue.high, revenue.value) == (0, 1000, 0)
    roi = figure(returns(campaign, AttributionModel.FIRST), "roi_revenue")
    assert (roi.low, roi.high, roi.value) == (-1, 9, 9)


def test_what_all_campaigns_are_credited_is_what_was_earned(brand: Brand, campaign: Campaign) -> None:
    other = make_campaign(brand, "Autumn")
    for number in range(6):
        made = click(brand, campaign if number % 2 else other, at=NOW - (number + 1) * DAY)
        person = by(f"p{number % 3}@example.com")
        take(brand, sale(str(number), value="10.01", click=str(made.key), person=person, happened_at=NOW))
    run_attribution(brand=brand, now=NOW)
    runs = runs_of(brand)
    assert runs is not None
    for model in MODELS:
        both = [returns_of(one, runs, chosen=model).credited[model] for one in (campaign, other)]
        assert sum(one.sales for one in both) == 6
        assert abs(sum(one.revenue for one in both) - D("60.06")) < D("1e-9")


def test_a_refund_counts_at_once_without_a_new_run(brand: Brand, campaign: Campaign) -> None:
    cost(campaign, 100)
    sold = take(brand, sale(value="300", campaign=campaign.code))
    found = returns(campaign)
    assert value(found, "roi_revenue") == 2
    give_back(sold, "150")
    runs = runs_of(brand)
    assert runs is not None
    assert returns_of(campaign, runs, chosen=AttributionModel.LAST).figures[0].value == D("0.5")


def test_without_a_margin_the_return_on_it_is_unknown(brand: Brand, campaign: Campaign) -> None:
    cost(campaign, 100)
    take(brand, sale(value="300", campaign=campaign.code))
    found = returns(campaign)
    assert value(found, "roi_margin") is None
    assert value(found, "roi_revenue") == 2


def test_nothing_divides_by_nothing(campaign: Campaign) -> None:
    found = returns(campaign)
    assert [one.value for one in found.figures] == [None] * len(found.figures)
    cost(campaign, 100)
    found = returns(campaign)
    assert value(found, "roi_revenue") == -1
    assert value(found, "cpl") is None


def test_two_currencies_are_not_divided(brand: Brand) -> None:
    campaign = make_campaign(brand, currency="JPY", margin_rate=D("0.5"))
    cost(campaign, 1000)
    take(brand, lead(campaign=campaign.code))
    take(brand, sale(value="300", campaign=campaign.code))
    found = returns(campaign)
    assert found.is_mixed
    assert [value(found, key) for key in ("roi_revenue", "roi_margin", "roas", "revenue")] == [None] * 4
    assert value(found, "cpl") == 1000


def test_revenue_in_the_currency_that_the_brand_had_before_is_not_added_up(
    brand: Brand, campaign: Campaign
) -> None:
    cost(campaign, 1000)
    take(brand, sale("1", value="300", campaign=campaign.code))
    brand.currency = "JPY"
    brand.save()
    take(brand, sale("2", value="5000", campaign=campaign.code))
    for currency in ("USD", "JPY"):
        Campaign.objects.update(currency=currency)
        found = returns(Campaign.objects.select_related("brand").get())
        assert found.is_mixed
        assert found.earned_in == ("JPY", "USD")
        assert [value(found, key) for key in ("roi_revenue", "roas", "revenue")] == [None] * 3


def test_a_campaign_that_began_before_the_horizon_says_so(brand: Brand) -> None:
    old = make_campaign(brand, "Old", starts_on=dt.date(2025, 1, 1))
    assert returns(old).from_before
    assert not returns(make_campaign(brand, "Young")).from_before


def test_what_came_after_the_run_is_counted_apart(brand: Brand, campaign: Campaign) -> None:
    take(brand, sale("1", campaign=campaign.code))
    found = returns(campaign)
    assert found.runs.newer == 0
    take(brand, sale("2", campaign=campaign.code), now=NOW + HOUR)
    runs = runs_of(brand)
    assert runs is not None
    assert runs.newer == 1
    assert returns_of(campaign, runs, chosen=AttributionModel.LAST).credited["last"].sales == 1  # type: ignore[index]


def test_credit_is_shown_by_network_and_by_link(brand: Brand, campaign: Campaign) -> None:
    blue, sand = click(brand, campaign, platform="bluesky"), click(brand, campaign, platform="sandbox")
    for number, made in enumerate((blue, blue, sand)):
        take(brand, sale(str(number), value="10", click=str(made.key)))
    take(brand, sale("no click", value="7", campaign=campaign.code))
    run_attribution(brand=brand, now=NOW)
    runs = runs_of(brand)
    assert runs is not None
    networks = shared_by_network(campaign, runs)
    assert [(one.platform, one.by("revenue")[0]) for one in networks] == [
        ("bluesky", 20),
        ("sandbox", 10),
        ("", 7),
    ]
    links = shared_by_link(campaign, runs)
    assert [one.link for one in links] == [blue.link, sand.link]
    assert links[0].by("conversions") == [2] * len(MODELS)


def test_reads_take_the_same_queries_however_much_there_is(
    brand: Brand, campaign: Campaign, django_assert_num_queries: Any
) -> None:
    for number in range(20):
        take(brand, sale(str(number), click=str(click(brand, campaign).key)))
    run_attribution(brand=brand, now=NOW)
    runs = runs_of(brand)
    assert runs is not None
    with django_assert_num_queries(2):
        returns_of(campaign, runs, chosen=AttributionModel.LAST)
    with django_assert_num_queries(2):
        shared_by_link(campaign, runs)


def test_the_shares_of_one_conversion_oldest_touch_first(brand: Brand, campaign: Campaign) -> None:
    person = meet(brand=brand, met=Met("email", "a@example.com"), now=NOW - 40 * DAY)
    touches = [
        Touchpoint.objects.create(brand=brand, identity=person, campaign=campaign, at=NOW - age * DAY)
        for age in (9, 2)
    ]
    made = take(brand, sale(happened_at=NOW, person=by("a@example.com")))
    assert shares_of(made) == []
    run_attribution(brand=brand, now=NOW)
    rows = shares_of(made)
    assert [row.credit.touchpoint for row in rows] == touches
    assert [sum(row.shares[at] for row in rows) for at in range(len(MODELS))] == [1] * len(MODELS)
    assert rows[0].shares[:3] == (0, 1, D("0.5"))


# --- words and drawings -----------------------------------------------------------------------


def test_numbers_in_their_unit() -> None:
    assert in_unit(D("-0.2"), "percent") == "−20%"
    assert in_unit(D("1.6"), "multiple") == "1.60×"
    assert in_unit(D(3000), "money", "JPY") == "¥3,000"
    assert in_unit(None, "money", "JPY") == "–"
    assert (shares_words(D("12.04")), shares_words(D("12.25"))) == ("12", "12.2")


def test_a_band_lies_within_its_drawing(brand: Brand, campaign: Campaign) -> None:
    cost(campaign, 100)
    found = returns(campaign)
    drawn = band(figure(found, "roi_revenue"))
    assert drawn is not None
    assert drawn.zero is not None
    assert 0 < drawn.left < drawn.zero < 1000
    assert band(figure(found, "cpl")) is None


# --- pages ------------------------------------------------------------------------------------


@pytest.fixture
def shop(brand: Brand) -> Campaign:
    """A campaign with costs, a click that led to a lead and a sale, half refunded; told as of now."""
    now = timezone.now()
    campaign = make_campaign(brand)
    cost(campaign, 100)
    made = click(brand, campaign, at=now - 2 * DAY, platform="bluesky")
    person = by("hanako@example.com", name="Hanako Mori")
    take(brand, lead(click=str(made.key), person=person, happened_at=now - DAY), now=now)
    sold = sale("ORDER-1", value="300", click=str(made.key), person=person, happened_at=now - HOUR)
    take(brand, sold, now=now)
    return campaign


def page(client: Any, name: str, campaign: Campaign, **query: str) -> str:
    response = client.get(reverse(f"campaigns:{name}", args=[campaign.pk]), query)
    assert response.status_code == 200
    text: str = response.content.decode()
    return text


def test_before_the_first_run_the_pages_say_what_to_do(sign_in: Any, marketer: User, shop: Campaign) -> None:
    client = sign_in(marketer)
    for name in ("attribution", "roi"):
        assert "Nothing was calculated yet" in page(client, name, shop)


def test_the_button_calculates_and_the_page_waits_for_it(
    sign_in: Any,
    marketer: User,
    shop: Campaign,
    celery_eager: None,
    django_capture_on_commit_callbacks: Any,
) -> None:
    client = sign_in(marketer)
    asked = {"tab": "roi", "lookback_days": "14", "half_life_days": "3.5"}
    with django_capture_on_commit_callbacks() as waiting:
        answer = client.post(reverse("campaigns:attribution_run", args=[shop.pk]), asked)
    address = answer["Location"]
    assert address.startswith(reverse("campaigns:roi", args=[shop.pk]))
    assert "Being calculated" in client.get(address).content.decode()
    for callback in waiting:
        callback()
    run = AttributionRun.objects.filter(model="last").get()
    assert (run.lookback_days, run.half_life_days, run.conversions) == (14, D("3.5"), 2)
    text = client.get(address).content.decode()
    assert "Being calculated" not in text
    assert "Touches count for 14 days" in text


@pytest.mark.parametrize("wrong", [{"lookback_days": "0"}, {"half_life_days": "nothing"}, {}])
def test_parameters_that_make_no_sense_calculate_nothing(
    sign_in: Any,
    marketer: User,
    shop: Campaign,
    wrong: dict[str, str],
    django_capture_on_commit_callbacks: Any,
) -> None:
    asked = {"lookback_days": "30", "half_life_days": "7", **wrong} if wrong else {}
    with django_capture_on_commit_callbacks() as waiting:
        sign_in(marketer).post(reverse("campaigns:attribution_run", args=[shop.pk]), asked)
    assert waiting == []


def test_an_address_that_asks_for_ever_does_not_wait_for_ever(
    sign_in: Any, marketer: User, shop: Campaign
) -> None:
    client = sign_in(marketer)
    for asked in ("2020-01-01T00:00:00Z", "2090-01-01T00:00:00Z", "soon", "2026-99-99T00:00:00Z"):
        assert "Being calculated" not in page(client, "roi", shop, asked=asked)


def test_the_return_page_shows_bands_passports_and_what_is_missing(
    sign_in: Any, marketer: User, shop: Campaign
) -> None:
    run_attribution(brand=shop.brand, now=timezone.now())
    text = page(sign_in(marketer), "roi", shop)
    assert "200%" in text  # (300 - 100) / 100
    assert "the same under every model" in text
    assert "The margin is not known." in text
    assert f"{reverse('campaigns:edit', args=[shop.pk])}#id_margin" in text
    assert "roi_revenue" in text
    assert "How it was made" in text
    assert "not what caused it" in text


def test_the_attribution_page_shows_credit_under_five_models(
    sign_in: Any, marketer: User, shop: Campaign
) -> None:
    run_attribution(brand=shop.brand, now=timezone.now())
    client = sign_in(marketer)
    text = page(client, "attribution", shop, show="revenue")
    for model in AttributionModel:
        assert str(model.label) in text
    assert text.count("$300.00") >= 3 * len(AttributionModel)  # network, link and campaign
    assert "Bluesky" in text
    assert TrackedLink.objects.get().original_url in text


def test_credit_is_shown_in_the_currency_that_was_earned_or_not_at_all(
    sign_in: Any, marketer: User, shop: Campaign
) -> None:
    client = sign_in(marketer)
    Campaign.objects.update(currency="JPY")
    run_attribution(brand=shop.brand, now=timezone.now())
    text = page(client, "attribution", shop, show="revenue")
    assert "$300.00" in text
    assert "¥300" not in text
    Brand.objects.update(currency="JPY")
    shop.brand.currency = "JPY"
    take(shop.brand, sale("2", value="5000", campaign=shop.code, happened_at=timezone.now()), timezone.now())
    run_attribution(brand=shop.brand, now=timezone.now())
    text = page(client, "attribution", shop, show="revenue")
    assert "300" not in text
    assert "The sales were paid in several currencies, whose amounts are not added up." in text


def test_a_manager_reads_and_does_not_calculate(sign_in: Any, manager: User, shop: Campaign) -> None:
    client = sign_in(manager)
    assert "Calculate" not in page(client, "roi", shop)
    assert client.post(reverse("campaigns:attribution_run", args=[shop.pk])).status_code == 403


@pytest.mark.parametrize("name", ["roi", "attribution", "conversions"])
def test_a_responder_does_not_see_what_was_earned(
    sign_in: Any, responder: User, shop: Campaign, name: str
) -> None:
    client = sign_in(responder)
    assert client.get(reverse(f"campaigns:{name}", args=[shop.pk])).status_code == 403
    assert client.get(reverse("campaigns:conversion_list")).status_code == 403


def test_the_nightly_task_calculates_what_is_due(shop: Campaign, celery_eager: None) -> None:
    from campaigns.tasks import run_attributions

    run_attributions()
    run_attributions()
    assert AttributionRun.objects.count() == 10  # again as long as the first may have missed something
    assert set(AttributionRun.objects.values_list("conversions", flat=True)) == {2}


def test_a_task_without_parameters_uses_those_of_the_last_run(shop: Campaign, celery_eager: None) -> None:
    from campaigns.tasks import run_attribution as task

    run_attribution(brand=shop.brand, now=timezone.now(), parameters=Parameters(9, D(2)))
    task(brand_id=str(shop.brand_id))
    assert AttributionRun.objects.latest("created_at").lookback_days == 9


# --- the list and one of it -------------------------------------------------------------------

Listed = Callable[..., str]


@pytest.fixture
def listed(sign_in: Any, marketer: User) -> Listed:
    client = sign_in(marketer)

    def get(**query: str) -> str:
        text: str = client.get(reverse("campaigns:conversion_list"), query).content.decode()
        return text

    return get


def test_the_list_is_filtered(listed: Listed, shop: Campaign) -> None:
    now = timezone.now()
    odd = take(shop.brand, sale("ODD-2", value="5", happened_at=now - 2 * HOUR), now=now)
    give_back(odd, "5")
    assert "ORDER-1" in listed()
    assert "ODD-2" in listed()
    assert "L-1" not in listed(kind="sale")
    assert "ORDER-1" not in listed(state="no_campaign")
    assert "ODD-2" in listed(state="no_campaign")
    assert "ODD-2" in listed(state="unusual")
    assert "ORDER-1" not in listed(state="refunded")
    assert "ODD-2" not in listed(q="order")
    assert "No conversion matches" in listed(source="csv")
    assert "ORDER-1" in listed(kind="no such kind", state="nor such")


def test_nothing_reported_says_what_to_do(listed: Listed, brand: Brand) -> None:
    assert "Nothing was reported yet" in listed()


def test_the_page_of_a_conversion_shows_its_person_and_its_credit(
    sign_in: Any, marketer: User, shop: Campaign
) -> None:
    run_attribution(brand=shop.brand, now=timezone.now())
    one = shop.conversions.get(kind="sale")
    text = sign_in(marketer).get(reverse("campaigns:conversion", args=[one.pk])).content.decode()
    assert "Hanako Mori" in text
    assert "Became a customer by this." in text
    assert text.count("100%") == len(AttributionModel)


def test_a_sale_is_added_and_refunded_by_hand(sign_in: Any, marketer: User, shop: Campaign) -> None:
    client = sign_in(marketer)
    address = f"{reverse('campaigns:conversion_add')}?campaign={shop.pk}"
    token = "0198f3a1-7a57-4b6e-9a53-111111111111"
    entered = {"kind": "sale", "happened_at": "2026-11-20T10:30", "campaign": str(shop.pk), "token": token}
    refused = client.post(address, entered)
    assert refused.status_code == 422
    assert "value" in refused.context["form"].errors
    made = client.post(address, entered | {"value": "1,200.50", "email": "walkin@example.com"})
    again = client.post(address, entered | {"value": "1,200.50", "email": "walkin@example.com"})
    assert made["Location"] == again["Location"]
    one = shop.conversions.get(value=D("1200.50"))
    assert one.happened_at == dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)  # Berlin
    refund = reverse("campaigns:conversion_refund", args=[one.pk])
    back = {"amount": "2000", "happened_at": "2026-11-21T10:30", "token": token}
    answer = client.post(refund, back)
    assert answer.status_code == 422
    assert "1200.5 USD" in answer.content.decode()
    for _time in range(2):
        client.post(refund, back | {"amount": "200.50"})
    one.refresh_from_db()
    assert one.refunded == D("200.50")


@pytest.mark.parametrize(
    "wrong",
    [
        {"happened_at": ""},
        {"happened_at": "2026-03-29T02:30"},  # does not exist in Berlin
        {"happened_at": "1990-01-01T10:00"},
        {"value": "much"},
        {"email": "nobody"},
        {"kind": "gift"},
        {"campaign": "0198f3a1-7a57-7b6e-9a53-000000000000"},
    ],
)
def test_a_form_that_is_wrong_says_where(
    sign_in: Any, marketer: User, shop: Campaign, wrong: dict[str, str]
) -> None:
    before = shop.brand.conversions.count()
    entered = {
        "kind": "sale",
        "value": "5",
        "happened_at": "2026-11-20T10:30",
        "token": "0198f3a1-7a57-4b6e-9a53-111111111111",
    }
    answer = sign_in(marketer).post(
        f"{reverse('campaigns:conversion_add')}?campaign={shop.pk}", entered | wrong
    )
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == list(wrong)
    assert shop.brand.conversions.count() == before


def test_the_export_holds_what_the_list_shows(sign_in: Any, marketer: User, shop: Campaign) -> None:
    now = timezone.now()
    take(shop.brand, sale("=1+1", value="5", happened_at=now - 2 * HOUR), now=now)
    client = sign_in(marketer)
    response = client.get(reverse("campaigns:conversion_export"), {"campaign": str(shop.pk), "kind": "sale"})
    text = b"".join(response).decode("utf-8-sig")
    assert text.splitlines()[0].startswith("id,kind,date,value")
    assert "ORDER-1" in text
    assert "300.00" in text
    assert "Hanako Mori" in text
    assert "L-1" not in text
    assert "=1+1" not in text
    whole = b"".join(client.get(reverse("campaigns:conversion_export"))).decode("utf-8-sig")
    assert "'=1+1" in whole  # a number of somebody else's is not run by a spreadsheet


def test_a_conversion_of_an_erased_person_shows_no_number(sign_in: Any, admin: User, shop: Campaign) -> None:
    from audience.models import Contact
    from audience.services.erasing import erase_contact

    one = shop.conversions.get(kind="sale")
    erase_contact(contact=Contact.objects.get(), actor=admin, now=timezone.now())
    client = sign_in(admin)
    text = client.get(reverse("campaigns:conversion", args=[one.pk])).content.decode()
    assert "erased:" not in text
    assert "Hanako" not in text
    assert "$300.00" in text
    assert client.get(reverse("campaigns:conversion_list")).status_code == 200
