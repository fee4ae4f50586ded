from __future__ import annotations

from django.urls import path

from outbox import views

app_name = "outbox"
urlpatterns = [
    path("accounts/<uuid:account_id>/pause/", views.account_pause, name="account_pause"),
    path("accounts/<uuid:account_id>/pause/start/", views.pause_account, name="pause_account"),
    path("brands/<uuid:brand_id>/pause/start/", views.pause_brand, name="pause_brand"),
    path("pauses/<uuid:pause_id>/end/", views.resume, name="resume"),
]
