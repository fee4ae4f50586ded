"""The composer's pages: writing, and checking while writing."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, requires
from accounts.permissions import Action
from campaigns.models import Campaign
from content_calendar.forms import (
    BASE,
    ComposerInput,
    input_of,
)
from content_calendar.models import Post
from content_calendar.services.drafts import Draft
from content_calendar.views.desk import Desk, choices_of, desk_context, desk_of, given_of
from content_calendar.views.shown import shown
from content_calendar.views.tools import brand_of_template, changed, started_from
from core.ids import uuid7
from core.time import to_local
from core.wall_time import wall_time


@requires(Action.DRAFT_POSTS)
@require_safe
def compose(request: MemberRequest) -> HttpResponse:
    """A page for a new post: ``?brand=`` where there are several, ``?date=`` a day or a minute of its zone,
    ``?campaign=`` one that it is to belong to, ``?template=`` what it starts from, ``?account=`` where it
    goes. The row comes with the first words."""
    about = shown(request)
    brand = about.brand
    campaign = _wanted_campaign(request, request.GET.get("campaign", ""))
    if wanted := request.GET.get("brand"):
        brand = next((one for one in about.brands if str(one.pk) == wanted), None)
        if brand is None:
            raise Http404
    elif campaign is not None:
        brand = campaign.brand
    elif template_brand := brand_of_template(request, request.GET.get("template", "")):
        brand = template_brand
    if brand is None:
        if not about.brands:
            return render(request, "content_calendar/compose_nothing.html", {"shown": about})
        brand = about.brands[0]
    date, time = _wanted_time(request.GET.get("date", ""), brand.timezone)
    choices = choices_of(brand, ())
    active = tuple(choice.account.pk for choice in choices if choice.account.is_active)
    asked = request.GET.getlist("account")
    if wanted_accounts := tuple(pk for pk in active if str(pk) in asked):
        active = wanted_accounts
    given = replace(
        input_of(Draft(), version=0, page=str(uuid7()), date=date, time=time),
        # With few accounts a post mostly goes to all of them; with many, a person says which.
        accounts=active if len(active) <= 4 else (),
        campaign=campaign.pk if campaign is not None and campaign.brand_id == brand.pk else None,
        planned_at=_instant(date, time, brand.timezone),
    )
    desk = Desk(uuid7(), None, brand, is_scheduled=False)
    given = started_from(desk, given, request.GET.get("template", ""))
    context = desk_context(request, desk, given, brands=about.brands, is_fresh=True)
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
    desk = desk_of(request, post_id)
    saved = _saved_input(desk.saved_post, tab=request.GET.get("tab", BASE))
    context = desk_context(request, desk, saved)
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
    desk = desk_of(request, post_id)
    given = given_of(request, desk)
    context = desk_context(request, desk, given, is_check=True)
    return render(request, "content_calendar/composer.html#checked", context)


@requires(Action.DRAFT_POSTS)
@require_POST
def change(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    """The editor after ``change`` (see views.tools.changed), from what stands on the page. Saves nothing."""
    desk = desk_of(request, post_id)
    given = changed(desk, given_of(request, desk), request.POST.get("change", ""))
    context = desk_context(request, desk, given, is_change=True)
    return render(request, "content_calendar/composer.html#editor", context)
