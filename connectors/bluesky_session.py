"""Signing in at a Bluesky server, and what its tokens say."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Mapping
from typing import Any

from connectors import answers, http
from connectors.base import Tokens
from connectors.bluesky_errors import error_name, map_error
from connectors.bluesky_identity import KEY, host_of_the_person
from connectors.errors import NeedsReconnect, Rejected, RejectReason, Temporary

# Sentences for the person who connects; the interface translates them.
WRONG_PASSWORD = "Bluesky does not accept this handle and password."  # noqa: S105
NOT_AN_APP_PASSWORD = (
    "Bluesky does not accept this password. It does not look like an app password (xxxx-xxxx-xxxx-xxxx): "  # noqa: S105
    "make one in Bluesky under Settings, Privacy and security, App passwords."
)
SECOND_FACTOR = (
    "This is the main password of an account that also asks for a code by e-mail. Make an app password in "
    "Bluesky under Settings, Privacy and security, App passwords, and use that one."
)

_APP_PASSWORD = re.compile(r"[a-z0-9]{4}(?:-[a-z0-9]{4}){3}")


def create_session(server: str, *, identifier: str, password: str, guard: bool) -> dict[str, Any]:
    with host_of_the_person() if guard else contextlib.nullcontext():
        response = http.request(
            "POST",
            f"{server}/xrpc/com.atproto.server.createSession",
            platform=KEY,
            json={"identifier": identifier, "password": password},
            guard=guard,
        )
    error = error_name(response)
    if error == "AuthFactorTokenRequired":
        raise NeedsReconnect(http.excerpt(response), SECOND_FACTOR)
    if error == "AuthenticationRequired":
        is_app_password = _APP_PASSWORD.fullmatch(password) is not None
        raise NeedsReconnect(
            http.excerpt(response), WRONG_PASSWORD if is_app_password else NOT_AN_APP_PASSWORD
        )
    if response.status_code < 500 and not error:
        session = answers.said(response)
        if isinstance(session, dict) and {"did", "accessJwt", "refreshJwt"} <= session.keys():
            return session
        raise Rejected(RejectReason.HOST_UNKNOWN, f"{server} is not a Bluesky server")
    raise map_error(response, changes=False)


def tokens_of(session: Mapping[str, Any]) -> Tokens:
    access, refresh = answers.text(session.get("accessJwt")), answers.text(session.get("refreshJwt"))
    if not access or not refresh:
        raise Temporary("the server gave no tokens")
    return Tokens(
        access_token=access,
        refresh_token=refresh,
        expires_at=answers.moment(claims(access).get("exp")),
    )


def claims(token: str) -> dict[str, Any]:
    """The claims of a JWT, unverified: only its issuer can verify it. Empty if it is not one."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
