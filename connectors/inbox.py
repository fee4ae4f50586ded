"""What networks' inboxes have in common: which conversation something belongs to, and reading several lists
one after the other. Pure."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from connectors.base import InboxItem, InboxKind, InboxPage, Profile, RemotePost

MOST_LEVELS = 30  # so far up we follow what answers what


@dataclass(frozen=True, slots=True)
class Node:
    """What must be known of a post to place it. ``addresses_us``: it names or quotes the account."""

    id: str
    parent_id: str  # "" = it answers nothing
    is_own: bool
    addresses_us: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the inbox something belongs. ``root_id``: of a comment, the own post that it hangs below."""

    kind: InboxKind
    thread_id: str
    root_id: str = ""


def climb(
    known: dict[str, Node],
    fetch: Callable[[Sequence[str]], Iterable[Node]],
    *,
    levels: int = MOST_LEVELS,
) -> None:
    """Add to ``known`` (by id) what its posts answer, and what that answers, one level with each ``fetch``.

    ``fetch`` is asked for each id once; what it does not return is gone.
    """
    asked: set[str] = set()
    for _ in range(levels):
        missing = {node.parent_id for node in known.values() if node.parent_id} - known.keys() - asked
        if not missing:
            return
        asked |= missing
        known.update({node.id: node for node in fetch(sorted(missing))})


def chain_of(item_id: str, known: Mapping[str, Node]) -> list[Node]:
    """The item, what it answers, what that answers, as far up as it is known."""
    chain: list[Node] = []
    seen: set[str] = set()
    while item_id in known and item_id not in seen:
        seen.add(item_id)
        chain.append(known[item_id])
        item_id = known[item_id].parent_id
    return chain


def place(chain: Sequence[Node]) -> Place | None:
    """Where the first of ``chain`` (as ``chain_of`` gives it) belongs.

    From the top down, what concerns us first decides: an own post makes what hangs below it comments, each
    first one with its answers a conversation; somebody's post that names us is a mention, with everything
    below it. None: the account's own post or thread, or a talk that is not ours.
    """
    downwards = list(reversed(chain))
    for depth, node in enumerate(downwards):
        if node.is_own:
            # The further parts of an own thread come before the comments.
            comment = next((below for below in downwards[depth:] if not below.is_own), None)
            return Place(InboxKind.COMMENT, comment.id, root_id=node.id) if comment else None
        if node.addresses_us:
            return Place(InboxKind.MENTION, node.id)
    return None


def read_lists(lists: Mapping[str, Callable[[str], InboxPage]], cursor: str) -> InboxPage:
    """The page at ``cursor`` of several lists, read one after the other in the order of the mapping.

    Each list is a function from its own cursor ("" at the start) to a page. A cursor that nobody gave out
    begins anew.
    """
    names = list(lists)
    name, position = _decoded(cursor)
    if name not in lists:
        name, position = names[0], ""
    page = lists[name](position)
    items = [storable(item) for item in page.items]
    if page.cursor:
        return InboxPage(items, json.dumps([name, page.cursor]))
    following = names[names.index(name) + 1 :]
    return InboxPage(items, json.dumps([following[0], ""]) if following else "")


T = TypeVar("T")


def storable(value: T) -> T:
    """``value`` (text, JSON, or one of our dataclasses) without what no database takes and anybody may write:
    zero bytes and halves of surrogate pairs."""
    cleaned: Any = value
    if type(value) is str:  # not a kind, which is text too
        cleaned = value.replace("\0", "").encode(errors="replace").decode()
    elif isinstance(value, dict):
        cleaned = {storable(name): storable(item) for name, item in value.items()}
    elif isinstance(value, list):
        cleaned = [storable(item) for item in value]
    elif isinstance(value, InboxItem | Profile | RemotePost):
        changed = {field.name: storable(getattr(value, field.name)) for field in dataclasses.fields(value)}
        cleaned = dataclasses.replace(value, **changed)
    return cast(T, cleaned)


def _decoded(cursor: str) -> tuple[str, str]:
    try:
        name, position = json.loads(cursor)
    except (TypeError, ValueError):
        return "", ""
    return str(name), str(position)
