"""Reading and converting video files: a program of its own, so that a file from outside takes no worker down.

    python -m content_calendar.clips COMMAND '{"source": "/path", ...}'

Commands are ``prepare``, ``frame``, ``convert`` and ``trim``; each writes lines of JSON:
``{"progress": 0.4}`` any number of times, then ``{"done": {...}}`` or ``{"problem": "code"}``. It knows
nothing of the application and gets no secrets. It limits its own memory, time and the size of what it
writes; whoever starts it limits its time from outside, too.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import av.filter
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer, OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

Json = dict[str, Any]

MEMORY = 6 * 1024**3  # addresses, of which threads and their buffers reserve many
CPU_S = 3600
MAX_SIDE = 8192  # pixels
MAX_PIXELS = 36_000_000
MAX_SECONDS = 3600
FRAMES = 6  # offered as a thumbnail
FRAME_SIDE = 960
# By what they begin with; nothing else is opened. A playlist would make the library look elsewhere.
DEMUXERS = {"mov": "mov", "matroska": "matroska"}
# What MP4 and WebM hold; QuickTime holds the rest.
_IN_MP4 = ({"h264", "hevc", "av1", "vp9", "mpeg4"}, {"aac", "mp3", "opus", "ac3", "eac3", "alac", "flac", ""})
_IN_WEBM = ({"vp8", "vp9", "av1"}, {"vorbis", "opus", ""})
_PLAIN_PIXELS = {"yuv420p", "yuvj420p"}


class Problem(Exception):
    """Why a file is not taken: a code of content_calendar.models.MediaProblem."""


def container_of(beginning: bytes) -> str:
    """A key of DEMUXERS by the first bytes (at least 12) of a file, "" for anything else."""
    if beginning[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "mov"
    return "matroska" if beginning[:4] == b"\x1a\x45\xdf\xa3" else ""


@contextlib.contextmanager
def _opened(path: str) -> Iterator[InputContainer]:
    with Path(path).open("rb") as file:
        kind = container_of(file.read(12))
    if not kind:
        raise Problem("not_a_video")
    try:
        source = av.open(path, format=DEMUXERS[kind], options={"protocol_whitelist": "file"})
    except av.error.FFmpegError as error:
        raise Problem("broken") from error
    with source:
        yield source


def _pictures(source: InputContainer) -> VideoStream:
    """The moving pictures; the cover of a sound file is none."""
    for stream in source.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = 2
            return stream
    # Cut off before its table of contents, a file has no streams at all.
    raise Problem("no_video" if source.streams.audio else "broken")


def _name(codec_context: Any) -> str:
    return str(codec_context.codec.canonical_name)


def _seconds(source: InputContainer, stream: VideoStream) -> float:
    if source.duration:
        return source.duration / 1_000_000
    return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0


def _first_picture(source: InputContainer, stream: VideoStream) -> VideoFrame:
    for frame in source.decode(stream):
        return frame
    raise Problem("broken")


def _facts(source: InputContainer, stream: VideoStream) -> Json:
    context = stream.codec_context
    if not context.width or not context.height:
        raise Problem("broken")
    if max(context.width, context.height) > MAX_SIDE or context.width * context.height > MAX_PIXELS:
        raise Problem("too_many_pixels")
    seconds = _seconds(source, stream)
    if seconds > MAX_SECONDS:
        raise Problem("too_long")
    frame = _first_picture(source, stream)
    is_turned = round(frame.rotation) % 180 == 90
    sound = next(iter(source.streams.audio), None)
    pixels = str(context.pix_fmt or "")
    codec = _name(context)
    return {
        "width": frame.height if is_turned else frame.width,
        "height": frame.width if is_turned else frame.height,
        "duration_ms": round(seconds * 1000),
        "frame_rate": min(round(float(stream.average_rate or stream.guessed_rate or 0), 3), 1000.0),
        # Anything but the usual pixels plays in few places, whatever the codec.
        "video_codec": codec if pixels in _PLAIN_PIXELS else f"{codec}/{pixels}"[:32],
        "audio_codec": _name(sound.codec_context) if sound is not None else "",
    }


# --- prepare: facts, the file without its metadata, thumbnails ---------------------------------


def prepare(given: Json, _tell: Callable[[float], None]) -> Json:
    """``source``; writes the same pictures and sound without metadata to ``target``, thumbnails to the folder
    ``frames``. Returns the facts, ``mime_type`` and ``extension`` of the target, ``frames`` as [name, ms]."""
    with _opened(given["source"]) as source:
        facts = _facts(source, _pictures(source))
    video, audio = facts["video_codec"].partition("/")[0], facts["audio_codec"]
    if video in _IN_MP4[0] and audio in _IN_MP4[1]:
        muxer, facts["mime_type"], facts["extension"] = "mp4", "video/mp4", "mp4"
    elif video in _IN_WEBM[0] and audio in _IN_WEBM[1]:
        muxer, facts["mime_type"], facts["extension"] = "webm", "video/webm", "webm"
    else:
        muxer, facts["mime_type"], facts["extension"] = "mov", "video/quicktime", "mov"
    _copy(given["source"], given["target"], muxer)
    with _opened(given["target"]) as clean:
        # Cut off in the middle, a file says a length that it does not have.
        facts["duration_ms"] = round(_seconds(clean, _pictures(clean)) * 1000) or facts["duration_ms"]
    if not facts["duration_ms"]:
        raise Problem("broken")
    facts["frames"] = _thumbnails(given["target"], Path(given["frames"]), facts["duration_ms"])
    return facts


def _copy(source_path: str, target_path: str, muxer: str) -> None:
    """Pictures and the first sound as they are: no tags, no place, no further tracks."""
    options = (
        {"movflags": "+faststart", "fflags": "+bitexact"} if muxer != "webm" else {"fflags": "+bitexact"}
    )
    with _opened(source_path) as source, _target(target_path, muxer, options) as target:
        streams: list[Any] = [_pictures(source), *source.streams.audio[:1]]
        copies = {}
        for stream in streams:
            copy = target.add_stream_from_template(stream)
            copy.metadata.clear()
            copies[stream.index] = copy
        for packet in _timed(source.demux(streams)):
            packet.stream = copies[packet.stream.index]
            target.mux(packet)


def _timed(packets: Iterator[Any]) -> Iterator[Any]:
    """Packets with the time at which each is decoded. Matroska states none for the first ones of a stream
    whose pictures are decoded in another order: they get times before the first one that is known."""
    early: dict[int, list[Any]] = {}
    started: set[int] = set()
    for packet in packets:
        if not packet.size:  # the end of a stream
            continue
        index = packet.stream.index
        if packet.dts is None:
            if index in started:
                packet.dts = packet.pts
            else:
                early.setdefault(index, []).append(packet)
                continue
        started.add(index)
        waiting = early.pop(index, [])
        step = packet.duration or 1
        for number, one in enumerate(waiting):
            one.dts = packet.dts - (len(waiting) - number) * step
            yield one
        yield packet
    for waiting in early.values():
        for one in waiting:
            one.dts = one.pts
            yield one


def _target(path: str, muxer: str, options: dict[str, str]) -> OutputContainer:
    return av.open(path, "w", format=muxer, options=options)


def _thumbnails(path: str, folder: Path, duration_ms: int) -> list[tuple[str, int]]:
    """Pictures from all over the clip; fewer where it has fewer."""
    found: list[tuple[str, int]] = []
    for number in range(FRAMES):
        at_ms = round(duration_ms * (0.04 + 0.92 * number / (FRAMES - 1)))
        name = f"{number}.jpg"
        with contextlib.suppress(Problem):
            _save_frame(path, at_ms, folder / name)
            found.append((name, at_ms))
    if not found:
        raise Problem("broken")
    return found


def _save_frame(path: str, at_ms: int, target: Path) -> None:
    with _opened(path) as source:
        stream = _pictures(source)
        if stream.time_base is not None:
            start = stream.start_time or 0
            source.seek(int(at_ms / 1000 / stream.time_base) + start, stream=stream)
        shown: VideoFrame | None = None
        for frame in source.decode(stream):
            shown = frame
            if frame.time is None or frame.time * 1000 >= at_ms:
                break
        if shown is None:
            raise Problem("broken")
        scale = min(1.0, FRAME_SIDE / max(shown.width, shown.height))
        small = shown.reformat(
            width=max(2, round(shown.width * scale)),
            height=max(2, round(shown.height * scale)),
            format="rgb24",
        )
        picture: Image.Image = small.to_image()
        if shown.rotation:
            picture = picture.rotate(shown.rotation, expand=True)
        picture.convert("RGB").save(target, "JPEG", quality=85, optimize=True)


def frame(given: Json, _tell: Callable[[float], None]) -> Json:
    """The picture at ``at_ms`` of ``source`` to ``target``."""
    _save_frame(given["source"], given["at_ms"], Path(given["target"]))
    return {}


# --- convert: H.264 and AAC in MP4 -------------------------------------------------------------


def convert(given: Json, tell: Callable[[float], None]) -> Json:
    """``source`` to ``target``, ``width`` x ``height`` at ``frame_rate``, with ``bit_rate`` (of the pictures,
    bit/s) and ``audio_bit_rate``. Returns the size of the new file."""
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with _opened(given["source"]) as source, _target(given["target"], "mp4", options) as target:
        pictures = _pictures(source)
        sound = next(iter(source.streams.audio), None)
        maker = _Maker(target, pictures, given, has_sound=sound is not None)
        seconds = max(_seconds(source, pictures), 0.001)
        told = 0.0
        for packet in source.demux([pictures, *([sound] if sound is not None else [])]):
            for decoded in packet.decode():
                if not isinstance(decoded, VideoFrame):
                    maker.hear(decoded)  # type: ignore[arg-type]
                    continue
                maker.see(decoded)
                share = min(1.0, (decoded.time or 0.0) / seconds)
                if share >= told + 0.02:
                    told = share
                    tell(share)
        maker.end()
    return {"size": Path(given["target"]).stat().st_size}


class _Maker:
    """Takes decoded pictures and sound, and puts them encoded into the target."""

    def __init__(self, target: OutputContainer, stream: VideoStream, given: Json, *, has_sound: bool) -> None:
        self.target, self.stream, self.given = target, stream, given
        self.rate = Fraction(given["frame_rate"]).limit_denominator(1001)
        self.video = target.add_stream("libx264", rate=self.rate)
        self.video.width, self.video.height = given["width"], given["height"]
        self.video.pix_fmt = "yuv420p"
        self.video.bit_rate = given["bit_rate"]
        self.video.codec_context.thread_count = 2
        self.video.options = {
            "preset": "veryfast",
            "profile": "high",
            "maxrate": str(given["bit_rate"]),
            "bufsize": str(given["bit_rate"] * 2),
        }
        self.audio: Any = target.add_stream("aac", rate=48_000, layout="stereo") if has_sound else None
        if self.audio is not None:
            self.audio.bit_rate = given["audio_bit_rate"]
        self.resampler = AudioResampler(format="fltp", layout="stereo", rate=48_000, frame_size=1024)
        self.graph: av.filter.Graph | None = None

    def see(self, frame: VideoFrame) -> None:
        if self.graph is None:
            self.graph = _graph(frame, self.stream, self.given, self.rate)
        self.graph.push(frame)
        self._encode_pulled(self.graph)

    def hear(self, frame: AudioFrame | None) -> None:
        for piece in self.resampler.resample(frame):
            self.target.mux(self.audio.encode(piece))

    def end(self) -> None:
        """Raises Problem when there was not one picture."""
        if self.graph is None:
            raise Problem("broken")
        self.graph.push(None)
        self._encode_pulled(self.graph)
        self.target.mux(self.video.encode(None))
        if self.audio is not None:
            self.hear(None)
            self.target.mux(self.audio.encode(None))

    def _encode_pulled(self, graph: av.filter.Graph) -> None:
        for made in _pulled(graph):
            self.target.mux(self.video.encode(made))


def _graph(first: VideoFrame, stream: VideoStream, given: Json, rate: Fraction) -> av.filter.Graph:
    """Upright, in the new size and at the new rate."""
    graph = av.filter.Graph()
    steps = [graph.add_buffer(template=stream)]
    turns = {90: ("transpose", "cclock"), 180: ("hflip", ""), 270: ("transpose", "clock")}
    turn = turns.get(round(first.rotation) % 360)
    if turn:
        steps.append(graph.add(*turn) if turn[1] else graph.add(turn[0]))
        if turn[0] == "hflip":
            steps.append(graph.add("vflip"))
    steps.append(graph.add("scale", f"{given['width']}:{given['height']}:flags=bicubic"))
    steps.append(graph.add("setsar", "1"))
    steps.append(graph.add("fps", f"{rate.numerator}/{rate.denominator}"))
    steps.append(graph.add("format", "yuv420p"))
    steps.append(graph.add("buffersink"))
    graph.link_nodes(*steps).configure()
    return graph


def _pulled(graph: av.filter.Graph) -> Iterator[VideoFrame]:
    while True:
        try:
            made = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        made.pict_type = 0  # type: ignore[union-attr]
        yield made  # type: ignore[misc]


def trim(given: Json, tell: Callable[[float], None]) -> Json:
    """The stretch of ``source`` from ``from_ms`` until ``until_ms`` to ``target``, to the picture, in H.264
    and AAC; the other arguments are as of ``convert``. Returns the size of the new file."""
    start, end = given["from_ms"] / 1000, given["until_ms"] / 1000
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with _opened(given["source"]) as source, _target(given["target"], "mp4", options) as target:
        pictures = _pictures(source)
        sound = next(iter(source.streams.audio), None)
        maker = _Maker(target, pictures, given, has_sound=sound is not None)
        begin = (pictures.start_time or 0) * pictures.time_base if pictures.time_base else 0
        source.seek(int((start + float(begin)) * 1_000_000))
        told = 0.0
        is_over = set[str]()
        for packet in source.demux([pictures, *([sound] if sound is not None else [])]):
            for decoded in packet.decode():
                if not isinstance(decoded, VideoFrame | AudioFrame):
                    continue
                at = (decoded.time or 0.0) - float(begin)
                kind = "video" if isinstance(decoded, VideoFrame) else "audio"
                if at >= end:
                    is_over.add(kind)
                if at < start or at >= end or decoded.pts is None or decoded.time_base is None:
                    continue
                decoded.pts -= round((start + float(begin)) / decoded.time_base)
                if isinstance(decoded, VideoFrame):
                    maker.see(decoded)
                    share = (at - start) / (end - start)
                    if share >= told + 0.02:
                        told = share
                        tell(share)
                else:
                    maker.hear(decoded)
            if "video" in is_over and (sound is None or "audio" in is_over):
                break
        maker.end()
    return {"size": Path(given["target"]).stat().st_size}


# --- the program ------------------------------------------------------------------------------

COMMANDS: dict[str, Callable[[Json, Callable[[float], None]], Json]] = {
    "prepare": prepare,
    "frame": frame,
    "convert": convert,
    "trim": trim,
}


def _say(line: Json) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> None:
    command, given = COMMANDS[sys.argv[1]], json.loads(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (given["most_bytes"], given["most_bytes"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        done = command(given, lambda share: _say({"progress": share}))
    except Problem as problem:
        _say({"problem": str(problem)})
    except (av.error.FFmpegError, ValueError, MemoryError, OSError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        _say({"problem": "broken"})
    else:
        _say({"done": done})


if __name__ == "__main__":
    main()
