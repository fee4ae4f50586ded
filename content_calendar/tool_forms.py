"""What the composer's tools do to its form: pure changes of what stands on the page."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from connectors.base import LinkCard
from content_calendar.content import Part, parts_from_json
from content_calendar.forms import BASE, MOST_PARTS, ComposerInput, EditedPart, edited, fresh_key
from content_calendar.models import Template


def part_of(given: ComposerInput, scope: str, key: str) -> Part | None:
    return next((one.part for one in given.scopes.get(scope, ()) if one.key == key), None)


def with_part(given: ComposerInput, scope: str, key: str, part: Part) -> ComposerInput:
    """The form with another content of one part, its tab open."""
    parts = tuple(EditedPart(one.key, part) if one.key == key else one for one in given.scopes.get(scope, ()))
    return replace(given, scopes={**given.scopes, scope: parts}, tab=scope)


def with_words(given: ComposerInput, scope: str, key: str, words: str) -> ComposerInput:
    """Words at the end of a part, apart from what stands there; hashtags go on in their line."""
    part = part_of(given, scope, key)
    if part is None:
        return given
    before = part.text.rstrip()
    last_line = before.rsplit("\n", 1)[-1]
    is_going_on = words.startswith("#") and last_line.startswith("#")
    between = "" if not before else " " if is_going_on else "\n\n" if words.startswith("#") else " "
    return with_part(given, scope, key, replace(part, text=f"{before}{between}{words}"))


def with_thread(given: ComposerInput, scope: str, key: str, pieces: Sequence[str]) -> ComposerInput:
    """One part as several: its images and link card stay with the first of them."""
    parts: list[EditedPart] = []
    old = given.scopes.get(scope, ())
    if len(old) + len(pieces) - 1 > MOST_PARTS:
        words = _("A thread has at most %(most)s parts.") % {"most": MOST_PARTS}
        return replace(given, errors={**given.errors, "text": words}, tab=scope)
    for one in old:
        if one.key != key:
            parts.append(one)
            continue
        parts.append(EditedPart(key, replace(one.part, text=pieces[0])))
        for piece in pieces[1:]:
            parts.append(EditedPart(fresh_key((*old, *parts)), Part(piece)))
    return replace(given, scopes={**given.scopes, scope: tuple(parts)}, tab=scope)


def with_card(given: ComposerInput, scope: str, key: str, card: LinkCard | None) -> ComposerInput:
    part = part_of(given, scope, key)
    return given if part is None else with_part(given, scope, key, replace(part, link_card=card))


def with_card_error(given: ComposerInput, scope: str, key: str, words: str) -> ComposerInput:
    return replace(given, errors={**given.errors, f"card:{scope}.{key}": words}, tab=scope)


def with_error(given: ComposerInput, field: str, words: str) -> ComposerInput:
    return replace(given, errors={**given.errors, field: words})


def from_template(given: ComposerInput, template: Template, known: Sequence[uuid.UUID]) -> ComposerInput:
    """The form filled with a template. ``known``: the accounts that can be chosen. A template without
    accounts leaves the choice as it is."""
    accounts = tuple(account.pk for account in template.accounts.all() if account.pk in known)
    chosen = accounts or given.accounts
    scopes = {BASE: edited(parts_from_json(template.parts))}
    for pk, parts in template.own_parts.items():
        if uuid.UUID(pk) in chosen:
            scopes[pk] = edited(parts_from_json(parts))
    settings = {uuid.UUID(pk): answers for pk, answers in template.settings.items()}
    return replace(
        given,
        accounts=chosen,
        scopes=scopes,
        settings={**given.settings, **{pk: settings[pk] for pk in settings if pk in chosen}},
        labels=tuple(dict.fromkeys((*given.labels, *(label.pk for label in template.labels.all())))),
        tab=BASE,
    )
