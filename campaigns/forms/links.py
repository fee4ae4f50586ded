"""A link that somebody makes by hand."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import known_networks
from campaigns.addresses import MOST_CHARACTERS, refusal
from campaigns.wording import link_refusal


class LinkForm(forms.Form):
    url = forms.CharField(
        label=gettext_lazy("Address that it leads to"),
        max_length=MOST_CHARACTERS,
        widget=forms.TextInput(
            attrs={
                "inputmode": "url",
                "placeholder": "https://",
                "autocomplete": "off",
                "spellcheck": "false",
            }
        ),
    )
    platform = forms.ChoiceField(
        label=gettext_lazy("Where it will stand"),
        required=False,
        help_text=gettext_lazy("Becomes utm_source. Parameters that the address has already are kept."),
    )
    content = forms.CharField(
        label=gettext_lazy("Label"),
        required=False,
        max_length=80,
        help_text=gettext_lazy("To tell links of one campaign apart. Becomes utm_content."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        networks = [(key, info.name) for key, info in known_networks().items()]
        self.fields["platform"].choices = [("", _("Elsewhere")), *networks]  # type: ignore[attr-defined]

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"]).strip()
        # As people write addresses; what has a scheme of its own, a harmful one too, keeps it.
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:(?![0-9])", url):
            url = f"https://{url}"
        if reason := refusal(url):
            raise forms.ValidationError(link_refusal(reason))
        return url
