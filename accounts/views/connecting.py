"""Connecting accounts: which network, what it asks, the way there and back, and choosing among several."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts import connecting
from accounts.access import MemberRequest, current_brand, load, public, requires
from accounts.connect_forms import ConnectForm
from accounts.connecting import OAuthExpired
from accounts.models import (
    AppRegistration,
    Brand,
    ConnectionOffer,
    Organization,
    ReconnectLink,
    SocialAccount,
)
from accounts.permissions import Action
from accounts.services import offers, social
from accounts.services.reconnect_links import LinkOver
from accounts.services.social import DifferentAccount
from accounts.wording import check_problem, connect_problem, problem_field, sign_in_problem
from connectors.base import ConnectMethod, PlatformInfo
from connectors.errors import ConnectorError
from connectors.registry import CONNECTORS

OAUTH_KEY = "oauth"  # session: state -> what was asked
OAUTH_KEPT = 5  # sign-ins that one browser may have under way
# ``error`` of an answer: by OAuth, and as LinkedIn has it.
DECLINED = frozenset({"access_denied", "user_cancelled_login", "user_cancelled_authorize"})
SCOPES_REFUSED = frozenset({"invalid_scope", "unauthorized_scope_error"})


def networks() -> list[PlatformInfo]:
    """What this installation can connect; the sandbox only where one runs."""
    return [connector.INFO for connector in CONNECTORS.values() if connector.is_offered()]


def network_of(platform: str) -> PlatformInfo:
    found = next((info for info in networks() if info.key == platform), None)
    if found is None:
        raise Http404
    return found


def network_by(way: str, platform: str) -> PlatformInfo:
    """The network in the way in which it is to be connected, where there are two."""
    info = network_of(platform)
    return info.as_form() if info.by_form and way == ConnectMethod.FORM else info


def redirect_uri() -> str:
    """The address that networks send the browser back to; people copy it into their developer apps."""
    return f"{settings.BASE_URL}{reverse('accounts:oauth_callback')}"


# --- what a network asks ------------------------------------------------------------------------


@requires(Action.CONNECT_ACCOUNTS)
@require_GET
def connect(request: MemberRequest) -> HttpResponse:
    """Which network?"""
    is_first = not SocialAccount.objects.for_member(request.membership).exists()
    return render(request, "accounts/connect.html", {"networks": networks(), "is_first": is_first})


@requires(Action.CONNECT_ACCOUNTS)
def connect_network(request: MemberRequest, platform: str) -> HttpResponse:
    """What the network asks, for a new account."""
    brand = current_brand(request)
    info = network_by(request.GET.get("by", ""), platform)
    form = ConnectForm(
        request.POST or None,
        info=info,
        brands=Brand.objects.for_member(request.membership).order_by("name"),
        apps=apps_of(info, request.organization),
        initial={"brand": brand.pk} if brand else None,
    )
    return _ask(request, form, account=None)


@requires(Action.CONNECT_ACCOUNTS)
def account_reconnect(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """What the network asks, for an account that is here already."""
    account: SocialAccount = load(
        request, Action.CONNECT_ACCOUNTS, SocialAccount.objects.select_related("brand"), pk
    )
    return _ask(request, reconnect_form(request, account), account=account)


def reconnect_form(request: HttpRequest, account: SocialAccount, *, is_outside: bool = False) -> ConnectForm:
    """What its network asks again, without what is known: the handle, its server, the app of before. Somebody
    without a login (``is_outside``) is not asked about apps and permissions."""
    before = account.info.connect_method
    info = network_by(before if is_outside else request.GET.get("by", before), account.platform)
    keys = {one.name for one in network_of(account.platform).by_form}  # none of them is known
    known: dict[str, Any] = {}
    for asked in info.connect_fields:
        if asked.kind == "text" and asked.name not in keys:
            known[asked.name] = account.handle
        elif asked.kind == "host" and asked.is_required:
            known[asked.name] = str(account.options.get("host", ""))
    credential = getattr(account, "credential", None)
    if credential is not None and credential.app_id:
        known["app"] = credential.app_id
    if info.features and "features" in account.options:
        known["features"] = account.options["features"]
    elif info.features and account.scopes:
        given = set(account.scopes)
        known["features"] = [
            one.key for one in info.features if not one.is_required and set(one.scopes) <= given
        ]
    apps = apps_of(info, account.brand.organization)
    form = ConnectForm(request.POST or None, info=info, brands=None, apps=apps, initial=known)
    if is_outside:
        form.hide_choices()
    return form


def apps_of(info: PlatformInfo, organization: Organization) -> QuerySet[AppRegistration] | None:
    """The developer apps to choose from; None where the network registers us by itself."""
    if info.app is None:
        return None
    return AppRegistration.objects.filter(organization=organization, platform=info.key).order_by("name")


def _ask(request: MemberRequest, form: ConnectForm, *, account: SocialAccount | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        brand = account.brand if account else form.cleaned_data["brand"]
        asked = {"brand": str(brand.pk), "account": str(account.pk) if account else ""}
        try:
            if form.info.connect_method is ConnectMethod.OAUTH:
                return to_network(request, form, asked)
            connected = social.connect_by_form(
                brand=brand,
                platform=form.info.key,
                fields=form.answers(),
                actor=request.user,
                now=timezone.now(),
                account=account,
            )
        except ConnectorError as error:
            refuse(form, error)
        except DifferentAccount as error:
            form.add_error(None, different(error))
        else:
            return _connected(request, [connected])
    info = network_of(form.info.key)
    context = {"form": form, "info": form.info, "account": account, "has_two_ways": bool(info.by_form)}
    return render(request, "accounts/connect_network.html", context)


def refuse(form: ConnectForm, error: ConnectorError) -> None:
    where = problem_field(error, form.info, form.answers())
    form.add_error(where or None, connect_problem(error, form.info))


def _connected(request: MemberRequest, accounts: list[SocialAccount]) -> HttpResponse:
    """Read with what was just stored, so that it is known to work; then to the account, or to the list."""
    for account in accounts:
        problem = social.prove(account=account, now=timezone.now())
        if problem is None:
            messages.success(
                request,
                _("%(account)s is connected with %(brand)s.") % {"account": account, "brand": account.brand},
            )
        else:
            messages.warning(
                request,
                _("%(account)s is connected, but a first look at it did not work: %(reason)s")
                % {"account": account, "reason": check_problem(problem, account.info)},
            )
    if len(accounts) == 1:
        return redirect("accounts:account_detail", accounts[0].pk)
    return redirect("accounts:account_list")


def different(error: DifferentAccount) -> str:
    return _(
        "You signed in as @%(got)s, but this is the connection of @%(expected)s. Sign in as @%(expected)s, "
        "or connect @%(got)s as an account of its own."
    ) % {"got": error.got, "expected": error.expected}


# --- there and back -----------------------------------------------------------------------------


def to_network(request: HttpRequest, form: ConnectForm, asked: dict[str, str]) -> HttpResponse:
    """Remember what was asked (brand, account, or link) under the state, and send the browser there.

    Raises the connector errors of ``begin_oauth``.
    """
    kept: dict[str, dict[str, Any]] = request.session.get(OAUTH_KEY, {})
    host, back = form.host(), redirect_uri()
    for state, before in list(kept.items()):
        if before["platform"] == form.info.key and before.get("host", "") == host:
            # It never came back: perhaps the server has forgotten our app and showed an error instead.
            connecting.forget_unused_app(before["app"])
            del kept[state]
    app = form.cleaned_data.get("app") or connecting.app_registration(
        platform=form.info.key, host=host, redirect_uri=back, website=settings.BASE_URL
    )
    start = connecting.begin_oauth(app=app, redirect_uri=back, scopes=form.scopes(), now=timezone.now())
    newest = list(kept.items())[-(OAUTH_KEPT - 1) :]
    mine = {**start.pending, "host": host, "features": form.chosen(), **asked}
    request.session[OAUTH_KEY] = dict([*newest, (start.state, mine)])
    return HttpResponseRedirect(start.url)


@public
@require_GET
def oauth_callback(request: HttpRequest) -> HttpResponseBase:
    """Where networks send the browser back to. Each state serves once, in the session that it came from.
    Only whoever came by a link may be without a login (``link`` in what was asked)."""
    kept: dict[str, dict[str, Any]] = request.session.get(OAUTH_KEY, {})
    asked = kept.get(request.GET.get("state", ""))
    return _back_by_link(request) if asked and asked.get("link") else _back(request)


def _taken(request: HttpRequest) -> dict[str, Any] | None:
    """What was asked under this state, which then serves no more."""
    kept: dict[str, dict[str, Any]] = request.session.get(OAUTH_KEY, {})
    asked = kept.pop(request.GET.get("state", ""), None)
    request.session[OAUTH_KEY] = kept
    return asked


@requires(Action.CONNECT_ACCOUNTS)
def _back(request: MemberRequest) -> HttpResponse:
    asked = _taken(request)
    if asked is None:
        return _failed(request, _started_elsewhere(), reverse("accounts:connect"))
    account: SocialAccount | None = None
    again = reverse("accounts:connect_network", args=[asked["platform"]])
    if asked["account"]:
        account = load(
            request, Action.CONNECT_ACCOUNTS, SocialAccount.objects.select_related("brand"), asked["account"]
        )
        again = reverse("accounts:account_reconnect", args=[asked["account"]])
    brand: Brand = load(request, Action.CONNECT_ACCOUNTS, Brand.objects, asked["brand"])
    info = network_of(asked["platform"])
    app_url = reverse("accounts:network", args=[info.key]) if info.app else ""
    if problem := _refusal(request, info):
        return _failed(request, problem, again, info, app_url=app_url if _is_of_scopes(request) else "")
    now = timezone.now()
    try:
        connections, app = connecting.finish_oauth(pending=asked, code=request.GET.get("code", ""), now=now)
        if account is None and len(connections) > 1:
            offer = offers.make_offer(
                brand=brand,
                platform=info.key,
                connections=connections,
                app=app,
                actor=request.user,
                now=now,
            )
            return redirect("accounts:connect_choose", offer.pk)
        saved = social.save_connection(
            brand=brand,
            platform=info.key,
            connected=social.pick(connections, account) if account else connections[0],
            actor=request.user,
            now=now,
            account=account,
            app=app,
        )
    except OAuthExpired:
        return _failed(request, _started_elsewhere(), again, info)
    except DifferentAccount as error:
        return _failed(request, different(error), again, info)
    except ConnectorError as error:
        return _failed(request, _not_finished(error, info), again, info, app_url=app_url)
    return _connected(request, [saved])


def _refusal(request: HttpRequest, info: PlatformInfo) -> str:
    """What the network sent instead of a code."""
    error = request.GET.get("error", "")
    if _is_of_scopes(request):
        return _(
            "The developer app may not ask %(network)s for everything that was chosen, so nothing was "
            "connected. Choose only what its products and permissions there allow."
        ) % {"network": info.name}
    if error in DECLINED:
        return _("The access was declined at %(network)s, so nothing was connected.") % {"network": info.name}
    if error or not request.GET.get("code"):
        return _("%(network)s did not complete the sign-in, so nothing was connected.") % {
            "network": info.name
        }
    return ""


def _is_of_scopes(request: HttpRequest) -> bool:
    """Whether the network refused to ask the person for what the app asked it for."""
    return request.GET.get("error", "") in SCOPES_REFUSED


def _not_finished(error: ConnectorError, info: PlatformInfo, *, is_outside: bool = False) -> str:
    reached = sign_in_problem(error, info, is_outside=is_outside)
    return _("The sign-in could not be completed. %(reason)s") % {"reason": reached}


def _started_elsewhere() -> str:
    return _(
        "This sign-in took too long, was used before, or was started in another browser. "
        "Nothing was connected."
    )


def _failed(
    request: HttpRequest,
    problem: str,
    again_url: str,
    info: PlatformInfo | None = None,
    *,
    app_url: str = "",
) -> HttpResponse:
    """``app_url``: where the developer app can be looked at, if that may be what is wrong."""
    context = {"problem": problem, "again_url": again_url, "info": info, "app_url": app_url}
    return render(request, "accounts/connect_failed.html", context)


# --- choosing among several ---------------------------------------------------------------------


@requires(Action.CONNECT_ACCOUNTS)
def connect_choose(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Which of the pages, channels or organizations that the sign-in can speak for."""
    offer: ConnectionOffer = load(
        request, Action.CONNECT_ACCOUNTS, ConnectionOffer.objects.select_related("brand"), pk
    )
    load(request, Action.CONNECT_ACCOUNTS, Brand.objects, offer.brand_id)
    info = network_of(offer.platform)
    again = reverse("accounts:connect_network", args=[offer.platform])
    problem = ""
    try:
        rows = offers.offered(offer, timezone.now())
        if request.method == "POST":
            chosen = set(request.POST.getlist("account")) & {one.profile.remote_id for one in rows}
            if chosen:
                saved = offers.accept_offer(
                    offer=offer, chosen=chosen, actor=request.user, now=timezone.now()
                )
                return _connected(request, saved)
            problem = _("Choose at least one account.")
    except offers.OfferOver:
        return _failed(request, _started_elsewhere(), again, info)
    context = {"offer": offer, "info": info, "rows": rows, "problem": problem, "again_url": again}
    return render(request, "accounts/connect_choose.html", context, status=422 if problem else 200)


