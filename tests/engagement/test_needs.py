"""What Today and the number beside the inbox say about people who wait."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import Brand, Membership, User
from engagement.models import Conversation, Message
from engagement.selectors.needs import SOON, count_waiting, urgent
from engagement.services.settling import settle
from outbox.errors import StopReason
from outbox.models import DeliveryState
from smmapp.shell import selectors as shell
from tests.engagement.conftest import BEN, DAY, HOUR, MINUTE, NOON, comment, ended

pytestmark = pytest.mark.django_db

Take = Callable[..., int]
DUE = NOON + 4 * HOUR  # of what was written at noon


@pytest.fixture
def member(responder: User) -> Membership:
    return responder.memberships.get()


def test_who_is_not_due_for_a_while_is_not_urgent(take: Take, member: Membership) -> None:
    take(comment())
    assert urgent(member, None, now=DUE - SOON - MINUTE, most=5).total == 0
    assert urgent(member, None, now=DUE - SOON, most=5).total == 1
    assert urgent(member, None, now=DUE - MINUTE, most=5).overdue == 0
    assert urgent(member, None, now=DUE, most=5).overdue == 1


def test_mine_come_first_then_nobodys_then_those_of_colleagues(
    take: Take, member: Membership, responder: User, manager: User
) -> None:
    take(comment("Colleague", at=NOON), comment("Nobody", at=NOON + MINUTE), comment("Mine", at=NOON + HOUR))
    Conversation.objects.filter(preview="Mine").update(assignee=responder)
    Conversation.objects.filter(preview="Colleague").update(assignee=manager)
    found = urgent(member, None, now=NOON + DAY, most=2)
    assert [row.preview for row in found.rows] == ["Mine", "Nobody"]
    assert (found.total, found.overdue) == (3, 3)


def test_what_rests_or_is_done_is_no_call(take: Take, member: Membership) -> None:
    take(comment("a"), comment("b"))
    Conversation.objects.filter(preview="a").update(state="snoozed", snoozed_until=NOON + 9 * DAY)
    assert count_waiting(member, None) == 1
    assert urgent(member, None, now=NOON + DAY, most=5).total == 1


def test_other_brands_wait_elsewhere(
    take: Take, member: Membership, brand: Brand, other_brand: Brand, stranger: User
) -> None:
    take(comment())
    assert count_waiting(member, brand) == 1
    assert count_waiting(member, other_brand) == 0
    assert count_waiting(stranger.memberships.get(), None) == 0
    assert urgent(member, other_brand, now=NOON + DAY, most=5).total == 0


# --- Today --------------------------------------------------------------------------------------


def titles(user: User) -> list[str]:
    return [need.title for need in shell.needs_now(user.memberships.get(), None, NOON + DAY)]


def test_today_names_who_waits_too_long_and_counts_the_rest(take: Take, responder: User) -> None:
    take(*(comment(f"n{number}", at=NOON + number * MINUTE) for number in range(8)))
    found = titles(responder)
    assert found[:5] == ["Yuki Tanaka waits too long for an answer"] * 5
    assert found[5] == "3 more people wait or soon will wait too long"


def test_today_says_that_an_answer_was_not_sent_and_where(
    take: Take, answer: Callable[..., Message], responder: User
) -> None:
    take(comment(by=BEN))
    row = Conversation.objects.get()
    ended(answer(row, "From ten"), DeliveryState.FAILED, error=StopReason.NEWER_MESSAGE)
    settle(now=NOON + HOUR)
    needs = shell.needs_now(responder.memberships.get(), None, NOON + HOUR)
    (stopped,) = [need for need in needs if "not sent" in need.title]
    assert stopped.title == "An answer was not sent: From ten"
    assert stopped.url == f"/inbox/{row.pk}/"
    # It is no post.
    assert shell.goes_out(responder.memberships.get(), None, NOON + HOUR) == []
    assert shell.yesterday(responder.memberships.get(), None, NOON + DAY).published == 0


@pytest.mark.parametrize("who", ["viewer", "creator", "marketer"])
def test_who_may_not_answer_is_not_called(take: Take, who: str, request: pytest.FixtureRequest) -> None:
    take(comment())
    assert titles(request.getfixturevalue(who)) == []
