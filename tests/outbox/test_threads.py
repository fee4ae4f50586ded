"""Posts to Threads by the real connector, on a stand-in that has its containers."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.connecting import connector_for
from accounts.models import AccountStatus, Brand, SocialAccount, User
from connectors import meta
from connectors.base import Connector, MediaItem, ReplyTarget
from connectors.errors import RejectReason
from connectors.threads_info import INFO
from outbox import payloads
from outbox.models import Bucket, Delivery, DeliveryKind, DeliveryState
from outbox.payloads import MediaContent, PartContent, freeze_post, freeze_reply
from outbox.services.scheduling import retry_delivery, schedule_delivery
from tests.cast import make_account
from tests.outbox.conftest import run_until_quiet, tick
from tests.outbox.network import Clock

pytestmark = pytest.mark.django_db

API = "https://graph.threads.net/v1.0"
FAULTS = ("fine", "dropped after", "dropped before", "broken after", "broken before", "wait", "html", "late")
Answer = tuple[int, dict[str, str], str]


def error(code: int, status: int = 400, **more: Any) -> Answer:
    return status, {}, json.dumps({"error": {"message": "no", "code": code, **more}})


@dataclass
class Container:
    form: dict[str, str]
    made_at: dt.datetime
    looks: int = 0  # so often it is not done yet
    is_published: bool = False
    lies: int = 0  # so often its state is told too late


@dataclass
class StandIn:
    clock: Clock
    containers: dict[str, Container] = field(default_factory=dict)
    posts: list[dict[str, Any]] = field(default_factory=list)
    faults: Iterator[str] = field(default_factory=lambda: itertools.repeat("fine"))
    broken_files: bool = False
    refusal: int = 0  # the code that the own posts are kept from us with
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(100))

    def connector(self, account: SocialAccount) -> Connector:
        return connector_for(account)

    def register(self, mock: responses.RequestsMock) -> None:
        mock.add_callback("POST", f"{API}/me/threads", self.make)
        mock.add_callback("POST", f"{API}/me/threads_publish", self.publish)
        mock.add_callback("GET", re.compile(rf"{API}/me/(threads|replies)"), self.own)
        mock.add_callback("GET", re.compile(rf"{API}/\d+"), self.state)

    def make(self, request: requests.PreparedRequest) -> Answer:
        form = dict(parse_qsl(str(request.body or ""), keep_blank_values=True))
        children = form.get("children", "").split(",") if form.get("children") else []
        if any(self.state_of(self.containers[child]) != "FINISHED" for child in children):
            return error(100)
        made = str(next(self.ids))
        looks = 0 if form["media_type"] == "TEXT" else 2
        self.containers[made] = Container(form, self.clock(), looks)
        return 200, {}, json.dumps({"id": made})

    def state_of(self, container: Container) -> str:
        if container.is_published and not container.lies:
            return "PUBLISHED"
        if self.clock() - container.made_at > dt.timedelta(hours=24):
            return "EXPIRED"
        if container.looks:
            return "IN_PROGRESS"
        return "ERROR" if self.broken_files and container.form["media_type"] != "TEXT" else "FINISHED"

    def state(self, request: requests.PreparedRequest) -> Answer:
        container = self.containers.get(urlsplit(str(request.url)).path.rpartition("/")[2])
        if container is None:
            return error(100, error_subcode=33)
        told = {"status": self.state_of(container), "error_message": "FAILED_DOWNLOADING_VIDEO"}
        container.looks, container.lies = max(container.looks - 1, 0), max(container.lies - 1, 0)
        return 200, {}, json.dumps(told)

    def publish(self, request: requests.PreparedRequest) -> Answer:
        fault = next(self.faults)
        if fault == "dropped before":
            raise requests.ConnectTimeout
        if fault == "broken before":
            return error(1, 500, is_transient=True)
        if fault == "wait":
            return error(32)
        container = self.containers[dict(parse_qsl(str(request.body or "")))["creation_id"]]
        if container.is_published or self.state_of(container) != "FINISHED":
            return error(100)
        container.is_published = True
        post = {
            "id": str(next(self.ids)),
            "text": container.form.get("text", ""),
            "media_type": {"TEXT": "TEXT_POST"}.get(
                container.form["media_type"], container.form["media_type"]
            ),
            "timestamp": f"{self.clock():%Y-%m-%dT%H:%M:%S}+0000",
            "children": {"data": [{"id": one} for one in container.form.get("children", "").split(",")]},
        }
        if answered := container.form.get("reply_to_id"):
            post["replied_to"] = {"id": answered}
        self.posts.append(post)
        if fault == "late":
            container.lies = 2
        if fault in {"dropped after", "late"}:
            raise requests.ConnectionError(ConnectionResetError())
        if fault == "broken after":
            return 502, {}, "oops"
        return (200, {}, "<html>") if fault == "html" else (200, {}, json.dumps({"id": post["id"]}))

    def own(self, request: requests.PreparedRequest) -> Answer:
        if self.refusal:
            return error(self.refusal)
        (since,) = parse_qs(urlsplit(str(request.url)).query)["since"]
        replies = "replies" in str(request.url)
        listed = [
            post
            for post in self.posts
            if ("replied_to" in post) == replies
            and dt.datetime.fromisoformat(post["timestamp"]).timestamp() >= int(since)
        ]
        return 200, {}, json.dumps({"data": listed[::-1]})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock(dt.datetime.now(dt.UTC))
    monkeypatch.setattr(meta, "clock_now", made)
    return made


@pytest.fixture
def stand_in(clock: Clock) -> Iterator[StandIn]:
    made = StandIn(clock)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        made.register(mock)
        yield made


@pytest.fixture
def public_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files can be fetched from outside."""
    thawed = payloads._media_item

    def item(media: dict[str, Any], served_days: int) -> MediaItem:
        return dataclasses.replace(
            thawed(media, served_days), public_url=lambda: "https://smm.example.com/a.png"
        )

    monkeypatch.setattr(payloads, "_media_item", item)


