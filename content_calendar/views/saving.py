"""What the composer's buttons do: save, schedule, publish; and the autosave."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, load, requires
from accounts.permissions import Action
from content_calendar.forms import (
    BASE,
    ComposerInput,
    with_media,
)
from content_calendar.models import Approval, Post
from content_calendar.services import approval, drafts, media, scheduling, uploads, writing
from content_calendar.services.drafts import AccountUnknown, EditConflict, PostTaken
from content_calendar.services.queues import take_slot
from content_calendar.views.approval_shown import decided_sentence
from content_calendar.views.desk import Desk, desk_context, desk_of, given_of
from content_calendar.views.media import refusal_text
from content_calendar.views.posts import wall
from content_calendar.views.refusals import REFUSALS, refusal_sentence
from content_calendar.views.shown import may
from content_calendar.views.tools import changed
from core.ids import uuid7
from outbox.tasks import dispatch

_SCHEDULING = ("schedule", "publish", "update")
_APPROVING = ("submit", "approve")


@requires(Action.DRAFT_POSTS)
@require_http_methods(["GET", "POST"])
def save(request: MemberRequest, post_id: uuid.UUID) -> HttpResponseBase:
    """Autosave (JSON), or the form with one of its buttons: ``action`` is draft, schedule, publish, update,
    submit, approve, copy, template or slot; a ``change`` button saves, too, so that pages without scripts can
    be structured. GET is somebody who reloads after a refusal."""
    if request.method == "GET":
        row: Post = load(request, Action.DRAFT_POSTS, Post.objects, post_id)
        return redirect("content_calendar:edit", post_id=row.pk)
    desk = desk_of(request, post_id)
    given = _with_exact_time(desk, given_of(request, desk))
    if "application/json" in request.headers.get("Accept", ""):
        return _autosave(request, desk, given)
    action = request.POST.get("action", "draft")
    _check_allowed(request, action)
    given, refused = _with_files(request, desk, given)
    if refused:
        return _again(request, desk, given, refused)
    if "text" in given.errors:  # nothing is saved of it, so nothing is lost by cutting it
        return _again(request, desk, given, "")
    if wanted := request.POST.get("change"):
        return _changed(request, desk, changed(desk, given, wanted))
    if action == "copy":
        return _saved_as_copy(request, desk, given)
    if action == "template":
        return _kept_as_template(request, desk, given)
    try:
        if action == "slot":
            return _in_slot(request, desk, given)
        return _carry_out(request, desk, given, action)
    except EditConflict as conflict:
        return _again(request, desk, given, "", status=409, conflict=conflict.post)
    except REFUSALS as refusal:
        given = replace(given, tab=_place_of(refusal, given))
        return _again(request, desk_of(request, post_id), given, refusal_sentence(refusal))
    except (AccountUnknown, PostTaken) as error:
        raise Http404 from error


def _check_allowed(request: MemberRequest, action: str) -> None:
    rights = may(request)
    if (action in _SCHEDULING and not rights["may_publish"]) or (
        action == "approve" and not rights["may_approve"]
    ):
        raise PermissionDenied


def _with_exact_time(desk: Desk, given: ComposerInput) -> ComposerInput:
    """The fields show minutes: a time that nobody touched keeps its seconds, or it would count as moved."""
    saved = desk.post.planned_at if desk.post else None
    if saved is not None and given.planned_at == saved.replace(second=0, microsecond=0):
        return replace(given, planned_at=saved)
    return given


def _place_of(refusal: Exception, given: ComposerInput) -> str:
    """The tab on which a refused content stands."""
    if isinstance(refusal, scheduling.NotReady):
        for one in refusal.checks:
            if str(one.account.pk) not in given.scopes:
                return BASE
        return str(refusal.checks[0].account.pk)
    return given.tab


def _autosave(request: MemberRequest, desk: Desk, given: ComposerInput) -> JsonResponse:
    now = timezone.now()
    if desk.post is None and all(part.part.is_empty for parts in given.scopes.values() for part in parts):
        return JsonResponse({"saved_at": now.isoformat()})
    if "text" in given.errors:
        return JsonResponse({"error": given.errors["text"]}, status=422)
    try:
        post = _store(request, desk, given, now=now)
    except EditConflict:
        error = _("Somebody else has saved this post meanwhile. Your text is kept on this page.")
        return JsonResponse({"error": error, "conflict": True}, status=409)
    except REFUSALS as refusal:
        return JsonResponse({"error": refusal_sentence(refusal)}, status=409)
    except (AccountUnknown, PostTaken) as error:
        raise Http404 from error
    return JsonResponse(
        {
            "saved_at": now.isoformat(),
            "fields": {"version": str(post.version)},
            "address": reverse("content_calendar:edit", args=[post.pk]),
        }
    )


def _store(request: MemberRequest, desk: Desk, given: ComposerInput, *, now: dt.datetime) -> Post:
    """Save the draft. A time that cannot be is left as it was; the page says what is wrong with it."""
    draft = given.draft
    if "time" in given.errors:
        draft = replace(draft, planned_at=desk.post.planned_at if desk.post else None)
    if desk.post is None:
        return drafts.create_post(
            brand=desk.brand,
            author=request.user,
            draft=draft,
            now=now,
            post_id=desk.post_id,
            edited_in=given.page,
        )
    return drafts.save_draft(
        post=desk.post,
        version=given.version,
        draft=draft,
        now=now,
        edited_in=given.page,
        actor=request.user,
    )


def _carry_out(request: MemberRequest, desk: Desk, given: ComposerInput, action: str) -> HttpResponse:
    now = timezone.now()
    if given.errors and action != "draft":
        return _again(request, desk, given, "")
    if desk.is_scheduled:
        if action == "draft":
            raise drafts.AlreadyScheduled
        draft = replace(given.draft, planned_at=now) if action == "publish" else given.draft
        post = scheduling.update_scheduled(
            post=desk.saved_post,
            version=given.version,
            draft=draft,
            actor=request.user,
            now=now,
            edited_in=given.page,
        )
    else:
        # The draft is kept first: whatever keeps it from the schedule, nothing that was written is lost.
        post = _store(request, desk, given, now=now)
        if action == "schedule":
            if given.planned_at is None:
                wanted = replace(given, errors={**given.errors, "time": _("Enter a date and a time.")})
                return _again(request, desk_of(request, post.pk), wanted, "")
            post = scheduling.schedule_post(post=post, at=given.planned_at, actor=request.user, now=now)
        elif action == "publish":
            post = scheduling.publish_now(post=post, actor=request.user, now=now)
        elif action in _APPROVING:
            if action == "submit":
                decided = approval.submit_for_review(post=post, actor=request.user, now=now)
            else:
                decided = approval.approve_own(post=post, seen=post.version, actor=request.user, now=now)
            messages.success(request, decided_sentence(decided))
            return redirect("content_calendar:post", post_id=post.pk)
    messages.success(request, _outcome(desk, post, action, now))
    if action == "publish":
        dispatch.delay_on_commit()
    return redirect("content_calendar:post", post_id=post.pk)


def _outcome(desk: Desk, post: Post, action: str, now: dt.datetime) -> str:
    """What came of saving, scheduling or publishing, in words."""
    if desk.is_scheduled and post.approval == Approval.IN_REVIEW:
        return _("Saved. The post left the schedule until it is approved as it is now.")
    if action == "publish":
        return _("On its way to the networks.")
    if action == "draft":
        return _("Saved as a draft.")
    if post.planned_at is not None and post.planned_at > now:
        return _("Scheduled for %(time)s.") % {"time": wall(post.planned_at, desk.zone)}
    return _("Changes saved.")


def _in_slot(request: MemberRequest, desk: Desk, given: ComposerInput) -> HttpResponse:
    """The draft with the next free slot as its time, which is then nobody else's: after the time that the
    fields show, or from now on."""
    if desk.is_scheduled:
        raise drafts.AlreadyScheduled
    now = timezone.now()
    after = given.planned_at
    post = _store(request, desk, given, now=now)
    try:
        at = take_slot(post=post, actor=request.user, now=now, after=after, schedules=False)
    except REFUSALS as refusal:
        return _again(request, desk_of(request, post.pk), given, refusal_sentence(refusal))
    messages.success(request, _("The next free slot: %(time)s.") % {"time": wall(at, desk.zone)})
    return redirect(f"{reverse('content_calendar:edit', args=[post.pk])}?tab={given.tab}")


def _with_files(request: MemberRequest, desk: Desk, given: ComposerInput) -> tuple[ComposerInput, str]:
    """Images that came with the form itself (no scripts): stored and put into their parts."""
    for scope, parts in given.scopes.items():
        for part in parts:
            stored = []
            for file in request.FILES.getlist(f"{scope}.{part.key}.files"):
                try:
                    asset = uploads.store_file(
                        brand=desk.brand,
                        upload=file,
                        name=file.name or "",
                        actor=request.user,
                        now=timezone.now(),
                    )
                except media.MediaRefused as refusal:
                    return given, refusal_text(refusal, file.name or "")
                stored.append(asset.pk)
            if stored:
                given = with_media(given, scope, part.key, stored)
    return given, ""


def _changed(request: MemberRequest, desk: Desk, given: ComposerInput) -> HttpResponse:
    """Without scripts: the changed structure is saved and shown again."""
    for field, words in given.errors.items():
        if field.startswith(("card:", "setting:")):
            messages.warning(request, words)
    if desk.is_scheduled:
        return render(request, "content_calendar/composer.html", desk_context(request, desk, given))
    try:
        post = _store(request, desk, given, now=timezone.now())
    except EditConflict as conflict:
        return _again(request, desk, given, "", status=409, conflict=conflict.post)
    except REFUSALS as refusal:
        return _again(request, desk, given, refusal_sentence(refusal))
    except (AccountUnknown, PostTaken) as error:
        raise Http404 from error
    return redirect(f"{reverse('content_calendar:edit', args=[post.pk])}?tab={given.tab}")


def _saved_as_copy(request: MemberRequest, desk: Desk, given: ComposerInput) -> HttpResponse:
    """The way out of a conflict in which nothing is lost: both versions live on."""
    fresh = Desk(uuid7(), None, desk.brand, is_scheduled=False)
    try:
        post = _store(request, fresh, given, now=timezone.now())
    except REFUSALS as refusal:
        return _again(request, desk, given, refusal_sentence(refusal))
    except AccountUnknown as error:
        raise Http404 from error
    messages.success(request, _("Your version is kept as a post of its own."))
    return redirect("content_calendar:edit", post_id=post.pk)


def _kept_as_template(request: MemberRequest, desk: Desk, given: ComposerInput) -> HttpResponse:
    """The post as it stands on the page becomes a template; a draft is saved besides, so nothing is lost."""
    now = timezone.now()
    name = " ".join(request.POST.get("template_name", "").replace("\x00", "").split())[:80]
    if not name:
        return _again(request, desk, given, _("Give the template a name."))
    try:
        template = writing.save_template(
            brand=desk.brand, name=name, draft=given.draft, actor=request.user, now=now
        )
        post = desk.post if desk.is_scheduled else _store(request, desk, given, now=now)
    except writing.NothingToKeep:
        return _again(request, desk, given, _("Write something first: an empty post makes no template."))
    except EditConflict as conflict:
        return _again(request, desk, given, "", status=409, conflict=conflict.post)
    except REFUSALS as refusal:
        return _again(request, desk, given, refusal_sentence(refusal))
    except (AccountUnknown, PostTaken) as error:
        raise Http404 from error
    messages.success(request, _("Kept as the template “%(name)s”.") % {"name": template.name})
    if desk.is_scheduled:
        return render(request, "content_calendar/composer.html", desk_context(request, desk, given))
    return redirect("content_calendar:edit", post_id=desk.post_id if post is None else post.pk)


def _again(
    request: MemberRequest, desk: Desk, given: ComposerInput, refusal: str, *, status: int = 422, **more: Any
) -> HttpResponse:
    """The page as it was sent, with what is wrong. A draft that was saved on the way has a newer version."""
    if desk.post is not None and status == 422 and not desk.is_scheduled:
        given = replace(given, version=desk.post.version)
    context = desk_context(request, desk, given, refusal=refusal, **more)
    return render(request, "content_calendar/composer.html", context, status=status)
