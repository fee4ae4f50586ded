"""What the networks of Meta (Facebook, Instagram, Threads) share: calls of the Graph API, pages of lists,
what answers say. No network by itself. Beside it: what errors mean and which limits headers tell
(meta_errors), containers (meta_container), calls of theirs (meta_hooks), messages (meta_inbox), signing in
(meta_login).

Documents: docs/graph-api/guides/secure-requests and docs/graph-api/results, as of July 2026.

The token goes into the Authorization header, so it is in no address. ``appsecret_proof`` goes with it where
the app's secret is known and the host takes it. Not confirmed by a live call: that graph.instagram.com and
graph.threads.net take the header (their guides show it).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from requests import Response

from connectors import http
from connectors.base import Json, PostPayload, Quota, StoryLimit
from connectors.errors import ConnectorError, OutcomeUnknown, Rejected, RejectReason, Temporary
from connectors.meta_errors import error_of, map_error

MOST_OF_A_LIST = 40  # pages
MOST_COUNTED = 1 << 53  # no count of anything is larger

# --- calls ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Graph:
    """One host of the Graph API, spoken to with one token. ``base`` includes the version where there is one.

    ``secret``: the app's, for ``appsecret_proof``; "" where it is not known, or the host does not take it.
    """

    key: str  # of the network, for the log
    base: str
    token: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Json:
        """Raises Rejected(NOT_FOUND) for what is not there: see ``find``."""
        return self.answer(self.call("GET", path, params=params))

    def find(self, path: str, params: Mapping[str, Any] | None = None) -> Json | None:
        """As ``get``; None for what is not there."""
        try:
            return self.get(path, params)
        except Rejected as error:
            if error.reason is RejectReason.NOT_FOUND:
                return None
            raise

    def post(
        self, path: str, form: Mapping[str, Any] | None = None, *, changes: bool = False, **more: Any
    ) -> Json:
        return self.answer(self.call("POST", path, form=form or {}, changes=changes, **more))

    def delete(self, path: str, params: Mapping[str, Any] | None = None) -> Json:
        return self.answer(self.call("DELETE", path, params=params))

    def forget(self, path: str) -> None:
        """Delete something; what is not there is deleted."""
        try:
            self.delete(path)
        except Rejected as error:
            if error.reason is not RejectReason.NOT_FOUND:
                raise

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        form: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Response:
        """``path`` without a leading slash; lists and objects in ``params`` and ``form`` are sent as JSON."""
        sent = {"Accept": "application/json", **(headers or {})}
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        proof = {"appsecret_proof": appsecret_proof(self.token, self.secret)} if self.is_proven else {}
        if form is not None:
            form = {**_plain(form), **proof}
        else:
            params = {**(params or {}), **proof}
        return http.request(
            method,
            f"{self.base}/{path}",
            platform=self.key,
            headers=sent,
            params=_plain(params or {}) or None,
            form=form,
            **more,
        )

    def answer(self, response: Response, *secrets: str) -> Json:
        """The JSON object of an answer. Raises what its error means, without our token and ``secrets`` in its
        words; an error inside HTTP 200, too."""
        if not 200 <= response.status_code < 300:
            raise map_error(response, self.token, self.secret, *secrets)
        answer = http.json_object(response)
        if isinstance(answer.get("error"), dict):
            raise map_error(response, self.token, self.secret, *secrets)
        return answer

    def entry(self, response: Response, *secrets: str) -> Json:
        """As ``answer``, of a call for a token. That the app or its secret is not known Meta says with the
        codes of a failure that passes: Rejected(INVALID)."""
        try:
            return self.answer(response, *secrets)
        except Temporary as error:
            words = str(error_of(response).get("message") or "")
            if 400 <= response.status_code < 500 and re.search(r"(?i)\bvalidating\b", words):
                raise Rejected(RejectReason.INVALID, error.detail) from error
            raise

    def lists(
        self, path: str, params: Mapping[str, Any] | None = None, *, most_pages: int = 5
    ) -> Iterator[Json]:
        """The objects of a list, page after page."""
        position = ""
        for _page in range(most_pages):
            answer = self.get(path, paged(params or {}, position))
            yield from objects(answer)
            position = following(answer)
            if not position:
                return

    def whole(
        self,
        path: str,
        params: Mapping[str, Any],
        *,
        first: object = None,
        is_enough: Callable[[Json], bool] = lambda _one: False,
    ) -> list[Json]:
        """All objects of a list, for looking whether something of ours is among them. ``first``: its first
        page, where that came with something else. It may end with the page that has one that ``is_enough``.

        Raises Temporary for a list that is longer than we read: what was not met may stand further on.
        """
        found: list[Json] = []
        listed: object = first if first is not None else self.get(path, params)
        for _page in range(MOST_OF_A_LIST):
            page = objects(listed)
            found += page
            position = following(listed)
            if not position or any(is_enough(one) for one in page):
                return found
            listed = self.get(path, paged(params, position))
        raise Temporary("a list that is longer than is read")

    @property
    def is_proven(self) -> bool:
        return bool(self.token and self.secret)


def appsecret_proof(token: str, secret: str) -> str:
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """As forms and queries have it: what is not a text or a number is JSON, None is left out."""
    return {
        name: json.dumps(value, separators=(",", ":")) if isinstance(value, bool | list | dict) else value
        for name, value in values.items()
        if value is not None
    }


# --- answers ----------------------------------------------------------------------------------

_POSITIONS = ("after", "until", "since", "offset", "__paging_token")


def objects(answer: object) -> list[Json]:
    """``data`` of a list's answer. Raises Temporary where there is none."""
    data = nested(answer, "data")
    if not isinstance(data, list):
        raise Temporary("an answer without a list")
    return [one for one in data if isinstance(one, dict)]


