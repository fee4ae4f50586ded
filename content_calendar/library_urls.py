from __future__ import annotations

from django.urls import path

from content_calendar.views import library, library_assets, media_picking, uploads

app_name = "library"

urlpatterns = [
    path("", library.library, name="library"),
    path("upload/<uuid:brand_id>/", library.upload, name="upload"),
    path("change/<uuid:brand_id>/", library.change, name="change"),
    path("folders/<uuid:brand_id>/new/", library.folder_create, name="folder_create"),
    path("folders/<uuid:folder_id>/", library.folder_edit, name="folder_edit"),
    path("folders/<uuid:folder_id>/delete/", library.folder_delete, name="folder_delete"),
    path("pick/<uuid:brand_id>/", media_picking.pick, name="pick"),
    path("pick/<uuid:brand_id>/tiles/", media_picking.tiles, name="tiles"),
    path("video/<uuid:brand_id>/start/", uploads.start, name="upload_start"),
    path("video/<uuid:upload_id>/piece/", uploads.piece, name="upload_piece"),
    path("video/<uuid:upload_id>/finish/", uploads.finish, name="upload_finish"),
    path("video/<uuid:upload_id>/cancel/", uploads.cancel, name="upload_cancel"),
    path("<uuid:asset_id>/progress/", uploads.progress, name="progress"),
    path("<uuid:asset_id>/frames/<int:at_ms>/", uploads.frame, name="frame"),
    path("<uuid:asset_id>/trim/", uploads.trim, name="trim"),
    path("<uuid:asset_id>/thumbnail/", uploads.thumbnail, name="thumbnail"),
    path("<uuid:asset_id>/", library_assets.asset, name="asset"),
    path("<uuid:asset_id>/crop/", library_assets.crop, name="crop"),
    path("<uuid:asset_id>/delete/", library_assets.delete, name="delete"),
]
