"""The frozen payload of a delivery: JSON in the row, dataclasses for the connector.

The shape stands at ``outbox.models.Delivery.payload``.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, cast

from django.core.files.storage import default_storage

from connectors.base import Json, LinkCard, MediaItem, PostPart, PostPayload, StepResult, StepState


@dataclass(frozen=True, slots=True)
class MediaContent:
    """One image of a part, as its asset stands now."""

    asset: str  # id of the asset, for where-used
    storage_key: str
    mime_type: str
    size: int  # bytes
    width: int
    height: int
    alt_text: str


@dataclass(frozen=True, slots=True)
class PartContent:
    text: str
    media: tuple[MediaContent, ...] = ()
    link_card: LinkCard | None = None


def freeze_post(parts: list[PartContent], *, language: str = "") -> Json:
    """The payload of a post or thread, ready for ``Delivery.payload``."""
    return {"parts": [_part_json(part) for part in parts], "language": language}


def _part_json(part: PartContent) -> Json:
    return {
        "text": part.text,
        "media": [asdict(media) for media in part.media],
        "link_card": asdict(part.link_card) if part.link_card else None,
    }


def thaw(payload: Json) -> PostPayload:
    """What a connector is given; files are opened only when it asks for them."""
    return PostPayload(
        parts=tuple(
            PostPart(
                text=part["text"],
                media=tuple(_media_item(media) for media in part["media"]),
                link_card=LinkCard(**part["link_card"]) if part.get("link_card") else None,
            )
            for part in payload["parts"]
        ),
        language=payload.get("language", ""),
    )


def _media_item(media: Json) -> MediaItem:
    return MediaItem(
        key=media["asset"],
        mime_type=media["mime_type"],
        size=media["size"],
        width=media["width"],
        height=media["height"],
        alt_text=media["alt_text"],
        open=functools.partial(_open_media, media["storage_key"]),
    )


def _open_media(storage_key: str) -> BinaryIO:
    return cast(BinaryIO, default_storage.open(storage_key, "rb"))


def fingerprint(payload: Json, step: str) -> str:
    """SHA-256 (hex) of one step of a payload: the same as long as nobody changed what is to be sent."""
    text = json.dumps([payload, step], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def result_to_json(result: StepResult) -> Json:
    return {
        "state": str(result.state),
        "remote_id": result.remote_id,
        "permalink": result.permalink,
        "detail": result.detail,
        "retry_after_s": result.retry_after_s,
    }


def result_from_json(value: dict[str, Any]) -> StepResult:
    return StepResult(
        state=StepState(value["state"]),
        remote_id=value["remote_id"],
        permalink=value["permalink"],
        detail=value["detail"],
        retry_after_s=value["retry_after_s"],
    )
