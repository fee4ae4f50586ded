"""Making videos ready in the background: looking at what was uploaded, and the copies that networks need.

The row is the schedule, as everywhere: a tick claims rows that nobody works on (``work_until``, with a number
that fences off whoever had them before), and hands their ids to workers. Whoever works keeps the claim alive;
when a worker dies, the row is claimed again, and after MOST_TRIES given up.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from accounts.models import SocialAccount, User
from connectors.base import Capability, VideoLimit
from content_calendar.models import (
    MediaAsset,
    MediaKind,
    MediaProblem,
    MediaState,
    MediaUpload,
    Rendition,
)
from content_calendar.selectors.videos import (
    AUDIO_BIT_RATE,
    BITS_PER_PIXEL,
    LEAST_BIT_RATE,
    MOST_BIT_RATE,
    MOST_FRAME_RATE,
    VIDEO_TYPE,
    VideoPlan,
    even,
    fits,
    plan_for,
)
from content_calendar.services.clip_program import ClipRefused, run_clip
from content_calendar.services.library import make_findable
from content_calendar.services.uploads import MAX_VIDEO_BYTES, cancel_upload

Clock = Callable[[], dt.datetime]

LEASE = dt.timedelta(minutes=3)
MOST_TRIES = 3
PREPARE_TIMEOUT_S = 600.0
CONVERT_TIMEOUT_S = 1800.0
FRAME_TIMEOUT_S = 30.0
LEAST_TRIM_MS = 500
# A file that came out too large is made again, with so much less.
_LESS = 0.8
_MOST_ROUNDS = 3


class LostWork(Exception):
    """Somebody else has the row by now."""


class NoSuchFrame(Exception):
    """The clip has no picture there."""


class NoSuchStretch(Exception):
    """The clip has no such stretch, it is the whole clip, or it is shorter than LEAST_TRIM_MS."""


# --- who works on what ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Work:
    """A row that was claimed, and the number that says so."""

    pk: str
    fence: int


def claim_work(*, now: dt.datetime, most: int) -> tuple[list[Work], list[Work]]:
    """Videos to look at and renditions to make, claimed: as many as there is room for when at most ``most``
    are worked on at once over all workers. What was tried too often is given up."""
    _give_up(now)
    busy = sum(
        model.objects.filter(state=MediaState.PROCESSING, work_until__gt=now).count()
        for model in (MediaAsset, Rendition)
    )
    free = max(0, most - busy)
    is_there = Q(upload__isnull=False) | Q(trim_until_ms__isnull=False)
    videos = _claim(MediaAsset.objects.filter(is_there), now, free)
    renditions = _claim(Rendition.objects.filter(asset__state=MediaState.READY), now, free - len(videos))
    return videos, renditions


def _free(rows: QuerySet[Any], now: dt.datetime) -> QuerySet[Any]:
    is_free = Q(work_until__isnull=True) | Q(work_until__lte=now)
    return rows.filter(is_free, state=MediaState.PROCESSING)


def _claim(rows: QuerySet[Any], now: dt.datetime, most: int) -> list[Work]:
    if most <= 0:
        return []
    with transaction.atomic():
        found = _free(rows, now).filter(work_fence__lt=MOST_TRIES).order_by("pk")
        claimed = list(found.select_for_update(skip_locked=True, of=("self",))[:most])
        for row in claimed:
            row.work_until, row.work_fence = now + LEASE, row.work_fence + 1
            row.save(update_fields=["work_until", "work_fence"])
    return [Work(str(row.pk), row.work_fence) for row in claimed]


def _give_up(now: dt.datetime) -> None:
    """What took the worker with it each time, or never got to its end."""
    for model in (MediaAsset, Rendition):
        _free(model.objects.all(), now).filter(work_fence__gte=MOST_TRIES).update(
            state=MediaState.BROKEN, problem=MediaProblem.TOO_SLOW, work_until=None
        )


# --- looking at what was uploaded -------------------------------------------------------------


def prepare_video(*, asset_id: uuid.UUID, fence: int, clock: Clock) -> MediaState | None:
    """Put the pieces together, find out what the video is, keep it without its metadata and with thumbnails.
    Returns how it ended, None when the row is somebody else's. Nothing half done: a file that cannot be used
    leaves a BROKEN row that says why, and no files."""
    asset = _mine(MediaAsset, asset_id, fence)
    if asset is None:
        return None
    upload = MediaUpload.objects.filter(asset=asset).first()
    try:
        with tempfile.TemporaryDirectory(prefix="smmapp-clip-") as folder:
            source = Path(folder) / "source"
            if asset.is_trimmed:
                _cut_out(asset, source, fence, clock)
            elif upload is None:
                raise ClipRefused(MediaProblem.INCOMPLETE)
            else:
                _put_together(upload, source, lambda: _keep(MediaAsset, asset.pk, fence, clock()))
            _prepare(asset, fence, Path(folder), clock)
    except ClipRefused as refusal:
        _refuse(asset, fence, refusal)
        asset.state = MediaState.BROKEN
    except LostWork:
        return None
    if upload is not None:  # its pieces are no longer needed
        cancel_upload(upload=upload)
    return MediaState(asset.state)


def _prepare(asset: MediaAsset, fence: int, folder: Path, clock: Clock) -> None:
    """Look at the file ``source`` of the folder, and keep what comes of it."""
    source, target, frames = folder / "source", folder / "target", folder / "frames"
    frames.mkdir()
    _keep(MediaAsset, asset.pk, fence, clock(), for_s=PREPARE_TIMEOUT_S)
    facts = run_clip(
        "prepare",
        timeout_s=PREPARE_TIMEOUT_S,
        most_bytes=2 * MAX_VIDEO_BYTES,
        source=str(source),
        target=str(target),
        frames=str(frames),
    )
    source.unlink()
    where = f"media/{asset.brand_id}/{asset.sha256[:2]}/{asset.sha256}"
    kept: list[str] = []
    try:
        storage_key = _store(target, f"{where}.{facts['extension']}", kept)
        offered = [[_store(frames / name, f"{where}.f{name}", kept), ms] for name, ms in facts["frames"]]
        _end(
            asset,
            fence,
            state=MediaState.READY,
            problem="",
            storage_key=storage_key,
            thumbnail_key=offered[0][0],
            frames=offered,
            mime_type=facts["mime_type"],
            size=target.stat().st_size,
            **{
                name: facts[name]
                for name in ("width", "height", "duration_ms", "frame_rate", "video_codec", "audio_codec")
            },
        )
    except BaseException:
        for key in kept:
            default_storage.delete(key)
        raise
    asset.refresh_from_db()
    want_renditions(asset=asset)


def _put_together(upload: MediaUpload, target: Path, keep: Callable[[], None]) -> None:
    """The pieces as one file. Raises ClipRefused when one is gone or not what came."""
    written = 0
    with target.open("wb") as file:
        for number, (key, size, digest) in enumerate(upload.chunks):
            try:
                with default_storage.open(key, "rb") as stored:
                    content = stored.read()
            except OSError as error:
                raise ClipRefused(MediaProblem.INCOMPLETE) from error
            if len(content) != size or hashlib.sha256(content).hexdigest() != digest:
                raise ClipRefused(MediaProblem.INCOMPLETE)
            file.write(content)
            written += size
            if number % 50 == 49:
                keep()
    if written != upload.size:
        raise ClipRefused(MediaProblem.INCOMPLETE)


def _store(path: Path, name: str, kept: list[str]) -> str:
    with path.open("rb") as file:
        key = default_storage.save(name, File(file))
    kept.append(key)
    return key


# --- copies for networks ----------------------------------------------------------------------


def want_renditions(*, asset: MediaAsset) -> None:
    """Copies for the limits of the brand's connected accounts are made ahead, so that they are there when
    somebody schedules a post with the video."""
    accounts = SocialAccount.objects.filter(brand=asset.brand_id).connected()
    for account in accounts:
        info = account.info
        if info.can(Capability.POST_VIDEO) and info.videos is not None:
            limit = info.videos
            if not (limit.max_seconds and asset.duration_s > limit.max_seconds):
                video_for(asset=asset, limit=limit)


def video_for(*, asset: MediaAsset, limit: VideoLimit) -> MediaAsset | Rendition:
    """The video as a network with ``limit`` gets it: itself where it fits, else the copy, which may still
    have to be made. Its name in the media store is decided already, so that a post can be frozen with it."""
    if fits(asset, limit):
        return asset
    plan = plan_for(asset, limit)
    limits = f"{limit.max_bytes}-{limit.max_pixels}-{limit.max_frame_rate:g}"
    rendition, _created = Rendition.objects.get_or_create(
        asset=asset,
        max_bytes=limit.max_bytes,
        max_pixels=limit.max_pixels,
        max_frame_rate=limit.max_frame_rate,
        mime_type=VIDEO_TYPE,
        defaults={
            "storage_key": f"media/{asset.brand_id}/{asset.sha256[:2]}/{asset.sha256}.{limits}.mp4",
            "size": 0,
            "width": plan.width,
            "height": plan.height,
            "state": MediaState.PROCESSING,
            "progress": 0,
        },
    )
    return rendition


def sent_rate(asset: MediaAsset, limit: VideoLimit | None) -> float:
    """Frames per second of what is sent."""
    return plan_for(asset, limit).frame_rate if limit is not None else asset.frame_rate


def make_rendition(*, rendition_id: int, fence: int, clock: Clock) -> MediaState | None:
    """Convert one video. Returns how it ended, None when the row is somebody else's."""
    rendition = _mine(Rendition.objects.select_related("asset"), rendition_id, fence)
    if rendition is None:
        return None

    def tell(share: float) -> None:
        _keep(Rendition, rendition.pk, fence, clock(), progress=min(99, int(share * 100)))

    try:
        with (
            tempfile.TemporaryDirectory(prefix="smmapp-clip-") as folder,
            _local(rendition.asset, folder) as source,
        ):
            made = _converted(rendition, source, Path(folder) / "target.mp4", tell)
            _mine_still(Rendition, rendition.pk, fence)
            # What an earlier try left behind must not push the file aside to another name.
            default_storage.delete(rendition.storage_key)
            with made.open("rb") as file:
                default_storage.save(rendition.storage_key, File(file))
            _end(rendition, fence, state=MediaState.READY, problem="", size=made.stat().st_size, progress=100)
    except ClipRefused as refusal:
        _refuse(rendition, fence, refusal)
        return MediaState.BROKEN
    except LostWork:
        if not Rendition.objects.filter(pk=rendition.pk).exists():  # deleted meanwhile, with its video
            default_storage.delete(rendition.storage_key)
        return None
    return MediaState.READY


