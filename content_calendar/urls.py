from __future__ import annotations

from django.urls import path

from content_calendar.views import (
    approval,
    calendar,
    composer,
    media,
    posts,
    preflight,
    review_links,
    review_public,
    saving,
    versions,
)

app_name = "content_calendar"

urlpatterns = [
    path("", calendar.calendar, name="calendar"),
    path("events/", calendar.events, name="events"),
    path("preflight/", preflight.preflight, name="preflight"),
    path("preflight/check/", preflight.preflight_check, name="preflight_check"),
    path("approval/", approval.approvals, name="approvals"),
    path("approval/rules/", approval.approval_rules, name="approval_rules"),
    path("approval/rules/<uuid:brand_id>/", approval.approval_rule, name="approval_rule"),
    path("approval/links/", review_links.review_links_list, name="review_links"),
    path("approval/links/new/", review_links.review_link_new, name="review_link_new"),
    path("approval/links/<uuid:request_id>/", review_links.review_link, name="review_link"),
    path(
        "approval/links/<uuid:request_id>/revoke/", review_links.review_link_revoke, name="review_link_revoke"
    ),
    path("approval/links/<uuid:request_id>/renew/", review_links.review_link_renew, name="review_link_renew"),
    path("review/<str:token>/", review_public.review, name="review"),
    path("review/<str:token>/posts/<uuid:post_id>/", review_public.review_answer, name="review_answer"),
    path("review/<str:token>/images/<uuid:asset_id>/", review_public.review_image, name="review_image"),
    path("comments/<uuid:comment_id>/resolve/", approval.resolve, name="comment_resolve"),
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
    path("posts/<uuid:post_id>/submit/", approval.submit, name="submit"),
    path("posts/<uuid:post_id>/withdraw/", approval.withdraw, name="withdraw"),
    path("posts/<uuid:post_id>/approve/", approval.approve, name="approve"),
    path("posts/<uuid:post_id>/ask-for-changes/", approval.ask_for_changes, name="ask_for_changes"),
    path("posts/<uuid:post_id>/comment/", approval.comment, name="comment"),
    path("posts/<uuid:post_id>/versions/", versions.versions, name="versions"),
    path("deliveries/<uuid:delivery_id>/retry/", posts.retry, name="retry"),
    path("deliveries/<uuid:delivery_id>/cancel/", posts.cancel, name="cancel"),
    path("deliveries/<uuid:delivery_id>/answer/", posts.answer, name="answer"),
    path("campaigns/<uuid:campaign_id>/posts/", posts.campaign_posts, name="campaign_posts"),
    path("media/upload/<uuid:brand_id>/", media.upload, name="upload"),
    path("media/<uuid:asset_id>/file/", media.file, name="media_file"),
    path("media/<uuid:asset_id>/thumbnail/", media.thumbnail, name="media_thumbnail"),
]
