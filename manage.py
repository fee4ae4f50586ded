#!/usr/bin/env python3
"""Django's command line; commands that need the database find or start the embedded one."""

from __future__ import annotations

import contextlib
import os
import sys

# These read the code only, so that they work (and stay quick) where no server can run.
WITHOUT_SERVICES = {"help", "version", "--version", "--help", "check", "collectstatic"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smmapp.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - after the settings' name is known

    from smmapp import embedded  # noqa: PLC0415 - as above
    from smmapp.environment import secret, var_dir  # noqa: PLC0415 - as above

    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    wanted = {
        "with_postgres": not secret("DATABASE_URL"),
        "with_redis": not secret("REDIS_URL"),
    }
    with contextlib.ExitStack() as stack:
        if command not in WITHOUT_SERVICES and any(wanted.values()):
            try:
                services = stack.enter_context(embedded.running(var_dir(), **wanted))
            except embedded.EmbeddedError as error:
                sys.exit(str(error))
            os.environ.update(services.environment())
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
