"""Answers of a network in which something is not what it should be."""

from __future__ import annotations

import copy
import random
from typing import Any

from hypothesis import strategies as st

_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(["https://[", "http://10.0.0.1/", "2026-11-22T12:00:00", -1, 10**30, "\0", "\ud83d"]),
)
ODD = st.recursive(
    _LEAVES,
    lambda inside: st.one_of(
        st.lists(inside, max_size=2), st.dictionaries(st.sampled_from(["id", "x"]), inside, max_size=2)
    ),
    max_leaves=4,
)


def with_odd(answer: Any, odd: Any, chance: random.Random) -> Any:
    """A copy in which one value, or none, is replaced by ``odd`` or left out."""
    changed = copy.deepcopy(answer)
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        names = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        for name in names:
            places.append((value, name))
            walk(value[name])

    walk(changed)
    if not places or chance.random() < 0.25:
        return changed
    holder, name = chance.choice(places)
    if isinstance(holder, dict) and chance.random() < 0.3:
        del holder[name]
    else:
        holder[name] = copy.deepcopy(odd)
    return changed
