"""The shape of what people enter around the calendar: labels, notes, saved filters, feeds."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Brand
from content_calendar.forms import filter_query, post_filter
from content_calendar.models import CalendarNote, Label, LabelTone, SavedFilter
from content_calendar.services.filters import FilterFacts
from core.entering import EARLIEST_YEAR, LATEST_YEAR

MOST_QUERY = 2000


def _brand_field(form: forms.Form, brands: tuple[Brand, ...]) -> None:
    """Which of several; one alone is not asked for."""
    field = form.fields["brand"]
    field.choices = [(str(brand.pk), brand.name) for brand in brands]  # type: ignore[attr-defined]
    if len(brands) == 1:
        field.widget = forms.HiddenInput()
        field.initial = str(brands[0].pk)


class LabelForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=40)
    tone = forms.ChoiceField(
        label=gettext_lazy("Colour"), choices=LabelTone.choices, initial=LabelTone.BLUE.value
    )

    @staticmethod
    def initial_of(label: Label) -> dict[str, Any]:
        return {"name": label.name, "tone": label.tone}


class NewLabelForm(LabelForm):
    """``brands``: those that it can belong to."""

    brand = forms.ChoiceField(label=gettext_lazy("Brand"))

    def __init__(self, *args: Any, brands: tuple[Brand, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _brand_field(self, brands)


class QuickLabelForm(forms.Form):
    """A label that is made while a post is written."""

    new_label = forms.CharField(max_length=40)


class DateField(forms.DateField):
    """A day of the years that plans are made in."""

    def __init__(self, **given: Any) -> None:
        super().__init__(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **given)

    def clean(self, value: Any) -> dt.date | None:
        day: dt.date | None = super().clean(value)
        if day is not None and not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return day


class NoteForm(forms.Form):
    """``brand`` only for a new one: a note stays with its brand."""

    brand = forms.ChoiceField(label=gettext_lazy("Brand"))
    text = forms.CharField(label=gettext_lazy("Note"), max_length=200)
    first = DateField(label=gettext_lazy("First day"))
    last = DateField(
        label=gettext_lazy("Last day, inclusive"),
        required=False,
        help_text=gettext_lazy("Empty: one day."),
    )
    tone = forms.ChoiceField(
        label=gettext_lazy("Colour"), choices=LabelTone.choices, initial=LabelTone.YELLOW.value
    )

    def __init__(self, *args: Any, brands: tuple[Brand, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if brands:
            _brand_field(self, brands)
        else:
            del self.fields["brand"]

    @staticmethod
    def initial_of(note: CalendarNote) -> dict[str, Any]:
        return {"text": note.text, "first": note.first_date, "last": note.last_date, "tone": note.tone}

    def note(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {
            "first": given["first"],
            "last": given["last"] or given["first"],
            "text": given["text"],
            "tone": LabelTone(given["tone"]),
        }


class _QueryField(forms.CharField):
    """A filter as it stands in an address; what makes no sense in it is left out."""

    def __init__(self, **given: Any) -> None:
        super().__init__(max_length=MOST_QUERY, widget=forms.HiddenInput(), **given)

    def clean(self, value: Any) -> str:
        return checked_query(super().clean(value))


def checked_query(value: str) -> str:
    """The same filter as this installation writes it."""
    query = QueryDict(value[:MOST_QUERY])
    brand = query.get("brand", "")
    try:
        pk = Brand._meta.pk.to_python(brand) if brand else None
    except forms.ValidationError:
        pk = None
    return filter_query(post_filter(query), pk)


class FilterForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    is_shared = forms.BooleanField(
        label=gettext_lazy("Everybody of the organization may use it"), required=False
    )
    is_default = forms.BooleanField(
        label=gettext_lazy("Show it when I open the calendar or the posts"), required=False
    )
    query = _QueryField(required=False)

    def clean_query(self) -> str:
        query: str = self.cleaned_data["query"]
        if not query:
            raise forms.ValidationError(_("Nothing is filtered. Choose filters in the calendar first."))
        return query

    @staticmethod
    def initial_of(kept: SavedFilter) -> dict[str, Any]:
        return {name: getattr(kept, name) for name in FilterFacts.__dataclass_fields__}

    def facts(self) -> FilterFacts:
        return FilterFacts(**self.cleaned_data)


class FeedForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    filter = forms.ChoiceField(label=gettext_lazy("Posts"), required=False)

    def __init__(self, *args: Any, filters: list[SavedFilter], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._filters = {str(one.pk): one for one in filters}
        self.fields["filter"].choices = [  # type: ignore[attr-defined]
            ("", _("All that I may see")),
            *((pk, one.name) for pk, one in self._filters.items()),
        ]

    def query(self) -> str:
        kept = self._filters.get(self.cleaned_data["filter"])
        return kept.query if kept else ""
