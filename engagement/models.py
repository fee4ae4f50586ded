"""What people write to a brand, what it answers, and how long they wait."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import AccountStatus, AppRegistration, Brand, Membership, SocialAccount, User
from audience.models import Identity
from core.ids import uuid7
from outbox.models import Delivery


class ConversationKind(models.TextChoices):
    COMMENT = "comment", _("Comment")
    MENTION = "mention", _("Mention")
    DM = "dm", _("Direct message")
    REVIEW = "review", pgettext_lazy("conversations", "Review")


class ConversationState(models.TextChoices):
    OPEN = "open", pgettext_lazy("conversations", "Open")
    SNOOZED = "snoozed", pgettext_lazy("conversations", "Snoozed")
    DONE = "done", pgettext_lazy("conversations", "Done")


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def for_brand(self, brand: Brand) -> Self:
        return self.filter(brand=brand)

    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)

    def open(self) -> Self:
        return self.filter(state=ConversationState.OPEN)

    def waiting(self) -> Self:
        """Open ones in which somebody waits for an answer."""
        return self.filter(state=ConversationState.OPEN, due_at__isnull=False)

    def waking(self, now: dt.datetime) -> Self:
        """Snoozed ones whose time has come."""
        return self.filter(state=ConversationState.SNOOZED, snoozed_until__lte=now)


class Conversation(models.Model):
    """What belongs together for whoever answers: a comment with the answers below it, a mention or a review
    with what hangs below it, or the private thread with one person."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # No index of its own for brand and account: those below begin with them.
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="conversations", db_index=False)
    account = models.ForeignKey(
        SocialAccount, on_delete=models.CASCADE, related_name="conversations", db_index=False
    )
    kind = models.CharField(max_length=8, choices=ConversationKind)  # of the item it began with
    thread_id = models.CharField(max_length=512, blank=True)  # InboxItem.thread_id, "" once erased
    thread_key = models.CharField(max_length=64)  # engagement.remote, which outlives an erasure
    # The other side: who wrote the first message. Null while nobody but the account itself has written.
    identity = models.ForeignKey(Identity, on_delete=models.SET_NULL, null=True, related_name="conversations")
    # The post it hangs below: ours, or a snapshot {"remote_id", "text", "permalink", "created_at"} of one
    # that was made elsewhere.
    delivery = models.ForeignKey(Delivery, on_delete=models.SET_NULL, null=True, related_name="conversations")
    post_snapshot = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=ConversationState, default=ConversationState.OPEN)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    assignee = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    # Kept with every message, so that the list is one index scan.
    last_number = models.PositiveIntegerField(default=0)  # Message.number of the newest
    last_message_at = models.DateTimeField()
    preview = models.CharField(max_length=200, blank=True)  # words of the newest, "" once erased
    is_last_own = models.BooleanField(default=False)  # whether the newest is ours
    # The open WaitEpisode's, null while nobody waits.
    waiting_since = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)  # grows with every change, for live pages
    created_at = models.DateTimeField()

    objects = ConversationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "thread_key"], name="conversation_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["brand", "state", "-last_message_at"], name="conversation_list"),
            models.Index(fields=["account", "state", "-last_message_at"], name="conversation_of_account"),
            models.Index(
                fields=["assignee", "state", "-last_message_at"],
                name="conversation_of_assignee",
                condition=Q(assignee__isnull=False),
            ),
            models.Index(
                fields=["brand", "due_at"], name="conversation_due", condition=Q(due_at__isnull=False)
            ),
            models.Index(fields=["snoozed_until"], name="conversation_snoozed", condition=Q(state="snoozed")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.account_id}"


class Direction(models.TextChoices):
    IN = "in", _("Received")
    OUT = "out", pgettext_lazy("message", "Sent")


class SentBy(models.TextChoices):
    HUMAN = "human", _("A person")
    AUTOMATION = "automation", _("Automation")


