"""Answers on real servers whose answers get lost in every way: one reply and one message each, no more."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from django.utils import timezone

from accounts.connecting import connector_for
from accounts.models import SocialAccount, User
from connectors import http
from connectors.base import InboxItem, InboxKind, MessageTarget, Moderation, ModerationAction, ReplyTarget
from connectors.bluesky import BlueskyConnector
from connectors.errors import RejectReason
from outbox.models import Attempt, AttemptState, Delivery, DeliveryKind, DeliveryState
from outbox.payloads import freeze_message, freeze_moderation, freeze_reply
from outbox.services import schedule_delivery
from outbox.services.claiming import claim_due, reap
from outbox.services.sending import send_deliveries
from sandbox.control import SandboxControl, running_sandbox
from smmapp.run import parts
from tests.bluesky_network.harness import running_with_appview
from tests.outbox.holding_proxy import holding_proxy
from tests.outbox.test_killed_worker import MODES, all_sent, connected, sandbox_account
from tests.processes import processes, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

FAULTS = {
    "drop_after_accept": {},
    "drop_before": {},
    "server_error": {"store": True},
    "malformed_json": {"status": 200},
    "html": {"status": 502},
    "rate_limit": {"retry_after_s": 1},
}


@pytest.fixture(autouse=True)
def _own_http_settings():
    before = (http._config.allowed_private_hosts, http._config.base_urls, http._config.user_agent)
    yield
    http.configure(allowed_private_hosts=before[0], base_urls=before[1], user_agent=before[2])


def make_account(brand, control: SandboxControl, mode: str, name: str) -> SocialAccount:
    return sandbox_account(brand, control, mode, handle=name, consistency_window_s=1)


def asked(control: SandboxControl, account: SocialAccount, kind: DeliveryKind) -> InboxItem:
    """Somebody writes to the account, and we read it."""
    if kind == DeliveryKind.DM:
        control.act("message", by="Hana", to=account.handle, text="Do you deliver?")
    else:
        [[post]] = control.seed_posts(account.handle, [{"text": "A post"}])
        control.act("comment", by="Hana", post=post, text="Until when?")
    return read(account)[-1]


def read(account: SocialAccount) -> list[InboxItem]:
    connector, cursor = connector_for(account), ""
    items: list[InboxItem] = []
    while True:
        page = connector.fetch_inbox(since=account.connected_at, cursor=cursor)
        items += page.items
        cursor = page.cursor
        if not cursor:
            return items


def answer(account: SocialAccount, item: InboxItem, actor: User, text: str = "Thanks") -> Delivery:
    if item.kind is InboxKind.DM:
        assert item.counterpart is not None
        target = MessageTarget(item.counterpart.remote_id, item.thread_id, item.detail)
        kind, payload = DeliveryKind.DM, freeze_message(text, target)
    else:
        kind = DeliveryKind.REPLY
        payload = freeze_reply(text, ReplyTarget(item.remote_id, item.root_id, item.detail))
    now = timezone.now()
    return schedule_delivery(account=account, payload=payload, due_at=now, actor=actor, now=now, kind=kind)


def work_until(is_done: Callable[[], bool], *, timeout_s: float = 60) -> None:
    give_up = time.monotonic() + timeout_s
    while not is_done():
        assert time.monotonic() < give_up, list(Delivery.objects.values_list("kind", "state", "error"))
        reap(now=timezone.now())
        for claim in claim_due(now=timezone.now()):
            send_deliveries(claimed={claim.delivery_id: claim.fence}, clock=timezone.now)
        time.sleep(0.05)


def test_whatever_is_lost_on_the_way_there_is_one_reply_and_one_message(brand, responder):
    """Every fault, in each of the sandbox's promises, on a reply and on a message."""
    with running_sandbox() as control:
        http.configure(allowed_private_hosts=["127.0.0.1"], base_urls={"sandbox": ""})
        deliveries = []
        for m, mode in enumerate(MODES):
            for f, (effect, parameters) in enumerate(FAULTS.items()):
                for kind, endpoint in ((DeliveryKind.REPLY, "publish"), (DeliveryKind.DM, "send_message")):
                    account = make_account(brand, control, mode, f"cafe_{m}_{f}_{kind}")
                    item = asked(control, account, kind)
                    control.fault(effect, account=account.handle, endpoint=endpoint, times=1, **parameters)
                    deliveries.append(answer(account, item, responder))

        work_until(lambda: all_sent(*deliveries))

        summary = control.summary()
        half = len(deliveries) // 2
        assert (summary["replies"], summary["messages"]) == (half, half)
        assert (summary["duplicates"], summary["same_text"]) == (0, 0)
        assert summary["early"] == 0
        for delivery in Delivery.objects.select_related("account"):
            told = [item.remote_id for item in read(delivery.account) if item.is_own]
            assert told == [delivery.remote_id], "the network tells back what we think we sent"


