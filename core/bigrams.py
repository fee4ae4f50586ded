"""Finding rows by pieces of their words, in any script, with an index that core PostgreSQL has.

Japanese is written without blanks, so that a search by words finds nothing; extensions for it are not
everywhere. So a row keeps every character and every pair of neighbouring characters of its words
(``grams``) in an array with a GIN index. A row can only contain what is searched if it has all grams of
it; of the few rows that have them, ``folded`` text says which really do.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

# Longer words add nothing to a search, and no row should grow without bound.
_MOST_CHARACTERS = 600


def folded(*texts: str) -> str:
    """The texts as they are compared: one form for full and half width, no upper case, single blanks."""
    joined = " ".join(texts).replace("\0", "")
    # Folding the case can give what has another form again, so the form is made before and after.
    lower = unicodedata.normalize("NFKC", joined).casefold()
    return " ".join(unicodedata.normalize("NFKC", lower).split())[:_MOST_CHARACTERS].rstrip()


def grams(text: str) -> list[str]:
    """Every character and every pair of neighbours within the words of a folded text, sorted."""
    found: set[str] = set()
    for word in text.split():
        found.update(word)
        found.update(_pairs(word))
    return sorted(found)


def wanted_grams(words: Iterable[str]) -> list[str]:
    """The grams that a row must have to contain all of these folded words: pairs, and single characters
    only where a word is no longer."""
    found: set[str] = set()
    for word in words:
        found.update(_pairs(word) if len(word) > 1 else word)
    return sorted(found)


def _pairs(word: str) -> Iterable[str]:
    return (word[at : at + 2] for at in range(len(word) - 1))
