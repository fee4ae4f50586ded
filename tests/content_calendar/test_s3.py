"""Media in a bucket: against a server that speaks S3, started here."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
import requests
from botocore.exceptions import EndpointConnectionError  # type: ignore[import-untyped]
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from moto.server import ThreadedMotoServer
from PIL import Image

from accounts.models import Brand, SocialAccount, User
from connectors.base import ImageLimit
from content_calendar.content import MediaUse
from content_calendar.models import MediaAsset
from content_calendar.services import library
from content_calendar.services.media import Cut, crop_image, rendition_for
from content_calendar.services.scheduling import schedule_post
from outbox.models import Delivery
from outbox.payloads import _open_media, thaw
from smmapp import media_storage
from tests.content_calendar.conftest import LATER, NOW, make_image, make_post

pytestmark = [pytest.mark.django_db, pytest.mark.integration]

SignIn = Callable[[User], Client]
KEYS = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    boto3.client("s3", endpoint_url=address, **KEYS).create_bucket(Bucket="media")
    yield address
    server.stop()


@pytest.fixture(autouse=True)
def _bucket(store: str, settings: Any) -> None:
    settings.MEDIA_S3_BUCKET = "media"
    settings.STORAGES = {
        **settings.STORAGES,
        "default": media_storage.s3(
            bucket="media",
            endpoint=store,
            region="us-east-1",
            access_key="key",
            secret_key="secret",
            prefix="files",
        ),
    }


@pytest.fixture
def asset(brand: Brand, creator: User) -> MediaAsset:
    return make_image(brand, creator, size=(320, 180))


def test_everything_goes_to_the_bucket_and_comes_back(
    brand: Brand,
    creator: User,
    sandbox_account: SocialAccount,
    asset: MediaAsset,
    store: str,
    django_capture_on_commit_callbacks: Any,
) -> None:
    def objects() -> set[str]:
        found = boto3.client("s3", endpoint_url=store, **KEYS).list_objects_v2(Bucket="media")
        return {one["Key"] for one in found.get("Contents", ())}

    assert f"files/{asset.storage_key}" in objects()
    part = crop_image(asset=asset, cut=Cut(0, 0, 100, 100), actor=creator, now=NOW)
    with default_storage.open(part.storage_key) as file:
        assert Image.open(io.BytesIO(file.read())).size == (100, 100)
    small = ImageLimit(
        max_count=1, max_bytes=10_000, mime_types=("image/jpeg",), alt_text_max=9, max_pixels=5000
    )
    assert rendition_for(asset=asset, limit=small).width < 320
    post = make_post(brand, creator, "x", sandbox_account, media=(MediaUse(part.pk),))
    schedule_post(post=post, at=LATER, actor=creator, now=NOW)
    (item,) = thaw(Delivery.objects.get().payload).parts[0].media
    with item.open() as stream:
        assert len(stream.read()) == part.size
    with django_capture_on_commit_callbacks(execute=True):
        library.delete_assets(brand=brand, assets=[asset.pk], actor=creator, now=NOW)
    assert not any(asset.sha256 in key for key in objects())


def test_files_are_passed_on_with_what_keeps_them_harmless(
    sign_in: SignIn, creator: User, asset: MediaAsset
) -> None:
    client, address = sign_in(creator), reverse("content_calendar:media_file", args=[asset.pk])
    response: Any = client.get(address)
    assert len(b"".join(response.streaming_content)) == asset.size
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Type"] == "image/jpeg"
    piece: Any = client.get(address, headers={"Range": "bytes=2-5"})
    assert (piece.status_code, len(b"".join(piece.streaming_content))) == (206, 4)
    default_storage.delete(asset.storage_key)
    assert client.get(address).status_code == 404


def test_or_browsers_are_sent_to_the_store_for_minutes(
    sign_in: SignIn, creator: User, stranger: User, asset: MediaAsset, store: str, settings: Any
) -> None:
    settings.MEDIA_S3_REDIRECT = True
    address = reverse("content_calendar:media_file", args=[asset.pk])
    response = sign_in(creator).get(address)
    assert response.status_code == 302
    assert response["Location"].startswith(store)
    assert f"X-Amz-Expires={media_storage.ADDRESS_LIFETIME_S}" in response["Location"]
    assert "max-age=120" in response["Cache-Control"]
    fetched = requests.get(response["Location"], timeout=10)
    assert len(fetched.content) == asset.size
    assert fetched.headers["Content-Type"] == "image/jpeg"
    assert sign_in(stranger).get(address).status_code == 404


def test_a_store_that_does_not_answer_is_a_file_that_cannot_be_read_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither a file that is gone nor a mistake of the program: what needs it is tried again."""

    def down(*_args: object) -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")

    monkeypatch.setattr(type(default_storage), "open", down, raising=False)
    with pytest.raises(OSError, match="does not answer"):
        _open_media("media/picture.png")


def test_a_file_that_is_not_in_the_bucket_is_gone() -> None:
    with pytest.raises(FileNotFoundError):
        _open_media("media/nothing.png")
