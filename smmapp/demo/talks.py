"""What was said below posts, in mentions and in private messages, with the times at which it was said.

People write when it suits them, the brand answers in its business hours: mostly within two hours, sometimes
late, and faster lately than half a year ago.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from accounts.models import User
from core.time import to_local
from metrics.business_time import BusinessHours
from smmapp.demo.plan import Dialog, Waiting
from smmapp.demo.world import HISTORY_DAYS, Account, World

# Nothing of the past is younger, so that it is over when somebody looks.
MARGIN = dt.timedelta(minutes=12)
COMMENT, MENTION, DM = "comment", "mention", "dm"


@dataclass(slots=True)
class Line:
    """``author`` None: the customer's. ``remote_id`` once it is at the network."""

    at: dt.datetime
    text: str
    author: User | None = None
    remote_id: str = ""


@dataclass(slots=True)
class Talk:
    """One exchange, in turn the customer's lines and the brand's. ``post_id``: the post it hangs below.
    ``done_at``: when somebody saw that the last line needs no answer; None = it ends with an answer, or it
    waits for one."""

    account: Account
    kind: str
    by: str
    lines: list[Line]
    post_id: str = ""
    campaign: str = ""
    done_at: dt.datetime | None = None
    is_spam: bool = False
    waiting: Waiting | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """Who answers for a brand, when and how soon. ``staff``: (person, share of the answers)."""

    hours: BusinessHours
    staff: tuple[tuple[User, float], ...]
    minutes: int  # promised


class Clock:
    """Gives the lines of a brand's talks their times; the same ones for the same ``seed``."""

    def __init__(self, world: World, desk: Desk, *, seed: str) -> None:
        self._world, self._desk = world, desk
        self._latest = world.now - MARGIN
        self._chance = random.Random(seed)

    def talk(
        self,
        account: Account,
        kind: str,
        by: str,
        texts: Sequence[str],
        start: dt.datetime,
        *,
        post_id: str = "",
        campaign: str = "",
    ) -> Talk | None:
        """What of the exchange is over by now; None where nothing is."""
        lines: list[Line] = []
        at = start
        for number, text in enumerate(texts):
            is_answer = number % 2 == 1
            if number:
                at = self._answer_at(at) if is_answer else self._reply_at(at)
            lines.append(Line(at, text, self._author() if is_answer else None))
        done_at = None if len(lines) % 2 == 0 else self._seen_at(at)
        # A question whose answer is still to come has not been asked yet.
        while lines and (done_at or lines[-1].at) > self._latest:
            done_at = None
            lines = lines[: (len(lines) - 1) // 2 * 2]
        if not lines:
            return None
        return Talk(account, kind, by, lines, post_id, campaign, done_at)

    def _author(self) -> User:
        people, shares = zip(*self._desk.staff, strict=True)
        found: User = self._chance.choices(people, shares)[0]
        return found

    def _answer_at(self, asked: dt.datetime) -> dt.datetime:
        draw = self._chance.random()
        most = (6, 85) if draw < 0.74 else (85, 230) if draw < 0.93 else (230, 560)
        age = (self._world.now - asked) / dt.timedelta(days=HISTORY_DAYS)
        minutes = self._chance.uniform(*most) * (1 + 0.7 * age)
        seconds = dt.timedelta(seconds=self._chance.randint(4, 55))
        return self._desk.hours.due(asked, round(minutes)) + seconds

    def _seen_at(self, written: dt.datetime) -> dt.datetime:
        return self._desk.hours.due(written, self._chance.randint(4, 140)) + dt.timedelta(seconds=31)

    def _reply_at(self, answered: dt.datetime) -> dt.datetime:
        least, most = (3, 45) if self._chance.random() < 0.6 else (45, 500)
        return self.awake(answered + dt.timedelta(minutes=self._chance.randint(least, most), seconds=17))

    def after_post(self, sent_at: dt.datetime) -> dt.datetime:
        """When somebody comments on a post: mostly within hours."""
        minutes = 4 + min(self._chance.expovariate(1 / 190), 1800)
        return self.awake(sent_at + dt.timedelta(minutes=minutes))

    def awake(self, at: dt.datetime) -> dt.datetime:
        """People sleep."""
        wall = to_local(at, self._world.zone)
        if wall.hour >= 7:
            return at
        return at + dt.timedelta(hours=7 - wall.hour, minutes=self._chance.randint(0, 80))

    def waiting(self, account: Account, one: Waiting) -> Talk:
        """An exchange whose last line is to be answered in ``one.due_in`` minutes of business time."""
        hours, now = self._desk.hours, self._world.now
        at = before(hours, now, self._desk.minutes - one.due_in)
        lines = [Line(at, one.lines[-1])]
        for answer, question in zip(one.lines[-2::-2], one.lines[-3::-2], strict=True):
            asked = before(hours, lines[0].at, 210)
            lines = [
                Line(asked, question),
                Line(hours.due(asked, self._chance.randint(15, 60)), answer, self._author()),
                *lines,
            ]
        return Talk(account, DM, one.by, lines, waiting=one)


def before(hours: BusinessHours, end: dt.datetime, minutes: int) -> dt.datetime:
    """The latest instant since which ``minutes`` of business time have passed at ``end``."""
    first, last = end - dt.timedelta(days=60), end
    while last - first > dt.timedelta(seconds=1):
        middle = first + (last - first) / 2
        if hours.seconds_between(middle, end) >= minutes * 60:
            first = middle
        else:
            last = middle
    return first.replace(microsecond=0)


def below_posts(world: World, clock: Clock) -> Iterable[Talk]:
    """Comments stand under a post's first account only."""
    for one in world.sent:
        if not one.is_first:
            continue
        start = one.at
        for by, *texts in one.plan.comments:
            start = clock.after_post(start)
            talk = clock.talk(one.account, COMMENT, by, texts, start, post_id=one.delivery.remote_id)
            if talk is not None:
                yield talk


def of_dialogs(world: World, clock: Clock, kind: str, dialogs: Sequence[Dialog]) -> Iterable[Talk]:
    for one in dialogs:
        account = world.accounts[one.on]
        texts = [text.replace("{handle}", account.handle) for text in one.lines]
        start = world.instant(one.day, one.time)
        talk = clock.talk(account, kind, one.by, texts, start, campaign=one.campaign)
        if talk is not None:
            yield talk


def lone_comment(
    world: World, words: tuple[int, int, str, str], *, after: dt.timedelta, is_spam: bool = False
) -> Talk | None:
    """A comment that got no answer: (day of the post, account, name, text)."""
    day, number, by, text = words
    account = world.accounts[number]
    for one in world.sent:
        if one.account is account and one.plan.day == day and one.at + after < world.now - MARGIN:
            line = Line(one.at + after, text)
            return Talk(account, COMMENT, by, [line], one.delivery.remote_id, is_spam=is_spam)
    return None
