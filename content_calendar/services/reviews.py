"""Asking for an answer and writing it down: versions, reviews, and what becomes of them when a post changes.

Everything here works on a post that the caller has locked, in the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.urls import reverse

from accounts.models import NotificationKind, User
from accounts.services.audit import record
from accounts.services.notifications import notify
from content_calendar.models import (
    Approval,
    ApprovalRule,
    KeptBecause,
    Post,
    PostVersion,
    Review,
    ReviewOutcome,
    ReviewRequest,
    ReviewStep,
)
from content_calendar.selectors.approval import (
    Content,
    approvers,
    content_of,
    fingerprint,
    fingerprint_of,
    may_approve,
    missing_steps,
    open_requests_of,
    rule_of,
    rules_of,
)
from content_calendar.services.transitions import move_approval

# A planned time that is nearer than this is told once more.
NEAR = dt.timedelta(hours=12)
MOST_REMINDERS = 3


class ApprovalMissing(Exception):
    """The brand asks for an approval that the post, as it stands, does not have. ``steps``: which."""

    def __init__(self, steps: tuple[ReviewStep, ...]) -> None:
        super().__init__(", ".join(steps))
        self.steps = steps


def keep_version(
    *,
    post: Post,
    because: KeptBecause,
    actor: User | None,
    now: dt.datetime,
    content: Content | None = None,
) -> PostVersion:
    """The post as it stands (or ``content``, as it stood), kept; the latest version where that says the
    same."""
    content = content or content_of(post)
    mark = fingerprint(content)
    latest = PostVersion.objects.filter(post=post).order_by("-number").first()
    if latest is not None and latest.fingerprint == mark:
        return latest
    return PostVersion.objects.create(
        post=post,
        number=latest.number + 1 if latest else 1,
        fingerprint=mark,
        content=content,
        planned_at=post.planned_at,
        because=because,
        saved_by=actor,
        created_at=now,
    )


def require_approval(post: Post) -> str:
    """The fingerprint of what may be sent; "" where the brand asks for nothing. Raises ApprovalMissing."""
    rule = rule_of(post.brand_id)
    if rule is ApprovalRule.NONE:
        return ""
    mark = fingerprint_of(post)
    if missing := missing_steps(post, rule, mark):
        raise ApprovalMissing(missing)
    return mark


def resting_state(post: Post) -> Approval:
    """Where a post stands that is in no schedule and that nobody is asked about."""
    rule = rule_of(post.brand_id)
    if rule is ApprovalRule.NONE or missing_steps(post, rule, fingerprint_of(post)):
        return Approval.DRAFT
    return Approval.READY


def approves_by_saving(post: Post, actor: User) -> bool:
    """Whether what this person saves in the schedule is approved with it: where only colleagues are asked,
    and they are one of those."""
    return rule_of(post.brand_id) is ApprovalRule.INTERNAL and may_approve(actor, post.brand_id)


# --- asking ---------------------------------------------------------------------------------------


def open_review(*, post: Post, actor: User | None, now: dt.datetime) -> Review | None:
    """Ask the first step that has not approved this content, and bring the post into review. None, and the
    post is ready, when there is none left."""
    withdraw_open(post=post, now=now)
    version = keep_version(post=post, because=KeptBecause.SUBMITTED, actor=actor, now=now)
    missing = missing_steps(post, rule_of(post.brand_id), version.fingerprint)
    if not missing:
        move_approval(post, Approval.READY, updated_at=now)
        return None
    review = Review.objects.create(
        post=post,
        version=version,
        step=missing[0],
        asked_by=actor,
        asked_at=now,
        remind_at=_first_reminder(post, now),
        # Somebody who asks late knows that it is late; the first news says so, too.
        is_near_told=post.planned_at is not None and post.planned_at - now <= NEAR,
    )
    move_approval(post, Approval.IN_REVIEW, updated_at=now)
    tell_reviewers(review=review, now=now)
    return review


def _first_reminder(post: Post, now: dt.datetime) -> dt.datetime | None:
    hours = rules_of(post.brand_id).remind_after_h
    return now + dt.timedelta(hours=hours) if hours else None


def withdraw_open(*, post: Post, now: dt.datetime, actor: User | None = None) -> Review | None:
    """Nobody is asked about the post any more."""
    review = Review.objects.open().filter(post=post).first()
    if review is not None:
        _close(review, ReviewOutcome.WITHDRAWN, now=now, decided_by=actor)
    return review


def _close(review: Review, outcome: ReviewOutcome, *, now: dt.datetime, **values: Any) -> None:
    review.outcome, review.decided_at, review.remind_at = outcome, now, None
    for name, value in values.items():
        setattr(review, name, value)
    review.save(update_fields=["outcome", "decided_at", "remind_at", *values])


def record_answer(*, review: Review, outcome: ReviewOutcome, now: dt.datetime, **who: Any) -> None:
    """Write down what was answered. ``who``: decided_by, or client_name and request."""
    _close(review, outcome, now=now, **who)


def record_own_approval(*, post: Post, actor: User, now: dt.datetime) -> Review:
    """The approval of somebody who may give it, for what they have written or read just now."""
    because = KeptBecause.APPROVED
    withdraw_open(post=post, now=now, actor=actor)
    return Review.objects.create(
        post=post,
        version=keep_version(post=post, because=because, actor=actor, now=now),
        step=ReviewStep.INTERNAL,
        asked_by=actor,
        asked_at=now,
        outcome=ReviewOutcome.APPROVED,
        decided_at=now,
        decided_by=actor,
    )


# --- when content changes -------------------------------------------------------------------------


def after_saving(*, post: Post, before: Content, actor: User | None, now: dt.datetime) -> None:
    """The content of a post in no schedule was saved, over ``before``. Where it says something else now, what
    another person had left is kept, and what was asked or approved was about other words. A post that was
    sent back stays so until it is submitted again; words that were approved once are approved again."""
    if fingerprint(before) == fingerprint_of(post):
        return
    keep_what_another_wrote(post=post, before=before, actor=actor, now=now)
    if post.approval == Approval.IN_REVIEW:
        withdraw_open(post=post, now=now, actor=actor)
    if post.approval not in (Approval.CHANGES_ASKED, Approval.APPROVED):
        move_approval(post, resting_state(post))


def keep_what_another_wrote(*, post: Post, before: Content, actor: User | None, now: dt.datetime) -> None:
    """As the person left it who saved last, if that is not ``actor``. Afterwards it is."""
    last = post.edited_by_id or post.author_id
    if actor is None:
        return
    if last is not None and last != actor.pk:
        person = User.objects.filter(pk=last).first()
        because = KeptBecause.OTHER_PERSON
        keep_version(post=post, because=because, actor=person, now=now, content=before)
    if post.edited_by_id != actor.pk:
        Post.objects.filter(pk=post.pk).update(edited_by=actor)
        post.edited_by = actor


# --- telling --------------------------------------------------------------------------------------


def tell_reviewers(*, review: Review, now: dt.datetime) -> None:
    """Those who may approve; of a client's step the client, too, where a link with an address is open."""
    post = review.post
    mailed = False
    if review.step == ReviewStep.CLIENT:
        mailed = bool(
            ReviewRequest.objects.filter(
                pk__in=open_requests_of(post, now).exclude(client_email="").values("pk")
            ).update(mail_at=now)
        )
    people = [person for person in approvers(post.brand_id) if person.pk != review.asked_by_id]
    # Where a client was mailed, colleagues hear only when the time gets near.
    if mailed and not review.is_near_told:
        people = []
    notify(
        organization=post.brand.organization,
        users=people,
        kind=NotificationKind.APPROVAL_WANTED,
        context={
            "kind": review.step,
            "excerpt": post.excerpt,
            "brand": post.brand.name,
            "person": str(review.asked_by or ""),
        },
        url=reverse("content_calendar:post", args=[post.pk]),
        about=post.brand,
        dedupe_key=f"approval:{review.pk}:{review.reminders}{':near' * review.is_near_told}",
        now=now,
    )


def tell_authors(
    *, post: Post, what: str, person: str, actor: User | None, now: dt.datetime, key: str
) -> None:
    """Whoever wrote or submitted the post hears the answer. ``what``: approved, changes or comment."""
    asked = Review.objects.filter(post=post).order_by("-asked_at").values_list("asked_by", flat=True).first()
    ids = {post.author_id, asked} - {None, actor.pk if actor else None}
    notify(
        organization=post.brand.organization,
        users=User.objects.filter(pk__in=ids),
        kind=NotificationKind.APPROVAL_ANSWERED,
        context={"kind": what, "excerpt": post.excerpt, "brand": post.brand.name, "person": person},
        url=reverse("content_calendar:post", args=[post.pk]),
        about=post.brand,
        dedupe_key=key,
        now=now,
    )


def audit(post: Post, action: str, *, actor: User | None, now: dt.datetime, **detail: Any) -> None:
    record(
        organization=post.brand.organization,
        actor=actor,
        action=action,
        subject=post,
        detail=detail,
        now=now,
    )
