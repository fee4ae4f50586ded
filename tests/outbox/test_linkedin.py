"""Posts to LinkedIn by the real connector, on a stand-in that does to them what a network can do."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.connecting import connector_for
from accounts.models import AccountStatus, Brand, SocialAccount, User
from connectors.base import Connector, ReplyTarget
from connectors.errors import RejectReason
from outbox.errors import StopReason
from outbox.models import Bucket, Delivery, DeliveryKind, DeliveryState
from outbox.payloads import PartContent, freeze_post, freeze_reply
from outbox.services.scheduling import schedule_delivery
from tests.cast import make_account
from tests.outbox.conftest import run_until_quiet
from tests.outbox.network import Clock

pytestmark = pytest.mark.django_db

API = "https://api.linkedin.com"
PAGE = "urn:li:organization:5"
PERSON = "urn:li:person:A8"
FAULTS = (
    "fine",
    "dropped after",
    "dropped before",
    "broken after",
    "broken before",
    "odd after",
    "conflict after",
    "wait",
)
Answer = tuple[int, dict[str, str], str]


@dataclass
class StandIn:
    """LinkedIn as far as a post needs it: it refuses a post's words that it has, a comment's it does not."""

    clock: Clock
    posts: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    faults: Iterator[str] = field(default_factory=lambda: itertools.repeat("fine"))
    hides: bool = False  # what was posted is not listed
    shortens: bool = False  # addresses are shown as lnkd.in

    def connector(self, account: SocialAccount) -> Connector:
        return connector_for(account)

    def register(self, mock: responses.RequestsMock) -> None:
        mock.add_callback("POST", f"{API}/rest/posts", self.post)
        mock.add_callback("GET", re.compile(rf"{API}/rest/posts\?q=author.*"), self.own)
        mock.add_callback("GET", re.compile(rf"{API}/rest/posts/.*"), self.one)
        mock.add_callback("POST", re.compile(rf"{API}/rest/socialActions/.*/comments$"), self.say)
        mock.add_callback("GET", re.compile(rf"{API}/rest/socialActions/.*/comments\?.*"), self.said)

    def now(self) -> int:
        return round(self.clock().timestamp() * 1000)

    def before(self, fault: str) -> Answer | None:
        if fault == "dropped before":
            raise requests.ConnectTimeout
        if fault == "broken before":
            return 503, {}, json.dumps({"status": 503, "message": "try again"})
        if fault == "wait":
            return 429, {"Retry-After": "90"}, json.dumps({"status": 429, "message": "Too many requests"})
        return None

    def after(self, fault: str, answer: Answer) -> Answer:
        if fault == "dropped after":
            raise requests.ConnectionError(ConnectionResetError())
        if fault == "broken after":
            return 500, {}, "oops"
        if fault == "odd after":
            return 200, {}, "<html>A page of the company's proxy</html>"
        if fault == "conflict after":
            return 409, {}, json.dumps({"status": 409, "message": "Write conflict"})
        return answer

    def post(self, request: requests.PreparedRequest) -> Answer:
        fault = next(self.faults)
        if (refused := self.before(fault)) is not None:
            return refused
        said = json.loads(request.body or "")
        for post in self.posts:
            if post["commentary"] == said["commentary"]:
                message = f"Content is a duplicate of {post['id']}"
                answer = {"status": 422, "code": "DUPLICATE_POST", "message": message}
                return 422, {}, json.dumps(answer)
        urn = f"urn:li:share:{100 + len(self.posts)}"
        at = self.now()
        self.posts.append({**said, "id": urn, "createdAt": at, "lastModifiedAt": at})
        return self.after(fault, (201, {"x-restli-id": urn}, ""))

    def own(self, request: requests.PreparedRequest) -> Answer:
        shown = [] if self.hides else self.posts[::-1]
        if self.shortens:
            shown = [
                {**p, "commentary": re.sub(r"https://example\.com\S*", "https://lnkd.in/gX", p["commentary"])}
                for p in shown
            ]
        return 200, {}, json.dumps({"elements": shown})

    def one(self, request: requests.PreparedRequest) -> Answer:
        urn = unquote(urlsplit(str(request.url)).path).rpartition("/")[2]
        found = [post for post in self.posts if post["id"] == urn]
        return (200, {}, json.dumps(found[0])) if found else (404, {}, "{}")

    def say(self, request: requests.PreparedRequest) -> Answer:
        fault = next(self.faults)
        if (refused := self.before(fault)) is not None:
            return refused
        said = json.loads(request.body or "")
        below = unquote(urlsplit(str(request.url)).path).split("/")[3]
        number = str(900 + len(self.comments))
        made = {
            **said,
            "id": number,
            "below": below,
            "object": "urn:li:activity:1",
            "created": {"time": self.now()},
        }
        self.comments.append(made)
        return self.after(fault, (201, {"x-restli-id": number}, json.dumps(made)))

    def said(self, request: requests.PreparedRequest) -> Answer:
        below = unquote(urlsplit(str(request.url)).path).split("/")[3]
        found = [] if self.hides else [one for one in self.comments if one["below"] == below]
        return 200, {}, json.dumps({"elements": found})


@pytest.fixture
def clock() -> Clock:
    return Clock(dt.datetime.now(dt.UTC))


@pytest.fixture
def stand_in(clock: Clock) -> Iterator[StandIn]:
    made = StandIn(clock)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        made.register(mock)
        yield made


def account_of(brand: Brand, urn: str) -> SocialAccount:
    scopes = [
        "w_member_social",
        "rw_organization_admin",
        "r_organization_social",
        "w_organization_social",
        "r_organization_social_feed",
        "w_organization_social_feed",
    ]
    return make_account(
        brand,
        platform="linkedin",
        handle=urn.rpartition(":")[2],
        credential={"access_token": "t"},
        options={"urn": urn, "person": PERSON, "scopes": scopes},
    )


@pytest.fixture
def page(brand: Brand) -> SocialAccount:
    return account_of(brand, PAGE)


@pytest.fixture
def put(page: SocialAccount, manager: User, clock: Clock) -> Callable[..., Delivery]:
    def scheduled(text: str, comment: str = "", *, account: SocialAccount | None = None) -> Delivery:
        parts = [PartContent(text), *([PartContent(comment, is_comment=True)] if comment else [])]
        return schedule_delivery(
            account=account or page,
            payload=freeze_post(parts),
            due_at=clock(),
            actor=manager,
            now=clock(),
        )

    return scheduled


def test_a_post_and_its_first_comment_go_out(stand_in: StandIn, put: Callable[..., Delivery]) -> None:
    delivery = put("Open (again) #coffee", "More")
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.SENT
    assert delivery.permalink == "https://www.linkedin.com/feed/update/urn:li:share:100/"
    assert [(c["below"], c["message"]["text"]) for c in stand_in.comments] == [("urn:li:share:100", "More")]


def test_a_post_with_a_shortened_address_is_found_again(
    stand_in: StandIn, put: Callable[..., Delivery]
) -> None:
    stand_in.shortens = True
    stand_in.faults = itertools.chain(["dropped after"], itertools.repeat("fine"))
    delivery = put("See https://example.com/menu?a=1 today")
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.SENT
    assert len(stand_in.posts) == 1


def test_what_is_refused_as_said_before_is_found_where_it_is(
    stand_in: StandIn, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first try was not seen in time and is sent again: LinkedIn's refusal says that it was there."""
    stand_in.hides = True
    stand_in.faults = itertools.chain(["dropped after"], itertools.repeat("fine"))
    delivery = put("Open again")
    ticks = itertools.count()

    def post(request: requests.PreparedRequest) -> Answer:
        if next(ticks):
            stand_in.hides = False  # from now on it is listed
        return StandIn.post(stand_in, request)

    monkeypatch.setattr(stand_in, "post", post)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        stand_in.register(mock)
        run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.remote_id) == (DeliveryState.SENT, "urn:li:share:100")
    assert len(stand_in.posts) == 1


