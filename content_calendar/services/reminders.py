"""Answers that are not there yet are asked for again, a few times."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q

from content_calendar.models import Review
from content_calendar.selectors.approval import rules_of
from content_calendar.services.reviews import MOST_REMINDERS, NEAR, tell_reviewers

BATCH = 100


def remind(*, now: dt.datetime) -> int:
    """Tell those who are asked again, for every review that has waited its hours or whose planned time is
    near; returns how many. The waits double: with 24 hours after one, three and seven days, and no more. Any
    number of workers may do this."""
    is_near = Q(is_near_told=False, post__planned_at__gt=now, post__planned_at__lte=now + NEAR)
    with transaction.atomic():
        due = (
            Review.objects.open()
            .select_for_update(of=("self",), skip_locked=True)
            .filter(
                Q(remind_at__lte=now) | is_near,
                post__deleted_at__isnull=True,
                post__brand__is_archived=False,
            )
            .select_related("post__brand__organization", "asked_by")
            .order_by("asked_at")
        )
        rows = list(due[:BATCH])
        for review in rows:
            planned_at = review.post.planned_at
            if not review.is_near_told and planned_at is not None and now < planned_at <= now + NEAR:
                review.is_near_told = True
            if review.remind_at is not None and review.remind_at <= now:
                review.reminders += 1
                review.remind_at = _next(review, now)
            review.save(update_fields=["is_near_told", "reminders", "remind_at"])
            tell_reviewers(review=review, now=now)
    return len(rows)


def _next(review: Review, now: dt.datetime) -> dt.datetime | None:
    hours = rules_of(review.post.brand_id).remind_after_h
    if not hours or review.reminders >= MOST_REMINDERS:
        return None
    return now + dt.timedelta(hours=hours * 2**review.reminders)
