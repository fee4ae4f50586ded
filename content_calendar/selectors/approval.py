"""What a brand asks for, what a post still lacks, and who waits for whom."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import Brand, Membership, User
from accounts.permissions import ALLOWED, Action
from content_calendar.content import parts_from_json, parts_to_json
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

Content = dict[str, Any]  # as PostVersion.content


def rules_of(brand_id: uuid.UUID) -> ApprovalRules:
    """What a brand asks for; an unsaved row of defaults where it has said nothing."""
    return ApprovalRules.objects.filter(brand=brand_id).first() or ApprovalRules(brand_id=brand_id)


def rule_of(brand_id: uuid.UUID) -> ApprovalRule:
    return ApprovalRule(rules_of(brand_id).rule)


def content_of(post: Post) -> Content:
    """What would be sent, and where to: what an approval is about. One query, or none with prefetched
    variants and accounts."""
    rows = post.variants.all()
    if "variants" not in getattr(post, "_prefetched_objects_cache", {}):
        rows = rows.select_related("account")
    variants = sorted(rows, key=lambda variant: str(variant.account_id))
    settings = {str(v.account_id): v.settings for v in variants if v.settings}
    return {
        "parts": _plain(post.parts),
        "accounts": [
            {"id": str(v.account_id), "name": v.account.handle, "platform": v.account.platform}
            for v in variants
        ],
        "own": {str(v.account_id): _plain(v.parts) for v in variants if v.parts is not None},
        **({"settings": settings} if settings else {}),
    }


def _plain(parts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what an older row has in another form."""
    return parts_to_json(parts_from_json(parts))


