"""What became of a call, and what that means for its delivery: the only place that writes either.

The facts of a call are written whatever the fencing token, since what the network said stays true; the
delivery itself only by the worker that holds the token.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import random
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction

from accounts.models import SocialAccount
from accounts.services.social import mark_needs_reconnect
from connectors.base import Connector, Json, PostPayload, Step, StepKind, StepResult, StepState
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from outbox.errors import StopReason
from outbox.models import (
    Attempt,
    AttemptState,
    Delivery,
    DeliveryState,
    HeldReason,
    ReceiptEvent,
    ReceiptKind,
)
from outbox.payloads import result_to_json
from outbox.services.claiming import LEASE
from outbox.services.rates import Lane, block_until
from outbox.services.telling import tell_people
from outbox.services.transitions import Beside, LeaseLost, Only, move, note

logger = logging.getLogger(__name__)

Clock = Callable[[], dt.datetime]

BACKOFF_FIRST_S = 5.0
BACKOFF_MAX_S = 3600.0
UNKNOWN_FIRST_LOOK_S = 2.0
# What the network works on is asked about soon at first, then after a fifth of the time that it has taken, so
# that a minute's work is known seconds late and half an hour's does not cost a thousand questions.
PROCESSING_POLL_S = 2.0
PROCESSING_POLL_MAX_S = 30.0
PROCESSING_POLL_SHARE = 0.2
PROCESSING_MAX = dt.timedelta(minutes=30)
# A bucket that was full when a worker came is looked at again a little after its window, spread out.
QUOTA_JITTER_S = 2.0
RECORD_TRIES = 8
# So often a delivery is tried again after an error that nobody foresaw: a few minutes in all.
MOST_BUGS = 5

# Refusals that come before the content is looked at: they say nothing of what was let in before.
REFUSED_AT_THE_DOOR = (
    RejectReason.FORBIDDEN,
    RejectReason.NOT_FOUND,
    RejectReason.NOT_SUPPORTED,
    RejectReason.HOST_UNKNOWN,
    RejectReason.HOST_REFUSED,
    RejectReason.QUOTA_FULL,
)

SAYS_NOTHING_OF_BEFORE = (*REFUSED_AT_THE_DOOR, RejectReason.DUPLICATE)

OPEN = (AttemptState.IN_FLIGHT, AttemptState.UNKNOWN, AttemptState.PROCESSING)


class Stopped(Exception):
    """The delivery was moved out of this worker's hands; the reason stands on the row."""


@dataclass(slots=True)
class Run:
    """One worker's work on one delivery."""

    delivery: Delivery
    connector: Connector
    payload: PostPayload
    steps: tuple[Step, ...]
    fence: int
    clock: Clock
    attempts: dict[str, Attempt]  # the latest of each step
    outdated: frozenset[str] = frozenset()  # steps whose attempt is of no use any more
    done: dict[str, StepResult] = field(default_factory=dict)

    @property
    def account(self) -> SocialAccount:
        return self.delivery.account


def enter_sending(
    run: Run, *, events: Sequence[ReceiptEvent] = (), beside: Beside | None = None, only: Only | None = None
) -> int | None:
    """This worker starts to talk to the network about the delivery; returns the id that ``beside`` gave."""
    if run.delivery.state != DeliveryState.CLAIMED:
        return None
    until = run.clock() + LEASE
    return move(
        run.delivery,
        DeliveryState.SENDING,
        fence=run.fence,
        events=events,
        beside=beside,
        only=only,
        lease_until=until,
    )


def settle(
    run: Run, step: Step, attempt: Attempt, result: StepResult, *, adopted: bool = False
) -> StepResult:
    """Commit what the network said before anything else happens. Raises Stopped while it is processing."""
    now = run.clock()
    if result.state is StepState.PROCESSING:
        _record(attempt, AttemptState.PROCESSING, now, result=result)
        _await_processing(run, step, attempt, result, now)
        raise Stopped
    if not _persist(lambda: _settle_done(run, step, attempt, result, now, adopted=adopted)):
        # Somebody took the row over while the call was out: leave them the fact, and go.
        _record(attempt, AttemptState.DONE, now, result=result)
        raise LeaseLost
    return result


