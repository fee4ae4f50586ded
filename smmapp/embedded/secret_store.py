"""The secrets that an installation without configuration makes for itself, in ``var/secrets.json``."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet

from smmapp.embedded.errors import EmbeddedError

NAMES = ("secret_key", "field_keys", "postgres_password", "redis_password")


def load(var_dir: Path) -> dict[str, str]:
    """The secrets of this folder, made the first time. Readable by their owner only.

    Raises EmbeddedError when the file is gone although a database encrypted with it is there.
    """
    path = var_dir / "secrets.json"
    known: dict[str, str] = {}
    if path.exists():
        known = json.loads(path.read_text())
    elif (var_dir / "postgres").exists():
        raise EmbeddedError(
            f"{path} is missing, and without its keys the database in {var_dir / 'postgres'} cannot be read. "
            f"Put the file back from a backup, or move {var_dir} away to start anew."
        )
    missing = [name for name in NAMES if name not in known]
    if missing:
        known |= {name: _new(name) for name in missing}
        _write(path, known)
    return known


def _new(name: str) -> str:
    return Fernet.generate_key().decode() if name == "field_keys" else secrets.token_urlsafe(48)


def _write(path: Path, values: dict[str, str]) -> None:
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    # The mode goes with the creation: a file made readable first and closed later can be opened in between.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(values, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
