"""What a link shows to a client, and to those who sent it."""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet

from accounts.models import Brand, Membership, SocialAccount
from content_calendar.content import parts_from_json
from content_calendar.models import (
    Comment,
    MediaAsset,
    Post,
    PostVersion,
    Review,
    ReviewKey,
    ReviewOutcome,
    ReviewRequest,
    ReviewStep,
)
from content_calendar.selectors.previews import Preview, PreviewPart, plain, preview
from content_calendar.selectors.versions import assets_of

MOST_COMMENTS = 50  # of one post, the latest


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def request_of(token: str) -> ReviewRequest | None:
    """The review request that a secret opens, in whatever state; None for a secret that was never made."""
    key = (
        ReviewKey.objects.filter(token_hash=hash_of(token))
        .select_related("request__brand__organization", "request__created_by")
        .first()
    )
    return key.request if key else None


def requests_of(membership: Membership, brand: Brand | None) -> QuerySet[ReviewRequest]:
    """The links that were made, the latest first, each with how many of its posts still wait."""
    rows = ReviewRequest.objects.for_member(membership).select_related("brand", "created_by")
    if brand is not None:
        rows = rows.filter(brand=brand)
    is_asked = Q(
        posts__reviews__outcome=ReviewOutcome.OPEN,
        posts__reviews__step=ReviewStep.CLIENT,
        posts__deleted_at__isnull=True,
    )
    return rows.annotate(
        post_count=Count("posts", distinct=True), waiting_count=Count("posts", filter=is_asked, distinct=True)
    ).order_by("-created_at", "-pk")


class ClientState(enum.StrEnum):
    WAITING = "in_review"
    APPROVED = "approved"
    CHANGES_ASKED = "changes_asked"
    BEING_CHANGED = "draft"  # it is not the client's turn


@dataclass(frozen=True, slots=True)
class ClientPost:
    """One post of a link. ``version``: what is shown, and what an answer counts for; None while it is not the
    client's turn and never was."""

    post: Post
    state: ClientState
    review: Review | None
    version: PostVersion | None
    previews: tuple[Preview, ...]
    plain: tuple[PreviewPart, ...]  # the content where no account is chosen
    comments: tuple[Comment, ...]

    @property
    def is_waiting(self) -> bool:
        return self.state is ClientState.WAITING

    @property
    def title(self) -> str:
        """The first line of what is shown; nothing of what the team has written since."""
        if self.version is None or self.state is ClientState.BEING_CHANGED:
            return ""
        return Post(parts=self.version.content["parts"]).excerpt


def client_posts(request: ReviewRequest) -> list[ClientPost]:
    """The posts of a link as its client sees them: those that wait come first, then by their time. A handful
    of queries, however many posts there are."""
    posts = list(
        request.posts.filter(deleted_at__isnull=True).order_by(F("planned_at").asc(nulls_last=True), "pk")
    )
    reviews: dict[uuid.UUID, Review] = {}
    asked = Review.objects.filter(post__in=posts, step=ReviewStep.CLIENT).select_related(
        "version", "decided_by"
    )
    for review in asked.order_by("asked_at", "pk"):
        reviews[review.post_id] = review
    comments: dict[uuid.UUID, list[Comment]] = {}
    said = Comment.objects.filter(post__in=posts, is_shared=True).select_related("author")
    for comment in said.order_by("created_at", "pk"):
        comments.setdefault(comment.post_id, []).append(comment)
    accounts = SocialAccount.objects.filter(brand=request.brand_id).in_bulk()
    contents = [review.version.content for review in reviews.values()]
    assets = assets_of(posts[0], *contents) if posts else {}
    found = [
        _client_post(post, reviews.get(post.pk), comments.get(post.pk, []), accounts, assets)
        for post in posts
    ]
    return sorted(found, key=lambda one: not one.is_waiting)


def _client_post(
    post: Post,
    review: Review | None,
    comments: list[Comment],
    accounts: Mapping[uuid.UUID, SocialAccount],
    assets: Mapping[uuid.UUID, MediaAsset],
) -> ClientPost:
    state = ClientState.BEING_CHANGED
    if review is not None and review.outcome == ReviewOutcome.OPEN:
        state = ClientState.WAITING
    elif review is not None and review.outcome != ReviewOutcome.WITHDRAWN:
        state = ClientState(review.outcome)
    version = review.version if review is not None else None
    previews: list[Preview] = []
    plain_parts: tuple[PreviewPart, ...] = ()
    if version is not None and state is not ClientState.BEING_CHANGED:
        content = version.content
        for one in content["accounts"]:
            account = accounts.get(uuid.UUID(one["id"]))
            if account is not None:
                parts = parts_from_json(content["own"].get(one["id"], content["parts"]))
                previews.append(preview(account, parts, assets, content.get("settings", {}).get(one["id"])))
        if not previews:
            plain_parts = plain(parts_from_json(content["parts"]))
    return ClientPost(
        post=post,
        state=state,
        review=review,
        version=version,
        previews=tuple(previews),
        plain=plain_parts,
        comments=tuple(comments[-MOST_COMMENTS:]),
    )


def shown_image(request: ReviewRequest, asset_id: uuid.UUID) -> MediaAsset | None:
    """An image that the link shows, None for any other."""
    asset = MediaAsset.objects.filter(brand=request.brand_id, pk=asset_id).first()
    if asset is None:
        return None
    reviews = Review.objects.filter(
        post__in=request.posts.filter(deleted_at__isnull=True), step=ReviewStep.CLIENT
    ).select_related("version", "post")
    for review in reviews:
        if asset_id in assets_of(review.post, review.version.content):
            return asset
    return None


def state_of(request: ReviewRequest, now: dt.datetime) -> str:
    """open, revoked or expired: one word for pages and tests."""
    if request.revoked_at is not None or request.brand.is_archived:
        return "revoked"
    return "open" if request.is_open(now) else "expired"
