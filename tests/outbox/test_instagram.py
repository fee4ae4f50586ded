"""Posts to Instagram by the real connector, on a stand-in with containers that goes wrong on any call."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AccountStatus, Brand, User
from connectors.base import MediaItem
from outbox.errors import StopReason
from outbox.models import Bucket, Delivery, DeliveryState
from outbox.payloads import MediaContent, PartContent, freeze_post
from outbox.services.scheduling import retry_delivery, schedule_delivery
from tests.cast import make_account
from tests.fake_meta import FAULTS, Answer, FakeMeta, Refused, form_of, path_of, stamp
from tests.outbox.conftest import run_until_quiet, tick
from tests.outbox.network import Clock

pytestmark = pytest.mark.django_db

API = "https://graph.instagram.com"
IG = "17841"


@dataclass
class StandIn(FakeMeta):
    """Containers that become FINISHED after some questions, posts that come of them once, and comments."""

    containers: dict[str, dict[str, Any]] = field(default_factory=dict)
    posts: list[dict[str, Any]] = field(default_factory=list)
    stories: list[dict[str, Any]] = field(default_factory=list)
    polls: int = 1
    hides_for: int = 0  # so many readings of the list do not show the latest post yet

    def register(self, mock: responses.RequestsMock) -> None:
        for method in ("GET", "POST"):
            mock.add_callback(method, re.compile(rf"{API}/.*"), self.call)

    def call(self, request: requests.PreparedRequest) -> Answer:
        path = path_of(request)
        if request.method == "POST":
            acts: dict[str, Callable[[], Any]] = {
                "media": lambda: self.make(form_of(request)),
                "media_publish": lambda: self.publish(form_of(request)["creation_id"]),
                "comments": lambda: self.comment(path[0], form_of(request)["message"]),
            }
            return self.carry_out(acts[path[1]])
        if path == [IG, "stories"]:
            return 200, {}, json.dumps({"data": self.stories[::-1]})
        if path == [IG, "media"]:
            hidden, self.hides_for = self.hides_for > 0, max(self.hides_for - 1, 0)
            return 200, {}, json.dumps({"data": self.posts[::-1][1 if hidden else 0 :]})
        return self.state(path[0])

    def make(self, form: dict[str, str]) -> dict[str, str]:
        children = form["children"].split(",") if "children" in form else []
        if any(self.containers[child]["polls"] > 0 for child in children):
            raise Refused(9007, 2207027)
        assert children or "image_url" in form or "video_url" in form
        made = self.new_id("18")
        self.containers[made] = {"polls": self.polls, "form": form, "children": children, "post": None}
        return {"id": made}

    def state(self, number: str) -> Answer:
        found = self.containers.get(number)
        if found is None:
            shown = [post for post in self.posts + self.stories if post["id"] == number]
            return (200, {}, json.dumps(shown[0])) if shown else Refused(100, 33).answer
        found["polls"] -= 1
        state = "PUBLISHED" if found["post"] else "IN_PROGRESS" if found["polls"] > 0 else "FINISHED"
        return 200, {}, json.dumps({"id": number, "status_code": state})

    def publish(self, number: str) -> dict[str, str]:
        found = self.containers[number]
        if found["post"]:
            raise Refused(24, 2207008)
        if found["polls"] > 0:
            raise Refused(9007, 2207027)
        post = {
            "id": self.new_id("17"),
            "caption": found["form"].get("caption", ""),
            "timestamp": stamp(self.clock()),
            "children": {"data": [{"id": child} for child in found["children"]]},
            "comments": {"data": []},
        }
        found["post"] = post["id"]
        is_story = found["form"].get("media_type") == "STORIES"
        (self.stories if is_story else self.posts).append(post)
        return {"id": post["id"]}

    def comment(self, number: str, text: str) -> dict[str, str]:
        post = next((one for one in self.posts if one["id"] == number), None)
        if post is None:
            raise Refused(100, 33)
        who = {"id": IG, "username": "harbour"}
        made: dict[str, Any] = {
            "id": self.new_id("178"),
            "text": text,
            "timestamp": stamp(self.clock()),
            "from": who,
        }
        post["comments"]["data"].append(made)
        return {"id": str(made["id"])}

    def comments(self) -> list[str]:
        return [one["text"] for post in self.posts for one in post["comments"]["data"]]


@pytest.fixture
def clock() -> Clock:
    """The true time: Meta's limits are told in it."""
    return Clock(dt.datetime.now(dt.UTC))


