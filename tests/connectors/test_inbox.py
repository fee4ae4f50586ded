"""Which conversation something belongs to, and reading several lists one after the other."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import InboxItem, InboxKind, InboxPage, Profile, RemotePost
from connectors.inbox import Node, Place, chain_of, climb, place, read_lists, storable

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)


def chain(*nodes: str) -> list[Node]:
    """From the item up to the first post, each as ``id``, ``id*`` for our own, ``id!`` where it names us."""
    ids = [node.rstrip("*!") for node in nodes]
    return [
        Node(ids[n], ids[n + 1] if n + 1 < len(ids) else "", is_own="*" in node, addresses_us="!" in node)
        for n, node in enumerate(nodes)
    ]


def comment(thread: str, root: str) -> Place:
    return Place(InboxKind.COMMENT, thread, root)


def mention(thread: str) -> Place:
    return Place(InboxKind.MENTION, thread)


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        # Below an own post: the first comment and everything below it are one conversation.
        (["c1", "post*"], comment("c1", "post")),
        (["a1*", "c1", "post*"], comment("c1", "post")),
        (["c2", "a1*", "c1", "post*"], comment("c1", "post")),
        (["c3!", "c1", "post*"], comment("c1", "post")),
        # Below the second part of an own thread: the thread is one post, known by its first part.
        (["c1", "part2*", "part1*"], comment("c1", "part1")),
        # Own posts and threads are no conversation.
        (["post*"], None),
        (["part2*", "part1*"], None),
        # Named by somebody else: the mention with what hangs below it.
        (["m!"], mention("m")),
        (["a*", "m!"], mention("m")),
        (["c", "a*", "m!"], mention("m")),
        (["m!", "theirs"], mention("m")),
        (["again!", "c", "a*", "m!", "theirs"], mention("m")),
        # An own comment below somebody's post: the answers to it are comments, it alone is nothing.
        (["a*", "theirs"], None),
        (["c", "a*", "theirs"], comment("c", "a")),
        (["b*", "c", "a*", "theirs"], comment("c", "a")),
        # Nothing to do with us.
        (["c", "theirs"], None),
        ([], None),
    ],
)
def test_a_place_is_found_from_the_top_down(nodes: list[str], expected: Place | None) -> None:
    assert place(chain(*nodes)) == expected


@given(st.lists(st.sampled_from(["", "*", "!"]), min_size=1, max_size=8), st.integers(0, 7))
def test_whatever_hangs_below_something_placed_is_in_the_same_conversation(
    marks: list[str], cut: int
) -> None:
    whole = chain(*(f"{n}{mark}" for n, mark in enumerate(marks)))
    upper = whole[min(cut, len(whole) - 1) :]
    found = place(upper)
    if found is not None:
        assert place(whole) == found


def test_missing_ancestors_are_fetched_level_by_level_and_each_once() -> None:
    server = {n.id: n for n in chain("c2", "a1*", "c1", "post*")}
    asked: list[Sequence[str]] = []

    def fetch(ids: Sequence[str]) -> list[Node]:
        asked.append(ids)
        return [server[i] for i in ids if i in server]

    known = {"c2": server["c2"], "other": Node("other", "gone", is_own=False)}
    climb(known, fetch)
    assert asked == [["a1", "gone"], ["c1"], ["post"]]
    assert place(chain_of("c2", known)) == comment("c1", "post")
    assert [node.id for node in chain_of("other", known)] == ["other"]


def test_climbing_ends_in_a_circle_and_after_many_levels() -> None:
    circle = {"a": Node("a", "b", is_own=False), "b": Node("b", "a", is_own=False)}
    climb(circle, lambda _ids: [])
    assert [node.id for node in chain_of("a", circle)] == ["a", "b"]

    def endless(ids: Sequence[str]) -> list[Node]:
        return [Node(i, f"{i}+", is_own=False) for i in ids]

    known = {"x": Node("x", "x+", is_own=False)}
    climb(known, endless, levels=5)
    assert len(known) == 6


# --- lists ------------------------------------------------------------------------------------


def item(remote_id: str, **more: object) -> InboxItem:
    values = {
        "kind": InboxKind.COMMENT,
        "thread_id": remote_id,
        "author": Profile("7", "hana"),
        "text": "Hi",
        "created_at": NOW,
    }
    return InboxItem(remote_id=remote_id, **{**values, **more})  # type: ignore[arg-type]


def read_all(lists: dict, cursor: str = "") -> list[list[str]]:
    pages = []
    while True:
        page = read_lists(lists, cursor)
        pages.append([one.remote_id for one in page.items])
        cursor = page.cursor
        if not cursor:
            return pages


def test_lists_are_read_one_after_the_other_page_by_page() -> None:
    lists = {
        "first": lambda at: InboxPage([item("1" + at)], "" if at == "b" else "b"),
        "empty": lambda _at: InboxPage(()),
        "last": lambda _at: InboxPage([item("3")]),
    }
    assert read_all(lists) == [["1"], ["1b"], [], ["3"]]


@pytest.mark.parametrize("cursor", ["", "nonsense", "{}", "[]", '["unknown", "x"]', "null"])
def test_a_cursor_that_nobody_gave_out_begins_anew(cursor: str) -> None:
    assert read_all({"only": lambda at: InboxPage([item(f"at{at}")])}, cursor) == [["at"]]


def test_items_hold_nothing_that_a_database_refuses() -> None:
    dirty = item(
        "1",
        text="a\0b\ud800",
        author=Profile("7", "hana", display_name="Ha\0na"),
        root=RemotePost("0", "ro\0ot", NOW),
        detail={"id": "1\0", "list": ["\0x"], "n": 1, "none": None},
    )
    (clean,) = read_lists({"only": lambda _at: InboxPage([dirty])}, "").items
    assert (clean.text, clean.author.display_name) == ("ab?", "Hana")
    assert clean.root is not None
    assert clean.root.text == "root"
    assert clean.detail == {"id": "1", "list": ["x"], "n": 1, "none": None}
    assert clean.kind is InboxKind.COMMENT
    assert clean.created_at is NOW
    assert "\\u0000" not in json.dumps(clean.detail)
    assert storable(item("1")) == item("1")
