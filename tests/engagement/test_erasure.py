"""Somebody wants to be forgotten: the words go, the counts stay."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core import serializers

from accounts.models import SocialAccount, User
from audience import erasers
from audience.models import Identity
from connectors.base import InboxKind, ModerationAction
from engagement.models import Conversation, Message, Note, WaitEpisode
from engagement.services import intake
from engagement.services.erasure import erase
from engagement.services.moderation import moderate
from engagement.services.replies import CannotAnswer, Obstacle, objection
from engagement.services.settling import settle
from engagement.services.triage import add_note
from outbox.errors import StopReason
from outbox.models import Attempt, Delivery, DeliveryState, ReceiptEvent
from tests.engagement.conftest import (
    BEN,
    DAY,
    MINUTE,
    NOON,
    US,
    YUKI,
    comment,
    ended,
    message,
    root,
)

pytestmark = pytest.mark.django_db

Take = Callable[..., int]
Answer = Callable[..., Message]
LATER = NOON + DAY


def forget(profile: Any = YUKI) -> dict[str, int]:
    ids = list(Identity.objects.filter(remote_id=profile.remote_id).values_list("pk", flat=True))
    return dict(erase(ids, LATER))


def everything() -> str:
    """All that this app and the outbox keep, as text."""
    rows = [
        row
        for model in (Conversation, Message, Note, WaitEpisode, Delivery, Attempt, ReceiptEvent)
        for row in model._default_manager.all()
    ]
    return json.dumps(json.loads(serializers.serialize("json", rows)), ensure_ascii=False)


def test_the_app_is_asked_when_a_contact_is_erased() -> None:
    assert erasers.registered()["engagement"] is erase


def test_nothing_of_their_words_names_and_ids_is_left(
    take: Take, answer: Answer, sandbox_account: SocialAccount, responder: User
) -> None:
    take(message("My number is 0170 555", remote_id="m-secret"))
    row = Conversation.objects.get()
    sent = answer(row, "Dear Yuki, we call you")
    delivery = ended(sent, remote_id="r-secret")
    Attempt.objects.create(
        delivery=delivery,
        step="part0.publish",
        key=delivery.pk,
        fence=1,
        fingerprint="x",
        intent={"text": "Dear Yuki, we call you"},
        result={"remote_id": "r-secret"},
        started_at=NOON,
    )
    settle(now=NOON + 12 * MINUTE)
    add_note(conversation=row, text="Yuki is a good customer", actor=responder, now=NOON)
    assert {"0170", "Dear Yuki", "m-secret", "r-secret", "u-yuki", "good customer"} <= {
        word
        for word in ("0170", "Dear Yuki", "m-secret", "r-secret", "u-yuki", "good customer")
        if word in everything()
    }
    done = forget()
    left = everything()
    for word in ("0170", "Yuki", "yuki", "m-secret", "r-secret", "good customer"):
        assert word not in left, word
    assert done == {"messages": 2, "conversations": 1, "notes": 1, "deliveries": 1}


def test_counts_times_and_waiting_stay(take: Take, answer: Answer) -> None:
    take(comment(remote_id="c1"))
    sent = answer(Conversation.objects.get())
    ended(sent)
    settle(now=NOON + 12 * MINUTE)
    before = list(WaitEpisode.objects.values_list("started_at", "ended_at", "calendar_s", "business_s"))
    keys = set(Message.objects.values_list("remote_key", "number", "written_at"))
    forget()
    after = list(WaitEpisode.objects.values_list("started_at", "ended_at", "calendar_s", "business_s"))
    assert after == before
    assert set(Message.objects.values_list("remote_key", "number", "written_at")) == keys


def test_reading_the_network_again_brings_nothing_back(take: Take) -> None:
    item = comment("Call me on 0170 555")
    take(item)
    forget()
    assert take(item, now=LATER + MINUTE) == 0
    kept = Message.objects.get()
    assert (kept.text, kept.remote_id, kept.search_text, kept.search_grams) == ("", "", "", [])
    assert kept.erased_at == LATER


def test_others_in_the_same_conversation_keep_their_words(take: Take, answer: Answer) -> None:
    take(
        comment("Ben asks", by=BEN, remote_id="c1", thread="c1"),
        comment("Yuki asks", thread="c1", remote_id="c2", at=NOON + MINUTE),
    )
    row = Conversation.objects.get()
    to_ben = answer(row, "Dear Ben", answered=row.messages.get(remote_id="c1"))
    row.refresh_from_db()
    to_yuki = answer(row, "Dear Yuki", answered=row.messages.get(remote_id="c2"))
    for sent in (to_ben, to_yuki):
        ended(sent)
    settle(now=NOON + 12 * MINUTE)
    forget()
    assert sorted(Message.objects.values_list("text", flat=True)) == ["", "", "Ben asks", "Dear Ben"]
    row.refresh_from_db()
    assert row.preview == ""  # the newest words were an answer to Yuki


def test_an_answer_that_has_not_gone_out_is_not_sent_any_more(take: Take, answer: Answer) -> None:
    take(comment())
    answer(Conversation.objects.get(), "Dear Yuki")
    forget()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.payload) == (DeliveryState.CANCELLED, {"parts": [], "language": ""})


def test_an_answer_that_is_being_sent_is_blanked_when_it_is_over(take: Take, answer: Answer) -> None:
    take(comment())
    sent = answer(Conversation.objects.get(), "Dear Yuki")
    ended(sent, DeliveryState.SENDING, lease_until=LATER)
    forget()
    assert Delivery.objects.get().payload["parts"][0]["text"] == "Dear Yuki"
    ended(sent)
    settle(now=LATER + MINUTE)
    assert "Dear Yuki" not in everything()
    kept = Message.objects.get(pk=sent.pk)
    assert (kept.remote_id, kept.permalink, kept.sent_at) == ("", "", NOON + 11 * MINUTE)


def test_likes_and_hides_lose_the_id_they_were_about(take: Take, responder: User) -> None:
    take(comment(remote_id="c-secret"))
    request = moderate(message=Message.objects.get(), action=ModerationAction.HIDE, actor=responder, now=NOON)
    Delivery.objects.filter(pk=request.delivery_id).update(state=DeliveryState.SENT)
    settle(now=NOON + MINUTE)
    forget()
    assert "c-secret" not in everything()


def test_a_mention_loses_the_post_it_was_made_in(take: Take) -> None:
    take(comment(kind=InboxKind.MENTION, root=root("Yuki's own post", "x1"), root_id="x1"))
    forget()
    assert Conversation.objects.get().post_snapshot == {}


def test_who_writes_again_is_somebody_new(take: Take) -> None:
    take(message("Old words", remote_id="m1"))
    old = Identity.objects.get()
    forget()
    # What audience does with the identity itself.
    Identity.objects.update(remote_id="", remote_key="", erased_at=LATER)
    take(message("New words", remote_id="m2", at=LATER + MINUTE), now=LATER + MINUTE)
    new = Message.objects.get(remote_id="m2")
    assert new.identity_id != old.pk
    assert new.conversation.preview == "New words"
    assert new.conversation.thread_id == "u-yuki"


def test_an_answer_that_a_worker_has_taken_is_not_sent_any_more(take: Take, answer: Answer) -> None:
    take(comment())
    sent = answer(Conversation.objects.get(), "Dear Yuki")
    delivery = ended(sent, DeliveryState.CLAIMED, lease_until=LATER)
    forget()
    assert objection(delivery, LATER) == StopReason.GONE_AT_NETWORK


def test_an_edit_that_is_read_during_an_erasure_brings_no_words_back(
    take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(comment("My number is 0170", remote_id="c1"))
    waiting_for_locks = intake._locked

    def locked(*given: Any) -> Any:
        forget()  # commits while the page waits for the conversation
        return waiting_for_locks(*given)

    monkeypatch.setattr(intake, "_locked", locked)
    take(comment("My number is 0170 555", remote_id="c1"), now=LATER + MINUTE)
    kept = Message.objects.get()
    assert (kept.text, kept.search_text, kept.search_grams) == ("", "", [])
    assert Conversation.objects.get().preview == ""


def test_nobody_is_answered_who_was_erased_since_the_page_was_shown(take: Take, answer: Answer) -> None:
    take(comment(detail={"mention": "@yuki"}))
    seen = Message.objects.select_related("identity").get()
    forget()
    with pytest.raises(CannotAnswer) as refusal:
        answer(Conversation.objects.get(), "Dear Yuki", answered=seen)
    assert refusal.value.obstacle is Obstacle.NOTHING_LEFT
    assert not Delivery.objects.exists()
    assert Message.objects.count() == 1


def test_what_others_write_below_brings_nothing_back(take: Take) -> None:
    post = root("Yuki's own post", "x1")
    take(comment(kind=InboxKind.MENTION, root=post, root_id="x1", remote_id="c-yuki"))
    forget()
    Identity.objects.update(remote_id="", remote_key="", erased_at=LATER)
    below = comment("Me too", by=BEN, kind=InboxKind.MENTION, root=post, root_id="x1", thread="c-yuki")
    take(below, now=LATER + MINUTE)
    row = Conversation.objects.get()
    assert (row.thread_id, row.post_snapshot, row.preview) == ("", {}, "Me too")


def test_who_writes_again_privately_is_the_person_of_the_conversation(take: Take) -> None:
    take(message("Old words", remote_id="m1"))
    forget()
    Identity.objects.update(remote_id="", remote_key="", erased_at=LATER)
    take(message("New words", remote_id="m2", at=LATER + MINUTE), now=LATER + MINUTE)
    row = Conversation.objects.get()
    assert row.identity is not None
    assert row.identity.remote_id == "u-yuki"
    # And is forgotten again as a whole.
    forget()
    assert "u-yuki" not in everything()


def test_an_echo_of_an_answer_that_was_sent_just_before_is_known(take: Take, answer: Answer) -> None:
    take(message(remote_id="m1"))
    sent = answer(Conversation.objects.get(), "Dear Yuki")
    ended(sent, remote_id="m2")
    forget()  # before its end was settled
    Identity.objects.update(remote_id="", remote_key="", erased_at=LATER)
    settle(now=LATER + MINUTE)
    assert take(message("Dear Yuki", by=US, remote_id="m2", at=NOON + 11 * MINUTE), now=LATER + MINUTE) == 0
    assert Message.objects.count() == 2
    assert Identity.objects.count() == 1
    kept = Message.objects.get(pk=sent.pk)
    assert (kept.text, kept.remote_id, kept.sent_at) == ("", "", NOON + 11 * MINUTE)
