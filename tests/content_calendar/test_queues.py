"""Posting slots, and the next one that is free."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AccountStatus, AuditEntry, Brand, SocialAccount, User
from content_calendar.models import Approval, Post, Slot
from content_calendar.selectors.queues import free_slots, next_free
from content_calendar.services.drafts import delete_post
from content_calendar.services.queues import (
    MOST_SLOTS,
    NoFreeSlot,
    NoSlots,
    OtherBrand,
    TooManySlots,
    add_slots,
    copy_slots,
    pause_queue,
    remove_slot,
    resume_queue,
    take_slot,
)
from content_calendar.services.scheduling import NoAccountChosen, schedule_post, unschedule
from outbox.models import Delivery
from tests.cast import make_account
from tests.content_calendar.conftest import LATER, NOW, make_post
from tests.content_calendar.test_composer import form, send

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
BERLIN = ZoneInfo("Europe/Berlin")
NINE = dt.time(9)
# NOW is Sunday, 22 November 2026, ten in the morning in Berlin.
MONDAY, TUESDAY, WEDNESDAY = (dt.datetime(2026, 11, day, 8, tzinfo=dt.UTC) for day in (23, 24, 25))


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def slots(sandbox_account: SocialAccount, manager: User) -> SocialAccount:
    """An account that posts at nine on Mondays, Tuesdays and Wednesdays."""
    add_slots(account=sandbox_account, weekdays=[0, 1, 2], time=NINE, actor=manager, now=NOW)
    return sandbox_account


def take(post: Post, actor: User, **more: Any) -> dt.datetime:
    return take_slot(post=post, actor=actor, now=NOW, **more)


# --- the next free slot -----------------------------------------------------------------------


def test_posts_take_one_slot_after_the_other(brand: Brand, manager: User, slots: SocialAccount) -> None:
    taken = [take(make_post(brand, manager, f"Post {n}", slots), manager) for n in range(4)]
    assert taken == [MONDAY, TUESDAY, WEDNESDAY, MONDAY + dt.timedelta(days=7)]
    assert list(Delivery.objects.order_by("due_at").values_list("due_at", flat=True)) == taken


def test_a_draft_with_a_time_takes_a_slot_and_one_put_away_gives_it_back(
    brand: Brand, manager: User, slots: SocialAccount
) -> None:
    draft = make_post(brand, manager, "Draft", slots, planned_at=MONDAY)
    assert next_free(brand, [slots.pk], NOW) == TUESDAY
    delete_post(post=draft, actor=manager, now=NOW)
    assert next_free(brand, [slots.pk], NOW) == MONDAY


def test_a_post_taken_out_of_the_schedule_still_has_its_time_and_slot(
    brand: Brand, manager: User, slots: SocialAccount
) -> None:
    post = make_post(brand, manager, "Scheduled", slots)
    take(post, manager)
    unschedule(post=post, actor=manager, now=NOW)
    assert next_free(brand, [slots.pk], NOW) == TUESDAY
    assert next_free(brand, [slots.pk], NOW, but=post.pk) == MONDAY


@pytest.mark.parametrize(("minutes", "is_taken"), [(-1, False), (0, True), (14, True), (15, False)])
def test_a_slot_is_taken_from_its_time_on_for_a_quarter_of_an_hour(
    brand: Brand, manager: User, slots: SocialAccount, minutes: int, is_taken: bool
) -> None:
    near = make_post(brand, manager, "By hand", slots)
    schedule_post(post=near, at=MONDAY + dt.timedelta(minutes=minutes), actor=manager, now=NOW)
    assert next_free(brand, [slots.pk], NOW) == (TUESDAY if is_taken else MONDAY)


def test_a_slot_ends_where_the_next_one_begins(brand: Brand, manager: User, slots: SocialAccount) -> None:
    add_slots(account=slots, weekdays=[0], time=dt.time(9, 5), actor=manager, now=NOW)
    near = make_post(brand, manager, "By hand", slots)
    schedule_post(post=near, at=MONDAY + dt.timedelta(minutes=6), actor=manager, now=NOW)
    assert next_free(brand, [slots.pk], NOW) == MONDAY
    assert [slot.at for slot in free_slots([brand], NOW, TUESDAY)] == [MONDAY]


def test_several_accounts_get_the_first_slot_of_any_at_which_all_are_free(
    brand: Brand, manager: User, slots: SocialAccount, second_account: SocialAccount
) -> None:
    both = make_post(brand, manager, "Both", slots, second_account)
    busy = make_post(brand, manager, "Only there", second_account)
    schedule_post(post=busy, at=MONDAY + dt.timedelta(minutes=5), actor=manager, now=NOW)
    add_slots(account=second_account, weekdays=[0], time=dt.time(18), actor=manager, now=NOW)
    assert take(both, manager) == MONDAY.replace(hour=17)
    assert set(Delivery.objects.filter(variant__post=both).values_list("due_at", flat=True)) == {
        MONDAY.replace(hour=17)
    }


def test_a_paused_queue_offers_nothing(brand: Brand, manager: User, slots: SocialAccount) -> None:
    post = make_post(brand, manager, "Waiting", slots)
    pause_queue(account=slots, actor=manager, now=NOW)
    with pytest.raises(NoSlots):
        take(post, manager)
    assert free_slots([brand], NOW, WEDNESDAY) == []
    resume_queue(account=slots, actor=manager, now=NOW)
    assert take(post, manager) == MONDAY


def test_without_accounts_slots_or_room_nothing_is_changed(
    brand: Brand, manager: User, sandbox_account: SocialAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoAccountChosen):
        take(make_post(brand, manager, "Nowhere"), manager)
    post = make_post(brand, manager, "No slots", sandbox_account)
    with pytest.raises(NoSlots):
        take(post, manager)
    add_slots(account=sandbox_account, weekdays=[0], time=NINE, actor=manager, now=NOW)
    monkeypatch.setattr("content_calendar.selectors.queues.HORIZON", dt.timedelta(days=7))
    make_post(brand, manager, "There already", sandbox_account, planned_at=MONDAY)
    with pytest.raises(NoFreeSlot):
        take(post, manager)
    post.refresh_from_db()
    assert (post.approval, post.planned_at) == (Approval.DRAFT, None)
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("zone", "now", "local"),
    [
        ("Europe/Berlin", "2027-03-27T12:00", "2027-03-28 03:00"),
        ("America/New_York", "2027-03-13T12:00", "2027-03-14 03:00"),
        ("Australia/Lord_Howe", "2027-10-02T06:00", "2027-10-03 02:30"),
        ("Asia/Tokyo", "2027-03-27T06:00", "2027-03-28 02:15"),
    ],
)
def test_a_slot_in_the_gap_goes_out_right_after_it(
    brand: Brand, manager: User, sandbox_account: SocialAccount, zone: str, now: str, local: str
) -> None:
    brand.timezone = zone
    brand.save()
    add_slots(account=sandbox_account, weekdays=[6], time=dt.time(2, 15), actor=manager, now=NOW)
    at = next_free(brand, [sandbox_account.pk], dt.datetime.fromisoformat(now).replace(tzinfo=dt.UTC))
    assert at is not None
    assert f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" == local


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    taken=st.sets(st.integers(0, 60), max_size=30),
    times=st.lists(
        st.tuples(st.integers(0, 6), st.sampled_from([dt.time(2, 30), dt.time(9), dt.time(9, 10)])),
        min_size=1,
        max_size=4,
    ),
)
def test_the_next_free_slot_is_the_first_free_one(
    brand: Brand,
    manager: User,
    sandbox_account: SocialAccount,
    taken: set[int],
    times: list[tuple[int, dt.time]],
) -> None:
    """Against the list of all free slots, over the spring's change of the clocks."""
    Post.objects.all().delete()
    Slot.objects.all().delete()
    for weekday, time in times:
        add_slots(account=sandbox_account, weekdays=[weekday], time=time, actor=manager, now=NOW)
    start = dt.datetime(2027, 3, 15, tzinfo=dt.UTC)
    everything = [slot.at for slot in free_slots([brand], start, start + dt.timedelta(days=60))]
    for index in taken:
        if index < len(everything):
            make_post(brand, manager, "x", sandbox_account, planned_at=everything[index])
    left = [at for index, at in enumerate(everything) if index not in taken]
    found = next_free(brand, [sandbox_account.pk], start)
    if left:
        assert found == left[0]
    else:
        assert found is not None
        assert found >= start + dt.timedelta(days=60)


