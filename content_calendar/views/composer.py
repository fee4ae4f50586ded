"""The composer: writing, checking while writing, saving, scheduling."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.models import Brand, SocialAccount
from accounts.permissions import Action
from campaigns.models import Campaign
from campaigns.selectors.campaigns import choosable
from connectors.base import PlatformInfo
from content_calendar.content import MediaUse, Part, addresses_in, asset_ids
from content_calendar.forms import (
    BASE,
    ComposerInput,
    apply_change,
    composer_input,
    input_of,
    with_media,
)
from content_calendar.models import MediaAsset, Post
from content_calendar.selectors.checks import AccountCheck, PartCount, check_accounts
from content_calendar.selectors.previews import preview
from content_calendar.selectors.states import LIVE_STATES
from content_calendar.services import drafts, media, scheduling
from content_calendar.services.drafts import AccountUnknown, Draft, EditConflict, MediaUnknown, PostTaken
from content_calendar.views.media import refusal_text
from content_calendar.views.posts import wall
from content_calendar.views.refusals import REFUSALS, refusal_sentence
from content_calendar.views.shown import MOST_CAMPAIGNS, may, shown
from core.ids import uuid7
from core.time import to_local
from core.wall_time import wall_time
from outbox.missed import CHOICES, GROUPS, choice_words, rule_of, sentence_of
from outbox.selectors import missed_rule_of, quiet_period_at
from outbox.tasks import dispatch

_SCHEDULING = ("schedule", "publish", "update")


@dataclass(frozen=True, slots=True)
class _Desk:
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
class Choice:
    """One account that can be chosen."""

    account: SocialAccount
    info: PlatformInfo
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class PanelPart:
    """One part as the editor shows it: its fields' common name, its images, how full it is where it goes."""

    name: str
    key: str
    part: Part
    images: tuple[tuple[MediaUse, MediaAsset | None], ...]
    counts: tuple[tuple[AccountCheck, PartCount], ...]
    issues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """The post itself, or one account; ``parts`` is empty while the account has no words of its own."""

    scope: str
    choice: Choice | None
    parts: tuple[PanelPart, ...]
    check: AccountCheck | None = None

    @property
    def is_shown(self) -> bool:
        return self.choice is None or self.choice.is_chosen


def _desk(request: MemberRequest, post_id: uuid.UUID) -> _Desk:
    """A post that may be edited, or the brand (``brand`` in the form) of one that is not saved yet."""
    if Post.objects.filter(pk=post_id).exists():
        post: Post = load(request, Action.DRAFT_POSTS, Post.objects.select_related("brand"), post_id)
        is_scheduled = post.variants.filter(delivery__state__in=LIVE_STATES).exists()
        if is_scheduled and not may(request)["may_publish"]:
            raise PermissionDenied
        return _Desk(post_id, post, post.brand, is_scheduled)
    try:
        brand_id = uuid.UUID(request.POST.get("brand", ""))
    except ValueError as error:
        raise Http404 from error
    brand: Brand = load(request, Action.DRAFT_POSTS, Brand.objects, brand_id)
    return _Desk(post_id, None, brand, is_scheduled=False)


def _given(request: MemberRequest, desk: _Desk) -> ComposerInput:
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


def _choices(brand: Brand, chosen: tuple[uuid.UUID, ...]) -> tuple[Choice, ...]:
    accounts = (
        SocialAccount.objects.for_brand(brand)
        .connected()
        .select_related("brand")
        .order_by("platform", "handle")
    )
    return tuple(Choice(account, account.info, account.pk in chosen) for account in accounts)


def _assets(brand: Brand, draft: Draft) -> Mapping[uuid.UUID, MediaAsset]:
    used = asset_ids(draft.parts, *draft.own_parts.values())
    return MediaAsset.objects.filter(brand=brand).in_bulk(list(used)) if used else {}


def _checks(
    choices: tuple[Choice, ...], draft: Draft, assets: Mapping[uuid.UUID, MediaAsset]
) -> list[AccountCheck]:
    accounts = [choice.account for choice in choices if choice.is_chosen]
    return check_accounts(
        accounts, draft.parts, draft.own_parts, assets, is_tracked=draft.campaign is not None
    )


def _tracked_addresses(choices: tuple[Choice, ...], draft: Draft) -> list[str]:
    """What becomes a tracked link on any of the chosen accounts."""
    if draft.campaign is None:
        return []
    contents = [draft.own_parts.get(c.account.pk, draft.parts) for c in choices if c.is_chosen]
    return list(dict.fromkeys(url for parts in contents or [draft.parts] for url in addresses_in(parts)))


