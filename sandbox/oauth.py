"""OAuth 2: app registration, authorization code with PKCE (S256), rotating refresh tokens, revocation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import urllib.parse
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import content
from sandbox.calls import (
    Answer,
    Call,
    GrantKilled,
    Network,
    OAuthRefused,
    Refused,
    endpoint,
    read_form,
    read_json,
)
from sandbox.pages import page
from sandbox.store import Row, Store, secret_hash

SCOPES = {
    "read": "Read your profile and your posts",
    "write": "Publish and delete posts for you",
    "metrics": "See your follower and post numbers",
    "inbox": "Read and answer comments and messages, hide and delete comments, like and share",
}
CODE_LIFE_MS = 10 * 60 * 1000


@endpoint("app", is_public=True, read=read_json)
def register_app(call: Call) -> Answer:
    uris = call.body.get("redirect_uris") or []
    if not isinstance(uris, list) or not uris or not all(_is_address(uri) for uri in uris):
        raise Refused(422, "invalid", "redirect_uris is a list of http or https addresses.")
    client_id, client_secret = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
    name = str(call.body.get("name") or "").strip()[:80]
    call.store.run(
        "INSERT INTO apps VALUES (?, ?, ?, ?, ?, ?)",
        (
            client_id,
            secret_hash(client_secret),
            name or "An app",
            str(call.body.get("website") or "")[:200],
            json.dumps(uris),
            call.now_ms,
        ),
    )
    return Answer(
        {"client_id": client_id, "client_secret": client_secret, "name": name, "redirect_uris": uris}, 201
    )


def _is_address(uri: Any) -> bool:
    return isinstance(uri, str) and uri.startswith(("http://", "https://")) and "#" not in uri


# --- the page where a person says yes ---------------------------------------------------------

_ASKED = ("client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method")


async def authorize(request: Request) -> Response:
    """GET shows the question, POST answers it. Wrong apps and addresses get a page, not a redirect."""
    network: Network = request.app.state.network
    source = await request.form() if request.method == "POST" else request.query_params
    asked = {name: str(source.get(name, "")) for name in (*_ASKED, "response_type")}
    app = network.store.one("SELECT * FROM apps WHERE client_id = ?", asked["client_id"])
    if app is None:
        return page(request, "message.html", 400, message="unknown_app")
    if asked["redirect_uri"] not in json.loads(app["redirect_uris"]):
        return page(request, "message.html", 400, message="wrong_redirect")
    scopes = asked["scope"].split() or ["read"]
    if asked["response_type"] != "code":
        return _back(asked, error="unsupported_response_type")
    if set(scopes) - set(SCOPES):
        return _back(asked, error="invalid_scope")
    if asked["code_challenge_method"] != "S256" or len(asked["code_challenge"]) != 43:
        return _back(asked, error="invalid_request", error_description="PKCE with S256 is required")

    problem, status = "", 200
    typed = str(source.get("handle_new", "")).strip()
    if request.method == "POST":
        if source.get("decision") != "authorize":
            return _back(asked, error="access_denied")
        try:
            code = _grant_code(
                network, asked, scopes, chosen=str(source.get("handle", "")), typed=typed, source=source
            )
            return _back(asked, code=code)
        except Refused as error:
            problem, status = error.code, error.status
    known = network.store.all(
        "SELECT handle, name, color FROM accounts WHERE kind = 'brand' ORDER BY id DESC LIMIT 12"
    )
    return page(
        request,
        "authorize.html",
        status,
        app=app,
        asked=asked,
        scopes=scopes,
        accounts=known,
        modes=content.MODES,
        problem=problem,
        typed=typed,
    )


def _grant_code(
    network: Network, asked: dict[str, str], scopes: list[str], *, chosen: str, typed: str, source: Any
) -> str:
    """An authorization code for the handle that was picked, or typed (made when it is new).

    Raises Refused.
    """
    store, now_ms = network.store, network.clock.now_ms()
    handle = content.clean_handle(typed or chosen)
    code = secrets.token_urlsafe(32)
    with store.transaction():
        account_id = store.value("SELECT id FROM accounts WHERE handle = ? AND kind = 'brand'", handle)
        if account_id is None:
            account_id = content.create_account(
                store,
                handle=handle,
                now_ms=now_ms,
                name=str(source.get("name", "")).strip()[:60] or handle,
                mode=str(source.get("mode") or content.MODES[0]),
            )
        store.insert(
            "codes",
            hash=secret_hash(code),
            client_id=asked["client_id"],
            account_id=account_id,
            scopes=" ".join(scopes),
            redirect_uri=asked["redirect_uri"],
            challenge=asked["code_challenge"],
            expires_at=now_ms + CODE_LIFE_MS,
        )
    return code


def _back(asked: dict[str, str], **answer: str) -> Response:
    if asked["state"]:
        answer["state"] = asked["state"]
    address = asked["redirect_uri"]
    joint = "&" if "?" in address else "?"
    return RedirectResponse(address + joint + urllib.parse.urlencode(answer), 302)


# --- tokens -----------------------------------------------------------------------------------


def issue_tokens(network: Network, account: Row, grant_id: int, scopes: str) -> dict[str, Any]:
    """A fresh access and refresh token of a grant, in the shape of RFC 6749 section 5.1."""
    now_ms = network.clock.now_ms()
    access_token, refresh_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    access_s = account["access_ttl_s"] or network.access_ttl_s
    refresh_s = account["refresh_ttl_s"] or network.refresh_ttl_s
    for kind, token, life_s in (("access", access_token, access_s), ("refresh", refresh_token, refresh_s)):
        network.store.insert(
            "tokens",
            hash=secret_hash(token),
            grant_id=grant_id,
            kind=kind,
            expires_at=now_ms + life_s * 1000,
        )
    return {
        "token_type": "Bearer",
        "access_token": access_token,
        "expires_in": access_s,
        "refresh_token": refresh_token,
        "refresh_expires_in": refresh_s,
        "scope": scopes,
    }


def create_grant(store: Store, *, client_id: str, account_id: int, scopes: str, now_ms: int) -> int:
    return store.insert(
        "grants", client_id=client_id, account_id=account_id, scopes=scopes, created_at=now_ms
    )


def _client(call: Call) -> Row:
    """The app that asks, by id and secret in the form. Raises OAuthRefused."""
    client_id = str(call.body.get("client_id") or "")
    client_secret = str(call.body.get("client_secret") or "")
    app = call.store.one("SELECT * FROM apps WHERE client_id = ?", client_id)
    if app is None or not hmac.compare_digest(app["secret_hash"], secret_hash(client_secret)):
        raise OAuthRefused(401, "invalid_client", "The app is not known or its secret is wrong.")
    return app


@endpoint("token", is_public=True, read=read_form)
def token(call: Call) -> Answer:
    kind = call.body.get("grant_type")
    if kind == "authorization_code":
        return _exchange(call, _client(call))
    if kind == "refresh_token":
        return _refresh(call)
    raise OAuthRefused(400, "unsupported_grant_type", "authorization_code or refresh_token.")


def _exchange(call: Call, app: Row) -> Answer:
    store = call.store
    code = store.one("SELECT * FROM codes WHERE hash = ?", secret_hash(str(call.body.get("code") or "")))
    verifier = str(call.body.get("code_verifier") or "")
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if code is None or code["client_id"] != app["client_id"] or code["expires_at"] <= call.now_ms:
        raise OAuthRefused(400, "invalid_grant", "The code is not known or too old.")
    if code["grant_id"] is not None:
        raise GrantKilled(code["grant_id"])
    if code["redirect_uri"] != call.body.get("redirect_uri"):
        raise OAuthRefused(400, "invalid_grant", "redirect_uri is not the one of the authorization.")
    if not hmac.compare_digest(challenge, code["challenge"]):
        raise OAuthRefused(400, "invalid_grant", "code_verifier does not fit.")
    account = store.the("SELECT * FROM accounts WHERE id = ?", code["account_id"])
    grant_id = create_grant(
        store,
        client_id=app["client_id"],
        account_id=account["id"],
        scopes=code["scopes"],
        now_ms=call.now_ms,
    )
    store.run("UPDATE codes SET grant_id = ? WHERE hash = ?", (grant_id, code["hash"]))
    return Answer(issue_tokens(call.network, account, grant_id, code["scopes"]))


def _refresh(call: Call) -> Answer:
    """Rotation: the old pair dies; a refresh token that comes twice ends the grant.

    Grants that /control made belong to no app: their refresh tokens need no client.
    """
    store = call.store
    row = store.one(
        "SELECT t.*, g.client_id, g.account_id, g.scopes, g.revoked_at FROM tokens t"
        " JOIN grants g ON g.id = t.grant_id WHERE t.hash = ? AND t.kind = 'refresh'",
        secret_hash(str(call.body.get("refresh_token") or "")),
    )
    if row is None or (row["client_id"] and row["client_id"] != _client(call)["client_id"]):
        raise OAuthRefused(400, "invalid_grant", "The refresh token is not known.")
    if row["used_at"] is not None:
        raise GrantKilled(row["grant_id"])
    if row["revoked_at"] is not None or row["dead_at"] is not None or row["expires_at"] <= call.now_ms:
        raise OAuthRefused(400, "invalid_grant", "The refresh token is no longer valid.")
    account = store.the("SELECT * FROM accounts WHERE id = ?", row["account_id"])
    store.run("UPDATE tokens SET used_at = ? WHERE hash = ?", (call.now_ms, row["hash"]))
    store.run(
        "UPDATE tokens SET dead_at = ? WHERE grant_id = ? AND kind = 'access' AND dead_at IS NULL",
        (call.now_ms, row["grant_id"]),
    )
    return Answer(issue_tokens(call.network, account, row["grant_id"], row["scopes"]))


@endpoint("revoke", is_public=True, read=read_form)
def revoke(call: Call) -> Answer:
    """RFC 7009: either token ends the grant; an unknown token is no error."""
    _client(call)
    call.store.run(
        "UPDATE grants SET revoked_at = ?, reason = 'revoked' WHERE revoked_at IS NULL"
        " AND id = (SELECT grant_id FROM tokens WHERE hash = ?)",
        (call.now_ms, secret_hash(str(call.body.get("token") or ""))),
    )
    return Answer({})


ROUTES = [
    Route("/api/v1/apps", register_app, methods=["POST"]),
    Route("/oauth/authorize", authorize, methods=["GET", "POST"]),
    Route("/oauth/token", token, methods=["POST"]),
    Route("/oauth/revoke", revoke, methods=["POST"]),
]
