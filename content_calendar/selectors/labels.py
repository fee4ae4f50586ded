"""Where a label is named besides on posts."""

from __future__ import annotations

from django.db.models import Q

from content_calendar.models import (
    BulkChange,
    CalendarFeed,
    EvergreenEntry,
    Label,
    SavedFilter,
    Series,
    Template,
)


def is_named(label: Label) -> bool:
    """By a template, a series, an evergreen entry, a saved filter, a subscription, or by what a change of
    many posts would bring back."""
    pk = str(label.pk)
    kept = Q(content__labels__contains=[pk])
    return (
        Template.objects.filter(labels=label).exists()
        or Series.objects.filter(kept, brand=label.brand_id).exists()
        or EvergreenEntry.objects.filter(kept, pool__brand=label.brand_id).exists()
        or SavedFilter.objects.filter(query__contains=pk).exists()
        or CalendarFeed.objects.filter(query__contains=pk).exists()
        or BulkChange.objects.filter(post__brand=label.brand_id, before__labels__contains=[pk]).exists()
    )
