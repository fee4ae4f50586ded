"""What a web page says about itself, for networks where the sender makes the link card (Bluesky).

Pages are named by people's texts, so they are read guarded and small. A page that cannot be read is no
fault: the card then shows the host's name.
"""

from __future__ import annotations

import contextlib
import html.parser
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from connectors import http
from connectors.errors import ConnectorError
from connectors.limits import Answer

TIMEOUT_S = 8.0
MAX_PAGE_BYTES = 512 * 1024  # what describes a page stands at its start
MAX_TITLE = 300
MAX_DESCRIPTION = 1000


@dataclass(frozen=True, slots=True)
class LinkPreview:
    """``title`` is never empty. ``image_url`` is absolute, or empty. ``is_read``: the page was had; else the
    title is the host's name."""

    url: str
    title: str
    description: str = ""
    image_url: str = ""
    is_read: bool = False


def read_preview(url: str, *, platform: str) -> LinkPreview:
    """Title, description and picture of a page, by its Open Graph tags, else its ``<title>``."""
    try:
        plain = LinkPreview(url=url, title=urlsplit(url).hostname or url)
    except ValueError:  # an address only by its looks, such as "http://[::1"
        return LinkPreview(url=url, title=url)
    try:
        # What a page says of limits of its own says nothing of the network's.
        with http.heard_by(_nobody):
            answer = http.request(
                "GET",
                url,
                platform=platform,
                headers={"Accept": "text/html"},
                timeout_s=TIMEOUT_S,
                guard=True,
            )
    except ConnectorError:
        return plain
    if answer.status_code != 200 or "html" not in answer.headers.get("Content-Type", ""):
        return plain
    if "charset" not in answer.headers["Content-Type"].lower():
        answer.encoding = "utf-8"
    page = _Head()
    # The parser gives up at declarations that it does not know; what it found until then counts.
    with contextlib.suppress(AssertionError):
        page.feed(answer.text[:MAX_PAGE_BYTES])
    found = page.found
    title = found.get("og:title") or found.get("title") or plain.title
    picture = found.get("og:image", "")
    return LinkPreview(
        url=url,
        title=title[:MAX_TITLE],
        description=(found.get("og:description") or found.get("description", ""))[:MAX_DESCRIPTION],
        image_url=_absolute(picture, base=str(answer.url)),
        is_read=True,
    )


def _absolute(address: str, *, base: str) -> str:
    """ "" for what is no address."""
    try:
        return urljoin(base, address) if address else ""
    except ValueError:
        return ""


def read_picture(url: str, *, platform: str, max_bytes: int) -> tuple[bytes, str] | None:
    """The bytes and mime type of a preview's picture; None if it cannot be had or is too large."""
    try:
        with http.heard_by(_nobody):
            answer = http.request("GET", url, platform=platform, timeout_s=TIMEOUT_S, guard=True)
    except ConnectorError:
        return None
    mime_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    is_picture = mime_type in {"image/jpeg", "image/png", "image/webp"}
    if answer.status_code != 200 or not is_picture or not 0 < len(answer.content) <= max_bytes:
        return None
    return answer.content, mime_type


def _nobody(_answer: Answer) -> None:
    return None


class _Head(html.parser.HTMLParser):
    """The first value of each describing tag, white space folded."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._is_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_title = tag == "title" and "title" not in self.found
        if tag == "meta":
            values = dict(attrs)
            self._keep(values.get("property") or values.get("name") or "", values.get("content") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._is_title = False

    def handle_data(self, data: str) -> None:
        if self._is_title:
            self._keep("title", data)

    def _keep(self, name: str, value: str) -> None:
        words = " ".join(value.replace("\0", " ").split())
        if words:
            self.found.setdefault(name.lower(), words)
