"""What was done by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models

from accounts.models.people import Organization, User
from core.ids import uuid7

if TYPE_CHECKING:
    pass


class AuditEntry(models.Model):
    """One thing that somebody did. Append-only: the database refuses updates and deletes."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # The database itself cascades (migration 0002): entries go with their organization, never alone.
    organization = models.ForeignKey(Organization, on_delete=models.DO_NOTHING, related_name="audit_entries")
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    actor_name = models.CharField(max_length=254)  # as it was then; "" is the system
    action = models.CharField(max_length=64)
    subject_type = models.CharField(max_length=64, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    subject_name = models.CharField(max_length=255, blank=True)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["organization", "-at"], name="audit_of_organization")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action}"
