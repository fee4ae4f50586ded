"""Removing what makes a contact a person. Counts, times and amounts stay, so that reports stay true."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import connection, transaction

from accounts.models import User
from accounts.services.audit import record
from audience.erasers import registered
from audience.models import Activity, Consent, Contact, ErasureRequest, Identity
from audience.selectors.families import family_of
from audience.services.locks import hold_brand, lock_contacts, lock_identities, refuse_gone

# What an activity's detail may keep: codes and numbers, by which nobody is known.
KEPT_DETAILS = (
    "platform",
    "amount",
    "currency",
    "purpose",
    "is_granted",
    "identities",
    "undone",
    "fields",
)


def erase_contact(*, contact: Contact, actor: User, now: dt.datetime) -> ErasureRequest:
    """Name, address, notes, accounts, quoted words and sources are gone from here and, by their erasers,
    from the apps above; all of it or, if anything fails, nothing.

    Contacts that were merged into this one are the same person and go along. Whoever writes again
    afterwards is somebody new. Raises AlreadyErased or AlreadyMerged.
    """
    with transaction.atomic():
        hold_brand(contact.brand_id)
        family = family_of(contact.pk)
        lock_identities(family)
        rows = lock_contacts(family)
        # Again: one may have joined while we waited for the lock of another. Now none can.
        identities = lock_identities(family)
        row = rows[contact.pk]
        refuse_gone(row)
        removed: dict[str, dict[str, int]] = {"audience": _erase_here(family, identities, now)}
        for app, eraser in registered().items():
            removed[app] = dict(eraser(identities, now))
        request = ErasureRequest.objects.create(
            brand=row.brand,
            contact_id=row.pk,
            requested_by=actor,
            requested_at=now,
            done_at=now,
            removed=removed,
        )
        record(
            organization=row.brand.organization,
            actor=actor,
            action="contact.erased",
            subject=row,
            subject_name=row.reference,
            detail={"brand": row.brand.name},
            now=now,
        )
    return request


def _erase_here(family: list[UUID], identities: list[UUID], now: dt.datetime) -> dict[str, int]:
    """How many rows of which model lost their personal fields."""
    return {
        "contact": Contact.objects.filter(pk__in=family).update(
            name="", email="", phone="", notes="", search_text="", search_grams=[], erased_at=now
        ),
        "identity": Identity.objects.filter(pk__in=identities).update(
            remote_id="",
            remote_key="",
            handle="",
            display_name="",
            avatar_url="",
            profile_url="",
            search_text="",
            search_grams=[],
            erased_at=now,
        ),
        "activity": _erase_activities(identities),
        "consent": Consent.objects.filter(identity__in=identities).update(source=""),
    }


def _erase_activities(identities: list[UUID]) -> int:
    """The lines stay as counts. Their keys may hold an order number, so they are replaced as well."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {Activity._meta.db_table} SET
                summary = '',
                path = '',
                dedupe_key = 'erased:' || id,
                detail = (
                    SELECT coalesce(jsonb_object_agg(key, value), '{{}}') FROM jsonb_each(detail)
                    WHERE key = ANY(%s)
                )
            WHERE identity_id = ANY(%s)
            """,  # noqa: S608 - the name of our own table
            [list(KEPT_DETAILS), identities],
        )
        return int(cursor.rowcount)
