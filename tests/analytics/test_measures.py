"""One number, wherever it stands: values with their sides, against what is counted by hand."""

from __future__ import annotations

import datetime as dt
import statistics
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Brand, SocialAccount
from analytics.models import PostMetrics
from analytics.selectors.cohorts import cohorts
from analytics.selectors.figures import compared
from analytics.selectors.measures import Measured, families, measure
from analytics.selectors.sources import LABELS, Source, sources_of
from analytics.selectors.subjects import Period, Subject
from campaigns.models import CostKind
from engagement.models import EpisodeEnd
from metrics import formulas
from metrics.registry import METRICS, DifferentDefinitions, Scope, latest, metric
from outbox.models import Delivery
from tests.analytics.history import (
    DAY,
    NOON,
    TODAY,
    campaign_of,
    clicked,
    converted,
    days_ago,
    followers,
    link_of,
    published,
    sold,
    spent,
    waited,
    worked,
)
from tests.cast import make_account

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_noon")]

D = Decimal
WEEK = Period(days_ago(6), TODAY)


def value(key: str, subject: Subject, period: Period = WEEK, **given: Any) -> Measured:
    return measure([key], subject, period, now=NOON, **given)[key]


def test_every_metric_is_measured_and_has_a_source_wherever_it_may_be_asked(
    brand: Brand, sandbox_account: SocialAccount
) -> None:
    post = published(sandbox_account, NOON - DAY, likes=1)
    subjects = {
        Scope.BRAND: Subject((brand,)),
        Scope.PLATFORM: Subject((brand,), platform="sandbox"),
        Scope.ACCOUNT: Subject((brand,), sandbox_account),
        Scope.CAMPAIGN: Subject((brand,), campaign=campaign_of(brand)),
        Scope.POST: Subject((brand,), delivery=post.delivery),
    }
    for scope, subject in subjects.items():
        assert subject.scope is scope
        keys = [m.key for m in latest() if scope in m.scopes]
        found = measure(keys, subject, WEEK, now=NOON)
        assert set(found) == set(keys)
        for key in keys:
            assert sources_of(metric(key), subject)
    assert set(LABELS) == set(Source)


def test_a_metric_is_in_one_family(brand: Brand) -> None:
    members = [key for keys, _family in families(Subject((brand,))) for key in keys]
    assert sorted(members) == sorted({m.key for m in METRICS if m.scopes != {Scope.POST}})


def test_what_cannot_be_asked_of_a_subject_has_no_value(brand: Brand) -> None:
    subject = Subject((brand,), campaign=campaign_of(brand))
    assert value("followers", subject).value is None


# --- accounts ---------------------------------------------------------------------------------


def test_followers_are_those_of_the_last_count_and_growth_is_of_accounts_that_were_there(
    brand: Brand, sandbox_account: SocialAccount
) -> None:
    followers(sandbox_account, {8: 1000, 7: 1010, 1: 1100})  # not counted today yet
    followers(make_account(brand, handle="new"), {0: 500})
    subject = Subject((brand,))
    assert value("followers", subject).value == 1600
    assert value("net_new_followers", subject).value == 90
    growth = value("follower_growth_rate", subject)
    assert (growth.sides.numerator, growth.sides.denominator) == (90, 1010)


def test_a_count_that_is_too_old_is_none(brand: Brand, sandbox_account: SocialAccount) -> None:
    followers(sandbox_account, {4: 1000})
    assert value("followers", Subject((brand,))).value is None


def test_a_period_sums_up_its_days(brand: Brand, sandbox_account: SocialAccount) -> None:
    for days in (0, 6, 7):
        worked(sandbox_account, days, published=2, likes=10, comments=1, inbound=3)
    found = measure(
        ["published_posts", "posting_frequency", "engagements", "likes", "shares", "inbound_messages"],
        Subject((brand,)),
        WEEK,
        now=NOON,
    )
    assert {key: one.value for key, one in found.items()} == {
        "published_posts": 4,
        "posting_frequency": 4,
        "engagements": 22,
        "likes": 20,
        "shares": None,  # the network does not tell them
        "inbound_messages": 6,
    }


