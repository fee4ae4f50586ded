"""Facebook Pages.

Documents: documentation/pages-api (posts, comments, insights), docs/graph-api/reference/page (feed, photos,
videos), documentation/video-api/guides/reels-publishing (30 July 2026), docs/page-stories-api, and Meta's API
specification (Page, PagePost, Photo, AdVideo, Comment), read in November 2026.

* Signing in gives the token of a person, and that one the token of each Page, which speaks for the Page alone
  and does not end while the person keeps the permission (connectors/meta_login.py).
* A post is made unpublished, its id kept, and then published: doing that twice is the same as once, so it is
  IDEMPOTENT. Photos are uploaded unpublished and attached; a video is uploaded unpublished, then published.
* An upright video (9:16, 540x960 or more, 3 to 90 s) is a Reel: an upload that is "finished", asked about by
  its state (TWO_PHASE). A story is made of an uploaded photo or video; whether a photo's story is there is
  read from the list of stories, which Pages without an archive do not have: then a person is asked.
* Comments and messages have no key: NEITHER. Words that a Page has just said are refused (506).
* Counts of impressions and fans are gone (November 2025): views of media take their place.
* Not confirmed by a live call: publishing an unpublished post by ``is_published``, a video by ``published``,
  and what the states of a Reel are called between its phases.

Not supported: personal profiles and groups (no API), events, polls, offers, backdated and targeted posts,
cards with words of our own (Facebook makes them of the page), covers of videos, private replies to comments.
``seen_live`` is False: built from the documents, never run against Facebook itself.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from connectors import http, meta, meta_login
from connectors.base import (
    AccountMetrics,
    AppCredentials,
    AuthorizeRequest,
    Capability,
    Connected,
    Connector,
    InboxPage,
    Json,
    MediaItem,
    ModerationAction,
    PlatformInfo,
    PostMetrics,
    PostPart,
    PostPayload,
    Profile,
    PublicAccount,
    RemotePost,
    ReplyTarget,
    RetrySafety,
    Step,
    StepKind,
    StepResult,
    StepState,
    Tokens,
    WebhookEvent,
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
from connectors.facebook_answers import counts_of, post_metrics_of, profile_of
from connectors.facebook_inbox import (
    COMMENTS,
    FURTHER_COMMENTS,
    KEY,
    POST,
    Reader,
    address,
    event,
    own_comments,
    remote_post,
)
from connectors.facebook_info import INFO
from connectors.facebook_upload import Uploader, check_phases
from connectors.inbox import read_lists
from connectors.limits import Allowance, Answer
from connectors.meta import Graph, path_id
from connectors.meta_errors import allowances
from connectors.meta_hooks import CalledByMeta, Change
from connectors.meta_inbox import Sought, Talks, message_form, unless_forbidden
from connectors.text import find_links, is_story, normalise

_PROFILE = "id,name,username,link,picture{url}"
_PLAIN_METRICS = ("likes", "comments", "shares")
_COUNTS = (
    "reactions.summary(total_count).limit(0),comments.filter(stream).summary(total_count).limit(0),shares"
)
_INSIGHTS = "insights.metric(post_media_view,post_total_media_view_unique,post_clicks)"
RECENT = 25
REEL_SECONDS = (3, 90)
# A first try follows its intent at once, a repetition after the outbox has waited for two seconds or so.
REPEATED_AFTER = dt.timedelta(seconds=1.5)
# What makes which step safe to repeat after an unknown outcome; comments and messages are not.
_SAFE = {
    "post": RetrySafety.IDEMPOTENT,
    "video": RetrySafety.IDEMPOTENT,
    "reel": RetrySafety.TWO_PHASE,
    "video_story": RetrySafety.TWO_PHASE,
    "photo_story": RetrySafety.TWO_PHASE,
}


class FacebookConnector(CalledByMeta, Connector):
    INFO: ClassVar[PlatformInfo] = INFO

    @classmethod
    def allowances_told(cls, answer: Answer, *, now: dt.datetime) -> tuple[Allowance, ...]:
        return allowances(answer, now=now)

    @classmethod
    def amounts_of(cls, payload: PostPayload) -> dict[str, int]:
        reels = sum(_way(payload, part) == "reel" for part in range(len(payload.parts)))
        return super().amounts_of(payload) | {"reels": reels}

    @classmethod
    def info_for(cls, options: Mapping[str, Any]) -> PlatformInfo:
        stated = options.get("scopes")
        scopes = tuple(map(str, stated)) if isinstance(stated, list | tuple) else ()
        info = granted(INFO, scopes)
        if scopes and "read_insights" not in scopes:
            info = dataclasses.replace(info, post_metrics=_PLAIN_METRICS)
        return info

    # Connecting.

    @classmethod
    def authorize_url(
        cls, *, app: AppCredentials, redirect_uri: str, state: str, scopes: Sequence[str] = ()
    ) -> AuthorizeRequest:
        dialog = http.base_url(f"{KEY}.dialog", meta_login.DIALOG)
        return meta_login.authorize(
            dialog, app=app, redirect_uri=redirect_uri, state=state, scopes=scopes or INFO.scopes
        )

    @classmethod
    def exchange_accounts(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> tuple[Connected, ...]:
        signed = meta_login.sign_in(KEY, _base(), app=app, code=code, redirect_uri=redirect_uri)
        scopes = tuple(scope for scope in INFO.scopes if scope in signed.scopes)
        found = [
            Connected(
                profile=profile_of(page),
                tokens=Tokens(access_token=meta.word_of(page, "access_token")),
                scopes=signed.scopes,
                options={
                    "page_id": meta.word_of(page),
                    "person_id": signed.person_id,
                    "name": str(page.get("name") or ""),
                    "scopes": list(scopes),
                },
            )
            for page in meta_login.pages(signed, f"{_PROFILE},access_token")
        ]
        if not found:
            raise Rejected(RejectReason.NOT_FOUND, "no Page was allowed")
        return tuple(found)

    @classmethod
    def refresh(cls, *, tokens: Tokens, options: Mapping[str, Any], app: AppCredentials | None) -> Tokens:
        raise NeedsReconnect("the token of a Page is not renewed: somebody has to sign in again")

    def fetch_profile(self) -> Profile:
        return profile_of(self._graph.get(self._page, {"fields": _PROFILE}))

    # Publishing.

    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        if payload.moderation is not None:
            return (Step(key="moderate", kind=StepKind.MODERATE, part=0),)
        steps: list[Step] = []
        for p in range(len(payload.parts)):
            way = _way(payload, p)
            if way in ("post", "video", "reel", "video_story", "photo_story"):
                steps += [
                    Step(key=f"part{p}.media{m}", kind=StepKind.MEDIA, part=p, media=m)
                    for m in range(len(payload.parts[p].media))
                ]
            if way == "post":
                steps.append(Step(key=f"part{p}.container", kind=StepKind.CONTAINER, part=p))
            steps.append(Step(key=f"part{p}.publish", kind=StepKind.PUBLISH, part=p))
        return tuple(steps)

    def prepare_step(
        self, step: Step, payload: PostPayload, done: Mapping[str, StepResult], *, key: str, now: dt.datetime
    ) -> Json:
        if payload.moderation is not None:
            return {"action": str(payload.moderation.action), "id": payload.moderation.remote_id}
        part, way = payload.parts[step.part], _way(payload, step.part)
        if step.kind is StepKind.MEDIA:
            return {"way": way, "alt_text": part.media[step.media].alt_text}
        media = [done[f"part{step.part}.media{m}"].remote_id for m in range(len(part.media))]
        if step.kind is StepKind.CONTAINER:
            return {"form": _container(part, media)}
        intent: Json = {"do": way}
        if payload.message_to is not None:
            intent["form"] = message_form(payload.message_to, part.text, now)
        elif payload.reply_to is not None:
            intent |= {"to": _answered(payload.reply_to), "text": part.text}
        elif way == "comment":
            answered = payload.answered_by(step.part) or 0
            intent |= {"to": done[f"part{answered}.publish"].remote_id, "text": part.text}
        elif way == "post":
            intent["post"] = done[f"part{step.part}.container"].remote_id
        else:
            intent["photo" if way == "photo_story" else "video"] = media[0] if media else ""
            intent |= {"text": part.text} if way in ("video", "reel") else {}
            intent |= {"asked_at": now.isoformat()} if way in ("reel", "video_story") else {}
        return intent

    def send_step(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        if step.kind is StepKind.MODERATE:
            return self._moderate(intent)
        if step.kind is StepKind.MEDIA:
            if INFO.story is not None and is_story(payload, INFO):
                meta.check_story(payload, step.part, INFO.story)
            return self._upload(intent, payload.parts[step.part].media[step.media])
        if step.kind is StepKind.CONTAINER:
            answer = self._graph.post(f"{self._page}/feed", intent["form"])
            return StepResult(remote_id=meta.word_of(answer))
        match intent["do"]:
            case "post":
                return self._publish_post(intent)
            case "video":
                return self._publish_video(intent)
            case "reel" | "video_story":
                return self._finish(intent)
            case "photo_story":
                if not intent["photo"]:
                    raise Rejected(RejectReason.MEDIA_MISSING, "a story has an image or a video")
                form = {"photo_id": intent["photo"]}
                answer = self._graph.post(f"{self._page}/photo_stories", form, changes=True)
                return _story_result(answer)
            case "message":
                answer = self._graph.post(f"{self._page}/messages", intent["form"], changes=True)
                return StepResult(remote_id=meta.word_of(answer, "message_id"))
        form = {"message": intent["text"]}
        answer = self._graph.post(f"{path_id(intent['to'])}/comments", form, changes=True)
        return StepResult(remote_id=meta.word_of(answer))

    def _upload(self, intent: Json, item: MediaItem) -> StepResult:
        uploader = Uploader(self._graph, self._page)
        match intent["way"]:
            case "video":
                video = uploader.video(item)
                return StepResult(state=StepState.PROCESSING, remote_id=video, retry_after_s=5.0)
            case "reel":
                return StepResult(remote_id=uploader.short_video(item, "video_reels"))
            case "video_story":
                return StepResult(remote_id=uploader.short_video(item, "video_stories"))
        return StepResult(remote_id=uploader.photo(item, str(intent["alt_text"])))

    def _publish_post(self, intent: Json) -> StepResult:
        post = path_id(intent["post"])
        done = StepResult(remote_id=str(intent["post"]), permalink=f"https://www.facebook.com/{post}")
        try:
            answer = self._graph.post(post, {"is_published": True}, changes=True)
        except Rejected as refused:
            if self._says(post, "is_published", refused):  # an earlier call did it
                return done
            raise
        _succeeded(answer)
        return done

    def _publish_video(self, intent: Json) -> StepResult:
        video = path_id(intent["video"])
        form = {"published": True, "description": intent["text"]}
        try:
            _succeeded(self._graph.post(video, form, changes=True))
        except Rejected as refused:
            if not self._says(video, "published", refused):
                raise
        return self._published_video(video)

    def _finish(self, intent: Json) -> StepResult:
        """Publishes an upload. The answer comes before Facebook has done it."""
        video, is_story = str(intent["video"]), intent["do"] == "video_story"
        form: Json = {"upload_phase": "finish", "video_id": video, "video_state": "PUBLISHED"}
        if not is_story:
            form["description"] = intent["text"]
        edge, is_repeated = "video_stories" if is_story else "video_reels", _is_repeated(intent)
        try:
            answer = self._graph.post(f"{self._page}/{edge}", form, changes=True)
        except Rejected as refused:
            return self._finished_before(video, refused, is_repeated=is_repeated)
        _succeeded(answer)
        if is_story:
            return _story_result(answer)
        return StepResult(state=StepState.PROCESSING, remote_id=video, retry_after_s=5.0)

    def _finished_before(self, video: str, refused: Rejected, *, is_repeated: bool) -> StepResult:
        """The post of an upload that is not taken (again): an earlier call may have published it. Raises what
        is to be thought of the refusal otherwise.

        While Facebook works on it, it does not say that it is going to be published."""
        try:
            with meta.asking():
                status = self._status(video)
            begun = self._published_by(video, status)
        except Rejected:  # Facebook could not work on it
            raise
        except ConnectorError as error:
            raise OutcomeUnknown(refused.detail) from error
        if begun is not None:
            return begun
        is_worked_on = meta.nested(status, "processing_phase", "status") in ("in_progress", "complete")
        if is_repeated or is_worked_on:
            raise OutcomeUnknown(refused.detail) from refused
        raise refused

    def _finished(self, intent: Json, *, is_sent: bool) -> StepResult | None:
        """What became of an upload that was to be published. None: Facebook does not say that it has begun
        to, so it is told once more (one upload makes one post)."""
        video = str(intent["video"])
        with meta.asking():
            status = self._status(video)
        waiting = StepResult(state=StepState.PROCESSING, remote_id=video, retry_after_s=5.0)
        return self._published_by(video, status) or (waiting if is_sent else None)

    def _published_by(self, video: str, status: Json) -> StepResult | None:
        """How far the publication of an upload is by its state; None: that has not begun."""
        check_phases(status)
        phase = meta.nested(status, "publishing_phase", "status")
        if phase == "complete" or (phase != "in_progress" and status.get("video_status") == "published"):
            return self._published_video(video)
        if phase == "in_progress":
            return StepResult(state=StepState.PROCESSING, remote_id=video, retry_after_s=5.0)
        return None

    def _status(self, video: str) -> Json:
        status = self._graph.get(path_id(video), {"fields": "status"}).get("status")
        if not isinstance(status, dict):
            raise Temporary("a video without a state")
        return status

    def _published_video(self, video: str) -> StepResult:
        """Posts go by their own ids; where that is not told (yet), the video's serves for most calls, too."""
        post, link = "", ""
        with contextlib.suppress(ConnectorError):
            answer = self._graph.get(path_id(video), {"fields": "post_id,permalink_url"})
            post, link = self._full(answer.get("post_id")), address(answer.get("permalink_url"))
        return StepResult(remote_id=post or video, permalink=link or f"https://www.facebook.com/{video}")

    def _says(self, path: str, flag: str, refused: Rejected) -> bool:
        """Whether something is public that is refused to be published (again). Where that is not told, an
        earlier call may have done it."""
        try:
            stated = self._graph.get(path, {"fields": flag}).get(flag)
        except ConnectorError as error:
            if refused.reason is RejectReason.FORBIDDEN:  # says nothing of before, which the caller knows
                raise refused from error
            raise OutcomeUnknown(refused.detail) from error
        if not isinstance(stated, bool):
            raise OutcomeUnknown(refused.detail) from refused
        return stated

    def safety_of(self, intent: Json, now: dt.datetime) -> RetrySafety:
        return _SAFE.get(str(intent.get("do")), RetrySafety.NEITHER)

    def check(self, step: Step, intent: Json, sent: StepResult | None) -> StepResult | None:
        if step.kind is StepKind.MEDIA:
            if sent is None or not sent.remote_id:
                return None
            status = self._status(sent.remote_id)
            check_phases(status)
            state = status.get("video_status")
            if state == "expired":
                return None
            is_done = state == "ready"
            return sent if not is_done else StepResult(remote_id=sent.remote_id)
        match intent.get("do"):
            case "reel" | "video_story":
                return self._finished(intent, is_sent=sent is not None)
            case "photo_story":
                with meta.asking():
                    story = self._story("media_id", str(intent["photo"]))
                if story is not None:
                    return StepResult(remote_id=story.remote_id, permalink=story.permalink)
                # The list may be kept from us, so a story that is not in it may be there all the same.
                raise Temporary("the story is not among those of the Page")
        raise TypeError("a post is published again, a comment or a message has no state to ask for")

    def find_recent(self, *, since: dt.datetime) -> Sequence[RemotePost]:
        """Its posts, and its comments below the latest of them."""
        return self._since(since, self._latest())

    def _latest(self) -> list[Json]:
        params = {"fields": f"{POST},{COMMENTS}", "limit": RECENT}
        return meta.objects(self._graph.get(f"{self._page}/published_posts", params))

    def _since(self, since: dt.datetime, posts: Sequence[Json]) -> list[RemotePost]:
        found = [remote_post(one) for one in posts]
        found += [comment for one in posts for comment in own_comments(one, str(self.options["page_id"]))]
        recent = (post for post in found if post.created_at >= since)
        return sorted(recent, key=lambda post: post.created_at, reverse=True)

    def find_sent(self, payload: PostPayload, *, since: dt.datetime) -> Sequence[RemotePost]:
        if payload.message_to is not None:
            with meta.asking():
                return self._talks().sent_to(payload.message_to.recipient_id, payload.parts[0].text, since)
        page_id = str(self.options["page_id"])
        if payload.reply_to is not None:
            listed = self._comments_since(since, _answered(payload.reply_to))
            own = own_comments({"comments": listed}, page_id, Sought(payload.parts[0].text, since))
            return [one for one in own if one.created_at >= since]
        with meta.asking():
            posts = self._latest()
        if len(payload.parts) > 1:
            # A comment below a video may hang on another of its ids: the words of the post tell which it is.
            words = normalise(payload.parts[0].text)
            ours = [one for one in posts if normalise(str(one.get("message") or "")) == words]
            if not ours:
                raise Temporary("the post is not listed, so its comments cannot be seen")
            for one in ours:
                if first := one.get("comments"):  # of a post without any it says nothing
                    one["comments"] = self._comments_since(since, str(one.get("id") or ""), first)
            sought = Sought(payload.parts[-1].text, since)
            below = [comment for one in ours for comment in own_comments(one, page_id, sought)]
            return [
                *self._since(since, [{**one, "comments": None} for one in posts]),
                *(dataclasses.replace(one, in_reply_to="") for one in below if one.created_at >= since),
            ]
        return self._since(since, posts)

    def _comments_since(self, since: dt.datetime, remote_id: str, first: object = None) -> Json:
        """What stands below a post or comment, the newest first, back to ``since``. ``first``: its first
        page."""

        def is_older(comment: Json) -> bool:
            return bool(comment.get("created_time")) and meta.instant(comment["created_time"]) < since

        path = f"{path_id(remote_id)}/comments"
        with meta.asking():
            return {"data": self._graph.whole(path, FURTHER_COMMENTS, first=first, is_enough=is_older)}

    def fetch_post(self, remote_id: str) -> RemotePost | None:
        if "_" in remote_id:
            answer = self._graph.find(path_id(remote_id), {"fields": f"{POST},is_published"})
            return None if answer is None or answer.get("is_published") is False else remote_post(answer)
        with contextlib.suppress(Rejected):
            fields = {"fields": "id,description,created_time,permalink_url,published"}
            video = self._graph.get(path_id(remote_id), fields)
            if video.get("published") is False:
                return None
            return remote_post({**video, "id": remote_id, "message": video.get("description")})
        return self._story("post_id", remote_id)

    def _story(self, name: str, value: str) -> RemotePost | None:
        for one in self._graph.lists(f"{self._page}/stories", {"limit": RECENT}, most_pages=2):
            if str(one.get(name) or "") == value and one.get("post_id") and one.get("creation_time"):
                stated = one["creation_time"]
                seconds = meta.number(stated)
                at = meta.instant(stated if seconds is None else seconds)
                link = meta.web_url(one.get("url"))
                return RemotePost(meta.word_of(one, "post_id"), "", at, link, media_count=1)
        return None

    # Inbox.

    def fetch_inbox(self, *, since: dt.datetime, cursor: str = "") -> InboxPage:
        reader = Reader(self._graph, str(self.options["page_id"]), self._own_profile)
        named, talks = reader.named, self._talks()
        beside = unless_forbidden
        lists: dict[str, tuple[Capability, Callable[[str], InboxPage]]] = {
            "comments": (Capability.INBOX_COMMENTS, lambda at: reader.comments(at, since)),
            "tagged": (Capability.INBOX_MENTIONS, lambda at: beside(lambda: named("tagged", at, since))),
            "visitors": (
                Capability.INBOX_MENTIONS,
                lambda at: beside(lambda: named("visitor_posts", at, since)),
            ),
            "reviews": (Capability.INBOX_REVIEWS, lambda at: beside(lambda: reader.reviews(at, since))),
            "talks": (Capability.INBOX_MESSAGES, lambda at: beside(lambda: talks.page(at, since))),
        }
        readable = {name: read for name, (needs, read) in lists.items() if self.info.can(needs)}
        return read_lists(readable, cursor) if readable else InboxPage(())

    def _moderate(self, intent: Json) -> StepResult:
        what = path_id(intent["id"])
        match ModerationAction(intent["action"]):
            case ModerationAction.LIKE:
                self._graph.post(f"{what}/likes")
            case ModerationAction.UNLIKE:
                self._graph.forget(f"{what}/likes")
            case ModerationAction.HIDE:
                self._graph.post(what, {"is_hidden": True})
            case ModerationAction.UNHIDE:
                self._graph.post(what, {"is_hidden": False})
            case ModerationAction.DELETE:
                self._graph.forget(what)
        return StepResult(remote_id=str(intent["id"]))

    # Webhooks.

    @classmethod
    def _event(cls, change: Change) -> WebhookEvent:
        return event(change)

    def subscribe(self) -> None:
        wanted = {
            "feed": Capability.INBOX_COMMENTS,
            "mention": Capability.INBOX_MENTIONS,
            "ratings": Capability.INBOX_REVIEWS,
            "messages": Capability.INBOX_MESSAGES,
            "message_echoes": Capability.INBOX_MESSAGES,
        }
        fields = [name for name, needs in wanted.items() if self.info.can(needs)]
        if fields:
            form = {"subscribed_fields": ",".join(fields)}
            self._graph.post(f"{self._page}/subscribed_apps", form)

    # Others.

    def fetch_public_account(self, handle: str) -> PublicAccount | None:
        """Needs the app's feature "Page Public Content Access"; Rejected(FORBIDDEN) without."""
        name = handle.strip().removeprefix("@")
        if not re.fullmatch(r"(?!(?i:me)$)[A-Za-z0-9][A-Za-z0-9.-]{0,99}", name):
            return None
        page = self._graph.find(name, {"fields": f"{_PROFILE},followers_count,fan_count"})
        return None if page is None else PublicAccount(profile_of(page), counts_of(page))

    # Metrics.

    def fetch_account_metrics(self) -> AccountMetrics:
        return counts_of(self._graph.get(self._page, {"fields": "followers_count,fan_count"}))

    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        found = {}
        for remote_id in remote_ids:
            post = remote_id if "_" in remote_id else self._post_of(remote_id)
            if not post:
                found[remote_id] = PostMetrics()  # a story, or a video whose post is not told: nothing is
            elif (answer := self._counted(path_id(post))) is not None:
                found[remote_id] = post_metrics_of(answer)
        return found

    def _post_of(self, video: str) -> str:
        """The post of a video, "" where it has none, or none that is told."""
        with contextlib.suppress(Rejected):
            return self._full(self._graph.get(path_id(video), {"fields": "post_id"}).get("post_id"))
        return ""

    def _full(self, post_id: object) -> str:
        """The id of a post with its Page's before it: of a video only the other half is told."""
        post = str(post_id or "")
        return f"{self.options['page_id']}_{post}" if post and "_" not in post else post

    def _counted(self, post: str) -> Json | None:
        """Insights are refused for posts that are too new, and for Pages with fewer than 100 followers."""
        if "impressions" in self.info.post_metrics:
            with contextlib.suppress(Rejected):
                return self._graph.get(post, {"fields": f"{_COUNTS},{_INSIGHTS}"})
        return self._graph.find(post, {"fields": _COUNTS})

    # Calls.

    @property
    def _graph(self) -> Graph:
        secret = self.app.client_secret if self.app is not None else ""
        return Graph(KEY, _base(), self.tokens.access_token, secret)

    @property
    def _page(self) -> str:
        return path_id(self.options["page_id"])

    @property
    def _own_profile(self) -> Profile:
        return profile_of({"id": self.options["page_id"], "name": self.options.get("name")})

    def _talks(self) -> Talks:
        own = frozenset({str(self.options["page_id"])})
        return Talks(self._graph, self._page, own, "messenger", self._own_profile)


