"""What becomes of a report: taken once, by whoever sends it, and told where it belongs."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from accounts.models import AuditEntry, Brand, User
from audience.models import Activity, Contact, Identity, Stage
from audience.services.people import Met, meet
from campaigns.models import (
    Campaign,
    Conversion,
    ConversionKind,
    ConversionNotice,
    LeadStageEvent,
    Refund,
    Source,
    Touchpoint,
)
from campaigns.reports import MOST_AHEAD, OLDEST, Problem, Refused, Report
from campaigns.services.conversions import (
    Origin,
    judge_conversions,
    report_conversion,
    report_conversions,
)
from campaigns.services.judging import ConversionDiffers, ConversionUnknown
from campaigns.services.refunds import RefundDiffers
from tests.campaigns.conftest import NOW, make_campaign
from tests.campaigns.reporting import API, DAY, HOUR, by, click, give_back, lead, sale, take


def refusal(brand: Brand, report: Report) -> Refused:
    """Why it is refused; and nothing was stored."""
    before = Conversion.objects.count(), Identity.objects.count()
    with pytest.raises(Refused) as caught:
        report_conversion(brand=brand, report=report, origin=API, now=NOW)
    assert (Conversion.objects.count(), Identity.objects.count()) == before
    return caught.value


# --- once -------------------------------------------------------------------------------------


def test_the_same_report_again_is_the_first_one(brand: Brand, campaign: Campaign) -> None:
    made = click(brand, campaign)
    report = sale(click=str(made.key), person=by("hanako@example.com", customer="C-1"))
    first, is_new = report_conversion(brand=brand, report=report, origin=API, now=NOW)
    again, is_new_again = report_conversion(brand=brand, report=report, origin=API, now=NOW + DAY)
    assert (is_new, is_new_again) == (True, False)
    assert again == first
    assert Conversion.objects.count() == 1
    assert LeadStageEvent.objects.count() == 1
    assert Activity.objects.count() == 1
    assert Touchpoint.objects.count() == 1


def test_one_number_is_one_conversion_wherever_it_comes_from(brand: Brand) -> None:
    first = take(brand, sale())
    again, is_new = report_conversion(brand=brand, report=sale(), origin=Origin(Source.CSV), now=NOW + DAY)
    assert (again, is_new) == (first, False)
    assert Conversion.objects.get().source == Source.API


def test_a_lead_and_a_sale_may_have_the_same_number_and_so_may_two_brands(
    brand: Brand, other_brand: Brand
) -> None:
    take(brand, sale("7"))
    take(brand, lead("7"))
    take(other_brand, sale("7"))
    assert Conversion.objects.count() == 3


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"value": Decimal(99)}, "value"),
        ({"happened_at": NOW - 2 * HOUR}, "happened_at"),
        ({"campaign": "autumn"}, "campaign"),
        ({"person": by("taro@example.com")}, "person"),
        ({"person": by(customer="C-9")}, "person"),
    ],
)
def test_another_content_under_the_same_number_says_what_differs_and_changes_nothing(
    brand: Brand, campaign: Campaign, change: dict[str, Any], field: str
) -> None:
    make_campaign(brand, "Autumn")
    report = sale(campaign=campaign.code, person=by("hanako@example.com"))
    first = take(brand, report)
    stored = Conversion.objects.values().get()
    with pytest.raises(ConversionDiffers) as caught:
        take(brand, dataclasses.replace(report, **change))
    assert caught.value.fields == (field,)
    assert caught.value.conversion == first
    assert Conversion.objects.values().get() == stored
    assert Identity.objects.count() == 1


def test_another_click_under_the_same_number_differs(brand: Brand) -> None:
    take(brand, sale(click=str(click(brand).key)))
    with pytest.raises(ConversionDiffers) as caught:
        take(brand, sale(click=str(click(brand).key)))
    assert caught.value.fields == ("click",)


def test_a_click_that_arrives_after_its_conversion_makes_no_difference(brand: Brand) -> None:
    late = click(brand)
    key, late.key = late.key, uuid.uuid4()
    late.save()
    first = take(brand, sale(click=str(key)))
    late.key = key
    late.save()
    assert take(brand, sale(click=str(key))) == first


def test_two_in_one_batch_are_one_and_a_third_that_differs_is_refused(brand: Brand) -> None:
    outcomes = report_conversions(brand=brand, reports=[sale(), sale(), sale(value="5")], origin=API, now=NOW)
    assert [outcome.is_new for outcome in outcomes] == [True, False, False]
    assert outcomes[1].conversion == outcomes[0].conversion
    assert isinstance(outcomes[2].refused, ConversionDiffers)
    assert Conversion.objects.get().value == 100


def test_a_refused_one_does_not_keep_the_others_of_its_batch_out(brand: Brand) -> None:
    outcomes = report_conversions(
        brand=brand, reports=[sale("1"), sale("2", currency="JPY"), sale("3")], origin=API, now=NOW
    )
    assert [outcome.is_new for outcome in outcomes] == [True, False, True]
    assert sorted(Conversion.objects.values_list("external_id", flat=True)) == ["1", "3"]


@pytest.mark.django_db(transaction=True)
def test_two_programs_at_once_make_one_conversion_and_one_person(brand: Brand) -> None:
    answers: list[bool] = []
    start = threading.Barrier(4)

    def run() -> None:
        try:
            start.wait()
            answers.append(
                report_conversion(
                    brand=brand, report=sale(person=by("x@example.com", customer="C-1")), origin=API, now=NOW
                )[1]
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False, False, False, True]
    assert Conversion.objects.count() == 1
    assert LeadStageEvent.objects.count() == 1
    assert Contact.objects.count() == 1
    assert Identity.objects.count() == 2


def test_a_batch_takes_few_queries_whatever_its_size(
    brand: Brand, campaign: Campaign, django_assert_max_num_queries: Any
) -> None:
    reports = [
        sale(str(n), click=str(click(brand, campaign).key), person=by(f"p{n}@example.com", customer=f"C{n}"))
        for n in range(60)
    ]
    for report in reports:  # stages are told to each contact
        meet(brand=brand, met=Met("email", report.person.email), now=NOW)
    Contact.objects.update(stage=Stage.CUSTOMER)
    LeadStageEvent.objects.bulk_create(
        LeadStageEvent(brand=brand, identity=one, stage=Stage.CUSTOMER, at=NOW - DAY)
        for one in Identity.objects.all()
    )
    with django_assert_max_num_queries(45):
        outcomes = report_conversions(brand=brand, reports=reports, origin=API, now=NOW)
    assert all(outcome.is_new for outcome in outcomes)


# --- refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("report", "problem", "field"),
    [
        (sale(""), Problem.MISSING, "external_id"),
        (sale("  "), Problem.MISSING, "external_id"),
        (sale("x" * 121), Problem.TOO_LONG, "external_id"),
        (sale("a\x00b"), Problem.UNREADABLE, "external_id"),
        (Report(ConversionKind.SALE, "1", NOW), Problem.MISSING, "value"),
        (sale(value="-1"), Problem.NEGATIVE, "value"),
        (sale(value="1.005"), Problem.TOO_MANY_DECIMALS, "value"),
        (sale(value="1e15"), Problem.TOO_LARGE, "value"),
        (sale(value="NaN"), Problem.UNREADABLE, "value"),
        (sale(currency="JPY"), Problem.CURRENCY_MISMATCH, "currency"),
        (sale(currency="XYZ"), Problem.CURRENCY_UNKNOWN, "currency"),
        (sale(happened_at=NOW + MOST_AHEAD + HOUR), Problem.IN_FUTURE, "happened_at"),
        (sale(happened_at=NOW - OLDEST - HOUR), Problem.TOO_OLD, "happened_at"),
        (sale(campaign="nothing"), Problem.CAMPAIGN_UNKNOWN, "campaign"),
        (sale(person=by("not an address")), Problem.EMAIL_INVALID, "person.email"),
        (sale(person=by(network="myspace", remote_id="1")), Problem.NETWORK_UNKNOWN, "person.network"),
        (sale(person=by(remote_id="1")), Problem.NETWORK_MISSING, "person.network"),
        (sale(person=by(customer="x" * 256)), Problem.TOO_LONG, "person.customer"),
    ],
)
def test_a_wrong_report_is_refused_with_the_field_at_fault(
    brand: Brand, report: Report, problem: Problem, field: str
) -> None:
    refused = refusal(brand, report)
    assert (refused.problem, refused.field) == (problem, field)


def test_yen_have_no_decimals(other_brand: Brand) -> None:
    assert refusal(other_brand, sale(value="100.5")).problem is Problem.TOO_MANY_DECIMALS
    assert take(other_brand, sale(value="100.00")).value == 100


def test_clocks_of_others_may_be_a_day_ahead(brand: Brand) -> None:
    take(brand, sale("1", happened_at=NOW + MOST_AHEAD))
    take(brand, sale("2", happened_at=NOW - OLDEST))
    assert Conversion.objects.count() == 2


# --- where it belongs -------------------------------------------------------------------------


def test_a_conversion_belongs_to_the_campaign_that_it_names_by_code_or_by_name(
    brand: Brand, campaign: Campaign
) -> None:
    other = make_campaign(brand, "Christmas 2026", code="xmas")
    made = click(brand, campaign)
    assert take(brand, sale("1", campaign="XMAS", click=str(made.key))).campaign == other
    assert take(brand, sale("2", campaign="Christmas 2026")).campaign == other
    assert take(brand, sale("3", click=str(made.key))).campaign == campaign


def test_a_name_that_two_campaigns_have_names_neither(brand: Brand) -> None:
    make_campaign(brand, "Sale", code="sale-1")
    make_campaign(brand, "Sale", code="sale-2")
    assert refusal(brand, sale(campaign="Sale")).problem is Problem.CAMPAIGN_UNKNOWN


def test_the_campaign_of_another_brand_is_not_known(brand: Brand, other_brand: Brand) -> None:
    make_campaign(other_brand, "Theirs")
    assert refusal(brand, sale(campaign="theirs")).problem is Problem.CAMPAIGN_UNKNOWN


def test_what_is_unusual_is_accepted_with_a_notice(
    brand: Brand, other_brand: Brand, campaign: Campaign
) -> None:
    before = click(brand, campaign, at=NOW - DAY)
    after = click(brand, campaign, at=NOW - HOUR + dt.timedelta(minutes=2))
    theirs = click(other_brand)

    def notice(number: str, **given: Any) -> str:
        return take(brand, sale(number, **given)).notice

    assert notice("1", click=str(before.key)) == ""
    assert notice("2") == ConversionNotice.NO_CAMPAIGN
    assert notice("3", click=str(uuid.uuid4())) == ConversionNotice.CLICK_UNKNOWN
    assert notice("4", click="no click of ours") == ConversionNotice.CLICK_UNKNOWN
    assert notice("5", click=str(theirs.key)) == ConversionNotice.CLICK_UNKNOWN
    assert notice("6", click=str(after.key)) == ConversionNotice.CLICK_LATER
    assert Conversion.objects.get(external_id="6").campaign is None  # it cannot have led there


def test_a_click_within_the_same_minute_is_not_later(brand: Brand, campaign: Campaign) -> None:
    made = click(brand, campaign, at=NOW - HOUR + dt.timedelta(seconds=40))
    assert take(brand, sale(click=str(made.key))).notice == ""


# --- whose it is ------------------------------------------------------------------------------


def test_several_marks_of_one_conversion_are_one_contact(brand: Brand) -> None:
    take(
        brand,
        sale(
            person=by("Hanako@Example.com", customer="C-1", network="sandbox", remote_id="9", name="Hanako")
        ),
    )
    assert Contact.objects.count() == 1
    assert set(Identity.objects.values_list("platform", flat=True)) == {"email", "customer", "sandbox"}
    take(brand, sale("2", person=by("hanako@example.com")))
    assert Contact.objects.count() == 1


def test_a_new_mark_joins_the_contact_that_is_known(brand: Brand) -> None:
    known = meet(brand=brand, met=Met("email", "hanako@example.com"), now=NOW - DAY)
    take(brand, sale(person=by("hanako@example.com", customer="C-1")))
    assert Contact.objects.get() == known.contact
    assert Identity.objects.get(platform="customer").contact == known.contact


def test_two_contacts_are_never_merged_silently(brand: Brand) -> None:
    email = meet(brand=brand, met=Met("email", "hanako@example.com"), now=NOW - DAY)
    number = meet(brand=brand, met=Met("customer", "C-1"), now=NOW - DAY)
    made = take(brand, sale(person=by("hanako@example.com", customer="C-1")))
    assert Contact.objects.count() == 2
    assert made.identity == number  # the surer mark
    email.refresh_from_db()
    assert email.contact != number.contact
    assert take(brand, sale(person=by("hanako@example.com", customer="C-1"))) == made


def test_a_handle_finds_somebody_whom_the_brand_met_and_makes_nobody(brand: Brand) -> None:
    known = meet(brand=brand, met=Met("sandbox", "id-9", handle="Hanako"), now=NOW - DAY)
    assert take(brand, sale("1", person=by(network="sandbox", handle="@hanako"))).identity is None
    assert take(brand, sale("2", person=by(network="sandbox", handle="@Hanako"))).identity == known
    assert Identity.objects.count() == 1


def test_without_a_person_it_is_whose_the_personal_link_was(brand: Brand, campaign: Campaign) -> None:
    known = meet(brand=brand, met=Met("sandbox", "id-9"), now=NOW - DAY)
    own = click(brand, campaign, identity=known)
    assert take(brand, sale(click=str(own.key))).identity == known
    bot = click(brand, campaign, identity=known, is_bot=True)
    assert take(brand, sale("2", click=str(bot.key))).identity is None


def test_a_click_that_led_to_a_lead_is_known_when_the_sale_comes(brand: Brand, campaign: Campaign) -> None:
    made = click(brand, campaign)
    first = take(brand, lead(click=str(made.key), person=by("hanako@example.com")))
    assert take(brand, sale(click=str(made.key))).identity == first.identity


def test_the_click_of_a_conversion_is_a_touch_and_that_of_a_bot_is_none(
    brand: Brand, campaign: Campaign
) -> None:
    human, bot = click(brand, campaign), click(brand, campaign, is_bot=True)
    made = take(brand, sale("1", click=str(human.key), person=by("hanako@example.com")))
    take(brand, sale("2", click=str(bot.key)))
    touch = Touchpoint.objects.get()
    assert (touch.click, touch.campaign, touch.identity, touch.at) == (
        human,
        campaign,
        made.identity,
        human.at,
    )


def test_a_touch_of_nobody_gets_its_person_when_one_is_known(brand: Brand, campaign: Campaign) -> None:
    made = click(brand, campaign)
    take(brand, lead(click=str(made.key)))
    assert Touchpoint.objects.get().identity is None
    known = take(brand, sale(click=str(made.key), person=by("hanako@example.com"))).identity
    assert Touchpoint.objects.get().identity == known


def test_people_are_told_apart_by_brand(brand: Brand, other_brand: Brand) -> None:
    first = take(brand, sale(person=by("hanako@example.com")))
    second = take(other_brand, sale(person=by("hanako@example.com")))
    assert first.identity != second.identity


# --- timelines and stages ---------------------------------------------------------------------


def test_conversions_and_refunds_stand_in_the_timeline_with_their_amounts(brand: Brand) -> None:
    take(brand, lead(person=by("hanako@example.com")))
    made = take(brand, sale(value="12.50", person=by("hanako@example.com")))
    give_back(made, "2.50")
    lines = {line.kind: line.detail for line in Activity.objects.all()}
    assert lines == {
        "lead": {},
        "sale": {"amount": "12.50", "currency": "USD"},
        "refund": {"amount": "2.50", "currency": "USD"},
    }


def stages(brand: Brand) -> list[tuple[str, dt.datetime]]:
    return list(LeadStageEvent.objects.filter(brand=brand).order_by("stage").values_list("stage", "at"))


def test_a_lead_becomes_a_customer_each_once(brand: Brand, campaign: Campaign) -> None:
    person = by("hanako@example.com")
    take(brand, lead("1", person=person, happened_at=NOW - 9 * DAY, campaign=campaign.code))
    take(brand, lead("2", person=person, happened_at=NOW - 8 * DAY))
    take(brand, sale("3", person=person, happened_at=NOW - 5 * DAY))
    take(brand, sale("4", person=person, happened_at=NOW - 4 * DAY))
    assert stages(brand) == [("customer", NOW - 5 * DAY), ("lead", NOW - 9 * DAY)]
    assert LeadStageEvent.objects.get(stage="lead").campaign == campaign
    contact = Contact.objects.get()
    assert (contact.stage, contact.stage_at) == (Stage.CUSTOMER, NOW - 5 * DAY)


def test_who_buys_without_having_been_a_lead_is_a_customer_at_once(brand: Brand) -> None:
    take(brand, sale(person=by("hanako@example.com")))
    assert stages(brand) == [("customer", NOW - HOUR)]


def test_a_customer_who_asks_again_is_no_new_lead(brand: Brand) -> None:
    person = by("hanako@example.com")
    take(brand, sale(person=person, happened_at=NOW - 2 * DAY))
    take(brand, lead(person=person, happened_at=NOW - DAY))
    assert [stage for stage, _at in stages(brand)] == ["customer"]
    assert Contact.objects.get().stage == Stage.CUSTOMER


def test_the_earliest_conversion_counts_in_whatever_order_they_are_reported(brand: Brand) -> None:
    person = by("hanako@example.com")
    take(brand, sale("2", person=person, happened_at=NOW - DAY))
    first = take(brand, sale("1", person=person, happened_at=NOW - 9 * DAY))
    take(brand, lead(person=person, happened_at=NOW - 20 * DAY))
    assert stages(brand) == [("customer", NOW - 9 * DAY), ("lead", NOW - 20 * DAY)]
    assert LeadStageEvent.objects.get(stage="customer").conversion == first
    assert Contact.objects.get().stage == Stage.CUSTOMER


def test_merged_people_reach_a_stage_once(brand: Brand) -> None:
    first = take(brand, sale("1", person=by("a@example.com"))).identity
    second = meet(brand=brand, met=Met("email", "b@example.com"), now=NOW)
    assert first is not None
    Identity.objects.filter(pk=second.pk).update(contact=first.contact)  # as a merge does
    take(brand, sale("2", person=by("b@example.com")))
    assert len(stages(brand)) == 1


def test_a_conversion_of_nobody_makes_no_customer(brand: Brand) -> None:
    take(brand, sale())
    assert stages(brand) == []


# --- refunds ----------------------------------------------------------------------------------


def test_partial_refunds_add_up_to_the_value_and_no_further(brand: Brand) -> None:
    made = take(brand, sale(value="100"))
    give_back(made, "30", "R-1")
    give_back(made, "70", "R-2")
    with pytest.raises(Refused) as caught:
        give_back(made, "0.01", "R-3")
    assert caught.value.problem is Problem.EXCEEDS_VALUE
    assert caught.value.facts["remains"] == "0"
    made.refresh_from_db()
    assert made.refunded == 100
    assert made.net == 0
    assert Refund.objects.count() == 2


def test_a_refund_beyond_the_value_is_refused_and_changes_nothing(brand: Brand) -> None:
    made = take(brand, sale(value="100", person=by("a@example.com")))
    with pytest.raises(Refused):
        give_back(made, "100.01")
    made.refresh_from_db()
    assert made.refunded == 0
    assert not Refund.objects.exists()
    assert not Activity.objects.filter(kind="refund").exists()


def test_a_refund_twice_is_a_refund_once(brand: Brand) -> None:
    made = take(brand, sale(value="100"))
    first, is_new = give_back(made, "60")
    again, is_new_again = give_back(made, "60")
    assert (is_new, is_new_again) == (True, False)
    assert first == again
    made.refresh_from_db()
    assert made.refunded == 60


def test_another_amount_under_the_same_refund_number_differs(brand: Brand) -> None:
    made = take(brand, sale(value="100"))
    give_back(made, "60")
    with pytest.raises(RefundDiffers) as caught:
        give_back(made, "40")
    assert caught.value.fields == ("amount",)
    made.refresh_from_db()
    assert made.refunded == 60


@pytest.mark.parametrize(
    ("amount", "problem"),
    [("0", Problem.NOT_POSITIVE), ("-1", Problem.NOT_POSITIVE), ("0.001", Problem.TOO_MANY_DECIMALS)],
)
def test_a_wrong_refund_is_refused(brand: Brand, amount: str, problem: Problem) -> None:
    made = take(brand, sale())
    with pytest.raises(Refused) as caught:
        give_back(made, amount)
    assert caught.value.problem is problem
    assert not Refund.objects.exists()


def test_a_lead_is_not_refunded_and_an_unknown_sale_is_unknown(brand: Brand, other_brand: Brand) -> None:
    with pytest.raises(Refused) as caught:
        give_back(take(brand, lead(value=Decimal(10))), "1")
    assert caught.value.problem is Problem.NOT_A_SALE
    theirs = take(other_brand, sale("theirs"))
    theirs.brand = brand
    with pytest.raises(ConversionUnknown):
        give_back(theirs, "1")
    assert not Refund.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_refunds_at_once_do_not_give_back_more_than_was_paid(brand: Brand) -> None:
    made = take(brand, sale(value="100"))
    problems: list[Problem | None] = []
    start = threading.Barrier(3)

    def run(number: str) -> None:
        try:
            start.wait()
            give_back(made, "60", number)
            problems.append(None)
        except Refused as refused:
            problems.append(refused.problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[f"R-{n}"]) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(problems, key=str) == [None, Problem.EXCEEDS_VALUE, Problem.EXCEEDS_VALUE]
    made.refresh_from_db()
    assert made.refunded == 60


# --- by hand ----------------------------------------------------------------------------------


def test_what_a_person_enters_by_hand_is_in_the_audit_log_without_its_number(
    brand: Brand, marketer: User
) -> None:
    made, _is_new = report_conversion(
        brand=brand, report=sale("ORDER-77"), origin=Origin(Source.MANUAL, actor=marketer), now=NOW
    )
    give_back(made, "1", actor=marketer)
    entries = list(AuditEntry.objects.order_by("pk"))
    assert [entry.action for entry in entries] == ["conversion.added", "conversion.refunded"]
    assert all(entry.actor == marketer for entry in entries)
    assert "ORDER-77" not in "".join(f"{entry.subject_name}{entry.detail}" for entry in entries)


# --- dry run ----------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_become_of_each_and_writes_nothing(
    brand: Brand, campaign: Campaign
) -> None:
    take(brand, sale("old"))
    earlier: dict[Any, Any] = {}
    first = judge_conversions(
        brand=brand,
        reports=[sale("old"), sale("old", value="1"), sale("new"), sale("bad", currency="JPY")],
        earlier=earlier,
        now=NOW,
    )
    second = judge_conversions(
        brand=brand, reports=[sale("new"), sale("new", value="1")], earlier=earlier, now=NOW
    )
    assert [outcome.is_new for outcome in [*first, *second]] == [False, False, True, False, False, False]
    assert [outcome.refused.problem if outcome.refused else None for outcome in [*first, *second]] == [
        None,
        Problem.DIFFERS,
        None,
        Problem.CURRENCY_MISMATCH,
        None,
        Problem.DIFFERS,
    ]
    assert first[2].conversion is None
    assert first[2].place is not None
    assert first[2].place.notice == ConversionNotice.NO_CAMPAIGN
    assert Conversion.objects.count() == 1
    assert not Identity.objects.exists()
