"""Webhooks: who is told what, signatures, retries, two workers, switching off, and the pages."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import itertools
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction
from django.urls import reverse

from accounts.models import (
    AuditEntry,
    Brand,
    Membership,
    Notification,
    NotificationKind,
    Organization,
    SocialAccount,
    User,
    WebhookEndpoint,
    WebhookMessage,
    WebhookState,
)
from accounts.services import webhook_sending, webhooks
from accounts.services.notifications import notify
from accounts.services.webhook_sending import LEASE, RETRY_AFTER, claim_endpoints, send_due
from accounts.services.webhooks import NotAllowed, SwitchedOff, TooMany, WebhookFacts
from core.crypto import decrypt_json
from tests.cast import make_account

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
SECOND, DAY = dt.timedelta(seconds=1), dt.timedelta(days=1)
URL = "https://hooks.example.com/in"
LOST, FAILED = NotificationKind.ACCOUNT_LOST, NotificationKind.DELIVERY_FAILED
K = NotificationKind


def make(
    creator: User, *, brand: Brand | None = None, url: str = URL, name: str = "Pager", kinds: Any = (LOST,)
) -> WebhookEndpoint:
    return make_with_secret(creator, brand=brand, url=url, name=name, kinds=kinds)[0]


def make_with_secret(creator: User, **facts: Any) -> tuple[WebhookEndpoint, str]:
    given = {"name": "Pager", "url": URL, "kinds": [LOST], "brand": None} | facts
    return webhooks.create_webhook(creator=creator.memberships.get(), facts=WebhookFacts(**given), now=NOW)


def tell(organization: Organization, *users: User, key: str = "lost:1", **changes: Any) -> None:
    given: dict[str, Any] = {
        "kind": LOST,
        "context": {"account": "@harbour", "network": "Bluesky"},
        "url": "/accounts/1/",
        "about": None,
        "now": NOW,
    }
    notify(organization=organization, users=users, dedupe_key=key, **{**given, **changes})


def send_all(now: dt.datetime = NOW) -> int:
    return sum(
        send_due(endpoint_id=claim.endpoint_id, fence=claim.fence, clock=lambda: now)
        for claim in claim_endpoints(now=now)
    )


def state() -> str:
    return WebhookMessage.objects.get().state


@pytest.fixture
def receiver() -> Iterator[responses.RequestsMock]:
    """What the address answers: 200, until a test says otherwise."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(URL, status=200, body="ok")
        yield mock


def told(receiver: responses.RequestsMock) -> list[dict[str, Any]]:
    """The bodies that were posted."""
    return [json.loads(call.request.body or b"") for call in receiver.calls]


def answer_with(receiver: responses.RequestsMock, **answer: Any) -> None:
    receiver.replace("POST", URL, **answer)


# --- what is told -----------------------------------------------------------------------------


def test_a_message_says_what_happened_and_no_more(
    organization: Organization, admin: User, brand: Brand, receiver: responses.RequestsMock, settings: Any
) -> None:
    endpoint = make(admin)
    account = make_account(brand, platform="bluesky", handle="harbour.example")
    tell(organization, about=account)
    assert send_all() == 1
    message = WebhookMessage.objects.get()
    request = receiver.calls[0].request
    assert request.headers["Content-Type"] == "application/json"
    assert told(receiver)[0] == {
        "event": "account_lost",
        "id": str(message.pk),
        "occurred_at": "2026-11-22T09:00:00Z",
        "organization": {"id": str(organization.pk), "name": "Harbour Foods"},
        "brand": {"id": str(brand.pk), "name": "Harbour Coffee"},
        "account": {"id": str(account.pk), "handle": "harbour.example", "network": "bluesky"},
        "url": f"{settings.BASE_URL}/accounts/1/",
        "summary": (
            "Bluesky no longer accepts our connection to @harbour. Posts for it wait until you reconnect."
        ),
    }
    assert (message.endpoint, message.state, message.status_code) == (endpoint, WebhookState.DELIVERED, 200)
    assert (message.excerpt, message.tries) == ("ok", 1)
    assert message.duration_ms is not None


@pytest.mark.parametrize("kind", [K.DELIVERY_FAILED, K.DELIVERY_UNCERTAIN, K.DELIVERY_MISSED])
@pytest.mark.parametrize("sent", ["reply", "dm"])
def test_words_to_a_customer_stay_here(organization: Organization, admin: User, kind: K, sent: str) -> None:
    make(admin, kinds=list(K))
    words = {"account": "@harbour", "kind": sent, "excerpt": "@hanako Your parcel is at 4-2-8 Shiba"}
    tell(organization, kind=kind, context=words)
    body = WebhookMessage.objects.get().body
    assert "hanako" not in body
    assert "Shiba" not in body
    assert "@harbour" in json.loads(body)["summary"]


