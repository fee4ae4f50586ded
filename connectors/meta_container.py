"""Containers, as Instagram and Threads publish: one is filled, asked about until it is done, and published.

One container makes one post. Its state says whether it was published, maybe a little late, and not as which
post: that is found among the account's own. What is not told of it is in doubt.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Iterable
from typing import NoReturn

from connectors import meta
from connectors.base import Json, RemotePost, StepResult, StepState
from connectors.errors import ConnectorError, OutcomeUnknown, Rejected, RejectReason, Temporary
from connectors.meta_errors import SUBCODES

LIFETIME = dt.timedelta(hours=23)  # it ends 24 hours after it was made, and takes time to be filled
CLOCK_SKEW = dt.timedelta(minutes=2)
# So long a container that was published may not say so; Threads' own advice is to wait so long between steps.
STATE_SETTLES = dt.timedelta(seconds=30)


def since_of(now: dt.datetime) -> str:
    """``since`` of the intent of a publication that is begun ``now``: no post of it is older."""
    return (now - CLOCK_SKEW).isoformat()


def container_result(
    container_id: str, status: object, words: object = "", *, wait_s: float = 3.0
) -> StepResult | None:
    """What the state of a container of Instagram or Threads means for the step that makes it.

    None: it has ended and must be made again. Raises Rejected for what the network could not work on.
    """
    match status:
        case "FINISHED" | "PUBLISHED":
            return StepResult(remote_id=container_id, ends_at=meta.clock_now() + LIFETIME)
        case "IN_PROGRESS":
            return StepResult(state=StepState.PROCESSING, remote_id=container_id, retry_after_s=wait_s)
        case "EXPIRED":
            return None
        case "ERROR":
            raise container_error(str(words or ""))
    raise Temporary("a container without a state that is known")


def container_error(words: str) -> ConnectorError:
    """``words`` name a subcode in the middle of a sentence, sometimes."""
    for found in re.findall(r"\b2207\d{3}\b", words):
        meaning = SUBCODES.get(int(found))
        if isinstance(meaning, RejectReason):
            return Rejected(meaning, words)
    return Rejected(RejectReason.MEDIA_BROKEN, words or "the network could not process the file")


def became_of(
    intent: Json, state: object, listed: Callable[[], StepResult | None], broken: Callable[[], ConnectorError]
) -> StepResult | None:
    """The post of a container whose publication has an unknown outcome, by its ``state``; None: it surely was
    not published. ``listed`` looks for the post, ``broken`` says why it never will be."""
    match state:
        case "PUBLISHED":
            if (post := listed()) is None:
                raise Temporary("published, but not listed yet")
            return post
        case "FINISHED":
            if not _is_settled(intent):
                raise Temporary("its state may be late")
            return None  # one container makes one post: sent again, it does no harm
        case "ERROR":
            raise broken()
        case "EXPIRED":
            raise Temporary("the container was not published within 24 hours", starts_over=True)
    raise Temporary("it is not told whether the container was published")


def _is_settled(intent: Json) -> bool:
    """Whether the publication with this intent was begun so long ago that a container's state tells it."""
    asked_at = dt.datetime.fromisoformat(str(intent["since"])) + CLOCK_SKEW
    return not dt.timedelta(0) <= meta.clock_now() - asked_at < STATE_SETTLES


def judge_refusal(
    refused: Rejected,
    intent: Json,
    read_state: Callable[[], object],
    listed: Callable[[], StepResult | None],
    *,
    is_told_by_list: bool = True,
) -> NoReturn:
    """What a refusal to publish a container means: an earlier call may have published it. Raises that.

    Which post it became is not told here: what is listed may be another's with the same words, which
    ``check`` and those who ask it find out. The state may be late; that such a post is listed says as much.
    ``is_told_by_list``: ours can be told from most others.
    """
    try:
        state = read_state()
        is_listed = state == "FINISHED" and is_told_by_list and listed() is not None
    except ConnectorError as error:
        # What is not allowed from the start is no answer to a repetition: that comes after STATE_SETTLES.
        if refused.reason is RejectReason.FORBIDDEN and not _is_settled(intent):
            raise refused from error
        raise OutcomeUnknown(refused.detail) from error
    if state == "EXPIRED":
        raise Temporary(refused.detail, starts_over=True)
    if state in ("FINISHED", "IN_PROGRESS", "ERROR") and not is_listed:
        raise refused
    raise OutcomeUnknown(refused.detail) from refused


def first_of(
    posts: Iterable[RemotePost], intent: Json, is_ours: Callable[[RemotePost], bool]
) -> StepResult | None:
    """The posts that the publication with this intent may have made, in order of time: the oldest, with the
    others as its alternatives. Equal posts of one account are told apart by who has them already."""
    since = dt.datetime.fromisoformat(str(intent["since"]))
    ours = [post for post in posts if post.created_at >= since and is_ours(post)]
    ours.reverse()  # lists have the newest first, also of what they tell to be of the same second
    ours.sort(key=lambda post: post.created_at)
    found = [StepResult(remote_id=post.remote_id, permalink=post.permalink) for post in ours]
    return dataclasses.replace(found[0], alternatives=tuple(found[1:])) if found else None
