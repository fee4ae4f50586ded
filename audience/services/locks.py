"""Contacts that are about to be changed: locked, read again, and known to be there still."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from accounts.models import Brand
from audience.models import Contact, Identity


class AlreadyErased(Exception):
    """The personal data of this contact were removed."""


class AlreadyMerged(Exception):
    """This contact was merged into another, which is the one to work with."""


def hold_brand(brand_id: UUID) -> None:
    """Until the end of the transaction nobody else merges, undoes or erases in this brand. Such acts are
    rare; intake does not wait for it."""
    Brand.every.select_for_update(no_key=True).get(pk=brand_id)


def lock_identities(contact_ids: list[UUID]) -> list[UUID]:
    """The identities of these contacts, locked in the order of services/people.py."""
    rows = Identity.objects.filter(contact_id__in=contact_ids).select_for_update(no_key=True)
    return list(rows.order_by("platform", "remote_key").values_list("pk", flat=True))


def hold_people(identity_ids: Collection[UUID]) -> set[UUID]:
    """Those of these identities that are not erased; none of them is until the end of the transaction. To be
    called before anything is locked that an eraser changes."""
    rows = Identity.objects.filter(pk__in=identity_ids, erased_at__isnull=True)
    locked = rows.order_by("platform", "remote_key").select_for_update(no_key=True)
    return set(locked.values_list("pk", flat=True))


def lock_contacts(contact_ids: list[UUID]) -> dict[UUID, Contact]:
    rows = Contact.objects.filter(pk__in=contact_ids).select_related("brand__organization")
    return {row.pk: row for row in rows.order_by("pk").select_for_update(of=("self",), no_key=True)}


def standing(contact_id: UUID) -> Contact:
    """The contact, locked with its identities. Raises AlreadyErased or AlreadyMerged."""
    lock_identities([contact_id])
    contact = lock_contacts([contact_id])[contact_id]
    refuse_gone(contact)
    return contact


def refuse_gone(contact: Contact) -> None:
    """Raises AlreadyErased or AlreadyMerged."""
    if contact.erased_at is not None:
        raise AlreadyErased
    if contact.merged_into_id is not None:
        raise AlreadyMerged
