"""X's connector on canned answers, shaped after docs.x.com."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import io
import json
import re
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest
import requests
import responses
import yaml

from connectors.base import (
    Cost,
    MediaItem,
    NotAllListed,
    PostPart,
    PostPayload,
    StepKind,
    StepResult,
    StepState,
    Tokens,
)
from connectors.errors import (
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.text import check_payload, count, find_cashtags, find_links
from connectors.x import CHUNK_BYTES, READ_ONLY, WRONG_KEYS, XConnector
from connectors.x_answers import NO_CREDITS, media_result
from connectors.x_info import INFO
from tests.connectors.conftest import NOW, SPECS, image, payload

API = "https://api.x.com"
FIELDS = {
    "consumer_key": "consumer-key",
    "consumer_secret": "consumer-secret",
    "access_token": "2244994945-token",
    "token_secret": "token-secret",
}
ME = {"data": {"id": "2244994945", "username": "harbour", "name": "Harbour Coffee"}}
TOKENS = Tokens(
    access_token=FIELDS["access_token"],
    extra={name: FIELDS[name] for name in ("consumer_key", "consumer_secret", "token_secret")},
)
UUID = "0192c1b0-0000-7000-8000-000000000001"


@pytest.fixture
def network() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def account() -> XConnector:
    return XConnector(tokens=TOKENS, options={"user_id": "2244994945", "username": "harbour"})


def publish(client: XConnector, sent: PostPayload, done: dict[str, StepResult] | None = None) -> StepResult:
    step = client.plan(sent)[-1]
    return client.send_step(step, sent, client.prepare_step(step, sent, done or {}, key=UUID, now=NOW))


def remote(text: str, at: dt.datetime, **more: Any) -> dict[str, Any]:
    return {"id": "1460323737035677698", "text": text, "created_at": at.isoformat(), **more}


# --- connecting -------------------------------------------------------------------------------


def signature_of(request: requests.PreparedRequest) -> tuple[str, str]:
    """The signature that was sent, and the one that RFC 5849 (section 3.4) asks for."""
    header = request.headers["Authorization"]
    sent = {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', header)}
    given = sent.pop("oauth_signature")
    parts = urlsplit(str(request.url))
    pairs = sorted(
        (quote(k, safe="~"), quote(v, safe="~")) for k, v in [*sent.items(), *parse_qsl(parts.query)]
    )
    base = "&".join(
        quote(text, safe="~")
        for text in (
            str(request.method),
            f"{parts.scheme}://{parts.netloc}{parts.path}",
            "&".join(f"{name}={value}" for name, value in pairs),
        )
    )
    key = f"{FIELDS['consumer_secret']}&{FIELDS['token_secret']}"
    digest = hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()
    return given, base64.b64encode(digest).decode()


def test_four_keys_become_an_account(network: responses.RequestsMock) -> None:
    network.get(f"{API}/2/users/me", json=ME, headers={"x-access-level": "read-write"})
    connected = XConnector.connect({name: f" {value} " for name, value in FIELDS.items()})
    assert connected.profile.handle == "harbour"
    assert connected.profile.remote_id == "2244994945"
    assert connected.tokens == TOKENS
    assert connected.options == {"user_id": "2244994945", "username": "harbour"}  # no secret among them
    given, expected = signature_of(network.calls[0].request)
    assert given == expected


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        ({"status": 401, "json": {"title": "Unauthorized"}}, WRONG_KEYS),
        ({"json": ME, "headers": {"x-access-level": "read"}}, READ_ONLY),
    ],
)
def test_keys_that_cannot_publish_are_refused_with_what_to_do(
    network: responses.RequestsMock, answer: dict[str, Any], advice: str
) -> None:
    network.get(f"{API}/2/users/me", **answer)
    with pytest.raises(NeedsReconnect) as refused:
        XConnector.connect(FIELDS)
    assert refused.value.advice == advice


def test_no_key_is_in_what_is_told_of_an_error(network: responses.RequestsMock, account: XConnector) -> None:
    said = {"detail": f"bad {FIELDS['access_token']} {FIELDS['consumer_secret']} {FIELDS['token_secret']}"}
    network.post(f"{API}/2/tweets", status=400, json=said)
    with pytest.raises(Rejected) as refused:
        publish(account, payload("Hello"))
    assert not [secret for secret in FIELDS.values() if secret in refused.value.detail]


# --- publishing -------------------------------------------------------------------------------


def test_a_thread_and_its_first_comment_answer_what_they_belong_to(
    network: responses.RequestsMock, account: XConnector
) -> None:
    sent = PostPayload((PostPart("one"), PostPart("two"), PostPart("link", is_comment=True)))
    network.post(f"{API}/2/tweets", status=201, json={"data": {"id": "9", "text": "two"}})
    done = {"part0.publish": StepResult(remote_id="7"), "part1.publish": StepResult(remote_id="8")}
    steps = [step for step in account.plan(sent) if step.kind is StepKind.PUBLISH]
    posts = [account.prepare_step(step, sent, done, key=UUID, now=NOW)["post"] for step in steps]
    assert posts == [
        {"text": "one"},
        {"text": "two", "reply": {"in_reply_to_tweet_id": "7"}},
        {"text": "link", "reply": {"in_reply_to_tweet_id": "7"}},
    ]
    result = publish(account, sent, done)
    assert (result.remote_id, result.permalink) == ("9", "https://x.com/harbour/status/9")
    assert json.loads(network.calls[0].request.body or "") == posts[2]


def video(size: int) -> MediaItem:
    return MediaItem(
        "clip", "video/mp4", size, 640, 360, "A wave", lambda: io.BytesIO(b"v" * size), 3.0, 30.0
    )


def test_a_video_is_sent_in_pieces_and_asked_about_until_it_is_done(
    network: responses.RequestsMock, account: XConnector
) -> None:
    sent = payload("Look", media=(video(CHUNK_BYTES + 5),))
    network.post(f"{API}/2/media/upload/initialize", json={"data": {"id": "77"}})
    network.post(f"{API}/2/media/upload/77/append", json={"data": {}})
    working = {"data": {"id": "77", "processing_info": {"state": "pending", "check_after_secs": 3}}}
    network.post(f"{API}/2/media/upload/77/finalize", json=working)
    network.post(f"{API}/2/media/metadata", json={"data": {"id": "77"}})
    step = account.plan(sent)[0]
    intent = account.prepare_step(step, sent, {}, key=UUID, now=NOW)
    result = account.send_step(step, sent, intent)
    assert (result.state, result.remote_id, result.retry_after_s) == (StepState.PROCESSING, "77", 3.0)
    begun = json.loads(network.calls[0].request.body or "")
    assert begun == {
        "media_type": "video/mp4",
        "total_bytes": CHUNK_BYTES + 5,
        "media_category": "tweet_video",
    }
    bodies: list[Any] = [call.request.body for call in network.calls]
    pieces = [body for body in bodies if isinstance(body, bytes) and b"segment_index" in body]
    numbers = [re.search(rb'name="segment_index"\r\n\r\n(\d+)\r\n', piece) for piece in pieces]
    assert [number and number[1] for number in numbers] == [b"0", b"1"]
    assert sum(piece.count(b"v" * 5) > 0 for piece in pieces) == 2
    told = json.loads(network.calls[-1].request.body or "")
    assert told == {"id": "77", "metadata": {"alt_text": {"text": "A wave"}}}
    for state, expected in (("in_progress", StepState.PROCESSING), ("succeeded", StepState.DONE)):
        network.upsert("GET", f"{API}/2/media/upload", json={"data": {"processing_info": {"state": state}}})
        checked = account.check(step, intent, result)
        assert checked is not None
        assert checked.state is expected
    failed = {"data": {"processing_info": {"state": "failed", "error": {"message": "unsupported codec"}}}}
    network.upsert("GET", f"{API}/2/media/upload", json=failed)
    with pytest.raises(Rejected) as refused:
        account.check(step, intent, result)
    assert (refused.value.reason, refused.value.detail) == (RejectReason.MEDIA_BROKEN, "unsupported codec")


def test_an_image_is_done_at_once_and_named_by_the_post(
    network: responses.RequestsMock, account: XConnector
) -> None:
    sent = payload("Look", media=(image(""),))
    network.post(f"{API}/2/media/upload/initialize", json={"data": {"id": "5"}})
    network.post(f"{API}/2/media/upload/5/append", json={})
    network.post(f"{API}/2/media/upload/5/finalize", json={"data": {"id": "5", "size": 8}})
    step = account.plan(sent)[0]
    result = account.send_step(step, sent, account.prepare_step(step, sent, {}, key=UUID, now=NOW))
    assert (result.state, result.remote_id) == (StepState.DONE, "5")
    assert not [call for call in network.calls if "metadata" in str(call.request.url)]  # nothing to describe
    publication = account.plan(sent)[-1]
    intent = account.prepare_step(publication, sent, {"part0.media0": result}, key=UUID, now=NOW)
    assert intent["post"] == {"text": "Look", "media": {"media_ids": ["5"]}}


@pytest.mark.parametrize(
    ("stated", "good_for_s"),
    [
        (None, 23 * 3600),
        (86_400, 23 * 3600),
        (600, 300),
        (0, 23 * 3600),
        ("soon", 23 * 3600),
        (1e300, 23 * 3600),
    ],
)
def test_an_upload_is_of_use_until_a_little_before_x_forgets_it(stated: object, good_for_s: int) -> None:
    before = dt.datetime.now(dt.UTC)
    result = media_result("5", {"expires_after_secs": stated} if stated is not None else {})
    assert result.ends_at is not None
    assert good_for_s <= (result.ends_at - before).total_seconds() <= good_for_s + 60


def test_the_end_of_an_upload_is_kept_while_x_works_on_it(
    network: responses.RequestsMock, account: XConnector
) -> None:
    sent = payload("Look", media=(video(5),))
    begun = StepResult(StepState.PROCESSING, "77", ends_at=NOW)
    network.get(f"{API}/2/media/upload", json={"data": {"processing_info": {"state": "succeeded"}}})
    result = account.check(account.plan(sent)[0], {"alt_text": ""}, begun)
    assert result == StepResult(StepState.DONE, "77", ends_at=NOW)


@pytest.mark.parametrize(
    ("status", "said", "error", "reason"),
    [
        (
            400,
            {"detail": "One or more parameters to your request was invalid."},
            Rejected,
            RejectReason.INVALID,
        ),
        (400, {"detail": "Tweet that is deleted or not visible to you."}, Rejected, RejectReason.NOT_FOUND),
        (401, {"title": "Unauthorized"}, NeedsReconnect, None),
        (402, {"title": "CreditsDepleted"}, RateLimited, None),
        (403, {"title": "SpendCapReached", "detail": "Your account has reached it."}, RateLimited, None),
        (429, {"title": "UsageCapExceeded", "detail": "Usage cap exceeded: Monthly."}, RateLimited, None),
        (403, {"detail": "You are not permitted to perform this action."}, Rejected, RejectReason.FORBIDDEN),
        (
            403,
            {"detail": "a Tweet with duplicate content"},
            Rejected,
            RejectReason.DUPLICATE,
        ),
        (503, {"title": "Service Unavailable"}, OutcomeUnknown, None),
    ],
)
def test_what_x_says_to_a_post_decides_what_comes_next(
    network: responses.RequestsMock,
    account: XConnector,
    status: int,
    said: dict[str, Any],
    error: type[Exception],
    reason: RejectReason | None,
) -> None:
    network.post(f"{API}/2/tweets", status=status, json=said)
    with pytest.raises(error) as raised:
        publish(account, payload("Hello"))
    assert getattr(raised.value, "reason", None) == reason
    assert getattr(raised.value, "of_app", True)  # credits are those of the developer app


@pytest.mark.parametrize(("status", "title"), [(402, "CreditsDepleted"), (403, "SpendCapReached")])
def test_an_app_without_credits_is_told_to_buy_some(
    network: responses.RequestsMock, account: XConnector, status: int, title: str
) -> None:
    network.post(f"{API}/2/tweets", status=status, json={"title": title})
    with pytest.raises(RateLimited) as raised:
        publish(account, payload("Hello"))
    assert raised.value.detail.startswith(NO_CREDITS)
    assert title in raised.value.detail


def test_an_upload_that_fails_may_be_repeated(network: responses.RequestsMock, account: XConnector) -> None:
    network.post(f"{API}/2/media/upload/initialize", status=503)
    sent = payload("Look", media=(image(),))
    step = account.plan(sent)[0]
    with pytest.raises(Temporary):
        account.send_step(step, sent, account.prepare_step(step, sent, {}, key=UUID, now=NOW))


def test_all_limits_that_are_used_up_are_waited_for(
    network: responses.RequestsMock, account: XConnector
) -> None:
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    soon, late = now + dt.timedelta(minutes=9), now + dt.timedelta(hours=20)

    def limited(**remaining: int) -> dt.datetime:
        headers = {
            "x-rate-limit-reset": f"{soon.timestamp():.0f}",
            "x-rate-limit-remaining": "0",
            "x-user-limit-24hour-reset": f"{late.timestamp():.0f}",
            "x-user-limit-24hour-remaining": str(remaining["of_the_day"]),
        }
        network.upsert(
            "POST", f"{API}/2/tweets", status=429, json={"title": "Too Many Requests"}, headers=headers
        )
        with pytest.raises(RateLimited) as waited:
            publish(account, payload("Hello"))
        return waited.value.retry_at

    assert limited(of_the_day=12) == soon
    assert limited(of_the_day=0) == late
    headers = {"x-rate-limit-reset": "9" * 30, "x-rate-limit-remaining": "0"}
    network.upsert("POST", f"{API}/2/tweets", status=429, json={}, headers=headers)
    with pytest.raises(RateLimited):
        publish(account, payload("Hello"))


# --- reading back -----------------------------------------------------------------------------


def test_a_post_is_read_as_it_was_written(network: responses.RequestsMock, account: XConnector) -> None:
    text = "5 &gt; 3 https://t.co/link https://t.co/pic"
    entities = {
        "urls": [
            {"url": "https://t.co/link", "expanded_url": "https://example.com/?a=1"},
            {
                "url": "https://t.co/pic",
                "expanded_url": "https://x.com/harbour/status/1/photo/1",
                "media_key": "3_1",
            },
        ]
    }
    post = remote(text, NOW, entities=entities, attachments={"media_keys": ["3_1"]})
    network.get(f"{API}/2/tweets/{post['id']}", json={"data": post})
    read = account.fetch_post(post["id"])
    assert read is not None
    assert (read.text, read.media_count) == ("5 > 3 https://example.com/?a=1", 1)
    assert read.permalink == f"https://x.com/harbour/status/{post['id']}"


@pytest.mark.parametrize(
    "answer",
    [{"json": {}}, {"json": {"data": None}}, {"json": {"data": []}}],
    ids=str,
)
def test_an_answer_that_says_nothing_makes_no_post_vanish(
    network: responses.RequestsMock, account: XConnector, answer: dict[str, Any]
) -> None:
    network.get(f"{API}/2/tweets/7", **answer)
    with pytest.raises(Temporary):
        account.fetch_post("7")


@pytest.mark.parametrize(
    "answer",
    [{"status": 404, "json": {}}, {"json": {"errors": [{"title": "Not Found Error"}]}}],
    ids=["404", "200"],
)
def test_a_post_that_is_gone_is_not_there(
    network: responses.RequestsMock, account: XConnector, answer: dict[str, Any]
) -> None:
    network.get(f"{API}/2/tweets/7", **answer)
    assert account.fetch_post("7") is None


def test_many_posts_are_asked_for_together(network: responses.RequestsMock, account: XConnector) -> None:
    network.get(f"{API}/2/tweets", json={"data": [remote("Hello", NOW)]})
    assert [post.text for post in account.fetch_posts([str(n) for n in range(130)])] == ["Hello", "Hello"]
    sizes = [
        len(dict(parse_qsl(urlsplit(str(c.request.url)).query))["ids"].split(",")) for c in network.calls
    ]
    assert sizes == [100, 30]


def test_own_posts_are_read_page_by_page(network: responses.RequestsMock, account: XConnector) -> None:
    path = f"{API}/2/users/2244994945/tweets"
    older = remote("older", NOW + dt.timedelta(minutes=1))
    network.get(
        path, json={"data": [remote("newer", NOW + dt.timedelta(minutes=2))], "meta": {"next_token": "n"}}
    )
    network.get(path, json={"data": [older, remote("too old", NOW - dt.timedelta(days=1))], "meta": {}})
    assert [post.text for post in account.find_recent(since=NOW)] == ["newer", "older"]
    queries = [dict(parse_qsl(urlsplit(str(call.request.url)).query)) for call in network.calls]
    assert queries[0]["start_time"] == "2026-11-22T12:00:00Z"
    assert [query.get("pagination_token") for query in queries] == [None, "n"]


def test_more_posts_than_can_be_read_prove_nothing(
    network: responses.RequestsMock, account: XConnector
) -> None:
    path = f"{API}/2/users/2244994945/tweets"
    network.get(path, json={"data": [remote("busy", NOW)], "meta": {"next_token": "n"}})
    for words in ("Hello", "busy"):  # which of them is ours, its place says, too
        with pytest.raises(NotAllListed) as partly:
            account.find_sent(payload(words), since=NOW)
        assert {post.text for post in partly.value.posts} == {"busy"}
    network.replace("GET", path, json={"data": [remote("busy", NOW)], "meta": {}})
    assert len(account.find_sent(payload("Hello"), since=NOW)) == 1


# --- counting ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("a" * 280, 280),
        ("珈琲" * 70, 280),
        ("Hello, world! 👋", 16),
        ("👨‍👩‍👧‍👦", 2),
        ("1️⃣🇯🇵", 4),
        ("see example.com and https://example.com/a/very/long/path?with=a&query=1", 4 + 23 + 5 + 23),
        ("A\u030a", 1),  # composed before it is counted
    ],
)
def test_letters_weigh_one_and_everything_else_two(text: str, weight: int) -> None:
    assert count(text, INFO.text) == weight
    assert (check_payload(payload(text), INFO) == []) == (weight <= 280)
    assert bool(check_payload(payload(f"{text} {'a' * (280 - weight)}"), INFO))


def test_cashtags_are_those_of_twitter_text() -> None:
    path = SPECS / "twitter-text" / "extract.yml"
    if not path.is_file():
        pytest.skip("NETWORK_SPECS has no twitter-text: cashtags are not held against it")
    cases = yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]["cashtags"]
    assert len(cases) >= 8
    for case in cases:
        found = [tag.value for tag in find_cashtags(case["text"])]
        assert found == case["expected"], case["description"]


def test_what_x_refuses_of_self_serve_apps_is_told_before() -> None:
    assert check_payload(payload("$SHIP up"), INFO) == []
    (problem,) = check_payload(payload("$SHIP and $TEA up"), INFO)
    assert (problem.reason, problem.limit, problem.actual) == (RejectReason.TOO_MANY_TAGS, 1, 2)
    tall = MediaItem("film", "video/mp4", 9, 300, 1000, "", lambda: io.BytesIO(b"v"), 9.0, 30.0)
    assert [one.reason for one in check_payload(PostPayload((PostPart("x", (tall,)),)), INFO)] == [
        RejectReason.MEDIA_SHAPE
    ]


def test_lengths_are_those_of_the_official_cases() -> None:
    path = SPECS / "twitter-text" / "validate.yml"
    if not path.is_file():
        pytest.skip("NETWORK_SPECS has no twitter-text: lengths are not held against it")
    groups = yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
    cases = [
        *groups["WeightedTweetsWithDiscountedEmojiCounterTest"],
        *groups["UnicodeDirectionalMarkerCounterTest"],
    ]
    assert len(cases) > 20
    wrong = {
        case["description"]: count(case["text"], INFO.text)
        for case in cases
        if count(case["text"], INFO.text) != case["expected"]["weightedLength"]
    }
    assert wrong == {}


def test_a_name_that_no_server_can_have_is_no_link() -> None:
    assert find_links(f"http://{'あ' * 60}.com") == []
    assert [link.value for link in find_links("http://例え.com/道")] == ["http://例え.com/"]
    assert [link.value for link in find_links("http://пример.рф/a です")] == ["http://пример.рф/a"]


# --- what it costs ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "amount"),
    [
        (["Fresh coffee"], "0.015"),
        (["Fresh coffee https://example.com"], "0.20"),
        (["Fresh coffee example.com/beans"], "0.20"),  # X makes a link of it
        (["One", "Two", "Three https://example.com"], "0.230"),
    ],
)
def test_each_post_of_a_thread_is_paid_for(account: XConnector, texts: list[str], amount: str) -> None:
    cost = account.cost_of(payload(*texts))
    assert cost is not None
    assert (cost.amount, cost.currency) == (Decimal(amount), "USD")


def test_of_media_their_descriptions_cost(account: XConnector) -> None:
    assert account.cost_of(payload("Hello", media=(image(""),))) == Cost(Decimal("0.015"), "USD")
    assert account.cost_of(payload("Hello", media=(image(), image()))) == Cost(Decimal("0.025"), "USD")
