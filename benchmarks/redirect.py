"""The redirect of tracked links beside a bare Django view that redirects and asks nobody.

Both run under gunicorn with the same workers and threads, and are asked by the same clients over keep-alive
connections. Ours looks the link up, writes the click, durably, and only then answers. ``lost`` counts
redirects that were answered and are not in the table of clicks.
"""

from __future__ import annotations

import argparse
import dataclasses
import http.client
import multiprocessing
import sys
import time
from typing import Any

from benchmarks.stage import Stage, quantile, staged, wait_until
from benchmarks.world import Size, fill, say
from smmapp.run import parts

HUMAN = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clicks", type=int, default=100_000, help="clicks that are there already")
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--clients", type=int, default=4, help="connections, each in a process of its own")


def run(options: argparse.Namespace) -> dict[str, Any]:
    with staged() as stage:
        size = Size(
            deliveries=200, snapshots=200, people=200, messages=500, conversions=100, clicks=options.clicks
        )
        world = fill(size)
        codes = [link.code for link in world.links]

        say("ours: every redirect is a click that is written first")
        ours_s, times = _asked(stage, parts.web(_port(), host="127.0.0.1"), codes, options)
        written = _clicks() - options.clicks

        say("bare: a view that redirects and does nothing else")
        bare = parts.web(_port(), host="127.0.0.1")
        command = tuple(
            "benchmarks.bare_site:application" if word == "smmapp.wsgi:application" else word
            for word in bare.command
        )
        bare_s, bare_times = _asked(stage, dataclasses.replace(bare, command=command), codes, options)

    done = len(times)
    return {
        "ratio": round(bare_s / ours_s, 3),
        "per_s": round(done / ours_s, 1),
        "bare_per_s": round(len(bare_times) / bare_s, 1),
        "p50_ms": round(quantile(times, 0.5) * 1000, 2),
        "p95_ms": round(quantile(times, 0.95) * 1000, 2),
        "bare_p95_ms": round(quantile(bare_times, 0.95) * 1000, 2),
        "lost": done + _WARM - written,
        "clicks_before": options.clicks,
        "links": len(codes),
        "requests": done,
        "clients": options.clients,
    }


_WARM = 50


def _port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _clicks() -> int:
    from campaigns.models import Click

    return Click.objects.count()


def _asked(
    stage: Stage, part: parts.Part, codes: list[str], options: argparse.Namespace
) -> tuple[float, list[float]]:
    """Seconds that all requests took together, and each one's."""
    port = int(next(word for word in part.command if word.startswith("--bind=")).rpartition(":")[2])
    stage.start(f"web-{port}", part.command)
    wait_until("the web server answers", lambda: _answers(port, codes[0]), timeout_s=60)
    for code in codes[: _WARM - 1]:
        _once(port, code)
    each = options.requests // options.clients
    context = multiprocessing.get_context("spawn")
    results: Any = context.Queue()
    barrier = context.Barrier(options.clients + 1)
    clients = [
        context.Process(target=_client, args=(port, codes[place :: options.clients], each, barrier, results))
        for place in range(options.clients)
    ]
    for client in clients:
        client.start()
    barrier.wait()
    started = time.monotonic()
    times = [took for _ in clients for took in results.get()]
    total = time.monotonic() - started
    for client in clients:
        client.join()
    if any(client.exitcode for client in clients):
        sys.exit("a client failed")
    stage.stop_processes()
    return total, times


def _answers(port: int, code: str) -> bool:
    try:
        return _once(port, code) == 302
    except OSError:
        return False


def _once(port: int, code: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", f"/l/{code}", headers={"User-Agent": HUMAN})
        return connection.getresponse().status
    finally:
        connection.close()


def _client(port: int, codes: list[str], count: int, barrier: Any, results: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.connect()
    barrier.wait()
    times = []
    for number in range(count):
        started = time.perf_counter()
        connection.request("GET", f"/l/{codes[number % len(codes)]}", headers={"User-Agent": HUMAN})
        response = connection.getresponse()
        response.read()
        times.append(time.perf_counter() - started)
        if response.status != 302:
            sys.exit(f"answered {response.status}")
    connection.close()
    results.put(times)
