"""Publishing beside the least that any program would have to do.

A burst of deliveries, all due at the same second, on a sandbox without latency:

* *ours*: beat, dispatcher and workers as in production, until every post is sent and read back;
* *bare*: as many processes with a plain loop each: the same HTTP calls (publish, read back) and the same SQL
  writes (claim, attempt, result, receipt lines), without queue, leases, checks or connectors.

``ratio`` is ours to bare, posts per second; ``cpu_s_per_1000`` what a thousand posts of the burst took of the
processors. Lateness is ``sent_at`` minus ``due_at`` over the burst;
``steady_lateness`` the same for posts that are due one after the other.

* ``fairness``: posts of other accounts while one account has a backlog and another is told to wait;
* ``burst``: all due at once on a network that takes 100 ms for each, beside what nobody can beat;
* ``growth``: the burst again with a million old posts in the table, as a ratio of times until all are sent.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import os
import resource
import sys
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

from benchmarks.circumstances import beside_a_backlog, fill_with_old, lateness, slow_network, until_sent
from benchmarks.fleet import connect, say, schedule, start_worker
from benchmarks.stage import Stage, cpu_s, postgres_pid, quantile, staged, wait_until
from sandbox.control import SandboxTokens


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--deliveries", type=int, default=2000)
    parser.add_argument("--accounts", type=int, default=100)
    parser.add_argument("--processes", type=int, default=2, help="worker processes, and bare loops")
    parser.add_argument("--threads", type=int, default=4, help="threads of each worker process")
    parser.add_argument("--steady", type=int, default=200, help="posts of the steady run, ten a second")
    parser.add_argument("--backlog", type=int, default=2000, help="posts that one account has due")
    parser.add_argument("--slow", type=int, default=5000, help="posts due at once on a slow network")
    parser.add_argument("--latency-ms", type=int, default=100, help="of the slow network")
    parser.add_argument("--old", type=int, default=1_000_000, help="sent posts for the burst beside old ones")


def run(options: argparse.Namespace) -> dict[str, Any]:
    with staged() as stage:
        from outbox.models import Delivery

        tokens = stage.sandbox.many_accounts(options.accounts)
        accounts, actor = connect(tokens, stage.sandbox.base_url)
        own = _start(stage, options)

        say(f"steady: {options.steady} posts, ten a second")
        steady = schedule(accounts, actor, options.steady, spacing_s=0.1, label="steady")
        _wait_sent(len(steady), "steady")
        steady_lateness = lateness(steady)

        say(f"ours: {options.deliveries} posts due at once")
        burst = schedule(accounts, actor, options.deliveries, spacing_s=0, label="burst")
        parts = {"postgres": [postgres_pid()], **own}
        before = {name: sum(map(cpu_s, pids)) for name, pids in parts.items()}
        started = time.monotonic()
        _wait_sent(len(steady) + len(burst), "burst")
        ours_s = _duration(burst)
        burst_lateness = lateness(burst)
        say(f"ours took {ours_s:.1f} s (waited {time.monotonic() - started:.1f} s)")
        cpu = {name: sum(map(cpu_s, pids)) - before[name] for name, pids in parts.items()}
        more = _circumstances(stage, options, accounts, actor, until_sent(burst, "burst"))
        stage.stop_processes()
        summary = stage.sandbox.summary()
        posts = Delivery.objects.filter(attempts__fingerprint__gt="").distinct().count()

        say(f"bare: the same with {options.processes} plain loops")
        before = {"postgres": cpu_s(postgres_pid()), "loops": _children_s()}
        bare_s = _bare(stage, options, tokens, accounts)
        bare_cpu = {
            "postgres": cpu_s(postgres_pid()) - before["postgres"],
            "loops": _children_s() - before["loops"],
        }
        say(f"bare took {bare_s:.1f} s")

    per_s, bare_per_s = len(burst) / ours_s, options.deliveries / bare_s
    return {
        "ratio": round(per_s / bare_per_s, 3),
        "per_s": round(per_s, 1),
        "bare_per_s": round(bare_per_s, 1),
        "lateness_p50_s": round(quantile(burst_lateness, 0.5), 2),
        "lateness_p99_s": round(quantile(burst_lateness, 0.99), 2),
        "steady_lateness_p50_s": round(quantile(steady_lateness, 0.5), 2),
        "steady_lateness_p99_s": round(quantile(steady_lateness, 0.99), 2),
        "duplicates": summary["same_text"],
        "lost": posts - summary["posts"] + summary["same_text"],
        **more,
        "cpu_s_per_1000": _per_1000(cpu, len(burst)),
        "bare_cpu_s_per_1000": _per_1000(bare_cpu, options.deliveries),
        "deliveries": len(burst),
        "accounts": options.accounts,
        "processes": options.processes,
        "threads": options.threads,
    }


def _circumstances(
    stage: Stage, options: argparse.Namespace, accounts: list[Any], actor: Any, alone_s: float
) -> dict[str, Any]:
    """``alone_s``: seconds of the burst until all were sent, with nothing else in the table."""
    found: dict[str, Any] = {}
    if options.backlog:
        found["fairness"] = beside_a_backlog(
            stage, accounts, actor, backlog=options.backlog, steady=options.steady
        )
    if options.slow:
        found["burst"] = slow_network(
            stage,
            accounts,
            actor,
            posts=options.slow,
            latency_ms=options.latency_ms,
            at_once=options.processes * options.threads,
        )
    if options.old:
        fill_with_old(accounts[0], options.old)
        say(f"beside old ones: {options.deliveries} posts due at once")
        again = schedule(accounts, actor, options.deliveries, spacing_s=0, label="beside old")
        took_s = until_sent(again, "beside old ones")
        found["growth"] = {
            "alone_s": round(alone_s, 1),
            "took_s": round(took_s, 1),
            "ratio": round(took_s / alone_s, 2),
        }
    return found


def _per_1000(took: dict[str, float], posts: int) -> dict[str, float]:
    return {name: round(seconds / posts * 1000, 2) for name, seconds in took.items()}


def _children_s() -> float:
    """Processor time (seconds) of the children of this process that have ended and been waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _start(stage: Stage, options: argparse.Namespace) -> dict[str, list[int]]:
    """The parts of the application, with time to be ready; the ids of their processes by what they do."""
    from smmapp.run import parts

    workers = [
        start_worker(stage, number, threads=options.threads).pid for number in range(options.processes)
    ]
    dispatch = stage.start("dispatch", parts.dispatch().command)
    stage.start("beat", parts.beat(stage.folder).command)
    _wait_ready(options.processes)
    return {"workers": workers, "dispatch": [dispatch.pid]}


