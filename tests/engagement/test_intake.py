from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import SocialAccount, User
from audience.models import Activity, ActivityKind, Identity
from connectors.base import InboxItem, InboxKind, Profile
from engagement.models import (
    Conversation,
    ConversationKind,
    ConversationState,
    Direction,
    EpisodeEnd,
    Message,
    WaitEpisode,
)
from engagement.services.intake import HISTORY_AFTER
from outbox.models import Delivery, DeliveryKind, DeliveryState
from tests.engagement.conftest import BEN, DAY, HOUR, MINUTE, NOON, US, YUKI, comment, message, root

pytestmark = pytest.mark.django_db

Take = Callable[..., int]


def posted(account: SocialAccount, remote_id: str = "p1") -> Delivery:
    """A post of ours that went out."""
    return Delivery.objects.create(
        brand=account.brand,
        account=account,
        kind=DeliveryKind.POST,
        payload={"parts": [{"text": "New beans are here", "media": []}], "language": "en"},
        due_at=NOON - DAY,
        next_attempt_at=NOON - DAY,
        state=DeliveryState.SENT,
        sent_at=NOON - DAY,
        remote_id=remote_id,
        permalink=f"https://network.example/{remote_id}",
    )


# --- what is kept -------------------------------------------------------------------------------


def test_a_comment_becomes_an_open_conversation_of_its_author(
    take: Take, sandbox_account: SocialAccount
) -> None:
    assert take(comment("Is it open on Sunday?", remote_id="c1")) == 1
    row = Conversation.objects.get()
    assert (row.kind, row.state, row.preview) == ("comment", "open", "Is it open on Sunday?")
    assert row.account == sandbox_account
    assert row.identity is not None
    assert (row.identity.handle, row.identity.display_name) == ("yuki", "Yuki Tanaka")
    kept = row.messages.get()
    assert (kept.number, kept.direction, kept.remote_id, kept.text) == (
        1,
        "in",
        "c1",
        "Is it open on Sunday?",
    )
    assert kept.detail == {"id": "c1"}
    assert (row.last_number, row.last_message_at, row.is_last_own) == (1, NOON, False)


def test_the_same_item_is_kept_once_however_often_it_comes(take: Take) -> None:
    item = comment()
    assert take(item, item) == 1
    assert take(item) == 0
    assert Message.objects.count() == 1
    assert Activity.objects.count() == 1


def test_networks_that_number_posts_and_messages_apart_lose_nothing(take: Take) -> None:
    assert take(comment(remote_id="7"), message(remote_id="7")) == 2


def test_the_same_id_on_two_accounts_is_two_messages(
    take: Take, sandbox_account: SocialAccount, other_brand: object
) -> None:
    from tests.cast import make_account

    second = make_account(sandbox_account.brand, handle="harbour2")
    item = comment(remote_id="c1")
    assert take(item) == 1
    assert take(item, account=second) == 1


def test_what_belongs_together_is_one_conversation(take: Take) -> None:
    take(
        comment("One", remote_id="c1", thread="c1"),
        comment("Two", by=BEN, thread="c1", at=NOON + MINUTE, parent_id="c1"),
        comment("Another", by=BEN, remote_id="c9", thread="c9"),
    )
    first = Conversation.objects.get(messages__remote_id="c1")
    assert [m.text for m in first.messages.order_by("number")] == ["One", "Two"]
    assert first.identity is not None
    assert first.identity.handle == "yuki"  # who began it
    assert first.messages.get(number=2).parent_key == first.messages.get(number=1).remote_key
    assert Conversation.objects.count() == 2


def test_a_thread_stays_one_conversation_when_the_network_names_its_kind_differently(take: Take) -> None:
    take(comment(kind=InboxKind.MENTION, remote_id="x1", thread="x1", root_id=""))
    take(comment(kind=InboxKind.COMMENT, remote_id="x2", thread="x1", at=NOON + MINUTE))
    assert Conversation.objects.get().kind == ConversationKind.MENTION


