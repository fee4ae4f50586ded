"""How sending stands: over all brands, and for one of them with its rules."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, current_brand, load, requires
from accounts.models import Brand
from accounts.permissions import Action, is_allowed
from accounts.selectors import zone_of
from accounts.views.organization import tabs
from core.paging import page_of
from outbox.forms import LateForm, PauseForm, QuietForm
from outbox.missed import sentence_of
from outbox.reach import last_reach
from outbox.selectors import (
    missed_rule_of,
    open_pause_of_brand,
    open_pause_of_organization,
    quiet_periods_of,
    with_pauses,
)
from outbox.services.rules import set_missed_rule

QUIET_PAGE = 20


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
        "zone": zone_of(member, current_brand(request)),
        "form": PauseForm(),
        "may_pause": is_allowed(member.role, Action.PAUSE),
        "may_check_media": is_allowed(member.role, Action.CONNECT_ACCOUNTS),
        "public_media_url": settings.PUBLIC_MEDIA_URL,
        "reach": last_reach,
        "tabs": tabs(request, "outbox:sending"),
    }
    return render(request, "outbox/sending.html", context)


@requires(Action.VIEW)
@require_safe
def brand_sending(request: MemberRequest, brand_id: uuid.UUID) -> HttpResponse:
    """One brand: its pause, its quiet periods, and what becomes of late posts."""
    return brand_page(request, load(request, Action.VIEW, Brand.objects, brand_id))


@requires(Action.PAUSE)
@require_POST
def late_rule(request: MemberRequest, brand_id: uuid.UUID) -> HttpResponse:
    brand: Brand = load(request, Action.PAUSE, Brand.objects.select_related("organization"), brand_id)
    form = LateForm(request.POST)
    if not form.is_valid():
        return brand_page(request, brand, late=form, status=422)
    set_missed_rule(brand=brand, rule=form.rule(), actor=request.user, now=timezone.now())
    messages.success(request, _("Saved. Posts that are scheduled already keep the rule they have."))
    return redirect("outbox:brand_sending", brand_id=brand.pk)


def brand_page(
    request: MemberRequest,
    brand: Brand,
    *,
    late: LateForm | None = None,
    quiet: QuietForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page, with a form that was sent and refused in the place of a fresh one."""
    now, rule = timezone.now(), missed_rule_of(brand)
    context = {
        "brand": brand,
        "now": now,
        "pause": open_pause_of_brand(brand),
        "form": PauseForm(),
        "late": late or LateForm(initial={"late": rule.key}),
        "late_words": sentence_of(rule),
        "quiet": quiet or QuietForm(zone=brand.timezone),
        "page": page_of(request, quiet_periods_of(brand, now), size=QUIET_PAGE),
        "may_pause": is_allowed(request.membership.role, Action.PAUSE),
        "tabs": tabs(request, "outbox:sending"),
    }
    return render(request, "outbox/brand_sending.html", context, status=status)
