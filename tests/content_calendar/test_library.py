"""The media library: where things lie and are found, what uses them, what may be thrown away, cutting."""

from __future__ import annotations

import importlib

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from accounts.models import AuditEntry, Brand, SocialAccount, User
from content_calendar.content import MediaUse, Part
from content_calendar.models import MediaAsset, MediaFolder, MediaTag, MediaUsage, Post
from content_calendar.selectors.library import LibraryFilter, assets_of, folders_of, still_needed, uses_of
from content_calendar.services import library
from content_calendar.services.drafts import Draft, MediaUnknown, create_post, delete_post, save_draft
from content_calendar.services.library import Description, FolderNameTaken, FolderTooDeep, MediaInUse
from content_calendar.services.media import Cut, CutOutside, crop_image, cut_around
from content_calendar.services.scheduling import schedule_post
from outbox.models import Delivery, DeliveryState
from tests.cast import make_account
from tests.content_calendar.conftest import LATER, NOW, make_image, make_post

pytestmark = pytest.mark.django_db


def found(brand: Brand, **wanted: object) -> list[MediaAsset]:
    return list(assets_of(brand, LibraryFilter(**wanted)))  # type: ignore[arg-type]


def say(asset: MediaAsset, **said: object) -> MediaAsset:
    values = {"name": "", "alt_text": "", "tags": (), **said}
    return library.describe(asset=asset, said=Description(**values))  # type: ignore[arg-type]


# --- finding ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("港", True),
        ("港の朝", True),
        ("コーヒー", True),
        ("ｺｰﾋｰ", True),
        ("HARBOUR", True),
        ("arbo", True),
        ("fresh cup", True),
        ("夜", False),
        ("harbour tea", False),
    ],
)
def test_name_tags_and_alternative_text_are_searched(
    brand: Brand, creator: User, words: str, is_found: bool
) -> None:
    asset = say(
        make_image(brand, creator), name="港の朝", tags=("コーヒー", "Harbour"), alt_text="A fresh cup"
    )
    make_image(brand, creator, color="red")
    assert (found(brand, text=words) == [asset]) is is_found


def test_a_picture_is_found_by_the_name_of_its_file(brand: Brand, creator: User) -> None:
    asset = make_image(brand, creator)
    assert found(brand, text="picture.jpg") == [asset]


def test_folder_shows_what_lies_in_the_folders_within(brand: Brand, creator: User) -> None:
    top = library.create_folder(brand=brand, name="Spring", parent=None, actor=creator, now=NOW)
    inner = library.create_folder(brand=brand, name="Shop", parent=top, actor=creator, now=NOW)
    asset = make_image(brand, creator)
    make_image(brand, creator, color="red")
    assert library.move_assets(brand=brand, assets=[asset.pk], folder=inner.pk) == 1
    assert found(brand, folder=top.pk) == found(brand, folder=inner.pk) == [asset]
    (row,) = folders_of(brand)
    assert (row.total, row.count, row.inner[0].count) == (1, 0, 1)


def test_folders_have_two_levels_and_one_name_in_a_place(brand: Brand, creator: User) -> None:
    def create(name: str, parent: MediaFolder | None = None) -> MediaFolder:
        return library.create_folder(brand=brand, name=name, parent=parent, actor=creator, now=NOW)

    top = create("Spring")
    inner = create("Spring", top)
    with pytest.raises(FolderNameTaken):
        create("SPRING")
    with pytest.raises(FolderTooDeep):
        create("Deeper", inner)
    with pytest.raises(FolderNameTaken):
        library.rename_folder(folder=create("Summer"), name="spring", actor=creator, now=NOW)
    assert MediaFolder.objects.count() == 3


def test_what_lay_in_a_deleted_folder_stays(brand: Brand, creator: User) -> None:
    top = library.create_folder(brand=brand, name="Spring", parent=None, actor=creator, now=NOW)
    inner = library.create_folder(brand=brand, name="Shop", parent=top, actor=creator, now=NOW)
    asset = make_image(brand, creator)
    library.move_assets(brand=brand, assets=[asset.pk], folder=inner.pk)
    library.delete_folder(folder=top, actor=creator, now=NOW)
    asset.refresh_from_db()
    assert asset.folder is None
    assert not MediaFolder.objects.exists()
    assert AuditEntry.objects.filter(action="media.folder_deleted").count() == 1


def test_folders_of_other_brands_are_unknown(brand: Brand, other_brand: Brand, creator: User) -> None:
    theirs = library.create_folder(brand=other_brand, name="Tea", parent=None, actor=creator, now=NOW)
    asset = make_image(brand, creator)
    with pytest.raises(library.FolderUnknown):
        library.move_assets(brand=brand, assets=[asset.pk], folder=theirs.pk)
    with pytest.raises(library.FolderUnknown):
        say(asset, folder=theirs.pk, name="changed")
    asset.refresh_from_db()
    assert (asset.folder, asset.name) == (None, "")


