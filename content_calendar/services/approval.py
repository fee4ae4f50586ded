"""What people decide about a post before it may go out: submit, approve, ask for changes, take back."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db import transaction

from accounts.models import Brand, User
from accounts.services.audit import record
from content_calendar.content import parts_from_json
from content_calendar.models import (
    STEPS,
    Approval,
    ApprovalRule,
    ApprovalRules,
    Post,
    Review,
    ReviewOutcome,
    ReviewRequest,
    ReviewStep,
)
from content_calendar.selectors.approval import (
    content_of,
    fingerprint_of,
    may_publish,
    missing_steps,
    rule_of,
    rules_of,
)
from content_calendar.selectors.states import LIVE_STATES
from content_calendar.services import comments, reviews, scheduling
from content_calendar.services.drafts import AlreadyScheduled, AlreadySending
from content_calendar.services.media import ImageBroken, MediaRefused
from content_calendar.services.transitions import move_approval

# Why an approved post may still not be put into the schedule; it stays approved then.
NOT_SCHEDULED = (
    AlreadySending,
    ImageBroken,
    MediaRefused,
    scheduling.InThePast,
    scheduling.NoAccountChosen,
    scheduling.NotReady,
)


class NothingToReview(Exception):
    """There is neither a word nor an image in the post."""


class NoApprovalAsked(Exception):
    """The brand asks for no approval: the post can be scheduled as it is."""


class NothingAsked(Exception):
    """Nobody is asked about the post (any more)."""


class ChangedMeanwhile(Exception):
    """The post says something else than what the person who decides has seen."""


class ClientDecides(Exception):
    """The step is the client's, who answers through a link."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of an approval. ``next_step``: who is asked now; else the post is in the schedule, or
    ``refusal`` says what kept it out, or it has no time (then both are None)."""

    post: Post
    next_step: ReviewStep | None = None
    is_scheduled: bool = False
    refusal: Exception | None = None


def set_rules(
    *, brand: Brand, rule: ApprovalRule, remind_after_h: int, actor: User, now: dt.datetime
) -> ApprovalRules:
    """What the brand asks for from now on. What stands in the schedule stays there, and what is in review
    stays in review."""
    with transaction.atomic():
        before = rules_of(brand.pk).rule
        row, _is_new = ApprovalRules.objects.update_or_create(
            brand=brand, defaults={"rule": rule, "remind_after_h": remind_after_h}
        )
        record(
            organization=brand.organization,
            actor=actor,
            action="approval.rules_changed",
            subject=brand,
            detail={"approval": [str(before), str(rule)], "remind_after_h": remind_after_h},
            now=now,
        )
    return row


def locked(post_id: uuid.UUID) -> Post:
    """The post, this transaction's until it ends."""
    rows = Post.objects.select_for_update(of=("self",))
    return rows.select_related("brand__organization", "campaign").get(pk=post_id)


def submit_for_review(*, post: Post, actor: User, now: dt.datetime) -> Decided:
    """Ask whoever comes first by the rule of the brand. A post that is in review as it stands stays so; one
    that has every approval already goes on as after the last of them.

    Raises NoApprovalAsked, NothingToReview, AlreadyScheduled, scheduling.OnlyATemplate.
    """
    with transaction.atomic():
        row = locked(post.pk)
        _check_submittable(row)
        review = Review.objects.open().select_related("version").filter(post=row).first()
        if review is not None and review.version.fingerprint == fingerprint_of(row):
            return Decided(row, ReviewStep(review.step))
        decided = _go_on(row, asked_by=actor, publisher=actor, now=now)
        if decided.next_step is not None:
            reviews.audit(row, "post.submitted", actor=actor, now=now, step=decided.next_step)
    return decided


def _check_submittable(post: Post) -> None:
    if post.is_template:
        raise scheduling.OnlyATemplate
    if rule_of(post.brand_id) is ApprovalRule.NONE:
        raise NoApprovalAsked
    if post.approval == Approval.APPROVED and post.variants.filter(delivery__state__in=LIVE_STATES).exists():
        raise AlreadyScheduled
    content = content_of(post)
    each = [content["parts"], *content["own"].values()]
    if all(part.is_empty for parts in each for part in parts_from_json(parts)):
        raise NothingToReview


def withdraw(*, post: Post, actor: User, now: dt.datetime) -> Post:
    """Nobody is asked any more: back to the drafts. Raises NothingAsked."""
    with transaction.atomic():
        row = locked(post.pk)
        if reviews.withdraw_open(post=row, now=now, actor=actor) is None:
            raise NothingAsked
        move_approval(row, reviews.resting_state(row), updated_at=now)
        reviews.audit(row, "post.review_withdrawn", actor=actor, now=now)
    return row


def approve(*, post: Post, version_id: uuid.UUID, actor: User, now: dt.datetime) -> Decided:
    """A colleague's yes to the version that they have seen. After the last step a post with a time goes into
    the schedule at once, in the name of who approved.

    Raises NothingAsked, ChangedMeanwhile, ClientDecides.
    """
    with transaction.atomic():
        row = locked(post.pk)
        review = asked_about(row, version_id)
        if review.step == ReviewStep.CLIENT:
            raise ClientDecides
        reviews.record_answer(review=review, outcome=ReviewOutcome.APPROVED, now=now, decided_by=actor)
        reviews.audit(row, "post.approved", actor=actor, now=now, version=review.version.number)
        return _after_yes(row, review, person=str(actor), actor=actor, publisher=actor, now=now)


