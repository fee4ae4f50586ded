"""What a calendar program reads: the posts around now that the feed's member may see at this moment."""

from __future__ import annotations

import datetime as dt
import hashlib

from accounts.models import Brand, Membership
from content_calendar.selectors.posts import CalendarEvent, PostFilter, calendar_events

BEFORE = dt.timedelta(days=60)
AHEAD = dt.timedelta(days=180)
MOST_EVENTS = 2000


def feed_events(
    membership: Membership, brand: Brand | None, wanted: PostFilter, *, now: dt.datetime
) -> tuple[CalendarEvent, ...]:
    """From 60 days ago until 180 days ahead, in whole days, so that an hour's answers are the same."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    window = calendar_events(membership, brand, day - BEFORE, day + AHEAD, wanted, most=MOST_EVENTS)
    return window.events


def tag_of(content: bytes) -> str:
    """An ETag of what is answered."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'
