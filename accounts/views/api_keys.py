"""API keys: list, make, revoke."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import selectors
from accounts.access import MemberRequest, current_brand, load, requires
from accounts.forms import ApiKeyForm
from accounts.models import ApiKey
from accounts.permissions import Action
from accounts.services import api_keys
from accounts.views.organization import tabs
from core.crypto import decrypt_json, encrypt_json
from core.paging import page_of

_EXAMPLE = """\
curl %(base)s/api/v1/conversions \\
  -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
  -d '{"kind": "sale", "external_id": "order-1042", "happened_at": "2026-01-31T15:30:00+09:00",
       "value": "4800", "click": "value of smm_click", "person": {"email": "hanako@example.com"}}'"""
MADE = "api_key_made"  # shown once, to the person who made it; sealed while it waits in the session


@requires(Action.MANAGE_API_KEYS)
@require_GET
def api_key_list(request: MemberRequest) -> HttpResponse:
    sealed = request.session.pop(MADE, None)
    context = {
        "page": page_of(request, selectors.api_keys_of(request.membership)),
        "made": decrypt_json(sealed) if sealed else None,
        "zone": selectors.zone_of(request.membership, current_brand(request)),
        "tabs": tabs(request, "api_key_list"),
        "openapi_url": reverse("api:openapi"),
        "example": _EXAMPLE % {"base": settings.BASE_URL},
    }
    return render(request, "accounts/api_keys.html", context)


@requires(Action.MANAGE_API_KEYS)
def api_key_create(request: MemberRequest) -> HttpResponse:
    form = ApiKeyForm(
        request.POST or None, membership=request.membership, initial={"brand": current_brand(request)}
    )
    if request.method == "POST" and form.is_valid():
        key, secret = api_keys.create_api_key(
            creator=request.membership,
            brand=form.cleaned_data["brand"],
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            now=timezone.now(),
        )
        request.session[MADE] = encrypt_json({"name": key.name, "secret": secret})
        return redirect("accounts:api_key_list")
    context = {"form": form, "tabs": tabs(request, "api_key_list")}
    return render(request, "accounts/api_key_form.html", context)


@requires(Action.MANAGE_API_KEYS)
@require_POST
def api_key_revoke(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    key: ApiKey = load(request, Action.MANAGE_API_KEYS, ApiKey.objects, pk)
    if api_keys.revoke_api_key(key=key, actor=request.user, now=timezone.now()):
        messages.success(request, _("The key “%(name)s” no longer works.") % {"name": key.name})
    return redirect("accounts:api_key_list")
