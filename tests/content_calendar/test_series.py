"""Posts that repeat by a rule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from accounts.models import AccountStatus, Brand, Membership, Notification, Role, SocialAccount, User
from content_calendar.content import Part
from content_calendar.models import (
    Approval,
    ApprovalRule,
    ApprovalRules,
    Label,
    Occurrence,
    Post,
    Review,
    Series,
)
from content_calendar.recurrence import RuleTooLong, read_rule
from content_calendar.selectors.series import rule_words
from content_calendar.services.approval import submit_for_review
from content_calendar.services.automatic import is_refusal
from content_calendar.services.drafts import AlreadySending, Draft, delete_post, save_draft
from content_calendar.services.scheduling import OnlyATemplate, move_post, publish_now, schedule_post
from content_calendar.services.series import (
    FILL_DAYS,
    NotADate,
    SeriesEnded,
    change_series,
    continue_series,
    create_series,
    end_series,
    fill_series,
    skip_date,
    take_over_content,
    unskip_date,
)
from content_calendar.tasks import fill_ahead, fill_one_series
from outbox.models import Delivery, DeliveryState
from tests.content_calendar.conftest import LATER, NOW, make_post

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
MONDAYS = [dt.date(2026, 11, 23) + dt.timedelta(days=7 * n) for n in range(10)]
NINE = dt.time(9)


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def weekly(
    brand: Brand, actor: User, account: SocialAccount, text: str = "Monday coffee", **more: Any
) -> Series:
    facts: dict[str, Any] = {
        "name": "Mondays",
        "content": Draft(parts=(Part(text),), accounts=(account.pk,)),
        "rule": read_rule("FREQ=WEEKLY;BYDAY=MO;COUNT=10", brand.timezone),
        "starts_on": MONDAYS[0],
        "wall_time": NINE,
    }
    return create_series(brand=brand, actor=actor, now=NOW, **facts | more)


@pytest.fixture
def series(brand: Brand, manager: User, sandbox_account: SocialAccount) -> Series:
    return weekly(brand, manager, sandbox_account)


def due() -> list[str]:
    """What stands in the schedule, in Berlin."""
    rows = Delivery.objects.filter(state=DeliveryState.SCHEDULED).order_by("due_at")
    return [f"{row.due_at.astimezone(ZoneInfo('Europe/Berlin')):%m-%d %H:%M}" for row in rows]


def made(series: Series, date: dt.date) -> Post:
    post = Occurrence.objects.get(series=series, date=date).post
    assert post is not None
    return post


def push_back(post: Post, actor: User, by: dt.timedelta) -> None:
    """Somebody gives it another time."""
    assert post.planned_at is not None
    move_post(post=post, at=post.planned_at + by, actor=actor, now=NOW)


# --- filling ----------------------------------------------------------------------------------


def test_the_coming_weeks_become_posts(series: Series, manager: User) -> None:
    assert due() == ["11-23 09:00", "11-30 09:00", "12-07 09:00", "12-14 09:00"]
    post = made(series, MONDAYS[0])
    assert (post.excerpt, post.approval, post.author) == ("Monday coffee", Approval.APPROVED, manager)


def test_filling_again_makes_nothing_and_later_the_rest(series: Series) -> None:
    assert fill_series(series=series, now=NOW) == 0
    assert fill_series(series=series, now=NOW + dt.timedelta(days=7)) == 1
    assert fill_series(series=series, now=NOW + dt.timedelta(days=300)) == 0
    assert len(due()) == 5


@pytest.mark.usefixtures("celery_eager")
def test_the_task_fills_what_runs_and_nothing_else(
    series: Series, brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    ended = weekly(brand, manager, sandbox_account, wall_time=dt.time(15))
    end_series(series=ended, actor=manager, now=NOW)
    with time_machine.travel(NOW + dt.timedelta(days=7), tick=False):
        fill_ahead()
        fill_ahead()
    assert due() == ["11-23 09:00", "11-30 09:00", "12-07 09:00", "12-14 09:00", "12-21 09:00"]


def test_the_wall_time_stays_over_the_change_of_the_clocks(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    rule_ = read_rule("FREQ=WEEKLY;BYDAY=SU;COUNT=3", brand.timezone)
    first = dt.date(2027, 3, 21)
    series = weekly(brand, manager, sandbox_account, rule=rule_, starts_on=first, wall_time=dt.time(2, 30))
    fill_series(series=series, now=dt.datetime(2027, 3, 19, tzinfo=dt.UTC))
    assert due() == ["03-21 02:30", "03-28 03:00", "04-04 02:30"]


def test_a_draft_becomes_the_template_and_leaves_the_lists(
    sign_in: SignIn, brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    draft = make_post(brand, manager, "Said weekly", sandbox_account, planned_at=LATER)
    series = weekly(brand, manager, sandbox_account, content=draft)
    draft.refresh_from_db()
    assert (series.template_id, draft.is_template, draft.planned_at) == (draft.pk, True, None)
    page = sign_in(manager).get(reverse("content_calendar:posts"), {"state": "draft"}).content.decode()
    assert "Said weekly" not in page
    assert made(series, MONDAYS[0]).excerpt == "Said weekly"


def test_a_scheduled_post_stays_what_it_is(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    post = make_post(brand, manager, "Now and weekly", sandbox_account)
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    series = weekly(brand, manager, sandbox_account, content=post)
    post.refresh_from_db()
    assert not post.is_template
    assert series.template_id != post.pk
    assert len(due()) == 5


def test_a_template_does_not_go_out_itself(series: Series, manager: User) -> None:
    with pytest.raises(OnlyATemplate):
        schedule_post(post=series.template, at=LATER, actor=manager, now=NOW)
    with pytest.raises(OnlyATemplate):
        publish_now(post=series.template, actor=manager, now=NOW)
    assert not series.template.variants.filter(delivery__isnull=False).exists()


def test_a_rule_that_is_too_long_leaves_nothing_behind(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    with pytest.raises(RuleTooLong):
        weekly(brand, manager, sandbox_account, rule=read_rule("FREQ=DAILY;COUNT=900", brand.timezone))
    assert not Post.objects.exists()
    assert not Series.objects.exists()


# --- what cannot be scheduled -----------------------------------------------------------------


def test_a_lost_account_leaves_drafts_tells_once_and_is_tried_again(
    series: Series, manager: User, sandbox_account: SocialAccount
) -> None:
    SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT)
    later = NOW + dt.timedelta(days=14)
    assert fill_series(series=series, now=later) == 2
    assert fill_series(series=series, now=later) == 0
    refused = Occurrence.objects.filter(refusal="NotReady")
    assert [one.date for one in refused.order_by("date")] == MONDAYS[4:6]
    assert {one.post.approval for one in refused.select_related("post") if one.post} == {Approval.DRAFT}
    told = Notification.objects.filter(kind="post_not_scheduled")
    assert {one.user for one in told} == {manager}
    assert told.count() == 2
    SocialAccount.objects.update(status=AccountStatus.ACTIVE)
    fill_series(series=series, now=later)
    assert not Occurrence.objects.exclude(refusal="").exists()
    assert len(due()) == 6


def test_what_somebody_took_in_hand_is_not_scheduled_behind_their_back(
    series: Series, sandbox_account: SocialAccount
) -> None:
    SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT)
    later = NOW + dt.timedelta(days=7)
    fill_series(series=series, now=later)
    post = made(series, MONDAYS[4])
    save_draft(post=post, version=post.version, draft=Draft.of_post(post), now=later)
    SocialAccount.objects.update(status=AccountStatus.ACTIVE)
    fill_series(series=series, now=later)
    post.refresh_from_db()
    assert post.approval == Approval.DRAFT


def test_whoever_left_schedules_nothing_and_the_others_hear_of_it(
    series: Series, manager: User, owner: User
) -> None:
    Membership.objects.filter(user=manager).update(is_active=False)
    fill_series(series=series, now=NOW + dt.timedelta(days=7))
    occurrence = Occurrence.objects.get(date=MONDAYS[4])
    assert occurrence.refusal == "NotAllowed"
    assert [told.user for told in Notification.objects.all()] == [owner]
    # Whoever saves it runs it from then on.
    rule_ = read_rule(series.rule, "Europe/Berlin")
    change_series(
        series=series,
        name="Mondays",
        rule=rule_,
        starts_on=MONDAYS[0],
        wall_time=NINE,
        actor=owner,
        now=NOW + dt.timedelta(days=7),
    )
    assert "12-21 09:00" in due()


class ApprovalMissing(Exception):
    """A domain error of a rule that this code does not know."""


ApprovalMissing.__module__ = "content_calendar.services.approval"


def test_any_refusal_of_the_domain_leaves_a_draft_and_a_bug_is_let_rise(
    series: Series, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(error: Exception) -> None:
        def schedule(**_arguments: Any) -> None:
            raise error

        monkeypatch.setattr("content_calendar.services.automatic.schedule_post", schedule)

    assert is_refusal(ApprovalMissing())
    refuse(ApprovalMissing())
    fill_series(series=series, now=NOW + dt.timedelta(days=7))
    assert Occurrence.objects.get(date=MONDAYS[4]).refusal == "ApprovalMissing"
    refuse(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        fill_series(series=series, now=NOW + dt.timedelta(days=14))


def test_a_label_and_an_account_that_are_gone_do_not_stop_it(
    brand: Brand, manager: User, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    label = Label.objects.create(brand=brand, name="Recipes")
    draft = Draft(parts=(Part("Both"),), accounts=(sandbox_account.pk, second_account.pk), labels=(label.pk,))
    series = weekly(brand, manager, sandbox_account, content=draft)
    label.delete()
    SocialAccount.objects.filter(pk=second_account.pk).update(status=AccountStatus.DISCONNECTED)
    fill_series(series=series, now=NOW + dt.timedelta(days=7))
    post = made(series, MONDAYS[4])
    assert [variant.account for variant in post.variants.all()] == [sandbox_account]
    assert post.approval == Approval.APPROVED


# --- one date ---------------------------------------------------------------------------------


def test_a_date_is_skipped_and_brought_back(series: Series, manager: User) -> None:
    for date in (MONDAYS[1], MONDAYS[6]):  # with a post, and without one yet
        skip_date(series=series, date=date, actor=manager, now=NOW)
    fill_series(series=series, now=NOW)
    assert due() == ["11-23 09:00", "12-07 09:00", "12-14 09:00"]
    for date in (MONDAYS[1], MONDAYS[6]):
        unskip_date(series=series, date=date, actor=manager, now=NOW)
    assert due() == ["11-23 09:00", "11-30 09:00", "12-07 09:00", "12-14 09:00"]
    assert not Occurrence.objects.filter(skipped_at__isnull=False).exists()


@pytest.mark.parametrize("date", [MONDAYS[0] + dt.timedelta(days=1), dt.date(2026, 11, 16), dt.date.min])
def test_only_dates_of_the_series_are_skipped(series: Series, manager: User, date: dt.date) -> None:
    with pytest.raises(NotADate):
        skip_date(series=series, date=date, actor=manager, now=NOW)
    assert Occurrence.objects.count() == 4


def test_a_post_on_its_way_is_not_skipped(series: Series, manager: User) -> None:
    Delivery.objects.filter(variant__post=made(series, MONDAYS[0])).update(
        state=DeliveryState.SENDING, lease_until=NOW + dt.timedelta(minutes=1)
    )
    with pytest.raises(AlreadySending):
        skip_date(series=series, date=MONDAYS[0], actor=manager, now=NOW)
    assert made(series, MONDAYS[0]).deleted_at is None


def test_a_post_that_somebody_deleted_is_not_made_again(series: Series, manager: User) -> None:
    delete_post(post=made(series, MONDAYS[2]), actor=manager, now=NOW)
    assert fill_series(series=series, now=NOW) == 0
    assert "12-07 09:00" not in due()
    unskip_date(series=series, date=MONDAYS[2], actor=manager, now=NOW)
    assert "12-07 09:00" in due()


# --- all that follow --------------------------------------------------------------------------


def test_a_new_time_moves_the_untouched_and_leaves_the_others(series: Series, manager: User) -> None:
    moved = made(series, MONDAYS[1])
    push_back(moved, manager, dt.timedelta(hours=3))
    skip_date(series=series, date=MONDAYS[2], actor=manager, now=NOW)
    ids = set(Post.objects.filter(is_template=False).values_list("pk", flat=True))
    change_series(
        series=series,
        name="Mondays at ten",
        rule=read_rule(series.rule, "Europe/Berlin"),
        starts_on=MONDAYS[0],
        wall_time=dt.time(10),
        actor=manager,
        now=NOW,
    )
    assert due() == ["11-23 10:00", "11-30 12:00", "12-14 10:00"]
    assert set(Post.objects.filter(is_template=False).values_list("pk", flat=True)) == ids


def test_another_rule_takes_dates_away_and_adds_some(series: Series, manager: User) -> None:
    change_series(
        series=series,
        name="Every other week",
        rule=read_rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=20", "Europe/Berlin"),
        starts_on=MONDAYS[0],
        wall_time=NINE,
        actor=manager,
        now=NOW,
    )
    assert due() == ["11-23 09:00", "11-25 09:00", "12-07 09:00", "12-09 09:00"]


def test_the_template_reaches_the_untouched_once_it_is_taken_over(series: Series, manager: User) -> None:
    own = made(series, MONDAYS[1])
    push_back(own, manager, dt.timedelta(minutes=5))
    template = series.template
    draft = Draft(parts=(Part("New words"),), accounts=Draft.of_post(template).accounts)
    save_draft(post=template, version=template.version, draft=draft, now=NOW)
    fill_series(series=series, now=NOW + dt.timedelta(days=7))
    assert made(series, MONDAYS[4]).excerpt == "Monday coffee"  # half-written words go nowhere by themselves
    assert take_over_content(series=series, actor=manager, now=NOW) == 4
    said = {date: made(series, date).excerpt for date in MONDAYS[:5]}
    assert said == dict.fromkeys(MONDAYS[:5], "New words") | {MONDAYS[1]: "Monday coffee"}
    payloads = Delivery.objects.filter(variant__post=made(series, MONDAYS[0]), state="scheduled")
    assert payloads.get().payload["parts"][0]["text"] == "New words"


def test_content_that_a_network_refuses_makes_drafts_of_the_coming_posts(
    series: Series, manager: User
) -> None:
    template = series.template
    draft = Draft(parts=(Part("x" * 10_000),), accounts=Draft.of_post(template).accounts)
    save_draft(post=template, version=template.version, draft=draft, now=NOW)
    take_over_content(series=series, actor=manager, now=NOW)
    assert due() == []
    assert set(Occurrence.objects.values_list("refusal", flat=True)) == {"NotReady"}
    assert {post.approval for post in Post.objects.filter(occurrence__series=series)} == {Approval.DRAFT}


def test_ending_takes_the_untouched_along_and_can_be_undone(series: Series, manager: User) -> None:
    own = made(series, MONDAYS[3])
    push_back(own, manager, dt.timedelta(minutes=5))
    assert end_series(series=series, actor=manager, now=NOW) == 3
    assert due() == ["12-14 09:05"]
    assert fill_series(series=series, now=NOW) == 0
    fill_one_series(series_id=str(series.pk))
    with pytest.raises(SeriesEnded):
        skip_date(series=series, date=MONDAYS[1], actor=manager, now=NOW)
    continue_series(series=series, actor=manager, now=NOW)
    assert due() == ["11-23 09:00", "11-30 09:00", "12-07 09:00", "12-14 09:05"]


class SeriesLife(RuleBasedStateMachine):
    """Whatever people do with a series, and whenever it is filled: each date at most once, nothing at a
    skipped one, nothing that somebody changed is touched."""

    brand: Brand
    manager: User
    account: SocialAccount

    @initialize()
    def begin(self) -> None:
        Series.objects.all().delete()
        Post.objects.all().delete()
        Delivery.objects.all().delete()
        self.now = NOW
        self.series = weekly(self.brand, self.manager, self.account)
        self.own: dict[Any, tuple[dt.datetime, int]] = {}
        self.skipped: set[dt.date] = set()

    def coming(self) -> list[dt.date]:
        return [date for date in MONDAYS if date > self.now.date()]

    @rule(days=st.integers(1, 10))
    def time_passes(self, days: int) -> None:
        self.now += dt.timedelta(days=days)

    @rule()
    def fill(self) -> None:
        fill_series(series=self.series, now=self.now)

    @precondition(lambda self: bool(self.coming()) and self.running)
    @rule(data=st.data())
    def skip(self, data: st.DataObject) -> None:
        date = data.draw(st.sampled_from(self.coming()))
        skip_date(series=self.series, date=date, actor=self.manager, now=self.now)
        self.skipped.add(date)

    @precondition(lambda self: self.running and any(d > self.now.date() for d in self.skipped))
    @rule(data=st.data())
    def unskip(self, data: st.DataObject) -> None:
        date = data.draw(st.sampled_from(sorted(d for d in self.skipped if d > self.now.date())))
        unskip_date(series=self.series, date=date, actor=self.manager, now=self.now)
        self.skipped.discard(date)

    @rule(data=st.data())
    def somebody_moves_one(self, data: st.DataObject) -> None:
        posts = Post.objects.filter(
            occurrence__series=self.series, planned_at__gt=self.now, deleted_at__isnull=True
        ).order_by("planned_at")
        if posts:
            post = data.draw(st.sampled_from(list(posts)))
            assert post.planned_at is not None
            at = post.planned_at + dt.timedelta(minutes=1)
            row = move_post(post=post, at=at, actor=self.manager, now=self.now)
            self.own[post.pk] = (at, row.version)

    @precondition(lambda self: self.running)
    @rule(hour=st.integers(8, 20))
    def another_time(self, hour: int) -> None:
        change_series(
            series=self.series,
            name="Mondays",
            rule=read_rule("FREQ=WEEKLY;BYDAY=MO;COUNT=10", "Europe/Berlin"),
            starts_on=MONDAYS[0],
            wall_time=dt.time(hour),
            actor=self.manager,
            now=self.now,
        )
        self.series.refresh_from_db()

    @rule()
    def end_or_continue(self) -> None:
        change = end_series if self.running else continue_series
        change(series=self.series, actor=self.manager, now=self.now)
        self.series.refresh_from_db()

    @property
    def running(self) -> bool:
        return Series.objects.get(pk=self.series.pk).ended_at is None

    @invariant()
    def each_date_at_most_once(self) -> None:
        standing = Post.objects.filter(
            occurrence__series=self.series, deleted_at__isnull=True, planned_at__gt=self.now
        )
        dates = [date for date in standing.values_list("occurrence__date", flat=True) if date]
        assert len(dates) == len(set(dates))
        assert not self.skipped & set(dates)
        live = Delivery.objects.filter(state=DeliveryState.SCHEDULED, due_at__gt=self.now)
        assert live.count() == standing.count()
        horizon = self.now + dt.timedelta(days=FILL_DAYS + 1)
        assert all(post.planned_at <= horizon for post in standing if post.planned_at)

    @invariant()
    def what_is_somebodys_own_stays(self) -> None:
        for post in Post.objects.filter(pk__in=self.own, deleted_at__isnull=True):
            at, version = self.own[post.pk]
            # Skipping puts it away and bringing it back schedules it, at its own time.
            assert post.planned_at == at
            assert post.version >= version


def test_whatever_is_done_to_a_series_its_dates_stay_right(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    SeriesLife.brand, SeriesLife.manager, SeriesLife.account = brand, manager, sandbox_account
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        SeriesLife,
        settings=settings(
            max_examples=15,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


# --- words and pages --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FREQ=DAILY;COUNT=1", "Every day, 1 time"),
        ("FREQ=DAILY;INTERVAL=3;COUNT=5", "Every 3 days, 5 times"),
        ("FREQ=WEEKLY;BYDAY=MO,TH;UNTIL=20270101", "Every week on Monday, Thursday until 1 Jan 2027"),
        ("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=2", "Every month on day 31, 2 times"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2", "Every month on the last day, 2 times"),
        ("FREQ=MONTHLY;INTERVAL=2;BYDAY=2TU;COUNT=2", "Every 2 months on the second Tuesday, 2 times"),
        ("FREQ=YEARLY;BYMONTH=5;COUNT=1", "FREQ=YEARLY;BYMONTH=5;COUNT=1"),
    ],
)
def test_a_rule_in_words(text: str, words: str) -> None:
    assert rule_words(read_rule(text, "UTC")) == words


def given_form(account: SocialAccount, **more: Any) -> dict[str, Any]:
    return {
        "name": "Mondays",
        "text": "Monday coffee",
        "accounts": [str(account.pk)],
        "starts_on": "2026-11-23",
        "wall_time": "09:00",
        "every": "1",
        "unit": "WEEKLY",
        "weekdays": ["0"],
        "monthly": "day",
        "nth": "1",
        "nth_weekday": "0",
        "count": "10",
        **more,
    }


def test_a_manager_sets_up_skips_changes_and_ends_a_series(
    sign_in: SignIn, manager: User, sandbox_account: SocialAccount
) -> None:
    client = sign_in(manager)
    answer = client.post(reverse("content_calendar:series_new"), given_form(sandbox_account))
    series = Series.objects.get()
    assert answer["Location"] == reverse("content_calendar:series", args=[series.pk])
    assert len(due()) == 4
    page = client.get(answer["Location"]).content.decode()
    assert "Every week on Monday, 10 times" in page
    skip = reverse("content_calendar:series_skip", args=[series.pk])
    client.post(skip, {"date": "2026-11-30"})
    assert "Skipped: nothing goes out" in client.get(answer["Location"]).content.decode()
    client.post(reverse("content_calendar:series_unskip", args=[series.pk]), {"date": "2026-11-30"})
    change = reverse("content_calendar:series_change", args=[series.pk])
    assert 'value="10"' in client.get(change).content.decode()
    client.post(change, given_form(sandbox_account, unit="MONTHLY", monthly="weekday", nth="-1"))
    assert due() == ["11-30 09:00"]
    client.post(reverse("content_calendar:series_end", args=[series.pk]))
    assert due() == []
    client.post(reverse("content_calendar:series_continue", args=[series.pk]))
    assert due() == ["11-30 09:00"]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"count": ""}, "Say when the series ends"),
        ({"until": "2026-12-31"}, "Choose either a last day or a number of posts."),
        ({"raw": "FREQ=WEEKLY;BYDAY=MO"}, "This rule has no end."),
        ({"raw": "each Monday"}, "This is not a rule that can be read."),
        ({"raw": "FREQ=HOURLY;COUNT=3"}, "A series posts once a day at most."),
        ({"count": "501"}, "two years or 500 posts at most. Choose an earlier last day"),
        ({"count": "", "until": "2026-11-01"}, "There is not a single day"),
        ({"unit": "MONTHLY", "month_day": ""}, "Choose the day of the month."),
        ({"unit": "MONTHLY", "month_day": "32"}, "less than or equal to 31"),
        ({"weekdays": []}, "Choose at least one weekday."),
        ({"every": "0"}, "greater than or equal to 1"),
        ({"starts_on": "0001-01-01"}, "Enter a date and a time."),
        ({"wall_time": "25:00"}, "Enter a valid time."),
        ({"text": "x" * 20_000}, "Too long for"),
        ({"accounts": []}, "This field is required."),
        ({"accounts": [], "count": ""}, "Say when the series ends"),
    ],
)
def test_bad_input_is_explained_and_nothing_is_made(
    sign_in: SignIn, manager: User, sandbox_account: SocialAccount, more: dict[str, Any], sentence: str
) -> None:
    answer = sign_in(manager).post(
        reverse("content_calendar:series_new"), given_form(sandbox_account, **more)
    )
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Series.objects.exists()
    assert not Post.objects.exists()


def test_a_pasted_rule_is_taken_and_shown_again(
    sign_in: SignIn, manager: User, sandbox_account: SocialAccount
) -> None:
    client = sign_in(manager)
    raw = "RRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24,25;COUNT=2"
    client.post(reverse("content_calendar:series_new"), given_form(sandbox_account, raw=raw, count=""))
    series = Series.objects.get()
    assert series.rule == "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24,25;COUNT=2"
    page = client.get(reverse("content_calendar:series_change", args=[series.pk])).content.decode()
    assert series.rule in page


@pytest.mark.parametrize("role", [Role.CREATOR, Role.VIEWER])
def test_only_those_who_publish_run_series(
    sign_in: SignIn, creator: User, series: Series, sandbox_account: SocialAccount, role: Role
) -> None:
    Membership.objects.filter(user=creator).update(role=role)
    client = sign_in(creator)
    for name in ("change", "content", "skip", "unskip", "end", "continue"):
        path = reverse(f"content_calendar:series_{name}", args=[series.pk])
        assert client.post(path, {"date": "2026-11-30"}).status_code == 403
    new = client.post(reverse("content_calendar:series_new"), given_form(sandbox_account))
    assert new.status_code == 403
    assert (len(due()), Series.objects.count()) == (4, 1)


def test_a_post_of_another_organization_is_no_template(
    sign_in: SignIn, stranger: User, draft_post: Post
) -> None:
    path = f"{reverse('content_calendar:series_new')}?post={draft_post.pk}"
    assert sign_in(stranger).get(path).status_code == 404


def test_the_page_of_a_post_says_which_series_made_it(sign_in: SignIn, viewer: User, series: Series) -> None:
    client = sign_in(viewer)
    page = client.get(reverse("content_calendar:post", args=[made(series, MONDAYS[0]).pk])).content.decode()
    assert "Made by the series “Mondays”" in page
    page = client.get(reverse("content_calendar:post", args=[series.template_id])).content.decode()
    assert "This is a template" in page


@pytest.mark.parametrize(
    "more", [{"month_day": "99"}, {"raw": "FREQ=DAILY;COUNT=3", "every": "0", "unit": "x", "weekdays": []}]
)
def test_what_the_page_hides_stands_in_nobodys_way(
    sign_in: SignIn, manager: User, sandbox_account: SocialAccount, more: dict[str, Any]
) -> None:
    sign_in(manager).post(reverse("content_calendar:series_new"), given_form(sandbox_account, **more))
    assert Series.objects.exists()


def test_what_a_series_is_made_from_is_given_to_nobody_for_approval(
    brand: Brand, series: Series, manager: User
) -> None:
    ApprovalRules.objects.create(brand=brand, rule=ApprovalRule.CLIENT)
    template = Post.objects.get(is_template=True)
    before = template.approval
    with pytest.raises(OnlyATemplate):
        submit_for_review(post=template, actor=manager, now=NOW)
    template.refresh_from_db()
    assert template.approval == before
    assert not Review.objects.exists()
