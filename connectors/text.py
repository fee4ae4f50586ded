"""Text as networks count and link it, and the limits of a payload.

Everything works on code points of Python strings; a ``Span`` says where it lies in UTF-8 bytes too,
which is how Bluesky marks links. Tuned for text that mixes Japanese and Latin script: a link ends where
Japanese begins, ``＃`` starts a hashtag, full-width punctuation ends one.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import regex

from connectors.base import (
    Capability,
    ImageLimit,
    MediaItem,
    MentionForm,
    ModerationAction,
    PlatformInfo,
    PostField,
    PostPart,
    PostPayload,
    TextLimit,
    TextUnit,
    VideoLimit,
)
from connectors.errors import RejectReason


@dataclass(frozen=True, slots=True)
class Span:
    """``text[start:end]``, the same stretch in UTF-8 bytes, and what it names: the link as written, the
    mentioned handle without ``@``, the hashtag without ``#``."""

    start: int
    end: int
    value: str
    byte_start: int
    byte_end: int

    @property
    def url(self) -> str:
        """The address of a link that was written without ``https://``."""
        return self.value if regex.match(r"(?i)https?://", self.value) else f"https://{self.value}"


# --- finding ----------------------------------------------------------------------------------

# Two-letter endings are countries; of the others only common ones, so that "main.py", "README.txt" and
# "end.Next" stay text. Bare domains are looked for only where a network makes links of them.
_BARE_ENDINGS = (
    "com|net|org|edu|gov|info|biz|jobs|app|dev|blog|shop|store|online|site|tech|news|live|art|cafe|club"
    "|design|social|world|page|link|media|studio|tokyo|osaka|kyoto|nagoya|yokohama|okinawa|xyz|cloud|agency"
)
_NOT_COUNTRIES = "(?:py|md|rs|sh|pl|ps|so|js|ts)(?![a-z])"
_LABEL = r"[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}_-]{0,62}(?<![-_]))?"
# Of the endings that are not Latin those of scripts that Japanese prose does not go on in.
_OWN_ENDINGS = r"[\p{Arabic}\p{Cyrillic}\p{Greek}\p{Hebrew}\p{Devanagari}\p{Thai}]{2,63}"
_HOST = rf"(?:{_LABEL}\.)+(?:xn--[a-z0-9-]{{2,59}}|[a-z]{{2,63}}|{_OWN_ENDINGS})(?![a-z0-9_-])"
# Browsers copy paths percent-encoded; what follows an address directly in Japanese text is prose.
_NOT_IN_PATH = r"\s<>\"“”\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{C}\u3000-\u303f\uff00-\uffef"
_TAIL = rf"(?::\d{{1,5}})?(?:[/?#][^{_NOT_IN_PATH}]*)?"
_LINK = regex.compile(rf"(?i)(?<![a-z0-9@#$_/.＠＃-])https?://{_HOST}{_TAIL}")
_BARE_LINK = regex.compile(
    rf"(?i)(?<![\p{{L}}\p{{N}}@#$_/.＠＃-])"
    rf"(?:[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?\.)+"
    rf"(?:{_BARE_ENDINGS}|(?!{_NOT_COUNTRIES})[a-z]{{2}})(?![a-z0-9_@-]|\.[a-z0-9]){_TAIL}"
)
_MENTION = regex.compile(
    r"(?<![\w/@＠.=-])@((?>[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?)(?:@(?>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?))?)(?![@\w])",
    regex.IGNORECASE,
)
_HASHTAG = regex.compile(r"(?<![\w/&#＃=])[#＃]([\p{L}\p{M}\p{N}_・·\u200c]+)")
# As twitter-text has it: after white space, a few letters of ASCII, before white space or punctuation.
_CASHTAG = regex.compile(
    r"(?<!\S)\$([a-z]{1,6}(?:[._][a-z]{1,2})?)(?=$|[\s!'#%&\"()*+,\\\-./:;<=>?@\[\]^_{|}~$])",
    regex.IGNORECASE | regex.ASCII,
)
_CLOSING = {")": "(", "]": "[", "}": "{"}


