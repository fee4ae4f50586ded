"""Labels of brands: made, renamed, recoloured and deleted by those who draft."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.models import Brand
from accounts.permissions import Action
from content_calendar.models import Label, LabelTone
from content_calendar.planning_forms import LabelForm, NewLabelForm, QuickLabelForm
from content_calendar.services import labels as service
from content_calendar.services.labels import LabelNameTaken, TooManyLabels
from content_calendar.views.shown import may, shown
from core.paging import page_of


def _refused(form: LabelForm, act: Callable[[], Any]) -> bool:
    try:
        act()
    except LabelNameTaken:
        form.add_error("name", _("The brand has a label of this name already."))
    except TooManyLabels:
        form.add_error(None, _("The brand has as many labels as fit. Delete one first."))
    return not form.is_valid()


def _page(request: MemberRequest, form: NewLabelForm | None = None, status: int = 200) -> HttpResponse:
    about = shown(request)
    rows = (
        Label.objects.for_member(request.membership)
        .filter(brand__in=about.shown_brands)
        .select_related("brand")
        .annotate(post_count=Count("posts", filter=Q(posts__deleted_at__isnull=True)))
        .order_by("brand__name", "name")
    )
    initial = {"brand": str(about.brand.pk)} if about.brand else {}
    context = {
        "page": page_of(request, rows),
        "form": form or NewLabelForm(brands=about.brands, initial=initial),
        "shown": about,
        **may(request),
    }
    return render(request, "content_calendar/labels.html", context, status=status)


@requires(Action.VIEW)
@require_safe
def labels(request: MemberRequest) -> HttpResponse:
    return _page(request)


@requires(Action.DRAFT_POSTS)
@require_POST
def label_add(request: MemberRequest) -> HttpResponse:
    form = NewLabelForm(request.POST, brands=shown(request).brands)
    if form.is_valid():
        given = form.cleaned_data
        brand: Brand = load(request, Action.DRAFT_POSTS, Brand.objects, given["brand"])
        if not _refused(
            form,
            lambda: service.add_label(
                brand=brand, name=given["name"], tone=LabelTone(given["tone"]), now=timezone.now()
            ),
        ):
            messages.success(request, _("The label is there."))
            return redirect("content_calendar:labels")
    return _page(request, form, 422)


@requires(Action.DRAFT_POSTS)
@require_http_methods(["GET", "POST"])
def label_change(request: MemberRequest, label_id: uuid.UUID) -> HttpResponse:
    label: Label = load(request, Action.DRAFT_POSTS, Label.objects.select_related("brand"), label_id)
    form = LabelForm(request.POST or None, initial=LabelForm.initial_of(label))
    status = 200
    if request.method == "POST":
        if form.is_valid() and not _refused(
            form,
            lambda: service.change_label(
                label=label, name=form.cleaned_data["name"], tone=LabelTone(form.cleaned_data["tone"])
            ),
        ):
            messages.success(request, _("Saved."))
            return redirect("content_calendar:labels")
        status = 422
    context = {"form": form, "label": label}
    return render(request, "content_calendar/label_form.html", context, status=status)


@requires(Action.DRAFT_POSTS)
@require_POST
def label_remove(request: MemberRequest, label_id: uuid.UUID) -> HttpResponse:
    label: Label = load(request, Action.DRAFT_POSTS, Label.objects, label_id)
    service.remove_label(label=label)
    messages.success(request, _("The label is gone. The posts that carried it stay."))
    return redirect("content_calendar:labels")


@requires(Action.DRAFT_POSTS)
@require_POST
def label_quick(request: MemberRequest, brand_id: uuid.UUID) -> HttpResponse:
    """From the composer: the label of the name that was typed, made if there is none, as its check box."""
    brand: Brand = load(request, Action.DRAFT_POSTS, Brand.objects, brand_id)
    form = QuickLabelForm(request.POST)
    label, refusal = None, ""
    if not form.is_valid():
        refusal = _("Give the label a name of at most 40 characters.")
    else:
        try:
            label = service.label_named(brand=brand, name=form.cleaned_data["new_label"], now=timezone.now())
        except TooManyLabels:
            refusal = _("The brand has as many labels as fit. Delete one first.")
    context = {"label": label, "refusal": refusal}
    return render(request, "content_calendar/_label_pick.html", context)
