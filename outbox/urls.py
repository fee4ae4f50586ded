from __future__ import annotations

from django.urls import path

from outbox.views import backlog, brands, pauses, public_media, quiet

app_name = "outbox"
urlpatterns = [
    path("settings/sending/", brands.sending, name="sending"),
    path("settings/sending/media/check/", public_media.check_media, name="check_media"),
    path("media/public/<str:signed>", public_media.public_media, name="public_media"),
    path("settings/sending/pause/", pauses.pause_everything, name="pause_everything"),
    path("settings/sending/overdue/", backlog.overdue, name="overdue"),
    path("settings/sending/overdue/decide/", backlog.decide_overdue, name="decide"),
    path("settings/sending/deliveries/<uuid:delivery_id>/", backlog.delivery_page, name="delivery"),
    path("accounts/<uuid:account_id>/pause/", pauses.account_pause, name="account_pause"),
    path("accounts/<uuid:account_id>/pause/start/", pauses.pause_account, name="pause_account"),
    path("settings/sending/brands/<uuid:brand_id>/", brands.brand_sending, name="brand_sending"),
    path("settings/sending/brands/<uuid:brand_id>/late/", brands.late_rule, name="late_rule"),
    path("settings/sending/brands/<uuid:brand_id>/quiet/", quiet.quiet_add, name="quiet_add"),
    path("settings/sending/quiet/<uuid:period_id>/", quiet.quiet_change, name="quiet_change"),
    path("settings/sending/quiet/<uuid:period_id>/remove/", quiet.quiet_remove, name="quiet_remove"),
    path("brands/<uuid:brand_id>/pause/start/", pauses.pause_brand, name="pause_brand"),
    path("pauses/<uuid:pause_id>/end/", pauses.resume, name="resume"),
]
