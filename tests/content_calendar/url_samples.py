"""Arguments for the URLs of content_calendar, for tests/accounts/test_every_url.py."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

from PIL import Image

from content_calendar.content import Part
from content_calendar.models import Post, ReviewRequest
from content_calendar.services.comments import add_comment
from content_calendar.services.drafts import Draft, create_post
from content_calendar.services.imports import receive
from content_calendar.services.media import store_image
from content_calendar.services.review_links import new_key
from content_calendar.services.scheduling import schedule_post
from content_calendar.services.writing import save_snippet
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
    of_post = ["post", "edit", "save", "change", "check", "move", "schedule", "publish", "unschedule"]
    of_post += ["submit", "withdraw", "approve", "ask_for_changes", "comment", "versions"]
    found: dict[str, dict[str, Any]] = {
        f"content_calendar:{name}": {"post_id": post.pk} for name in (*of_post, "duplicate", "delete")
    }
    found |= {
        f"content_calendar:{name}": {"delivery_id": scheduled.variants.get().delivery_id}
        for name in ("retry", "cancel", "answer")
    }
    snippet = save_snippet(brand=world.brand, name="Walked", text="walked", actor=world.user, now=world.now)
    found["content_calendar:mentions"] = {"brand_id": world.brand.pk}
    found["content_calendar:blocks"] = found["content_calendar:block_new"] = {"kind": "snippets"}
    found["content_calendar:block"] = found["content_calendar:block_delete"] = {
        "kind": "snippets",
        "block_id": snippet.pk,
    }
    found["content_calendar:restore"] = {"post_id": deleted.pk}
    found["content_calendar:upload"] = {"brand_id": world.brand.pk}
    found["content_calendar:media_file"] = {"asset_id": asset.pk}
    found["content_calendar:media_thumbnail"] = {"asset_id": asset.pk}
    batch = receive(
        brand=world.brand,
        upload=io.BytesIO(b"text\nwalked\n"),
        name="walked.csv",
        schedules=False,
        may_schedule=True,
        language="en",
        actor=world.user,
        now=world.now,
    )
    for name in ("page", "reading", "verdicts", "confirm", "discard", "undo", "go_on"):
        found[f"content_calendar:import_{name}"] = {"import_id": batch.pk}
    return found | approval_samples(world, scheduled)


def approval_samples(world: World, post: Post) -> dict[str, dict[str, Any]]:
    said = add_comment(post=post, text="walked", is_shared=True, author=world.user, now=world.now)
    link = ReviewRequest.objects.create(
        brand=world.brand,
        client_name="walked",
        language="en",
        created_by=world.user,
        expires_at=world.now + dt.timedelta(days=1),
    )
    link.posts.add(post)
    token = new_key(request=link, now=world.now)
    of_link = {
        f"content_calendar:{name}": {"request_id": link.pk}
        for name in ("review_link", "review_link_revoke", "review_link_renew")
    }
    return of_link | {
        "content_calendar:approval_rule": {"brand_id": world.brand.pk},
        "content_calendar:comment_resolve": {"comment_id": said.pk},
        "content_calendar:review": {"token": token},
        "content_calendar:review_answer": {"token": token, "post_id": post.pk},
        "content_calendar:review_image": {"token": token, "asset_id": post.pk},
    }
