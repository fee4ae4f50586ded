"""Set-up, the organization itself, its audit log, and one's own profile."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_POST

from accounts import choices, selectors
from accounts.access import (
    BRAND_KEY,
    ORGANIZATION_KEY,
    MemberRequest,
    current_brand,
    current_membership,
    requires,
    signed_in,
)
from accounts.forms import AuditFilterForm, OrganizationForm, ProfileForm, SetUpForm
from accounts.models import Role, User
from accounts.permissions import ALLOWED, WORDS, Action, is_allowed
from accounts.services.organizations import create_organization, rename_organization
from accounts.services.people import change_profile
from accounts.wording import action_words, detail_words, group_words
from core.htmx import render_page
from core.paging import page_of


@signed_in
def organization_create(request: HttpRequest) -> HttpResponse:
    """The first page after sign-up; later the way to a second organization."""
    user = cast(User, request.user)
    form = SetUpForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        membership = create_organization(
            name=form.cleaned_data["organization"],
            brand=form.facts(),
            owner=user,
            owner_name=form.cleaned_data.get("person", ""),
            now=timezone.now(),
        )
        request.session[ORGANIZATION_KEY] = str(membership.organization_id)
        request.session.pop(BRAND_KEY, None)
        messages.success(request, _("%(name)s is set up.") % {"name": membership.organization})
        return redirect("accounts:connect")
    context = {
        "form": form,
        "zones": choices.zones(timezone.now()),
        "is_first": current_membership(request) is None,
    }
    return render(request, "accounts/set_up.html", context)


@requires(Action.VIEW)
@require_GET
def settings(request: MemberRequest) -> HttpResponse:
    """The organization, and what each role may do."""
    return _organization_page(
        request, OrganizationForm(initial=OrganizationForm.initial_of(request.organization))
    )


@requires(Action.MANAGE_ORGANIZATION)
@require_POST
def organization_edit(request: MemberRequest) -> HttpResponse:
    form = OrganizationForm(request.POST)
    if not form.is_valid():
        return _organization_page(request, form)
    rename_organization(
        organization=request.organization,
        name=form.cleaned_data["name"],
        actor=request.user,
        now=timezone.now(),
    )
    messages.success(request, _("Saved."))
    return redirect("accounts:settings")


def _organization_page(request: MemberRequest, form: OrganizationForm) -> HttpResponse:
    role = request.membership.role
    context = {
        "form": form,
        "may_edit": is_allowed(role, Action.MANAGE_ORGANIZATION),
        "roles": [(role.label, role == request.membership.role) for role in Role],
        "table": [(words, [action in ALLOWED[role] for role in Role]) for action, words in WORDS.items()],
        "zone": selectors.zone_of(request.membership, current_brand(request)),
    }
    return render(request, "accounts/organization.html", context | {"tabs": tabs(request, "settings")})


@requires(Action.VIEW)
def profile(request: MemberRequest) -> HttpResponse:
    user = request.user
    form = ProfileForm(request.POST or None, initial={"name": user.name, "language": user.language})
    if request.method == "POST" and form.is_valid():
        change_profile(user=user, name=form.cleaned_data["name"], language=form.cleaned_data["language"])
        with translation.override(user.language or translation.get_language_from_request(request)):
            messages.success(request, _("Saved."))
        return redirect("accounts:profile")
    return render(request, "accounts/profile.html", {"form": form})


@requires(Action.VIEW_AUDIT)
@require_GET
def audit(request: MemberRequest) -> HttpResponse:
    """What was done in the whole organization: for members who see all of its brands."""
    if not request.membership.has_all_brands:
        raise PermissionDenied
    offered = selectors.audit_filters(request.organization)
    form = AuditFilterForm(
        request.GET,
        groups=[(group, group_words(group)) for group in offered["groups"]],
        actors=[(str(user.pk), str(user)) for user in offered["actors"]],
    )
    query = form.query()
    page = page_of(request, selectors.audit_entries(request.organization, **query))
    zone = selectors.zone_of(request.membership, current_brand(request))
    context = {
        "form": form,
        "page": page,
        "rows": [(entry, action_words(entry.action), detail_words(entry.detail, zone)) for entry in page],
        "is_filtered": any(query.values()),
        "zone": zone,
        "tabs": tabs(request, "audit"),
    }
    return render_page(request, "accounts/audit.html", context, partial="rows")


def tabs(request: MemberRequest, current: str) -> list[dict[str, object]]:
    """The pages of the settings that this member may open. ``current`` is one of their names, that of an
    app above with its namespace."""
    pages = (
        ("accounts:settings", _("Organization"), Action.VIEW),
        ("accounts:brand_list", _("Brands"), Action.MANAGE_BRANDS),
        ("outbox:sending", pgettext("activity", "Sending"), Action.VIEW),
        ("content_calendar:approval_rules", _("Approval"), Action.MANAGE_BRANDS),
        ("accounts:member_list", _("People"), Action.MANAGE_MEMBERS),
        ("accounts:api_key_list", _("API keys"), Action.MANAGE_API_KEYS),
        ("accounts:webhook_list", _("Webhooks"), Action.MANAGE_WEBHOOKS),
        ("accounts:audit", _("Audit log"), Action.VIEW_AUDIT),
    )
    return [
        {"url_name": name, "label": label, "is_current": name in (current, f"accounts:{current}")}
        for name, label, action in pages
        if is_allowed(request.membership.role, action)
        and (action is not Action.VIEW_AUDIT or request.membership.has_all_brands)
    ]
