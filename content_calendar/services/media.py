"""Images of a brand: checked by what they are, not by what they are called, and cleaned of metadata."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import warnings
from dataclasses import dataclass
from typing import Protocol

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from accounts.models import Brand, User
from connectors.base import ImageLimit
from content_calendar.models import MediaAsset, MediaFolder, Rendition
from content_calendar.selectors.checks import RENDITION_TYPE, must_shrink
from content_calendar.services.library import make_findable

MAX_BYTES = 25 * 1024 * 1024
# A file of a few kilobytes can unpack to gigabytes: the size stated in its header is checked before
# anything is decoded. 50 megapixels are 200 MB in memory.
MAX_PIXELS = 50_000_000
MAX_SIDE = 16_384
THUMBNAIL_SIDE = 480
LEAST_SIDE = 16  # of what is cut out
FORMATS = {"JPEG": ("image/jpeg", "jpg"), "PNG": ("image/png", "png"), "WEBP": ("image/webp", "webp")}
# A still GIF becomes a PNG, which loses nothing.
_READABLE = (*FORMATS, "GIF")


class Upload(Protocol):
    """Bytes on their way in; Django's uploads and files are such."""

    def read(self, size: int, /) -> bytes: ...


class MediaRefused(Exception):
    """Base of the reasons why a file is not taken."""


class FileTooLarge(MediaRefused):
    """More than MAX_BYTES."""


class FileEmpty(MediaRefused):
    """Nothing in it."""


class NotAnImage(MediaRefused):
    """Its content is none of the image types that networks take, whatever its name says."""


class TooManyPixels(MediaRefused):
    """More than MAX_PIXELS, or a side longer than MAX_SIDE."""


class ImageBroken(MediaRefused):
    """It begins like an image and cannot be read to its end."""


class ImageAnimated(MediaRefused):
    """It moves: networks treat animations as video."""


class CutOutside(MediaRefused):
    """The rectangle is not wholly within the image, or smaller than LEAST_SIDE."""


def store_image(
    *,
    brand: Brand,
    upload: Upload,
    name: str,
    actor: User,
    now: dt.datetime,
    folder: MediaFolder | None = None,
) -> MediaAsset:
    """Keep an image for a brand, upright, without metadata, with a thumbnail; the same bytes are kept once,
    where they lie already.

    ``name`` is the file's name as the person knows it. Raises a MediaRefused.
    """
    raw = upload.read(MAX_BYTES + 1)
    if not raw:
        raise FileEmpty
    if len(raw) > MAX_BYTES:
        raise FileTooLarge
    image, kind = _decoded(raw)
    content = _encoded(image, kind, source=raw)
    asset = MediaAsset(
        brand=brand, original_name=name[:255], folder=folder, uploaded_by=actor, created_at=now
    )
    return _keep(asset, image, kind, content)


def _keep(asset: MediaAsset, image: Image.Image, kind: str, content: bytes) -> MediaAsset:
    """Store the files of a new asset and then its row; the present one when the brand has these bytes."""
    brand = asset.brand
    digest = hashlib.sha256(content).hexdigest()
    present = MediaAsset.objects.filter(brand=brand, sha256=digest).first()
    if present is not None and default_storage.exists(present.storage_key):
        return present
    mime_type, extension = FORMATS[kind]
    folder = f"media/{brand.pk}/{digest[:2]}"
    storage_key = default_storage.save(f"{folder}/{digest}.{extension}", ContentFile(content))
    thumbnail_key = default_storage.save(f"{folder}/{digest}.thumb.jpg", ContentFile(_thumbnail(image)))
    if present is not None:  # its file was lost: the same content comes back
        present.storage_key, present.thumbnail_key = storage_key, thumbnail_key
        present.save(update_fields=["storage_key", "thumbnail_key"])
        return present
    asset.sha256, asset.storage_key, asset.thumbnail_key = digest, storage_key, thumbnail_key
    asset.mime_type, asset.size = mime_type, len(content)
    asset.width, asset.height = image.size
    make_findable(asset, ())
    try:
        with transaction.atomic():
            asset.save(force_insert=True)
        return asset
    except IntegrityError:  # the same file was uploaded twice at once
        default_storage.delete(storage_key)
        default_storage.delete(thumbnail_key)
        return MediaAsset.objects.get(brand=brand, sha256=digest)