def test_a_network_is_all_accounts_of_the_brand_there(brand: Brand, sandbox_account: SocialAccount) -> None:
    elsewhere = make_account(brand, platform="mastodon", handle="there")
    followers(sandbox_account, {0: 100})
    followers(elsewhere, {0: 7})
    assert value("followers", Subject((brand,), platform="mastodon")).value == 7


# --- posts ------------------------------------------------------------------------------------


def test_a_rate_is_a_ratio_of_sums_with_the_median_beside_it(
    brand: Brand, sandbox_account: SocialAccount
) -> None:
    for likes, reach in ((1, 100), (2, 100), (60, 100)):
        published(
            sandbox_account, NOON - DAY, likes=likes, shares=likes, impressions=reach, followers_at_post=1000
        )
    published(sandbox_account, NOON - DAY, likes=500)  # the other side is not known
    published(sandbox_account, NOON - 9 * DAY, likes=500, impressions=1, followers_at_post=1)
    by_followers = value("engagement_rate_by_followers", Subject((brand,)))
    assert (by_followers.sides.numerator, by_followers.sides.denominator) == (126, 3000)
    assert by_followers.value == D("0.042")
    assert by_followers.median == D("0.004")
    virality = value("virality_rate", Subject((brand,)))
    assert (virality.value, virality.median) == (D("0.21"), D("0.02"))


def test_the_rate_by_reach_weighs_each_post_by_its_reach_and_leaves_out_untold_ones(
    brand: Brand, sandbox_account: SocialAccount
) -> None:
    published(sandbox_account, NOON - DAY, likes=10, reach=100, impressions=200)
    published(sandbox_account, NOON - DAY, likes=10, reach=400, impressions=500)
    published(sandbox_account, NOON - DAY, likes=900, impressions=1000)  # reach is not told
    found = value("engagement_rate_by_reach", Subject((brand,)))
    assert (found.sides.numerator, found.sides.denominator) == (20, 500)
    assert (found.value, found.median) == (D("0.04"), D("0.0625"))


def test_reach_is_told_of_one_post_and_of_nothing_else(brand: Brand, sandbox_account: SocialAccount) -> None:
    row = published(sandbox_account, NOON - DAY, likes=7, reach=140, network_clicks=3)
    of_post = Subject((brand,), delivery=row.delivery)
    assert value("reach", of_post).value == 140
    assert value("network_clicks", of_post).value == 3
    assert value("engagement_rate_by_reach", of_post).value == D("0.05")
    for subject in (Subject((brand,)), Subject((brand,), sandbox_account)):
        assert value("reach", subject).value is None


def test_clicks_that_the_network_counts_are_not_those_on_tracked_links(
    brand: Brand, sandbox_account: SocialAccount
) -> None:
    published(sandbox_account, NOON - DAY, network_clicks=3)
    worked(sandbox_account, 1, network_clicks=3)
    assert value("network_clicks", Subject((brand,))).value == 3
    assert value("clicks", Subject((brand,))).value == 0


def test_watch_time_is_summed_up_in_seconds(brand: Brand, sandbox_account: SocialAccount) -> None:
    row = published(sandbox_account, NOON - DAY, watch_time=5400)
    assert value("watch_time", Subject((brand,), delivery=row.delivery)).value == 5400
    for days, gained in ((1, 5400), (2, 600)):
        worked(sandbox_account, days, watch_time=gained)
    for subject in (Subject((brand,)), Subject((brand,), sandbox_account)):
        assert value("watch_time", subject).value == 6000


def test_one_statement_reads_several_periods_and_each_account(
    brand: Brand, sandbox_account: SocialAccount
) -> None:
    other = make_account(brand, handle="second")
    published(sandbox_account, NOON - DAY, likes=1, impressions=10)
    published(other, NOON - 8 * DAY, likes=5, impressions=10)
    ids = [sandbox_account.pk, other.pk]
    now, before = cohorts(ids, [one.instants("UTC") for one in (WEEK, WEEK.before())])
    assert (now.total.posts, before.total.posts) == (1, 1)
    assert set(now.of_account) == {sandbox_account.pk}
    assert before.of_account[other.pk].by_impressions.value == D("0.5")


