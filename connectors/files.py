"""Reading the files of a post: whatever is wrong with one is one of the five errors.

A file that is gone, or not as long as it was, is MEDIA_BROKEN; one that cannot be read now is Temporary.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from connectors.base import MediaItem
from connectors.errors import Rejected, RejectReason, Temporary

BLOCK_BYTES = 256 * 1024


@contextmanager
def opened(item: MediaItem) -> Iterator[IO[bytes]]:
    """The file, at its beginning."""
    try:
        stream = cast("IO[bytes]", item.open())
    except FileNotFoundError as error:
        raise Rejected(RejectReason.MEDIA_BROKEN, "the file is gone") from error
    except OSError as error:
        raise Temporary("the file cannot be read now") from error
    with stream:
        yield stream


def size_of(stream: IO[bytes]) -> int:
    """Its length in bytes; it is at its beginning afterwards."""
    try:
        stream.seek(0, 2)
        size = stream.tell()
        stream.seek(0)
    except OSError as error:
        raise Temporary("the file cannot be read now") from error
    return size


def piece_of(stream: IO[bytes], start: int, length: int) -> bytes:
    try:
        stream.seek(start)
        piece = stream.read(length)
    except OSError as error:
        raise Temporary("the file cannot be read now") from error
    if len(piece) != length:
        raise Rejected(RejectReason.MEDIA_BROKEN, "the file is not as long as it was")
    return piece


def whole_of(item: MediaItem) -> bytes:
    """All of a file that is small enough for that."""
    with opened(item) as stream:
        return piece_of(stream, 0, size_of(stream))


def cover_of(item: MediaItem) -> bytes | None:
    """The picture to be shown before a video plays; None where there is none, or none any more: the video
    goes without it."""
    if item.cover is None:
        return None
    try:
        with item.cover() as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Temporary("the picture before the video cannot be read now") from error


class Slice:
    """A part of a file as the body of a request, read block by block: it need not fit into memory."""

    def __init__(self, stream: IO[bytes], start: int, length: int) -> None:
        self._stream = stream
        self._start = self._position = start
        self._end = start + length
        self._length = length

    def rewind(self) -> None:
        """Before it is sent once more."""
        self._position = self._start

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read(BLOCK_BYTES):
            yield block

    def read(self, size: int = -1) -> bytes:
        left = self._end - self._position
        wanted = left if size < 0 else min(size, left)
        if wanted <= 0:
            return b""
        block = piece_of(self._stream, self._position, wanted)
        self._position += wanted
        return block
