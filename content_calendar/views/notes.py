"""Notes on the days of a calendar: made, changed and taken away by those who draft."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import MemberRequest, load, requires
from accounts.models import Brand
from accounts.permissions import Action
from content_calendar.models import CalendarNote
from content_calendar.planning_forms import NoteForm
from content_calendar.services import notes
from content_calendar.services.notes import EndsBeforeItBegins, NoteTooLong
from content_calendar.views.places import back_to
from content_calendar.views.shown import shown
from core.htmx import render_page
from core.time import to_local


def _refused(form: NoteForm, service: Callable[[], Any]) -> bool:
    try:
        service()
    except EndsBeforeItBegins:
        form.add_error("last", _("The last day comes before the first."))
    except NoteTooLong:
        form.add_error("last", _("A note stands on a year at most."))
    return not form.is_valid()


def _page(
    request: MemberRequest, form: NoteForm, note: CalendarNote | None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "note": note, "next": back_to(request, "content_calendar:calendar")}
    return render_page(request, "content_calendar/note_form.html", context, partial="dialog", status=status)


@requires(Action.DRAFT_POSTS)
@require_http_methods(["GET", "POST"])
def note_add(request: MemberRequest) -> HttpResponse:
    """``?date=`` a day; a page, or (HTMX) a dialog on the calendar."""
    about = shown(request)
    if not about.brands:
        return redirect("content_calendar:calendar")
    today = to_local(timezone.now(), about.zone).date().isoformat()
    initial = {"first": request.GET.get("date", "")[:10] or today}
    if about.brand is not None:
        initial["brand"] = str(about.brand.pk)
    form = NoteForm(request.POST or None, brands=about.brands, initial=initial)
    if request.method == "GET":
        return _page(request, form, None)
    if form.is_valid():
        brand: Brand = load(request, Action.DRAFT_POSTS, Brand.objects, form.cleaned_data.get("brand", ""))
        if not _refused(
            form,
            lambda: notes.add_note(brand=brand, actor=request.user, now=timezone.now(), **form.note()),
        ):
            messages.success(request, _("The note stands on the calendar."))
            return redirect(back_to(request, "content_calendar:calendar"))
    return _page(request, form, None, 422)


@requires(Action.DRAFT_POSTS)
@require_http_methods(["GET", "POST"])
def note_change(request: MemberRequest, note_id: uuid.UUID) -> HttpResponse:
    note: CalendarNote = load(
        request, Action.DRAFT_POSTS, CalendarNote.objects.select_related("brand"), note_id
    )
    form = NoteForm(request.POST or None, initial=NoteForm.initial_of(note))
    if request.method == "GET":
        return _page(request, form, note)
    if form.is_valid() and not _refused(form, lambda: notes.change_note(note=note, **form.note())):
        messages.success(request, _("Saved."))
        return redirect(back_to(request, "content_calendar:calendar"))
    return _page(request, form, note, 422)


@requires(Action.DRAFT_POSTS)
@require_POST
def note_remove(request: MemberRequest, note_id: uuid.UUID) -> HttpResponse:
    note: CalendarNote = load(request, Action.DRAFT_POSTS, CalendarNote.objects, note_id)
    notes.remove_note(note=note)
    messages.success(request, _("The note is gone."))
    return redirect(back_to(request, "content_calendar:calendar"))
