"""Both sides on one page: goals, the tree of what drives what, and the pages around them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Brand, Membership, SocialAccount, User
from analytics.models import Checkin, DriverLink, Evidence, Goal
from analytics.selectors.goals import drivers, links_of
from analytics.selectors.together import together
from analytics.services.checkins import check_in
from analytics.services.goals import NewGoal, connect_goals, create_goal
from analytics.services.rollup import roll_up
from metrics.goals import GoalKind
from tests.analytics.history import (
    DAY,
    NOON,
    TODAY,
    clicked,
    converted,
    days_ago,
    followers,
    link_of,
    published,
)
from tests.cast import make_account

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_noon")]

D = Decimal
HX = {"HX-Request": "true"}
SignIn = Callable[[User], Any]


def goal_of(brand: Brand, actor: User, metric: str, **given: Any) -> Goal:
    """100 of it in the thirty days that began twenty days ago."""
    values: dict[str, Any] = {
        "name": f"Goal of {metric}",
        "kind": GoalKind.CUMULATIVE,
        "metric": metric,
        "starts_on": days_ago(20),
        "ends_on": days_ago(20) + 29 * DAY,
        "amount": D(100),
        **given,
    }
    return create_goal(brand=brand, new=NewGoal(**values), actor=actor, now=NOON)


def connect(cause: Goal, effect: Goal, actor: User, rate: str = "", **given: Any) -> DriverLink:
    values: dict[str, Any] = {"evidence": Evidence.ASSUMPTION, "note": "", **given}
    return connect_goals(
        cause=cause,
        effect=effect,
        assumed_rate=D(rate) if rate else None,
        actor=actor,
        now=NOON,
        **values,
    )


@pytest.fixture
def joined(brand: Brand, owner: User, sandbox_account: SocialAccount) -> list[Goal]:
    """Posts a week, clicks and leads, connected in this order, with twenty days behind them."""
    link = link_of(brand)
    for days in range(1, 20):
        if days % 2:
            published(sandbox_account, NOON - days * DAY)
        clicked(link, 10, at=NOON - days * DAY)
        converted(brand, at=NOON - days * DAY)
    roll_up(brand=brand, now=NOON)
    goals = [
        goal_of(brand, owner, "posting_frequency", kind=GoalKind.RATIO, amount=D(4)),
        goal_of(brand, owner, "clicks"),
        goal_of(brand, owner, "leads"),
    ]
    connect(goals[0], goals[1], owner, "25")
    connect(goals[1], goals[2], owner, "0.05", evidence=Evidence.EXPERIMENT, note="A test of two weeks")
    return goals


def page(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


# --- what was observed ------------------------------------------------------------------------


def test_an_observed_rate_is_counted_over_the_days_that_both_share(
    joined: list[Goal], owner: User, brand: Brand
) -> None:
    of_effect = {
        one.link.effect_id: one for one in drivers(list(links_of(Membership.objects.get(user=owner), brand)))
    }
    first, second = of_effect[joined[1].pk], of_effect[joined[2].pk]
    # Of a rate its numerator counts: ten posts, 190 clicks, 19 leads, between the first and the last night.
    assert (first.observed.cause, first.observed.effect) == (10, 190)
    assert (first.observed.first, first.observed.last) == (days_ago(20), days_ago(1))
    assert first.observed.rate == 19
    assert second.observed.rate == D("0.1")


def test_small_rates_are_told_of_so_many_that_one_can_read_them(joined: list[Goal], owner: User) -> None:
    found = drivers(list(links_of(Membership.objects.get(user=owner), None)))
    found.sort(key=lambda one: one.scale)
    assert [(one.scale, one.assumed, one.seen) for one in found] == [(1, 25, 19), (100, 5, 10)]
    assert [one.cause_label for one in found] == ["Published posts", "Clicks"]


def test_a_few_days_observe_nothing(brand: Brand, owner: User) -> None:
    cause = goal_of(brand, owner, "clicks", starts_on=days_ago(7))
    effect = goal_of(brand, owner, "leads")
    connect(cause, effect, owner)
    (found,) = drivers(list(DriverLink.objects.select_related("cause", "effect")))
    assert (found.observed.rate, found.observed.days) == (None, 0)


def test_a_cause_that_did_not_move_observes_nothing(brand: Brand, owner: User) -> None:
    connect(goal_of(brand, owner, "clicks"), goal_of(brand, owner, "leads"), owner)
    (found,) = drivers(list(DriverLink.objects.select_related("cause", "effect")))
    assert found.observed.cause == 0
    assert found.observed.rate is None


def test_how_long_somebody_waits_cannot_be_counted_as_a_cause(brand: Brand, owner: User) -> None:
    cause = goal_of(brand, owner, "response_time_median", kind=GoalKind.AT_MOST, amount=D(3600))
    connect(cause, goal_of(brand, owner, "leads"), owner)
    (found,) = drivers(list(DriverLink.objects.select_related("cause", "effect")))
    assert found.observed.rate is None


# --- the page -----------------------------------------------------------------------------------


def test_the_tree_goes_from_the_first_cause_to_the_last_effect(
    joined: list[Goal], owner: User, brand: Brand
) -> None:
    found = together(Membership.objects.get(user=owner), None, now=NOON)
    (tree,) = found.trees
    assert [[node.card.goal for node in step] for step in tree.steps] == [[goal] for goal in joined]
    assert [card.goal for card in found.operations] == joined[:1]
    assert {card.goal for card in found.marketing} == set(joined[1:])


def test_the_page_shows_goals_links_and_how_we_know(
    joined: list[Goal], sign_in: SignIn, viewer: User
) -> None:
    text = page(sign_in(viewer).get(reverse("analytics:together")))
    for words in ("Goal of clicks", "100 × Clicks → Leads", "Experiment", "Assumption", "in 19 days"):
        assert words in text
    assert "New goal" not in text  # a viewer sets none


def test_a_page_of_many_goals_asks_as_often_as_one_of_few(
    joined: list[Goal],
    sign_in: SignIn,
    owner: User,
    brand: Brand,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = sign_in(owner)
    client.get(reverse("analytics:together"))
    for number in range(12):
        goal_of(brand, owner, "leads", name=f"More {number}")
    with django_assert_max_num_queries(16):
        page(client.get(reverse("analytics:together")))


def test_today_names_the_goals_that_are_off_pace(joined: list[Goal], sign_in: SignIn, owner: User) -> None:
    check_in(brand=joined[0].brand, now=NOON)
    Checkin.objects.filter(goal=joined[0], is_final=False).update(status="on_track")
    Checkin.objects.filter(goal=joined[2], is_final=False).update(status="at_risk")
    Checkin.objects.filter(goal=joined[1], is_final=False).update(status="off_track", pace=D("0.42"))
    text = page(sign_in(owner).get(reverse("shell:today")))
    assert "The goal “Goal of clicks” is off track" in text
    assert "Pace 0.42, 9 days left" in text
    assert "1 goal is at risk" in text


# --- one goal -----------------------------------------------------------------------------------


def test_the_page_of_a_goal_has_its_curve_check_ins_and_drivers(
    joined: list[Goal], sign_in: SignIn, owner: User
) -> None:
    response = sign_in(owner).get(reverse("analytics:goal", args=[joined[1].pk]))
    text = page(response)
    chart = response.context["numbers"].chart
    actual, expected, forecast = chart["series"]
    assert len(chart["labels"]) == 30
    assert (actual["values"][0], actual["values"][20], actual["values"][21]) == (0, 190, None)
    assert expected["values"][-1] == 100
    assert forecast["dashed"]
    assert forecast["values"][19] is None
    assert "Show as a table" in text
    assert "What drives it" in text
    assert "Goal of posting_frequency" in text
    assert "so far" in text


def test_a_goal_asks_few_questions(
    joined: list[Goal],
    sign_in: SignIn,
    owner: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = sign_in(owner)
    client.get(reverse("analytics:together"))
    with django_assert_max_num_queries(22):
        page(client.get(reverse("analytics:goal", args=[joined[1].pk])))


def test_a_goal_is_set_by_a_form(sign_in: SignIn, marketer: User, brand: Brand) -> None:
    client = sign_in(marketer)
    form = {
        "name": "Half an hour",
        "metric": "response_time_median",
        "of": "brand",
        "kind": "at_most",
        "amount": "30",
        "starts_on": TODAY.isoformat(),
        "ends_on": (TODAY + 29 * DAY).isoformat(),
    }
    response = client.post(reverse("analytics:goal_create"), form)
    goal = Goal.objects.get()
    assert response["Location"] == reverse("analytics:goal", args=[goal.pk])
    assert (goal.target, goal.layer, goal.created_by) == (1800, "ops", marketer)


def test_the_form_takes_rates_in_per_cent_and_names_one_account(
    sign_in: SignIn, marketer: User, brand: Brand, sandbox_account: SocialAccount
) -> None:
    form = {
        "name": "Answer nine in ten",
        "metric": "response_rate",
        "of": f"account:{sandbox_account.pk}",
        "kind": "ratio",
        "amount": "９０％",
        "starts_on": TODAY.isoformat(),
        "ends_on": TODAY.isoformat(),
    }
    sign_in(marketer).post(reverse("analytics:goal_create"), form)
    goal = Goal.objects.get()
    assert (goal.target, goal.account) == (D("0.9"), sandbox_account)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ends_on": days_ago(3).isoformat()}, "The last day lies before the first one."),
        ({"starts_on": "0001-01-01", "ends_on": "0001-01-31"}, "This year is too far away."),
        ({"starts_on": "9999-12-30", "ends_on": "9999-12-31"}, "This year is too far away."),
        ({"kind": "percent_change", "amount": "15"}, "The baseline is 0"),
        ({"kind": "ratio"}, "This kind of goal says nothing of this metric."),
        ({"amount": "lots"}, "Enter a number"),
        ({"metric": "luck"}, "Select a valid choice"),
        ({"of": "account:00000000-0000-7000-8000-000000000000"}, "Select a valid choice"),
    ],
)
def test_a_form_that_cannot_be_comes_back_with_a_sentence(
    sign_in: SignIn, marketer: User, brand: Brand, change: dict[str, str], words: str
) -> None:
    form = {
        "name": "Leads",
        "metric": "leads",
        "of": "brand",
        "kind": "cumulative",
        "amount": "1,000",
        "starts_on": TODAY.isoformat(),
        "ends_on": TODAY.isoformat(),
        **change,
    }
    response = sign_in(marketer).post(reverse("analytics:goal_create"), form)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not Goal.objects.exists()


def test_the_preview_says_what_a_goal_would_start_from_and_writes_nothing(
    sign_in: SignIn, marketer: User, brand: Brand
) -> None:
    for _ in range(400):
        converted(brand, at=NOON - 10 * DAY)
    asked = {
        "brand": str(brand.pk),
        "metric": "conversions",
        "of": "brand",
        "kind": "percent_change",
        "amount": "15",
        "starts_on": TODAY.isoformat(),
        "ends_on": (TODAY + 29 * DAY).isoformat(),
    }
    client = sign_in(marketer)
    text = page(client.get(reverse("analytics:goal_preview"), asked, headers=HX))
    assert "400" in text
    assert "460" in text
    text = page(client.get(reverse("analytics:goal_preview"), {**asked, "kind": "ratio"}, headers=HX))
    assert "This kind of goal says nothing of this metric." in text
    assert not Goal.objects.exists()


def test_several_brands_ask_which_one(
    sign_in: SignIn, marketer: User, brand: Brand, other_brand: Brand
) -> None:
    text = page(sign_in(marketer).get(reverse("analytics:goal_create")))
    assert "Which one?" in text
    assert other_brand.name in text


def test_a_goal_is_changed_archived_and_brought_back_on_pages(
    joined: list[Goal], sign_in: SignIn, manager: User
) -> None:
    client, goal = sign_in(manager), joined[2]
    form = {"name": "More leads", "amount": "200", "ends_on": goal.ends_on.isoformat(), "owner": ""}
    client.post(reverse("analytics:goal_edit", args=[goal.pk]), form)
    client.post(reverse("analytics:goal_archive", args=[goal.pk]))
    goal.refresh_from_db()
    assert (goal.name, goal.target) == ("More leads", 200)
    assert goal.archived_at == NOON
    assert "More leads" in page(client.get(reverse("analytics:goals_archived")))
    client.post(reverse("analytics:goal_restore", args=[goal.pk]))
    goal.refresh_from_db()
    assert goal.archived_at is None


def test_goals_are_connected_on_pages(
    joined: list[Goal], sign_in: SignIn, manager: User, brand: Brand, owner: User
) -> None:
    client = sign_in(manager)
    sales = goal_of(brand, owner, "sales")
    path = reverse("analytics:driver_add", args=[sales.pk])
    form = {"cause": str(joined[2].pk), "assumed_rate": "0.1", "evidence": "assumption", "note": ""}
    client.post(path, form)
    link = DriverLink.objects.get(effect=sales)
    assert link.assumed_rate == D("0.1")
    refused = client.post(path, {**form, "cause": str(joined[2].pk)})
    assert refused.status_code == 422
    assert "connected already" in refused.content.decode()
    circle = client.post(
        reverse("analytics:driver_add", args=[joined[0].pk]), {**form, "cause": str(sales.pk)}
    )
    assert "This would be a circle" in circle.content.decode()
    client.post(reverse("analytics:driver_edit", args=[link.pk]), {"evidence": "correlation", "note": "x"})
    link.refresh_from_db()
    assert (link.evidence, link.assumed_rate) == ("correlation", None)
    client.post(reverse("analytics:driver_remove", args=[link.pk]))
    assert not DriverLink.objects.filter(pk=link.pk).exists()


def test_a_note_is_written_on_a_check_in(joined: list[Goal], sign_in: SignIn, manager: User) -> None:
    row = joined[1].checkins.earliest("date")
    client = sign_in(manager)
    client.post(reverse("analytics:checkin_note", args=[row.pk]), {"note": "Holiday"})
    assert "Holiday" in page(client.get(reverse("analytics:goal", args=[joined[1].pk]) + "?page=2"))


def test_a_goal_without_values_says_so(sign_in: SignIn, viewer: User, brand: Brand, owner: User) -> None:
    goal = goal_of(brand, owner, "lead_to_customer_rate", kind=GoalKind.RATIO, amount=D("0.1"))
    text = page(sign_in(viewer).get(reverse("analytics:goal", args=[goal.pk])))
    assert "There is no value yet" in text
    assert "No value yet" in text


def test_nothing_yet_says_what_to_do(sign_in: SignIn, viewer: User, marketer: User, brand: Brand) -> None:
    assert "Managers, marketers and admins can set one." in page(
        sign_in(viewer).get(reverse("analytics:together"))
    )
    assert "New goal" in page(sign_in(marketer).get(reverse("analytics:together")))


def test_goals_of_accounts_show_which(
    sign_in: SignIn, viewer: User, brand: Brand, owner: User, sandbox_account: SocialAccount
) -> None:
    other = make_account(brand, handle="second")
    followers(other, {21: 100, 0: 150})
    goal_of(brand, owner, "followers", kind=GoalKind.DELTA, account=other)
    text = page(sign_in(viewer).get(reverse("analytics:together")))
    assert "Followers · @second · Sandbox" in text
