"""The tick that looks at the schedule, and the work it hands out."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from outbox.leases import kept
from outbox.selectors import is_queue_filled
from outbox.services.claiming import claim_due, reap
from outbox.services.pauses import hold_blocked, release_held
from outbox.services.quiet import release_after_quiet
from outbox.services.readback import LOOKS_AT_ONCE, claim_unseen, read_back
from outbox.services.sending import send_deliveries

# A tick goes on claiming while there is a backlog, until just before the next one comes.
TICK_S = 0.9
# Between two claims of one tick, for the workers to take what was enqueued.
CLAIM_EVERY_S = 0.05


@shared_task(ignore_result=True)
def dispatch(**kwargs: Any) -> None:
    """Every second, and at once after "publish now": take back, hold, release, claim, enqueue.

    Any number of these may run at the same time.
    """
    until = time.monotonic() + TICK_S
    now = timezone.now()
    reap(now=now)
    release_held(now=now)
    release_after_quiet(now=now)
    hold_blocked(now=now)
    while True:
        claimed = claim_due(now=timezone.now())
        # One message for what one account is to send: a slow account keeps nobody else waiting, and a
        # backlog costs few messages.
        by_account: dict[UUID, dict[str, int]] = {}
        for claim in claimed:
            by_account.setdefault(claim.account_id, {})[str(claim.delivery_id)] = claim.fence
        for claims in by_account.values():
            publish.delay(claims=claims)
        if time.monotonic() >= until or (not claimed and not is_queue_filled()):
            break
        time.sleep(CLAIM_EVERY_S)


@shared_task(ignore_result=True)
def publish(*, claims: dict[str, int], **kwargs: Any) -> None:
    """Send claimed deliveries (id -> fence) of one account. A message that comes late or twice finds its
    fencing tokens used up."""
    claimed = {UUID(delivery_id): fence for delivery_id, fence in claims.items()}
    with kept(claimed):
        send_deliveries(claimed=claimed, clock=timezone.now)


@shared_task(ignore_result=True)
def look_for_sent(**kwargs: Any) -> None:
    """Every second: hand out the read-backs that are due, after a burst as many as there are."""
    until, is_more = time.monotonic() + TICK_S, True
    while is_more and time.monotonic() < until:
        claimed = claim_unseen(now=timezone.now())
        is_more = sum(map(len, claimed.values())) == LOOKS_AT_ONCE
        for account_id, delivery_ids in claimed.items():
            read_back_account.delay(
                account_id=str(account_id), delivery_ids=[str(delivery_id) for delivery_id in delivery_ids]
            )


@shared_task(ignore_result=True)
def read_back_account(*, account_id: str, delivery_ids: list[str], **kwargs: Any) -> None:
    """Look whether an account's newest posts are to be seen."""
    read_back(account_id=UUID(account_id), delivery_ids=[UUID(pk) for pk in delivery_ids], clock=timezone.now)
