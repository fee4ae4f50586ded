"""What people enter to connect an account, and about developer apps of their own."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import AppRegistration, Brand
from accounts.services.apps import AppFacts
from connectors.base import AppSetup, ConnectField, ConnectMethod, PlatformInfo


class ConnectForm(forms.Form):
    """For which brand, with which developer app, what it may do, and what the network asks.

    ``brands`` None: for an account that is here already, which stays where it is. ``apps`` None: the network
    registers us by itself.
    """

    brand = forms.ModelChoiceField(
        label=gettext_lazy("Brand"), queryset=Brand.objects.none(), empty_label=None
    )
    app = forms.ModelChoiceField(
        label=gettext_lazy("Developer app"), queryset=AppRegistration.objects.none(), empty_label=None
    )
    features = forms.MultipleChoiceField(
        label=gettext_lazy("Besides, allow"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("The network asks you for no more than what is chosen here."),
    )

    def __init__(
        self,
        *args: Any,
        info: PlatformInfo,
        brands: QuerySet[Brand] | None,
        apps: QuerySet[AppRegistration] | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.info = info
        if brands is None:
            del self.fields["brand"]
        else:
            self._choose("brand", brands)
        if apps is None:
            del self.fields["app"]
        else:
            self._choose("app", apps)
        self.has_app = apps is None or bool(apps)
        optional = [one for one in info.features if not one.is_required]
        if optional:
            field = cast(forms.MultipleChoiceField, self.fields["features"])
            field.choices = [(one.key, _(one.label)) for one in optional]
            field.initial = [one.key for one in optional if one.is_default]
        else:
            del self.fields["features"]
        for asked in info.connect_fields:
            self.fields[asked.name] = asked_field(asked)

    def _choose(self, name: str, rows: QuerySet[Any]) -> None:
        """Where there is one only, nobody is asked."""
        field = cast("forms.ModelChoiceField[Any]", self.fields[name])
        field.queryset = rows
        if len(rows) == 1:
            field.initial = rows[0]
            field.widget = forms.HiddenInput()

    def hide_choices(self) -> None:
        """App and permissions stay as they begin."""
        if "app" in self.fields:
            field = cast("forms.ModelChoiceField[Any]", self.fields["app"])
            field.widget, field.disabled = forms.HiddenInput(), True
            if field.initial is None and "app" not in self.initial:
                field.initial = field.queryset.first() if field.queryset is not None else None
        if "features" in self.fields:
            # Who was sent a link does not decide what the network charges for.
            self.fields["features"].widget = forms.MultipleHiddenInput()
            self.fields["features"].disabled = True

    def answers(self) -> dict[str, str]:
        """What the network asked, by field name."""
        return {asked.name: self.cleaned_data.get(asked.name, "") for asked in self.info.connect_fields}

    def host(self) -> str:
        """The host that the person named before OAuth, "" where a network has only one."""
        if self.info.connect_method is not ConnectMethod.OAUTH:
            return ""
        return next((self.cleaned_data[f.name] for f in self.info.connect_fields if f.kind == "host"), "")

    def chosen(self) -> list[str] | None:
        """The keys of the features that were chosen, None where there is nothing to choose."""
        return list(self.cleaned_data["features"]) if "features" in self.fields else None

    def scopes(self) -> tuple[str, ...]:
        """Those of the features that were chosen, in the order of INFO."""
        chosen = set(self.chosen() or ())
        wanted = {
            scope
            for one in self.info.features
            if one.is_required or one.key in chosen
            for scope in one.scopes
        }
        return tuple(scope for scope in self.info.scopes if scope in wanted)


def asked_field(asked: ConnectField) -> forms.Field:
    """What a network asks, as a field of a form."""
    help_text = _(asked.help_text) if asked.help_text else ""
    if asked.kind == "choice":
        choices = [(value, _(label)) for value, label in asked.choices]
        return forms.ChoiceField(
            label=_(asked.label), help_text=help_text, choices=choices, required=asked.is_required
        )
    attrs = {
        "placeholder": asked.placeholder,
        "autocomplete": "off",
        "autocapitalize": "none",
        "spellcheck": "false",
    }
    if asked.kind == "host":
        attrs["inputmode"] = "url"
    return forms.CharField(
        label=_(asked.label),
        help_text=help_text,
        max_length=2000,  # long-lived tokens of some networks have hundreds of characters
        required=asked.is_required,
        widget=forms.PasswordInput(attrs=attrs) if asked.kind == "password" else forms.TextInput(attrs=attrs),
    )


class AppForm(forms.Form):
    """A developer app of one's own at a network."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        help_text=gettext_lazy("For yourselves, for example “Our app” or the client's name."),
    )
    client_id = forms.CharField(max_length=500)
    client_secret = forms.CharField(max_length=2000)

    def __init__(self, *args: Any, setup: AppSetup, is_new: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.setup = setup
        quiet = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        self.fields["client_id"].label = _(setup.id_label)
        self.fields["client_id"].widget.attrs.update(quiet)
        secret = self.fields["client_secret"]
        secret.label = _(setup.secret_label)
        secret.widget = forms.PasswordInput(attrs=quiet)
        secret.required = is_new
        if not is_new:
            secret.help_text = _("Leave it empty to keep the one that is stored.")
        for asked in setup.fields:
            field = self.fields[f"extra_{asked.name}"] = asked_field(asked)
            if asked.kind == "password" and self.initial.pop(f"extra_{asked.name}", ""):
                field.help_text = _("Leave it empty to keep the one that is stored.")
                field.required = False

    def clean_client_id(self) -> str:
        return str(self.cleaned_data["client_id"]).strip()

    def clean_client_secret(self) -> str:
        return str(self.cleaned_data["client_secret"]).strip()

    def facts(self) -> AppFacts:
        return AppFacts(
            name=self.cleaned_data["name"],
            client_id=self.cleaned_data["client_id"],
            client_secret=self.cleaned_data["client_secret"],
            extra={
                asked.name: given
                for asked in self.setup.fields
                if (given := self.cleaned_data[f"extra_{asked.name}"]) or asked.kind != "password"
            },
        )
