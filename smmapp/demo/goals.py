"""The demo's goals, set on their first day and checked in for every day since."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from types import ModuleType

from analytics.models import Goal
from analytics.services.checkins import check_in
from analytics.services.goals import NewGoal, connect_goals, create_goal
from analytics.services.rollup import roll_up
from smmapp.demo import goals_en, goals_ja
from smmapp.demo.marketing import MARKETER
from smmapp.demo.plan import DemoGoal
from smmapp.demo.world import World

WORDS: Mapping[str, ModuleType] = {"aozora": goals_ja, "nordlicht": goals_en}


def add_goals(world: World) -> None:
    roll_up(brand=world.row, now=world.now)
    words, actor = WORDS[world.plan.key], world.people[MARKETER]
    goals: dict[str, Goal] = {}
    for plan in sorted(words.GOALS, key=lambda plan: plan.first):
        set_at = min(world.instant(plan.first, "10:05"), world.now)
        new = _new(world, plan)
        goals[plan.key] = create_goal(brand=world.row, new=new, actor=actor, now=set_at)
    connected_at = min(world.instant(-8, "15:30"), world.now)
    for link in words.DRIVERS:
        connect_goals(
            cause=goals[link.cause],
            effect=goals[link.effect],
            assumed_rate=Decimal(link.rate) if link.rate else None,
            evidence=link.evidence,
            note=link.note,
            actor=actor,
            now=connected_at,
        )
        connected_at += dt.timedelta(minutes=1)
    check_in(brand=world.row, now=world.now)


def _new(world: World, plan: DemoGoal) -> NewGoal:
    return NewGoal(
        name=plan.name,
        kind=plan.kind,
        metric=plan.metric,
        starts_on=world.date(plan.first),
        ends_on=world.date(plan.first + plan.days - 1),
        amount=Decimal(plan.amount),
        account=None if plan.on is None else world.accounts[plan.on].row,
        campaign=world.campaigns[plan.campaign] if plan.campaign else None,
        owner=world.people[plan.owner],
    )
