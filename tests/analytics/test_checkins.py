"""Check-ins: once a night for good, for today as it goes; and who is told when a goal turns off track."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Brand, Membership, Notification, NotificationKind, SocialAccount, User
from accounts.news import sentence
from analytics.models import Checkin, Goal, GoalStatus
from analytics.selectors.goals import by_checkin, live, measure_goal, newest_checkins
from analytics.services import checkins
from analytics.services.checkins import check_in, check_in_goal, note_checkin
from analytics.services.goals import NewGoal, archive_goal, change_goal, create_goal
from analytics.services.rollup import roll_up
from analytics.tasks import sum_up
from metrics import registry
from metrics.goals import GoalKind
from metrics.registry import DifferentDefinitions
from tests.analytics.history import DAY, NOON, TODAY, converted, days_ago, followers

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_noon")]

D = Decimal
HOUR = dt.timedelta(hours=1)


def leads_goal(brand: Brand, actor: User, **given: Any) -> Goal:
    """100 leads in ten days, of which five are over today; set on the first of them."""
    values: dict[str, Any] = {
        "name": "Leads",
        "kind": GoalKind.CUMULATIVE,
        "metric": "leads",
        "starts_on": days_ago(5),
        "ends_on": days_ago(5) + 9 * DAY,
        "amount": D(100),
        **given,
    }
    return create_goal(brand=brand, new=NewGoal(**values), actor=actor, now=NOON - 5 * DAY)


def lead_on(brand: Brand, days: int, count: int) -> None:
    for _ in range(count):
        converted(brand, at=NOON - days * DAY)


def statuses(goal: Goal) -> list[str]:
    return list(goal.checkins.order_by("date").values_list("status", flat=True))


def test_dates_that_are_over_are_final_and_today_is_not(brand: Brand, owner: User) -> None:
    goal = leads_goal(brand, owner)
    lead_on(brand, 3, 20)
    check_in(brand=brand, now=NOON)
    rows = list(goal.checkins.order_by("date"))
    assert [row.date for row in rows] == [days_ago(days) for days in (5, 4, 3, 2, 1, 0)]
    assert [row.is_final for row in rows] == [True] * 5 + [False]
    assert [row.value for row in rows] == [0, 0, 20, 20, 20, 20]
    assert [row.expected for row in rows[:5]] == [10, 20, 30, 40, 50]
    assert rows[4].pace == D("0.4")
    assert rows[4].forecast == 40


def test_what_is_final_is_never_written_again(brand: Brand, owner: User) -> None:
    goal = leads_goal(brand, owner)
    check_in(brand=brand, now=NOON)
    before = list(goal.checkins.filter(is_final=True).order_by("date").values())
    lead_on(brand, 3, 20)  # reported late
    check_in(brand=brand, now=NOON + HOUR)
    assert list(goal.checkins.filter(is_final=True).order_by("date").values()) == before
    assert goal.checkins.get(is_final=False).value == 20


def test_checking_in_again_doubles_nothing(brand: Brand, owner: User) -> None:
    goal = leads_goal(brand, owner)
    check_in(brand=brand, now=NOON)
    check_in(brand=brand, now=NOON)
    assert goal.checkins.count() == 6


def test_a_night_turns_todays_row_into_a_final_one(brand: Brand, owner: User) -> None:
    goal = leads_goal(brand, owner)
    check_in(brand=brand, now=NOON)
    lead_on(brand, 0, 7)
    check_in(brand=brand, now=NOON + DAY)
    row = goal.checkins.get(date=TODAY)
    assert (row.is_final, row.value) == (True, 7)


def test_a_worker_that_began_before_midnight_writes_nothing_over_what_is_final(
    brand: Brand, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    goal = leads_goal(brand, owner)
    check_in(brand=brand, now=NOON)
    measure = measure_goal

    def slowly(*given: Any, **how: Any) -> Any:
        found = measure(*given, **how)
        monkeypatch.setattr(checkins, "measure_goal", measure)
        lead_on(brand, 0, 7)
        check_in(brand=brand, now=NOON + DAY)  # another worker is faster, and its night has come
        return found

    monkeypatch.setattr(checkins, "measure_goal", slowly)
    check_in(brand=brand, now=NOON)
    row = goal.checkins.get(date=TODAY)
    assert (row.is_final, row.value) == (True, 7)


def test_the_night_is_that_of_the_brand(other_brand: Brand, owner: User) -> None:
    """At 16:00 UTC it is already tomorrow in Tokyo."""
    goal = leads_goal(other_brand, owner)
    check_in(brand=other_brand, now=NOON + 4 * HOUR)
    assert goal.checkins.get(date=TODAY).is_final
    assert not goal.checkins.get(date=TODAY + DAY).is_final


def test_missed_nights_are_made_up_for_and_it_ends_on_the_last_day(brand: Brand, owner: User) -> None:
    goal = leads_goal(brand, owner)
    lead_on(brand, 2, 100)
    check_in(brand=brand, now=NOON + 30 * DAY)
    assert goal.checkins.count() == 10
    last = goal.checkins.order_by("date").last()
    assert last is not None
    assert (last.date, last.is_final, last.status) == (goal.ends_on, True, GoalStatus.REACHED)
    assert check_in(brand=brand, now=NOON + 31 * DAY) == 0


def test_a_goal_that_ends_earlier_after_all_stands_as_on_its_last_day(brand: Brand, owner: User) -> None:
    goal = leads_goal(brand, owner)
    lead_on(brand, 3, 20)
    lead_on(brand, 1, 30)
    check_in(brand=brand, now=NOON)
    change_goal(
        goal=goal, name="Leads", ends_on=days_ago(2), amount=D(100), owner=None, actor=owner, now=NOON
    )
    goal.refresh_from_db()
    newest = newest_checkins([goal])[goal.pk]
    assert newest.date == days_ago(2)
    assert by_checkin(goal, newest, now=NOON).standing == live(goal, now=NOON).standing


def test_a_goal_that_has_not_begun_or_is_archived_is_left_alone(brand: Brand, owner: User) -> None:
    later = leads_goal(brand, owner, starts_on=TODAY + DAY, ends_on=TODAY + 9 * DAY)
    gone = leads_goal(brand, owner)
    archive_goal(goal=gone, actor=owner, now=NOON)
    before = gone.checkins.count()
    assert check_in(brand=brand, now=NOON) == 0
    assert (later.checkins.count(), gone.checkins.count()) == (0, before)


def test_live_and_checked_in_are_the_same_number(
    brand: Brand, owner: User, sandbox_account: SocialAccount
) -> None:
    followers(sandbox_account, {6: 900, 0: 950})
    goal = leads_goal(brand, owner, kind=GoalKind.DELTA, metric="followers", amount=D(100))
    check_in(brand=brand, now=NOON)
    now, row = live(goal, now=NOON).standing, goal.checkins.get(is_final=False)
    assert (row.value, row.status) == (now.actual, now.status)
    assert row.pace is not None
    assert now.pace is not None
    assert abs(row.pace - now.pace) < D("1e-7")


def test_a_forecast_from_the_first_minutes_fits_into_its_column(brand: Brand, owner: User) -> None:
    goal = leads_goal(brand, owner, amount=D(10) ** 11, starts_on=TODAY, ends_on=TODAY + 365 * DAY)
    lead_on(brand, 0, 3)
    midnight = NOON.replace(hour=23, second=1) - DAY
    check_in_goal(goal=goal, now=midnight)
    assert goal.checkins.get(date=TODAY).status == GoalStatus.TOO_EARLY


def test_another_definition_is_not_compared(
    brand: Brand, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A metric that means something else now says nothing of a target of then."""
    goal = leads_goal(brand, owner)
    before = list(goal.checkins.values())
    second = replace(registry.metric("leads"), version=2)
    monkeypatch.setitem(registry._LATEST, "leads", second)
    with pytest.raises(DifferentDefinitions):
        live(goal, now=NOON)
    assert check_in_goal(goal=goal, now=NOON) == 0
    assert list(goal.checkins.values()) == before
    assert goal.definition.version == 1


