"""Uploading videos piece by piece through the pages, and what they show of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import Brand, SocialAccount, User
from content_calendar.content import MediaUse
from content_calendar.models import MediaAsset, MediaFolder, MediaState, MediaUpload
from content_calendar.services import uploads
from tests.cast import make_account
from tests.clips import clip
from tests.content_calendar.conftest import make_image, make_post
from tests.content_calendar.video_samples import begin, make_video, uploaded, work

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
MARK = "ab" * 32


def start(client: Client, brand: Brand, content: bytes, query: str = "", **more: str) -> Any:
    sent = {"name": "clip.mp4", "size": str(len(content)), "fingerprint": MARK, **more}
    return client.post(reverse("library:upload_start", args=[brand.pk]) + query, sent)


def send(client: Client, upload: str, offset: int, content: bytes, **headers: str) -> Any:
    address = f"{reverse('library:upload_piece', args=[upload])}?offset={offset}"
    return client.post(address, content, content_type="application/octet-stream", headers=headers)


def test_a_video_arrives_in_pieces_and_becomes_a_tile(
    sign_in: SignIn, creator: User, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "CHUNK", 1000)
    client, content = sign_in(creator), clip()
    folder = MediaFolder.objects.create(brand=brand, name="Clips")
    begun = start(client, brand, content, f"?folder={folder.pk}").json()
    assert (begun["received"], begun["piece"]) == (0, 1000)
    received = 0
    while received < len(content):
        answer = send(client, begun["id"], received, content[received : received + 1000])
        assert answer.status_code == 200
        received = answer.json()["received"]
    finish = reverse("library:upload_finish", args=[begun["id"]])
    tile = client.post(f"{finish}?prefix=base.0").content.decode()
    asset = MediaAsset.objects.get()
    assert asset.folder == folder
    assert f'name="base.0.media" value="{asset.pk}"' in tile
    assert reverse("library:progress", args=[asset.pk]) in tile
    assert "clip.mp4" in client.post(finish).content.decode()
    work()
    answer = client.get(reverse("library:progress", args=[asset.pk]))
    assert answer["HX-Trigger"] == "composer:look"
    assert "0:01" in answer.content.decode()


def test_a_broken_connection_goes_on_where_it_was(
    sign_in: SignIn, creator: User, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "CHUNK", 1000)
    client, content = sign_in(creator), clip()
    upload = start(client, brand, content).json()["id"]
    assert send(client, upload, 0, content[:1000]).json() == {"received": 1000}
    # The answer got lost: the same piece again is told how much there is.
    again = send(client, upload, 0, content[:1000])
    assert (again.status_code, again.json()) == (409, {"received": 1000})
    # Half of a piece, and a damaged one, are not kept.
    assert send(client, upload, 1000, content[1000:1500]).status_code == 409
    damaged = send(client, upload, 1000, content[1000:2000], **{"X-Content-SHA256": MARK})
    assert (damaged.status_code, damaged.json()) == (409, {"received": 1000})
    reverse_finish = reverse("library:upload_finish", args=[upload])
    assert client.post(reverse_finish).status_code == 409
    # The page was loaded again.
    assert start(client, brand, content).json() == {"id": upload, "received": 1000, "piece": 1000}
    assert not MediaAsset.objects.exists()


def test_refusals_say_what_is_wrong(sign_in: SignIn, creator: User, brand: Brand) -> None:
    client = sign_in(creator)
    huge = start(client, brand, b"", size=str(uploads.MAX_VIDEO_BYTES + 1))
    assert huge.status_code == 422
    assert "clip.mp4" in huge.json()["error"]
    assert "2.0" in huge.json()["error"]
    assert start(client, brand, b"").status_code == 422
    lie = b"<html><script>alert(1)</script>"
    upload = start(client, brand, lie).json()["id"]
    refused = send(client, upload, 0, lie)
    assert refused.status_code == 422
    assert "is not a video" in refused.json()["error"]
    assert not MediaUpload.objects.exists()
    for wrong in ({"size": "x"}, {"size": "-1"}, {"fingerprint": "x"}):
        assert start(client, brand, b"x", **wrong).status_code == 400


@pytest.mark.parametrize("name", ["upload_piece", "upload_finish", "upload_cancel"])
def test_nobody_goes_on_with_the_upload_of_another(
    sign_in: SignIn, creator: User, owner: User, viewer: User, stranger: User, brand: Brand, name: str
) -> None:
    content = clip()
    upload = begin(brand, creator, content)
    address = f"{reverse(f'library:{name}', args=[upload.pk])}?offset=0"
    for person, status in ((owner, 404), (stranger, 404), (viewer, 403)):
        client = sign_in(person)
        answer = client.post(address, content, content_type="application/octet-stream")
        assert answer.status_code == status
    upload.refresh_from_db()
    assert upload.received == 0


def test_viewers_and_strangers_start_nothing(
    sign_in: SignIn, viewer: User, stranger: User, brand: Brand
) -> None:
    assert start(sign_in(viewer), brand, b"x").status_code == 403
    assert start(sign_in(stranger), brand, b"x").status_code == 404
    assert not MediaUpload.objects.exists()


def test_an_upload_is_given_up_once_and_not_after_its_end(
    sign_in: SignIn, creator: User, brand: Brand
) -> None:
    client, content = sign_in(creator), clip()
    upload = begin(brand, creator, content)
    cancel = reverse("library:upload_cancel", args=[upload.pk])
    assert client.post(cancel).status_code == 204
    assert client.post(cancel).status_code == 404
    asset = uploaded(brand, creator, content)
    assert client.post(reverse("library:upload_cancel", args=[asset.upload.pk])).status_code == 404
    assert MediaUpload.objects.count() == 1


def test_page_of_a_video_shows_it_and_what_each_network_makes_of_it(
    sign_in: SignIn, creator: User, viewer: User, brand: Brand, sandbox_account: SocialAccount
) -> None:
    asset = make_video(brand, creator, seconds=2)
    client, address = sign_in(creator), reverse("library:asset", args=[asset.pk])
    page = client.get(address).content.decode()
    assert "<video" in page
    assert "Sandbox: the video is sent as it is." in page
    assert reverse("library:crop", args=[asset.pk]) not in page
    assert client.get(reverse("library:crop", args=[asset.pk])).status_code == 404
    file = reverse("content_calendar:media_file", args=[asset.pk])
    film: Any = client.get(file, headers={"Range": "bytes=0-99"})
    assert (film.status_code, film["Content-Type"]) == (206, "video/mp4")
    assert len(b"".join(film.streaming_content)) == 100
    MediaAsset.objects.update(duration_ms=300_000)
    assert "too long for Sandbox by 160 seconds" in client.get(address).content.decode()


def test_a_thumbnail_is_chosen(
    sign_in: SignIn, creator: User, viewer: User, stranger: User, brand: Brand
) -> None:
    asset = make_video(brand, creator, seconds=2)
    address = reverse("library:thumbnail", args=[asset.pk])
    key, ms = asset.frames[2]
    assert sign_in(viewer).post(address, {"at": ms}).status_code == 403
    assert sign_in(stranger).post(address, {"at": ms}).status_code == 404
    client = sign_in(creator)
    client.post(address, {"at": ms})
    asset.refresh_from_db()
    assert asset.thumbnail_key == key
    picture: Any = client.get(reverse("library:frame", args=[asset.pk, ms]))
    assert picture["Content-Type"] == "image/jpeg"
    assert b"".join(picture.streaming_content)
    assert client.get(reverse("library:frame", args=[asset.pk, 7])).status_code == 404
    for wrong in ({"at": "x"}, {"seconds": "nan"}, {"seconds": "1e999"}, {"seconds": "99"}, {}):
        told = client.post(address, wrong, follow=True).content.decode()
        assert "no picture at this moment" in told
    client.post(address, {"seconds": "0.7"})
    asset.refresh_from_db()
    assert asset.thumbnail_key != key


def test_library_shows_videos_apart(sign_in: SignIn, creator: User, brand: Brand) -> None:
    make_image(brand, creator)
    broken = uploaded(brand, creator, clip(with_pictures=False))
    uploaded(brand, creator, clip(seconds=3))
    MediaAsset.objects.filter(pk=broken.pk).update(state=MediaState.BROKEN, problem="no_video")
    page = sign_in(creator).get(f"{reverse('library:library')}?kind=video").content.decode()
    assert "picture.jpg" not in page
    assert "There are no moving pictures in it." in page
    assert "Being made ready" in page


def test_a_post_with_a_video_that_is_not_ready_can_be_opened(
    sign_in: SignIn, creator: User, brand: Brand, sandbox_account: SocialAccount
) -> None:
    asset = uploaded(brand, creator, clip())
    post = make_post(brand, creator, "x", sandbox_account, media=(MediaUse(asset.pk),))
    client = sign_in(creator)
    page = client.get(reverse("content_calendar:edit", args=[post.pk])).content.decode()
    assert "Being made ready" in page
    assert "still being looked at" in page
    assert client.get(reverse("content_calendar:post", args=[post.pk])).status_code == 200
    assert client.get(reverse("content_calendar:media_thumbnail", args=[asset.pk])).status_code == 404


def test_without_scripts_a_video_comes_with_the_form(sign_in: SignIn, creator: User, brand: Brand) -> None:
    client = sign_in(creator)
    file = SimpleUploadedFile("clip.mov", clip(kind="mov"))
    client.post(reverse("library:upload", args=[brand.pk]), {"file": file})
    asset = MediaAsset.objects.get()
    assert asset.is_video
    work()
    asset.refresh_from_db()
    assert asset.state == MediaState.READY
    post = uuid.uuid4()
    sent = {
        "brand": str(brand.pk),
        "version": "0",
        "action": "draft",
        "base.part": "0",
        "base.0.text": "A film",
        "base.0.files": SimpleUploadedFile("clip.mp4", clip(seconds=2)),
    }
    assert client.post(reverse("content_calendar:save", args=[post]), sent).status_code == 302
    assert MediaAsset.objects.filter(usages__post=post, kind="video").count() == 1


def test_a_stretch_is_asked_for_on_the_page_of_a_video(sign_in: SignIn, creator: User, brand: Brand) -> None:
    client, asset = sign_in(creator), make_video(brand, creator, seconds=3)
    page = client.get(reverse("library:asset", args=[asset.pk])).content.decode()
    assert reverse("library:trim", args=[asset.pk]) in page
    answer = client.post(reverse("library:trim", args=[asset.pk]), {"first": "0.5", "last": "2"})
    part = MediaAsset.objects.exclude(pk=asset.pk).get()
    assert answer["Location"] == reverse("library:asset", args=[part.pk])
    assert (part.trim_from_ms, part.trim_until_ms) == (500, 2000)
    waiting = client.get(answer["Location"]).content.decode()
    assert reverse("library:progress", args=[part.pk]) in waiting
    work()
    assert "0:02" in client.get(reverse("library:asset", args=[asset.pk])).content.decode()
    assert "Cut out of the original" in client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"first": "x", "last": "2"},
        {"first": "2", "last": "1"},
        {"first": "-1", "last": "1"},
        {"first": "0", "last": "NaN"},
    ],
)
def test_what_is_no_stretch_is_told_and_makes_nothing(
    sign_in: SignIn, creator: User, brand: Brand, sent: dict[str, str]
) -> None:
    client, asset = sign_in(creator), make_video(brand, creator, seconds=3)
    answer = client.post(reverse("library:trim", args=[asset.pk]), sent, follow=True)
    assert "Choose a beginning and an end within the video" in answer.content.decode()
    assert MediaAsset.objects.count() == 1


def test_a_viewer_trims_nothing(sign_in: SignIn, creator: User, viewer: User, brand: Brand) -> None:
    asset = make_video(brand, creator, seconds=3)
    answer = sign_in(viewer).post(reverse("library:trim", args=[asset.pk]), {"first": "0", "last": "1"})
    assert answer.status_code == 403
    assert MediaAsset.objects.count() == 1
    page = sign_in(viewer).get(reverse("library:asset", args=[asset.pk])).content.decode()
    assert reverse("library:trim", args=[asset.pk]) not in page


def test_the_page_says_where_the_thumbnail_is_shown(sign_in: SignIn, creator: User, brand: Brand) -> None:
    asset = make_video(brand, creator)
    client, address = sign_in(creator), reverse("library:asset", args=[asset.pk])
    make_account(brand, platform="bluesky", handle="one.example.com")
    assert "Shown before the video plays" not in client.get(address).content.decode()
    make_account(brand, platform="mastodon", handle="me@example.social")
    assert "Shown before the video plays on: Mastodon." in client.get(address).content.decode()
