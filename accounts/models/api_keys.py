"""Keys with which other programs speak to us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.people import Brand, Membership, Organization, User
from core.ids import uuid7

if TYPE_CHECKING:
    pass


class ApiScope(models.TextChoices):
    CONVERSIONS = "conversions", _("Report conversions and refunds")


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(organization_id=membership.organization_id)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)

    def active(self) -> Self:
        return self.filter(revoked_at__isnull=True)


class ApiKey(models.Model):
    """A secret with which another program speaks to us for one brand. Only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="api_keys")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(_("name"), max_length=120)
    prefix = models.CharField(max_length=16)  # its first characters, by which people know it again
    secret_hash = models.CharField(max_length=64, unique=True)  # SHA-256 of the whole key
    scopes = models.JSONField(default=list)  # of ApiScope
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)  # to the minute
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