def _settle_done(
    run: Run, step: Step, attempt: Attempt, result: StepResult, now: dt.datetime, *, adopted: bool
) -> bool:
    """All or nothing: the attempt's result, its receipt line and, after the last step, the end."""
    delivery = run.delivery
    if step.kind is not StepKind.PUBLISH:
        _write_attempt(attempt, AttemptState.DONE, now, result=result)
        return True
    events = [note(delivery.pk, ReceiptKind.ADOPTED, at=now)] if adopted else []
    detail: Json = {"permalink": result.permalink}
    posts = sum(not part.is_comment for part in run.payload.parts)
    if step.part >= posts:
        detail["comment"] = True
    elif posts > 1:
        detail |= {"part": step.part + 1, "parts": posts}
    events.append(note(delivery.pk, ReceiptKind.PART_ACCEPTED, at=now, detail=detail))
    first: dict[str, Any] = (
        {"remote_id": result.remote_id, "permalink": result.permalink} if step.part == 0 else {}
    )
    try:
        if step is run.steps[-1]:
            events.append(note(delivery.pk, ReceiptKind.SENT, at=now))
            move(
                delivery,
                DeliveryState.SENT,
                fence=run.fence,
                events=events,
                beside=_attempt_update(attempt, AttemptState.DONE, now, result=result),
                sent_at=now,
                lease_until=None,
                error="",
                error_detail="",
                failures=0,
                **first,
            )
            return True
        with transaction.atomic():
            _write_attempt(attempt, AttemptState.DONE, now, result=result)
            if first and not Delivery.objects.filter(pk=delivery.pk, fence=run.fence).update(**first):
                raise LeaseLost
            ReceiptEvent.objects.bulk_create(events)
    except LeaseLost:
        return False
    return True


def finish(run: Run, now: dt.datetime) -> None:
    """All steps were done before: only the delivery's own end was still to be written."""
    last = [result for key, result in run.done.items() if key.endswith(StepKind.PUBLISH)]
    first = last[0] if last else StepResult()
    move(
        run.delivery,
        DeliveryState.SENT,
        fence=run.fence,
        events=[note(run.delivery.pk, ReceiptKind.SENT, at=now)],
        sent_at=now,
        lease_until=None,
        remote_id=run.delivery.remote_id or first.remote_id,
        permalink=run.delivery.permalink or first.permalink,
        error="",
        error_detail="",
        failures=0,
    )


def _await_processing(run: Run, step: Step, attempt: Attempt, result: StepResult, now: dt.datetime) -> None:
    """The network still works on it: ask again later, without holding a worker."""
    taken = now - dt.datetime.fromisoformat(attempt.result["since"])
    if taken > PROCESSING_MAX:
        if step.is_repeatable:
            # Closed, so that "try again" uploads it once more and does not wait for this one.
            _record(attempt, AttemptState.REFUSED, now, error=StopReason.PROCESSING_TOO_LONG)
            fail(run.delivery, run.fence, now, StopReason.PROCESSING_TOO_LONG)
        else:
            make_uncertain(run.delivery, run.fence, now, StopReason.PROCESSING_TOO_LONG)
        return
    is_news = result.detail != attempt.result.get("detail") or attempt.fence == run.fence
    poll_s = min(max(taken.total_seconds() * PROCESSING_POLL_SHARE, PROCESSING_POLL_S), PROCESSING_POLL_MAX_S)
    move(
        run.delivery,
        DeliveryState.PROCESSING,
        fence=run.fence,
        events=[note(run.delivery.pk, ReceiptKind.PROCESSING, at=now)] if is_news else [],
        lease_until=None,
        next_attempt_at=now + dt.timedelta(seconds=max(result.retry_after_s, poll_s)),
    )


# --- errors -----------------------------------------------------------------------------------


def handle_error(run: Run, step: Step, attempt: Attempt, error: ConnectorError) -> None:
    """Step 4: what the error of a call that was made says about the attempt and the delivery."""
    now = run.clock()
    if isinstance(error, RateLimited):
        # Before anything else: others are about to send, too.
        _block(run.delivery.account, error, (Lane.SENDING,))
    if isinstance(error, OutcomeUnknown) and not step.is_repeatable:
        _record(attempt, AttemptState.UNKNOWN, now, error=StopReason.OUTCOME_UNKNOWN, detail=error.detail)
        wait_s = _backoff_s(run.delivery.failures, first_s=UNKNOWN_FIRST_LOOK_S)
        wait(
            run.delivery,
            run.fence,
            now,
            until=now + dt.timedelta(seconds=wait_s),
            error=StopReason.OUTCOME_UNKNOWN,
            detail=error.detail,
            failures=run.delivery.failures + 1,
        )
        return
    state = AttemptState.UNKNOWN if _is_in_doubt(step, attempt, error) else AttemptState.REFUSED
    _record(attempt, state, now, error=error_code(error), detail=error.detail)
    if isinstance(error, Temporary) and error.starts_over:
        _begin_part_anew(run, step)
    if state is AttemptState.UNKNOWN and isinstance(error, Rejected):
        until = now + dt.timedelta(seconds=_backoff_s(run.delivery.failures, first_s=UNKNOWN_FIRST_LOOK_S))
        wait(
            run.delivery,
            run.fence,
            now,
            until=until,
            error=error.reason,
            detail=error.detail,
            failures=run.delivery.failures + 1,
        )
        return
    if state is AttemptState.REFUSED and _is_given_up(run, error, now):
        fail(run.delivery, run.fence, now, error_code(error), detail=error.detail)
        return
    handle_refusal(run.delivery, run.fence, now, error)


