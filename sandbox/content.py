"""Posts, media and people as rows: written here, and turned into the JSON of the API here."""

from __future__ import annotations

import hashlib
import io
import json
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import av
from PIL import Image, UnidentifiedImageError

from sandbox import growth
from sandbox.calls import Refused
from sandbox.clock import to_iso
from sandbox.store import Row, Store, marks, text_hash

MODES = ("idempotency_key", "two_phase", "neither")
IMAGE_BYTES_MAX = 5 * 1024 * 1024
IMAGE_PIXELS_MAX = 40_000_000
IMAGE_MIME_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")
VIDEO_BYTES_MAX = 50_000_000
VIDEO_SECONDS_MAX = 140
VIDEO_PIXELS_MAX = 1920 * 1080
VIDEO_FRAME_RATE_MAX = 60
VIDEO_MIME_TYPES = ("video/mp4",)
ALT_TEXT_MAX = 1000
THREAD_MAX = 25
MESSAGE_TEXT_MAX = 2000
CONTAINER_LIFE_MS = 24 * growth.HOUR_MS
IDEMPOTENCY_LIFE_MS = 24 * growth.HOUR_MS
COLORS = ("#c2410c", "#a16207", "#4d7c0f", "#047857", "#0e7490", "#1d4ed8", "#6d28d9", "#a21caf", "#be123c")

_HANDLE = re.compile(r"[a-z0-9_]{2,30}")
_MENTIONED = re.compile(r"(?<![\w@])@([a-z0-9_]{2,30})(?![a-z0-9_])", re.IGNORECASE)

# --- people -----------------------------------------------------------------------------------


def clean_handle(text: str) -> str:
    """The handle in its stored form. Raises Refused."""
    handle = text.strip().lstrip("@").lower()
    if not _HANDLE.fullmatch(handle):
        raise Refused(422, "invalid_handle", "A handle has 2 to 30 letters a-z, digits or underscores.")
    return handle


def create_account(store: Store, *, handle: str, now_ms: int, kind: str = "brand", **columns: Any) -> int:
    """A new account with the audience its seed gives it, unless ``columns`` say otherwise.

    Raises Refused (invalid_handle, invalid_mode, handle_taken).
    """
    handle = clean_handle(handle)
    if store.value("SELECT 1 FROM accounts WHERE handle = ?", handle):
        raise Refused(409, "handle_taken", f"There is an account @{handle} already.")
    if columns.get("mode", MODES[0]) not in MODES:
        raise Refused(422, "invalid_mode", f"mode is one of {', '.join(MODES)}.")
    seed = columns.pop("seed", None)
    if seed is None:
        seed = int.from_bytes(hashlib.blake2b(handle.encode(), digest_size=6).digest())
    values: dict[str, Any] = {"name": handle, "color": COLORS[seed % len(COLORS)]}
    if kind == "brand":
        values["base_followers"] = int(150 * 40 ** growth.luck(seed, "followers"))
        values["following"] = int(20 + 300 * growth.luck(seed, "following"))
    values.update(columns)
    if kind == "brand" and "daily_growth" not in columns:
        values["daily_growth"] = values["base_followers"] * (0.0004 + 0.0026 * growth.luck(seed, "growth"))
    return store.insert("accounts", handle=handle, kind=kind, seed=seed, created_at=now_ms, **values)


def account_by_handle(store: Store, handle: str) -> Row:
    """Raises Refused(404)."""
    row = store.one("SELECT * FROM accounts WHERE handle = ?", handle.lstrip("@").lower())
    if row is None:
        raise Refused(404, "not_found", f"There is no account @{handle}.")
    return row


def person(store: Store, name: str, now_ms: int) -> Row:
    """The customer of this name, made when it is new. Raises Refused when the name is empty or too long."""
    name = " ".join(name.split())
    if not name or len(name) > 40:
        raise Refused(422, "invalid_name", "A name has 1 to 40 characters.")
    row = store.one("SELECT * FROM accounts WHERE kind = 'person' AND name = ?", name)
    if row is None:
        digest = hashlib.blake2b(name.encode(), digest_size=3).hexdigest()
        base = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:20] or "guest"
        account_id = create_account(store, handle=f"{base}_{digest}", now_ms=now_ms, kind="person", name=name)
        row = store.the("SELECT * FROM accounts WHERE id = ?", account_id)
    return row