def _converted(rendition: Rendition, source: Path, target: Path, tell: Callable[[float], None]) -> Path:
    """The copy, within its size; made again with less when an encoder used more than it was given."""
    limit = VideoLimit(
        max_count=1,
        max_bytes=rendition.max_bytes,
        max_seconds=0,
        mime_types=(),
        alt_text_max=0,
        max_pixels=rendition.max_pixels,
        max_frame_rate=rendition.max_frame_rate,
    )
    plan: VideoPlan = plan_for(rendition.asset, limit)
    bit_rate = plan.bit_rate
    for _round in range(_MOST_ROUNDS):
        done = run_clip(
            "convert",
            timeout_s=CONVERT_TIMEOUT_S,
            most_bytes=2 * MAX_VIDEO_BYTES,
            tell=tell,
            source=str(source),
            target=str(target),
            width=plan.width,
            height=plan.height,
            frame_rate=plan.frame_rate,
            bit_rate=bit_rate,
            audio_bit_rate=AUDIO_BIT_RATE,
        )
        if done["size"] <= rendition.max_bytes:
            return target
        bit_rate = int(bit_rate * _LESS * rendition.max_bytes / done["size"])
        if bit_rate < LEAST_BIT_RATE // 4:
            break
    raise ClipRefused(MediaProblem.TOO_LARGE)


