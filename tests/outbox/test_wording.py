"""The same words are known again, whatever their dress."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.wording import MOST_BITS, NEARLY, Mark, is_near, likeness, mark, mark_of, plain, text_of

LONG = "Fresh coffee at nine, every morning, with a view over the harbour. Come by and stay a while!"


@pytest.mark.parametrize(
    "other",
    [
        LONG.upper(),
        LONG.replace(" ", "  \n"),
        f"{LONG} https://example.com/?utm_source=x",
        LONG.replace("Fresh coffee", "Ｆｒｅｓｈ　ｃｏｆｆｅｅ"),
    ],
)
def test_dress_makes_no_difference(other: str) -> None:
    first, second = mark(LONG), mark(other)
    assert first is not None
    assert second is not None
    assert first.hash == second.hash


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (LONG, LONG.replace("nine", "ten")),
        (
            "明日の朝九時から、港の見えるカフェで新しい豆のコーヒーをお出しします。ぜひお越しください。",
            "明日の朝十時から、港の見えるカフェで新しい豆のコーヒーをお出しします。ぜひお越しください！",
        ),
    ],
)
def test_a_word_more_or_less_is_nearly_the_same(one: str, other: str) -> None:
    first, second = mark(one), mark(other)
    assert first is not None
    assert second is not None
    assert first.hash != second.hash
    assert is_near(first, second)
    assert likeness(one, other) >= NEARLY


def test_other_words_are_others() -> None:
    other = "Our new roast arrives on Friday, and we cannot wait to pour the very first cup for you."
    assert likeness(LONG, other) < NEARLY / 2


def test_short_texts_are_the_same_or_not() -> None:
    first, second = mark("Good morning"), mark("Good morning!")
    assert first is not None
    assert second is not None
    assert not is_near(first, second)


def test_words_are_those_of_the_thread_without_its_comment() -> None:
    payload = {"parts": [{"text": "One"}, {"text": "Two"}, {"text": "Three", "is_comment": True}]}
    assert text_of(payload) == "One\nTwo"
    assert mark_of({"parts": [{"text": "https://example.com"}]}) is None


@given(st.text(max_size=300))
def test_every_mark_fits_the_columns(text: str) -> None:
    made = mark(text)
    assert (made is None) == (not plain(text))
    if made is not None:
        assert -(2**63) <= made.hash < 2**63
        assert -(2**63) <= made.sketch < 2**63
        assert made == mark(text)


def test_sketches_are_compared_bit_by_bit() -> None:
    assert is_near(Mark(1, 0b1011), Mark(2, 0b0011))
    assert not is_near(Mark(1, -1), Mark(2, (1 << (63 - MOST_BITS)) - 1))
