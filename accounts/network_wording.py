"""What networks can do, in words: for the table of networks, the page of each, and docs/networks.md."""

from __future__ import annotations

from collections.abc import Sequence

from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from connectors.base import Capability, PlatformInfo, Rate, RetrySafety, TextLimit, TextUnit, VideoLimit

C = Capability
GROUPS: tuple[tuple[Promise, tuple[tuple[Capability, Promise], ...]], ...] = (
    (
        gettext_lazy("Publishing"),
        (
            (C.POST_TEXT, gettext_lazy("Text alone")),
            (C.POST_IMAGES, gettext_lazy("Images")),
            (C.POST_VIDEO, gettext_lazy("Video")),
            (C.SHORT_VIDEO, gettext_lazy("Short videos (Reels, Shorts)")),
            (C.STORY, gettext_lazy("Stories")),
            (C.POST_THREAD, gettext_lazy("Threads of several posts")),
            (C.FIRST_COMMENT, gettext_lazy("First comment")),
            (C.LINK_CARD, gettext_lazy("Link card of one's own")),
            (C.ALT_TEXT, gettext_lazy("Alternative texts")),
            (C.CONTENT_WARNING, gettext_lazy("Content warnings")),
            (C.SENSITIVE_MEDIA, gettext_lazy("Covered images and videos")),
        ),
    ),
    (
        pgettext_lazy("capabilities", "Inbox"),
        (
            (C.INBOX_COMMENTS, gettext_lazy("Read comments")),
            (C.INBOX_MENTIONS, gettext_lazy("Read mentions")),
            (C.INBOX_MESSAGES, gettext_lazy("Read direct messages")),
            (C.INBOX_REVIEWS, gettext_lazy("Read reviews")),
            (C.REPLY, gettext_lazy("Answer in public")),
            (C.SEND_MESSAGE, gettext_lazy("Answer direct messages")),
            (C.LIKE, gettext_lazy("Like comments")),
            (C.HIDE, gettext_lazy("Hide comments")),
            (C.DELETE_COMMENT, gettext_lazy("Delete comments")),
            (C.WEBHOOKS, gettext_lazy("Tells news at once (webhooks)")),
        ),
    ),
    (
        pgettext_lazy("capabilities", "Numbers"),
        (
            (C.ACCOUNT_METRICS, gettext_lazy("Numbers of the account")),
            (C.POST_METRICS, gettext_lazy("Numbers of posts")),
            (C.COMPETITORS, gettext_lazy("Numbers of other accounts")),
        ),
    ),
)

UNITS: dict[TextUnit, Promise] = {
    TextUnit.GRAPHEMES: gettext_lazy("characters as a reader sees them"),
    TextUnit.CODEPOINTS: gettext_lazy("characters"),
    TextUnit.UTF16: gettext_lazy("characters, many emoji two"),
    TextUnit.UTF8_BYTES: gettext_lazy("bytes: a Latin letter one, a kana or kanji three"),
    TextUnit.WEIGHTED: gettext_lazy("characters: a Latin letter one, a kana, kanji or emoji two"),
    TextUnit.EMOJI_BYTES: gettext_lazy("characters, an emoji its bytes"),
}

SAFETY: dict[RetrySafety, Promise] = {
    RetrySafety.IDEMPOTENT: gettext_lazy("It is sent again with the same key; the network keeps one."),
    RetrySafety.TWO_PHASE: gettext_lazy("The network is asked what became of the prepared post."),
    RetrySafety.NEITHER: gettext_lazy("The account's own posts are read first; only then is it sent again."),
}


def matrix(
    networks: Sequence[PlatformInfo],
) -> list[tuple[str, list[tuple[str, list[bool | str]]]]]:
    """Groups of rows: (title, [(label, one cell per network)]). A cell is yes, no, or words."""
    limits: list[tuple[str, list[bool | str]]] = [
        (_("Longest text"), [_units(info.text) for info in networks]),
        (_("Images in one post"), [_number(info.images.max_count) for info in networks]),
        (_("Longest video"), [_video(info) for info in networks]),
        (pgettext("capabilities", "Seen live"), [info.seen_live for info in networks]),
    ]
    groups: list[tuple[str, list[tuple[str, list[bool | str]]]]] = [
        (str(title), [(str(label), [info.can(one) for info in networks]) for one, label in rows])
        for title, rows in GROUPS
    ]
    return [*groups, (_("Limits"), limits)]


