"""Pinterest: pins of one image, of a carousel or of a video, on a board of the account.

Documents: Pinterest's OpenAPI description 5.23, developers.pinterest.com (set-up-authentication, rate-limits,
creating-boards-and-pins, access-tiers), checked 2026-11-30.

* OAuth 2 with the secret of one's own app (Basic); PKCE is not documented and not sent. A token lives
  30 days. Its refresh token is a continuous one: each refresh gives a new one of 60 days.
* Images are sent with the pin itself, as base64, so that Pinterest need not reach this installation. A video
  is uploaded to the storage that Pinterest names, and worked on before there can be a pin of it.
* There is no key against repetition, and the same pin twice is two pins (NEITHER): after an unknown outcome
  the pins of the board are read and compared by description and title.
* Limits come with ``x-ratelimit-reset`` in seconds; a moment in time is understood, too.
* Counts are those of the pin's whole life. Saves are not always among them: then they are read from the
  analytics of its first 90 days.

Not supported: board sections, saving pins of others, product tags, secret boards (scopes of their own).
There are no comments, messages or webhooks in this API, and nobody else's counts.
Not confirmed by a document: the sizes and seconds of videos, the order of a board's pins.
``seen_live`` is False: built from the documents, never run against Pinterest itself.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import itertools
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, ClassVar, cast
from urllib.parse import quote, urlencode

from requests import Response

from connectors import http
from connectors.answers import (
    count,
    https,
    ident,
    inner,
    instant,
    items,
    lifetime,
    number_or_text,
    object_of,
    quoted,
    split,
    text,
    whole_number,
)
from connectors.base import (
    AccountMetrics,
    AppCredentials,
    AppSetup,
    AuthorizeRequest,
    Capability,
    Connected,
    ConnectMethod,
    Connector,
    ImageLimit,
    Json,
    MediaItem,
    NotAllListed,
    PlatformInfo,
    PostField,
    PostLook,
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
    VideoLimit,
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
from connectors.files import opened, size_of, whole_of
from connectors.inbox import storable
from connectors.limits import Allowance, Answer, counted, of_the_call
from connectors.text import normalise

KEY = "pinterest"
ALT_TEXT_MAX = 500
INFO = PlatformInfo(
    key=KEY,
    name="Pinterest",
    capabilities=frozenset(
        {
            Capability.POST_IMAGES,
            Capability.POST_VIDEO,
            Capability.ALT_TEXT,
            Capability.ACCOUNT_METRICS,
            Capability.POST_METRICS,
        }
    ),
    connect_method=ConnectMethod.OAUTH,
    connect_fields=(),
    scopes=("boards:read", "boards:write", "pins:read", "pins:write", "user_accounts:read"),
    text=TextLimit(max_units=800, unit=TextUnit.CODEPOINTS),
    images=ImageLimit(
        max_count=5,
        max_bytes=5 * 1024 * 1024,  # five of them stand in one request, and in memory
        mime_types=("image/jpeg", "image/png"),
        alt_text_max=ALT_TEXT_MAX,
    ),
    videos=VideoLimit(
        max_count=1,
        max_bytes=2 * 1024 * 1024 * 1024,
        max_seconds=900,
        min_seconds=4,
        mime_types=("video/mp4",),
        alt_text_max=ALT_TEXT_MAX,
        takes_cover=True,
    ),
    thread_max=1,
    # Trial access; what is more comes back as 429.
    rates=(Rate("posts", 1000, 86_400),),
    retry_safety=RetrySafety.NEITHER,
    consistency_window_s=120,
    color="#bd081c",
    icon="brand-pinterest",
    account_metrics=("followers", "following", "posts"),
    post_metrics=("likes", "comments", "impressions", "bookmarks", "clicks"),
    look=PostLook(text="below", fold_lines=2, actions=("heart", "message-circle", "share")),
    tagline="With trial access of your developer app, pins are seen by nobody but their author.",
    app=AppSetup(
        console_url="https://developers.pinterest.com/apps/",
        steps=(
            "Sign in with a business account; making a personal account one is free.",
            "Choose “Connect app” and say what it is for. Pinterest looks at it, and gives trial access.",
            "Open the app and add the redirect address below under “Redirect URIs”.",
            "Copy the app ID and the app secret key.",
        ),
        review=(
            "Pins are seen by everybody once the app has standard access. Ask for it in the app, "
            "with a video that shows how an account is connected and a pin is published."
        ),
        id_label="App ID",
        secret_label="App secret key",  # noqa: S106 - a label
    ),
    post_fields=(
        PostField(
            name="board",
            label="Board",
            kind="choice",
            is_of_account=True,
            is_required=True,
            help_text="The board that the pin is put on. Secret boards are not among them.",
        ),
        PostField(name="title", label="Title", max_length=100),
        PostField(
            name="link",
            label="Link",
            kind="url",
            max_length=2048,
            help_text="Where the pin leads when somebody clicks on it.",
        ),
    ),
    seen_live=False,
)

UPLOAD_TIMEOUT_S = 600.0
PIN_TIMEOUT_S = 120.0  # the images are in the request
PER_CALL = 100
MAX_PAGES = 5
BOARDS_PER_CALL = 250
LIMIT_DEFAULT_S = 60.0
COVER_AT_S = 1
ANALYTICS_DAYS = 89
CHECK_AGAIN_S = 5.0


class PinterestConnector(Connector):
    INFO: ClassVar[PlatformInfo] = INFO

    @classmethod
    def allowances_told(cls, answer: Answer, *, now: dt.datetime) -> tuple[Allowance, ...]:
        """Calls are counted by kinds, of which none both reads and writes."""
        return counted(answer, "x-ratelimit", now=now, covers=of_the_call(answer))

    # Connecting.

    @classmethod
    def authorize_url(
        cls, *, app: AppCredentials, redirect_uri: str, state: str, scopes: Sequence[str] = ()
    ) -> AuthorizeRequest:
        query = {
            "client_id": app.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": ",".join(scopes or INFO.scopes),
            "state": state,
        }
        base = http.base_url("pinterest.web", "https://www.pinterest.com")
        return AuthorizeRequest(url=f"{base}/oauth/?{urlencode(query)}", code_verifier="")

    @classmethod
    def exchange_code(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> Connected:
        """Raises Rejected(INVALID) for a code, or an app, that Pinterest does not know."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            # What apps of before September 2025 have to ask for; for others it is so anyway.
            "continuous_refresh": "true",
        }
        tokens, scopes = _tokens(app, form)
        connector = cls(tokens=tokens, options={}, app=app)
        account = connector._account()
        profile = _profile(account)
        return Connected(
            profile=profile,
            tokens=tokens,
            scopes=scopes,
            options={"username": profile.handle, "scopes": list(scopes)},
        )

    @classmethod
    def refresh(cls, *, tokens: Tokens, options: Mapping[str, Any], app: AppCredentials | None) -> Tokens:
        if not tokens.refresh_token or app is None:
            raise NeedsReconnect("there is no refresh token")
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
        try:
            fresh, _ = _tokens(app, form)
        except Rejected as error:
            raise NeedsReconnect(error.detail) from error
        if not fresh.refresh_token:
            fresh = dataclasses.replace(fresh, refresh_token=tokens.refresh_token)
        return fresh

    def fetch_profile(self) -> Profile:
        return _profile(self._account())

    def fetch_choices(self) -> dict[str, list[tuple[str, str]]]:
        named = [
            (ident(board, "id"), text(board.get("name")) or ident(board, "id"))
            for page, _is_last in self._pages("/boards", {"page_size": str(BOARDS_PER_CALL)})
            for board in page
            if not board.get("is_ads_only")
        ]
        return {"board": sorted(named, key=lambda choice: choice[1].casefold())}

    # Publishing.

    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        """Images go with the pin; a video is uploaded before."""
        steps: list[Step] = []
        for p, one in enumerate(payload.parts):
            steps += [
                Step(key=f"part{p}.media{m}", kind=StepKind.MEDIA, part=p, media=m)
                for m, item in enumerate(one.media)
                if item.is_video
            ]
            steps.append(Step(key=f"part{p}.publish", kind=StepKind.PUBLISH, part=p))
        return tuple(steps)

    def prepare_step(
        self, step: Step, payload: PostPayload, done: Mapping[str, StepResult], *, key: str, now: dt.datetime
    ) -> Json:
        if step.kind is StepKind.MEDIA:
            return {"media_type": "video"}
        words, media = payload.parts[step.part].text, payload.parts[step.part].media
        pin: Json = {
            "board_id": _setting(payload, "board"),
            "title": _setting(payload, "title"),
            "description": words,
            "link": _setting(payload, "link"),
            # A pin has one text for all that it shows.
            "alt_text": " ".join(item.alt_text for item in media if item.alt_text)[:ALT_TEXT_MAX],
        }
        intent: Json = {"pin": {name: value for name, value in pin.items() if value}}
        for m, item in enumerate(media):
            if item.is_video:
                intent["media_id"] = done[f"part{step.part}.media{m}"].remote_id
        return intent

    def send_step(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        media = payload.parts[step.part].media
        if step.kind is StepKind.MEDIA:
            return self._upload(media[step.media])
        if "board_id" not in intent["pin"]:
            raise Rejected(RejectReason.SETTING_MISSING, "no board")
        if not media:
            raise Rejected(RejectReason.MEDIA_MISSING)
        if "media_id" in intent:
            source = _video_source(media[0], str(intent["media_id"]))
        else:
            source = _image_source(media)
        pin = {**intent["pin"], "media_source": source}
        response = self._call("POST", "/pins", json=pin, changes=True, timeout_s=PIN_TIMEOUT_S)
        pin_id = ident(http.json_object(_checked(response)), "id")
        return StepResult(remote_id=pin_id, permalink=_permalink(pin_id))

    def _upload(self, item: MediaItem) -> StepResult:
        registered = http.json_object(
            _checked(self._call("POST", "/media", json={"media_type": "video"}), about="media")
        )
        media_id, address = ident(registered, "media_id"), text(registered.get("upload_url"))
        stated = object_of(registered, "upload_parameters")
        fields = {storable(str(name)): storable(str(value)) for name, value in stated.items()}
        if not split(address).hostname:
            raise Temporary("an answer without a place to upload to")
        with opened(item) as stream:
            body = _Form(fields, stream, item.mime_type)
            stored = http.request(
                "POST",
                address,
                platform=KEY,
                headers={"Content-Type": body.content_type},
                body=cast("IO[bytes]", body),
                timeout_s=UPLOAD_TIMEOUT_S,
                guard=True,
            )
        if not 200 <= stored.status_code < 300:
            words = http.excerpt(stored, hidden=fields.values())
            if "EntityTooLarge" in words or stored.status_code == 413:
                raise Rejected(RejectReason.MEDIA_TOO_LARGE, words)
            raise Temporary(words)  # the permission to upload ended, say: the next try gets another
        return StepResult(state=StepState.PROCESSING, remote_id=media_id, retry_after_s=CHECK_AGAIN_S)

    def check(self, step: Step, intent: Json, sent: StepResult | None) -> StepResult | None:
        """Of a video. A pin has no state: what is not known of it is looked for on its board."""
        if step.kind is not StepKind.MEDIA:
            raise TypeError("a pin has no state to ask for")
        if sent is None or not sent.remote_id:
            return None
        response = self._call("GET", f"/media/{quote(sent.remote_id, safe='')}")
        if response.status_code == 404:
            return None
        status = ident(http.json_object(_checked(response, about="media")), "status")
        if status == "succeeded":
            return StepResult(remote_id=sent.remote_id)
        if status == "failed":
            raise Rejected(RejectReason.MEDIA_BROKEN, "Pinterest could not process the video")
        return StepResult(state=StepState.PROCESSING, remote_id=sent.remote_id, retry_after_s=CHECK_AGAIN_S)

    # Reading back.

    def find_recent(self, *, since: dt.datetime) -> Sequence[RemotePost]:
        return [_remote_post(pin) for pin in self._recent("/pins", since)[0]]

    def find_sent(self, payload: PostPayload, *, since: dt.datetime) -> Sequence[RemotePost]:
        """Pins of the board that have the payload's title: several may have the same words, or none.

        What is not on the board is looked for among all pins, too. Raises NotAllListed where neither list
        could be read far enough to tell.
        """
        board = _setting(payload, "board")
        said = {normalise(one.text) for one in payload.parts}
        found: list[RemotePost] = []
        is_known = False
        for path in (f"/boards/{quote(board, safe='')}/pins", "/pins") if board else ("/pins",):
            pins, is_whole = self._recent(path, since)
            is_known = is_known or is_whole
            found += [_remote_post(pin) for pin in pins if _may_be(pin, payload)]
            if any(normalise(post.text) in said for post in found):
                break
        if not is_known:
            raise NotAllListed("Pinterest did not list its pins from the newest down", found)
        return found

    def _recent(self, path: str, since: dt.datetime) -> tuple[list[Json], bool]:
        """Pins created since then, the newest first, and whether there can be no more of them: no document
        promises the order of a list, so an end is believed only as far as it was seen to be in order."""
        found: list[Json] = []
        is_whole = False
        for page, is_last in self._pages(path, {"page_size": str(PER_CALL)}):
            found += page
            dates = [_created(pin) for pin in found]
            in_order = all(later >= earlier for later, earlier in itertools.pairwise(dates))
            is_whole = is_last or (in_order and bool(dates) and dates[-1] < since)
            if is_whole:
                break
        recent = [pin for pin in found if _created(pin) >= since]
        return sorted(recent, key=_created, reverse=True), is_whole

    def fetch_post(self, remote_id: str) -> RemotePost | None:
        pin = self._pin(remote_id, {})
        return None if pin is None else _remote_post(pin)

    def _pin(self, remote_id: str, params: Mapping[str, str]) -> Json | None:
        response = self._call("GET", f"/pins/{quote(remote_id, safe='')}", params=params)
        if response.status_code in {404, 410}:
            return None
        return http.json_object(_checked(response))

    # Metrics.

    def fetch_account_metrics(self) -> AccountMetrics:
        account = self._account()
        return AccountMetrics(
            followers=count(account, "follower_count"),
            following=count(account, "following_count"),
            posts=count(account, "pin_count"),
        )

    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        found = {}
        for pin_id in remote_ids:
            pin = self._pin(pin_id, {"pin_metrics": "true"})
            if pin is None:
                continue
            counts = inner(pin, "pin_metrics", "lifetime_metrics")
            saves = count(counts, "save")
            clicks = [count(counts, name) for name in ("pin_click", "clickthrough")]
            found[pin_id] = PostMetrics(
                likes=count(counts, "reaction"),
                comments=count(counts, "comment"),
                impressions=count(counts, "impression"),
                bookmarks=saves if saves is not None else self._saves(pin),
                clicks=None if clicks == [None, None] else whole_number(sum(one or 0 for one in clicks)),
            )
        return found

    def _saves(self, pin: Json) -> int | None:
        """From the analytics, which reach back for 90 days: of an older pin they would tell too little."""
        now = dt.datetime.now(dt.UTC)
        begin = _created(pin).date()
        if (now.date() - begin).days > ANALYTICS_DAYS:
            return None
        params = {
            "start_date": begin.isoformat(),
            "end_date": now.date().isoformat(),
            "metric_types": "SAVE",
        }
        response = self._call("GET", f"/pins/{quoted(ident(pin, 'id'))}/analytics", params=params)
        if response.status_code == 404:
            return None
        return count(inner(http.json_object(_checked(response)), "all", "summary_metrics"), "SAVE")

    # Calls.

    def _account(self) -> Json:
        return http.json_object(_checked(self._call("GET", "/user_account")))

    def _pages(self, path: str, params: Mapping[str, str]) -> Iterator[tuple[list[Json], bool]]:
        """The first pages of a list, each with whether it is the last one."""
        query = dict(params)
        for _page in range(MAX_PAGES):
            answer = http.json_object(_checked(self._call("GET", path, params=query)))
            page = items(answer, "items")
            bookmark = text(answer.get("bookmark"))
            is_last = not bookmark or bookmark == query.get("bookmark")
            yield page, is_last
            if is_last:
                return
            query["bookmark"] = bookmark

    def _call(self, method: str, path: str, **arguments: Any) -> Response:
        """With a token; one that is no longer taken is renewed once (a 401 did nothing)."""
        response = self._with_token(method, path, **arguments)
        if response.status_code == 401 and self.renew is not None:
            self.tokens = self.renew(self.tokens)
            response = self._with_token(method, path, **arguments)
        return response

    def _with_token(self, method: str, path: str, **arguments: Any) -> Response:
        headers = {"Authorization": f"Bearer {self.tokens.access_token}", "Accept": "application/json"}
        return http.request(method, _base() + path, platform=KEY, headers=headers, **arguments)


def _base() -> str:
    return http.base_url(KEY, "https://api.pinterest.com/v5")


def _tokens(app: AppCredentials, form: Mapping[str, str]) -> tuple[Tokens, tuple[str, ...]]:
    response = http.request(
        "POST",
        f"{_base()}/oauth/token",
        platform=KEY,
        headers={"Accept": "application/json"},
        auth=(app.client_id, app.client_secret),
        form=form,
    )
    hidden = (app.client_secret, *(form.get(name, "") for name in ("code", "refresh_token")))
    if not 200 <= response.status_code < 300:
        words = http.excerpt(response, hidden=hidden)
        error = _map_error(response, words)
        # Here 401 is about the app or the code, not about an account's token.
        raise Rejected(RejectReason.INVALID, words) if isinstance(error, NeedsReconnect) else error
    answer = http.json_object(response)
    lives = lifetime(answer.get("expires_in"))
    tokens = Tokens(
        access_token=ident(answer, "access_token"),
        refresh_token=text(answer.get("refresh_token")),
        expires_at=dt.datetime.now(dt.UTC) + lives if lives is not None else None,
    )
    scopes = tuple(re.split(r"[ ,]+", text(answer.get("scope")).strip()))
    return tokens, scopes if scopes != ("",) else INFO.scopes


# --- what is sent -----------------------------------------------------------------------------


def _setting(payload: PostPayload, name: str) -> str:
    return str(payload.settings.get(name) or "").strip()


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _image_source(media: Sequence[MediaItem]) -> Json:
    images = [{"content_type": item.mime_type, "data": _encoded(whole_of(item))} for item in media]
    if len(images) == 1:
        return {"source_type": "image_base64", **images[0]}
    return {"source_type": "multiple_image_base64", "items": images}


def _video_source(item: MediaItem, media_id: str) -> Json:
    """With the chosen cover, or the picture of its first second: a pin of a video needs one."""
    source: Json = {"source_type": "video_id", "media_id": media_id}
    try:
        if item.cover is not None:
            with item.cover() as stream:
                data = _encoded(stream.read())
            return {**source, "cover_image_content_type": "image/jpeg", "cover_image_data": data}
    except FileNotFoundError:
        pass
    except OSError as error:
        raise Temporary("the picture before the video cannot be read now") from error
    return {**source, "cover_image_key_frame_time": COVER_AT_S}


class _Form:
    """The body of a form with one file at its end (as storage wants it), read piece by piece: a video of some
    gigabytes has no room in memory."""

    def __init__(self, fields: Mapping[str, str], stream: IO[bytes], mime_type: str) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{_plain(name)}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        head += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="video.mp4"\r\n'
            f"Content-Type: {mime_type}\r\n\r\n"
        )
        size = size_of(stream)
        self._stream = stream
        self._before = head.encode()
        self._after = f"\r\n--{boundary}--\r\n".encode("ascii")
        self._length = len(self._before) + size + len(self._after)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(64 * 1024):
            yield piece

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            return b"".join(self)
        if self._before:
            piece, self._before = self._before, b""
            return piece
        piece = self._stream.read(size)
        if not piece:
            piece, self._after = self._after, b""
        return piece


