"""What networks tell by themselves: only what is genuine, kept once, acted on once, and never needed."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import hmac
import importlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from unittest.mock import PropertyMock

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.connecting import seal_tokens
from accounts.models import (
    AccountStatus,
    AppRegistration,
    ConnectionOffer,
    Credential,
    Notification,
    NotificationKind,
    Organization,
    SocialAccount,
    User,
)
from accounts.services import apps
from connectors.base import (
    Capability,
    ConnectMethod,
    InboxItem,
    InboxKind,
    Profile,
    Tokens,
    WebhookEvent,
    WebhookKind,
)
from connectors.errors import Rejected, RejectReason, Temporary
from connectors.registry import CONNECTORS
from connectors.sandbox import SandboxConnector
from engagement import tasks
from engagement.models import DeletionRequest, InboxPull, Message, NetworkCall, NetworkEvent
from engagement.services import hooks, intake
from engagement.services.collection import BUSY_INTERVAL
from outbox.models import Attempt, AttemptState, Delivery, DeliveryState
from outbox.services.scheduling import schedule_delivery
from tests.cast import make_account
from tests.engagement.conftest import MINUTE, NOON

SECRET = "the secret of the app"


class HookedConnector(SandboxConnector):
    """A network that calls us: JSON, signed with HMAC-SHA256 of the app's secret."""

    INFO = dataclasses.replace(
        SandboxConnector.INFO,
        key="hooked",
        name="Hooked",
        capabilities=SandboxConnector.INFO.capabilities | {Capability.WEBHOOKS},
    )
    names: ClassVar[Mapping[str, str]] = {}
    problem: ClassVar[Exception | None] = None

    @classmethod
    def webhook_challenge(cls, query: Mapping[str, str], *, secret: str, verify_token: str) -> str | None:
        return query.get("challenge") if query.get("token") == verify_token else None

    @classmethod
    def is_genuine(cls, body: bytes, headers: Mapping[str, str], *, secret: str) -> bool:
        return hmac.compare_digest(headers.get("x-hooked-signature", ""), signature(body, secret))

    @classmethod
    def webhook_events(cls, body: bytes) -> tuple[WebhookEvent, ...]:
        if cls.problem is not None:
            raise cls.problem
        try:
            told = json.loads(body)
        except ValueError as error:
            raise Rejected(RejectReason.INVALID, "not JSON") from error
        return tuple(
            WebhookEvent(
                event_id=one["id"],
                kind=WebhookKind(one["kind"]),
                account_id=one["account"],
                remote_id=one.get("remote_id", ""),
                needs=frozenset(map(Capability, one.get("needs", ()))),
                items=tuple(item_of(text) for text in one.get("texts", ())),
            )
            for one in told["events"]
        )

    def complete(self, items: Sequence[InboxItem]) -> Sequence[InboxItem]:
        return [
            dataclasses.replace(item, author=Profile(item.author.remote_id, "mila", self.names["u-mila"]))
            for item in items
            if "u-mila" in self.names
        ] or items


class FormHookedConnector(HookedConnector):
    INFO = dataclasses.replace(
        HookedConnector.INFO, key="form_hooked", connect_method=ConnectMethod.FORM, connect_fields=()
    )


def item_of(text: str) -> InboxItem:
    mark = hashlib.sha256(text.encode()).hexdigest()[:8]
    return InboxItem(
        InboxKind.COMMENT, f"c-{mark}", f"c-{mark}", Profile("u-mila", ""), text, NOON, root_id="p1"
    )


def signature(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.fixture(autouse=True)
def hooked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONNECTORS, "hooked", HookedConnector)
    monkeypatch.setitem(CONNECTORS, "form_hooked", FormHookedConnector)
    monkeypatch.setattr(HookedConnector, "names", {})
    monkeypatch.setattr(HookedConnector, "problem", None)


@pytest.fixture
def app(organization: Organization, admin: User) -> AppRegistration:
    return apps.add_app(
        organization=organization,
        platform="hooked",
        facts=apps.AppFacts("Ours", "4711", SECRET),
        redirect_uri="https://smm.example.com/callback",
        actor=admin,
        now=NOON,
    )


