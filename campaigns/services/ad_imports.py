"""Costs of ad accounts: read from the platform, and stored as entries of spend that replace those of before.

One import, step by step:

1. A worker claims the account, and its sign-in: one process works with the tokens of a sign-in, so that a
   refresh token is never used twice. The claim has an end and a number.
2. The last 30 days are read to their end, outside any transaction. An error leaves everything as it was.
3. In one transaction, if the number is still that of the claim: campaigns are noted, and for each that a
person has assigned, entries of these days become what the platform says now. Platforms correct past days.

An entry is named by ad account, ad campaign, day and attribution window, so a repetition changes nothing.
Days whose costs were entered by hand or from a file for the same network are left out: nothing counts
twice. Of an ad campaign that the platform no longer tells of at all, the entries stay.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse

from accounts.models import AccountStatus, NotificationKind
from accounts.permissions import Action
from accounts.selectors import people_allowed
from accounts.services.audit import record
from accounts.services.notifications import notify
from campaigns.models import (
    AdAccount,
    AdCampaign,
    AdCredential,
    Campaign,
    CostKind,
    Source,
    SpendEntry,
)
from campaigns.services.ad_accounts import connector_of, refreshed
from connectors.ads.base import AdDay, known_days
from connectors.errors import ConnectorError, NeedsReconnect, RateLimited, Rejected, Temporary
from core.money import rounded
from core.time import instant_of, to_local

DAYS = 30
# Longer than any import takes; one that runs for so long was given up by its worker.
LEASE = dt.timedelta(hours=1)
NIGHT = dt.time(5)  # of the ad account's zone: the day before is over, and counted
AGAIN_AFTER = dt.timedelta(hours=1)
SHORTEST_WAIT = dt.timedelta(minutes=1)
REFRESH_AHEAD = dt.timedelta(hours=1)
_TELL_EVERY = 50

Progress = Callable[[int], None]
logger = logging.getLogger(__name__)

Clock = Callable[[], dt.datetime]


class OtherMoney(Exception):
    """The platform reports in another currency than the ad account was connected with."""


@dataclass(frozen=True, slots=True)
class Claim:
    account: AdAccount
    credential_id: uuid.UUID
    fence: int


@dataclass(slots=True)
class Counts:
    """What an import did with entries. ``left_out``: days whose costs were entered otherwise."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    left_out: int = 0


def quietly(_rows: int) -> None:
    return None


def due_credentials(now: dt.datetime) -> list[uuid.UUID]:
    """Sign-ins with ad accounts that are due."""
    due = AdAccount.objects.due(now).filter(credential__isnull=False)
    return list(due.order_by().values_list("credential", flat=True).distinct())


def claim(*, credential_id: uuid.UUID, now: dt.datetime) -> Claim | None:
    """The next account of a sign-in that is due, taken; None while somebody works with the sign-in."""
    with transaction.atomic(durable=True):
        credential = AdCredential.objects.select_for_update().filter(pk=credential_id).first()
        if credential is None or (credential.refreshing_until and credential.refreshing_until > now):
            return None
        account = AdAccount.objects.due(now).filter(credential=credential).order_by("import_at", "pk").first()
        if account is None:
            return None
        AdCredential.objects.filter(pk=credential.pk).update(refreshing_until=now + LEASE)
        AdAccount.objects.filter(pk=account.pk).update(
            importing_until=now + LEASE, import_fence=F("import_fence") + 1, tried_at=now
        )
    rows = AdAccount.objects.select_related("brand__organization", "credential__app")
    taken = rows.get(pk=account.pk)
    return Claim(taken, credential_id, taken.import_fence)


