"""What people are told, and how they wish to be told."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models.people import Organization, User
from core.ids import uuid7
from core.time import instant_of, to_local

if TYPE_CHECKING:
    pass


class NotificationQuerySet(models.QuerySet["Notification"]):
    def for_user(self, user: User) -> Self:
        return self.filter(user=user)

    def shown(self) -> Self:
        """Without those that are only mailed, because the person wants this kind by mail alone."""
        return self.filter(is_shown=True)

    def unread(self) -> Self:
        return self.filter(read_at__isnull=True, is_shown=True)


class NotificationKind(models.TextChoices):
    DELIVERY_FAILED = "delivery_failed", _("A post could not be published")
    DELIVERY_UNCERTAIN = "delivery_uncertain", _("It is not known whether a post appeared")
    DELIVERY_MISSED = "delivery_missed", _("A post was not published in time")
    ACCOUNT_LOST = "account_lost", _("An account must be reconnected")
    ACCOUNT_EXPIRING = "account_expiring", _("An account's connection ends soon")
    MEMBER_JOINED = "member_joined", _("Somebody joined")
    GOAL_OFF_TRACK = "goal_off_track", _("A goal is off track")
    WEBHOOK_DISABLED = "webhook_disabled", _("A webhook was switched off")
    PREFLIGHT_PROBLEM = "preflight_problem", _("Planned posts will not go out as planned")
    APPROVAL_WANTED = "approval_wanted", _("A post waits for approval")
    APPROVAL_ANSWERED = "approval_answered", _("A post was approved, sent back or commented on")
    POST_NOT_SCHEDULED = "post_not_scheduled", _("A series or evergreen post could not be scheduled")


class MailChoice(models.TextChoices):
    NOW = "now", _("At once")
    DAILY = "daily", _("In one mail a day")
    NEVER = "never", _("Never")


class NotificationPreference(models.Model):
    """How one person wants one kind of news. Without a row: in the app, and by mail at once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notification_preferences")
    kind = models.CharField(max_length=32)  # of NotificationKind
    in_app = models.BooleanField(default=True)
    mail = models.CharField(max_length=8, choices=MailChoice, default=MailChoice.NOW)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "kind"], name="notification_preference_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"


class MailTimes(models.Model):
    """When one person wants mails: wall times of their zone. Without a row: at any time."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="mail_times")
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    digest_at = models.TimeField(default=dt.time(8))
    # No mail at once in [from, until), over midnight where from is the later one; both null: no such hours.
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | (Q(quiet_from__isnull=False, quiet_until__isnull=False) & ~Q(quiet_from=F("quiet_until"))),
                name="mail_times_quiet_hours_have_two_ends",
            )
        ]

    def __str__(self) -> str:
        return f"mail times of {self.user_id}"

    def next_digest(self, now: dt.datetime) -> dt.datetime:
        """When the next mail of the day goes out: strictly after ``now``."""
        today = to_local(now, self.timezone).date()
        todays = instant_of(dt.datetime.combine(today, self.digest_at), self.timezone)
        if todays > now:
            return todays
        return instant_of(dt.datetime.combine(today + dt.timedelta(days=1), self.digest_at), self.timezone)

    def quiet_end(self, now: dt.datetime) -> dt.datetime | None:
        """The end of the quiet hours that ``now`` lies in, None outside of them."""
        if self.quiet_from is None or self.quiet_until is None:
            return None
        here = to_local(now, self.timezone)
        today, clock = here.date(), here.time()
        is_over_midnight = self.quiet_from > self.quiet_until
        if is_over_midnight:
            is_quiet = clock >= self.quiet_from or clock < self.quiet_until
        else:
            is_quiet = self.quiet_from <= clock < self.quiet_until
        if not is_quiet:
            return None
        ends_on = today + dt.timedelta(days=int(is_over_midnight and clock >= self.quiet_from))
        end = instant_of(dt.datetime.combine(ends_on, self.quiet_until), self.timezone)
        # In the hour that a clock is put back the wall time of the end may lie behind us already.
        return end if end > now else now + dt.timedelta(minutes=1)


class Notification(models.Model):
    """One thing that one person should know, shown in the app until read."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=32, choices=NotificationKind)
    # Words for the kind's sentence, kept as data so that it is shown in the reader's language.
    context = models.JSONField(default=dict)
    url = models.CharField(max_length=500, blank=True)
    dedupe_key = models.CharField(max_length=120)  # the same news is told once
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)
    is_shown = models.BooleanField(default=True)  # in the app; false: by mail alone
    in_digest = models.BooleanField(default=False)  # mailed with others of the day
    mail_at = models.DateTimeField(null=True, blank=True)  # when to mail it (again); null = not any more
    mail_failures = models.PositiveSmallIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "dedupe_key"], name="notification_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-created_at"], name="notification_of_user"),
            models.Index(fields=["mail_at"], name="notification_to_mail", condition=Q(mail_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"
