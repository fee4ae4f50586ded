"""Where other programs want to be told, and what was sent there."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models.people import Brand, Membership, Organization, User
from core.ids import uuid7

if TYPE_CHECKING:
    pass


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def for_member(self, membership: Membership) -> Self:
        """Of the whole organization for those who see all of it, and of one's own brands."""
        rows = self.filter(organization_id=membership.organization_id)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)

    def active(self) -> Self:
        return self.filter(disabled_at__isnull=True)

    def for_news(self, organization: Organization, brand: Brand | None, kind: str) -> Self:
        """Those that want to be told of this kind, about this brand (None: about no brand in particular)."""
        rows = self.active().filter(organization=organization, kinds__contains=[kind])
        return rows.filter(Q(brand__isnull=True) | Q(brand=brand)) if brand else rows.filter(brand=None)


class WebhookEndpoint(models.Model):
    """An address at which another program is told news: of the whole organization, or of one brand."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="webhooks")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, null=True, blank=True, related_name="webhooks")
    name = models.CharField(_("name"), max_length=120)
    url = models.CharField(max_length=1000)
    kinds = models.JSONField(default=list)  # of NotificationKind
    secret = models.TextField()  # encrypted {"secrets": [the newest, the one before]}
    overlaps_until = models.DateTimeField(null=True, blank=True)  # until when the one before signs, too
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    is_off_for_failing = models.BooleanField(default=False)
    # What came since the last success: since when, how often, and until when it is left alone.
    failing_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    blocked_until = models.DateTimeField(null=True, blank=True)
    # One worker at a time calls it: until when, and the token of whoever does.
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    called_at = models.DateTimeField(null=True, blank=True)

    objects = WebhookEndpointQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None

    @property
    def host(self) -> str:
        """What may be shown and logged of the address: its path may hold a secret of the receiver's own."""
        return urlsplit(self.url).netloc


class WebhookState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    DELIVERED = "delivered", pgettext_lazy("webhook", "Delivered")
    GIVEN_UP = "given_up", _("Given up")


class WebhookMessageQuerySet(models.QuerySet["WebhookMessage"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(endpoint__organization_id=membership.organization_id)
        return rows if membership.has_all_brands else rows.filter(endpoint__brand__members=membership)

    def waiting(self) -> Self:
        return self.filter(state=WebhookState.WAITING)

    def due(self, now: dt.datetime) -> Self:
        return self.waiting().filter(next_at__lte=now)


class WebhookMessage(models.Model):
    """One piece of news for one webhook, with how its last attempt went. The row is the queue (ADR 0028)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=32)  # of NotificationKind, or "test"
    dedupe_key = models.CharField(max_length=120)  # the same news is told once
    body = models.TextField()  # the JSON as it is signed and sent, the same in every attempt
    created_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=WebhookState, default=WebhookState.WAITING)
    next_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)  # null: no answer came
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    excerpt = models.CharField(max_length=300, blank=True)  # of the answer, or why none came

    objects = WebhookMessageQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["endpoint", "dedupe_key"], name="webhook_message_once")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["endpoint", "next_at"], name="webhook_message_due", condition=Q(state="waiting")
            ),
            models.Index(fields=["endpoint", "-created_at"], name="webhook_message_of_endpoint"),
            models.Index(fields=["created_at"], name="webhook_message_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.endpoint_id}"
