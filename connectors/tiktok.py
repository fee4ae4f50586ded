"""TikTok: videos and photo posts by the Content Posting API (Direct Post), counts, webhooks.

Documents: developers.tiktok.com, doc/content-posting-api-reference-direct-post, -photo-post,
-get-video-status, -media-transfer-guide, content-sharing-guidelines, oauth-user-access-token-management,
tiktok-api-v2-video-list, tiktok-api-v2-video-query, webhooks-events, webhooks-verification; read
2026-11-30.

* Tokens: the new documents say 2 hours and 180 days, older ones 24 hours and 365 days, so what TikTok says
  with each token is believed. A refresh token is good for one use.
* A video: ``video/init`` makes an upload (CONTAINER: nobody sees it, and it comes to nothing by itself),
  the file is sent in pieces (PUBLISH). Nothing is published until the last piece is there, so only that
  one is a commitment; after an unknown outcome ``status/fetch`` says what became of it (TWO_PHASE). The
  address of the upload is good for an hour. A new upload is begun only when the old one has failed, or its
  hour is over without all pieces.
* Photos are fetched by TikTok: ``content/init`` publishes at once. If the answer to that is lost, nothing
  tells what became of it (``video/list`` has public videos only), so a person is asked.
* The id of a post comes late, after TikTok's moderation, and never for posts that are not public. Until
  then, and for those for good, ``remote_id`` is the id of the publication, which is looked up each time.
* An app that TikTok has not audited posts only for private accounts, visible only to themselves.
* ``title`` and ``video_description`` in lists are cut at 150 characters.

Not supported: drafts in the app's inbox (a person would have to finish them there), a cover picture (only
a frame of the video can be named). Comments and messages are not in this API, nor are other accounts.
``seen_live`` is False: built from the documents, never run against TikTok itself.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from requests import Response

from connectors import http
from connectors.answers import (
    count,
    https,
    ident,
    instant,
    is_digits,
    items,
    lifetime,
    moment,
    number_or_text,
    object_of,
    quoted,
    split,
    text,
)
from connectors.base import (
    AccountMetrics,
    AppCredentials,
    AuthorizeRequest,
    Connected,
    Connector,
    Json,
    MediaItem,
    PlatformInfo,
    PostMetrics,
    PostPayload,
    Profile,
    RemotePost,
    RetrySafety,
    Step,
    StepKind,
    StepResult,
    StepState,
    Tokens,
    WebhookEvent,
    WebhookKind,
    granted,
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
from connectors.files import opened, piece_of
from connectors.inbox import storable
from connectors.text import normalise
from connectors.tiktok_calls import KEY, call, code_of, data_of, failure_of, map_error
from connectors.tiktok_info import EVERYONE, INFO, ONLY_ME, PRIVACY, PUBLISHING

CHUNK_BYTES = 10 * 1024 * 1024
UPLOAD_TIMEOUT_S = 120.0
UPLOAD_GOOD_FOR = dt.timedelta(minutes=55)  # TikTok says an hour
# Moderation "usually finishes within one minute"; so long the public id is waited for.
ID_COMES_WITHIN = dt.timedelta(minutes=5)
POLL_S = 5.0
LONGEST_VIDEO_S = 86_400  # what is said to be longer is no length
TITLE_MAX = 90  # UTF-16 units
PER_CALL = 20  # videos
MAX_PAGES = 5
LOOKED_UP_AT_ONCE = 20  # publications; 30 questions a minute are allowed
SIGNATURE_GOOD_FOR_S = 300
VIDEO_FIELDS = "id,create_time,share_url,title,video_description"
COUNT_FIELDS = "id,like_count,comment_count,share_count,view_count"
GONE = frozenset({401, 403, 404, 410, 416})  # what an upload's address answers that is not good (any more)


class TikTokConnector(Connector):
    INFO: ClassVar[PlatformInfo] = INFO

    @classmethod
    def info_for(cls, options: Mapping[str, Any]) -> PlatformInfo:
        info = granted(INFO, options.get("scopes") or ())
        longest = options.get("max_seconds")
        if not isinstance(longest, int) or longest <= 0 or info.videos is None:
            return info
        return dataclasses.replace(info, videos=dataclasses.replace(info.videos, max_seconds=longest))

    # Connecting.

    @classmethod
    def authorize_url(
        cls, *, app: AppCredentials, redirect_uri: str, state: str, scopes: Sequence[str] = ()
    ) -> AuthorizeRequest:
        """Without PKCE, which TikTok has for mobile and desktop apps only."""
        query = {
            "client_key": app.client_id,
            "response_type": "code",
            "scope": ",".join(scopes or INFO.scopes),
            "redirect_uri": redirect_uri,
            "state": state,
        }
        server = http.base_url(f"{KEY}.web", "https://www.tiktok.com")
        return AuthorizeRequest(url=f"{server}/v2/auth/authorize/?{urlencode(query)}", code_verifier="")

    @classmethod
    def exchange_code(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> Connected:
        """Raises Rejected(INVALID) for a code that TikTok does not know, Rejected(FORBIDDEN) when the person
        did not allow publishing."""
        form = {
            "client_key": app.client_id,
            "client_secret": app.client_secret,
            "code": code,
            "grant_type": "authorization_code",
            "redirect_uri": redirect_uri,
        }
        tokens, scopes = _tokens(form)
        if scopes and not set(PUBLISHING.scopes) <= set(scopes):
            raise Rejected(RejectReason.FORBIDDEN, "publishing was not allowed in TikTok's own dialogue")
        connector = cls(tokens=tokens, options={}, app=app)
        profile = connector.fetch_profile()
        options: Json = {
            "open_id": profile.remote_id,
            "username": profile.handle,
            "scopes": list(scopes or INFO.scopes),
        }
        with suppress(ConnectorError):  # it is connected all the same: the limit is then TikTok's usual one
            longest = count(connector._creator(), "max_video_post_duration_sec")
            if longest and longest < LONGEST_VIDEO_S:
                options["max_seconds"] = longest
        return Connected(profile=profile, tokens=tokens, scopes=tuple(options["scopes"]), options=options)

    @classmethod
    def refresh(cls, *, tokens: Tokens, options: Mapping[str, Any], app: AppCredentials | None) -> Tokens:
        if not tokens.refresh_token or app is None:
            raise NeedsReconnect("no refresh token")
        form = {
            "client_key": app.client_id,
            "client_secret": app.client_secret,
            "grant_type": "refresh_token",
            "refresh_token": tokens.refresh_token,
        }
        try:
            fresh, _ = _tokens(form)
        except Rejected as error:
            raise NeedsReconnect(error.detail) from error
        return (
            fresh if fresh.refresh_token else dataclasses.replace(fresh, refresh_token=tokens.refresh_token)
        )

    def fetch_profile(self) -> Profile:
        user = self._user("open_id,avatar_url,display_name,username")
        open_id = ident(user, "open_id")
        username, name = text(user.get("username")), text(user.get("display_name"))
        return Profile(
            remote_id=open_id,
            handle=username or name or open_id,
            display_name=name,
            avatar_url=https(user.get("avatar_url")),
            profile_url=f"https://www.tiktok.com/@{quoted(username)}" if username else "",
        )

    def fetch_choices(self) -> dict[str, list[tuple[str, str]]]:
        """Who may see a post, as the account allows it now: an account that is private offers less."""
        options = self._creator().get("privacy_level_options")
        offered = [one for one in options if text(one)] if isinstance(options, list) else []
        return {"privacy": [(one, PRIVACY.get(one, one)) for one in offered]}

    def _creator(self) -> Json:
        return data_of(self._call("POST", "/v2/post/publish/creator_info/query/", json={}))

    def _user(self, fields: str) -> Json:
        return object_of(data_of(self._call("GET", "/v2/user/info/", params={"fields": fields})), "user")

    # Publishing.

    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        steps: list[Step] = []
        for p, one in enumerate(payload.parts):
            if any(item.is_video for item in one.media):
                steps.append(Step(key=f"part{p}.container", kind=StepKind.CONTAINER, part=p))
            steps.append(Step(key=f"part{p}.publish", kind=StepKind.PUBLISH, part=p))
        return tuple(steps)

    def prepare_step(
        self, step: Step, payload: PostPayload, done: Mapping[str, StepResult], *, key: str, now: dt.datetime
    ) -> Json:
        words, media = payload.parts[step.part].text, payload.parts[step.part].media
        video = next((item for item in media if item.is_video), None)
        if video is None:
            return {"photos": _photo_post(words, payload.settings)}
        chunk, count = pieces_of(video.size)
        if step.kind is StepKind.CONTAINER:
            return {
                "post_info": _video_post(words, payload.settings),
                "source_info": {
                    "source": "FILE_UPLOAD",
                    "video_size": video.size,
                    "chunk_size": chunk,
                    "total_chunk_count": count,
                },
            }
        made = done[f"part{step.part}.container"]
        return {
            "publish_id": made.remote_id,
            "upload_url": made.detail["upload_url"],
            "good_until": made.detail["good_until"],
            "size": video.size,
            "chunk_size": chunk,
            "pieces": count,
            "privacy": str(payload.settings.get("privacy") or ""),
        }

    def send_step(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        media = payload.parts[step.part].media
        if step.kind is StepKind.CONTAINER:
            _check_choices(intent["post_info"])
            begun = _now()
            data = data_of(self._call("POST", "/v2/post/publish/video/init/", json=intent))
            if not _is_upload(data.get("upload_url")):
                raise Temporary("TikTok named no usable address for the file")
            until = (begun + UPLOAD_GOOD_FOR).isoformat()
            detail = {"upload_url": str(data["upload_url"]), "good_until": until}
            return StepResult(remote_id=ident(data, "publish_id"), detail=detail)
        if "photos" in intent:
            return self._publish_photos(media, intent["photos"])
        return self._send_video(next(item for item in media if item.is_video), intent)

    def _publish_photos(self, media: Sequence[MediaItem], post: Json) -> StepResult:
        _check_choices(post["post_info"])
        source = {**post["source_info"], "photo_images": [item.address() for item in media]}
        sent = {**post, "source_info": source}
        data = data_of(self._call("POST", "/v2/post/publish/content/init/", json=sent, changes=True))
        return _processing(ident(data, "publish_id"))

    def _send_video(self, item: MediaItem, intent: Json) -> StepResult:
        """The pieces that are still missing, the last of which publishes."""
        size, chunk, count = intent["size"], intent["chunk_size"], intent["pieces"]
        there: int | StepResult = 0
        if count > 1 or _now() >= dt.datetime.fromisoformat(intent["good_until"]):
            there = self._how_far(intent)
        if isinstance(there, StepResult):
            return there
        with opened(item) as stream:
            for index in range(min(there // chunk, count - 1), count):
                is_last = index == count - 1
                start, end = index * chunk, size if is_last else (index + 1) * chunk
                piece = piece_of(stream, start, end - start)
                headers = {"Content-Range": f"bytes {start}-{end - 1}/{size}", "Content-Type": item.mime_type}
                response = http.request(
                    "PUT",
                    intent["upload_url"],
                    platform=KEY,
                    headers=headers,
                    body=piece,
                    timeout_s=UPLOAD_TIMEOUT_S,
                    changes=is_last,
                    guard=True,
                )
                if response.status_code in GONE or (is_last and _is_refusal(response)):
                    return self._after_refusal(response, intent, is_last=is_last)
                _check_piece(response, intent["upload_url"], is_last=is_last)
        return _processing(intent["publish_id"])

    def _how_far(self, intent: Json, *, is_sent: bool = False) -> int | StepResult:
        """How many bytes of the upload are there; its state where all are. Raises Temporary(starts_over) when
        it surely never becomes a post. ``is_sent``: the last piece is under way, so only a failure that
        TikTok tells is sure; what it does not know or has not counted yet is not."""
        is_over = _now() >= dt.datetime.fromisoformat(intent["good_until"])
        try:
            status = self._status(intent["publish_id"])
        except Rejected as error:
            if is_sent:
                raise OutcomeUnknown(error.detail) from error
            is_forgotten = error.reason is RejectReason.NOT_FOUND
            raise Temporary(error.detail, starts_over=is_over and is_forgotten) from error
        if status.get("status") == "FAILED":
            raise Temporary(failure_of(text(status.get("fail_reason"))).detail, starts_over=True)
        if (result := self._outcome(status, intent, None)) is not None:
            return result
        if is_over and not is_sent:
            # Where TikTok does not tell what it has, it may have everything.
            is_known = _stated_bytes(status) is not None
            raise Temporary("the upload ended before all of the file was there", starts_over=is_known)
        return _uploaded(status)

    def _after_refusal(self, response: Response, intent: Json, *, is_last: bool) -> StepResult:
        """The address does not take a piece: it may have ended, or have all of them. After the last piece
        nothing but what TikTok says of the publication tells whether there is a post."""
        words = _words(response, intent["upload_url"])
        result = self._how_far(intent, is_sent=is_last)
        if isinstance(result, StepResult):
            return result
        if response.status_code in GONE:
            raise Temporary(words)
        if response.status_code == 413:
            raise Rejected(RejectReason.MEDIA_TOO_LARGE, words)
        # Of what it has TikTok tells late: this may be the answer to a piece that it has already.
        raise OutcomeUnknown(words)

    def safety_of(self, intent: Json, now: dt.datetime) -> RetrySafety:
        return RetrySafety.NEITHER if "photos" in intent else self.info.retry_safety

    def check(self, step: Step, intent: Json, sent: StepResult | None) -> StepResult | None:
        publish_id = sent.remote_id if sent is not None else intent["publish_id"]
        try:
            status = self._status(publish_id)
        except Rejected as error:  # that TikTok does not know it (any more) says nothing of the post
            raise OutcomeUnknown(error.detail) from error
        if status.get("status") == "FAILED":
            raise failure_of(text(status.get("fail_reason")))
        return self._outcome(status, {**intent, "publish_id": publish_id}, sent)

    def _status(self, publish_id: str) -> Json:
        body = {"publish_id": publish_id}
        return data_of(self._call("POST", "/v2/post/publish/status/fetch/", json=body))

    def _outcome(self, status: Json, intent: Json, sent: StepResult | None) -> StepResult | None:
        """What a state that is no failure means; None: pieces are missing."""
        publish_id, state = str(intent["publish_id"]), text(status.get("status"))
        if state == "PUBLISH_COMPLETE":
            return self._published(status, intent, sent)
        if state == "PROCESSING_UPLOAD" and sent is None and _uploaded(status) < intent.get("size", 0):
            return None
        if state in {"PROCESSING_UPLOAD", "PROCESSING_DOWNLOAD"}:
            return _processing(publish_id)
        raise Temporary(f"TikTok says {state[:50]!r} of what is being published")

    def _published(self, status: Json, intent: Json, sent: StepResult | None) -> StepResult:
        publish_id, is_photo = str(intent["publish_id"]), "photos" in intent
        if post_id := _post_id(status):
            return StepResult(remote_id=post_id, permalink=self._permalink(post_id, is_photo=is_photo))
        privacy = intent["photos"]["post_info"]["privacy_level"] if is_photo else intent.get("privacy")
        now = _now()
        seen = (instant(sent.detail.get("complete_at")) if sent else None) or now
        if privacy != EVERYONE or now - seen >= ID_COMES_WITHIN:
            return StepResult(remote_id=publish_id)
        return dataclasses.replace(_processing(publish_id), detail={"complete_at": seen.isoformat()})

    # Reading back.

    def find_recent(self, *, since: dt.datetime) -> Sequence[RemotePost]:
        found: list[RemotePost] = []
        body: Json = {"max_count": PER_CALL}
        for _page in range(MAX_PAGES):
            data = data_of(self._call("POST", f"/v2/video/list/?fields={VIDEO_FIELDS}", json=body))
            page = [self._remote_post(video, ident(video, "id")) for video in items(data, "videos")]
            found += [post for post in page if post.created_at >= since]
            if not page or not data.get("has_more") or page[-1].created_at < since:
                break
            body["cursor"] = data.get("cursor")
        return sorted(found, key=lambda post: post.created_at, reverse=True)

    def find_sent(self, payload: PostPayload, *, since: dt.datetime) -> Sequence[RemotePost]:
        """Of photos whose answer was lost. That they are not listed does not mean that they are not there."""
        posts = self.find_recent(since=since)
        said = {normalise(one.text) for one in payload.parts} - {""}  # without words it may be any of them
        if not any(normalise(post.text) in said for post in posts):
            raise Rejected(
                RejectReason.NOT_FOUND, "TikTok lists no posts that are not public or that it still moderates"
            )
        return posts

    def fetch_post(self, remote_id: str) -> RemotePost | None:
        return next(self.fetch_posts([remote_id]), None)

    def fetch_posts(self, remote_ids: Sequence[str]) -> Iterator[RemotePost]:
        for video, known_as in self._own_videos(self._known_as(remote_ids), VIDEO_FIELDS):
            yield self._remote_post(video, known_as)

    def _known_as(self, remote_ids: Sequence[str]) -> dict[str, str]:
        """The ids by which we know posts, by those that TikTok has for them; without those that have none."""
        known_as = {one: one for one in remote_ids if is_digits(one)}
        for publish_id in [one for one in remote_ids if not is_digits(one)][:LOOKED_UP_AT_ONCE]:
            with suppress(Rejected):  # TikTok has forgotten that publication
                if post_id := _post_id(self._status(publish_id)):
                    known_as[post_id] = publish_id
        return known_as

    def _own_videos(self, known_as: Mapping[str, str], fields: str) -> Iterator[tuple[Json, str]]:
        """Videos with the id by which we know each."""
        ids = list(known_as)
        for start in range(0, len(ids), PER_CALL):
            body = {"filters": {"video_ids": ids[start : start + PER_CALL]}}
            data = data_of(self._call("POST", f"/v2/video/query/?fields={fields}", json=body))
            for video in items(data, "videos"):
                if (remote_id := known_as.get(ident(video, "id"))) is not None:
                    yield video, remote_id

    # Webhooks.

    @classmethod
    def is_genuine(cls, body: bytes, headers: Mapping[str, str], *, secret: str) -> bool:
        """``TikTok-Signature: t=<epoch>,s=<hex HMAC-SHA256 of "<t>.<body>">`` with the app's secret."""
        given = dict(re.findall(r"(?:^|,)\s*([ts])=([^,\s]+)", headers.get("tiktok-signature", "")))
        at, signature = given.get("t", ""), given.get("s", "")
        if not secret or not re.fullmatch(r"[0-9]{1,12}", at) or not signature.isascii():
            return False
        expected = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        is_recent = abs(_now().timestamp() - int(at)) <= SIGNATURE_GOOD_FOR_S
        return hmac.compare_digest(expected, signature) and is_recent

    @classmethod
    def webhook_events(cls, body: bytes) -> tuple[WebhookEvent, ...]:
        try:
            told = json.loads(body)
            content = told.get("content") or {} if isinstance(told, dict) else None
            content = json.loads(content) if isinstance(content, str) else content
        except (ValueError, TypeError, RecursionError) as error:
            raise Rejected(RejectReason.INVALID, "not what TikTok sends") from error
        if not isinstance(told, dict) or not isinstance(content, dict):
            raise Rejected(RejectReason.INVALID, "not what TikTok sends")
        event, account = text(told.get("event")), number_or_text(told.get("user_openid"))
        publish_id = number_or_text(content.get("publish_id"))
        kind = WebhookKind.OTHER
        if event == "authorization.removed":
            kind = WebhookKind.REVOKED
        elif event.startswith("post.publish.") and "no_longer" not in event and publish_id:
            kind = WebhookKind.PUBLICATION
        # TikTok numbers no events; what is told again is the same in all of these.
        parts = [event, told.get("user_openid"), told.get("create_time"), told.get("content")]
        return (
            WebhookEvent(
                event_id=hashlib.sha256(json.dumps(parts).encode()).hexdigest(),
                kind=kind,
                account_id=storable(account),
                remote_id=storable(publish_id) if kind is WebhookKind.PUBLICATION else "",
            ),
        )

    # Metrics.

    def fetch_account_metrics(self) -> AccountMetrics:
        user = self._user("follower_count,following_count,video_count")
        return AccountMetrics(
            followers=count(user, "follower_count"),
            following=count(user, "following_count"),
            posts=count(user, "video_count"),
        )

    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        known_as = self._known_as(remote_ids)
        # Of what has no id yet, or never gets one because it is not public, nothing is told.
        untold = set(remote_ids) - set(known_as.values())
        return dict.fromkeys(untold, PostMetrics()) | {
            ours: PostMetrics(
                likes=count(video, "like_count"),
                comments=count(video, "comment_count"),
                shares=count(video, "share_count"),
                impressions=count(video, "view_count"),
            )
            for video, ours in self._own_videos(known_as, COUNT_FIELDS)
        }

    # Calls and answers.

    def _call(self, method: str, path: str, **arguments: Any) -> Response:
        response = call(method, path, token=self.tokens.access_token, **arguments)
        if code_of(response) == "access_token_invalid" and self.renew is not None:
            # Refused at the door, so nothing was done.
            self.tokens = self.renew(self.tokens)
            response = call(method, path, token=self.tokens.access_token, **arguments)
        return response

    def _permalink(self, post_id: str, *, is_photo: bool = False) -> str:
        username = str(self.options.get("username") or "")
        kind = "photo" if is_photo else "video"
        return f"https://www.tiktok.com/@{quoted(username)}/{kind}/{post_id}" if username else ""

    def _remote_post(self, video: Json, known_as: str) -> RemotePost:
        at = moment(video.get("create_time"))
        if at is None:
            raise Temporary("a video without a date")
        return RemotePost(
            remote_id=known_as,
            text=text(video.get("video_description")) or text(video.get("title")),
            created_at=at,
            permalink=https(video.get("share_url")) or self._permalink(ident(video, "id")),
        )


