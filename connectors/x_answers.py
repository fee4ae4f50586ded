"""What X answers: ids, profiles, posts, uploads, and what a refusal means."""

from __future__ import annotations

import dataclasses
import datetime as dt
import html
import re
from urllib.parse import quote, urlsplit

from requests import Response

from connectors import http
from connectors.answers import (
    https,
    ident,
    inner,
    moment,
    number_or_text,
    object_of,
    pause_s,
    rows,
    text,
    whole_number,
)
from connectors.base import Json, PostPayload, Profile, RemotePost, StepResult, StepState
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.text import find_links, normalise

LIMIT_DEFAULT_S = 900.0
CREDITS_WAIT = dt.timedelta(hours=1)
CHECK_AGAIN_S = 5.0
UPLOAD_KEPT_S = 86_400.0  # until X forgets a file that no post names (media/quickstart/best-practices)
UPLOAD_MARGIN_S = 3600.0


def path_id(remote_id: object) -> str:
    """An id as a path has it. Raises Rejected(NOT_FOUND) for none: the path would be another call."""
    if not str(remote_id or "").strip("./ "):
        raise Rejected(RejectReason.NOT_FOUND, "something without an id")
    return quote(str(remote_id), safe="")


def is_post(method: str, path: str) -> bool:
    """Whether a call publishes a post."""
    return method == "POST" and path.rstrip("/").endswith("/2/tweets")


def data_of(answer: Json) -> Json:
    return object_of(answer, "data")


def told(answer: Json, name: str) -> str:
    """The id of what was just made. Raises OutcomeUnknown where it is not said."""
    remote_id = number_or_text(inner(answer, "data", name)).strip("\0 ")
    if not remote_id:
        raise OutcomeUnknown(f"accepted, but without {name!r}")
    return remote_id


def as_sent(post: RemotePost, payload: PostPayload) -> RemotePost:
    """With the words of the part of the payload that it shows, where there is one: X makes whole addresses of
    bare ones, and puts the names of those who are answered before the words."""
    texts = [part.text for part in payload.parts]
    if normalise(post.text) in map(normalise, texts):
        return post
    for words_of in (normalise, _without_names) if post.in_reply_to else (normalise,):
        shown = _written(words_of(post.text))
        for written in texts:
            if shown.fullmatch(words_of(written)):
                return dataclasses.replace(post, text=written)
    return post


def _written(shown: str) -> re.Pattern[str]:
    """What may have been written, by what is shown: addresses without their scheme, and without the "/" at
    the end. Hosts are the same in any case."""
    pattern, position = "", 0
    for link in find_links(shown):
        scheme, _, rest = link.value.rstrip("/").partition("://")
        host = rest[: len(re.split(r"[/?#]", rest, maxsplit=1)[0])]
        pattern += re.escape(shown[position : link.start])
        pattern += f"(?i:(?:{re.escape(scheme)}://)?{re.escape(host)}){re.escape(rest[len(host) :])}/?"
        position = link.end
    return re.compile(pattern + re.escape(shown[position:]))


def _without_names(text: str) -> str:
    return normalise(re.sub(r"^(?:\s*@\w+\b)+", "", text))


def profile_of(user: Json) -> Profile:
    username = ident(user, "username")
    return Profile(
        remote_id=ident(user, "id"),
        handle=username,
        display_name=text(user.get("name")),
        avatar_url=https(user.get("profile_image_url")),
        profile_url=f"https://x.com/{username}",
    )


def media_result(media_id: str, media: Json, *, ends_at: dt.datetime | None = None) -> StepResult:
    """``ends_at``: where it was told before. Raises Rejected(MEDIA_BROKEN) for what X could not work on."""
    work = media.get("processing_info")
    state = work.get("state", "succeeded") if isinstance(work, dict) else "succeeded"
    if state == "failed":
        why = text(inner(work, "error", "message")) or "X could not process the file"
        raise Rejected(RejectReason.MEDIA_BROKEN, why)
    if ends_at is None:
        kept_s = pause_s(
            media.get("expires_after_secs") or None, default_s=UPLOAD_KEPT_S, longest_s=UPLOAD_KEPT_S
        )
        ends_at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=kept_s - min(UPLOAD_MARGIN_S, kept_s / 2))
    if state == "succeeded":
        return StepResult(remote_id=media_id, ends_at=ends_at)
    return StepResult(
        state=StepState.PROCESSING,
        remote_id=media_id,
        retry_after_s=pause_s(inner(work, "check_after_secs"), default_s=CHECK_AGAIN_S),
        ends_at=ends_at,
    )


