from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analytics.services.partitions import create_partitions
from sandbox.control import SandboxControl, SandboxFailed
from smmapp.demo import login
from smmapp.demo.seeding import AlreadySeeded, is_seeded, reset_password, seed


class Command(BaseCommand):
    help = "Fills this installation with a demo organization on the sandbox network (SANDBOX_URL), once."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SANDBOX_URL:
            raise CommandError("Set SANDBOX_URL to a running sandbox network (python -m sandbox).")
        # Hundreds of calls that nobody wants to read between the lines of a start.
        logging.getLogger("connectors.http").setLevel(logging.WARNING)
        now = timezone.now()
        control = SandboxControl(settings.SANDBOX_URL)
        password = login.new_password()
        try:
            if not is_seeded():
                self.stdout.write(
                    "Filling the demo: half a year of two brands, which takes a minute at most."
                )
                self.stdout.flush()
            seed(control=control, password=password, now=now)
        except AlreadySeeded:
            self.stdout.write("The demo is here already.")
            text = login.kept()
            if not text:
                # Nobody knows the old password any more.
                reset_password(password)
                text = login.keep(password)
        except (SandboxFailed, OSError) as error:
            raise CommandError(
                f"The sandbox network at {settings.SANDBOX_URL} did not answer: {error}"
            ) from error
        else:
            create_partitions(now=now)
            text = login.keep(password)
        finally:
            control.close()
        for line in text:
            self.stdout.write(line)
