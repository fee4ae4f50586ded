"""Can networks fetch the files of posts? Asks our own public address; the exit code tells."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from outbox.services.reachability import check_public_media


class Command(BaseCommand):
    help = "Ask the public address of media, as a network would, and say what was found."

    def handle(self, *_args: Any, **_options: Any) -> None:
        reach = check_public_media(now=timezone.now())
        if not reach.is_good:
            raise CommandError(f"{reach.sentence} {reach.detail}".strip())
        self.stdout.write(reach.sentence)
