"""One asset of the media library: what is said about it, where it is used, cutting it, throwing it away."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import MemberRequest, load, requires
from accounts.permissions import Action
from content_calendar.content import MediaUse
from content_calendar.library_forms import FREE, SHAPES, CropForm, DescribeForm
from content_calendar.models import MediaAsset
from content_calendar.selectors.library import still_needed, uses_of
from content_calendar.selectors.verdicts import verdicts_of
from content_calendar.services import library as service
from content_calendar.services import media
from content_calendar.views.library import in_use_text
from content_calendar.views.media_picking import placed, prefix_of
from content_calendar.views.shown import may
from core.htmx import render_page


def _load(request: MemberRequest, action: Action, asset_id: uuid.UUID) -> MediaAsset:
    rows = MediaAsset.objects.select_related("brand__organization", "folder", "uploaded_by", "derived_from")
    found: MediaAsset = load(request, action, rows, asset_id)
    return found


@requires(Action.VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def asset(request: MemberRequest, asset_id: uuid.UUID) -> HttpResponse:
    """The page of an asset; POST says something else about it, for which drafting is needed."""
    action = Action.DRAFT_POSTS if request.method == "POST" else Action.VIEW
    row = _load(request, action, asset_id)
    form = DescribeForm(request.POST or None, asset=row)
    if request.method == "POST" and form.is_valid():
        try:
            service.describe(asset=row, said=form.said())
        except service.FolderUnknown:
            form.add_error("folder", _("This folder is no longer there. Choose another one."))
        else:
            messages.success(request, _("Saved."))
            return redirect("library:asset", asset_id=row.pk)
    number = request.GET.get("page", "1")
    uses = uses_of(row, number=int(number) if number.isascii() and number.isdigit() and number != "0" else 1)
    verdicts = verdicts_of(row)
    context = {
        "asset": row,
        "form": form,
        "page": uses,
        "verdicts": verdicts,
        "covers": [info.name for info, _lines in verdicts if info.videos and info.videos.takes_cover],
        "is_needed": bool(still_needed([row.pk])),
        "derived": row.derived.order_by("-created_at")[:12],
        **may(request),
    }
    status = 422 if form.errors else 200
    return render(request, "content_calendar/library_asset.html", context, status=status)


@requires(Action.DRAFT_POSTS)
@require_http_methods(["GET", "HEAD", "POST"])
def crop(request: MemberRequest, asset_id: uuid.UUID) -> HttpResponse:
    """Cut a part out. With ``?prefix=`` (SCOPE.KEY of the composer) its tile comes back, for the place of the
    original's."""
    row = _load(request, Action.DRAFT_POSTS, asset_id)
    if row.is_video:
        raise Http404
    prefix = prefix_of(request)
    problem = ""
    if request.method == "POST":
        form = CropForm(request.POST)
        cut = form.cut() if form.is_valid() else None
        shape = form.cleaned_data.get("shape", FREE)
        if cut is None and shape in SHAPES and not form.errors:
            cut = media.cut_around(row, SHAPES[shape])
        try:
            if cut is None:
                raise media.CutOutside
            part = media.crop_image(asset=row, cut=cut, actor=request.user, now=timezone.now())
        except media.CutOutside:
            problem = _("Choose a part within the picture, at least %(side)s pixels wide and high.") % {
                "side": media.LEAST_SIDE
            }
        except media.MediaRefused:
            problem = _("The stored picture cannot be read any more. Upload it again.")
        else:
            if prefix:
                use = MediaUse(part.pk, request.POST.get("alt", "")[:5000] or part.alt_text)
                return placed(request, prefix, [(use, part)])
            messages.success(request, _("The part is a picture of its own now; the original stays."))
            return redirect("library:asset", asset_id=part.pk)
    shapes = [(key, media.cut_around(row, ratio)) for key, ratio in SHAPES.items()]
    context = {
        "asset": row,
        "prefix": prefix,
        "shapes": shapes,
        "whole": media.Cut(0, 0, row.width, row.height),
        "free": FREE,
        "problem": problem,
        "least_side": media.LEAST_SIDE,
    }
    return render_page(
        request,
        "content_calendar/library_crop.html",
        context,
        partial="editor",
        status=422 if problem else 200,
    )


@requires(Action.DRAFT_POSTS)
@require_POST
def delete(request: MemberRequest, asset_id: uuid.UUID) -> HttpResponse:
    row = _load(request, Action.DRAFT_POSTS, asset_id)
    try:
        service.delete_assets(brand=row.brand, assets=[row.pk], actor=request.user, now=timezone.now())
    except service.MediaInUse as refusal:
        messages.error(request, in_use_text(refusal))
        return redirect("library:asset", asset_id=row.pk)
    messages.success(request, _("“%(name)s” was deleted.") % {"name": row})
    return redirect(f"{reverse('library:library')}?brand={row.brand_id}")
