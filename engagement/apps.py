from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EngagementConfig(AppConfig):
    name = "engagement"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Engagement")

    def ready(self) -> None:
        from audience import erasers  # noqa: PLC0415 - models load first
        from engagement.services import erasure, moderation, replies  # noqa: PLC0415
        from outbox import handlers  # noqa: PLC0415
        from outbox.models import DeliveryKind  # noqa: PLC0415

        handlers.register(DeliveryKind.REPLY, replies.objection, replies.page)
        handlers.register(DeliveryKind.DM, replies.objection, replies.page)
        handlers.register(DeliveryKind.MODERATION, moderation.objection, replies.page)
        erasers.register("engagement", erasure.erase)
