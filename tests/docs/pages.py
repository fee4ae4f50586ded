"""The documents of this project, and the pieces of code in them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What is built, installed or collected, and not part of the source.
_BUILT = {"var", "node_modules", "__pycache__", "dist", "test-results"}


def files() -> Iterator[Path]:
    """Every file of the source, built and installed ones left out."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in _BUILT and (name == ".ci" or name[0] != ".")]
        yield from (Path(folder, name) for name in names)


def text_of(path: Path) -> str:
    """ "" for what is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


PAGES = sorted(path for path in files() if path.suffix == ".md")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def without_fences(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def snippets(page: Path) -> list[str]:
    """Inline code, and the lines of blocks without their comments."""
    text = text_of(page)
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    lines = [re.sub(r"\s+#.*", "", line) for block in blocks for line in block.splitlines()]
    return re.findall(r"`([^`\n]+)`", without_fences(text)) + lines
