"""``manage.py permissions_doc``: docs/permissions.md from the table in accounts/permissions.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import translation

from accounts.models import Role
from accounts.permissions import ALLOWED, WORDS

HEAD = """\
# Who may do what

Written by `python manage.py permissions_doc` from `accounts/permissions.py`; change the table there.

A person has one role in each organization, for all of its brands or for some. Every view names the action
it needs (`@requires(Action.X)`), and `tests/accounts/test_every_url.py` opens every address with every role,
as a stranger from another organization and signed out.

"""
FOOT = """
Nobody gives, changes or takes away a role that may do more than their own, and nobody who sees only some
brands gives access to others, or reads the audit log, which tells of all. An organization always keeps one
active owner. What belongs to another organization is answered with "not found", so that nobody learns what
exists elsewhere.
"""


def document() -> str:
    """The whole file, in English."""
    with translation.override("en"):
        rows = [
            ["Action", *(str(role.label) for role in Role)],
            ["---", *(":-:" for _ in Role)],
        ]
        for action, words in WORDS.items():
            rows.append([f"{words} (`{action}`)", *("✓" if action in ALLOWED[role] else "" for role in Role)])
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return f"{HEAD}{table}\n{FOOT}"


class Command(BaseCommand):
    help = "Writes docs/permissions.md from the table of roles and actions."

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.BASE_DIR) / "docs" / "permissions.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(document(), encoding="utf-8")
        self.stdout.write(f"{path} written")
