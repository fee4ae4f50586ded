"""Threads: posts, threads, replies and mentions of one account.

Documents: developers.facebook.com/docs/threads (posts, reply-management, threads-mentions, insights,
threads-profiles, webhooks, troubleshooting), July 2026, and Meta's own Postman collection of the Threads
API.

* A sign-in gives a token of an hour, which is exchanged for one of 60 days. That one renews itself while it
  lives; once it is dead only a new sign-in helps. There is no PKCE: ``state`` and the app's secret protect
  it.
* Every post, be it a reply, is a container that Threads fills by fetching our files, and then its
  publication. One container makes one post: TWO_PHASE, by its state. The state has no id of the post, so
  what was published without an answer is found among the account's own posts.
* Text has 500 characters; an emoji counts as many as it has bytes in UTF-8 (``TextUnit.EMOJI_BYTES``).
* Replies are read below the latest own posts (25 of a week), mentions by their list; webhooks tell of
  replies below older ones. Whoever wrote is known by name alone: a new name is a new person.
* Not confirmed by a live call: that a container may be asked for before it is done, how soon a published one
  says so, how Threads refuses an answer to what was deleted, whom ``target_id`` of "publish" means.

Not supported: likes and direct messages (no API), deleting what others wrote (Threads deletes own posts
only), hiding a reply to a reply (Threads hides the first one with all below it), polls, GIFs, quotes,
places, spoilers inside a text, ghost posts. ``seen_live`` is False: built from documents, never run against
Threads.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from connectors import http, meta
from connectors import meta_container as container
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
    PostPayload,
    Profile,
    PublicAccount,
    Quota,
    RemotePost,
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
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.inbox import read_lists
from connectors.limits import Allowance, Answer
from connectors.meta import Graph, path_id
from connectors.meta_errors import allowances
from connectors.meta_hooks import CalledByMeta, Change
from connectors.text import normalise
from connectors.threads_inbox import KEY, Reader, event, post_fields, profile_url, remote_post
from connectors.threads_info import INFO

ROOT, VERSION = "https://graph.threads.net", "v1.0"
PER_CALL = 100
MOST_PAGES = 3
_ME = {"fields": "id,username,name,threads_profile_picture_url"}
_STATUS = {"fields": "id,status,error_message"}
_METRICS = "views,likes,replies,reposts,quotes,shares"
_LOOKED_UP = "id,username,name,profile_picture_url,follower_count"

# Threads' names for what is wrong with a file (troubleshooting, "media container error messages").
_FILE_ERRORS = (
    ("DOWNLOADING", RejectReason.MEDIA_NOT_PUBLIC),
    ("ASPEC", RejectReason.MEDIA_SHAPE),
    ("DURATION", RejectReason.VIDEO_TOO_LONG),
    ("FRAME_RATE", RejectReason.VIDEO_TOO_FAST),
)


class ThreadsConnector(CalledByMeta, Connector):
    INFO: ClassVar[PlatformInfo] = INFO

    @classmethod
    def allowances_told(cls, answer: Answer, *, now: dt.datetime) -> tuple[Allowance, ...]:
        return allowances(answer, now=now)

    @classmethod
    def info_for(cls, options: Mapping[str, Any]) -> PlatformInfo:
        stated = options.get("scopes")
        info = granted(INFO, tuple(map(str, stated)) if isinstance(stated, list | tuple) else ())
        return info if info.can(Capability.POST_THREAD) else dataclasses.replace(info, thread_max=1)

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
        server = http.base_url(f"{KEY}.authorize", "https://www.threads.net")
        return AuthorizeRequest(url=f"{server}/oauth/authorize?{urlencode(query)}", code_verifier="")

    @classmethod
    def exchange_code(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> Connected:
        code = code.removesuffix("#_")  # Meta hangs it on
        form = {
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "grant_type": "authorization_code",
            "redirect_uri": redirect_uri,
            "code": code,
        }
        door = _graph("")
        response = door.call("POST", "oauth/access_token", form=form)
        short = meta.word_of(door.entry(response, app.client_secret, code), "access_token")
        query = {"grant_type": "th_exchange_token", "client_secret": app.client_secret, "access_token": short}
        graph = _graph(short)
        tokens = _tokens(graph.entry(graph.call("GET", "access_token", params=query), app.client_secret))
        graph = _graph(tokens.access_token)
        scopes = _scopes_of(graph)
        profile = _profile(graph.get(f"{VERSION}/me", _ME))
        options: Json = {"user_id": profile.remote_id, "username": profile.handle, "scopes": list(scopes)}
        return Connected(profile=profile, tokens=tokens, scopes=scopes, options=options)

    @classmethod
    def refresh(cls, *, tokens: Tokens, options: Mapping[str, Any], app: AppCredentials | None) -> Tokens:
        """A token can be renewed from its second day to its last; the old one stays good, too."""
        if not tokens.access_token:
            raise NeedsReconnect("there is no token to renew")
        query = {"grant_type": "th_refresh_token", "access_token": tokens.access_token}
        try:
            return _tokens(_graph(tokens.access_token).get("refresh_access_token", query))
        except Rejected as refused:  # on its first day; a dead one is told by its code
            raise Temporary(refused.detail) from refused

    def fetch_profile(self) -> Profile:
        return _profile(self._graph.get("me", _ME))

    def fetch_quotas(self) -> tuple[Quota, ...]:
        names = {"Posts": ("quota_usage", "config")}
        if self.info.can(Capability.REPLY):
            names["Replies"] = ("reply_quota_usage", "reply_config")
        params = {"fields": ",".join(name for pair in names.values() for name in pair)}
        return meta.quotas(self._graph.get("me/threads_publishing_limit", params), names)

    # Publishing.

    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        if payload.moderation is not None:
            return (Step(key="moderate", kind=StepKind.MODERATE, part=0),)
        steps: list[Step] = []
        for p, part in enumerate(payload.parts):
            if len(part.media) > 1:
                steps += [
                    Step(key=f"part{p}.media{m}", kind=StepKind.MEDIA, part=p, media=m)
                    for m in range(len(part.media))
                ]
            steps.append(Step(key=f"part{p}.container", kind=StepKind.CONTAINER, part=p))
            steps.append(Step(key=f"part{p}.publish", kind=StepKind.PUBLISH, part=p))
        return tuple(steps)

    def prepare_step(
        self, step: Step, payload: PostPayload, done: Mapping[str, StepResult], *, key: str, now: dt.datetime
    ) -> Json:
        """An intent has everything of the request but the addresses of files, which end after some hours."""
        if payload.moderation is not None:
            return {"action": str(payload.moderation.action), "id": payload.moderation.remote_id}
        part = payload.parts[step.part]
        if step.kind is StepKind.MEDIA:
            return {"form": _file_form(part.media[step.media]) | {"is_carousel_item": True}}
        answered = _answered(payload, step.part, done)
        if step.kind is StepKind.CONTAINER:
            return {"form": _container(payload, step.part, done, answered)}
        return {
            "container": done[f"part{step.part}.container"].remote_id,
            "text": part.text,
            "media": len(part.media),
            "reply_to": answered,
            "since": container.since_of(now),
        }

    def send_step(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        match step.kind:
            case StepKind.MODERATE:
                return self._moderate(intent)
            case StepKind.MEDIA:
                item = payload.parts[step.part].media[step.media]
                return self._make(dict(intent["form"]), (item,))
            case StepKind.CONTAINER:
                _check(payload, step.part)
                media = payload.parts[step.part].media
                return self._make(dict(intent["form"]), media if len(media) == 1 else ())
        return self._publish(intent)

    def _make(self, form: Json, media: Sequence[MediaItem]) -> StepResult:
        """A container, for ``media`` of one file or of none (words alone, or the children are there)."""
        for item in media:
            form["video_url" if item.is_video else "image_url"] = item.address()
        container_id = meta.word_of(self._graph.post("me/threads", form))
        ends_at = meta.clock_now() + container.LIFETIME
        if form["media_type"] == "TEXT":
            return StepResult(remote_id=container_id, ends_at=ends_at)
        wait_s = 5.0 if any(item.is_video for item in media) else 2.0
        return StepResult(StepState.PROCESSING, container_id, retry_after_s=wait_s, ends_at=ends_at)

    def _publish(self, intent: Json) -> StepResult:
        form = {"creation_id": intent["container"]}
        try:
            answer = self._graph.post("me/threads_publish", form, changes=True)
        except Rejected as refused:
            container.judge_refusal(
                refused, intent, lambda: self._state(intent).get("status"), lambda: self._listed(intent)
            )
        return StepResult(remote_id=meta.word_of(answer))

    def _state(self, intent: Json) -> Json:
        """Of the container that is published; empty where it is not there."""
        return self._graph.find(path_id(intent["container"]), _STATUS) or {}

    def check(self, step: Step, intent: Json, sent: StepResult | None) -> StepResult | None:
        if step.kind in (StepKind.MEDIA, StepKind.CONTAINER):
            if sent is None or not sent.remote_id:
                return None
            answer = self._graph.find(path_id(sent.remote_id), _STATUS)
            if answer is None:
                return None
            if answer.get("status") == "ERROR":
                raise _file_error(answer)
            wait_s = sent.retry_after_s or 3.0
            result = container.container_result(sent.remote_id, answer.get("status"), wait_s=wait_s)
            return None if result is None else dataclasses.replace(result, ends_at=sent.ends_at)
        with meta.asking():
            told = self._state(intent)
        return container.became_of(
            intent, told.get("status"), lambda: self._listed(intent), lambda: _file_error(told)
        )

    def _listed(self, intent: Json) -> StepResult | None:
        """The post that came of a container."""
        text, answered = _words(str(intent["text"])), str(intent["reply_to"])
        places = ("", answered)
        with meta.asking():
            posts = self.find_recent(since=dt.datetime.fromisoformat(str(intent["since"])))
        return container.first_of(
            posts,
            intent,
            lambda post: (
                _words(post.text) == text
                and post.media_count == intent["media"]
                and post.in_reply_to in places
            ),
        )

    def _moderate(self, intent: Json) -> StepResult:
        hide = {ModerationAction.HIDE: True, ModerationAction.UNHIDE: False}[
            ModerationAction(intent["action"])
        ]
        answer = self._graph.post(f"{path_id(intent['id'])}/manage_reply", {"hide": hide})
        if answer.get("success") is False:
            raise Temporary("Threads did not do it")
        return StepResult()

    def find_recent(self, *, since: dt.datetime) -> Sequence[RemotePost]:
        params = {"since": int(since.timestamp()), "limit": PER_CALL, "fields": self._fields}
        lists = ["me/threads", *(["me/replies"] if self._reads_replies else [])]
        found = {
            post.remote_id: post
            for name in lists
            for one in self._graph.lists(name, params, most_pages=MOST_PAGES)
            if (post := remote_post(one)) is not None and post.created_at >= since
        }
        return sorted(found.values(), key=lambda post: post.created_at, reverse=True)

    def find_sent(self, payload: PostPayload, *, since: dt.datetime) -> Sequence[RemotePost]:
        with meta.asking():
            return self.find_recent(since=since)

    def fetch_post(self, remote_id: str) -> RemotePost | None:
        answer = self._graph.find(path_id(remote_id), {"fields": self._fields})
        if answer is None:
            return None
        if (post := remote_post(answer)) is None:
            raise Temporary("a post without an id or a date")
        return post

    # Inbox.

    def fetch_inbox(self, *, since: dt.datetime, cursor: str = "") -> InboxPage:
        reader = Reader(self._graph, self._own_profile, reads_replies=self._reads_replies)
        lists: dict[str, Callable[[str], InboxPage]] = {}
        if self.info.can(Capability.INBOX_COMMENTS):
            lists["replies"] = lambda _position: reader.replies(since)
        if self.info.can(Capability.INBOX_MENTIONS):
            lists["mentions"] = lambda position: reader.mentions(position, since)
        return read_lists(lists, cursor) if lists else InboxPage(())

    @classmethod
    def _event(cls, change: Change) -> WebhookEvent:
        return event(change)

    # Counts.

    def fetch_account_metrics(self) -> AccountMetrics:
        counts = meta.insights(self._graph.get("me/threads_insights", {"metric": "followers_count"}))
        return AccountMetrics(followers=counts.get("followers_count"))

    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        found = {}
        for remote_id in remote_ids:
            answer = self._graph.find(f"{path_id(remote_id)}/insights", {"metric": _METRICS})
            if answer is None:
                continue
            counts = meta.insights(answer)
            found[remote_id] = PostMetrics(
                likes=counts.get("likes"),
                comments=counts.get("replies"),
                shares=counts.get("reposts"),
                impressions=counts.get("views"),
                quotes=counts.get("quotes"),
            )
        return found

    def fetch_public_account(self, handle: str) -> PublicAccount | None:
        """Of public accounts of adults with 100 followers or more."""
        username = handle.strip().removeprefix("@").lower()
        try:
            answer = self._graph.find("profile_lookup", {"username": username, "fields": _LOOKED_UP})
        except Rejected as refused:
            if re.search(r"not found|n.t exist|not exist|private", refused.detail.lower()):
                return None
            raise
        if answer is None:
            return None
        name = meta.word_of(answer, "username")
        profile = Profile(
            remote_id=str(answer.get("id") or name),
            handle=name,
            display_name=str(answer.get("name") or ""),
            avatar_url=meta.web_url(answer.get("profile_picture_url")),
            profile_url=profile_url(name),
        )
        return PublicAccount(profile, AccountMetrics(followers=meta.count(answer, "follower_count")))

    # The account.

    @property
    def _graph(self) -> Graph:
        return _graph(self.tokens.access_token, f"/{VERSION}")

    @property
    def _reads_replies(self) -> bool:
        return self.info.can(Capability.INBOX_COMMENTS)

    @property
    def _fields(self) -> str:
        return post_fields(reads_replies=self._reads_replies)

    @property
    def _own_profile(self) -> Profile:
        username = str(self.options.get("username") or "")
        return Profile(str(self.options.get("user_id") or ""), username, profile_url=profile_url(username))


def _graph(token: str, path: str = "") -> Graph:
    return Graph(KEY, http.base_url(KEY, ROOT) + path, token)


def _tokens(answer: Json) -> Tokens:
    """The token is its own refresh token."""
    token = meta.word_of(answer, "access_token")
    return Tokens(access_token=token, refresh_token=token, expires_at=meta.lifetime(answer))


def _scopes_of(graph: Graph) -> tuple[str, ...]:
    """What was allowed, which may be less than was asked for; () = Threads does not say, all is tried."""
    try:
        told = graph.get(f"{VERSION}/debug_token", {"input_token": graph.token})
    except ConnectorError:
        return ()
    scopes = meta.nested(told, "data", "scopes")
    return tuple(map(str, scopes)) if isinstance(scopes, list) else ()


def _profile(account: Json) -> Profile:
    username = meta.word_of(account, "username")
    return Profile(
        remote_id=meta.word_of(account),
        handle=username,
        display_name=str(account.get("name") or ""),
        avatar_url=meta.web_url(account.get("threads_profile_picture_url")),
        profile_url=profile_url(username),
    )


def _answered(payload: PostPayload, part: int, done: Mapping[str, StepResult]) -> str:
    """What a part hangs below, "" = nothing."""
    if (answered := payload.answered_by(part)) is not None:
        return done[f"part{answered}.publish"].remote_id
    return payload.reply_to.remote_id if payload.reply_to is not None else ""


def _file_form(item: MediaItem) -> Json:
    form: Json = {"media_type": "VIDEO" if item.is_video else "IMAGE"}
    return form | ({"alt_text": item.alt_text} if item.alt_text else {})


def _container(payload: PostPayload, index: int, done: Mapping[str, StepResult], answered: str) -> Json:
    part = payload.parts[index]
    form: Json = {"media_type": "TEXT"}
    if len(part.media) == 1:
        form = _file_form(part.media[0])
    elif part.media:
        children = ",".join(done[f"part{index}.media{m}"].remote_id for m in range(len(part.media)))
        form = {"media_type": "CAROUSEL", "children": children}
    elif part.link_card is not None:
        form["link_attachment"] = part.link_card.url
    if part.text:
        form["text"] = part.text
    if part.media and part.is_sensitive:
        form["is_spoiler_media"] = True
    if answered:
        form["reply_to_id"] = answered
        return form
    # Of the post itself: what hangs below it is where it is.
    if topic := _topic(payload):
        form["topic_tag"] = topic
    control = str(payload.settings.get("reply_control") or "everyone")
    return form | ({"reply_control": control} if control != "everyone" else {})


def _words(text: str) -> str:
    """For comparing: Threads may show a tag without its sign."""
    return normalise(text.replace("#", "").replace("＃", ""))


def _topic(payload: PostPayload) -> str:
    return str(payload.settings.get("topic") or "").strip().removeprefix("#")


def _check(payload: PostPayload, part: int) -> None:
    """What Threads would refuse at the very end."""
    if len(payload.parts[part].media) > INFO.media_max:
        raise Rejected(RejectReason.TOO_MANY_MEDIA, f"at most {INFO.media_max} images and videos together")
    if part == 0 and re.search(r"[.&]", _topic(payload)):
        raise Rejected(RejectReason.SETTING_INVALID, "a topic without “.” and “&”")


def _file_error(container: Json) -> Rejected:
    words = str(container.get("error_message") or "Threads could not process the file")
    for name, reason in _FILE_ERRORS:
        if name in words.upper():
            return Rejected(reason, words)
    return Rejected(RejectReason.MEDIA_BROKEN, words)
