"""Keeping the media library in order: folders, tags, names, and what is thrown away."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts.models import Brand, User
from accounts.services.audit import record
from content_calendar.content import asset_ids, parts_from_json
from content_calendar.models import (
    MediaAsset,
    MediaFolder,
    MediaTag,
    MediaUpload,
    MediaUsage,
    Post,
    Rendition,
)
from content_calendar.selectors.library import MOST_FOLDERS, still_needed
from core.bigrams import folded, grams

MOST_TAGS_EACH = 20
MOST_AT_ONCE = 200


class FolderNameTaken(Exception):
    """There is a folder of that name in the same place."""


class FolderUnknown(Exception):
    """The folder is not the brand's, or was deleted meanwhile."""


class FolderTooDeep(Exception):
    """Folders stand at the top or in one that does."""


class TooManyFolders(Exception):
    """The brand has MOST_FOLDERS."""


class TooManyTags(Exception):
    """More than MOST_TAGS_EACH on one asset."""


class MediaInUse(Exception):
    """Posts that are still to go out use some of these; ``assets`` says which. Nothing was deleted."""

    def __init__(self, assets: Sequence[MediaAsset]) -> None:
        super().__init__(", ".join(str(asset.pk) for asset in assets))
        self.assets = assets


@dataclass(frozen=True, slots=True)
class Description:
    """What people say about an asset. ``focal_x`` and ``focal_y`` in hundredths from left and top."""

    name: str
    alt_text: str
    tags: tuple[str, ...]
    focal_x: int = 50
    focal_y: int = 50
    folder: uuid.UUID | None = None


# --- folders ----------------------------------------------------------------------------------


def create_folder(
    *, brand: Brand, name: str, parent: MediaFolder | None, actor: User, now: dt.datetime
) -> MediaFolder:
    """Raises FolderNameTaken, FolderTooDeep, TooManyFolders."""
    if parent is not None and parent.parent_id is not None:
        raise FolderTooDeep
    if MediaFolder.objects.for_brand(brand).count() >= MOST_FOLDERS:
        raise TooManyFolders
    try:
        with transaction.atomic():
            folder = MediaFolder.objects.create(brand=brand, parent=parent, name=name, created_at=now)
            _audit(folder, "media.folder_created", actor, now)
    except IntegrityError as error:
        raise FolderNameTaken from error
    return folder


def rename_folder(*, folder: MediaFolder, name: str, actor: User, now: dt.datetime) -> MediaFolder:
    """Raises FolderNameTaken."""
    try:
        with transaction.atomic():
            folder.name = name
            folder.save(update_fields=["name"])
            _audit(folder, "media.folder_renamed", actor, now)
    except IntegrityError as error:
        raise FolderNameTaken from error
    return folder


def delete_folder(*, folder: MediaFolder, actor: User, now: dt.datetime) -> None:
    """The folder and those in it go; what lay in them stays in the library, in no folder."""
    with transaction.atomic():
        _audit(folder, "media.folder_deleted", actor, now)
        folder.delete()


def _audit(folder: MediaFolder, action: str, actor: User, now: dt.datetime) -> None:
    record(
        organization=folder.brand.organization,
        actor=actor,
        action=action,
        subject=folder,
        detail={"name": folder.name},
        now=now,
    )


# --- what people say about an asset -----------------------------------------------------------


def describe(*, asset: MediaAsset, said: Description) -> MediaAsset:
    """Name, default alternative text, tags, focal point and folder of one asset. Raises FolderUnknown,
    TooManyTags."""
    tags = _distinct(said.tags)
    if len(tags) > MOST_TAGS_EACH:
        raise TooManyTags
    with transaction.atomic():
        row = MediaAsset.objects.select_for_update(of=("self",), no_key=True).get(pk=asset.pk)
        row.name, row.alt_text = said.name, said.alt_text
        row.focal_x, row.focal_y = said.focal_x, said.focal_y
        row.folder = _folder(row.brand, said.folder)
        row.tags.set(_tags(row.brand, tags))
        make_findable(row, tags)
        row.save(
            update_fields=[
                "name",
                "alt_text",
                "focal_x",
                "focal_y",
                "folder",
                "search_text",
                "search_grams",
            ]
        )
        _sweep_tags(row.brand)
    return row


def make_findable(asset: MediaAsset, tags: Iterable[str]) -> None:
    """Sets what the search reads; the caller saves."""
    asset.search_text = folded(str(asset), *tags, asset.alt_text)
    asset.search_grams = grams(asset.search_text)


