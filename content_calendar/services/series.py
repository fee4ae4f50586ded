"""Series: a post that repeats by a rule, its dates filled some weeks ahead."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.db import transaction

from accounts.models import Brand, User
from accounts.services.audit import record
from content_calendar.models import Occurrence, Post, Series
from content_calendar.recurrence import Rule, dates_of, read_rule
from content_calendar.services import automatic
from content_calendar.services.drafts import AlreadySending, Draft
from content_calendar.services.kept import draft_from, kept, new_template, template_from
from content_calendar.weekly import moment
from core.time import to_local

FILL_DAYS = 28  # so far ahead dates become posts


class NotADate(Exception):
    """The series has no such date, or it is over."""


class SeriesEnded(Exception):
    """It was ended: continue it first."""


def create_series(
    *,
    brand: Brand,
    name: str,
    content: Post | Draft,
    rule: Rule,
    starts_on: dt.date,
    wall_time: dt.time,
    actor: User,
    now: dt.datetime,
) -> Series:
    """A series with the content of a post (a plain draft becomes the template) or of a draft, its first weeks
    filled. Raises RuleTooLong, RuleEmpty, and as ``create_post``."""
    last_date = dates_of(rule, starts_on)[-1]
    with transaction.atomic():
        if isinstance(content, Post):
            template = template_from(post=content, actor=actor, now=now)
        else:
            template = new_template(brand=brand, author=actor, draft=content, now=now)
        series = Series.objects.create(
            brand=brand,
            name=name,
            template=template,
            content=kept(Draft.of_post(template)),
            content_version=template.version,
            rule=str(rule),
            starts_on=starts_on,
            wall_time=wall_time,
            last_date=last_date,
            run_by=actor,
            created_at=now,
        )
        _audit(series, "series.created", actor, now)
    fill_series(series=series, now=now)
    return series


def change_series(
    *,
    series: Series,
    name: str,
    rule: Rule,
    starts_on: dt.date,
    wall_time: dt.time,
    actor: User,
    now: dt.datetime,
) -> Series:
    """Another name, rule or time from now on: coming posts that nobody touched move or go with it, skipped
    dates stay skipped. Raises SeriesEnded, RuleTooLong, RuleEmpty."""
    last_date = dates_of(rule, starts_on)[-1]
    with transaction.atomic():
        row = _lock(series)
        if row.ended_at is not None:
            raise SeriesEnded
        row.name, row.rule, row.starts_on, row.wall_time = name, str(rule), starts_on, wall_time
        row.last_date, row.run_by = last_date, actor
        row.save(update_fields=["name", "rule", "starts_on", "wall_time", "last_date", "run_by"])
        _audit(row, "series.changed", actor, now)
        _follow(row, actor, now)
    fill_series(series=row, now=now)
    return row


def take_over_content(*, series: Series, actor: User, now: dt.datetime) -> int:
    """What the template says now for all coming posts that nobody touched. Returns how many were changed.
    Raises SeriesEnded."""
    with transaction.atomic():
        row = _lock(series)
        if row.ended_at is not None:
            raise SeriesEnded
        template = Post.objects.get(pk=row.template_id)
        row.content, row.content_version = kept(Draft.of_post(template)), template.version
        row.run_by = actor
        row.save(update_fields=["content", "content_version", "run_by"])
        _audit(row, "series.content_changed", actor, now)
        changed = _follow(row, actor, now)
    fill_series(series=row, now=now)
    return changed


def skip_date(*, series: Series, date: dt.date, actor: User, now: dt.datetime) -> None:
    """Nothing goes out on this date; a post that was made for it is put away. Raises NotADate, SeriesEnded,
    AlreadySending."""
    with transaction.atomic():
        row = _lock(series)
        _check_date(row, date, now)
        occurrence, _is_new = Occurrence.objects.get_or_create(series=row, date=date)
        post = occurrence.post
        if post is not None and post.deleted_at is None:
            if not automatic.take_away(post=post, actor=actor, now=now):
                raise AlreadySending
            occurrence.post_version = automatic.version_of(post)
        occurrence.skipped_at = now
        occurrence.save(update_fields=["skipped_at", "post_version"])
        _audit(row, "series.date_skipped", actor, now, date=date.isoformat())


def unskip_date(*, series: Series, date: dt.date, actor: User, now: dt.datetime) -> None:
    """It goes out on this date after all, with the post as it was put away. Raises NotADate, SeriesEnded."""
    with transaction.atomic():
        row = _lock(series)
        _check_date(row, date, now)
        occurrence = Occurrence.objects.select_related("post").filter(series=row, date=date).first()
        if occurrence is None:
            return
        post = occurrence.post
        if post is None:
            occurrence.delete()
        elif post.deleted_at is not None:
            occurrence.refusal = automatic.bring_back(post=post, brand=row.brand, run_by=actor, now=now)
            occurrence.post_version = automatic.version_of(post)
            occurrence.skipped_at = None
            occurrence.save(update_fields=["refusal", "post_version", "skipped_at"])
        _audit(row, "series.date_restored", actor, now, date=date.isoformat())
    fill_series(series=row, now=now)


def end_series(*, series: Series, actor: User, now: dt.datetime) -> int:
    """No more posts: those to come that nobody touched are put away. Returns how many; ``continue_series``
    undoes it."""
    with transaction.atomic():
        row = _lock(series)
        if row.ended_at is not None:
            return 0
        row.ended_at = now
        row.save(update_fields=["ended_at"])
        removed = sum(_remove(one, actor, now) for one in _untouched(row, now))
        _audit(row, "series.ended", actor, now, count=removed)
    return removed


def continue_series(*, series: Series, actor: User, now: dt.datetime) -> None:
    """An ended series goes on with its next date."""
    with transaction.atomic():
        row = _lock(series)
        if row.ended_at is None:
            return
        row.ended_at, row.run_by = None, actor
        row.save(update_fields=["ended_at", "run_by"])
        _audit(row, "series.continued", actor, now)
    fill_series(series=row, now=now)


def fill_series(*, series: Series, now: dt.datetime) -> int:
    """A post for each date of the coming FILL_DAYS that has none yet; what was refused is tried again. Any
    number of these may run: each date is made once. Returns how many were made."""
    row = Series.objects.select_related("brand__organization", "run_by").get(pk=series.pk)
    return sum(_fill(row, date, at, now) for date, at in coming(row, now, days=FILL_DAYS))


def coming(
    series: Series, now: dt.datetime, *, days: int | None = None
) -> Iterator[tuple[dt.date, dt.datetime]]:
    """The dates still to come (within ``days``) and their moments."""
    zone = series.brand.timezone
    last = to_local(now, zone).date() + dt.timedelta(days=days) if days is not None else dt.date.max
    for date in dates_of(read_rule(series.rule, zone), series.starts_on):
        if date > last:
            return
        at = moment(date, series.wall_time, zone)
        if at > now:
            yield date, at


def _fill(series: Series, date: dt.date, at: dt.datetime, now: dt.datetime) -> bool:
    with transaction.atomic():
        row = _lock(series)
        # Somebody changed it since its dates were read: whoever did fills it, too.
        if row.ended_at is not None or (row.rule, row.starts_on, row.wall_time) != (
            series.rule,
            series.starts_on,
            series.wall_time,
        ):
            return False
        occurrence = Occurrence.objects.select_related("post").filter(series=row, date=date).first()
        if occurrence is not None:
            _try_again(row, occurrence, now)
            return False
        draft = draft_from(row.content, row.brand, planned_at=at)
        post, refusal = automatic.make_post(brand=row.brand, run_by=row.run_by, draft=draft, now=now)
        Occurrence.objects.create(
            series=row, date=date, post=post, post_version=automatic.version_of(post), refusal=refusal
        )
    return True


def _try_again(series: Series, occurrence: Occurrence, now: dt.datetime) -> None:
    """What was refused before, if nobody has taken it in hand since."""
    post = occurrence.post
    if (
        not occurrence.refusal
        or post is None
        or not automatic.is_untouched(post, occurrence.post_version, now)
    ):
        return
    refusal = automatic.schedule(post=post, brand=series.brand, run_by=series.run_by, now=now)
    if refusal != occurrence.refusal:
        occurrence.refusal, occurrence.post_version = refusal, automatic.version_of(post)
        occurrence.save(update_fields=["refusal", "post_version"])


def _follow(series: Series, actor: User, now: dt.datetime) -> int:
    """Bring the untouched posts to come to what the locked series says. Returns how many were changed."""
    dates = dict(coming(series, now))
    changed = 0
    for occurrence in _untouched(series, now):
        at = dates.get(occurrence.date)
        post = occurrence.post
        if at is None or post is None:
            changed += _remove(occurrence, actor, now)
            continue
        draft = draft_from(series.content, series.brand, planned_at=at)
        try:
            occurrence.refusal = automatic.renew(
                post=post, brand=series.brand, run_by=actor, draft=draft, now=now
            )
        except AlreadySending:
            continue
        occurrence.post_version = automatic.version_of(post)
        occurrence.save(update_fields=["refusal", "post_version"])
        changed += 1
    return changed


def _untouched(series: Series, now: dt.datetime) -> list[Occurrence]:
    rows = Occurrence.objects.filter(series=series, post__planned_at__gt=now).select_related("post__brand")
    return [
        one
        for one in rows.order_by("date")
        if one.skipped_at is None and automatic.is_untouched(one.post, one.post_version, now)
    ]


def _remove(occurrence: Occurrence, actor: User, now: dt.datetime) -> bool:
    if occurrence.post is not None and not automatic.take_away(post=occurrence.post, actor=actor, now=now):
        return False
    occurrence.delete()
    return True


def _check_date(series: Series, date: dt.date, now: dt.datetime) -> None:
    if series.ended_at is not None:
        raise SeriesEnded
    if date not in dict(coming(series, now)):
        raise NotADate


def _lock(series: Series) -> Series:
    rows = Series.objects.select_for_update(of=("self",)).select_related("brand__organization", "run_by")
    return rows.get(pk=series.pk)


def _audit(series: Series, action: str, actor: User, now: dt.datetime, **detail: Any) -> None:
    record(
        organization=series.brand.organization,
        actor=actor,
        action=action,
        subject=series,
        detail=detail,
        now=now,
    )
