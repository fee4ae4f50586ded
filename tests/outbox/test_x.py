"""Posts to X by the real connector, on a stand-in that does to them what a network can do."""

from __future__ import annotations

import datetime as dt
import html
import itertools
import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.connecting import connector_for
from accounts.models import AccountStatus, Brand, SocialAccount, User
from connectors.base import Connector
from outbox.errors import StopReason
from outbox.models import Bucket, Delivery, DeliveryState
from outbox.payloads import MediaContent, PartContent, freeze_post
from outbox.services.scheduling import schedule_delivery
from tests.cast import make_account
from tests.outbox.conftest import run_until_quiet, tick
from tests.outbox.network import Clock

pytestmark = pytest.mark.django_db

API = "https://api.x.com"
FAULTS = ("fine", "dropped after", "dropped before", "broken after", "broken before", "wait", "no credits")


@dataclass
class StandIn:
    """X as far as a post needs it: it refuses words that it has, and goes wrong as it is told."""

    clock: Clock
    posts: list[dict[str, Any]] = field(default_factory=list)
    faults: Iterator[str] = field(default_factory=lambda: itertools.repeat("fine"))
    asked: int = 0
    uploads: int = 0
    refuses_repeats: bool = True

    def connector(self, account: SocialAccount) -> Connector:
        return connector_for(account)

    def register(self, mock: responses.RequestsMock) -> None:
        mock.add_callback("POST", f"{API}/2/tweets", self.post)
        mock.add_callback("POST", f"{API}/2/media/upload/initialize", self.upload)
        mock.add("POST", re.compile(rf"{API}/2/media/upload/m\d+/append"), json={})
        mock.add("POST", re.compile(rf"{API}/2/media/upload/m\d+/finalize"), json={"data": {"size": 7}})
        mock.add("POST", f"{API}/2/media/metadata", json={"data": {}})
        mock.add_callback("GET", f"{API}/2/users/1/tweets", self.own)
        mock.add_callback("GET", re.compile(rf"{API}/2/tweets/\d+"), self.one)

    def post(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        self.asked += 1
        fault = next(self.faults)
        if fault == "dropped before":
            raise requests.ConnectTimeout
        if fault == "broken before":
            return 503, {}, json.dumps({"title": "Service Unavailable"})
        if fault == "no credits":
            return 402, {}, json.dumps({"title": "CreditsDepleted"})
        if fault == "wait":
            at = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=2)
            return 429, {"x-rate-limit-reset": f"{at.timestamp():.0f}", "x-rate-limit-remaining": "0"}, "{}"
        said = json.loads(request.body or "")
        if self.refuses_repeats and as_shown(said["text"])["text"] in [post["text"] for post in self.posts]:
            return (
                403,
                {},
                json.dumps({"detail": "You are not allowed to create a Tweet with duplicate content."}),
            )
        answered = said.get("reply", {}).get("in_reply_to_tweet_id")
        made = {
            "id": str(100 + len(self.posts)),
            "created_at": self.clock().isoformat(),
            **as_shown(said["text"]),
            **({"media": said["media"]} if "media" in said else {}),
        }
        if answered:
            made["referenced_tweets"] = [{"type": "replied_to", "id": answered}]
        self.posts.append(made)
        if fault == "dropped after":
            raise requests.ConnectionError(ConnectionResetError())
        if fault == "broken after":
            return 500, {}, "oops"
        return 201, {}, json.dumps({"data": {"id": made["id"], "text": said["text"]}})

    def upload(self, _request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        self.uploads += 1
        made = {"id": f"m{self.uploads}", "expires_after_secs": 86400}
        return 200, {}, json.dumps({"data": made})

    def own(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        since = dict(parse_qsl(urlsplit(str(request.url)).query))["start_time"]
        recent = [p for p in self.posts if dt.datetime.fromisoformat(p["created_at"]) >= instant(since)]
        return 200, {}, json.dumps({"data": recent[::-1], "meta": {"result_count": len(recent)}})

    def one(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        number = urlsplit(str(request.url)).path.rsplit("/", 1)[1]
        found = [post for post in self.posts if post["id"] == number]
        return (200, {}, json.dumps({"data": found[0]})) if found else (404, {}, "{}")


def as_shown(words: str) -> dict[str, Any]:
    """As X shows words: each address as one of t.co, the whole one beside them, three characters escaped."""
    urls: list[dict[str, str]] = []

    def shorten(link: re.Match[str]) -> str:
        short = f"https://t.co/{zlib.crc32(link[0].encode()):010d}"
        whole = link[0] if "://" in link[0] else f"http://{link[0]}"
        urls.append({"url": short, "expanded_url": whole, "display_url": link[0].partition("://")[2]})
        return short

    text = re.sub(r"(?:https?://)?\b[\w.-]+\.(?:com|coffee|co\.jp)\b(?:/[\x21-\x7e]*)?", shorten, words)
    shown: dict[str, Any] = {"text": html.escape(text, quote=False)}
    return {**shown, "entities": {"urls": urls}} if urls else shown


def instant(stated: str) -> dt.datetime:
    return dt.datetime.fromisoformat(stated)


@pytest.fixture
def clock() -> Clock:
    """The true time: X says in it when it may be asked again."""
    return Clock(dt.datetime.now(dt.UTC))


@pytest.fixture
def stand_in(clock: Clock) -> Iterator[StandIn]:
    made = StandIn(clock)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        made.register(mock)
        yield made


@pytest.fixture
def put(brand: Brand, manager: User, clock: Clock) -> Callable[..., Delivery]:
    secret = {
        "access_token": "t",
        "extra": {"consumer_key": "k", "consumer_secret": "s", "token_secret": "x"},
    }
    options = {"user_id": "1", "username": "harbour"}
    account = make_account(brand, platform="x", credential=secret, options=options)

    def scheduled(*parts: str | PartContent) -> Delivery:
        return schedule_delivery(
            account=account,
            payload=freeze_post([PartContent(one) if isinstance(one, str) else one for one in parts]),
            due_at=clock(),
            actor=manager,
            now=clock(),
        )

    return scheduled


def test_a_thread_goes_out_and_is_linked(stand_in: StandIn, put: Callable[..., Delivery]) -> None:
    delivery = put("one", "two")
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.permalink) == (DeliveryState.SENT, "https://x.com/harbour/status/100")
    assert stand_in.posts[1]["referenced_tweets"] == [{"type": "replied_to", "id": "100"}]


@pytest.mark.parametrize(
    "words",
    [
        "Sale: https://example.com/sale?a=1&copy=2&region=jp&currency=yen&section=3",
        "Sale at example.com/sale today",
        "example.coffee",
        "example.co.jp/店です",
        "Beans & milk <3 at example.com: 3 > 2, “&amp;”",
        "The photo: https://x.com/harbour/status/12/photo/1",
        "Example.com/Sale and https://example.com/?x=&lt",
    ],
)
def test_a_post_with_an_address_that_was_not_confirmed_is_found(
    stand_in: StandIn, put: Callable[..., Delivery], words: str
) -> None:
    """Without the words that X refuses: nothing but our look keeps it from going out twice."""
    stand_in.faults = itertools.chain(["dropped after"], itertools.repeat("fine"))
    stand_in.refuses_repeats = False
    delivery = put(words)
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.remote_id, len(stand_in.posts)) == (DeliveryState.SENT, "100", 1)


@pytest.mark.parametrize(("after_hours", "named"), [(2, "m1"), (48, "m2")])
def test_an_upload_that_has_expired_is_made_anew(
    stand_in: StandIn,
    put: Callable[..., Delivery],
    settings: Any,
    tmp_path: Path,
    after_hours: int,
    named: str,
) -> None:
    settings.MEDIA_ROOT = tmp_path
    name = default_storage.save("cup.png", ContentFile(b"picture"))
    stand_in.faults = iter(["no credits", *["fine"] * 9])
    delivery = put(PartContent("one", media=(MediaContent("a", name, "image/png", 7, 10, 10, "A cup"),)))
    tick(stand_in)  # type: ignore[arg-type]
    Delivery.objects.update(missed_after_s=7 * 24 * 3600)
    stand_in.clock.advance(after_hours * 3600)
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, stand_in.asked) == (DeliveryState.SENT, 2)
    assert [post["media"]["media_ids"] for post in stand_in.posts] == [[named]]


