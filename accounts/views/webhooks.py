"""Webhooks: list, set up, change, try, and read what became of each message."""

from __future__ import annotations

import datetime as dt
import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import selectors, tasks
from accounts.access import MemberRequest, current_brand, load, requires
from accounts.forms import WebhookForm
from accounts.models import NotificationKind, WebhookEndpoint, WebhookMessage, WebhookState
from accounts.news import OPTIONAL_IN_APP
from accounts.permissions import Action
from accounts.services import webhooks
from accounts.services.webhook_queue import TEST
from accounts.views.organization import tabs
from core.crypto import decrypt_json, encrypt_json
from core.htmx import render_page
from core.paging import page_of

SECRET = "webhook_secret"  # noqa: S105 - shown once, to who made it; sealed while it waits in the session
ABOUT_TO = dt.timedelta(seconds=15)  # a message that is due so soon is waited for on the page


@requires(Action.MANAGE_WEBHOOKS)
@require_GET
def webhook_list(request: MemberRequest) -> HttpResponse:
    context = {
        "page": page_of(request, selectors.webhooks_of(request.membership)),
        "zone": selectors.zone_of(request.membership, current_brand(request)),
        "tabs": tabs(request, "webhook_list"),
    }
    return render(request, "accounts/webhooks.html", context)


@requires(Action.MANAGE_WEBHOOKS)
def webhook_create(request: MemberRequest) -> HttpResponse:
    serious = [kind for kind in NotificationKind if kind not in OPTIONAL_IN_APP]
    form = WebhookForm(
        request.POST or None,
        membership=request.membership,
        initial={"brand": current_brand(request), "kinds": serious},
    )
    if request.method == "POST" and form.is_valid():
        try:
            endpoint, secret = webhooks.create_webhook(
                creator=request.membership, facts=form.facts(), now=timezone.now()
            )
        except webhooks.TooMany:
            form.add_error(
                None,
                _("There are %(most)s webhooks already. Delete one that is no longer needed.")
                % {"most": webhooks.MOST},
            )
        else:
            _keep_secret(request, endpoint, secret)
            return redirect("accounts:webhook", endpoint.pk)
    return render(request, "accounts/webhook_form.html", {"form": form})


@requires(Action.MANAGE_WEBHOOKS)
@require_GET
def webhook(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """One webhook with its log; the log alone while the page waits for an attempt."""
    endpoint = _load(request, pk)
    now = timezone.now()
    page = page_of(request, selectors.webhook_messages_of(endpoint))
    labels = {**dict(NotificationKind.choices), TEST: _("Test")}
    context = {
        "endpoint": endpoint,
        "kinds": [labels[kind] for kind in NotificationKind if kind in endpoint.kinds],
        "page": page,
        "rows": [(message, labels.get(message.kind, message.kind)) for message in page],
        "is_under_way": any(
            message.state == WebhookState.WAITING
            and max(message.next_at or now, endpoint.blocked_until or now) < now + ABOUT_TO
            for message in page
        ),
        "overlaps": endpoint.overlaps_until is not None and now < endpoint.overlaps_until,
        "zone": selectors.zone_of(request.membership, endpoint.brand or current_brand(request)),
        "secret": None,
    }
    if not request.headers.get("HX-Request"):
        context["secret"] = _take_secret(request, endpoint)
    return render_page(request, "accounts/webhook.html", context, partial="log")


@requires(Action.MANAGE_WEBHOOKS)
def webhook_edit(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    endpoint = _load(request, pk)
    form = WebhookForm(
        request.POST or None, membership=request.membership, initial=WebhookForm.initial_of(endpoint)
    )
    if request.method == "POST" and form.is_valid():
        webhooks.change_webhook(
            endpoint=endpoint, actor=request.membership, facts=form.facts(), now=timezone.now()
        )
        messages.success(request, _("Saved."))
        return redirect("accounts:webhook", endpoint.pk)
    return render(request, "accounts/webhook_form.html", {"form": form, "endpoint": endpoint})


@requires(Action.MANAGE_WEBHOOKS)
@require_POST
def webhook_test(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    endpoint = _load(request, pk)
    try:
        webhooks.send_test(endpoint=endpoint, now=timezone.now())
    except webhooks.SwitchedOff:
        messages.error(request, _("The webhook is switched off. Switch it on first."))
    else:
        tasks.send_webhooks.delay_on_commit()
    return redirect("accounts:webhook", endpoint.pk)


@requires(Action.MANAGE_WEBHOOKS)
@require_POST
def webhook_secret(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Another secret; the one before signs, too, for a while."""
    endpoint = _load(request, pk)
    secret = webhooks.change_secret(endpoint=endpoint, actor=request.user, now=timezone.now())
    _keep_secret(request, endpoint, secret)
    return redirect("accounts:webhook", endpoint.pk)


@requires(Action.MANAGE_WEBHOOKS)
@require_POST
def webhook_off(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    endpoint = _load(request, pk)
    if webhooks.switch_off(endpoint=endpoint, actor=request.user, now=timezone.now()):
        messages.success(request, _("“%(name)s” is switched off.") % {"name": endpoint.name})
    return redirect("accounts:webhook", endpoint.pk)


@requires(Action.MANAGE_WEBHOOKS)
@require_POST
def webhook_on(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    endpoint = _load(request, pk)
    if webhooks.switch_on(endpoint=endpoint, actor=request.user, now=timezone.now()):
        messages.success(request, _("“%(name)s” is switched on.") % {"name": endpoint.name})
    return redirect("accounts:webhook", endpoint.pk)


@requires(Action.MANAGE_WEBHOOKS)
@require_POST
def webhook_delete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    endpoint = _load(request, pk)
    webhooks.delete_webhook(endpoint=endpoint, actor=request.user, now=timezone.now())
    messages.success(request, _("“%(name)s” is deleted.") % {"name": endpoint.name})
    return redirect("accounts:webhook_list")


@requires(Action.MANAGE_WEBHOOKS)
@require_POST
def webhook_again(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """One message once more."""
    message: WebhookMessage = load(request, Action.MANAGE_WEBHOOKS, WebhookMessage.objects, pk)
    try:
        webhooks.send_again(message=message, now=timezone.now())
    except webhooks.SwitchedOff:
        messages.error(request, _("The webhook is switched off. Switch it on first."))
    else:
        tasks.send_webhooks.delay_on_commit()
    return redirect("accounts:webhook", message.endpoint_id)


def _load(request: MemberRequest, pk: uuid.UUID) -> WebhookEndpoint:
    endpoint: WebhookEndpoint = load(request, Action.MANAGE_WEBHOOKS, WebhookEndpoint.objects, pk)
    return endpoint


def _keep_secret(request: MemberRequest, endpoint: WebhookEndpoint, secret: str) -> None:
    request.session[SECRET] = encrypt_json({"webhook": str(endpoint.pk), "secret": secret})


def _take_secret(request: MemberRequest, endpoint: WebhookEndpoint) -> str | None:
    sealed = request.session.get(SECRET)
    opened = decrypt_json(sealed) if sealed else {}
    if opened.get("webhook") != str(endpoint.pk):
        return None
    del request.session[SECRET]
    return str(opened["secret"])
