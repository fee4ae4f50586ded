"""Mastodon and servers that speak its client API: GoToSocial, takahe, Hollo, Pleroma, Akkoma, Pixelfed.

Documents: docs.joinmastodon.org (methods/apps, oauth, statuses, media, instance; api/rate-limits) and
its OpenAPI description, version 4.7; the sources of GoToSocial and takahe where they differ. Checked
2026-11-22.

How the servers differ, and what we do about it:

* ``Idempotency-Key``: Mastodon (and its forks) and Hollo keep it for an hour and answer a repetition with
  the first status, so they are IDEMPOTENT, for 55 minutes after the intent was made. takahe ignores it;
  GoToSocial ignores it or, in newer versions, keeps it for five minutes and answers a repetition with the
  first answer's code and no status. Everything but the first group is therefore NEITHER.
* length: Mastodon counts graphemes, a link as 23 and of a remote mention only ``@user``. The others count
  code points as written, whatever ``characters_reserved_per_url`` says.
* scopes: takahe wants ``read`` itself for verify_credentials, so there we ask for ``read write``.
* PKCE: always sent; servers that do not know it (before 4.3, takahe) ignore it.
* media: Mastodon may answer 202 and work on; GoToSocial and takahe answer 200 when they are done.
* errors: validation is 422 at Mastodon, 400 at GoToSocial and takahe; older takahe says 400 for a bad token.
* /api/v2/instance is missing or broken on some: /api/v1/instance has the same limits.

Not supported: video, polls, content warnings, quotes, scheduling at the server (the outbox schedules).
``seen_live`` is False: tested against the documents and a stand-in server, not against a public server.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NoReturn
from urllib.parse import quote, urlencode, urlsplit

from requests import Response

from connectors import http
from connectors.base import (
    AccountMetrics,
    AppCredentials,
    AuthorizeRequest,
    Capability,
    Connected,
    ConnectField,
    ConnectMethod,
    Connector,
    ImageLimit,
    Json,
    PlatformInfo,
    PostMetrics,
    PostPayload,
    Profile,
    Rate,
    RemotePost,
    RetrySafety,
    Step,
    StepKind,
    StepResult,
    StepState,
    TextLimit,
    TextUnit,
    Tokens,
    standard_plan,
)
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.status_html import plain_text

INFO = PlatformInfo(
    key="mastodon",
    name="Mastodon",
    capabilities=frozenset(
        {
            Capability.POST_TEXT,
            Capability.POST_IMAGES,
            Capability.POST_THREAD,
            Capability.ALT_TEXT,
            Capability.ACCOUNT_METRICS,
            Capability.POST_METRICS,
        }
    ),
    connect_method=ConnectMethod.OAUTH,
    connect_fields=(
        ConnectField(
            name="host",
            label="Server",
            kind="host",
            placeholder="mastodon.social",
            help_text="The server your account lives on. Mastodon, GoToSocial, takahe and others work.",
        ),
    ),
    scopes=("read:accounts", "read:statuses", "write:statuses", "write:media"),
    # Defaults of a Mastodon server (entities/Instance); ``info_for`` has those of the account's own.
    text=TextLimit(max_units=500, unit=TextUnit.GRAPHEMES, url_units=23, mention_user_only=True),
    images=ImageLimit(
        max_count=4,
        max_bytes=16 * 1024 * 1024,
        mime_types=("image/jpeg", "image/png", "image/gif", "image/webp"),
        alt_text_max=1500,
        max_pixels=33_177_600,
    ),
    thread_max=25,
    # api/rate-limits; the limit on statuses is from Mastodon's source, not its documents.
    rates=(Rate("calls", 300, 300), Rate("media", 30, 1800), Rate("posts", 300, 10_800)),
    # Until it is known which software answers.
    retry_safety=RetrySafety.NEITHER,
    consistency_window_s=60,
    color="#6364ff",
    icon="brand-mastodon",
    account_metrics=("followers", "following", "posts"),
    post_metrics=("likes", "comments", "shares", "quotes"),
    seen_live=False,
)

KEEPS_IDEMPOTENCY_KEYS = frozenset({"mastodon", "hometown", "glitch", "hollo"})
COUNTS_LIKE_MASTODON = frozenset({"mastodon", "hometown", "glitch"})
# Servers where a person may have set another default than plain text for what they write.
TAKES_CONTENT_TYPE = frozenset({"gotosocial", "pleroma", "akkoma", "glitch"})
# The key lives an hour from the first acceptance; five minutes are for clocks and slow requests.
KEY_LIFETIME = dt.timedelta(minutes=55)
UPLOAD_TIMEOUT_S = 120.0
MAX_PAGES = 5
STATUSES_PER_CALL = 20


class MastodonConnector(Connector):
    INFO: ClassVar[PlatformInfo] = INFO

    @classmethod
    def info_for(cls, options: Mapping[str, Any]) -> PlatformInfo:
        software = options.get("software", "")
        limits = _Limits(options)
        counts_like_mastodon = not software or software in COUNTS_LIKE_MASTODON
        return dataclasses.replace(
            INFO,
            text=dataclasses.replace(
                INFO.text,
                max_units=limits.positive("max_characters", INFO.text.max_units),
                unit=TextUnit.GRAPHEMES if counts_like_mastodon else TextUnit.CODEPOINTS,
                url_units=limits.positive("characters_reserved_per_url", INFO.text.url_units)
                if counts_like_mastodon
                else 0,
                mention_user_only=counts_like_mastodon,
            ),
            images=ImageLimit(
                max_count=limits.positive("max_media_attachments", INFO.images.max_count),
                max_bytes=limits.positive("image_size_limit", INFO.images.max_bytes),
                mime_types=limits.image_types(),
                alt_text_max=limits.positive("description_limit", INFO.images.alt_text_max),
                max_pixels=limits.positive("image_matrix_limit", INFO.images.max_pixels),
            ),
            retry_safety=RetrySafety.IDEMPOTENT
            if software in KEEPS_IDEMPOTENCY_KEYS
            else RetrySafety.NEITHER,
        )

    # Connecting.

    @classmethod
    def register_app(cls, *, host: str, redirect_uri: str, app_name: str, website: str) -> AppCredentials:
        """``host`` as the person typed it. Raises Rejected(INVALID | HOST_UNKNOWN | HOST_REFUSED)."""
        server, instance = _find_server(http.server_url(host))
        software = _software(server, instance)
        scopes = ("read", "write") if software == "takahe" else INFO.scopes
        form = {"client_name": app_name, "redirect_uris": redirect_uri, "scopes": " ".join(scopes)}
        if website:
            form["website"] = website
        response = _call("POST", server, "/api/v1/apps", form=form)
        app = http.json_object(_checked(response))
        if not app.get("client_id") or not app.get("client_secret"):
            raise Temporary("the server registered us without credentials")
        return AppCredentials(
            client_id=str(app["client_id"]),
            client_secret=str(app["client_secret"]),
            host=server,
            extra={"software": software, "scopes": list(scopes)},
        )

    @classmethod
    def authorize_url(cls, *, app: AppCredentials, redirect_uri: str, state: str) -> AuthorizeRequest:
        verifier = secrets.token_urlsafe(64)
        digest = hashlib.sha256(verifier.encode("ascii")).digest()
        query = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": redirect_uri,
            "scope": _scope(app),
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"),
            "code_challenge_method": "S256",
        }
        return AuthorizeRequest(url=f"{app.host}/oauth/authorize?{urlencode(query)}", code_verifier=verifier)

    @classmethod
    def exchange_code(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> Connected:
        """Raises Rejected(INVALID) for a code (or an app registration) that the server does not know."""
        form = {
            "grant_type": "authorization_code",
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "redirect_uri": redirect_uri,
            "code": code,
            "code_verifier": code_verifier,
            "scope": _scope(app),
        }
        tokens, scopes = _tokens(_call("POST", app.host, "/oauth/token", form=form))
        instance = _instance(app.host)
        if instance is None:
            raise Temporary("the server does not describe itself")
        options = _options(app.host, instance)
        account = http.json_object(
            _checked(_call("GET", app.host, "/api/v1/accounts/verify_credentials", token=tokens.access_token))
        )
        options["account_id"] = str(account["id"])
        return Connected(
            profile=_profile(account, options),
            tokens=tokens,
            scopes=scopes or tuple(_scope(app).split()),
            options=options,
        )

    @classmethod
    def refresh(cls, *, tokens: Tokens, options: Mapping[str, Any], app: AppCredentials | None) -> Tokens:
        """Mastodon's tokens do not expire; some kin (Pleroma, Akkoma) hand out refresh tokens."""
        if not tokens.refresh_token or app is None:
            raise NeedsReconnect("this server gave no refresh token")
        form = {
            "grant_type": "refresh_token",
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "refresh_token": tokens.refresh_token,
        }
        try:
            fresh, _ = _tokens(_call("POST", str(options["host"]), "/oauth/token", form=form))
        except Rejected as error:
            raise NeedsReconnect(error.detail) from error
        if not fresh.refresh_token:
            fresh = dataclasses.replace(fresh, refresh_token=tokens.refresh_token)
        return fresh

    def fetch_profile(self) -> Profile:
        return _profile(self._account(), self.options)

    # Publishing.

    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        return standard_plan(payload, container=False)

    def prepare_step(
        self, step: Step, payload: PostPayload, done: Mapping[str, StepResult], *, key: str, now: dt.datetime
    ) -> Json:
        part = payload.parts[step.part]
        if step.kind is StepKind.MEDIA:
            return {"description": part.media[step.media].alt_text}
        media = [done[f"part{step.part}.media{m}"].remote_id for m in range(len(part.media))]
        status: Json = {
            "status": part.text,
            "media_ids": media,
            "visibility": self.options.get("visibility", "public"),
        }
        if step.part:
            status["in_reply_to_id"] = done[f"part{step.part - 1}.publish"].remote_id
        if payload.language:
            status["language"] = payload.language
        if self.options.get("software") in TAKES_CONTENT_TYPE:
            status["content_type"] = "text/plain"
        return {
            "idempotency_key": key,
            "repeat_until": (now + KEY_LIFETIME).isoformat(),
            "status": status,
        }

    def send_step(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        if step.kind is StepKind.MEDIA:
            return self._upload(step, payload, intent)
        response = self._call(
            "POST",
            "/api/v1/statuses",
            json=intent["status"],
            headers={"Idempotency-Key": intent["idempotency_key"]},
            changes=True,
        )
        status = http.json_object(_checked(response, changes=True))
        if not status.get("id"):
            # GoToSocial's answer to a key that it has seen: {"status": "request already handled"}.
            raise OutcomeUnknown(f"accepted, but without an id: {http.excerpt(response)}")
        return StepResult(remote_id=str(status["id"]), permalink=_permalink(status))

    def safety_of(self, intent: Json, now: dt.datetime) -> RetrySafety:
        repeat_until = intent.get("repeat_until")
        if repeat_until is not None and now >= dt.datetime.fromisoformat(repeat_until):
            return RetrySafety.NEITHER
        return self.info.retry_safety

    def _upload(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        item = payload.parts[step.part].media[step.media]
        name = f"image.{item.mime_type.partition('/')[2].partition('+')[0] or 'bin'}"
        for path in ("/api/v2/media", "/api/v1/media"):
            with item.open() as stream:
                response = self._call(
                    "POST",
                    path,
                    files={"file": (name, stream, item.mime_type)},
                    form={"description": intent["description"]} if intent["description"] else None,
                    timeout_s=UPLOAD_TIMEOUT_S,
                )
            if response.status_code not in {404, 405}:
                break
        attachment = http.json_object(_checked(response, about="media"))
        if not attachment.get("id"):
            raise Temporary("the server took the file and gave no id")
        is_done = response.status_code != 202
        return StepResult(
            state=StepState.DONE if is_done else StepState.PROCESSING,
            remote_id=str(attachment["id"]),
            retry_after_s=0.0 if is_done else 2.0,
        )

    def check(self, step: Step, intent: Json, sent: StepResult | None) -> StepResult | None:
        if step.kind is not StepKind.MEDIA:
            raise TypeError("a status has no state to ask for")
        if sent is None or not sent.remote_id:
            return None
        response = self._call("GET", f"/api/v1/media/{quote(sent.remote_id, safe='')}")
        if response.status_code == 206:
            return dataclasses.replace(sent, state=StepState.PROCESSING, retry_after_s=3.0)
        if response.status_code in {404, 410}:
            return None
        _checked(response, about="media")
        return StepResult(remote_id=sent.remote_id)

    def find_recent(self, *, since: dt.datetime) -> Sequence[RemotePost]:
        posts: list[RemotePost] = []
        params = {"limit": "40", "exclude_reblogs": "true"}
        account_id = quote(str(self.options["account_id"]), safe="")
        for _ in range(MAX_PAGES):
            response = self._call("GET", f"/api/v1/accounts/{account_id}/statuses", params=params)
            page = [_remote_post(status) for status in http.json_objects(_checked(response))]
            posts += [post for post in page if post.created_at >= since]
            if not page or page[-1].created_at < since:
                break
            params["max_id"] = page[-1].remote_id
        return sorted(posts, key=lambda post: post.created_at, reverse=True)

    def fetch_post(self, remote_id: str) -> RemotePost | None:
        """Read with our token: many servers refuse readers without one."""
        status = self._status(remote_id)
        return None if status is None else _remote_post(status)

    # Metrics.

    def fetch_account_metrics(self) -> AccountMetrics:
        account = self._account()
        return AccountMetrics(
            followers=_count(account, "followers_count"),
            following=_count(account, "following_count"),
            posts=_count(account, "statuses_count"),
        )

    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        found: dict[str, PostMetrics] = {}
        for status in self._statuses(remote_ids):
            found[str(status["id"])] = PostMetrics(
                likes=_count(status, "favourites_count"),
                comments=_count(status, "replies_count"),
                shares=_count(status, "reblogs_count"),
                quotes=_count(status, "quotes_count"),
            )
        return found

    # Calls.

    def _call(self, method: str, path: str, **arguments: Any) -> Response:
        return _call(method, str(self.options["host"]), path, token=self.tokens.access_token, **arguments)

    def _account(self) -> Json:
        return http.json_object(_checked(self._call("GET", "/api/v1/accounts/verify_credentials")))

    def _status(self, remote_id: str) -> Json | None:
        response = self._call("GET", f"/api/v1/statuses/{quote(remote_id, safe='')}")
        if response.status_code in {404, 410}:
            return None
        return http.json_object(_checked(response))

    def _statuses(self, remote_ids: Sequence[str]) -> Iterator[Json]:
        """Several at once where the server can (Mastodon 4.3), else one by one."""
        if _version(self.options) < (4, 3) or self.options.get("software") != "mastodon":
            for remote_id in remote_ids:
                status = self._status(remote_id)
                if status is not None:
                    yield status
            return
        for start in range(0, len(remote_ids), STATUSES_PER_CALL):
            params = [("id[]", remote_id) for remote_id in remote_ids[start : start + STATUSES_PER_CALL]]
            yield from http.json_objects(_checked(self._call("GET", "/api/v1/statuses", params=params)))


def _call(
    method: str,
    server: str,
    path: str,
    *,
    token: str = "",
    headers: Mapping[str, str] | None = None,
    **arguments: Any,
) -> Response:
    sent = {"Accept": "application/json", **(headers or {})}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    return http.request(method, server + path, platform=INFO.key, headers=sent, guard=True, **arguments)


# --- the server -------------------------------------------------------------------------------


def _find_server(server: str) -> tuple[str, Json]:
    """(base URL, instance) of the server for a typed host. A domain may only lend its name to accounts and
    redirect webfinger to the server itself (Mastodon's LOCAL_DOMAIN and WEB_DOMAIN)."""
    try:
        instance = _instance(server)
        if instance is None:
            name = urlsplit(server).netloc
            response = _call(
                "GET", server, "/.well-known/webfinger", params={"resource": f"acct:{name}@{name}"}
            )
            parts = urlsplit(str(response.url))
            behind = f"{parts.scheme}://{parts.netloc}"
            if behind != server:
                server, instance = behind, _instance(behind)
    except http.HostNotFound as error:
        raise Rejected(RejectReason.HOST_UNKNOWN, error.detail) from error
    if instance is None:
        raise Rejected(RejectReason.HOST_UNKNOWN, "no server that speaks Mastodon's API answers there")
    return server, instance


def _instance(server: str) -> Json | None:
    """What the server says of itself; None if nothing there speaks the API."""
    for path in ("/api/v2/instance", "/api/v1/instance"):
        response = _call("GET", server, path)
        if response.status_code == 429:
            _map_error(response)
        if response.status_code == 200:
            with contextlib.suppress(Temporary):
                instance = http.json_object(response)
                if "version" in instance and ("domain" in instance or "uri" in instance):
                    return instance
    return None


def _options(server: str, instance: Json) -> Json:
    """Limits of the server (entities/Instance and V1_Instance name them alike), only those it states."""
    configuration = instance.get("configuration") or {}
    statuses = configuration.get("statuses") or {}
    media = configuration.get("media_attachments") or {}
    domain = instance.get("account_domain") or instance.get("domain") or instance.get("uri") or ""
    software = _software(server, instance)
    stated = {
        # Pleroma and Akkoma state their limit outside of ``configuration`` too.
        "max_characters": statuses.get("max_characters") or instance.get("max_toot_chars"),
        "characters_reserved_per_url": statuses.get("characters_reserved_per_url"),
        "max_media_attachments": statuses.get("max_media_attachments"),
        "mime_types": media.get("supported_mime_types"),
        "image_size_limit": media.get("image_size_limit"),
        "image_matrix_limit": media.get("image_matrix_limit"),
        "description_limit": media.get("description_limit"),
    }
    return {
        "host": server,
        "domain": str(domain).partition("://")[2] or str(domain),
        "software": software,
        "version": str(instance.get("version", "")),
        **{name: value for name, value in stated.items() if value},
    }


class _Limits:
    """Reads limits that a server stated: a server may state nonsense, then the default holds."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options

    def positive(self, name: str, default: int) -> int:
        value = self.options.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else default

    def image_types(self) -> tuple[str, ...]:
        stated = self.options.get("mime_types")
        if not isinstance(stated, list):
            return INFO.images.mime_types
        images = tuple(t for t in stated if isinstance(t, str) and t.startswith("image/"))
        return images or INFO.images.mime_types


def _software(server: str, instance: Json) -> str:
    """Lower-case name of the software: nodeinfo says it; the version string and the source address are
    hints for servers that hide nodeinfo. Empty when unknown."""
    with contextlib.suppress(ConnectorError):
        name = _nodeinfo_name(server)
        if name:
            return "glitch" if name == "mastodon" and "+glitch" in str(instance.get("version")) else name
    version = str(instance.get("version", "")).lower()
    source = str(instance.get("source_url", "")).lower()
    compatible = re.search(r"\(compatible; ([a-z]+)", version)
    if compatible:
        return compatible[1]
    for name in ("takahe", "gotosocial", "hollo"):
        if name in version or name in source:
            return name
    # A bare number is Mastodon's own form, but GoToSocial's too: only the source address decides.
    return "mastodon" if re.search(r"/mastodon(\.git)?/?$", source) else ""


def _nodeinfo_name(server: str) -> str:
    links = http.json_object(_checked(_call("GET", server, "/.well-known/nodeinfo"))).get("links")
    for link in links if isinstance(links, list) else ():
        href = urlsplit(str(link.get("href", "")) if isinstance(link, dict) else "")
        # The same server under its own name: no answer sends us elsewhere.
        if href.netloc and href.netloc.lower() == urlsplit(server).netloc:
            about = http.json_object(_checked(_call("GET", server, href.path)))
            software = about.get("software")
            return str(software.get("name", "")).lower() if isinstance(software, dict) else ""
    return ""


def _version(options: Mapping[str, Any]) -> tuple[int, int]:
    match = re.match(r"(\d+)\.(\d+)", str(options.get("version", "")))
    return (int(match[1]), int(match[2])) if match else (0, 0)


# --- answers ----------------------------------------------------------------------------------


def _scope(app: AppCredentials) -> str:
    return " ".join(app.extra.get("scopes") or INFO.scopes)


def _tokens(response: Response) -> tuple[Tokens, tuple[str, ...]]:
    if response.status_code in {400, 401, 403}:
        raise Rejected(RejectReason.INVALID, http.excerpt(response))
    answer = http.json_object(_checked(response))
    if not isinstance(answer.get("access_token"), str) or not answer["access_token"]:
        raise Temporary("the server answered without a token")
    refresh_token = str(answer.get("refresh_token") or "")
    lifetime = answer.get("expires_in")
    expires_at = None
    if refresh_token and isinstance(lifetime, int | float) and 0 < lifetime < 10 * 365 * 86_400:
        expires_at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=lifetime)
    tokens = Tokens(access_token=answer["access_token"], refresh_token=refresh_token, expires_at=expires_at)
    return tokens, tuple(str(answer.get("scope") or "").split())


def _profile(account: Json, options: Mapping[str, Any]) -> Profile:
    """Ids count from one on every server, so ours carries the host."""
    server = urlsplit(str(options["host"])).netloc
    username = str(account.get("username") or account.get("acct") or "").partition("@")[0]
    return Profile(
        remote_id=f"{account['id']}@{server}",
        handle=f"{username}@{options.get('domain') or server}",
        display_name=str(account.get("display_name") or ""),
        avatar_url=_web_url(account.get("avatar")),
        profile_url=_web_url(account.get("url")),
    )


def _web_url(value: object) -> str:
    """An address that may stand in a page; anything else (``javascript:``, null) is dropped."""
    return value if isinstance(value, str) and re.match(r"(?i)https?://", value) else ""


def _permalink(status: Json) -> str:
    return _web_url(status.get("url")) or _web_url(status.get("uri"))


def _count(entity: Json, name: str) -> int | None:
    value = entity.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _remote_post(status: Json) -> RemotePost:
    try:
        created_at = dt.datetime.fromisoformat(str(status["created_at"]))
    except ValueError as error:
        raise Temporary("a status without a date") from error
    if created_at.tzinfo is None:
        created_at = created_at.replace(tzinfo=dt.UTC)
    return RemotePost(
        remote_id=str(status["id"]),
        text=plain_text(str(status.get("content") or ""), mentions=status.get("mentions") or []),
        created_at=created_at.astimezone(dt.UTC),
        permalink=_permalink(status),
        in_reply_to=str(status.get("in_reply_to_id") or ""),
        media_count=len(status.get("media_attachments") or []),
    )


# --- errors -----------------------------------------------------------------------------------


def _checked(response: Response, *, changes: bool = False, about: str = "status") -> Response:
    if not 200 <= response.status_code < 300:
        _map_error(response, changes=changes, about=about)
    return response


_STATUS_WORDS = (
    (r"character limit|too long|over the (character )?limit", RejectReason.TEXT_TOO_LONG),
    (r"too many media|more than \d+ (files|media|attachments)", RejectReason.TOO_MANY_MEDIA),
    (r"duplicate", RejectReason.DUPLICATE),
    (r"blank|is empty|no status", RejectReason.TEXT_EMPTY),
)
_MEDIA_WORDS = (
    (r"content.?type|file type|unsupported|not supported|mime", RejectReason.MEDIA_TYPE),
    (r"too (large|big)|less than|size|exceed|dimension|resolution", RejectReason.MEDIA_TOO_LARGE),
    (r"description.*long|too long", RejectReason.ALT_TEXT_TOO_LONG),
)


def _map_error(response: Response, *, changes: bool = False, about: str = "status") -> NoReturn:
    """The one place that knows what a status code means here. ``about``: "status" or "media"."""
    code, detail = response.status_code, http.excerpt(response)
    words = detail.lower()
    if code == 401 or (code == 400 and "bearer token" in words):
        raise NeedsReconnect(detail)
    if code == 403:
        # No longer allowed in (scopes, suspension) or not allowed this one thing.
        if re.search(r"scope|suspend|disabled|login|token", words):
            raise NeedsReconnect(detail)
        raise Rejected(RejectReason.FORBIDDEN, detail)
    if code == 429 or (code == 503 and "Retry-After" in response.headers):
        raise RateLimited(_reset_at(response), detail)
    if code in {408, 425, 503}:
        # Refused at the door: maintenance, throttling, a lock that another request with this key holds.
        raise Temporary(detail)
    if code == 422 and re.search(r"finished processing|not.ready", words):
        raise Temporary(detail)  # the media were not ready after all
    if changes and (code == 409 or (code >= 500 and code != 501)):
        raise OutcomeUnknown(detail)
    if code >= 500 and code != 501:
        raise Temporary(detail)
    if 300 <= code < 400:
        raise Rejected(RejectReason.HOST_UNKNOWN, f"the server has moved: {detail}")
    raise Rejected(_reason(code, words, about), detail)


def _reason(code: int, words: str, about: str) -> RejectReason:
    fixed = {
        404: RejectReason.NOT_FOUND,
        410: RejectReason.NOT_FOUND,
        413: RejectReason.MEDIA_TOO_LARGE,
        415: RejectReason.MEDIA_TYPE,
        405: RejectReason.NOT_SUPPORTED,
        501: RejectReason.NOT_SUPPORTED,
    }
    if code in fixed:
        return fixed[code]
    for pattern, reason in _MEDIA_WORDS if about == "media" else _STATUS_WORDS:
        if re.search(pattern, words):
            return reason
    return RejectReason.MEDIA_BROKEN if about == "media" else RejectReason.INVALID


def _reset_at(response: Response) -> dt.datetime:
    """Retry-After, else X-RateLimit-Reset: ISO 8601 at Mastodon and newer GoToSocial, seconds or
    milliseconds of the epoch at older ones; else five minutes, the length of Mastodon's window."""
    now = dt.datetime.now(dt.UTC)
    reset = response.headers.get("X-RateLimit-Reset", "").strip()
    if "Retry-After" not in response.headers and reset:
        with contextlib.suppress(ValueError, OverflowError, OSError):
            if re.fullmatch(r"\d+(\.\d+)?", reset):
                seconds = float(reset)
                at = dt.datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, dt.UTC)
            else:
                at = dt.datetime.fromisoformat(reset)
                at = at if at.tzinfo else at.replace(tzinfo=dt.UTC)
            return min(max(at.astimezone(dt.UTC), now + dt.timedelta(seconds=1)), now + http.LONGEST_WAIT)
    return http.retry_after(response, now=now, default_s=300)
