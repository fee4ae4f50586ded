"""Small videos, made here."""

from __future__ import annotations

import functools
import io
from fractions import Fraction
from typing import Any

import av


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
    has_halves: bool = False,
) -> bytes:
    """A file of the container ``kind``; ``sound`` "": a silent one; ``place``: where it was taken;
    ``has_halves``: white at the left and black at the right, else grey that grows lighter with the frames."""
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
                    if has_halves:
                        row = (b"\xff" * (size[0] // 2 * 3)).ljust(plane.line_size, b"\x00")
                        plane.update(row * size[1])
                    else:
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


def turned(content: bytes) -> bytes:
    """An MP4 as a phone that is held upright writes it: its pictures lie on their side, and the display
    matrix of the track says to turn them a quarter clockwise (ISO/IEC 14496-12, TrackHeaderBox)."""
    at = content.index(b"tkhd") + 4 + 40  # the first track is that of the pictures
    one, none = (1 << 16).to_bytes(4, "big"), bytes(4)
    minus_one = (-(1 << 16)).to_bytes(4, "big", signed=True)
    matrix = b"".join([none, one, none, minus_one, none, none, none, none, (1 << 30).to_bytes(4, "big")])
    return content[:at] + matrix + content[at + len(matrix) :]
