"""Listening to what networks tell of their limits while we talk to them: each answer goes from the one door
(``connectors.http``) to the connector's reading of its headers, and what that finds to the buckets that all
workers share."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator

from accounts.connecting import allowances_told
from accounts.models import SocialAccount
from connectors import http
from connectors.limits import Answer
from outbox.services.outcomes import Clock
from outbox.services.rates import heed, spend


@contextlib.contextmanager
def heeding(account: SocialAccount, *, clock: Clock, is_reading: bool) -> Iterator[Counter[str]]:
    """All calls of this thread within are for ``account``. What they cost is counted, and what their answers
    tell is heeded at once. Yields what was spent so far, by name of the rate."""
    spent: Counter[str] = Counter()
    info = account.info
    rates = {rate.name: rate for rate in info.rates}

    def hear(answer: Answer) -> None:
        now = clock()
        if (cost := info.cost_of_call(answer.method, answer.path)) is not None:
            spent[cost.rate] += cost.amount
            spend(account=account, rate=rates[cost.rate], amount=cost.amount, is_reading=is_reading, now=now)
        for allowance in allowances_told(account, answer, now=now):
            heed(account=account, allowance=allowance)

    with http.heard_by(hear):
        yield spent
