"""What each network says to a content before anything is saved: counts, limits, problems in plain words."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import SocialAccount
from campaigns.addresses import CODE_LENGTH, short_url
from connectors.base import (
    Capability,
    ImageLimit,
    MediaItem,
    MentionForm,
    PlatformInfo,
    PostPart,
    PostPayload,
)
from connectors.errors import RejectReason
from connectors.text import Problem, beside, check_payload, count, find_mentions, fits, is_name
from content_calendar.answers import Answers, AnswersByAccount, kept_answers, own_problems
from content_calendar.content import Part, Parts, addresses_in, thread_of, with_addresses
from content_calendar.models import MediaAsset
from content_calendar.selectors.reasons import explain
from content_calendar.selectors.verdicts import expected_video, never_opened, video_verdict
from outbox.public_media import unreachable

RENDITION_TYPE = "image/jpeg"


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that keeps a content off a network, or (``is_blocking`` False) that is good to know.
    ``is_missing``: nothing is written yet, which is no mistake while somebody begins to write."""

    part: int
    message: str
    is_blocking: bool = True
    is_missing: bool = False
    place: str = ""  # which part it is about, in words; "" where there is only one
    name: str = ""  # of the PostField that it is about


@dataclass(frozen=True, slots=True)
class PartCount:
    """How full one part is on one account."""

    used: int
    limit: int
    is_over: bool

    @property
    def remaining(self) -> int:
        return self.limit - self.used

    @property
    def is_near(self) -> bool:
        return not self.is_over and self.remaining * 10 <= self.limit


@dataclass(frozen=True, slots=True)
class AccountCheck:
    """What one account's network makes of its content."""

    account: SocialAccount
    info: PlatformInfo
    parts: Parts
    counts: tuple[PartCount, ...]
    issues: tuple[Issue, ...]
    payload: PostPayload  # as it would be sent

    @property
    def is_ready(self) -> bool:
        return not any(issue.is_blocking for issue in self.issues)

    @property
    def is_wrong(self) -> bool:
        """Whether something is in the way besides words that are still to be written."""
        return any(issue.is_blocking and not issue.is_missing for issue in self.issues)


def check_content(
    account: SocialAccount,
    parts: Parts,
    assets: Mapping[uuid.UUID, MediaAsset],
    settings: Answers | None = None,
) -> AccountCheck:
    """Counts and issues of ``parts`` on ``account``, of which ``settings`` is said besides. ``assets`` holds
    the images that the parts use."""
    info = account.info
    answers = kept_answers(info, settings or {})
    issues = [] if account.is_active else [Issue(0, _account_message(account))]
    payload = PostPayload(
        parts=tuple(
            PostPart(
                text=part.text,
                media=tuple(
                    _expected_item(assets[use.asset], use.alt, info)
                    for use in part.media
                    if use.asset in assets and assets[use.asset].is_ready
                ),
                link_card=part.link_card,
                is_comment=part.is_comment,
                warning=part.warning,
            )
            for part in parts
        ),
        language=account.brand.locale,
        settings=answers,
    )
    used = [assets[use.asset] for part in parts for use in part.media if use.asset in assets]
    problems = [
        *check_payload(payload, info),
        *unreachable(payload, info),
        *own_problems(info, account.options, answers, has_video=any(asset.is_video for asset in used)),
    ]
    # Of a file that is still being read, or cannot be used, is told below: it is not missing.
    unread = {
        index
        for index, part in enumerate(parts)
        if any(use.asset in assets and not assets[use.asset].is_ready for use in part.media)
    }
    problems = [one for one in problems if one.part not in unread or one.reason not in _NOTHING_THERE]
    issues += _issues(problems, info)
    issues += [Issue(0, words, is_blocking=False) for words in _guards_not_sent(parts, info)]
    for index, part in enumerate(parts):
        if part.link_card and not info.can(Capability.LINK_CARD):
            message = _("%(network)s makes its own link preview; the card is not sent.") % {
                "network": info.name
            }
            issues.append(Issue(index, message, is_blocking=False))
        elif part.link_card and part.media:
            message = _("%(network)s shows either images or a link card: the images are shown.") % {
                "network": info.name
            }
            issues.append(Issue(index, message, is_blocking=False))
        there = [assets[use.asset] for use in part.media if use.asset in assets]
        issues += [
            Issue(index, message, is_blocking=is_blocking)
            for asset in there
            if asset.is_video
            for message, is_blocking in video_verdict(asset, info)
        ]
        smaller = [asset for asset in there if not asset.is_video and must_shrink(asset, info.images)]
        if smaller and info.can(Capability.POST_IMAGES):
            message = ngettext(
                "%(count)s image is made smaller to fit %(network)s.",
                "%(count)s images are made smaller to fit %(network)s.",
                len(smaller),
            ) % {"count": len(smaller), "network": info.name}
            issues.append(Issue(index, message, is_blocking=False))
        issues += [Issue(index, words, is_blocking=False) for words in _strange_names(part.text, info)]
        if any(use.asset not in assets for use in part.media):
            issues.append(Issue(index, _("A file is no longer there. Remove it or upload it again.")))
    counts = tuple(_part_count(part, info) for part in parts)
    placed = tuple(replace(issue, place=_place(parts, issue.part)) for issue in issues)
    return AccountCheck(
        account=account, info=info, parts=parts, counts=counts, issues=placed, payload=payload
    )


