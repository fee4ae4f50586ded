"""A campaign as somebody enters it, and the filter of the list."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import validate_slug
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts import choices
from accounts.metric_wording import metric_label
from accounts.models import Brand
from campaigns.forms.fields import AmountField, NumberField
from campaigns.models import Campaign, Objective
from campaigns.selectors.campaigns import TARGETS, CampaignFilter, CampaignState
from campaigns.services.campaigns import CODE_LENGTH, CampaignFacts
from core.entering import EARLIEST_YEAR, LATEST_YEAR
from metrics.registry import Unit, metric

PERCENT = Decimal(100)


def date_field(**given: Any) -> forms.DateField:
    return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **given)


def _target_field(key: str, currency: str) -> forms.Field:
    one = metric(key)
    label = metric_label(one)
    match one.unit:
        case Unit.MONEY:
            field: forms.Field = AmountField(
                label=_("%(metric)s, in %(currency)s") % {"metric": label, "currency": currency},
                required=False,
            )
            field.currency = currency  # type: ignore[attr-defined]
            return field
        case Unit.PERCENT:
            return NumberField(label=_("%(metric)s, in %%") % {"metric": label}, required=False, decimals=1)
        case Unit.MULTIPLE:
            return NumberField(label=label, required=False, decimals=2)
        case _:
            return NumberField(label=label, required=False)


class CampaignForm(forms.Form):
    """``brand`` gives the currency to begin with; amounts of targets are in the currency that is chosen."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=160)
    objective = forms.ChoiceField(label=gettext_lazy("Objective"), choices=Objective.choices)
    starts_on = date_field(label=gettext_lazy("First day"))
    ends_on = date_field(label=pgettext_lazy("date", "Last day"))
    currency = forms.ChoiceField(
        label=gettext_lazy("Currency"),
        help_text=gettext_lazy("Of the budget and of everything that is spent."),
    )
    margin = NumberField(
        label=gettext_lazy("Margin in %"),
        required=False,
        decimals=2,
        most=PERCENT,
        help_text=gettext_lazy(
            "What remains of revenue after the cost of the goods. ROI on margin needs it."
        ),
    )
    code = forms.CharField(
        label=gettext_lazy("Code in links"),
        required=False,
        max_length=CODE_LENGTH,
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "none"}),
        help_text=gettext_lazy(
            "Stands as utm_campaign in the addresses of links. Left empty, it is made from the name."
        ),
    )
    notes = forms.CharField(
        label=gettext_lazy("Notes"),
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, brand: Brand, is_currency_fixed: bool = False, **kwargs: Any) -> None:
        kwargs["initial"] = {"currency": brand.currency} | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        self.fields["currency"].choices = choices.currencies()  # type: ignore[attr-defined]
        if is_currency_fixed:
            self.fields["currency"].disabled = True
            self.fields["currency"].help_text = _("Amounts were entered in it, so it stays.")
        currency = self._currency()
        for key in TARGETS:
            self.fields[f"target_{key}"] = _target_field(key, currency)

    def _currency(self) -> str:
        initial = str(self.initial["currency"])
        if not self.is_bound or self.fields["currency"].disabled:
            return initial
        typed = str(self.data.get("currency", ""))
        return typed if typed in dict(choices.currencies()) else initial

    @staticmethod
    def initial_of(campaign: Campaign) -> dict[str, Any]:
        targets = {
            f"target_{target.metric}": target.value * PERCENT
            if metric(target.metric).unit is Unit.PERCENT
            else target.value
            for target in campaign.targets.all()
        }
        margin = campaign.margin_rate
        return {
            "name": campaign.name,
            "objective": campaign.objective,
            "starts_on": campaign.starts_on,
            "ends_on": campaign.ends_on,
            "currency": campaign.currency,
            "margin": None if margin is None else margin * PERCENT,
            "code": campaign.code,
            "notes": campaign.notes,
            **targets,
        }

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"]).lower()
        if code:
            validate_slug(code)
        return code

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        starts_on, ends_on = cleaned.get("starts_on"), cleaned.get("ends_on")
        for name, day in (("starts_on", starts_on), ("ends_on", ends_on)):
            if day and not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
                self.add_error(name, _("This year is too far away."))
        if starts_on and ends_on and ends_on < starts_on:
            self.add_error("ends_on", _("The last day lies before the first one."))
        for key in TARGETS:
            if cleaned.get(f"target_{key}") == 0:
                self.add_error(f"target_{key}", _("A target is more than zero. Leave it empty for none."))
        return cleaned

    def facts(self) -> CampaignFacts:
        cleaned = self.cleaned_data
        targets = {}
        for key in TARGETS:
            value = cleaned[f"target_{key}"]
            if value is not None:
                targets[key] = value / PERCENT if metric(key).unit is Unit.PERCENT else value
        margin = cleaned["margin"]
        return CampaignFacts(
            name=cleaned["name"],
            objective=cleaned["objective"],
            starts_on=cleaned["starts_on"],
            ends_on=cleaned["ends_on"],
            currency=cleaned["currency"],
            code=cleaned["code"],
            margin_rate=None if margin is None else margin / PERCENT,
            notes=cleaned["notes"],
            targets=targets,
        )

    @property
    def target_fields(self) -> list[forms.BoundField]:
        return [self[f"target_{key}"] for key in TARGETS]

    @property
    def has_target(self) -> bool:
        """Whether to show them opened."""
        return any(field.value() not in (None, "") or field.errors for field in self.target_fields)


def campaign_filter(query: QueryDict) -> CampaignFilter:
    """The filter that stands in an address; what makes no sense in it is left out."""
    state = query.get("state", "")
    return CampaignFilter(
        state=CampaignState(state) if state in CampaignState.values else None,
        text=query.get("q", "").replace("\x00", "")[:200].strip(),
    )