def approve_own(*, post: Post, seen: int, actor: User, now: dt.datetime) -> Decided:
    """The yes of somebody who may give it to the post as they have ``seen`` it (its ``version``), asked or
    not: what they wrote themselves.

    Raises ChangedMeanwhile, NoApprovalAsked, NothingToReview, AlreadyScheduled, ClientDecides,
    scheduling.OnlyATemplate.
    """
    with transaction.atomic():
        row = locked(post.pk)
        if row.version != seen or row.deleted_at is not None:
            raise ChangedMeanwhile
        _check_submittable(row)
        if ReviewStep.INTERNAL not in STEPS[rule_of(row.brand_id)]:
            raise ClientDecides
        if ReviewStep.INTERNAL in missing_steps(row, rule_of(row.brand_id), fingerprint_of(row)):
            review = reviews.record_own_approval(post=row, actor=actor, now=now)
            reviews.audit(row, "post.approved", actor=actor, now=now, version=review.version.number)
            return _after_yes(row, review, person=str(actor), actor=actor, publisher=actor, now=now)
        return _go_on(row, asked_by=actor, publisher=actor, now=now)


def ask_for_changes(*, post: Post, version_id: uuid.UUID, text: str, actor: User, now: dt.datetime) -> Post:
    """Send the post back with what should change. Raises NothingAsked, ChangedMeanwhile."""
    with transaction.atomic():
        row = locked(post.pk)
        review = asked_about(row, version_id)
        reviews.record_answer(review=review, outcome=ReviewOutcome.CHANGES_ASKED, now=now, decided_by=actor)
        comments.write(post=row, version=review.version, text=text, now=now, author=actor)
        reviews.audit(row, "post.changes_asked", actor=actor, now=now, version=review.version.number)
        _after_no(row, review, person=str(actor), actor=actor, now=now)
    return row


def asked_about(post: Post, version_id: uuid.UUID) -> Review:
    """The open question about a locked post, if it is about this version and the post still says that.
    Raises NothingAsked, ChangedMeanwhile."""
    review = Review.objects.open().select_related("version").filter(post=post).first()
    if review is None or post.deleted_at is not None:
        raise NothingAsked
    if review.version_id != version_id or review.version.fingerprint != fingerprint_of(post):
        raise ChangedMeanwhile
    return review


# --- a client's answer, see services.review_links ---------------------------------------------------


def approved_by_client(
    *, post: Post, review: Review, request: ReviewRequest, client_name: str, now: dt.datetime
) -> Decided:
    """The yes of a client to an open question about a locked post. It goes into the schedule in the name of
    whoever sent the link, if they may still publish."""
    reviews.record_answer(
        review=review, outcome=ReviewOutcome.APPROVED, now=now, client_name=client_name, request=request
    )
    _audit_client(post, "post.approved_by_client", review, now)
    sender = request.created_by
    publisher = sender if may_publish(sender, post.brand_id) else None
    return _after_yes(post, review, person=client_name, actor=None, publisher=publisher, now=now)


def sent_back_by_client(
    *, post: Post, review: Review, request: ReviewRequest, client_name: str, text: str, now: dt.datetime
) -> None:
    reviews.record_answer(
        review=review, outcome=ReviewOutcome.CHANGES_ASKED, now=now, client_name=client_name, request=request
    )
    comments.write(
        post=post,
        version=review.version,
        text=text,
        now=now,
        client_name=client_name,
        request=request,
        is_shared=True,
    )
    _audit_client(post, "post.changes_asked_by_client", review, now)
    _after_no(post, review, person=client_name, actor=None, now=now)


def _audit_client(post: Post, action: str, review: Review, now: dt.datetime) -> None:
    detail = {
        "client": review.client_name,
        "link": str(review.request_id),
        "version": review.version.number,
    }
    reviews.audit(post, action, actor=None, now=now, **detail)


# --- what follows -----------------------------------------------------------------------------------


def _after_yes(
    post: Post, review: Review, *, person: str, actor: User | None, publisher: User | None, now: dt.datetime
) -> Decided:
    decided = _go_on(post, asked_by=actor, publisher=publisher, now=now)
    if decided.next_step is None:
        reviews.tell_authors(
            post=post,
            what="approved" if decided.is_scheduled else "approved_unscheduled",
            person=person,
            actor=actor,
            now=now,
            key=f"answered:{review.pk}",
        )
    return decided


def _after_no(post: Post, review: Review, *, person: str, actor: User | None, now: dt.datetime) -> None:
    move_approval(post, Approval.CHANGES_ASKED, updated_at=now)
    reviews.tell_authors(
        post=post, what="changes", person=person, actor=actor, now=now, key=f"answered:{review.pk}"
    )


def _go_on(post: Post, *, asked_by: User | None, publisher: User | None, now: dt.datetime) -> Decided:
    """The next question; after the last answer into the schedule, where the post has a time."""
    review = reviews.open_review(post=post, actor=asked_by, now=now)
    if review is not None:
        return Decided(post, ReviewStep(review.step))
    if post.planned_at is None or publisher is None or not may_publish(publisher, post.brand_id):
        return Decided(post)
    try:
        scheduled = scheduling.schedule_post(post=post, at=post.planned_at, actor=publisher, now=now)
    except NOT_SCHEDULED as refusal:
        return Decided(post, refusal=refusal)
    return Decided(scheduled, is_scheduled=True)
