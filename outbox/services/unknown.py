"""Clearing up an outcome that is not known, by what the network promises (docs/architecture.md, step 5).

* a step that nobody can see (an upload, a container) is simply done again;
* *idempotent*: the same intent is sent again, the network keeps one; if that is refused, for reasons that say
  nothing of what got in before, the account's posts are read as below;
* *two-phase*: the container or upload is asked for its state;
* *neither*: the account's recent posts are read and matched by text and time; what is surely absent after the
  network's consistency window is sent once more, and if that is unclear and absent too, a person decides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Min

from accounts.models import SocialAccount
from connectors.base import NotAllListed, RemotePost, RetrySafety, Step, StepResult, StepState
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.text import normalise
from outbox.errors import StopReason
from outbox.models import Attempt, AttemptState
from outbox.payloads import result_from_json
from outbox.services.outcomes import (
    SAYS_NOTHING_OF_BEFORE,
    Run,
    Stopped,
    error_code,
    handle_error,
    handle_refusal,
    make_uncertain,
    settle,
    wait,
)
from outbox.services.rates import Lane

# The network's clock may be behind ours by so much.
CLOCK_SKEW = dt.timedelta(minutes=2)
# Tries to find out (with growing pauses, about an hour) before a person is asked.
MOST_LOOKS = 10


def clear_up(run: Run, step: Step, attempt: Attempt) -> StepResult | None:
    """The result of an open attempt; None = the step is to be sent (again) with the same intent.

    Raises Stopped when it cannot be told yet; the delivery then waits or became uncertain.
    """
    if attempt.state == AttemptState.PROCESSING:
        return _ask(run, step, attempt)
    if step.is_repeatable:
        return None
    safety = run.connector.safety_of(attempt.intent, run.clock())
    if safety is RetrySafety.IDEMPOTENT and attempt.error not in SAYS_NOTHING_OF_BEFORE:
        _give_up_after_many(run, attempt)
        return None
    if safety is RetrySafety.TWO_PHASE:
        return _ask(run, step, attempt)
    return _look(run, step, attempt)


def _give_up_after_many(run: Run, attempt: Attempt) -> None:
    """Sending again is safe, but a network that never answers must not be asked for ever."""
    if run.delivery.failures > MOST_LOOKS:
        make_uncertain(
            run.delivery, run.fence, run.clock(), StopReason.OUTCOME_UNKNOWN, detail=attempt.error_detail
        )
        raise Stopped


def _ask(run: Run, step: Step, attempt: Attempt) -> StepResult | None:
    """Ask the network for the state of the upload or container."""
    was_processing = attempt.state == AttemptState.PROCESSING
    sent = result_from_json(attempt.result) if was_processing else None
    try:
        result = run.connector.check(step, attempt.intent, sent)
    except ConnectorError as error:
        _could_not_tell(run, step, attempt, error)
        raise Stopped from error
    if result is None:
        attempt.error = StopReason.NOT_FOUND_AFTERWARDS
        _give_up_after_many(run, attempt)
        return None
    if was_processing or result.state is StepState.PROCESSING:
        return settle(run, step, attempt, result)
    with transaction.atomic():
        # One worker at a time adopts for an account, as in ``_look``.
        SocialAccount.objects.select_for_update().get(pk=run.account.pk)
        for one in (result, *result.alternatives):
            if not _is_anothers(run, step, one):
                return settle(run, step, attempt, one, adopted=True)
    _could_not_tell(run, step, attempt, OutcomeUnknown("the network names what another post has become"))
    raise Stopped


def _is_anothers(run: Run, step: Step, result: StepResult) -> bool:
    """Whether another step has made this already, of this delivery or another: of equal posts a network may
    name the wrong one."""
    theirs = Attempt.objects.filter(
        delivery__account=run.account, state=AttemptState.DONE, result__remote_id=result.remote_id
    )
    return bool(result.remote_id) and theirs.exclude(delivery=run.delivery, step=step.key).exists()


def _look(run: Run, step: Step, attempt: Attempt) -> StepResult | None:
    """Read the account's own posts, or what it wrote to that person; adopt ours if it is there."""
    now = run.clock()
    # A repetition under the same key may have reached the network any time since the first try.
    first = run.delivery.attempts.filter(key=attempt.key).aggregate(at=Min("started_at"))["at"]
    since = (first or attempt.started_at) - CLOCK_SKEW
    unread: NotAllListed | None = None
    try:
        posts = run.connector.find_sent(run.payload, since=since)
    except NotAllListed as error:
        posts, unread = error.posts, error
    except Rejected as error:
        # It says that we may not look, and nothing about the post.
        make_uncertain(run.delivery, run.fence, now, error.reason, detail=error.detail)
        raise Stopped from error
    except ConnectorError as error:
        _could_not_tell(run, step, attempt, error)
        raise Stopped from error
    with transaction.atomic():
        # One worker at a time adopts for an account: two equal posts must not adopt the same one.
        SocialAccount.objects.select_for_update().get(pk=run.account.pk)
        fitting = _fitting(run, step, posts, since=since)
        found = _free(run, fitting)
        if found is not None:
            result = StepResult(
                remote_id=found.remote_id, permalink=found.permalink, detail={"adopted": True}
            )
            return settle(run, step, attempt, result, adopted=True)
    if unread is not None:
        _could_not_tell(run, step, attempt, unread)
        raise Stopped from unread
    window = dt.timedelta(seconds=run.connector.info.consistency_window_s)
    if now < attempt.started_at + window:
        wait(
            run.delivery,
            run.fence,
            now,
            until=attempt.started_at + window,
            error=StopReason.OUTCOME_UNKNOWN,
            detail=attempt.error_detail,
        )
        raise Stopped
    # Of equal posts a network may list one: that another delivery has it does not mean that ours is absent.
    was_absent_before = run.delivery.attempts.filter(
        key=attempt.key, state=AttemptState.SUPERSEDED, error=StopReason.NOT_FOUND_AFTERWARDS
    )
    if fitting or was_absent_before.exists():
        make_uncertain(
            run.delivery, run.fence, now, StopReason.NOT_FOUND_AFTERWARDS, detail=attempt.error_detail
        )
        raise Stopped
    attempt.error = StopReason.NOT_FOUND_AFTERWARDS
    return None