@pytest.fixture
def threads_account(brand: Brand) -> SocialAccount:
    options = {"user_id": "1", "username": "harbour", "scopes": list(INFO.scopes)}
    return make_account(brand, platform="threads", options=options)


@pytest.fixture
def put(threads_account: SocialAccount, manager: User, clock: Clock) -> Callable[..., Delivery]:
    def scheduled(*parts: PartContent, reply_to: str = "") -> Delivery:
        target = ReplyTarget(reply_to)
        return schedule_delivery(
            account=threads_account,
            payload=freeze_reply(parts[0].text, target) if reply_to else freeze_post([*parts]),
            due_at=clock(),
            actor=manager,
            now=clock(),
            kind=DeliveryKind.REPLY if reply_to else DeliveryKind.POST,
        )

    return scheduled


def files(count: int) -> tuple[MediaContent, ...]:
    return tuple(MediaContent(f"a{n}", f"{n}.png", "image/png", 10, 1, 1, "alt") for n in range(count))


def state_of(delivery: Delivery) -> tuple[str, str]:
    delivery.refresh_from_db()
    return delivery.state, delivery.error


def shape(stand_in: StandIn) -> list[tuple[str, str]]:
    """Texts, and the text of what each answers."""
    by_id = {post["id"]: post["text"] for post in stand_in.posts}
    return [
        (post["text"], by_id.get(post.get("replied_to", {}).get("id", ""), "")) for post in stand_in.posts
    ]


THREAD = (PartContent("one"), PartContent("two"), PartContent("link", is_comment=True))


def test_a_thread_with_a_carousel_and_a_first_comment_goes_out(
    stand_in: StandIn, put: Callable[..., Delivery], public_files: None
) -> None:
    delivery = put(PartContent("one", media=files(2)), *THREAD[1:])
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    assert state_of(delivery) == (DeliveryState.SENT, "")
    assert shape(stand_in) == [("one", ""), ("two", "one"), ("link", "one")]
    assert stand_in.posts[0]["media_type"] == "CAROUSEL"


def test_a_reply_whose_answer_was_lost_is_one_reply(stand_in: StandIn, put: Callable[..., Delivery]) -> None:
    stand_in.faults = iter(["dropped after"])
    delivery = put(PartContent("Thanks"), reply_to="8901234")
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    assert state_of(delivery)[0] == DeliveryState.SENT
    assert [post["replied_to"] for post in stand_in.posts] == [{"id": "8901234"}]
    assert delivery.remote_id == stand_in.posts[0]["id"]


@pytest.mark.parametrize("code", [10, 100, 200])
def test_what_threads_does_not_tell_of_a_post_is_left_to_a_person(
    stand_in: StandIn, put: Callable[..., Delivery], code: int
) -> None:
    stand_in.faults, stand_in.refusal = itertools.chain(["dropped after"], itertools.repeat("fine")), code
    delivery = put(PartContent("one"))
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    assert state_of(delivery)[0] == DeliveryState.UNCERTAIN
    assert shape(stand_in) == [("one", "")]


def test_a_state_that_is_late_makes_no_second_post_and_no_failure(
    stand_in: StandIn, put: Callable[..., Delivery]
) -> None:
    stand_in.faults = iter(["late"])
    delivery = put(PartContent("one"))
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    assert state_of(delivery)[0] == DeliveryState.SENT
    assert shape(stand_in) == [("one", "")]


