"""The shape of what comes in about contacts."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audience.models import Identity, Purpose, Stage
from audience.selectors.contacts import ContactFilter, Person, place_of
from audience.services.facts import Facts
from core.bigrams import folded

_MOST_SEARCHED = 100  # characters; no name is longer
_MOST_NOTES = 10_000


def words_of(query: QueryDict) -> str:
    """What is searched for, without the NUL that no database takes."""
    return query.get("q", "").replace("\0", "").strip()[:_MOST_SEARCHED]


def contact_filter(query: QueryDict) -> ContactFilter:
    """What the address asks for; what it does not know, it does not ask for."""
    stage, consent, platform = (query.get(name, "") for name in ("stage", "consent", "network"))
    return ContactFilter(
        text=words_of(query),
        stage=stage if stage in Stage.values else "",
        platform=platform if platform.isascii() and platform.replace("_", "").isalnum() else "",
        consent=consent if consent in Purpose.values else "",
    )


def uuid_of(value: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(value)
    except ValueError:
        return None


class FactsForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=255,
        required=False,
        help_text=gettext_lazy("Left empty, the name that they use themselves is shown."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        max_length=64,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "type": "tel"}),
    )
    stage = forms.ChoiceField(
        label=gettext_lazy("Stage"),
        choices=Stage,
        help_text=gettext_lazy(
            "Moves forward by itself with leads and sales. Change it here to put it right; "
            "the numbers of campaigns stay as they were counted."
        ),
    )
    notes = forms.CharField(
        label=gettext_lazy("Notes"),
        required=False,
        max_length=_MOST_NOTES,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("For colleagues. The person gets them, too, if they ask for their data."),
    )

    def facts(self) -> Facts:
        cleaned = self.cleaned_data
        return Facts(
            cleaned["name"], cleaned["email"], cleaned["phone"], cleaned["notes"], Stage(cleaned["stage"])
        )


class TakeFactForm(forms.Form):
    """One fact of a merged contact that the other takes over."""

    merged = forms.UUIDField()
    field = forms.ChoiceField(choices=[(name, name) for name in ("name", "email", "phone", "notes")])


class ConsentForm(forms.Form):
    purpose = forms.ChoiceField(label=gettext_lazy("What for"), choices=Purpose)
    is_granted = forms.ChoiceField(
        label=gettext_lazy("What they said"),
        choices=[("yes", gettext_lazy("Yes, they agree")), ("no", gettext_lazy("No, they withdraw it"))],
        widget=forms.RadioSelect,
    )
    source = forms.CharField(
        label=gettext_lazy("How they said it"),
        max_length=255,
        help_text=gettext_lazy("For example “Form at the counter, 3 March” or “Message of today”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    identity = forms.ModelChoiceField(
        label=gettext_lazy("As whom"),
        queryset=Identity.objects.none(),
        empty_label=None,
        help_text=gettext_lazy("Stays with this account if contacts are taken apart again."),
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        identity: Any = self.fields["identity"]
        identity.queryset = Identity.objects.filter(contact=person.contact).order_by("-last_seen_at")
        identity.label_from_instance = _identity_words
        identity.initial = person.identities[0][0].pk if person.identities else None
        if len(person.identities) == 1:  # nothing to choose
            identity.widget = forms.HiddenInput()

    def clean_is_granted(self) -> bool:
        return bool(self.cleaned_data["is_granted"] == "yes")


def _identity_words(identity: Identity) -> str:
    return f"{identity.address or identity} · {place_of(identity.platform).name}"


class EraseForm(forms.Form):
    """Typing the name is slow on purpose: nothing brings the data back."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected
        self.fields["name"].label = _("To confirm, type “%(name)s”") % {"name": expected}

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"]
        # Width, case and blanks may differ: it is about meaning it, not about typing well.
        if folded(typed) != folded(self.expected):
            raise forms.ValidationError(_("That is not the name. Nothing was erased."))
        return typed
