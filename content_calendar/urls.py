from __future__ import annotations

from django.urls import URLPattern, path

from content_calendar.views import calendar, composer, media, posts, preflight, saving, tools, writing

app_name = "content_calendar"


def _blocks(kind: str) -> list[URLPattern]:
    """The pages of one kind of what a brand keeps to write with."""
    more = {"kind": kind}
    return [
        path(f"blocks/{kind}/", writing.blocks, more, name=kind),
        path(f"blocks/{kind}/new/", writing.block_new, more, name=f"{kind}_new"),
        path(f"blocks/{kind}/<uuid:block_id>/", writing.block, more, name=f"{kind}_edit"),
        path(f"blocks/{kind}/<uuid:block_id>/delete/", writing.block_delete, more, name=f"{kind}_delete"),
    ]


urlpatterns = [
    path("", calendar.calendar, name="calendar"),
    path("events/", calendar.events, name="events"),
    path("preflight/", preflight.preflight, name="preflight"),
    path("preflight/check/", preflight.preflight_check, name="preflight_check"),
    path("posts/", posts.posts, name="posts"),
    path("posts/new/", composer.compose, name="compose"),
    path("posts/<uuid:post_id>/", posts.post, name="post"),
    path("posts/<uuid:post_id>/edit/", composer.edit, name="edit"),
    path("posts/<uuid:post_id>/save/", saving.save, name="save"),
    path("posts/<uuid:post_id>/change/", composer.change, name="change"),
    path("posts/<uuid:post_id>/check/", composer.check, name="check"),
    path("posts/<uuid:post_id>/move/", posts.move, name="move"),
    path("posts/<uuid:post_id>/schedule/", posts.schedule, name="schedule"),
    path("posts/<uuid:post_id>/publish/", posts.publish, name="publish"),
    path("posts/<uuid:post_id>/unschedule/", posts.unschedule, name="unschedule"),
    path("posts/<uuid:post_id>/duplicate/", posts.duplicate, name="duplicate"),
    path("posts/<uuid:post_id>/delete/", posts.delete, name="delete"),
    path("posts/<uuid:post_id>/restore/", posts.restore, name="restore"),
    path("deliveries/<uuid:delivery_id>/retry/", posts.retry, name="retry"),
    path("deliveries/<uuid:delivery_id>/cancel/", posts.cancel, name="cancel"),
    path("deliveries/<uuid:delivery_id>/answer/", posts.answer, name="answer"),
    path("campaigns/<uuid:campaign_id>/posts/", posts.campaign_posts, name="campaign_posts"),
    path("mentions/<uuid:brand_id>/", tools.mentions, name="mentions"),
    *_blocks("templates"),
    *_blocks("hashtags"),
    *_blocks("snippets"),
    path("media/upload/<uuid:brand_id>/", media.upload, name="upload"),
    path("media/<uuid:asset_id>/file/", media.file, name="media_file"),
    path("media/<uuid:asset_id>/thumbnail/", media.thumbnail, name="media_thumbnail"),
]
