"""What no connector may do, what networks should not say, and what lies between two workers."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from dataclasses import replace

import pytest

from accounts.models import AccountStatus, Notification, SocialAccount
from connectors.base import Rate, RetrySafety, StepKind, StepResult, StepState
from connectors.errors import OutcomeUnknown, Rejected, RejectReason, Temporary
from outbox import leases
from outbox.errors import StopReason
from outbox.models import Attempt, AttemptState, Bucket, Delivery, DeliveryState
from outbox.services import outcomes
from outbox.services.claiming import claim_due
from outbox.services.pauses import pause_sending
from outbox.services.scheduling import answer_uncertain, cancel_delivery, replace_payload, retry_delivery
from outbox.services.sending import send_deliveries
from outbox.services.transitions import NotPossible
from tests.outbox.conftest import run_until_quiet, tick
from tests.outbox.network import INFO, Accepted, MemoryConnector, Network, Processing, Refused

pytestmark = pytest.mark.django_db


def work(network: Network) -> None:
    """One worker takes everything that is due, as one message."""
    claimed = {claim.delivery_id: claim.fence for claim in claim_due(now=network.clock())}
    send_deliveries(claimed=claimed, clock=network.clock, connect=network.connector)


def state(delivery: Delivery) -> str:
    delivery.refresh_from_db()
    return delivery.state


# --- bugs -------------------------------------------------------------------------------------


def test_a_bug_stops_only_the_delivery_that_it_concerns(schedule, network):
    network.behaviour = [Accepted(then=KeyError("id"))]
    first, second = schedule("one"), schedule("two")
    work(network)
    assert (state(first), state(second)) == (DeliveryState.SCHEDULED, DeliveryState.SENT)
    run_until_quiet(network)
    assert state(first) == DeliveryState.SENT
    assert sorted(network.texts()) == ["one", "two"]


def test_a_bug_that_stays_ends_with_a_person_who_knows(schedule, network, manager, monkeypatch):
    monkeypatch.setattr(MemoryConnector, "plan", lambda *_: {}["missing"])
    delivery = schedule()
    run_until_quiet(network, hours=1)
    assert state(delivery) == DeliveryState.FAILED
    assert (delivery.error, delivery.error_detail) == (StopReason.PROGRAM_ERROR, "KeyError")
    assert delivery.failures == outcomes.MOST_BUGS
    assert Notification.objects.get().user == manager


@pytest.mark.parametrize("safety", list(RetrySafety))
def test_a_bug_after_the_network_accepted_never_doubles(schedule, network, safety):
    network.safety = safety
    network.behaviour = [Accepted(then=KeyError("id")) for _ in range(50)]
    delivery = schedule()
    run_until_quiet(network, hours=6)
    assert state(delivery) in (DeliveryState.SENT, DeliveryState.UNCERTAIN)
    assert len(network.posts) == 1


@pytest.mark.django_db(transaction=True)
def test_words_that_no_database_takes_are_kept_without_what_it_does_not_take(schedule, network):
    network.behaviour = [Refused(then=Rejected(RejectReason.INVALID, "a\0b \ud800"))]
    delivery = schedule()
    tick(network)
    assert state(delivery) == DeliveryState.FAILED
    assert delivery.error_detail == "ab ?"


def test_nobody_is_left_in_the_dark_by_a_worker_killed_while_it_tells(schedule, network, clock, monkeypatch):
    """The move and the news of it are one: the delivery is not over before somebody has been told."""
    network.behaviour = [Refused(then=Rejected(RejectReason.INVALID, "no"))]
    delivery = schedule()

    def killed(**_values: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(outcomes, "tell_people", killed)
        with pytest.raises(KeyboardInterrupt):
            work(network)
    assert state(delivery) == DeliveryState.SENDING


# --- answers that must not be taken for others ------------------------------------------------


def test_a_timeline_that_may_not_be_read_says_nothing_about_the_post(schedule, network):
    network.safety = RetrySafety.NEITHER
    network.behaviour = [Accepted(then=OutcomeUnknown("dropped"))]
    network.on_read = [Rejected(RejectReason.FORBIDDEN, "403")]
    delivery = schedule()
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.UNCERTAIN


def test_a_door_that_closed_meanwhile_says_nothing_about_what_came_in_before(schedule, network):
    closed = [Refused(then=Rejected(RejectReason.FORBIDDEN, "403")) for _ in range(50)]
    network.behaviour = [Accepted(then=OutcomeUnknown("dropped")), *closed]
    delivery = schedule()
    run_until_quiet(network)
    # The account's posts say what the door does not.
    assert state(delivery) == DeliveryState.SENT
    assert "adopted" in list(delivery.receipt.values_list("kind", flat=True))
    assert len(network.posts) == 1


def test_a_closed_door_behind_which_nothing_is_to_be_seen_ends_it_with_its_reason(schedule, network):
    closed = [Refused(then=Rejected(RejectReason.FORBIDDEN, "403")) for _ in range(50)]
    network.behaviour = [Refused(then=OutcomeUnknown("dropped")), *closed]
    delivery = schedule()
    run_until_quiet(network)
    assert (state(delivery), delivery.error) == (DeliveryState.FAILED, RejectReason.FORBIDDEN)
    assert network.posts == []


def test_a_closed_door_and_a_timeline_that_may_not_be_read_leave_it_to_a_person(schedule, network):
    closed = [Refused(then=Rejected(RejectReason.FORBIDDEN, "403")) for _ in range(50)]
    network.behaviour = [Accepted(then=OutcomeUnknown("dropped")), *closed]
    network.on_read = [Rejected(RejectReason.FORBIDDEN, "403")]
    delivery = schedule()
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.UNCERTAIN
    assert delivery.attempts.filter(step="part0.publish", state=AttemptState.UNKNOWN).exists()


def test_the_rest_of_a_thread_is_not_tried_for_ever_without_a_word(schedule, network):
    network.behaviour = [Accepted(), *(Refused(then=Temporary("503")) for _ in range(200))]
    delivery = schedule("one", "two")
    run_until_quiet(network, hours=30)
    assert state(delivery) == DeliveryState.FAILED
    assert delivery.error == StopReason.TEMPORARY
    assert Notification.objects.exists()


# --- processing -------------------------------------------------------------------------------

FOR_EVER = 10**6


def slow_containers(monkeypatch: pytest.MonkeyPatch, network: Network, polls: int) -> None:
    send = MemoryConnector.send_step

    def slowly(self, step, payload, intent):
        result = send(self, step, payload, intent)
        if step.kind is not StepKind.CONTAINER:
            return result
        network.polls_left[intent["key"]] = polls
        return StepResult(state=StepState.PROCESSING, remote_id=result.remote_id)

    network.safety = RetrySafety.TWO_PHASE
    monkeypatch.setattr(MemoryConnector, "send_step", slowly)


def test_an_upload_processed_for_too_long_is_uploaded_again_by_a_retry(
    schedule, network, clock, manager, monkeypatch
):
    slow_containers(monkeypatch, network, FOR_EVER)
    delivery = schedule()
    run_until_quiet(network)
    assert (state(delivery), delivery.error) == (DeliveryState.FAILED, StopReason.PROCESSING_TOO_LONG)
    slow_containers(monkeypatch, network, 1)
    retry_delivery(delivery=delivery, actor=manager, now=clock())
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.texts() == ["Hello"]


def test_content_changed_while_the_network_processed_the_old_one_is_what_goes_out(
    schedule, network, clock, manager, monkeypatch
):
    slow_containers(monkeypatch, network, 3)
    delivery = schedule("old words")
    tick(network)
    assert state(delivery) == DeliveryState.PROCESSING
    Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.HELD)
    payload = {**delivery.payload, "parts": [{**delivery.payload["parts"][0], "text": "new words"}]}
    replace_payload(delivery=delivery, payload=payload, actor=manager, now=clock())
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    containers = Attempt.objects.filter(delivery=delivery, step="part0.container").order_by("pk")
    assert [attempt.state for attempt in containers] == [AttemptState.SUPERSEDED, AttemptState.DONE]


def test_the_longer_the_network_works_the_more_seldom_it_is_asked(schedule, network, monkeypatch):
    """Soon at first; half an hour of work costs less than a hundred questions."""
    slow_containers(monkeypatch, network, FOR_EVER)
    asked = [network.clock()]
    check = MemoryConnector.check

    def noted(self, step, intent, sent):
        asked.append(network.clock())
        return check(self, step, intent, sent)

    monkeypatch.setattr(MemoryConnector, "check", noted)
    schedule()
    run_until_quiet(network)
    waited = [(later - sooner).total_seconds() for sooner, later in itertools.pairwise(asked)]
    assert waited[0] == 2
    assert waited == sorted(waited)
    assert max(waited) == 30
    assert 50 < len(asked) < 100


def test_asking_whether_it_is_processed_uses_up_no_quota(schedule, network, monkeypatch):
    slow_containers(monkeypatch, network, 6)
    monkeypatch.setattr(SocialAccount, "info", replace(INFO, rates=(Rate("posts", 3, 3600),)))
    delivery = schedule()
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert Bucket.objects.get(key__contains=":posts:").used == 1


@pytest.mark.parametrize("did_appear", [True, False])
def test_the_answer_about_a_post_processed_for_too_long_is_acted_on(
    schedule, network, clock, manager, did_appear
):
    network.safety = RetrySafety.TWO_PHASE
    network.behaviour = [Processing(polls=FOR_EVER)]
    delivery = schedule("one", "two")
    run_until_quiet(network)
    assert (state(delivery), delivery.error) == (DeliveryState.UNCERTAIN, StopReason.PROCESSING_TOO_LONG)
    if did_appear:
        network.polls_left = dict.fromkeys(network.polls_left, 1)
    else:
        network.posts.clear()
        network.containers = dict.fromkeys(network.containers)
    answer_uncertain(delivery=delivery, did_appear=did_appear, actor=manager, now=clock())
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.texts() == ["one", "two"]


def test_what_is_perhaps_at_the_network_is_not_cancelled_away_by_a_pause(
    schedule, network, clock, organization, manager, sandbox_account
):
    network.behaviour = [Accepted(then=OutcomeUnknown("dropped"))]
    delivery = schedule()
    tick(network)
    pause_sending(organization=organization, reason="", actor=manager, now=clock())
    clock.advance(60)
    tick(network)
    assert state(delivery) == DeliveryState.HELD
    with pytest.raises(NotPossible):
        cancel_delivery(delivery=delivery, actor=manager, now=clock())
    # Nobody will ever find out for an account that is gone.
    SocialAccount.objects.filter(pk=sandbox_account.pk).update(status=AccountStatus.DISCONNECTED)
    cancel_delivery(delivery=delivery, actor=manager, now=clock())
    assert state(delivery) == DeliveryState.CANCELLED


# --- between two workers ----------------------------------------------------------------------


def test_what_a_worker_given_up_for_dead_has_just_told_is_not_written_over(
    schedule, network, clock, monkeypatch
):
    """It came to life between the look at the network and the repetition."""
    network.safety = RetrySafety.NEITHER
    network.behaviour = [Accepted(then=OutcomeUnknown("dropped"))]
    network.hidden_for_s = 3600
    delivery = schedule()
    tick(network)
    clock.advance(3)
    tick(network)
    clock.advance(60)
    look = MemoryConnector.find_recent

    def meanwhile(self, *, since: dt.datetime):
        found = look(self, since=since)
        done = {"state": "done", "remote_id": "post-1", "permalink": "", "detail": {}, "retry_after_s": 0}
        Attempt.objects.update(state=AttemptState.DONE, result=done)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(MemoryConnector, "find_recent", meanwhile)
        tick(network)
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.texts() == ["Hello"]


def test_a_late_message_does_not_end_the_renewals_of_the_worker_that_has_the_row(monkeypatch):
    monkeypatch.setattr(leases, "_run", lambda: None)
    delivery_id = uuid.uuid4()
    with leases.kept({delivery_id: 3}):
        with leases.kept({delivery_id: 1}):
            assert leases._owned[delivery_id] == 3
        assert leases._owned[delivery_id] == 3
    assert delivery_id not in leases._owned