# --- being told -------------------------------------------------------------------------------


def told() -> list[Notification]:
    return list(Notification.objects.filter(kind=NotificationKind.GOAL_OFF_TRACK).order_by("created_at"))


def test_the_owner_is_told_once_for_each_turn(brand: Brand, owner: User, manager: User) -> None:
    goal = leads_goal(brand, owner, owner=manager)
    lead_on(brand, 5, 10)
    lead_on(brand, 4, 10)  # on the line until here, then nothing comes
    for hours in range(0, 121, 8):
        check_in(brand=brand, now=NOON - 5 * DAY + hours * HOUR)
    assert statuses(goal)[:4] == ["on_track", "on_track", "off_track", "off_track"]
    (news,) = told()
    assert news.user == manager
    assert news.url == f"/analytics/goals/{goal.pk}/"
    assert "Leads" in sentence(news.kind, news.context)
    # It comes back, and falls off again: that is told, too.
    lead_on(brand, 0, 50)
    check_in(brand=brand, now=NOON + DAY)
    assert goal.checkins.get(date=TODAY).status == GoalStatus.ON_TRACK
    check_in(brand=brand, now=NOON + 4 * DAY)
    assert goal.checkins.get(date=TODAY + 3 * DAY).status == GoalStatus.OFF_TRACK
    assert len(told()) == 2


