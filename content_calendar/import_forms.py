"""The shape of an import: the file, how it is read, what its columns mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Brand
from campaigns.wording import ENCODINGS
from content_calendar.import_columns import KEYS, is_enough, label, parted
from content_calendar.models import ImportBatch
from content_calendar.selectors.imports import MOST_BYTES, details_asked
from content_calendar.services.imports import Reading
from core.xlsx_reading import TableKind

# Of a thread, in the lists to choose from; a file with more names its columns itself.
_LISTED_PARTS = 5
_DELIMITERS = {",": gettext_lazy("Comma"), ";": gettext_lazy("Semicolon"), "\t": gettext_lazy("Tab")}
_SCHEDULES = [("draft", gettext_lazy("Drafts")), ("schedule", gettext_lazy("Scheduled"))]


class UploadForm(forms.Form):
    """``may_schedule``: whether whoever uploads may publish."""

    brand = forms.ModelChoiceField(
        label=gettext_lazy("Brand"), queryset=Brand.objects.none(), empty_label=None
    )
    file = forms.FileField(
        label=gettext_lazy("CSV or Excel file"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,text/csv"}),
        max_length=255,
    )
    schedules = forms.ChoiceField(
        label=gettext_lazy("Rows without a state become"), choices=_SCHEDULES, initial="draft"
    )

    def __init__(self, *args: Any, brands: Sequence[Brand], may_schedule: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brand = self.fields["brand"]
        assert isinstance(brand, forms.ModelChoiceField)  # noqa: S101 - for the type checker
        brand.queryset = Brand.objects.filter(pk__in=[one.pk for one in brands]).order_by("name")
        if len(brands) == 1:
            brand.widget = forms.HiddenInput()
            brand.initial = brands[0].pk
        if not may_schedule:
            del self.fields["schedules"]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(
                _("The file is larger than %(most)s MB. Split it into several.")
                % {"most": MOST_BYTES // (1024 * 1024)}
            )
        return file


class ReadingForm(forms.Form):
    """How a kept file is read. ``columns()`` are its fields with the words above them in the file."""

    encoding = forms.ChoiceField(label=gettext_lazy("Encoding"))
    delimiter = forms.ChoiceField(
        label=gettext_lazy("Columns are separated by"), choices=list(_DELIMITERS.items())
    )
    schedules = forms.ChoiceField(label=gettext_lazy("Rows without a state become"), choices=_SCHEDULES)

    def __init__(self, *args: Any, batch: ImportBatch, **kwargs: Any) -> None:
        initial = {
            "encoding": batch.encoding,
            "delimiter": batch.delimiter,
            "schedules": "schedule" if batch.schedules else "draft",
            **{f"column_{index}": key for index, key in enumerate(batch.columns)},
        }
        super().__init__(*args, **{"initial": initial, **kwargs})
        self.header: list[str] = batch.header
        encoding = self.fields["encoding"]
        assert isinstance(encoding, forms.ChoiceField)  # noqa: S101 - for the type checker
        names = dict(ENCODINGS) | {batch.encoding: ENCODINGS.get(batch.encoding, batch.encoding)}
        encoding.choices = list({name: (key, name) for key, name in reversed(names.items())}.values())[::-1]
        if batch.kind == TableKind.XLSX:
            del self.fields["encoding"], self.fields["delimiter"]
        if not batch.may_schedule:
            del self.fields["schedules"]
        keys = [key for key in KEYS if parted(key)[1] <= _LISTED_PARTS or key in batch.columns]
        keys += details_asked([batch.brand])
        keys += [key for key in batch.columns if key and key not in keys]  # of single accounts
        choices = [("", _("Leave out")), *((key, label(key)) for key in keys)]
        for index, word in enumerate(self.header):
            self.fields[f"column_{index}"] = forms.ChoiceField(
                label=word or _("Column %(number)s") % {"number": index + 1}, choices=choices, required=False
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chosen = [key for key in self._columns(cleaned) if key]
        # Another encoding or separator makes other columns: those are recognised anew then.
        if {"encoding", "delimiter"} & set(self.changed_data):
            return cleaned
        for key in sorted({key for key in chosen if chosen.count(key) > 1}):
            self.add_error(None, _("“%(column)s” is chosen for two columns.") % {"column": label(key)})
        if not is_enough(chosen):
            self.add_error(None, _("Say which column holds the text, or the images."))
        return cleaned

    def _columns(self, cleaned: dict[str, Any]) -> list[str]:
        return [cleaned.get(f"column_{index}", "") for index in range(len(self.header))]

    def reading(self) -> Reading:
        cleaned = self.cleaned_data
        return Reading(
            encoding=cleaned.get("encoding", ""),
            delimiter=cleaned.get("delimiter", ""),
            columns=tuple(self._columns(cleaned)),
            schedules=cleaned.get("schedules") == "schedule",
        )
