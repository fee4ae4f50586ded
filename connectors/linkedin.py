"""LinkedIn: posts of a person or a page, with images, a video or a link, first comments, and a page's inbox.

Documents: learn.microsoft.com/linkedin (shared/authentication, community-management: posts-api, images-api,
videos-api, comments-api, reactions-api, little-text-format, organizations), read 2026-11-30.

* One sign-in speaks for the person and for the pages that they manage. Which products an app was given
  decides what can be asked for: see ``features`` and docs/networks/linkedin.md. PKCE is for native apps only.
* A token lives 60 days. Only approved partners get a refresh token, which ends a year after the sign-in. So
  each connection has an end.
* There is no key against repetition (NEITHER). LinkedIn refuses words that the author has just said (422),
  and names the post: the outbox looks. Nobody may read a person's posts without ``r_member_social``, which
  few apps have: there a person is asked. Long addresses come back shortened, which ``find_sent`` knows.
* Text is counted plain, escaped on the wire (``linkedin_text``). The unit of the limit is not documented;
  UTF-16 is the one that never lets too much through.
* Every call names a version of the API, which lives a year (then 426): ``linkedin_calls.API_VERSION``.

Not confirmed by a document: sizes of images, the limit of comments (1,250), whether comments of others can be
deleted, the names of people (left out where refused), what reading a video's state asks for.
Not supported: documents (PDF), polls, reposts, counts of a person's posts, mentions with a link to somebody.
There are no direct messages in this API. An alternative text of a video has no place there.
``seen_live`` is False: built from the documents, never run against LinkedIn itself.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import unquote, urlencode

import regex
from requests import Response

from connectors import http
from connectors.answers import (
    count,
    https,
    ident,
    inner,
    is_digits,
    lifetime,
    number_or_text,
    object_of,
    said,
    text,
)
from connectors.base import (
    AccountMetrics,
    AppCredentials,
    AuthorizeRequest,
    Capability,
    Connected,
    Connector,
    InboxPage,
    Json,
    LinkCard,
    ModerationAction,
    NotAllListed,
    PlatformInfo,
    PostMetrics,
    PostPart,
    PostPayload,
    Profile,
    PublicAccount,
    RemotePost,
    Step,
    StepKind,
    StepResult,
    StepState,
    Tokens,
    WebhookEvent,
)
from connectors.errors import NeedsReconnect, OutcomeUnknown, Rejected, RejectReason, Temporary
from connectors.inbox import read_lists
from connectors.linkedin_calls import (
    KEY,
    ORGANIZATION,
    call,
    checked,
    encoded,
    instant,
    list_of,
    objects,
    version_of,
    web,
)
from connectors.linkedin_inbox import (
    EVENT_TYPE,
    Reader,
    challenge,
    comment_link,
    comment_parts,
    comment_urn,
    events,
    is_genuine,
    page_profile,
    person_profile,
    post_link,
)
from connectors.linkedin_info import INFO, PAGE_COMMENTS, PAGE_COUNTS, POSTS, scopes_of
from connectors.linkedin_media import CHECK_AGAIN_S, Uploads
from connectors.linkedin_text import from_little, to_little
from connectors.text import find_links, normalise

POSTS_PER_CALL = 50
MAX_PAGES = 3
STATISTICS_PER_CALL = 20
PAGES_PER_CALL = 100
TITLE_MAX = 400
DESCRIPTION_MAX = 4086
POSTING_ROLES = frozenset({"ADMINISTRATOR", "CONTENT_ADMIN", "CONTENT_ADMINISTRATOR"})
NO_NAME = "none of the scopes that tell who signed in was granted"
MAY_NOT_READ = "LinkedIn lets this app write for the account, but not read what it wrote."


class LinkedInConnector(Connector):
    INFO: ClassVar[PlatformInfo] = INFO

    @classmethod
    def info_for(cls, options: Mapping[str, Any]) -> PlatformInfo:
        """By who the account is, a person or a page, and what was granted."""
        urn, scopes = str(options.get("urn", "")), set(options.get("scopes") or ())
        if not urn:
            return INFO
        may: set[Capability] = set(POSTS)
        if not urn.startswith(ORGANIZATION):
            if "w_member_social_feed" in scopes:
                may.add(Capability.FIRST_COMMENT)
            return dataclasses.replace(
                INFO,
                capabilities=frozenset(may),
                account_metrics=(),
                post_metrics=(),
                reads_back="r_member_social" in scopes,
            )
        if "rw_organization_admin" in scopes:
            may |= PAGE_COUNTS
        if {"rw_organization_admin", *scopes_of("page_comments")} <= scopes:
            may |= PAGE_COMMENTS
        return dataclasses.replace(
            INFO,
            capabilities=frozenset(may),
            account_metrics=INFO.account_metrics if Capability.ACCOUNT_METRICS in may else (),
            post_metrics=INFO.post_metrics if Capability.POST_METRICS in may else (),
            reads_back="r_organization_social" in scopes,
            post_fields=(),  # what a page says is for everybody
        )

    # Connecting.

    @classmethod
    def authorize_url(
        cls, *, app: AppCredentials, redirect_uri: str, state: str, scopes: Sequence[str] = ()
    ) -> AuthorizeRequest:
        query = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "scope": " ".join(scopes or INFO.scopes),
        }
        return AuthorizeRequest(url=f"{web()}/oauth/v2/authorization?{urlencode(query)}", code_verifier="")

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
        """The person, and the pages on which they may post."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        tokens, scopes = _tokens(app, form)
        client = cls(tokens=tokens, options={"scopes": list(scopes)}, app=app)
        person = client._person()
        found = []
        if "w_member_social" in scopes:
            found.append(person)
        if "w_organization_social" in scopes and "rw_organization_admin" in scopes:
            found += client._managed()
        if not found:
            raise Rejected(RejectReason.NOT_FOUND, "neither a person nor a page to post as")
        return tuple(
            Connected(
                profile=profile,
                tokens=tokens,
                scopes=scopes,
                options={
                    "urn": profile.remote_id,
                    "person": person.remote_id,
                    "handle": profile.handle,
                    "name": profile.display_name,
                    "profile_url": profile.profile_url,
                    "scopes": list(scopes),
                },
            )
            for profile in found
        )

    @classmethod
    def refresh(cls, *, tokens: Tokens, options: Mapping[str, Any], app: AppCredentials | None) -> Tokens:
        if not tokens.refresh_token or app is None:
            raise NeedsReconnect("LinkedIn gave this app no refresh token")
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
        try:
            fresh, _ = _tokens(app, form)
        except Rejected as error:
            raise NeedsReconnect(error.detail) from error
        if not fresh.refresh_token:
            fresh = dataclasses.replace(fresh, refresh_token=tokens.refresh_token)
        return fresh

    def fetch_profile(self) -> Profile:
        if not self._is_page:
            return self._person()
        number = self._urn.removeprefix(ORGANIZATION)
        page = self._object("GET", f"/rest/organizations/{encoded(number)}")
        return page_profile(ident(page, "id"), page)

    def _person(self) -> Profile:
        scopes = self.options.get("scopes") or ()
        if "openid" in scopes:
            told = self._object("GET", "/v2/userinfo")
            name, number = text(told.get("name")), ident(told, "sub")
            return Profile(
                remote_id=f"urn:li:person:{number}",
                handle=name or number,
                display_name=name,
                avatar_url=https(told.get("picture")),
            )
        if "r_basicprofile" not in scopes:
            raise Rejected(RejectReason.INVALID, NO_NAME)
        told = self._object("GET", "/v2/me")
        return person_profile(ident(told, "id"), told)

    def _managed(self) -> list[Profile]:
        numbers: list[str] = []
        for start in range(0, 10 * PAGES_PER_CALL, PAGES_PER_CALL):
            path = "/rest/organizationAcls?q=roleAssignee&state=APPROVED"
            found = objects(self._object("GET", f"{path}&start={start}&count={PAGES_PER_CALL}"))
            for role in found:
                urn = text(role.get("organization")) or text(role.get("organizationalTarget"))
                if text(role.get("role")) in POSTING_ROLES and urn.startswith(ORGANIZATION):
                    numbers.append(urn.removeprefix(ORGANIZATION))
            if len(found) < PAGES_PER_CALL:
                break
        profiles = []
        for number in dict.fromkeys(numbers):
            # One page that is closed must not keep the others from being connected.
            with contextlib.suppress(Rejected):
                page = self._object("GET", f"/rest/organizations/{encoded(number)}")
                profiles.append(page_profile(number, page))
        return profiles

    # Publishing.

    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        """A container is the picture of a link, uploaded before its post."""
        if payload.moderation is not None:
            return (Step(key="moderate", kind=StepKind.MODERATE, part=0),)
        steps: list[Step] = []
        for p, part in enumerate(payload.parts):
            is_post = not part.is_comment and payload.reply_to is None
            if is_post:
                steps += [
                    Step(key=f"part{p}.media{m}", kind=StepKind.MEDIA, part=p, media=m)
                    for m in range(len(part.media))
                ]
            if is_post and (card := _card_of(part)) is not None and card.image_url:
                steps.append(Step(key=f"part{p}.container", kind=StepKind.CONTAINER, part=p))
            steps.append(Step(key=f"part{p}.publish", kind=StepKind.PUBLISH, part=p))
        return tuple(steps)

    def prepare_step(
        self, step: Step, payload: PostPayload, done: Mapping[str, StepResult], *, key: str, now: dt.datetime
    ) -> Json:
        if (moderation := payload.moderation) is not None:
            return {"action": str(moderation.action), "id": moderation.remote_id}
        part = payload.parts[step.part]
        if step.kind is StepKind.MEDIA:
            return {"owner": self._urn}
        if step.kind is StepKind.CONTAINER:
            card = _card_of(part)
            return {"owner": self._urn, "picture": card.image_url if card else ""}
        if (answered := payload.answered_by(step.part)) is not None:
            return self._comment(part.text, done[f"part{answered}.publish"].remote_id)
        if payload.reply_to is not None:
            # Answers stand on one level: one to an answer is one to the comment above both.
            above = str(payload.reply_to.detail.get("parent") or payload.reply_to.remote_id)
            return self._comment(part.text, above)
        post: Json = {
            "author": self._urn,
            "commentary": to_little(part.text),
            "visibility": "PUBLIC" if self._is_page else _visibility(payload),
            "distribution": {
                "feedDistribution": "MAIN_FEED",
                "targetEntities": [],
                "thirdPartyDistributionChannels": [],
            },
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
        }
        if content := _content(step, part, done):
            post["content"] = content
        return {"post": post}

    def _comment(self, text: str, above: str) -> Json:
        """``above`` is a post or a first comment."""
        comment: Json = {"actor": self._urn, "object": above, "message": {"text": text}}
        if (parts := comment_parts(above)) is not None:
            comment |= {"object": parts[0], "parentComment": above}
        return {"comment": comment, "below": above}

    def send_step(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        if step.kind is StepKind.MODERATE:
            return self._moderate(intent)
        if step.kind is StepKind.CONTAINER:
            return self._uploads().picture(str(intent["owner"]), str(intent["picture"]))
        if step.kind is StepKind.MEDIA:
            item = payload.parts[step.part].media[step.media]
            uploads = self._uploads()
            upload = uploads.video if item.is_video else uploads.image
            return upload(str(intent["owner"]), item)
        if "comment" in intent:
            return self._say(intent["comment"], str(intent["below"]))
        response = checked(self._call("POST", "/rest/posts", json=intent["post"], changes=True))
        urn = unquote(response.headers.get("x-restli-id", ""))
        if not re.fullmatch(r"urn:li:[a-zA-Z]+:[0-9]+", urn):
            raise OutcomeUnknown(f"HTTP {response.status_code} without the URN of a post")
        return StepResult(remote_id=urn, permalink=post_link(urn))

    def _say(self, comment: Json, below: str) -> StepResult:
        path = f"/rest/socialActions/{encoded(below)}/comments"
        response = checked(self._call("POST", path, json=comment, changes=True))
        thread = str(comment["object"])
        urn = comment_urn(
            said(response), below=thread, number=unquote(response.headers.get("x-restli-id", ""))
        )
        if not urn:
            raise OutcomeUnknown(f"HTTP {response.status_code} without the number of a comment")
        return StepResult(remote_id=urn, permalink=comment_link(thread, urn))

    def _moderate(self, intent: Json) -> StepResult:
        target, actor = str(intent["id"]), encoded(self._urn)
        match ModerationAction(intent["action"]):
            case ModerationAction.LIKE:
                liked = {"root": target, "reactionType": "LIKE"}
                response = self._call("POST", f"/rest/reactions?actor={actor}", json=liked)
                is_done = response.status_code == 409  # liked before
            case ModerationAction.UNLIKE:
                response = self._call("DELETE", f"/rest/reactions/(actor:{actor},entity:{encoded(target)})")
                is_done = response.status_code == 404
            case ModerationAction.DELETE:
                if (parts := comment_parts(target)) is None:
                    raise Rejected(RejectReason.NOT_SUPPORTED, "only comments can be deleted")
                path = f"/rest/socialActions/{encoded(parts[0])}/comments/{parts[1]}?actor={actor}"
                response = self._call("DELETE", path)
                is_done = response.status_code in {404, 410}
            case _:
                raise Rejected(RejectReason.NOT_SUPPORTED)
        if not is_done:
            checked(response)
        return StepResult(remote_id=target)

    def _uploads(self) -> Uploads:
        return Uploads(self.tokens.access_token, self._call)

    def check(self, step: Step, intent: Json, sent: StepResult | None) -> StepResult | None:
        """Of a video. A post has no state: what is not known of it is looked for among the own ones."""
        if step.kind is not StepKind.MEDIA:
            raise TypeError("a post has no state to ask for")
        if sent is None or not sent.remote_id:
            return None
        response = self._call("GET", f"/rest/videos/{encoded(sent.remote_id)}")
        if response.status_code == 404:
            return None
        if response.status_code == 403:
            return StepResult(remote_id=sent.remote_id)  # may not ask: the post is refused if it is too soon
        video = http.json_object(checked(response, about="media"))
        state = ident(video, "status")
        if state == "AVAILABLE":
            return StepResult(remote_id=sent.remote_id)
        if state == "PROCESSING_FAILED":
            why = text(video.get("processingFailureReason")) or "LinkedIn could not process the video"
            raise Rejected(RejectReason.MEDIA_BROKEN, why)
        return StepResult(state=StepState.PROCESSING, remote_id=sent.remote_id, retry_after_s=CHECK_AGAIN_S)

    # Reading back.

    def find_recent(self, *, since: dt.datetime) -> Sequence[RemotePost]:
        return self._recent(since)[0]

    def _recent(self, since: dt.datetime) -> tuple[list[RemotePost], bool]:
        """Posts created since then, and whether these are all."""
        self._must_read()
        found: list[Json] = []
        is_whole = False
        for page in range(MAX_PAGES):
            path = (
                f"/rest/posts?q=author&author={encoded(self._urn)}&sortBy=LAST_MODIFIED"
                f"&start={page * POSTS_PER_CALL}&count={POSTS_PER_CALL}"
            )
            posts = objects(self._object("GET", path, headers={"X-RestLi-Method": "FINDER"}))
            found += posts
            changed = [instant(post.get("lastModifiedAt")) for post in posts]
            if len(posts) < POSTS_PER_CALL or all(at is not None and at < since for at in changed):
                is_whole = True
                break
        told = (_remote_post(post) for post in found)
        recent = [post for post in told if post.created_at >= since]
        return sorted(recent, key=lambda post: post.created_at, reverse=True), is_whole

    def find_sent(self, payload: PostPayload, *, since: dt.datetime) -> Sequence[RemotePost]:
        """The own posts; what the account said below what it answers; its comments below its new posts."""
        if payload.reply_to is not None:
            above = str(payload.reply_to.detail.get("parent") or payload.reply_to.remote_id)
            posts, missing = self._own_comments(above, payload.reply_to.remote_id, since)
        else:
            posts, is_whole = self._recent(since)
            missing = "" if is_whole else "more posts than can be looked through"
            posts = [_with_own_links(post, payload) for post in posts]
            if any(part.is_comment for part in payload.parts):
                for post in tuple(posts):
                    comments, why = self._own_comments(post.remote_id, post.remote_id, since)
                    posts, missing = [*posts, *comments], missing or why
        if missing:
            raise NotAllListed(missing, posts)
        return posts

    def _own_comments(self, above: str, answered: str, since: dt.datetime) -> tuple[list[RemotePost], str]:
        """What the account wrote there since then, and why that is not all of it ("" = it is)."""
        self._must_read()
        found: list[RemotePost] = []
        try:
            for comment in self._reader().comments(above, whole=True):
                if comment.get("actor") != self._urn:
                    continue
                post = _remote_comment(comment, above, answered)
                if post is None:
                    raise Temporary("a comment of this account that cannot be read")
                if post.created_at >= since:
                    found.append(post)
        except Temporary as error:
            return found, error.detail or "not all comments could be read"
        return found, ""

    def fetch_post(self, remote_id: str) -> RemotePost | None:
        self._must_read()
        if (parts := comment_parts(remote_id)) is not None:
            response = self._call("GET", f"/rest/socialActions/{encoded(parts[0])}/comments/{parts[1]}")
            if response.status_code in {404, 410}:
                return None
            comment = http.json_object(checked(response))
            post = _remote_comment(comment, parts[0], text(comment.get("parentComment")) or parts[0])
            if post is None:
                raise Temporary("a comment without a date")
            return dataclasses.replace(post, remote_id=remote_id)
        response = self._call("GET", f"/rest/posts/{encoded(remote_id)}")
        if response.status_code in {404, 410}:
            return None
        return _remote_post(http.json_object(checked(response)))

    def _must_read(self) -> None:
        if not self.info.reads_back:
            raise Rejected(RejectReason.FORBIDDEN, MAY_NOT_READ)

    # Inbox and webhooks.

    def fetch_inbox(self, *, since: dt.datetime, cursor: str = "") -> InboxPage:
        if not self.info.can(Capability.INBOX_COMMENTS):
            return InboxPage(())
        reader = self._reader()
        return read_lists({"told": lambda position: reader.told(position, since)}, cursor)

    def _reader(self) -> Reader:
        account = Profile(
            remote_id=self._urn,
            handle=str(self.options.get("handle") or ""),
            display_name=str(self.options.get("name") or ""),
            profile_url=str(self.options.get("profile_url") or ""),
        )
        return Reader(self._urn, account, lambda path: self._call("GET", path))

    @classmethod
    def webhook_challenge(cls, query: Mapping[str, str], *, secret: str, verify_token: str) -> str | None:
        return challenge(query, secret=secret)

    @classmethod
    def is_genuine(cls, body: bytes, headers: Mapping[str, str], *, secret: str) -> bool:
        """LinkedIn signs no time, and repeats a call for eight hours: what came before has the same id."""
        return is_genuine(body, headers, secret=secret)

    @classmethod
    def webhook_events(cls, body: bytes) -> tuple[WebhookEvent, ...]:
        return events(body)

    def subscribe(self) -> None:
        """Needs to be told, in ``AppCredentials.extra``, the number of the app (``application_id``) and where
        we can be called (``webhook_url``); without them the inbox is read by itself, only later."""
        extra = self.app.extra if self.app is not None else {}
        number, address = str(extra.get("application_id") or ""), str(extra.get("webhook_url") or "")
        if not (is_digits(number) and address and self.info.can(Capability.WEBHOOKS)):
            return
        key = ",".join(
            (
                f"developerApplication:{encoded(f'urn:li:developerApplication:{number}')}",
                f"user:{encoded(str(self.options.get('person') or ''))}",
                f"entity:{encoded(self._urn)}",
                f"eventType:{EVENT_TYPE}",
            )
        )
        checked(self._call("PUT", f"/rest/eventSubscriptions/({key})", json={"webhook": address}))

    # Counts.

    def fetch_account_metrics(self) -> AccountMetrics:
        return self._followers(self._urn) if self._is_page else AccountMetrics()

    def _followers(self, urn: str) -> AccountMetrics:
        size = self._object("GET", f"/rest/networkSizes/{encoded(urn)}?edgeType=COMPANY_FOLLOWED_BY_MEMBER")
        return AccountMetrics(followers=count(size, "firstDegreeSize"))

    def fetch_public_account(self, handle: str) -> PublicAccount | None:
        """Another page, by the last part of its address."""
        name = handle.strip().rstrip("/").rpartition("/")[2].removeprefix("@")
        if not name:
            return None
        found = objects(self._object("GET", f"/rest/organizations?q=vanityName&vanityName={encoded(name)}"))
        number = number_or_text(found[0].get("id")) if found else ""
        if not is_digits(number):
            return None
        profile = page_profile(number, found[0])
        return PublicAccount(profile, self._followers(profile.remote_id))

    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        found: dict[str, PostMetrics] = {}
        posts = [urn for urn in remote_ids if comment_parts(urn) is None]
        if not self._is_page:
            return found
        for start in range(0, len(posts), STATISTICS_PER_CALL):
            batch = posts[start : start + STATISTICS_PER_CALL]
            found |= self._statistics(batch)
            # Of a post that nobody has seen there are no statistics: it has to be asked for itself.
            found |= dict.fromkeys(self._existing([u for u in batch if u not in found]), _NOTHING_YET)
        return found

    def _statistics(self, urns: list[str]) -> dict[str, PostMetrics]:
        shares = [urn for urn in urns if urn.startswith("urn:li:share:")]
        others = [urn for urn in urns if urn.startswith("urn:li:ugcPost:")]
        path = "/rest/organizationalEntityShareStatistics?q=organizationalEntity"
        path += f"&organizationalEntity={encoded(self._urn)}"
        path += f"&shares={list_of(shares)}" if shares else ""
        path += f"&ugcPosts={list_of(others)}" if others else ""
        if not shares and not others:
            return {}
        told = {}
        for element in objects(self._object("GET", path)):
            urn = text(element.get("share")) or text(element.get("ugcPost"))
            counts = element.get("totalShareStatistics")
            told[urn] = PostMetrics(
                likes=count(counts, "likeCount"),
                comments=count(counts, "commentCount"),
                shares=count(counts, "shareCount"),
                impressions=count(counts, "impressionCount"),
                reach=count(counts, "uniqueImpressionsCount"),
                clicks=count(counts, "clickCount"),
            )
        return {urn: told[urn] for urn in urns if urn in told}

    def _existing(self, urns: list[str]) -> list[str]:
        if not urns:
            return []
        answer = self._object(
            "GET", f"/rest/posts?ids={list_of(urns)}", headers={"X-RestLi-Method": "BATCH_GET"}
        )
        found = object_of(answer, "results")
        return [urn for urn in urns if urn in found]

    # Calls.

    @property
    def _urn(self) -> str:
        return str(self.options["urn"])

    @property
    def _is_page(self) -> bool:
        return self._urn.startswith(ORGANIZATION)

    def _call(self, method: str, path: str, **arguments: Any) -> Response:
        """With a token; one that is no longer taken is renewed once (a 401 did nothing)."""
        version = version_of(self.app)
        response = call(method, path, token=self.tokens.access_token, version=version, **arguments)
        if response.status_code == 401 and self.renew is not None and self.tokens.refresh_token:
            self.tokens = self.renew(self.tokens)
            response = call(method, path, token=self.tokens.access_token, version=version, **arguments)
        return response

    def _object(self, method: str, path: str, **arguments: Any) -> Json:
        return http.json_object(checked(self._call(method, path, **arguments)))


_NOTHING_YET = PostMetrics(likes=0, comments=0, shares=0, impressions=0, reach=0, clicks=0)


def _tokens(app: AppCredentials, form: Mapping[str, str]) -> tuple[Tokens, tuple[str, ...]]:
    """Raises Rejected(INVALID) for a code, a refresh token or an app that LinkedIn does not know."""
    response = http.request(
        "POST",
        f"{web()}/oauth/v2/accessToken",
        platform=KEY,
        headers={"Accept": "application/json"},
        form={**form, "client_id": app.client_id, "client_secret": app.client_secret},
    )
    hidden = (app.client_secret, form.get("code", ""), form.get("refresh_token", ""))
    try:
        answer = http.json_object(checked(response, hidden=hidden))
    except NeedsReconnect as error:  # of the app or the code, not of an account's token
        raise Rejected(RejectReason.INVALID, error.detail) from None
    now = dt.datetime.now(dt.UTC)
    lives, ends = lifetime(answer.get("expires_in")), lifetime(answer.get("refresh_token_expires_in"))
    tokens = Tokens(
        access_token=ident(answer, "access_token"),
        refresh_token=text(answer.get("refresh_token")),
        expires_at=now + lives if lives is not None else None,
        ends_at=now + ends if ends is not None else None,  # of the first sign-in on, whenever it is used
    )
    scopes = tuple(filter(None, re.split(r"[ ,]+", text(answer.get("scope")))))
    return tokens, scopes


# --- what is sent -----------------------------------------------------------------------------


def _visibility(payload: PostPayload) -> str:
    return "CONNECTIONS" if payload.settings.get("visibility") == "CONNECTIONS" else "PUBLIC"


def _card_of(part: PostPart) -> LinkCard | None:
    """A post shows media or a link."""
    return None if part.media else part.link_card


def _content(step: Step, part: PostPart, done: Mapping[str, StepResult]) -> Json:
    media = [done[f"part{step.part}.media{m}"].remote_id for m in range(len(part.media))]
    if len(media) == 1:
        shown: Json = {"id": media[0]}
        if part.media[0].alt_text and not part.media[0].is_video:
            shown["altText"] = part.media[0].alt_text
        return {"media": shown}
    if media:
        images = [
            {"id": urn, "altText": item.alt_text} if item.alt_text else {"id": urn}
            for urn, item in zip(media, part.media, strict=True)
        ]
        return {"multiImage": {"images": images}}
    if (card := _card_of(part)) is None:
        return {}
    article = {"source": card.url, "title": (card.title or card.url)[:TITLE_MAX]}
    if card.description:
        article["description"] = card.description[:DESCRIPTION_MAX]
    picture = done.get(f"part{step.part}.container")
    if picture is not None and picture.remote_id:
        article["thumbnail"] = picture.remote_id
    return {"article": article}


# --- what is read -----------------------------------------------------------------------------


def _remote_post(post: Json) -> RemotePost:
    urn = ident(post, "id")
    created = instant(post.get("createdAt")) or instant(post.get("publishedAt"))
    if created is None:
        raise Temporary("a post without a date")
    images = inner(post, "content", "multiImage", "images")
    is_one = isinstance(inner(post, "content", "media"), dict)
    return RemotePost(
        remote_id=urn,
        text=from_little(text(post.get("commentary"))),
        created_at=created,
        permalink=post_link(urn),
        media_count=len(images) if isinstance(images, list) else int(is_one),
    )


def _remote_comment(comment: Json, thread: str, answered: str) -> RemotePost | None:
    urn, created = comment_urn(comment, below=thread), instant(inner(comment, "created", "time"))
    if not urn or created is None:
        return None
    return RemotePost(
        remote_id=urn,
        text=text(inner(comment, "message", "text")),
        created_at=created,
        permalink=comment_link(thread, urn),
        in_reply_to=answered,
    )


def _with_own_links(post: RemotePost, payload: PostPayload) -> RemotePost:
    """With the words of the payload where the post has them but for addresses that LinkedIn shortened."""
    if "lnkd.in/" not in post.text:
        return post
    for part in payload.parts:
        wanted, pattern, position = normalise(part.text), "", 0
        for link in find_links(wanted):
            shortened = r"https?://lnkd\.in/[\w-]+"
            pattern += (
                regex.escape(wanted[position : link.start]) + f"(?:{regex.escape(link.value)}|{shortened})"
            )
            position = link.end
        pattern += regex.escape(wanted[position:])
        if regex.fullmatch(pattern, normalise(post.text)):
            return dataclasses.replace(post, text=part.text)
    return post
