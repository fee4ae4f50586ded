"""Images and videos of a brand, and the copies that networks need."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand, Membership, Organization, User
from content_calendar.models.library import MediaFolder, MediaTag
from content_calendar.models.posts import Post
from core.ids import uuid7


class MediaKind(models.TextChoices):
    IMAGE = "image", _("Image")
    VIDEO = "video", _("Video")


class MediaState(models.TextChoices):
    """A video is looked at in the background; an image is ready at once."""

    PROCESSING = "processing", _("Being made ready")
    READY = "ready", _("Ready")
    BROKEN = "broken", _("Cannot be used")


class MediaProblem(models.TextChoices):
    """Why a video cannot be used, or not be converted."""

    NOT_A_VIDEO = "not_a_video", _("It is not a video, whatever its name says.")
    NO_VIDEO = "no_video", _("There are no moving pictures in it.")
    BROKEN = "broken", _("It is damaged, or cut off, and cannot be read.")
    TOO_MANY_PIXELS = "too_many_pixels", _("Its pictures are larger than 8192 pixels.")
    TOO_LONG = "too_long", _("It is longer than an hour.")
    TOO_SLOW = "too_slow", _("Reading it took too long.")
    INCOMPLETE = "incomplete", _("Parts of it did not arrive. Upload it again.")
    TOO_LARGE = "too_large", _("It could not be made small enough.")
    NO_ORIGINAL = "no_original", _("The video that it was to be cut out of is gone.")


class MediaAssetQuerySet(models.QuerySet["MediaAsset"]):
    def for_organization(self, organization: Organization) -> Self:
        return self.filter(brand__organization=organization)

    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)


class MediaAsset(models.Model):
    """One image or video of a brand, stored once by its content, without its camera's metadata.

    A video that is PROCESSING has no file, frame size or thumbnail yet (its MediaUpload has the pieces); a
    BROKEN one never gets them, and ``problem`` says why.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="media_assets")
    kind = models.CharField(max_length=8, choices=MediaKind, default=MediaKind.IMAGE)
    state = models.CharField(max_length=12, choices=MediaState, default=MediaState.READY)
    problem = models.CharField(max_length=20, choices=MediaProblem, blank=True)
    # Of the stored bytes; of a video: of the SHA-256 of each piece that was uploaded.
    sha256 = models.CharField(max_length=64)
    storage_key = models.CharField(max_length=255, blank=True)
    thumbnail_key = models.CharField(max_length=255, blank=True)
    mime_type = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()  # bytes
    width = models.PositiveIntegerField()  # pixels, upright
    height = models.PositiveIntegerField()
    # Of videos. Codecs as FFmpeg calls them, with the pixels' format where that is an unusual one.
    duration_ms = models.PositiveIntegerField(default=0)
    frame_rate = models.FloatField(default=0)  # frames per second
    video_codec = models.CharField(max_length=32, blank=True)
    audio_codec = models.CharField(max_length=32, blank=True)  # "" = silent
    frames: models.JSONField[Any, Any] = models.JSONField(default=list)  # offered thumbnails: [key, ms]
    # Whoever makes it ready has it until then, and says with this number that it is still theirs.
    work_until = models.DateTimeField(null=True)
    work_fence = models.PositiveIntegerField(default=0)
    original_name = models.CharField(max_length=255, blank=True)  # as the file was called
    name = models.CharField(_("name"), max_length=255, blank=True)  # as people call it, "" = as the file was
    alt_text = models.TextField(_("alternative text"), blank=True, max_length=5000)  # offered to each post
    # What must stay in sight where the picture is cut, in hundredths from its left and its top.
    focal_x = models.PositiveSmallIntegerField(
        default=50, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    focal_y = models.PositiveSmallIntegerField(
        default=50, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    folder = models.ForeignKey(
        MediaFolder, on_delete=models.SET_NULL, null=True, blank=True, related_name="assets"
    )
    tags = models.ManyToManyField(MediaTag, blank=True, related_name="assets")
    derived_from = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="derived"
    )  # what it was cut out of
    # Of a video that is the stretch of ``derived_from`` between these moments; empty for others.
    trim_from_ms = models.PositiveIntegerField(null=True, blank=True)
    trim_until_ms = models.PositiveIntegerField(null=True, blank=True)
    posts: models.ManyToManyField[Post, MediaUsage] = models.ManyToManyField(
        Post, through="MediaUsage", related_name="media"
    )
    # Name, alternative text and tags, to be found by (core.bigrams).
    search_text = models.TextField(blank=True, editable=False)
    search_grams = ArrayField(models.CharField(max_length=2), default=list, editable=False)
    uploaded_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = MediaAssetQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["brand", "sha256"], name="media_stored_once_per_brand")
        ]
        indexes: ClassVar = [
            models.Index(fields=["brand", "-created_at", "-id"], name="media_of_brand"),
            models.Index(fields=["folder", "-created_at", "-id"], name="media_of_folder"),
            GinIndex(fields=["search_grams"], name="media_search"),
            models.Index(
                fields=["work_until"], name="media_to_make_ready", condition=Q(state=MediaState.PROCESSING)
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.original_name or self.sha256[:12]

    @property
    def is_video(self) -> bool:
        return self.kind == MediaKind.VIDEO

    @property
    def is_ready(self) -> bool:
        return self.state == MediaState.READY

    @property
    def is_processing(self) -> bool:
        return self.state == MediaState.PROCESSING

    @property
    def is_trimmed(self) -> bool:
        return self.trim_until_ms is not None

    @property
    def duration_s(self) -> float:
        return self.duration_ms / 1000

    @property
    def length(self) -> str:
        """Of a video: 0:07, 1:02:30."""
        minutes, seconds = divmod(round(self.duration_s), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

    @property
    def thumbnail_mark(self) -> str:
        """Changes with the thumbnail, so that no browser shows an old one."""
        return self.thumbnail_key.rpartition(".")[0][-12:]

    @property
    def focal_tenths(self) -> tuple[int, int]:
        """The focal point in tenths from the left and the top, as the style sheet knows them."""
        return round(self.focal_x / 10), round(self.focal_y / 10)


class MediaUsage(models.Model):
    """A post uses an asset, in its own words or in those of a variant. Written with the post's content."""

    asset = models.ForeignKey(MediaAsset, on_delete=models.CASCADE, related_name="usages")
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="media_usages")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["asset", "post"], name="media_usage_once")]

    def __str__(self) -> str:
        return f"{self.asset_id} in {self.post_id}"


