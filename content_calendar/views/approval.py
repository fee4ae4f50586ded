"""Approval inside the organization: the rules of brands, what waits, and what members decide."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.models import Brand
from accounts.permissions import Action, is_allowed
from accounts.views.organization import tabs
from content_calendar.approval_forms import ApproveForm, ChangesForm, CommentForm, RulesForm
from content_calendar.models import ApprovalRule, Comment, Post, ReviewStep
from content_calendar.selectors.approval import rules_by_brand, rules_of, waiting
from content_calendar.services import approval, comments
from content_calendar.views.approval_shown import decided_sentence
from content_calendar.views.posts import refused_on_post
from content_calendar.views.refusals import REFUSALS, refusal_sentence
from content_calendar.views.shown import may, shown
from core.paging import page_of


@requires(Action.VIEW)
@require_safe
def approvals(request: MemberRequest) -> HttpResponse:
    """What waits for an answer, of one step (``?step=``) or both."""
    about = shown(request)
    step = request.GET.get("step", "")
    step = step if step in ReviewStep.values else ""
    context = {
        "shown": about,
        "page": page_of(request, waiting(request.membership, about.brand, step)),
        "step": step,
        "steps": ReviewStep,
        "may_approve": is_allowed(request.membership.role, Action.APPROVE_POSTS),
        "now": timezone.now(),
        **may(request),
    }
    return render(request, "content_calendar/approvals.html", context)


@requires(Action.MANAGE_BRANDS)
@require_safe
def approval_rules(request: MemberRequest) -> HttpResponse:
    page = page_of(request, Brand.objects.for_member(request.membership).order_by("name", "pk"))
    rules = rules_by_brand(list(page))
    context = {
        "page": page,
        "rows": [
            (brand, ApprovalRule(rules[brand.pk].rule) if brand.pk in rules else ApprovalRule.NONE)
            for brand in page
        ],
        "tabs": tabs(request, "content_calendar:approval_rules"),
    }
    return render(request, "content_calendar/approval_rules.html", context)


@requires(Action.MANAGE_BRANDS)
@require_http_methods(["GET", "POST"])
def approval_rule(request: MemberRequest, brand_id: uuid.UUID) -> HttpResponse:
    brand: Brand = load(request, Action.MANAGE_BRANDS, Brand.objects.select_related("organization"), brand_id)
    given = request.POST if request.method == "POST" else None
    form = RulesForm(given, initial=RulesForm.initial_of(rules_of(brand.pk)))
    if request.method == "POST" and form.is_valid():
        approval.set_rules(
            brand=brand,
            rule=ApprovalRule(form.cleaned_data["rule"]),
            remind_after_h=form.cleaned_data["remind_after_h"],
            actor=request.user,
            now=timezone.now(),
        )
        messages.success(request, _("Saved. What is in the schedule already stays there."))
        return redirect("content_calendar:approval_rules")
    context = {"brand": brand, "form": form, "tabs": tabs(request, "content_calendar:approval_rules")}
    status = 422 if form.is_bound else 200
    return render(request, "content_calendar/approval_rule.html", context, status=status)


# --- what members decide ----------------------------------------------------------------------------


def _tried(request: MemberRequest, post: Post, service: Callable[[], str]) -> HttpResponse:
    """Do it and say what came of it, or say why not; either way back to the post."""
    try:
        said = service()
    except REFUSALS as refusal:
        messages.error(request, refusal_sentence(refusal))
    else:
        messages.success(request, said)
    return redirect("content_calendar:post", post_id=post.pk)


@requires(Action.DRAFT_POSTS)
@require_POST
def submit(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    row: Post = load(request, Action.DRAFT_POSTS, Post.objects.select_related("brand"), post_id)
    return _tried(
        request,
        row,
        lambda: decided_sentence(
            approval.submit_for_review(post=row, actor=request.user, now=timezone.now())
        ),
    )


@requires(Action.DRAFT_POSTS)
@require_POST
def withdraw(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    row: Post = load(request, Action.DRAFT_POSTS, Post.objects, post_id)

    def taken_back() -> str:
        approval.withdraw(post=row, actor=request.user, now=timezone.now())
        return _("Taken back. Nobody is asked about it any more.")

    return _tried(request, row, taken_back)


@requires(Action.APPROVE_POSTS)
@require_POST
def approve(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    """Yes to the version that was asked about; without one, to a post that nobody was asked about, as it was
    ``seen`` (Post.version)."""
    row: Post = load(request, Action.APPROVE_POSTS, Post.objects.select_related("brand"), post_id)
    now = timezone.now()
    form = ApproveForm(request.POST)
    is_valid = form.is_valid()
    if is_valid and (seen := form.cleaned_data["seen"]) is not None:
        return _tried(
            request,
            row,
            lambda: decided_sentence(approval.approve_own(post=row, seen=seen, actor=request.user, now=now)),
        )
    if not is_valid or form.cleaned_data["version"] is None:
        messages.error(request, refusal_sentence(approval.ChangedMeanwhile()))
        return redirect("content_calendar:post", post_id=row.pk)
    version = form.cleaned_data["version"]
    return _tried(
        request,
        row,
        lambda: decided_sentence(approval.approve(post=row, version_id=version, actor=request.user, now=now)),
    )


@requires(Action.APPROVE_POSTS)
@require_POST
def ask_for_changes(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    row: Post = load(request, Action.APPROVE_POSTS, Post.objects.select_related("brand"), post_id)
    form = ChangesForm(request.POST)
    if not form.is_valid():
        why = (
            _("Say what should change; nothing was sent back yet.")
            if "text" in form.errors
            else refusal_sentence(approval.ChangedMeanwhile())
        )
        return refused_on_post(request, row.pk, decide_text=form["text"].value(), decide_problem=why)
    try:
        approval.ask_for_changes(
            post=row,
            version_id=form.cleaned_data["version"],
            text=form.cleaned_data["text"],
            actor=request.user,
            now=timezone.now(),
        )
    except REFUSALS as refusal:
        why = refusal_sentence(refusal)
        return refused_on_post(request, row.pk, decide_text=form.cleaned_data["text"], decide_problem=why)
    messages.success(request, _("Sent back. Whoever wrote it has been told what should change."))
    return redirect("content_calendar:post", post_id=row.pk)


# --- comments ---------------------------------------------------------------------------------------


@requires(Action.DRAFT_POSTS)
@require_POST
def comment(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    row: Post = load(request, Action.DRAFT_POSTS, Post.objects.select_related("brand__organization"), post_id)
    form = CommentForm(request.POST)
    if not form.is_valid():
        form.fields["text"].widget.attrs["autofocus"] = True  # it stands at the end of a long page
        return refused_on_post(request, row.pk, comment_form=form)
    comments.add_comment(
        post=row,
        text=form.cleaned_data["text"],
        is_shared=form.cleaned_data["is_shared"],
        author=request.user,
        now=timezone.now(),
    )
    messages.success(request, _("Comment added."))
    return _to_comments(row.pk)


def _to_comments(post_id: uuid.UUID) -> HttpResponse:
    return redirect(reverse("content_calendar:post", args=[post_id]) + "#comments")


@requires(Action.DRAFT_POSTS)
@require_POST
def resolve(request: MemberRequest, comment_id: uuid.UUID) -> HttpResponse:
    """Dealt with; with ``is_open`` in the form, open again."""
    row: Comment = load(request, Action.DRAFT_POSTS, Comment.objects, comment_id)
    comments.set_resolved(
        comment_id=row.pk,
        is_resolved="is_open" not in request.POST,
        actor=request.user,
        now=timezone.now(),
    )
    return _to_comments(row.post_id)
