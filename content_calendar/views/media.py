"""Images: taken in, and shown to those who may see them."""

from __future__ import annotations

import re
import uuid

from django.core.exceptions import BadRequest
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, JsonResponse
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

# Content never changes under an id; "private": shared caches do not know who may see it.
_CACHE = "private, max-age=31536000, immutable"


def refusal_text(refusal: service.MediaRefused, name: str) -> str:
    """Why a file was not taken, with its name, in the active language."""
    words = {
        "name": name,
        "size": filesizeformat(service.MAX_BYTES),
        "megapixels": service.MAX_PIXELS // 1_000_000,
    }
    match refusal:
        case service.FileTooLarge():
            return _("“%(name)s” is larger than %(size)s. Please upload a smaller file.") % words
        case service.FileEmpty():
            return _("“%(name)s” is empty.") % words
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
    context = {"name": prefix, "asset": asset, "use": MediaUse(asset.pk)}
    return render(request, "content_calendar/_media_tile.html", context)


@requires(Action.VIEW)
@require_safe
def file(request: MemberRequest, asset_id: uuid.UUID) -> HttpResponseBase:
    asset: MediaAsset = load(request, Action.VIEW, MediaAsset.objects, asset_id)
    return stream(asset.storage_key, asset.mime_type)


@requires(Action.VIEW)
@require_safe
def thumbnail(request: MemberRequest, asset_id: uuid.UUID) -> HttpResponseBase:
    asset: MediaAsset = load(request, Action.VIEW, MediaAsset.objects, asset_id)
    return stream(asset.thumbnail_key, "image/jpeg")


def stream(key: str, mime_type: str) -> FileResponse:
    """The bytes as an image and nothing else, whatever a browser might make of them."""
    try:
        stored = default_storage.open(key, "rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(stored, content_type=mime_type)
    response["Content-Disposition"] = "inline"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = _CACHE
    return response
