"""What people choose about ad accounts: with which app to sign in, which campaigns are which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import AppRegistration, Brand
from campaigns.models import AdAccount, AdCampaign, Campaign
from campaigns.selectors.ads import campaigns_of_account, choosable

IGNORED = "none"


class SignInForm(forms.Form):
    """Where there is one app only, nobody is asked."""

    app = forms.ModelChoiceField(
        label=gettext_lazy("Developer app"), queryset=AppRegistration.objects.none(), empty_label=None
    )

    def __init__(self, *args: Any, apps: QuerySet[AppRegistration], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.ModelChoiceField[AppRegistration]", self.fields["app"])
        field.queryset = apps
        if len(apps) == 1:
            field.initial = apps[0]
            field.widget = forms.HiddenInput()


class ChooseForm(forms.Form):
    """Which ad accounts, and for which brand."""

    brand = forms.ModelChoiceField(
        label=gettext_lazy("Brand"), queryset=Brand.objects.none(), empty_label=None
    )
    account = forms.MultipleChoiceField(
        label=gettext_lazy("Ad accounts"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one ad account.")},
    )

    def __init__(
        self, *args: Any, brands: QuerySet[Brand], offered: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        brand = cast("forms.ModelChoiceField[Brand]", self.fields["brand"])
        brand.queryset = brands
        if len(brands) == 1:
            brand.initial = brands[0]
            brand.widget = forms.HiddenInput()
        account = cast(forms.MultipleChoiceField, self.fields["account"])
        account.choices = offered
        if len(offered) == 1:
            account.initial = [offered[0][0]]


class AssignForm(forms.Form):
    """One choice for each campaign of an ad account that the page shows (``rows``), and the attribution
    window. An answer has those that were shown, each with what was chosen then: who saves an old page does
    not take back what somebody else has chosen since."""

    def __init__(
        self, *args: Any, account: AdAccount, rows: Sequence[AdCampaign] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.account = account
        self.rows = [
            row
            for row in (campaigns_of_account(account) if rows is None else rows)
            if not self.is_bound or self._name(row) in self.data
        ]
        self.campaigns = {str(one.pk): one for one in choosable(account)}
        choices = [
            ("", _("Not assigned yet")),
            (IGNORED, _("Belongs to none")),
            (_("Campaigns"), [(key, one.name) for key, one in self.campaigns.items()]),
        ]
        for row in self.rows:
            self.fields[self._name(row)] = forms.ChoiceField(
                label=row.name, choices=choices, required=False, initial=_choice(row)
            )
            self.fields[self._was(row)] = forms.CharField(
                required=False, initial=_choice(row), widget=forms.HiddenInput
            )
        windows = account.info.windows
        if len(windows) > 1:
            self.fields["window"] = forms.ChoiceField(
                label=_("Conversions count"),
                choices=[(one.key, _(one.label)) for one in windows],
                initial=account.window,
            )

    @staticmethod
    def _name(row: AdCampaign) -> str:
        return f"campaign_{row.pk}"

    @staticmethod
    def _was(row: AdCampaign) -> str:
        return f"was_{row.pk}"

    def lines(self) -> list[tuple[AdCampaign, forms.BoundField, forms.BoundField]]:
        return [(row, self[self._name(row)], self[self._was(row)]) for row in self.rows]

    def choices(self) -> list[tuple[AdCampaign, Campaign | None, bool]]:
        found = []
        for row in self.rows:
            value = self.cleaned_data[self._name(row)]
            if self._was(row) in self.data and value == self.cleaned_data[self._was(row)]:
                continue
            found.append((row, self.campaigns.get(value), value == IGNORED))
        return found


def _choice(row: AdCampaign) -> str:
    return IGNORED if row.is_ignored else str(row.campaign_id or "")
