"""The plan of a campaign: what it is to cost, line by line."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts.models import User
from accounts.services.audit import record
from campaigns.models import BudgetLine, Campaign, CostKind
from core.money import rounded


@dataclass(frozen=True, slots=True)
class Cost:
    """One cost as a person enters it, planned or spent. Labour has ``hours`` and ``hourly_rate``, and its
    amount follows from them; other kinds have an ``amount``."""

    kind: str
    amount: Decimal | None = None
    hours: Decimal | None = None
    hourly_rate: Decimal | None = None

    def in_currency(self, currency: str) -> dict[str, Any]:
        """The columns of a budget line or an entry of spend. Raises CostIncomplete."""
        if self.kind == CostKind.LABOUR and self.hours is not None and self.hourly_rate is not None:
            return {
                "kind": self.kind,
                "amount": rounded(self.hours * self.hourly_rate, currency),
                "hours": self.hours,
                "hourly_rate": self.hourly_rate,
            }
        if self.amount is None:
            raise CostIncomplete
        return {
            "kind": self.kind,
            "amount": rounded(self.amount, currency),
            "hours": None,
            "hourly_rate": None,
        }


class CostIncomplete(Exception):
    """Neither an amount nor hours with their rate."""


def add_line(*, campaign: Campaign, cost: Cost, label: str, actor: User, now: dt.datetime) -> BudgetLine:
    """A line at the end of the plan. Raises CostIncomplete."""
    with transaction.atomic():
        row = _lock(campaign)
        last = BudgetLine.objects.filter(campaign=row).aggregate(last=Max("position"))["last"]
        line = BudgetLine.objects.create(
            campaign=row,
            label=label,
            position=0 if last is None else last + 1,
            **cost.in_currency(row.currency),
        )
        _audit(row, "budget.line_added", line, actor, now)
    return line


def change_line(*, line: BudgetLine, cost: Cost, label: str, actor: User, now: dt.datetime) -> BudgetLine:
    """Raises CostIncomplete."""
    with transaction.atomic():
        campaign = _lock(line.campaign)
        row = BudgetLine.objects.get(pk=line.pk)
        for name, value in (cost.in_currency(campaign.currency) | {"label": label}).items():
            setattr(row, name, value)
        row.save()
        _audit(campaign, "budget.line_changed", row, actor, now)
    return row


def delete_line(*, line: BudgetLine, actor: User, now: dt.datetime) -> None:
    """What was spent on it stays, without a line."""
    with transaction.atomic():
        campaign = _lock(line.campaign)
        row = BudgetLine.objects.get(pk=line.pk)
        _audit(campaign, "budget.line_deleted", row, actor, now)
        row.delete()


def move_line(*, line: BudgetLine, steps: int) -> None:
    """Up (-1) or down (1) in the plan; at its ends nothing happens."""
    with transaction.atomic():
        campaign = _lock(line.campaign)
        lines = list(BudgetLine.objects.filter(campaign=campaign).order_by("position", "pk"))
        before = next((i for i, one in enumerate(lines) if one.pk == line.pk), None)
        if before is None:
            return
        lines.insert(max(0, min(len(lines) - 1, before + steps)), lines.pop(before))
        for position, one in enumerate(lines):
            one.position = position
        BudgetLine.objects.bulk_update(lines, ["position"])


def _lock(campaign: Campaign) -> Campaign:
    """Lines of one campaign are changed one after the other, or two would get the same position."""
    rows = Campaign.objects.select_for_update(of=("self",)).select_related("brand__organization")
    return rows.get(pk=campaign.pk)


def _audit(campaign: Campaign, action: str, line: BudgetLine, actor: User, now: dt.datetime) -> None:
    record(
        organization=campaign.brand.organization,
        actor=actor,
        action=action,
        subject=campaign,
        detail={
            "kind": line.kind,
            "label": line.label,
            "amount": str(rounded(line.amount, campaign.currency)),
            "currency": campaign.currency,
        },
        now=now,
    )
