"""What networks charge is said before a post goes out."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from accounts.models import Brand, SocialAccount, User
from connectors.base import PostPart, PostPayload
from content_calendar.selectors.costs import Charge, charges_of, planned_charges
from content_calendar.services.preflight import check_brand
from content_calendar.services.scheduling import schedule_post
from tests.cast import make_account
from tests.content_calendar.conftest import LATER, NOW, make_post

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]


@pytest.fixture
def x_account(brand: Brand) -> SocialAccount:
    return make_account(brand, platform="x", handle="harbour_x")


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def page(client: Client, *accounts: SocialAccount, text: str) -> str:
    sent = {
        "brand": str(accounts[0].brand_id),
        "account": [str(account.pk) for account in accounts],
        "base.part": ["0"],
        "base.0.text": text,
    }
    return client.post(reverse("content_calendar:check", args=[uuid.uuid4()]), sent).content.decode()


def test_charges_of_one_network_are_added_up(
    x_account: SocialAccount, sandbox_account: SocialAccount
) -> None:
    plain = PostPayload(parts=(PostPart("Hello"),))
    linked = PostPayload(parts=(PostPart("Hello https://example.com"),))
    charges = charges_of([(x_account, plain), (x_account, linked), (sandbox_account, plain)])
    assert charges == [Charge("X", 2, Decimal("0.215"), "USD")]
    assert charges[0].price == "$0.215"
    with override("ja"):
        assert charges[0].price == "$0.215"


def test_the_composer_says_what_a_post_costs(
    sign_in: SignIn, creator: User, x_account: SocialAccount, sandbox_account: SocialAccount
) -> None:
    client = sign_in(creator)
    assert "X charges about $0.20 for this post." in page(client, x_account, text="Hi https://example.com")
    both = page(client, x_account, sandbox_account, text="Hi")
    assert "X charges about $0.015 for this post." in both
    assert "Sandbox charges" not in both
    assert "charges about" not in page(client, sandbox_account, text="Hi")
    assert "charges about" not in page(client, x_account, text="")


def test_the_pre_flight_adds_up_what_is_planned(
    sign_in: SignIn, manager: User, brand: Brand, x_account: SocialAccount, sandbox_account: SocialAccount
) -> None:
    for text in ("One", "Two https://example.com"):
        post = make_post(brand, manager, text, x_account, sandbox_account)
        schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    later = make_post(brand, manager, "Three", x_account)
    schedule_post(post=later, at=NOW + dt.timedelta(days=30), actor=manager, now=NOW)
    client = sign_in(manager)
    assert "charges about" not in client.get(reverse("content_calendar:preflight")).content.decode()
    check_brand(brand=brand, now=NOW)
    shown = client.get(reverse("content_calendar:preflight")).content.decode()
    assert "X charges about $0.215 for 2 planned posts." in shown


def test_brands_without_such_accounts_cost_one_query(
    brand: Brand, other_brand: Brand, sandbox_account: SocialAccount, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        assert planned_charges({brand: LATER, other_brand: LATER}, NOW) == []
