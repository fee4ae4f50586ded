from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace

import pytest

from accounts.models import AccountStatus, AuditEntry, Brand, SocialAccount, User
from connectors.errors import RejectReason
from content_calendar.content import MediaUse, Part
from content_calendar.models import Approval, Post, Rendition, Variant
from content_calendar.services.changes import Replace
from content_calendar.services.drafts import AlreadySending, Draft, EditConflict
from content_calendar.services.scheduling import (
    InThePast,
    NoAccountChosen,
    NothingToMove,
    NotReady,
    cancel_variant,
    move_post,
    publish_now,
    schedule_post,
    unschedule,
    update_scheduled,
)
from content_calendar.services.sending import objection, page
from outbox.errors import StopReason
from outbox.models import Attempt, AttemptState, Delivery, DeliveryState, ReceiptEvent, ReceiptKind
from outbox.payloads import thaw
from tests.content_calendar.conftest import LATER, NOW, lose_file, make_image, make_post

pytestmark = pytest.mark.django_db

SOON = NOW + dt.timedelta(hours=1)


def states() -> list[str]:
    return sorted(Delivery.objects.values_list("state", flat=True))


def put(state: DeliveryState, *deliveries: Delivery) -> None:
    """As if the outbox had moved them."""
    ids = [delivery.pk for delivery in deliveries] or list(Delivery.objects.values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=ids).update(state=state, lease_until=NOW + dt.timedelta(minutes=1))


# --- into the schedule ------------------------------------------------------------------------


def test_scheduling_freezes_every_variant(
    brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    post = make_post(brand, creator, "For all", sandbox_account, second_account)
    own = Variant.objects.get(account=second_account)
    own.parts = [{"text": "For one", "media": [], "link_card": None}]
    own.save()
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)

    post.refresh_from_db()
    assert (post.approval, post.planned_at) == (Approval.APPROVED, LATER)
    texts = {d.account_id: thaw(d.payload).parts[0].text for d in Delivery.objects.all()}
    assert texts == {sandbox_account.pk: "For all", second_account.pk: "For one"}
    assert {(d.due_at, d.state, d.scheduled_by) for d in Delivery.objects.all()} == {
        (LATER, DeliveryState.SCHEDULED, manager)
    }
    assert AuditEntry.objects.get().action == "post.scheduled"


def test_payload_says_the_brands_language(draft_post: Post, brand: Brand, manager: User) -> None:
    Brand.objects.filter(pk=brand.pk).update(locale="ja")
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    assert thaw(Delivery.objects.get().payload).language == "ja"


def test_post_without_account_is_not_scheduled(brand: Brand, creator: User, manager: User) -> None:
    post = make_post(brand, creator, "Nowhere")
    with pytest.raises(NoAccountChosen):
        schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    assert not Delivery.objects.exists()


def test_time_that_is_over_is_refused(draft_post: Post, manager: User) -> None:
    with pytest.raises(InThePast):
        schedule_post(post=draft_post, at=NOW - dt.timedelta(seconds=1), actor=manager, now=NOW)
    assert not Delivery.objects.exists()


