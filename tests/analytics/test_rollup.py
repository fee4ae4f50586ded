from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Brand, SocialAccount
from analytics.models import AccountDay, PostMetrics, PostSnapshot
from analytics.selectors.subjects import Period
from analytics.services.rollup import ANSWERED_WITHIN, COUNTS, roll_up, roll_up_period
from engagement.models import EpisodeEnd
from outbox.models import Delivery, DeliveryKind
from tests.analytics.history import DAY, NOON, TODAY, days_ago, followers, published, snapshot, waited
from tests.cast import make_account

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_noon")]

HOUR = dt.timedelta(hours=1)


def day(account: SocialAccount, days: int) -> AccountDay:
    return AccountDay.objects.get(account=account, date=days_ago(days))


def test_what_posts_gained_is_the_last_count_of_a_date_less_the_last_one_before(
    brand: Brand, sandbox_account: SocialAccount
) -> None:
    post = published(sandbox_account, NOON - 3 * DAY)
    snapshot(post, NOON - 2 * DAY, likes=10, impressions=100)
    snapshot(post, NOON - 2 * DAY + HOUR, likes=12, impressions=130)
    snapshot(post, NOON - DAY, likes=15, impressions=190)
    roll_up(brand=brand, now=NOON)
    assert (day(sandbox_account, 2).likes, day(sandbox_account, 2).impressions) == (12, 130)
    assert (day(sandbox_account, 1).likes, day(sandbox_account, 1).impressions) == (3, 60)
    assert day(sandbox_account, 1).counted_at == NOON - DAY
    assert day(sandbox_account, 0).likes is None  # nothing was counted today


def test_the_networks_clicks_are_summed_up_and_reach_never_is(
    brand: Brand, sandbox_account: SocialAccount
) -> None:
    for _ in range(2):
        post = published(sandbox_account, NOON - 3 * DAY)
        snapshot(post, NOON - 2 * DAY, network_clicks=5, watch_time=60, reach=100)
        snapshot(post, NOON - DAY, network_clicks=12, watch_time=180, reach=140)
    roll_up(brand=brand, now=NOON)
    assert (day(sandbox_account, 2).network_clicks, day(sandbox_account, 1).network_clicks) == (10, 14)
    assert (day(sandbox_account, 2).watch_time, day(sandbox_account, 1).watch_time) == (120, 240)
    assert not hasattr(day(sandbox_account, 1), "reach")


def test_likes_that_were_taken_back_count_against_the_date(
    brand: Brand, sandbox_account: SocialAccount
) -> None:
    post = published(sandbox_account, NOON - 3 * DAY)
    snapshot(post, NOON - 2 * DAY, likes=10)
    snapshot(post, NOON - DAY, likes=7)
    roll_up(brand=brand, now=NOON)
    assert day(sandbox_account, 1).likes == -3


def test_what_a_network_does_not_tell_stays_unknown(brand: Brand, sandbox_account: SocialAccount) -> None:
    post = published(sandbox_account, NOON - 2 * DAY)
    snapshot(post, NOON - DAY, likes=10, impressions=None)
    roll_up(brand=brand, now=NOON)
    assert day(sandbox_account, 1).likes == 10
    assert day(sandbox_account, 1).impressions is None


def test_a_date_begins_at_midnight_of_the_brand(brand: Brand, sandbox_account: SocialAccount) -> None:
    """23:30 UTC is 00:30 of the next date in Berlin."""
    late = NOON.replace(hour=23, minute=30) - 2 * DAY
    post = published(sandbox_account, late)
    snapshot(post, late, likes=4)
    roll_up(brand=brand, now=NOON)
    assert (day(sandbox_account, 1).published, day(sandbox_account, 1).likes) == (1, 4)
    assert not AccountDay.objects.filter(date=days_ago(2), published__gt=0).exists()


def test_replies_are_no_posts_and_accounts_are_counted_apart(
    brand: Brand, sandbox_account: SocialAccount
) -> None:
    other = make_account(brand, handle="second")
    published(sandbox_account, NOON - DAY)
    published(other, NOON - DAY)
    reply = published(other, NOON - DAY)
    Delivery.objects.filter(pk=reply.delivery_id).update(kind=DeliveryKind.REPLY)
    roll_up(brand=brand, now=NOON)
    assert [day(account, 1).published for account in (sandbox_account, other)] == [1, 1]