def connected(account: SocialAccount, app: AppRegistration | None, **extra: str) -> SocialAccount:
    tokens = Tokens(access_token="token", extra=extra)
    Credential.objects.filter(account=account).update(secret=seal_tokens(tokens), app=app)
    return account


@pytest.fixture
def account(brand: Any, app: AppRegistration) -> SocialAccount:
    return connected(make_account(brand, platform="hooked", handle="harbour"), app)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> list[str]:
    """The ids of calls that a worker was told of."""
    told: list[str] = []
    monkeypatch.setattr(tasks.work_through, "delay_on_commit", lambda *, call_id: told.append(call_id))
    return told


def url_of(app: AppRegistration, name: str = "hook") -> str:
    return reverse(f"engagement:{name}", args=[app.platform, app.hook_key])


def event(kind: str = "inbox", account: str = "id-harbour", **given: Any) -> dict[str, Any]:
    return {"id": f"e-{uuid.uuid4()}", "kind": kind, "account": account, **given}


def body_of(*events: Mapping[str, Any]) -> bytes:
    return json.dumps({"events": events}).encode()


def tell(url: str, body: bytes, signed: str | None = None) -> int:
    answer = Client(enforce_csrf_checks=True).post(
        url, body, content_type="application/json", headers={"X-Hooked-Signature": signed or signature(body)}
    )
    return answer.status_code


def work(now: dt.datetime = NOON) -> list[bool]:
    due = NetworkCall.objects.filter(next_at__isnull=False).order_by("received_at", "pk")
    return [hooks.work_through(call_id=call.pk, now=max(now, call.received_at)) for call in due]


# --- the address ----------------------------------------------------------------------------------


def test_the_question_of_the_network_is_answered_only_with_our_token(app: AppRegistration) -> None:
    visitor, url = Client(), url_of(app)
    token = apps.shown(app).verify_token
    right = visitor.get(url, {"challenge": "1158201444", "token": token})
    assert (right.status_code, right.content, right["Content-Type"]) == (200, b"1158201444", "text/plain")
    assert visitor.get(url, {"challenge": "1", "token": "guessed"}).status_code == 403
    assert visitor.get(url).status_code == 403


@pytest.mark.parametrize("key", ["guessed", "x" * 200, "\0", "a\0b", "鍵", " "])
def test_addresses_that_were_never_made_are_not_there(app: AppRegistration, key: str) -> None:
    for platform in ("hooked", "sandbox", "myspace"):
        url = reverse("engagement:hook", args=[platform, key])
        assert (Client().get(url).status_code, tell(url, b"{}")) == (404, 404)
    assert Client().get(reverse("engagement:deletion_status", args=[key])).status_code == 404
    assert tell(reverse("engagement:hook", args=["sandbox", app.hook_key]), b"{}") == 404
    assert not NetworkCall.objects.exists()


def test_what_the_network_did_not_sign_is_refused_and_not_kept(
    app: AppRegistration, account: SocialAccount, calls: list[str]
) -> None:
    body = body_of(event(texts=["Hi"]))
    for forged in ("", "0" * 64, signature(body, "another secret"), signature(body + b" ")):
        assert tell(url_of(app), body, forged or "none") == 403
    assert tell(url_of(app), b" " * (2 * 1024 * 1024 + 1)) == 403
    AppRegistration.objects.update(secret="no key opens this")
    assert tell(url_of(app), body, signature(body, "")) == 403
    assert not NetworkCall.objects.exists()
    assert calls == []


def test_a_genuine_call_is_kept_once_and_handed_to_a_worker_once(
    app: AppRegistration, account: SocialAccount, calls: list[str]
) -> None:
    body = body_of(event(texts=["Hi"]))
    assert [tell(url_of(app), body) for _ in range(3)] == [200, 200, 200]
    call = NetworkCall.objects.get()
    assert bytes(call.body) == body
    assert calls == [str(call.pk)]


# --- what is told ---------------------------------------------------------------------------------


