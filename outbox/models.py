"""Everything that we send to a network: what, when, and what became of it."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand, Membership, Organization, SocialAccount, User
from core.ids import uuid7


class DeliveryKind(models.TextChoices):
    POST = "post", _("Post")
    REPLY = "reply", _("Reply")  # a public answer to a comment or mention
    DM = "dm", _("Direct message")
    MODERATION = "moderation", _("Moderation")  # like, hide, their opposites, delete


class DeliveryState(models.TextChoices):
    SCHEDULED = "scheduled", _("Scheduled")
    CLAIMED = "claimed", _("About to be sent")
    SENDING = "sending", _("Sending")
    PROCESSING = "processing", _("Processing at the network")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    UNCERTAIN = "uncertain", _("Uncertain")
    MISSED = "missed", _("Missed")
    HELD = "held", _("Held")
    CANCELLED = "cancelled", _("Cancelled")


S = DeliveryState

# What may follow what; enforced in outbox.services.transitions.move, the only writer of ``state``.
TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    S.SCHEDULED: frozenset({S.CLAIMED, S.HELD, S.MISSED, S.CANCELLED, S.FAILED}),
    S.CLAIMED: frozenset({S.SENDING, S.SCHEDULED, S.HELD, S.MISSED, S.FAILED}),
    S.SENDING: frozenset({S.SENT, S.PROCESSING, S.SCHEDULED, S.FAILED, S.UNCERTAIN, S.HELD}),
    S.PROCESSING: frozenset({S.CLAIMED, S.HELD}),
    S.HELD: frozenset({S.SCHEDULED, S.CANCELLED, S.MISSED}),
    S.MISSED: frozenset({S.SCHEDULED, S.CANCELLED}),
    S.FAILED: frozenset({S.SCHEDULED, S.CANCELLED}),
    S.UNCERTAIN: frozenset({S.SENT, S.SCHEDULED, S.CANCELLED}),
    S.SENT: frozenset(),
    S.CANCELLED: frozenset(),
}

# The tick may claim rows in these states once ``next_attempt_at`` has come.
CLAIMABLE = (S.SCHEDULED, S.PROCESSING)
# A worker owns rows in these states; a lease that ran out means that the worker is dead.
LEASED = (S.CLAIMED, S.SENDING)
# Not due by themselves any more: a person decides, or nothing is left to do.
STOPPED = (S.SENT, S.FAILED, S.UNCERTAIN, S.MISSED, S.HELD, S.CANCELLED)


class HeldReason(models.TextChoices):
    RECONNECT = "reconnect", _("The account must be reconnected")
    PAUSED = "paused", _("Sending is paused")
    QUIET = "quiet", _("It fell due in a quiet period")
    UNDECIDED = "undecided", _("Sending was resumed: decide whether it still goes out")


class MissedPolicy(models.TextChoices):
    """What happens to a delivery that could not be sent by ``due_at`` + ``missed_after_s``: it is ``missed``
    in any case, but nobody is asked about what is skipped."""

    ASK = "ask", _("Ask me")
    SKIP = "skip", _("Skip it")


class SendingRules(models.Model):
    """What holds for the posts of one brand unless they say otherwise; without it, the defaults."""

    brand = models.OneToOneField(
        Brand, on_delete=models.CASCADE, primary_key=True, related_name="sending_rules"
    )
    missed_policy = models.CharField(max_length=8, choices=MissedPolicy, default=MissedPolicy.ASK)
    missed_after_s = models.PositiveIntegerField(default=24 * 3600)

    def __str__(self) -> str:
        return f"sending rules of {self.brand_id}"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def for_organization(self, organization: Organization) -> Self:
        return self.filter(brand__organization=organization)

    def for_brand(self, brand: Brand) -> Self:
        return self.filter(brand=brand)

    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)

    def posts(self) -> Self:
        """What people know as posts: no replies, messages, likes."""
        return self.filter(kind=DeliveryKind.POST)

    def due(self, now: dt.datetime) -> Self:
        return self.filter(state__in=CLAIMABLE, next_attempt_at__lte=now)

    def lease_expired(self, now: dt.datetime) -> Self:
        return self.filter(state__in=LEASED, lease_until__lt=now)


class Delivery(models.Model):
    """One thing to send on one social account, with its payload frozen; the row is the schedule."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="deliveries")
    account = models.ForeignKey(SocialAccount, on_delete=models.PROTECT, related_name="deliveries")
    kind = models.CharField(max_length=12, choices=DeliveryKind, default=DeliveryKind.POST)
    # A post: {"parts": [{"text", "media": [{"asset", "storage_key", "mime_type", "size", "width", "height",
    #  "alt_text"}], "link_card": {"url", "title", "description", "image_url"?} | null, "is_comment"?}],
    #  "language", "settings": {PostField.name: text, true or false}?}.
    # A reply has "reply_to" besides: {"remote_id", "root_id", "detail"}; a direct message "message_to":
    # {"recipient_id", "thread_id", "detail"}. A moderation is "moderation": {"action", "remote_id", "detail"}
    # with "parts" empty.
    payload = models.JSONField()
    # What its words are known again by (outbox.wording), written with the payload of a post; null: no words,
    # or an old row.
    words_hash = models.BigIntegerField(null=True, editable=False)
    words_sketch = models.BigIntegerField(null=True, editable=False)
    due_at = models.DateTimeField()  # when people expect it
    next_attempt_at = models.DateTimeField()  # when we try (again)
    state = models.CharField(max_length=12, choices=DeliveryState, default=DeliveryState.SCHEDULED)
    held_reason = models.CharField(max_length=16, choices=HeldReason, blank=True)
    missed_policy = models.CharField(max_length=8, choices=MissedPolicy, default=MissedPolicy.ASK)
    missed_after_s = models.PositiveIntegerField(default=24 * 3600)
    # Lease of the worker that owns it now; ``fence`` grows with every claim, and a worker whose fence is
    # old may not write any more.
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0)  # temporary ones in a row, for the backoff
    error = models.CharField(max_length=32, blank=True)  # RejectReason, or one of outbox.errors
    error_detail = models.TextField(blank=True)  # the network's own words
    remote_id = models.CharField(max_length=512, blank=True)  # of the first part, once it is there
    permalink = models.URLField(max_length=1000, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)  # when the last part was accepted
    seen_at = models.DateTimeField(null=True, blank=True)  # when it was read back from the network
    read_backs = models.PositiveSmallIntegerField(default=0)  # tries to read it back so far
    scheduled_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            # The claim: the earliest due rows of each account.
            models.Index(
                fields=["account", "next_attempt_at"],
                name="delivery_due",
                condition=Q(state__in=["scheduled", "processing"]),
            ),
            # The same of answers, which do not wait behind posts.
            models.Index(
                fields=["account", "next_attempt_at"],
                name="delivery_due_answer",
                condition=Q(state__in=["scheduled", "processing"], kind__in=["reply", "dm", "moderation"]),
            ),
            models.Index(
                fields=["lease_until"], name="delivery_leased", condition=Q(state__in=["claimed", "sending"])
            ),
            models.Index(fields=["account"], name="delivery_held", condition=Q(state="held")),
            models.Index(
                fields=["sent_at"],
                name="delivery_unseen",
                condition=Q(state="sent", seen_at__isnull=True, read_backs__lt=5, kind__in=["post", "reply"]),
            ),
            # What was sent lately: read by those above who follow up on it.
            models.Index(fields=["sent_at"], name="delivery_sent", condition=Q(state="sent")),
            models.Index(fields=["brand", "due_at"], name="delivery_of_brand"),
            # Whether an account had these words lately, or has them planned: answered from the index.
            models.Index(
                fields=["account", "due_at"],
                include=["id", "words_hash", "words_sketch"],
                name="delivery_words",
                condition=Q(words_hash__isnull=False),
            ),
            models.Index(
                fields=["brand", "state"],
                name="delivery_needs_person",
                condition=Q(state__in=["failed", "uncertain", "missed", "held"]),
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="delivery_lease_while_owned",
                condition=~Q(state__in=["claimed", "sending"]) | Q(lease_until__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.account_id} at {self.due_at:%Y-%m-%d %H:%M}"


class AttemptState(models.TextChoices):
    IN_FLIGHT = "in_flight", _("In flight")
    DONE = "done", _("Done")
    PROCESSING = "processing", _("Processing")
    REFUSED = "refused", _("Refused")  # surely not carried out: rejected, limited, temporary, no credential
    UNKNOWN = "unknown", _("Outcome unknown")
    SUPERSEDED = "superseded", _("Repeated")  # its outcome was cleared up and another call took its place


class Attempt(models.Model):
    """One network call of a delivery, written before it is made.

    ``intent`` is what must not change if it is sent again; a repetition of the same step takes it over
    with its ``key``.
    """

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    step = models.CharField(max_length=40)  # Step.key
    key = models.UUIDField()  # idempotency key, the same for every repetition of the step
    fence = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=64)  # SHA-256 of the intent
    intent = models.JSONField()
    state = models.CharField(max_length=12, choices=AttemptState, default=AttemptState.IN_FLIGHT)
    result = models.JSONField(default=dict)  # StepResult as JSON, {} until there is one
    error = models.CharField(max_length=32, blank=True)
    error_detail = models.TextField(blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            # Of one step only one call may be under way or have been carried out.
            models.UniqueConstraint(
                fields=["delivery", "step"],
                name="attempt_one_open_per_step",
                condition=Q(state__in=["in_flight", "done", "processing", "unknown"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.step} of {self.delivery_id}: {self.state}"


class ReceiptKind(models.TextChoices):
    SCHEDULED = "scheduled", _("Scheduled")
    RESCHEDULED = "rescheduled", _("Moved")
    CHANGED = "changed", _("Content changed")
    STARTED = "started", _("Sending started")
    PART_ACCEPTED = "part_accepted", _("Accepted by the network")
    PROCESSING = "processing", _("The network is processing it")
    WAITING = "waiting", _("Waiting to try again")
    ADOPTED = "adopted", _("Found on the network after an unclear answer")
    SENT = "sent", _("Published")
    SEEN = "seen", _("Seen live")
    FAILED = "failed", _("Failed")
    UNCERTAIN = "uncertain", _("Outcome unknown")
    MISSED = "missed", _("Missed")
    HELD = "held", _("Held")
    RESUMED = "resumed", _("Resumed")
    RECOVERED = "recovered", _("Taken over from a worker that stopped")
    CANCELLED = "cancelled", _("Cancelled")
    ANSWERED = "answered", _("A person said what happened")


class ReceiptEvent(models.Model):
    """One line of a delivery's receipt."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="receipt")
    kind = models.CharField(max_length=16, choices=ReceiptKind)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["delivery", "at"], name="receipt_of_delivery")]

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.kind}"


class PauseQuerySet(models.QuerySet["Pause"]):
    def open(self) -> Self:
        return self.filter(ended_at__isnull=True)

    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(organization_id=membership.organization_id)
        if membership.has_all_brands:
            return rows
        return rows.filter(Q(brand__members=membership) | Q(account__brand__members=membership)).distinct()


class Pause(models.Model):
    """A stop on sending for an organization, one of its brands, or one account, until somebody ends it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="pauses")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, null=True, blank=True, related_name="pauses")
    account = models.ForeignKey(
        SocialAccount, on_delete=models.CASCADE, null=True, blank=True, related_name="pauses"
    )
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    started_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField()
    ended_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = PauseQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "brand", "account"],
                name="pause_open_once",
                condition=Q(ended_at__isnull=True),
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"pause since {self.started_at:%Y-%m-%d %H:%M}"


