"""Accounts, posts and processes for benchmarks of publishing."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import uuid
from collections.abc import Sequence
from typing import Any

from benchmarks.stage import Stage
from sandbox.control import SandboxTokens

IDEMPOTENT = "idempotency_key"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def connect(
    tokens: Sequence[SandboxTokens], host: str, *, modes: Sequence[str] = (IDEMPOTENT,)
) -> tuple[list[Any], Any]:
    """An organization with all the accounts, connected as after a visit to the connect page, and somebody
    who may schedule for them. ``modes``: the retry safety of the accounts, in turn."""
    from django.utils import timezone

    from accounts.models import Brand, Credential, Membership, Organization, Role, SocialAccount, User
    from core.crypto import encrypt_json

    now = timezone.now()
    organization = Organization.objects.create(name="Benchmark")
    brand = Brand.objects.create(organization=organization, name="Benchmark")
    actor = User.objects.create_user("benchmark@example.com", "benchmark")
    Membership.objects.create(organization=organization, user=actor, role=Role.MANAGER)
    accounts = SocialAccount.objects.bulk_create(
        SocialAccount(
            brand=brand,
            platform="sandbox",
            remote_id=one.handle,
            handle=one.handle,
            options={"host": host, "retry_safety": modes[number % len(modes)]},
            connected_at=now,
        )
        for number, one in enumerate(tokens)
    )
    Credential.objects.bulk_create(
        Credential(
            account=account,
            secret=encrypt_json({"access_token": one.access_token, "refresh_token": one.refresh_token}),
            refreshed_at=now,
        )
        for account, one in zip(accounts, tokens, strict=True)
    )
    return accounts, actor


def worker_command(number: int, *, threads: int) -> tuple[str, ...]:
    """Of one worker process for publishing. Counting likes is not part of it, nor of the bare loop."""
    from smmapp.run import parts

    os.environ["SMM_WORKER_CONCURRENCY"] = str(threads)
    changed = {"--queues": "--queues=publish,default", "--hostname": f"--hostname=worker{number}@%h"}
    return tuple(changed.get(word.split("=")[0], word) for word in parts.worker().command)


def start_worker(stage: Stage, number: int, *, threads: int) -> subprocess.Popen[bytes]:
    return stage.start(f"worker-{number}", worker_command(number, threads=threads))


def schedule(
    accounts: Sequence[Any], actor: Any, count: int, *, spacing_s: float, label: str, in_s: float = 3
) -> list[uuid.UUID]:
    """``count`` posts, each with words of its own, over the accounts in turn."""
    from django.utils import timezone

    from outbox.models import Delivery, ReceiptEvent, ReceiptKind
    from outbox.payloads import PartContent, freeze_post

    now = timezone.now()
    due_at = now + dt.timedelta(seconds=in_s)
    rows = []
    for number in range(count):
        account = accounts[number % len(accounts)]
        at = due_at + dt.timedelta(seconds=number * spacing_s)
        payload = freeze_post([PartContent(f"{label} {number}: fresh coffee every morning at the harbour.")])
        rows.append(
            Delivery(
                brand_id=account.brand_id,
                account=account,
                payload=payload,
                due_at=at,
                next_attempt_at=at,
                scheduled_by=actor,
            )
        )
    Delivery.objects.bulk_create(rows, batch_size=1000)
    ReceiptEvent.objects.bulk_create(
        [ReceiptEvent(delivery=row, kind=ReceiptKind.SCHEDULED, at=now) for row in rows], batch_size=1000
    )
    return [row.pk for row in rows]