def rows(listed: object) -> list[Json]:
    """The objects of a list that came with something, none where there is no list."""
    data = nested(listed, "data")
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []


def following(answer: object) -> str:
    """Where a list goes on, "" at its end. Only what says where it is taken from the address that the network
    names: it has the token in it, and no answer decides whom we call."""
    link = nested(answer, "paging", "next")
    if not isinstance(link, str):
        return ""
    try:
        query = dict(parse_qsl(urlsplit(link).query))
        return urlencode({name: query[name] for name in _POSITIONS if name in query})
    except ValueError:
        return ""


def paged(params: Mapping[str, Any], position: str) -> dict[str, Any]:
    """The query of the page at ``position`` (of ``following``, "" for the first)."""
    given = {name: value for name, value in parse_qsl(position) if name in _POSITIONS}
    return {**params, **given}


def instant(stated: object) -> dt.datetime:
    """An instant as Meta writes it: ``2026-11-22T12:00:00+0000``, or (milli)seconds of the epoch."""
    try:
        if isinstance(stated, int | float) and not isinstance(stated, bool):
            return dt.datetime.fromtimestamp(stated / 1000 if stated > 1e11 else stated, dt.UTC)
        at = dt.datetime.fromisoformat(str(stated))
        at = at.astimezone(dt.UTC) if at.tzinfo else at.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Temporary("something without a date") from error
    if not _FIRST <= at <= _LAST:  # so far away that a day more or less is no date any more
        raise Temporary("something with an absurd date")
    return at


_FIRST, _LAST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(2999, 1, 1, tzinfo=dt.UTC)


def instant_or(stated: object, other: dt.datetime | None) -> dt.datetime | None:
    """As ``instant``; ``other`` for what is none."""
    try:
        return instant(stated)
    except Temporary:
        return other


def number(stated: object) -> int | None:
    """A whole number, of the digits that ``int`` takes too; None for anything else."""
    if isinstance(stated, str) and re.fullmatch(r"[0-9]{1,18}", stated):
        return int(stated)
    return stated if isinstance(stated, int) and not isinstance(stated, bool) else None


def count(entity: Mapping[str, Any], name: str) -> int | None:
    """A number of something, None where it is not told."""
    return _counted(entity.get(name))


