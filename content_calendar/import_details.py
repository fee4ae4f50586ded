"""Columns for what networks ask of a post besides its words and media.

``details.pinterest.board`` holds for every account of a row on that network,
``details.pinterest.board@pinterest:name`` for one of them alone. A cell has a text as it is, yes or no, and
of a choice its value or its label, in any language of the interface. An empty cell says nothing: the default
of the network holds.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.selectors import known_networks
from connectors.base import PlatformInfo, PostField
from content_calendar.answers import Answer, answer_in_words, own_choices

PREFIX = "details."
MOST_SHOWN = 6  # choices that a sentence names
_PREFIXES = (PREFIX, "詳細.")  # the second as the export in Japanese writes it


def detail_fields() -> dict[str, tuple[PlatformInfo, PostField]]:
    """By column, what it answers, in the order of the networks."""
    return {
        f"{PREFIX}{info.key}.{field.name}": (info, field)
        for info in known_networks().values()
        for field in info.post_fields
    }


def is_detail(key: str) -> bool:
    return key.startswith(PREFIX)


def detail_column(word: str) -> str:
    """The column that a word above one means, "" for none."""
    plain = _squeezed(word)
    for prefix in _PREFIXES:
        if plain.startswith(prefix):
            keys = {_squeezed(key): key for key in detail_fields()}
            return keys.get(PREFIX + plain.removeprefix(prefix), "")
    return ""


def detail_label(key: str) -> str:
    """A column in the active language; as it is written where its network asks for it no longer."""
    known = detail_fields().get(key)
    return f"{known[0].name}: {_(known[1].label)}" if known else key


def detail_header(key: str, language: str) -> str:
    return f"{_PREFIXES[1]}{key.removeprefix(PREFIX)}" if language.startswith("ja") else key


def names_of_choices(field: PostField, options: Mapping[str, Any]) -> dict[str, list[str]]:
    """The values that a word may mean, by the word in small letters. None where the account's choices were
    never read."""
    found: dict[str, list[str]] = defaultdict(list)
    for value, names in _named(field, options):
        for name in {value, *names}:
            found[plain(name)].append(value)
    return dict(found)


def shown_choices(field: PostField, options: Mapping[str, Any]) -> str:
    """The first choices in the active language, for a sentence."""
    known = own_choices(options, field) if field.is_of_account else field.choices
    labels = [label if field.is_of_account else _(label) for _value, label in known]
    return ", ".join(labels[:MOST_SHOWN]) + (" …" if len(labels) > MOST_SHOWN else "")


def answer_for_file(field: PostField, options: Mapping[str, Any], answer: Answer) -> str:
    """An answer as a cell has it, in the active language: what ``names_of_choices`` finds again."""
    if field.kind == "flag":
        return "yes" if answer is True else "no"
    if field.kind != "choice":
        return str(answer)
    words = answer_in_words(field, options, answer)
    means = names_of_choices(field, options).get(plain(words), [])
    return words if means == [answer] else str(answer)


def _named(field: PostField, options: Mapping[str, Any]) -> Sequence[tuple[str, set[str]]]:
    """Each value with its labels: what a person called it, or our words in every language."""
    words = dict(field.choices)
    if not field.is_of_account:
        return [(value, _in_every_language(label)) for value, label in field.choices]
    return [
        (value, {label, *(_in_every_language(words[value]) if value in words else ())})
        for value, label in own_choices(options, field)
    ]


def _in_every_language(label: str) -> set[str]:
    found = {label}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            found.add(_(label))
    return found


def plain(word: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", word).casefold().split())


def _squeezed(word: str) -> str:
    return re.sub(r"[\s_\-]+", "", unicodedata.normalize("NFKC", word).casefold())
