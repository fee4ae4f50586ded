"""Quiet periods of a brand: added, changed and taken away by those who may pause."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import MemberRequest, load, requires
from accounts.models import Brand
from accounts.permissions import Action
from accounts.views.organization import tabs
from outbox.forms import QuietForm
from outbox.models import QuietPeriod
from outbox.services import quiet
from outbox.services.quiet import EndsBeforeItStarts, QuietIsOver, QuietTooLong
from outbox.views.brands import brand_page


def _refused(form: QuietForm, service: Callable[[], Any]) -> bool:
    """Do it; a refusal becomes an error of the field that it is about."""
    try:
        service()
    except EndsBeforeItStarts:
        form.add_error("ends", _("The end must come after the beginning."))
    except QuietIsOver:
        form.add_error("ends", _("This time is over. Choose a later one."))
    except QuietTooLong:
        form.add_error("ends", _("A quiet period lasts a year at most. For longer, pause the brand instead."))
    return not form.is_valid()


@requires(Action.PAUSE)
@require_POST
def quiet_add(request: MemberRequest, brand_id: uuid.UUID) -> HttpResponse:
    brand: Brand = load(request, Action.PAUSE, Brand.objects.select_related("organization"), brand_id)
    form = QuietForm(request.POST, zone=brand.timezone)
    now = timezone.now()
    if not form.is_valid() or _refused(
        form, lambda: quiet.add_quiet_period(brand=brand, actor=request.user, now=now, **form.period())
    ):
        return brand_page(request, brand, quiet=form, status=422)
    messages.success(request, _("The quiet period is set. Posts that fall due in it are held."))
    return redirect("outbox:brand_sending", brand_id=brand.pk)


@requires(Action.PAUSE)
@require_http_methods(["GET", "POST"])
def quiet_change(request: MemberRequest, period_id: uuid.UUID) -> HttpResponse:
    rows = QuietPeriod.objects.select_related("brand__organization")
    period: QuietPeriod = load(request, Action.PAUSE, rows, period_id)
    form = QuietForm(request.POST or None, zone=period.brand.timezone, initial=QuietForm.initial_of(period))
    status = 200
    if request.method == "POST":
        now = timezone.now()
        if form.is_valid() and not _refused(
            form,
            lambda: quiet.change_quiet_period(period=period, actor=request.user, now=now, **form.period()),
        ):
            messages.success(request, _("Saved."))
            return redirect("outbox:brand_sending", brand_id=period.brand_id)
        status = 422
    context = {
        "form": form,
        "period": period,
        "brand": period.brand,
        "tabs": tabs(request, "outbox:sending"),
    }
    return render(request, "outbox/quiet_change.html", context, status=status)


@requires(Action.PAUSE)
@require_POST
def quiet_remove(request: MemberRequest, period_id: uuid.UUID) -> HttpResponse:
    rows = QuietPeriod.objects.select_related("brand__organization")
    period: QuietPeriod = load(request, Action.PAUSE, rows, period_id)
    quiet.remove_quiet_period(period=period, actor=request.user, now=timezone.now())
    messages.success(
        request, _("The quiet period is gone. What it held goes out now, if it is not too late for it.")
    )
    return redirect("outbox:brand_sending", brand_id=period.brand_id)
