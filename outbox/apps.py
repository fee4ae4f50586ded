from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OutboxConfig(AppConfig):
    name = "outbox"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Outbox")

    def ready(self) -> None:
        from accounts import allowances, news  # noqa: PLC0415 - its models are known only now
        from outbox.errors import SENTENCES  # noqa: PLC0415 - as above
        from outbox.services import rates  # noqa: PLC0415 - as above

        news.register_reasons(SENTENCES)
        allowances.register("outbox", rates.counted)