class MessageQuerySet(models.QuerySet["Message"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(
            conversation__brand__organization_id=membership.organization_id,
            conversation__brand__is_archived=False,
        )
        return rows if membership.has_all_brands else rows.filter(conversation__brand__members=membership)

    def unsettled(self) -> Self:
        """Own ones on their way out, or stopped."""
        return self.filter(delivery__isnull=False, settled_at__isnull=True)

    def answerable(self) -> Self:
        """Received ones that are still at the network, as far as we know."""
        return self.filter(direction=Direction.IN, deleted_at__isnull=True, erased_at__isnull=True)


class Message(models.Model):
    """One comment, mention, review or message of a conversation, from either side.

    ``number`` counts up in the order in which we learnt of them, so that "what you had not seen" is a
    comparison of two numbers; people read them by ``written_at``. An own one that we send has its
    ``delivery``; one that was written elsewhere has none.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    account = models.ForeignKey(SocialAccount, on_delete=models.CASCADE, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    direction = models.CharField(max_length=3, choices=Direction)
    sent_by = models.CharField(max_length=12, choices=SentBy, default=SentBy.HUMAN)
    remote_id = models.CharField(max_length=512, blank=True)  # "" until the network has it, and once erased
    remote_key = models.CharField(max_length=64, blank=True)  # engagement.remote, which outlives an erasure
    parent_key = models.CharField(max_length=64, blank=True)  # remote_key of what it answers
    identity = models.ForeignKey(Identity, on_delete=models.SET_NULL, null=True, related_name="messages")
    text = models.TextField(blank=True)
    media_count = models.PositiveSmallIntegerField(default=0)
    permalink = models.URLField(max_length=1000, blank=True)
    detail = models.JSONField(default=dict)  # InboxItem.detail, handed back to the connector
    written_at = models.DateTimeField()  # by the network's clock; for an own one, when it was handed in
    arrived_at = models.DateTimeField()  # when we learnt of it
    # From when its author waits for an answer; null where none is needed: own ones, and history.
    waits_from = models.DateTimeField(null=True, blank=True)
    is_hidden = models.BooleanField(default=False)
    is_liked = models.BooleanField(default=False)
    deleted_at = models.DateTimeField(
        null=True, blank=True
    )  # when we learnt that it is gone from the network
    erased_at = models.DateTimeField(null=True, blank=True)  # its personal fields were removed
    # Text, name and handle of the author as core.bigrams compares and finds them; empty once erased.
    search_text = models.TextField(blank=True, editable=False)
    search_grams = ArrayField(models.CharField(max_length=2), default=list, blank=True, editable=False)
    # Of an own one:
    sent_at = models.DateTimeField(null=True, blank=True)  # when the network accepted it, null = not yet
    # Of an own one that we send:
    delivery = models.OneToOneField(
        Delivery, on_delete=models.SET_NULL, null=True, blank=True, related_name="message"
    )
    delivery_state = models.CharField(max_length=12, blank=True)  # Delivery.state when it was last looked at
    settled_at = models.DateTimeField(null=True, blank=True)  # when its end was written here
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    seen_number = models.PositiveIntegerField(null=True)  # the newest that its author had seen
    # Made with the form that it was written in: the same form sent twice is one message.
    form_key = models.UUIDField(null=True, blank=True, unique=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "remote_key"], name="message_once", condition=~Q(remote_key="")
            ),
            models.UniqueConstraint(fields=["conversation", "number"], name="message_numbered"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["conversation", "-written_at"], name="message_of_conversation"),
            models.Index(
                fields=["account", "written_at"], name="message_received", condition=Q(direction="in")
            ),
            models.Index(
                fields=["delivery"],
                name="message_unsettled",
                condition=Q(delivery__isnull=False, settled_at__isnull=True),
            ),
            GinIndex(fields=["search_grams"], name="message_search"),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.number} of {self.conversation_id}"


class EpisodeEnd(models.TextChoices):
    ANSWERED = "answered", _("Answered")
    NO_ANSWER_NEEDED = "no_answer_needed", _("Needed no answer")
    WITHDRAWN = "withdrawn", _("Withdrawn by its author")


class WaitEpisode(models.Model):
    """Somebody waits: from the first message that needs an answer to the next public answer of a person.

    It counts in the response rate unless it ended in another way than an answer. What people wrote before
    the inbox was first read begins when reading began: nobody could have answered it here before.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    account = models.ForeignKey(SocialAccount, on_delete=models.CASCADE, related_name="+", db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="episodes")
    opened_by = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    started_at = models.DateTimeField()
    due_at = models.DateTimeField()  # by the SlaPolicy and the business hours when it began
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_how = models.CharField(max_length=20, choices=EpisodeEnd, blank=True)
    ended_by = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, related_name="+")
    # Ended as "needed no answer": Message.number of the newest that whoever said so had seen.
    decided_number = models.PositiveIntegerField(null=True, blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    calendar_s = models.PositiveIntegerField(null=True)  # how long, on the clock
    business_s = models.PositiveIntegerField(null=True)  # how long, in business hours

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["conversation"], name="episode_open_once", condition=Q(ended_at__isnull=True)
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["brand", "started_at"], name="episode_of_brand"),
            models.Index(fields=["account", "started_at"], name="episode_of_account"),
        ]

    def __str__(self) -> str:
        return f"waiting since {self.started_at:%Y-%m-%d %H:%M}"


class SlaPolicy(models.Model):
    """How soon a brand wants to answer, in minutes of its business hours."""

    brand = models.OneToOneField(Brand, on_delete=models.CASCADE, primary_key=True, related_name="sla_policy")
    answer_within_minutes = models.PositiveIntegerField(_("answer within (minutes)"), default=240)

    def __str__(self) -> str:
        return f"{self.answer_within_minutes} min"


class Assignment(models.Model):
    """Somebody was made responsible for a conversation, or (null) nobody any more."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="assignments")
    assignee = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    assigned_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.conversation_id} to {self.assignee_id}"


class Note(models.Model):
    """A remark between colleagues; it never leaves the house."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.TextField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.text[:60]


