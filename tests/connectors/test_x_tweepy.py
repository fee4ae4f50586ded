"""X's connector beside tweepy, a client that others wrote: the same requests, and answers read alike.

tweepy calls the host by its older name, and knows neither uploads of the API 2 nor webhooks: those are held
against documents alone. It signs with the library that we sign with, so signatures are held against RFC 5849
(test_x) instead.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses
import tweepy

from connectors.base import MessageTarget, Moderation, ModerationAction, PostPayload, ReplyTarget, StepResult
from connectors.x import XConnector
from connectors.x_inbox import POST_FIELDS
from tests.connectors.conftest import NOW, image, payload
from tests.connectors.test_x_counts import post_id
from tests.connectors.test_x_inbox import ANN, BOB, ME, USERS, an_account, event, page, tweet
from tests.connectors.test_x_oauth import APP, BACK, GIVEN, GRANTED

PICTURES = {"media_keys": ["3_1", "3_2"]}
SINCE = NOW - dt.timedelta(days=1)
HOSTS = re.compile(r"https://api\.(x|twitter)\.com/2/.*")
WANTED = tuple(GRANTED.split())
METHODS = ("GET", "POST", "PUT", "DELETE")
YOUNG, OTHER = post_id(dt.timedelta(days=2)), post_id(dt.timedelta(days=3))
Call = Callable[[tweepy.Client, dict[str, str]], Any]


@pytest.fixture
def network() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def account() -> XConnector:
    return an_account("comments", "messages", "counts", "others")


@pytest.fixture
def client() -> tweepy.Client:
    return tweepy.Client(None, "consumer-key", "consumer-secret", f"{ME}-token", "token-secret")


def answer(network: responses.RequestsMock, told: Any) -> None:
    for method in METHODS:
        network.add(method, HOSTS, json=told)


def seen(request: requests.PreparedRequest) -> tuple[Any, ...]:
    parts = urlsplit(str(request.url))
    return request.method, parts.path, dict(parse_qsl(parts.query)), json.loads(request.body or "null")


def publication(
    account: XConnector, sent: PostPayload, done: dict[str, StepResult] | None = None
) -> StepResult:
    step = account.plan(sent)[-1]
    return account.send_step(step, sent, account.prepare_step(step, sent, done or {}, key="k", now=NOW))


def moderation(action: ModerationAction) -> PostPayload:
    return PostPayload((), moderation=Moderation(action, "2", {"id": "2"}))


PICTURE = payload("Look", media=(image(""),))
THREAD = PostPayload((*payload("one").parts, *payload("two").parts))
REPLY = PostPayload(payload("We are").parts, reply_to=ReplyTarget("2", "1", {"id": "2"}))
MESSAGE = PostPayload(payload("We are").parts, message_to=MessageTarget(ANN, ANN, {"id": "21"}))
SENT: dict[str, tuple[PostPayload, Call]] = {
    "text": (payload("Hello"), lambda x, _: x.create_tweet(text="Hello")),
    "image": (PICTURE, lambda x, _: x.create_tweet(text="Look", media_ids=["5"])),
    "thread": (THREAD, lambda x, _: x.create_tweet(text="two", in_reply_to_tweet_id="7")),
    "reply": (REPLY, lambda x, _: x.create_tweet(text="We are", in_reply_to_tweet_id="2")),
    "message": (MESSAGE, lambda x, _: x.create_direct_message(participant_id=ANN, text="We are")),
    "like": (moderation(ModerationAction.LIKE), lambda x, _: x.like("2")),
    "unlike": (moderation(ModerationAction.UNLIKE), lambda x, _: x.unlike("2")),
    "hide": (moderation(ModerationAction.HIDE), lambda x, _: x.hide_reply("2")),
    "unhide": (moderation(ModerationAction.UNHIDE), lambda x, _: x.unhide_reply("2")),
}


@pytest.mark.parametrize("name", SENT)
def test_what_is_sent_is_what_tweepy_sends(
    network: responses.RequestsMock, account: XConnector, client: tweepy.Client, name: str
) -> None:
    sent, call = SENT[name]
    answer(network, {"data": {"id": "9", "dm_event_id": "9", "liked": True, "hidden": True}})
    done = {"part0.media0": StepResult(remote_id="5"), "part0.publish": StepResult(remote_id="7")}
    publication(account, sent, done)
    call(client, {})
    ours, theirs = (seen(one.request) for one in network.calls)
    assert ours == theirs


# What is read, and the call of tweepy that reads the same: with the query that was sent here.
READ: dict[str, tuple[Callable[[XConnector], object], Call]] = {
    "own posts": (
        lambda own: own.find_recent(since=SINCE),
        lambda x, q: x.get_users_tweets(ME, user_auth=True, **q),
    ),
    "a post": (lambda own: own.fetch_post("2"), lambda x, q: x.get_tweet("2", user_auth=True, **q)),
    "posts": (
        lambda own: list(own.fetch_posts(["2", "3"])),
        lambda x, q: x.get_tweets(user_auth=True, **q),
    ),
    "counts of posts": (
        lambda own: own.fetch_post_metrics([YOUNG, OTHER]),
        lambda x, q: x.get_tweets(user_auth=True, **q),
    ),
    "followers": (lambda own: own.fetch_account_metrics(), lambda x, q: x.get_me(**q)),
    "profile": (lambda own: own.fetch_profile(), lambda x, q: x.get_me(**q)),
    "somebody": (
        lambda own: own.fetch_public_account("ann"),
        lambda x, q: x.get_user(username="ann", user_auth=True, **q),
    ),
    "mentions": (
        lambda own: own.fetch_inbox(since=SINCE),
        lambda x, q: x.get_users_mentions(ME, user_auth=True, **q),
    ),
    "messages": (
        lambda _own: an_account("messages").fetch_inbox(since=SINCE),
        lambda x, q: x.get_direct_message_events(**q),
    ),
    "messages with somebody": (
        lambda own: own.find_sent(MESSAGE, since=SINCE),
        lambda x, q: x.get_direct_message_events(participant_id=ANN, **q),
    ),
}


@pytest.mark.filterwarnings("ignore:The 'warn' method:DeprecationWarning")  # how tweepy warns
@pytest.mark.parametrize("name", READ)
def test_what_is_asked_is_what_tweepy_can_ask(
    network: responses.RequestsMock,
    account: XConnector,
    client: tweepy.Client,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    """Method and path are tweepy's, and it knows each part of the query for that path: it warns of others."""
    ours, theirs = READ[name]
    whole = name in {"a post", "followers", "profile", "somebody"}
    one = {"id": "2", "text": "Hello", "created_at": NOW.isoformat(), **USERS[ANN], "public_metrics": {}}
    answer(network, {"data": one} if whole else page(one) if "counts" in name else page())
    ours(account)
    asked = seen(network.calls[0].request)
    query = {key.replace(".", "_"): value for key, value in asked[2].items()}
    network.reset()
    answer(network, {})
    theirs(client, query)
    assert seen(network.calls[0].request) == asked
    assert "Unexpected parameter" not in caplog.text


