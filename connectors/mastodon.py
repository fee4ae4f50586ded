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
* ``thumbnail`` beside a video is read by Mastodon and its forks; others leave it out.
* media: Mastodon may answer 202 and work on; GoToSocial and takahe answer 200 when they are done. A video
  (one, with no images beside it) is turned into what browsers play by the server; what it takes is stated.
* errors: validation is 422 at Mastodon, 400 at GoToSocial and takahe; older takahe says 400 for a bad token.
* /api/v2/instance is missing or broken on some: /api/v1/instance has the same limits.

A reply names whom it answers, or they are not told; a direct message is a status for those whom it names.
Both are as safe to repeat as other statuses. takahe posts an answer to what is gone as a post of its own, so
what is answered is read first. Nobody can hide a reply of somebody else.

A content warning counts together with the text; media behind one are covered whether we say so or not.

Not supported: polls, quoting others, scheduling at the server (the outbox schedules).
``seen_live`` is False: tested against the documents and a stand-in server, not against a public server.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from requests import Response

from connectors import http
from connectors.answers import count, id_of, ident, lifetime, rows, text
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
    InboxPage,
    Json,
    MentionForm,
    ModerationAction,
    PlatformInfo,
    PostLook,
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
from connectors.errors import NeedsReconnect, OutcomeUnknown, Rejected, RejectReason, Temporary
from connectors.files import cover_of, whole_of
from connectors.inbox import read_lists
from connectors.limits import Allowance, Answer, counted, of_all_or_writes
from connectors.mastodon_calls import KEY, call, checked
from connectors.mastodon_inbox import DIRECT, Reader, author, listed, permalink, profile, remote_post
from connectors.mastodon_server import (
    Limits,
    find_server,
    read_instance,
    software_of,
    stated_options,
    version_of,
)
from connectors.text import addressed, find_mentions

# What each scope that the inbox needs is good for.
_NEEDS = {
    "read:notifications": frozenset(
        {Capability.INBOX_COMMENTS, Capability.INBOX_MENTIONS, Capability.INBOX_MESSAGES}
    ),
    "write:favourites": frozenset({Capability.LIKE}),
}

# Defaults of a Mastodon server (entities/Instance); ``info_for`` has those of the account's own.
# A content warning and the text share them (Mastodon's status length validator).
_TEXT = TextLimit(
    max_units=500, unit=TextUnit.GRAPHEMES, url_units=23, mention_user_only=True, with_warning=True
)

