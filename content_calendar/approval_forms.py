"""The shape of what comes in about approvals."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Brand
from content_calendar.models import REMIND_AFTER_H, ApprovalRule, ApprovalRules, Post
from content_calendar.selectors.approval import for_client
from content_calendar.services.review_links import (
    LONGEST_DAYS,
    MOST_POSTS,
    SHORTEST_DAYS,
    STANDARD_DAYS,
    LinkFacts,
)

MOST_TEXT = 5000
REMINDERS = (
    (0, gettext_lazy("Never")),
    (4, gettext_lazy("After 4 hours")),
    (12, gettext_lazy("After 12 hours")),
    (24, gettext_lazy("After a day")),
    (48, gettext_lazy("After two days")),
    (72, gettext_lazy("After three days")),
)


class RulesForm(forms.Form):
    """What a brand asks for."""

    rule = forms.ChoiceField(
        label=gettext_lazy("Before a post may be scheduled"), choices=ApprovalRule, widget=forms.RadioSelect
    )
    remind_after_h = forms.TypedChoiceField(
        label=gettext_lazy("Remind of an answer that is missing"),
        choices=REMINDERS,
        coerce=int,
        help_text=gettext_lazy(
            "Three times at most, each time after twice as long; and once more when the planned time is "
            "twelve hours away."
        ),
    )

    @staticmethod
    def initial_of(rules: ApprovalRules) -> dict[str, Any]:
        known = {hours for hours, _words in REMINDERS}
        hours = rules.remind_after_h if rules.remind_after_h in known else REMIND_AFTER_H
        return {"rule": rules.rule, "remind_after_h": hours}


def _text_field(*, required: bool) -> forms.CharField:
    return forms.CharField(required=required, max_length=MOST_TEXT, strip=True)


class ApproveForm(forms.Form):
    """A yes to what was seen: a PostVersion that somebody asked about, or (``seen``) a post as it stood."""

    version = forms.UUIDField(required=False)
    seen = forms.IntegerField(required=False, min_value=0)


class ChangesForm(forms.Form):
    """A no, with what should change."""

    version = forms.UUIDField()
    text = _text_field(required=True)


class CommentForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("Comment"), max_length=MOST_TEXT, widget=forms.Textarea(attrs={"rows": 3})
    )
    is_shared = forms.BooleanField(label=gettext_lazy("The client may read it"), required=False)


class LinkForm(forms.Form):
    """A link for posts of ``brand`` that wait for a client."""

    posts = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Posts"), queryset=Post.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    client_name = forms.CharField(label=gettext_lazy("Client"), max_length=120)
    client_email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        required=False,
        help_text=gettext_lazy(
            "The link is mailed there, and so are reminders. Without an address you hand the link over "
            "yourself."
        ),
    )
    note = forms.CharField(
        label=gettext_lazy("Note to the client"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    days = forms.IntegerField(
        label=gettext_lazy("Works for so many days"),
        min_value=SHORTEST_DAYS,
        max_value=LONGEST_DAYS,
        initial=STANDARD_DAYS,
    )
    language = forms.ChoiceField(label=gettext_lazy("Language of the mails"), choices=settings.LANGUAGES)

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A queryset that is cut cannot be asked for what was chosen.
        first = list(for_client(brand).values_list("pk", flat=True)[:MOST_POSTS])
        self.fields["posts"].queryset = for_client(brand).filter(pk__in=first)  # type: ignore[attr-defined]

    def clean_posts(self) -> list[uuid.UUID]:
        return [post.pk for post in self.cleaned_data["posts"]]

    def facts(self) -> LinkFacts:
        given = self.cleaned_data
        return LinkFacts(
            given["client_name"], given["client_email"], given["note"], given["days"], given["language"]
        )


class ClientForm(forms.Form):
    """What a client answers. ``decision``: approve, changes or comment."""

    decision = forms.ChoiceField(choices=[(one, one) for one in ("approve", "changes", "comment")])
    version = forms.UUIDField(required=False)
    name = forms.CharField(max_length=120)
    text = _text_field(required=False)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        decision = given.get("decision")
        if decision in ("changes", "comment") and not given.get("text") and "text" not in self.errors:
            self.add_error(
                "text",
                _("Say what should change.") if decision == "changes" else _("Write a comment first."),
            )
        if decision in ("approve", "changes") and given.get("version") is None:
            self.add_error(None, _("This page is out of date. Load it again, and decide then."))
        return given