def find_links(text: str, *, bare: bool = False) -> list[Span]:
    """Links, without the punctuation that follows them. ``bare``: also ``example.com/x`` without scheme."""
    found = list(_trimmed(text, _LINK))
    if bare:
        taken = [(m.start(), m.end()) for m in _LINK.finditer(text)]
        for start, end in _trimmed(text, _BARE_LINK):
            if not any(start < e and s < end for s, e in taken):
                found.append((start, end))
    return _spans(text, [(start, end, text[start:end]) for start, end in sorted(found)])


def find_mentions(text: str) -> list[Span]:
    """``@user``, ``@user@host`` and ``@name.example.com``; not the ``@`` of an address or a mail name."""
    links = _link_ranges(text)
    return _spans(
        text,
        [(m.start(), m.end(), m[1]) for m in _MENTION.finditer(text) if not _is_inside(m.start(), links)],
    )


def is_name(handle: str, form: MentionForm) -> bool:
    """Whether a mention (``Span.value``) is what a network takes for the name of a person."""
    user, at, host = handle.partition("@")
    match form:
        case MentionForm.DOMAIN:
            return not at and "." in user
        case MentionForm.USER_HOST:
            return "." in host if at else "." not in user
        case MentionForm.USER:
            return not at and "." not in user and "-" not in user


def find_hashtags(text: str) -> list[Span]:
    """``#tag`` and ``＃タグ``, with at least one letter; not fragments of addresses."""
    links = _link_ranges(text)
    found = []
    for match in _HASHTAG.finditer(text):
        tag = match[1].rstrip("・·\u200c")
        if regex.search(r"\p{L}", tag) and not _is_inside(match.start(), links):
            found.append((match.start(), match.start() + 1 + len(tag), tag))
    return _spans(text, found)


def find_cashtags(text: str) -> list[Span]:
    """``$TICKER``, also ``$TICKER.A``; not amounts."""
    return _spans(text, [(m.start(), m.end(), m[1]) for m in _CASHTAG.finditer(text)])


