"""What becomes of a video on a network: sent as it is, converted, or not taken."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from connectors.base import VideoLimit
from content_calendar.models import MediaAsset, MediaState, Rendition

VIDEO_TYPE = "video/mp4"
AUDIO_BIT_RATE = 128_000
# Of a converted video: bits for each pixel of each frame, which is what a phone's own camera app shares with.
BITS_PER_PIXEL = 0.1
MOST_BIT_RATE = 8_000_000
LEAST_BIT_RATE = 150_000
# What the container adds, and what an encoder misses its aim by.
ROOM = 0.92
# Converted with so many frames per second where the network states no limit and the file is faster.
MOST_FRAME_RATE = 60.0


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """A video as a network gets it. ``bit_rate`` of the pictures in bit/s and ``size`` (bytes, about) are of
    what is to be made; ``is_as_is``: the stored file is sent."""

    is_as_is: bool
    width: int
    height: int
    frame_rate: float
    bit_rate: int = 0
    size: int = 0

    @property
    def is_smaller(self) -> bool:
        return not self.is_as_is and self.bit_rate > 0


def plan_for(asset: MediaAsset, limit: VideoLimit) -> VideoPlan:
    """Of a video that is ready. Its length is not changed: one that is too long is not taken."""
    if fits(asset, limit):
        return VideoPlan(True, asset.width, asset.height, asset.frame_rate, size=asset.size)
    scale = 1.0
    pixels = asset.width * asset.height
    if limit.max_pixels and pixels > limit.max_pixels:
        scale = (limit.max_pixels / pixels) ** 0.5
    width, height = even(asset.width * scale), even(asset.height * scale)
    most = limit.max_frame_rate or MOST_FRAME_RATE
    frame_rate = min(asset.frame_rate or 30.0, most)
    wanted = int(width * height * frame_rate * BITS_PER_PIXEL)
    seconds = max(asset.duration_s, 0.1)
    audio = AUDIO_BIT_RATE if asset.audio_codec else 0
    # Never more than the source has, nor than fits.
    of_source = int(asset.size * 8 / seconds)
    fitting = int(limit.max_bytes * 8 * ROOM / seconds) - audio
    bit_rate = max(LEAST_BIT_RATE, min(wanted, MOST_BIT_RATE, max(of_source, LEAST_BIT_RATE), fitting))
    size = min(limit.max_bytes, int((bit_rate + audio) * seconds / 8))
    return VideoPlan(False, width, height, round(frame_rate, 3), bit_rate, size)


def fits(asset: MediaAsset, limit: VideoLimit) -> bool:
    """Whether the stored file itself may be sent, its length aside."""
    return (
        asset.mime_type in limit.mime_types
        and asset.size <= limit.max_bytes
        and not (limit.max_pixels and asset.width * asset.height > limit.max_pixels)
        and not (limit.max_frame_rate and asset.frame_rate > limit.max_frame_rate + 0.01)
        and asset.video_codec in limit.video_codecs
        and asset.audio_codec in ("", *limit.audio_codecs)
    )


def even(side: float) -> int:
    """H.264 with the usual colours has even sides."""
    return max(2, int(side) // 2 * 2)


def rendition_of(asset: MediaAsset, limit: VideoLimit) -> Rendition | None:
    """The copy for these limits, made or not; ``renditions`` may be prefetched."""
    return next((one for one in asset.renditions.all() if is_for(one, limit)), None)


def is_for(rendition: Rendition, limit: VideoLimit) -> bool:
    return (
        rendition.mime_type == VIDEO_TYPE
        and rendition.max_bytes == limit.max_bytes
        and rendition.max_pixels == limit.max_pixels
        and rendition.max_frame_rate == limit.max_frame_rate
    )


def waiting_for(keys: Collection[str]) -> dict[str, Rendition]:
    """The renditions among these files (keys of the media store) that are still made or failed, by file."""
    rows = Rendition.objects.filter(storage_key__in=keys).exclude(state=MediaState.READY)
    return {row.storage_key: row for row in rows}
