"""Today, notifications, and the switches of brand, organization and language."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from accounts import selectors as accounts
from accounts.access import BRAND_KEY, MemberRequest, public, requires, switch_organization
from accounts.models import Brand, Membership, Notification, SocialAccount
from accounts.news import sentence
from accounts.permissions import Action, is_allowed
from accounts.services.notifications import mark_read
from core.htmx import render_page
from core.paging import page_of
from smmapp.shell import selectors
from smmapp.shell.context import Shell
from smmapp.shell.navigation import address
from smmapp.shell.services import set_language


def _next(request: HttpRequest) -> str:
    """Where the form came from, if that is a page of ours; else Today."""
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else "/"


def _allowed_address(membership: Membership, action: Action, url_name: str) -> str:
    return address(url_name) if is_allowed(membership.role, action) else ""


@requires(Action.VIEW)
@require_safe
def today(request: MemberRequest) -> HttpResponse:
    now = timezone.now()
    brand = Shell(request).brand
    member = request.membership
    seen = SocialAccount.objects.for_member(member)
    context = {
        "now": now,
        "zone": selectors.zone_of(member, brand),
        "needs": selectors.needs_now(member, brand, now),
        "going": selectors.goes_out(member, brand, now),
        "yesterday": selectors.yesterday(member, brand, now),
        "has_accounts": (seen.for_brand(brand) if brand else seen).connected().exists(),
        "compose_url": _allowed_address(member, Action.DRAFT_POSTS, "content_calendar:compose"),
        "connect_url": _allowed_address(member, Action.CONNECT_ACCOUNTS, "accounts:connect"),
        "calendar_url": address("content_calendar:calendar"),
    }
    return render_page(request, "shell/today.html", context)


@requires(Action.VIEW)
@require_safe
def notifications(request: MemberRequest) -> HttpResponse:
    page = page_of(request, accounts.notifications_of(request.user), size=30)
    rows = [
        {"notification": row, "sentence": sentence(row.kind, row.context), "is_unread": row.read_at is None}
        for row in page
    ]
    context = {
        "page": page,
        "rows": rows,
        "zone": selectors.zone_of(request.membership, Shell(request).brand),
    }
    return render_page(request, "shell/notifications.html", context)


@requires(Action.VIEW)
@require_POST
def notification_open(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Marks it read and goes where it points."""
    notification = Notification.objects.for_user(request.user).filter(pk=pk).first()
    if notification is None:
        raise Http404
    mark_read(user=request.user, notification=notification, now=timezone.now())
    is_ours = url_has_allowed_host_and_scheme(notification.url, allowed_hosts=None)
    return redirect(notification.url if notification.url and is_ours else "shell:notifications")


@requires(Action.VIEW)
@require_POST
def notifications_read(request: MemberRequest) -> HttpResponse:
    mark_read(user=request.user, now=timezone.now())
    return redirect("shell:notifications")


@requires(Action.VIEW)
@require_safe
def badges(request: MemberRequest) -> HttpResponse:
    """The bell and the health dot, swapped in where they stand."""
    return render(request, "shell/badges.html", {"shell": Shell(request)})


@requires(Action.VIEW)
@require_POST
def switch(request: MemberRequest) -> HttpResponse:
    """Another brand (or all of them), or another organization, for the rest of the session."""
    if organization := request.POST.get("organization"):
        chosen = accounts.memberships_of(request.user).filter(organization_id=_uuid(organization)).first()
        if chosen is None:
            raise Http404
        switch_organization(request, chosen)
        return redirect("shell:today")
    if wanted := request.POST.get("brand"):
        brand = Brand.objects.for_member(request.membership).filter(pk=_uuid(wanted)).first()
        if brand is None:
            raise Http404
        request.session[BRAND_KEY] = str(brand.pk)
    else:
        request.session.pop(BRAND_KEY, None)
    return redirect(_next(request))


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None


@public
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """The interface's language: a cookie, and kept with the person for other devices and for mail."""
    code = request.POST.get("language", "")
    response = redirect(_next(request))
    if not translation.check_for_language(code) or code not in dict(settings.LANGUAGES):
        return response
    if request.user.is_authenticated:
        set_language(user=request.user, language=code)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=365 * 24 * 3600,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        samesite="Lax",
    )
    return response
