"""The shape of what comes in: filters of the list, answers, notes, times in a brand's zone, settings."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Brand, Membership, User
from campaigns.models import Campaign
from connectors.base import ModerationAction
from core.time import LocalTimeMissing, to_local, to_utc
from engagement.models import ConversationKind, ConversationState, SavedReply
from engagement.selectors.inbox import InboxFilter, Order, Whose

ALL = "all"
MOST_TEXT = 30_000  # characters of one message; no network takes more
MOST_NOTE = 10_000
MORNING = dt.time(9, 0)
MOST_MINUTES = 30 * 24 * 60


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def inbox_filter(query: QueryDict) -> InboxFilter:
    """The filter that stands in an address; what makes no sense in it is left out. Words are looked for
    everywhere, unless a state is named."""
    text = query.get("q", "").replace("\x00", "")[:200].strip()
    state = query.get("state", ALL if text else "")
    whose, kind, order = query.get("whose", ""), query.get("kind", ""), query.get("order", "")
    return InboxFilter(
        state=None if state == ALL else _state(state),
        whose=Whose(whose) if whose in list(Whose) else Whose.ANYBODY,
        platform=query.get("network", "")[:24],
        account=_uuid(query.get("account", "")),
        kind=ConversationKind(kind) if kind in ConversationKind.values else None,
        text=text,
        order=Order(order) if order in list(Order) else Order.NEWEST,
    )


def _state(name: str) -> ConversationState:
    return ConversationState(name) if name in ConversationState.values else ConversationState.OPEN


class _Lines(forms.CharField):
    """Text of several lines, as it was typed: browsers send line ends as CR LF, and networks count them."""

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n").replace("\x00", "")


class SeenForm(forms.Form):
    """Up to which message a page showed the conversation."""

    seen = forms.IntegerField(min_value=0)


class ReplyForm(SeenForm):
    """An answer. ``key`` is made with the form; ``to`` is the message that is answered."""

    text = _Lines(
        label=gettext_lazy("Your reply"),
        max_length=MOST_TEXT,
        strip=False,
        error_messages={"required": gettext_lazy("Write a reply first.")},
    )
    key = forms.UUIDField()
    to = forms.UUIDField(required=False)
    campaign = forms.ModelChoiceField(
        label=gettext_lazy("Campaign"),
        queryset=Campaign.objects.none(),
        required=False,
        empty_label=gettext_lazy("No campaign"),
    )

    def __init__(self, *args: Any, campaigns: QuerySet[Campaign], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["campaign"].queryset = campaigns  # type: ignore[attr-defined]


class DoneForm(SeenForm):
    without_answer = forms.BooleanField(required=False)


class NoteForm(forms.Form):
    text = _Lines(
        label=gettext_lazy("Note for colleagues"),
        max_length=MOST_NOTE,
        error_messages={"required": gettext_lazy("Write a note first.")},
    )


class AssignForm(forms.Form):
    """Somebody of ``colleagues``, or nobody."""

    assignee = forms.ModelChoiceField(queryset=User.objects.none(), required=False)

    def __init__(self, *args: Any, colleagues: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assignee"].queryset = colleagues  # type: ignore[attr-defined]


class ModerateForm(forms.Form):
    action = forms.ChoiceField(choices=[(action.value, action.value) for action in ModerationAction])

    def clean_action(self) -> ModerationAction:
        return ModerationAction(self.cleaned_data["action"])


class AppearedForm(forms.Form):
    """What somebody saw on the network."""

    did_appear = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])


# --- snoozing -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SnoozeChoice:
    """A time that is offered. ``wall`` is what the form sends: wall time of the brand's zone."""

    label: str
    wall: str
    at: dt.datetime


def snooze_choices(zone: str, now: dt.datetime) -> list[SnoozeChoice]:
    """In three hours, tomorrow morning and next Monday morning, in ``zone``."""
    here = to_local(now, zone)
    later = (here + dt.timedelta(hours=3)).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    tomorrow = dt.datetime.combine(here.date() + dt.timedelta(days=1), MORNING)
    monday = dt.datetime.combine(here.date() + dt.timedelta(days=7 - here.weekday()), MORNING)
    named = [(_("Later today"), later), (_("Tomorrow morning"), tomorrow), (_("Next Monday"), monday)]
    return [
        SnoozeChoice(label, wall.strftime("%Y-%m-%dT%H:%M"), _instant(wall, zone))
        for label, wall in named
        if (wall is not later or wall.date() == here.date()) and (wall is not monday or monday != tomorrow)
    ]


def _instant(wall: dt.datetime, zone: str) -> dt.datetime:
    """An hour that the clock skips is the first one after it: it is only a reminder."""
    try:
        return to_utc(wall, zone)
    except LocalTimeMissing as gap:
        return to_utc(gap.next_valid, zone)


class SnoozeForm(SeenForm):
    """``until`` is wall time in ``zone``."""

    until = forms.DateTimeField(
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        error_messages={
            "required": gettext_lazy("Enter a date and a time."),
            "invalid": gettext_lazy("Enter a date and a time."),
        },
    )

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone

    def clean_until(self) -> dt.datetime:
        wall: dt.datetime = self.cleaned_data["until"].replace(tzinfo=None)
        # A slip of the finger; and near the ends of the calendar other zones have no such day.
        if not 2000 <= wall.year <= 2100:
            raise forms.ValidationError(_("Enter a date and a time."))
        return _instant(wall, self.zone)


# --- settings -------------------------------------------------------------------------------------


class SavedReplyForm(forms.Form):
    brand = forms.ModelChoiceField(
        label=gettext_lazy("Brand"), queryset=Brand.objects.none(), empty_label=None
    )
    title = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=120,
        help_text=gettext_lazy("By this your colleagues find it."),
    )
    text = _Lines(
        label=gettext_lazy("Text"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("{name} becomes the name of whoever is answered."),
    )

    def __init__(
        self, *args: Any, membership: Membership, reply: SavedReply | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        brands = Brand.objects.for_member(membership).order_by("name")
        self.fields["brand"].queryset = brands  # type: ignore[attr-defined]
        if reply is not None:
            del self.fields["brand"]  # a reply stays with the brand whose voice it is
        elif len(brands) == 1:
            self.fields["brand"].initial = brands[0]
            self.fields["brand"].widget = forms.HiddenInput()


UNITS = (
    (1, gettext_lazy("minutes")),
    (60, gettext_lazy("hours")),
)


class PromiseForm(forms.Form):
    """Within how much business time a brand answers."""

    amount = forms.IntegerField(label=gettext_lazy("Answer within"), min_value=1)
    unit = forms.TypedChoiceField(label=gettext_lazy("Unit"), choices=UNITS, coerce=int)

    @staticmethod
    def initial_of(minutes: int) -> dict[str, int]:
        unit = 60 if minutes % 60 == 0 else 1
        return {"amount": minutes // unit, "unit": unit}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "amount" in cleaned and "unit" in cleaned and self.minutes() > MOST_MINUTES:
            self.add_error("amount", _("Promise an answer within 720 hours of business time at most."))
        return cleaned

    def minutes(self) -> int:
        return int(self.cleaned_data["amount"]) * int(self.cleaned_data["unit"])
