"""What a network makes of an answer before it is sent: its length, and what is in the way, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connectors.base import PlatformInfo, TextLimit, TextUnit
from connectors.errors import RejectReason
from connectors.text import Problem, count, fits


@dataclass(frozen=True, slots=True)
class Fill:
    """How full an answer is."""

    used: int
    limit: int
    is_over: bool

    @property
    def remaining(self) -> int:
        return self.limit - self.used

    @property
    def is_near(self) -> bool:
        return not self.is_over and self.remaining * 10 <= self.limit


def fill_of(text: str, limit: TextLimit) -> Fill:
    return Fill(count(text, limit), limit.max_units, not fits(text, limit))


def limit_of(info: PlatformInfo, *, is_private: bool) -> TextLimit:
    """Direct messages and answers may have limits of their own."""
    return info.message_text if is_private and info.message_text else info.words_of(is_comment=True)


def explain(problems: Iterable[Problem], info: PlatformInfo, limit: TextLimit) -> list[str]:
    """Broken limits as sentences in the active language."""
    return [_sentence(problem, info, limit) for problem in problems]


def _sentence(problem: Problem, info: PlatformInfo, limit: TextLimit) -> str:
    over = problem.actual - problem.limit
    is_bytes = limit.unit is TextUnit.UTF8_BYTES
    words = {
        "network": info.name,
        "limit": number_format(problem.limit, force_grouping=True),
        "actual": number_format(problem.actual, force_grouping=True),
        "over": number_format(over, force_grouping=True),
        "unit": ngettext("byte", "bytes", over) if is_bytes else ngettext("character", "characters", over),
    }
    match problem.reason:
        case RejectReason.TEXT_EMPTY:
            return _("Write a reply first.")
        case RejectReason.TEXT_TOO_LONG if limit.max_bytes and problem.limit == limit.max_bytes:
            return _("Too long for %(network)s: %(actual)s bytes, %(limit)s are allowed.") % words
        case RejectReason.TEXT_TOO_LONG:
            return _("Too long for %(network)s by %(over)s %(unit)s (%(limit)s are allowed).") % words
        case _:
            return _("%(network)s does not take this content.") % words