counts = st.none() | st.integers(0, 10**6)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(counts, counts, counts), max_size=9))
def test_the_database_computes_rates_as_the_formulas_do(
    brand: Brand, sandbox_account: SocialAccount, posts: list[tuple[int | None, int | None, int | None]]
) -> None:
    PostMetrics.objects.all().delete()
    Delivery.objects.all().delete()
    rows = [
        published(sandbox_account, NOON - DAY, likes=likes, impressions=reach, followers_at_post=base)
        for likes, reach, base in posts
    ]
    (cohort,) = cohorts([sandbox_account.pk], [WEEK.instants("UTC")])
    by_followers = [
        formulas.engagement_rate_by_followers(row, followers_at_post=row.followers_at_post) for row in rows
    ]
    assert cohort.total.by_followers.value == formulas.pooled(by_followers).value
    singles = [rate.value for rate in by_followers if rate.value is not None]
    if singles:
        assert cohort.total.by_followers_median is not None
        assert abs(cohort.total.by_followers_median - statistics.median(singles)) < D("1e-12")
    else:
        assert cohort.total.by_followers_median is None


def test_one_post_is_measured_so_far(brand: Brand, sandbox_account: SocialAccount) -> None:
    post = published(sandbox_account, NOON - 60 * DAY, likes=30, comments=12, followers_at_post=1200)
    subject = Subject((brand,), delivery=post.delivery)
    assert value("engagements", subject).value == 42
    assert value("engagement_rate_by_followers", subject).value == D("0.035")


# --- answers ----------------------------------------------------------------------------------


def test_answers_are_those_of_waits_that_began_in_the_period(
    brand: Brand, sandbox_account: SocialAccount
) -> None:
    for seconds in (600, 1200, 3000):
        waited(sandbox_account, NOON - 2 * DAY, business_s=seconds)
    waited(sandbox_account, NOON - 2 * DAY)  # overdue
    waited(sandbox_account, NOON)  # young
    waited(sandbox_account, NOON - 2 * DAY, ended_how=EpisodeEnd.NO_ANSWER_NEEDED)
    waited(sandbox_account, NOON - 20 * DAY, business_s=1)
    rate = value("response_rate", Subject((brand,)))
    assert (rate.sides.numerator, rate.sides.denominator) == (3, 4)
    assert value("response_time_median", Subject((brand,))).value == 1200
    assert value("response_time_p90", Subject((brand,))).value == 2640
    assert value("response_time_median_calendar", Subject((brand,))).value == 2400
    elsewhere = Subject((brand,), platform="mastodon")
    assert value("response_rate", elsewhere).value is None


# --- campaigns --------------------------------------------------------------------------------


def test_money_of_a_campaign(brand: Brand) -> None:
    """The worked numbers of docs/metrics.md, with everything spent on media."""
    campaign = campaign_of(brand, margin_rate=D("0.5"))
    other = campaign_of(brand, "Other")
    spent(campaign, 3_000_000)
    spent(other, 77)
    for _ in range(1000):
        converted(brand, campaign=campaign)
    for _ in range(100):
        sold(brand, 48_000, campaign=campaign)
    keys = ("spend", "leads", "customers", "cpl", "cac", "roas", "roi_revenue", "roi_margin", "cpa")
    found = measure(keys, Subject((brand,), campaign=campaign), WEEK, now=NOON)
    assert {key: one.value for key, one in found.items()} == {
        "spend": 3_000_000,
        "leads": 1000,
        "customers": 100,
        "cpl": 3000,
        "cac": 30_000,
        "roas": D("1.6"),
        "roi_revenue": D("0.6"),
        "roi_margin": D("-0.2"),
        "cpa": D(3_000_000) / 1100,
    }
    assert value("spend", Subject((brand,))).value == 3_000_077


