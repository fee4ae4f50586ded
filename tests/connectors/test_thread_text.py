"""Long texts become threads: each part fits, nothing is lost, nothing that belongs together is cut."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import TextLimit, TextUnit
from connectors.text import find_hashtags, find_links, find_mentions, fits, graphemes
from connectors.thread_text import split_thread

SHORT = TextLimit(max_units=60, unit=TextUnit.GRAPHEMES)
BYTES = TextLimit(max_units=50, unit=TextUnit.GRAPHEMES, max_bytes=90)
LINKS = TextLimit(max_units=60, unit=TextUnit.GRAPHEMES, url_units=23, mention_user_only=True)

WHOLE = [
    "https://example.com/a/path?q=1.5",
    "@hanako.example.com",
    "@taro@example.social",
    "#コーヒー",
    "#morning_light",
    "👨‍👩‍👧‍👦",
    "🇯🇵",
    "が",
]
words = st.sampled_from(
    [
        *WHOLE,
        "coffee",
        "harbour.",
        "Come by!",
        "e.g. this",
        "Dr. Sato",
        "明日は晴れです。",
        "港へ行こう！",
        "3.5",
        "(really?)",
        "\n\n",
        "\n",
        "、そして",
    ]
)
texts = st.lists(st.tuples(words, st.sampled_from([" ", " ", "  "])), max_size=40).map(
    lambda found: "".join(word + space for word, space in found)
)


def without_space(text: str) -> str:
    return re.sub(r"\s+", "", text)


@settings(max_examples=150, deadline=None)
@given(texts, st.sampled_from([[SHORT], [BYTES], [LINKS], [SHORT, BYTES, LINKS]]), st.booleans())
def test_parts_fit_and_together_are_the_text(text: str, limits: list[TextLimit], is_numbered: bool) -> None:
    parts = split_thread(text, limits, is_numbered=is_numbered)
    assert all(fits(part, limit) for part in parts for limit in limits)
    plain = parts
    if is_numbered and len(parts) > 1:
        plain = [part.removesuffix(f" ({n}/{len(parts)})") for n, part in enumerate(parts, 1)]
        assert all(one != other for one, other in zip(plain, parts, strict=True))
    assert without_space("".join(plain)) == without_space(text)
    assert all(part.strip() for part in plain)


@settings(max_examples=150, deadline=None)
@given(texts)
def test_nothing_that_belongs_together_is_cut(text: str) -> None:
    def named(value: str) -> list[str]:
        spans = (*find_links(value), *find_mentions(value), *find_hashtags(value))
        return sorted(span.value for span in spans)

    parts = split_thread(text, [SHORT])
    assert sorted(name for part in parts for name in named(part)) == named(text)
    kept = [one for part in parts for one in graphemes(part) if not one.isspace()]
    assert kept == [one for one in graphemes(text) if not one.isspace()]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_any_text_ends_in_parts_that_fit(text: str) -> None:
    parts = split_thread(text, [SHORT])
    assert without_space("".join(parts)) == without_space(text)
    whole = (*find_links(text, bare=True), *find_mentions(text), *find_hashtags(text))
    if all(span.end - span.start <= SHORT.max_units for span in whole):
        assert all(fits(part, SHORT) for part in parts)


def test_sentences_stay_whole_and_abbreviations_end_none() -> None:
    text = "Dr. Sato came at 9 a.m. on Monday with J. Smith. He brought coffee, e.g. the new roast! Done."
    assert split_thread(text, [SHORT]) == [
        "Dr. Sato came at 9 a.m. on Monday with J. Smith.",
        "He brought coffee, e.g. the new roast! Done.",
    ]


def test_japanese_is_cut_at_the_end_of_its_sentences() -> None:
    text = (
        "明日は港で朝市があります。焼きたてのパンと淹れたてのコーヒーをどうぞ！"
        "「お待ちしています。」雨でも開きます？はい。"
    )
    parts = split_thread(text, [TextLimit(max_units=40, unit=TextUnit.GRAPHEMES)])
    assert parts == [
        "明日は港で朝市があります。焼きたてのパンと淹れたてのコーヒーをどうぞ！",
        "「お待ちしています。」雨でも開きます？はい。",
    ]


def test_long_japanese_without_stops_does_not_begin_a_part_with_a_comma() -> None:
    text = "あ" * 59 + "い、" + "う" * 30
    first, second = split_thread(text, [SHORT])
    assert not second.startswith("、")
    assert first + second == text


def test_a_text_that_fits_is_one_part_and_an_empty_one_none() -> None:
    assert split_thread(" Hello ", [SHORT], is_numbered=True) == ["Hello"]
    assert split_thread("  \n", [SHORT]) == []


def test_numbers_count_to_the_last_part() -> None:
    parts = split_thread("This sentence is about coffee. " * 30, [SHORT], is_numbered=True)
    assert len(parts) > 9
    assert parts[0].endswith(f" (1/{len(parts)})")
    assert parts[-1].endswith(f" ({len(parts)}/{len(parts)})")


def test_an_address_longer_than_a_post_stays_whole() -> None:
    link = "https://example.com/" + "a" * 80
    assert split_thread(f"Before it {link} after it", [SHORT]) == ["Before it", link, "after it"]


def test_what_will_be_counted_decides() -> None:
    link = "https://example.com/" + "a" * 80
    text = f"Short words {link} and short words again"
    assert split_thread(text, [SHORT], as_sent=lambda piece: piece.replace(link, "https://x.example/1")) == [
        text
    ]


@pytest.mark.parametrize("size", [30_000])
def test_the_longest_text_is_split_quickly(size: int) -> None:
    text = ("Coffee at the harbour, every morning. " * 1000)[:size]
    parts = split_thread(text, [TextLimit(max_units=300, unit=TextUnit.GRAPHEMES, max_bytes=3000)])
    assert len(parts) > size / 300
