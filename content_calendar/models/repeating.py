"""Posts that are made by themselves: series, which follow a rule, and evergreen pools, which take turns."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand, Membership, SocialAccount, User
from content_calendar.models.posts import Post
from content_calendar.rotation import Season
from content_calendar.weekly import WeekTime
from core.ids import uuid7


class SeriesQuerySet(models.QuerySet["Series"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)

    def running(self) -> Self:
        return self.filter(ended_at__isnull=True, brand__is_archived=False)


class Series(models.Model):
    """A post that repeats by a rule: each date of the rule becomes a post of its own, some weeks ahead.

    ``rule`` is an RRULE of RFC 5545 without times (content_calendar.recurrence), counted from ``starts_on``;
    all its dates are at ``wall_time`` in the zone of the brand. ``template`` is where the content is written,
    ``content`` what the posts are made of (services.templates.kept): the template as it was taken over last.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="series")
    name = models.CharField(_("name"), max_length=80)
    template = models.OneToOneField(Post, on_delete=models.CASCADE, related_name="series")
    content: models.JSONField[Any, Any] = models.JSONField(default=dict)
    content_version = models.PositiveIntegerField(default=0)  # of the template that was taken over
    rule = models.CharField(max_length=300)
    starts_on = models.DateField()
    wall_time = models.TimeField()
    last_date = models.DateField()  # the last one that the rule names
    # In whose name its posts are scheduled: whoever set it up or changed it last.
    run_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = SeriesQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["last_date"], name="series_running", condition=Q(ended_at__isnull=True)),
            models.Index(fields=["brand", "-created_at"], name="series_of_brand"),
        ]

    def __str__(self) -> str:
        return self.name


class Occurrence(models.Model):
    """One date of a series, and the post that was made for it. Skipped dates have none, or a deleted one."""

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="occurrences")
    date = models.DateField()  # in the zone of the brand
    post = models.OneToOneField(
        Post, on_delete=models.SET_NULL, null=True, blank=True, related_name="occurrence"
    )
    # The post's version as the series left it: a person who changed it since has made it theirs.
    post_version = models.PositiveIntegerField(default=0)
    skipped_at = models.DateTimeField(null=True, blank=True)
    refusal = models.CharField(max_length=40, blank=True)  # why it is not scheduled (selectors.refusals)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["series", "date"], name="occurrence_once_per_date")
        ]

    def __str__(self) -> str:
        return f"{self.series_id} on {self.date}"


class EvergreenPoolQuerySet(models.QuerySet["EvergreenPool"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)

    def running(self) -> Self:
        return self.filter(paused_at__isnull=True, brand__is_archived=False)


class EvergreenPool(models.Model):
    """Content that stays good: its entries take turns at the pool's own times of the week, or
    (``uses_slots``) at the slots of its accounts' queues that are still free shortly before."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="evergreen_pools")
    name = models.CharField(_("name"), max_length=80)
    accounts = models.ManyToManyField(SocialAccount, related_name="evergreen_pools")
    uses_slots = models.BooleanField(default=False)
    cool_down_days = models.PositiveSmallIntegerField(default=30)  # between two uses of one entry
    # The part of the year in which it runs, e.g. 10-01 to 02-28; both empty: all year.
    season_first = models.CharField(max_length=5, blank=True)
    season_last = models.CharField(max_length=5, blank=True)
    ends_on = models.DateField(null=True, blank=True)  # the last day
    most_uses = models.PositiveIntegerField(null=True, blank=True)  # after so many posts it is over
    run_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    paused_at = models.DateTimeField(null=True, blank=True)

    objects = EvergreenPoolQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["brand", "-created_at"], name="evergreen_of_brand")]

    def __str__(self) -> str:
        return self.name

    @property
    def season(self) -> Season | None:
        if not self.season_first or not self.season_last:
            return None
        first, last = ((int(day[:2]), int(day[3:])) for day in (self.season_first, self.season_last))
        return Season(first, last)


class EvergreenTime(models.Model):
    """One time of the week of a pool: wall time in the zone of its brand."""

    pool = models.ForeignKey(EvergreenPool, on_delete=models.CASCADE, related_name="times")
    weekday = models.PositiveSmallIntegerField()  # 0 is Monday
    wall_time = models.TimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pool", "weekday", "wall_time"], name="time_once_per_pool"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="time_on_a_weekday"),
        ]

    def __str__(self) -> str:
        return f"{self.pool_id} on {self.weekday} at {self.wall_time}"

    @property
    def week_time(self) -> WeekTime:
        return WeekTime(self.weekday, dt.time(self.wall_time.hour, self.wall_time.minute))


class EvergreenEntryQuerySet(models.QuerySet["EvergreenEntry"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(
            pool__brand__organization_id=membership.organization_id,
            pool__brand__is_archived=False,
            removed_at__isnull=True,
        )
        return rows if membership.has_all_brands else rows.filter(pool__brand__members=membership)

    def present(self) -> Self:
        return self.filter(removed_at__isnull=True)


class EvergreenEntry(models.Model):
    """Something that a pool says again and again, in one or several texts; ``texts[0]`` is that of the
    template, which also has the images and the words of single accounts. ``content`` is as of a Series."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    pool = models.ForeignKey(EvergreenPool, on_delete=models.CASCADE, related_name="entries")
    template = models.OneToOneField(Post, on_delete=models.CASCADE, related_name="evergreen_entry")
    content: models.JSONField[Any, Any] = models.JSONField(default=dict)
    content_version = models.PositiveIntegerField(default=0)
    texts: models.JSONField[Any, Any] = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = EvergreenEntryQuerySet.as_manager()

    def __str__(self) -> str:
        return self.template.excerpt


class EvergreenUse(models.Model):
    """One post that a pool made for one of its times."""

    pool = models.ForeignKey(EvergreenPool, on_delete=models.CASCADE, related_name="uses")
    entry = models.ForeignKey(EvergreenEntry, on_delete=models.CASCADE, related_name="uses")
    slot_at = models.DateTimeField()  # the pool's time that it was made for; the post may be moved
    text = models.TextField()  # the variation, as it was said
    post = models.OneToOneField(
        Post, on_delete=models.SET_NULL, null=True, blank=True, related_name="evergreen_use"
    )
    post_version = models.PositiveIntegerField(default=0)  # as of an Occurrence
    refusal = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pool", "slot_at"], name="evergreen_once_per_time")
        ]

    def __str__(self) -> str:
        return f"{self.entry_id} at {self.slot_at}"
