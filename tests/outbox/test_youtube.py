"""Videos to YouTube by the real connector, on a stand-in that does to them what a network can do."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.connecting import connector_for
from accounts.models import AccountStatus, Brand, SocialAccount, User
from connectors import youtube
from connectors.base import Connector
from connectors.errors import RejectReason
from outbox.errors import StopReason
from outbox.models import Bucket, Delivery, DeliveryState
from outbox.payloads import MediaContent, PartContent, freeze_post
from outbox.services.scheduling import answer_uncertain, schedule_delivery
from tests.cast import make_account
from tests.outbox.conftest import run_until_quiet
from tests.outbox.network import Clock

pytestmark = pytest.mark.django_db

API = "https://www.googleapis.com"
CHANNEL = "UCabcdefghijklmnopqrstuv"
FILE = b"0123456789abcdefghij-tail"  # two pieces of ten and a last one of five
FAULTS = (
    "fine",
    "dropped after",
    "dropped before",
    "broken after",
    "broken before",
    "wait",
    "takes half",
    "goes away",
)
Answer = tuple[int, dict[str, str], str]


@dataclass
class Session:
    got: int = 0
    video: str = ""
    is_gone: bool = False


@dataclass
class StandIn:
    """YouTube as far as a video and its first comment need it, and goes wrong as it is told."""

    clock: Clock
    faults: Iterator[str] = field(default_factory=lambda: itertools.repeat("fine"))
    sessions: list[Session] = field(default_factory=list)
    videos: list[str] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)
    polls: int = 0

    def connector(self, account: SocialAccount) -> Connector:
        return connector_for(account)

    def register(self, mock: responses.RequestsMock) -> None:
        mock.add_callback("POST", f"{API}/upload/youtube/v3/videos", self.faulty(self.begin))
        mock.add_callback("PUT", re.compile(f"{API}/upload/.*"), self.faulty(self.put))
        mock.add_callback("GET", f"{API}/youtube/v3/videos", self.faulty(self.status))
        mock.add_callback("POST", f"{API}/upload/youtube/v3/thumbnails/set", self.faulty(self.picture))
        mock.add_callback("POST", f"{API}/youtube/v3/commentThreads", self.faulty(self.comment))
        mock.add_callback("GET", f"{API}/youtube/v3/commentThreads", self.faulty(self.threads))

    def faulty(self, answer: Callable[[Any, str], Answer]) -> Callable[[Any], Answer]:
        def call(request: Any) -> Answer:
            fault = next(self.faults)
            if fault == "dropped before":
                raise requests.ConnectTimeout
            if fault == "broken before":
                return 503, {}, "<html>"
            if fault == "wait":
                return 403, {}, refusal("rateLimitExceeded")
            given = answer(request, fault)
            if fault == "dropped after":
                raise requests.ConnectionError(ConnectionResetError())
            return (500, {}, "oops") if fault == "broken after" else given

        return call

    def begin(self, request: Any, fault: str) -> Answer:
        assert json.loads(request.body)["snippet"]["title"] == "Roasting"
        assert request.headers["X-Upload-Content-Length"] == str(len(FILE))
        self.sessions.append(Session())
        address = f"{API}/upload/youtube/v3/videos?uploadType=resumable&upload_id={len(self.sessions) - 1}"
        return 200, {"Location": address}, ""

    def put(self, request: Any, fault: str) -> Answer:
        one = self.sessions[int(dict(parse_qsl(urlsplit(request.url).query))["upload_id"])]
        one.is_gone |= fault == "goes away"
        if one.is_gone:
            return 404, {}, "Not Found"
        if one.video:
            return 200, {}, self.resource(one.video)
        numbers = list(map(int, re.findall(r"\d+", request.headers["Content-Range"])))
        if len(numbers) == 3:
            first, last, _size = numbers
            assert request.body == FILE[first : last + 1]
            if first > one.got:
                return 400, {}, ""
            end = last + 1 if fault != "takes half" else first + (last + 1 - first) // 2
            one.got = max(one.got, end)
        if one.got == len(FILE):
            one.video = f"video-{len(self.videos):05}"
            self.videos.append(one.video)
            return 201, {}, self.resource(one.video)
        return 308, {"Range": f"bytes=0-{one.got - 1}"} if one.got else {}, ""

    def resource(self, video: str, state: str = "uploaded") -> str:
        return json.dumps({"id": video, "status": {"uploadStatus": state, "privacyStatus": "public"}})

    def status(self, request: Any, fault: str) -> Answer:
        self.polls += 1
        asked = dict(parse_qsl(urlsplit(request.url).query))["id"]
        state = "processed" if self.polls > 1 else "uploaded"
        found = [json.loads(self.resource(one, state)) for one in self.videos if one == asked]
        return 200, {}, json.dumps({"kind": "youtube#videoListResponse", "items": found})

    def picture(self, request: Any, fault: str) -> Answer:
        self.pictures.append(request.body)
        return 200, {}, "{}"

    def comment(self, request: Any, fault: str) -> Answer:
        snippet = json.loads(request.body)["snippet"]
        assert snippet["videoId"] in self.videos
        text = snippet["topLevelComment"]["snippet"]["textOriginal"]
        comment = {
            "id": f"Ugx{len(self.comments)}",
            "snippet": {
                "authorChannelId": {"value": CHANNEL},
                "textOriginal": text,
                "publishedAt": self.clock().isoformat(),
            },
        }
        self.comments.append(
            {"id": comment["id"], "snippet": {"videoId": snippet["videoId"], "topLevelComment": comment}}
        )
        return 200, {}, json.dumps({"id": comment["id"]})

    def threads(self, request: Any, fault: str) -> Answer:
        return 200, {}, json.dumps({"kind": "x", "items": self.comments[::-1]})


def refusal(reason: str) -> str:
    return json.dumps({"error": {"code": 403, "message": "no", "errors": [{"reason": reason}]}})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock(dt.datetime.now(dt.UTC))
    monkeypatch.setattr(youtube, "_now", made)
    monkeypatch.setattr(youtube, "CHUNK_BYTES", 10)
    files = {"a.mp4": FILE, "a.jpg": b"jpeg"}
    monkeypatch.setattr("outbox.payloads._open_media", lambda key: io.BytesIO(files[key]))
    return made


@pytest.fixture
def stand_in(clock: Clock) -> Iterator[StandIn]:
    made = StandIn(clock)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        made.register(mock)
        yield made


@pytest.fixture
def put(brand: Brand, manager: User, clock: Clock) -> Callable[..., Delivery]:
    account = make_account(brand, platform="youtube", options={"channel_id": CHANNEL})

    def scheduled(*, comment: str = "The link") -> Delivery:
        film = MediaContent(
            "a", "a.mp4", "video/mp4", len(FILE), 1080, 1920, "", 10.0, 30.0, cover_key="a.jpg"
        )
        parts = [PartContent("How we roast", media=(film,))]
        parts += [PartContent(comment, is_comment=True)] if comment else []
        frozen = freeze_post(parts, settings={"title": "Roasting", "made_for_kids": "no"})
        return schedule_delivery(account=account, payload=frozen, due_at=clock(), actor=manager, now=clock())

    return scheduled


def run(stand_in: StandIn, delivery: Delivery) -> Delivery:
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    return delivery


def test_a_video_goes_out_with_its_picture_and_its_first_comment(
    stand_in: StandIn, put: Callable[..., Delivery]
) -> None:
    delivery = run(stand_in, put())
    assert (delivery.state, delivery.remote_id) == (DeliveryState.SENT, "video-00000")
    assert delivery.permalink == "https://www.youtube.com/watch?v=video-00000"
    assert (len(stand_in.videos), len(stand_in.comments), stand_in.pictures) == (1, 1, [b"jpeg"])


def test_without_a_comment_the_picture_is_the_last_step(
    stand_in: StandIn, put: Callable[..., Delivery]
) -> None:
    delivery = run(stand_in, put(comment=""))
    assert (delivery.state, delivery.remote_id) == (DeliveryState.SENT, "video-00000")
    assert delivery.permalink == "https://www.youtube.com/watch?v=video-00000"
    assert stand_in.pictures == [b"jpeg"]


def test_a_picture_that_is_refused_does_not_hold_the_video_back(
    stand_in: StandIn, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stand_in, "picture", lambda *_: (403, {}, refusal("forbidden")))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        stand_in.register(mock)
        delivery = run(stand_in, put(comment=""))
    assert delivery.state == DeliveryState.SENT
    attempt = delivery.attempts.get(step="part0.thumbnail")
    assert attempt.result["detail"]["thumbnail"].startswith("forbidden")


def test_a_session_that_goes_away_before_it_has_the_file_is_begun_anew(
    stand_in: StandIn, put: Callable[..., Delivery]
) -> None:
    stand_in.faults = itertools.chain(["fine", "fine", "goes away"], itertools.repeat("fine"))
    assert run(stand_in, put()).state == DeliveryState.SENT
    assert len(stand_in.sessions) == 2
    assert len(stand_in.videos) == 1


def test_a_session_that_goes_away_with_the_answer_leaves_a_person_to_look(
    stand_in: StandIn, put: Callable[..., Delivery], clock: Clock
) -> None:
    faults = [*["fine"] * 4, "dropped after", "goes away"]
    stand_in.faults = itertools.chain(faults, itertools.repeat("fine"))
    delivery = run(stand_in, put())
    assert (delivery.state, delivery.error) == (DeliveryState.UNCERTAIN, StopReason.OUTCOME_UNKNOWN)
    assert len(stand_in.videos) == 1
    stand_in.videos.clear()  # as if it had not been made
    answer_uncertain(delivery=delivery, did_appear=False, actor=None, now=clock())
    assert run(stand_in, delivery).state == DeliveryState.SENT
    assert len(stand_in.videos) == 1


def test_a_channel_that_is_closed_holds_the_account(
    stand_in: StandIn, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stand_in, "begin", lambda *_: (401, {}, refusal("authError")))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        stand_in.register(mock)
        delivery = run(stand_in, put())
    assert delivery.state == DeliveryState.HELD
    assert delivery.account.status == AccountStatus.NEEDS_RECONNECT


def test_a_comment_that_nobody_may_write_leaves_the_video_published(
    stand_in: StandIn, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stand_in, "comment", lambda *_: (403, {}, refusal("commentsDisabled")))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        stand_in.register(mock)
        delivery = run(stand_in, put())
    assert (delivery.state, delivery.error) == (DeliveryState.FAILED, RejectReason.FORBIDDEN)
    assert delivery.remote_id == "video-00000"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(faults=st.lists(st.sampled_from(FAULTS), max_size=12))
@example(faults=["fine", "fine", "fine", "fine", "dropped after", "goes away"])
@example(faults=[*["fine"] * 7, "dropped after", "dropped before", "fine"])
def test_whatever_youtube_does_each_video_appears_once_or_a_person_is_asked(
    stand_in: StandIn, put: Callable[..., Delivery], clock: Clock, faults: list[str]
) -> None:
    Delivery.objects.all().delete()
    Bucket.objects.all().delete()
    clock.now = dt.datetime.now(dt.UTC)
    for one in (stand_in.sessions, stand_in.videos, stand_in.comments, stand_in.pictures):
        one.clear()
    stand_in.polls = 0
    stand_in.faults = itertools.chain(faults, itertools.repeat("fine"))
    delivery = run(stand_in, put())
    assert len(stand_in.videos) <= 1
    assert len(stand_in.comments) <= 1
    assert delivery.state in (DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.MISSED)
    if delivery.state == DeliveryState.SENT:
        assert [delivery.remote_id] == stand_in.videos
        assert len(stand_in.comments) == 1
    if delivery.state == DeliveryState.MISSED:
        assert stand_in.videos == []
