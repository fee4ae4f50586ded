"""What became of what we sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import DjangoAssertNumQueries

from audience.models import Activity, ActivityKind
from connectors.errors import RejectReason
from engagement.models import Conversation, ConversationState, EpisodeEnd, Message, WaitEpisode
from engagement.selectors.thread import tag_of
from engagement.services.settling import settle
from outbox.errors import StopReason
from outbox.models import DeliveryState
from tests.engagement.conftest import BEN, HOUR, MINUTE, NOON, comment, ended

pytestmark = pytest.mark.django_db

Take = Callable[..., int]
Answer = Callable[..., Message]
LATER = NOON + 20 * MINUTE


def test_a_sent_answer_knows_its_place_at_the_network(open_one: Conversation, answer: Answer) -> None:
    sent = answer(open_one)
    ended(sent)
    assert settle(now=LATER) == 1
    sent.refresh_from_db()
    assert (sent.remote_id, sent.permalink) == ("r2", "https://network.example/r2")
    assert (sent.sent_at, sent.settled_at) == (NOON + 11 * MINUTE, LATER)
    assert settle(now=LATER) == 0


def test_an_address_that_no_page_may_have_is_not_taken_from_a_network(
    open_one: Conversation, answer: Answer
) -> None:
    sent = answer(open_one)
    ended(sent, permalink="javascript:alert(1)")
    settle(now=LATER)
    sent.refresh_from_db()
    assert sent.permalink == ""


def test_the_person_has_it_on_their_timeline_once(open_one: Conversation, answer: Answer) -> None:
    sent = answer(open_one, "From ten")
    ended(sent)
    settle(now=LATER)
    told = Activity.objects.get(kind=ActivityKind.ANSWERED)
    assert (told.identity_id, told.summary, told.at) == (
        open_one.identity_id,
        "From ten",
        NOON + 11 * MINUTE,
    )
    assert told.path == f"/inbox/{open_one.pk}/"


def test_whoever_is_answered_in_the_conversation_of_another_has_it_on_theirs(
    take: Take, open_one: Conversation, answer: Answer
) -> None:
    take(comment("And on Monday?", by=BEN, thread="c-open", at=NOON + MINUTE), now=NOON + 2 * MINUTE)
    ended(answer(open_one, "Closed, Ben"))
    settle(now=LATER)
    told = Activity.objects.select_related("identity").get(kind=ActivityKind.ANSWERED)
    assert told.identity.handle == "ben"


@pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.UNCERTAIN, DeliveryState.MISSED])
def test_an_answer_that_a_person_must_look_at_opens_what_was_done(
    open_one: Conversation, answer: Answer, state: DeliveryState
) -> None:
    sent = answer(open_one, is_done_after=True)
    ended(sent, state, error=StopReason.NEWER_MESSAGE)
    settle(now=LATER)
    open_one.refresh_from_db()
    assert open_one.state == ConversationState.OPEN
    assert WaitEpisode.objects.get().ended_at is None
    assert settle(now=LATER) == 0


def test_an_open_page_hears_of_every_move(open_one: Conversation, answer: Answer) -> None:
    sent = answer(open_one)
    tags = [tag_of(open_one, now=LATER)]
    for state in (DeliveryState.SENDING, DeliveryState.SENT):
        ended(sent, state, lease_until=LATER)
        tags.append(tag_of(open_one, now=LATER))
    settle(now=LATER)
    open_one.refresh_from_db()
    tags.append(tag_of(open_one, now=LATER))
    assert len(set(tags)) == 4


@pytest.mark.parametrize("error", [RejectReason.NOT_FOUND, StopReason.GONE_AT_NETWORK])
def test_a_comment_that_was_deleted_while_it_was_answered_is_marked_and_nothing_is_lost(
    open_one: Conversation, answer: Answer, error: str
) -> None:
    sent = answer(open_one, "From ten", is_done_after=True)
    ended(sent, DeliveryState.FAILED, error=error)
    settle(now=LATER)
    received = open_one.messages.get(direction="in")
    assert received.deleted_at == LATER
    assert received.text == "Is it open on Sunday?"
    sent.refresh_from_db()
    assert (sent.text, sent.delivery_state) == ("From ten", "failed")
    episode = WaitEpisode.objects.get()
    assert (episode.ended_how, episode.ended_at) == (EpisodeEnd.WITHDRAWN, LATER)
    open_one.refresh_from_db()
    assert (open_one.waiting_since, open_one.state) == (None, "open")


def test_only_the_comment_that_was_answered_is_marked(
    take: Take, open_one: Conversation, answer: Answer
) -> None:
    take(comment("And on Monday?", by=BEN, thread="c-open", at=NOON + MINUTE), now=NOON + 2 * MINUTE)
    sent = answer(open_one)
    ended(sent, DeliveryState.FAILED, error=RejectReason.NOT_FOUND)
    settle(now=LATER)
    gone = {m.text: m.deleted_at is not None for m in open_one.messages.filter(direction="in")}
    assert gone == {"Is it open on Sunday?": False, "And on Monday?": True}
    # Yuki still waits.
    assert WaitEpisode.objects.get().ended_at is None


def test_what_came_in_after_the_answer_was_written_goes_on_waiting(
    take: Take, open_one: Conversation, answer: Answer
) -> None:
    sent = answer(open_one)
    ended(sent, DeliveryState.SENDING, lease_until=LATER)
    take(comment("On Monday, too?", thread="c-open", at=NOON + 10 * MINUTE), now=NOON + 12 * MINUTE)
    ended(sent, sent_at=NOON + 11 * MINUTE)
    settle(now=LATER)
    played = [(e.started_at, e.ended_at) for e in WaitEpisode.objects.order_by("started_at")]
    assert played == [(NOON, NOON + 11 * MINUTE), (NOON + 10 * MINUTE, None)]
    open_one.refresh_from_db()
    assert open_one.waiting_since == NOON + 10 * MINUTE


def test_an_answer_that_is_sent_again_settles_as_any(open_one: Conversation, answer: Answer) -> None:
    from engagement.services.replies import resend

    sent = answer(open_one)
    ended(sent, DeliveryState.FAILED, error=RejectReason.FORBIDDEN)
    settle(now=LATER)
    assert sent.author is not None
    resend(message=sent, seen_number=2, actor=sent.author, now=NOON + HOUR)
    ended(sent, sent_at=NOON + HOUR)
    settle(now=NOON + HOUR + MINUTE)
    episode = WaitEpisode.objects.get()
    assert (episode.ended_how, episode.calendar_s) == (EpisodeEnd.ANSWERED, 3600)


def test_many_are_settled_with_as_many_queries_as_few(
    take: Take, answer: Answer, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        take(comment(f"Question {number}", remote_id=f"c{number}q", thread=f"c{number}q"))
    for row in Conversation.objects.all():
        ended(answer(row), remote_id=f"r-{row.pk}")
    with django_assert_max_num_queries(22):
        assert settle(now=LATER) == 12
    assert not WaitEpisode.objects.filter(ended_at__isnull=True).exists()
