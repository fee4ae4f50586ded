"""Two contacts that are one person. A merge moves identities and nothing else, so that it can be undone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction
from django.db.models import Max, Min
from django.db.models.functions import Coalesce

from accounts.models import User
from accounts.services.audit import record
from audience.models import ActivityKind, Contact, Identity, Stage
from audience.selectors.families import end_of_chain, family_of, own_identity
from audience.services.activities import Happened, tell
from audience.services.locks import (
    AlreadyErased,
    hold_brand,
    lock_contacts,
    lock_identities,
    refuse_gone,
)
from audience.services.people import STAGES
from core.ids import uuid7


class SameContact(Exception):
    """A contact cannot be merged into itself."""


class OtherBrand(Exception):
    """The contacts belong to different brands, each of which knows its own people."""


class NotMerged(Exception):
    """There is no merge to undo."""


def merge_contacts(*, into: Contact, other: Contact, actor: User, now: dt.datetime) -> int:
    """All identities of ``other`` become those of ``into``; returns how many.

    The facts of both stay as they are, each on its own contact. ``into`` gets the further of both stages,
    the earlier first and the later last time it was seen. Raises SameContact, OtherBrand, AlreadyMerged
    or AlreadyErased.
    """
    if into.pk == other.pk:
        raise SameContact
    if into.brand_id != other.brand_id:
        raise OtherBrand
    with transaction.atomic():
        hold_brand(into.brand_id)
        lock_identities([into.pk, other.pk])
        rows = lock_contacts([into.pk, other.pk])
        target, emptied = rows[into.pk], rows[other.pk]
        refuse_gone(target)
        refuse_gone(emptied)
        moved = Identity.objects.filter(contact=emptied).update(
            home=Coalesce("home_id", "contact_id"), contact=target
        )
        emptied.merged_into = target
        emptied.save(update_fields=["merged_into"])
        if STAGES.index(Stage(emptied.stage)) > STAGES.index(Stage(target.stage)):
            target.stage, target.stage_at = emptied.stage, emptied.stage_at
        target.first_seen_at = min(target.first_seen_at, emptied.first_seen_at)
        target.last_seen_at = max(target.last_seen_at, emptied.last_seen_at)
        target.save(update_fields=["stage", "stage_at", "first_seen_at", "last_seen_at"])
        detail = {"identities": moved}
        record(
            organization=target.brand.organization,
            actor=actor,
            action="contact.merged",
            subject=target,
            subject_name=target.reference,
            detail={"brand": target.brand.name, "other": emptied.reference, **detail},
            now=now,
        )
        _tell(target, detail, now)
    return moved


def undo_merge(*, contact: Contact, actor: User, now: dt.datetime) -> int:
    """``contact``, which was merged into another, gets back every identity that came with it; returns how
    many. The stage of the other one stays: nobody can say any more whose it was. Raises NotMerged or
    AlreadyErased."""
    with transaction.atomic():
        hold_brand(contact.brand_id)
        found = Contact.objects.get(pk=contact.pk)
        end = end_of_chain(found)
        if end.pk == found.pk:
            raise NotMerged
        lock_identities([end.pk])
        rows = lock_contacts([end.pk, found.pk])
        source, back = rows[end.pk], rows[found.pk]
        if source.erased_at is not None or back.erased_at is not None:
            raise AlreadyErased
        moved = Identity.objects.filter(contact=source, home__in=family_of(back.pk)).update(contact=back)
        back.merged_into = None
        back.save(update_fields=["merged_into"])
        for one in (source, back):
            _see_again(one)
        detail = {"identities": moved}
        record(
            organization=source.brand.organization,
            actor=actor,
            action="contact.merge_undone",
            subject=source,
            subject_name=source.reference,
            detail={"brand": source.brand.name, "other": back.reference, **detail},
            now=now,
        )
        _tell(source, detail | {"undone": True}, now)
    return moved


def _see_again(contact: Contact) -> None:
    """First and last seen as its own identities were."""
    seen = contact.identities.aggregate(first=Min("first_seen_at"), last=Max("last_seen_at"))
    contact.first_seen_at, contact.last_seen_at = seen["first"], seen["last"]
    contact.save(update_fields=["first_seen_at", "last_seen_at"])


def _tell(contact: Contact, detail: Mapping[str, object], now: dt.datetime) -> None:
    line = Happened(
        own_identity(contact).pk, ActivityKind.MERGED, now, f"merge:{uuid7()}", detail=dict(detail)
    )
    tell(brand=contact.brand, happened=[line])
