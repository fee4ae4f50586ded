"""Answers and direct messages to X, and tokens that end on the way, on a stand-in that does to them what a
network can do."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.connecting import connector_for, open_tokens
from accounts.models import AccountStatus, AppRegistration, Brand, Credential, SocialAccount, User
from connectors.base import Connector, MessageTarget, ReplyTarget
from connectors.x_info import INFO
from core.crypto import encrypt_json
from outbox.errors import StopReason
from outbox.models import Bucket, Delivery, DeliveryKind, DeliveryState
from outbox.payloads import PartContent, freeze_message, freeze_post, freeze_reply
from outbox.services.scheduling import schedule_delivery
from tests.cast import make_account
from tests.outbox.conftest import run_until_quiet, tick
from tests.outbox.network import Clock

pytestmark = pytest.mark.django_db

API = "https://api.x.com"
FAULTS = ("fine", "dropped after", "dropped before", "broken after", "broken before", "wait", "token ends")
SENDS = {
    DeliveryKind.POST: lambda text: freeze_post([PartContent(text)]),
    DeliveryKind.REPLY: lambda text: freeze_reply(text, ReplyTarget("50", "40", {"id": "50"})),
    DeliveryKind.DM: lambda text: freeze_message(text, MessageTarget("2", "2", {"id": "60"})),
}


@dataclass
class StandIn:
    """X as answers and messages need it. A refresh token is good for one use, an access token until the next
    one; names of those who are answered stand before the words of an answer."""

    clock: Clock
    posts: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    faults: Iterator[str] = field(default_factory=lambda: itertools.repeat("fine"))
    generation: int = 1
    access: str = "access-1"
    refreshed: list[str] = field(default_factory=list)
    is_closed: bool = False  # to looks
    is_endless: bool = False  # there is always one more page
    full: dict[str, str] = field(default_factory=dict)  # what X says to messages

    def connector(self, account: SocialAccount) -> Connector:
        return connector_for(account)

    def register(self, mock: responses.RequestsMock) -> None:
        mock.add_callback("POST", f"{API}/2/oauth2/token", self.token)
        mock.add_callback("POST", f"{API}/2/tweets", self.post)
        mock.add_callback("POST", f"{API}/2/dm_conversations/with/2/messages", self.message)
        mock.add_callback("GET", f"{API}/2/users/1/tweets", self.own)
        mock.add_callback("GET", f"{API}/2/dm_conversations/with/2/dm_events", self.talk)

    def token(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        given_token = dict(parse_qsl(str(request.body)))["refresh_token"]
        self.refreshed.append(given_token)
        if given_token != f"refresh-{self.generation}":
            said = {
                "error": "invalid_request",
                "error_description": "Value passed for the token was invalid.",
            }
            return 400, {}, json.dumps(said)
        self.generation += 1
        self.access = f"access-{self.generation}"
        fresh = {"access_token": self.access, "refresh_token": f"refresh-{self.generation}"}
        return 200, {}, json.dumps({**fresh, "expires_in": 7200, "scope": " ".join(INFO.scopes)})

    def post(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        said = json.loads(request.body or "")

        def make() -> dict[str, Any]:
            made = {"id": str(100 + len(self.posts)), "text": said["text"], "created_at": self.stamp()}
            if answered := said.get("reply", {}).get("in_reply_to_tweet_id"):
                made["referenced_tweets"] = [{"type": "replied_to", "id": answered}]
                made["text"] = f"@ann @bob {said['text']}"
            self.posts.append(made)
            return {"id": made["id"]}

        is_there = any(one["text"] == f"@ann @bob {said['text']}" for one in self.posts)
        return self.write(request, make, is_there=is_there)

    def message(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        """X takes the same message twice."""
        if self.full:
            return 429, self.full, "{}"

        def make() -> dict[str, Any]:
            made = {
                "id": str(100 + len(self.messages)),
                "event_type": "MessageCreate",
                "text": json.loads(request.body or "")["text"],
                "created_at": self.stamp(),
                "sender_id": "1",
                "dm_conversation_id": "1-2",
            }
            self.messages.append(made)
            return {"dm_event_id": made["id"]}

        return self.write(request, make, is_there=False)

    def write(
        self, request: requests.PreparedRequest, make: Callable[[], dict[str, Any]], *, is_there: bool
    ) -> tuple[int, dict[str, str], str]:
        if not self.is_known(request):
            return 401, {}, json.dumps({"title": "Unauthorized"})
        fault = next(self.faults)
        if fault == "token ends":
            self.faults = itertools.chain(["fine"], self.faults)
            self.access = ""
            return 401, {}, json.dumps({"title": "Unauthorized"})
        if fault == "dropped before":
            raise requests.ConnectTimeout
        if fault == "broken before":
            return 503, {}, json.dumps({"title": "Service Unavailable"})
        if fault == "wait":
            at = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=2)
            return 429, {"x-rate-limit-reset": f"{at.timestamp():.0f}", "x-rate-limit-remaining": "0"}, "{}"
        if is_there:
            said = "You are not allowed to create a Tweet with duplicate content."
            return 403, {}, json.dumps({"detail": said})
        made = make()
        if fault == "dropped after":
            raise requests.ConnectionError(ConnectionResetError())
        if fault == "broken after":
            return 500, {}, "oops"
        return 201, {}, json.dumps({"data": made})

    def own(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        return self.look(request, self.posts)

    def talk(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        return self.look(request, self.messages)

    def look(
        self, request: requests.PreparedRequest, found: list[dict[str, Any]]
    ) -> tuple[int, dict[str, str], str]:
        if not self.is_known(request):
            return 401, {}, json.dumps({"title": "Unauthorized"})
        if self.is_closed:
            return 403, {}, json.dumps({"title": "Forbidden"})
        meta = {"result_count": len(found)} | ({"next_token": "more"} if self.is_endless else {})
        return 200, {}, json.dumps({"data": found[::-1], "meta": meta})

    def is_known(self, request: requests.PreparedRequest) -> bool:
        return request.headers["Authorization"] == f"Bearer {self.access}"

    def stamp(self) -> str:
        return self.clock().isoformat()


def credential(access: str, generation: int) -> str:
    return encrypt_json({"access_token": access, "refresh_token": f"refresh-{generation}"})


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
def account(brand: Brand) -> SocialAccount:
    options = {
        "user_id": "1",
        "username": "harbour",
        "scopes": list(INFO.scopes),
        "features": [one.key for one in INFO.features],
    }
    made = make_account(brand, platform="x", options=options, scopes=list(INFO.scopes))
    app = AppRegistration.objects.create(
        organization=brand.organization,
        name="Our app",
        platform="x",
        redirect_uri="https://smm.example.com/back",
        secret=encrypt_json({"client_id": "id", "client_secret": "s3cr3t", "extra": {}}),
    )
    Credential.objects.filter(account=made).update(secret=credential("access-1", 1), app=app)
    return made


@pytest.fixture
def send(account: SocialAccount, manager: User, clock: Clock) -> Callable[..., Delivery]:
    def scheduled(kind: DeliveryKind, text: str = "We are") -> Delivery:
        return schedule_delivery(
            account=account,
            payload=SENDS[kind](text),
            due_at=clock(),
            actor=manager,
            now=clock(),
            kind=kind,
        )

    return scheduled


def shown(stand_in: StandIn) -> list[str]:
    return [one["text"] for one in [*stand_in.posts, *stand_in.messages]]


@pytest.mark.parametrize("kind", SENDS)
def test_what_went_out_and_was_not_confirmed_is_found(
    stand_in: StandIn, send: Callable[..., Delivery], kind: DeliveryKind
) -> None:
    stand_in.faults = itertools.chain(["dropped after"], itertools.repeat("fine"))
    delivery = send(kind)
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.remote_id) == (DeliveryState.SENT, "100")
    assert len(shown(stand_in)) == 1


@pytest.mark.parametrize("kind", SENDS)
def test_a_network_that_lets_nobody_look_has_not_said_that_nothing_went_out(
    stand_in: StandIn, send: Callable[..., Delivery], kind: DeliveryKind
) -> None:
    stand_in.faults = itertools.chain(["broken after"], itertools.repeat("fine"))
    stand_in.is_closed = True
    delivery = send(kind)
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.UNCERTAIN
    assert len(shown(stand_in)) == 1


def test_the_same_words_to_somebody_else_are_another_message(
    stand_in: StandIn, send: Callable[..., Delivery]
) -> None:
    """What was answered to another post with these words is not taken for this one."""
    before = {"id": "1", "text": "@bob We are", "created_at": stand_in.stamp()}
    stand_in.posts.append({**before, "referenced_tweets": [{"type": "replied_to", "id": "49"}]})
    stand_in.faults = itertools.chain(["dropped before", "broken before"], itertools.repeat("fine"))
    delivery = send(DeliveryKind.REPLY)
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, len(stand_in.posts)) == (DeliveryState.SENT, 2)


def test_the_same_words_elsewhere_do_not_make_a_part_of_a_list_all_of_it(
    stand_in: StandIn, send: Callable[..., Delivery]
) -> None:
    """What is ours may be on a page that was not read."""
    before = {"id": "1", "text": "@bob We are", "created_at": stand_in.stamp()}
    stand_in.posts.append({**before, "referenced_tweets": [{"type": "replied_to", "id": "49"}]})
    stand_in.is_endless = True
    stand_in.faults = itertools.chain(["broken before"], itertools.repeat("fine"))
    delivery = send(DeliveryKind.REPLY)
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.UNCERTAIN
    assert [one["id"] for one in stand_in.posts] == ["1"]


@pytest.mark.parametrize("kind", SENDS)
def test_what_is_on_the_pages_that_were_read_is_found(
    stand_in: StandIn, send: Callable[..., Delivery], kind: DeliveryKind
) -> None:
    stand_in.is_endless = True
    stand_in.faults = itertools.chain(["broken after"], itertools.repeat("fine"))
    delivery = send(kind)
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.remote_id, len(shown(stand_in))) == (DeliveryState.SENT, "100", 1)


@pytest.mark.parametrize("reset", ["x-rate-limit", "x-app-limit-24hour"])
def test_posts_go_out_while_messages_have_to_wait(
    stand_in: StandIn, send: Callable[..., Delivery], reset: str
) -> None:
    """Each kind of call has its own limit at X."""
    now = stand_in.clock()
    later = now + dt.timedelta(hours=5)
    stand_in.full = {f"{reset}-remaining": "0", f"{reset}-reset": f"{later.timestamp():.0f}"}
    message = send(DeliveryKind.DM, "Hello")
    tick(stand_in)  # type: ignore[arg-type]
    message.refresh_from_db()
    assert (message.state, message.error) == (DeliveryState.SCHEDULED, StopReason.RATE_LIMITED)
    assert message.next_attempt_at > now + dt.timedelta(hours=4)
    post = send(DeliveryKind.POST, "one")
    tick(stand_in)  # type: ignore[arg-type]
    post.refresh_from_db()
    assert post.state == DeliveryState.SENT
    assert not Bucket.objects.filter(blocked_until__gt=now).exists()


def test_a_token_that_ends_on_the_way_is_renewed_and_the_new_one_kept(
    stand_in: StandIn, send: Callable[..., Delivery], account: SocialAccount
) -> None:
    Credential.objects.update(secret=credential("stale", 1))
    first, second = send(DeliveryKind.POST, "one"), send(DeliveryKind.REPLY, "two")
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    assert {Delivery.objects.get(pk=one.pk).state for one in (first, second)} == {DeliveryState.SENT}
    assert stand_in.refreshed == ["refresh-1"]
    kept = open_tokens(Credential.objects.get().secret)
    assert (kept.access_token, kept.refresh_token) == ("access-2", "refresh-2")


def test_a_refresh_token_that_is_spent_holds_the_account(
    stand_in: StandIn, send: Callable[..., Delivery], account: SocialAccount
) -> None:
    Credential.objects.update(secret=credential("stale", 0))
    delivery = send(DeliveryKind.POST)
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    account.refresh_from_db()
    assert (delivery.state, delivery.error) == (DeliveryState.HELD, StopReason.NEEDS_RECONNECT)
    assert account.status == AccountStatus.NEEDS_RECONNECT
    assert stand_in.refreshed == ["refresh-0"]
    assert shown(stand_in) == []


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    kind=st.sampled_from([DeliveryKind.REPLY, DeliveryKind.DM]),
    faults=st.lists(st.sampled_from(FAULTS), max_size=5),
)
def test_whatever_x_does_each_answer_appears_once_or_a_person_is_asked(
    stand_in: StandIn,
    send: Callable[..., Delivery],
    clock: Clock,
    kind: DeliveryKind,
    faults: list[str],
) -> None:
    Delivery.objects.all().delete()
    Bucket.objects.all().delete()
    Credential.objects.update(secret=credential("access-1", 1))
    SocialAccount.objects.update(status=AccountStatus.ACTIVE)
    clock.now = dt.datetime.now(dt.UTC)
    stand_in.generation, stand_in.access = 1, "access-1"
    stand_in.posts.clear()
    stand_in.messages.clear()
    stand_in.faults = itertools.chain(faults, itertools.repeat("fine"))
    delivery = send(kind)
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert len(shown(stand_in)) <= 1
    assert delivery.state in (DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.MISSED)
    if delivery.state == DeliveryState.SENT:
        assert len(shown(stand_in)) == 1
        assert delivery.remote_id == "100"


def test_urls_that_are_asked_are_plain(stand_in: StandIn, send: Callable[..., Delivery]) -> None:
    """No token is in an address, where a proxy would write it down."""
    stand_in.faults = itertools.chain(["dropped after"], itertools.repeat("fine"))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        stand_in.register(mock)
        send(DeliveryKind.DM)
        run_until_quiet(stand_in)  # type: ignore[arg-type]
        assert mock.calls
        assert not [c for c in mock.calls if "access-" in urlsplit(str(c.request.url)).query]
