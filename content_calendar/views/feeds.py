"""Secret addresses for calendar programs: made and withdrawn by members, read without a session."""

from __future__ import annotations

import re
import uuid

import redis
from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, current_brand, load, public, requires
from accounts.models import Brand
from accounts.permissions import Action
from accounts.selectors import zone_of
from content_calendar.forms import post_filter
from content_calendar.ical import as_ical
from content_calendar.models import CalendarFeed, SavedFilter
from content_calendar.planning_forms import FeedForm
from content_calendar.selectors.feeds import feed_events, tag_of
from content_calendar.services import feeds as service
from content_calendar.services.feeds import TooManyFeeds
from core.redis import client

_SECRET = re.compile(r"[0-9A-Za-z_-]{16,64}")
# Requests of one address a minute, whether their secrets are right or guessed.
MOST_REQUESTS = 60
_MINUTE = 60


def _page(
    request: MemberRequest, form: FeedForm | None = None, secret: str = "", status: int = 200
) -> HttpResponse:
    """``secret``: of the feed that was made this moment; its address is told once."""
    address = f"{settings.BASE_URL}{reverse('content_calendar:feed', args=[secret])}" if secret else ""
    context = {
        "feeds": CalendarFeed.objects.for_member(request.membership).order_by("name", "pk"),
        "form": form or FeedForm(filters=_filters(request)),
        "address": address,
        "zone": zone_of(request.membership, current_brand(request)),
    }
    response = render(request, "content_calendar/feeds.html", context, status=status)
    response["Cache-Control"] = "private, no-store"
    return response


def _filters(request: MemberRequest) -> list[SavedFilter]:
    return list(SavedFilter.objects.for_member(request.membership).order_by("name", "pk")[:200])


@requires(Action.VIEW)
@require_safe
def feeds(request: MemberRequest) -> HttpResponse:
    return _page(request)


@requires(Action.VIEW)
@require_POST
def feed_add(request: MemberRequest) -> HttpResponse:
    form = FeedForm(request.POST, filters=_filters(request))
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        _feed, secret = service.add_feed(
            membership=request.membership,
            name=form.cleaned_data["name"],
            query=form.query(),
            language=translation.get_language() or "",
            now=timezone.now(),
        )
    except TooManyFeeds:
        form.add_error(None, _("You have as many addresses as fit. Withdraw one first."))
        return _page(request, form, status=422)
    return _page(request, secret=secret)


@requires(Action.VIEW)
@require_POST
def feed_renew(request: MemberRequest, feed_id: uuid.UUID) -> HttpResponse:
    feed: CalendarFeed = load(request, Action.VIEW, CalendarFeed.objects, feed_id)
    return _page(request, secret=service.renew_feed(feed=feed))


@requires(Action.VIEW)
@require_POST
def feed_remove(request: MemberRequest, feed_id: uuid.UUID) -> HttpResponse:
    feed: CalendarFeed = load(request, Action.VIEW, CalendarFeed.objects, feed_id)
    service.remove_feed(feed=feed)
    messages.success(request, _("The address is withdrawn: nothing is there any more."))
    return redirect("content_calendar:feeds")


@public
@require_safe
def feed(request: HttpRequest, secret: str) -> HttpResponse:
    """What the member of the secret may see now; 404 for anything else, 304 when nothing has changed."""
    now = timezone.now()
    if not _is_let_in(request, int(now.timestamp()) // _MINUTE):
        return HttpResponse(status=429, headers={"Retry-After": str(_MINUTE)})
    found = service.read_feed(secret=secret, now=now) if _SECRET.fullmatch(secret) else None
    if found is None:
        raise Http404
    query = QueryDict(found.query)
    brand = None
    if wanted := query.get("brand"):
        # A brand that the member may not see any more leaves nothing, not everything.
        brand = Brand.objects.for_member(found.membership).filter(pk=wanted).first()
    with translation.override(found.language or settings.LANGUAGE_CODE):
        events = (
            ()
            if wanted and brand is None
            else feed_events(found.membership, brand, post_filter(query), now=now)
        )
        content = as_ical(
            events,
            name=found.name,
            address=lambda one: f"{settings.BASE_URL}{reverse('content_calendar:post', args=[one.post_id])}",
        )
    tag = tag_of(content)
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
        response["Content-Disposition"] = 'inline; filename="posts.ics"'
    response["ETag"] = tag
    response["Cache-Control"] = "private, max-age=300"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def _is_let_in(request: HttpRequest, minute: int) -> bool:
    """Whether the visitor's address has asked seldom enough. Without Redis nobody is counted."""
    try:
        who = str(get_adapter(request).get_client_ip(request))
        pipeline = client().pipeline()
        pipeline.incr(f"smmapp:feed:{who}:{minute}")
        pipeline.expire(f"smmapp:feed:{who}:{minute}", 2 * _MINUTE)
        return int(pipeline.execute()[0]) <= MOST_REQUESTS
    except (ImproperlyConfigured, PermissionDenied, redis.exceptions.RedisError):
        return True
