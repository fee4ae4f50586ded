"""The sandbox network, which comes with this project: everything can be tried without a developer app.

Documents: docs/sandbox.md. Its accounts differ in what they offer against double posts, so that every
branch of clearing up an unknown outcome can be forced: ``idempotency_key`` (kept for 24 h), ``two_phase``
(containers) or ``neither``; the account's own profile says which.

A video is a medium like an image: one in a post, without images beside it, looked at by the network for as
long as the account's ``media_processing_s`` says.

Replies are posts with ``reply_to`` and as safe as those. A direct message is safe to repeat only at an
``idempotency_key`` account; elsewhere the messages are read and compared.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import datetime as dt
import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NoReturn
from urllib.parse import quote, urlencode

from requests import Response

from connectors import http
from connectors.answers import count, quoted
from connectors.base import (
    AccountMetrics,
    AppCredentials,
    AuthorizeRequest,
    Capability,
    Connected,
    ConnectMethod,
    Connector,
    ImageLimit,
    InboxPage,
    Json,
    ModerationAction,
    PlatformInfo,
    PostField,
    PostMetrics,
    PostPayload,
    Profile,
    PublicAccount,
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
    VideoLimit,
    standard_plan,
)
from connectors.errors import (
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.inbox import read_lists
from connectors.sandbox_inbox import comment_item, message_item, profile

# What needs the scope "inbox".
_INBOX = frozenset(
    {
        Capability.INBOX_COMMENTS,
        Capability.INBOX_MENTIONS,
        Capability.INBOX_MESSAGES,
        Capability.REPLY,
        Capability.SEND_MESSAGE,
        Capability.LIKE,
        Capability.HIDE,
        Capability.DELETE_COMMENT,
    }
)

INFO = PlatformInfo(
    key="sandbox",
    name="Sandbox",
    capabilities=frozenset(
        {
            Capability.POST_TEXT,
            Capability.POST_IMAGES,
            Capability.POST_VIDEO,
            Capability.POST_THREAD,
            Capability.LINK_CARD,
            Capability.FIRST_COMMENT,
            Capability.ALT_TEXT,
            Capability.ACCOUNT_METRICS,
            Capability.POST_METRICS,
            Capability.COMPETITORS,
            *_INBOX,
        }
    ),
    connect_method=ConnectMethod.OAUTH,
    connect_fields=(),
    scopes=("read", "write", "metrics", "inbox"),
    # Defaults of an account; ``info_for`` has those of the account itself.
    text=TextLimit(max_units=500, unit=TextUnit.CODEPOINTS),
    images=ImageLimit(
        max_count=4,
        max_bytes=5 * 1024 * 1024,
        mime_types=("image/jpeg", "image/png", "image/webp", "image/gif"),
        alt_text_max=1000,
        max_pixels=40_000_000,
    ),
    videos=VideoLimit(
        max_count=1,
        max_bytes=50_000_000,
        max_seconds=140,
        mime_types=("video/mp4",),
        alt_text_max=1000,
        max_pixels=1920 * 1080,
        max_frame_rate=60,
    ),
    thread_max=25,
    rates=(),
    retry_safety=RetrySafety.IDEMPOTENT,
    consistency_window_s=5,
    color="#0f766e",
    icon="flask",
    account_metrics=("followers", "following", "posts"),
    post_metrics=("likes", "comments", "shares", "impressions", "reach", "clicks"),
    message_text=TextLimit(max_units=2000, unit=TextUnit.CODEPOINTS),
    tagline="A network for trying things out; it runs beside this application.",
)

# Asked only of accounts that have topics.
TOPIC = PostField(
    "topic", "Topic", kind="choice", is_of_account=True, help_text="What the post is filed under."
)
RETRY_SAFETY = {
    "idempotency_key": RetrySafety.IDEMPOTENT,
    "two_phase": RetrySafety.TWO_PHASE,
    "neither": RetrySafety.NEITHER,
}
# The network keeps a key for 24 hours from the first acceptance.
KEY_LIFETIME = dt.timedelta(hours=23)
UPLOAD_TIMEOUT_S = 120.0
POSTS_PER_CALL = 100
MAX_PAGES = 10


class SandboxConnector(Connector):
    INFO: ClassVar[PlatformInfo] = INFO

    @classmethod
    def info_for(cls, options: Mapping[str, Any]) -> PlatformInfo:
        limits = options.get("limits") or {}
        quota = limits.get("quota")
        has_inbox = "inbox" in options.get("scopes", INFO.scopes)
        return dataclasses.replace(
            INFO,
            capabilities=INFO.capabilities if has_inbox else INFO.capabilities - _INBOX,
            text=dataclasses.replace(INFO.text, max_units=limits.get("text_max", INFO.text.max_units)),
            images=ImageLimit(
                max_count=limits.get("images_max", INFO.images.max_count),
                max_bytes=limits.get("image_bytes_max", INFO.images.max_bytes),
                mime_types=tuple(limits.get("image_mime_types", INFO.images.mime_types)),
                alt_text_max=limits.get("alt_text_max", INFO.images.alt_text_max),
                max_pixels=limits.get("image_pixels_max", INFO.images.max_pixels),
            ),
            videos=_video_limit(limits),
            thread_max=limits.get("thread_max", INFO.thread_max),
            rates=(Rate("posts", quota["limit"], quota["window_s"]),) if quota else (),
            retry_safety=RETRY_SAFETY.get(options.get("retry_safety", ""), INFO.retry_safety),
            consistency_window_s=limits.get("consistency_window_s", INFO.consistency_window_s),
            post_fields=(TOPIC,) if options.get("topics") else (),
        )

    # Connecting.

    @classmethod
    def is_offered(cls) -> bool:
        """Only where a sandbox network is set up."""
        return bool(http.base_url("sandbox", ""))

    @classmethod
    def register_app(cls, *, host: str, redirect_uri: str, app_name: str, website: str) -> AppCredentials:
        """Raises Rejected(HOST_UNKNOWN) when no sandbox network is set up."""
        server = _server(host)
        registration = {"name": app_name, "website": website, "redirect_uris": [redirect_uri]}
        app = http.json_object(_checked(_call("POST", server, "/api/v1/apps", json=registration)))
        return AppCredentials(
            client_id=str(app["client_id"]),
            client_secret=str(app["client_secret"]),
            # Where it is configured it may move (another port): only a typed host is kept.
            host=server if host else "",
        )

    @classmethod
    def authorize_url(
        cls, *, app: AppCredentials, redirect_uri: str, state: str, scopes: Sequence[str] = ()
    ) -> AuthorizeRequest:
        verifier = secrets.token_urlsafe(64)
        digest = hashlib.sha256(verifier.encode("ascii")).digest()
        query = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(INFO.scopes),
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"),
            "code_challenge_method": "S256",
        }
        return AuthorizeRequest(
            url=f"{_server(app.host)}/oauth/authorize?{urlencode(query)}", code_verifier=verifier
        )

    @classmethod
    def exchange_code(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> Connected:
        """Raises Rejected(INVALID) for a code that the network does not know."""
        server = _server(app.host)
        form = {
            "grant_type": "authorization_code",
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "redirect_uri": redirect_uri,
            "code": code,
            "code_verifier": code_verifier,
        }
        response = _call("POST", server, "/oauth/token", form=form)
        if response.status_code in {400, 401}:
            raise Rejected(RejectReason.INVALID, http.excerpt(response))
        answer = http.json_object(_checked(response))
        tokens = _tokens(answer)
        scopes = str(answer.get("scope", "")).split()
        own = http.json_object(
            _checked(_call("GET", server, "/api/v1/accounts/me", token=tokens.access_token))
        )
        return Connected(
            profile=profile(own),
            tokens=tokens,
            scopes=tuple(scopes),
            options={"host": server, "scopes": scopes, **account_options(own)},
        )

    @classmethod
    def refresh(cls, *, tokens: Tokens, options: Mapping[str, Any], app: AppCredentials | None) -> Tokens:
        """Each refresh token serves once: one that comes twice ends the whole grant."""
        if not tokens.refresh_token:
            raise NeedsReconnect("there is no refresh token")
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
        if app is not None:
            form |= {"client_id": app.client_id, "client_secret": app.client_secret}
        response = _call("POST", _server(str(options.get("host", ""))), "/oauth/token", form=form)
        if response.status_code in {400, 401}:
            raise NeedsReconnect(http.excerpt(response))
        return _tokens(http.json_object(_checked(response)))

    def fetch_profile(self) -> Profile:
        return profile(http.json_object(_checked(self._call("GET", "/api/v1/accounts/me"))))

    def fetch_choices(self) -> dict[str, list[tuple[str, str]]]:
        own = http.json_object(_checked(self._call("GET", "/api/v1/accounts/me")))
        return {"topic": [(str(topic), str(topic)) for topic in own.get("topics") or ()]}

    # Publishing.

    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        return standard_plan(payload, container=self._is_two_phase and payload.message_to is None)

    def prepare_step(
        self, step: Step, payload: PostPayload, done: Mapping[str, StepResult], *, key: str, now: dt.datetime
    ) -> Json:
        if payload.moderation is not None:
            return {"action": str(payload.moderation.action), "id": payload.moderation.remote_id}
        part = payload.parts[step.part]
        if payload.message_to is not None:
            message: Json = {"to": payload.message_to.recipient_id, "text": part.text}
            return {"key": key, "repeat_until": (now + KEY_LIFETIME).isoformat(), "message": message}
        if step.kind is StepKind.MEDIA:
            return {"alt_text": part.media[step.media].alt_text}
        if step.kind is StepKind.PUBLISH and self._is_two_phase:
            return {"key": key, "container_id": done[f"part{step.part}.container"].remote_id}
        post: Json = {
            "text": part.text,
            "media_ids": [done[f"part{step.part}.media{m}"].remote_id for m in range(len(part.media))],
        }
        if (answered := payload.answered_by(step.part)) is not None:
            post["reply_to"] = done[f"part{answered}.publish"].remote_id
        elif payload.reply_to is not None:
            post["reply_to"] = payload.reply_to.remote_id
        if step.part == 0 and (topic := payload.settings.get("topic")):
            post["topic"] = topic
        if payload.language:
            post["language"] = payload.language
        if part.link_card is not None:
            card = part.link_card
            post["card"] = {"url": card.url, "title": card.title, "description": card.description}
        return {"key": key, "repeat_until": (now + KEY_LIFETIME).isoformat(), "post": post}

    def send_step(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        if step.kind is StepKind.MEDIA:
            return self._upload(step, payload, intent)
        if step.kind is StepKind.MODERATE:
            return self._moderate(intent)
        # X-Client-Ref names our delivery in the network's ledger; the network draws nothing from it.
        headers = {"X-Client-Ref": intent["key"]}
        if step.kind is StepKind.CONTAINER:
            response = self._call("POST", "/api/v1/containers", json=intent["post"], headers=headers)
            return _container_result(http.json_object(_checked(response)))
        if "container_id" in intent:
            path = f"/api/v1/containers/{quote(intent['container_id'], safe='')}/publish"
            response = self._call("POST", path, headers=headers, changes=True)
            if response.status_code == 409:
                error = http.json_object(response).get("error")
                if isinstance(error, dict) and error.get("code") == "already_published":
                    return StepResult(
                        remote_id=str(error["post_id"]), permalink=str(error.get("post_url") or "")
                    )
        else:
            if self.info.retry_safety is RetrySafety.IDEMPOTENT:
                headers["Idempotency-Key"] = intent["key"]
            path = "/api/v1/messages" if "message" in intent else "/api/v1/posts"
            body = intent.get("message") or intent["post"]
            response = self._call("POST", path, json=body, headers=headers, changes=True)
        post = http.json_object(_checked(response, changes=True))
        if not post.get("id"):
            raise OutcomeUnknown("accepted, but without an id")
        return StepResult(remote_id=str(post["id"]), permalink=str(post.get("url") or ""))

    def safety_of(self, intent: Json, now: dt.datetime) -> RetrySafety:
        safety = self.info.retry_safety
        if safety is RetrySafety.TWO_PHASE and "message" in intent:
            return RetrySafety.NEITHER
        repeat_until = intent.get("repeat_until")
        if (
            safety is RetrySafety.IDEMPOTENT
            and repeat_until is not None
            and now >= dt.datetime.fromisoformat(repeat_until)
        ):
            return RetrySafety.NEITHER
        return safety

    def check(self, step: Step, intent: Json, sent: StepResult | None) -> StepResult | None:
        if step.kind is StepKind.PUBLISH:
            container = self._container(intent["container_id"])
            if container["state"] == "ERROR":
                raise Rejected(RejectReason.MEDIA_BROKEN, str(container.get("error") or ""))
            if container["state"] != "PUBLISHED":
                return None
            return StepResult(
                remote_id=str(container["post_id"]), permalink=str(container.get("post_url") or "")
            )
        if sent is None:
            return None  # uploads and containers are made again: nobody sees the first ones
        if step.kind is StepKind.CONTAINER:
            return _container_result(self._container(sent.remote_id))
        path = f"/api/v1/media/{quote(sent.remote_id, safe='')}"
        return _media_result(http.json_object(_checked(self._call("GET", path))))

    def find_recent(self, *, since: dt.datetime) -> Sequence[RemotePost]:
        params = {"since": since.astimezone(dt.UTC).isoformat(), "limit": str(POSTS_PER_CALL)}
        posts: list[RemotePost] = []
        for _ in range(MAX_PAGES):
            page = http.json_object(_checked(self._call("GET", "/api/v1/accounts/me/posts", params=params)))
            posts += [_remote_post(post) for post in page["posts"]]
            if not page.get("cursor"):
                break
            params["cursor"] = str(page["cursor"])
        return posts

    def find_sent(self, payload: PostPayload, *, since: dt.datetime) -> Sequence[RemotePost]:
        if payload.message_to is None:
            return self.find_recent(since=since)
        position, found = "", []
        for _ in range(MAX_PAGES):
            page = self._messages(position, since=since, other=payload.message_to.recipient_id)
            found += [
                RemotePost(remote_id=item.remote_id, text=item.text, created_at=item.created_at)
                for item in page.items
                if item.is_own
            ]
            position = page.cursor
            if not position:
                break
        return found[::-1]

    def fetch_post(self, remote_id: str) -> RemotePost | None:
        """Without a token: what everybody sees."""
        response = _call("GET", self._host, f"/api/v1/posts/{quote(remote_id, safe='')}")
        if response.status_code == 404:
            return None
        return _remote_post(http.json_object(_checked(response)))

    def fetch_posts(self, remote_ids: Sequence[str]) -> Iterator[RemotePost]:
        for start in range(0, len(remote_ids), POSTS_PER_CALL):
            params = {"ids": ",".join(remote_ids[start : start + POSTS_PER_CALL])}
            answer = http.json_object(_checked(_call("GET", self._host, "/api/v1/posts", params=params)))
            yield from (_remote_post(post) for post in answer["posts"])

    # Inbox.

    def fetch_inbox(self, *, since: dt.datetime, cursor: str = "") -> InboxPage:
        return read_lists(
            {
                "comments": lambda position: self._comments("/api/v1/comments", position, since),
                "mentions": lambda position: self._comments("/api/v1/mentions", position, since),
                "messages": lambda position: self._messages(position, since=since),
            },
            cursor,
        )

    def _comments(self, path: str, position: str, since: dt.datetime) -> InboxPage:
        page = self._page(path, position, since)
        items = [item for comment in page["comments"] if (item := comment_item(comment)) is not None]
        return InboxPage(items, _following(page, len(page["comments"])))

    def _messages(self, position: str, *, since: dt.datetime, other: str = "") -> InboxPage:
        page = self._page("/api/v1/messages", position, since, **({"with": other} if other else {}))
        items = [message_item(message) for message in page["messages"]]
        return InboxPage(items, _following(page, len(items)))

    def _page(self, path: str, position: str, since: dt.datetime, **more: str) -> Json:
        """A page of a list that is oldest first, after ``position``."""
        params = {"since": since.astimezone(dt.UTC).isoformat(), "limit": str(POSTS_PER_CALL), **more}
        if position:
            params["cursor"] = position
        return http.json_object(_checked(self._call("GET", path, params=params)))

    def _moderate(self, intent: Json) -> StepResult:
        remote_id = quote(intent["id"], safe="")
        verb, path = {
            ModerationAction.LIKE: ("POST", f"/api/v1/posts/{remote_id}/like"),
            ModerationAction.UNLIKE: ("DELETE", f"/api/v1/posts/{remote_id}/like"),
            ModerationAction.HIDE: ("POST", f"/api/v1/comments/{remote_id}/hide"),
            ModerationAction.UNHIDE: ("DELETE", f"/api/v1/comments/{remote_id}/hide"),
            ModerationAction.DELETE: ("DELETE", f"/api/v1/comments/{remote_id}"),
        }[ModerationAction(intent["action"])]
        response = self._call(verb, path)
        if intent["action"] != ModerationAction.DELETE or response.status_code != 404:
            _checked(response)
        return StepResult()

    # Metrics.

    def fetch_public_account(self, handle: str) -> PublicAccount | None:
        name = handle.strip().removeprefix("@").partition("@")[0]
        response = self._call("GET", f"/api/v1/accounts/{quoted(name)}") if name else None
        if response is None or response.status_code == 404:
            return None
        account = http.json_object(_checked(response))
        counts = account.get("counts")
        return PublicAccount(
            profile(account),
            AccountMetrics(
                followers=count(counts, "followers"),
                following=count(counts, "following"),
                posts=count(counts, "posts"),
            ),
        )

    def fetch_account_metrics(self) -> AccountMetrics:
        counts = http.json_object(_checked(self._call("GET", "/api/v1/metrics/account")))
        return AccountMetrics(
            followers=counts.get("followers"), following=counts.get("following"), posts=counts.get("posts")
        )

    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        found: dict[str, PostMetrics] = {}
        for start in range(0, len(remote_ids), POSTS_PER_CALL):
            params = {"ids": ",".join(remote_ids[start : start + POSTS_PER_CALL])}
            answer = http.json_object(_checked(self._call("GET", "/api/v1/metrics/posts", params=params)))
            for remote_id, counts in answer["posts"].items():
                found[remote_id] = PostMetrics(
                    likes=counts.get("likes"),
                    comments=counts.get("comments"),
                    shares=counts.get("shares"),
                    impressions=counts.get("impressions"),
                    reach=counts.get("reach"),
                    clicks=counts.get("clicks"),
                )
        return found

    # Calls.

    @property
    def _is_two_phase(self) -> bool:
        return self.info.retry_safety is RetrySafety.TWO_PHASE

    @property
    def _host(self) -> str:
        return _server(str(self.options.get("host", "")))

    def _call(self, method: str, path: str, **arguments: Any) -> Response:
        """With a token; one that the network no longer takes is renewed once (a 401 did nothing)."""
        response = _call(method, self._host, path, token=self.tokens.access_token, **arguments)
        if response.status_code == 401 and self.renew is not None:
            self.tokens = self.renew(self.tokens)
            response = _call(method, self._host, path, token=self.tokens.access_token, **arguments)
        return response

    def _upload(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        item = payload.parts[step.part].media[step.media]
        with item.open() as stream:
            content = stream.read()
        kind = "video" if item.is_video else "image"
        response = self._call(
            "POST",
            "/api/v1/media",
            files={"file": (kind, content, item.mime_type)},
            form={"alt_text": intent["alt_text"]},
            timeout_s=UPLOAD_TIMEOUT_S,
        )
        return _media_result(http.json_object(_checked(response)))

    def _container(self, container_id: str) -> Json:
        path = f"/api/v1/containers/{quote(container_id, safe='')}"
        return http.json_object(_checked(self._call("GET", path)))


def _server(host: str) -> str:
    """Base URL: the configured network, else the one that the account or app was made at."""
    server = http.base_url("sandbox", host)
    if not server:
        raise Rejected(RejectReason.HOST_UNKNOWN, "no sandbox network is configured")
    return server


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
    is_configured = server == http.base_url("sandbox", "")
    return http.request(
        method, server + path, platform=INFO.key, headers=sent, guard=not is_configured, **arguments
    )


# --- answers ----------------------------------------------------------------------------------


def _video_limit(limits: Mapping[str, Any]) -> VideoLimit | None:
    """INFO's, in the numbers that the account was told; an account of before was told none."""
    default = INFO.videos
    if default is None:
        return None
    return dataclasses.replace(
        default,
        max_bytes=limits.get("video_bytes_max", default.max_bytes),
        max_seconds=limits.get("video_seconds_max", default.max_seconds),
        max_pixels=limits.get("video_pixels_max", default.max_pixels),
        max_frame_rate=limits.get("video_frame_rate_max", default.max_frame_rate),
        mime_types=tuple(limits.get("video_mime_types", default.mime_types)),
    )


