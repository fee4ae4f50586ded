"""/control: make accounts and tokens, break things on purpose, move the clock, read the ledger.

Open by default (it is a sandbox); with ``--control-token`` every call needs it as Bearer token.
These calls are not part of the ledger.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import content, pages, seeding
from sandbox.calls import KINDS, Json, Network, Refused, kill_tokens
from sandbox.clock import from_iso, to_iso
from sandbox.faults import EFFECTS, InvalidRule
from sandbox.growth import DAY_MS
from sandbox.oauth import SCOPES, create_grant, issue_tokens
from sandbox.store import Row

MAX_CONTROL_BYTES = 64 * 1024 * 1024
PAGE_MAX = 10_000
ROUTES: list[Route] = []

Body = dict[str, Any]


def control(path: str, method: str) -> Callable[[Callable[[Network, Request, Body], Any]], Any]:
    """Register a control call: JSON in, JSON out, in one transaction."""

    def wrap(handler: Callable[[Network, Request, Body], Any]) -> Any:
        async def serve(request: Request) -> Response:
            network: Network = request.app.state.network
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            if network.control_token and not hmac.compare_digest(given, network.control_token):
                return Json({"error": {"code": "forbidden", "message": "The control token is wrong."}}, 403)
            try:
                body = await request.json() if await request.body() else {}
                if not isinstance(body, dict):
                    raise ValueError
            except ValueError:
                return Json({"error": {"code": "invalid_json", "message": "Not a JSON object."}}, 400)
            try:
                with network.store.transaction():
                    return Json(handler(network, request, body))
            except Refused as error:
                return Json(error.body(), error.status)

        ROUTES.append(Route(f"/control{path}", serve, methods=[method]))
        return handler

    return wrap


def _account(network: Network, request: Request) -> Row:
    return content.account_by_handle(network.store, request.path_params["handle"])


def _settings_json(row: Row) -> Body:
    return {"id": str(row["id"]), "handle": row["handle"], "kind": row["kind"]} | {
        name: row[name] for name in seeding.ACCOUNT_SETTINGS
    }


def _tokens(network: Network, account: Row, spec: Body) -> Body:
    scopes = str(spec.get("scopes") or " ".join(SCOPES))
    client_id = str(spec.get("client_id") or "")
    grant_id = create_grant(
        network.store,
        client_id=client_id,
        account_id=account["id"],
        scopes=scopes,
        now_ms=network.clock.now_ms(),
    )
    return issue_tokens(network, account, grant_id, scopes)


# --- accounts ---------------------------------------------------------------------------------


@control("/accounts", "POST")
def create_accounts(network: Network, _request: Request, body: Body) -> Body:
    """``accounts``: [spec]; or ``count`` and ``prefix`` for many alike. ``tokens`` (true): with tokens;
    ``client_id``, ``scopes``: of their grants. Specs as ``seeding.seed_account``."""
    specs = list(body.get("accounts", ()))
    common = {name: body[name] for name in (*seeding.ACCOUNT_SETTINGS, "followers") if name in body}
    prefix = str(body.get("prefix") or "brand")
    specs += [{"handle": f"{prefix}{number:04d}"} for number in range(1, int(body.get("count", 0)) + 1)]
    made = []
    for spec in specs:
        account, post_ids = seeding.seed_account(network, common | spec)
        shown = _settings_json(account) | {"post_ids": [str(post_id) for post_id in post_ids]}
        if body.get("tokens", True):
            shown["tokens"] = _tokens(network, account, body)
        made.append(shown)
    return {"accounts": made}


@control("/accounts", "GET")
def list_accounts(network: Network, _request: Request, _body: Body) -> Body:
    rows = network.store.all("SELECT * FROM accounts WHERE kind = 'brand' ORDER BY id")
    return {"accounts": [_settings_json(row) for row in rows]}


@control("/accounts/{handle}", "PATCH")
def change_account(network: Network, request: Request, body: Body) -> Body:
    account = _account(network, request)
    for name, value in seeding.account_settings(body).items():
        network.store.run(f"UPDATE accounts SET {name} = ? WHERE id = ?", (value, account["id"]))
    return _settings_json(_account(network, request))


@control("/accounts/{handle}/tokens", "POST")
def create_tokens(network: Network, request: Request, body: Body) -> Body:
    return _tokens(network, _account(network, request), body)


@control("/accounts/{handle}/tokens", "DELETE")
def delete_tokens(network: Network, request: Request, body: Body) -> Body:
    """``which``: access, refresh or both."""
    which = str(body.get("which") or "both")
    if which not in ("access", "refresh", "both"):
        raise Refused(422, "invalid", "which is access, refresh or both.")
    kill_tokens(network.store, _account(network, request)["id"], network.clock.now_ms(), which=which)
    return {"which": which}


@control("/accounts/{handle}/posts", "POST")
def add_posts(network: Network, request: Request, body: Body) -> Body:
    """Back-dated posts of an account, as ``posts`` of ``seeding.seed_account``."""
    account = _account(network, request)
    ids = [seeding.seed_post(network, account, post) for post in body.get("posts", ())]
    return {"post_ids": [[str(one) for one in thread] for thread in ids]}


@control("/accounts/{handle}/answers", "POST")
def add_answers(network: Network, request: Request, body: Body) -> Body:
    """Back-dated ``answers`` of an account, as of ``seeding.seed_answer``."""
    account = _account(network, request)
    ids = [seeding.seed_answer(network, account, answer) for answer in body.get("answers", ())]
    return {"ids": [str(one) for one in ids]}


@control("/accounts/{handle}/history", "GET")
def account_history(network: Network, request: Request, _body: Body) -> Body:
    """The account's counts at the end of each of the last ``days`` (28) days, UTC, and now."""
    account = _account(network, request)
    now_ms = network.clock.now_ms()
    try:
        days = max(1, min(1000, int(request.query_params.get("days", 28))))
    except ValueError:
        raise Refused(422, "invalid", "days is a number.") from None
    midnight = now_ms - now_ms % DAY_MS
    instants = [midnight - number * DAY_MS for number in reversed(range(days))] + [now_ms]
    return {
        "history": [
            {"at": to_iso(at_ms)} | content.account_counts(network.store, account, at_ms)
            for at_ms in instants
        ]
    }


