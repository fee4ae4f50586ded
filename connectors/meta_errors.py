"""What the errors of Meta's networks mean, and the limits that their headers tell.

Documents: docs/graph-api/guides/error-handling, docs/graph-api/overview/rate-limiting, and
documentation/instagram-platform/instagram-graph-api/reference/error-codes, as of July 2026.

An error is ``{"error": {"code", "error_subcode", "is_transient", "message", "fbtrace_id"}}``, mostly with
HTTP 400. The code decides, not the status; a subcode says more than its code. Not confirmed by a live call:
what the subcodes of publishing mean at each step. What is not known of a publication is in doubt.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from requests import Response

from connectors import http
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
from connectors.limits import Allowance, Answer

APP_WAIT_S = 900.0  # limits of an app move over one hour
WAIT_S = 300.0
BLOCKED_WAIT_S = 3600.0  # blocked for behaviour, or the posts of a day are used up

_RECONNECT = frozenset({102, 190, 467})
_APP_LIMITS = frozenset({4, 341})
_LIMITS = frozenset({9, 17, 32, 368, 613, *range(80_000, 80_015)})
_BLOCKED = frozenset({9, 368})
_PASSING = frozenset({-1, -2, 1, 2})
_PERHAPS = frozenset({408, 409})  # it waited for the rest of the request, or the same is being done just now
_REASONS = {
    3: RejectReason.FORBIDDEN,
    10: RejectReason.FORBIDDEN,
    21: RejectReason.NOT_FOUND,  # the page has moved to another id
    24: RejectReason.NOT_FOUND,
    25: RejectReason.FORBIDDEN,
    324: RejectReason.MEDIA_BROKEN,
    352: RejectReason.MEDIA_BROKEN,
    389: RejectReason.MEDIA_NOT_PUBLIC,
    506: RejectReason.DUPLICATE,
    551: RejectReason.FORBIDDEN,  # this person takes no messages now
    803: RejectReason.NOT_FOUND,
    9004: RejectReason.MEDIA_NOT_PUBLIC,
    36000: RejectReason.MEDIA_TOO_LARGE,
    36001: RejectReason.MEDIA_TYPE,
    36003: RejectReason.MEDIA_SHAPE,
    36004: RejectReason.TEXT_TOO_LONG,
    1366046: RejectReason.MEDIA_TOO_LARGE,
}
# A subcode means a reason, or one of the errors.
_Meaning = RejectReason | type[NeedsReconnect] | type[RateLimited] | type[Temporary]
SUBCODES: dict[int, _Meaning] = {
    33: RejectReason.NOT_FOUND,  # of 100: not there, or not to be seen with this token
    **dict.fromkeys((458, 459, 460, 463, 464, 467, 492), NeedsReconnect),
    1363030: Temporary,  # an upload that took too long
    1609005: RejectReason.INVALID,  # the link cannot be read
    1545041: RejectReason.FORBIDDEN,  # this person takes no messages now
    2018001: RejectReason.NOT_FOUND,  # no such person
    2018278: RejectReason.FORBIDDEN,  # the time to answer in is over
    2534022: RejectReason.FORBIDDEN,
    2207001: Temporary,
    2207003: Temporary,  # fetching the file took too long
    2207004: RejectReason.MEDIA_TOO_LARGE,
    2207005: RejectReason.MEDIA_TYPE,
    2207006: RejectReason.NOT_FOUND,
    2207008: RejectReason.NOT_FOUND,  # the container is not there (any more)
    2207009: RejectReason.MEDIA_SHAPE,
    2207010: RejectReason.TEXT_TOO_LONG,
    2207013: RejectReason.NOT_FOUND,  # no such professional account
    2207020: RejectReason.NOT_FOUND,  # the container has ended
    2207023: RejectReason.MEDIA_TYPE,
    2207026: RejectReason.MEDIA_BROKEN,
    2207027: Temporary,  # the container is not ready
    2207028: RejectReason.TOO_MANY_MEDIA,
    2207032: Temporary,
    2207042: RateLimited,  # the posts of a day
    2207050: RejectReason.FORBIDDEN,  # the account is restricted
    2207051: RejectReason.FORBIDDEN,  # held back as spam
    2207052: RejectReason.MEDIA_NOT_PUBLIC,
    2207053: Temporary,
    2207057: RejectReason.INVALID,
}


def error_of(response: Response) -> Json:
    """The error object of an answer, empty where there is none."""
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        return {}
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else {}


def code_of(error: Json, name: str = "code") -> int | None:
    value = error.get(name)
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,12}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def map_error(response: Response, *secrets: str) -> ConnectorError:
    """What an answer that is not a success means: the only place that knows Meta's codes."""
    error, status = error_of(response), response.status_code
    words = http.redact(http.excerpt(response), *secrets)
    if said := error.get("error_user_msg"):
        words = f"{words}: {http.redact(str(said), *secrets)}"[:600]
    code, subcode = code_of(error), code_of(error, "error_subcode")
    may_be_done = getattr(response.request, "changes", False)
    passing = OutcomeUnknown(words) if may_be_done else Temporary(words)

    meaning = SUBCODES.get(subcode or 0)
    if isinstance(meaning, RejectReason):
        return Rejected(meaning, words)
    if meaning is NeedsReconnect or code in _RECONNECT or _is_without_token(code, words):
        return NeedsReconnect(words)
    if meaning is RateLimited or code in _LIMITS or code in _APP_LIMITS or status == 429:
        return RateLimited(
            _retry_at(response, code), words, of_app=code in _APP_LIMITS or _is_of_app(response)
        )
    if meaning is Temporary:
        return passing
    if code in _REASONS:
        return Rejected(_REASONS[code], words)
    if code is not None and 200 <= code <= 299:
        return Rejected(RejectReason.FORBIDDEN, words)
    if code == 100:
        return Rejected(RejectReason.INVALID, words)
    if 400 <= status < 500 and _is_used_up(response):
        return RateLimited(_retry_at(response, code), words, of_app=_is_of_app(response))
    if code in _PASSING or error.get("is_transient") is True or status >= 500 or status in _PERHAPS:
        return passing
    return _by_status(status, words)


