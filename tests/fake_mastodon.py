"""A stand-in for servers that speak Mastodon's client API, on loopback, in the flavours that differ.

It keeps the state that matters to a client (apps, codes, tokens, media in processing, statuses with what
answers what, notifications, private talks, favourites, what it did with idempotency keys), renders HTML as
each software does, and fails on request. One person, alice, is always signed in; the authorize page is one
form with the button "Authorize". Others write to her with ``receive``.

    with running_fake_mastodon(flavour="gotosocial") as server:
        server.url, server.statuses, server.fail_next("/api/v1/statuses", status=503)
        server.receive("@alice hello", by="bob@remote.example")
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import email.parser
import email.policy
import hashlib
import html
import json
import re
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

Json = dict[str, Any]
VAPID_KEY = "BCk-QqERU0q-CfYZjcuB6lnyyOYfJ2AifKqfeGIm7Z-HiTU5T9eTG5GxVA0_OH5mMlI4UkkDTpaZwozy0TzdZ2M="


@dataclass(frozen=True)
class Flavour:
    name: str
    version: str
    source_url: str
    keys: str  # "an hour", "five minutes, code only" or "ignored"
    has_processing: bool
    checks_pkce: bool
    has_instance_v2: bool
    invalid_status: int
    max_characters: int
    max_media: int
    characters_per_url: int
    needs_plain_read_scope: bool = False
    has_batch_read: bool = False
    has_conversations: bool = True
    lists_own_direct: bool = False  # direct messages among the account's own statuses
    answers_what_is_gone: bool = False  # as a post of its own


FLAVOURS = {
    f.name: f
    for f in (
        Flavour(
            name="mastodon",
            version="4.5.2",
            source_url="https://github.com/mastodon/mastodon",
            keys="an hour",
            has_processing=True,
            checks_pkce=True,
            has_instance_v2=True,
            invalid_status=422,
            max_characters=500,
            max_media=4,
            characters_per_url=23,
            has_batch_read=True,
            lists_own_direct=True,
        ),
        Flavour(
            name="gotosocial",
            version="0.20.1+git-4c6e9d8",
            source_url="https://codeberg.org/superseriousbusiness/gotosocial",
            keys="five minutes, code only",
            has_processing=False,
            checks_pkce=False,
            has_instance_v2=True,
            invalid_status=400,
            max_characters=5000,
            max_media=6,
            characters_per_url=25,
        ),
        Flavour(
            name="takahe",
            version="takahe/0.11.0",
            source_url="https://github.com/jointakahe/takahe",
            keys="ignored",
            has_processing=False,
            checks_pkce=False,
            has_instance_v2=False,
            invalid_status=400,
            max_characters=500,
            max_media=4,
            characters_per_url=23,
            needs_plain_read_scope=True,
            has_conversations=False,
            lists_own_direct=True,
            answers_what_is_gone=True,
        ),
    )
}


@dataclass
class Fault:
    """What happens to the next matching request. ``is_carried_out``: it happens after the work was done."""

    path: str
    method: str = ""  # "" = any
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = '{"error": "fault"}'
    is_dropped: bool = False
    is_carried_out: bool = False
    delay_s: float = 0.0


@dataclass
class Recorded:
    method: str
    path: str
    headers: Mapping[str, str]


@dataclass
class FakeMastodon:
    flavour: Flavour
    url: str = ""
    apps: dict[str, Json] = field(default_factory=dict)
    codes: dict[str, Json] = field(default_factory=dict)
    tokens: dict[str, list[str]] = field(default_factory=dict)
    media: dict[str, Json] = field(default_factory=dict)
    statuses: list[Json] = field(default_factory=list)  # of everybody
    notifications: list[Json] = field(default_factory=list)  # newest first
    favourites: set[str] = field(default_factory=set)  # ids of statuses that alice likes
    people: dict[str, str] = field(default_factory=lambda: {"alice": "1"})  # id by address
    keys: dict[str, Json] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[Recorded] = field(default_factory=list)
    polls_until_processed: int = 1
    lock: threading.RLock = field(default_factory=threading.RLock)
    last_id: int = 103_270_000_000_000_000

    def fail_next(self, path: str, **fault: Any) -> None:
        with self.lock:
            self.faults.append(Fault(path=path, **fault))

    def token(self, *scopes: str) -> str:
        """A token as if somebody had gone through OAuth."""
        token = secrets.token_urlsafe(32)
        self.tokens[token] = list(scopes) or ["read", "write"]
        return token

    def next_id(self) -> str:
        self.last_id += 1
        return str(self.last_id)

    def keys_seen(self) -> list[str]:
        return [
            r.headers["Idempotency-Key"]
            for r in self.requests
            if r.path == "/api/v1/statuses" and r.method == "POST"
        ]

    # --- entities -----------------------------------------------------------------------------

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def account(self, acct: str = "alice") -> Json:
        """Somebody as this server knows them; ``acct`` has a host for people of other servers."""
        username, _, host = acct.partition("@")
        home = f"https://{host}" if host else self.url
        account: Json = {
            "id": self.person_id(acct),
            "username": username,
            "acct": acct,
            "display_name": username.title(),
            "locked": False,
            "bot": False,
            "discoverable": True,
            "group": False,
            "created_at": "2024-01-02T00:00:00.000Z",
            "note": "<p>Hello</p>",
            "url": f"{home}/@{username}",
            "avatar": f"{self.url}/avatar.png",
            "avatar_static": f"{self.url}/avatar.png",
            "header": f"{self.url}/header.png",
            "header_static": f"{self.url}/header.png",
            "followers_count": 120,
            "following_count": 34,
            "statuses_count": len([s for s in self.statuses if s["account"]["acct"] == acct]),
            "last_status_at": None,
            "emojis": [],
            "fields": [],
        }
        if self.flavour.name == "mastodon":
            account |= {"uri": f"{home}/users/{username}", "indexable": False, "roles": []}
        return account

    def person_id(self, acct: str) -> str:
        return self.people.setdefault(acct, str(len(self.people) + 6))

    def credential_account(self) -> Json:
        source = {"privacy": "public", "sensitive": False, "language": "", "note": "Hello", "fields": []}
        if self.flavour.name == "mastodon":
            source |= {
                "attribution_domains": [],
                "discoverable": True,
                "follow_requests_count": 0,
                "hide_collections": False,
                "indexable": False,
                "quote_policy": "public",
            }
        role = {"id": "-99", "name": "", "permissions": "65536", "color": "", "highlighted": False}
        return {**self.account(), "source": source, "role": role}

    def instance(self, *, version: int) -> Json:
        configuration = {
            "accounts": {"max_featured_tags": 10, "max_pinned_statuses": 5},
            "statuses": {
                "max_characters": self.flavour.max_characters,
                "max_media_attachments": self.flavour.max_media,
                "characters_reserved_per_url": self.flavour.characters_per_url,
            },
            "media_attachments": {
                "supported_mime_types": ["image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4"],
                "description_limit": 1500,
                "image_size_limit": 10_485_760,
                "image_matrix_limit": 4_000_000,
                "video_size_limit": 41_943_040,
                "video_frame_rate_limit": 60,
                "video_matrix_limit": 4_000_000,
            },
            "polls": {
                "max_options": 4,
                "max_characters_per_option": 50,
                "min_expiration": 300,
                "max_expiration": 2_629_746,
            },
        }
        common = {
            "title": "Fake",
            "version": self.flavour.version,
            "description": "A stand-in",
            "languages": ["en"],
            "rules": [],
            "configuration": configuration,
        }
        if version == 1:
            uri = self.url if self.flavour.name == "gotosocial" else self.host
            return common | {
                "uri": uri,
                "short_description": "",
                "email": "admin@example.com",
                "urls": {"streaming_api": "wss://example.com"},
                "stats": {"user_count": 1, "status_count": 0, "domain_count": 1},
                "registrations": False,
                "approval_required": False,
                "invites_enabled": False,
                "thumbnail": None,
                "contact_account": None,
            }
        configuration |= {
            "urls": {"streaming": "wss://example.com"},
            "translation": {"enabled": False},
            "vapid": {"public_key": VAPID_KEY},
        }
        return common | {
            "domain": self.host,
            "source_url": self.flavour.source_url,
            "usage": {"users": {"active_month": 1}},
            "thumbnail": {"url": f"{self.url}/thumbnail.png"},
            "icon": [],
            "api_versions": {"mastodon": 7},
            "registrations": {"enabled": False, "approval_required": False, "message": None, "url": None},
            "contact": {"email": "admin@example.com", "account": None},
        }

    def attachment(self, medium: Json) -> Json:
        is_done = medium["polls_left"] <= 0
        address = f"{self.url}/media/{medium['id']}"
        return {
            "id": medium["id"],
            "type": "image",
            "url": address if is_done else None,
            "preview_url": f"{address}/small",
            "remote_url": None,
            "meta": {},
            "description": medium["description"],
            "blurhash": None,
        }

    def receive(
        self, text: str, *, by: str = "bob@remote.example", in_reply_to: str = "", visibility: str = "public"
    ) -> str:
        """Somebody else writes a status; alice is told if it names her. Returns its id."""
        with self.lock:
            sent = {"status": text, "in_reply_to_id": in_reply_to or None, "visibility": visibility}
            status = self.make_status(sent, acct=by)
            if any(mention["id"] == "1" for mention in status["mentions"]):
                notice_id = self.next_id()
                notice: Json = {
                    "id": notice_id,
                    "type": "mention",
                    "created_at": status["created_at"],
                    "account": self.account(by),
                    "status": status,
                }
                if self.flavour.name == "mastodon":
                    notice["group_key"] = f"ungrouped-{notice_id}"
                self.notifications.insert(0, notice)
            return str(status["id"])

    def delete(self, status_id: str) -> None:
        """Its author takes a status back; what answered it answers nothing any more."""
        with self.lock:
            self.statuses = [s for s in self.statuses if s["id"] != status_id]
            self.notifications = [n for n in self.notifications if n["status"]["id"] != status_id]
            for status in self.statuses:
                if status["in_reply_to_id"] == status_id:
                    status["in_reply_to_id"] = status["in_reply_to_account_id"] = None

    def own(self) -> list[Json]:
        """What alice wrote, oldest first."""
        return [status for status in self.statuses if status["account"]["id"] == "1"]

    def status(self, status_id: str) -> Json | None:
        return next((s for s in self.statuses if s["id"] == status_id), None)

    def context(self, status_id: str) -> Json:
        above: list[Json] = []
        current = self.status(status_id)
        while current and current["in_reply_to_id"]:
            current = self.status(current["in_reply_to_id"])
            above += [current] if current else []
        below, found = [], {status_id}
        for status in self.statuses:
            if status["in_reply_to_id"] in found:
                found.add(status["id"])
                below.append(status)
        return {"ancestors": above[::-1], "descendants": below}

    def conversations(self) -> list[Json]:
        """Private talks by the other side, the latest first."""
        talks: dict[str, Json] = {}
        for status in self.statuses:
            if status["visibility"] != "direct":
                continue
            named = [m["acct"] for m in status["mentions"] if m["id"] != "1"]
            is_own = status["account"]["id"] == "1"
            acct = named[0] if is_own and named else status["account"]["acct"]
            talks.pop(acct, None)
            talks[acct] = {
                "id": self.person_id(acct),
                "unread": not is_own,
                "accounts": [self.account(acct)],
                "last_status": status,
            }
        return list(talks.values())[::-1]

    def make_status(self, sent: Json, acct: str = "alice") -> Json:
        text = str(sent.get("status") or "")
        status_id = self.next_id()
        content, mentions, tags = self.render(text)
        answered = self.status(str(sent.get("in_reply_to_id")))
        status: Json = {
            "id": status_id,
            "uri": f"{self.account(acct)['url']}/statuses/{status_id}",
            "url": f"{self.url}/@{acct}/{status_id}",
            "created_at": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "account": self.account(acct),
            "content": content,
            "visibility": sent.get("visibility") or "public",
            "sensitive": bool(sent.get("sensitive")) or bool(sent.get("spoiler_text")),
            "spoiler_text": sent.get("spoiler_text") or "",
            "media_attachments": [self.attachment(self.media[i]) for i in sent.get("media_ids") or []],
            "mentions": mentions,
            "tags": tags,
            "emojis": [],
            "reblogs_count": 0,
            "favourites_count": 0,
            "replies_count": 0,
            "in_reply_to_id": answered["id"] if answered else None,
            "in_reply_to_account_id": answered["account"]["id"] if answered else None,
            "reblog": None,
            "poll": None,
            "card": None,
            "language": sent.get("language"),
            "edited_at": None,
        }
        if self.flavour.name == "mastodon":
            status["quotes_count"] = 0
        self.statuses.append({**status, "sent": sent})
        return status

    def render(self, text: str) -> tuple[str, list[Json], list[Json]]:
        """Text as the flavour's HTML, with the people and tags it found."""
        mentions: list[Json] = []
        tags: list[Json] = []

        def link(match: re.Match[str]) -> str:
            address, mention, tag = match["link"], match["mention"], match["tag"]
            if address:
                shown = re.sub(r"^https?://", "", address)
                if self.flavour.name == "gotosocial":
                    inner = html.escape(address)
                else:
                    scheme = address[: len(address) - len(shown)]
                    inner = (
                        f'<span class="invisible">{scheme}</span>'
                        f'<span class="ellipsis">{html.escape(shown[:30])}</span>'
                        f'<span class="invisible">{html.escape(shown[30:])}</span>'
                    )
                return f'<a href="{html.escape(address)}" rel="nofollow noopener">{inner}</a>'
            if mention:
                user, _, host = mention[1:].partition("@")
                url = f"https://{host or self.host}/@{user}"
                person = self.person_id(mention[1:])
                mentions.append({"id": person, "username": user, "url": url, "acct": mention[1:]})
                inner = f'<a href="{url}" class="u-url mention">@<span>{user}</span></a>'
                return f'<span class="h-card">{inner}</span>'
            name = tag[1:]
            tags.append({"name": name.lower(), "url": f"{self.url}/tags/{name}"})
            return (
                f'<a href="{self.url}/tags/{name}" class="mention hashtag" rel="tag">#<span>{name}</span></a>'
            )

        pattern = (
            r"(?P<link>https?://[^\s<]+)|(?P<mention>(?<!\w)@\w+(?:@[\w.-]+\w)?)|(?P<tag>(?<!\w)[#＃]\w+)"
        )
        pieces, position = [], 0
        for match in re.finditer(pattern, text):
            pieces += [html.escape(text[position : match.start()], quote=False), link(match)]
            position = match.end()
        pieces.append(html.escape(text[position:], quote=False))
        paragraphs = re.split(r"\n{2,}", "".join(pieces).strip())
        return "".join(f"<p>{p.replace(chr(10), '<br>')}</p>" for p in paragraphs), mentions, tags


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024
    server: _Server

    @property
    def fake(self) -> FakeMastodon:
        return self.server.fake

    def log_message(self, *arguments: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def answer(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.fake.lock:
            self.fake.requests.append(Recorded(self.command, parts.path, dict(self.headers)))
            fault = next(
                (
                    f
                    for f in self.fake.faults
                    if parts.path.startswith(f.path) and f.method in ("", self.command)
                ),
                None,
            )
            if fault:
                self.fake.faults.remove(fault)
        if fault and not fault.is_carried_out:
            return self.suffer(fault)
        with self.fake.lock:
            sent = self.parse(body)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            handled = self.route(parts.path, query, parse_qs(parts.query), sent)
        if fault:
            return self.suffer(fault)
        return self.respond(*handled)

    def suffer(self, fault: Fault) -> None:
        time.sleep(fault.delay_s)
        if fault.is_dropped:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return None
        return self.respond(fault.status, fault.body, dict(fault.headers))

    def respond(self, status: int, content: Any, headers: Mapping[str, str] | None = None) -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        kind = "text/html; charset=utf-8" if text.startswith("<") else "application/json; charset=utf-8"
        raw = text.encode()
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, value in {"Content-Type": kind, **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    def parse(self, body: bytes) -> Json:
        kind = self.headers.get("Content-Type") or ""
        if kind.startswith("application/json"):
            return dict(json.loads(body or b"{}"))
        if kind.startswith("multipart/form-data"):
            message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
                b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body
            )
            found: Json = {}
            for part in message.iter_parts():
                name = str(part.get_param("name", header="content-disposition"))
                payload = part.get_payload(decode=True)
                found[name] = payload if part.get_filename() else bytes(payload).decode()
                if part.get_filename():
                    found["mime_type"] = part.get_content_type()
            return found
        return {name: values[-1] for name, values in parse_qs(body.decode()).items()}

    def route(self, path: str, query: Json, many: dict[str, list[str]], sent: Json) -> tuple[Any, ...]:
        fake = self.fake
        is_public = {
            ("GET", "/.well-known/nodeinfo"): lambda: (
                200,
                {
                    "links": [
                        {
                            "rel": "http://nodeinfo.diaspora.software/ns/schema/2.0",
                            "href": f"{fake.url}/nodeinfo/2.0",
                        }
                    ]
                },
            ),
            ("GET", "/nodeinfo/2.0"): lambda: (
                200,
                {"version": "2.0", "software": {"name": fake.flavour.name, "version": fake.flavour.version}},
            ),
            ("GET", "/api/v1/instance"): lambda: (200, fake.instance(version=1)),
            ("GET", "/api/v2/instance"): lambda: (
                (200, fake.instance(version=2))
                if fake.flavour.has_instance_v2
                else (500, "<h1>Server Error</h1>")
            ),
            ("POST", "/api/v1/apps"): lambda: self.register(sent),
            ("GET", "/oauth/authorize"): lambda: self.authorize_page(query),
            ("POST", "/oauth/authorize"): lambda: self.authorize(sent),
            ("POST", "/oauth/token"): lambda: self.exchange(sent),
        }.get((self.command, path))
        if is_public:
            return is_public()
        scopes = fake.tokens.get((self.headers.get("Authorization") or "").removeprefix("Bearer "))
        if scopes is None:
            return 401, {"error": "The access token is invalid"}
        return self.route_private(path, query, many, sent, scopes)

    def route_private(
        self, path: str, query: Json, many: dict[str, list[str]], sent: Json, scopes: list[str]
    ) -> tuple[Any, ...]:
        fake = self.fake

        def allows(scope: str) -> bool:
            return scope in scopes or scope.partition(":")[0] in scopes

        def outside() -> tuple[int, Json]:
            return 403, {"error": "This action is outside the authorized scopes"}

        if path == "/api/v1/accounts/verify_credentials":
            is_allowed = "read" in scopes if fake.flavour.needs_plain_read_scope else allows("read:accounts")
            return (200, fake.credential_account()) if is_allowed else outside()
        if path in {"/api/v2/media", "/api/v1/media"} and self.command == "POST":
            return self.upload(sent) if allows("write:media") else outside()
        if path == "/api/v1/statuses" and self.command == "POST":
            return self.post(sent) if allows("write:statuses") else outside()
        if path == "/api/v1/notifications":
            return self.notices(query, many) if allows("read:notifications") else outside()
        if path.endswith(("/favourite", "/unfavourite")) and self.command == "POST":
            return self.favourite(path) if allows("write:favourites") else outside()
        return self.route_reading(path, query, many) if allows("read:statuses") else outside()

    def route_reading(self, path: str, query: Json, many: dict[str, list[str]]) -> tuple[Any, ...]:
        fake = self.fake
        if path == "/api/v1/conversations":
            return self.talks(query)
        if path.endswith("/context"):
            return self.context(path.split("/")[-2])
        if path == "/api/v1/statuses":
            if not fake.flavour.has_batch_read:
                return 404, {"error": "Not Found"}
            wanted = many.get("id[]", [])
            return 200, [self.shown(s) for s in fake.statuses if s["id"] in wanted]
        if path.startswith("/api/v1/media/"):
            return self.medium_state(path.rpartition("/")[2])
        if path == "/api/v1/accounts/1/statuses":
            listed = [s for s in fake.own() if s["visibility"] != "direct" or fake.flavour.lists_own_direct]
            before = [s for s in reversed(listed) if int(s["id"]) < int(query.get("max_id", 1 << 62))]
            return 200, [self.shown(s) for s in before[: int(query.get("limit", 20))]]
        if path.startswith("/api/v1/statuses/"):
            found = [s for s in fake.statuses if s["id"] == path.rpartition("/")[2]]
            return (200, self.shown(found[0])) if found else (404, {"error": "Record not found"})
        return 404, {"error": "Not Found"}

    def shown(self, status: Json) -> Json:
        shown = {name: value for name, value in status.items() if name != "sent"}
        return shown | {"favourited": status["id"] in self.fake.favourites}

    # --- the inbox ----------------------------------------------------------------------------

    def notices(self, query: Json, many: dict[str, list[str]]) -> tuple[int, Any]:
        types = many.get("types[]")
        if types and self.fake.flavour.name == "takahe" and set(types) - {"mention", "favourite", "follow"}:
            return 500, {"error": "Internal Server Error"}  # it knows no others
        below = int(query.get("max_id", 1 << 62))
        found = [
            n for n in self.fake.notifications if int(n["id"]) < below and n["type"] in (types or [n["type"]])
        ]
        page = found[: int(query.get("limit", 20))]
        # A status is shown as it is now, not as it was when it was told.
        now = {notice["id"]: self.fake.status(notice["status"]["id"]) or notice["status"] for notice in page}
        return 200, [notice | {"status": self.shown(now[notice["id"]])} for notice in page]

    def talks(self, query: Json) -> tuple[Any, ...]:
        """Pages go by the id of the last status, and the Link header says so."""
        if not self.fake.flavour.has_conversations:
            return 404, {"error": "Not Found"}
        below, limit = int(query.get("max_id", 1 << 62)), int(query.get("limit", 20))
        talks = [t for t in self.fake.conversations() if int(t["last_status"]["id"]) < below]
        page = [talk | {"last_status": self.shown(talk["last_status"])} for talk in talks[:limit]]
        if len(talks) <= limit:
            return 200, page
        following = f"{self.fake.url}/api/v1/conversations?max_id={page[-1]['last_status']['id']}"
        return 200, page, {"Link": f'<{following}>; rel="next"'}

    def context(self, status_id: str) -> tuple[int, Json]:
        if self.fake.status(status_id) is None:
            return 404, {"error": "Record not found"}
        around = self.fake.context(status_id)
        return 200, {name: [self.shown(s) for s in found] for name, found in around.items()}

    def favourite(self, path: str) -> tuple[int, Json]:
        *_, status_id, verb = path.split("/")
        status = self.fake.status(status_id)
        if status is None:
            return 404, {"error": "Record not found"}
        if verb == "favourite":
            self.fake.favourites.add(status_id)
        else:
            self.fake.favourites.discard(status_id)
        return 200, self.shown(status)

    # --- OAuth --------------------------------------------------------------------------------

    def register(self, sent: Json) -> tuple[int, Json]:
        if not sent.get("client_name") or not sent.get("redirect_uris"):
            return 422, {"error": "Validation failed: Application name can't be blank"}
        app: Json = {
            "id": self.fake.next_id(),
            "name": sent["client_name"],
            "website": sent.get("website"),
            "redirect_uri": sent["redirect_uris"],
            "client_id": secrets.token_urlsafe(24),
            "client_secret": secrets.token_urlsafe(24),
            "vapid_key": VAPID_KEY,
        }
        if self.fake.flavour.name == "mastodon":
            app |= {
                "scopes": str(sent.get("scopes", "read")).split(),
                "redirect_uris": [sent["redirect_uris"]],
                "client_secret_expires_at": 0,
            }
        self.fake.apps[app["client_id"]] = {**app, "granted": str(sent.get("scopes", "read")).split()}
        return 200, app

    def authorize_page(self, query: Json) -> tuple[int, str]:
        app = self.fake.apps.get(str(query.get("client_id")))
        if app is None or query.get("redirect_uri") != app["redirect_uri"]:
            return 401, "<h1>Client authentication failed</h1>"
        if not set(str(query.get("scope", "")).split()) <= set(app["granted"]):
            return 400, "<h1>The requested scope is invalid</h1>"
        inputs = "".join(
            f'<input type="hidden" name="{html.escape(n)}" value="{html.escape(v)}">'
            for n, v in query.items()
        )
        return 200, (
            f"<!doctype html><title>Authorize</title><p>{html.escape(app['name'])} wants access</p>"
            f'<form method="post" action="/oauth/authorize">{inputs}'
            '<button type="submit" name="decision" value="allow">Authorize</button>'
            '<button type="submit" name="decision" value="deny">Deny</button></form>'
        )

    def authorize(self, sent: Json) -> tuple[Any, ...]:
        answer = {"state": sent["state"]} if sent.get("state") else {}
        if sent.get("decision") == "deny":
            answer |= {
                "error": "access_denied",
                "error_description": "The resource owner denied the request.",
            }
        else:
            answer["code"] = secrets.token_urlsafe(32)
            self.fake.codes[answer["code"]] = sent
        target = sent["redirect_uri"]
        return (
            302,
            "<p>Redirecting</p>",
            {"Location": f"{target}{'&' if '?' in target else '?'}{urlencode(answer)}"},
        )

    def exchange(self, sent: Json) -> tuple[int, Json]:
        app = self.fake.apps.get(str(sent.get("client_id")))
        if app is None or app["client_secret"] != sent.get("client_secret"):
            return 401, {"error": "invalid_client", "error_description": "Client authentication failed"}
        code = self.fake.codes.pop(str(sent.get("code")), None)
        if code is None or code["client_id"] != sent["client_id"] or not self.is_proved(code, sent):
            return 400, {"error": "invalid_grant", "error_description": "The provided grant is invalid"}
        scopes = code["scope"].split()
        token = self.fake.token(*scopes)
        return 200, {
            "access_token": token,
            "token_type": "Bearer",
            "scope": " ".join(scopes),
            "created_at": int(time.time()),
        }

    def is_proved(self, code: Json, sent: Json) -> bool:
        if not self.fake.flavour.checks_pkce or not code.get("code_challenge"):
            return True
        digest = hashlib.sha256(str(sent.get("code_verifier", "")).encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == code["code_challenge"]

    # --- writing ------------------------------------------------------------------------------

    def upload(self, sent: Json) -> tuple[int, Json]:
        flavour = self.fake.flavour
        if not isinstance(sent.get("file"), bytes) or not str(sent.get("mime_type")).startswith("image/"):
            return flavour.invalid_status, {"error": "Validation failed: File content type is invalid"}
        medium: Json = {
            "id": self.fake.next_id(),
            "description": sent.get("description"),
            "size": len(sent["file"]),
            "polls_left": self.fake.polls_until_processed if flavour.has_processing else 0,
        }
        self.fake.media[medium["id"]] = medium
        return 202 if medium["polls_left"] > 0 else 200, self.fake.attachment(medium)

    def medium_state(self, medium_id: str) -> tuple[int, Json]:
        medium = self.fake.media.get(medium_id)
        if medium is None:
            return 404, {"error": "Record not found"}
        medium["polls_left"] -= 1
        return 200 if medium["polls_left"] <= 0 else 206, self.fake.attachment(medium)

    def post(self, sent: Json) -> tuple[int, Json]:
        fake, flavour = self.fake, self.fake.flavour
        key = self.headers.get("Idempotency-Key") or ""
        if key in fake.keys and flavour.keys == "an hour":
            return 200, fake.keys[key]
        if key in fake.keys and flavour.keys == "five minutes, code only":
            return 200, {"status": "request already handled"}
        refusal = self.refusal(sent)
        if refusal:
            return refusal
        status = fake.make_status(sent)
        if key:
            fake.keys[key] = status
        return 200, status

    def refusal(self, sent: Json) -> tuple[int, Json] | None:
        fake, code = self.fake, self.fake.flavour.invalid_status
        text, media = str(sent.get("status") or ""), list(sent.get("media_ids") or [])
        if fake.flavour.name == "mastodon":
            text = re.sub(r"https?://[^\s<]+", "x" * fake.flavour.characters_per_url, text)
        text = str(sent.get("spoiler_text") or "") + text
        if len(text) > fake.flavour.max_characters:
            words = {
                "mastodon": "Validation failed: Text character limit exceeded",
                "gotosocial": f"Bad Request: status too long, {len(text)} characters provided",
                "takahe": "Status is too long",
            }
            return code, {"error": words[fake.flavour.name]}
        if not text and not media:
            return code, {"error": "Validation failed: Text can't be blank"}
        if len(media) > fake.flavour.max_media:
            return code, {"error": f"Cannot attach more than {fake.flavour.max_media} files"}
        if any(m not in fake.media for m in media):
            return 404 if fake.flavour.name == "takahe" else code, {"error": "Media not found"}
        if any(fake.media[m]["polls_left"] > 0 for m in media):
            return code, {
                "error": "Cannot attach files that have not finished processing. Try again in a moment!"
            }
        answered = sent.get("in_reply_to_id")
        if answered and fake.status(answered) is None and not fake.flavour.answers_what_is_gone:
            if fake.flavour.name == "gotosocial":
                reason = f"status with id {answered} not replyable because it doesn't exist"
                return 400, {"error": f"Bad Request: {reason}"}
            return 404, {"error": "The post you are trying to reply to does not appear to exist."}
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    fake: FakeMastodon


@contextlib.contextmanager
def running_fake_mastodon(flavour: str = "mastodon", *, port: int = 0) -> Iterator[FakeMastodon]:
    """A server of that flavour on loopback until the block ends."""
    server = _Server(("127.0.0.1", port), _Handler)
    fake = server.fake = FakeMastodon(flavour=FLAVOURS[flavour], url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
