"""Posts and messages to LINE by the real connector, on a stand-in that keeps retry keys for a day."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.connecting import connector_for
from accounts.models import AccountStatus, Brand, SocialAccount, User
from connectors import line
from connectors.base import Connector, MessageTarget
from connectors.errors import RejectReason
from outbox.models import Bucket, Delivery, DeliveryKind, DeliveryState
from outbox.payloads import PartContent, freeze_message, freeze_post
from outbox.services.scheduling import schedule_delivery
from tests.cast import make_account
from tests.outbox.conftest import run_until_quiet, tick
from tests.outbox.network import Clock

pytestmark = pytest.mark.django_db

API = "https://api.line.me/v2/bot/message"
FAULTS = ("fine", "dropped after", "dropped before", "broken after", "broken before", "wait", "full", "html")
WORKING = ("waiting", "sending")


@dataclass
class StandIn:
    """LINE as far as sending needs it. ``accepted``: what people got, each with the key that it came with."""

    clock: Clock
    accepted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    keys: dict[str, tuple[str, dt.datetime]] = field(default_factory=dict)
    faults: Iterator[str] = field(default_factory=lambda: itertools.repeat("fine"))
    phases: Iterator[dict[str, Any]] = field(default_factory=lambda: itertools.repeat({"phase": "succeeded"}))
    asked: list[str] = field(default_factory=list)

    def connector(self, account: SocialAccount) -> Connector:
        return connector_for(account)

    def register(self, mock: responses.RequestsMock) -> None:
        mock.add_callback("POST", re.compile(rf"{API}/(broadcast|narrowcast|push)"), self.send)
        mock.add_callback("GET", re.compile(rf"{API}/progress/narrowcast"), self.progress)

    def send(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        call, key = str(request.url).rpartition("/")[2], str(request.headers["X-Line-Retry-Key"])
        self.asked.append(key)
        fault = next(self.faults)
        if fault == "dropped before":
            raise requests.ConnectTimeout
        if fault == "broken before":
            return 500, {}, json.dumps({"message": "Internal server error"})
        if fault == "wait":
            return 429, {}, json.dumps({"message": "The API rate limit has been exceeded. Try again later."})
        if fault == "full":
            return 429, {}, json.dumps({"message": "You have reached your monthly limit."})
        request_id = f"request{len(self.asked)}"
        sent = {"sentMessages": [{"id": f"message-of-{key}"}]} if call == "push" else {}
        known = self.keys.get(key)
        if known is not None and self.clock() - known[1] < dt.timedelta(hours=24):
            headers = {"x-line-request-id": request_id, "x-line-accepted-request-id": known[0]}
            return 409, headers, json.dumps({"message": "The retry key is already accepted", **sent})
        self.keys[key] = (request_id, self.clock())
        self.accepted.append((key, json.loads(request.body or "")))
        if fault == "dropped after":
            raise requests.ConnectionError(ConnectionResetError())
        if fault == "broken after":
            return 502, {}, "oops"
        if fault == "html":
            return 200, {}, "<html>"
        return 202 if call == "narrowcast" else 200, {"x-line-request-id": request_id}, json.dumps(sent)

    def progress(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        (request_id,) = parse_qs(urlsplit(str(request.url)).query)["requestId"]
        assert request_id in {known for known, _at in self.keys.values()}
        return 200, {}, json.dumps({"acceptedTime": "2026-11-22T12:00:00.121Z", **next(self.phases)})


@pytest.fixture
def stand_in(clock: Clock) -> Iterator[StandIn]:
    made = StandIn(clock)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        made.register(mock)
        yield made


@pytest.fixture
def clock() -> Clock:
    """The true time: a limit without a time of its own is waited for by it."""
    return Clock(dt.datetime.now(dt.UTC))


@pytest.fixture
def line_account(brand: Brand) -> SocialAccount:
    secret = {"access_token": "t", "extra": {"channel_secret": "s"}}
    return make_account(brand, platform="line", credential=secret, options={"user_id": "Ub"})


@pytest.fixture
def put(line_account: SocialAccount, manager: User, clock: Clock) -> Callable[..., Delivery]:
    def scheduled(text: str = "Hello", *, to: str = "") -> Delivery:
        return schedule_delivery(
            account=line_account,
            payload=freeze_message(text, MessageTarget(to)) if to else freeze_post([PartContent(text)]),
            due_at=clock(),
            actor=manager,
            now=clock(),
            kind=DeliveryKind.DM if to else DeliveryKind.POST,
        )

    return scheduled


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Posts go to some of the friends."""
    monkeypatch.setitem(line.AUDIENCES, "everyone", {"type": "gender", "oneOf": ["female"]})


def state_of(delivery: Delivery) -> tuple[str, str]:
    delivery.refresh_from_db()
    return delivery.state, delivery.error