def test_a_person_is_asked_about_words_that_were_said_long_ago(
    stand_in: StandIn, put: Callable[..., Delivery]
) -> None:
    before = stand_in.now() - 3 * 86_400_000
    old = {"id": "urn:li:share:1", "commentary": "Open again", "createdAt": before, "lastModifiedAt": before}
    stand_in.posts.append(old)
    delivery = put("Open again")
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == (DeliveryState.UNCERTAIN, StopReason.NOT_FOUND_AFTERWARDS)
    assert "urn:li:share:1" in delivery.error_detail  # which one LinkedIn means


@pytest.mark.parametrize("fault", ["dropped after", "broken after", "odd after", "broken before"])
def test_a_person_is_asked_where_nothing_may_be_read(
    stand_in: StandIn, put: Callable[..., Delivery], brand: Brand, fault: str
) -> None:
    stand_in.faults = itertools.chain([fault], itertools.repeat("fine"))
    delivery = put("Open again", account=account_of(brand, PERSON))
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == (DeliveryState.UNCERTAIN, RejectReason.FORBIDDEN)
    assert len(stand_in.posts) <= 1


def test_a_token_that_was_taken_back_holds_the_account(
    stand_in: StandIn, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal: Answer = (401, {}, json.dumps({"status": 401, "code": "REVOKED_ACCESS_TOKEN"}))
    monkeypatch.setattr(stand_in, "post", lambda _request: refusal)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        stand_in.register(mock)
        delivery = put("one")
        run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.HELD
    assert delivery.account.status == AccountStatus.NEEDS_RECONNECT


def test_a_version_that_ended_fails_the_post_and_keeps_the_account(
    stand_in: StandIn, put: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal: Answer = (426, {}, json.dumps({"status": 426, "message": "Requested version is not active"}))
    monkeypatch.setattr(stand_in, "post", lambda _request: refusal)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        stand_in.register(mock)
        delivery = put("one")
        run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == (DeliveryState.FAILED, RejectReason.NOT_SUPPORTED)
    assert "no longer takes version" in delivery.error_detail
    assert delivery.account.status == AccountStatus.ACTIVE


@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_is_given_once(
    stand_in: StandIn, page: SocialAccount, responder: User, clock: Clock, fault: str
) -> None:
    stand_in.faults = itertools.chain([fault], itertools.repeat("fine"))
    above = "urn:li:comment:(urn:li:activity:1,50)"
    nested = "urn:li:comment:(urn:li:activity:1,51)"
    delivery = schedule_delivery(
        account=page,
        payload=freeze_reply("Thanks", ReplyTarget(nested, "urn:li:share:1", {"parent": above})),
        due_at=clock(),
        actor=responder,
        now=clock(),
        kind=DeliveryKind.REPLY,
    )
    run_until_quiet(stand_in)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.SENT
    assert [(one["below"], one["parentComment"]) for one in stand_in.comments] == [(above, above)]
    assert delivery.remote_id == "urn:li:comment:(urn:li:activity:1,900)"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(faults=st.lists(st.sampled_from(FAULTS), max_size=6))
def test_whatever_linkedin_does_each_post_appears_once_or_a_person_is_asked(
    stand_in: StandIn, put: Callable[..., Delivery], clock: Clock, faults: list[str]
) -> None:
    Delivery.objects.all().delete()
    Bucket.objects.all().delete()
    clock.now = dt.datetime.now(dt.UTC)
    stand_in.posts.clear()
    stand_in.comments.clear()
    stand_in.faults = itertools.chain(faults, itertools.repeat("fine"))
    delivery = put("Open again", "More")
    run_until_quiet(stand_in, hours=72)  # type: ignore[arg-type]
    delivery.refresh_from_db()
    assert len(stand_in.posts) <= 1
    assert len(stand_in.comments) <= 1
    assert delivery.state in (DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.MISSED)
    if delivery.state == DeliveryState.SENT:
        assert (len(stand_in.posts), len(stand_in.comments)) == (1, 1)
