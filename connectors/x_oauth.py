"""Signing in at X with OAuth 2: the way there, the code that becomes tokens, and fresh tokens for stale ones.

Documents: docs.x.com fundamentals/authentication/oauth-2-0 (authorization-code, user-access-token), read
2026-11-30.

* An app of the type "Web App, Automated App or Bot" is a confidential client: Basic with its secret, and
  PKCE besides.
* A code is good for 30 seconds and is exchanged at once; a token for two hours. With ``offline.access`` there
  is a refresh token. It is replaced each time and good for one use (not confirmed by a live call): one whose
  answer was lost on the way leaves nothing but a new sign-in.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from requests import Response

from connectors import http
from connectors.base import AppCredentials, AuthorizeRequest, Tokens
from connectors.errors import ConnectorError, NeedsReconnect, RateLimited, Temporary

KEY = "x"
LIMIT_DEFAULT_S = 900.0
LONGEST_LIFE_S = 366 * 86_400

WRONG_APP = (
    "X does not accept the client ID and secret of your developer app. Copy both again from “Keys and "
    "tokens”, “OAuth 2.0”, and check that the type of the app is “Web App, Automated App or Bot”."
)
WRONG_CODE = (
    "X did not accept the sign-in. It gives 30 seconds for it: try again. If it happens again, check the "
    "redirect address in your developer app."
)
NO_PROFILE = (
    "X let you sign in, but the developer app may not use its API. Put the app into a project and buy "
    "credits in the developer console of X."
)


def api() -> str:
    return http.base_url(KEY, "https://api.x.com")


def authorize(
    app: AppCredentials, *, redirect_uri: str, state: str, scopes: Sequence[str]
) -> AuthorizeRequest:
    verifier = secrets.token_urlsafe(64)
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(scopes),
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"),
        "code_challenge_method": "S256",
    }
    server = http.base_url(f"{KEY}.authorize", "https://x.com")
    return AuthorizeRequest(url=f"{server}/i/oauth2/authorize?{urlencode(query)}", code_verifier=verifier)


def exchange(
    app: AppCredentials, *, code: str, code_verifier: str, redirect_uri: str
) -> tuple[Tokens, tuple[str, ...]]:
    """The tokens, and the scopes that X says were given. Raises NeedsReconnect for a code or an app that X
    does not take."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": code_verifier,
    }
    return _tokens(app, form)


def renew(app: AppCredentials, tokens: Tokens) -> Tokens:
    """Raises NeedsReconnect when the refresh token is dead, too."""
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    fresh, _scopes = _tokens(app, form)
    if not fresh.refresh_token:
        fresh = dataclasses.replace(fresh, refresh_token=tokens.refresh_token)
    return fresh


def _tokens(app: AppCredentials, form: Mapping[str, str]) -> tuple[Tokens, tuple[str, ...]]:
    response = http.request(
        "POST",
        f"{api()}/2/oauth2/token",
        platform=KEY,
        headers={"Accept": "application/json"},
        auth=(app.client_id, app.client_secret),
        form=form,
    )
    hidden = (app.client_secret, *(form.get(name, "") for name in ("code", "code_verifier", "refresh_token")))
    words = http.redact(http.excerpt(response), *filter(None, hidden))
    if not 200 <= response.status_code < 300:
        raise _refusal(response, words)
    answer = http.json_object(response)
    access, refresh = answer.get("access_token"), answer.get("refresh_token")
    if not isinstance(access, str) or not access:
        raise Temporary("X answered without a token")
    lifetime = answer.get("expires_in")
    expires_at = None
    if isinstance(lifetime, int | float) and not isinstance(lifetime, bool) and 0 < lifetime < LONGEST_LIFE_S:
        expires_at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=lifetime)
    stated = answer.get("scope")
    return (
        Tokens(
            access_token=access,
            refresh_token=refresh if isinstance(refresh, str) else "",
            expires_at=expires_at,
        ),
        tuple(stated.split()) if isinstance(stated, str) else (),
    )


def _refusal(response: Response, words: str) -> ConnectorError:
    """``{"error": "invalid_request", "error_description": "Value passed for the token was invalid."}``"""
    status = response.status_code
    now = dt.datetime.now(dt.UTC)
    if status == 429:
        return RateLimited(http.retry_after(response, now=now, default_s=LIMIT_DEFAULT_S), words)
    said = _error_of(response)
    if status == 401 or said in {"unauthorized_client", "invalid_client"}:
        return NeedsReconnect(words, WRONG_APP)
    if status in {400, 403} and said:
        return NeedsReconnect(words, WRONG_CODE)
    return Temporary(words)  # a page of whatever stands before X says nothing of a token


def _error_of(response: Response) -> str:
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        return ""
    return str(answer.get("error") or "") if isinstance(answer, dict) else ""
