"""Media of the library into the tray of the composer."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, load, requires
from accounts.models import Brand
from accounts.permissions import Action
from content_calendar.content import MediaUse
from content_calendar.library_forms import chosen_assets, library_filter
from content_calendar.models import MediaAsset, MediaState
from content_calendar.selectors.library import assets_of, folders_of, tags_of
from core.htmx import render_page
from core.paging import page_of

_PREFIX = re.compile(r"(base|[0-9a-f-]{36})\.[0-9a-z]{1,12}")
PAGE_SIZE = 24


def prefix_of(request: HttpRequest) -> str:
    """The part of a post (SCOPE.KEY) that ``?prefix=`` names, "" for none. Raises BadRequest for nonsense."""
    prefix = request.GET.get("prefix", "")
    if prefix and not _PREFIX.fullmatch(prefix):
        raise BadRequest
    return prefix


def tray_of(prefix: str) -> str:
    """The id of that part's tray on the page."""
    return f"tray-{prefix.replace('.', '-')}"


def placed(
    request: HttpRequest, prefix: str, tiles: Sequence[tuple[MediaUse, MediaAsset | None]]
) -> HttpResponse:
    """Tiles for the tray of a part; the page is told that they came (behaviours/media_dialog.js)."""
    response = render(request, "content_calendar/_media_tiles.html", {"name": prefix, "tiles": tiles})
    response["HX-Trigger-After-Settle"] = json.dumps({"media:placed": {"tray": tray_of(prefix)}})
    return response


@requires(Action.DRAFT_POSTS)
@require_safe
def pick(request: MemberRequest, brand_id: uuid.UUID) -> HttpResponse:
    """The library as a choice, for the part that ``?prefix=`` names."""
    brand: Brand = load(request, Action.DRAFT_POSTS, Brand.objects, brand_id)
    prefix = prefix_of(request)
    if not prefix:
        raise BadRequest
    wanted = library_filter(request.GET)
    usable = assets_of(brand, wanted).exclude(state=MediaState.BROKEN)
    page = page_of(request, usable, size=PAGE_SIZE)
    context = {
        "brand": brand,
        "prefix": prefix,
        "tray": tray_of(prefix),
        "wanted": wanted,
        "page": page,
        "folders": folders_of(brand),
        "tags": tags_of(brand),
    }
    is_search = request.GET.get("part") == "rows"
    partial = "rows" if is_search else "picker"
    return render_page(request, "content_calendar/library_pick.html", context, partial=partial)


@requires(Action.DRAFT_POSTS)
@require_safe
def tiles(request: MemberRequest, brand_id: uuid.UUID) -> HttpResponse:
    """The tiles of the assets that were chosen, in their order, with their own alternative texts."""
    brand: Brand = load(request, Action.DRAFT_POSTS, Brand.objects, brand_id)
    prefix = prefix_of(request)
    if not prefix:
        raise BadRequest
    found = MediaAsset.objects.filter(brand=brand).in_bulk(chosen_assets(request.GET))
    chosen = [found[pk] for pk in chosen_assets(request.GET) if pk in found]
    return placed(request, prefix, [(MediaUse(asset.pk, asset.alt_text), asset) for asset in chosen])
