"""Posts as an iCalendar (RFC 5545) that phones and calendar programs subscribe to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from content_calendar.selectors.posts import CalendarEvent

# A post is a moment; programs draw what has no length badly.
LENGTH = dt.timedelta(minutes=15)
REFRESH = dt.timedelta(hours=1)


def as_ical(events: Iterable[CalendarEvent], *, name: str, address: Callable[[CalendarEvent], str]) -> bytes:
    """``address`` gives the page of a post. What has no id of its own time keeps one: an event is known by
    its post and, where a post goes out at several times, by their order."""
    calendar = Calendar()
    calendar.add("prodid", "-//smmapp//content calendar//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", REFRESH)
    seen: dict[object, int] = {}
    for one in events:
        number = seen[one.post_id] = seen.get(one.post_id, 0) + 1
        event = Event()
        event.add("uid", f"{one.post_id}{f'-{number}' if number > 1 else ''}@smmapp")
        # Not the present moment: the same posts are the same bytes.
        event.add("dtstamp", one.at.astimezone(dt.UTC))
        event.add("dtstart", one.at.astimezone(dt.UTC))
        event.add("dtend", one.at.astimezone(dt.UTC) + LENGTH)
        title = one.title or _("Post without text")
        event.add("summary", f"{title} [{one.state.label}]")
        where = ", ".join(f"{account.handle} ({account.name})" for account in one.accounts)
        facts = [where, one.campaign, ", ".join(name for _tone, name in one.labels)]
        event.add("description", "\n".join(fact for fact in facts if fact))
        event.add("url", address(one))
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    return bytes(calendar.to_ical())
