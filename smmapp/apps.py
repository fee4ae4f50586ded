from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings


class SmmappConfig(AppConfig):
    name = "smmapp"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from connectors import http  # noqa: PLC0415 - the pure packages take their settings from here, once

        http.configure(
            allowed_private_hosts=settings.ALLOWED_PRIVATE_HOSTS,
            base_urls=settings.CONNECTOR_BASE_URLS,
            user_agent=f"smmapp (+{settings.BASE_URL})",
        )
