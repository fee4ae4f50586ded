"""Images of a brand, and the smaller copies that networks need."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.utils import timezone

from accounts.models import Brand, Membership, Organization, User
from core.ids import uuid7


class MediaAssetQuerySet(models.QuerySet["MediaAsset"]):
    def for_organization(self, organization: Organization) -> Self:
        return self.filter(brand__organization=organization)

    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)


class MediaAsset(models.Model):
    """One image of a brand, stored once by its content, without its camera's metadata."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="media_assets")
    sha256 = models.CharField(max_length=64)  # of the stored bytes
    storage_key = models.CharField(max_length=255)
    thumbnail_key = models.CharField(max_length=255, blank=True)
    mime_type = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()  # bytes
    width = models.PositiveIntegerField()  # pixels, upright
    height = models.PositiveIntegerField()
    original_name = models.CharField(max_length=255, blank=True)
    uploaded_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = MediaAssetQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["brand", "sha256"], name="media_stored_once_per_brand")
        ]

    def __str__(self) -> str:
        return self.original_name or self.sha256[:12]


class Rendition(models.Model):
    """A smaller copy of an image, made because a network does not take the original."""

    asset = models.ForeignKey(MediaAsset, on_delete=models.CASCADE, related_name="renditions")
    max_bytes = models.PositiveBigIntegerField()  # the limits it was made for
    max_pixels = models.PositiveBigIntegerField()  # width x height, 0 = none
    mime_type = models.CharField(max_length=64)
    storage_key = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["asset", "max_bytes", "max_pixels", "mime_type"], name="rendition_once_per_limit"
            )
        ]

    def __str__(self) -> str:
        return f"{self.width}x{self.height} of {self.asset_id}"
