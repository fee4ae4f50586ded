"""The versions of a post, and what changed between two of them."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, load, requires
from accounts.permissions import Action
from content_calendar.models import Post, Review, ReviewOutcome
from content_calendar.selectors.versions import Standing, assets_of, content_diff, standings


@requires(Action.VIEW)
@require_safe
def versions(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    """``?from=&to=`` numbers of versions, or "now"; without them the last change."""
    row: Post = load(request, Action.VIEW, Post.objects.select_related("brand", "author"), post_id)
    found = standings(row)
    to = _chosen(found, request.GET.get("to", "")) or (found[0] if found else None)
    before = _chosen(found, request.GET.get("from", "")) or _before(found, to)
    diff = None
    if to is not None and before is not None and before is not to:
        diff = content_diff(before.content, to.content, assets_of(row, before.content, to.content))
    answers: dict[uuid.UUID, list[Review]] = {}
    reviews = Review.objects.filter(post=row).exclude(outcome=ReviewOutcome.WITHDRAWN)
    for review in reviews.select_related("decided_by", "request").order_by("asked_at"):
        answers.setdefault(review.version_id, []).append(review)
    context = {
        "post": row,
        "brand": row.brand,
        "rows": [(one, answers.get(one.version.pk, []) if one.version else []) for one in found],
        "before": before,
        "to": to,
        "diff": diff,
    }
    return render(request, "content_calendar/versions.html", context)


def _chosen(found: tuple[Standing, ...], key: str) -> Standing | None:
    return next((one for one in found if one.key == key), None)


def _before(found: tuple[Standing, ...], to: Standing | None) -> Standing | None:
    """What came directly before, None for the first."""
    if to is None:
        return None
    place = found.index(to) + 1
    return found[place] if place < len(found) else None
