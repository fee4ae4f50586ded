"""The first comment goes out right after its post, once, and without it the post is out all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import Notification, SocialAccount, User
from accounts.news import sentence
from connectors.errors import OutcomeUnknown, Rejected, RejectReason
from outbox.models import Delivery, DeliveryState, ReceiptEvent, ReceiptKind
from outbox.payloads import PartContent, freeze_post, has_comment, thaw
from outbox.selectors import only_comment_left
from outbox.services.claiming import LEASE
from outbox.services.scheduling import retry_delivery, schedule_delivery
from tests.outbox.conftest import tick
from tests.outbox.network import Accepted, Clock, Killed, Network, Refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def put(sandbox_account: SocialAccount, manager: User, clock: Clock) -> Callable[..., Delivery]:
    def schedule(*texts: str, comment: str = "Ask us anything") -> Delivery:
        parts = [*[PartContent(text) for text in texts], PartContent(comment, is_comment=True)]
        return schedule_delivery(
            account=sandbox_account, payload=freeze_post(parts), due_at=clock(), actor=manager, now=clock()
        )

    return schedule


def state(delivery: Delivery) -> str:
    delivery.refresh_from_db()
    return delivery.state


def test_a_comment_answers_the_post(put: Callable[..., Delivery], network: Network) -> None:
    delivery = put("Hello")
    tick(network)
    assert state(delivery) == DeliveryState.SENT
    assert [(post.text, post.in_reply_to) for post in network.posts] == [
        ("Hello", ""),
        ("Ask us anything", "post-1"),
    ]
    accepted = ReceiptEvent.objects.filter(delivery=delivery, kind=ReceiptKind.PART_ACCEPTED).order_by("pk")
    assert [event.detail.get("comment", False) for event in accepted] == [False, True]
    assert delivery.remote_id == "post-1"


def test_below_a_thread_it_answers_the_first_post(put: Callable[..., Delivery], network: Network) -> None:
    put("One", "Two")
    tick(network)
    assert [post.in_reply_to for post in network.posts] == ["", "post-1", "post-1"]


def test_killed_between_the_two_it_goes_on_with_the_comment(
    put: Callable[..., Delivery], network: Network, clock: Clock
) -> None:
    network.behaviour = [Accepted(), Accepted(then=Killed())]
    delivery = put("Hello")
    tick(network)
    clock.advance(LEASE.total_seconds() + 1)
    tick(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.texts() == ["Hello", "Ask us anything"]


def test_refused_alone_it_leaves_the_post_where_it_is_and_is_tried_again_alone(
    put: Callable[..., Delivery], network: Network, clock: Clock, manager: User
) -> None:
    network.behaviour = [Accepted(), Refused(then=Rejected(RejectReason.FORBIDDEN, "no comments today"))]
    delivery = put("Hello")
    tick(network)
    assert state(delivery) == DeliveryState.FAILED
    assert only_comment_left(delivery)
    assert delivery.remote_id == "post-1"
    news = Notification.objects.get(user=manager)
    assert "is published on" in sentence(news.kind, news.context)
    assert "first comment was not sent" in sentence(news.kind, news.context)
    retry_delivery(delivery=delivery, actor=manager, now=clock())
    tick(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.texts() == ["Hello", "Ask us anything"]


def test_a_refused_post_is_no_missing_comment(put: Callable[..., Delivery], network: Network) -> None:
    network.behaviour = [Refused(then=Rejected(RejectReason.INVALID, "no"))]
    delivery = put("Hello")
    tick(network)
    assert state(delivery) == DeliveryState.FAILED
    assert not only_comment_left(delivery)
    assert network.texts() == []


def test_unclear_whether_it_arrived_it_is_sent_under_the_same_key(
    put: Callable[..., Delivery], network: Network, clock: Clock
) -> None:
    network.behaviour = [Accepted(), Accepted(then=OutcomeUnknown("?"))]
    delivery = put("Hello")
    tick(network)
    clock.advance(60)
    tick(network)
    assert state(delivery) == DeliveryState.SENT
    assert network.texts() == ["Hello", "Ask us anything"]


def test_the_payload_says_so_and_others_stay_as_they_were() -> None:
    plain = freeze_post([PartContent("Hello")])
    assert plain["parts"] == [{"text": "Hello", "media": [], "link_card": None}]
    assert not has_comment(plain)
    frozen = freeze_post([PartContent("Hello"), PartContent("More", is_comment=True)])
    assert has_comment(frozen)
    payload = thaw(frozen)
    assert [part.is_comment for part in payload.parts] == [False, True]
    assert [payload.answered_by(index) for index in range(2)] == [None, 0]
