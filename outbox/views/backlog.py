"""The posts that fell due while sending was paused: what becomes of each, or of all."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.models import Brand
from accounts.permissions import Action, is_allowed
from core.paging import page_of
from core.wall_time import wall_time
from outbox.forms import SpreadForm
from outbox.handlers import page_of as page_of_delivery
from outbox.models import Delivery
from outbox.payloads import words_of
from outbox.selectors import undecided
from outbox.services.backlog import (
    MOST,
    Decision,
    PlannedInThePast,
    decide,
    preview_spread,
    spread_backlog,
)
from outbox.spreading import TooLongToSpread
from outbox.tasks import dispatch

USUAL = {"every": 30, "first": "09:00", "last": "18:00"}


@requires(Action.VIEW)
@require_safe
def overdue(request: MemberRequest) -> HttpResponse:
    """The list; with ``every``, ``first`` and ``last`` each post with the time that it would get."""
    now = timezone.now()
    brand = _brand(request, request.GET.get("brand", ""))
    rows = undecided(request.membership, brand)
    is_preview = "every" in request.GET
    form = SpreadForm(request.GET if is_preview else None, initial=USUAL)
    times: dict[uuid.UUID, dt.datetime] = {}
    last: dict[str, Any] = {}
    start = None
    if is_preview and form.is_valid():
        start = form.cleaned_data["start"]
        if start is None or start < now:
            # In the address, so that turning the page and saying yes speak of the same times.
            query = request.GET.copy()
            query["start"] = _next_minutes(now).isoformat()
            return redirect(f"{request.path}?{query.urlencode()}")
        try:
            all_rows = list(rows.select_related("brand").defer("payload")[:MOST])
            times = preview_spread(rows=all_rows, spread=form.spread(), start=start)
            final = max(all_rows, key=lambda row: times[row.pk], default=None)
            if final is not None:
                last = {"time": times[final.pk], "zone": final.brand.timezone}
        except TooLongToSpread:
            form.add_error("every", _too_long())
    page = page_of(request, rows.select_related("account", "brand"))
    context = {
        "page": page,
        "rows": [(row, words_of(row.payload)[:120], row.account.info, times.get(row.pk)) for row in page],
        "form": form,
        "has_preview": bool(times),
        "last": last,
        "start": start.isoformat() if start else "",
        "brand": brand,
        "brands": Brand.objects.for_member(request.membership).order_by("name"),
        "may_decide": is_allowed(request.membership.role, Action.PUBLISH_POSTS),
    }
    return render(request, "outbox/overdue.html", context, status=422 if form.errors else 200)


@requires(Action.PUBLISH_POSTS)
@require_POST
def decide_overdue(request: MemberRequest) -> HttpResponse:
    """``decision`` for the posts named by ``delivery``, or for ``all`` of the list: send, skip, plan (at
    ``local_time``, one post) or spread."""
    brand = _brand(request, request.POST.get("brand", ""))
    rows = undecided(request.membership, brand)
    if not request.POST.get("all"):
        rows = rows.filter(pk__in=_ids(request.POST.getlist("delivery")))
        if not rows.exists():
            messages.info(request, _("Nothing was changed: tick at least one post that still waits."))
            return _back(brand)
    try:
        said = _carried_out(request, rows)
    except PlannedInThePast:
        messages.error(request, _("This time is over. Choose a later one."))
    except TooLongToSpread:
        messages.error(request, _too_long())
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
    else:
        messages.success(request, said)
    return _back(brand)


def _carried_out(request: MemberRequest, rows: QuerySet[Delivery]) -> str:
    """What was done, in words. Raises what the services raise, and ValidationError for bad input."""
    now = timezone.now()
    given: dict[str, Any] = {
        "organization": request.organization,
        "rows": rows,
        "actor": request.user,
        "now": now,
    }
    wanted = request.POST.get("decision", "")
    if wanted == "spread":
        form = SpreadForm(request.POST)
        if not form.is_valid():
            raise ValidationError([str(text) for texts in form.errors.values() for text in texts])
        start = form.cleaned_data["start"] or _next_minutes(now)
        return _planned(spread_backlog(spread=form.spread(), start=start, **given))
    if wanted not in list(Decision):
        raise ValidationError(_("Choose what becomes of the posts."))
    decision = Decision(wanted)
    at = None
    if decision is Decision.PLAN:
        first = rows.select_related("brand").first()
        at = wall_time(request.POST.get("local_time", ""), first.brand.timezone if first else "UTC")
    count = decide(decision=decision, at=at, **given)
    if decision is Decision.SEND:
        dispatch.delay_on_commit()
        said = ngettext("%(count)s post goes out now.", "%(count)s posts go out now.", count)
    elif decision is Decision.SKIP:
        said = ngettext("%(count)s post is skipped.", "%(count)s posts are skipped.", count)
    else:
        return _planned(count)
    return said % {"count": count}


def _planned(count: int) -> str:
    said = ngettext("%(count)s post has its new time.", "%(count)s posts have their new times.", count)
    return said % {"count": count}


@requires(Action.VIEW)
@require_safe
def delivery_page(request: MemberRequest, delivery_id: uuid.UUID) -> HttpResponse:
    """To the page that shows a delivery, wherever that is."""
    row: Delivery = load(request, Action.VIEW, Delivery.objects, delivery_id)
    return redirect(page_of_delivery(row) or reverse("outbox:overdue"))


def _brand(request: MemberRequest, value: str) -> Brand | None:
    """The brand that the list is narrowed to."""
    if not value:
        return None
    found: Brand | None = Brand.objects.for_member(request.membership).filter(pk__in=_ids([value])).first()
    if found is None:
        raise Http404
    return found


def _ids(values: list[str]) -> list[uuid.UUID]:
    found = []
    for value in values:
        try:
            found.append(uuid.UUID(value))
        except ValueError:
            continue
    return found


def _next_minutes(now: dt.datetime) -> dt.datetime:
    """A full minute, with time enough to look at a preview before it comes."""
    return now.replace(second=0, microsecond=0) + dt.timedelta(minutes=10)


def _too_long() -> str:
    return _(
        "The last posts would go out in more than a year. Choose a shorter distance or more hours of the day."
    )


def _back(brand: Brand | None) -> HttpResponse:
    return redirect(reverse("outbox:overdue") + (f"?brand={brand.pk}" if brand else ""))
