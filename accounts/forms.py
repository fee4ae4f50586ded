"""The shape of what people enter about organizations, members and accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.utils import translation
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts import choices
from accounts.models import (
    ApiScope,
    Brand,
    MailChoice,
    MailTimes,
    Membership,
    NotificationKind,
    Organization,
    Role,
    User,
    WebhookEndpoint,
    office_hours,
)
from accounts.news import OPTIONAL_IN_APP
from accounts.permissions import grantable_roles
from accounts.selectors import Wish
from accounts.services.organizations import BrandFacts
from accounts.services.preferences import TimesFacts
from accounts.services.webhooks import WebhookFacts
from accounts.wording import address_problem
from connectors import http
from connectors.errors import ConnectorError
from core.time import is_zone
from metrics.business_time import BusinessHours, HoursInvalid

BY_ZONE = "zone"
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


Hours = dict[str, list[list[str]]]  # as Brand.business_hours has them


class HoursWidget(forms.Widget):
    """A week of opening hours: for each day up to MOST pairs of times. Midnight as an end is "24:00"."""

    template_name = "accounts/_hours.html"
    MOST = 2

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        hours = value if isinstance(value, dict) else {}
        context: dict[str, Any] = super().get_context(name, value, attrs)
        context["days"] = [
            {
                "label": WEEKDAYS[day],
                "is_open": bool(hours.get(str(day))),
                "pairs": [
                    {
                        "name": f"{name}-{day}-{place}",
                        "from": pair[0],
                        "to": "00:00" if pair[1] == "24:00" else pair[1],
                    }
                    for place, pair in enumerate(self._padded(hours.get(str(day), [])))
                ],
            }
            for day in range(7)
        ]
        return context

    def _padded(self, pairs: list[list[str]]) -> list[list[str]]:
        return [*pairs, *([["", ""]] * max(self.MOST - len(pairs), 0))]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Hours | None:  # noqa: ARG002
        """None for a form that does not ask for hours at all."""
        if not any(key.startswith(f"{name}-") for key in data):
            return None
        hours: Hours = {}
        for day in range(7):
            for place in range(self.MOST):
                opens = data.get(f"{name}-{day}-{place}-from", "").strip()
                closes = data.get(f"{name}-{day}-{place}-to", "").strip()
                if opens or closes:
                    pair = [opens, "24:00" if closes == "00:00" else closes]
                    hours.setdefault(str(day), []).append(pair)
        return hours


class HoursField(forms.Field):
    """Opening hours as ``Brand.business_hours`` has them, each day in order."""

    widget = HoursWidget

    def clean(self, value: Any) -> Hours | None:
        if value is None:
            return None
        try:
            BusinessHours.parse(value, "UTC")
        except HoursInvalid as refusal:
            day = WEEKDAYS[int(refusal.day)] if refusal.day else ""
            raise forms.ValidationError(
                _("%(day)s: enter two times, the second after the first. An end of 00:00 is midnight.")
                % {"day": day}
            ) from None
        return {day: sorted(pairs) for day, pairs in value.items()}


class BrandForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    timezone = ZoneField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("Posts are scheduled and shown in this zone. Type a city to search."),
    )
    locale = forms.ChoiceField(label=gettext_lazy("Language of its posts"))
    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    country = forms.ChoiceField(
        label=gettext_lazy("Country"),
        required=False,
        help_text=gettext_lazy("Its public holidays stand on the calendar."),
    )
    week_starts_on = forms.TypedChoiceField(
        label=gettext_lazy("First day of the week"), choices=WEEK_STARTS, coerce=int
    )
    business_hours = HoursField(
        label=gettext_lazy("Business hours"),
        required=False,
        help_text=gettext_lazy(
            "When people of the brand answer; response times count these hours only. A day without times is "
            "off. Without any, the brand is taken to answer around the clock."
        ),
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
            "country": BY_ZONE,
            "week_starts_on": 0 if is_japanese else 1,
            "color": Brand._meta.get_field("color").default,
            "business_hours": office_hours(),
        }
        kwargs["initial"] = defaults | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        self.fields["locale"].choices = choices.post_languages()  # type: ignore[attr-defined]
        self.fields["currency"].choices = choices.currencies()  # type: ignore[attr-defined]
        self.fields["country"].choices = [  # type: ignore[attr-defined]
            (BY_ZONE, _("That of the time zone")),
            ("", _("None: no holidays")),
            *choices.countries(),
        ]

    def clean_country(self) -> str | None:
        value: str = self.cleaned_data["country"]
        return None if value == BY_ZONE or "country" not in self.data else value

    def clean_business_hours(self) -> Any:
        hours = self.cleaned_data["business_hours"]
        return self.initial["business_hours"] if hours is None else hours

    @staticmethod
    def initial_of(brand: Brand) -> dict[str, Any]:
        return {name: getattr(brand, name) for name in BrandFacts.__dataclass_fields__}

    def facts(self) -> BrandFacts:
        names = [name for name in BrandFacts.__dataclass_fields__ if name in self.fields]
        return BrandFacts(**{name: self.cleaned_data[name] for name in names})


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
        del self.fields["business_hours"]  # office hours to begin with
        del self.fields["country"]  # that of the time zone
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


class ApiKeyForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        help_text=gettext_lazy("Which program uses it, for example “Web shop”."),
    )
    brand = forms.ModelChoiceField(
        label=gettext_lazy("Brand"),
        queryset=Brand.objects.none(),
        empty_label=None,
        help_text=gettext_lazy("The key works for this brand alone, and cannot be moved to another."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        choices=ApiScope.choices,
        initial=[ApiScope.CONVERSIONS],
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, membership: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["brand"].queryset = Brand.objects.for_member(membership).order_by("name")  # type: ignore[attr-defined]

    def clean_scopes(self) -> list[ApiScope]:
        return [ApiScope(scope) for scope in self.cleaned_data["scopes"]]


# --- notifications ----------------------------------------------------------------------------


class PreferencesForm(forms.Form):
    """For each kind of news: in the app or not, and when by mail; then the times of mails."""

    timezone = ZoneField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("For the times below. Type a city to search."),
    )
    digest_at = forms.TimeField(
        label=gettext_lazy("The mail of the day comes at"), widget=forms.TimeInput(attrs={"type": "time"})
    )
    quiet_from = forms.TimeField(
        label=gettext_lazy("No mails from"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}),
    )
    quiet_until = forms.TimeField(
        label=pgettext_lazy("time", "Until"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in NotificationKind:
            if kind in OPTIONAL_IN_APP:
                self.fields[f"app-{kind}"] = forms.BooleanField(label=_("In the app"), required=False)
            self.fields[f"mail-{kind}"] = forms.ChoiceField(label=_("By mail"), choices=MailChoice.choices)

    @staticmethod
    def initial_of(wishes: Mapping[NotificationKind, Wish], times: MailTimes) -> dict[str, Any]:
        initial: dict[str, Any] = {
            "timezone": times.timezone,
            "digest_at": f"{times.digest_at:%H:%M}",
            "quiet_from": f"{times.quiet_from:%H:%M}" if times.quiet_from else "",
            "quiet_until": f"{times.quiet_until:%H:%M}" if times.quiet_until else "",
        }
        for kind, wish in wishes.items():
            initial |= {f"app-{kind}": wish.in_app, f"mail-{kind}": wish.mail}
        return initial

    def rows(self) -> list[dict[str, Any]]:
        """The kinds in order, each with its fields; ``app`` None where the app always shows it."""
        return [
            {
                "label": kind.label,
                "app": self[f"app-{kind}"] if kind in OPTIONAL_IN_APP else None,
                "mail": self[f"mail-{kind}"],
            }
            for kind in NotificationKind
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "quiet_from" in cleaned and "quiet_until" in cleaned:
            begins, ends = cleaned["quiet_from"], cleaned["quiet_until"]
            if (begins is None) != (ends is None):
                missing = "quiet_from" if begins is None else "quiet_until"
                self.add_error(
                    missing, _("Quiet hours need a beginning and an end. Leave both empty for none.")
                )
            elif begins is not None and begins == ends:
                self.add_error("quiet_until", _("The end must be another time than the beginning."))
        return cleaned

    def wishes(self) -> dict[NotificationKind, Wish]:
        cleaned = self.cleaned_data
        return {
            kind: Wish(cleaned.get(f"app-{kind}", True), cleaned[f"mail-{kind}"]) for kind in NotificationKind
        }

    def times(self) -> TimesFacts:
        return TimesFacts(**{name: self.cleaned_data[name] for name in TimesFacts.__dataclass_fields__})


class WebhookForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        help_text=gettext_lazy("Who listens, for example “Pager of the team”."),
    )
    url = forms.CharField(
        label=pgettext_lazy("web", "Address"),
        max_length=1000,
        widget=forms.URLInput(
            attrs={
                "placeholder": "https://example.com/hooks/smm",
                "autocomplete": "off",
                "spellcheck": "false",
            }
        ),
        help_text=gettext_lazy("Messages are posted there. It must begin with https://."),
    )
    brand = forms.ModelChoiceField(
        label=gettext_lazy("Brand"), queryset=Brand.objects.none(), required=False, empty_label=None
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("What it is told"),
        choices=NotificationKind.choices,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, membership: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brand = cast(forms.ModelChoiceField, self.fields["brand"])
        if membership.has_all_brands:
            brand.empty_label = _("All brands")
            brand.help_text = _("“All brands” tells of what concerns none of them, too.")
        else:
            brand.required = True
        brand.queryset = Brand.objects.for_member(membership).order_by("name")

    @staticmethod
    def initial_of(endpoint: WebhookEndpoint) -> dict[str, Any]:
        return {
            "name": endpoint.name,
            "url": endpoint.url,
            "brand": endpoint.brand_id,
            "kinds": endpoint.kinds,
        }

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"]).partition("#")[0]
        try:
            http.check_guarded(url)
        except ConnectorError as error:
            if url.lower().startswith("http://"):
                raise forms.ValidationError(_("The address must begin with https://.")) from error
            raise forms.ValidationError(address_problem(error)) from error
        return url

    def facts(self) -> WebhookFacts:
        cleaned = self.cleaned_data
        return WebhookFacts(
            name=cleaned["name"],
            url=cleaned["url"],
            kinds=[NotificationKind(kind) for kind in cleaned["kinds"]],
            brand=cleaned["brand"],
        )


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
