"""Accounts of others, as their networks tell everybody: asked for one by one, and nothing of it is kept."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, current_brand, requires
from accounts.permissions import Action
from accounts.wording import check_problem
from analytics.forms import LookForm
from analytics.selectors.accounts import looking_accounts
from analytics.services.others import look_at
from analytics.views.shared import tabs
from connectors.base import PublicAccount
from connectors.errors import ConnectorError
from core.htmx import render_page
from core.visitors import is_too_often

MOST_LOOKS = 20  # of one member in a minute; some networks charge for each


@requires(Action.MANAGE_GOALS)
@require_http_methods(["GET", "HEAD", "POST"])
def others(request: MemberRequest) -> HttpResponse:
    """Asking is a POST: it may cost money, and a page that is loaded again must not ask again."""
    accounts = looking_accounts(request.membership, current_brand(request))
    form = LookForm(request.POST or None, accounts=accounts)
    found: PublicAccount | None = None
    is_asked = request.method == "POST" and form.is_valid()
    now = timezone.now()
    if is_asked and is_too_often("look_at_others", str(request.user.pk), most=MOST_LOOKS, now=now):
        form.add_error(None, _("Too many tries. Wait a minute."))
    elif is_asked:
        account = form.cleaned_data["account"]
        try:
            found = look_at(account=account, handle=form.cleaned_data["handle"], now=now)
        except ConnectorError as error:
            form.add_error(None, check_problem(error, account.info))
        else:
            if found is None:
                form.add_error(
                    "handle",
                    _("%(network)s shows no account of this name.") % {"network": account.info.name},
                )
    context = {
        "form": form,
        "has_accounts": bool(accounts),
        "found": found,
        "asked_through": form.cleaned_data.get("account") if found else None,
        "asked_at": now,
        "tabs": tabs(request, "analytics:others"),
    }
    return render_page(request, "analytics/others.html", context, status=422 if form.errors else 200)
