from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.bigrams import folded, grams, wanted_grams


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("Hanako  MORI",), "hanako mori"),
        (("ＡＢＣ１２", "ｶﾌｪ"), "abc12 カフェ"),
        (("Straße", "", " x\0y "), "strasse xy"),
        (("", "  "), ""),
    ],
)
def test_texts_are_compared_in_one_form(texts: tuple[str, ...], expected: str) -> None:
    assert folded(*texts) == expected


def test_a_row_has_single_characters_and_pairs_within_words() -> None:
    assert grams("山田 ab") == sorted(["山", "田", "山田", "a", "b", "ab"])
    assert grams("") == []


def test_single_characters_are_wanted_only_where_a_word_is_no_longer() -> None:
    assert wanted_grams(["abc", "林"]) == sorted(["ab", "bc", "林"])
    assert wanted_grams([]) == []


@given(text=st.text(max_size=60), start=st.integers(0, 59), length=st.integers(1, 20))
def test_every_piece_of_a_text_has_only_grams_of_the_text(text: str, start: int, length: int) -> None:
    """What a text contains is found by the index, whatever the script."""
    whole = folded(text)
    piece = whole[start : start + length].split()
    assert set(wanted_grams(piece)) <= set(grams(whole))


@given(st.text(max_size=800))
def test_folding_twice_is_folding_once(text: str) -> None:
    once = folded(text)
    assert "\0" not in once
    assert len(once) <= 600
    assert folded(once) == once
