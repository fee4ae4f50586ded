"""The list of posts as a file that can be imported again: a short one at once, a long one made in the
background and fetched later."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.models import Brand
from accounts.permissions import Action
from content_calendar import tasks
from content_calendar.forms import filter_query, post_filter
from content_calendar.models import ExportState, PostExport
from content_calendar.repeating_forms import given_uuid
from content_calendar.selectors.exports import MOST_POSTS, TooMany, member_exports, posts_count, posts_table
from content_calendar.services import exports as service
from content_calendar.views.shown import may, shown
from core.csv_writing import csv_response
from core.htmx import render_page
from core.paging import page_of
from core.xlsx_reading import TableKind
from core.xlsx_writing import TYPE as XLSX_TYPE
from core.xlsx_writing import xlsx_response

# A longer table takes longer than somebody should look at an empty page.
MOST_AT_ONCE = 2_000


@requires(Action.VIEW)
@require_safe
def export(request: MemberRequest) -> HttpResponseBase:
    """What the filters of the list leave: ``?format=xlsx``, else CSV. Many posts are not made into a file
    within a request: the page of the exports asks whether to make it."""
    about = shown(request)
    wanted = post_filter(request.GET)
    kind = _kind(request.GET.get("format", ""))
    try:
        if posts_count(request.membership, about.brand, wanted) > MOST_AT_ONCE:
            brand = about.brand.pk if about.brand else None
            query = filter_query(wanted, brand)
            return redirect(f"{reverse('content_calendar:exports')}?{query}&format={kind}&ask=1")
        table = posts_table(request.membership, about.brand, wanted, language=get_language() or "en")
    except TooMany:
        return _too_many(request, request.GET.urlencode())
    name = f"posts-{timezone.localdate():%Y%m%d}"
    respond = xlsx_response if kind is TableKind.XLSX else csv_response
    return respond(name, table.header, table.rows)


@requires(Action.VIEW)
@require_safe
def export_list(request: MemberRequest) -> HttpResponse:
    """The files that this member asked for. It looks again by itself while one is being made. ``?ask=1`` with
    a filter and a ``format`` asks whether to make another one."""
    about = shown(request)
    wanted = post_filter(request.GET)
    asked: dict[str, object] | None = None
    if request.GET.get("ask"):
        try:
            count = posts_count(request.membership, about.brand, wanted)
        except TooMany:
            return _too_many(request, filter_query(wanted, about.brand.pk if about.brand else None))
        asked = {
            "count": count,
            "kind": _kind(request.GET.get("format", "")),
            "query": filter_query(wanted),
            "brand": about.brand,
        }
    page = page_of(request, member_exports(request.membership))
    context = {
        "shown": about,
        "asked": asked,
        "page": page,
        "is_working": any(one.state == ExportState.MAKING for one in page),
        "kept_days": service.KEPT_FOR.days,
        **may(request),
    }
    return render_page(request, "content_calendar/exports.html", context, partial="files")


@requires(Action.VIEW)
@require_POST
def export_start(request: MemberRequest) -> HttpResponse:
    """``query`` as it stands in an address, ``brand`` (none: all of theirs) and ``format``."""
    wanted = post_filter(QueryDict(request.POST.get("query", "")))
    asked_for = request.POST.get("brand", "")
    brand: Brand | None = (
        load(request, Action.VIEW, Brand.objects.all(), _pk(asked_for)) if asked_for else None
    )
    try:
        made = service.ask(
            membership=request.membership,
            brand=brand,
            query=filter_query(wanted),
            rows=posts_count(request.membership, brand, wanted),
            kind=_kind(request.POST.get("format", "")),
            language=get_language() or "en",
            now=timezone.now(),
        )
    except TooMany:
        return _too_many(request, filter_query(wanted, brand.pk if brand else None))
    except service.TooManyUnderWay:
        said = ngettext(
            "%(most)s file of yours is being made. Wait until it is ready.",
            "%(most)s files of yours are being made. Wait until one is ready.",
            service.MOST_UNDER_WAY,
        )
        messages.error(request, said % {"most": service.MOST_UNDER_WAY})
    else:
        tasks.work_on_export.delay_on_commit(export_id=str(made.pk))
    return redirect("content_calendar:exports")


@requires(Action.VIEW)
@require_safe
def export_file(request: MemberRequest, export_id: uuid.UUID) -> HttpResponseBase:
    """The file, for whoever asked for it, as long as they may see all that it holds."""
    made = _export(request, export_id)
    seen = Brand.objects.for_member(request.membership).filter(pk__in=made.brands)
    if seen.count() != len(made.brands):
        raise Http404
    if made.state != ExportState.DONE:
        raise Http404
    try:
        file = default_storage.open(made.storage_key, "rb")
    except FileNotFoundError:
        raise Http404 from None
    return FileResponse(
        file,
        as_attachment=True,
        filename=made.file_name,
        content_type=XLSX_TYPE if made.kind == TableKind.XLSX else "text/csv; charset=utf-8",
        headers={"Cache-Control": "private, no-store"},
    )


@requires(Action.VIEW)
@require_POST
def export_discard(request: MemberRequest, export_id: uuid.UUID) -> HttpResponse:
    service.discard(export=_export(request, export_id))
    messages.success(request, _("The file is deleted."))
    return redirect("content_calendar:exports")


def _export(request: MemberRequest, export_id: uuid.UUID) -> PostExport:
    row: PostExport = load(request, Action.VIEW, PostExport.objects.select_related("brand"), export_id)
    return row


def _kind(value: str) -> TableKind:
    return TableKind.XLSX if value == TableKind.XLSX else TableKind.CSV


def _pk(value: str) -> uuid.UUID:
    pk = given_uuid(value)
    if pk is None:
        raise Http404
    return pk


def _too_many(request: MemberRequest, query: str) -> HttpResponse:
    said = _("More than %(most)s posts do not fit into one file. Filter the list first.")
    messages.error(request, said % {"most": MOST_POSTS})
    return redirect(f"{reverse('content_calendar:posts')}?{query}")