def test_a_broadcast_whose_answer_was_lost_is_found_by_its_key(
    stand_in: StandIn, put: Callable[..., Delivery]
) -> None:
    stand_in.faults = iter(["dropped after", "broken before", "fine"])
    delivery = put()
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    assert state_of(delivery) == (DeliveryState.SENT, "")
    assert delivery.remote_id == "request1"
    assert len(stand_in.accepted) == 1
    assert len(set(stand_in.asked)) == 1


def test_an_answer_in_a_chat_whose_answer_was_lost_is_one_message(
    stand_in: StandIn, put: Callable[..., Delivery]
) -> None:
    stand_in.faults = iter(["broken after", "fine"])
    delivery = put("Thanks", to="Ua")
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    assert state_of(delivery)[0] == DeliveryState.SENT
    assert [body["to"] for _key, body in stand_in.accepted] == ["Ua"]
    assert delivery.remote_id == f"message-of-{stand_in.asked[0]}"


def test_a_day_later_the_key_is_forgotten_and_a_person_is_asked(
    stand_in: StandIn, put: Callable[..., Delivery]
) -> None:
    stand_in.faults = iter(["dropped after", *["fine"] * 9])
    delivery = put()
    tick(stand_in)  # type: ignore[arg-type]
    stand_in.clock.advance(24 * 3600)
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    assert state_of(delivery) == (DeliveryState.UNCERTAIN, RejectReason.NOT_SUPPORTED)
    assert len(stand_in.accepted) == 1


def test_an_allowance_that_is_used_up_says_so(stand_in: StandIn, put: Callable[..., Delivery]) -> None:
    stand_in.faults = itertools.repeat("full")
    delivery = put()
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    assert state_of(delivery) == (DeliveryState.FAILED, RejectReason.QUOTA_FULL)
    assert stand_in.accepted == []


def test_an_allowance_that_the_lost_post_itself_has_used_up_does_not_make_it_a_failure(
    stand_in: StandIn, put: Callable[..., Delivery]
) -> None:
    stand_in.faults = iter(["dropped after", "full"])
    delivery = put()
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    assert state_of(delivery)[0] == DeliveryState.UNCERTAIN
    assert len(stand_in.accepted) == 1


def test_a_narrowcast_is_sent_when_line_has_sent_it(
    stand_in: StandIn, put: Callable[..., Delivery], narrow: None
) -> None:
    stand_in.phases = iter([{"phase": phase} for phase in (*WORKING, "succeeded")])
    delivery = put()
    tick(stand_in)  # type: ignore[arg-type]
    assert state_of(delivery)[0] == DeliveryState.PROCESSING
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    assert state_of(delivery) == (DeliveryState.SENT, "")
    assert delivery.remote_id == "request1"


def test_a_narrowcast_to_too_few_fails_with_lines_words(
    stand_in: StandIn, put: Callable[..., Delivery], narrow: None
) -> None:
    stand_in.phases = iter([{"phase": "failed", "errorCode": 2, "failedDescription": "not enough people"}])
    delivery = put()
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    assert state_of(delivery) == (DeliveryState.FAILED, RejectReason.SETTING_INVALID)
    assert delivery.error_detail == "not enough people"


def test_a_narrowcast_that_an_earlier_one_replaced_is_put_before_a_person(
    stand_in: StandIn, put: Callable[..., Delivery], narrow: None
) -> None:
    stand_in.phases = itertools.repeat({"phase": "failed", "errorCode": 3})
    delivery = put()
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    assert state_of(delivery)[0] == DeliveryState.UNCERTAIN
    assert len(stand_in.accepted) == 1


def test_a_token_that_was_taken_back_holds_the_account(
    clock: Clock, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = StandIn(clock)
    monkeypatch.setattr(stand_in, "send", lambda _request: (401, {}, json.dumps({"message": "no"})))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        stand_in.register(mock)
        delivery = put()
        run_until_quiet(stand_in)  # type: ignore[arg-type]
    assert state_of(delivery)[0] == DeliveryState.HELD
    assert delivery.account.status == AccountStatus.NEEDS_RECONNECT


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    faults=st.lists(st.sampled_from(FAULTS), max_size=5),
    pause=st.sampled_from([0, 3600, 25 * 3600]),
    to=st.sampled_from(["", "Ua"]),
)
def test_whatever_line_does_each_message_arrives_once_or_a_person_is_asked(
    stand_in: StandIn, put: Callable[..., Delivery], clock: Clock, faults: list[str], pause: int, to: str
) -> None:
    Delivery.objects.all().delete()
    Bucket.objects.all().delete()
    clock.now = dt.datetime.now(dt.UTC)
    stand_in.accepted.clear()
    stand_in.keys.clear()
    stand_in.faults = itertools.chain(faults, itertools.repeat("fine"))
    delivery = put(to=to)
    tick(stand_in)  # type: ignore[arg-type]
    clock.advance(pause)
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    state, _error = state_of(delivery)
    assert len(stand_in.accepted) <= 1
    if state == DeliveryState.SENT:
        assert len(stand_in.accepted) == 1
    elif state in (DeliveryState.FAILED, DeliveryState.MISSED):
        assert stand_in.accepted == []
    else:
        assert state == DeliveryState.UNCERTAIN
