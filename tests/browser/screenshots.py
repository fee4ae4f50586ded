"""``python -m tests.browser.screenshots OUT``: every page in all its looks, to be judged by people.

Starts everything with the demo on free ports, in a folder of its own, and stores
OUT/<language>/<size>-<theme>/<page>.png for English and Japanese, 1440 and 390, light and dark. No test.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

SIZES = {"1440": {"width": 1440, "height": 900}, "390": {"width": 390, "height": 844}}
THEMES = ("light", "dark")
LANGUAGES = {"en": "en-US", "ja": "ja-JP"}
OUT_NEXT = 75  # seconds: by then the demo's first posts are out and counted


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshots", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", default="", help="pages whose name contains this text")
    parser.add_argument("--languages", nargs="+", choices=list(LANGUAGES), default=list(LANGUAGES))
    given = parser.parse_args()

    from smmapp import embedded

    folder = Path(tempfile.mkdtemp(prefix="smmapp-screenshots-")).resolve()
    folder.chmod(0o711)  # PostgreSQL may run as another user, who must be able to pass through
    try:
        with embedded.running(folder) as services:
            # The settings are read for the names of the URLs alone.
            os.environ.update({**services.environment(), "DJANGO_SETTINGS_MODULE": "smmapp.settings"})
            take(given.out, given.only, given.languages, folder, services)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def take(out: Path, only: str, languages: list[str], folder: Path, services: object) -> None:
    import django

    django.setup()
    from playwright.sync_api import sync_playwright

    from smmapp.frontend import build
    from tests.browser import pages, stage
    from tests.browser.steps import sign_in

    build()
    with (
        stage.running_installation(
            folder / "installation",
            database_url=os.environ["DATABASE_URL"],
            redis_url=os.environ["REDIS_URL"],
            with_bluesky=False,
        ) as installation,
        sync_playwright() as playwright,
    ):
        if not only:
            time.sleep(OUT_NEXT)
        browser = playwright.chromium.launch(
            executable_path=chromium(playwright.chromium.executable_path),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        count = 0
        for language, (size, viewport), theme in itertools.product(languages, SIZES.items(), THEMES):
            target = out / language / f"{size}-{theme}"
            target.mkdir(parents=True, exist_ok=True)
            window = {
                "base_url": installation.url,
                "viewport": viewport,
                "color_scheme": theme,
                "locale": LANGUAGES[language],
                "reduced_motion": "reduce",
            }
            for wanted, is_owner in ((pages.of_nobody(), False), (pages.of_owner(installation), True)):
                context = browser.new_context(**window)  # type: ignore[arg-type]
                context.set_default_timeout(60_000)
                page = context.new_page()
                if is_owner:
                    sign_in(page, installation.demo.owner, installation.demo.password)
                for one in wanted:
                    if only in one.name:
                        page.goto(one.path)
                        pages.settle(page)
                        name = re.sub(r"[^a-z0-9]+", "-", one.name.lower()).strip("-")
                        page.screenshot(path=target / f"{name}.png", full_page=True)
                        count += 1
                context.close()
            sys.stdout.write(f"{target}: {count} pictures so far\n")
            sys.stdout.flush()
        browser.close()


def chromium(own: str) -> str:
    """One of this machine, or Playwright's."""
    given = os.environ.get("SMM_CHROMIUM", "")
    names = (given, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((found for name in names if name and (found := shutil.which(name))), own)


if __name__ == "__main__":
    sys.exit(main())
