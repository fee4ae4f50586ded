"""Leads, sales and refunds as others report them: by API, by CSV, by hand.

A report is taken once. The same one again is the first one, whoever sends it; another one under the same
number is refused and changes nothing. ``report_conversions`` takes many at once, in about twenty queries
for a few hundred of them; one is a batch of one.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection, transaction
from django.urls import reverse

from accounts.models import ApiKey, Brand, User
from accounts.services.audit import record
from audience.models import ActivityKind, Identity
from audience.services.activities import Happened, tell
from audience.services.locks import hold_people
from audience.services.marks import meet_together
from campaigns.models import (
    Click,
    Conversion,
    ConversionKind,
    ConversionNotice,
    CsvImport,
    Source,
    Touchpoint,
)
from campaigns.reports import Report
from campaigns.services.judging import (
    ConversionDiffers,
    Key,
    Outcome,
    Place,
    World,
    campaign_of,
    contacts_of,
    conversions_of,
    judged,
    known,
    marks_of,
    reports_differ,
)
from campaigns.services.stages import reach_stages

# A click may stand at the minute after its conversion: shops cut seconds off, and clocks differ.
CLOCKS_DIFFER = dt.timedelta(minutes=1)
_ACTIVITY = {ConversionKind.LEAD: ActivityKind.LEAD, ConversionKind.SALE: ActivityKind.SALE}


@dataclass(frozen=True, slots=True)
class Origin:
    """Who reports, and through what."""

    source: Source
    api_key: ApiKey | None = None
    csv_import: CsvImport | None = None
    actor: User | None = None  # by hand; stands in the audit log


def report_conversion(
    *, brand: Brand, report: Report, origin: Origin, now: dt.datetime
) -> tuple[Conversion, bool]:
    """The conversion, and whether it is new. Raises Refused, ConversionDiffers."""
    (outcome,) = report_conversions(brand=brand, reports=[report], origin=origin, now=now)
    if outcome.refused:
        raise outcome.refused
    assert outcome.conversion is not None  # noqa: S101 - neither refused nor stored does not exist
    return outcome.conversion, outcome.is_new


@transaction.atomic
def report_conversions(
    *, brand: Brand, reports: Sequence[Report], origin: Origin, now: dt.datetime
) -> list[Outcome]:
    """What became of each report, in their order; one that is refused does not keep the others out."""
    looked_at, world = judged(brand, reports, now)
    fresh: dict[Key, Report] = {}
    for one in looked_at:
        if isinstance(one, Report):
            fresh.setdefault((one.kind, one.external_id), one)
    stored = _stored(world, list(fresh.values()), origin, now)
    # Reported twice in one batch, or by another process at this moment: then the first one counts.
    again = [one for one in looked_at if isinstance(one, Report) and not _is_first(one, stored)]
    world.contacts.update(contacts_of(brand, [one.person for one in again]))
    outcomes = [one if isinstance(one, Outcome) else _outcome(one, stored, world) for one in looked_at]
    new = [outcome.conversion for outcome in outcomes if outcome.is_new and outcome.conversion]
    _remember_touches(new)
    reach_stages(brand=brand, conversions=new)
    tell(brand=brand, happened=_happened(new))
    if origin.actor is not None and origin.source == Source.MANUAL:
        for conversion in new:
            note(conversion, "conversion.added", origin.actor, now)
    return outcomes


def judge_conversions(
    *, brand: Brand, reports: Sequence[Report], earlier: dict[Key, Report], now: dt.datetime
) -> list[Outcome]:
    """What would become of each report; nothing is written. ``earlier`` holds what came before in the same
    file, and takes what is new here."""
    looked_at, world = judged(brand, reports, now)
    outcomes = []
    for one in looked_at:
        if not isinstance(one, Report):
            outcomes.append(one)
            continue
        first = earlier.setdefault((one.kind, one.external_id), one)
        if first is not one and (fields := reports_differ(one, first)):
            made = _made(world, one, None, Origin(Source.CSV), now)
            outcomes.append(Outcome(refused=ConversionDiffers(made, fields)))
        else:
            outcomes.append(Outcome(place=_place(world, one), is_new=first is one))
    return outcomes


# --- storing ----------------------------------------------------------------------------------

# The conversion of each number, and the report that made it just now; None: it was made by another process.
_Stored = dict[Key, tuple[Conversion, Report | None]]


def _stored(world: World, reports: Sequence[Report], origin: Origin, now: dt.datetime) -> _Stored:
    """The conversion of each report."""
    if not reports:
        return {}
    people = _people(world, reports, now)
    # In the order of the index, as other processes insert: they wait for one another and form no ring.
    ordered = sorted(reports, key=lambda one: (one.kind, one.external_id))
    rows = [_made(world, one, people.get(id(one)), origin, now) for one in ordered]
    new = _insert(rows)
    found: _Stored = {
        (row.kind, row.external_id): (row, one)
        for one, row in zip(ordered, rows, strict=True)
        if row.pk in new
    }
    late = [row.external_id for row in rows if row.pk not in new]
    found |= {key: (row, None) for key, row in conversions_of(world.brand, late).items() if key not in found}
    return found


# By hand: built by the ORM, the statement takes longer than PostgreSQL does.
_COLUMNS = {
    "id": "uuid",
    "brand_id": "uuid",
    "campaign_id": "uuid",
    "kind": "text",
    "external_id": "text",
    "happened_at": "timestamptz",
    "value": "numeric",
    "currency": "text",
    "refunded": "numeric",
    "identity_id": "uuid",
    "click_id": "bigint",
    "notice": "text",
    "source": "text",
    "api_key_id": "uuid",
    "csv_import_id": "uuid",
    "received_at": "timestamptz",
}
_INSERT = f"""
    INSERT INTO campaigns_conversion ({", ".join(_COLUMNS)})
    SELECT * FROM unnest({", ".join(f"%s::{kind}[]" for kind in _COLUMNS.values())})
    ON CONFLICT (brand_id, kind, external_id) DO NOTHING
    RETURNING id