def account_brief(row: Row, base_url: str) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "handle": row["handle"],
        "name": row["name"],
        "url": f"{base_url}/@{row['handle']}",
        "avatar_url": f"{base_url}/@{row['handle']}/avatar.svg",
    }


def account_json(store: Store, row: Row, base_url: str, now_ms: int, *, is_own: bool) -> dict[str, Any]:
    """``is_own``: with what only the account itself is told, its limits and its retry safety."""
    shown = account_brief(row, base_url) | {
        "bio": row["bio"],
        "color": row["color"],
        "kind": row["kind"],
        "created_at": to_iso(row["created_at"]),
        "counts": account_counts(store, row, now_ms),
    }
    if is_own:
        quota = None
        if row["quota_limit"]:
            quota = {"limit": row["quota_limit"], "window_s": row["quota_window_s"]}
        shown["retry_safety"] = row["mode"]
        shown["topics"] = topics_of(row)
        shown["limits"] = {
            "text_max": row["text_max"],
            "images_max": row["images_max"],
            "image_bytes_max": IMAGE_BYTES_MAX,
            "image_pixels_max": IMAGE_PIXELS_MAX,
            "image_mime_types": list(IMAGE_MIME_TYPES),
            "video_bytes_max": VIDEO_BYTES_MAX,
            "video_seconds_max": VIDEO_SECONDS_MAX,
            "video_pixels_max": VIDEO_PIXELS_MAX,
            "video_frame_rate_max": VIDEO_FRAME_RATE_MAX,
            "video_mime_types": list(VIDEO_MIME_TYPES),
            "alt_text_max": ALT_TEXT_MAX,
            "thread_max": THREAD_MAX,
            "consistency_window_s": row["consistency_window_s"],
            "quota": quota,
        }
    return shown


def topics_of(account: Row) -> list[str]:
    """What posts of the account can be filed under; empty where there is no such thing."""
    return [topic.strip() for topic in account["topics"].split(",") if topic.strip()]


def audience_of(store: Store, row: Row) -> growth.Audience:
    history = [
        (point["at"], point["followers"])
        for point in store.all(
            "SELECT at, followers FROM follower_history WHERE account_id = ? ORDER BY at", row["id"]
        )
    ]
    anchor_ms, anchor = history[-1] if history else (row["created_at"], row["base_followers"])
    return growth.Audience(row["seed"], anchor_ms, anchor, row["daily_growth"], history)


def account_counts(store: Store, row: Row, at_ms: int) -> dict[str, int]:
    posts = store.value(
        "SELECT count(*) FROM posts WHERE account_id = ? AND created_at <= ? AND anchor_id IS NULL"
        " AND deleted_at IS NULL",
        row["id"],
        at_ms,
    )
    if row["kind"] != "brand":
        return {"followers": row["base_followers"], "following": row["following"], "posts": posts}
    audience = audience_of(store, row)
    split_ms = max(audience.anchor_ms, growth.settled_before(at_ms))
    own = "FROM posts WHERE account_id = ? AND reply_to IS NULL AND created_at > ? AND created_at <= ?"
    settled = store.value(f"SELECT count(*) {own}", row["id"], audience.anchor_ms, split_ms)
    recent = [post[0] for post in store.all(f"SELECT created_at {own}", row["id"], split_ms, at_ms)]
    count = growth.followers(audience, at_ms, settled=settled, recent=recent)
    return {"followers": count, "following": row["following"], "posts": posts}


# --- posts ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be posted, checked against the account's limits."""

    text: str
    media_ids: tuple[int, ...] = ()
    reply_to: int | None = None
    language: str = ""
    card: str | None = None
    topic: str = ""


def number(value: Any, name: str) -> int:
    """An id of ours from a client's text. Raises Refused."""
    try:
        found = int(value)
    except (TypeError, ValueError):
        raise Refused(422, "invalid", f"{name} is not an id.") from None
    if not 0 <= found < 2**63:
        raise Refused(422, "invalid", f"{name} is not an id.")
    return found


