from __future__ import annotations

from accounts.models import User


def set_language(*, user: User, language: str) -> None:
    """Keep the interface's language (a code of settings.LANGUAGES) with the person."""
    if user.language != language:
        user.language = language
        user.save(update_fields=["language"])
