"""Ad accounts: which there are, signing in, which of their campaigns are which, importing."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Page
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from accounts.access import MemberRequest, current_brand, load, requires
from accounts.connect_forms import AppForm
from accounts.connecting import OAuthExpired
from accounts.models import AccountStatus, AppRegistration, Brand
from accounts.permissions import Action, is_allowed
from accounts.services import apps
from campaigns import tasks
from campaigns.ad_wording import ad_problem, ad_sign_in_problem
from campaigns.forms.ads import AssignForm, ChooseForm, SignInForm
from campaigns.models import AdAccount, AdCampaign, AdCredential
from campaigns.selectors.ads import (
    apps_of,
    brands_connected,
    campaigns_of_account,
    platform_of,
    platforms,
    rows_of,
)
from campaigns.services import ad_accounts
from campaigns.services.ad_accounts import OfferOver, OtherBrand, OtherCurrency
from connectors.ads.base import AdAccount as RemoteAccount
from connectors.ads.base import AdPlatformInfo
from connectors.errors import ConnectorError
from core.htmx import render_page
from core.paging import page_of

OAUTH_KEY = "ads_oauth"  # session: state -> what was asked
OAUTH_KEPT = 5


def redirect_uri() -> str:
    """The address that platforms send the browser back to; people copy it into their developer apps."""
    return f"{settings.BASE_URL}{reverse('campaigns:ad_callback')}"


def _may_connect(request: MemberRequest) -> bool:
    return is_allowed(request.membership.role, Action.CONNECT_ACCOUNTS)


@requires(Action.VIEW_CAMPAIGNS)
@require_safe
def ad_accounts_list(request: MemberRequest) -> HttpResponse:
    context = {
        "rows": rows_of(request.membership),
        "platforms": platforms(),
        "may_connect": _may_connect(request),
    }
    return render(request, "campaigns/ad_accounts.html", context)


# --- signing in -------------------------------------------------------------------------------


def _asked_platform(request: MemberRequest) -> AdPlatformInfo | None:
    return platform_of(request.GET.get("platform", ""))


@requires(Action.CONNECT_ACCOUNTS)
@require_http_methods(["GET", "HEAD", "POST"])
def ad_connect(request: MemberRequest) -> HttpResponse:
    """``?platform=``: what it takes, the apps there are, and the way to the platform."""
    info = _asked_platform(request)
    if info is None:
        return redirect("campaigns:ad_accounts")
    rows = apps_of(request.membership, info.key)
    form = SignInForm(request.POST or None, apps=rows)
    if request.method == "POST" and form.is_valid():
        try:
            return _to_platform(request, form.cleaned_data["app"])
        except ConnectorError as error:
            form.add_error(None, ad_sign_in_problem(error, info))
    context = {
        "info": info,
        "form": form,
        "apps": [(app, apps.shown(app)) for app in rows],
        "redirect_uri": redirect_uri(),
        "is_https": settings.IS_HTTPS,
    }
    return render(request, "campaigns/ad_connect.html", context, status=422 if form.errors else 200)


def _to_platform(request: MemberRequest, app: AppRegistration) -> HttpResponse:
    start = ad_accounts.begin(app=app, redirect_uri=redirect_uri(), now=timezone.now())
    kept: dict[str, dict[str, Any]] = request.session.get(OAUTH_KEY, {})
    newest = list(kept.items())[-(OAUTH_KEPT - 1) :]
    request.session[OAUTH_KEY] = dict([*newest, (start.state, start.pending)])
    return HttpResponseRedirect(start.url)


@requires(Action.CONNECT_ACCOUNTS)
@require_GET
def ad_callback(request: MemberRequest) -> HttpResponse:
    """Each state serves once, in the session that it came from."""
    kept: dict[str, dict[str, Any]] = request.session.get(OAUTH_KEY, {})
    asked = kept.pop(_first_of(request, "state", "oauth_token", "denied"), None)
    request.session[OAUTH_KEY] = kept
    info = platform_of(asked["platform"]) if asked else None
    if asked is None or info is None:
        return _not_connected(request, _started_elsewhere(), None)
    # TikTok names it twice.
    code = _first_of(request, "code", "auth_code", "oauth_verifier")
    if request.GET.get("error") or not code:
        words = _("The access was not given at %(network)s, so nothing was connected.")
        return _not_connected(request, words % {"network": info.name}, info)
    try:
        credential = ad_accounts.finish(
            organization=request.organization,
            pending=asked,
            code=code,
            actor=request.user,
            now=timezone.now(),
        )
    except OAuthExpired:
        return _not_connected(request, _started_elsewhere(), info)
    except ConnectorError as error:
        return _not_connected(request, ad_sign_in_problem(error, info), info)
    return redirect("campaigns:ad_choose", credential.pk)


def _first_of(request: MemberRequest, *names: str) -> str:
    """What stands under the first of these names that the platform came back with: those of OAuth 2, or those
    of OAuth 1.0a."""
    return next((value for name in names if (value := request.GET.get(name, ""))), "")


def _started_elsewhere() -> str:
    return _(
        "This sign-in took too long, was used before, or was started in another browser. "
        "Nothing was connected."
    )


def _not_connected(request: MemberRequest, problem: str, info: AdPlatformInfo | None) -> HttpResponse:
    again = f"{reverse('campaigns:ad_connect')}?platform={info.key}" if info else ""
    context = {"problem": problem, "again_url": again or reverse("campaigns:ad_accounts")}
    return render(request, "campaigns/ad_not_connected.html", context)


@requires(Action.CONNECT_ACCOUNTS)
@require_http_methods(["GET", "HEAD", "POST"])
def ad_choose(request: MemberRequest, credential_id: uuid.UUID) -> HttpResponse:
    """Which of the ad accounts that the sign-in may read, and for which brand."""
    credential: AdCredential = load(request, Action.CONNECT_ACCOUNTS, AdCredential.objects, credential_id)
    info = platform_of(credential.platform)
    now = timezone.now()
    try:
        found = ad_accounts.offered(credential, now)
    except OfferOver:
        return _not_connected(request, _started_elsewhere(), info)
    brand = current_brand(request)
    form = ChooseForm(
        request.POST or None,
        brands=Brand.objects.for_member(request.membership).order_by("name"),
        offered=_choices(found, brands_connected(request.membership, credential.platform)),
        initial={"brand": brand.pk} if brand else None,
    )
    if request.method == "POST" and form.is_valid():
        try:
            saved = ad_accounts.accept(
                credential=credential,
                brand=form.cleaned_data["brand"],
                chosen=set(form.cleaned_data["account"]),
                actor=request.user,
                now=now,
            )
        except OfferOver:
            return _not_connected(request, _started_elsewhere(), info)
        tasks.import_ad_accounts.delay_on_commit(credential_id=str(credential.pk))
        messages.success(request, _("Connected. Next, say which of its campaigns are which."))
        if len(saved) == 1:
            return redirect("campaigns:ad_account", saved[0].pk)
        return redirect("campaigns:ad_accounts")
    context = {"info": info, "form": form}
    return render(request, "campaigns/ad_choose.html", context, status=422 if form.errors else 200)


def _choices(found: list[RemoteAccount], connected: dict[str, list[str]]) -> list[tuple[str, str]]:
    """By id; ``connected``: the brands that have it already."""
    choices = []
    for one in found:
        words = f"{one.name} ({one.id}, {one.currency or _('currency not known')})"
        if brands := connected.get(one.id):
            words += " · " + _("connected already with %(brands)s") % {"brands": ", ".join(brands)}
        choices.append((one.id, words))
    return choices


# --- developer apps ---------------------------------------------------------------------------


@requires(Action.CONNECT_ACCOUNTS)
@require_http_methods(["GET", "HEAD", "POST"])
def ad_app_create(request: MemberRequest) -> HttpResponse:
    """``?platform=``."""
    info = _asked_platform(request)
    if info is None:
        return redirect("campaigns:ad_accounts")
    form = AppForm(request.POST or None, setup=info.app, is_new=True)
    if request.method == "POST" and form.is_valid():
        try:
            apps.add_app(
                organization=request.organization,
                platform=info.key,
                facts=form.facts(),
                redirect_uri=redirect_uri(),
                actor=request.user,
                now=timezone.now(),
            )
        except apps.NameTaken:
            form.add_error("name", _("Another app is called like this."))
        except apps.TooMany:
            words = _("There are %(most)s apps already. Delete one that is no longer needed.")
            form.add_error(None, words % {"most": apps.MOST})
        else:
            messages.success(request, _("The app is stored, encrypted. Sign in with it next."))
            return _to_connect(info)
    return _app_page(request, info, form)


@requires(Action.CONNECT_ACCOUNTS)
@require_http_methods(["GET", "HEAD", "POST"])
def ad_app_edit(request: MemberRequest, app_id: uuid.UUID) -> HttpResponse:
    app, info = _app(request, app_id)
    known = apps.shown(app)
    initial = {"name": app.name, "client_id": known.client_id}
    form = AppForm(request.POST or None, setup=info.app, is_new=not known.is_readable, initial=initial)
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
            return _to_connect(info)
    return _app_page(request, info, form, app)


@requires(Action.CONNECT_ACCOUNTS)
@require_POST
def ad_app_delete(request: MemberRequest, app_id: uuid.UUID) -> HttpResponse:
    app, info = _app(request, app_id)
    try:
        ad_accounts.delete_app(app=app, actor=request.user, now=timezone.now())
    except apps.InUse as error:
        words = ngettext(
            "%(count)s ad account is connected with “%(name)s”. Disconnect it first.",
            "%(count)s ad accounts are connected with “%(name)s”. Disconnect them first.",
            error.accounts,
        )
        messages.error(request, words % {"count": error.accounts, "name": app})
    else:
        messages.success(request, _("“%(name)s” is deleted.") % {"name": app})
    return _to_connect(info)


class _AdApps:
    """Developer apps of advertising platforms, for ``load``: those of social networks have pages of their
    own."""

    @staticmethod
    def for_member(membership: Any) -> Any:
        keys = [info.key for info in platforms()]
        rows = AppRegistration.objects.for_member(membership).filter(platform__in=keys)
        return rows.select_related("organization")


def _app(request: MemberRequest, app_id: uuid.UUID) -> tuple[AppRegistration, AdPlatformInfo]:
    app: AppRegistration = load(request, Action.CONNECT_ACCOUNTS, _AdApps, app_id)
    info = platform_of(app.platform)
    assert info is not None  # noqa: S101 - _AdApps knows the known ones only
    return app, info


def _to_connect(info: AdPlatformInfo) -> HttpResponse:
    return redirect(f"{reverse('campaigns:ad_connect')}?platform={info.key}")


def _app_page(
    request: MemberRequest, info: AdPlatformInfo, form: AppForm, app: AppRegistration | None = None
) -> HttpResponse:
    context = {"info": info, "form": form, "app": app, "redirect_uri": redirect_uri()}
    return render(request, "campaigns/ad_app_form.html", context, status=422 if form.errors else 200)


# --- one ad account ---------------------------------------------------------------------------


def _account(request: MemberRequest, action: Action, account_id: uuid.UUID) -> AdAccount:
    rows = AdAccount.objects.select_related("brand__organization", "credential")
    account: AdAccount = load(request, action, rows, account_id)
    return account


@requires(Action.VIEW_CAMPAIGNS)
@require_safe
def ad_account(request: MemberRequest, account_id: uuid.UUID) -> HttpResponse:
    """How its import stands, looking again by itself while one is under way, and its campaigns."""
    account = _account(request, Action.VIEW_CAMPAIGNS, account_id)
    page = page_of(request, campaigns_of_account(account))
    return _account_page(request, account, AssignForm(account=account, rows=list(page)), page)


def _account_page(
    request: MemberRequest, account: AdAccount, form: AssignForm, page: Page[AdCampaign] | None = None
) -> HttpResponse:
    now = timezone.now()
    is_importing = account.importing_until is not None and account.importing_until > now
    is_waiting = (
        account.status == AccountStatus.ACTIVE and account.import_at is not None and account.import_at <= now
    )
    info = account.info
    is_active = account.status == AccountStatus.ACTIVE
    ends_at = account.credential.ends_at if is_active and account.credential else None
    context = {
        "account": account,
        "info": info,
        "form": form,
        "page": page,
        "window": info.window(account.window),
        "is_importing": is_importing,
        "is_working": is_importing or is_waiting,
        "rows_read": tasks.ad_rows_read(account) if is_importing else 0,
        "problem": ad_problem(account.problem, info) if account.problem else "",
        "result": account.result,
        "may_manage": is_allowed(request.membership.role, Action.MANAGE_CAMPAIGNS),
        "may_connect": _may_connect(request),
        "zone": account.brand.timezone,
        "access_ends_at": ends_at,
        "days_left": (ends_at - now).days if ends_at else None,
    }
    status = 422 if form.errors else 200
    return render_page(request, "campaigns/ad_account.html", context, partial="standing", status=status)


@requires(Action.MANAGE_CAMPAIGNS)
@require_POST
def ad_assign(request: MemberRequest, account_id: uuid.UUID) -> HttpResponse:
    account = _account(request, Action.MANAGE_CAMPAIGNS, account_id)
    form = AssignForm(request.POST, account=account)
    if not form.is_valid():
        return _account_page(request, account, form)
    now = timezone.now()
    try:
        changed = ad_accounts.choose_campaigns(
            account=account, choices=form.choices(), actor=request.user, now=now
        )
    except (OtherBrand, OtherCurrency):
        words = _("Only campaigns of %(brand)s that count in %(money)s can be chosen.")
        form.add_error(None, words % {"brand": account.brand, "money": account.currency or "?"})
        return _account_page(request, account, form)
    window = form.cleaned_data.get("window")
    if window:
        changed += ad_accounts.set_window(account=account, window=window, now=now)
    if changed and account.status == AccountStatus.ACTIVE:
        _start(account)
        messages.success(request, _("Saved. The costs are imported now."))
    elif changed:
        messages.success(request, _("Saved."))
    else:
        messages.info(request, _("Nothing was changed."))
    return redirect("campaigns:ad_account", account.pk)


@requires(Action.MANAGE_CAMPAIGNS)
@require_POST
def ad_import(request: MemberRequest, account_id: uuid.UUID) -> HttpResponse:
    account = _account(request, Action.MANAGE_CAMPAIGNS, account_id)
    if ad_accounts.ask_for_import(account=account, now=timezone.now()):
        _start(account)
    else:
        messages.error(request, _("Somebody has to sign in again first."))
    return redirect("campaigns:ad_account", account.pk)


def _start(account: AdAccount) -> None:
    if account.credential_id is not None and account.status == AccountStatus.ACTIVE:
        tasks.import_ad_accounts.delay_on_commit(credential_id=str(account.credential_id))


@requires(Action.CONNECT_ACCOUNTS)
@require_POST
def ad_disconnect(request: MemberRequest, account_id: uuid.UUID) -> HttpResponse:
    account = _account(request, Action.CONNECT_ACCOUNTS, account_id)
    ad_accounts.disconnect(account=account, actor=request.user, now=timezone.now())
    messages.success(request, _("Disconnected. What was imported stays."))
    return redirect("campaigns:ad_accounts")