def _fitting(run: Run, step: Step, posts: Sequence[RemotePost], *, since: dt.datetime) -> list[RemotePost]:
    """What this step may have made: same words in the same place, not older than its first try."""
    part = run.payload.parts[step.part]
    text, parent = normalise(part.text), _answered_by(run, step)
    return [
        post
        for post in posts
        if normalise(post.text) == text
        and post.media_count in (0, len(part.media))
        and (parent is None or post.in_reply_to in ("", parent))
        and post.created_at >= since
    ]


def _free(run: Run, fitting: Sequence[RemotePost]) -> RemotePost | None:
    """The one that no delivery has yet."""
    if not fitting:
        return None
    taken = set(
        Attempt.objects.filter(
            delivery__account=run.account,
            state=AttemptState.DONE,
            result__remote_id__in=[post.remote_id for post in fitting],
        ).values_list("result__remote_id", flat=True)
    )
    free = [post for post in fitting if post.remote_id not in taken]
    # The oldest that fits: of two equal posts the earlier attempt made the earlier one.
    return min(free, key=lambda post: post.created_at) if free else None


def _answered_by(run: Run, step: Step) -> str | None:
    """What the post of this step hangs below: "" = nothing, None = not known, or of no matter."""
    if run.payload.message_to is not None:
        return None
    if (answered := run.payload.answered_by(step.part)) is not None:
        return run.done[f"part{answered}.publish"].remote_id or None
    return run.payload.reply_to.remote_id if run.payload.reply_to is not None else ""


def _could_not_tell(run: Run, step: Step, attempt: Attempt, error: ConnectorError) -> None:
    """Asking failed; the attempt stays open, and the question is put again later."""
    now = run.clock()
    if isinstance(error, NeedsReconnect | RateLimited):
        # Looking is reading: what was limited is not what others of the account have to send.
        handle_refusal(run.delivery, run.fence, now, error, lanes=(Lane.READING,))
    elif _says_nothing_of_it(step, attempt, error):
        make_uncertain(run.delivery, run.fence, now, error_code(error), detail=error.detail)
    elif isinstance(error, Rejected) or step.is_repeatable or _starts_over(error):
        # The network knows the upload or container and says that it never becomes a post; or it cannot be
        # asked, and what nobody can see is done again.
        handle_error(run, step, attempt, error)
    elif run.delivery.failures > MOST_LOOKS:
        make_uncertain(run.delivery, run.fence, now, StopReason.OUTCOME_UNKNOWN, detail=error.detail)
    else:
        wait_s = min(2.0 * 2.0**run.delivery.failures, 900.0)
        wait(
            run.delivery,
            run.fence,
            now,
            until=now + dt.timedelta(seconds=wait_s),
            error=StopReason.OUTCOME_UNKNOWN,
            detail=error.detail,
            failures=run.delivery.failures + 1,
        )


# Why a network does not let us look: nothing of it says what became of a post.
_MAY_NOT_LOOK = frozenset(
    {
        RejectReason.FORBIDDEN,
        RejectReason.NOT_FOUND,
        RejectReason.NOT_SUPPORTED,
        RejectReason.INVALID,
        RejectReason.QUOTA_FULL,
    }
)


def _says_nothing_of_it(step: Step, attempt: Attempt, error: ConnectorError) -> bool:
    """Whether the question was refused, about a publication whose outcome nobody knows."""
    is_unknown = not step.is_repeatable and attempt.state != AttemptState.PROCESSING
    return is_unknown and isinstance(error, Rejected) and error.reason in _MAY_NOT_LOOK


def _starts_over(error: ConnectorError) -> bool:
    return isinstance(error, Temporary) and error.starts_over
