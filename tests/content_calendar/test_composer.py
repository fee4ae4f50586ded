"""The composer's requests, as its page sends them with and without scripts."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import AccountStatus, Brand, SocialAccount, User
from content_calendar.models import MediaAsset, Post
from content_calendar.services.drafts import Draft
from content_calendar.services.scheduling import schedule_post
from outbox.missed import CHOICES
from outbox.models import Delivery, DeliveryState
from outbox.payloads import thaw
from outbox.services.rules import set_missed_rule
from tests.content_calendar.conftest import LATER, NOW, image_bytes, make_image

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


def form(brand: Brand, *accounts: SocialAccount, text: str = "Hello", **more: Any) -> dict[str, Any]:
    return {
        "brand": str(brand.pk),
        "version": "0",
        "page": "this page",
        "account": [str(account.pk) for account in accounts],
        "base.part": ["0"],
        "base.0.text": text,
        **more,
    }


def send(
    client: Client, post_id: uuid.UUID, data: dict[str, Any], *, name: str = "save", **headers: str
) -> Any:
    return client.post(reverse(f"content_calendar:{name}", args=[post_id]), data, headers=headers)


def autosave(client: Client, post_id: uuid.UUID, data: dict[str, Any]) -> Any:
    return send(client, post_id, data, Accept="application/json")


@pytest.fixture
def fresh() -> uuid.UUID:
    return uuid.uuid4()


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


# --- pages ------------------------------------------------------------------------------------


def test_new_page_makes_no_row(
    sign_in: SignIn, creator: User, brand: Brand, sandbox_account: SocialAccount
) -> None:
    response = sign_in(creator).get(reverse("content_calendar:compose"))
    assert response.status_code == 200
    assert b"harbour" in response.content
    assert b"Europe/Berlin" in response.content
    assert not Post.objects.exists()


def test_day_of_the_calendar_is_taken_over(sign_in: SignIn, creator: User, brand: Brand) -> None:
    page = sign_in(creator).get(reverse("content_calendar:compose"), {"date": "2026-11-30"}).content.decode()
    assert 'name="date" value="2026-11-30"' in page
    assert 'name="time" value="09:00"' in page


def test_creator_sees_no_button_to_schedule(sign_in: SignIn, creator: User, brand: Brand) -> None:
    page = sign_in(creator).get(reverse("content_calendar:compose")).content.decode()
    assert 'value="schedule"' not in page
    assert 'value="publish"' not in page


def test_member_without_a_brand_is_told_what_to_do(sign_in: SignIn, creator: User) -> None:
    assert b"No brand yet" in sign_in(creator).get(reverse("content_calendar:compose")).content


# --- autosave ---------------------------------------------------------------------------------


def test_first_words_make_the_row(
    sign_in: SignIn, creator: User, brand: Brand, sandbox_account: SocialAccount, fresh: uuid.UUID
) -> None:
    client = sign_in(creator)
    assert autosave(client, fresh, form(brand, sandbox_account, text="")).status_code == 200
    assert not Post.objects.exists()
    answer = autosave(client, fresh, form(brand, sandbox_account)).json()
    post = Post.objects.get(pk=fresh)
    assert (post.excerpt, post.author, post.brand) == ("Hello", creator, brand)
    assert answer["fields"] == {"version": "1"}
    assert answer["address"] == f"/calendar/posts/{fresh}/edit/"


def test_each_save_goes_over_the_one_before(
    sign_in: SignIn, creator: User, brand: Brand, fresh: uuid.UUID
) -> None:
    client = sign_in(creator)
    version = autosave(client, fresh, form(brand)).json()["fields"]["version"]
    answer = autosave(client, fresh, form(brand, text="Hello, world", version=version)).json()
    assert answer["fields"]["version"] == "2"
    assert Post.objects.get().excerpt == "Hello, world"


def test_a_text_that_is_too_long_is_not_saved_in_part(
    sign_in: SignIn, creator: User, brand: Brand, draft_post: Post
) -> None:
    client = sign_in(creator)
    long = "word " * 7_000 + "the end"
    answer = autosave(client, draft_post.pk, form(brand, text=long, version="1"))
    assert answer.status_code == 422
    assert "No network takes texts" in answer.json()["error"]
    page = send(client, draft_post.pk, form(brand, text=long, version="1") | {"action": "draft"})
    assert page.status_code == 422
    assert "the end</textarea>" in page.content.decode()
    assert Post.objects.get().excerpt == "Fresh coffee at nine"


def test_stale_page_is_told_and_changes_nothing(
    sign_in: SignIn, creator: User, brand: Brand, draft_post: Post
) -> None:
    client = sign_in(creator)
    autosave(client, draft_post.pk, form(brand, text="theirs", version="1", page="their page"))
    response = autosave(client, draft_post.pk, form(brand, text="mine", version="1"))
    assert response.status_code == 409
    assert "Somebody else" in response.json()["error"]
    assert Post.objects.get().excerpt == "theirs"


def test_stale_page_keeps_its_words_and_can_save_them_as_a_copy(
    sign_in: SignIn, creator: User, brand: Brand, draft_post: Post
) -> None:
    client = sign_in(creator)
    autosave(client, draft_post.pk, form(brand, text="theirs", version="1", page="their page"))
    mine = form(brand, text="my own words", version="1")
    response = send(client, draft_post.pk, mine | {"action": "draft"})
    assert response.status_code == 409
    assert b"my own words" in response.content
    assert send(client, draft_post.pk, mine | {"action": "copy"}).status_code == 302
    assert {post.excerpt for post in Post.objects.all()} == {"theirs", "my own words"}


def test_draft_with_an_impossible_time_is_kept_without_it(
    sign_in: SignIn, creator: User, brand: Brand, fresh: uuid.UUID
) -> None:
    data = form(brand, date="2027-03-28", time="02:30")
    assert autosave(sign_in(creator), fresh, data).status_code == 200
    post = Post.objects.get()
    assert (post.excerpt, post.planned_at) == ("Hello", None)


def test_autosave_does_not_touch_what_is_scheduled(
    sign_in: SignIn, manager: User, brand: Brand, draft_post: Post, sandbox_account: SocialAccount
) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    response = autosave(sign_in(manager), draft_post.pk, form(brand, sandbox_account, version="2"))
    assert response.status_code == 409
    assert thaw(Delivery.objects.get().payload).parts[0].text == "Fresh coffee at nine"


def test_newlines_are_counted_as_networks_count_them(
    sign_in: SignIn, creator: User, brand: Brand, fresh: uuid.UUID
) -> None:
    autosave(sign_in(creator), fresh, form(brand, text="one\r\ntwo\x00"))
    assert Post.objects.get().parts[0]["text"] == "one\ntwo"


# --- what others own --------------------------------------------------------------------------


def test_accounts_images_and_brands_of_others_are_not_found(
    sign_in: SignIn,
    creator: User,
    brand: Brand,
    other_brand: Brand,
    stranger: User,
    other_organization: Any,
    fresh: uuid.UUID,
) -> None:
    from tests.cast import make_account

    client = sign_in(creator)
    theirs = Brand.objects.create(organization=other_organization, name="Theirs")
    account, image = make_account(theirs), make_image(theirs, stranger)
    assert autosave(client, fresh, form(brand, account)).status_code == 404
    # As if it had been deleted: nobody learns that it is somebody else's.
    assert autosave(client, fresh, form(brand, **{"base.0.media": str(image.pk)})).status_code == 409
    assert autosave(client, fresh, form(theirs)).status_code == 404
    assert autosave(client, fresh, form(brand) | {"brand": "nonsense"}).status_code == 404
    upload = {"file": SimpleUploadedFile("x.png", image_bytes("PNG"))}
    address = reverse("content_calendar:upload", args=[theirs.pk]) + "?prefix=base.0"
    assert client.post(address, upload).status_code == 404
    assert not Post.objects.exists()
    assert MediaAsset.objects.count() == 1


def test_id_of_a_strangers_post_cannot_be_written_over(
    sign_in: SignIn, stranger: User, other_organization: Any, draft_post: Post
) -> None:
    theirs = Brand.objects.create(organization=other_organization, name="Theirs")
    for name in ("save", "check", "change"):
        response = send(sign_in(stranger), draft_post.pk, form(theirs), name=name, Accept="application/json")
        assert response.status_code == 404
    assert Post.objects.get().excerpt == "Fresh coffee at nine"


# --- checking while writing -------------------------------------------------------------------


def check(client: Client, post_id: uuid.UUID, data: dict[str, Any]) -> str:
    response = send(client, post_id, data, name="check")
    assert response.status_code == 200
    return str(response.content.decode())


def test_counts_and_problems_come_before_anything_is_saved(
    sign_in: SignIn,
    creator: User,
    brand: Brand,
    sandbox_account: SocialAccount,
    second_account: SocialAccount,
    fresh: uuid.UUID,
) -> None:
    page = check(sign_in(creator), fresh, form(brand, sandbox_account, second_account, text="x" * 310))
    assert "Too long for Bluesky by 10 characters" in page
    assert ">190<" in page.replace("\n", "")
    assert ">-10<" in page.replace("\n", "")
    assert not Post.objects.exists()


def test_own_words_of_an_account_are_checked_instead_of_the_common_ones(
    sign_in: SignIn,
    creator: User,
    brand: Brand,
    sandbox_account: SocialAccount,
    second_account: SocialAccount,
    fresh: uuid.UUID,
) -> None:
    own = str(second_account.pk)
    data = form(brand, sandbox_account, second_account, text="x" * 310)
    data |= {"custom": own, f"{own}.part": ["0"], f"{own}.0.text": "short"}
    page = check(sign_in(creator), fresh, data)
    assert "Too long" not in page


def test_too_many_images_are_said(
    sign_in: SignIn, creator: User, brand: Brand, sandbox_account: SocialAccount, fresh: uuid.UUID
) -> None:
    images = [
        str(make_image(brand, creator, color=color).pk) for color in ("red", "green", "blue", "pink", "tan")
    ]
    page = check(sign_in(creator), fresh, form(brand, sandbox_account) | {"base.0.media": images})
    assert "Sandbox takes 4 images in one post; there are 5." in page


def test_gap_of_summer_time_is_explained_with_the_next_time(
    sign_in: SignIn, creator: User, brand: Brand, fresh: uuid.UUID
) -> None:
    page = check(sign_in(creator), fresh, form(brand, date="2027-03-28", time="02:30"))
    assert "02:30 does not exist" in page
    assert "The next possible time is 03:00." in page


def test_time_that_is_over_is_said_at_once(
    sign_in: SignIn, creator: User, brand: Brand, fresh: uuid.UUID
) -> None:
    assert "This time is over" in check(sign_in(creator), fresh, form(brand, date="2026-11-21", time="12:00"))


def test_text_of_the_preview_is_escaped(
    sign_in: SignIn, creator: User, brand: Brand, sandbox_account: SocialAccount, fresh: uuid.UUID
) -> None:
    page = check(sign_in(creator), fresh, form(brand, sandbox_account, text="<img src=x onerror=alert(1)>"))
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


# --- structure --------------------------------------------------------------------------------


def change(client: Client, post_id: uuid.UUID, data: dict[str, Any], wanted: str) -> str:
    response = send(client, post_id, data | {"change": wanted}, name="change")
    assert response.status_code == 200
    return str(response.content.decode())


def thread(brand: Brand, *texts: str, **more: Any) -> dict[str, Any]:
    data = form(brand, **more)
    data["base.part"] = [str(number) for number in range(len(texts))]
    return data | {f"base.{number}.text": text for number, text in enumerate(texts)}


def test_thread_grows_shrinks_and_changes_its_order(
    sign_in: SignIn, creator: User, brand: Brand, fresh: uuid.UUID
) -> None:
    client = sign_in(creator)
    assert "2 / 2" in change(client, fresh, form(brand), "add:base")
    page = change(client, fresh, thread(brand, "first", "second"), "up:base.1")
    assert page.index("second</textarea>") < page.index("first</textarea>")
    page = change(client, fresh, thread(brand, "first", "second"), "remove:base.0")
    assert "first</textarea>" not in page
    assert "second</textarea>" in page
    assert not Post.objects.exists()


def test_last_part_stays(sign_in: SignIn, creator: User, brand: Brand, fresh: uuid.UUID) -> None:
    assert "Hello</textarea>" in change(sign_in(creator), fresh, form(brand), "remove:base.0")


def test_editor_that_is_drawn_again_leaves_the_focus_where_it_is(
    sign_in: SignIn, creator: User, brand: Brand, fresh: uuid.UUID
) -> None:
    client = sign_in(creator)
    assert "autofocus" in client.get(reverse("content_calendar:compose")).content.decode()
    assert "autofocus" not in change(client, fresh, form(brand), "add:base")


@pytest.mark.parametrize(
    "wanted", ["", "up:base.9", "customise:nobody", "revert:base", "explode:base", "add:x"]
)
def test_change_that_makes_no_sense_changes_nothing(
    sign_in: SignIn, creator: User, brand: Brand, fresh: uuid.UUID, wanted: str
) -> None:
    assert "Hello</textarea>" in change(sign_in(creator), fresh, form(brand), wanted)


def test_account_gets_its_own_words_and_gives_them_back(
    sign_in: SignIn, creator: User, brand: Brand, sandbox_account: SocialAccount, fresh: uuid.UUID
) -> None:
    client, own = sign_in(creator), str(sandbox_account.pk)
    page = change(client, fresh, form(brand, sandbox_account), f"customise:{own}")
    assert f'name="{own}.0.text"' in page
    data = form(brand, sandbox_account)
    data |= {"custom": own, f"{own}.part": ["0"], f"{own}.0.text": "Only here"}
    autosave(client, fresh, data)
    draft = Draft.of_post(Post.objects.get())
    assert draft.own_parts[sandbox_account.pk][0].text == "Only here"
    assert "Only here" not in change(client, fresh, data, f"revert:{own}")


def test_without_scripts_a_change_saves_and_shows_the_page_again(
    sign_in: SignIn, creator: User, brand: Brand, fresh: uuid.UUID
) -> None:
    response = send(sign_in(creator), fresh, form(brand) | {"change": "add:base"})
    assert response.status_code == 302
    assert response["Location"].startswith(f"/calendar/posts/{fresh}/edit/")
    assert len(Post.objects.get().parts) == 2


def test_without_scripts_images_come_with_the_form(
    sign_in: SignIn, creator: User, brand: Brand, sandbox_account: SocialAccount, fresh: uuid.UUID
) -> None:
    data = form(brand, sandbox_account, action="draft")
    data["base.0.files"] = [SimpleUploadedFile("a.png", image_bytes("PNG"))]
    assert send(sign_in(creator), fresh, data).status_code == 302
    assert Post.objects.get().parts[0]["media"] == [{"asset": str(MediaAsset.objects.get().pk), "alt": ""}]


def test_broken_image_of_a_form_is_named_and_the_words_kept(
    sign_in: SignIn, creator: User, brand: Brand, fresh: uuid.UUID
) -> None:
    data = form(brand, action="draft")
    data["base.0.files"] = [SimpleUploadedFile("cat.png", b"not a picture")]
    response = send(sign_in(creator), fresh, data)
    assert response.status_code == 422
    assert "cat.png" in response.content.decode()
    assert "Hello</textarea>" in response.content.decode()


# --- upload -----------------------------------------------------------------------------------


def test_upload_answers_with_its_tile(sign_in: SignIn, creator: User, brand: Brand) -> None:
    address = reverse("content_calendar:upload", args=[brand.pk]) + "?prefix=base.0"
    response = sign_in(creator).post(address, {"file": SimpleUploadedFile("a.jpg", image_bytes())})
    asset = MediaAsset.objects.get()
    assert f'name="base.0.media" value="{asset.pk}"' in response.content.decode()
    assert f'name="base.0.alt.{asset.pk}"' in response.content.decode()


def test_refused_upload_says_why(sign_in: SignIn, creator: User, brand: Brand) -> None:
    address = reverse("content_calendar:upload", args=[brand.pk]) + "?prefix=base.0"
    response = sign_in(creator).post(address, {"file": SimpleUploadedFile("virus.png", b"MZ\x90")})
    assert response.status_code == 422
    assert "“virus.png” is not an image" in response.json()["error"]


def test_upload_into_an_invented_field_is_refused(sign_in: SignIn, creator: User, brand: Brand) -> None:
    address = reverse("content_calendar:upload", args=[brand.pk]) + '?prefix="><script>'
    response = sign_in(creator).post(address, {"file": io.BytesIO(image_bytes())})
    assert response.status_code == 400
    assert not MediaAsset.objects.exists()


def test_image_is_served_as_an_image_and_nothing_else(
    sign_in: SignIn, viewer: User, creator: User, brand: Brand
) -> None:
    asset = make_image(brand, creator)
    for name, mime in (("media_file", asset.mime_type), ("media_thumbnail", "image/jpeg")):
        response: Any = sign_in(viewer).get(reverse(f"content_calendar:{name}", args=[asset.pk]))
        assert b"".join(response.streaming_content)[:2] == b"\xff\xd8"
        assert response["Content-Type"] == mime
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert "private" in response["Cache-Control"]


# --- into the schedule ------------------------------------------------------------------------


def test_manager_schedules_from_the_composer_in_the_brands_zone(
    sign_in: SignIn, manager: User, brand: Brand, sandbox_account: SocialAccount, fresh: uuid.UUID
) -> None:
    data = form(brand, sandbox_account, action="schedule", date="2026-12-01", time="09:00")
    response = send(sign_in(manager), fresh, data)
    assert response["Location"] == f"/calendar/posts/{fresh}/"
    assert Delivery.objects.get().due_at == dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)


# --- when it is late --------------------------------------------------------------------------


def rule() -> tuple[str, int]:
    delivery = Delivery.objects.get()
    return delivery.missed_policy, delivery.missed_after_s


def test_the_rule_for_being_late_is_chosen_frozen_and_shown(
    sign_in: SignIn, manager: User, brand: Brand, sandbox_account: SocialAccount, fresh: uuid.UUID
) -> None:
    client = sign_in(manager)
    when = {"date": "2026-12-01", "time": "09:00"}
    send(client, fresh, form(brand, sandbox_account, action="schedule", late="skip:3600", **when))
    assert rule() == ("skip", 3600)
    page = client.get(reverse("content_calendar:post", args=[fresh])).content.decode()
    assert page.count("If late: published up to 1 hour after its time, then skipped") == 2
    editor = client.get(reverse("content_calendar:edit", args=[fresh])).content.decode()
    assert '<option value="skip:3600" selected>' in editor

    version = str(Post.objects.get().version)
    data = form(brand, sandbox_account, action="update", late="ask:900", version=version, **when)
    send(client, fresh, data)
    assert rule() == ("ask", 900)


def test_without_a_choice_the_brands_rule_is_frozen(
    sign_in: SignIn, manager: User, brand: Brand, sandbox_account: SocialAccount, fresh: uuid.UUID
) -> None:
    set_missed_rule(brand=brand, rule=CHOICES["skip:10800"], actor=manager, now=NOW)
    data = form(brand, sandbox_account, action="schedule", date="2026-12-01", time="09:00")
    send(sign_in(manager), fresh, data)
    assert rule() == ("skip", 10800)
    set_missed_rule(brand=brand, rule=CHOICES["ask:300"], actor=manager, now=NOW)
    assert rule() == ("skip", 10800)  # what is scheduled keeps its rule


def test_a_rule_that_is_not_listed_is_refused_in_words(
    sign_in: SignIn, manager: User, brand: Brand, sandbox_account: SocialAccount, fresh: uuid.UUID
) -> None:
    data = form(brand, sandbox_account, action="schedule", late="never:7", date="2026-12-01", time="09:00")
    response = send(sign_in(manager), fresh, data)
    assert response.status_code == 422
    assert "Choose one of the rules that are listed." in response.content.decode()
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("action", ["schedule", "publish", "update"])
def test_creator_cannot_schedule_by_a_forged_button(
    sign_in: SignIn,
    creator: User,
    brand: Brand,
    sandbox_account: SocialAccount,
    fresh: uuid.UUID,
    action: str,
) -> None:
    data = form(brand, sandbox_account, action=action, date="2026-12-01", time="09:00")
    assert send(sign_in(creator), fresh, data).status_code == 403
    assert not Delivery.objects.exists()
    assert not Post.objects.exists()


def test_creator_cannot_change_what_is_scheduled(
    sign_in: SignIn, creator: User, manager: User, brand: Brand, draft_post: Post
) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    client = sign_in(creator)
    assert client.get(reverse("content_calendar:edit", args=[draft_post.pk])).status_code == 403
    assert autosave(client, draft_post.pk, form(brand, version="2")).status_code == 403
    assert Post.objects.get().excerpt == "Fresh coffee at nine"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"date": "2026-11-01", "time": "09:00"}, "This time is over"),
        ({"date": "2027-03-28", "time": "02:30"}, "The next possible time is 03:00"),
        ({"date": "", "time": ""}, "Enter a date and a time"),
        ({"date": "someday", "time": "soon"}, "Enter a date and a time"),
        ({"date": "2026-12-01", "time": "09:00", "account": []}, "Choose at least one account"),
        (
            {"date": "2026-12-01", "time": "09:00", "base.0.text": "x" * 501},
            "Too long for Sandbox by 1 character",
        ),
        (
            {"date": "2026-12-01", "time": "09:00", "base.0.text": " "},
            "Write something or add a picture",
        ),
    ],
)
def test_what_cannot_be_scheduled_is_said_and_the_draft_kept(
    sign_in: SignIn,
    manager: User,
    brand: Brand,
    sandbox_account: SocialAccount,
    draft_post: Post,
    more: dict[str, Any],
    said: str,
) -> None:
    data = form(brand, sandbox_account, text="Keep me", version="1", action="schedule") | more
    response = send(sign_in(manager), draft_post.pk, data)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert data["base.0.text"].strip()[:30] in response.content.decode()
    assert not Delivery.objects.exists()


def test_account_that_is_lost_blocks_and_is_named(
    sign_in: SignIn, manager: User, brand: Brand, sandbox_account: SocialAccount, fresh: uuid.UUID
) -> None:
    SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT)
    data = form(brand, sandbox_account, action="publish")
    response = send(sign_in(manager), fresh, data)
    assert response.status_code == 422
    assert "@harbour must be reconnected" in response.content.decode()
    assert Post.objects.get().excerpt == "Hello"
    assert not Delivery.objects.exists()


def test_changes_of_a_scheduled_post_are_sent_instead(
    sign_in: SignIn, manager: User, brand: Brand, draft_post: Post, sandbox_account: SocialAccount
) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    data = form(brand, sandbox_account, text="Better", version="2", action="update")
    data |= {"date": "2026-12-01", "time": "09:00"}
    assert send(sign_in(manager), draft_post.pk, data).status_code == 302
    delivery = Delivery.objects.get()
    assert thaw(delivery.payload).parts[0].text == "Better"
    assert delivery.due_at == dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)


def test_post_that_is_being_sent_is_not_changed_and_the_words_stay_on_the_page(
    sign_in: SignIn, manager: User, brand: Brand, draft_post: Post, sandbox_account: SocialAccount
) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    Delivery.objects.update(state=DeliveryState.SENDING, lease_until=NOW)
    data = form(brand, sandbox_account, text="Too late", version="2", action="update")
    response = send(sign_in(manager), draft_post.pk, data)
    assert response.status_code == 422
    assert "Nothing was changed: the post is being sent" in response.content.decode()
    assert "Too late</textarea>" in response.content.decode()
    assert thaw(Delivery.objects.get().payload).parts[0].text == "Fresh coffee at nine"


def test_edit_page_shows_the_saved_thread_and_card(
    sign_in: SignIn, creator: User, brand: Brand, fresh: uuid.UUID
) -> None:
    client = sign_in(creator)
    data = thread(brand, "first", "second") | {
        "base.0.card_url": "example.com/a",
        "base.0.card_title": "A title",
    }
    autosave(client, fresh, data)
    page = client.get(reverse("content_calendar:edit", args=[fresh])).content.decode()
    assert "first</textarea>" in page
    assert 'value="https://example.com/a"' in page
    assert 'value="A title"' in page


def test_composer_costs_few_queries(
    sign_in: SignIn,
    creator: User,
    brand: Brand,
    sandbox_account: SocialAccount,
    second_account: SocialAccount,
    fresh: uuid.UUID,
    django_assert_max_num_queries: Any,
) -> None:
    client = sign_in(creator)
    image = make_image(brand, creator)
    data = form(brand, sandbox_account, second_account, **{"base.0.media": str(image.pk)})
    with django_assert_max_num_queries(9):
        check(client, fresh, data)


def test_own_words_of_an_unticked_account_wait_on_the_page(
    sign_in: SignIn, creator: User, brand: Brand, sandbox_account: SocialAccount, fresh: uuid.UUID
) -> None:
    own = str(sandbox_account.pk)
    data = form(brand) | {"custom": own, f"{own}.part": ["0"], f"{own}.0.text": "Only here"}
    page = change(sign_in(creator), fresh, data, "")
    assert "Only here</textarea>" in page


def test_edit_of_a_post_that_is_not_there_is_not_found(sign_in: SignIn, creator: User, brand: Brand) -> None:
    assert sign_in(creator).get(reverse("content_calendar:edit", args=[uuid.uuid4()])).status_code == 404


def test_brand_of_a_new_page_must_be_ones_own(
    sign_in: SignIn, creator: User, brand: Brand, other_brand: Brand
) -> None:
    client = sign_in(creator)
    address = reverse("content_calendar:compose")
    assert b"Asia/Tokyo" in client.get(address, {"brand": str(other_brand.pk)}).content
    assert client.get(address, {"brand": str(uuid.uuid4())}).status_code == 404
