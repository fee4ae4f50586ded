"""Small videos, made here."""

from __future__ import annotations

import functools
import hashlib
import io
from fractions import Fraction
from typing import Any

import av

from accounts.models import Brand, User
from content_calendar.models import MediaAsset, MediaUpload
from content_calendar.services import uploads, videos
from tests.content_calendar.conftest import NOW


@functools.cache
def clip(
    *,
    seconds: float = 1,
    size: tuple[int, int] = (64, 36),
    rate: int = 10,
    codec: str = "libx264",
    kind: str = "mp4",
    sound: str = "aac",
    with_pictures: bool = True,
    place: str = "",
) -> bytes:
    """A file of the container ``kind``; ``sound`` "": a silent one; ``place``: where it was taken."""
    out = io.BytesIO()
    options = {"movflags": "+use_metadata_tags"} if place else {}
    with av.open(out, "w", format=kind, options=options) as target:
        if place:
            target.metadata.update({"location": place, "comment": place})
        video: Any = target.add_stream(codec, rate=rate) if with_pictures else None
        audio: Any = target.add_stream(sound, rate=48_000, layout="stereo") if sound else None
        if video is not None:
            video.width, video.height = size
            video.pix_fmt = "yuv420p"
            for number in range(round(seconds * rate)):
                frame = av.VideoFrame(*size, "rgb24")
                for plane in frame.planes:
                    plane.update(bytes([number * 9 % 256]) * plane.buffer_size)
                frame = frame.reformat(format="yuv420p")
                frame.pts, frame.time_base = number, Fraction(1, rate)
                target.mux(video.encode(frame))
            target.mux(video.encode(None))
        if audio is not None:
            for number in range(round(seconds * 48_000 / 1024)):
                heard = av.AudioFrame(format=audio.format.name, layout="stereo", samples=1024)
                for part in heard.planes:
                    part.update(bytes(part.buffer_size))
                heard.sample_rate, heard.pts, heard.time_base = 48_000, number * 1024, Fraction(1, 48_000)
                target.mux(audio.encode(heard))
            target.mux(audio.encode(None))
    return out.getvalue()


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