def _plain(name: str) -> str:
    return re.sub(r'[\r\n"]', "", name)


# --- what is read -----------------------------------------------------------------------------


def _profile(account: Json) -> Profile:
    username = ident(account, "username")
    return Profile(
        remote_id=number_or_text(account.get("id")) or username,
        handle=username,
        display_name=text(account.get("business_name")),
        avatar_url=https(account.get("profile_image")),
        profile_url=f"https://www.pinterest.com/{quoted(username)}/",
    )


def _may_be(pin: Json, payload: PostPayload) -> bool:
    """By its title. A pin without one may have been given that of the page that it leads to; then its words
    have to do, if it has any."""
    ours, theirs = normalise(_setting(payload, "title")), normalise(text(pin.get("title")))
    has_words = any(one.text.strip() for one in payload.parts)
    return ours == theirs or (not ours and has_words)


def _permalink(pin_id: str) -> str:
    return f"https://www.pinterest.com/pin/{quoted(pin_id)}/"


def _remote_post(pin: Json) -> RemotePost:
    pin_id = ident(pin, "id")
    return RemotePost(
        remote_id=pin_id,
        text=text(pin.get("description")).strip(),
        created_at=_created(pin),
        permalink=_permalink(pin_id),
        media_count=_media_count(pin.get("media")),
    )


