"""Instagram: professional accounts (Business or Creator), with either of the two logins that Meta offers.

Documents: documentation/instagram-platform (content-publishing, business-login, comment-moderation,
private-replies, webhooks, reference/instagram-media/insights, reference/error-codes), 30 June 2026; Meta's
API specification (IGUser, IGMedia, IGComment and their IGOnlyAPI twins).

* **Instagram Login** (``AppCredentials.extra["login"]`` = "instagram", or not said): one account by its own
  token, which lives 60 days and renews itself. **Facebook Login** ("facebook"): every account that hangs on a
  Page of the person, with the Page's token; needed to look at other accounts. Scopes have other names there;
  here they go by those of Instagram Login.
* A post is a container that Instagram fills by fetching our files, asked about until it is FINISHED, and then
  published. One container makes one post: TWO_PHASE, by its state. A post that was published without telling
  us its id is found by its caption. Comments and messages have no key: NEITHER.
* One video is a Reel; several files are a carousel of 2 to 10; ``placement`` "story" makes a story of one
  file.
* Who is named in somebody's caption or comment is told by webhooks alone, and read with Facebook Login; tags
  on media can be read. Below a post that tags the account, and does not name it, Instagram takes no comment.
* Not confirmed by a live call: that tokens may be sent in the header of all calls, that what two guides say
  of the answers of sign-in differs only by a list around it, how soon a published container says so.

Not supported: product tags, collaborators, locations, music, trial Reels, likes of comments (no API), uploads
without a public address (only Facebook Login has them), private replies to comments, live videos.
``seen_live`` is False: built from the documents, never run against Instagram itself.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from connectors import http, meta, meta_login
from connectors import meta_container as container
from connectors.base import (
    AccountMetrics,
    AppCredentials,
    AuthorizeRequest,
    Capability,
    Connected,
    Connector,
    InboxItem,
    InboxKind,
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
    NeedsReconnect,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.inbox import read_lists
from connectors.instagram_inbox import KEY, MEDIA, Reader, event, own_comments, remote_post
from connectors.instagram_info import AT_FACEBOOK, FACEBOOK, INFO, INSTAGRAM
from connectors.instagram_login import (
    ME,
    by_itself,
    login_of,
    only,
    profile_of,
    root,
    through_pages,
    tokens_of,
)
from connectors.limits import Allowance, Answer
from connectors.meta import Graph, path_id
from connectors.meta_errors import allowances
from connectors.meta_hooks import CalledByMeta, Change
from connectors.meta_inbox import Sought, Talks, message_form, unless_forbidden
from connectors.text import find_hashtags, is_story, normalise

_PLAIN_METRICS = ("likes", "comments")

RECENT = 25
OWN_WORDS = "id,text,timestamp,username,from"
_METRICS = "views,reach,saved,shares"
_METRICS_OF_A_STORY = "views,reach,replies,shares"


class InstagramConnector(CalledByMeta, Connector):
    INFO: ClassVar[PlatformInfo] = INFO

    @classmethod
    def allowances_told(cls, answer: Answer, *, now: dt.datetime) -> tuple[Allowance, ...]:
        return allowances(answer, now=now)

    @classmethod
    def info_for(cls, options: Mapping[str, Any]) -> PlatformInfo:
        scopes = _scopes(options)
        info = granted(INFO, scopes)
        if options.get("login") == INSTAGRAM:
            info = dataclasses.replace(info, capabilities=info.capabilities - {Capability.COMPETITORS})
        if scopes and "instagram_business_manage_insights" not in scopes:
            info = dataclasses.replace(info, post_metrics=_PLAIN_METRICS)
        return info

    # Connecting.

    @classmethod
    def authorize_url(
        cls, *, app: AppCredentials, redirect_uri: str, state: str, scopes: Sequence[str] = ()
    ) -> AuthorizeRequest:
        wanted = tuple(scopes or INFO.scopes)
        if login_of(app) == FACEBOOK:
            names = dict.fromkeys(name for scope in wanted for name in AT_FACEBOOK.get(scope, (scope,)))
            dialog = http.base_url(f"{KEY}.dialog", meta_login.DIALOG)
            return meta_login.authorize(
                dialog, app=app, redirect_uri=redirect_uri, state=state, scopes=tuple(names)
            )
        query = {
            "client_id": app.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": ",".join(wanted),
            "state": state,
        }
        server = http.base_url(f"{KEY}.authorize", "https://www.instagram.com")
        # Business Login has neither PKCE nor a nonce: ``state`` and the app's secret protect it.
        return AuthorizeRequest(url=f"{server}/oauth/authorize?{urlencode(query)}", code_verifier="")

    @classmethod
    def exchange_accounts(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> tuple[Connected, ...]:
        if login_of(app) == FACEBOOK:
            return through_pages(app, code, redirect_uri)
        return (by_itself(app, code, redirect_uri),)

    @classmethod
    def refresh(cls, *, tokens: Tokens, options: Mapping[str, Any], app: AppCredentials | None) -> Tokens:
        """A token of Instagram Login renews itself while it lives; the old one stays good, too."""
        if options.get("login") == FACEBOOK or not tokens.access_token:
            raise NeedsReconnect("this token cannot be renewed")
        graph = Graph(KEY, root(), tokens.access_token)
        query = {"grant_type": "ig_refresh_token", "access_token": tokens.access_token}
        return tokens_of(graph.get("refresh_access_token", query))

    def fetch_profile(self) -> Profile:
        if self._is_by_itself:
            return profile_of(only(self._graph.get("me", ME)))
        return profile_of(self._graph.get(self._ig, {"fields": "id,username,name,profile_picture_url"}))

    # Publishing.

    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        if payload.moderation is not None:
            return (Step(key="moderate", kind=StepKind.MODERATE, part=0),)
        steps: list[Step] = []
        is_answer = payload.reply_to is not None or payload.message_to is not None
        for p, part in enumerate(payload.parts):
            if not (is_answer or part.is_comment):
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
            item = part.media[step.media]
            form = {"is_carousel_item": True} | (
                {"media_type": "VIDEO"} if item.is_video else _alt_text(item)
            )
            return {"form": form}
        if step.kind is StepKind.CONTAINER:
            return {"form": _container(payload, step.part, done)}
        if payload.message_to is not None:
            return {"do": "message", "form": message_form(payload.message_to, part.text, now)}
        if payload.reply_to is not None:
            return _answer(payload.reply_to.detail, payload.reply_to.remote_id, part.text)
        if (answered := payload.answered_by(step.part)) is not None:
            post = done[f"part{answered}.publish"].remote_id
            return {"do": "comment", "to": post, "form": {"message": part.text}}
        return {
            "do": "publish",
            "container": done[f"part{step.part}.container"].remote_id,
            "text": part.text,
            "is_story": is_story(payload, INFO),
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
        match intent["do"]:
            case "publish":
                return self._publish(intent)
            case "message":
                answer = self._graph.post(f"{self._talks_of}/messages", intent["form"], changes=True)
                return StepResult(remote_id=meta.word_of(answer, "message_id"))
            case "mention":
                path = f"{self._ig}/mentions"
            case "reply":
                path = f"{path_id(intent['to'])}/replies"
            case _:
                path = f"{path_id(intent['to'])}/comments"
        answer = self._graph.post(path, intent["form"], changes=True)
        return StepResult(remote_id=meta.word_of(answer))

    def _make(self, form: Json, media: Sequence[MediaItem]) -> StepResult:
        """A container, for ``media`` of one file or of none (the children are there)."""
        wait_s = 2.0
        for item in media:
            form["video_url" if item.is_video else "image_url"] = item.address()
            if item.is_video:
                wait_s = 5.0
                if form["media_type"] == "REELS" and item.cover_url is not None:
                    with contextlib.suppress(FileNotFoundError):
                        form["cover_url"] = item.cover_url()
        answer = self._graph.post(f"{self._ig}/media", form)
        # Even an image is refused by media_publish for a moment after it was taken.
        return StepResult(state=StepState.PROCESSING, remote_id=meta.word_of(answer), retry_after_s=wait_s)

    def _publish(self, intent: Json) -> StepResult:
        form = {"creation_id": intent["container"]}
        try:
            answer = self._graph.post(f"{self._ig}/media_publish", form, changes=True)
        except Rejected as refused:
            # Without words, or as a story, another post would look like ours.
            container.judge_refusal(
                refused,
                intent,
                lambda: self._state(intent).get("status_code"),
                lambda: self._listed(intent),
                is_told_by_list=bool(intent["text"]) and not intent["is_story"],
            )
        return StepResult(remote_id=meta.word_of(answer))

    def _state(self, intent: Json) -> Json:
        """Of the container that is published; empty where it is not there."""
        return self._graph.find(path_id(intent["container"]), {"fields": "status_code,status"}) or {}

    def check(self, step: Step, intent: Json, sent: StepResult | None) -> StepResult | None:
        if step.kind in (StepKind.MEDIA, StepKind.CONTAINER):
            if sent is None or not sent.remote_id:
                return None
            answer = self._graph.find(path_id(sent.remote_id), {"fields": "status_code,status"})
            if answer is None:
                return None
            return container.container_result(
                sent.remote_id,
                answer.get("status_code"),
                answer.get("status"),
                wait_s=sent.retry_after_s or 3.0,
            )
        if intent.get("do") != "publish":
            raise TypeError("a comment or a message has no state to ask for")
        with meta.asking():
            told = self._state(intent)
        return container.became_of(
            intent,
            told.get("status_code"),
            lambda: self._listed(intent),
            lambda: container.container_error(str(told.get("status") or "")),
        )

    def _listed(self, intent: Json) -> StepResult | None:
        """The post that came of a container."""
        edge, words = "stories" if intent["is_story"] else "media", normalise(intent["text"])
        with meta.asking():
            answer = self._graph.get(f"{self._ig}/{edge}", {"fields": MEDIA, "limit": RECENT})
        posts = map(remote_post, meta.objects(answer))
        return container.first_of(
            posts, intent, lambda post: intent["is_story"] or normalise(post.text) == words
        )

    def safety_of(self, intent: Json, now: dt.datetime) -> RetrySafety:
        return RetrySafety.TWO_PHASE if intent.get("do") == "publish" else RetrySafety.NEITHER

    def find_recent(self, *, since: dt.datetime) -> Sequence[RemotePost]:
        """Its posts, and its comments below the latest of them."""
        return self._since(since, self._latest())

    def _latest(self) -> list[Json]:
        fields = f"{MEDIA},comments.limit(50){{{OWN_WORDS}}}"
        answer = self._graph.get(f"{self._ig}/media", {"fields": fields, "limit": RECENT})
        return meta.objects(answer)

    def _since(self, since: dt.datetime, media: Sequence[Json]) -> list[RemotePost]:
        posts = [remote_post(one) for one in media]
        posts += [comment for one in media for comment in own_comments(one, self._own)]
        recent = (post for post in posts if post.created_at >= since)
        return sorted(recent, key=lambda post: post.created_at, reverse=True)

    def find_sent(self, payload: PostPayload, *, since: dt.datetime) -> Sequence[RemotePost]:
        if payload.message_to is not None:
            with meta.asking():
                return self._talks().sent_to(payload.message_to.recipient_id, payload.parts[0].text, since)
        if payload.reply_to is None:
            with meta.asking():
                media = self._latest()
            caption = normalise(payload.parts[0].text)
            # Only a comment comes here: a post is told by its container.
            ours = [one for one in media if normalise(str(one.get("caption") or "")) == caption]
            if not ours:
                raise Temporary("the post is not listed, so its comments cannot be seen")
            for one in ours:
                if first := one.get("comments"):  # of a post without any it says nothing
                    one["comments"] = self._all_below(str(one.get("id") or ""), "comments", first)
                own_comments(one, self._own, Sought(payload.parts[-1].text, since))
            return self._since(since, media)
        answered = _answer(payload.reply_to.detail, payload.reply_to.remote_id, "")
        edge = "comments" if answered["do"] == "mention" else "replies"
        below, sought = self._all_below(answered["to"], edge), Sought(payload.parts[0].text, since)
        own = own_comments({"comments": below}, self._own, sought)
        return [one for one in own if one.created_at >= since]

    def _all_below(self, remote_id: str, edge: str, first: object = None) -> Json:
        """Every comment below a post, or answer below a comment, of which ``first`` may be known. In which
        order they come is not said of answers: all are read."""
        params = {"fields": OWN_WORDS, "limit": 50}
        with meta.asking():
            return {"data": self._graph.whole(f"{path_id(remote_id)}/{edge}", params, first=first)}

    def fetch_post(self, remote_id: str) -> RemotePost | None:
        answer = self._graph.find(path_id(remote_id), {"fields": MEDIA})
        return None if answer is None else remote_post(answer)

    def fetch_quotas(self) -> tuple[Quota, ...]:
        params = {"fields": "quota_usage,config"}
        answer = self._graph.get(f"{self._ig}/content_publishing_limit", params)
        return meta.quotas(answer, {"Posts": ("quota_usage", "config")})

    # Inbox.

    def fetch_inbox(self, *, since: dt.datetime, cursor: str = "") -> InboxPage:
        reader = Reader(self._graph, self._ig, self._own, self._profile)
        lists: dict[str, Callable[[str], InboxPage]] = {
            "comments": lambda position: reader.comments(position, since),
            "tags": lambda position: unless_forbidden(lambda: reader.tags(position, since)),
            "talks": lambda position: unless_forbidden(lambda: self._talks().page(position, since)),
        }
        needs = {
            "comments": Capability.INBOX_COMMENTS,
            "tags": Capability.INBOX_MENTIONS,
            "talks": Capability.INBOX_MESSAGES,
        }
        readable = {name: read for name, read in lists.items() if self.info.can(needs[name])}
        return read_lists(readable, cursor) if readable else InboxPage(())

    def complete(self, items: Sequence[InboxItem]) -> Sequence[InboxItem]:
        """Of mentions; only Facebook Login has calls for them."""
        if self._is_by_itself:
            return items
        reader = Reader(self._graph, self._ig, self._own, self._profile)
        return [reader.mentioned(one) if one.kind is InboxKind.MENTION else one for one in items]

    def _moderate(self, intent: Json) -> StepResult:
        comment, action = path_id(intent["id"]), ModerationAction(intent["action"])
        if action in (ModerationAction.HIDE, ModerationAction.UNHIDE):
            self._graph.post(comment, {"hide": action is ModerationAction.HIDE})
        elif action is ModerationAction.DELETE:
            self._graph.forget(comment)
        else:
            raise Rejected(RejectReason.NOT_SUPPORTED, "Instagram lets no app like comments")
        return StepResult(remote_id=str(intent["id"]))

    # Webhooks.

    @classmethod
    def _event(cls, change: Change) -> WebhookEvent:
        return event(change)

    def subscribe(self) -> None:
        """With Facebook Login the fields stand in the app's settings; the Page must have the app at all."""
        wanted = {
            "comments": Capability.INBOX_COMMENTS,
            "mentions": Capability.INBOX_MENTIONS,
            "messages": Capability.INBOX_MESSAGES,
        }
        fields = [name for name, capability in wanted.items() if self.info.can(capability)]
        if fields:  # the permission to subscribe comes with these
            told = ",".join(fields) if self._is_by_itself else "feed"
            self._graph.post(f"{self._talks_of}/subscribed_apps", {"subscribed_fields": told})

    # Others.

    def fetch_public_account(self, handle: str) -> PublicAccount | None:
        name = handle.strip().removeprefix("@")
        if not re.fullmatch(r"[A-Za-z0-9._]{1,30}", name):
            return None
        wanted = "id,username,name,profile_picture_url,followers_count,follows_count,media_count"
        asked = {"fields": f"business_discovery.username({name}){{{wanted}}}"}
        answer = self._graph.find(self._ig, asked)
        if answer is None:  # no such account, or one that is no professional account
            return None
        found = answer["business_discovery"]
        if not isinstance(found, dict):
            raise Temporary("an answer without an account")
        return PublicAccount(profile_of(found), _counts(found))

    # Metrics.

    def fetch_account_metrics(self) -> AccountMetrics:
        fields = {"fields": "followers_count,follows_count,media_count"}
        return _counts(self._graph.get(self._ig, fields))

    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        found = {}
        for remote_id in remote_ids:
            fields = "id,like_count,comments_count,media_product_type"
            answer = self._graph.find(path_id(remote_id), {"fields": fields})
            if answer is None:
                continue
            told = self._insights(remote_id, answer.get("media_product_type") == "STORY")
            found[remote_id] = PostMetrics(
                likes=meta.count(answer, "like_count"),
                comments=meta.count(answer, "comments_count"),
                shares=told.get("shares"),
                impressions=told.get("views"),
                bookmarks=told.get("saved"),
                reach=told.get("reach"),
            )
        return found

    def _insights(self, remote_id: str, is_story: bool) -> dict[str, int]:
        """Empty where there are none: not allowed, not counted (yet), or too old."""
        if "impressions" not in self.info.post_metrics:
            return {}
        params = {"metric": _METRICS_OF_A_STORY if is_story else _METRICS}
        try:
            return meta.insights(self._graph.get(f"{path_id(remote_id)}/insights", params))
        except Rejected:
            return {}

    # Calls.

    @property
    def _is_by_itself(self) -> bool:
        return self.options.get("login") != FACEBOOK

    @property
    def _graph(self) -> Graph:
        token = self.tokens.access_token
        if self._is_by_itself:
            return Graph(KEY, f"{root()}/{meta_login.VERSION}", token)
        secret = self.app.client_secret if self.app is not None else ""
        return Graph(KEY, http.base_url(f"{KEY}.facebook", meta_login.GRAPH), token, secret)

    @property
    def _ig(self) -> str:
        return path_id(self.options["ig_id"])

    @property
    def _talks_of(self) -> str:
        """Whose conversations they are: with Facebook Login the Page's."""
        return self._ig if self._is_by_itself else path_id(self.options["page_id"])

    @property
    def _own(self) -> frozenset[str]:
        """What the account goes by where something says who wrote it: ids, or the name."""
        names = ("ig_id", "page_id", "person_id", "username")
        return frozenset(str(self.options[name]) for name in names if self.options.get(name))

    @property
    def _profile(self) -> Profile:
        return profile_of({"id": self.options["ig_id"], "username": self.options.get("username")})

    def _talks(self) -> Talks:
        return Talks(self._graph, self._talks_of, self._own, "instagram", self._profile)


