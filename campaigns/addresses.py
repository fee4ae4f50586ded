"""Web addresses as values: what a link may lead to, its UTM parameters, and our own short addresses.

Nothing is ever fetched here: a target is opened by the visitor's browser alone, so private hosts (an
intranet, a development server) are as good as any.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Callable, Mapping
from urllib.parse import quote, unquote_plus, urlsplit

from django.conf import settings
from django.utils.encoding import iri_to_uri

from connectors.text import Span, find_links

SHORT_PATH = "/l/"
CODE_LENGTH = 7  # 62 ** 7 codes: nobody finds links by trying
MOST_CHARACTERS = 2000  # of an address as it is written
MOST_OF_TARGET = 2500  # with parameters, percent-encoded
# Comes back with a conversion (Click.key). One that was copied with an address belongs to another click.
CLICK_PARAMETER = "smm_click"

_WEB = re.compile(r"(?i)(https?)://([^/?#]*)(.*)", re.DOTALL)
_AUTHORITY = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s@:\[\]\\%<>\"]+)(?::([0-9]{1,5}))?")
_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)


class Refusal(enum.StrEnum):
    """Why an address cannot be the target of a link."""

    NOT_WEB = "not_web"  # another scheme than http and https: javascript:, data:, mailto: ...
    NO_HOST = "no_host"  # no host, or none that can be
    CREDENTIALS = "credentials"  # a user name or password before the host
    UNREADABLE = "unreadable"  # spaces or control characters within
    OURS = "ours"  # a short address of this installation: it would only lead in a circle
    TOO_LONG = "too_long"


def refusal(url: str) -> Refusal | None:
    """Why ``url`` cannot be a target, None when it can."""
    if len(url) > MOST_CHARACTERS:
        return Refusal.TOO_LONG
    if any(unicodedata.category(c) in {"Cc", "Cs", "Zs", "Zl", "Zp"} for c in url):
        return Refusal.UNREADABLE
    parts = _WEB.fullmatch(url)
    if parts is None:
        return Refusal.NOT_WEB
    if "@" in parts[2]:
        return Refusal.CREDENTIALS
    if _ascii_authority(parts[2]) is None:
        return Refusal.NO_HOST
    return Refusal.OURS if is_ours(url) else None


def _ascii_authority(authority: str) -> str | None:
    """Host and port as DNS knows them (IDNA), None when there is no such host."""
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None or (parts[2] and int(parts[2]) > 65535):
        return None
    host = parts[1]
    if not host.startswith("["):
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            return None
        if not _HOST.fullmatch(host):
            return None
    else:
        try:
            urlsplit(f"//{host}")  # knows IPv6
        except ValueError:
            return None
    return f"{host}:{parts[2]}" if parts[2] else host


def is_ours(url: str) -> bool:
    """Whether it is a short address of this installation, under either of its hosts."""
    parts = urlsplit(url)
    own = {urlsplit(base).netloc.lower() for base in (settings.LINK_BASE_URL, settings.BASE_URL)}
    return parts.netloc.lower() in own and parts.path.startswith(SHORT_PATH)


def with_parameters(url: str, parameters: Mapping[str, str]) -> str:
    """``url`` (not refused) as a target: in ASCII, with each of the parameters that its query does not name
    yet; an empty value adds nothing. What stands there already stays, letter for letter, and so does the
    fragment; only a CLICK_PARAMETER goes. Doing it again changes nothing."""
    parts = _WEB.fullmatch(url)
    assert parts is not None  # noqa: S101 - refusal() came first
    rest, hash_sign, fragment = parts[3].partition("#")
    path, question_mark, query = rest.partition("?")
    pieces = [piece for piece in query.split("&") if _name_of(piece) != CLICK_PARAMETER] if query else []
    present = {_name_of(piece).lower() for piece in pieces}
    pieces += [
        f"{name}={quote(value, safe='')}"
        for name, value in parameters.items()
        if value and name not in present
    ]
    joined = "&".join(pieces)
    question_mark = "?" if joined else question_mark
    tail = iri_to_uri(f"{path}{question_mark}{joined}{hash_sign}{fragment}") or ""
    return f"{parts[1]}://{_ascii_authority(parts[2])}{tail}"


def _name_of(piece: str) -> str:
    return unquote_plus(piece.partition("=")[0])


def with_click(target: str, key: str) -> str:
    """A stored target with the key of one click."""
    head, hash_sign, fragment = target.partition("#")
    mark = "&" if "?" in head and not head.endswith(("?", "&")) else "" if "?" in head else "?"
    return f"{head}{mark}{CLICK_PARAMETER}={key}{hash_sign}{fragment}"


def short_url(code: str) -> str:
    return f"{settings.LINK_BASE_URL}{SHORT_PATH}{code}"


def trackable(text: str) -> list[Span]:
    """The links of a text that can become tracked ones, as networks find them. What cannot be a target stays
    as it is written, our own short addresses among it."""
    return [span for span in find_links(text) if refusal(span.value) is None]


def replaced(text: str, replacement: Callable[[str], str]) -> str:
    """The text with ``replacement(address)`` in the place of each of its trackable links."""
    pieces: list[str] = []
    position = 0
    for span in trackable(text):
        pieces += [text[position : span.start], replacement(span.value)]
        position = span.end
    return "".join([*pieces, text[position:]])
