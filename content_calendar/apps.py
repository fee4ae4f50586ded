from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContentCalendarConfig(AppConfig):
    name = "content_calendar"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Content calendar")

    def ready(self) -> None:
        from accounts import news  # noqa: PLC0415
        from content_calendar.selectors.refusals import SENTENCES  # noqa: PLC0415
        from content_calendar.services.sending import objection, page  # noqa: PLC0415 - models load first
        from outbox import handlers  # noqa: PLC0415
        from outbox.models import DeliveryKind  # noqa: PLC0415

        handlers.register(DeliveryKind.POST, objection, page)
        news.register_reasons(SENTENCES)