class QuietAfter(models.TextChoices):
    """What becomes of the posts that a quiet period held, once it is over."""

    SEND = "send", _("Send them right after it")
    ASK = "ask", _("Ask about each of them")


class QuietPeriodQuerySet(models.QuerySet["QuietPeriod"]):
    def for_brand(self, brand: Brand) -> Self:
        return self.filter(brand=brand)

    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)

    def at(self, instant: dt.datetime) -> Self:
        return self.filter(starts_at__lte=instant, ends_at__gt=instant)

    def between(self, start: dt.datetime, end: dt.datetime) -> Self:
        """Those that have a moment in [start, end)."""
        return self.filter(starts_at__lt=end, ends_at__gt=start)


class QuietPeriod(models.Model):
    """A stretch of time, [``starts_at``, ``ends_at``), in which no post of a brand goes out by itself."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="quiet_periods")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    after = models.CharField(max_length=8, choices=QuietAfter, default=QuietAfter.SEND)
    note = models.CharField(max_length=255, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()

    objects = QuietPeriodQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["brand", "ends_at"], name="quiet_of_brand")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="quiet_ends_after_it_starts", condition=Q(ends_at__gt=models.F("starts_at"))
            )
        ]

    def __str__(self) -> str:
        return self.note or f"quiet {self.starts_at:%Y-%m-%d %H:%M} to {self.ends_at:%Y-%m-%d %H:%M}"


class Bucket(models.Model):
    """A rate that several deliveries share, kept in the database so that all workers see one count.

    ``key`` is a lane of an account (``account:<id>``, ``reading:<id>``), closed until ``blocked_until`` by
    what the network said; or a rate of an account or a developer app, of which ``used`` are gone since
    ``window_started_at`` (``outbox.services.rates``).
    """

    key = models.CharField(max_length=300, primary_key=True)
    blocked_until = models.DateTimeField(null=True, blank=True)
    window_started_at = models.DateTimeField(null=True, blank=True)
    used = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.key
