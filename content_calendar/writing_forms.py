"""The shape of hashtag groups, snippets and templates as people type them."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Brand, Membership
from connectors.text import find_hashtags
from content_calendar.models import Block

MOST_TAGS = 30  # the most that any network takes in one post
MOST_TEXT = 10_000


class BlockForm(forms.Form):
    """``brand`` is asked for something new only; ``block`` is what is changed."""

    brand = forms.ModelChoiceField(Brand.objects.none(), label=gettext_lazy("Brand"), empty_label=None)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)

    def __init__(self, *args: Any, membership: Membership, block: Block | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brands = Brand.objects.for_member(membership).order_by("name")
        field: Any = self.fields["brand"]
        field.queryset = brands
        if block is not None:
            del self.fields["brand"]


class TemplateForm(BlockForm):
    """A template is written in the composer; here it gets another name."""


class SnippetForm(BlockForm):
    text = forms.CharField(
        label=gettext_lazy("Text"), max_length=MOST_TEXT, widget=forms.Textarea(attrs={"rows": 6})
    )

    def clean_text(self) -> str:
        # Browsers send line ends as CR LF; networks count them.
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")


class HashtagGroupForm(BlockForm):
    tags = forms.CharField(
        label=gettext_lazy("Hashtags"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Separated by spaces, commas or lines, with or without #."),
    )

    def clean_tags(self) -> list[str]:
        """Each once, without its sign, in their order."""
        found: dict[str, str] = {}
        for word in re.split(r"[\s,、，]+", self.cleaned_data["tags"]):
            tag = word.lstrip("#＃")
            if not tag:
                continue
            spans = find_hashtags(f"#{tag}")
            if len(spans) != 1 or spans[0].value != tag or len(tag) > 100:
                raise forms.ValidationError(
                    _("“%(word)s” cannot be a hashtag: it takes letters, digits and _, and no spaces."),
                    params={"word": word},
                )
            found.setdefault(tag.casefold(), tag)
        if not found:
            raise forms.ValidationError(_("Enter at least one hashtag."))
        if len(found) > MOST_TAGS:
            raise forms.ValidationError(
                _("A group has at most %(most)s hashtags."), params={"most": MOST_TAGS}
            )
        return list(found.values())
