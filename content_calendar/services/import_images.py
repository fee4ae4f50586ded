"""Images that a file names by their addresses: a look at their first bytes for the dry run, and the fetching.

Both go through the guarded door (connectors.http): a private address is refused whatever name, redirect or
DNS answer leads to it. An image is fetched once for each address of a file, and stored once by its content.
"""

from __future__ import annotations

import datetime as dt
import io
import warnings
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import requests
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from accounts.models import User
from connectors import http
from connectors.errors import ConnectorError, Rejected, RejectReason
from content_calendar.models import ImportBatch, ImportImage
from content_calendar.selectors.imports import address_key, own_assets
from content_calendar.services.media import (
    FORMATS,
    MAX_BYTES,
    MAX_PIXELS,
    MAX_SIDE,
    ImageAnimated,
    MediaRefused,
    TooManyPixels,
    store_image,
)

# Looked at in a dry run; what is beyond that shows when it is imported.
MOST_LOOKED_AT = 500
AT_ONCE = 8
FIRST_BYTES = 64 * 1024
TIMEOUT_S = 10.0
MOST_BYTES = min(MAX_BYTES, http.MAX_RESPONSE_BYTES)
_NAME = "import"
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Look:
    """What the beginning of an image shows; ``problem`` is a sentence, "" = it seems fine."""

    url: str
    problem: str = ""
    mime_type: str = ""
    size: int = 0
    width: int = 0
    height: int = 0


def look_at(*, batch: ImportBatch, urls: Collection[str]) -> bool:
    """Look at some of the addresses that were not looked at yet, as long as there is room for them in one
    file. Whether there may be more: a call takes no longer than a slow server or AT_ONCE of them."""
    own = own_assets(batch.brand, urls)
    keys = {address_key(url): url for url in urls if url not in own}
    known = ImportImage.objects.filter(batch=batch)
    for key in known.filter(key__in=keys).values_list("key", flat=True):
        keys.pop(key, None)
    room = MOST_LOOKED_AT - known.count() if keys else 0
    fresh = list(keys.values())[: min(max(room, 0), AT_ONCE)]
    if fresh:
        _keep(batch, _side_by_side(_look, fresh))
    return bool(fresh)


def _side_by_side(ask: Callable[[str], Answer], urls: Sequence[str]) -> list[Answer]:
    """Other servers are waited for together, and each answers in the language of whoever asks."""
    language = get_language()

    def translated(url: str) -> Answer:
        with override(language):
            return ask(url)

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return list(pool.map(translated, urls))


def _keep(batch: ImportBatch, looks: Iterable[Look]) -> None:
    ImportImage.objects.bulk_create(
        [
            ImportImage(
                batch=batch,
                key=address_key(look.url),
                url=look.url,
                mime_type=look.mime_type,
                size=look.size,
                width=look.width,
                height=look.height,
                problem=look.problem[:300],
            )
            for look in looks
        ],
        ignore_conflicts=True,
    )


def fetch(*, batch: ImportBatch, urls: Sequence[str], actor: User, now: dt.datetime) -> None:
    """Store what these addresses lead to, AT_ONCE at most; a problem is kept with the address."""
    for url, found in zip(urls, _side_by_side(_fetched, urls), strict=True):
        image, _created = ImportImage.objects.get_or_create(
            batch=batch, key=address_key(url), defaults={"url": url}
        )
        if isinstance(found, str):
            image.problem = found
        else:
            name = url.partition("?")[0].rstrip("/").rpartition("/")[2][:255]
            try:
                image.asset = store_image(
                    brand=batch.brand, upload=io.BytesIO(found), name=name, actor=actor, now=now
                )
            except MediaRefused as refusal:
                image.problem = _sentence(refusal)
        image.problem = image.problem[:300]
        image.save(update_fields=["asset", "problem"])


class _NoImage(Exception):
    """The server answered with something else than an image that we take."""


def _look(url: str) -> Look:
    try:
        response = http.request(
            "GET",
            url,
            platform=_NAME,
            headers={"Range": f"bytes=0-{FIRST_BYTES - 1}", "Accept-Encoding": "identity"},
            timeout_s=TIMEOUT_S,
            guard=True,
            first_bytes=FIRST_BYTES,
        )
        if response.status_code == 416:  # it does not know parts of files
            return Look(url)
        _check_status(response)
        return _measured(url, response)
    except (_NoImage, ConnectorError) as refusal:
        return Look(url, _sentence(refusal))


def _measured(url: str, response: requests.Response) -> Look:
    """Type and measures stand at the beginning of the types that we take."""
    size = _stated_size(response)
    if size > MOST_BYTES:
        raise _NoImage(_("The image is larger than %(most)s MB.") % {"most": MOST_BYTES // 1024**2})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            image = Image.open(io.BytesIO(response.content), formats=(*FORMATS, "GIF"))
        except Image.DecompressionBombError:
            raise _NoImage(_("The image has too many pixels.")) from None
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError):
            if len(response.content) < FIRST_BYTES:
                raise _NoImage(_("There is no JPEG, PNG, WebP or GIF image that can be read.")) from None
            return Look(url)  # its header may be longer than what we read
    if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
        raise _NoImage(_("The image has too many pixels."))
    kind = "PNG" if image.format == "GIF" else image.format or ""
    return Look(url, "", FORMATS[kind][0], size or len(response.content), image.width, image.height)


def _stated_size(response: requests.Response) -> int:
    """Bytes of the whole file, 0 when the server does not say."""
    total = response.headers.get("Content-Range", "").rpartition("/")[2]
    if response.status_code == 200:
        total = response.headers.get("Content-Length", "")
    return int(total) if total.isascii() and total.isdigit() and len(total) < 16 else 0


def _fetched(url: str) -> bytes | str:
    """The file, or the sentence that says why there is none."""
    try:
        response = http.request(
            "GET",
            url,
            platform=_NAME,
            headers={"Accept-Encoding": "identity"},
            timeout_s=3 * TIMEOUT_S,
            guard=True,
        )
        _check_status(response)
    except (_NoImage, ConnectorError) as refusal:
        return _sentence(refusal)
    return bytes(response.content)


def _check_status(response: requests.Response) -> None:
    status = response.status_code
    if status in (404, 410):
        raise _NoImage(_("There is nothing at this address."))
    if status in (401, 403):
        raise _NoImage(_("The server does not show this image to everybody."))
    if status not in (200, 206):
        raise _NoImage(_("The server did not give the image (HTTP %(status)s).") % {"status": status})


def _sentence(refusal: Exception) -> str:
    match refusal:
        case _NoImage():
            return str(refusal)
        case TooManyPixels():
            return _("The image has too many pixels.")
        case ImageAnimated():
            return _("The image is animated. Only still images can be posted.")
        case MediaRefused():
            return _("There is no JPEG, PNG, WebP or GIF image that can be read.")
        case http.HostNotFound():
            return _("There is no server of this name.")
        case Rejected(reason=RejectReason.HOST_REFUSED):
            return _("This address may not be asked: it must begin with https:// and be a public one.")
        case Rejected():
            return _("This is no usable address.")
        case _:
            return _("The server did not answer as it should. Try again later, or use another address.")