def pieces_of(size: int) -> tuple[int, int]:
    """The size of a piece and their number, by the rules of the media transfer guide: 5 to 64 MB each and at
    most 1,000, the last one takes what is left over (up to 128 MB), less than 5 MB go whole."""
    count = max(1, size // CHUNK_BYTES)
    return (size if count == 1 else CHUNK_BYTES), count


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _video_post(text: str, settings: Json) -> Json:
    """Everything that others may do is off until somebody switches it on, as TikTok wants it."""
    return {
        "title": text,
        "privacy_level": str(settings.get("privacy") or ""),
        "disable_comment": settings.get("allow_comment") is not True,
        "disable_duet": settings.get("allow_duet") is not True,
        "disable_stitch": settings.get("allow_stitch") is not True,
        "brand_content_toggle": settings.get("brand_content") is True,
        "brand_organic_toggle": settings.get("brand_organic") is True,
        "is_aigc": settings.get("is_aigc") is True,
    }


def _photo_post(text: str, settings: Json) -> Json:
    return {
        "media_type": "PHOTO",
        "post_mode": "DIRECT_POST",
        "post_info": {
            "title": str(settings.get("title") or "").strip(),
            "description": text,
            "privacy_level": str(settings.get("privacy") or ""),
            "disable_comment": settings.get("allow_comment") is not True,
            "auto_add_music": settings.get("add_music") is True,
            "brand_content_toggle": settings.get("brand_content") is True,
            "brand_organic_toggle": settings.get("brand_organic") is True,
        },
        "source_info": {"source": "PULL_FROM_URL", "photo_cover_index": 0},
    }


def _check_choices(post_info: Json) -> None:
    """What TikTok would refuse with words that nobody understands."""
    if post_info["brand_content_toggle"] and post_info["privacy_level"] == ONLY_ME:
        raise Rejected(RejectReason.SETTING_INVALID, "a paid partnership cannot be visible only to you")
    if "description" in post_info and len(post_info["title"].encode("utf-16-le", "replace")) > 2 * TITLE_MAX:
        raise Rejected(RejectReason.SETTING_INVALID, f"the title has more than {TITLE_MAX} characters")


def _processing(publish_id: str) -> StepResult:
    return StepResult(state=StepState.PROCESSING, remote_id=publish_id, retry_after_s=POLL_S)


def _is_upload(address: object) -> bool:
    parts = split(text(address))
    return parts.scheme in {"https", "http"} and bool(parts.hostname)


def _is_refusal(response: Response) -> bool:
    return 400 <= response.status_code < 500 and response.status_code not in {408, 429}


def _check_piece(response: Response, address: str, *, is_last: bool) -> None:
    """206: there is more to come; 201: all is there. Raises what anything else means."""
    status = response.status_code
    if status == 201 or (status in {200, 206} and not is_last):
        return
    words = _words(response, address)
    if status == 429:
        now = dt.datetime.now(dt.UTC)
        raise RateLimited(http.retry_after(response, now=now, default_s=60), words)
    if status >= 500 or status < 400 or status == 408:
        raise OutcomeUnknown(words) if is_last else Temporary(words)
    raise Rejected(RejectReason.MEDIA_TOO_LARGE if status == 413 else RejectReason.MEDIA_BROKEN, words)


def _words(response: Response, address: str) -> str:
    """What an upload's address answers, without what opens it."""
    secrets = [value for _, value in parse_qsl(split(address).query)]
    return http.excerpt(response, hidden=[address, *secrets])


def _uploaded(status: Json) -> int:
    """Bytes that are there; without the field there are none."""
    return _stated_bytes(status) or 0


def _stated_bytes(status: Json) -> int | None:
    return count(status, "uploaded_bytes")


def _post_id(status: Json) -> str:
    """The id of the public post, "" while there is none. The name is TikTok's own."""
    ids = status.get("publicaly_available_post_id")
    first = number_or_text(ids[0]) if isinstance(ids, list) and ids else ""
    return first if is_digits(first) else ""


def _tokens(form: Mapping[str, str]) -> tuple[Tokens, tuple[str, ...]]:
    """Raises Rejected(INVALID) for a code or a refresh token that TikTok does not take. What it says is told
    without what it was given, which stands in the body of the request."""
    response = call("POST", "/v2/oauth/token/", form=form)
    hidden = [form[name] for name in ("client_secret", "code", "refresh_token") if form.get(name)]
    code = code_of(response)
    if code in {"server_error", "temporarily_unavailable"} or response.status_code >= 500:
        raise Temporary(http.excerpt(response, hidden=hidden))
    if response.status_code == 429:
        raise map_error(response, hidden=hidden)
    if code or not 200 <= response.status_code < 300:
        raise Rejected(RejectReason.INVALID, http.excerpt(response, hidden=hidden))
    answer = http.json_object(response)
    access = text(answer.get("access_token"))
    if not access:
        raise Temporary("TikTok answered without a token")
    now = _now()
    extra: Json = {}
    if (ends := lifetime(answer.get("refresh_expires_in"))) is not None:
        extra["refresh_expires_at"] = (now + ends).isoformat()
    lives = lifetime(answer.get("expires_in"))
    tokens = Tokens(
        access_token=access,
        refresh_token=text(answer.get("refresh_token")),
        expires_at=now + lives if lives is not None else None,
        extra=extra,
    )
    return tokens, tuple(filter(None, re.split(r"[,\s]+", text(answer.get("scope")))))
