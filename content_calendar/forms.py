"""The shape of what comes in: the composer's page, filters, times in a brand's zone."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connectors.base import LinkCard
from content_calendar.answers import MOST_ANSWER, Answer, AnswersByAccount
from content_calendar.content import (
    MOST_ALT,
    MOST_TEXT,
    MOST_WARNING,
    MediaUse,
    Part,
    Parts,
    alike_guarded,
)
from content_calendar.selectors.posts import PostFilter
from content_calendar.selectors.states import PostState
from content_calendar.services.drafts import Draft
from core.wall_time import wall_time
from outbox.missed import CHOICES, rule_of

BASE = "base"
KEY = re.compile(r"[0-9a-z]{1,12}")
MOST_PARTS = 40
MOST_MEDIA = 20
MOST_ASKED = 400  # fields of networks on one page
_MOST_KEPT = 10 * MOST_TEXT  # of one that is too long, on the page: nothing of it is saved


def _uuid(value: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(value)
    except ValueError:
        return None


def _words(query: QueryDict, name: str, most: int) -> str:
    """A text field, at most ``most`` characters, without the NUL that no database takes."""
    return query.get(name, "").replace("\x00", "")[:most]


class MoveForm(forms.Form):
    """Another time for a post. ``local_time`` is wall time in ``zone``."""

    local_time = forms.CharField(
        label=gettext_lazy("New time"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "60"}),
    )

    def __init__(self, *args: object, zone: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.zone = zone

    def clean_local_time(self) -> dt.datetime:
        return wall_time(self.cleaned_data["local_time"], self.zone)


class AnswerForm(forms.Form):
    """What somebody saw on the network."""

    did_appear = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])
    permalink = forms.URLField(required=False, max_length=1000, assume_scheme="https")


def post_filter(query: QueryDict) -> PostFilter:
    """The filter that stands in an address; what makes no sense in it is left out."""
    author = query.get("author", "")
    return PostFilter(
        accounts=frozenset(pk for pk in map(_uuid, query.getlist("account")) if pk),
        platforms=frozenset(value for value in query.getlist("network") if value),
        states=frozenset(PostState(v) for v in query.getlist("state") if v in PostState.values),
        author=int(author) if author.isascii() and author.isdigit() and len(author) < 10 else None,
        campaign=_uuid(query.get("campaign", "")),
        labels=frozenset(pk for pk in map(_uuid, query.getlist("label")) if pk),
        text=_words(query, "q", 200).strip(),
    )


def filter_query(wanted: PostFilter, brand: uuid.UUID | None = None) -> str:
    """How a filter (and the brand that it is for) stands in an address; ``post_filter`` reads it again."""
    query = QueryDict(mutable=True)
    for name, value in (("brand", brand), ("author", wanted.author), ("campaign", wanted.campaign)):
        if value:
            query[name] = str(value)
    for name, values in (
        ("account", wanted.accounts),
        ("network", wanted.platforms),
        ("state", wanted.states),
        ("label", wanted.labels),
    ):
        if values:
            query.setlist(name, sorted(map(str, values)))
    if wanted.text:
        query["q"] = wanted.text
    return query.urlencode()


@dataclass(frozen=True, slots=True)
class EditedPart:
    """A part with the key that names its fields on the page."""

    key: str
    part: Part


@dataclass(frozen=True, slots=True)
class ComposerInput:
    """What the composer's form holds, before anything is decided about it.

    ``scopes`` has the parts as they are edited: of the post itself under BASE, of an account with words of
    its own under its id. ``settings``: what was answered of each account, chosen or not, as it was typed.
    ``errors`` are by field: "time", "text", "late", "setting:ACCOUNT".
    """

    version: int = 0
    page: str = ""  # names the page that edits, see Post.edited_in
    accounts: tuple[uuid.UUID, ...] = ()
    scopes: Mapping[str, tuple[EditedPart, ...]] = field(default_factory=dict)
    date: str = ""
    time: str = ""
    planned_at: dt.datetime | None = None
    campaign: uuid.UUID | None = None
    late: str = ""  # the key of a MissedRule, "" for what the brand does
    labels: tuple[uuid.UUID, ...] = ()
    settings: AnswersByAccount = field(default_factory=dict)
    tab: str = BASE
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def draft(self) -> Draft:
        return Draft(
            parts=self._parts(BASE) or (Part(),),
            accounts=self.accounts,
            own_parts={pk: self._parts(str(pk)) for pk in self.accounts if str(pk) in self.scopes},
            planned_at=self.planned_at,
            campaign=self.campaign,
            missed=rule_of(self.late),
            labels=self.labels,
            settings={pk: self.settings[pk] for pk in self.accounts if self.settings.get(pk)},
        )

    def _parts(self, scope: str) -> Parts:
        return alike_guarded([edited.part for edited in self.scopes.get(scope, ())])

    @property
    def base(self) -> tuple[EditedPart, ...]:
        return self.scopes.get(BASE, ())


def composer_input(query: QueryDict, *, zone: str, kept_late: str = "") -> ComposerInput:
    """Read the composer's form. Never raises: what cannot be read becomes an error of its field.
    ``kept_late``: the rule for being late that the post has already, listed or not."""
    errors: dict[str, str] = {}
    accounts = tuple(dict.fromkeys(pk for pk in map(_uuid, query.getlist("account")) if pk))
    own = {str(pk) for pk in map(_uuid, query.getlist("custom")) if pk}
    scopes = {BASE: _scope(query, BASE, errors) or (EditedPart("0", Part()),)}
    for account in sorted(own)[:MOST_PARTS]:
        scopes[account] = _scope(query, account, errors) or (EditedPart("0", Part()),)
    date, time = query.get("date", "").strip(), query.get("time", "").strip()
    planned_at = None
    if date or time:
        try:
            planned_at = wall_time(f"{date}T{time}", zone)
        except forms.ValidationError as refusal:
            errors["time"] = refusal.messages[0]
    late = query.get("late", "")
    if late and late not in CHOICES and late != kept_late:
        errors["late"], late = _("Choose one of the rules that are listed."), ""
    version = query.get("version", "0")
    return ComposerInput(
        version=int(version) if version.isascii() and version.isdigit() and len(version) < 9 else 0,
        page=_words(query, "page", 36),
        accounts=accounts,
        scopes=scopes,
        date=date,
        time=time,
        planned_at=planned_at,
        campaign=_uuid(query.get("campaign", "")),
        late=late,
        labels=tuple(dict.fromkeys(pk for pk in map(_uuid, query.getlist("label")) if pk)),
        settings=_answers(query, errors),
        tab=query.get("tab", BASE)[:36],
        errors=errors,
    )


def _answers(query: QueryDict, errors: dict[str, str]) -> dict[uuid.UUID, dict[str, Answer]]:
    """Of every field that the page asked ("asked": ACCOUNT.NAME), "" where nothing came back: a box that is
    not ticked sends nothing."""
    found: dict[uuid.UUID, dict[str, Answer]] = {}
    for value in query.getlist("asked")[:MOST_ASKED]:
        scope, _dot, name = value.partition(".")
        if (account := _uuid(scope)) is None or not name:
            continue
        answer = query.get(f"{account}.setting.{name}", "")
        if len(answer) > MOST_ANSWER:
            errors["text"] = _("No network takes texts of more than %(most)s characters.") % {
                "most": MOST_ANSWER
            }
            answer = answer[:_MOST_KEPT]
        found.setdefault(account, {})[name] = answer
    return found


def _scope(query: QueryDict, scope: str, errors: dict[str, str]) -> tuple[EditedPart, ...]:
    found: dict[str, EditedPart] = {}
    warning = " ".join(_words(query, f"{scope}.warning", MOST_WARNING).split())
    is_sensitive = bool(query.get(f"{scope}.sensitive"))
    for key in query.getlist(f"{scope}.part"):
        if not KEY.fullmatch(key) or key in found:
            continue
        if len(found) == MOST_PARTS:
            errors["text"] = _("A thread has at most %(most)s parts.") % {"most": MOST_PARTS}
            break
        name = f"{scope}.{key}"
        # Browsers send line ends as CR LF; networks count them.
        text = query.get(f"{name}.text", "").replace("\r\n", "\n").replace("\x00", "")
        if len(text) > MOST_TEXT:
            errors["text"] = _("No network takes texts of more than %(most)s characters.") % {
                "most": MOST_TEXT
            }
            text = text[:_MOST_KEPT]
        if query.get(f"{name}.comment"):
            part = Part(text, is_comment=True)
        else:
            part = Part(text, _media(query, name), _card(query, name))
        found[key] = EditedPart(key, replace(part, warning=warning, is_sensitive=is_sensitive))
    return _in_order(found.values())


def _in_order(parts: Iterable[EditedPart]) -> tuple[EditedPart, ...]:
    """The thread, then its first comment: one at most."""
    rows = list(parts)
    thread = [one for one in rows if not one.part.is_comment]
    if rows and not thread:  # a comment needs something to stand below
        thread = [EditedPart(fresh_key(rows), Part())]
    return (*thread, *[one for one in rows if one.part.is_comment][:1])


def _media(query: QueryDict, name: str) -> tuple[MediaUse, ...]:
    used = dict.fromkeys(pk for pk in map(_uuid, query.getlist(f"{name}.media")) if pk)
    return tuple(
        MediaUse(pk, _words(query, f"{name}.alt.{pk}", MOST_ALT).strip()) for pk in list(used)[:MOST_MEDIA]
    )


def _card(query: QueryDict, name: str) -> LinkCard | None:
    url = _words(query, f"{name}.card_url", 2000).strip()
    if not url:
        return None
    if not re.match(r"(?i)https?://", url):
        url = f"https://{url}"
    return LinkCard(
        url=url,
        title=_words(query, f"{name}.card_title", 300).strip(),
        description=_words(query, f"{name}.card_description", 1000).strip(),
        image_url=_picture(query, name),
    )


def _picture(query: QueryDict, name: str) -> str:
    """The card's picture, as the page was read; kept in the form, and never drawn from it by us unguarded."""
    url = _words(query, f"{name}.card_image", 2000).strip()
    return url if re.match(r"(?i)https?://", url) else ""


