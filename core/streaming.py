"""Stored files on their way out: as what they are and nothing else, in pieces where it asks so."""

from __future__ import annotations

import re
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)

# Content never changes under an id; "private": shared caches do not know who may see it.
_CACHE = "private, max-age=31536000, immutable"
# Shorter than an address of the store is good.
_CACHE_OF_ADDRESS = "private, max-age=120"
# What a browser shows in a page and cannot run. Anything else would be offered as a download.
SHOWN = frozenset({"image/jpeg", "image/png", "image/webp", "video/mp4", "video/webm"})
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def file_response(
    request: HttpRequest, key: str, mime_type: str, *, may_redirect: bool = True
) -> HttpResponseBase:
    """The stored file, whose type was found in its content when it came. Raises Http404 when it is gone.

    With SMM_MEDIA_S3_REDIRECT, where it ``may_redirect``, the browser is sent to the store, with an address
    that is good for minutes.
    """
    if not key:
        raise Http404
    is_shown = mime_type in SHOWN
    sent_as = mime_type if is_shown else "application/octet-stream"
    disposition = "inline" if is_shown else "attachment"
    if may_redirect and settings.MEDIA_S3_REDIRECT and settings.MEDIA_S3_BUCKET:
        stored: Any = default_storage
        answer = {"ResponseContentType": sent_as, "ResponseContentDisposition": disposition}
        redirect = HttpResponseRedirect(stored.url(key, parameters=answer))
        redirect["Cache-Control"] = _CACHE_OF_ADDRESS
        return redirect
    try:
        file = cast(BinaryIO, default_storage.open(key, "rb"))
        response = _ranged(request, file, default_storage.size(key), sent_as)
    except FileNotFoundError as error:
        raise Http404 from error
    response["Content-Disposition"] = disposition
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = _CACHE
    return response


def _ranged(request: HttpRequest, file: BinaryIO, size: int, mime_type: str) -> HttpResponseBase:
    """The whole, or the one range that was asked for (RFC 9110, section 14): players jump in videos so."""
    match = _RANGE.fullmatch(request.headers.get("Range", ""))
    if match is None or not (match[1] or match[2]):
        whole = FileResponse(_bytes_of(file, 0, size), content_type=mime_type)
        whole["Content-Length"] = str(size)
        whole["Accept-Ranges"] = "bytes"
        return whole
    first = int(match[1]) if match[1] else max(0, size - int(match[2]))
    last = min(int(match[2]), size - 1) if match[1] and match[2] else size - 1
    if first > last:
        file.close()
        refused = HttpResponse(status=416)
        refused["Content-Range"] = f"bytes */{size}"
        return refused
    part = FileResponse(_bytes_of(file, first, last - first + 1), status=206, content_type=mime_type)
    part["Content-Range"] = f"bytes {first}-{last}/{size}"
    part["Content-Length"] = str(last - first + 1)
    part["Accept-Ranges"] = "bytes"
    return part


def _bytes_of(file: BinaryIO, first: int, length: int) -> Any:
    """So much of a stored file, to be read and closed. A bucket is asked for no more than that, where opening
    the file would fetch all of it first."""
    stored: Any = getattr(file, "obj", None)
    if stored is not None:
        return stored.get(Range=f"bytes={first}-{first + length - 1}")["Body"]
    file.seek(first)
    return _Part(file, length)


class _Part:
    """The next ``length`` bytes of a file, as a file."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self.file = file
        self.left = length

    def read(self, size: int) -> bytes:
        read = self.file.read(min(size, self.left))
        self.left -= len(read)
        return read

    def close(self) -> None:
        self.file.close()
