"""Real workers, killed with SIGKILL at the worst moment; real servers remember what they received."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest
import requests
from django.utils import timezone

from accounts.models import Brand, Credential, SocialAccount, User
from connectors import http
from connectors.bluesky import BlueskyConnector
from connectors.sandbox import account_options
from core.crypto import encrypt_json
from core.redis import client as redis_client
from outbox.models import Attempt, AttemptState, Delivery, DeliveryState
from outbox.payloads import PartContent, freeze_post
from outbox.services import schedule_delivery
from sandbox.control import SandboxControl, SandboxTokens, running_sandbox
from smmapp.run import parts
from tests.bluesky_network.harness import running_or_skip
from tests.outbox.holding_proxy import holding_proxy
from tests.processes import processes, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

MODES = ("idempotency_key", "two_phase", "neither")


def connected(
    brand: Brand, platform: str, handle: str, tokens: Mapping[str, object], options: dict
) -> SocialAccount:
    now = timezone.now()
    account = SocialAccount.objects.create(
        brand=brand, platform=platform, remote_id=handle, handle=handle, options=options, connected_at=now
    )
    Credential.objects.create(account=account, secret=encrypt_json(dict(tokens)), refreshed_at=now)
    return account


def sandbox_account(brand: Brand, control: SandboxControl, mode: str, **spec: object) -> SocialAccount:
    handle = str(spec.pop("handle", f"cafe_{mode}"))
    tokens: SandboxTokens = control.account(handle, mode=mode, **spec)
    host = {"host": control.base_url}
    # The account's own profile says which safety it offers, as after a connection by hand.
    own = requests.get(
        f"{control.base_url}/api/v1/accounts/me",
        headers={"Authorization": f"Bearer {tokens.access_token}"},
        timeout=10,
    ).json()
    secret = {"access_token": tokens.access_token, "refresh_token": tokens.refresh_token}
    return connected(brand, "sandbox", tokens.handle, secret, host | account_options(own))


def schedule(account: SocialAccount, text: str, actor: User, *, in_s: float = 0) -> Delivery:
    now = timezone.now()
    return schedule_delivery(
        account=account,
        payload=freeze_post([PartContent(text)]),
        due_at=now + dt.timedelta(seconds=in_s),
        actor=actor,
        now=now,
    )


def has_posts(control: SandboxControl, count: int) -> bool:
    return int(control.summary()["posts"]) >= count


def all_sent(*deliveries: Delivery) -> bool:
    return Delivery.objects.filter(
        pk__in=[one.pk for one in deliveries], state=DeliveryState.SENT
    ).count() == len(deliveries)


def test_a_worker_killed_between_acceptance_and_commit_leaves_one_post_on_every_network(
    process_environment, brand, manager, tmp_path: Path
):
    """The sandbox in each retry-safety mode and a real Bluesky server, all at once."""
    with running_or_skip() as bluesky, running_sandbox() as control, holding_proxy(bluesky.pds_url) as proxy:
        http.configure(
            allowed_private_hosts=["127.0.0.1", "localhost"], base_urls=bluesky.base_urls | {"sandbox": ""}
        )
        connection = BlueskyConnector.connect(
            {
                "identifier": bluesky.alice.handle,
                "app_password": bluesky.alice.app_password,
                "service": bluesky.pds_url,
            }
        )
        skeet_account = connected(
            brand,
            "bluesky",
            bluesky.alice.handle,
            {
                "access_token": connection.tokens.access_token,
                "refresh_token": connection.tokens.refresh_token,
            },
            connection.options | {"pds": proxy.url},
        )
        accounts = [sandbox_account(brand, control, mode) for mode in MODES]
        control.fault("hang_after_accept", hang_s=90, endpoint="publish")
        proxy.hold_path = "/xrpc/com.atproto.repo.putRecord"
        deliveries = [schedule(one, f"Once on {one.handle}", manager) for one in (*accounts, skeet_account)]

        environment = process_environment | {
            "SANDBOX_URL": control.base_url,
            "SMM_ALLOWED_PRIVATE_HOSTS": "127.0.0.1,localhost",
        }
        with processes(environment, tmp_path) as running:
            worker = running.start_all()
            try:
                wait_for(
                    "all four networks accepted",
                    lambda: control.summary()["posts"] == 3 and proxy.held.is_set(),
                    timeout_s=120,
                )
                assert Attempt.objects.filter(
                    state=AttemptState.IN_FLIGHT, step="part0.publish"
                ).count() == len(deliveries)
                running.kill(worker)
                control.clear_faults()
                proxy.released.set()
                running.start(parts.worker())
                wait_for("the posts were taken over", lambda: all_sent(*deliveries), timeout_s=180)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{running.logs()}") from error

        assert control.summary()["by_account"] == {account.handle: 1 for account in accounts}
        assert control.summary()["same_text"] == 0
        texts = [record["value"]["text"] for record in bluesky.posts(bluesky.alice)]
        assert texts == [f"Once on {skeet_account.handle}"]
        for delivery in Delivery.objects.filter(pk__in=[one.pk for one in deliveries]):
            assert delivery.remote_id
            assert "recovered" in list(delivery.receipt.values_list("kind", flat=True))


def test_redis_flushed_while_posts_are_scheduled_loses_none(
    process_environment, brand, manager, tmp_path: Path
):
    with running_sandbox() as control:
        account = sandbox_account(brand, control, "neither")
        deliveries = [schedule(account, f"Post {number}", manager, in_s=number / 4) for number in range(40)]
        environment = process_environment | {
            "SANDBOX_URL": control.base_url,
            "SMM_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
        }
        with processes(environment, tmp_path) as running:
            running.start_all()
            try:
                for share in (5, 15, 25):
                    wait_for(f"{share} posts went out", partial(has_posts, control, share), timeout_s=60)
                    redis_client().flushdb()
                wait_for("all went out", lambda: all_sent(*deliveries), timeout_s=90)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{running.logs()}") from error
        summary = control.summary()
        assert summary["posts"] == len(deliveries)
        assert summary["same_text"] == 0


def test_two_beats_and_two_dispatchers_send_each_post_once(
    process_environment, brand, manager, tmp_path: Path
):
    with running_sandbox() as control:
        account = sandbox_account(brand, control, "neither")
        deliveries = [schedule(account, f"Post {number}", manager, in_s=2) for number in range(30)]
        environment = process_environment | {
            "SANDBOX_URL": control.base_url,
            "SMM_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
        }
        second = tmp_path / "second"
        (second / "run").mkdir(parents=True)
        with processes(environment, tmp_path) as running:
            running.start_all()
            running.start(parts.beat(second))
            running.start(parts.dispatch())
            wait_for("all went out", lambda: all_sent(*deliveries), timeout_s=60)
        assert control.summary()["posts"] == len(deliveries)
        assert control.summary()["same_text"] == 0
