"""Videos on their way into the library."""

from __future__ import annotations

import hashlib
from typing import Any

from accounts.models import Brand, User
from content_calendar.models import MediaAsset, MediaUpload
from content_calendar.services import uploads, videos
from tests.clips import clip
from tests.content_calendar.conftest import NOW


def begin(brand: Brand, person: User, content: bytes, name: str = "clip.mp4") -> MediaUpload:
    mark = hashlib.sha256(content).hexdigest()
    return uploads.start_upload(
        brand=brand, person=person, name=name, size=len(content), fingerprint=mark, now=NOW
    )


def bring(upload: MediaUpload, content: bytes) -> MediaUpload:
    """All pieces that are still to come."""
    while upload.received < upload.size:
        piece = content[upload.received : upload.received + uploads.CHUNK]
        upload = uploads.take_piece(upload=upload, offset=upload.received, content=piece, now=NOW)
    return upload


def uploaded(brand: Brand, person: User, content: bytes, name: str = "clip.mp4") -> MediaAsset:
    upload = bring(begin(brand, person, content, name), content)
    return uploads.finish_upload(upload=upload, now=NOW)


def work(*, most: int = 10) -> None:
    """What the tick and the workers do, until nothing is left."""
    while True:
        found, copies = videos.claim_work(now=NOW, most=most)
        for one in found:
            videos.prepare_video(asset_id=one.pk, fence=one.fence, clock=lambda: NOW)  # type: ignore[arg-type]
        for one in copies:
            videos.make_rendition(rendition_id=int(one.pk), fence=one.fence, clock=lambda: NOW)
        if not found and not copies:
            return


def make_video(brand: Brand, person: User, **options: Any) -> MediaAsset:
    asset = uploaded(brand, person, clip(**options))
    work()
    asset.refresh_from_db()
    return asset
