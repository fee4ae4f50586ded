"""What we write at Bluesky: posts, replies, likes, gates, messages, and the keys of these records. Pure.

Lexicons app.bsky.feed.post, like and threadgate, app.bsky.richtext.facet, app.bsky.embed.*,
chat.bsky.convo.defs, checked 2026-11-22.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from connectors import answers, text
from connectors.base import Json, PostPart, PostPayload, ReplyTarget, Step, StepResult

COLLECTION = "app.bsky.feed.post"
LIKES = "app.bsky.feed.like"
GATES = "app.bsky.feed.threadgate"
MOST_HIDDEN = 300
MAX_TAG_GRAPHEMES = 64

_HANDLE = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


def post_record(
    step: Step, payload: PostPayload, done: Mapping[str, StepResult], *, now: dt.datetime
) -> Json:
    part = payload.parts[step.part]
    words = _sendable(part.text)
    lookup = done.get(f"part{step.part}.container", StepResult()).detail
    record: Json = {"$type": COLLECTION, "text": words, "createdAt": timestamp(now)}
    facets = make_facets(words, lookup.get("dids") or {})
    if facets:
        record["facets"] = facets
    if _LANGUAGE.fullmatch(payload.language):
        record["langs"] = [payload.language]
    if step.part:
        first, parent = done["part0.publish"], done[f"part{payload.answered_by(step.part)}.publish"]
        record["reply"] = {"root": dict(first.detail), "parent": dict(parent.detail)}
    elif payload.reply_to is not None:
        record["reply"] = _reply(payload.reply_to)
    if part.media and part.media[0].is_video:
        record["embed"] = _video(part, done[f"part{step.part}.media0"].detail["blob"])
    elif part.media:
        record["embed"] = {
            "$type": "app.bsky.embed.images",
            "images": [
                _image(part, m, done[f"part{step.part}.media{m}"].detail["blob"])
                for m in range(len(part.media))
            ],
        }
    elif card := authored_card(part, lookup.get("thumb")) or lookup.get("card"):
        record["embed"] = {"$type": "app.bsky.embed.external", "external": card}
    return record


def _reply(target: ReplyTarget) -> Json:
    """Both ends by address and hash, as the inbox told them."""
    parent = {"uri": target.remote_id, "cid": str(target.detail.get("cid", ""))}
    root = target.detail.get("root") or parent
    return {"root": {"uri": root["uri"], "cid": root["cid"]}, "parent": parent}


def message_input(words: str) -> Json:
    """A direct message, with its links and hashtags marked."""
    words = _sendable(words)
    facets = make_facets(words, {})
    return {"text": words, "facets": facets} if facets else {"text": words}


def like_record(subject: Json, *, now: dt.datetime) -> Json:
    return {"$type": LIKES, "subject": subject, "createdAt": timestamp(now)}


class TooManyHidden(Exception):
    """The list of hidden replies is full."""


def gate_record(
    existing: Mapping[str, Any] | None, *, root: str, reply: str, is_hidden: bool, created_at: str
) -> Json | None:
    """The thread's gate with ``reply`` hidden or shown, who may reply as it was; None when nothing changes.

    A gate without ``allow`` lets everybody reply, an empty one nobody: none is made up. Raises TooManyHidden.
    """
    told = (existing or {}).get("hiddenReplies")
    hidden = [uri for uri in (told if isinstance(told, list) else ()) if isinstance(uri, str)]
    if (reply in hidden) == is_hidden:
        return None
    hidden = [*hidden, reply] if is_hidden else [uri for uri in hidden if uri != reply]
    if len(hidden) > MOST_HIDDEN:
        raise TooManyHidden
    kept = dict(existing) if existing else {"$type": GATES, "post": root, "createdAt": created_at}
    return kept | {"hiddenReplies": hidden}


def _image(part: PostPart, media: int, blob: Json) -> Json:
    item = part.media[media]
    image: Json = {"image": blob, "alt": _sendable(item.alt_text)}
    if item.width > 0 and item.height > 0:
        image["aspectRatio"] = {"width": item.width, "height": item.height}
    return image


def _video(part: PostPart, blob: Json) -> Json:
    item = part.media[0]
    video: Json = {"$type": "app.bsky.embed.video", "video": blob}
    if item.alt_text:
        video["alt"] = _sendable(item.alt_text)
    if item.width > 0 and item.height > 0:
        video["aspectRatio"] = {"width": item.width, "height": item.height}
    return video


def make_facets(words: str, dids: Mapping[str, str]) -> list[Json]:
    """Links, hashtags and the mentions whose handle is in ``dids``, by UTF-8 byte, none overlapping."""
    features: list[tuple[text.Span, Json]] = [
        (span, {"$type": "app.bsky.richtext.facet#link", "uri": span.url})
        for span in text.find_links(words, bare=True)
    ]
    features += [
        (span, {"$type": "app.bsky.richtext.facet#mention", "did": dids[span.value.lower()]})
        for span in text.find_mentions(words)
        if span.value.lower() in dids
    ]
    features += [
        (span, {"$type": "app.bsky.richtext.facet#tag", "tag": span.value})
        for span in text.find_hashtags(words)
        if len(text.graphemes(span.value)) <= MAX_TAG_GRAPHEMES
    ]
    facets: list[Json] = []
    reached = 0
    for span, feature in sorted(features, key=lambda found: found[0].byte_start):
        if span.byte_start >= reached:
            index = {"byteStart": span.byte_start, "byteEnd": span.byte_end}
            facets.append({"index": index, "features": [feature]})
            reached = span.byte_end
    return facets


def mentioned_handles(part: PostPart) -> list[str]:
    found = (span.value.lower() for span in text.find_mentions(_sendable(part.text)))
    return list(dict.fromkeys(handle for handle in found if is_handle(handle)))


def authored_card(part: PostPart, thumb: Json | None = None) -> Json | None:
    """The link card as the author wrote it; None without one, or when images leave no room for it."""
    card = part.link_card
    if part.media or card is None or not card.title.strip():
        return None
    made = {"uri": card.url, "title": _sendable(card.title), "description": _sendable(card.description)}
    return made | {"thumb": thumb} if thumb else made


def url_to_preview(part: PostPart) -> str:
    """The page whose own words make the card: the author's without a title, else the text's first link."""
    if part.media or authored_card(part):
        return ""
    if part.link_card:
        return part.link_card.url
    links = text.find_links(_sendable(part.text), bare=True)
    return links[0].url if links else ""


def picture_to_fetch(part: PostPart) -> str:
    """The picture that the author's card has, "" for none."""
    return part.link_card.image_url if part.link_card and authored_card(part) else ""