@pytest.mark.filterwarnings("ignore:The 'warn' method:DeprecationWarning")  # how tweepy warns
def test_an_unknown_part_of_a_query_would_be_noticed(
    network: responses.RequestsMock, client: tweepy.Client, caplog: pytest.LogCaptureFixture
) -> None:
    answer(network, {})
    client.get_me(tweet_feelds=POST_FIELDS)
    assert "Unexpected parameter" in caplog.text


def test_a_way_in_is_the_one_that_tweepy_takes(network: responses.RequestsMock) -> None:
    handler = tweepy.OAuth2UserHandler(
        client_id=APP.client_id,
        redirect_uri=BACK,
        scope=list(WANTED),
        client_secret=APP.client_secret,
    )
    theirs = urlsplit(handler.get_authorization_url())
    asked = XConnector.authorize_url(app=APP, redirect_uri=BACK, state="the-state", scopes=WANTED)
    ours = urlsplit(asked.url)
    assert ours.path == theirs.path
    differs = {"state", "code_challenge"}  # each made by chance
    queries = [dict(parse_qsl(one.query)) for one in (ours, theirs)]
    assert queries[0].keys() == queries[1].keys()
    assert len({tuple(sorted((k, v) for k, v in one.items() if k not in differs)) for one in queries}) == 1

    answer(network, GIVEN | {"data": USERS[ME]})
    XConnector.exchange_code(app=APP, code="code", code_verifier=asked.code_verifier, redirect_uri=BACK)
    handler.fetch_token(f"{BACK}?code=code&state={queries[1]['state']}")
    exchanges = [
        one.request for one in network.calls if urlsplit(str(one.request.url)).path == "/2/oauth2/token"
    ]
    mine, other = (dict(parse_qsl(str(one.body))) for one in exchanges)
    assert len({urlsplit(str(one.url)).path for one in exchanges}) == 1
    assert len({one.headers["Authorization"] for one in exchanges}) == 1  # the app's name and secret
    assert {k: v for k, v in mine.items() if k != "code_verifier"}.items() <= other.items()


