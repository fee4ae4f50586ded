from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core import mail
from django.db import transaction

from accounts.models import Notification, NotificationKind, Organization, User
from accounts.news import sentence
from accounts.services import mails
from accounts.services.mails import send_mail_of
from accounts.services.notifications import claim_mails, mark_read, notify

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)


def tell(organization: Organization, users: list[User], **changes: Any) -> int:
    given = {
        "kind": NotificationKind.ACCOUNT_LOST,
        "context": {"account": "@harbour", "network": "Bluesky"},
        "url": "/settings/accounts/1/",
        "dedupe_key": "lost:1",
        "now": NOW,
    }
    return notify(organization=organization, users=users, **{**given, **changes})


def send_all(now: dt.datetime = NOW) -> list[bool]:
    return [send_mail_of(notification_id=pk, now=now) for pk in claim_mails(now=now)]


def test_each_person_is_told_once(organization: Organization, owner: User, admin: User) -> None:
    assert tell(organization, [owner]) == 1
    assert tell(organization, [owner, admin, admin]) == 1
    assert Notification.objects.count() == 2


def test_other_news_is_told_again(organization: Organization, owner: User) -> None:
    assert tell(organization, [owner]) == 1
    assert tell(organization, [owner], dedupe_key="lost:2") == 1


def test_people_who_may_not_sign_in_are_not_told(organization: Organization, owner: User) -> None:
    owner.is_active = False
    assert tell(organization, [owner]) == 0


def test_a_mail_goes_out_once(organization: Organization, owner: User) -> None:
    tell(organization, [owner])
    assert send_all() == [True]
    assert send_all(NOW + dt.timedelta(days=1)) == []
    (message,) = mail.outbox
    assert message.to == [owner.email]
    assert "@harbour" in message.body
    assert "/settings/accounts/1/" in message.body


def test_the_mail_is_written_in_the_readers_language(
    organization: Organization, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.utils.translation import get_language

    owner.language = "ja"
    owner.save()
    seen: list[str | None] = []

    def write(kind: str, context: dict[str, Any]) -> str:
        seen.append(get_language())
        return "a sentence"

    monkeypatch.setattr(mails, "sentence", write)
    tell(organization, [owner])
    send_all()
    assert seen == ["ja"]


def test_a_deed_that_fails_tells_nobody(organization: Organization, owner: User) -> None:
    with transaction.atomic():
        tell(organization, [owner])
        transaction.set_rollback(True)
    assert claim_mails(now=NOW) == []


def test_a_mail_server_that_is_down_fails_nobody_and_is_tried_again(
    organization: Organization, owner: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: Any) -> None:
        raise ConnectionRefusedError

    tell(organization, [owner])
    with monkeypatch.context() as down:
        down.setattr(mails, "_post", refuse)
        assert send_all() == [False]
    assert send_all(NOW + dt.timedelta(seconds=1)) == []  # not at once
    assert send_all(NOW + dt.timedelta(minutes=5)) == [True]
    assert len(mail.outbox) == 1


def test_a_mail_that_never_goes_is_given_up_and_stays_in_the_app(
    organization: Organization, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(mails, "_post", refuse)
    tell(organization, [owner])
    now, tries = NOW, 0
    while sent := send_all(now):
        assert sent == [False]
        tries, now = tries + 1, now + dt.timedelta(days=2)
    assert tries == mails.MAIL_TRIES
    assert Notification.objects.unread().count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_claim_the_same_mail(organization: Organization, owner: User) -> None:
    import threading

    from django.db import connection

    tell(organization, [owner])
    other: list[Any] = []

    def claim_elsewhere() -> None:
        other.extend(claim_mails(now=NOW))
        connection.close()

    with transaction.atomic():
        mine = claim_mails(now=NOW)
        thread = threading.Thread(target=claim_elsewhere)
        thread.start()
        thread.join()
    assert len(mine) == 1
    assert other == []


def test_reading_marks_only_ones_own(organization: Organization, owner: User, admin: User) -> None:
    tell(organization, [owner, admin])
    assert mark_read(user=owner, now=NOW) == 1
    assert Notification.objects.for_user(admin).unread().count() == 1
    theirs = Notification.objects.get(user=admin)
    assert mark_read(user=owner, notification=theirs, now=NOW) == 0


@pytest.mark.parametrize("kind", list(NotificationKind))
def test_every_kind_has_a_sentence_also_for_an_old_row_without_words(kind: NotificationKind) -> None:
    assert "%(" not in sentence(kind, {})


def test_a_failed_post_is_named_with_the_reason_in_words() -> None:
    context = {"account": "@harbour", "excerpt": "Fresh beans " * 20, "error": "text_too_long"}
    told = sentence(NotificationKind.DELIVERY_FAILED, context)
    assert "Fresh beans" in told
    assert "too long" in told
    assert "text_too_long" not in told
    assert len(told) < 200
