"""Reading the inbox: the list, a conversation beside it, and the parts that renew themselves."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, requires
from accounts.permissions import Action
from core.htmx import render_page, wants_partial
from engagement.views import shown


@requires(Action.READ_INBOX)
@require_safe
def inbox(request: MemberRequest) -> HttpResponse:
    """The page, or (HTMX) its rows; 304 when those have not changed."""
    now = timezone.now()
    listed = shown.listed(request, now)
    if shown.has_tag(request, listed.tag):
        return shown.unchanged(listed.tag)
    context = shown.list_context(request, listed, now)
    response = render_page(request, "engagement/inbox.html", context, partial="rows")
    if request.headers.get("HX-Trigger") == "inbox-filters":
        # The open conversation stays in the address, now with other filters.
        here = urlsplit(request.headers.get("HX-Current-URL", "")).path or request.path
        response["HX-Replace-Url"] = here + shown.list_query(request.GET)
    return shown.tagged(response, listed.tag)


@requires(Action.READ_INBOX)
@require_safe
def conversation(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """The page with this conversation open, or (HTMX) its two panes."""
    found = shown.loaded(request, Action.READ_INBOX, conversation_id)
    context = shown.desk_context(request, found)
    if not wants_partial(request):
        now = timezone.now()
        context = shown.list_context(request, shown.listed(request, now), now) | context
    return render_page(request, "engagement/inbox.html", context, partial="desk")


@requires(Action.READ_INBOX)
@require_safe
def talk(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """The messages of an open conversation, asked for again and again; mostly 304."""
    found = shown.loaded(request, Action.READ_INBOX, conversation_id)
    if not wants_partial(request):
        return redirect("engagement:conversation", conversation_id=found.pk)
    now = timezone.now()
    tag = shown.talk_tag(request, found, now)
    if shown.has_tag(request, tag):
        return shown.unchanged(tag)
    context = shown.talk_context(request, found, now)
    return shown.tagged(render_page(request, "engagement/inbox.html", context, partial="talk"), tag)
