"""The inbox with 200,000 messages behind it: what its pages take on the server.

``views``: the list in the forms in which people open it, one conversation, the numbers; each has ``p95_ms``
and ``queries``, and ``growth``: its p95 to that with a tenth of the messages.
"""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from benchmarks.pages import Browser, measure, quiet_logs
from benchmarks.stage import staged
from benchmarks.world import Size, World, clear, fill, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=20, help="visits of each page")


def run(options: argparse.Namespace) -> dict[str, Any]:
    with staged(), quiet_logs():
        size = Size(
            deliveries=5_000,
            snapshots=5_000,
            links=200,
            clicks=200,
            conversions=200,
            messages=options.messages,
        )
        small = dataclasses.replace(size, messages=max(options.messages // 10, 100))
        world = fill(small)
        few = _measured(world, options.rounds)
        clear()
        world = fill(size)
        many = _measured(world, options.rounds)
    for name, figures in many.items():
        figures["growth"] = round(figures["p95_ms"] / max(few[name]["p95_ms"], 0.1), 2)
    say("growth: p95 beside that with a tenth of the messages")
    return {
        "p95_ms": max(figures["p95_ms"] for figures in many.values()),
        "queries": max(figures["queries"] for figures in many.values()),
        "views": many,
        "messages": options.messages,
        "rounds": options.rounds,
    }


def _measured(world: World, rounds: int) -> dict[str, dict[str, float]]:
    from django.urls import reverse

    from engagement.models import Conversation

    inbox = reverse("engagement:inbox")
    ids = list(
        Conversation.objects.filter(brand=world.brands[0]).order_by("-last_message_at").values_list("pk")[:20]
    )
    pages = {
        "list": [inbox],
        "list_all": [f"{inbox}?state=all"],
        "list_mine": [f"{inbox}?whose=mine"],
        "list_kind": [f"{inbox}?kind=dm&state=done"],
        "list_search": [f"{inbox}?q=Sundays&state=all"],
        "conversation": [reverse("engagement:conversation", args=[pk]) for (pk,) in ids],
        "numbers": [reverse("engagement:numbers")],
    }
    browser = Browser(world.owner)
    return {name: measure(browser, paths, rounds=rounds) for name, paths in pages.items()}