def fingerprint(content: Content) -> str:
    """SHA-256 (hex) of what each account gets: text, images with their descriptions, link cards, and what is
    said besides. Not of the time, the labels, the campaign or the rule for being late, nor of words that no
    account gets."""
    settings = content.get("settings", {})
    each: dict[str, Any] = {}
    for account in content["accounts"]:
        pk = account["id"]
        parts = content["own"].get(pk, content["parts"])
        # Where nothing is said besides, as before there was anything to say: approvals of then still hold.
        each[pk] = {"parts": parts, "settings": settings[pk]} if settings.get(pk) else parts
    text = json.dumps(each or content["parts"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint_of(post: Post) -> str:
    return fingerprint(content_of(post))


def missing_steps(post: Post, rule: ApprovalRule, mark: str) -> tuple[ReviewStep, ...]:
    """The steps of the rule whose latest answer to content with this fingerprint is not "approved", in the
    order in which they are asked. At most one query."""
    steps = STEPS[rule]
    if not steps:
        return ()
    answered = Review.objects.filter(
        post=post,
        version__fingerprint=mark,
        outcome__in=(ReviewOutcome.APPROVED, ReviewOutcome.CHANGES_ASKED),
    )
    latest = dict(answered.order_by("decided_at").values_list("step", "outcome"))
    return tuple(step for step in steps if latest.get(step) != ReviewOutcome.APPROVED)


def may_send(post: Post) -> bool:
    """Whether the approval with which the post was scheduled still is one of what it says now."""
    if post.approval != Approval.APPROVED:
        return False
    return not post.approved_fingerprint or post.approved_fingerprint == fingerprint_of(post)


def approvers(brand_id: uuid.UUID) -> list[User]:
    """The people who may approve posts of a brand."""
    return list(
        User.objects.filter(
            is_active=True,
            pk__in=_members(brand_id, Action.APPROVE_POSTS).values("user_id"),
        ).order_by("pk")
    )


def may_publish(user: User | None, brand_id: uuid.UUID) -> bool:
    """Whether somebody may put posts of the brand into the schedule now."""
    if user is None or not user.is_active:
        return False
    return _members(brand_id, Action.PUBLISH_POSTS).filter(user=user).exists()


def may_approve(user: User, brand_id: uuid.UUID) -> bool:
    return _members(brand_id, Action.APPROVE_POSTS).filter(user=user).exists()


def _members(brand_id: uuid.UUID, action: Action) -> QuerySet[Membership]:
    roles = [role for role, actions in ALLOWED.items() if action in actions]
    of_brand = Membership.brands.through.objects.filter(membership_id=OuterRef("pk"), brand_id=brand_id)
    return Membership.objects.filter(
        Q(has_all_brands=True) | Q(Exists(of_brand)),
        organization__brands=brand_id,
        is_active=True,
        role__in=roles,
    )


# --- what waits ---------------------------------------------------------------------------------


def waiting(membership: Membership, brand: Brand | None, step: str = "") -> QuerySet[Review]:
    """Reviews without an answer, what is planned soonest first; posts without a time come last."""
    rows = Review.objects.for_member(membership).open().select_related("post__brand", "asked_by", "version")
    if brand is not None:
        rows = rows.filter(post__brand=brand)
    if step:
        rows = rows.filter(step=step)
    return rows.order_by(F("post__planned_at").asc(nulls_last=True), "asked_at", "pk")


def sent_back(membership: Membership, brand: Brand | None) -> QuerySet[Post]:
    """Posts of this member that came back with a wish, the latest first."""
    rows = Post.objects.for_member(membership).filter(
        author=membership.user_id, approval=Approval.CHANGES_ASKED
    )
    if brand is not None:
        rows = rows.filter(brand=brand)
    return rows.select_related("brand").order_by("-updated_at")


def for_client(brand: Brand) -> QuerySet[Post]:
    """Posts of the brand that wait for a client's answer."""
    asked = Review.objects.open().filter(step=ReviewStep.CLIENT, post=OuterRef("pk"))
    rows = Post.objects.for_brand(brand).filter(
        Exists(asked), approval=Approval.IN_REVIEW, deleted_at__isnull=True
    )
    return rows.order_by(F("planned_at").asc(nulls_last=True), "pk")


def open_requests_of(post: Post, now: dt.datetime) -> QuerySet[ReviewRequest]:
    """The links through which the post can be answered now."""
    return ReviewRequest.objects.open(now).filter(posts=post)


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """What the page of a post says about its approval."""

    rule: ApprovalRule
    open: Review | None
    history: tuple[Review, ...]
    lacks: tuple[ReviewStep, ...]  # steps that the content as it stands still needs
    requests: tuple[ReviewRequest, ...]

    @property
    def is_asked(self) -> bool:
        """Whether the brand asks for anything, or anybody has asked for this post."""
        return bool(STEPS[self.rule]) or bool(self.history)

    @property
    def last(self) -> Review | None:
        answered = (ReviewOutcome.APPROVED, ReviewOutcome.CHANGES_ASKED)
        return next((review for review in self.history if review.outcome in answered), None)


MOST_HISTORY = 30


def approval_view(post: Post) -> ApprovalView:
    """Five queries, two where the brand asks for nothing and nobody has asked."""
    rule = rule_of(post.brand_id)
    history = tuple(
        Review.objects.filter(post=post)
        .select_related("version", "asked_by", "decided_by", "request")
        .order_by("-asked_at", "-pk")[:MOST_HISTORY]
    )
    if rule is ApprovalRule.NONE and not history:
        return ApprovalView(rule, None, (), (), ())
    return ApprovalView(
        rule=rule,
        open=next((review for review in history if review.outcome == ReviewOutcome.OPEN), None),
        history=history,
        lacks=missing_steps(post, rule, fingerprint_of(post)),
        requests=tuple(
            ReviewRequest.objects.filter(posts=post).select_related("created_by").order_by("-created_at")[:10]
        ),
    )


def rules_by_brand(brands: Collection[Brand]) -> dict[uuid.UUID, ApprovalRules]:
    return {row.brand_id: row for row in ApprovalRules.objects.filter(brand__in=brands)}
