"""``python -m smmapp.run.prepare``: what must be done before the parts start, in one process."""

from __future__ import annotations

import os

import django
from django.core.management import call_command, get_commands


def main() -> None:
    """Migrate, collect the static files, and fill an empty installation with the demo unless DEMO=0."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smmapp.settings")
    django.setup()
    from accounts.models import Organization  # noqa: PLC0415 - models exist after the set-up

    call_command("migrate", interactive=False)
    call_command("collectstatic", interactive=False, verbosity=0)
    wants_demo = os.environ.get("DEMO", "1") != "0"
    if wants_demo and "demo_seed" in get_commands() and not Organization.objects.exists():
        call_command("demo_seed")


if __name__ == "__main__":
    main()
