from __future__ import annotations

from django.urls import path

from analytics import views

app_name = "analytics"

urlpatterns = [
    path("", views.index, name="index"),
    path("accounts/", views.accounts, name="accounts"),
    path("accounts/<uuid:account_id>/", views.account, name="account"),
    path("accounts/<uuid:account_id>/numbers/", views.account_numbers, name="account_numbers"),
    path("posts/<uuid:post_id>/numbers/", views.post_numbers, name="post_numbers"),
]