def test_ad_spend_is_the_media_part(brand: Brand) -> None:
    campaign = campaign_of(brand)
    spent(campaign, 100)
    spent(campaign, 300, kind=CostKind.LABOUR)
    sold(brand, 200, campaign=campaign)
    subject = Subject((brand,), campaign=campaign)
    assert value("roas", subject).value == 2
    assert value("roi_revenue", subject).value == D("-0.5")


def test_click_through_is_of_posts_with_links_and_known_impressions(
    brand: Brand, sandbox_account: SocialAccount
) -> None:
    campaign = campaign_of(brand)
    seen = published(sandbox_account, NOON - DAY, impressions=1000)
    blind = published(sandbox_account, NOON - DAY, likes=1)
    published(sandbox_account, NOON - DAY, impressions=5000)  # no link
    link = link_of(brand, campaign=campaign, post=seen)
    clicked(link, 20)
    clicked(link, 5, is_bot=True)
    clicked(link_of(brand, campaign=campaign, post=blind), 9)
    clicked(link_of(brand, post=seen), 10)
    rate = value("ctr", Subject((brand,), campaign=campaign))
    assert (rate.sides.numerator, rate.sides.denominator) == (20, 1000)
    whole = value("ctr", Subject((brand,)))
    assert (whole.sides.numerator, whole.sides.denominator) == (30, 1000)


def test_a_network_has_the_conversions_of_its_clicks(brand: Brand) -> None:
    campaign = campaign_of(brand)
    here, there = (link_of(brand, campaign=campaign, platform=name) for name in ("sandbox", "mastodon"))
    converted(brand, campaign=campaign, click=clicked(here, 3))
    converted(brand, campaign=campaign, click=clicked(there, 5))
    converted(brand, campaign=campaign)
    spent(campaign, 60, platform="mastodon")
    subject = Subject((brand,), platform="mastodon")
    assert (value("clicks", subject).value, value("leads", subject).value) == (5, 1)
    assert value("cpc", subject).value == 12
    assert value("spend", Subject((brand,), platform="sandbox")).value == 0


def test_a_budget_paces_over_its_flight(brand: Brand) -> None:
    campaign = campaign_of(brand)
    campaign.budget_lines.create(kind=CostKind.MEDIA, amount=3100)
    spent(campaign, 900)
    pace = value("pacing", Subject((brand,), campaign=campaign))
    assert (pace.sides.numerator, pace.sides.denominator) == (900, 1000)  # ten of 31 days


def test_amounts_of_two_currencies_are_not_added_up(brand: Brand, other_brand: Brand) -> None:
    for one in (brand, other_brand):
        spent(campaign_of(one), 100)
    assert value("spend", Subject((brand, other_brand))).value is None


# --- periods and comparisons --------------------------------------------------------------------


def test_a_period_knows_the_one_before_it() -> None:
    assert WEEK.days == 7
    assert WEEK.before() == Period(days_ago(13), days_ago(7))
    assert WEEK.eve == days_ago(7)
    march = Period(dt.date(2026, 3, 29), dt.date(2026, 3, 29))
    instants = march.instants("Europe/Berlin")
    assert instants.end - instants.start == dt.timedelta(hours=23)


def test_numbers_of_two_definitions_are_not_compared() -> None:
    with pytest.raises(DifferentDefinitions):
        compared(Measured(metric("likes"), D(1)), Measured(metric("shares"), D(1)))


def test_a_change_is_told_relative_and_of_a_share_in_points() -> None:
    count = compared(Measured(metric("leads"), D(110)), Measured(metric("leads"), D(100)))
    assert (count.change, count.is_better) == (D("0.1"), True)
    share = compared(Measured(metric("ctr"), D("0.02")), Measured(metric("ctr"), D("0.03")))
    assert (share.change, share.is_better) == (D("-0.01"), False)
    cost = compared(Measured(metric("cpl"), D(90)), Measured(metric("cpl"), D(100)))
    assert cost.is_better is True
    nothing = compared(Measured(metric("leads"), D(5)), Measured(metric("leads"), D(0)))
    assert (nothing.change, nothing.is_better) == (None, None)
    neutral = compared(Measured(metric("spend"), D(5)), Measured(metric("spend"), D(1)))
    assert neutral.is_better is None
