"""The few places that configuration comes from: the environment, files of secrets, the var folder."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent


def var_dir() -> Path:
    """The folder of everything that the running application writes."""
    return Path(os.environ.get("SMM_VAR_DIR") or BASE_DIR / "var").resolve()


def secret(name: str, default: str = "") -> str:
    """The value of ``name``, or the content of the file that ``<name>_FILE`` names (a mounted secret)."""
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return os.environ.get(name) or default
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}_FILE names {path}, which cannot be read: {error.strerror}"
        ) from error
