"""What a look ahead found in the way of planned posts."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand, Membership
from outbox.models import Delivery


class PreflightLevel(models.TextChoices):
    """How bad it is; in this order, the worst first."""

    FAILS = "1_fails", _("Will fail")
    HELD = "2_held", _("Will be held")
    LOOK = "3_look", _("Worth a look")


class PreflightCode(models.TextChoices):
    ACCOUNT_LOST = "account_lost", _("The account must be reconnected")
    CONNECTION_ENDS = "connection_ends", _("The connection ends before its time")
    NOT_GRANTED = "not_granted", _("The account was not given the permission for this")
    SCOPES = "scopes", _("Some permissions were not given")
    MEDIA_MISSING = "media_missing", _("An image is no longer there")
    MEDIA_PREPARING = "media_preparing", _("A video is still being made ready")
    MEDIA_FAILED = "media_failed", _("A video could not be made ready")
    CONTENT = "content", _("The network will refuse the content")
    REFUSED = "refused", _("The network was asked, and would refuse it")
    NOT_ASKED = "not_asked", _("The network could not be asked")
    NOT_ALLOWED = "not_allowed", _("Whoever scheduled it may no longer publish")
    QUOTA = "quota", _("The account’s quota will be used up")
    COLLISION = "collision", _("Another post is close by")
    DUPLICATE = "duplicate", _("The same text again")
    QUIET = "quiet", _("It falls due in a quiet period")
    PAUSED = "paused", _("Sending is paused")


class Preflight(models.Model):
    """The last check of what a brand has planned for the coming days."""

    brand = models.OneToOneField(Brand, on_delete=models.CASCADE, primary_key=True, related_name="preflight")
    checked_at = models.DateTimeField()
    until = models.DateTimeField()  # what is planned from there on was not looked at
    count = models.PositiveIntegerField(default=0)  # deliveries looked at
    is_cut = models.BooleanField(default=False)  # there were more than fit in one check
    # The evening (a date of the brand's zone) on which it was last checked by itself and people were told.
    evening_date = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return f"preflight of {self.brand_id} at {self.checked_at:%Y-%m-%d %H:%M}"


class PreflightProblemQuerySet(models.QuerySet["PreflightProblem"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(
            preflight__brand__organization_id=membership.organization_id, preflight__brand__is_archived=False
        )
        return rows if membership.has_all_brands else rows.filter(preflight__brand__members=membership)


class PreflightProblem(models.Model):
    """One thing that the last check found in the way of one planned post."""

    preflight = models.ForeignKey(Preflight, on_delete=models.CASCADE, related_name="problems")
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="preflight_problems")
    code = models.CharField(max_length=20, choices=PreflightCode)
    level = models.CharField(max_length=8, choices=PreflightLevel)
    detail: models.JSONField[Any, Any] = models.JSONField(default=dict)  # what its sentence needs

    objects = PreflightProblemQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.code} of {self.delivery_id}"
