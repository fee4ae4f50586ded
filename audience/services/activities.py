"""The timeline of a person, written by every app that knows what happened."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from accounts.models import Brand
from audience.models import Activity, ActivityKind, Identity
from audience.services.people import touch_contacts

SUMMARY_LENGTH = 280
_KEY_LENGTH = 120
_PATH_LENGTH = 500
# What a person did; the rest is done to them or about them.
_OWN_DEEDS = frozenset(
    {
        ActivityKind.COMMENT,
        ActivityKind.MENTION,
        ActivityKind.MESSAGE,
        ActivityKind.CLICK,
        ActivityKind.LEAD,
        ActivityKind.SALE,
    }
)


class NotOfThisBrand(ValueError):
    """An activity names an identity of another brand, or none at all."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened to or by a person at ``at`` (aware).

    ``dedupe_key`` names the event within the brand ("message:<id>", "sale:<id>"). ``summary`` may quote
    the person. ``detail`` holds facts for the sentence, no words: "platform" (key of a network), "amount"
    (decimal as text) and "currency". ``path`` is the page of ours that shows more.
    """

    identity_id: uuid.UUID
    kind: ActivityKind
    at: dt.datetime
    dedupe_key: str
    summary: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    path: str = ""


def tell(*, brand: Brand, happened: Sequence[Happened]) -> int:
    """Write these lines, except those that were told before and those of people who were erased. Returns
    how many are new. Raises NotOfThisBrand, and then writes nothing."""
    if not happened:
        return 0
    with transaction.atomic():
        people = _people_of(brand, happened)
        rows = [
            _row(brand, one)
            # In the order of the keys, as other workers insert them: they wait for one another.
            for one in sorted(happened, key=lambda one: one.dedupe_key)
            if people[one.identity_id].erased_at is None
        ]
        Activity.objects.bulk_create(rows, ignore_conflicts=True)
        ids = Activity.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True)
        new = set(ids)
        _note_seen(people, [row for row in rows if row.pk in new])
    return len(new)


def _people_of(brand: Brand, happened: Iterable[Happened]) -> dict[uuid.UUID, Identity]:
    """Locked, so that nothing is told of somebody who is being erased."""
    wanted = {one.identity_id for one in happened}
    rows = Identity.objects.for_brand(brand).filter(pk__in=wanted).select_for_update(no_key=True)
    found = {row.pk: row for row in rows.order_by("platform", "remote_key")}
    if missing := wanted - found.keys():
        raise NotOfThisBrand(", ".join(str(pk) for pk in sorted(missing)))
    return found


def _row(brand: Brand, one: Happened) -> Activity:
    key = one.dedupe_key
    return Activity(
        brand=brand,
        identity_id=one.identity_id,
        kind=one.kind,
        at=one.at,
        summary=_cut(one.summary.replace("\0", "").strip()),
        detail=one.detail,
        path=one.path[:_PATH_LENGTH],
        dedupe_key=key if len(key) <= _KEY_LENGTH else hashlib.sha256(key.encode()).hexdigest(),
    )


def _cut(text: str) -> str:
    return text if len(text) <= SUMMARY_LENGTH else text[: SUMMARY_LENGTH - 1].rstrip() + "…"


def _note_seen(people: dict[uuid.UUID, Identity], rows: Sequence[Activity]) -> None:
    """Somebody who bought something was seen, though they wrote nothing."""
    late: dict[uuid.UUID, Identity] = {}
    for row in rows:
        person = people[row.identity_id]
        if row.kind in _OWN_DEEDS and row.at > person.last_seen_at:
            person.last_seen_at = row.at
            late[person.pk] = person
    if late:
        Identity.objects.bulk_update(late.values(), ["last_seen_at"])
        seen: dict[uuid.UUID, dt.datetime] = {}
        for person in late.values():
            seen[person.contact_id] = max(
                person.last_seen_at, seen.get(person.contact_id, person.last_seen_at)
            )
        touch_contacts(seen)
