from __future__ import annotations

from django.urls import path

from accounts.views import api_keys, brands, members, organization, preferences, social, webhooks

app_name = "accounts"
urlpatterns = [
    path("start/", organization.organization_create, name="organization_create"),
    path("invitations/<str:token>/", members.invitation, name="invitation"),
    # Social accounts
    path("accounts/", social.account_list, name="account_list"),
    path("accounts/connect/", social.connect, name="connect"),
    path("accounts/connect/<slug:platform>/", social.connect_network, name="connect_network"),
    path("accounts/callback/", social.oauth_callback, name="oauth_callback"),
    path("accounts/<uuid:pk>/", social.account_detail, name="account_detail"),
    path("accounts/<uuid:pk>/check/", social.account_check, name="account_check"),
    path("accounts/<uuid:pk>/reconnect/", social.account_reconnect, name="account_reconnect"),
    path("accounts/<uuid:pk>/disconnect/", social.account_disconnect, name="account_disconnect"),
    # Settings
    path("settings/", organization.settings, name="settings"),
    path("settings/organization/", organization.organization_edit, name="organization_edit"),
    path("settings/brands/", brands.brand_list, name="brand_list"),
    path("settings/brands/new/", brands.brand_create, name="brand_create"),
    path("settings/brands/<uuid:pk>/", brands.brand_edit, name="brand_edit"),
    path("settings/brands/<uuid:pk>/archive/", brands.brand_archive, name="brand_archive"),
    path("settings/brands/<uuid:pk>/restore/", brands.brand_restore, name="brand_restore"),
    path("settings/people/", members.member_list, name="member_list"),
    path("settings/people/invite/", members.member_invite, name="member_invite"),
    path("settings/people/<uuid:pk>/", members.member_edit, name="member_edit"),
    path("settings/people/<uuid:pk>/deactivate/", members.member_deactivate, name="member_deactivate"),
    path("settings/people/<uuid:pk>/reactivate/", members.member_reactivate, name="member_reactivate"),
    path("settings/invitations/<uuid:pk>/resend/", members.invitation_resend, name="invitation_resend"),
    path("settings/invitations/<uuid:pk>/revoke/", members.invitation_revoke, name="invitation_revoke"),
    path("settings/api-keys/", api_keys.api_key_list, name="api_key_list"),
    path("settings/api-keys/new/", api_keys.api_key_create, name="api_key_create"),
    path("settings/api-keys/<uuid:pk>/revoke/", api_keys.api_key_revoke, name="api_key_revoke"),
    path("settings/webhooks/", webhooks.webhook_list, name="webhook_list"),
    path("settings/webhooks/new/", webhooks.webhook_create, name="webhook_create"),
    path("settings/webhooks/<uuid:pk>/", webhooks.webhook, name="webhook"),
    path("settings/webhooks/<uuid:pk>/edit/", webhooks.webhook_edit, name="webhook_edit"),
    path("settings/webhooks/<uuid:pk>/test/", webhooks.webhook_test, name="webhook_test"),
    path("settings/webhooks/<uuid:pk>/secret/", webhooks.webhook_secret, name="webhook_secret"),
    path("settings/webhooks/<uuid:pk>/off/", webhooks.webhook_off, name="webhook_off"),
    path("settings/webhooks/<uuid:pk>/on/", webhooks.webhook_on, name="webhook_on"),
    path("settings/webhooks/<uuid:pk>/delete/", webhooks.webhook_delete, name="webhook_delete"),
    path("settings/webhooks/messages/<uuid:pk>/again/", webhooks.webhook_again, name="webhook_again"),
    path("settings/audit/", organization.audit, name="audit"),
    path("settings/profile/", organization.profile, name="profile"),
    path("settings/notifications/", preferences.preferences, name="notification_preferences"),
    path("unsubscribe/<str:token>/", preferences.unsubscribe, name="unsubscribe"),
]
