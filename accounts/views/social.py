"""Social accounts: list, page, test read, disconnecting."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import selectors
from accounts.access import MemberRequest, current_brand, load, requires
from accounts.models import SocialAccount
from accounts.network_wording import limits_of
from accounts.permissions import Action, is_allowed
from accounts.services import social
from accounts.views.networks import account_hook_url
from accounts.views.reconnect_links import MADE as LINK_MADE
from accounts.wording import check_problem, quota_rows
from connectors.errors import ConnectorError
from connectors.registry import connector_class
from core.crypto import decrypt_json
from core.paging import page_of

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
        "may_connect": is_allowed(request.membership.role, Action.CONNECT_ACCOUNTS),
    }
    return render(request, "accounts/account_list.html", context)


@requires(Action.VIEW)
@require_GET
def account_detail(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    account: SocialAccount = load(
        request, Action.VIEW, SocialAccount.objects.select_related("brand", "connected_by"), pk
    )
    now = timezone.now()
    may_connect = is_allowed(request.membership.role, Action.CONNECT_ACCOUNTS)
    context = {
        "account": account,
        "row": selectors.account_row(account, now),
        "info": account.info,
        "is_offered": connector_class(account.platform).is_offered(),
        "zone": account.brand.timezone,
        "may_connect": may_connect,
        "facts": limits_of(account.info),
        "quotas": quota_rows(account, now),
        "hook_url": account_hook_url(account) if may_connect else "",
        "links": account.reconnect_links.open(now).select_related("created_by") if may_connect else (),
        "made_url": _made_url(request, account) if may_connect else "",
    }
    return render(request, "accounts/account_detail.html", context)


def _made_url(request: MemberRequest, account: SocialAccount) -> str:
    """The address of a link that was just made for this account, the only time that it is shown."""
    sealed = request.session.get(LINK_MADE)
    made = decrypt_json(sealed) if sealed else {}
    if made.get("account") != str(account.pk):
        return ""
    del request.session[LINK_MADE]
    return str(made["url"])


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