def test_what_was_told_whole_is_in_the_inbox_with_names_once(
    app: AppRegistration, account: SocialAccount, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HookedConnector, "names", {"u-mila": "Mila"})
    one = event(texts=["Is it open?"])
    tell(url_of(app), body_of(one))
    assert work() == [False]
    # The same event in another call, as networks do when they do not know whether we heard.
    tell(url_of(app), body_of(one, event(texts=["And on Sunday?"])))
    work()
    found = Message.objects.order_by("text")
    assert [message.text for message in found] == ["And on Sunday?", "Is it open?"]
    assert {message.identity.display_name for message in found if message.identity} == {"Mila"}
    assert NetworkEvent.objects.count() == 2
    assert hooks.due_calls(now=NOON + dt.timedelta(days=1)) == []


def test_a_call_without_content_makes_the_inbox_be_read_now(
    app: AppRegistration, account: SocialAccount, calls: list[str]
) -> None:
    later = NOON + dt.timedelta(days=999)
    InboxPull.objects.create(account=account, next_at=later, began_at=NOON, read_until=NOON)
    tell(url_of(app), body_of(event(account="somebody else")))
    assert work() == [False]
    assert InboxPull.objects.get().next_at == later
    tell(url_of(app), body_of(event()))
    assert work() == [True]
    assert InboxPull.objects.get().next_at < later


def test_who_comments_often_does_not_make_us_read_without_end(
    app: AppRegistration, account: SocialAccount, calls: list[str]
) -> None:
    """What the network allows us in an hour is not used up by others."""
    tell(url_of(app), body_of(event()))
    now = NetworkCall.objects.get().received_at
    pull = InboxPull.objects.create(
        account=account,
        next_at=now + dt.timedelta(days=1),
        began_at=NOON,
        read_until=NOON,
        taken_at=now - BUSY_INTERVAL / 4,
    )
    assert work() == [False]
    pull.refresh_from_db()
    assert pull.next_at == now + BUSY_INTERVAL * 3 / 4
    # One that is due earlier anyway is not put off.
    InboxPull.objects.update(next_at=now + BUSY_INTERVAL / 4)
    tell(url_of(app), body_of(event()))
    assert work() == [False]
    pull.refresh_from_db()
    assert pull.next_at == now + BUSY_INTERVAL / 4


@pytest.mark.parametrize(("read_ago", "waits"), [(0, 15), (14, 1), (15, 0), (60, 0)])
def test_no_call_makes_us_read_more_often_than_the_network_is_to_be_asked(
    app: AppRegistration,
    account: SocialAccount,
    calls: list[str],
    monkeypatch: pytest.MonkeyPatch,
    read_ago: int,
    waits: int,
) -> None:
    """It may charge for each look."""
    info = dataclasses.replace(HookedConnector.INFO, inbox_every_s=900)
    monkeypatch.setattr(SocialAccount, "info", PropertyMock(return_value=info))
    tell(url_of(app), body_of(event(), event()))
    now = NetworkCall.objects.get().received_at
    pull = InboxPull.objects.create(
        account=account,
        next_at=now + dt.timedelta(days=1),
        began_at=NOON,
        read_until=NOON,
        taken_at=now - read_ago * MINUTE,
    )
    assert work() == [waits == 0]
    pull.refresh_from_db()
    assert pull.next_at == now + waits * MINUTE


def test_an_inbox_that_could_not_be_read_is_not_asked_at_each_call(
    app: AppRegistration, account: SocialAccount, calls: list[str]
) -> None:
    tell(url_of(app), body_of(event()))
    later = NetworkCall.objects.get().received_at + dt.timedelta(hours=6)
    InboxPull.objects.create(
        account=account, next_at=later, began_at=NOON, read_until=NOON, error=str(RejectReason.FORBIDDEN)
    )
    assert work() == [False]
    assert InboxPull.objects.get().next_at == later


