"""The calendar and its feed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, requires
from accounts.models import SocialAccount
from accounts.permissions import Action
from campaigns.models import Campaign
from content_calendar.forms import post_filter
from content_calendar.selectors.posts import MOST_EVENTS, CalendarEvent, calendar_events
from content_calendar.selectors.queues import free_slots
from content_calendar.selectors.states import TONES, PostState
from content_calendar.views.shown import Shown, filter_context, may, shown
from core.templatetags.ui import format_time
from core.time import to_local
from outbox.models import QuietPeriod

# A month's grid shows six weeks; a list four. More than this is not one page of a calendar.
_LONGEST = dt.timedelta(days=100)
MOST_QUIET = 50


@requires(Action.VIEW)
@require_safe
def calendar(request: MemberRequest) -> HttpResponse:
    about = shown(request)
    wanted = post_filter(request.GET)
    context = filter_context(request, about, wanted) | {
        "most_events": MOST_EVENTS,
        "hides_slots": request.GET.get("slots") == "0",
    }
    return render(request, "content_calendar/calendar.html", context)


@requires(Action.VIEW)
@require_safe
def events(request: MemberRequest) -> HttpResponse:
    """``?start=&end=`` (ISO instants with offset) and the filters. What repeats is told once: ``events`` name
    their state, accounts and campaign by keys of ``states``, ``accounts`` and ``campaigns``."""
    start, end = _instant(request.GET.get("start", "")), _instant(request.GET.get("end", ""))
    if start is None or end is None or not dt.timedelta(0) < end - start <= _LONGEST:
        return JsonResponse({"error": "start and end must be instants at most 100 days apart"}, status=400)
    about = shown(request)
    window = calendar_events(request.membership, about.brand, start, end, post_filter(request.GET))
    rights = may(request)
    accounts = {account.id: account for event in window.events for account in event.accounts}
    in_campaigns = {event.campaign_id for event in window.events if event.campaign_id}
    campaigns = Campaign.objects.filter(pk__in=in_campaigns).values_list("pk", "name") if in_campaigns else ()
    answer: dict[str, Any] = {
        "events": [_event(event, rights) for event in window.events],
        "states": {state: {"label": state.label, "tone": TONES[state]} for state in PostState},
        "accounts": {
            str(pk): {"icon": one.icon, "name": one.name, "handle": one.handle}
            for pk, one in accounts.items()
        },
        "campaigns": {str(pk): name for pk, name in campaigns},
        "post_url": reverse("content_calendar:post", args=[_NOBODY]).replace(str(_NOBODY), "{id}"),
        "move_url": reverse("content_calendar:move", args=[_NOBODY]).replace(str(_NOBODY), "{id}")
        + f"?zone={about.zone}",
        "is_cut": window.is_cut,
        "quiet": _quiet(request, about, start, end),
    }
    if rights["may_draft"]:
        answer["slots"] = slots = _slots(request, about, start, end)
        fresh = {pk for slot in slots for pk in slot["accounts"]} - answer["accounts"].keys()
        for account in SocialAccount.objects.filter(pk__in=fresh) if fresh else ():
            facts = {"icon": account.info.icon, "name": account.info.name, "handle": account.handle}
            answer["accounts"][str(account.pk)] = facts
    response = JsonResponse(answer, json_dumps_params={"ensure_ascii": False, "separators": (",", ":")})
    response["Cache-Control"] = "private, no-store"
    return response


_NOBODY = "00000000-0000-0000-0000-000000000000"


def _quiet(
    request: MemberRequest, about: Shown, start: dt.datetime, end: dt.datetime
) -> list[dict[str, Any]]:
    """Quiet periods, with the days of the shown zone that they touch: a month has no hours to shade."""
    rows = QuietPeriod.objects.for_member(request.membership).between(start, end).select_related("brand")
    if about.brand is not None:
        rows = rows.for_brand(about.brand)
    told = []
    for period in rows.order_by("starts_at")[:MOST_QUIET]:
        first = to_local(period.starts_at, about.zone).date()
        last = to_local(period.ends_at - dt.timedelta(microseconds=1), about.zone).date()
        whose = "" if about.brand is not None else f"{period.brand}: "
        words = period.note or _("Quiet period")
        times = [format_time(at, about.zone, "short") for at in (period.starts_at, period.ends_at)]
        told.append(
            {
                "title": f"{whose}{words}",
                "text": f"{' – '.join(times)} · {period.get_after_display()}",
                "start": period.starts_at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "end": period.ends_at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "days": [first.isoformat(), (last + dt.timedelta(days=1)).isoformat()],
            }
        )
    return told


def _slots(
    request: MemberRequest, about: Shown, start: dt.datetime, end: dt.datetime
) -> list[dict[str, Any]]:
    """Free slots still to come, unless ``?slots=0`` or a filter asks for something else; each with the
    address at which a post for it is written."""
    wanted = post_filter(request.GET)
    start = max(start, timezone.now())
    is_filtered = wanted.states or wanted.author or wanted.campaign or wanted.text or wanted.platforms
    if request.GET.get("slots") == "0" or is_filtered or start >= end:
        return []
    brands = {brand.pk: brand for brand in ((about.brand,) if about.brand else about.brands)}
    compose = reverse("content_calendar:compose")
    told = []
    for slot in free_slots(brands.values(), start, end, accounts=wanted.accounts or None):
        local = to_local(slot.at, brands[slot.brand_id].timezone)
        query: list[tuple[str, str]] = [("brand", str(slot.brand_id)), ("date", f"{local:%Y-%m-%dT%H:%M}")]
        query += [("account", str(pk)) for pk in slot.accounts]
        told.append(
            {
                "start": slot.at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "accounts": [str(pk) for pk in slot.accounts],
                "url": f"{compose}?{urlencode(query)}",
            }
        )
    return told


def _event(event: CalendarEvent, rights: dict[str, bool]) -> dict[str, Any]:
    may_move = rights["may_draft"] if event.state is PostState.DRAFT else rights["may_publish"]
    told: dict[str, Any] = {
        "post": str(event.post_id),
        "title": event.title,
        "start": event.at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "state": event.state,
        "accounts": [str(account.id) for account in event.accounts],
        "editable": event.is_movable and may_move,
    }
    if event.campaign_id:
        told["campaign"] = str(event.campaign_id)
    return told


def _instant(value: str) -> dt.datetime | None:
    try:
        instant = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None
