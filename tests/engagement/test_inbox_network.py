"""The whole way against a real server: a customer writes on the sandbox network, is answered here, and reads
the answer there, once."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Credential, SocialAccount, User
from connectors.base import ModerationAction
from core.crypto import encrypt_json
from engagement.models import Conversation, EpisodeEnd, InboxPull, Message, WaitEpisode
from engagement.services import collection
from engagement.services.moderation import moderate
from engagement.services.replies import send_reply
from engagement.services.settling import settle
from outbox.models import Delivery, DeliveryKind, DeliveryState
from outbox.services.claiming import claim_due
from outbox.services.sending import send_deliveries
from sandbox.control import SandboxControl

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def account(sandbox: SandboxControl, sandbox_account: SocialAccount) -> SocialAccount:
    """Connected for real."""
    tokens = sandbox.account(sandbox_account.handle)
    secret = {"access_token": tokens.access_token, "refresh_token": tokens.refresh_token}
    Credential.objects.filter(account=sandbox_account).update(secret=encrypt_json(secret))
    return sandbox_account


@pytest.fixture
def post_id(sandbox: SandboxControl, account: SocialAccount) -> str:
    now = timezone.now()
    ((remote_id, *_parts),) = sandbox.seed_posts(
        account.handle, [{"text": "New beans are here", "at": now.isoformat()}]
    )
    Delivery.objects.create(
        brand=account.brand,
        account=account,
        kind=DeliveryKind.POST,
        payload={"parts": [{"text": "New beans are here", "media": []}], "language": "en"},
        due_at=now,
        next_attempt_at=now,
        state=DeliveryState.SENT,
        sent_at=now,
        remote_id=remote_id,
    )
    return remote_id


def collect() -> None:
    """One round of the inbox, whatever its time."""
    now = timezone.now()
    collection.discover_accounts(now=now)
    InboxPull.objects.update(next_at=now, blocked_until=None, claimed_until=None)
    for account_id in collection.claim_accounts(now=now):
        collection.collect_account(account_id=account_id, now=now)
    assert set(InboxPull.objects.values_list("error", flat=True)) <= {""}


def deliver() -> None:
    """The outbox sends what is due, and the inbox reads what became of it."""
    for claim in claim_due(now=timezone.now()):
        send_deliveries(claimed={claim.delivery_id: claim.fence}, clock=timezone.now)
    settle(now=timezone.now())


def answer(row: Conversation, actor: User, text: str, **given: Any) -> Message:
    row.refresh_from_db()
    received = row.messages.answerable().select_related("identity").order_by("-number").first()
    return send_reply(
        conversation=row,
        text=text,
        **{
            "answered": received,
            "seen_number": row.last_number,
            "form_key": uuid.uuid4(),
            "actor": actor,
            "now": timezone.now(),
        }
        | given,
    )


def comments_of(sandbox: SandboxControl, post_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.call("GET", f"/api/v1/posts/{post_id}/comments")["comments"]
    return found


def test_a_comment_is_answered_below_the_post_once(
    sandbox: SandboxControl, account: SocialAccount, post_id: str, responder: User
) -> None:
    sandbox.act("comment", by="Ana", post=post_id, text="Do you grind them, too?")
    collect()
    row = Conversation.objects.get()
    assert (row.kind, row.state, row.delivery.remote_id if row.delivery else "") == (
        "comment",
        "open",
        post_id,
    )
    assert row.identity is not None
    assert row.identity.display_name == "Ana"
    sent = answer(row, responder, "Of course, for every kind of machine.")
    deliver()
    sent.refresh_from_db()
    assert sent.remote_id
    assert WaitEpisode.objects.get().ended_how == EpisodeEnd.ANSWERED
    texts = [one["text"] for one in comments_of(sandbox, post_id)]
    assert texts.count("Of course, for every kind of machine.") == 1
    collect()  # the network tells our own answer back
    collect()
    assert row.messages.count() == 2
    assert sandbox.summary()["duplicates"] == 0


def test_a_direct_message_is_answered_privately(
    sandbox: SandboxControl, account: SocialAccount, responder: User
) -> None:
    sandbox.act("message", by="Ana", to=account.handle, text="Where is my parcel?")
    collect()
    row = Conversation.objects.get()
    assert (row.kind, row.delivery) == ("dm", None)
    answer(row, responder, "It arrives on Monday.")
    deliver()
    collect()
    assert [m.text for m in row.messages.order_by("number")] == [
        "Where is my parcel?",
        "It arrives on Monday.",
    ]
    assert Delivery.objects.get().state == DeliveryState.SENT


def test_an_answer_whose_call_broke_off_is_there_once(
    sandbox: SandboxControl, account: SocialAccount, post_id: str, responder: User
) -> None:
    sandbox.act("comment", by="Ana", post=post_id, text="Do you ship?")
    collect()
    sandbox.fault("drop_after_accept", endpoint="publish", times=1)
    row = Conversation.objects.get()
    answer(row, responder, "We do.")
    deliver()
    assert Delivery.objects.get(kind=DeliveryKind.REPLY).state == DeliveryState.SCHEDULED  # nobody knows yet
    collect()  # the echo comes before the outbox has cleared it up
    assert row.messages.count() == 2
    Delivery.objects.filter(kind=DeliveryKind.REPLY).update(next_attempt_at=timezone.now())
    deliver()
    collect()
    assert Delivery.objects.get(kind=DeliveryKind.REPLY).state == DeliveryState.SENT
    assert row.messages.count() == 2
    assert [one["text"] for one in comments_of(sandbox, post_id)].count("We do.") == 1


def test_a_comment_that_is_deleted_meanwhile_is_said_and_nothing_is_lost(
    sandbox: SandboxControl, account: SocialAccount, post_id: str, responder: User
) -> None:
    comment_id = sandbox.act("comment", by="Ana", post=post_id, text="Oh, forget it")
    collect()
    row = Conversation.objects.get()
    sandbox.act("delete", by="Ana", post=comment_id)
    sent = answer(row, responder, "What was it?")
    deliver()
    sent.refresh_from_db()
    assert sent.delivery is not None
    assert sent.delivery.state == DeliveryState.FAILED
    assert sent.text == "What was it?"
    received = row.messages.get(direction="in")
    assert received.deleted_at is not None
    assert received.text == "Oh, forget it"
    assert WaitEpisode.objects.get().ended_how == EpisodeEnd.WITHDRAWN


def test_a_customer_who_writes_while_the_answer_waits_stops_it(
    sandbox: SandboxControl, account: SocialAccount, post_id: str, responder: User
) -> None:
    comment_id = sandbox.act("comment", by="Ana", post=post_id, text="Open today?")
    collect()
    row = Conversation.objects.get()
    answer(row, responder, "Until six.")
    sandbox.act("comment", by="Ana", post=comment_id, text="Ah, I see it now")
    collect()
    deliver()
    delivery = Delivery.objects.get(kind=DeliveryKind.REPLY)
    assert (delivery.state, delivery.error) == (DeliveryState.FAILED, "newer_message")
    assert "Until six." not in [one["text"] for one in comments_of(sandbox, post_id)]


def test_likes_and_hides_arrive(
    sandbox: SandboxControl, account: SocialAccount, post_id: str, responder: User
) -> None:
    sandbox.act("comment", by="Ana", post=post_id, text="Buy followers here")
    collect()
    received = Message.objects.get()
    for action in (ModerationAction.LIKE, ModerationAction.HIDE):
        moderate(message=received, action=action, actor=responder, now=timezone.now())
        deliver()
    received.refresh_from_db()
    assert (received.is_liked, received.is_hidden) == (True, True)
    assert "Buy followers here" not in [one["text"] for one in comments_of(sandbox, post_id)]


def test_a_deletion_arrives_and_its_author_no_longer_waits(
    sandbox: SandboxControl, account: SocialAccount, post_id: str, responder: User
) -> None:
    sandbox.act("comment", by="Ana", post=post_id, text="Buy followers here")
    collect()
    received = Message.objects.get()
    moderate(message=received, action=ModerationAction.DELETE, actor=responder, now=timezone.now())
    deliver()
    received.refresh_from_db()
    assert received.deleted_at is not None
    assert WaitEpisode.objects.get().ended_how == EpisodeEnd.WITHDRAWN
    assert comments_of(sandbox, post_id) == []
