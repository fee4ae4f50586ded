"""YouTube: videos and Shorts, comments below them, counts, other channels.

Documents: developers.google.com/youtube/v3 (guides/using_resumable_upload_protocol, docs/videos,
docs/thumbnails, docs/commentThreads, docs/comments, docs/channels, docs/errors, determine_quota_cost), the
discovery document of 2026-11-04 and developers.google.com/identity/protocols/oauth2; read 2026-11-30.

* Tokens last an hour. The refresh token is kept by Google for good, or for 7 days while the consent screen
  of the app is in "Testing" (unconfirmed); it is not replaced when it is used.
* Google asks at the sign-in which channel is meant: one sign-in speaks for one channel.
* A video: a session is made (CONTAINER: nobody sees it), the file is sent to its address in pieces
  (PUBLISH). One session makes one video however often its pieces are sent, and says what it has
  (TWO_PHASE). It lasts about a week; a new one is begun only when the old one is gone and had not got all
  of the file.
* A session that is gone after a lost answer tells nothing: a person is asked.
* The picture before a video is set in a step after it. Whatever becomes of that, the video stays
  published.
* Comments and answers have no protection against repetition (NEITHER): the channel's own comments are
  read.
* A Short is an upright video of up to 3 minutes; YouTube decides that by itself.
* Videos that a project uploads which Google has not audited stay private (unconfirmed).
* Quotas are of the whole project: 100 uploads a day, and 10,000 units a day for all other calls (a list 1,
  anything that changes something 50), until midnight Pacific time. No header tells what is left.
* Shares and watch time are told by reports alone (``youtube_analytics``), to who allowed it.

Not supported: likes of comments (there is no call), posts in the community tab, messages, captions,
publishing at a time of YouTube's (the outbox schedules), WebSub (it tells only of the channel's own uploads).
``seen_live`` is False: built from the documents, never run against YouTube itself.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from requests import Response

from connectors import http, youtube_analytics, youtube_login
from connectors.answers import count, ident, instant, quoted, split, text
from connectors.base import (
    AccountMetrics,
    AppCredentials,
    AuthorizeRequest,
    Connected,
    Connector,
    InboxPage,
    Json,
    MediaItem,
    ModerationAction,
    PlatformInfo,
    PostMetrics,
    PostPayload,
    Profile,
    PublicAccount,
    RemotePost,
    RetrySafety,
    Step,
    StepKind,
    StepResult,
    StepState,
    Tokens,
    granted,
)
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.files import opened, piece_of
from connectors.inbox import read_lists
from connectors.text import tags_length, tags_of
from connectors.youtube_calls import (
    base,
    call,
    checked,
    in_doubt,
    items_of,
    map_error,
    part_of,
    reason_of,
)
from connectors.youtube_inbox import (
    Reader,
    answer_to,
    comment_below,
    permalink,
    thread_of,
    web_url,
    words_of,
)
from connectors.youtube_info import INFO, PLAIN_METRICS, PUBLISHING

CHUNK_BYTES = 16 * 1024 * 1024  # a multiple of 256 KiB
UPLOAD_TIMEOUT_S = 120.0
# YouTube works on a video after it has it; so long that is waited for before the post counts as sent.
WORKED_ON_FOR = dt.timedelta(minutes=10)
POLL_S = 30.0  # each question costs a unit of the quota
TAGS_MAX = 500
PER_CALL = 50
MAX_PAGES = 4
GONE = frozenset({404, 410})  # what the address of a session answers that is not good any more
GONE_WORDS = "the upload is gone, and does not say whether it made a video"
NO_VIDEO_YET = "YouTube has all of the file, and no video yet"
VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}")
NOT_KEPT = frozenset({"failed", "rejected", "deleted"})
STATUS_OF = {ModerationAction.HIDE: "heldForReview", ModerationAction.UNHIDE: "published"}


class YouTubeConnector(Connector):
    INFO: ClassVar[PlatformInfo] = INFO

    @classmethod
    def info_for(cls, options: Mapping[str, Any]) -> PlatformInfo:
        scopes = options.get("scopes") or ()
        info = granted(INFO, scopes)
        if youtube_analytics.SCOPE not in scopes:
            info = dataclasses.replace(info, post_metrics=PLAIN_METRICS)
        return info

    # Connecting.

    @classmethod
    def authorize_url(
        cls, *, app: AppCredentials, redirect_uri: str, state: str, scopes: Sequence[str] = ()
    ) -> AuthorizeRequest:
        return youtube_login.authorize(
            app, redirect_uri=redirect_uri, state=state, scopes=scopes or INFO.scopes
        )

    @classmethod
    def exchange_code(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> Connected:
        return cls.exchange_accounts(
            app=app, code=code, code_verifier=code_verifier, redirect_uri=redirect_uri
        )[0]

    @classmethod
    def exchange_accounts(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> tuple[Connected, ...]:
        """The channel that was chosen. Raises Rejected(INVALID) for a code that Google does not know,
        Rejected(NOT_FOUND) when there is no channel, Rejected(FORBIDDEN) when publishing was not allowed."""
        tokens, scopes = youtube_login.exchange(
            app, code=code, code_verifier=code_verifier, redirect_uri=redirect_uri
        )
        if scopes and not set(PUBLISHING.scopes) <= set(scopes):
            raise Rejected(RejectReason.FORBIDDEN, "uploading was not allowed in Google's own dialogue")
        connector = cls(tokens=tokens, options={}, app=app)
        response = connector._get("/youtube/v3/channels", {"part": "snippet", "mine": "true"})
        if reason_of(response) == "youtubeSignupRequired":
            raise Rejected(RejectReason.NOT_FOUND, "this Google account has no YouTube channel")
        channels = items_of(http.json_object(checked(response)))
        if not channels:
            raise Rejected(RejectReason.NOT_FOUND, "this Google account has no YouTube channel")
        # An upload names no channel: what the token stands for is the one that was chosen, never another.
        channel = channels[0]
        allowed = list(scopes or INFO.scopes)
        options: Json = {"channel_id": ident(channel, "id"), "scopes": allowed}
        return (Connected(profile=_profile(channel), tokens=tokens, scopes=tuple(allowed), options=options),)

    @classmethod
    def refresh(cls, *, tokens: Tokens, options: Mapping[str, Any], app: AppCredentials | None) -> Tokens:
        if not tokens.refresh_token or app is None:
            raise NeedsReconnect("no refresh token")
        return youtube_login.refresh(app, tokens)

    def fetch_profile(self) -> Profile:
        return _profile(self._own_channel("snippet"))

    def _own_channel(self, parts: str) -> Json:
        channels = self._list("/youtube/v3/channels", {"part": parts, "mine": "true"})
        if not channels:
            raise NeedsReconnect("the channel is gone, or belongs to somebody else")
        return channels[0]

    # Publishing.

    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        if payload.moderation is not None:
            return (Step(key="moderate", kind=StepKind.MODERATE, part=0),)
        steps: list[Step] = []
        for p, part in enumerate(payload.parts):
            if part.media:
                steps.append(Step(key=f"part{p}.container", kind=StepKind.CONTAINER, part=p))
            steps.append(Step(key=f"part{p}.publish", kind=StepKind.PUBLISH, part=p))
            if part.media and part.media[0].cover is not None:
                # Nobody sees a change until it is there, and it may be sent twice: an upload like others.
                steps.append(Step(key=f"part{p}.thumbnail", kind=StepKind.MEDIA, part=p, media=0))
        return tuple(steps)

    def prepare_step(
        self, step: Step, payload: PostPayload, done: Mapping[str, StepResult], *, key: str, now: dt.datetime
    ) -> Json:
        if payload.moderation is not None:
            return {"action": str(payload.moderation.action), "id": payload.moderation.remote_id}
        part = payload.parts[step.part]
        if step.kind is StepKind.MEDIA:
            return {"thumbnail_of": done[f"part{step.part}.publish"].remote_id}
        if step.kind is StepKind.CONTAINER:
            item = part.media[0]
            video = _video(part.text, payload.settings, payload.language)
            return {"video": video, "size": item.size, "mime_type": item.mime_type}
        if part.media:
            item = part.media[0]
            session = str(done[f"part{step.part}.container"].detail["session"])
            return {"session": session, "size": item.size, "mime_type": item.mime_type}
        if payload.reply_to is not None:
            thread = thread_of(payload.reply_to.remote_id, payload.reply_to.detail)
            video_id = str(payload.reply_to.detail.get("video") or "")
            return {"answer": answer_to(thread, part.text), "video_id": video_id}
        answered = payload.answered_by(step.part)
        video_id = done[f"part{answered or 0}.publish"].remote_id
        return {"comment": comment_below(video_id, part.text), "video_id": video_id}

    def send_step(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        if step.kind is StepKind.MODERATE:
            return self._moderate(intent)
        if step.kind is StepKind.CONTAINER:
            return self._begin(intent)
        if step.kind is StepKind.MEDIA:
            return self._set_thumbnail(payload.parts[step.part].media[0], str(intent["thumbnail_of"]))
        if "session" in intent:
            return self._send_video(payload.parts[step.part].media[0], intent)
        path, said = (
            ("/youtube/v3/comments", intent["answer"])
            if "answer" in intent
            else ("/youtube/v3/commentThreads", intent["comment"])
        )
        response = self._call("POST", path, params={"part": "snippet"}, json=said, changes=True)
        comment_id = ident(http.json_object(checked(response)), "id")
        return StepResult(remote_id=comment_id, permalink=permalink(intent["video_id"], comment_id))

    def _begin(self, intent: Json) -> StepResult:
        video = intent["video"]
        if tags_length(video["snippet"]["tags"]) > TAGS_MAX:
            raise Rejected(RejectReason.SETTING_INVALID, f"the tags have more than {TAGS_MAX} characters")
        response = self._call(
            "POST",
            "/upload/youtube/v3/videos",
            params={"uploadType": "resumable", "part": "snippet,status"},
            json=video,
            headers={
                "X-Upload-Content-Length": str(intent["size"]),
                "X-Upload-Content-Type": intent["mime_type"],
            },
        )
        session = checked(response).headers.get("Location", "")
        if not _is_ours(session):
            raise Temporary("YouTube named no usable address for the file")
        return StepResult(detail={"session": session})

    def _send_video(self, item: MediaItem, intent: Json) -> StepResult:
        """The bytes that are still missing; with the last of them the video is there."""
        size, offset, is_asked, is_whole = int(intent["size"]), 0, False, False
        with opened(item) as stream:
            while offset < size:
                # What a session has is asked first: an earlier try may have sent some of it.
                asks = size > CHUNK_BYTES and not is_asked
                if not asks:
                    end = min(offset + CHUNK_BYTES, size)
                    piece = piece_of(stream, offset, end - offset)
                    where = f"bytes {offset}-{end - 1}/{size}"
                    response = self._put(intent, where, piece, changes=end == size)
                    # Of a small file, too: then the session wants the rest and nothing else.
                    asks = response.status_code in {400, 416} and not is_asked
                    if is_whole and response.status_code in GONE:
                        raise OutcomeUnknown(GONE_WORDS)
                    is_whole |= end == size
                if asks:
                    response, is_asked = self._ask_session(intent), True
                    if is_whole and response.status_code in GONE:
                        raise OutcomeUnknown(GONE_WORDS)
                if (result := self._video_made(response, intent)) is not None:
                    return result
                received = _received(response)
                if received <= offset and not asks:
                    raise Temporary("YouTube did not keep what it was sent")
                offset = received
        raise OutcomeUnknown(NO_VIDEO_YET)

    def _ask_session(self, intent: Json) -> Response:
        return self._put(intent, f"bytes */{intent['size']}", b"", changes=False)

    def _put(self, intent: Json, content_range: str, piece: bytes, *, changes: bool) -> Response:
        return self._call(
            "PUT",
            intent["session"],
            headers={"Content-Range": content_range, "Content-Type": intent["mime_type"]},
            body=piece,
            timeout_s=UPLOAD_TIMEOUT_S,
            changes=changes,
            guard=not intent["session"].startswith(f"{base()}/"),
        )

    def _video_made(self, response: Response, intent: Json) -> StepResult | None:
        """The video that a session has made, None while it waits for bytes (308).

        A session that is gone here made nothing: after a lost answer ``check`` has asked it before, and one
        that was sent all of the file does not come here."""
        if response.status_code == 308:
            return None
        if response.status_code in GONE:
            raise Temporary(_session_words(response, intent), starts_over=True)
        if not 200 <= response.status_code < 300:
            raise _without_session(map_error(response), intent)
        try:
            video = http.json_object(response)
            video_id = ident(video, "id")
        except ConnectorError as error:
            # Whatever it was asked: a session answers so when it has made its video.
            raise OutcomeUnknown(error.detail) from error
        return _worked_on(video_id, part_of(video, "status"), since=_now())

    def _set_thumbnail(self, item: MediaItem, video_id: str) -> StepResult:
        """Whatever goes wrong here: the video is published, and keeps the picture that YouTube chose."""
        try:
            with item.cover() if item.cover is not None else contextlib.nullcontext() as cover:
                if cover is None:
                    return StepResult()
                response = self._call(
                    "POST",
                    "/upload/youtube/v3/thumbnails/set",
                    params={"videoId": video_id, "uploadType": "media"},
                    headers={"Content-Type": "image/jpeg"},
                    body=cover.read(),
                    timeout_s=UPLOAD_TIMEOUT_S,
                )
            checked(response)
        except OSError:
            return StepResult(detail={"thumbnail": "the picture cannot be read"})
        except ConnectorError as error:
            return StepResult(detail={"thumbnail": error.detail})
        return StepResult(remote_id=video_id)

    def _moderate(self, intent: Json) -> StepResult:
        action, comment_id = ModerationAction(intent["action"]), str(intent["id"])
        if action is ModerationAction.DELETE:
            return self._delete(comment_id)
        if action not in STATUS_OF:
            raise Rejected(RejectReason.NOT_SUPPORTED, "nobody likes comments by this API")
        self._set_status(comment_id, STATUS_OF[action])
        return StepResult(remote_id=comment_id)

    def _delete(self, comment_id: str) -> StepResult:
        """What somebody else wrote can only be rejected by the channel: nobody sees or lists it any more."""
        response = self._call("DELETE", "/youtube/v3/comments", params={"id": comment_id})
        try:
            checked(response)
        except Rejected as error:
            if error.reason is RejectReason.NOT_FOUND:
                return StepResult(remote_id=comment_id)
            if response.status_code not in {400, 403}:
                raise
            self._set_status(comment_id, "rejected", is_gone_fine=True)
        return StepResult(remote_id=comment_id)

    def _set_status(self, comment_id: str, status: str, *, is_gone_fine: bool = False) -> None:
        params = {"id": comment_id, "moderationStatus": status}
        response = self._call("POST", "/youtube/v3/comments/setModerationStatus", params=params)
        if response.status_code != 404 or not is_gone_fine:
            checked(response)

    def safety_of(self, intent: Json, now: dt.datetime) -> RetrySafety:
        return self.info.retry_safety if "session" in intent else RetrySafety.NEITHER

    def check(self, step: Step, intent: Json, sent: StepResult | None) -> StepResult | None:
        """A refusal of the question says nothing of the video: only what YouTube tells of the video itself,
        and a session that waits for bytes, do."""
        if sent is not None and sent.remote_id:
            return self._state_of(sent)
        response = self._ask_session(intent)
        if response.status_code in GONE:
            raise OutcomeUnknown(GONE_WORDS)
        if 400 <= response.status_code < 500:
            raise _without_session(in_doubt(map_error(response)), intent)
        if response.status_code == 308 and _received(response) >= int(intent["size"]):
            raise OutcomeUnknown(NO_VIDEO_YET)
        return self._video_made(response, intent)

    def _state_of(self, sent: StepResult) -> StepResult:
        """How far YouTube is with a video that it has."""
        try:
            found = self._list("/youtube/v3/videos", {"part": "status", "id": sent.remote_id})
        except Rejected as error:
            raise in_doubt(error) from error
        if not found:  # deleted by hand, hidden from this token, or not listed yet
            raise OutcomeUnknown("YouTube does not list the video that it took")
        since = instant(sent.detail.get("uploaded_at")) or _now()
        return _worked_on(sent.remote_id, part_of(found[0], "status"), since=since)

    # Reading back.

    def find_recent(self, *, since: dt.datetime) -> Sequence[RemotePost]:
        channel = self._own_channel("contentDetails")
        lists = part_of(part_of(channel, "contentDetails"), "relatedPlaylists")
        query = {"part": "contentDetails", "playlistId": ident(lists, "uploads"), "maxResults": str(PER_CALL)}
        found: list[RemotePost] = []
        for _ in range(MAX_PAGES):
            response = self._get("/youtube/v3/playlistItems", query)
            if response.status_code == 404:
                break  # a channel without a video has no such list
            answer = http.json_object(checked(response))
            ids = [text(part_of(item, "contentDetails").get("videoId")) for item in items_of(answer)]
            page = list(self._videos([one for one in ids if one]))
            found += [post for post in page if post.created_at >= since]
            following = answer.get("nextPageToken")
            if not following or not page or min(post.created_at for post in page) < since:
                break
            query["pageToken"] = str(following)
        return sorted(found, key=lambda post: post.created_at, reverse=True)

    def find_sent(self, payload: PostPayload, *, since: dt.datetime) -> Sequence[RemotePost]:
        """Only comments are looked for: a video is asked of its session. An answer is looked for in its own
        thread, which may be too old for the list of the latest."""
        answered = payload.reply_to
        thread = thread_of(answered.remote_id, answered.detail) if answered is not None else ""
        return self._reader().own(since, thread)

    def fetch_post(self, remote_id: str) -> RemotePost | None:
        return next(self.fetch_posts([remote_id]), None)

    def fetch_posts(self, remote_ids: Sequence[str]) -> Iterator[RemotePost]:
        """Videos; of answers, too, which have longer ids."""
        yield from self._videos([one for one in remote_ids if VIDEO_ID.fullmatch(one)])
        comments = [one for one in remote_ids if not VIDEO_ID.fullmatch(one)]
        for start in range(0, len(comments), PER_CALL):
            ids = ",".join(comments[start : start + PER_CALL])
            query = {"part": "snippet", "id": ids, "textFormat": "plainText"}
            for comment in self._list("/youtube/v3/comments", query):
                snippet = part_of(comment, "snippet")
                comment_id = ident(comment, "id")
                yield RemotePost(
                    remote_id=comment_id,
                    text=words_of(snippet),
                    created_at=_published(snippet),
                    permalink=permalink(text(snippet.get("videoId")), comment_id),
                    in_reply_to=text(snippet.get("parentId")),
                )

    def _videos(self, ids: Sequence[str]) -> Iterator[RemotePost]:
        for video in self._resources(ids, "snippet,status"):
            snippet = part_of(video, "snippet")
            if text(part_of(video, "status").get("uploadStatus")) in NOT_KEPT:
                continue
            video_id = ident(video, "id")
            yield RemotePost(
                remote_id=video_id,
                text=text(snippet.get("description")),
                created_at=_published(snippet),
                permalink=_watch(video_id),
                media_count=1,
            )

    def _resources(self, ids: Sequence[str], parts: str) -> Iterator[Json]:
        for start in range(0, len(ids), PER_CALL):
            query = {"part": parts, "id": ",".join(ids[start : start + PER_CALL])}
            yield from self._list("/youtube/v3/videos", query)

    # Inbox.

    def fetch_inbox(self, *, since: dt.datetime, cursor: str = "") -> InboxPage:
        reader = self._reader()
        return read_lists(
            {
                "threads": lambda position: reader.threads(position, since),
                "held": lambda position: reader.threads(position, since, held=True),
            },
            cursor,
        )

    def _reader(self) -> Reader:
        return Reader(str(self.options["channel_id"]), self._get)

    # Others.

    def fetch_public_account(self, handle: str) -> PublicAccount | None:
        """By ``@handle``, or by the id of a channel."""
        name = handle.strip().rstrip("/").rpartition("/")[2]
        which = {"id": name} if re.fullmatch(r"UC[A-Za-z0-9_-]{22}", name) else {"forHandle": name}
        if not name:
            return None
        found = self._list("/youtube/v3/channels", {"part": "snippet,statistics", **which})
        if not found:
            return None
        return PublicAccount(_profile(found[0]), _counts(found[0]))

    # Metrics.

    def fetch_account_metrics(self) -> AccountMetrics:
        return _counts(self._own_channel("statistics"))

    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        ids = [one for one in remote_ids if VIDEO_ID.fullmatch(one)]
        found = {
            ident(video, "id"): PostMetrics(
                likes=count(video.get("statistics"), "likeCount"),
                comments=count(video.get("statistics"), "commentCount"),
                impressions=count(video.get("statistics"), "viewCount"),
            )
            for video in self._resources(ids, "statistics")
        }
        if "shares" in self.info.post_metrics:
            report = youtube_analytics.read(self._report, list(found), now=_now())
            self.untold = report.untold
            for video, told in report.videos.items():
                if video in found:
                    found[video] = dataclasses.replace(
                        found[video], shares=told.shares, watch_time_s=told.watch_time_s
                    )
        return found

    def _report(self, query: Mapping[str, str]) -> Response:
        return self._call("GET", youtube_analytics.address(), params=query)

    # Calls and answers.

    def _call(self, method: str, url: str, **arguments: Any) -> Response:
        response = call(method, url, token=self.tokens.access_token, **arguments)
        if response.status_code == 401 and self.renew is not None and self.tokens.refresh_token:
            # Refused at the door, so nothing was done. A long upload may outlive its token.
            self.tokens = self.renew(self.tokens)
            response = call(method, url, token=self.tokens.access_token, **arguments)
        return response

    def _get(self, path: str, query: Mapping[str, str]) -> Response:
        return self._call("GET", path, params=query)

    def _list(self, path: str, query: Mapping[str, str]) -> list[Json]:
        return items_of(http.json_object(checked(self._get(path, query))))


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _video(text: str, settings: Json, language: str) -> Json:
    snippet: Json = {
        "title": str(settings.get("title") or "").strip(),
        "description": text,
        "tags": tags_of(str(settings.get("tags") or "")),
        "categoryId": str(settings.get("category") or "22"),
    }
    if language:
        snippet["defaultLanguage"] = language
    status = {
        "privacyStatus": str(settings.get("privacy") or "public"),
        "selfDeclaredMadeForKids": settings.get("made_for_kids") == "yes",
        "containsSyntheticMedia": settings.get("synthetic") is True,
    }
    return {"snippet": snippet, "status": status}


def _worked_on(video_id: str, status: Json, *, since: dt.datetime) -> StepResult:
    """Raises Rejected for what YouTube could not work on, or took down at once."""
    state = text(status.get("uploadStatus"))
    if state in NOT_KEPT:
        why = text(status.get("failureReason")) or text(status.get("rejectionReason")) or state
        reason = {"length": RejectReason.VIDEO_TOO_LONG, "codec": RejectReason.MEDIA_TYPE}.get(
            why, RejectReason.MEDIA_BROKEN if state == "failed" else RejectReason.FORBIDDEN
        )
        raise Rejected(reason, f"YouTube did not keep the video: {why[:100]}")
    if state == "uploaded" and _now() - since < WORKED_ON_FOR:
        return StepResult(
            state=StepState.PROCESSING,
            remote_id=video_id,
            permalink=_watch(video_id),
            detail={"uploaded_at": since.isoformat()},
            retry_after_s=POLL_S,
        )
    return StepResult(remote_id=video_id, permalink=_watch(video_id))


def _watch(video_id: str) -> str:
    return f"https://www.youtube.com/watch?v={quoted(video_id)}"


def _received(response: Response) -> int:
    """How many bytes a session has, by the header ``Range: bytes=0-<last>``; without it none."""
    last = re.fullmatch(r"(?:bytes=)?0-([0-9]{1,15})", response.headers.get("Range", "").strip())
    return int(last[1]) + 1 if last else 0


def _is_ours(session: str) -> bool:
    """Whether our token may be sent there: the address of an upload is named by an answer."""
    if session.startswith(f"{base()}/"):
        return True
    parts = split(session)
    return parts.scheme == "https" and (parts.hostname or "").endswith(".googleapis.com")


def _session_words(response: Response, intent: Json) -> str:
    return _redacted(http.excerpt(response), intent)


def _redacted(words: str, intent: Json) -> str:
    """Whoever knows the address of an upload may write to it."""
    secret = [value for _, value in parse_qsl(split(intent["session"]).query) if len(value) > 8]
    return http.redact(words, intent["session"], *secret)


def _without_session(error: ConnectorError, intent: Json) -> ConnectorError:
    error.detail = _redacted(error.detail, intent)
    error.args = (error.detail,)
    return error


def _profile(channel: Json) -> Profile:
    snippet = part_of(channel, "snippet")
    channel_id = ident(channel, "id")
    handle, title = text(snippet.get("customUrl")), text(snippet.get("title"))
    pictures = part_of(snippet, "thumbnails")
    return Profile(
        remote_id=channel_id,
        handle=handle.removeprefix("@") or title or channel_id,
        display_name=title,
        avatar_url=web_url(part_of(pictures, "default").get("url")),
        profile_url=f"https://www.youtube.com/{quoted(handle, safe='@')}"
        if handle.startswith("@")
        else f"https://www.youtube.com/channel/{quoted(channel_id)}",
    )


def _counts(channel: Json) -> AccountMetrics:
    counts = part_of(channel, "statistics")
    is_hidden = counts.get("hiddenSubscriberCount") is True
    return AccountMetrics(
        followers=None if is_hidden else count(counts, "subscriberCount"),
        posts=count(counts, "videoCount"),
    )


def _published(snippet: Json) -> dt.datetime:
    at = instant(snippet.get("publishedAt"))
    if at is None:
        raise Temporary("something without a date")
    return at