def test_a_running_day_tells_nobody(brand: Brand, owner: User, manager: User) -> None:
    leads_goal(brand, owner, owner=manager, starts_on=TODAY, ends_on=TODAY)
    check_in(brand=brand, now=NOON + HOUR)
    assert told() == []


def test_somebody_who_may_no_longer_see_it_is_not_told(brand: Brand, owner: User, manager: User) -> None:
    leads_goal(brand, owner, owner=manager, metric="revenue", amount=D(1000))
    Membership.objects.filter(user=manager).update(role="responder")
    check_in(brand=brand, now=NOON)
    assert Checkin.objects.filter(status=GoalStatus.OFF_TRACK, is_final=True).exists()
    assert told() == []


def test_a_goal_of_nobody_tells_nobody(brand: Brand, owner: User) -> None:
    goal = leads_goal(brand, owner)
    check_in(brand=brand, now=NOON)
    assert "off_track" in statuses(goal)
    assert told() == []


# --- notes and the task -----------------------------------------------------------------------


def test_a_note_stays_when_the_day_goes_on(brand: Brand, owner: User) -> None:
    goal = leads_goal(brand, owner)
    check_in(brand=brand, now=NOON)
    row = goal.checkins.get(is_final=False)
    note_checkin(checkin=row, note="  The shop was down.  ", actor=owner, now=NOON)
    check_in(brand=brand, now=NOON + DAY)
    row.refresh_from_db()
    assert (row.is_final, row.note, row.noted_by) == (True, "The shop was down.", owner)


@pytest.mark.usefixtures("celery_eager")
def test_the_tick_sums_up_and_checks_in_every_brand(
    brand: Brand, other_brand: Brand, owner: User, sandbox_account: SocialAccount
) -> None:
    goals = [leads_goal(brand, owner), leads_goal(other_brand, owner)]
    Brand.every.filter(pk=other_brand.pk).update(is_archived=True)
    sum_up()
    assert [goal.checkins.count() for goal in goals] == [6, 1]
    assert sandbox_account.days.get().rolled_at == NOON


def test_a_rate_is_measured_over_all_days_so_far(
    brand: Brand, owner: User, sandbox_account: SocialAccount
) -> None:
    goal = leads_goal(brand, owner, kind=GoalKind.RATIO, metric="posting_frequency", amount=D(7))
    roll_up(brand=brand, now=NOON)
    check_in(brand=brand, now=NOON)
    row = goal.checkins.get(date=days_ago(1))
    assert row.numerator == 0
    assert row.denominator is not None
    assert abs(row.denominator - D(5) / 7) < D("1e-8")
