"""Posts to a Facebook Page by the real connector, on a stand-in that makes posts unpublished, publishes them
by their ids, refuses words that were just said, and goes wrong on any call."""

from __future__ import annotations

import datetime as dt
import io
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
from connectors.base import ReplyTarget
from outbox.models import Bucket, Delivery, DeliveryKind, DeliveryState
from outbox.payloads import MediaContent, PartContent, freeze_post, freeze_reply
from outbox.services.scheduling import schedule_delivery
from tests.cast import make_account
from tests.fake_meta import FAULTS, Answer, FakeMeta, Refused, form_of, path_of, stamp
from tests.outbox.conftest import run_until_quiet
from tests.outbox.network import Clock

pytestmark = pytest.mark.django_db

PAGE = "1001"
HOSTS = r"https://(?:graph|graph-video|rupload)\.facebook\.com/.*"


@dataclass
class StandIn(FakeMeta):
    """Posts, videos and comments of one Page. ``harmless``: publishing twice is taken, else it is refused."""

    posts: dict[str, dict[str, Any]] = field(default_factory=dict)
    videos: dict[str, dict[str, Any]] = field(default_factory=dict)
    comments: list[dict[str, Any]] = field(default_factory=list)
    stories: list[dict[str, Any]] = field(default_factory=list)
    has_archive: bool = True  # without one the Page does not list its stories
    harmless: bool = True
    polls: int = 1

    def register(self, mock: responses.RequestsMock) -> None:
        for method in ("GET", "POST"):
            mock.add_callback(method, re.compile(HOSTS), self.call)

    def call(self, request: requests.PreparedRequest) -> Answer:
        if "rupload" in str(request.url):
            return self.carry_out(lambda: {"success": True})
        path = path_of(request)
        if request.method == "GET":
            return self.read(path)
        form = form_of(request)
        acts: dict[str, Callable[[], Any]] = {
            "feed": lambda: self.make(form),
            "photos": lambda: {"id": self.new_id("31")},
            "video_reels": lambda: self.reel(form),
            "photo_stories": lambda: self.story(form["photo_id"]),
            "comments": lambda: self.comment(path[0], form["message"]),
        }
        return self.carry_out(acts[path[1]] if len(path) > 1 else lambda: self.publish(path[0]))

    def make(self, form: dict[str, str]) -> dict[str, str]:
        number = self.new_id(f"{PAGE}_")
        self.posts[number] = {"message": form["message"], "is_published": form["published"] == "true"}
        return {"id": number}

    def publish(self, number: str) -> dict[str, bool]:
        post = self.posts[number]
        if post["is_published"]:
            if not self.harmless:
                raise Refused(100)
            return {"success": True}
        if post["message"] in [one["message"] for one in self.posts.values() if one["is_published"]]:
            raise Refused(506)
        post |= {"is_published": True, "created_time": stamp(self.clock())}
        return {"success": True}

    def reel(self, form: dict[str, str]) -> dict[str, Any]:
        if form["upload_phase"] == "start":
            number = self.new_id("77")
            self.videos[number] = {"post": "", "polls": self.polls}
            return {
                "video_id": number,
                "upload_url": f"https://rupload.facebook.com/video-upload/v25.0/{number}",
            }
        video = self.videos[form["video_id"]]
        if video["post"]:
            raise Refused(6000)
        number = self.new_id(f"{PAGE}_")
        video["post"] = number
        self.posts[number] = {
            "message": form["description"],
            "is_published": True,
            "created_time": stamp(self.clock()),
        }
        return {"success": True}

    def story(self, photo: str) -> dict[str, Any]:
        made = {"post_id": self.new_id("44"), "media_id": photo, "creation_time": self.clock().timestamp()}
        self.stories.append(made)
        return {"success": True, "post_id": made["post_id"]}

    def comment(self, number: str, text: str) -> dict[str, str]:
        assert number.startswith("88") or self.posts[number]["is_published"]
        made: dict[str, Any] = {
            "id": self.new_id("99_"),
            "message": text,
            "created_time": stamp(self.clock()),
            "from": {"id": PAGE, "name": "Harbour Coffee"},
            "below": number,
        }
        self.comments.append(made)
        return {"id": str(made["id"])}

    def read(self, path: list[str]) -> Answer:
        if path == [PAGE, "published_posts"]:
            rows = [self.shown(number) for number, post in self.posts.items() if post["is_published"]]
            return 200, {}, json.dumps({"data": rows[::-1]})
        if path == [PAGE, "stories"]:
            return 200, {}, json.dumps({"data": self.stories if self.has_archive else []})
        if path[-1] == "comments":
            return 200, {}, json.dumps({"data": self.below(path[0])})
        if video := self.videos.get(path[0]):
            processing = publishing = "not_started"
            if video["post"]:  # it is worked on before it says that it is being published
                video["polls"] -= 1
                processing = "complete" if video["polls"] <= 1 else "in_progress"
                publishing = {0: "complete", 1: "in_progress"}.get(max(video["polls"], 0), "not_started")
            status = {"processing_phase": {"status": processing}, "publishing_phase": {"status": publishing}}
            return 200, {}, json.dumps({"status": status, "post_id": video["post"]})
        return 200, {}, json.dumps(self.shown(path[0]))

    def shown(self, number: str) -> dict[str, Any]:
        return {"id": number, **self.posts[number], "comments": {"data": self.below(number)}}

    def below(self, number: str) -> list[dict[str, Any]]:
        return [one for one in self.comments if one["below"] == number]

    def published(self) -> list[str]:
        return [one["message"] for one in self.posts.values() if one["is_published"]]


