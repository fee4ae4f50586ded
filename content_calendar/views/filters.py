"""Filters that members keep, of the calendar and the list of posts."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.models import Membership
from accounts.permissions import Action
from content_calendar.models import SavedFilter
from content_calendar.planning_forms import FilterForm, checked_query
from content_calendar.services import filters
from content_calendar.services.filters import FilterNameTaken, TooManyFilters


class _OwnFilters:
    """What a member may change, for ``load``: their own."""

    @staticmethod
    def for_member(membership: Membership) -> Any:
        return SavedFilter.objects.filter(membership=membership)


def default_query(request: MemberRequest) -> str:
    """What an address without any question means to this member, "" if nothing in particular."""
    if request.GET:
        return ""
    kept = SavedFilter.objects.filter(membership=request.membership, is_default=True).first()
    return kept.query if kept else ""


def _refused(form: FilterForm, service: Callable[[], Any]) -> bool:
    try:
        service()
    except FilterNameTaken:
        form.add_error("name", _("You have a filter of this name already."))
    except TooManyFilters:
        form.add_error(None, _("You have as many filters as fit. Delete one first."))
    return not form.is_valid()


@requires(Action.VIEW)
@require_safe
def saved_filters(request: MemberRequest) -> HttpResponse:
    rows = SavedFilter.objects.for_member(request.membership).select_related("membership__user")
    context = {"rows": rows.order_by("name", "pk")[:200], "membership": request.membership}
    return render(request, "content_calendar/saved_filters.html", context)


@requires(Action.VIEW)
@require_http_methods(["GET", "POST"])
def filter_add(request: MemberRequest) -> HttpResponse:
    """GET with the filters of a page as its query."""
    form = FilterForm(request.POST or None, initial={"query": checked_query(request.GET.urlencode())})
    status = 200
    if request.method == "POST":
        if form.is_valid() and not _refused(
            form,
            lambda: filters.add_filter(membership=request.membership, facts=form.facts(), now=timezone.now()),
        ):
            messages.success(request, _("The filter is kept."))
            return redirect("content_calendar:saved_filters")
        status = 422
    context = {"form": form, "kept": None}
    return render(request, "content_calendar/filter_form.html", context, status=status)


@requires(Action.VIEW)
@require_http_methods(["GET", "POST"])
def filter_change(request: MemberRequest, filter_id: uuid.UUID) -> HttpResponse:
    kept: SavedFilter = load(request, Action.VIEW, _OwnFilters, filter_id)
    form = FilterForm(request.POST or None, initial=FilterForm.initial_of(kept))
    status = 200
    if request.method == "POST":
        if form.is_valid() and not _refused(
            form, lambda: filters.change_filter(kept=kept, facts=form.facts())
        ):
            messages.success(request, _("Saved."))
            return redirect("content_calendar:saved_filters")
        status = 422
    context = {"form": form, "kept": kept}
    return render(request, "content_calendar/filter_form.html", context, status=status)


@requires(Action.VIEW)
@require_POST
def filter_remove(request: MemberRequest, filter_id: uuid.UUID) -> HttpResponse:
    kept: SavedFilter = load(request, Action.VIEW, _OwnFilters, filter_id)
    filters.remove_filter(kept=kept)
    messages.success(request, _("The filter is gone."))
    return redirect("content_calendar:saved_filters")
