"""X (Twitter): posts, threads, images and video of one's own account, with the keys of one's own app.

Documents: docs.x.com (fundamentals/authentication, fundamentals/counting-characters,
x-api/posts/manage-tweets, x-api/media, fundamentals/rate-limits, pricing), read 2026-11-22.

* An account is connected with four keys of OAuth 1.0a: those of the app and those that the developer portal
  makes for the app's owner. They do not end. Somebody else's account needs OAuth 2 with a sign-in at X.
* There is no key against repetition (NEITHER). X refuses words that the account has just said (403
  "duplicate content"), which may be those of an attempt whose end nobody knew: the outbox looks.
* Media are uploaded in pieces and, video above all, worked on afterwards; an upload is seen by nobody.
* Text is counted by weight (``TextUnit.WEIGHTED``); every address counts 23, with or without a scheme.
* Every call costs money (pricing: a post $0.015, with an address $0.20; reading one's own $0.001 to $0.01).
  So what is read is what publishing needs. Counts can be read, but are not advertised: they would be
  fetched by the hour. Comments, mentions and direct messages are not read for the same reason.

Not supported: polls, quotes, animated GIFs, posts of more than 280 (they need X Premium), community posts.
``seen_live`` is False: built from the documents, never run against X itself.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote

from requests import Response
from requests_oauthlib import OAuth1

from connectors import http
from connectors.answers import (
    count,
    https,
    ident,
    inner,
    instant,
    items,
    moment,
    number_or_text,
    object_of,
    pause_s,
    rows,
    text,
    whole_number,
)
from connectors.base import (
    AccountMetrics,
    Capability,
    Connected,
    ConnectField,
    ConnectMethod,
    Connector,
    Cost,
    ImageLimit,
    Json,
    MediaItem,
    PlatformInfo,
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
    standard_plan,
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
from connectors.files import opened, piece_of, size_of
from connectors.limits import Allowance, Answer, counted, of_the_call
from connectors.text import find_links, normalise

KEY = "x"
INFO = PlatformInfo(
    key=KEY,
    name="X",
    capabilities=frozenset(
        {
            Capability.POST_TEXT,
            Capability.POST_IMAGES,
            Capability.POST_VIDEO,
            Capability.POST_THREAD,
            Capability.FIRST_COMMENT,
            Capability.ALT_TEXT,
        }
    ),
    connect_method=ConnectMethod.FORM,
    connect_fields=(
        ConnectField(name="consumer_key", label="API key", kind="text"),
        ConnectField(name="consumer_secret", label="API key secret", kind="password"),
        ConnectField(name="access_token", label="Access token", kind="text"),
        ConnectField(
            name="token_secret",
            label="Access token secret",
            kind="password",
            help_text=(
                "All four are under “Keys and tokens” of your app in the developer portal of X. Give the app "
                "the permission “Read and write” first, then make the access token: it keeps the permission "
                "that it was made with."
            ),
        ),
    ),
    scopes=(),
    text=TextLimit(max_units=280, unit=TextUnit.WEIGHTED, url_units=23, urls_bare=True),
    images=ImageLimit(
        max_count=4,
        max_bytes=5 * 1024 * 1024,
        mime_types=("image/jpeg", "image/png", "image/webp"),
        alt_text_max=1000,
    ),
    videos=VideoLimit(
        max_count=1,
        max_bytes=512 * 1024 * 1024,
        max_seconds=140,
        min_seconds=0.5,
        mime_types=("video/mp4",),
        alt_text_max=1000,
        max_frame_rate=60,
    ),
    thread_max=25,
    rates=(Rate("posts", 100, 900), Rate("posts", 10_000, 86_400, of_app=True)),  # fundamentals/rate-limits
    retry_safety=RetrySafety.NEITHER,
    consistency_window_s=60,
    color="#14171a",
    icon="brand-x",
    look=PostLook(
        link_shows=26,
        links_bare=True,
        gallery="2x1",
        makes_card=True,
        card="large",
        actions=("message-circle", "repeat", "heart", "chart-bar", "bookmark"),
    ),
    tagline="X charges your developer app for every post: about $0.015, with a link $0.20.",
    refuses_duplicates=True,
    seen_live=False,
)

WRONG_KEYS = "X does not accept these keys. Copy all four again, without spaces, from the same app."
READ_ONLY = (
    "These keys may only read. Give the app the permission “Read and write” in the developer portal of X, "
    "then make the access token anew."
)
# Pay per use, read 2026-11-22.
PRICE_OF_POST = Decimal("0.015")
PRICE_WITH_LINK = Decimal("0.20")
POST_FIELDS = "created_at,entities,attachments,referenced_tweets,note_tweet"
CHUNK_BYTES = 4 * 1024 * 1024
UPLOAD_TIMEOUT_S = 120.0
PER_CALL = 100  # posts
MAX_PAGES = 3
LIMIT_DEFAULT_S = 900.0
CREDITS_WAIT = dt.timedelta(hours=1)
CHECK_AGAIN_S = 5.0


class XConnector(Connector):
    INFO: ClassVar[PlatformInfo] = INFO

    @classmethod
    def allowances_told(cls, answer: Answer, *, now: dt.datetime) -> tuple[Allowance, ...]:
        """Each kind of call has its own limit, and posts those of the day besides."""
        covers = of_the_call(answer)
        return (
            *counted(answer, "x-rate-limit", now=now, covers=covers),
            *counted(answer, "x-user-limit-24hour", now=now, covers=covers),
            *counted(answer, "x-app-limit-24hour", now=now, covers=covers, of_app=True),
        )

    # Connecting.

    @classmethod
    def connect(cls, fields: Mapping[str, str]) -> Connected:
        given = {name: fields[name].strip() for name in (f.name for f in INFO.connect_fields)}
        tokens = Tokens(
            access_token=given["access_token"],
            extra={name: given[name] for name in ("consumer_key", "consumer_secret", "token_secret")},
        )
        connector = cls(tokens=tokens, options={})
        response = connector._call("GET", "/2/users/me", params={"user.fields": "profile_image_url"})
        if response.status_code == 401:
            raise NeedsReconnect(connector._words(response), WRONG_KEYS)
        user = object_of(connector._object(response), "data")
        if response.headers.get("x-access-level", "read-write") == "read":
            raise NeedsReconnect("the access token may only read", READ_ONLY)
        profile = _profile(user)
        return Connected(
            profile=profile,
            tokens=tokens,
            options={"user_id": profile.remote_id, "username": profile.handle},
        )

    def fetch_profile(self) -> Profile:
        response = self._call("GET", "/2/users/me", params={"user.fields": "profile_image_url"})
        return _profile(object_of(self._object(response), "data"))

    # Publishing.

    def cost_of(self, payload: PostPayload) -> Cost | None:
        """Each part of a thread is a post of its own; media cost nothing."""
        prices = [
            PRICE_WITH_LINK if find_links(one.text, bare=True) else PRICE_OF_POST for one in payload.parts
        ]
        return Cost(sum(prices, Decimal(0)), "USD") if prices else None

    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        return standard_plan(payload, container=False)

    def prepare_step(
        self, step: Step, payload: PostPayload, done: Mapping[str, StepResult], *, key: str, now: dt.datetime
    ) -> Json:
        said = payload.parts[step.part]
        if step.kind is StepKind.MEDIA:
            return {"alt_text": said.media[step.media].alt_text}
        post: Json = {"text": said.text}
        media = [done[f"part{step.part}.media{m}"].remote_id for m in range(len(said.media))]
        if media:
            post["media"] = {"media_ids": media}
        if (answered := payload.answered_by(step.part)) is not None:
            post["reply"] = {"in_reply_to_tweet_id": done[f"part{answered}.publish"].remote_id}
        return {"post": post}

    def send_step(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        if step.kind is StepKind.MEDIA:
            return self._upload(payload.parts[step.part].media[step.media], str(intent["alt_text"]))
        response = self._call("POST", "/2/tweets", json=intent["post"], changes=True)
        post_id = ident(object_of(self._object(response), "data"), "id")
        return StepResult(remote_id=post_id, permalink=self._permalink(post_id))

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
            media_id = ident(object_of(self._object(begun, about="media"), "data"), "id")
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
        finished = object_of(self._object(self._call("POST", f"{path}/finalize"), about="media"), "data")
        if alt_text:
            told = {"id": media_id, "metadata": {"alt_text": {"text": alt_text}}}
            self._checked(self._call("POST", "/2/media/metadata", json=told), about="media")
        return _media_result(media_id, finished)

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
        return _media_result(sent.remote_id, object_of(self._object(response, about="media"), "data"))

    def find_recent(self, *, since: dt.datetime) -> Sequence[RemotePost]:
        return self._recent(since)[0]

    def find_sent(self, payload: PostPayload, *, since: dt.datetime) -> Sequence[RemotePost]:
        """Raises Temporary where not all could be read and none of it has the words of the payload."""
        posts, is_whole = self._recent(since)
        said = {normalise(one.text) for one in payload.parts}
        if not is_whole and not any(normalise(post.text) in said for post in posts):
            raise Temporary("more posts than can be looked through")
        return posts

    def _recent(self, since: dt.datetime) -> tuple[list[RemotePost], bool]:
        """Posts since then, and whether these are all."""
        found: list[RemotePost] = []
        following: object = None
        params = {
            "max_results": str(PER_CALL),
            "start_time": since.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tweet.fields": POST_FIELDS,
        }
        path = f"/2/users/{quote(str(self.options['user_id']), safe='')}/tweets"
        for _page in range(MAX_PAGES):
            answer = self._object(self._call("GET", path, params=params))
            if "data" in answer:
                found += [self._remote_post(post) for post in items(answer, "data")]
            elif not isinstance(answer.get("meta"), dict):
                raise Temporary("an answer without posts and without their number")
            following = inner(answer, "meta", "next_token")
            if not following:
                break
            params["pagination_token"] = str(following)
        recent = (post for post in found if post.created_at >= since)
        return sorted(recent, key=lambda post: post.created_at, reverse=True), not following

    def fetch_post(self, remote_id: str) -> RemotePost | None:
        path = f"/2/tweets/{quote(remote_id, safe='')}"
        response = self._call("GET", path, params={"tweet.fields": POST_FIELDS})
        if response.status_code in {404, 410}:
            return None
        answer = self._object(response)
        if "data" not in answer and answer.get("errors"):
            return None  # deleted, or hidden: X says so with 200
        return self._remote_post(object_of(answer, "data"))

    def fetch_posts(self, remote_ids: Sequence[str]) -> Iterator[RemotePost]:
        for answer in self._posts(remote_ids, POST_FIELDS):
            yield self._remote_post(answer)

    def _posts(self, remote_ids: Sequence[str], wanted: str) -> Iterator[Json]:
        for start in range(0, len(remote_ids), PER_CALL):
            params = {"ids": ",".join(remote_ids[start : start + PER_CALL]), "tweet.fields": wanted}
            answer = self._object(self._call("GET", "/2/tweets", params=params))
            yield from items(answer, "data") if "data" in answer else ()

    # Metrics: for whoever asks; see above.

    def fetch_account_metrics(self) -> AccountMetrics:
        response = self._call("GET", "/2/users/me", params={"user.fields": "public_metrics"})
        counts = object_of(self._object(response), "data").get("public_metrics")
        return AccountMetrics(
            followers=count(counts, "followers_count"),
            following=count(counts, "following_count"),
            posts=count(counts, "tweet_count"),
        )

    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        found = {}
        for post in self._posts(remote_ids, "public_metrics"):
            counts = post.get("public_metrics")
            found[ident(post, "id")] = PostMetrics(
                likes=count(counts, "like_count"),
                comments=count(counts, "reply_count"),
                shares=count(counts, "retweet_count"),
                impressions=count(counts, "impression_count"),
                quotes=count(counts, "quote_count"),
                bookmarks=count(counts, "bookmark_count"),
            )
        return found

    # Calls and answers.

    def _call(self, method: str, path: str, **arguments: Any) -> Response:
        extra = self.tokens.extra
        auth = OAuth1(
            client_key=str(extra.get("consumer_key", "")),
            client_secret=str(extra.get("consumer_secret", "")),
            resource_owner_key=self.tokens.access_token,
            resource_owner_secret=str(extra.get("token_secret", "")),
        )
        url = f"{http.base_url(KEY, 'https://api.x.com')}{path}"
        return http.request(method, url, platform=KEY, auth=auth, **arguments)

    def _words(self, response: Response) -> str:
        """What X says, without any of our keys in it."""
        secrets = (self.tokens.access_token, *map(str, self.tokens.extra.values()))
        return http.redact(http.excerpt(response), *secrets)

    def _object(self, response: Response, *, about: str = "") -> Json:
        return http.json_object(self._checked(response, about=about))

    def _checked(self, response: Response, *, about: str = "") -> Response:
        if not 200 <= response.status_code < 300:
            raise _map_error(response, self._words(response), about=about)
        return response

    def _permalink(self, remote_id: str) -> str:
        return f"https://x.com/{self.options.get('username') or 'i'}/status/{remote_id}"

    def _remote_post(self, post: Json) -> RemotePost:
        answered = [r for r in rows(post.get("referenced_tweets")) if r.get("type") == "replied_to"]
        post_id, created = ident(post, "id"), instant(post.get("created_at"))
        if created is None:
            raise Temporary("a post without a date")
        media = inner(post, "attachments", "media_keys")
        return RemotePost(
            remote_id=post_id,
            text=_text(post),
            created_at=created,
            permalink=self._permalink(post_id),
            in_reply_to=number_or_text(answered[0].get("id")) if answered else "",
            media_count=len(media) if isinstance(media, list) else 0,
        )


def _profile(user: Json) -> Profile:
    username = ident(user, "username")
    return Profile(
        remote_id=ident(user, "id"),
        handle=username,
        display_name=text(user.get("name")),
        avatar_url=https(user.get("profile_image_url")),
        profile_url=f"https://x.com/{username}",
    )


def _media_result(media_id: str, media: Json) -> StepResult:
    """Raises Rejected(MEDIA_BROKEN) for what X could not work on."""
    work = media.get("processing_info")
    state = work.get("state", "succeeded") if isinstance(work, dict) else "succeeded"
    if state == "failed":
        why = text(inner(work, "error", "message")) or "X could not process the file"
        raise Rejected(RejectReason.MEDIA_BROKEN, why)
    if state == "succeeded":
        return StepResult(remote_id=media_id)
    return StepResult(
        state=StepState.PROCESSING,
        remote_id=media_id,
        retry_after_s=pause_s(inner(work, "check_after_secs"), default_s=CHECK_AGAIN_S),
    )


def _text(post: Json) -> str:
    """As it was written: X shows short addresses, one more for the media, and three characters escaped."""
    note = post.get("note_tweet")
    whole = note if isinstance(note, dict) and note else post
    words = text(whole.get("text"))
    for link in rows(inner(whole, "entities", "urls")):
        short, full = text(link.get("url")), text(link.get("expanded_url"))
        if not short:
            continue
        is_media = bool(link.get("media_key")) or bool(re.search(r"/status/\d+/(?:photo|video)/\d+$", full))
        words = words.replace(short, "" if is_media else full or short)
    return html.unescape(words).strip()


def _retry_at(response: Response) -> dt.datetime:
    """When every limit that is used up begins anew: of this call, and of the day."""
    now = dt.datetime.now(dt.UTC)
    resets = []
    for name in ("x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour"):
        reset = response.headers.get(f"{name}-reset", "")
        at = moment(whole_number(reset))
        if at is not None and response.headers.get(f"{name}-remaining", "0") == "0":
            resets.append(at)
    if resets:
        return min(max(now, *resets), now + http.LONGEST_WAIT)
    return http.retry_after(response, now=now, default_s=LIMIT_DEFAULT_S)


def _map_error(response: Response, words: str, *, about: str = "") -> ConnectorError:
    """The only place that knows what X's statuses mean (x-api/fundamentals/response-codes-and-errors)."""
    status = response.status_code
    changes = getattr(response.request, "changes", False)
    if status == 401:
        return NeedsReconnect(words)
    if status == 402:  # no credits left: somebody has to buy some, and what waits goes out then
        return RateLimited(dt.datetime.now(dt.UTC) + CREDITS_WAIT, words)
    if status == 429:
        return RateLimited(_retry_at(response), words)
    if status >= 500:
        return OutcomeUnknown(words) if changes else Temporary(words)
    if about == "media":
        reason = RejectReason.MEDIA_TOO_LARGE if status == 413 else RejectReason.MEDIA_BROKEN
        return Rejected(RejectReason.FORBIDDEN if status == 403 else reason, words)
    if status == 404 or "deleted or not visible" in words:
        return Rejected(RejectReason.NOT_FOUND, words)
    if status == 403:
        is_repeated = "duplicate" in words.lower()
        return Rejected(RejectReason.DUPLICATE if is_repeated else RejectReason.FORBIDDEN, words)
    return Rejected(RejectReason.INVALID, words)
