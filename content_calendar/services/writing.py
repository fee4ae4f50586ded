"""What a brand keeps to write with: hashtag groups, snippets, templates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from django.db import IntegrityError, transaction

from accounts.models import Brand, SocialAccount, User
from content_calendar.content import Part, Parts, parts_to_json
from content_calendar.models import Block, HashtagGroup, Label, Snippet, Template
from content_calendar.services.drafts import Draft


class NameTaken(Exception):
    """The brand has one of this kind and name already."""


class NothingToKeep(Exception):
    """A template of a post without words."""


def save_group(
    *,
    brand: Brand,
    name: str,
    tags: Sequence[str],
    actor: User,
    now: dt.datetime,
    group: HashtagGroup | None = None,
) -> HashtagGroup:
    """A new group of hashtags (without their sign), or ``group`` changed. Raises NameTaken."""
    row = group or HashtagGroup(brand=brand)
    row.tags = list(tags)
    _save(row, name=name, actor=actor, now=now)
    return row


def save_snippet(
    *, brand: Brand, name: str, text: str, actor: User, now: dt.datetime, snippet: Snippet | None = None
) -> Snippet:
    """A new snippet, or ``snippet`` changed. Raises NameTaken."""
    row = snippet or Snippet(brand=brand)
    row.text = text
    _save(row, name=name, actor=actor, now=now)
    return row


def save_template(*, brand: Brand, name: str, draft: Draft, actor: User, now: dt.datetime) -> Template:
    """The draft as a template of this name; one that the brand has already is replaced. Images stay behind.

    Raises NothingToKeep.
    """
    parts = _without_media(draft.parts)
    own = {str(pk): _without_media(words) for pk, words in draft.own_parts.items()}
    if all(part.is_empty for content in (parts, *own.values()) for part in content):
        raise NothingToKeep
    with transaction.atomic():
        # Two people who keep the same name at once: the brand's row puts them in order.
        Brand.objects.select_for_update(of=("self",)).get(pk=brand.pk)
        row = Template.objects.filter(brand=brand, name__iexact=name).first() or Template(brand=brand)
        row.parts = parts_to_json(parts)
        row.own_parts = {pk: parts_to_json(words) for pk, words in own.items()}
        row.settings = {str(pk): dict(answers) for pk, answers in draft.settings.items()}
        _save(row, name=name, actor=actor, now=now)
        row.accounts.set(SocialAccount.objects.for_brand(brand).filter(pk__in=draft.accounts))
        row.labels.set(Label.objects.for_brand(brand).filter(pk__in=draft.labels))
    return row


def rename_template(*, template: Template, name: str, actor: User, now: dt.datetime) -> Template:
    """Raises NameTaken."""
    _save(template, name=name, actor=actor, now=now)
    return template


def delete_block(*, block: Block) -> None:
    """Posts that were written with it stay as they are."""
    block.delete()


def _save(row: Block, *, name: str, actor: User, now: dt.datetime) -> None:
    row.name, row.updated_by, row.updated_at = name, actor, now
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        if "_name_once_per_brand" in str(error):
            raise NameTaken from None
        raise


def _without_media(parts: Parts) -> Parts:
    return tuple(replace(part, media=()) for part in parts) or (Part(),)
