"""Identifiers of rows."""

from __future__ import annotations

import uuid

import uuid_utils


def uuid7() -> uuid.UUID:
    """A random UUID that sorts by creation time (RFC 9562, version 7): new rows land together in an index."""
    return uuid.UUID(bytes=uuid_utils.uuid7().bytes)
