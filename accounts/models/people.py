"""Who works here, for whom: people, organizations, brands, memberships, invitations."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7

if TYPE_CHECKING:
    pass


class UserQuerySet(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """One person who signs in, by e-mail address; may belong to several organizations."""

    username = None  # type: ignore[assignment]
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserQuerySet] = UserQuerySet()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self)


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def for_user(self, user: User) -> Self:
        return self.filter(memberships__user=user, memberships__is_active=True)


class Organization(models.Model):
    """One company or agency: the wall that nothing crosses."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OrganizationQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


def office_hours() -> dict[str, list[list[str]]]:
    """Monday to Friday, 9 to 17."""
    return {str(day): [["09:00", "17:00"]] for day in range(5)}


class BrandQuerySet(models.QuerySet["Brand"]):
    def for_organization(self, organization: Organization) -> Self:
        return self.filter(organization=organization)

    def for_member(self, membership: Membership) -> Self:
        """The brands this member may see: all of the organization, or the ones named."""
        brands = self.filter(organization_id=membership.organization_id, is_archived=False)
        return brands if membership.has_all_brands else brands.filter(members=membership)


class EveryBrandQuerySet(BrandQuerySet):
    def for_member(self, membership: Membership) -> Self:
        """Archived ones too: for the settings, where they are brought back."""
        brands = self.filter(organization_id=membership.organization_id)
        return brands if membership.has_all_brands else brands.filter(members=membership)


class Brand(models.Model):
    """What social accounts speak for: one voice with its own zone, language and currency."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="brands")
    name = models.CharField(_("name"), max_length=120)
    color = models.CharField(_("colour"), max_length=7, default="#206bc4")
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    locale = models.CharField(_("language of its posts"), max_length=12, default="en")
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    country = models.CharField(_("country"), max_length=2, blank=True)  # ISO 3166; its holidays are shown
    week_starts_on = models.PositiveSmallIntegerField(
        _("first day of the week"), default=1
    )  # 0 Sunday, 1 Monday
    # When people are expected to answer: wall times of the zone by weekday ("0" is Monday), each a list of
    # [from, to] as "HH:MM"; a day without an entry is off.
    business_hours: models.JSONField[Any, Any] = models.JSONField(_("business hours"), default=office_hours)
    is_archived = models.BooleanField(_("archived"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BrandQuerySet.as_manager()
    every = EveryBrandQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "name"], name="brand_name_once_per_organization")
        ]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    MANAGER = "manager", _("Manager")
    CREATOR = "creator", _("Creator")
    RESPONDER = "responder", _("Responder")
    MARKETER = "marketer", _("Marketer")
    VIEWER = "viewer", _("Viewer")


class MembershipQuerySet(models.QuerySet["Membership"]):
    def for_member(self, membership: Membership) -> Self:
        return self.filter(organization_id=membership.organization_id)


class Membership(models.Model):
    """One person's role in one organization, for all of its brands or for some."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=12, choices=Role)
    has_all_brands = models.BooleanField(_("all brands"), default=True)
    brands: models.ManyToManyField[Brand, Any] = models.ManyToManyField(
        Brand, related_name="members", blank=True, verbose_name=_("brands")
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "user"], name="member_once_per_organization")
        ]

    def __str__(self) -> str:
        return str(self.user)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def for_member(self, membership: Membership) -> Self:
        return self.filter(organization_id=membership.organization_id)

    def pending(self) -> Self:
        """Neither accepted nor revoked; perhaps expired."""
        return self.filter(accepted_at__isnull=True, revoked_at__isnull=True)


class Invitation(models.Model):
    """An offer to join, sent by mail; the link carries a secret of which only the hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail address"))
    role = models.CharField(_("role"), max_length=12, choices=Role)
    has_all_brands = models.BooleanField(_("all brands"), default=True)
    brands: models.ManyToManyField[Brand, Any] = models.ManyToManyField(
        Brand, blank=True, verbose_name=_("brands")
    )
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    def __str__(self) -> str:
        return self.email

    def is_open(self, now: dt.datetime) -> bool:
        return self.accepted_at is None and self.revoked_at is None and now < self.expires_at
