"""Ending a pause, and what becomes of the posts that fell due meanwhile."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections import Counter
from uuid import UUID, uuid4

import pytest
import time_machine
from django.db import connection
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry, Brand, Notification
from core.time import to_local, to_utc
from outbox.errors import StopReason
from outbox.models import Delivery, DeliveryKind, DeliveryState, HeldReason, Pause
from outbox.selectors import undecided
from outbox.services.backlog import Decision, PlannedInThePast, decide, spread_backlog
from outbox.services.pauses import end_pause, hold_blocked, pause_sending
from outbox.services.scheduling import cancel_delivery, move_delivery
from outbox.spreading import MOST_DAYS, Spread, TooLongToSpread, Waiting, slots, spread_times
from tests.cast import make_account
from tests.outbox.conftest import START, tick
from tests.outbox.network import Accepted, Killed

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def pause(organization, manager, clock):
    """`pause(brand=…)`, `pause(account=…)` or `pause()` for everything."""

    def put(**scope) -> Pause:
        return pause_sending(organization=organization, reason="", actor=manager, now=clock(), **scope)

    return put


@pytest.fixture
def resume(manager, clock):
    def end(pause: Pause, overdue: Decision | None = None) -> int:
        return end_pause(pause=pause, actor=manager, now=clock(), overdue=overdue)

    return end


def state(delivery: Delivery) -> tuple[str, str]:
    delivery.refresh_from_db()
    return delivery.state, delivery.held_reason


UNDECIDED = (DeliveryState.HELD, HeldReason.UNDECIDED)


def test_what_nobody_decided_stays_held_however_often_the_tick_comes(schedule, network, clock, pause, resume):
    everything = pause()
    delivery = schedule()
    tick(network)
    assert resume(everything) == 1
    for _turn in range(3):
        clock.advance(3600)
        tick(network)
    assert state(delivery) == UNDECIDED
    assert network.calls == []
    assert AuditEntry.objects.get(action="sending.resumed").detail == {"overdue": 1, "decision": "each"}


def test_what_the_tick_has_not_held_yet_is_asked_about_too(schedule, network, clock, pause, resume):
    everything = pause()
    delivery = schedule()
    resume(everything)
    tick(network)
    assert state(delivery) == UNDECIDED


def test_what_falls_due_later_goes_out_by_itself(schedule, network, clock, pause, resume):
    everything = pause()
    later = schedule(due_in_s=60)
    tick(network)
    assert resume(everything) == 0
    clock.advance(60)
    tick(network)
    assert state(later) == (DeliveryState.SENT, "")


def test_answers_go_out_without_being_asked_about(answer, network, clock, pause, resume):
    everything = pause()
    reply = answer(DeliveryKind.REPLY)
    tick(network)
    assert resume(everything) == 0
    tick(network)
    assert state(reply) == (DeliveryState.SENT, "")


def test_a_thread_that_had_begun_is_brought_to_its_end(schedule, network, clock, pause, resume):
    delivery = schedule("One", "Two")
    network.behaviour = [Accepted(), Accepted(then=Killed())]
    tick(network)
    everything = pause()
    clock.advance(60)
    tick(network)
    assert state(delivery) == (DeliveryState.HELD, HeldReason.PAUSED)
    assert resume(everything) == 0
    for _turn in range(5):
        clock.advance(60)
        tick(network)
    assert state(delivery) == (DeliveryState.SENT, "")
    assert network.texts() == ["One", "Two"]


def test_another_pause_keeps_its_posts_and_the_last_one_asks(
    schedule, network, clock, pause, resume, brand, sandbox_account
):
    of_brand, of_account = pause(brand=brand), pause(account=sandbox_account)
    delivery = schedule()
    tick(network)
    assert resume(of_brand) == 0
    tick(network)
    assert state(delivery) == (DeliveryState.HELD, HeldReason.PAUSED)
    assert resume(of_account) == 1
    tick(network)
    assert state(delivery) == UNDECIDED


def test_ending_it_twice_decides_once(schedule, network, clock, pause, resume):
    everything = pause()
    schedule()
    assert (resume(everything, Decision.SEND), resume(everything, Decision.SKIP)) == (1, 0)
    tick(network)
    assert network.texts() == ["Hello"]


def test_all_are_sent_however_late_or_skipped_without_asking_anybody(schedule, network, clock, pause, resume):
    first = pause()
    sent = schedule("a", missed_after_s=60)
    clock.advance(3600)
    tick(network)
    resume(first, Decision.SEND)
    tick(network)
    assert state(sent) == (DeliveryState.SENT, "")
    second = pause()
    skipped = schedule("b")
    tick(network)
    resume(second, Decision.SKIP)
    tick(network)
    assert state(skipped) == (DeliveryState.MISSED, "")
    assert skipped.error == StopReason.SKIPPED
    assert network.texts() == ["a"]
    assert not Notification.objects.exists()


def test_one_is_planned_anew_moved_or_cancelled(schedule, network, clock, pause, resume, manager):
    everything = pause()
    planned, moved, cancelled = schedule("a"), schedule("b"), schedule("c")
    tick(network)
    resume(everything)
    later = clock() + HOUR
    given = {"organization": manager.memberships.get().organization, "actor": manager, "now": clock()}
    rows = Delivery.objects.filter(pk=planned.pk)
    with pytest.raises(PlannedInThePast):
        decide(rows=rows, decision=Decision.PLAN, at=clock() - HOUR, **given)
    assert state(planned) == UNDECIDED
    decide(rows=rows, decision=Decision.PLAN, at=later, **given)
    move_delivery(delivery=moved, due_at=later, actor=manager, now=clock())
    cancel_delivery(delivery=cancelled, actor=manager, now=clock())
    tick(network)
    assert network.texts() == []
    clock.advance(3600)
    tick(network)
    assert sorted(network.texts()) == ["a", "b"]
    assert planned.due_at != later
    assert state(planned) == (DeliveryState.SENT, "")
    assert planned.due_at == later


@pytest.mark.django_db(transaction=True)
def test_two_people_who_decide_at_once_decide_about_different_posts(
    schedule, network, clock, pause, resume, manager, organization
):
    everything = pause()
    deliveries = [schedule(str(number)) for number in range(40)]
    tick(network)
    resume(everything)
    counts: list[int] = []
    start = threading.Barrier(4)

    def work(decision: Decision) -> None:
        start.wait()
        try:
            counts.append(
                decide(
                    organization=organization,
                    rows=Delivery.objects.all(),
                    decision=decision,
                    actor=manager,
                    now=clock(),
                )
            )
        finally:
            connection.close()

    wanted = (Decision.SEND, Decision.SKIP, Decision.SEND, Decision.SKIP)
    threads = [threading.Thread(target=work, args=(decision,)) for decision in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == len(deliveries)
    for _turn in range(20):
        tick(network)
    assert max(Counter(network.texts()).values(), default=0) <= 1
    states = Counter(Delivery.objects.values_list("state", flat=True))
    assert states[DeliveryState.SENT] == len(network.texts())
    assert states[DeliveryState.SENT] + states[DeliveryState.MISSED] == len(deliveries)


@pytest.mark.django_db(transaction=True)
def test_a_tick_beside_the_end_of_a_pause_lets_nothing_slip_through(schedule, network, clock, pause, resume):
    everything = pause()
    deliveries = [schedule(str(number)) for number in range(60)]
    start = threading.Barrier(2)

    def hold() -> None:
        start.wait()
        try:
            for _turn in range(10):
                hold_blocked(now=clock(), limit=7)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    start.wait()
    resume(everything)
    thread.join()
    tick(network)
    assert {state(delivery) for delivery in deliveries} == {UNDECIDED}


steps = st.lists(
    st.sampled_from(["post", "pause", "resume", "send", "skip", "plan", "tick", "later"]), max_size=25
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_in_whatever_order_nothing_undecided_is_sent_and_nothing_is_sent_twice(
    schedule, network, clock, pause, resume, manager, organization, steps
):
    Pause.objects.all().delete()
    Delivery.objects.all().delete()
    network.posts.clear()
    given = {"organization": organization, "actor": manager}
    for step in steps:
        opened = Pause.objects.open().first()
        if step == "post":
            schedule(str(uuid4()))
        elif step == "pause" and opened is None:
            pause()
        elif step == "resume" and opened is not None:
            resume(opened)
        elif step in ("send", "skip"):
            decide(rows=Delivery.objects.all(), decision=Decision(step), now=clock(), **given)
        elif step == "plan":
            at = clock() + HOUR
            decide(rows=Delivery.objects.all(), decision=Decision.PLAN, at=at, now=clock(), **given)
        elif step == "later":
            clock.advance(3600)
        before = set(Delivery.objects.filter(held_reason=HeldReason.UNDECIDED).values_list("pk", flat=True))
        sent = len(network.texts())
        tick(network)
        assert before == set(
            Delivery.objects.filter(pk__in=before, held_reason=HeldReason.UNDECIDED).values_list(
                "pk", flat=True
            )
        )
        assert opened is None or step == "resume" or len(network.texts()) == sent
    assert max(Counter(network.texts()).values(), default=0) <= 1
    # Once everything is resumed and decided, nothing is left lying.
    for left in Pause.objects.open():
        resume(left)
    decide(rows=Delivery.objects.all(), decision=Decision.SEND, now=clock(), **given)
    clock.advance(2 * 3600)
    for _turn in range(5):
        tick(network)
    assert set(Delivery.objects.values_list("state", flat=True)) <= {
        DeliveryState.SENT,
        DeliveryState.MISSED,
    }


# --- spreading --------------------------------------------------------------------------------

SPRING = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
ZONES = ("Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    every=st.integers(1, 720),
    hours=st.tuples(st.integers(0, 22), st.integers(1, 23)).filter(lambda pair: pair[0] < pair[1]),
    start=st.integers(0, 640 * 24 * 60).map(lambda minutes: SPRING + dt.timedelta(minutes=minutes)),
    count=st.integers(1, 30),
    taken=st.lists(st.integers(0, 5000), max_size=5),
    hush=st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 3000)), max_size=3),
)
def test_slots_keep_their_distance_and_their_hours_whatever_the_clocks_do(
    zone, every, hours, start, count, taken, hush
):
    spread = Spread(every, dt.time(hours[0]), dt.time(hours[1]))
    account = uuid4()
    backlog = [Waiting(uuid4(), account, account, zone) for _number in range(count)]
    planned = sorted(start + dt.timedelta(minutes=minute) for minute in taken)
    minute = dt.timedelta(minutes=1)
    quiet = [(start + first * minute, start + (first + length) * minute) for first, length in hush]
    try:
        times = spread_times(backlog, spread, start=start, taken={account: planned}, quiet={account: quiet})
    except TooLongToSpread:
        return
    given = [times[one.id] for one in backlog]
    assert given[0] >= start
    for earlier, later in itertools.pairwise(given):
        assert later - earlier >= spread.step
    for at in given:
        assert all(abs(at - other) >= spread.step for other in planned)
        assert not any(first <= at < last for first, last in quiet)
        local = to_local(at, zone)
        # An hour that does not exist begins after the gap, at most an hour later.
        assert hours[0] <= local.hour <= hours[1]
        assert local.time() < spread.last or local.hour == hours[1]


@pytest.mark.parametrize(
    ("zone", "day", "first", "expected"),
    [
        ("Europe/Berlin", "2027-03-28", "02:00", ["03:00", "03:20", "03:40"]),  # 2 to 3 does not exist
        ("Australia/Lord_Howe", "2027-10-03", "02:00", ["02:30", "02:50", "03:10"]),
        ("America/New_York", "2027-11-07", "01:00", ["01:00", "01:20", "01:40", "01:00"]),  # twice
        ("Asia/Tokyo", "2027-03-28", "02:00", ["02:00", "02:20", "02:40"]),
    ],
)
def test_on_days_on_which_the_clocks_change(zone, day, first, expected):
    date = dt.date.fromisoformat(day)
    start = to_utc(dt.datetime.combine(date, dt.time()), zone)
    spread = Spread(20, dt.time.fromisoformat(first), dt.time(4))
    found = slots(spread, zone=zone, start=start)
    assert [to_local(next(found), zone).strftime("%H:%M") for _one in expected] == expected


def test_accounts_are_spread_each_by_itself_and_in_order():
    one, two = uuid4(), uuid4()
    backlog = [Waiting(uuid4(), account, account, "UTC") for account in (one, two, one)]
    times = spread_times(
        backlog, Spread(60, dt.time(9), dt.time(18)), start=START, taken={two: [START + HOUR / 2]}, quiet={}
    )
    # Half past nine is taken on the second account: nine and ten are too near.
    assert [times[one.id] - START for one in backlog] == [0 * HOUR, 2 * HOUR, HOUR]


def test_what_would_last_more_than_a_year_is_refused():
    account = uuid4()
    backlog = [Waiting(uuid4(), account, account, "UTC") for _number in range(MOST_DAYS + 2)]
    with pytest.raises(TooLongToSpread):
        spread_times(backlog, Spread(720, dt.time(9), dt.time(10)), start=START, taken={}, quiet={})


def test_a_spread_backlog_goes_out_at_its_times(
    schedule, network, clock, pause, resume, manager, organization
):
    everything = pause()
    for number in range(3):
        schedule(str(number), missed_after_s=60)
    tick(network)
    resume(everything)
    given = {
        "organization": organization,
        "rows": undecided(manager.memberships.get()),
        "spread": Spread(30, dt.time(9), dt.time(18)),
        "actor": manager,
        "now": clock(),
    }
    with pytest.raises(PlannedInThePast):
        spread_backlog(start=clock() - HOUR, **given)
    assert spread_backlog(start=clock() + HOUR, **given) == 3
    assert spread_backlog(start=clock() + HOUR, **given) == 0
    for expected in (["0"], ["0", "1"], ["0", "1", "2"]):
        clock.now = START + HOUR + HOUR / 2 * (len(expected) - 1)
        tick(network)
        assert network.texts() == expected
    assert AuditEntry.objects.get(action="sending.decided").detail == {"decision": "spread", "entries": 3}


# --- pages ------------------------------------------------------------------------------------


@pytest.fixture
def _backlog(schedule, network, clock, pause, resume):
    with time_machine.travel(START, tick=False):
        everything = pause()
        for word in ("Alpha", "Beta", "Gamma"):
            schedule(word)
        tick(network)
        resume(everything)
        yield


def ids() -> dict[str, str]:
    return {d.payload["parts"][0]["text"]: str(d.pk) for d in Delivery.objects.all()}


def test_the_page_that_resumes_asks_and_leads_to_the_list(sign_in, manager, schedule, network, clock, pause):
    with time_machine.travel(START, tick=False):
        everything = pause()
        schedule("Alpha")
        tick(network)
        client = sign_in(manager)
        path = reverse("outbox:resume", args=[everything.pk])
        page = client.get(path).content.decode()
        assert "1 post fell due during the pause and was not sent." in page
        assert "Alpha" in page
        assert Pause.objects.open().exists()  # looking changes nothing
        assert client.post(path, {"overdue": "perhaps"}).status_code == 422
        assert Pause.objects.open().exists()
        response = client.post(path, {"overdue": "each"})
        assert response["Location"] == reverse("outbox:overdue")
        assert not Pause.objects.open().exists()
        assert "Alpha" in client.get(reverse("outbox:overdue")).content.decode()


@pytest.mark.usefixtures("_backlog")
def test_one_by_one_and_all_from_the_page(sign_in, manager):
    client, path = sign_in(manager), reverse("outbox:decide")
    known = ids()
    client.post(path, {"decision": "skip", "delivery": known["Alpha"]})
    # The brand's zone is Berlin.
    client.post(path, {"decision": "plan", "delivery": known["Beta"], "local_time": "2026-11-23T12:00"})
    assert Delivery.objects.get(pk=known["Beta"]).due_at == dt.datetime(2026, 11, 23, 11, tzinfo=dt.UTC)
    client.post(path, {"decision": "send", "all": "1"})
    assert Counter(Delivery.objects.values_list("state", flat=True)) == {"missed": 1, "scheduled": 2}


@pytest.mark.usefixtures("_backlog")
@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"decision": "send"}, "tick at least one post"),
        ({"decision": "send", "delivery": "no-id"}, "tick at least one post"),
        ({"decision": "burn", "all": "1"}, "Choose what becomes of the posts."),
        ({"decision": "plan", "all": "1", "local_time": "soon"}, "Enter a date and a time."),
        ({"decision": "plan", "all": "1", "local_time": "2020-01-01T10:00"}, "This time is over."),
        ({"decision": "plan", "all": "1", "local_time": "2027-03-28T02:30"}, "The clocks are put forward"),
        ({"decision": "spread", "all": "1", "every": "0", "first": "09:00", "last": "18:00"}, "greater than"),
        (
            {"decision": "spread", "all": "1", "every": "9", "first": "19:00", "last": "18:00"},
            "The end must come after the beginning.",
        ),
    ],
)
def test_bad_input_is_answered_in_words_and_changes_nothing(sign_in, manager, data, says):
    page = sign_in(manager).post(reverse("outbox:decide"), data, follow=True).content.decode()
    assert says in page
    assert undecided(manager.memberships.get()).count() == 3


@pytest.mark.usefixtures("_backlog")
def test_what_the_preview_shows_is_what_is_planned(sign_in, manager):
    client = sign_in(manager)
    query = {"every": "45", "first": "09:00", "last": "18:00"}
    page = client.get(reverse("outbox:overdue"), query, follow=True)
    text = page.content.decode()
    shown = [time for _row, _words, _info, time in page.context["rows"]]
    assert shown == [START + dt.timedelta(minutes=minutes) for minutes in (30, 75, 120)]
    assert "Use these times" in text
    assert undecided(manager.memberships.get()).count() == 3
    data = query | {"decision": "spread", "all": "1", "start": page.context["start"]}
    client.post(reverse("outbox:decide"), data)
    assert list(Delivery.objects.order_by("due_at").values_list("due_at", flat=True)) == shown


@pytest.mark.usefixtures("_backlog")
def test_the_last_time_of_a_preview_is_told_in_the_zone_of_its_brand(sign_in, manager, brand):
    Brand.objects.create(pk=UUID(int=1), organization=brand.organization, name="First", timezone="Asia/Tokyo")
    query = {"every": "45", "first": "09:00", "last": "18:00"}
    page = sign_in(manager).get(reverse("outbox:overdue"), query, follow=True)
    assert page.context["last"] == {"time": START + dt.timedelta(minutes=120), "zone": "Europe/Berlin"}
    assert "(Asia/Tokyo)" not in page.content.decode()


@pytest.mark.usefixtures("_backlog")
def test_only_those_who_publish_decide_and_only_about_their_brands(
    sign_in, creator, stranger, manager, other_brand
):
    path, data = reverse("outbox:decide"), {"decision": "send", "all": "1"}
    assert sign_in(creator).post(path, data).status_code == 403
    sign_in(stranger).post(path, data)
    member = manager.memberships.get()
    member.has_all_brands = False
    member.save()
    member.brands.add(other_brand)
    sign_in(manager).post(path, data)
    assert Delivery.objects.filter(held_reason=HeldReason.UNDECIDED).count() == 3
    assert "Alpha" not in sign_in(manager).get(reverse("outbox:overdue")).content.decode()


def test_the_list_is_paged(sign_in, manager, schedule, clock, brand, django_assert_max_num_queries):
    account = make_account(brand, handle="many")
    for number in range(60):
        schedule(f"Number {number}", account=account)
    Delivery.objects.update(state=DeliveryState.HELD, held_reason=HeldReason.UNDECIDED)
    client = sign_in(manager)
    with django_assert_max_num_queries(24):
        page = client.get(reverse("outbox:overdue"))
    assert len(page.context["rows"]) == 50
    assert len(client.get(reverse("outbox:overdue"), {"page": "2"}).context["rows"]) == 10
