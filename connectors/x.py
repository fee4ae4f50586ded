"""X (Twitter): posts, threads, images and video of an account, with a developer app of one's own.

Documents: docs.x.com (fundamentals/authentication, fundamentals/counting-characters,
x-api/posts/manage-tweets, x-api/media, fundamentals/rate-limits, pricing), read 2026-11-22 and 2026-11-30.

* An account is connected by a sign-in at X (OAuth 2, ``x_oauth``), or as the account that owns the app with
  four keys of OAuth 1.0a: those of the app and those that the developer console makes for its owner. They do
  not end, and are for publishing alone. Which of the two it is, the tokens say.
* There is no key against repetition (NEITHER). X refuses words that the account has just said (403
  "duplicate content"), which may be those of an attempt whose end nobody knew: the outbox looks.
* Media are uploaded in pieces and, video above all, worked on afterwards; an upload is seen by nobody.
* Text is counted by weight (``TextUnit.WEIGHTED``); every address counts 23, with or without a scheme.
* Every call costs money (pricing: a post $0.015, with an address $0.20; reading one's own $0.001 to $0.01).
  So what is read is what publishing needs; counts (``x_counts``), comments, mentions and direct messages
  (``x_inbox``) only where somebody chose them.
* An app of self-serve may answer only who names the account or quotes it; X refuses the rest.
* Answers and direct messages have no key, either: the account's own are looked through. X puts the names of
  those who are answered before the words, so these are left aside when both are compared.

Not supported: polls, quotes, animated GIFs, posts of more than 280 (they need X Premium), community posts,
talks of several people, media in direct messages. Webhooks (``x_hooks``) are heard; whoever has the token of
the app registers them. X sells what they tell apart.
``seen_live`` is False: built from the documents, never run against X itself.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote

from requests import Response
from requests_oauthlib import OAuth1

from connectors import http, x_counts, x_hooks, x_inbox, x_oauth
from connectors.answers import (
    ident,
    instant,
    number_or_text,
    rows,
)
from connectors.base import (
    AccountMetrics,
    AppCredentials,
    AuthorizeRequest,
    Capability,
    Connected,
    Connector,
    Cost,
    InboxPage,
    Json,
    MediaItem,
    ModerationAction,
    NotAllListed,
    PlatformInfo,
    PostMetrics,
    PostPayload,
    Profile,
    PublicAccount,
    RemotePost,
    Step,
    StepKind,
    StepResult,
    Tokens,
    WebhookEvent,
    granted,
    standard_plan,
)
from connectors.errors import (
    NeedsReconnect,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.files import opened, piece_of, size_of
from connectors.inbox import read_lists
from connectors.limits import Allowance, Answer, counted, of_the_call
from connectors.text import find_links
from connectors.x_answers import (
    as_sent,
    data_of,
    is_post,
    map_error,
    media_result,
    path_id,
    profile_of,
    text_of,
    told,
)
from connectors.x_info import INFO, KEY, WITH_KEYS

WRONG_KEYS = "X does not accept these keys. Copy all four again, without spaces, from the same app."
READ_ONLY = (
    "These keys may only read. Give the app the permission “Read and write” in the developer console of X, "
    "then make the access token anew."
)
# Pay per use, read 2026-11-30.
PRICE_OF_POST = Decimal("0.015")
PRICE_WITH_LINK = Decimal("0.20")
PRICE_OF_ANSWER = Decimal("0.010")  # to somebody who named or quoted the account
PRICE_OF_MESSAGE = Decimal("0.015")
PRICE_OF_ALT_TEXT = Decimal("0.005")
POST_FIELDS = "created_at,entities,attachments,referenced_tweets,note_tweet"
CHUNK_BYTES = 4 * 1024 * 1024
UPLOAD_TIMEOUT_S = 120.0
PER_CALL = 100  # posts
MAX_PAGES = 3


class XConnector(Connector):
    INFO: ClassVar[PlatformInfo] = INFO

    @classmethod
    def allowances_told(cls, answer: Answer, *, now: dt.datetime) -> tuple[Allowance, ...]:
        """Each kind of call has its own limit, and posts those of the day besides. What keeps posts waiting
        is theirs alone; of likes, messages and uploads the refusal is enough."""
        if not answer.is_read and not is_post(answer.method, answer.path):
            return ()
        covers = of_the_call(answer)
        return (
            *counted(answer, "x-rate-limit", now=now, covers=covers),
            *counted(answer, "x-user-limit-24hour", now=now, covers=covers),
            *counted(answer, "x-app-limit-24hour", now=now, covers=covers, of_app=True),
        )

    @classmethod
    def info_for(cls, options: Mapping[str, Any]) -> PlatformInfo:
        if "scopes" in options:
            # What costs money is read of nobody who did not ask for it.
            return granted(INFO, options["scopes"] or (), options.get("features") or ())
        return WITH_KEYS if options.get("user_id") else INFO

    # Connecting.

    @classmethod
    def authorize_url(
        cls, *, app: AppCredentials, redirect_uri: str, state: str, scopes: Sequence[str] = ()
    ) -> AuthorizeRequest:
        return x_oauth.authorize(app, redirect_uri=redirect_uri, state=state, scopes=scopes or INFO.scopes)

    @classmethod
    def exchange_code(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> Connected:
        tokens, scopes = x_oauth.exchange(
            app, code=code, code_verifier=code_verifier, redirect_uri=redirect_uri
        )
        options: Json = {"scopes": list(scopes)}
        connector = cls(tokens=tokens, options=options, app=app)
        response = connector._call("GET", "/2/users/me", params={"user.fields": "profile_image_url"})
        if response.status_code in {401, 402, 403}:
            raise NeedsReconnect(connector._words(response), x_oauth.NO_PROFILE)
        profile = profile_of(data_of(connector._object(response)))
        options |= {"user_id": profile.remote_id, "username": profile.handle}
        return Connected(profile=profile, tokens=tokens, scopes=scopes, options=options)

    @classmethod
    def refresh(cls, *, tokens: Tokens, options: Mapping[str, Any], app: AppCredentials | None) -> Tokens:
        if not tokens.refresh_token or app is None:
            raise NeedsReconnect("X gave no refresh token")
        return x_oauth.renew(app, tokens)

    @classmethod
    def connect(cls, fields: Mapping[str, str]) -> Connected:
        """With the keys of one's own app (``by_form``)."""
        given = {name: fields[name].strip() for name in (f.name for f in INFO.by_form)}
        tokens = Tokens(
            access_token=given["access_token"],
            extra={name: given[name] for name in ("consumer_key", "consumer_secret", "token_secret")},
        )
        connector = cls(tokens=tokens, options={})
        response = connector._call("GET", "/2/users/me", params={"user.fields": "profile_image_url"})
        if response.status_code == 401:
            raise NeedsReconnect(connector._words(response), WRONG_KEYS)
        user = data_of(connector._object(response))
        if response.headers.get("x-access-level", "read-write") == "read":
            raise NeedsReconnect("the access token may only read", READ_ONLY)
        profile = profile_of(user)
        return Connected(
            profile=profile,
            tokens=tokens,
            options={"user_id": profile.remote_id, "username": str(user["username"])},
        )

    def fetch_profile(self) -> Profile:
        response = self._call("GET", "/2/users/me", params={"user.fields": "profile_image_url"})
        return profile_of(data_of(self._object(response)))

    # Publishing.

    def cost_of(self, payload: PostPayload) -> Cost | None:
        """Each part of a thread is a post of its own; of media, their descriptions cost."""
        if payload.message_to is not None:
            return Cost(PRICE_OF_MESSAGE, "USD")
        plain = PRICE_OF_POST if payload.reply_to is None else PRICE_OF_ANSWER
        prices = [PRICE_WITH_LINK if find_links(part.text, bare=True) else plain for part in payload.parts]
        prices += [PRICE_OF_ALT_TEXT for part in payload.parts for item in part.media if item.alt_text]
        return Cost(sum(prices, Decimal(0)), "USD") if prices else None

    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        return standard_plan(payload, container=False)

    def prepare_step(
        self, step: Step, payload: PostPayload, done: Mapping[str, StepResult], *, key: str, now: dt.datetime
    ) -> Json:
        if payload.moderation is not None:
            return {"action": str(payload.moderation.action), "id": payload.moderation.remote_id}
        part = payload.parts[step.part]
        if step.kind is StepKind.MEDIA:
            return {"alt_text": part.media[step.media].alt_text}
        if payload.message_to is not None:
            return {"to": payload.message_to.recipient_id, "message": {"text": part.text}}
        post: Json = {"text": part.text}
        media = [done[f"part{step.part}.media{m}"].remote_id for m in range(len(part.media))]
        if media:
            post["media"] = {"media_ids": media}
        if (answered := payload.answered_by(step.part)) is not None:
            post["reply"] = {"in_reply_to_tweet_id": done[f"part{answered}.publish"].remote_id}
        elif payload.reply_to is not None:
            post["reply"] = {"in_reply_to_tweet_id": payload.reply_to.remote_id}
        return {"post": post}

    def send_step(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        if step.kind is StepKind.MEDIA:
            return self._upload(payload.parts[step.part].media[step.media], str(intent["alt_text"]))
        if step.kind is StepKind.MODERATE:
            return self._moderate(ModerationAction(intent["action"]), str(intent["id"]))
        if "message" in intent:
            path = f"/2/dm_conversations/with/{path_id(intent['to'])}/messages"
            response = self._call("POST", path, json=intent["message"], changes=True)
            return StepResult(remote_id=told(self._object(response, about="message"), "dm_event_id"))
        response = self._call("POST", "/2/tweets", json=intent["post"], changes=True)
        remote_id = told(self._object(response), "id")
        return StepResult(remote_id=remote_id, permalink=self._permalink(remote_id))

    def _moderate(self, action: ModerationAction, remote_id: str) -> StepResult:
        """Twice is the same as once: X says so with 200, or that it is done already."""
        me, post = path_id(self.options["user_id"]), path_id(remote_id)
        match action:
            case ModerationAction.LIKE:
                response = self._call("POST", f"/2/users/{me}/likes", json={"tweet_id": remote_id})
            case ModerationAction.UNLIKE:
                response = self._call("DELETE", f"/2/users/{me}/likes/{post}")
            case ModerationAction.HIDE | ModerationAction.UNHIDE:
                wanted = {"hidden": action is ModerationAction.HIDE}
                response = self._call("PUT", f"/2/tweets/{post}/hidden", json=wanted)
            case _:
                raise Rejected(RejectReason.NOT_SUPPORTED, "nobody deletes what others wrote on X")
        if response.status_code in {400, 403} and "already" in self._words(response).lower():
            return StepResult(remote_id=remote_id)
        data_of(self._object(response, about="moderation"))
        return StepResult(remote_id=remote_id)

    def _upload(self, item: MediaItem, alt_text: str) -> StepResult:
        with opened(item) as stream:
            size = size_of(stream)
            begun = self._call(
                "POST",
                "/2/media/upload/initialize",
                json={
                    "media_type": item.mime_type,
                    "total_bytes": size,
                    "media_category": "tweet_video" if item.is_video else "tweet_image",
                },
            )
            first = data_of(self._object(begun, about="media"))
            media_id = ident(first, "id")
            path = f"/2/media/upload/{quote(media_id, safe='')}"
            for index, start in enumerate(range(0, size, CHUNK_BYTES)):
                piece = piece_of(stream, start, min(CHUNK_BYTES, size - start))
                added = self._call(
                    "POST",
                    f"{path}/append",
                    form={"segment_index": str(index)},
                    files={"media": ("piece", piece, "application/octet-stream")},
                    timeout_s=UPLOAD_TIMEOUT_S,
                )
                self._checked(added, about="media")
        finished = data_of(self._object(self._call("POST", f"{path}/finalize"), about="media"))
        if alt_text:
            described = {"id": media_id, "metadata": {"alt_text": {"text": alt_text}}}
            self._checked(self._call("POST", "/2/media/metadata", json=described), about="media")
        return media_result(media_id, {"expires_after_secs": first.get("expires_after_secs"), **finished})

    def check(self, step: Step, intent: Json, sent: StepResult | None) -> StepResult | None:
        """Of an upload. A post has no state: what is not known of it is looked for among the own ones."""
        if step.kind is not StepKind.MEDIA:
            raise TypeError("a post has no state to ask for")
        if sent is None or not sent.remote_id:
            return None
        params = {"command": "STATUS", "media_id": sent.remote_id}
        response = self._call("GET", "/2/media/upload", params=params)
        if response.status_code == 404:
            return None
        media = data_of(self._object(response, about="media"))
        return media_result(sent.remote_id, media, ends_at=sent.ends_at)

    def find_recent(self, *, since: dt.datetime) -> Sequence[RemotePost]:
        return self._recent(since)[0]

    def find_sent(self, payload: PostPayload, *, since: dt.datetime) -> Sequence[RemotePost]:
        if payload.message_to is not None:
            posts, is_whole = self._inbox.sent_to(payload.message_to.recipient_id, since)
        else:
            posts, is_whole = self._recent(since)
        posts = [as_sent(post, payload) for post in posts]
        if not is_whole:
            raise NotAllListed("more posts than can be looked through", posts)
        return posts

    def _recent(self, since: dt.datetime) -> tuple[list[RemotePost], bool]:
        """Posts since then, and whether these are all."""
        found: list[RemotePost] = []
        following = ""
        params = {
            "max_results": str(PER_CALL),
            "start_time": since.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tweet.fields": POST_FIELDS,
        }
        path = f"/2/users/{quote(str(self.options['user_id']), safe='')}/tweets"
        for _page in range(MAX_PAGES):
            answer = self._object(self._call("GET", path, params=params))
            if not x_inbox.is_whole(answer):
                raise Temporary("an answer without posts and without their number")
            # What cannot be read may be what is looked for.
            found += [self._remote_post(post) for post in x_inbox.all_rows(answer.get("data"))]
            following = x_inbox.following(answer)
            if not following:
                break
            params["pagination_token"] = following
        recent = (post for post in found if post.created_at >= since)
        return sorted(recent, key=lambda post: post.created_at, reverse=True), not following

    def fetch_post(self, remote_id: str) -> RemotePost | None:
        path = f"/2/tweets/{quote(remote_id, safe='')}"
        response = self._call("GET", path, params={"tweet.fields": POST_FIELDS})
        if response.status_code in {404, 410}:
            return None
        answer = self._object(response)
        post = answer.get("data")
        if not isinstance(post, dict):
            if answer.get("errors"):
                return None  # deleted, or hidden: X says so with 200
            raise Temporary("an answer without a post and without a word about it")
        return self._remote_post(post)

    def fetch_posts(self, remote_ids: Sequence[str]) -> Iterator[RemotePost]:
        for answer in self._posts(remote_ids, POST_FIELDS):
            yield self._remote_post(answer)

    def _posts(self, remote_ids: Sequence[str], wanted: str) -> Iterator[Json]:
        for start in range(0, len(remote_ids), PER_CALL):
            params = {"ids": ",".join(remote_ids[start : start + PER_CALL]), "tweet.fields": wanted}
            yield from rows(self._object(self._call("GET", "/2/tweets", params=params)).get("data"))

    # Inbox.

    def fetch_inbox(self, *, since: dt.datetime, cursor: str = "") -> InboxPage:
        reader, lists = self._inbox, {}
        if self.info.can(Capability.INBOX_MENTIONS):
            lists["mentions"] = lambda position: reader.mentions(position, since)
            lists["own"] = lambda position: reader.own(position, since)
        if self.info.can(Capability.INBOX_MESSAGES):
            lists["messages"] = lambda position: reader.messages(position, since)
        return read_lists(lists, cursor) if lists else InboxPage(())

    @property
    def _inbox(self) -> x_inbox.Reader:
        own = profile_of({"id": self.options["user_id"], "username": self.options["username"]})
        return x_inbox.Reader(own, self._get, self._remote_post, profile_of, text_of)

    def _get(self, path: str, query: Mapping[str, str]) -> Json:
        return self._object(self._call("GET", path, params=query))

    # Webhooks.

    @classmethod
    def webhook_secret(cls, app: AppCredentials) -> str:
        return str(app.extra.get("consumer_secret") or "").strip()

    @classmethod
    def webhook_challenge(cls, query: Mapping[str, str], *, secret: str, verify_token: str) -> str | None:
        return x_hooks.challenge(query, secret)

    @classmethod
    def is_genuine(cls, body: bytes, headers: Mapping[str, str], *, secret: str) -> bool:
        """X signs no time: what comes again is known by its event ids."""
        return x_hooks.is_genuine(body, headers, secret)

    @classmethod
    def webhook_events(cls, body: bytes) -> tuple[WebhookEvent, ...]:
        return x_hooks.events(body)

    # Others.

    def fetch_public_account(self, handle: str) -> PublicAccount | None:
        name = handle.strip().removeprefix("@")
        if not re.fullmatch(r"\w{1,15}", name, re.ASCII):
            return None
        params = {"user.fields": "profile_image_url,public_metrics"}
        response = self._call("GET", f"/2/users/by/username/{name}", params=params)
        if response.status_code == 404:
            return None
        answer = self._object(response)
        if "data" not in answer and answer.get("errors"):
            return None  # there is none, or it was suspended: X says so with 200
        user = data_of(answer)
        return PublicAccount(profile_of(user), x_counts.account_counts(user))

    # Metrics.

    def fetch_account_metrics(self) -> AccountMetrics:
        response = self._call("GET", "/2/users/me", params={"user.fields": "public_metrics"})
        return x_counts.account_counts(data_of(self._object(response)))

    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        def posts(query: Mapping[str, str]) -> Json:
            return self._get("/2/tweets", query)

        return x_counts.post_counts(posts, remote_ids, dt.datetime.now(dt.UTC))

    # Calls and answers.

    def _call(self, method: str, path: str, **arguments: Any) -> Response:
        """Signed; a token that is no longer taken is renewed once (a 401 did nothing)."""
        response = self._signed(method, path, **arguments)
        if response.status_code == 401 and self.renew is not None and self.tokens.refresh_token:
            self.tokens = self.renew(self.tokens)
            response = self._signed(method, path, **arguments)
        return response

    def _signed(self, method: str, path: str, **arguments: Any) -> Response:
        url, extra = f"{x_oauth.api()}{path}", self.tokens.extra
        if "consumer_key" not in extra:
            headers = {"Authorization": f"Bearer {self.tokens.access_token}"}
            return http.request(method, url, platform=KEY, headers=headers, **arguments)
        auth = OAuth1(
            client_key=str(extra["consumer_key"]),
            client_secret=str(extra.get("consumer_secret", "")),
            resource_owner_key=self.tokens.access_token,
            resource_owner_secret=str(extra.get("token_secret", "")),
        )
        return http.request(method, url, platform=KEY, auth=auth, **arguments)

    def _words(self, response: Response) -> str:
        """What X says, without any of our keys in it."""
        secrets = (
            self.tokens.access_token,
            self.tokens.refresh_token,
            *map(str, self.tokens.extra.values()),
        )
        return http.redact(http.excerpt(response), *secrets)

    def _object(self, response: Response, *, about: str = "") -> Json:
        return http.json_object(self._checked(response, about=about))

    def _checked(self, response: Response, *, about: str = "") -> Response:
        if not 200 <= response.status_code < 300:
            raise map_error(response, self._words(response), about=about)
        return response

    def _permalink(self, remote_id: str) -> str:
        return f"https://x.com/{self.options.get('username') or 'i'}/status/{remote_id}"

    def _remote_post(self, post: Json) -> RemotePost:
        referenced = rows(post.get("referenced_tweets"))
        answered = [one for one in referenced if one.get("type") == "replied_to"]
        post_id, created = ident(post, "id"), instant(post.get("created_at"))
        if created is None:
            raise Temporary("a post without a date")
        return RemotePost(
            remote_id=post_id,
            text=text_of(post),
            created_at=created,
            permalink=self._permalink(post_id),
            in_reply_to=number_or_text(answered[0].get("id")) if answered else "",
            media_count=x_inbox.media_count(post),
        )
