"""Arguments for the URLs of analytics, for the walk over every URL (tests/accounts/test_every_url.py)."""

from __future__ import annotations

from typing import Any

from content_calendar.models import Post
from tests.cast import World, make_account


def samples(world: World) -> dict[str, dict[str, Any]]:
    account = make_account(world.brand, handle="counted")
    post = Post.objects.create(brand=world.brand, parts=[{"text": "Counted", "media": []}])
    return {
        "analytics:account": {"account_id": account.pk},
        "analytics:account_numbers": {"account_id": account.pk},
        "analytics:post_numbers": {"post_id": post.pk},
    }
