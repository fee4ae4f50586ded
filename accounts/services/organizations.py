"""Organizations and their brands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import IntegrityError, transaction

from accounts.choices import country_of_zone
from accounts.models import Brand, Membership, Organization, Role, User, office_hours
from accounts.services.audit import record


class BrandNameTaken(Exception):
    """The organization has a brand of this name already, perhaps an archived one."""


@dataclass(frozen=True, slots=True)
class BrandFacts:
    """What a person enters about a brand. ``timezone`` is an IANA name, ``currency`` ISO 4217, ``country``
    ISO 3166 ("": none, None: that of the time zone), ``business_hours`` as of ``Brand.business_hours``."""

    name: str
    timezone: str
    locale: str = "en"
    currency: str = "USD"
    country: str | None = None
    week_starts_on: int = 1
    color: str = "#206bc4"
    business_hours: Mapping[str, list[list[str]]] = field(default_factory=office_hours)

    def values(self) -> dict[str, Any]:
        """As the fields of a Brand."""
        country = country_of_zone(self.timezone) if self.country is None else self.country
        return asdict(self) | {"country": country}


@transaction.atomic
def create_organization(
    *, name: str, brand: BrandFacts, owner: User, owner_name: str = "", now: dt.datetime
) -> Membership:
    """A new organization with its first brand; ``owner`` owns it. ``owner_name`` fills an empty name."""
    if owner_name and not owner.name:
        owner.name = owner_name
        owner.save(update_fields=["name"])
    organization = Organization.objects.create(name=name)
    membership = Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
    record(
        organization=organization, actor=owner, action="organization.created", subject=organization, now=now
    )
    create_brand(membership=membership, facts=brand, now=now)
    return membership


@transaction.atomic
def rename_organization(*, organization: Organization, name: str, actor: User, now: dt.datetime) -> None:
    before = organization.name
    if name == before:
        return
    organization.name = name
    organization.save(update_fields=["name"])
    record(
        organization=organization,
        actor=actor,
        action="organization.renamed",
        subject=organization,
        detail={"before": before, "after": name},
        now=now,
    )


@transaction.atomic
def create_brand(*, membership: Membership, facts: BrandFacts, now: dt.datetime) -> Brand:
    """Whoever sees only some brands sees the new one too. Raises BrandNameTaken."""
    brand = Brand(organization=membership.organization, **facts.values())
    _save(brand)
    if not membership.has_all_brands:
        membership.brands.add(brand)
    record(
        organization=membership.organization,
        actor=membership.user,
        action="brand.created",
        subject=brand,
        detail={"timezone": brand.timezone, "currency": brand.currency},
        now=now,
    )
    return brand


@transaction.atomic
def change_brand(*, brand: Brand, facts: BrandFacts, actor: User, now: dt.datetime) -> None:
    """Raises BrandNameTaken. Instants already scheduled stay as they are; only their wall time changes."""
    changed = {}
    for name, value in facts.values().items():
        before = getattr(brand, name)
        if before != value:
            changed[name] = [before, value]
            setattr(brand, name, value)
    if not changed:
        return
    _save(brand)
    record(
        organization=brand.organization,
        actor=actor,
        action="brand.changed",
        subject=brand,
        detail=changed,
        now=now,
    )


def _save(brand: Brand) -> None:
    try:
        with transaction.atomic():
            brand.save()
    except IntegrityError as error:
        if "brand_name_once_per_organization" in str(error):
            raise BrandNameTaken from None
        raise


def archive_brand(*, brand: Brand, actor: User, now: dt.datetime) -> None:
    """Take a brand out of sight with all that belongs to it; ``restore_brand`` brings it back."""
    _set_archived(brand, is_archived=True, action="brand.archived", actor=actor, now=now)


def restore_brand(*, brand: Brand, actor: User, now: dt.datetime) -> None:
    _set_archived(brand, is_archived=False, action="brand.restored", actor=actor, now=now)


@transaction.atomic
def _set_archived(brand: Brand, *, is_archived: bool, action: str, actor: User, now: dt.datetime) -> None:
    if not Brand.objects.filter(pk=brand.pk, is_archived=not is_archived).update(is_archived=is_archived):
        return
    brand.is_archived = is_archived
    record(organization=brand.organization, actor=actor, action=action, subject=brand, now=now)