# --- by a link, without a login -----------------------------------------------------------------


def _back_by_link(request: HttpRequest) -> HttpResponse:
    asked = _taken(request)
    now = timezone.now()
    link = (
        ReconnectLink.objects.usable(now)
        .select_related("account__brand__organization", "created_by")
        .filter(pk=asked["link"])
        .first()
        if asked
        else None
    )
    if asked is None or link is None:
        return render(request, "accounts/reconnect_over.html", {"link": None}, status=410)
    account = link.account
    info = network_of(account.platform)
    problem = _refusal(request, info)
    if not problem:
        try:
            connections, app = connecting.finish_oauth(
                pending=asked, code=request.GET.get("code", ""), now=now
            )
            social.save_connection(
                brand=account.brand,
                platform=account.platform,
                connected=social.pick(connections, account),
                actor=None,
                now=now,
                account=account,
                app=app,
                link=link,
            )
        except (OAuthExpired, LinkOver):
            problem = _started_elsewhere()
        except DifferentAccount as error:
            problem = different(error)
        except ConnectorError as error:
            problem = _not_finished(error, info, is_outside=True)
    if problem:
        context = {"link": link, "account": account, "info": info, "problem": problem}
        return render(request, "accounts/reconnect_failed.html", context)
    return reconnected(request, account)


def reconnected(request: HttpRequest, account: SocialAccount) -> HttpResponse:
    """The last page of the way by a link: does it work now?"""
    problem = social.prove(account=account, now=timezone.now())
    context = {
        "account": account,
        "info": account.info,
        "problem": check_problem(problem, account.info) if problem else "",
    }
    return render(request, "accounts/reconnect_done.html", context)
