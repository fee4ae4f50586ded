"""What any answer tells of the network's limits holds for every worker, before any of them is refused."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import responses
from django.db import connections

from accounts.connecting import connector_for
from accounts.models import AppRegistration, Brand, Credential, SocialAccount, User
from connectors import http
from connectors.base import Connector, Rate
from connectors.limits import Allowance, Covers
from connectors.link_preview import read_picture, read_preview
from outbox.errors import StopReason
from outbox.models import Bucket, Delivery, DeliveryState
from outbox.payloads import MediaContent, PartContent, freeze_post
from outbox.services.rates import (
    READS_WAIT_FROM,
    Lane,
    block_until,
    blocked_until,
    counted,
    heed,
    reading_pace,
    spend,
    take,
)
from outbox.services.readback import LOOK_AFTER_S, claim_unseen
from outbox.services.scheduling import schedule_delivery
from outbox.services.usage import heeding
from tests.cast import make_account
from tests.outbox.conftest import tick
from tests.outbox.network import Clock

pytestmark = pytest.mark.django_db

MINUTE = dt.timedelta(minutes=1)
HOSTS = re.compile(r"https://graph\.facebook\.com/.*")
UNITS = Rate("units", 10_000, 86_400, of_app=True, zone="America/Los_Angeles", reading_share=0.5)


def usage(share: int) -> dict[str, str]:
    """Of the page."""
    uses = {"1": [{"type": "pages", "call_count": share, "total_time": 1, "total_cputime": 1}]}
    return {"X-Business-Use-Case-Usage": json.dumps(uses)}


@dataclass
class Pages:
    """Facebook as far as a text post needs it; its answers have these headers."""

    clock: Clock
    headers: dict[str, str] = field(default_factory=dict)
    published: list[str] = field(default_factory=list)
    made: int = 0

    def connector(self, account: SocialAccount) -> Connector:
        return connector_for(account)

    def answer(self, request: Any) -> tuple[int, dict[str, str], str]:
        path = str(request.url).partition("?")[0]
        if path.endswith("/feed"):
            self.made += 1
            return 200, {}, json.dumps({"id": f"1_{self.made}"})
        self.published.append(path.rpartition("/")[2])
        return 200, self.headers, json.dumps({"success": True})


@pytest.fixture
def pages(clock: Clock) -> Iterator[Pages]:
    made = Pages(clock)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback("POST", HOSTS, made.answer)
        yield made


@pytest.fixture
def app() -> AppRegistration:
    return AppRegistration.objects.create(
        name="ours", platform="facebook", redirect_uri="https://x.test/", secret=""
    )


def page(brand: Brand, handle: str, app: AppRegistration | None = None, **more: Any) -> SocialAccount:
    more = {"platform": "facebook", "options": {"page_id": handle, "name": handle}, **more}
    account = make_account(brand, handle=handle, **more)
    Credential.objects.filter(account=account).update(app=app)
    return account


@pytest.fixture
def put(manager: User, clock: Clock) -> Callable[..., Delivery]:
    def scheduled(account: SocialAccount, text: str, **more: Any) -> Delivery:
        payload = more.pop("payload", None) or freeze_post([PartContent(text)])
        return schedule_delivery(
            account=account, payload=payload, due_at=clock(), actor=manager, now=clock(), **more
        )

    return scheduled


def state(delivery: Delivery) -> str:
    delivery.refresh_from_db()
    return delivery.state


def lanes(account: SocialAccount, clock: Clock) -> tuple[bool, bool]:
    """Whether (sending, reading) waits."""
    sending, reading = (blocked_until(account=account, now=clock(), lane=lane) for lane in Lane)
    return sending is not None, reading is not None


# --- while posts are sent -------------------------------------------------------------------------


def test_a_share_that_is_full_stops_what_is_sent_next_without_a_429(
    pages: Pages, brand: Brand, clock: Clock, put: Callable[..., Delivery]
) -> None:
    account = page(brand, "1")
    pages.headers = usage(96)
    first, second = put(account, "a"), put(account, "b")
    tick(pages)  # type: ignore[arg-type]
    assert (state(first), len(pages.published)) == (DeliveryState.SENT, 1)
    tick(pages)  # type: ignore[arg-type]
    assert (state(second), len(pages.published)) == (DeliveryState.SCHEDULED, 1)
    assert lanes(account, clock) == (True, True)
    clock.advance(301)
    pages.headers = usage(20)
    tick(pages)  # type: ignore[arg-type]
    assert (state(second), len(pages.published)) == (DeliveryState.SENT, 2)
    assert lanes(account, clock) == (False, False)


def test_a_share_of_three_quarters_stops_reading_and_nothing_that_is_sent(
    pages: Pages, brand: Brand, clock: Clock, put: Callable[..., Delivery]
) -> None:
    account = page(brand, "1")
    pages.headers = usage(round(READS_WAIT_FROM * 100))
    rows = [put(account, text) for text in "abc"]
    for _turn in rows:
        tick(pages)  # type: ignore[arg-type]
    assert [state(row) for row in rows] == [DeliveryState.SENT] * 3
    assert lanes(account, clock) == (False, True)


def test_below_that_nothing_is_written(
    pages: Pages, brand: Brand, put: Callable[..., Delivery], clock: Clock
) -> None:
    account = page(brand, "1")
    pages.headers = usage(74)
    put(account, "a")
    tick(pages)  # type: ignore[arg-type]
    assert len(pages.published) == 1
    assert not Bucket.objects.exists()


def test_a_share_of_the_app_is_of_all_its_accounts(
    pages: Pages, brand: Brand, clock: Clock, put: Callable[..., Delivery], app: AppRegistration
) -> None:
    ours, beside, other = page(brand, "1", app), page(brand, "2", app), page(brand, "3")
    pages.headers = {"X-App-Usage": json.dumps({"call_count": 97})}
    # The secret of this app cannot be opened, so the listening itself is looked at.
    with heeding(ours, clock=clock, is_reading=False):
        http.request("POST", "https://graph.facebook.com/v1/1_1", platform="facebook", form={"a": "b"})
    assert [lanes(one, clock) for one in (ours, beside, other)] == [
        (True, True),
        (True, True),
        (False, False),
    ]


def test_nothing_is_heard_of_calls_outside(pages: Pages, brand: Brand, clock: Clock) -> None:
    account = page(brand, "1")
    pages.headers = usage(100)
    with heeding(account, clock=clock, is_reading=True):
        pass
    http.request("POST", "https://graph.facebook.com/v1/1_1", platform="facebook", form={"a": "b"})
    assert lanes(account, clock) == (False, False)


def test_pages_that_a_post_links_to_say_nothing_of_the_networks_limits(
    brand: Brand, clock: Clock, sandbox_account: SocialAccount
) -> None:
    told = {"RateLimit-Limit": "100", "RateLimit-Remaining": "0", "RateLimit-Reset": "604800"}
    account = make_account(brand, platform="bluesky", handle="linked")
    with responses.RequestsMock() as web:
        for address, kind in (
            ("https://example.com/", "text/html"),
            ("https://example.com/i.png", "image/png"),
        ):
            web.get(address, body=b"<title>Shop</title>", headers={"Content-Type": kind} | told)
        with heeding(account, clock=clock, is_reading=False):
            assert read_preview("https://example.com/", platform="bluesky").title == "Shop"
            assert read_picture("https://example.com/i.png", platform="bluesky", max_bytes=100) is not None
    assert lanes(account, clock) == (False, False)


def test_what_only_reading_or_only_sending_uses_stops_nothing_else(
    brand: Brand, clock: Clock, sandbox_account: SocialAccount
) -> None:
    beside = make_account(brand, handle="beside")
    until = clock() + MINUTE
    heed(account=sandbox_account, allowance=Allowance(1.0, until, Covers.READING))
    heed(account=beside, allowance=Allowance(1.0, until, Covers.SENDING))
    assert [lanes(one, clock) for one in (sandbox_account, beside)] == [(False, True), (True, False)]
    clock.now = until
    assert [lanes(one, clock) for one in (sandbox_account, beside)] == [(False, False)] * 2


def test_reading_may_use_its_own_allowance_to_the_end(clock: Clock, sandbox_account: SocialAccount) -> None:
    heed(account=sandbox_account, allowance=Allowance(0.99, clock() + MINUTE, Covers.READING))
    assert lanes(sandbox_account, clock) == (False, False)


def test_an_earlier_end_never_shortens_a_later_one(clock: Clock, sandbox_account: SocialAccount) -> None:
    for minutes in (10, 1):
        heed(account=sandbox_account, allowance=Allowance(1.0, clock() + minutes * MINUTE))
    for lane in Lane:
        assert blocked_until(account=sandbox_account, now=clock(), lane=lane) == clock() + 10 * MINUTE


def test_what_was_sent_is_looked_for_later_where_reading_waits(
    schedule: Callable[..., Delivery], network: Any, clock: Clock
) -> None:
    delivery = schedule("a")
    tick(network)
    clock.advance(LOOK_AFTER_S[0] + 1)
    until = clock() + MINUTE
    block_until(account=delivery.account, until=until, lanes=(Lane.READING,))
    assert claim_unseen(now=clock()) == {}
    clock.now = until
    assert claim_unseen(now=clock()) == {delivery.account_id: [delivery.pk]}


# --- rates by their documents ----------------------------------------------------------------------


def test_the_31st_reel_of_a_day_waits_and_other_posts_do_not(
    brand: Brand, clock: Clock, put: Callable[..., Delivery], pages: Pages
) -> None:
    account = page(brand, "1")
    key = f"account:{account.pk}:reels:86400"
    Bucket.objects.create(key=key, window_started_at=clock(), used=30)
    film = MediaContent("v", "v.mp4", "video/mp4", 10, 1080, 1920, "", 20.0, 30.0)
    reel = put(account, "", payload=freeze_post([PartContent("reel", (film,))]))
    text = put(account, "a")
    for _turn in range(2):
        tick(pages)  # type: ignore[arg-type]
    reel.refresh_from_db()
    assert (reel.state, reel.error) == (DeliveryState.SCHEDULED, StopReason.QUOTA)
    assert reel.next_attempt_at >= clock() + dt.timedelta(days=1)
    assert state(text) == DeliveryState.SENT
    assert Bucket.objects.get(key=key).used == 30


def test_what_the_network_told_of_the_account_goes_before_its_documents(brand: Brand, clock: Clock) -> None:
    rows = [{"name": "Posts", "used": 0, "limit": 2, "window_s": 86_400, "resets_at": ""}]
    account = page(brand, "1", platform="instagram", options={"quotas": {"rows": rows}})

    def sends() -> bool:
        amounts = {"posts": 1, "publications": 1}
        return take(account=account, info=account.info, amounts=amounts, now=clock()) is None

    assert [sends() for _ in range(3)] == [True, True, False]
    account.options = {}
    assert sends()


# --- units ----------------------------------------------------------------------------------------


@pytest.fixture
def channel(brand: Brand) -> SocialAccount:
    return page(brand, "channel", platform="youtube", options={"channel_id": "UC1"})


MORNING = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)  # 4 o'clock in Los Angeles
MIDNIGHT = dt.datetime(2026, 12, 1, 8, tzinfo=dt.UTC)


def test_units_of_all_channels_of_an_app_are_one_count_of_the_pacific_day(
    brand: Brand, channel: SocialAccount, app: AppRegistration
) -> None:
    beside = page(brand, "beside", platform="youtube", options={"channel_id": "UC2"})
    Credential.objects.filter(account__in=[channel, beside]).update(app=app)
    spend(account=channel, rate=UNITS, amount=50, is_reading=False, now=MORNING)
    spend(account=beside, rate=UNITS, amount=1, is_reading=True, now=MORNING)
    assert [
        (one.name, one.used, one.limit, one.resets_at) for one in counted(account=channel, now=MORNING)
    ] == [
        ("units", 51, 10_000, MIDNIGHT),
        ("units:reading", 1, 5000, MIDNIGHT),
    ]
    assert counted(account=channel, now=MIDNIGHT) == []
    late = MIDNIGHT - dt.timedelta(seconds=1)
    spend(account=channel, rate=UNITS, amount=1, is_reading=False, now=late)
    spend(account=channel, rate=UNITS, amount=1, is_reading=False, now=MIDNIGHT)
    assert counted(account=channel, now=MIDNIGHT)[0].used == 1


def test_calls_are_counted_by_what_they_cost(channel: SocialAccount) -> None:
    with responses.RequestsMock() as mock, heeding(channel, clock=lambda: MORNING, is_reading=True) as spent:
        mock.get("https://www.googleapis.com/youtube/v3/commentThreads", json={"items": []})
        mock.post("https://www.googleapis.com/youtube/v3/comments", status=403, json={})
        for method, name in (("GET", "commentThreads"), ("POST", "comments")):
            http.request(method, f"https://www.googleapis.com/youtube/v3/{name}", platform="youtube")
    assert spent == {"units": 51}
    assert counted(account=channel, now=MORNING)[0].used == 51


def test_reading_stops_at_its_share_of_the_day_and_sending_goes_on(channel: SocialAccount) -> None:
    clock = Clock(MORNING)
    spend(account=channel, rate=UNITS, amount=4999, is_reading=True, now=MORNING)
    assert lanes(channel, clock) == (False, False)
    spend(account=channel, rate=UNITS, amount=1, is_reading=True, now=MORNING)
    assert lanes(channel, clock) == (False, True)
    assert blocked_until(account=channel, now=MORNING, lane=Lane.READING) == MIDNIGHT
    assert take(account=channel, info=channel.info, amounts={"posts": 1}, now=MORNING) is None


def test_what_is_sent_waits_for_midnight_when_the_units_are_gone(channel: SocialAccount) -> None:
    amounts = {"posts": 1, "publications": 1}
    spend(account=channel, rate=UNITS, amount=9999, is_reading=False, now=MORNING)
    assert take(account=channel, info=channel.info, amounts=amounts, now=MORNING) is None
    spend(account=channel, rate=UNITS, amount=50, is_reading=False, now=MORNING)
    assert take(account=channel, info=channel.info, amounts=amounts, now=MORNING) == MIDNIGHT
    assert take(account=channel, info=channel.info, amounts=amounts, now=MIDNIGHT) is None


@pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01"])
def test_a_day_is_as_long_as_the_clocks_there_make_it(channel: SocialAccount, day: str) -> None:
    noon = dt.datetime.fromisoformat(f"{day}T20:00:00+00:00")
    spend(account=channel, rate=UNITS, amount=10_000, is_reading=False, now=noon)
    free_at = take(account=channel, info=channel.info, amounts={}, now=noon)
    hour = 7 if day == "2026-03-08" else 8
    assert free_at == dt.datetime.fromisoformat(day).replace(hour=hour, tzinfo=dt.UTC) + dt.timedelta(days=1)


def test_looks_are_spaced_so_that_the_share_of_reading_lasts_all_channels_the_day(
    brand: Brand, channel: SocialAccount, app: AppRegistration
) -> None:
    Credential.objects.filter(account=channel).update(app=app)
    for number in range(9):
        page(brand, f"c{number}", app, platform="youtube", options={"channel_id": f"UC{number}"})
    now, spent = MIDNIGHT, 0
    pace = dt.timedelta()
    while now < MIDNIGHT + dt.timedelta(days=1):
        # All ten read at once, each as the pace of the last look says.
        for _channel in range(10):
            spend(account=channel, rate=UNITS, amount=2, is_reading=True, now=now)
            spent += 2
        pace = reading_pace(account=channel, spent={"units": 2}, now=now)
        now += max(pace, MINUTE)
    assert 4900 <= spent <= 5000
    assert dt.timedelta(minutes=5) < pace <= dt.timedelta(minutes=10)


def test_without_a_cost_there_is_no_pace(sandbox_account: SocialAccount) -> None:
    assert reading_pace(account=sandbox_account, spent={}, now=MORNING) == dt.timedelta()


@pytest.mark.django_db(transaction=True)
def test_workers_that_spend_at_the_same_time_lose_no_unit(channel: SocialAccount) -> None:
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        for _ in range(25):
            spend(account=channel, rate=UNITS, amount=1, is_reading=True, now=MORNING)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.used for one in counted(account=channel, now=MORNING)] == [100, 100]


def test_a_rate_of_the_app_without_a_zone_moves_from_its_first_use(
    sandbox_account: SocialAccount, clock: Clock
) -> None:
    info = dataclasses.replace(sandbox_account.info, rates=(Rate("posts", 1, 60, of_app=True),))
    assert take(account=sandbox_account, info=info, amounts={"posts": 1}, now=clock()) is None
    clock.advance(59)
    free_at = take(account=sandbox_account, info=info, amounts={"posts": 1}, now=clock())
    assert free_at == clock() + dt.timedelta(seconds=1)
