"""Who has to agree before a post goes out: every transition, and nothing goes out that nobody approved."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import product

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry, Brand, Membership, Notification, Role, SocialAccount, User
from accounts.news import sentence
from content_calendar.content import MediaUse, Part
from content_calendar.models import (
    STEPS,
    Approval,
    ApprovalRule,
    ApprovalRules,
    Comment,
    KeptBecause,
    Label,
    Post,
    PostVersion,
    Review,
    ReviewOutcome,
    ReviewRequest,
    ReviewStep,
)
from content_calendar.selectors.approval import fingerprint_of, missing_steps, waiting
from content_calendar.selectors.states import PostState, derive_state
from content_calendar.services import approval, drafts, reminders, review_links, scheduling
from content_calendar.services.approval import (
    ChangedMeanwhile,
    ClientDecides,
    NoApprovalAsked,
    NothingAsked,
    NothingToReview,
)
from content_calendar.services.drafts import AlreadyScheduled, Draft
from content_calendar.services.review_links import LinkFacts
from content_calendar.services.reviews import ApprovalMissing
from content_calendar.services.sending import objection
from content_calendar.services.transitions import TABLE, ApprovalNotPossible, move_approval
from outbox.errors import StopReason
from outbox.models import Delivery, DeliveryState
from tests.cast import make_account
from tests.content_calendar.conftest import LATER, NOW, make_image, make_post

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
INTERNAL, CLIENT = ReviewStep.INTERNAL, ReviewStep.CLIENT


def ask_for(brand: Brand, rule: ApprovalRule, hours: int = 24) -> None:
    ApprovalRules.objects.update_or_create(brand=brand, defaults={"rule": rule, "remind_after_h": hours})


def open_review(post: Post) -> Review:
    return Review.objects.open().get(post=post)


def version_of(post: Post) -> uuid.UUID:
    return open_review(post).version_id


def link_for(post: Post, actor: User, *, email: str = "", now: dt.datetime = NOW) -> ReviewRequest:
    facts = LinkFacts("Mr Miller", email, "", 14, "en")
    request, _token = review_links.create_request(
        brand=post.brand, posts=[post.pk], facts=facts, actor=actor, now=now
    )
    return request


def client_says(
    post: Post, link: ReviewRequest, *, yes: bool, text: str = "Another colour", now: dt.datetime = NOW
) -> approval.Decided | None:
    return review_links.answer(
        request=link,
        post_id=post.pk,
        version_id=version_of(post),
        is_approved=yes,
        client_name="Mr Miller",
        text="" if yes else text,
        now=now,
    )


def with_text(post: Post, text: str) -> Draft:
    return replace(Draft.of_post(post), parts=(Part(text),))


def save(post: Post, text: str, actor: User) -> Post:
    post.refresh_from_db()
    return drafts.save_draft(
        post=post, version=post.version, draft=with_text(post, text), actor=actor, now=NOW
    )


def state(post: Post) -> str:
    post.refresh_from_db()
    return post.approval


def live(post: Post) -> list[Delivery]:
    return list(Delivery.objects.filter(variant__post=post).exclude(state=DeliveryState.CANCELLED))


# --- the table ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("start", "to"), list(product(Approval, Approval)))
def test_only_what_stands_in_the_table_leads_anywhere(
    draft_post: Post, start: Approval, to: Approval
) -> None:
    Post.objects.filter(pk=draft_post.pk).update(approval=start)
    draft_post.refresh_from_db()
    if to is start or to in TABLE[start]:
        move_approval(draft_post, to)
        assert state(draft_post) == to
    else:
        with pytest.raises(ApprovalNotPossible):
            move_approval(draft_post, to, approved_fingerprint="x")
        assert state(draft_post) == start
        assert draft_post.approved_fingerprint == ""


def test_every_state_can_be_left_and_reached() -> None:
    assert set(TABLE) == set(Approval)
    assert all(TABLE.values())
    assert set().union(*TABLE.values()) == set(Approval)


# --- whatever people do ---------------------------------------------------------------------------

TEXTS = ("Fresh coffee at nine", "Fresh tea at nine", "Fresh cake at nine")


@dataclass
class Play:
    """A post, the people around it, and what was answered to which words, without the code under test."""

    post: Post
    creator: User
    manager: User
    link: ReviewRequest | None = None
    answers: dict[tuple[str, str], bool] = field(default_factory=dict)  # (step, text): the latest answer
    old_versions: list[uuid.UUID] = field(default_factory=list)

    @property
    def text(self) -> str:
        return str(Post.objects.get(pk=self.post.pk).parts[0]["text"])

    @property
    def is_scheduled(self) -> bool:
        return bool(live(self.post))

    def remember(self) -> None:
        for pk in Review.objects.filter(post=self.post).values_list("version_id", flat=True):
            if pk not in self.old_versions:
                self.old_versions.append(pk)

    def answer(self, step: str, *, yes: bool) -> None:
        self.answers[step, self.text] = yes


def edits(index: int, *, by_manager: bool = False) -> Callable[[Play], None]:
    def edit(play: Play) -> None:
        actor = play.manager if by_manager else play.creator
        play.post.refresh_from_db()
        if not play.is_scheduled:
            save(play.post, TEXTS[index], actor)
            return
        if not by_manager:  # a creator may not touch the schedule
            return
        is_alone = ApprovalRules.objects.get().rule == ApprovalRule.INTERNAL
        before = play.text
        scheduling.update_scheduled(
            post=play.post,
            version=play.post.version,
            draft=with_text(play.post, TEXTS[index]),
            actor=actor,
            now=NOW,
        )
        if is_alone and before != TEXTS[index]:
            play.answer(INTERNAL, yes=True)

    return edit


def submit(play: Play) -> None:
    approval.submit_for_review(post=play.post, actor=play.creator, now=NOW)


def approve(play: Play) -> None:
    approval.approve(post=play.post, version_id=version_of(play.post), actor=play.manager, now=NOW)
    play.answer(INTERNAL, yes=True)


def approve_what_is_gone(play: Play) -> None:
    """The page was opened before the last change: this decides nothing."""
    current = Review.objects.open().filter(post=play.post).values_list("version_id", flat=True).first()
    for old in play.old_versions:
        if old != current:
            with pytest.raises((ChangedMeanwhile, NothingAsked)):
                approval.approve(post=play.post, version_id=old, actor=play.manager, now=NOW)


def approve_own(play: Play) -> None:
    seen = Post.objects.values_list("version", flat=True).get(pk=play.post.pk)
    approval.approve_own(post=play.post, seen=seen, actor=play.manager, now=NOW)
    play.answer(INTERNAL, yes=True)


def send_back(play: Play) -> None:
    review = open_review(play.post)
    approval.ask_for_changes(
        post=play.post, version_id=review.version_id, text="No", actor=play.manager, now=NOW
    )
    play.answer(review.step, yes=False)


def client_answers(*, yes: bool) -> Callable[[Play], None]:
    def answer(play: Play) -> None:
        if play.link is None:
            play.link = link_for(play.post, play.manager)
        client_says(play.post, play.link, yes=yes)
        play.answer(CLIENT, yes=yes)

    return answer


def withdraw(play: Play) -> None:
    approval.withdraw(post=play.post, actor=play.creator, now=NOW)


def schedule(play: Play) -> None:
    scheduling.schedule_post(post=play.post, at=LATER, actor=play.manager, now=NOW)


def publish(play: Play) -> None:
    scheduling.publish_now(post=play.post, actor=play.manager, now=NOW)


def unschedule(play: Play) -> None:
    scheduling.unschedule(post=play.post, actor=play.manager, now=NOW)


def move(play: Play) -> None:
    scheduling.move_post(post=play.post, at=LATER + HOUR, actor=play.manager, now=NOW)


def delete_and_restore(play: Play) -> None:
    drafts.delete_post(post=play.post, actor=play.manager, now=NOW)
    drafts.restore_post(post=play.post, actor=play.manager, now=NOW)


DEEDS: dict[str, Callable[[Play], None]] = {
    "creator writes 0": edits(0),
    "creator writes 1": edits(1),
    "creator writes 2": edits(2),
    "manager writes 0": edits(0, by_manager=True),
    "manager writes 1": edits(1, by_manager=True),
    "submit": submit,
    "approve": approve,
    "approve what is gone": approve_what_is_gone,
    "approve own": approve_own,
    "send back": send_back,
    "client: yes": client_answers(yes=True),
    "client: no": client_answers(yes=False),
    "withdraw": withdraw,
    "schedule": schedule,
    "publish": publish,
    "unschedule": unschedule,
    "move": move,
    "delete and restore": delete_and_restore,
}
REFUSED = (
    AlreadyScheduled,
    ApprovalMissing,
    ChangedMeanwhile,
    ClientDecides,
    NoApprovalAsked,
    NothingAsked,
    drafts.AlreadySending,
    review_links.NoPosts,
    scheduling.NothingToMove,
    Review.DoesNotExist,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rule=st.sampled_from([ApprovalRule.INTERNAL, ApprovalRule.CLIENT, ApprovalRule.BOTH]),
    deeds=st.lists(st.sampled_from(sorted(DEEDS)), min_size=1, max_size=14),
)
def test_whatever_people_do_nothing_is_scheduled_that_was_not_approved(
    brand: Brand,
    creator: User,
    manager: User,
    sandbox_account: SocialAccount,
    rule: ApprovalRule,
    deeds: list[str],
) -> None:
    with transaction.atomic():
        ask_for(brand, rule)
        play = Play(make_post(brand, creator, TEXTS[0], sandbox_account, planned_at=LATER), creator, manager)
        for name in deeds:
            before = Approval(state(play.post))
            with suppress(*REFUSED), transaction.atomic():
                DEEDS[name](play)
            after = Approval(state(play.post))
            play.remember()
            told = f"after {name}: {before} -> {after}"

            assert _is_reachable(before, after), told
            asked = Review.objects.open().filter(post=play.post)
            assert asked.exists() == (after is Approval.IN_REVIEW), told
            lacking = [step for step in STEPS[rule] if not play.answers.get((step, play.text))]
            assert list(missing_steps(play.post, rule, fingerprint_of(play.post))) == lacking, told
            if after is Approval.IN_REVIEW:
                assert asked.get().step == lacking[0], told
            if after is Approval.READY:
                assert not lacking, told
            deliveries = live(play.post)
            assert bool(deliveries) == (after is Approval.APPROVED), told
            for delivery in deliveries:
                assert not lacking, told
                assert delivery.payload["parts"][0]["text"] == play.text, told
                assert objection(delivery, NOW) == "", told
            shown = derive_state((delivery.state for delivery in deliveries), after)
            assert (shown is PostState.SCHEDULED) == bool(deliveries), told
        transaction.set_rollback(True)


def _is_reachable(start: Approval, end: Approval) -> bool:
    """One deed is a few steps of the table: a last approval goes on into the schedule, deleting passes by
    the drafts."""
    reached, edge = {start}, {start}
    for _step in range(3):
        edge = {to for one in edge for to in TABLE[one]} - reached
        reached |= edge
    return end in reached


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    deeds=st.lists(
        st.one_of(st.sampled_from(sorted(DEEDS)), st.sampled_from(list(ApprovalRule))),
        min_size=2,
        max_size=14,
    )
)
def test_a_rule_that_changes_leaves_no_post_without_a_way_on(
    brand: Brand,
    creator: User,
    manager: User,
    sandbox_account: SocialAccount,
    deeds: list[str | ApprovalRule],
) -> None:
    with transaction.atomic():
        ask_for(brand, ApprovalRule.BOTH)
        play = Play(make_post(brand, creator, TEXTS[0], sandbox_account, planned_at=LATER), creator, manager)
        for deed in deeds:
            if isinstance(deed, ApprovalRule):
                ask_for(brand, deed)
            else:
                with suppress(*REFUSED), transaction.atomic():
                    DEEDS[deed](play)
            is_asked = Review.objects.open().filter(post=play.post).exists()
            assert is_asked == (state(play.post) == Approval.IN_REVIEW)
            assert bool(live(play.post)) == (state(play.post) == Approval.APPROVED)
        ask_for(brand, ApprovalRule.NONE)
        if not live(play.post):
            schedule(play)
        assert state(play.post) == Approval.APPROVED
        assert not Review.objects.open().filter(post=play.post).exists()
        transaction.set_rollback(True)


# --- one by one -----------------------------------------------------------------------------------


def test_without_a_rule_everything_is_as_before(draft_post: Post, manager: User) -> None:
    post = scheduling.schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    assert (post.approval, post.approved_fingerprint) == (Approval.APPROVED, "")
    assert not Review.objects.exists()
    with pytest.raises(NoApprovalAsked):
        approval.submit_for_review(post=draft_post, actor=manager, now=NOW)


@pytest.mark.parametrize("rule", [ApprovalRule.INTERNAL, ApprovalRule.CLIENT, ApprovalRule.BOTH])
def test_not_even_the_owner_schedules_what_lacks_an_approval(
    draft_post: Post, brand: Brand, owner: User, rule: ApprovalRule
) -> None:
    ask_for(brand, rule)
    for service in (
        lambda: scheduling.schedule_post(post=draft_post, at=LATER, actor=owner, now=NOW),
        lambda: scheduling.publish_now(post=draft_post, actor=owner, now=NOW),
        lambda: scheduling.update_scheduled(
            post=draft_post, version=1, draft=Draft.of_post(draft_post), actor=owner, now=NOW
        ),
    ):
        with pytest.raises(ApprovalMissing) as refusal:
            service()
        assert refusal.value.steps == STEPS[rule]
    assert state(draft_post) == Approval.DRAFT
    assert not Delivery.objects.exists()
    assert not PostVersion.objects.exists()


def test_two_steps_lead_into_the_schedule_in_the_name_of_who_sent_the_link(
    draft_post: Post, brand: Brand, creator: User, manager: User
) -> None:
    ask_for(brand, ApprovalRule.BOTH)
    decided = approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    assert decided.next_step is INTERNAL
    decided = approval.approve(post=draft_post, version_id=version_of(draft_post), actor=manager, now=NOW)
    assert decided.next_step is CLIENT
    link = link_for(draft_post, manager)
    answered = client_says(draft_post, link, yes=True)
    assert answered is not None
    assert answered.is_scheduled
    (delivery,) = live(draft_post)
    assert (delivery.due_at, delivery.scheduled_by) == (LATER, manager)
    assert state(draft_post) == Approval.APPROVED
    first, second = Review.objects.order_by("asked_at", "pk")
    assert (first.step, first.decided_by, first.client_name) == (INTERNAL, manager, "")
    assert (second.step, second.decided_by, second.client_name) == (CLIENT, None, "Mr Miller")
    assert second.request == link
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"post.submitted", "post.approved", "post.approved_by_client", "post.scheduled"} <= actions
    told = Notification.objects.get(user=creator)
    assert sentence(told.kind, told.context).startswith("Mr Miller approved the post")


def test_an_approved_post_whose_time_is_over_stays_approved_and_says_so(
    draft_post: Post, brand: Brand, creator: User, manager: User
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL)
    approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    late = LATER + HOUR
    decided = approval.approve(post=draft_post, version_id=version_of(draft_post), actor=manager, now=late)
    assert isinstance(decided.refusal, scheduling.InThePast)
    assert state(draft_post) == Approval.READY
    assert not live(draft_post)
    scheduling.schedule_post(post=draft_post, at=late + HOUR, actor=manager, now=late)
    assert state(draft_post) == Approval.APPROVED


def test_a_post_that_no_network_would_take_stays_approved(
    brand: Brand, creator: User, manager: User, second_account: SocialAccount
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL)
    post = make_post(brand, creator, "x" * 400, second_account, planned_at=LATER)
    approval.submit_for_review(post=post, actor=creator, now=NOW)
    decided = approval.approve(post=post, version_id=version_of(post), actor=manager, now=NOW)
    assert isinstance(decided.refusal, scheduling.NotReady)
    assert (state(post), live(post)) == (Approval.READY, [])


def test_a_post_without_a_time_is_ready_and_waits_for_one(
    brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL)
    post = make_post(brand, creator, "Some day", sandbox_account)
    approval.submit_for_review(post=post, actor=creator, now=NOW)
    decided = approval.approve(post=post, version_id=version_of(post), actor=manager, now=NOW)
    assert (decided.is_scheduled, decided.refusal) == (False, None)
    assert state(post) == Approval.READY


def test_an_empty_post_is_not_put_before_anybody(
    brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL)
    post = make_post(brand, creator, "  \n", sandbox_account)
    with pytest.raises(NothingToReview):
        approval.submit_for_review(post=post, actor=creator, now=NOW)
    assert state(post) == Approval.DRAFT


def test_asking_twice_asks_once(draft_post: Post, brand: Brand, creator: User) -> None:
    ask_for(brand, ApprovalRule.INTERNAL)
    for _again in range(2):
        approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    assert Review.objects.count() == 1


def test_a_colleague_does_not_answer_for_the_client(
    draft_post: Post, brand: Brand, creator: User, manager: User
) -> None:
    ask_for(brand, ApprovalRule.CLIENT)
    approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    with pytest.raises(ClientDecides):
        approval.approve(post=draft_post, version_id=version_of(draft_post), actor=manager, now=NOW)
    with pytest.raises(ClientDecides):
        approval.approve_own(post=draft_post, seen=draft_post.version, actor=manager, now=NOW)
    assert open_review(draft_post).step == CLIENT


# --- changes --------------------------------------------------------------------------------------


@pytest.fixture
def approved_post(draft_post: Post, brand: Brand, creator: User, manager: User) -> Post:
    """In the schedule, with the approval that its brand asks of colleagues."""
    ask_for(brand, ApprovalRule.INTERNAL)
    approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    approval.approve(post=draft_post, version_id=version_of(draft_post), actor=manager, now=NOW)
    draft_post.refresh_from_db()
    return draft_post


def update(post: Post, draft: Draft, actor: User) -> Post:
    post.refresh_from_db()
    return scheduling.update_scheduled(post=post, version=post.version, draft=draft, actor=actor, now=NOW)


def test_other_words_take_a_scheduled_post_out_of_the_schedule(
    approved_post: Post, brand: Brand, manager: User
) -> None:
    ask_for(brand, ApprovalRule.BOTH)
    changed = update(approved_post, with_text(approved_post, "Fresh tea at nine"), manager)
    assert (changed.approval, changed.approved_fingerprint) == (Approval.IN_REVIEW, "")
    assert live(approved_post) == []
    assert open_review(approved_post).step == INTERNAL
    assert approved_post.planned_at == LATER  # it goes back there by itself
    approval.approve(post=approved_post, version_id=version_of(approved_post), actor=manager, now=NOW)
    client_says(approved_post, link_for(approved_post, manager), yes=True)
    (delivery,) = live(approved_post)
    assert delivery.due_at == LATER
    assert delivery.payload["parts"][0]["text"] == "Fresh tea at nine"


def test_who_may_approve_alone_approves_by_saving(approved_post: Post, owner: User) -> None:
    update(approved_post, with_text(approved_post, "Fresh tea at nine"), owner)
    (delivery,) = live(approved_post)
    assert delivery.payload["parts"][0]["text"] == "Fresh tea at nine"
    last = Review.objects.order_by("-asked_at", "-pk").first()
    assert last is not None
    assert (last.outcome, last.decided_by, last.version.number) == (ReviewOutcome.APPROVED, owner, 2)
    assert objection(delivery, NOW) == ""


def test_a_save_that_changes_nothing_asks_nothing(approved_post: Post, brand: Brand, manager: User) -> None:
    ask_for(brand, ApprovalRule.BOTH)
    update(approved_post, Draft.of_post(approved_post), manager)
    assert state(approved_post) == Approval.APPROVED
    assert Review.objects.count() == 1


def test_time_labels_and_own_words_that_say_the_same_ask_nothing(
    approved_post: Post, brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    label = Label.objects.create(brand=brand, name="Autumn")
    saved = Draft.of_post(approved_post)
    other = replace(
        saved,
        planned_at=LATER + HOUR,
        labels=(label.pk,),
        own_parts={sandbox_account.pk: saved.parts},
    )
    update(approved_post, other, manager)
    assert state(approved_post) == Approval.APPROVED
    assert [delivery.due_at for delivery in live(approved_post)] == [LATER + HOUR]
    assert Review.objects.count() == 1


@pytest.mark.parametrize("what", ["alt", "image", "account", "own words"])
def test_images_their_descriptions_accounts_and_own_words_ask_again(
    brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount, what: str
) -> None:
    ask_for(brand, ApprovalRule.BOTH)
    image, other = make_image(brand, creator), make_image(brand, creator, color="red")
    post = make_post(
        brand, creator, "A cup", sandbox_account, planned_at=LATER, media=(MediaUse(image.pk, "A cup"),)
    )
    approval.submit_for_review(post=post, actor=creator, now=NOW)
    approval.approve(post=post, version_id=version_of(post), actor=manager, now=NOW)
    client_says(post, link_for(post, manager), yes=True)
    saved = Draft.of_post(Post.objects.get(pk=post.pk))
    changed = {
        "alt": replace(saved, parts=(Part("A cup", (MediaUse(image.pk, "A mug"),)),)),
        "image": replace(saved, parts=(Part("A cup", (MediaUse(other.pk, "A cup"),)),)),
        "account": replace(saved, accounts=(*saved.accounts, make_account(brand, handle="second").pk)),
        "own words": replace(saved, own_parts={sandbox_account.pk: (Part("A mug"),)}),
    }[what]
    update(post, changed, manager)
    assert state(post) == Approval.IN_REVIEW
    assert live(post) == []


def test_changing_an_approved_draft_takes_the_approval_and_changing_it_back_gives_it(
    brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL)
    post = make_post(brand, creator, "One", sandbox_account)
    approval.submit_for_review(post=post, actor=creator, now=NOW)
    approval.approve(post=post, version_id=version_of(post), actor=manager, now=NOW)
    save(post, "Two", creator)
    assert state(post) == Approval.DRAFT
    with pytest.raises(ApprovalMissing):
        scheduling.schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    save(post, "One", creator)
    assert state(post) == Approval.READY


def test_changing_a_post_in_review_takes_it_back(draft_post: Post, brand: Brand, creator: User) -> None:
    ask_for(brand, ApprovalRule.INTERNAL)
    approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    asked = version_of(draft_post)
    save(draft_post, "Other words", creator)
    assert state(draft_post) == Approval.DRAFT
    assert Review.objects.get().outcome == ReviewOutcome.WITHDRAWN
    with pytest.raises(NothingAsked):
        approval.approve(post=draft_post, version_id=asked, actor=creator, now=NOW)


def test_a_post_that_was_sent_back_stays_so_until_it_is_submitted_again(
    draft_post: Post, brand: Brand, creator: User, manager: User
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL)
    approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    approval.ask_for_changes(
        post=draft_post, version_id=version_of(draft_post), text="Shorter", actor=manager, now=NOW
    )
    assert state(draft_post) == Approval.CHANGES_ASKED
    assert Comment.objects.get().text == "Shorter"
    assert not Comment.objects.get().is_shared
    save(draft_post, "Coffee", creator)
    assert state(draft_post) == Approval.CHANGES_ASKED
    approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    assert state(draft_post) == Approval.IN_REVIEW
    assert PostVersion.objects.filter(post=draft_post).count() == 2


def test_a_post_scheduled_before_the_rule_came_stays_and_can_be_moved(
    draft_post: Post, brand: Brand, manager: User
) -> None:
    scheduling.schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    ask_for(brand, ApprovalRule.BOTH)
    scheduling.move_post(post=draft_post, at=LATER + HOUR, actor=manager, now=NOW)
    draft_post.refresh_from_db()
    moved = replace(Draft.of_post(draft_post), planned_at=LATER + 2 * HOUR)
    update(draft_post, moved, manager)
    (delivery,) = live(draft_post)
    assert delivery.due_at == LATER + 2 * HOUR
    assert objection(delivery, NOW) == ""


def test_taken_out_of_the_schedule_it_keeps_its_approval(approved_post: Post, manager: User) -> None:
    scheduling.unschedule(post=approved_post, actor=manager, now=NOW)
    assert state(approved_post) == Approval.READY
    scheduling.schedule_post(post=approved_post, at=LATER, actor=manager, now=NOW)
    assert state(approved_post) == Approval.APPROVED


def test_a_part_that_went_out_stays_and_the_rest_waits_for_the_approval(
    brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount
) -> None:
    ask_for(brand, ApprovalRule.CLIENT)
    second = make_account(brand, handle="second")
    post = make_post(brand, creator, "Both", sandbox_account, second, planned_at=LATER)
    approval.submit_for_review(post=post, actor=creator, now=NOW)
    link = link_for(post, manager)
    client_says(post, link, yes=True)
    sent = post.variants.get(account=sandbox_account).delivery
    assert sent is not None
    Delivery.objects.filter(pk=sent.pk).update(state=DeliveryState.SENT)
    update(post, with_text(Post.objects.get(pk=post.pk), "Only the second"), manager)
    assert [delivery.pk for delivery in live(post)] == [sent.pk]
    assert state(post) == Approval.IN_REVIEW
    client_says(post, link, yes=False)
    update(post, with_text(Post.objects.get(pk=post.pk), "Better words"), manager)
    client_says(post, link, yes=True)
    waiting_ones = [d for d in live(post) if d.state == DeliveryState.SCHEDULED]
    assert [d.payload["parts"][0]["text"] for d in waiting_ones] == ["Better words"]


# --- at the moment of sending ---------------------------------------------------------------------


def test_what_was_changed_past_the_services_does_not_go_out(approved_post: Post) -> None:
    (delivery,) = live(approved_post)
    assert objection(delivery, NOW) == ""
    Post.objects.filter(pk=approved_post.pk).update(parts=[{"text": "Something else", "media": []}])
    assert objection(delivery, NOW) == StopReason.APPROVAL_MISSING


@pytest.mark.parametrize(
    "stage", [Approval.DRAFT, Approval.IN_REVIEW, Approval.CHANGES_ASKED, Approval.READY]
)
def test_a_delivery_of_a_post_that_is_not_scheduled_does_not_go_out(
    approved_post: Post, stage: Approval
) -> None:
    (delivery,) = live(approved_post)
    Post.objects.filter(pk=approved_post.pk).update(approval=stage)
    assert objection(delivery, NOW) == StopReason.APPROVAL_MISSING


# --- telling and reminding ------------------------------------------------------------------------


def told(user: User) -> int:
    return Notification.objects.filter(user=user, kind="approval_wanted").count()


def test_those_who_may_approve_are_told_and_nobody_else(
    draft_post: Post, brand: Brand, creator: User, manager: User, owner: User, marketer: User, stranger: User
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL)
    other = Membership.objects.create(
        organization=brand.organization, user=stranger, role=Role.MANAGER, has_all_brands=False
    )
    assert other.brands.count() == 0
    approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    assert [told(one) for one in (manager, owner, creator, marketer, stranger)] == [1, 1, 0, 0, 0]


def test_a_missing_answer_is_asked_for_three_times_and_no_more(
    brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL, hours=24)
    post = make_post(brand, creator, "Some day", sandbox_account)
    approval.submit_for_review(post=post, actor=creator, now=NOW)
    hours = range(0, 24 * 40, 6)
    when = [hour // 24 for hour in hours if reminders.remind(now=NOW + hour * HOUR)]
    assert when == [1, 3, 7]
    assert told(manager) == 4  # and the first news


def test_no_reminder_where_none_is_wanted_nor_after_the_answer(
    draft_post: Post, brand: Brand, creator: User, manager: User
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL, hours=0)
    approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    assert reminders.remind(now=NOW + 30 * HOUR) == 0
    ask_for(brand, ApprovalRule.INTERNAL, hours=24)
    approval.withdraw(post=draft_post, actor=creator, now=NOW)
    approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    approval.approve(post=draft_post, version_id=version_of(draft_post), actor=manager, now=NOW)
    assert reminders.remind(now=NOW + 30 * HOUR) == 0


def test_a_near_time_is_told_once_wherever_the_post_was_moved(
    draft_post: Post, brand: Brand, creator: User, manager: User
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL, hours=0)
    approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    scheduling.move_post(post=draft_post, at=NOW + 20 * HOUR, actor=manager, now=NOW)
    assert [reminders.remind(now=NOW + hours * HOUR) for hours in (1, 7, 8, 9, 19, 21)] == [0, 0, 1, 0, 0, 0]
    assert told(manager) == 2


def test_a_client_with_an_address_is_reminded_by_mail_and_colleagues_are_left_alone(
    draft_post: Post, brand: Brand, creator: User, manager: User, owner: User
) -> None:
    ask_for(brand, ApprovalRule.CLIENT)
    approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    link = link_for(draft_post, manager, email="miller@example.com")
    ReviewRequest.objects.update(mail_at=None)
    before = told(owner)
    assert reminders.remind(now=NOW + 25 * HOUR) == 1
    link.refresh_from_db()
    assert link.mail_at == NOW + 25 * HOUR
    assert told(owner) == before
    assert reminders.remind(now=LATER - HOUR) == 1  # the time is near: both hear
    assert told(owner) == before + 1


def test_a_deleted_post_is_not_asked_about_and_comes_back_as_a_draft(
    draft_post: Post, brand: Brand, creator: User, manager: User
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL)
    approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    drafts.delete_post(post=draft_post, actor=creator, now=NOW)
    assert reminders.remind(now=NOW + 30 * HOUR) == 0
    assert not waiting(manager.memberships.get(), brand).exists()
    drafts.restore_post(post=draft_post, actor=creator, now=NOW)
    assert state(draft_post) == Approval.DRAFT


# --- versions worth keeping -----------------------------------------------------------------------


def test_not_every_save_is_a_version_but_what_another_person_wrote_is(
    draft_post: Post, creator: User, manager: User
) -> None:
    for text in ("One", "Two", "Three"):
        save(draft_post, text, creator)
    assert not PostVersion.objects.exists()
    save(draft_post, "Four", manager)
    save(draft_post, "Five", manager)
    (kept,) = PostVersion.objects.all()
    assert kept.content["parts"][0]["text"] == "Three"
    assert (kept.because, kept.saved_by) == (KeptBecause.OTHER_PERSON, creator)


def test_submitting_approving_and_scheduling_the_same_words_keep_one_version(approved_post: Post) -> None:
    (kept,) = PostVersion.objects.filter(post=approved_post)
    assert (kept.number, kept.because) == (1, KeptBecause.SUBMITTED)
    assert approved_post.approved_fingerprint == kept.fingerprint
