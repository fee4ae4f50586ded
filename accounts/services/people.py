"""What a person says about themselves."""

from __future__ import annotations

from accounts.models import User


def change_profile(*, user: User, name: str, language: str) -> None:
    """``language`` is a code of settings.LANGUAGES, "" for the browser's."""
    user.name = name
    user.language = language
    user.save(update_fields=["name", "language"])