def test_a_refused_post_is_not_taken_for_another_with_the_same_words(
    stand_in: StandIn, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = put(PartContent("one"))
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        monkeypatch.setattr(stand_in, "publish", lambda _request: error(100))
        stand_in.register(mock)
        second = put(PartContent("one"))
        run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    assert (state_of(first)[0], first.remote_id) == (DeliveryState.SENT, stand_in.posts[0]["id"])
    assert (state_of(second)[0], second.remote_id) == (DeliveryState.UNCERTAIN, "")
    assert len(stand_in.posts) == 1


@pytest.mark.parametrize(
    "faults",
    [["fine", "dropped after"], ["dropped after"], ["dropped after", "dropped after"], ["late", "late"]],
)
@pytest.mark.parametrize(("text", "images"), [("one", 0), ("", 1)], ids=["same words", "wordless"])
def test_of_two_equal_posts_each_goes_out_once(
    stand_in: StandIn,
    put: Callable[..., Delivery],
    public_files: None,
    faults: list[str],
    text: str,
    images: int,
) -> None:
    stand_in.faults = itertools.chain(faults, itertools.repeat("fine"))
    both = [put(PartContent(text, media=files(images))) for _each in range(2)]
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    assert [state_of(one)[0] for one in both] == [DeliveryState.SENT, DeliveryState.SENT]
    assert sorted(one.remote_id for one in both) == [post["id"] for post in stand_in.posts]


def test_a_file_that_threads_cannot_fetch_fails_with_its_words(
    stand_in: StandIn, put: Callable[..., Delivery], public_files: None
) -> None:
    stand_in.broken_files = True
    delivery = put(PartContent("one", media=files(1)))
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    assert state_of(delivery) == (DeliveryState.FAILED, RejectReason.MEDIA_NOT_PUBLIC)
    assert stand_in.posts == []


def test_a_container_that_ended_while_the_account_was_lost_is_made_anew(
    stand_in: StandIn, put: Callable[..., Delivery], manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = [error(190)]
    publish = stand_in.publish

    def once_refused(request: requests.PreparedRequest) -> Answer:
        return refused.pop() if refused else publish(request)

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        monkeypatch.setattr(stand_in, "publish", once_refused)
        stand_in.register(mock)
        delivery = put(PartContent("one"))
        tick(stand_in)  # type: ignore[arg-type]
        assert state_of(delivery)[0] == DeliveryState.HELD
        assert delivery.account.status == AccountStatus.NEEDS_RECONNECT
        stand_in.clock.advance(25 * 3600)
        SocialAccount.objects.update(status=AccountStatus.ACTIVE)
        delivery.account.refresh_from_db()
        Delivery.objects.update(missed_after_s=7 * 24 * 3600)
        run_until_quiet(stand_in)  # type: ignore[arg-type]
        if state_of(delivery)[0] != DeliveryState.SENT:
            retry_delivery(delivery=delivery, actor=manager, now=stand_in.clock())
            run_until_quiet(stand_in)  # type: ignore[arg-type]
    assert state_of(delivery) == (DeliveryState.SENT, "")
    assert shape(stand_in) == [("one", "")]
    assert len(stand_in.containers) == 2


def test_a_container_that_ended_while_its_outcome_was_unknown_is_made_anew(
    stand_in: StandIn, put: Callable[..., Delivery]
) -> None:
    stand_in.faults = iter(["broken before", *["fine"] * 9])
    delivery = put(PartContent("one"))
    tick(stand_in)  # type: ignore[arg-type]
    stand_in.clock.advance(25 * 3600)
    Delivery.objects.update(missed_after_s=7 * 24 * 3600)
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    assert state_of(delivery) == (DeliveryState.SENT, "")
    assert shape(stand_in) == [("one", "")]
    assert len(stand_in.containers) == 2


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(faults=st.lists(st.sampled_from(FAULTS), max_size=6), images=st.sampled_from([0, 1, 2]))
def test_whatever_threads_does_each_post_appears_once_or_a_person_is_asked(
    stand_in: StandIn,
    put: Callable[..., Delivery],
    clock: Clock,
    public_files: None,
    faults: list[str],
    images: int,
) -> None:
    Delivery.objects.all().delete()
    Bucket.objects.all().delete()
    clock.now = dt.datetime.now(dt.UTC)
    stand_in.posts.clear()
    stand_in.containers.clear()
    stand_in.faults = itertools.chain(faults, itertools.repeat("fine"))
    delivery = put(PartContent("one", media=files(images)), *THREAD[1:])
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    state, _error = state_of(delivery)
    texts = [post["text"] for post in stand_in.posts]
    assert len(texts) == len(set(texts))
    assert state in (DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.MISSED)
    if state == DeliveryState.SENT:
        assert shape(stand_in) == [("one", ""), ("two", "one"), ("link", "one")]
    elif state == DeliveryState.MISSED:
        assert texts == []
