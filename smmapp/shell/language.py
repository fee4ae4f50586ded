"""The language that a person chose holds on every device, before the cookie and the browser's wish."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

SUPPORTED = frozenset(code for code, _name in settings.LANGUAGES)


def language_of_person(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware, after authentication. A visitor keeps what LocaleMiddleware chose."""

    def middleware(request: HttpRequest) -> HttpResponse:
        # The session's key first: a visitor without one costs no query.
        if request.session.get("_auth_user_id") and request.user.is_authenticated:
            language = request.user.language
            if language in SUPPORTED and language != request.LANGUAGE_CODE:
                translation.activate(language)
                request.LANGUAGE_CODE = language
        return get_response(request)

    return middleware
