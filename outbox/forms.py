from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class PauseForm(forms.Form):
    """Why sending stops; shown to everybody who wonders."""

    reason = forms.CharField(label=_("Reason"), max_length=255, required=False)
