"""What a post says at one network besides words and media (``PlatformInfo.post_fields``), as values.

Answers are plain JSON by the field's name: text, or true and false of a flag. What is so anyway, by the
field's default, is not kept: a post that says nothing is the same as one that says the defaults.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from campaigns.addresses import refusal
from connectors.base import PlatformInfo, PostField
from connectors.errors import RejectReason
from connectors.text import Problem

Answer = str | bool
Answers = Mapping[str, Answer]
AnswersByAccount = Mapping[uuid.UUID, Answers]

# Characters (code points) of one answer; no network takes more.
MOST_ANSWER = 10_000
_SCHEME = re.compile(r"(?i)[a-z][a-z0-9+.-]*:")


def default_of(field: PostField) -> Answer:
    return field.default == "true" if field.kind == "flag" else field.default


def kept_answers(info: PlatformInfo, given: Mapping[str, Any]) -> dict[str, Answer]:
    """Of what was given, tidied, what the network asks for and what is not so anyway."""
    found: dict[str, Answer] = {}
    for field in info.post_fields:
        if field.name in given and (answer := _tidied(field, given[field.name])) != default_of(field):
            found[field.name] = answer
    return found


def _tidied(field: PostField, given: Any) -> Answer:
    if field.kind == "flag":
        return given is True or given == "true"
    text = given if isinstance(given, str) else ""
    # Browsers send line ends as CR LF; networks count them.
    text = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if field.kind == "long_text":
        return text
    text = " ".join(text.split())
    return f"https://{text}" if field.kind == "url" and text and not _SCHEME.match(text) else text


def sent_answers(info: PlatformInfo, answers: Answers, *, has_video: bool) -> dict[str, Answer]:
    """Everything that is said of a post that goes out, the defaults too: what is frozen."""
    found: dict[str, Answer] = {}
    for field in info.post_fields:
        answer, default = answers.get(field.name, default_of(field)), default_of(field)
        # Nothing is worth saying only where something would be said otherwise.
        if (has_video or not field.for_videos) and (answer or default):
            found[field.name] = answer
    return found


def addresses_of(info: PlatformInfo, answers: Answers) -> list[str]:
    """The addresses that become tracked links when the post belongs to a campaign."""
    return [
        str(answers[field.name])
        for field in info.post_fields
        if field.kind == "url" and answers.get(field.name) and refusal(str(answers[field.name])) is None
    ]


def with_other_addresses(info: PlatformInfo, answers: Answers, addresses: Mapping[str, str]) -> Answers:
    """The answers with other addresses in the place of those that ``addresses`` names."""
    urls = {field.name for field in info.post_fields if field.kind == "url"}
    return {
        name: addresses.get(str(answer), answer) if name in urls else answer
        for name, answer in answers.items()
    }


def own_choices(options: Mapping[str, Any], field: PostField) -> tuple[tuple[str, str], ...]:
    """The values that the account was read to have, and their labels: in the active language those of which
    the network's file has words, else as the network names them. None where nothing was read yet."""
    rows = (options.get("choices") or {}).get(field.name) or ()
    words = dict(field.choices)
    return tuple(
        (str(value), _(words[value]) if str(value) in words else str(label)) for value, label in rows
    )


def own_problems(
    info: PlatformInfo, options: Mapping[str, Any], answers: Answers, *, has_video: bool
) -> Iterator[Problem]:
    """What is wrong with answers that connectors.text.check_payload knows nothing of."""
    for field in info.post_fields:
        answer = answers.get(field.name)
        if not answer or not isinstance(answer, str) or (field.for_videos and not has_video):
            continue
        known = {value for value, _label in own_choices(options, field)}
        if field.is_of_account and known and answer not in known:
            yield Problem(RejectReason.SETTING_INVALID, 0, None, 0, 0, field.name)
        if field.kind == "url" and refusal(answer) is not None:
            yield Problem(RejectReason.SETTING_INVALID, 0, None, 0, 0, field.name)


def said_in_words(
    info: PlatformInfo, options: Mapping[str, Any], answers: Answers
) -> tuple[tuple[str, str], ...]:
    """Label and answer of what was said, in the active language and in the network's order. A flag that is
    off, where on is the default, is "no"."""
    return tuple(
        (_(field.label), answer_in_words(field, options, answers[field.name]))
        for field in info.post_fields
        if field.name in answers and answers[field.name] != ""
    )


def answer_in_words(field: PostField, options: Mapping[str, Any], answer: Answer | None) -> str:
    if field.kind == "flag":
        return _("Yes") if answer is True else _("No")
    if answer is None or answer == "":
        return ""
    translated: Callable[[str], str] = str if field.is_of_account else _
    labels = dict(own_choices(options, field) if field.is_of_account else field.choices)
    return translated(labels[str(answer)]) if answer in labels else str(answer)
