"""Times as browsers send them, entered in a named zone."""

from __future__ import annotations

import datetime as dt
import re

from django import forms
from django.utils.translation import gettext as _

from core.entering import EARLIEST_YEAR, LATEST_YEAR
from core.time import LocalTimeMissing, to_utc

WALL_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?")


def wall_time(value: str, zone: str) -> dt.datetime:
    """UTC instant of ``YYYY-MM-DDTHH:MM`` in ``zone``. Raises forms.ValidationError with a sentence."""
    try:
        if not WALL_TIME.fullmatch(value):
            raise ValueError(value)
        wall = dt.datetime.fromisoformat(value)
        # A slip of the finger; and near the ends of the calendar other zones have no such day.
        if not EARLIEST_YEAR <= wall.year <= LATEST_YEAR:
            raise ValueError(value)
        return to_utc(wall, zone)
    except LocalTimeMissing as gap:
        raise forms.ValidationError(
            _(
                "The clocks are put forward then, so %(time)s does not exist on that day in %(zone)s. "
                "The next possible time is %(next)s."
            )
            % {"time": wall.strftime("%H:%M"), "zone": zone, "next": gap.next_valid.strftime("%H:%M")}
        ) from gap
    except (ValueError, OverflowError) as error:
        raise forms.ValidationError(_("Enter a date and a time.")) from error