def account_options(own: Mapping[str, Any]) -> Json:
    """What of an account's own profile is kept as its options."""
    kept = {"retry_safety": own["retry_safety"], "limits": own["limits"]}
    return kept | {"topics": own["topics"]} if own.get("topics") else kept


def _tokens(answer: Json) -> Tokens:
    if not answer.get("access_token"):
        raise Temporary("the network answered without a token")
    expires_at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=float(answer["expires_in"]))
    return Tokens(
        access_token=str(answer["access_token"]),
        refresh_token=str(answer.get("refresh_token") or ""),
        expires_at=expires_at,
    )


def _media_result(media: Json) -> StepResult:
    if media["state"] == "error":
        raise Rejected(RejectReason.MEDIA_BROKEN, "the network could not process the file")
    is_ready = media["state"] == "ready"
    return StepResult(
        state=StepState.DONE if is_ready else StepState.PROCESSING,
        remote_id=str(media["id"]),
        retry_after_s=0.0 if is_ready else 1.0,
    )


def _container_result(container: Json) -> StepResult:
    if container["state"] == "ERROR":
        raise Rejected(RejectReason.MEDIA_BROKEN, str(container.get("error") or ""))
    is_ready = container["state"] != "IN_PROGRESS"
    return StepResult(
        state=StepState.DONE if is_ready else StepState.PROCESSING,
        remote_id=str(container["id"]),
        retry_after_s=0.0 if is_ready else 1.0,
    )


