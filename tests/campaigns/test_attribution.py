"""Runs of attribution: every conversion is shared out once per model, and never changed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Brand
from audience.models import Activity, ActivityKind, Identity
from audience.services.people import Met, meet
from campaigns.models import (
    AttributionCredit,
    AttributionModel,
    AttributionRun,
    Campaign,
    Conversion,
    Touchpoint,
)
from campaigns.services.attribution import (
    HORIZON,
    KEPT,
    AlreadyRunning,
    Parameters,
    brands_to_run,
    parameters_of,
    prune_runs,
    run_attribution,
)
from tests.campaigns.conftest import NOW, make_campaign
from tests.campaigns.reporting import DAY, HOUR, by, click, lead, sale, take


def touch(identity: Identity, campaign: Campaign, days: float, platform: str = "sandbox") -> Touchpoint:
    """``days`` before NOW."""
    return Touchpoint.objects.create(
        brand=campaign.brand,
        identity=identity,
        campaign=campaign,
        platform=platform,
        at=NOW - dt.timedelta(days=days),
    )


def hanako(brand: Brand) -> Identity:
    return meet(brand=brand, met=Met("email", "hanako@example.com"), now=NOW - 40 * DAY)


def bought(brand: Brand, number: str = "A-1", **given: Any) -> Conversion:
    given.setdefault("person", by("hanako@example.com"))
    return take(brand, sale(number, happened_at=NOW, **given))


def shares(conversion: Conversion, model: str) -> list[Decimal]:
    """Of the latest run, oldest touch first."""
    run = AttributionRun.objects.filter(model=model).latest("created_at")
    given = run.credits.filter(conversion=conversion).order_by("touchpoint__at")
    return [credit.share for credit in given]


# --- shares -----------------------------------------------------------------------------------


def test_one_run_of_each_model_shares_out_the_touches_of_a_person(brand: Brand, campaign: Campaign) -> None:
    person = hanako(brand)
    for age in (20, 10, 5, 1):
        touch(person, campaign, age)
    made = bought(brand)
    runs = run_attribution(brand=brand, now=NOW)
    assert {run.model for run in runs} == set(AttributionModel)
    assert all((run.conversions, run.without_touch) == (1, 0) for run in AttributionRun.objects.all())
    assert shares(made, "last") == [1]
    assert shares(made, "first") == [1]
    assert shares(made, "linear") == [Decimal("0.25")] * 4
    assert shares(made, "position") == [Decimal("0.4"), Decimal("0.1"), Decimal("0.1"), Decimal("0.4")]
    decayed = shares(made, "time_decay")
    assert decayed == sorted(decayed)
    assert sum(decayed) == 1


def test_the_worked_numbers_of_time_decay(brand: Brand, campaign: Campaign) -> None:
    """Touches 38, 33, 26, 8 and 0 days old, half-life 7 days, $12,000."""
    person = hanako(brand)
    for age in (38, 33, 26, 8, 0):
        touch(person, campaign, age)
    made = bought(brand, value="12000")
    run_attribution(brand=brand, now=NOW, parameters=Parameters(60, Decimal(7)))
    gets = [round(share * 12_000, 1) for share in shares(made, "time_decay")]
    assert gets == [Decimal(one) for one in ("175.2", "287.4", "574.9", "3417.0", "7545.4")]


def test_touches_before_the_lookback_and_after_the_conversion_get_nothing(
    brand: Brand, campaign: Campaign
) -> None:
    person = hanako(brand)
    for age in (30.1, 30, -1):
        touch(person, campaign, age)
    made = bought(brand)
    run_attribution(brand=brand, now=NOW)
    (credit,) = AttributionCredit.objects.filter(conversion=made, run__model="linear")
    assert credit.touchpoint is not None
    assert credit.touchpoint.at == NOW - 30 * DAY


def test_all_identities_of_a_person_count(brand: Brand, campaign: Campaign) -> None:
    email = hanako(brand)
    account = meet(brand=brand, met=Met("sandbox", "id-9"), now=NOW - 40 * DAY)
    touch(account, campaign, 3)
    made = bought(brand)
    run_attribution(brand=brand, now=NOW)
    assert AttributionRun.objects.latest("created_at").without_touch == 1
    Identity.objects.filter(pk=account.pk).update(contact=email.contact)  # as a merge does
    run_attribution(brand=brand, now=NOW + DAY)
    assert shares(made, "last") == [1]
    assert AttributionRun.objects.latest("created_at").without_touch == 0


def test_the_click_of_a_conversion_gets_credit_also_where_nobody_is_known(
    brand: Brand, campaign: Campaign
) -> None:
    made = take(brand, sale(click=str(click(brand, campaign).key)))
    run_attribution(brand=brand, now=NOW)
    credit = AttributionCredit.objects.get(run__model="first")
    assert (credit.conversion, credit.campaign, credit.platform, credit.share) == (
        made,
        campaign,
        "sandbox",
        1,
    )


def test_a_click_in_the_same_minute_counts_as_one_at_that_moment(brand: Brand, campaign: Campaign) -> None:
    late = click(brand, campaign, at=NOW - HOUR + dt.timedelta(seconds=30))
    made = take(brand, sale(click=str(late.key)))
    run_attribution(brand=brand, now=NOW)
    assert shares(made, "time_decay") == [1]


def test_without_any_touch_the_campaign_that_is_named_gets_all_or_nobody(
    brand: Brand, campaign: Campaign
) -> None:
    named = take(brand, sale("1", campaign=campaign.code))
    unnamed = take(brand, sale("2"))
    run_attribution(brand=brand, now=NOW)
    for model in AttributionModel:
        given = AttributionCredit.objects.filter(run__model=model)
        assert {c.conversion: (c.campaign, c.touchpoint, c.share) for c in given} == {
            named: (campaign, None, 1),
            unnamed: (None, None, 1),
        }
    assert {run.without_touch for run in AttributionRun.objects.all()} == {2}


def test_touches_of_several_campaigns_share_one_conversion(brand: Brand, campaign: Campaign) -> None:
    other = make_campaign(brand, "Autumn")
    person = hanako(brand)
    touch(person, other, 5, platform="bluesky")
    touch(person, campaign, 1)
    bought(brand, campaign=campaign.code)  # what it names matters only where there is no touch
    run_attribution(brand=brand, now=NOW)
    linear = AttributionCredit.objects.filter(run__model="linear")
    assert {(c.campaign, c.platform, c.share) for c in linear} == {
        (other, "bluesky", Decimal("0.5")),
        (campaign, "sandbox", Decimal("0.5")),
    }


def test_another_brand_is_left_out(brand: Brand, other_brand: Brand, campaign: Campaign) -> None:
    theirs = make_campaign(other_brand, "Theirs")
    touch(meet(brand=other_brand, met=Met("email", "hanako@example.com"), now=NOW), theirs, 2)
    take(other_brand, sale(person=by("hanako@example.com")))
    bought(brand)
    run_attribution(brand=brand, now=NOW)
    assert set(AttributionCredit.objects.values_list("conversion__brand", flat=True)) == {brand.pk}
    assert not AttributionCredit.objects.filter(campaign=theirs).exists()
    assert campaign.brand == brand


def test_conversions_before_the_horizon_are_left_out(brand: Brand) -> None:
    take(brand, sale("old", happened_at=NOW - HORIZON - DAY))
    take(brand, sale("young", happened_at=NOW - HORIZON))
    run_attribution(brand=brand, now=NOW)
    assert set(AttributionCredit.objects.values_list("conversion__external_id", flat=True)) == {"young"}


ages = st.lists(st.floats(min_value=0, max_value=45), max_size=6)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=st.lists(ages, min_size=1, max_size=4), lookback=st.integers(1, 60))
def test_the_shares_of_every_conversion_sum_to_exactly_one_in_every_run(
    brand: Brand, campaign: Campaign, people: list[list[float]], lookback: int
) -> None:
    AttributionRun.objects.all().delete()
    Conversion.objects.all().delete()
    Touchpoint.objects.all().delete()
    for number, of_person in enumerate(people):
        email = f"p{number}@example.com"
        person = meet(brand=brand, met=Met("email", email), now=NOW)
        for age in of_person:
            touch(person, campaign, age)
        take(brand, sale(str(number), happened_at=NOW, person=by(email)))
    run_attribution(brand=brand, now=NOW, parameters=Parameters(lookback, Decimal(7)))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), min(total), max(total) FROM (SELECT sum(share) AS total "
            "FROM campaigns_attributioncredit GROUP BY run_id, conversion_id) AS sums"
        )
        assert cursor.fetchone() == (len(people) * len(AttributionModel), 1, 1)


# --- runs -------------------------------------------------------------------------------------


def test_a_new_calculation_leaves_the_older_run_as_it_was(brand: Brand, campaign: Campaign) -> None:
    person = hanako(brand)
    touch(person, campaign, 3)
    bought(brand)
    run_attribution(brand=brand, now=NOW)
    runs, shared = list(AttributionRun.objects.values()), list(AttributionCredit.objects.values())
    touch(person, campaign, 1)
    run_attribution(brand=brand, now=NOW + DAY)
    old = [run["id"] for run in runs]
    assert list(AttributionRun.objects.filter(pk__in=old).order_by("pk").values()) == sorted(
        runs, key=lambda run: run["id"]
    )
    assert list(AttributionCredit.objects.filter(run__in=old).order_by("pk").values()) == shared


def test_what_somebody_chose_is_used_by_the_next_run(brand: Brand) -> None:
    assert parameters_of(brand) == Parameters(30, Decimal(7))
    chosen = Parameters(14, Decimal("3.50"))
    run_attribution(brand=brand, now=NOW, parameters=chosen)
    run_attribution(brand=brand, now=NOW + DAY)
    assert parameters_of(brand) == chosen


def test_a_brand_is_run_again_when_something_came(brand: Brand, other_brand: Brand) -> None:
    assert list(brands_to_run()) == []
    take(brand, sale("1"), now=NOW)
    assert list(brands_to_run()) == [brand]
    run_attribution(brand=brand, now=NOW + HOUR)
    assert list(brands_to_run()) == []
    take(brand, sale("2"), now=NOW + 2 * HOUR)
    assert list(brands_to_run()) == [brand]
    run_attribution(brand=brand, now=NOW + 3 * HOUR)
    person = hanako(brand)
    Activity.objects.create(
        brand=brand, identity=person, kind=ActivityKind.MERGED, at=NOW + 4 * HOUR, dedupe_key="merged"
    )
    assert list(brands_to_run()) == [brand]
    Brand.objects.filter(pk=brand.pk).update(is_archived=True)
    assert list(brands_to_run()) == []
    assert other_brand not in brands_to_run()


def test_what_was_written_while_a_run_read_is_seen_by_the_next(brand: Brand) -> None:
    run_attribution(brand=brand, now=NOW)
    take(brand, sale(), now=NOW - dt.timedelta(minutes=1))  # its transaction ended after the run's began
    assert list(brands_to_run()) == [brand]


def test_old_runs_are_pruned_and_the_latest_of_each_model_stay(brand: Brand, other_brand: Brand) -> None:
    take(brand, sale())
    take(other_brand, sale())
    for day in range(KEPT + 2):
        run_attribution(brand=brand, now=NOW + day * DAY)
    run_attribution(brand=other_brand, now=NOW)
    assert prune_runs() == 2 * len(AttributionModel)
    assert prune_runs() == 0
    for model in AttributionModel:
        of_model = AttributionRun.objects.filter(brand=brand, model=model)
        assert of_model.count() == KEPT
        assert of_model.earliest("created_at").created_at == NOW + 2 * DAY
    assert AttributionRun.objects.filter(brand=other_brand).count() == len(AttributionModel)
    assert AttributionCredit.objects.count() == (KEPT + 1) * len(AttributionModel)


@pytest.mark.django_db(transaction=True)
def test_two_runs_of_a_brand_at_once_are_one(brand: Brand) -> None:
    import threading

    from django.db import transaction

    from campaigns.services.attribution import _lock

    caught: list[type[Exception] | None] = []

    def other() -> None:
        try:
            run_attribution(brand=brand, now=NOW)
            caught.append(None)
        except AlreadyRunning as error:
            caught.append(type(error))
        finally:
            connection.close()

    with transaction.atomic():
        _lock(brand)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert caught == [AlreadyRunning]
    assert not AttributionRun.objects.exists()


def test_a_run_over_many_takes_queries_by_the_batch(
    brand: Brand, campaign: Campaign, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        take(
            brand,
            lead(str(number), click=str(click(brand, campaign).key), person=by(f"p{number}@example.com")),
        )
    with django_assert_max_num_queries(14):
        run_attribution(brand=brand, now=NOW)
    assert AttributionCredit.objects.count() == 30 * len(AttributionModel)
