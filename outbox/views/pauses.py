"""Pausing everything, a brand or an account; a slot on the account page with the last two."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, current_brand, load, requires
from accounts.models import Brand, SocialAccount
from accounts.permissions import Action, is_allowed
from accounts.selectors import zone_of
from core.htmx import render_page
from core.paging import page_of
from outbox.forms import PauseForm, ResumeForm
from outbox.models import Pause
from outbox.payloads import words_of
from outbox.selectors import open_pause_of, overdue_of
from outbox.services import AlreadyPaused, end_pause, pause_sending
from outbox.tasks import dispatch


@require_GET
@requires(Action.VIEW)
def account_pause(request: MemberRequest, account_id: uuid.UUID) -> HttpResponse:
    """Whether this account's posts go out, and the button that changes it."""
    account = load(request, Action.VIEW, SocialAccount.objects.select_related("brand"), account_id)
    return render_page(
        request,
        "outbox/account_pause.html",
        {
            "account": account,
            "pause": open_pause_of(account),
            "form": PauseForm(),
            "may_pause": is_allowed(request.membership.role, Action.PAUSE),
            "next": _next(request),
        },
        partial="slot",
    )


@require_POST
@requires(Action.PAUSE)
def pause_account(request: MemberRequest, account_id: uuid.UUID) -> HttpResponseBase:
    account = load(request, Action.PAUSE, SocialAccount.objects.select_related("brand"), account_id)
    return _pause(request, brand=None, account=account)


@require_POST
@requires(Action.PAUSE)
def pause_brand(request: MemberRequest, brand_id: uuid.UUID) -> HttpResponseBase:
    return _pause(request, brand=load(request, Action.PAUSE, Brand.objects, brand_id), account=None)


@require_POST
@requires(Action.PAUSE)
def pause_everything(request: MemberRequest) -> HttpResponseBase:
    """The whole organization: for members who see all of its brands."""
    if not request.membership.has_all_brands:
        raise PermissionDenied
    return _pause(request, brand=None, account=None)


def _pause(request: MemberRequest, *, brand: Brand | None, account: SocialAccount | None) -> HttpResponseBase:
    form = PauseForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("The reason is too long: 255 characters at most."))
        return redirect(_next(request))
    try:
        pause_sending(
            organization=request.organization,
            brand=brand,
            account=account,
            reason=form.cleaned_data["reason"],
            actor=request.user,
            now=timezone.now(),
        )
        messages.success(request, _("Sending is paused. Posts that become due are held until you resume."))
    except AlreadyPaused:
        messages.info(request, _("Sending was paused already."))
    return redirect(_next(request))


@requires(Action.PAUSE)
@require_http_methods(["GET", "POST"])
def resume(request: MemberRequest, pause_id: uuid.UUID) -> HttpResponseBase:
    """Asks what becomes of the posts that fell due meanwhile, and ends the pause."""
    rows = Pause.objects.select_related("organization", "brand", "account__brand", "started_by")
    pause: Pause = load(request, Action.PAUSE, rows, pause_id)
    if pause.ended_at is not None:
        messages.info(request, _("Sending goes on already."))
        return redirect(_next(request))
    now = timezone.now()
    form = ResumeForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        return _resume_page(request, pause, form, status=422 if form.errors else 200)
    decision = form.decision()
    if decision is not None and not is_allowed(request.membership.role, Action.PUBLISH_POSTS):
        raise PermissionDenied
    count = end_pause(pause=pause, actor=request.user, now=now, overdue=decision)
    dispatch.delay_on_commit()
    if count and decision is None:
        messages.success(request, _("Sending goes on. Decide what becomes of the overdue posts."))
        return redirect("outbox:overdue")
    messages.success(request, _("Sending goes on."))
    return redirect(_next(request))


def _resume_page(request: MemberRequest, pause: Pause, form: ResumeForm, *, status: int) -> HttpResponse:
    now = timezone.now()
    brand = pause.account.brand if pause.account else pause.brand
    zone = brand.timezone if brand else zone_of(request.membership, current_brand(request))
    page = page_of(request, overdue_of(pause, now).select_related("account", "brand"))
    context = {
        "pause": pause,
        "form": form,
        "page": page,
        "rows": [(row, words_of(row.payload)[:120], row.account.info) for row in page],
        "zone": zone,
        "next": _next(request),
    }
    return render(request, "outbox/resume.html", context, status=status)


def _next(request: HttpRequest) -> str:
    """The page that the form stood on, if it is one of ours."""
    wanted = (
        request.POST.get("next") or request.GET.get("next") or request.headers.get("HX-Current-URL") or "/"
    )
    # A bare word would be taken for the name of a view.
    is_address = wanted.startswith(("/", "http://", "https://"))
    return wanted if is_address and url_has_allowed_host_and_scheme(wanted, {request.get_host()}) else "/"
