"""Images: taken in, and shown to those who may see them."""

from __future__ import annotations

import re
import uuid

from django.core.exceptions import BadRequest
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.models import Brand
from accounts.permissions import Action
from content_calendar.content import MediaUse
from content_calendar.models import MediaAsset
from content_calendar.services import media as service
from content_calendar.services import uploads
from core.streaming import file_response


def accepted_types() -> str:
    """What file fields take, as types with blanks between."""
    images = (mime for mime, _extension in service.FORMATS.values())
    return " ".join((*images, "image/gif", *uploads.VIDEO_TYPES))


def refusal_text(refusal: service.MediaRefused, name: str) -> str:
    """Why a file was not taken, with its name, in the active language."""
    is_video = name.lower().endswith((".mp4", ".mov", ".m4v", ".webm", ".mkv"))
    words = {
        "name": name,
        "size": filesizeformat(uploads.MAX_VIDEO_BYTES if is_video else service.MAX_BYTES),
        "megapixels": service.MAX_PIXELS // 1_000_000,
    }
    match refusal:
        case service.FileTooLarge():
            return _("“%(name)s” is larger than %(size)s. Please upload a smaller file.") % words
        case service.FileEmpty():
            return _("“%(name)s” is empty.") % words
        case uploads.NotAVideo():
            return _("“%(name)s” is not a video, whatever its name says. Use MP4, MOV or WebM.") % words
        case uploads.TooManyUploads():
            return _("Too many uploads are under way. Wait until one has ended.")
        case service.NotAnImage():
            return _("“%(name)s” is not an image, whatever its name says. Use JPEG, PNG or WebP.") % words
        case service.TooManyPixels():
            return (
                _("“%(name)s” has more than %(megapixels)s megapixels. Please upload a smaller image.")
                % words
            )
        case service.ImageAnimated():
            return _("“%(name)s” is animated. Only still images can be posted.") % words
        case _:
            return (
                _("“%(name)s” is damaged and cannot be read. Please save it again and upload that.") % words
            )


@requires(Action.DRAFT_POSTS)
@require_POST
def upload(request: MemberRequest, brand_id: uuid.UUID) -> HttpResponse:
    """One file in; its tile out, whose fields are named after ``?prefix=`` (SCOPE.KEY of the composer)."""
    brand: Brand = load(request, Action.DRAFT_POSTS, Brand.objects, brand_id)
    prefix = request.GET.get("prefix", "")
    file = request.FILES.get("file")
    if file is None or not re.fullmatch(r"(base|[0-9a-f-]{36})\.[0-9a-z]{1,12}", prefix):
        raise BadRequest
    try:
        asset = service.store_image(
            brand=brand, upload=file, name=file.name or "", actor=request.user, now=timezone.now()
        )
    except service.MediaRefused as refusal:
        return JsonResponse({"error": refusal_text(refusal, file.name or "")}, status=422)
    context = {"name": prefix, "asset": asset, "use": MediaUse(asset.pk, asset.alt_text)}
    return render(request, "content_calendar/_media_tile.html", context)


@requires(Action.VIEW)
@require_safe
def file(request: MemberRequest, asset_id: uuid.UUID) -> HttpResponseBase:
    asset: MediaAsset = load(request, Action.VIEW, MediaAsset.objects, asset_id)
    return file_response(request, asset.storage_key, asset.mime_type)


@requires(Action.VIEW)
@require_safe
def thumbnail(request: MemberRequest, asset_id: uuid.UUID) -> HttpResponseBase:
    asset: MediaAsset = load(request, Action.VIEW, MediaAsset.objects, asset_id)
    return file_response(request, asset.thumbnail_key, "image/jpeg")