def read_draft(store: Store, account: Row, body: dict[str, Any]) -> Draft:
    """Raises Refused with the code that names the limit, and ``limit`` and ``actual`` beside it."""
    text = body.get("text", "")
    media = body.get("media_ids") or []
    if not isinstance(text, str) or not isinstance(media, list):
        raise Refused(422, "invalid", "text is a string, media_ids a list.")
    text = text.strip()
    if not text and not media:
        raise Refused(422, "text_empty", "A post needs a text, an image or a video.")
    if len(text) > account["text_max"]:
        raise Refused(
            422, "text_too_long", "The text is too long.", limit=account["text_max"], actual=len(text)
        )
    if len(media) > account["images_max"]:
        raise Refused(
            422, "too_many_media", "Too many images.", limit=account["images_max"], actual=len(media)
        )
    media_ids = tuple(number(one, "media id") for one in media)
    kinds = f"SELECT 1 FROM media WHERE id IN ({marks(len(media_ids))}) AND mime LIKE 'video/%'"
    if len(media_ids) > 1 and store.value(kinds, *media_ids):
        raise Refused(422, "media_mixed", "A video stands alone in its post.")
    reply_to = None
    if body.get("reply_to"):
        reply_to = number(body["reply_to"], "reply_to")
        is_there = (
            "SELECT 1 FROM posts p JOIN posts r ON r.id = COALESCE(p.root_id, p.id)"
            " WHERE p.id = ? AND p.deleted_at IS NULL AND r.deleted_at IS NULL"
        )
        if store.value(is_there, reply_to) is None:
            raise Refused(422, "reply_to_missing", "The post that this answers is not there.")
    card = body.get("card")
    if card is not None:
        if not isinstance(card, dict) or not str(card.get("url", "")).startswith(("http://", "https://")):
            raise Refused(422, "invalid", "card needs an http address as url.")
        card = json.dumps({name: str(card.get(name, ""))[:500] for name in ("url", "title", "description")})
    topic = str(body.get("topic") or "")
    if topic and topic not in topics_of(account):
        raise Refused(422, "topic_unknown", "The account has no such topic.")
    return Draft(text, media_ids, reply_to, str(body.get("language", ""))[:35], card, topic)


def media_ready_at(store: Store, account_id: int, media_ids: Sequence[int]) -> int:
    """When the last of these media is processed (ms). Raises Refused: not found or broken."""
    ready_at = 0
    for media_id in media_ids:
        row = store.one(
            "SELECT ready_at, is_broken FROM media WHERE id = ? AND account_id = ?", media_id, account_id
        )
        if row is None:
            raise Refused(422, "media_not_found", f"There is no media {media_id}.")
        if row["is_broken"]:
            raise Refused(422, "media_broken", f"Media {media_id} could not be processed.")
        ready_at = max(ready_at, row["ready_at"])
    return ready_at


def store_post(
    store: Store, account: Row, draft: Draft, *, now_ms: int, client_ref: str = "", quality: float = 1.0
) -> dict[str, Any]:
    """Store a post or a comment and return it as a row of ``POSTS``. Raises Refused (thread_too_long)."""
    root_id: int | None = None
    anchor_id: int | None = None
    if draft.reply_to is not None:
        parent = store.the(
            "SELECT id, account_id, root_id, anchor_id, reply_to FROM posts WHERE id = ?", draft.reply_to
        )
        root_id = parent["root_id"] or parent["id"]
        continues_thread = parent["anchor_id"] is None and parent["account_id"] == account["id"]
        if not continues_thread:
            anchor_id = parent["anchor_id"] or parent["id"]
        elif _thread_length(store, root_id) >= THREAD_MAX:
            raise Refused(422, "thread_too_long", "The thread is too long.", limit=THREAD_MAX)
    columns: dict[str, Any] = {
        "id": store.new_id(),
        "account_id": account["id"],
        "text": draft.text,
        "text_hash": text_hash(draft.text),
        "language": draft.language,
        "card": draft.card,
        "topic": draft.topic,
        "media_count": len(draft.media_ids),
        "reply_to": draft.reply_to,
        "root_id": root_id,
        "anchor_id": anchor_id,
        "created_at": now_ms,
        "visible_at": now_ms + int(account["read_lag_s"] * 1000),
        "client_ref": client_ref,
        "quality": quality,
    }
    store.insert("posts", **columns)
    for position, media_id in enumerate(draft.media_ids):
        store.run("INSERT INTO post_media VALUES (?, ?, ?)", (columns["id"], position, media_id))
    _store_mentions(store, columns["id"], draft.text)
    author = {name: account[name] for name in ("handle", "name", "color", "kind")}
    return columns | author | {"hidden_at": None, "deleted_at": None}