@pytest.mark.django_db(transaction=True)
def test_two_who_ask_at_once_get_two_slots(brand: Brand, manager: User, slots: SocialAccount) -> None:
    posts = [make_post(brand, manager, f"Post {n}", slots) for n in range(4)]
    gate = threading.Barrier(4)
    found: list[dt.datetime] = []

    def ask(post: Post) -> None:
        try:
            gate.wait(timeout=10)
            found.append(take(post, manager))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=[post]) for post in posts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [MONDAY, TUESDAY, WEDNESDAY, MONDAY + dt.timedelta(days=7)]


# --- slots ------------------------------------------------------------------------------------


def test_slots_are_there_once_and_are_copied(
    brand: Brand, manager: User, slots: SocialAccount, second_account: SocialAccount, other_brand: Brand
) -> None:
    assert add_slots(account=slots, weekdays=[2, 3], time=NINE, actor=manager, now=NOW) == 1
    add_slots(account=second_account, weekdays=[0, 6], time=NINE, actor=manager, now=NOW)
    assert copy_slots(source=slots, target=second_account, actor=manager, now=NOW) == 3
    assert Slot.objects.filter(account=second_account).count() == 5
    with pytest.raises(OtherBrand):
        copy_slots(source=slots, target=make_account(other_brand, handle="tea"), actor=manager, now=NOW)
    remove_slot(slot=Slot.objects.filter(account=slots, weekday=0).get(), actor=manager, now=NOW)
    assert next_free(brand, [slots.pk], NOW) == TUESDAY
    assert AuditEntry.objects.filter(action="queue.slots_added").count() == 4


