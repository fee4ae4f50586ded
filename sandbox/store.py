"""The network's SQLite file: one connection, used from the event loop's thread only.

A write is a handful of prepared statements in one WAL transaction without an fsync (some tens of
microseconds), so it runs right in the loop: there is nothing to queue and nothing to lock. What one
request changes and its row in the ledger are one transaction, so an answer is never given for
something that a killed process forgets (a power cut may take the last seconds).
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import sqlite3
import tempfile
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = sqlite3.Row

_ID_EPOCH_MS = 1_704_067_200_000  # 2024-01-01; ids stay below 2**53, which JavaScript can count to
_SPACE = re.compile(r"\s+")
_ZERO_WIDTH = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))


# Columns of text that came after the first schema: files of before do not have them.
_ADDED = (("accounts", "topics"), ("posts", "topic"))


class Store:
    """``path`` empty or ``:memory:`` = a temporary file, removed by ``close``."""

    def __init__(self, path: str = "") -> None:
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        if path in ("", ":memory:"):
            self._temporary = tempfile.TemporaryDirectory(prefix="sandbox-", ignore_cleanup_errors=True)
            path = str(Path(self._temporary.name) / "sandbox.sqlite3")
        self.connection = sqlite3.connect(
            path, isolation_level=None, cached_statements=512, check_same_thread=False
        )
        self.connection.row_factory = sqlite3.Row
        self.run = self.connection.execute
        for pragma in (
            "journal_mode = WAL",
            "synchronous = OFF",
            "busy_timeout = 5000",
            "cache_size = -65536",
            "temp_store = MEMORY",
            "wal_autocheckpoint = 4000",
        ):
            self.run(f"PRAGMA {pragma}")
        self.connection.executescript(Path(__file__).with_name("schema.sql").read_text())
        for table, column in _ADDED:
            if column not in {row["name"] for row in self.run(f"PRAGMA table_info({table})")}:
                self.run(f"ALTER TABLE {table} ADD COLUMN {column} TEXT NOT NULL DEFAULT ''")
        self._last_id = max(
            self.value(f"SELECT COALESCE(max(id), 0) FROM {table}")
            for table in ("posts", "media", "containers", "messages")
        )

    def close(self) -> None:
        self.connection.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self.run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.run("ROLLBACK")
            raise
        self.run("COMMIT")

    def one(self, query: str, *values: Any) -> Row | None:
        row: Row | None = self.run(query, values).fetchone()
        return row

    def the(self, query: str, *values: Any) -> Row:
        """The row that must be there. Raises LookupError when it is not: that is a bug."""
        row = self.one(query, *values)
        if row is None:
            raise LookupError(query)
        return row

    def all(self, query: str, *values: Any) -> list[Row]:
        return self.run(query, values).fetchall()

    def value(self, query: str, *values: Any) -> Any:
        """First column of the first row, None without a row."""
        row = self.run(query, values).fetchone()
        return None if row is None else row[0]

    def insert(self, table: str, **columns: Any) -> int:
        """Insert one row and return its integer key. ``table`` and column names are ours, never input."""
        names = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        cursor = self.run(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(columns.values()))
        return cursor.lastrowid or 0

    def new_id(self) -> int:
        """A larger number than any before, by the machine's time: an emptied network never gives the
        ids of its former posts to others, and clients that remember those are not misled."""
        self._last_id = max(self._last_id + 1, (int(time.time() * 1000) - _ID_EPOCH_MS) << 10)
        return self._last_id

    def setting(self, name: str, default: str = "") -> str:
        return self.value("SELECT value FROM settings WHERE name = ?", name) or default

    def set_setting(self, name: str, value: str) -> None:
        self.run("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))


def marks(count: int) -> str:
    """``?, ?, ?`` for an IN list."""
    return ", ".join("?" * count)


def normalised(text: str) -> str:
    """Text as duplicates are recognised: NFC, white space folded, zero-width characters removed."""
    if text.isascii():
        return _SPACE.sub(" ", text).strip()
    return _SPACE.sub(" ", unicodedata.normalize("NFC", text).translate(_ZERO_WIDTH)).strip()


def text_hash(text: str) -> bytes:
    return hashlib.blake2b(normalised(text).encode(), digest_size=16).digest()


def secret_hash(secret: str) -> bytes:
    """Tokens, codes and client secrets are kept as hashes only."""
    return hashlib.sha256(secret.encode()).digest()
