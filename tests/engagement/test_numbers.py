"""Response rate and time: what counts, and in which of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Brand, SocialAccount
from engagement.models import Conversation, EpisodeEnd, Message, SlaPolicy, WaitEpisode
from engagement.selectors.numbers import (
    AnswerNumbers,
    answers,
    answers_by_account,
    answers_of_brands,
    inbound_by_day,
    last_days,
)
from tests.cast import make_account
from tests.engagement.conftest import DAY, HOUR, MINUTE, NOON, US, comment

Take = Callable[..., int]


@pytest.fixture
def waited(take: Take, sandbox_account: SocialAccount) -> Callable[..., WaitEpisode]:
    """`waited(at=..., minutes=30)` was answered after 30 minutes, `how=""` not yet."""

    def make(
        at: dt.datetime = NOON,
        minutes: int = 30,
        how: str = EpisodeEnd.ANSWERED,
        due_in: dt.timedelta = 4 * HOUR,
        account: SocialAccount = sandbox_account,
    ) -> WaitEpisode:
        take(comment(at=at), now=at, account=account)
        episode = WaitEpisode.objects.order_by("-id").first()
        assert episode is not None
        episode.due_at = at + due_in
        if how:
            episode.ended_how, episode.ended_at = how, at + minutes * MINUTE
            if how == EpisodeEnd.ANSWERED:
                episode.calendar_s = episode.business_s = minutes * 60
        episode.save()
        return episode

    return make


def numbers(brand: Brand, now: dt.datetime = NOON + DAY, **given: object) -> AnswerNumbers:
    values: dict[str, object] = {"start": NOON - DAY, "end": NOON + DAY}
    return answers(brands=[brand], now=now, **values | given)  # type: ignore[arg-type]


@pytest.mark.django_db
def test_the_rate_is_answered_of_all_that_needed_an_answer(
    brand: Brand, waited: Callable[..., WaitEpisode]
) -> None:
    for _ in range(3):
        waited()
    waited(how="")
    found = numbers(brand)
    assert (found.answered, found.actionable, found.unanswered, found.pending) == (3, 4, 1, 0)
    assert found.rate.value == Decimal("0.75")


@pytest.mark.django_db
def test_who_has_not_waited_too_long_yet_stands_apart(
    brand: Brand, waited: Callable[..., WaitEpisode]
) -> None:
    waited()
    waited(how="")
    found = numbers(brand, now=NOON + HOUR)
    assert (found.answered, found.actionable, found.pending, found.unanswered) == (1, 1, 1, 0)
    assert found.rate.value == Decimal(1)
    assert found.waiting == 1


@pytest.mark.django_db
@pytest.mark.parametrize("how", [EpisodeEnd.NO_ANSWER_NEEDED, EpisodeEnd.WITHDRAWN])
def test_who_needed_no_answer_counts_nowhere(
    brand: Brand, waited: Callable[..., WaitEpisode], how: EpisodeEnd
) -> None:
    waited(how=how)
    assert numbers(brand) == AnswerNumbers()
    assert numbers(brand).rate.value is None
    assert numbers(brand).median_s is None


@pytest.mark.django_db
def test_late_answers_are_answers_and_not_in_time(brand: Brand, waited: Callable[..., WaitEpisode]) -> None:
    waited(minutes=30)
    waited(minutes=300)
    found = numbers(brand)
    assert (found.answered, found.in_time) == (2, 1)
    assert found.in_time_rate.value == Decimal("0.5")


@pytest.mark.django_db
def test_it_counts_when_the_waiting_began_and_not_when_it_ended(
    brand: Brand, waited: Callable[..., WaitEpisode]
) -> None:
    waited(at=NOON, minutes=2 * 24 * 60)
    assert numbers(brand, start=NOON, end=NOON + MINUTE).answered == 1
    assert numbers(brand, start=NOON + DAY, end=NOON + 3 * DAY).answered == 0
    # Half-open: the end is not in it.
    assert numbers(brand, start=NOON - DAY, end=NOON).answered == 0


@pytest.mark.django_db
def test_median_and_ninetieth_percentile(brand: Brand, waited: Callable[..., WaitEpisode]) -> None:
    for minutes in (10, 20, 30, 40, 1000):
        waited(minutes=minutes)
    found = numbers(brand)
    assert sorted(found.business_s) == [600, 1200, 1800, 2400, 60_000]
    assert found.median_s == 1800
    assert found.p90_s == Decimal(36960)  # between the two longest, in proportion
    assert found.median_calendar_s == 1800


@pytest.mark.django_db
def test_of_one_account_and_of_other_brands(
    brand: Brand, other_brand: Brand, sandbox_account: SocialAccount, waited: Callable[..., WaitEpisode]
) -> None:
    second, foreign = make_account(brand, handle="second"), make_account(other_brand, handle="tea")
    waited()
    waited(account=second)
    waited(account=foreign)
    assert numbers(brand).answered == 2
    assert numbers(brand, account=second).answered == 1
    by_account = answers_by_account(
        brands=[brand, other_brand], start=NOON - DAY, end=NOON + DAY, now=NOON + DAY
    )
    assert {pk: one.answered for pk, one in by_account.items()} == {
        sandbox_account.pk: 1,
        second.pk: 1,
        foreign.pk: 1,
    }


def test_numbers_of_parts_add_up() -> None:
    one = AnswerNumbers(
        actionable=3,
        answered=2,
        unanswered=1,
        pending=4,
        business_s=[60, 90],
        calendar_s=[60, 900],
        in_time=1,
    )
    other = AnswerNumbers(
        actionable=1, answered=1, unanswered=0, pending=0, business_s=[30], calendar_s=[40], in_time=1
    )
    assert sum([one, other], AnswerNumbers()) == AnswerNumbers(
        actionable=4,
        answered=3,
        unanswered=1,
        pending=4,
        business_s=[60, 90, 30],
        calendar_s=[60, 900, 40],
        in_time=2,
    )


# --- messages by day ------------------------------------------------------------------------------


@pytest.mark.django_db
def test_messages_are_counted_on_the_date_of_the_brands_zone(take: Take, brand: Brand) -> None:
    late = dt.datetime(2026, 3, 10, 23, 30, tzinfo=dt.UTC)  # 00:30 of the next day in Berlin
    take(
        comment(at=NOON, remote_id="c1", thread="c1"),
        comment(at=late, remote_id="c2"),
        comment("Ours", by=US, at=NOON + MINUTE, thread="c1"),
        now=late,
    )
    found = inbound_by_day(brand=brand, start=NOON - DAY, end=NOON + 5 * DAY)
    assert found == {dt.date(2026, 3, 10): 1, dt.date(2026, 3, 11): 1}


@pytest.mark.django_db
def test_what_was_erased_still_counts(take: Take, brand: Brand) -> None:
    from engagement.services.erasure import erase

    take(comment())
    erase([Message.objects.get().identity_id], NOON + DAY)  # type: ignore[list-item]
    assert inbound_by_day(brand=brand, start=NOON - DAY, end=NOON + DAY) == {dt.date(2026, 3, 10): 1}


# --- the page ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_each_brand_has_its_own_days_and_target(
    brand: Brand,
    other_brand: Brand,
    waited: Callable[..., WaitEpisode],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    SlaPolicy.objects.create(brand=other_brand, answer_within_minutes=30)
    tea = make_account(other_brand, handle="tea")
    # Berlin: still the 9th of March; Tokyo: the 10th already.
    edge = dt.datetime(2026, 3, 9, 22, 0, tzinfo=dt.UTC)
    waited(at=edge)
    waited(at=edge, account=tea)
    brands = list(Brand.objects.select_related("sla_policy").order_by("name"))
    with django_assert_max_num_queries(3):
        found = answers_of_brands(brands, days=1, now=NOON)
    by_name = {one.brand.name: (one.target_s, one.numbers.answered) for one in found}
    assert by_name == {"Harbour Coffee": (240 * 60, 0), "Harbour Tea": (30 * 60, 1)}


@pytest.mark.django_db
def test_the_last_days_are_whole_days_over_the_change_of_the_clock(brand: Brand) -> None:
    start, end = last_days(brand, 7, dt.datetime(2026, 3, 29, 12, 0, tzinfo=dt.UTC))
    assert end - start == 7 * DAY - HOUR  # one of them has 23 hours
    assert Conversation.objects.count() == 0
