"""How one is told: one's own preferences, and the way out that every mail carries."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts import choices, selectors
from accounts.access import MemberRequest, current_brand, public, requires
from accounts.forms import PreferencesForm
from accounts.models import NotificationKind
from accounts.permissions import Action
from accounts.services.mails import DIGEST, read_unsubscribe_token
from accounts.services.preferences import save_preferences, stop_mails


@requires(Action.VIEW)
def preferences(request: MemberRequest) -> HttpResponse:
    """One's own, in every organization alike."""
    user = request.user
    times = selectors.mail_times_of([user.pk])[user.pk]
    if times._state.adding:
        times.timezone = selectors.zone_of(request.membership, current_brand(request))
    initial = PreferencesForm.initial_of(selectors.wishes_by_kind(user), times)
    form = PreferencesForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        save_preferences(user=user, wishes=form.wishes(), times=form.times())
        messages.success(request, _("Saved."))
        return redirect("accounts:notification_preferences")
    context = {"form": form, "zones": choices.zones(timezone.now())}
    return render(request, "accounts/notification_preferences.html", context)


# The token in the address is the permission. Mail programs post here without a cookie (RFC 8058); opening the
# link changes nothing, because programs that look for viruses open links, too.
@csrf_exempt
@public
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    found = read_unsubscribe_token(token)
    if found is None:
        return render(request, "accounts/unsubscribe.html", {"state": "unknown"}, status=404)
    user, stops = found
    if request.method == "POST":
        stop_mails(user=user, stops=stops)
    context = {
        "state": "done" if request.method == "POST" else "ask",
        "email": user.email,
        "kind": None if stops == DIGEST else NotificationKind(stops).label,
    }
    return render(request, "accounts/unsubscribe.html", context)