def test_the_post_above_is_ours_where_we_sent_it(take: Take, sandbox_account: SocialAccount) -> None:
    post = posted(sandbox_account)
    take(comment(root_id="p1"))
    assert Conversation.objects.get().delivery == post


def test_a_comment_that_was_faster_than_our_own_books_finds_its_post_later(
    take: Take, sandbox_account: SocialAccount
) -> None:
    take(comment(remote_id="c1", thread="c1", root_id="p1"))
    assert Conversation.objects.get().delivery is None
    post = posted(sandbox_account)
    take(comment(thread="c1", at=NOON + MINUTE))
    assert Conversation.objects.get().delivery == post


def test_of_a_post_made_elsewhere_a_snapshot_is_kept(take: Take) -> None:
    take(comment(root=root("Made in the app of the network"), root_id="p1"))
    snapshot = Conversation.objects.get().post_snapshot
    assert (snapshot["remote_id"], snapshot["text"]) == ("p1", "Made in the app of the network")
    assert snapshot["permalink"] == "https://network.example/p1"


def test_words_that_no_database_takes_and_links_that_no_page_may_have_are_cleaned(take: Take) -> None:
    take(comment("a\0b", permalink="javascript:alert(1)"))
    kept = Message.objects.get()
    assert (kept.text, kept.permalink) == ("ab", "")


def test_an_item_without_an_id_is_left_out(take: Take) -> None:
    assert take(dataclasses.replace(comment(), remote_id="")) == 0
    assert take(comment(remote_id="x" * 600, thread="t")) == 0


def test_people_have_it_on_their_timeline_with_a_way_to_the_conversation(take: Take) -> None:
    take(comment("Hi"), message("Psst"), comment("Look @harbour", kind=InboxKind.MENTION, root_id=""))
    told = {activity.kind: activity for activity in Activity.objects.all()}
    assert set(told) == {ActivityKind.COMMENT, ActivityKind.MESSAGE, ActivityKind.MENTION}
    row = Conversation.objects.get(kind="dm")
    assert told[ActivityKind.MESSAGE].path == f"/inbox/{row.pk}/"
    assert told[ActivityKind.MESSAGE].summary == "Psst"
    assert told[ActivityKind.MESSAGE].detail == {"platform": "sandbox"}


def test_what_is_edited_or_hidden_elsewhere_is_shown_so(take: Take) -> None:
    item = comment("Oepn on Sunday?")
    take(item)
    before = Conversation.objects.get().version
    take(dataclasses.replace(item, text="Open on Sunday?", is_hidden=True, is_liked=True))
    kept, row = Message.objects.get(), Conversation.objects.get()
    assert (kept.text, kept.is_hidden, kept.is_liked) == ("Open on Sunday?", True, True)
    assert (row.preview, row.version > before) == ("Open on Sunday?", True)
    assert "open on sunday?" in kept.search_text


def test_what_a_network_does_not_tell_stays_as_it_is_here(take: Take) -> None:
    item = dataclasses.replace(comment("Hi"), is_hidden=None, is_liked=None)
    take(item)
    kept = Message.objects.get()
    assert (kept.is_hidden, kept.is_liked) == (False, False)
    Message.objects.update(is_hidden=True, is_liked=True)
    take(dataclasses.replace(item, text="Hi there"))
    kept.refresh_from_db()
    assert (kept.text, kept.is_hidden, kept.is_liked) == ("Hi there", True, True)


# --- who waits ----------------------------------------------------------------------------------


def test_somebody_waits_from_when_they_wrote_until_the_promise_of_the_brand(take: Take) -> None:
    take(comment(at=NOON), now=NOON + 5 * MINUTE)
    episode, row = WaitEpisode.objects.get(), Conversation.objects.get()
    assert episode.started_at == NOON
    assert episode.due_at == NOON + 4 * HOUR  # 13:00 in Berlin and four hours within 9 to 17
    assert (row.waiting_since, row.due_at) == (episode.started_at, episode.due_at)


