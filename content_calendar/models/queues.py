"""Posting slots: the times of the week at which an account likes to post."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from accounts.models import Membership, SocialAccount
from content_calendar.weekly import WeekTime


class Queue(models.Model):
    """The queue of one account. Its row is locked by whoever takes one of its slots."""

    account = models.OneToOneField(
        SocialAccount, on_delete=models.CASCADE, primary_key=True, related_name="queue"
    )
    paused_at = models.DateTimeField(null=True, blank=True)  # since then no slot is offered

    def __str__(self) -> str:
        return f"queue of {self.account_id}"


class SlotQuerySet(models.QuerySet["Slot"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(
            account__brand__organization_id=membership.organization_id, account__brand__is_archived=False
        )
        return rows if membership.has_all_brands else rows.filter(account__brand__members=membership)

    def offered(self) -> Self:
        """Those of connected accounts whose queue is not paused."""
        accounts = SocialAccount.objects.connected()
        return self.filter(account__in=accounts, account__queue__paused_at__isnull=True)


class Slot(models.Model):
    """One time of the week at which an account posts: wall time in the zone of its brand."""

    account = models.ForeignKey(SocialAccount, on_delete=models.CASCADE, related_name="slots")
    weekday = models.PositiveSmallIntegerField()  # 0 is Monday
    wall_time = models.TimeField()

    objects = SlotQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "weekday", "wall_time"], name="slot_once_per_account"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="slot_on_a_weekday"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} on {self.weekday} at {self.wall_time}"

    @property
    def week_time(self) -> WeekTime:
        return WeekTime(self.weekday, dt.time(self.wall_time.hour, self.wall_time.minute))
