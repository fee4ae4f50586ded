"""What the outbox asks us again at the moment of sending (outbox.handlers)."""

from __future__ import annotations

import datetime as dt

from django.core.files.storage import default_storage
from django.urls import reverse

from content_calendar.models import MediaState, Variant
from content_calendar.selectors.approval import may_send
from content_calendar.selectors.videos import waiting_for
from outbox.errors import StopReason
from outbox.models import Delivery


def objection(delivery: Delivery, _now: dt.datetime) -> str:
    """Why this post must not go out: it was deleted, what it says was not approved, or one of its files is
    gone or could not be made; or why it must wait: one is still being made. "" = it may."""
    variant = Variant.objects.select_related("post").filter(delivery=delivery).first()
    if variant is not None and variant.post.deleted_at is not None:
        return StopReason.POST_DELETED
    if variant is not None and not may_send(variant.post):
        return StopReason.APPROVAL_MISSING
    keys = {
        media["storage_key"] for part in delivery.payload.get("parts", ()) for media in part.get("media", ())
    }
    unmade = waiting_for(keys)
    if any(copy.state == MediaState.BROKEN for copy in unmade.values()):
        return StopReason.MEDIA_FAILED
    if not all(default_storage.exists(key) for key in keys - unmade.keys()):
        return StopReason.MEDIA_MISSING
    return StopReason.MEDIA_PREPARING if unmade else ""


def page(delivery: Delivery) -> str:
    """The path of the post that a delivery belongs to."""
    variant = Variant.objects.filter(delivery=delivery, post__deleted_at__isnull=True).only("post_id").first()
    return reverse("content_calendar:post", args=[variant.post_id]) if variant is not None else ""
