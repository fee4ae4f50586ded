"""Arguments for the URLs of content_calendar, for tests/walk.py."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from content_calendar.content import Part
from content_calendar.models import (
    CalendarFeed,
    CalendarNote,
    ExportState,
    Label,
    MediaFolder,
    MediaUpload,
    Post,
    ReviewRequest,
    SavedFilter,
)
from content_calendar.recurrence import read_rule
from content_calendar.services.bulk import move_one
from content_calendar.services.comments import add_comment
from content_calendar.services.drafts import Draft, create_post
from content_calendar.services.evergreen import PoolFacts, add_entry, create_pool
from content_calendar.services.exports import ask
from content_calendar.services.imports import receive
from content_calendar.services.media import store_image
from content_calendar.services.review_links import new_key
from content_calendar.services.scheduling import schedule_post
from content_calendar.services.series import create_series
from content_calendar.services.writing import save_group, save_snippet, save_template
from content_calendar.weekly import WeekTime
from core.xlsx_reading import TableKind
from tests.cast import World, make_account


def _planning(world: World, post: Post) -> dict[str, dict[str, Any]]:
    """Labels, notes, filters, feeds, and a change that can be undone."""
    membership = world.user.memberships.get(organization=world.organization)
    action = move_one(post=post, at=world.now + dt.timedelta(days=2), actor=world.user, now=world.now)
    label = Label.objects.create(brand=world.brand, name="walked")
    day = world.now.date()
    note = CalendarNote.objects.create(brand=world.brand, first_date=day, last_date=day, text="walked")
    kept = SavedFilter.objects.create(membership=membership, name="walked", query="q=walked")
    feed = CalendarFeed.objects.create(membership=membership, name="walked", token_hash="0" * 64)
    found: dict[str, dict[str, Any]] = {
        f"content_calendar:{name}": {"action_id": action.pk} for name in ("changes_detail", "changes_undo")
    }
    for name in ("change", "remove"):
        found[f"content_calendar:label_{name}"] = {"label_id": label.pk}
        found[f"content_calendar:note_{name}"] = {"note_id": note.pk}
        found[f"content_calendar:filter_{name}"] = {"filter_id": kept.pk}
    for name in ("renew", "remove"):
        found[f"content_calendar:feed_{name}"] = {"feed_id": feed.pk}
    found["content_calendar:label_quick"] = {"brand_id": world.brand.pk}
    found["content_calendar:feed"] = {"secret": "nobody-knows-this-one"}
    return found


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
    of_post = ["post", "edit", "save", "change", "check", "move", "schedule", "publish", "unschedule"]
    of_post += ["enqueue", "submit", "withdraw", "approve", "ask_for_changes", "comment", "versions"]
    asset.frames = [[asset.thumbnail_key, 0]]
    asset.save(update_fields=["frames"])
    found: dict[str, dict[str, Any]] = {
        f"content_calendar:{name}": {"post_id": post.pk}
        for name in (*of_post, "enqueue", "duplicate", "delete")
    }
    found |= {
        f"content_calendar:{name}": {"delivery_id": scheduled.variants.get().delivery_id}
        for name in ("retry", "cancel", "answer")
    }
    snippet = save_snippet(brand=world.brand, name="Walked", text="walked", actor=world.user, now=world.now)
    found["content_calendar:mentions"] = {"brand_id": world.brand.pk}
    found |= _planning(world, post)
    of_queue = ("queue", "queue_add", "queue_remove", "queue_copy", "queue_pause")
    found |= {f"content_calendar:{name}": {"account_id": account.pk} for name in of_queue}
    of_series = ("", "_change", "_content", "_skip", "_unskip", "_end", "_continue")
    found |= {f"content_calendar:series{name}": {"series_id": series.pk} for name in of_series}
    of_pool = ("pool", "pool_change", "pool_pause", "pool_fill", "entry_new")
    found |= {f"content_calendar:{name}": {"pool_id": pool.pk} for name in of_pool}
    of_entry = ("entry", "entry_content", "entry_remove")
    found |= {f"content_calendar:{name}": {"entry_id": entry.pk} for name in of_entry}
    template = save_template(brand=world.brand, name="Walked", draft=draft, actor=world.user, now=world.now)
    group = save_group(brand=world.brand, name="Walked", tags=["walked"], actor=world.user, now=world.now)
    for kind, block in (("templates", template), ("hashtags", group), ("snippets", snippet)):
        for what in ("edit", "delete"):
            found[f"content_calendar:{kind}_{what}"] = {"block_id": block.pk}
    found["content_calendar:restore"] = {"post_id": deleted.pk}
    found["content_calendar:upload"] = {"brand_id": world.brand.pk}
    found["content_calendar:media_file"] = {"asset_id": asset.pk}
    found["content_calendar:media_thumbnail"] = {"asset_id": asset.pk}
    folder = MediaFolder.objects.create(brand=world.brand, name="Walked")
    found |= {f"library:{name}": {"asset_id": asset.pk} for name in ("asset", "crop", "delete")}
    upload = MediaUpload.objects.create(
        brand=world.brand, person=world.user, name="walked.mp4", size=10, fingerprint="ab" * 32
    )
    found |= {f"library:{name}": {"asset_id": asset.pk} for name in ("progress", "thumbnail", "trim")}
    found["library:frame"] = {"asset_id": asset.pk, "at_ms": 0}
    found["library:upload_start"] = {"brand_id": world.brand.pk}
    found |= {f"library:upload_{name}": {"upload_id": upload.pk} for name in ("piece", "finish", "cancel")}
    found |= {
        f"library:{name}": {"brand_id": world.brand.pk}
        for name in ("upload", "change", "folder_create", "pick", "tiles")
    }
    found |= {f"library:{name}": {"folder_id": folder.pk} for name in ("folder_edit", "folder_delete")}
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
    made = ask(
        membership=world.user.memberships.get(organization=world.organization),
        brand=world.brand,
        query="",
        rows=1,
        kind=TableKind.CSV,
        language="en",
        now=world.now,
    )
    made.storage_key = default_storage.save("exports/walked.csv", ContentFile(b"walked"))
    made.state = ExportState.DONE
    made.save()
    for name in ("file", "discard"):
        found[f"content_calendar:export_{name}"] = {"export_id": made.pk}
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
