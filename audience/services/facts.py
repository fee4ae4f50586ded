"""What people of the brand write down about a contact."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from accounts.models import User
from accounts.services.audit import record
from audience.models import ActivityKind, Contact, Stage
from audience.selectors.families import own_identity
from audience.services.activities import Happened, tell
from audience.services.locks import standing
from core.bigrams import folded, grams
from core.ids import uuid7


@dataclass(frozen=True, slots=True)
class Facts:
    name: str = ""
    email: str = ""
    phone: str = ""
    notes: str = ""
    stage: Stage = Stage.NONE

    @classmethod
    def of(cls, contact: Contact) -> Facts:
        return cls(contact.name, contact.email, contact.phone, contact.notes, Stage(contact.stage))


FIELDS = tuple(field.name for field in dataclasses.fields(Facts))


def change_facts(*, contact: Contact, facts: Facts, actor: User, now: dt.datetime) -> tuple[str, ...]:
    """The contact has these facts from now on; returns the names of those that are new. By hand a stage may
    go back too. Raises AlreadyErased or AlreadyMerged."""
    with transaction.atomic():
        row = standing(contact.pk)
        before = Facts.of(row)
        changed = tuple(name for name in FIELDS if getattr(before, name) != getattr(facts, name))
        if not changed:
            return ()
        for name in changed:
            setattr(row, name, getattr(facts, name))
        if "stage" in changed:
            row.stage_at = now
        row.search_text = folded(row.name, row.email, row.phone)
        row.search_grams = grams(row.search_text)
        row.save(update_fields=[*changed, "stage_at", "search_text", "search_grams"])
        record(
            organization=row.brand.organization,
            actor=actor,
            action="contact.changed",
            subject=row,
            subject_name=row.reference,
            detail={"brand": row.brand.name},
            now=now,
        )
        line = Happened(
            own_identity(row).pk,
            ActivityKind.CHANGED,
            now,
            f"facts:{uuid7()}",
            detail={"fields": list(changed)},
        )
        tell(brand=row.brand, happened=[line])
    return changed