def test_tags_are_one_whatever_their_case_and_go_with_their_last_use(brand: Brand, creator: User) -> None:
    asset = say(make_image(brand, creator), tags=("Coffee", "coffee", "Spring"))
    assert sorted(tag.name for tag in asset.tags.all()) == ["Coffee", "Spring"]
    other = make_image(brand, creator, color="red")
    assert library.tag_assets(brand=brand, assets=[asset.pk, other.pk], tags=["COFFEE"]) == 2
    assert MediaTag.objects.count() == 2
    assert len(found(brand, tag=MediaTag.objects.get(name="Coffee").pk)) == 2
    assert found(brand, text="coffee") == [other, asset]
    say(asset)
    assert [tag.name for tag in MediaTag.objects.all()] == ["Coffee"]


def test_too_many_tags_change_nothing(brand: Brand, creator: User) -> None:
    full = say(make_image(brand, creator), tags=tuple(f"tag {n}" for n in range(library.MOST_TAGS_EACH)))
    other = make_image(brand, creator, color="red")
    with pytest.raises(library.TooManyTags):
        library.tag_assets(brand=brand, assets=[other.pk, full.pk], tags=["one more"])
    assert not other.tags.exists()
    assert not MediaTag.objects.filter(name="one more").exists()


def test_changes_do_not_reach_other_brands(brand: Brand, other_brand: Brand, creator: User) -> None:
    theirs = make_image(other_brand, creator)
    assert library.move_assets(brand=brand, assets=[theirs.pk], folder=None) == 0
    assert library.tag_assets(brand=brand, assets=[theirs.pk], tags=["mine"]) == 0
    assert library.delete_assets(brand=brand, assets=[theirs.pk], actor=creator, now=NOW) == 0
    assert MediaAsset.objects.get() == theirs
    assert found(brand) == []


# --- where it is used -------------------------------------------------------------------------


