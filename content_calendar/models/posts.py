"""Posts as people plan them: one idea, its labels, its variants for each account."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand, Membership, Organization, SocialAccount, User
from campaigns.models import Campaign
from core.ids import uuid7
from outbox.missed import MissedRule
from outbox.models import Delivery, MissedPolicy


class LabelTone(models.TextChoices):
    """The colours that a label can have: names of the interface's tones."""

    BLUE = "blue", _("Blue")
    GREEN = "green", _("Green")
    YELLOW = "yellow", _("Yellow")
    ORANGE = "orange", _("Orange")
    RED = "red", _("Red")
    PURPLE = "purple", _("Purple")
    GREY = "secondary", _("Grey")


class LabelQuerySet(models.QuerySet["Label"]):
    def for_brand(self, brand: Brand) -> Self:
        return self.filter(brand=brand)

    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)


class Label(models.Model):
    """A word by which a brand sorts its posts: a series, a topic, a product."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="labels")
    name = models.CharField(_("name"), max_length=40)
    tone = models.CharField(_("colour"), max_length=12, choices=LabelTone, default=LabelTone.BLUE)
    created_at = models.DateTimeField(default=timezone.now)

    objects = LabelQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("brand", Lower("name"), name="label_name_once_per_brand")
        ]

    def __str__(self) -> str:
        return self.name


class Approval(models.TextChoices):
    """How far a post is on its way into the schedule (services.transitions has what leads where)."""

    DRAFT = "draft", _("Draft")
    IN_REVIEW = "in_review", _("In review")
    CHANGES_ASKED = "changes_asked", _("Changes asked")
    READY = "ready", _("Approved")  # and not in the schedule yet
    APPROVED = "approved", _("Scheduled")  # in the schedule, or out already


# What stands in no schedule. The rows are few of many, and have partial indexes of their own.
UNSCHEDULED = (Approval.DRAFT, Approval.IN_REVIEW, Approval.CHANGES_ASKED, Approval.READY)


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
    labels = models.ManyToManyField(Label, blank=True, related_name="posts")
    approval = models.CharField(max_length=16, choices=Approval, default=Approval.DRAFT)
    # The content (selectors.approval.fingerprint) that was approved and may be sent; empty where the brand
    # asked for no approval when the post was put into the schedule.
    approved_fingerprint = models.CharField(max_length=64, blank=True)
    parts: models.JSONField[Any, Any] = models.JSONField(default=list)
    planned_at = models.DateTimeField(null=True, blank=True)  # a draft may have a time, too
    # What a series or an evergreen pool makes its posts from; it never goes out itself.
    is_template = models.BooleanField(default=False)
    # What happens if it cannot go out on time; empty: what its brand does then. Frozen into its deliveries.
    missed_policy = models.CharField(max_length=8, choices=MissedPolicy, blank=True)
    missed_after_s = models.PositiveIntegerField(null=True, blank=True)
    # Grows with every save: two tabs cannot overwrite each other.
    version = models.PositiveIntegerField(default=1)
    # The composer page that saved last: a save whose answer got lost on the way, sent again by the same
    # page, is not taken for somebody else's.
    edited_in = models.CharField(max_length=36, blank=True)
    # Who saved last: what one person wrote is kept when another one changes it.
    edited_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
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
                name="post_unscheduled_plans",
                condition=Q(deleted_at__isnull=True, approval__in=UNSCHEDULED),
            ),
            models.Index(
                fields=["brand", "-updated_at"],
                name="post_unscheduled",
                condition=Q(deleted_at__isnull=True, approval__in=UNSCHEDULED),
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
    # What the network asks besides (PlatformInfo.post_fields), by name: text, true or false
    # (content_calendar.answers). Defaults are left out.
    settings: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
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