def carry_out(*, claim: Claim, clock: Clock, progress: Progress = quietly) -> None:
    """What went wrong is kept with the account, in a code and the platform's words. Must be called outside a
    transaction."""
    try:
        _carry_out(claim, clock, progress)
    except Exception:
        # Of one account: the others of its sign-in must not wait for it, and the platform is not asked for
        # the same again every few minutes.
        logger.exception("the costs of ad account %s were not imported", claim.account.pk)
        _failed(claim, "program_error", None, clock())
    finally:
        with transaction.atomic(durable=True):
            # The sign-in before its accounts, as everywhere: nobody waits for the other.
            signed_in = AdCredential.objects.select_for_update().filter(pk=claim.credential_id).first()
            mine = AdAccount.objects.filter(pk=claim.account.pk, import_fence=claim.fence)
            if mine.update(importing_until=None) and signed_in is not None:
                AdCredential.objects.filter(pk=signed_in.pk).update(refreshing_until=None)


def _carry_out(claim: Claim, clock: Clock, progress: Progress) -> None:
    account = claim.account
    last = to_local(clock(), account.time_zone or "UTC").date()
    first = last - dt.timedelta(days=DAYS - 1)
    try:
        days = known_days(_read(account, first, last, clock, progress))
        if any(day.currency not in {"", account.currency} for day in days.values()):
            raise OtherMoney
    except NeedsReconnect as error:
        _lost(claim, error, clock())
    except RateLimited as error:
        _failed(claim, "limited", error, clock(), again=max(error.retry_at, clock() + SHORTEST_WAIT))
    except Temporary as error:
        _failed(claim, "temporary", error, clock(), again=clock() + AGAIN_AFTER)
    except Rejected as error:
        _failed(claim, str(error.reason), error, clock())
    except OtherMoney:
        _failed(claim, "other_currency", None, clock())
    else:
        _store(claim, days, first, last, clock())


def _read(account: AdAccount, first: dt.date, last: dt.date, clock: Clock, progress: Progress) -> list[AdDay]:
    """All of it, or an error. Tokens that end soon, or are not taken, are renewed once."""
    connector, credential = connector_of(account), account.credential
    assert credential is not None  # noqa: S101 - connector_of has refused it
    is_fresh = False
    ends_at = connector.tokens.expires_at
    if ends_at is not None and connector.tokens.refresh_token and ends_at < clock() + REFRESH_AHEAD:
        connector = refreshed(connector, credential=credential, now=clock())
        is_fresh = True
    for is_last in (is_fresh, True):
        found: list[AdDay] = []
        progress(0)
        try:
            for day in connector.fetch_days(account.remote_id, first, last, window=account.window):
                found.append(day)
                if len(found) % _TELL_EVERY == 0:
                    progress(len(found))
        except NeedsReconnect:
            if is_last:
                raise
            connector = refreshed(connector, credential=credential, now=clock())
        else:
            return found
    raise AssertionError("the second time either returns or raises")


# --- storing ----------------------------------------------------------------------------------


def _store(
    claim: Claim, days: Mapping[tuple[str, dt.date], AdDay], first: dt.date, last: dt.date, now: dt.datetime
) -> None:
    by_campaign: dict[str, list[AdDay]] = defaultdict(list)
    for day in days.values():
        by_campaign[day.campaign_id].append(day)
    with transaction.atomic():
        account = _mine(claim)
        if account is None:
            return
        work = _Replacing(account, (first, last), now)
        rows = _noted(account, by_campaign)
        # In one order everywhere, so that two imports never wait for one another.
        ids = sorted({row.campaign_id for row in rows if row.campaign_id is not None})
        campaigns = {
            one.pk: one for one in Campaign.objects.select_for_update().filter(pk__in=ids).order_by("pk")
        }
        for row in rows:
            if row.campaign_id in campaigns and row.remote_id in by_campaign:
                work.replace(row, campaigns[row.campaign_id], by_campaign[row.remote_id])
        AdAccount.objects.filter(pk=account.pk).update(
            imported_at=now,
            # Somebody may have asked for another one meanwhile.
            import_at=_next_night(account, now) if account.import_at == claim.account.import_at else now,
            problem="",
            problem_detail="",
            result={
                "first": first.isoformat(),
                "last": last.isoformat(),
                "days": len(days),
                **asdict(work.counts),
            },
        )


