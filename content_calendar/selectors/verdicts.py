"""What a network makes of a video, in words: sent as it is, made smaller, or why it is not taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import SocialAccount
from connectors.base import Capability, MediaItem, PlatformInfo, PostPart, PostPayload, VideoLimit
from connectors.errors import RejectReason
from connectors.text import Problem, check_payload
from content_calendar.models import MediaAsset, MediaProblem, MediaState
from content_calendar.selectors.videos import VIDEO_TYPE, plan_for, rendition_of


def expected_video(asset: MediaAsset, alt: str, limit: VideoLimit | None) -> MediaItem:
    """A ready video as it would be sent. What is made of it fits by its nature, its length aside."""
    plan = plan_for(asset, limit) if limit is not None else None
    return MediaItem(
        key=str(asset.pk),
        mime_type=asset.mime_type if plan is None or plan.is_as_is else VIDEO_TYPE,
        size=asset.size if plan is None else plan.size,
        width=asset.width if plan is None else plan.width,
        height=asset.height if plan is None else plan.height,
        alt_text=alt,
        open=never_opened,
        duration_s=asset.duration_s,
        frame_rate=asset.frame_rate if plan is None else plan.frame_rate,
    )


def never_opened() -> BinaryIO:
    raise TypeError("a content that is only checked is not read")


def broken_sentence(problem: str) -> str:
    return str(MediaProblem(problem).label) if problem in MediaProblem.values else ""


def video_verdict(asset: MediaAsset, info: PlatformInfo) -> Iterator[tuple[str, bool]]:
    """Sentences about one video on one network, each with whether it keeps the post off the schedule. What
    breaks a limit is told elsewhere (``explain_video``)."""
    if asset.state == MediaState.PROCESSING:
        yield _("The video is still being looked at. This takes a moment."), True
        return
    if asset.state == MediaState.BROKEN:
        words = {"name": asset, "reason": broken_sentence(asset.problem)}
        yield _("The video “%(name)s” cannot be used. %(reason)s") % words, True
        return
    limit = info.videos
    if limit is None or not info.can(Capability.POST_VIDEO):
        return
    if limit.max_seconds and asset.duration_s > limit.max_seconds:
        return
    plan = plan_for(asset, limit)
    if plan.is_as_is:
        yield _("%(network)s: the video is sent as it is.") % {"network": info.name}, False
        return
    copy = rendition_of(asset, limit)
    is_made = copy is not None and copy.state == MediaState.READY
    words = {
        "network": info.name,
        "width": copy.width if copy is not None else plan.width,
        "height": copy.height if copy is not None else plan.height,
        "size": filesizeformat(copy.size if copy is not None and is_made else plan.size),
    }
    if copy is not None and copy.state == MediaState.BROKEN:
        reason = broken_sentence(copy.problem)
        yield _("The video could not be made ready for %(network)s.") % words + f" {reason}", True
    elif is_made:
        yield _("%(network)s: the video is made ready: %(width)s × %(height)s, %(size)s.") % words, False
    else:
        words["percent"] = copy.progress if copy is not None else 0
        sentence = _(
            "%(network)s: the video is being made ready: %(width)s × %(height)s, about %(size)s "
            "(%(percent)s%% done). The post can be scheduled meanwhile."
        )
        yield sentence % words, False


def explain_video(problem: Problem, info: PlatformInfo) -> str | None:
    """A broken limit of a video as a sentence, None for a problem of something else."""
    words = {
        "network": info.name,
        "limit": number_format(problem.limit, force_grouping=True),
        "actual": number_format(problem.actual, force_grouping=True),
        "over": number_format(problem.actual - problem.limit, force_grouping=True),
    }
    match problem.reason:
        case RejectReason.VIDEO_TOO_LONG:
            return (
                ngettext(
                    "The video is too long for %(network)s by %(over)s second (%(limit)s are allowed). "
                    "Cut it, or leave the network out.",
                    "The video is too long for %(network)s by %(over)s seconds (%(limit)s are allowed). "
                    "Cut it, or leave the network out.",
                    problem.actual - problem.limit,
                )
                % words
            )
        case RejectReason.VIDEO_TOO_SHORT:
            return _("The video is too short for %(network)s: at least %(limit)s seconds.") % words
        case RejectReason.VIDEO_TOO_FAST:
            return (
                _("%(network)s takes at most %(limit)s frames per second; the video has %(actual)s.") % words
            )
        case RejectReason.MEDIA_MIXED:
            return _("%(network)s takes either images or a video in one post, not both.") % words
        case RejectReason.TOO_MANY_VIDEOS if problem.limit == 1:
            return _("%(network)s takes one video in a post; there are %(actual)s.") % words
        case RejectReason.TOO_MANY_VIDEOS:
            return _("%(network)s takes %(limit)s videos in a post; there are %(actual)s.") % words
        case RejectReason.NOT_SUPPORTED if problem.media is not None and info.can(Capability.POST_IMAGES):
            return _("%(network)s takes no videos.") % words
        case _:
            return None


def verdicts_of(asset: MediaAsset) -> list[tuple[PlatformInfo, list[tuple[str, bool]]]]:
    """What each network that the brand is connected to makes of a video."""
    if not asset.is_video or not asset.is_ready:
        return []
    accounts = SocialAccount.objects.filter(brand=asset.brand_id).connected().order_by("platform", "pk")
    networks = {account.platform: account.info for account in accounts}
    found = []
    for info in networks.values():
        item = expected_video(asset, "", info.videos)
        payload = PostPayload(parts=(PostPart("", (item,)),))
        problems = ((explain_video(problem, info), True) for problem in check_payload(payload, info))
        lines = [(line, blocks) for line, blocks in problems if line is not None]
        found.append((info, [*lines, *video_verdict(asset, info)]))
    return found