def _begin_part_anew(run: Run, step: Step) -> None:
    """What the steps of this part left is of no use any more: none of it fits what is to be sent, so each
    is carried out again, with an intent of its own."""
    part = [one.key for one in run.steps if one.part == step.part]

    def write() -> bool:
        Attempt.objects.filter(delivery=run.delivery, step__in=part).update(fingerprint="")
        return True

    _persist(write)


def _is_given_up(run: Run, error: ConnectorError, now: dt.datetime) -> bool:
    """Whether the rest of a thread has been tried for as long as a whole post would be.

    What has not begun is missed then. What has begun never is, and somebody must hear of it, too.
    """
    is_begun = any(key.endswith(StepKind.PUBLISH) for key in run.done)
    is_late = now - run.delivery.due_at > dt.timedelta(seconds=run.delivery.missed_after_s)
    return is_begun and is_late and isinstance(error, Temporary | OutcomeUnknown)


def after_a_bug(delivery: Delivery, fence: int, now: dt.datetime, error: Exception) -> None:
    """Something rose that is none of the five errors: a mistake of ours, or an answer nobody foresaw.

    A call that was out has an unknown outcome. It is tried again a few times, later and later, and then a
    person hears of it. Raises LeaseLost.
    """
    detail = type(error).__name__
    Attempt.objects.filter(delivery=delivery, fence=fence, state=AttemptState.IN_FLIGHT).update(
        state=AttemptState.UNKNOWN,
        error=StopReason.PROGRAM_ERROR,
        error_detail=detail,
        finished_at=now,
    )
    is_new = delivery.error != StopReason.PROGRAM_ERROR or delivery.failures < MOST_BUGS
    # What was rolled back with the error left its traces on the object.
    delivery.refresh_from_db(fields=["state"])
    if is_new:
        wait(
            delivery,
            fence,
            now,
            until=now + dt.timedelta(seconds=_backoff_s(delivery.failures)),
            error=StopReason.PROGRAM_ERROR,
            detail=detail,
            failures=delivery.failures + 1,
        )
    elif delivery.attempts.filter(state__in=OPEN, step__endswith=StepKind.PUBLISH).exists():
        make_uncertain(delivery, fence, now, StopReason.PROGRAM_ERROR, detail=detail)
    else:
        fail(delivery, fence, now, StopReason.PROGRAM_ERROR, detail=detail)


def _is_in_doubt(step: Step, attempt: Attempt, error: ConnectorError) -> bool:
    """Whether this call did nothing but an earlier one of the same step may have.

    So it is after an unknown outcome was answered by sending the same intent again (which is safe only as
    long as the network remembers it), unless the network looked at the content and refused that; and when
    the network refuses a post because it is there already.
    """
    if step.is_repeatable or (isinstance(error, Temporary) and error.starts_over):
        return False
    if isinstance(error, Rejected) and error.reason is RejectReason.DUPLICATE:
        return True
    if isinstance(error, Rejected) and error.reason not in REFUSED_AT_THE_DOOR:
        return False
    before = Attempt.objects.filter(
        delivery_id=attempt.delivery_id, step=attempt.step, state=AttemptState.SUPERSEDED, key=attempt.key
    )
    # After the last of them somebody may have looked: what was not found then is not there from any of them.
    last = before.order_by("-pk").values_list("error", flat=True).first()
    return last is not None and last != StopReason.NOT_FOUND_AFTERWARDS


