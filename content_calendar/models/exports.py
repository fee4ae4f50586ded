"""Files of posts that are made in the background, for whoever asked to fetch them later."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand, Membership
from core.ids import uuid7


class ExportState(models.TextChoices):
    MAKING = "making", _("Being made")
    DONE = "done", _("Ready to download")
    FAILED = "failed", _("Could not be made")


class PostExportQuerySet(models.QuerySet["PostExport"]):
    def for_member(self, membership: Membership) -> Self:
        """Their own: the file holds what they could see when it was made."""
        brands = Brand.objects.for_member(membership)
        return self.filter(Q(brand=None) | Q(brand__in=brands), membership=membership)


class PostExport(models.Model):
    """One file of posts that a member asked for. ``query`` is the filter as it stands in an address,
    ``brand`` empty when all of the member's brands were shown; ``brands`` are the ids of those that the file
    holds, so that it is not handed out to somebody who may no longer see one of them.

    A worker holds it by ``lease_key`` until ``lease_until``, as an ImportBatch.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="post_exports")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    query = models.TextField(blank=True)
    kind = models.CharField(max_length=8)  # core.xlsx_reading.TableKind
    language = models.CharField(max_length=8)  # of the words above the columns
    state = models.CharField(max_length=8, choices=ExportState, default=ExportState.MAKING)
    rows = models.PositiveIntegerField()  # posts that matched when somebody asked
    done = models.PositiveIntegerField(default=0)  # posts that are written
    brands: models.JSONField[Any, Any] = models.JSONField(default=list)
    storage_key = models.CharField(max_length=255, blank=True)  # DONE: the file is there
    size = models.PositiveBigIntegerField(default=0)  # bytes
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_key = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = PostExportQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["membership", "-created_at"], name="export_of_member"),
            models.Index(fields=["created_at"], name="export_old"),
            models.Index(fields=["lease_until"], name="export_under_way", condition=Q(state="making")),
        ]

    def __str__(self) -> str:
        return f"{self.rows} posts as {self.kind}"

    @property
    def file_name(self) -> str:
        return f"posts-{self.created_at:%Y%m%d}.{self.kind}"
