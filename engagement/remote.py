"""What networks name and say, in the form in which it is kept."""

from __future__ import annotations

import hashlib

from connectors.base import InboxKind

MOST_OF_ID = 512
_MOST_OF_URL = 1000


def key_of(kind: str, remote_id: str) -> str:
    """SHA-256 (hex) of a remote id, "" for none: of a fixed length, and it outlives an erasure. Networks
    count messages and posts apart, so that the same number may name one of each."""
    if not remote_id:
        return ""
    space = "message" if kind == InboxKind.DM else "post"
    return hashlib.sha256(f"{space}:{remote_id}".encode()).hexdigest()


def clean(text: str) -> str:
    """PostgreSQL takes no NUL character, and some networks do."""
    return text.replace("\0", "")


def web_address(url: str) -> str:
    """What a page may link to, "" for anything else."""
    is_web = url.startswith(("http://", "https://")) and len(url) <= _MOST_OF_URL and "\0" not in url
    return url if is_web else ""
