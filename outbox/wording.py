"""What the words of a post are known again by: the same text, or one that is nearly the same.

``hash`` is equal for texts that differ only in case, width, white space and addresses. ``sketch`` is a
SimHash (Charikar, "Similarity estimation techniques from rounding algorithms", 2002) over pieces of three
characters: the more two texts have in common, the fewer of its 64 bits differ. It finds candidates;
``likeness`` decides.
Both are signed, as PostgreSQL's bigint is.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import regex

# Texts with less in common than this are different ones.
NEARLY = 0.7
# Bits of two sketches that may differ; texts that are nearly the same seldom differ in more.
MOST_BITS = 18
# Shorter texts have too few pieces to be nearly anything.
SHORTEST = 20
_PIECE = 3
_ADDRESS = regex.compile(r"(?i)\b(?:https?://|www\.)[^\s\u3000-\u303f\p{Han}\p{Hiragana}\p{Katakana}]+")
_CUT = 1 << 63
# The bits of a byte, 32 places apart, so that a sum of them counts each.
_SPREAD = [sum((byte >> bit & 1) << 32 * bit for bit in range(8)) for byte in range(256)]


@dataclass(frozen=True, slots=True)
class Mark:
    """``sketch`` is 0 for a text that is too short to be compared."""

    hash: int
    sketch: int


def plain(text: str) -> str:
    """The words as a reader takes them: addresses are left out, tracked links differ from post to post."""
    composed = unicodedata.normalize("NFKC", _ADDRESS.sub(" ", text)).casefold()
    kept = "".join(c for c in composed if c.isspace() or unicodedata.category(c) not in {"Cf", "Cc", "Cs"})
    return " ".join(kept.split())


def text_of(payload: Mapping[str, Any]) -> str:
    """The words of a frozen post: of all of its thread, without the first comment."""
    parts = payload.get("parts", ())
    return "\n".join(str(part.get("text", "")) for part in parts if not part.get("is_comment"))


def mark_of(payload: Mapping[str, Any]) -> Mark | None:
    return mark(text_of(payload))


def mark(text: str) -> Mark | None:
    """None for a text without words."""
    words = plain(text)
    if not words:
        return None
    return Mark(_signed(words.encode()), _sketch(words) if len(words) >= SHORTEST else 0)


def likeness(one: str, other: str) -> float:
    """How much two texts have in common, 0 to 1: the pieces of both, by the pieces of either."""
    left, right = _pieces(plain(one)), _pieces(plain(other))
    return len(left & right) / len(left | right) if left | right else 0.0


def is_near(one: Mark, other: Mark) -> bool:
    """Whether it is worth to compare the texts themselves."""
    if not one.sketch or not other.sketch:
        return False
    return ((one.sketch ^ other.sketch) & (2**64 - 1)).bit_count() <= MOST_BITS


def _pieces(words: str) -> set[str]:
    return {words[i : i + _PIECE] for i in range(len(words) - _PIECE + 1)}


def _sketch(words: str) -> int:
    """A bit is set that more than half of the pieces have set in their own number."""
    pieces = _pieces(words)
    ones = [0] * 8  # of each byte: eight counters of 32 bits in one number
    for piece in pieces:
        for place, byte in enumerate(hashlib.blake2b(piece.encode(), digest_size=8).digest()):
            ones[place] += _SPREAD[byte]
    made = 0
    for place, counters in enumerate(ones):
        for bit in range(8):
            if 2 * (counters >> 32 * bit & 0xFFFFFFFF) > len(pieces):
                made |= 1 << 8 * place + bit
    return made - 2 * _CUT if made >= _CUT else made


def _signed(value: bytes) -> int:
    number = int.from_bytes(hashlib.blake2b(value, digest_size=8).digest())
    return number - 2 * _CUT if number >= _CUT else number