@control("/posts/{id}/history", "GET")
def post_history(network: Network, request: Request, _body: Body) -> Body:
    """A post's counts at ``at`` (ISO instants separated by commas), for filling a metrics store."""
    rows = content.posts_by_ids(network.store, [content.number(request.path_params["id"], "id")])
    if not rows:
        raise Refused(404, "not_found", "There is no such post.")
    history = []
    for text in request.query_params.get("at", "").replace(" ", "+").split(","):
        try:
            at_ms = from_iso(text)
        except ValueError:
            raise Refused(422, "invalid", "at needs ISO 8601 instants.") from None
        counts = content.post_counts(network.store, rows, at_ms)[rows[0]["id"]]
        history.append({"at": to_iso(at_ms)} | counts)
    return {"history": history}


@control("/act", "POST")
def act(network: Network, _request: Request, body: Body) -> Body:
    """Customers do something: ``actions``: [{kind: like|share|comment|delete|message|post, by, post | to,
    text, at}]; ``post`` is one of their own, which may name an account."""
    ids = []
    for action in body.get("actions", ()):
        kind, name, text = str(action.get("kind")), str(action.get("by", "")), str(action.get("text", ""))
        at_ms = seeding.instant(action.get("at"), network.clock.now_ms())
        if kind == "message":
            account = content.account_by_handle(network.store, str(action.get("to", "")))
            ids.append(
                pages.send_as_customer(network, name=name, account_id=account["id"], text=text, at_ms=at_ms)
            )
        elif kind == "post":
            ids.append(pages.post_as_customer(network, name=name, text=text, at_ms=at_ms))
        elif kind in ("like", "share", "comment", "delete"):
            post_id = content.number(action.get("post"), "post")
            if not content.posts_by_ids(network.store, [post_id]):
                raise Refused(404, "not_found", f"There is no post {post_id}.")
            ids.append(pages.act(network, kind, name=name, post_id=post_id, text=text, at_ms=at_ms))
        else:
            raise Refused(422, "invalid", "kind is like, share, comment, delete, message or post.")
    return {"ids": [str(one) for one in ids]}


# --- faults and clock -------------------------------------------------------------------------


@control("/faults", "POST")
def add_fault(network: Network, _request: Request, body: Body) -> Body:
    try:
        return network.faults.add(body, endpoints=frozenset(KINDS)).as_json()
    except InvalidRule as error:
        raise Refused(422, "invalid_fault", str(error)) from error


@control("/faults", "GET")
def list_faults(network: Network, _request: Request, _body: Body) -> Body:
    return {
        "faults": [rule.as_json() for rule in network.faults.rules],
        "effects": EFFECTS,
        "endpoints": sorted(KINDS),
    }


@control("/faults", "DELETE")
def clear_faults(network: Network, _request: Request, _body: Body) -> Body:
    """Remove all rules, and forget every Retry-After that was said."""
    network.waits.clear()
    return {"removed": network.faults.clear()}