class SavedReplyQuerySet(models.QuerySet["SavedReply"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)


class SavedReply(models.Model):
    """An answer that is used again and again; {name} becomes the name of whoever is answered."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="saved_replies")
    title = models.CharField(_("title"), max_length=120)
    text = models.TextField(_("text"))
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField()

    objects = SavedReplyQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["brand", "title"], name="saved_reply_title_once")
        ]

    def __str__(self) -> str:
        return self.title


class ModerationRequest(models.Model):
    """Somebody asked the network to like, hide or delete, or to take one of the first two back. Settled, the
    message says what came of it, or ``error`` why nothing did."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="moderations")
    action = models.CharField(max_length=8)  # connectors.base.ModerationAction
    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="moderation_request")
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    requested_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)  # when its outcome was written down
    error = models.CharField(max_length=32, blank=True)  # code of outbox.errors

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["requested_at"], name="moderation_unsettled", condition=Q(settled_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.message_id}"


class InboxPullQuerySet(models.QuerySet["InboxPull"]):
    def due(self, now: dt.datetime) -> Self:
        """Of connected accounts whose time has come, that no worker has and the network does not hold off."""
        return self.filter(
            Q(claimed_until__isnull=True) | Q(claimed_until__lte=now),
            Q(blocked_until__isnull=True) | Q(blocked_until__lte=now),
            account__status=AccountStatus.ACTIVE,
            next_at__lte=now,
        )


class InboxPull(models.Model):
    """How far the inbox of one social account has been read, and when it is read again.

    ``read_until`` is the watermark: everything written before it has been taken in. Each round begins a
    little before it, because networks show things late; ``cursor`` is where an interrupted round goes on.
    """

    account = models.OneToOneField(
        SocialAccount, on_delete=models.CASCADE, primary_key=True, related_name="inbox_pull"
    )
    next_at = models.DateTimeField()
    began_at = models.DateTimeField()  # when the inbox was first read; what is older is history
    read_until = models.DateTimeField()
    round_started_at = models.DateTimeField(null=True, blank=True)
    cursor = models.TextField(blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    blocked_until = models.DateTimeField(null=True, blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)  # the end of the last whole round
    heard_at = models.DateTimeField(null=True, blank=True)  # when something new came in last
    failures = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=32, blank=True)
    error_detail = models.TextField(blank=True)

    objects = InboxPullQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["next_at"], name="inbox_pull_next")]

    def __str__(self) -> str:
        return f"inbox of {self.account_id} from {self.next_at:%Y-%m-%d %H:%M}"


class NetworkCall(models.Model):
    """A call of a network to one of our webhooks, as it came, until it has been worked through; its words are
    forgotten soon after. Of an ``app``, or of an ``account`` that has a webhook of its own."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    app = models.ForeignKey(AppRegistration, on_delete=models.CASCADE, null=True, related_name="+")
    account = models.ForeignKey(SocialAccount, on_delete=models.CASCADE, null=True, related_name="+")
    platform = models.CharField(max_length=24)
    is_deletion = models.BooleanField(default=False)  # came to the address for requests of deletion
    digest = models.CharField(max_length=64)  # SHA-256 of the body, hex: the same call again is one
    body = models.BinaryField()
    received_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True, blank=True)  # when it is tried (again); null when it is done
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["app", "is_deletion", "digest"],
                condition=Q(app__isnull=False),
                name="network_call_once_per_app",
            ),
            models.UniqueConstraint(
                fields=["account", "digest"],
                condition=Q(account__isnull=False),
                name="network_call_once_per_account",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_at"], name="network_call_due", condition=Q(next_at__isnull=False)),
            models.Index(fields=["received_at"], name="network_call_old"),
        ]

    def __str__(self) -> str:
        return f"call of {self.platform} at {self.received_at:%Y-%m-%d %H:%M}"


class NetworkEvent(models.Model):
    """Something that a network told by itself and that was acted on, so that it is not when told again."""

    app = models.ForeignKey(AppRegistration, on_delete=models.CASCADE, null=True, related_name="+")
    account = models.ForeignKey(SocialAccount, on_delete=models.CASCADE, null=True, related_name="+")
    event_id = models.CharField(max_length=200)
    happened_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["app", "event_id"], condition=Q(app__isnull=False), name="network_event_once_per_app"
            ),
            models.UniqueConstraint(
                fields=["account", "event_id"],
                condition=Q(account__isnull=False),
                name="network_event_once_per_account",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["happened_at"], name="network_event_old")]

    def __str__(self) -> str:
        return self.event_id


class DeletionRequest(models.Model):
    """Somebody asked, through a network, that what we keep by their permission be deleted. Kept without
    saying who it was, so that its page can tell what became of it."""

    code = models.CharField(max_length=43, primary_key=True)
    platform = models.CharField(max_length=24)
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of app and body, hex: again is the same
    requested_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    accounts = models.PositiveIntegerField(default=0)  # whose access was deleted

    class Meta:
        indexes: ClassVar = [models.Index(fields=["requested_at"], name="deletion_request_old")]

    def __str__(self) -> str:
        return f"request of deletion at {self.platform}"
