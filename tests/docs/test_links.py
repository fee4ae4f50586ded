from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image

from tests.docs.pages import PAGES, ROOT, name_of, text_of, without_fences

LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")


def anchors(page: Path) -> set[str]:
    """The names that headings get: lower case, spaces as hyphens, punctuation gone."""
    headings = re.findall(r"^#+ (.+)$", without_fences(text_of(page)), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_there_is_something_to_check() -> None:
    assert ROOT / "README.md" in PAGES
    assert len(PAGES) > 20


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(without_fences(text_of(page))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / unquote(path)).resolve() if path else page
        is_here = found.exists() and found.is_relative_to(ROOT)
        if not is_here or (anchor and found.suffix == ".md" and anchor not in anchors(found)):
            broken.append(target)
    assert broken == []


def test_every_page_of_docs_is_linked_from_another() -> None:
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for target in LINK.findall(without_fences(text_of(page)))
        if not re.match(r"[a-z]+:", target)
    }
    pages = [page for page in PAGES if page.is_relative_to(ROOT / "docs") and page.name != "README.md"]
    assert [name_of(page) for page in pages if page.resolve() not in linked] == []


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "images").glob("*.png")), ids=name_of)
def test_pictures_are_real_and_small(picture: Path) -> None:
    assert picture.stat().st_size < 300_000
    with Image.open(picture) as image:
        assert image.width >= 1200
