"""Asking the networks what was written to us, and when."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
import responses
from django.db import connections

from accounts.models import AccountStatus, Brand, SocialAccount, User
from connectors import http
from connectors.base import InboxPage, PlatformInfo
from connectors.errors import NeedsReconnect, OutcomeUnknown, RateLimited, Rejected, RejectReason, Temporary
from engagement.models import Conversation, InboxPull, Message
from engagement.services import collection
from engagement.services.collection import OVERLAP
from outbox.services.rates import Lane, block_until, blocked_until, spend
from tests.cast import make_account
from tests.engagement.conftest import DAY, HOUR, MINUTE, NOON, FakeNetwork, comment

pytestmark = pytest.mark.django_db

WEEK = 7 * DAY


def collect(now: dt.datetime = NOON) -> int:
    """One tick and the tasks that it enqueues; returns how many inboxes were claimed."""
    collection.discover_accounts(now=now)
    claimed = collection.claim_accounts(now=now)
    for account_id in claimed:
        collection.collect_account(account_id=account_id, now=now)
    return len(claimed)


def pull() -> InboxPull:
    return InboxPull.objects.get()


# --- which accounts, and when -------------------------------------------------------------------


def test_a_newly_connected_account_is_read_a_week_back(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    assert collect() == 1
    assert network.calls == [(NOON - WEEK - OVERLAP, "")]
    row = pull()
    assert (row.began_at, row.read_until, row.taken_at, row.cursor) == (NOON, NOON, NOON, "")


def test_a_network_without_an_inbox_is_not_asked(
    sandbox_account: SocialAccount, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PlatformInfo, "can", lambda _self, _capability: False)
    assert collect() == 0
    assert not InboxPull.objects.exists()


def test_an_account_that_was_connected_again_without_an_inbox_is_not_asked(
    sandbox_account: SocialAccount, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect()
    monkeypatch.setattr(PlatformInfo, "can", lambda _self, _capability: False)
    assert collect(NOON + HOUR) == 1
    assert len(network.calls) == 1


def test_a_network_that_is_asked_seldom_is_asked_no_sooner(
    sandbox_account: SocialAccount, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = dataclasses.replace(sandbox_account.info, inbox_every_s=900)
    monkeypatch.setattr(SocialAccount, "info", property(lambda _self: info))
    collect()
    assert pull().next_at == NOON + 15 * MINUTE


@pytest.mark.parametrize("status", [AccountStatus.NEEDS_RECONNECT, AccountStatus.DISCONNECTED])
def test_an_account_that_is_not_connected_is_not_asked(
    sandbox_account: SocialAccount, network: FakeNetwork, status: AccountStatus
) -> None:
    collect()
    SocialAccount.objects.update(status=status)
    assert collect(NOON + HOUR) == 0
    assert len(network.calls) == 1


def test_each_round_begins_a_little_before_the_last_one(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    collect(NOON)
    collect(NOON + HOUR)
    assert network.calls[-1] == (NOON - OVERLAP, "")
    assert pull().read_until == NOON + HOUR


def test_what_a_network_shows_late_is_taken_in_once(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    early = comment("First", at=NOON - 5 * MINUTE)
    network.tells([early])
    collect(NOON)
    network.tells([early, comment("Late", at=NOON - 4 * MINUTE)])
    collect(NOON + HOUR)
    assert sorted(Message.objects.values_list("text", flat=True)) == ["First", "Late"]


def test_while_people_write_it_is_asked_more_often(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    collect(NOON)
    assert pull().next_at == NOON + collection.QUIET_INTERVAL
    network.tells([comment()])
    collect(NOON + HOUR)
    assert pull().next_at == NOON + HOUR + collection.BUSY_INTERVAL
    assert collect(NOON + HOUR + collection.BUSY_INTERVAL - dt.timedelta(seconds=1)) == 0


def test_an_inbox_that_was_not_read_for_long_begins_anew(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    collect(NOON)
    later = NOON + 60 * DAY
    SocialAccount.objects.update(connected_at=later)
    network.tells([comment("From last week", at=later - 5 * DAY)])
    collect(later)
    assert network.calls[-1] == (later - WEEK - OVERLAP, "")
    assert Conversation.objects.get().state == "done"


def test_after_a_shorter_break_nothing_is_left_out(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    collect(NOON)
    later = NOON + 9 * DAY
    SocialAccount.objects.update(connected_at=later)
    network.tells([comment("Asked meanwhile", at=NOON + 2 * DAY)])
    collect(later)
    assert network.calls[-1] == (NOON - OVERLAP, "")
    row = Conversation.objects.get()
    assert (row.state, row.waiting_since) == ("open", NOON + 2 * DAY)


# --- pages --------------------------------------------------------------------------------------


def test_a_round_is_read_to_its_end(sandbox_account: SocialAccount, network: FakeNetwork) -> None:
    network.tells([comment("a")], [comment("b")], [comment("c")])
    collect()
    assert [cursor for _since, cursor in network.calls] == ["", "1", "2"]
    assert Message.objects.count() == 3
    assert len({since for since, _cursor in network.calls}) == 1


def test_a_round_that_was_interrupted_goes_on_where_it_stopped(
    sandbox_account: SocialAccount, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.tells([comment("a")], [comment("b")], [comment("c")])
    monkeypatch.setattr(collection, "MAX_PAGES", 2)
    collect(NOON)
    row = pull()
    assert (row.cursor, row.next_at, row.round_started_at, row.taken_at) == ("2", NOON, NOON, None)
    assert row.read_until == NOON - WEEK  # not before the whole round is in
    collect(NOON + MINUTE)
    row = pull()
    assert [cursor for _since, cursor in network.calls] == ["", "1", "2"]
    assert (row.cursor, row.read_until) == ("", NOON)
    assert Message.objects.count() == 3


def test_an_error_on_the_second_page_keeps_the_first(
    sandbox_account: SocialAccount, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.tells([comment("a")], [comment("b")])
    fetch = network.fetch_inbox

    def breaks_once(*, since: dt.datetime, cursor: str = "") -> object:
        if cursor == "1" and network.error is None:
            network.error = Temporary("gone")
        try:
            return fetch(since=since, cursor=cursor)
        finally:
            if cursor == "1":
                network.fetch_inbox = fetch  # type: ignore[method-assign]
                network.error = None

    network.fetch_inbox = breaks_once  # type: ignore[method-assign, assignment]
    collect(NOON)
    assert Message.objects.count() == 1
    assert (pull().cursor, pull().error) == ("1", "temporary")
    collect(NOON + 2 * MINUTE)
    assert Message.objects.count() == 2
    assert (pull().error, pull().failures, pull().read_until) == ("", 0, NOON)


def test_a_network_that_hands_out_the_same_cursor_for_ever_is_left(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    network.pages = [InboxPage([comment()], cursor="0")]
    collect()
    assert (pull().cursor, len(network.calls)) == ("", 2)
    assert Message.objects.count() == 1


# --- trouble ------------------------------------------------------------------------------------


def test_a_network_that_asks_to_wait_is_left_until_then(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    network.error = RateLimited(NOON + 20 * MINUTE, "slow down")
    collect(NOON)
    row = pull()
    assert (row.error, row.error_detail, row.blocked_until) == (
        "rate_limited",
        "slow down",
        NOON + 20 * MINUTE,
    )
    assert collect(NOON + 19 * MINUTE) == 0
    network.error = None
    assert collect(NOON + 20 * MINUTE) == 1
    assert (pull().error, pull().blocked_until) == ("", None)


def test_a_network_that_asks_to_wait_is_read_by_nobody_and_sent_to_as_before(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    network.error = RateLimited(NOON + 20 * MINUTE, "slow down")
    collect(NOON)
    waits = [blocked_until(account=sandbox_account, now=NOON, lane=lane) for lane in Lane]
    assert waits == [None, NOON + 20 * MINUTE]


def test_where_reading_has_to_wait_nothing_is_asked_and_nothing_is_wrong(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    until = NOON + 20 * MINUTE
    block_until(account=sandbox_account, until=until, lanes=(Lane.READING,))
    collect(NOON)
    row = pull()
    assert (network.calls, row.error, row.taken_at) == ([], "", None)
    assert until <= row.next_at <= until + 2 * MINUTE
    assert collect(until - MINUTE) == 0
    collect(until + 2 * MINUTE)
    assert (len(network.calls), pull().taken_at) == (1, until + 2 * MINUTE)


def test_a_round_goes_on_where_it_stopped_when_there_is_room_again(
    sandbox_account: SocialAccount, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.tells([comment("1", at=NOON - HOUR)], [comment("2", at=NOON - HOUR)])
    fetch = network.fetch_inbox

    def nearly_full(**asked: Any) -> InboxPage:
        block_until(account=sandbox_account, until=NOON + MINUTE, lanes=(Lane.READING,))
        return fetch(**asked)

    monkeypatch.setattr(network, "fetch_inbox", nearly_full)
    collect(NOON)
    assert [cursor for _since, cursor in network.calls] == [""]
    assert pull().cursor == "1"
    collect(NOON + 2 * MINUTE)
    assert [cursor for _since, cursor in network.calls] == ["", "1"]
    assert Message.objects.count() == 2


def test_looks_that_cost_units_are_spaced_by_what_is_left_of_them(
    brand: Brand, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = make_account(brand, platform="youtube", options={"channel_id": "UC1"})
    address = "https://www.googleapis.com/youtube/v3/commentThreads"
    fetch = network.fetch_inbox

    def two_calls(**asked: Any) -> InboxPage:
        for _ in range(2):
            http.request("GET", address, platform="youtube")
        return fetch(**asked)

    monkeypatch.setattr(network, "fetch_inbox", two_calls)
    units = next(one for one in channel.info.rates if one.name == "units")
    day = dt.datetime(2026, 11, 30, 8, tzinfo=dt.UTC)  # midnight in Los Angeles
    with responses.RequestsMock() as mock:
        mock.get(address, json={"items": []})
        collect(day)
        assert pull().next_at == day + MINUTE  # 2,500 looks are more than one a minute
        spend(account=channel, rate=units, amount=4396, is_reading=True, now=day)
        collect(day + MINUTE)
        rest = DAY - MINUTE
        assert pull().next_at == day + MINUTE + rest / 300  # of 5,000 units 600 are left
        spend(account=channel, rate=units, amount=600, is_reading=True, now=day + MINUTE)
        now = pull().next_at
        collect(now)
        assert len(network.calls) == 2
        assert pull().next_at >= day + DAY


def test_an_answer_that_nobody_foresaw_is_noted_and_asked_for_later(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    network.error = TypeError("'NoneType' object is not subscriptable")  # type: ignore[assignment]
    collect()
    assert (pull().error, pull().error_detail, pull().failures) == ("program_error", "TypeError", 1)
    assert pull().claimed_until is None
    assert pull().next_at >= NOON + MINUTE
    network.error = None
    collect(pull().next_at)
    assert (pull().error, pull().failures) == ("", 0)


@pytest.mark.parametrize("error", [Temporary("down"), OutcomeUnknown("cut off")])
def test_a_network_that_cannot_be_reached_is_asked_later_and_later(
    sandbox_account: SocialAccount, network: FakeNetwork, error: Exception
) -> None:
    network.error = error  # type: ignore[assignment]
    at, waits = NOON, []
    for _ in range(3):
        collect(at)
        blocked = pull().blocked_until
        assert blocked is not None
        waits.append(blocked - at)
        at = blocked
    assert waits[0] < waits[1] < waits[2]
    assert waits[0] >= MINUTE
    assert pull().failures == 3


def test_a_dead_credential_ends_in_a_call_for_a_person(
    sandbox_account: SocialAccount, network: FakeNetwork, owner: User
) -> None:
    network.error = NeedsReconnect("revoked")
    collect()
    sandbox_account.refresh_from_db()
    assert sandbox_account.status == AccountStatus.NEEDS_RECONNECT
    assert owner.notifications.get().context["account"] == "@harbour"
    assert pull().claimed_until is None


def test_what_a_network_refuses_for_good_is_asked_again_hours_later(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    network.error = Rejected(RejectReason.FORBIDDEN, "no scope")
    collect()
    assert (pull().error, pull().next_at) == ("forbidden", NOON + collection.REFUSED_PAUSE)


def test_a_cursor_that_the_network_no_longer_knows_begins_the_round_anew(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    collect(NOON)
    InboxPull.objects.update(cursor="7", round_started_at=NOON)
    network.error = Rejected(RejectReason.INVALID, "cursor")
    collect(NOON + HOUR)
    assert (pull().cursor, pull().round_started_at) == ("", None)
    network.error = None
    collect(NOON + 2 * HOUR)
    assert network.calls[-1] == (NOON - OVERLAP, "")


# --- several workers ----------------------------------------------------------------------------


def test_a_claimed_inbox_is_left_to_its_worker_until_the_claim_runs_out(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    collection.discover_accounts(now=NOON)
    assert len(collection.claim_accounts(now=NOON)) == 1
    assert collection.claim_accounts(now=NOON + MINUTE) == []
    assert len(collection.claim_accounts(now=NOON + collection.CLAIM_LEASE)) == 1


def test_a_worker_that_was_taken_over_writes_nothing_more(
    sandbox_account: SocialAccount, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.tells([comment("a")], [comment("b")])
    fetch = network.fetch_inbox

    def slow(*, since: dt.datetime, cursor: str = "") -> object:
        if cursor == "":
            InboxPull.objects.update(cursor="1", round_started_at=NOON + MINUTE)
        return fetch(since=since, cursor=cursor)

    monkeypatch.setattr(network, "fetch_inbox", slow)
    collect(NOON)
    assert not Message.objects.exists()
    assert (pull().cursor, pull().round_started_at) == ("1", NOON + MINUTE)


@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_the_same_moment_claim_each_inbox_once(brand: object) -> None:
    for number in range(20):
        make_account(brand, handle=f"a{number}")  # type: ignore[arg-type]
    collection.discover_accounts(now=NOON)
    found: list[list[object]] = []
    start = threading.Barrier(2)

    def tick() -> None:
        start.wait(5)
        found.append(list(collection.claim_accounts(now=NOON)))
        connections.close_all()

    threads = [threading.Thread(target=tick) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    claimed = [account for one in found for account in one]
    assert len(claimed) == len(set(claimed)) == 20


def test_the_network_is_never_called_inside_a_transaction(
    sandbox_account: SocialAccount, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import connection

    depth: list[int] = []
    fetch: Callable[..., object] = network.fetch_inbox

    def counted(**given: object) -> object:
        depth.append(len(connection.savepoint_ids))
        return fetch(**given)

    monkeypatch.setattr(network, "fetch_inbox", counted)
    outside = len(connection.savepoint_ids)
    collect()
    assert depth == [outside]
