"""Files of posts in words: why one was not read, what an import may say beside that, and the sample."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils.translation import gettext as _

from campaigns.wording import ENCODINGS, file_refusal
from content_calendar.import_columns import header_word
from content_calendar.selectors.imports import MOST_BYTES, MOST_ROWS
from content_calendar.services.imports import ROW_REFUSED, STOPPED
from core.csv_reading import FileProblem, FileRefused
from core.xlsx_reading import MOST_COLUMNS

SAMPLE_COLUMNS = ("date", "time", "text", "text_2", "accounts", "media", "alt", "campaign", "labels", "state")


def problem_of_file(problem: str, detail: str = "") -> str:
    """Why a file as a whole was not read, or an import stopped."""
    match problem:
        case FileProblem.TOO_LARGE:
            return _("The file is larger than %(most)s MB. Split it into several.") % {
                "most": MOST_BYTES // (1024 * 1024)
            }
        case FileProblem.TOO_MANY_ROWS:
            return _("The file has more than %(most)s rows. Split it into several.") % {"most": MOST_ROWS}
        case FileProblem.TOO_MANY_COLUMNS:
            return _(
                "The file has more than %(most)s columns. Take out those that say nothing about posts."
            ) % {"most": MOST_COLUMNS}
        case FileProblem.NOT_TEXT:
            return _("This is neither a CSV nor an Excel file (XLSX). Save it as one of them.")
        case FileProblem.OTHER_ENCODING:
            name = ENCODINGS.get(detail, detail)
            return _("The file is not written in %(encoding)s. Choose another encoding.") % {"encoding": name}
        case FileProblem.OLD_SPREADSHEET:
            return _(
                "This is an old Excel file (XLS), or one that a password protects. Save it as XLSX without a "
                "password, or as CSV."
            )
        case FileProblem.WEB_PAGE:
            return _("This is a web page, whatever its name says. Save it as XLSX or CSV.")
        case FileProblem.NOT_A_WORKBOOK:
            return _("This file cannot be read as an Excel file (XLSX). Open it and save it once more.")
        case FileProblem.UNPACKS_TOO_LARGE:
            return _("This file becomes enormous when it is unpacked, so it was not read.")
        case _ if problem == ROW_REFUSED:
            return _(
                "Row %(row)s was refused, so nothing was imported. Correct it, or import the others."
            ) % {"row": detail}
        case _ if problem == STOPPED:
            return _(
                "The work on this file broke off several times. What was done until then stays as it is."
            )
        case _:
            return file_refusal(problem, detail)


def refusal_of_file(refused: FileRefused) -> str:
    return problem_of_file(refused.problem, refused.detail)


def sample_rows(
    language: str, today: dt.date, details: Sequence[str] = ()
) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """A header and rows that show what there can be, for days to come; ``details``: empty columns for what
    networks ask besides."""
    first, second = today + dt.timedelta(days=7), today + dt.timedelta(days=8)
    draft, schedule = ("下書き", "予約") if language.startswith("ja") else ("draft", "schedule")
    header = [header_word(key, language) for key in (*SAMPLE_COLUMNS, *details)]
    rows = [
        [f"{first}", "9:30", _("Our autumn menu is here."), "", "all", "", "", "", _("Menu"), schedule],
        [
            f"{second}",
            "18:00",
            _("A thread has its second part …"),
            _("… in a column of its own."),
            "all",
            "https://www.example.com/picture.jpg",
            _("A cup of coffee on a wooden table"),
            "",
            "",
            schedule,
        ],
        ["", "", _("An idea without a time stays a draft."), "", "", "", "", "", "", draft],
    ]
    return header, [[*row, *("" for _key in details)] for row in rows]