def _media_count(media: object) -> int:
    """0 where it is not told."""
    if not isinstance(media, dict):
        return 0
    if isinstance(media.get("items"), list):
        return len(media["items"])
    return int(text(media.get("media_type")) in {"image", "video"})


def _created(pin: Json) -> dt.datetime:
    at = instant(pin.get("created_at"))
    if at is None:
        raise Temporary("a pin without a date")
    return at


# --- errors -----------------------------------------------------------------------------------


def _checked(response: Response, *, about: str = "") -> Response:
    if not 200 <= response.status_code < 300:
        raise _map_error(response, http.excerpt(response), about=about)
    return response


def _retry_at(response: Response) -> dt.datetime:
    """Seconds from now, as Pinterest's limits have it, or a moment (ISO 8601, seconds of the epoch)."""
    now = dt.datetime.now(dt.UTC)
    reset = response.headers.get("X-RateLimit-Reset", "").strip()
    if "Retry-After" in response.headers or not reset:
        return http.retry_after(response, now=now, default_s=LIMIT_DEFAULT_S)
    try:
        if re.fullmatch(r"[0-9]{1,12}(\.[0-9]+)?", reset):
            seconds = float(reset)
            at = dt.datetime.fromtimestamp(seconds, dt.UTC) if seconds > 1e9 else now + _seconds(seconds)
        else:
            at = instant(reset) or now + _seconds(LIMIT_DEFAULT_S)
    except (ValueError, OverflowError, OSError):
        at = now + _seconds(LIMIT_DEFAULT_S)
    return min(max(at, now + _seconds(1)), now + http.LONGEST_WAIT)


def _seconds(seconds: float) -> dt.timedelta:
    return dt.timedelta(seconds=seconds)


def _map_error(response: Response, words: str, *, about: str = "") -> ConnectorError:
    """The only place that knows what Pinterest's statuses mean: ``{"code": 2, "message": "..."}``."""
    status = response.status_code
    changes = getattr(response.request, "changes", False)
    if status == 401:
        return NeedsReconnect(words)
    if status == 429:
        return RateLimited(_retry_at(response), words)
    if status >= 500 or status in {408, 409}:
        return OutcomeUnknown(words) if changes else Temporary(words)
    if status == 403:
        return Rejected(RejectReason.FORBIDDEN, words)
    if status == 413:
        return Rejected(RejectReason.MEDIA_TOO_LARGE, words)
    if status in {404, 410}:
        return Rejected(RejectReason.NOT_FOUND, words)
    if about == "media" or re.search(r"(?i)\b(image|video|media|base64)\b", words):
        return Rejected(RejectReason.MEDIA_BROKEN, words)
    return Rejected(RejectReason.INVALID, words)
