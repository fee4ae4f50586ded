from __future__ import annotations

import io
import struct
import zlib

import pytest
from django.core.files.storage import default_storage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from accounts.models import Brand, User
from connectors.base import ImageLimit
from content_calendar.models import MediaAsset, Rendition
from content_calendar.services import media
from content_calendar.services.media import (
    FileEmpty,
    FileTooLarge,
    ImageAnimated,
    ImageBroken,
    MediaRefused,
    NotAnImage,
    TooManyPixels,
    rendition_for,
    store_image,
)
from tests.content_calendar.conftest import NOW, image_bytes, make_image

pytestmark = pytest.mark.django_db


def store(brand: Brand, actor: User, raw: bytes, name: str = "x.jpg") -> MediaAsset:
    return store_image(brand=brand, upload=io.BytesIO(raw), name=name, actor=actor, now=NOW)


def stored(asset: MediaAsset) -> Image.Image:
    with default_storage.open(asset.storage_key) as file:
        image = Image.open(io.BytesIO(file.read()))
        image.load()
        return image


def png_that_says(width: int, height: int) -> bytes:
    """A few bytes that claim to be a huge picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_image_is_known_by_its_content_not_by_its_name(brand: Brand, creator: User) -> None:
    asset = store(brand, creator, image_bytes("PNG"), name="photo.jpg")
    assert asset.mime_type == "image/png"
    assert asset.original_name == "photo.jpg"


@pytest.mark.parametrize(
    ("raw", "refusal"),
    [
        (b"", FileEmpty),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", NotAnImage),
        (b"<html><script>alert(1)</script>", NotAnImage),
        (b"%PDF-1.7 hello", NotAnImage),
        (b"\xff\xd8\xff\xe0 not a picture", MediaRefused),
        (image_bytes("BMP"), NotAnImage),
        (image_bytes("JPEG", (400, 400))[:-900], ImageBroken),
        (png_that_says(60_000, 60_000), TooManyPixels),
        (png_that_says(20_000, 10), TooManyPixels),
        (png_that_says(4000, 4000), ImageBroken),
    ],
    ids=["empty", "svg", "html", "pdf", "fake jpeg", "bmp", "cut off", "bomb", "very wide", "no pixels"],
)
def test_hostile_files_are_refused_by_name(
    brand: Brand, creator: User, raw: bytes, refusal: type[MediaRefused]
) -> None:
    with pytest.raises(refusal):
        store(brand, creator, raw)
    assert not MediaAsset.objects.exists()


def test_file_over_the_limit_is_not_read_to_its_end(
    brand: Brand, creator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "MAX_BYTES", 1000)
    upload = io.BytesIO(b"x" * 5000)
    with pytest.raises(FileTooLarge):
        store_image(brand=brand, upload=upload, name="x", actor=creator, now=NOW)
    assert upload.tell() == 1001


def test_animation_is_refused(brand: Brand, creator: User) -> None:
    out = io.BytesIO()
    frames = [Image.new("RGB", (20, 20), color) for color in ("red", "blue")]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(ImageAnimated):
        store(brand, creator, out.getvalue())


def test_still_gif_becomes_a_png(brand: Brand, creator: User) -> None:
    out = io.BytesIO()
    Image.new("P", (20, 20)).save(out, "GIF")
    assert store(brand, creator, out.getvalue()).mime_type == "image/png"


def test_camera_rotation_is_applied_and_every_trace_removed(brand: Brand, creator: User) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    raw = image_bytes("JPEG", (60, 40), exif=exif, icc_profile=profile, comment=b"secret comment")
    asset = store(brand, creator, raw + b"hidden after the end")
    assert (asset.width, asset.height) == (40, 60)
    image = stored(asset)
    assert image.size == (40, 60)
    assert dict(image.getexif()) == {}
    assert "icc_profile" not in image.info
    with default_storage.open(asset.storage_key) as file:
        content = file.read()
    for secret in (b"SecretCamera", b"secret comment", b"hidden after"):
        assert secret not in content


def test_text_chunks_of_a_png_are_removed(brand: Brand, creator: User) -> None:
    from PIL.PngImagePlugin import PngInfo

    notes = PngInfo()
    notes.add_text("Author", "SecretName")
    asset = store(brand, creator, image_bytes("PNG", pnginfo=notes))
    with default_storage.open(asset.storage_key) as file:
        assert b"SecretName" not in file.read()


def test_transparency_survives(brand: Brand, creator: User) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (20, 20), (255, 0, 0, 40)).save(out, "PNG")
    pixel = stored(store(brand, creator, out.getvalue())).getpixel((0, 0))
    assert pixel == (255, 0, 0, 40)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16", "RGBA"])
def test_every_kind_of_pixel_is_taken(brand: Brand, creator: User, mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (20, 10)).save(out, "JPEG" if mode == "CMYK" else "PNG")
    assert store(brand, creator, out.getvalue()).size > 0


def test_same_image_is_stored_once_per_brand(brand: Brand, other_brand: Brand, creator: User) -> None:
    first = make_image(brand, creator)
    assert make_image(brand, creator).pk == first.pk
    assert make_image(other_brand, creator).pk != first.pk
    assert MediaAsset.objects.count() == 2


def test_upload_brings_a_lost_file_back(brand: Brand, creator: User) -> None:
    asset = make_image(brand, creator)
    default_storage.delete(asset.storage_key)
    again = make_image(brand, creator)
    assert again.pk == asset.pk
    assert default_storage.exists(again.storage_key)


def test_thumbnail_is_small(brand: Brand, creator: User) -> None:
    asset = make_image(brand, creator, size=(2000, 1000))
    with default_storage.open(asset.thumbnail_key) as file:
        assert Image.open(file).size == (480, 240)


def limit(**values: object) -> ImageLimit:
    return ImageLimit(
        **{  # type: ignore[arg-type]
            "max_count": 4,
            "max_bytes": 10_000_000,
            "mime_types": ("image/jpeg",),
            "alt_text_max": 1000,
            **values,
        }
    )


def test_image_that_fits_is_sent_as_it_is(brand: Brand, creator: User) -> None:
    asset = make_image(brand, creator)
    assert rendition_for(asset=asset, limit=limit()) == asset


def test_rendition_is_made_once(brand: Brand, creator: User) -> None:
    asset = make_image(brand, creator, kind="PNG")
    first = rendition_for(asset=asset, limit=limit())
    assert isinstance(first, Rendition)
    assert rendition_for(asset=asset, limit=limit()) == first


def noise(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((width, height), 90).convert("RGB").save(out, "PNG")
    return out.getvalue()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    width=st.integers(1, 700),
    height=st.integers(1, 700),
    max_bytes=st.integers(3_000, 60_000),
    max_pixels=st.sampled_from([0, 10_000, 100_000]),
)
def test_rendition_keeps_within_every_limit(
    brand: Brand, creator: User, width: int, height: int, max_bytes: int, max_pixels: int
) -> None:
    asset = store(brand, creator, noise(width, height))
    made = rendition_for(asset=asset, limit=limit(max_bytes=max_bytes, max_pixels=max_pixels))
    assert made.size <= max_bytes
    assert not max_pixels or made.width * made.height <= max_pixels
    with default_storage.open(made.storage_key) as file:
        assert len(file.read()) == made.size


def test_stored_file_that_went_bad_is_told(brand: Brand, creator: User) -> None:
    asset = make_image(brand, creator, kind="PNG")
    default_storage.delete(asset.storage_key)
    with pytest.raises(ImageBroken):
        rendition_for(asset=asset, limit=limit())
