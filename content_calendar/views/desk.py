"""What a composer page is about and shows: the post or its brand, the accounts, panels, checks, previews."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import prefetch_related_objects
from django.http import Http404
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from accounts.access import MemberRequest, load
from accounts.models import Brand, SocialAccount
from accounts.permissions import Action
from campaigns.selectors.campaigns import choosable
from connectors.base import Capability
from content_calendar.answers import addresses_of, kept_answers
from content_calendar.content import MediaUse, Part, addresses_in, asset_ids
from content_calendar.forms import (
    BASE,
    ComposerInput,
    composer_input,
)
from content_calendar.holidays import holiday_on
from content_calendar.models import Label, MediaAsset, Post
from content_calendar.selectors.checks import AccountCheck, PartCount, check_accounts
from content_calendar.selectors.costs import charges_of
from content_calendar.selectors.previews import preview
from content_calendar.selectors.states import LIVE_STATES
from content_calendar.services import media, uploads
from content_calendar.services.drafts import Draft
from content_calendar.views.approval_shown import composer_approval
from content_calendar.views.media import accepted_types
from content_calendar.views.network_fields import Choice, sections_of
from content_calendar.views.shown import MOST_CAMPAIGNS, MOST_LABELS, may
from content_calendar.views.toolbox import tool_context
from core.time import to_local
from outbox.missed import CHOICES, GROUPS, choice_words, rule_of, sentence_of
from outbox.selectors import missed_rule_of, quiet_period_at


@dataclass(frozen=True, slots=True)
class Desk:
    """What a request of the composer is about. ``post`` is None until its first save."""

    post_id: uuid.UUID
    post: Post | None
    brand: Brand
    is_scheduled: bool

    @property
    def zone(self) -> str:
        return self.brand.timezone

    @property
    def saved_post(self) -> Post:
        if self.post is None:
            raise Http404
        return self.post


@dataclass(frozen=True, slots=True)
class PanelPart:
    """One part as the editor shows it: its fields' common name, its images, how full it is where it goes."""

    name: str
    key: str
    part: Part
    images: tuple[tuple[MediaUse, MediaAsset | None], ...]
    counts: tuple[tuple[AccountCheck, PartCount], ...]
    issues: tuple[str, ...]  # what is in the way; what is good to know stands beside the preview
    card_error: str = ""  # why the page of its link card could not be read

    @property
    def may_split(self) -> bool:
        """Whether a thread would help: it is too long for a network that has threads."""
        return not self.part.is_comment and any(
            count.is_over and check.info.can(Capability.POST_THREAD) for check, count in self.counts
        )


@dataclass(frozen=True, slots=True)
class Panel:
    """The post itself, or one account; ``parts`` is empty while the account has no words of its own."""

    scope: str
    choice: Choice | None
    parts: tuple[PanelPart, ...]
    check: AccountCheck | None = None
    takes_guard: bool = False  # a network that gets these words has content warnings

    @property
    def warning(self) -> str:
        return next((one.part.warning for one in self.parts if one.part.warning), "")

    @property
    def is_sensitive(self) -> bool:
        return any(one.part.is_sensitive for one in self.parts)

    @property
    def thread(self) -> tuple[PanelPart, ...]:
        return tuple(one for one in self.parts if not one.part.is_comment)

    @property
    def comment(self) -> PanelPart | None:
        return next((one for one in self.parts if one.part.is_comment), None)

    @property
    def may_comment(self) -> bool:
        return self.comment is None and (
            self.choice is None or self.choice.info.can(Capability.FIRST_COMMENT)
        )

    @property
    def is_shown(self) -> bool:
        return self.choice is None or self.choice.is_chosen


