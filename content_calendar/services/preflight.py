"""Pre-flight: what is planned for the coming days is checked each evening and whenever somebody asks."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction
from django.urls import reverse

from accounts.models import Brand, NotificationKind, User
from accounts.services.notifications import notify
from content_calendar.models import Preflight, PreflightLevel, PreflightProblem
from content_calendar.selectors.preflight import MOST, Finding, find_problems, planned
from content_calendar.services.dry_runs import ASKED_FOR_S, ask_networks
from core.time import day_range, to_local
from outbox.selectors import people_to_tell

DAYS = 3  # so many coming days, besides what is left of today
# From this hour on, in the zone of the brand, the check of the evening is due.
EVENING_HOUR = 18


def check_brand(
    *, brand: Brand, now: dt.datetime, days: int = DAYS, asked_for_s: float = ASKED_FOR_S
) -> Preflight:
    """Look at everything planned until the end of the ``days``-th coming day in the brand's zone, and ask the
    networks that can be asked. What an earlier check found is replaced. Must be called outside a
    transaction."""
    asked = _asked(brand, now=now, days=days, asked_for_s=asked_for_s)
    with transaction.atomic():
        row = _locked(brand, now)
        _check(row, brand, asked, now=now, days=days)
    return row


def check_evening(*, brand: Brand, now: dt.datetime) -> bool:
    """The check of this evening, once for each date of the brand's zone, however often it is asked for: those
    responsible for posts that will not go out as planned hear of it. Returns whether it was this call that
    did it. Must be called outside a transaction."""
    local = to_local(now, brand.timezone)
    done = Preflight.objects.filter(brand=brand, evening_date__gte=local.date())
    if local.hour < EVENING_HOUR or done.exists():
        return False
    asked = _asked(brand, now=now, days=DAYS)
    with transaction.atomic():
        row = _locked(brand, now)
        if row.evening_date is not None and row.evening_date >= local.date():
            return False
        findings = _check(row, brand, asked, now=now, days=DAYS)
        row.evening_date = local.date()
        row.save(update_fields=["evening_date"])
        _tell(brand, findings, now=now, date=local.date())
    return True


def brands_without_evening(*, now: dt.datetime) -> list[Brand]:
    """Brands in whose zone the evening has come and which were not checked in it."""
    rows = Brand.objects.filter(is_archived=False).select_related("preflight")
    found = []
    for brand in rows.order_by("pk").iterator():
        local = to_local(now, brand.timezone)
        last = brand.preflight.evening_date if hasattr(brand, "preflight") else None
        if local.hour >= EVENING_HOUR and (last is None or last < local.date()):
            found.append(brand)
    return found


def _locked(brand: Brand, now: dt.datetime) -> Preflight:
    """The brand's row, this transaction's until it ends: two checks come one after the other."""
    Preflight.objects.get_or_create(brand=brand, defaults={"checked_at": now, "until": now})
    return Preflight.objects.select_for_update().get(brand=brand)


def _end(brand: Brand, *, now: dt.datetime, days: int) -> dt.datetime:
    return day_range(to_local(now, brand.timezone).date(), brand.timezone, days=days + 1).end


def _asked(brand: Brand, *, now: dt.datetime, days: int, asked_for_s: float = ASKED_FOR_S) -> list[Finding]:
    """What the networks say themselves. Before anything is locked: an answer may take its time."""
    rows = planned(brand, now, _end(brand, now=now, days=days))[:MOST]
    return ask_networks(deliveries=rows, now=now, asked_for_s=asked_for_s)


def _check(
    row: Preflight, brand: Brand, asked: Sequence[Finding], *, now: dt.datetime, days: int
) -> list[Finding]:
    end = _end(brand, now=now, days=days)
    deliveries = list(planned(brand, now, end)[: MOST + 1])
    row.is_cut, deliveries = len(deliveries) > MOST, deliveries[:MOST]
    findings = find_problems(brand, deliveries, now)
    # Of a post that was changed meanwhile the networks have said nothing.
    payloads = {delivery.pk: delivery.payload for delivery in deliveries}
    findings += [one for one in asked if payloads.get(one.delivery.pk) == one.delivery.payload]
    row.problems.all().delete()
    PreflightProblem.objects.bulk_create(
        [
            PreflightProblem(
                preflight=row,
                delivery=finding.delivery,
                code=finding.code,
                level=finding.level,
                detail=finding.detail,
            )
            for finding in findings
        ]
    )
    row.checked_at, row.until, row.count = now, end, len(deliveries)
    row.save(update_fields=["checked_at", "until", "count", "is_cut"])
    return findings


def _tell(brand: Brand, findings: Sequence[Finding], *, now: dt.datetime, date: dt.date) -> None:
    """One piece of news for each person, with the number of posts that are theirs."""
    failing = {f.delivery.pk: f.delivery for f in findings if f.level is not PreflightLevel.LOOK}
    counts: dict[int, int] = defaultdict(int)
    people: dict[int, User] = {}
    told: dict[int | None, list[User]] = {}
    for delivery in failing.values():
        who = delivery.scheduled_by_id
        if who not in told:
            told[who] = people_to_tell(delivery)
        for person in told[who]:
            people[person.pk] = person
            counts[person.pk] += 1
    # Programs first, who hear of all of them: the same piece of news is told once.
    everyone: list[tuple[list[User], int]] = [([], len(failing))]
    everyone += [([person], counts[pk]) for pk, person in people.items()]
    for users, count in everyone if failing else ():
        notify(
            organization=brand.organization,
            users=users,
            kind=NotificationKind.PREFLIGHT_PROBLEM,
            context={"brand": brand.name, "count": count},
            url=reverse("content_calendar:preflight"),
            about=brand,
            dedupe_key=f"preflight:{brand.pk}:{date.isoformat()}",
            now=now,
        )
