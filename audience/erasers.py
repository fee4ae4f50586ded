"""Erasure reaches into apps above: each registers an eraser in its ``AppConfig.ready()``.

docs/architecture.md lists them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

# Removes the personal fields of the app's rows that belong to these identities, inside the caller's
# transaction, and says how many rows of which model it changed. Counts, amounts and times stay.
Eraser = Callable[[Sequence[UUID], dt.datetime], Mapping[str, int]]

_erasers: dict[str, Eraser] = {}


def register(app: str, eraser: Eraser) -> None:
    _erasers[app] = eraser


def registered() -> Mapping[str, Eraser]:
    return dict(_erasers)
