"""What LINE tells by webhook (webhook.yml): what people write in their chats with the account.

``destination`` is the account. Everything in a chat belongs to the person, group or room that it is with.
LINE repeats what we did not confirm, with the same ``webhookEventId``.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from connectors.answers import moment, text
from connectors.base import InboxItem, InboxKind, Json, Profile, WebhookEvent, WebhookKind
from connectors.errors import Rejected, RejectReason
from connectors.inbox import storable

MOST_OF_ID = 200
MOST_OF_WORDS = 500  # of what a program, not a person, has put into an event

_CHAT_ID = {"user": "userId", "group": "groupId", "room": "roomId"}
UNSENT = "[Unsent message]"


def is_genuine(body: bytes, headers: Mapping[str, str], *, secret: str) -> bool:
    """X-Line-Signature has no time in it: what is sent again is known by its event ids."""
    given = headers.get("x-line-signature", "")
    if not secret or not given:
        return False
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return hmac.compare_digest(given.encode(), base64.b64encode(digest))


def webhook_events(body: bytes) -> tuple[WebhookEvent, ...]:
    try:
        told = json.loads(body)
        account, events = told["destination"], told["events"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise Rejected(RejectReason.INVALID, "not a webhook of LINE") from error
    if not isinstance(account, str) or not isinstance(events, list):
        raise Rejected(RejectReason.INVALID, "not a webhook of LINE")
    return tuple(_event(account, event) for event in events if isinstance(event, dict))


def _event(account: str, event: Json) -> WebhookEvent:
    """What cannot be read is none of ours: it does not keep the rest from being read."""
    event_id = storable(text(event.get("webhookEventId")))
    if not 0 < len(event_id) <= MOST_OF_ID:
        whole = json.dumps({**event, "deliveryContext": None}, sort_keys=True)
        event_id = hashlib.sha256(whole.encode()).hexdigest()
    item = _item(event, event_id)
    return WebhookEvent(
        event_id=event_id,
        kind=WebhookKind.INBOX if item is not None else WebhookKind.OTHER,
        account_id=storable(account),
        items=(storable(item),) if item is not None else (),
    )


def _item(event: Json, event_id: str) -> InboxItem | None:
    source = _object(event, "source")
    kind = _text(source, "type")
    chat = _text(source, _CHAT_ID.get(kind, ""))
    at = _instant(event.get("timestamp"))
    said = _said(event, event_id)
    if not chat or at is None or said is None:
        return None
    message_id, text, media_count = said
    author = Profile(remote_id=_text(source, "userId") or chat, handle="")
    return InboxItem(
        kind=InboxKind.DM,
        remote_id=message_id,
        thread_id=chat,
        author=author,
        text=text,
        created_at=at,
        counterpart=author if kind == "user" else Profile(remote_id=chat, handle=""),
        parent_id=_text(_object(event, "message"), "quotedMessageId"),
        media_count=media_count,
        detail={"to": chat, "source": kind},
    )


def _said(event: Json, event_id: str) -> tuple[str, str, int] | None:
    """Id, words and number of files of what somebody wrote or did; None for what is no matter of an inbox."""
    match event.get("type"):
        case "message":
            message = _object(event, "message")
            message_id = _text(message, "id")
            return (message_id, *_words(message)) if message_id else None
        case "unsend":
            # The message is known by its id: its words are replaced, as LINE asks of everybody.
            message_id = _text(_object(event, "unsend"), "messageId")
            return (message_id, UNSENT, 0) if message_id else None
        case "postback":
            return event_id, _named("Tapped", _text(_object(event, "postback"), "data")), 0
        case "follow":
            again = _object(event, "follow").get("isUnblocked") is True
            return event_id, "[Unblocked this account]" if again else "[Became a friend]", 0
    return None


def _words(message: Json) -> tuple[str, int]:
    """What a message says; files are named, LINE has them."""
    match _text(message, "type"):
        case "text":
            return _text(message, "text"), 0
        case "image":
            return "[Image]", 1
        case "video":
            return "[Video]", 1
        case "audio":
            return "[Audio]", 1
        case "file":
            return _named("File", _text(message, "fileName")), 1
        case "location":
            place = [_text(message, "title"), _text(message, "address")]
            position = f"{message.get('latitude')}, {message.get('longitude')}"
            return _named("Location", " ".join(filter(None, [*place, position]))), 0
        case "sticker":
            keywords = message.get("keywords")
            listed = [str(word) for word in keywords[:3]] if isinstance(keywords, list) else []
            return _named("Sticker", _text(message, "text") or ", ".join(listed)), 0
        case other:
            return _named("Message", other), 0


def _named(what: str, about: str) -> str:
    return f"[{what}: {about[:MOST_OF_WORDS]}]" if about else f"[{what}]"


def _object(value: Json, name: str) -> Json:
    inner = value.get(name)
    return inner if isinstance(inner, dict) else {}


def _text(value: Json, name: str) -> str:
    return text(value.get(name))


def _instant(milliseconds: Any) -> dt.datetime | None:
    return moment(milliseconds, per_second=1000) if isinstance(milliseconds, int) else None
