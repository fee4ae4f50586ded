"""The calendar and its feed."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import choices
from accounts.access import MemberRequest, requires
from accounts.models import Brand
from accounts.permissions import Action
from content_calendar.forms import post_filter
from content_calendar.selectors.days import Days, Note, Quiet, days_between
from content_calendar.selectors.posts import (
    MOST_EVENTS,
    CalendarEvent,
    EventAccount,
    calendar_events,
)
from content_calendar.selectors.queues import free_slots
from content_calendar.selectors.states import TONES, UNSCHEDULED_STATES, PostState
from content_calendar.views.bulk import changed_action
from content_calendar.views.filters import default_query
from content_calendar.views.shown import Shown, filter_context, may, shown
from core.templatetags.ui import format_time
from core.time import to_local
from outbox.models import QuietAfter

# A month's grid shows six weeks; a list four. More than this is not one page of a calendar.
_LONGEST = dt.timedelta(days=100)


@requires(Action.VIEW)
@require_safe
def calendar(request: MemberRequest) -> HttpResponse:
    if kept := default_query(request):
        return redirect(f"{request.path}?{kept}")
    about = shown(request)
    wanted = post_filter(request.GET)
    context = filter_context(request, about, wanted) | {
        "most_events": MOST_EVENTS,
        "changed": changed_action(request),
        "hides_slots": request.GET.get("slots") == "0",
    }
    return render(request, "content_calendar/calendar.html", context)


@requires(Action.VIEW)
@require_safe
def events(request: MemberRequest) -> HttpResponse:
    """``?start=&end=`` (ISO instants with offset) and the filters. What repeats is told once: ``events`` name
    their state by its key in ``states``, accounts, campaign and labels by their places in those lists."""
    start, end = _instant(request.GET.get("start", "")), _instant(request.GET.get("end", ""))
    if start is None or end is None or not dt.timedelta(0) < end - start <= _LONGEST:
        return JsonResponse({"error": "start and end must be instants at most 100 days apart"}, status=400)
    about = shown(request)
    window = calendar_events(
        request.membership,
        about.brand,
        start,
        end,
        post_filter(request.GET),
        brands=[brand.pk for brand in about.brands],
    )
    days = days_between(
        about.shown_brands, start, end, zone=about.zone, language=translation.get_language() or "en"
    )
    names, rights = _Names(), may(request)
    told = [_event(event, rights, names) for event in window.events]
    slots = (
        _slots(request, about, start, end, accounts=window.accounts, names=names)
        if rights["may_draft"]
        else []
    )
    answer: dict[str, Any] = {
        "events": told,
        "slots": slots,
        "states": {state: {"label": state.label, "tone": TONES[state]} for state in PostState},
        "accounts": [
            {"icon": account.icon, "name": account.name, "handle": account.handle}
            for _place, account in names.accounts.values()
        ],
        "campaigns": list(names.campaigns),
        "labels": [{"tone": tone, "name": name} for tone, name in names.labels],
        "post_url": _address("post"),
        "move_url": f"{_address('move')}?zone={about.zone}",
        "note_url": _address("note_change") if rights["may_draft"] else "",
        "is_cut": window.is_cut,
        "quiet": [_quiet(period, about) for period in days.quiet],
        "notes": [_note(note, about) for note in days.notes],
        "holidays": _holidays(days, about),
    }
    response = JsonResponse(answer, json_dumps_params={"ensure_ascii": False, "separators": (",", ":")})
    response["Cache-Control"] = "private, no-store"
    return response


_NOBODY = "00000000-0000-0000-0000-000000000000"


def _address(name: str) -> str:
    """An address with "{id}" in the place of the id."""
    return reverse(f"content_calendar:{name}", args=[_NOBODY]).replace(_NOBODY, "{id}")


@dataclass(slots=True)
class _Names:
    """What events share, each once and in the order of its first use: the value is its place."""

    accounts: dict[uuid.UUID, tuple[int, EventAccount]] = field(default_factory=dict)
    campaigns: dict[str, int] = field(default_factory=dict)
    labels: dict[tuple[str, str], int] = field(default_factory=dict)

    def account(self, one: EventAccount) -> int:
        return self.accounts.setdefault(one.id, (len(self.accounts), one))[0]


def _quiet(period: Quiet, about: Shown) -> dict[str, Any]:
    """A quiet period, with the days of the shown zone that it touches: a month has no hours to shade."""
    first = to_local(period.starts_at, about.zone).date()
    last = to_local(period.ends_at - dt.timedelta(microseconds=1), about.zone).date()
    times = [format_time(at, about.zone, "short") for at in (period.starts_at, period.ends_at)]
    return {
        "title": _of_brand(period.brand, about, period.note or _("Quiet period")),
        "text": f"{' – '.join(times)} · {QuietAfter(period.after).label}",
        "start": _utc(period.starts_at),
        "end": _utc(period.ends_at),
        "days": [first.isoformat(), (last + dt.timedelta(days=1)).isoformat()],
    }


def _note(note: Note, about: Shown) -> dict[str, Any]:
    return {
        "id": str(note.id),
        "title": _of_brand(note.brand, about, note.text),
        "tone": note.tone,
        "days": [note.first.isoformat(), (note.last + dt.timedelta(days=1)).isoformat()],
    }


def _of_brand(brand: Brand, about: Shown, words: str) -> str:
    return words if about.brand is not None else f"{brand}: {words}"


def _holidays(days: Days, about: Shown) -> list[dict[str, str]]:
    """With the country where brands of several are shown."""
    countries = dict(choices.countries())
    has_several = len({brand.country for brand in about.shown_brands if brand.country}) > 1
    return [
        {
            "day": day.isoformat(),
            "title": f"{name} ({countries.get(country, country)})" if has_several else name,
        }
        for day, name, country in days.holidays
    ]


def _utc(instant: dt.datetime) -> str:
    return f"{instant.astimezone(dt.UTC).isoformat()[:19]}Z"  # of strftime a month would take 1 ms more


def _slots(
    request: MemberRequest,
    about: Shown,
    start: dt.datetime,
    end: dt.datetime,
    *,
    accounts: Mapping[uuid.UUID, EventAccount],
    names: _Names,
) -> list[dict[str, Any]]:
    """Free slots of the one brand that is shown, unless ``?slots=0`` or a filter asks for other things; each
    with the address at which a post for it is written. (Of many brands nobody could see the posts for them.)
    """
    wanted = post_filter(request.GET)
    start = max(start, timezone.now())
    is_filtered = wanted.states or wanted.author or wanted.campaign or wanted.text or wanted.platforms
    if request.GET.get("slots") == "0" or is_filtered or wanted.labels or start >= end:
        return []
    if len(about.shown_brands) != 1:
        return []
    (brand,) = about.shown_brands
    compose = reverse("content_calendar:compose")
    told = []
    for slot in free_slots([brand], start, end, accounts=wanted.accounts or None):
        local = to_local(slot.at, brand.timezone)
        query: list[tuple[str, str]] = [("brand", str(slot.brand_id)), ("date", f"{local:%Y-%m-%dT%H:%M}")]
        query += [("account", str(pk)) for pk in slot.accounts]
        told.append(
            {
                "start": _utc(slot.at),
                "accounts": [names.account(accounts[pk]) for pk in slot.accounts if pk in accounts],
                "url": f"{compose}?{urlencode(query)}",
            }
        )
    return told


def _event(event: CalendarEvent, rights: dict[str, bool], names: _Names) -> dict[str, Any]:
    may_move = rights["may_draft"] if event.state in UNSCHEDULED_STATES else rights["may_publish"]
    told: dict[str, Any] = {
        "post": event.post_id,
        "title": event.title,
        "start": _utc(event.at),
        "state": event.state,
        "accounts": [names.account(one) for one in event.accounts],
        "editable": event.is_movable and may_move,
    }
    if event.campaign:
        told["campaign"] = names.campaigns.setdefault(event.campaign, len(names.campaigns))
    if event.labels:
        told["labels"] = [names.labels.setdefault(one, len(names.labels)) for one in event.labels]
    return told


def _instant(value: str) -> dt.datetime | None:
    try:
        instant = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None