def test_one_text_that_does_not_fit_keeps_all_out_of_the_schedule(
    brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    post = make_post(brand, creator, "x" * 400, sandbox_account, second_account)
    with pytest.raises(NotReady) as refusal:
        schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    assert [check.account for check in refusal.value.checks] == [second_account]
    assert refusal.value.checks[0].issues[0].message.startswith("Too long for Bluesky by 100 characters")
    assert not Delivery.objects.exists()
    post.refresh_from_db()
    assert post.approval == Approval.DRAFT


@pytest.mark.parametrize("status", [AccountStatus.NEEDS_RECONNECT, AccountStatus.DISCONNECTED])
def test_account_that_is_not_connected_blocks_the_schedule(
    draft_post: Post, manager: User, sandbox_account: SocialAccount, status: AccountStatus
) -> None:
    SocialAccount.objects.filter(pk=sandbox_account.pk).update(status=status)
    with pytest.raises(NotReady):
        schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    assert not Delivery.objects.exists()


def test_publishing_now_is_due_at_once(draft_post: Post, manager: User) -> None:
    publish_now(post=draft_post, actor=manager, now=NOW)
    assert Delivery.objects.get().next_attempt_at == NOW


def test_image_too_large_for_a_network_goes_out_smaller(
    brand: Brand, creator: User, manager: User, second_account: SocialAccount
) -> None:
    asset = make_image(brand, creator, kind="PNG", size=(900, 700))
    asset.size = 9_000_000  # as if it were a camera's
    asset.save()
    post = make_post(brand, creator, "Big", second_account, media=(MediaUse(asset.pk, "A wall"),))
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    sent = thaw(Delivery.objects.get().payload).parts[0].media[0]
    rendition = Rendition.objects.get()
    assert (sent.mime_type, sent.size, sent.alt_text) == ("image/jpeg", rendition.size, "A wall")
    assert sent.size <= second_account.info.images.max_bytes
    with sent.open() as file:
        assert file.read(2) == b"\xff\xd8"


# --- changes in the schedule ------------------------------------------------------------------


def test_editing_a_scheduled_post_changes_what_will_be_sent(draft_post: Post, manager: User) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    draft_post.refresh_from_db()
    draft = Draft(parts=(Part("Better words"),), accounts=Draft.of_post(draft_post).accounts, planned_at=SOON)
    update_scheduled(post=draft_post, version=draft_post.version, draft=draft, actor=manager, now=NOW)
    delivery = Delivery.objects.get()
    assert thaw(delivery.payload).parts[0].text == "Better words"
    assert (delivery.due_at, delivery.next_attempt_at) == (SOON, SOON)


def test_accounts_added_are_scheduled_and_those_taken_off_cancelled(
    draft_post: Post, manager: User, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    draft_post.refresh_from_db()
    draft = Draft(parts=(Part("Hello"),), accounts=(second_account.pk,), planned_at=LATER)
    update_scheduled(post=draft_post, version=draft_post.version, draft=draft, actor=manager, now=NOW)
    assert {d.account_id: d.state for d in Delivery.objects.all()} == {
        sandbox_account.pk: DeliveryState.CANCELLED,
        second_account.pk: DeliveryState.SCHEDULED,
    }


@pytest.mark.parametrize(
    "state", [DeliveryState.CLAIMED, DeliveryState.SENDING, DeliveryState.PROCESSING, DeliveryState.UNCERTAIN]
)
def test_what_is_being_sent_is_not_changed(draft_post: Post, manager: User, state: DeliveryState) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    put(state)
    draft_post.refresh_from_db()
    draft = Draft(parts=(Part("Too late"),), accounts=Draft.of_post(draft_post).accounts, planned_at=LATER)
    with pytest.raises(AlreadySending):
        update_scheduled(post=draft_post, version=draft_post.version, draft=draft, actor=manager, now=NOW)
    draft_post.refresh_from_db()
    assert draft_post.parts[0]["text"] == "Fresh coffee at nine"
    assert thaw(Delivery.objects.get().payload).parts[0].text == "Fresh coffee at nine"


def test_change_that_does_not_fit_leaves_the_old_version_in_the_schedule(
    draft_post: Post, manager: User
) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    draft_post.refresh_from_db()
    draft = Draft(parts=(Part("x" * 501),), accounts=Draft.of_post(draft_post).accounts, planned_at=LATER)
    with pytest.raises(NotReady):
        update_scheduled(post=draft_post, version=draft_post.version, draft=draft, actor=manager, now=NOW)
    draft_post.refresh_from_db()
    assert draft_post.parts[0]["text"] == "Fresh coffee at nine"
    assert states() == [DeliveryState.SCHEDULED]


def test_two_managers_do_not_overwrite_each_other(draft_post: Post, manager: User, owner: User) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    draft_post.refresh_from_db()
    seen = draft_post.version
    accounts = Draft.of_post(draft_post).accounts
    first = Draft(parts=(Part("Mine"),), accounts=accounts, planned_at=LATER)
    update_scheduled(post=draft_post, version=seen, draft=first, actor=manager, now=NOW)
    second = Draft(parts=(Part("Theirs"),), accounts=accounts, planned_at=LATER)
    with pytest.raises(EditConflict):
        update_scheduled(post=draft_post, version=seen, draft=second, actor=owner, now=NOW)
    assert thaw(Delivery.objects.get().payload).parts[0].text == "Mine"


def test_partly_published_post_can_be_mended_where_it_failed(
    brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    post = make_post(brand, creator, "First try", sandbox_account, second_account)
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    put(DeliveryState.SENT, Delivery.objects.get(account=sandbox_account))
    put(DeliveryState.FAILED, Delivery.objects.get(account=second_account))
    post.refresh_from_db()
    later = LATER + dt.timedelta(days=1)
    draft = Draft(
        parts=(Part("Second try"),), accounts=(sandbox_account.pk, second_account.pk), planned_at=later
    )
    update_scheduled(post=post, version=post.version, draft=draft, actor=manager, now=LATER)
    sent, mended = Delivery.objects.get(account=sandbox_account), Delivery.objects.get(account=second_account)
    assert (sent.state, thaw(sent.payload).parts[0].text) == (DeliveryState.SENT, "First try")
    assert (mended.state, mended.due_at) == (DeliveryState.SCHEDULED, later)
    assert thaw(mended.payload).parts[0].text == "Second try"


# --- moving -----------------------------------------------------------------------------------


def test_moving_a_draft_changes_its_plan_only(draft_post: Post, creator: User) -> None:
    move_post(post=draft_post, at=SOON, actor=creator, now=NOW)
    draft_post.refresh_from_db()
    assert draft_post.planned_at == SOON
    assert not Delivery.objects.exists()


def test_moving_a_scheduled_post_moves_its_deliveries(draft_post: Post, manager: User) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    move_post(post=draft_post, at=SOON, actor=manager, now=NOW)
    draft_post.refresh_from_db()
    assert draft_post.planned_at == SOON
    assert Delivery.objects.get().next_attempt_at == SOON


def test_moving_into_the_past_is_refused(draft_post: Post, manager: User) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    with pytest.raises(InThePast):
        move_post(post=draft_post, at=NOW - dt.timedelta(minutes=1), actor=manager, now=NOW)
    assert Delivery.objects.get().due_at == LATER


@pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.MISSED])
def test_moving_what_failed_or_was_missed_schedules_it_again(
    draft_post: Post, manager: User, state: DeliveryState
) -> None:
    schedule_post(post=draft_post, at=SOON, actor=manager, now=NOW)
    put(state)
    move_post(post=draft_post, at=LATER, actor=manager, now=SOON)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.next_attempt_at) == (DeliveryState.SCHEDULED, LATER)