def _context(request: MemberRequest, desk: _Desk, given: ComposerInput, **more: Any) -> dict[str, Any]:
    """Everything that the editor and its checks show."""
    choices = _choices(desk.brand, given.accounts)
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
        "late_rules": _late_rules(given),
        # Asked by the whole page only: the checks while somebody types do without.
        "brand_late": lambda: sentence_of(missed_rule_of(desk.brand)),
        "tracked_addresses": _tracked_addresses(choices, draft),
        "panels": panels,
        "assets": assets,
        "checks": checks,
        "previews": [
            (check, preview(check.account, check.parts, assets))
            for check in checks
            if tab in (BASE, str(check.account.pk))
        ],
        "accepted_types": " ".join(mime for mime, _extension in media.FORMATS.values()),
        "max_bytes": media.MAX_BYTES,
        "is_past": given.planned_at is not None and given.planned_at <= timezone.now(),
        "quiet": quiet_period_at(desk.brand, given.planned_at) if given.planned_at else None,
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
    panels = [Panel(BASE, None, _parts(BASE, given, followers, assets))]
    for choice in choices:
        scope = str(choice.account.pk)
        if choice.is_chosen or scope in given.scopes:
            check = by_scope.get(scope)
            parts = _parts(scope, given, [check] if check else [], assets)
            panels.append(Panel(scope, choice, parts, check))
    return panels


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
                    if issue.part == index and not issue.is_missing
                )
            ),
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


# --- pages ------------------------------------------------------------------------------------


@requires(Action.DRAFT_POSTS)
@require_safe
def compose(request: MemberRequest) -> HttpResponse:
    """A page for a new post: ``?brand=`` where there are several, ``?date=`` a day or a minute of its zone,
    ``?campaign=`` one that it is to belong to. The row comes with the first words."""
    about = shown(request)
    brand = about.brand
    campaign = _wanted_campaign(request, request.GET.get("campaign", ""))
    if wanted := request.GET.get("brand"):
        brand = next((one for one in about.brands if str(one.pk) == wanted), None)
        if brand is None:
            raise Http404
    elif campaign is not None:
        brand = campaign.brand
    if brand is None:
        if not about.brands:
            return render(request, "content_calendar/compose_nothing.html", {"shown": about})
        brand = about.brands[0]
    date, time = _wanted_time(request.GET.get("date", ""), brand.timezone)
    choices = _choices(brand, ())
    active = tuple(choice.account.pk for choice in choices if choice.account.is_active)
    given = replace(
        input_of(Draft(), version=0, page=str(uuid7()), date=date, time=time),
        # With few accounts a post mostly goes to all of them; with many, a person says which.
        accounts=active if len(active) <= 4 else (),
        campaign=campaign.pk if campaign is not None and campaign.brand_id == brand.pk else None,
        planned_at=_instant(date, time, brand.timezone),
    )
    desk = _Desk(uuid7(), None, brand, is_scheduled=False)
    context = _context(request, desk, given, brands=about.brands, is_fresh=True)
    return render(request, "content_calendar/composer.html", context)


def _wanted_campaign(request: MemberRequest, value: str) -> Campaign | None:
    """The campaign that the address names, None when it cannot be chosen."""
    try:
        pk = uuid.UUID(value)
    except ValueError:
        return None
    rows = Campaign.objects.for_member(request.membership).current().select_related("brand")
    return rows.filter(pk=pk).first()


def _wanted_time(value: str, zone: str) -> tuple[str, str]:
    """Date and time fields for a day or a minute that was clicked in the calendar. A day alone means nine in
    the morning, or the next full hour when that is over."""
    date, _t, time = value[:16].partition("T")
    if date and not time:
        soon = to_local(timezone.now(), zone) + dt.timedelta(hours=1)
        is_over = date == soon.strftime("%Y-%m-%d") and soon.hour > 9
        time = f"{soon.hour:02}:00" if is_over else "09:00"
    return date, time


def _instant(date: str, time: str, zone: str) -> dt.datetime | None:
    """The moment that the fields show, None where they show none (the form says so when it is sent)."""
    try:
        return wall_time(f"{date}T{time}", zone)
    except ValidationError:
        return None


