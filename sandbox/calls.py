"""The gate that every API request passes: who asks, what goes wrong on purpose, the ledger.

A handler is a plain function from a ``Call`` to an ``Answer``; it runs inside the transaction that
also writes its ledger row, and refuses by raising ``Refused``. Around it, ``endpoint`` reads the
body, finds the account of the access token, keeps the network's own promises (a 429 stays a 429
until its Retry-After has passed) and applies the fault rules.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import email.utils
import json
import math
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.clock import Clock
from sandbox.faults import Faults, Rule
from sandbox.store import Row, Store, secret_hash

MAX_JSON_BYTES = 256 * 1024
MAX_UPLOAD_BYTES = 64 * 1024 * 1024

KINDS: set[str] = set()  # every endpoint kind, filled by ``endpoint``


class Refused(Exception):
    """The network says no, and has changed nothing. ``facts`` go into the error object."""

    def __init__(self, status: int, code: str, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.facts = facts

    def body(self) -> dict[str, Any]:
        return {"error": {"code": self.code, "message": str(self), **self.facts}}


class OAuthRefused(Refused):
    """An error of the OAuth endpoints, in the shape of RFC 6749 section 5.2."""

    def body(self) -> dict[str, Any]:
        return {"error": self.code, "error_description": str(self)}


class TooMany(Refused):
    """429: come back in ``wait_s`` seconds."""

    def __init__(self, message: str, *, wait_s: float, form: str = "seconds") -> None:
        super().__init__(429, "rate_limited", message)
        self.wait_s = wait_s
        self.form = form


@dataclass(slots=True)
class Network:
    """What the process holds besides the file. ``waits``: until when (machine time, seconds) an
    account has been told to stay away from an endpoint."""

    store: Store
    clock: Clock
    faults: Faults
    public_url: str = ""
    control_token: str = ""
    access_ttl_s: int = 2 * 3600
    refresh_ttl_s: int = 60 * 86400
    waits: dict[tuple[int, str], float] = field(default_factory=dict)

    def base_url(self, request: Request) -> str:
        if self.public_url:
            return self.public_url
        return f"{request.scope['scheme']}://{request.headers.get('host', 'localhost')}"


@dataclass(slots=True)
class Call:
    """One request as its handler sees it. ``account`` is the token's, None on public endpoints
    without a token; ``body`` the decoded JSON or form; ``rule`` the fault that fired; ``refusal`` why
    it will not be carried out; ``early_ms`` how much of a Retry-After was left."""

    request: Request
    network: Network
    now_ms: int
    base_url: str
    key: str
    client_ref: str
    account: Row | None = None
    body: dict[str, Any] = field(default_factory=dict)
    rule: Rule | None = None
    refusal: Refused | None = None
    early_ms: int = 0

    @property
    def account_id(self) -> int | None:
        return None if self.account is None else self.account["id"]

    @property
    def effect(self) -> str:
        return "" if self.rule is None else self.rule.effect

    @property
    def store(self) -> Store:
        return self.network.store

    @property
    def owner(self) -> Row:
        """The account behind the token, on endpoints that need one."""
        if self.account is None:
            raise LookupError("a public endpoint has no owner")
        return self.account

    def rule_number(self, effect: str, name: str, default: float) -> float | None:
        """A parameter of the fired rule if it is of this effect, else None."""
        if self.rule is None or self.rule.effect != effect:
            return None
        return self.rule.number(name, default)


@dataclass(slots=True)
class Answer:
    """``post_id``, ``is_new``, ``text_hash`` go to the ledger: which post this request made or repeated."""

    payload: Any
    status: int = 200
    post_id: int | None = None
    is_new: bool = False
    text_hash: bytes | None = None
    headers: dict[str, str] | None = None


class Json(Response):
    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


class HungUp(Response):
    """Closes the connection for real: the client sees it reset, without a byte of an answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - nothing is sent
        scope["sandbox.transport"].abort()
        while (await receive())["type"] != "http.disconnect":
            pass


async def read_nothing(_request: Request) -> dict[str, Any]:
    return {}


