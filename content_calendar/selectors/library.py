"""Reading a brand's media library: what is in it, where it lies, which posts use it."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from accounts.models import Brand
from content_calendar.models import MediaAsset, MediaFolder, MediaTag, MediaUsage, Post, Variant
from content_calendar.selectors.posts import PostPage, row_of, with_variants
from core.bigrams import folded, wanted_grams
from outbox.models import DeliveryState

MOST_TAGS = 200  # that can be chosen from
MOST_FOLDERS = 200
_MOST_WORDS = 8  # of a search; each is a condition of its own


@dataclass(frozen=True, slots=True)
class LibraryFilter:
    """What the address asks for; empty fields ask for nothing. ``folder`` means with the folders in it."""

    text: str = ""
    folder: uuid.UUID | None = None
    tag: uuid.UUID | None = None
    kind: str = ""  # a MediaKind
    is_unused: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.folder or self.tag or self.kind or self.is_unused)


@dataclass(frozen=True, slots=True)
class FolderRow:
    """A folder with what lies in it itself, and the folders in it."""

    folder: MediaFolder
    count: int
    inner: tuple[FolderRow, ...] = ()

    @property
    def total(self) -> int:
        return self.count + sum(row.count for row in self.inner)


def assets_of(brand: Brand, wanted: LibraryFilter) -> QuerySet[MediaAsset]:
    """The media that the filter leaves, the newest first."""
    rows = MediaAsset.objects.filter(brand=brand).defer("search_text", "search_grams")
    for word in folded(wanted.text).split()[:_MOST_WORDS]:
        rows = rows.filter(search_grams__contains=wanted_grams([word]), search_text__contains=word)
    if wanted.folder:
        inner = MediaFolder.objects.filter(brand=brand, parent=wanted.folder).values_list("pk", flat=True)
        rows = rows.filter(folder__in=[wanted.folder, *inner])
    if wanted.tag:
        through = MediaAsset.tags.through.objects.filter(mediaasset=OuterRef("pk"), mediatag=wanted.tag)
        rows = rows.filter(Exists(through))
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.is_unused:
        used = MediaUsage.objects.filter(asset=OuterRef("pk"), post__deleted_at__isnull=True)
        rows = rows.filter(~Exists(used))
    return rows.order_by("-created_at", "-pk")


def folders_of(brand: Brand) -> tuple[FolderRow, ...]:
    """The folders at the top, each with those in it, by name."""
    folders = list(MediaFolder.objects.for_brand(brand).order_by("name", "pk")[:MOST_FOLDERS])
    lying = MediaAsset.objects.filter(brand=brand, folder__isnull=False).values_list("folder")
    counts = dict(lying.annotate(amount=Count("pk")).order_by())
    inner: dict[uuid.UUID, list[FolderRow]] = {}
    for folder in folders:
        if folder.parent_id is not None:
            inner.setdefault(folder.parent_id, []).append(FolderRow(folder, counts.get(folder.pk, 0)))
    return tuple(
        FolderRow(folder, counts.get(folder.pk, 0), tuple(inner.get(folder.pk, ())))
        for folder in folders
        if folder.parent_id is None
    )


def tags_of(brand: Brand) -> list[MediaTag]:
    return list(MediaTag.objects.for_brand(brand).order_by("name")[:MOST_TAGS])


def _posts_with(asset: MediaAsset) -> QuerySet[Post]:
    ids = MediaUsage.objects.filter(asset=asset).values("post_id")
    return Post.objects.filter(pk__in=ids, deleted_at__isnull=True)


def uses_of(asset: MediaAsset, *, number: int = 1, size: int = 20) -> PostPage:
    """Page ``number`` (from 1) of the posts that use it, what was changed last first."""
    first = (number - 1) * size
    posts = with_variants(_posts_with(asset)).order_by("-updated_at", "-pk")[first : first + size + 1]
    rows = [row_of(post) for post in posts]
    return PostPage(rows=tuple(rows[:size]), number=number, has_next=len(rows) > size)


def still_needed(assets: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many posts that are not wholly published use each of these; those that none uses are absent."""
    variants = Variant.objects.filter(post=OuterRef("post"))
    settled = [DeliveryState.SENT, DeliveryState.CANCELLED]
    is_over = Q(Exists(variants.filter(delivery__state=DeliveryState.SENT))) & ~Q(
        Exists(variants.filter(Q(delivery__isnull=True) | ~Q(delivery__state__in=settled)))
    )
    rows = (
        MediaUsage.objects.filter(asset__in=assets, post__deleted_at__isnull=True)
        .exclude(is_over)
        .values_list("asset")
        .annotate(posts=Count("post"))
    )
    return dict(rows.order_by(F("asset")))
