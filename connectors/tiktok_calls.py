"""Calls of TikTok's API, and what its refusals mean: the only place that knows its codes.

Every answer is ``{"data": {...}, "error": {"code": "ok" | ..., "message", "log_id"}}``; a refusal may come
with 200. The token endpoint speaks OAuth's own form instead: ``{"error": "invalid_grant", ...}``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from requests import Response

from connectors import http
from connectors.answers import inner, object_of, said
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

KEY = "tiktok"
LIMIT_DEFAULT_S = 60.0  # limits are per minute


def call(method: str, path: str, *, token: str = "", **arguments: Any) -> Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{http.base_url(KEY, 'https://open.tiktokapis.com')}{path}"
    return http.request(method, url, platform=KEY, headers=headers, **arguments)


def code_of(response: Response) -> str:
    """The code of an answer's error; "" where it has none, or says that all is well."""
    error = inner(said(response), "error")
    code = error.get("code") if isinstance(error, dict) else error
    return str(code) if code not in (None, "ok") else ""


def data_of(response: Response) -> Json:
    """What an answer tells. Raises what its error means."""
    if not 200 <= response.status_code < 300 or code_of(response):
        raise map_error(response)
    return object_of(http.json_object(response), "data")


# --- errors -------------------------------------------------------------------------------------

IN_PLAIN_WORDS = {
    "unaudited_client_can_only_post_to_private_accounts": (
        "TikTok has not audited this developer app yet. Until then it posts only for private accounts, and "
        "only “Only me”: make the account private in TikTok, or have the app audited."
    ),
    "reached_active_user_cap": (
        "The developer app has posted for as many accounts as TikTok allows it in a day. An app that TikTok "
        "has not audited may post for 5."
    ),
    "url_ownership_unverified": (
        "TikTok fetches photos only from addresses that were verified for the developer app: add the address "
        "of this installation there under “URL properties”."
    ),
    "privacy_level_option_mismatch": (
        "The account does not allow this choice of who can see the post any more: choose again."
    ),
    "spam_risk_too_many_posts": "The account has posted as often by apps as TikTok allows in 24 hours.",
    "spam_risk_user_banned_from_posting": "TikTok has banned the account from posting.",
}
_REASONS = {
    "unaudited_client_can_only_post_to_private_accounts": RejectReason.FORBIDDEN,
    "reached_active_user_cap": RejectReason.QUOTA_FULL,
    "url_ownership_unverified": RejectReason.MEDIA_NOT_PUBLIC,
    "privacy_level_option_mismatch": RejectReason.SETTING_INVALID,
    "spam_risk_too_many_posts": RejectReason.QUOTA_FULL,
    "spam_risk_too_many_pending_share": RejectReason.QUOTA_FULL,
    "spam_risk_user_banned_from_posting": RejectReason.FORBIDDEN,
    "spam_risk_text": RejectReason.FORBIDDEN,
    "spam_risk": RejectReason.FORBIDDEN,
    "invalid_param": RejectReason.INVALID,
    "invalid_params": RejectReason.INVALID,
    "invalid_publish_id": RejectReason.NOT_FOUND,
    "token_not_authorized_for_specified_publish_id": RejectReason.NOT_FOUND,
    "file_format_check_failed": RejectReason.MEDIA_TYPE,
    "duration_check_failed": RejectReason.VIDEO_TOO_LONG,
    "frame_rate_check_failed": RejectReason.VIDEO_TOO_FAST,
    "picture_size_check_failed": RejectReason.MEDIA_SHAPE,
}
_LOST = frozenset(
    {
        "access_token_invalid",
        "access_token_has_been_revoked",
        "scope_not_authorized",
        "scope_permission_missed",
    }
)
# Reasons of a failed publication that say: try again (content-posting-api-reference-get-video-status).
_WORTH_ANOTHER_TRY = frozenset({"internal", "video_pull_failed", "photo_pull_failed", "publish_cancelled"})


def map_error(response: Response, *, hidden: Sequence[str] = ()) -> ConnectorError:
    """What a refusal of the API means, by its code and else by its status. ``hidden``: secrets that it must
    not quote."""
    status, code = response.status_code, code_of(response)
    changes = getattr(response.request, "changes", False)
    words = _words(response, code, hidden)
    if status == 429 or code == "rate_limit_exceeded":
        now = dt.datetime.now(dt.UTC)
        return RateLimited(http.retry_after(response, now=now, default_s=LIMIT_DEFAULT_S), words)
    if code in _REASONS:
        return Rejected(_REASONS[code], words)
    if status == 401 or code in _LOST:
        return NeedsReconnect(words)
    if status >= 500 or code in {"internal_error", "timeout"}:
        return OutcomeUnknown(words) if changes else Temporary(words)
    if changes and status < 300:
        return OutcomeUnknown(words)  # taken, by its status; what else it says nobody knows
    return Rejected(RejectReason.FORBIDDEN if status == 403 else RejectReason.INVALID, words)


def failure_of(reason: str) -> ConnectorError:
    """What it means that a publication came to nothing, by its ``fail_reason``. Nothing was published."""
    words = IN_PLAIN_WORDS.get(reason) or f"TikTok could not publish it: {reason[:100] or 'no reason given'}"
    if reason == "auth_removed":
        return NeedsReconnect(words)
    if reason in _WORTH_ANOTHER_TRY:
        return Temporary(words, starts_over=True)
    return Rejected(_REASONS.get(reason, RejectReason.INVALID), words)


def _words(response: Response, code: str, hidden: Sequence[str]) -> str:
    told = http.excerpt(response, hidden=hidden)
    sent = str(response.request.headers.get("Authorization", "")) if response.request is not None else ""
    plain = IN_PLAIN_WORDS.get(code, "")
    return " ".join(
        one for one in (plain, http.redact(code, sent.partition(" ")[2], *hidden)[:100], told) if one
    )
