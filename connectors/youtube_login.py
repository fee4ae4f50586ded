"""Signing in at Google (developers.google.com/identity/protocols/oauth2/web-server, read 2026-11-30): OAuth 2
with PKCE, for access without anybody present."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from connectors import http
from connectors.answers import lifetime, text
from connectors.base import AppCredentials, AuthorizeRequest, Tokens
from connectors.errors import NeedsReconnect, Rejected, RejectReason, Temporary
from connectors.youtube_calls import KEY, call, checked


def authorize(
    app: AppCredentials, *, redirect_uri: str, state: str, scopes: Sequence[str]
) -> AuthorizeRequest:
    verifier = secrets.token_urlsafe(64)
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    query = {
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": " ".join(scopes),
        "access_type": "offline",
        "prompt": "consent",  # without it Google gives a refresh token only the first time
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"),
        "code_challenge_method": "S256",
    }
    server = http.base_url(f"{KEY}.accounts", "https://accounts.google.com")
    return AuthorizeRequest(url=f"{server}/o/oauth2/v2/auth?{urlencode(query)}", code_verifier=verifier)


def exchange(
    app: AppCredentials, *, code: str, code_verifier: str, redirect_uri: str
) -> tuple[Tokens, tuple[str, ...]]:
    """The tokens and the scopes that were allowed. Raises Rejected(INVALID) for a code that is not taken."""
    form = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "code": code,
        "code_verifier": code_verifier,
        "grant_type": "authorization_code",
        "redirect_uri": redirect_uri,
    }
    return _tokens(form)


def refresh(app: AppCredentials, tokens: Tokens) -> Tokens:
    """The refresh token stays unless Google gives another. Raises NeedsReconnect when it takes it no more."""
    form = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "grant_type": "refresh_token",
        "refresh_token": tokens.refresh_token,
    }
    try:
        fresh, _ = _tokens(form)
    except Rejected as error:
        raise NeedsReconnect(error.detail) from error
    return fresh if fresh.refresh_token else dataclasses.replace(fresh, refresh_token=tokens.refresh_token)


def _token_address() -> str:
    return f"{http.base_url(f'{KEY}.token', 'https://oauth2.googleapis.com')}/token"


def _tokens(form: Mapping[str, str]) -> tuple[Tokens, tuple[str, ...]]:
    """Raises Rejected(INVALID) for a code or a refresh token that Google does not take. What it says is told
    without what it was given, which stands in the body of the request."""
    response = call("POST", _token_address(), form=form)
    hidden = [
        form[name] for name in ("client_secret", "code", "code_verifier", "refresh_token") if form.get(name)
    ]
    if response.status_code in {400, 401, 403}:
        raise Rejected(RejectReason.INVALID, http.excerpt(response, hidden=hidden))
    answer = http.json_object(checked(response, hidden=hidden))
    access = text(answer.get("access_token"))
    if not access:
        raise Temporary("Google answered without a token")
    now = dt.datetime.now(dt.UTC)
    lives, ends = lifetime(answer.get("expires_in")), lifetime(answer.get("refresh_token_expires_in"))
    tokens = Tokens(
        access_token=access,
        refresh_token=text(answer.get("refresh_token")),
        expires_at=now + lives if lives is not None else None,
        # Said where a refresh token has an end, as while the consent screen is in "Testing" (unconfirmed).
        ends_at=now + ends if ends is not None else None,
    )
    return tokens, tuple(text(answer.get("scope")).split())
