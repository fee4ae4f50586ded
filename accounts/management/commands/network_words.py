"""``manage.py network_words``: accounts/network_words.py from what the networks' files say in English."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from connectors.base import ConnectField, PlatformInfo
from connectors.registry import CONNECTORS

HEAD = '''\
"""What networks ask and say of themselves, for the catalogue: connectors know no translations.

Written by ``python manage.py network_words`` from the registry; change the words there.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop

# fmt: off
WORDS = (
'''


def document() -> str:
    """The whole file, in the order of the alphabet."""
    words = sorted({words for connector in CONNECTORS.values() for words in _of(connector.INFO) if words})
    lines = "".join(f"    gettext_noop({json.dumps(one, ensure_ascii=False)}),\n" for one in words)
    return f"{HEAD}{lines})\n"


def _of(info: PlatformInfo) -> Iterator[str]:
    yield info.tagline
    for asked in (*info.connect_fields, *info.by_form):
        yield from _asked(asked)
    if info.app is not None:
        yield from (info.app.review, info.app.id_label, info.app.secret_label, *info.app.steps)
        for asked in info.app.fields:
            yield from _asked(asked)
    yield from (feature.label for feature in info.features)
    for field in info.post_fields:
        yield from (field.label, field.help_text, *(label for _value, label in field.choices))


def _asked(field: ConnectField) -> Iterator[str]:
    yield from (field.label, field.help_text, *(label for _value, label in field.choices))


class Command(BaseCommand):
    help = "Writes accounts/network_words.py from the registry of networks."

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.BASE_DIR) / "accounts" / "network_words.py"
        path.write_text(document(), encoding="utf-8")
        self.stdout.write(f"{path} written")