def test_posts_are_read_as_tweepy_reads_them(
    network: responses.RequestsMock, account: XConnector, client: tweepy.Client
) -> None:
    posts = [
        tweet("4", ME, "Good morning", names=(ANN,), edit_history_tweet_ids=["4"]),
        tweet(
            "5", ME, "こんにちは 👋", answers=("2", BOB), attachments=PICTURES, edit_history_tweet_ids=["5"]
        ),
    ]
    answer(network, page(*posts))
    ours = {one.remote_id: one for one in account.find_recent(since=SINCE)}
    theirs = client.get_users_tweets(ME, user_auth=True).data
    assert len(theirs) == len(ours) == 2
    for one in theirs:
        mine = ours[str(one.id)]
        assert (mine.text, mine.created_at) == (one.text, one.created_at)
    answered = [
        str(ref.id) for ref in theirs[1].data.get("referenced_tweets") and theirs[1].referenced_tweets
    ]
    assert [ours["5"].in_reply_to] == answered
    assert ours["5"].media_count == len(theirs[1].attachments["media_keys"])


def test_messages_are_read_as_tweepy_reads_them(
    network: responses.RequestsMock, client: tweepy.Client
) -> None:
    answer(network, page(event("21", ANN, "Are you open?"), event("22", ME, "We are")))
    ours = {one.remote_id: one for one in an_account("messages").fetch_inbox(since=SINCE).items}
    theirs = client.get_direct_message_events().data
    assert len(theirs) == len(ours) == 2
    for one in theirs:
        mine = ours[str(one.id)]
        assert (mine.text, mine.created_at, mine.author.remote_id) == (
            one.text,
            one.created_at,
            str(one.sender_id),
        )


def test_an_account_is_read_as_tweepy_reads_it(
    network: responses.RequestsMock, account: XConnector, client: tweepy.Client
) -> None:
    counts = {"followers_count": 1200, "following_count": 34, "tweet_count": 567, "listed_count": 1}
    answer(network, {"data": USERS[ANN] | {"public_metrics": counts}})
    mine = account.fetch_public_account("ann")
    theirs = client.get_user(username="ann", user_auth=True).data
    assert mine is not None
    assert (mine.profile.remote_id, mine.profile.handle) == (str(theirs.id), theirs.username)
    assert (mine.profile.display_name, mine.profile.avatar_url) == (theirs.name, theirs.profile_image_url)
    assert mine.counts.followers == theirs.public_metrics["followers_count"]
    assert mine.counts.posts == theirs.public_metrics["tweet_count"]
