"""Amounts, shares and dates as form fields."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from campaigns.wording import UNREADABLE
from core.entering import NotReadable, Unreadable, entered_amount, entered_number
from core.money import rounded


class AmountField(forms.CharField):
    """An amount as people write it, in ``currency``, which the form sets. None when it is left empty."""

    currency = "USD"

    def __init__(self, **given: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(**{"max_length": 40, "widget": widget, **given})

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Decimal):
            return f"{rounded(value, self.currency):f}"
        return value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return entered_amount(text, self.currency)
        except NotReadable as refused:
            raise forms.ValidationError(str(UNREADABLE[refused.reason])) from refused


class NumberField(forms.CharField):
    """A number of zero or more with at most ``decimals`` decimals: hours, leads, a multiple, per cents."""

    def __init__(self, *, decimals: int = 0, most: Decimal = Decimal(10) ** 12, **given: Any) -> None:
        self.decimals = decimals
        self.most = most
        widget = forms.TextInput(
            attrs={"inputmode": "decimal" if decimals else "numeric", "autocomplete": "off"}
        )
        super().__init__(**{"max_length": 24, "widget": widget, **given})

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Decimal):
            return f"{value.normalize():f}"
        return value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            number = entered_number(text.replace("%", "").replace("％", ""), self.decimals)
        except NotReadable as refused:
            raise forms.ValidationError(self._sentence(refused.reason)) from refused
        if number > self.most:
            raise forms.ValidationError(_("This is too much."))
        return number

    def _sentence(self, reason: Unreadable) -> str:
        match reason:
            case Unreadable.NEGATIVE:
                return _("A number cannot be below zero.")
            case Unreadable.TOO_MANY_DECIMALS if not self.decimals:
                return _("Enter a whole number.")
            case Unreadable.TOO_MANY_DECIMALS:
                return _("At most %(decimals)s decimals are possible.") % {"decimals": self.decimals}
            case Unreadable.AMBIGUOUS_AMOUNT | Unreadable.TOO_LARGE:
                return str(UNREADABLE[reason])
            case _:
                return _("Enter a number.")
