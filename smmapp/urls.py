from __future__ import annotations

from django.urls import include, path

from campaigns.views.redirect import link
from smmapp.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("l/<str:code>", link, name="link"),
    path("", include("smmapp.shell.urls")),
    path("", include("accounts.urls")),
    path("", include("outbox.urls")),
    path("calendar/", include("content_calendar.urls")),
    path("library/", include("content_calendar.library_urls")),
    path("inbox/", include("engagement.urls")),
    path("campaigns/", include("campaigns.urls")),
    path("audience/", include("audience.urls")),
    path("analytics/", include("analytics.urls")),
    path("api/v1/", include("smmapp.api")),
    path("user/", include("allauth.urls")),
]
