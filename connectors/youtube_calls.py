"""Calls of YouTube's API and what its refusals mean: the only place that knows its reasons

(docs/networks/youtube.md).

A refusal is ``{"error": {"code": 403, "message", "errors": [{"reason": "quotaExceeded", ...}]}}``; the
token endpoint speaks OAuth's own form, ``{"error": "invalid_grant", ...}``. Newer doors of Google's say more
in ``error.details``, or only there (google.rpc.ErrorInfo): of that what stands in ``_NEWER`` is understood,
and of which window a quota is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from requests import Response

from connectors import http
from connectors.answers import inner, rows, said, text
from connectors.base import Json
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)

KEY = "youtube"
PACIFIC = ZoneInfo("America/Los_Angeles")  # quotas end at midnight there
LIMIT_DEFAULT_S = 60.0


def base() -> str:
    return http.base_url(KEY, "https://www.googleapis.com")


def call(
    method: str, url: str, *, token: str = "", headers: Mapping[str, str] | None = None, **arguments: Any
) -> Response:
    """``url``: a path of the API, or the whole address of an upload."""
    sent = {"Accept": "application/json", **(headers or {})}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    address = base() + url if url.startswith("/") else url
    return http.request(method, address, platform=KEY, headers=sent, **arguments)


def checked(response: Response, *, hidden: Sequence[str] = ()) -> Response:
    """``hidden``: secrets that an error must not quote."""
    if not 200 <= response.status_code < 300:
        raise map_error(response, hidden=hidden)
    return response


def items_of(answer: Json) -> list[Json]:
    """The resources of a list. YouTube leaves ``items`` out where there are none, and says so otherwise."""
    items = answer.get("items", [] if "kind" in answer or "pageInfo" in answer else None)
    if not isinstance(items, list):
        raise Temporary("an answer without a list")
    return [item for item in items if isinstance(item, dict)]


def part_of(resource: Json, name: str) -> Json:
    """A part of a resource that must be an object; an empty one where it is missing."""
    part = resource.get(name)
    return part if isinstance(part, dict) else {}


def reason_of(response: Response) -> str:
    """The reason of a refusal, "" where none is given."""
    body = said(response)
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, str):
        return error
    listed = error.get("errors") if isinstance(error, dict) else None
    first = listed[0] if isinstance(listed, list) and listed else None
    newer = next((text(one.get("reason")) for one in _details(response)), "")
    return text(inner(first, "reason")) or _NEWER.get(newer, newer)


def _details(response: Response) -> list[Json]:
    """What a refusal says in the newer form (google.rpc.ErrorInfo)."""
    return [one for one in rows(inner(said(response), "error", "details")) if "reason" in one]


def _is_of_a_day(response: Response) -> bool:
    """Whether it is the quota of a day that is used up, as the newer form tells (unconfirmed)."""
    units = (text(inner(one, "metadata", "quota_unit")) for one in _details(response))
    return any(one.startswith("1/d/") for one in units)


def quota_returns_at(now: dt.datetime) -> dt.datetime:
    """Quotas of an app's project begin anew at midnight Pacific time."""
    tomorrow = now.astimezone(PACIFIC).date() + dt.timedelta(days=1)
    return dt.datetime.combine(tomorrow, dt.time(), tzinfo=PACIFIC).astimezone(dt.UTC)


# --- errors -------------------------------------------------------------------------------------

_OF_THE_PROJECT = frozenset({"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"})
_TOO_FAST = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "servingLimitExceeded"})
_NEWER = {
    "SERVICE_DISABLED": "accessNotConfigured",
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": "insufficientPermissions",
    "RATE_LIMIT_EXCEEDED": "rateLimitExceeded",
}
_LOST = frozenset(
    {
        "authError",
        "required",
        "insufficientPermissions",
        "youtubeSignupRequired",
        "authenticatedUserAccountClosed",
        "authenticatedUserAccountSuspended",
        "authenticatedUserNotChannel",
        "accountClosed",
        "accountSuspended",
    }
)
_REASONS = {
    "uploadLimitExceeded": RejectReason.QUOTA_FULL,
    "invalidTitle": RejectReason.SETTING_INVALID,
    "invalidTags": RejectReason.SETTING_INVALID,
    "invalidCategoryId": RejectReason.SETTING_INVALID,
    "invalidDescription": RejectReason.INVALID,
    "mediaBodyRequired": RejectReason.MEDIA_BROKEN,
    "commentTextTooLong": RejectReason.TEXT_TOO_LONG,
    "commentTextRequired": RejectReason.TEXT_EMPTY,
    "operationNotSupported": RejectReason.NOT_SUPPORTED,
}
IN_PLAIN_WORDS = {
    "uploadLimitExceeded": "The channel has uploaded as many videos as YouTube allows it in a day.",
    "quotaExceeded": "The developer app has used up what Google allows it until midnight, Pacific time.",
    "accessNotConfigured": "The “YouTube Data API v3” is not switched on in the developer app's project.",
    "youtubeSignupRequired": "This Google account has no YouTube channel.",
    "commentsDisabled": "Comments are switched off for this video.",
    "invalidTitle": "YouTube does not take this title; the signs < and > are not allowed.",
    "invalidDescription": "YouTube does not take this description; the signs < and > are not allowed.",
}


def map_error(response: Response, *, hidden: Sequence[str] = ()) -> ConnectorError:
    """What a refusal means, by its reason and else by its status."""
    status, reason = response.status_code, reason_of(response)
    changes = getattr(response.request, "changes", False)
    now = dt.datetime.now(dt.UTC)
    words = _words(response, reason, hidden)
    if reason in _OF_THE_PROJECT or _is_of_a_day(response):
        return RateLimited(quota_returns_at(now), words, of_app=True)
    if status == 429 or reason in _TOO_FAST:
        return RateLimited(http.retry_after(response, now=now, default_s=LIMIT_DEFAULT_S), words)
    if status == 401 or reason in _LOST:
        return NeedsReconnect(words)
    if reason in _REASONS:
        return Rejected(_REASONS[reason], words)
    if status >= 500 or reason == "backendError":
        return OutcomeUnknown(words) if changes else Temporary(words)
    if status in {404, 410} or reason.endswith("NotFound"):
        return Rejected(RejectReason.NOT_FOUND, words)
    if status in {408, 409} or 300 <= status < 400:
        return OutcomeUnknown(words) if changes else Temporary(words)
    return Rejected(RejectReason.FORBIDDEN if status == 403 else RejectReason.INVALID, words)


def in_doubt(error: ConnectorError) -> ConnectorError:
    """What the refusal of a question means for what was asked about: nothing."""
    return OutcomeUnknown(error.detail) if isinstance(error, Rejected) else error


def _words(response: Response, reason: str, hidden: Sequence[str]) -> str:
    told = http.excerpt(response, hidden=hidden)
    sent = str(response.request.headers.get("Authorization", "")) if response.request is not None else ""
    plain = IN_PLAIN_WORDS.get(reason, "")
    return " ".join(
        part for part in (plain, http.redact(reason, sent.partition(" ")[2], *hidden)[:100], told) if part
    )
