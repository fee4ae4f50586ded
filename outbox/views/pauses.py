"""Pausing everything, a brand or an account; a slot on the account page with the last two."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import MemberRequest, load, requires
from accounts.models import Brand, SocialAccount
from accounts.permissions import Action, is_allowed
from core.htmx import render_page
from outbox.forms import PauseForm
from outbox.models import Pause
from outbox.selectors import open_pause_of
from outbox.services import AlreadyPaused, end_pause, pause_sending


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


@require_POST
@requires(Action.PAUSE)
def resume(request: MemberRequest, pause_id: uuid.UUID) -> HttpResponseBase:
    pause = load(request, Action.PAUSE, Pause.objects, pause_id)
    end_pause(pause=pause, actor=request.user, now=timezone.now())
    messages.success(request, _("Sending goes on. Held posts go out now, if it is not too late for them."))
    return redirect(_next(request))


def _next(request: HttpRequest) -> str:
    """The page that the form stood on, if it is one of ours."""
    wanted = request.POST.get("next") or request.headers.get("HX-Current-URL") or "/"
    return wanted if url_has_allowed_host_and_scheme(wanted, {request.get_host()}) else "/"
