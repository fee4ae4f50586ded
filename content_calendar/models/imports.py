"""Files of posts: one upload, its rows, and the images that its rows name by their addresses."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Brand, Membership, User
from content_calendar.models.media import MediaAsset
from content_calendar.models.posts import Post
from core.ids import uuid7


class ImportState(models.TextChoices):
    NAMING = "naming", _("Waits for its columns")
    CHECKING = "checking", _("Being checked")
    READY = "ready", _("Waits for your yes")
    IMPORTING = "importing", _("Being imported")
    DONE = "done", _("Imported")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")
    STOPPED = "stopped", _("Stopped")
    FAILED = "failed", _("Cannot be read")
    DISCARDED = "discarded", _("Not imported")


class ImportBatchQuerySet(models.QuerySet["ImportBatch"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)


class ImportBatch(models.Model):
    """One uploaded file of posts and what became of it: read as a dry run, then (when a person says yes) made
    into posts, row by row, and perhaps taken back as a whole.

    A worker holds it by ``lease_key`` until ``lease_until``; whoever finds that over may take it up, and what
    the one before still wants to write is refused. ``columns``: for each column of the file what it means
    (content_calendar.import_columns), "" = left out.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="import_batches")
    state = models.CharField(max_length=12, choices=ImportState, default=ImportState.CHECKING)
    problem = models.CharField(max_length=40, blank=True)  # code of why it failed or stopped
    problem_detail = models.CharField(max_length=500, blank=True)
    file_name = models.CharField(max_length=255)
    kind = models.CharField(max_length=8)  # core.xlsx_reading.TableKind
    storage_key = models.CharField(max_length=255, blank=True)  # while the file is kept
    encoding = models.CharField(max_length=16, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    columns: models.JSONField[Any, Any] = models.JSONField(default=list)
    header: models.JSONField[Any, Any] = models.JSONField(default=list)  # the words above the columns
    language = models.CharField(max_length=8)  # of the sentences
    # What becomes of rows that do not say whether they are a draft or to be scheduled.
    schedules = models.BooleanField(default=False)
    may_schedule = models.BooleanField(default=False)  # whether whoever uploaded it may publish
    is_all_or_nothing = models.BooleanField(default=False)
    rows = models.PositiveIntegerField(default=0)
    ok = models.PositiveIntegerField(default=0)
    warned = models.PositiveIntegerField(default=0)  # of ``ok``: with something to look at
    refused = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)  # rows that the present step is through with
    drafted = models.PositiveIntegerField(default=0)
    scheduled = models.PositiveIntegerField(default=0)
    undone = models.PositiveIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0)  # posts that an undo had to leave
    # The ids of labels that there were none of before.
    labels_made: models.JSONField[Any, Any] = models.JSONField(default=list)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    started_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField(null=True, blank=True)  # when somebody said yes
    finished_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    lease_key = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)  # since it last came further

    objects = ImportBatchQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["brand", "-created_at"], name="import_of_brand"),
            # Those that a worker must go on with: few.
            models.Index(
                fields=["lease_until"],
                name="import_under_way",
                condition=Q(state__in=["checking", "importing", "undoing"]),
            ),
            models.Index(fields=["created_at"], name="import_with_file", condition=~Q(storage_key="")),
        ]

    def __str__(self) -> str:
        return self.file_name


class RowVerdict(models.TextChoices):
    OK = "ok", pgettext_lazy("row of a file", "Good")
    WARNING = "warning", pgettext_lazy("row of a file", "Look at it")
    ERROR = "error", pgettext_lazy("row of a file", "Refused")


class RowOutcome(models.TextChoices):
    """What became of a row; empty until something did."""

    DRAFT = "draft", _("Draft")
    SCHEDULED = "scheduled", _("Scheduled")
    REFUSED = "refused", _("Not imported")
    UNDONE = "undone", _("Undone")
    KEPT = "kept", _("Kept")


class ImportRow(models.Model):
    """One row of a file: its cells as they were read, the verdict with its sentences (in the language of who
    uploaded it), and the post that it became. A post has the id of its row, so that no row makes two.

    ``notes``: list of {"level": "error" | "warning", "column", "text"}.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="import_rows")
    number = models.PositiveIntegerField()  # the one that a spreadsheet shows beside it
    cells: models.JSONField[Any, Any] = models.JSONField(default=list)
    verdict = models.CharField(max_length=8, choices=RowVerdict)
    notes: models.JSONField[Any, Any] = models.JSONField(default=list)
    # As it was understood: {"at", "excerpt", "accounts", "schedules"}, for the page of the verdicts.
    gist: models.JSONField[Any, Any] = models.JSONField(default=dict)
    outcome = models.CharField(max_length=10, choices=RowOutcome, blank=True)
    post = models.ForeignKey(
        Post, on_delete=models.SET_NULL, null=True, blank=True, related_name="import_rows"
    )
    # That of its post when it was imported: a later one was changed by somebody since.
    post_version = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "number"], name="import_row_once_per_number")
        ]
        indexes: ClassVar = [
            models.Index(fields=["batch", "verdict", "number"], name="import_row_by_verdict"),
            models.Index(fields=["batch", "outcome", "number"], name="import_row_by_outcome"),
        ]

    def __str__(self) -> str:
        return f"row {self.number} of {self.batch_id}"


class ImportImage(models.Model):
    """An image that rows of a file name by its address: what a look at its beginning showed, and the stored
    one once it was fetched. Each address once per file."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="images")
    key = models.CharField(max_length=64)  # SHA-256 of the address
    url = models.TextField()
    # Of its first bytes; empty when it was not looked at.
    mime_type = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0)  # bytes, as its server stated
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True)  # a sentence
    asset = models.ForeignKey(MediaAsset, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "key"], name="import_image_once_per_address")
        ]

    def __str__(self) -> str:
        return self.url[:80]