def test_an_account_has_so_many_slots_at_most(slots: SocialAccount, manager: User) -> None:
    for minute in range(28):
        add_slots(account=slots, weekdays=range(7), time=dt.time(12, minute), actor=manager, now=NOW)
    assert Slot.objects.count() == MOST_SLOTS - 1
    with pytest.raises(TooManySlots):
        add_slots(account=slots, weekdays=range(7), time=dt.time(13), actor=manager, now=NOW)
    assert Slot.objects.count() == MOST_SLOTS - 1


# --- pages ------------------------------------------------------------------------------------


def test_a_manager_sets_up_a_week(sign_in: SignIn, manager: User, sandbox_account: SocialAccount) -> None:
    client = sign_in(manager)
    path = reverse("content_calendar:queue_add", args=[sandbox_account.pk])
    client.post(path, {"time": "09:30", "weekdays": ["0", "4"]})
    assert set(Slot.objects.values_list("weekday", "wall_time")) == {(0, dt.time(9, 30)), (4, dt.time(9, 30))}
    page = client.get(reverse("content_calendar:queue", args=[sandbox_account.pk])).content.decode()
    assert page.count("09:30</span>") == 2
    slot = Slot.objects.get(weekday=0)
    client.post(reverse("content_calendar:queue_remove", args=[sandbox_account.pk]), {"slot": slot.pk})
    assert not Slot.objects.filter(pk=slot.pk).exists()


@pytest.mark.parametrize(
    "given_", [{"time": "25:00", "weekdays": "0"}, {"time": "09:00"}, {"time": "", "weekdays": "9"}, {}]
)
def test_what_is_no_slot_is_explained(
    sign_in: SignIn, manager: User, sandbox_account: SocialAccount, given_: dict[str, str]
) -> None:
    path = reverse("content_calendar:queue_add", args=[sandbox_account.pk])
    assert sign_in(manager).post(path, given_).status_code == 422
    assert not Slot.objects.exists()


@pytest.mark.parametrize("slot", ["", "x", "99999999999999999999", "0"])
def test_removing_no_slot_harms_nothing(
    sign_in: SignIn, manager: User, slots: SocialAccount, slot: str
) -> None:
    path = reverse("content_calendar:queue_remove", args=[slots.pk])
    assert sign_in(manager).post(path, {"slot": slot}).status_code == 302
    assert Slot.objects.count() == 3


def test_a_slot_of_another_account_is_not_removed(
    sign_in: SignIn, manager: User, slots: SocialAccount, second_account: SocialAccount
) -> None:
    path = reverse("content_calendar:queue_remove", args=[second_account.pk])
    sign_in(manager).post(path, {"slot": Slot.objects.filter(account=slots)[0].pk})
    assert Slot.objects.count() == 3


def test_the_page_says_when_the_clocks_touch_a_slot(
    sign_in: SignIn, manager: User, sandbox_account: SocialAccount
) -> None:
    add_slots(account=sandbox_account, weekdays=[6], time=dt.time(2, 30), actor=manager, now=NOW)
    page = sign_in(manager).get(reverse("content_calendar:queue", args=[sandbox_account.pk])).content.decode()
    assert "28 Mar 2027: 02:30 does not exist on that day." in page
    assert "31 Oct 2027: 02:30 comes twice on that day." in page


def test_adding_to_the_queue_schedules_for_managers_and_plans_for_creators(
    sign_in: SignIn, manager: User, creator: User, brand: Brand, slots: SocialAccount
) -> None:
    first, second = (make_post(brand, creator, text, slots) for text in ("One", "Two"))
    sign_in(manager).post(reverse("content_calendar:enqueue", args=[first.pk]))
    assert Delivery.objects.get().due_at == MONDAY
    sign_in(creator).post(reverse("content_calendar:enqueue", args=[second.pk]))
    second.refresh_from_db()
    assert (second.planned_at, second.approval) == (TUESDAY, Approval.DRAFT)
    assert Delivery.objects.count() == 1


