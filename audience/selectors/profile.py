"""Everything that the page of one contact shows, and what it may be given as a file."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from accounts.models import Membership
from audience.models import (
    Activity,
    ActivityKind,
    Consent,
    Contact,
    ErasureRequest,
    Identity,
    Purpose,
    Stage,
)
from audience.selectors.contacts import (
    ContactFilter,
    Person,
    contacts_of,
    name_of,
    person_of,
    with_identities,
)
from audience.selectors.families import family_of

FACT_NAMES = ("name", "email", "phone", "notes")
MOST_ALIKE = 8
SHORTEST_NAME = 2  # 林 alone is a part of too many


@dataclass(frozen=True, slots=True)
class PurposeState:
    """Where a person stands on one purpose: the latest statement, None if there never was one."""

    purpose: Purpose
    latest: Consent | None
    earlier: tuple[Consent, ...]

    @property
    def is_granted(self) -> bool:
        return self.latest is not None and self.latest.is_granted


@dataclass(frozen=True, slots=True)
class MergedContact:
    """A contact that was merged into the one that is shown. ``facts`` are those that the other has not:
    (field, value)."""

    contact: Contact
    name: str
    identities: tuple[Identity, ...]
    facts: tuple[tuple[str, str], ...]


def profile(contact: Contact) -> Person:
    """The contact as ``Person``; its brand and identities are read."""
    return person_of(with_identities(Contact.objects.filter(pk=contact.pk)).get())


def purposes_of(contact: Contact) -> list[PurposeState]:
    """Every purpose with its statements, the latest first; of two at the same moment the no counts."""
    statements = list(
        Consent.objects.filter(identity__contact=contact)
        .select_related("recorded_by", "identity")
        .order_by("-at", "is_granted")
    )
    states = []
    for purpose in Purpose:
        said = [one for one in statements if one.purpose == purpose]
        states.append(PurposeState(purpose, said[0] if said else None, tuple(said[1:])))
    return states


def merged_into(contact: Contact) -> list[MergedContact]:
    """Those whose merge can be undone, by the time they were first seen."""
    family = [pk for pk in family_of(contact.pk) if pk != contact.pk]
    rows = Contact.objects.filter(pk__in=family).order_by("first_seen_at", "pk")
    brought: dict[UUID | None, list[Identity]] = {}
    for identity in contact.identities.exclude(home=None).order_by("-last_seen_at"):
        brought.setdefault(identity.home_id, []).append(identity)
    found = []
    for row in rows:
        identities = tuple(brought.get(row.pk, ()))
        facts = tuple(
            (name, getattr(row, name))
            for name in FACT_NAMES
            if getattr(row, name) and getattr(row, name) != getattr(contact, name)
        )
        found.append(MergedContact(row, name_of(row, identities), identities, facts))
    return found


# --- merging ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What would become of ``into`` if ``other`` were merged into it."""

    into: Person
    other: Person
    stage: Stage
    activities: int
    differing: tuple[tuple[str, str, str], ...]  # (field, of into, of other), where both are filled


def merge_preview(into: Contact, other: Contact) -> MergePreview:
    order = list(Stage)
    return MergePreview(
        into=profile(into),
        other=profile(other),
        stage=max(Stage(into.stage), Stage(other.stage), key=order.index),
        activities=Activity.objects.filter(identity__contact=other).count(),
        differing=tuple(
            (name, getattr(into, name), getattr(other, name))
            for name in FACT_NAMES
            if getattr(other, name) and getattr(into, name) != getattr(other, name)
        ),
    )


def merge_candidates(membership: Membership, contact: Contact, text: str) -> QuerySet[Contact]:
    """Other contacts of the same brand by the words that were typed."""
    return contacts_of(membership, contact.brand, ContactFilter(text=text)).exclude(pk=contact.pk)


def alike(membership: Membership, person: Person) -> list[Contact]:
    """Contacts that are perhaps the same person, because they are called the same, the likeliest first."""
    found: dict[UUID, Contact] = {}
    for words in _names_of(person):
        for other in merge_candidates(membership, person.contact, words)[:MOST_ALIKE]:
            found.setdefault(other.pk, other)
    return list(found.values())[:MOST_ALIKE]


def _names_of(person: Person) -> list[str]:
    """The names by which somebody may be known elsewhere. A handle is one up to its host:
    hanako@example.social, hanako.example.com."""
    names = [person.contact.name, person.contact.email]
    for one, _place in person.identities:
        names += [one.display_name, re.split(r"[.@]", one.handle)[0]]
    return list(dict.fromkeys(name for name in names if len(name) >= SHORTEST_NAME))


# --- after an erasure -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Remains:
    """What is left of a contact that was erased: when and by whom, and counts."""

    request: ErasureRequest | None  # None: it went along with the contact it was merged into
    activities: tuple[tuple[ActivityKind, int], ...]


def remains_of(contact: Contact) -> Remains:
    request = (
        ErasureRequest.objects.filter(contact_id=contact.pk)
        .select_related("requested_by")
        .order_by("-done_at")
        .first()
    )
    counts = (
        Activity.objects.filter(identity__contact=contact)
        .values_list("kind")
        .annotate(rows=Count("pk"))
        .order_by("kind")
    )
    return Remains(request, tuple((ActivityKind(kind), rows) for kind, rows in counts))


# --- as a file --------------------------------------------------------------------------------


def everything_about(contact: Contact, *, now: dt.datetime) -> dict[str, Any]:
    """What this app knows of the person, as plain JSON for a request of access. Instants are ISO 8601, UTC.
    Facts of merged contacts are theirs too."""
    person = profile(contact)
    family = Contact.objects.filter(pk__in=family_of(contact.pk)).order_by("pk")
    activities = Activity.objects.filter(identity__contact=contact).order_by("at", "pk")
    consents = Consent.objects.filter(identity__contact=contact).order_by("at", "pk")
    return {
        "exported_at": _instant(now),
        "brand": person.contact.brand.name,
        "name": person.name,
        "records": [_record(row) for row in family],
        "identities": [_identity(one) for one, _place in person.identities],
        "consents": [_fields(one, ("purpose", "is_granted", "source", "at")) for one in consents],
        "activities": [_fields(one, ("kind", "at", "summary", "detail")) for one in activities],
    }


def _record(contact: Contact) -> dict[str, Any]:
    return _fields(
        contact,
        ("id", "name", "email", "phone", "notes", "stage", "stage_at", "first_seen_at", "last_seen_at"),
    )


def _identity(identity: Identity) -> dict[str, Any]:
    names = ("platform", "remote_id", "handle", "display_name", "avatar_url", "profile_url")
    return _fields(identity, (*names, "first_seen_at", "last_seen_at"))


def _fields(row: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return _instant(value)
    return str(value) if isinstance(value, UUID) else value


def _instant(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).isoformat(timespec="seconds")
