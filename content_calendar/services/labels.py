"""Labels of a brand: made, renamed, recoloured, deleted."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction

from accounts.models import Brand
from content_calendar.models import Label, LabelTone

MOST_LABELS = 200  # of one brand: what a list to choose from holds


class LabelNameTaken(Exception):
    """The brand has a label of this name already, in whichever case."""


class TooManyLabels(Exception):
    """No list to choose from would hold another one."""


def add_label(*, brand: Brand, name: str, tone: LabelTone, now: dt.datetime) -> Label:
    """Raises LabelNameTaken, TooManyLabels."""
    if Label.objects.for_brand(brand).count() >= MOST_LABELS:
        raise TooManyLabels
    label = Label(brand=brand, name=name, tone=tone, created_at=now)
    _save(label)
    return label


def label_named(*, brand: Brand, name: str, now: dt.datetime) -> Label:
    """The label of this name, made if there is none. Raises TooManyLabels."""
    found = Label.objects.for_brand(brand).filter(name__iexact=name).first()
    if found is not None:
        return found
    try:
        tones = list(LabelTone)
        tone = tones[Label.objects.for_brand(brand).count() % len(tones)]
        return add_label(brand=brand, name=name, tone=tone, now=now)
    except LabelNameTaken:  # by somebody at the same moment
        return Label.objects.for_brand(brand).get(name__iexact=name)


def change_label(*, label: Label, name: str, tone: LabelTone) -> None:
    """Raises LabelNameTaken."""
    label.name, label.tone = name, tone
    _save(label)


def remove_label(*, label: Label) -> None:
    """Posts that carry it lose it and nothing else."""
    label.delete()


def _save(label: Label) -> None:
    try:
        with transaction.atomic():
            label.save()
    except IntegrityError as error:
        if "label_name_once_per_brand" in str(error):
            raise LabelNameTaken from None
        raise