@contextlib.contextmanager
def _local(asset: MediaAsset, folder: str) -> Iterator[Path]:
    """The stored video as a file of this machine. Raises ClipRefused when it is gone."""
    path = Path(folder) / "stored"
    try:
        with default_storage.open(asset.storage_key, "rb") as stored, path.open("wb") as file:
            for piece in stored.chunks(1024 * 1024):
                file.write(piece)
    except OSError as error:
        raise ClipRefused(MediaProblem.INCOMPLETE) from error
    yield path


# --- a stretch of a video ---------------------------------------------------------------------


def trim_video(
    *, asset: MediaAsset, from_ms: int, until_ms: int, actor: User, now: dt.datetime
) -> MediaAsset:
    """The stretch between two moments as a video of its own, made in the background; it takes over what
    people said about the whole. The original stays. The same stretch is made once. Raises NoSuchStretch."""
    is_within = 0 <= from_ms < until_ms <= asset.duration_ms
    is_whole = (from_ms, until_ms) == (0, asset.duration_ms)
    if not asset.is_video or not asset.is_ready or not is_within or is_whole:
        raise NoSuchStretch
    if until_ms - from_ms < LEAST_TRIM_MS:
        raise NoSuchStretch
    mark = f"{asset.sha256} {asset.pk} {from_ms} {until_ms}"
    part = MediaAsset(
        brand=asset.brand,
        kind=MediaKind.VIDEO,
        state=MediaState.PROCESSING,
        sha256=hashlib.sha256(mark.encode()).hexdigest(),
        mime_type=VIDEO_TYPE,
        size=0,
        width=0,
        height=0,
        name=asset.name,
        original_name=asset.original_name,
        alt_text=asset.alt_text,
        folder=asset.folder,
        derived_from=asset,
        trim_from_ms=from_ms,
        trim_until_ms=until_ms,
        uploaded_by=actor,
        created_at=now,
    )
    tags = list(asset.tags.all())
    make_findable(part, [tag.name for tag in tags])
    with transaction.atomic():
        present = MediaAsset.objects.select_for_update().filter(brand=asset.brand, sha256=part.sha256).first()
        if present is not None:
            if present.state == MediaState.BROKEN:  # another try
                present.state, present.problem = MediaState.PROCESSING, ""
                present.work_until, present.work_fence, present.derived_from = None, 0, asset
                present.save()
            return present
        try:
            with transaction.atomic():
                part.save(force_insert=True)
        except IntegrityError:  # asked for twice at once
            return MediaAsset.objects.get(brand=asset.brand, sha256=part.sha256)
        part.tags.set(tags)
    return part


