"""The text behind the HTML that fediverse servers make of a post."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Any


def plain_text(content: str, *, mentions: Sequence[Mapping[str, Any]] = ()) -> str:
    """What was typed, as far as a status's HTML tells: links in full, ``@user@host`` for people on other
    servers (the HTML shows only ``@user``), paragraphs and breaks as line ends."""
    reader = _StatusReader({str(m.get("url")): str(m.get("acct")) for m in mentions})
    # The parser gives up at what only looks like a declaration.
    reader.feed(content.replace("<![", "&lt;!["))
    reader.close()
    return re.sub(r"\n{3,}", "\n\n", "".join(reader.pieces)).strip()


class _StatusReader(HTMLParser):
    def __init__(self, accounts: Mapping[str, str]) -> None:
        super().__init__(convert_charrefs=True)
        self.accounts = accounts
        self.pieces: list[str] = []
        self.link: tuple[str, str, int] | None = None  # address, classes, index of its first piece

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "br":
            self.pieces.append("\n")
        elif tag == "a":
            self.link = (attributes.get("href") or "", attributes.get("class") or "", len(self.pieces))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self.link is not None:
            address, classes, first = self.link
            shown = "".join(self.pieces[first:])
            self.pieces[first:] = [self._typed(address, classes.split(), shown)]
            self.link = None
        elif tag in {"p", "div", "blockquote", "ul", "ol", "pre"}:
            self.pieces.append("\n\n")
        elif tag == "li":
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def _typed(self, address: str, classes: list[str], shown: str) -> str:
        if address in self.accounts:
            return f"@{self.accounts[address]}"
        if "mention" in classes or "hashtag" in classes or shown.startswith(("#", "＃", "@")):
            return shown
        # Mastodon hides parts of a long address in invisible spans, which still are text; others cut
        # it and put an ellipsis.
        core = shown.strip().rstrip("…").rstrip(".")
        is_cut = shown.strip() != core and core in address
        return address if is_cut or (core in address and not core.lower().startswith("http")) else shown