def test_what_is_being_sent_does_not_move(draft_post: Post, manager: User) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    put(DeliveryState.SENDING)
    with pytest.raises(AlreadySending):
        move_post(post=draft_post, at=SOON, actor=manager, now=NOW)
    assert Delivery.objects.get().due_at == LATER


def test_published_post_does_not_move(draft_post: Post, manager: User) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    put(DeliveryState.SENT)
    with pytest.raises(NothingToMove):
        move_post(post=draft_post, at=SOON, actor=manager, now=NOW)
    draft_post.refresh_from_db()
    assert draft_post.planned_at == LATER


# --- out of the schedule ----------------------------------------------------------------------


def test_unscheduling_makes_a_draft_that_keeps_its_time(draft_post: Post, manager: User) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    unschedule(post=draft_post, actor=manager, now=NOW)
    draft_post.refresh_from_db()
    assert (draft_post.approval, draft_post.planned_at) == (Approval.DRAFT, LATER)
    assert states() == [DeliveryState.CANCELLED]
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    assert states() == [DeliveryState.CANCELLED, DeliveryState.SCHEDULED]


def test_what_went_out_cannot_be_unscheduled(
    brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    post = make_post(brand, creator, "Half", sandbox_account, second_account)
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    put(DeliveryState.SENT, Delivery.objects.get(account=second_account))
    with pytest.raises(AlreadySending):
        unschedule(post=post, actor=manager, now=NOW)
    assert states() == [DeliveryState.SCHEDULED, DeliveryState.SENT]


def begin(delivery: Delivery) -> None:
    """As if the first part of a thread had been published."""
    Attempt.objects.create(
        delivery=delivery,
        step="part0.publish",
        key=uuid.uuid4(),
        fence=1,
        fingerprint="",
        intent={},
        state=AttemptState.DONE,
        started_at=NOW,
    )


def test_thread_that_stopped_in_its_middle_does_not_become_a_draft(draft_post: Post, manager: User) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    begin(Delivery.objects.get())
    put(DeliveryState.FAILED)
    with pytest.raises(AlreadySending):
        unschedule(post=draft_post, actor=manager, now=NOW)
    assert states() == [DeliveryState.FAILED]


def test_thread_that_was_given_up_in_its_middle_is_never_scheduled_anew(
    draft_post: Post, manager: User
) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    begin(Delivery.objects.get())
    put(DeliveryState.FAILED)
    variant = Variant.objects.select_related("post", "delivery").get()
    cancel_variant(variant=variant, actor=manager, now=NOW)
    draft_post.refresh_from_db()
    for again in (
        lambda: schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW),
        lambda: publish_now(post=draft_post, actor=manager, now=NOW),
    ):
        with pytest.raises(AlreadySending):
            again()
    assert states() == [DeliveryState.CANCELLED]