def test_only_accounts_that_can_what_was_told_are_read(
    app: AppRegistration, account: SocialAccount, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    left = HookedConnector.INFO.capabilities - {Capability.INBOX_MESSAGES}
    info = dataclasses.replace(HookedConnector.INFO, capabilities=left)
    monkeypatch.setattr(SocialAccount, "info", PropertyMock(return_value=info))
    later = NOON + dt.timedelta(days=999)
    InboxPull.objects.create(account=account, next_at=later, began_at=NOON, read_until=NOON)
    tell(url_of(app), body_of(event(needs=["inbox_messages"])))
    assert work() == [False]
    assert InboxPull.objects.get().next_at == later
    tell(url_of(app), body_of(event(needs=["inbox_messages", "inbox_comments"])))
    assert work() == [True]
    assert InboxPull.objects.get().next_at < later


def test_x_is_answered_in_json_and_heard_with_the_secret_of_its_api_key(
    organization: Organization, admin: User, brand: Any, calls: list[str]
) -> None:
    def app_of_x(name: str, **extra: str) -> AppRegistration:
        return apps.add_app(
            organization=organization,
            platform="x",
            facts=apps.AppFacts(name, "4711", SECRET, extra),
            redirect_uri="https://smm.example.com/callback",
            actor=admin,
            now=NOON,
        )

    def post(app: AppRegistration, body: bytes, secret: str) -> int:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
        signed = {"X-Twitter-Webhooks-Signature": f"sha256={base64.b64encode(digest).decode()}"}
        answer = Client(enforce_csrf_checks=True).post(
            url_of(app), body, content_type="application/json", headers=signed
        )
        return answer.status_code

    def revoke(person: str) -> bytes:
        return json.dumps({"user_event": {"revoke": {"source": {"user_id": person}}}}).encode()

    without, app = app_of_x("Without"), app_of_x("Ours", consumer_secret="api-key-secret")
    query = {"crc_token": "NmQxY2Y5ZTctMTFjZS00"}
    answer = Client().get(url_of(app), query)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == {"response_token": "sha256=f9aSrAFA/7lPWPsL94OLXiDq7wUnD0kOvbnKevfoyUI="}
    assert Client().get(url_of(without), query).status_code == 403
    account = connected(make_account(brand, platform="x", handle="harbour"), app)
    body = revoke(account.remote_id)
    assert [post(app, body, secret) for secret in (SECRET, "", "old")] == [403, 403, 403]
    assert [post(without, body, secret) for secret in (SECRET, "")] == [403, 403]
    assert [post(app, one, "api-key-secret") for one in (revoke("9"), b"[]", b"{}")] == [200, 200, 200]
    work()
    account.refresh_from_db()
    assert account.status == AccountStatus.ACTIVE
    assert [post(app, body, "api-key-secret") for _ in range(2)] == [200, 200]
    work()
    account.refresh_from_db()
    assert account.status == AccountStatus.NEEDS_RECONNECT


def test_an_account_is_known_by_its_other_ids_too(
    app: AppRegistration, account: SocialAccount, calls: list[str]
) -> None:
    SocialAccount.objects.filter(pk=account.pk).update(options={"hook_ids": ["17841400000000001"]})
    tell(url_of(app), body_of(event(account="17841400000000001", texts=["Hi"])))
    work()
    assert Message.objects.get().account == account


def test_only_accounts_of_the_app_that_was_called_hear_of_it(
    app: AppRegistration, account: SocialAccount, calls: list[str], other_organization: Organization
) -> None:
    from accounts.models import Brand

    elsewhere = Brand.objects.create(organization=other_organization, name="Elsewhere")
    foreign = AppRegistration.objects.create(
        organization=other_organization,
        name="Theirs",
        platform="hooked",
        redirect_uri="https://x.test/",
        secret="",
    )
    connected(make_account(elsewhere, platform="hooked", handle="harbour"), foreign)
    tell(url_of(app), body_of(event(texts=["For us"]), event("revoked")))
    work()
    assert Message.objects.get().account == account
    states = dict(SocialAccount.objects.values_list("brand__name", "status"))
    assert states["Elsewhere"] == AccountStatus.ACTIVE
    assert states[account.brand.name] == AccountStatus.NEEDS_RECONNECT


def test_a_permission_that_was_taken_back_stops_the_account_and_is_told(
    app: AppRegistration, account: SocialAccount, calls: list[str], owner: User, sign_in: Any
) -> None:
    SocialAccount.objects.filter(pk=account.pk).update(options={"person_id": "person-1"})
    tell(url_of(app), body_of(event("revoked", account="person-2")))
    work()
    assert SocialAccount.objects.get().status == AccountStatus.ACTIVE
    tell(url_of(app), body_of(event("revoked", account="person-1")))
    work()
    assert SocialAccount.objects.get().status == AccountStatus.NEEDS_RECONNECT
    page = sign_in(owner).get(reverse("accounts:account_detail", args=[account.pk])).content.decode()
    assert "Somebody took the permission back" in page


@pytest.mark.parametrize("kind", ["revoked", "forget"])
def test_a_permission_that_was_given_since_is_another_one(
    app: AppRegistration, account: SocialAccount, calls: list[str], kind: str
) -> None:
    """The call waited, or the network sent it again, while the person signed in anew."""
    tell(url_of(app), body_of(event(kind)))
    came = NetworkCall.objects.get().received_at
    SocialAccount.objects.update(connected_at=came + MINUTE)
    work(came + 2 * MINUTE)
    assert SocialAccount.objects.get().status == AccountStatus.ACTIVE
    assert Credential.objects.exists()


def test_a_publication_that_is_done_is_asked_about_at_once(
    app: AppRegistration, account: SocialAccount, calls: list[str], manager: User
) -> None:
    from outbox.payloads import PartContent, freeze_post

    later = NOON + dt.timedelta(days=999)
    rows = []
    for remote_id in ("v-1", "v-2"):
        delivery = schedule_delivery(
            account=account, payload=freeze_post([PartContent("Film")]), due_at=NOON, actor=manager, now=NOON
        )
        Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.PROCESSING, next_attempt_at=later)
        Attempt.objects.create(
            delivery=delivery,
            step="part0.media0",
            fence=1,
            key=uuid.uuid4(),
            fingerprint="",
            intent={},
            state=AttemptState.PROCESSING,
            result={"remote_id": remote_id},
            started_at=NOON,
        )
        rows.append(delivery)
    tell(url_of(app), body_of(event("publication", remote_id="v-2")))
    work()
    waits = [Delivery.objects.get(pk=row.pk).next_attempt_at for row in rows]
    assert waits[0] == later
    assert waits[1] < later