def test_where_used_follows_the_words_of_the_post(
    brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    first, second = make_image(brand, creator), make_image(brand, creator, color="red")
    post = make_post(brand, creator, "x", sandbox_account, media=(MediaUse(first.pk),))
    assert [row.post for row in uses_of(first).rows] == [post]
    assert found(brand, is_unused=True) == [second]
    own = {sandbox_account.pk: (Part("own", (MediaUse(second.pk),)),)}
    draft = Draft(parts=(Part("y"),), accounts=(sandbox_account.pk,), own_parts=own)
    save_draft(post=post, version=1, draft=draft, now=NOW)
    assert not uses_of(first).rows
    assert [row.post for row in uses_of(second).rows] == [post]
    delete_post(post=post, actor=creator, now=NOW)
    assert not uses_of(second).rows
    assert len(found(brand, is_unused=True)) == 2


def test_where_used_is_paged(brand: Brand, creator: User) -> None:
    asset = make_image(brand, creator)
    for n in range(3):
        make_post(brand, creator, f"post {n}", media=(MediaUse(asset.pk),))
    page = uses_of(asset, number=1, size=2)
    assert (len(page.rows), page.has_next) == (2, True)
    assert len(uses_of(asset, number=2, size=2).rows) == 1


def test_usages_of_posts_that_were_there_before_are_found_by_the_migration(
    brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    first, second = make_image(brand, creator), make_image(brand, creator, color="red")
    own = {sandbox_account.pk: (Part("own", (MediaUse(second.pk), MediaUse(first.pk))),)}
    parts = (Part("x", (MediaUse(first.pk),)), Part("y"))
    draft = Draft(parts=parts, accounts=(sandbox_account.pk,), own_parts=own)
    create_post(brand=brand, author=creator, draft=draft, now=NOW)
    Post.objects.create(brand=brand, parts=[{"text": "", "media": [{"asset": str(brand.pk), "alt": ""}]}])
    before = set(MediaUsage.objects.values_list("post_id", "asset_id"))
    assert len(before) == 2
    MediaUsage.objects.all().delete()
    migration = importlib.import_module("content_calendar.migrations.0011_media_library")
    with connection.cursor() as cursor:
        cursor.execute(migration.USAGES)
    assert set(MediaUsage.objects.values_list("post_id", "asset_id")) == before


# --- throwing away ----------------------------------------------------------------------------


@pytest.mark.parametrize("is_scheduled", [False, True], ids=["draft", "scheduled"])
def test_what_a_post_still_needs_is_not_deleted(
    brand: Brand, creator: User, sandbox_account: SocialAccount, *, is_scheduled: bool
) -> None:
    used, unused = make_image(brand, creator), make_image(brand, creator, color="red")
    post = make_post(brand, creator, "x", sandbox_account, media=(MediaUse(used.pk),))
    if is_scheduled:
        schedule_post(post=post, at=LATER, actor=creator, now=NOW)
    with pytest.raises(MediaInUse) as refusal:
        library.delete_assets(brand=brand, assets=[unused.pk, used.pk], actor=creator, now=NOW)
    assert refusal.value.assets == [used]
    assert MediaAsset.objects.count() == 2
    assert default_storage.exists(unused.storage_key)


@pytest.mark.parametrize("state", DeliveryState)
def test_only_what_is_wholly_published_is_free(
    brand: Brand, creator: User, sandbox_account: SocialAccount, state: DeliveryState
) -> None:
    asset = make_image(brand, creator)
    second = make_account(brand, handle="second")
    post = make_post(brand, creator, "x", sandbox_account, second, media=(MediaUse(asset.pk),))
    schedule_post(post=post, at=LATER, actor=creator, now=NOW)
    Delivery.objects.update(state=DeliveryState.SENT)
    assert not still_needed([asset.pk])
    is_owned = state in (DeliveryState.CLAIMED, DeliveryState.SENDING)
    Delivery.objects.filter(account=second).update(state=state, lease_until=LATER if is_owned else None)
    is_over = state in (DeliveryState.SENT, DeliveryState.CANCELLED)
    assert bool(still_needed([asset.pk])) is not is_over


def test_deleted_media_leave_no_file(
    brand: Brand, creator: User, django_capture_on_commit_callbacks: object
) -> None:
    asset = make_image(brand, creator)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert library.delete_assets(brand=brand, assets=[asset.pk], actor=creator, now=NOW) == 1
    assert not default_storage.exists(asset.storage_key)
    assert not default_storage.exists(asset.thumbnail_key)
    assert AuditEntry.objects.get(action="media.deleted").detail == {"name": "picture.jpg"}


def test_a_draft_cannot_use_what_was_deleted_meanwhile(brand: Brand, creator: User) -> None:
    asset = make_image(brand, creator)
    library.delete_assets(brand=brand, assets=[asset.pk], actor=creator, now=NOW)
    with pytest.raises(MediaUnknown):
        make_post(brand, creator, "x", media=(MediaUse(asset.pk),))
    assert not Post.objects.exists()


# --- cutting ----------------------------------------------------------------------------------


def stored(asset: MediaAsset) -> Image.Image:
    with default_storage.open(asset.storage_key) as file:
        image = Image.open(file)
        image.load()
        return image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_part_is_an_asset_of_its_own(brand: Brand, creator: User, kind: str) -> None:
    folder = library.create_folder(brand=brand, name="Spring", parent=None, actor=creator, now=NOW)
    whole = make_image(brand, creator, kind=kind)  # 60 x 40
    whole = say(
        whole, name="Cup", alt_text="A cup", tags=("Coffee",), folder=folder.pk, focal_x=75, focal_y=50
    )
    part = crop_image(asset=whole, cut=Cut(30, 0, 30, 40), actor=creator, now=NOW)
    assert part.pk != whole.pk
    assert stored(part).size == (part.width, part.height) == (30, 40)
    assert (part.derived_from, part.folder, part.name, part.alt_text) == (whole, folder, "Cup", "A cup")
    assert [tag.name for tag in part.tags.all()] == ["Coffee"]
    assert (part.focal_x, part.focal_y) == (50, 50)
    assert stored(whole).size == (60, 40)
    assert part in found(brand, text="coffee")
    assert crop_image(asset=whole, cut=Cut(30, 0, 30, 40), actor=creator, now=NOW) == part


@pytest.mark.parametrize(
    "cut",
    [Cut(0, 0, 61, 40), Cut(45, 0, 16, 41), Cut(-1, 0, 20, 20), Cut(0, 0, 15, 40), Cut(50, 0, 16, 16)],
)
def test_a_part_outside_of_the_picture_is_refused(brand: Brand, creator: User, cut: Cut) -> None:
    whole = make_image(brand, creator)
    with pytest.raises(CutOutside):
        crop_image(asset=whole, cut=cut, actor=creator, now=NOW)
    assert MediaAsset.objects.count() == 1


@given(
    width=st.integers(16, 9000),
    height=st.integers(16, 9000),
    focal=st.tuples(st.integers(0, 100), st.integers(0, 100)),
    ratio=st.sampled_from([(1, 1), (4, 5), (16, 9), (9, 16)]),
)
def test_a_shape_is_cut_within_the_picture_and_near_its_focal_point(
    width: int, height: int, focal: tuple[int, int], ratio: tuple[int, int]
) -> None:
    asset = MediaAsset(width=width, height=height, focal_x=focal[0], focal_y=focal[1])
    cut = cut_around(asset, ratio)
    assert 0 <= cut.x <= width - cut.width
    assert 0 <= cut.y <= height - cut.height
    assert cut.width == width or cut.height == height
    assert abs(cut.width * ratio[1] - cut.height * ratio[0]) <= max(ratio)
    assert cut.x - 1 <= focal[0] / 100 * width <= cut.x + cut.width + 1
    assert cut.y - 1 <= focal[1] / 100 * height <= cut.y + cut.height + 1