@pytest.fixture
def clock() -> Clock:
    """The true time: Meta's limits are told in it."""
    return Clock(dt.datetime.now(dt.UTC))


@pytest.fixture
def stand_in(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.setattr("outbox.payloads._open_media", lambda _key: io.BytesIO(b"file"))
    monkeypatch.setattr("connectors.meta.clock_now", clock)
    made = StandIn(clock)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        made.register(mock)
        yield made


MEDIA = {
    "text": (),
    "photos": tuple(
        MediaContent(key, f"{key}.jpg", "image/jpeg", 10, 1080, 1080, "") for key in ("one", "two")
    ),
    "photo": (MediaContent("one", "one.jpg", "image/jpeg", 10, 1080, 1920, ""),),
    "reel": (MediaContent("v", "v.mp4", "video/mp4", 10, 1080, 1920, "", 20.0, 30.0),),
}


@pytest.fixture
def put(brand: Brand, manager: User, clock: Clock) -> Callable[..., Delivery]:
    options = {"page_id": PAGE, "name": "Harbour Coffee"}
    account = make_account(
        brand, platform="facebook", credential={"access_token": "EAtoken"}, options=options
    )

    def scheduled(
        text: str = "one",
        *,
        kind: str = "text",
        comment: str = "",
        answers: str = "",
        placement: str = "feed",
    ) -> Delivery:
        parts = [PartContent(text, MEDIA[kind])]
        parts += [PartContent(comment, is_comment=True)] if comment else []
        payload = (
            freeze_reply(text, ReplyTarget(answers))
            if answers
            else freeze_post(parts, settings={"placement": placement})
        )
        return schedule_delivery(
            account=account,
            payload=payload,
            due_at=clock(),
            actor=manager,
            now=clock(),
            kind=DeliveryKind.REPLY if answers else DeliveryKind.POST,
        )

    return scheduled


@pytest.mark.parametrize("kind", sorted(MEDIA))
def test_a_post_goes_out_with_its_first_comment(
    stand_in: StandIn, put: Callable[..., Delivery], kind: str
) -> None:
    stand_in.polls = 3
    delivery = put("one", kind=kind, comment="#coffee")
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    (number,) = stand_in.posts
    assert (delivery.state, delivery.remote_id) == (DeliveryState.SENT, number)
    assert [(one["message"], one["below"]) for one in stand_in.comments] == [("#coffee", number)]


def test_a_person_is_asked_about_words_that_the_page_said_before(
    stand_in: StandIn, put: Callable[..., Delivery]
) -> None:
    before = stand_in.clock() - dt.timedelta(days=2)
    stand_in.posts["1001_1"] = {"message": "one", "is_published": True, "created_time": stamp(before)}
    delivery = put("one")
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.UNCERTAIN
    assert stand_in.published() == ["one"]


def test_a_token_that_dies_between_post_and_publication_holds_the_account(
    stand_in: StandIn, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(_number: str) -> None:
        raise Refused(190, 460, status=401)

    monkeypatch.setattr(stand_in, "publish", dead)
    delivery = put("one")
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.HELD
    assert delivery.account.status == AccountStatus.NEEDS_RECONNECT
    assert stand_in.published() == []


@pytest.mark.parametrize("polls", [2, 3, 4, 6, 9])
def test_a_reel_that_is_worked_on_for_long_is_not_called_failed(
    stand_in: StandIn, put: Callable[..., Delivery], polls: int
) -> None:
    """The end of the upload is taken, its answer lost, and refused the second time; no post is told yet."""
    stand_in.polls = polls
    stand_in.faults = itertools.chain(["fine", "fine", "dropped after"], itertools.repeat("fine"))
    delivery = put("one", kind="reel")
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    (number,) = stand_in.posts
    assert (delivery.state, delivery.remote_id) == (DeliveryState.SENT, number)


def test_a_reel_that_is_refused_from_the_start_fails_and_says_why(
    stand_in: StandIn, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    reel = stand_in.reel

    def refusing(form: dict[str, str]) -> dict[str, Any]:
        if form["upload_phase"] == "finish":
            raise Refused(6000)
        return reel(form)

    monkeypatch.setattr(stand_in, "reel", refusing)
    delivery = put("one", kind="reel")
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == (DeliveryState.FAILED, "invalid")


def test_a_reel_that_is_refused_after_an_unknown_outcome_is_left_to_a_person(
    stand_in: StandIn, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its state stays as it was before: that may be late, and the refusal may mean that it is out."""
    stand_in.faults = itertools.chain(["fine", "fine", "dropped after"], itertools.repeat("fine"))
    not_begun = {"status": {"processing_phase": {"status": "not_started"}}}
    read = stand_in.read

    def late(path: list[str]) -> Answer:
        return (200, {}, json.dumps(not_begun)) if path[0] in stand_in.videos else read(path)

    monkeypatch.setattr(stand_in, "read", late)
    delivery = put("one", kind="reel")
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, stand_in.published()) == (DeliveryState.UNCERTAIN, ["one"])


@pytest.mark.parametrize("code", [10, 100, 200])
def test_what_facebook_does_not_tell_of_a_reel_is_left_to_a_person(
    stand_in: StandIn, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    stand_in.faults = itertools.chain(["fine", "fine", "dropped after"], itertools.repeat("fine"))
    read = stand_in.read

    def refusing(path: list[str]) -> Answer:
        return Refused(code).answer if stand_in.published() else read(path)

    monkeypatch.setattr(stand_in, "read", refusing)
    delivery = put("one", kind="reel")
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, stand_in.published()) == (DeliveryState.UNCERTAIN, ["one"])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    faults=st.lists(st.sampled_from(FAULTS), max_size=9),
    kind=st.sampled_from(sorted(MEDIA)),
    harmless=st.booleans(),
    polls=st.integers(0, 6),
)
def test_whatever_facebook_does_each_post_appears_once_or_a_person_is_asked(
    stand_in: StandIn,
    put: Callable[..., Delivery],
    clock: Clock,
    faults: list[str],
    kind: str,
    harmless: bool,
    polls: int,
) -> None:
    Delivery.objects.all().delete()
    Bucket.objects.all().delete()
    clock.now = dt.datetime.now(dt.UTC)
    for kept in (stand_in.posts, stand_in.videos, stand_in.comments):
        kept.clear()
    stand_in.harmless, stand_in.polls = harmless, polls
    stand_in.faults = itertools.chain(faults, itertools.repeat("fine"))
    delivery = put("one", kind=kind, comment="first")
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert len(stand_in.published()) <= 1
    assert len(stand_in.comments) <= 1
    assert delivery.state in (DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.MISSED)
    if delivery.state == DeliveryState.SENT:
        assert stand_in.published() == ["one"]
        assert [one["message"] for one in stand_in.comments] == ["first"]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(faults=st.lists(st.sampled_from(FAULTS), max_size=5))
def test_an_answer_is_written_once(
    stand_in: StandIn, put: Callable[..., Delivery], clock: Clock, faults: list[str]
) -> None:
    Delivery.objects.all().delete()
    Bucket.objects.all().delete()
    clock.now = dt.datetime.now(dt.UTC)
    stand_in.comments.clear()
    stand_in.faults = itertools.chain(faults, itertools.repeat("fine"))
    delivery = put("Thanks", answers="88_1")
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert len(stand_in.comments) <= 1
    assert (delivery.state == DeliveryState.SENT) <= (len(stand_in.comments) == 1)
    assert delivery.state in (DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.MISSED)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(faults=st.lists(st.sampled_from(FAULTS), max_size=5), has_archive=st.booleans())
def test_a_story_appears_once_or_a_person_is_asked(
    stand_in: StandIn, put: Callable[..., Delivery], clock: Clock, faults: list[str], has_archive: bool
) -> None:
    Delivery.objects.all().delete()
    Bucket.objects.all().delete()
    clock.now = dt.datetime.now(dt.UTC)
    stand_in.stories.clear()
    stand_in.has_archive = has_archive
    stand_in.faults = itertools.chain(faults, itertools.repeat("fine"))
    delivery = put("", kind="photo", placement="story")
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert len(stand_in.stories) <= 1
    assert delivery.state in (DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.MISSED)
    if delivery.state == DeliveryState.SENT:
        assert delivery.remote_id == stand_in.stories[0]["post_id"]
