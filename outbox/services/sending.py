"""Sending claimed deliveries: the loop of docs/architecture.md, "Publishing", steps 2 to 5.

For every step of the connector's plan:

1. an Attempt with the frozen intent is committed, and only then is the network called, outside any
   transaction;
2. the answer is committed before the next step starts, so a crash resumes in the middle of a thread;
3. an open Attempt found at the start (its worker died, or the connection broke) is cleared up by
   ``outbox.services.unknown`` before anything is sent again;
4. each of the connector's five errors decides what comes next.

Every write names the fencing token; a worker whose token is old stops with LeaseLost.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import InterfaceError, OperationalError, transaction

from accounts.connecting import amounts_of, connector_for
from accounts.models import SocialAccount
from connectors.base import Connector, Step, StepKind, StepResult
from connectors.errors import ConnectorError
from outbox.errors import StopReason
from outbox.handlers import WAITS, refusal
from outbox.models import (
    Attempt,
    AttemptState,
    Delivery,
    DeliveryKind,
    DeliveryState,
    HeldReason,
    MissedPolicy,
    ReceiptKind,
)
from outbox.payloads import fingerprint, result_from_json, thaw
from outbox.selectors import AccountFacts, account_facts, may_still_send
from outbox.services.claiming import LEASE
from outbox.services.outcomes import (
    OPEN,
    Clock,
    Run,
    Stopped,
    after_a_bug,
    attempt_of_moved,
    enter_sending,
    fail,
    finish,
    handle_error,
    handle_refusal,
    hold,
    insert_attempt,
    settle,
    stop,
    wait,
)
from outbox.services.rates import blocked_until, not_blocked, take
from outbox.services.transitions import LeaseLost, note
from outbox.services.unknown import clear_up
from outbox.services.usage import heeding

logger = logging.getLogger(__name__)

Connect = Callable[[SocialAccount], Connector]

# How long a worker trusts what it has read of the account's pause, limits and people.
FACTS_GOOD_FOR = dt.timedelta(seconds=1)


# How long a delivery waits for what an app above still prepares, before it is asked again.
ASK_AGAIN = dt.timedelta(seconds=15)
SENDERS_KEPT = 1000
_senders: dict[tuple[str, UUID, int | None], tuple[dt.datetime, bool]] = {}


@dataclass(slots=True)
class Desk:
    """What one worker knows while it sends deliveries of one account, read anew when it may have changed."""

    account: SocialAccount
    clock: Clock
    connect: Connect
    connector: Connector | None = None
    facts: AccountFacts | None = None
    read_at: dt.datetime | None = None

    def look_up(self) -> AccountFacts:
        now = self.clock()
        if self.facts is None or self.read_at is None or now - self.read_at > FACTS_GOOD_FOR:
            self.facts, self.read_at = account_facts(self.account.pk, now=now), now
        return self.facts

    def may_send(self, delivery: Delivery) -> bool:
        """Whether its author may send such a thing for the brand, by what was true at most a second ago."""
        now, key = self.clock(), (delivery.kind, delivery.brand_id, delivery.scheduled_by_id)
        read_at, answer = _senders.get(key, (None, False))
        if read_at is None or not dt.timedelta(0) <= now - read_at <= FACTS_GOOD_FOR:
            if len(_senders) > SENDERS_KEPT:
                _senders.clear()
            answer = may_still_send(delivery)
            _senders[key] = (now, answer)
        return answer

    def forget(self) -> None:
        """Something went wrong: the next delivery starts from what is true then."""
        self.connector = self.facts = None


def send_deliveries(
    *, claimed: Mapping[UUID, int], clock: Clock, connect: Connect = connector_for
) -> dict[UUID, DeliveryState]:
    """Do everything that can be done now for claimed deliveries (id -> fence) of one account, in their order.

    Returns the state that each was left in. Those whose token is old are absent: the message was late, and
    somebody else has the row.
    """
    rows = {
        row.pk: row
        # By id alone, as in ``transitions``: the index on claimed rows is the wrong one in a burst.
        for row in Delivery.objects.filter(pk__in=claimed).select_related("account__brand__organization")
        if row.fence == claimed[row.pk] and row.state == DeliveryState.CLAIMED
    }
    attempts = _latest_attempts([pk for pk in rows if claimed[pk] > 1])
    left: dict[UUID, DeliveryState] = {}
    desk: Desk | None = None
    for delivery in (rows[pk] for pk in claimed if pk in rows):
        if desk is None or desk.account.pk != delivery.account_id:
            desk = Desk(delivery.account, clock, connect)
        delivery.account = desk.account
        with heeding(desk.account, clock=clock, is_reading=False):
            state = _send_one(desk, delivery, claimed[delivery.pk], attempts.get(delivery.pk, {}))
        if state is not None:
            left[delivery.pk] = state
        if state is not DeliveryState.SENT:
            desk.forget()
    return left


def _send_one(
    desk: Desk, delivery: Delivery, fence: int, attempts: dict[str, Attempt]
) -> DeliveryState | None:
    try:
        if not _has_begun(attempts) and not _may_start(desk, delivery, fence, attempts):
            return DeliveryState(delivery.state)
        run = _open(desk, delivery, fence, attempts)
        for step in run.steps:
            run.done[step.key] = _carry_out(run, step)
        if delivery.state != DeliveryState.SENT:  # every step had been done before this worker came
            enter_sending(run)
            finish(run, run.clock())
    except Stopped:
        pass
    except LeaseLost:
        logger.info("delivery %s belongs to another worker now", delivery.pk)
        return None
    except (OperationalError, InterfaceError):
        raise  # without the database nothing can be said: what is left of the batch is taken back
    except Exception as error:
        logger.exception("delivery %s stopped by an error that nobody foresaw", delivery.pk)
        return _after_a_bug(desk, delivery, fence, error)
    return DeliveryState(delivery.state)


def _after_a_bug(desk: Desk, delivery: Delivery, fence: int, error: Exception) -> DeliveryState | None:
    """The rest of the batch goes on, whatever happened to this one."""
    try:
        after_a_bug(delivery, fence, desk.clock(), error)
    except LeaseLost:
        return None
    return DeliveryState(delivery.state)


def _latest_attempts(ids: list[UUID]) -> dict[UUID, dict[str, Attempt]]:
    """The latest attempt of each step. The first claim of a row finds none, so only later ones are asked."""
    found: dict[UUID, dict[str, Attempt]] = {}
    if ids:
        for attempt in Attempt.objects.filter(delivery_id__in=ids).order_by("pk"):
            found.setdefault(attempt.delivery_id, {})[attempt.step] = attempt
    return found


def _has_begun(attempts: dict[str, Attempt]) -> bool:
    """Whether anything of it is visible at the network, or may be: then it is brought to its end. (A like or
    a hide that may have been carried out is simply asked for again, if that is still wanted.)"""
    return any(
        attempt.state in (*OPEN, AttemptState.DONE) and attempt.step.endswith(StepKind.PUBLISH)
        for attempt in attempts.values()
    )


def _may_start(desk: Desk, delivery: Delivery, fence: int, attempts: dict[str, Attempt]) -> bool:
    """Step 2, re-check the world: the time, pauses, who scheduled it, what apps above say, the limits."""
    account, facts, now = desk.account, desk.look_up(), desk.clock()
    # Asking for what the network still works on, or going on after it, sends nothing more.
    is_counted = any(attempt.state in (*OPEN, AttemptState.DONE) for attempt in attempts.values())
    if now - delivery.due_at > dt.timedelta(seconds=delivery.missed_after_s):
        asks = delivery.missed_policy == MissedPolicy.ASK
        why = StopReason.TOO_LATE if asks else StopReason.SKIPPED
        stop(delivery, DeliveryState.MISSED, fence, now, error=why, tells=asks)
    elif not facts.is_active:
        hold(delivery, fence, now, HeldReason.RECONNECT)
    elif facts.is_paused:
        hold(delivery, fence, now, HeldReason.PAUSED)
    elif facts.is_quiet and delivery.kind == DeliveryKind.POST:
        hold(delivery, fence, now, HeldReason.QUIET)
    elif not desk.may_send(delivery):
        fail(delivery, fence, now, StopReason.NOT_ALLOWED)
    elif reason := refusal(delivery, now):
        if reason in WAITS:
            wait(delivery, fence, now, until=now + ASK_AGAIN, error=reason)
        else:
            fail(delivery, fence, now, reason)
    elif facts.blocked_until is not None and facts.blocked_until > now:
        wait(delivery, fence, now, until=facts.blocked_until, error=StopReason.RATE_LIMITED)
    elif not is_counted and (free_at := _take(delivery, account, now)):
        wait(delivery, fence, now, until=free_at, error=StopReason.QUOTA)
    else:
        return True
    return False


def _take(delivery: Delivery, account: SocialAccount, now: dt.datetime) -> dt.datetime | None:
    """Counts it in the network's rates; the instant to wait for where one of them is used up."""
    info = account.info
    if not info.rates:
        return None
    return take(account=account, info=info, amounts=amounts_of(account, thaw(delivery.payload)), now=now)


