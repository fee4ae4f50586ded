"""A large file, broken off in the middle and gone on with, in little memory.

128 MB by default. With the size of the largest file that is taken (2 GB on disk twice, about a minute):

    SMM_TEST_UPLOAD_MB=2048 .venv/bin/python -m pytest tests/content_calendar/test_large_uploads.py
"""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Brand, User
from content_calendar.models import MediaAsset, MediaUpload
from content_calendar.services import uploads, videos

pytestmark = pytest.mark.django_db

SIZE = int(os.environ.get("SMM_TEST_UPLOAD_MB", "128")) * 1024**2
# The piece, and whatever reading, hashing and keeping it takes.
MOST_MEMORY = 8 * uploads.CHUNK
HEAD = b"\0\0\0\x18ftypmp42"


def piece_of(offset: int) -> bytes:
    """Zeros, as a sparse file has; the first piece begins as a video does."""
    length = min(uploads.CHUNK, SIZE - offset)
    return (HEAD if offset == 0 else b"").ljust(length, b"\0")


def test_a_large_file_that_breaks_off_is_gone_on_with_in_little_memory(
    sign_in: Callable[[User], Client], brand: Brand, creator: User, tmp_path: Path
) -> None:
    """Most pieces go past the pages, whose test client keeps what it sent for a while."""
    client = sign_in(creator)
    facts = {"name": "long.mp4", "size": str(SIZE), "fingerprint": "ab" * 32}
    begin = reverse("library:upload_start", args=[brand.pk])

    def send(offset: int, content: bytes) -> tuple[int, int]:
        address = f"{reverse('library:upload_piece', args=[upload.pk])}?offset={offset}"
        answer = client.post(address, content, content_type="application/octet-stream")
        return answer.status_code, answer.json()["received"]

    def bring(until: int) -> int:
        row = MediaUpload.objects.get()
        while row.received < until:
            row = uploads.take_piece(
                upload=row, offset=row.received, content=piece_of(row.received), now=timezone.now()
            )
        return row.received

    tracemalloc.start()
    try:
        client.post(begin, facts)
        upload = MediaUpload.objects.get()
        received = bring(SIZE // 2)
        assert send(received, piece_of(received)[: uploads.CHUNK // 3]) == (409, received)  # it breaks off
        again = client.post(begin, facts).json()  # the page was closed meanwhile
        assert (again["id"], again["received"]) == (str(upload.pk), received)
        assert send(0, piece_of(0)) == (409, received)
        assert send(received, piece_of(received)) == (200, received + uploads.CHUNK)
        assert bring(SIZE) == SIZE
        assert client.post(reverse("library:upload_finish", args=[upload.pk])).status_code == 200
        whole = tmp_path / "whole"
        videos._put_together(MediaUpload.objects.get(), whole, lambda: None)
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MOST_MEMORY
    assert MediaAsset.objects.get().size == SIZE
    assert whole.stat().st_size == SIZE
    wanted = hashlib.sha256()
    for offset in range(0, SIZE, uploads.CHUNK):
        wanted.update(piece_of(offset))
    with whole.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").digest() == wanted.digest()