@requires(Action.DRAFT_POSTS)
@require_safe
def edit(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    if not Post.objects.filter(pk=post_id).exists():
        raise Http404
    desk = _desk(request, post_id)
    saved = _saved_input(desk.saved_post, tab=request.GET.get("tab", BASE))
    context = _context(request, desk, saved)
    return render(request, "content_calendar/composer.html", context)


def _saved_input(post: Post, tab: str = BASE) -> ComposerInput:
    local = to_local(post.planned_at, post.brand.timezone) if post.planned_at else None
    saved = input_of(
        Draft.of_post(post),
        version=post.version,
        page=str(uuid7()),
        date=local.strftime("%Y-%m-%d") if local else "",
        time=local.strftime("%H:%M") if local else "",
    )
    return replace(saved, tab=tab)


@requires(Action.DRAFT_POSTS)
@require_POST
def check(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    """Counts, problems and previews of what stands on the page. Saves nothing."""
    desk = _desk(request, post_id)
    given = _given(request, desk)
    context = _context(request, desk, given, is_check=True)
    return render(request, "content_calendar/composer.html#checked", context)


@requires(Action.DRAFT_POSTS)
@require_POST
def change(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    """The editor after ``change`` (see forms.apply_change), from what stands on the page. Saves nothing."""
    desk = _desk(request, post_id)
    given = apply_change(_given(request, desk), request.POST.get("change", ""))
    return render(request, "content_calendar/composer.html#editor", _context(request, desk, given))


# --- saving -----------------------------------------------------------------------------------


@requires(Action.DRAFT_POSTS)
@require_http_methods(["GET", "POST"])
def save(request: MemberRequest, post_id: uuid.UUID) -> HttpResponseBase:
    """Autosave (JSON), or the form with one of its buttons: ``action`` is draft, schedule, publish, update or
    copy; a ``change`` button saves, too, so that pages without scripts can be structured. GET is somebody who
    reloads after a refusal."""
    if request.method == "GET":
        row: Post = load(request, Action.DRAFT_POSTS, Post.objects, post_id)
        return redirect("content_calendar:edit", post_id=row.pk)
    desk = _desk(request, post_id)
    given = _with_exact_time(desk, _given(request, desk))
    if "application/json" in request.headers.get("Accept", ""):
        return _autosave(request, desk, given)
    action = request.POST.get("action", "draft")
    if action in _SCHEDULING and not may(request)["may_publish"]:
        raise PermissionDenied
    given, refused = _with_files(request, desk, given)
    if refused:
        return _again(request, desk, given, refused)
    if wanted := request.POST.get("change"):
        return _changed(request, desk, apply_change(given, wanted))
    if action == "copy":
        return _saved_as_copy(request, desk, given)
    try:
        return _carry_out(request, desk, given, action)
    except EditConflict as conflict:
        return _again(request, desk, given, "", status=409, conflict=conflict.post)
    except REFUSALS as refusal:
        given = replace(given, tab=_place_of(refusal, given))
        return _again(request, _desk(request, post_id), given, refusal_sentence(refusal))
    except (AccountUnknown, MediaUnknown, PostTaken) as error:
        raise Http404 from error


def _with_exact_time(desk: _Desk, given: ComposerInput) -> ComposerInput:
    """The fields show minutes: a time that nobody touched keeps its seconds, or it would count as moved."""
    saved = desk.post.planned_at if desk.post else None
    if saved is not None and given.planned_at == saved.replace(second=0, microsecond=0):
        return replace(given, planned_at=saved)
    return given


def _place_of(refusal: Exception, given: ComposerInput) -> str:
    """The tab on which a refused content stands."""
    if isinstance(refusal, scheduling.NotReady):
        for one in refusal.checks:
            if str(one.account.pk) not in given.scopes:
                return BASE
        return str(refusal.checks[0].account.pk)
    return given.tab


def _autosave(request: MemberRequest, desk: _Desk, given: ComposerInput) -> JsonResponse:
    now = timezone.now()
    if desk.post is None and all(part.part.is_empty for parts in given.scopes.values() for part in parts):
        return JsonResponse({"saved_at": now.isoformat()})
    try:
        post = _store(request, desk, given, now=now)
    except EditConflict:
        error = _("Somebody else has saved this post meanwhile. Your text is kept on this page.")
        return JsonResponse({"error": error, "conflict": True}, status=409)
    except REFUSALS as refusal:
        return JsonResponse({"error": refusal_sentence(refusal)}, status=409)
    except (AccountUnknown, MediaUnknown, PostTaken) as error:
        raise Http404 from error
    return JsonResponse(
        {
            "saved_at": now.isoformat(),
            "fields": {"version": str(post.version)},
            "address": reverse("content_calendar:edit", args=[post.pk]),
        }
    )


def _store(request: MemberRequest, desk: _Desk, given: ComposerInput, *, now: dt.datetime) -> Post:
    """Save the draft. A time that cannot be is left as it was; the page says what is wrong with it."""
    draft = given.draft
    if "time" in given.errors:
        draft = replace(draft, planned_at=desk.post.planned_at if desk.post else None)
    if desk.post is None:
        return drafts.create_post(
            brand=desk.brand,
            author=request.user,
            draft=draft,
            now=now,
            post_id=desk.post_id,
            edited_in=given.page,
        )
    return drafts.save_draft(
        post=desk.post, version=given.version, draft=draft, now=now, edited_in=given.page
    )


def _carry_out(request: MemberRequest, desk: _Desk, given: ComposerInput, action: str) -> HttpResponse:
    now = timezone.now()
    if given.errors and action != "draft":
        return _again(request, desk, given, "")
    if desk.is_scheduled:
        if action == "draft":
            raise drafts.AlreadyScheduled
        draft = replace(given.draft, planned_at=now) if action == "publish" else given.draft
        post = scheduling.update_scheduled(
            post=desk.saved_post,
            version=given.version,
            draft=draft,
            actor=request.user,
            now=now,
            edited_in=given.page,
        )
    else:
        # The draft is kept first: whatever keeps it from the schedule, nothing that was written is lost.
        post = _store(request, desk, given, now=now)
        if action == "schedule":
            if given.planned_at is None:
                wanted = replace(given, errors={**given.errors, "time": _("Enter a date and a time.")})
                return _again(request, _desk(request, post.pk), wanted, "")
            post = scheduling.schedule_post(post=post, at=given.planned_at, actor=request.user, now=now)
        elif action == "publish":
            post = scheduling.publish_now(post=post, actor=request.user, now=now)
    if action == "publish":
        dispatch.delay_on_commit()
        messages.success(request, _("On its way to the networks."))
    elif action == "draft":
        messages.success(request, _("Saved as a draft."))
    elif post.planned_at is not None and post.planned_at > now:
        messages.success(request, _("Scheduled for %(time)s.") % {"time": wall(post.planned_at, desk.zone)})
    else:
        messages.success(request, _("Changes saved."))
    return redirect("content_calendar:post", post_id=post.pk)


def _with_files(request: MemberRequest, desk: _Desk, given: ComposerInput) -> tuple[ComposerInput, str]:
    """Images that came with the form itself (no scripts): stored and put into their parts."""
    for scope, parts in given.scopes.items():
        for part in parts:
            stored = []
            for file in request.FILES.getlist(f"{scope}.{part.key}.files"):
                try:
                    asset = media.store_image(
                        brand=desk.brand,
                        upload=file,
                        name=file.name or "",
                        actor=request.user,
                        now=timezone.now(),
                    )
                except media.MediaRefused as refusal:
                    return given, refusal_text(refusal, file.name or "")
                stored.append(asset.pk)
            if stored:
                given = with_media(given, scope, part.key, stored)
    return given, ""


def _changed(request: MemberRequest, desk: _Desk, given: ComposerInput) -> HttpResponse:
    """Without scripts: the changed structure is saved and shown again."""
    if desk.is_scheduled:
        return render(request, "content_calendar/composer.html", _context(request, desk, given))
    try:
        post = _store(request, desk, given, now=timezone.now())
    except EditConflict as conflict:
        return _again(request, desk, given, "", status=409, conflict=conflict.post)
    except (AccountUnknown, MediaUnknown, PostTaken) as error:
        raise Http404 from error
    return redirect(f"{reverse('content_calendar:edit', args=[post.pk])}?tab={given.tab}")


def _saved_as_copy(request: MemberRequest, desk: _Desk, given: ComposerInput) -> HttpResponse:
    """The way out of a conflict in which nothing is lost: both versions live on."""
    fresh = _Desk(uuid7(), None, desk.brand, is_scheduled=False)
    try:
        post = _store(request, fresh, given, now=timezone.now())
    except (AccountUnknown, MediaUnknown) as error:
        raise Http404 from error
    messages.success(request, _("Your version is kept as a post of its own."))
    return redirect("content_calendar:edit", post_id=post.pk)


def _again(
    request: MemberRequest, desk: _Desk, given: ComposerInput, refusal: str, *, status: int = 422, **more: Any
) -> HttpResponse:
    """The page as it was sent, with what is wrong. A draft that was saved on the way has a newer version."""
    if desk.post is not None and status == 422 and not desk.is_scheduled:
        given = replace(given, version=desk.post.version)
    context = _context(request, desk, given, refusal=refusal, **more)
    return render(request, "content_calendar/composer.html", context, status=status)
