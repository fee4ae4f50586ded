"""The dry run as its page shows it: the verdict on every row, in words, page by page."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, CostKind, CsvImport
from campaigns.selectors.imports import Verdict, layout_of_spend, verdicts
from campaigns.spend_rows import Fault, RowProblem
from campaigns.wording import UNREADABLE
from core.entering import Unreadable
from core.kept_files import kept_file
from core.paging import PAGE_SIZE

_PROBLEMS: dict[str, Promise] = {
    RowProblem.UNKNOWN_KIND: _(
        "This kind is not known. Write media, production, labour, tools, agency or influencers."
    ),
    RowProblem.OTHER_CURRENCY: UNREADABLE[Unreadable.OTHER_CURRENCY],
    RowProblem.TOO_LONG: _("This is too long."),
    RowProblem.ID_TWICE: _("Another row of this file has the same id and says something else."),
    RowProblem.DIFFERS: _("This id was imported before with other values. Change that entry by hand."),
}
COLUMN_NAMES: dict[str, Promise] = {
    "date": _("Date"),
    "amount": _("Amount"),
    "kind": _("Kind"),
    "network": _("Network"),
    "note": _("Note"),
    "id": _("Id"),
    "currency": _("Currency"),
}


@dataclass(frozen=True, slots=True)
class FaultLine:
    column: str
    value: str
    words: str


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """One row with what becomes of it."""

    verdict: Verdict
    kind: str
    faults: tuple[FaultLine, ...]


@dataclass(frozen=True, slots=True)
class DryRun:
    page: Page[int]
    lines: tuple[VerdictLine, ...]


def dry_run(request: HttpRequest, batch: CsvImport) -> DryRun:
    """The page that the address names. Raises FileGone, FileRefused."""
    campaign = batch.campaign
    assert campaign is not None  # noqa: S101 - every file of spend belongs to a campaign
    # Only the numbers of the pages come from this; the rows are read from the file.
    page = Paginator(range(batch.rows), PAGE_SIZE).get_page(request.GET.get("page"))
    first = (page.number - 1) * PAGE_SIZE
    with kept_file(batch) as file:
        layout = layout_of_spend(file)
        found = list(verdicts(file, layout, campaign, first=first, last=first + PAGE_SIZE))
    return DryRun(page=page, lines=tuple(_line(verdict, campaign) for verdict in found))


def _line(verdict: Verdict, campaign: Campaign) -> VerdictLine:
    kind = str(CostKind(verdict.row.kind).label) if verdict.row.kind else ""
    return VerdictLine(verdict, kind, tuple(fault_line(fault) for fault in verdict.faults))


def fault_line(fault: Fault) -> FaultLine:
    words = _PROBLEMS.get(fault.code) or UNREADABLE[Unreadable(fault.code)]
    return FaultLine(str(COLUMN_NAMES[fault.column]), fault.value, str(words))


def kept_fault_line(kept: dict[str, str]) -> FaultLine:
    """One of CsvImport.refused."""
    return fault_line(Fault(kept["field"], kept["code"], kept["value"]))
