"""The timeline of a person, written by every app that knows what happened."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from accounts.models import Brand
from audience.models import ActivityKind, Identity
from audience.services.people import touch_contacts
from core.ids import uuid7

SUMMARY_LENGTH = 280
_KEY_LENGTH = 120
_PATH_LENGTH = 500
# What a person did; the rest is done to them or about them.
_OWN_DEEDS = frozenset(
    {
        ActivityKind.COMMENT,
        ActivityKind.MENTION,
        ActivityKind.MESSAGE,
        ActivityKind.REVIEW,
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
        # In the order of the keys, as other workers insert them: they wait for one another.
        in_order = sorted(happened, key=lambda one: one.dedupe_key)
        new = _insert(brand, [one for one in in_order if people[one.identity_id].erased_at is None])
        _note_seen(people, new)
    return len(new)


@dataclass(slots=True)
class _Person:
    """What a line of the timeline needs to know of its identity."""

    contact_id: uuid.UUID
    last_seen_at: dt.datetime
    erased_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class _Told:
    """A line that is new."""

    identity_id: uuid.UUID
    kind: str
    at: dt.datetime


def _people_of(brand: Brand, happened: Iterable[Happened]) -> dict[uuid.UUID, _Person]:
    """Locked, so that nothing is told of somebody who is being erased."""
    wanted = {one.identity_id for one in happened}
    rows = Identity.objects.for_brand(brand).filter(pk__in=wanted).select_for_update(no_key=True)
    fields = ("pk", "contact_id", "last_seen_at", "erased_at")
    found = {
        pk: _Person(contact_id, last_seen_at, erased_at)
        for pk, contact_id, last_seen_at, erased_at in rows.order_by("platform", "remote_key").values_list(
            *fields
        )
    }
    if missing := wanted - found.keys():
        raise NotOfThisBrand(", ".join(str(pk) for pk in sorted(missing)))
    return found


# By hand: a file of orders tells fifty thousand lines, and built by the ORM a statement of them takes several
# times as long as PostgreSQL does.
_INSERT = """
    INSERT INTO audience_activity (brand_id, id, identity_id, kind, at, summary, detail, path, dedupe_key)
    SELECT %s, told.* FROM unnest(
        %s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[], %s::text[], %s::jsonb[], %s::text[], %s::text[]
    ) AS told
    ON CONFLICT (brand_id, dedupe_key) DO NOTHING
    RETURNING identity_id, kind, at
"""


def _insert(brand: Brand, happened: Sequence[Happened]) -> list[_Told]:
    """Those that were not told before."""
    if not happened:
        return []
    rows = [_values(one) for one in happened]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [str(brand.pk), *(list(column) for column in zip(*rows, strict=True))])
        return [_Told(*row) for row in cursor.fetchall()]


def _values(one: Happened) -> tuple[object, ...]:
    key = one.dedupe_key
    return (
        str(uuid7()),
        str(one.identity_id),
        str(one.kind),
        one.at,
        _cut(one.summary.replace("\0", "").strip()),
        json.dumps(one.detail),
        one.path[:_PATH_LENGTH],
        key if len(key) <= _KEY_LENGTH else hashlib.sha256(key.encode()).hexdigest(),
    )


def _cut(text: str) -> str:
    return text if len(text) <= SUMMARY_LENGTH else text[: SUMMARY_LENGTH - 1].rstrip() + "…"


def _note_seen(people: dict[uuid.UUID, _Person], told: Sequence[_Told]) -> None:
    """Somebody who bought something was seen, though they wrote nothing."""
    late: dict[uuid.UUID, _Person] = {}
    for row in told:
        person = people[row.identity_id]
        if row.kind in _OWN_DEEDS and row.at > person.last_seen_at:
            person.last_seen_at = row.at
            late[row.identity_id] = person
    if late:
        Identity.objects.bulk_update(
            [Identity(pk=pk, last_seen_at=person.last_seen_at) for pk, person in late.items()],
            ["last_seen_at"],
        )
        seen: dict[uuid.UUID, dt.datetime] = {}
        for person in late.values():
            seen[person.contact_id] = max(
                person.last_seen_at, seen.get(person.contact_id, person.last_seen_at)
            )
        touch_contacts(seen)
