"""Arguments for the URLs of content_calendar, for tests/accounts/test_every_url.py."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

from PIL import Image

from content_calendar.content import Part
from content_calendar.models import Post
from content_calendar.services.drafts import Draft, create_post
from content_calendar.services.media import store_image
from content_calendar.services.scheduling import schedule_post
from content_calendar.services.writing import save_group, save_snippet, save_template
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
    of_post = ("post", "edit", "save", "change", "check", "move", "schedule", "publish", "unschedule")
    found: dict[str, dict[str, Any]] = {
        f"content_calendar:{name}": {"post_id": post.pk} for name in (*of_post, "duplicate", "delete")
    }
    found |= {
        f"content_calendar:{name}": {"delivery_id": scheduled.variants.get().delivery_id}
        for name in ("retry", "cancel", "answer")
    }
    snippet = save_snippet(brand=world.brand, name="Walked", text="walked", actor=world.user, now=world.now)
    found["content_calendar:mentions"] = {"brand_id": world.brand.pk}
    template = save_template(brand=world.brand, name="Walked", draft=draft, actor=world.user, now=world.now)
    group = save_group(brand=world.brand, name="Walked", tags=["walked"], actor=world.user, now=world.now)
    for kind, block in (("templates", template), ("hashtags", group), ("snippets", snippet)):
        for what in ("edit", "delete"):
            found[f"content_calendar:{kind}_{what}"] = {"block_id": block.pk}
    found["content_calendar:restore"] = {"post_id": deleted.pk}
    found["content_calendar:upload"] = {"brand_id": world.brand.pk}
    found["content_calendar:media_file"] = {"asset_id": asset.pk}
    found["content_calendar:media_thumbnail"] = {"asset_id": asset.pk}
    return found
