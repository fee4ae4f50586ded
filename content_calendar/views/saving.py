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
    apply_change,
    with_media,
)
from content_calendar.models import Post
from content_calendar.services import drafts, media, scheduling, uploads
from content_calendar.services.drafts import AccountUnknown, EditConflict, PostTaken
from content_calendar.views.desk import Desk, desk_context, desk_of, given_of
from content_calendar.views.media import refusal_text
from content_calendar.views.posts import wall
from content_calendar.views.refusals import REFUSALS, refusal_sentence
from content_calendar.views.shown import may
from core.ids import uuid7
from outbox.tasks import dispatch

_SCHEDULING = ("schedule", "publish", "update")


@requires(Action.DRAFT_POSTS)
@require_http_methods(["GET", "POST"])
def save(request: MemberRequest, post_id: uuid.UUID) -> HttpResponseBase:
    """Autosave (JSON), or the form with one of its buttons: ``action`` is draft, schedule, publish, update or
    copy; a ``change`` button saves, too, so that pages without scripts can be structured. GET is somebody who
    reloads after a refusal."""
    if request.method == "GET":
        row: Post = load(request, Action.DRAFT_POSTS, Post.objects, post_id)
        return redirect("content_calendar:edit", post_id=row.pk)
    desk = desk_of(request, post_id)
    given = _with_exact_time(desk, given_of(request, desk))
    if "application/json" in request.headers.get("Accept", ""):
        return _autosave(request, desk, given)
    action = request.POST.get("action", "draft")
    if action in _SCHEDULING and not may(request)["may_publish"]:
        raise PermissionDenied
    given, refused = _with_files(request, desk, given)
    if refused:
        return _again(request, desk, given, refused)
    if wanted := request.POST.get("change"):
        return _changed(request, desk, apply_change(given, wanted))
    if action == "copy":
        return _saved_as_copy(request, desk, given)
    try:
        return _carry_out(request, desk, given, action)
    except EditConflict as conflict:
        return _again(request, desk, given, "", status=409, conflict=conflict.post)
    except REFUSALS as refusal:
        given = replace(given, tab=_place_of(refusal, given))
        return _again(request, desk_of(request, post_id), given, refusal_sentence(refusal))
    except (AccountUnknown, PostTaken) as error:
        raise Http404 from error


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
        post=desk.post, version=given.version, draft=draft, now=now, edited_in=given.page
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
    if action == "publish":
        dispatch.delay_on_commit()
        messages.success(request, _("On its way to the networks."))
    elif action == "draft":
        messages.success(request, _("Saved as a draft."))
    elif post.planned_at is not None and post.planned_at > now:
        messages.success(request, _("Scheduled for %(time)s.") % {"time": wall(post.planned_at, desk.zone)})
    else:
        messages.success(request, _("Changes saved."))
    return redirect("content_calendar:post", post_id=post.pk)


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


def _again(
    request: MemberRequest, desk: Desk, given: ComposerInput, refusal: str, *, status: int = 422, **more: Any
) -> HttpResponse:
    """The page as it was sent, with what is wrong. A draft that was saved on the way has a newer version."""
    if desk.post is not None and status == 422 and not desk.is_scheduled:
        given = replace(given, version=desk.post.version)
    context = desk_context(request, desk, given, refusal=refusal, **more)
    return render(request, "content_calendar/composer.html", context, status=status)
