"""Codes of campaigns in words: why something was not taken, how a budget stands."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.addresses import MOST_CHARACTERS, Refusal
from core.csv_reading import MOST_BYTES, MOST_ROWS, FileProblem, FileRefused
from core.entering import Unreadable

UNREADABLE: Mapping[Unreadable, Promise] = {
    Unreadable.MISSING: gettext_lazy("Nothing is entered here."),
    Unreadable.FORMULA: gettext_lazy("This is a formula. Save the file with its results instead."),
    Unreadable.NOT_AN_AMOUNT: gettext_lazy("This is not an amount of money."),
    Unreadable.AMBIGUOUS_AMOUNT: gettext_lazy(
        "This could be thousands or a fraction. Write it without separators."
    ),
    Unreadable.NEGATIVE: gettext_lazy("An amount cannot be below zero."),
    Unreadable.TOO_MANY_DECIMALS: gettext_lazy("The currency does not have so many decimals."),
    Unreadable.TOO_LARGE: gettext_lazy("This amount is too large."),
    Unreadable.OTHER_CURRENCY: gettext_lazy("This is in another currency than the campaign."),
    Unreadable.NOT_A_DATE: gettext_lazy("This is not a date. Write it as 2026-01-31."),
    Unreadable.AMBIGUOUS_DATE: gettext_lazy(
        "Day and month of this date cannot be told apart. Write it as 2026-01-31."
    ),
}


# Encodings as spreadsheets call them.
ENCODINGS: Mapping[str, str] = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp932": "Shift JIS",
    "cp1252": "Windows-1252",
}


def link_refusal(reason: Refusal) -> str:
    match reason:
        case Refusal.NOT_WEB:
            return _("Only addresses that begin with http:// or https:// can be tracked.")
        case Refusal.NO_HOST:
            return _("This address names no server that there can be. Check the part after https://.")
        case Refusal.CREDENTIALS:
            return _("This address has a user name or a password in it, which everybody would see.")
        case Refusal.UNREADABLE:
            return _("There are blanks or control characters in this address. Copy it once more.")
        case Refusal.OURS:
            return _("This is a tracked link already. Enter the address that it leads to.")
        case Refusal.TOO_LONG:
            return _("This address is too long: %(most)s characters are possible.") % {
                "most": MOST_CHARACTERS
            }


def file_refusal(problem: str, detail: str = "") -> str:
    """Why a file as a whole was not read; ``problem`` is a FileProblem."""
    match problem:
        case FileProblem.EMPTY:
            return _("The file is empty.")
        case FileProblem.TOO_LARGE:
            return _("The file is larger than %(most)s MB. Split it into several.") % {
                "most": MOST_BYTES // (1024 * 1024)
            }
        case FileProblem.TOO_MANY_ROWS:
            return _("The file has more than %(most)s rows. Split it into several.") % {"most": MOST_ROWS}
        case FileProblem.NOT_TEXT:
            return _("This is no CSV file. In a spreadsheet, choose “Save as” and the type CSV.")
        case FileProblem.BROKEN:
            return _(
                "The file cannot be read from row %(row)s on: a quotation mark is opened and not closed."
            ) % {"row": detail}
        case FileProblem.COLUMN_MISSING:
            return _("The file has no column “%(column)s”. Its first row must name the columns.") % {
                "column": detail
            }
        case FileProblem.COLUMN_TWICE:
            return _("The column “%(column)s” is there twice.") % {"column": detail}
        case _:
            return _("The file is no longer there, or cannot be read.")


def refusal_of_file(refused: FileRefused) -> str:
    return file_refusal(refused.problem, refused.detail)
