"""Campaigns: made, changed, put away and brought back."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts.models import Brand, User
from accounts.services.audit import record
from campaigns.models import BudgetLine, Campaign, CampaignTarget, SpendEntry

CODE_LENGTH = 60


class CodeTaken(Exception):
    """Another campaign of the brand has this code, perhaps an archived one."""


class CurrencyInUse(Exception):
    """Amounts were entered in the campaign's currency: changing it would turn yen into dollars."""


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """What a person enters about a campaign. Dates are days of the brand's zone, both included;
    ``margin_rate`` is a share (0.5 is 50 %) or None; an empty ``code`` is made from the name; ``targets``
    are by key of a metric."""

    name: str
    objective: str
    starts_on: dt.date
    ends_on: dt.date
    currency: str
    code: str = ""
    margin_rate: Decimal | None = None
    notes: str = ""
    targets: Mapping[str, Decimal] = field(default_factory=dict)


def create_campaign(*, brand: Brand, facts: CampaignFacts, actor: User, now: dt.datetime) -> Campaign:
    """Raises CodeTaken when a code was given that another campaign has."""
    with transaction.atomic():
        code = facts.code or free_code(brand=brand, name=facts.name, starts_on=facts.starts_on)
        campaign = Campaign(brand=brand, created_by=actor, created_at=now, **_columns(facts) | {"code": code})
        _save(campaign)
        _set_targets(campaign, facts.targets)
        _audit(campaign, "campaign.created", actor, now)
    return campaign


def change_campaign(*, campaign: Campaign, facts: CampaignFacts, actor: User, now: dt.datetime) -> Campaign:
    """Links that were made keep the code they were made with. Raises CodeTaken, CurrencyInUse."""
    with transaction.atomic():
        row = _lock(campaign)
        code = facts.code or row.code
        if facts.currency != row.currency and has_amounts(row):
            raise CurrencyInUse
        before = {target.metric: target.value for target in row.targets.all()}
        changed: dict[str, list[Any]] = {}
        for name, value in (_columns(facts) | {"code": code}).items():
            if getattr(row, name) != value:
                changed[name] = [str(getattr(row, name)), str(value)]
                setattr(row, name, value)
        if changed:
            _save(row)
        if before != dict(facts.targets):
            changed["targets"] = [_plain(before), _plain(facts.targets)]
            _set_targets(row, facts.targets)
        if changed:
            _audit(row, "campaign.changed", actor, now, changed)
    return row


def has_amounts(campaign: Campaign) -> bool:
    """Whether anything was planned or spent in the campaign's currency."""
    return (
        BudgetLine.objects.filter(campaign=campaign).exists()
        or SpendEntry.objects.filter(campaign=campaign).exists()
    )


def archive_campaign(*, campaign: Campaign, actor: User, now: dt.datetime) -> Campaign:
    """Out of sight, and no longer to be chosen. Its links work on, and its posts keep them."""
    return _set_archived(campaign, at=now, action="campaign.archived", actor=actor, now=now)


def restore_campaign(*, campaign: Campaign, actor: User, now: dt.datetime) -> Campaign:
    return _set_archived(campaign, at=None, action="campaign.restored", actor=actor, now=now)


def _set_archived(
    campaign: Campaign, *, at: dt.datetime | None, action: str, actor: User, now: dt.datetime
) -> Campaign:
    with transaction.atomic():
        row = _lock(campaign)
        if (row.archived_at is None) == (at is None):
            return row
        row.archived_at = at
        row.save(update_fields=["archived_at"])
        _audit(row, action, actor, now)
    return row


def code_from_name(name: str, starts_on: dt.date) -> str:
    """The name as it can stand in an address. A name without Latin letters (春の新作) has nothing of that
    kind: then it is the month in which the campaign starts."""
    slug = slugify(name)[:CODE_LENGTH].strip("-_")
    return slug if re.search(r"[a-z]", slug) else f"campaign-{starts_on:%Y-%m}"


def free_code(*, brand: Brand, name: str, starts_on: dt.date) -> str:
    """A code of the name that no campaign of the brand has: ``summer``, ``summer-2`` ..."""
    code = code_from_name(name, starts_on)
    taken = set(
        Campaign.objects.filter(brand=brand, code__startswith=code[: CODE_LENGTH - 5]).values_list(
            "code", flat=True
        )
    )
    number = 2
    free = code
    while free in taken:
        free = f"{code[: CODE_LENGTH - 5]}-{number}"
        number += 1
    return free


def _columns(facts: CampaignFacts) -> dict[str, Any]:
    columns = asdict(facts)
    del columns["targets"]
    return columns


def _lock(campaign: Campaign) -> Campaign:
    rows = Campaign.objects.select_for_update(of=("self",)).select_related("brand__organization")
    return rows.get(pk=campaign.pk)


def _save(campaign: Campaign) -> None:
    try:
        with transaction.atomic():
            campaign.save()
    except IntegrityError as error:
        if "campaign_code_once_per_brand" in str(error):
            raise CodeTaken from None
        raise


def _set_targets(campaign: Campaign, targets: Mapping[str, Decimal]) -> None:
    CampaignTarget.objects.filter(campaign=campaign).delete()
    CampaignTarget.objects.bulk_create(
        CampaignTarget(campaign=campaign, metric=metric, value=value) for metric, value in targets.items()
    )


def _plain(targets: Mapping[str, Decimal]) -> dict[str, str]:
    return {metric: f"{value.normalize():f}" for metric, value in targets.items()}


def _audit(
    campaign: Campaign, action: str, actor: User, now: dt.datetime, detail: dict[str, Any] | None = None
) -> None:
    record(
        organization=campaign.brand.organization,
        actor=actor,
        action=action,
        subject=campaign,
        detail=detail,
        now=now,
    )