def _answer(detail: Json, remote_id: str, text: str) -> Json:
    """An answer to a post or a comment that names the account, or below a comment."""
    if media_id := detail.get("media_id"):
        form = {name: str(detail[name]) for name in ("media_id", "comment_id") if detail.get(name)}
        return {"do": "mention", "to": str(media_id), "form": {**form, "message": text}}
    return {"do": "reply", "to": str(detail.get("comment") or remote_id), "form": {"message": text}}


def _container(payload: PostPayload, part: int, done: Mapping[str, StepResult]) -> Json:
    """The form of a post's container without the address of its file."""
    media, caption = payload.parts[part].media, payload.parts[part].text
    if is_story(payload, INFO):
        return {"media_type": "STORIES"}
    if len(media) > 1:
        children = [done[f"part{part}.media{m}"].remote_id for m in range(len(media))]
        return {"media_type": "CAROUSEL", "children": ",".join(children), "caption": caption}
    if media and media[0].is_video:
        return {"media_type": "REELS", "caption": caption, "share_to_feed": True}
    return {"caption": caption} | (_alt_text(media[0]) if media else {})


def _check(payload: PostPayload, index: int) -> None:
    """What Instagram would refuse after it has fetched the files, or at the very end."""
    part = payload.parts[index]
    if not part.media:
        raise Rejected(RejectReason.MEDIA_MISSING)
    if len(part.media) > INFO.media_max:
        raise Rejected(RejectReason.TOO_MANY_MEDIA, f"a post has {INFO.media_max} images and videos")
    if len(find_hashtags(part.text)) > INFO.text.max_hashtags:
        raise Rejected(RejectReason.TOO_MANY_TAGS, f"a post has {INFO.text.max_hashtags} hashtags")
    if INFO.story is not None and is_story(payload, INFO):
        meta.check_story(payload, index, INFO.story)


def _alt_text(item: MediaItem) -> Json:
    return {"alt_text": item.alt_text} if item.alt_text else {}


def _scopes(options: Mapping[str, Any]) -> tuple[str, ...]:
    scopes = options.get("scopes")
    return tuple(map(str, scopes)) if isinstance(scopes, list | tuple) else ()


def _counts(account: Json) -> AccountMetrics:
    return AccountMetrics(
        followers=meta.count(account, "followers_count"),
        following=meta.count(account, "follows_count"),
        posts=meta.count(account, "media_count"),
    )