INFO = PlatformInfo(
    key=KEY,
    name="Mastodon",
    capabilities=frozenset(
        {
            Capability.POST_TEXT,
            Capability.POST_IMAGES,
            Capability.POST_VIDEO,
            Capability.POST_THREAD,
            Capability.FIRST_COMMENT,
            Capability.ALT_TEXT,
            Capability.CONTENT_WARNING,
            Capability.SENSITIVE_MEDIA,
            Capability.ACCOUNT_METRICS,
            Capability.POST_METRICS,
            Capability.COMPETITORS,
            Capability.REPLY,
            Capability.SEND_MESSAGE,
            *frozenset().union(*_NEEDS.values()),
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
    scopes=("read:accounts", "read:statuses", "write:statuses", "write:media", *_NEEDS),
    text=_TEXT,
    images=ImageLimit(
        max_count=4,
        max_bytes=16 * 1024 * 1024,
        mime_types=("image/jpeg", "image/png", "image/gif", "image/webp"),
        alt_text_max=1500,
        max_pixels=33_177_600,
    ),
    videos=VideoLimit(
        max_count=1,
        max_bytes=99 * 1024 * 1024,
        max_seconds=0,  # none stated
        mime_types=("video/mp4",),
        alt_text_max=1500,
        max_pixels=8_294_400,
        max_frame_rate=120,
        takes_cover=True,
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
    message_text=_TEXT,
    mentions=MentionForm.USER_HOST,
    # Its own web interface: 30 characters of an address, a gallery of 3:2, long posts cut at 32 lines.
    look=PostLook(
        avatar="rounded",
        fold_lines=32,
        link_shows=30,
        mention_shows_host=False,
        makes_card=True,
        card="small",
        text="below",
        actions=("arrow-back-up", "repeat", "star", "bookmark"),
    ),
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
    def allowances_told(cls, answer: Answer, *, now: dt.datetime) -> tuple[Allowance, ...]:
        """All calls share 300 in 5 minutes; uploads, deletions and posts have another limit, and their
        answers tell of whichever has less left."""
        return counted(answer, "x-ratelimit", now=now, covers=of_all_or_writes(answer))

    @classmethod
    def info_for(cls, options: Mapping[str, Any]) -> PlatformInfo:
        software = options.get("software", "")
        limits = Limits(options)
        counts_like_mastodon = not software or software in COUNTS_LIKE_MASTODON
        text = dataclasses.replace(
            _TEXT,
            max_units=limits.positive("max_characters", _TEXT.max_units),
            unit=TextUnit.GRAPHEMES if counts_like_mastodon else TextUnit.CODEPOINTS,
            url_units=limits.positive("characters_reserved_per_url", _TEXT.url_units)
            if counts_like_mastodon
            else 0,
            mention_user_only=counts_like_mastodon,
        )
        return dataclasses.replace(
            INFO,
            capabilities=INFO.capabilities - _out_of_reach(options.get("scopes")),
            text=text,
            message_text=text,
            images=ImageLimit(
                max_count=limits.positive("max_media_attachments", INFO.images.max_count),
                max_bytes=limits.positive("image_size_limit", INFO.images.max_bytes),
                mime_types=limits.image_types(INFO.images.mime_types),
                alt_text_max=limits.positive("description_limit", INFO.images.alt_text_max),
                max_pixels=limits.positive("image_matrix_limit", INFO.images.max_pixels),
            ),
            videos=_video_limit(limits, takes_cover=counts_like_mastodon),
            retry_safety=RetrySafety.IDEMPOTENT
            if software in KEEPS_IDEMPOTENCY_KEYS
            else RetrySafety.NEITHER,
        )

    # Connecting.

    @classmethod
    def register_app(cls, *, host: str, redirect_uri: str, app_name: str, website: str) -> AppCredentials:
        """``host`` as the person typed it. Raises Rejected(INVALID | HOST_UNKNOWN | HOST_REFUSED)."""
        server, instance = find_server(http.server_url(host))
        software = software_of(server, instance)
        scopes = ("read", "write") if software == "takahe" else INFO.scopes
        form = {"client_name": app_name, "redirect_uris": redirect_uri, "scopes": " ".join(scopes)}
        if website:
            form["website"] = website
        response = call("POST", server, "/api/v1/apps", form=form)
        app = http.json_object(checked(response))
        return AppCredentials(
            client_id=ident(app, "client_id"),
            client_secret=ident(app, "client_secret"),
            host=server,
            extra={"software": software, "scopes": list(scopes)},
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
        tokens, scopes = _tokens(call("POST", app.host, "/oauth/token", form=form))
        instance = read_instance(app.host)
        if instance is None:
            raise Temporary("the server does not describe itself")
        options = stated_options(app.host, instance)
        account = http.json_object(
            checked(call("GET", app.host, "/api/v1/accounts/verify_credentials", token=tokens.access_token))
        )
        options["account_id"] = ident(account, "id")
        granted = scopes or tuple(_scope(app).split())
        options["scopes"] = list(granted)
        return Connected(
            profile=profile(account, options),
            tokens=tokens,
            scopes=granted,
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
            fresh, _ = _tokens(call("POST", str(options["host"]), "/oauth/token", form=form))
        except Rejected as error:
            raise NeedsReconnect(error.detail) from error
        if not fresh.refresh_token:
            fresh = dataclasses.replace(fresh, refresh_token=tokens.refresh_token)
        return fresh

    def fetch_profile(self) -> Profile:
        return profile(self._account(), self.options)

    # Publishing.

    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        return standard_plan(payload, container=False)

    def prepare_step(
        self, step: Step, payload: PostPayload, done: Mapping[str, StepResult], *, key: str, now: dt.datetime
    ) -> Json:
        if payload.moderation is not None:
            return {"action": str(payload.moderation.action), "id": payload.moderation.remote_id}
        part = payload.parts[step.part]
        if step.kind is StepKind.MEDIA:
            item = part.media[step.media]
            intent: Json = {"description": item.alt_text}
            if not item.is_video and item.focus != (0.5, 0.5):
                intent["focus"] = _focus(item.focus)
            return intent
        media = [done[f"part{step.part}.media{m}"].remote_id for m in range(len(part.media))]
        status: Json = {
            "status": part.text,
            "media_ids": media,
            "visibility": self.options.get("visibility", "public"),
        }
        if (answered := payload.answered_by(step.part)) is not None:
            status["in_reply_to_id"] = done[f"part{answered}.publish"].remote_id
        elif payload.reply_to is not None:
            status |= _answering(part.text, payload.reply_to.detail)
            status["in_reply_to_id"] = payload.reply_to.remote_id
        elif payload.message_to is not None:
            detail = payload.message_to.detail
            status |= _answering(part.text, detail) | {"visibility": DIRECT}
            if detail.get("id"):
                status["in_reply_to_id"] = detail["id"]
        if part.warning:
            status["spoiler_text"] = part.warning
        if part.is_sensitive and media:
            status["sensitive"] = True
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
        if step.kind is StepKind.MODERATE:
            return self._moderate(intent)
        self._check_answer(payload, intent)
        response = self._call(
            "POST",
            "/api/v1/statuses",
            json=intent["status"],
            headers={"Idempotency-Key": intent["idempotency_key"]},
            changes=True,
        )
        status = http.json_object(checked(response, changes=True))
        if not (status_id := id_of(status.get("id"))):
            # GoToSocial's answer to a key that it has seen: {"status": "request already handled"}.
            raise OutcomeUnknown(f"accepted, but without an id: {http.excerpt(response)}")
        return StepResult(remote_id=status_id, permalink=permalink(status))

    def safety_of(self, intent: Json, now: dt.datetime) -> RetrySafety:
        repeat_until = intent.get("repeat_until")
        if repeat_until is not None and now >= dt.datetime.fromisoformat(repeat_until):
            return RetrySafety.NEITHER
        return self.info.retry_safety

    def _check_answer(self, payload: PostPayload, intent: Json) -> None:
        """Raises Rejected for an answer that would hang nowhere, or a message that nobody would receive."""
        if payload.reply_to is not None and self._status(payload.reply_to.remote_id) is None:
            raise Rejected(RejectReason.NOT_FOUND, "what this answers is not there any more")
        if payload.message_to is not None and not find_mentions(intent["status"]["status"]):
            raise Rejected(RejectReason.INVALID, "a direct message must name whom it is for")

    def _moderate(self, intent: Json) -> StepResult:
        verb = {ModerationAction.LIKE: "favourite", ModerationAction.UNLIKE: "unfavourite"}.get(
            ModerationAction(intent["action"])
        )
        if verb is None:
            raise Rejected(RejectReason.NOT_SUPPORTED, "nobody hides what others wrote on this network")
        checked(self._call("POST", f"/api/v1/statuses/{quote(intent['id'], safe='')}/{verb}"))
        return StepResult(remote_id=str(intent["id"]))

    def _upload(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        item = payload.parts[step.part].media[step.media]
        kind = "video" if item.is_video else "image"
        name = f"{kind}.{item.mime_type.partition('/')[2].partition('+')[0] or 'bin'}"
        files = {"file": (name, whole_of(item), item.mime_type)}
        if (cover := cover_of(item)) is not None:
            files["thumbnail"] = ("cover.jpg", cover, "image/jpeg")
        for path in ("/api/v2/media", "/api/v1/media"):
            response = self._call(
                "POST",
                path,
                files=files,
                form={key: intent[key] for key in ("description", "focus") if intent.get(key)} or None,
                timeout_s=UPLOAD_TIMEOUT_S * (3 if item.is_video else 1),
            )
            if response.status_code not in {404, 405}:
                break
        attachment = http.json_object(checked(response, about="media"))
        is_done = response.status_code != 202
        return StepResult(
            state=StepState.DONE if is_done else StepState.PROCESSING,
            remote_id=ident(attachment, "id"),
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
        checked(response, about="media")
        return StepResult(remote_id=sent.remote_id)

    def find_recent(self, *, since: dt.datetime) -> Sequence[RemotePost]:
        posts: list[RemotePost] = []
        params = {"limit": "40", "exclude_reblogs": "true"}
        account_id = quote(str(self.options["account_id"]), safe="")
        for _ in range(MAX_PAGES):
            response = self._call("GET", f"/api/v1/accounts/{account_id}/statuses", params=params)
            page = [remote_post(status) for status in http.json_objects(checked(response))]
            posts += [post for post in page if post.created_at >= since]
            if not page or page[-1].created_at < since:
                break
            params["max_id"] = page[-1].remote_id
        return sorted(posts, key=lambda post: post.created_at, reverse=True)

    def find_sent(self, payload: PostPayload, *, since: dt.datetime) -> Sequence[RemotePost]:
        """Not every server lists direct messages among the account's statuses."""
        posts = list(self.find_recent(since=since))
        position = ""
        for _ in range(MAX_PAGES if payload.message_to else 0):
            sent, position = self._reader().sent(position, since)
            posts += sent
            if not position:
                break
        return posts

    def fetch_post(self, remote_id: str) -> RemotePost | None:
        """Read with our token: many servers refuse readers without one."""
        status = self._status(remote_id)
        return None if status is None else remote_post(status)

    def fetch_posts(self, remote_ids: Sequence[str]) -> Iterator[RemotePost]:
        yield from (remote_post(status) for status in self._statuses(remote_ids))

    # Inbox.

    def fetch_inbox(self, *, since: dt.datetime, cursor: str = "") -> InboxPage:
        reader = self._reader()
        return read_lists(
            {
                "mentions": lambda position: reader.mentions(position, since),
                "own": lambda position: reader.own(position, since),
                "talks": lambda position: reader.talks(position, since),
            },
            cursor,
        )

    def _reader(self) -> Reader:
        return Reader(
            options=self.options,
            get=lambda path, query: self._call("GET", path, params=query),
            read=self._statuses,
        )

    # Metrics.

    def fetch_public_account(self, handle: str) -> PublicAccount | None:
        """An account that the server knows: of its own people, or of others that somebody here has met."""
        name = handle.strip().removeprefix("@")
        response = self._call("GET", "/api/v1/accounts/lookup", params={"acct": name}) if name else None
        if response is None or response.status_code in {404, 410}:
            return None
        account = http.json_object(checked(response))
        return PublicAccount(author(account, self.options), _counts(account))

    def fetch_account_metrics(self) -> AccountMetrics:
        return _counts(self._account())

    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        found: dict[str, PostMetrics] = {}
        for status in rows(list(self._statuses(remote_ids))):
            found[id_of(status.get("id"))] = PostMetrics(
                likes=count(status, "favourites_count"),
                comments=count(status, "replies_count"),
                shares=count(status, "reblogs_count"),
                quotes=count(status, "quotes_count"),
            )
        found.pop("", None)  # what cannot be read is nobody's
        return found

    # Calls.

    def _call(self, method: str, path: str, **arguments: Any) -> Response:
        return call(method, str(self.options["host"]), path, token=self.tokens.access_token, **arguments)

    def _account(self) -> Json:
        return http.json_object(checked(self._call("GET", "/api/v1/accounts/verify_credentials")))

    def _status(self, remote_id: str) -> Json | None:
        response = self._call("GET", f"/api/v1/statuses/{quote(remote_id, safe='')}")
        if response.status_code in {404, 410}:
            return None
        return http.json_object(checked(response))

    def _statuses(self, remote_ids: Sequence[str]) -> Iterator[object]:
        """Several at once where the server can (Mastodon 4.3), else one by one."""
        if version_of(self.options) < (4, 3) or self.options.get("software") != "mastodon":
            for remote_id in remote_ids:
                status = self._status(remote_id)
                if status is not None:
                    yield status
            return
        for start in range(0, len(remote_ids), STATUSES_PER_CALL):
            params = [("id[]", remote_id) for remote_id in remote_ids[start : start + STATUSES_PER_CALL]]
            yield from listed(self._call("GET", "/api/v1/statuses", params=params))


# --- answers ----------------------------------------------------------------------------------


def _video_limit(limits: Limits, *, takes_cover: bool) -> VideoLimit | None:
    """None for a server that says which types it takes and names no video that we make."""
    default = INFO.videos
    if default is None or not limits.takes(default.mime_types):
        return None
    return dataclasses.replace(
        default,
        max_bytes=limits.positive("video_size_limit", default.max_bytes),
        max_pixels=limits.positive("video_matrix_limit", default.max_pixels),
        max_frame_rate=limits.positive("video_frame_rate_limit", int(default.max_frame_rate)),
        alt_text_max=limits.positive("description_limit", default.alt_text_max),
        takes_cover=takes_cover,
    )


def _focus(focus: tuple[float, float]) -> str:
    """As Mastodon counts: from -1 to 1, to the right and up from the middle."""
    return f"{focus[0] * 2 - 1:.2f},{1 - focus[1] * 2:.2f}"


def _answering(text: str, detail: Json) -> Json:
    """An answer goes to those who could read what it answers, and names its author."""
    answer: Json = {"status": addressed(text, str(detail.get("mention", "")))}
    return answer | ({"visibility": detail["visibility"]} if detail.get("visibility") else {})


def _out_of_reach(granted: object) -> frozenset[Capability]:
    """What an account cannot do because these scopes were not granted; nothing while they are not known."""
    if not isinstance(granted, list):
        return frozenset()
    lacking = [scope for scope in _NEEDS if not {scope, scope.partition(":")[0]} & set(granted)]
    return frozenset().union(*(_NEEDS[scope] for scope in lacking))


def _scope(app: AppCredentials) -> str:
    return " ".join(app.extra.get("scopes") or INFO.scopes)


def _tokens(response: Response) -> tuple[Tokens, tuple[str, ...]]:
    if response.status_code in {400, 401, 403}:
        raise Rejected(RejectReason.INVALID, http.excerpt(response))
    answer = http.json_object(checked(response))
    if not isinstance(answer.get("access_token"), str) or not answer["access_token"]:
        raise Temporary("the server answered without a token")
    refresh_token = text(answer.get("refresh_token"))
    lives = lifetime(answer.get("expires_in"))
    expires_at = dt.datetime.now(dt.UTC) + lives if refresh_token and lives else None
    tokens = Tokens(access_token=answer["access_token"], refresh_token=refresh_token, expires_at=expires_at)
    return tokens, tuple(text(answer.get("scope")).split())


def _counts(account: Json) -> AccountMetrics:
    return AccountMetrics(
        followers=count(account, "followers_count"),
        following=count(account, "following_count"),
        posts=count(account, "statuses_count"),
    )
