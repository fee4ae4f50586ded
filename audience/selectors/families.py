"""Which contacts are one person by now: a contact and all that were merged into it, at any depth.

An identity belongs to the contact at the end of the chain that begins at its home. So merges can be undone
in any order, and none of them loses or doubles an identity.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from audience.models import Contact, Identity


def end_of_chain(contact: Contact) -> Contact:
    """The contact that this one was merged into, directly or over others; itself if it was not."""
    while contact.merged_into is not None:
        contact = contact.merged_into
    return contact


def family_of(contact_id: UUID) -> list[UUID]:
    """This contact, those that were merged into it, those that were merged into them, and so on."""
    family = [contact_id]
    latest = [contact_id]
    while latest:
        merged = Contact.objects.filter(merged_into__in=latest).order_by("pk").values_list("pk", flat=True)
        latest = list(merged)
        family += latest
    return family


def own_identity(contact: Contact) -> Identity:
    """Of the identities that no merge brought, the one that was seen last: what is told of the contact
    itself stays with it when merges are undone. A contact that is not merged always has one."""
    own = contact.identities.filter(Q(home__isnull=True) | Q(home=contact))
    return own.order_by("-last_seen_at", "-pk")[0]