def test_the_summary_is_english_whatever_is_spoken_here(organization: Organization, admin: User) -> None:
    from django.utils import translation

    make(admin)
    with translation.override("ja"):
        tell(organization)
    assert "no longer accepts" in json.loads(WebhookMessage.objects.get().body)["summary"]


def test_only_chosen_kinds_are_told(organization: Organization, admin: User) -> None:
    make(admin, kinds=[FAILED])
    tell(organization)
    assert not WebhookMessage.objects.exists()


def test_a_webhook_of_one_brand_hears_of_that_alone(
    organization: Organization, admin: User, brand: Brand, other_brand: Brand
) -> None:
    coffee, everything = make(admin, brand=brand), make(admin)
    tell(organization, about=brand, key="1")
    tell(organization, about=make_account(other_brand), key="2")
    tell(organization, key="3")
    told = list(WebhookMessage.objects.values_list("endpoint", "dedupe_key").order_by("dedupe_key"))
    assert sorted(told, key=str) == sorted(
        [(coffee.pk, "1"), (everything.pk, "1"), (everything.pk, "2"), (everything.pk, "3")], key=str
    )


def test_another_organization_hears_nothing(
    organization: Organization, stranger: User, other_organization: Organization
) -> None:
    make(stranger)
    tell(organization)
    assert not WebhookMessage.objects.exists()


def test_the_same_news_is_told_once_and_without_people_too(
    organization: Organization, admin: User, owner: User
) -> None:
    make(admin)
    tell(organization)
    tell(organization, owner)
    assert WebhookMessage.objects.count() == 1
    assert Notification.objects.count() == 1


def test_a_deed_that_fails_tells_nobody(organization: Organization, admin: User) -> None:
    make(admin)
    with transaction.atomic():
        tell(organization)
        transaction.set_rollback(True)
    assert claim_endpoints(now=NOW) == []


# --- the signature ----------------------------------------------------------------------------


def is_signed(request: Any, secret: str) -> bool:
    """As a receiver checks it, written without our code."""
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode()
    body = request.body if isinstance(request.body, bytes) else request.body.encode()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed + body, hashlib.sha256).digest()).decode()
    return f"v1,{expected}" in request.headers["webhook-signature"].split(" ")


def test_a_message_is_signed_over_id_time_and_body(
    organization: Organization, admin: User, receiver: responses.RequestsMock
) -> None:
    _endpoint, secret = make_with_secret(admin, name="日本語")
    tell(organization, context={"account": "@港", "network": "Bluesky"})
    send_all()
    request = receiver.calls[0].request
    assert is_signed(request, secret)
    assert not is_signed(request, webhooks.new_secret())
    assert request.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert told(receiver)[0]["id"] == request.headers["webhook-id"]


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of the Standard Webhooks specification's own libraries."""
    signature = webhook_sending.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_new_secret_signs_together_with_the_old_one_for_a_day(
    organization: Organization, admin: User, receiver: responses.RequestsMock
) -> None:
    endpoint, old = make_with_secret(admin)
    new = webhooks.change_secret(endpoint=endpoint, actor=admin, now=NOW)
    tell(organization, key="1")
    send_all(NOW + DAY - SECOND)
    tell(organization, key="2", now=NOW + DAY)
    send_all(NOW + DAY)
    first, second = (call.request for call in receiver.calls)
    assert is_signed(first, old)
    assert is_signed(first, new)
    assert not is_signed(second, old)
    assert is_signed(second, new)


def test_a_secret_from_two_changes_ago_signs_no_more(
    organization: Organization, admin: User, receiver: responses.RequestsMock
) -> None:
    endpoint, first = make_with_secret(admin)
    second = webhooks.change_secret(endpoint=endpoint, actor=admin, now=NOW)
    third = webhooks.change_secret(endpoint=endpoint, actor=admin, now=NOW)
    tell(organization)
    send_all()
    signed = [is_signed(receiver.calls[0].request, secret) for secret in (first, second, third)]
    assert signed == [False, True, True]