async def read_json(request: Request) -> dict[str, Any]:
    if int(request.headers.get("content-length") or 0) > MAX_JSON_BYTES:
        raise Refused(413, "body_too_large", "The request is too large.")
    raw = await request.body()
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError:
        raise Refused(400, "invalid_json", "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise Refused(400, "invalid_json", "The body is not a JSON object.")
    return body


async def read_form(request: Request) -> dict[str, Any]:
    """Form fields; a file becomes {"name", "content"}."""
    if int(request.headers.get("content-length") or 0) > MAX_UPLOAD_BYTES:
        raise Refused(413, "media_too_large", "The upload is too large.")
    body: dict[str, Any] = {}
    try:
        form_items = (await request.form()).multi_items()
    except HTTPException:
        raise Refused(400, "invalid_form", "The form cannot be read.") from None
    for name, value in form_items:
        if isinstance(value, UploadFile):
            body[name] = {"name": value.filename or "", "content": await value.read()}
        else:
            body[name] = value
    return body


Handler = Callable[[Call], Answer]
Reader = Callable[[Request], Awaitable[dict[str, Any]]]
Inspector = Callable[[dict[str, Any]], Awaitable[None]]

_ACCOUNT_OF = """
    SELECT a.*, g.scopes AS granted, t.expires_at AS token_expires_at,
           COALESCE(t.dead_at, g.revoked_at) AS token_dead_at
    FROM tokens t JOIN grants g ON g.id = t.grant_id JOIN accounts a ON a.id = g.account_id
    WHERE t.hash = ? AND t.kind = 'access'
"""
_LEDGER = """
    INSERT INTO ledger (at, account_id, endpoint, idempotency_key, client_ref, text_hash, post_id, is_new,
                        status, outcome, fault, early_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_OUTCOMES = {
    "drop_before": "dropped_before",
    "drop_after_accept": "dropped_after",
    "hang_after_accept": "hung",
    "html": "garbled",
    "malformed_json": "garbled",
}


def token_owner(network: Network, request: Request) -> Row | None:
    """The row of the Bearer token's account with its grant, None without a token.

    Raises Refused(401): invalid_token, token_expired or token_revoked.
    """
    header = request.headers.get("authorization", "")
    if not header:
        return None
    scheme, _, token = header.partition(" ")
    row = None
    if scheme.lower() == "bearer":
        row = network.store.one(_ACCOUNT_OF, secret_hash(token.strip()))
    if row is None:
        raise Refused(401, "invalid_token", "This access token is not known.")
    if row["token_dead_at"] is not None:
        raise Refused(401, "token_revoked", "Access was withdrawn.")
    if row["token_expires_at"] <= network.clock.now_ms():
        raise Refused(401, "token_expired", "The access token has expired.")
    return row


def kill_tokens(store: Store, account_id: int, now_ms: int, *, which: str) -> None:
    """Make an account's tokens die: which = access, refresh or both (that ends the grants)."""
    if which == "both":
        store.run(
            "UPDATE grants SET revoked_at = ?, reason = 'killed' WHERE account_id = ? AND revoked_at IS NULL",
            (now_ms, account_id),
        )
        return
    store.run(
        "UPDATE tokens SET dead_at = ? WHERE kind = ? AND dead_at IS NULL"
        " AND grant_id IN (SELECT id FROM grants WHERE account_id = ?)",
        (now_ms, which, account_id),
    )


@dataclass(frozen=True, slots=True)
class _Endpoint:
    kind: str
    scope: str
    is_public: bool
    read: Reader
    inspect: Inspector | None
    handler: Handler


def endpoint(
    kind: str,
    *,
    scope: str = "",
    is_public: bool = False,
    read: Reader = read_nothing,
    inspect: Inspector | None = None,
) -> Callable[[Handler], Callable[[Request], Awaitable[Response]]]:
    """Turn a handler into a Starlette endpoint of this kind (the name that fault rules and the ledger
    use). ``scope``: what the token must have been granted; ``inspect``: slow work on the body, outside
    the transaction."""
    KINDS.add(kind)

    def wrap(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        served = _Endpoint(kind, scope, is_public, read, inspect, handler)

        async def serve(request: Request) -> Response:
            call = _admit(served, request)
            latency_s = _draw_fault(served, call)
            await _read(served, call)
            if latency_s:
                await asyncio.sleep(latency_s)
            call.now_ms = call.network.clock.now_ms()
            _refuse_by_fault(call)
            return await _respond(call, _carry_out(served, call))

        return serve

    return wrap


def _admit(served: _Endpoint, request: Request) -> Call:
    """Who asks, and may they? What they may not is noted as the call's refusal."""
    network: Network = request.app.state.network
    call = Call(
        request=request,
        network=network,
        now_ms=network.clock.now_ms(),
        base_url=network.base_url(request),
        key=request.headers.get("idempotency-key", ""),
        client_ref=request.headers.get("x-client-ref", ""),
    )
    try:
        call.account = token_owner(network, request)
        if call.account is None and not served.is_public:
            raise Refused(401, "invalid_token", "This needs an access token.")
        if call.account is not None and served.scope and served.scope not in call.account["granted"].split():
            raise Refused(403, "insufficient_scope", f"The token lacks the scope {served.scope}.")
        # A network does not forget that it asked for patience: early requests are refused again.
        if network.waits:
            left_s = network.waits.get((call.account_id or 0, served.kind), 0.0) - time.time()
            if left_s > 0:
                call.early_ms = math.ceil(left_s * 1000)
                raise TooMany("Too early: Retry-After has not passed.", wait_s=left_s)
    except Refused as refusal:
        call.refusal = refusal
    return call


def _draw_fault(served: _Endpoint, call: Call) -> float:
    """Let the fault rules choose; returns the latency in seconds."""
    if not call.network.faults.rules or call.early_ms:
        return 0.0
    handle = "" if call.account is None else call.account["handle"]
    latency_s, call.rule = call.network.faults.fire(handle, served.kind)
    return latency_s


async def _read(served: _Endpoint, call: Call) -> None:
    try:
        call.body = await served.read(call.request)
        if served.inspect is not None and call.refusal is None:
            await served.inspect(call.body)
    except Refused as refusal:
        call.refusal = call.refusal or refusal


def _refuse_by_fault(call: Call) -> None:
    """Faults that keep the request from being carried out."""
    rule = call.rule
    if rule is None:
        return
    if rule.effect == "rate_limit":
        form = str(rule.params.get("form", "seconds"))
        call.refusal = TooMany("Slow down.", wait_s=rule.number("retry_after_s", 5), form=form)
    elif rule.effect == "token_death":
        if call.account is not None:
            with call.store.transaction():
                which = str(rule.params.get("which", "access"))
                kill_tokens(call.store, call.account["id"], call.now_ms, which=which)
        call.refusal = Refused(401, "token_revoked", "Access was withdrawn.")
    elif rule.effect == "drop_before" or not rule.params.get("store", rule.effect != "server_error"):
        call.refusal = Refused(500, "internal", "Something went wrong.")


def _carry_out(served: _Endpoint, call: Call) -> Answer:
    """Run the handler and write the ledger row, in one transaction; a refusal changes nothing else."""
    store = call.store
    if call.refusal is None:
        try:
            with store.transaction():
                answer = served.handler(call)
                _record(served, call, answer)
            return answer
        except Refused as error:
            call.refusal = error
        except sqlite3.IntegrityError:
            call.refusal = Refused(409, "conflict", "Something else was faster.")
    answer = Answer(call.refusal.body(), call.refusal.status)
    if isinstance(call.refusal, TooMany):
        answer.headers = {"Retry-After": _promise(served, call, call.refusal)}
    with store.transaction():
        if isinstance(call.refusal, GrantKilled):
            call.refusal.carry_out(store, call.now_ms)
        _record(served, call, answer)
    return answer


async def _respond(call: Call, answer: Answer) -> Response:
    """The answer, or what a fault makes of it."""
    rule = call.rule
    if rule is None:
        return Json(answer.payload, answer.status, answer.headers)
    if rule.effect in ("drop_before", "drop_after_accept"):
        return HungUp()
    if rule.effect == "hang_after_accept":
        await asyncio.sleep(rule.number("hang_s", 60))
    elif rule.effect == "html":
        page = "<!doctype html><title>Bad gateway</title><h1>502 Bad gateway</h1>"
        return Response(page, int(rule.number("status", 200)), media_type="text/html")
    elif rule.effect == "malformed_json":
        whole = Json(answer.payload).body
        broken = bytes(whole[: max(1, len(whole) // 2)])
        return Response(broken, int(rule.number("status", 200)), media_type="application/json")
    elif rule.effect == "server_error":
        error = {"error": {"code": "internal", "message": "Something went wrong."}}
        return Json(error, int(rule.number("status", 500)))
    return Json(answer.payload, answer.status, answer.headers)


class GrantKilled(OAuthRefused):
    """A refresh token came a second time: somebody else may hold it, so the whole grant ends."""

    def __init__(self, grant_id: int) -> None:
        super().__init__(400, "invalid_grant", "This refresh token was used before; the grant has ended.")
        self.grant_id = grant_id

    def carry_out(self, store: Store, now_ms: int) -> None:
        store.run(
            "UPDATE grants SET revoked_at = COALESCE(revoked_at, ?), reason = 'used twice' WHERE id = ?",
            (now_ms, self.grant_id),
        )


def _promise(served: _Endpoint, call: Call, refusal: TooMany) -> str:
    """The Retry-After value, whole seconds rounded up; remembered exactly as it was said."""
    now_s = time.time()
    if refusal.form == "date":
        until_s = float(math.ceil(now_s + refusal.wait_s))
        said = email.utils.format_datetime(dt.datetime.fromtimestamp(until_s, dt.UTC), usegmt=True)
    else:
        wait_s = max(1, math.ceil(refusal.wait_s))
        until_s, said = now_s + wait_s, str(wait_s)
    waits = call.network.waits
    if len(waits) > 10_000:
        for place in [place for place, end_s in waits.items() if end_s < now_s]:
            del waits[place]
    place = (call.account_id or 0, served.kind)
    # An early request is told what is left; the promise itself does not grow.
    if not call.early_ms:
        waits[place] = max(until_s, waits.get(place, 0.0))
    return said


def _record(served: _Endpoint, call: Call, answer: Answer) -> None:
    outcome = _OUTCOMES.get(call.effect, "answered")
    call.store.run(
        _LEDGER,
        (
            call.now_ms,
            call.account_id,
            served.kind,
            call.key,
            call.client_ref,
            answer.text_hash,
            answer.post_id,
            answer.is_new,
            answer.status,
            outcome,
            call.effect,
            call.early_ms,
        ),
    )
