"""Publishing while things are killed and the network misbehaves: is anything doubled, or lost?

Posts of many accounts, in all three kinds of retry safety, fall due one after the other. Meanwhile, at
random: a worker, the dispatcher or beat is killed (``kill -9``) and started again, Redis is killed or loses
its memory, and the connections to PostgreSQL are cut. The sandbox network answers some requests with 429 and
Retry-After or with 500, drops connections after it has accepted a post, and is slow. At the end its ledger
is held against our rows.

* ``duplicates``: posts beyond the first with the same words, by the ledger;
* ``lost``: posts that we call sent and the network does not have, and posts that came to no end at all;
* ``uncertain``: posts about which a person was asked; ``unexplained``: those of them without an attempt whose
  outcome the network never told;
* ``early``: requests before the Retry-After that the network had given was over; ``early_unexplained``: those
  of them where nothing was struck between the network's answer and the request, and the request was not on
  its way when the answer was given: a killed worker takes an answer along that it has not written yet;
* ``takeover_s``: from the ``kill -9`` of a worker to the publication of the last post that was in hand then,
  whatever the network did to it as well;
* ``memory_mib``: resident memory of all processes of the application together, at a quarter of the run, at
  its most and at the end.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import random
import signal
import subprocess
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.fleet import connect, say, schedule, start_worker
from benchmarks.stage import Stage, quantile, staged, wait_until

MODES = ("idempotency_key", "two_phase", "neither")
# A process that has loaded the application takes at least so much memory (64 MiB in pages of 4 KiB).
_STARTED_PAGES = 16_384
# A request that was on its way when the network asked for patience arrives within so much.
ON_ITS_WAY_S = 0.1
# As probabilities of one request to publish.
FAULTS: tuple[tuple[str, float, dict[str, Any]], ...] = (
    ("rate_limit", 0.01, {"retry_after_s": 4}),
    ("rate_limit", 0.005, {"retry_after_s": 6, "form": "date"}),
    ("server_error", 0.02, {}),
    ("drop_after_accept", 0.02, {}),
    ("drop_before", 0.01, {}),
    ("latency", 0.05, {"latency_ms": 1500, "jitter_ms": 1000}),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--deliveries", type=int, default=5000)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2, help="worker processes")
    parser.add_argument("--threads", type=int, default=4, help="threads of each worker process")
    parser.add_argument("--per-second", type=float, default=25, help="posts that fall due in a second")
    parser.add_argument("--every", type=float, default=6, help="seconds between two blows, about")
    parser.add_argument("--seed", type=int, default=1, help="of the chance")
    parser.add_argument("--wait", type=float, default=600, help="seconds that the rest may take")


def run(options: argparse.Namespace) -> dict[str, Any]:
    with staged() as stage:
        from django.db import connections

        specs = [
            {"handle": f"brand{n:04d}", "mode": MODES[n % len(MODES)], "consistency_window_s": 10}
            for n in range(options.accounts)
        ]
        tokens = stage.sandbox.accounts(specs)
        accounts, actor = connect(tokens, stage.sandbox.base_url, modes=MODES)
        fleet = Fleet(stage, options)
        fleet.start()
        time.sleep(8)
        for effect, probability, more in FAULTS:
            stage.sandbox.fault(
                effect,
                endpoint=["publish", "container"],
                probability=probability,
                **more,
            )
        say(f"{options.deliveries} posts, {options.per_second:.0f} due in a second")
        spacing = 1 / options.per_second
        ids = schedule(accounts, actor, options.deliveries, spacing_s=spacing, label="chaos")
        with watched(fleet) as seen, struck(fleet, options) as blows:
            time.sleep(options.deliveries * spacing + 3)
        say("calm: what is left comes to its end")
        stage.sandbox.clear_faults()
        fleet.make_whole()
        connections.close_all()  # ours was cut, too
        wait_until("every post has come to an end", lambda: not _under_way(ids), timeout_s=options.wait)
        figures = _compared(stage, ids) | _early(stage, blows) | _takeovers(blows)
        fleet.stop()
    return figures | {
        "connections_max": max(seen.connections),
        "connections_end": seen.connections[-1],
        "redis_keys_max": max(seen.keys),
        "redis_keys_end": seen.keys[-1],
        "memory_mib": {
            "quarter": round(seen.memory[len(seen.memory) // 4]),
            "max": round(max(seen.memory)),
            "end": round(seen.memory[-1]),
        },
        "blows": dict(Counter(blow.what for blow in blows)),
        "deliveries": options.deliveries,
        "accounts": options.accounts,
    }


# --- what is struck -----------------------------------------------------------------------------------


class Fleet:
    """The processes of the application; each can be killed and is started again."""

    def __init__(self, stage: Stage, options: argparse.Namespace) -> None:
        self.stage, self.options = stage, options
        self.parts: dict[str, subprocess.Popen[bytes]] = {}
        self._starts = 0

    def start(self) -> None:
        for name in self.names():
            self._start(name)

    def names(self) -> list[str]:
        return [*(f"worker-{number}" for number in range(self.options.processes)), "dispatch", "beat"]

    def _start(self, name: str) -> None:
        from smmapp.run import parts

        self._starts += 1
        if name.startswith("worker-"):
            number = int(name.removeprefix("worker-"))
            self.parts[name] = start_worker(self.stage, number, threads=self.options.threads)
        else:
            part = parts.dispatch() if name == "dispatch" else parts.beat(self.stage.folder)
            self.parts[name] = self.stage.start(f"{name}-{self._starts}", part.command)

    def kill(self, name: str) -> None:
        self.parts[name].kill()
        self.parts[name].wait()

    def memory_mib(self) -> float:
        """Of all processes, 0 while one of them is down or has just been started."""
        pages = 0
        for part in list(self.parts.values()):
            with contextlib.suppress(OSError, IndexError):
                own = int(Path(f"/proc/{part.pid}/statm").read_text().split()[1])
                if own < _STARTED_PAGES:
                    return 0.0
                pages += own
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2

    def make_whole(self) -> None:
        for name in self.names():
            if self.parts[name].poll() is not None:
                self._start(name)

    def stop(self) -> None:
        self.stage.stop_processes()


@dataclass
class Blow:
    what: str
    at: float = 0.0  # time.time()
    in_hand: list[uuid.UUID] = field(default_factory=list)


@contextlib.contextmanager
def struck(fleet: Fleet, options: argparse.Namespace) -> Any:
    """Blows at random until the block ends; the list of them."""
    chance = random.Random(options.seed)
    blows: list[Blow] = []
    over = threading.Event()

    def strike() -> None:
        kinds: list[tuple[str, Callable[[], None]]] = [
            *[("kill worker", lambda: fleet.kill(f"worker-{chance.randrange(options.processes)}"))] * 4,
            ("kill dispatch", lambda: fleet.kill("dispatch")),
            ("kill beat", lambda: fleet.kill("beat")),
            ("kill redis", lambda: _kill_redis(fleet.stage.folder)),
            ("flush redis", _flush_redis),
            ("cut database", _cut_database),
        ]
        while not over.wait(options.every * chance.uniform(0.5, 1.5)):
            what, hit = chance.choice(kinds)
            blow = Blow(what, time.time())
            if what == "kill worker":
                blow.in_hand = _in_hand()
            hit()
            blows.append(blow)
            over.wait(chance.uniform(0.2, 2))
            fleet.make_whole()

    thread = threading.Thread(target=strike, name="strike")
    thread.start()
    try:
        yield blows
    finally:
        over.set()
        thread.join()


def _in_hand() -> list[uuid.UUID]:
    from django.db import connection

    from outbox.models import Delivery, DeliveryState

    try:
        rows = Delivery.objects.filter(state__in=[DeliveryState.CLAIMED, DeliveryState.SENDING])
        return list(rows.values_list("pk", flat=True))
    finally:
        connection.close()


def _kill_redis(folder: Path) -> None:
    """Killed, and started again as it was, with what it had written to its disk."""
    pid = int((folder / "run" / "redis.pid").read_text())
    program = Path(f"/proc/{pid}/exe").readlink()
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)
    subprocess.run(
        [program, folder / "run" / "redis.conf"],
        cwd=folder / "redis",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _flush_redis() -> None:
    from core.redis import client

    with contextlib.suppress(Exception):
        client().flushall()


def _cut_database() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    connection.close()


# --- what is seen -------------------------------------------------------------------------------------


@dataclass
class Seen:
    """Once a second: connections to PostgreSQL, keys in Redis, memory of the processes (MiB)."""

    connections: list[int] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


@contextlib.contextmanager
def watched(fleet: Fleet) -> Any:
    seen = Seen()
    over = threading.Event()

    def watch() -> None:
        from django.db import connection

        from core.redis import client

        while not over.wait(1):
            if memory := fleet.memory_mib():
                seen.memory.append(memory)
            # Both are struck, too: then there is nothing to see this second.
            with contextlib.suppress(Exception):
                seen.keys.append(int(client().dbsize()))
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
                    seen.connections.append(cursor.fetchone()[0])
            except Exception:  # noqa: BLE001 - see above
                connection.close()
        connection.close()

    thread = threading.Thread(target=watch, name="watch")
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _under_way(ids: list[uuid.UUID]) -> int:
    """Posts without an end, and sent ones whose fate at the network has not been looked at."""
    from django.db.models import Q

    from outbox.models import Delivery, DeliveryState

    ends = [DeliveryState.FAILED, DeliveryState.UNCERTAIN, DeliveryState.MISSED, DeliveryState.CANCELLED]
    rows = Delivery.objects.filter(pk__in=ids).exclude(state__in=ends)
    return rows.exclude(Q(state=DeliveryState.SENT)).count()


def _compared(stage: Stage, ids: list[uuid.UUID]) -> dict[str, Any]:
    """Our rows beside the network's ledger."""
    from outbox.models import Attempt, AttemptState, Delivery, DeliveryState

    there = Counter(post["text"] for post in stage.sandbox.posts())
    rows = list(Delivery.objects.filter(pk__in=ids))
    texts = {row.pk: row.payload["parts"][0]["text"] for row in rows}
    states = Counter(str(row.state) for row in rows)
    sent = [row for row in rows if row.state == DeliveryState.SENT]
    uncertain = [row.pk for row in rows if row.state == DeliveryState.UNCERTAIN]
    told = set(
        Attempt.objects.filter(delivery__in=uncertain)
        .exclude(state=AttemptState.DONE)
        .values_list("delivery_id", flat=True)
    )
    failed_but_there = [row.pk for row in rows if row.state == DeliveryState.FAILED and there[texts[row.pk]]]
    lateness = [(row.sent_at - row.due_at).total_seconds() for row in sent if row.sent_at]
    summary = stage.sandbox.summary()
    return {
        "duplicates": sum(count - 1 for count in there.values()),
        "lost": sum(not there[texts[row.pk]] for row in sent) + len(failed_but_there),
        "uncertain": len(uncertain),
        "unexplained": len(set(uncertain) - told),
        "uncertain_there": sum(bool(there[texts[pk]]) for pk in uncertain),
        "states": dict(states),
        "network": {key: count for key, count in summary["by_outcome"].items() if count},
        "lateness_p50_s": round(quantile(lateness, 0.5), 2),
        "lateness_p99_s": round(quantile(lateness, 0.99), 2),
        "lateness_max_s": round(max(lateness), 1),
    }


