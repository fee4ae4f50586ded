"""Conversions and refunds that somebody enters by hand, and the filter of their lists."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import Brand
from campaigns.conversion_wording import sentence
from campaigns.forms.fields import AmountField
from campaigns.models import Campaign, Conversion, ConversionKind, ConversionNotice, Source
from campaigns.reports import Person, RefundReport, Refused, Report
from campaigns.selectors.campaigns import choosable
from campaigns.selectors.conversions import REFUNDED, UNUSUAL, ConversionFilter
from core.entering import EARLIEST_YEAR, LATEST_YEAR
from core.time import LocalTimeMissing, to_local, to_utc

# Fields of a report -> fields of these forms, where they are called otherwise.
_FIELDS = {
    "external_id": "number",
    "person.email": "email",
    "person.customer": "customer",
    "person.name": "name",
}


class WallTimeField(forms.DateTimeField):
    """A time of the brand's zone, which the form sets; its value is the instant."""

    zone = "UTC"

    def __init__(self, **given: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(**{"widget": widget, **given})

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dt.datetime) and value.tzinfo:
            return to_local(value, self.zone).replace(tzinfo=None)
        return value

    def to_python(self, value: Any) -> Any:
        try:
            wall = dt.datetime.fromisoformat(str(value).strip()) if value else None
        except ValueError:
            raise forms.ValidationError(_("This is not a time.")) from None
        if wall is None:
            return None
        if wall.tzinfo is not None or not EARLIEST_YEAR <= wall.year <= LATEST_YEAR:
            raise forms.ValidationError(_("This is not a time."))
        try:
            return to_utc(wall, self.zone)
        except LocalTimeMissing:
            raise forms.ValidationError(
                _("The clocks are put forward then, so this time does not exist on that day.")
            ) from None


class ReportForm(forms.Form):
    """What both forms share. ``token`` is drawn when the form is shown: sent twice, it is the same report."""

    token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, brand: Brand, now: dt.datetime, **kwargs: Any) -> None:
        kwargs["initial"] = {"token": uuid.uuid4(), "happened_at": now} | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        self.brand = brand
        time = self.fields["happened_at"]
        assert isinstance(time, WallTimeField)  # noqa: S101 - for the type checker
        time.zone = brand.timezone
        time.help_text = _("Time zone: %(zone)s") % {"zone": brand.timezone}

    def amount_in(self, name: str, currency: str) -> None:
        field = self.fields[name]
        assert isinstance(field, AmountField)  # noqa: S101 - for the type checker
        field.currency = currency
        field.label = _("%(field)s in %(currency)s") % {"field": field.label, "currency": currency}

    def refuse(self, refused: Refused) -> None:
        """Show why the service did not take it, beside the field at fault."""
        field = _FIELDS.get(refused.field, refused.field)
        self.add_error(field if field in self.fields else None, sentence(refused))

    def external_id(self) -> str:
        """The number that was entered, else one of ours."""
        return self.cleaned_data.get("number") or f"manual-{self.cleaned_data['token']}"


class ConversionForm(ReportForm):
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=ConversionKind.choices,
        widget=forms.RadioSelect,
        initial=ConversionKind.LEAD,
    )
    happened_at = WallTimeField(label=pgettext_lazy("conversion", "When"))
    value = AmountField(
        label=pgettext_lazy("conversion", "Value"),
        required=False,
        help_text=gettext_lazy(
            "What was paid. The value of a lead is an estimate and never counts as revenue."
        ),
    )
    campaign = forms.ModelChoiceField(
        label=gettext_lazy("Campaign"), queryset=Campaign.objects.none(), required=False
    )
    number = forms.CharField(
        label=gettext_lazy("Order or form number"),
        required=False,
        max_length=120,
        help_text=gettext_lazy("With it, the same one from a file or a program is not counted again."),
    )
    email = forms.CharField(
        label=gettext_lazy("E-mail address"), required=False, widget=forms.EmailInput, max_length=255
    )
    customer = forms.CharField(label=gettext_lazy("Customer number"), required=False, max_length=255)
    name = forms.CharField(label=gettext_lazy("Name"), required=False, max_length=255)
    field_order = ("kind", "happened_at", "value", "campaign", "number", "email", "customer", "name")

    def __init__(self, *args: Any, campaign: Campaign | None = None, **kwargs: Any) -> None:
        kwargs["initial"] = {"campaign": campaign} | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        self.amount_in("value", self.brand.currency)
        choice = self.fields["campaign"]
        assert isinstance(choice, forms.ModelChoiceField)  # noqa: S101 - for the type checker
        choice.queryset = choosable(self.brand, also=campaign.pk if campaign else None)
        choice.empty_label = _("None")

    def report(self) -> Report:
        cleaned = self.cleaned_data
        campaign: Campaign | None = cleaned["campaign"]
        return Report(
            kind=ConversionKind(cleaned["kind"]),
            external_id=self.external_id(),
            happened_at=cleaned["happened_at"],
            value=cleaned["value"],
            campaign=campaign.code if campaign else "",
            person=Person(customer=cleaned["customer"], email=cleaned["email"], name=cleaned["name"]),
        )


class RefundForm(ReportForm):
    amount = AmountField(label=gettext_lazy("Amount"))
    happened_at = WallTimeField(label=pgettext_lazy("conversion", "When"))
    field_order = ("amount", "happened_at")

    def __init__(self, *args: Any, conversion: Conversion, **kwargs: Any) -> None:
        kwargs["initial"] = {"amount": conversion.net} | (kwargs.get("initial") or {})
        super().__init__(*args, brand=conversion.brand, **kwargs)
        self.amount_in("amount", conversion.currency)

    def report(self) -> RefundReport:
        amount: Decimal = self.cleaned_data["amount"]
        return RefundReport(
            external_id=self.external_id(), amount=amount, happened_at=self.cleaned_data["happened_at"]
        )


class ConversionFilterForm(forms.Form):
    """The filter above a list, in its address; what is not offered (an old link) filters nothing."""

    q = forms.CharField(label=gettext_lazy("Search in numbers and campaigns"), required=False, max_length=120)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        required=False,
        choices=[("", gettext_lazy("Leads and sales")), *ConversionKind.choices],
    )
    source = forms.ChoiceField(
        label=gettext_lazy("Source"),
        required=False,
        choices=[
            ("", gettext_lazy("All sources")),
            *(one for one in Source.choices if one[0] != Source.ADS),
        ],
    )
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[
            ("", gettext_lazy("All states")),
            (REFUNDED, gettext_lazy("Refunded")),
            (UNUSUAL, gettext_lazy("With a notice")),
            *ConversionNotice.choices,
        ],
    )

    def wanted(self) -> ConversionFilter:
        self.is_valid()
        cleaned = self.cleaned_data
        return ConversionFilter(
            kind=cleaned.get("kind", ""),
            source=cleaned.get("source", ""),
            state=cleaned.get("state", ""),
            text=cleaned.get("q", ""),
        )


class RunForm(forms.Form):
    """How attribution is calculated anew."""

    lookback_days = forms.IntegerField(
        label=gettext_lazy("Touches count for so many days"), min_value=1, max_value=365
    )
    half_life_days = forms.DecimalField(
        label=gettext_lazy("Half-life of time decay in days"),
        min_value=Decimal("0.5"),
        max_value=Decimal(365),
        decimal_places=2,
    )
