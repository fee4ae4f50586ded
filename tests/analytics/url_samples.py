"""Arguments for the URLs of analytics, for the walk over every URL (tests/walk.py)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from analytics.models import Evidence
from analytics.services.goals import NewGoal, connect_goals, create_goal
from content_calendar.models import Post
from core.time import to_local
from metrics.goals import GoalKind
from tests.cast import World, make_account


def samples(world: World) -> dict[str, dict[str, Any]]:
    account = make_account(world.brand, handle="counted")
    post = Post.objects.create(brand=world.brand, parts=[{"text": "Counted", "media": []}])
    today = to_local(world.now, world.brand.timezone).date()
    cause, effect = (
        create_goal(
            brand=world.brand,
            new=NewGoal(f"walked {key}", GoalKind.CUMULATIVE, key, today, today, Decimal(10)),
            actor=world.user,
            now=world.now,
        )
        for key in ("published_posts", "clicks")
    )
    link = connect_goals(
        cause=cause,
        effect=effect,
        assumed_rate=None,
        evidence=Evidence.ASSUMPTION,
        note="",
        actor=world.user,
        now=world.now,
    )
    goal = {"goal_id": effect.pk}
    number = {"key": "followers", "scope": "brand", "pk": world.brand.pk}
    return {
        "analytics:account": {"account_id": account.pk},
        "analytics:account_numbers": {"account_id": account.pk},
        "analytics:posts_csv": {"account_id": account.pk},
        "analytics:post_numbers": {"post_id": post.pk},
        "analytics:goal": goal,
        "analytics:goal_edit": goal,
        "analytics:goal_archive": goal,
        "analytics:goal_restore": goal,
        "analytics:checkins_csv": goal,
        "analytics:driver_add": goal,
        "analytics:driver_edit": {"link_id": link.pk},
        "analytics:driver_remove": {"link_id": link.pk},
        "analytics:checkin_note": {"checkin_id": effect.checkins.get().pk},
        "analytics:passport": number,
        "analytics:rows": number,
    }