@control("/faults/{id}", "DELETE")
def remove_fault(network: Network, request: Request, _body: Body) -> Body:
    return {"removed": network.faults.clear(content.number(request.path_params["id"], "id"))}


@control("/clock", "GET")
def read_clock(network: Network, _request: Request, _body: Body) -> Body:
    return {"now": to_iso(network.clock.now_ms()), "shift_s": network.clock.shift_ms / 1000}


@control("/clock", "POST")
def set_clock(network: Network, _request: Request, body: Body) -> Body:
    """``now``: an instant; ``shift_s``: seconds ahead of the machine; ``advance_s``: further than now."""
    clock = network.clock
    try:
        if "now" in body:
            clock.move_to(from_iso(str(body["now"])))
        if "shift_s" in body:
            clock.shift_ms = int(float(body["shift_s"]) * 1000)
        if "advance_s" in body:
            clock.shift_ms += int(float(body["advance_s"]) * 1000)
    except (TypeError, ValueError):
        raise Refused(422, "invalid", "now is an instant, shift_s and advance_s are seconds.") from None
    network.store.set_setting("clock_shift_ms", str(clock.shift_ms))
    return {"now": to_iso(clock.now_ms()), "shift_s": clock.shift_ms / 1000}


@control("/reset", "POST")
def reset(network: Network, _request: Request, body: Body) -> Body:
    """Forget faults, clock, content, ledger and, unless ``keep_accounts``, accounts with their tokens.
    Registered apps stay: a client keeps its registration for good."""
    tables = ["posts", "post_media", "mentions", "media", "containers", "idempotency", "likes", "shares"]
    tables += ["messages", "ledger"]
    if not body.get("keep_accounts"):
        tables += ["tokens", "codes", "grants", "follower_history", "accounts"]
    for table in tables:
        network.store.run(f"DELETE FROM {table}")
    network.faults.clear()
    network.faults.random.seed(int(body.get("seed", 1)))
    network.waits.clear()
    network.clock.shift_ms = 0
    network.store.set_setting("clock_shift_ms", "0")
    return {"reset": True}


# --- the ledger -------------------------------------------------------------------------------


@control("/ledger", "GET")
def ledger(network: Network, request: Request, _body: Body) -> Body:
    """Rows after ``after`` (an id), oldest first, ``limit`` up to 10,000; filters account, endpoint."""
    query = "SELECT l.*, a.handle FROM ledger l LEFT JOIN accounts a ON a.id = l.account_id WHERE l.id > ?"
    asked = request.query_params
    values: list[Any] = [content.number(asked.get("after") or 0, "after")]
    if handle := asked.get("account"):
        query += " AND l.account_id = ?"
        values.append(content.account_by_handle(network.store, handle)["id"])
    if kind := asked.get("endpoint"):
        query += " AND l.endpoint = ?"
        values.append(kind)
    limit = min(PAGE_MAX, content.number(asked.get("limit") or 1000, "limit"))
    return {
        "rows": [
            {
                "id": row["id"],
                "at": to_iso(row["at"]),
                "account": row["handle"],
                "endpoint": row["endpoint"],
                "idempotency_key": row["idempotency_key"],
                "client_ref": row["client_ref"],
                "text_hash": row["text_hash"].hex() if row["text_hash"] else None,
                "post_id": None if row["post_id"] is None else str(row["post_id"]),
                "is_new": bool(row["is_new"]),
                "status": row["status"],
                "outcome": row["outcome"],
                "fault": row["fault"],
                "early_ms": row["early_ms"],
            }
            for row in network.store.run(query + " ORDER BY l.id LIMIT ?", (*values, limit))
        ]
    }


# Everything that brands wrote, whatever it is. Two answers that say the same to two people are no duplicates:
# ``place`` is what a reply answers and whom a message goes to.
_SENT = """
    FROM (
        SELECT p.id, p.account_id, CASE WHEN p.anchor_id IS NULL THEN 'post' ELSE 'reply' END AS kind, p.text,
               p.text_hash AS words, CASE WHEN p.anchor_id IS NULL THEN NULL ELSE p.reply_to END AS place,
               p.client_ref, p.deleted_at, p.visible_at
        FROM posts p
        UNION ALL
        SELECT m.id, m.sender_id, 'message', m.text, m.text, m.recipient_id, m.client_ref, NULL, m.created_at
        FROM messages m
    ) s JOIN accounts a ON a.id = s.account_id WHERE a.kind = 'brand'
"""


