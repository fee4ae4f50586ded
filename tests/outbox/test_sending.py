from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import AccountStatus, Membership, Notification
from connectors.base import Rate, RetrySafety
from connectors.errors import (
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from outbox.models import Attempt, AttemptState, Bucket, Delivery, DeliveryState, MissedPolicy, ReceiptKind
from outbox.payloads import MediaContent, PartContent, freeze_post
from outbox.selectors import receipt_of
from outbox.services.backlog import Decision
from outbox.services.claiming import LEASE, claim_due, reap, renew_leases
from outbox.services.pauses import AlreadyPaused, end_pause, pause_sending
from outbox.services.readback import LOOK_AFTER_S, claim_unseen, read_back
from outbox.services.scheduling import (
    answer_uncertain,
    cancel_delivery,
    move_delivery,
    replace_payload,
    retry_delivery,
)
from outbox.services.sending import send_deliveries
from outbox.services.transitions import NotPossible, move
from tests.cast import make_account
from tests.outbox.conftest import run_until_quiet, tick
from tests.outbox.network import Accepted, Killed, Processing, Refused

pytestmark = pytest.mark.django_db


def state(delivery: Delivery) -> str:
    delivery.refresh_from_db()
    return delivery.state


def kinds(delivery: Delivery) -> list[str]:
    return [event.kind for event in receipt_of(delivery)]


def test_a_due_delivery_is_sent_once_and_its_receipt_says_when(schedule, network, clock):
    delivery = schedule("Hello")
    assert tick(network) == 1
    assert tick(network) == 0
    assert state(delivery) == DeliveryState.SENT
    assert network.texts() == ["Hello"]
    assert delivery.remote_id == "post-1"
    assert delivery.sent_at == clock()
    assert kinds(delivery) == ["scheduled", "started", "part_accepted", "sent"]


def test_nothing_is_sent_before_its_time(schedule, network, clock):
    delivery = schedule(due_in_s=60)
    clock.advance(59)
    assert tick(network) == 0
    clock.advance(1)
    assert tick(network) == 1
    assert state(delivery) == DeliveryState.SENT


def test_the_attempt_is_in_the_database_before_the_network_is_called(schedule, network):
    schedule()
    seen = []
    behave = network.connector(None).__class__._store

    def store(self, intent):
        seen.extend(Attempt.objects.values_list("state", flat=True))
        return behave(self, intent)

    network.connector(None).__class__._store = store
    try:
        tick(network)
    finally:
        network.connector(None).__class__._store = behave
    assert seen == [AttemptState.IN_FLIGHT]


def test_a_late_or_doubled_message_does_nothing(schedule, network, clock):
    schedule()
    (claim,) = claim_due(now=clock())
    sent = [
        len(send_deliveries(claimed={claim.delivery_id: token}, clock=clock, connect=network.connector))
        for token in (claim.fence - 1, claim.fence, claim.fence, claim.fence + 1)
    ]
    assert sent == [0, 1, 0, 0]
    assert len(network.posts) == 1


def test_several_posts_of_an_account_go_out_in_their_order(schedule, network, clock):
    for number in range(5):
        schedule(str(number), due_in_s=number / 10)
    clock.advance(1)
    claimed = {claim.delivery_id: claim.fence for claim in claim_due(now=clock())}
    send_deliveries(claimed=claimed, clock=clock, connect=network.connector)
    assert network.texts() == ["0", "1", "2", "3", "4"]


def test_a_retry_after_stops_the_rest_of_what_a_worker_has_in_hand(schedule, network, clock):
    network.behaviour = [Accepted(), Refused(then=RateLimited(clock() + dt.timedelta(seconds=60), "429"))]
    for number in range(4):
        schedule(str(number), due_in_s=number / 10)
    clock.advance(1)
    claimed = {claim.delivery_id: claim.fence for claim in claim_due(now=clock())}
    send_deliveries(claimed=claimed, clock=clock, connect=network.connector)
    assert network.calls == ["part0.publish"] * 2


def test_a_pause_stops_the_rest_of_what_a_worker_has_in_hand(schedule, network, clock, organization, manager):
    deliveries = [schedule(str(number)) for number in range(2)]
    claimed = {claim.delivery_id: claim.fence for claim in claim_due(now=clock())}
    pause_sending(organization=organization, reason="", actor=manager, now=clock())
    send_deliveries(claimed=claimed, clock=clock, connect=network.connector)
    assert network.calls == []
    assert {state(delivery) for delivery in deliveries} == {DeliveryState.HELD}


@pytest.mark.parametrize("safety", list(RetrySafety))
def test_a_worker_killed_after_the_network_accepted_leads_to_one_post(schedule, network, clock, safety):
    network.safety = safety
    network.behaviour = [Accepted(then=Killed())]
    delivery = schedule("Only once")
    tick(network)
    assert state(delivery) == DeliveryState.SENDING
    assert tick(network) == 0, "the lease has not run out"
    clock.advance(LEASE.total_seconds() + 1)
    tick(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.texts() == ["Only once"]
    assert "recovered" in kinds(delivery)


@pytest.mark.parametrize("safety", list(RetrySafety))
def test_a_worker_killed_before_the_network_accepted_still_publishes(schedule, network, safety):
    network.safety = safety
    network.behaviour = [Refused(then=Killed())]
    delivery = schedule("Late but there")
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.texts() == ["Late but there"]


@pytest.mark.parametrize("safety", list(RetrySafety))
@pytest.mark.parametrize("accepted", [True, False])
def test_a_dropped_connection_leads_to_one_post(schedule, network, safety, accepted):
    network.safety = safety
    lost = OutcomeUnknown("connection dropped")
    network.behaviour = [Accepted(then=lost) if accepted else Refused(then=lost)]
    delivery = schedule("One")
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.texts() == ["One"]


def test_without_any_safety_nothing_is_sent_again_inside_the_consistency_window(schedule, network, clock):
    """The network shows the post only after a while: looking too early must not lead to a second one."""
    network.safety = RetrySafety.NEITHER
    network.hidden_for_s = 15
    network.behaviour = [Accepted(then=OutcomeUnknown("dropped"))]
    delivery = schedule("Slow to appear")
    tick(network)
    clock.advance(3)
    tick(network)
    assert network.calls == ["part0.publish"]
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.texts() == ["Slow to appear"]
    assert "adopted" in kinds(delivery)


def test_without_any_safety_a_second_unclear_try_asks_a_person(schedule, network):
    network.safety = RetrySafety.NEITHER
    network.behaviour = [Refused(then=OutcomeUnknown("one")), Refused(then=OutcomeUnknown("two"))]
    delivery = schedule("Nobody knows")
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.UNCERTAIN
    assert network.calls == ["part0.publish", "part0.publish"]
    assert Notification.objects.filter(kind="delivery_uncertain").count() == 1


def test_of_two_equal_posts_each_adopts_its_own(schedule, network, clock):
    network.safety = RetrySafety.NEITHER
    network.behaviour = [Accepted(then=Killed()), Accepted(then=Killed())]
    one, two = schedule("Same words"), schedule("Same words")
    tick(network)
    clock.advance(LEASE.total_seconds() + 1)
    tick(network)
    assert state(one) == state(two) == DeliveryState.SENT
    assert one.remote_id != two.remote_id
    assert len(network.posts) == 2


def test_a_forgotten_idempotency_key_is_never_trusted(schedule, network, clock):
    """The repetition could not be delivered for longer than the network remembers its key."""
    network.behaviour = [Accepted(then=OutcomeUnknown("dropped")), *[Refused(then=Temporary("down"))] * 5]
    delivery = schedule("Remember me")
    for _ in range(4):
        tick(network)
        clock.advance(600)
    network.behaviour = []
    network.forgets_keys = True
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.texts() == ["Remember me"]


def test_a_thread_goes_on_in_the_middle_after_a_crash(schedule, network, clock):
    network.behaviour = [Accepted(), Accepted(then=Killed())]
    delivery = schedule("One", "Two", "Three")
    tick(network)
    clock.advance(LEASE.total_seconds() + 1)
    tick(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.texts() == ["One", "Two", "Three"]
    assert [post.in_reply_to for post in network.posts] == ["", "post-1", "post-2"]
    assert delivery.remote_id == "post-1"


def test_a_repetition_carries_the_same_key_and_intent(schedule, network, clock):
    network.behaviour = [Refused(then=Temporary("503")), Refused(then=OutcomeUnknown("?"))]
    delivery = schedule()
    run_until_quiet(network)
    attempts = list(delivery.attempts.order_by("pk"))
    assert [attempt.state for attempt in attempts] == ["refused", "superseded", "done"]
    assert len({attempt.key for attempt in attempts}) == 1
    assert all(attempt.intent == attempts[0].intent for attempt in attempts)


def test_other_content_is_never_sent_under_an_old_key(schedule, network, clock, manager):
    network.behaviour = [Refused(then=Rejected(RejectReason.INVALID, "no"))]
    delivery = schedule("Bad")
    tick(network)
    assert state(delivery) == DeliveryState.FAILED
    replace_payload(
        delivery=delivery,
        payload={"parts": [{"text": "Good", "media": [], "link_card": None}], "language": ""},
        actor=manager,
        now=clock(),
    )
    retry_delivery(delivery=delivery, actor=manager, now=clock())
    tick(network)
    assert network.texts() == ["Good"]
    assert delivery.attempts.values("key").distinct().count() == 2


def test_an_image_changed_after_a_failure_is_uploaded_anew(schedule, network, clock, manager):
    def content(asset: str) -> dict:
        media = MediaContent(asset, f"{asset}.png", "image/png", 10, 1, 1, "alt")
        return freeze_post([PartContent("Look", media=(media,))])

    delivery = schedule("Look")
    replace_payload(delivery=delivery, payload=content("one"), actor=manager, now=clock())
    network.behaviour = [Refused(then=Rejected(RejectReason.INVALID, "no"))]
    tick(network)
    replace_payload(delivery=delivery, payload=content("two"), actor=manager, now=clock())
    retry_delivery(delivery=delivery, actor=manager, now=clock())
    tick(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.calls == ["part0.media0", "part0.publish"] * 2


def test_an_upload_is_not_repeated_for_a_retry_of_the_same_content(schedule, network, clock, manager):
    delivery = schedule("Look")
    media = MediaContent("one", "one.png", "image/png", 10, 1, 1, "alt")
    payload = freeze_post([PartContent("Look", media=(media,))])
    replace_payload(delivery=delivery, payload=payload, actor=manager, now=clock())
    network.behaviour = [Refused(then=Temporary("503"))]
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.calls == ["part0.media0", "part0.publish", "part0.publish"]


@pytest.mark.parametrize("waits", [1, 3])
def test_a_container_that_ended_while_its_publication_waited_is_made_anew(schedule, network, clock, waits):
    network.safety, network.containers_last_s = RetrySafety.TWO_PHASE, 60
    delivery = schedule("Patience", "More")
    for turn in range(waits):
        network.behaviour = [Refused(then=RateLimited(clock() + dt.timedelta(seconds=120)))]
        tick(network)
        assert state(delivery) == DeliveryState.SCHEDULED, turn
        clock.advance(121)
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.texts() == ["Patience", "More"]
    first = ["part0.container", "part0.publish"]
    assert network.calls == [*first * (waits + 1), "part1.container", "part1.publish"]


def test_a_container_made_anew_is_published_by_a_publication_prepared_anew(schedule, network, clock):
    """Also when the worker died between the two, and what was made before it is not made again for that."""
    network.safety, network.containers_last_s = RetrySafety.TWO_PHASE, 60
    network.behaviour = [Refused(then=Temporary("503")), Accepted(then=Killed())]
    delivery = schedule("Patience")
    tick(network)
    clock.advance(90)
    tick(network)
    clock.advance(LEASE.total_seconds() + 1)
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.texts() == ["Patience"]
    intents = [a.intent["container"] for a in delivery.attempts.filter(step="part0.publish").order_by("pk")]
    assert intents == ["container-1", "container-2"]


def test_an_ended_container_whose_publication_may_have_got_through_is_left_alone(schedule, network, clock):
    network.safety, network.containers_last_s = RetrySafety.TWO_PHASE, 60
    network.behaviour = [Accepted(then=OutcomeUnknown("?"))]
    delivery = schedule("Once")
    tick(network)
    clock.advance(3600)
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.texts() == ["Once"]
    assert network.calls == ["part0.container", "part0.publish"]


def test_uploads_of_an_ended_container_are_made_anew_with_it_and_only_once(schedule, network, clock, manager):
    network.safety, network.containers_last_s = RetrySafety.TWO_PHASE, 60
    delivery = schedule("Look")
    media = MediaContent("one", "one.png", "image/png", 10, 1, 1, "alt")
    payload = freeze_post([PartContent("Look", media=(media,))])
    replace_payload(delivery=delivery, payload=payload, actor=manager, now=clock())
    network.behaviour = [
        Refused(then=RateLimited(clock() + dt.timedelta(seconds=120))),
        Accepted(then=Killed()),
    ]
    tick(network)
    clock.advance(121)
    tick(network)
    clock.advance(LEASE.total_seconds() + 1)
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.calls == ["part0.media0", "part0.container", "part0.publish"] * 2


def test_temporary_errors_back_off_and_the_wait_is_stored(schedule, network, clock):
    network.behaviour = [Refused(then=Temporary("503"))] * 3
    delivery = schedule()
    waits = []
    for _ in range(3):
        tick(network)
        delivery.refresh_from_db()
        waits.append((delivery.next_attempt_at - clock()).total_seconds())
        clock.now = delivery.next_attempt_at
    assert 4 <= waits[0] <= 6
    assert 8 <= waits[1] <= 12
    assert 16 <= waits[2] <= 24
    tick(network)
    assert state(delivery) == DeliveryState.SENT
    assert delivery.failures == 0


def test_retry_after_stops_the_whole_account_for_exactly_so_long(schedule, network, clock, brand):
    until = clock() + dt.timedelta(seconds=90)
    network.behaviour = [Refused(then=RateLimited(until, "slow down"))]
    limited, waiting = schedule("a"), schedule("b", due_in_s=1)
    other = schedule("c", account=make_account(brand, handle="other"), due_in_s=1)
    tick(network)
    clock.advance(1)
    tick(network)
    assert state(other) == DeliveryState.SENT
    assert state(waiting) == DeliveryState.SCHEDULED
    clock.now = until - dt.timedelta(seconds=1)
    assert tick(network) == 0
    clock.now = until
    assert tick(network) == 2
    assert state(limited) == state(waiting) == DeliveryState.SENT


def test_our_own_count_keeps_within_the_networks_rate(schedule, network, clock, monkeypatch):
    network.rates = (Rate("posts", 3, 60),)
    monkeypatch.setattr(
        "accounts.models.SocialAccount.info", property(lambda _self: network.connector(None).info)
    )
    deliveries = [schedule(str(number)) for number in range(5)]
    tick(network)
    assert len(network.posts) == 3
    waiting = [row for row in deliveries if state(row) == DeliveryState.SCHEDULED]
    assert {row.error for row in waiting} == {"quota"}
    clock.advance(63)
    tick(network)
    assert len(network.posts) == 5
    assert Bucket.objects.get().used == 2


def test_a_dead_credential_holds_everything_of_the_account_until_it_is_reconnected(
    schedule, network, clock, sandbox_account, admin
):
    network.behaviour = [Refused(then=NeedsReconnect("401"))]
    first = schedule("a")
    tick(network)
    sandbox_account.refresh_from_db()
    assert sandbox_account.status == AccountStatus.NEEDS_RECONNECT
    second = schedule("b")
    tick(network)
    assert state(first) == state(second) == DeliveryState.HELD
    assert first.held_reason == second.held_reason == "reconnect"
    assert Notification.objects.get(kind="account_lost").user == admin
    sandbox_account.status = AccountStatus.ACTIVE
    sandbox_account.save()
    clock.advance(5)
    tick(network)
    assert state(first) == state(second) == DeliveryState.SENT
    assert kinds(second) == ["scheduled", "held", "resumed", "started", "part_accepted", "sent"]


def test_a_rejection_fails_at_once_and_tells_its_author_why(schedule, network, manager):
    network.behaviour = [Refused(then=Rejected(RejectReason.TEXT_TOO_LONG, "too long"))]
    delivery = schedule()
    tick(network)
    assert state(delivery) == DeliveryState.FAILED
    assert delivery.error == "text_too_long"
    assert Notification.objects.get().user == manager


def test_a_failed_one_can_be_sent_again_by_a_person(schedule, network, clock, manager):
    network.behaviour = [Refused(then=Rejected(RejectReason.FORBIDDEN, "no"))]
    delivery = schedule()
    tick(network)
    retry_delivery(delivery=delivery, actor=manager, now=clock())
    tick(network)
    assert state(delivery) == DeliveryState.SENT


def test_a_refusal_as_a_duplicate_adopts_the_post_that_is_there(schedule, network):
    network.safety = RetrySafety.NEITHER
    network.behaviour = [Accepted(then=Rejected(RejectReason.DUPLICATE, "you said that already"))]
    delivery = schedule("There already")
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.texts() == ["There already"]


def test_a_post_that_the_network_processes_is_asked_for_until_it_is_there(schedule, network, clock):
    network.behaviour = [Processing(polls=3)]
    delivery = schedule()
    tick(network)
    assert state(delivery) == DeliveryState.PROCESSING
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert len(network.posts) == 1


def test_what_is_too_late_is_missed_and_asked_about(schedule, network, clock):
    asked = schedule("a", missed_after_s=60)
    skipped = schedule("b", missed_after_s=60, missed_policy=MissedPolicy.SKIP)
    clock.advance(61)
    tick(network)
    assert state(asked) == state(skipped) == DeliveryState.MISSED
    assert network.posts == []
    assert Notification.objects.filter(kind="delivery_missed").count() == 1


def test_a_delivery_that_has_begun_is_ended_however_late(schedule, network, clock):
    network.behaviour = [Accepted(), Refused(then=Temporary("down"))]
    delivery = schedule("One", "Two", missed_after_s=60)
    tick(network)
    clock.advance(3600)
    tick(network)
    assert state(delivery) == DeliveryState.SENT


def test_nothing_goes_out_for_somebody_who_may_no_longer_publish(schedule, network, manager):
    delivery = schedule()
    Membership.objects.filter(user=manager).update(role="viewer")
    tick(network)
    assert state(delivery) == DeliveryState.FAILED
    assert delivery.error == "not_allowed"
    assert network.calls == []


def test_a_pause_holds_and_its_end_sends_what_was_held(
    schedule, network, clock, organization, brand, manager
):
    pause = pause_sending(organization=organization, brand=brand, reason="a fire", actor=manager, now=clock())
    with pytest.raises(AlreadyPaused):
        pause_sending(organization=organization, brand=brand, reason="again", actor=manager, now=clock())
    delivery = schedule()
    tick(network)
    assert state(delivery) == DeliveryState.HELD
    assert delivery.held_reason == "paused"
    assert network.calls == []
    end_pause(pause=pause, actor=manager, now=clock(), overdue=Decision.SEND)
    tick(network)
    assert state(delivery) == DeliveryState.SENT
    assert [entry.action for entry in organization.audit_entries.order_by("at", "id")] == [
        "sending.paused",
        "sending.resumed",
        "sending.decided",
    ]


def test_a_pause_elsewhere_stops_nothing_here(schedule, network, clock, organization, other_brand, manager):
    pause_sending(organization=organization, brand=other_brand, reason="", actor=manager, now=clock())
    delivery = schedule()
    tick(network)
    assert state(delivery) == DeliveryState.SENT


@pytest.mark.parametrize(("answer", "posts"), [(True, 0), (False, 1)])
def test_a_person_ends_uncertainty(schedule, network, clock, manager, answer, posts):
    network.safety = RetrySafety.NEITHER
    network.behaviour = [Refused(then=OutcomeUnknown("1")), Refused(then=OutcomeUnknown("2"))]
    delivery = schedule()
    run_until_quiet(network)
    answer_uncertain(delivery=delivery, did_appear=answer, permalink="", actor=manager, now=clock())
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert len(network.posts) == posts
    with pytest.raises(NotPossible):
        answer_uncertain(delivery=delivery, did_appear=answer, permalink="", actor=manager, now=clock())


def test_no_account_waits_behind_anothers_backlog(schedule, network, clock, brand):
    for number in range(30):
        schedule(str(number))
    other = schedule("mine", account=make_account(brand, handle="other"), due_in_s=1)
    clock.advance(2)
    claimed = [claim.delivery_id for claim in claim_due(now=clock(), most=8)]
    assert other.pk in claimed


def test_what_waits_for_workers_is_bounded(schedule, clock):
    for number in range(10):
        schedule(str(number))
    assert len(claim_due(now=clock(), most=4)) == 4
    assert claim_due(now=clock(), most=4) == []


def test_what_waits_behind_a_hanging_server_takes_nobodys_room(schedule, network, clock, brand):
    for number in range(8):
        schedule(str(number))
    (first, *_rest) = claim_due(now=clock(), most=8)
    other = schedule("mine", account=make_account(brand, handle="other"))
    assert claim_due(now=clock(), most=8) == [], "the queue is full"
    move(Delivery.objects.get(pk=first.delivery_id), DeliveryState.SENDING, fence=first.fence)
    assert [claim.delivery_id for claim in claim_due(now=clock(), most=8)] == [other.pk]


def test_a_claimed_row_whose_message_was_lost_comes_back(schedule, network, clock):
    delivery = schedule()
    claim_due(now=clock())
    clock.advance(LEASE.total_seconds() + 1)
    assert reap(now=clock()) == 1
    tick(network)
    assert state(delivery) == DeliveryState.SENT
    assert len(network.posts) == 1


def test_a_living_worker_keeps_its_row(schedule, clock):
    schedule()
    claimed = {claim.delivery_id: claim.fence for claim in claim_due(now=clock())}
    clock.advance(20)
    assert renew_leases(owned=claimed, now=clock()) == set()
    clock.advance(20)
    assert reap(now=clock()) == 0
    clock.advance(20)
    assert reap(now=clock()) == 1
    assert renew_leases(owned=claimed, now=clock()) == set(claimed)


def test_a_worker_that_lost_its_row_leaves_what_it_learnt_and_nothing_more(schedule, network, clock):
    """It hung for longer than its lease while the network had accepted the post."""
    delivery = schedule("Slow")
    store = network.connector(None).__class__._store

    def hang(self, intent):
        post = store(self, intent)
        clock.advance(LEASE.total_seconds() + 1)
        reap(now=clock())
        return post

    network.connector(None).__class__._store = hang
    try:
        tick(network)
    finally:
        network.connector(None).__class__._store = store
    assert state(delivery) == DeliveryState.SCHEDULED
    assert delivery.attempts.get().state == AttemptState.DONE
    tick(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.calls == ["part0.publish"]


def test_people_may_change_only_what_has_not_begun(schedule, network, clock, manager):
    delivery = schedule(due_in_s=60)
    later = clock() + dt.timedelta(hours=1)
    move_delivery(delivery=delivery, due_at=later, actor=manager, now=clock())
    clock.advance(61)
    assert tick(network) == 0
    clock.now = later
    tick(network)
    for change in (
        lambda: move_delivery(delivery=delivery, due_at=later, actor=manager, now=clock()),
        lambda: cancel_delivery(delivery=delivery, actor=manager, now=clock()),
        lambda: retry_delivery(delivery=delivery, actor=manager, now=clock()),
        lambda: replace_payload(delivery=delivery, payload={}, actor=manager, now=clock()),
    ):
        with pytest.raises(NotPossible):
            change()
    assert state(delivery) == DeliveryState.SENT


def test_a_cancelled_delivery_never_goes_out(schedule, network, clock, manager):
    delivery = schedule(due_in_s=10)
    cancel_delivery(delivery=delivery, actor=manager, now=clock())
    clock.advance(60)
    assert tick(network) == 0
    assert network.posts == []


def test_a_sent_post_is_read_back_until_it_is_seen(schedule, network, clock):
    network.hidden_for_s = 5
    delivery = schedule()
    tick(network)
    assert claim_unseen(now=clock()) == {}
    clock.advance(LOOK_AFTER_S[0])
    for seen in (0, 1):
        ((account_id, ids),) = claim_unseen(now=clock()).items()
        assert claim_unseen(now=clock()) == {}, "one look is not claimed twice"
        assert (
            read_back(account_id=account_id, delivery_ids=ids, clock=clock, connect=network.connector) == seen
        )
        clock.advance(LOOK_AFTER_S[1])
    delivery.refresh_from_db()
    assert delivery.seen_at is not None
    assert kinds(delivery)[-1] == ReceiptKind.SEEN
