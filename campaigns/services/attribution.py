"""Runs of attribution: every conversion of a brand shared out over the touches before it, by five models.

A run is never changed. What it says about shares stays true for the conversions it saw; amounts are read
when a page is shown, so that a refund counts at once.
"""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from accounts.models import Brand
from audience.models import Activity, ActivityKind
from campaigns.models import (
    AttributionCredit,
    AttributionRun,
    Conversion,
    Touchpoint,
)
from campaigns.services.conversions import CLOCKS_DIFFER
from metrics.attribution import HALF_LIFE_DAYS, Model, shares

HORIZON = dt.timedelta(days=400)  # this year's season and last year's
LOOKBACK_DAYS = 30
SETTLED = dt.timedelta(minutes=5)  # by then everything that was being written at some moment is there
KEPT = 10  # runs of each model that a brand keeps
_BATCH = 2_000
# One lock of PostgreSQL for each brand that is calculated, beside those of other parts of the program.
_LOCK_CLASS = 0x41545452  # "ATTR"


class AlreadyRunning(Exception):
    """The same brand is being calculated at this moment."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """How far back touches count, and how fast they fade in time decay."""

    lookback_days: int = LOOKBACK_DAYS
    half_life_days: Decimal = HALF_LIFE_DAYS


@transaction.atomic
def run_attribution(
    *, brand: Brand, now: dt.datetime, parameters: Parameters | None = None
) -> list[AttributionRun]:
    """One run of each model over the conversions of the last 400 days. ``parameters`` None: those of the
    latest run, else the defaults. Raises AlreadyRunning."""
    _lock(brand)
    how = parameters or parameters_of(brand)
    since = now - HORIZON
    runs = {
        model: AttributionRun(
            brand=brand,
            model=model,
            since=since,
            lookback_days=how.lookback_days,
            half_life_days=how.half_life_days,
            conversions=0,
            without_touch=0,
            created_at=now,
        )
        for model in Model
    }
    AttributionRun.objects.bulk_create(runs.values())
    seen = without = 0
    for conversions in _batches(brand, since):
        touches = _touches(brand, conversions, dt.timedelta(days=how.lookback_days))
        AttributionCredit.objects.bulk_create(_credits(conversions, touches, runs, how), batch_size=5_000)
        seen += len(conversions)
        without += sum(not touches[one.pk] for one in conversions)
    for run in runs.values():
        run.conversions, run.without_touch = seen, without
    # Within the transaction that made them: nobody has seen a run without its counts.
    AttributionRun.objects.bulk_update(runs.values(), ["conversions", "without_touch"])
    return list(runs.values())


def parameters_of(brand: Brand) -> Parameters:
    """Those that somebody chose last, the defaults before anybody did."""
    latest = AttributionRun.objects.filter(brand=brand).order_by("-created_at").first()
    return Parameters(latest.lookback_days, latest.half_life_days) if latest else Parameters()


def brands_to_run() -> QuerySet[Brand]:
    """Brands where something came since their latest run that can change it: a conversion, or a merge of
    two people."""
    latest = AttributionRun.objects.filter(brand=OuterRef("brand")).order_by("-created_at")
    # What was being written while that run read may be missing in it.
    limit = latest.annotate(limit=F("created_at") - SETTLED).values("limit")[:1]
    ran = Exists(AttributionRun.objects.filter(brand=OuterRef("brand")))
    arrived = Conversion.objects.filter(Q(received_at__gte=limit) | ~ran, brand=OuterRef("pk"))
    merged = Activity.objects.filter(brand=OuterRef("pk"), kind=ActivityKind.MERGED, at__gte=limit)
    return Brand.objects.filter(Exists(arrived) | Exists(merged), is_archived=False).order_by("pk")


def prune_runs(*, kept: int = KEPT) -> int:
    """Delete all but the latest ``kept`` runs of each brand and model. Returns how many went."""
    rank = Window(
        RowNumber(),
        partition_by=[F("brand"), F("model")],
        order_by=[F("created_at").desc(), F("pk").desc()],
    )
    ranked = AttributionRun.objects.annotate(rank=rank).filter(rank__gt=kept)
    old = list(ranked.values_list("pk", flat=True))
    with transaction.atomic():
        AttributionCredit.objects.filter(run__in=old).delete()
        AttributionRun.objects.filter(pk__in=old).delete()
    return len(old)


def _lock(brand: Brand) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [_LOCK_CLASS, str(brand.pk)])
        (is_ours,) = cursor.fetchone()
    if not is_ours:
        raise AlreadyRunning


# --- one batch --------------------------------------------------------------------------------


def _batches(brand: Brand, since: dt.datetime) -> Iterator[list[Conversion]]:
    """The conversions in the order of time, so that those of one batch lie close together."""
    rows = (
        Conversion.objects.for_brand(brand)
        .filter(happened_at__gte=since)
        .select_related("identity")
        .only("pk", "happened_at", "campaign_id", "click_id", "identity__contact_id")
        .order_by("happened_at", "pk")
        .iterator(chunk_size=_BATCH)
    )
    while batch := list(itertools.islice(rows, _BATCH)):
        yield batch


def _touches(
    brand: Brand, conversions: Sequence[Conversion], lookback: dt.timedelta
) -> dict[uuid.UUID, list[Touchpoint]]:
    """The touches of each conversion, oldest first: of everybody who is the same person, and its own click,
    whoever that belongs to."""
    first, last = conversions[0].happened_at - lookback, conversions[-1].happened_at + CLOCKS_DIFFER
    contacts = {one.identity.contact_id for one in conversions if one.identity}
    clicks = {one.click_id for one in conversions if one.click_id}
    rows = Touchpoint.objects.filter(
        Q(identity__contact_id__in=contacts) | Q(click_id__in=clicks),
        brand=brand,
        at__gte=first,
        at__lte=last,
    ).select_related("identity")
    of_contact: dict[uuid.UUID, list[Touchpoint]] = defaultdict(list)
    of_click: dict[int, Touchpoint] = {}
    for touch in rows.order_by("at", "pk"):
        if touch.identity:
            of_contact[touch.identity.contact_id].append(touch)
        if touch.click_id:
            of_click[touch.click_id] = touch
    found: dict[uuid.UUID, list[Touchpoint]] = {}
    for one in conversions:
        theirs = list(of_contact[one.identity.contact_id]) if one.identity else []
        own = of_click.get(one.click_id) if one.click_id else None
        if own is not None and own not in theirs:
            theirs.append(own)
        earliest, latest = one.happened_at - lookback, one.happened_at + CLOCKS_DIFFER
        found[one.pk] = sorted(
            (touch for touch in theirs if earliest <= touch.at <= latest), key=lambda t: (t.at, t.pk)
        )
    return found


def _credits(
    conversions: Sequence[Conversion],
    touches: Mapping[uuid.UUID, Sequence[Touchpoint]],
    runs: Mapping[Model, AttributionRun],
    how: Parameters,
) -> Iterator[AttributionCredit]:
    """Shares of nothing are left out."""
    for one in conversions:
        theirs = touches[one.pk]
        if not theirs:
            for run in runs.values():
                yield AttributionCredit(
                    run=run, conversion=one, campaign_id=one.campaign_id, share=Decimal(1)
                )
            continue
        # A click that stands at the minute after counts as one at the moment itself.
        times = [min(touch.at, one.happened_at) for touch in theirs]
        for model, run in runs.items():
            given = shares(model, times, one.happened_at, half_life_days=how.half_life_days)
            for touch, share in zip(theirs, given, strict=True):
                if share:
                    yield AttributionCredit(
                        run=run,
                        conversion=one,
                        touchpoint=touch,
                        campaign_id=touch.campaign_id,
                        platform=touch.platform,
                        share=share,
                    )