def test_a_worker_killed_between_acceptance_and_commit_leaves_one_answer_on_every_network(
    process_environment, brand, responder, tmp_path: Path
):
    """The sandbox in each retry-safety mode, a reply and a message each, and a reply on a real Bluesky
    server, all at once."""
    with (
        running_with_appview() as bluesky,
        running_sandbox() as control,
        holding_proxy(bluesky.pds_url) as proxy,
    ):
        http.configure(
            allowed_private_hosts=["127.0.0.1", "localhost"], base_urls=bluesky.base_urls | {"sandbox": ""}
        )
        deliveries = []
        for mode in MODES:
            for kind in (DeliveryKind.REPLY, DeliveryKind.DM):
                account = make_account(brand, control, mode, f"{mode}_{kind}")
                deliveries.append(answer(account, asked(control, account, kind), responder))
        control.fault("hang_after_accept", hang_s=120, endpoint=["publish", "send_message"])
        connection = BlueskyConnector.connect(
            {
                "identifier": bluesky.alice.handle,
                "app_password": bluesky.alice.app_password,
                "service": bluesky.pds_url,
            }
        )
        tokens = connection.tokens
        secret = {"access_token": tokens.access_token, "refresh_token": tokens.refresh_token}
        alice = connected(
            brand, "bluesky", bluesky.alice.handle, secret, connection.options | {"pds": proxy.url}
        )
        post = bluesky.post(bluesky.alice, "Which tea?")
        bluesky.post(bluesky.bob, "Sencha", reply_to=post)
        wait_for("the comment was told", lambda: bool(read(alice)), timeout_s=30)
        deliveries.append(answer(alice, read(alice)[0], responder))
        proxy.hold_path = "/xrpc/com.atproto.repo.putRecord"

        environment = process_environment | {
            "SANDBOX_URL": control.base_url,
            "SMM_ALLOWED_PRIVATE_HOSTS": "127.0.0.1,localhost",
        }
        with processes(environment, tmp_path) as running:
            worker = running.start_all()
            try:
                wait_for(
                    "all networks accepted",
                    lambda: (
                        (control.summary()["replies"], control.summary()["messages"]) == (3, 3)
                        and proxy.held.is_set()
                    ),
                    timeout_s=120,
                )
                in_flight = Attempt.objects.filter(state=AttemptState.IN_FLIGHT, step="part0.publish")
                assert in_flight.count() == len(deliveries)
                running.kill(worker)
                control.clear_faults()
                proxy.released.set()
                running.start(parts.worker())
                wait_for("the answers were taken over", lambda: all_sent(*deliveries), timeout_s=180)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{running.logs()}") from error

        summary = control.summary()
        assert (summary["replies"], summary["messages"], summary["duplicates"]) == (3, 3, 0)
        answers = [r for r in bluesky.posts(bluesky.alice) if r["value"]["text"] == "Thanks"]
        assert [record["value"]["reply"]["root"]["uri"] for record in answers] == [post["uri"]]
        for delivery in Delivery.objects.filter(pk__in=[one.pk for one in deliveries]):
            assert delivery.remote_id
            assert "recovered" in list(delivery.receipt.values_list("kind", flat=True))


def test_a_like_and_a_hide_that_were_asked_for_twice_are_there_once(brand, responder):
    with running_sandbox() as control:
        http.configure(allowed_private_hosts=["127.0.0.1"], base_urls={"sandbox": ""})
        account = make_account(brand, control, "neither", "cafe")
        item = asked(control, account, DeliveryKind.REPLY)
        control.fault("drop_after_accept", endpoint=["react", "moderate"], times=2)
        deliveries = []
        for action in (ModerationAction.LIKE, ModerationAction.HIDE, ModerationAction.LIKE):
            now = timezone.now()
            moderation = Moderation(action, item.remote_id, item.detail)
            deliveries.append(
                schedule_delivery(
                    account=account,
                    payload=freeze_moderation(moderation),
                    due_at=now,
                    actor=responder,
                    now=now,
                    kind=DeliveryKind.MODERATION,
                )
            )
        work_until(lambda: all_sent(*deliveries))
        (comment,) = read(account)
        assert (comment.is_liked, comment.is_hidden) == (True, True)
        url = f"{control.base_url}/api/v1/comments"
        token = connector_for(account).tokens.access_token
        answered = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10).json()
        assert answered["comments"][0]["counts"]["likes"] == 1


def test_a_comment_deleted_while_its_answer_waits_ends_the_answer(brand, responder):
    with running_sandbox() as control:
        http.configure(allowed_private_hosts=["127.0.0.1"], base_urls={"sandbox": ""})
        deliveries = []
        for mode in MODES:
            account = make_account(brand, control, mode, f"cafe_{mode}")
            item = asked(control, account, DeliveryKind.REPLY)
            deliveries.append(answer(account, item, responder))
            control.act("delete", by="Hana", post=item.remote_id)
        failed = Delivery.objects.filter(state=DeliveryState.FAILED, error=RejectReason.NOT_FOUND)
        work_until(lambda: failed.count() == len(deliveries))
        assert control.summary()["replies"] == 0
