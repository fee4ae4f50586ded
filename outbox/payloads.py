"""The frozen payload of a delivery: JSON in the row, dataclasses for the connector.

The shape stands at ``outbox.models.Delivery.payload``.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, cast

from django.core.files.storage import default_storage

from connectors.base import (
    Json,
    LinkCard,
    MediaItem,
    MessageTarget,
    Moderation,
    ModerationAction,
    PostPart,
    PostPayload,
    ReplyTarget,
    StepResult,
    StepState,
)
from connectors.text import addressed
from outbox.public_media import address_of, has_public_address

COVER_TYPE = "image/jpeg"


@dataclass(frozen=True, slots=True)
class MediaContent:
    """One image or video of a part, as its asset stands now. A video's file may still be made: then
    ``size`` is 0, and the delivery waits for it (outbox.handlers). Focal points are in hundredths."""

    asset: str  # id of the asset, for where-used
    storage_key: str
    mime_type: str
    size: int  # bytes
    width: int
    height: int
    alt_text: str
    duration_s: float = 0.0
    frame_rate: float = 0.0
    focal_x: int = 50
    focal_y: int = 50
    cover_key: str = ""  # in the media store: the picture to be shown before a video plays


@dataclass(frozen=True, slots=True)
class PartContent:
    text: str
    media: tuple[MediaContent, ...] = ()
    link_card: LinkCard | None = None
    is_comment: bool = False
    warning: str = ""
    is_sensitive: bool = False


def freeze_post(
    parts: list[PartContent], *, language: str = "", settings: Mapping[str, str | bool] | None = None
) -> Json:
    """The payload of a post or thread, ready for ``Delivery.payload``. ``settings``: by PostField.name."""
    payload: Json = {"parts": [_part_json(part) for part in parts], "language": language}
    return payload | {"settings": dict(settings)} if settings else payload


def freeze_reply(text: str, reply_to: ReplyTarget, *, language: str = "") -> Json:
    """The payload of a public reply. Its text names whom it answers where the network wants that, as it will
    be shown there."""
    words = addressed(text, str(reply_to.detail.get("mention", "")))
    return freeze_post([PartContent(words)], language=language) | {"reply_to": asdict(reply_to)}


def freeze_message(text: str, message_to: MessageTarget) -> Json:
    """The payload of a direct message, as ``freeze_reply``."""
    words = addressed(text, str(message_to.detail.get("mention", "")))
    return freeze_post([PartContent(words)]) | {"message_to": asdict(message_to)}


def freeze_moderation(moderation: Moderation) -> Json:
    """The payload of a like, a hide or a deletion."""
    return freeze_post([]) | {"moderation": asdict(moderation)}


def words_of(payload: Json) -> str:
    """The text of a post's first part, of a reply or a message; "" for a moderation."""
    parts = payload.get("parts") or [{}]
    return str(parts[0].get("text", ""))


def has_comment(payload: Json) -> bool:
    """Whether the post brings its first comment with it."""
    return bool((payload.get("parts") or [{}])[-1].get("is_comment"))


def _part_json(part: PartContent) -> Json:
    """What most parts do not have is left out, so that a content frozen again is the same JSON as before."""
    value: Json = {
        "text": part.text,
        "media": [_media_json(media) for media in part.media],
        "link_card": _card_json(part.link_card) if part.link_card else None,
    }
    if part.is_comment:
        value["is_comment"] = True
    if part.warning:
        value["warning"] = part.warning
    if part.is_sensitive:
        value["is_sensitive"] = True
    return value


def _media_json(media: MediaContent) -> Json:
    value = asdict(media)
    if not media.cover_key:
        del value["cover_key"]
    return value


def _card_json(card: LinkCard) -> Json:
    value: Json = {"url": card.url, "title": card.title, "description": card.description}
    if card.image_url:
        value["image_url"] = card.image_url
    return value


def thaw(payload: Json, *, served_days: int = 0) -> PostPayload:
    """What a connector is given; files are opened only when it asks for them. ``served_days``: how long their
    public addresses are good (PlatformInfo.media_served_days), 0 = some hours."""
    reply_to, message_to = payload.get("reply_to"), payload.get("message_to")
    moderation = payload.get("moderation")
    return PostPayload(
        parts=tuple(
            PostPart(
                text=part["text"],
                media=tuple(_media_item(media, served_days) for media in part["media"]),
                link_card=LinkCard(**part["link_card"]) if part.get("link_card") else None,
                is_comment=bool(part.get("is_comment")),
                warning=part.get("warning", ""),
                is_sensitive=bool(part.get("is_sensitive")),
            )
            for part in payload["parts"]
        ),
        language=payload.get("language", ""),
        reply_to=ReplyTarget(**reply_to) if reply_to else None,
        message_to=MessageTarget(**message_to) if message_to else None,
        moderation=Moderation(**moderation | {"action": ModerationAction(moderation["action"])})
        if moderation
        else None,
        settings=dict(payload.get("settings", {})),
    )


def _media_item(media: Json, served_days: int) -> MediaItem:
    return MediaItem(
        key=media["asset"],
        mime_type=media["mime_type"],
        size=media["size"],
        width=media["width"],
        height=media["height"],
        alt_text=media["alt_text"],
        # What was frozen before there were videos says nothing of these.
        duration_s=media.get("duration_s", 0.0),
        frame_rate=media.get("frame_rate", 0.0),
        focus=(media.get("focal_x", 50) / 100, media.get("focal_y", 50) / 100),
        open=functools.partial(_open_media, media["storage_key"]),
        cover=functools.partial(_open_media, media["cover_key"]) if media.get("cover_key") else None,
        public_url=functools.partial(
            address_of, media["storage_key"], media["mime_type"], served_days=served_days
        )
        if has_public_address()
        else None,
        cover_url=functools.partial(address_of, media["cover_key"], COVER_TYPE, served_days=served_days)
        if media.get("cover_key") and has_public_address()
        else None,
    )


def _open_media(storage_key: str) -> BinaryIO:
    """Raises FileNotFoundError for a file that is not there, OSError where the store cannot be reached."""
    try:
        opened = default_storage.open(storage_key, "rb")
        _content = opened.file  # of a bucket, it is fetched here and not at the first read
    except OSError:
        raise
    except Exception as error:
        raise OSError("the store of files does not answer") from error
    return cast(BinaryIO, opened)


def fingerprint(payload: Json, step: str) -> str:
    """SHA-256 (hex) of one step of a payload: the same as long as nobody changed what is to be sent."""
    text = json.dumps([payload, step], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def result_to_json(result: StepResult) -> Json:
    value: Json = {
        "state": str(result.state),
        "remote_id": result.remote_id,
        "permalink": result.permalink,
        "detail": result.detail,
        "retry_after_s": result.retry_after_s,
    }
    if result.ends_at is not None:
        value["ends_at"] = result.ends_at.isoformat()
    return value


def result_from_json(value: dict[str, Any]) -> StepResult:
    return StepResult(
        state=StepState(value["state"]),
        remote_id=value["remote_id"],
        permalink=value["permalink"],
        detail=value["detail"],
        retry_after_s=value["retry_after_s"],
        ends_at=dt.datetime.fromisoformat(value["ends_at"]) if value.get("ends_at") else None,
    )