def _open(desk: Desk, delivery: Delivery, fence: int, attempts: dict[str, Attempt]) -> Run:
    """A connector with a valid token. Connecting may refresh the token, and that may fail like any call."""
    if desk.connector is None:
        try:
            desk.connector = desk.connect(desk.account)
        except ConnectorError as error:
            handle_refusal(delivery, fence, desk.clock(), error)
            raise Stopped from error
    payload = thaw(delivery.payload, served_days=desk.connector.info.media_served_days)
    steps = desk.connector.plan(payload)
    return Run(
        delivery=delivery,
        connector=desk.connector,
        payload=payload,
        steps=steps,
        fence=fence,
        clock=desk.clock,
        attempts=attempts,
        outdated=_outdated(steps, attempts, desk.clock()),
    )


def _outdated(steps: tuple[Step, ...], attempts: dict[str, Attempt], now: dt.datetime) -> frozenset[str]:
    """Keys of the steps to be carried out anew, with an intent of their own: a container that has ended while
    its publication waited, what belongs to it, and what was made with one that has been made anew since. What
    was published, or may have been, stays as it is."""
    outdated: set[str] = set()
    for part in {step.part for step in steps}:
        known = [(step, attempts[step.key]) for step in steps if step.part == part and step.key in attempts]
        if any(not step.is_repeatable and a.state in (*OPEN, AttemptState.DONE) for step, a in known):
            continue
        newest = 0
        is_renewed = False
        for step, attempt in known:
            ends_at = result_from_json(attempt.result).ends_at if attempt.result else None
            has_ended = attempt.state == AttemptState.DONE and ends_at is not None and ends_at <= now
            if has_ended or is_renewed or attempt.pk < newest:
                is_renewed = True
                outdated.add(step.key)
            elif ends_at is not None:
                newest = attempt.pk
    return frozenset(outdated)