def test_the_secret_is_kept_encrypted_and_moves_to_a_new_key(admin: User, settings: Any) -> None:
    from cryptography.fernet import Fernet

    _endpoint, secret = make_with_secret(admin)
    assert secret not in str(WebhookEndpoint.objects.values().get())
    new = [Fernet.generate_key().decode()]
    settings.FIELD_KEYS = [*new, *settings.FIELD_KEYS]
    call_command("rotate_credentials")
    settings.FIELD_KEYS = new
    assert decrypt_json(WebhookEndpoint.objects.get().secret)["secrets"] == [secret]


# --- retries ----------------------------------------------------------------------------------


def times_of_attempts(receiver: responses.RequestsMock, until: dt.datetime) -> list[dt.datetime]:
    """Tick through time, jumping to whatever is due next."""
    now, tried = NOW, []
    while now <= until:
        before = len(receiver.calls)
        send_all(now)
        if len(receiver.calls) > before:
            tried.append(now)
        waiting = WebhookMessage.objects.waiting().order_by("next_at").first()
        endpoint = WebhookEndpoint.objects.get()
        if waiting is None or waiting.next_at is None:
            break
        now = max(waiting.next_at, endpoint.blocked_until or now, now + SECOND)
    return tried


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 500, "body": "no such channel"},
        {"status": 404},
        {"status": 301, "headers": {"Location": "https://elsewhere.example/"}},
        {"body": requests.ConnectionError()},
        {"body": requests.ReadTimeout()},
    ],
)
def test_what_fails_is_tried_for_a_day_with_growing_pauses_and_one_id(
    organization: Organization, admin: User, receiver: responses.RequestsMock, answer: Any
) -> None:
    make(admin)
    answer_with(receiver, **answer)
    tell(organization)
    tried = times_of_attempts(receiver, NOW + 3 * DAY)
    pauses = [after - before for before, after in itertools.pairwise(tried)]
    assert pauses == sorted(pauses) == list(RETRY_AFTER)
    assert DAY <= tried[-1] - tried[0] < DAY * 1.1
    assert len({call.request.headers["webhook-id"] for call in receiver.calls}) == 1
    assert len({call.request.body for call in receiver.calls}) == 1
    assert state() == WebhookState.GIVEN_UP


def test_what_goes_well_in_the_end_is_over(
    organization: Organization, admin: User, receiver: responses.RequestsMock
) -> None:
    endpoint = make(admin)
    answer_with(receiver, status=500, body="down for repairs")
    tell(organization)
    send_all()
    message = WebhookMessage.objects.get()
    assert (message.state, message.status_code) == (WebhookState.WAITING, 500)
    assert message.excerpt == "down for repairs"
    answer_with(receiver, status=204)
    assert send_all(NOW + 4 * SECOND) == 0  # not before its time
    assert send_all(NOW + 5 * SECOND) == 1
    assert state() == WebhookState.DELIVERED
    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.failures, endpoint.blocked_until) == (None, 0, None)
    assert send_all(NOW + DAY) == 0


def test_a_server_that_says_when_is_left_alone_so_long(
    organization: Organization, admin: User, receiver: responses.RequestsMock
) -> None:
    make(admin)
    answer_with(receiver, status=429, headers={"Retry-After": "600"})
    tell(organization, key="1")
    tell(organization, key="2")
    assert send_all() == 1
    assert send_all(NOW + 599 * SECOND) == 0
    answer_with(receiver, status=200)
    assert send_all(NOW + 600 * SECOND) == 2


def test_no_answer_says_why_in_the_log(
    organization: Organization, admin: User, receiver: responses.RequestsMock
) -> None:
    make(admin)
    answer_with(receiver, body=requests.ReadTimeout())
    tell(organization)
    send_all()
    message = WebhookMessage.objects.get()
    assert (message.status_code, message.excerpt) == (None, "hooks.example.com: no answer in time")


def test_an_answer_is_kept_short_and_without_secrets(
    organization: Organization, admin: User, receiver: responses.RequestsMock
) -> None:
    make(admin)
    answer_with(receiver, status=500, body=b"token=abcdefgh \x00 \xff\n" + "長い".encode() * 5000)
    tell(organization)
    send_all()
    excerpt = WebhookMessage.objects.get().excerpt
    assert excerpt.startswith("token=*** � 長い")
    assert len(excerpt) == webhook_sending.EXCERPT_LENGTH


def test_a_failing_address_costs_one_call_at_a_time_whatever_waits(
    organization: Organization, admin: User, receiver: responses.RequestsMock
) -> None:
    make(admin)
    answer_with(receiver, status=500)
    for number in range(10):
        tell(organization, key=str(number))
    assert send_all() == 1
    assert send_all(NOW + SECOND) == 0
    answer_with(receiver, status=200)
    assert send_all(NOW + 10 * SECOND) == 10


