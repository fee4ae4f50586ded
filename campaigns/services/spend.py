"""What was spent, entered by hand. From files: imports.py."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.services.audit import record
from campaigns.models import BudgetLine, Campaign, CsvImport, Source, SpendEntry
from campaigns.services.budgets import Cost
from core.money import rounded


class OtherCampaign(Exception):
    """The budget line belongs to another campaign."""


@dataclass(frozen=True, slots=True)
class SpendFacts:
    """One entry as a person writes it; ``date`` is a day of the brand's zone, ``platform`` the key of a
    network or ""."""

    date: dt.date
    cost: Cost
    line: BudgetLine | None = None
    platform: str = ""
    note: str = ""


def add_spend(
    *, campaign: Campaign, facts: SpendFacts, external_id: str, actor: User, now: dt.datetime
) -> tuple[SpendEntry, bool]:
    """The entry, and whether it is new. ``external_id`` is chosen by the page, so that a form that was sent
    twice makes one entry. Raises CostIncomplete, OtherCampaign."""
    with transaction.atomic():
        entry, is_new = SpendEntry.objects.get_or_create(
            campaign=campaign,
            source=Source.MANUAL,
            external_id=external_id,
            defaults=_columns(campaign, facts) | {"created_by": actor, "created_at": now},
        )
        if is_new:
            _audit(entry, "spend.added", actor, now)
    return entry, is_new


def change_spend(*, entry: SpendEntry, facts: SpendFacts, actor: User, now: dt.datetime) -> SpendEntry:
    """Raises CostIncomplete, OtherCampaign."""
    with transaction.atomic():
        row = _lock(entry)
        before = str(rounded(row.amount, row.campaign.currency))
        for name, value in _columns(row.campaign, facts).items():
            setattr(row, name, value)
        row.save()
        _audit(row, "spend.changed", actor, now, before=before)
    return row


def delete_spend(*, entry: SpendEntry, actor: User, now: dt.datetime) -> None:
    with transaction.atomic():
        row = _lock(entry)
        _audit(row, "spend.deleted", actor, now)
        row.delete()


def undo_import(*, batch: CsvImport, actor: User, now: dt.datetime) -> int:
    """Take everything that one file brought out again; how many entries that were. The same file may then be
    imported anew."""
    with transaction.atomic():
        row = CsvImport.objects.select_for_update().get(pk=batch.pk)
        if row.state != CsvImport.State.DONE or row.kind != CsvImport.Kind.SPEND:
            return 0
        gone, _by_model = SpendEntry.objects.filter(csv_import=row).delete()
        row.state = CsvImport.State.UNDONE
        row.save(update_fields=["state"])
        record(
            organization=row.brand.organization,
            actor=actor,
            action="spend.import_undone",
            subject=row,
            detail={"entries": gone},
            now=now,
        )
    return gone


def _columns(campaign: Campaign, facts: SpendFacts) -> dict[str, Any]:
    if facts.line is not None and facts.line.campaign_id != campaign.pk:
        raise OtherCampaign
    return {
        **facts.cost.in_currency(campaign.currency),
        "date": facts.date,
        "line": facts.line,
        "platform": facts.platform,
        "note": facts.note,
    }


def _lock(entry: SpendEntry) -> SpendEntry:
    rows = SpendEntry.objects.select_for_update(of=("self",)).select_related("campaign__brand__organization")
    row: SpendEntry = rows.get(pk=entry.pk)
    return row


def _audit(entry: SpendEntry, action: str, actor: User, now: dt.datetime, before: str = "") -> None:
    campaign = entry.campaign
    detail = {
        "date": entry.date.isoformat(),
        "kind": entry.kind,
        "amount": str(rounded(entry.amount, campaign.currency)),
        "currency": campaign.currency,
    }
    record(
        organization=campaign.brand.organization,
        actor=actor,
        action=action,
        subject=campaign,
        detail=detail | ({"before": before} if before else {}),
        now=now,
    )
