"""Whether a report is good, and whether it was taken before: looked up for many at once, nothing written."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from accounts.models import Brand
from accounts.selectors import known_networks
from audience.models import Identity, IdentityKind
from audience.services.people import Met, key_of
from campaigns.models import Campaign, Click, Conversion, ConversionKind, ConversionNotice
from campaigns.reports import Person, Problem, Refused, Report, checked, erased_form

Key = tuple[str, str]  # (kind, external_id)


class ConversionDiffers(Refused):
    """The number was reported before, with other content. ``conversion`` is what stands here."""

    def __init__(self, conversion: Conversion, fields: Sequence[str]) -> None:
        super().__init__(Problem.DIFFERS, "external_id", fields=", ".join(fields))
        self.conversion = conversion
        self.fields = tuple(fields)


class ConversionUnknown(Refused):
    """The brand has no conversion of this kind under this number."""

    def __init__(self) -> None:
        super().__init__(Problem.CONVERSION_UNKNOWN)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a conversion belongs, and what is unusual about it."""

    campaign: Campaign | None
    click: Click | None
    notice: ConversionNotice | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one report: ``conversion`` (``is_new`` or known before), or ``refused``. In a dry run
    what is not stored has no conversion, and a ``place``."""

    conversion: Conversion | None = None
    is_new: bool = False
    refused: Refused | None = None
    place: Place | None = None


# --- what a batch is compared with ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class World:
    """What is known of everything that a batch of reports names, read in five queries."""

    brand: Brand
    conversions: dict[Key, Conversion]  # by the number as it was reported, also where it was erased
    campaigns: dict[str, Campaign | None]  # by code and by name; None: several have this name
    clicks: dict[uuid.UUID, Click]
    contacts: dict[tuple[str, str], uuid.UUID]  # by (platform, remote_key): whom known conversions may be of
    handles: dict[tuple[str, str], Identity]  # by (network, lower-case handle)

    @classmethod
    def of(cls, brand: Brand, reports: Sequence[Report]) -> World:
        persons = [report.person for report in reports]
        conversions = conversions_of(brand, [report.external_id for report in reports])
        again = [one.person for one in reports if (one.kind, one.external_id) in conversions]
        return cls(
            brand=brand,
            conversions=conversions,
            campaigns=_campaigns(brand, {report.campaign for report in reports} - {""}),
            clicks=_clicks(brand, {key for report in reports if (key := report.click_key)}),
            contacts=contacts_of(brand, again),
            handles=_handles(brand, persons),
        )


def conversions_of(brand: Brand, numbers: Sequence[str]) -> dict[Key, Conversion]:
    """Those that were reported under these numbers."""
    if not numbers:
        return {}
    asked = {form: number for number in numbers for form in (number, erased_form(number))}
    rows = (
        Conversion.objects.for_brand(brand)
        # Of every kind: the index has the kind before the number.
        .filter(kind__in=ConversionKind.values, external_id__in=list(asked))
        .select_related("identity", "click", "campaign")
        .defer("identity__search_text", "identity__search_grams")
    )
    return {(row.kind, asked[row.external_id]): row for row in rows}


def _campaigns(brand: Brand, names: set[str]) -> dict[str, Campaign | None]:
    if not names:
        return {}
    found: dict[str, Campaign | None] = {}
    for row in Campaign.objects.for_brand(brand).filter(name__in=names):
        found[row.name] = None if row.name in found else row
    for row in Campaign.objects.for_brand(brand).filter(code__in={name.lower() for name in names}):
        found[row.code] = row  # a code says it better than a name
    return found


def _clicks(brand: Brand, keys: set[uuid.UUID]) -> dict[uuid.UUID, Click]:
    if not keys:
        return {}
    rows = Click.objects.filter(key__in=keys, link__brand=brand).select_related(
        "link__campaign", "link__identity", "touchpoint__identity"
    )
    return {row.key: row for row in rows}


def contacts_of(brand: Brand, persons: Iterable[Person]) -> dict[tuple[str, str], uuid.UUID]:
    """Whose the marks of these are, as far as they are known: (platform, remote_key) -> id of the contact."""
    keys = {key_of(mark) for person in persons for mark in marks_of(person)}
    if not keys:
        return {}
    rows = Identity.objects.for_brand(brand).known_by(keys)
    return {
        (platform, key): pk for platform, key, pk in rows.values_list("platform", "remote_key", "contact_id")
    }


def _handles(brand: Brand, persons: Iterable[Person]) -> dict[tuple[str, str], Identity]:
    """People whom the brand has met under a handle. It can change hands, so it makes nobody new."""
    wanted = [person for person in persons if person.handle and not person.remote_id]
    if not wanted:
        return {}
    rows = Identity.objects.for_brand(brand).filter(
        platform__in={person.network for person in wanted},
        handle__in={form for person in wanted for form in (person.handle, person.handle.lower())},
        erased_at__isnull=True,
    )
    return {(row.platform, row.handle.lower()): row for row in rows.order_by("last_seen_at")}


def marks_of(person: Person) -> list[Met]:
    """The surest first: it decides whose a conversion is, where marks belong to several contacts."""
    found = []
    if person.customer:
        found.append(Met(IdentityKind.CUSTOMER, person.customer, display_name=person.name))
    if person.email:
        found.append(Met(IdentityKind.EMAIL, person.email, display_name=person.name))
    if person.network and person.remote_id:
        found.append(Met(person.network, person.remote_id, handle=person.handle, display_name=person.name))
    return found


# --- judging ----------------------------------------------------------------------------------


def judged(brand: Brand, reports: Sequence[Report], now: dt.datetime) -> tuple[list[Report | Outcome], World]:
    """Each report in its stored form if it is good and new, else what became of it; and all that was looked
    up for that."""
    known_keys = known_networks()
    good: list[Report | Outcome] = []
    for report in reports:
        try:
            good.append(checked(report, currency=brand.currency, networks=known_keys, now=now))
        except Refused as refused:
            good.append(Outcome(refused=refused))
    world = World.of(brand, [one for one in good if isinstance(one, Report)])
    return [one if isinstance(one, Outcome) else _looked_up(one, world) for one in good], world


def _looked_up(report: Report, world: World) -> Report | Outcome:
    if report.campaign and campaign_of(report, world) is None:
        return Outcome(refused=Refused(Problem.CAMPAIGN_UNKNOWN, "campaign"))
    conversion = world.conversions.get((report.kind, report.external_id))
    return report if conversion is None else known(report, conversion, world)


def campaign_of(report: Report, world: World) -> Campaign | None:
    """The campaign that the report names."""
    return world.campaigns.get(report.campaign.lower()) or world.campaigns.get(report.campaign)


def known(report: Report, conversion: Conversion, world: World) -> Outcome:
    """What becomes of a report whose number is there already."""
    fields = _differences(report, conversion, world)
    if fields:
        return Outcome(refused=ConversionDiffers(conversion, fields))
    return Outcome(conversion)


def _differences(report: Report, conversion: Conversion, world: World) -> list[str]:
    """The fields in which a report is not the one that was stored. What the first one did not know (a click
    that arrived later, a person who was erased or merged since) makes no difference."""
    found = []
    if report.happened_at != conversion.happened_at:
        found.append("happened_at")
    if report.value != conversion.value:
        found.append("value")
    if report.currency != conversion.currency:
        found.append("currency")
    if report.campaign and campaign_of(report, world) != conversion.campaign:
        found.append("campaign")
    click = world.clicks.get(report.click_key) if report.click_key else None
    if click and conversion.click and click != conversion.click:
        found.append("click")
    if not _is_same_person(report.person, conversion, world):
        found.append("person")
    return found


def _is_same_person(person: Person, conversion: Conversion, world: World) -> bool:
    marks = marks_of(person)
    if not marks or (conversion.identity and conversion.identity.erased_at):
        return True
    if conversion.identity is None:
        return False
    return world.contacts.get(key_of(marks[0])) == conversion.identity.contact_id


def reports_differ(one: Report, other: Report) -> list[str]:
    """The fields in which two reports under one number differ, both in their stored form."""
    names = ("happened_at", "value", "campaign", "click", "person")
    return [name for name in names if getattr(one, name) != getattr(other, name)]
