"""The shape of what is asked of many posts at once."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import SocialAccount
from campaigns.models import Campaign
from content_calendar.models import BulkKind, Label
from content_calendar.planning_forms import DateField
from content_calendar.services.changes import Edit, Move, Plain, Replace, Wish
from outbox.missed import CHOICES, GROUPS, choice_words

KEEP = "keep"


class MoveManyForm(forms.Form):
    days = forms.IntegerField(label=gettext_lazy("Days later"), required=False, min_value=-366, max_value=366)
    hours = forms.IntegerField(
        label=gettext_lazy("Hours later"), required=False, min_value=-100, max_value=100
    )
    date = DateField(label=gettext_lazy("To this day"), required=False)
    time = forms.TimeField(
        label=gettext_lazy("At this time of day"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time", "step": "60"}, format="%H:%M"),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors and not any(
            value is not None and value != 0 for value in (given.get(name) for name in self.fields)
        ):
            raise forms.ValidationError(_("Say by how much, to which day, or at which time."))
        return given

    def wish(self) -> Wish:
        given = self.cleaned_data
        return Move(
            days=given["days"] or 0,
            minutes=60 * (given["hours"] or 0),
            date=given["date"],
            time=given["time"],
        )


class EditManyForm(forms.Form):
    """``campaigns``, ``labels`` and ``accounts``: what can be chosen; none where posts of several brands are
    edited."""

    campaign = forms.ChoiceField(label=gettext_lazy("Campaign"), required=False, initial=KEEP)
    add_labels = forms.MultipleChoiceField(
        label=gettext_lazy("Add labels"), required=False, widget=forms.CheckboxSelectMultiple()
    )
    remove_labels = forms.MultipleChoiceField(
        label=gettext_lazy("Take off labels"), required=False, widget=forms.CheckboxSelectMultiple()
    )
    add_accounts = forms.MultipleChoiceField(
        label=gettext_lazy("Also publish on"), required=False, widget=forms.CheckboxSelectMultiple()
    )
    remove_accounts = forms.MultipleChoiceField(
        label=gettext_lazy("Do not publish on"), required=False, widget=forms.CheckboxSelectMultiple()
    )
    late = forms.ChoiceField(label=gettext_lazy("If it cannot go out on time"), required=False, initial=KEEP)

    def __init__(
        self,
        *args: Any,
        campaigns: Sequence[Campaign],
        labels: Sequence[Label],
        accounts: Sequence[SocialAccount],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._offer(
            "campaign",
            [
                (KEEP, _("As it is")),
                ("", _("No campaign")),
                *((str(one.pk), one.name) for one in campaigns),
            ]
            if campaigns
            else [],
        )
        for name in ("add_labels", "remove_labels"):
            self._offer(name, [(str(one.pk), one.name) for one in labels])
        for name in ("add_accounts", "remove_accounts"):
            self._offer(name, [(str(one.pk), f"{one.handle} · {one.info.name}") for one in accounts])
        rules = [
            (
                str(words),
                [(rule.key, choice_words(rule)) for rule in CHOICES.values() if rule.policy is policy],
            )
            for policy, words in GROUPS.items()
        ]
        self._offer("late", [(KEEP, _("As it is")), ("", _("What the brand does")), *rules])

    def _offer(self, name: str, offered: list[Any]) -> None:
        if offered:
            self.fields[name].choices = offered  # type: ignore[attr-defined]
        else:
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors and self._edit(given).is_empty:
            raise forms.ValidationError(_("Choose what to change."))
        return given

    def _edit(self, given: dict[str, Any]) -> Edit:
        def ids(name: str) -> tuple[uuid.UUID, ...]:
            return tuple(uuid.UUID(pk) for pk in given.get(name) or ())

        # A field that was not sent at all changes nothing.
        campaign = given.get("campaign", KEEP) if "campaign" in self.data else KEEP
        late = given.get("late", KEEP) if "late" in self.data else KEEP
        return Edit(
            sets_campaign=campaign != KEEP,
            campaign=uuid.UUID(campaign) if campaign not in (KEEP, "") else None,
            add_labels=ids("add_labels"),
            remove_labels=ids("remove_labels"),
            add_accounts=ids("add_accounts"),
            remove_accounts=ids("remove_accounts"),
            sets_missed=late != KEEP,
            missed=CHOICES[late] if late not in (KEEP, "") else None,
        )

    def wish(self) -> Wish:
        return self._edit(self.cleaned_data)


class ReplaceForm(forms.Form):
    find = forms.CharField(label=gettext_lazy("Find"), max_length=500, strip=False)
    by = forms.CharField(
        label=gettext_lazy("Replace with"),
        max_length=2000,
        required=False,
        strip=False,
        help_text=gettext_lazy("Empty: what was found is taken out."),
    )
    matches_case = forms.BooleanField(label=gettext_lazy("Match case"), required=False)

    def wish(self) -> Wish:
        given = self.cleaned_data
        return Replace(find=given["find"], by=given["by"], matches_case=given["matches_case"])


class PlainForm(forms.Form):
    """What needs no more words than its name."""

    def __init__(self, *args: Any, kind: BulkKind, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kind = kind

    def wish(self) -> Wish:
        return Plain(self._kind)


BulkForm = MoveManyForm | EditManyForm | ReplaceForm | PlainForm
