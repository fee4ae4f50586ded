"""LinkedIn's "little text": how the words of a post are written on the wire. Pure.

Document: learn.microsoft.com, community-management/shares/little-text-format. A reserved character that is
not escaped makes LinkedIn drop everything after it, without an error. A hashtag is a template, so that it is
one for LinkedIn too; mentions need an id and stay plain text. Comments are plain text and need none of this.
"""

from __future__ import annotations

import regex

from connectors.text import find_hashtags

_RESERVED = regex.compile(r"[\\|{}@\[\]()<>#*_~]")
_TAG = regex.compile(r"[\p{L}\p{M}\p{N}_]+")
_ELEMENTS = regex.compile(
    r"""
    \\(?P<plain>.)
    | \{hashtag\|(?P<sign>(?:\\.|[^\\|{}])*)\|(?P<tag>(?:\\.|[^\\|{}])*)\}
    | @\[(?P<name>(?:\\.|[^\\\]])*)\]\((?:\\.|[^\\)])*\)
    """,
    regex.VERBOSE | regex.DOTALL,
)


def to_little(text: str) -> str:
    pieces: list[str] = []
    position = 0
    for hashtag in find_hashtags(text):
        if not _TAG.fullmatch(hashtag.value):
            continue
        sign = _escaped(text[hashtag.start])
        pieces += [_escaped(text[position : hashtag.start])]
        pieces += [f"{{hashtag|{sign}|{_escaped(hashtag.value)}}}"]
        position = hashtag.end
    return "".join([*pieces, _escaped(text[position:])])


def from_little(little: str) -> str:
    """The words as people see them; what is no element of the format stays as it is."""
    return _ELEMENTS.sub(_shown, little)


def _escaped(text: str) -> str:
    return _RESERVED.sub(r"\\\g<0>", text)


def _shown(element: regex.Match[str]) -> str:
    if (plain := element["plain"]) is not None:
        return str(plain)
    if element["tag"] is not None:
        return from_little(element["sign"]) + from_little(element["tag"])
    return from_little(element["name"])
