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
from outbox.services.backlog import Decision
from outbox.spreading import Spread


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


class ResumeForm(forms.Form):
    """What becomes of the posts that fell due during a pause."""

    overdue = forms.ChoiceField(
        label=_("What becomes of the overdue posts?"),
        choices=[
            ("each", _("Decide on each of them, or spread them: they stay held until then")),
            (Decision.SEND.value, _("Send all of them now")),
            (Decision.SKIP.value, _("Skip all of them; each can still be sent from its page")),
        ],
        widget=forms.RadioSelect,
        initial="each",
    )

    def decision(self) -> Decision | None:
        chosen = self.cleaned_data["overdue"]
        return None if chosen == "each" else Decision(chosen)


class SpreadForm(forms.Form):
    """How a backlog is spread; ``start`` is that of the preview that somebody said yes to."""

    every = forms.IntegerField(
        label=_("Minutes between two posts of an account"),
        min_value=1,
        max_value=720,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    first = forms.TimeField(
        label=pgettext_lazy("time", "From"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    last = forms.TimeField(
        label=pgettext_lazy("time", "Until"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    start = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean_start(self) -> dt.datetime | None:
        value = self.cleaned_data["start"]
        if not value:
            return None
        try:
            start = dt.datetime.fromisoformat(value)
        except ValueError:
            raise forms.ValidationError(_("This is not a time.")) from None
        if start.tzinfo is None:
            raise forms.ValidationError(_("This is not a time."))
        return start

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("first") and given.get("last") and given["last"] <= given["first"]:
            self.add_error("last", _("The end must come after the beginning."))
        return given

    def spread(self) -> Spread:
        given = self.cleaned_data
        return Spread(given["every"], given["first"], given["last"])
