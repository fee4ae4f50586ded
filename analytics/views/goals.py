"""Goals: making, changing and putting away, what drives them, and remarks on check-ins."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, current_brand, load, requires
from accounts.models import Brand
from accounts.permissions import Action, is_allowed
from analytics.forms import ChangeGoalForm, GoalForm, LinkForm, NoteForm
from analytics.models import Checkin, DriverLink, Goal
from analytics.selectors.goal_pages import checkins_of, goal_page, title_of_chart
from analytics.selectors.goals import drivers, goals_of
from analytics.services import goals as service
from analytics.services.checkins import note_checkin
from analytics.services.goals import GoalRefused, LinkRefused
from analytics.views.shared import tabs
from analytics.wording import KINDS, LINK_REFUSALS, REFUSALS
from core.csv_writing import csv_response
from core.htmx import render_page
from core.paging import page_of
from core.time import to_local

CHECKINS_PER_PAGE = 14
MONTH = dt.timedelta(days=29)  # from the first to the last of thirty days
_GOALS = Goal.objects.select_related("brand__organization", "account", "campaign", "owner")


@requires(Action.VIEW)
@require_safe
def goal(request: MemberRequest, goal_id: uuid.UUID) -> HttpResponse:
    found: Goal = load(request, Action.VIEW, _GOALS, goal_id)
    page = page_of(request, checkins_of(found), size=CHECKINS_PER_PAGE)
    context = {
        "goal": found,
        "numbers": goal_page(found, request.membership, now=timezone.now()),
        "page": page,
        "chart_title": title_of_chart(found),
        "may_manage": is_allowed(request.membership.role, Action.MANAGE_GOALS),
        "tabs": tabs(request, "analytics:together"),
    }
    return render_page(request, "analytics/goal.html", context)


@requires(Action.VIEW)
@require_safe
def checkins_csv(request: MemberRequest, goal_id: uuid.UUID) -> HttpResponseBase:
    found: Goal = load(request, Action.VIEW, _GOALS, goal_id)
    header = [
        "date",
        "value",
        "numerator",
        "denominator",
        "progress",
        "expected",
        "pace",
        "forecast",
        "status",
        "is_final",
        "note",
    ]
    rows = found.checkins.order_by("date").values_list(*header)
    return csv_response(f"goal-{found.starts_on}-{found.ends_on}", header, rows.iterator(chunk_size=1000))


@requires(Action.MANAGE_GOALS)
def goal_create(request: MemberRequest) -> HttpResponse:
    """A form for the brand of the switcher, or for the one that the address names."""
    brand = _brand(request)
    if brand is None:
        brands = Brand.objects.for_member(request.membership).order_by("name")
        return render(request, "analytics/goal_brand.html", {"brands": brands})
    today = to_local(timezone.now(), brand.timezone).date()
    initial = {"starts_on": today, "ends_on": today + MONTH, "owner": request.user.pk}
    form = GoalForm(request.POST or None, brand=brand, membership=request.membership, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = service.create_goal(
                brand=brand, new=form.new_goal(), actor=request.user, now=timezone.now()
            )
        except GoalRefused as refused:
            _refuse(form, *REFUSALS[refused.refusal])
        else:
            messages.success(request, _("The goal is set. Its baseline is locked."))
            return redirect("analytics:goal", made.pk)
    context = {"form": form, "brand": brand, "kinds": list(KINDS.items())}
    return render(request, "analytics/goal_form.html", context, status=422 if form.errors else 200)


@requires(Action.MANAGE_GOALS)
@require_safe
def goal_preview(request: MemberRequest) -> HttpResponse:
    """What the goal that is being typed would start from and lead to."""
    brand = _brand(request)
    if brand is None:
        raise Http404
    form = GoalForm(request.GET, brand=brand, membership=request.membership, needs_name=False)
    preview, refusal = None, ""
    if form.is_valid():
        try:
            preview = service.preview_goal(brand=brand, new=form.new_goal(), now=timezone.now())
        except GoalRefused as refused:
            refusal = str(REFUSALS[refused.refusal][1])
    context = {"preview": preview, "refusal": refusal, "form": form, "brand": brand}
    return render(request, "analytics/_goal_preview.html", context)


def _brand(request: MemberRequest) -> Brand | None:
    brands = Brand.objects.for_member(request.membership)
    if wanted := request.GET.get("brand"):
        try:
            return load(request, Action.MANAGE_GOALS, Brand.objects, uuid.UUID(wanted))
        except ValueError:
            raise Http404 from None
    chosen = current_brand(request)
    if chosen is None and brands.count() == 1:
        return brands.get()
    return chosen


def _refuse(form: Any, field: str, words: Any) -> None:
    form.add_error(field if field in form.fields else None, str(words))


@requires(Action.MANAGE_GOALS)
def goal_edit(request: MemberRequest, goal_id: uuid.UUID) -> HttpResponse:
    found: Goal = load(request, Action.MANAGE_GOALS, _GOALS, goal_id)
    form = ChangeGoalForm(request.POST or None, goal=found)
    if request.method == "POST" and form.is_valid():
        try:
            service.change_goal(goal=found, **form.cleaned_data, actor=request.user, now=timezone.now())
        except GoalRefused as refused:
            _refuse(form, *REFUSALS[refused.refusal])
        else:
            messages.success(request, _("Saved."))
            return redirect("analytics:goal", found.pk)
    context = {"form": form, "goal": found}
    return render(request, "analytics/goal_edit.html", context, status=422 if form.errors else 200)


@requires(Action.MANAGE_GOALS)
@require_POST
def goal_archive(request: MemberRequest, goal_id: uuid.UUID) -> HttpResponse:
    found: Goal = load(request, Action.MANAGE_GOALS, _GOALS, goal_id)
    service.archive_goal(goal=found, actor=request.user, now=timezone.now())
    messages.success(request, _("%(goal)s is archived.") % {"goal": found})
    return redirect("analytics:together")


@requires(Action.MANAGE_GOALS)
@require_POST
def goal_restore(request: MemberRequest, goal_id: uuid.UUID) -> HttpResponse:
    found: Goal = load(request, Action.MANAGE_GOALS, _GOALS, goal_id)
    service.restore_goal(goal=found, actor=request.user, now=timezone.now())
    messages.success(request, _("%(goal)s is back.") % {"goal": found})
    return redirect("analytics:goal", found.pk)


@requires(Action.MANAGE_GOALS)
@require_safe
def goals_archived(request: MemberRequest) -> HttpResponse:
    rows = goals_of(request.membership, current_brand(request)).filter(archived_at__isnull=False)
    context = {
        "page": page_of(request, rows.order_by("-archived_at")),
        "tabs": tabs(request, "analytics:together"),
    }
    return render(request, "analytics/goals_archived.html", context)


# --- what drives what -------------------------------------------------------------------------


@requires(Action.MANAGE_GOALS)
def driver_add(request: MemberRequest, goal_id: uuid.UUID) -> HttpResponse:
    """What drives this goal."""
    effect: Goal = load(request, Action.MANAGE_GOALS, _GOALS, goal_id)
    form = LinkForm(request.POST or None, effect=effect, membership=request.membership)
    if request.method == "POST" and form.is_valid():
        try:
            service.connect_goals(effect=effect, **form.cleaned_data, actor=request.user, now=timezone.now())
        except LinkRefused as refused:
            _refuse(form, *LINK_REFUSALS[refused.refusal])
        else:
            messages.success(request, _("The goals are connected."))
            return redirect("analytics:goal", effect.pk)
    context = {"form": form, "effect": effect, "link": None}
    return render(request, "analytics/driver_form.html", context, status=422 if form.errors else 200)


_LINKS = DriverLink.objects.select_related("cause__brand__organization", "effect")


@requires(Action.MANAGE_GOALS)
def driver_edit(request: MemberRequest, link_id: uuid.UUID) -> HttpResponse:
    link: DriverLink = load(request, Action.MANAGE_GOALS, _LINKS, link_id)
    form = LinkForm(request.POST or None, effect=link.effect, membership=request.membership, link=link)
    if request.method == "POST" and form.is_valid():
        try:
            service.change_link(link=link, **form.cleaned_data, actor=request.user, now=timezone.now())
        except LinkRefused as refused:
            _refuse(form, *LINK_REFUSALS[refused.refusal])
        else:
            messages.success(request, _("Saved."))
            return redirect("analytics:goal", link.effect_id)
    context = {"form": form, "effect": link.effect, "link": link, "driver": drivers([link])[0]}
    return render(request, "analytics/driver_form.html", context, status=422 if form.errors else 200)


@requires(Action.MANAGE_GOALS)
@require_POST
def driver_remove(request: MemberRequest, link_id: uuid.UUID) -> HttpResponse:
    link: DriverLink = load(request, Action.MANAGE_GOALS, _LINKS, link_id)
    service.disconnect_goals(link=link, actor=request.user, now=timezone.now())
    messages.success(request, _("The connection is removed. The goals stay."))
    return redirect("analytics:goal", link.effect_id)


# --- check-ins --------------------------------------------------------------------------------


@requires(Action.MANAGE_GOALS)
def checkin_note(request: MemberRequest, checkin_id: uuid.UUID) -> HttpResponse:
    """What a person has to say about a date."""
    checkin: Checkin = load(
        request, Action.MANAGE_GOALS, Checkin.objects.select_related("goal__brand"), checkin_id
    )
    form = NoteForm(request.POST or None, checkin=checkin)
    if request.method == "POST" and form.is_valid():
        note_checkin(checkin=checkin, note=form.cleaned_data["note"], actor=request.user, now=timezone.now())
        return redirect("analytics:goal", checkin.goal_id)
    return render(request, "analytics/checkin_note.html", {"form": form, "checkin": checkin})
