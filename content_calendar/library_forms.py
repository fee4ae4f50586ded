"""The shape of what comes in about the media library."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django import forms
from django.db.models import F
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Brand
from content_calendar.content import MOST_ALT
from content_calendar.models import MediaAsset, MediaFolder, MediaKind
from content_calendar.selectors.library import LibraryFilter
from content_calendar.services.library import MOST_AT_ONCE, MOST_TAGS_EACH, Description
from content_calendar.services.media import Cut

# Shapes that networks show in full, width to height.
SHAPES: dict[str, tuple[int, int]] = {"1:1": (1, 1), "4:5": (4, 5), "16:9": (16, 9), "9:16": (9, 16)}
FREE = "free"


def _uuid(value: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(value)
    except ValueError:
        return None


def library_filter(query: QueryDict) -> LibraryFilter:
    """The filter that stands in an address; what makes no sense in it is left out."""
    return LibraryFilter(
        text=query.get("q", "").replace("\x00", "")[:200].strip(),
        folder=_uuid(query.get("folder", "")),
        tag=_uuid(query.get("tag", "")),
        kind=kind if (kind := query.get("kind", "")) in MediaKind.values else "",
        is_unused=query.get("unused") == "1",
    )


def split_tags(value: str) -> tuple[str, ...]:
    """Tags as people write them: with commas between, Japanese ones too."""
    names = (" ".join(name.split()) for name in re.split(r"[,、，\n]", value))
    return tuple(dict.fromkeys(name for name in names if name))


def chosen_assets(query: QueryDict) -> list[uuid.UUID]:
    found = [pk for pk in map(_uuid, query.getlist("asset")) if pk]
    return list(dict.fromkeys(found))[:MOST_AT_ONCE]


class TagsField(forms.CharField):
    """A tuple of names."""

    def clean(self, value: Any) -> Any:
        names = split_tags(super().clean(value))
        if any(len(name) > 40 for name in names):
            raise forms.ValidationError(_("A tag has at most 40 characters."))
        if len(names) > MOST_TAGS_EACH:
            raise forms.ValidationError(_("At most %(most)s tags.") % {"most": MOST_TAGS_EACH})
        return names


class FolderField(forms.ModelChoiceField):
    """One of the brand's folders, those in others below them."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.parent.name} / {obj.name}" if obj.parent_id else obj.name


def folders_to_choose(brand: Brand, *, at_top: bool = False) -> Any:
    rows = MediaFolder.objects.for_brand(brand).select_related("parent")
    if at_top:
        return rows.filter(parent=None).order_by("name")
    return rows.order_by(Coalesce("parent__name", "name"), F("parent").asc(nulls_first=True), "name")


class DescribeForm(forms.Form):
    """What people say about one asset."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=255, required=False)
    alt_text = forms.CharField(
        label=gettext_lazy("Alternative text"),
        max_length=MOST_ALT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Taken over into each post that uses it; it can be changed there."),
    )
    tags = TagsField(
        label=gettext_lazy("Tags"),
        required=False,
        max_length=1000,
        help_text=gettext_lazy("With commas between them."),
    )
    folder = FolderField(
        label=gettext_lazy("Folder"), queryset=MediaFolder.objects.none(), required=False, empty_label="–"
    )
    focal_x = forms.IntegerField(
        label=gettext_lazy("Focal point, from the left"),
        min_value=0,
        max_value=100,
        widget=forms.NumberInput(attrs={"type": "range", "data-focal": "x"}),
    )
    focal_y = forms.IntegerField(
        label=gettext_lazy("Focal point, from the top"),
        min_value=0,
        max_value=100,
        widget=forms.NumberInput(attrs={"type": "range", "data-focal": "y"}),
    )

    def __init__(self, *args: Any, asset: MediaAsset, **kwargs: Any) -> None:
        kwargs["initial"] = {
            "name": str(asset),
            "alt_text": asset.alt_text,
            "tags": ", ".join(asset.tags.order_by("name").values_list("name", flat=True)),
            "folder": asset.folder_id,
            "focal_x": asset.focal_x,
            "focal_y": asset.focal_y,
        }
        super().__init__(*args, **kwargs)
        self.fields["folder"].queryset = folders_to_choose(asset.brand)  # type: ignore[attr-defined]

    def said(self) -> Description:
        clean = self.cleaned_data
        return Description(
            name=clean["name"],
            alt_text=clean["alt_text"],
            tags=clean["tags"],
            folder=clean["folder"].pk if clean["folder"] else None,
            focal_x=clean["focal_x"],
            focal_y=clean["focal_y"],
        )


class FolderForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    parent = FolderField(
        label=gettext_lazy("In"),
        queryset=MediaFolder.objects.none(),
        required=False,
        empty_label=gettext_lazy("At the top"),
    )

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent"].queryset = folders_to_choose(brand, at_top=True)  # type: ignore[attr-defined]


class TrimForm(forms.Form):
    """Two moments of a video, in seconds from its beginning."""

    first = forms.DecimalField(min_value=0, max_value=100_000, decimal_places=3)
    last = forms.DecimalField(min_value=0, max_value=100_000, decimal_places=3)

    def stretch(self) -> tuple[int, int]:
        """In milliseconds."""
        return int(self.cleaned_data["first"] * 1000), int(self.cleaned_data["last"] * 1000)


class CropForm(forms.Form):
    """A rectangle in pixels, or a shape alone: then the largest one around the focal point is meant."""

    shape = forms.ChoiceField(choices=[(key, key) for key in (*SHAPES, FREE)])
    x = forms.IntegerField(min_value=0, required=False)
    y = forms.IntegerField(min_value=0, required=False)
    width = forms.IntegerField(min_value=1, required=False)
    height = forms.IntegerField(min_value=1, required=False)

    def cut(self) -> Cut | None:
        """None where a shape alone was chosen."""
        numbers = [self.cleaned_data[name] for name in ("x", "y", "width", "height")]
        return None if None in numbers else Cut(*numbers)
