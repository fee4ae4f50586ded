"""Posts to TikTok by the real connector, on a stand-in that does to them what a network can do."""

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
from connectors import tiktok
from connectors.base import Connector, MediaItem
from connectors.errors import RejectReason
from outbox.errors import StopReason
from outbox.models import Bucket, Delivery, DeliveryState
from outbox.payloads import MediaContent, PartContent, freeze_post
from outbox.services.scheduling import answer_uncertain, retry_delivery, schedule_delivery
from tests.cast import make_account
from tests.outbox.conftest import run_until_quiet
from tests.outbox.network import Clock

pytestmark = pytest.mark.django_db

API = "https://open.tiktokapis.com/v2"
FILE = b"0123456789abcdefghijABCDEFGHIJ-tail"  # two pieces of ten and a last one of fifteen
FAULTS = (
    "fine",
    "dropped after",
    "dropped before",
    "broken after",
    "broken before",
    "wait",
    "fails",
    "address ends",
)
Answer = tuple[int, dict[str, str], str]


@dataclass
class Publication:
    """What TikTok knows by a publish_id."""

    size: int
    begun_at: dt.datetime
    privacy: str
    got: int = 0
    told: int = 0  # of ``got``: what it says may be behind ...
    behind: int = 0  # ... for so many questions
    state: str = "PROCESSING_UPLOAD"
    has_ended: bool = False
    post_id: str = ""
    asked: int = 0


@dataclass
class StandIn:
    """TikTok as far as a post needs it, and goes wrong as it is told. ``is_strict``: takes a piece only where
    the last one ended. ``lag``: so many questions later it says what it has."""

    clock: Clock
    faults: Iterator[str] = field(default_factory=lambda: itertools.repeat("fine"))
    is_strict: bool = True
    lag: int = 0
    fail_reason: str = "internal"
    publications: dict[str, Publication] = field(default_factory=dict)
    posts: list[bytes] = field(default_factory=list)

    def connector(self, account: SocialAccount) -> Connector:
        return connector_for(account)

    def register(self, mock: responses.RequestsMock) -> None:
        mock.add_callback("POST", f"{API}/post/publish/video/init/", self.faulty(self.begin))
        mock.add_callback("POST", f"{API}/post/publish/content/init/", self.faulty(self.photos))
        mock.add_callback(
            "PUT", re.compile(r"https://open-upload\.tiktokapis\.com/.*"), self.faulty(self.put)
        )
        mock.add_callback("POST", f"{API}/post/publish/status/fetch/", self.faulty(self.status))
        mock.add_callback("POST", re.compile(f"{API}/video/list/.*"), self.listed)

    def faulty(self, answer: Callable[[Any, str], Answer]) -> Callable[[Any], Answer]:
        def call(request: Any) -> Answer:
            fault = next(self.faults)
            if fault == "dropped before":
                raise requests.ConnectTimeout
            if fault == "broken before":
                return 503, {}, "<html>"
            if fault == "wait":
                return 429, {"Retry-After": "60"}, refusal("rate_limit_exceeded")
            given = answer(request, fault)
            if fault == "dropped after":
                raise requests.ConnectionError(ConnectionResetError())
            return (500, {}, "oops") if fault == "broken after" else given

        return call

    def begin(self, request: Any, fault: str) -> Answer:
        said = json.loads(request.body)
        publish_id = f"v_pub_file~{len(self.publications)}"
        source = said["source_info"]
        assert source["total_chunk_count"] == source["video_size"] // source["chunk_size"]
        self.publications[publish_id] = Publication(
            source["video_size"], self.clock(), said["post_info"]["privacy_level"]
        )
        address = f"https://open-upload.tiktokapis.com/video/?upload_id={publish_id}&upload_token=x"
        return 200, {}, good(publish_id=publish_id, upload_url=address)

    def put(self, request: Any, fault: str) -> Answer:
        one = self.publications[dict(parse_qsl(urlsplit(request.url).query))["upload_id"]]
        first, last, size = map(int, re.findall(r"\d+", request.headers["Content-Range"]))
        one.has_ended |= fault == "address ends" or self.clock() - one.begun_at > dt.timedelta(hours=1)
        if one.has_ended or one.state != "PROCESSING_UPLOAD":
            return 403, {}, "expired"
        if one.got == size or first > one.got or (self.is_strict and first != one.got):
            return 416, {}, ""
        assert request.body == FILE[first : last + 1]
        one.told, one.behind, one.got = one.got, self.lag, max(one.got, last + 1)
        if one.got < size:
            return 206, {}, ""
        if fault == "fails":
            one.state = "FAILED"
        else:
            self.publish(one)
        return 201, {}, ""

    def photos(self, request: Any, fault: str) -> Answer:
        said = json.loads(request.body)
        publish_id = f"p_pub_url~{len(self.publications)}"
        one = Publication(0, self.clock(), said["post_info"]["privacy_level"])
        self.publications[publish_id] = one
        self.publish(one)
        return 200, {}, good(publish_id=publish_id)

    def publish(self, one: Publication) -> None:
        one.post_id = str(7_000 + len(self.posts))
        self.posts.append(FILE)

    def status(self, request: Any, fault: str) -> Answer:
        one = self.publications[json.loads(request.body)["publish_id"]]
        one.asked += 1
        if one.state == "FAILED":
            return 200, {}, good(status="FAILED", fail_reason=self.fail_reason)
        if one.post_id and one.asked > 2 and not one.behind:
            ids = [int(one.post_id)] if one.privacy == "PUBLIC_TO_EVERYONE" else []
            return 200, {}, good(status="PUBLISH_COMPLETE", publicaly_available_post_id=ids)
        told = one.told if one.behind else one.got
        one.behind = max(0, one.behind - 1)
        return 200, {}, good(status="PROCESSING_UPLOAD", uploaded_bytes=told)

    def listed(self, request: Any) -> Answer:
        return 200, {}, good(videos=[], has_more=False)