def test_cancelling_the_last_account_makes_a_draft(draft_post: Post, manager: User) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    cancel_variant(variant=Variant.objects.get(), actor=manager, now=NOW)
    draft_post.refresh_from_db()
    assert draft_post.approval == Approval.DRAFT
    assert states() == [DeliveryState.CANCELLED]


@pytest.fixture
def without_second(
    brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount, second_account: SocialAccount
) -> Post:
    """A scheduled post that somebody took off one of its two accounts."""
    post = make_post(brand, creator, "Only here", sandbox_account, second_account, planned_at=LATER)
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    variant = Variant.objects.select_related("post", "delivery").get(post=post, account=second_account)
    cancel_variant(variant=variant, actor=manager, now=NOW)
    post.refresh_from_db()
    return post


@pytest.mark.parametrize("by", ["publish", "schedule", "edit", "replace"])
def test_an_account_that_was_taken_off_stays_off(
    without_second: Post, manager: User, second_account: SocialAccount, by: str
) -> None:
    """Whatever is done with the rest."""
    if by == "publish":
        publish_now(post=without_second, actor=manager, now=NOW)
    elif by == "schedule":
        schedule_post(post=without_second, at=SOON, actor=manager, now=NOW)
    elif by == "edit":
        draft = replace(Draft.of_post(without_second), planned_at=SOON)
        update_scheduled(
            post=without_second, version=without_second.version, draft=draft, actor=manager, now=NOW
        )
    else:
        draft = Replace("here", "there").applied(Draft.of_post(without_second))
        update_scheduled(
            post=without_second, version=without_second.version, draft=draft, actor=manager, now=NOW
        )
    live = Delivery.objects.exclude(state=DeliveryState.CANCELLED).get()
    assert live.account_id != second_account.pk


