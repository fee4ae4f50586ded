"""Whose it is, until when it rests, and that it is done."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import User
from engagement.models import Assignment, Conversation, EpisodeEnd, Message, WaitEpisode
from engagement.services import triage
from engagement.services.replies import NewerMessages
from engagement.services.settling import settle
from engagement.services.triage import NotAColleague, NotInFuture, StillWaiting
from outbox.models import DeliveryState
from tests.engagement.conftest import DAY, HOUR, MINUTE, NOON, comment, ended

pytestmark = pytest.mark.django_db

Take = Callable[..., int]
Answer = Callable[..., Message]
LATER = NOON + 20 * MINUTE


def done(row: Conversation, *, seen: int = 1, without_answer: bool = False) -> Conversation:
    return triage.mark_done(conversation=row, seen_number=seen, without_answer=without_answer, now=LATER)


# --- done ---------------------------------------------------------------------------------------


def test_it_is_not_done_while_somebody_waits(open_one: Conversation) -> None:
    with pytest.raises(StillWaiting):
        done(open_one)
    open_one.refresh_from_db()
    assert open_one.state == "open"
    assert WaitEpisode.objects.get().ended_at is None


def test_unless_somebody_says_that_no_answer_is_needed(open_one: Conversation) -> None:
    row = done(open_one, without_answer=True)
    episode = WaitEpisode.objects.get()
    assert (row.state, row.waiting_since, row.due_at) == ("done", None, None)
    assert (episode.ended_how, episode.ended_at, episode.calendar_s) == (
        EpisodeEnd.NO_ANSWER_NEEDED,
        LATER,
        None,
    )


def test_it_is_done_while_the_answer_is_on_its_way(open_one: Conversation, answer: Answer) -> None:
    sent = answer(open_one)
    assert done(open_one, seen=2).state == "done"
    assert WaitEpisode.objects.get().ended_at is None
    ended(sent)
    settle(now=LATER)
    assert WaitEpisode.objects.get().ended_how == EpisodeEnd.ANSWERED


def test_it_is_not_done_while_the_answer_is_stopped(open_one: Conversation, answer: Answer) -> None:
    ended(answer(open_one), DeliveryState.FAILED)
    with pytest.raises(StillWaiting):
        done(open_one, seen=2)


def test_nobody_finishes_what_nobody_has_seen(take: Take, open_one: Conversation) -> None:
    take(comment("Hello?", thread="c-open", at=NOON + 5 * MINUTE), now=NOON + 6 * MINUTE)
    with pytest.raises(NewerMessages):
        done(open_one, without_answer=True)
    open_one.refresh_from_db()
    assert open_one.state == "open"


def test_who_writes_after_that_waits_anew(take: Take, open_one: Conversation) -> None:
    done(open_one, without_answer=True)
    take(comment("Hello?", thread="c-open", at=NOON + HOUR), now=NOON + HOUR)
    ends = [e.ended_how for e in WaitEpisode.objects.order_by("started_at")]
    assert ends == [EpisodeEnd.NO_ANSWER_NEEDED, ""]
    open_one.refresh_from_db()
    assert (open_one.state, open_one.waiting_since) == ("open", NOON + HOUR)


def test_an_answer_that_turns_out_to_have_been_written_elsewhere_counts_after_all(
    take: Take, open_one: Conversation
) -> None:
    """Somebody answered on the phone and finished it here before the network told."""
    from tests.engagement.conftest import US

    done(open_one, without_answer=True)
    take(comment("By phone", by=US, thread="c-open", at=NOON + 10 * MINUTE), now=NOON + 30 * MINUTE)
    episode = WaitEpisode.objects.get()
    assert (episode.ended_how, episode.calendar_s) == (EpisodeEnd.ANSWERED, 600)


# --- open again ---------------------------------------------------------------------------------


def test_who_was_said_to_need_no_answer_waits_again_as_before(open_one: Conversation) -> None:
    due_at = WaitEpisode.objects.get().due_at
    row = triage.reopen(conversation=done(open_one, without_answer=True))
    episode = WaitEpisode.objects.get()
    assert (row.state, row.waiting_since, row.due_at) == ("open", NOON, due_at)
    assert (episode.ended_at, episode.ended_how, episode.decided_number) == (None, "", None)


def test_who_was_answered_stays_answered(open_one: Conversation, answer: Answer) -> None:
    ended(answer(open_one))
    settle(now=LATER)
    row = triage.reopen(conversation=done(open_one, seen=2))
    assert (row.state, row.waiting_since) == ("open", None)
    assert WaitEpisode.objects.get().ended_how == EpisodeEnd.ANSWERED


def test_opening_what_rests_brings_no_old_waiting_back(take: Take, open_one: Conversation) -> None:
    done(open_one, without_answer=True)
    triage.snooze(conversation=open_one, until=NOON + DAY, seen_number=1, now=LATER)
    row = triage.reopen(conversation=open_one)
    assert (row.state, row.snoozed_until, row.waiting_since) == ("open", None, None)


# --- resting ------------------------------------------------------------------------------------


def test_it_rests_until_its_time_and_the_clock_goes_on(open_one: Conversation) -> None:
    triage.snooze(conversation=open_one, until=NOON + DAY, seen_number=1, now=LATER)
    open_one.refresh_from_db()
    assert (open_one.state, open_one.waiting_since) == ("snoozed", NOON)
    assert triage.wake_snoozed(now=NOON + DAY - MINUTE) == 0
    assert triage.wake_snoozed(now=NOON + DAY) == 1
    open_one.refresh_from_db()
    assert (open_one.state, open_one.snoozed_until) == ("open", None)


def test_nobody_lets_rest_what_nobody_has_seen(take: Take, open_one: Conversation) -> None:
    take(comment("Hello?", thread="c-open", at=NOON + 5 * MINUTE), now=NOON + 6 * MINUTE)
    with pytest.raises(NewerMessages):
        triage.snooze(conversation=open_one, until=NOON + DAY, seen_number=1, now=LATER)
    open_one.refresh_from_db()
    assert open_one.state == "open"


def test_nothing_rests_until_a_time_that_is_over(open_one: Conversation) -> None:
    with pytest.raises(NotInFuture):
        triage.snooze(conversation=open_one, until=LATER, seen_number=1, now=LATER)


# --- whose it is --------------------------------------------------------------------------------


def test_a_colleague_becomes_responsible_and_that_is_kept(
    open_one: Conversation, manager: User, responder: User
) -> None:
    version = open_one.version
    row = triage.assign(conversation=open_one, assignee=responder, actor=manager, now=LATER)
    assert (row.assignee, row.version) == (responder, version + 1)
    kept = Assignment.objects.get()
    assert (kept.assignee, kept.assigned_by, kept.at) == (responder, manager, LATER)
    triage.assign(conversation=open_one, assignee=responder, actor=manager, now=LATER)
    assert Assignment.objects.count() == 1
    row = triage.assign(conversation=open_one, assignee=None, actor=manager, now=LATER)
    assert row.assignee is None
    assert Assignment.objects.count() == 2


@pytest.mark.parametrize("who", ["viewer", "creator", "marketer", "stranger"])
def test_nobody_who_may_not_answer_becomes_responsible(
    open_one: Conversation, manager: User, who: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(NotAColleague):
        triage.assign(conversation=open_one, assignee=request.getfixturevalue(who), actor=manager, now=LATER)
    open_one.refresh_from_db()
    assert open_one.assignee is None
    assert not Assignment.objects.exists()


def test_a_note_is_news_to_an_open_page_and_no_message(open_one: Conversation, responder: User) -> None:
    version = open_one.version
    note = triage.add_note(conversation=open_one, text="Asked the shop", actor=responder, now=LATER)
    open_one.refresh_from_db()
    assert (note.author, note.created_at, open_one.version) == (responder, LATER, version + 1)
    assert (open_one.last_number, open_one.messages.count()) == (1, 1)