def needs_lookup(part: PostPart) -> bool:
    return bool(mentioned_handles(part) or url_to_preview(part) or picture_to_fetch(part))


def _sendable(words: str) -> str:
    """Half a surrogate pair has no UTF-8 form; byte offsets must count what is really sent."""
    return words.encode("utf-8", "replace").decode()


def is_handle(name: str) -> bool:
    return len(name) <= 253 and _HANDLE.fullmatch(name) is not None


def timestamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant(stated: object) -> dt.datetime:
    """When a record says it was made. People's programs write what they like: unreadable is long ago."""
    return answers.instant(stated) or dt.datetime.fromtimestamp(0, dt.UTC)


# --- record keys ------------------------------------------------------------------------------

_TID_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
_TID = re.compile(r"[2-7a-j][2-7a-z]{12}")


def make_tid(*, key: str, now: dt.datetime, after: int = 0) -> str:
    """A record key (atproto.com/specs/tid): 53 bits of microseconds since 1970, 10 bits of clock id.

    The whole second is ``now``'s; the microseconds within it and the clock id come from the idempotency
    key, so that posts of one account prepared at the same instant do not meet. Always later than
    ``after`` (microseconds), which keeps the parts of a thread in order.
    """
    digest = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
    micros = max(int(now.timestamp()) * 1_000_000 + digest % 1_000_000, after + 1)
    number = (micros << 10 | (digest >> 32) & 0x3FF) & (1 << 63) - 1
    return "".join(_TID_DIGITS[number >> shift & 31] for shift in range(60, -1, -5))


def like_key(uri: str) -> str:
    """The key of our like of a post: always the same one, so that liking twice is liking once."""
    rkey = uri.rpartition("/")[2]
    seconds = tid_microseconds(rkey) // 1_000_000 if _TID.fullmatch(rkey) else 0
    return make_tid(key=uri, now=dt.datetime.fromtimestamp(seconds, dt.UTC))


def tid_microseconds(tid: str) -> int:
    number = 0
    for digit in tid:
        number = number << 5 | _TID_DIGITS.index(digit)
    return number >> 10