# --- when something goes wrong --------------------------------------------------------------------


def test_an_event_that_fails_does_not_keep_the_others_waiting(
    app: AppRegistration, account: SocialAccount, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    take = intake.take_page

    def fails_at_first(*, items: Sequence[InboxItem], **given: Any) -> Any:
        if items[0].text == "This breaks":
            raise RuntimeError("a mistake of ours")
        return take(items=items, **given)

    monkeypatch.setattr(hooks, "take_page", fails_at_first)
    tell(url_of(app), body_of(event(texts=["This breaks"]), event(texts=["Hi"])))
    work()
    assert Message.objects.get().text == "Hi"
    call = NetworkCall.objects.get()
    assert call.next_at is not None
    monkeypatch.setattr(hooks, "take_page", take)
    hooks.work_through(call_id=call.pk, now=call.next_at)
    assert sorted(message.text for message in Message.objects.all()) == ["Hi", "This breaks"]


def test_calls_that_wait_are_told_again_only_after_a_while(
    app: AppRegistration, account: SocialAccount, calls: list[str]
) -> None:
    """However long the queue of the workers is, it is not filled with the same."""
    tell(url_of(app), body_of(event(texts=["Hi"])))
    call = NetworkCall.objects.get()
    due = call.received_at + hooks.FIRST_BACKOFF
    assert hooks.due_calls(now=due) == [call.pk]
    assert hooks.due_calls(now=due + hooks.FIRST_BACKOFF / 2) == []
    assert hooks.due_calls(now=due + hooks.FIRST_BACKOFF) == [call.pk]


def test_a_call_that_cannot_be_read_is_given_up(
    app: AppRegistration, account: SocialAccount, calls: list[str]
) -> None:
    tell(url_of(app), b"<html>")
    assert work() == [False]
    assert NetworkCall.objects.get().error == "not JSON"
    assert hooks.due_calls(now=NOON + dt.timedelta(days=1000)) == []


def test_a_call_that_fails_is_tried_again_with_growing_pauses_and_given_up_at_last(
    app: AppRegistration, account: SocialAccount, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HookedConnector, "problem", RuntimeError("a mistake of ours"))
    tell(url_of(app), body_of(event(texts=["Hi"])))
    call = NetworkCall.objects.get()
    now, pauses = call.received_at, []
    while call.next_at is not None:
        now = call.next_at
        hooks.work_through(call_id=call.pk, now=now)
        call.refresh_from_db()
        if call.next_at is not None:
            pauses.append(call.next_at - now)
    assert len(pauses) == hooks.MOST_TRIES - 1
    assert pauses == sorted(pauses)
    assert not Message.objects.exists()
    # Mended in time, it is worked through.
    monkeypatch.setattr(HookedConnector, "problem", None)
    NetworkCall.objects.update(next_at=now)
    hooks.work_through(call_id=call.pk, now=now)
    assert Message.objects.get().text == "Hi"


def test_a_call_whose_worker_died_is_picked_up_after_a_while(
    app: AppRegistration, account: SocialAccount, calls: list[str]
) -> None:
    tell(url_of(app), body_of(event(texts=["Hi"])))
    call = NetworkCall.objects.get()
    now = call.received_at
    assert hooks._claim(call.pk, now) is not None
    assert hooks._claim(call.pk, now) is None  # another worker has it
    assert hooks.due_calls(now=now + hooks.LEASE) == []
    later = now + hooks.LEASE + hooks.FIRST_BACKOFF
    assert hooks.due_calls(now=later) == [call.pk]
    hooks.work_through(call_id=call.pk, now=later)
    assert Message.objects.exists()


def test_names_that_cannot_be_read_now_cost_no_message(
    app: AppRegistration, account: SocialAccount, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_self: HookedConnector, _items: Sequence[InboxItem]) -> Sequence[InboxItem]:
        raise Temporary("down")

    monkeypatch.setattr(HookedConnector, "complete", fails)
    tell(url_of(app), body_of(event(texts=["Hi"])))
    work()
    assert Message.objects.get().text == "Hi"


def test_what_was_told_is_forgotten_in_time(
    app: AppRegistration, account: SocialAccount, calls: list[str]
) -> None:
    tell(url_of(app), body_of(event(texts=["Hi"])))
    work()
    came = NetworkCall.objects.get().received_at
    hooks.forget_old(now=came + hooks.KEPT_FOR - MINUTE)
    assert NetworkCall.objects.exists()
    hooks.forget_old(now=came + hooks.KEPT_FOR + MINUTE)
    assert not NetworkCall.objects.exists()
    assert NetworkEvent.objects.exists()
    hooks.forget_old(now=came + hooks.REMEMBERED_FOR + MINUTE)
    assert not NetworkEvent.objects.exists()
    assert Message.objects.exists()


# --- an account with a webhook of its own ---------------------------------------------------------


def test_an_account_connected_by_form_has_a_webhook_of_its_own(
    brand: Any, calls: list[str], sign_in: Any, admin: User, settings: Any
) -> None:
    account = connected(
        make_account(brand, platform="form_hooked", handle="harbour", hook_key="k" * 43),
        None,
        channel_secret="of the channel",
    )
    shown = sign_in(admin).get(reverse("accounts:account_detail", args=[account.pk])).content.decode()
    url = reverse("engagement:hook", args=["form_hooked", account.hook_key])
    assert f"{settings.BASE_URL}{url}" in shown
    body = body_of(event(account="whatever it calls us", texts=["Hi"]))
    assert tell(url, body, signature(body, "guessed")) == 403
    assert tell(url, body, signature(body, "of the channel")) == 200
    work()
    assert Message.objects.get().account == account


# --- requests of deletion -------------------------------------------------------------------------


def test_a_request_of_deletion_is_answered_with_a_page_that_says_what_became_of_it(
    app: AppRegistration, account: SocialAccount, calls: list[str], settings: Any, owner: User, sign_in: Any
) -> None:
    SocialAccount.objects.filter(pk=account.pk).update(options={"person_id": "person-1", "host": "x"})
    body = body_of(event("forget", account="person-1"))
    visitor = Client(enforce_csrf_checks=True)

    def ask(signed: str) -> Any:
        return visitor.post(
            url_of(app, "deletion"),
            body,
            content_type="application/json",
            headers={"X-Hooked-Signature": signed},
        )

    assert ask("0" * 64).status_code == 403
    told = ask(signature(body)).json()
    assert ask(signature(body)).json() == told
    page = told["url"].removeprefix(settings.BASE_URL)
    assert "Your data is being deleted" in visitor.get(page).content.decode()
    work()
    shown = visitor.get(page).content.decode()
    assert "Your data is deleted" in shown
    assert re.search(r"access to 1\s+account was deleted", shown)
    row = SocialAccount.objects.get()
    assert (row.status, row.options) == (AccountStatus.DISCONNECTED, {"host": "x"})
    assert not Credential.objects.exists()
    told_to = Notification.objects.filter(kind=NotificationKind.ACCOUNT_LOST).values_list("user", flat=True)
    assert owner.pk in told_to  # nothing that is planned for it goes out any more
    own_page = sign_in(owner).get(reverse("accounts:account_detail", args=[account.pk])).content.decode()
    assert "Whoever connected it asked for that" in own_page
    asked = DeletionRequest.objects.get()
    assert "person-1" not in f"{asked.digest}{asked.code}"
    # Asked again, it is answered with the same page.
    assert ask(signature(body)).json() == told
    assert DeletionRequest.objects.count() == 1
    hooks.forget_old(now=asked.requested_at + dt.timedelta(days=9999))
    assert visitor.get(page).status_code == 404


def test_requests_of_before_keep_the_page_that_they_have(db: None) -> None:
    """Whether the table is as it was before the migration, or already as it is after it."""
    DeletionRequest.objects.bulk_create(
        DeletionRequest(code=code, platform="hooked", digest=code, requested_at=NOON) for code in ("a", "b")
    )
    migration = importlib.import_module("engagement.migrations.0004_requests_by_digest")

    def digests() -> dict[str, str]:
        return dict(DeletionRequest.objects.values_list("code", "digest"))

    with connection.cursor() as cursor:
        cursor.execute(migration.KNOW_BY_DIGEST)
        assert digests() == {"a": "a", "b": "b"}
        cursor.execute("DROP INDEX deletion_request_old")
        cursor.execute(
            "ALTER TABLE engagement_deletionrequest DROP COLUMN digest, "
            "ADD COLUMN person_hash varchar(64) NOT NULL DEFAULT 'same'"
        )
        cursor.execute(migration.KNOW_BY_DIGEST)
    assert digests() == {code: hashlib.sha256(code.encode()).hexdigest() for code in ("a", "b")}


def test_requests_that_are_never_worked_through_are_forgotten_too(
    app: AppRegistration, account: SocialAccount, calls: list[str]
) -> None:
    body = body_of(event("forget"))
    url = url_of(app, "deletion")
    Client().post(url, body, content_type="application/json", headers={"X-Hooked-Signature": signature(body)})
    asked = DeletionRequest.objects.get()
    hooks.forget_old(now=asked.requested_at + hooks.DELETIONS_KEPT_FOR + MINUTE)
    assert not DeletionRequest.objects.exists()


def test_what_waits_to_be_chosen_from_goes_with_the_permission(
    app: AppRegistration, account: SocialAccount, brand: Any, admin: User, calls: list[str]
) -> None:
    ConnectionOffer.objects.create(
        brand=brand,
        platform="hooked",
        app=app,
        secret="tokens",
        actor=admin,
        created_at=NOON,
        expires_at=NOON + dt.timedelta(days=999),
    )
    body = body_of(event("forget"))
    Client().post(
        url_of(app, "deletion"),
        body,
        content_type="application/json",
        headers={"X-Hooked-Signature": signature(body)},
    )
    work()
    assert not ConnectionOffer.objects.exists()


def test_a_deletion_for_nobody_is_done_and_says_so(
    app: AppRegistration, account: SocialAccount, calls: list[str]
) -> None:
    body = body_of(event("forget", account="somebody else"))
    answer = Client().post(
        url_of(app, "deletion"),
        body,
        content_type="application/json",
        headers={"X-Hooked-Signature": signature(body)},
    )
    work()
    assert DeletionRequest.objects.get(pk=answer.json()["confirmation_code"]).accounts == 0
    assert SocialAccount.objects.get().status == AccountStatus.ACTIVE


def test_a_request_of_deletion_without_a_person_is_refused(
    app: AppRegistration, account: SocialAccount, calls: list[str]
) -> None:
    body = body_of(event("other"))
    answer = Client().post(
        url_of(app, "deletion"),
        body,
        content_type="application/json",
        headers={"X-Hooked-Signature": signature(body)},
    )
    assert answer.status_code == 400
    assert not NetworkCall.objects.exists()
