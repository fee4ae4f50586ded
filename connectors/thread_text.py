"""A long text as the posts of a thread.

Cut at the ends of paragraphs and sentences where there are any within reach, else at commas, at spaces,
and at last between two characters; never inside of an address, a mention, a hashtag or a character of
several code points. English and Japanese: 。！？ end a sentence at once, a full stop does before white space,
unless an abbreviation or an initial stands before it or the text goes on in small letters.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Iterable, Sequence

import regex

from connectors.base import TextLimit
from connectors.text import find_hashtags, find_links, find_mentions, fits

_CLOSERS = r"[」』）】〉》”’\"')\]]*"
_SENTENCE = regex.compile(rf"[。！？]+{_CLOSERS}|[.!?…]+{_CLOSERS}(?=\s)")
_ABBREVIATION = regex.compile(
    r"(?:^|[\s(\[“‘\"'])(?:mr|mrs|ms|dr|prof|st|vs|etc|no|vol|fig|inc|ltd|co|jr|sr|approx|dept|est|e\.g|i\.e|a\.m|p\.m"
    r"|u\.s|u\.k|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|\p{Lu})\.$",
    regex.IGNORECASE,
)
_INITIAL = regex.compile(r"(?:^|[\s(])\p{Lu}\.$")
_PARAGRAPH = regex.compile(r"\s*\n\s*\n\s*")
_LINE = regex.compile(r"[^\S\n]*\n\s*")
_CLAUSE = regex.compile(rf"[、，；：]{_CLOSERS}|[,;:]{_CLOSERS}(?=\s)|(?<=\s)[–—-](?=\s)")
_SPACE = regex.compile(r"\s+")
_GRAPHEME = regex.compile(r"\X")
# What does not stand at the beginning of a line in Japanese, and what does not stand at its end.
_NOT_FIRST = "、。，．・：；？！）」』】〉》”’ー…‥々ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ,.;:!?)]}%％"
_NOT_LAST = "（「『【〈《“‘([{$¥￥#＃@＠"
# A cut at a better place is taken though a worse one would fill the post more, if it fills this much of it.
_ENOUGH = 0.34

Fits = Callable[[str], bool]


def split_thread(
    text: str,
    limits: Sequence[TextLimit],
    *,
    is_numbered: bool = False,
    as_sent: Callable[[str], str] = lambda piece: piece,
) -> list[str]:
    """``text`` as parts that keep within all ``limits``, each with words; one part when it fits as it is.

    ``as_sent`` makes of a piece what will be counted (tracked links are shorter than what they stand for).
    ``is_numbered``: each ends with " (1/3)". Joined again the parts are the text up to white space. A single
    address or hashtag that is longer than a limit stays whole, in a part that is too long.
    """

    def keeps(piece: str) -> bool:
        counted = as_sent(piece)
        return all(fits(counted, limit) for limit in limits)

    text = text.strip()
    if not text or (keeps(text)):
        return [text] if text else []
    if not is_numbered:
        return _pieces(text, keeps)
    for digits in itertools.count(1):
        nines = "9" * digits
        pieces = _pieces(text, lambda piece, end=f" ({nines}/{nines})": keeps(piece + end))  # type: ignore[misc]
        if len(pieces) < 10**digits:
            return [f"{piece} ({number}/{len(pieces)})" for number, piece in enumerate(pieces, 1)]
    raise AssertionError("unreachable")


def _pieces(text: str, keeps: Fits) -> list[str]:
    levels = _places(text)
    pieces: list[str] = []
    start = 0
    while start < len(text):
        end = _end(text, start, levels, keeps)
        piece = text[start:end].strip()
        if piece:
            pieces.append(piece)
        start = end
    return pieces


def _end(text: str, start: int, levels: Sequence[Sequence[int]], keeps: Fits) -> int:
    """Where the part that begins at ``start`` ends: at the best place that is far enough."""
    if keeps(text[start:].strip()):
        return len(text)
    furthest = _furthest(text, start, levels[-1], keeps)
    if furthest is None:  # nothing fits: what cannot be cut is left whole
        return next((place for place in levels[-1] if text[start:place].strip()), len(text))
    for places in levels[:-1]:
        index = bisect.bisect_right(places, furthest) - 1
        if index >= 0 and places[index] - start >= (furthest - start) * _ENOUGH:
            return places[index]
    return furthest


def _furthest(text: str, start: int, places: Sequence[int], keeps: Fits) -> int | None:
    """The last of ``places`` up to which the part still fits, None when not even the first does.

    Adding to a text makes it longer, so it is searched by halves; the steps at the end are for the places
    where that is not quite so (a mention that is counted without its host only once it is whole).
    """
    low = bisect.bisect_right(places, start)
    reach = low
    step = 64
    while reach < len(places) and keeps(text[start : places[reach]].strip()):
        low, reach = reach, reach + step
        step *= 2
    high = min(reach, len(places) - 1)
    while low < high:
        middle = (low + high + 1) // 2
        if keeps(text[start : places[middle]].strip()):
            low = middle
        else:
            high = middle - 1
    first = bisect.bisect_right(places, start)
    while low > first and not keeps(text[start : places[low]].strip()):
        low -= 1
    if low >= len(places) or not keeps(text[start : places[low]].strip()):
        return None
    return places[low] if text[start : places[low]].strip() else None


def _places(text: str) -> list[list[int]]:
    """Where the text may be cut, sorted: ends of paragraphs, sentences, lines, clauses, words, characters.
    All of them are places between characters that lie in nothing that must stay whole."""
    whole = _whole(text)
    between = [m.end() for m in _GRAPHEME.finditer(text) if m.end() < len(text)]
    anywhere = [place for place in between if not _is_inside(place, whole) and _may_cut(text, place)]
    allowed = set(anywhere)

    def at(found: Iterable[int]) -> list[int]:
        return sorted(allowed.intersection(found))

    paragraphs = at(m.end() for m in _PARAGRAPH.finditer(text))
    sentences = at(m.end() for m in _SENTENCE.finditer(text) if _is_end(text, m.start(), m.end()))
    lines = at(m.end() for m in _LINE.finditer(text))
    clauses = at(m.end() for m in _CLAUSE.finditer(text))
    words = at(m.end() for m in _SPACE.finditer(text))
    return [paragraphs, sorted({*sentences, *lines}), clauses, words, anywhere]


def _whole(text: str) -> list[tuple[int, int]]:
    """What must not be cut, in order."""
    spans = (*find_links(text, bare=True), *find_mentions(text), *find_hashtags(text))
    return sorted((span.start, span.end) for span in spans)


def _is_inside(place: int, whole: Sequence[tuple[int, int]]) -> bool:
    index = bisect.bisect_left(whole, (place, 0)) - 1
    return index >= 0 and whole[index][0] < place < whole[index][1]


def _may_cut(text: str, place: int) -> bool:
    before, after = text[place - 1], text[place]
    if before.isspace() or after.isspace():
        return True
    if after in "@＠#＃/" or before in _NOT_LAST:
        return False  # a mail name or a number must not become a mention or a hashtag
    return after not in _NOT_FIRST


def _is_end(text: str, start: int, end: int) -> bool:
    """Whether the stop at ``text[start:end]`` ends a sentence."""
    if text[start] != ".":
        return True
    before = text[max(0, start - 12) : start + 1]
    if _INITIAL.search(before) or _ABBREVIATION.search(before):
        return False
    following = text[end:].lstrip()[:1]
    return not following.islower()
