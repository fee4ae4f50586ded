from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from outbox.missed import CHOICES, GROUPS, MissedRule, choice_words, rule_of


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
