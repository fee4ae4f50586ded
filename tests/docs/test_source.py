"""What stands in the repository is true on every machine."""

from __future__ import annotations

import re

from tests.docs.pages import files, name_of, text_of

# Letters in brackets, so that this file does not find itself.
REGISTRY = re.compile(r"py[p]i\.org|pythonhoste[d]\.|registr[y]\.(?:npm|yarn)|crate[s]\.io|proxy\.gola[n]g")
HOMES = re.compile(r"(?<![\w.}/-])/(?:home|root|work|Users)(?=/|\b(?![-.]))")
# The lock file is written by uv and names where each package lies.
WRITTEN_BY_TOOLS = {"uv.lock"}


def test_no_package_registry_is_named() -> None:
    """Whoever builds this behind a mirror of their own must be able to."""
    found = [
        f"{name_of(path)}: {host}"
        for path in files()
        if path.name not in WRITTEN_BY_TOOLS
        for host in REGISTRY.findall(text_of(path))
    ]
    assert found == []


def test_no_folder_of_one_machine_is_named() -> None:
    found = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in files()
        if path.name not in WRITTEN_BY_TOOLS
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if HOMES.search(line)
    ]
    assert found == []


def test_nothing_points_outside_the_repository() -> None:
    found = [
        f"{name_of(path)}: {up}"
        for path in files()
        if path.suffix in {".py", ".md"} and "tests" not in path.parts
        for up in re.findall(r"(?<![\w./])((?:\.\./)+[\w./-]+)", text_of(path))
        if not (path.parent / up).exists()
    ]
    assert found == []