def _wait_ready(workers: int) -> None:
    """Until every worker answers, and a moment more for the first tick."""
    from smmapp.celery import app

    wait_until(
        f"{workers} workers answer", lambda: len(app.control.ping(timeout=1) or ()) >= workers, timeout_s=120
    )
    time.sleep(3)


def _wait_sent(count: int, what: str) -> None:
    from outbox.models import Delivery

    wait_until(
        f"{count} posts ({what}) sent and read back",
        lambda: Delivery.objects.filter(seen_at__isnull=False).count() >= count,
        timeout_s=300,
    )


def _duration(ids: list[uuid.UUID]) -> float:
    """Seconds from the due time until the last post was read back."""
    from django.db.models import Max, Min

    from outbox.models import Delivery

    times = Delivery.objects.filter(pk__in=ids).aggregate(due=Min("due_at"), seen=Max("seen_at"))
    return (times["seen"] - times["due"]).total_seconds()


# --- the bare loop ----------------------------------------------------------------------------


def _bare(
    stage: Stage, options: argparse.Namespace, tokens: list[SandboxTokens], accounts: list[Any]
) -> float:
    """The same posts by plain loops, on rows of the same tables; seconds until the last is read back."""
    from django.utils import timezone

    from outbox.models import Delivery, DeliveryState

    now = timezone.now()
    rows = [
        Delivery(
            brand_id=accounts[number % len(accounts)].brand_id,
            account=accounts[number % len(accounts)],
            payload={"parts": [{"text": f"bare {number}: fresh coffee every morning at the harbour."}]},
            due_at=now,
            next_attempt_at=now,
            state=DeliveryState.SCHEDULED,
        )
        for number in range(options.deliveries)
    ]
    Delivery.objects.bulk_create(rows, batch_size=1000)
    work = [
        (str(row.pk), tokens[number % len(tokens)].access_token, row.payload["parts"][0]["text"])
        for number, row in enumerate(rows)
    ]
    shares = [work[start :: options.processes] for start in range(options.processes)]
    context = multiprocessing.get_context("spawn")
    loops = [
        context.Process(target=_loop, args=(share, stage.sandbox.base_url, os.environ["DATABASE_URL"]))
        for share in shares
    ]
    # Starting an interpreter is not what is measured: the loops say when they are ready to go.
    started = time.monotonic()
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    if any(loop.exitcode for loop in loops):
        sys.exit("a bare loop failed")
    import_s = _import_seconds(context)
    return time.monotonic() - started - import_s


