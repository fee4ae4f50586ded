from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import SocialAccount, User
from connectors.base import MessageTarget, Moderation, ModerationAction, ReplyTarget
from outbox.models import Delivery, DeliveryKind, DeliveryState
from outbox.payloads import PartContent, freeze_message, freeze_moderation, freeze_post, freeze_reply
from outbox.services.claiming import LEASE, claim_due, reap
from outbox.services.pauses import hold_blocked, release_held
from outbox.services.quiet import release_after_quiet
from outbox.services.scheduling import schedule_delivery
from outbox.services.sending import send_deliveries
from tests.outbox.network import Clock, Killed, Network

START = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _no_apps_above(monkeypatch: pytest.MonkeyPatch) -> None:
    """The outbox by itself: what apps above would object to is their tests' subject."""
    monkeypatch.setattr("outbox.handlers._checks", {})


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def network(clock: Clock) -> Network:
    return Network(clock)


@pytest.fixture
def schedule(sandbox_account: SocialAccount, manager: User, clock: Clock) -> Callable[..., Delivery]:
    """`schedule("text", "second part", due_in_s=0)` puts a post or thread into the outbox."""

    def put(
        *texts: str, due_in_s: float = 0, account: SocialAccount | None = None, **options: object
    ) -> Delivery:
        return schedule_delivery(
            account=account or sandbox_account,
            payload=freeze_post([PartContent(text) for text in texts or ("Hello",)]),
            due_at=clock() + dt.timedelta(seconds=due_in_s),
            actor=manager,
            now=clock(),
            **options,  # type: ignore[arg-type]
        )

    return put


@pytest.fixture
def answer(sandbox_account: SocialAccount, responder: User, clock: Clock) -> Callable[..., Delivery]:
    """`answer(DeliveryKind.REPLY, "Thanks", to="comment-1")`: a responder answers, or likes it."""

    def put(
        kind: DeliveryKind,
        text: str = "Thanks",
        *,
        to: str = "comment-1",
        actor: User | None = None,
        **more: Any,
    ) -> Delivery:
        payload = {
            DeliveryKind.REPLY: lambda: freeze_reply(text, ReplyTarget(to)),
            DeliveryKind.DM: lambda: freeze_message(text, MessageTarget(to)),
            DeliveryKind.MODERATION: lambda: freeze_moderation(Moderation(ModerationAction.LIKE, to)),
        }[kind]()
        return schedule_delivery(
            account=more.pop("account", sandbox_account),
            payload=more.pop("payload", payload),
            due_at=more.pop("due_at", clock()),
            actor=actor or responder,
            now=clock(),
            kind=kind,
            **more,
        )

    return put


def tick(network: Network) -> int:
    """One round of the dispatcher with workers that take everything; returns how many were sent to work."""
    now = network.clock()
    reap(now=now)
    release_held(now=now)
    release_after_quiet(now=now)
    hold_blocked(now=now)
    claimed = claim_due(now=now)
    for claim in claimed:
        try:
            send_deliveries(
                claimed={claim.delivery_id: claim.fence}, clock=network.clock, connect=network.connector
            )
        except Killed:
            continue
    return len(claimed)


def run_until_quiet(network: Network, *, hours: float = 30) -> None:
    """Tick through time, jumping to whatever is due next, until nothing is left to do by itself."""
    end = network.clock() + dt.timedelta(hours=hours)
    while network.clock() < end:
        tick(network)
        waiting = Delivery.objects.filter(
            state__in=[DeliveryState.SCHEDULED, DeliveryState.PROCESSING]
        ).order_by("next_attempt_at")
        if first := waiting.first():
            network.clock.now = max(network.clock() + dt.timedelta(seconds=1), first.next_attempt_at)
        elif Delivery.objects.filter(state__in=[DeliveryState.CLAIMED, DeliveryState.SENDING]).exists():
            network.clock.advance(LEASE.total_seconds() + 1)
        else:
            return