# --- changes of the page's structure, done by the server so that they work without scripts ------


def edited(parts: Parts) -> tuple[EditedPart, ...]:
    return tuple(EditedPart(str(index), part) for index, part in enumerate(parts or (Part(),)))


def input_of(draft: Draft, *, version: int, page: str, date: str, time: str) -> ComposerInput:
    """The form that shows a saved draft."""
    scopes = {BASE: edited(draft.parts)}
    scopes |= {str(pk): edited(parts) for pk, parts in draft.own_parts.items()}
    return ComposerInput(
        version=version,
        page=page,
        accounts=draft.accounts,
        scopes=scopes,
        date=date,
        time=time,
        planned_at=draft.planned_at,
        campaign=draft.campaign,
        late=draft.missed.key if draft.missed else "",
        labels=draft.labels,
        settings=draft.settings,
    )


def apply_change(given: ComposerInput, change: str) -> ComposerInput:
    """``change`` is a button's value: ``tab:SCOPE``, ``add|comment:SCOPE``, ``remove|up|down:SCOPE.KEY``,
    ``customise:ACCOUNT`` or ``revert:ACCOUNT``. One that does not fit the form leaves it as it is."""
    verb, _colon, target = change.partition(":")
    scopes = dict(given.scopes)
    if verb == "tab":
        return replace(given, tab=target)
    if verb == "customise":
        account = _uuid(target)
        if account not in given.accounts or target in scopes:
            return given
        scopes[target] = scopes[BASE]
        return replace(given, scopes=scopes, tab=target)
    if verb == "revert":
        scopes.pop(target, None) if target != BASE else None
        return replace(given, scopes=scopes, tab=target if target != BASE else given.tab)
    scope, _dot, key = target.partition(".")
    parts = list(scopes.get(scope, ()))
    if not parts:
        return given
    if verb == "add" and len(parts) < MOST_PARTS:
        parts.append(EditedPart(fresh_key(parts), Part()))
    elif verb == "comment" and len(parts) < MOST_PARTS:
        parts.append(EditedPart(fresh_key(parts), Part(is_comment=True)))
    else:
        index = next((i for i, part in enumerate(parts) if part.key == key), None)
        if index is None:
            return given
        if verb == "remove" and (parts[index].part.is_comment or len(_thread(parts)) > 1):
            parts.pop(index)
        elif verb == "up" and index > 0:
            parts[index - 1], parts[index] = parts[index], parts[index - 1]
        elif verb == "down" and index < len(parts) - 1:
            parts[index + 1], parts[index] = parts[index], parts[index + 1]
    scopes[scope] = _in_order(parts)
    return replace(given, scopes=scopes, tab=scope)


def fresh_key(parts: Sequence[EditedPart]) -> str:
    taken = {part.key for part in parts}
    return next(str(n) for n in range(MOST_PARTS + 1) if str(n) not in taken)


def _thread(parts: Sequence[EditedPart]) -> list[EditedPart]:
    return [one for one in parts if not one.part.is_comment]


def with_media(given: ComposerInput, scope: str, key: str, assets: list[uuid.UUID]) -> ComposerInput:
    """The form with images appended to one part (files that came with the form itself)."""
    parts = tuple(
        EditedPart(
            one.key,
            replace(one.part, media=(*one.part.media, *(MediaUse(pk) for pk in assets))),
        )
        if one.key == key
        else one
        for one in given.scopes.get(scope, ())
    )
    return replace(given, scopes={**given.scopes, scope: parts})


class PreflightForm(forms.Form):
    """How far a check looks ahead."""

    days = forms.IntegerField(min_value=1, max_value=7)
