"""Who has to agree before a post goes out: rules, versions, reviews, links for clients, comments."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand, Membership, User
from content_calendar.models.posts import Post
from core.ids import uuid7


class ApprovalRule(models.TextChoices):
    """What a brand asks for before a post may be scheduled."""

    NONE = "none", _("None: whoever may schedule decides alone")
    INTERNAL = "internal", _("Internal: a colleague who may approve")
    CLIENT = "client", _("Client: by a link, without signing in")
    BOTH = "both", _("Two steps: internal, then the client by a link")


class ReviewStep(models.TextChoices):
    INTERNAL = "internal", _("Internal")
    CLIENT = "client", _("Client")


# The steps of each rule, in their order.
STEPS: dict[ApprovalRule, tuple[ReviewStep, ...]] = {
    ApprovalRule.NONE: (),
    ApprovalRule.INTERNAL: (ReviewStep.INTERNAL,),
    ApprovalRule.CLIENT: (ReviewStep.CLIENT,),
    ApprovalRule.BOTH: (ReviewStep.INTERNAL, ReviewStep.CLIENT),
}
REMIND_AFTER_H = 24


class ApprovalRules(models.Model):
    """What one brand asks for. A brand without a row asks for nothing."""

    brand = models.OneToOneField(
        Brand, on_delete=models.CASCADE, primary_key=True, related_name="approval_rules"
    )
    rule = models.CharField(max_length=12, choices=ApprovalRule, default=ApprovalRule.NONE)
    # An answer that is not there after so many hours is asked for again; 0 = never.
    remind_after_h = models.PositiveSmallIntegerField(default=REMIND_AFTER_H)

    def __str__(self) -> str:
        return f"{self.rule} for {self.brand_id}"


class KeptBecause(models.TextChoices):
    SUBMITTED = "submitted", _("Submitted for review")
    APPROVED = "approved", _("Approved")
    SCHEDULED = "scheduled", _("Scheduled")
    OTHER_PERSON = "other_person", _("Before another person changed it")


class PostVersion(models.Model):
    """What a post said at a moment worth keeping.

    ``content`` is {"parts": [...], "accounts": [{"id", "name", "platform"}], "own": {account id: [...]}}, its
    parts as in ``Post.parts``; with "settings": {account id: {...}} as of Variant, where there are any.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()  # 1, 2, 3 ... of its post
    fingerprint = models.CharField(max_length=64)  # of its content, see selectors.approval
    content: models.JSONField[Any, Any] = models.JSONField()
    planned_at = models.DateTimeField(null=True, blank=True)
    because = models.CharField(max_length=12, choices=KeptBecause)
    saved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["post", "number"], name="version_number_once_per_post")
        ]

    def __str__(self) -> str:
        return f"version {self.number} of {self.post_id}"


class ReviewRequestQuerySet(models.QuerySet["ReviewRequest"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)

    def open(self, now: dt.datetime) -> Self:
        return self.filter(revoked_at__isnull=True, expires_at__gt=now)


class ReviewRequest(models.Model):
    """Posts of a brand shown to one client, who answers without signing in.

    The link's secret is in no row: ``ReviewKey`` keeps hashes. A mail makes a key of its own, so a reminder
    can carry a link and the first one goes on working.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="review_requests")
    posts = models.ManyToManyField(Post, related_name="review_requests")
    client_name = models.CharField(_("client"), max_length=120)
    client_email = models.EmailField(_("e-mail address"), blank=True)
    note = models.CharField(_("note to the client"), max_length=1000, blank=True)
    language = models.CharField(_("language of the mails"), max_length=8)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    last_opened_at = models.DateTimeField(null=True, blank=True)
    # The queue of its mails: due then, None = nothing to send.
    mail_at = models.DateTimeField(null=True, blank=True)
    mail_failures = models.PositiveSmallIntegerField(default=0)
    mails_sent = models.PositiveSmallIntegerField(default=0)

    objects = ReviewRequestQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["mail_at"], name="review_request_mail_due", condition=Q(mail_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return self.client_name

    def is_open(self, now: dt.datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at


class ReviewKey(models.Model):
    """One secret that opens a review request; only its hash is kept."""

    request = models.ForeignKey(ReviewRequest, on_delete=models.CASCADE, related_name="keys")
    token_hash = models.CharField(max_length=64, unique=True)  # SHA-256 (hex) of 256 random bits
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"key of {self.request_id}"


class ReviewOutcome(models.TextChoices):
    OPEN = "", _("Waiting")
    APPROVED = "approved", _("Approved")
    CHANGES_ASKED = "changes_asked", _("Changes asked")
    WITHDRAWN = "withdrawn", _("Taken back")


class ReviewQuerySet(models.QuerySet["Review"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(
            post__brand__organization_id=membership.organization_id,
            post__brand__is_archived=False,
            post__deleted_at__isnull=True,
        )
        return rows if membership.has_all_brands else rows.filter(post__brand__members=membership)

    def open(self) -> Self:
        return self.filter(outcome=ReviewOutcome.OPEN)


class Review(models.Model):
    """One question to one step: may this version of the post go out? And what was answered, by whom."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="reviews")
    version = models.ForeignKey(PostVersion, on_delete=models.CASCADE, related_name="reviews")
    step = models.CharField(max_length=12, choices=ReviewStep)
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=16, choices=ReviewOutcome, blank=True, default=ReviewOutcome.OPEN)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    client_name = models.CharField(max_length=120, blank=True)  # who answered by a link
    request = models.ForeignKey(
        ReviewRequest, on_delete=models.SET_NULL, null=True, blank=True, related_name="reviews"
    )
    remind_at = models.DateTimeField(null=True, blank=True)  # None: not any more
    reminders = models.PositiveSmallIntegerField(default=0)
    is_near_told = models.BooleanField(default=False)  # said that its planned time is near

    objects = ReviewQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["post"], name="review_open_once_per_post", condition=Q(outcome="")
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["asked_at"], name="review_open", condition=Q(outcome="")),
        ]

    def __str__(self) -> str:
        return f"{self.step} review of {self.post_id}"

    @property
    def who(self) -> str:
        """Whoever answered, "" while nobody has."""
        return self.client_name or (str(self.decided_by) if self.decided_by else "")


class CommentQuerySet(models.QuerySet["Comment"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(
            post__brand__organization_id=membership.organization_id,
            post__brand__is_archived=False,
            post__deleted_at__isnull=True,
        )
        return rows if membership.has_all_brands else rows.filter(post__brand__members=membership)


class Comment(models.Model):
    """A word about a post, by a member or by a client through a link."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="comments")
    # What it was said about; None: about a draft of which no version was kept.
    version = models.ForeignKey(PostVersion, on_delete=models.SET_NULL, null=True, related_name="comments")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    client_name = models.CharField(max_length=120, blank=True)
    request = models.ForeignKey(
        ReviewRequest, on_delete=models.SET_NULL, null=True, blank=True, related_name="comments"
    )
    text = models.TextField(max_length=5000)
    is_shared = models.BooleanField(default=False)  # clients see it, too
    created_at = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = CommentQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["post", "created_at"], name="comments_of_post")]

    def __str__(self) -> str:
        return self.text[:60]

    @property
    def who(self) -> str:
        return self.client_name or (str(self.author) if self.author else "")