def _early(stage: Stage, blows: list[Blow]) -> dict[str, int]:
    """Requests that came too early, and those of them that no blow explains."""
    strikes = [blow.at for blow in blows]
    asked: dict[tuple[str, str], float] = {}  # account and endpoint -> when the network last asked to wait
    early = unexplained = 0
    for row in stage.sandbox.ledger():
        place, at = (row["account"], row["endpoint"]), dt.datetime.fromisoformat(row["at"]).timestamp()
        if row["early_ms"]:
            early += 1
            since = asked.get(place, at)
            is_struck = any(since - 1 <= strike <= at for strike in strikes)
            unexplained += not is_struck and at - since > ON_ITS_WAY_S
        elif row["status"] == 429:
            asked[place] = at
    return {"early": early, "early_unexplained": unexplained}


def _takeovers(blows: list[Blow]) -> dict[str, Any]:
    """How long what a killed worker had in hand took from then on."""
    from outbox.models import Delivery

    waits: list[float] = []
    for blow in (blow for blow in blows if blow.in_hand):
        rows = Delivery.objects.filter(pk__in=blow.in_hand, sent_at__isnull=False)
        ended = [at.timestamp() - blow.at for at in rows.values_list("sent_at", flat=True) if at]
        waits += [took for took in ended if took > 0]
    if not waits:
        return {"takeover_s": None, "takeover_p50_s": None, "taken_over": 0}
    return {
        "takeover_s": round(max(waits), 1),
        "takeover_p50_s": round(quantile(waits, 0.5), 1),
        "taken_over": len(waits),
    }
