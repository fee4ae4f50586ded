"""The pages behind a client's link: no sign-in, one secret. What was never made and what was guessed look
alike; what has expired or was revoked says so."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.http import require_POST, require_safe

from accounts.access import public
from content_calendar.approval_forms import ClientForm
from content_calendar.models import ReviewRequest
from content_calendar.selectors.review_links import client_posts, request_of, shown_image, state_of
from content_calendar.services import review_links
from content_calendar.services.approval import ChangedMeanwhile, NothingAsked
from content_calendar.services.review_links import LinkOver
from core.streaming import file_response
from core.visitors import address_of, is_too_often

# In a minute: secrets that one visitor may guess, and answers through one link.
MOST_GUESSES = 20
MOST_ANSWERS = 40
_LONGEST_TOKEN = 100


class _OtherPage(Exception):
    """The link does not open; ``response`` says why."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        self.response = response


def _through_link(
    view: Callable[..., HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Calls ``view(request, link, ...)`` for an open link; every answer keeps the address to itself."""

    @functools.wraps(view)
    def inner(request: HttpRequest, token: str, **arguments: Any) -> HttpResponseBase:
        try:
            link = _opened(request, token, timezone.now())
        except _OtherPage as other:
            return _private(other.response)
        with translation.override(_language(request, link)):
            return _private(view(request, link, token=token, **arguments))

    return inner


def _private(response: HttpResponseBase) -> HttpResponseBase:
    response["X-Robots-Tag"] = "noindex, nofollow"
    # No other server learns the address; our own needs it to tell its forms from others'.
    response["Referrer-Policy"] = "same-origin"
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


def _opened(request: HttpRequest, token: str, now: dt.datetime) -> ReviewRequest:
    """Raises _OtherPage."""
    link = request_of(token) if len(token) <= _LONGEST_TOKEN else None
    if link is None:
        if is_too_often("review_guess", address_of(request), most=MOST_GUESSES, now=now):
            raise _OtherPage(_over(request, "often", 429))
        raise _OtherPage(_over(request, "unknown", 404))
    if (state := state_of(link, now)) != "open":
        with translation.override(_language(request, link)):
            raise _OtherPage(_over(request, state, 410, link))
    return link


def _over(request: HttpRequest, state: str, status: int, link: ReviewRequest | None = None) -> HttpResponse:
    context = {"state": state, "link": link, "brand": link.brand if link else None}
    response = render(request, "content_calendar/review_over.html", context, status=status)
    if status == 429:
        response["Retry-After"] = "60"
    return response


def _language(request: HttpRequest, link: ReviewRequest) -> str:
    """What the visitor chose or their browser asks for; else that of the link."""
    current = translation.get_language() or settings.LANGUAGE_CODE
    if request.user.is_authenticated or settings.LANGUAGE_COOKIE_NAME in request.COOKIES:
        return current
    known = dict(settings.LANGUAGES)
    for asked, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        if asked.partition("-")[0] in known:
            return current
    return link.language if link.language in known else current


@public
@_through_link
@require_safe
def review(request: HttpRequest, link: ReviewRequest, *, token: str) -> HttpResponse:
    if not request.user.is_authenticated:  # a colleague who looks is no client who has seen it
        review_links.note_opened(request=link, now=timezone.now())
    return _page(request, link, token)


def _page(
    request: HttpRequest,
    link: ReviewRequest,
    token: str,
    *,
    form: ClientForm | None = None,
    at: uuid.UUID | None = None,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page; with ``form`` what somebody had entered for the post ``at``, and what was wrong with it."""
    posts = client_posts(link)
    context = {
        "link": link,
        "brand": link.brand,
        "zone": link.brand.timezone,
        "posts": posts,
        "waiting": sum(post.is_waiting for post in posts),
        "review_token": token,
        "form": form,
        "at": at,
        "refusal": refusal,
        "name": (form.data.get("name") if form else None) or request.session.get("review_name", ""),
    }
    return render(request, "content_calendar/review.html", context, status=status)


@public
@_through_link
@require_POST
def review_answer(
    request: HttpRequest, link: ReviewRequest, *, token: str, post_id: uuid.UUID
) -> HttpResponse:
    now = timezone.now()
    form = ClientForm(request.POST)
    if is_too_often("review_answer", str(link.pk), most=MOST_ANSWERS, now=now):
        words = _("That was very quick. Wait a minute, then send it again; your text stands below.")
        return _page(request, link, token, form=form, at=post_id, refusal=words, status=429)
    if not form.is_valid():
        return _page(request, link, token, form=form, at=post_id, status=422)
    request.session["review_name"] = form.cleaned_data["name"]
    try:
        said = _carry_out(link, post_id, form, now)
    except LinkOver:
        return _over(request, state_of(_fresh(link), now), 410, link)
    except ChangedMeanwhile:
        words = _(
            "Nothing was decided: the post was changed after you opened this page. Below it stands as it is "
            "now; your text is kept. Look at it again, then decide."
        )
        return _page(request, link, token, form=form, at=post_id, refusal=words, status=409)
    except NothingAsked:
        words = _("Nothing was decided: this post does not wait for your answer any more.")
        return _page(request, link, token, form=form, at=post_id, refusal=words, status=409)
    messages.success(request, said)
    return redirect(reverse("content_calendar:review", args=[token]) + f"#post-{post_id}")


def _carry_out(link: ReviewRequest, post_id: uuid.UUID, form: ClientForm, now: dt.datetime) -> str:
    given = form.cleaned_data
    name, text, decision = given["name"], given["text"], given["decision"]
    if decision == "comment":
        review_links.comment(request=link, post_id=post_id, client_name=name, text=text, now=now)
        return _("Thank you. Your comment is with the team.")
    review_links.answer(
        request=link,
        post_id=post_id,
        version_id=given["version"],
        is_approved=decision == "approve",
        client_name=name,
        text=text,
        now=now,
    )
    if decision == "approve":
        return _("Thank you. The post is approved.")
    return _("Thank you. The team has been told what should change.")


def _fresh(link: ReviewRequest) -> ReviewRequest:
    return ReviewRequest.objects.select_related("brand__organization", "created_by").get(pk=link.pk)


@public
@_through_link
@require_safe
def review_image(
    request: HttpRequest,
    link: ReviewRequest,
    *,
    token: str,
    asset_id: uuid.UUID,
) -> HttpResponseBase:
    asset = shown_image(link, asset_id)
    if asset is None:
        raise Http404
    return file_response(request, asset.thumbnail_key, "image/jpeg")
