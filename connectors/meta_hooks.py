"""How Meta's networks call us: webhooks, and signed requests about withdrawn permissions and deletion.

Documents: docs/graph-api/webhooks/getting-started, docs/graph-api/guides/secure-requests and
docs/development/create-an-app/app-dashboard/data-deletion-callback, as of July 2026.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from connectors.base import Json, WebhookEvent, WebhookKind
from connectors.errors import Rejected, RejectReason
from connectors.meta import instant_or, nested

# Requests signed longer ago are not taken: they may be somebody else's copy.
SIGNED_FOR = dt.timedelta(days=1)
CLOCK_SKEW = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a call: what happened to which account. ``field`` is "messaging" for what came in an
    entry's list of messages, whose ``value`` is one of them."""

    object: str  # "page", "instagram", ...; "" where the call does not say (Threads)
    account_id: str
    at: dt.datetime | None
    field: str
    value: Json

    @property
    def event_id(self) -> str:
        """The same when the call is repeated: a message has an id of its own, else all of it is hashed."""
        mid = nested(self.value, "message", "mid")
        if self.field == "messaging" and isinstance(mid, str) and mid and len(mid) <= 190:
            return f"message:{mid}"
        try:
            told = json.dumps([self.object, self.account_id, self.field, self.value], sort_keys=True)
        except RecursionError as error:
            raise Rejected(RejectReason.INVALID, "nested deeper than is read") from error
        return hashlib.sha256(told.encode(errors="replace")).hexdigest()


class CalledByMeta:
    """The part of a connector that Meta calls: mixed in before Connector."""

    @classmethod
    def _event(cls, change: Change) -> WebhookEvent:
        """What one line of a call tells; each network has its own."""
        raise NotImplementedError

    @classmethod
    def webhook_challenge(cls, query: Mapping[str, str], *, secret: str, verify_token: str) -> str | None:
        return challenge(query, verify_token)

    @classmethod
    def is_genuine(cls, body: bytes, headers: Mapping[str, str], *, secret: str) -> bool:
        return is_genuine(body, headers, secret)

    @classmethod
    def webhook_events(cls, body: bytes) -> tuple[WebhookEvent, ...]:
        if signed_request(body):
            return (signed_event(body, WebhookKind.REVOKED),)
        return tuple(map(cls._event, changes(body)))

    @classmethod
    def deletion_events(cls, body: bytes) -> tuple[WebhookEvent, ...]:
        return (signed_event(body, WebhookKind.FORGET),)


def challenge(query: Mapping[str, str], verify_token: str) -> str | None:
    """The answer to the question whether the address is ours."""
    given = query.get("hub.verify_token", "")
    if query.get("hub.mode") != "subscribe" or not verify_token:
        return None
    if not hmac.compare_digest(given.encode(errors="replace"), verify_token.encode()):
        return None
    return query.get("hub.challenge") or None


def is_genuine(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    """Whether Meta sent this: by the header over the whole body, or by the signature inside a signed request.

    A call bears no time that can be trusted, so an old one can be repeated; its ``event_id`` is the same
    then. A signed request does (``issued_at``), and is taken for a day.
    """
    if not secret:
        return False
    if signed := signed_request(body):
        return opened(signed, secret) is not None
    name, _, given = headers.get("x-hub-signature-256", "").partition("=")
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return name == "sha256" and hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def changes(body: bytes) -> list[Change]:
    """The lines of a call, in order. Raises Rejected(INVALID) for what is none."""
    try:
        call = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Rejected(RejectReason.INVALID, "not JSON") from error
    if not isinstance(call, dict):
        raise Rejected(RejectReason.INVALID, "not an object")
    if isinstance(call.get("values"), dict | list):  # as Threads has it
        return list(_lines("", call.get("target_id"), call.get("time"), call["values"]))
    entries = call.get("entry")
    if not isinstance(entries, list):
        raise Rejected(RejectReason.INVALID, "no entries")
    found: list[Change] = []
    for entry in entries:
        if isinstance(entry, dict):
            about = (str(call.get("object") or ""), entry.get("id"), entry.get("time"))
            found += _lines(*about, entry.get("changes"))
            talk = entry.get("messaging")
            lines = [{"field": "messaging", "value": one} for one in talk] if isinstance(talk, list) else []
            found += _lines(*about, lines)
    return found


def _lines(kind: str, account_id: object, time: object, told: object) -> Iterator[Change]:
    at = instant_or(time, None)
    for one in told if isinstance(told, list) else [told]:
        if isinstance(one, dict) and isinstance(one.get("value"), dict):
            yield Change(kind, str(account_id or ""), at, str(one.get("field") or ""), one["value"])


def signed_request(body: bytes) -> str:
    """The signed request of a form (the call to the addresses for withdrawn permissions and for requests of
    deletion), "" where the body is something else."""
    # Whatever else it may say, a call of the other kind is JSON: nobody's words make a form of it.
    if not body.startswith(b"signed_request="):
        return ""
    try:
        return dict(parse_qsl(body.decode("ascii"))).get("signed_request", "")
    except ValueError:
        return ""


def opened(signed: str, secret: str) -> Json | None:
    """What a signed request says; None if it was not signed with the app's secret, or too long ago."""
    signature, _, payload = signed.partition(".")
    told = _payload(payload)
    if not secret or told is None or str(told.get("algorithm", "")).upper() != "HMAC-SHA256":
        return None
    expected = hmac.new(secret.encode(), payload.encode(errors="replace"), hashlib.sha256).digest()
    try:
        given = _from_base64(signature)
    except ValueError:
        return None
    if not hmac.compare_digest(given, expected):
        return None
    # Without its time it may be somebody's copy from any time.
    now, issued_at = dt.datetime.now(dt.UTC), instant_or(told.get("issued_at"), None)
    if issued_at is None or not now - SIGNED_FOR <= issued_at <= now + CLOCK_SKEW:
        return None
    return told


def signed_event(body: bytes, kind: WebhookKind) -> WebhookEvent:
    """What a genuine signed request tells: whose it is. It does not say what it is for; the address that was
    called does. Raises Rejected(INVALID)."""
    signed = signed_request(body)
    told = _payload(signed.partition(".")[2]) if signed else None
    person = str(told.get("user_id") or "") if told else ""
    if not person:
        raise Rejected(RejectReason.INVALID, "a signed request without a person")
    # Of what is signed alone: the signature itself can be written in more than one way.
    mark = hashlib.sha256(signed.partition(".")[2].encode()).hexdigest()
    return WebhookEvent(event_id=f"{kind}:{mark}", kind=kind, account_id=person)


def _payload(encoded: str) -> Json | None:
    try:
        told = json.loads(_from_base64(encoded))
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _from_base64(text: str) -> bytes:
    """Without padding, in the alphabet for addresses. Raises ValueError."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
