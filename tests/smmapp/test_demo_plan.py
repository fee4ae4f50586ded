"""The plan of the demo: its words fit, its parts agree, and it works out at whatever moment it is made."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from typing import Any

import pytest

from accounts.models import Brand, SocialAccount, User
from core.time import day_range, to_local
from metrics.business_time import BusinessHours
from sandbox.control import SandboxControl
from smmapp.demo import (
    campaigns_en,
    campaigns_ja,
    inbox_en,
    inbox_ja,
    messages_en,
    messages_ja,
    pictures,
    posts_en,
    posts_ja,
)
from smmapp.demo.inbox import HOURS, MINUTES, STAFF, WORDS
from smmapp.demo.names import invented
from smmapp.demo.network import follower_history
from smmapp.demo.plan import BRANDS, PEOPLE
from smmapp.demo.seeding import POSTS
from smmapp.demo.talks import DM, MENTION, Clock, Desk, of_dialogs
from smmapp.demo.world import Account, World

DAY = dt.timedelta(days=1)

# --- whenever it is made ------------------------------------------------------------------------

AWKWARD = [
    "2026-11-23T00:30+00:00",  # Monday morning in Tokyo, Sunday night's end in Berlin
    "2026-11-21T21:50+00:00",  # Saturday night
    "2026-03-29T01:30+00:00",  # Berlin has just skipped an hour
    "2026-10-25T00:30+00:00",  # in Berlin this hour comes twice
    "2024-02-29T12:00+00:00",
    "2026-12-31T23:59+00:00",
]


def _world(number: int, now: dt.datetime) -> tuple[World, Desk]:
    plan = BRANDS[number]
    row = Brand(name=plan.facts.name, timezone=plan.facts.timezone, locale=plan.facts.locale)
    world = World(plan, row, {}, SandboxControl("http://unused.example"), now)
    for one in plan.accounts:
        world.accounts.append(
            Account(one, one.handle, [(now, one.followers)], SocialAccount(handle=one.handle))
        )
    hours = BusinessHours.parse(HOURS[plan.key], plan.facts.timezone)
    staff = tuple((User(email=email), share) for email, share in STAFF[plan.key])
    return world, Desk(hours, staff, MINUTES[plan.key])


@pytest.mark.parametrize("at", AWKWARD)
@pytest.mark.parametrize("number", [0, 1])
def test_talks_are_over_and_in_order_whenever_the_demo_is_made(number: int, at: str) -> None:
    world, desk = _world(number, dt.datetime.fromisoformat(at))
    clock = Clock(world, desk, seed="x")
    private, rest = WORDS[world.plan.key]
    talks = [
        *of_dialogs(world, clock, DM, private.MESSAGES),
        *of_dialogs(world, clock, MENTION, rest.MENTIONS),
    ]
    assert len(talks) >= len(private.MESSAGES)  # at most the very latest are still to come
    for talk in talks:
        times = [line.at for line in talk.lines] + ([talk.done_at] if talk.done_at else [])
        assert times == sorted(times)
        assert times[-1] <= world.now
        assert [line.author is None for line in talk.lines] == [n % 2 == 0 for n in range(len(talk.lines))]
        assert (talk.done_at is None) == (len(talk.lines) % 2 == 0)


@pytest.mark.parametrize("at", AWKWARD)
@pytest.mark.parametrize("number", [0, 1])
def test_who_waits_is_due_when_the_plan_says(number: int, at: str) -> None:
    world, desk = _world(number, dt.datetime.fromisoformat(at))
    clock = Clock(world, desk, seed="x")
    for one in WORDS[world.plan.key][1].WAITING:
        talk = clock.waiting(world.accounts[one.on], one)
        times = [line.at for line in talk.lines]
        assert times == sorted(times)
        assert times[-1] <= world.now
        due = desk.hours.due(times[-1], desk.minutes)
        ahead = desk.hours.seconds_between(world.now, due) - desk.hours.seconds_between(due, world.now)
        assert abs(ahead - one.due_in * 60) <= 120


@pytest.mark.parametrize("at", AWKWARD)
def test_followers_are_what_the_goal_says_whenever_the_demo_is_made(at: str) -> None:
    world, _desk = _world(0, dt.datetime.fromisoformat(at))
    history = follower_history(world.plan.accounts[0], POSTS["aozora"], world)
    by_date = {to_local(instant, world.zone).date(): count for instant, count in history}
    assert by_date[world.date(-10)] == 4200
    gone = (world.now - day_range(world.today, world.zone).start) / DAY
    assert abs(by_date[world.today] - (4500 - 30 * (1 - gone))) <= 40
    counts = [count for _instant, count in history]
    assert history == sorted(history)
    assert min(later - earlier for earlier, later in itertools.pairwise(counts)) > -5


# --- the words ----------------------------------------------------------------------------------


@pytest.mark.parametrize("post", [*POSTS["aozora"], *POSTS["nordlicht"]], ids=lambda p: p.pieces[0].text[:20])
def test_every_post_of_the_plan_can_be_published(post: Any) -> None:
    """Fits the network, has a picture that exists and words for those who cannot see it."""
    for piece in post.pieces:
        assert 0 < len(piece.text) <= 500
        assert bool(piece.picture) == bool(piece.alt)
        assert not piece.picture or piece.picture in pictures.PAINTERS
    for _name, *texts in post.comments:
        assert texts
        assert all(0 < len(text) <= 500 for text in texts)


def test_nobody_says_the_same_thing_twice() -> None:
    for posts, messages, rest in (
        (POSTS["aozora"], messages_ja, inbox_ja),
        (POSTS["nordlicht"], messages_en, inbox_en),
    ):
        said = [text for post in posts for _name, *texts in post.comments for text in texts]
        said += [text for one in (*messages.MESSAGES, *rest.MENTIONS, *rest.WAITING) for text in one.lines]
        often = [text for text, count in Counter(said).items() if count > 1]
        assert len(often) <= 4, often  # a thank-you may come again


def test_the_words_of_a_brand_are_in_its_language() -> None:
    def japanese(text: str) -> bool:
        return any("\u3040" <= letter <= "\u30ff" or "\u4e00" <= letter <= "\u9fff" for letter in text)

    assert all(japanese(piece.text) for post in posts_ja.POSTS for piece in post.pieces)
    assert not any(japanese(piece.text) for post in posts_en.POSTS for piece in post.pieces)
    assert all(japanese(line) for one in messages_ja.MESSAGES for line in one.lines)
    assert not any(japanese(line) for one in messages_en.MESSAGES for line in one.lines)


def test_the_plan_of_a_campaign_is_consistent() -> None:
    for plan in (*campaigns_ja.CAMPAIGNS, *campaigns_en.CAMPAIGNS):
        labels = {line.label for line in plan.budget}
        assert {one.label for one in plan.spent} <= labels
        assert plan.media is None or plan.media.label in labels
        if plan.results is not None:
            assert plan.results.from_leads <= min(plan.results.sales, plan.results.leads)
            sold = dict(plan.results.prices)
            refunded = Counter(price for price, _share in plan.results.refunds)
            assert all(count < sold[price] for price, count in refunded.items())


def test_invented_people_are_different_and_always_the_same() -> None:
    for language in ("ja", "en"):
        people = invented(language, 600, seed="x")
        assert people == invented(language, 600, seed="x")
        assert len({one.email for one in people}) == len({one.name for one in people}) == 600


def test_the_people_have_six_different_roles() -> None:
    assert len({person.role for person in PEOPLE}) == len(PEOPLE) == 6