def good(**data: Any) -> str:
    return json.dumps({"data": data, "error": {"code": "ok", "message": "", "log_id": "1"}})


def refusal(code: str) -> str:
    return json.dumps({"data": {}, "error": {"code": code, "message": "no", "log_id": "1"}})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock(dt.datetime.now(dt.UTC))
    monkeypatch.setattr(tiktok, "_now", made)
    monkeypatch.setattr(tiktok, "CHUNK_BYTES", 10)
    monkeypatch.setattr("outbox.payloads._open_media", lambda _key: io.BytesIO(FILE))
    monkeypatch.setattr(MediaItem, "address", lambda item: f"https://smm.example.com/m/{item.key}")
    return made


@pytest.fixture
def stand_in(clock: Clock) -> Iterator[StandIn]:
    made = StandIn(clock)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        made.register(mock)
        yield made


@pytest.fixture
def put(brand: Brand, manager: User, clock: Clock) -> Callable[..., Delivery]:
    options = {"open_id": "id-harbour", "username": "harbour"}
    account = make_account(brand, platform="tiktok", options=options)

    def scheduled(*, is_video: bool = True, privacy: str = "PUBLIC_TO_EVERYONE") -> Delivery:
        kind, name = ("video/mp4", "a.mp4") if is_video else ("image/jpeg", "a.jpg")
        length = (10.0, 30.0) if is_video else (0.0, 0.0)
        media = MediaContent("a", name, kind, len(FILE), 1080, 1920, "", *length)
        frozen = freeze_post([PartContent("Look", media=(media,))], settings={"privacy": privacy})
        return schedule_delivery(account=account, payload=frozen, due_at=clock(), actor=manager, now=clock())

    return scheduled


def run(stand_in: StandIn, delivery: Delivery, hours: float = 72) -> Delivery:
    run_until_quiet(stand_in, hours=hours)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    return delivery


def test_a_video_goes_out_in_pieces_and_is_known_by_its_public_id(
    stand_in: StandIn, put: Callable[..., Delivery]
) -> None:
    delivery = run(stand_in, put())
    assert (delivery.state, delivery.remote_id) == (DeliveryState.SENT, "7000")
    assert delivery.permalink == "https://www.tiktok.com/@harbour/video/7000"
    assert stand_in.posts == [FILE]


def test_a_video_for_oneself_is_known_by_its_publication(
    stand_in: StandIn, put: Callable[..., Delivery]
) -> None:
    delivery = run(stand_in, put(privacy="SELF_ONLY"))
    assert (delivery.state, delivery.remote_id) == (DeliveryState.SENT, "v_pub_file~0")


def test_photos_go_out(stand_in: StandIn, put: Callable[..., Delivery]) -> None:
    delivery = run(stand_in, put(is_video=False))
    assert (delivery.state, delivery.permalink) == (
        DeliveryState.SENT,
        "https://www.tiktok.com/@harbour/photo/7000",
    )


def test_of_photos_whose_answer_was_lost_a_person_is_asked(
    stand_in: StandIn, put: Callable[..., Delivery], clock: Clock
) -> None:
    """TikTok lists no posts that it still looks at, so that it is not there means nothing."""
    stand_in.faults = itertools.chain(["dropped after"], itertools.repeat("fine"))
    delivery = run(stand_in, put(is_video=False))
    assert (delivery.state, delivery.error) == (DeliveryState.UNCERTAIN, RejectReason.NOT_FOUND)
    assert len(stand_in.posts) == 1
    answer_uncertain(delivery=delivery, did_appear=False, actor=None, now=clock())
    assert run(stand_in, delivery).state == DeliveryState.SENT
    assert len(stand_in.posts) == 2  # somebody said that the first is not there