@pytest.fixture
def stand_in(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.setattr("connectors.meta.clock_now", clock)
    monkeypatch.setattr(MediaItem, "address", lambda item: f"https://smm.example.com/m/{item.key}")
    made = StandIn(clock)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        made.register(mock)
        yield made


def photo(key: str = "one") -> MediaContent:
    return MediaContent(key, f"{key}.jpg", "image/jpeg", 10, 1080, 1080, "")


@pytest.fixture
def put(brand: Brand, manager: User, clock: Clock) -> Callable[..., Delivery]:
    options = {"login": "instagram", "ig_id": IG, "username": "harbour"}
    account = make_account(
        brand, platform="instagram", credential={"access_token": "IGtoken"}, options=options
    )

    def scheduled(
        text: str = "one", *, media: int = 1, comment: str = "", placement: str = "feed"
    ) -> Delivery:
        parts = [PartContent(text, tuple(photo(f"p{n}") for n in range(media)))]
        parts += [PartContent(comment, is_comment=True)] if comment else []
        return schedule_delivery(
            account=account,
            payload=freeze_post(parts, settings={"placement": placement}),
            due_at=clock(),
            actor=manager,
            now=clock(),
        )

    return scheduled


def test_a_carousel_goes_out_with_its_first_comment(stand_in: StandIn, put: Callable[..., Delivery]) -> None:
    stand_in.polls = 3
    delivery = put("one", media=3, comment="#coffee")
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    (post,) = stand_in.posts
    assert (delivery.state, delivery.remote_id) == (DeliveryState.SENT, post["id"])
    assert len(post["children"]["data"]) == 3
    assert stand_in.comments() == ["#coffee"]


def test_a_post_that_is_not_listed_yet_is_waited_for(stand_in: StandIn, put: Callable[..., Delivery]) -> None:
    stand_in.faults = itertools.chain(["fine", "dropped after"], itertools.repeat("fine"))
    stand_in.hides_for = 3
    delivery = put("one")
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, len(stand_in.posts)) == (DeliveryState.SENT, 1)
    assert delivery.remote_id == stand_in.posts[0]["id"]