@control("/ledger/summary", "GET")
def ledger_summary(network: Network, request: Request, _body: Body) -> Body:
    """Counted from what was stored and received.

    ``posts``, ``replies``, ``messages``: what brands wrote, as it is to be seen now; ``by_account``: posts.
    ``duplicates``: of all three, those beyond the first with the same account, text and client reference
    (what a client calls one delivery); ``same_text``: beyond the first with the same account and text, for
    a reply below the same comment, for a message to the same person.
    ``refs_stored``: different client references that have a post, reply or message.
    ``early``: requests before their Retry-After had passed.
    """
    store = network.store
    limited, values = "", []
    if handle := request.query_params.get("account"):
        limited, values = " AND s.account_id = ?", [content.account_by_handle(store, handle)["id"]]
    groups = (
        "SELECT a.handle, s.kind, s.client_ref, count(*) AS n, min(s.text) AS text, group_concat(s.id) AS ids"
        f" {_SENT}{limited} GROUP BY s.account_id, s.kind, s.words, s.place"
    )
    doubled = store.all(f"{groups}, s.client_ref HAVING n > 1 ORDER BY n DESC", *values)
    same_text = store.all(f"{groups} HAVING n > 1", *values)
    visible = store.all(
        f"SELECT a.handle, s.kind, count(*) {_SENT}{limited} AND s.deleted_at IS NULL AND s.visible_at <= ?"
        " GROUP BY s.account_id, s.kind",
        *values,
        network.clock.now_ms(),
    )
    only = " WHERE account_id = ?" if values else ""
    early = store.all(
        "SELECT l.id, a.handle, l.endpoint, l.early_ms FROM ledger l"
        " LEFT JOIN accounts a ON a.id = l.account_id"
        f" WHERE l.early_ms > 0{' AND l.account_id = ?' if values else ''} ORDER BY l.id",
        *values,
    )
    return {
        "posts": sum(row[2] for row in visible if row[1] == "post"),
        "replies": sum(row[2] for row in visible if row[1] == "reply"),
        "messages": sum(row[2] for row in visible if row[1] == "message"),
        "by_account": {row[0]: row[2] for row in visible if row[1] == "post"},
        "duplicates": sum(row["n"] - 1 for row in doubled),
        "duplicate_groups": [
            {
                "account": row["handle"],
                "kind": row["kind"],
                "client_ref": row["client_ref"],
                "count": row["n"],
                "text": row["text"][:80],
                "post_ids": row["ids"].split(","),
            }
            for row in doubled[:50]
        ],
        "same_text": sum(row["n"] - 1 for row in same_text),
        "refs_stored": store.value(
            f"SELECT count(DISTINCT s.client_ref) {_SENT}{limited} AND s.client_ref != ''", *values
        ),
        "requests": store.value(f"SELECT count(*) FROM ledger{only}", *values),
        "by_endpoint": _tally(network, "endpoint", only, values),
        "by_outcome": _tally(network, "outcome", only, values),
        "by_status": _tally(network, "status", only, values),
        "early": len(early),
        "early_requests": [
            {
                "id": row["id"],
                "account": row["handle"],
                "endpoint": row["endpoint"],
                "early_ms": row["early_ms"],
            }
            for row in early[:50]
        ],
    }


def _tally(network: Network, column: str, only: str, values: list[Any]) -> dict[str, int]:
    rows = network.store.all(f"SELECT {column}, count(*) FROM ledger{only} GROUP BY 1 ORDER BY 1", *values)
    return {str(row[0]): row[1] for row in rows}


@control("/posts", "GET")
def all_posts(network: Network, request: Request, _body: Body) -> Body:
    """What brands have published, oldest first, after ``after`` (an id): to compare with one's own record."""
    after = content.number(request.query_params.get("after") or 0, "after")
    limit = min(PAGE_MAX, content.number(request.query_params.get("limit") or PAGE_MAX, "limit"))
    rows = network.store.all(
        "SELECT p.id, a.handle, p.text, p.client_ref, p.created_at, p.reply_to, p.deleted_at FROM posts p"
        " JOIN accounts a ON a.id = p.account_id WHERE a.kind = 'brand' AND p.id > ? ORDER BY p.id LIMIT ?",
        after,
        limit,
    )
    return {
        "posts": [
            {
                "id": str(row["id"]),
                "account": row["handle"],
                "text": row["text"],
                "client_ref": row["client_ref"],
                "created_at": to_iso(row["created_at"]),
                "reply_to": None if row["reply_to"] is None else str(row["reply_to"]),
                "is_deleted": row["deleted_at"] is not None,
            }
            for row in rows
        ]
    }
