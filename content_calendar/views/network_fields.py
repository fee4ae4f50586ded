"""The fields of networks on the composer's page, and what reads their choices anew."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.models import SocialAccount
from connectors.base import PlatformInfo, PostField
from content_calendar.answers import Answer, default_of, kept_answers, own_choices
from content_calendar.content import Parts
from content_calendar.forms import ComposerInput
from content_calendar.models import MediaAsset
from content_calendar.selectors.checks import AccountCheck


@dataclass(frozen=True, slots=True)
class Choice:
    """One account that can be chosen."""

    account: SocialAccount
    info: PlatformInfo
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class NetworkField:
    """One question of a network as the page asks it. ``answer`` is as it was typed."""

    field: PostField
    account: SocialAccount
    answer: Answer
    choices: tuple[tuple[str, str], ...]
    problem: str  # "" for none

    @property
    def label(self) -> str:
        return _(self.field.label)

    @property
    def help_text(self) -> str:
        return _(self.field.help_text) if self.field.help_text else ""

    @property
    def has_empty_choice(self) -> bool:
        return not self.field.default

    @property
    def lost_choice(self) -> str:
        """What was chosen and is no longer offered."""
        chosen = str(self.answer or "")
        return chosen if chosen and chosen not in dict(self.choices) else ""


@dataclass(frozen=True, slots=True)
class Section:
    """What one account's network asks; hidden while the account is not chosen. What is asked of videos alone
    is hidden by the style sheet, so that it comes and goes while somebody writes."""

    choice: Choice
    fields: tuple[NetworkField, ...]
    has_video: bool
    error: str  # why its choices could not be read

    @property
    def is_for_videos(self) -> bool:
        """Whether there is nothing to answer without a video."""
        return all(one.field.for_videos for one in self.fields)


def sections_of(
    choices: Iterable[Choice],
    given: ComposerInput,
    checks: Iterable[AccountCheck],
    assets: Mapping[uuid.UUID, MediaAsset],
) -> list[Section]:
    """Of the accounts that are chosen, or were and are answered for."""
    by_account = {check.account.pk: check for check in checks}
    found = []
    for choice in choices:
        pk, info = choice.account.pk, choice.info
        if not info.post_fields or not (choice.is_chosen or pk in given.settings):
            continue
        check = by_account.get(pk)
        typed = given.settings.get(pk, {})
        fields = tuple(_field(one, choice.account, typed, check) for one in info.post_fields)
        parts = check.parts if check else ()
        found.append(
            Section(choice, fields, _has_video(parts, assets), given.errors.get(f"setting:{pk}", ""))
        )
    return found


def _has_video(parts: Parts, assets: Mapping[uuid.UUID, MediaAsset]) -> bool:
    return any(use.asset in assets and assets[use.asset].is_video for part in parts for use in part.media)


def _field(
    field: PostField, account: SocialAccount, typed: Mapping[str, Answer], check: AccountCheck | None
) -> NetworkField:
    answer = typed.get(field.name, default_of(field))
    if field.kind in ("flag", "choice"):
        answer = kept_answers(account.info, {field.name: answer}).get(field.name, default_of(field))
    issues = check.issues if check else ()
    choices = own_choices(account.options, field) if field.is_of_account else field.choices
    if not field.is_of_account:
        choices = tuple((value, _(label)) for value, label in choices)
    return NetworkField(
        field=field,
        account=account,
        answer=answer,
        choices=choices,
        problem=next((one.message for one in issues if one.name == field.name and not one.is_missing), ""),
    )