def test_a_refused_post_is_not_taken_for_another_with_the_same_words(
    stand_in: StandIn, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = put("one")
    run_until_quiet(stand_in)  # type: ignore[arg-type]

    def refused(_number: str) -> None:
        raise Refused(100)

    monkeypatch.setattr(stand_in, "publish", refused)
    second = put("one")
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    for delivery in (first, second):
        delivery.refresh_from_db()
    assert (first.state, first.remote_id) == (DeliveryState.SENT, stand_in.posts[0]["id"])
    assert (second.state, second.remote_id) == (DeliveryState.UNCERTAIN, "")


@pytest.mark.parametrize("code", [10, 100, 200])
def test_what_instagram_does_not_tell_of_a_post_is_left_to_a_person(
    stand_in: StandIn, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    stand_in.faults = itertools.chain(["fine", "dropped after"], itertools.repeat("fine"))
    state = stand_in.state

    def refusing(number: str) -> Answer:
        return Refused(code).answer if stand_in.posts else state(number)

    monkeypatch.setattr(stand_in, "state", refusing)
    delivery = put("one")
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, len(stand_in.posts)) == (DeliveryState.UNCERTAIN, 1)


def test_a_token_that_dies_between_container_and_publication_holds_the_account(
    stand_in: StandIn, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(_number: str) -> None:
        raise Refused(190, 463, status=401)

    monkeypatch.setattr(stand_in, "publish", dead)
    delivery = put("one")
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.HELD
    assert delivery.account.status == AccountStatus.NEEDS_RECONNECT
    assert stand_in.posts == []


def test_what_waited_for_longer_than_a_container_lives_is_made_again(
    stand_in: StandIn, put: Callable[..., Delivery], manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spam(_number: str) -> None:
        raise Refused(4, 2207051)

    with monkeypatch.context() as patched:
        patched.setattr(stand_in, "publish", spam)
        delivery = put("one", media=2, comment="first")
        run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.FAILED
    before = set(stand_in.containers)
    stand_in.clock.advance(25 * 3600)
    stand_in.containers.clear()
    retry_delivery(delivery=delivery, actor=manager, now=stand_in.clock())
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.SENT
    assert len(stand_in.posts) == 1
    assert len(stand_in.containers) == 3
    assert not set(stand_in.containers) & before


def test_what_is_tried_again_at_once_keeps_its_container(
    stand_in: StandIn, put: Callable[..., Delivery], manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spam(_number: str) -> None:
        raise Refused(4, 2207051)

    with monkeypatch.context() as patched:
        patched.setattr(stand_in, "publish", spam)
        delivery = put("one")
        run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    retry_delivery(delivery=delivery, actor=manager, now=stand_in.clock())
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, len(stand_in.containers)) == (DeliveryState.SENT, 1)


def test_spam_fails_and_says_so(
    stand_in: StandIn, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    def spam(_number: str) -> None:
        raise Refused(4, 2207051)

    monkeypatch.setattr(stand_in, "publish", spam)
    delivery = put("one")
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == (DeliveryState.FAILED, "forbidden")


# What Instagram does not tell apart: stories, posts without words, posts with the same ones.
EQUAL = [
    pytest.param({"text": "", "placement": "story"}, id="stories"),
    pytest.param({"text": ""}, id="wordless"),
    pytest.param({"text": "one"}, id="same words"),
]


@pytest.mark.parametrize("what", EQUAL)
@pytest.mark.parametrize(
    "faults",
    [
        ["fine", "fine", "fine", "dropped after"],
        ["fine", "dropped after"],
        ["fine", "dropped after", "fine", "dropped after"],
        ["fine", "fine", "fine", "broken before", "dropped after"],
    ],
)
@pytest.mark.parametrize("apart_s", [0, 20])
def test_of_two_equal_posts_each_goes_out_once(
    stand_in: StandIn, put: Callable[..., Delivery], what: dict[str, str], faults: list[str], apart_s: int
) -> None:
    stand_in.faults = itertools.chain(faults, itertools.repeat("fine"))
    first = put(**what)
    if apart_s:
        for _second in range(apart_s):
            tick(stand_in)  # type: ignore[arg-type]
            stand_in.clock.advance(1)
    second = put(**what)
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    for delivery in (first, second):
        delivery.refresh_from_db()
        assert delivery.state == DeliveryState.SENT
    made = [one["id"] for one in stand_in.stories + stand_in.posts]
    assert sorted((first.remote_id, second.remote_id)) == sorted(made)
    if apart_s:
        assert [first.remote_id, second.remote_id] == made


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(faults=st.lists(st.sampled_from(FAULTS), max_size=6), polls=st.integers(0, 2))
def test_a_story_appears_once_or_a_person_is_asked(
    stand_in: StandIn, put: Callable[..., Delivery], clock: Clock, faults: list[str], polls: int
) -> None:
    Delivery.objects.all().delete()
    Bucket.objects.all().delete()
    clock.now = dt.datetime.now(dt.UTC)
    stand_in.stories.clear()
    stand_in.polls, stand_in.faults = polls, itertools.chain(faults, itertools.repeat("fine"))
    delivery = put("", placement="story")
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert len(stand_in.stories) <= 1
    assert delivery.state in (DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.MISSED)
    if delivery.state == DeliveryState.SENT:
        assert delivery.remote_id == stand_in.stories[0]["id"]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    faults=st.lists(st.sampled_from(FAULTS), max_size=9),
    polls=st.integers(0, 2),
    media=st.integers(1, 2),
    hides_for=st.integers(0, 2),
)
def test_whatever_instagram_does_each_post_appears_once_or_a_person_is_asked(
    stand_in: StandIn,
    put: Callable[..., Delivery],
    clock: Clock,
    faults: list[str],
    polls: int,
    media: int,
    hides_for: int,
) -> None:
    Delivery.objects.all().delete()
    Bucket.objects.all().delete()
    clock.now = dt.datetime.now(dt.UTC)
    stand_in.posts.clear()
    stand_in.containers.clear()
    stand_in.polls, stand_in.hides_for = polls, hides_for
    stand_in.faults = itertools.chain(faults, itertools.repeat("fine"))
    delivery = put("one", media=media, comment="first")
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert len(stand_in.posts) <= 1
    assert len(stand_in.comments()) <= 1
    assert delivery.state in (DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.MISSED)
    if delivery.state == DeliveryState.SENT:
        assert [post["caption"] for post in stand_in.posts] == ["one"]
        assert stand_in.comments() == ["first"]
        assert delivery.remote_id == stand_in.posts[0]["id"]
    if delivery.state == DeliveryState.UNCERTAIN:
        assert delivery.error in (StopReason.NOT_FOUND_AFTERWARDS, StopReason.OUTCOME_UNKNOWN)
