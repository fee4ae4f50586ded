"""Videos on their way in, piece by piece; and what is seen of them while they are made ready."""

from __future__ import annotations

import re
import uuid

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.models import Brand
from accounts.permissions import Action
from content_calendar.content import MediaUse
from content_calendar.library_forms import TrimForm, library_filter
from content_calendar.models import MediaAsset, MediaFolder, MediaUpload
from content_calendar.services import media, uploads, videos
from content_calendar.views.media import refusal_text
from content_calendar.views.media_picking import prefix_of
from content_calendar.views.shown import may
from core.streaming import file_response

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def _refused(refusal: media.MediaRefused, name: str) -> JsonResponse:
    return JsonResponse({"error": refusal_text(refusal, name)}, status=422)


@requires(Action.DRAFT_POSTS)
@require_POST
def start(request: MemberRequest, brand_id: uuid.UUID) -> HttpResponse:
    """``name``, ``size`` and ``fingerprint`` of a file, ``?folder=``: where to send its pieces, and how many
    bytes of it are there already."""
    brand: Brand = load(request, Action.DRAFT_POSTS, Brand.objects, brand_id)
    size, mark = request.POST.get("size", ""), request.POST.get("fingerprint", "")
    if not (size.isascii() and size.isdigit() and len(size) < 16 and _FINGERPRINT.fullmatch(mark)):
        raise BadRequest
    wanted = library_filter(request.GET).folder
    folder = MediaFolder.objects.for_brand(brand).filter(pk=wanted).first() if wanted else None
    name = request.POST.get("name", "").replace("\x00", "")[:255]
    try:
        upload = uploads.start_upload(
            brand=brand,
            person=request.user,
            name=name,
            size=int(size),
            fingerprint=mark,
            folder=folder,
            now=timezone.now(),
        )
    except media.MediaRefused as refusal:
        return _refused(refusal, name)
    return JsonResponse({"id": str(upload.pk), "received": upload.received, "piece": uploads.CHUNK})


@requires(Action.DRAFT_POSTS)
@require_POST
def piece(request: MemberRequest, upload_id: uuid.UUID) -> HttpResponse:
    """The bytes from ``?offset=`` on, as they are. 409 says how many there are when these do not follow."""
    upload: MediaUpload = load(request, Action.DRAFT_POSTS, MediaUpload.objects, upload_id)
    offset = request.GET.get("offset", "")
    if not (offset.isascii() and offset.isdigit() and len(offset) < 16):
        raise BadRequest
    content = request.read(uploads.CHUNK + 1)
    try:
        upload = uploads.take_piece(
            upload=upload,
            offset=int(offset),
            content=content,
            digest=request.headers.get("X-Content-SHA256", ""),
            now=timezone.now(),
        )
    except uploads.WrongOffset as refusal:
        return JsonResponse({"received": refusal.received}, status=409)
    except uploads.PieceDamaged:
        return JsonResponse({"received": upload.received}, status=409)
    except media.MediaRefused as refusal:
        return _refused(refusal, upload.name)
    return JsonResponse({"received": upload.received})


@requires(Action.DRAFT_POSTS)
@require_POST
def finish(request: MemberRequest, upload_id: uuid.UUID) -> HttpResponse:
    """All pieces are there: the tile of the video for the part that ``?prefix=`` names, or its card."""
    rows = MediaUpload.objects.select_related("brand", "person", "folder", "asset")
    upload: MediaUpload = load(request, Action.DRAFT_POSTS, rows, upload_id)
    prefix = prefix_of(request)
    try:
        asset = uploads.finish_upload(upload=upload, now=timezone.now())
    except uploads.UploadIncomplete:
        return JsonResponse({"received": upload.received}, status=409)
    if prefix:
        use = MediaUse(asset.pk, asset.alt_text)
        context = {"name": prefix, "asset": asset, "use": use}
        return render(request, "content_calendar/_media_tile.html", context)
    return render(request, "content_calendar/_library_card.html", {"asset": asset, **may(request)})


@requires(Action.DRAFT_POSTS)
@require_POST
def cancel(request: MemberRequest, upload_id: uuid.UUID) -> HttpResponse:
    upload: MediaUpload = load(request, Action.DRAFT_POSTS, MediaUpload.objects.filter(asset=None), upload_id)
    uploads.cancel_upload(upload=upload)
    return HttpResponse(status=204)


@requires(Action.VIEW)
@require_safe
def progress(request: MemberRequest, asset_id: uuid.UUID) -> HttpResponse:
    """The picture of a video, which asks again while it is made ready; the composer looks at it anew then."""
    asset: MediaAsset = load(request, Action.VIEW, MediaAsset.objects, asset_id)
    response = render(request, "content_calendar/_library_picture.html", {"asset": asset})
    response["Cache-Control"] = "private, no-store"
    if not asset.is_processing:
        response["HX-Trigger"] = "composer:look"
    return response


@requires(Action.VIEW)
@require_safe
def frame(request: MemberRequest, asset_id: uuid.UUID, at_ms: int) -> HttpResponseBase:
    """One of the pictures that are offered as thumbnails."""
    asset: MediaAsset = load(request, Action.VIEW, MediaAsset.objects, asset_id)
    for key, ms in asset.frames:
        if ms == at_ms:
            return file_response(request, key, "image/jpeg")
    raise Http404


@requires(Action.DRAFT_POSTS)
@require_POST
def thumbnail(request: MemberRequest, asset_id: uuid.UUID) -> HttpResponse:
    """Another picture to stand for a video: ``at`` in milliseconds, or ``seconds``."""
    asset: MediaAsset = load(request, Action.DRAFT_POSTS, MediaAsset.objects, asset_id)
    try:
        at_ms = int(request.POST.get("at") or round(float(request.POST.get("seconds", "")) * 1000))
        videos.choose_thumbnail(asset=asset, at_ms=at_ms)
    except (ValueError, OverflowError, videos.NoSuchFrame):
        messages.error(request, _("The video has no picture at this moment. Choose another one."))
    return redirect("library:asset", asset_id=asset.pk)


@requires(Action.DRAFT_POSTS)
@require_POST
def trim(request: MemberRequest, asset_id: uuid.UUID) -> HttpResponse:
    """A stretch of a video as one of its own, from ``first`` until ``last`` (seconds)."""
    rows = MediaAsset.objects.select_related("brand", "folder")
    asset: MediaAsset = load(request, Action.DRAFT_POSTS, rows, asset_id)
    form = TrimForm(request.POST)
    try:
        if not form.is_valid():
            raise videos.NoSuchStretch
        first, last = form.stretch()
        part = videos.trim_video(
            asset=asset,
            from_ms=first,
            until_ms=min(last, asset.duration_ms),
            actor=request.user,
            now=timezone.now(),
        )
    except videos.NoSuchStretch:
        said = _("Choose a beginning and an end within the video, at least half a second apart.")
        messages.error(request, said)
        return redirect("library:asset", asset_id=asset.pk)
    messages.success(request, _("The stretch becomes a video of its own; the original stays."))
    return redirect("library:asset", asset_id=part.pk)
