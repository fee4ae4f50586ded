"""Times in which no post of a brand goes out by itself."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry, Brand, Notification
from core.time import to_utc
from outbox.errors import StopReason
from outbox.models import (
    Attempt,
    AttemptState,
    Delivery,
    DeliveryKind,
    DeliveryState,
    HeldReason,
    QuietAfter,
    QuietPeriod,
)
from outbox.selectors import receipt_of
from outbox.services import quiet
from outbox.services.backlog import Decision
from outbox.services.pauses import end_pause, pause_sending
from outbox.services.scheduling import move_delivery, retry_delivery
from tests.outbox.conftest import START, run_until_quiet, tick
from tests.outbox.network import Accepted, Killed

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def hush(brand, manager, clock):
    """`hush(1, 3)`: quiet from one hour after the start until three; returns the period."""

    def put(
        first: float, last: float, after: QuietAfter = QuietAfter.SEND, note: str = "Mourning"
    ) -> QuietPeriod:
        return quiet.add_quiet_period(
            brand=brand,
            starts_at=START + first * HOUR,
            ends_at=START + last * HOUR,
            after=after,
            note=note,
            actor=manager,
            now=clock(),
        )

    return put


def state(delivery: Delivery) -> tuple[str, str]:
    delivery.refresh_from_db()
    return delivery.state, delivery.held_reason


def at(clock, hours: float) -> None:
    clock.now = START + hours * HOUR


def test_what_falls_due_inside_is_held_and_goes_out_at_the_end(schedule, network, clock, hush):
    hush(1, 3)
    before, inside = schedule("before", due_in_s=1800), schedule("inside", due_in_s=2 * 3600)
    at(clock, 0.5)
    tick(network)
    at(clock, 2)
    tick(network)
    tick(network)
    assert network.texts() == ["before"]
    assert state(inside) == (DeliveryState.HELD, HeldReason.QUIET)
    at(clock, 3)
    tick(network)
    assert network.texts() == ["before", "inside"]
    assert inside.pk != before.pk
    inside.refresh_from_db()
    assert inside.due_at == START + 3 * HOUR
    kinds = [event.kind for event in receipt_of(inside)]
    assert kinds == ["scheduled", "held", "resumed", "started", "part_accepted", "sent"]


def test_a_long_quiet_period_makes_nothing_too_late(schedule, network, clock, hush):
    hush(1, 24 * 7)
    delivery = schedule("x", due_in_s=2 * 3600, missed_after_s=60)
    at(clock, 2)
    tick(network)
    at(clock, 24 * 7)
    tick(network)
    assert state(delivery) == (DeliveryState.SENT, "")


def test_afterwards_a_person_is_asked_where_somebody_chose_so(schedule, network, clock, hush, manager):
    hush(1, 3, QuietAfter.ASK)
    delivery = schedule("inside", due_in_s=2 * 3600)
    at(clock, 2)
    tick(network)
    at(clock, 3)
    tick(network)
    assert state(delivery) == (DeliveryState.MISSED, "")
    assert delivery.error == StopReason.QUIET_PERIOD
    assert Notification.objects.get().kind == "delivery_missed"
    retry_delivery(delivery=delivery, actor=manager, now=clock())
    tick(network)
    assert network.texts() == ["inside"]


def test_of_two_that_overlap_the_later_end_counts_and_asking_wins(schedule, network, clock, hush):
    hush(1, 4, QuietAfter.ASK)
    hush(2, 6)
    delivery = schedule(due_in_s=3 * 3600)
    at(clock, 3)
    tick(network)
    at(clock, 5)
    tick(network)
    assert state(delivery) == (DeliveryState.HELD, HeldReason.QUIET)
    at(clock, 6)
    tick(network)
    assert state(delivery) == (DeliveryState.MISSED, "")


def test_a_period_that_is_taken_away_leaves_the_post_its_time(schedule, network, clock, hush, manager):
    period = hush(1, 30)
    on_time, too_late = schedule("a", due_in_s=7200), schedule("b", due_in_s=7200, missed_after_s=60)
    at(clock, 2)
    tick(network)
    at(clock, 4)
    quiet.remove_quiet_period(period=period, actor=manager, now=clock())
    tick(network)
    assert state(on_time) == (DeliveryState.SENT, "")
    assert on_time.due_at == START + 2 * HOUR
    assert state(too_late) == (DeliveryState.MISSED, "")


def test_a_period_that_is_made_shorter_ends_then(schedule, network, clock, hush, manager):
    period = hush(1, 30)
    delivery = schedule(due_in_s=7200)
    at(clock, 2)
    tick(network)
    quiet.change_quiet_period(
        period=period,
        starts_at=period.starts_at,
        ends_at=START + 3 * HOUR,
        after=QuietAfter.SEND,
        actor=manager,
        now=clock(),
    )
    at(clock, 3)
    tick(network)
    assert state(delivery) == (DeliveryState.SENT, "")


def test_a_person_moves_a_held_post_to_another_time(schedule, network, clock, hush, manager):
    hush(1, 30)
    delivery = schedule(due_in_s=7200)
    at(clock, 2)
    tick(network)
    move_delivery(delivery=delivery, due_at=START + 31 * HOUR, actor=manager, now=clock())
    assert state(delivery) == (DeliveryState.SCHEDULED, "")
    at(clock, 30)
    tick(network)
    assert network.texts() == []
    at(clock, 31)
    tick(network)
    assert network.texts() == ["Hello"]


def test_somebody_who_answers_is_not_stopped(answer, network, clock, hush):
    hush(0, 5)
    at(clock, 1)
    delivery = answer(DeliveryKind.REPLY)
    tick(network)
    assert state(delivery) == (DeliveryState.SENT, "")


def test_another_brand_is_not_stopped(schedule, network, clock, hush, other_brand):
    from tests.cast import make_account

    hush(0, 5)
    at(clock, 1)
    delivery = schedule(account=make_account(other_brand, handle="other"))
    tick(network)
    assert state(delivery) == (DeliveryState.SENT, "")


def test_a_thread_that_has_begun_is_brought_to_its_end(schedule, network, clock, hush):
    delivery = schedule("One", "Two", due_in_s=3599)
    at(clock, 3599 / 3600)
    network.behaviour = [Accepted(), Accepted(then=Killed())]
    tick(network)
    hush(1, 5)
    at(clock, 1.5)
    run_until_quiet(network, hours=1)
    assert state(delivery) == (DeliveryState.SENT, "")
    assert network.texts() == ["One", "Two"]
    assert not Attempt.objects.filter(state=AttemptState.IN_FLIGHT).exists()


def test_a_pause_is_the_stronger_reason_and_the_quiet_period_comes_after_it(
    schedule, network, clock, hush, brand, manager
):
    hush(1, 5)
    delivery = schedule(due_in_s=3600, kind=DeliveryKind.POST)
    pause = pause_sending(organization=brand.organization, brand=brand, reason="", actor=manager, now=clock())
    at(clock, 2)
    tick(network)
    assert state(delivery) == (DeliveryState.HELD, HeldReason.PAUSED)
    end_pause(pause=pause, actor=manager, now=clock(), overdue=Decision.SEND)
    tick(network)
    assert state(delivery) == (DeliveryState.HELD, HeldReason.QUIET)
    at(clock, 5)
    tick(network)
    assert network.texts() == ["Hello"]


spans = st.tuples(st.integers(0, 40), st.integers(1, 20), st.sampled_from(QuietAfter))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(periods=st.lists(spans, max_size=4), due=st.integers(0, 60))
def test_whatever_the_periods_nothing_goes_out_inside_and_everything_is_sent_once_or_asked_about(
    schedule, network, clock, hush, periods, due
):
    clock.now = START
    QuietPeriod.objects.all().delete()
    for first, length, after in periods:
        hush(first, first + length, after)
    text = f"x{Delivery.objects.count()}"
    delivery = schedule(text, due_in_s=due * 3600)
    for hour in range(62):
        at(clock, hour)
        tick(network)
    inside = [(p.starts_at, p.ends_at) for p in QuietPeriod.objects.all()]
    delivery.refresh_from_db()
    if delivery.state == DeliveryState.SENT:
        assert network.texts().count(text) == 1
        assert delivery.sent_at is not None
        assert not any(start <= delivery.sent_at < end for start, end in inside)
    elif delivery.state == DeliveryState.MISSED:
        assert delivery.error == StopReason.QUIET_PERIOD
        assert network.texts().count(text) == 0
    else:
        assert delivery.held_reason == HeldReason.QUIET
        assert any(start <= clock() < end for start, end in inside)
    Delivery.objects.filter(pk=delivery.pk).exclude(state=DeliveryState.SENT).update(
        state=DeliveryState.CANCELLED
    )


# --- pages ------------------------------------------------------------------------------------


@pytest.fixture
def _clock():
    with time_machine.travel(START, tick=False):
        yield


def form(first: str, last: str, after: str = "send", note: str = "Year end") -> dict[str, str]:
    return {"starts": first, "ends": last, "after": after, "note": note}


@pytest.mark.usefixtures("_clock")
@pytest.mark.parametrize(
    ("zone", "first", "last", "hours"),
    [
        # Clocks are put forward or back inside: the wall times stay, the length is what it really is.
        ("Asia/Tokyo", "2027-03-28T00:00", "2027-03-29T00:00", 24),
        ("Europe/Berlin", "2027-03-28T00:00", "2027-03-29T00:00", 23),
        ("Europe/Berlin", "2027-10-31T00:00", "2027-11-01T00:00", 25),
        ("America/New_York", "2027-03-14T00:00", "2027-03-15T00:00", 23),
        ("Australia/Lord_Howe", "2027-04-04T00:00", "2027-04-05T00:00", 24.5),
    ],
)
def test_both_ends_are_wall_times_of_the_brand(sign_in, manager, brand, zone, first, last, hours):
    Brand.objects.filter(pk=brand.pk).update(timezone=zone)
    client = sign_in(manager)
    assert client.post(reverse("outbox:quiet_add", args=[brand.pk]), form(first, last)).status_code == 302
    period = QuietPeriod.objects.get()
    assert period.starts_at == to_utc(dt.datetime.fromisoformat(first), zone)
    assert period.ends_at - period.starts_at == hours * HOUR
    page = client.get(reverse("outbox:quiet_change", args=[period.pk])).content.decode()
    assert f'value="{first}"' in page
    assert f'value="{last}"' in page


@pytest.mark.usefixtures("_clock")
@pytest.mark.parametrize(
    ("given", "says"),
    [
        (form("2027-01-02T00:00", "2027-01-01T00:00"), "The end must come after the beginning."),
        (form("2026-01-01T00:00", "2026-01-02T00:00"), "This time is over. Choose a later one."),
        (form("2027-01-01T00:00", "2029-01-01T00:00"), "A quiet period lasts a year at most."),
        (form("2027-03-28T02:30", "2027-03-29T00:00"), "The clocks are put forward then"),
        (form("tomorrow", "2027-01-01T00:00"), "Enter a date and a time."),
        (form("2027-01-01T00:00", "2027-01-02T00:00", after="perhaps"), "Select a valid choice"),
        (form("2027-01-01T00:00", "2027-01-02T00:00", note="x" * 256), "at most 255 characters"),
    ],
)
def test_what_cannot_be_is_refused_in_words(sign_in, manager, brand, given, says):
    response = sign_in(manager).post(reverse("outbox:quiet_add", args=[brand.pk]), given)
    assert response.status_code == 422
    assert says in response.content.decode()
    assert not QuietPeriod.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.usefixtures("_clock")
def test_it_is_changed_and_removed_and_all_of_it_is_on_record(sign_in, manager, brand, hush):
    period = hush(1, 3)
    client = sign_in(manager)
    path = reverse("outbox:quiet_change", args=[period.pk])
    client.post(path, form("2026-12-24T00:00", "2026-12-27T00:00", after="ask"))
    period.refresh_from_db()
    assert (period.after, period.note) == (QuietAfter.ASK, "Year end")
    page = client.get(reverse("outbox:brand_sending", args=[brand.pk])).content.decode()
    assert "Year end" in page
    client.post(reverse("outbox:quiet_remove", args=[period.pk]))
    assert not QuietPeriod.objects.exists()
    assert list(AuditEntry.objects.order_by("at", "pk").values_list("action", flat=True)) == [
        "sending.quiet_added",
        "sending.quiet_changed",
        "sending.quiet_removed",
    ]


@pytest.mark.usefixtures("_clock")
def test_one_that_is_over_is_not_changed_any_more(sign_in, manager, hush, clock):
    period = hush(0, 1)
    QuietPeriod.objects.update(starts_at=START - 3 * HOUR, ends_at=START - HOUR)
    path = reverse("outbox:quiet_change", args=[period.pk])
    response = sign_in(manager).post(path, form("2026-12-24T00:00", "2026-12-27T00:00"))
    assert response.status_code == 422
    period.refresh_from_db()
    assert period.ends_at == START - HOUR


@pytest.mark.usefixtures("_clock")
def test_creator_sees_quiet_periods_and_makes_none(sign_in, creator, brand, hush):
    hush(1, 3)
    client = sign_in(creator)
    assert "Mourning" in client.get(reverse("outbox:brand_sending", args=[brand.pk])).content.decode()
    given = form("2026-12-24T00:00", "2026-12-27T00:00")
    assert client.post(reverse("outbox:quiet_add", args=[brand.pk]), given).status_code == 403
    assert QuietPeriod.objects.count() == 1