def _mine(claim: Claim) -> AdAccount | None:
    """The account, locked, if this import is still the one that counts. Somebody may have asked for another
    since: then it comes right after."""
    rows = AdAccount.objects.select_for_update(of=("self",)).select_related("brand__organization")
    return rows.filter(
        pk=claim.account.pk,
        import_fence=claim.fence,
        status=AccountStatus.ACTIVE,
        window=claim.account.window,
        currency=claim.account.currency,
    ).first()


def _noted(account: AdAccount, by_campaign: Mapping[str, list[AdDay]]) -> list[AdCampaign]:
    """Every campaign of the account, with the numbers of this report."""
    known = {row.remote_id: row for row in AdCampaign.objects.filter(account=account)}
    fresh = [
        AdCampaign(account=account, remote_id=remote_id)
        for remote_id in sorted(by_campaign)
        if remote_id not in known
    ]
    for row in [*known.values(), *fresh]:
        days = by_campaign.get(row.remote_id, [])
        row.spend_seen = rounded(sum((day.spend for day in days), Decimal(0)), account.currency or "XXX")
        row.impressions = _sum(day.impressions for day in days)
        row.clicks = _sum(day.clicks for day in days)
        told = [day.conversions for day in days if day.conversions is not None]
        row.conversions = sum(told, Decimal(0)) if told else None
        row.left_out = 0
        if days:
            latest = max(days, key=lambda day: day.date)
            row.name, row.last_day = latest.campaign_name[:255], latest.date
    AdCampaign.objects.bulk_create(fresh)
    numbers = ["name", "last_day", "spend_seen", "impressions", "clicks", "conversions", "left_out"]
    AdCampaign.objects.bulk_update(known.values(), numbers)
    return [*known.values(), *fresh]


def _sum(numbers: Iterable[int | None]) -> int | None:
    told = [one for one in numbers if one is not None]
    return sum(told) if told else None


@dataclass(slots=True)
class _Replacing:
    """Entries of these days become what the platform says."""

    account: AdAccount
    span: tuple[dt.date, dt.date]
    now: dt.datetime
    counts: Counts = field(default_factory=Counts)

    def replace(self, row: AdCampaign, campaign: Campaign, days: Iterable[AdDay]) -> None:
        if campaign.currency != self.account.currency:
            return  # somebody changed it before anything was spent: the page says so
        wanted = self._wanted(row, campaign, days)
        present = {
            entry.external_id: entry
            for entry in SpendEntry.objects.select_for_update().filter(ad_campaign=row, date__range=self.span)
        }
        fresh = [
            SpendEntry(
                campaign=campaign,
                ad_campaign=row,
                kind=CostKind.MEDIA,
                date=date,
                amount=amount,
                platform=self.account.info.network,
                note=row.name,
                source=Source.ADS,
                external_id=name,
                created_at=self.now,
            )
            for name, (date, amount) in wanted.items()
            if name not in present
        ]
        changed = []
        for name in present.keys() & wanted.keys():
            entry, amount = present[name], wanted[name][1]
            if (entry.amount, entry.note) != (amount, row.name):
                self.counts.changed += entry.amount != amount
                entry.amount, entry.note = amount, row.name
                changed.append(entry)
        gone = [present[name].pk for name in present.keys() - wanted.keys()]
        SpendEntry.objects.filter(pk__in=gone).delete()
        SpendEntry.objects.bulk_update(changed, ["amount", "note"])
        SpendEntry.objects.bulk_create(fresh)
        self.counts.added += len(fresh)
        self.counts.removed += len(gone)

    def _wanted(
        self, row: AdCampaign, campaign: Campaign, days: Iterable[AdDay]
    ) -> dict[str, tuple[dt.date, Decimal]]:
        """Date and amount by name, without days that cost nothing or were entered otherwise."""
        entered = _entered(self.account, campaign, self.span)
        spent = [(day, rounded(day.spend, campaign.currency)) for day in days]
        left_out = sum(1 for day, amount in spent if amount and day.date in entered)
        if left_out:
            self.counts.left_out += left_out
            AdCampaign.objects.filter(pk=row.pk).update(left_out=left_out)
        return {
            entry_name(self.account, day): (day.date, amount)
            for day, amount in spent
            if amount and day.date not in entered
        }


