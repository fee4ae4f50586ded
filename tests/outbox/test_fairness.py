"""No account waits behind another's backlog, nor behind another's rate limit."""

from __future__ import annotations

import datetime as dt

import pytest

from outbox.models import Delivery, DeliveryKind
from outbox.services.claiming import PER_ACCOUNT, claim_due
from outbox.services.rates import block_until
from outbox.services.sending import send_deliveries
from tests.cast import make_account

pytestmark = pytest.mark.django_db

BACKLOG = 2000


@pytest.fixture
def heap(schedule, sandbox_account, clock) -> list[Delivery]:
    """One account's posts, due for an hour already."""
    example = schedule("due")
    example.due_at = example.next_attempt_at = clock() - dt.timedelta(hours=1)
    example.save()
    rows = [
        Delivery(
            brand_id=example.brand_id,
            account=sandbox_account,
            payload=example.payload,
            due_at=example.due_at,
            next_attempt_at=example.next_attempt_at,
            scheduled_by_id=example.scheduled_by_id,
        )
        for _ in range(BACKLOG - 1)
    ]
    return [example, *Delivery.objects.bulk_create(rows)]


def test_a_post_is_claimed_at_once_beside_another_accounts_backlog(heap, schedule, brand, clock):
    other = schedule("just now", account=make_account(brand, handle="other"))
    claims = claim_due(now=clock(), most=20)
    assert other.pk in [claim.delivery_id for claim in claims]
    assert len(claims) == PER_ACCOUNT + 1


def test_a_backlog_keeps_one_worker_busy_and_no_more(heap, schedule, brand, clock, network):
    """However often the tick claims: what an account has in hand is one message for one thread."""
    in_hand = claim_due(now=clock())
    assert len(in_hand) == PER_ACCOUNT
    assert claim_due(now=clock()) == []
    other = schedule("just now", account=make_account(brand, handle="other"))
    assert [claim.delivery_id for claim in claim_due(now=clock())] == [other.pk]
    send_deliveries(
        claimed={claim.delivery_id: claim.fence for claim in in_hand},
        clock=clock,
        connect=network.connector,
    )
    assert len(claim_due(now=clock())) == PER_ACCOUNT


def test_an_answer_does_not_wait_for_the_posts_in_hand(heap, answer, clock):
    claim_due(now=clock())
    reply = answer(DeliveryKind.REPLY, "Thanks")
    assert [claim.delivery_id for claim in claim_due(now=clock())] == [reply.pk]


def test_an_account_that_its_network_told_to_wait_takes_nobodys_room(
    heap, schedule, brand, clock, sandbox_account
):
    block_until(account=sandbox_account, until=clock() + dt.timedelta(minutes=5))
    other = schedule("just now", account=make_account(brand, handle="other"))
    assert [claim.delivery_id for claim in claim_due(now=clock(), most=20)] == [other.pk]
