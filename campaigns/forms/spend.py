"""Costs as somebody enters them: lines of the plan, entries of spend, files."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import known_networks
from campaigns.forms.campaigns import date_field
from campaigns.forms.fields import AmountField, NumberField
from campaigns.models import BudgetLine, Campaign, CostKind, SpendEntry
from campaigns.selectors.spend import lines_of
from campaigns.services.budgets import Cost
from campaigns.services.spend import SpendFacts
from core.csv_reading import MOST_BYTES
from core.entering import EARLIEST_YEAR, LATEST_YEAR, MOST

PLATFORM_LENGTH = 24
MOST_HOURS = Decimal(1_000_000)


class CostForm(forms.Form):
    """An amount, or for labour hours and what one costs. Amounts are in the campaign's currency."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=CostKind.choices)
    amount = AmountField(label=gettext_lazy("Amount"), required=False)
    hours = NumberField(label=gettext_lazy("Hours"), required=False, decimals=2, most=MOST_HOURS)
    hourly_rate = AmountField(label=gettext_lazy("Rate per hour"), required=False)

    def __init__(self, *args: Any, campaign: Campaign, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.campaign = campaign
        for name in ("amount", "hourly_rate"):
            field = self.fields[name]
            assert isinstance(field, AmountField)  # noqa: S101 - for the type checker
            field.currency = campaign.currency
            field.label = _("%(field)s in %(currency)s") % {
                "field": field.label,
                "currency": campaign.currency,
            }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        hours, rate = cleaned["hours"], cleaned["hourly_rate"]
        if cleaned["kind"] == CostKind.LABOUR and (hours is not None or rate is not None):
            for name in ("hours", "hourly_rate"):
                if cleaned[name] is None:
                    self.add_error(name, _("Labour is hours times their rate: both are needed."))
            if hours is not None and rate is not None and hours * rate >= MOST:
                self.add_error("hourly_rate", _("This is too much."))
        elif cleaned["amount"] is None:
            self.add_error("amount", _("Enter an amount."))
        return cleaned

    def cost(self) -> Cost:
        cleaned = self.cleaned_data
        return Cost(
            kind=cleaned["kind"],
            amount=cleaned["amount"],
            hours=cleaned["hours"],
            hourly_rate=cleaned["hourly_rate"],
        )


class LineForm(CostForm):
    label = forms.CharField(label=gettext_lazy("What for"), required=False, max_length=160)
    field_order = ("label", "kind")

    @staticmethod
    def initial_of(line: BudgetLine) -> dict[str, Any]:
        return {name: getattr(line, name) for name in ("label", "kind", "amount", "hours", "hourly_rate")}


class SpendForm(CostForm):
    """``external_id`` is drawn when the form is shown: sent twice, it is the same entry."""

    date = date_field(label=gettext_lazy("Date"))
    line = forms.ModelChoiceField(
        label=gettext_lazy("Line of the plan"), queryset=BudgetLine.objects.none(), required=False
    )
    platform = forms.CharField(
        label=gettext_lazy("Network"),
        required=False,
        max_length=PLATFORM_LENGTH,
        widget=forms.TextInput(attrs={"list": "networks", "autocomplete": "off"}),
    )
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=255)
    external_id = forms.UUIDField(widget=forms.HiddenInput)
    field_order = ("date", "kind")

    def __init__(self, *args: Any, campaign: Campaign, **kwargs: Any) -> None:
        kwargs["initial"] = {"external_id": uuid.uuid4()} | (kwargs.get("initial") or {})
        super().__init__(*args, campaign=campaign, **kwargs)
        line = self.fields["line"]
        assert isinstance(line, forms.ModelChoiceField)  # noqa: S101 - for the type checker
        line.queryset = lines_of(campaign)
        line.empty_label = _("None in particular")

    @staticmethod
    def initial_of(entry: SpendEntry) -> dict[str, Any]:
        names = ("date", "kind", "amount", "hours", "hourly_rate", "platform", "note", "line")
        return {name: getattr(entry, name) for name in names}

    def clean_date(self) -> Any:
        day = self.cleaned_data["date"]
        if not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
            raise forms.ValidationError(_("This year is too far away."))
        return day

    def clean_platform(self) -> str:
        return network_key(self.cleaned_data["platform"])

    def facts(self) -> SpendFacts:
        cleaned = self.cleaned_data
        return SpendFacts(
            date=cleaned["date"],
            cost=self.cost(),
            line=cleaned["line"],
            platform=cleaned["platform"],
            note=cleaned["note"],
        )


def network_key(typed: str) -> str:
    """The key of a network that we know by key or name, else what was typed: money is spent in places that
    nobody connects here."""
    wanted = typed.strip().casefold()
    for key, info in known_networks().items():
        if wanted in (key, info.name.casefold()):
            return key
    return typed.strip()


class FileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
        max_length=255,
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(
                _("The file is larger than %(most)s MB. Split it into several.")
                % {"most": MOST_BYTES // (1024 * 1024)}
            )
        return file
