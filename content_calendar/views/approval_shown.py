"""What pages say about an approval: of a post, in the composer, and after somebody decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from accounts.access import MemberRequest
from accounts.models import Brand
from accounts.permissions import Action, is_allowed
from content_calendar.approval_forms import CommentForm
from content_calendar.models import (
    STEPS,
    ApprovalRule,
    Comment,
    Post,
    PostVersion,
    ReviewStep,
)
from content_calendar.selectors.approval import approval_view, fingerprint_of, missing_steps, rule_of
from content_calendar.services.approval import Decided
from content_calendar.views.refusals import refusal_sentence
from core.paging import page_of
from core.templatetags.ui import format_time

COMMENTS = 30


def approval_context(request: MemberRequest, post: Post) -> dict[str, Any]:
    """The approval, the comments and the versions of a post's page."""
    view = approval_view(post)
    comments = Comment.objects.filter(post=post).select_related("author", "resolved_by", "version")
    return {
        "approval": view,
        "may_approve": is_allowed(request.membership.role, Action.APPROVE_POSTS),
        "approves_alone": ReviewStep.INTERNAL in view.lacks,
        "needs_client_after": view.rule is ApprovalRule.BOTH,
        # Asked by the whole page only: its live part does without.
        "comments": SimpleLazyObject(
            lambda: page_of(request, comments.order_by("-created_at", "-pk"), size=COMMENTS)
        ),
        "comment_form": CommentForm(),
        "version_count": SimpleLazyObject(lambda: PostVersion.objects.filter(post=post).count()),
    }


@dataclass(frozen=True, slots=True)
class ComposerApproval:
    """What the composer's buttons depend on. ``lacks``: the post as it is saved cannot be scheduled yet;
    ``approves``: this person may say yes to it; ``asks_again``: other words take it out of the schedule."""

    rule: ApprovalRule
    is_asked: bool
    lacks: bool
    approves: bool
    asks_again: bool
    needs_client: bool


def composer_approval(request: MemberRequest, brand: Brand, post: Post | None) -> ComposerApproval:
    rule = rule_of(brand.pk)
    steps = STEPS[rule]
    may_approve = is_allowed(request.membership.role, Action.APPROVE_POSTS)
    lacking = steps if post is None or not steps else missing_steps(post, rule, fingerprint_of(post))
    return ComposerApproval(
        rule=rule,
        is_asked=bool(steps),
        lacks=bool(lacking),
        approves=may_approve and ReviewStep.INTERNAL in steps,
        asks_again=bool(steps) and not (rule is ApprovalRule.INTERNAL and may_approve),
        needs_client=ReviewStep.CLIENT in steps,
    )


def decided_sentence(decided: Decided) -> str:
    """What came of a submission or an approval, for whoever gave it."""
    at = decided.post.planned_at
    if decided.next_step is ReviewStep.INTERNAL:
        return _("Submitted for review. Those who may approve it have been told.")
    if decided.next_step is ReviewStep.CLIENT:
        return _("It waits for the client now. Whoever may approve sends the client a link.")
    if decided.refusal is not None:
        why = refusal_sentence(decided.refusal)
        return _("Approved, but not scheduled yet. %(why)s") % {"why": why}
    if at is None:
        return _("Approved. It has no time yet: choose one to schedule it.")
    if decided.is_scheduled:
        time = format_time(at, decided.post.brand.timezone, "short")
        return _("Approved, and scheduled for %(time)s.") % {"time": time}
    return _("Approved. Somebody who may publish can schedule it now.")
