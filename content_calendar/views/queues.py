"""Queues: the slots of each account, and posts that take the next free one."""

from __future__ import annotations

import datetime as dt
import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.models import SocialAccount
from accounts.permissions import Action
from content_calendar.models import Post, Slot
from content_calendar.repeating_forms import CopySlotsForm, SlotsForm
from content_calendar.selectors.queues import (
    coming_shifts,
    free_slots,
    paused_since,
    queue_accounts,
    queue_row,
    week_of,
)
from content_calendar.selectors.states import LIVE_STATES
from content_calendar.services import queues
from content_calendar.services.queues import TooManySlots
from content_calendar.views.posts import wall
from content_calendar.views.refusals import REFUSALS, refusal_sentence
from content_calendar.views.shown import may, shown
from core.paging import page_of
from core.templatetags.ui import format_time
from core.time import to_local

PAGE_SIZE = 25  # for each, its next free slot is looked for
_COMING = dt.timedelta(days=14)


@requires(Action.VIEW)
@require_safe
def queue_list(request: MemberRequest) -> HttpResponse:
    about = shown(request)
    page = page_of(request, queue_accounts(request.membership, about.brand), size=PAGE_SIZE)
    now = timezone.now()
    context = {
        "shown": about,
        "page": page,
        "rows": [queue_row(account, now) for account in page],
        "several": about.brand is None,
        **may(request),
    }
    return render(request, "content_calendar/queues.html", context)


def _account(request: MemberRequest, action: Action, account_id: uuid.UUID) -> SocialAccount:
    rows = SocialAccount.objects.select_related("brand__organization")
    account: SocialAccount = load(request, action, rows, account_id)
    return account


@requires(Action.VIEW)
@require_safe
def queue(request: MemberRequest, account_id: uuid.UUID) -> HttpResponse:
    account = _account(request, Action.VIEW, account_id)
    return _page(request, account, SlotsForm(initial={"time": "09:00"}))


def _siblings(account: SocialAccount) -> QuerySet[SocialAccount]:
    """Accounts of the same brand that have slots."""
    rows = SocialAccount.objects.for_brand(account.brand).connected().exclude(pk=account.pk)
    return rows.filter(pk__in=Slot.objects.values("account")).order_by("platform", "handle")


def _page(
    request: MemberRequest, account: SocialAccount, form: SlotsForm, *, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    zone = account.brand.timezone
    siblings = _siblings(account)
    free = free_slots([account.brand], now, now + _COMING, accounts=[account.pk])
    context = {
        "account": account,
        "info": account.info,
        "brand": account.brand,
        "week": [(WEEKDAYS[number], slots) for number, slots in enumerate(week_of(account))],
        "shifts": [
            (shift, format_time(shift.at, zone, "time"))
            for shift in coming_shifts(account, to_local(now, zone).date())
        ],
        "free": [
            (f"{to_local(slot.at, zone):%Y-%m-%dT%H:%M}", format_time(slot.at, zone, "short"))
            for slot in free[:8]
        ],
        "paused_at": paused_since(account),
        "form": form,
        "copy_form": CopySlotsForm(accounts=siblings) if siblings.exists() else None,
        **may(request),
    }
    return render(request, "content_calendar/queue.html", context, status=status)


@requires(Action.PUBLISH_POSTS)
@require_POST
def queue_add(request: MemberRequest, account_id: uuid.UUID) -> HttpResponse:
    account = _account(request, Action.PUBLISH_POSTS, account_id)
    form = SlotsForm(request.POST)
    if form.is_valid():
        try:
            added = queues.add_slots(account=account, actor=request.user, now=timezone.now(), **form.slots())
        except TooManySlots:
            form.add_error(None, _too_many())
        else:
            _say_added(request, added)
            return redirect("content_calendar:queue", account_id=account.pk)
    return _page(request, account, form, status=422)


def _too_many() -> str:
    return _("An account has at most %(most)s slots a week. Remove some first.") % {"most": queues.MOST_SLOTS}


def _say_added(request: MemberRequest, added: int) -> None:
    if added:
        said = ngettext("%(count)s slot added.", "%(count)s slots added.", added) % {"count": added}
        messages.success(request, said)
    else:
        messages.info(request, _("These slots were there already."))


@requires(Action.PUBLISH_POSTS)
@require_POST
def queue_remove(request: MemberRequest, account_id: uuid.UUID) -> HttpResponse:
    """``slot``: the number of one of the account's slots."""
    account = _account(request, Action.PUBLISH_POSTS, account_id)
    number = request.POST.get("slot", "")
    is_number = number.isascii() and number.isdigit() and len(number) < 18
    rows = Slot.objects.select_related("account__brand__organization").filter(account=account)
    slot = rows.filter(pk=int(number)).first() if is_number else None
    if slot is not None:
        queues.remove_slot(slot=slot, actor=request.user, now=timezone.now())
    messages.success(request, _("The slot is gone. Posts that stand in it keep their time."))
    return redirect("content_calendar:queue", account_id=account.pk)


@requires(Action.PUBLISH_POSTS)
@require_POST
def queue_copy(request: MemberRequest, account_id: uuid.UUID) -> HttpResponse:
    account = _account(request, Action.PUBLISH_POSTS, account_id)
    form = CopySlotsForm(request.POST, accounts=_siblings(account))
    if not form.is_valid():
        messages.error(request, _("Choose an account of the same brand that has slots."))
        return redirect("content_calendar:queue", account_id=account.pk)
    source = form.cleaned_data["source"]
    try:
        added = queues.copy_slots(source=source, target=account, actor=request.user, now=timezone.now())
    except TooManySlots:
        messages.error(request, _too_many())
    else:
        _say_added(request, added)
    return redirect("content_calendar:queue", account_id=account.pk)


@requires(Action.PUBLISH_POSTS)
@require_POST
def queue_pause(request: MemberRequest, account_id: uuid.UUID) -> HttpResponse:
    """``state``: paused, or anything else to go on."""
    account = _account(request, Action.PUBLISH_POSTS, account_id)
    if request.POST.get("state") == "paused":
        queues.pause_queue(account=account, actor=request.user, now=timezone.now())
        messages.success(request, _("The queue is paused: its slots are offered to nobody."))
    else:
        queues.resume_queue(account=account, actor=request.user, now=timezone.now())
        messages.success(request, _("The queue goes on: its slots are offered again."))
    return redirect("content_calendar:queue", account_id=account.pk)


@requires(Action.DRAFT_POSTS)
@require_POST
def enqueue(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    """Give a draft the next free slot: in the schedule by those who publish, as a plan by those who draft."""
    row: Post = load(request, Action.DRAFT_POSTS, Post.objects.select_related("brand"), post_id)
    schedules = may(request)["may_publish"]
    if not schedules and row.variants.filter(delivery__state__in=LIVE_STATES).exists():
        raise PermissionDenied
    try:
        at = queues.take_slot(post=row, actor=request.user, now=timezone.now(), schedules=schedules)
    except REFUSALS as refusal:
        messages.error(request, refusal_sentence(refusal))
    else:
        words = {"time": wall(at, row.brand.timezone)}
        if schedules:
            messages.success(request, _("Scheduled for the next free slot: %(time)s.") % words)
        else:
            messages.success(request, _("Planned for the next free slot: %(time)s.") % words)
    return redirect("content_calendar:post", post_id=row.pk)
