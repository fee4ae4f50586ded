"""Forms of what repeats: slots of the week, the rule of a series, evergreen pools and their texts."""

from __future__ import annotations

import calendar
import datetime as dt
import re
import unicodedata
import uuid
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.functional import lazystr
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import SocialAccount
from content_calendar.content import MOST_TEXT
from content_calendar.models import EvergreenPool, Series
from content_calendar.recurrence import (
    LONGEST_TEXT,
    Rule,
    RuleEmpty,
    RuleEndless,
    RuleTooLong,
    RuleTooOften,
    RuleUnreadable,
    dates_of,
    read_rule,
)
from content_calendar.recurrence import (
    WEEKDAYS as CODES,
)
from content_calendar.selectors.series import nth_words
from content_calendar.services.evergreen import MOST_TEXTS, MOST_TIMES, PoolFacts
from content_calendar.weekly import WeekTime


class AccountsField(forms.ModelMultipleChoiceField):
    """Accounts to tick, each with its network: the same name may be taken on several."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj} · {obj.info.name}"


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M", attrs={"step": "60"})


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def _weekday_choices() -> list[tuple[str, Any]]:
    return [(str(number), WEEKDAYS[number]) for number in range(7)]


class SlotsForm(forms.Form):
    """A time on one or several weekdays."""

    time = forms.TimeField(label=gettext_lazy("Time"), widget=TimeInput())
    weekdays = forms.MultipleChoiceField(
        label=gettext_lazy("On"), choices=_weekday_choices, widget=forms.CheckboxSelectMultiple
    )

    def slots(self) -> dict[str, Any]:
        time: dt.time = self.cleaned_data["time"]
        return {
            "time": time.replace(second=0, microsecond=0),
            "weekdays": [int(day) for day in self.cleaned_data["weekdays"]],
        }


class CopySlotsForm(forms.Form):
    """The account whose slots are taken."""

    source = forms.ModelChoiceField(
        label=gettext_lazy("Take the slots of"), queryset=SocialAccount.objects.none(), empty_label=None
    )

    def __init__(self, *args: Any, accounts: QuerySet[SocialAccount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].queryset = accounts  # type: ignore[attr-defined]


# --- series -----------------------------------------------------------------------------------

RULE_WORDS = {
    RuleUnreadable: gettext_lazy(
        "This is not a rule that can be read. Write one line, for example FREQ=WEEKLY;BYDAY=MO,TH;COUNT=10."
    ),
    RuleTooOften: gettext_lazy(
        "A series posts once a day at most. Leave out hours and minutes; the time has a field of its own."
    ),
    RuleEndless: gettext_lazy(
        "This rule has no end. Add a last day (UNTIL) or a number of posts (COUNT): a series runs for two "
        "years or 500 posts at most."
    ),
    RuleTooLong: gettext_lazy(
        "A series runs for two years or 500 posts at most. Choose an earlier last day, or fewer posts."
    ),
    RuleEmpty: gettext_lazy("There is not a single day on which this would post. Look at the days again."),
}
UNITS = (
    ("DAILY", pgettext_lazy("every N", "days")),
    ("WEEKLY", pgettext_lazy("every N", "weeks")),
    ("MONTHLY", pgettext_lazy("every N", "months")),
)
BY_DAY, BY_LAST, BY_WEEKDAY = "day", "last", "weekday"


def _nth_choices() -> list[tuple[str, str]]:
    return list(nth_words().items())


class SeriesForm(forms.Form):
    """A rule as people say it, or as programs write it. ``rule`` is its result."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=80, help_text=gettext_lazy("For you and your colleagues only.")
    )
    starts_on = forms.DateField(label=gettext_lazy("First day"), widget=DateInput())
    wall_time = forms.TimeField(label=gettext_lazy("Time"), widget=TimeInput())
    every = forms.IntegerField(
        label=pgettext_lazy("every N weeks", "Every"), min_value=1, max_value=99, initial=1
    )
    unit = forms.ChoiceField(label=gettext_lazy("Unit"), choices=UNITS, initial="WEEKLY")
    weekdays = forms.MultipleChoiceField(
        label=gettext_lazy("On these weekdays"),
        choices=_weekday_choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one weekday.")},
    )
    monthly = forms.ChoiceField(
        label=gettext_lazy("On which day of the month"),
        choices=[
            (BY_DAY, gettext_lazy("on the day of the month")),
            (BY_LAST, gettext_lazy("on the last day")),
            (BY_WEEKDAY, gettext_lazy("on a weekday")),
        ],
        initial=BY_DAY,
    )
    month_day = forms.IntegerField(
        label=gettext_lazy("Day of the month"),
        min_value=1,
        max_value=31,
        error_messages={"required": gettext_lazy("Choose the day of the month.")},
        help_text=gettext_lazy("Months without this day are left out."),
    )
    nth = forms.ChoiceField(label=gettext_lazy("Which one"), choices=_nth_choices)
    nth_weekday = forms.ChoiceField(label=gettext_lazy("Weekday"), choices=_weekday_choices)
    until = forms.DateField(label=pgettext_lazy("date", "Last day"), widget=DateInput(), required=False)
    count = forms.IntegerField(label=gettext_lazy("Number of posts"), min_value=1, required=False)
    raw = forms.CharField(
        label=gettext_lazy("Rule (RRULE)"),
        required=False,
        max_length=LONGEST_TEXT,
        help_text=gettext_lazy(
            "As other calendars write it, on one line. It takes the place of what is chosen above."
        ),
    )

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        for name in self._unasked():
            self.fields[name].required = False

    def _unasked(self) -> set[str]:
        """What was sent, but stands hidden on the page: the chosen unit does not ask for it."""
        if not self.is_bound:
            return set()
        unit, monthly = self.data.get("unit"), self.data.get("monthly")
        hidden = {"weekdays", "monthly", "month_day", "nth", "nth_weekday"}
        if self.data.get("raw"):
            return hidden | {"every", "unit", "until", "count"}
        if unit == "WEEKLY":
            hidden -= {"weekdays"}
        if unit == "MONTHLY":
            hidden -= {"monthly"}
            hidden -= {"month_day"} if monthly == BY_DAY else set()
            hidden -= {"nth", "nth_weekday"} if monthly == BY_WEEKDAY else set()
        return hidden

    def clean_wall_time(self) -> dt.time:
        time: dt.time = self.cleaned_data["wall_time"]
        return time.replace(second=0, microsecond=0)

    def clean_starts_on(self) -> dt.date:
        date: dt.date = self.cleaned_data["starts_on"]
        if not 2000 <= date.year <= 2100:
            raise forms.ValidationError(_("Enter a date and a time."))
        return date

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        for name in self._unasked() & self.errors.keys():
            del self.errors[name]
        is_raw = bool(values.get("raw"))
        if not is_raw and not self.errors.keys() & {"until", "count"}:
            self._check_end(values)
        if not self.errors:
            field = "raw" if is_raw else "count" if values.get("count") else "until"
            self._read(values["raw"] if is_raw else self._written(values), field)
        return values

    def _check_end(self, values: dict[str, Any]) -> None:
        if not values.get("until") and not values.get("count"):
            self.add_error(
                "until",
                _(
                    "Say when the series ends: a last day, or a number of posts. It runs for two years or "
                    "500 posts at most."
                ),
            )
        elif values.get("until") and values.get("count"):
            self.add_error("count", _("Choose either a last day or a number of posts."))

    def _written(self, values: dict[str, Any]) -> str:
        parts = [f"FREQ={values['unit']}"]
        if values["every"] > 1:
            parts.append(f"INTERVAL={values['every']}")
        if values["unit"] == "WEEKLY":
            parts.append("BYDAY=" + ",".join(CODES[int(day)] for day in sorted(values["weekdays"])))
        if values["unit"] == "MONTHLY":
            if values["monthly"] == BY_WEEKDAY:
                parts.append(f"BYDAY={values['nth'] or '1'}{CODES[int(values['nth_weekday'] or 0)]}")
            else:
                is_last = values["monthly"] == BY_LAST
                parts.append(f"BYMONTHDAY={-1 if is_last else values['month_day']}")
        if values.get("until"):
            parts.append(f"UNTIL={values['until']:%Y%m%d}")
        else:
            parts.append(f"COUNT={values['count']}")
        return ";".join(parts)

    def _read(self, text: str, field: str) -> None:
        try:
            rule = read_rule(text, self.zone)
            dates_of(rule, self.cleaned_data["starts_on"])
        except tuple(RULE_WORDS) as refusal:
            self.add_error(field, RULE_WORDS[type(refusal)])
        else:
            self.cleaned_data["rule"] = rule

    def series(self) -> dict[str, Any]:
        """What the services take."""
        return {name: self.cleaned_data[name] for name in ("name", "rule", "starts_on", "wall_time")}

    @staticmethod
    def initial_of(series: Series, rule: Rule) -> dict[str, Any]:
        """The fields that say the rule of a series; one that they cannot say stands in ``raw``."""
        found: dict[str, Any] = {
            "name": series.name,
            "starts_on": series.starts_on,
            "wall_time": series.wall_time,
            "unit": rule.get("FREQ"),
            "every": int(rule.get("INTERVAL") or 1),
            "until": rule.until,
            "count": rule.count,
        }
        more = {name for name, _value in rule.parts} - {"FREQ", "INTERVAL", "UNTIL", "COUNT"}
        days = rule.get("BYDAY").split(",") if rule.get("BYDAY") else []
        if found["unit"] == "DAILY" and not more:
            return found
        if found["unit"] == "WEEKLY" and more == {"BYDAY"} and set(days) <= set(CODES):
            return found | {"weekdays": [str(CODES.index(day)) for day in days]}
        if found["unit"] == "MONTHLY" and more == {"BYMONTHDAY"}:
            value = rule.get("BYMONTHDAY")
            if value == "-1":
                return found | {"monthly": BY_LAST}
            if re.fullmatch("[1-9][0-9]?", value):
                return found | {"monthly": BY_DAY, "month_day": int(value)}
        nth = re.fullmatch(r"(-1|[1-5])([A-Z]{2})", rule.get("BYDAY"))
        if found["unit"] == "MONTHLY" and more == {"BYDAY"} and nth:
            return found | {"monthly": BY_WEEKDAY, "nth": nth[1], "nth_weekday": str(CODES.index(nth[2]))}
        return {name: found[name] for name in ("name", "starts_on", "wall_time")} | {"raw": str(rule)}