def test_an_account_that_was_taken_off_comes_back_when_it_is_chosen_again(
    without_second: Post, manager: User, second_account: SocialAccount
) -> None:
    saved = Draft.of_post(without_second)
    assert second_account.pk not in saved.accounts
    draft = replace(saved, accounts=(*saved.accounts, second_account.pk))
    update_scheduled(post=without_second, version=without_second.version, draft=draft, actor=manager, now=NOW)
    assert Delivery.objects.exclude(state=DeliveryState.CANCELLED).count() == 2


def test_what_was_given_up_in_its_middle_is_not_begun_anew_by_way_of_an_edit(
    brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    post = make_post(brand, creator, "One", sandbox_account, second_account, planned_at=LATER)
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    variant = Variant.objects.select_related("post", "delivery").get(account=second_account)
    assert variant.delivery is not None
    begin(variant.delivery)
    put(DeliveryState.FAILED, variant.delivery)
    cancel_variant(variant=variant, actor=manager, now=NOW)
    post.refresh_from_db()
    edited = Draft(parts=(Part("Two"),), accounts=(sandbox_account.pk,), planned_at=LATER)
    post = update_scheduled(post=post, version=post.version, draft=edited, actor=manager, now=NOW)
    again = replace(edited, accounts=(sandbox_account.pk, second_account.pk))
    post.refresh_from_db()
    with pytest.raises(AlreadySending):
        update_scheduled(post=post, version=post.version, draft=again, actor=manager, now=NOW)


def test_back_in_the_drafts_all_its_accounts_are_chosen(without_second: Post, manager: User) -> None:
    unschedule(post=without_second, actor=manager, now=NOW)
    assert len(Draft.of_post(without_second).accounts) == 2


# --- asked again at send time -----------------------------------------------------------------


def test_nothing_stands_against_an_ordinary_delivery(draft_post: Post, manager: User) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    delivery = Delivery.objects.get()
    assert objection(delivery, NOW) == ""
    assert page(delivery) == f"/calendar/posts/{draft_post.pk}/"


def test_lost_image_stops_the_delivery(
    brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount
) -> None:
    asset = make_image(brand, creator)
    post = make_post(brand, creator, "Look", sandbox_account, media=(MediaUse(asset.pk),))
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    lose_file(asset)
    assert objection(Delivery.objects.get(), NOW) == StopReason.MEDIA_MISSING


def test_deleted_post_is_not_sent_even_if_its_delivery_survived(draft_post: Post, manager: User) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    Post.objects.update(deleted_at=NOW)
    assert objection(Delivery.objects.get(), NOW) == StopReason.POST_DELETED


def test_change_is_told_on_the_receipt(draft_post: Post, manager: User) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    draft_post.refresh_from_db()
    draft = Draft(parts=(Part("New"),), accounts=Draft.of_post(draft_post).accounts, planned_at=LATER)
    update_scheduled(post=draft_post, version=draft_post.version, draft=draft, actor=manager, now=NOW)
    kinds = list(ReceiptEvent.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == [ReceiptKind.SCHEDULED, ReceiptKind.CHANGED]


def test_every_reason_of_a_refused_content_has_its_own_sentence(
    sandbox_account: SocialAccount,
) -> None:
    from connectors.registry import CONNECTORS
    from connectors.text import Problem
    from content_calendar.selectors.reasons import explain

    checked = [
        RejectReason.TEXT_EMPTY,
        RejectReason.TEXT_TOO_LONG,
        RejectReason.TOO_MANY_MEDIA,
        RejectReason.MEDIA_TYPE,
        RejectReason.MEDIA_TOO_LARGE,
        RejectReason.ALT_TEXT_TOO_LONG,
        RejectReason.THREAD_TOO_LONG,
        RejectReason.NOT_SUPPORTED,
    ]
    said = {explain(Problem(reason, 0, 0, 3, 5), sandbox_account.info) for reason in checked}
    assert len(said) == len(checked)
    too_many = explain(Problem(RejectReason.TOO_MANY_TAGS, 0, None, 1, 2), CONNECTORS["x"].INFO)
    assert too_many == "Too many cashtags (such as $ABC) for X: 2, at most 1."
