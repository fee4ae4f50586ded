from __future__ import annotations

from django.urls import path

from smmapp.shell import views

app_name = "shell"
urlpatterns = [
    path("", views.today, name="today"),
    path("notifications/", views.notifications, name="notifications"),
    path("notifications/read/", views.notifications_read, name="notifications_read"),
    path("notifications/<uuid:pk>/", views.notification_open, name="notification_open"),
    path("badges/", views.badges, name="badges"),
    path("switch/", views.switch, name="switch"),
    path("language/", views.language, name="language"),
]