def _decoded(raw: bytes) -> tuple[Image.Image, str]:
    """The upright pixels, and the format to store them in. Raises a MediaRefused."""
    with warnings.catch_warnings():
        # Pillow warns at its own bomb limit; ours is checked here, before decoding, and is what counts.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            image = Image.open(io.BytesIO(raw), formats=_READABLE)
        except Image.DecompressionBombError as error:
            raise TooManyPixels from error
        except UnidentifiedImageError as error:
            raise NotAnImage from error
        except (OSError, ValueError, SyntaxError, EOFError) as error:
            raise ImageBroken from error
        if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
            raise TooManyPixels
        if getattr(image, "n_frames", 1) > 1:
            raise ImageAnimated
        kind = image.format or ""
        try:
            image.load()
            upright = ImageOps.exif_transpose(image)
        except Image.DecompressionBombError as error:
            raise TooManyPixels from error
        except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError) as error:
            raise ImageBroken from error
    return _plain(upright), "PNG" if kind == "GIF" else kind


def _plain(image: Image.Image) -> Image.Image:
    """8 bits per channel, in sRGB: the colour profile goes away with the other metadata, so the colours of a
    wide-gamut camera are brought over first."""
    profile = image.info.get("icc_profile")
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except ImageCms.PyCMSError:
            converted = None  # a profile that is broken says nothing about the colours
        if converted is not None:
            image = converted
    if has_alpha:
        return image.convert("RGBA")
    return image if image.mode in ("RGB", "L") else image.convert("RGB")


def _encoded(image: Image.Image, kind: str, *, source: bytes) -> bytes:
    """The file anew, from pixels only: no EXIF, no GPS, no comments, no profile, no trailing bytes."""
    clean = Image.frombytes(image.mode, image.size, image.tobytes())
    out = io.BytesIO()
    if kind == "JPEG":
        (clean if clean.mode in ("RGB", "L") else clean.convert("RGB")).save(
            out, "JPEG", quality=92, optimize=True, progressive=True
        )
    elif kind == "PNG":
        clean.save(out, "PNG", optimize=len(source) < 2_000_000)
    else:
        clean.save(out, "WEBP", quality=92, method=4)
    return out.getvalue()


def _thumbnail(image: Image.Image) -> bytes:
    small = image.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return _jpeg(small, 82)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    """JPEG has no transparency: what was transparent becomes white."""
    if image.mode == "RGBA":
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Cut:
    """A rectangle of an image in pixels, from its upper left corner."""

    x: int
    y: int
    width: int
    height: int


def crop_image(*, asset: MediaAsset, cut: Cut, actor: User, now: dt.datetime) -> MediaAsset:
    """A part of an image as an asset of its own, which takes over what people said about the whole: name,
    alternative text, tags, folder, and its focal point where that is still in sight. The original stays.

    Raises CutOutside, or ImageBroken when the stored file cannot be read.
    """
    right, bottom = cut.x + cut.width, cut.y + cut.height
    if min(cut.x, cut.y) < 0 or right > asset.width or bottom > asset.height:
        raise CutOutside
    if min(cut.width, cut.height) < LEAST_SIDE:
        raise CutOutside
    image = _stored(asset).crop((cut.x, cut.y, right, bottom))
    kind = next(kind for kind, (mime_type, _ext) in FORMATS.items() if mime_type == asset.mime_type)
    part = MediaAsset(
        brand=asset.brand,
        name=asset.name,
        original_name=asset.original_name,
        alt_text=asset.alt_text,
        focal_x=_still_in_sight(asset.focal_x, asset.width, cut.x, cut.width),
        focal_y=_still_in_sight(asset.focal_y, asset.height, cut.y, cut.height),
        folder=asset.folder,
        derived_from=asset,
        uploaded_by=actor,
        created_at=now,
    )
    tags = list(asset.tags.all())
    with transaction.atomic():
        kept = _keep(part, image, kind, _encoded(image, kind, source=b""))
        if kept.pk == part.pk:
            kept.tags.set(tags)
            make_findable(kept, [tag.name for tag in tags])
            kept.save(update_fields=["search_text", "search_grams"])
    return kept


