"""Why a network does not take a content, as sentences in the active language."""

from __future__ import annotations

from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connectors.base import Capability, PlatformInfo, TextUnit
from connectors.errors import RejectReason
from connectors.text import Problem
from content_calendar.selectors.verdicts import explain_video


def explain(problem: Problem, info: PlatformInfo) -> str:
    """A broken limit as a sentence, with the network's name and its numbers."""
    words: dict[str, object] = {
        "network": info.name,
        "limit": number_format(problem.limit, force_grouping=True),
        "actual": number_format(problem.actual, force_grouping=True),
        "over": number_format(problem.actual - problem.limit, force_grouping=True),
        "unit": _unit(info, problem.actual - problem.limit),
        "number": (problem.media or 0) + 1,
    }
    of_story = _of_story(problem, info, words)
    for explained in (of_story, explain_video(problem, info), _of_media(problem, info, words)):
        if explained is not None:
            return explained
    match problem.reason:
        case RejectReason.TEXT_EMPTY:
            return _("Write something or add a picture or a video.")
        case RejectReason.TEXT_TOO_LONG if info.text.max_bytes and problem.limit == info.text.max_bytes:
            return _("Too long for %(network)s: %(actual)s bytes, %(limit)s are allowed.") % words
        case RejectReason.TEXT_TOO_LONG:
            return _("Too long for %(network)s by %(over)s %(unit)s (%(limit)s are allowed).") % words
        case RejectReason.TOO_MANY_TAGS:
            return _of_tags(problem, info, words)
        case RejectReason.THREAD_TOO_LONG if problem.limit == 1:
            return _("%(network)s has no threads: only one post is possible.") % words
        case RejectReason.THREAD_TOO_LONG:
            return _("%(network)s takes threads of %(limit)s posts; there are %(actual)s.") % words
        case RejectReason.SETTING_MISSING | RejectReason.SETTING_INVALID:
            return _of_setting(problem, info, words)
        case RejectReason.INVALID if info.text.forbidden:
            words["characters"] = " ".join(info.text.forbidden)
            return _("A text on %(network)s may not contain any of these characters: %(characters)s") % words
        case _:
            return _("%(network)s does not take this content.") % words


def _of_tags(problem: Problem, info: PlatformInfo, words: dict[str, object]) -> str:
    if not problem.limit:
        return _("Too many hashtags or mentions for %(network)s.") % words
    if problem.limit == info.text.max_cashtags:
        return _("Too many cashtags (such as $ABC) for %(network)s: %(actual)s, at most %(limit)s.") % words
    return _("Too many hashtags or mentions for %(network)s: %(actual)s, %(limit)s are allowed.") % words


def _unit(info: PlatformInfo, actual: int) -> str:
    if info.text.unit is TextUnit.UTF8_BYTES:
        return ngettext("byte", "bytes", actual)
    return ngettext("character", "characters", actual)


def _of_story(problem: Problem, info: PlatformInfo, words: dict[str, object]) -> str | None:
    """A broken limit of stories; None for a problem of something else."""
    if info.story is None or problem.name != info.story.field:
        return None
    match problem.reason:
        case RejectReason.TOO_MANY_MEDIA:
            return _("A story on %(network)s has one image or video; there are %(actual)s.") % words
        case RejectReason.MEDIA_MISSING:
            return _("A story on %(network)s needs an image or a video.") % words
        case RejectReason.VIDEO_TOO_LONG:
            sentence = _("A story on %(network)s has at most %(limit)s seconds; the video has %(actual)s.")
            return sentence % words
        case RejectReason.TEXT_TOO_LONG:
            return _("A story on %(network)s shows no text: remove it for this account.") % words
        case RejectReason.NOT_SUPPORTED:
            sentence = _(
                "A story on %(network)s takes no comments: remove the first comment for this account."
            )
            return sentence % words
        case _:
            return None


def _of_media(problem: Problem, info: PlatformInfo, words: dict[str, object]) -> str | None:
    match problem.reason:
        case RejectReason.TOO_MANY_MEDIA if info.media_max and problem.limit == info.media_max:
            sentence = _("%(network)s takes %(limit)s images and videos in one post; there are %(actual)s.")
            return sentence % words
        case RejectReason.TOO_MANY_MEDIA:
            return _("%(network)s takes %(limit)s images in one post; there are %(actual)s.") % words
        case RejectReason.MEDIA_TYPE:
            return (
                _("%(network)s does not take image %(number)s: its file type is not allowed there.") % words
            )
        case RejectReason.MEDIA_TOO_LARGE:
            size = {**words, "limit": filesizeformat(problem.limit)}
            return _("Image %(number)s is too large for %(network)s (at most %(limit)s).") % size
        case RejectReason.MEDIA_SHAPE:
            return _("File %(number)s is too wide or too high for %(network)s. Crop it.") % words
        case RejectReason.MEDIA_MISSING if not info.can(Capability.POST_IMAGES):
            return _("%(network)s takes no posts of words alone: add a video.") % words
        case RejectReason.MEDIA_MISSING if not info.can(Capability.POST_VIDEO):
            return _("%(network)s takes no posts of words alone: add a picture.") % words
        case RejectReason.MEDIA_MISSING:
            return _("%(network)s takes no posts of words alone: add a picture or a video.") % words
        case RejectReason.MEDIA_NOT_PUBLIC:
            sentence = _(
                "%(network)s fetches images and videos from this installation, which has no public HTTPS "
                "address. Somebody who runs it must give it one."
            )
            return sentence % words
        case RejectReason.ALT_TEXT_TOO_LONG:
            sentence = _(
                "The alternative text of image %(number)s is too long for %(network)s (at most %(limit)s)."
            )
            return sentence % words
        case RejectReason.NOT_SUPPORTED:
            return _("%(network)s takes no images.") % words
        case _:
            return None


def _of_setting(problem: Problem, info: PlatformInfo, words: dict[str, object]) -> str:
    field = next((one for one in info.post_fields if one.name == problem.name), None)
    if field is None:  # the network asked for it once
        return _("%(network)s does not take this content.") % words
    words = {**words, "field": _(field.label)}
    if problem.reason is RejectReason.SETTING_MISSING:
        match field.kind:
            case "choice":
                return _("%(network)s: choose “%(field)s”.") % words
            case "flag":
                return _("%(network)s: tick “%(field)s”.") % words
            case _:
                return _("%(network)s: fill in “%(field)s”.") % words
    if problem.limit:
        return (
            ngettext(
                "%(network)s: “%(field)s” is too long by %(over)s character (%(limit)s are allowed).",
                "%(network)s: “%(field)s” is too long by %(over)s characters (%(limit)s are allowed).",
                problem.actual - problem.limit,
            )
            % words
        )
    if field.kind == "url":
        return _("%(network)s: “%(field)s” is not a web address.") % words
    if field.forbidden:
        words["characters"] = " ".join(field.forbidden)
        sentence = _("%(network)s: “%(field)s” may not contain any of these characters: %(characters)s")
        return sentence % words
    return _("%(network)s: what was chosen as “%(field)s” is no longer there. Choose again.") % words
