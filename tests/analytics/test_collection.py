from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.db import connection, connections

from accounts.models import AccountStatus, SocialAccount, User
from analytics.models import TOLD_AS, AccountDay, AccountPull, PostMetrics, PostSnapshot
from analytics.services import collection
from analytics.services.rollup import roll_up
from connectors.base import AccountMetrics, Capability
from connectors.base import PostMetrics as Counts
from connectors.errors import (
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.registry import info_for
from outbox.models import Delivery, DeliveryState
from outbox.services.rates import Lane, block_until, blocked_until
from tests.analytics.conftest import NOON, FakeNetwork
from tests.cast import make_account

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)

Sent = Callable[..., Delivery]


def follow(now: dt.datetime) -> None:
    collection.discover_accounts(now=now)
    collection.discover_posts(now=now, since=now - 90 * DAY)


def collect(now: dt.datetime) -> int:
    """One tick and the tasks that it enqueues; returns how many accounts were claimed."""
    follow(now)
    claimed = collection.claim_accounts(now=now)
    for account_id in claimed:
        collection.collect_account(account_id=account_id, now=now)
    return len(claimed)


# --- when ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        (dt.timedelta(), MINUTE),
        (30 * dt.timedelta(seconds=1), MINUTE / 2),
        (MINUTE, 4 * MINUTE),
        (5 * MINUTE, 10 * MINUTE),
        (15 * MINUTE, 45 * MINUTE),
        (HOUR, HOUR),
        (47 * HOUR, HOUR),
        (2 * DAY, 6 * HOUR),
        (13 * DAY + 23 * HOUR, HOUR),
        (14 * DAY, DAY),
        (89 * DAY, DAY),
    ],
)
def test_a_post_is_asked_for_less_and_less_often(age: dt.timedelta, wait: dt.timedelta) -> None:
    assert collection.next_pull(sent_at=NOON, now=NOON + age) == NOON + age + wait


def test_a_network_that_is_asked_seldom_is_asked_no_sooner() -> None:
    def following(age: dt.timedelta) -> dt.timedelta:
        at = collection.next_pull(sent_at=NOON, now=NOON + age, least=6 * HOUR)
        assert at is not None
        return at - NOON

    assert following(dt.timedelta()) == 7 * HOUR
    assert following(7 * HOUR) == 14 * HOUR
    assert following(20 * DAY) == 21 * DAY
    assert collection.next_pull(sent_at=NOON, now=NOON + 90 * DAY - HOUR, least=6 * HOUR) is None


