"""Uploaded files that are kept for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol, cast

from django.core.files.storage import default_storage


class Kept(Protocol):
    """What a file belongs to. ``storage_key`` is "" once it is not kept any more."""

    storage_key: str


class FileGone(Exception):
    """The file is no longer kept."""


@contextmanager
def kept_file(owner: Kept) -> Iterator[BinaryIO]:
    """The file, open. Raises FileGone."""
    if not owner.storage_key:
        raise FileGone
    try:
        file = default_storage.open(owner.storage_key, "rb")
    except FileNotFoundError as error:
        raise FileGone from error
    with file:
        yield cast(BinaryIO, file)
