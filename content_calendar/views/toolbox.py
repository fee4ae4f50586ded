"""What the composer's tools offer: pieces to write with, and posts that are alike."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language

from accounts.models import Brand
from content_calendar.models import HashtagGroup, Snippet, Template
from content_calendar.selectors.checks import AccountCheck
from content_calendar.selectors.likeness import alike

# What a menu of the composer holds; all of them are on their page.
MOST_BLOCKS = 30
# Whose names of emoji are built in (frontend/build.mjs).
EMOJI_LANGUAGES = ("en", "ja")


def _emoji_language() -> str:
    language = (get_language() or "en").partition("-")[0]
    return language if language in EMOJI_LANGUAGES else EMOJI_LANGUAGES[0]


def tool_context(brand: Brand, checks: Sequence[AccountCheck], *, besides: uuid.UUID) -> dict[str, Any]:
    """The lists are read only where a template shows them. ``besides``: the post that is being written."""
    return {
        "emoji_file": f"dist/emoji-{_emoji_language()}.json",
        "hashtag_groups": HashtagGroup.objects.for_brand(brand).order_by("name")[:MOST_BLOCKS],
        "snippets": Snippet.objects.for_brand(brand).order_by("name")[:MOST_BLOCKS],
        "templates": Template.objects.for_brand(brand).order_by("name")[:MOST_BLOCKS],
        "alikes": lambda: alike(
            [(check.account, check.parts) for check in checks], now=timezone.now(), besides=besides
        ),
    }
