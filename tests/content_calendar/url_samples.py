"""Arguments for the URLs of content_calendar, for tests/accounts/test_every_url.py."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

from PIL import Image

from content_calendar.content import Part
from content_calendar.models import Post
from content_calendar.recurrence import read_rule
from content_calendar.services.drafts import Draft, create_post
from content_calendar.services.evergreen import PoolFacts, add_entry, create_pool
from content_calendar.services.media import store_image
from content_calendar.services.scheduling import schedule_post
from content_calendar.services.series import create_series
from content_calendar.weekly import WeekTime
from tests.cast import World, make_account


def samples(world: World) -> dict[str, dict[str, Any]]:
    account = make_account(world.brand, handle="planned")
    draft = Draft(parts=(Part("walked"),), accounts=(account.pk,))
    post = create_post(brand=world.brand, author=world.user, draft=draft, now=world.now)
    scheduled = create_post(brand=world.brand, author=world.user, draft=draft, now=world.now)
    schedule_post(post=scheduled, at=world.now + dt.timedelta(days=1), actor=world.user, now=world.now)
    deleted = Post.objects.create(brand=world.brand, parts=[], deleted_at=world.now)
    picture = io.BytesIO()
    Image.new("RGB", (2, 2)).save(picture, "PNG")
    picture.seek(0)
    asset = store_image(brand=world.brand, upload=picture, name="walked.png", actor=world.user, now=world.now)
    times = frozenset({WeekTime(0, dt.time(9))})
    pool = create_pool(
        brand=world.brand,
        facts=PoolFacts("walked", (account.pk,), times, cool_down_days=1),
        actor=world.user,
        now=world.now,
    )
    entry = add_entry(pool=pool, texts=["walked too"], actor=world.user, now=world.now)
    series = create_series(
        brand=world.brand,
        name="walked",
        content=draft,
        rule=read_rule("FREQ=DAILY;COUNT=2", world.brand.timezone),
        starts_on=world.now.date() + dt.timedelta(days=2),
        wall_time=dt.time(9),
        actor=world.user,
        now=world.now,
    )
    of_post = (
        "enqueue",
        "post",
        "edit",
        "save",
        "change",
        "check",
        "move",
        "schedule",
        "publish",
        "unschedule",
    )
    found: dict[str, dict[str, Any]] = {
        f"content_calendar:{name}": {"post_id": post.pk}
        for name in (*of_post, "enqueue", "duplicate", "delete")
    }
    found |= {
        f"content_calendar:{name}": {"delivery_id": scheduled.variants.get().delivery_id}
        for name in ("retry", "cancel", "answer")
    }
    of_queue = ("queue", "queue_add", "queue_remove", "queue_copy", "queue_pause")
    found |= {f"content_calendar:{name}": {"account_id": account.pk} for name in of_queue}
    of_series = ("", "_change", "_content", "_skip", "_unskip", "_end", "_continue")
    found |= {f"content_calendar:series{name}": {"series_id": series.pk} for name in of_series}
    of_pool = ("pool", "pool_change", "pool_pause", "pool_fill", "entry_new")
    found |= {f"content_calendar:{name}": {"pool_id": pool.pk} for name in of_pool}
    of_entry = ("entry", "entry_content", "entry_remove")
    found |= {f"content_calendar:{name}": {"entry_id": entry.pk} for name in of_entry}
    found["content_calendar:restore"] = {"post_id": deleted.pk}
    found["content_calendar:upload"] = {"brand_id": world.brand.pk}
    found["content_calendar:media_file"] = {"asset_id": asset.pk}
    found["content_calendar:media_thumbnail"] = {"asset_id": asset.pk}
    return found
