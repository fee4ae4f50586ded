"""Social accounts: list, page, connecting by form and by OAuth, test read, disconnecting."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import connecting, selectors
from accounts.access import MemberRequest, current_brand, load, requires
from accounts.connecting import OAuthExpired
from accounts.forms import ConnectForm
from accounts.models import Brand, SocialAccount
from accounts.permissions import Action, is_allowed
from accounts.services import social
from accounts.services.social import DifferentAccount
from accounts.wording import check_problem, connect_problem, problem_field
from connectors.base import ConnectMethod, PlatformInfo
from connectors.errors import ConnectorError
from connectors.registry import CONNECTORS
from core.paging import page_of

OAUTH_KEY = "oauth"  # session: state -> what was asked
OAUTH_KEPT = 5  # sign-ins that one browser may have under way


def networks() -> list[PlatformInfo]:
    """What this installation can connect; the sandbox only where one runs."""
    return [connector.INFO for connector in CONNECTORS.values() if connector.is_offered()]


def _network(platform: str) -> PlatformInfo:
    found = next((info for info in networks() if info.key == platform), None)
    if found is None:
        raise Http404
    return found


# --- list and page ----------------------------------------------------------------------------


@requires(Action.VIEW)
@require_GET
def account_list(request: MemberRequest) -> HttpResponse:
    now = timezone.now()
    brand = current_brand(request)
    page = page_of(request, selectors.accounts_of(request.membership, brand))
    context = {
        "page": page,
        "rows": [selectors.account_row(account, now) for account in page],
        "networks": networks(),
        "may_connect": is_allowed(request.membership.role, Action.CONNECT_ACCOUNTS),
    }
    return render(request, "accounts/account_list.html", context)


@requires(Action.VIEW)
@require_GET
def account_detail(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    account: SocialAccount = load(
        request, Action.VIEW, SocialAccount.objects.select_related("brand", "connected_by"), pk
    )
    context = {
        "account": account,
        "row": selectors.account_row(account, timezone.now()),
        "info": account.info,
        "zone": account.brand.timezone,
        "may_connect": is_allowed(request.membership.role, Action.CONNECT_ACCOUNTS),
    }
    return render(request, "accounts/account_detail.html", context)


@requires(Action.CONNECT_ACCOUNTS)
@require_POST
def account_check(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """The test read: is our access still good?"""
    account: SocialAccount = load(
        request, Action.CONNECT_ACCOUNTS, SocialAccount.objects.connected().select_related("brand"), pk
    )
    try:
        profile = social.check_account(account=account, now=timezone.now())
    except ConnectorError as error:
        messages.error(request, check_problem(error, account.info))
    else:
        messages.success(
            request,
            _("%(network)s answered: the connection to @%(handle)s works.")
            % {"network": account.info.name, "handle": profile.handle},
        )
    return redirect("accounts:account_detail", account.pk)


@requires(Action.CONNECT_ACCOUNTS)
def account_disconnect(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Says what will happen, then does it."""
    account: SocialAccount = load(
        request, Action.CONNECT_ACCOUNTS, SocialAccount.objects.connected().select_related("brand"), pk
    )
    if request.method == "POST":
        social.disconnect(account=account, actor=request.user, now=timezone.now())
        messages.success(request, _("%(account)s is disconnected.") % {"account": account})
        return redirect("accounts:account_list")
    return render(request, "accounts/account_disconnect.html", {"account": account, "info": account.info})


# --- connecting -------------------------------------------------------------------------------


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
    form = ConnectForm(
        request.POST or None,
        info=_network(platform),
        membership=request.membership,
        initial={"brand": brand.pk} if brand else None,
    )
    return _ask(request, form, account=None)