def test_more_words_of_theirs_do_not_begin_anew(take: Take) -> None:
    take(comment(remote_id="c1", thread="c1"))
    take(comment("Hello?", thread="c1", at=NOON + HOUR), now=NOON + HOUR)
    assert WaitEpisode.objects.get().started_at == NOON
    assert Conversation.objects.get().waiting_since == NOON


def test_an_answer_written_elsewhere_stops_the_clock(take: Take) -> None:
    take(comment(remote_id="c1", thread="c1"))
    take(comment("From ten", by=US, thread="c1", at=NOON + 20 * MINUTE), now=NOON + 30 * MINUTE)
    episode, row = WaitEpisode.objects.get(), Conversation.objects.get()
    assert (episode.ended_how, episode.calendar_s, episode.business_s) == (EpisodeEnd.ANSWERED, 1200, 1200)
    assert episode.ended_by is not None
    assert episode.ended_by.text == "From ten"
    assert (row.waiting_since, row.due_at, row.state, row.is_last_own) == (None, None, "open", True)


def test_only_business_hours_count_as_business_time(take: Take) -> None:
    friday = dt.datetime(2026, 3, 13, 15, 45, tzinfo=dt.UTC)  # 16:45 in Berlin
    monday = dt.datetime(2026, 3, 16, 8, 15, tzinfo=dt.UTC)
    take(comment(remote_id="c1", thread="c1", at=friday), now=friday + MINUTE)
    take(comment("Yes", by=US, thread="c1", at=monday), now=monday)
    episode = WaitEpisode.objects.get()
    assert episode.business_s == 30 * 60
    assert episode.calendar_s == int((monday - friday).total_seconds())


def test_somebody_who_writes_again_opens_what_was_done(take: Take) -> None:
    take(comment(remote_id="c1", thread="c1"))
    take(comment("From ten", by=US, thread="c1", at=NOON + MINUTE), now=NOON + 2 * MINUTE)
    Conversation.objects.update(state=ConversationState.DONE)
    take(comment("Thanks! And on Monday?", thread="c1", at=NOON + HOUR), now=NOON + HOUR)
    row = Conversation.objects.get()
    assert (row.state, row.waiting_since) == ("open", NOON + HOUR)
    assert WaitEpisode.objects.count() == 2


def test_somebody_who_writes_again_wakes_what_rests(take: Take) -> None:
    take(comment(remote_id="c1", thread="c1"))
    Conversation.objects.update(state=ConversationState.SNOOZED, snoozed_until=NOON + DAY)
    take(comment("Hello?", thread="c1", at=NOON + HOUR), now=NOON + HOUR)
    row = Conversation.objects.get()
    assert (row.state, row.snoozed_until) == ("open", None)


def test_what_is_older_than_two_days_before_the_first_reading_is_history(take: Take) -> None:
    began = NOON
    old = began - HISTORY_AFTER - MINUTE
    take(comment(at=old), now=NOON, began_at=began)
    row = Conversation.objects.get()
    assert (row.state, row.waiting_since) == ("done", None)
    assert not WaitEpisode.objects.exists()


def test_what_was_written_shortly_before_waits_from_the_first_reading_and_is_not_late(take: Take) -> None:
    take(comment(at=NOON - 40 * HOUR), now=NOON, began_at=NOON)
    row = Conversation.objects.get()
    assert (row.state, row.waiting_since, row.due_at) == ("open", NOON, NOON + 4 * HOUR)


def test_what_was_answered_before_the_first_reading_needs_nothing(take: Take) -> None:
    take(
        comment(remote_id="c1", thread="c1", at=NOON - 40 * HOUR),
        comment("Yes", by=US, thread="c1", at=NOON - 39 * HOUR),
        now=NOON,
        began_at=NOON,
    )
    assert Conversation.objects.get().state == ConversationState.DONE
    assert not WaitEpisode.objects.exists()


