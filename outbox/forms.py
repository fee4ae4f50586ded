from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.time import to_local
from core.wall_time import wall_time
from outbox.missed import CHOICES, GROUPS, MissedRule, choice_words, rule_of
from outbox.models import QuietAfter, QuietPeriod


class PauseForm(forms.Form):
    """Why sending stops; shown to everybody who wonders."""

    reason = forms.CharField(label=_("Reason"), max_length=255, required=False)


class LateForm(forms.Form):
    """What a brand does with posts that could not go out on time."""

    late = forms.ChoiceField(label=_("Posts that cannot go out on time"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["late"].choices = [  # type: ignore[attr-defined]
            (words, [(key, choice_words(rule)) for key, rule in CHOICES.items() if rule.policy is policy])
            for policy, words in GROUPS.items()
        ]

    def rule(self) -> MissedRule:
        rule = rule_of(self.cleaned_data["late"])
        assert rule is not None  # noqa: S101 - it is one of the choices
        return rule


class QuietForm(forms.Form):
    """A quiet period; both ends are wall times of the brand's zone and become instants."""

    starts = forms.CharField(label=pgettext_lazy("time", "From"))
    ends = forms.CharField(label=pgettext_lazy("time", "Until"))
    after = forms.ChoiceField(
        label=_("Posts that fall due in it"),
        choices=QuietAfter,
        widget=forms.RadioSelect,
        initial=QuietAfter.SEND,
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=255,
        required=False,
        help_text=_("Shown in the calendar and the composer."),
    )

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        for name in ("starts", "ends"):
            self.fields[name].widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "60"})

    @staticmethod
    def initial_of(period: QuietPeriod) -> dict[str, Any]:
        zone = period.brand.timezone
        return {
            "starts": to_local(period.starts_at, zone).strftime("%Y-%m-%dT%H:%M"),
            "ends": to_local(period.ends_at, zone).strftime("%Y-%m-%dT%H:%M"),
            "after": period.after,
            "note": period.note,
        }

    def clean_starts(self) -> dt.datetime:
        return wall_time(self.cleaned_data["starts"], self.zone)

    def clean_ends(self) -> dt.datetime:
        return wall_time(self.cleaned_data["ends"], self.zone)

    def period(self) -> dict[str, Any]:
        """What the services take."""
        return {
            "starts_at": self.cleaned_data["starts"],
            "ends_at": self.cleaned_data["ends"],
            "after": QuietAfter(self.cleaned_data["after"]),
            "note": self.cleaned_data["note"].strip(),
        }
