"""Publishing beside other things: a slow network, an old and large table, another account's backlog."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from benchmarks.fleet import say, schedule
from benchmarks.stage import Stage, quantile, wait_until

OLD_STEP = 100_000  # rows of one statement


def until_sent(ids: Sequence[uuid.UUID], what: str, *, timeout_s: float = 600) -> float:
    """Seconds from the due time of the first until the last is accepted by the network."""
    from django.db.models import Max, Min

    from outbox.models import Delivery

    rows = Delivery.objects.filter(pk__in=ids)
    wait_until(
        f"{len(ids)} posts ({what}) sent",
        lambda: not rows.exclude(state="sent").exists(),
        timeout_s=timeout_s,
    )
    times = rows.aggregate(due=Min("due_at"), sent=Max("sent_at"))
    return float((times["sent"] - times["due"]).total_seconds())


def lateness(ids: Sequence[uuid.UUID]) -> list[float]:
    """Seconds of each from its due time until the network accepted it."""
    from outbox.models import Delivery

    rows = Delivery.objects.filter(pk__in=ids, sent_at__isnull=False)
    return [(row.sent_at - row.due_at).total_seconds() for row in rows if row.sent_at]


def slow_network(
    stage: Stage, accounts: Sequence[Any], actor: Any, *, posts: int, latency_ms: int, at_once: int
) -> dict[str, float]:
    """All due in the same second on a network that takes ``latency_ms`` for each. ``bound_s`` is what nobody
    can beat with ``at_once`` requests at a time."""
    say(f"slow network: {posts} posts due at once, {latency_ms} ms each")
    stage.sandbox.fault("latency", endpoint=["publish"], probability=1.0, latency_ms=latency_ms)
    took_s = until_sent(schedule(accounts, actor, posts, spacing_s=0, label="slow"), "slow network")
    stage.sandbox.clear_faults()
    bound_s = posts * latency_ms / 1000 / at_once
    return {"took_s": round(took_s, 1), "bound_s": round(bound_s, 1), "ratio": round(took_s / bound_s, 2)}


def beside_a_backlog(
    stage: Stage, accounts: Sequence[Any], actor: Any, *, backlog: int, steady: int
) -> dict[str, float]:
    """Posts of other accounts, ten a second, while one account has ``backlog`` due posts and another one is
    told to wait by its network again and again."""
    say(f"fairness: {steady} posts of others beside {backlog} of one account")
    limited = accounts[1].handle
    stage.sandbox.fault("rate_limit", account=limited, endpoint=["publish"], probability=1.0, retry_after_s=5)
    heap = schedule(accounts[:1], actor, backlog, spacing_s=0, label="heap")
    refused = schedule(accounts[1:2], actor, 50, spacing_s=0, label="refused")
    others = schedule(accounts[2:], actor, steady, spacing_s=0.1, label="beside")
    until_sent(others, "others")
    waits = lateness(others)
    still = len(heap) - len(lateness(heap))
    stage.sandbox.clear_faults()
    until_sent([*heap, *refused], "backlog")
    return {
        "others_p50_s": round(quantile(waits, 0.5), 2),
        "others_p99_s": round(quantile(waits, 0.99), 2),
        "backlog_left_then": still,
    }


def fill_with_old(account: Any, rows: int) -> None:
    """Posts of the past three years that were sent and seen, with their attempts."""
    from django.db import connection

    say(f"{rows} old posts")
    with connection.cursor() as cursor:
        for start in range(0, rows, OLD_STEP):
            cursor.execute(
                """
                WITH fresh AS (
                    INSERT INTO outbox_delivery (id, brand_id, account_id, kind, payload, due_at,
                        next_attempt_at, state, held_reason, missed_policy, missed_after_s, fence, failures,
                        error, error_detail, remote_id, permalink, sent_at, seen_at, read_backs, created_at)
                    SELECT gen_random_uuid(), %s, %s, 'post',
                        jsonb_build_object('parts', jsonb_build_array(
                            jsonb_build_object('text', 'old ' || n))),
                        at, at, 'sent', '', 'ask', 86400, 1, 0, '', '', 'old' || n, '', at, at, 1, at
                    FROM (SELECT n, now() - interval '1 day' - n * interval '95 seconds' AS at
                          FROM generate_series(%s::int, %s::int) AS n) AS old
                    RETURNING id, sent_at
                )
                INSERT INTO outbox_attempt (delivery_id, step, key, fence, fingerprint, intent, state, result,
                    error, error_detail, started_at, finished_at)
                SELECT id, 'part0.publish', gen_random_uuid(), 1, '', '{}', 'done', '{}', '', '',
                    sent_at, sent_at
                FROM fresh
                """,
                [account.brand_id, account.pk, start, min(rows, start + OLD_STEP) - 1],
            )
        cursor.execute("VACUUM ANALYZE outbox_delivery, outbox_attempt")
