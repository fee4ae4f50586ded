"""What the networks of Meta (Facebook, Instagram, Threads) share: calls of the Graph API, what its errors
mean, limits told by headers, pages of lists, containers, webhooks and signed requests. No network by itself.

Documents: docs/graph-api/guides/error-handling, docs/graph-api/overview/rate-limiting,
docs/graph-api/guides/secure-requests, docs/graph-api/results, docs/graph-api/webhooks/getting-started,
docs/development/create-an-app/app-dashboard/data-deletion-callback, and
documentation/instagram-platform/instagram-graph-api/reference/error-codes, as of July 2026.

* The token goes into the Authorization header, so it is in no address. ``appsecret_proof`` goes with it where
  the app's secret is known and the host takes it.
* An error is ``{"error": {"code", "error_subcode", "is_transient", "message", "fbtrace_id"}}``, mostly with
  HTTP 400. The code decides, not the status; a subcode says more than its code.
* Not confirmed by a live call: that graph.instagram.com and graph.threads.net take the header (their guides
  show it), and what the subcodes of publishing mean at each step. What is not known of a publication is in
  doubt.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from requests import Response

from connectors import http
from connectors.base import Json, StepResult, StepState, WebhookEvent, WebhookKind
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.limits import Allowance, Answer

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


def objects(answer: Json) -> list[Json]:
    """``data`` of a list's answer. Raises Temporary where there is none."""
    data = answer["data"]
    if not isinstance(data, list):
        raise Temporary("an answer without a list")
    return [one for one in data if isinstance(one, dict)]


def following(answer: Json) -> str:
    """Where a list goes on, "" at its end. Only what says where it is taken from the address that the network
    names: it has the token in it, and no answer decides whom we call."""
    paging = answer.get("paging")
    link = paging.get("next") if isinstance(paging, dict) else None
    if not isinstance(link, str):
        return ""
    try:
        query = dict(parse_qsl(urlsplit(link).query))
    except ValueError:
        return ""
    return urlencode({name: query[name] for name in _POSITIONS if name in query})


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
    except (ValueError, OverflowError, OSError) as error:
        raise Temporary("something without a date") from error
    return at.astimezone(dt.UTC) if at.tzinfo else at.replace(tzinfo=dt.UTC)


def count(entity: Mapping[str, Any], name: str) -> int | None:
    """A number of something, None where it is not told."""
    value = entity.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


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
            numbers = [n for n in value.values() if isinstance(n, int) and not isinstance(n, bool)]
            value = sum(numbers)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            found[str(one.get("name"))] = value
    return found


def web_url(value: object) -> str:
    """An address that may stand in a page; anything else is dropped."""
    return value if isinstance(value, str) and re.match(r"(?i)https?://", value) else ""


def lifetime(answer: Json) -> dt.datetime | None:
    """When a token of an answer ends; None where it does not say."""
    seconds = answer.get("expires_in")
    if isinstance(seconds, str) and seconds.isdigit():
        seconds = int(seconds)
    if (
        not isinstance(seconds, int | float)
        or isinstance(seconds, bool)
        or not 0 < seconds < 10 * 365 * 86_400
    ):
        return None
    return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)


# --- containers -------------------------------------------------------------------------------

CONTAINER_LIFETIME = dt.timedelta(hours=23)  # it ends 24 hours after it was made, and takes time to be filled


def clock_now() -> dt.datetime:
    """The time; tests that turn the clock turn this one, too."""
    return dt.datetime.now(dt.UTC)


def container_result(
    container_id: str, status: object, words: object = "", *, wait_s: float = 3.0
) -> StepResult | None:
    """What the state of a container of Instagram or Threads means for the step that makes it.

    None: it has ended and must be made again. Raises Rejected for what the network could not work on.
    """
    match status:
        case "FINISHED" | "PUBLISHED":
            return StepResult(remote_id=container_id, ends_at=clock_now() + CONTAINER_LIFETIME)
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


# --- webhooks ---------------------------------------------------------------------------------

# Requests signed longer ago are not taken: they may be somebody else's copy.
SIGNED_FOR = dt.timedelta(days=1)
CLOCK_SKEW = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a call: what happened to which account. ``field`` is "messaging" for what came in an
    entry's list of messages, whose ``value`` is one of them."""

    object: str  # "page", "instagram", ...; "" where the call does not say (Threads)
    account_id: str
    at: dt.datetime | None
    field: str
    value: Json

    @property
    def event_id(self) -> str:
        """The same when the call is repeated: a message has an id of its own, else all of it is hashed."""
        mid = nested(self.value, "message", "mid")
        if self.field == "messaging" and isinstance(mid, str) and mid and len(mid) <= 190:
            return f"message:{mid}"
        told = json.dumps([self.object, self.account_id, self.field, self.value], sort_keys=True)
        return hashlib.sha256(told.encode(errors="replace")).hexdigest()


