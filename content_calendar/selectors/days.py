"""What stands over the days of a calendar: notes, quiet periods, holidays."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import CharField, DateTimeField, F, Value
from django.db.models.functions import Cast

from accounts.models import Brand
from content_calendar.holidays import holidays_between
from content_calendar.models import CalendarNote
from core.time import to_local
from outbox.models import QuietPeriod

MOST_SPANS = 200  # notes and quiet periods of one period that is shown


@dataclass(frozen=True, slots=True)
class Quiet:
    """A quiet period of a brand."""

    brand: Brand
    starts_at: dt.datetime
    ends_at: dt.datetime
    after: str
    note: str


@dataclass(frozen=True, slots=True)
class Note:
    """A note on days of a brand's zone, ``last`` inclusive."""

    id: uuid.UUID
    brand: Brand
    first: dt.date
    last: dt.date
    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class Days:
    """``holidays``: (day, name, country)."""

    quiet: tuple[Quiet, ...]
    notes: tuple[Note, ...]
    holidays: tuple[tuple[dt.date, str, str], ...]


def days_between(
    brands: Sequence[Brand], start: dt.datetime, end: dt.datetime, *, zone: str, language: str
) -> Days:
    """What stands on the days of [start, end) (aware) as seen in ``zone``. One query."""
    by_id = {brand.pk: brand for brand in brands}
    first = to_local(start, zone).date()
    last = to_local(end - dt.timedelta(microseconds=1), zone).date()
    quiet, notes = _spans(by_id, start, end, first, last)
    countries = dict.fromkeys(brand.country for brand in brands)
    holidays = [
        (day, name, country)
        for country in countries
        for day, name in holidays_between(country, first, last, language)
    ]
    return Days(quiet, notes, tuple(sorted(holidays)))


def _spans(
    brands: Mapping[uuid.UUID, Brand],
    start: dt.datetime,
    end: dt.datetime,
    first: dt.date,
    last: dt.date,
) -> tuple[tuple[Quiet, ...], tuple[Note, ...]]:
    """Both in one statement: a page of the calendar asks few questions."""
    columns = ("is_note", "pk", "brand_id", "begins", "ends", "words", "look")
    quiet = (
        QuietPeriod.objects.filter(brand__in=brands)
        .between(start, end)
        .annotate(
            is_note=Value(False), begins=F("starts_at"), ends=F("ends_at"), words=F("note"), look=F("after")
        )
        .values_list(*columns)
    )
    notes = (
        CalendarNote.objects.filter(brand__in=brands)
        .between(first, last)
        .annotate(
            is_note=Value(True),
            begins=Cast("first_date", DateTimeField()),
            ends=Cast("last_date", DateTimeField()),
            words=Cast("text", CharField()),
            look=F("tone"),
        )
        .values_list(*columns)
    )
    found_quiet, found_notes = [], []
    for is_note, pk, brand, begins, ends, words, look in quiet.union(notes, all=True).order_by(
        "begins", "pk"
    )[:MOST_SPANS]:
        if is_note:
            found_notes.append(Note(pk, brands[brand], begins.date(), ends.date(), words, look))
        else:
            found_quiet.append(Quiet(brands[brand], begins, ends, look, words))
    return tuple(found_quiet), tuple(found_notes)
