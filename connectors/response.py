"""What a response of a network says: its JSON, when to come back, the words of an error without secrets.

Connectors reach these through ``connectors.http``.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import email.utils
import math
import re
from collections.abc import Iterable
from decimal import Decimal
from json import loads
from typing import Any, NoReturn
from urllib.parse import parse_qsl

import requests

from connectors.errors import ConnectorError, OutcomeUnknown, Temporary
from connectors.limits import LONGEST_WAIT
from connectors.redaction import redact


def failure(detail: str, *, changes: bool) -> ConnectorError:
    """Of a call without a usable answer: if it ``changes`` something, it may have been carried out."""
    return OutcomeUnknown(detail) if changes else Temporary(detail)


class _Answer(dict[str, Any]):
    """A JSON object of a server. Asking it for what it does not have (``answer["id"]``) is no bug of ours
    but a fault of the server, and raised as one."""

    failure: type[ConnectorError] = Temporary

    def __missing__(self, key: str) -> NoReturn:
        raise self.failure(f"an answer without {key!r}")


class _AnswerToChange(_Answer):
    failure = OutcomeUnknown


def json_body(response: requests.Response, *, exact: bool = False) -> dict[str, Any] | list[Any]:
    """The JSON object or array of an answer. Anything else, and later a member that is asked for and not
    there, is a fault of the server: Temporary, or OutcomeUnknown when the request changes something.
    ``exact``: numbers with a point are Decimals (money)."""
    hook = _AnswerToChange if getattr(response.request, "changes", False) else _Answer
    numbers: dict[str, Any] = {"parse_float": Decimal} if exact else {}
    try:
        content = response.json(object_hook=hook, **numbers)
    except (ValueError, RecursionError):  # the latter: nested deeper than we read
        content = None
    if not isinstance(content, (dict, list)):
        raise hook.failure(f"HTTP {response.status_code} without usable JSON")
    return content


def json_object(response: requests.Response, *, exact: bool = False) -> dict[str, Any]:
    """As ``json_body``, and it must be an object."""
    content = json_body(response, exact=exact)
    if not isinstance(content, dict):
        changes = getattr(response.request, "changes", False)
        raise failure(f"HTTP {response.status_code} with a list in place of an object", changes=changes)
    return content


def json_objects(response: requests.Response) -> list[dict[str, Any]]:
    """As ``json_body``, and it must be an array of objects."""
    content = json_body(response)
    if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
        changes = getattr(response.request, "changes", False)
        raise failure(f"HTTP {response.status_code} without a list of objects", changes=changes)
    return content


def retry_after(response: requests.Response, *, now: dt.datetime, default_s: float) -> dt.datetime:
    """When the server takes calls again, by its Retry-After header (seconds or an HTTP date), else
    ``now`` + ``default_s``. Never before ``now`` and never more than a week away."""
    value = response.headers.get("Retry-After", "").strip()
    wait = dt.timedelta(seconds=default_s)
    try:
        seconds = float(value)
        if math.isfinite(seconds):
            wait = dt.timedelta(seconds=min(seconds, LONGEST_WAIT.total_seconds()))
    except ValueError:
        try:
            at = email.utils.parsedate_to_datetime(value)
            wait = (at if at.tzinfo else at.replace(tzinfo=dt.UTC)) - now
        except (TypeError, ValueError):
            pass
    return now + min(max(wait, dt.timedelta(0)), LONGEST_WAIT)


def excerpt(response: requests.Response, *, limit: int = 300, hidden: Iterable[str] = ()) -> str:
    """What an error answer says, for ``detail``: its JSON error text if it has one, else its text without
    tags; redacted (also of the secrets that were sent, in headers, query or body, and of ``hidden``) and cut
    at ``limit`` characters. What is cut first can no longer be recognized, so give the secrets here."""
    words = ""
    try:
        words = _error_words(response.json())
    except (ValueError, RecursionError):
        words = without_tags(response.text[:20_000])
    words = redact(" ".join(words.split()), *secrets_sent(response.request), *hidden)
    return f"HTTP {response.status_code} {words}".strip()[:limit]


_SECRET_MEMBERS = frozenset(
    {
        "access_token",
        "auth_code",
        "client_secret",
        "code",
        "code_verifier",
        "fb_exchange_token",
        "password",
        "refresh_token",
        "secret",
        "token",
    }
)


def secrets_sent(request: requests.PreparedRequest | None) -> list[str]:
    """What a request had to prove who we are: a server that refuses it may quote it."""
    if request is None:
        return []
    kind, _, given = str(request.headers.get("Authorization", "")).partition(" ")
    found = [given, str(request.headers.get("Access-Token", ""))]
    if kind.lower() == "basic":
        with contextlib.suppress(ValueError):
            found += base64.b64decode(given, validate=True).decode(errors="replace").split(":", 1)[1:]
    pairs = parse_qsl(str(request.url or "").partition("?")[2])
    body = request.body
    body = body.decode(errors="replace") if isinstance(body, bytes) and len(body) < 20_000 else body
    if isinstance(body, str) and body.startswith("{"):
        with contextlib.suppress(ValueError, RecursionError):
            pairs += [(name, value) for name, value in loads(body).items() if isinstance(value, str)]
    elif isinstance(body, str):
        pairs += parse_qsl(body)
    return [*found, *(value for name, value in pairs if name in _SECRET_MEMBERS)]


def without_tags(text: str) -> str:
    """What a page of HTML says, roughly: for a line of a log, never to be shown as HTML."""
    return re.sub(r"(?is)<(script|style)\b.*?</\1>|<[^>]*>", " ", text)


def _error_words(content: Any) -> str:
    if isinstance(content, dict):
        found = [content.get(name) for name in ("error", "error_description", "message", "detail", "title")]
        words = [_error_words(item) if isinstance(item, dict) else str(item) for item in found if item]
        return ": ".join(dict.fromkeys(words))
    return content if isinstance(content, str) else ""
