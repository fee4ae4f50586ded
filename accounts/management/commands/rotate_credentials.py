"""``manage.py rotate_credentials``: after a new key was put in front of SMM_FIELD_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.services.keys import Rotation, rotate_secrets

STEP = 100  # rows between two lines of progress


class Command(BaseCommand):
    help = (
        "Encrypts every stored token and app secret under the first key of SMM_FIELD_KEYS. When it has "
        "finished without unreadable rows, the older keys can be taken out of the setting."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        rotation = rotate_secrets(progress=self._progress)
        self.stdout.write(f"{rotation.done} of {rotation.total} secrets are under the first key.")
        if rotation.unreadable:
            raise CommandError(
                f"{rotation.unreadable} could not be opened with any key of SMM_FIELD_KEYS and stay as they "
                "are. Add the key they were written with and run this again, or reconnect those accounts."
            )

    def _progress(self, rotation: Rotation) -> None:
        if rotation.done % STEP == 0:
            self.stdout.write(f"{rotation.done} of {rotation.total} ...")
