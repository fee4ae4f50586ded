"""The pages of the media library, and choosing from it in the composer."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import Brand, Organization, SocialAccount, User
from content_calendar.content import MediaUse
from content_calendar.library_forms import split_tags
from content_calendar.models import MediaAsset, MediaFolder, MediaTag
from content_calendar.services import library
from tests.content_calendar.conftest import image_bytes, make_image, make_post

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}
PAGE = reverse("library:library")


@pytest.fixture
def asset(brand: Brand, creator: User) -> MediaAsset:
    return make_image(brand, creator, size=(320, 180))


def texts(client: Client, address: str) -> str:
    return client.get(address, follow=True).content.decode()


def change(client: Client, brand: Brand, action: str, *assets: MediaAsset, **more: str) -> str:
    sent = {"action": action, "asset": [str(one.pk) for one in assets], **more}
    response = client.post(reverse("library:change", args=[brand.pk]), sent, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def test_everybody_looks_and_who_drafts_changes(
    sign_in: SignIn, viewer: User, creator: User, asset: MediaAsset
) -> None:
    page = texts(sign_in(viewer), PAGE)
    assert "picture.jpg" in page
    assert "library-change" not in page
    assert "data-dropzone" not in page
    assert "library-change" in texts(sign_in(creator), PAGE)
    of_viewer = texts(sign_in(viewer), reverse("library:asset", args=[asset.pk]))
    assert "data-confirm" not in of_viewer.split("<main")[1].split("</main")[0]


@pytest.mark.parametrize("name", ["asset", "crop", "delete"])
def test_viewers_and_strangers_change_no_asset(
    sign_in: SignIn, viewer: User, stranger: User, asset: MediaAsset, name: str
) -> None:
    address = reverse(f"library:{name}", args=[asset.pk])
    sent = {"name": "Changed", "focal_x": "1", "focal_y": "1", "shape": "1:1"}
    assert sign_in(viewer).post(address, sent).status_code == 403
    assert sign_in(stranger).post(address, sent).status_code == 404
    kept = MediaAsset.objects.get()
    assert (kept.name, kept.focal_x) == ("", 50)


@pytest.mark.parametrize("name", ["upload", "change", "folder_create"])
def test_viewers_and_strangers_change_no_library(
    sign_in: SignIn, viewer: User, stranger: User, brand: Brand, asset: MediaAsset, name: str
) -> None:
    address = reverse(f"library:{name}", args=[brand.pk])

    def sent() -> dict[str, object]:
        file = SimpleUploadedFile("x.png", image_bytes("PNG"))
        return {"file": file, "name": "New", "action": "delete", "asset": str(asset.pk)}

    assert sign_in(viewer).post(address, sent()).status_code == 403
    assert sign_in(stranger).post(address, sent()).status_code == 404
    assert MediaAsset.objects.count() == 1
    assert not MediaFolder.objects.exists()


@pytest.mark.parametrize("name", ["folder_edit", "folder_delete"])
def test_viewers_and_strangers_change_no_folder(
    sign_in: SignIn, viewer: User, stranger: User, brand: Brand, name: str
) -> None:
    folder = MediaFolder.objects.create(brand=brand, name="Spring")
    address = reverse(f"library:{name}", args=[folder.pk])
    assert sign_in(viewer).post(address, {"name": "Changed"}).status_code == 403
    assert sign_in(stranger).post(address, {"name": "Changed"}).status_code == 404
    assert MediaFolder.objects.get().name == "Spring"


def test_a_script_gets_the_card_of_what_it_uploaded(sign_in: SignIn, creator: User, brand: Brand) -> None:
    folder = MediaFolder.objects.create(brand=brand, name="Spring")
    address = f"{reverse('library:upload', args=[brand.pk])}?folder={folder.pk}"
    client = sign_in(creator)
    file = SimpleUploadedFile("cup.png", image_bytes("PNG"))
    response = client.post(address, {"file": file}, headers=HTMX)
    assert "cup.png" in response.content.decode()
    assert MediaAsset.objects.get().folder == folder
    svg = SimpleUploadedFile(
        "cup.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    )
    response = client.post(address, {"file": svg}, headers=HTMX)
    assert response.status_code == 422
    assert "cup.png" in response.json()["error"]
    assert MediaAsset.objects.count() == 1


def test_without_scripts_a_form_uploads_several(sign_in: SignIn, creator: User, brand: Brand) -> None:
    files = [SimpleUploadedFile(f"{kind}.x", image_bytes(kind)) for kind in ("PNG", "JPEG")]
    files.insert(1, SimpleUploadedFile("lies.png", b"%PDF-1.7"))
    address = reverse("library:upload", args=[brand.pk])
    page = sign_in(creator).post(address, {"file": files}, follow=True).content.decode()
    assert "lies.png" in page
    assert MediaAsset.objects.count() == 2


@pytest.mark.parametrize("target", ["https://evil.example/library/", "//evil.example", "/settings/", ""])
def test_nobody_is_sent_elsewhere(sign_in: SignIn, creator: User, brand: Brand, target: str) -> None:
    address = reverse("library:change", args=[brand.pk])
    response = sign_in(creator).post(address, {"action": "move", "next": target})
    assert response["Location"] == f"{PAGE}?brand={brand.pk}"


def test_several_are_moved_tagged_and_deleted(
    sign_in: SignIn, creator: User, brand: Brand, asset: MediaAsset
) -> None:
    client, other = sign_in(creator), make_image(brand, creator, color="red")
    folder = MediaFolder.objects.create(brand=brand, name="Spring")
    assert "2 files were moved" in change(client, brand, "move", asset, other, folder=str(folder.pk))
    assert folder.assets.count() == 2
    assert "no longer there" in change(client, brand, "move", asset, folder=str(uuid.uuid4()))
    assert "no longer there" in change(client, brand, "move", asset, folder="nonsense")
    assert "2 files were tagged" in change(client, brand, "tag", asset, other, tags="コーヒー、 spring ,")
    assert sorted(tag.name for tag in asset.tags.all()) == ["spring", "コーヒー"]
    assert "Write the tag first" in change(client, brand, "tag", asset, tags=" , ")
    assert "Tick the files first" in change(client, brand, "delete")
    make_post(brand, creator, "x", media=(MediaUse(asset.pk),))
    refused = change(client, brand, "delete", asset, other)
    assert "Nothing was deleted" in refused
    assert "picture.jpg" in refused
    assert "1 file was deleted" in change(client, brand, "delete", other)
    assert MediaAsset.objects.get() == asset


def test_tags_are_split_as_people_write_them() -> None:
    assert split_tags(" a b ,c、d，\n a b") == ("a b", "c", "d")


def test_what_is_said_about_an_asset_is_kept(
    sign_in: SignIn, creator: User, brand: Brand, asset: MediaAsset
) -> None:
    client, address = sign_in(creator), reverse("library:asset", args=[asset.pk])
    sent = {"name": "Cup", "alt_text": "A cup", "tags": "coffee, spring", "focal_x": "20", "focal_y": "80"}
    assert client.post(address, sent).status_code == 302
    asset.refresh_from_db()
    assert (asset.name, asset.alt_text, asset.focal_x, asset.focal_y) == ("Cup", "A cup", 20, 80)
    assert MediaTag.objects.count() == 2
    for wrong in ({"focal_x": "101"}, {"tags": "x" * 41}, {"folder": str(uuid.uuid4())}):
        response = client.post(address, {**sent, **wrong})
        assert response.status_code == 422
        assert "is-invalid" in response.content.decode()


def test_page_of_an_asset_says_where_it_is_used(
    sign_in: SignIn, creator: User, brand: Brand, asset: MediaAsset, sandbox_account: SocialAccount
) -> None:
    client, address = sign_in(creator), reverse("library:asset", args=[asset.pk])
    assert "No post uses it" in texts(client, address)
    post = make_post(brand, creator, "Fresh coffee", sandbox_account, media=(MediaUse(asset.pk),))
    page = texts(client, address)
    assert reverse("content_calendar:post", args=[post.pk]) in page
    assert "It cannot be deleted" in page
    client.post(reverse("library:delete", args=[asset.pk]))
    assert MediaAsset.objects.exists()
    assert texts(client, f"{address}?page=x")


def test_folders_are_made_renamed_and_deleted(sign_in: SignIn, creator: User, brand: Brand) -> None:
    client, create = sign_in(creator), reverse("library:folder_create", args=[brand.pk])
    assert client.post(create, {"name": "Spring"}).status_code == 302
    spring = MediaFolder.objects.get()
    assert (
        "There is a folder of this name already" in client.post(create, {"name": "spring"}).content.decode()
    )
    client.post(create, {"name": "Shop", "parent": str(spring.pk)})
    assert "Spring" in texts(client, PAGE)
    edit = reverse("library:folder_edit", args=[spring.pk])
    client.post(edit, {"name": "Summer"})
    spring.refresh_from_db()
    assert spring.name == "Summer"
    assert client.post(edit, {"name": ""}).status_code == 422
    client.post(reverse("library:folder_delete", args=[spring.pk]))
    assert not MediaFolder.objects.exists()


def test_nonsense_in_the_address_is_left_out(sign_in: SignIn, creator: User, asset: MediaAsset) -> None:
    page = texts(sign_in(creator), f"{PAGE}?folder=x&tag=y&brand=z&page=999&unused=7&q=%00")
    assert "picture.jpg" in page


def test_an_organization_without_brands_is_told(sign_in: SignIn, owner: User) -> None:
    assert "No brand yet" in texts(sign_in(owner), PAGE)


# --- cutting and choosing ---------------------------------------------------------------------


def test_a_shape_alone_is_cut_around_the_focal_point(
    sign_in: SignIn, creator: User, asset: MediaAsset
) -> None:
    asset.focal_x = 100
    asset.save()
    address = reverse("library:crop", args=[asset.pk])
    client = sign_in(creator)
    assert client.post(address, {"shape": "1:1"}).status_code == 302
    part = MediaAsset.objects.exclude(pk=asset.pk).get()
    assert (part.width, part.height, part.derived_from) == (180, 180, asset)
    for wrong in (
        {"shape": "free"},
        {"shape": "2:1"},
        {},
        {"shape": "free", "x": "0", "y": "0", "width": "9999", "height": "20"},
        {"shape": "1:1", "x": "-1", "y": "0", "width": "20", "height": "20"},
    ):
        response = client.post(address, wrong)
        assert response.status_code == 422
        assert "Choose a part within the picture" in response.content.decode()
    assert MediaAsset.objects.count() == 2


def test_in_the_composer_the_part_takes_the_place_of_the_whole(
    sign_in: SignIn, creator: User, asset: MediaAsset
) -> None:
    client = sign_in(creator)
    address = f"{reverse('library:crop', args=[asset.pk])}?prefix=base.0"
    opened = client.get(address, headers=HTMX).content.decode()
    assert f"#tile-base0-{asset.pk}" in opened
    assert "<html" not in opened
    sent = {"shape": "free", "x": "0", "y": "0", "width": "160", "height": "90"}
    response = client.post(address, sent, headers=HTMX)
    part = MediaAsset.objects.exclude(pk=asset.pk).get()
    assert f'name="base.0.media" value="{part.pk}"' in response.content.decode()
    assert json.loads(response["HX-Trigger-After-Settle"]) == {"media:placed": {"tray": "tray-base-0"}}
    assert client.get(f"{reverse('library:crop', args=[asset.pk])}?prefix=<script>").status_code == 400


def test_media_are_chosen_in_the_composer_with_their_alternative_text(
    sign_in: SignIn, creator: User, brand: Brand, other_brand: Brand, asset: MediaAsset
) -> None:
    library.describe(asset=asset, said=library.Description("Cup", "A cup of coffee", ("coffee",)))
    theirs = make_image(other_brand, creator)
    client = sign_in(creator)
    pick, tiles = reverse("library:pick", args=[brand.pk]), reverse("library:tiles", args=[brand.pk])
    assert client.get(pick).status_code == client.get(tiles).status_code == 400
    opened = client.get(f"{pick}?prefix=base.0", headers=HTMX).content.decode()
    assert str(asset.pk) in opened
    assert str(theirs.pk) not in opened
    assert (
        "No file matches"
        in client.get(f"{pick}?prefix=base.0&part=rows&q=tea", headers=HTMX).content.decode()
    )
    chosen = f"{tiles}?prefix=base.0&asset={asset.pk}&asset={theirs.pk}&asset=x"
    answer = client.get(chosen, headers=HTMX)
    assert "A cup of coffee" in answer.content.decode()
    assert str(theirs.pk) not in answer.content.decode()


def test_what_is_uploaded_again_brings_its_alternative_text(
    sign_in: SignIn, creator: User, brand: Brand
) -> None:
    library.describe(asset=make_image(brand, creator), said=library.Description("", "A cup of coffee", ()))
    file = SimpleUploadedFile("again.jpg", image_bytes())
    address = f"{reverse('content_calendar:upload', args=[brand.pk])}?prefix=base.0"
    assert "A cup of coffee" in sign_in(creator).post(address, {"file": file}).content.decode()


def test_composer_offers_the_library(sign_in: SignIn, creator: User, brand: Brand) -> None:
    page = texts(sign_in(creator), reverse("content_calendar:compose"))
    assert reverse("library:pick", args=[brand.pk]) in page
    assert 'id="media-dialog"' in page


def test_queries_do_not_grow_with_the_library(
    sign_in: SignIn,
    creator: User,
    brand: Brand,
    organization: Organization,
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    client = sign_in(creator)
    for n in range(12):
        make_image(brand, creator, size=(20 + n, 20))
        MediaFolder.objects.create(brand=brand, name=f"folder {n}")
    texts(client, PAGE)
    with django_assert_max_num_queries(24):  # type: ignore[attr-defined]
        texts(client, PAGE)


# --- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-9", 0, 9), ("bytes=10-", 10, None), ("bytes=-7", -7, None), ("bytes=5-99999999", 5, None)],
)
def test_a_part_of_a_file_can_be_asked_for(
    sign_in: SignIn, creator: User, asset: MediaAsset, asked: str, first: int, last: int | None
) -> None:
    client, address = sign_in(creator), reverse("content_calendar:media_file", args=[asset.pk])
    whole = b"".join(client.get(address).streaming_content)  # type: ignore[attr-defined]
    response = client.get(address, headers={"Range": asked})
    assert response.status_code == 206
    wanted = whole[first:] if last is None else whole[first : last + 1]
    assert b"".join(response.streaming_content) == wanted  # type: ignore[attr-defined]
    assert int(response["Content-Length"]) == len(wanted)
    assert response["Content-Range"].endswith(f"/{asset.size}")


@pytest.mark.parametrize(
    ("asked", "status"), [("bytes=99999999-", 416), ("bytes=9-3", 416), ("rows=1-2", 200)]
)
def test_a_range_that_makes_no_sense(
    sign_in: SignIn, creator: User, asset: MediaAsset, asked: str, status: int
) -> None:
    address = reverse("content_calendar:media_file", args=[asset.pk])
    response = sign_in(creator).get(address, headers={"Range": asked})
    assert response.status_code == status
    response.close()


def test_what_is_no_picture_is_never_shown_in_a_page(
    sign_in: SignIn, creator: User, asset: MediaAsset
) -> None:
    MediaAsset.objects.update(mime_type="image/svg+xml")
    response = sign_in(creator).get(reverse("content_calendar:media_file", args=[asset.pk]))
    response.close()
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"] == "attachment"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
