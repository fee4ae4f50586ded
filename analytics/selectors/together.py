"""Goals of both sides, and the tree that says what moves what."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import Brand, Membership
from analytics.models import DriverLink, GoalStatus, Layer
from analytics.selectors.goals import (
    Driver,
    GoalNow,
    by_checkin,
    depths,
    drivers,
    goals_of,
    links_of,
    newest_checkins,
)


@dataclass(frozen=True, slots=True)
class Node:
    """A goal and the links that lead to it."""

    card: GoalNow
    links: tuple[Driver, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """What moves what in one brand, from the first causes to the last effects: each step has the goals that
    lie equally far from the beginning."""

    brand: Brand
    steps: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True, slots=True)
class Together:
    """``cards``: all current goals, those off pace first within each side."""

    cards: tuple[GoalNow, ...]
    trees: tuple[Tree, ...]
    archived: int

    @property
    def operations(self) -> list[GoalNow]:
        return [card for card in self.cards if card.goal.layer == Layer.OPERATIONS]

    @property
    def marketing(self) -> list[GoalNow]:
        return [card for card in self.cards if card.goal.layer == Layer.MARKETING]


_URGENCY = (
    GoalStatus.OFF_TRACK,
    GoalStatus.AT_RISK,
    GoalStatus.NO_VALUE,
    GoalStatus.TOO_EARLY,
    GoalStatus.ON_TRACK,
    GoalStatus.NOT_STARTED,
    GoalStatus.REACHED,
    GoalStatus.MISSED,
)


def together(membership: Membership, brand: Brand | None, *, now: dt.datetime) -> Together:
    """All that the member may see; five queries, whatever the number of goals."""
    goals = list(goals_of(membership, brand).filter(archived_at__isnull=True))
    newest = newest_checkins(goals)
    cards = [by_checkin(goal, newest.get(goal.pk), now=now) for goal in goals]
    cards.sort(key=lambda card: (_URGENCY.index(card.status), card.goal.ends_on, card.goal.name))
    return Together(
        cards=tuple(cards),
        trees=tuple(_trees(cards, list(links_of(membership, brand)))),
        archived=goals_of(membership, brand).filter(archived_at__isnull=False).count(),
    )


def _trees(cards: Sequence[GoalNow], links: Sequence[DriverLink]) -> list[Tree]:
    of_goal = {card.goal.pk: card for card in cards}
    found = drivers([link for link in links if {link.cause_id, link.effect_id} <= of_goal.keys()])
    depth = depths([card.goal for card in cards], [driver.link for driver in found])
    trees = []
    for brand in {card.goal.brand_id: card.goal.brand for card in cards}.values():
        own = [pk for pk in depth if of_goal[pk].goal.brand_id == brand.pk]
        if own:
            trees.append(Tree(brand, tuple(_steps(own, depth, of_goal, found))))
    return sorted(trees, key=lambda tree: tree.brand.name)


def _steps(
    own: Sequence[uuid.UUID],
    depth: dict[uuid.UUID, int],
    of_goal: dict[uuid.UUID, GoalNow],
    found: Sequence[Driver],
) -> list[tuple[Node, ...]]:
    steps = []
    for level in range(max(depth[pk] for pk in own) + 1):
        nodes = [
            Node(of_goal[pk], tuple(driver for driver in found if driver.link.effect_id == pk))
            for pk in own
            if depth[pk] == level
        ]
        steps.append(tuple(sorted(nodes, key=lambda node: node.card.goal.name)))
    return steps
