"""The public side of tracked links: ``/l/CODE``. No session, no person, one statement to the database.

``short_addresses`` stands before sessions, languages and people among the middleware: they would cost as much
as the redirect itself, and a visitor with a session cookie would need the database twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from accounts.access import public
from campaigns.addresses import SHORT_PATH
from campaigns.services.clicks import Visit, follow
from campaigns.visitors import is_bot, referrer_host, visitor
from core.visitors import address_of

_CODE = re.compile(r"[0-9A-Za-z]{1,16}")
RETRY_AFTER_S = 5


def short_addresses(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: answers short addresses, and hands everything else on."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(SHORT_PATH):
            return link(request, code=request.path_info.removeprefix(SHORT_PATH))
        return get_response(request)

    return middleware


@public
@require_safe
def link(request: HttpRequest, code: str) -> HttpResponse:
    """To the stored target and nowhere else. 404 for an unknown code; 503 while the database does not answer,
    because a target that nobody looked up is none."""
    if not _CODE.fullmatch(code):
        return _page(request, "campaigns/link_unknown.html", 404)
    now = timezone.now()
    visit = Visit(
        at=now,
        is_bot=is_bot(request.method or "", request.headers),
        visitor=visitor(address_of(request), request.headers.get("User-Agent", ""), now.date()),
        referrer_host=referrer_host(request.headers.get("Referer", "")),
    )
    try:
        target = follow(code=code, visit=visit)
    except (OperationalError, InterfaceError):
        response = _page(request, "campaigns/link_unavailable.html", 503)
        response["Retry-After"] = str(RETRY_AFTER_S)
        return response
    if target is None:
        return _page(request, "campaigns/link_unknown.html", 404)
    # Not HttpResponseRedirect: the target was checked when it was stored, and needs no second encoding.
    response = HttpResponse(status=302, headers={"Location": target})
    return _private(response)


def _page(request: HttpRequest, template: str, status: int) -> HttpResponse:
    """A page in the visitor's language, and without the request: nothing of it needs the database."""
    with translation.override(translation.get_language_from_request(request)):
        response = HttpResponse(render_to_string(template), status=status)
    return _private(response)


def _private(response: HttpResponse) -> HttpResponse:
    """Every click comes to us, and where a visitor came from is told no further than by host."""
    response["Cache-Control"] = "no-store, private"
    response["Referrer-Policy"] = "strict-origin-when-cross-origin"
    response["X-Robots-Tag"] = "noindex"
    return response