"""  # noqa: S608 - names of columns, from above


def _insert(rows: Sequence[Conversion]) -> set[uuid.UUID]:
    """The ids of those whose numbers are new."""
    columns = [[_plain(getattr(row, column)) for row in rows] for column in _COLUMNS]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, columns)
        new = {pk for (pk,) in cursor.fetchall()}
    for row in rows:
        row._state.adding = row.pk not in new
    return new


def _plain(value: object) -> object:
    """What psycopg2 writes fastest."""
    return str(value) if isinstance(value, (uuid.UUID, str)) else value


def _is_first(report: Report, stored: _Stored) -> bool:
    return stored[report.kind, report.external_id][1] is report


def _outcome(report: Report, stored: _Stored, world: World) -> Outcome:
    conversion = stored[report.kind, report.external_id][0]
    return Outcome(conversion, is_new=True) if _is_first(report, stored) else known(report, conversion, world)


def _people(world: World, reports: Sequence[Report], now: dt.datetime) -> dict[int, Identity]:
    """Whose each report is, by its id(): the person it names, else the one its click belongs to."""
    named = [(one, marks) for one in reports if (marks := marks_of(one.person))]
    met = meet_together(brand=world.brand, people=[marks for _one, marks in named], now=now) if named else []
    found = {id(one): identities[0] for (one, _marks), identities in zip(named, met, strict=True)}
    led_to = {
        id(one): identity
        for one in reports
        if id(one) not in found and (identity := _by_handle(one, world) or _by_click(one, world))
    }
    if led_to:
        # Whoever was erased, also since this was looked up, is nobody any more.
        held = hold_people({identity.pk for identity in led_to.values()})
        found |= {key: identity for key, identity in led_to.items() if identity.pk in held}
    return found


def _by_handle(report: Report, world: World) -> Identity | None:
    return world.handles.get((report.person.network, report.person.handle.lower()))


def _by_click(report: Report, world: World) -> Identity | None:
    click = world.clicks.get(report.click_key) if report.click_key else None
    if click is None or click.is_bot:
        return None
    touch = getattr(click, "touchpoint", None)
    return click.link.identity or (touch.identity if touch else None)


def _made(
    world: World, report: Report, identity: Identity | None, origin: Origin, now: dt.datetime
) -> Conversion:
    """The row of a new conversion, not stored."""
    place = _place(world, report)
    return Conversion(
        brand=world.brand,
        campaign=place.campaign,
        kind=report.kind,
        external_id=report.external_id,
        happened_at=report.happened_at,
        value=Decimal(0) if report.value is None else report.value,
        currency=report.currency,
        identity=identity,
        click=place.click,
        notice=place.notice or "",
        source=origin.source,
        api_key=origin.api_key,
        csv_import=origin.csv_import,
        received_at=now,
    )


def _place(world: World, report: Report) -> Place:
    click = world.clicks.get(report.click_key) if report.click_key else None
    is_later = click is not None and click.at > report.happened_at + CLOCKS_DIFFER
    campaign = campaign_of(report, world) if report.campaign else None
    if campaign is None and click is not None and not is_later:
        campaign = click.link.campaign
    notice = None
    if report.click and click is None:
        notice = ConversionNotice.CLICK_UNKNOWN
    elif is_later:
        notice = ConversionNotice.CLICK_LATER
    elif campaign is None:
        notice = ConversionNotice.NO_CAMPAIGN
    return Place(campaign, click, notice)


def _remember_touches(conversions: Sequence[Conversion]) -> None:
    """The clicks that led to conversions are touches now, of whoever converted."""
    clicks: dict[int, Conversion] = {}
    for one in conversions:
        if one.click is not None and not one.click.is_bot:
            before = clicks.get(one.click.pk)
            if before is None or before.identity_id is None:
                clicks[one.click.pk] = one
    if not clicks:
        return
    Touchpoint.objects.bulk_create(
        [_touch(one.click, one) for one in clicks.values() if one.click], ignore_conflicts=True
    )
    whose: dict[uuid.UUID, list[int]] = defaultdict(list)
    for pk, one in clicks.items():
        if one.identity_id:
            whose[one.identity_id].append(pk)
    nobodys = Touchpoint.objects.filter(click_id__in=clicks, identity__isnull=True)
    named = [touch for touch in nobodys if clicks[touch.click_id].identity_id]  # type: ignore[index]
    for touch in named:
        touch.identity_id = clicks[touch.click_id].identity_id  # type: ignore[index]
    Touchpoint.objects.bulk_update(named, ["identity"])


def _touch(click: Click, conversion: Conversion) -> Touchpoint:
    return Touchpoint(
        brand_id=conversion.brand_id,
        identity_id=click.link.identity_id or conversion.identity_id,
        campaign_id=click.link.campaign_id,
        link=click.link,
        platform=click.link.platform,
        click=click,
        at=click.at,
    )


def _happened(conversions: Sequence[Conversion]) -> list[Happened]:
    """For the timelines of those who converted."""
    # Looked up once: for each it takes longer than storing it.
    anywhere = uuid.UUID(int=0)
    path = reverse("campaigns:conversion", args=[anywhere])
    return [
        Happened(
            identity_id=one.identity_id,
            kind=_ACTIVITY[ConversionKind(one.kind)],
            at=one.happened_at,
            dedupe_key=f"conversion:{one.pk}",
            detail=money_detail(one.value, one.currency),
            path=path.replace(str(anywhere), str(one.pk)),
        )
        for one in conversions
        if one.identity_id is not None
    ]


def money_detail(amount: Decimal, currency: str) -> dict[str, str]:
    """What a timeline says about money; nothing where there was none."""
    return {"amount": str(amount), "currency": currency} if amount else {}


def note(conversion: Conversion, action: str, actor: User, now: dt.datetime, **detail: str) -> None:
    """What a person did by hand stands in the audit log."""
    record(
        organization=conversion.brand.organization,
        actor=actor,
        action=action,
        subject=conversion,
        # Without its number, by which a person may be found: the log cannot be changed by an erasure.
        subject_name=f"{conversion.kind} {conversion.happened_at:%Y-%m-%d %H:%M}",
        detail={"brand": conversion.brand.name, **detail},
        now=now,
    )
