"""What every connector promises, asked of all that the registry knows. A new network adds one ``Setup``."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import io
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest
import requests
import responses

from connectors import http
from connectors.base import (
    AccountMetrics,
    AppCredentials,
    Capability,
    ConnectMethod,
    Connector,
    MediaItem,
    MessageTarget,
    Moderation,
    ModerationAction,
    PlatformInfo,
    PostMetrics,
    PostPart,
    PostPayload,
    ReplyTarget,
    RetrySafety,
    Step,
    StepKind,
    StepResult,
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
from connectors.registry import CONNECTORS, UnknownPlatform, connector_class, info_for
from connectors.text import MODERATIONS, check_payload
from tests.connectors.conftest import NOW, image, payload

ROOT = Path(__file__).parents[2]
SECRET = "S3CRETS3CRET"
KEY = "0192c1b0-0000-7000-8000-000000000001"


def web_token() -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 4_000_000_000}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJFUzI1NksifQ.{claims}.{SECRET}"


@dataclass(frozen=True)
class Setup:
    """An account of the network, as it would be stored, and its own way to say what others say too."""

    options: Mapping[str, Any]
    post_id: str = "1001"
    comment_id: str = ""  # where comments have ids of another form than posts
    token: str = SECRET
    unauthorized: Mapping[str, Any] = field(default_factory=lambda: {"error": "invalid_token"})
    forbidden: Mapping[str, Any] = field(default_factory=lambda: {"error": "forbidden"})
    rate_headers: tuple[str, ...] = ("Retry-After",)
    settings: Mapping[str, Any] = field(default_factory=dict)  # what a post must say besides its words
    detail: Mapping[str, Any] = field(default_factory=dict)  # what the steps before a publication leave
    takes_images_with_post: bool = False  # they are in the request that publishes, and have no step


DID = "did:plc:abcdefghijklmnopqrstuvwx"
SETUPS = {
    "bluesky": Setup(
        options={"did": DID, "pds": "https://pds.example.com", "handle": "alice.example.com"},
        post_id=f"at://{DID}/app.bsky.feed.post/3l6oveex3ii2l",
        token=web_token(),
        unauthorized={"error": "InvalidToken", "message": "Token could not be verified"},
        forbidden={"error": "Forbidden", "message": "no"},
        rate_headers=("ratelimit-reset", "Retry-After"),
    ),
    "facebook": Setup(
        options={"page_id": "1001", "name": "Harbour Coffee"},
        post_id="1001_2002",
        unauthorized={"error": {"code": 190, "message": "Error validating access token"}},
        forbidden={"error": {"code": 200, "message": "Permissions error"}},
        rate_headers=("X-Business-Use-Case-Usage", "Retry-After"),
    ),
    "instagram": Setup(
        options={
            "login": "facebook",
            "ig_id": "17841400000000001",
            "page_id": "1001",
            "username": "harbour",
        },
        post_id="17900000000000001",
        unauthorized={"error": {"code": 190, "message": "Error validating access token"}},
        forbidden={"error": {"code": 10, "message": "Application does not have permission"}},
        rate_headers=("X-Business-Use-Case-Usage", "Retry-After"),
    ),
    "linkedin": Setup(
        options={
            "urn": "urn:li:organization:5515715",
            "person": "urn:li:person:A8xe03Qt10",
            "handle": "harbour",
            "scopes": [
                "rw_organization_admin",
                "r_organization_social",
                "w_organization_social",
                "r_organization_social_feed",
                "w_organization_social_feed",
            ],
        },
        post_id="urn:li:share:6844785523593134080",
        comment_id="urn:li:comment:(urn:li:activity:6844785523593134081,6844785523593134082)",
        unauthorized={"status": 401, "code": "EXPIRED_ACCESS_TOKEN", "message": "The token has expired"},
        forbidden={"status": 403, "code": "ACCESS_DENIED", "message": "Not enough permissions"},
    ),
    "line": Setup(
        options={"user_id": "Ub9952f8", "basic_id": "@216ru", "channel_id": "1350031035"},
        unauthorized={"message": "Authentication failed. Confirm that the access token is valid."},
        forbidden={"message": "Access to this API is not available for your account"},
    ),
    "mastodon": Setup(
        options={"host": "https://m.example.com", "domain": "m.example.com", "account_id": "1"},
        rate_headers=("X-RateLimit-Reset", "Retry-After"),
    ),
    "pinterest": Setup(
        options={"username": "harbour"},
        unauthorized={"code": 2, "message": "Authentication failed."},
        forbidden={"code": 29, "message": "You are not permitted to access that resource."},
        rate_headers=("X-RateLimit-Reset", "Retry-After"),
        settings={"board": "549755885175", "title": "Hello"},
        takes_images_with_post=True,
    ),
    "sandbox": Setup(
        options={"host": "https://s.example.com", "retry_safety": "neither"},
        unauthorized={"error": {"code": "invalid_token", "message": "no"}},
        forbidden={"error": {"code": "forbidden", "message": "no"}},
    ),
    "threads": Setup(
        options={
            "user_id": "1234567",
            "username": "harbour",
            "scopes": list(CONNECTORS["threads"].INFO.scopes),
        },
        unauthorized={"error": {"message": "Error validating access token", "code": 190}},
        forbidden={"error": {"message": "Application does not have permission", "code": 10}},
        rate_headers=("Retry-After", "X-Business-Use-Case-Usage"),
    ),
    "tiktok": Setup(
        options={"open_id": "open-id", "username": "harbour"},
        post_id="7300000000000000001",
        unauthorized={"error": {"code": "access_token_invalid", "message": "no", "log_id": "1"}},
        forbidden={"error": {"code": "spam_risk_user_banned_from_posting", "message": "no", "log_id": "1"}},
        settings={"privacy": "SELF_ONLY"},
    ),
    "x": Setup(
        options={
            "user_id": "2244994945",
            "username": "harbour",
            "scopes": list(CONNECTORS["x"].INFO.scopes),
            "features": [one.key for one in CONNECTORS["x"].INFO.features],
        },
        unauthorized={"title": "Unauthorized", "status": 401, "detail": "Unauthorized"},
        forbidden={"title": "Forbidden", "status": 403, "detail": "You are not permitted to do this."},
        rate_headers=("x-rate-limit-reset", "Retry-After"),
    ),
    "youtube": Setup(
        options={
            "channel_id": "UCabcdefghijklmnopqrstuv",
            "scopes": list(CONNECTORS["youtube"].INFO.scopes),
        },
        post_id="dQw4w9WgXcQ",
        unauthorized={"error": {"code": 401, "message": "no", "errors": [{"reason": "authError"}]}},
        forbidden={"error": {"code": 403, "message": "no", "errors": [{"reason": "forbidden"}]}},
        settings={"title": "Hello", "made_for_kids": "no"},
        detail={"session": "https://www.googleapis.com/upload/youtube/v3/videos?upload_id=abcdefghijkl"},
    ),
}
PLATFORMS = sorted(CONNECTORS)


def account(platform: str) -> Connector:
    setup = SETUPS[platform]
    return CONNECTORS[platform](tokens=Tokens(access_token=setup.token), options=setup.options)


def hello(platform: str) -> PostPayload:
    """The smallest post that the network takes."""
    info = CONNECTORS[platform].info_for(SETUPS[platform].options)
    media: tuple[MediaItem, ...] = ()
    if not info.can(Capability.POST_TEXT):
        media = some_media(info)[:1]
    return dataclasses.replace(payload("Hello", media=media), settings=dict(SETUPS[platform].settings))


def some_media(info: PlatformInfo) -> tuple[MediaItem, ...]:
    """Two images, or where none are taken a video."""
    if info.can(Capability.POST_IMAGES):
        return tuple(
            dataclasses.replace(image(name, mime_type=info.images.mime_types[0]), public_url=lambda: AT_OURS)
            for name in ("a", "b")[: info.images.max_count]
        )
    assert info.videos is not None
    return (film(info.videos, size=4, duration_s=min(10.0, info.videos.max_seconds or 10.0)),)


AT_OURS = "https://smm.example.com/media/public/s1gned"


def before(client: Connector, sent: PostPayload) -> dict[str, StepResult]:
    """What the steps before the last one have left."""
    detail = dict(SETUPS[client.INFO.key].detail)
    return {step.key: StepResult(remote_id="77", detail=detail) for step in client.plan(sent)[:-1]}


def publish(client: Connector) -> StepResult:
    sent = hello(client.INFO.key)
    step, done = client.plan(sent)[-1], before(client, sent)
    now = dt.datetime.now(dt.UTC)  # it is sent as soon as it is prepared
    return client.send_step(step, sent, client.prepare_step(step, sent, done, key=KEY, now=now))


def needed(info: PlatformInfo) -> set[str]:
    methods = {"fetch_profile", "plan", "prepare_step", "send_step"}
    if info.reads_back:
        methods |= {"fetch_post", "find_recent"}
    if info.connect_method is ConnectMethod.FORM or info.by_form:
        methods.add("connect")
    if info.connect_method is ConnectMethod.OAUTH:
        methods.add("authorize_url")
    if info.can(Capability.WEBHOOKS):
        methods |= {"is_genuine", "webhook_events"}
    if info.can(Capability.COMPETITORS):
        methods.add("fetch_public_account")
    if any(one.is_of_account for one in info.post_fields):
        methods.add("fetch_choices")
    if info.retry_safety is RetrySafety.TWO_PHASE:
        methods.add("check")
    if info.can(Capability.ACCOUNT_METRICS):
        methods.add("fetch_account_metrics")
    if info.can(Capability.POST_METRICS):
        methods.add("fetch_post_metrics")
    if info.capabilities & {
        Capability.INBOX_COMMENTS,
        Capability.INBOX_MENTIONS,
        Capability.INBOX_MESSAGES,
        Capability.INBOX_REVIEWS,
    }:
        methods.add("fetch_inbox")
    return methods


def reads(platform: str) -> dict[str, Callable[[Connector], object]]:
    setup = SETUPS[platform]
    back: dict[str, Callable[[Connector], object]] = {
        "fetch_post": lambda c: c.fetch_post(setup.post_id),
        "find_recent": lambda c: c.find_recent(since=NOW),
    }
    info = info_for(platform, setup.options)
    return {
        "fetch_profile": lambda c: c.fetch_profile(),
        **(back if info.reads_back else {}),
        **({"fetch_public_account": other} if info.can(Capability.COMPETITORS) else {}),
        "fetch_account_metrics": lambda c: c.fetch_account_metrics(),
        "fetch_post_metrics": lambda c: c.fetch_post_metrics([setup.post_id]),
        **({"fetch_inbox": lambda c: c.fetch_inbox(since=NOW)} if has_inbox(platform) else {}),
    }


def other(client: Connector) -> object:
    return client.fetch_public_account("harbour")


def has_inbox(platform: str) -> bool:
    return "fetch_inbox" in needed(info_for(platform, SETUPS[platform].options))


READS = [(platform, name) for platform in PLATFORMS for name in reads(platform)]


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def answer_everything(network: responses.RequestsMock, **answer: Any) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        network.add(method, re.compile(".*"), **answer)


# --- data -------------------------------------------------------------------------------------


def test_registry_names_each_network_by_its_own_key() -> None:
    assert {key: connector.INFO.key for key, connector in CONNECTORS.items()} == {k: k for k in CONNECTORS}
    with pytest.raises(UnknownPlatform):
        connector_class("myspace")


def test_every_network_is_set_up_for_these_tests() -> None:
    assert sorted(SETUPS) == PLATFORMS


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("with_account", [False, True], ids=["network", "account"])
def test_info_is_whole_and_agrees_with_itself(platform: str, with_account: bool) -> None:
    info = info_for(platform, SETUPS[platform].options if with_account else None)
    assert re.fullmatch(r"#[0-9a-f]{6}", info.color)
    assert re.fullmatch(r"[a-z0-9-]+", info.icon)
    assert info.name
    assert info.text.max_units > 0
    assert info.consistency_window_s > 0
    # A post has words, or media.
    assert info.capabilities & {Capability.POST_TEXT, Capability.POST_IMAGES, Capability.POST_VIDEO}
    assert info.can(Capability.POST_THREAD) == (info.thread_max > 1)
    assert info.can(Capability.POST_IMAGES) == (info.images.max_count > 0)
    assert all(t.startswith("image/") for t in info.images.mime_types)
    assert info.can(Capability.ACCOUNT_METRICS) == bool(info.account_metrics)
    assert info.can(Capability.POST_METRICS) == bool(info.post_metrics)
    assert set(info.account_metrics) <= {f.name for f in fields(AccountMetrics)}
    assert set(info.post_metrics) <= {f.name for f in fields(PostMetrics)}
    assert all(rate.limit > 0 and rate.window_s > 0 for rate in info.rates)
    asked_fields = (*info.connect_fields, *info.by_form)
    assert all(f.kind in {"text", "password", "host"} and f.label for f in asked_fields)
    assert not info.by_form or info.connect_method is ConnectMethod.OAUTH
    assert len({f.name for f in info.connect_fields}) == len(info.connect_fields)
    assert info.can(Capability.SEND_MESSAGE) == (info.message_text is not None)
    # Who may answer must be able to read what there is to answer.
    assert not info.can(Capability.REPLY) or info.can(Capability.INBOX_COMMENTS)
    assert not info.can(Capability.SEND_MESSAGE) or info.can(Capability.INBOX_MESSAGES)
    # Networks whose apps are made by hand say how.
    by_api = getattr(CONNECTORS[platform].register_app, "__func__") is not getattr(  # noqa: B009
        Connector.register_app, "__func__"
    )
    by_hand = info.connect_method is ConnectMethod.OAUTH and not by_api
    assert (info.app is not None) == by_hand
    if info.app is not None:
        assert info.app.console_url.startswith("https://")
        assert info.app.steps
        for asked in info.app.fields:
            assert asked.kind in {"text", "password", "choice"}
            assert asked.label
            assert bool(asked.choices) == (asked.kind == "choice")
        assert len({asked.name for asked in info.app.fields}) == len(info.app.fields)
    if info.features:
        assert {scope for one in info.features for scope in one.scopes} == set(info.scopes)
        assert any(one.is_required for one in info.features)
        assert len({one.key for one in info.features}) == len(info.features)
        assert (
            set().union(*(one.capabilities for one in info.features))
            <= CONNECTORS[platform].INFO.capabilities
        )
    for one in info.post_fields:
        assert one.kind in {"text", "long_text", "url", "choice", "flag"}
        # Of choices that are the account's own, these are the words for those that are known.
        assert bool(one.choices) == (one.kind == "choice") or one.is_of_account
        assert not one.default or one.kind in {"text", "flag"} or one.default in dict(one.choices)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_is_advertised_is_there(platform: str) -> None:
    connector = CONNECTORS[platform]
    inherited = {
        name
        for name in needed(connector.INFO)
        if getattr(getattr(connector, name), "__func__", getattr(connector, name))
        is getattr(getattr(Connector, name), "__func__", getattr(Connector, name))
    }
    assert inherited == set()


def test_tokens_are_not_shown_by_their_repr() -> None:
    assert SECRET not in repr(Tokens(access_token=SECRET, refresh_token=SECRET, extra={"x": SECRET}))


# --- plans and intents ------------------------------------------------------------------------


def rich_payload(platform: str) -> PostPayload:
    info = info_for(platform, SETUPS[platform].options)
    texts = ("one ＃猫 https://example.com/x", "two")[: info.thread_max]
    sent = payload(*texts, media=some_media(info), language="ja")
    return dataclasses.replace(sent, settings=dict(SETUPS[platform].settings))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_plan_is_the_same_each_time_and_ends_with_a_publication_per_part(platform: str) -> None:
    client, sent = account(platform), rich_payload(platform)
    steps = client.plan(sent)
    assert steps == client.plan(sent)
    assert len({step.key for step in steps}) == len(steps)
    assert [s.part for s in steps if s.kind is StepKind.PUBLISH] == list(range(len(sent.parts)))
    # A network that fetches files itself may take them with the post.
    uploads = [(s.part, s.media) for s in steps if s.kind is StepKind.MEDIA]
    assert uploads == [(0, m) for m in range(len(sent.parts[0].media))][: len(uploads)]
    with_post = client.info.takes_media_by_url or SETUPS[platform].takes_images_with_post
    assert uploads or with_post or len(steps) > len(sent.parts)
    assert steps[-1].kind is StepKind.PUBLISH
    assert [s.part for s in steps] == sorted(s.part for s in steps)


def answers(platform: str) -> dict[str, PostPayload]:
    """What the inbox sends, to a comment, a person and a comment again."""
    setup, info = SETUPS[platform], CONNECTORS[platform].info_for(SETUPS[platform].options)
    comment = setup.comment_id or setup.post_id
    detail = {"uri": comment, "cid": "bafy", "id": comment, "mention": "@bob", "visibility": "public"}
    words = (PostPart("@bob Hello"),)
    sent = {}
    if info.can(Capability.REPLY):
        sent["reply"] = PostPayload(words, reply_to=ReplyTarget(comment, comment, detail))
    if info.can(Capability.SEND_MESSAGE):
        sent["message"] = PostPayload(words, message_to=MessageTarget("bob", "thread", detail))
    for action in ModerationAction:
        if info.can(MODERATIONS[action]):
            sent[str(action)] = PostPayload((), moderation=Moderation(action, comment, detail))
    return sent


ANSWERS = [(platform, name) for platform in PLATFORMS for name in answers(platform)]


@pytest.mark.parametrize(("platform", "name"), ANSWERS)
def test_an_answer_is_one_publication_within_the_limits_and_its_intent_is_plain_json(
    platform: str, name: str
) -> None:
    client, sent = account(platform), answers(platform)[name]
    assert check_payload(sent, client.info) == []
    *unseen, step = client.plan(sent)
    assert step.kind is (StepKind.PUBLISH if sent.parts else StepKind.MODERATE)
    assert {one.kind for one in unseen} <= {StepKind.CONTAINER}
    done = before(client, sent)
    first, second = (client.prepare_step(step, sent, done, key=KEY, now=NOW) for _ in range(2))
    assert first == second == json.loads(json.dumps(first))
    assert isinstance(client.safety_of(first, NOW), RetrySafety)


@pytest.mark.parametrize(("platform", "name"), [one for one in ANSWERS if one[1] != "reply"])
@pytest.mark.parametrize(
    "failure", [{"status": 500, "body": "oops"}, {"body": requests.ReadTimeout()}], ids=str
)
def test_only_what_must_not_happen_twice_is_left_in_doubt(
    network: responses.RequestsMock, platform: str, name: str, failure: Mapping[str, Any]
) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        network.add(method, re.compile(".*"), **failure)
    client, sent = account(platform), answers(platform)[name]
    step = client.plan(sent)[-1]
    intent = client.prepare_step(step, sent, before(client, sent), key=KEY, now=NOW)
    with pytest.raises(OutcomeUnknown if sent.parts else Temporary):
        client.send_step(step, sent, intent)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_payload_that_passes_the_limits_exists(platform: str) -> None:
    info = info_for(platform, SETUPS[platform].options)
    assert check_payload(rich_payload(platform), info) == []
    assert check_payload(hello(platform), info) == []


@pytest.mark.parametrize("platform", PLATFORMS)
def test_intent_is_plain_json_and_always_the_same(platform: str) -> None:
    client, sent = account(platform), hello(platform)
    step, done = client.plan(sent)[-1], before(client, sent)
    first, second = (client.prepare_step(step, sent, done, key=KEY, now=NOW) for _ in range(2))
    assert first == second == json.loads(json.dumps(first))
    assert SETUPS[platform].token not in json.dumps(first)
    assert isinstance(client.safety_of(first, NOW), RetrySafety)


# --- errors -----------------------------------------------------------------------------------


def assert_honest(error: ConnectorError, platform: str) -> None:
    assert SETUPS[platform].token not in error.detail
    assert len(error.detail) <= 1000


@pytest.mark.parametrize(("platform", "read"), READS)
@pytest.mark.parametrize(
    "failure",
    [
        {"status": 500, "body": "<h1>Internal Server Error</h1>"},
        {"status": 502, "body": "<html>Bad gateway</html>"},
        {"status": 503, "json": {"error": "maintenance"}},
        {"status": 418, "json": {"error": "teapot"}},
        {"status": 403, "json": {"error": "forbidden"}},
        {"status": 200, "body": "<html>A login page</html>"},
        {"status": 200, "body": "{"},
        {"status": 200, "body": ""},
        {"status": 200, "json": {}},
        {"status": 200, "json": []},
        {"status": 200, "json": [{}]},
        {"status": 200, "json": [None]},
        {"body": requests.ConnectTimeout()},
        {"body": requests.ReadTimeout()},
        {"body": requests.ConnectionError(ConnectionResetError())},
    ],
    ids=str,
)
def test_failed_read_raises_one_of_the_five_and_never_doubt(
    network: responses.RequestsMock, platform: str, read: str, failure: Mapping[str, Any]
) -> None:
    answer_everything(network, **failure)
    raised: ConnectorError | None = None
    try:
        reads(platform)[read](account(platform))
    except ConnectorError as error:
        raised = error
    # Numbers may be unknown; who the account is never is.
    assert raised is not None or read != "fetch_profile"
    assert not isinstance(raised, OutcomeUnknown)
    if raised is not None:
        assert_honest(raised, platform)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("action", ["fetch_profile", "publish"])
def test_dead_token_asks_for_a_new_connection(
    network: responses.RequestsMock, platform: str, action: str
) -> None:
    answer_everything(network, status=401, json=SETUPS[platform].unauthorized)
    with pytest.raises(NeedsReconnect) as lost:
        publish(account(platform)) if action == "publish" else reads(platform)[action](account(platform))
    assert_honest(lost.value, platform)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_forbidden_post_is_not_tried_again(network: responses.RequestsMock, platform: str) -> None:
    answer_everything(network, status=403, json=SETUPS[platform].forbidden)
    with pytest.raises((Rejected, NeedsReconnect)):
        publish(account(platform))


def header_value(name: str, at: dt.datetime) -> list[str]:
    epoch, iso = f"{at.timestamp():.0f}", at.isoformat()
    date = at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return {
        "Retry-After": ["120", date],
        "X-RateLimit-Reset": [iso, epoch],
        "ratelimit-reset": [epoch],
        "x-rate-limit-reset": [epoch],
        "X-RateLimit-Reset-Seconds": ["120"],
        "X-Business-Use-Case-Usage": [
            json.dumps({"1": [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 2}]})
        ],
    }[name]


@pytest.mark.parametrize(("platform", "name"), [(p, n) for p in PLATFORMS for n in SETUPS[p].rate_headers])
@pytest.mark.parametrize("action", ["publish", "fetch_profile"])
def test_rate_limit_says_when_in_each_form_of_its_header(platform: str, name: str, action: str) -> None:
    now = dt.datetime.now(dt.UTC)
    for value in header_value(name, now + dt.timedelta(seconds=120)):
        with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
            answer_everything(network, status=429, headers={name: value}, json={"error": "slow down"})
            with pytest.raises(RateLimited) as limited:
                publish(account(platform)) if action == "publish" else reads(platform)[action](
                    account(platform)
                )
        assert abs((limited.value.retry_at - now).total_seconds() - 120) < 5


@pytest.mark.parametrize("platform", PLATFORMS)
def test_rate_limit_without_a_header_is_a_wait_all_the_same(
    network: responses.RequestsMock, platform: str
) -> None:
    answer_everything(network, status=429, json={"error": "slow down"})
    with pytest.raises(RateLimited) as limited:
        publish(account(platform))
    assert limited.value.retry_at.tzinfo is not None
    assert limited.value.retry_at > dt.datetime.now(dt.UTC)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    "failure",
    [
        {"status": 500, "json": {"error": "InternalServerError"}},
        {"status": 500, "body": "<h1>Internal Server Error</h1>"},
        {"status": 502, "body": "<html>Bad gateway</html>"},
        {"status": 504, "body": ""},
        {"status": 200, "body": "<html>surprise</html>"},
        {"status": 200, "body": "{"},
        {"status": 200, "body": ""},
        {"status": 200, "json": {}},
        {"status": 200, "json": []},
        {"body": requests.ReadTimeout()},
        {"body": requests.ConnectionError(ConnectionResetError())},
        {"body": requests.exceptions.ChunkedEncodingError()},
    ],
    ids=str,
)
def test_publication_that_may_have_happened_is_unknown_and_sent_once(
    network: responses.RequestsMock, platform: str, failure: Mapping[str, Any]
) -> None:
    answer_everything(network, **failure)
    with pytest.raises(OutcomeUnknown) as unknown:
        publish(account(platform))
    assert_honest(unknown.value, platform)
    assert len(network.calls) == 1


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    "failure", [requests.ConnectTimeout(), requests.exceptions.SSLError(), http.HostNotFound("x")], ids=repr
)
def test_publication_that_was_never_sent_is_temporary(
    network: responses.RequestsMock, platform: str, failure: Exception
) -> None:
    answer_everything(network, body=failure)
    with pytest.raises(Temporary):
        publish(account(platform))


# --- secrets and borders ----------------------------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS)
def test_no_token_comes_into_a_log_line(
    network: responses.RequestsMock, platform: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even where a server quotes the token that it was sent."""
    token = SETUPS[platform].token

    def quote(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        sent = str(request.headers.get("Authorization", ""))
        return 400, {}, json.dumps({"error": "bad", "message": f"{sent} or {sent.split()[-1:]} is bad"})

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        network.add_callback(method, re.compile(".*"), callback=quote)
    with caplog.at_level(logging.DEBUG):
        for act in [*reads(platform).values(), publish]:
            asked = len(network.calls)
            try:
                act(account(platform))
            except ConnectorError as error:
                assert_honest(error, platform)
            else:  # an inbox of which webhooks alone tell
                assert len(network.calls) == asked
    assert "connectors.http" in {record.name for record in caplog.records}
    assert token not in caplog.text
    assert SECRET not in caplog.text


GIVEN = {
    "client_secret": "app-s3cret-0001",
    "code": "c0de-s3cret-0002",
    "code_verifier": "verifier-s3cret-0003",
    "access_token": "access-s3cret-0004",
    "refresh_token": "refresh-s3cret-0005",
}


def signs_in(platform: str) -> dict[str, Callable[[], object]]:
    """What is done with secrets that stand in no account yet, or in the body of a request."""
    connector, options = CONNECTORS[platform], SETUPS[platform].options
    if connector.INFO.connect_method is ConnectMethod.FORM:
        fields_given = {
            field.name: f"typed-s3cret-{number:04}" if field.kind == "password" else "https://s.example.com"
            for number, field in enumerate(connector.INFO.connect_fields)
        }
        return {"connect": lambda: connector.connect(fields_given)}
    app = AppCredentials("client-id", GIVEN["client_secret"], host=str(options.get("host", "")))
    stale = Tokens(access_token=GIVEN["access_token"], refresh_token=GIVEN["refresh_token"])
    return {
        "exchange": lambda: connector.exchange_accounts(
            app=app,
            code=GIVEN["code"],
            code_verifier=GIVEN["code_verifier"],
            redirect_uri="https://smm.example.com/back",
        ),
        "refresh": lambda: connector.refresh(tokens=stale, options=options, app=app),
    }


@pytest.mark.parametrize(("platform", "act"), [(p, act) for p in PLATFORMS for act in signs_in(p)])
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 409, 429, 500])
@pytest.mark.parametrize("shape", ["oauth", "object", "reason", "text", "long"])
def test_no_secret_that_is_given_at_the_sign_in_comes_into_a_log_line_or_an_error(
    network: responses.RequestsMock,
    platform: str,
    act: str,
    status: int,
    shape: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not even where a server quotes all that it was sent."""

    def quote(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
        sent = unquote_plus(f"{body} {request.url} {request.headers.get('Authorization', '')}")
        secrets = " ".join(re.findall(r"[a-z0-9]+-s3cret-[0-9]{4}", sent))
        said: Any = {
            "oauth": {"error": "invalid_grant", "error_description": f"bad: {secrets}"},
            "object": {"error": {"code": 400, "message": f"bad: {secrets}", "type": secrets}},
            "reason": {"error": secrets, "message": secrets, "code": secrets},
            "text": f"<p>bad: {secrets}</p>",
            "long": {"error": "x", "error_description": f"{'x ' * 140}{secrets}"},
        }[shape]
        return status, {}, said if isinstance(said, str) else json.dumps(said)

    for method in ("GET", "POST"):
        network.add_callback(method, re.compile(".*"), callback=quote)
    told = ""
    with caplog.at_level(logging.DEBUG):
        try:
            signs_in(platform)[act]()
        except ConnectorError as error:
            told = f"{error.detail} {error} {error!r}"
    assert "s3cret" not in told
    assert "s3cret" not in caplog.text


# What must be there to act after an unknown outcome, beside the intent (docs/adding-a-network.md).
ACTS_BY = {
    RetrySafety.IDEMPOTENT: "prepare_step",
    RetrySafety.TWO_PHASE: "check",
    RetrySafety.NEITHER: "find_recent",
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_stated_retry_safety_fits_the_methods(platform: str) -> None:
    connector, info = CONNECTORS[platform], info_for(platform, SETUPS[platform].options)
    needed_by = ACTS_BY[info.retry_safety]
    assert getattr(connector, needed_by) is not getattr(Connector, needed_by)
    client = account(platform)
    for sent in (hello(platform), *answers(platform).values()):
        for step in client.plan(sent):
            if step.kind is not StepKind.PUBLISH:
                continue
            intent = client.prepare_step(step, sent, before(client, sent), key=KEY, now=NOW)
            safety = client.safety_of(intent, NOW)
            method = ACTS_BY[safety]
            assert getattr(connector, method) is not getattr(Connector, method), (step, safety)
            if safety is RetrySafety.IDEMPOTENT:  # what is repeated must not be two things
                assert client.prepare_step(step, sent, before(client, sent), key=KEY, now=NOW) == intent
            # A promise with an end, or one for some posts only, says what comes after it.
            later = client.safety_of(intent, NOW + dt.timedelta(days=400))
            assert getattr(connector, ACTS_BY[later]) is not getattr(Connector, ACTS_BY[later])


def test_no_network_is_named_in_a_comparison_outside_connectors() -> None:
    """What differs between networks is data in PlatformInfo, never a branch elsewhere."""
    # Some keys are words for other things, too: there the line of code must speak of networks.
    common = {"x", "line"}
    keys = "|".join(key for key in PLATFORMS if key not in common)
    letters = "|".join(key for key in PLATFORMS if key in common)
    branching = re.compile(rf"""(?i)(platform|network)\w*\s*(?:[=!]==?|\bin\b)[^=]*["'](?:{letters})["']""")
    named = re.compile(
        rf"""(?:[=!]==?|\bin|\bcase)\s*[(\[{{]?\s*["'](?:{keys})["']|["'](?:{keys})["']\s*(?:[=!]==?|\bin\b)"""
    )
    apps = ("accounts", "analytics", "audience", "campaigns", "content_calendar", "engagement", "outbox")
    files = [
        path
        for place in (*apps, "core", "metrics", "smmapp", "templates", "frontend/src")
        for path in (ROOT / place).rglob("*")
        if path.suffix in {".py", ".html", ".js", ".ts", ".css"} and "node_modules" not in path.parts
    ]
    assert len(files) > 20
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in files
        for line in path.read_text(encoding="utf-8").splitlines()
        if named.search(line) or branching.search(line)
    ]
    assert found == []


def test_contract_is_frozen_data() -> None:
    for kind in (PlatformInfo, PostPayload, Step, StepResult, Tokens):
        assert kind.__dataclass_params__.frozen  # type: ignore[union-attr]
    with pytest.raises(dataclasses.FrozenInstanceError):
        payload("x").language = "ja"  # type: ignore[misc]


# --- videos -----------------------------------------------------------------------------------


def film(limit: VideoLimit, **values: Any) -> MediaItem:
    """A video that just fits."""
    fitting = {
        "key": "film",
        "mime_type": limit.mime_types[0],
        "size": limit.max_bytes,
        "width": 16,
        "height": 9,
        "alt_text": "",
        "open": lambda: io.BytesIO(b"film"),
        "duration_s": limit.max_seconds or 10.0,
        "frame_rate": limit.max_frame_rate or 30.0,
        "public_url": lambda: AT_OURS,
    }
    return MediaItem(**{**fitting, **values})


def post_of(info: PlatformInfo, *media: MediaItem) -> PostPayload:
    return dataclasses.replace(payload("Hi", media=media), settings=dict(SETUPS[info.key].settings))


def reasons(info: PlatformInfo, *media: MediaItem) -> list[RejectReason]:
    return [problem.reason for problem in check_payload(post_of(info, *media), info)]


@pytest.mark.parametrize("key", sorted(CONNECTORS))
def test_video_limits_are_stated_where_videos_are_taken(key: str) -> None:
    info = info_for(key)
    assert info.can(Capability.POST_VIDEO) == (info.videos is not None)
    if info.videos is None:
        return
    limit = info.videos
    # What the application makes of a video: it must be among what is taken.
    assert "video/mp4" in limit.mime_types
    assert "h264" in limit.video_codecs
    assert "aac" in limit.audio_codecs
    assert reasons(info, film(limit)) == []
    assert reasons(info, film(limit, size=limit.max_bytes + 1)) == [RejectReason.MEDIA_TOO_LARGE]
    assert reasons(info, film(limit, mime_type="video/x-none")) == [RejectReason.MEDIA_TYPE]
    assert reasons(info, *[film(limit)] * (limit.max_count + 1)) == [RejectReason.TOO_MANY_VIDEOS]
    if limit.max_seconds:
        too_long = film(limit, duration_s=limit.max_seconds + 0.2)
        (problem,) = check_payload(post_of(info, too_long), info)
        assert problem.reason is RejectReason.VIDEO_TOO_LONG
        assert problem.actual - problem.limit == 1
    if limit.max_frame_rate:
        assert reasons(info, film(limit, frame_rate=500.0)) == [RejectReason.VIDEO_TOO_FAST]
    if info.can(Capability.POST_IMAGES):
        mixed = reasons(info, film(limit), image(mime_type=info.images.mime_types[0]))
        assert mixed == ([] if limit.with_images else [RejectReason.MEDIA_MIXED])
    left = info.capabilities - {Capability.POST_VIDEO}
    assert reasons(dataclasses.replace(info, videos=None, capabilities=left), film(limit)) == [
        RejectReason.NOT_SUPPORTED
    ]


@pytest.mark.parametrize("key", sorted(CONNECTORS))
def test_a_video_is_handed_over_in_a_step_of_its_own_before_its_post(key: str) -> None:
    limit = info_for(key).videos
    if limit is None:
        return
    steps = account(key).plan(post_of(info_for(key), film(limit)))
    kinds = [step.kind for step in steps]
    if info_for(key).takes_media_by_url and kinds == [StepKind.PUBLISH]:
        return  # a network that fetches files itself may take it with the post
    assert kinds[0] in {StepKind.MEDIA, StepKind.CONTAINER}
    assert kinds[-1] is StepKind.PUBLISH
    assert steps[0].is_repeatable