def test_a_person_is_asked_about_words_that_the_account_said_before(
    stand_in: StandIn, put: Callable[..., Delivery]
) -> None:
    """X does not say which post it means: it may be ours."""
    before = stand_in.clock() - dt.timedelta(days=2)
    stand_in.posts.append({"id": "1", "text": "one", "created_at": before.isoformat()})
    delivery = put("one")
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == (DeliveryState.UNCERTAIN, StopReason.NOT_FOUND_AFTERWARDS)


def test_keys_that_were_taken_back_hold_the_account(
    stand_in: StandIn, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal: Any = (401, {}, json.dumps({"title": "Unauthorized"}))
    monkeypatch.setattr(stand_in, "post", lambda _request: refusal)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        stand_in.register(mock)
        delivery = put("one")
        run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.HELD
    assert delivery.account.status == AccountStatus.NEEDS_RECONNECT


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(faults=st.lists(st.sampled_from(FAULTS), max_size=5))
def test_whatever_x_does_each_post_appears_once_or_a_person_is_asked(
    stand_in: StandIn, put: Callable[..., Delivery], clock: Clock, faults: list[str]
) -> None:
    Delivery.objects.all().delete()
    Bucket.objects.all().delete()
    clock.now = dt.datetime.now(dt.UTC)
    stand_in.posts.clear()
    stand_in.faults = itertools.chain(faults, itertools.repeat("fine"))
    delivery = put("one", "two")
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    texts = [post["text"] for post in stand_in.posts]
    assert len(texts) == len(set(texts))
    assert delivery.state in (DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.MISSED)
    if delivery.state == DeliveryState.SENT:
        assert texts == ["one", "two"]