def text_of(post: Json) -> str:
    """As it was written: X shows short addresses, one more for the media, and three characters escaped.
    Whole addresses are not escaped: "&copy=" in one is no sign."""
    note = post.get("note_tweet")
    whole = note if isinstance(note, dict) and note else post
    words = re.sub(r"&(?:amp|lt|gt);", lambda sign: html.unescape(sign[0]), text(whole.get("text")))
    links: dict[str, str] = {}
    for link in rows(inner(whole, "entities", "urls")):
        short, full = text(link.get("url")), text(link.get("expanded_url"))
        own = rf"/status/{re.escape(number_or_text(post.get('id')))}/(?:photo|video)/\d+$"
        is_media = bool(link.get("media_key")) or bool(re.search(own, full))
        if short:
            links[short] = "" if is_media else full or short
    if not links:
        return words.strip()
    known = "|".join(re.escape(short) for short in sorted(links, key=len, reverse=True))
    return re.sub(known, lambda short: links[short[0]], words).strip()


def _retry_at(response: Response) -> dt.datetime:
    """When every limit that is used up begins anew: of this call, and of the day."""
    now = dt.datetime.now(dt.UTC)
    resets = []
    for name in ("x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour"):
        reset = response.headers.get(f"{name}-reset", "")
        at = moment(whole_number(reset))
        if at is not None and response.headers.get(f"{name}-remaining", "0") == "0":
            resets.append(at)
    if resets:
        return min(max(now, *resets), now + http.LONGEST_WAIT)
    return http.retry_after(response, now=now, default_s=LIMIT_DEFAULT_S)


# What a refusal means where X's own words say little: those of answers as other programs have met them, those
# of messages by the documents.
ONLY_WHO_NAMES_US = "X lets self-serve apps answer only people who name this account or quote a post of it."
NO_CREDITS = (
    "The developer app has no credits left at X, or has spent what it may. Buy some in the developer "
    "console; what waits goes out by itself then."
)
TAKES_NO_MESSAGES = "This person takes no direct messages from this account."
NO_PERMISSION = (
    "The developer app may not do this: give it the permission “Read and write and Direct message” in the "
    "developer console of X, then connect the account again."
)
# Of any other refusal of a message it would be a guess.
_NOT_TO_THEM = re.compile(
    r"cannot send (?:direct )?messages? to|not following you"
    r"|(?:not|n't) (?:accept|receive|allow) (?:\w+ )?messages",
    re.IGNORECASE,
)


_USED_UP = re.compile(r"spend ?cap|credits ?depleted|usage[ -]?cap", re.IGNORECASE)


def _plain(words: str, about: str) -> str:
    plain = ""
    if re.search(r"oauth1-permissions|app is not configured|app permissions", words, re.IGNORECASE):
        plain = NO_PERMISSION
    elif about == "message" and _NOT_TO_THEM.search(words):
        plain = TAKES_NO_MESSAGES
    elif re.search(
        r"(?:been|are) mentioned|engaged by the author|reply to this conversation", words, re.IGNORECASE
    ):
        plain = ONLY_WHO_NAMES_US
    return f"{plain} {words}".strip()


def map_error(response: Response, words: str, *, about: str = "") -> ConnectorError:
    """The only place that knows what X's statuses mean (x-api/fundamentals/response-codes-and-errors)."""
    status = response.status_code
    changes = getattr(response.request, "changes", False)
    if status == 401:
        return NeedsReconnect(words)
    if status == 402 or (status in {403, 429} and _USED_UP.search(words)):
        # The app has no credits left, or used what it may: somebody has to act, what waits goes out then.
        return RateLimited(
            dt.datetime.now(dt.UTC) + CREDITS_WAIT, f"{NO_CREDITS} {words}".strip(), of_app=True
        )
    if status == 429:
        of_call = not is_post(response.request.method or "", urlsplit(response.request.url or "").path)
        return RateLimited(_retry_at(response), words, of_call=of_call)
    if status >= 500 or status in {408, 409} or status < 400:
        # No refusal of the thing itself: what was asked may have been done, or be under way.
        return OutcomeUnknown(words) if changes else Temporary(words)
    if about == "media":
        reason = RejectReason.MEDIA_TOO_LARGE if status == 413 else RejectReason.MEDIA_BROKEN
        return Rejected(RejectReason.FORBIDDEN if status == 403 else reason, words)
    if status == 404 or "deleted or not visible" in words:
        return Rejected(RejectReason.NOT_FOUND, words)
    if status == 403:
        is_repeated = re.search(r"duplicate|already said that", words, re.IGNORECASE) is not None
        return Rejected(
            RejectReason.DUPLICATE if is_repeated else RejectReason.FORBIDDEN, _plain(words, about)
        )
    return Rejected(RejectReason.INVALID, words)
