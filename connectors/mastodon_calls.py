"""One call of a server that speaks Mastodon's API, and what its refusals mean: the only place that knows its
codes (docs/networks/mastodon.md)."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from requests import Response

from connectors import http
from connectors.errors import (
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)

KEY = "mastodon"


def call(
    method: str,
    server: str,
    path: str,
    *,
    token: str = "",
    headers: Mapping[str, str] | None = None,
    **arguments: Any,
) -> Response:
    sent = {"Accept": "application/json", **(headers or {})}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    return http.request(method, server + path, platform=KEY, headers=sent, guard=True, **arguments)


# --- errors -----------------------------------------------------------------------------------


def checked(response: Response, *, changes: bool = False, about: str = "status") -> Response:
    if not 200 <= response.status_code < 300:
        map_error(response, changes=changes, about=about)
    return response


_STATUS_WORDS = (
    (r"character limit|too long|over the (character )?limit", RejectReason.TEXT_TOO_LONG),
    (r"too many media|more than \d+ (files|media|attachments)", RejectReason.TOO_MANY_MEDIA),
    (r"duplicate", RejectReason.DUPLICATE),
    (r"blank|is empty|no status", RejectReason.TEXT_EMPTY),
    (r"repl(y|ied|yable)\b.*(\bnot|n't|\bno longer)\b.*\bexist", RejectReason.NOT_FOUND),
)
_MEDIA_WORDS = (
    (r"content.?type|file type|unsupported|not supported|mime", RejectReason.MEDIA_TYPE),
    (r"too (large|big)|less than|size|exceed|dimension|resolution", RejectReason.MEDIA_TOO_LARGE),
    (r"description.*long|too long", RejectReason.ALT_TEXT_TOO_LONG),
)


def map_error(response: Response, *, changes: bool = False, about: str = "status") -> NoReturn:
    """The one place that knows what a status code means here. ``about``: "status" or "media"."""
    code, detail = response.status_code, http.excerpt(response)
    words = detail.lower()
    if code == 401 or (code == 400 and "bearer token" in words):
        raise NeedsReconnect(detail)
    if code == 403:
        # No longer allowed in (scopes, suspension) or not allowed this one thing.
        if re.search(r"scope|suspend|disabled|login|token", words):
            raise NeedsReconnect(detail)
        raise Rejected(RejectReason.FORBIDDEN, detail)
    if code == 429 or (code == 503 and "Retry-After" in response.headers):
        raise RateLimited(_reset_at(response), detail)
    if code in {408, 425, 503}:
        # Refused at the door: maintenance, throttling, a lock that another request with this key holds.
        raise Temporary(detail)
    if code == 422 and re.search(r"finished processing|not.ready", words):
        raise Temporary(detail)  # the media were not ready after all
    if changes and (code == 409 or (code >= 500 and code != 501)):
        raise OutcomeUnknown(detail)
    if code >= 500 and code != 501:
        raise Temporary(detail)
    if 300 <= code < 400:
        raise Rejected(RejectReason.HOST_UNKNOWN, f"the server has moved: {detail}")
    raise Rejected(_reason(code, words, about), detail)


def _reason(code: int, words: str, about: str) -> RejectReason:
    fixed = {
        404: RejectReason.NOT_FOUND,
        410: RejectReason.NOT_FOUND,
        413: RejectReason.MEDIA_TOO_LARGE,
        415: RejectReason.MEDIA_TYPE,
        405: RejectReason.NOT_SUPPORTED,
        501: RejectReason.NOT_SUPPORTED,
    }
    if code in fixed:
        return fixed[code]
    for pattern, reason in _MEDIA_WORDS if about == "media" else _STATUS_WORDS:
        if re.search(pattern, words):
            return reason
    return RejectReason.MEDIA_BROKEN if about == "media" else RejectReason.INVALID


def _reset_at(response: Response) -> dt.datetime:
    """Retry-After, else X-RateLimit-Reset: ISO 8601 at Mastodon and newer GoToSocial, seconds or
    milliseconds of the epoch at older ones; else five minutes, the length of Mastodon's window."""
    now = dt.datetime.now(dt.UTC)
    reset = response.headers.get("X-RateLimit-Reset", "").strip()
    if "Retry-After" not in response.headers and reset:
        with contextlib.suppress(ValueError, OverflowError, OSError):
            if re.fullmatch(r"\d+(\.\d+)?", reset):
                seconds = float(reset)
                at = dt.datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, dt.UTC)
            else:
                at = dt.datetime.fromisoformat(reset)
                at = at if at.tzinfo else at.replace(tzinfo=dt.UTC)
            return min(max(at.astimezone(dt.UTC), now + dt.timedelta(seconds=1)), now + http.LONGEST_WAIT)
    return http.retry_after(response, now=now, default_s=300)
