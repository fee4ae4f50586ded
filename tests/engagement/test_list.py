"""The list of conversations: filters, order, search, pages."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.http import QueryDict
from pytest_django import DjangoAssertNumQueries

from accounts.models import Brand, Membership, SocialAccount, User
from connectors.base import InboxKind, Profile
from engagement.forms import inbox_filter
from engagement.models import Conversation, ConversationKind, ConversationState, Message
from engagement.selectors.inbox import (
    Cursor,
    InboxFilter,
    Order,
    Whose,
    count_open,
    outline,
    page_of_outline,
)
from outbox.models import DeliveryState
from tests.cast import make_account
from tests.engagement.conftest import BEN, DAY, HOUR, MINUTE, NOON, US, comment, ended, message

pytestmark = pytest.mark.django_db

Take = Callable[..., int]


@pytest.fixture
def member(responder: User) -> Membership:
    return responder.memberships.get()


def listed(member: Membership, wanted: InboxFilter | None = None, **given: Any) -> list[str]:
    """The words of the rows."""
    found = outline(member, given.pop("brand", None), wanted or InboxFilter(), now=NOON + HOUR, **given)
    page = page_of_outline(found, now=NOON + HOUR)
    return [row.conversation.preview for row in page.rows]


def test_the_newest_come_first_and_done_ones_are_elsewhere(take: Take, member: Membership) -> None:
    take(comment("One", at=NOON), comment("Two", at=NOON + MINUTE), comment("Three", at=NOON + 2 * MINUTE))
    Conversation.objects.filter(preview="Two").update(state=ConversationState.DONE)
    assert listed(member) == ["Three", "One"]
    assert listed(member, InboxFilter(state=ConversationState.DONE)) == ["Two"]
    assert listed(member, InboxFilter(state=None)) == ["Three", "Two", "One"]
    assert count_open(member, None) == 2


def test_filters_leave_what_they_say(
    take: Take, member: Membership, responder: User, manager: User, sandbox_account: SocialAccount
) -> None:
    other = make_account(sandbox_account.brand, platform="bluesky", handle="sky")
    take(comment("A comment"), message("A message"), comment("A mention", kind=InboxKind.MENTION, root_id=""))
    take(comment("In the sky"), account=other)
    Conversation.objects.filter(preview="A comment").update(assignee=responder)
    Conversation.objects.filter(preview="A message").update(assignee=manager)
    assert listed(member, InboxFilter(whose=Whose.MINE)) == ["A comment"]
    assert set(listed(member, InboxFilter(whose=Whose.NOBODY))) == {"A mention", "In the sky"}
    assert listed(member, InboxFilter(kind=ConversationKind.DM)) == ["A message"]
    assert listed(member, InboxFilter(platform="bluesky")) == ["In the sky"]
    assert listed(member, InboxFilter(account=other.pk)) == ["In the sky"]
    assert listed(member, InboxFilter(account=other.pk, whose=Whose.MINE)) == []
    assert listed(member, InboxFilter(account=uuid.uuid4())) == []


def test_the_most_urgent_first_are_those_who_wait(take: Take, member: Membership) -> None:
    take(
        comment("Early", at=NOON - HOUR),
        comment("Late", at=NOON),
        comment("Answered", remote_id="c", thread="c"),
    )
    take(comment("Yes", by=US, thread="c", at=NOON + MINUTE), now=NOON + MINUTE)
    assert listed(member, InboxFilter(order=Order.DUE)) == ["Early", "Late"]


def test_words_of_the_account_alone_are_nobodys_row(take: Take, member: Membership) -> None:
    take(comment("2/2", by=US))
    assert listed(member, InboxFilter(state=None)) == []


@pytest.mark.parametrize(
    "words",
    ["sunday", "SUNDAY", "open sun", "tanaka", "yuki sunday", "日曜", "曜", "ﾆﾁﾖｳ", "?"],
)
def test_a_search_finds_pieces_of_words_and_names_in_any_script(
    take: Take, member: Membership, words: str
) -> None:
    take(comment("Open on Sunday? 日曜日も営業していますか。ニチヨウ"), comment("Something else", by=BEN))
    found = listed(member, InboxFilter(state=None, text=words))
    assert [one.startswith("Open on Sunday") for one in found] == [True]


@pytest.mark.parametrize("words", ["monday", "sunday monday", "tanaka ben", "日月", "sundayx"])
def test_a_search_leaves_out_what_does_not_have_all_words(take: Take, member: Membership, words: str) -> None:
    take(comment("Open on Sunday? 日曜日"), comment("Something else", by=BEN))
    assert listed(member, InboxFilter(state=None, text=words)) == []


def test_a_search_stays_within_the_members_brands(
    take: Take, member: Membership, brand: Brand, other_brand: Brand, stranger: User
) -> None:
    take(comment("Needle"))
    take(comment("Needle"), account=make_account(other_brand, handle="tea"))
    assert len(listed(member, InboxFilter(text="needle"))) == 2
    assert len(listed(member, InboxFilter(text="needle"), brand=brand)) == 1
    member.has_all_brands = False
    member.save()
    member.brands.add(other_brand)
    assert len(listed(member, InboxFilter(text="needle"))) == 1
    assert listed(stranger.memberships.get(), InboxFilter(text="needle")) == []


def test_pages_follow_one_another_without_gap_or_repetition(
    take: Take, member: Membership, other_brand: Brand
) -> None:
    tea = make_account(other_brand, handle="tea")
    # Some at the same instant, over two brands.
    for number in range(12):
        account = tea if number % 3 == 0 else None
        take(comment(f"n{number}", at=NOON + (number // 4) * MINUTE), account=account)
    seen: list[str] = []
    before: Cursor | None = None
    for _ in range(10):
        found = outline(member, None, InboxFilter(), before=before, now=NOON + HOUR, size=5)
        seen += [row.conversation.preview for row in page_of_outline(found, now=NOON + HOUR).rows]
        if found.older is None:
            break
        before = Cursor.parse(str(found.older))
    assert len(seen) == len(set(seen)) == 12
    assert [int(one[1:]) // 4 for one in seen] == sorted((int(one[1:]) // 4 for one in seen), reverse=True)


@pytest.mark.parametrize(
    "text", ["", "x", "2026-03-10_x", "2026-03-10T00:00:00_ae4500b0-1aa5-4e0c-b784-aaf212937de3", "_"]
)
def test_a_cursor_that_nobody_gave_out_is_none(text: str) -> None:
    assert Cursor.parse(text) is None


def test_the_tag_changes_when_something_on_the_page_does(
    take: Take, member: Membership, open_one: Conversation
) -> None:
    def tag(now: dt.datetime = NOON + HOUR) -> str:
        return outline(member, None, InboxFilter(), now=now).tag

    before = tag()
    assert tag() == before
    assert tag(now=NOON + 5 * HOUR) != before  # it is overdue by then
    take(comment("Hello?", thread="c-open", at=NOON + MINUTE), now=NOON + 2 * MINUTE)
    assert tag() != before


def test_a_row_says_that_an_answer_was_not_sent(
    open_one: Conversation, answer: Callable[..., Message], member: Membership
) -> None:
    ended(answer(open_one), DeliveryState.FAILED)
    found = outline(member, None, InboxFilter(), now=NOON + HOUR)
    (row,) = page_of_outline(found, now=NOON + HOUR).rows
    assert (row.stuck, row.is_overdue, row.is_today) == ("failed", False, True)


def test_a_page_costs_the_same_whatever_is_behind_it(
    take: Take, member: Membership, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(60):
        take(comment(f"n{number}", by=Profile(f"u{number}", f"user{number}"), at=NOON + number * MINUTE))
    with django_assert_num_queries(4):
        found = outline(member, None, InboxFilter(), now=NOON + DAY)
        rows = page_of_outline(found, now=NOON + DAY).rows
        assert len([(row.conversation.identity, row.conversation.account.info) for row in rows]) == 50


# --- what stands in an address -------------------------------------------------------------------


def test_what_makes_no_sense_in_an_address_is_left_out() -> None:
    asked = inbox_filter(QueryDict("state=x&whose=me&kind=letter&account=1&order=up&q=%00"))
    assert asked == InboxFilter()


def test_words_are_looked_for_everywhere_unless_a_state_is_named() -> None:
    assert inbox_filter(QueryDict("q=needle")).state is None
    assert inbox_filter(QueryDict("q=needle&state=done")).state == ConversationState.DONE
    assert inbox_filter(QueryDict("")).state == ConversationState.OPEN
    assert inbox_filter(QueryDict("state=all")).state is None
