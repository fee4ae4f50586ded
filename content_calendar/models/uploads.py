"""Files that arrive piece by piece."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.utils import timezone

from accounts.models import Brand, Membership, User
from content_calendar.models.library import MediaFolder
from content_calendar.models.media import MediaAsset
from core.ids import uuid7


class MediaUploadQuerySet(models.QuerySet["MediaUpload"]):
    def for_member(self, membership: Membership) -> Self:
        """One's own: nobody goes on with somebody else's upload."""
        rows = self.filter(
            person=membership.user_id,
            brand__organization_id=membership.organization_id,
            brand__is_archived=False,
        )
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)


class MediaUpload(models.Model):
    """A large file on its way in. ``chunks`` are its pieces in the media store, in their order:
    [storage key, bytes, SHA-256 (hex)]; they become one file when its ``asset`` is made ready."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    folder = models.ForeignKey(MediaFolder, on_delete=models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()  # bytes, as announced
    fingerprint = models.CharField(max_length=64)  # by which a page that was loaded again finds it
    received = models.PositiveBigIntegerField(default=0)  # bytes so far
    chunks: models.JSONField[Any, Any] = models.JSONField(default=list)
    asset = models.OneToOneField(MediaAsset, on_delete=models.CASCADE, null=True, related_name="upload")
    created_at = models.DateTimeField(default=timezone.now)
    touched_at = models.DateTimeField(default=timezone.now)

    objects = MediaUploadQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["person", "brand", "fingerprint"], name="upload_to_go_on_with"),
            models.Index(fields=["touched_at"], name="upload_left_behind"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.received} of {self.size}"
