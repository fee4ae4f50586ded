"""What stands on a calendar beside its posts, and how members look at it: notes, saved filters, feeds."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand, Membership, User
from content_calendar.models.posts import LabelTone
from core.ids import uuid7


class CalendarNoteQuerySet(models.QuerySet["CalendarNote"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)

    def between(self, first: dt.date, last: dt.date) -> Self:
        """Those that touch a day of [first, last]."""
        return self.filter(first_date__lte=last, last_date__gte=first)


class CalendarNote(models.Model):
    """A remark that stands over days of a brand's calendar: a fair, a launch, somebody's holidays."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="calendar_notes")
    first_date = models.DateField()  # of the brand's zone
    last_date = models.DateField()  # inclusive
    text = models.CharField(_("text"), max_length=200)
    tone = models.CharField(_("colour"), max_length=12, choices=LabelTone, default=LabelTone.YELLOW)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = CalendarNoteQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["brand", "last_date"], name="calendar_note_of_brand")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="calendar_note_ends_after_it_begins",
                condition=Q(last_date__gte=models.F("first_date")),
            )
        ]

    def __str__(self) -> str:
        return self.text


class SavedFilterQuerySet(models.QuerySet["SavedFilter"]):
    def for_member(self, membership: Membership) -> Self:
        """Their own, and what others of the organization share."""
        return self.filter(membership__organization_id=membership.organization_id).filter(
            Q(membership=membership) | Q(is_shared=True)
        )


class SavedFilter(models.Model):
    """A filter of posts that a member keeps under a name; ``query`` is how it stands in an address."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="saved_filters")
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(max_length=2000)
    is_shared = models.BooleanField(_("shared with the organization"), default=False)
    is_default = models.BooleanField(_("used when the calendar is opened"), default=False)
    created_at = models.DateTimeField(default=timezone.now)

    objects = SavedFilterQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("membership", Lower("name"), name="saved_filter_name_once_per_member"),
            models.UniqueConstraint(
                fields=["membership"], name="saved_filter_one_default", condition=Q(is_default=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CalendarFeedQuerySet(models.QuerySet["CalendarFeed"]):
    def for_member(self, membership: Membership) -> Self:
        """Their own only: the address opens what they may see."""
        return self.filter(membership=membership)


class CalendarFeed(models.Model):
    """A secret address at which a member's calendar program reads posts (iCalendar); only the hash of its
    secret is kept, so it is shown once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="calendar_feeds")
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(max_length=2000, blank=True)  # the filter, as it stands in an address
    language = models.CharField(max_length=8, blank=True)  # that its words are in
    token_hash = models.CharField(max_length=64, unique=True)  # SHA-256
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)  # to the hour

    objects = CalendarFeedQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
