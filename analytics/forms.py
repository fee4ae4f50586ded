"""The shape of what people enter about goals, and about accounts of others.

Rates are typed in per cent, durations in minutes, money as its currency has it; what leaves here is in the
units of metrics/: fractions, seconds, amounts.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.metric_wording import layer_words, metric_label
from accounts.models import Brand, Membership, SocialAccount, User
from accounts.permissions import Action, is_allowed
from accounts.selectors import people_allowed
from analytics.models import Checkin, DriverLink, Evidence, Goal, GoalKind
from analytics.selectors.goals import metrics_for_goals
from analytics.selectors.subjects import label_of_network
from analytics.services.goals import NewGoal
from analytics.wording import kind_of_number
from campaigns.models import Campaign
from core.entering import EARLIEST_YEAR, LATEST_YEAR
from metrics import goals as mathematics
from metrics.registry import Metric, Side, Unit, metric

WHOLE_BRAND = "brand"
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_MOST = Decimal(10) ** 12


def entered_number(text: str) -> Decimal:
    """A number as people write it: 1000, 1,000, 12.5, +15, １５％. Raises forms.ValidationError."""
    plain = unicodedata.normalize("NFKC", text).strip().removesuffix("%").replace("−", "-").replace(" ", "")
    plain = plain.lstrip("¥$€£")
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    if not re.fullmatch(r"[+-]?\d+(\.\d{1,8})?", plain):
        raise forms.ValidationError(_("Enter a number, such as 1000 or 12.5."))
    number = Decimal(plain)
    if abs(number) >= _MOST:
        raise forms.ValidationError(_("This number is too large."))
    return number


class NumberField(forms.CharField):
    def __init__(self, **given: Any) -> None:
        super().__init__(
            max_length=40,
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            **given,
        )

    def clean(self, value: Any) -> Decimal | None:
        typed = super().clean(value)
        return entered_number(typed) if typed else None


class DayField(forms.DateField):
    """A date that is near enough to be counted with."""

    def clean(self, value: Any) -> Any:
        day = super().clean(value)
        if day is not None and not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
            raise forms.ValidationError(_("This year is too far away."))
        return day


def _date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def in_registry_unit(typed: Decimal, definition: Metric) -> Decimal:
    """Per cent as a fraction, minutes as seconds."""
    if definition.unit is Unit.PERCENT:
        return typed / 100
    return typed * 60 if definition.unit is Unit.DURATION else typed


def as_typed(value: Decimal, definition: Metric) -> str:
    """The other way round, without zeros at the end."""
    if definition.unit is Unit.PERCENT:
        value *= 100
    elif definition.unit is Unit.DURATION:
        value /= 60
    return f"{value.normalize():f}"


class GoalForm(forms.Form):
    """A new goal of one brand."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=160,
        help_text=gettext_lazy("As your colleagues call it: “1,000 more followers by June”."),
    )
    metric = forms.ChoiceField(label=gettext_lazy("What is counted"))
    of = forms.ChoiceField(label=gettext_lazy("Of what"))
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind of goal"), choices=GoalKind.choices, widget=forms.RadioSelect
    )
    amount = NumberField(label=gettext_lazy("How much"))
    starts_on = DayField(label=gettext_lazy("First day"), widget=_date_input())
    ends_on = DayField(label=pgettext_lazy("date", "Last day"), widget=_date_input())
    owner = forms.ModelChoiceField(
        label=gettext_lazy("Responsible"),
        queryset=User.objects.none(),
        required=False,
        empty_label=gettext_lazy("Nobody"),
        help_text=gettext_lazy("Is told when the goal falls off track."),
    )
    baseline = NumberField(
        label=gettext_lazy("Baseline by hand"),
        required=False,
        help_text=gettext_lazy("Only if it should not be taken from what was counted. It is never changed."),
    )
    baseline_reason = forms.CharField(label=gettext_lazy("Where it is from"), max_length=255, required=False)

    def __init__(
        self,
        *args: Any,
        brand: Brand,
        membership: Membership,
        needs_name: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.brand = brand
        self.fields["name"].required = needs_name
        sees_money = is_allowed(membership.role, Action.VIEW_CAMPAIGNS)
        self._choose("metric", _metric_choices(metrics_for_goals(sees_money=sees_money)))
        self._choose("of", _subject_choices(brand))
        self.fields["owner"].queryset = people_allowed(brand=brand, action=Action.VIEW).order_by(  # type: ignore[attr-defined]
            "name", "email"
        )

    def _choose(self, name: str, choices: Any) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    @property
    def definition(self) -> Metric:
        return metric(self.cleaned_data["metric"])

    def clean_kind(self) -> mathematics.GoalKind:
        return mathematics.GoalKind(self.cleaned_data["kind"])

    def new_goal(self) -> NewGoal:
        given, definition = self.cleaned_data, self.definition
        is_percent = given["kind"] is mathematics.GoalKind.PERCENT_CHANGE
        baseline = given["baseline"]
        account, platform, campaign = self._subject()
        return NewGoal(
            name=given["name"],
            kind=given["kind"],
            metric=definition.key,
            starts_on=given["starts_on"],
            ends_on=given["ends_on"],
            amount=given["amount"] if is_percent else in_registry_unit(given["amount"], definition),
            account=account,
            platform=platform,
            campaign=campaign,
            baseline=None if baseline is None else in_registry_unit(baseline, definition),
            baseline_reason=given["baseline_reason"],
            owner=given["owner"],
        )

    def _subject(self) -> tuple[SocialAccount | None, str, Campaign | None]:
        """The choice was one of ours, so its row is the brand's."""
        kind, _colon, which = self.cleaned_data["of"].partition(":")
        if kind == "account":
            return SocialAccount.objects.for_brand(self.brand).get(pk=uuid.UUID(which)), "", None
        if kind == "campaign":
            return None, "", Campaign.objects.for_brand(self.brand).get(pk=uuid.UUID(which))
        return None, which, None


def _metric_choices(metrics: Sequence[Metric]) -> list[tuple[str, list[tuple[str, str]]]]:
    """By side; each says whether it is a count, a rate, money or a time."""
    return [
        (
            layer_words(side),
            [(m.key, f"{metric_label(m)} · {kind_of_number(m)}") for m in metrics if m.side is side],
        )
        for side in Side
    ]


def _subject_choices(brand: Brand) -> list[tuple[str, Any]]:
    accounts = list(SocialAccount.objects.for_brand(brand).connected().order_by("platform", "handle"))
    platforms = sorted({account.platform for account in accounts})
    campaigns = Campaign.objects.for_brand(brand).current().order_by("-starts_on")
    choices: list[tuple[str, Any]] = [(WHOLE_BRAND, _("The whole brand"))]
    groups = (
        (
            _("One account"),
            [(f"account:{one.pk}", f"{one} · {label_of_network(one.platform)}") for one in accounts],
        ),
        (_("One network"), [(f"network:{key}", label_of_network(key)) for key in platforms]),
        (_("One campaign"), [(f"campaign:{one.pk}", one.name) for one in campaigns]),
    )
    return choices + [(label, members) for label, members in groups if members]


class ChangeGoalForm(forms.Form):
    """What may be changed of a goal; its baseline may not."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=160)
    amount = NumberField(label=gettext_lazy("How much"))
    ends_on = DayField(label=pgettext_lazy("date", "Last day"), widget=_date_input())
    owner = forms.ModelChoiceField(
        label=gettext_lazy("Responsible"),
        queryset=User.objects.none(),
        required=False,
        empty_label=gettext_lazy("Nobody"),
    )

    def __init__(self, *args: Any, goal: Goal, **kwargs: Any) -> None:
        initial = {
            "name": goal.name,
            "amount": amount_as_typed(goal),
            "ends_on": goal.ends_on,
            "owner": goal.owner_id,
        }
        super().__init__(*args, **({"initial": initial} | kwargs))
        self.goal = goal
        self.fields["owner"].queryset = people_allowed(brand=goal.brand, action=Action.VIEW).order_by(  # type: ignore[attr-defined]
            "name", "email"
        )

    def clean_amount(self) -> Decimal:
        typed: Decimal = self.cleaned_data["amount"]
        is_percent = self.goal.kind == GoalKind.PERCENT_CHANGE
        return typed if is_percent else in_registry_unit(typed, self.goal.definition)


def amount_as_typed(goal: Goal) -> str:
    if goal.kind == GoalKind.PERCENT_CHANGE:
        return f"{goal.amount.normalize():f}"
    return as_typed(goal.amount, goal.definition)


class LinkForm(forms.Form):
    """What drives ``effect``; of a link that exists only how much, how we know, and the note."""

    cause = forms.ModelChoiceField(
        label=gettext_lazy("What drives it"), queryset=Goal.objects.none(), empty_label=None
    )
    assumed_rate = NumberField(
        label=gettext_lazy("How much one of it brings"),
        required=False,
        help_text=gettext_lazy(
            "One published post brings 9 followers: enter 9. What was really observed stands beside it."
        ),
    )
    evidence = forms.ChoiceField(
        label=gettext_lazy("How we know"), choices=Evidence.choices, widget=forms.RadioSelect
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("What the assumption rests on; of an experiment, what was tried."),
    )

    def __init__(
        self,
        *args: Any,
        effect: Goal,
        membership: Membership,
        link: DriverLink | None = None,
        **kwargs: Any,
    ) -> None:
        initial: dict[str, Any] = {"evidence": Evidence.ASSUMPTION}
        if link is not None:
            rate = link.assumed_rate
            initial = {
                "assumed_rate": "" if rate is None else f"{rate.normalize():f}",
                "evidence": link.evidence,
                "note": link.note,
            }
        super().__init__(*args, **({"initial": initial} | kwargs))
        if link is not None:
            del self.fields["cause"]
            return
        goals = Goal.objects.for_member(membership).current().for_brand(effect.brand)
        self.fields["cause"].queryset = goals.exclude(pk=effect.pk).order_by("layer", "name")  # type: ignore[attr-defined]

    def clean_evidence(self) -> Evidence:
        return Evidence(self.cleaned_data["evidence"])


class NoteForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, checkin: Checkin | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **({"initial": {"note": checkin.note if checkin else ""}} | kwargs))


def date_in(text: str) -> dt.date | None:
    """A date of an address, None for anything else."""
    try:
        date = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return date if EARLIEST_YEAR <= date.year <= LATEST_YEAR else None


class LookForm(forms.Form):
    """Whose account is to be looked at, and through which of ours: a network tells its own people only."""

    account = forms.ChoiceField(label=gettext_lazy("Asked through"))
    handle = forms.CharField(
        label=gettext_lazy("Name of the account"),
        max_length=255,
        help_text=gettext_lazy("As the network writes it, with or without @."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, accounts: Sequence[SocialAccount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.accounts = {str(account.pk): account for account in accounts}
        field = cast("forms.ChoiceField", self.fields["account"])
        field.choices = [(pk, f"{one.info.name} · {one} · {one.brand}") for pk, one in self.accounts.items()]

    def clean_account(self) -> SocialAccount:
        return self.accounts[self.cleaned_data["account"]]

    def clean_handle(self) -> str:
        handle: str = self.cleaned_data["handle"]
        if not handle.removeprefix("@").strip():
            raise forms.ValidationError(_("Enter the name of an account."))
        return handle
