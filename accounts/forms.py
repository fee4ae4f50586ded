"""The shape of what people enter about organizations, members and accounts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import choices
from accounts.models import Brand, Membership, Organization, Role, SocialAccount, User
from accounts.permissions import grantable_roles
from accounts.services.organizations import BrandFacts
from connectors.base import ConnectMethod, PlatformInfo
from core.time import is_zone

WEEK_STARTS = ((1, gettext_lazy("Monday")), (0, gettext_lazy("Sunday")))


class ZoneField(forms.CharField):
    """An IANA zone, chosen from a list that narrows while one types; ``tokyo`` will do for Asia/Tokyo."""

    def __init__(self, **given: Any) -> None:
        super().__init__(
            max_length=64,
            widget=forms.TextInput(
                attrs={"list": "zones", "autocomplete": "off", "spellcheck": "false", "data-detect-zone": ""}
            ),
            **given,
        )

    def clean(self, value: Any) -> str:
        typed = super().clean(value).strip().replace(" ", "_")
        if is_zone(typed):  # also by an older name, which browsers report for some places
            return str(typed)
        wanted = typed.casefold()
        found = [name for name in choices.zone_names() if wanted in (name.casefold(), _city(name))]
        if len(found) != 1:
            raise forms.ValidationError(_("There is no such time zone. Choose one of the list."))
        return found[0]


def _city(zone: str) -> str:
    return zone.rpartition("/")[2].casefold()


class BrandForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    timezone = ZoneField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("Posts are scheduled and shown in this zone. Type a city to search."),
    )
    locale = forms.ChoiceField(label=gettext_lazy("Language of its posts"))
    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    week_starts_on = forms.TypedChoiceField(
        label=gettext_lazy("First day of the week"), choices=WEEK_STARTS, coerce=int
    )
    color = forms.RegexField(
        r"^#[0-9a-fA-F]{6}$",
        label=gettext_lazy("Colour"),
        widget=forms.TextInput(attrs={"type": "color", "class": "form-control-color"}),
        help_text=gettext_lazy("Marks the brand in lists that show several."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        is_japanese = (translation.get_language() or "").startswith("ja")
        defaults = {
            "locale": "ja" if is_japanese else "en",
            "currency": "JPY" if is_japanese else "USD",
            "week_starts_on": 0 if is_japanese else 1,
            "color": Brand._meta.get_field("color").default,
        }
        kwargs["initial"] = defaults | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        self.fields["locale"].choices = choices.post_languages()  # type: ignore[attr-defined]
        self.fields["currency"].choices = choices.currencies()  # type: ignore[attr-defined]

    @staticmethod
    def initial_of(brand: Brand) -> dict[str, Any]:
        return {name: getattr(brand, name) for name in BrandFacts.__dataclass_fields__}

    def facts(self) -> BrandFacts:
        return BrandFacts(**{name: self.cleaned_data[name] for name in BrandFacts.__dataclass_fields__})


class SetUpForm(BrandForm):
    """The first page after sign-up: who, which organization, which brand."""

    person = forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=120,
        help_text=gettext_lazy("As your colleagues see it."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    organization = forms.CharField(
        label=gettext_lazy("Organization"),
        max_length=120,
        help_text=gettext_lazy("Your company or agency."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Brand")
        self.fields["name"].help_text = _("What your social accounts speak for. You can add more later.")
        self.fields["color"].required = False
        if user.name:
            del self.fields["person"]

    def clean_color(self) -> str:
        return self.cleaned_data["color"] or str(self.initial["color"])


class OrganizationForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)

    @staticmethod
    def initial_of(organization: Organization) -> dict[str, Any]:
        return {"name": organization.name}


class ProfileForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        help_text=gettext_lazy("Of the pages and of the mails that you get."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Languages are named in themselves, so that one finds one's own.
        names = [
            (code, str(translation.get_language_info(code)["name_local"])) for code, _n in settings.LANGUAGES
        ]
        self.fields["language"].choices = [("", _("As the browser asks")), *names]  # type: ignore[attr-defined]


# --- people -----------------------------------------------------------------------------------


class MemberForm(forms.Form):
    """A role and brands, no further than those of the person who gives them."""

    role = forms.ChoiceField(label=gettext_lazy("Role"))
    has_all_brands = forms.BooleanField(
        label=gettext_lazy("All brands, also future ones"), required=False, initial=True
    )
    brands = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Only these brands"),
        queryset=Brand.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, giver: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            (role.value, role.label) for role in grantable_roles(giver.role)
        ]
        self.fields["brands"].queryset = Brand.objects.for_member(giver).order_by("name")  # type: ignore[attr-defined]
        if not giver.has_all_brands:
            del self.fields["has_all_brands"]

    @staticmethod
    def initial_of(member: Membership) -> dict[str, Any]:
        return {
            "role": member.role,
            "has_all_brands": member.has_all_brands,
            "brands": [brand.pk for brand in member.brands.all()],
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        is_owner = cleaned.get("role") == Role.OWNER
        if not is_owner and not cleaned.get("has_all_brands") and not cleaned.get("brands"):
            self.add_error("brands", _("Choose at least one brand, or all of them."))
        return cleaned

    def chosen_brands(self) -> list[Brand] | None:
        """None for all."""
        cleaned = self.cleaned_data
        has_all = cleaned.get("has_all_brands", False) or cleaned["role"] == Role.OWNER
        return None if has_all else list(cleaned["brands"])


class InviteForm(MemberForm):
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    field_order = ("email", "role", "has_all_brands", "brands")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"role": Role.CREATOR} | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class InvitedSignUpForm(forms.Form):
    """Somebody new, whose address the invitation has proven."""

    name = forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("At least 10 characters."),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._email = email

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if password := cleaned.get("password"):
            person = User(email=self._email, name=cleaned.get("name", ""))
            try:
                password_validation.validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned


# --- social accounts --------------------------------------------------------------------------


class ConnectForm(forms.Form):
    """For which brand, and what the network asks: its ``connect_fields``."""

    brand = forms.ModelChoiceField(
        label=gettext_lazy("Brand"), queryset=Brand.objects.none(), empty_label=None
    )

    def __init__(
        self,
        *args: Any,
        info: PlatformInfo,
        membership: Membership,
        account: SocialAccount | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.info = info
        brands = Brand.objects.for_member(membership).order_by("name")
        self.fields["brand"].queryset = brands  # type: ignore[attr-defined]
        if account is not None:
            del self.fields["brand"]  # a reconnected account stays where it is
        elif len(brands) == 1:
            self.fields["brand"].initial = brands[0]
            self.fields["brand"].widget = forms.HiddenInput()
        for asked in info.connect_fields:
            self.fields[asked.name] = self._field(asked.kind, asked.label, asked.placeholder, asked.help_text)
            self.fields[asked.name].required = asked.is_required

    @staticmethod
    def _field(kind: str, label: str, placeholder: str, help_text: str) -> forms.CharField:
        attrs = {
            "placeholder": placeholder,
            "autocomplete": "off",
            "autocapitalize": "none",
            "spellcheck": "false",
        }
        if kind == "host":
            attrs["inputmode"] = "url"
        return forms.CharField(
            label=_(label),
            help_text=_(help_text) if help_text else "",
            max_length=500,
            widget=forms.PasswordInput(attrs=attrs) if kind == "password" else forms.TextInput(attrs=attrs),
        )

    def answers(self) -> dict[str, str]:
        """What the network asked, by field name."""
        return {asked.name: self.cleaned_data.get(asked.name, "") for asked in self.info.connect_fields}

    def host(self) -> str:
        """The host that the person named before OAuth, "" where a network has only one."""
        if self.info.connect_method is not ConnectMethod.OAUTH:
            return ""
        return next((self.cleaned_data[f.name] for f in self.info.connect_fields if f.kind == "host"), "")


class AuditFilterForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("What"),
        required=False,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": gettext_lazy("Name of a brand, person, account")}
        ),
    )
    action = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    actor = forms.ChoiceField(label=gettext_lazy("Who"), required=False)

    def __init__(
        self, *args: Any, groups: list[tuple[str, str]], actors: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["action"].choices = [("", _("Everything")), *groups]  # type: ignore[attr-defined]
        self.fields["actor"].choices = [  # type: ignore[attr-defined]
            ("", _("Everybody")),
            *actors,
            ("system", _("The system")),
        ]

    def query(self) -> dict[str, str]:
        """What to filter by; an answer that is not offered (an old link) filters nothing."""
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}
