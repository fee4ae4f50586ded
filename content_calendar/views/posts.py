"""The list of posts, the page of one, and what can be done there."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.permissions import Action, is_allowed
from campaigns.models import Campaign
from content_calendar.content import asset_ids
from content_calendar.forms import AnswerForm, MoveForm, post_filter
from content_calendar.models import Approval, MediaAsset, Post, Variant
from content_calendar.selectors.likeness import alike
from content_calendar.selectors.posts import PostFilter, posts_page
from content_calendar.selectors.previews import preview
from content_calendar.selectors.receipts import PostView, post_view
from content_calendar.selectors.states import LIVE_STATES
from content_calendar.services import bulk, drafts, scheduling
from content_calendar.views.approval_shown import approval_context
from content_calendar.views.bulk import changed_action
from content_calendar.views.filters import default_query
from content_calendar.views.refusals import REFUSALS, refusal_sentence
from content_calendar.views.shown import filter_context, may, shown
from core.htmx import render_page, wants_partial
from core.templatetags.ui import format_time
from core.time import is_zone, to_local
from outbox.models import Delivery
from outbox.selectors import quiet_period_at
from outbox.services.scheduling import answer_uncertain, retry_delivery
from outbox.tasks import dispatch

_MOST_PAGES = 400


@requires(Action.VIEW)
@require_safe
def posts(request: MemberRequest) -> HttpResponse:
    if kept := default_query(request):
        return redirect(f"{request.path}?{kept}")
    about = shown(request)
    wanted = post_filter(request.GET)
    number = request.GET.get("page", "1")
    page = posts_page(
        request.membership,
        about.brand,
        wanted,
        number=max(1, min(_MOST_PAGES, int(number) if number.isascii() and number.isdigit() else 1)),
    )
    deleted = None
    if request.GET.get("deleted"):
        deleted = _deleted_post(request, request.GET["deleted"])
    context = filter_context(request, about, wanted) | {
        "page": page,
        "deleted": deleted,
        "changed": changed_action(request),
    }
    return render_page(request, "content_calendar/posts.html", context, partial="rows")


@requires(Action.VIEW)
@require_safe
def campaign_posts(request: MemberRequest, campaign_id: uuid.UUID) -> HttpResponse:
    """A slot on the page of a campaign: its posts, whatever state they are in."""
    campaign: Campaign = load(request, Action.VIEW, Campaign.objects.select_related("brand"), campaign_id)
    page = posts_page(request.membership, campaign.brand, PostFilter(campaign=campaign.pk))
    context = {"campaign": campaign, "page": page, **may(request)}
    return render_page(request, "content_calendar/campaign_posts.html", context, partial="rows")


def _deleted_post(request: MemberRequest, value: str) -> Post | None:
    """The post that was just deleted and can be brought back."""
    try:
        return Post.objects.deleted(request.membership).filter(pk=uuid.UUID(value)).first()
    except ValueError:
        return None


@requires(Action.VIEW)
@require_safe
def post(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    """The page, or (HTMX) its live part; 304 when that has not changed."""
    row: Post = load(request, Action.VIEW, _with_origin(), post_id)
    view = post_view(row, now=timezone.now())
    tag = f'"{view.tag}.{view.poll_s}.{request.membership.role}.{get_language()}"'
    if wants_partial(request) and request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
    else:
        context = _post_context(request, view) | {"tag": tag, "changed": changed_action(request)}
        response = render_page(request, "content_calendar/post.html", context, partial="live")
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-store"
    patch_vary_headers(response, ["HX-Request"])
    return response


def _with_origin() -> QuerySet[Post]:
    """What the page says of where a post comes from, read with it."""
    return Post.objects.select_related("brand", "author", "campaign").select_related(
        "series", "occurrence__series", "evergreen_entry__pool", "evergreen_use__pool"
    )


def refused_on_post(request: MemberRequest, post_id: uuid.UUID, **typed: Any) -> HttpResponse:
    """The page once more, with what was typed and why it was not taken beside its field."""
    row: Post = load(request, Action.VIEW, _with_origin(), post_id)
    context = _post_context(request, post_view(row, now=timezone.now())) | typed
    return render(request, "content_calendar/post.html", context, status=422)


def _post_context(request: MemberRequest, view: PostView) -> dict[str, Any]:
    assets = MediaAsset.objects.filter(brand=view.post.brand_id).in_bulk(
        list(asset_ids(*(variant.parts for variant in view.variants), _base_parts(view.post)))
    )
    rights = may(request)
    return {
        "view": view,
        "post": view.post,
        "brand": view.post.brand,
        "shown_variants": [
            (variant, preview(variant.account, variant.parts, assets, variant.settings))
            for variant in view.variants
        ],
        "base_parts": _base_parts(view.post),
        # Asked for drafts only, by the template.
        "alikes": lambda: alike(
            [(variant.account, variant.parts) for variant in view.variants],
            now=timezone.now(),
            besides=view.post.pk,
        ),
        "labels": view.post.labels.order_by("name"),
        "numbers_url": _numbers_url(view),
        **_campaign_urls(request, view),
        **rights,
        **approval_context(request, view.post),
        "may_edit": not view.is_under_way
        # What went out in part and is in review can be changed for the rest.
        and not (view.has_gone_out and not view.is_movable and view.post.approval == Approval.APPROVED)
        and (rights["may_draft"] if view.is_unscheduled else rights["may_publish"]),
        "may_delete": rights["may_draft"] if view.is_unscheduled else rights["may_publish"],
    }


def _base_parts(row: Post) -> Any:
    return drafts.Draft.of_post(row).parts


def _campaign_urls(request: MemberRequest, view: PostView) -> dict[str, Any]:
    """The page of its campaign, and a slot for the links of each delivery, for those who may see them."""
    campaign = view.post.campaign
    if campaign is None or not is_allowed(request.membership.role, Action.VIEW_CAMPAIGNS):
        return {}
    return {
        "campaign_url": reverse("campaigns:campaign", args=[campaign.pk]),
        "links_urls": [
            reverse("campaigns:delivery_links", args=[variant.delivery.pk])
            for variant in view.variants
            if variant.delivery is not None
        ],
    }


def _numbers_url(view: PostView) -> str:
    """The metrics of a post come from the app above, where it is installed."""
    if not view.has_gone_out:
        return ""
    try:
        return reverse("analytics:post_numbers", args=[view.post.pk])
    except NoReverseMatch:
        return ""


def _loaded(request: MemberRequest, post_id: uuid.UUID, *, is_scheduled: bool | None = None) -> Post:
    """A post to change: a draft by those who draft, one in the schedule by those who publish."""
    row: Post = load(request, Action.DRAFT_POSTS, Post.objects.select_related("brand"), post_id)
    if is_scheduled is None:
        is_scheduled = Variant.objects.filter(post=row, delivery__state__in=LIVE_STATES).exists()
    if is_scheduled and not is_allowed(request.membership.role, Action.PUBLISH_POSTS):
        raise PermissionDenied
    return row


def _wants_json(request: MemberRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


@requires(Action.DRAFT_POSTS)
@require_http_methods(["GET", "POST"])
def move(request: MemberRequest, post_id: uuid.UUID) -> HttpResponseBase:
    """Another time, in ``?zone=`` or the brand's zone. A calendar's drag asks for JSON, a form for a page."""
    row = _loaded(request, post_id)
    zone = request.GET.get("zone", "")
    zone = zone if is_zone(zone) else row.brand.timezone
    if request.method == "GET":
        current = to_local(row.planned_at, zone).strftime("%Y-%m-%dT%H:%M") if row.planned_at else ""
        form = MoveForm(zone=zone, initial={"local_time": current})
        return _move_page(request, row, zone, form)
    form = MoveForm(request.POST, zone=zone)
    if form.is_valid():
        try:
            at = form.cleaned_data["local_time"]
            action = bulk.move_one(post=row, at=at, actor=request.user, now=timezone.now())
        except REFUSALS as refusal:
            form.add_error("local_time", refusal_sentence(refusal))
        else:
            said = _("Moved to %(time)s.") % {"time": wall(at, zone)}
            if quiet_period_at(row.brand, at):
                said += " " + _("It lies in a quiet period: the post is held until that is over.")
            if _wants_json(request):
                undo_url = reverse("content_calendar:changes_undo", args=[action.pk])
                return JsonResponse({"message": said, "undo_url": undo_url})
            messages.success(request, said)
            return redirect(f"{reverse('content_calendar:post', args=[row.pk])}?changed={action.pk}")
    if _wants_json(request):
        return JsonResponse({"error": " ".join(map(str, form.errors["local_time"]))}, status=422)
    return _move_page(request, row, zone, form, status=422)


def wall(instant: Any, zone: str) -> str:
    """A moment for a sentence, in the zone of the brand and the language of the reader."""
    return format_time(instant, zone, "short")


def _move_page(
    request: MemberRequest, row: Post, zone: str, form: MoveForm, status: int = 200
) -> HttpResponse:
    context = {"post": row, "brand": row.brand, "zone": zone, "form": form}
    return render(request, "content_calendar/move.html", context, status=status)


def _back(request: MemberRequest, post_id: Any) -> HttpResponse:
    return redirect("content_calendar:post", post_id=post_id)


def _tried(request: MemberRequest, post_id: Any, service: Callable[[], Any], said: str) -> HttpResponse:
    """Do it, or say why not; either way back to the post."""
    try:
        service()
    except REFUSALS as refusal:
        messages.error(request, refusal_sentence(refusal))
    else:
        messages.success(request, said)
    return _back(request, post_id)


@requires(Action.PUBLISH_POSTS)
@require_POST
def schedule(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    """A draft that has its time already goes into the schedule as it is."""
    row: Post = load(request, Action.PUBLISH_POSTS, Post.objects.select_related("brand"), post_id)
    if row.planned_at is None:
        messages.error(request, _("Choose a date and a time first."))
        return redirect("content_calendar:edit", post_id=row.pk)
    at = row.planned_at
    return _tried(
        request,
        row.pk,
        lambda: scheduling.schedule_post(post=row, at=at, actor=request.user, now=timezone.now()),
        _("Scheduled for %(time)s.") % {"time": wall(at, row.brand.timezone)},
    )


@requires(Action.PUBLISH_POSTS)
@require_POST
def publish(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    row: Post = load(request, Action.PUBLISH_POSTS, Post.objects, post_id)
    try:
        scheduling.publish_now(post=row, actor=request.user, now=timezone.now())
    except REFUSALS as refusal:
        messages.error(request, refusal_sentence(refusal))
    else:
        dispatch.delay_on_commit()
        messages.success(request, _("On its way to the networks."))
    return _back(request, row.pk)


@requires(Action.PUBLISH_POSTS)
@require_POST
def unschedule(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    row: Post = load(request, Action.PUBLISH_POSTS, Post.objects, post_id)
    return _tried(
        request,
        row.pk,
        lambda: scheduling.unschedule(post=row, actor=request.user, now=timezone.now()),
        _("Back in the drafts. Nothing will be sent."),
    )


@requires(Action.DRAFT_POSTS)
@require_POST
def duplicate(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    row: Post = load(request, Action.DRAFT_POSTS, Post.objects.select_related("brand"), post_id)
    copy = drafts.duplicate_post(post=row, actor=request.user, now=timezone.now())
    messages.success(request, _("This is the copy. It is a draft without a time."))
    return redirect("content_calendar:edit", post_id=copy.pk)


@requires(Action.DRAFT_POSTS)
@require_POST
def delete(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    row = _loaded(request, post_id)
    try:
        drafts.delete_post(post=row, actor=request.user, now=timezone.now())
    except REFUSALS as refusal:
        messages.error(request, refusal_sentence(refusal))
        return _back(request, row.pk)
    return redirect(f"{reverse('content_calendar:posts')}?deleted={row.pk}")


class _DeletedPosts:
    """The posts that were put away, for ``load``."""

    @staticmethod
    def for_member(membership: Any) -> Any:
        return Post.objects.deleted(membership)


@requires(Action.DRAFT_POSTS)
@require_POST
def restore(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    row: Post = load(request, Action.DRAFT_POSTS, _DeletedPosts, post_id)
    drafts.restore_post(post=row, actor=request.user, now=timezone.now())
    messages.success(
        request, _("The post is back. What was scheduled stays cancelled until you schedule it again.")
    )
    return _back(request, row.pk)


def _delivery(request: MemberRequest, delivery_id: uuid.UUID) -> tuple[Delivery, Variant]:
    """A delivery, and the variant of a post that it belongs to."""
    delivery: Delivery = load(
        request, Action.PUBLISH_POSTS, Delivery.objects.select_related("account"), delivery_id
    )
    variants = Variant.objects.select_related("post", "account", "delivery")
    return delivery, get_object_or_404(variants, delivery=delivery, post__deleted_at__isnull=True)


@requires(Action.PUBLISH_POSTS)
@require_POST
def retry(request: MemberRequest, delivery_id: uuid.UUID) -> HttpResponse:
    delivery, variant = _delivery(request, delivery_id)
    response = _tried(
        request,
        variant.post_id,
        lambda: retry_delivery(delivery=delivery, actor=request.user, now=timezone.now()),
        _("Trying again now."),
    )
    dispatch.delay_on_commit()
    return response


@requires(Action.PUBLISH_POSTS)
@require_POST
def cancel(request: MemberRequest, delivery_id: uuid.UUID) -> HttpResponse:
    _found, variant = _delivery(request, delivery_id)
    return _tried(
        request,
        variant.post_id,
        lambda: scheduling.cancel_variant(variant=variant, actor=request.user, now=timezone.now()),
        _("It will not be sent on %(account)s.") % {"account": variant.account},
    )


@requires(Action.PUBLISH_POSTS)
@require_POST
def answer(request: MemberRequest, delivery_id: uuid.UUID) -> HttpResponse:
    """Did it appear? Yes, perhaps with its address; or no."""
    delivery, variant = _delivery(request, delivery_id)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("The address is not one of a web page. Copy it from the network again."))
        return _back(request, variant.post_id)
    did_appear = form.cleaned_data["did_appear"] == "yes"
    response = _tried(
        request,
        variant.post_id,
        lambda: answer_uncertain(
            delivery=delivery,
            did_appear=did_appear,
            permalink=form.cleaned_data["permalink"],
            actor=request.user,
            now=timezone.now(),
        ),
        _("Noted: it did appear.") if did_appear else _("It is sent again now."),
    )
    dispatch.delay_on_commit()
    return response
