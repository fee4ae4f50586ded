"""The least that a redirect can be: Django with one view and no middleware, which asks nobody.

``gunicorn benchmarks.bare_site:application``; it is what ``benchmarks.redirect`` compares with.
"""

from __future__ import annotations

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path


def link(_request: HttpRequest, code: str) -> HttpResponse:
    return HttpResponseRedirect(f"https://shop.example/item/{code}")


urlpatterns = [path("l/<str:code>", link)]

if not settings.configured:
    settings.configure(
        SECRET_KEY="not a secret: nothing is signed here",
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=[],
        LOGGING_CONFIG=None,
    )
application = get_wsgi_application()
