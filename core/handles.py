"""How the name of an account at a network is written."""

from __future__ import annotations


def at(handle: str) -> str:
    """``@handle``. A Page or person without a handle goes by its name: that has spaces, and is no handle."""
    return handle if len(handle.split()) > 1 else f"@{handle}"
