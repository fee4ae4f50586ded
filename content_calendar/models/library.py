"""How a brand keeps its media in order."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import F
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand, Membership
from core.ids import uuid7


class MediaFolderQuerySet(models.QuerySet["MediaFolder"]):
    def for_brand(self, brand: Brand) -> Self:
        return self.filter(brand=brand)

    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)


class MediaFolder(models.Model):
    """A folder of a brand's media library, at the top or in another folder at the top."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="media_folders")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="inner")
    name = models.CharField(_("name"), max_length=60)
    created_at = models.DateTimeField(default=timezone.now)

    objects = MediaFolderQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                F("brand"), F("parent"), Lower("name"), name="media_folder_name_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return self.name


class MediaTagQuerySet(models.QuerySet["MediaTag"]):
    def for_brand(self, brand: Brand) -> Self:
        return self.filter(brand=brand)


class MediaTag(models.Model):
    """A word by which a brand finds its media; one that nothing carries any more is removed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="media_tags")
    name = models.CharField(_("name"), max_length=40)

    objects = MediaTagQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("brand", Lower("name"), name="media_tag_name_once_per_brand")
        ]

    def __str__(self) -> str:
        return self.name