def desk_of(request: MemberRequest, post_id: uuid.UUID) -> Desk:
    """A post that may be edited, or the brand (``brand`` in the form) of one that is not saved yet."""
    if Post.objects.filter(pk=post_id).exists():
        post: Post = load(request, Action.DRAFT_POSTS, Post.objects.select_related("brand"), post_id)
        is_scheduled = post.variants.filter(delivery__state__in=LIVE_STATES).exists()
        if is_scheduled and not may(request)["may_publish"]:
            raise PermissionDenied
        return Desk(post_id, post, post.brand, is_scheduled)
    try:
        brand_id = uuid.UUID(request.POST.get("brand", ""))
    except ValueError as error:
        raise Http404 from error
    brand: Brand = load(request, Action.DRAFT_POSTS, Brand.objects, brand_id)
    return Desk(post_id, None, brand, is_scheduled=False)


def given_of(request: MemberRequest, desk: Desk) -> ComposerInput:
    """What stands on the page."""
    kept = desk.post.missed_rule if desk.post else None
    return composer_input(request.POST, zone=desk.zone, kept_late=kept.key if kept else "")


def _late_rules(given: ComposerInput) -> list[tuple[str, list[tuple[str, str]]]]:
    """The rules for being late to choose from, by what comes after the limit."""
    rules = list(CHOICES.values())
    own = rule_of(given.late)
    if own is not None and own not in rules:
        rules.append(own)
    return [
        (str(words), [(rule.key, choice_words(rule)) for rule in rules if rule.policy is policy])
        for policy, words in GROUPS.items()
    ]


def _holiday(brand: Brand, at: dt.datetime | None) -> str:
    """The public holiday of the brand's country on that day of its zone, "" if it is none."""
    if at is None:
        return ""
    return holiday_on(brand.country, to_local(at, brand.timezone).date(), get_language() or "en")


def choices_of(brand: Brand, chosen: tuple[uuid.UUID, ...]) -> tuple[Choice, ...]:
    accounts = (
        SocialAccount.objects.for_brand(brand)
        .connected()
        .select_related("brand")
        .order_by("platform", "handle")
    )
    return tuple(Choice(account, account.info, account.pk in chosen) for account in accounts)


def _assets(brand: Brand, draft: Draft) -> Mapping[uuid.UUID, MediaAsset]:
    used = asset_ids(draft.parts, *draft.own_parts.values())
    assets = MediaAsset.objects.filter(brand=brand).in_bulk(list(used)) if used else {}
    prefetch_related_objects([asset for asset in assets.values() if asset.is_video], "renditions")
    return assets


def _checks(
    choices: tuple[Choice, ...], draft: Draft, assets: Mapping[uuid.UUID, MediaAsset]
) -> list[AccountCheck]:
    accounts = [choice.account for choice in choices if choice.is_chosen]
    return check_accounts(
        accounts,
        draft.parts,
        draft.own_parts,
        assets,
        is_tracked=draft.campaign is not None,
        settings=draft.settings,
    )


def _tracked_addresses(choices: tuple[Choice, ...], draft: Draft) -> list[str]:
    """What becomes a tracked link on any of the chosen accounts."""
    if draft.campaign is None:
        return []
    chosen = [choice for choice in choices if choice.is_chosen]
    contents = [draft.own_parts.get(c.account.pk, draft.parts) for c in chosen]
    found = [url for parts in contents or [draft.parts] for url in addresses_in(parts)]
    for choice in chosen:
        found += addresses_of(
            choice.info, kept_answers(choice.info, draft.settings.get(choice.account.pk, {}))
        )
    return list(dict.fromkeys(found))