def test_one_address_that_fails_does_not_hold_up_another(
    organization: Organization, admin: User, receiver: responses.RequestsMock
) -> None:
    make(admin)
    other = make(admin, url="https://other.example/in")
    receiver.post("https://other.example/in", status=200)
    answer_with(receiver, status=500)
    for number in range(3):
        tell(organization, key=str(number))
    send_all()
    assert not other.messages.exclude(state=WebhookState.DELIVERED).exists()


def test_private_addresses_are_not_called_even_if_the_name_leads_there_later(
    organization: Organization, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the network in memory: the guard is the real one."""
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)
    make(admin)
    tell(organization)
    assert send_all() == 1
    message = WebhookMessage.objects.get()
    assert (message.status_code, message.state) == (None, WebhookState.WAITING)
    assert "private address" in message.excerpt


# --- workers ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_ticks_never_claim_the_same_webhook(organization: Organization, admin: User) -> None:
    make(admin)
    tell(organization)
    other: list[Any] = []

    def claim_elsewhere() -> None:
        other.extend(claim_endpoints(now=NOW))
        connection.close()

    with transaction.atomic():
        mine = claim_endpoints(now=NOW)
        thread = threading.Thread(target=claim_elsewhere)
        thread.start()
        thread.join()
    assert len(mine) == 1
    assert other == []


def test_a_message_that_waited_too_long_in_the_queue_is_claimed_anew_and_sent_once(
    organization: Organization, admin: User, receiver: responses.RequestsMock
) -> None:
    make(admin)
    tell(organization)
    (old,) = claim_endpoints(now=NOW)
    assert claim_endpoints(now=NOW + LEASE - SECOND) == []
    later = NOW + LEASE
    (new,) = claim_endpoints(now=later)
    for claim in (old, new, new, old):  # a queue that delivers late and twice
        send_due(endpoint_id=claim.endpoint_id, fence=claim.fence, clock=lambda: later)
    assert len(receiver.calls) == 1


def test_a_worker_that_dies_during_the_call_leaves_a_message_that_is_tried_again(
    organization: Organization, admin: User, receiver: responses.RequestsMock
) -> None:
    class Killed(Exception):  # nothing that a worker knows how to deal with
        pass

    make(admin)
    tell(organization)
    answer_with(receiver, body=Killed())
    with pytest.raises(Killed):
        send_all()
    answer_with(receiver, status=200)
    assert send_all(NOW + 10 * SECOND) == 0  # its lease still runs
    assert send_all(NOW + LEASE) == 1
    assert state() == WebhookState.DELIVERED
    assert len({call.request.headers["webhook-id"] for call in receiver.calls}) == 1


@pytest.mark.parametrize(("status", "then"), [(500, WebhookState.WAITING), (200, WebhookState.DELIVERED)])
def test_what_a_slow_worker_learnt_counts_when_it_went_well_and_not_when_it_failed(
    organization: Organization,
    admin: User,
    receiver: responses.RequestsMock,
    status: int,
    then: WebhookState,
) -> None:
    endpoint = make(admin)
    tell(organization)
    (old,) = claim_endpoints(now=NOW)

    def lose_the_lease(request: Any) -> tuple[int, dict[str, str], str]:
        WebhookEndpoint.objects.update(fence=old.fence + 1)
        return status, {}, ""

    receiver.remove("POST", URL)
    receiver.add_callback("POST", URL, lose_the_lease)
    send_due(endpoint_id=old.endpoint_id, fence=old.fence, clock=lambda: NOW)
    endpoint.refresh_from_db()
    assert (endpoint.failures, state()) == (0, then)
    assert endpoint.lease_until is not None  # it is somebody else's


def test_only_so_many_webhooks_are_in_hand(organization: Organization, admin: User) -> None:
    for number in range(webhook_sending.AT_A_TIME + 2):
        make(admin, name=str(number))
    tell(organization)
    assert len(claim_endpoints(now=NOW)) == webhook_sending.AT_A_TIME
    assert claim_endpoints(now=NOW) == []


def test_a_backlog_is_sent_in_batches_and_in_order(
    organization: Organization, admin: User, receiver: responses.RequestsMock
) -> None:
    make(admin)
    for number in range(webhook_sending.BATCH + 5):
        tell(organization, key=f"{number:03}", now=NOW + number * SECOND)
    later = NOW + 100 * SECOND
    assert [send_all(later), send_all(later), send_all(later)] == [webhook_sending.BATCH, 5, 0]
    sent = [body["occurred_at"] for body in told(receiver)]
    assert sent == sorted(sent)


@pytest.mark.usefixtures("celery_eager")
def test_the_tick_sends_what_is_due(
    organization: Organization, admin: User, receiver: responses.RequestsMock
) -> None:
    from accounts.tasks import send_webhooks

    make(admin)
    tell(organization, now=dt.datetime.now(dt.UTC))
    send_webhooks()
    assert state() == WebhookState.DELIVERED


# --- switched off by itself -------------------------------------------------------------------


def test_a_day_of_failures_switches_it_off_and_tells_those_who_manage_it(
    organization: Organization,
    owner: User,
    admin: User,
    manager: User,
    stranger: User,
    receiver: responses.RequestsMock,
) -> None:
    endpoint = make(admin)
    answer_with(receiver, status=500)
    tell(organization)
    times_of_attempts(receiver, NOW + 3 * DAY)
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.is_off_for_failing) == (False, True)
    news = Notification.objects.filter(kind=K.WEBHOOK_DISABLED)
    assert {row.user for row in news} == {owner, admin}
    assert news[0].url == reverse("accounts:webhook", args=[endpoint.pk])
    assert AuditEntry.objects.filter(action="webhook.failed", actor=None).count() == 1
    tell(organization, key="later", now=NOW + 4 * DAY)
    assert WebhookMessage.objects.count() == 1
    assert send_all(NOW + 5 * DAY) == 0


def test_less_than_a_day_does_not(
    organization: Organization, admin: User, receiver: responses.RequestsMock
) -> None:
    endpoint = make(admin)
    answer_with(receiver, status=500)
    tell(organization)
    times_of_attempts(receiver, NOW + DAY / 2)
    endpoint.refresh_from_db()
    assert endpoint.is_active
    assert endpoint.failing_since == NOW


def test_one_of_one_brand_is_told_to_who_manages_that_brand(
    organization: Organization,
    owner: User,
    admin: User,
    brand: Brand,
    other_brand: Brand,
    receiver: responses.RequestsMock,
) -> None:
    make(owner, brand=brand)
    Membership.objects.filter(user=admin).update(has_all_brands=False)
    admin.memberships.get().brands.add(other_brand)
    answer_with(receiver, status=410)  # by the specification: never again
    tell(organization, about=brand)
    send_all()
    assert [row.user for row in Notification.objects.filter(kind=K.WEBHOOK_DISABLED)] == [owner]


def test_other_webhooks_hear_of_it_and_itself_does_not(
    organization: Organization, admin: User, receiver: responses.RequestsMock
) -> None:
    make(admin, kinds=list(K))
    other = make(admin, url="https://other.example/in", kinds=[K.WEBHOOK_DISABLED])
    answer_with(receiver, status=410)
    tell(organization)
    send_all()
    (message,) = WebhookMessage.objects.filter(kind=K.WEBHOOK_DISABLED)
    assert message.endpoint == other
    assert "hooks.example.com" in json.loads(message.body)["summary"]


def test_switched_on_again_it_starts_anew(
    organization: Organization, admin: User, receiver: responses.RequestsMock
) -> None:
    endpoint = make(admin)
    answer_with(receiver, status=410)
    tell(organization)
    send_all()
    assert webhooks.switch_on(endpoint=endpoint, actor=admin, now=NOW)
    assert not webhooks.switch_on(endpoint=endpoint, actor=admin, now=NOW)
    answer_with(receiver, status=500)
    tell(organization, key="2", now=NOW + 2 * DAY)
    send_all(NOW + 2 * DAY)
    endpoint.refresh_from_db()
    assert endpoint.is_active
    assert endpoint.failing_since == NOW + 2 * DAY


# --- tests and sending again ------------------------------------------------------------------


def test_a_test_is_tried_once_and_proves_no_outage(admin: User, receiver: responses.RequestsMock) -> None:
    endpoint, secret = make_with_secret(admin)
    answer_with(receiver, status=500)
    webhooks.send_test(endpoint=endpoint, now=NOW)
    send_all()
    assert state() == WebhookState.GIVEN_UP
    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.failing_since) == (0, None)
    body = told(receiver)[0]
    assert (body["event"], body["account"]) == ("test", None)
    assert is_signed(receiver.calls[0].request, secret)


def test_a_message_is_sent_again_at_once_with_its_id(
    organization: Organization, admin: User, receiver: responses.RequestsMock
) -> None:
    make(admin)
    tell(organization)
    answer_with(receiver, status=500)
    for hours in range(20):
        send_all(NOW + hours * dt.timedelta(hours=1))
    message = WebhookMessage.objects.get()
    webhooks.send_again(message=message, now=NOW + DAY)
    answer_with(receiver, status=200)
    send_all(NOW + DAY)
    assert state() == WebhookState.DELIVERED
    webhooks.send_again(message=message, now=NOW + DAY)  # the receiver lost it
    assert send_all(NOW + DAY) == 1
    assert len({call.request.headers["webhook-id"] for call in receiver.calls}) == 1


def test_nothing_goes_through_one_that_is_switched_off(
    organization: Organization, admin: User, receiver: responses.RequestsMock
) -> None:
    endpoint = make(admin)
    tell(organization)
    message = WebhookMessage.objects.get()
    assert webhooks.switch_off(endpoint=endpoint, actor=admin, now=NOW)
    assert not webhooks.switch_off(endpoint=endpoint, actor=admin, now=NOW)
    for deed in (
        lambda: webhooks.send_test(endpoint=endpoint, now=NOW),
        lambda: webhooks.send_again(message=message, now=NOW),
    ):
        with pytest.raises(SwitchedOff):
            deed()
    assert state() == WebhookState.GIVEN_UP
    assert send_all() == 0
    assert len(receiver.calls) == 0


def test_the_log_goes_back_a_month_and_keeps_what_waits(organization: Organization, admin: User) -> None:
    make(admin)
    tell(organization, key="waits")
    tell(organization, key="over")
    WebhookMessage.objects.filter(dedupe_key="over").update(state=WebhookState.DELIVERED)
    assert webhooks.forget_old_messages(now=NOW + webhooks.KEPT) == 0
    assert webhooks.forget_old_messages(now=NOW + webhooks.KEPT + SECOND) == 1
    assert WebhookMessage.objects.get().dedupe_key == "waits"


# --- who manages them -------------------------------------------------------------------------


def test_what_people_do_is_in_the_audit_log_without_secrets(admin: User, brand: Brand) -> None:
    endpoint, secret = make_with_secret(admin, url=f"{URL}?key=hush")
    member = admin.memberships.get()
    facts = WebhookFacts("Pager", "https://other.example/", [LOST, FAILED], brand)
    webhooks.change_webhook(endpoint=endpoint, actor=member, facts=facts, now=NOW)
    webhooks.change_webhook(endpoint=endpoint, actor=member, facts=facts, now=NOW)  # nothing new
    new = webhooks.change_secret(endpoint=endpoint, actor=admin, now=NOW)
    webhooks.switch_off(endpoint=endpoint, actor=admin, now=NOW)
    webhooks.switch_on(endpoint=endpoint, actor=admin, now=NOW)
    webhooks.delete_webhook(endpoint=endpoint, actor=admin, now=NOW)
    entries = AuditEntry.objects.order_by("pk")
    deeds = ("created", "changed", "secret_changed", "switched_off", "switched_on", "deleted")
    assert [entry.action for entry in entries] == [f"webhook.{deed}" for deed in deeds]
    kept = str(list(entries.values()))
    assert secret not in kept
    assert new not in kept
    assert "hush" not in kept


def test_nobody_reaches_brands_that_are_not_theirs(
    admin: User, brand: Brand, other_brand: Brand, stranger: User
) -> None:
    endpoint = make(admin, brand=other_brand)
    Membership.objects.filter(user=admin).update(has_all_brands=False)
    admin.memberships.get().brands.add(other_brand)
    member = admin.memberships.get()
    for person in (admin, stranger):
        with pytest.raises(NotAllowed):
            make(person, brand=brand)
    with pytest.raises(NotAllowed):
        make(admin)  # of all brands
    for reach in (brand, None):
        with pytest.raises(NotAllowed):
            webhooks.change_webhook(
                endpoint=endpoint, actor=member, facts=WebhookFacts("x", URL, [LOST], reach), now=NOW
            )
    assert WebhookEndpoint.objects.get().brand == other_brand


def test_there_is_an_end_to_how_many_there_may_be(
    admin: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "MOST", 2)
    make(admin)
    make(admin)
    with pytest.raises(TooMany):
        make(admin)
    make(stranger)  # another organization has its own


# --- pages ------------------------------------------------------------------------------------


@pytest.fixture
def public_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name leads to a public address, except those that say otherwise. Addresses stay what they are:
    Redis may be connected to in the midst."""
    look_up_here = socket.getaddrinfo

    def look_up(host: str, port: int, *more: Any, **named: Any) -> list[Any]:
        if host[0].isdigit():
            return look_up_here(host, port, *more, **named)
        if host.startswith("unknown"):
            raise socket.gaierror
        address = "10.0.0.1" if host.startswith("intranet") else "1.1.1.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr("connectors.http.socket.getaddrinfo", look_up)


def entered(**changes: Any) -> dict[str, Any]:
    return {"name": "Pager", "url": URL, "brand": "", "kinds": [LOST, FAILED]} | changes


@pytest.mark.usefixtures("public_host")
def test_the_secret_is_shown_once_and_waits_sealed(sign_in: Any, admin: User) -> None:
    client = sign_in(admin)
    answer = client.post(reverse("accounts:webhook_create"), entered())
    endpoint = WebhookEndpoint.objects.get()
    page = reverse("accounts:webhook", args=[endpoint.pk])
    assert answer["Location"] == page
    waiting = Session.objects.get().get_decoded()["webhook_secret"]
    (secret,) = decrypt_json(endpoint.secret)["secrets"]
    assert secret not in waiting
    assert secret in client.get(page).content.decode()
    assert secret not in client.get(page).content.decode()
    client.post(reverse("accounts:webhook_secret", args=[endpoint.pk]))
    endpoint.refresh_from_db()
    new, _old = decrypt_json(endpoint.secret)["secrets"]
    text = client.get(page).content.decode()
    assert new in text
    assert secret not in text


@pytest.mark.usefixtures("public_host")
@pytest.mark.parametrize(
    ("field", "given", "says"),
    [
        ("name", "", "required"),
        ("kinds", [], "required"),
        ("kinds", ["weather_changed"], "Select a valid choice"),
        ("url", "", "required"),
        ("url", "http://hooks.example.com/", "must begin with https"),
        ("url", "ftp://hooks.example.com/", "no address that can be called"),
        ("url", "hooks.example.com", "no address that can be called"),
        ("url", "https://", "no address that can be called"),
        ("url", "https://127.0.0.1/", "private address"),
        ("url", "https://[::1]/", "private address"),
        ("url", "https://intranet.example/", "private address"),
        ("url", "https://me:pw@hooks.example.com/", "private address"),
        ("url", "https://unknown.example/", "No server answers"),
        ("url", "https://example.com/" + "x" * 1000, "at most 1000"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    sign_in: Any, admin: User, monkeypatch: pytest.MonkeyPatch, field: str, given: Any, says: str
) -> None:
    if given in ("https://127.0.0.1/", "https://[::1]/"):
        monkeypatch.undo()  # these need nobody to look them up
    answer = sign_in(admin).post(reverse("accounts:webhook_create"), entered(**{field: given}))
    assert answer.status_code == 200
    assert says in " ".join(answer.context["form"].errors[field])
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.usefixtures("public_host")
def test_an_operator_can_allow_a_private_host(sign_in: Any, admin: User) -> None:
    from connectors import http

    before = http._config.allowed_private_hosts
    try:
        http.configure(allowed_private_hosts=["intranet.example"])
        sign_in(admin).post(reverse("accounts:webhook_create"), entered(url="http://intranet.example/hook"))
    finally:
        http.configure(allowed_private_hosts=before)
    assert WebhookEndpoint.objects.get().url == "http://intranet.example/hook"


@pytest.mark.usefixtures("public_host")
def test_a_brand_of_somebody_else_cannot_be_chosen(
    sign_in: Any, admin: User, brand: Brand, other_brand: Brand, stranger: User
) -> None:
    theirs = Brand.objects.create(organization=stranger.memberships.get().organization, name="Theirs")
    client = sign_in(admin)
    assert (
        "brand"
        in client.post(reverse("accounts:webhook_create"), entered(brand=theirs.pk)).context["form"].errors
    )
    Membership.objects.filter(user=admin).update(has_all_brands=False)
    admin.memberships.get().brands.add(other_brand)
    for wanted in ("", brand.pk):
        answer = client.post(reverse("accounts:webhook_create"), entered(brand=wanted))
        assert "brand" in answer.context["form"].errors
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.usefixtures("public_host")
def test_too_many_is_said_on_the_form(sign_in: Any, admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "MOST", 0)
    answer = sign_in(admin).post(reverse("accounts:webhook_create"), entered())
    assert "There are 0 webhooks already" in answer.content.decode()


def test_the_list_shows_those_of_ones_own_brands(
    sign_in: Any, owner: User, admin: User, brand: Brand, other_brand: Brand
) -> None:
    make(owner, brand=brand, name="Coffee pager")
    make(owner, brand=other_brand, name="Tea pager")
    make(owner, name="Every pager")
    Membership.objects.filter(user=admin).update(has_all_brands=False)
    admin.memberships.get().brands.add(other_brand)
    text = sign_in(admin).get(reverse("accounts:webhook_list")).content.decode()
    assert "Tea pager" in text
    assert "Coffee pager" not in text
    assert "Every pager" not in text


@pytest.mark.usefixtures("public_host")
def test_changing_switching_and_deleting_on_the_pages(
    sign_in: Any, admin: User, organization: Organization, brand: Brand
) -> None:
    endpoint = make(admin)
    client = sign_in(admin)

    def post(deed: str, **given: Any) -> Any:
        return client.post(reverse(f"accounts:{deed}", args=[endpoint.pk]), given)

    post("webhook_edit", **entered(name="Chat", brand=brand.pk))
    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.brand, set(endpoint.kinds)) == ("Chat", brand, {LOST, FAILED})
    post("webhook_off")
    endpoint.refresh_from_db()
    assert not endpoint.is_active
    post("webhook_test")
    assert (
        "Switch it on first" in client.get(reverse("accounts:webhook", args=[endpoint.pk])).content.decode()
    )
    assert not WebhookMessage.objects.exists()
    post("webhook_on")
    post("webhook_test")
    assert WebhookMessage.objects.get().kind == "test"
    post("webhook_delete")
    assert not WebhookEndpoint.objects.exists()


def test_the_log_shows_attempts_and_is_paged(
    sign_in: Any, admin: User, organization: Organization, receiver: responses.RequestsMock
) -> None:
    endpoint = make(admin)
    answer_with(receiver, status=503, body="<b>busy</b>")
    tell(organization)
    send_all()
    client, page = sign_in(admin), reverse("accounts:webhook", args=[endpoint.pk])
    text = client.get(page).content.decode()
    assert "HTTP 503" in text
    assert "busy" in text
    assert "<b>busy" not in text
    for number in range(60):
        tell(organization, key=f"more {number}")
    answer = client.get(page)
    assert len(answer.context["rows"]) == 50
    log = client.get(page, {"page": 2}, headers={"HX-Request": "true"})
    assert "<html" not in log.content.decode()
    assert len(log.context["rows"]) == 11


def test_a_message_is_sent_again_from_the_log(sign_in: Any, admin: User, organization: Organization) -> None:
    endpoint = make(admin)
    tell(organization)
    WebhookMessage.objects.update(state=WebhookState.GIVEN_UP, next_at=None, tries=9)
    message = WebhookMessage.objects.get()
    answer = sign_in(admin).post(reverse("accounts:webhook_again", args=[message.pk]))
    assert answer["Location"] == reverse("accounts:webhook", args=[endpoint.pk])
    message.refresh_from_db()
    assert (message.state, message.tries) == (WebhookState.WAITING, 0)


def test_the_audit_log_names_kinds_in_words(sign_in: Any, admin: User) -> None:
    make(admin)
    text = sign_in(admin).get(reverse("accounts:audit")).content.decode()
    assert "An account must be reconnected" in text
    assert "all brands" in text
    assert "account_lost" not in text


# --- over the wire ----------------------------------------------------------------------------


@pytest.mark.integration
def test_a_receiver_gets_it_over_http(
    organization: Organization, admin: User, sandbox_account: SocialAccount
) -> None:
    import http.server

    from connectors import http as door

    got: list[tuple[dict[str, str], bytes]] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the library
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    before = door._config.allowed_private_hosts
    try:
        place = f"127.0.0.1:{server.server_port}"
        door.configure(allowed_private_hosts=[place])
        _endpoint, secret = make_with_secret(admin, url=f"http://{place}/hook")
        tell(organization, about=sandbox_account)
        assert send_all() == 1
    finally:
        door.configure(allowed_private_hosts=before)
        server.shutdown()
        thread.join()
        server.server_close()
    ((headers, body),) = got
    assert is_signed(requests.Request(headers=headers, data=body, method="POST", url=URL).prepare(), secret)
    assert json.loads(body)["account"]["handle"] == "harbour"
    assert state() == WebhookState.DELIVERED
