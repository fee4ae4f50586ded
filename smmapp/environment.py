"""The few places that configuration comes from: the environment, files of secrets, the var folder."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from urllib.parse import urlsplit

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


# Names that lead nowhere from outside (RFC 2606, RFC 6762, RFC 8375, ICANN 2024).
_INNER_NAMES = ("localhost", "local", "internal", "lan", "home.arpa", "test", "invalid")


def is_outside_address(url: str) -> bool:
    """Whether others can reach the address, as far as it says itself: HTTPS, and no private host."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").lower()
    except ValueError:
        return False
    if parts.scheme != "https" or not host:
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not any(host == name or host.endswith(f".{name}") for name in _INNER_NAMES)
