"""Secret addresses at which calendar programs read posts."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from accounts.models import Membership
from content_calendar.models import CalendarFeed

MOST_FEEDS = 20  # of one member
_SECRET_BYTES = 24


class TooManyFeeds(Exception):
    """One of those that are there has to go first."""


def add_feed(
    *, membership: Membership, name: str, query: str, language: str, now: dt.datetime
) -> tuple[CalendarFeed, str]:
    """The feed and its secret, which is told this once. ``query`` as forms.filter_query writes it. Raises
    TooManyFeeds."""
    if membership.calendar_feeds.count() >= MOST_FEEDS:
        raise TooManyFeeds
    secret = _new_secret()
    feed = CalendarFeed.objects.create(
        membership=membership,
        name=name,
        query=query,
        language=language,
        token_hash=_hashed(secret),
        created_at=now,
    )
    return feed, secret


def renew_feed(*, feed: CalendarFeed) -> str:
    """Another secret; at the old address there is nothing any more."""
    secret = _new_secret()
    feed.token_hash, feed.read_at = _hashed(secret), None
    feed.save(update_fields=["token_hash", "read_at"])
    return secret


def remove_feed(*, feed: CalendarFeed) -> None:
    feed.delete()


def read_feed(*, secret: str, now: dt.datetime) -> CalendarFeed | None:
    """The feed of a secret whose member still is one, and a note of when it was read. None otherwise."""
    feed = (
        CalendarFeed.objects.filter(
            token_hash=_hashed(secret), membership__is_active=True, membership__user__is_active=True
        )
        .select_related("membership__organization")
        .first()
    )
    hour = now.replace(minute=0, second=0, microsecond=0)
    if feed is not None and feed.read_at != hour:
        CalendarFeed.objects.filter(pk=feed.pk).update(read_at=hour)
    return feed


def _new_secret() -> str:
    return secrets.token_urlsafe(_SECRET_BYTES)


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
