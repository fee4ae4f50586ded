"""Links for clients, as those who send them see them."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.models import Brand
from accounts.permissions import Action
from content_calendar.approval_forms import LinkForm
from content_calendar.models import ReviewRequest
from content_calendar.selectors.approval import for_client
from content_calendar.selectors.review_links import client_posts, requests_of, state_of
from content_calendar.services import review_links
from content_calendar.services.review_links import LinkOver, NoPosts
from content_calendar.views.refusals import refusal_sentence
from content_calendar.views.shown import shown
from core.paging import page_of

# Links are shown once, to whoever made them; the session keeps them until then.
_KEY = "review_link"


@requires(Action.APPROVE_POSTS)
@require_safe
def review_links_list(request: MemberRequest) -> HttpResponse:
    about = shown(request)
    now = timezone.now()
    page = page_of(request, requests_of(request.membership, about.brand))
    context = {"shown": about, "page": page, "rows": [(row, state_of(row, now)) for row in page]}
    return render(request, "content_calendar/review_links.html", context)


@requires(Action.APPROVE_POSTS)
@require_http_methods(["GET", "POST"])
def review_link_new(request: MemberRequest) -> HttpResponse:
    """For posts of ``brand`` that wait for the client; ``?post=`` chooses some of them, else all."""
    about = shown(request)
    wanted = request.POST.get("brand") or request.GET.get("brand")
    brand = about.brand or _first_with_posts(about.brands)
    if wanted:
        brand = next((one for one in about.brands if str(one.pk) == wanted), None)
        if brand is None:
            raise Http404
    if brand is None:
        return render(request, "content_calendar/review_link_new.html", {"shown": about})
    given = request.POST if request.method == "POST" else None
    form = LinkForm(given, brand=brand, initial=_initial(request, brand))
    if request.method == "POST" and form.is_valid():
        try:
            row, token = review_links.create_request(
                brand=brand,
                posts=form.cleaned_data["posts"],
                facts=form.facts(),
                actor=request.user,
                now=timezone.now(),
            )
        except NoPosts as refusal:
            form.add_error("posts", refusal_sentence(refusal))
        else:
            _remember(request, row, token)
            said = _("The link is made.")
            if row.client_email:
                said = _("The link is made, and on its way to %(email)s.") % {"email": row.client_email}
            messages.success(request, said)
            return redirect("content_calendar:review_link", request_id=row.pk)
    context = {
        "shown": about,
        "brand": brand,
        "form": form,
        "has_posts": for_client(brand).exists(),
    }
    status = 422 if form.is_bound else 200
    return render(request, "content_calendar/review_link_new.html", context, status=status)


def _first_with_posts(brands: tuple[Brand, ...]) -> Brand | None:
    return next((one for one in brands if for_client(one).exists()), brands[0] if brands else None)


def _initial(request: MemberRequest, brand: Brand) -> dict[str, Any]:
    """The posts that the address names, or all; the client of the brand's last link."""
    waiting = [str(pk) for pk in for_client(brand).values_list("pk", flat=True)[: review_links.MOST_POSTS]]
    named = [pk for pk in request.GET.getlist("post") if pk in waiting]
    last = ReviewRequest.objects.filter(brand=brand).order_by("-created_at").first()
    languages = dict(settings.LANGUAGES)
    return {
        "posts": named or waiting,
        "client_name": last.client_name if last else "",
        "client_email": last.client_email if last else "",
        "days": review_links.STANDARD_DAYS,
        "language": last.language if last else brand.locale if brand.locale in languages else "en",
    }


def _remember(request: MemberRequest, row: ReviewRequest, token: str) -> None:
    path = reverse("content_calendar:review", args=[token])
    request.session[_KEY] = {"request": str(row.pk), "url": f"{settings.BASE_URL}{path}"}


@requires(Action.APPROVE_POSTS)
@require_safe
def review_link(request: MemberRequest, request_id: uuid.UUID) -> HttpResponse:
    """One link: whom it is for, whether it works, what came of it; its address once, after it was made."""
    rows = ReviewRequest.objects.select_related("brand", "created_by", "revoked_by")
    row: ReviewRequest = load(request, Action.APPROVE_POSTS, rows, request_id)
    fresh = request.session.get(_KEY) or {}
    url = ""
    if fresh.get("request") == str(row.pk):
        url = request.session.pop(_KEY)["url"]
    context = {
        "row": row,
        "brand": row.brand,
        "state": state_of(row, timezone.now()),
        "posts": client_posts(row),
        "url": url,
    }
    return render(request, "content_calendar/review_link.html", context)


@requires(Action.APPROVE_POSTS)
@require_POST
def review_link_revoke(request: MemberRequest, request_id: uuid.UUID) -> HttpResponse:
    rows = ReviewRequest.objects.select_related("brand__organization")
    row: ReviewRequest = load(request, Action.APPROVE_POSTS, rows, request_id)
    review_links.revoke_request(request=row, actor=request.user, now=timezone.now())
    messages.success(request, _("Revoked. Whoever opens the link is told so."))
    return redirect("content_calendar:review_link", request_id=row.pk)


@requires(Action.APPROVE_POSTS)
@require_POST
def review_link_renew(request: MemberRequest, request_id: uuid.UUID) -> HttpResponse:
    """Another address of an open link, for whoever has lost it."""
    rows = ReviewRequest.objects.select_related("brand__organization")
    row: ReviewRequest = load(request, Action.APPROVE_POSTS, rows, request_id)
    try:
        token = review_links.renew_key(request=row, actor=request.user, now=timezone.now())
    except LinkOver as refusal:
        messages.error(request, refusal_sentence(refusal))
    else:
        _remember(request, row, token)
    return redirect("content_calendar:review_link", request_id=row.pk)