def test_adding_to_a_queue_without_slots_says_what_to_do(
    sign_in: SignIn, manager: User, brand: Brand, sandbox_account: SocialAccount
) -> None:
    post = make_post(brand, manager, "One", sandbox_account)
    page = sign_in(manager).post(reverse("content_calendar:enqueue", args=[post.pk]), follow=True)
    assert "set up slots under Queues" in page.content.decode()
    assert not Delivery.objects.exists()


def test_the_composer_takes_the_next_free_slot_without_scripts(
    sign_in: SignIn, creator: User, brand: Brand, slots: SocialAccount
) -> None:
    client, fresh = sign_in(creator), uuid.uuid4()
    answer = send(client, fresh, form(brand, slots, action="slot"))
    assert answer.status_code == 302
    post = Post.objects.get(pk=fresh)
    assert (post.planned_at, post.excerpt) == (MONDAY, "Hello")
    page = client.get(answer["Location"]).content.decode()
    assert 'value="2026-11-23"' in page
    assert 'value="09:00"' in page
    # Asked again, it goes on from the time that the fields show.
    version = str(post.version)
    again = form(brand, slots, action="slot", version=version, date="2026-11-23", time="09:00")
    send(client, fresh, again)
    post.refresh_from_db()
    assert post.planned_at == TUESDAY


def test_the_composer_says_when_there_are_no_slots_and_keeps_the_words(
    sign_in: SignIn, creator: User, brand: Brand, sandbox_account: SocialAccount
) -> None:
    fresh = uuid.uuid4()
    answer = send(sign_in(creator), fresh, form(brand, sandbox_account, text="Precious", action="slot"))
    assert answer.status_code == 422
    assert "set up slots under Queues" in answer.content.decode()
    assert "Precious" in answer.content.decode()
    assert Post.objects.get(pk=fresh).planned_at is None


def feed(client: Client, **more: str) -> list[dict[str, Any]]:
    query = {"start": "2026-11-16T00:00:00Z", "end": "2026-11-30T00:00:00Z", **more}
    found: list[dict[str, Any]] = (
        client.get(reverse("content_calendar:events"), query).json().get("slots", [])
    )
    return found


def test_the_calendar_tells_free_slots_to_come(
    sign_in: SignIn, creator: User, viewer: User, stranger: User, brand: Brand, slots: SocialAccount
) -> None:
    make_post(brand, creator, "There", slots, planned_at=TUESDAY)
    client = sign_in(creator)
    assert [slot["start"] for slot in feed(client)] == ["2026-11-23T08:00:00Z", "2026-11-25T08:00:00Z"]
    assert feed(client, slots="0") == []
    assert feed(client, state="draft") == []
    assert feed(client, account=str(uuid.uuid4())) == []
    page = client.get(feed(client)[0]["url"]).content.decode()
    assert 'value="2026-11-23"' in page
    assert 'value="09:00"' in page
    assert feed(sign_in(viewer)) == []  # who cannot write needs no invitation to it
    assert feed(sign_in(stranger)) == []


def test_a_lost_account_is_offered_nothing(sign_in: SignIn, creator: User, slots: SocialAccount) -> None:
    SocialAccount.objects.filter(pk=slots.pk).update(status=AccountStatus.DISCONNECTED)
    assert feed(sign_in(creator)) == []


def test_who_only_drafts_moves_nothing_that_is_scheduled(
    sign_in: SignIn, brand: Brand, creator: User, manager: User, slots: SocialAccount
) -> None:
    post = make_post(brand, creator, "There", slots, planned_at=LATER)
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    assert sign_in(creator).post(reverse("content_calendar:enqueue", args=[post.pk])).status_code == 403
    post.refresh_from_db()
    assert (post.planned_at, Delivery.objects.get().due_at) == (LATER, LATER)


@pytest.mark.parametrize("who", ["creator", "viewer"])
def test_only_those_who_publish_change_slots(
    sign_in: SignIn, request: pytest.FixtureRequest, slots: SocialAccount, who: str
) -> None:
    client = sign_in(request.getfixturevalue(who))
    for name in ("queue_add", "queue_remove", "queue_copy", "queue_pause"):
        path = reverse(f"content_calendar:{name}", args=[slots.pk])
        assert client.post(path, {"time": "10:00", "weekdays": "0", "state": "paused"}).status_code == 403
    assert Slot.objects.count() == 3
    assert client.get(reverse("content_calendar:queue", args=[slots.pk])).status_code == 200
