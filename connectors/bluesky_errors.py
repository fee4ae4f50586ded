"""What a Bluesky server's refusals mean: the only place that knows its codes (docs/networks/bluesky.md)."""

from __future__ import annotations

import datetime as dt
import re

import requests

from connectors import http
from connectors.answers import inner, said, text
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)


class NoAppView(Temporary):
    """The account's server has nobody to ask for counts, or cannot reach it."""


_DEAD_CREDENTIAL = frozenset(
    {
        "InvalidToken",
        "ExpiredToken",
        "AuthMissing",
        "AuthenticationRequired",
        "AccountTakedown",
        "AccountSuspended",
        "AccountDeactivated",
        "AccountNotFound",
    }
)
_REJECTIONS = {
    "BlobNotFound": RejectReason.MEDIA_BROKEN,
    "BlobTooLarge": RejectReason.MEDIA_TOO_LARGE,
    "PayloadTooLarge": RejectReason.MEDIA_TOO_LARGE,
    "InvalidMimeType": RejectReason.MEDIA_TYPE,
    "RecordNotFound": RejectReason.NOT_FOUND,
    "RepoNotFound": RejectReason.NOT_FOUND,
    "HandleNotFound": RejectReason.NOT_FOUND,
    "InvalidConvo": RejectReason.NOT_FOUND,
    "RecipientNotFound": RejectReason.NOT_FOUND,
    "MethodNotImplemented": RejectReason.NOT_SUPPORTED,
}
_CHAT_REFUSALS = frozenset(
    {
        "AccountSuspended",
        "BlockedActor",
        "BlockedSubject",
        "ConvoLocked",
        "MessagesDisabled",
        "NotFollowedBySender",
    }
)
# The PDS has one name, InvalidRequest, for every record that breaks its lexicon, and says which in words.
_WORDS = (
    (
        re.compile(r"grapheme too big.*record\.text|too (?:long|big).*record\.text"),
        RejectReason.TEXT_TOO_LONG,
    ),
    (re.compile(r"blob too big"), RejectReason.MEDIA_TOO_LARGE),
    (re.compile(r"mime ?type"), RejectReason.MEDIA_TYPE),
)


def chat_error(response: requests.Response, *, changes: bool) -> ConnectorError:
    """As ``map_error``, for the chat service: what it denies says nothing of the account itself."""
    error = map_error(response, changes=changes)
    is_closed = "Bad token method" in error.detail or error_name(response) in _CHAT_REFUSALS
    if is_closed and isinstance(error, NeedsReconnect | Rejected):
        return Rejected(RejectReason.FORBIDDEN, error.detail)
    return error


def error_name(response: requests.Response) -> str:
    """The XRPC error name of an answer; "" for a success or for what is not an XRPC answer."""
    if response.status_code < 400:
        return ""
    return text(inner(said(response), "error"))


def _free_again(response: requests.Response) -> dt.datetime:
    """When the bucket is full again: ``ratelimit-reset`` (seconds since 1970), else Retry-After, else a
    minute from now. Between one second and one day from now."""
    now = dt.datetime.now(dt.UTC)
    try:
        at = dt.datetime.fromtimestamp(float(response.headers["ratelimit-reset"]), dt.UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        at = http.retry_after(response, now=now, default_s=60)
    return min(max(at, now + dt.timedelta(seconds=1)), now + dt.timedelta(days=1))


def map_error(response: requests.Response, *, changes: bool) -> ConnectorError:
    """What an answer other than 200 means (docs/networks/bluesky.md has the table)."""
    status, name, words = response.status_code, error_name(response), http.excerpt(response)
    if status == 429:
        return RateLimited(_free_again(response), words)
    if name == "UpstreamFailure" or "No service configured" in words:
        return OutcomeUnknown(words) if changes else NoAppView(words)
    if status >= 500 and name != "MethodNotImplemented":
        return OutcomeUnknown(words) if changes else Temporary(words)
    if name in _DEAD_CREDENTIAL or (status == 401 and name):
        return NeedsReconnect(words)
    if name in _REJECTIONS:
        return Rejected(_REJECTIONS[name], words)
    if status == 413:
        return Rejected(RejectReason.MEDIA_TOO_LARGE, words)
    if not name:
        # A proxy or a firewall in front of the server spoke, not the server itself.
        return Temporary(words)
    if status == 403:
        return Rejected(RejectReason.FORBIDDEN, words)
    reason = next((reason for pattern, reason in _WORDS if pattern.search(words)), RejectReason.INVALID)
    return Rejected(reason, words)