def _cut_out(asset: MediaAsset, target: Path, fence: int, clock: Clock) -> None:
    """The stretch of the original as a file. Raises ClipRefused, LostWork."""
    original = asset.derived_from
    if original is None or not original.is_ready:
        raise ClipRefused(MediaProblem.NO_ORIGINAL)
    most_rate = min(original.frame_rate or 30.0, MOST_FRAME_RATE)
    _keep(MediaAsset, asset.pk, fence, clock(), for_s=CONVERT_TIMEOUT_S)
    with tempfile.TemporaryDirectory(prefix="smmapp-clip-") as folder, _local(original, folder) as source:
        run_clip(
            "trim",
            timeout_s=CONVERT_TIMEOUT_S,
            most_bytes=2 * MAX_VIDEO_BYTES,
            source=str(source),
            target=str(target),
            from_ms=asset.trim_from_ms,
            until_ms=asset.trim_until_ms,
            width=even(original.width),
            height=even(original.height),
            frame_rate=most_rate,
            bit_rate=_bit_rate_of(original, most_rate),
            audio_bit_rate=AUDIO_BIT_RATE,
        )


def _bit_rate_of(original: MediaAsset, frame_rate: float) -> int:
    """What keeps the pictures as they are: that of the file, though never less than they need, nor more than
    any network takes."""
    of_file = int(original.size * 8 / max(original.duration_s, 0.1))
    needed = int(original.width * original.height * frame_rate * BITS_PER_PIXEL)
    return min(max(of_file, needed, LEAST_BIT_RATE), 2 * MOST_BIT_RATE)


# --- thumbnails -------------------------------------------------------------------------------


def choose_thumbnail(*, asset: MediaAsset, at_ms: int) -> MediaAsset:
    """One of the pictures that were offered, else the one at that moment. Raises NoSuchFrame."""
    offered = next((key for key, ms in asset.frames if ms == at_ms), None)
    if offered is None:
        if not 0 <= at_ms <= asset.duration_ms or not asset.is_ready:
            raise NoSuchFrame
        offered = _cut_frame(asset, at_ms)
        asset.frames = [*asset.frames, [offered, at_ms]]
    asset.thumbnail_key = offered
    asset.save(update_fields=["thumbnail_key", "frames"])
    return asset


def _cut_frame(asset: MediaAsset, at_ms: int) -> str:
    try:
        with tempfile.TemporaryDirectory(prefix="smmapp-clip-") as folder, _local(asset, folder) as source:
            target = Path(folder) / "frame.jpg"
            run_clip(
                "frame",
                timeout_s=FRAME_TIMEOUT_S,
                most_bytes=50_000_000,
                source=str(source),
                target=str(target),
                at_ms=at_ms,
            )
            where = f"media/{asset.brand_id}/{asset.sha256[:2]}/{asset.sha256}.at{at_ms}.jpg"
            return _store(target, where, [])
    except ClipRefused as refusal:
        raise NoSuchFrame from refusal


# --- claims -----------------------------------------------------------------------------------


def _mine(rows: Any, pk: Any, fence: int) -> Any:
    """The row, if it is still claimed under this number."""
    manager = rows if isinstance(rows, QuerySet) else rows.objects.all()
    return manager.filter(pk=pk, work_fence=fence, state=MediaState.PROCESSING).first()


def _mine_still(model: Any, pk: Any, fence: int) -> None:
    if _mine(model, pk, fence) is None:
        raise LostWork


def _keep(model: Any, pk: Any, fence: int, now: dt.datetime, *, for_s: float = 0, **values: Any) -> None:
    """Still at it. Raises LostWork."""
    until = now + max(LEASE, dt.timedelta(seconds=for_s + 60))
    rows = model.objects.filter(pk=pk, work_fence=fence, state=MediaState.PROCESSING)
    if not rows.update(work_until=until, **values):
        raise LostWork


def _refuse(row: MediaAsset | Rendition, fence: int, refusal: ClipRefused) -> None:
    """Say why it cannot be used, unless the row is somebody else's by now."""
    with contextlib.suppress(LostWork):
        _end(row, fence, state=MediaState.BROKEN, problem=refusal.problem)


def _end(row: MediaAsset | Rendition, fence: int, **values: Any) -> None:
    """Raises LostWork: what was found belongs to nobody then."""
    model: Any = type(row)
    rows = model.objects.filter(pk=row.pk, work_fence=fence, state=MediaState.PROCESSING)
    if not rows.update(work_until=None, **values):
        raise LostWork
