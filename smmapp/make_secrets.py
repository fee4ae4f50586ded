"""``python -m smmapp.make_secrets FOLDER``: keys and passwords as files for containers; old ones stay."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from cryptography.fernet import Fernet


def make(folder: Path) -> list[str]:
    """Write the files that are missing; their names."""
    made = [
        name
        for name, value in (
            ("secret_key", secrets.token_urlsafe(48)),
            ("field_keys", Fernet.generate_key().decode()),
            ("postgres_password", secrets.token_urlsafe(32)),
            ("redis_password", secrets.token_urlsafe(32)),
        )
        if _write_new(folder / name, value)
    ]
    postgres, redis = ((folder / f"{name}_password").read_text() for name in ("postgres", "redis"))
    addresses = (
        ("database_url", f"postgres://smmapp:{postgres}@postgres:5432/smmapp"),
        ("redis_url", f"redis://:{redis}@redis:6379/0"),
    )
    return made + [name for name, value in addresses if _write_new(folder / name, value)]


def _write_new(path: Path, value: str) -> bool:
    try:
        # Every container that mounts the folder reads it as a user of its own.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w") as file:
        file.write(value)
    return True


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print("made:", ", ".join(make(Path(sys.argv[1]))) or "nothing, all are there")  # noqa: T201 - a command line
