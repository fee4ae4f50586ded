"""Posts as people plan them: one idea, its variants for each account, its media."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand, Membership, Organization, SocialAccount, User
from campaigns.models import Campaign
from core.ids import uuid7
from outbox.missed import MissedRule
from outbox.models import Delivery, MissedPolicy


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


class Approval(models.TextChoices):
    DRAFT = "draft", _("Draft")
    APPROVED = "approved", _("Approved")


class PostQuerySet(models.QuerySet["Post"]):
    def for_organization(self, organization: Organization) -> Self:
        return self.filter(brand__organization=organization)

    def for_brand(self, brand: Brand) -> Self:
        return self.filter(brand=brand)

    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(
            brand__organization_id=membership.organization_id,
            brand__is_archived=False,
            deleted_at__isnull=True,
        )
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)

    def deleted(self, membership: Membership) -> Self:
        """The posts this member could restore."""
        rows = self.filter(
            brand__organization_id=membership.organization_id,
            brand__is_archived=False,
            deleted_at__isnull=False,
        )
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)


class Post(models.Model):
    """An idea to be published: base text (or thread), media and time; its variants say where.

    ``parts`` is a list of {"text": str, "media": [{"asset": uuid, "alt": str}], "link_card": {"url",
    "title", "description"} | null} (content_calendar.content); more than one part is a thread. What a post
    shows people (scheduled, partly published ...) is derived from its deliveries.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="posts")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    # Links in its words become tracked links of this campaign when the content is frozen.
    campaign = models.ForeignKey(
        Campaign, on_delete=models.SET_NULL, null=True, blank=True, related_name="posts"
    )
    approval = models.CharField(max_length=12, choices=Approval, default=Approval.DRAFT)
    parts: models.JSONField[Any, Any] = models.JSONField(default=list)
    planned_at = models.DateTimeField(null=True, blank=True)  # a draft may have a time, too
    # What happens if it cannot go out on time; empty: what its brand does then. Frozen into its deliveries.
    missed_policy = models.CharField(max_length=8, choices=MissedPolicy, blank=True)
    missed_after_s = models.PositiveIntegerField(null=True, blank=True)
    # Grows with every save: two tabs cannot overwrite each other.
    version = models.PositiveIntegerField(default=1)
    # The composer page that saved last: a save whose answer got lost on the way, sent again by the same
    # page, is not taken for somebody else's.
    edited_in = models.CharField(max_length=36, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = PostQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["brand", "planned_at"], name="post_of_brand"),
            models.Index(
                fields=["brand", "-updated_at"],
                name="post_recently_changed",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(
                fields=["brand", "planned_at"],
                name="post_draft_plans",
                condition=Q(deleted_at__isnull=True, approval="draft"),
            ),
            models.Index(
                fields=["brand", "-updated_at"],
                name="post_drafts",
                condition=Q(deleted_at__isnull=True, approval="draft"),
            ),
        ]

    def __str__(self) -> str:
        return self.excerpt

    @property
    def missed_rule(self) -> MissedRule | None:
        """Its own rule for being late, None: that of its brand."""
        if not self.missed_policy or self.missed_after_s is None:
            return None
        return MissedRule(MissedPolicy(self.missed_policy), self.missed_after_s)

    @property
    def excerpt(self) -> str:
        """The first line, at most 80 characters."""
        text: str = self.parts[0].get("text", "") if self.parts else ""
        line = text.strip().split("\n", 1)[0]
        return line if len(line) <= 80 else line[:79].rstrip() + "…"


class Variant(models.Model):
    """A post on one account: its own words where they differ, and its delivery once it is scheduled."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="variants")
    account = models.ForeignKey(SocialAccount, on_delete=models.CASCADE, related_name="variants")
    parts: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)  # null: the post's own
    delivery = models.OneToOneField(
        Delivery, on_delete=models.SET_NULL, null=True, blank=True, related_name="variant"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["post", "account"], name="variant_once_per_account")
        ]

    def __str__(self) -> str:
        return f"{self.post_id} on {self.account_id}"

    @property
    def content(self) -> list[dict[str, Any]]:
        """Its own parts, or the post's."""
        own: list[dict[str, Any]] = self.parts if self.parts is not None else self.post.parts
        return own


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
    CONTENT = "content", _("The network will refuse the content")
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
