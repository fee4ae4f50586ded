"""Links with which somebody without a login reconnects one account: made here, and opened here."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, load, public, requires
from accounts.models import ReconnectLink, SocialAccount
from accounts.permissions import Action
from accounts.services import reconnect_links, social
from accounts.services.reconnect_links import LinkOver, link_of
from accounts.services.social import DifferentAccount
from accounts.views.connecting import different, reconnect_form, reconnected, refuse, to_network
from connectors.base import ConnectMethod
from connectors.errors import ConnectorError
from core.crypto import encrypt_json
from core.visitors import address_of, is_too_often

MADE = "reconnect_link_made"  # shown once, to who made it; sealed while it waits in the session
MOST_GUESSES = 20  # secrets that one visitor may guess in a minute
MOST_TRIES = 30  # of the form behind one link, in a minute
_LONGEST_TOKEN = 100


@requires(Action.CONNECT_ACCOUNTS)
@require_POST
def link_make(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    account: SocialAccount = load(
        request, Action.CONNECT_ACCOUNTS, SocialAccount.objects.select_related("brand__organization"), pk
    )
    _link, token = reconnect_links.make_link(account=account, actor=request.user, now=timezone.now())
    url = f"{settings.BASE_URL}{reverse('accounts:reconnect_by_link', args=[token])}"
    request.session[MADE] = encrypt_json({"account": str(account.pk), "url": url})
    return redirect("accounts:account_detail", account.pk)


@requires(Action.CONNECT_ACCOUNTS)
@require_POST
def link_revoke(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    link: ReconnectLink = load(
        request,
        Action.CONNECT_ACCOUNTS,
        ReconnectLink.objects.select_related("account__brand__organization"),
        pk,
    )
    if reconnect_links.revoke_link(link=link, actor=request.user, now=timezone.now()):
        messages.success(request, _("The link no longer works."))
    return redirect("accounts:account_detail", link.account_id)


@public
def reconnect_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """What the network asks of whoever was sent the link. Shows nothing but the account's name."""
    response = _opened(request, token)
    response["X-Robots-Tag"] = "noindex, nofollow"
    # No other server learns the address; our own needs it to tell its forms from others'.
    response["Referrer-Policy"] = "same-origin"
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


def _opened(request: HttpRequest, token: str) -> HttpResponse:
    now = timezone.now()
    link = link_of(token) if len(token) <= _LONGEST_TOKEN else None
    if link is None:
        is_often = is_too_often("reconnect_guess", address_of(request), most=MOST_GUESSES, now=now)
        said = {"link": None, "is_often": is_often}
        return render(request, "accounts/reconnect_over.html", said, status=429 if is_often else 404)
    if not ReconnectLink.objects.filter(pk=link.pk).usable(now).exists():
        return render(request, "accounts/reconnect_over.html", {"link": link}, status=410)
    account = link.account
    form = reconnect_form(request, account, is_outside=True)
    if request.method == "POST" and form.is_valid():
        if is_too_often("reconnect_try", str(link.pk), most=MOST_TRIES, now=now):
            form.add_error(None, _("Too many tries. Wait a minute."))
        else:
            try:
                if form.info.connect_method is ConnectMethod.OAUTH:
                    return to_network(request, form, {"link": str(link.pk)})
                saved = social.connect_by_form(
                    brand=account.brand,
                    platform=account.platform,
                    fields=form.answers(),
                    actor=None,
                    now=now,
                    account=account,
                    link=link,
                )
            except ConnectorError as error:
                refuse(form, error)
            except DifferentAccount as error:
                form.add_error(None, different(error))
            except LinkOver:
                return render(request, "accounts/reconnect_over.html", {"link": link}, status=410)
            else:
                return reconnected(request, saved)
    context = {"link": link, "account": account, "info": form.info, "form": form}
    return render(request, "accounts/reconnect.html", context)