def _following(page: Json, count: int) -> str:
    """The cursor of the next page; "" when this one was not full."""
    return str(page.get("cursor") or "") if count == POSTS_PER_CALL else ""


def _remote_post(post: Json) -> RemotePost:
    return RemotePost(
        remote_id=str(post["id"]),
        text=str(post["text"]),
        created_at=dt.datetime.fromisoformat(str(post["created_at"])),
        permalink=str(post.get("url") or ""),
        in_reply_to=str(post.get("reply_to") or ""),
        media_count=len(post.get("media") or ()),
    )


# --- errors -----------------------------------------------------------------------------------


def _checked(response: Response, *, changes: bool = False) -> Response:
    if not 200 <= response.status_code < 300:
        _map_error(response, changes=changes)
    return response


_REASONS = {
    "text_empty": RejectReason.TEXT_EMPTY,
    "text_too_long": RejectReason.TEXT_TOO_LONG,
    "too_many_media": RejectReason.TOO_MANY_MEDIA,
    "media_type": RejectReason.MEDIA_TYPE,
    "media_too_large": RejectReason.MEDIA_TOO_LARGE,
    "media_too_many_pixels": RejectReason.MEDIA_TOO_LARGE,
    "media_broken": RejectReason.MEDIA_BROKEN,
    "media_not_found": RejectReason.MEDIA_BROKEN,
    "media_mixed": RejectReason.MEDIA_MIXED,
    "video_too_long": RejectReason.VIDEO_TOO_LONG,
    "video_too_fast": RejectReason.VIDEO_TOO_FAST,
    "alt_text_too_long": RejectReason.ALT_TEXT_TOO_LONG,
    "thread_too_long": RejectReason.THREAD_TOO_LONG,
    "topic_unknown": RejectReason.SETTING_INVALID,
    "container_required": RejectReason.NOT_SUPPORTED,
    "container_not_offered": RejectReason.NOT_SUPPORTED,
    "reply_to_missing": RejectReason.NOT_FOUND,
    "not_found": RejectReason.NOT_FOUND,
    "forbidden": RejectReason.FORBIDDEN,
}


def _map_error(response: Response, *, changes: bool = False) -> NoReturn:
    """The one place that knows this network's error codes (docs/sandbox.md). ``changes``: the call made
    something visible, so an error of the server does not say whether it did."""
    status, detail = response.status_code, http.excerpt(response)
    if status == 429:
        raise RateLimited(http.retry_after(response, now=dt.datetime.now(dt.UTC), default_s=60), detail)
    if status >= 500 or status == 408:
        raise OutcomeUnknown(detail) if changes else Temporary(detail)
    code = ""
    with contextlib.suppress(ValueError, LookupError, TypeError):
        error = response.json()["error"]
        code = str(error["code"] if isinstance(error, dict) else error)
    if status == 401 or code == "insufficient_scope":
        raise NeedsReconnect(detail)
    if code == "media_not_ready":
        raise Temporary(detail)
    raise Rejected(_REASONS.get(code, RejectReason.INVALID), detail)