def _way(payload: PostPayload, index: int) -> str:
    """How a part goes out."""
    part = payload.parts[index]
    if payload.message_to is not None:
        return "message"
    if payload.reply_to is not None:
        return "reply"
    if part.is_comment:
        return "comment"
    video = next((item for item in part.media if item.is_video), None)
    if is_story(payload, INFO):
        return "photo_story" if video is None else "video_story"
    if video is None:
        return "post"
    return "reel" if _is_reel(video) else "video"


def _answered(target: ReplyTarget) -> str:
    """Below what an answer goes: the first comment of a conversation. "" = a review that takes none."""
    return str(target.detail.get("comment", target.remote_id))


def _is_reel(video: MediaItem) -> bool:
    shortest, longest = REEL_SECONDS
    is_upright = video.width >= 540 and video.height >= 960 and 0.5 <= video.width / video.height <= 0.6
    return is_upright and shortest <= video.duration_s <= longest


def _container(part: PostPart, media: Sequence[str]) -> Json:
    form: Json = {"message": part.text, "published": False}
    if media:
        form["attached_media"] = [{"media_fbid": one} for one in media]
    elif links := find_links(part.text):
        form["link"] = links[0].value
    return form


def _is_repeated(intent: Json) -> bool:
    """Whether a publication with this intent was tried before, as far as the time tells."""
    asked_at = intent.get("asked_at")
    if not isinstance(asked_at, str):
        return True
    return not dt.timedelta(0) <= meta.clock_now() - dt.datetime.fromisoformat(asked_at) < REPEATED_AFTER


def _succeeded(answer: Json) -> None:
    if answer.get("success") not in (True, "true"):
        raise OutcomeUnknown("an answer that does not say that it was done")


def _story_result(answer: Json) -> StepResult:
    return StepResult(remote_id=meta.word_of(answer, "post_id"))


def _base() -> str:
    return http.base_url(KEY, meta_login.GRAPH)