def test_messages_and_waits_are_counted_on_the_date_they_began(
    brand: Brand, sandbox_account: SocialAccount
) -> None:
    waited(sandbox_account, NOON - DAY, business_s=600)
    waited(sandbox_account, NOON - DAY)  # overdue by now
    waited(sandbox_account, NOON - DAY, ended_how=EpisodeEnd.NO_ANSWER_NEEDED)
    waited(sandbox_account, NOON - HOUR)  # still young
    roll_up(brand=brand, now=NOON)
    yesterday, today = day(sandbox_account, 1), day(sandbox_account, 0)
    assert (yesterday.inbound, yesterday.actionable, yesterday.answered) == (3, 2, 1)
    assert (today.inbound, today.actionable, today.answered) == (1, 0, 0)


def test_an_answer_that_comes_late_is_added_to_the_date_of_the_wait(
    brand: Brand, sandbox_account: SocialAccount
) -> None:
    late = waited(sandbox_account, NOON - 10 * DAY)
    roll_up(brand=brand, now=NOON - DAY)
    assert day(sandbox_account, 10).answered == 0
    late.ended_at, late.ended_how, late.business_s = NOON, EpisodeEnd.ANSWERED, 9999
    late.save()
    roll_up(brand=brand, now=NOON)
    assert day(sandbox_account, 10).answered == 1
    assert dt.timedelta(days=10) < ANSWERED_WITHIN


def test_summing_up_again_changes_nothing(brand: Brand, sandbox_account: SocialAccount) -> None:
    post = published(sandbox_account, NOON - 3 * DAY)
    snapshot(post, NOON - 2 * DAY, likes=10)
    snapshot(post, NOON - HOUR, likes=14)
    roll_up(brand=brand, now=NOON)
    first = list(AccountDay.objects.order_by("pk").values())
    roll_up(brand=brand, now=NOON)
    assert list(AccountDay.objects.order_by("pk").values()) == first


def test_dates_that_were_missed_are_made_up_for(brand: Brand, sandbox_account: SocialAccount) -> None:
    roll_up(brand=brand, now=NOON - 6 * DAY)
    post = published(sandbox_account, NOON - 5 * DAY)
    for days in (4, 3, 1):
        snapshot(post, NOON - days * DAY, likes=100 - 10 * days)
    roll_up(brand=brand, now=NOON)
    assert [day(sandbox_account, days).likes for days in (4, 3, 1)] == [60, 10, 20]
    assert day(sandbox_account, 5).published == 1


def test_the_counts_of_the_network_are_left_alone(brand: Brand, sandbox_account: SocialAccount) -> None:
    followers(sandbox_account, {0: 1234})
    roll_up(brand=brand, now=NOON)
    assert day(sandbox_account, 0).followers == 1234
    assert day(sandbox_account, 0).published == 0
    assert day(sandbox_account, 0).taken_at == NOON


def test_another_brand_is_left_alone(
    brand: Brand, other_brand: Brand, sandbox_account: SocialAccount
) -> None:
    other = make_account(other_brand, handle="theirs")
    published(other, NOON - DAY)
    roll_up(brand=brand, now=NOON)
    assert not AccountDay.objects.filter(account=other).exists()


def test_a_brand_without_accounts_has_nothing_to_sum_up(brand: Brand) -> None:
    assert roll_up(brand=brand, now=NOON) == 0


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 9 * 24 * 60), st.integers(0, 10**6)),
            min_size=1,
            max_size=8,
            unique_by=lambda pair: pair[0],
        ),
        min_size=1,
        max_size=3,
    ),
    st.integers(1, 9),
)
def test_all_that_was_gained_adds_up_to_the_last_counts_however_it_is_split(
    brand: Brand, sandbox_account: SocialAccount, posts: list[list[tuple[int, int]]], cut: int
) -> None:
    AccountDay.objects.all().delete()
    PostMetrics.objects.all().delete()
    Delivery.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM analytics_postsnapshot")
    start = NOON - 10 * DAY
    for counts in posts:
        post = published(sandbox_account, start)
        for minutes, likes in sorted(counts):
            snapshot(post, start + dt.timedelta(minutes=minutes), likes=likes)
    first = days_ago(11)
    roll_up_period(brand=brand, period=Period(first, days_ago(cut)), now=NOON)
    roll_up_period(brand=brand, period=Period(days_ago(cut - 1), TODAY), now=NOON)
    gained = sum(row.likes or 0 for row in AccountDay.objects.all())
    assert gained == sum(max(counts)[1] for counts in posts)


def test_every_count_of_a_post_but_its_reach_is_summed_up() -> None:
    counted = {field.name for field in PostSnapshot._meta.fields} - {"pk", "delivery", "taken_at"}
    assert counted - {"reach"} == set(COUNTS)


def test_the_clock_of_summing_up_is_the_callers(
    brand: Brand, sandbox_account: SocialAccount, sent: Callable[..., Delivery]
) -> None:
    roll_up(brand=brand, now=NOON)
    assert day(sandbox_account, 0).rolled_at == NOON
