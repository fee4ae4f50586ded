"""One call of LinkedIn's API, and what its refusals mean: the only place that knows its codes
(docs/networks/linkedin.md)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from requests import Response

from connectors import http
from connectors.answers import inner, items, moment, quoted, rows, said, split
from connectors.base import AppCredentials, Json
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)

KEY = "linkedin"
# A version lives for a year; "version" among the app's own settings takes its place.
API_VERSION = "202607"
LIMIT_DEFAULT_S = 300.0
ORGANIZATION = "urn:li:organization:"


def api() -> str:
    return http.base_url(KEY, "https://api.linkedin.com")


def web() -> str:
    return http.base_url("linkedin.web", "https://www.linkedin.com")


def version_of(app: AppCredentials | None) -> str:
    stated = str(app.extra.get("version", "")) if app is not None else ""
    return stated if re.fullmatch(r"20\d{4}", stated) else API_VERSION


def call(
    method: str,
    path: str,
    *,
    token: str,
    version: str = API_VERSION,
    headers: Mapping[str, str] | None = None,
    **arguments: Any,
) -> Response:
    """``path`` with its query, written by hand: the brackets and commas of a list must not be encoded."""
    sent = {
        "Accept": "application/json",
        "Authorization": f"Bearer {token}",
        "LinkedIn-Version": version,
        "X-Restli-Protocol-Version": "2.0.0",
        **(headers or {}),
    }
    return http.request(method, api() + path, platform=KEY, headers=sent, **arguments)


def encoded(urn: str) -> str:
    return quoted(urn)


def list_of(urns: list[str]) -> str:
    return f"List({','.join(encoded(urn) for urn in urns)})"


def is_linkedins(address: str) -> bool:
    """Whether a host that an answer named may be given the token."""
    host = (split(address).hostname or "").lower()
    own = {split(api()).hostname, split(web()).hostname}
    return host in own or host.endswith(".linkedin.com")


# --- reading answers --------------------------------------------------------------------------


def objects(answer: Json) -> list[Json]:
    """``elements`` of a list; what is no object among them is left out."""
    return items(answer, "elements")


def instant(milliseconds: object) -> dt.datetime | None:
    return moment(milliseconds, per_second=1000) if isinstance(milliseconds, int) else None


# --- errors -----------------------------------------------------------------------------------


# It names what is there already, which may be what an earlier try of ours has made.
_EXISTS = re.compile(r"(?=.*URN:LI:).*(?:DUPLICAT|ALREADY[ _]EXIST|EXISTS ALREADY)", re.DOTALL)


def checked(response: Response, *, about: str = "", hidden: tuple[str, ...] = ()) -> Response:
    if not 200 <= response.status_code < 300:
        raise map_error(response, about=about, hidden=hidden)
    return response


def map_error(response: Response, *, about: str = "", hidden: tuple[str, ...] = ()) -> ConnectorError:
    """``{"status": 422, "code": "…", "message": "…"}``; ``hidden`` are secrets that it must not quote."""
    status, changes = response.status_code, getattr(response.request, "changes", False)
    told = http.excerpt(response, hidden=hidden)
    codes = f"{_codes(response)} {told}".upper()
    if status == 401:
        return NeedsReconnect(told)
    if status == 426:
        version = response.request.headers.get("LinkedIn-Version", "")
        return Rejected(
            RejectReason.NOT_SUPPORTED,
            f"LinkedIn no longer takes version {version} of its API; set a newer one for the app. {told}",
        )
    if status == 429:
        of_app = re.search(r"\bAPPLICATION\b[\w ]*\bLIMIT\b", codes) is not None
        return RateLimited(_retry_at(response, codes), told, of_app=of_app)
    if status >= 500 or status in {408, 409}:
        # A conflict may be with what an earlier try of ours is just making.
        return OutcomeUnknown(told) if changes else Temporary(told)
    if status == 403:
        return Rejected(RejectReason.FORBIDDEN, told)
    if status in {404, 410}:
        return Rejected(RejectReason.NOT_FOUND, told)
    if "DUPLICATE_POST" in codes or (status in {400, 422} and _EXISTS.search(codes)):
        return Rejected(RejectReason.DUPLICATE, told)
    if "WAITING_UPLOAD" in codes or re.search(r"MEDIA_ASSET_PROCESSING\b", codes):
        return Temporary(told)  # the file was not ready after all
    if status == 413:
        return Rejected(RejectReason.MEDIA_TOO_LARGE, told)
    if about == "media" or "MEDIA_ASSET" in codes:
        return Rejected(RejectReason.MEDIA_BROKEN, told)
    if "FIELD_LENGTH_TOO_LONG" in codes:
        return Rejected(RejectReason.TEXT_TOO_LONG, told)
    return Rejected(RejectReason.INVALID, told)


def _codes(response: Response) -> str:
    """The machine's words of an error, which its message need not have."""
    answer = said(response)
    found = [inner(answer, "code"), inner(answer, "serviceErrorCode")]
    found += [one.get("code") for one in rows(inner(answer, "errorDetails", "inputErrors"))]
    return " ".join(str(one) for one in found if one)


def _retry_at(response: Response, codes: str) -> dt.datetime:
    """LinkedIn's limits are of a day and begin anew at midnight UTC; others pass sooner."""
    now = dt.datetime.now(dt.UTC)
    if "Retry-After" not in response.headers and re.search(r"\bDAY\b|\bDAILY\b", codes):
        return now.replace(hour=0, minute=0, second=0, microsecond=0) + dt.timedelta(days=1)
    return http.retry_after(response, now=now, default_s=LIMIT_DEFAULT_S)