def _counted(value: object) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= MOST_COUNTED else None


def word_of(answer: Json, name: str = "id") -> str:
    """An id, a name or a token of an answer. Raises what an answer without it means: Temporary, or
    OutcomeUnknown where something may have been done."""
    value = answer.get(name)  # of a copy, too, which does not raise by itself
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if 0 <= value < 1 << 64 else ""
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]{1,4000}", value):
        failure: type[ConnectorError] = getattr(answer, "failure", Temporary)
        raise failure(f"an answer without a usable {name!r}")
    return value


def path_id(remote_id: object) -> str:
    """An id as a path has it. Raises Rejected(NOT_FOUND) for none: the path would be another call."""
    if not str(remote_id or "").strip("./ "):
        raise Rejected(RejectReason.NOT_FOUND, "something without an id")
    return quote(str(remote_id), safe="", errors="replace")


def quotas(answer: Json, names: Mapping[str, tuple[str, str]]) -> tuple[Quota, ...]:
    """Allowances of an answer; ``names``: its members for what is used and what is allowed, by label."""
    found = []
    for one in objects(answer):
        for label, (usage, config) in names.items():
            used, most = count(one, usage), _counted(nested(one, config, "quota_total"))
            if used is not None and most is not None:
                window_s = _counted(nested(one, config, "quota_duration"))
                found.append(Quota(label, used, most, window_s or 0))
    return tuple(found)


def nested(entity: object, *names: str) -> Any:
    """What lies some levels deep in an answer, None where anything on the way is missing."""
    for name in names:
        entity = entity.get(name) if isinstance(entity, Mapping) else None
    return entity


def insights(answer: Json) -> dict[str, int]:
    """The counts of an insights answer by their names: the latest value, the total, or the sum of what it is
    broken down into. What holds no number is left out."""
    found: dict[str, int] = {}
    for one in objects(answer):
        values = one.get("values")
        latest = values[-1] if isinstance(values, list) and values else None
        value = nested(one, "total_value", "value")
        value = nested(latest, "value") if value is None else value
        if isinstance(value, Mapping):
            value = sum(n for n in map(_counted, value.values()) if n is not None)
        if (counted := _counted(value)) is not None:
            found[str(one.get("name"))] = counted
    return found


def web_url(value: object) -> str:
    """An address that may stand in a page; anything else is dropped."""
    return value if isinstance(value, str) and re.match(r"(?i)https?://", value) else ""


def lifetime(answer: Json) -> dt.datetime | None:
    """When a token of an answer ends; None where it does not say."""
    stated = answer.get("expires_in")
    seconds = stated if isinstance(stated, float) else number(stated)
    if seconds is None or not 0 < seconds < 10 * 365 * 86_400:
        return None
    return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)


# --- publications -----------------------------------------------------------------------------


def clock_now() -> dt.datetime:
    """The time; tests that turn the clock turn this one, too."""
    return dt.datetime.now(dt.UTC)


def check_story(payload: PostPayload, index: int, limit: StoryLimit) -> None:
    """What Meta would refuse of a story after the upload, or at the very end. Raises Rejected."""
    media = payload.parts[index].media
    if len(media) > 1:
        raise Rejected(RejectReason.TOO_MANY_MEDIA, "a story has one image or video")
    if any(item.duration_s > limit.max_seconds for item in media):
        raise Rejected(RejectReason.VIDEO_TOO_LONG, f"a story has {limit.max_seconds:g} seconds")
    if any(one.is_comment for one in payload.parts):
        raise Rejected(RejectReason.NOT_SUPPORTED, "nobody comments below a story")


@contextlib.contextmanager
def asking() -> Iterator[None]:
    """Around questions after what became of a publication: that Meta refuses to tell says nothing of it, so a
    refusal is OutcomeUnknown and never "was not published". A dead token and a limit stay what they are."""
    try:
        yield
    except Rejected as refused:
        raise OutcomeUnknown(refused.detail) from refused