def desk_context(request: MemberRequest, desk: Desk, given: ComposerInput, **more: Any) -> dict[str, Any]:
    """Everything that the editor and its checks show."""
    choices = choices_of(desk.brand, given.accounts)
    draft = given.draft
    assets = _assets(desk.brand, draft)
    checks = _checks(choices, draft, assets)
    panels = _panels(given, choices, checks, assets)
    tabs = {panel.scope for panel in panels if panel.is_shown}
    tab = given.tab if given.tab in tabs else BASE
    return {
        "post_id": desk.post_id,
        "post": desk.post,
        "brand": desk.brand,
        "zone": desk.zone,
        "is_scheduled": desk.is_scheduled,
        "given": given,
        "tab": tab,
        "choices": choices,
        "campaigns": list(
            choosable(desk.brand, desk.post.campaign_id if desk.post else None)[:MOST_CAMPAIGNS]
        ),
        "labels": Label.objects.for_brand(desk.brand).order_by("name")[:MOST_LABELS],
        "late_rules": _late_rules(given),
        # Asked by the whole page only: the checks while somebody types do without.
        "brand_late": lambda: sentence_of(missed_rule_of(desk.brand)),
        "tracked_addresses": _tracked_addresses(choices, draft),
        "panels": panels,
        "sections": sections_of(choices, given, checks, assets),
        "assets": assets,
        "checks": checks,
        # Of what can be sent as it stands: nobody pays for an empty page.
        "charges": charges_of((check.account, check.payload) for check in checks if check.is_ready),
        "previews": [
            (check, preview(check.account, check.parts, assets, draft.settings.get(check.account.pk)))
            for check in checks
            if tab in (BASE, str(check.account.pk))
        ],
        **tool_context(desk.brand, checks, besides=desk.post_id),
        "accepted_types": accepted_types(),
        "max_bytes": media.MAX_BYTES,
        "approval": SimpleLazyObject(lambda: composer_approval(request, desk.brand, desk.post)),
        "max_video_bytes": uploads.MAX_VIDEO_BYTES,
        "is_past": given.planned_at is not None and given.planned_at <= timezone.now(),
        "quiet": quiet_period_at(desk.brand, given.planned_at) if given.planned_at else None,
        "holiday": _holiday(desk.brand, given.planned_at),
        **may(request),
        **more,
    }


def _panels(
    given: ComposerInput,
    choices: tuple[Choice, ...],
    checks: list[AccountCheck],
    assets: Mapping[uuid.UUID, MediaAsset],
) -> list[Panel]:
    """The post's own panel, then one per account; words of accounts that were unticked wait, hidden."""
    by_scope = {str(check.account.pk): check for check in checks}
    followers = [check for scope, check in by_scope.items() if scope not in given.scopes]
    takes_guard = any(_takes_guard(choice) for choice in choices)
    panels = [Panel(BASE, None, _parts(BASE, given, followers, assets), takes_guard=takes_guard)]
    for choice in choices:
        scope = str(choice.account.pk)
        if choice.is_chosen or scope in given.scopes:
            check = by_scope.get(scope)
            parts = _parts(scope, given, [check] if check else [], assets)
            panels.append(Panel(scope, choice, parts, check, takes_guard=_takes_guard(choice)))
    return panels


def _takes_guard(choice: Choice) -> bool:
    return choice.info.can(Capability.CONTENT_WARNING)


def _parts(
    scope: str, given: ComposerInput, checks: list[AccountCheck], assets: Mapping[uuid.UUID, MediaAsset]
) -> tuple[PanelPart, ...]:
    return tuple(
        PanelPart(
            name=f"{scope}.{edited.key}",
            key=edited.key,
            part=edited.part,
            images=tuple((use, assets.get(use.asset)) for use in edited.part.media),
            counts=tuple((check, check.counts[index]) for check in _tightest(checks, index)),
            issues=tuple(
                dict.fromkeys(
                    issue.message
                    for check in checks
                    for issue in check.issues
                    if issue.part == index and issue.is_blocking and not issue.is_missing and not issue.name
                )
            ),
            card_error=given.errors.get(f"card:{scope}.{edited.key}", ""),
        )
        for index, edited in enumerate(given.scopes.get(scope, ()))
    )


def _tightest(checks: list[AccountCheck], index: int) -> list[AccountCheck]:
    """One check per distinct limit: five accounts of one network do not need five equal counters."""
    found: dict[tuple[str, int], AccountCheck] = {}
    for check in checks:
        if index < len(check.counts):
            found.setdefault((check.info.key, check.counts[index].limit), check)
    return list(found.values())