def handle_refusal(
    delivery: Delivery,
    fence: int,
    now: dt.datetime,
    error: ConnectorError,
    *,
    lanes: Collection[Lane] = (Lane.SENDING,),
) -> None:
    """The network surely did nothing: wait, hold, or fail. ``lanes``: what waits where it asks to wait."""
    if isinstance(error, NeedsReconnect):
        mark_needs_reconnect(account=delivery.account, detail=error.detail, now=now)
        code = StopReason.NEEDS_RECONNECT
        hold(delivery, fence, now, HeldReason.RECONNECT, error=code, detail=error.detail)
    elif isinstance(error, RateLimited):
        _block(delivery.account, error, lanes)
        wait(delivery, fence, now, until=error.retry_at, error=StopReason.RATE_LIMITED, detail=error.detail)
    elif isinstance(error, Rejected):
        fail(delivery, fence, now, error.reason, detail=error.detail)
    else:
        until = now + dt.timedelta(seconds=_backoff_s(delivery.failures))
        wait(
            delivery,
            fence,
            now,
            until=until,
            error=StopReason.TEMPORARY,
            detail=error.detail,
            failures=delivery.failures + 1,
        )


def _block(account: SocialAccount, error: RateLimited, lanes: Collection[Lane]) -> None:
    if error.of_call:
        return

    def write() -> bool:
        block_until(account=account, until=error.retry_at, of_app=error.of_app, lanes=lanes)
        return True

    _persist(write)


def error_code(error: ConnectorError) -> str:
    match error:
        case Rejected():
            return error.reason
        case NeedsReconnect():
            return StopReason.NEEDS_RECONNECT
        case RateLimited():
            return StopReason.RATE_LIMITED
        case OutcomeUnknown():
            return StopReason.OUTCOME_UNKNOWN
        case Temporary():
            return StopReason.TEMPORARY
    raise TypeError(type(error))


def _backoff_s(failures: int, *, first_s: float = BACKOFF_FIRST_S) -> float:
    """Seconds until the next try: doubling, with a fifth of jitter either way, at most an hour."""
    base = min(first_s * 2.0 ** min(failures, 20), BACKOFF_MAX_S)
    return base * random.uniform(0.8, 1.2)


def wait(
    delivery: Delivery,
    fence: int,
    now: dt.datetime,
    *,
    until: dt.datetime,
    error: str,
    detail: str = "",
    failures: int | None = None,
) -> None:
    """Back into the schedule, for ``until``; the wait is stored, so it survives everything."""
    values: dict[str, Any] = {"failures": failures} if failures is not None else {}
    spread = dt.timedelta(seconds=random.uniform(0, QUOTA_JITTER_S)) if error == StopReason.QUOTA else None
    stop(
        delivery,
        DeliveryState.SCHEDULED,
        fence,
        now,
        error=error,
        detail=detail,
        next_attempt_at=until + spread if spread else until,
        **values,
    )


def hold(
    delivery: Delivery, fence: int, now: dt.datetime, reason: HeldReason, *, error: str = "", detail: str = ""
) -> None:
    stop(delivery, DeliveryState.HELD, fence, now, error=error, detail=detail, held_reason=reason)


def fail(delivery: Delivery, fence: int, now: dt.datetime, error: str, *, detail: str = "") -> None:
    stop(delivery, DeliveryState.FAILED, fence, now, error=error, detail=detail, tells=True)


def make_uncertain(delivery: Delivery, fence: int, now: dt.datetime, error: str, *, detail: str = "") -> None:
    """Only a person can tell now whether it appeared."""
    stop(delivery, DeliveryState.UNCERTAIN, fence, now, error=error, detail=detail, tells=True)


_RECEIPT_OF_STATE = {
    DeliveryState.SCHEDULED: ReceiptKind.WAITING,
    DeliveryState.HELD: ReceiptKind.HELD,
    DeliveryState.MISSED: ReceiptKind.MISSED,
    DeliveryState.FAILED: ReceiptKind.FAILED,
    DeliveryState.UNCERTAIN: ReceiptKind.UNCERTAIN,
}


