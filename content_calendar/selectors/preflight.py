"""What would keep planned posts from going out as planned, found before their time comes."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from uuid import UUID

from django.core.files.storage import default_storage
from django.db.models import Exists, F, OuterRef, Prefetch, QuerySet

from accounts.connecting import amounts_of
from accounts.models import AccountStatus, Brand, Membership, SocialAccount
from accounts.selectors import known_networks
from connectors.base import ConnectMethod, Json, Rate
from connectors.errors import RejectReason
from connectors.text import check_payload
from content_calendar.models import MediaState, PreflightLevel, PreflightProblem
from content_calendar.models import PreflightCode as Code
from content_calendar.selectors.likeness import had_before
from content_calendar.selectors.videos import waiting_for
from outbox.models import Delivery, DeliveryState, QuietPeriod, ReceiptEvent, ReceiptKind
from outbox.payloads import thaw, words_of
from outbox.public_media import unreachable
from outbox.selectors import limit_of, may_still_send, open_pause_of

# Looked at in one check; the page says when a brand has more.
MOST = 2000
# Two posts of one account closer than this are worth a look.
COLLISION = dt.timedelta(minutes=10)
_WAITING = (DeliveryState.SCHEDULED, DeliveryState.HELD)
# A code's level, where it is not that of a post that fails.
LEVELS: dict[str, PreflightLevel] = {
    Code.QUIET: PreflightLevel.HELD,
    Code.PAUSED: PreflightLevel.HELD,
    Code.QUOTA: PreflightLevel.LOOK,
    Code.COLLISION: PreflightLevel.LOOK,
    Code.DUPLICATE: PreflightLevel.LOOK,
    Code.SCOPES: PreflightLevel.LOOK,
    Code.MEDIA_PREPARING: PreflightLevel.LOOK,
    Code.NOT_ASKED: PreflightLevel.LOOK,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem of one delivery. ``detail`` is plain JSON: what its sentence needs."""

    delivery: Delivery
    code: Code
    detail: Json = field(default_factory=dict)

    @property
    def level(self) -> PreflightLevel:
        return LEVELS.get(self.code, PreflightLevel.FAILS)


def planned(brand: Brand, start: dt.datetime, end: dt.datetime) -> QuerySet[Delivery]:
    """The posts of a brand that are to go out in [start, end), the next one first."""
    return (
        Delivery.objects.for_brand(brand)
        .posts()
        .filter(state__in=_WAITING, due_at__gte=start, due_at__lt=end, variant__post__deleted_at__isnull=True)
        .select_related("account__brand", "brand")
        .order_by("due_at", "pk")
    )


