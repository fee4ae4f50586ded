"""The network as people see it: timeline, profile, post, messages. Works without JavaScript.

A visitor is a customer: who types a name can like, comment, share and write a message. The name is
remembered in a cookie; there is nothing to log in to.
"""

from __future__ import annotations

import datetime as dt
import html
import re
import urllib.parse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox import content
from sandbox.calls import Network, Refused
from sandbox.clock import to_iso
from sandbox.i18n import TEXTS, compact, language_of
from sandbox.store import Row, marks

HERE = Path(__file__).parent
PAGE_SIZE = 20

_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_LINKS = re.compile(r"(?P<url>https?://[^\s<>\"')]+)|(?<![\w@])@(?P<handle>[a-z0-9_]{2,30})|#(?P<tag>\w+)")


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """Render a page in the visitor's language."""
    network: Network = request.app.state.network
    language = language_of(request.headers.get("accept-language", ""))
    texts = TEXTS[language]
    now_ms = network.clock.now_ms()

    def translate(key: str, **facts: Any) -> str:
        return texts[key].format(**facts) if facts else texts[key]

    def ago(instant_ms: int) -> str:
        minutes = max(0, now_ms - instant_ms) // 60_000
        if minutes < 1:
            return texts["now"]
        if minutes < 60:
            return translate("minutes", n=minutes)
        if minutes < 24 * 60:
            return translate("hours", n=minutes // 60)
        if minutes < 7 * 24 * 60:
            return translate("days", n=minutes // (24 * 60))
        return day(instant_ms)

    def day(instant_ms: int) -> str:
        date = dt.datetime.fromtimestamp(instant_ms / 1000, dt.UTC)
        if language == "ja":
            return f"{date.year}年{date.month}月{date.day}日"
        return f"{date.day} {date:%b %Y}"

    body = _templates.get_template(template).render(
        t=translate,
        language=language,
        ago=ago,
        day=day,
        iso=to_iso,
        compact=lambda count: compact(count, language),
        linked=linked,
        visitor=visitor_name(request),
        here=request.url.path,
        **values,
    )
    policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
    headers = {"Vary": "Accept-Language, Cookie", "Content-Security-Policy": policy}
    return Response(body, status, headers, media_type="text/html")


def linked(text: str) -> Markup:
    """Text with its addresses, handles and hashtags marked up; everything else escaped."""
    parts: list[str] = []
    last = 0
    for match in _LINKS.finditer(text):
        parts.append(html.escape(text[last : match.start()]))
        shown = html.escape(match.group())
        if match["url"]:
            parts.append(f'<a href="{shown}" rel="nofollow noopener">{shown}</a>')
        elif match["handle"]:
            parts.append(f'<a href="/@{match["handle"]}">{shown}</a>')
        else:
            parts.append(f'<span class="tag">{shown}</span>')
        last = match.end()
    parts.append(html.escape(text[last:]))
    return Markup("".join(parts))  # noqa: S704 - every part was escaped above


def visitor_name(request: Request) -> str:
    return urllib.parse.unquote(request.cookies.get("name", ""))[:40]


def _not_found(request: Request) -> Response:
    return page(request, "message.html", 404, message="not_found")


def _shown(network: Network, rows: Sequence[Row], now_ms: int) -> list[dict[str, Any]]:
    """Posts with what the templates need: media, counts, the author's colour, the raw time, and how
    many further parts their thread has."""
    store = network.store
    posts = content.posts_json(store, rows, "", now_ms)
    first_posts = [row["id"] for row in rows if row["reply_to"] is None]
    parts: dict[int, int] = {}
    if first_posts:
        query = (
            f"SELECT root_id, count(*) FROM posts WHERE root_id IN ({marks(len(first_posts))})"
            " AND reply_to IS NOT NULL AND anchor_id IS NULL AND deleted_at IS NULL GROUP BY root_id"
        )
        parts = dict(store.run(query, first_posts).fetchall())
    for post, row in zip(posts, rows, strict=True):
        post["parts"] = parts.get(row["id"], 0)
        post["created_ms"], post["color"], post["kind"] = row["created_at"], row["color"], row["kind"]
        post["anchor"] = row["anchor_id"]
    return posts


def _first_posts(network: Network, where: str, values: Iterable[Any], before: str, now_ms: int) -> list[Row]:
    """A page of first posts, newest first, and one more if there is a next page."""
    query = (
        f"{content.POSTS} WHERE p.reply_to IS NULL AND p.deleted_at IS NULL AND p.visible_at <= ? {where}"
        " AND (p.created_at, p.id) < (?, ?) ORDER BY p.created_at DESC, p.id DESC LIMIT ?"
    )
    moment, _, post_id = before.partition("-")
    if not (moment.isdigit() and post_id.isdigit() and len(before) < 40):
        moment, post_id = str(now_ms + 1), "0"
    return network.store.all(query, now_ms, *values, int(moment), int(post_id), PAGE_SIZE + 1)


def _cursor(rows: Sequence[Row]) -> str:
    return f"{rows[PAGE_SIZE - 1]['created_at']}-{rows[PAGE_SIZE - 1]['id']}" if len(rows) > PAGE_SIZE else ""


async def timeline(request: Request) -> Response:
    network: Network = request.app.state.network
    now_ms = network.clock.now_ms()
    before = request.query_params.get("before", "")
    rows = _first_posts(network, "", (), before, now_ms)
    accounts = network.store.all(
        "SELECT handle, name, color FROM accounts WHERE kind = 'brand' ORDER BY id DESC LIMIT 12"
    )
    return page(
        request,
        "timeline.html",
        posts=_shown(network, rows[:PAGE_SIZE], now_ms),
        older=_cursor(rows),
        is_first=not before,
        accounts=accounts,
    )


async def profile(request: Request) -> Response:
    network: Network = request.app.state.network
    now_ms = network.clock.now_ms()
    try:
        account = content.account_by_handle(network.store, request.path_params["handle"])
    except Refused:
        return _not_found(request)
    before = request.query_params.get("before", "")
    rows = _first_posts(network, "AND p.account_id = ?", (account["id"],), before, now_ms)
    return page(
        request,
        "profile.html",
        account=account,
        counts=content.account_counts(network.store, account, now_ms),
        posts=_shown(network, rows[:PAGE_SIZE], now_ms),
        older=_cursor(rows),
        is_first=not before,
    )


async def avatar(request: Request) -> Response:
    network: Network = request.app.state.network
    try:
        account = content.account_by_handle(network.store, request.path_params["handle"])
    except Refused:
        return _not_found(request)
    letter = html.escape(account["name"][:1].upper())
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" width="96" height="96">'
        f'<rect width="96" height="96" fill="{html.escape(account["color"])}"/>'
        '<text x="48" y="64" font-family="system-ui, sans-serif" font-size="46" font-weight="600" fill="#fff"'
        f' text-anchor="middle">{letter}</text></svg>'
    )
    return Response(picture, media_type="image/svg+xml", headers={"Cache-Control": "max-age=300"})


def _root_of(network: Network, request: Request) -> Row | None:
    """The post of the path, if it is there for everybody."""
    post_id = request.path_params["id"]
    if not post_id.isdigit() or len(post_id) > 18:
        return None
    rows = network.store.all(
        content.POSTS
        + "WHERE p.id = ? AND p.deleted_at IS NULL AND p.visible_at <= ? AND p.hidden_at IS NULL",
        int(post_id),
        network.clock.now_ms(),
    )
    return rows[0] if rows else None


async def post_page(request: Request) -> Response:
    return _post_page(request)


def _post_page(request: Request, *, problem: str = "", typed: str = "", typed_at: str = "") -> Response:
    network: Network = request.app.state.network
    now_ms = network.clock.now_ms()
    post = _root_of(network, request)
    if post is None or post["handle"] != request.path_params["handle"]:
        return _not_found(request)
    if post["reply_to"] is not None:
        root = network.store.one(content.POSTS + "WHERE p.id = ?", post["root_id"])
        if root is None or root["deleted_at"] is not None:
            return _not_found(request)
        if request.method == "GET":
            return RedirectResponse(f"/@{root['handle']}/{root['id']}#p{post['id']}", 302)
        post = root
    rows = network.store.all(
        content.POSTS + "WHERE p.root_id = ? AND p.reply_to IS NOT NULL AND p.deleted_at IS NULL"
        " AND p.visible_at <= ? ORDER BY p.created_at, p.id LIMIT 500",
        post["id"],
        now_ms,
    )
    shown = _shown(network, [post, *rows], now_ms)
    thread = [one for one in shown if one["anchor"] is None]
    return page(
        request,
        "post.html",
        422 if problem else 200,
        thread=thread,
        comments=_nested([one for one in shown if one["anchor"] is not None]),
        problem=problem,
        typed=typed,
        typed_at=typed_at,
    )


def _nested(comments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Comments in reading order, answers below what they answer, with ``depth`` (0 to 3)."""
    answers: dict[str, list[dict[str, Any]]] = {}
    ids = {comment["id"] for comment in comments}
    for comment in comments:
        parent = comment["reply_to"] if comment["reply_to"] in ids else ""
        answers.setdefault(parent, []).append(comment)
    ordered: list[dict[str, Any]] = []
    waiting = [(0, comment) for comment in reversed(answers.get("", []))]
    while waiting:
        depth, comment = waiting.pop()
        comment["depth"] = min(depth, 3)
        ordered.append(comment)
        waiting += [(depth + 1, answer) for answer in reversed(answers.get(comment["id"], []))]
    return ordered


async def act_on_post(request: Request) -> Response:
    """Like, share, comment, or delete one's own comment, as the customer whose name was typed."""
    network: Network = request.app.state.network
    post = _root_of(network, request)
    if post is None:
        return _not_found(request)
    form = await request.form()
    name, text = str(form.get("name", "")), str(form.get("text", ""))
    kind = request.path_params["kind"]
    try:
        with network.store.transaction():
            act(network, kind, name=name, post_id=post["id"], text=text)
    except Refused as error:
        return _post_page(request, problem=error.code, typed=text, typed_at=str(post["id"]))
    place = str(form.get("back") or "")
    if not place.startswith("/") or place.startswith(("//", "/\\")):
        place = f"/@{post['handle']}/{post['id']}"
    return _remember_name(RedirectResponse(place, 303), name)


def act(
    network: Network, kind: str, *, name: str, post_id: int, text: str = "", at_ms: int | None = None
) -> int:
    """What a customer does with a post: kind = like (again: no more), share, comment, or delete (what the
    customer wrote). Returns the id of the comment, else the post's. Raises Refused. Runs in the caller's
    transaction."""
    store = network.store
    now_ms = network.clock.now_ms() if at_ms is None else at_ms
    customer = content.person(store, name, now_ms)
    if kind == "comment":
        draft = content.read_draft(store, customer, {"text": text, "reply_to": post_id})
        comment: int = content.store_post(store, customer, draft, now_ms=now_ms)["id"]
        return comment
    if kind == "delete":
        own = "UPDATE posts SET deleted_at = ? WHERE id = ? AND account_id = ? AND deleted_at IS NULL"
        if not store.run(own, (now_ms, post_id, customer["id"])).rowcount:
            raise Refused(403, "forbidden", "This was written by somebody else.")
        return post_id
    if kind == "like":
        values = (post_id, customer["id"])
        if not store.run("DELETE FROM likes WHERE post_id = ? AND account_id = ?", values).rowcount:
            store.run("INSERT INTO likes VALUES (?, ?)", values)
        return post_id
    store.run("INSERT OR IGNORE INTO shares VALUES (?, ?)", (post_id, customer["id"]))
    return post_id


def post_as_customer(network: Network, *, name: str, text: str, at_ms: int) -> int:
    """A post of a customer's own, on nobody's page. Raises Refused. Runs in the caller's transaction."""
    customer = content.person(network.store, name, at_ms)
    draft = content.read_draft(network.store, customer, {"text": text})
    post: int = content.store_post(network.store, customer, draft, now_ms=at_ms)["id"]
    return post


def _remember_name(response: Response, name: str) -> Response:
    response.set_cookie(
        "name", urllib.parse.quote(" ".join(name.split())), max_age=365 * 86400, samesite="lax"
    )
    return response


async def message_page(request: Request) -> Response:
    """GET shows the conversation of a name with an account, POST adds to it."""
    network: Network = request.app.state.network
    try:
        account = content.account_by_handle(network.store, request.path_params["handle"])
    except Refused:
        return _not_found(request)
    name = request.query_params.get("as", "") or visitor_name(request)
    problem, text = "", ""
    if request.method == "POST":
        form = await request.form()
        name, text = str(form.get("name", "")), str(form.get("text", ""))
        try:
            with network.store.transaction():
                send_as_customer(network, name=name, account_id=account["id"], text=text)
            return _remember_name(RedirectResponse(f"/@{account['handle']}/messages", 303), name)
        except Refused as error:
            problem = error.code
    customer = network.store.one(
        "SELECT id FROM accounts WHERE kind = 'person' AND name = ?", " ".join(name.split())
    )
    rows: list[Row] = []
    if customer is not None:
        both = (customer["id"], account["id"])
        rows = network.store.all(
            "SELECT id, sender_id, text, created_at FROM messages WHERE (sender_id = ? AND recipient_id = ?)"
            " OR (recipient_id = ? AND sender_id = ?) ORDER BY id DESC LIMIT 200",
            *both,
            *both,
        )
    return page(
        request,
        "messages.html",
        422 if problem else 200,
        account=account,
        name=name,
        messages=rows[::-1],
        problem=problem,
        typed=text,
    )


def send_as_customer(
    network: Network, *, name: str, account_id: int, text: str, at_ms: int | None = None
) -> int:
    """A direct message from a customer to an account. Raises Refused. Runs in the caller's transaction."""
    text = text.strip()
    if not text:
        raise Refused(422, "text_empty", "Write something first.")
    if len(text) > content.MESSAGE_TEXT_MAX:
        raise Refused(422, "text_too_long", "The text is too long.")
    now_ms = network.clock.now_ms() if at_ms is None else at_ms
    customer = content.person(network.store, name, now_ms)
    return network.store.insert(
        "messages",
        id=network.store.new_id(),
        sender_id=customer["id"],
        recipient_id=account_id,
        text=text,
        created_at=now_ms,
    )


async def media_file(request: Request) -> Response:
    network: Network = request.app.state.network
    media_id = request.path_params["id"]
    row = None
    if media_id.isdigit() and len(media_id) <= 18:
        row = network.store.one(
            "SELECT mime, content FROM media WHERE id = ? AND ready_at <= ? AND NOT is_broken",
            int(media_id),
            network.clock.now_ms(),
        )
    if row is None:
        return _not_found(request)
    headers = {"Cache-Control": "public, max-age=86400, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(row["content"], media_type=row["mime"], headers=headers)


async def health(_request: Request) -> Response:
    return Response('{"status":"ok"}', media_type="application/json")


ROUTES = [
    Route("/", timeline),
    Route("/health", health),
    Route("/media/{id}", media_file),
    Route("/@{handle}", profile),
    Route("/@{handle}/avatar.svg", avatar),
    Route("/@{handle}/messages", message_page, methods=["GET", "POST"]),
    Route("/@{handle}/{id}", post_page),
    Route("/@{handle}/{id}/{kind:str}", act_on_post, methods=["POST"]),
    Mount("/static", StaticFiles(directory=HERE / "static")),
]
