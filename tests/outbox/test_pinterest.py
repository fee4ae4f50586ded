"""Pins by the real connector, on a stand-in that does to them what a network can do."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
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
from tests.outbox.conftest import run_until_quiet
from tests.outbox.network import Clock

pytestmark = pytest.mark.django_db

API = "https://api.pinterest.com/v5"
STORAGE = "https://storage.example.com/"
FAULTS = ("fine", "dropped after", "dropped before", "broken after", "broken before", "odd after", "wait")
Answer = tuple[int, dict[str, str], str]


@dataclass
class StandIn:
    """Pinterest as far as a pin needs it: the same pin twice is two, a video becomes one when it is done."""

    clock: Clock
    pins: list[dict[str, Any]] = field(default_factory=list)
    media: dict[str, str] = field(default_factory=dict)  # id to status
    faults: Iterator[str] = field(default_factory=lambda: itertools.repeat("fine"))
    is_arranged: bool = False  # the board shows its pins in an order that somebody made

    def connector(self, account: SocialAccount) -> Connector:
        return connector_for(account)

    def register(self, mock: responses.RequestsMock) -> None:
        mock.add_callback("POST", f"{API}/pins", self.create)
        mock.add_callback("GET", re.compile(rf"{API}/(boards/5/)?pins(\?.*)?$"), self.listed)
        mock.add_callback("GET", re.compile(rf"{API}/pins/\d+"), self.one)
        mock.add_callback("POST", f"{API}/media", self.register_media)
        mock.add_callback("POST", re.compile(rf"{STORAGE}.*"), self.store)
        mock.add_callback("GET", re.compile(rf"{API}/media/\d+"), self.media_state)

    def create(self, request: requests.PreparedRequest) -> Answer:
        fault = next(self.faults)
        if fault == "dropped before":
            raise requests.ConnectTimeout
        if fault == "broken before":
            return 503, {}, json.dumps({"code": 503, "message": "try again"})
        if fault == "wait":
            return 429, {"X-RateLimit-Reset": "90"}, json.dumps({"code": 8, "message": "too many"})
        said = json.loads(request.body or "")
        source = said["media_source"]
        if source["source_type"] == "video_id" and self.media.get(source["media_id"]) != "succeeded":
            return 400, {}, json.dumps({"code": 1, "message": "The video is not ready"})
        made = {
            "id": str(100 + len(self.pins)),
            "board_id": said["board_id"],
            "title": said.get("title"),
            "description": said.get("description"),
            "created_at": self.clock().strftime("%Y-%m-%dT%H:%M:%S"),
            "media": {"media_type": "image"},
        }
        self.pins.append(made)
        if fault == "dropped after":
            raise requests.ConnectionError(ConnectionResetError())
        if fault == "broken after":
            return 500, {}, "oops"
        if fault == "odd after":
            return 200, {}, "<html>A page of the company's proxy</html>"
        return 201, {}, json.dumps(made)

    def listed(self, request: requests.PreparedRequest) -> Answer:
        if self.is_arranged:
            old = self.clock() - dt.timedelta(days=30)
            items = [{"id": str(n), "created_at": (old + dt.timedelta(n)).isoformat()} for n in range(3)]
            bookmark = dict(parse_qsl(urlsplit(str(request.url)).query)).get("bookmark", "") + "b"
            return 200, {}, json.dumps({"items": items, "bookmark": bookmark})
        return 200, {}, json.dumps({"items": self.pins[::-1], "bookmark": None})

    def one(self, request: requests.PreparedRequest) -> Answer:
        number = urlsplit(str(request.url)).path.rsplit("/", 1)[1]
        found = [pin for pin in self.pins if pin["id"] == number]
        return (200, {}, json.dumps(found[0])) if found else (404, {}, json.dumps({"code": 50}))

    def register_media(self, request: requests.PreparedRequest) -> Answer:
        media_id = str(500 + len(self.media))
        self.media[media_id] = "registered"
        answer = {
            "media_id": media_id,
            "upload_url": f"{STORAGE}{media_id}",
            "upload_parameters": {"key": media_id},
        }
        return 201, {}, json.dumps(answer)

    def store(self, request: requests.PreparedRequest) -> Answer:
        if next(self.faults) in {"dropped before", "dropped after"}:
            raise requests.ConnectionError(ConnectionResetError())
        self.media[urlsplit(str(request.url)).path.strip("/")] = "processing"
        return 204, {}, ""

    def media_state(self, request: requests.PreparedRequest) -> Answer:
        media_id = urlsplit(str(request.url)).path.rsplit("/", 1)[1]
        status = self.media[media_id]
        if status == "processing":
            self.media[media_id] = "succeeded"  # when it is asked about once more
        return 200, {}, json.dumps({"media_id": media_id, "status": status})


@pytest.fixture
def clock() -> Clock:
    """The true time: how long to wait is counted from it."""
    return Clock(dt.datetime.now(dt.UTC))


@pytest.fixture
def stand_in(clock: Clock) -> Iterator[StandIn]:
    made = StandIn(clock)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        made.register(mock)
        yield made


@pytest.fixture
def put(
    brand: Brand,
    manager: User,
    clock: Clock,
    settings: Any,
    tmp_path: Path,
) -> Callable[..., Delivery]:
    account = make_account(
        brand, platform="pinterest", credential={"access_token": "t"}, options={"username": "harbour"}
    )

    settings.MEDIA_ROOT = tmp_path

    def scheduled(text: str = "Flat white", *, title: str = "Menu", is_video: bool = False) -> Delivery:
        name = default_storage.save("pin.mp4" if is_video else "pin.jpg", ContentFile(b"picture"))
        media = MediaContent(
            asset="a",
            storage_key=name,
            mime_type="video/mp4" if is_video else "image/jpeg",
            size=7,
            width=10,
            height=10,
            alt_text="A cup",
            duration_s=6.0 if is_video else 0.0,
        )
        frozen = freeze_post([PartContent(text, media=(media,))])
        return schedule_delivery(
            account=account,
            payload=frozen | {"settings": {"board": "5", "title": title}},
            due_at=clock(),
            actor=manager,
            now=clock(),
        )

    return scheduled


def test_a_pin_goes_out_and_is_linked(stand_in: StandIn, put: Callable[..., Delivery]) -> None:
    delivery = put()
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.permalink) == (
        DeliveryState.SENT,
        "https://www.pinterest.com/pin/100/",
    )


def test_a_video_is_waited_for(stand_in: StandIn, put: Callable[..., Delivery]) -> None:
    stand_in.faults = itertools.chain(["dropped before"], itertools.repeat("fine"))
    delivery = put(is_video=True)
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.SENT
    assert stand_in.media == {"500": "registered", "501": "succeeded"}
    assert len(stand_in.pins) == 1


def test_a_pin_with_the_same_words_and_another_title_is_not_taken_for_ours(
    stand_in: StandIn, put: Callable[..., Delivery]
) -> None:
    first = put("", title="Monday")
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    stand_in.faults = itertools.chain(["broken before"], itertools.repeat("fine"))
    second = put("", title="Tuesday")
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    first.refresh_from_db()
    second.refresh_from_db()
    assert [first.state, second.state] == [DeliveryState.SENT] * 2
    assert [pin["title"] for pin in stand_in.pins] == ["Monday", "Tuesday"]


def test_a_person_is_asked_where_the_board_cannot_tell(
    stand_in: StandIn, put: Callable[..., Delivery]
) -> None:
    stand_in.is_arranged = True
    stand_in.faults = iter(["dropped after"])
    delivery = put()
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == (DeliveryState.UNCERTAIN, StopReason.OUTCOME_UNKNOWN)
    assert len(stand_in.pins) == 1


def test_a_token_that_was_taken_back_holds_the_account(
    stand_in: StandIn, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal: Answer = (401, {}, json.dumps({"code": 2, "message": "Authentication failed."}))
    monkeypatch.setattr(stand_in, "create", lambda _request: refusal)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        stand_in.register(mock)
        delivery = put()
        run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.HELD
    assert delivery.account.status == AccountStatus.NEEDS_RECONNECT


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(faults=st.lists(st.sampled_from(FAULTS), max_size=5), is_video=st.booleans())
def test_whatever_pinterest_does_each_pin_appears_once_or_a_person_is_asked(
    stand_in: StandIn, put: Callable[..., Delivery], clock: Clock, faults: list[str], is_video: bool
) -> None:
    Delivery.objects.all().delete()
    Bucket.objects.all().delete()
    clock.now = dt.datetime.now(dt.UTC)
    stand_in.pins.clear()
    stand_in.media.clear()
    stand_in.faults = itertools.chain(faults, itertools.repeat("fine"))
    delivery = put(is_video=is_video)
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert len(stand_in.pins) <= 1
    assert delivery.state in (DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.MISSED)
    if delivery.state == DeliveryState.SENT:
        assert len(stand_in.pins) == 1