def find_problems(brand: Brand, deliveries: Sequence[Delivery], now: dt.datetime) -> list[Finding]:
    """Everything that stands in the way of ``deliveries`` (of ``planned``, all of the stretch of time), by
    what is known at ``now``. The queries grow with accounts and people, not with posts."""
    found: list[Finding] = []
    by_account: dict[UUID, list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        by_account[delivery.account_id].append(delivery)
    for rows in by_account.values():
        account = rows[0].account
        found += _of_account(account, rows)
        found += _collisions(rows)
        found += _quota(account, rows)
    found += content_problems(deliveries)
    found += _quiet(brand, deliveries)
    found += _people(deliveries)
    found += _duplicates(deliveries, now)
    return found


def _of_account(account: SocialAccount, rows: Sequence[Delivery]) -> Iterable[Finding]:
    """Its access at the time of each post, what it was granted, and whether it is paused."""
    pause = open_pause_of(account)
    missing = _missing_scopes(account)
    for delivery in rows:
        if account.status != AccountStatus.ACTIVE:
            yield Finding(delivery, Code.ACCOUNT_LOST)
        elif (end := account.connection_expires_at) is not None and end <= delivery.due_at:
            yield Finding(delivery, Code.CONNECTION_ENDS, {"at": end.isoformat()})
        elif missing:
            yield Finding(delivery, Code.SCOPES, {"scopes": missing})
        if pause is not None:
            yield Finding(delivery, Code.PAUSED, {"pause": str(pause.pk), "reason": pause.reason})


def _missing_scopes(account: SocialAccount) -> list[str]:
    """Permissions that we ask this network for and the account did not give. A wide one (``write``) holds
    the narrow ones (``write:media``). Where nobody is asked, there is nothing to miss; nor is there of what
    may be left out when an account is connected."""
    info = known_networks()[account.platform]
    if info.connect_method is not ConnectMethod.OAUTH or not account.scopes:
        return []
    given = set(account.scopes)
    required = [scope for one in info.features if one.is_required for scope in one.scopes]
    wanted = dict.fromkeys(required) if info.features else info.scopes
    return [scope for scope in wanted if scope not in given and scope.split(":")[0] not in given]


def _collisions(rows: Sequence[Delivery]) -> Iterable[Finding]:
    for earlier, later in itertools.pairwise(rows):
        if later.due_at - earlier.due_at < COLLISION:
            detail = {"at": earlier.due_at.isoformat(), "excerpt": words_of(earlier.payload)[:80]}
            yield Finding(later, Code.COLLISION, detail)


def _quota(account: SocialAccount, rows: Sequence[Delivery]) -> Iterable[Finding]:
    """Where a network's limit is known: what was sent and is planned within its window, up to each post."""
    for rate in account.info.rates:
        if rate.name in ("posts", "publications", "replies", "reels", "media"):
            yield from _of_rate(account, rate, rows)


def _of_rate(account: SocialAccount, rate: Rate, rows: Sequence[Delivery]) -> Iterable[Finding]:
    limit = limit_of(account, rate)
    window = dt.timedelta(seconds=rate.window_s)
    since = rows[0].due_at - window
    sent = (
        Delivery.objects.posts()
        .filter(account=account, state=DeliveryState.SENT, sent_at__gt=since)
        .order_by("sent_at")
        .values_list("sent_at", "payload")
    )
    used = [(at, _amount(account, payload, rate)) for at, payload in sent[:MOST] if at is not None]
    for delivery in rows:
        amount = _amount(account, delivery.payload, rate)
        used = [(at, some) for at, some in used if at > delivery.due_at - window]
        if amount and sum(some for _at, some in used) >= limit:
            yield Finding(delivery, Code.QUOTA, {"limit": limit, "seconds": rate.window_s})
        used.append((delivery.due_at, amount))


def _amount(account: SocialAccount, payload: Json, rate: Rate) -> int:
    # What was sent and forgotten since has no words any more.
    return amounts_of(account, thaw(payload)).get(rate.name, 0) if payload.get("parts") else 0


def content_problems(deliveries: Sequence[Delivery]) -> Iterable[Finding]:
    """The files are there, and the network takes what was frozen by the limits that it has now."""
    is_there: dict[str, bool] = {}
    frozen = {
        m["storage_key"]
        for d in deliveries
        for part in d.payload.get("parts", ())
        for m in part.get("media", ())
    }
    unmade = waiting_for(frozen)
    for delivery in deliveries:
        keys = {m["storage_key"] for part in delivery.payload.get("parts", ()) for m in part.get("media", ())}
        copies = [unmade[key] for key in keys & unmade.keys()]
        if any(copy.state == MediaState.BROKEN for copy in copies):
            yield Finding(delivery, Code.MEDIA_FAILED)
        elif copies:
            yield Finding(delivery, Code.MEDIA_PREPARING, {"percent": min(copy.progress for copy in copies)})
        keys -= unmade.keys()
        for key in keys - is_there.keys():
            is_there[key] = default_storage.exists(key)
        if not all(is_there[key] for key in keys):
            yield Finding(delivery, Code.MEDIA_MISSING)
        payload, info = thaw(delivery.payload), delivery.account.info
        for problem in (*check_payload(payload, info), *unreachable(payload, info)):
            could = known_networks()[delivery.account.platform].capabilities
            if problem.reason is RejectReason.NOT_SUPPORTED and could - delivery.account.info.capabilities:
                yield Finding(delivery, Code.NOT_GRANTED)
            else:
                yield Finding(delivery, Code.CONTENT, asdict(problem) | {"reason": str(problem.reason)})


def _quiet(brand: Brand, deliveries: Sequence[Delivery]) -> Iterable[Finding]:
    if not deliveries:
        return
    first, last = deliveries[0].due_at, deliveries[-1].due_at
    rows = QuietPeriod.objects.for_brand(brand).between(first, last + dt.timedelta(microseconds=1))
    periods = list(rows.order_by("-ends_at"))
    for delivery in deliveries:
        for period in periods:
            if period.starts_at <= delivery.due_at < period.ends_at:
                detail = {"at": period.ends_at.isoformat(), "excerpt": period.note, "after": period.after}
                yield Finding(delivery, Code.QUIET, detail)
                break


def _people(deliveries: Sequence[Delivery]) -> Iterable[Finding]:
    """Whoever scheduled it may still publish for the brand."""
    may: dict[int | None, bool] = {}
    for delivery in deliveries:
        who = delivery.scheduled_by_id
        if who not in may:
            may[who] = may_still_send(delivery)
        if not may[who]:
            yield Finding(delivery, Code.NOT_ALLOWED)


def _duplicates(deliveries: Sequence[Delivery], now: dt.datetime) -> Iterable[Finding]:
    """The same words on the same account, or nearly the same: planned before it, or sent lately."""
    before = had_before(deliveries, now=now)
    for delivery in deliveries:
        if found := before.get(delivery.pk):
            yield Finding(delivery, Code.DUPLICATE, {"at": found.at.isoformat(), "is_same": found.is_same})


# --- what was found ---------------------------------------------------------------------------


def standing(membership: Membership, brand: Brand | None) -> QuerySet[PreflightProblem]:
    """Problems of the last checks whose post still waits and was not changed or moved since."""
    changed = ReceiptEvent.objects.filter(
        delivery=OuterRef("delivery"),
        kind__in=[ReceiptKind.CHANGED, ReceiptKind.RESCHEDULED, ReceiptKind.RESUMED],
        at__gt=OuterRef("preflight__checked_at"),
    )
    rows = PreflightProblem.objects.for_member(membership).filter(
        ~Exists(changed),
        delivery__state__in=_WAITING,
        delivery__variant__post__deleted_at__isnull=True,
        preflight__brand=F("delivery__brand"),
    )
    return rows.filter(preflight__brand=brand) if brand else rows


def problem_posts(membership: Membership, brand: Brand | None) -> QuerySet[Delivery]:
    """Deliveries with problems that stand, the next one first; ``preflight_problems`` has the worst first."""
    problems = standing(membership, brand)
    return (
        Delivery.objects.for_member(membership)
        .filter(pk__in=problems.values("delivery"))
        .select_related("account", "brand", "variant__post")
        .prefetch_related(Prefetch("preflight_problems", problems.order_by("level", "pk")))
        .order_by("due_at", "pk")
    )


def count_failing(membership: Membership, brand: Brand | None) -> int:
    """How many deliveries will fail unless somebody does something."""
    rows = standing(membership, brand).filter(level=PreflightLevel.FAILS)
    return rows.values("delivery").distinct().count()
