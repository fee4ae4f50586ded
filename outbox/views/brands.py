"""How sending stands: over all brands, and for one of them with its rules."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.models import Brand
from accounts.permissions import Action, is_allowed
from accounts.views.organization import tabs
from core.paging import page_of
from outbox.forms import LateForm, PauseForm
from outbox.missed import sentence_of
from outbox.selectors import missed_rule_of, open_pause_of_brand, open_pause_of_organization, with_pauses
from outbox.services.rules import set_missed_rule


@requires(Action.VIEW)
@require_safe
def sending(request: MemberRequest) -> HttpResponse:
    """Whether anything is paused, over everything and for each brand."""
    member = request.membership
    page = page_of(request, Brand.objects.for_member(member).order_by("name", "pk"))
    context = {
        "page": page,
        "rows": with_pauses(list(page)),
        "pause": open_pause_of_organization(request.organization),
        "form": PauseForm(),
        "may_pause": is_allowed(member.role, Action.PAUSE),
        "tabs": tabs(request, "outbox:sending"),
    }
    return render(request, "outbox/sending.html", context)


@requires(Action.VIEW)
@require_safe
def brand_sending(request: MemberRequest, brand_id: uuid.UUID) -> HttpResponse:
    """One brand: its pause, and what becomes of late posts."""
    brand: Brand = load(request, Action.VIEW, Brand.objects, brand_id)
    return brand_page(request, brand, LateForm(initial={"late": missed_rule_of(brand).key}))


@requires(Action.PAUSE)
@require_POST
def late_rule(request: MemberRequest, brand_id: uuid.UUID) -> HttpResponse:
    brand: Brand = load(request, Action.PAUSE, Brand.objects.select_related("organization"), brand_id)
    form = LateForm(request.POST)
    if not form.is_valid():
        return brand_page(request, brand, form, status=422)
    set_missed_rule(brand=brand, rule=form.rule(), actor=request.user, now=timezone.now())
    messages.success(request, _("Saved. Posts that are scheduled already keep the rule they have."))
    return redirect("outbox:brand_sending", brand_id=brand.pk)


def brand_page(request: MemberRequest, brand: Brand, late: LateForm, *, status: int = 200) -> HttpResponse:
    context = {
        "brand": brand,
        "pause": open_pause_of_brand(brand),
        "form": PauseForm(),
        "late": late,
        "late_words": sentence_of(missed_rule_of(brand)),
        "may_pause": is_allowed(request.membership.role, Action.PAUSE),
        "tabs": tabs(request, "outbox:sending"),
    }
    return render(request, "outbox/brand_sending.html", context, status=status)