def test_words_of_the_account_alone_are_nobodys_conversation(take: Take) -> None:
    """The second part of an own thread, say."""
    take(comment("2/2", by=US, remote_id="c1"))
    row = Conversation.objects.get()
    assert (row.identity, row.state, row.waiting_since) == (None, "done", None)


def test_a_message_that_we_wrote_first_belongs_to_whom_it_was_written(take: Take) -> None:
    take(message("Your parcel is here", by=US))
    row = Conversation.objects.get()
    assert row.identity is not None
    assert (row.identity.handle, row.state) == ("yuki", "done")


def test_a_clock_of_the_network_that_is_ahead_does_not_put_the_answer_before_the_question(
    take: Take, answer: Callable[..., Message]
) -> None:
    from engagement.services.settling import settle
    from tests.engagement.conftest import ended

    take(comment(at=NOON + 30 * MINUTE), now=NOON)  # half an hour in the future
    sent = answer(Conversation.objects.get(), now=NOON + 5 * MINUTE)
    ended(sent, sent_at=NOON + 6 * MINUTE)
    settle(now=NOON + 7 * MINUTE)
    assert WaitEpisode.objects.get().ended_how == EpisodeEnd.ANSWERED


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_it_does_not_matter_in_which_order_pages_come(take: Take, order: tuple[int, ...]) -> None:
    pages = [
        comment("One", remote_id="c1", thread="c1", at=NOON),
        comment("Answer", by=US, remote_id="c2", thread="c1", at=NOON + 10 * MINUTE),
        comment("Two", remote_id="c3", thread="c1", at=NOON + 20 * MINUTE),
        comment("Three", remote_id="c4", thread="c1", at=NOON + 25 * MINUTE),
    ]
    for turn, place in enumerate(order):
        take(pages[place], now=NOON + HOUR + turn * MINUTE)
    played = [
        (episode.opened_by.text, episode.started_at, episode.ended_at)
        for episode in WaitEpisode.objects.order_by("started_at")
    ]
    assert played == [
        ("One", NOON, NOON + 10 * MINUTE),
        ("Two", NOON + 20 * MINUTE, None),
    ]
    row = Conversation.objects.get()
    assert (row.waiting_since, row.preview, row.state) == (NOON + 20 * MINUTE, "Three", "open")
    assert sorted(m.number for m in row.messages.all()) == [1, 2, 3, 4]


# --- cost ---------------------------------------------------------------------------------------


def _page(first: int, size: int) -> list[InboxItem]:
    return [
        comment(
            f"Comment {number}",
            remote_id=f"n{number}",
            by=Profile(f"u{number}", f"user{number}", f"User {number}"),
            at=NOON + dt.timedelta(seconds=number),
        )
        for number in range(first, first + size)
    ]


def test_a_page_costs_the_same_number_of_queries_whatever_its_size(take: Take) -> None:
    take(*_page(0, 1))
    counts = []
    for first, size in ((100, 2), (200, 50)):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            take(*_page(first, size))
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[1] <= 30
    assert Message.objects.count() == 53


def test_a_page_of_known_items_costs_one_query(take: Take) -> None:
    items = _page(0, 50)
    take(*items)
    with CaptureQueriesContext(connection) as queries:
        take(*items)
    assert len([query for query in queries if "SAVEPOINT" not in query["sql"]]) == 1


def test_directions_and_people(take: Take, owner: User) -> None:
    take(comment(remote_id="c1", thread="c1"), comment("Us", by=US, thread="c1", at=NOON + MINUTE))
    ours = Message.objects.get(direction=Direction.OUT)
    assert (ours.identity, ours.sent_at, ours.delivery) == (None, NOON + MINUTE, None)
    assert Identity.objects.get().handle == YUKI.handle
