"""Evergreen pools: what goes out at their times, and what does not."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from accounts.models import AccountStatus, Brand, Notification, SocialAccount, User
from content_calendar.content import Part
from content_calendar.models import Approval, EvergreenEntry, EvergreenPool, EvergreenUse, Post, Queue, Slot
from content_calendar.rotation import Empty
from content_calendar.selectors.evergreen import planned_times
from content_calendar.services.drafts import AccountUnknown, Draft, create_post, delete_post, save_draft
from content_calendar.services.evergreen import (
    PoolFacts,
    add_entry,
    change_entry,
    change_pool,
    create_pool,
    fill_pool,
    pause_pool,
    remove_entry,
    resume_pool,
    take_over_entry,
)
from content_calendar.services.scheduling import move_post, schedule_post
from content_calendar.tasks import fill_one_pool
from content_calendar.weekly import WeekTime
from outbox.models import Delivery, DeliveryState
from tests.cast import make_account
from tests.content_calendar.conftest import NOW, make_post

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
DAY = dt.timedelta(days=1)
# Mondays and Thursdays at noon in Berlin: four times in the coming fortnight.
TIMES = frozenset({WeekTime(0, dt.time(12)), WeekTime(3, dt.time(12))})


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def facts(*accounts: SocialAccount, **more: Any) -> PoolFacts:
    given: dict[str, Any] = {"name": "Good advice", "times": TIMES, "cool_down_days": 3}
    return PoolFacts(accounts=tuple(one.pk for one in accounts), **given | more)


@pytest.fixture
def pool(brand: Brand, manager: User, sandbox_account: SocialAccount) -> EvergreenPool:
    return create_pool(brand=brand, facts=facts(sandbox_account), actor=manager, now=NOW)


def say(pool: EvergreenPool, actor: User, *texts: str, **more: Any) -> EvergreenEntry:
    return add_entry(pool=pool, texts=texts, actor=actor, now=NOW, **more)


def said() -> list[str]:
    """What stands in the schedule, by time."""
    rows = Delivery.objects.filter(state=DeliveryState.SCHEDULED).order_by("due_at")
    return [row.payload["parts"][0]["text"] for row in rows]


def reasons(pool: EvergreenPool, now: dt.datetime = NOW) -> list[Empty | None]:
    return [one.why for one in planned_times(pool, now)]


# --- taking turns -----------------------------------------------------------------------------


def test_entries_take_turns_at_the_pools_times(pool: EvergreenPool, manager: User) -> None:
    say(pool, manager, "Drink water")
    say(pool, manager, "Sleep well")
    assert said() == ["Drink water", "Sleep well"] * 2
    times = Delivery.objects.order_by("due_at").values_list("due_at", flat=True)
    local = [f"{at.astimezone(ZoneInfo('Europe/Berlin')):%a %H:%M}" for at in times]
    assert local == ["Mon 12:00", "Thu 12:00"] * 2


def test_filling_again_makes_nothing(pool: EvergreenPool, manager: User) -> None:
    say(pool, manager, "Drink water")
    say(pool, manager, "Sleep well")
    assert fill_pool(pool=pool, now=NOW) == 0
    assert fill_pool(pool=pool, now=NOW + 7 * DAY) == 2
    assert said() == ["Drink water", "Sleep well"] * 3


def test_one_entry_alone_goes_once_and_the_page_says_why(pool: EvergreenPool, manager: User) -> None:
    assert reasons(pool) == [Empty.NO_ENTRIES] * 4
    say(pool, manager, "Drink water")
    assert said() == ["Drink water"]
    assert reasons(pool) == [None, *[Empty.TWICE_IN_A_ROW] * 3]


def test_the_cool_down_keeps_times_empty(brand: Brand, pool: EvergreenPool, manager: User) -> None:
    account = pool.accounts.get()
    change_pool(pool=pool, facts=facts(account, cool_down_days=10), actor=manager, now=NOW)
    say(pool, manager, "Drink water")
    say(pool, manager, "Sleep well")
    pool.refresh_from_db()
    days = list(EvergreenUse.objects.order_by("slot_at").values_list("text", "slot_at__day"))
    assert days == [("Drink water", 23), ("Sleep well", 26), ("Drink water", 3)]
    assert reasons(pool)[2] is Empty.COOLING  # the 30th


def test_variations_take_turns_too(pool: EvergreenPool, manager: User) -> None:
    say(pool, manager, "Drink water", "Have a glass of water")
    say(pool, manager, "Sleep well")
    assert said() == ["Drink water", "Sleep well", "Have a glass of water", "Sleep well"]


def test_no_text_twice_in_a_row_on_an_account_whoever_said_it(
    brand: Brand, pool: EvergreenPool, manager: User, sandbox_account: SocialAccount
) -> None:
    post = make_post(brand, manager, "Drink water", sandbox_account)
    schedule_post(post=post, at=NOW + dt.timedelta(hours=1), actor=manager, now=NOW)
    say(pool, manager, "Drink water")
    # The one by hand stands just before each of the pool's times, as long as nothing lies between.
    assert said() == ["Drink water"]
    assert reasons(pool) == [Empty.SAME_TEXT] * 4
    say(pool, manager, "Sleep well")
    assert said() == ["Drink water", "Sleep well", "Drink water", "Sleep well", "Drink water"]


def test_a_hole_is_filled_with_what_fits_on_both_sides(pool: EvergreenPool, manager: User) -> None:
    say(pool, manager, "Drink water")
    say(pool, manager, "Sleep well")
    hole = EvergreenUse.objects.order_by("slot_at")[1]
    assert hole.post is not None
    delete_post(post=hole.post, actor=manager, now=NOW)
    hole.delete()
    say(pool, manager, "Walk a little")
    assert said() == ["Drink water", "Walk a little", "Drink water", "Sleep well"]


def test_a_time_at_which_another_post_stands_is_left_to_it(
    brand: Brand, pool: EvergreenPool, manager: User, sandbox_account: SocialAccount
) -> None:
    monday = dt.datetime(2026, 11, 23, 11, tzinfo=dt.UTC)
    make_post(brand, manager, "Launch", sandbox_account, planned_at=monday + dt.timedelta(minutes=5))
    say(pool, manager, "Drink water")
    assert reasons(pool)[0] is Empty.TAKEN
    assert Delivery.objects.get().due_at == monday + 3 * DAY


def test_words_of_its_own_on_one_account_are_kept_with_the_first_text(
    brand: Brand, manager: User, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    both = create_pool(brand=brand, facts=facts(sandbox_account, second_account), actor=manager, now=NOW)
    draft = Draft(
        parts=(Part("Drink water"),),
        accounts=(sandbox_account.pk, second_account.pk),
        own_parts={second_account.pk: (Part("Water!"),)},
    )
    post = create_post(brand=brand, author=manager, draft=draft, now=NOW)
    say(both, manager, "Drink water", "Have a glass", post=post)
    say(both, manager, "Sleep well")
    there = Delivery.objects.filter(account=second_account).order_by("due_at")
    assert [row.payload["parts"][0]["text"] for row in there] == [
        "Water!",
        "Sleep well",
        "Have a glass",
        "Sleep well",
    ]
    post.refresh_from_db()
    assert post.is_template


# --- season, end, pause -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "why", "count"),
    [
        ({"season": ("12-01", "02-28")}, Empty.OUT_OF_SEASON, 1),  # the 3rd of December
        ({"season": ("03-01", "10-31")}, Empty.OUT_OF_SEASON, 0),
        ({"ends_on": dt.date(2026, 11, 26)}, Empty.ENDED, 2),
        ({"most_uses": 3}, Empty.USED_UP, 3),
    ],
)
def test_a_pool_keeps_to_its_season_and_its_end(
    pool: EvergreenPool,
    manager: User,
    sandbox_account: SocialAccount,
    more: dict[str, Any],
    why: Empty,
    count: int,
) -> None:
    change_pool(pool=pool, facts=facts(sandbox_account, **more), actor=manager, now=NOW)
    say(pool, manager, "Drink water")
    say(pool, manager, "Sleep well")
    assert len(said()) == count
    pool.refresh_from_db()
    assert [one for one in reasons(pool) if one] == [why] * (4 - count)


def test_pausing_takes_the_untouched_away_and_resuming_makes_new_ones(
    pool: EvergreenPool, manager: User
) -> None:
    say(pool, manager, "Drink water")
    say(pool, manager, "Sleep well")
    first = Post.objects.get(evergreen_use__slot_at=EvergreenUse.objects.order_by("slot_at")[0].slot_at)
    move_post(post=first, at=NOW + DAY + dt.timedelta(hours=9), actor=manager, now=NOW)
    assert pause_pool(pool=pool, actor=manager, now=NOW) == 3
    assert said() == ["Drink water"]
    assert fill_pool(pool=pool, now=NOW) == 0
    fill_one_pool(pool_id=str(pool.pk))
    assert said() == ["Drink water"]
    assert resume_pool(pool=pool, actor=manager, now=NOW) == 3
    assert said() == ["Drink water", "Sleep well", "Drink water", "Sleep well"]


def test_other_times_choose_the_untouched_anew(pool: EvergreenPool, manager: User) -> None:
    say(pool, manager, "Drink water")
    say(pool, manager, "Sleep well")
    account = pool.accounts.get()
    fridays = facts(account, times=frozenset({WeekTime(4, dt.time(8))}))
    change_pool(pool=pool, facts=fridays, actor=manager, now=NOW)
    assert [
        f"{row.due_at:%m-%d}" for row in Delivery.objects.filter(state="scheduled").order_by("due_at")
    ] == [
        "11-27",
        "12-04",
    ]


def test_an_account_of_another_brand_is_refused(
    pool: EvergreenPool, manager: User, other_brand: Brand
) -> None:
    other = make_account(other_brand, handle="tea")
    with pytest.raises(AccountUnknown):
        change_pool(pool=pool, facts=facts(other, name="Theirs"), actor=manager, now=NOW)
    pool.refresh_from_db()
    assert pool.name == "Good advice"


# --- entries ----------------------------------------------------------------------------------


def test_changed_texts_reach_the_coming_posts(pool: EvergreenPool, manager: User) -> None:
    entry = say(pool, manager, "Drink water")
    say(pool, manager, "Sleep well")
    change_entry(entry=entry, texts=["Drink more water"], actor=manager, now=NOW)
    assert said() == ["Drink more water", "Sleep well"] * 2
    entry.refresh_from_db()
    assert (entry.template.excerpt, entry.texts) == ("Drink more water", ["Drink more water"])


def test_the_template_reaches_the_coming_posts_once_it_is_taken_over(
    pool: EvergreenPool, manager: User
) -> None:
    entry = say(pool, manager, "Drink water", "Have a glass")
    say(pool, manager, "Sleep well")
    template = entry.template
    accounts = Draft.of_post(template).accounts
    save_draft(
        post=template,
        version=template.version,
        draft=Draft(parts=(Part("Water!"),), accounts=accounts),
        now=NOW,
    )
    assert said()[0] == "Drink water"
    entry = EvergreenEntry.objects.select_related("template__brand", "pool").get(pk=entry.pk)
    take_over_entry(entry=entry, actor=manager, now=NOW)
    assert said() == ["Water!", "Sleep well", "Have a glass", "Sleep well"]


def test_what_somebody_takes_from_between_two_of_one_entry_parts_them(
    pool: EvergreenPool, manager: User
) -> None:
    say(pool, manager, "Drink water")
    say(pool, manager, "Sleep well")
    use = EvergreenUse.objects.order_by("slot_at")[1]
    assert use.post is not None
    delete_post(post=use.post, actor=manager, now=NOW)
    fill_pool(pool=pool, now=NOW)
    assert said() == ["Drink water", "Sleep well"]  # the third time would be the first entry again


def test_a_removed_entry_makes_room(pool: EvergreenPool, manager: User) -> None:
    entry = say(pool, manager, "Drink water")
    say(pool, manager, "Sleep well")
    remove_entry(entry=entry, actor=manager, now=NOW)
    assert said() == ["Sleep well"]
    assert reasons(pool) == [None, *[Empty.TWICE_IN_A_ROW] * 3]


def test_a_post_that_somebody_deleted_leaves_its_time_empty(pool: EvergreenPool, manager: User) -> None:
    say(pool, manager, "Drink water")
    say(pool, manager, "Sleep well")
    use = EvergreenUse.objects.order_by("slot_at")[0]
    assert use.post is not None
    delete_post(post=use.post, actor=manager, now=NOW)
    assert fill_pool(pool=pool, now=NOW) == 0
    assert planned_times(pool, NOW)[0].is_skipped


def test_a_lost_account_leaves_drafts_and_tells(
    pool: EvergreenPool, manager: User, sandbox_account: SocialAccount
) -> None:
    SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT)
    say(pool, manager, "Drink water")
    use = EvergreenUse.objects.get()
    assert use.refusal == "NotReady"
    assert use.post is not None
    assert use.post.approval == Approval.DRAFT
    assert [told.user for told in Notification.objects.all()] == [manager]
    SocialAccount.objects.update(status=AccountStatus.ACTIVE)
    fill_pool(pool=pool, now=NOW)
    assert said() == ["Drink water"]


def test_a_time_in_the_gap_of_the_clocks_is_right_after_it(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    sundays = facts(sandbox_account, times=frozenset({WeekTime(6, dt.time(2, 30))}))
    pool = create_pool(brand=brand, facts=sundays, actor=manager, now=NOW)
    say(pool, manager, "Drink water")
    EvergreenUse.objects.all().delete()
    Post.objects.filter(is_template=False).delete()
    fill_pool(pool=pool, now=dt.datetime(2027, 3, 26, tzinfo=dt.UTC))
    assert EvergreenUse.objects.get().slot_at == dt.datetime(2027, 3, 28, 1, tzinfo=dt.UTC)


class PoolLife(RuleBasedStateMachine):
    """Whatever is done to a pool, and whenever it is filled: nothing that it chose stands beside its like."""

    brand: Brand
    manager: User
    account: SocialAccount

    @initialize()
    def begin(self) -> None:
        EvergreenPool.objects.all().delete()
        Post.objects.all().delete()
        Delivery.objects.all().delete()
        self.now = NOW
        self.cool_down = 3
        self.count = 0
        self.pool = create_pool(brand=self.brand, facts=facts(self.account), actor=self.manager, now=NOW)

    @rule(texts=st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=3, unique=True))
    def add(self, texts: list[str]) -> None:
        add_entry(pool=self.pool, texts=texts, actor=self.manager, now=self.now)

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        rows = (
            EvergreenEntry.objects.present().select_related("pool", "template").order_by("created_at", "pk")
        )
        if rows:
            entry = data.draw(st.sampled_from(list(rows)))
            remove_entry(entry=entry, actor=self.manager, now=self.now)

    @rule(days=st.integers(1, 9))
    def time_passes(self, days: int) -> None:
        self.now += days * DAY
        fill_pool(pool=self.pool, now=self.now)

    @rule(data=st.data())
    def somebody_deletes_one(self, data: st.DataObject) -> None:
        posts = Post.objects.filter(
            evergreen_use__pool=self.pool, deleted_at__isnull=True, planned_at__gt=self.now
        ).order_by("planned_at")
        if posts:
            delete_post(post=data.draw(st.sampled_from(list(posts))), actor=self.manager, now=self.now)
            fill_pool(pool=self.pool, now=self.now)

    @rule()
    def pause_and_resume(self) -> None:
        pause_pool(pool=self.pool, actor=self.manager, now=self.now)
        resume_pool(pool=self.pool, actor=self.manager, now=self.now)

    @rule(days=st.integers(0, 8))
    def another_cool_down(self, days: int) -> None:
        change_pool(
            pool=self.pool,
            facts=facts(self.account, cool_down_days=days),
            actor=self.manager,
            now=self.now,
        )

    @invariant()
    def each_time_is_filled_once_and_posts_stand_in_the_schedule(self) -> None:
        standing = Post.objects.filter(evergreen_use__pool=self.pool, deleted_at__isnull=True)
        times = list(standing.values_list("planned_at", flat=True))
        assert len(times) == len(set(times))
        assert Delivery.objects.filter(state=DeliveryState.SCHEDULED).count() == len(times)

    @invariant()
    def never_two_alike_in_a_row(self) -> None:
        rows = EvergreenUse.objects.filter(pool=self.pool, post__deleted_at__isnull=True).order_by("slot_at")
        uses = list(rows.values_list("entry_id", "text"))
        for one, other in itertools.pairwise(uses):
            assert one[0] != other[0]
            assert one[1] != other[1]


def test_whatever_is_done_to_a_pool_the_rules_hold(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    PoolLife.brand, PoolLife.manager, PoolLife.account = brand, manager, sandbox_account
    run_state_machine_as_test(
        PoolLife,
        settings=settings(
            max_examples=10,
            stateful_step_count=10,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


# --- pages ------------------------------------------------------------------------------------


def given_form(*accounts: SocialAccount, **more: Any) -> dict[str, Any]:
    return {
        "name": "Good advice",
        "accounts": [str(one.pk) for one in accounts],
        "times_0": "12:00",
        "times_3": "９：３０、18:00",
        "cool_down_days": "3",
        **more,
    }


def test_a_manager_sets_up_a_pool_and_sees_what_goes_out(
    sign_in: SignIn, manager: User, sandbox_account: SocialAccount
) -> None:
    client = sign_in(manager)
    answer = client.post(reverse("content_calendar:pool_new"), given_form(sandbox_account))
    pool = EvergreenPool.objects.get()
    assert {(one.weekday, f"{one.wall_time:%H:%M}") for one in pool.times.all()} == {
        (0, "12:00"),
        (3, "09:30"),
        (3, "18:00"),
    }
    page = client.get(answer["Location"]).content.decode()
    assert "The pool has no entries yet." in page
    new = reverse("content_calendar:entry_new", args=[pool.pk])
    client.post(new, {"text": ["Drink water", "", "Have a glass"]})
    client.post(new, {"text": ["Sleep well"]})
    page = client.get(answer["Location"]).content.decode()
    assert "2 texts" in page
    assert len(said()) == 6
    entry = EvergreenEntry.objects.order_by("created_at")[0]
    client.post(reverse("content_calendar:entry", args=[entry.pk]), {"text": ["Drink a lot"]})
    assert "Drink a lot" in said()
    change = reverse("content_calendar:pool_change", args=[pool.pk])
    assert 'value="09:30, 18:00"' in client.get(change).content.decode()
    client.post(
        change,
        given_form(
            sandbox_account, times_3="", first_month="6", first_day="1", last_month="8", last_day="31"
        ),
    )
    assert said() == []
    page = client.get(answer["Location"]).content.decode()
    assert "It is out of season." in page
    assert "June 1 – August 31" in page
    client.post(reverse("content_calendar:pool_pause", args=[pool.pk]), {"state": "paused"})
    assert "This pool is paused" in client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"times_0": "", "times_3": ""}, "Write at least one time"),
        ({"times_0": "25:00"}, "“25:00” is not a time."),
        ({"times_0": "noon"}, "“noon” is not a time."),
        ({"accounts": []}, "This field is required."),
        ({"cool_down_days": "-1"}, "greater than or equal to 0"),
        ({"first_month": "6"}, "A season needs its first and its last day."),
        (
            {"first_month": "2", "first_day": "30", "last_month": "3", "last_day": "1"},
            "This month has no such day.",
        ),
        ({"ends_on": "2026-13-01"}, "Enter a valid date."),
        ({"most_uses": "0"}, "greater than or equal to 1"),
        ({"times_0": ", ".join(f"{n // 60:02}:{n % 60:02}" for n in range(43))}, None),
    ],
)
def test_bad_input_is_explained_and_nothing_is_made(
    sign_in: SignIn, manager: User, sandbox_account: SocialAccount, more: dict[str, Any], sentence: str | None
) -> None:
    answer = sign_in(manager).post(reverse("content_calendar:pool_new"), given_form(sandbox_account, **more))
    if sentence is None:  # many times are no mistake
        assert EvergreenPool.objects.get().times.count() == 45
        return
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not EvergreenPool.objects.exists()


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [([], "Write at least one text."), (["ok", "x" * 20_000], "Text 2 on @harbour: Too")],
)
def test_texts_that_cannot_go_are_explained(
    sign_in: SignIn, manager: User, pool: EvergreenPool, texts: list[str], sentence: str
) -> None:
    answer = sign_in(manager).post(reverse("content_calendar:entry_new", args=[pool.pk]), {"text": texts})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not EvergreenEntry.objects.exists()


def test_a_post_is_taken_into_a_pool(
    sign_in: SignIn, manager: User, pool: EvergreenPool, draft_post: Post
) -> None:
    client = sign_in(manager)
    page = client.get(f"{reverse('content_calendar:pools')}?post={draft_post.pk}").content.decode()
    new = f"{reverse('content_calendar:entry_new', args=[pool.pk])}?post={draft_post.pk}"
    assert new in page
    assert "Fresh coffee at nine" in client.get(new).content.decode()
    client.post(new, {"text": ["Fresh coffee at nine"]})
    assert EvergreenEntry.objects.get().template_id == draft_post.pk


def test_only_those_who_publish_run_pools(
    sign_in: SignIn, creator: User, manager: User, pool: EvergreenPool, sandbox_account: SocialAccount
) -> None:
    entry = say(pool, manager, "Drink water")
    client = sign_in(creator)
    for name in ("pool_change", "pool_pause", "pool_fill", "entry_new"):
        path = reverse(f"content_calendar:{name}", args=[pool.pk])
        assert client.post(path, given_form(sandbox_account, state="paused", text="x")).status_code == 403
    for name in ("entry", "entry_content", "entry_remove"):
        path = reverse(f"content_calendar:{name}", args=[entry.pk])
        assert client.post(path, {"text": "x"}).status_code == 403
    assert client.post(reverse("content_calendar:pool_new"), given_form(sandbox_account)).status_code == 403
    assert said() == ["Drink water"]
    assert client.get(reverse("content_calendar:pool", args=[pool.pk])).status_code == 200


# --- slots of the queues ----------------------------------------------------------------------


def slots(account: SocialAccount, *times: WeekTime) -> None:
    for one in times:
        Slot.objects.create(account=account, weekday=one.weekday, wall_time=one.time)


EVENING, NOON = WeekTime(6, dt.time(18)), WeekTime(0, dt.time(12))  # today is a Sunday
LATE = WeekTime(2, dt.time(12))  # in three days


@pytest.fixture
def slot_pool(brand: Brand, manager: User, sandbox_account: SocialAccount) -> EvergreenPool:
    slots(sandbox_account, EVENING, NOON, LATE)
    wanted = facts(sandbox_account, times=frozenset(), uses_slots=True, cool_down_days=0)
    return create_pool(brand=brand, facts=wanted, actor=manager, now=NOW)


def due() -> list[str]:
    rows = Delivery.objects.filter(state=DeliveryState.SCHEDULED).order_by("due_at")
    return [f"{row.due_at.astimezone(ZoneInfo('Europe/Berlin')):%a %H:%M}" for row in rows]


def test_a_pool_fills_the_slots_of_the_queue_shortly_before(slot_pool: EvergreenPool, manager: User) -> None:
    say(slot_pool, manager, "Drink water")
    say(slot_pool, manager, "Sleep well")
    assert due() == ["Sun 18:00", "Mon 12:00"]
    assert fill_pool(pool=slot_pool, now=NOW) == 0
    with time_machine.travel(NOW + DAY * 1.5, tick=False):
        assert fill_pool(pool=slot_pool, now=NOW + DAY * 1.5) == 1
    assert due() == ["Sun 18:00", "Mon 12:00", "Wed 12:00"]


def test_a_slot_that_somebody_took_is_theirs(
    slot_pool: EvergreenPool, brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    noon = dt.datetime(2026, 11, 23, 11, tzinfo=dt.UTC)
    theirs = make_post(brand, manager, "News", sandbox_account, planned_at=noon)
    schedule_post(post=theirs, at=noon, actor=manager, now=NOW)
    say(slot_pool, manager, "Drink water")
    say(slot_pool, manager, "Sleep well")
    assert said() == ["Drink water", "News"]
    assert reasons(slot_pool) == [None, Empty.TAKEN]


def test_slots_of_all_accounts_of_the_pool_are_its_times(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    other = make_account(brand, handle="second")
    slots(sandbox_account, EVENING)
    slots(other, NOON)
    wanted = facts(sandbox_account, other, uses_slots=True, cool_down_days=0)
    pool = create_pool(brand=brand, facts=wanted, actor=manager, now=NOW)
    say(pool, manager, "Drink water")
    say(pool, manager, "Sleep well")
    assert due() == ["Sun 18:00", "Sun 18:00", "Mon 12:00", "Mon 12:00"]


def test_two_pools_do_not_share_a_slot(
    slot_pool: EvergreenPool, brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    say(slot_pool, manager, "Drink water")
    wanted = facts(sandbox_account, uses_slots=True, cool_down_days=0)
    second = create_pool(brand=brand, facts=wanted, actor=manager, now=NOW)
    say(second, manager, "Sleep well")
    assert said() == ["Drink water", "Sleep well"]


def test_a_paused_queue_is_left_empty(
    slot_pool: EvergreenPool, manager: User, sandbox_account: SocialAccount
) -> None:
    Queue.objects.create(account=sandbox_account, paused_at=NOW)
    say(slot_pool, manager, "Drink water")
    assert said() == []
    assert planned_times(slot_pool, NOW) == []


def test_a_pool_changes_to_slots_and_back_with_its_own_times_kept(
    sign_in: SignIn, pool: EvergreenPool, manager: User, sandbox_account: SocialAccount
) -> None:
    slots(sandbox_account, EVENING)
    say(pool, manager, "Drink water")
    say(pool, manager, "Sleep well")
    client, address = sign_in(manager), reverse("content_calendar:pool_change", args=[pool.pk])
    own = {"times_0": "12:00", "times_3": "12:00"}
    given = {"name": "Good advice", "accounts": [sandbox_account.pk], "cool_down_days": 3}
    assert client.post(address, {**given, **own, "uses_slots": "on"}).status_code == 302
    assert due() == ["Sun 18:00"]
    page = client.get(reverse("content_calendar:pool", args=[pool.pk])).content.decode()
    assert "in free slots of the queues" in page
    assert "The coming 2 days" in page
    assert 'value="12:00"' in client.get(address).content.decode()
    assert client.post(address, {**given, **own}).status_code == 302
    assert due() == ["Mon 12:00", "Thu 12:00"] * 2
    assert client.post(address, given).status_code == 422


def test_a_pool_of_slots_needs_no_times_of_its_own(
    sign_in: SignIn, brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    given = {"name": "Gaps", "accounts": [sandbox_account.pk], "cool_down_days": 3, "uses_slots": "on"}
    assert sign_in(manager).post(reverse("content_calendar:pool_new"), given).status_code == 302
    assert EvergreenPool.objects.get().uses_slots