def _store_mentions(store: Store, post_id: int, text: str) -> None:
    handles = {handle.lower() for handle in _MENTIONED.findall(text)}
    if handles:
        store.run(
            "INSERT INTO mentions (account_id, post_id)"
            f" SELECT id, ? FROM accounts WHERE handle IN ({marks(len(handles))})",
            (post_id, *handles),
        )


def _thread_length(store: Store, root_id: int) -> int:
    parts = "SELECT count(*) FROM posts WHERE root_id = ? AND reply_to IS NOT NULL AND anchor_id IS NULL"
    further: int = store.value(parts, root_id)
    return 1 + further


# What a query of ``POSTS`` or ``store_post`` gives.
Post = Row | dict[str, Any]

POSTS = "SELECT p.*, a.handle, a.name, a.color, a.kind FROM posts p JOIN accounts a ON a.id = p.account_id "


def posts_json(
    store: Store, rows: Sequence[Post], base_url: str, now_ms: int, *, with_counts: bool = True
) -> list[dict[str, Any]]:
    """Rows of ``POSTS`` as JSON; media and counts of all of them in a few queries."""
    media: dict[int, list[dict[str, Any]]] = {}
    with_media = [row["id"] for row in rows if row["media_count"]]
    if with_media:
        for item in store.run(
            "SELECT pm.post_id, m.id, m.mime, m.width, m.height, m.alt_text FROM post_media pm"
            f" JOIN media m ON m.id = pm.media_id WHERE pm.post_id IN ({marks(len(with_media))})"
            " ORDER BY pm.post_id, pm.position",
            with_media,
        ):
            media.setdefault(item["post_id"], []).append(
                {
                    "id": str(item["id"]),
                    "url": f"{base_url}/media/{item['id']}",
                    "mime_type": item["mime"],
                    "width": item["width"],
                    "height": item["height"],
                    "alt_text": item["alt_text"],
                }
            )
    counts = post_counts(store, rows, now_ms) if with_counts else {}
    shown = []
    for row in rows:
        post = {
            "id": str(row["id"]),
            "url": f"{base_url}/@{row['handle']}/{row['id']}",
            "account": {
                "id": str(row["account_id"]),
                "handle": row["handle"],
                "name": row["name"],
                "url": f"{base_url}/@{row['handle']}",
                "avatar_url": f"{base_url}/@{row['handle']}/avatar.svg",
            },
            "text": row["text"],
            "language": row["language"],
            "created_at": to_iso(row["created_at"]),
            "reply_to": None if row["reply_to"] is None else str(row["reply_to"]),
            "is_comment": row["anchor_id"] is not None,
            "is_hidden": row["hidden_at"] is not None,
            "card": json.loads(row["card"]) if row["card"] else None,
            "topic": row["topic"],
            "media": media.get(row["id"], []),
        }
        if with_counts:
            post["counts"] = counts[row["id"]]
        shown.append(post)
    return shown


