from __future__ import annotations

import datetime as dt
import uuid

import pytest

from accounts.models import AuditEntry, Brand, SocialAccount, User
from connectors.base import LinkCard
from content_calendar.content import MediaUse, Part, parts_from_json, parts_to_json
from content_calendar.models import Approval, Post
from content_calendar.services.drafts import (
    AccountUnknown,
    AlreadyScheduled,
    AlreadySending,
    Draft,
    EditConflict,
    MediaUnknown,
    PostTaken,
    create_post,
    delete_post,
    duplicate_post,
    restore_post,
    save_draft,
)
from content_calendar.services.scheduling import schedule_post
from outbox.models import Delivery, DeliveryState
from tests.cast import make_account
from tests.content_calendar.conftest import LATER, NOW, make_image, make_post

pytestmark = pytest.mark.django_db


def text_of(post: Post) -> str:
    post.refresh_from_db()
    return str(post.parts[0]["text"])


def test_content_survives_the_database() -> None:
    parts = (
        Part("一つ目", (MediaUse(uuid.uuid4(), "猫"),)),
        Part("two", (), LinkCard("https://example.com", "Title", "About")),
    )
    assert parts_from_json(parts_to_json(parts)) == parts


def test_draft_is_saved_with_its_variants(
    brand: Brand, creator: User, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    draft = Draft(
        parts=(Part("Hello"),),
        accounts=(sandbox_account.pk, second_account.pk),
        own_parts={second_account.pk: (Part("Hello there"),)},
        planned_at=LATER,
    )
    post = create_post(brand=brand, author=creator, draft=draft, now=NOW)
    assert Draft.of_post(Post.objects.get(pk=post.pk)) == draft
    assert post.created_at == NOW


def test_stale_save_is_refused_and_loses_nothing(draft_post: Post) -> None:
    save_draft(
        post=draft_post, version=1, draft=Draft(parts=(Part("theirs"),)), now=NOW, edited_in="their page"
    )
    with pytest.raises(EditConflict) as conflict:
        save_draft(
            post=draft_post, version=1, draft=Draft(parts=(Part("mine"),)), now=NOW, edited_in="my page"
        )
    assert conflict.value.post.version == 2
    assert text_of(draft_post) == "theirs"


def test_save_whose_answer_was_lost_is_no_conflict_for_its_own_page(draft_post: Post) -> None:
    save_draft(post=draft_post, version=1, draft=Draft(parts=(Part("first"),)), now=NOW, edited_in="page")
    save_draft(post=draft_post, version=1, draft=Draft(parts=(Part("second"),)), now=NOW, edited_in="page")
    assert text_of(draft_post) == "second"


def test_page_that_saved_once_does_not_overwrite_somebody_who_saved_after_it(draft_post: Post) -> None:
    save_draft(post=draft_post, version=1, draft=Draft(parts=(Part("mine"),)), now=NOW, edited_in="my page")
    save_draft(
        post=draft_post, version=2, draft=Draft(parts=(Part("theirs"),)), now=NOW, edited_in="their page"
    )
    with pytest.raises(EditConflict):
        save_draft(
            post=draft_post, version=2, draft=Draft(parts=(Part("again"),)), now=NOW, edited_in="my page"
        )
    assert text_of(draft_post) == "theirs"


def test_first_save_that_is_repeated_makes_one_post(brand: Brand, creator: User) -> None:
    wanted = uuid.uuid4()
    create_post(brand=brand, author=creator, draft=Draft(), now=NOW, post_id=wanted)
    with pytest.raises(PostTaken):
        create_post(brand=brand, author=creator, draft=Draft(), now=NOW, post_id=wanted)
    assert Post.objects.count() == 1


def test_account_of_another_brand_is_unknown(
    draft_post: Post, other_brand: Brand, sandbox_account: SocialAccount
) -> None:
    foreign = make_account(other_brand, handle="tea")
    draft = Draft(parts=(Part("x"),), accounts=(sandbox_account.pk, foreign.pk))
    with pytest.raises(AccountUnknown):
        save_draft(post=draft_post, version=1, draft=draft, now=NOW)
    assert text_of(draft_post) == "Fresh coffee at nine"
    assert [v.account_id for v in draft_post.variants.all()] == [sandbox_account.pk]


def test_image_of_another_brand_is_unknown(draft_post: Post, other_brand: Brand, creator: User) -> None:
    foreign = make_image(other_brand, creator)
    draft = Draft(parts=(Part("x", (MediaUse(foreign.pk),)),))
    with pytest.raises(MediaUnknown):
        save_draft(post=draft_post, version=1, draft=draft, now=NOW)
    assert text_of(draft_post) == "Fresh coffee at nine"


def test_scheduled_post_is_not_overwritten_by_a_draft_page(draft_post: Post, manager: User) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    draft_post.refresh_from_db()
    with pytest.raises(AlreadyScheduled):
        save_draft(post=draft_post, version=draft_post.version, draft=Draft(), now=NOW)
    assert text_of(draft_post) == "Fresh coffee at nine"


def test_copy_is_a_draft_without_a_time_and_without_lost_accounts(
    brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    post = make_post(brand, creator, "Original", sandbox_account, second_account, planned_at=LATER)
    SocialAccount.objects.filter(pk=second_account.pk).update(status="disconnected")
    copy = duplicate_post(post=post, actor=manager, now=NOW)
    assert copy.pk != post.pk
    assert (copy.author, copy.planned_at, copy.approval) == (manager, None, Approval.DRAFT)
    assert [v.account_id for v in copy.variants.all()] == [sandbox_account.pk]
    assert text_of(copy) == "Original"


def test_deleting_cancels_what_is_scheduled_and_can_be_undone(draft_post: Post, manager: User) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    delete_post(post=draft_post, actor=manager, now=NOW)
    assert Delivery.objects.get().state == DeliveryState.CANCELLED
    draft_post.refresh_from_db()
    assert draft_post.deleted_at == NOW

    restored = restore_post(post=draft_post, actor=manager, now=NOW)
    assert restored.deleted_at is None
    assert restored.approval == Approval.DRAFT
    assert Delivery.objects.get().state == DeliveryState.CANCELLED
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "post.scheduled",
        "post.deleted",
        "post.restored",
    ]


@pytest.mark.parametrize(
    "state", [DeliveryState.CLAIMED, DeliveryState.SENDING, DeliveryState.PROCESSING, DeliveryState.UNCERTAIN]
)
def test_what_is_on_its_way_cannot_be_deleted(draft_post: Post, manager: User, state: DeliveryState) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    Delivery.objects.update(state=state, lease_until=NOW + dt.timedelta(seconds=30))
    with pytest.raises(AlreadySending):
        delete_post(post=draft_post, actor=manager, now=NOW)
    draft_post.refresh_from_db()
    assert draft_post.deleted_at is None
    assert Delivery.objects.get().state == state
