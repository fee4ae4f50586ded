"""Setting goals: baselines, targets, what is refused, who may see and change them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, Brand, Membership, Role, SocialAccount, User
from analytics.models import MONEY_METRICS, Checkin, DriverLink, Evidence, Goal
from analytics.selectors.goals import live
from analytics.services import goals as service
from analytics.services.goals import GoalRefused, LinkRefusal, LinkRefused, NewGoal, Refusal
from metrics.goals import GoalKind, Status
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
    worked,
)
from tests.cast import make_account

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_noon")]

D = Decimal


def new(**given: Any) -> NewGoal:
    """+1,000 followers in thirty days, of which ten are over today; other fields as given."""
    values: dict[str, Any] = {
        "name": "A thousand more",
        "kind": GoalKind.DELTA,
        "metric": "followers",
        "starts_on": days_ago(9),
        "ends_on": days_ago(9) + 29 * DAY,
        "amount": D(1000),
        **given,
    }
    return NewGoal(**values)


def leads(**given: Any) -> NewGoal:
    return new(name="Leads", kind=GoalKind.CUMULATIVE, metric="leads", **given)


def refusal_of(brand: Brand, owner: User, goal: NewGoal) -> Refusal:
    """The refusal of a goal, of which nothing is left behind."""
    audit = AuditEntry.objects.count()
    with pytest.raises(GoalRefused) as refused:
        service.create_goal(brand=brand, new=goal, actor=owner, now=NOON)
    assert not Goal.objects.exists()
    assert not Checkin.objects.exists()
    assert AuditEntry.objects.count() == audit
    return refused.value.refusal


# --- baselines and targets --------------------------------------------------------------------


def test_a_level_starts_where_it_stood_on_the_eve(
    brand: Brand, owner: User, sandbox_account: SocialAccount
) -> None:
    followers(sandbox_account, {11: 4100, 10: 4200, 9: 4230, 0: 4500})
    goal = service.create_goal(brand=brand, new=new(), actor=owner, now=NOON)
    assert (goal.baseline, goal.target) == (4200, 5200)
    assert goal.baseline_from == goal.baseline_to == days_ago(10)
    assert goal.baseline_locked_at == NOON


def test_what_happened_starts_from_the_period_of_the_same_length_before(brand: Brand, owner: User) -> None:
    for days, number in ((39, 400), (40, 7), (9, 50)):
        for _ in range(number):
            converted(brand, at=NOON - days * DAY)
    more = new(kind=GoalKind.PERCENT_CHANGE, metric="conversions", amount=D(15))
    goal = service.create_goal(brand=brand, new=more, actor=owner, now=NOON)
    assert (goal.baseline_from, goal.baseline_to) == (days_ago(39), days_ago(10))
    assert (goal.baseline, goal.target) == (400, 460)


def test_a_goal_that_begins_later_starts_from_today(
    brand: Brand, owner: User, sandbox_account: SocialAccount
) -> None:
    followers(sandbox_account, {0: 4500})
    later = new(starts_on=TODAY + 5 * DAY, ends_on=TODAY + 34 * DAY)
    goal = service.create_goal(brand=brand, new=later, actor=owner, now=NOON)
    assert (goal.baseline, goal.baseline_to) == (4500, TODAY)
    assert not goal.checkins.exists()


def test_a_baseline_can_be_typed_with_a_reason(brand: Brand, owner: User) -> None:
    typed = new(baseline=D(4000), baseline_reason="From the old tool")
    goal = service.create_goal(brand=brand, new=typed, actor=owner, now=NOON)
    assert (goal.baseline, goal.target, goal.baseline_to) == (4000, 5000, None)
    assert goal.baseline_reason == "From the old tool"


def test_a_count_and_its_rate_are_two_goals(brand: Brand, owner: User) -> None:
    """+15 % conversions and +15 % conversion rate: the same words, another target."""
    link = link_of(brand)
    clicked(link, 100, at=NOON - 20 * DAY)
    for _ in range(20):
        converted(brand, at=NOON - 20 * DAY)
    targets = {
        key: service.create_goal(
            brand=brand,
            new=new(kind=GoalKind.PERCENT_CHANGE, metric=key, amount=D(15)),
            actor=owner,
            now=NOON,
        ).target
        for key in ("conversions", "conversion_rate")
    }
    assert targets == {"conversions": 23, "conversion_rate": D("0.23")}


def test_a_goal_of_an_account_counts_that_account(
    brand: Brand, owner: User, sandbox_account: SocialAccount
) -> None:
    other = make_account(brand, handle="second")
    followers(sandbox_account, {10: 100, 0: 150})
    followers(other, {10: 900, 0: 990})
    goal = service.create_goal(brand=brand, new=new(account=other, amount=D(200)), actor=owner, now=NOON)
    assert goal.baseline == 900
    assert live(goal, now=NOON).standing.actual == 990


def test_an_account_that_is_connected_later_brings_no_won_followers(
    brand: Brand, owner: User, sandbox_account: SocialAccount
) -> None:
    followers(sandbox_account, {10: 100, 0: 150})
    goal = service.create_goal(brand=brand, new=new(amount=D(200)), actor=owner, now=NOON)
    followers(make_account(brand, handle="bought"), {0: 10_000})
    assert live(goal, now=NOON).standing.actual == 150


def test_money_is_in_the_currency_of_what_it_is_of(brand: Brand, owner: User) -> None:
    campaign = campaign_of(brand, currency="JPY")
    limit = new(kind=GoalKind.AT_MOST, metric="cpl", campaign=campaign, amount=D(3000))
    assert service.create_goal(brand=brand, new=limit, actor=owner, now=NOON).currency == "JPY"
    assert service.create_goal(brand=brand, new=leads(), actor=owner, now=NOON).currency == ""


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"ends_on": days_ago(10)}, Refusal.ENDS_BEFORE_START),
        ({"ends_on": TODAY + 1200 * DAY}, Refusal.TOO_LONG),
        ({"kind": GoalKind.CUMULATIVE}, Refusal.KIND_DOES_NOT_FIT),
        ({"kind": GoalKind.RATIO, "metric": "cpl"}, Refusal.KIND_DOES_NOT_FIT),
        ({}, Refusal.NO_BASELINE),
        ({"kind": GoalKind.PERCENT_CHANGE, "metric": "conversions"}, Refusal.ZERO_BASELINE),
        ({"baseline": D(5)}, Refusal.BASELINE_WITHOUT_REASON),
        ({"baseline": D(5), "baseline_reason": "x", "amount": D(0)}, Refusal.NO_WAY),
        ({"kind": GoalKind.CUMULATIVE, "metric": "leads", "amount": D(0)}, Refusal.NO_WAY),
        ({"baseline": D(5), "baseline_reason": "x", "amount": D(10) ** 15}, Refusal.AMOUNT_TOO_LARGE),
    ],
)
def test_a_goal_that_cannot_be_is_refused(
    brand: Brand, owner: User, sandbox_account: SocialAccount, given: dict[str, Any], refusal: Refusal
) -> None:
    assert refusal_of(brand, owner, new(**given)) is refusal


def test_a_metric_is_refused_for_what_it_is_not_counted_for(brand: Brand, owner: User) -> None:
    given = new(campaign=campaign_of(brand), baseline=D(5), baseline_reason="x")
    assert refusal_of(brand, owner, given) is Refusal.SCOPE_DOES_NOT_FIT


def test_nobody_is_responsible_for_what_they_may_not_see(
    brand: Brand, owner: User, responder: User, stranger: User
) -> None:
    revenue = new(kind=GoalKind.CUMULATIVE, metric="revenue")
    for person in (responder, stranger):
        assert refusal_of(brand, owner, replace(revenue, owner=person)) is Refusal.OWNER_SEES_NOTHING
    assert (
        service.create_goal(brand=brand, new=leads(owner=responder), actor=owner, now=NOON).owner == responder
    )


def test_the_database_refuses_an_end_before_the_start_and_two_scopes(
    brand: Brand, owner: User, sandbox_account: SocialAccount
) -> None:
    goal = service.create_goal(brand=brand, new=leads(), actor=owner, now=NOON)
    for change in ({"ends_on": days_ago(20)}, {"platform": "sandbox", "account": sandbox_account}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Goal.objects.filter(pk=goal.pk).update(**change)


# --- changing ---------------------------------------------------------------------------------


def test_a_change_is_logged_and_leaves_the_baseline_alone(
    brand: Brand, owner: User, manager: User, sandbox_account: SocialAccount
) -> None:
    followers(sandbox_account, {10: 4200, 0: 4500})
    goal = service.create_goal(brand=brand, new=new(), actor=owner, now=NOON)
    followers_then = goal.baseline
    changed = service.change_goal(
        goal=goal,
        name="Twice as many",
        ends_on=goal.ends_on,
        amount=D(2000),
        owner=manager,
        actor=owner,
        now=NOON,
    )
    assert (changed.baseline, changed.target) == (followers_then, 6200)
    entry = AuditEntry.objects.get(action="goal.changed")
    assert entry.detail["before"] == {"name": "A thousand more", "target": "5200", "owner": ""}
    assert entry.detail["after"] == {"name": "Twice as many", "target": "6200", "owner": "Manager"}


def test_a_change_that_is_none_is_not_logged(brand: Brand, owner: User) -> None:
    goal = service.create_goal(brand=brand, new=leads(), actor=owner, now=NOON)
    service.change_goal(
        goal=goal, name=goal.name, ends_on=goal.ends_on, amount=goal.amount, owner=None, actor=owner, now=NOON
    )
    assert not AuditEntry.objects.filter(action="goal.changed").exists()


def test_a_change_to_an_end_before_the_start_is_refused(brand: Brand, owner: User) -> None:
    goal = service.create_goal(brand=brand, new=leads(), actor=owner, now=NOON)
    with pytest.raises(GoalRefused):
        service.change_goal(
            goal=goal,
            name="x",
            ends_on=days_ago(20),
            amount=goal.amount,
            owner=None,
            actor=owner,
            now=NOON,
        )
    goal.refresh_from_db()
    assert goal.name == "Leads"


def test_an_archived_goal_can_be_brought_back(brand: Brand, owner: User) -> None:
    goal = service.create_goal(brand=brand, new=leads(), actor=owner, now=NOON)
    service.archive_goal(goal=goal, actor=owner, now=NOON)
    service.archive_goal(goal=goal, actor=owner, now=NOON)
    assert not Goal.objects.current().exists()
    service.restore_goal(goal=goal, actor=owner, now=NOON)
    assert Goal.objects.current().get() == goal
    actions = list(AuditEntry.objects.filter(action__startswith="goal.").values_list("action", flat=True))
    assert sorted(actions) == ["goal.archived", "goal.created", "goal.restored"]


# --- worked examples, as a whole ----------------------------------------------------------------


def test_the_followers_of_the_worked_example(
    brand: Brand, owner: User, sandbox_account: SocialAccount
) -> None:
    """4,200 to 5,200 in 30 days, day 10 at 4,500. The tenth day is over: it is midnight in Berlin."""
    followers(sandbox_account, {10: 4200, 0: 4500})
    goal = service.create_goal(brand=brand, new=new(), actor=owner, now=NOON)
    stands = live(goal, now=NOON.replace(hour=23)).standing
    assert stands.progress == D("0.3")
    assert stands.pace is not None
    assert round(stands.pace, 2) == D("0.90")
    assert stands.forecast is not None
    assert round(stands.forecast) == 5100
    assert stands.required_per_day == 35
    assert stands.status is Status.AT_RISK


def test_a_tenth_of_the_leads_become_customers(brand: Brand, owner: User) -> None:
    for _ in range(20):
        converted(brand)
    for _ in range(2):
        sold(brand, 100)
    rate = new(kind=GoalKind.RATIO, metric="lead_to_customer_rate", amount=D("0.1"))
    stands = live(service.create_goal(brand=brand, new=rate, actor=owner, now=NOON), now=NOON).standing
    assert (stands.actual, stands.pace) == (D("0.1"), 1)
    assert stands.status is Status.ON_TRACK


def test_a_rate_without_a_denominator_has_no_value_yet(brand: Brand, owner: User) -> None:
    rate = new(kind=GoalKind.RATIO, metric="lead_to_customer_rate", amount=D("0.1"))
    goal = service.create_goal(brand=brand, new=rate, actor=owner, now=NOON)
    assert live(goal, now=NOON).standing.status is Status.NO_VALUE
    assert {row.status for row in goal.checkins.all()} == {Status.NO_VALUE}


def test_a_limit_on_the_cost_of_a_lead(brand: Brand, owner: User) -> None:
    campaign = campaign_of(brand)
    spent(campaign, 3300)
    converted(brand, campaign=campaign)
    limit = new(kind=GoalKind.AT_MOST, metric="cpl", campaign=campaign, amount=D(3000))
    stands = live(service.create_goal(brand=brand, new=limit, actor=owner, now=NOON), now=NOON).standing
    assert (stands.actual, stands.pace) == (3300, D("1.1"))
    assert stands.status is Status.AT_RISK


# --- who sees what ----------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
def test_goals_on_money_are_for_those_who_may_see_campaigns(
    brand: Brand, owner: User, viewer: User, role: Role
) -> None:
    seen_by_all = service.create_goal(brand=brand, new=leads(), actor=owner, now=NOON)
    money = service.create_goal(
        brand=brand, new=new(kind=GoalKind.CUMULATIVE, metric="revenue"), actor=owner, now=NOON
    )
    membership = Membership.objects.get(user=viewer)
    membership.role = role
    seen = set(Goal.objects.for_member(membership))
    sees_money = role in (Role.OWNER, Role.ADMIN, Role.MANAGER, Role.MARKETER)
    assert seen == ({seen_by_all, money} if sees_money else {seen_by_all})


def test_money_metrics_are_all_that_tell_of_costs_or_revenue() -> None:
    assert {"spend", "revenue", "cpl", "cac", "roas", "roi_margin", "pacing"} <= set(MONEY_METRICS)
    assert not {"clicks", "leads", "customers", "conversion_rate", "followers"} & set(MONEY_METRICS)


def test_a_responder_meets_a_money_goal_nowhere(
    brand: Brand, owner: User, responder: User, client: Client
) -> None:
    goal = service.create_goal(
        brand=brand,
        new=new(name="Seasonal revenue", kind=GoalKind.CUMULATIVE, metric="revenue"),
        actor=owner,
        now=NOON,
    )
    client.force_login(responder, backend="django.contrib.auth.backends.ModelBackend")
    for name in ("shell:today", "analytics:together", "analytics:goals_csv"):
        assert b"Seasonal revenue" not in b"".join(client.get(reverse(name))), name
    for name in ("analytics:goal", "analytics:checkins_csv"):
        assert client.get(reverse(name, args=[goal.pk])).status_code == 404
    assert client.get(reverse("analytics:goal_edit", args=[goal.pk])).status_code == 403


def test_a_goal_of_another_brand_is_not_seen(
    brand: Brand, other_brand: Brand, owner: User, manager: User, client: Client
) -> None:
    goal = service.create_goal(brand=other_brand, new=leads(), actor=owner, now=NOON)
    membership = Membership.objects.get(user=manager)
    membership.has_all_brands = False
    membership.save()
    membership.brands.add(brand)
    client.force_login(manager, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("analytics:goal", args=[goal.pk])).status_code == 404
    assert client.post(reverse("analytics:goal_archive", args=[goal.pk])).status_code == 404
    goal.refresh_from_db()
    assert goal.archived_at is None


# --- what drives what -------------------------------------------------------------------------


@pytest.fixture
def chain(brand: Brand, owner: User) -> list[Goal]:
    """Posts, clicks, leads."""
    return [
        service.create_goal(
            brand=brand,
            new=new(name=key, kind=GoalKind.CUMULATIVE, metric=key, amount=D(100)),
            actor=owner,
            now=NOON,
        )
        for key in ("published_posts", "clicks", "leads")
    ]


def connect(cause: Goal, effect: Goal, owner: User, **given: Any) -> DriverLink:
    values: dict[str, Any] = {
        "assumed_rate": None,
        "evidence": Evidence.ASSUMPTION,
        "note": "",
        "now": NOON,
        **given,
    }
    return service.connect_goals(cause=cause, effect=effect, actor=owner, **values)


def link_refusal(cause: Goal, effect: Goal, owner: User, **given: Any) -> LinkRefusal:
    before = DriverLink.objects.count()
    with pytest.raises(LinkRefused) as refused:
        connect(cause, effect, owner, **given)
    assert DriverLink.objects.count() == before
    return refused.value.refusal


def test_no_circle_can_be_closed(chain: list[Goal], owner: User) -> None:
    posts, clicks, leads_goal = chain
    connect(posts, clicks, owner)
    connect(clicks, leads_goal, owner)
    assert link_refusal(leads_goal, posts, owner) is LinkRefusal.CIRCLE
    assert link_refusal(clicks, posts, owner) is LinkRefusal.CIRCLE
    assert link_refusal(posts, posts, owner) is LinkRefusal.SAME_GOAL
    connect(posts, leads_goal, owner)  # a short cut is no circle


def test_two_goals_are_connected_once(chain: list[Goal], owner: User) -> None:
    posts, clicks, _leads = chain
    connect(posts, clicks, owner)
    assert link_refusal(posts, clicks, owner) is LinkRefusal.EXISTS


def test_goals_of_two_brands_are_not_connected(chain: list[Goal], other_brand: Brand, owner: User) -> None:
    foreign = service.create_goal(brand=other_brand, new=leads(), actor=owner, now=NOON)
    assert link_refusal(chain[0], foreign, owner) is LinkRefusal.OTHER_BRAND


def test_an_experiment_says_what_was_tried(chain: list[Goal], owner: User) -> None:
    given = {"evidence": Evidence.EXPERIMENT, "note": "  "}
    assert link_refusal(chain[0], chain[1], owner, **given) is LinkRefusal.NO_EVIDENCE
    link = connect(chain[0], chain[1], owner)
    with pytest.raises(LinkRefused):
        service.change_link(
            link=link, assumed_rate=None, evidence=Evidence.EXPERIMENT, note="", actor=owner, now=NOON
        )
    assert DriverLink.objects.get().evidence == Evidence.ASSUMPTION


def test_links_are_logged_and_can_be_changed_and_removed(chain: list[Goal], owner: User) -> None:
    link = connect(chain[0], chain[1], owner, assumed_rate=D("2.5"))
    service.change_link(
        link=link,
        assumed_rate=D(3),
        evidence=Evidence.EXPERIMENT,
        note="Two weeks of daily posts",
        actor=owner,
        now=NOON,
    )
    assert DriverLink.objects.get().assumed_rate == 3
    service.disconnect_goals(link=link, actor=owner, now=NOON)
    assert not DriverLink.objects.exists()
    logged = AuditEntry.objects.filter(action__contains="connect").values_list("action", flat=True)
    assert sorted(logged) == ["goal.connected", "goal.connection_changed", "goal.disconnected"]


def test_a_link_to_a_money_goal_is_not_seen_without_the_right(
    brand: Brand, chain: list[Goal], owner: User, responder: User
) -> None:
    revenue = service.create_goal(
        brand=brand, new=new(kind=GoalKind.CUMULATIVE, metric="revenue"), actor=owner, now=NOON
    )
    connect(chain[2], revenue, owner)
    visible = connect(chain[0], chain[1], owner)
    assert list(DriverLink.objects.for_member(Membership.objects.get(user=responder))) == [visible]


def test_archived_brands_show_no_goals(brand: Brand, owner: User) -> None:
    service.create_goal(brand=brand, new=leads(), actor=owner, now=NOON)
    Brand.every.filter(pk=brand.pk).update(is_archived=True)
    assert not Goal.objects.for_member(Membership.objects.get(user=owner)).exists()


def test_posts_a_week_are_counted_by_the_days_that_are_over(
    brand: Brand, owner: User, sandbox_account: SocialAccount
) -> None:
    worked(sandbox_account, 8, published=3)
    worked(sandbox_account, 1, published=4)
    published(sandbox_account, NOON - DAY)
    weekly = new(kind=GoalKind.RATIO, metric="posting_frequency", amount=D(5))
    goal = service.create_goal(brand=brand, new=weekly, actor=owner, now=NOON)
    assert live(goal, now=NOON).standing.actual == D(7) / (D(10) / 7)
