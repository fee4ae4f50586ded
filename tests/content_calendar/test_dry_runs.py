"""The look ahead asks networks that can be asked, and never fails because one does not answer."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.connecting import can_be_asked
from accounts.models import AccountStatus, Brand, Notification, SocialAccount, User
from connectors.base import PlatformInfo, PostPayload
from connectors.errors import NeedsReconnect, Rejected, RejectReason, Temporary
from connectors.registry import CONNECTORS
from content_calendar.models import Post, PreflightCode, PreflightLevel, PreflightProblem
from content_calendar.services import dry_runs
from content_calendar.services.preflight import check_brand, check_evening
from content_calendar.services.scheduling import schedule_post
from outbox.models import Delivery
from tests.cast import make_account
from tests.content_calendar.boards import BoardsConnector
from tests.content_calendar.conftest import NOW, make_post

pytestmark = pytest.mark.django_db
C = PreflightCode
Put = Callable[..., Post]


class AskedConnector(BoardsConnector):
    """``answers``: what is raised, by the first word of a post. ``asked``: what it was asked about."""

    INFO: ClassVar[PlatformInfo] = dataclasses.replace(
        BoardsConnector.INFO, key="asked", name="Asked", post_fields=(), media_served_days=3
    )
    answers: ClassVar[dict[str, Exception]] = {}
    asked: ClassVar[list[str]] = []
    in_transaction: ClassVar[list[bool]] = []

    def dry_run(self, payload: PostPayload) -> None:
        words = payload.parts[0].text
        self.asked.append(words)
        self.in_transaction.append(connection.in_atomic_block)
        if error := self.answers.get(words.split()[0]):
            raise error


@pytest.fixture
def account(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> SocialAccount:
    monkeypatch.setitem(CONNECTORS, "asked", AskedConnector)
    for name, empty in (("answers", {}), ("asked", []), ("in_transaction", [])):
        monkeypatch.setattr(AskedConnector, name, empty)
    return make_account(brand, platform="asked", handle="asked")


@pytest.fixture
def put(brand: Brand, creator: User, manager: User, account: SocialAccount) -> Put:
    def schedule(text: str, *, hours: float = 24, on: SocialAccount | None = None) -> Post:
        post = make_post(brand, creator, text, on or account)
        return schedule_post(post=post, at=NOW + dt.timedelta(hours=hours), actor=manager, now=NOW)

    return schedule


def found(brand: Brand) -> list[tuple[str, str]]:
    """The first word of each post and what was found of it."""
    check_brand(brand=brand, now=NOW)
    rows = PreflightProblem.objects.select_related("delivery").order_by("delivery__due_at", "level", "pk")
    return [(row.delivery.payload["parts"][0]["text"].split()[0], row.code) for row in rows]


def test_what_the_network_would_refuse_is_a_line_with_its_words(put: Put, brand: Brand) -> None:
    put("Good morning")
    put("Bad words", hours=30)
    AskedConnector.answers["Bad"] = Rejected(RejectReason.INVALID, "May not be empty")
    assert found(brand) == [("Bad", C.REFUSED)]
    assert AskedConnector.asked == ["Good morning", "Bad words"]
    row = PreflightProblem.objects.get()
    assert (row.level, row.detail["words"]) == (PreflightLevel.FAILS, "May not be empty")


def test_a_network_that_does_not_answer_is_a_line_and_is_not_asked_again(
    put: Put, brand: Brand, sandbox_account: SocialAccount
) -> None:
    put("One")
    put("Two", hours=30)
    put("Elsewhere", hours=31, on=sandbox_account)
    SocialAccount.objects.filter(pk=sandbox_account.pk).update(status=AccountStatus.NEEDS_RECONNECT)
    AskedConnector.answers["One"] = Temporary("down")
    # What is found otherwise is found all the same.
    assert found(brand) == [("One", C.NOT_ASKED), ("Two", C.NOT_ASKED), ("Elsewhere", C.ACCOUNT_LOST)]
    assert AskedConnector.asked == ["One"]
    rows = PreflightProblem.objects.filter(code=C.NOT_ASKED)
    assert {row.level for row in rows} == {PreflightLevel.LOOK}


def test_a_mistake_of_ours_costs_one_line_only(put: Put, brand: Brand) -> None:
    put("One")
    put("Two", hours=30)
    AskedConnector.answers["One"] = ValueError("a bug")
    assert found(brand) == [("One", C.NOT_ASKED)]
    assert AskedConnector.asked == ["One", "Two"]


def test_a_connection_that_is_gone_is_noted_and_named(put: Put, brand: Brand, account: SocialAccount) -> None:
    put("One")
    put("Two", hours=30)
    AskedConnector.answers["One"] = NeedsReconnect("token revoked")
    assert found(brand) == [("One", C.ACCOUNT_LOST), ("Two", C.ACCOUNT_LOST)]
    account.refresh_from_db()
    assert (account.status, account.status_detail) == (AccountStatus.NEEDS_RECONNECT, "token revoked")


def test_what_is_known_to_fail_is_not_asked_about(put: Put, brand: Brand) -> None:
    put("Long")
    delivery = Delivery.objects.get()
    delivery.payload["parts"][0]["text"] = "Long " + "x" * 100_000
    Delivery.objects.update(payload=delivery.payload)
    assert found(brand) == [("Long", C.CONTENT)]
    assert AskedConnector.asked == []


def test_networks_that_cannot_be_asked_are_left_alone(
    put: Put, brand: Brand, sandbox_account: SocialAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(_account: SocialAccount) -> Any:
        raise AssertionError("its secret is none of ours")

    monkeypatch.setattr(dry_runs, "connector_for", opened)
    put("Elsewhere", on=sandbox_account)
    assert found(brand) == []
    assert {name for name in CONNECTORS if can_be_asked(name)} == {"asked", "line"}


def test_of_very_many_posts_the_next_ones_are_asked_about(
    put: Put, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_runs, "MOST_ASKED", 1)
    put("Later", hours=30)
    put("First")
    assert found(brand) == [("Later", C.NOT_ASKED)]
    assert AskedConnector.asked == ["First"]
    assert PreflightProblem.objects.get().detail == {"most": 1}


def test_a_network_that_is_slow_does_not_hold_the_check(
    put: Put, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("One")
    put("Two", hours=30)
    put("Three", hours=31)
    seconds = iter(range(0, 1000, 15))
    monkeypatch.setattr("content_calendar.services.dry_runs.time.monotonic", lambda: float(next(seconds)))
    # It began at 0; the first was asked about at 15 seconds, the second would have been at 30.
    assert found(brand) == [("Two", C.NOT_ASKED), ("Three", C.NOT_ASKED)]
    assert AskedConnector.asked == ["One"]


def test_an_answer_about_older_words_counts_no_more(
    put: Put, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("Bad words")

    def changed_meanwhile(_self: AskedConnector, _payload: PostPayload) -> None:
        delivery = Delivery.objects.get()
        delivery.payload["parts"][0]["text"] = "Better words"
        Delivery.objects.update(payload=delivery.payload)
        raise Rejected(RejectReason.INVALID, "no")

    monkeypatch.setattr(AskedConnector, "dry_run", changed_meanwhile)
    assert found(brand) == []


@pytest.mark.django_db(transaction=True)
def test_nothing_is_locked_while_a_network_answers(put: Put, brand: Brand) -> None:
    put("One")
    check_brand(brand=brand, now=NOW)
    assert check_evening(brand=brand, now=NOW + dt.timedelta(hours=9))
    assert AskedConnector.in_transaction == [False, False]


def test_in_the_evening_those_responsible_hear_of_a_refusal_and_the_network_is_asked_once(
    put: Put, brand: Brand
) -> None:
    put("Bad words", hours=30)
    AskedConnector.answers["Bad"] = Rejected(RejectReason.INVALID, "May not be empty")
    for minutes in (0, 10):
        check_evening(brand=brand, now=NOW + dt.timedelta(hours=9, minutes=minutes))
    assert Notification.objects.get().kind == "preflight_problem"
    assert AskedConnector.asked == ["Bad words"]


@pytest.fixture
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.usefixtures("_clock")
def test_the_page_says_what_the_network_said(
    sign_in: Callable[[User], Client], manager: User, put: Put, account: SocialAccount
) -> None:
    put("Bad words")
    put("Down", hours=30)
    put("Ours", hours=20)
    AskedConnector.answers |= {
        "Bad": Rejected(RejectReason.INVALID, "HTTP 400 May not be <empty>"),
        "Ours": Rejected(RejectReason.FORBIDDEN, "a note of ours"),
        "Down": Temporary("no answer"),
    }
    client = sign_in(manager)
    answer = client.post(reverse("content_calendar:preflight_check"), {"days": "3"}, follow=True)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Asked says: HTTP 400 May not be &lt;empty&gt;" in page
    assert "a note of ours" not in page
    assert "The network could not be asked" in page
    assert "Asked did not answer, or asks to wait." in page
    assert reverse("accounts:account_detail", args=[account.pk]) in page
