"""The same words twice on one account are said while somebody writes, and before they go out."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Brand, SocialAccount, User
from content_calendar.content import Part
from content_calendar.models import Post
from content_calendar.selectors.likeness import LATELY, alike, had_before
from content_calendar.services.drafts import Draft, delete_post
from content_calendar.services.scheduling import schedule_post, update_scheduled
from core.ids import uuid7
from outbox.models import Delivery, DeliveryState
from tests.cast import make_account
from tests.content_calendar.conftest import LATER, NOW, make_post
from tests.content_calendar.test_composer import form

pytestmark = pytest.mark.django_db

TEXT = "Fresh coffee at nine, every morning, with a view over the harbour. Come by and stay a while!"
NEAR = TEXT.replace("nine", "ten")
OTHER = "Our new roast arrives on Friday, and we cannot wait to pour the very first cup for you."

Put = Callable[..., Delivery]


@pytest.fixture
def put(brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount) -> Put:
    def schedule(
        text: str = TEXT, *, at: dt.datetime = LATER, account: SocialAccount | None = None
    ) -> Delivery:
        post = make_post(brand, creator, text, account or sandbox_account)
        schedule_post(post=post, at=at, actor=manager, now=NOW)
        return Delivery.objects.get(variant__post=post)

    return schedule


def sent(delivery: Delivery, at: dt.datetime) -> Delivery:
    Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.SENT, due_at=at, sent_at=at)
    return delivery


def found(account: SocialAccount, text: str, **more: Any) -> list[tuple[uuid.UUID, bool]]:
    return [(one.delivery.pk, one.is_same) for one in alike([(account, (Part(text),))], now=NOW, **more)]


def test_the_same_text_is_found_whatever_its_dress(put: Put, sandbox_account: SocialAccount) -> None:
    delivery = sent(put(), NOW - dt.timedelta(days=30))
    dressed = TEXT.upper().replace(" ", "  ") + " https://example.com/?utm_source=x"
    assert found(sandbox_account, dressed) == [(delivery.pk, True)]
    (one,) = alike([(sandbox_account, (Part(TEXT),))], now=NOW)
    assert (one.at, one.is_sent) == (NOW - dt.timedelta(days=30), True)


def test_nearly_the_same_text_is_found_and_another_is_not(put: Put, sandbox_account: SocialAccount) -> None:
    delivery = put()
    assert found(sandbox_account, NEAR) == [(delivery.pk, False)]
    assert found(sandbox_account, OTHER) == []
    assert found(sandbox_account, "") == []


def test_the_same_text_comes_before_one_that_is_near(put: Put, sandbox_account: SocialAccount) -> None:
    same = sent(put(), NOW - dt.timedelta(days=60))
    put(NEAR)
    assert found(sandbox_account, TEXT) == [(same.pk, True)]


def test_another_account_and_what_is_long_ago_do_not_count(
    put: Put, brand: Brand, sandbox_account: SocialAccount
) -> None:
    delivery = put()
    assert found(make_account(brand, handle="other"), TEXT) == []
    sent(delivery, NOW - LATELY - dt.timedelta(days=1))
    assert found(sandbox_account, TEXT) == []


@pytest.mark.parametrize("state", [DeliveryState.CANCELLED, DeliveryState.FAILED, DeliveryState.MISSED])
def test_what_does_not_go_out_does_not_count(put: Put, sandbox_account: SocialAccount, state: str) -> None:
    delivery = put()
    Delivery.objects.filter(pk=delivery.pk).update(state=state)
    assert found(sandbox_account, TEXT) == []


def test_the_post_itself_and_deleted_ones_do_not_count(
    put: Put, sandbox_account: SocialAccount, manager: User
) -> None:
    delivery = put()
    post = Post.objects.get()
    assert found(sandbox_account, TEXT, besides=post.pk) == []
    sent(delivery, NOW - dt.timedelta(days=1))
    delete_post(post=post, actor=manager, now=NOW)
    assert found(sandbox_account, TEXT) == []


def test_changed_words_are_known_by_the_new_ones(
    put: Put, sandbox_account: SocialAccount, manager: User
) -> None:
    put()
    post = Post.objects.get()
    draft = replace(Draft.of_post(post), parts=(Part(OTHER),))
    update_scheduled(post=post, version=post.version, draft=draft, actor=manager, now=NOW)
    assert found(sandbox_account, TEXT) == []
    assert [is_same for _pk, is_same in found(sandbox_account, OTHER)] == [True]


def test_planned_posts_know_what_stands_before_them(put: Put) -> None:
    first = put()
    second = put(NEAR, at=LATER + dt.timedelta(hours=1))
    third = put(at=LATER + dt.timedelta(hours=2))
    put(OTHER, at=LATER + dt.timedelta(hours=3))
    rows = list(Delivery.objects.order_by("due_at"))
    before = had_before(rows, now=NOW)
    assert {pk: (one.at, one.is_same) for pk, one in before.items()} == {
        second.pk: (first.due_at, False),
        third.pk: (first.due_at, True),
    }


def fill(brand: Brand, account: SocialAccount, count: int) -> None:
    """Posts of the last year with words of their own."""
    rows = [
        Delivery(
            id=uuid7(),
            brand=brand,
            account=account,
            payload={"parts": [{"text": f"Number {number}", "media": [], "link_card": None}]},
            words_hash=number * 7919,
            words_sketch=(number * 0x9E3779B97F4A7C15) % 2**63,
            due_at=NOW - dt.timedelta(minutes=number * 30),
            next_attempt_at=NOW,
            state=DeliveryState.SENT,
            sent_at=NOW - dt.timedelta(minutes=number * 30),
        )
        for number in range(1, count)
    ]
    Delivery.objects.bulk_create(rows, batch_size=2000)


def test_candidates_come_from_the_index_of_words(
    put: Put, brand: Brand, sandbox_account: SocialAccount
) -> None:
    put()
    fill(brand, sandbox_account, 6000)
    for number in range(5):
        fill(brand, make_account(brand, handle=f"other{number}"), 1500)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE outbox_delivery")
    with CaptureQueriesContext(connection) as queries:
        found(sandbox_account, TEXT)
    asked = next(query["sql"] for query in queries if "unnest" in query["sql"])
    plan = explained(asked)
    assert "Seq Scan" not in json.dumps(plan)
    assert plan["Execution Time"] < 100  # milliseconds; it takes one
    # Nobody has cleaned up in this transaction, so the planner may prefer another index; what it takes to
    # answer from this one alone is in it (docs/performance.md).
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'delivery_words'")
        (definition,) = cursor.fetchone()
    assert "(account_id, due_at) INCLUDE (id, words_hash, words_sketch)" in definition


def explained(asked: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {asked}")
        ((plan,),) = cursor.fetchall()
    found: dict[str, Any] = plan[0]
    return found


def test_old_rows_get_their_marks_once(put: Put) -> None:
    put()
    old = sent(put(OTHER), NOW - dt.timedelta(days=1))
    Delivery.objects.update(words_hash=None, words_sketch=None)
    Delivery.objects.filter(pk=old.pk).update(due_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    migration = MigrationLoader(connection).get_migration("outbox", "0007_words")
    (step,) = [one for one in migration.operations if hasattr(one, "code")]
    step.code(apps, None)
    marked = set(Delivery.objects.filter(words_hash__isnull=False).values_list("pk", flat=True))
    assert old.pk not in marked
    assert len(marked) == 1


def test_a_network_that_refuses_the_same_text_is_named(
    put: Put, sandbox_account: SocialAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(put(), NOW - dt.timedelta(days=1))

    def words() -> str:
        found = alike([(sandbox_account, (Part(TEXT),))], now=NOW)
        return render_to_string("content_calendar/_alikes.html", {"alikes": found, "zone": "Europe/Berlin"})

    assert "The same text went out on" in words()
    assert "refuses a text" not in words()
    monkeypatch.setattr(SocialAccount, "info", replace(sandbox_account.info, refuses_duplicates=True))
    assert "Sandbox refuses a text that it had lately" in words()


def test_it_is_said_while_writing_and_on_the_page_of_a_draft(
    put: Put, brand: Brand, creator: User, sandbox_account: SocialAccount, sign_in: Callable[[User], Client]
) -> None:
    with time_machine.travel(NOW, tick=False):
        put()
        client = sign_in(creator)
        check = reverse("content_calendar:check", args=[uuid.uuid4()])
        page = client.post(check, form(brand, sandbox_account, text=TEXT)).content.decode()
        assert "The same text is planned for" in page
        draft = make_post(brand, creator, NEAR, sandbox_account)
        page = client.get(reverse("content_calendar:post", args=[draft.pk])).content.decode()
        assert "Nearly the same text is planned for" in page