def _still_in_sight(focal: int, side: int, start: int, length: int) -> int:
    """A focal point (hundredths of ``side``) in hundredths of the part from ``start``; its middle when the
    point was cut away."""
    within = (focal / 100 * side - start) / length
    return round(within * 100) if 0 <= within <= 1 else 50


def cut_around(asset: MediaAsset, ratio: tuple[int, int]) -> Cut:
    """The largest rectangle of a shape (width to height) in an image, as near to around its focal point as
    it fits."""
    across, down = ratio
    if asset.width * down <= asset.height * across:
        width, height = asset.width, min(asset.height, round(asset.width * down / across))
    else:
        width, height = min(asset.width, round(asset.height * across / down)), asset.height
    x = min(max(0, round(asset.focal_x / 100 * asset.width - width / 2)), asset.width - width)
    y = min(max(0, round(asset.focal_y / 100 * asset.height - height / 2)), asset.height - height)
    return Cut(x, y, width, height)


def rendition_for(*, asset: MediaAsset, limit: ImageLimit) -> MediaAsset | Rendition:
    """The image as a network with ``limit`` takes it: itself where it fits, else a smaller JPEG, made once.

    Raises ImageBroken when the stored file cannot be read, TooManyPixels when no useful size fits.
    """
    if not must_shrink(asset, limit):
        return asset
    present = Rendition.objects.filter(
        asset=asset, max_bytes=limit.max_bytes, max_pixels=limit.max_pixels, mime_type=RENDITION_TYPE
    ).first()
    if present is not None and default_storage.exists(present.storage_key):
        return present
    content, size = _shrunk(asset, limit)
    digest = hashlib.sha256(content).hexdigest()
    storage_key = default_storage.save(
        f"media/{asset.brand_id}/{digest[:2]}/{digest}.fit.jpg", ContentFile(content)
    )
    rendition, _created = Rendition.objects.update_or_create(
        asset=asset,
        max_bytes=limit.max_bytes,
        max_pixels=limit.max_pixels,
        mime_type=RENDITION_TYPE,
        defaults={"storage_key": storage_key, "size": len(content), "width": size[0], "height": size[1]},
    )
    return rendition


def _stored(asset: MediaAsset) -> Image.Image:
    """The pixels of a kept image. Raises ImageBroken."""
    try:
        with default_storage.open(asset.storage_key, "rb") as stored:
            image = Image.open(stored, formats=tuple(FORMATS))
            image.load()
    except (OSError, UnidentifiedImageError) as error:
        raise ImageBroken from error
    return image


def _shrunk(asset: MediaAsset, limit: ImageLimit) -> tuple[bytes, tuple[int, int]]:
    image = _stored(asset)
    scale = 1.0
    if limit.max_pixels and image.width * image.height > limit.max_pixels:
        scale = (limit.max_pixels / (image.width * image.height)) ** 0.5
    while True:
        width, height = max(1, int(image.width * scale)), max(1, int(image.height * scale))
        smaller = image if scale == 1.0 else image.resize((width, height), Image.Resampling.LANCZOS)
        for quality in (90, 80):
            content = _jpeg(smaller, quality)
            if len(content) <= limit.max_bytes:
                return content, smaller.size
        if max(width, height) < 64:
            raise TooManyPixels
        # Bytes grow about with the area; a little less saves a round.
        scale *= max(0.4, min(0.9, (limit.max_bytes / len(content)) ** 0.5 * 0.97))
