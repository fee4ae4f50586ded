"""Lines of the plan: added and moved on the page of the campaign, changed on one of their own."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import MemberRequest, load, requires
from accounts.permissions import Action
from campaigns.forms.spend import LineForm
from campaigns.models import BudgetLine
from campaigns.services import budgets
from campaigns.views.campaigns import plan_context
from campaigns.views.shown import loaded, tab_context

_STEPS = {"up": -1, "down": 1}


@requires(Action.MANAGE_CAMPAIGNS)
@require_POST
def line_add(request: MemberRequest, campaign_id: uuid.UUID) -> HttpResponse:
    campaign = loaded(request, Action.MANAGE_CAMPAIGNS, campaign_id)
    form = LineForm(request.POST, campaign=campaign)
    if not form.is_valid():
        return render(request, "campaigns/plan.html", plan_context(request, campaign, form), status=422)
    budgets.add_line(
        campaign=campaign,
        cost=form.cost(),
        label=form.cleaned_data["label"],
        actor=request.user,
        now=timezone.now(),
    )
    messages.success(request, _("Added to the plan."))
    return redirect("campaigns:campaign", campaign_id=campaign.pk)


@requires(Action.MANAGE_CAMPAIGNS)
@require_http_methods(["GET", "HEAD", "POST"])
def line_edit(request: MemberRequest, line_id: uuid.UUID) -> HttpResponse:
    line = _line(request, line_id)
    given = request.POST if request.method == "POST" else None
    form = LineForm(given, campaign=line.campaign, initial=LineForm.initial_of(line))
    if given is not None and form.is_valid():
        budgets.change_line(
            line=line,
            cost=form.cost(),
            label=form.cleaned_data["label"],
            actor=request.user,
            now=timezone.now(),
        )
        messages.success(request, _("Changes saved."))
        return redirect("campaigns:campaign", campaign_id=line.campaign_id)
    context = tab_context(request, line.campaign, "plan", timezone.now()) | {"line": line, "form": form}
    return render(request, "campaigns/line_form.html", context, status=422 if form.errors else 200)


@requires(Action.MANAGE_CAMPAIGNS)
@require_POST
def line_delete(request: MemberRequest, line_id: uuid.UUID) -> HttpResponse:
    line = _line(request, line_id)
    budgets.delete_line(line=line, actor=request.user, now=timezone.now())
    messages.success(request, _("Taken out of the plan. What was spent on it stays."))
    return redirect("campaigns:campaign", campaign_id=line.campaign_id)


@requires(Action.MANAGE_CAMPAIGNS)
@require_POST
def line_move(request: MemberRequest, line_id: uuid.UUID) -> HttpResponse:
    """``direction`` is up or down."""
    line = _line(request, line_id)
    budgets.move_line(line=line, steps=_STEPS.get(request.POST.get("direction", ""), 0))
    return redirect(f"{reverse('campaigns:campaign', args=[line.campaign_id])}#plan")


def _line(request: MemberRequest, line_id: uuid.UUID) -> BudgetLine:
    rows = BudgetLine.objects.select_related("campaign__brand__organization")
    line: BudgetLine = load(request, Action.MANAGE_CAMPAIGNS, rows, line_id)
    return line
