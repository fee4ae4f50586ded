"""Two who change the same post at once: each gets an answer, and nothing is done twice or halfway."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction

from accounts.models import Brand, SocialAccount, User
from content_calendar.models import Approval, ApprovalRule, Comment, Post, ReviewRequest
from content_calendar.services import approval, review_links
from tests.content_calendar.conftest import NOW
from tests.content_calendar.test_approval import ask_for, link_for, version_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def link(draft_post: Post, brand: Brand, creator: User, manager: User) -> ReviewRequest:
    """Of ``draft_post``, which waits for its client."""
    ask_for(brand, ApprovalRule.CLIENT)
    approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    return link_for(draft_post, manager, email="miller@example.com")


def beside(act: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """``act`` in a thread that has begun to wait for a lock; what it gave or raised, once it has ended."""
    answered: list[Any] = []

    def run() -> None:
        try:
            answered.append(act())
        except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
            answered.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            # Who waits for a row waits for the transaction that has it: one of this database's.
            cursor.execute(
                "SELECT count(*) FROM pg_locks waiting JOIN pg_locks mine ON mine.pid = pg_backend_pid()"
                " AND mine.transactionid = waiting.transactionid AND mine.granted WHERE NOT waiting.granted"
            )
            if cursor.fetchone()[0]:
                return thread, answered
        time.sleep(0.01)
    raise AssertionError("it does not wait")


@pytest.mark.parametrize("says", ["yes", "word"])
def test_a_client_who_answers_while_the_team_asks_again_waits_and_does_not_collide(
    link: ReviewRequest, draft_post: Post, creator: User, sandbox_account: SocialAccount, says: str
) -> None:
    seen = version_of(draft_post)

    def answers() -> Any:
        if says == "word":
            return review_links.comment(
                request=link, post_id=draft_post.pk, client_name="Mr Miller", text="Lovely", now=NOW
            )
        return review_links.answer(
            request=link,
            post_id=draft_post.pk,
            version_id=seen,
            is_approved=True,
            client_name="Mr Miller",
            text="Lovely",
            now=NOW,
        )

    with transaction.atomic():
        row = approval.locked(draft_post.pk)
        thread, answered = beside(answers)
        approval.withdraw(post=row, actor=creator, now=NOW)
        approval.submit_for_review(post=row, actor=creator, now=NOW)  # mails through the link
    thread.join(timeout=10)
    draft_post.refresh_from_db()
    if says == "word":
        assert isinstance(answered[0], Comment)
        assert draft_post.approval == Approval.IN_REVIEW
    else:
        # The same version is asked about again: the yes to it counts.
        assert isinstance(answered[0], approval.Decided), answered
        assert draft_post.approval == Approval.APPROVED