def _import_seconds(context: Any) -> float:
    """How long a process takes that does nothing but start: subtracted from the bare loop's time."""
    started = time.monotonic()
    process = context.Process(target=_nothing)
    process.start()
    process.join()
    return time.monotonic() - started


def _nothing() -> None:
    import psycopg2
    import requests

    assert psycopg2
    assert requests


def _loop(work: list[tuple[str, str, str]], host: str, database_url: str) -> None:
    import psycopg2
    import requests

    url = urlsplit(database_url)
    database = psycopg2.connect(
        host=url.hostname, port=url.port, user=url.username, password=url.password, dbname=url.path[1:]
    )
    session = requests.Session()
    session.trust_env = False
    with database, database.cursor() as cursor:
        for delivery, token, text in work:
            now = dt.datetime.now(dt.UTC)
            cursor.execute(
                "UPDATE outbox_delivery SET state = 'claimed', lease_until = %s, fence = fence + 1"
                " WHERE id = %s",
                [now, delivery],
            )
            database.commit()
            key = str(uuid.uuid4())
            cursor.execute("UPDATE outbox_delivery SET state = 'sending' WHERE id = %s", [delivery])
            cursor.execute(
                "INSERT INTO outbox_receiptevent (delivery_id, kind, at, detail)"
                " VALUES (%s, 'started', %s, '{}')",
                [delivery, now],
            )
            cursor.execute(
                """INSERT INTO outbox_attempt (delivery_id, step, key, fence, fingerprint, intent, state,
                   result, error, error_detail, started_at) VALUES (%s, 'part0.publish', %s, 1, '', %s,
                   'in_flight', '{}', '', '', %s) RETURNING id""",
                [delivery, key, json.dumps({"post": {"text": text}}), now],
            )
            (attempt,) = cursor.fetchone() or (None,)
            database.commit()
            answer = session.post(
                f"{host}/api/v1/posts",
                json={"text": text, "media_ids": []},
                headers={
                    "Authorization": f"Bearer {token}",
                    "Idempotency-Key": key,
                    "X-Client-Ref": key,
                },
                timeout=30,
            ).json()
            now = dt.datetime.now(dt.UTC)
            cursor.execute(
                "UPDATE outbox_attempt SET state = 'done', result = %s, finished_at = %s WHERE id = %s",
                [json.dumps({"remote_id": answer["id"]}), now, attempt],
            )
            cursor.execute(
                """UPDATE outbox_delivery SET state = 'sent', sent_at = %s, remote_id = %s, permalink = %s,
                   lease_until = NULL WHERE id = %s""",
                [now, answer["id"], answer["url"], delivery],
            )
            cursor.execute(
                """INSERT INTO outbox_receiptevent (delivery_id, kind, at, detail)
                   VALUES (%s, 'part_accepted', %s, '{}'), (%s, 'sent', %s, '{}')""",
                [delivery, now, delivery, now],
            )
            database.commit()
            session.get(f"{host}/api/v1/posts/{answer['id']}", timeout=30).json()
            now = dt.datetime.now(dt.UTC)
            cursor.execute(
                "UPDATE outbox_delivery SET seen_at = %s, read_backs = 1 WHERE id = %s", [now, delivery]
            )
            cursor.execute(
                "INSERT INTO outbox_receiptevent (delivery_id, kind, at, detail)"
                " VALUES (%s, 'seen', %s, '{}')",
                [delivery, now],
            )
            database.commit()