class NewSeriesForm(SeriesForm):
    """A series with its content, where it is not made from a post."""

    text = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=MOST_TEXT,
        widget=forms.Textarea(attrs={"rows": 5, "data-autogrow": True}),
        help_text=gettext_lazy("Images and versions for single accounts come afterwards, in the composer."),
    )
    accounts = AccountsField(
        label=gettext_lazy("Accounts"),
        queryset=SocialAccount.objects.none(),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, accounts: QuerySet[SocialAccount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["accounts"].queryset = accounts  # type: ignore[attr-defined]

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        return text.replace("\r\n", "\n")


# --- evergreen --------------------------------------------------------------------------------

_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")


def times_of_day(text: str) -> set[dt.time]:
    """``9:00, 17:30`` as times; also with Japanese commas and full-width digits. Raises ValidationError."""
    given = unicodedata.normalize("NFKC", text)
    found = set()
    for piece in filter(None, re.split(r"[\s,;、]+", given)):
        match = _TIME.fullmatch(piece)
        if match is None or int(match[1]) > 23 or int(match[2]) > 59:
            raise forms.ValidationError(
                _("“%(piece)s” is not a time. Write times like 09:00, 17:30.") % {"piece": piece[:20]}
            )
        found.add(dt.time(int(match[1]), int(match[2])))
    return found


def _month_choices() -> list[tuple[str, Any]]:
    return [("", "–"), *((str(number), MONTHS[number]) for number in range(1, 13))]


class PoolForm(forms.Form):
    """An evergreen pool. Times stand in one field for each weekday."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    accounts = AccountsField(
        label=gettext_lazy("Accounts"),
        queryset=SocialAccount.objects.none(),
        widget=forms.CheckboxSelectMultiple,
    )
    uses_slots = forms.BooleanField(
        label=gettext_lazy("Use the slots of the accounts' queues"),
        required=False,
        help_text=gettext_lazy(
            "It fills the slots that are still free two days before, instead of times of its own. Paused "
            "queues stay empty."
        ),
    )
    cool_down_days = forms.IntegerField(
        label=gettext_lazy("Cool-down in days"),
        min_value=0,
        max_value=730,
        initial=30,
        help_text=gettext_lazy("So many days lie at least between two posts of one entry."),
    )
    first_month = forms.ChoiceField(label=gettext_lazy("First month"), choices=_month_choices, required=False)
    first_day = forms.IntegerField(label=gettext_lazy("First day"), min_value=1, max_value=31, required=False)
    last_month = forms.ChoiceField(label=gettext_lazy("Last month"), choices=_month_choices, required=False)
    last_day = forms.IntegerField(
        label=pgettext_lazy("date", "Last day"), min_value=1, max_value=31, required=False
    )
    ends_on = forms.DateField(label=gettext_lazy("The pool ends on"), widget=DateInput(), required=False)
    most_uses = forms.IntegerField(
        label=gettext_lazy("Ends after so many posts"), min_value=1, max_value=100_000, required=False
    )

    def __init__(self, *args: Any, accounts: QuerySet[SocialAccount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["accounts"].queryset = accounts  # type: ignore[attr-defined]
        for number in range(7):
            self.fields[f"times_{number}"] = forms.CharField(
                label=lazystr(WEEKDAYS[number]), required=False, max_length=300
            )

    def times(self) -> list[forms.BoundField]:
        """The fields of the week, for the template."""
        return [self[f"times_{number}"] for number in range(7)]

    def season(self) -> list[forms.BoundField]:
        """The fields of the season, for the template."""
        return [self[name] for name in ("first_month", "first_day", "last_month", "last_day")]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        week: set[WeekTime] = set()
        for number in range(7):
            try:
                times = times_of_day(values.get(f"times_{number}", ""))
            except forms.ValidationError as refusal:
                self.add_error(f"times_{number}", refusal)
            else:
                week |= {WeekTime(number, time) for time in times}
        is_own = not values.get("uses_slots")
        if is_own and not week and not any(f"times_{number}" in self.errors for number in range(7)):
            self.add_error("times_0", _("Write at least one time, on any weekday."))
        if len(week) > MOST_TIMES:
            self.add_error("times_0", _("A pool has at most %(most)s times a week.") % {"most": MOST_TIMES})
        values["times"] = frozenset(week)
        values["season"] = self._season(values)
        return values

    def _season(self, values: dict[str, Any]) -> tuple[str, str] | None:
        given = [values.get(name) for name in ("first_month", "first_day", "last_month", "last_day")]
        if not any(given):
            return None
        if not all(given):
            self.add_error("first_month", _("A season needs its first and its last day."))
            return None
        first_month, first_day, last_month, last_day = (int(value) for value in given if value)
        for field, month, day in (
            ("first_day", first_month, first_day),
            ("last_day", last_month, last_day),
        ):
            if day > calendar.monthrange(2024, month)[1]:  # a leap year
                self.add_error(field, _("This month has no such day."))
        return f"{first_month:02}-{first_day:02}", f"{last_month:02}-{last_day:02}"

    def facts(self) -> PoolFacts:
        values = self.cleaned_data
        return PoolFacts(
            name=values["name"],
            accounts=tuple(account.pk for account in values["accounts"]),
            times=values["times"],
            cool_down_days=values["cool_down_days"],
            season=values["season"],
            ends_on=values["ends_on"],
            most_uses=values["most_uses"],
            uses_slots=values["uses_slots"],
        )

    @staticmethod
    def initial_of(pool: EvergreenPool) -> dict[str, Any]:
        season = pool.season
        times: dict[str, list[str]] = {}
        for one in pool.times.order_by("weekday", "wall_time"):
            times.setdefault(f"times_{one.weekday}", []).append(f"{one.wall_time:%H:%M}")
        return {
            "name": pool.name,
            "accounts": list(pool.accounts.values_list("pk", flat=True)),
            "uses_slots": pool.uses_slots,
            "cool_down_days": pool.cool_down_days,
            "first_month": str(season.first[0]) if season else "",
            "first_day": season.first[1] if season else None,
            "last_month": str(season.last[0]) if season else "",
            "last_day": season.last[1] if season else None,
            "ends_on": pool.ends_on,
            "most_uses": pool.most_uses,
            **{name: ", ".join(found) for name, found in times.items()},
        }


def entry_texts(query: QueryDict) -> list[str]:
    """The texts of an entry, in their order, each once; empty fields are none."""
    given = (text.replace("\r\n", "\n").replace("\x00", "")[:MOST_TEXT] for text in query.getlist("text"))
    return list(dict.fromkeys(text for text in given if text.strip()))[:MOST_TEXTS]


def given_uuid(value: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(value)
    except ValueError:
        return None