class Rendition(models.Model):
    """A copy of an asset, made because a network does not take the original: an image at once, when a post is
    scheduled; a video in the background, its file and ``size`` there when it is READY."""

    asset = models.ForeignKey(MediaAsset, on_delete=models.CASCADE, related_name="renditions")
    max_bytes = models.PositiveBigIntegerField()  # the limits it was made for
    max_pixels = models.PositiveBigIntegerField()  # width x height, 0 = none
    max_frame_rate = models.FloatField(default=0)  # of videos, 0 = none
    state = models.CharField(max_length=12, choices=MediaState, default=MediaState.READY)
    problem = models.CharField(max_length=20, choices=MediaProblem, blank=True)
    progress = models.PositiveSmallIntegerField(default=100)  # per cent
    work_until = models.DateTimeField(null=True)  # as of MediaAsset
    work_fence = models.PositiveIntegerField(default=0)
    mime_type = models.CharField(max_length=64)
    storage_key = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["asset", "max_bytes", "max_pixels", "max_frame_rate", "mime_type"],
                name="rendition_once_per_limits",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["work_until"], name="rendition_to_make", condition=Q(state=MediaState.PROCESSING)
            ),
            models.Index(fields=["storage_key"], name="rendition_by_file"),
        ]

    def __str__(self) -> str:
        return f"{self.width}x{self.height} of {self.asset_id}"