def post_counts(store: Store, rows: Sequence[Post], at_ms: int) -> dict[int, dict[str, int]]:
    """likes, comments, shares, impressions, reach, clicks by post id: what people did here plus the silent
    audience."""
    if not rows:
        return {}
    ids = [row["id"] for row in rows]
    places = marks(len(ids))
    real: dict[str, dict[int, int]] = {}
    for name, query in {
        "likes": f"SELECT post_id, count(*) FROM likes WHERE post_id IN ({places}) GROUP BY 1",
        "shares": f"SELECT post_id, count(*) FROM shares WHERE post_id IN ({places}) GROUP BY 1",
        "comments": f"SELECT anchor_id, count(*) FROM posts WHERE anchor_id IN ({places})"
        f" AND deleted_at IS NULL AND hidden_at IS NULL AND created_at <= {int(at_ms)} GROUP BY 1",
    }.items():
        real[name] = {row[0]: row[1] for row in store.run(query, ids)}
    people = {
        row[0]: row[1]
        for row in store.run(
            "SELECT post_id, count(DISTINCT account_id) FROM ("
            f"SELECT post_id, account_id FROM likes WHERE post_id IN ({places})"
            f" UNION ALL SELECT post_id, account_id FROM shares WHERE post_id IN ({places})"
            f" UNION ALL SELECT anchor_id, account_id FROM posts WHERE anchor_id IN ({places})"
            f" AND deleted_at IS NULL AND hidden_at IS NULL AND created_at <= {int(at_ms)}) GROUP BY 1",
            ids * 3,
        )
    }
    audiences: dict[int, growth.Audience] = {}
    counts = {}
    for row in rows:
        post_id, account_id = row["id"], row["account_id"]
        reaction = growth.Reaction(0, 0, 0, 0, 0)
        if row["kind"] == "brand" and row["anchor_id"] is None:
            if account_id not in audiences:
                account = store.the("SELECT * FROM accounts WHERE id = ?", account_id)
                audiences[account_id] = audience_of(store, account)
            reaction = growth.reaction(
                audiences[account_id],
                post_key=row["text_hash"],
                created_ms=row["created_at"],
                at_ms=at_ms,
                has_media=row["media_count"] > 0,
                quality=row["quality"],
            )
        likes = real["likes"].get(post_id, 0)
        comments = real["comments"].get(post_id, 0)
        shares = real["shares"].get(post_id, 0)
        seen = likes + shares + comments  # whoever reacted has seen it
        counts[post_id] = {
            "likes": likes + reaction.likes,
            "comments": comments,
            "shares": shares + reaction.shares,
            "impressions": seen + reaction.impressions,
            "reach": people.get(post_id, 0) + reaction.reach,
            "clicks": reaction.clicks,
        }
    return counts


def posts_by_ids(store: Store, ids: Iterable[int]) -> list[Row]:
    wanted = list(ids)
    query = f"WHERE p.id IN ({marks(len(wanted))}) AND p.deleted_at IS NULL"
    return store.all(POSTS + query, *wanted) if wanted else []


def is_video(content: bytes) -> bool:
    """Whether it begins as an MP4 does."""
    return content[4:8] == b"ftyp"


def media_of(content: bytes) -> tuple[str, int, int]:
    """(mime type, width, height) of an image or a video. Raises Refused with the code of what is wrong."""
    if is_video(content):
        return _video_of(content)
    kinds = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # large pictures are refused below, in our own words
            image = Image.open(io.BytesIO(content))
            image_format, (width, height) = image.format or "", image.size
            if width * height <= IMAGE_PIXELS_MAX:
                image.verify()
    except UnidentifiedImageError:
        raise Refused(415, "media_type", "Images are JPEG, PNG, WebP or GIF.") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise Refused(422, "media_broken", "The image cannot be read.") from None
    if image_format not in kinds:
        raise Refused(415, "media_type", "Images are JPEG, PNG, WebP or GIF.")
    if width * height > IMAGE_PIXELS_MAX:
        raise Refused(
            422,
            "media_too_many_pixels",
            "The image has too many pixels.",
            limit=IMAGE_PIXELS_MAX,
            actual=width * height,
        )
    return kinds[image_format], width, height


def _video_of(content: bytes) -> tuple[str, int, int]:
    try:
        with av.open(io.BytesIO(content), "r", format="mov") as file:
            pictures = next(iter(file.streams.video), None)
            if pictures is None or pictures.codec_context.name != "h264":
                raise Refused(415, "media_type", "Videos are MP4 with H.264.")
            width, height = pictures.codec_context.width, pictures.codec_context.height
            seconds = (file.duration or 0) / 1_000_000
            rate = float(pictures.average_rate or 0)
            # Its first picture can be read.
            next(file.decode(pictures))
    except (av.FFmpegError, StopIteration, ValueError):
        raise Refused(422, "media_broken", "The video cannot be read.") from None
    for actual, limit, code in (
        (seconds, VIDEO_SECONDS_MAX, "video_too_long"),
        (rate, VIDEO_FRAME_RATE_MAX + 0.01, "video_too_fast"),
        (width * height, VIDEO_PIXELS_MAX, "media_too_many_pixels"),
    ):
        if actual > limit:
            raise Refused(422, code, "The video is beyond a limit.", limit=int(limit), actual=int(actual))
    return "video/mp4", width, height
