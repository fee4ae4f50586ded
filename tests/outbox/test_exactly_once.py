"""The promise as a property: whatever goes wrong in whatever order, no post is doubled or lost."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AccountStatus, SocialAccount
from connectors.base import RetrySafety
from connectors.errors import NeedsReconnect, OutcomeUnknown, RateLimited, Rejected, RejectReason, Temporary
from outbox.models import TRANSITIONS, Attempt, AttemptState, Bucket, Delivery, DeliveryKind, DeliveryState
from tests.outbox.conftest import START, run_until_quiet
from tests.outbox.network import Accepted, Behaviour, Killed, Network, Processing, Refused

FAULTS = st.sampled_from(
    [
        "ok",
        "accepted_then_killed",
        "accepted_then_dropped",
        "killed",
        "dropped",
        "temporary",
        "limited",
        "processing",
    ]
)


def behaviour(fault: str) -> Behaviour:
    match fault:
        case "ok":
            return Accepted()
        case "accepted_then_killed":
            return Accepted(then=Killed())
        case "accepted_then_dropped":
            return Accepted(then=OutcomeUnknown("dropped"))
        case "killed":
            return Refused(then=Killed())
        case "dropped":
            return Refused(then=OutcomeUnknown("dropped"))
        case "temporary":
            return Refused(then=Temporary("503"))
        case "limited":
            return Refused(then=RateLimited(START + dt.timedelta(minutes=10), "429"))
        case "processing":
            return Processing(polls=2)
    raise AssertionError(fault)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    safety=st.sampled_from(list(RetrySafety)),
    faults=st.lists(FAULTS, max_size=7),
    parts=st.integers(1, 3),
    hidden_for_s=st.sampled_from([0, 5, 18]),
)
def test_every_post_appears_once_or_a_person_is_asked(
    schedule, clock, sandbox_account, safety, faults, parts, hidden_for_s
):
    Delivery.objects.all().delete()
    Bucket.objects.all().delete()
    clock.now = START
    network = Network(clock, safety=safety, hidden_for_s=hidden_for_s)
    # Only a network that can be asked for the state of a post processes it for a while.
    network.behaviour = [
        behaviour(fault) for fault in faults if fault != "processing" or safety is not RetrySafety.NEITHER
    ]
    texts = [f"part {number}" for number in range(parts)]
    delivery = schedule(*texts, missed_after_s=30 * 24 * 3600)

    run_until_quiet(network, hours=48)

    delivery.refresh_from_db()
    assert len(network.texts()) == len(set(network.texts())), "doubled"
    if delivery.state == DeliveryState.SENT:
        assert network.texts() == texts, "lost"
    else:
        # Only where nothing makes a repetition safe may a person have to look.
        assert delivery.state == DeliveryState.UNCERTAIN
        assert safety is RetrySafety.NEITHER
        assert delivery.error
    assert not delivery.attempts.filter(state=AttemptState.IN_FLIGHT).exists()


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from([DeliveryKind.REPLY, DeliveryKind.DM]),
    safety=st.sampled_from(list(RetrySafety)),
    faults=st.lists(FAULTS.filter(lambda fault: fault != "processing"), max_size=7),
    hidden_for_s=st.sampled_from([0, 5, 18]),
)
def test_every_answer_appears_once_or_a_person_is_asked(answer, clock, kind, safety, faults, hidden_for_s):
    Delivery.objects.all().delete()
    Bucket.objects.all().delete()
    clock.now = START
    network = Network(clock, safety=safety, hidden_for_s=hidden_for_s)
    network.behaviour = [behaviour(fault) for fault in faults]
    delivery = answer(kind, "Thanks", missed_after_s=30 * 24 * 3600)

    run_until_quiet(network, hours=48)

    delivery.refresh_from_db()
    there = network.messages if kind == DeliveryKind.DM else network.posts
    assert [one.text for one in there] in ([], ["Thanks"]), "doubled"
    if delivery.state == DeliveryState.SENT:
        assert [one.remote_id for one in there] == [delivery.remote_id], "lost"
    else:
        assert delivery.state == DeliveryState.UNCERTAIN
        # A message has no container that could be asked.
        assert safety is RetrySafety.NEITHER or (kind == DeliveryKind.DM and safety is RetrySafety.TWO_PHASE)


@pytest.mark.django_db
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=st.lists(FAULTS.filter(lambda fault: fault != "processing"), max_size=7))
def test_a_like_is_there_once_whatever_goes_wrong(answer, clock, faults):
    Delivery.objects.all().delete()
    Bucket.objects.all().delete()
    clock.now = START
    network = Network(clock)
    network.behaviour = [behaviour(fault) for fault in faults]
    delivery = answer(DeliveryKind.MODERATION, to="comment-1")
    run_until_quiet(network, hours=20)
    delivery.refresh_from_db()
    assert (delivery.state, network.likes) == (DeliveryState.SENT, ["comment-1"])


@pytest.mark.django_db
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=st.lists(st.sampled_from(["reconnect", "rejected", "ok", "accepted_then_dropped"]), max_size=5))
def test_whatever_stops_a_delivery_says_why(schedule, clock, sandbox_account, faults):
    Delivery.objects.all().delete()
    SocialAccount.objects.update(status=AccountStatus.ACTIVE)
    network = Network(clock)
    extra: dict[str, Behaviour] = {
        "reconnect": Refused(then=NeedsReconnect("401")),
        "rejected": Refused(then=Rejected(RejectReason.INVALID, "no")),
    }
    network.behaviour = [extra.get(fault) or behaviour(fault) for fault in faults]
    delivery = schedule("text")
    run_until_quiet(network, hours=2)
    delivery.refresh_from_db()
    assert (delivery.state == DeliveryState.SENT) == (not delivery.error)
    assert len(network.posts) <= 1


def test_the_table_knows_every_state_and_ends_where_it_says():
    assert set(TRANSITIONS) == set(DeliveryState)
    assert {state for state, following in TRANSITIONS.items() if not following} == {
        DeliveryState.SENT,
        DeliveryState.CANCELLED,
    }


@pytest.mark.django_db
@pytest.mark.parametrize("to", list(DeliveryState))
@pytest.mark.parametrize("before", list(DeliveryState))
def test_only_the_tables_moves_are_possible(schedule, clock, before, to):
    from outbox.services.transitions import NotPossible, move

    delivery = schedule()
    lease = clock() + dt.timedelta(seconds=30)
    Delivery.objects.filter(pk=delivery.pk).update(state=before, lease_until=lease)
    if to in TRANSITIONS[before]:
        move(delivery, to)
        delivery.refresh_from_db()
        assert delivery.state == to
    else:
        with pytest.raises(NotPossible) as refusal:
            move(delivery, to)
        assert refusal.value.state == before
        delivery.refresh_from_db()
        assert delivery.state == before


@pytest.mark.django_db
def test_one_step_has_one_open_attempt(schedule, clock):
    from uuid import uuid4

    from django.db import IntegrityError, transaction

    delivery = schedule()
    values = {"delivery": delivery, "step": "part0.publish", "fence": 1, "fingerprint": "x", "intent": {}}
    Attempt.objects.create(**values, key=uuid4(), started_at=clock())
    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.create(**values, key=uuid4(), started_at=clock())


def test_nothing_but_the_transitions_module_writes_a_state():
    """`state=` in an update or a constructor of Delivery anywhere else would go around the table."""
    import re
    from pathlib import Path

    offenders = []
    for path in Path("outbox").rglob("*.py"):
        if "migrations" in path.parts or path.name == "transitions.py":
            continue
        source = path.read_text()
        for match in re.finditer(r"\.update\(([^)]*)\)", source):
            before = source[max(0, match.start() - 300) : match.start()]
            if re.search(r"\bstate=(?!state,)", match.group(1)) and "Attempt.objects" not in before:
                offenders.append(f"{path}: {match.group(0)[:60]}")
        if re.search(r"(row|delivery)\.state = ", source):
            offenders.append(f"{path}: assigns a state")
    assert offenders == []
