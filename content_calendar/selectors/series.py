"""A series as people read it: its rule in words, its coming dates, what went out."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.models import Brand, Membership
from content_calendar.models import Occurrence, Post, Series
from content_calendar.recurrence import WEEKDAYS as CODES
from content_calendar.recurrence import Rule, dates_of, read_rule
from content_calendar.selectors.posts import PostRow, row_of, with_variants
from content_calendar.weekly import moment
from core.templatetags.ui import day as day_words
from core.time import to_local

_NTH_DAY = re.compile(r"(-1|[1-5])(MO|TU|WE|TH|FR|SA|SU)")
_PLAIN = {"FREQ", "INTERVAL", "UNTIL", "COUNT", "WKST"}


@dataclass(frozen=True, slots=True)
class SeriesDate:
    """One date of a series. ``row`` is None where there is no post (yet), ``is_shifted`` where the time does
    not exist on that day. ``is_own``: somebody changed the post, the series leaves it alone."""

    date: dt.date
    at: dt.datetime
    is_shifted: bool = False
    row: PostRow | None = None
    is_skipped: bool = False
    is_own: bool = False
    refusal: str = ""


def rule_of(series: Series) -> Rule:
    return read_rule(series.rule, series.brand.timezone)


def rule_words(rule: Rule) -> str:
    """The rule in words where forms can say it, else as it is written."""
    repeats = _repeats(rule)
    if repeats is None:
        return str(rule)
    if rule.until is not None:
        return _("%(rule)s until %(date)s") % {"rule": repeats, "date": day_words(rule.until)}
    count = rule.count or 0
    return ngettext("%(rule)s, %(count)s time", "%(rule)s, %(count)s times", count) % {
        "rule": repeats,
        "count": count,
    }


def _repeats(rule: Rule) -> str | None:
    more = {name for name, _value in rule.parts} - _PLAIN
    every = int(rule.get("INTERVAL") or 1)
    words: dict[str, object] = {"count": every}
    text = None
    if rule.get("FREQ") == "DAILY" and not more:
        text = _("Every day") if every == 1 else _("Every %(count)s days")
    elif rule.get("FREQ") == "WEEKLY" and not more:
        text = _("Every week") if every == 1 else _("Every %(count)s weeks")
    elif rule.get("FREQ") == "WEEKLY" and more == {"BYDAY"}:
        codes = rule.get("BYDAY").split(",")
        if set(codes) <= set(CODES):
            named = (str(WEEKDAYS[CODES.index(code)]) for code in codes)
            words["days"] = pgettext("between weekdays", ", ").join(named)
            text = _("Every week on %(days)s") if every == 1 else _("Every %(count)s weeks on %(days)s")
    elif rule.get("FREQ") == "MONTHLY":
        text = _monthly(rule, more, every, words)
    return text % words if text else None


def _monthly(rule: Rule, more: set[str], every: int, words: dict[str, object]) -> str | None:
    """The sentence of a monthly rule; what it needs is put into ``words``."""
    if more == {"BYMONTHDAY"} and rule.get("BYMONTHDAY") == "-1":
        return _("Every month on the last day") if every == 1 else _("Every %(count)s months on the last day")
    if more == {"BYMONTHDAY"} and re.fullmatch("[1-9][0-9]?", rule.get("BYMONTHDAY")):
        words["day"] = rule.get("BYMONTHDAY")
        return _("Every month on day %(day)s") if every == 1 else _("Every %(count)s months on day %(day)s")
    if more == {"BYDAY"} and (found := _NTH_DAY.fullmatch(rule.get("BYDAY"))):
        words |= {"nth": nth_words()[found[1]], "weekday": WEEKDAYS[CODES.index(found[2])]}
        if every == 1:
            return _("Every month on the %(nth)s %(weekday)s")
        return _("Every %(count)s months on the %(nth)s %(weekday)s")
    return None


def nth_words() -> dict[str, str]:
    """What stands before a weekday, by the number that a rule writes."""
    return {
        "1": pgettext("weekday of a month", "first"),
        "2": pgettext("weekday of a month", "second"),
        "3": pgettext("weekday of a month", "third"),
        "4": pgettext("weekday of a month", "fourth"),
        "5": pgettext("weekday of a month", "fifth"),
        "-1": pgettext("weekday of a month", "last"),
    }


def series_of(membership: Membership, brand: Brand | None) -> QuerySet[Series]:
    """Running ones first, the latest first."""
    rows = Series.objects.for_member(membership)
    if brand is not None:
        rows = rows.filter(brand=brand)
    return rows.select_related("brand").order_by("ended_at", "-created_at")


def coming_dates(series: Series, now: dt.datetime) -> list[dt.date]:
    zone = series.brand.timezone
    return [
        date
        for date in dates_of(rule_of(series), series.starts_on)
        if moment(date, series.wall_time, zone) > now
    ]


def series_dates(series: Series, dates: Sequence[dt.date]) -> list[SeriesDate]:
    """What stands at these dates of the series. Three queries."""
    zone = series.brand.timezone
    found = {
        one.date: one
        for one in Occurrence.objects.filter(series=series, date__in=dates).select_related("post")
    }
    ids = [one.post_id for one in found.values() if one.post_id]
    posts = {
        post.pk: row_of(post)
        for post in with_variants(Post.objects.filter(pk__in=ids, deleted_at__isnull=True))
    }
    rows = []
    for date in dates:
        at = moment(date, series.wall_time, zone)
        local = to_local(at, zone)
        one = found.get(date)
        row = posts.get(one.post_id) if one is not None and one.post_id else None
        rows.append(
            SeriesDate(
                date=date,
                at=at,
                is_shifted=(local.hour, local.minute) != (series.wall_time.hour, series.wall_time.minute),
                row=row,
                is_skipped=one is not None and row is None,
                is_own=one is not None and row is not None and row.post.version != one.post_version,
                refusal=one.refusal if one is not None else "",
            )
        )
    return rows


def past_posts(series: Series, now: dt.datetime, most: int = 20) -> list[PostRow]:
    """The latest posts of the series whose time is over, the latest first."""
    rows = Post.objects.filter(occurrence__series=series, planned_at__lte=now, deleted_at__isnull=True)
    return [row_of(post) for post in with_variants(rows).order_by("-planned_at")[:most]]


def next_date(series: Series, now: dt.datetime) -> dt.datetime | None:
    """The next one that is not skipped; None for a series that is over."""
    if series.ended_at is not None:
        return None
    skipped = set(
        Occurrence.objects.filter(series=series, skipped_at__isnull=False).values_list("date", flat=True)
    )
    for date in coming_dates(series, now):
        if date not in skipped:
            return moment(date, series.wall_time, series.brand.timezone)
    return None