def _by_status(status: int, words: str) -> ConnectorError:
    if status == 401:
        return NeedsReconnect(words)
    reasons = {403: RejectReason.FORBIDDEN, 404: RejectReason.NOT_FOUND, 413: RejectReason.MEDIA_TOO_LARGE}
    return Rejected(reasons.get(status, RejectReason.INVALID), words)


def _is_without_token(code: int | None, words: str) -> bool:
    return code == 2500 and "access token" in words.lower()


# --- limits -----------------------------------------------------------------------------------

_OF_APP = "X-App-Usage"
_USAGES = (_OF_APP, "X-Page-Usage", "X-Ad-Account-Usage")
_BUSINESS = "X-Business-Use-Case-Usage"
_SHARES = ("call_count", "total_cputime", "total_time")


def _usage(response: Response | Answer, name: str) -> Json:
    try:
        usage = json.loads(response.headers.get(name, ""))
    except (ValueError, RecursionError):
        return {}
    return usage if isinstance(usage, dict) else {}


def _is_full(usage: Mapping[str, Any]) -> bool:
    """Whether any share (in per cent) of an allowance is used up."""
    shares = (usage.get(name) for name in (*_SHARES, "acc_id_util_pct"))
    return any(isinstance(share, int | float) and share >= 100 for share in shares)


def _business_uses(response: Response | Answer) -> Iterator[Json]:
    for uses in _usage(response, _BUSINESS).values():
        yield from (use for use in (uses if isinstance(uses, list) else ()) if isinstance(use, dict))


def _minutes(use: Json) -> float:
    value = use.get("estimated_time_to_regain_access")
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e9:
        return 0.0
    return float(value)


def _is_of_app(response: Response) -> bool:
    return _is_full(_usage(response, _OF_APP))


def _is_used_up(response: Response) -> bool:
    return any(_is_full(_usage(response, name)) for name in _USAGES) or any(
        _is_full(use) or _minutes(use) for use in _business_uses(response)
    )


def _retry_at(response: Response, code: int | None) -> dt.datetime:
    """When all that is used up is free again, as far as Meta says."""
    now = dt.datetime.now(dt.UTC)
    if minutes := max((_minutes(use) for use in _business_uses(response)), default=0.0):
        return now + min(dt.timedelta(minutes=min(minutes, 1e6)), http.LONGEST_WAIT)
    default_s = WAIT_S
    if code in _BLOCKED:
        default_s = BLOCKED_WAIT_S
    elif code in _APP_LIMITS or _is_of_app(response):
        default_s = APP_WAIT_S
    return http.retry_after(response, now=now, default_s=default_s)


# Shares are of the last hour, move on with it, and lag behind what has just been called.
LOOK_AGAIN = dt.timedelta(minutes=5)
FULL_FROM = 0.95


def allowances(answer: Answer, *, now: dt.datetime) -> tuple[Allowance, ...]:
    """What the headers of any answer say (docs/graph-api/overview/rate-limiting): shares in per cent, of the
    app, of the page, and of the business behind it with the minutes until it is free again."""
    found = [(_usage(answer, name), 0.0, name == _OF_APP) for name in (_OF_APP, "X-Page-Usage")]
    found += [
        (use, _minutes(use), False)
        for use in _business_uses(answer)
        if not str(use.get("type", "")).startswith(("ads_", "custom_audience"))
    ]
    told = []
    for usage, minutes, of_app in found:
        shares = [
            float(usage[name])
            for name in _SHARES
            if isinstance(usage.get(name), int | float) and not isinstance(usage[name], bool)
        ]
        used = 1.0 if minutes else max(shares, default=0.0) / 100
        wait = dt.timedelta(minutes=min(minutes, 1e6)) if minutes else LOOK_AGAIN
        if used > 0:
            free_at = now + min(wait, http.LONGEST_WAIT)
            told.append(Allowance(used, free_at, full_from=FULL_FROM, of_app=of_app))
    return tuple(told)