def test_an_upload_that_waited_for_too_long_is_begun_anew(
    stand_in: StandIn, put: Callable[..., Delivery], clock: Clock
) -> None:
    stand_in.faults = itertools.chain(["fine", "fine", "broken before"], itertools.repeat("fine"))
    delivery = put()
    run(stand_in, delivery, hours=0.0001)  # the first try, which ends at its first piece
    clock.advance(3700)
    assert run(stand_in, delivery).state == DeliveryState.SENT
    assert stand_in.posts == [FILE]
    assert [one.post_id for one in stand_in.publications.values()] == ["", "7000"]


def test_trying_a_failed_post_again_makes_a_new_upload(
    stand_in: StandIn, put: Callable[..., Delivery], manager: User, clock: Clock
) -> None:
    """What TikTok has given up stays given up: its upload never becomes a post."""
    stand_in.fail_reason = "spam_risk"
    stand_in.faults = itertools.chain([*["fine"] * 4, "fails"], itertools.repeat("fine"))
    delivery = run(stand_in, put())
    assert (delivery.state, delivery.error) == (DeliveryState.FAILED, RejectReason.FORBIDDEN)
    assert not stand_in.posts
    retry_delivery(delivery=delivery, actor=manager, now=clock())
    assert run(stand_in, delivery).state == DeliveryState.SENT
    assert stand_in.posts == [FILE]
    assert len(stand_in.publications) == 2


def test_a_permission_taken_back_holds_the_account(
    stand_in: StandIn, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stand_in, "begin", lambda *_: (401, {}, refusal("access_token_invalid")))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        stand_in.register(mock)
        delivery = run(stand_in, put())
    assert delivery.state == DeliveryState.HELD
    assert delivery.account.status == AccountStatus.NEEDS_RECONNECT


def test_an_app_that_is_not_audited_is_told_so_and_can_try_again(
    stand_in: StandIn, put: Callable[..., Delivery], manager: User, clock: Clock
) -> None:
    code = "unaudited_client_can_only_post_to_private_accounts"
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(f"{API}/post/publish/video/init/", status=403, body=refusal(code))
        delivery = run(stand_in, put())
    assert (delivery.state, delivery.error) == (DeliveryState.FAILED, RejectReason.FORBIDDEN)
    assert delivery.error_detail.startswith("TikTok has not audited this developer app yet.")
    retry_delivery(delivery=delivery, actor=manager, now=clock())
    assert run(stand_in, delivery).state == DeliveryState.SENT


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    faults=st.lists(st.sampled_from(FAULTS), max_size=8),
    is_strict=st.booleans(),
    lag=st.integers(0, 5),
    privacy=st.sampled_from(["PUBLIC_TO_EVERYONE", "SELF_ONLY"]),
)
# The last piece is taken, its answer lost, and TikTok says for a while that it does not have it.
@example(
    faults=["fine", "fine", "fine", "fine", "dropped after"],
    is_strict=True,
    lag=3,
    privacy="PUBLIC_TO_EVERYONE",
)
@example(
    faults=["fine", "fine", "fine", "fine", "dropped after", "fine", "fine", "address ends"],
    is_strict=False,
    lag=3,
    privacy="PUBLIC_TO_EVERYONE",
)
def test_whatever_tiktok_does_each_post_appears_once_or_a_person_is_asked(
    stand_in: StandIn,
    put: Callable[..., Delivery],
    clock: Clock,
    faults: list[str],
    is_strict: bool,
    lag: int,
    privacy: str,
) -> None:
    Delivery.objects.all().delete()
    Bucket.objects.all().delete()
    clock.now = dt.datetime.now(dt.UTC)
    stand_in.posts.clear()
    stand_in.publications.clear()
    stand_in.faults = itertools.chain(faults, itertools.repeat("fine"))
    stand_in.is_strict, stand_in.lag = is_strict, lag
    delivery = run(stand_in, put(privacy=privacy))
    assert len(stand_in.posts) <= 1
    assert delivery.state in (DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.MISSED)
    if delivery.state == DeliveryState.SENT:
        (made,) = (i for i, one in stand_in.publications.items() if one.post_id)
        assert delivery.remote_id in (made, stand_in.publications[made].post_id)
    if delivery.state == DeliveryState.MISSED:
        assert stand_in.posts == []
        assert delivery.error in (StopReason.SKIPPED, StopReason.TOO_LATE)
