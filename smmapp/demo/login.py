"""How to sign in to the demo: said by ``make run`` and kept in the var folder, readable by its user only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.conf import settings

from smmapp.demo.plan import PEOPLE

FILE_NAME = "demo-login.txt"


def new_password() -> str:
    """Different for every installation: a demo that somebody can reach is not open to everybody."""
    return secrets.token_urlsafe(9)


def lines(password: str) -> list[str]:
    first, *others = PEOPLE
    return [
        f"Demo login: {first.email} / {password} ({first.role.value})",
        "Same password: " + ", ".join(f"{one.email} ({one.role.value})" for one in others),
    ]


def path() -> Path:
    return Path(settings.VAR_DIR) / FILE_NAME


def keep(password: str) -> list[str]:
    """Write the lines to the file that ``make run`` prints; returns them."""
    text = lines(password)
    descriptor = os.open(path(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(text) + "\n")
    return text


def kept() -> list[str]:
    """What was written before, [] if nothing was."""
    try:
        return path().read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
