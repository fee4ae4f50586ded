"""How X calls us: the question whether an address is ours, signed calls, and what they tell.

Documents: docs.x.com (x-api/webhooks, x-api/account-activity), read 2026-11-30.

* All of it is signed with the *API key secret* of the app, which is not the client secret of OAuth 2.
* X asks by the same HMAC that it signs calls with. So no question is answered that could be a call: whoever
  knows the address would have it signed by us.
* A call bears no time that can be trusted; one that comes again has the same event ids.
* The posts in a call have the form of the API 1.1, not that which ``x_inbox`` reads, and nothing of what
  hangs above them: the inbox is read soon instead. That costs money, so only what may stand in it says so.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping

from connectors.answers import inner, number_or_text, rows
from connectors.base import Capability, Json, WebhookEvent, WebhookKind
from connectors.errors import Rejected, RejectReason
from connectors.inbox import storable

LONGEST_TOKEN = 1000
COMMENTS = frozenset({Capability.INBOX_COMMENTS, Capability.INBOX_MENTIONS})
MESSAGES = frozenset({Capability.INBOX_MESSAGES})


def challenge(query: Mapping[str, str], secret: str) -> str | None:
    """The answer to the question whether the address is ours (CRC); X asks every hour."""
    token = query.get("crc_token", "")
    # A call is an object of JSON in whatever encoding, which has no form without this sign.
    if not secret or not 0 < len(token) <= LONGEST_TOKEN or "{" in token:
        return None
    return json.dumps({"response_token": _signed(token.encode(errors="replace"), secret)})


def is_genuine(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    given = headers.get("x-twitter-webhooks-signature", "")
    if not secret or not given:
        return False
    return hmac.compare_digest(given.encode(errors="replace"), _signed(body, secret).encode())


def _signed(message: bytes, secret: str) -> str:
    digest = hmac.new(secret.encode(), message, hashlib.sha256).digest()
    return f"sha256={base64.b64encode(digest).decode()}"


def events(body: bytes) -> tuple[WebhookEvent, ...]:
    """What a call tells, in order. Raises Rejected(INVALID) for what is none."""
    try:
        call = json.loads(body)
        if isinstance(call, dict):
            return tuple(_events(call))
    except (ValueError, RecursionError) as error:
        raise Rejected(RejectReason.INVALID, "not what X sends") from error
    raise Rejected(RejectReason.INVALID, "not what X sends")


def _events(call: Json) -> Iterator[WebhookEvent]:
    account = storable(number_or_text(call.get("for_user_id")))
    for name, told in call.items():
        if name.endswith("_events"):
            for one in rows(told):
                yield _event(name, account, one)
    if isinstance(revoke := inner(call, "user_event", "revoke"), dict):
        yield _revoked(revoke)


def _event(name: str, account: str, one: Json) -> WebhookEvent:
    needs: frozenset[Capability] = frozenset()
    if account and name == "tweet_create_events" and _is_to(account, one):
        needs = COMMENTS
    elif account and name == "direct_message_events" and _is_message_to(account, one):
        needs = MESSAGES
    return WebhookEvent(
        # Two accounts of ours may be told of the same post.
        event_id=_mark(name, account, _id(one) or one),
        kind=WebhookKind.INBOX if needs else WebhookKind.OTHER,
        account_id=account,
        needs=needs,
    )


def _revoked(revoke: Json) -> WebhookEvent:
    """Its app is not compared: X names it by a number that nobody typed here, and the signature is its."""
    person = storable(number_or_text(inner(revoke, "source", "user_id")))
    return WebhookEvent(
        event_id=_mark("revoke", person, revoke),
        kind=WebhookKind.REVOKED if person else WebhookKind.OTHER,
        account_id=person,
    )


def _is_to(account: str, post: Json) -> bool:
    """Whether a post of somebody else names the account or answers it. The account's own are told, too, and
    who shares one of them names the account by that."""
    if _id(post.get("user")) == account or isinstance(post.get("retweeted_status"), dict):
        return False
    answered = number_or_text(post.get("in_reply_to_user_id_str") or post.get("in_reply_to_user_id"))
    named = [
        *rows(inner(post, "entities", "user_mentions")),
        *rows(inner(post, "extended_tweet", "entities", "user_mentions")),  # of a long post
    ]
    return account in (answered, *map(_id, named))


def _is_message_to(account: str, event: Json) -> bool:
    message = event.get("message_create")
    sender = number_or_text(inner(message, "sender_id"))
    return event.get("type") == "message_create" and bool(sender) and sender != account


def _id(value: object) -> str:
    """``id`` is a number, which not everybody writes down exactly."""
    return number_or_text(inner(value, "id_str")) or number_or_text(inner(value, "id"))


def _mark(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