def challenge(query: Mapping[str, str], verify_token: str) -> str | None:
    """The answer to the question whether the address is ours."""
    given = query.get("hub.verify_token", "")
    if query.get("hub.mode") != "subscribe" or not verify_token:
        return None
    if not hmac.compare_digest(given.encode(errors="replace"), verify_token.encode()):
        return None
    return query.get("hub.challenge") or None


def is_genuine(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    """Whether Meta sent this: by the header over the whole body, or by the signature inside a signed request.

    A call bears no time that can be trusted, so an old one can be repeated; its ``event_id`` is the same
    then. A signed request does (``issued_at``), and is taken for a day.
    """
    if not secret:
        return False
    if signed := signed_request(body):
        return opened(signed, secret) is not None
    name, _, given = headers.get("x-hub-signature-256", "").partition("=")
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return name == "sha256" and hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def changes(body: bytes) -> list[Change]:
    """The lines of a call, in order. Raises Rejected(INVALID) for what is none."""
    try:
        call = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Rejected(RejectReason.INVALID, "not JSON") from error
    if not isinstance(call, dict):
        raise Rejected(RejectReason.INVALID, "not an object")
    if isinstance(call.get("values"), dict | list):  # as Threads has it
        return list(_lines("", call.get("target_id"), call.get("time"), call["values"]))
    entries = call.get("entry")
    if not isinstance(entries, list):
        raise Rejected(RejectReason.INVALID, "no entries")
    found: list[Change] = []
    for entry in entries:
        if isinstance(entry, dict):
            about = (str(call.get("object") or ""), entry.get("id"), entry.get("time"))
            found += _lines(*about, entry.get("changes"))
            talk = entry.get("messaging")
            lines = [{"field": "messaging", "value": one} for one in talk] if isinstance(talk, list) else []
            found += _lines(*about, lines)
    return found


def _lines(kind: str, account_id: object, time: object, told: object) -> Iterator[Change]:
    try:
        at = instant(time) if time else None
    except Temporary:
        at = None
    for one in told if isinstance(told, list) else [told]:
        if isinstance(one, dict) and isinstance(one.get("value"), dict):
            yield Change(kind, str(account_id or ""), at, str(one.get("field") or ""), one["value"])


def signed_request(body: bytes) -> str:
    """The signed request of a form (the call to the addresses for withdrawn permissions and for requests of
    deletion), "" where the body is something else."""
    # Whatever else it may say, a call of the other kind is JSON: nobody's words make a form of it.
    if not body.startswith(b"signed_request="):
        return ""
    try:
        return dict(parse_qsl(body.decode("ascii"))).get("signed_request", "")
    except ValueError:
        return ""


def opened(signed: str, secret: str) -> Json | None:
    """What a signed request says; None if it was not signed with the app's secret, or too long ago."""
    signature, _, payload = signed.partition(".")
    told = _payload(payload)
    if not secret or told is None or str(told.get("algorithm", "")).upper() != "HMAC-SHA256":
        return None
    expected = hmac.new(secret.encode(), payload.encode(errors="replace"), hashlib.sha256).digest()
    try:
        given = _from_base64(signature)
    except ValueError:
        return None
    if not hmac.compare_digest(given, expected):
        return None
    now, issued = dt.datetime.now(dt.UTC), told.get("issued_at")
    if issued is not None:
        try:
            at = instant(issued)
        except Temporary:
            return None
        if not now - SIGNED_FOR <= at <= now + CLOCK_SKEW:
            return None
    return told


def signed_event(body: bytes, kind: WebhookKind) -> WebhookEvent:
    """What a genuine signed request tells: whose it is. It does not say what it is for; the address that was
    called does. Raises Rejected(INVALID)."""
    signed = signed_request(body)
    told = _payload(signed.partition(".")[2]) if signed else None
    person = str(told.get("user_id") or "") if told else ""
    if not person:
        raise Rejected(RejectReason.INVALID, "a signed request without a person")
    mark = hashlib.sha256(signed.encode()).hexdigest()
    return WebhookEvent(event_id=f"{kind}:{mark}", kind=kind, account_id=person)


def _payload(encoded: str) -> Json | None:
    try:
        told = json.loads(_from_base64(encoded))
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _from_base64(text: str) -> bytes:
    """Without padding, in the alphabet for addresses. Raises ValueError."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


# --- errors -----------------------------------------------------------------------------------

APP_WAIT_S = 900.0  # limits of an app move over one hour
WAIT_S = 300.0
BLOCKED_WAIT_S = 3600.0  # blocked for behaviour, or the posts of a day are used up

_RECONNECT = frozenset({102, 190, 467})
_APP_LIMITS = frozenset({4, 341})
_LIMITS = frozenset({9, 17, 32, 368, 613, *range(80_000, 80_015)})
_BLOCKED = frozenset({9, 368})
_PASSING = frozenset({-1, -2, 1, 2})
_REASONS = {
    3: RejectReason.FORBIDDEN,
    10: RejectReason.FORBIDDEN,
    21: RejectReason.NOT_FOUND,  # the page has moved to another id
    24: RejectReason.NOT_FOUND,
    25: RejectReason.FORBIDDEN,
    324: RejectReason.MEDIA_BROKEN,
    352: RejectReason.MEDIA_BROKEN,
    389: RejectReason.MEDIA_NOT_PUBLIC,
    506: RejectReason.DUPLICATE,
    551: RejectReason.FORBIDDEN,  # this person takes no messages now
    803: RejectReason.NOT_FOUND,
    9004: RejectReason.MEDIA_NOT_PUBLIC,
    36000: RejectReason.MEDIA_TOO_LARGE,
    36001: RejectReason.MEDIA_TYPE,
    36003: RejectReason.MEDIA_SHAPE,
    36004: RejectReason.TEXT_TOO_LONG,
    1366046: RejectReason.MEDIA_TOO_LARGE,
}
# A subcode means a reason, or one of the errors.
_Meaning = RejectReason | type[NeedsReconnect] | type[RateLimited] | type[Temporary]
SUBCODES: dict[int, _Meaning] = {
    33: RejectReason.NOT_FOUND,  # of 100: not there, or not to be seen with this token
    **dict.fromkeys((458, 459, 460, 463, 464, 467, 492), NeedsReconnect),
    1363030: Temporary,  # an upload that took too long
    1609005: RejectReason.INVALID,  # the link cannot be read
    1545041: RejectReason.FORBIDDEN,  # this person takes no messages now
    2018001: RejectReason.NOT_FOUND,  # no such person
    2018278: RejectReason.FORBIDDEN,  # the time to answer in is over
    2534022: RejectReason.FORBIDDEN,
    2207001: Temporary,
    2207003: Temporary,  # fetching the file took too long
    2207004: RejectReason.MEDIA_TOO_LARGE,
    2207005: RejectReason.MEDIA_TYPE,
    2207006: RejectReason.NOT_FOUND,
    2207008: RejectReason.NOT_FOUND,  # the container is not there (any more)
    2207009: RejectReason.MEDIA_SHAPE,
    2207010: RejectReason.TEXT_TOO_LONG,
    2207013: RejectReason.NOT_FOUND,  # no such professional account
    2207020: RejectReason.NOT_FOUND,  # the container has ended
    2207023: RejectReason.MEDIA_TYPE,
    2207026: RejectReason.MEDIA_BROKEN,
    2207027: Temporary,  # the container is not ready
    2207028: RejectReason.TOO_MANY_MEDIA,
    2207032: Temporary,
    2207042: RateLimited,  # the posts of a day
    2207050: RejectReason.FORBIDDEN,  # the account is restricted
    2207051: RejectReason.FORBIDDEN,  # held back as spam
    2207052: RejectReason.MEDIA_NOT_PUBLIC,
    2207053: Temporary,
    2207057: RejectReason.INVALID,
}


def error_of(response: Response) -> Json:
    """The error object of an answer, empty where there is none."""
    try:
        answer = response.json()
    except ValueError:
        return {}
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else {}


def code_of(error: Json, name: str = "code") -> int | None:
    value = error.get(name)
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,12}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def map_error(response: Response, *secrets: str) -> ConnectorError:
    """What an answer that is not a success means: the only place that knows Meta's codes."""
    error, status = error_of(response), response.status_code
    words = http.redact(http.excerpt(response), *secrets)
    if said := error.get("error_user_msg"):
        words = f"{words}: {http.redact(str(said), *secrets)}"[:600]
    code, subcode = code_of(error), code_of(error, "error_subcode")
    may_be_done = getattr(response.request, "changes", False)
    passing = OutcomeUnknown(words) if may_be_done else Temporary(words)

    meaning = SUBCODES.get(subcode or 0)
    if isinstance(meaning, RejectReason):
        return Rejected(meaning, words)
    if meaning is NeedsReconnect or code in _RECONNECT or _is_without_token(code, words):
        return NeedsReconnect(words)
    if meaning is RateLimited or code in _LIMITS or code in _APP_LIMITS or status == 429:
        return RateLimited(
            _retry_at(response, code), words, of_app=code in _APP_LIMITS or _is_of_app(response)
        )
    if meaning is Temporary:
        return passing
    if code in _REASONS:
        return Rejected(_REASONS[code], words)
    if code is not None and 200 <= code <= 299:
        return Rejected(RejectReason.FORBIDDEN, words)
    if code == 100:
        return Rejected(RejectReason.INVALID, words)
    if 400 <= status < 500 and _is_used_up(response):
        return RateLimited(_retry_at(response, code), words, of_app=_is_of_app(response))
    if code in _PASSING or error.get("is_transient") is True or status >= 500:
        return passing
    return _by_status(status, words)


def _by_status(status: int, words: str) -> ConnectorError:
    if status == 401:
        return NeedsReconnect(words)
    reasons = {403: RejectReason.FORBIDDEN, 404: RejectReason.NOT_FOUND, 413: RejectReason.MEDIA_TOO_LARGE}
    return Rejected(reasons.get(status, RejectReason.INVALID), words)


def _is_without_token(code: int | None, words: str) -> bool:
    return code == 2500 and "access token" in words.lower()


# --- limits -----------------------------------------------------------------------------------

_OF_APP = "X-App-Usage"
_USAGES = (_OF_APP, "X-Page-Usage", "X-Ad-Account-Usage")
_BUSINESS = "X-Business-Use-Case-Usage"
_SHARES = ("call_count", "total_cputime", "total_time")


def _usage(response: Response | Answer, name: str) -> Json:
    try:
        usage = json.loads(response.headers.get(name, ""))
    except ValueError:
        return {}
    return usage if isinstance(usage, dict) else {}


def _is_full(usage: Mapping[str, Any]) -> bool:
    """Whether any share (in per cent) of an allowance is used up."""
    shares = (usage.get(name) for name in (*_SHARES, "acc_id_util_pct"))
    return any(isinstance(share, int | float) and share >= 100 for share in shares)


def _business_uses(response: Response | Answer) -> Iterator[Json]:
    for uses in _usage(response, _BUSINESS).values():
        yield from (use for use in (uses if isinstance(uses, list) else ()) if isinstance(use, dict))


def _minutes(use: Json) -> float:
    value = use.get("estimated_time_to_regain_access")
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return 0.0
    return max(float(value), 0.0)


def _is_of_app(response: Response) -> bool:
    return _is_full(_usage(response, _OF_APP))


def _is_used_up(response: Response) -> bool:
    return any(_is_full(_usage(response, name)) for name in _USAGES) or any(
        _is_full(use) or _minutes(use) for use in _business_uses(response)
    )


def _retry_at(response: Response, code: int | None) -> dt.datetime:
    """When all that is used up is free again, as far as Meta says."""
    now = dt.datetime.now(dt.UTC)
    if minutes := max((_minutes(use) for use in _business_uses(response)), default=0.0):
        return now + min(dt.timedelta(minutes=min(minutes, 1e6)), http.LONGEST_WAIT)
    default_s = WAIT_S
    if code in _BLOCKED:
        default_s = BLOCKED_WAIT_S
    elif code in _APP_LIMITS or _is_of_app(response):
        default_s = APP_WAIT_S
    return http.retry_after(response, now=now, default_s=default_s)


# Shares are of the last hour, move on with it, and lag behind what has just been called.
LOOK_AGAIN = dt.timedelta(minutes=5)
FULL_FROM = 0.95


def allowances(answer: Answer, *, now: dt.datetime) -> tuple[Allowance, ...]:
    """What the headers of any answer say (docs/graph-api/overview/rate-limiting): shares in per cent, of the
    app, of the page, and of the business behind it with the minutes until it is free again."""
    found = [(_usage(answer, name), 0.0, name == _OF_APP) for name in (_OF_APP, "X-Page-Usage")]
    found += [
        (use, _minutes(use), False)
        for use in _business_uses(answer)
        if not str(use.get("type", "")).startswith(("ads_", "custom_audience"))
    ]
    told = []
    for usage, minutes, of_app in found:
        shares = [
            float(usage[name])
            for name in _SHARES
            if isinstance(usage.get(name), int | float) and not isinstance(usage[name], bool)
        ]
        used = 1.0 if minutes else max(shares, default=0.0) / 100
        wait = dt.timedelta(minutes=min(minutes, 1e6)) if minutes else LOOK_AGAIN
        if used > 0:
            free_at = now + min(wait, http.LONGEST_WAIT)
            told.append(Allowance(used, free_at, full_from=FULL_FROM, of_app=of_app))
    return tuple(told)
