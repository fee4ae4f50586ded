"""The media library of a brand: its grid and folders, uploads, and changes to several assets at once."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.models import Brand
from accounts.permissions import Action
from content_calendar.library_forms import FolderForm, chosen_assets, library_filter, split_tags
from content_calendar.models import MediaFolder, MediaKind
from content_calendar.selectors.library import MOST_FOLDERS, assets_of, folders_of, tags_of
from content_calendar.services import library as service
from content_calendar.services import media, uploads
from content_calendar.views.media import accepted_types, refusal_text
from content_calendar.views.shown import may, shown
from core.htmx import render_page
from core.paging import page_of

PAGE_SIZE = 60


def brand_of(request: MemberRequest) -> tuple[Brand | None, tuple[Brand, ...]]:
    """The brand whose library is shown, and those that there are: ``?brand=``, else that of the switcher,
    else the first."""
    about = shown(request)
    wanted = next((one for one in about.brands if str(one.pk) == request.GET.get("brand")), None)
    return wanted or about.brand or (about.brands[0] if about.brands else None), about.brands


@requires(Action.VIEW)
@require_safe
def library(request: MemberRequest) -> HttpResponse:
    brand, brands = brand_of(request)
    if brand is None:
        return render(request, "content_calendar/library.html", {"brand": None, **may(request)})
    wanted = library_filter(request.GET)
    folders = folders_of(brand)
    page = page_of(request, assets_of(brand, wanted), size=PAGE_SIZE)
    context = {
        "brand": brand,
        "brands": brands,
        "wanted": wanted,
        "page": page,
        "assets": page.object_list,
        "folders": folders,
        "folder": _folder(brand, wanted.folder),
        "tags": tags_of(brand),
        "is_full": sum(1 + len(row.inner) for row in folders) >= MOST_FOLDERS,
        "accepted_types": accepted_types(),
        "max_bytes": media.MAX_BYTES,
        "max_video_bytes": uploads.MAX_VIDEO_BYTES,
        "kinds": MediaKind,
        **may(request),
    }
    return render_page(request, "content_calendar/library.html", context, partial="rows")


def _folder(brand: Brand, pk: uuid.UUID | None) -> MediaFolder | None:
    return MediaFolder.objects.for_brand(brand).filter(pk=pk).first() if pk else None


@requires(Action.DRAFT_POSTS)
@require_POST
def upload(request: MemberRequest, brand_id: uuid.UUID) -> HttpResponse:
    """Files into the library, ``?folder=`` into a folder. A script sends each alone and gets its card; a form
    sends several and comes back to the page."""
    brand: Brand = load(request, Action.DRAFT_POSTS, Brand.objects, brand_id)
    wanted = library_filter(request.GET).folder
    folder = _folder(brand, wanted)
    is_script = bool(request.htmx)  # type: ignore[attr-defined]
    files = request.FILES.getlist("file")
    if not files and is_script:
        raise BadRequest
    asset = None
    for file in files:
        try:
            asset = uploads.store_file(
                brand=brand,
                upload=file,
                name=file.name or "",
                actor=request.user,
                now=timezone.now(),
                folder=folder,
            )
        except media.MediaRefused as refusal:
            words = refusal_text(refusal, file.name or "")
            if is_script:
                return JsonResponse({"error": words}, status=422)
            messages.error(request, words)
    if is_script:
        return render(request, "content_calendar/_library_card.html", {"asset": asset, **may(request)})
    return _back(request, brand)


def _back(request: MemberRequest, brand: Brand) -> HttpResponseRedirect:
    """To the page of the library that the person came from, with its filters."""
    target = request.POST.get("next", "")
    path = reverse("library:library")
    if target.startswith(path) and url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return HttpResponseRedirect(target)
    return HttpResponseRedirect(f"{path}?brand={brand.pk}")


@requires(Action.DRAFT_POSTS)
@require_POST
def change(request: MemberRequest, brand_id: uuid.UUID) -> HttpResponse:
    """What is done to the assets that were ticked: ``action`` is move, tag or delete."""
    brand: Brand = load(request, Action.DRAFT_POSTS, Brand.objects, brand_id)
    chosen = chosen_assets(request.POST)
    if not chosen:
        messages.warning(request, _("Tick the files first."))
        return _back(request, brand)
    carry_out = {"move": _move, "tag": _tag, "delete": _delete}.get(request.POST.get("action", ""))
    if carry_out is None:
        raise BadRequest
    carry_out(request, brand, chosen)
    return _back(request, brand)


def _move(request: MemberRequest, brand: Brand, chosen: list[uuid.UUID]) -> None:
    value = request.POST.get("folder", "")
    try:
        folder = uuid.UUID(value) if value else None
        count = service.move_assets(brand=brand, assets=chosen, folder=folder)
    except (ValueError, service.FolderUnknown):
        messages.error(request, _("This folder is no longer there. Choose another one."))
    else:
        told = ngettext("%(count)s file was moved.", "%(count)s files were moved.", count) % {"count": count}
        messages.success(request, told)


def _tag(request: MemberRequest, brand: Brand, chosen: list[uuid.UUID]) -> None:
    names = [name[:40] for name in split_tags(request.POST.get("tags", "").replace("\x00", "")[:1000])]
    if not names:
        messages.warning(request, _("Write the tag first."))
        return
    try:
        count = service.tag_assets(brand=brand, assets=chosen, tags=names)
    except service.TooManyTags:
        messages.error(
            request,
            _("Nothing was changed: a file has at most %(most)s tags.") % {"most": service.MOST_TAGS_EACH},
        )
    else:
        told = ngettext("%(count)s file was tagged.", "%(count)s files were tagged.", count)
        messages.success(request, told % {"count": count})


def _delete(request: MemberRequest, brand: Brand, chosen: list[uuid.UUID]) -> None:
    try:
        count = service.delete_assets(brand=brand, assets=chosen, actor=request.user, now=timezone.now())
    except service.MediaInUse as refusal:
        messages.error(request, in_use_text(refusal))
    else:
        told = ngettext("%(count)s file was deleted.", "%(count)s files were deleted.", count)
        messages.success(request, told % {"count": count})


def in_use_text(refusal: service.MediaInUse) -> str:
    names = ", ".join(f"“{asset}”" for asset in refusal.assets[:3])
    more = len(refusal.assets) - 3
    if more > 0:
        names = _("%(names)s and %(more)s more") % {"names": names, "more": more}
    return _(
        "Nothing was deleted: posts that are still to go out use %(names)s. Take them out of the posts first."
    ) % {"names": names}


# --- folders ----------------------------------------------------------------------------------


def _folder_problem(refusal: Exception) -> str:
    match refusal:
        case service.FolderNameTaken():
            return _("There is a folder of this name already.")
        case service.FolderTooDeep():
            return _("A folder inside another one holds no further folders.")
        case _:
            return _("There are %(most)s folders, which is as many as there can be.") % {"most": MOST_FOLDERS}


@requires(Action.DRAFT_POSTS)
def folder_create(request: MemberRequest, brand_id: uuid.UUID) -> HttpResponse:
    brand: Brand = load(request, Action.DRAFT_POSTS, Brand.objects, brand_id)
    form = FolderForm(request.POST or None, brand=brand, initial={"parent": request.GET.get("in")})
    if request.method == "POST" and form.is_valid():
        try:
            folder = service.create_folder(
                brand=brand,
                name=form.cleaned_data["name"],
                parent=form.cleaned_data["parent"],
                actor=request.user,
                now=timezone.now(),
            )
        except (service.FolderNameTaken, service.FolderTooDeep, service.TooManyFolders) as refusal:
            form.add_error("name", _folder_problem(refusal))
        else:
            return redirect(f"{reverse('library:library')}?brand={brand.pk}&folder={folder.pk}")
    return _folder_page(request, form, brand, None)


@requires(Action.DRAFT_POSTS)
def folder_edit(request: MemberRequest, folder_id: uuid.UUID) -> HttpResponse:
    rows = MediaFolder.objects.select_related("brand__organization")
    folder: MediaFolder = load(request, Action.DRAFT_POSTS, rows, folder_id)
    form = FolderForm(request.POST or None, brand=folder.brand, initial={"name": folder.name})
    del form.fields["parent"]
    if request.method == "POST" and form.is_valid():
        try:
            service.rename_folder(
                folder=folder, name=form.cleaned_data["name"], actor=request.user, now=timezone.now()
            )
        except service.FolderNameTaken as refusal:
            form.add_error("name", _folder_problem(refusal))
        else:
            messages.success(request, _("Saved."))
            return redirect(f"{reverse('library:library')}?brand={folder.brand_id}&folder={folder.pk}")
    return _folder_page(request, form, folder.brand, folder)


def _folder_page(
    request: MemberRequest, form: FolderForm, brand: Brand, folder: MediaFolder | None
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "brand": brand, "folder": folder}
    status = 422 if form.errors else 200
    return render(request, "content_calendar/library_folder.html", context, status=status)


@requires(Action.DRAFT_POSTS)
@require_POST
def folder_delete(request: MemberRequest, folder_id: uuid.UUID) -> HttpResponse:
    rows = MediaFolder.objects.select_related("brand__organization")
    folder: MediaFolder = load(request, Action.DRAFT_POSTS, rows, folder_id)
    service.delete_folder(folder=folder, actor=request.user, now=timezone.now())
    messages.success(request, _("The folder is gone; what lay in it is in the library without a folder."))
    return redirect(f"{reverse('library:library')}?brand={folder.brand_id}")
