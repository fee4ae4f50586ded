"""Personal data leave the house as a file: the log says who took them out."""

from __future__ import annotations

import datetime as dt

from accounts.models import Organization, User
from accounts.services.audit import record
from audience.models import Contact


def note_list_export(*, organization: Organization, contacts: int, actor: User, now: dt.datetime) -> None:
    """``contacts``: how many were in the file."""
    record(
        organization=organization,
        actor=actor,
        action="contact.list_exported",
        detail={"contacts": contacts},
        now=now,
    )


def note_contact_export(*, contact: Contact, actor: User, now: dt.datetime) -> None:
    record(
        organization=contact.brand.organization,
        actor=actor,
        action="contact.exported",
        subject=contact,
        subject_name=contact.reference,
        detail={"brand": contact.brand.name},
        now=now,
    )
