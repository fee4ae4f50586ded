"""Our own answers as the network tells them back: none is there twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engagement.models import Conversation, EpisodeEnd, Message, WaitEpisode
from engagement.services.settling import settle
from outbox.models import Delivery, DeliveryState
from tests.engagement.conftest import HOUR, MINUTE, NOON, US, comment, ended, message

pytestmark = pytest.mark.django_db

Take = Callable[..., int]
Answer = Callable[..., Message]
LATER = NOON + 20 * MINUTE


def echo(text: str = "Yes, from ten", remote_id: str = "r2", **given: object) -> object:
    return comment(text, by=US, remote_id=remote_id, thread="c-open", at=NOON + 11 * MINUTE, **given)


def ours() -> list[Message]:
    return list(Message.objects.filter(direction="out"))


def test_an_answer_that_was_settled_before_is_known_by_its_id(
    take: Take, open_one: Conversation, answer: Answer
) -> None:
    ended(answer(open_one))
    settle(now=NOON + 12 * MINUTE)
    assert take(echo("Rendered otherwise"), now=LATER) == 0
    assert [m.text for m in ours()] == ["Yes, from ten"]


def test_an_answer_whose_end_was_not_read_yet_is_known_by_the_id_that_its_delivery_has(
    take: Take, open_one: Conversation, answer: Answer
) -> None:
    sent = answer(open_one)
    ended(sent)
    assert take(echo("Rendered otherwise"), now=LATER) == 0
    (kept,) = ours()
    assert (kept.pk, kept.remote_id, kept.text) == (sent.pk, "r2", "Yes, from ten")
    assert WaitEpisode.objects.get().ended_how == EpisodeEnd.ANSWERED


@pytest.mark.parametrize("state", [DeliveryState.SENDING, DeliveryState.PROCESSING])
def test_an_answer_on_its_way_is_known_by_its_words(
    take: Take, open_one: Conversation, answer: Answer, state: DeliveryState
) -> None:
    sent = answer(open_one, "Yes,  from ten")
    ended(sent, state, lease_until=LATER)
    assert take(echo(), now=LATER) == 0
    (kept,) = ours()
    assert (kept.pk, kept.remote_id) == (sent.pk, "r2")
    episode = WaitEpisode.objects.get()
    assert (episode.ended_how, episode.ended_by) == (EpisodeEnd.ANSWERED, kept)
    ended(sent, sent_at=NOON + 11 * MINUTE)
    settle(now=LATER)
    assert len(ours()) == 1
    assert Message.objects.get(pk=sent.pk).settled_at == LATER


def test_an_answer_whose_outcome_nobody_knows_is_cleared_up_when_it_is_seen(
    take: Take, open_one: Conversation, answer: Answer
) -> None:
    sent = answer(open_one)
    ended(sent, DeliveryState.UNCERTAIN)
    take(echo(), now=LATER)
    assert Delivery.objects.get().state == DeliveryState.SENT
    assert len(ours()) == 1
    settle(now=LATER + MINUTE)
    assert WaitEpisode.objects.get().ended_how == EpisodeEnd.ANSWERED


def test_the_same_words_twice_are_two_answers_and_two_echoes(
    take: Take, open_one: Conversation, answer: Answer
) -> None:
    first, second = answer(open_one, "Yes"), answer(open_one, "Yes")
    for one in (first, second):
        ended(one, DeliveryState.SENDING, lease_until=LATER)
    take(echo("Yes", "r1"), now=LATER)
    take(echo("Yes", "r9"), now=LATER)
    kept = {m.pk: m.remote_id for m in ours()}
    assert kept == {first.pk: "r1", second.pk: "r9"}


@pytest.mark.parametrize(
    "state", [DeliveryState.SCHEDULED, DeliveryState.FAILED, DeliveryState.MISSED, DeliveryState.CANCELLED]
)
def test_the_same_words_are_somebody_elses_while_ours_has_not_begun(
    take: Take, open_one: Conversation, answer: Answer, state: DeliveryState
) -> None:
    ended(answer(open_one), state)
    assert take(echo(), now=LATER) == 1
    assert len(ours()) == 2


def test_the_same_words_in_another_conversation_are_not_ours(
    take: Take, open_one: Conversation, answer: Answer
) -> None:
    ended(answer(open_one), DeliveryState.SENDING, lease_until=LATER)
    take(comment("Yes, from ten", by=US, remote_id="r9", thread="elsewhere"), now=LATER)
    assert {m.remote_id for m in ours()} == {"", "r9"}


def test_an_echo_that_came_first_and_reads_differently_is_merged_when_its_id_is_known(
    take: Take, open_one: Conversation, answer: Answer
) -> None:
    sent = answer(open_one)
    ended(sent, DeliveryState.SENDING, lease_until=LATER)
    take(echo("Yes, from ten (shortened by the network)"), now=LATER)
    assert len(ours()) == 2
    ended(sent, sent_at=NOON + 11 * MINUTE)
    settle(now=LATER)
    (kept,) = ours()
    assert (kept.pk, kept.remote_id, kept.text) == (sent.pk, "r2", "Yes, from ten")
    episode = WaitEpisode.objects.get()
    assert (episode.ended_how, episode.ended_by, episode.answered_by) == (
        EpisodeEnd.ANSWERED,
        kept,
        kept.author,
    )
    assert take(echo("Yes, from ten (shortened by the network)"), now=LATER + HOUR) == 0


def test_direct_messages_are_recognised_too(take: Take, answer: Answer) -> None:
    take(message(remote_id="m1"))
    sent = answer(Conversation.objects.get(), "Hello Yuki")
    ended(sent, DeliveryState.SENDING, lease_until=LATER)
    assert take(message("Hello Yuki", by=US, remote_id="m2", at=NOON + 11 * MINUTE), now=LATER) == 0
    assert [m.remote_id for m in ours()] == ["m2"]
