"""Filters that members keep."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from accounts.models import Membership
from content_calendar.models import SavedFilter

MOST_FILTERS = 50  # of one member


class FilterNameTaken(Exception):
    """The member has a filter of this name already."""


class TooManyFilters(Exception):
    """Nobody finds one among more than that."""


@dataclass(frozen=True, slots=True)
class FilterFacts:
    """``query`` as forms.filter_query writes it."""

    name: str
    query: str
    is_shared: bool = False
    is_default: bool = False


def add_filter(*, membership: Membership, facts: FilterFacts, now: dt.datetime) -> SavedFilter:
    """Raises FilterNameTaken, TooManyFilters."""
    if membership.saved_filters.count() >= MOST_FILTERS:
        raise TooManyFilters
    kept = SavedFilter(membership=membership, created_at=now)
    _write(kept, facts)
    return kept


def change_filter(*, kept: SavedFilter, facts: FilterFacts) -> None:
    """Raises FilterNameTaken."""
    _write(kept, facts)


def remove_filter(*, kept: SavedFilter) -> None:
    kept.delete()


def _write(kept: SavedFilter, facts: FilterFacts) -> None:
    """A member has one default: a new one takes the place of the old."""
    kept.name, kept.query = facts.name, facts.query
    kept.is_shared, kept.is_default = facts.is_shared, facts.is_default
    try:
        with transaction.atomic():
            if facts.is_default:
                SavedFilter.objects.filter(membership_id=kept.membership_id, is_default=True).exclude(
                    pk=kept.pk
                ).update(is_default=False)
            kept.save()
    except IntegrityError as error:
        if "saved_filter_name_once_per_member" in str(error):
            raise FilterNameTaken from None
        raise
