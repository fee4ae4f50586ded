from __future__ import annotations

from django.urls import path

from engagement.views import acting, hooks, inbox, numbers, settings

app_name = "engagement"

urlpatterns = [
    path("", inbox.inbox, name="inbox"),
    path("hooks/deletions/<str:code>/", hooks.deletion_status, name="deletion_status"),
    path("hooks/<slug:platform>/<str:key>/", hooks.hook, name="hook"),
    path("hooks/<slug:platform>/<str:key>/deletion/", hooks.deletion, name="deletion"),
    path("numbers/", numbers.numbers, name="numbers"),
    path("promises/", settings.promises, name="promises"),
    path("promises/<uuid:brand_id>/", settings.promise, name="promise"),
    path("replies/", settings.saved_replies, name="saved_replies"),
    path("replies/new/", settings.saved_reply_create, name="saved_reply_create"),
    path("replies/<uuid:reply_id>/", settings.saved_reply_edit, name="saved_reply_edit"),
    path("replies/<uuid:reply_id>/delete/", settings.saved_reply_delete, name="saved_reply_delete"),
    path("<uuid:conversation_id>/", inbox.conversation, name="conversation"),
    path("<uuid:conversation_id>/talk/", inbox.talk, name="talk"),
    path("<uuid:conversation_id>/reply/", acting.reply, name="reply"),
    path("<uuid:conversation_id>/check/", acting.check, name="check"),
    path("<uuid:conversation_id>/note/", acting.note, name="note"),
    path("<uuid:conversation_id>/assign/", acting.assign, name="assign"),
    path("<uuid:conversation_id>/done/", acting.done, name="done"),
    path("<uuid:conversation_id>/reopen/", acting.reopen, name="reopen"),
    path("<uuid:conversation_id>/snooze/", acting.snooze, name="snooze"),
    path("messages/<uuid:message_id>/resend/", acting.resend, name="resend"),
    path("messages/<uuid:message_id>/take-back/", acting.take_back, name="take_back"),
    path("messages/<uuid:message_id>/appeared/", acting.appeared, name="appeared"),
    path("messages/<uuid:message_id>/moderate/", acting.moderate, name="moderate"),
]
