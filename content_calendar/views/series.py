"""Series: posts that repeat by a rule."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.models import SocialAccount
from accounts.permissions import Action
from content_calendar.content import Part
from content_calendar.models import Post, Series
from content_calendar.repeating_forms import NewSeriesForm, SeriesForm
from content_calendar.selectors.checks import check_accounts
from content_calendar.selectors.refusals import refusal_words
from content_calendar.selectors.series import (
    coming_dates,
    next_date,
    past_posts,
    rule_of,
    rule_words,
    series_dates,
    series_of,
)
from content_calendar.services import series as services
from content_calendar.services.drafts import AccountUnknown, AlreadySending, Draft
from content_calendar.services.series import FILL_DAYS, NotADate, SeriesEnded
from content_calendar.views.shown import brand_asked_for, may, post_asked_for, shown
from core.paging import page_of
from core.templatetags.ui import day as day_words
from core.time import to_local

PAGE_SIZE = 31


@requires(Action.VIEW)
@require_safe
def series_list(request: MemberRequest) -> HttpResponse:
    about = shown(request)
    page = page_of(request, series_of(request.membership, about.brand), size=25)
    now = timezone.now()
    context = {
        "shown": about,
        "page": page,
        "rows": [(one, rule_words(rule_of(one)), next_date(one, now)) for one in page],
        "several": about.brand is None,
        **may(request),
    }
    return render(request, "content_calendar/series_list.html", context)


@requires(Action.PUBLISH_POSTS)
@require_http_methods(["GET", "POST"])
def series_new(request: MemberRequest) -> HttpResponse:
    """Of a new text, or ``?post=`` with the content of that one; ``?brand=`` where there are several."""
    post = post_asked_for(request)
    brand = post.brand if post is not None else brand_asked_for(request)
    if brand is None:
        return render(request, "content_calendar/compose_nothing.html", {"shown": shown(request)})
    now = timezone.now()
    tomorrow = to_local(now, brand.timezone).date() + dt.timedelta(days=1)
    initial = {
        "starts_on": tomorrow,
        "wall_time": dt.time(9),
        "weekdays": [str(tomorrow.weekday())],
        "month_day": tomorrow.day,
        "name": post.excerpt if post is not None else "",
    }
    form: SeriesForm
    accounts = SocialAccount.objects.for_brand(brand).connected().order_by("platform", "handle")
    if post is not None:
        form = SeriesForm(request.POST or None, zone=brand.timezone, initial=initial)
    else:
        form = NewSeriesForm(request.POST or None, zone=brand.timezone, initial=initial, accounts=accounts)
    if request.method == "POST" and form.is_valid():
        content: Post | Draft = post if post is not None else _draft(form)
        if isinstance(content, Draft) and (problem := _problem(content, list(form.cleaned_data["accounts"]))):
            form.add_error("text", problem)
        else:
            made = services.create_series(
                brand=brand, content=content, actor=request.user, now=now, **form.series()
            )
            messages.success(
                request,
                _("The series is set up. Its posts are made %(weeks)s weeks ahead.")
                % {"weeks": FILL_DAYS // 7},
            )
            return redirect("content_calendar:series", series_id=made.pk)
    context = {"form": form, "brand": brand, "post": post, "brands": shown(request).brands}
    status = 422 if form.errors else 200
    return render(request, "content_calendar/series_form.html", context, status=status)


def _draft(form: SeriesForm) -> Draft:
    accounts = form.cleaned_data["accounts"]
    return Draft(parts=(Part(form.cleaned_data["text"]),), accounts=tuple(one.pk for one in accounts))


def _problem(draft: Draft, accounts: list[SocialAccount]) -> str:
    """What a network would not take, in words; "" for nothing."""
    checks = check_accounts(
        accounts, draft.parts, draft.own_parts, {}, is_tracked=False, settings=draft.settings
    )
    return " ".join(
        f"{check.account}: {issue.message}" for check in checks for issue in check.issues if issue.is_blocking
    )


def _loaded(request: MemberRequest, action: Action, series_id: uuid.UUID) -> Series:
    rows = Series.objects.select_related("brand__organization", "template", "run_by")
    series: Series = load(request, action, rows, series_id)
    return series


@requires(Action.VIEW)
@require_safe
def series(request: MemberRequest, series_id: uuid.UUID) -> HttpResponse:
    row = _loaded(request, Action.VIEW, series_id)
    now = timezone.now()
    dates = coming_dates(row, now) if row.ended_at is None else []
    page = Paginator(dates, PAGE_SIZE).get_page(request.GET.get("page"))
    horizon = to_local(now, row.brand.timezone).date() + dt.timedelta(days=FILL_DAYS)
    context = {
        "series": row,
        "brand": row.brand,
        "words": rule_words(rule_of(row)),
        "page": page,
        "dates": [
            (one, refusal_words(one.refusal), one.date <= horizon)
            for one in series_dates(row, list(page.object_list))
        ],
        "past": past_posts(row, now),
        "is_behind": row.template.version != row.content_version,
        "weeks": FILL_DAYS // 7,
        **may(request),
    }
    return render(request, "content_calendar/series.html", context)


@requires(Action.PUBLISH_POSTS)
@require_http_methods(["GET", "POST"])
def series_change(request: MemberRequest, series_id: uuid.UUID) -> HttpResponse:
    row = _loaded(request, Action.PUBLISH_POSTS, series_id)
    initial = SeriesForm.initial_of(row, rule_of(row))
    form = SeriesForm(request.POST or None, zone=row.brand.timezone, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_series(series=row, actor=request.user, now=timezone.now(), **form.series())
        except SeriesEnded:
            form.add_error(None, _ended())
        else:
            messages.success(
                request, _("Saved. Coming posts follow, except for those that somebody changed.")
            )
            return redirect("content_calendar:series", series_id=row.pk)
    context = {"form": form, "brand": row.brand, "series": row}
    status = 422 if form.errors else 200
    return render(request, "content_calendar/series_form.html", context, status=status)


def _ended() -> str:
    return _("The series was ended. Continue it first.")


def _tried(request: MemberRequest, row: Series, service: Callable[[], Any], said: str) -> HttpResponse:
    """Do it, or say why not; either way back to the series."""
    try:
        service()
    except SeriesEnded:
        messages.error(request, _ended())
    except NotADate:
        messages.error(request, _("The series has no such date any more."))
    except AlreadySending:
        messages.error(request, _("The post of this date is being sent already."))
    except AccountUnknown:
        messages.error(request, _("An account of the template is no longer connected. Look at the template."))
    else:
        messages.success(request, said)
    return redirect("content_calendar:series", series_id=row.pk)


def _date(request: MemberRequest) -> dt.date:
    """The date of the form; one that is none is no date of any series either."""
    try:
        return dt.date.fromisoformat(request.POST.get("date", ""))
    except ValueError:
        return dt.date.min


@requires(Action.PUBLISH_POSTS)
@require_POST
def series_skip(request: MemberRequest, series_id: uuid.UUID) -> HttpResponse:
    row = _loaded(request, Action.PUBLISH_POSTS, series_id)
    date = _date(request)
    return _tried(
        request,
        row,
        lambda: services.skip_date(series=row, date=date, actor=request.user, now=timezone.now()),
        _("Nothing goes out on %(date)s.") % {"date": day_words(date)},
    )


@requires(Action.PUBLISH_POSTS)
@require_POST
def series_unskip(request: MemberRequest, series_id: uuid.UUID) -> HttpResponse:
    row = _loaded(request, Action.PUBLISH_POSTS, series_id)
    date = _date(request)
    return _tried(
        request,
        row,
        lambda: services.unskip_date(series=row, date=date, actor=request.user, now=timezone.now()),
        _("%(date)s is back in the series.") % {"date": day_words(date)},
    )


@requires(Action.PUBLISH_POSTS)
@require_POST
def series_content(request: MemberRequest, series_id: uuid.UUID) -> HttpResponse:
    """What the template says now, for all coming posts that nobody changed."""
    row = _loaded(request, Action.PUBLISH_POSTS, series_id)
    return _tried(
        request,
        row,
        lambda: services.take_over_content(series=row, actor=request.user, now=timezone.now()),
        _("The coming posts say what the template says now, except for those that somebody changed."),
    )


@requires(Action.PUBLISH_POSTS)
@require_POST
def series_end(request: MemberRequest, series_id: uuid.UUID) -> HttpResponse:
    row = _loaded(request, Action.PUBLISH_POSTS, series_id)
    removed = services.end_series(series=row, actor=request.user, now=timezone.now())
    messages.success(
        request,
        ngettext(
            "The series is ended, and %(count)s coming post was put away.",
            "The series is ended, and %(count)s coming posts were put away.",
            removed,
        )
        % {"count": removed},
    )
    return redirect("content_calendar:series", series_id=row.pk)


@requires(Action.PUBLISH_POSTS)
@require_POST
def series_continue(request: MemberRequest, series_id: uuid.UUID) -> HttpResponse:
    row = _loaded(request, Action.PUBLISH_POSTS, series_id)
    services.continue_series(series=row, actor=request.user, now=timezone.now())
    messages.success(request, _("The series goes on with its next date."))
    return redirect("content_calendar:series", series_id=row.pk)