def _carry_out(run: Run, step: Step) -> StepResult:
    """The result of one step, sending it if need be. Raises Stopped when the delivery has to wait or ends."""
    attempt = run.attempts.get(step.key)
    result: StepResult | None = None
    if attempt is not None and step.key not in run.outdated and _still_fits(run, step, attempt):
        if attempt.state == AttemptState.DONE:
            return result_from_json(attempt.result)
        if attempt.state in OPEN:
            enter_sending(run)
            result = clear_up(run, step, attempt)
    if result is None:
        result = _send(run, step, run.attempts.get(step.key))
    return result


def _still_fits(run: Run, step: Step, attempt: Attempt) -> bool:
    """Whether what was uploaded is what is to be sent now (somebody may have changed a failed post).

    What is published stays published: the content of a delivery that has begun cannot be changed.
    """
    return not step.is_repeatable or attempt.fingerprint == fingerprint(run.delivery.payload, step.key)


def _begin_attempt(run: Run, step: Step, previous: Attempt | None) -> Attempt:
    """Step 3, write before you call: commits the attempt with its intent. Raises LeaseLost.

    A repetition of the same content takes over key and intent of the attempt before it. Raises Stopped when
    the network has asked this account to wait.
    """
    now = run.clock()
    mark = fingerprint(run.delivery.payload, step.key)
    key, intent = uuid4(), None
    if previous is not None and previous.fingerprint == mark and step.key not in run.outdated:
        key, intent = previous.key, previous.intent
    if intent is None:
        intent = run.connector.prepare_step(step, run.payload, run.done, key=str(key), now=now)
    attempt = Attempt(
        delivery=run.delivery,
        step=step.key,
        key=key,
        fence=run.fence,
        fingerprint=mark,
        intent=intent,
        started_at=now,
    )
    if previous is None and run.delivery.state == DeliveryState.CLAIMED:
        # The usual way, in one statement: the move, its receipt line and the attempt.
        started = [note(run.delivery.pk, ReceiptKind.STARTED, at=now)]
        free = not_blocked(account=run.account, now=now)
        try:
            attempt.pk = enter_sending(run, events=started, beside=attempt_of_moved(attempt), only=free)
        except LeaseLost:
            _wait_if_blocked(run, now)
            raise
    else:
        _wait_if_blocked(run, now)
        with transaction.atomic():
            _make_room(run, previous, now)
            insert_attempt(attempt)
    run.attempts[step.key] = attempt
    return attempt


def _wait_if_blocked(run: Run, now: dt.datetime) -> None:
    """Another worker was told to wait since this one last looked. Raises Stopped then."""
    if until := blocked_until(account=run.account, now=now):
        wait(run.delivery, run.fence, now, until=until, error=StopReason.RATE_LIMITED)
        raise Stopped


def _make_room(run: Run, previous: Attempt | None, now: dt.datetime) -> None:
    """The row is this worker's until the transaction ends, and the step has no open attempt any more."""
    if run.delivery.state == DeliveryState.CLAIMED:
        enter_sending(run)
    else:
        # Locks the row against the reaper until the attempt is in the database.
        mine = Delivery.objects.filter(
            pk=run.delivery.pk, fence=run.fence, state=DeliveryState.SENDING
        ).update(lease_until=now + LEASE)
        if not mine:
            raise LeaseLost
    if previous is not None and previous.state in (*OPEN, AttemptState.DONE):
        is_as_read = Attempt.objects.filter(pk=previous.pk, state=previous.state).update(
            state=AttemptState.SUPERSEDED, error=previous.error, finished_at=now
        )
        if not is_as_read:  # its worker, given up for dead, has just told how it ended
            raise LeaseLost
        previous.state = AttemptState.SUPERSEDED


def _send(run: Run, step: Step, previous: Attempt | None) -> StepResult:
    attempt = _begin_attempt(run, step, previous)
    try:
        result = run.connector.send_step(step, run.payload, attempt.intent)
    except ConnectorError as error:
        handle_error(run, step, attempt, error)
        raise Stopped from error
    return settle(run, step, attempt, result)