def test_both_counts_wait_as_long_as_the_network_wants(
    sent: Sent, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = dataclasses.replace(info_for("sandbox"), counts_every_s=6 * 3600)
    monkeypatch.setattr(SocialAccount, "info", property(lambda _self: info))
    delivery = sent()
    assert delivery.sent_at is not None
    follow(delivery.sent_at)
    row = PostMetrics.objects.get()
    assert row.next_pull_at == delivery.sent_at + 7 * HOUR
    collect(delivery.sent_at + 7 * HOUR)
    row.refresh_from_db()
    assert row.next_pull_at == delivery.sent_at + 14 * HOUR
    pull = AccountPull.objects.get()
    assert pull.account_next_at == delivery.sent_at + 13 * HOUR


def test_posts_of_an_account_that_was_connected_again_without_counts_are_left(
    sent: Sent, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = sent()
    assert delivery.sent_at is not None
    follow(delivery.sent_at)
    assert PostMetrics.objects.get().next_pull_at is not None
    info = info_for("sandbox")
    before = SocialAccount.info
    left = info.capabilities - {Capability.POST_METRICS, Capability.ACCOUNT_METRICS}
    info = dataclasses.replace(info, capabilities=left)
    monkeypatch.setattr(SocialAccount, "info", property(lambda _self: info))
    collect(delivery.sent_at + HOUR)
    assert (network.account_calls, network.post_calls) == (0, [])
    # Connected with counts again, they are read within a day.
    assert PostMetrics.objects.get().next_pull_at == delivery.sent_at + HOUR + DAY
    monkeypatch.setattr(SocialAccount, "info", before)
    collect(delivery.sent_at + HOUR + DAY)
    assert len(network.post_calls) == 1


def test_a_post_is_left_alone_after_ninety_days() -> None:
    assert collection.next_pull(sent_at=NOON, now=NOON + 90 * DAY) is None


def test_a_sent_post_is_found_by_pulling_and_only_once(sent: Sent) -> None:
    delivery = sent(at=NOON)
    collection.discover_accounts(now=NOON)
    assert collection.discover_posts(now=NOON, since=NOON - HOUR) == 1
    assert collection.discover_posts(now=NOON, since=NOON - HOUR) == 0
    assert PostMetrics.objects.get(delivery=delivery).next_pull_at == NOON + MINUTE


@pytest.mark.parametrize("state", [s for s in DeliveryState if s is not DeliveryState.SENT])
def test_only_sent_deliveries_are_followed(sent: Sent, state: DeliveryState) -> None:
    sent(at=NOON, state=state, lease_until=NOON)
    assert collection.discover_posts(now=NOON, since=NOON - HOUR) == 0


def test_posts_older_than_ninety_days_are_not_followed(sent: Sent) -> None:
    sent(at=NOON - 91 * DAY)
    assert collection.discover_posts(now=NOON, since=NOON - 365 * DAY) == 0


def test_a_new_post_wakes_its_account_before_the_hour_is_over(sent: Sent, network: FakeNetwork) -> None:
    collection.discover_accounts(now=NOON)
    sent(at=NOON)
    assert collect(NOON) == 1
    assert AccountPull.objects.get().next_at == NOON + MINUTE
    assert collect(NOON + MINUTE) == 1
    assert network.account_calls == 1
    assert network.post_calls == [["r1"]]


def test_an_account_that_was_connected_again_is_counted_at_once(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    """It may have been connected without permission to count, and was to be looked at a day later."""
    collect(NOON)
    AccountPull.objects.update(account_next_at=NOON + DAY, next_at=NOON + DAY)
    assert collect(NOON + HOUR) == 0
    SocialAccount.objects.update(connected_at=NOON + HOUR)
    assert collect(NOON + HOUR + MINUTE) == 1
    assert network.account_calls == 2
    assert collect(NOON + HOUR + 2 * MINUTE) == 0


def test_what_goes_wrong_after_that_is_not_asked_for_without_end(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    collect(NOON)
    SocialAccount.objects.update(connected_at=NOON + HOUR)
    later = {"account_next_at": NOON + DAY, "next_at": NOON + DAY, "error": "forbidden"}
    AccountPull.objects.update(**later)
    assert collect(NOON + HOUR + 2 * MINUTE) == 0
    assert collect(NOON + HOUR + MINUTE / 2) == 1


# --- what is written ------------------------------------------------------------------------------


def test_account_counts_land_on_the_date_of_the_brands_zone(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    late = dt.datetime(2026, 3, 10, 23, 30, tzinfo=dt.UTC)  # 00:30 of the next day in Berlin
    collect(late)
    row = AccountDay.objects.get()
    assert row.date == dt.date(2026, 3, 11)
    assert (row.followers, row.following, row.posts, row.taken_at) == (1000, 50, 7, late)


def test_a_day_keeps_the_last_counts_taken(sandbox_account: SocialAccount, network: FakeNetwork) -> None:
    collect(NOON)
    network.account = AccountMetrics(followers=1010)
    collect(NOON + HOUR)
    row = AccountDay.objects.get()
    assert (row.followers, row.taken_at) == (1010, NOON + HOUR)


def test_account_counts_are_taken_once_an_hour(sandbox_account: SocialAccount, network: FakeNetwork) -> None:
    for minutes in (0, 1, 30, 59, 60, 61):
        collect(NOON + minutes * MINUTE)
    assert network.account_calls == 2


def test_every_answer_is_a_snapshot_and_the_last_one_is_the_metrics(sent: Sent, network: FakeNetwork) -> None:
    delivery = sent(at=NOON)
    collect(NOON + MINUTE)
    network.everything = Counts(likes=12, comments=2, shares=3, impressions=900)
    collect(NOON + 5 * MINUTE)
    assert list(
        PostSnapshot.objects.filter(delivery_id=delivery.pk)
        .order_by("taken_at")
        .values_list("taken_at", "likes")
    ) == [(NOON + MINUTE, 10), (NOON + 5 * MINUTE, 12)]
    row = PostMetrics.objects.get()
    assert (row.likes, row.impressions, row.taken_at) == (12, 900, NOON + 5 * MINUTE)
    assert row.next_pull_at == NOON + 15 * MINUTE


def test_every_count_that_a_connector_can_tell_is_kept() -> None:
    told = {field.name for field in dataclasses.fields(Counts)}
    assert set(TOLD_AS.values()) == told
    assert set(TOLD_AS) <= {field.name for field in PostMetrics._meta.get_fields()}


def test_reach_and_the_networks_own_clicks_are_kept(sent: Sent, network: FakeNetwork) -> None:
    delivery = sent(at=NOON)
    network.everything = Counts(likes=12, impressions=900, reach=700, clicks=21)
    collect(NOON + MINUTE)
    row, snapshot = PostMetrics.objects.get(), PostSnapshot.objects.get(delivery_id=delivery.pk)
    assert (row.reach, row.network_clicks) == (snapshot.reach, snapshot.network_clicks) == (700, 21)
    network.everything = Counts(likes=12, impressions=950)
    collect(NOON + 5 * MINUTE)
    row.refresh_from_db()
    assert (row.reach, row.network_clicks) == (None, 21)  # reach is never summed up


def test_what_a_network_does_not_tell_stays_null(sent: Sent, network: FakeNetwork) -> None:
    sent(at=NOON)
    network.everything = Counts(likes=0)
    collect(NOON + MINUTE)
    row = PostMetrics.objects.get()
    assert row.likes == 0
    assert row.impressions is None


def test_followers_at_post_are_those_of_the_day_it_was_sent(
    sandbox_account: SocialAccount, sent: Sent, network: FakeNetwork
) -> None:
    for days, followers in ((3, 800), (1, 900)):
        at = NOON - days * DAY
        AccountDay.objects.create(account=sandbox_account, date=at.date(), followers=followers, taken_at=at)
    old = sent(at=NOON - 2 * DAY)
    fresh = sent(at=NOON - HOUR)
    unknown = sent(at=NOON - 5 * DAY)
    collect(NOON)
    assert PostMetrics.objects.get(delivery=old).followers_at_post == 800
    assert PostMetrics.objects.get(delivery=fresh).followers_at_post == 1000
    assert PostMetrics.objects.get(delivery=unknown).followers_at_post is None
    network.account = AccountMetrics(followers=5000)
    collect(NOON + 6 * HOUR)
    assert PostMetrics.objects.get(delivery=fresh).followers_at_post == 1000


def test_many_posts_are_asked_for_in_batches(sent: Sent, network: FakeNetwork) -> None:
    for _ in range(120):
        sent(at=NOON)
    collect(NOON + MINUTE)
    assert [len(call) for call in network.post_calls] == [50, 50, 20]
    assert PostSnapshot.objects.count() == 120


def test_old_posts_soon_due_are_taken_along(sent: Sent, network: FakeNetwork) -> None:
    sent(at=NOON - 3 * DAY - 20 * MINUTE)
    sent(at=NOON - 3 * DAY)
    collect(NOON)
    assert len(network.post_calls) == 1
    assert collect(NOON + 6 * HOUR - 20 * MINUTE) == 1
    assert [len(call) for call in network.post_calls] == [2, 2]


# --- the five errors ------------------------------------------------------------------------------


def test_rate_limited_puts_the_whole_account_off_until_then(sent: Sent, network: FakeNetwork) -> None:
    sent(at=NOON)
    network.post_error = lambda _ids: RateLimited(NOON + 20 * MINUTE, "slow down")
    collect(NOON + MINUTE)
    assert PostMetrics.objects.get().taken_at is None
    network.post_error = None
    assert collect(NOON + 19 * MINUTE) == 0
    assert collect(NOON + 20 * MINUTE) == 1
    assert PostMetrics.objects.get().taken_at == NOON + 20 * MINUTE
    assert AccountPull.objects.get().error == ""


def test_a_lost_credential_is_noted_and_nothing_more_is_asked(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    network.account_error = NeedsReconnect("token revoked")
    collect(NOON)
    sandbox_account.refresh_from_db()
    assert sandbox_account.status == AccountStatus.NEEDS_RECONNECT
    assert collect(NOON + 2 * HOUR) == 0
    SocialAccount.objects.update(status=AccountStatus.ACTIVE)
    network.account_error = None
    assert collect(NOON + 3 * HOUR) == 1
    assert AccountDay.objects.get().taken_at == NOON + 3 * HOUR


def test_an_answer_that_nobody_foresaw_is_noted_and_asked_for_later(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    network.account_error = TypeError("'NoneType' object is not subscriptable")  # type: ignore[assignment]
    collect(NOON)
    pull = AccountPull.objects.get()
    assert (pull.error, pull.error_detail, pull.failures) == ("program_error", "TypeError", 1)
    assert (pull.claimed_until, pull.blocked_until is not None) == (None, True)
    network.account_error = None
    assert collect(NOON + 2 * MINUTE) == 1
    assert AccountPull.objects.get().error == ""


@pytest.mark.parametrize("error", [Temporary("502"), OutcomeUnknown("dropped")])
def test_a_network_that_cannot_be_reached_is_tried_again_later_and_later(
    sandbox_account: SocialAccount, network: FakeNetwork, error: Exception
) -> None:
    network.account_error = error  # type: ignore[assignment]
    waits = []
    now = NOON
    for _ in range(9):
        assert collect(now) == 1
        blocked_until = AccountPull.objects.get().blocked_until
        assert blocked_until is not None
        waits.append((blocked_until - now) / MINUTE)
        now = blocked_until
    for wait, least in zip(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60], strict=True):
        assert least <= wait <= least * 1.25
    network.account_error = None
    collect(now)
    assert AccountPull.objects.get().failures == 0
    assert AccountDay.objects.get().taken_at == now


def test_an_account_that_may_not_be_read_does_not_stop_its_posts(sent: Sent, network: FakeNetwork) -> None:
    sent(at=NOON)
    network.account_error = Rejected(RejectReason.FORBIDDEN, "scope missing")
    collect(NOON + MINUTE)
    pull = AccountPull.objects.get()
    assert (pull.error, pull.error_detail) == ("forbidden", "scope missing")
    assert pull.account_next_at == NOON + MINUTE + DAY
    assert PostMetrics.objects.get().likes == 10


def test_one_bad_post_does_not_spoil_its_batch(sent: Sent, network: FakeNetwork) -> None:
    for _ in range(7):
        sent(at=NOON)
    network.post_error = lambda ids: Rejected(RejectReason.NOT_FOUND, "r3") if "r3" in ids else None
    collect(NOON + MINUTE)
    assert set(PostMetrics.objects.filter(is_gone=True).values_list("delivery__remote_id", flat=True)) == {
        "r3"
    }
    assert PostSnapshot.objects.count() == 6


def test_a_post_that_is_gone_keeps_its_last_counts_and_is_left_alone_after_a_day(
    sent: Sent, network: FakeNetwork
) -> None:
    sent(at=NOON)
    collect(NOON + MINUTE)
    network.everything = None
    collect(NOON + 5 * MINUTE)
    row = PostMetrics.objects.get()
    assert row.is_gone
    assert row.likes == 10
    assert row.next_pull_at == NOON + 15 * MINUTE
    collect(NOON + 25 * HOUR)
    assert PostMetrics.objects.get().next_pull_at is None


def test_a_post_that_was_not_there_yet_is_found_at_the_next_look(sent: Sent, network: FakeNetwork) -> None:
    sent(at=NOON)
    network.everything = None
    collect(NOON + MINUTE)
    network.everything = Counts(likes=1)
    collect(NOON + 5 * MINUTE)
    row = PostMetrics.objects.get()
    assert not row.is_gone
    assert row.likes == 1


def test_a_count_that_is_left_out_for_once_is_not_gained_again(
    sent: Sent, network: FakeNetwork, sandbox_account: SocialAccount
) -> None:
    sent(at=NOON)
    for day, shares in enumerate([17, None, 20]):
        network.everything = Counts(likes=10, shares=shares)
        collect(NOON + MINUTE + day * DAY)
    told = PostSnapshot.objects.order_by("taken_at").values_list("shares", "impressions")
    assert list(told) == [(17, None), (17, None), (20, None)]
    roll_up(brand=sandbox_account.brand, now=NOON + 2 * DAY + HOUR)
    gained = AccountDay.objects.order_by("date").values_list("shares", flat=True)
    assert list(gained) == [17, 0, 3]


def test_a_count_that_the_network_does_not_tell_any_more_is_unknown(
    sent: Sent, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(at=NOON)
    collect(NOON + MINUTE)
    info = dataclasses.replace(info_for("sandbox", {}), post_metrics=("likes",))
    monkeypatch.setattr(SocialAccount, "info", info)
    network.everything = Counts(likes=11)
    collect(NOON + 5 * MINUTE)
    row = PostMetrics.objects.get()
    assert (row.likes, row.shares) == (11, None)


def test_why_counts_are_missing_is_kept_until_posts_are_asked_for_again(
    sent: Sent, network: FakeNetwork
) -> None:
    sent(at=NOON - 3 * DAY)
    network.untold = "Switch it on."
    collect(NOON)
    pull = AccountPull.objects.get()
    assert (pull.error, pull.error_detail, pull.taken_at) == ("", "Switch it on.", NOON)
    network.untold = ""
    collect(NOON + 61 * MINUTE)  # the account alone
    assert len(network.post_calls) == 1
    assert AccountPull.objects.get().error_detail == "Switch it on."
    collect(NOON + 8 * HOUR)
    assert AccountPull.objects.get().error_detail == ""
    assert len(network.post_calls) == 2


# --- several at once ------------------------------------------------------------------------------


def test_a_claimed_account_is_not_claimed_again_until_the_claim_runs_out(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    follow(NOON)
    assert collection.claim_accounts(now=NOON) == [sandbox_account.pk]
    assert collection.claim_accounts(now=NOON + MINUTE) == []
    assert collection.claim_accounts(now=NOON + collection.CLAIM_LEASE) == [sandbox_account.pk]


def test_no_more_accounts_are_claimed_than_workers_can_take(brand: object, network: FakeNetwork) -> None:
    for number in range(5):
        make_account(brand, handle=f"a{number}")  # type: ignore[arg-type]
    follow(NOON)
    assert len(collection.claim_accounts(now=NOON, most=3)) == 3
    assert collection.claim_accounts(now=NOON, most=3) == []


def test_a_worker_that_wakes_up_late_does_not_write_over_newer_counts(
    sent: Sent, network: FakeNetwork
) -> None:
    sent(at=NOON)
    collect(NOON + 15 * MINUTE)
    network.everything = Counts(likes=1)
    PostMetrics.objects.update(next_pull_at=NOON)
    collection.collect_account(account_id=AccountPull.objects.get().pk, now=NOON + 5 * MINUTE)
    row = PostMetrics.objects.get()
    assert (row.likes, row.taken_at) == (10, NOON + 15 * MINUTE)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_empty_snapshots")
def test_two_beats_at_once_share_the_accounts(owner: User, brand: object) -> None:
    for number in range(20):
        make_account(brand, handle=f"a{number}")  # type: ignore[arg-type]
    follow(NOON)
    start = threading.Barrier(4)
    claimed: list[object] = []

    def beat() -> None:
        start.wait()
        claimed.extend(collection.claim_accounts(now=NOON))
        connections.close_all()

    threads = [threading.Thread(target=beat) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == 20
    assert len(set(claimed)) == 20


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_empty_snapshots")
def test_the_network_is_asked_outside_any_transaction(sent: Sent, network: FakeNetwork) -> None:
    sent(at=NOON)
    seen: list[bool] = []

    def note(ids: object) -> None:
        seen.append(connection.in_atomic_block)

    network.post_error = note
    collect(NOON + MINUTE)
    assert seen == [False]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_empty_snapshots")
def test_a_post_discovered_while_its_account_is_being_read_is_not_forgotten(
    sent: Sent, network: FakeNetwork
) -> None:
    sent(at=NOON)
    follow(NOON)

    def another_is_sent(ids: object) -> None:
        sent(at=NOON + MINUTE)
        collection.discover_posts(now=NOON + MINUTE, since=NOON)

    network.post_error = another_is_sent
    for account_id in collection.claim_accounts(now=NOON + MINUTE):
        collection.collect_account(account_id=account_id, now=NOON + MINUTE)
    assert AccountPull.objects.get().next_at == NOON + 2 * MINUTE


# --- room for reading -----------------------------------------------------------------------------


def test_where_reading_has_to_wait_no_counts_are_taken_and_nothing_is_wrong(
    sent: Sent, network: FakeNetwork, sandbox_account: SocialAccount
) -> None:
    sent(at=NOON - HOUR)
    until = NOON + 20 * MINUTE
    block_until(account=sandbox_account, until=until, lanes=(Lane.READING,))
    collect(NOON)
    pull = AccountPull.objects.get()
    assert (network.account_calls, network.post_calls, pull.error, pull.taken_at) == (0, [], "", None)
    assert collect(until - MINUTE) == 0
    collect(until + 2 * MINUTE)
    assert (network.account_calls, network.post_calls) == (1, [["r1"]])


def test_counts_stop_at_the_answer_that_says_there_is_no_more_room(
    sent: Sent, network: FakeNetwork, sandbox_account: SocialAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(at=NOON - HOUR)

    def nearly_full() -> AccountMetrics:
        block_until(account=sandbox_account, until=NOON + HOUR, lanes=(Lane.READING,))
        return AccountMetrics(followers=3)

    monkeypatch.setattr(network, "fetch_account_metrics", nearly_full)
    collect(NOON)
    assert AccountDay.objects.get().followers == 3
    assert network.post_calls == []


def test_a_wait_that_counts_are_told_holds_for_the_inbox_too(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    network.account_error = RateLimited(NOON + HOUR, "slow down")
    collect(NOON)
    waits = [blocked_until(account=sandbox_account, now=NOON, lane=lane) for lane in Lane]
    assert waits == [None, NOON + HOUR]