# What we count ourselves, by ``Rate.name``; the words that a network's own count of the same has.
COUNTED: dict[str, Promise] = {
    "posts": gettext_lazy("Posts"),
    "publications": gettext_lazy("Posts"),
    "replies": gettext_lazy("Replies"),
    "reels": gettext_lazy("Reels"),
    "media": gettext_lazy("Uploads"),
    "messages": gettext_lazy("Messages"),
    "units": gettext_lazy("Units"),
    "units:reading": gettext_lazy("Units for reading"),
}


def limits_of(info: PlatformInfo) -> list[tuple[str, str]]:
    """What fits in a post, as (name, words)."""
    facts = [(_("Text"), text_words(info.text))]
    if info.images.max_count:
        facts.append((_("Images"), _images(info)))
    if info.can(Capability.ALT_TEXT) and info.images.alt_text_max:
        words = ngettext("%(n)s character", "%(n)s characters", info.images.alt_text_max)
        facts.append((_("Alt text"), words % {"n": _number(info.images.alt_text_max)}))
    if info.videos is not None:
        facts.append((_("Video"), _videos(info.videos)))
    if info.thread_max > 1:
        facts.append((_("Threads"), _("up to %(n)s posts") % {"n": info.thread_max}))
    return facts


def network_facts(info: PlatformInfo) -> list[tuple[str, str]]:
    """Limits and habits of one network as (name, sentence)."""
    facts = limits_of(info)
    if info.post_fields:
        facts.append((_("Asks besides"), ", ".join(_(one.label) for one in info.post_fields)))
    if info.takes_media_by_url:
        facts.append(
            (_("Files"), _("The network fetches them: this installation must be reachable from outside."))
        )
    if rates := [_rate(one) for one in info.rates if one.name in COUNTED]:
        facts.append((_("How often"), "; ".join(rates)))
    facts.append((_("If an answer is lost"), str(SAFETY[info.retry_safety])))
    if not info.reads_back:
        facts.append((_("Seen on the network"), _("What was sent cannot be read back here.")))
    return facts


def _rate(rate: Rate) -> str:
    words = _("%(name)s: %(n)s in %(time)s") % {
        "name": COUNTED[rate.name],
        "n": _number(rate.limit),
        "time": _hours(rate.window_s // 3600) if rate.window_s % 3600 == 0 else length(rate.window_s),
    }
    if rate.of_app:
        words = _("%(rate)s (of the developer app)") % {"rate": words}
    if rate.reading_share < 1:
        share = _number(round(rate.limit * rate.reading_share))
        words = _("%(rate)s, at most %(n)s of them for reading") % {"rate": words, "n": share}
    return words


def text_words(limit: TextLimit) -> str:
    words = _("%(n)s %(unit)s") % {"n": _number(limit.max_units), "unit": UNITS[limit.unit]}
    if limit.max_bytes:
        words += " · " + _("at most %(n)s bytes") % {"n": _number(limit.max_bytes)}
    if limit.url_units:
        words += " · " + _("a link counts %(n)s") % {"n": limit.url_units}
    return words


def _images(info: PlatformInfo) -> str:
    kinds = ", ".join(kind.removeprefix("image/").upper() for kind in info.images.mime_types)
    return _("%(n)s, up to %(size)s each (%(kinds)s)") % {
        "n": _number(info.images.max_count),
        "size": filesizeformat(info.images.max_bytes),
        "kinds": kinds,
    }


def _videos(limit: VideoLimit) -> str:
    words = [_("up to %(size)s") % {"size": filesizeformat(limit.max_bytes)}]
    if limit.max_seconds:
        words.append(length(limit.max_seconds))
    if limit.min_seconds >= 1:
        words.append(_("at least %(n)s s") % {"n": _number(round(limit.min_seconds))})
    return ", ".join(words)


def _video(info: PlatformInfo) -> bool | str:
    if info.videos is None:
        return False
    return length(info.videos.max_seconds) if info.videos.max_seconds else _("not stated")


def length(seconds: float) -> str:
    """A longest video as people say it."""
    if seconds < 120:
        return _("%(n)s s") % {"n": _number(round(seconds))}
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 120:
        return _("%(n)s min") % {"n": f"{minutes}:{rest:02}" if rest else minutes}
    return _hours(round(seconds / 3600))


def _hours(hours: int) -> str:
    return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}


def _units(limit: TextLimit) -> str:
    return _number(limit.max_units)


def _number(value: int) -> str:
    return str(number_format(value, force_grouping=True))
