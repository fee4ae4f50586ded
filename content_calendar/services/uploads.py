"""Large files, piece by piece: a connection that breaks costs one piece, a page that is closed nothing.

Pieces are objects of the media store, so that whichever process gets the next one can go on. Two that bring
the same piece at once do no harm: the row takes one of them, by the number of bytes that it had.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import uuid
from typing import IO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from accounts.models import Brand, User
from content_calendar.clips import container_of
from content_calendar.models import MediaAsset, MediaFolder, MediaKind, MediaState, MediaUpload
from content_calendar.services.library import make_findable
from content_calendar.services.media import FileEmpty, FileTooLarge, MediaRefused, store_image

CHUNK = 4 * 1024 * 1024  # bytes of every piece but the last
MAX_VIDEO_BYTES = 2 * 1024**3
VIDEO_TYPES = ("video/mp4", "video/quicktime", "video/webm", "video/x-matroska")
LIFE = dt.timedelta(hours=24)  # of an upload that nobody goes on with
MOST_OPEN = 10  # uploads of one person that are under way


class NotAVideo(MediaRefused):
    """Its content is none of the video types that are taken, whatever its name says."""


class TooManyUploads(MediaRefused):
    """The person has MOST_OPEN under way."""


class WrongOffset(Exception):
    """The piece does not follow what is there: ``received`` bytes are. Nothing was kept of it."""

    def __init__(self, received: int) -> None:
        super().__init__(str(received))
        self.received = received


class PieceDamaged(Exception):
    """The piece is not what its digest says, or longer than it may be. Nothing was kept of it."""


class UploadIncomplete(Exception):
    """There is less than was announced."""


def start_upload(
    *,
    brand: Brand,
    person: User,
    name: str,
    size: int,
    fingerprint: str,
    now: dt.datetime,
    folder: MediaFolder | None = None,
) -> MediaUpload:
    """A new upload of ``size`` bytes, or the one that this person began with the same file (``fingerprint``:
    64 hex digits by which the page knows it). Raises FileEmpty, FileTooLarge, TooManyUploads."""
    if size <= 0:
        raise FileEmpty
    if size > MAX_VIDEO_BYTES:
        raise FileTooLarge
    mine = MediaUpload.objects.filter(person=person, asset=None, touched_at__gt=now - LIFE)
    begun = mine.filter(brand=brand, fingerprint=fingerprint, size=size).order_by("-touched_at").first()
    if begun is not None:
        return begun
    if mine.count() >= MOST_OPEN:
        raise TooManyUploads
    return MediaUpload.objects.create(
        brand=brand,
        person=person,
        folder=folder,
        name=name[:255],
        size=size,
        fingerprint=fingerprint,
        created_at=now,
        touched_at=now,
    )


def take_piece(
    *, upload: MediaUpload, offset: int, content: bytes, now: dt.datetime, digest: str = ""
) -> MediaUpload:
    """The next piece: CHUNK bytes, the last one what is left. ``digest``: its SHA-256 (hex), if the page
    could compute one. Raises WrongOffset, PieceDamaged; NotAVideo by the first one, which ends the upload."""
    wanted = min(CHUNK, upload.size - offset)
    if offset != upload.received or upload.asset_id is not None or wanted <= 0:
        raise WrongOffset(upload.received)
    found = hashlib.sha256(content).hexdigest()
    if len(content) != wanted or (digest and digest != found):
        raise PieceDamaged
    if offset == 0 and not container_of(content[:12]):
        cancel_upload(upload=upload)
        raise NotAVideo
    key = default_storage.save(
        f"uploads/{upload.pk}/{offset:012}-{uuid.uuid4().hex[:8]}", ContentFile(content)
    )
    received = offset + len(content)
    chunks = [*upload.chunks, [key, len(content), found]]
    taken = MediaUpload.objects.filter(pk=upload.pk, received=offset, asset=None).update(
        received=received, chunks=chunks, touched_at=now
    )
    if not taken:  # somebody else brought it meanwhile, or gave the upload up
        default_storage.delete(key)
        now_there = MediaUpload.objects.filter(pk=upload.pk).values_list("received", flat=True).first()
        raise WrongOffset(now_there or 0)
    upload.received, upload.chunks = received, chunks
    return upload


def finish_upload(*, upload: MediaUpload, now: dt.datetime) -> MediaAsset:
    """The asset, which is made ready in the background; the present one when the brand has the same bytes.
    Asked again, it answers the same. Raises UploadIncomplete."""
    if upload.asset is not None:
        return upload.asset
    if upload.received != upload.size:
        raise UploadIncomplete
    digest = hashlib.sha256("".join(piece[2] for piece in upload.chunks).encode()).hexdigest()
    asset = MediaAsset(
        brand=upload.brand,
        kind=MediaKind.VIDEO,
        state=MediaState.PROCESSING,
        sha256=digest,
        size=upload.size,
        width=0,
        height=0,
        original_name=upload.name,
        folder=upload.folder,
        uploaded_by=upload.person,
        created_at=now,
    )
    make_findable(asset, ())
    try:
        with transaction.atomic():
            present = MediaAsset.objects.filter(brand=upload.brand, sha256=digest).first()
            if present is not None and present.state == MediaState.BROKEN:
                present.delete()  # perhaps it can be read this time
                present = None
            if present is None:
                asset.save(force_insert=True)
                MediaUpload.objects.filter(pk=upload.pk).update(asset=asset, touched_at=now)
                upload.asset = asset
                return asset
    except IntegrityError:  # the same file was finished twice at once
        present = MediaAsset.objects.get(brand=upload.brand, sha256=digest)
    # A copy that could not be made is tried again when somebody needs it.
    present.renditions.filter(state=MediaState.BROKEN).delete()
    if present.pk != MediaUpload.objects.filter(pk=upload.pk).values_list("asset", flat=True).first():
        cancel_upload(upload=upload)
    return present


def store_file(
    *,
    brand: Brand,
    upload: IO[bytes],
    name: str,
    actor: User,
    now: dt.datetime,
    folder: MediaFolder | None = None,
) -> MediaAsset:
    """A file that came whole, with a form: an image is stored at once, a video is made ready in the
    background. Raises a MediaRefused."""
    is_video = bool(container_of(upload.read(12)))
    size = upload.seek(0, os.SEEK_END)
    upload.seek(0)
    if not is_video:
        return store_image(brand=brand, upload=upload, name=name, actor=actor, now=now, folder=folder)
    row = start_upload(
        brand=brand, person=actor, name=name, size=size, fingerprint=uuid.uuid4().hex, folder=folder, now=now
    )
    while row.received < size:
        row = take_piece(upload=row, offset=row.received, content=upload.read(CHUNK), now=now)
    return finish_upload(upload=row, now=now)


def cancel_upload(*, upload: MediaUpload) -> None:
    """The upload and its pieces are gone."""
    keys = [piece[0] for piece in upload.chunks]
    MediaUpload.objects.filter(pk=upload.pk).delete()
    for key in keys:
        default_storage.delete(key)


def clean_uploads(*, now: dt.datetime, most: int = 200) -> int:
    """Throw away what nobody went on with for LIFE, and what is left of videos that are ready or broken; how
    many uploads went."""
    left = MediaUpload.objects.filter(touched_at__lt=now - LIFE).exclude(asset__state=MediaState.PROCESSING)
    rows = list(left.order_by("touched_at")[:most])
    for upload in rows:
        cancel_upload(upload=upload)
    return len(rows)
