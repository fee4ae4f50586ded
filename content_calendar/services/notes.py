"""Notes on the days of a brand's calendar."""

from __future__ import annotations

import datetime as dt

from accounts.models import Brand, User
from content_calendar.models import CalendarNote, LabelTone

LONGEST_DAYS = 366


class EndsBeforeItBegins(Exception):
    """The last day comes before the first."""


class NoteTooLong(Exception):
    """It would stand on more than a year."""


def add_note(
    *,
    brand: Brand,
    first: dt.date,
    last: dt.date,
    text: str,
    tone: LabelTone,
    actor: User,
    now: dt.datetime,
) -> CalendarNote:
    """Raises EndsBeforeItBegins, NoteTooLong."""
    _check(first, last)
    return CalendarNote.objects.create(
        brand=brand, first_date=first, last_date=last, text=text, tone=tone, created_by=actor, created_at=now
    )


def change_note(
    *, note: CalendarNote, first: dt.date, last: dt.date, text: str, tone: LabelTone
) -> CalendarNote:
    """Raises EndsBeforeItBegins, NoteTooLong."""
    _check(first, last)
    note.first_date, note.last_date, note.text, note.tone = first, last, text, tone
    note.save(update_fields=["first_date", "last_date", "text", "tone"])
    return note


def remove_note(*, note: CalendarNote) -> None:
    note.delete()


def _check(first: dt.date, last: dt.date) -> None:
    if last < first:
        raise EndsBeforeItBegins
    if (last - first).days >= LONGEST_DAYS:
        raise NoteTooLong
