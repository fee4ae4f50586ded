"""LINE Official Accounts by the Messaging API: messages to all friends or some of them, and the chats.

Documents: developers.line.biz (reference/messaging-api, docs/messaging-api/retrying-api-request,
handling-http-429-errors, text-character-count) and LINE's OpenAPI descriptions (messaging-api.yml,
insight.yml, channel-access-token.yml), checked 2026-11-30.

* An account is connected with two things that its owner copies from the LINE Developers console: a
  long-lived channel access token, and the channel secret that signs webhooks. LINE is asked whether they are
  of one channel.
* A post is one *broadcast* (to all friends) or *narrowcast* (to those whom LINE takes to be of an age or a
  gender, or who became friends lately): one request of up to five messages. A narrowcast is accepted first
  and sent later, so it is asked about (PROCESSING).
* Every sending request carries ``X-Line-Retry-Key``: LINE takes a key once within 24 hours and answers a
  repetition with 409 and the id of the request that it took, which is as good as 200. So all is IDEMPOTENT
  for that long; after it a person is asked, as nothing that was sent can be read again.
* Answers in a chat are *push* messages, which count against the monthly allowance. The free *reply* takes a
  token that lives about a minute, and no retry key: whether one arrived could never be found out. Hardly any
  answer of a person comes within that minute, so exactly once was worth more than the few that would be
  free.
* Files are fetched from an address of ours, when somebody opens the chat for the first time: an address that
  ends after some hours shows late readers nothing (``media_served_days``; LINE states no time). An image and
  its preview (1 MB at most) are the same file, so images are kept to that.
* LINE tells of chats by webhook alone (``line_inbox``). What is written in LINE's own chat screen is not
  told.

Not supported: reply tokens (above), stickers, templates, Flex and rich menus, areas and own audiences, LINE
VOOM (it has no API), the files that people send (they are named, and can be seen in LINE's chat screen).
Not confirmed: how long LINE keeps the statistics of a message, and the words by which the allowance of a
month is told from a limit of calls (both are 429).
``seen_live`` is False: built from the documents, never run against LINE itself.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from requests import Response

from connectors import http, line_inbox
from connectors.answers import (
    count,
    https,
    ident,
    inner,
    number_or_text,
    quoted,
    rows,
    said,
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
    ImageLimit,
    InboxItem,
    InboxPage,
    Json,
    MediaItem,
    PlatformInfo,
    PostField,
    PostLook,
    PostMetrics,
    PostPayload,
    Profile,
    Quota,
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
    WebhookEvent,
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

KEY = "line"

# What a narrowcast is filtered by (messaging-api.yml, DemographicFilter). None = a broadcast.
AUDIENCES: dict[str, Json | None] = {
    "everyone": None,
    "women": {"type": "gender", "oneOf": ["female"]},
    "men": {"type": "gender", "oneOf": ["male"]},
    "under_20": {"type": "age", "lt": "age_20"},
    "20s": {"type": "age", "gte": "age_20", "lt": "age_30"},
    "30s": {"type": "age", "gte": "age_30", "lt": "age_40"},
    "40s": {"type": "age", "gte": "age_40", "lt": "age_50"},
    "50_and_over": {"type": "age", "gte": "age_50"},
    "new_7": {"type": "subscriptionPeriod", "lt": "day_7"},
    "new_30": {"type": "subscriptionPeriod", "lt": "day_30"},
    "new_90": {"type": "subscriptionPeriod", "lt": "day_90"},
    "old_90": {"type": "subscriptionPeriod", "gte": "day_90"},
}

_TEXT = TextLimit(max_units=5000, unit=TextUnit.UTF16)

INFO = PlatformInfo(
    key=KEY,
    name="LINE",
    capabilities=frozenset(
        {
            Capability.POST_TEXT,
            Capability.POST_IMAGES,
            Capability.POST_VIDEO,
            Capability.ACCOUNT_METRICS,
            Capability.POST_METRICS,
            Capability.INBOX_MESSAGES,
            Capability.SEND_MESSAGE,
            Capability.WEBHOOKS,
        }
    ),
    connect_method=ConnectMethod.FORM,
    connect_fields=(
        ConnectField(
            name="access_token",
            label="Channel access token (long-lived)",
            kind="password",
            help_text=(
                "In the LINE Developers console, open the Messaging API channel of your account. Issue the "
                "token at the bottom of the tab “Messaging API”."
            ),
        ),
        ConnectField(
            name="channel_secret",
            label="Channel secret",
            kind="password",
            help_text=(
                "On the tab “Basic settings” of the same channel. It shows that messages to your inbox come "
                "from LINE."
            ),
        ),
    ),
    scopes=(),
    text=_TEXT,
    # Five messages in all: one of words and four of images. See above for the size.
    images=ImageLimit(
        max_count=4, max_bytes=1024 * 1024, mime_types=("image/jpeg", "image/png"), alt_text_max=0
    ),
    videos=VideoLimit(
        max_count=1,
        max_bytes=200 * 1024 * 1024,
        max_seconds=0,  # none stated
        mime_types=("video/mp4",),
        alt_text_max=0,
        takes_cover=True,
    ),
    thread_max=1,
    rates=(Rate("posts", 60, 3600), Rate("messages", 2000, 1)),
    retry_safety=RetrySafety.IDEMPOTENT,
    consistency_window_s=60,
    color="#06c755",
    icon="brand-line",
    account_metrics=("followers",),
    post_metrics=("impressions", "reach", "clicks"),
    message_text=_TEXT,
    tagline="LINE counts each message once for every friend who gets it, and answers in chats, too.",
    look=PostLook(makes_card=True, card="large", gallery="2x1", actions=()),
    post_fields=(
        PostField(
            name="audience",
            label="Who gets it",
            kind="choice",
            choices=(
                ("everyone", "All friends"),
                ("women", "Women"),
                ("men", "Men"),
                ("under_20", "Younger than 20"),
                ("20s", "20 to 29 years old"),
                ("30s", "30 to 39 years old"),
                ("40s", "40 to 49 years old"),
                ("50_and_over", "50 and older"),
                ("new_7", "Friends of the last 7 days"),
                ("new_30", "Friends of the last 30 days"),
                ("new_90", "Friends of the last 90 days"),
                ("old_90", "Friends for 90 days or longer"),
            ),
            default="everyone",
            help_text=(
                "Age and gender are what LINE estimates. LINE does not send to a group that is so small that "
                "people could be recognized."
            ),
        ),
        PostField(name="silent", label="Deliver without a notification", kind="flag"),
    ),
    takes_media_by_url=True,
    media_served_days=30,
    reads_back=False,
    seen_live=False,
)

UNKNOWN_KEY = (
    "LINE does not accept this channel access token. Issue a long-lived one on the tab “Messaging API” and "
    "copy all of it."
)
KEYS_DIFFER = (
    "The channel secret does not belong to the channel of this access token. Copy both from the same channel."
)
MONTH = "Messages this month"

# The key lives 24 hours from the first request; ten minutes are for clocks and slow requests.
KEY_LIFETIME = dt.timedelta(hours=23, minutes=50)
JAPAN = dt.timezone(dt.timedelta(hours=9))  # LINE counts days and months so
LONGEST_ADDRESS = 2000
LIMIT_DEFAULT_S = 300.0
ASK_AGAIN_S = 10.0  # about a narrowcast
NAMES_AT_ONCE = 50


class LineConnector(Connector):
    INFO: ClassVar[PlatformInfo] = INFO

    # Connecting.

    @classmethod
    def connect(cls, fields: Mapping[str, str]) -> Connected:
        secret = fields["channel_secret"].strip()
        tokens = Tokens(access_token=fields["access_token"].strip(), extra={"channel_secret": secret})
        connector = cls(tokens=tokens, options={})
        response = connector._call("GET", "/v2/bot/info")
        if response.status_code == 401:
            raise NeedsReconnect(connector._words(response), UNKNOWN_KEY)
        bot = connector._object(response)
        profile = _profile(bot)
        options = {"user_id": profile.remote_id, "basic_id": text(bot.get("basicId"))}
        if channel := connector._channel():
            options["channel_id"] = channel
            connector._prove_secret(channel, secret)
        return Connected(profile=profile, tokens=tokens, options=options)

    def _channel(self) -> str:
        """The id of the channel that the token is of; "" for a kind of token that this call does not know."""
        response = self._call("POST", "/v2/oauth/verify", form={"access_token": self.tokens.access_token})
        if response.status_code in {400, 404}:
            return ""
        return number_or_text(self._object(response).get("client_id"))

    def _prove_secret(self, channel: str, secret: str) -> None:
        """Whether the secret is this channel's: LINE hands a token of 15 minutes to whoever has it. A wrong
        one would only show much later, by an inbox that stays empty."""
        form = {"grant_type": "client_credentials", "client_id": channel, "client_secret": secret}
        response = self._call("POST", "/oauth2/v3/token", form=form, is_signed=False)
        if response.status_code in {400, 401, 403}:
            raise NeedsReconnect(self._words(response), KEYS_DIFFER)
        self._checked(response)

    def fetch_profile(self) -> Profile:
        return _profile(self._object(self._call("GET", "/v2/bot/info")))

    def fetch_quotas(self) -> tuple[Quota, ...]:
        allowed = self._object(self._call("GET", "/v2/bot/message/quota"))
        used = self._object(self._call("GET", "/v2/bot/message/quota/consumption"))
        limit = count(allowed, "value") if allowed["type"] == "limited" else None
        month = dt.datetime.now(JAPAN).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        following = (month + dt.timedelta(days=32)).replace(day=1)
        return (
            Quota(
                name=MONTH,
                used=count(used, "totalUsage") or 0,
                limit=limit or 0,
                resets_at=following.astimezone(dt.UTC),
            ),
        )

    # Publishing.

    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        """One request, which brings the media along."""
        return tuple(
            Step(key=f"part{p}.publish", kind=StepKind.PUBLISH, part=p) for p in range(len(payload.parts))
        )

    def prepare_step(
        self, step: Step, payload: PostPayload, done: Mapping[str, StepResult], *, key: str, now: dt.datetime
    ) -> Json:
        call, body = _request(payload)
        part = payload.parts[step.part]
        return {
            "call": call,
            "body": body,
            "text": part.text,
            "problem": _problem_with(part.media),
            "retry_key": key,
            "repeat_until": (now + KEY_LIFETIME).isoformat(),
        }

    def send_step(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        """What the first try passed does not refuse a repetition, of which nothing would be known then."""
        call = str(intent["call"])
        try:
            messages = _messages(str(intent["text"]), payload.parts[step.part].media)
        except Rejected as error:
            if intent.get("problem"):
                raise
            raise Temporary(error.detail or str(error.reason)) from error
        response = self._call(
            "POST",
            f"/v2/bot/message/{_known(call)}",
            json={**intent["body"], "messages": messages},
            headers={"X-Line-Retry-Key": str(intent["retry_key"])},
            changes=True,
        )
        request_id = self._accepted(response)
        if call == "narrowcast":
            return StepResult(StepState.PROCESSING, request_id, retry_after_s=ASK_AGAIN_S)
        return StepResult(remote_id=_sent_message(response) or request_id)

    def _accepted(self, response: Response) -> str:
        """The id of the request that LINE took: this one, or (409) an earlier one with the same key."""
        if response.status_code == 409:
            if accepted := response.headers.get("x-line-accepted-request-id", ""):
                return accepted
            raise OutcomeUnknown(self._words(response))
        request_id = self._checked(response).headers.get("x-line-request-id", "")
        if not request_id:  # the body of a broadcast is empty: only the header shows that LINE answered
            raise OutcomeUnknown(f"HTTP {response.status_code} without a request id")
        return request_id

    def safety_of(self, intent: Json, now: dt.datetime) -> RetrySafety:
        is_remembered = now < dt.datetime.fromisoformat(str(intent["repeat_until"]))
        return RetrySafety.IDEMPOTENT if is_remembered else RetrySafety.NEITHER

    def check(self, step: Step, intent: Json, sent: StepResult | None) -> StepResult | None:
        """Of a narrowcast that was accepted."""
        if sent is None or not sent.remote_id:
            raise TypeError("only a narrowcast that was accepted has a state")
        response = self._call(
            "GET", "/v2/bot/message/progress/narrowcast", params={"requestId": sent.remote_id}
        )
        try:
            progress = self._object(response)
        except Rejected as error:
            # It was accepted, whatever this says: to send it anew would be safe for a day only.
            raise OutcomeUnknown(error.detail) from error
        phase = progress["phase"]
        if phase == "succeeded":
            return StepResult(remote_id=sent.remote_id)
        if phase == "failed":
            raise _failed(progress)
        return dataclasses.replace(sent, state=StepState.PROCESSING, retry_after_s=ASK_AGAIN_S)

    def dry_run(self, payload: PostPayload) -> None:
        call, _body = _request(payload)
        for part in payload.parts:
            messages = _messages(part.text, part.media)
            path = f"/v2/bot/message/validate/{_known(call)}"
            self._checked(self._call("POST", path, json={"messages": messages}))

    def find_recent(self, *, since: dt.datetime) -> Sequence[RemotePost]:
        raise Rejected(RejectReason.NOT_SUPPORTED, "LINE does not show what was sent")

    def fetch_post(self, remote_id: str) -> RemotePost | None:
        raise Rejected(RejectReason.NOT_SUPPORTED, "LINE does not show what was sent")

    # Inbox: told by webhook alone.

    def fetch_inbox(self, *, since: dt.datetime, cursor: str = "") -> InboxPage:
        return InboxPage(())

    @classmethod
    def is_genuine(cls, body: bytes, headers: Mapping[str, str], *, secret: str) -> bool:
        return line_inbox.is_genuine(body, headers, secret=secret)

    @classmethod
    def webhook_events(cls, body: bytes) -> tuple[WebhookEvent, ...]:
        return line_inbox.webhook_events(body)

    def complete(self, items: Sequence[InboxItem]) -> Sequence[InboxItem]:
        """A webhook has ids of people and no names."""
        asked: dict[tuple[str, str], Profile | None] = {}
        completed = []
        for item in items:
            whom = (str(item.detail.get("to") or ""), item.author.remote_id)
            if not item.author.display_name and whom not in asked and len(asked) < NAMES_AT_ONCE:
                asked[whom] = self._person(str(item.detail.get("source") or "user"), *whom)
            known = asked.get(whom)
            is_private = item.counterpart is not None and item.counterpart.remote_id == item.author.remote_id
            completed.append(
                dataclasses.replace(item, author=known, counterpart=known if is_private else item.counterpart)
                if known is not None
                else item
            )
        return completed

    def _person(self, source: str, chat: str, user: str) -> Profile | None:
        """None for whoever is no friend (any more), and when LINE does not answer now: a name is not worth
        losing a message for."""
        path = f"/v2/bot/profile/{quote(user, safe='')}"
        if source in {"group", "room"}:
            path = f"/v2/bot/{source}/{quote(chat, safe='')}/member/{quote(user, safe='')}"
        try:
            person = self._object(self._call("GET", path))
        except ConnectorError:
            return None
        return Profile(
            remote_id=user,
            handle="",
            display_name=text(person.get("displayName")),
            avatar_url=https(person.get("pictureUrl")),
        )

    # Metrics.

    def fetch_account_metrics(self) -> AccountMetrics:
        """Of the last day that LINE has counted: yesterday, or in the morning the day before."""
        today = dt.datetime.now(JAPAN).date()
        for days in (1, 2):
            date = f"{today - dt.timedelta(days=days):%Y%m%d}"
            response = self._call("GET", "/v2/bot/insight/followers", params={"date": date})
            counts = self._object(response)
            if counts.get("status") == "ready":
                return AccountMetrics(followers=count(counts, "followers"))
        return AccountMetrics()

    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        found = {}
        for remote_id in remote_ids:
            params = {"requestId": remote_id}
            response = self._call("GET", "/v2/bot/insight/message/event", params=params)
            if response.status_code == 404:
                continue
            found[remote_id] = _metrics(self._object(response))
        return found

    # Calls and answers.

    def _call(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        is_signed: bool = True,
        **arguments: Any,
    ) -> Response:
        sent = dict(headers or {})
        if is_signed:
            sent["Authorization"] = f"Bearer {self.tokens.access_token}"
        url = f"{http.base_url(KEY, 'https://api.line.me')}{path}"
        return http.request(method, url, platform=KEY, headers=sent, **arguments)

    def _words(self, response: Response) -> str:
        """What LINE says, and about which property, without our secrets in it."""
        secrets = (self.tokens.access_token, *map(str, self.tokens.extra.values()))
        words = [http.excerpt(response), *_details(response)]
        return http.redact("; ".join(words), *secrets)[:600]

    def _object(self, response: Response) -> Json:
        return http.json_object(self._checked(response))

    def _checked(self, response: Response) -> Response:
        if not 200 <= response.status_code < 300:
            raise _map_error(response, self._words(response))
        return response


def _request(payload: PostPayload) -> tuple[str, Json]:
    """Which call sends it, and its body without the messages; "" for an audience that there is not."""
    if payload.message_to is not None:
        # In a group, what is answered goes to the group and not to its author.
        to = payload.message_to.detail.get("to") or payload.message_to.recipient_id
        return "push", {"to": str(to)}
    body: Json = {"notificationDisabled": True} if payload.settings.get("silent") is True else {}
    audience = str(payload.settings.get("audience") or "everyone")
    if audience not in AUDIENCES:
        return "", body
    demographic = AUDIENCES[audience]
    if demographic is None:
        return "broadcast", body
    return "narrowcast", {**body, "filter": {"demographic": demographic}}


def _known(call: str) -> str:
    """Refused rather than sent to everybody: a choice that was removed since the post was written."""
    if not call:
        raise Rejected(RejectReason.SETTING_INVALID, "audience")
    return call


def _messages(text: str, media: Sequence[MediaItem]) -> list[Json]:
    """Raises Rejected(MEDIA_NOT_PUBLIC) where LINE cannot reach us."""
    messages: list[Json] = [{"type": "text", "text": text}] if text.strip() else []
    for item in media:
        address = _address(item.address())
        if item.is_video and item.cover_url is None:
            raise Rejected(RejectReason.MEDIA_BROKEN, "LINE shows a picture before a video, and it has none")
        preview = _address(item.cover_url()) if item.cover_url is not None else address
        messages.append(
            {
                "type": "video" if item.is_video else "image",
                "originalContentUrl": address,
                "previewImageUrl": preview,
            }
        )
    return messages


def _problem_with(media: Sequence[MediaItem]) -> str:
    """Why LINE could not fetch them, as it is before the first try; "" = it can."""
    try:
        _messages("", media)
    except Rejected as error:
        return str(error.reason)
    return ""


def _address(url: str) -> str:
    if not url.startswith("https://") or len(url) > LONGEST_ADDRESS:
        raise Rejected(RejectReason.MEDIA_NOT_PUBLIC, "LINE fetches files from https addresses only")
    return url


def _sent_message(response: Response) -> str:
    """The id of a push message, which a 409 repeats; a broadcast has none."""
    sent = rows(inner(said(response), "sentMessages"))
    return number_or_text(sent[0].get("id")) if sent else ""


def _failed(progress: Json) -> ConnectorError:
    """Why a narrowcast was not sent (messaging-api.yml, NarrowcastProgressResponse)."""
    words, code = (
        text(progress.get("failedDescription")) or "LINE could not send it",
        progress.get("errorCode"),
    )
    got_it = count(progress, "successCount")
    reasons = {
        2: RejectReason.SETTING_INVALID,  # too few people for LINE to send to
        4: RejectReason.SETTING_INVALID,
        5: RejectReason.QUOTA_FULL,
    }
    known = reasons.get(code) if isinstance(code, int) else None
    if code == 3 or got_it or (got_it is None and known is None):
        # An earlier request with this key was taken, or some have got it: nobody but a person can tell.
        return OutcomeUnknown(words)
    return Rejected(known or RejectReason.INVALID, words)


def _profile(bot: Json) -> Profile:
    name = text(bot.get("premiumId")) or text(bot.get("basicId"))
    return Profile(
        remote_id=ident(bot, "userId"),
        handle=name.removeprefix("@"),
        display_name=text(bot.get("displayName")),
        avatar_url=https(bot.get("pictureUrl")),
        profile_url=f"https://line.me/R/ti/p/{quoted(name)}" if name else "",
    )


def _metrics(event: Json) -> PostMetrics:
    """Null below 20 people, and on the day itself."""
    shown = [count(one, "impression") for one in rows(event.get("messages"))]
    clicks = [count(one, "click") for one in rows(event.get("clicks"))]
    told = [number for number in shown if number is not None]
    clicked = [number for number in clicks if number is not None]
    return PostMetrics(
        # Text and images of one post are bubbles of their own: seen once, it would be counted for each.
        impressions=max(told) if told else None,
        reach=count(event.get("overview"), "uniqueImpression"),
        clicks=whole_number(sum(clicked)) if clicked else None,
    )


def _details(response: Response) -> list[str]:
    details = rows(inner(said(response), "details"))
    return [f"{one.get('property', '')}: {one.get('message', '')}" for one in details[:5]]


def _map_error(response: Response, words: str) -> ConnectorError:
    """The only place that knows what LINE's statuses mean (reference/messaging-api, status codes)."""
    status, lowered = response.status_code, words.lower()
    if status == 401:
        return NeedsReconnect(words)
    if status == 429:
        # Nothing was sent to anybody. An allowance of the month does not come back by waiting a little.
        if "monthly limit" in lowered or "additional messages" in lowered:
            return Rejected(RejectReason.QUOTA_FULL, words)
        retry_at = http.retry_after(response, now=dt.datetime.now(dt.UTC), default_s=LIMIT_DEFAULT_S)
        return RateLimited(retry_at, words)
    if status >= 500:
        changes = getattr(response.request, "changes", False)
        return OutcomeUnknown(words) if changes else Temporary(words)
    if status == 400 and ("'to'" in lowered or "failed to send messages" in lowered):
        return Rejected(RejectReason.NOT_FOUND, words)  # nobody whom this account may write to
    if status == 400 and "length must be between 0 and 5000" in lowered:
        return Rejected(RejectReason.TEXT_TOO_LONG, words)
    reasons = {403: RejectReason.FORBIDDEN, 404: RejectReason.NOT_FOUND}
    return Rejected(reasons.get(status, RejectReason.INVALID), words)
