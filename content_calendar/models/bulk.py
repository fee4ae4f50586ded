"""Changes of many posts at once, with what is needed to take them back."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand, Membership, Organization, User
from content_calendar.models.posts import Post
from core.ids import uuid7

# How long a change can be taken back.
UNDO_FOR = dt.timedelta(hours=24)


class BulkKind(models.TextChoices):
    MOVE = "move", _("Move")
    EDIT = "edit", _("Edit")
    REPLACE = "replace", _("Find and replace")
    SCHEDULE = "schedule", _("Schedule")
    UNSCHEDULE = "unschedule", _("Unschedule")
    DELETE = "delete", _("Delete")


class BulkActionQuerySet(models.QuerySet["BulkAction"]):
    def for_member(self, membership: Membership) -> Self:
        """Those whose posts are all of brands that the member may see."""
        rows = self.filter(organization_id=membership.organization_id)
        if membership.has_all_brands:
            return rows
        elsewhere = BulkChange.objects.filter(action=OuterRef("pk")).exclude(
            post__brand__in=Brand.objects.for_member(membership)
        )
        return rows.exclude(Exists(elsewhere))


class BulkAction(models.Model):
    """One change that somebody made to several posts (or, by dragging, to one) in one go."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="bulk_actions")
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=12, choices=BulkKind)
    created_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = BulkActionQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at"], name="bulk_action_recent"),
            models.Index(fields=["created_at"], name="bulk_action_old"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.created_at:%Y-%m-%d %H:%M}"

    def can_be_undone(self, now: dt.datetime) -> bool:
        return self.undone_at is None and now - self.created_at < UNDO_FOR


class BulkOutcome(models.TextChoices):
    DONE = "done", _("Done")
    REFUSED = "refused", _("Not possible")
    UNDONE = "undone", _("Taken back")
    LEFT = "left", _("Left as it is")


class BulkChange(models.Model):
    """What a change did to one post. ``before`` is how it stood (services.bulk); ``version`` is the post's
    after the change: with another one it has been changed since, and is not taken back.

    ``reason``: why it was refused, or left as it is, in the language of whoever asked.
    """

    action = models.ForeignKey(BulkAction, on_delete=models.CASCADE, related_name="changes")
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="bulk_changes")
    outcome = models.CharField(max_length=8, choices=BulkOutcome, default=BulkOutcome.DONE)
    before: models.JSONField[Any, Any] = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=0)
    reason = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["action", "post"], name="bulk_change_once_per_post")
        ]

    def __str__(self) -> str:
        return f"{self.outcome}: {self.post_id}"
