"""What a page may load, told to the browser."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Scripts come from our own files only; pictures also from the networks."""
    sandbox = urlsplit(settings.SANDBOX_URL)
    sandbox_origin = f" {sandbox.scheme}://{sandbox.netloc}" if settings.SANDBOX_URL else ""
    policy = "; ".join(
        [
            "default-src 'self'",
            # The calendar and the charts place their parts with style attributes.
            "style-src 'self' 'unsafe-inline'",
            f"img-src 'self' data: blob: https:{sandbox_origin}",
            f"media-src 'self' blob: https:{sandbox_origin}",
            "font-src 'self' data:",
            "object-src 'none'",
            "base-uri 'self'",
            "frame-ancestors 'none'",
            # No form-action: browsers apply it to the redirect after a form too, and connecting an account
            # is a form that ends at a server the user named.
        ]
    )

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy)
        return response

    return middleware