def _trimmed(text: str, pattern: regex.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Matches without trailing punctuation and without a closing bracket that was opened before them."""
    for match in pattern.finditer(text):
        link = match[0]
        if not link.isascii() and not _is_host(regex.split(r"[:/?#]", link.partition("//")[2] or link)[0]):
            continue
        while link:
            last = link[-1]
            opening = _CLOSING.get(last)
            is_loose = opening is not None and link.count(last) > link.count(opening)
            if not is_loose and last not in ".,;:!?'*~…‥’”»":
                break
            link = link[:-1]
        yield match.start(), match.start() + len(link)


def _is_host(name: str) -> bool:
    """Whether every label of it has room in a name of the DNS (63 bytes)."""
    labels = (label for label in name.split(".") if not label.isascii())
    return all(len(label.lower().encode("punycode")) + len("xn--") <= 63 for label in labels)


def _link_ranges(text: str) -> list[tuple[int, int]]:
    return list(_trimmed(text, _LINK))


def _is_inside(position: int, ranges: list[tuple[int, int]]) -> bool:
    return any(start <= position < end for start, end in ranges)


def _spans(text: str, found: list[tuple[int, int, str]]) -> list[Span]:
    """Byte offsets in one pass: ``found`` is in order and does not overlap."""
    spans: list[Span] = []
    position = size = 0
    for start, end, value in found:
        size += _utf8_size(text[position:start])
        width = _utf8_size(text[start:end])
        spans.append(Span(start, end, value, size, size + width))
        position, size = end, size + width
    return spans


# --- counting ---------------------------------------------------------------------------------


def graphemes(text: str) -> list[str]:
    """What a reader sees as characters (extended grapheme clusters of Unicode's UAX #29)."""
    return regex.findall(r"\X", text)


def count(text: str, limit: TextLimit) -> int:
    """How much of ``limit.max_units`` the text takes, in the limit's unit."""
    discount = 0
    if limit.url_units:
        for link in find_links(text, bare=limit.urls_bare):
            discount += _units(link.value, limit.unit) - limit.url_units
    if limit.mention_user_only:
        for mention in find_mentions(text):
            _, at, host = mention.value.partition("@")
            discount += _units(at + host, limit.unit)
    return _units(text, limit.unit) - discount


def beside(warning: str, limit: TextLimit) -> TextLimit:
    """What is left of a limit for the text behind a content warning."""
    if not warning or not limit.with_warning:
        return limit
    return replace(limit, max_units=limit.max_units - _units(warning, limit.unit))


def remaining(text: str, limit: TextLimit) -> int:
    """Units left; negative when the text is too long."""
    return limit.max_units - count(text, limit)


def fits(text: str, limit: TextLimit) -> bool:
    """Whether the text keeps within both the units and the bytes of the limit."""
    return count(text, limit) <= limit.max_units and not _bytes_over(text, limit)


def _bytes_over(text: str, limit: TextLimit) -> bool:
    return bool(limit.max_bytes) and _utf8_size(text) > limit.max_bytes


def _utf8_size(text: str) -> int:
    # A lone surrogate cannot be sent anywhere; it is counted as the three bytes of its replacement.
    return len(text.encode("utf-8", "surrogatepass"))


def _units(text: str, unit: TextUnit) -> int:
    match unit:
        case TextUnit.GRAPHEMES:
            return len(graphemes(text))
        case TextUnit.CODEPOINTS:
            return len(text)
        case TextUnit.UTF16:
            return len(text.encode("utf-16-le", "surrogatepass")) // 2
        case TextUnit.UTF8_BYTES:
            return _utf8_size(text)
        case TextUnit.WEIGHTED:
            return _weight(text)
        case TextUnit.EMOJI_BYTES:
            return len(text) + sum(_utf8_size(one) - len(one) for one in graphemes(text) if _is_emoji(one))


# What counts one at X (twitter-text, config/v3.json, read 2026-11-22); everything else counts two.
_LIGHT = r"\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037"
_HEAVY = regex.compile(rf"[^{_LIGHT}]")
_EMOJI = regex.compile(
    r"\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|[0-9#*]\ufe0f?\u20e3|\p{Regional_Indicator}{2}"
    r"|\p{Extended_Pictographic}[\u200d\p{Emoji_Modifier}]"
)


def _is_emoji(cluster: str) -> bool:
    return _EMOJI.match(cluster) is not None


def _weight(text: str) -> int:
    composed = unicodedata.normalize("NFC", text)
    heavy = len(_HEAVY.findall(composed))
    if not heavy:
        return len(composed)
    weight = len(composed) + heavy
    for cluster in graphemes(composed):
        if len(cluster) > 1 and _EMOJI.match(cluster):
            weight += 2 - len(cluster) - len(_HEAVY.findall(cluster))
    return weight


# --- comparing --------------------------------------------------------------------------------


def normalise(text: str) -> str:
    """A form in which our text and a network's rendering of it are equal, for finding our post among an
    account's own: NFKC (Mastodon shows ``＃`` as ``#``), of a mention only the user (some show the host,
    some do not), runs of white space as one space, nothing invisible."""
    composed = unicodedata.normalize("NFKC", text)
    visible = (" " if c.isspace() else c for c in composed)
    kept = "".join(c for c in visible if c == " " or not _is_invisible(c))
    pieces: list[str] = []
    position = 0
    for mention in find_mentions(kept):
        user, at, _ = mention.value.partition("@")
        if at:
            pieces += [kept[position : mention.start], "@", user]
            position = mention.end
    return " ".join("".join([*pieces, kept[position:]]).split())


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in {"Cf", "Cc", "Cs"} or "\ufe00" <= character <= "\ufe0f"


def _is_visible(text: str) -> bool:
    """Whether ``normalise`` leaves anything of it."""
    composed = unicodedata.normalize("NFKC", text)
    return any(not c.isspace() and not _is_invisible(c) for c in composed)


def addressed(text: str, mention: str) -> str:
    """``text`` with ``mention`` (``@user`` or ``@user@host``) before it, unless it names that person itself.
    A text without words stays without."""
    who = mention.removeprefix("@")
    if not who or not text.strip() or any(s.value.lower() == who.lower() for s in find_mentions(text)):
        return text
    return f"@{who} {text}"


# --- limits of a payload ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Problem:
    """One limit that a payload breaks. ``media`` is the image's index in its part, None for the text;
    ``name`` that of a PostField, of a limit of stories the one that makes the post a story."""

    reason: RejectReason
    part: int
    media: int | None
    limit: int
    actual: int
    name: str = ""


def text_limit(payload: PostPayload, info: PlatformInfo, part: PostPart) -> TextLimit:
    """The limit of the words of one of its parts: direct messages and comments may have their own."""
    if payload.message_to and info.message_text:
        return info.message_text
    return info.words_of(is_comment=part.is_comment or payload.reply_to is not None)


def check_payload(payload: PostPayload, info: PlatformInfo) -> list[Problem]:
    """Every limit of ``info`` that the payload breaks, in order of appearance; empty = may be sent."""
    problems: list[Problem] = []
    if (needed := _capability_for(payload)) is not None and not info.can(needed):
        problems.append(Problem(RejectReason.NOT_SUPPORTED, 0, None, 0, 0))
    if payload.moderation:
        return problems
    if not payload.parts:
        problems.append(Problem(RejectReason.TEXT_EMPTY, 0, None, 1, 0))
    is_answer = payload.reply_to or payload.message_to
    most = info.thread_max if info.can(Capability.POST_THREAD) and not is_answer else 1
    posts = sum(not part.is_comment for part in payload.parts)
    if posts > most:
        problems.append(Problem(RejectReason.THREAD_TOO_LONG, most, None, most, posts))
    for index, part in enumerate(payload.parts):
        if not (part.media or part.is_comment or is_answer or info.can(Capability.POST_TEXT)):
            problems.append(Problem(RejectReason.MEDIA_MISSING, index, None, 1, 0))
        problems += _text_problems(index, part, text_limit(payload, info, part))
        problems += _media_problems(index, part, info, is_story=is_story(payload, info))
        if part.is_comment and not info.can(Capability.FIRST_COMMENT):
            problems.append(Problem(RejectReason.NOT_SUPPORTED, index, None, 0, 1))
    if not is_answer:
        problems += _story_problems(payload, info)
        problems += _setting_problems(payload, info)
    return problems


def is_story(payload: PostPayload, info: PlatformInfo) -> bool:
    """Whether it is to be a story there."""
    if info.story is None or payload.reply_to or payload.message_to or payload.moderation:
        return False
    return payload.settings.get(info.story.field) == info.story.value


def _story_problems(payload: PostPayload, info: PlatformInfo) -> Iterator[Problem]:
    story = info.story
    if story is None or not is_story(payload, info):
        return
    for index, part in enumerate(payload.parts):
        if part.is_comment:
            yield Problem(RejectReason.NOT_SUPPORTED, index, None, 0, 1, story.field)
            continue
        if not part.media:
            yield Problem(RejectReason.MEDIA_MISSING, index, None, 1, 0, story.field)
        elif len(part.media) > 1:
            yield Problem(RejectReason.TOO_MANY_MEDIA, index, 1, 1, len(part.media), story.field)
        if _is_visible(part.text):
            yield Problem(RejectReason.TEXT_TOO_LONG, index, None, 0, len(part.text), story.field)
        for m, item in enumerate(part.media):
            if item.duration_s > story.max_seconds:
                longest, actual = int(story.max_seconds), math.ceil(item.duration_s)
                yield Problem(RejectReason.VIDEO_TOO_LONG, index, m, longest, actual, story.field)


def fields_of(payload: PostPayload, info: PlatformInfo) -> list[PostField]:
    """What is asked of this payload besides its words and media."""
    has_video = any(item.is_video for part in payload.parts for item in part.media)
    return [one for one in info.post_fields if has_video or not one.for_videos]


def tags_of(words: str) -> list[str]:
    """The tags of a list with commas between them, each once."""
    tags = [tag.strip().removeprefix("#") for tag in re.split(r"[,、，\n]", words)]
    return list(dict.fromkeys(tag for tag in tags if tag))


def tags_length(tags: Sequence[str]) -> int:
    """As YouTube counts them: with the commas, and quotation marks around a tag that has a space
    (docs/videos, snippet.tags[], read 2026-11-30)."""
    return sum(len(tag) + 2 * (" " in tag) for tag in tags) + max(0, len(tags) - 1)


def _setting_problems(payload: PostPayload, info: PlatformInfo) -> Iterator[Problem]:
    for one in fields_of(payload, info):
        answer = payload.settings.get(one.name, one.default)
        words = str(answer).strip() if isinstance(answer, str) else ""
        if one.is_required and not (answer is True or words):
            yield Problem(RejectReason.SETTING_MISSING, 0, None, 1, 0, one.name)
        length = tags_length(tags_of(words)) if one.is_tags else _units(words, one.unit)
        if one.max_length and length > one.max_length:
            yield Problem(RejectReason.SETTING_INVALID, 0, None, one.max_length, length, one.name)
        if set(words) & set(one.forbidden):
            yield Problem(RejectReason.SETTING_INVALID, 0, None, 0, 0, one.name)
        choices = {value for value, _label in one.choices}
        if words and one.kind == "choice" and not one.is_of_account and words not in choices:
            yield Problem(RejectReason.SETTING_INVALID, 0, None, 0, 0, one.name)


def _capability_for(payload: PostPayload) -> Capability | None:
    """What the network must be able to do for it, beyond what its parts need."""
    if payload.moderation:
        return MODERATIONS[payload.moderation.action]
    if payload.message_to:
        return Capability.SEND_MESSAGE
    return Capability.REPLY if payload.reply_to else None


MODERATIONS = {
    ModerationAction.LIKE: Capability.LIKE,
    ModerationAction.UNLIKE: Capability.LIKE,
    ModerationAction.HIDE: Capability.HIDE,
    ModerationAction.UNHIDE: Capability.HIDE,
    ModerationAction.DELETE: Capability.DELETE_COMMENT,
}


def _text_problems(index: int, part: PostPart, limit: TextLimit) -> Iterator[Problem]:
    whole = limit.max_units
    limit = beside(part.warning, limit)
    if not part.media and not _is_visible(part.text):
        yield Problem(RejectReason.TEXT_EMPTY, index, None, 1, 0)
    units = count(part.text, limit)
    if units > limit.max_units:
        over = units - limit.max_units
        yield Problem(RejectReason.TEXT_TOO_LONG, index, None, whole, whole + over)
    elif _bytes_over(part.text, limit):
        yield Problem(RejectReason.TEXT_TOO_LONG, index, None, limit.max_bytes, _utf8_size(part.text))
    for most, find in (
        (limit.max_hashtags, find_hashtags),
        (limit.max_mentions, find_mentions),
        (limit.max_cashtags, find_cashtags),
    ):
        if most and (found := len(find(part.text))) > most:
            yield Problem(RejectReason.TOO_MANY_TAGS, index, None, most, found)
    if set(part.text) & set(limit.forbidden):
        yield Problem(RejectReason.INVALID, index, None, 0, 0)


def _media_problems(index: int, part: PostPart, info: PlatformInfo, *, is_story: bool) -> Iterator[Problem]:
    videos = [item for item in part.media if item.is_video]
    images = len(part.media) - len(videos)
    if images and not info.can(Capability.POST_IMAGES):
        yield Problem(RejectReason.NOT_SUPPORTED, index, 0, 0, images)
        return
    limit = info.videos if info.can(Capability.POST_VIDEO) else None
    if videos and limit is None:
        yield Problem(RejectReason.NOT_SUPPORTED, index, part.media.index(videos[0]), 0, len(videos))
        return
    if images > info.images.max_count:
        yield Problem(
            RejectReason.TOO_MANY_MEDIA, index, info.images.max_count, info.images.max_count, images
        )
    if limit is not None and len(videos) > limit.max_count:
        yield Problem(RejectReason.TOO_MANY_VIDEOS, index, None, limit.max_count, len(videos))
    elif images <= info.images.max_count and info.media_max and len(part.media) > info.media_max:
        most = info.media_max
        yield Problem(RejectReason.TOO_MANY_MEDIA, index, most, most, len(part.media))
    if limit is not None and videos and images and not limit.with_images:
        yield Problem(RejectReason.MEDIA_MIXED, index, None, 0, images)
    for m, item in enumerate(part.media):
        shape: ImageLimit | VideoLimit = info.images
        if item.is_video and limit is not None:
            yield from _video_problems(index, m, item, limit)
            shape = limit
        else:
            yield from _image_problems(index, m, item, info.images)
        if not is_story and not _has_ratio(item, shape):
            yield Problem(RejectReason.MEDIA_SHAPE, index, m, 0, 0)
        alt_max = limit.alt_text_max if item.is_video and limit is not None else info.images.alt_text_max
        if info.can(Capability.ALT_TEXT) and len(item.alt_text) > alt_max:
            yield Problem(RejectReason.ALT_TEXT_TOO_LONG, index, m, alt_max, len(item.alt_text))


def _has_ratio(item: MediaItem, limit: ImageLimit | VideoLimit) -> bool:
    """Whether an image or a video is as wide and high as is taken; what is not known to be otherwise is."""
    if not item.width or not item.height:
        return True
    ratio = round(item.width / item.height, 2)
    return ratio >= limit.min_ratio and (not limit.max_ratio or ratio <= limit.max_ratio)


def _image_problems(index: int, m: int, item: MediaItem, limit: ImageLimit) -> Iterator[Problem]:
    pixels = item.width * item.height
    if item.mime_type not in limit.mime_types:
        yield Problem(RejectReason.MEDIA_TYPE, index, m, 0, 0)
    if item.size > limit.max_bytes:
        yield Problem(RejectReason.MEDIA_TOO_LARGE, index, m, limit.max_bytes, item.size)
    elif limit.max_pixels and pixels > limit.max_pixels:
        yield Problem(RejectReason.MEDIA_TOO_LARGE, index, m, limit.max_pixels, pixels)


def _video_problems(index: int, m: int, item: MediaItem, limit: VideoLimit) -> Iterator[Problem]:
    """Lengths are in whole seconds, what is over rounded up: a clip of 60.2 s is one second too long."""
    if item.mime_type not in limit.mime_types:
        yield Problem(RejectReason.MEDIA_TYPE, index, m, 0, 0)
    if item.size > limit.max_bytes:
        yield Problem(RejectReason.MEDIA_TOO_LARGE, index, m, limit.max_bytes, item.size)
    elif limit.max_pixels and item.width * item.height > limit.max_pixels:
        yield Problem(RejectReason.MEDIA_TOO_LARGE, index, m, limit.max_pixels, item.width * item.height)
    if limit.max_seconds and item.duration_s > limit.max_seconds:
        longest = int(limit.max_seconds)
        yield Problem(RejectReason.VIDEO_TOO_LONG, index, m, longest, math.ceil(item.duration_s))
    if item.duration_s < limit.min_seconds:
        shortest = math.ceil(limit.min_seconds)
        yield Problem(RejectReason.VIDEO_TOO_SHORT, index, m, shortest, int(item.duration_s))
    if limit.max_frame_rate and item.frame_rate > limit.max_frame_rate + 0.01:
        most = int(limit.max_frame_rate)
        yield Problem(RejectReason.VIDEO_TOO_FAST, index, m, most, math.ceil(item.frame_rate))
