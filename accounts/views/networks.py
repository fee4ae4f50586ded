"""What each network can do here, what it takes to connect it, and people's own developer apps there."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts import selectors
from accounts.access import MemberRequest, load, requires
from accounts.connect_forms import AppForm
from accounts.hooks import has_deletion, is_heard
from accounts.models import AppRegistration, SocialAccount
from accounts.network_wording import length, matrix, network_facts
from accounts.permissions import Action, is_allowed
from accounts.services import apps
from accounts.views.connecting import network_of, networks, redirect_uri
from connectors.base import AppSetup, Capability, PlatformInfo


@requires(Action.VIEW)
@require_GET
def network_list(request: MemberRequest) -> HttpResponse:
    """The capability matrix: networks side by side."""
    found = networks()
    return render(request, "accounts/network_list.html", {"networks": found, "groups": matrix(found)})


@requires(Action.VIEW)
@require_GET
def network(request: MemberRequest, platform: str) -> HttpResponse:
    """One network: limits, what it takes to connect it, and the apps there are."""
    info = network_of(platform)
    may_connect = is_allowed(request.membership.role, Action.CONNECT_ACCOUNTS)
    rows = selectors.apps_of(request.membership, platform) if may_connect and info.app else ()
    context = {
        "info": info,
        "facts": network_facts(info),
        "may_connect": may_connect,
        "needs": _needs(info) if may_connect else (),
        "apps": [(app, apps.shown(app), hook_url(info, app), deletion_url(info, app)) for app in rows],
        "redirect_uri": redirect_uri() if info.app else "",
        "has_hook": info.can(Capability.WEBHOOKS),
        # Of a network that charges for each look, or allows few: a webhook makes it no faster.
        "look_every": length(info.inbox_every_s) if info.inbox_every_s else "",
    }
    return render(request, "accounts/network.html", context)


def hook_url(info: PlatformInfo, app: AppRegistration) -> str:
    """The address that the network calls for this app, "" where it does not call, or cannot be believed."""
    return _hook_url(info.key, app.hook_key) if info.can(Capability.WEBHOOKS) and is_heard(app) else ""


def deletion_url(info: PlatformInfo, app: AppRegistration) -> str:
    """Where the network sends requests of deletion for this app, "" where it has no such address."""
    return _hook_url(info.key, app.hook_key, "deletion") if has_deletion(info.key) else ""


def account_hook_url(account: SocialAccount) -> str:
    """The same of an account that has a webhook of its own."""
    return _hook_url(account.platform, account.hook_key)


def _hook_url(platform: str, key: str, name: str = "hook") -> str:
    # The name of an address above: its app may be absent.
    try:
        path = reverse(f"engagement:{name}", args=[platform, key]) if key else ""
    except NoReverseMatch:
        path = ""
    return f"{settings.BASE_URL}{path}" if path else ""


def _needs(info: PlatformInfo) -> list[tuple[bool, str]]:
    """What can be checked from here, each with whether it is so."""
    found = []
    if info.app is not None and info.app.needs_https:
        found.append(
            (
                settings.IS_HTTPS,
                _("%(network)s sends people back to https addresses only; this installation is %(url)s.")
                % {"network": info.name, "url": settings.BASE_URL},
            )
        )
    return found


@requires(Action.CONNECT_ACCOUNTS)
def app_create(request: MemberRequest, platform: str) -> HttpResponse:
    info = network_of(platform)
    form = AppForm(request.POST or None, setup=_setup(info), is_new=True)
    if request.method == "POST" and form.is_valid():
        try:
            apps.add_app(
                organization=request.organization,
                platform=platform,
                facts=form.facts(),
                redirect_uri=redirect_uri(),
                actor=request.user,
                now=timezone.now(),
            )
        except apps.NameTaken:
            form.add_error("name", _("Another app is called like this."))
        except apps.TooMany:
            form.add_error(
                None,
                _("There are %(most)s apps already. Delete one that is no longer needed.")
                % {"most": apps.MOST},
            )
        else:
            messages.success(request, _("The app is stored, encrypted. Connect an account with it next."))
            return redirect("accounts:network", platform)
    return _app_page(request, info, form)


@requires(Action.CONNECT_ACCOUNTS)
def app_edit(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    app: AppRegistration = load(
        request, Action.CONNECT_ACCOUNTS, AppRegistration.objects.select_related("organization"), pk
    )
    info = network_of(app.platform)
    known = apps.shown(app)
    initial = {"name": app.name, "client_id": known.client_id}
    initial |= {f"extra_{name}": value for name, value in known.extra.items()}
    form = AppForm(request.POST or None, setup=_setup(info), is_new=not known.is_readable, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            apps.change_app(
                app=app,
                facts=form.facts(),
                redirect_uri=redirect_uri(),
                actor=request.user,
                now=timezone.now(),
            )
        except apps.NameTaken:
            form.add_error("name", _("Another app is called like this."))
        else:
            messages.success(request, _("Saved."))
            return redirect("accounts:network", app.platform)
    return _app_page(request, info, form, app=app)


@requires(Action.CONNECT_ACCOUNTS)
@require_POST
def app_delete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    app: AppRegistration = load(
        request, Action.CONNECT_ACCOUNTS, AppRegistration.objects.select_related("organization"), pk
    )
    platform = app.platform
    _setup(network_of(platform))
    try:
        apps.delete_app(app=app, actor=request.user, now=timezone.now())
    except apps.InUse as error:
        messages.error(
            request,
            ngettext(
                "%(count)s account is connected with “%(name)s”. Reconnect it with another app, or "
                "disconnect it, first.",
                "%(count)s accounts are connected with “%(name)s”. Reconnect them with another app, or "
                "disconnect them, first.",
                error.accounts,
            )
            % {"count": error.accounts, "name": app},
        )
    else:
        messages.success(request, _("“%(name)s” is deleted.") % {"name": app})
    return redirect("accounts:network", platform)


def _setup(info: PlatformInfo) -> AppSetup:
    if info.app is None:
        raise Http404
    return info.app


def _app_page(
    request: MemberRequest, info: PlatformInfo, form: AppForm, app: AppRegistration | None = None
) -> HttpResponse:
    context = {"info": info, "form": form, "app": app, "redirect_uri": redirect_uri()}
    return render(request, "accounts/app_form.html", context, status=422 if form.errors else 200)
