"""Quiet periods where people plan: the calendar's feed, the composer, moving a post."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from accounts.models import Brand, User
from content_calendar.models import Post
from outbox.models import QuietAfter
from outbox.services.quiet import add_quiet_period
from tests.content_calendar.conftest import NOW

pytestmark = pytest.mark.django_db
FIRST = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)
LAST = FIRST + dt.timedelta(days=2)


@pytest.fixture(autouse=True)
def _quiet(brand: Brand, manager: User) -> Any:
    with time_machine.travel(NOW, tick=False):
        add_quiet_period(
            brand=brand,
            starts_at=FIRST,
            ends_at=LAST,
            after=QuietAfter.ASK,
            note="Stocktaking",
            actor=manager,
            now=NOW,
        )
        yield


def feed(client: Any, start: str, end: str) -> list[dict[str, Any]]:
    query = {"start": f"{start}T00:00:00Z", "end": f"{end}T00:00:00Z"}
    found: list[dict[str, Any]] = client.get(reverse("content_calendar:events"), query).json()["quiet"]
    return found


def test_the_feed_tells_quiet_periods_with_their_hours_and_days(
    sign_in: Callable[[Any], Any], viewer: User
) -> None:
    (period,) = feed(sign_in(viewer), "2026-11-01", "2026-12-01")
    assert period == {
        "title": "Stocktaking",
        "text": "Tue 24 Nov, 09:00 – Thu 26 Nov, 09:00 · Ask about each of them",
        "start": "2026-11-24T08:00:00Z",
        "end": "2026-11-26T08:00:00Z",
        "days": ["2026-11-24", "2026-11-27"],
    }
    assert feed(sign_in(viewer), "2026-12-01", "2026-12-31") == []


def test_a_stranger_is_told_of_none(sign_in: Callable[[Any], Any], stranger: User) -> None:
    assert feed(sign_in(stranger), "2026-11-01", "2026-12-01") == []


@pytest.mark.parametrize(("time", "is_inside"), [("08:59", False), ("09:00", True), ("23:00", True)])
def test_the_composer_warns_of_a_time_inside(
    sign_in: Callable[[Any], Any], creator: User, brand: Brand, time: str, is_inside: bool
) -> None:
    data = {
        "brand": str(brand.pk),
        "base.part": ["0"],
        "base.0.text": "Hi",
        "date": "2026-11-24",
        "time": time,
    }
    page = sign_in(creator).post(reverse("content_calendar:check", args=[uuid.uuid4()]), data)
    assert ("This time lies in a quiet period" in page.content.decode()) is is_inside


def test_whoever_moves_a_post_into_one_is_told(
    sign_in: Callable[[Any], Any], creator: User, draft_post: Post
) -> None:
    path = reverse("content_calendar:move", args=[draft_post.pk])
    headers = {"Accept": "application/json"}
    answer = sign_in(creator).post(path, {"local_time": "2026-11-25T10:00"}, headers=headers).json()
    assert "It lies in a quiet period" in answer["message"]
    answer = sign_in(creator).post(path, {"local_time": "2026-11-27T10:00"}, headers=headers).json()
    assert "quiet" not in answer["message"]


def test_a_new_post_for_a_day_inside_warns_at_once_and_names_the_brands_rule(
    sign_in: Callable[[Any], Any], creator: User
) -> None:
    path = reverse("content_calendar:compose")
    page = sign_in(creator).get(path, {"date": "2026-11-25"}).content.decode()
    assert "This time lies in a quiet period" in page
    assert "published up to 24 hours after its time, then you are asked (the rule of the brand)." in page
    for nonsense in ("2026-13-45", "x", ""):
        assert sign_in(creator).get(path, {"date": nonsense}).status_code == 200