def _issues(problems: Sequence[Problem], info: PlatformInfo) -> Iterator[Issue]:
    """What is missing of a part that says nothing yet is no mistake, nor is what was not answered until
    something is written."""
    empty = {problem.part for problem in problems if problem.reason is RejectReason.TEXT_EMPTY}
    wants_media = {problem.part for problem in problems if problem.reason is RejectReason.MEDIA_MISSING}
    for problem in problems:
        if problem.reason is RejectReason.TEXT_EMPTY and problem.part in wants_media:
            continue  # said by the other
        is_missing = problem.reason in _TO_COME and problem.part in empty
        yield Issue(problem.part, explain(problem, info), is_missing=is_missing, name=problem.name)


_NOTHING_THERE = (RejectReason.TEXT_EMPTY, RejectReason.MEDIA_MISSING)
_TO_COME = (RejectReason.TEXT_EMPTY, RejectReason.MEDIA_MISSING, RejectReason.SETTING_MISSING)


def _part_count(part: Part, info: PlatformInfo) -> PartCount:
    """With its content warning, where that counts."""
    limit = info.words_of(is_comment=part.is_comment)
    whole, left = limit.max_units, beside(part.warning, limit)
    return PartCount(whole - left.max_units + count(part.text, left), whole, not fits(part.text, left))


def _guards_not_sent(parts: Parts, info: PlatformInfo) -> list[str]:
    found = []
    words = {"network": info.name}
    if any(part.warning for part in parts) and not info.can(Capability.CONTENT_WARNING):
        found.append(_("%(network)s has no content warnings: the text is shown at once there.") % words)
    is_sensitive = any(part.is_sensitive and part.media for part in parts)
    if is_sensitive and not info.can(Capability.SENSITIVE_MEDIA):
        found.append(_("%(network)s covers no images or videos: they are shown at once there.") % words)
    return found


def _place(parts: Parts, index: int) -> str:
    if index < len(parts) and parts[index].is_comment:
        return _("First comment:")
    return _("Part %(number)s:") % {"number": index + 1} if len(thread_of(parts)) > 1 else ""


_NAMES = {
    MentionForm.DOMAIN: "@name.example.com",
    MentionForm.USER_HOST: "@name@example.com",
    MentionForm.USER: "@name",
}


def _strange_names(text: str, info: PlatformInfo) -> list[str]:
    """Mentions that name nobody on this network, because people are called otherwise there."""
    return [
        _("%(mention)s names nobody on %(network)s: people are called like %(form)s there.")
        % {"mention": f"@{handle}", "network": info.name, "form": _NAMES[info.mentions]}
        for handle in dict.fromkeys(span.value for span in find_mentions(text))
        if not is_name(handle, info.mentions)
    ]


def must_shrink(asset: MediaAsset, limit: ImageLimit) -> bool:
    """Whether a network needs another copy of the image: it is too large, or of a type it does not take."""
    return RENDITION_TYPE in limit.mime_types and (
        asset.size > limit.max_bytes
        or asset.mime_type not in limit.mime_types
        or bool(limit.max_pixels and asset.width * asset.height > limit.max_pixels)
    )


def _expected_item(asset: MediaAsset, alt: str, info: PlatformInfo) -> MediaItem:
    """The file as it would be sent: what ``services.media.rendition_for`` will make fits by its nature."""
    if asset.is_video:
        return expected_video(asset, alt, info.videos)
    limit = info.images
    shrinks = must_shrink(asset, limit)
    scale = 1.0
    if shrinks and limit.max_pixels and asset.width * asset.height > limit.max_pixels:
        scale = (limit.max_pixels / (asset.width * asset.height)) ** 0.5
    return MediaItem(
        key=str(asset.pk),
        mime_type=RENDITION_TYPE if shrinks else asset.mime_type,
        size=min(asset.size, limit.max_bytes) if shrinks else asset.size,
        width=max(1, int(asset.width * scale)),
        height=max(1, int(asset.height * scale)),
        alt_text=alt,
        open=never_opened,
    )


def _account_message(account: SocialAccount) -> str:
    return _("%(account)s must be reconnected before anything can be scheduled on it.") % {"account": account}


def check_accounts(
    accounts: Sequence[SocialAccount],
    parts: Parts,
    own_parts: Mapping[uuid.UUID, Parts],
    assets: Mapping[uuid.UUID, MediaAsset],
    *,
    is_tracked: bool = False,
    settings: AnswersByAccount | None = None,
) -> list[AccountCheck]:
    """One check per account, in their order, with its own words where it has them, and what is said besides.
    ``is_tracked``: the post belongs to a campaign."""
    found = []
    for account in accounts:
        written = own_parts.get(account.pk, parts)
        sent = sendable(written, account.info)
        said = settings.get(account.pk) if settings else None
        check = check_content(account, as_sent(sent, is_tracked=is_tracked), assets, said)
        if len(sent) < len(written) and written[-1].text.strip():
            message = _("%(network)s takes no first comment: it is not sent there.") % {
                "network": account.info.name
            }
            note = Issue(len(written) - 1, message, is_blocking=False)
            check = replace(check, issues=(*check.issues, note))
        found.append(check)
    return found


def sendable(parts: Parts, info: PlatformInfo) -> Parts:
    """The parts that go out: a first comment only where there is one to be written, and words for it."""
    return tuple(
        part
        for part in parts
        if not part.is_comment or (part.text.strip() and info.can(Capability.FIRST_COMMENT))
    )


def as_sent(parts: Parts, *, is_tracked: bool) -> Parts:
    """The parts as long as they will be: addresses that become tracked links are short then. There are no
    links yet, so something of the same length stands for them."""
    if not is_tracked:
        return parts
    stand_in = short_url("x" * CODE_LENGTH)
    return with_addresses(parts, dict.fromkeys(addresses_in(parts), stand_in))
