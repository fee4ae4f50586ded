"""Asking the networks what was written to us, and when.

1. ``discover_accounts`` finds connected accounts whose network has an inbox and that are not read yet, or
   were not for so long that they begin anew. It looks down and pulls; nothing below tells us.
2. ``claim_accounts`` picks those that are due (``FOR UPDATE SKIP LOCKED``, so any number of beats may
   run), writes until when a worker has them and commits; the caller enqueues a task for each.
3. ``collect_account`` reads a round page by page. Each page is fetched outside any transaction and kept
   together with the cursor behind it, so that a round that was interrupted goes on where it stopped.
4. At the end of a round the watermark moves to the moment at which it began. The next one starts a little
   before it, because networks show things late; what comes twice is kept once.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F

from accounts.connecting import connector_for
from accounts.models import AccountStatus, SocialAccount
from accounts.services.social import mark_needs_reconnect
from connectors.base import Capability, Connector
from connectors.errors import (
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Temporary,
)
from engagement.models import InboxPull
from engagement.services.intake import take_page
from outbox.errors import StopReason
from outbox.services.rates import Lane, block_until, blocked_until, reading_pace
from outbox.services.usage import heeding

logger = logging.getLogger(__name__)

# Read so far back when an account is new, or begins anew.
LOOK_BACK = dt.timedelta(days=7)
# An inbox that was not read for so long begins anew: nobody is shown a pile of waiting people of back then.
ANEW_AFTER = dt.timedelta(days=30)
# Networks show things late, and their clocks are not ours.
OVERLAP = dt.timedelta(minutes=10)
QUIET_INTERVAL = dt.timedelta(seconds=60)
# While people write, the next word may come any moment.
BUSY_INTERVAL = dt.timedelta(seconds=20)
BUSY_FOR = dt.timedelta(minutes=15)
REFUSED_PAUSE = dt.timedelta(hours=6)
FIRST_BACKOFF = dt.timedelta(minutes=1)
LONGEST_BACKOFF = dt.timedelta(hours=1)

CLAIM_LEASE = dt.timedelta(minutes=5)
MAX_CLAIMED = 200  # accounts claimed and not finished, so that claims do not run out in the queue
MAX_PAGES = 20  # of one task; the rest of a long round is another's
DISCOVER_LIMIT = 1000
INBOX = (
    Capability.INBOX_COMMENTS,
    Capability.INBOX_MENTIONS,
    Capability.INBOX_MESSAGES,
    Capability.INBOX_REVIEWS,
)


class _TakenOver(Exception):
    """Another worker reads this inbox now: the claim ran out."""


def has_inbox(account: SocialAccount) -> bool:
    info = account.info
    return any(info.can(capability) for capability in INBOX)


def discover_accounts(*, now: dt.datetime) -> int:
    """Read the inboxes of newly connected accounts from now on. Returns how many are new."""
    missing = SocialAccount.objects.filter(status=AccountStatus.ACTIVE, inbox_pull=None).order_by("pk")
    pulls = [
        InboxPull(account=account, next_at=now, began_at=now, read_until=now - LOOK_BACK)
        for account in missing[:DISCOVER_LIMIT]
        if has_inbox(account)
    ]
    InboxPull.objects.bulk_create(pulls, ignore_conflicts=True)
    InboxPull.objects.filter(
        account__status=AccountStatus.ACTIVE, account__connected_at__gt=F("read_until") + ANEW_AFTER
    ).update(began_at=now, read_until=now - LOOK_BACK, round_started_at=None, cursor="", next_at=now)
    return len(pulls)


def claim_accounts(*, now: dt.datetime, most: int = MAX_CLAIMED) -> list[uuid.UUID]:
    """Accounts that are due, now claimed for one worker each, the longest overdue first."""
    with transaction.atomic():
        room = most - InboxPull.objects.filter(claimed_until__gt=now).count()
        due = InboxPull.objects.due(now).order_by("next_at").select_for_update(of=("self",), skip_locked=True)
        ids = [pull.pk for pull in due[: max(room, 0)]]
        InboxPull.objects.filter(pk__in=ids).update(claimed_until=now + CLAIM_LEASE)
    return ids


def collect_account(*, account_id: uuid.UUID, now: dt.datetime) -> int:
    """Read one inbox, and note what the network said if it did not work out. Returns how many messages are
    new."""
    pull = InboxPull.objects.select_related("account__brand__organization", "account__brand__sla_policy")
    row = pull.filter(pk=account_id).first()
    if row is None:
        return 0
    if not row.account.is_active or not has_inbox(row.account):  # it may have been connected again without
        _finish(row, next_at=now + QUIET_INTERVAL)
        return 0
    taken = 0
    ends: dict[str, Any] = {"failures": 0, "error": "", "error_detail": "", "blocked_until": None}
    try:
        for new in _read_pages(row, ends, now):
            taken += new
    except _TakenOver:
        return taken
    except NeedsReconnect as refusal:
        ends |= _error(StopReason.NEEDS_RECONNECT, refusal.detail, next_at=now + QUIET_INTERVAL)
        mark_needs_reconnect(account=row.account, detail=refusal.detail, now=now)
    except RateLimited as refusal:
        until = max(refusal.retry_at, now + FIRST_BACKOFF)
        ends |= _error(StopReason.RATE_LIMITED, refusal.detail, next_at=until, blocked_until=until)
        block_until(account=row.account, until=until, of_app=refusal.of_app, lanes=(Lane.READING,))
    except (Temporary, OutcomeUnknown) as refusal:
        # Reading twice does no harm, so an unclear answer is no different from none.
        failures = row.failures + 1
        until = now + _backoff(failures)
        ends |= _error(
            StopReason.TEMPORARY, refusal.detail, next_at=until, blocked_until=until, failures=failures
        )
    except Rejected as refusal:
        if row.cursor:
            # A cursor that the network no longer knows: the round is read again from its beginning.
            row.cursor, row.round_started_at = "", None
            ends |= _error(refusal.reason, refusal.detail, next_at=now + FIRST_BACKOFF)
        else:
            ends |= _error(refusal.reason, refusal.detail, next_at=now + REFUSED_PAUSE)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        # A mistake of ours, or an answer that nobody foresaw: the page of the inbox must say so.
        logger.exception("the inbox of account %s was not read", account_id)
        failures = row.failures + 1
        until = now + _backoff(failures)
        ends |= _error(
            StopReason.PROGRAM_ERROR,
            type(error).__name__,
            next_at=until,
            blocked_until=until,
            failures=failures,
        )
    _finish(row, **ends)
    return taken


def _read_pages(pull: InboxPull, ends: dict[str, Any], now: dt.datetime) -> Iterator[int]:
    """How many messages of each page are new, until the round is at its end, or this task's share of it, or
    the network has no more room for reading. ``ends`` then says when it is read next."""
    connector = connector_for(pull.account)
    with heeding(pull.account, clock=lambda: now, is_reading=True) as spent:
        for _ in range(MAX_PAGES):
            if waits_until := blocked_until(account=pull.account, now=now, lane=Lane.READING):
                ends["next_at"] = waits_until + _spread(waits_until - now)
                return
            yield _take_page(pull, connector, now)
            if not pull.cursor:
                ends |= {"next_at": _next_at(pull, spent, now), "taken_at": now}
                return
    ends["next_at"] = now


def _error(code: str, detail: str, **ends: Any) -> dict[str, Any]:
    return {"error": str(code), "error_detail": detail, **ends}


def _take_page(pull: InboxPull, connector: Connector, now: dt.datetime) -> int:
    """The next page of the round, kept together with the cursor behind it."""
    started_at = pull.round_started_at or now
    page = connector.fetch_inbox(since=pull.read_until - OVERLAP, cursor=pull.cursor)
    with transaction.atomic():
        stored = InboxPull.objects.select_for_update().get(pk=pull.pk)
        if (stored.cursor, stored.round_started_at) != (pull.cursor, pull.round_started_at):
            raise _TakenOver
        taken = take_page(account=pull.account, items=page.items, began_at=pull.began_at, now=now)
        # A network that hands out the same cursor again would never come to an end.
        pull.cursor = page.cursor if page.cursor != stored.cursor else ""
        if pull.cursor:
            pull.round_started_at = started_at
        else:
            pull.read_until, pull.round_started_at = max(started_at, pull.read_until), None
        pull.claimed_until = now + CLAIM_LEASE
        pull.heard_at = now if taken else pull.heard_at
        pull.save(update_fields=["cursor", "round_started_at", "read_until", "claimed_until", "heard_at"])
    return taken


def _next_at(pull: InboxPull, spent: Mapping[str, int], now: dt.datetime) -> dt.datetime:
    """Soon where something came in lately; no sooner than the network is to be asked, and later where each
    look takes from what the day allows."""
    is_busy = pull.heard_at is not None and now - pull.heard_at < BUSY_FOR
    least = dt.timedelta(seconds=pull.account.info.inbox_every_s)
    interval = BUSY_INTERVAL if is_busy else QUIET_INTERVAL
    return now + max(least, interval, reading_pace(account=pull.account, spent=spent, now=now))


def _spread(wait: dt.timedelta) -> dt.timedelta:
    """So that all that wait for the same do not return at once."""
    return wait * random.uniform(0, 0.1)


def _backoff(failures: int) -> dt.timedelta:
    """1, 2, 4 ... minutes, at most an hour; up to a quarter more, so that accounts do not return at once."""
    wait = min(FIRST_BACKOFF * (1 << min(failures - 1, 6)), LONGEST_BACKOFF)
    return wait * random.uniform(1.0, 1.25)


def _finish(pull: InboxPull, **ends: Any) -> None:
    """Give the claim back and say when the inbox is read next."""
    values = {"cursor": pull.cursor, "round_started_at": pull.round_started_at, "claimed_until": None, **ends}
    InboxPull.objects.filter(pk=pull.pk).update(**values)
