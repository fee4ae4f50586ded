"""Files of posts for networks that fetch them, and whether they can."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, public, requires
from accounts.permissions import Action
from core.streaming import file_response
from outbox.public_media import opened
from outbox.services.reachability import check_public_media


@public
@require_safe
def public_media(request: HttpRequest, signed: str) -> HttpResponseBase:
    """Exactly one stored file, for as long as its address is good. It is handed on from here: some networks
    follow no redirect to a store."""
    now = timezone.now()
    file = opened(signed, now=now)
    if file is None:
        raise Http404
    if file.is_probe:
        response: HttpResponseBase = HttpResponse(file.key, content_type="text/plain")
        response["Cache-Control"] = "no-store"
        return response
    response = file_response(request, file.key, file.mime_type, may_redirect=False)
    # Nobody else may keep it longer than its address opens it.
    response["Cache-Control"] = f"private, max-age={int((file.expires_at - now).total_seconds())}"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["X-Robots-Tag"] = "noindex"
    return response


@requires(Action.CONNECT_ACCOUNTS)
@require_POST
def check_media(request: MemberRequest) -> HttpResponse:
    """Ask our own public address, now."""
    reach = check_public_media(now=timezone.now())
    level = messages.SUCCESS if reach.is_good else messages.ERROR
    messages.add_message(request, level, reach.sentence)
    return redirect("outbox:sending")
