"""Taking counts from the networks, and when.

1. ``discover_accounts`` and ``discover_posts`` find what is not followed yet: accounts without
   AccountPull, sent deliveries without PostMetrics. They look down and pull; nothing below tells us.
2. ``claim_accounts`` picks accounts with something due (``FOR UPDATE SKIP LOCKED``, so any number of
   beats may run), writes until when a worker has them and commits; the caller enqueues a task for each.
3. ``collect_account`` asks the network, outside any transaction, for the account's counts once an hour
   and for its due posts in batches, and commits after each answer. A worker that dies loses its claim,
   and what it had not taken is still due.
4. At the end the account's next time is computed under a lock on its row, so that a post discovered
   meanwhile is not forgotten.
"""

from __future__ import annotations

import bisect
import datetime as dt
import logging
import random
import uuid
from collections.abc import Sequence

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Min, Q
from django.db.models.functions import Least

from accounts.connecting import connector_for
from accounts.models import AccountStatus, SocialAccount
from accounts.services.social import mark_needs_reconnect
from analytics.models import TOLD_AS, AccountDay, AccountPull, PostMetrics, PostSnapshot
from analytics.selectors.figures import told_counts
from analytics.services.rollup import COUNTS
from connectors.base import Capability, Connector
from connectors.errors import (
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from core.time import to_local
from outbox.errors import StopReason
from outbox.models import Delivery, DeliveryKind, DeliveryState
from outbox.services.rates import Lane, block_until
from outbox.services.rates import blocked_until as lane_blocked_until
from outbox.services.usage import heeding

logger = logging.getLogger(__name__)

ACCOUNT_INTERVAL = dt.timedelta(hours=1)
EARLY = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
# (until this age, every so often)
LATER = (
    (dt.timedelta(days=2), dt.timedelta(hours=1)),
    (dt.timedelta(days=14), dt.timedelta(hours=6)),
    (dt.timedelta(days=90), dt.timedelta(days=1)),
)
FOLLOWED_FOR = LATER[-1][0]
# Older posts that come due within this time are taken along with the hourly call, to save calls.
TAKE_ALONG = dt.timedelta(minutes=30)

BATCH = 50  # posts asked for at once; a connector splits further where its network wants that
CLAIM_LEASE = dt.timedelta(minutes=10)
MAX_CLAIMED = 200  # accounts claimed and not finished, so that claims do not run out in the queue
DISCOVER_LIMIT = 1000
REFUSED_PAUSE = dt.timedelta(days=1)
UNTOLD_PAUSE = dt.timedelta(days=1)  # until it is looked whether an account was connected anew with counts
LONGEST_BACKOFF = dt.timedelta(hours=1)
_DISCOVERY_LOCK = 0x736D6D03  # advisory lock: one process discovers at a time


def next_pull(
    *, sent_at: dt.datetime, now: dt.datetime, least: dt.timedelta = dt.timedelta()
) -> dt.datetime | None:
    """The next instant after ``now`` at which a post sent at ``sent_at`` is asked for; None = no more.
    ``least``: no sooner than so long after ``now``."""
    now += least
    age = now - sent_at
    for after in EARLY:
        if age < after:
            return sent_at + after
    for until, every in LATER:
        if age < until:
            return sent_at + (age // every + 1) * every
    return None


def discover_accounts(*, now: dt.datetime) -> int:
    """Follow connected accounts that are not followed yet, from now on. Returns how many."""
    missing = SocialAccount.objects.filter(status=AccountStatus.ACTIVE, metrics_pull=None)
    pulls = [
        AccountPull(account_id=pk, next_at=now, account_next_at=now)
        for pk in missing.order_by("pk").values_list("pk", flat=True)[:DISCOVER_LIMIT]
    ]
    AccountPull.objects.bulk_create(pulls, ignore_conflicts=True)
    _look_anew(now)
    return len(pulls)


def _look_anew(now: dt.datetime) -> None:
    """An account that was connected again may tell what it did not tell before. What went wrong may have been
    before that or after: it is asked again in the first minute only."""
    since = Q(error="") | Q(account__connected_at__gt=now - dt.timedelta(minutes=1))
    AccountPull.objects.filter(
        since,
        account__status=AccountStatus.ACTIVE,
        account__connected_at__gt=F("taken_at"),
        account__connected_at__lte=now,
        account_next_at__gt=now,
    ).update(account_next_at=now, next_at=now)


def discover_posts(*, now: dt.datetime, since: dt.datetime) -> int:
    """Follow deliveries sent at or after ``since`` that are not followed yet. Returns how many."""
    with transaction.atomic():
        if not _try_lock(_DISCOVERY_LOCK):
            return 0
        fresh = list(
            Delivery.objects.filter(
                state=DeliveryState.SENT,
                kind=DeliveryKind.POST,
                sent_at__gte=max(since, now - FOLLOWED_FOR),
                metrics=None,
            )
            .exclude(remote_id="")
            .select_related("account")
            .order_by("sent_at")[:DISCOVER_LIMIT]
        )
        rows = [_followed(delivery) for delivery in fresh]
        PostMetrics.objects.bulk_create(rows, ignore_conflicts=True)
        times = [row.next_pull_at for row in rows if row.next_pull_at is not None]
        if times:
            accounts = AccountPull.objects.filter(account_id__in={row.account_id for row in rows})
            accounts.update(next_at=Least("next_at", min(times)))
    return len(rows)


def _followed(delivery: Delivery) -> PostMetrics:
    info = delivery.account.info
    may_tell = info.can(Capability.POST_METRICS) or any(
        Capability.POST_METRICS in one.capabilities for one in info.features
    )
    return PostMetrics(
        delivery=delivery,
        account_id=delivery.account_id,
        next_pull_at=_first_pull(delivery.account, delivery.sent_at)
        if may_tell and delivery.sent_at
        else None,
        sent_at=delivery.sent_at,
    )


def _first_pull(account: SocialAccount, sent_at: dt.datetime) -> dt.datetime | None:
    return next_pull(sent_at=sent_at, now=sent_at, least=_least(account))


def _least(account: SocialAccount) -> dt.timedelta:
    """No sooner than so long after it was read its network is to be asked again."""
    return dt.timedelta(seconds=account.info.counts_every_s)


def _try_lock(key: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [key])
        return bool(cursor.fetchone()[0])


def claim_accounts(*, now: dt.datetime, most: int = MAX_CLAIMED) -> list[uuid.UUID]:
    """Accounts with something due, now claimed for one worker each, the longest overdue first."""
    with transaction.atomic():
        room = most - AccountPull.objects.filter(claimed_until__gt=now).count()
        due = (
            AccountPull.objects.due(now).order_by("next_at").select_for_update(of=("self",), skip_locked=True)
        )
        ids = [pull.pk for pull in due[: max(room, 0)]]
        AccountPull.objects.filter(pk__in=ids).update(claimed_until=now + CLAIM_LEASE)
    return ids


def collect_account(*, account_id: uuid.UUID, now: dt.datetime) -> None:
    """Take everything that is due of one account, and note what the network said if it did not work out."""
    pull = AccountPull.objects.select_related("account__brand").filter(pk=account_id).first()
    if pull is None:
        return
    if not pull.account.is_active:
        _finish(pull)
        return
    error, detail, blocked_until, failures = "", "", None, 0
    untold = "" if pull.error else pull.error_detail  # until posts are asked for again
    try:
        connector = connector_for(pull.account)
        with heeding(pull.account, clock=lambda: now, is_reading=True):
            blocked_until = _waits_until(pull, now)
            if pull.account_next_at <= now and blocked_until is None:
                error, detail = _take_account(pull, connector, now)
                blocked_until = _waits_until(pull, now)
            while blocked_until is None and (batch := _due_posts(pull, now)):
                _take_posts(pull.account, connector, batch, now)
                untold = connector.untold
                blocked_until = _waits_until(pull, now)
    except NeedsReconnect as refusal:
        error, detail = StopReason.NEEDS_RECONNECT, refusal.detail
        mark_needs_reconnect(account=pull.account, detail=refusal.detail, now=now)
    except RateLimited as refusal:
        error, detail = StopReason.RATE_LIMITED, refusal.detail
        blocked_until = max(refusal.retry_at, now + EARLY[0])
        block_until(account=pull.account, until=blocked_until, of_app=refusal.of_app, lanes=(Lane.READING,))
    except (Temporary, OutcomeUnknown) as refusal:
        # Reading twice does no harm, so an unclear answer is no different from none.
        error, detail, failures = StopReason.TEMPORARY, refusal.detail, pull.failures + 1
        blocked_until = now + _backoff(failures)
    except (OperationalError, InterfaceError):
        raise
    except Exception as mistake:
        # Of ours, or an answer that nobody foresaw: the page of the account must say so.
        logger.exception("the counts of account %s were not read", account_id)
        error, detail, failures = StopReason.PROGRAM_ERROR, type(mistake).__name__, pull.failures + 1
        blocked_until = now + _backoff(failures)
    _finish(
        pull,
        error=error,
        error_detail=detail if error else untold,
        blocked_until=blocked_until,
        failures=failures,
        taken_at=now if blocked_until is None and not error else pull.taken_at,
    )


def _waits_until(pull: AccountPull, now: dt.datetime) -> dt.datetime | None:
    """Until when the network has no room for reading, spread out a little: others wait for the same."""
    until = lane_blocked_until(account=pull.account, now=now, lane=Lane.READING)
    return until + (until - now) * random.uniform(0, 0.1) if until else None


def _backoff(failures: int) -> dt.timedelta:
    """1, 2, 4 ... minutes, at most an hour; up to a quarter more, so that accounts do not return at once."""
    wait = min(dt.timedelta(minutes=2 ** min(failures - 1, 6)), LONGEST_BACKOFF)
    return wait * random.uniform(1.0, 1.25)


def _finish(pull: AccountPull, **changes: object) -> None:
    """Give the claim back and say when the account is due next."""
    with transaction.atomic():
        row = AccountPull.objects.select_for_update().get(pk=pull.pk)
        posts_next_at = PostMetrics.objects.filter(account_id=pull.pk, next_pull_at__isnull=False).aggregate(
            at=Min("next_pull_at")
        )["at"]
        row.account_next_at = pull.account_next_at
        row.next_at = min(row.account_next_at, posts_next_at or row.account_next_at)
        row.claimed_until = None
        for name, value in changes.items():
            setattr(row, name, value)
        row.save()


def _take_account(pull: AccountPull, connector: Connector, now: dt.datetime) -> tuple[str, str]:
    """Today's row of the account. Returns the code and words of a refusal that stands, ("", "") if none."""
    account = pull.account
    if not account.info.can(Capability.ACCOUNT_METRICS):
        pull.account_next_at = now + REFUSED_PAUSE
        return "", ""
    try:
        counts = connector.fetch_account_metrics()
    except Rejected as refusal:
        pull.account_next_at = now + REFUSED_PAUSE
        return refusal.reason, refusal.detail
    AccountDay.objects.bulk_create(
        [
            AccountDay(
                account=account,
                date=to_local(now, account.brand.timezone).date(),
                followers=counts.followers,
                following=counts.following,
                posts=counts.posts,
                taken_at=now,
            )
        ],
        update_conflicts=True,
        unique_fields=["account", "date"],
        update_fields=["followers", "following", "posts", "taken_at"],
    )
    pull.account_next_at = now + max(ACCOUNT_INTERVAL, _least(account))
    return "", ""


def _not_newer(now: dt.datetime) -> Q:
    """A worker that was stopped for long and wakes up must not write over newer counts."""
    return Q(taken_at__isnull=True) | Q(taken_at__lt=now)


def _due_posts(pull: AccountPull, now: dt.datetime) -> list[PostMetrics]:
    old = Q(next_pull_at__lte=now + TAKE_ALONG, delivery__sent_at__lte=now - LATER[0][0])
    rows = PostMetrics.objects.filter(Q(next_pull_at__lte=now) | old, _not_newer(now), account_id=pull.pk)
    return list(rows.select_related("delivery").order_by("next_pull_at")[:BATCH])


def _take_posts(
    account: SocialAccount, connector: Connector, batch: Sequence[PostMetrics], now: dt.datetime
) -> None:
    """Ask for a batch of posts and write what comes back; each of them leaves the due ones."""
    if not account.info.can(Capability.POST_METRICS):  # it was connected without; it may be again with
        for row in batch:
            row.next_pull_at = now + UNTOLD_PAUSE if _is_followed(row, now) else None
        PostMetrics.objects.bulk_update(batch, ["next_pull_at"])
        return
    try:
        counts = connector.fetch_post_metrics([row.delivery.remote_id for row in batch])
    except Rejected as refusal:
        if len(batch) > 1 and refusal.reason in {RejectReason.NOT_FOUND, RejectReason.INVALID}:
            # One post spoils the batch: halve it until that one stands alone.
            middle = len(batch) // 2
            _take_posts(account, connector, batch[:middle], now)
            _take_posts(account, connector, batch[middle:], now)
            return
        for row in batch:
            row.is_gone = row.is_gone or refusal.reason is RejectReason.NOT_FOUND
            row.next_pull_at = now + REFUSED_PAUSE if _is_followed(row, now) else None
        PostMetrics.objects.bulk_update(batch, ["is_gone", "next_pull_at"])
        return
    followers = _FollowerHistory(account)
    kept = told_counts(account.info) & set(COUNTS)
    snapshots = []
    for row in batch:
        found = counts.get(row.delivery.remote_id)
        row.is_gone = found is None
        row.next_pull_at = _next_of(row, now, _least(account))
        if found is not None:
            values = {name: getattr(found, told) for name, told in TOLD_AS.items()}
            # What a network leaves out for once is not gone: it would be gained again with the next answer.
            values |= {name: getattr(row, name) for name in kept if values[name] is None}
            snapshots.append(PostSnapshot(delivery_id=row.delivery_id, taken_at=now, **values))
            row.taken_at = now
            for name, value in values.items():
                setattr(row, name, value)
            if row.followers_at_post is None:
                row.followers_at_post = followers.at(row.delivery, now)
    with transaction.atomic():
        PostSnapshot.objects.bulk_create(snapshots, ignore_conflicts=True)
        _write_latest(batch, now)


# One statement with arrays: Django's own bulk update writes a CASE for every row and field, which takes
# longer than everything else here together.
_LATEST = dict.fromkeys((*TOLD_AS, "followers_at_post"), "bigint") | {
    "taken_at": "timestamptz",
    "next_pull_at": "timestamptz",
    "is_gone": "boolean",
}
_WRITE_LATEST = """
UPDATE analytics_postmetrics m SET {fields}
FROM unnest(%s::uuid[], {types}) AS v(delivery_id, {names})
WHERE m.delivery_id = v.delivery_id AND (m.taken_at IS NULL OR m.taken_at < %s)
""".format(
    fields=", ".join(f"{name} = v.{name}" for name in _LATEST),
    types=", ".join(f"%s::{kind}[]" for kind in _LATEST.values()),
    names=", ".join(_LATEST),
)


def _write_latest(batch: Sequence[PostMetrics], now: dt.datetime) -> None:
    """The newest counts of each post, unless a faster worker has written newer ones."""
    columns = [[getattr(row, name) for row in batch] for name in _LATEST]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE_LATEST, [[row.delivery_id for row in batch], *columns, now])


def _is_followed(row: PostMetrics, now: dt.datetime) -> bool:
    return row.delivery.sent_at is not None and now - row.delivery.sent_at < FOLLOWED_FOR


def _next_of(row: PostMetrics, now: dt.datetime, least: dt.timedelta) -> dt.datetime | None:
    sent_at = row.delivery.sent_at
    if sent_at is None or (row.is_gone and now - sent_at > dt.timedelta(days=1)):
        return None  # for a day it may merely not have arrived at the server that answers
    # A little ahead: a row taken along early is not due again at its own time a few minutes later.
    ahead = TAKE_ALONG if now - sent_at >= LATER[0][0] else dt.timedelta()
    return next_pull(sent_at=sent_at, now=now, least=max(ahead, least))


class _FollowerHistory:
    """The followers of one account by date, read once."""

    def __init__(self, account: SocialAccount) -> None:
        self._zone = account.brand.timezone
        rows = AccountDay.objects.for_account(account).filter(followers__isnull=False).order_by("date")
        self._days = list(rows.values_list("date", "followers"))

    def at(self, delivery: Delivery, now: dt.datetime) -> int | None:
        """Followers on the day of sending or the last one before; those of today for a post of the last day,
        which is how an account begins that we have only just met."""
        if delivery.sent_at is None or not self._days:
            return None
        date = to_local(delivery.sent_at, self._zone).date()
        place = bisect.bisect_right([day for day, _ in self._days], date)
        if place:
            return self._days[place - 1][1]
        return self._days[0][1] if now - delivery.sent_at <= dt.timedelta(days=1) else None
