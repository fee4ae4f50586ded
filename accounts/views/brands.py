"""Brands: list, create, change, archive and bring back."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import choices, selectors
from accounts.access import MemberRequest, load, requires
from accounts.forms import BrandForm
from accounts.models import Brand
from accounts.permissions import Action
from accounts.services import organizations
from accounts.services.organizations import BrandNameTaken
from accounts.views.organization import tabs
from core.paging import page_of


@requires(Action.MANAGE_BRANDS)
@require_GET
def brand_list(request: MemberRequest) -> HttpResponse:
    page = page_of(request, selectors.brands_of(request.membership))
    return render(request, "accounts/brand_list.html", {"page": page, "tabs": tabs(request, "brand_list")})


@requires(Action.MANAGE_BRANDS)
def brand_create(request: MemberRequest) -> HttpResponse:
    form = BrandForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            brand = organizations.create_brand(
                membership=request.membership, facts=form.facts(), now=timezone.now()
            )
        except BrandNameTaken:
            form.add_error("name", _taken())
        else:
            messages.success(request, _("%(brand)s was created.") % {"brand": brand})
            return redirect("accounts:brand_list")
    return _form_page(request, form, None)


@requires(Action.MANAGE_BRANDS)
def brand_edit(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    brand = load(request, Action.MANAGE_BRANDS, Brand.every, pk)
    form = BrandForm(request.POST or None, initial=BrandForm.initial_of(brand))
    if request.method == "POST" and form.is_valid():
        try:
            organizations.change_brand(
                brand=brand, facts=form.facts(), actor=request.user, now=timezone.now()
            )
        except BrandNameTaken:
            form.add_error("name", _taken())
        else:
            messages.success(request, _("Saved."))
            return redirect("accounts:brand_list")
    return _form_page(request, form, brand)


def _form_page(request: MemberRequest, form: BrandForm, brand: Brand | None) -> HttpResponse:
    context = {
        "form": form,
        "brand": brand,
        "zones": choices.zones(timezone.now()),
        "tabs": tabs(request, "brand_list"),
    }
    return render(request, "accounts/brand_form.html", context)


def _taken() -> str:
    return _("There is a brand of this name already. Archived ones count, too.")


@requires(Action.MANAGE_BRANDS)
@require_POST
def brand_archive(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    brand = load(request, Action.MANAGE_BRANDS, Brand.every, pk)
    organizations.archive_brand(brand=brand, actor=request.user, now=timezone.now())
    messages.success(
        request, _("%(brand)s is archived. It can be brought back from this list.") % {"brand": brand}
    )
    return redirect("accounts:brand_list")


@requires(Action.MANAGE_BRANDS)
@require_POST
def brand_restore(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    brand = load(request, Action.MANAGE_BRANDS, Brand.every, pk)
    organizations.restore_brand(brand=brand, actor=request.user, now=timezone.now())
    messages.success(request, _("%(brand)s is back.") % {"brand": brand})
    return redirect("accounts:brand_list")
