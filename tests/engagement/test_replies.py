"""Answering: the guard, the form that is sent twice, and what stops an answer."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from accounts.models import AccountStatus, SocialAccount, User
from audience.models import Consent, Purpose
from campaigns.models import Campaign, Objective, TrackedLink
from connectors.base import PlatformInfo
from connectors.errors import RejectReason
from engagement.models import Assignment, Conversation, ConversationState, Message, WaitEpisode
from engagement.services import replies
from engagement.services.replies import (
    CannotAnswer,
    DoesNotFit,
    NewerMessages,
    NotWaiting,
    Obstacle,
    send_reply,
)
from engagement.services.settling import settle
from outbox import handlers
from outbox.errors import StopReason
from outbox.models import Delivery, DeliveryKind, DeliveryState
from tests.engagement.conftest import BEN, DAY, HOUR, MINUTE, NOON, US, comment, ended, message

pytestmark = pytest.mark.django_db

Take = Callable[..., int]
Answer = Callable[..., Message]


def received(conversation: Conversation) -> Message:
    row = conversation.messages.filter(direction="in").select_related("identity").order_by("-number").first()
    assert row is not None
    return row


def send(conversation: Conversation, actor: User, text: str = "Yes", **given: Any) -> Message:
    values: dict[str, Any] = {
        "answered": received(conversation),
        "seen_number": 1,
        "form_key": uuid.uuid4(),
        "now": NOON + 10 * MINUTE,
    }
    return send_reply(conversation=conversation, text=text, actor=actor, **values | given)


# --- what is sent -------------------------------------------------------------------------------


def test_an_answer_to_a_comment_goes_below_it(
    take: Take, sandbox_account: SocialAccount, responder: User
) -> None:
    take(comment(remote_id="c1", root_id="p1"))
    row = Conversation.objects.get()
    sent = send(row, responder, "From ten, see you!")
    delivery = sent.delivery
    assert delivery is not None
    assert (delivery.kind, delivery.account, delivery.scheduled_by) == (
        DeliveryKind.REPLY,
        sandbox_account,
        responder,
    )
    assert delivery.payload["parts"][0]["text"] == "From ten, see you!"
    assert delivery.payload["reply_to"] == {"remote_id": "c1", "root_id": "p1", "detail": {"id": "c1"}}
    assert delivery.due_at == NOON + 10 * MINUTE
    row.refresh_from_db()
    assert (row.last_number, row.preview, row.is_last_own) == (2, "From ten, see you!", True)
    assert (sent.number, sent.seen_number, sent.author, sent.sent_at) == (2, 1, responder, None)


def test_an_answer_to_a_direct_message_goes_to_its_author(take: Take, responder: User) -> None:
    take(message(remote_id="m1"))
    sent = send(Conversation.objects.get(), responder)
    assert sent.delivery is not None
    assert sent.delivery.kind == DeliveryKind.DM
    assert sent.delivery.payload["message_to"] == {
        "recipient_id": "u-yuki",
        "thread_id": "u-yuki",
        "detail": {"to": "yuki"},
    }


def test_where_the_network_wants_it_the_answer_names_its_receiver(take: Take, responder: User) -> None:
    take(comment(detail={"mention": "@yuki@example.social"}))
    sent = send(Conversation.objects.get(), responder, "From ten")
    assert sent.text == "@yuki@example.social From ten"
    assert sent.delivery is not None
    assert sent.delivery.payload["parts"][0]["text"] == sent.text


def test_the_clock_runs_until_the_network_has_the_answer(
    open_one: Conversation, answer: Answer, responder: User
) -> None:
    sent = answer(open_one)
    settle(now=NOON + 10 * MINUTE)
    assert WaitEpisode.objects.get().ended_at is None
    ended(sent, sent_at=NOON + 12 * MINUTE)
    settle(now=NOON + 13 * MINUTE)
    episode = WaitEpisode.objects.get()
    assert (episode.ended_at, episode.calendar_s, episode.answered_by) == (
        NOON + 12 * MINUTE,
        720,
        responder,
    )


def test_whoever_answers_first_is_responsible_from_then_on(
    open_one: Conversation, responder: User, manager: User
) -> None:
    send(open_one, responder)
    open_one.refresh_from_db()
    assert open_one.assignee == responder
    assert Assignment.objects.get().assigned_by == responder
    send(open_one, manager, seen_number=2)
    open_one.refresh_from_db()
    assert open_one.assignee == responder


def test_send_and_done_is_done(open_one: Conversation, responder: User) -> None:
    send(open_one, responder, is_done_after=True)
    open_one.refresh_from_db()
    assert open_one.state == ConversationState.DONE


def test_an_answer_wakes_what_rests(open_one: Conversation, responder: User) -> None:
    Conversation.objects.update(state=ConversationState.SNOOZED, snoozed_until=NOON + DAY)
    send(open_one, responder)
    open_one.refresh_from_db()
    assert (open_one.state, open_one.snoozed_until) == ("open", None)


# --- the guard ----------------------------------------------------------------------------------


def nothing_sent(conversation: Conversation, before: int) -> None:
    conversation.refresh_from_db()
    assert conversation.last_number == before
    assert not Delivery.objects.filter(kind=DeliveryKind.REPLY).exists()
    assert not conversation.messages.filter(delivery__isnull=False).exists()


def test_nothing_is_sent_past_a_message_that_its_author_has_not_seen(
    take: Take, open_one: Conversation, responder: User
) -> None:
    take(comment("Never mind, found it", thread="c-open", at=NOON + 5 * MINUTE), now=NOON + 6 * MINUTE)
    with pytest.raises(NewerMessages) as refusal:
        send(open_one, responder, seen_number=1)
    assert [m.text for m in refusal.value.messages] == ["Never mind, found it"]
    nothing_sent(open_one, before=2)


def test_nothing_is_sent_past_the_answer_of_a_colleague(
    open_one: Conversation, responder: User, manager: User
) -> None:
    send(open_one, manager, "Mine was first")
    with pytest.raises(NewerMessages) as refusal:
        send(open_one, responder, seen_number=1)
    assert [m.text for m in refusal.value.messages] == ["Mine was first"]
    assert Delivery.objects.count() == 1


def test_send_anyway_says_that_it_has_been_seen(take: Take, open_one: Conversation, responder: User) -> None:
    take(comment("Hello?", thread="c-open", at=NOON + 5 * MINUTE), now=NOON + 6 * MINUTE)
    sent = send(open_one, responder, seen_number=2)
    assert (sent.number, sent.seen_number) == (3, 2)


def test_a_form_that_is_sent_twice_makes_one_answer(open_one: Conversation, responder: User) -> None:
    key = uuid.uuid4()
    first = send(open_one, responder, form_key=key)
    again = send(open_one, responder, form_key=key)
    assert again == first
    assert Delivery.objects.count() == 1
    assert open_one.messages.count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_one_form", [False, True], ids=["two browsers", "one form twice"])
def test_of_two_answers_at_the_same_moment_one_goes_out(
    open_one: Conversation, responder: User, manager: User, is_one_form: bool
) -> None:
    key = uuid.uuid4()
    start = threading.Barrier(2)
    answered = received(open_one)
    outcomes: list[str] = []

    def press(actor: User) -> None:
        try:
            start.wait(5)
            send(
                open_one,
                actor,
                f"From {actor}",
                answered=answered,
                form_key=key if is_one_form else uuid.uuid4(),
            )
            outcomes.append("sent")
        except NewerMessages:
            outcomes.append("refused")
        finally:
            connections.close_all()

    people = [responder, responder if is_one_form else manager]
    threads = [threading.Thread(target=press, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(outcomes) == (["sent", "sent"] if is_one_form else ["refused", "sent"])
    assert Delivery.objects.count() == 1
    connection.close()


# --- at the moment of sending -------------------------------------------------------------------


def objection(sent: Message) -> str:
    assert sent.delivery is not None
    return handlers.refusal(sent.delivery, NOON + HOUR)


def test_an_answer_goes_out_where_nothing_happened_since(open_one: Conversation, answer: Answer) -> None:
    assert objection(answer(open_one)) == ""


def test_an_answer_is_stopped_by_what_came_in_on_its_way(
    take: Take, open_one: Conversation, answer: Answer
) -> None:
    sent = answer(open_one)
    take(comment("Never mind", thread="c-open", at=NOON + 10 * MINUTE), now=NOON + 11 * MINUTE)
    assert objection(sent) == StopReason.NEWER_MESSAGE


def test_an_answer_is_stopped_by_one_written_elsewhere(
    take: Take, open_one: Conversation, answer: Answer
) -> None:
    sent = answer(open_one)
    take(comment("By phone", by=US, thread="c-open", at=NOON + 10 * MINUTE), now=NOON + 11 * MINUTE)
    assert objection(sent) == StopReason.NEWER_MESSAGE


def test_a_colleague_who_adds_something_in_sight_of_it_stops_nothing(
    open_one: Conversation, answer: Answer, manager: User
) -> None:
    first = answer(open_one)
    second = answer(open_one, "And on Monday from nine", actor=manager)
    assert (objection(first), objection(second)) == ("", "")


def test_other_conversations_stop_nothing(take: Take, open_one: Conversation, answer: Answer) -> None:
    sent = answer(open_one)
    take(comment("Elsewhere", by=BEN), now=NOON + 11 * MINUTE)
    assert objection(sent) == ""


def test_the_page_of_an_answer_is_its_conversation(open_one: Conversation, answer: Answer) -> None:
    sent = answer(open_one)
    assert sent.delivery is not None
    assert handlers.page_of(sent.delivery) == f"/inbox/{open_one.pk}/"


# --- what was stopped ---------------------------------------------------------------------------


def test_a_stopped_answer_can_be_sent_after_all_by_somebody_who_has_seen_the_rest(
    take: Take, open_one: Conversation, answer: Answer, manager: User
) -> None:
    sent = answer(open_one)
    take(comment("Hello?", thread="c-open", at=NOON + 10 * MINUTE), now=NOON + 11 * MINUTE)
    ended(sent, DeliveryState.FAILED, error=StopReason.NEWER_MESSAGE)
    with pytest.raises(NewerMessages):
        replies.resend(message=sent, seen_number=2, actor=manager, now=NOON + HOUR)
    assert Delivery.objects.get().state == DeliveryState.FAILED
    again = replies.resend(message=sent, seen_number=3, actor=manager, now=NOON + HOUR)
    assert (again.pk, again.number, again.author) == (sent.pk, 4, manager)
    assert again.delivery is not None
    assert (again.delivery.state, again.delivery.scheduled_by) == ("scheduled", manager)
    assert objection(again) == ""


def test_resending_is_news_to_a_colleague_who_writes_at_the_same_time(
    open_one: Conversation, answer: Answer, responder: User, manager: User
) -> None:
    sent = answer(open_one)
    ended(sent, DeliveryState.FAILED, error=RejectReason.FORBIDDEN)
    replies.resend(message=sent, seen_number=2, actor=responder, now=NOON + HOUR)
    with pytest.raises(NewerMessages):
        send(open_one, manager, seen_number=2)


@pytest.mark.parametrize(
    "state", [s for s in DeliveryState if s not in (DeliveryState.FAILED, DeliveryState.MISSED)]
)
def test_only_what_was_stopped_can_be_sent_again_or_taken_back(
    open_one: Conversation, answer: Answer, responder: User, state: DeliveryState
) -> None:
    sent = answer(open_one)
    ended(sent, state, lease_until=NOON)
    with pytest.raises(NotWaiting):
        replies.resend(message=sent, seen_number=2, actor=responder, now=NOON + HOUR)
    with pytest.raises(NotWaiting):
        replies.take_back(message=sent, actor=responder, now=NOON + HOUR)
    assert Delivery.objects.get().state == state
    assert Message.objects.filter(pk=sent.pk, number=2).exists()


def test_a_stopped_answer_can_become_a_text_again(
    open_one: Conversation, answer: Answer, responder: User
) -> None:
    sent = answer(open_one, "From ten o'clock")
    ended(sent, DeliveryState.FAILED, error=StopReason.NEWER_MESSAGE)
    assert replies.take_back(message=sent, actor=responder, now=NOON + HOUR) == "From ten o'clock"
    assert Delivery.objects.get().state == DeliveryState.CANCELLED
    open_one.refresh_from_db()
    assert (open_one.messages.count(), open_one.preview, open_one.is_last_own) == (
        1,
        "Is it open on Sunday?",
        False,
    )
    # What was answered elsewhere meanwhile is not hidden from the next answer.
    assert open_one.last_number == 2


# --- what cannot be answered --------------------------------------------------------------------


def obstacle_of(conversation: Conversation, actor: User) -> Obstacle:
    with pytest.raises(CannotAnswer) as refusal:
        send(conversation, actor)
    assert not Delivery.objects.exists()
    return refusal.value.obstacle


def test_a_comment_that_is_gone_cannot_be_answered(open_one: Conversation, responder: User) -> None:
    with pytest.raises(CannotAnswer) as refusal:
        send(open_one, responder, answered=None)
    assert refusal.value.obstacle is Obstacle.NOTHING_LEFT


def test_an_account_that_is_lost_cannot_answer(open_one: Conversation, responder: User) -> None:
    SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT)
    assert obstacle_of(open_one, responder) is Obstacle.RECONNECT


def test_a_network_without_answers_cannot_answer(
    open_one: Conversation, responder: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PlatformInfo, "can", lambda _self, _capability: False)
    assert obstacle_of(open_one, responder) is Obstacle.NOT_SUPPORTED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", RejectReason.TEXT_EMPTY),
        (" \n ", RejectReason.TEXT_EMPTY),
        ("x" * 501, RejectReason.TEXT_TOO_LONG),
    ],
)
def test_a_text_that_the_network_does_not_take_is_refused_before_sending(
    open_one: Conversation, responder: User, text: str, reason: RejectReason
) -> None:
    with pytest.raises(DoesNotFit) as refusal:
        send(open_one, responder, text)
    assert [problem.reason for problem in refusal.value.problems] == [reason]
    nothing_sent(open_one, before=1)


def test_direct_messages_have_a_limit_of_their_own(take: Take, responder: User) -> None:
    take(message())
    assert send(Conversation.objects.get(), responder, "x" * 1500).delivery is not None


# --- links of a campaign ------------------------------------------------------------------------


@pytest.fixture
def campaign(sandbox_account: SocialAccount) -> Campaign:
    return Campaign.objects.create(
        brand=sandbox_account.brand,
        name="Spring",
        code="spring",
        objective=Objective.LEADS,
        starts_on=dt.date(2026, 3, 1),
        ends_on=dt.date(2026, 3, 31),
        currency="EUR",
        created_at=NOON,
    )


def test_links_become_tracked_links_of_the_campaign(
    open_one: Conversation, responder: User, campaign: Campaign
) -> None:
    sent = send(open_one, responder, "See https://shop.example/beans", campaign=campaign)
    link = TrackedLink.objects.get()
    assert (link.campaign, link.delivery, link.identity) == (campaign, sent.delivery, None)
    assert link.original_url == "https://shop.example/beans"
    assert link.code in sent.text
    assert sent.delivery is not None
    assert sent.delivery.payload["parts"][0]["text"] == sent.text


def test_a_link_tells_who_clicked_only_where_they_agreed(
    take: Take, responder: User, campaign: Campaign
) -> None:
    take(message(remote_id="m1"))
    row = Conversation.objects.get()
    assert row.identity is not None
    Consent.objects.create(
        identity=row.identity, purpose=Purpose.PERSONAL_LINKS, is_granted=True, source="asked", at=NOON
    )
    send(row, responder, "See https://shop.example/beans", campaign=campaign)
    assert TrackedLink.objects.get().identity == row.identity


def test_without_a_campaign_links_stay_as_they_are(open_one: Conversation, responder: User) -> None:
    sent = send(open_one, responder, "See https://shop.example/beans")
    assert sent.text == "See https://shop.example/beans"
    assert not TrackedLink.objects.exists()


def test_taken_back_links_are_those_that_were_typed(
    open_one: Conversation, responder: User, campaign: Campaign
) -> None:
    sent = send(open_one, responder, "See https://shop.example/beans", campaign=campaign)
    ended(sent, DeliveryState.FAILED, error=RejectReason.FORBIDDEN)
    assert replies.take_back(message=sent, actor=responder, now=NOON + HOUR) == (
        "See https://shop.example/beans"
    )


def test_a_refused_answer_makes_no_links(open_one: Conversation, responder: User, campaign: Campaign) -> None:
    with pytest.raises(DoesNotFit):
        send(open_one, responder, "x" * 600 + " https://shop.example/beans", campaign=campaign)
    assert not TrackedLink.objects.exists()