@requires(Action.CONNECT_ACCOUNTS)
def account_reconnect(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """What the network asks, for an account that is here already."""
    account: SocialAccount = load(
        request, Action.CONNECT_ACCOUNTS, SocialAccount.objects.select_related("brand"), pk
    )
    form = ConnectForm(
        request.POST or None,
        info=_network(account.platform),
        membership=request.membership,
        account=account,
        initial=_known_answers(account),
    )
    return _ask(request, form, account=account)


def _known_answers(account: SocialAccount) -> dict[str, str]:
    """What a reconnection need not ask again: the handle, and the server that the account is on."""
    answers = {}
    for asked in account.info.connect_fields:
        if asked.kind == "text":
            answers[asked.name] = account.handle
        elif asked.kind == "host" and asked.is_required:
            answers[asked.name] = str(account.options.get("host", ""))
    return answers


def _ask(request: MemberRequest, form: ConnectForm, *, account: SocialAccount | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        brand = account.brand if account else form.cleaned_data["brand"]
        try:
            if form.info.connect_method is ConnectMethod.OAUTH:
                return _to_network(request, form, brand, account)
            connected = social.connect_by_form(
                brand=brand,
                platform=form.info.key,
                fields=form.answers(),
                actor=request.user,
                now=timezone.now(),
                account=account,
            )
        except ConnectorError as error:
            where = problem_field(error, form.info, form.answers())
            form.add_error(where or None, connect_problem(error, form.info))
        except DifferentAccount as error:
            form.add_error(None, _different(error))
        else:
            return _connected(request, connected)
    context = {"form": form, "info": form.info, "account": account}
    return render(request, "accounts/connect_network.html", context)


def _connected(request: MemberRequest, account: SocialAccount) -> HttpResponse:
    messages.success(
        request,
        _("%(account)s is connected with %(brand)s.") % {"account": account, "brand": account.brand},
    )
    return redirect("accounts:account_detail", account.pk)


def _different(error: DifferentAccount) -> str:
    return _(
        "You signed in as @%(got)s, but this is the connection of @%(expected)s. Sign in as @%(expected)s, "
        "or connect @%(got)s as an account of its own."
    ) % {"got": error.got, "expected": error.expected}


# --- OAuth ------------------------------------------------------------------------------------


def _to_network(
    request: MemberRequest, form: ConnectForm, brand: Brand, account: SocialAccount | None
) -> HttpResponse:
    """Remember what was asked under the state, and send the browser to the network."""
    kept: dict[str, dict[str, Any]] = request.session.get(OAUTH_KEY, {})
    host = form.host()
    for state, before in list(kept.items()):
        if before["platform"] == form.info.key and before["host"] == host:
            # It never came back: perhaps the server has forgotten our app and showed an error instead.
            connecting.forget_unused_app(before["app"])
            del kept[state]
    start = connecting.begin_oauth(
        platform=form.info.key,
        host=host,
        redirect_uri=f"{settings.BASE_URL}{reverse('accounts:oauth_callback')}",
        website=settings.BASE_URL,
        now=timezone.now(),
    )
    asked = {**start.pending, "brand": str(brand.pk), "account": str(account.pk) if account else ""}
    newest = list(kept.items())[-(OAUTH_KEPT - 1) :]
    request.session[OAUTH_KEY] = dict([*newest, (start.state, asked)])
    return HttpResponseRedirect(start.url)


@requires(Action.CONNECT_ACCOUNTS)
@require_GET
def oauth_callback(request: MemberRequest) -> HttpResponse:
    """Where networks send the browser back to. Each state serves once, in the session that it came from."""
    kept: dict[str, dict[str, Any]] = request.session.get(OAUTH_KEY, {})
    asked = kept.pop(request.GET.get("state", ""), None)
    request.session[OAUTH_KEY] = kept
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
    info = _network(asked["platform"])
    if problem := _refusal(request, info):
        return _failed(request, problem, again, info)
    try:
        connected, app = connecting.finish_oauth(
            pending=asked, code=request.GET.get("code", ""), now=timezone.now()
        )
        saved = social.save_connection(
            brand=brand,
            platform=info.key,
            connected=connected,
            actor=request.user,
            now=timezone.now(),
            account=account,
            app=app,
        )
    except OAuthExpired:
        return _failed(request, _started_elsewhere(), again, info)
    except DifferentAccount as error:
        return _failed(request, _different(error), again, info)
    except ConnectorError as error:
        return _failed(request, _not_finished(error, info), again, info)
    return _connected(request, saved)


def _refusal(request: MemberRequest, info: PlatformInfo) -> str:
    """What the network sent instead of a code."""
    error = request.GET.get("error", "")
    if error == "access_denied":
        return _("The access was declined at %(network)s, so nothing was connected.") % {"network": info.name}
    if error or not request.GET.get("code"):
        return _("%(network)s did not complete the sign-in, so nothing was connected.") % {
            "network": info.name
        }
    return ""


def _not_finished(error: ConnectorError, info: PlatformInfo) -> str:
    reached = connect_problem(error, info)
    return _("The sign-in could not be completed. %(reason)s") % {"reason": reached}


def _started_elsewhere() -> str:
    return _(
        "This sign-in took too long, was used before, or was started in another browser. "
        "Nothing was connected."
    )


def _failed(
    request: MemberRequest, problem: str, again_url: str, info: PlatformInfo | None = None
) -> HttpResponse:
    context = {"problem": problem, "again_url": again_url, "info": info}
    return render(request, "accounts/connect_failed.html", context)
