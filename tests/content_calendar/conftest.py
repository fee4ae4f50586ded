from __future__ import annotations

import datetime as dt
import io
import uuid
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from PIL import Image

from accounts.models import Brand, SocialAccount, User
from content_calendar.content import MediaUse, Part
from content_calendar.models import MediaAsset, Post
from content_calendar.services.drafts import Draft, create_post
from content_calendar.services.media import store_image
from tests.cast import make_account

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=2)


@pytest.fixture(autouse=True)
def _own_media(tmp_path: Path, settings: object) -> None:
    """Files of one test are not there for the next."""
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]


@pytest.fixture
def second_account(brand: Brand) -> SocialAccount:
    return make_account(brand, platform="bluesky", handle="harbour.example.com")


@pytest.fixture
def draft_post(brand: Brand, creator: User, sandbox_account: SocialAccount) -> Post:
    return make_post(brand, creator, "Fresh coffee at nine", sandbox_account, planned_at=LATER)


def make_post(
    brand: Brand,
    author: User,
    text: str,
    *accounts: SocialAccount,
    planned_at: dt.datetime | None = None,
    media: tuple[MediaUse, ...] = (),
) -> Post:
    draft = Draft(
        parts=(Part(text, media),), accounts=tuple(account.pk for account in accounts), planned_at=planned_at
    )
    return create_post(brand=brand, author=author, draft=draft, now=NOW)


def image_bytes(
    kind: str = "JPEG", size: tuple[int, int] = (60, 40), color: str = "teal", **options: object
) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, kind, **options)
    return out.getvalue()


def make_image(brand: Brand, actor: User, **options: object) -> MediaAsset:
    return store_image(
        brand=brand,
        upload=io.BytesIO(image_bytes(**options)),  # type: ignore[arg-type]
        name="picture.jpg",
        actor=actor,
        now=NOW,
    )


def lose_file(asset: MediaAsset) -> None:
    default_storage.delete(asset.storage_key)


def unknown_id() -> uuid.UUID:
    return uuid.uuid4()
