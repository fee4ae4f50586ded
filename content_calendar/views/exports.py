"""The list of posts as a file that can be imported again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, requires
from accounts.permissions import Action
from content_calendar.forms import post_filter
from content_calendar.selectors.exports import MOST_POSTS, TooMany, posts_table
from content_calendar.views.shown import shown
from core.csv_writing import csv_response
from core.xlsx_reading import TableKind
from core.xlsx_writing import xlsx_response


@requires(Action.VIEW)
@require_safe
def export(request: MemberRequest) -> HttpResponseBase:
    """What the filters of the list leave: ``?format=xlsx``, else CSV."""
    about = shown(request)
    wanted = post_filter(request.GET)
    try:
        table = posts_table(request.membership, about.brand, wanted, language=get_language() or "en")
    except TooMany:
        said = _("More than %(most)s posts do not fit into one file. Filter the list first.")
        messages.error(request, said % {"most": MOST_POSTS})
        return redirect(f"{reverse('content_calendar:posts')}?{request.GET.urlencode()}")
    name = f"posts-{timezone.localdate():%Y%m%d}"
    respond = xlsx_response if request.GET.get("format") == TableKind.XLSX else csv_response
    return respond(name, table.header, table.rows)