def _distinct(names: Iterable[str]) -> list[str]:
    """Each once, whatever its case, as it was written first."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name.casefold(), name)
    return list(found.values())


def _folder(brand: Brand, pk: uuid.UUID | None) -> MediaFolder | None:
    if pk is None:
        return None
    folder = MediaFolder.objects.for_brand(brand).filter(pk=pk).first()
    if folder is None:
        raise FolderUnknown
    return folder


def _tags(brand: Brand, names: Sequence[str]) -> list[MediaTag]:
    """The tags of these names, made where there are none. Two people may make the same one at once."""
    if not names:
        return []
    MediaTag.objects.bulk_create([MediaTag(brand=brand, name=name) for name in names], ignore_conflicts=True)
    wanted = {name.casefold() for name in names}
    rows = MediaTag.objects.for_brand(brand)
    return [tag for tag in rows if tag.name.casefold() in wanted]


def _sweep_tags(brand: Brand) -> None:
    MediaTag.objects.for_brand(brand).filter(assets__isnull=True).delete()


# --- several at once --------------------------------------------------------------------------


def move_assets(*, brand: Brand, assets: Collection[uuid.UUID], folder: uuid.UUID | None) -> int:
    """Into a folder, or (None) out of any; how many moved. Raises FolderUnknown."""
    with transaction.atomic():
        return _of(brand, assets).update(folder=_folder(brand, folder))


def tag_assets(*, brand: Brand, assets: Collection[uuid.UUID], tags: Sequence[str]) -> int:
    """These tags besides those that are there; how many assets got one. Raises TooManyTags: nothing changed
    then."""
    with transaction.atomic():
        made = _tags(brand, _distinct(tags))
        rows = list(_of(brand, assets).select_for_update(no_key=True).order_by("pk"))
        for row in rows:
            row.tags.add(*made)
        again = list(_of(brand, [row.pk for row in rows]).prefetch_related("tags"))
        for row in again:
            names = [tag.name for tag in row.tags.all()]
            if len(names) > MOST_TAGS_EACH:
                raise TooManyTags
            make_findable(row, names)
        MediaAsset.objects.bulk_update(again, ["search_text", "search_grams"])
    return len(again)


def delete_assets(*, brand: Brand, assets: Collection[uuid.UUID], actor: User, now: dt.datetime) -> int:
    """Throw media away with their files; how many went. Raises MediaInUse while a post that is still to go
    out uses one of them: then all of them stay."""
    with transaction.atomic():
        # What is saved at the same time waits for this, or this for it (services.drafts).
        rows = list(_of(brand, assets).select_for_update(of=("self",)).order_by("pk"))
        needed = still_needed([row.pk for row in rows])
        if needed:
            raise MediaInUse([row for row in rows if row.pk in needed])
        keys = _files_of(rows)
        for row in rows:
            record(
                organization=brand.organization,
                actor=actor,
                action="media.deleted",
                subject=row,
                detail={"name": str(row)},
                now=now,
            )
        MediaAsset.objects.filter(pk__in=[row.pk for row in rows]).delete()
        _sweep_tags(brand)
        transaction.on_commit(lambda: _delete_files(keys))
    return len(rows)


def _of(brand: Brand, assets: Collection[uuid.UUID]) -> QuerySet[MediaAsset]:
    return MediaAsset.objects.filter(brand=brand, pk__in=list(assets)[:MOST_AT_ONCE])


def _files_of(rows: Sequence[MediaAsset]) -> list[str]:
    renditions = Rendition.objects.filter(asset__in=rows).values_list("storage_key", flat=True)
    uploads = MediaUpload.objects.filter(asset__in=rows).values_list("chunks", flat=True)
    keys = [key for row in rows for key in (row.storage_key, row.thumbnail_key)]
    offered = [key for row in rows for key, _ms in row.frames]
    pieces = [piece[0] for chunks in uploads for piece in chunks]
    return list({key for key in (*keys, *offered, *renditions, *pieces) if key})


def _delete_files(keys: Iterable[str]) -> None:
    for key in keys:
        default_storage.delete(key)


# --- which post uses what ---------------------------------------------------------------------


def note_usages(*, post: Post) -> None:
    """What a post and its variants say now is what they use."""
    contents = [post.parts, *post.variants.exclude(parts=None).values_list("parts", flat=True)]
    used = asset_ids(*(parts_from_json(parts) for parts in contents))
    MediaUsage.objects.filter(post=post).exclude(asset__in=used).delete()
    MediaUsage.objects.bulk_create([MediaUsage(post=post, asset_id=pk) for pk in used], ignore_conflicts=True)
