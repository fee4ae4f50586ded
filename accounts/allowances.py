"""How much of a network's allowances an account has used by our own count, for its page.

Who counts is an app above (``outbox``): it registers where to ask in its ``AppConfig.ready()``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Protocol

from accounts.models import SocialAccount
from connectors.base import Quota


class Source(Protocol):
    def __call__(self, *, account: SocialAccount, now: dt.datetime) -> Iterable[Quota]: ...


_sources: dict[str, Source] = {}


def register(name: str, source: Source) -> None:
    _sources[name] = source


def counted_of(account: SocialAccount, now: dt.datetime) -> list[Quota]:
    return [quota for source in _sources.values() for quota in source(account=account, now=now)]
