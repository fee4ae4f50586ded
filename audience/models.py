"""The people around a brand: who they are on each network, and what they did.

Apps above point at ``Identity`` and never at ``Contact``, so that merging two contacts moves identities only.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand, Membership, User
from core.handles import at
from core.ids import uuid7


class Stage(models.TextChoices):
    """How far a person has come; it only ever moves forward by itself."""

    NONE = "none", _("No lead yet")
    LEAD = "lead", _("Lead")
    CUSTOMER = "customer", _("Customer")


class Searchable(models.Model):
    """A row that is found by pieces of its words in any script: see core/bigrams.py."""

    search_text = models.TextField(blank=True, editable=False)  # core.bigrams.folded
    search_grams = ArrayField(models.CharField(max_length=2), default=list, blank=True, editable=False)

    class Meta:
        abstract = True


class ContactQuerySet(models.QuerySet["Contact"]):
    def for_brand(self, brand: Brand) -> Self:
        return self.filter(brand=brand)

    def for_member(self, membership: Membership) -> Self:
        """Also those that were merged into another: their pages lead there."""
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)

    def shown(self) -> Self:
        """Neither merged into another nor erased."""
        return self.filter(merged_into__isnull=True, erased_at__isnull=True)


class Contact(Searchable):
    """One person (or company) as one brand knows them, whatever the networks."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="contacts")
    name = models.CharField(_("name"), max_length=255, blank=True)
    email = models.EmailField(_("e-mail address"), blank=True)
    phone = models.CharField(_("phone"), max_length=64, blank=True)
    notes = models.TextField(_("notes"), blank=True)
    stage = models.CharField(_("stage"), max_length=12, choices=Stage, default=Stage.NONE)
    stage_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    # A contact whose identities were moved to another stays as it was, so that the merge can be undone.
    merged_into = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="merged"
    )
    erased_at = models.DateTimeField(null=True, blank=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["brand", "-last_seen_at"],
                name="contact_recently_seen",
                condition=Q(merged_into__isnull=True, erased_at__isnull=True),
            ),
            models.Index(fields=["brand", "stage"], name="contact_by_stage"),
            GinIndex(fields=["search_grams"], name="contact_search"),
        ]

    def __str__(self) -> str:
        return self.name or str(_("Somebody"))

    @property
    def reference(self) -> str:
        """Names the contact where no name may be kept: the audit log cannot be changed, and outlives it."""
        return f"#{self.pk.hex[-8:]}"


class IdentityKind(models.TextChoices):
    """What an identity is known by; for one of a social network ``platform`` is the network's key."""

    EMAIL = "email", _("E-mail address")
    CUSTOMER = "customer", _("Customer number")  # the id that the brand's own shop or CRM uses


class IdentityQuerySet(models.QuerySet["Identity"]):
    def for_brand(self, brand: Brand) -> Self:
        return self.filter(brand=brand)

    def known_by(self, keys: Collection[tuple[str, str]]) -> Self:
        """Those with these (platform, remote_key); also where parts of two of them make a third."""
        rows = self.filter(
            platform__in={platform for platform, _key in keys},
            remote_key__in={key for _platform, key in keys},
        )
        # The condition of the index, said once more: of a list of more than a hundred keys PostgreSQL does
        # not see that none of them is empty, and reads the whole table instead.
        return rows.exclude(remote_key="")

    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)


class Identity(Searchable):
    """One account of a person at one network, or another mark by which they are known again."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="identities")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="identities")
    # The contact it came with, once a merge has moved it; undoing a merge goes by this.
    home = models.ForeignKey(Contact, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    platform = models.CharField(max_length=24)  # key of a network, or one of IdentityKind
    remote_id = models.CharField(max_length=512, blank=True)  # "" once erased
    # SHA-256 of ``remote_id``, "" once erased: who writes again after that is somebody new.
    remote_key = models.CharField(max_length=64, blank=True)
    handle = models.CharField(max_length=255, blank=True)
    display_name = models.CharField(max_length=255, blank=True)
    avatar_url = models.URLField(max_length=1000, blank=True)
    profile_url = models.URLField(max_length=1000, blank=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)

    objects = IdentityQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["brand", "platform", "remote_key"],
                name="identity_once_per_brand",
                condition=~Q(remote_key=""),
            )
        ]
        indexes: ClassVar = [GinIndex(fields=["search_grams"], name="identity_search")]

    def __str__(self) -> str:
        return self.display_name or (at(self.handle) if self.handle else str(_("Somebody")))

    @property
    def address(self) -> str:
        """As people write it: "@hanako", an e-mail address, a customer number. The id at a network says
        nothing to them."""
        if self.handle:
            return at(self.handle)
        return self.remote_id if self.platform in IdentityKind.values else ""


class ActivityKind(models.TextChoices):
    COMMENT = "comment", _("Commented")
    MENTION = "mention", _("Mentioned the brand")
    MESSAGE = "message", _("Wrote a message")
    REVIEW = "review", _("Wrote a review")
    ANSWERED = "answered", _("Got an answer")
    CLICK = "click", _("Clicked a link")
    LEAD = "lead", _("Became a lead")
    SALE = "sale", _("Bought")
    REFUND = "refund", _("Was refunded")
    CONSENT = "consent", _("Consent changed")
    MERGED = "merged", _("Merged")
    CHANGED = "changed", _("Facts changed")


class Activity(models.Model):
    """One line of a person's timeline, written by the app that knows of it. ``dedupe_key`` names the event
    within the brand: telling it twice writes one row."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    identity = models.ForeignKey(Identity, on_delete=models.CASCADE, related_name="activities")
    kind = models.CharField(max_length=12, choices=ActivityKind)
    at = models.DateTimeField()
    # Personal where it quotes somebody; emptied by an erasure.
    summary = models.CharField(max_length=280, blank=True)
    detail = models.JSONField(default=dict)  # facts for the sentence (amount, currency, platform), no words
    path = models.CharField(max_length=500, blank=True)  # page of ours that shows more
    dedupe_key = models.CharField(max_length=120)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["brand", "dedupe_key"], name="activity_told_once")
        ]
        indexes: ClassVar = [models.Index(fields=["identity", "-at"], name="activity_of_identity")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind}"


class Purpose(models.TextChoices):
    MESSAGES = "messages", _("Direct messages")
    NEWSLETTER = "newsletter", _("Newsletter and offers by e-mail")
    PERSONAL_LINKS = "personal_links", _("Links that tell who clicked")


class Consent(models.Model):
    """One statement of a person about one purpose. Append-only: the latest of all identities of a contact
    counts; without any, nothing was agreed to."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    identity = models.ForeignKey(Identity, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=24, choices=Purpose)
    is_granted = models.BooleanField()
    source = models.CharField(_("how it was given"), max_length=255)
    recorded_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["identity", "purpose", "-at"], name="consent_latest")]

    def __str__(self) -> str:
        return f"{self.purpose}: {self.is_granted}"


class ErasureRequest(models.Model):
    """A contact's personal data were removed: who asked for it, when it was done, and how many rows of what
    lost their personal fields (``removed``: {app: {model: rows}}). It keeps no name."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="erasure_requests")
    contact_id = models.UUIDField()
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    requested_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    removed = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"erasure of {self.contact_id}"