def entry_name(account: AdAccount, day: AdDay) -> str:
    """The same for the same ad account, ad campaign, day and attribution window."""
    parts = (account.platform, account.remote_id, day.campaign_id, str(day.date), day.attribution_window)
    name = ":".join(parts)
    return name if len(name) <= 120 else f"hash:{hashlib.sha256(name.encode()).hexdigest()}"


def _entered(account: AdAccount, campaign: Campaign, span: tuple[dt.date, dt.date]) -> set[dt.date]:
    """Days whose costs for the same network were entered by hand or from a file."""
    rows = SpendEntry.objects.filter(
        ~Q(source=Source.ADS), campaign=campaign, kind=CostKind.MEDIA, date__range=span
    )
    return {
        date
        for date, platform in rows.values_list("date", "platform")
        if account.info.is_filed_under(platform)
    }


def _next_night(account: AdAccount, now: dt.datetime) -> dt.datetime:
    zone = account.time_zone or "UTC"
    today = to_local(now, zone).date()
    night = instant_of(dt.datetime.combine(today, NIGHT), zone)
    if night > now:
        return night
    return instant_of(dt.datetime.combine(today + dt.timedelta(days=1), NIGHT), zone)


# --- what went wrong --------------------------------------------------------------------------


def _failed(
    claim: Claim,
    problem: str,
    error: ConnectorError | None,
    now: dt.datetime,
    *,
    again: dt.datetime | None = None,
) -> None:
    """Tried again at ``again``, else next night; a person may ask for it before."""
    mine = AdAccount.objects.filter(
        pk=claim.account.pk, import_fence=claim.fence, connected_at=claim.account.connected_at
    ).exclude(status=AccountStatus.DISCONNECTED)
    with transaction.atomic():
        mine.update(problem=problem, problem_detail=error.detail[:1000] if error else "")
        # Unless somebody asked for another one meanwhile.
        mine.filter(import_at=claim.account.import_at, status=AccountStatus.ACTIVE).update(
            import_at=again or _next_night(claim.account, now)
        )


def _lost(claim: Claim, error: NeedsReconnect, now: dt.datetime) -> None:
    """Nothing is tried any more until somebody signs in; those who can are told."""
    account = claim.account
    with transaction.atomic():
        changed = AdAccount.objects.filter(
            pk=account.pk,
            import_fence=claim.fence,
            status=AccountStatus.ACTIVE,
            connected_at=account.connected_at,
        ).update(
            status=AccountStatus.NEEDS_RECONNECT,
            problem="reconnect",
            problem_detail=error.detail[:1000],
            import_at=None,
        )
        if not changed:
            return
        record(
            organization=account.brand.organization,
            actor=None,
            action="spend.ad_account_lost",
            subject=account,
            detail={"network": account.info.name, "brand": account.brand.name, "reason": error.detail[:300]},
            now=now,
        )
        notify(
            organization=account.brand.organization,
            users=people_allowed(brand=account.brand, action=Action.CONNECT_ACCOUNTS),
            kind=NotificationKind.ACCOUNT_LOST,
            context={"account": account.name, "network": account.info.name},
            url=reverse("campaigns:ad_account", args=[account.pk]),
            about=account.brand,
            dedupe_key=f"ad_account_lost:{account.pk}:{now:%Y%m%d%H%M%S}",
            now=now,
        )
