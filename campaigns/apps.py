from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    name = "campaigns"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Campaigns")

    def ready(self) -> None:
        from accounts.services import keys  # noqa: PLC0415 - models must be loaded first
        from audience import erasers  # noqa: PLC0415
        from campaigns.models import AdCredential  # noqa: PLC0415
        from campaigns.services.erasing import erase  # noqa: PLC0415

        keys.register(AdCredential)
        erasers.register("campaigns", erase)
