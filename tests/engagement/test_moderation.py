"""Likes, hides and deletions go through the outbox, and the message says what came of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import AccountStatus, AuditEntry, SocialAccount, User
from connectors.base import Capability, InboxKind, ModerationAction, PlatformInfo
from connectors.errors import RejectReason
from engagement.models import Conversation, EpisodeEnd, Message, ModerationRequest, WaitEpisode
from engagement.services.moderation import NotPossibleHere, moderate
from engagement.services.settling import settle
from outbox.models import Delivery, DeliveryKind, DeliveryState
from tests.engagement.conftest import HOUR, MINUTE, NOON, US, comment, message

pytestmark = pytest.mark.django_db

Take = Callable[..., int]
LATER = NOON + 20 * MINUTE
A = ModerationAction


def ask(message: Message, action: ModerationAction, actor: User) -> ModerationRequest:
    return moderate(message=message, action=action, actor=actor, now=NOON + 10 * MINUTE)


def outcome(request: ModerationRequest, state: DeliveryState, **values: object) -> None:
    Delivery.objects.filter(pk=request.delivery_id).update(state=state, **values)
    settle(now=LATER)


@pytest.fixture
def received(open_one: Conversation) -> Message:
    return open_one.messages.get()


@pytest.mark.parametrize(
    ("there", "back", "flag"), [(A.LIKE, A.UNLIKE, "is_liked"), (A.HIDE, A.UNHIDE, "is_hidden")]
)
def test_it_is_so_once_the_network_has_done_it_and_can_be_taken_back(
    received: Message, responder: User, there: ModerationAction, back: ModerationAction, flag: str
) -> None:
    request = ask(received, there, responder)
    assert request.delivery.kind == DeliveryKind.MODERATION
    assert request.delivery.payload["moderation"] == {
        "action": there,
        "remote_id": "c-open",
        "detail": {"id": "c-open"},
    }
    received.refresh_from_db()
    assert not getattr(received, flag)
    outcome(request, DeliveryState.SENT)
    received.refresh_from_db()
    assert getattr(received, flag)
    outcome(ask(received, back, responder), DeliveryState.SENT)
    received.refresh_from_db()
    assert not getattr(received, flag)


def test_asked_twice_on_its_way_it_is_one_request(received: Message, responder: User, manager: User) -> None:
    assert ask(received, A.LIKE, responder) == ask(received, A.LIKE, manager)
    assert Delivery.objects.count() == 1


def test_another_thing_that_is_asked_meanwhile_is_one_request_of_its_own(
    received: Message, responder: User
) -> None:
    liked, hidden = ask(received, A.LIKE, responder), ask(received, A.HIDE, responder)
    assert (ask(received, A.LIKE, responder), ask(received, A.HIDE, responder)) == (liked, hidden)
    assert ask(received, A.UNLIKE, responder).action == A.UNLIKE  # taken back before it was done
    SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT)
    with pytest.raises(NotPossibleHere):
        ask(received, A.LIKE, responder)
    assert Delivery.objects.count() == 3


def test_what_the_network_refuses_is_said(received: Message, responder: User) -> None:
    request = ask(received, A.LIKE, responder)
    outcome(request, DeliveryState.FAILED, error=RejectReason.FORBIDDEN)
    request.refresh_from_db()
    received.refresh_from_db()
    assert (request.error, request.settled_at) == (RejectReason.FORBIDDEN, LATER)
    assert not received.is_liked


def test_a_comment_that_is_gone_is_marked_so(received: Message, responder: User) -> None:
    outcome(ask(received, A.HIDE, responder), DeliveryState.FAILED, error=RejectReason.NOT_FOUND)
    received.refresh_from_db()
    assert received.deleted_at == LATER
    assert WaitEpisode.objects.get().ended_how == EpisodeEnd.WITHDRAWN


def test_hiding_is_written_to_the_audit_log_and_liking_is_not(received: Message, responder: User) -> None:
    ask(received, A.LIKE, responder)
    outcome(ModerationRequest.objects.get(), DeliveryState.SENT)
    assert not AuditEntry.objects.filter(action__startswith="message.").exists()
    ask(received, A.HIDE, responder)
    entry = AuditEntry.objects.get(action="message.hidden")
    assert (entry.actor, entry.subject_id) == (responder, str(received.pk))


def test_a_network_that_cannot_is_not_asked(
    received: Message, responder: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PlatformInfo, "can", lambda _self, capability: capability is not Capability.HIDE)
    with pytest.raises(NotPossibleHere):
        ask(received, A.HIDE, responder)
    assert not Delivery.objects.exists()
    assert ask(received, A.LIKE, responder).action == A.LIKE


@pytest.mark.parametrize("action", [A.UNLIKE, A.UNHIDE])
def test_what_was_not_done_cannot_be_taken_back(
    received: Message, responder: User, action: ModerationAction
) -> None:
    with pytest.raises(NotPossibleHere):
        ask(received, action, responder)
    assert not Delivery.objects.exists()


def test_own_ones_private_ones_and_those_of_a_lost_account_are_left_alone(
    take: Take, received: Message, responder: User
) -> None:
    take(comment("Us", by=US, remote_id="own", thread="c-open", at=NOON + MINUTE), message(remote_id="m1"))
    for remote_id, action in (("own", A.LIKE), ("m1", A.LIKE), ("m1", A.HIDE)):
        with pytest.raises(NotPossibleHere):
            ask(Message.objects.get(remote_id=remote_id), action, responder)
    SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT)
    with pytest.raises(NotPossibleHere):
        ask(received, A.LIKE, responder)
    assert not Delivery.objects.exists()


def test_an_old_answer_of_the_network_does_not_undo_what_was_just_done(
    take: Take, received: Message, responder: User
) -> None:
    outcome(ask(received, A.HIDE, responder), DeliveryState.SENT)
    # Read a moment before the network had hidden it.
    take(comment(remote_id="c-open", is_hidden=False), now=LATER + MINUTE)
    received.refresh_from_db()
    assert received.is_hidden
    # Shown again by somebody at the network itself.
    take(comment(remote_id="c-open", is_hidden=False), now=LATER + 10 * MINUTE)
    received.refresh_from_db()
    assert not received.is_hidden


# --- deleting ---------------------------------------------------------------------------------


def test_a_deleted_comment_is_marked_so_and_nobody_waits_for_an_answer_to_it(
    received: Message, responder: User
) -> None:
    request = ask(received, A.DELETE, responder)
    assert request.delivery.kind == DeliveryKind.MODERATION
    assert request.delivery.payload["moderation"] == {
        "action": "delete",
        "remote_id": "c-open",
        "detail": {"id": "c-open"},
    }
    received.refresh_from_db()
    assert (received.deleted_at, received.conversation.waiting_since) == (None, NOON)
    outcome(request, DeliveryState.SENT)
    received = Message.objects.get(pk=received.pk)
    assert (received.deleted_at, received.text) == (LATER, "Is it open on Sunday?")
    assert (received.conversation.waiting_since, received.conversation.due_at) == (None, None)
    episode = WaitEpisode.objects.get()
    assert (episode.ended_at, episode.ended_how) == (LATER, EpisodeEnd.WITHDRAWN)
    with pytest.raises(NotPossibleHere):
        ask(received, A.DELETE, responder)


def test_who_wrote_again_still_waits_when_the_first_comment_is_deleted(
    take: Take, received: Message, responder: User
) -> None:
    take(comment("Hello?", remote_id="c-again", thread="c-open", at=NOON + MINUTE), now=NOON + 2 * MINUTE)
    outcome(ask(received, A.DELETE, responder), DeliveryState.SENT)
    assert Conversation.objects.get().waiting_since == NOON + MINUTE
    outcome(ask(Message.objects.get(remote_id="c-again"), A.DELETE, responder), DeliveryState.SENT)
    assert Conversation.objects.get().waiting_since is None


def test_while_a_deletion_is_on_its_way_nothing_else_is_asked_for(received: Message, responder: User) -> None:
    request = ask(received, A.DELETE, responder)
    assert ask(received, A.DELETE, responder) == request
    for action in (A.LIKE, A.HIDE):
        with pytest.raises(NotPossibleHere):
            ask(received, action, responder)
    assert Delivery.objects.count() == 1


def test_a_refused_deletion_leaves_everything_as_it_was(received: Message, responder: User) -> None:
    request = ask(received, A.DELETE, responder)
    outcome(request, DeliveryState.FAILED, error=RejectReason.FORBIDDEN)
    request.refresh_from_db()
    received.refresh_from_db()
    assert (request.error, received.deleted_at) == (RejectReason.FORBIDDEN, None)
    assert received.conversation.waiting_since == NOON
    assert ask(received, A.DELETE, responder) != request  # it may be tried again


def test_a_deletion_is_written_to_the_audit_log_when_it_is_asked_for(
    received: Message, responder: User
) -> None:
    ask(received, A.DELETE, responder)
    ask(received, A.DELETE, responder)
    entry = AuditEntry.objects.get(action="message.deleted")
    assert (entry.actor, entry.subject_id) == (responder, str(received.pk))


def test_only_others_comments_below_own_posts_are_deleted_and_only_where_the_network_can(
    take: Take, received: Message, responder: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(
        comment("Us", by=US, remote_id="own", thread="c-open", at=NOON + MINUTE),
        message(remote_id="m1"),
        comment("@harbour", kind=InboxKind.MENTION, remote_id="named", root_id=""),
    )
    for remote_id in ("own", "m1", "named"):
        with pytest.raises(NotPossibleHere):
            ask(Message.objects.get(remote_id=remote_id), A.DELETE, responder)
    monkeypatch.setattr(PlatformInfo, "can", lambda _self, one: one is not Capability.DELETE_COMMENT)
    with pytest.raises(NotPossibleHere):
        ask(received, A.DELETE, responder)
    assert not Delivery.objects.exists()


def test_a_network_that_still_tells_of_a_deleted_comment_does_not_bring_it_back(
    take: Take, received: Message, responder: User
) -> None:
    outcome(ask(received, A.DELETE, responder), DeliveryState.SENT)
    for later in (MINUTE, HOUR):
        take(comment(remote_id="c-open"), now=LATER + later)
        received.refresh_from_db()
        assert received.deleted_at == LATER
    assert Conversation.objects.get().waiting_since is None