def stop(
    delivery: Delivery,
    to: DeliveryState,
    fence: int,
    now: dt.datetime,
    *,
    error: str,
    detail: str = "",
    tells: bool = False,
    **values: object,
) -> None:
    """Out of this worker's hands. With ``tells`` people hear of it: with the move or not at all, so that a
    worker killed in between leaves nobody in the dark."""

    def write() -> bool:
        about: Json = {"error": str(error), "detail": detail}
        if "held_reason" in values:
            about["reason"] = str(values["held_reason"])
        if isinstance(until := values.get("next_attempt_at"), dt.datetime):
            about["until"] = until.isoformat()
        with transaction.atomic():
            if delivery.state == DeliveryState.CLAIMED and to == DeliveryState.UNCERTAIN:
                move(delivery, DeliveryState.SENDING, fence=fence, lease_until=now + LEASE)
            event = note(delivery.pk, _RECEIPT_OF_STATE[to], at=now, detail=about)
            facts: dict[str, Any] = {
                "lease_until": None,
                "error": str(error),
                "error_detail": detail,
                **values,
            }
            move(delivery, to, fence=fence, events=[event], **facts)
            if tells:
                tell_people(delivery=delivery, now=now)
        return True

    _persist(write)


# --- facts ------------------------------------------------------------------------------------


# Written by hand, as the moves of a delivery are: every post passes here twice.

_ATTEMPT_COLUMNS = (
    "delivery_id, step, key, fence, fingerprint, intent, state, result, error, error_detail, started_at"
)


def _attempt_values(attempt: Attempt) -> list[Any]:
    return [
        attempt.step,
        attempt.key,
        attempt.fence,
        attempt.fingerprint,
        json.dumps(attempt.intent),
        attempt.state,
        attempt.started_at,
    ]


def attempt_of_moved(attempt: Attempt) -> Beside:
    """Inserts the attempt if its delivery moves, in the same statement."""
    sql = f"""
        INSERT INTO outbox_attempt ({_ATTEMPT_COLUMNS})
        SELECT moved.id, %s, %s::uuid, %s::int, %s, %s::jsonb, %s, '{{}}'::jsonb, '', '', %s::timestamptz
        FROM moved RETURNING id
    """  # noqa: S608 - names of our own columns
    return Beside(sql, _attempt_values(attempt))


def insert_attempt(attempt: Attempt) -> None:
    """The attempt in the caller's transaction; sets its id."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO outbox_attempt ({_ATTEMPT_COLUMNS})
            VALUES (%s, %s, %s, %s, %s, %s, %s, '{{}}', '', '', %s) RETURNING id
            """,  # noqa: S608 - names of our own columns
            [attempt.delivery_id, *_attempt_values(attempt)],
        )
        (attempt.pk,) = cursor.fetchone()


def _attempt_update(
    attempt: Attempt,
    state: AttemptState,
    now: dt.datetime,
    *,
    result: StepResult | None = None,
    error: str = "",
    detail: str = "",
) -> Beside:
    """What the network said about one call. Never touches an attempt that was cleared up meanwhile."""
    attempt.state, attempt.error, attempt.error_detail = state, error, detail
    attempt.finished_at = now
    if result is not None:
        # How long the network works on it is counted from its first answer: a large file takes long to send.
        since = {"since": attempt.result.get("since", now.isoformat())}
        attempt.result = result_to_json(result) | (since if state == AttemptState.PROCESSING else {})
    sql = """
        UPDATE outbox_attempt SET state = %s, error = %s, error_detail = %s, finished_at = %s, result = %s
        WHERE id = %s AND state = ANY(%s) RETURNING id
    """
    return Beside(sql, [state, error, detail, now, json.dumps(attempt.result), attempt.pk, list(OPEN)])


def _write_attempt(
    attempt: Attempt,
    state: AttemptState,
    now: dt.datetime,
    *,
    result: StepResult | None = None,
    error: str = "",
    detail: str = "",
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(*_attempt_update(attempt, state, now, result=result, error=error, detail=detail))


def _record(
    attempt: Attempt,
    state: AttemptState,
    now: dt.datetime,
    *,
    result: StepResult | None = None,
    error: str = "",
    detail: str = "",
) -> None:
    def write() -> bool:
        _write_attempt(attempt, state, now, result=result, error=error, detail=detail)
        return True

    _persist(write)


def _persist(write: Callable[[], bool]) -> bool:
    """Write, also when the database connection just broke: the network's answer exists only here.

    Gives up after about 25 s; then the attempt stays in flight and the reaper has it cleared up.
    """
    for turn in range(RECORD_TRIES):
        try:
            return write()
        except (OperationalError, InterfaceError):
            if turn == RECORD_TRIES - 1 or connection.in_atomic_block:
                raise
            logger.warning("the database connection broke while a result was written, trying again")
            connection.close()
            time.sleep(0.1 * 2**turn)
    raise AssertionError("unreachable")
